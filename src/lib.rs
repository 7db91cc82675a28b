//! kontract: a source-to-source compiler for full-stack TypeScript.

pub mod artifact;
pub mod bundle;
pub mod cli;
pub mod contract;
pub mod cookbook;
pub mod dev;
pub mod diag;
pub mod emit;
pub mod migrate;
pub mod parse;
pub mod project;
pub mod source;
pub mod split;
pub mod stubgen;
pub mod system;
