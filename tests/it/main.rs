//! The integration tests of the compiler and the command line, one file for each phase.

mod diagnostics;
mod fixture;
mod parse;
mod split;
