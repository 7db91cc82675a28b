//! The compiler's view of files, on the operating system.

use super::error::CliError;
use crate::project::SKIPPED_FOLDERS;
use crate::source::Reader;
use crate::system::{FILE_BYTES_MAX, Stamp, System, SystemError};
use rayon::iter::{IntoParallelRefIterator, ParallelIterator};
use rustix::fs::OFlags;
use rustix::io::Errno;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, Read as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// Files below a project's folder. Everything that the compiler reads, it reads through this, and it writes nothing.
#[derive(Debug, Clone)]
pub struct OsSystem {
    root: PathBuf,
    /// The folder of the workspace that the project is part of, or its own. Types may be read up to there.
    workspace: PathBuf,
    /// Where folders of the project really are, as far as somebody asked.
    folders: Arc<Mutex<HashMap<String, PathBuf>>>,
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
        let workspace = workspace_of(&root);
        Ok(Self { root, workspace, folders: Arc::default() })
    }

    /// The project's folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The real path of a file that a package has, and its length.
    fn file_of_package(&self, path: &str) -> Option<(PathBuf, u64)> {
        let (real, meta) = self.file_below(&self.workspace, path).ok()?;
        meta.is_file().then_some((real, meta.len()))
    }

    /// A real path relative to the project, with `..` where it lies above.
    fn relative(&self, real: &Path) -> Option<String> {
        let common = self.root.ancestors().find(|folder| real.starts_with(folder))?;
        let up = self.root.strip_prefix(common).ok()?.components().map(|_| "..");
        let down = real.strip_prefix(common).ok()?.components();
        let parts: Option<Vec<&str>> = down.map(|part| part.as_os_str().to_str()).collect();
        Some(up.chain(parts?).collect::<Vec<_>>().join("/"))
    }

    /// Paths of TypeScript's configurations below a folder; none when it cannot be read.
    pub(super) fn configurations(&self, folder: &str) -> Vec<String> {
        let files = self.list(folder, SKIPPED_FOLDERS).unwrap_or_default();
        files.into_iter().filter(|path| path.ends_with("/tsconfig.json")).collect()
    }

    /// The real path behind one of the project's; links may not lead out of `limit`.
    fn real_below(&self, limit: &Path, path: &str) -> Result<PathBuf, SystemError> {
        let real = self.root.join(path).canonicalize().map_err(system_error)?;
        if real.starts_with(limit) { Ok(real) } else { Err(SystemError::Outside) }
    }

    /// [`Self::real_below`] of a file, and what it is. Folders have many files, and each is resolved once.
    fn file_below(&self, limit: &Path, path: &str) -> Result<(PathBuf, Metadata), SystemError> {
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        let plain = self.folder_below(limit, folder)?.join(name);
        let meta = std::fs::symlink_metadata(&plain).map_err(system_error)?;
        if !meta.is_symlink() && is_plain(name) {
            return Ok((plain, meta));
        }
        let real = self.real_below(limit, path)?;
        let meta = std::fs::metadata(&real).map_err(system_error)?;
        Ok((real, meta))
    }

    fn folder_below(&self, limit: &Path, folder: &str) -> Result<PathBuf, SystemError> {
        let real = self.real_folder(folder)?;
        if real.starts_with(limit) { Ok(real) } else { Err(SystemError::Outside) }
    }

    fn real_folder(&self, folder: &str) -> Result<PathBuf, SystemError> {
        let known = || self.folders.lock().unwrap_or_else(PoisonError::into_inner);
        let found = known().get(folder).cloned();
        if let Some(real) = found {
            return Ok(real);
        }
        let real = match folder.rsplit_once('/') {
            // Those above are known by then, and this one is looked at alone.
            Some((above, name)) if is_plain(name) => {
                let plain = self.real_folder(above)?.join(name);
                let is_link = std::fs::symlink_metadata(&plain).map_err(system_error)?.is_symlink();
                if is_link { plain.canonicalize().map_err(system_error)? } else { plain }
            }
            Some(_) | None => self.root.join(folder).canonicalize().map_err(system_error)?,
        };
        known().insert(folder.to_owned(), real.clone());
        Ok(real)
    }

    /// Opens a file of the project, of which it is known by then what it is.
    fn open(&self, path: &str) -> Result<(File, Metadata), SystemError> {
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        let plain = self.folder_below(&self.root, folder)?.join(name);
        // Opening a pipe would wait for whoever writes to it.
        let flags = OFlags::NONBLOCK | OFlags::NOFOLLOW;
        let opened = OpenOptions::new().read(true).custom_flags(flags.bits().cast_signed()).open(plain);
        let file = match opened {
            Ok(file) if is_plain(name) => file,
            Err(error) if error.raw_os_error() != Some(Errno::LOOP.raw_os_error()) => {
                return Err(system_error(error));
            }
            Ok(_) | Err(_) => {
                let real = self.real_below(&self.root, path)?;
                let flags = OFlags::NONBLOCK.bits().cast_signed();
                OpenOptions::new().read(true).custom_flags(flags).open(real).map_err(system_error)?
            }
        };
        let meta = file.metadata().map_err(system_error)?;
        if !meta.is_file() {
            return Err(SystemError::Io("it is no file".to_owned()));
        }
        if meta.len() > FILE_BYTES_MAX {
            return Err(SystemError::TooLarge(meta.len()));
        }
        Ok((file, meta))
    }
}

impl System for OsSystem {
    fn read(&self, path: &str) -> Result<Vec<u8>, SystemError> {
        let (file, meta) = self.open(path)?;
        content(file, &meta)
    }

    fn read_stamped(&self, path: &str) -> Result<(Vec<u8>, Option<Stamp>), SystemError> {
        let (file, meta) = self.open(path)?;
        Ok((content(file, &meta)?, stamp_of(&meta)))
    }

    fn list(&self, folder: &str, skip: &[&str]) -> Result<Vec<String>, SystemError> {
        let mut listing = Listing { system: self, skip, entered: HashSet::new(), files: Vec::new() };
        listing.enter((folder.to_owned(), self.real_below(&self.root, folder)?))?;
        listing.files.sort();
        Ok(listing.files)
    }

    fn stamp(&self, path: &str) -> Option<Stamp> {
        stamp_of(&std::fs::metadata(self.root.join(path)).ok()?)
    }

    fn packages(&self) -> Arc<dyn Reader> {
        Arc::new(self.clone())
    }
}

/// Packages that a workspace shares lie above the project, and those of the workspace itself behind links that lead there.
/// Their types and sources may be read, as far up as the workspace goes.
impl Reader for OsSystem {
    fn read(&self, path: &str) -> Option<String> {
        let (real, len) = self.file_of_package(path)?;
        if len > FILE_BYTES_MAX { None } else { String::from_utf8(std::fs::read(real).ok()?).ok() }
    }

    fn real(&self, path: &str) -> Option<String> {
        self.relative(&self.file_of_package(path)?.0)
    }

    fn folders(&self, path: &str) -> Vec<String> {
        let real = self.root.join(path).canonicalize().ok();
        let entries =
            real.filter(|real| real.starts_with(&self.workspace)).and_then(|real| real.read_dir().ok());
        let folders = entries.into_iter().flatten().flatten().filter(|entry| entry.path().is_dir());
        let mut names: Vec<String> =
            folders.filter_map(|entry| entry.file_name().into_string().ok()).collect();
        names.sort();
        names
    }
}

/// The nearest folder, the project's own or above, that says it is a workspace's root; the project's without one.
fn workspace_of(root: &Path) -> PathBuf {
    let is_workspace = |folder: &&Path| {
        let manifest = std::fs::read_to_string(folder.join("package.json")).unwrap_or_default();
        let manifest: serde_json::Value = serde_json::from_str(&manifest).unwrap_or_default();
        manifest.get("workspaces").is_some() || folder.join("pnpm-workspace.yaml").is_file()
    };
    root.ancestors().find(is_workspace).unwrap_or(root).to_owned()
}

/// A walk through folders, level by level; a folder that is reached twice, as in a loop of links, is entered once, and not through a
/// link where it is reached without one.
struct Listing<'s> {
    system: &'s OsSystem,
    skip: &'s [&'s str],
    entered: HashSet<PathBuf>,
    files: Vec<String>,
}

/// A path relative to the project, and where that really is.
type Folder = (String, PathBuf);

/// What one folder has.
#[derive(Default)]
struct Entries {
    files: Vec<String>,
    folders: Vec<Folder>,
    /// To folders.
    links: Vec<String>,
}

impl Listing<'_> {
    fn enter(&mut self, first: Folder) -> Result<(), SystemError> {
        let (mut level, mut links) = (vec![first], BTreeSet::<String>::new());
        loop {
            level.retain(|(_, real)| self.entered.insert(real.clone()));
            if level.is_empty() {
                let Some(link) = links.pop_first() else { return Ok(()) };
                let real = self.system.real_below(&self.system.root, &link)?;
                level.push((link, real));
                continue;
            }
            let found: Vec<_> = level.par_iter().map(|folder| self.entries(folder)).collect();
            level.clear();
            for entries in found {
                let Entries { files, folders, links: more } = entries?;
                self.files.extend(files);
                level.extend(folders);
                links.extend(more);
            }
        }
    }

    fn entries(&self, (folder, real): &Folder) -> Result<Entries, SystemError> {
        let refused = |error: io::Error| match system_error(error) {
            // Whoever asked for a folder above it would look for the fault there.
            SystemError::Io(cause) => SystemError::Io(format!("the folder `{folder}`: {cause}")),
            other => other,
        };
        let mut found = Entries::default();
        for entry in std::fs::read_dir(real).map_err(refused)? {
            let entry = entry.map_err(refused)?;
            let name = entry.file_name();
            let name = name.to_str().ok_or_else(|| {
                SystemError::Io(format!("the name {} is not UTF-8", entry.path().display()))
            })?;
            let path = if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") };
            // The entry itself knows what it is, unless it is a link.
            let kind = entry.file_type().map_err(system_error)?;
            let is_folder = kind.is_dir() || (kind.is_symlink() && entry.path().is_dir());
            if !is_folder {
                found.files.push(path);
            } else if self.skip.contains(&name) {
                continue;
            } else if kind.is_dir() {
                found.folders.push((path, real.join(name)));
            } else {
                found.links.push(path);
            }
        }
        Ok(found)
    }
}

/// Whether a name is that of an entry of its folder.
fn is_plain(name: &str) -> bool {
    !matches!(name, "" | "." | "..")
}

fn content(mut file: File, meta: &Metadata) -> Result<Vec<u8>, SystemError> {
    // One more, so that the end is found without a larger block.
    let mut bytes = Vec::with_capacity(usize::try_from(meta.len()).unwrap_or(0) + 1);
    file.read_to_end(&mut bytes).map_err(system_error)?;
    Ok(bytes)
}

fn stamp_of(meta: &Metadata) -> Option<Stamp> {
    let nanoseconds = |seconds: i64, rest: i64| seconds.checked_mul(1_000_000_000)?.checked_add(rest);
    Some(Stamp {
        len: meta.len(),
        modified_ns: nanoseconds(meta.mtime(), meta.mtime_nsec())?,
        changed_ns: nanoseconds(meta.ctime(), meta.ctime_nsec())?,
        inode: meta.ino(),
        device: meta.dev(),
    })
}

fn system_error(error: io::Error) -> SystemError {
    match error.kind() {
        io::ErrorKind::NotFound => SystemError::NotFound,
        _ => SystemError::Io(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{create_dir_all, write};
    use std::os::unix::fs::symlink;
    use std::process::Command;

    use super::OsSystem;
    use crate::source::Reader as _;
    use crate::system::{System, SystemError};

    #[test]
    fn packages_are_read_as_far_up_as_the_workspace_goes() {
        let folder = tempfile::tempdir().expect("a folder");
        let root = folder.path().join("ws");
        for path in ["apps/web/src", "apps/web/node_modules", "packages/lib", "node_modules/hoisted"] {
            create_dir_all(root.join(path)).expect("a folder");
        }
        let put = |path: &str| write(root.join(path), "text").expect("a file");
        for path in ["../secret.ts", "packages/lib/a.ts", "node_modules/hoisted/i.d.ts", "apps/web/src/a.ts"]
        {
            put(path);
        }
        symlink("../../../packages/lib", root.join("apps/web/node_modules/lib")).expect("a link");
        symlink("../../../../secret.ts", root.join("apps/web/src/secret.ts")).expect("a link");
        let real = |path: &str| OsSystem::new(&root.join("apps/web")).expect("a project").real(path);

        assert_eq!(real("../../node_modules/hoisted/i.d.ts"), None, "nothing says that there is a workspace");
        write(root.join("package.json"), "{ \"workspaces\": [\"apps/*\"] }").expect("a file");
        let found = Some("../../node_modules/hoisted/i.d.ts".to_owned());
        assert_eq!(real("../../node_modules/hoisted/i.d.ts"), found);
        assert_eq!(real("node_modules/lib/a.ts").as_deref(), Some("../../packages/lib/a.ts"));
        assert_eq!(real("src/a.ts").as_deref(), Some("src/a.ts"));
        assert_eq!(real("src/secret.ts"), None);
        assert_eq!(real("../../../secret.ts"), None);
        // As sources of the project they stay out of reach.
        let system = OsSystem::new(&root.join("apps/web")).expect("a project");
        assert!(System::read(&system, "node_modules/lib/a.ts").is_err());
        assert!(System::read(&system, "src/a.ts").is_ok());
    }

    #[test]
    fn a_folder_is_listed_once_and_by_its_own_path() {
        let folder = tempfile::tempdir().expect("a folder");
        create_dir_all(folder.path().join("src/real/deep")).expect("a folder");
        create_dir_all(folder.path().join("shared")).expect("a folder");
        for path in ["src/real/a.ts", "src/real/deep/b.ts", "shared/c.ts"] {
            write(folder.path().join(path), "text").expect("a file");
        }
        let link = |to: &str, at: &str| symlink(to, folder.path().join(at)).expect("a link");
        // Whichever the file system names first.
        link("real", "src/another");
        link("real", "src/zlast");
        link("..", "src/real/deep/up");
        link("../shared", "src/one");
        link("../shared", "src/two");
        let system = OsSystem::new(folder.path()).expect("a project");
        let listed = system.list("src", &[]).expect("a readable folder");
        assert_eq!(listed, ["src/one/c.ts", "src/real/a.ts", "src/real/deep/b.ts"]);
        assert_eq!(
            system.list("src", &["deep", "one"]).expect("a folder"),
            ["src/real/a.ts", "src/two/c.ts"]
        );
    }

    #[test]
    fn files_are_read_with_the_stamps_that_they_have() {
        let folder = tempfile::tempdir().expect("a folder");
        create_dir_all(folder.path().join("app/src")).expect("a folder");
        for path in ["app/src/a.ts", "outside.ts"] {
            write(folder.path().join(path), "text").expect("a file");
        }
        let link = |to: &str, at: &str| symlink(to, folder.path().join("app").join(at)).expect("a link");
        link("a.ts", "src/b.ts");
        link("src", "linked");
        link("../../outside.ts", "src/c.ts");
        link("d.ts", "src/d.ts");
        let pipe = folder.path().join("app/src/pipe.ts");
        assert!(Command::new("mkfifo").arg(pipe).status().expect("mkfifo, of POSIX").success());
        let system = OsSystem::new(&folder.path().join("app")).expect("a project");
        for path in ["src/a.ts", "src/b.ts", "linked/a.ts", "linked/b.ts", "src/../src/a.ts"] {
            let read = system.read_stamped(path).expect("a readable file");
            assert_eq!(read, (b"text".to_vec(), system.stamp(path)), "{path}");
            assert!(read.1.is_some(), "{path}");
        }
        let refused = |path: &str| System::read(&system, path).expect_err("it is refused");
        assert_eq!(refused("src/c.ts"), SystemError::Outside);
        assert_eq!(refused("../outside.ts"), SystemError::Outside);
        assert_eq!(refused("src/none.ts"), SystemError::NotFound);
        for path in ["src/pipe.ts", "src", "src/..", "src/d.ts"] {
            assert!(matches!(refused(path), SystemError::Io(_)), "{path}");
        }
    }
}
