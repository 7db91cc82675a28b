//! `kontract dev`: the app on workerd with a database, rebuilt when sources change.

use super::args::DevArgs;
use super::build;
use super::check;
use super::error::CliError;
use super::last::{Edit, Last};
use super::migrate::{self, OtherKey, Restored};
use super::os_system::OsSystem;
use super::report::Reporter;
use super::secrets::Secrets;
use super::unbundled::{self, Kept};
use crate::artifact::Artifacts;
use crate::bundle::config::{ORIGINS, TRACE, unbundled_capnp};
use crate::dev::database::{Cluster, ClusterError, ClusterOptions, Embedded};
use crate::dev::modules::{DOOR, ModuleServer, Modules};
use crate::dev::trace::Traces;
use crate::dev::watch::{Changes, Wake, Watch};
use crate::dev::workerd::{Workerd, WorkerdOptions};
use crate::migrate::connect;
use crate::project::{self, Project};
use crate::recheck::{Compiled, Rechecked};
use postgres::config::{Host, SslMode};
use serde_json::{Value, json};
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

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
        next: None,
        listener: None,
        port: args.port,
        inspect: args.inspect,
        frontend: !args.no_frontend,
        unserved: false,
        migrated: false,
        last: None,
        changes: Changes::default(),
        kept: Kept::default(),
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

/// What is found of a project.
enum Seen {
    /// The last build, but for modules of the Worker.
    Edited(Edit),
    /// Perhaps another one, and what it is compiled to, if that is known already.
    Other(Rechecked, Option<Box<Compiled>>),
}

/// What a Worker is made of.
enum Handed {
    /// What lies in [`BUNDLED`].
    Bundle,
    /// Modules that are handed out one by one.
    Modules(Modules),
}

struct Server {
    folder: PathBuf,
    reporter: Reporter,
    secrets: Secrets,
    database: Database,
    workerd: Option<Workerd>,
    /// The Worker of an edit, which waits for it to be the last one.
    next: Option<(Edit, Workerd)>,
    /// Where all of them answer, from the first on.
    listener: Option<TcpListener>,
    /// The port asked for; 0 picks a free one.
    port: u16,
    /// The same for debuggers, and once one was chosen, that one.
    inspect: Option<u16>,
    /// Whether the frontend's own build runs.
    frontend: bool,
    /// Whether files of the Worker changed since it was started.
    unserved: bool,
    /// Whether the database has every migration of the last build.
    migrated: bool,
    /// The last build, unless it failed.
    last: Option<Last>,
    /// What has been looked at since.
    changes: Changes,
    /// What the last build left for the next.
    kept: Kept,
}

impl Server {
    /// The first build. When watching, an error of the project is waited out; it is what is being worked on.
    fn start(&mut self, watch: &Watch, once: bool) -> Result<Started, CliError> {
        let mut seen = self.look(&OsSystem::new(&self.folder)?, watch);
        loop {
            match self.rebuild(seen) {
                Ok(_) => break,
                Err(CliError::Project) if !once => self.reporter.say("waiting for changes"),
                Err(error) => return Err(error),
            }
            let changed = wait_for_change(watch) == Wake::Changed;
            let Some(again) = changed.then(|| self.settled(watch)).transpose()?.flatten() else {
                return Ok(Started::Stopped);
            };
            seen = again;
        }
        let url = format!("http://127.0.0.1:{}", self.listening_port());
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
        let mut quiet = 0;
        loop {
            match watch.next() {
                Wake::Stop => break,
                Wake::Changed => {
                    quiet = 0;
                    let Some(seen) = self.settled(watch)? else { break };
                    let rebuilt = self.rebuild(seen);
                    self.report("rebuilt", rebuilt);
                }
                Wake::Tick => {
                    if self.workerd.as_mut().is_some_and(Workerd::has_ended) {
                        return Err(CliError::environment("workerd has ended", "its own words are above"));
                    }
                    quiet += 1;
                    if quiet > COMPLETED_AFTER && self.last.as_ref().is_some_and(|last| last.is_patched) {
                        let completed = self.complete(watch);
                        self.report("completed", completed);
                    }
                }
            }
        }
        (self.next, self.workerd) = (None, None);
        self.reporter.event("stopped", json!({}));
        Ok(())
    }

    /// What is there once nothing changes any more; `None` when asked to stop. It is looked at while that is waited for, and what an edit
    /// leaves of the Worker starts meanwhile.
    fn settled(&mut self, watch: &Watch) -> Result<Option<Seen>, CliError> {
        let system = OsSystem::new(&self.folder)?;
        loop {
            let began = Instant::now();
            let seen = self.look(&system, watch);
            self.prepare(&seen);
            match watch.settle(began) {
                Wake::Changed => {}
                Wake::Tick => return Ok(Some(seen)),
                Wake::Stop => return Ok(None),
            }
        }
    }

    /// Where it is known what changed, nothing else is looked at: what nobody could tell of is found when the build is completed.
    fn look(&mut self, system: &OsSystem, watch: &Watch) -> Seen {
        self.changes.extend(watch.take());
        let last = self.last.as_ref().filter(|_| self.is_up());
        if let (Some(last), Changes::Of(paths)) = (last, &self.changes)
            && let Some(edit) = last.edit_of(paths, system)
        {
            return Seen::Edited(edit);
        }
        let (checked, compiled) = build::find(system, &self.secrets);
        match last.and_then(|last| last.edit_to(&checked, system)) {
            Some(edit) => Seen::Edited(edit),
            None => Seen::Other(checked, compiled.map(Box::new)),
        }
    }

    /// Starts the Worker of an edit beside the one that serves, and ends that of an edit that is no longer the last one.
    fn prepare(&mut self, seen: &Seen) {
        let (Seen::Edited(edit), Some(last)) = (seen, &self.last) else {
            self.next = None;
            return;
        };
        if self.next.as_ref().is_some_and(|(prepared, _)| prepared == edit) {
            return;
        }
        self.next = None;
        // A debugger's port has one owner.
        if self.inspect.is_none() && !edit.files.is_empty() && last.are_served_as_staged(&edit.files) {
            let (project, modules) = (last.project.clone(), self.patched(edit.files.clone()));
            // One that cannot be started is started again when its turn comes, and then the user is told why.
            let workerd = self.launch(&project, Handed::Modules(modules)).ok();
            self.next = workerd.map(|workerd| (edit.clone(), workerd));
        }
    }

    /// An error is reported and waited out: the next change may mend it, and what was built before goes on running.
    fn report(&self, event: &str, outcome: Result<Vec<String>, CliError>) {
        match outcome {
            // What completes a build is of no interest unless it changes something.
            Ok(changed) if event == "completed" && changed.is_empty() => {}
            Ok(changed) => {
                self.reporter.say(event);
                self.reporter.event(event, json!({ "changed": changed }));
            }
            Err(CliError::Project) => self.reporter.say("waiting for changes"),
            Err(error) => {
                self.reporter.say(format!("error: {error}"));
                self.reporter.event("error", json!({ "message": error.to_string() }));
            }
        }
    }

    /// Brings up to date what is served; the files that changed. A Worker whose files are the same goes on running.
    fn rebuild(&mut self, seen: Seen) -> Result<Vec<String>, CliError> {
        let system = OsSystem::new(&self.folder)?;
        let (checked, compiled) = match seen {
            Seen::Other(checked, compiled) => (checked, compiled.map(|compiled| *compiled)),
            Seen::Edited(edit) => match self.patch(&edit, &system)? {
                Some(changed) => return Ok(changed),
                None => build::find(&system, &self.secrets),
            },
        };
        self.build(checked, compiled)
    }

    /// Serves edited modules in the place of those that are served; `None` where the Worker has to be bundled.
    fn patch(&mut self, edit: &Edit, system: &OsSystem) -> Result<Option<Vec<String>>, CliError> {
        let (Some(mut last), next) = (self.last.take(), self.next.take()) else { return Ok(None) };
        let project = last.project.clone();
        let changed = edit.files.keys().cloned().collect();
        if !edit.files.is_empty() {
            last.patch(edit, system, &self.folder)?;
            let Some(lowered) = unbundled::lowered(&self.folder, system, last.links(), &mut self.kept)?
            else {
                return Ok(None);
            };
            match next.filter(|(prepared, _)| prepared == edit) {
                Some((_, workerd)) => self.replace(workerd)?,
                None => {
                    let files = edit.files.iter().map(|(path, bytes)| (path.clone(), bytes.clone()));
                    let modules = self.patched(files.chain(lowered).collect());
                    self.restart(&project, Handed::Modules(modules))?;
                }
            }
        }
        self.last = Some(last);
        self.changes = Changes::default();
        self.serve_frontend(&project)?;
        Ok(Some(changed))
    }

    /// Makes what an edit of the Worker's modules left as it was: positions in maps, what was searched, pages of the API.
    fn complete(&mut self, watch: &Watch) -> Result<Vec<String>, CliError> {
        self.changes.extend(watch.take());
        let (checked, compiled) = build::find(&OsSystem::new(&self.folder)?, &self.secrets);
        self.last = None;
        self.build(checked, compiled)
    }

    fn serve_frontend(&self, project: &Project) -> Result<(), CliError> {
        if self.frontend { build::frontend(&self.folder, project, self.reporter) } else { Ok(()) }
    }

    /// Builds everything, and serves it where it is another Worker than before.
    fn build(&mut self, checked: Rechecked, compiled: Option<Compiled>) -> Result<Vec<String>, CliError> {
        // What is wrong is known from the cache long before everything has been read again.
        check::refuse_errors(&self.folder, &checked, self.reporter)?;
        let system = OsSystem::new(&self.folder)?;
        // A build that fails may have written files before.
        let unserved = std::mem::replace(&mut self.unserved, true);
        let migrated = std::mem::replace(&mut self.migrated, false);
        let options = build::Options {
            mode: build::Mode::Development,
            frontend: self.frontend,
            evolution: build::Evolution::default(),
        };
        let (kept, reporter) = (&mut self.kept, self.reporter);
        let mut built = build::build(&self.folder, &self.secrets, options, compiled, kept, reporter)?;
        let last = Last::of(checked, &mut built, &system);
        let build::Built { project, changed, modules, .. } = built;
        self.unserved = unserved || changed.iter().any(|path| build::is_of_worker(path));
        // The lock has the hash of every migration.
        self.migrated = migrated && !changed.iter().any(|path| build::is_history(path));
        (self.last, self.changes) = (last, Changes::default());
        if self.workerd.is_some() && !self.unserved {
            return Ok(changed);
        }
        if !self.migrated {
            let (url, consent) = (self.database.admin_url(), (Restored::Refuse, self.database.other_key()));
            migrate::up(&self.folder, url, Some(&self.secrets), consent, self.reporter)?;
            migrate::gc(self.database.admin_url(), self.reporter)?;
            self.migrated = true;
        }
        self.restart(&project, modules.map_or(Handed::Bundle, Handed::Modules))?;
        Ok(changed)
    }

    /// Serves another Worker.
    fn restart(&mut self, project: &Project, handed: Handed) -> Result<(), CliError> {
        self.unserved = true;
        // One that has its modules would answer at once, and a debugger's port has one owner.
        if self.inspect.is_some() || matches!(handed, Handed::Bundle) {
            self.workerd = None;
        }
        let workerd = self.launch(project, handed)?;
        self.replace(workerd)
    }

    /// Ends the Worker that serves, and has this one serve.
    fn replace(&mut self, mut workerd: Workerd) -> Result<(), CliError> {
        self.unserved = true;
        self.workerd = None;
        workerd.serve()?;
        self.inspect = workerd.inspector_port();
        self.workerd = Some(workerd);
        self.unserved = false;
        Ok(())
    }

    /// Whether what was built last is served.
    fn is_up(&self) -> bool {
        self.workerd.is_some() && !self.unserved && self.migrated
    }

    /// The modules that are served, with some of them in the place of others.
    fn patched(&self, files: Artifacts) -> Modules {
        let served = self.workerd.as_ref().and_then(Workerd::modules);
        let mut modules = served.map(|served| Modules::clone(served)).unwrap_or_default();
        modules.extend(files.into_iter().map(|(path, bytes)| (path, Arc::new(bytes))));
        modules
    }

    /// Starts a Worker, which waits for [`Self::replace`] if it asks for its modules.
    fn launch(&mut self, project: &Project, handed: Handed) -> Result<Workerd, CliError> {
        let (server, modules) = match handed {
            Handed::Bundle => (BUNDLED, None),
            Handed::Modules(modules) => (build::STAGE, Some(self.hand_out(modules)?)),
        };
        if self.listener.is_none() {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, self.port));
            self.listener = Some(listener.map_err(|error| {
                CliError::environment(
                    format!("port {}: {error}", self.port),
                    "if it is taken, choose another one with --port",
                )
            })?);
        }
        Workerd::launch(self.workerd_options(project, server, modules)?)
    }

    /// Gives modules to who starts with the configuration that this writes.
    fn hand_out(&self, modules: Modules) -> Result<ModuleServer, CliError> {
        let modules = ModuleServer::start(modules).map_err(|error| {
            CliError::environment(
                format!("a socket for modules: {error}"),
                "check the folder for temporary files",
            )
        })?;
        let capnp = unbundled_capnp(build::STAGE, STARTED, DOOR, &modules.address());
        let path = self.folder.join(build::STAGE).join("workerd.capnp");
        std::fs::write(&path, capnp).map_err(|error| {
            CliError::environment(
                format!("{}: {error}", path.display()),
                "check the permissions of .kontract",
            )
        })?;
        Ok(modules)
    }

    fn workerd_options<'o>(
        &'o self,
        project: &Project,
        server: &'static str,
        modules: Option<ModuleServer>,
    ) -> Result<WorkerdOptions<'o>, CliError> {
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
        let listener = self.listener.as_ref().expect("invariant: bound before the first launch");
        Ok(WorkerdOptions {
            project: &self.folder,
            server: self.folder.join(server),
            traces: self.traces(modules.as_ref().map(ModuleServer::modules)),
            objects,
            assets,
            listener,
            modules,
            inspect: self.inspect,
            environment,
            on_request: Box::new(move |facts| report_request(reporter, facts)),
        })
    }

    /// Reads the maps of a Worker.
    fn traces(&self, modules: Option<&Arc<Modules>>) -> Box<dyn Fn() -> Traces> {
        let Some(modules) = modules.map(Arc::clone) else {
            let folder = self.folder.join(BUNDLED);
            return Box::new(move || {
                let folder = folder.clone();
                Traces::of(BUNDLED, Box::new(move |name| std::fs::read_to_string(folder.join(name)).ok()))
            });
        };
        Box::new(move || {
            let modules = Arc::clone(&modules);
            Traces::of(
                "",
                Box::new(move |name| Some(String::from_utf8_lossy(modules.get(name)?).into_owned())),
            )
        })
    }

    fn listening_port(&self) -> u16 {
        let address = self.listener.as_ref().and_then(|listener| listener.local_addr().ok());
        address.map_or(self.port, |address| address.port())
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
/// How long nothing has to change before the rest of a build is made, in [`Wake::Tick`]s. The next edit would have to wait for it.
const COMPLETED_AFTER: u32 = 3;
/// Where a bundled Worker is.
const BUNDLED: &str = "dist/server";
/// The staged modules that a Worker starts with; it comes with the first, and asks for what these import.
const STARTED: &[&str] =
    &["worker.js", "gateway.js", "kontract.wasm", "identity.json", "routes.js", "tables.js", "pages.js"];
