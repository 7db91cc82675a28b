//! The integration tests, one binary: one file for each phase.

mod cluster;
mod migrate_run;
mod storage;
mod support;
