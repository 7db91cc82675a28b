//! Splits every module into what runs on the server and what may reach a client.
//!
//! ```text
//! in:   const db = connect('…');                     Server
//!       export const sign = backend({ … }, async …)   Stub
//!       export const label = (n: number) => …         Client, if a frontend imports it from `@/client/api/entries`
//! out:  server/api/entries.js with db and sign, client/api/entries.js with label and a place for sign's stub
//! ```
//!
//! The rule is strict: what an endpoint, a middleware or anything they use refers to is never client code, and what no
//! frontend asks for stays on the server too. Files for
//! clients are written only once [`Evidence`] has made them [`LeakFree`].

mod apply;
mod classes;
mod diagnostics;
mod finish;
mod frontend;
mod globs;
mod imports;
mod inline;
mod jsx;
mod leak;
pub mod links;
mod mentions;
mod named;
mod numbers;
mod optimize;
mod pages;
mod parts;
mod passing;
mod plan;
mod pure;
mod queried;
mod reach;
pub mod recipe;
mod said;
mod unresolved;
mod view;

use std::collections::{BTreeMap, BTreeSet};

pub use frontend::Frontier;
pub use inline::Chain;
pub use leak::{ClientFiles, Evidence, LeakFree};
use links::Links;
pub(crate) use mentions::{Mentions, words};
pub use plan::{Side, SplitPlan};
use recipe::Recipe;
pub use view::{View, Views};

use crate::contract::CheckedContract;
use crate::diag::Outcome;
use crate::emit::sourcemap::SourceMap;
use crate::parse::types::flat::FlatModule;
use crate::parse::{ModuleGraph, on_deep_stack};
use crate::source::FileId;
use parts::Parts;
use reach::Reach;

/// Both halves as JavaScript text. Paths are relative to the source folder: `api/entries.js`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SplitModules {
    /// Every module that runs on the server.
    pub server: BTreeMap<String, String>,
    /// Where each of them comes from; sources are relative to the project.
    pub maps: BTreeMap<String, SourceMap>,
    /// Every module with endpoints, and those that its client statements import.
    pub client: BTreeMap<String, ClientModule>,
    /// What runs each endpoint that has middlewares, by its index in [`crate::contract::Contract::endpoints`].
    pub chains: BTreeMap<usize, Chain>,
    /// What each server module imports and exports, by its path below the project, where they are served unbundled.
    pub links: BTreeMap<String, Links>,
    /// Then also what each of them is printed from, by the path of its source, where an edit may be of no account for others.
    pub recipes: BTreeMap<String, Recipe>,
    /// Where the frontend ends.
    pub frontier: Frontier,
    /// What the client's files are searched for once they are made.
    pub evidence: Evidence,
    /// What was seen of modules of which nothing else counts to a check, as hashes; none where more may.
    pub views: Views,
}

/// The client half of a module.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ClientModule {
    /// Its endpoints, as indices into [`crate::contract::Contract::endpoints`].
    pub endpoints: Vec<usize>,
    /// JavaScript of the statements that stay, imports included; empty when none do.
    pub statements: String,
    /// What they export, as types.
    pub declarations: FlatModule,
    /// What declarations pass on of packages and of other modules' stubs, as statements.
    pub passed: String,
}

/// How both halves are written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SplitOptions {
    /// Whether server code is optimised; while developing, it stays as it was written.
    pub optimize: bool,
    /// Whether the frontend's bundler puts stubs in the place of modules with endpoints.
    pub stubs: bool,
    /// The module that draws pages in the Worker.
    pub pages: Option<FileId>,
    /// Whether server modules are served one by one: then, the modules that the platform has without a prefix.
    pub unbundled: Option<&'static [&'static str]>,
}

/// Splits all modules, and searches the client's half for what is the server's.
pub fn split(
    graph: &ModuleGraph,
    contract: &CheckedContract,
    options: SplitOptions,
) -> Outcome<SplitModules> {
    halves(graph, contract, options, Wanted::Both)
}

/// [`split`] for who wants to know what is wrong: says the same, and leaves out the server's text and maps, the frontier, and
/// the evidence where no client statement could hold any of it. Making these takes longer than everything else together.
pub fn check(
    graph: &ModuleGraph,
    contract: &CheckedContract,
    options: SplitOptions,
) -> Outcome<SplitModules> {
    halves(graph, contract, options, Wanted::Client)
}

/// What only the server has, for who searches pages: given, by path, the exports that pages have of modules of both sides,
/// which may also be searched for the rest.
pub fn evidence(
    graph: &ModuleGraph,
    contract: &CheckedContract,
    options: SplitOptions,
    pages: &BTreeMap<String, BTreeSet<String>>,
) -> Outcome<Evidence> {
    check(graph, contract, options).and_then(|modules| {
        on_deep_stack(|| {
            let parts = Parts::of(graph);
            let reach = Reach::of(graph, &parts);
            let mut evidence = Evidence::gather(graph, contract.spelled(), &parts, &reach);
            modules.client.values().for_each(|module| evidence.publish(&module.declarations));
            for (path, exports) in pages {
                let Some(file) = graph.sources().id(path) else { continue };
                evidence.give(&pure::text_in_page(graph, &parts, &reach, file, exports));
            }
            Outcome::of(evidence)
        })
    })
}

/// Which halves are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wanted {
    Both,
    Client,
}

fn halves(
    graph: &ModuleGraph,
    contract: &CheckedContract,
    options: SplitOptions,
    wanted: Wanted,
) -> Outcome<SplitModules> {
    on_deep_stack(|| {
        let parts = Parts::of(graph);
        let reach = Reach::of(graph, &parts);
        let mut found = frontend::check(graph, &parts, &reach, options.stubs);
        found.extend(unresolved::imports(graph, &parts, &reach, options.pages.is_some()));
        found.extend(options.pages.iter().flat_map(|pages| pages::check(graph, &parts, *pages)));
        found.extend(apply::collisions(graph, &reach));
        found.extend(jsx::check(graph, &parts, &reach));
        found.extend(globs::check(graph, &parts, &reach));
        found.extend(classes::check(graph, &reach));
        let (mut modules, wrong) =
            apply::apply(graph, contract.contract(), &parts, &reach, (options, wanted));
        found.extend(wrong);
        modules.views = view::views(graph, &parts, &reach, options);
        if wanted == Wanted::Both {
            modules.frontier = frontend::frontier(graph, &parts, &reach, options.pages);
        }
        // Without a statement for clients there is nothing to search before the files are made.
        if wanted == Wanted::Both || modules.client.values().any(|client| !client.statements.is_empty()) {
            modules.evidence = Evidence::gather(graph, contract.spelled(), &parts, &reach);
            modules.client.values().for_each(|module| modules.evidence.publish(&module.declarations));
            found.extend(modules.evidence.search_modules(&modules.client));
        }
        Outcome::with(modules, found).stop_on_errors()
    })
}

/// The side of every top-level statement, to be printed and compared.
pub fn plan(graph: &ModuleGraph) -> SplitPlan {
    on_deep_stack(|| {
        let parts = Parts::of(graph);
        let reach = Reach::of(graph, &parts);
        SplitPlan::of(graph, &parts, &reach)
    })
}
