//! raystream: the encrypted protocol between the generated client and the gateway, sans-IO.
//!
//! ```text
//! HANDSHAKE_INIT frame ── Server::accept ──▶ Accepted { session, response, early }
//! sealed frame         ── Session::open  ──▶ Opened { type, flags, sequence, payload }
//! payload              ── Session::seal  ──▶ sealed frame
//! ```
//!
//! The crate carries opaque bytes: it knows no endpoint, token or transport. Time enters as [`UnixSeconds`], randomness
//! through [`Entropy`]. The protocol itself is written down in `docs/raystream.md`; the vectors that this crate and the
//! TypeScript client both read are in `fixtures/vectors/raystream/`.
#![forbid(unsafe_code)]

mod client;
mod crypto;
mod early;
mod entropy;
mod error;
mod frame;
mod ids;
mod init;
mod kem;
mod keys;
pub mod limits;
mod noise;
mod padding;
mod schedule;
mod server;
mod session;
mod stream;
mod suite;
mod ticket;

pub use client::{ClientConfig, Connected, Initiator, Resumer, Resumption, StartError};
pub use early::encode as encode_early;
pub use entropy::Entropy;
pub use error::{PeerFault, Refused, SealError};
pub use frame::{Flags, FrameType, Header};
pub use ids::{BuildId, KeyId, RouteHash, SessionId, UnixSeconds};
pub use keys::{PublicKey, PublicKeyError, StaticKey};
pub use server::{Accepted, Server, ServerConfig};
pub use session::{Opened, Session};
pub use stream::frames;
pub use suite::Suite;
pub use ticket::{Stek, TicketKeys};
