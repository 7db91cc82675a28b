//! From the module graph to the [`Contract`]: endpoints, middleware, tables, the types they speak, and the visible
//! uses of storage.
//!
//! What one form says wrongly about itself is reported here; what several forms contradict each other in is reported
//! by [`crate::contract::check`].

mod alone;
mod backend;
mod class;
pub(crate) mod diagnostics;
mod foreign;
mod form;
mod forms;
mod middleware;
mod options;
mod own_names;
mod placement;
mod signature;
mod sql;
mod storage_use;
mod table;
mod uses;

use std::collections::BTreeSet;

use rayon::iter::{IntoParallelRefIterator, ParallelIterator};
use swc_ecma_ast::{CallExpr, Callee};

use super::graph::ModuleGraph;
use super::in_parallel;
use super::module::{OwnName, ParsedModule};
use super::types::naming::Naming;
use super::types::{Resolved, TypeResolver, own_modules};
use crate::contract::Contract;
use crate::diag::{Diagnostic, Outcome};
use crate::source::{FileId, Location};
use form::{ClassKey, ClassSite};

pub(crate) use alone::{Alone, extract_alone};
pub(crate) use forms::endpoint_forms;
pub(crate) use middleware::middleware_call;
pub(crate) use table::table_declarations;
pub(crate) use uses::Uses;

/// A contract, and what it takes to extract some modules of it again.
pub struct Extracted {
    pub(crate) contract: Contract,
    pub(crate) naming: Naming,
    /// The declaration behind each table's name: its file and its name there.
    pub(crate) tables: Vec<(String, FileId, String)>,
}

/// Everything the modules promise, in the order of files and then of positions.
pub fn extract<'g>(graph: &'g ModuleGraph) -> Outcome<Extracted> {
    super::on_deep_stack(|| {
        let (own, tables) = (own_modules(), table_declarations(graph));
        let mut extraction = Extraction::new(graph, &own, tables.clone());
        let mut filters = Vec::new();
        for module in graph.modules() {
            filters.extend(middleware::extract(&mut extraction, module));
        }
        let modules: Vec<&ParsedModule> = graph.modules().collect();
        let looked_at = |module: &&'g ParsedModule| {
            let (forms, mut misplaced) = (endpoint_forms(graph, module), Vec::new());
            placement::check(graph, module, &forms, &filters, &mut misplaced);
            (forms, misplaced)
        };
        let found: Vec<_> = in_parallel(|| modules.par_iter().map(looked_at).collect());
        for (module, (forms, misplaced)) in modules.into_iter().zip(found) {
            extraction.diagnostics.extend(misplaced);
            backend::extract(&mut extraction, module, forms);
        }
        backend::unexposed(&mut extraction);
        for module in graph.modules() {
            storage_use::extract(&mut extraction, module);
        }
        table::extract(&mut extraction);
        extraction.finish(tables)
    })
}

/// What is gathered while the modules are walked.
struct Extraction<'g> {
    graph: &'g ModuleGraph,
    contract: Contract,
    types: TypeResolver<'g>,
    diagnostics: Vec<Diagnostic>,
    /// The functions of endpoints, by where they stand, with the endpoint's place in the contract.
    bodies: Vec<(Location, usize)>,
    /// Classes whose endpoints another class exposes.
    exposed_classes: BTreeSet<ClassKey>,
    /// Classes with endpoints that they do not expose themselves.
    base_classes: Vec<ClassSite<'g>>,
}

impl<'g> Extraction<'g> {
    fn new(graph: &'g ModuleGraph, own: &'g [ParsedModule], tables: Vec<(String, FileId, String)>) -> Self {
        Self {
            graph,
            contract: Contract::default(),
            types: TypeResolver::new(graph, own, tables),
            diagnostics: Vec::new(),
            bodies: Vec::new(),
            exposed_classes: BTreeSet::new(),
            base_classes: Vec::new(),
        }
    }

    fn finish(mut self, tables: Vec<(String, FileId, String)>) -> Outcome<Extracted> {
        let Resolved { types, enums, naming, diagnostics } = self.types.finish();
        (self.contract.types, self.contract.enums) = (types, enums);
        keep_used_types(&mut self.contract);
        self.diagnostics.extend(diagnostics);
        self.diagnostics.extend(self.graph.failures());
        Outcome::with(Extracted { contract: self.contract, naming, tables }, self.diagnostics)
    }
}

/// Whether a call is of that function of kontract's.
pub(crate) fn is_call_of(module: &ParsedModule, call: &CallExpr, name: &str) -> bool {
    match &call.callee {
        Callee::Expr(callee) => module.own_name(callee) == Some(OwnName::Export(name.to_owned())),
        Callee::Super(_) | Callee::Import(_) => false,
    }
}

/// Leaves out the object types that only were on the way to others, such as the operands of `A & B`.
pub(crate) fn keep_used_types(contract: &mut Contract) {
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
