//! kontract: a source-to-source compiler for full-stack TypeScript.

pub mod artifact;
pub mod contract;
pub mod cookbook;
pub mod emit;
pub mod migrate;
pub mod source;
pub mod stubgen;
