//! Runs esbuild on the staged server modules.

use super::metafile::Metafile;
use super::{maps, node, tools};
use crate::cli::error::CliError;
use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

/// What esbuild made of the modules.
pub enum Bundled {
    /// It worked.
    Modules {
        /// The files of `dist/server` by their names in it.
        files: BTreeMap<String, Vec<u8>>,
        /// What went into them.
        meta: Metafile,
    },
    /// A module or package that cannot be bundled, in esbuild's words: the project's fault.
    Refused(String),
}

/// Bundles `entry`, a path below the project. `environment` is what packages read from `process.env.NODE_ENV`.
///
/// # Errors
/// When esbuild is missing, or the file system refuses.
pub fn bundle(project: &Path, entry: &str, environment: &str) -> Result<Bundled, CliError> {
    let bundled = run(project, entry, environment, &[])?;
    let Bundled::Modules { meta, .. } = &bundled else { return Ok(bundled) };
    let asked = meta.of_the_platform();
    let packages: Vec<&str> = node::THERE
        .iter()
        .copied()
        .filter(|name| asked.keys().any(|path| is_of_package(path, name)))
        .collect();
    if packages.is_empty() { Ok(bundled) } else { run(project, entry, environment, &packages) }
}

/// Whether a path means a package that has the name of a Node.js module, as `punycode/` does. esbuild's command line
/// cannot leave out `punycode` without that.
fn is_of_package(path: &str, name: &str) -> bool {
    path.strip_prefix(name).is_some_and(|rest| rest.starts_with('/')) && !node::is_there(path)
}

/// Runs esbuild once; `packages` are Node.js modules of which the project's own packages take the place.
fn run(project: &Path, entry: &str, environment: &str, packages: &[&str]) -> Result<Bundled, CliError> {
    let esbuild = tools::find(project, ".bin/esbuild")?;
    let out = tempfile::tempdir_in(project.join(".kontract"))
        .map_err(|error| CliError::environment(error, "check the permissions of .kontract"))?;
    let meta = out.path().join(METAFILE);
    let output = Command::new(esbuild)
        .current_dir(project)
        .arg(entry)
        .arg(format!("--outdir={}", out.path().display()))
        .arg(format!("--metafile={}", meta.display()))
        .arg(format!("--define:process.env.NODE_ENV=\"{environment}\""))
        .args(
            node::THERE
                .iter()
                .filter(|name| !packages.contains(name))
                .map(|name| format!("--external:{name}")),
        )
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
    let meta = files.remove(METAFILE).unwrap_or_default();
    let meta = Metafile::parse(&meta).map_err(|error| {
        CliError::environment(
            format!("esbuild's metafile: {error}"),
            "install the esbuild that kontract asks for",
        )
    })?;
    let folder = out.path().file_name().unwrap_or_default().to_string_lossy();
    for (name, bytes) in files.iter_mut().filter(|(name, _)| name.ends_with(".map")) {
        maps::relocate(bytes, &format!(".kontract/{folder}/{name}"), &format!("{OUT}/{name}"));
    }
    give_require(&mut files);
    Ok(Bundled::Modules { files, meta })
}

/// CommonJS packages call `require('fs')` for what the platform has. esbuild leaves such calls to a `require` of the
/// platform, which ES modules have to make for themselves.
fn give_require(files: &mut BTreeMap<String, Vec<u8>>) {
    let names: Vec<String> = files
        .iter()
        .filter(|(name, bytes)| name.ends_with(".js") && contains(bytes, NO_REQUIRE.as_bytes()))
        .map(|(name, _)| name.clone())
        .collect();
    for name in names {
        if let Some(bytes) = files.get_mut(&name) {
            bytes.splice(0..0, REQUIRE.bytes());
        }
        if let Some(bytes) = files.get_mut(&format!("{name}.map")) {
            maps::add_line_in_front(bytes);
        }
    }
}

fn contains(bytes: &[u8], wanted: &[u8]) -> bool {
    memchr::memmem::find(bytes, wanted).is_some()
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

/// Where esbuild notes what went in; it never is one of the Worker's files.
const METAFILE: &str = "metafile";
/// In esbuild's own `require`, which throws.
const NO_REQUIRE: &str = "Dynamic require of";
/// In front of the file that has it. One line, so that maps are moved by one.
const REQUIRE: &str = "import { createRequire as $kontractRequire } from \"node:module\"; const require = $kontractRequire(\"/\");\n";
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
    // The gateway keeps its name; what packages bring is copied beside the script.
    "--external:./kontract.wasm",
    "--loader:.wasm=copy",
    "--asset-names=routes/[name]-[hash]",
    "--define:__dirname=\"/bundle\"",
    "--define:__filename=\"/bundle/worker.js\"",
    "--log-limit=0",
    "--sourcemap=linked",
    "--legal-comments=none",
    "--log-level=warning",
];
