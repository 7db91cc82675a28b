//! Limits on what one session may have the gateway keep.

/// Calls of a session that are in parts at the same time.
pub const PARTIAL_CALLS_MAX: usize = 8;

/// Calls in the early data of a handshake.
pub const EARLY_CALLS_MAX: usize = 8;

/// Bytes of all calls of a session that are in parts; the longest message that codecs read.
pub const PARTIAL_LEN_MAX: usize = 16 << 20;
