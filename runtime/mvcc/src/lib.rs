//! Serializable transactions over PostgreSQL, sans-IO: one [`Transaction`](transaction::Transaction) for each endpoint call
//! turns storage operations into [`Statement`](statement::Statement)s and their results into rows, remembers what was read
//! and written, and commits it in one statement.
//!
//! ```text
//! get/list/set/… → Step::Ready(json) | Step::Send{id, statements} → answer(id, results) → Step
//! commit(answer) → statements → committed(results) → CommitOutcome | Conflict: the whole call runs again
//! ```
//!
//! Owns the SQL that is installed in the database ([`sql`]) and the statements that call it. Knows no socket, no clock and no
//! randomness: the session id comes from the caller, and the pause between attempts is a function of a random number
//! ([`retry`]).
#![forbid(unsafe_code)]

mod contains;
pub mod credential;
pub mod error;
mod filter;
pub mod limits;
mod payload;
pub mod retry;
mod row;
pub mod sql;
mod state;
pub mod statement;
pub mod table;
pub mod transaction;
