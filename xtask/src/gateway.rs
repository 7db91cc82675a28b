//! Builds the gateway: `runtime/worker` to WebAssembly, and wasm-bindgen's JavaScript for it, into `target/gateway`; in the same way
//! what a benchmark runs in a Worker.
//!
//! ```text
//! runtime/worker → <target>/wasm32-unknown-unknown/wasm/kontract_worker.wasm
//!   → target/gateway/kontract_worker.js, kontract_worker_bg.wasm and their .d.ts
//! ```
//!
//! `build.rs` of package kontract puts these files into the `kontract` program.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use wasm_bindgen_cli_support::Bindgen;

use crate::error::Error;
use crate::process::{self, CARGO, RUSTC, RUSTUP};
use crate::tree::Tree;

/// Installs the standard library of the wasm32 target, when the toolchain does not have it.
///
/// # Errors
/// When it is absent and rustup cannot fetch it.
pub(crate) fn require_target(tree: &Tree) -> Result<(), Error> {
    let library = process::output(RUSTC, &["--print", "target-libdir", "--target", TARGET], &tree.root)?;
    if Path::new(&library).is_dir() {
        return Ok(());
    }
    process::step("install the wasm32 target", || {
        process::run(RUSTUP, &["target", "add", TARGET], &tree.root)
    })
}

/// Builds the gateway. Files that come out as they were are left alone, so that Cargo sees no change in them.
///
/// # Errors
/// When the crate does not compile or wasm-bindgen refuses it.
pub(crate) fn build(tree: &Tree) -> Result<(), Error> {
    module(tree, "kontract-worker", &tree.gateway())
}

/// Builds a package to WebAssembly, with its JavaScript.
///
/// # Errors
/// When it does not compile or wasm-bindgen refuses it.
pub(crate) fn module(tree: &Tree, package: &str, into: &Path) -> Result<(), Error> {
    require_target(tree)?;
    let mut cargo = Command::new(CARGO.name);
    cargo
        .args(["build", "--profile", PROFILE, "--target", TARGET, "-p", package])
        .args(["--config", &same_paths_everywhere(tree)])
        .current_dir(&tree.root);
    process::finish(CARGO, cargo)?;
    let module = format!("{}.wasm", package.replace('-', "_"));
    write_bindings(&tree.target.join(TARGET).join(PROFILE).join(module), into)
}

/// Panic messages hold source paths. Without this the module would name folders of the machine that built it, and two
/// machines would build different bytes.
fn same_paths_everywhere(tree: &Tree) -> String {
    let mut flags = vec![format!("--remap-path-prefix={}=kontract", tree.root.display())];
    if let Some(home) = cargo_home() {
        flags.push(format!("--remap-path-prefix={}=cargo", home.display()));
    }
    let quoted: Vec<String> = flags.iter().map(|flag| format!("'{flag}'")).collect();
    format!("target.{TARGET}.rustflags=[{}]", quoted.join(", "))
}

fn cargo_home() -> Option<PathBuf> {
    let default = || std::env::home_dir().map(|home| home.join(".cargo"));
    std::env::var_os("CARGO_HOME").map(PathBuf::from).or_else(default)
}

fn write_bindings(module: &Path, into: &Path) -> Result<(), Error> {
    let fresh = into.with_extension("new");
    // What an interrupted build left behind must not be taken for output of this one.
    if fresh.exists() {
        fs::remove_dir_all(&fresh).map_err(|cause| file("clear", &fresh, cause))?;
    }
    bindings(module, &fresh)
        .map_err(|cause| Error::Bindgen { path: module.to_owned(), cause: format!("{cause:#}") })?;
    replace_changed(&fresh, into)?;
    fs::remove_dir_all(&fresh).map_err(|cause| file("clear", &fresh, cause))
}

fn bindings(module: &Path, into: &Path) -> Result<(), impl std::fmt::Display + use<>> {
    let mut bindgen = Bindgen::new();
    bindgen.input_path(module).typescript(true).omit_default_module_path(true);
    bindgen.web(true)?.generate(into)
}

/// Makes `into` hold the files of `fresh` and no others, writing only those whose bytes differ.
fn replace_changed(fresh: &Path, into: &Path) -> Result<(), Error> {
    fs::create_dir_all(into).map_err(|cause| file("create", into, cause))?;
    for old in names(into)?.difference(&names(fresh)?) {
        let path = into.join(old);
        fs::remove_file(&path).map_err(|cause| file("remove", &path, cause))?;
    }
    for name in names(fresh)? {
        let (from, to) = (fresh.join(&name), into.join(&name));
        let bytes = fs::read(&from).map_err(|cause| file("read", &from, cause))?;
        if fs::read(&to).is_ok_and(|old| old == bytes) {
            continue;
        }
        fs::write(&to, bytes).map_err(|cause| file("write", &to, cause))?;
    }
    Ok(())
}

fn names(dir: &Path) -> Result<std::collections::BTreeSet<std::ffi::OsString>, Error> {
    let entries = fs::read_dir(dir).map_err(|cause| file("read", dir, cause))?;
    entries.map(|entry| Ok(entry.map_err(|cause| file("read", dir, cause))?.file_name())).collect()
}

fn file(action: &'static str, path: &Path, cause: std::io::Error) -> Error {
    Error::File { action, path: path.to_owned(), cause }
}

/// The target that workerd runs.
pub(crate) const TARGET: &str = "wasm32-unknown-unknown";
/// The profile that `Cargo.toml` tunes for it.
pub(crate) const PROFILE: &str = "wasm";
