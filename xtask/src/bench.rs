//! `cargo xtask bench check|wire`: what benches/README.md reports.

use crate::build::{self, Profile};
use crate::error::Error;
use crate::process::{self, CARGO, NODE, NPM};
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

/// Measures the codecs that the compiler generates for the messages of `benches/wire` beside other libraries, in Node and in
/// workerd.
///
/// # Errors
/// With the first step that fails.
pub(crate) fn wire(tree: &Tree) -> Result<(), Error> {
    let kontract = build::build(tree, Profile::Dev)?.display().to_string();
    let bench = tree.root.join("benches/wire");
    process::run(NPM, &["ci", "--no-audit", "--no-fund"], &bench)?;
    process::run(NODE, &["run.mjs", &kontract], &bench)
}
