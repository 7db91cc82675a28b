//! What several tests need: contracts made by hand, generated code run in node, expected outputs as files.

pub(crate) mod contract;
pub(crate) mod expect;
pub(crate) mod node;
