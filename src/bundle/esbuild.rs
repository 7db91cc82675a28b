//! Runs esbuild on the staged server modules.

use super::{maps, tools};
use crate::cli::error::CliError;
use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

/// What esbuild made of the modules.
pub enum Bundled {
    /// The files of `dist/server` by their names in it.
    Modules(BTreeMap<String, Vec<u8>>),
    /// A module or package that cannot be bundled, in esbuild's words: the project's fault.
    Refused(String),
}

/// Bundles `entry`, a path below the project.
///
/// # Errors
/// When esbuild is missing, or the file system refuses.
pub fn bundle(project: &Path, entry: &str) -> Result<Bundled, CliError> {
    let esbuild = tools::find(project, ".bin/esbuild")?;
    let out = tempfile::tempdir_in(project.join(".kontract"))
        .map_err(|error| CliError::environment(error, "check the permissions of .kontract"))?;
    let output = Command::new(esbuild)
        .current_dir(project)
        .arg(entry)
        .arg(format!("--outdir={}", out.path().display()))
        .args(OPTIONS)
        .output()
        .map_err(|error| {
            CliError::environment(format!("esbuild: {error}"), "run `npm install` in the project")
        })?;
    if !output.status.success() {
        return Ok(Bundled::Refused(String::from_utf8_lossy(&output.stderr).trim_end().to_owned()));
    }
    let mut files = BTreeMap::new();
    collect(out.path(), "", &mut files)
        .map_err(|error| CliError::environment(error, "check the permissions of .kontract"))?;
    let folder = out.path().file_name().unwrap_or_default().to_string_lossy();
    for (name, bytes) in files.iter_mut().filter(|(name, _)| name.ends_with(".map")) {
        maps::relocate(bytes, &format!(".kontract/{folder}/{name}"), &format!("{OUT}/{name}"));
    }
    Ok(Bundled::Modules(files))
}

fn collect(folder: &Path, prefix: &str, files: &mut BTreeMap<String, Vec<u8>>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if entry.file_type()?.is_dir() {
            collect(&entry.path(), &format!("{name}/"), files)?;
        } else {
            files.insert(name, std::fs::read(entry.path())?);
        }
    }
    Ok(())
}

/// Where the files go.
const OUT: &str = "dist/server";
/// Conditions and externals of workerd; chunks are named by content, so that equal input makes equal names.
const OPTIONS: &[&str] = &[
    "--bundle",
    "--splitting",
    "--format=esm",
    "--target=es2024",
    "--platform=neutral",
    "--main-fields=module,main",
    "--conditions=workerd,worker,browser",
    "--chunk-names=routes/[name]-[hash]",
    "--external:cloudflare:*",
    "--external:node:*",
    "--external:*.wasm",
    "--sourcemap=linked",
    "--legal-comments=none",
    "--log-level=warning",
];
