//! From the module graph to the [`Contract`]: endpoints, middleware, tables, the types they speak, and the visible
//! uses of storage.
//!
//! What one form says wrongly about itself is reported here; what several forms contradict each other in is reported
//! by [`crate::contract::check`].

mod backend;
pub(crate) mod diagnostics;
mod middleware;
mod own_names;
mod placement;
mod storage_use;
mod table;

use std::collections::BTreeSet;

use super::graph::ModuleGraph;
use super::types::{TypeResolver, own_modules};
use crate::contract::Contract;
use crate::diag::{Diagnostic, Outcome};

pub(crate) use backend::{endpoint_forms, is_call_of};
pub(crate) use middleware::middleware_call;
pub(crate) use table::table_declarations;

/// Everything the modules promise, in the order of files and then of positions.
pub fn extract(graph: &ModuleGraph) -> Outcome<Contract> {
    super::on_deep_stack(|| {
        let own = own_modules(graph);
        let mut extraction = Extraction {
            graph,
            contract: Contract::default(),
            types: TypeResolver::new(graph, &own, table_declarations(graph)),
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
        keep_used_types(&mut self.contract);
        self.diagnostics.extend(diagnostics);
        Outcome::with(self.contract, self.diagnostics)
    }
}

/// Leaves out the object types that only were on the way to others, such as the operands of `A & B`.
fn keep_used_types(contract: &mut Contract) {
    let mut queue: Vec<String> = contract.tables.iter().map(|table| table.entity.clone()).collect();
    for endpoint in &contract.endpoints {
        let params = endpoint.params.iter().map(|param| &param.ty);
        params
            .chain([&endpoint.returns])
            .for_each(|ty| queue.extend(ty.objects().into_iter().map(str::to_owned)));
    }
    let mut used: BTreeSet<String> = BTreeSet::new();
    while let Some(name) = queue.pop() {
        if used.insert(name.clone())
            && let Some(object) = contract.types.get(&name)
        {
            queue.extend(object.fields.iter().flat_map(|field| field.ty.objects()).map(str::to_owned));
        }
    }
    contract.types.retain(|name, _| used.contains(name));
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
