//! `cargo xtask bench check`: what benches/README.md reports.

use crate::error::Error;
use crate::process::{self, CARGO};
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
    let (list, corpus) = (path("tests/it/corpus/packages.json"), path("target/corpus"));
    process::run("node", &["tests/js/fetch-corpus.mjs", &list, &corpus], &tree.root)?;
    process::run(CARGO, &["run", "--release", "--", "run", &kontract, &esbuild, &corpus], &bench)
}
