//! The compiler's only view of files: [`System`], and [`MemorySystem`] for tests.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::source::{Reader, lexical_path};

/// Files of a project, by path relative to its folder, `/`-separated.
pub trait System: Sync {
    /// The whole content of a file.
    ///
    /// # Errors
    /// When it does not exist, cannot be read, is too large, or lies outside of the project.
    fn read(&self, path: &str) -> Result<Vec<u8>, SystemError>;

    /// Every file below a folder, as paths relative to the project, in order; `skip` names folders not to enter.
    /// A link is followed once, and never out of the project.
    ///
    /// # Errors
    /// When the folder does not exist or cannot be read.
    fn list(&self, folder: &str, skip: &[&str]) -> Result<Vec<String>, SystemError>;

    /// What changes when a file's content does, cheaper to have than the content; `None` where there is no such thing.
    fn stamp(&self, _path: &str) -> Option<Stamp> {
        None
    }

    /// [`Self::read`], with the stamp that the file had before it was read.
    ///
    /// # Errors
    /// As [`Self::read`].
    fn read_stamped(&self, path: &str) -> Result<(Vec<u8>, Option<Stamp>), SystemError> {
        let stamp = self.stamp(path);
        Ok((self.read(path)?, stamp))
    }

    /// What packages have: the same files, and beyond the project, read-only, those of the workspace that it is part of.
    fn packages(&self) -> Arc<dyn Reader>;
}

/// What a file system says about a file without reading it. Times are nanoseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Stamp {
    /// Bytes.
    pub len: u64,
    /// When the content was written.
    pub modified_ns: i64,
    /// When anything about the file changed.
    pub changed_ns: i64,
    /// Which file it is.
    pub inode: u64,
    /// And where.
    pub device: u64,
}

/// Why a file or folder could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SystemError {
    /// There is nothing of that name.
    #[error("it does not exist")]
    NotFound,
    /// Its size in bytes is above [`FILE_BYTES_MAX`].
    #[error("it has {0} bytes, more than {FILE_BYTES_MAX}")]
    TooLarge(u64),
    /// It leads out of the project's folder.
    #[error("it leads out of the project")]
    Outside,
    /// The operating system's own words.
    #[error("{0}")]
    Io(String),
}

/// The most bytes a source file may have.
pub const FILE_BYTES_MAX: u64 = 8 * 1024 * 1024;

/// Files in memory.
#[derive(Debug, Clone, Default)]
pub struct MemorySystem {
    files: Arc<BTreeMap<String, Vec<u8>>>,
}

impl MemorySystem {
    /// Takes `(path, content)` pairs.
    pub fn new<P: Into<String>, C: Into<Vec<u8>>>(files: impl IntoIterator<Item = (P, C)>) -> Self {
        let files = files.into_iter().map(|(path, content)| (path.into(), content.into())).collect();
        Self { files: Arc::new(files) }
    }
}

impl System for MemorySystem {
    fn read(&self, path: &str) -> Result<Vec<u8>, SystemError> {
        let content = self.files.get(path).ok_or(SystemError::NotFound)?;
        let len = content.len() as u64;
        if len > FILE_BYTES_MAX { Err(SystemError::TooLarge(len)) } else { Ok(content.clone()) }
    }

    fn list(&self, folder: &str, skip: &[&str]) -> Result<Vec<String>, SystemError> {
        let prefix = if folder.is_empty() { String::new() } else { format!("{folder}/") };
        let below = self.files.keys().filter(|path| path.starts_with(&prefix));
        let wanted = below.filter(|path| {
            let folders = path[prefix.len()..].rsplit_once('/').map_or("", |(folders, _)| folders);
            !folders.split('/').any(|name| skip.contains(&name))
        });
        let paths: Vec<String> = wanted.cloned().collect();
        if paths.is_empty() { Err(SystemError::NotFound) } else { Ok(paths) }
    }

    fn packages(&self) -> Arc<dyn Reader> {
        Arc::new(self.clone())
    }
}

impl Reader for MemorySystem {
    fn read(&self, path: &str) -> Option<String> {
        String::from_utf8(System::read(self, path).ok()?).ok()
    }

    fn real(&self, path: &str) -> Option<String> {
        Some(lexical_path(path)).filter(|path| self.files.contains_key(path))
    }

    fn folders(&self, path: &str) -> Vec<String> {
        let prefix = format!("{}/", lexical_path(path));
        let below = self.files.keys().filter_map(|file| file.strip_prefix(&prefix)?.split_once('/'));
        let names: BTreeSet<&str> = below.map(|(name, _)| name).collect();
        names.into_iter().map(str::to_owned).collect()
    }
}
