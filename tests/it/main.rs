//! The integration tests of the compiler, one module for each phase.

mod codec;
mod cookbook;
mod migrate;
mod stubgen;
mod support;
