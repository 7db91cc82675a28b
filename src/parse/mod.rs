//! From source texts to syntax trees and from these to the [`Contract`](crate::contract::Contract).
//!
//! ```text
//! Sources → session: a summary of each file → ModuleGraph, which parses on demand → extract → Contract
//! ```
//!
//! Knows TypeScript and the forms of kontract. Nothing outside of this module and the split sees syntax nodes.

mod abstracts;
pub(crate) mod apart;
mod blanked;
pub(crate) mod bodies;
pub(crate) mod comments;
mod data;
mod diagnostics;
pub mod extract;
mod foreign_names;
mod global_types;
pub mod graph;
pub mod inspect;
mod involved;
pub(crate) mod leads;
mod limits;
pub(crate) mod literal;
pub mod module;
mod opaque;
mod packages;
pub mod resolve;
mod scanner;
mod seams;
mod session;
pub(crate) mod summary;
pub(crate) mod survey;
mod syntax_error;
pub mod types;
mod unread;

pub use blanked::blanked;
pub use extract::extract;
pub use graph::ModuleGraph;
pub use module::ParsedModule;
pub use session::Read;
pub use summary::ModuleSummary;
// What the split asks of a graph.
pub(crate) use crate::project::Classes;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use crate::diag::{Diagnostic, Outcome};
use crate::project::{Project, is_source};
use crate::source::{FileId, SourceFile, Sources};
use module::OwnName;
use rayon::iter::{IntoParallelRefIterator, ParallelIterator};
use rayon::{ThreadPool, ThreadPoolBuilder};

/// Reads every source file of the project and links the imports between them. Of files with syntax errors the graph knows
/// that they are there; what is found in it is to go through [`ModuleGraph::certain`].
pub fn parse(sources: &Sources, project: &Project) -> Outcome<ModuleGraph> {
    let files: Vec<FileId> = modules(sources, project).collect();
    let read = |file: &FileId| (*file, summarize(*file, sources.file(*file), false));
    let modules = in_parallel(|| files.par_iter().map(read).collect());
    link(sources, project, modules)
}

/// The files of the project that are modules, in order.
pub fn modules(sources: &Sources, project: &Project) -> impl Iterator<Item = FileId> {
    let prefix = format!("{}/", project.source);
    let wanted = move |path: &str| path.starts_with(&prefix) && is_source(path);
    sources.iter().filter(move |(_, source)| wanted(&source.path)).map(|(file, _)| file)
}

/// What a module is to the others, or why it cannot be read.
pub type Summarized = (FileId, Result<Read, Vec<Diagnostic>>);

/// Whether elements of JSX are read in a file; elsewhere `<T>x` is an assertion.
pub(crate) fn has_jsx(path: &str) -> bool {
    ![".ts", ".mts", ".cts"].iter().any(|extension| path.ends_with(extension))
}

/// Reads a module by itself, and keeps its tree if `is_wanted`. Runs [`in_parallel`].
pub(crate) fn summarize(file: FileId, source: &SourceFile, is_wanted: bool) -> Result<Read, Vec<Diagnostic>> {
    session::summarize(file, source, is_wanted)
}

/// A module whose text is another one than when the graph was made of which `own` is, by [`ModuleGraph::encoded_own`]; its
/// imports are as they were, and lead nowhere here.
pub(crate) fn again(sources: &Sources, file: FileId, own: &[u8]) -> Option<ParsedModule> {
    let own: Option<BTreeMap<String, OwnName>> = postcard::from_bytes(own).ok()?;
    let mut module = on_deep_stack(|| session::parse_file(file, sources.file(file))).ok()?;
    module.own = own.unwrap_or_default();
    Some(module)
}

/// The file of the project that a specifier means in one of its files.
pub(crate) fn target(sources: &Sources, project: &Project, from: FileId, specifier: &str) -> Option<FileId> {
    match resolve::resolve(sources, &project.paths, &sources.file(from).path, specifier) {
        resolve::Resolution::File(file) => Some(file),
        resolve::Resolution::External | resolve::Resolution::Missing => None,
    }
}

/// Links the imports between all modules of a project.
pub fn link(sources: &Sources, project: &Project, modules: Vec<Summarized>) -> Outcome<ModuleGraph> {
    in_parallel(|| {
        let mut readable = Vec::with_capacity(modules.len());
        let (mut unread, mut diagnostics) = (BTreeSet::new(), Vec::<Diagnostic>::new());
        for (file, read) in modules {
            match read {
                Ok(read) => readable.push((file, read)),
                Err(errors) => {
                    unread.insert(file);
                    diagnostics.extend(errors);
                }
            }
        }
        let graph = ModuleGraph::new(sources, project, readable, unread);
        let failures = graph.parse_involved();
        // What such files declare is in the summaries, so that nobody would know what depends on their trees.
        let value = failures.is_empty().then_some(graph);
        diagnostics.extend(failures);
        Outcome { value, diagnostics }
    })
}

/// Links some modules of a project and everything that they import. What is asked of all modules would be wrong.
pub(crate) fn link_some(sources: &Sources, project: &Project, modules: Vec<(FileId, Read)>) -> ModuleGraph {
    in_parallel(|| ModuleGraph::new(sources, project, modules, BTreeSet::new()))
}

/// Runs a pass where it may use all processors, on stacks deep enough for any file. What it returns must not depend on
/// which work was done first.
pub(crate) fn in_parallel<T: Send>(pass: impl FnOnce() -> T + Send) -> T {
    match &*POOL {
        Some(pool) => pool.install(pass),
        // Without threads of its own, rayon does the work on this one.
        None => on_deep_stack(pass),
    }
}

/// Runs a pass on this thread, and meanwhile another one [`in_parallel`], which it may not depend on.
pub(crate) fn meanwhile<A: Send, B>(other: impl FnOnce() -> A + Send, pass: impl FnOnce() -> B) -> (A, B) {
    let Some(pool) = &*POOL else { return (on_deep_stack(other), pass()) };
    let mut made = None;
    let passed = pool.in_place_scope(|scope| {
        scope.spawn(|_| made = Some(other()));
        pass()
    });
    (made.expect("invariant: a scope ends after what was spawned in it"), passed)
}

/// Drops on another thread what nobody needs any more. Trees take a while, for which a program need not wait to end.
pub(crate) fn drop_elsewhere<T: Send + 'static>(value: T) {
    match &*POOL {
        Some(pool) => pool.spawn(|| drop(value)),
        None => on_deep_stack(|| drop(value)),
    }
}

/// The same threads for all passes: what one pass has freed, the next one on that thread uses again, where memory of
/// threads that have ended would have to be cleared by the kernel once more.
static POOL: LazyLock<Option<ThreadPool>> =
    LazyLock::new(|| ThreadPoolBuilder::new().stack_size(limits::STACK_BYTES).build().ok());

/// Runs a recursive pass with stack enough for trees of the greatest nesting that [`parse`] lets through.
pub(crate) fn on_deep_stack<T>(pass: impl FnOnce() -> T) -> T {
    stacker::grow(limits::STACK_BYTES, pass)
}
