//! Lays the tree that TypeScript checks on disk, in `.kontract/.check/tree`: few files, and links to everything else.
//!
//! The folder's name starts with a dot so that an `include` of `.kontract` in the user's configuration does not take the
//! tree for sources.

use super::error::CliError;
use super::write;
use crate::artifact::Artifacts;
use crate::typecheck::Shadow;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};

/// The tree of one project, while it is this process's alone.
pub(super) struct Tree {
    root: PathBuf,
    /// The folder that the tree mirrors: the project's, or that of the workspace around it.
    mirrored: PathBuf,
    /// The project's path in either.
    project: String,
    root_text: String,
    mirrored_text: String,
    /// Held until the tree is no longer used; another process waits for it.
    _lock: std::fs::File,
}

impl Tree {
    /// Waits until no other process uses the project's tree.
    ///
    /// # Errors
    /// When `.kontract` cannot be written or leads out of the project.
    pub(super) fn open(project: &Path) -> Result<Self, CliError> {
        let project = project.canonicalize().map_err(|error| refused(project, &error))?;
        let home = project.join(HOME);
        write::stay_inside(&project, &home)?;
        std::fs::create_dir_all(&home).map_err(|error| refused(&home, &error))?;
        let lock = std::fs::File::create(home.join("lock")).map_err(|error| refused(&home, &error))?;
        lock.lock().map_err(|error| refused(&home, &error))?;
        let mirrored = workspace(&project);
        let below = project.strip_prefix(&mirrored).unwrap_or(Path::new(""));
        let root = home.join("tree");
        Ok(Self {
            root_text: root.display().to_string(),
            mirrored_text: mirrored.display().to_string(),
            project: below.to_string_lossy().into_owned(),
            root,
            mirrored,
            _lock: lock,
        })
    }

    /// The top of the tree.
    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    /// The project's path in the tree.
    pub(super) fn project(&self) -> &str {
        &self.project
    }

    /// A path of the project in the tree.
    pub(super) fn path(&self, path: &str) -> String {
        if self.project.is_empty() { path.to_owned() } else { format!("{}/{path}", self.project) }
    }

    /// How messages spell the tree and what it mirrors.
    pub(super) fn spellings(&self) -> (&str, &str) {
        (&self.root_text, &self.mirrored_text)
    }

    /// The user's file at a path of the tree, or at an absolute one.
    pub(super) fn read(&self, path: &str) -> Option<String> {
        std::fs::read_to_string(self.mirrored.join(path)).ok()
    }

    /// The declarations that the tree has from the last check.
    pub(super) fn declared(&self) -> Artifacts {
        let mut found = Artifacts::new();
        // A tree that cannot be read is laid anew.
        let _unread = collect(&self.root.join(self.path(".kontract")), ".kontract", &mut found);
        found
    }

    /// Makes the tree be what the plan says, and leaves alone what already is.
    ///
    /// # Errors
    /// When the file system refuses.
    pub(super) fn lay(&self, shadow: &Shadow) -> Result<(), CliError> {
        let mut top = BTreeMap::new();
        for (path, bytes) in shadow.files() {
            insert(&mut top, path, bytes);
        }
        self.lay_folder(shadow, "", &top).map_err(|error| refused(&self.root, &error))
    }

    fn lay_folder(&self, shadow: &Shadow, folder: &str, planned: &Folder<'_>) -> io::Result<()> {
        let target = self.root.join(folder);
        std::fs::create_dir_all(&target)?;
        let links =
            if shadow.is_sealed(folder) { BTreeSet::new() } else { names(&self.mirrored.join(folder))? };
        for name in
            names(&target)?.iter().filter(|name| !planned.contains_key(*name) && !links.contains(*name))
        {
            remove(&target.join(name))?;
        }
        for name in
            links.iter().filter(|name| !planned.contains_key(*name) && !UNLINKED.contains(&name.as_str()))
        {
            link(&self.mirrored.join(folder).join(name), &target.join(name))?;
        }
        for (name, node) in planned {
            let path = target.join(name);
            match node {
                Node::Folder(below) => {
                    if !path.symlink_metadata().is_ok_and(|found| found.is_dir()) {
                        remove(&path)?;
                    }
                    let folder = if folder.is_empty() { name.clone() } else { format!("{folder}/{name}") };
                    self.lay_folder(shadow, &folder, below)?;
                }
                Node::File(bytes) => put(&path, bytes)?,
            }
        }
        Ok(())
    }
}

type Folder<'a> = BTreeMap<String, Node<'a>>;

enum Node<'a> {
    Folder(Folder<'a>),
    File(&'a [u8]),
}

fn insert<'a>(folder: &mut Folder<'a>, path: &str, bytes: &'a [u8]) {
    match path.split_once('/') {
        None => {
            folder.insert(path.to_owned(), Node::File(bytes));
        }
        Some((name, rest)) => {
            let below = folder.entry(name.to_owned()).or_insert_with(|| Node::Folder(Folder::new()));
            if let Node::Folder(below) = below {
                insert(below, rest, bytes);
            }
        }
    }
}

/// The outermost folder that looks as if configuration in it was meant for the project, up to that of version control.
fn workspace(project: &Path) -> PathBuf {
    let mut found = project;
    for folder in project.ancestors() {
        if WORKSPACE_FILES.iter().any(|name| folder.join(name).exists()) {
            found = folder;
        }
        if folder.join(".git").exists() {
            return folder.to_owned();
        }
    }
    found.to_owned()
}

/// The names in a folder; those that are not UTF-8 are no modules.
fn names(folder: &Path) -> io::Result<BTreeSet<String>> {
    let entries = match std::fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(BTreeSet::new()),
        entries => entries?,
    };
    let names = entries.map(|entry| Ok(entry?.file_name().into_string().ok()));
    names.filter_map(Result::transpose).collect()
}

fn link(from: &Path, at: &Path) -> io::Result<()> {
    if std::fs::read_link(at).is_ok_and(|present| present == from) {
        return Ok(());
    }
    remove(at)?;
    std::os::unix::fs::symlink(from, at)
}

fn put(at: &Path, bytes: &[u8]) -> io::Result<()> {
    let is_file = at.symlink_metadata().is_ok_and(|found| found.is_file());
    if is_file && std::fs::read(at)? == bytes {
        return Ok(());
    }
    if !is_file {
        remove(at)?;
    }
    std::fs::write(at, bytes)
}

/// Removes an entry of the tree, if it is there; what a link leads to stays.
fn remove(at: &Path) -> io::Result<()> {
    match at.symlink_metadata() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
        Ok(found) if found.is_dir() => std::fs::remove_dir_all(at),
        Ok(_) => std::fs::remove_file(at),
    }
}

fn collect(folder: &Path, prefix: &str, found: &mut Artifacts) -> io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let path = format!("{prefix}/{}", entry.file_name().to_string_lossy());
        if entry.file_type()?.is_dir() {
            collect(&entry.path(), &path, found)?;
        } else {
            found.insert(path, std::fs::read(entry.path())?);
        }
    }
    Ok(())
}

fn refused(path: &Path, error: &io::Error) -> CliError {
    CliError::environment(
        format!("{} cannot be written: {error}", path.display()),
        "check the free space and the folder's permissions",
    )
}

/// Where the tree is, and beside it what TypeScript keeps for the next check.
const HOME: &str = ".kontract/.check";
/// Never part of a program.
const UNLINKED: &[&str] = &[".git", ".kontract"];
const WORKSPACE_FILES: &[&str] =
    &["package.json", "pnpm-workspace.yaml", "tsconfig.json", "tsconfig.base.json"];
