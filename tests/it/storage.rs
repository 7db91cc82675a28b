//! Storage on real PostgreSQL: the transaction core as the gateway drives it, against what the design promises.
//!
//! `alone` is about reads and commits without a session, `roles` about who may do what, `crashed` about a server that was killed, `isolation` about what transactions see of each other, `managed` about servers that give nobody a superuser, `one_row` about the short way of a commit, `restored` about rows that come from another cluster, `history` about what many of them do
//! under load and faults, `unique` about values that one row has.

mod alone;
mod bench;
mod crashed;
mod exec;
mod garbage;
mod history;
mod isolation;
mod limits;
mod managed;
mod many;
mod one_row;
mod queries;
mod restored;
mod roles;
mod scopes;
mod unique;
