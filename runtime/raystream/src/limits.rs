//! Limits on what a peer may send, checked before any cryptography and before anything is allocated.

/// Largest value of a frame's `length` field, in bytes.
pub const FRAME_LENGTH_MAX: usize = 1 << 20;

/// Longest plaintext of a frame, padding included, in bytes.
pub const PLAINTEXT_LEN_MAX: usize = FRAME_LENGTH_MAX - 16;

/// Longest payload of a frame, in bytes: one byte is the padding's marker.
pub const PAYLOAD_LEN_MAX: usize = PLAINTEXT_LEN_MAX - 1;

/// Payload of each part but the last of a message in several frames, in bytes: parts of other messages fit between.
pub const PART_LEN: usize = 256 * 1024;

/// Longest early data in a HANDSHAKE_INIT, in bytes.
pub const EARLY_LEN_MAX: usize = 16 * 1024;

/// Most frames in one body.
pub const FRAMES_PER_BODY_MAX: usize = 256;

/// Frames under one key; the next frame uses the next key.
pub const FRAMES_PER_KEY: u64 = 1 << 20;

/// Longest life of a session however often it is renewed, in seconds; then a full handshake is needed.
pub const SESSION_LIFETIME_MAX_SECS: u64 = 24 * 60 * 60;

/// Default time without traffic after which a session ends, in seconds.
pub const IDLE_TIMEOUT_SECS: u64 = 5 * 60;
