//! The compiler's view of files, on the operating system.

use super::error::CliError;
use crate::project::SKIPPED_FOLDERS;
use crate::system::{FILE_BYTES_MAX, System, SystemError};
use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

/// Files below a project's folder.
#[derive(Debug)]
pub struct OsSystem {
    root: PathBuf,
}

impl OsSystem {
    /// The files below `project`.
    ///
    /// # Errors
    /// When there is no such folder.
    pub fn new(project: &Path) -> Result<Self, CliError> {
        let root = project.canonicalize().map_err(|error| {
            CliError::environment(
                format!("{}: {error}", project.display()),
                "give the project's folder with --project",
            )
        })?;
        Ok(Self { root })
    }

    /// Paths of TypeScript's configurations below a folder; none when it cannot be read.
    pub(super) fn configurations(&self, folder: &str) -> Vec<String> {
        let files = self.list(folder, SKIPPED_FOLDERS).unwrap_or_default();
        files.into_iter().filter(|path| path.ends_with("/tsconfig.json")).collect()
    }

    /// The real path behind one of the project's; links may not lead out of it.
    fn real(&self, path: &str) -> Result<PathBuf, SystemError> {
        let real = self.root.join(path).canonicalize().map_err(system_error)?;
        if real.starts_with(&self.root) { Ok(real) } else { Err(SystemError::Outside) }
    }
}

impl System for OsSystem {
    fn read(&self, path: &str) -> Result<Vec<u8>, SystemError> {
        let real = self.real(path)?;
        let len = std::fs::metadata(&real).map_err(system_error)?.len();
        if len > FILE_BYTES_MAX {
            return Err(SystemError::TooLarge(len));
        }
        std::fs::read(real).map_err(system_error)
    }

    fn list(&self, folder: &str, skip: &[&str]) -> Result<Vec<String>, SystemError> {
        let mut listing = Listing { system: self, skip, entered: BTreeSet::new(), files: Vec::new() };
        listing.enter(folder)?;
        listing.files.sort();
        Ok(listing.files)
    }
}

/// A walk through folders; a folder that is reached twice, as in a loop of links, is entered once.
struct Listing<'s> {
    system: &'s OsSystem,
    skip: &'s [&'s str],
    entered: BTreeSet<PathBuf>,
    files: Vec<String>,
}

impl Listing<'_> {
    fn enter(&mut self, folder: &str) -> Result<(), SystemError> {
        let real = self.system.real(folder)?;
        if !self.entered.insert(real.clone()) {
            return Ok(());
        }
        for entry in std::fs::read_dir(real).map_err(system_error)? {
            let entry = entry.map_err(system_error)?;
            let name = entry.file_name();
            let name = name.to_str().ok_or_else(|| {
                SystemError::Io(format!("the name {} is not UTF-8", entry.path().display()))
            })?;
            let path = if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") };
            if !entry.path().is_dir() {
                self.files.push(path);
            } else if !self.skip.contains(&name) {
                self.enter(&path)?;
            }
        }
        Ok(())
    }
}

fn system_error(error: io::Error) -> SystemError {
    match error.kind() {
        io::ErrorKind::NotFound => SystemError::NotFound,
        _ => SystemError::Io(error.to_string()),
    }
}
