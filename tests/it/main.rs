//! One binary for all integration tests, so that dependencies are linked once. One file per phase.
#![expect(clippy::panic, reason = "a test fails by panicking")]

mod apps;
mod cluster;
mod codec;
mod cookbook;
mod diagnostics;
mod fixture;
mod migrate;
mod migrate_run;
mod parse;
mod recheck;
mod split;
mod storage;
mod stubgen;
mod support;
mod tidy;
