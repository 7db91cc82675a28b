//! The gateway inside workerd: conversions between JavaScript and the pure cores, and nothing decided here.
//!
//! The only crate that knows JavaScript. Its exports are used by `npm/kontract/src/server`, which runs the endpoints.

pub mod channel;
pub mod page;
mod platform;
pub mod postgres;
mod statements;
pub mod transaction;
