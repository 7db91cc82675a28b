//! Programs that come from npm with the `kontract` package.

use crate::cli::error::CliError;
use std::path::{Path, PathBuf};

/// Finds `node_modules/<path>` in the project's folder or one above it.
///
/// # Errors
/// When no folder has it.
pub fn find(project: &Path, path: &str) -> Result<PathBuf, CliError> {
    let start = project.canonicalize().map_err(|error| {
        CliError::environment(
            format!("{}: {error}", project.display()),
            "give the project's folder with --project",
        )
    })?;
    start
        .ancestors()
        .map(|folder| folder.join("node_modules").join(path))
        .find(|found| found.exists())
        .ok_or_else(|| {
            CliError::environment(
                format!("node_modules/{path} was not found in {} or above it", start.display()),
                "run `npm install` in the project",
            )
        })
}

/// Finds workerd itself; what `node_modules/.bin` has is a script that starts it.
///
/// # Errors
/// When it is not installed, or there is none for this machine.
pub fn workerd(project: &Path) -> Result<PathBuf, CliError> {
    find(project, &format!("@cloudflare/workerd-{}/bin/workerd", platform()?))
}

/// The suffix of workerd's npm package for this machine.
fn platform() -> Result<&'static str, CliError> {
    match (std::env::consts::OS, std::env::consts::ARCH) {
        ("linux", "x86_64") => Ok("linux-64"),
        ("linux", "aarch64") => Ok("linux-arm64"),
        ("macos", "x86_64") => Ok("darwin-64"),
        ("macos", "aarch64") => Ok("darwin-arm64"),
        (system, machine) => Err(CliError::environment(
            format!("there is no workerd for {system} on {machine}"),
            "use Linux or macOS on x86-64 or ARM",
        )),
    }
}

/// `PATH` with every `node_modules/.bin` from the project upwards in front, as npm sets it for scripts.
pub fn search_path(project: &Path) -> std::ffi::OsString {
    let start = project.canonicalize().unwrap_or_else(|_| project.to_owned());
    let mut folders: Vec<PathBuf> =
        start.ancestors().map(|folder| folder.join("node_modules/.bin")).collect();
    folders.extend(std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()));
    std::env::join_paths(folders).unwrap_or_else(|_| std::env::var_os("PATH").unwrap_or_default())
}
