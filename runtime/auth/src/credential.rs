//! The database credential: who a transaction is for, in a form that the gateway's database role cannot make.

use crate::authority::{MacKey, UnixSeconds};

/// `owner`, an expiry and `HMAC-SHA256(credential key, owner ‖ "." ‖ expiry)`; the function `kt.start` checks it
/// against a key that the gateway's role cannot read.
#[derive(Clone, PartialEq, Eq)]
pub struct Credential {
    /// Owner of the rows the transaction writes.
    pub owner: String,
    /// End of validity.
    pub expires_at: UnixSeconds,
    /// The authentication code.
    pub mac: [u8; 32],
}

impl Credential {
    pub(crate) fn mint(key: &MacKey, owner: &str, expires_at: UnixSeconds) -> Self {
        let mac = key.mac(format!("{owner}.{}", expires_at.0).as_bytes());
        Self { owner: owner.to_owned(), expires_at, mac }
    }
}
