//! The integration tests of the compiler, one module for each phase.

mod codec;
mod migrate;
mod stubgen;
mod support;
