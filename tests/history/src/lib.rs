//! Decides from the outside whether a history of concurrent transactions was strictly serializable.
//!
//! ```text
//! what clients saw and did, when → order of versions → graph of dependencies → cycles, named after Adya
//! ```
//!
//! The method is that of Adya's thesis (Weak Consistency, MIT 1999) and of Elle (Kingsbury and Alvaro, VLDB 2020): values
//! are unique, so that a read says which write it saw, and data types are chosen so that reads say in which order the writes
//! came. Of transactions that aborted, the reads count as those of a transaction that only read: every attempt is promised a
//! state that was there, because the code that runs on it may do anything before it is refused. Knows nothing of storage: a transaction is a list of [`Op`]s with two points in time.
#![forbid(unsafe_code)]

mod anomaly;
mod graph;
mod history;
mod versions;

pub use anomaly::{Anomaly, Kind};
pub use history::{History, Op, Outcome, Txn};

/// Everything that is wrong with a history; empty when it was strictly serializable.
pub fn check(history: &History) -> Vec<Anomaly> {
    let mut found = Vec::new();
    let dependencies = versions::dependencies(history, &mut found);
    found.extend(graph::cycles(history, &dependencies));
    found
}

#[cfg(test)]
mod tests;
