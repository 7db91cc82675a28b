//! One binary for all integration tests, so that dependencies are linked once. One file per phase.
#![expect(clippy::panic, reason = "a test fails by panicking")]

mod apps;
mod check;
mod cluster;
mod codec;
mod cookbook;
mod corpus;
mod declarations;
mod diagnostics;
mod fixture;
mod forms;
mod fuzz;
mod middleware;
mod migrate;
mod migrate_run;
mod migrate_tls;
mod optimize;
mod package_types;
mod parse;
mod recheck;
mod secrets;
mod split;
mod storage;
mod stubgen;
mod support;
mod tidy;
mod types;
