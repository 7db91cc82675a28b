//! Limits on what one session may have the gateway keep.

/// Calls of a session that are in parts at the same time.
pub const PARTIAL_CALLS_MAX: usize = 8;

/// Calls in the early data of a handshake.
pub const EARLY_CALLS_MAX: usize = 8;

/// Calls of a session that run at the same time.
pub const RUNNING_CALLS_MAX: usize = 1024;

/// Seconds of silence after which what the gateway says next has a new key.
pub const REKEY_IDLE_SECS: u64 = 60;

/// Bytes of all calls of a session that are in parts; the longest message that codecs read.
pub const PARTIAL_LEN_MAX: usize = 16 << 20;
