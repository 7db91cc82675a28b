//! `cargo xtask bench check` and `bench raystream`: what benches/README.md reports.

use crate::build::{self, Profile};
use crate::error::Error;
use crate::process::{self, CARGO, NODE};
use crate::tree::Tree;

/// Builds the program as it ships, and the peers, and prints the table.
///
/// # Errors
/// With the first step that fails.
pub(crate) fn check(tree: &Tree) -> Result<(), Error> {
    process::run(CARGO, &["build", "--release", "--package", "kontract"], &tree.root)?;
    let bench = tree.root.join("benches/check");
    let path = |path: &str| tree.root.join(path).display().to_string();
    let (kontract, esbuild) = (path("target/release/kontract"), path("node_modules/esbuild/bin/esbuild"));
    process::run(CARGO, &["run", "--release", "--", "run", &kontract, &esbuild], &bench)
}

/// Builds the program as it ships, and prints encrypted and plain calls side by side.
///
/// # Errors
/// With the first step that fails.
pub(crate) fn raystream(tree: &Tree) -> Result<(), Error> {
    let program = build::build(tree, Profile::Release)?;
    process::run(NODE, &["benches/raystream/bench.mjs", &program.display().to_string()], &tree.root)
}
