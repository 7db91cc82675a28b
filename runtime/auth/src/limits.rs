//! Life times and sizes.

/// Longest token that is looked at, in bytes.
pub(crate) const TOKEN_LEN_MAX: usize = 4096;

/// Life of an access token, in seconds; it ends with its session at the latest.
pub(crate) const ACCESS_TTL_S: u64 = 15 * 60;

/// Life of a refresh token, in seconds.
pub(crate) const REFRESH_TTL_S: u64 = 30 * 24 * 60 * 60;

/// Life of a database credential, in seconds: longer than any call, shorter than an access token.
pub(crate) const CREDENTIAL_TTL_S: u64 = 5 * 60;
