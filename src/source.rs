//! The project's source texts and positions in them.
//!
//! Owns [`Sources`], the only place where a [`FileId`] is made. Knows nothing of syntax, and of the file system only that
//! some [`Reader`] has texts.

use std::fmt;
use std::ops::Deref;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use elsa::sync::{FrozenMap, FrozenVec};
use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

/// A source file of the project, by its place in [`Sources`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct FileId(u32);

/// A range of bytes in one source file; `end` is exclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Location {
    /// The file.
    pub file: FileId,
    /// Byte offset of the first byte.
    pub start: u32,
    /// Byte offset behind the last byte.
    pub end: u32,
}

/// One source file: its path relative to the project, with `/`, and its text.
#[derive(Debug, Clone)]
pub struct SourceFile {
    /// Path relative to the project folder, `/`-separated: `src/api/entries.ts`. Files of packages may lie above it:
    /// `../node_modules/pg/index.d.ts`.
    pub path: String,
    /// The text as read, a byte order mark included.
    pub text: Text,
}

/// A text, perhaps one that is read only when somebody looks at it.
#[derive(Clone)]
pub struct Text {
    read: OnceLock<Arc<String>>,
    from: Option<(Arc<dyn Reader>, String)>,
}

/// Reads files that nobody may ask for.
pub trait Reader: Send + Sync {
    /// The text of a file of the project, or of a package it can import; `None` when it cannot be read as text.
    fn read(&self, path: &str) -> Option<String>;

    /// Where a file really lies, links followed, in the form of [`SourceFile::path`]; `None` when there is no such file.
    fn real(&self, path: &str) -> Option<String>;

    /// The names of the folders in a folder, links to folders included, in order; none where there is no such folder.
    fn folders(&self, path: &str) -> Vec<String>;
}

impl Text {
    /// A text to be read from `path`; empty when that fails.
    pub fn on_demand(reader: Arc<dyn Reader>, path: String) -> Self {
        Self { read: OnceLock::new(), from: Some((reader, path)) }
    }

    /// Takes over what another one has read, which has to be the same, and need not be read again.
    pub(crate) fn share(&self, read: &Self) {
        if let Some(read) = read.read.get() {
            // Whoever came first read the same.
            let _known: Result<(), Arc<String>> = self.read.set(Arc::clone(read));
        }
    }
}

impl Deref for Text {
    type Target = str;

    fn deref(&self) -> &str {
        self.read.get_or_init(|| {
            let text = self.from.as_ref().and_then(|(reader, path)| reader.read(path));
            Arc::new(text.unwrap_or_default())
        })
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Self { read: OnceLock::from(Arc::new(text)), from: None }
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.read.get().fmt(f)
    }
}

/// A line and a column, both counted from 1; the column counts characters, not bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LineColumn {
    /// Line, from 1.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
}

/// Every source text of one compilation, the project's ordered by path, so that ids do not depend on how the folder was
/// listed. Clones share their files; those of packages are added while types are followed, in the order of being asked for.
#[derive(Clone, Default)]
pub struct Sources(Arc<Files>);

#[derive(Default)]
struct Files {
    /// Those of the project.
    project: Vec<SourceFile>,
    by_path: FxHashMap<String, FileId>,
    reader: Option<Arc<dyn Reader>>,
    /// Those of packages; their ids follow the project's.
    packages: FrozenVec<Box<SourceFile>>,
    packages_by_path: FrozenMap<String, Box<FileId>>,
    /// Whether there may be any of these.
    has_packages: AtomicBool,
}

impl Sources {
    /// Takes the project's files in any order.
    pub fn new(files: impl IntoIterator<Item = SourceFile>) -> Self {
        Self::made(files, None)
    }

    /// [`Self::new`], and what packages have.
    pub fn with_packages(files: impl IntoIterator<Item = SourceFile>, packages: Arc<dyn Reader>) -> Self {
        Self::made(files, Some(packages))
    }

    fn made(files: impl IntoIterator<Item = SourceFile>, reader: Option<Arc<dyn Reader>>) -> Self {
        let mut project: Vec<SourceFile> = files.into_iter().collect();
        project.sort_by(|a, b| a.path.cmp(&b.path));
        project.dedup_by(|a, b| a.path == b.path);
        let by_path = project.iter().zip(0..).map(|(file, id)| (file.path.clone(), FileId(id))).collect();
        Self(Arc::new(Files { project, by_path, reader, ..Files::default() }))
    }

    /// The file behind an id.
    pub fn file(&self, id: FileId) -> &SourceFile {
        let place = id.0 as usize;
        match self.0.project.get(place) {
            Some(file) => file,
            None => {
                let file = self.0.packages.get(place - self.0.project.len());
                file.expect("invariant: ids are made here")
            }
        }
    }

    /// The id of a path relative to the project.
    pub fn id(&self, path: &str) -> Option<FileId> {
        let of_package = || {
            // Most paths that are tried are of no file, and asking a map that grows takes a lock.
            let any = self.0.has_packages.load(Ordering::Acquire);
            any.then(|| self.0.packages_by_path.get(path).copied()).flatten()
        };
        self.0.by_path.get(path).copied().or_else(of_package)
    }

    /// The project's files, in the order of their paths.
    pub fn iter(&self) -> impl Iterator<Item = (FileId, &SourceFile)> {
        self.0.project.iter().zip(0..).map(|(file, id)| (FileId(id), file))
    }

    /// The files of packages so far, in the order of their ids.
    pub fn of_packages(&self) -> impl Iterator<Item = &SourceFile> {
        self.0.packages.iter()
    }

    /// Whether a file is one of a package.
    pub fn is_of_package(&self, id: FileId) -> bool {
        id.0 as usize >= self.0.project.len()
    }

    /// What reads the files of packages, if anything does.
    pub fn packages(&self) -> Option<&Arc<dyn Reader>> {
        self.0.reader.as_ref()
    }

    /// The id of a package's file, which is read when somebody looks at it. Where this is called by several threads, ids
    /// depend on which comes first.
    pub fn add(&self, path: &str) -> Option<FileId> {
        let reader = self.packages()?;
        if let Some(id) = self.id(path) {
            return Some(id);
        }
        self.0.has_packages.store(true, Ordering::Release);
        let text = Text::on_demand(Arc::clone(reader), path.to_owned());
        let place = self.0.packages.push_get_index(Box::new(SourceFile { path: path.to_owned(), text }));
        let id = FileId(u32::try_from(self.0.project.len() + place).ok()?);
        Some(*self.0.packages_by_path.insert(path.to_owned(), Box::new(id)))
    }

    /// The number of the project's files.
    pub fn len(&self) -> usize {
        self.0.project.len()
    }

    /// Whether there is no file.
    pub fn is_empty(&self) -> bool {
        self.0.project.is_empty()
    }

    /// The text of a range.
    pub fn slice(&self, at: Location) -> &str {
        let text: &str = &self.file(at.file).text;
        text.get(at.start as usize..at.end as usize).unwrap_or("")
    }

    /// Where a range starts, for people.
    pub fn line_column(&self, at: Location) -> LineColumn {
        let text: &str = &self.file(at.file).text;
        let before = text.get(..at.start as usize).unwrap_or(text);
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
        let column = before[line_start..].chars().count() + 1;
        LineColumn {
            line: u32::try_from(line).unwrap_or(u32::MAX),
            column: u32::try_from(column).unwrap_or(u32::MAX),
        }
    }
}

impl fmt::Debug for Sources {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter().map(|(_, file)| &file.path)).finish()
    }
}

/// A path without `.` and empty parts, in which `..` stands only at the start: `../../packages/a/b.ts`.
pub fn lexical_path(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.join("/")
}

/// A path without `.`, `..` and empty parts; `None` when it leads above its start.
pub fn normalize_path(path: &str) -> Option<String> {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{Reader, SourceFile, Sources, lexical_path, normalize_path};

    #[test]
    fn files_of_packages_follow_those_of_the_project() {
        struct Packages;
        impl Reader for Packages {
            fn read(&self, path: &str) -> Option<String> {
                Some(format!("read {path}"))
            }
            fn real(&self, path: &str) -> Option<String> {
                Some(path.to_owned())
            }
            fn folders(&self, _: &str) -> Vec<String> {
                Vec::new()
            }
        }
        let own = SourceFile { path: "src/a.ts".to_owned(), text: "own".to_owned().into() };
        let sources = Sources::with_packages([own], Arc::new(Packages));
        let id = sources.add("../node_modules/p/index.d.ts").expect("there are packages");
        assert_eq!(sources.add("../node_modules/p/index.d.ts"), Some(id));
        assert_eq!(&*sources.file(id).text, "read ../node_modules/p/index.d.ts");
        assert!(sources.is_of_package(id) && sources.iter().count() == 1);
        assert_eq!(sources.add("src/a.ts"), sources.id("src/a.ts"));
    }

    #[test]
    fn lexical_paths_may_lead_above_their_start() {
        assert_eq!(lexical_path("a/../../b/./c/../d"), "../b/d");
        assert_eq!(lexical_path("../../x"), "../../x");
    }

    #[test]
    fn paths_do_not_lead_above_their_start() {
        assert_eq!(normalize_path("a/./b/../c"), Some("a/c".to_owned()));
        assert_eq!(normalize_path("../x"), None);
    }
}
