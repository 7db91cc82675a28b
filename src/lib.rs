//! kontract: a source-to-source compiler for full-stack TypeScript.
//!
//! ```text
//! project::load   files            → Sources, Project
//! parse::parse    Sources          → ModuleGraph
//! parse::extract  ModuleGraph      → Contract
//! contract::check Contract         → CheckedContract
//! split::split    graph + contract → SplitModules, Evidence
//! stubgen         contract + split → stubs, codecs, routes, schema, manifest
//! Evidence::prove client files      → LeakFree<ClientFiles>
//! ```
//!
//! [`compile`] is this pipeline; everything in it is a pure function. The file system, processes and the terminal belong
//! to [`cli`], [`dev`] and [`bundle`].

pub mod artifact;
pub mod bundle;
mod cache;
pub mod cli;
pub mod contract;
pub mod cookbook;
pub mod dev;
pub mod diag;
pub mod emit;
mod gist;
pub mod migrate;
pub mod parse;
pub mod project;
pub mod recheck;
pub mod source;
pub mod split;
pub mod stubgen;
pub mod system;
pub mod typecheck;

use artifact::Artifacts;
use contract::{CheckedContract, Contract, FieldRename, RenameFault, WireIds};
use cookbook::{Book, BookOptions};
use diag::{Code, Diagnostic, Outcome};
use emit::sourcemap::SourceMap;
use migrate::compat::Break;
use migrate::{Lock, LockError, MigrationFile, MigrationPlan, Refusal};
use parse::ModuleGraph;
use parse::extract::Extracted;
use parse::types::naming::Naming;
use project::{Loaded, Project};
use source::{FileId, Sources};
use split::links::Links;
use split::recipe::Recipe;
use split::{ClientFiles, ClientModule, Evidence, LeakFree, SplitModules, SplitOptions};
use std::collections::{BTreeMap, BTreeSet};
use stubgen::{ChainRef, ClientRest, Identity, PinnedKey, Pins, StubError, StubInput, WireSchema};
use system::{System, SystemError};

/// A project that has no errors: its client's half, and the way of its databases.
pub struct Checked(Halves);

impl Checked {
    /// Whether clients get statements, which are searched for what is the server's.
    fn has_client_statements(&self) -> bool {
        self.0.modules.client.values().any(|client| !client.statements.is_empty())
    }

    /// The modules of which every word was looked at: those that middlewares are written in, and of which clients get more
    /// than stubs.
    fn read_whole(&self, graph: &ModuleGraph) -> BTreeSet<FileId> {
        let Halves { contract, modules, .. } = &self.0;
        let middleware = contract.contract().middleware.iter().map(|middleware| middleware.file);
        let printed = |file: &FileId| {
            let client = modules.client.get(&graph.output_of(*file));
            client.is_some_and(|client| !client.statements.is_empty())
        };
        middleware.chain(graph.with_trees().filter(printed)).collect()
    }
}

/// [`Checked`], or with the server's half what a build is made of.
struct Halves {
    project: Project,
    contract: CheckedContract,
    extraction: Extraction,
    modules: SplitModules,
    plan: MigrationPlan,
}

/// How a graph is split.
type Split<'s> = &'s dyn Fn(&ModuleGraph, &CheckedContract, SplitOptions) -> Outcome<SplitModules>;

/// Finds everything that is wrong with a project.
pub fn check(system: &dyn System, loaded: &Loaded) -> Outcome<Checked> {
    read(loaded).and_then(|project| {
        parse::parse(&loaded.sources, &project)
            .and_then(|graph| check_graph(system, project, &graph, &split::check))
    })
}

fn read(loaded: &Loaded) -> Outcome<Project> {
    match &loaded.project {
        Some(project) => Outcome::with(project.clone(), loaded.diagnostics.clone()).stop_on_errors(),
        None => Outcome::failed(loaded.diagnostics.clone()),
    }
}

/// [`check`] from where the modules are known. Split as [`whole`] says, they say the same, and can be [`generated`] from.
fn check_graph(
    system: &dyn System,
    project: Project,
    graph: &ModuleGraph,
    split: Split<'_>,
) -> Outcome<Checked> {
    halves(system, project, graph, split).and_then(|halves| {
        // A build would find out that something has no layout.
        lay_out(&halves.contract, &halves.plan.lock.wire, &CompileInput::default())
            .and_then(|_| Outcome::of(Checked(halves)))
    })
}

fn halves(system: &dyn System, project: Project, graph: &ModuleGraph, split: Split<'_>) -> Outcome<Halves> {
    extracted(graph).and_then(|(contract, extraction)| {
        let options = split_options(&project, graph);
        graph.certain(split(graph, &contract, options)).and_then(|modules| {
            // A contract without some of its tables would look as if they had been removed.
            if !graph.is_whole() {
                return Outcome::failed(Vec::new());
            }
            plan(system, &contract)
                .and_then(|plan| Outcome::of(Halves { project, contract, extraction, modules, plan }))
        })
    })
}

fn split_options(project: &Project, graph: &ModuleGraph) -> SplitOptions {
    let stubs = project.frontend.as_ref().is_some_and(|frontend| frontend.plugin);
    let pages = project.ssr.as_deref().and_then(|path| graph.sources().id(path));
    SplitOptions { optimize: project.optimize, stubs, pages, unbundled: None }
}

/// What the modules of a graph promise.
pub fn contract(graph: &ModuleGraph) -> Outcome<CheckedContract> {
    extracted(graph).and_then(|(contract, _)| Outcome::of(contract))
}

/// [`contract`], and what it takes to extract some modules of it again.
fn extracted(graph: &ModuleGraph) -> Outcome<(CheckedContract, Extraction)> {
    let found = parse::extract(graph).and_then(|Extracted { contract, naming, tables }| {
        let checked = contract::check(contract, graph.sources());
        checked.and_then(|contract| Outcome::of((contract, Extraction { naming, tables })))
    });
    graph.certain(found.stop_on_errors())
}

/// Whether a check would have nothing to say of a contract.
fn is_in_order(system: &dyn System, contract: &Contract, sources: &Sources) -> bool {
    let checked = contract::check(contract.clone(), sources).and_then(|contract| {
        plan(system, &contract).and_then(|plan| lay_out(&contract, &plan.lock.wire, &CompileInput::default()))
    });
    checked.value.is_some() && checked.diagnostics.is_empty()
}

/// What is known of an extraction besides the contract.
struct Extraction {
    naming: Naming,
    /// The declaration behind each table's name: its file and its name there.
    tables: Vec<(String, FileId, String)>,
}

/// What a compilation is given besides the project.
#[derive(Debug, Clone, Copy, Default)]
pub struct CompileInput<'a> {
    /// The gateway's static keys that clients pin, the current one first.
    pub keys: &'a [PinnedKey],
    /// The lock of what is deployed, which must go on working with what is compiled.
    pub against: Option<&'a Lock>,
    /// Fields that have other names than the lock says.
    pub renames: &'a [FieldRename],
    /// What becomes of the places of new fields.
    pub places: Places,
    /// Whether the server's modules are served one by one: then, the modules that the platform has without a prefix.
    pub unbundled: Option<&'static [&'static str]>,
}

/// Whether the places that fields have on the wire are for good.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Places {
    /// The lock has them from here on.
    #[default]
    Locked,
    /// Both ends agree on them, and the lock stays as it was.
    Left,
}

/// Compiles a project.
pub fn compile(system: &dyn System, loaded: &Loaded, input: &CompileInput<'_>) -> Outcome<Artifacts> {
    compile_unproven(system, loaded, input).and_then(Unproven::prove)
}

/// [`compile`] for who has to do something with the server's files while those for clients are searched.
pub fn compile_unproven(system: &dyn System, loaded: &Loaded, input: &CompileInput<'_>) -> Outcome<Unproven> {
    read(loaded).and_then(|project| {
        parse::parse(&loaded.sources, &project).and_then(|graph| unproven(system, project, graph, input))
    })
}

/// [`compile_unproven`] from where the modules are known.
fn unproven(
    system: &dyn System,
    project: Project,
    graph: ModuleGraph,
    input: &CompileInput<'_>,
) -> Outcome<Unproven> {
    let sources = graph.sources().clone();
    let halves = halves(system, project, &graph, &whole(input));
    parse::drop_elsewhere(graph);
    halves.and_then(|halves| generated(&sources, halves, input))
}

/// Both halves as they are to be written.
fn whole(
    input: &CompileInput<'_>,
) -> impl Fn(&ModuleGraph, &CheckedContract, SplitOptions) -> Outcome<SplitModules> {
    let unbundled = input.unbundled;
    move |graph, contract, options| split::split(graph, contract, SplitOptions { unbundled, ..options })
}

fn generated(sources: &Sources, mut halves: Halves, input: &CompileInput<'_>) -> Outcome<Unproven> {
    let evidence = std::mem::take(&mut halves.modules.evidence);
    let unbundled = Unbundled {
        links: std::mem::take(&mut halves.modules.links),
        recipes: std::mem::take(&mut halves.modules.recipes),
    };
    lay_out(&halves.contract, &halves.plan.lock.wire, input).and_then(|layout| {
        match generate(sources, halves, layout, input) {
            Ok(artifacts) => Outcome::of(Unproven::of(artifacts, evidence, unbundled)),
            Err(error) => Outcome::failed(vec![stub_diagnostic(&error)]),
        }
    })
}

/// How messages are laid out, and by which places of their fields.
struct Layout {
    schema: WireSchema,
    ids: WireIds,
}

/// Lays messages out, every field where the lock has it.
fn lay_out(contract: &CheckedContract, locked: &WireIds, input: &CompileInput<'_>) -> Outcome<Layout> {
    let (mut renamed, mut faults) = (locked.clone(), Vec::new());
    for rename in input.renames {
        faults.extend(renamed.rename(rename).err().map(|fault| rename_diagnostic(rename, fault)));
    }
    if !faults.is_empty() {
        return Outcome::failed(faults);
    }
    let contract = contract.contract();
    let (schema, ids) = match WireSchema::with_ids(contract, &renamed) {
        Ok(made) => made,
        Err(errors) => return Outcome::failed(errors.iter().map(stub_diagnostic).collect()),
    };
    let lost = input.renames.iter().filter(|rename| !ids.has(rename));
    faults.extend(lost.map(|rename| rename_diagnostic(rename, RenameFault::NotInSource)));
    if !faults.is_empty() {
        return Outcome::failed(faults);
    }
    let broken: Vec<Diagnostic> = match input.against {
        None => Vec::new(),
        Some(old) if !old.has_places() => vec![no_places_diagnostic()],
        Some(old) => {
            let breaks = migrate::compat::breaks(&old.wire, &ids);
            breaks.iter().map(|broken| break_diagnostic(contract, broken)).collect()
        }
    };
    if broken.is_empty() { Outcome::of(Layout { schema, ids }) } else { Outcome::failed(broken) }
}

/// What only the server of a project has, to search pages for it. They have these exports of modules of both sides, by path.
pub fn evidence(loaded: &Loaded, pages: &BTreeMap<String, BTreeSet<String>>) -> Outcome<Evidence> {
    read(loaded).and_then(|project| {
        parse::parse(&loaded.sources, &project).and_then(|graph| {
            contract(&graph).and_then(|contract| {
                let options = split_options(&project, &graph);
                graph.certain(split::evidence(&graph, &contract, options, pages))
            })
        })
    })
}

/// What a project is compiled to, of which the files for clients have not been searched yet.
pub struct Unproven {
    rest: Artifacts,
    client: Artifacts,
    evidence: Evidence,
    unbundled: Unbundled,
}

/// What is known of a server's modules that are served one by one; nothing where they are not.
#[derive(Default)]
pub struct Unbundled {
    /// What each imports and exports, by its path.
    pub links: BTreeMap<String, Links>,
    /// What each is printed from, by the path of its source, where nothing else depends on what its functions do.
    pub recipes: BTreeMap<String, Recipe>,
}

impl Unproven {
    fn of(artifacts: Artifacts, evidence: Evidence, unbundled: Unbundled) -> Self {
        let for_clients = |path: &String| CLIENT_FOLDERS.iter().any(|folder| path.starts_with(folder));
        let (client, rest) = artifacts.into_iter().partition(|(path, _)| for_clients(path));
        Self { rest, client, evidence, unbundled }
    }

    /// The files that are not for clients.
    pub fn rest(&self) -> &Artifacts {
        &self.rest
    }

    /// What is known of the server's modules, where they are to be served one by one.
    pub fn take_unbundled(&mut self) -> Unbundled {
        std::mem::take(&mut self.unbundled)
    }

    /// Lets the files for clients through once they were searched.
    pub fn prove(self) -> Outcome<Artifacts> {
        let Self { rest: mut artifacts, client, evidence, .. } = self;
        // Pinned keys are random and may hold any short text; the module that has them is made of nothing else.
        let pins =
            client.get(PINS).map(|bytes| String::from_utf8_lossy(bytes).into_owned()).unwrap_or_default();
        let vocabulary: Vec<&str> = stubgen::VOCABULARY.iter().copied().chain([pins.as_str()]).collect();
        match evidence.prove(client, &vocabulary).map(LeakFree::into_inner) {
            Ok(ClientFiles { files, report }) => {
                artifacts.extend(files);
                artifacts.insert(LEAK_REPORT.to_owned(), report.into_bytes());
                Outcome::of(artifacts)
            }
            Err(leaks) => Outcome::failed(leaks),
        }
    }
}

/// What TypeScript knows of the code that a project's build generates: the declarations among its artifacts.
pub fn declarations(sources: &Sources, checked: Checked) -> Artifacts {
    let Checked(Halves { project, contract, modules, .. }) = checked;
    // What a client pins is in no declaration.
    let identity = Identity { build_id: [0; 16], route_hash: [0; 32] };
    let pins = Pins { suite: u16::from(project.suite), identity, keys: Vec::new() };
    let input = StubInput {
        project_name: &project.name,
        source_root: &project.source,
        pins: &pins,
        ptrs: &BTreeMap::new(),
        client_modules: &client_modules(modules.client),
        chains: &BTreeMap::new(),
        eager: project.eager,
        pages: project.ssr.as_deref(),
    };
    stubgen::declarations(&contract, sources, &input)
}

/// For each module of which more than endpoints is left for the client, that.
fn client_modules(modules: BTreeMap<String, ClientModule>) -> BTreeMap<String, ClientRest> {
    let rest = |module: ClientModule| ClientRest {
        statements: module.statements,
        declarations: module.declarations,
        passed: module.passed,
    };
    let modules = modules.into_iter().map(|(path, module)| (path, rest(module)));
    modules.filter(|(_, rest)| !rest.statements.is_empty()).collect()
}

/// What databases need to fit the contract, from what the lock says they have.
fn plan(system: &dyn System, contract: &CheckedContract) -> Outcome<MigrationPlan> {
    let (lock, files) = match (read_lock(system), read_migrations(system)) {
        (Ok(lock), Ok(files)) => (lock, files),
        (lock, files) => return Outcome::failed([lock.err(), files.err()].into_iter().flatten().collect()),
    };
    match migrate::plan(contract, &lock, &files) {
        Ok(plan) => Outcome::of(plan),
        Err(refusals) => Outcome::failed(refusals.iter().map(refusal_diagnostic).collect()),
    }
}

fn read_lock(system: &dyn System) -> Result<Lock, Diagnostic> {
    let unusable = |cause: String, help: &str| {
        Diagnostic::error(Code::KT0503, format!("kontract.lock.json cannot be used: {cause}"))
            .why("it says what databases have been given so far, and where each field is on the wire")
            .help(help)
    };
    match read_text(system, LOCK) {
        Ok(text) => Lock::parse(&text).map_err(|error| match error {
            LockError::Conflict { .. } => unusable(error.to_string(), MERGE),
            LockError::Malformed { .. } | LockError::Wire { .. } | LockError::Version { .. } => {
                unusable(error.to_string(), RESTORE)
            }
        }),
        Err(SystemError::NotFound) => Ok(Lock::default()),
        Err(error) => Err(unusable(error.to_string(), RESTORE)),
    }
}

/// The files below `migrations/`, in the order of their names.
fn read_migrations(system: &dyn System) -> Result<Vec<MigrationFile>, Diagnostic> {
    let unreadable = |path: &str, error: &SystemError| {
        Diagnostic::error(Code::KT0502, format!("`{path}` cannot be read: {error}"))
            .why("databases apply every migration in its order")
            .help("make it a readable text file, or put it back from version control")
    };
    let paths = match system.list(MIGRATIONS, &[]) {
        Ok(paths) => paths,
        Err(SystemError::NotFound) => Vec::new(),
        Err(error) => return Err(unreadable(MIGRATIONS, &error)),
    };
    let names = paths.iter().filter_map(|path| Some((path, path.strip_suffix(".sql")?.rsplit('/').next()?)));
    names
        .map(|(path, name)| {
            let sql = read_text(system, path).map_err(|error| unreadable(path, &error))?;
            Ok(MigrationFile { name: name.to_owned(), sql })
        })
        .collect()
}

fn read_text(system: &dyn System, path: &str) -> Result<String, SystemError> {
    String::from_utf8(system.read(path)?).map_err(|_| SystemError::Io("it is not UTF-8".to_owned()))
}

fn generate(
    sources: &Sources,
    halves: Halves,
    layout: Layout,
    input: &CompileInput<'_>,
) -> Result<Artifacts, StubError> {
    let Halves { project, contract, modules, mut plan, .. } = halves;
    let Layout { schema, ids } = layout;
    let pins = Pins {
        suite: u16::from(project.suite),
        identity: Identity::of(contract.contract(), &ids),
        keys: input.keys.to_vec(),
    };
    match input.places {
        Places::Locked => plan.lock.wire = ids,
        Places::Left => {}
    }
    let client_modules = client_modules(modules.client);
    let chain = |(index, chain): (usize, split::Chain)| {
        (index, ChainRef { module: chain.module, export: chain.export })
    };
    let chains: BTreeMap<usize, ChainRef> = modules.chains.into_iter().map(chain).collect();
    let input = StubInput {
        project_name: &project.name,
        source_root: &project.source,
        pins: &pins,
        ptrs: &plan.lock.ptrs(),
        client_modules: &client_modules,
        chains: &chains,
        eager: project.eager,
        pages: project.ssr.as_deref(),
    };
    let mut artifacts = stubgen::generate(&contract, &schema, sources, &input)?;
    let mut maps = modules.maps;
    for (path, text) in modules.server {
        let map = maps.remove(&path).unwrap_or_default();
        artifacts.extend(staged(&path, text, map));
    }
    artifacts.insert(MODULES.to_owned(), modules.frontier.to_json().into_bytes());
    artifacts
        .insert(".kontract/server/identity.json".to_owned(), stubgen::identity::to_json(&pins).into_bytes());
    if project.cookbook {
        artifacts.extend(Book::of(&contract, sources, &BookOptions::default()).artifacts(COOKBOOK));
    }
    artifacts.insert(LOCK.to_owned(), plan.lock.text().into_bytes());
    if let Some(migration) = plan.migration {
        artifacts.insert(migration.path(), migration.sql.into_bytes());
    }
    Ok(artifacts)
}

/// A module of the server where it is staged, and its map. `path` is relative to the source folder.
pub fn staged(path: &str, text: String, mut map: SourceMap) -> [(String, Vec<u8>); 2] {
    let name = path.rsplit('/').next().unwrap_or_default();
    let text = format!("{text}//# sourceMappingURL={name}.map\n");
    let target = format!(".kontract/server/src/{path}");
    let up = "../".repeat(target.matches('/').count());
    map.sources.iter_mut().for_each(|source| source.insert_str(0, &up));
    let map = (format!("{target}.map"), map.to_json().into_bytes());
    [(target, text.into_bytes()), map]
}

fn stub_diagnostic(error: &StubError) -> Diagnostic {
    Diagnostic::error(Code::KT0308, error.to_string())
        .at(error.location(), "here")
        .why("both sides of a call need one layout for what it carries")
        .help(match error {
            StubError::Unsupported { .. } => {
                "files and streams travel as parameters of their own, `AsyncIterable` as the whole result"
            }
            StubError::UnknownType { .. }
            | StubError::VoidInside { .. }
            | StubError::ProtoField { .. }
            | StubError::EnumSize { .. }
            | StubError::UnionSize { .. }
            | StubError::TooManyFields { .. }
            | StubError::NoPtr { .. } => "change the declaration as the message says",
        })
}

fn rename_diagnostic(rename: &FieldRename, fault: RenameFault) -> Diagnostic {
    let FieldRename { owner, of_endpoint, from, to } = rename;
    let kind = if *of_endpoint { "endpoint" } else { "type" };
    let why = match fault {
        RenameFault::UnknownOwner => format!("kontract.lock.json has no {kind} `{owner}`"),
        RenameFault::UnknownField => format!("`{owner}` has no `{from}` in kontract.lock.json"),
        RenameFault::Taken => format!("`{owner}` has a `{to}` in kontract.lock.json already"),
        RenameFault::NotInSource => format!("{kind} `{owner}` has no `{to}` in the source"),
    };
    Diagnostic::error(Code::KT0505, format!("`{rename}` cannot be done"))
        .why(why)
        .help("give a name of the lock and the one in the source: `Entry.text=body`, `sign().text=body`")
}

fn no_places_diagnostic() -> Diagnostic {
    Diagnostic::error(Code::KT0503, "the lock to compare with does not say where each field is")
        .why(
            "it is older than such locks are, or `kontract dev` saw endpoints that no build has locked since",
        )
        .help("compare with the lock that a `kontract build` of what is deployed wrote")
}

fn break_diagnostic(contract: &Contract, broken: &Break) -> Diagnostic {
    let Break { endpoint, field, what, who } = broken;
    let subject = match field {
        None => format!("endpoint `{endpoint}` {what}"),
        Some(field) => format!("`{field}` of endpoint `{endpoint}` {what}"),
    };
    let help = match field {
        Some(_) if what == migrate::compat::REMOVED => {
            "put it back, or say `--rename` if it has another name now; remove it once nobody uses it"
        }
        _ => "keep what is deployed, and add a field that may be absent or an endpoint beside it",
    };
    let diagnostic =
        Diagnostic::error(Code::KT0504, subject).why(format!("this breaks {}", who.text())).help(help);
    match contract.endpoints.iter().find(|candidate| candidate.name == *endpoint) {
        Some(endpoint) => diagnostic.at(endpoint.location, "this endpoint"),
        None => diagnostic,
    }
}

fn refusal_diagnostic(refusal: &Refusal) -> Diagnostic {
    let code = match refusal {
        Refusal::Dangerous { .. } => Code::KT0501,
        Refusal::Edited { .. }
        | Refusal::Missing { .. }
        | Refusal::Unlocked { .. }
        | Refusal::OutOfOrder { .. } => Code::KT0502,
        Refusal::NulInName { .. } => Code::KT0307,
    };
    let diagnostic = Diagnostic::error(code, refusal.message()).why(refusal.why()).help(refusal.help());
    match refusal.location() {
        Some(location) => diagnostic.at(location, "this table"),
        None => diagnostic,
    }
}

const LOCK: &str = "kontract.lock.json";
/// What to do about a lock that cannot be used, and about one in the middle of a merge.
const RESTORE: &str = "put it back from version control";
const MERGE: &str = "take the file as the branch has it that you merge with, delete the migrations that kontract generated on yours, \
                     and build again: your changes are planned behind theirs";
const MIGRATIONS: &str = "migrations";
const COOKBOOK: &str = "docs/api";
/// What goes to clients, and where their bundlers look.
const CLIENT_FOLDERS: &[&str] = &["dist/client/", ".kontract/client/"];
/// What bundler plugins have to know.
const MODULES: &str = ".kontract/modules.json";
const PINS: &str = "dist/client/kontract.js";
const LEAK_REPORT: &str = "dist/client/leak-report.json";
