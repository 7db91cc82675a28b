//! Who is calling: access and refresh tokens, and the credential with which the database believes the gateway.
//!
//! Sans-IO: time and randomness are arguments. Knows neither the transport nor SQL.
#![forbid(unsafe_code)]

mod authority;
mod credential;
mod limits;
mod token;

pub use authority::{Authority, Identity, IdentityKey, Issued, SessionBinding, UnixSeconds};
pub use credential::Credential;
pub use token::TokenError;
