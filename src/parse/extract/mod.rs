//! From the module graph to the [`Contract`]: endpoints, middleware, tables, the types they speak, and the visible
//! uses of storage.
//!
//! What one form says wrongly about itself is reported here; what several forms contradict each other in is reported
//! by [`crate::contract::check`].

mod backend;
pub(crate) mod diagnostics;
mod middleware;
mod placement;
mod storage_use;
mod table;

use super::graph::ModuleGraph;
use super::types::TypeResolver;
use crate::contract::Contract;
use crate::diag::{Diagnostic, Outcome};

pub(crate) use backend::{endpoint_forms, is_call_of};
pub(crate) use middleware::middleware_call;

/// Everything the modules promise, in the order of files and then of positions.
pub fn extract(graph: &ModuleGraph) -> Outcome<Contract> {
    super::on_deep_stack(|| {
        let mut extraction = Extraction {
            graph,
            contract: Contract::default(),
            types: TypeResolver::new(graph),
            diagnostics: Vec::new(),
        };
        for module in graph.modules() {
            placement::check(module, &mut extraction.diagnostics);
            backend::extract(&mut extraction, module);
            middleware::extract(&mut extraction, module);
        }
        for module in graph.modules() {
            storage_use::extract(&mut extraction, module);
        }
        table::extract(&mut extraction);
        extraction.finish()
    })
}

/// What is gathered while the modules are walked.
struct Extraction<'g> {
    graph: &'g ModuleGraph,
    contract: Contract,
    types: TypeResolver<'g>,
    diagnostics: Vec<Diagnostic>,
}

impl Extraction<'_> {
    fn finish(mut self) -> Outcome<Contract> {
        let (types, diagnostics) = self.types.finish();
        self.contract.types = types;
        self.diagnostics.extend(diagnostics);
        Outcome::with(self.contract, self.diagnostics)
    }
}

/// `createEntry` → `CreateEntry`, `created_at` → `CreatedAt`.
pub(crate) fn upper_camel(name: &str) -> String {
    let words = name.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    let capital = |word: &str| {
        let mut chars = word.chars();
        chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
    };
    words.map(capital).collect()
}
