//! Programs that come from npm with the `kontract` package.

use crate::cli::error::CliError;
use std::path::{Path, PathBuf};

/// Finds `node_modules/<path>` in the project's folder or one above it.
///
/// # Errors
/// When no folder has it.
pub fn find(project: &Path, path: &str) -> Result<PathBuf, CliError> {
    let start = start(project)?;
    installed(&start, path).ok_or_else(|| missing(path, &start))
}

/// Finds esbuild itself, or for a machine that is not listed here the script that looks for it.
///
/// # Errors
/// When it is not installed.
pub fn esbuild(project: &Path) -> Result<PathBuf, CliError> {
    let platform = match (std::env::consts::OS, std::env::consts::ARCH) {
        ("linux", "x86_64") => Some("linux-x64"),
        ("linux", "aarch64") => Some("linux-arm64"),
        ("macos", "x86_64") => Some("darwin-x64"),
        ("macos", "aarch64") => Some("darwin-arm64"),
        _ => None,
    };
    let own = platform
        .and_then(|platform| needed(project, "esbuild", &format!("@esbuild/{platform}/bin/esbuild")).ok());
    own.map_or_else(|| needed(project, "esbuild", "esbuild/bin/esbuild"), Ok)
}

/// Finds workerd itself; the package `workerd` is a script that starts it.
///
/// # Errors
/// When it is not installed, or there is none for this machine.
pub fn workerd(project: &Path) -> Result<PathBuf, CliError> {
    needed(project, "workerd", &format!("@cloudflare/workerd-{}/bin/workerd", platform()?))
}

/// Finds a file that the package `kontract` needs by way of `package`: where that finds it, as pnpm puts what a package needs
/// beside it and nowhere else; otherwise where the project would.
fn needed(project: &Path, package: &str, path: &str) -> Result<PathBuf, CliError> {
    let start = start(project)?;
    let beside = |from: &Path, path: &str| installed(from, path).and_then(|found| found.canonicalize().ok());
    beside(&start, "kontract")
        .and_then(|kontract| beside(&kontract, package))
        .and_then(|package| installed(&package, path))
        .or_else(|| installed(&start, path))
        .ok_or_else(|| missing(path, &start))
}

fn start(project: &Path) -> Result<PathBuf, CliError> {
    project.canonicalize().map_err(|error| {
        CliError::environment(
            format!("{}: {error}", project.display()),
            "give the project's folder with --project",
        )
    })
}

/// What a module in this folder means by a path below `node_modules`.
fn installed(from: &Path, path: &str) -> Option<PathBuf> {
    from.ancestors().map(|folder| folder.join("node_modules").join(path)).find(|found| found.exists())
}

fn missing(path: &str, start: &Path) -> CliError {
    CliError::environment(
        format!(
            "node_modules/{path} was not found in {} or above it, nor beside the package kontract",
            start.display()
        ),
        "install the project's packages, `kontract` among them, such as with `npm install`",
    )
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

#[cfg(test)]
mod tests {
    use super::{find, workerd};
    use std::os::unix::fs::symlink;

    #[test]
    fn what_pnpm_puts_beside_a_package_is_found() {
        let folder = tempfile::tempdir().expect("a folder");
        let root = folder.path().canonicalize().expect("it exists");
        let store = root.join("app/node_modules/.pnpm");
        let platform =
            format!("@cloudflare/workerd-{}", super::platform().expect("a machine of those known"));
        for package in ["kontract@1/node_modules/kontract", "workerd@1/node_modules/workerd"] {
            std::fs::create_dir_all(store.join(package)).expect("create");
        }
        let binary = store.join("workerd@1/node_modules").join(platform).join("bin");
        std::fs::create_dir_all(&binary).expect("create");
        std::fs::write(binary.join("workerd"), "").expect("write");
        let link = |to: &str, from: &str| symlink(to, store.join(from)).expect("link");
        link("../../workerd@1/node_modules/workerd", "kontract@1/node_modules/workerd");
        assert!(workerd(&root.join("app")).is_err(), "nothing leads there yet");
        link(".pnpm/kontract@1/node_modules/kontract", "../kontract");
        assert_eq!(workerd(&root.join("app")).ok(), Some(binary.join("workerd")));
        assert!(find(&root.join("app"), "workerd").is_err(), "it is none of the project's own");
    }
}
