//! One binary for all integration tests, so that dependencies are linked once. One file per phase.

mod codec;
mod diagnostics;
mod fixture;
mod migrate_run;
mod parse;
mod split;
mod storage;
mod stubgen;
mod support;
mod tidy;
