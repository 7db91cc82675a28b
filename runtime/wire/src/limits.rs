//! Limits on what a peer may send, checked before anything is allocated.

/// Longest access token in a call, in bytes.
pub const TOKEN_LEN_MAX: usize = 4096;

/// Longest error code on the wire, in bytes.
pub const ERROR_CODE_LEN_MAX: usize = 64;

/// Longest error message on the wire, in bytes; a longer one is cut at a character boundary.
pub const ERROR_MESSAGE_LEN_MAX: usize = 4096;
