//! Storage on real PostgreSQL: the transaction core as the gateway drives it, against what the design promises.
//!
//! `roles` is about who may do what, `isolation` about what transactions see of each other.

mod isolation;
mod roles;
