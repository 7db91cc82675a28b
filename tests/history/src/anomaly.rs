//! The names of what can be wrong.

use std::fmt;

/// A class of anomalies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A transaction saw a value of one that aborted.
    G1a,
    /// A transaction saw a value that its writer replaced before it committed.
    G1b,
    /// A cycle of writes over writes.
    G0,
    /// A cycle of writes and reads of what was written.
    G1c,
    /// A cycle in which exactly one step is a read of what was replaced later: lost update, read skew.
    GSingle,
    /// A cycle with several such steps: write skew, phantoms.
    G2,
    /// As the classes above, but only the order of time closes the cycle: a transaction saw less than was known before it
    /// began.
    Realtime,
    /// An acknowledged write is nowhere.
    Lost,
    /// A write took effect twice, or a thing was taken twice.
    Doubled,
    /// A value that nobody wrote.
    Unwritten,
    /// Reads of one object that no single order of writes explains.
    Order,
    /// A transaction did not see its own writes as it should.
    Internal,
    /// A statement about the data that every serial order would keep did not hold.
    Claim,
}

/// One thing that is wrong, with what shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Anomaly {
    /// Its class.
    pub kind: Kind,
    /// Which transactions and values, for a person.
    pub evidence: String,
}

impl fmt::Display for Anomaly {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}", self.kind, self.evidence)
    }
}
