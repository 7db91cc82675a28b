//! Storage on real PostgreSQL: the transaction core as the gateway drives it, against what the design promises.
//!
//! `alone` is about reads and commits without a session, `roles` about who may do what, `isolation` about what transactions see of each other, `restored` about rows that come from another cluster, `history` about what many of them do
//! under load and faults.

mod alone;
mod bench;
mod exec;
mod garbage;
mod history;
mod isolation;
mod limits;
mod queries;
mod restored;
mod roles;
mod scopes;
