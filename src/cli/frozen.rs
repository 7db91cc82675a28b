//! `--frozen`: whether the files that a build writes are those of the sources.

use super::build::{compiled, is_history};
use super::error::CliError;
use super::os_system::OsSystem;
use super::report::Reporter;
use super::secrets::Secrets;
use super::write;
use crate::CompileInput;
use crate::artifact::Artifacts;
use crate::diag::Outcome;
use crate::project::Loaded;
use crate::stubgen::PinnedKey;
use crate::system::{System as _, SystemError};
use crate::typecheck;
use std::path::Path;

/// Compiles, and reports files that a build would write otherwise or remove. The lock and the migrations have to be
/// there; what version control ignores is compared where it exists.
pub(super) fn compile(
    folder: &Path,
    system: &OsSystem,
    loaded: &Loaded,
    reporter: Reporter,
) -> Result<Artifacts, CliError> {
    // In a checkout without secrets, what holds their public halves cannot be compared.
    let keys: Vec<PinnedKey> =
        Secrets::load(folder).map_or_else(|_| Vec::new(), |secrets| secrets.pinned().into());
    let input = CompileInput { keys: &keys, ..CompileInput::default() };
    compiled(folder, loaded, reporter, |loaded| {
        crate::compile(system, loaded, &input).and_then(|made| {
            let stale = stale(folder, system, &made, keys.is_empty());
            let diagnostics = if stale.is_empty() { Vec::new() } else { vec![typecheck::stale(&stale)] };
            Outcome::with(made, diagnostics)
        })
    })
}

fn stale(folder: &Path, system: &OsSystem, made: &Artifacts, keyless: bool) -> Vec<String> {
    let differs = |path: &str, bytes: &[u8]| match system.read(path) {
        Ok(present) => present != bytes,
        Err(SystemError::NotFound) => is_history(path),
        Err(_) => true,
    };
    let comparable = made.iter().filter(|(path, _)| !(keyless && holds_keys(path)));
    let different = comparable.filter(|(path, bytes)| differs(path, bytes)).map(|(path, _)| path.clone());
    let before = write::made_before(folder);
    let gone = before.into_iter().filter(|path| {
        let is_compiled = COMPILED.iter().any(|folder| path.starts_with(folder));
        is_compiled && !made.contains_key(path) && system.read(path).is_ok()
    });
    let mut paths: Vec<String> = different.chain(gone).collect();
    paths.sort();
    paths
}

fn holds_keys(path: &str) -> bool {
    path.ends_with("client/kontract.js") || path == ".kontract/server/identity.json"
}

/// Folders in which the compiler alone writes.
const COMPILED: &[&str] =
    &[".kontract/client/", ".kontract/server/src/", ".kontract/server/routes/", "dist/client/", "docs/api/"];
