//! Puts artifacts on disk: each file whole or not at all, only where it differs, and what is no longer made goes.

use super::error::CliError;
use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Component, Path};

/// Folders that hold nothing but artifacts, relative to the project; files in them that a build no longer makes are
/// removed.
const OWNED_FOLDERS: &[&str] =
    &[".kontract/client", ".kontract/server", "dist/client", "dist/server", "docs/api"];

/// Writes the files below `project`.
///
/// # Errors
/// When a path would leave the project, a link leads out of it, or the file system refuses.
pub(super) fn write_all(project: &Path, files: &BTreeMap<String, Vec<u8>>) -> Result<(), CliError> {
    let root = project.canonicalize().map_err(|error| refused(project, &error))?;
    for (path, bytes) in files {
        write_one(&root, path, bytes)?;
    }
    Ok(())
}

/// Removes from the owned folders below `folders` what `files` does not name.
///
/// # Errors
/// When the file system refuses.
pub(super) fn remove_stale(project: &Path, files: &BTreeMap<String, Vec<u8>>) -> Result<(), CliError> {
    OWNED_FOLDERS.iter().try_for_each(|folder| remove_below(project, folder, files))
}

fn write_one(root: &Path, path: &str, bytes: &[u8]) -> Result<(), CliError> {
    let relative = Path::new(path);
    if !relative.components().all(|part| matches!(part, Component::Normal(_))) {
        return Err(CliError::Environment(format!("{path} would be written outside of the project")));
    }
    let target = root.join(relative);
    let folder = target.parent().unwrap_or(root);
    stay_inside(root, folder)?;
    std::fs::create_dir_all(folder).map_err(|error| refused(folder, &error))?;
    if std::fs::read(&target).is_ok_and(|present| present == bytes) {
        return Ok(());
    }
    let replace = || -> std::io::Result<()> {
        let mut file = tempfile::Builder::new().permissions(public()).tempfile_in(folder)?;
        file.write_all(bytes)?;
        file.persist(&target)?;
        Ok(())
    };
    replace().map_err(|error| refused(&target, &error))
}

/// Refuses a folder that exists, or would come to be, behind a link out of the project.
fn stay_inside(root: &Path, folder: &Path) -> Result<(), CliError> {
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

fn remove_below(project: &Path, folder: &str, files: &BTreeMap<String, Vec<u8>>) -> Result<(), CliError> {
    let path = project.join(folder);
    let entries = match std::fs::read_dir(&path) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(refused(&path, &error)),
    };
    for entry in entries {
        let entry = entry.map_err(|error| refused(&path, &error))?;
        let name = format!("{folder}/{}", entry.file_name().to_string_lossy());
        let kind = entry.file_type().map_err(|error| refused(&entry.path(), &error))?;
        if kind.is_dir() {
            remove_below(project, &name, files)?;
        } else if !files.contains_key(&name) {
            std::fs::remove_file(entry.path()).map_err(|error| refused(&entry.path(), &error))?;
        }
    }
    Ok(())
}

fn refused(path: &Path, error: &std::io::Error) -> CliError {
    CliError::environment(
        format!("{} cannot be written: {error}", path.display()),
        "check the free space and the folder's permissions",
    )
}
