//! One binary for all integration tests, so that dependencies are linked once. One file per phase.

mod migrate_run;
mod storage;
mod support;
mod tidy;
