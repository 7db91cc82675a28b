//! From source texts to syntax trees and from these to the [`Contract`](crate::contract::Contract).
//!
//! ```text
//! Sources → session: one ParsedModule per file → ModuleGraph → extract → Contract
//! ```
//!
//! Knows TypeScript and the forms of kontract. Nothing outside of this module and the split sees syntax nodes.

pub(crate) mod comments;
mod diagnostics;
pub mod extract;
pub mod graph;
pub mod inspect;
mod limits;
pub(crate) mod literal;
pub mod module;
pub mod resolve;
mod scanner;
mod session;
mod syntax_error;
pub(crate) mod types;

pub use extract::extract;
pub use graph::ModuleGraph;
pub use module::ParsedModule;

use crate::diag::{Diagnostic, Outcome};
use crate::project::{Project, is_source};
use crate::source::Sources;

/// Parses every source file of the project and links the imports between them.
///
/// Without a value when a file has syntax errors, because its missing declarations would be reported everywhere else.
pub fn parse(sources: &Sources, project: &Project) -> Outcome<ModuleGraph> {
    on_deep_stack(|| {
        let mut diagnostics: Vec<Diagnostic> = Vec::new();
        let mut graph = ModuleGraph::new(sources, project);
        let prefix = format!("{}/", project.source);
        let files =
            sources.iter().filter(|(_, source)| source.path.starts_with(&prefix) && is_source(&source.path));
        for (file, source) in files {
            match graph.globals.run(|| session::parse_file(file, source)) {
                Ok(parsed) => graph.insert(parsed),
                Err(errors) => diagnostics.extend(errors),
            }
        }
        graph.link();
        Outcome::with(graph, diagnostics).stop_on_errors()
    })
}

/// Runs a recursive pass with stack enough for trees of the greatest nesting that [`parse`] lets through.
pub(crate) fn on_deep_stack<T>(pass: impl FnOnce() -> T) -> T {
    stacker::grow(limits::STACK_BYTES, pass)
}
