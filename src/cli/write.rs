//! Puts artifacts on disk: each file whole or not at all, only where it differs.
//!
//! A list of what was written is kept in `.kontract/outputs.json`. A file goes when an earlier build made it and this one
//! does not; whatever else lies in the same folders is its owner's.

use super::error::CliError;
use rayon::iter::{IndexedParallelIterator, IntoParallelRefIterator, ParallelIterator};
use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::path::{Component, Path, PathBuf};

/// Writes the wanted files below `project`; the paths of those that differed.
///
/// # Errors
/// When a path would leave the project, a link leads out of it, or the file system refuses.
pub(super) fn write_all(
    project: &Path,
    files: &BTreeMap<String, Vec<u8>>,
    wanted: impl Fn(&str) -> bool,
) -> Result<Vec<String>, CliError> {
    let root = project.canonicalize().map_err(|error| refused(project, &error))?;
    let files: Vec<(&String, &Vec<u8>)> = files.iter().filter(|(path, _)| wanted(path)).collect();
    let targets = files.iter().map(|(path, _)| target(&root, path)).collect::<Result<Vec<_>, _>>()?;
    let folders: BTreeSet<&Path> = targets.iter().filter_map(|target| target.parent()).collect();
    for folder in folders {
        make_folder(&root, folder)?;
    }
    // Most of the time goes into waiting for the file system.
    let differed: Vec<Result<bool, CliError>> =
        files.par_iter().zip(&targets).map(|((_, bytes), target)| replace(target, bytes)).collect();
    let mut written = Vec::new();
    for ((path, _), differed) in files.into_iter().zip(differed) {
        if differed? {
            written.push(path.clone());
        }
    }
    Ok(written)
}

/// Removes what the last build made and this one did not, and notes what this one made.
///
/// # Errors
/// When the file system refuses.
pub(super) fn remove_stale(project: &Path, files: &BTreeMap<String, Vec<u8>>) -> Result<(), CliError> {
    let root = project.canonicalize().map_err(|error| refused(project, &error))?;
    for path in made_before(&root).iter().filter(|path| !files.contains_key(*path) && is_inside(path)) {
        let target = root.join(path);
        stay_inside(&root, target.parent().unwrap_or(&root))?;
        match std::fs::remove_file(&target) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(refused(&target, &error));
            }
            Ok(()) | Err(_) => {}
        }
    }
    let kept = files.keys().filter(|path| !is_kept_for_ever(path)).collect::<Vec<_>>();
    let list = serde_json::to_vec_pretty(&kept).expect("invariant: paths are strings");
    let target = target(&root, OUTPUTS)?;
    make_folder(&root, target.parent().unwrap_or(&root))?;
    replace(&target, &list).map(drop)
}

/// What the last build made; nothing when there was none, or its list cannot be read.
pub(super) fn made_before(root: &Path) -> Vec<String> {
    let list = std::fs::read(root.join(OUTPUTS)).unwrap_or_default();
    serde_json::from_slice(&list).unwrap_or_default()
}

/// Migrations and the lock belong to the project once they are written.
fn is_kept_for_ever(path: &str) -> bool {
    path.starts_with("migrations/") || path == "kontract.lock.json"
}

fn is_inside(path: &str) -> bool {
    Path::new(path).components().all(|part| matches!(part, Component::Normal(_)))
}

fn target(root: &Path, path: &str) -> Result<PathBuf, CliError> {
    if is_inside(path) {
        return Ok(root.join(path));
    }
    Err(CliError::Environment(format!("{path} would be written outside of the project")))
}

fn make_folder(root: &Path, folder: &Path) -> Result<(), CliError> {
    stay_inside(root, folder)?;
    std::fs::create_dir_all(folder).map_err(|error| refused(folder, &error))
}

/// Whether the file differed.
fn replace(target: &Path, bytes: &[u8]) -> Result<bool, CliError> {
    if holds(target, bytes) {
        return Ok(false);
    }
    let folder = target.parent().unwrap_or(target);
    let write = || -> std::io::Result<()> {
        let mut file = tempfile::Builder::new().permissions(public()).tempfile_in(folder)?;
        file.write_all(bytes)?;
        file.persist(target)?;
        Ok(())
    };
    write().map_err(|error| refused(target, &error))?;
    Ok(true)
}

/// Whether a file has this content. One of another length is not read.
fn holds(target: &Path, bytes: &[u8]) -> bool {
    let has_len = |data: std::fs::Metadata| data.is_file() && usize::try_from(data.len()) == Ok(bytes.len());
    std::fs::metadata(target).is_ok_and(has_len)
        && std::fs::read(target).is_ok_and(|present| present == bytes)
}

/// Refuses a folder that exists, or would come to be, behind a link out of the project.
pub(super) fn stay_inside(root: &Path, folder: &Path) -> Result<(), CliError> {
    let existing = folder.ancestors().find(|ancestor| ancestor.symlink_metadata().is_ok()).unwrap_or(root);
    let real = existing.canonicalize().map_err(|error| refused(existing, &error))?;
    if real.starts_with(root) {
        return Ok(());
    }
    Err(CliError::environment(
        format!("{} is a link that leads out of the project", existing.display()),
        "remove the link",
    ))
}

/// Generated files are read by other tools, also by those that run as another user.
fn public() -> std::fs::Permissions {
    std::os::unix::fs::PermissionsExt::from_mode(0o644)
}

fn refused(path: &Path, error: &std::io::Error) -> CliError {
    CliError::environment(
        format!("{} cannot be written: {error}", path.display()),
        "check the free space and the folder's permissions",
    )
}

const OUTPUTS: &str = ".kontract/outputs.json";
