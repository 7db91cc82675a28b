//! `cargo xtask test` and `cargo xtask ci`: everything that a change has to pass.
//!
//! Quick checks come first. Packages are tested in groups that need the same features of their dependencies, because
//! Cargo would compile the dependencies once more for each other set.

use std::process::Command;

use crate::error::Error;
use crate::gateway::{PROFILE, TARGET};
use crate::process::{self, CARGO, GIT, step};
use crate::tree::Tree;
use crate::{build, npm, python, raystream, system};

/// How long each target of the coverage-guided fuzzer runs on each change.
const FUZZ_SECONDS: &str = "3";

/// Builds, checks and tests; the last lines of the output are those of `cargo test`.
///
/// # Errors
/// With the first step that fails.
pub(crate) fn test(tree: &Tree) -> Result<(), Error> {
    let cargo = |arguments: &[&str]| process::run(CARGO, arguments, &tree.root);
    step("formatting", || cargo(&["fmt", "--all", "--check"]))?;
    system::install_packages(tree)?;
    python::install(tree)?;
    build::prepare(tree)?;
    step("test npm/kontract", || npm::test(tree))?;
    step("lint the gateway", || {
        cargo(&[
            "clippy",
            "--profile",
            PROFILE,
            "--target",
            TARGET,
            "-p",
            "kontract-worker",
            "--",
            "-Dwarnings",
        ])
    })?;
    step("lint", || {
        let native =
            ["clippy", "--workspace", "--exclude", "kontract-worker", "--all-targets", "--", "-Dwarnings"];
        cargo(&native)
    })?;
    raystream::fuzz(tree, &[&raystream::TARGETS[..], &[raystream::ENVELOPE]].concat(), FUZZ_SECONDS)?;
    step("test xtask", || cargo(&["test", "-p", "xtask"]))?;
    eprintln!("── test");
    // What else is broken should show in the same run.
    cargo(&["test", "--no-fail-fast", "--workspace", "--exclude", "kontract-worker", "--exclude", "xtask"])
}

/// [`test`], and nothing under version control may have changed: generated files are committed as they come out.
///
/// # Errors
/// As [`test`], and with the files that differ.
pub(crate) fn ci(tree: &Tree) -> Result<(), Error> {
    test(tree)?;
    let changed = process::output(GIT, &["status", "--porcelain"], &tree.root)?;
    if changed.is_empty() { Ok(()) } else { Err(Error::Dirty(changed)) }
}

/// Runs so many transactions against PostgreSQL while things are killed, and checks what their clients saw.
///
/// # Errors
/// When the history has no serial order, or a client met an error that it should not have met.
pub(crate) fn storage_check(tree: &Tree, transactions: &str) -> Result<(), Error> {
    system::install_packages(tree)?;
    let mut command = Command::new(CARGO.name);
    command.args(["test", "-p", "kontract", "--test", "it", "--"]);
    command.args([
        "--exact",
        "storage::history::long",
        "storage::history::mutants::narrow_guards_are_missed",
    ]);
    command.args(["--ignored", "--nocapture"]);
    command.env("KONTRACT_STORAGE_TRANSACTIONS", transactions).current_dir(&tree.root);
    process::finish(CARGO, command)
}
