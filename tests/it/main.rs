//! One binary for all integration tests, so that dependencies are linked once. One file per phase.

mod tidy;
