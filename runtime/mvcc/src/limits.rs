//! Limits on one transaction, checked before anything is sent.

/// Longest key of a row, in bytes. An index entry of PostgreSQL holds about 2,700.
pub const KEY_LEN_MAX: usize = 512;

/// Longest row, as JSON text, in bytes.
pub const ROW_LEN_MAX: usize = 1 << 20;

/// Keys that one transaction reads and writes, in all tables together.
pub const KEYS_PER_TRANSACTION_MAX: usize = 4096;

/// Lists, queries and counts of one transaction, in all tables together.
pub const PREDICATES_PER_TRANSACTION_MAX: usize = 256;

/// Conditions of one query beyond containment, and values of its lists.
pub const CONDITIONS_MAX: usize = 1000;

/// Versions of a row that one read returns.
pub const VERSIONS_PER_READ_MAX: usize = 1000;

/// Rows that one read returns, and what a read without a limit gets at most.
pub const ROWS_PER_READ_MAX: usize = 1000;

/// Longest result of one read, and of those that travel together, in bytes of the JSON in which it passes from the object that
/// holds the connection. workerd passes 32 MiB, and takes two bytes for each character where one is outside of Latin-1.
pub const RESULT_LEN_MAX: usize = 15 << 20;

/// Longest statement of `exec`, in characters.
pub const STATEMENT_LEN_MAX: usize = 65_536;

/// Parameters of a statement of `exec`.
pub const PARAMETERS_MAX: usize = 16;

/// Longest commit, as JSON text, in bytes.
pub const PAYLOAD_LEN_MAX: usize = 4 << 20;

/// Longest answer that is remembered for an idempotency key, in bytes.
pub const ANSWER_LEN_MAX: usize = 1 << 20;

/// Statements of one transaction that are under way at the same time.
pub const REQUESTS_PENDING_MAX: usize = 256;

/// Attempts at one call before a conflict becomes the caller's. Eight clients that do nothing but increment one row, at 60 ms
/// an attempt, need up to 23 with the pauses of `retry` (simulated, 200 runs of 200 increments).
pub const ATTEMPTS_MAX: u32 = 24;
