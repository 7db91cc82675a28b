//! Whether files are as they were, by what the file system says of them.

use super::cache_folder::CacheFolder;
use super::os_system::OsSystem;
use crate::recheck::{SETTLED_NS, Store as _};
use crate::system::{Stamp, System as _};
use rayon::iter::{IntoParallelRefIterator as _, ParallelIterator as _};
use std::collections::{BTreeMap, BTreeSet};

/// The stamps of some files.
pub(super) struct Stamps(BTreeMap<String, Option<Stamp>>);

impl Stamps {
    /// Those of paths below the project. Nobody but this process writes the `made` ones; of others, what changes twice within one
    /// step of the file system's clock has one stamp.
    pub(super) fn of(paths: BTreeSet<String>, made: &BTreeSet<&str>, system: &OsSystem) -> Self {
        let now_ns = CacheFolder::of(system).now_ns();
        let settled = |path: &str, stamp: &Stamp| {
            made.contains(path)
                || stamp.modified_ns.max(stamp.changed_ns).saturating_add(SETTLED_NS) <= now_ns
        };
        let stamped = |path: String| {
            let stamp = system.stamp(&path).filter(|stamp| settled(&path, stamp));
            (path, stamp)
        };
        Self(paths.into_iter().map(stamped).collect())
    }

    /// Takes what this process has written since.
    pub(super) fn renew<'p>(&mut self, paths: impl Iterator<Item = &'p String>, system: &OsSystem) {
        self.0.extend(paths.map(|path| (path.clone(), system.stamp(path))));
    }

    /// Whether a file is one of them.
    pub(super) fn has(&self, path: &str) -> bool {
        self.0.contains_key(path)
    }

    pub(super) fn hold(&self, system: &OsSystem) -> bool {
        self.0.par_iter().all(|(path, stamp)| system.stamp(path) == *stamp)
    }
}

/// What esbuild looks at when it takes these modules.
pub(super) fn read_by_esbuild<'i>(inputs: impl Iterator<Item = &'i str> + Clone) -> BTreeSet<String> {
    let packages = inputs.clone().filter_map(manifest_of);
    inputs.map(str::to_owned).chain(packages).chain(READ_BY_ESBUILD.map(str::to_owned)).collect()
}

/// `node_modules/@a/b/c/d.js` → `node_modules/@a/b/package.json`
fn manifest_of(input: &str) -> Option<String> {
    let start = input.rfind(PACKAGES)? + PACKAGES.len();
    let parts = if input[start..].starts_with('@') { 2 } else { 1 };
    let name = input[start..].split('/').take(parts).collect::<Vec<_>>().join("/");
    Some(format!("{}{name}/package.json", &input[..start]))
}

const PACKAGES: &str = "node_modules/";
/// What esbuild looks at besides modules.
const READ_BY_ESBUILD: [&str; 2] = ["package.json", "node_modules/.package-lock.json"];
