//! The project's files on disk, as the compiler's [`System`].
//!
//! Nothing outside of the project's folder is read: a link is followed only when it leads to somewhere inside, and a
//! folder is entered once, whatever links lead to it.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use kontract::system::{FILE_BYTES_MAX, System, SystemError};

/// Files below one folder.
#[derive(Debug, Clone)]
pub struct OsSystem {
    /// The project's folder, links resolved.
    root: PathBuf,
}

impl OsSystem {
    /// The files below `project`.
    ///
    /// # Errors
    /// When the folder does not exist.
    pub fn new(project: &Path) -> io::Result<Self> {
        Ok(Self { root: project.canonicalize()? })
    }

    /// The project's folder, links resolved.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The real path of a project-relative one, when it is inside of the project.
    fn real(&self, path: &str) -> Result<PathBuf, SystemError> {
        let real = self.root.join(path).canonicalize().map_err(|error| system_error(&error))?;
        if real.starts_with(&self.root) { Ok(real) } else { Err(SystemError::Outside) }
    }

    fn walk(&self, folder: &str, skip: &[&str], walk: &mut Walk) -> Result<(), SystemError> {
        let real = self.real(folder)?;
        if !walk.entered.insert(real.clone()) {
            return Ok(());
        }
        let mut names = Vec::new();
        for entry in fs::read_dir(&real).map_err(|error| system_error(&error))? {
            let entry = entry.map_err(|error| system_error(&error))?;
            // Names that are not UTF-8 cannot be imported either.
            names.extend(entry.file_name().into_string());
        }
        names.sort();
        for name in names {
            let path = if folder.is_empty() { name.clone() } else { format!("{folder}/{name}") };
            match self.real(&path) {
                Ok(real) if real.is_dir() && skip.contains(&name.as_str()) => {}
                Ok(real) if real.is_dir() => self.walk(&path, skip, walk)?,
                Ok(_) => walk.files.push(path),
                // Links out of the project and dangling ones are not part of it.
                Err(_) => {}
            }
        }
        Ok(())
    }
}

impl System for OsSystem {
    fn read(&self, path: &str) -> Result<Vec<u8>, SystemError> {
        let file = fs::File::open(self.real(path)?).map_err(|error| system_error(&error))?;
        let len = file.metadata().map_err(|error| system_error(&error))?.len();
        let mut content = Vec::new();
        // The file may grow between the two calls.
        file.take(FILE_BYTES_MAX + 1).read_to_end(&mut content).map_err(|error| system_error(&error))?;
        if content.len() as u64 > FILE_BYTES_MAX { Err(SystemError::TooLarge(len)) } else { Ok(content) }
    }

    fn list(&self, folder: &str, skip: &[&str]) -> Result<Vec<String>, SystemError> {
        let mut walk = Walk::default();
        self.walk(folder, skip, &mut walk)?;
        walk.files.sort();
        Ok(walk.files)
    }
}

/// What a walk has seen.
#[derive(Default)]
struct Walk {
    entered: BTreeSet<PathBuf>,
    files: Vec<String>,
}

fn system_error(error: &io::Error) -> SystemError {
    match error.kind() {
        io::ErrorKind::NotFound => SystemError::NotFound,
        _ => SystemError::Io(error.to_string()),
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::OsSystem;
    use kontract::system::{System, SystemError};

    #[test]
    fn links_lead_neither_out_nor_in_circles() {
        let folder = tempfile::tempdir().expect("a folder");
        let project = folder.path().join("app");
        fs::create_dir_all(project.join("src/node_modules")).expect("created");
        fs::write(folder.path().join("secret.ts"), "secret").expect("written");
        fs::write(project.join("src/a.ts"), "a").expect("written");
        fs::write(project.join("src/node_modules/b.ts"), "b").expect("written");
        symlink(&project, project.join("src/circle")).expect("linked");
        symlink(folder.path().join("secret.ts"), project.join("src/secret.ts")).expect("linked");

        let system = OsSystem::new(&project).expect("it exists");
        assert_eq!(system.list("src", &["node_modules"]), Ok(vec!["src/a.ts".to_owned()]));
        assert_eq!(system.read("src/a.ts"), Ok(b"a".to_vec()));
        assert_eq!(system.read("src/secret.ts"), Err(SystemError::Outside));
        assert_eq!(system.read("../secret.ts"), Err(SystemError::Outside));
        assert_eq!(system.read("src/none.ts"), Err(SystemError::NotFound));
        assert_eq!(system.list("none", &[]), Err(SystemError::NotFound));
    }
}
