//! `cargo xtask bench`: what benches/README.md reports.

use std::process::Command;

use crate::build::{self, Profile};
use crate::error::Error;
use crate::gateway;
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
    let (list, corpus) = (path("tests/it/corpus/packages.json"), path("target/corpus"));
    process::run(NODE, &["tests/js/fetch-corpus.mjs", &list, &corpus], &tree.root)?;
    process::run(CARGO, &["run", "--release", "--", "run", &kontract, &esbuild, &corpus], &bench)
}

/// Measures storage beside plain SQL, Prisma and Drizzle, or how tables grow; the numbers come from a test of the program's.
///
/// # Errors
/// With the first step that fails.
pub(crate) fn storage(tree: &Tree, test: &str) -> Result<(), Error> {
    let bench = tree.root.join("benches/storage");
    process::run(NPM, &["ci", "--ignore-scripts", "--no-audit", "--no-fund"], &bench)?;
    let mut generate = Command::new("npx");
    generate.args(["prisma", "generate"]).current_dir(&bench);
    // It fetches a program for migrations before it does anything, which generating a client does not run.
    generate.env("PRISMA_SCHEMA_ENGINE_BINARY", "/bin/true");
    process::finish(NPM, generate)?;
    let mut command = Command::new(CARGO.name);
    command.args(["test", "-p", "kontract", "--test", "it", "--"]);
    command.args(["--exact", &format!("storage::bench::{test}"), "--ignored", "--nocapture"]);
    command.current_dir(&tree.root);
    process::finish(CARGO, command)
}

/// Builds the program and a Worker of raystream alone, and prints encrypted and plain calls side by side. What is measured is the
/// gateway, which has a profile of its own.
///
/// # Errors
/// With the first step that fails.
pub(crate) fn raystream(tree: &Tree) -> Result<(), Error> {
    let program = build::build(tree, Profile::Dev)?;
    let protocol = tree.target.join("bench-protocol");
    gateway::module(tree, "kontract-bench-protocol", &protocol)?;
    let (program, protocol) = (program.display().to_string(), protocol.display().to_string());
    process::run(
        NODE,
        &["--experimental-websocket", "benches/raystream/bench.mjs", &program, &protocol],
        &tree.root,
    )
}

/// Builds the program as it ships, and prints what builds of a generated app cost, cold and after an edit, beside bundlers.
///
/// # Errors
/// With the first step that fails.
pub(crate) fn build_beside_bundlers(tree: &Tree) -> Result<(), Error> {
    let program = build::build(tree, Profile::Release)?.display().to_string();
    let folder = tree.root.join("target/bench-build").display().to_string();
    process::run(NODE, &["benches/build/bench.mjs", &program, &folder, "5000", "5"], &tree.root)
}

/// Builds the program, and prints how long Workers with many endpoints take to their first answer.
///
/// # Errors
/// With the first step that fails.
pub(crate) fn start(tree: &Tree) -> Result<(), Error> {
    let program = build::build(tree, Profile::Release)?.display().to_string();
    let folder = tree.root.join("target/bench-start").display().to_string();
    process::run(NODE, &["benches/start/start.mjs", &program, &folder, "9"], &tree.root)
}

/// Builds the program, and prints what encoding and decoding cost beside JSON and others.
///
/// # Errors
/// With the first step that fails.
pub(crate) fn wire(tree: &Tree) -> Result<(), Error> {
    let program = build::build(tree, Profile::Release)?.display().to_string();
    process::run(
        NPM,
        // Not `ci`, which wants optional packages for other platforms in the lock that not every registry has.
        &["install", "--ignore-scripts", "--no-save", "--no-audit", "--no-fund"],
        &tree.root.join("benches/wire"),
    )?;
    process::run(NODE, &["benches/wire/run.mjs", &program], &tree.root)
}
