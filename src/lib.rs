//! kontract: a source-to-source compiler for full-stack TypeScript.

pub mod contract;
pub mod dev;
pub mod emit;
pub mod migrate;
pub mod source;
