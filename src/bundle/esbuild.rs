//! Runs esbuild on the staged server modules.

use super::tools;
use crate::cli::error::CliError;
use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

/// Bundles `entry`, a path below the project, and returns the files of `dist/server` by their names in it.
///
/// # Errors
/// When esbuild is missing or refuses a module; its own words say which and why.
pub fn bundle(project: &Path, entry: &str) -> Result<BTreeMap<String, Vec<u8>>, CliError> {
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
        let words = String::from_utf8_lossy(&output.stderr);
        return Err(CliError::environment(
            format!("the server bundle failed:\n{}", words.trim_end()),
            "a package that cannot run in a Worker must not be imported by server code",
        ));
    }
    let mut files = BTreeMap::new();
    collect(out.path(), "", &mut files)
        .map_err(|error| CliError::environment(error, "check the permissions of .kontract"))?;
    Ok(files)
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
    "--legal-comments=none",
    "--log-level=warning",
];
