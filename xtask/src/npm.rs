//! npm packages of the workspace, and the build of `npm/kontract`.

use std::fs;

use crate::error::Error;
use crate::process::{self, NODE, NODE_FIX, NPM};
use crate::tree::Tree;

/// Installs the locked packages, unless what is installed comes from the same lock.
///
/// # Errors
/// When Node.js or npm is absent or too old, or the registry cannot be reached.
pub(crate) fn install(tree: &Tree) -> Result<(), Error> {
    require_node(tree)?;
    let lock = tree.root.join("package-lock.json");
    let installed = tree.root.join("node_modules").join(INSTALLED_LOCK);
    let wanted =
        fs::read(&lock).map_err(|cause| Error::File { action: "read", path: lock.clone(), cause })?;
    if fs::read(&installed).is_ok_and(|bytes| bytes == wanted) {
        return Ok(());
    }
    process::step("npm ci", || process::run(NPM, &["ci"], &tree.root))?;
    fs::write(&installed, wanted).map_err(|cause| Error::File { action: "write", path: installed, cause })
}

/// Builds the package that applications import.
///
/// # Errors
/// As [`install`], and when the build fails.
pub(crate) fn build(tree: &Tree) -> Result<(), Error> {
    process::run(NPM, &["run", "build", "--workspace", "kontract"], &tree.root)
}

/// Runs the package's own tests, type tests included.
///
/// # Errors
/// When one fails.
pub(crate) fn test(tree: &Tree) -> Result<(), Error> {
    process::run(NPM, &["test", "--workspace", "kontract"], &tree.root)
}

fn require_node(tree: &Tree) -> Result<(), Error> {
    let found = process::output(NODE, &["--version"], &tree.root)?;
    match version(&found) {
        Some(version) if version >= NODE_VERSION_MIN => Ok(()),
        Some(_) | None => Err(Error::TooOld { program: NODE.name, found, wanted: "20.19", fix: NODE_FIX }),
    }
}

/// Major and minor of `v20.19.0`.
fn version(text: &str) -> Option<(u32, u32)> {
    let mut parts = text.strip_prefix('v')?.split('.');
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

/// The oldest Node.js that Vite 8 runs on.
const NODE_VERSION_MIN: (u32, u32) = (20, 19);
/// A copy of the lock that `node_modules` was installed from. `npm ci` begins by deleting the folder and this file with
/// it, so an interrupted installation is repeated.
const INSTALLED_LOCK: &str = ".kontract-installed-lock.json";

#[cfg(test)]
mod tests {
    use super::{NODE_VERSION_MIN, version};

    #[test]
    fn versions_compare_as_numbers() {
        assert_eq!(version("v20.19.5"), Some((20, 19)));
        assert!(version("v22.2.0") >= Some(NODE_VERSION_MIN));
        assert!(version("v20.9.0") < Some(NODE_VERSION_MIN));
    }

    #[test]
    fn what_is_no_version_is_refused() {
        for text in ["", "20.19.0", "v20", "vx.y"] {
            assert_eq!(version(text), None, "{text}");
        }
    }
}
