//! `kontract dev`: the app on workerd with a database, rebuilt when sources change.

use super::args::DevArgs;
use super::build;
use super::cache_folder::CacheFolder;
use super::check;
use super::error::CliError;
use super::migrate::{self, OtherKey, Restored};
use super::os_system::OsSystem;
use super::report::Reporter;
use super::secrets::Secrets;
use crate::bundle::config::{ORIGINS, TRACE};
use crate::dev::database::{Cluster, ClusterError, ClusterOptions, Embedded};
use crate::dev::watch::{Wake, Watch};
use crate::dev::workerd::{Workerd, WorkerdOptions};
use crate::migrate::connect;
use crate::project::{self, Project};
use crate::recheck::{Basis, SETTLED_NS, Store as _};
use crate::system::{Stamp, System as _};
use postgres::config::{Host, SslMode};
use rayon::iter::{IntoParallelRefIterator as _, ParallelIterator as _};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Serves until it is asked to stop.
pub(super) fn run(args: &DevArgs, reporter: Reporter) -> Result<(), CliError> {
    let folder = args.project.project.canonicalize().map_err(|error| {
        CliError::environment(
            format!("{}: {error}", args.project.project.display()),
            "give the project's folder with --project",
        )
    })?;
    build::ensure_project(&folder, reporter)?;
    let frontend = project::load(&OsSystem::new(&folder)?).project.and_then(|project| project.frontend);
    let outputs = frontend.map(|frontend| frontend.dist);
    // Before the watch: new keys are written into the project and would count as a change.
    let secrets = build::secrets(&folder, reporter)?;
    let watch = Watch::start(&folder, !args.once, outputs.as_deref())?;
    let database = Database::open(&folder, args.database_url.as_deref(), reporter)?;
    let mut server = Server {
        folder,
        reporter,
        secrets,
        database,
        workerd: None,
        port: args.port,
        inspect: args.inspect,
        frontend: !args.no_frontend,
        unserved: false,
        migrated: false,
        last: None,
    };
    match server.start(&watch, args.once)? {
        Started::Serving => server.serve(&watch),
        Started::Stopped => Ok(()),
    }
}

/// How the first build ended.
enum Started {
    Serving,
    /// Asked to stop before anything could be served.
    Stopped,
}

struct Server {
    folder: PathBuf,
    reporter: Reporter,
    secrets: Secrets,
    database: Database,
    workerd: Option<Workerd>,
    /// The port asked for, and once one was chosen, that one.
    port: u16,
    /// The same for debuggers.
    inspect: Option<u16>,
    /// Whether the frontend's own build runs.
    frontend: bool,
    /// Whether files of the Worker changed since it was started.
    unserved: bool,
    /// Whether the database has every migration of the last build.
    migrated: bool,
    /// The last build, unless it failed.
    last: Option<Last>,
}

/// A build that is still the one of the sources while nothing that it was made from has changed, nor what it made.
struct Last {
    project: Project,
    basis: Basis,
    stamps: Vec<(String, Option<Stamp>)>,
}

impl Last {
    /// `None` for a build of other texts than those of the basis.
    fn of(basis: Option<Basis>, built: &build::Built, system: &OsSystem) -> Option<Self> {
        let basis = basis.filter(|basis| basis.is_of(&built.contents))?;
        let made: BTreeSet<&str> = built.outputs.iter().map(String::as_str).collect();
        let now_ns = CacheFolder::of(system).now_ns();
        // What changes twice within one step of the file system's clock has one stamp.
        let settled = |path: &str, stamp: &Stamp| {
            made.contains(path)
                || stamp.modified_ns.max(stamp.changed_ns).saturating_add(SETTLED_NS) <= now_ns
        };
        let packages = built.inputs.iter().filter_map(|input| manifest_of(input));
        let read = built.inputs.iter().cloned().chain(packages).chain(READ_BY_ESBUILD.map(str::to_owned));
        let paths: BTreeSet<String> = read.chain(built.outputs.iter().cloned()).collect();
        let stamped = |path: String| {
            let stamp = system.stamp(&path).filter(|stamp| settled(&path, stamp));
            (path, stamp)
        };
        Some(Self { project: built.project.clone(), basis, stamps: paths.into_iter().map(stamped).collect() })
    }

    fn holds(&self, basis: Option<&Basis>, system: &OsSystem) -> bool {
        basis == Some(&self.basis) && self.stamps.par_iter().all(|(path, stamp)| system.stamp(path) == *stamp)
    }
}

/// `node_modules/@a/b/c/d.js` → `node_modules/@a/b/package.json`
fn manifest_of(input: &str) -> Option<String> {
    let start = input.rfind(PACKAGES)? + PACKAGES.len();
    let parts = if input[start..].starts_with('@') { 2 } else { 1 };
    let name = input[start..].split('/').take(parts).collect::<Vec<_>>().join("/");
    Some(format!("{}{name}/package.json", &input[..start]))
}

impl Server {
    /// The first build. When watching, an error of the project is waited out; it is what is being worked on.
    fn start(&mut self, watch: &Watch, once: bool) -> Result<Started, CliError> {
        loop {
            match self.rebuild() {
                Ok(_) => break,
                Err(CliError::Project) if !once => self.reporter.say("waiting for changes"),
                Err(error) => return Err(error),
            }
            if wait_for_change(watch) == Wake::Stop {
                return Ok(Started::Stopped);
            }
        }
        let url = format!("http://127.0.0.1:{}", self.port);
        self.reporter.say(format!("ready: {url}"));
        let mut ready = json!({ "url": url, "databaseUrl": self.database.admin_url() });
        if let (Some(port), Some(ready)) = (self.inspect, ready.as_object_mut()) {
            let inspector = format!("http://127.0.0.1:{port}");
            self.reporter.say(format!("debuggers attach at {inspector}"));
            ready.insert("inspectorUrl".to_owned(), inspector.into());
        }
        self.reporter.event("ready", ready);
        Ok(Started::Serving)
    }

    fn serve(&mut self, watch: &Watch) -> Result<(), CliError> {
        loop {
            match watch.next() {
                Wake::Stop => break,
                Wake::Changed => self.rebuild_and_report(),
                Wake::Tick => {
                    if self.workerd.as_mut().is_some_and(Workerd::has_ended) {
                        return Err(CliError::environment("workerd has ended", "its own words are above"));
                    }
                }
            }
        }
        self.workerd = None;
        self.reporter.event("stopped", json!({}));
        Ok(())
    }

    /// An error is reported and waited out: the next change may mend it, and what was built before goes on running.
    fn rebuild_and_report(&mut self) {
        match self.rebuild() {
            Ok(changed) => {
                self.reporter.say("rebuilt");
                self.reporter.event("rebuilt", json!({ "changed": changed }));
            }
            Err(CliError::Project) => self.reporter.say("waiting for changes"),
            Err(error) => {
                self.reporter.say(format!("error: {error}"));
                self.reporter.event("error", json!({ "message": error.to_string() }));
            }
        }
    }

    /// Brings everything up to date; the files that changed. A Worker whose files are the same goes on running.
    fn rebuild(&mut self) -> Result<Vec<String>, CliError> {
        // What is wrong is known from the cache long before everything has been read again.
        let system = OsSystem::new(&self.folder)?;
        let basis = check::refuse_errors(&system, self.reporter)?;
        let last = self.last.take();
        if let Some(last) = last.filter(|last| self.is_up() && last.holds(basis.as_ref(), &system)) {
            if self.frontend {
                build::frontend(&self.folder, &last.project, self.reporter)?;
            }
            self.last = Some(last);
            return Ok(Vec::new());
        }
        // A build that fails may have written files before.
        let unserved = std::mem::replace(&mut self.unserved, true);
        let migrated = std::mem::replace(&mut self.migrated, false);
        let options = build::Options {
            mode: build::Mode::Development,
            frontend: self.frontend,
            evolution: build::Evolution::default(),
        };
        let built = build::build(&self.folder, &self.secrets, options, self.reporter)?;
        let last = Last::of(basis, &built, &system);
        let build::Built { project, changed, .. } = built;
        self.unserved = unserved || changed.iter().any(|path| path.starts_with("dist/server/"));
        // The lock has the hash of every migration.
        self.migrated = migrated && !changed.iter().any(|path| build::is_history(path));
        self.last = last;
        if self.workerd.is_some() && !self.unserved {
            return Ok(changed);
        }
        if !self.migrated {
            let (url, consent) = (self.database.admin_url(), (Restored::Refuse, self.database.other_key()));
            migrate::up(&self.folder, url, Some(&self.secrets), consent, self.reporter)?;
            migrate::gc(self.database.admin_url(), self.reporter)?;
            self.migrated = true;
        }
        // The port has to be free before the next process can take it.
        self.workerd = None;
        let workerd = Workerd::start(self.workerd_options(&project)?)?;
        self.port = workerd.port();
        self.inspect = workerd.inspector_port();
        self.workerd = Some(workerd);
        self.unserved = false;
        Ok(changed)
    }

    /// Whether what was built last is served.
    fn is_up(&self) -> bool {
        self.workerd.is_some() && !self.unserved && self.migrated
    }

    fn workerd_options(&self, project: &Project) -> Result<WorkerdOptions<'_>, CliError> {
        let objects = self.folder.join(".kontract/objects");
        let assets = match &project.frontend {
            Some(frontend) => self.folder.join(&frontend.dist),
            None => self.folder.join(".kontract/no-frontend"),
        };
        for path in [&objects, &assets] {
            std::fs::create_dir_all(path).map_err(|error| {
                CliError::environment(
                    format!("{}: {error}", path.display()),
                    "check the project's permissions",
                )
            })?;
        }
        let mut environment: Vec<(&'static str, String)> = self.secrets.variables().into();
        environment.push(("DATABASE_URL", self.gateway_url()?));
        environment.push((TRACE, "yes".to_owned()));
        environment.extend(self.secrets.origins.clone().map(|origins| (ORIGINS, origins)));
        let reporter = self.reporter;
        Ok(WorkerdOptions {
            project: &self.folder,
            server: self.folder.join("dist/server"),
            objects,
            assets,
            port: self.port,
            inspect: self.inspect,
            environment,
            on_request: Box::new(move |facts| report_request(reporter, facts)),
        })
    }

    /// The database's address for the gateway's own role.
    fn gateway_url(&self) -> Result<String, CliError> {
        let bad =
            |cause: String| CliError::environment(cause, "use postgres://user:password@host:port/database");
        let (config, _) =
            connect::parse(self.database.admin_url()).map_err(|error| bad(error.to_string()))?;
        // workerd verifies by its own authorities, whatever the administrator's URL asks for.
        let mode = match config.get_ssl_mode() {
            SslMode::Require => "?sslmode=verify-full",
            _ => "",
        };
        let host = match config.get_hosts() {
            [Host::Tcp(host)] => host,
            _ => return Err(bad("the database's URL must name one host".to_owned())),
        };
        let port = config.get_ports().first().copied().unwrap_or(5432);
        let database = config.get_dbname().or(config.get_user()).unwrap_or("postgres");
        let password = self.secrets.identity_key().database_password();
        Ok(format!("postgres://kt_gateway:{password}@{host}:{port}/{database}{mode}"))
    }
}

/// One call that the Worker answered: a `request` event, and a line for people where it had to run again.
fn report_request(reporter: Reporter, facts: Value) {
    let again = facts["conflicts"].as_u64().unwrap_or(0) + facts["lost"].as_u64().unwrap_or(0);
    if again > 0 {
        let name = facts["name"].as_str().unwrap_or_default();
        reporter.say(format!("{name} ran again: {facts}"));
    }
    reporter.event("request", facts);
}

fn wait_for_change(watch: &Watch) -> Wake {
    loop {
        match watch.next() {
            Wake::Tick => {}
            wake @ (Wake::Changed | Wake::Stop) => return wake,
        }
    }
}

/// The database of a development server.
enum Database {
    /// Given by its user.
    Given(String),
    /// Started here; ends with this process.
    Embedded {
        /// Keeps the server running.
        _cluster: Cluster,
        url: String,
    },
}

impl Database {
    fn open(folder: &Path, given: Option<&str>, reporter: Reporter) -> Result<Self, CliError> {
        if let Some(url) = given {
            return Ok(Self::Given(url.to_owned()));
        }
        reporter.say("starting the embedded PostgreSQL");
        let start = || -> Result<Self, ClusterError> {
            let embedded = Embedded::locate_or_fetch(&cache_folder())?;
            let data = folder.join(".kontract/postgres");
            let cluster = Cluster::start(embedded.bin_dir(), &data, ClusterOptions { durable: false })?;
            cluster.create_database(DATABASE)?;
            let url = cluster.url("postgres", DATABASE);
            Ok(Self::Embedded { _cluster: cluster, url })
        };
        start().map_err(|error| {
            CliError::environment(error, "or give a database of your own with --database-url")
        })
    }

    /// The embedded one is nobody else's.
    fn other_key(&self) -> OtherKey {
        match self {
            Self::Given(_) => OtherKey::Refuse,
            Self::Embedded { .. } => OtherKey::Replace,
        }
    }

    fn admin_url(&self) -> &str {
        match self {
            Self::Given(url) | Self::Embedded { url, .. } => url,
        }
    }
}

/// Where programs that were fetched once are kept, as the XDG base directory specification has it.
fn cache_folder() -> PathBuf {
    let home = || std::env::home_dir().unwrap_or_else(std::env::temp_dir).join(".cache");
    std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from).unwrap_or_else(home).join("kontract")
}

const DATABASE: &str = "kontract";
const PACKAGES: &str = "node_modules/";
/// What esbuild looks at besides modules.
const READ_BY_ESBUILD: [&str; 2] = ["package.json", "node_modules/.package-lock.json"];
