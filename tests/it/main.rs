//! The integration tests of the compiler, one module for each phase.

mod codec;
mod stubgen;
mod support;
