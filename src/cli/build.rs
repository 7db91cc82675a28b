//! `kontract build`.

use super::args::BuildArgs;
use super::cache_folder::CacheFolder;
use super::error::CliError;
use super::os_system::OsSystem;
use super::report::Reporter;
use super::secrets::Secrets;
use super::syntax;
use super::unbundled::{self, Kept};
use super::{worker, write};
use crate::artifact::Artifacts;
use crate::bundle::client::ClientSize;
use crate::bundle::{gateway, node, tools};
use crate::contract::FieldRename;
use crate::dev::modules::Modules;
use crate::diag::{Outcome, Severity};
use crate::migrate::Lock;
use crate::project::{self, Loaded, Project};
use crate::recheck::{self, Compiled, Contents, Rechecked};
use crate::split::links::BUNDLED;
use crate::stubgen::PinnedKey;
use crate::{CompileInput, Places, Unbundled, Unproven, stubgen};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;
use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

/// Builds everything.
pub(super) fn run(args: &BuildArgs, reporter: Reporter) -> Result<(), CliError> {
    let folder = &args.project.project;
    // A folder that is not there must not be reported as one without keys.
    OsSystem::new(folder)?;
    ensure_project(folder, reporter)?;
    // A build without the deployment's keys would pin others into its clients, which then could not connect.
    let secrets = Secrets::load(folder)?;
    let against = args.against.as_deref().map(read_lock).transpose()?;
    let evolution = Evolution { against: against.as_ref(), renames: &args.rename };
    let options = Options { mode: Mode::Production, frontend: !args.no_frontend, evolution };
    let Built { project, .. } = build(folder, &secrets, options, None, &mut Kept::default(), reporter)?;
    reporter.say(format!("built {} into {}", project.name, folder.join("dist").display()));
    reporter.event("built", json!({ "name": project.name }));
    Ok(())
}

/// What a build is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// `kontract dev`: server code stays as it was written.
    Development,
    Production,
}

impl Mode {
    /// What `process.env.NODE_ENV` is.
    pub(super) fn environment(self) -> &'static str {
        match self {
            Self::Development => "development",
            Self::Production => "production",
        }
    }
}

/// What a build is told about the one before.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Evolution<'a> {
    /// The lock of what is deployed.
    against: Option<&'a Lock>,
    renames: &'a [FieldRename],
}

/// The lock of another build, wherever it lies.
fn read_lock(path: &Path) -> Result<Lock, CliError> {
    let unusable =
        |cause: &dyn std::fmt::Display| CliError::Usage(format!("--against {}: {cause}", path.display()));
    let text = std::fs::read_to_string(path).map_err(|error| unusable(&error))?;
    Lock::parse(&text).map_err(|error| unusable(&error))
}

/// How a project is built.
#[derive(Debug, Clone, Copy)]
pub(super) struct Options<'a> {
    pub(super) mode: Mode,
    /// Whether the frontend's own build runs.
    pub(super) frontend: bool,
    pub(super) evolution: Evolution<'a>,
}

/// A project that is on disk.
pub(super) struct Built {
    pub(super) project: Project,
    /// Paths of the files that were written because they differed.
    pub(super) changed: Vec<String>,
    /// Of the modules that it was made from.
    pub(super) contents: Contents,
    /// Paths of what the Worker was bundled from, and of all that was made.
    pub(super) inputs: Vec<String>,
    pub(super) outputs: Vec<String>,
    /// The modules of an unbundled Worker, as workerd is to be given them.
    pub(super) modules: Option<Modules>,
    /// What is known of them.
    pub(super) unbundled: Unbundled,
}

/// What is wrong with a project in development, what it is made from, and what it is compiled to if that is to be known anew.
pub(super) fn find(system: &OsSystem, secrets: &Secrets) -> (Rechecked, Option<Compiled>) {
    let (keys, mode) = (secrets.pinned(), Mode::Development);
    let (input, adapt) = (input(&keys, mode, Evolution::default()), adapt(mode));
    recheck::recheck_and_compile(system, &CacheFolder::of(system), &adapt, &input)
}

fn input<'i>(keys: &'i [PinnedKey], mode: Mode, evolution: Evolution<'i>) -> CompileInput<'i> {
    let Evolution { against, renames } = evolution;
    // Names that were only half typed when `kontract dev` saw them must not keep a place for ever.
    let (places, unbundled) = match mode {
        Mode::Development => (Places::Left, Some(node::THERE)),
        Mode::Production => (Places::Locked, None),
    };
    CompileInput { keys, against, renames, places, unbundled }
}

fn adapt(mode: Mode) -> impl Fn(&mut Project) {
    move |project| project.optimize &= mode == Mode::Production
}

/// Compiles, bundles and writes. `compiled_before` is what [`find`] has made, and `kept` what the build before left of an unbundled
/// Worker.
pub(super) fn build(
    folder: &Path,
    secrets: &Secrets,
    options: Options<'_>,
    compiled_before: Option<Compiled>,
    kept: &mut Kept,
    reporter: Reporter,
) -> Result<Built, CliError> {
    let system = OsSystem::new(folder)?;
    let keys = secrets.pinned();
    let input = input(&keys, options.mode, options.evolution);
    let compile = || recheck::compile(&system, &CacheFolder::of(&system), &adapt(options.mode), &input);
    let Compiled { mut loaded, outcome, contents } = compiled_before.unwrap_or_else(compile);
    let mut made = compiled(folder, &loaded, reporter, |_| outcome)?;
    let unbundled = made.take_unbundled();
    let links = &unbundled.links;
    let project = loaded.project.take().ok_or(CliError::Project)?;
    let gateway = gateway_files()?;
    // Only what esbuild reads is written before it has succeeded.
    let mut changed = write::write_all(folder, &gateway, is_staged)?;
    changed.extend(write::write_all(folder, made.rest(), is_staged)?);
    let (sources, mode) = (&loaded.sources, options.mode);
    let worker = worker::Build { folder, project: &project, sources, mode, reporter };
    // What clients get is searched and measured while esbuild and workerd are waited for.
    let (client, bundled) = std::thread::scope(|scope| {
        let client = scope.spawn(|| Client::of(folder, made, mode, &keys));
        let bundled = match mode {
            Mode::Development => unbundled::make(&worker, &system, links, kept).and_then(|made| match made {
                Some(made) => Ok(made),
                None => unbundled::bundle(&worker, &gateway, links),
            }),
            Mode::Production => worker::bundle(&worker, &gateway, &BTreeMap::new()),
        };
        (client.join(), bundled)
    });
    let Client { proven, size } = client.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
    let mut files = compiled(folder, &loaded, reporter, |_| proven)?;
    files.extend(gateway);
    let worker::Bundle { files: bundle, inputs, served } = bundled?;
    files.extend(bundle);
    // The lock says what databases are given, so it comes last.
    changed.extend(write::write_all(folder, &files, |path| !is_history(path) && !is_staged(path))?);
    write::remove_stale(folder, &files)?;
    changed.extend(write::write_all(folder, &files, is_history)?);
    if let Some(size) = size {
        say_client_size(size?, reporter);
    }
    let outputs = files.keys().cloned().collect();
    let modules = served.map(|served| unbundled::served(&worker, files, served));
    if options.frontend {
        frontend(folder, &project, reporter)?;
    }
    Ok(Built { project, changed, contents, inputs, outputs, modules, unbundled })
}

/// What clients get.
struct Client {
    proven: Outcome<Artifacts>,
    /// Measured for production, or why it cannot be.
    size: Option<Result<Result<ClientSize, String>, CliError>>,
}

impl Client {
    fn of(folder: &Path, made: Unproven, mode: Mode, keys: &[PinnedKey]) -> Self {
        let halves =
            |key: &PinnedKey| [URL_SAFE_NO_PAD.encode(key.x25519), URL_SAFE_NO_PAD.encode(&key.mlkem768)];
        let proven = made.prove();
        let files = proven.value.as_ref().filter(|_| mode == Mode::Production);
        let pinned: Vec<String> = keys.iter().flat_map(halves).collect();
        let size = files.map(|files| ClientSize::of(folder, files, &pinned));
        Self { size, proven }
    }
}

/// Says what the client weighs.
fn say_client_size(size: Result<ClientSize, String>, reporter: Reporter) {
    match size {
        Ok(size) => {
            reporter.say(format!("client: {size}"));
            let later: Vec<_> =
                size.later.iter().map(|part| json!({ "for": part.name, "gzipBytes": part.gzip })).collect();
            reporter.event(
                "client",
                json!({ "gzipBytes": size.gzip, "keysGzipBytes": size.keys, "later": later }),
            );
        }
        // Its bundler may know what to do with what esbuild alone does not take.
        Err(words) => {
            reporter.say(format!("client: of unknown size, because esbuild alone cannot bundle it\n{words}"));
        }
    }
}

/// Runs the frontend's own build, if it has one.
pub(super) fn frontend(folder: &Path, project: &Project, reporter: Reporter) -> Result<(), CliError> {
    let Some(frontend) = &project.frontend else { return Ok(()) };
    let output = Command::new("sh")
        .arg("-c")
        .arg(&frontend.build)
        .current_dir(folder)
        .env("PATH", tools::search_path(folder))
        .env(COMPILED, "yes")
        .envs(std::env::current_exe().ok().map(|program| (PROGRAM, program)))
        .output()
        .map_err(|error| CliError::environment(format!("sh: {error}"), "install a POSIX shell"))?;
    if output.status.success() {
        return Ok(());
    }
    reporter.say(String::from_utf8_lossy(&output.stdout));
    reporter.say(String::from_utf8_lossy(&output.stderr));
    reporter.say(format!("error: the frontend's build `{}` failed ({})", frontend.build, output.status));
    Err(CliError::Project)
}

/// Refuses a folder that is no project before anything is made in it.
pub(super) fn ensure_project(folder: &Path, reporter: Reporter) -> Result<(), CliError> {
    if folder.join(project::CONFIG).exists() {
        return Ok(());
    }
    let loaded = project::load(&OsSystem::new(folder)?);
    reporter.diagnostics(&loaded.sources, &loaded.diagnostics);
    Err(CliError::Project)
}

/// Loads the secrets and says so when they are new.
pub(super) fn secrets(folder: &Path, reporter: Reporter) -> Result<Secrets, CliError> {
    let secrets = Secrets::load_or_create(folder)?;
    if secrets.created {
        reporter.say("wrote new development keys to .dev.vars (keep it out of version control)");
    }
    Ok(secrets)
}

/// Reports what a phase found; its value only if none of it is an error.
pub(super) fn compiled<T>(
    folder: &Path,
    loaded: &Loaded,
    reporter: Reporter,
    phase: impl FnOnce(&Loaded) -> Outcome<T>,
) -> Result<T, CliError> {
    let outcome = phase(loaded);
    syntax::report(folder, &loaded.sources, &outcome.diagnostics, reporter);
    let failed = outcome.diagnostics.iter().any(|diagnostic| diagnostic.severity == Severity::Error);
    outcome.value.filter(|_| !failed).ok_or(CliError::Project)
}

/// The gateway and the entry beside the staged server modules.
fn gateway_files() -> Result<Files, CliError> {
    let gateway = gateway::files().map_err(|error| CliError::Environment(error.to_string()))?;
    let mut files: Files =
        gateway.iter().map(|(name, bytes)| (format!("{STAGE}/{name}"), bytes.to_vec())).collect();
    files.insert(format!("{STAGE}/worker.js"), gateway::ENTRY.as_bytes().to_vec());
    Ok(files)
}

/// The lock and the migrations.
pub(super) fn is_history(path: &str) -> bool {
    path == "kontract.lock.json" || path.starts_with("migrations/")
}

/// What a Worker is made of, bundled or not.
pub(super) fn is_of_worker(path: &str) -> bool {
    is_below(path, &[STAGE, BUNDLED, worker::OUT])
}

fn is_staged(path: &str) -> bool {
    is_below(path, STAGED)
}

pub(super) fn is_below(path: &str, folders: &[&str]) -> bool {
    folders.iter().any(|folder| path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/')))
}

pub(super) type Files = Artifacts;

/// What esbuild and workerd read.
const STAGED: &[&str] = &[STAGE, stubgen::DIRECT];
/// Where esbuild finds the server.
pub(super) const STAGE: &str = ".kontract/server";
/// Tells the frontend's build that the compiler has run: `kontract/vite` would otherwise run it.
const COMPILED: &str = "KONTRACT_COMPILED";
/// Tells `kontract/vite` which program to ask.
const PROGRAM: &str = "KONTRACT_BIN";
