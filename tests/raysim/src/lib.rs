//! raystream under a network that does its worst.
//!
//! ```text
//! seed ── simulate ──▶ clients, network and server of runtime/raystream ──▶ what was sealed, run and answered ──▶ verdict
//! ```
//!
//! [`forge`] is the key schedule of `docs/raystream.md` written a second time: for those who have to seal what no good peer
//! seals, and for the observer who looks at which key and nonce each frame was sealed with. [`fuzz`] is what the fuzzer runs.
#![forbid(unsafe_code)]

mod client;
pub mod forge;
pub mod fuzz;
mod network;
mod observer;
mod rng;
mod server;
mod simulation;

pub use rng::Rng;
pub use simulation::{Counts, simulate};

#[cfg(test)]
mod tests;
