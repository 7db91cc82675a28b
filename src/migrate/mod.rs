//! From entities to SQL, and from SQL to the database.
//!
//! ```text
//! CheckedContract → Schema → diff against the lock → Vec<Change> → MigrationPlan: a migration and the next lock
//! ```
//!
//! Nothing here but `run` and `connect` knows files or a database. Nothing destructive is ever generated: what could lose or
//! misread stored rows waits for a migration that a person wrote.

pub mod compat;
pub mod connect;
mod diagnostics;
pub mod diff;
pub mod lock;
pub mod plan;
pub mod run;
pub mod safety;
pub mod schema;
pub mod sql;

pub use diagnostics::{Refusal, change_text};
pub use diff::{Change, FieldChange, diff};
pub use lock::{Lock, LockError};
pub use plan::{MigrationFile, MigrationPlan, plan};
pub use safety::Safety;
pub use schema::Schema;
