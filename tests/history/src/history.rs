//! What clients saw and did.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What is known of a transaction's end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Outcome {
    /// Acknowledged.
    Committed,
    /// Known to have had no effect.
    Aborted,
    /// The client never learnt it.
    Unknown,
}

/// One step of a transaction. Values are unique for each object, so that a read names the write that it saw.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Op {
    /// Adds a value to the end of a list.
    Append(String, u64),
    /// Reads a whole list.
    List(String, Vec<u64>),
    /// Sets a register.
    Write(String, u64),
    /// Reads a register; `None` where it was never set.
    Read(String, Option<u64>),
    /// A member enters a group; each member does so at most once in a history.
    Enter(String, u64),
    /// A member leaves a group for ever.
    Leave(String, u64),
    /// Reads who is in a group: a read by predicate.
    Scan(String, Vec<u64>),
    /// A rule about the data that the transaction found broken.
    Broken(String),
}

/// One transaction, as its client saw it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Txn {
    /// For a person who looks for it.
    pub name: String,
    /// Before its first statement was sent, in nanoseconds of one clock.
    pub begin_ns: u64,
    /// After its last answer arrived.
    pub end_ns: u64,
    /// How it ended.
    pub outcome: Outcome,
    /// In order.
    pub ops: Vec<Op>,
}

/// A whole history.
#[derive(Debug, Clone, Default)]
pub struct History {
    /// In any order. One that reads everything at the end shows what was lost.
    pub txns: Vec<Txn>,
    /// The values that each register had, in order, as the store itself kept them.
    pub registers: BTreeMap<String, Vec<u64>>,
}
