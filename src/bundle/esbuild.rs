//! Runs esbuild on the staged server modules.

use super::metafile::Metafile;
use super::{maps, node, tools};
use crate::cli::error::CliError;
use rayon::iter::{IntoParallelIterator, IntoParallelRefMutIterator, ParallelIterator};
use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Output};
use tempfile::TempDir;

/// What esbuild made of the modules.
pub enum Bundled {
    /// It worked.
    Modules {
        /// The files of `dist/server` by their names in it.
        files: BTreeMap<String, Vec<u8>>,
        /// What went into them.
        meta: Metafile,
        /// Where they lie until this is dropped, maps as esbuild made them.
        folder: TempDir,
    },
    /// A module or package that cannot be bundled, in esbuild's words: the project's fault.
    Refused(String),
}

/// What is bundled, and for whom.
#[derive(Debug, Clone, Copy)]
pub struct Input<'a> {
    /// The project's folder.
    pub project: &'a Path,
    /// Paths below the project, in one folder.
    pub entries: &'a [String],
    /// Where the files go, below the project.
    pub out: &'a str,
    /// What packages read from `process.env.NODE_ENV`.
    pub environment: &'a str,
    /// Where page code finds its stubs, below the project, if pages are drawn in the Worker.
    pub stubs: Option<&'a str>,
}

/// Bundles the Worker.
///
/// # Errors
/// When esbuild is missing, or the file system refuses.
pub fn bundle(input: Input<'_>) -> Result<Bundled, CliError> {
    let bundled = run(input, &[])?;
    let Bundled::Modules { meta, .. } = &bundled else { return Ok(bundled) };
    let asked = meta.of_the_platform();
    let packages: Vec<&str> = node::THERE
        .iter()
        .copied()
        .filter(|name| asked.keys().any(|path| is_of_package(path, name)))
        .collect();
    if packages.is_empty() { Ok(bundled) } else { run(input, &packages) }
}

/// Whether a path means a package that has the name of a Node.js module, as `punycode/` does. esbuild's command line
/// cannot leave out `punycode` without that.
fn is_of_package(path: &str, name: &str) -> bool {
    path.strip_prefix(name).is_some_and(|rest| rest.starts_with('/')) && !node::is_there(path)
}

/// Runs esbuild once; `packages` are Node.js modules of which the project's own packages take the place.
fn run(input: Input<'_>, packages: &[&str]) -> Result<Bundled, CliError> {
    let Input { project, entries, environment, stubs, out: target } = input;
    let out = scratch(project)?;
    let meta = out.path().join(METAFILE);
    let output = esbuild(project, out.path(), environment)?
        .args(entries)
        .args(entries.first().and_then(|entry| entry.rsplit_once('/')).map(|(folder, _)| base(folder)))
        .arg(format!("--metafile={}", meta.display()))
        .args(
            node::THERE
                .iter()
                .filter(|name| !packages.contains(name))
                .map(|name| format!("--external:{name}")),
        )
        .args(stubs.iter().map(|folder| format!("--alias:{CLIENT}=./{folder}")))
        .args(stubs.iter().flat_map(|_| PAGE_OPTIONS))
        .args(OPTIONS)
        .output()
        .map_err(missing)?;
    if !output.status.success() {
        return Ok(Bundled::Refused(words(&output)));
    }
    let mut files = collected(&out, target)?;
    let meta = files.remove(METAFILE).unwrap_or_default();
    let meta = Metafile::parse(&meta).map_err(|error| {
        CliError::environment(
            format!("esbuild's metafile: {error}"),
            "install the esbuild that kontract asks for",
        )
    })?;
    for name in give_require(&mut files) {
        std::fs::write(out.path().join(&name), &files[&name]).map_err(refused)?;
    }
    Ok(Bundled::Modules { files, meta, folder: out })
}

/// Writes out, module by module, what the platform does not take as it stands: decorators, `using`, and what
/// `process.env.NODE_ENV` is. `paths` are modules below `folder`; their texts and maps by the same paths, or esbuild's words.
///
/// # Errors
/// When esbuild is missing, or the file system refuses.
pub fn lower(
    project: &Path,
    folder: &str,
    paths: &[String],
    environment: &str,
) -> Result<Result<BTreeMap<String, Vec<u8>>, String>, CliError> {
    let out = scratch(project)?;
    let output = esbuild(project, out.path(), environment)?
        .args(paths)
        .arg(base(folder))
        .args(MODULE_OPTIONS)
        .output()
        .map_err(missing)?;
    if !output.status.success() {
        return Ok(Err(words(&output)));
    }
    let files = collected(&out, folder)?.into_iter();
    Ok(Ok(files.map(|(name, bytes)| (format!("{folder}/{name}"), bytes)).collect()))
}

/// A folder for output, as deep below the project as the folder that it goes to may be.
fn scratch(project: &Path) -> Result<TempDir, CliError> {
    tempfile::tempdir_in(project.join(".kontract")).map_err(refused)
}

/// esbuild, with what holds for every file.
fn esbuild(project: &Path, out: &Path, environment: &str) -> Result<Command, CliError> {
    let mut command = Command::new(tools::esbuild(project)?);
    command
        .current_dir(project)
        .arg(format!("--outdir={}", out.display()))
        .arg(format!("--define:process.env.NODE_ENV=\"{environment}\""));
    Ok(command)
}

/// Which part of the entries' paths their outputs do without.
fn base(folder: &str) -> String {
    format!("--outbase={folder}")
}

/// The files that esbuild wrote, by their paths in the folder, with maps that fit the folder where they go.
fn collected(out: &TempDir, target: &str) -> Result<BTreeMap<String, Vec<u8>>, CliError> {
    let mut files = collect(out.path()).map_err(refused)?;
    let folder = out.path().file_name().unwrap_or_default().to_string_lossy();
    files.par_iter_mut().filter(|(name, _)| name.ends_with(".map")).for_each(|(name, bytes)| {
        maps::relocate(bytes, &format!(".kontract/{folder}/{name}"), &format!("{target}/{name}"));
    });
    Ok(files)
}

fn words(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).trim_end().to_owned()
}

fn missing(error: std::io::Error) -> CliError {
    CliError::environment(format!("esbuild: {error}"), "run `npm install` in the project")
}

fn refused(error: std::io::Error) -> CliError {
    CliError::environment(error, "check the permissions of .kontract")
}

/// CommonJS packages call `require('fs')` for what the platform has. esbuild leaves such calls to a `require` of the
/// platform, which ES modules have to make for themselves. The modules that did.
fn give_require(files: &mut BTreeMap<String, Vec<u8>>) -> Vec<String> {
    let names: Vec<String> = files
        .iter()
        .filter(|(name, bytes)| name.ends_with(".js") && contains(bytes, NO_REQUIRE.as_bytes()))
        .map(|(name, _)| name.clone())
        .collect();
    for name in &names {
        if let Some(bytes) = files.get_mut(name) {
            bytes.splice(0..0, REQUIRE.bytes());
        }
        if let Some(bytes) = files.get_mut(&format!("{name}.map")) {
            maps::add_line_in_front(bytes);
        }
    }
    names
}

fn contains(bytes: &[u8], wanted: &[u8]) -> bool {
    memchr::memmem::find(bytes, wanted).is_some()
}

/// The files below a folder, by their paths in it.
fn collect(folder: &Path) -> std::io::Result<BTreeMap<String, Vec<u8>>> {
    let mut paths = Vec::new();
    list(folder, "", &mut paths)?;
    paths.into_par_iter().map(|path| std::fs::read(folder.join(&path)).map(|bytes| (path, bytes))).collect()
}

fn list(folder: &Path, prefix: &str, paths: &mut Vec<String>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let path = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if entry.file_type()?.is_dir() {
            list(&entry.path(), &format!("{path}/"), paths)?;
        } else {
            paths.push(path);
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
/// What page code calls its stubs.
const CLIENT: &str = "@/client";
/// Styles are the frontend's own build's; a tsconfig that says what JSX becomes goes before this.
const PAGE_OPTIONS: &[&str] = &["--loader:.css=empty", "--jsx=automatic"];
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
    DIRNAME,
    FILENAME,
    "--log-limit=0",
    "--sourcemap=linked",
    "--legal-comments=none",
    "--log-level=warning",
];
/// For a module by itself.
const MODULE_OPTIONS: &[&str] = &[
    "--format=esm",
    "--target=es2024",
    DIRNAME,
    FILENAME,
    "--sourcemap=linked",
    "--legal-comments=none",
    "--log-level=warning",
];
/// What modules are told of where they lie.
const DIRNAME: &str = "--define:__dirname=\"/bundle\"";
const FILENAME: &str = "--define:__filename=\"/bundle/worker.js\"";
