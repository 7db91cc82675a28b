//! kontract: a source-to-source compiler for full-stack TypeScript.

pub mod contract;
pub mod emit;
pub mod source;
