//! What some modules promise, for who knows what all others do.
//!
//! ```text
//! graph of these modules and of what they import   →   Alone: their endpoints and uses of storage, and types by the names they would
//!                                                      have if nobody else named any
//! ```
//!
//! Only of what can be told of a module by itself: endpoints that are exports, and nothing wrong.

use std::collections::BTreeSet;

use super::{Extraction, backend, endpoint_forms, middleware, placement, storage_use};
use crate::contract::Contract;
use crate::parse::ModuleGraph;
use crate::parse::types::naming::Naming;
use crate::parse::types::{Resolved, own_modules};
use crate::source::FileId;

/// What is found.
pub(crate) struct Alone {
    /// Its types are all that were looked at, also on the way to others.
    pub(crate) contract: Contract,
    pub(crate) naming: Naming,
}

/// Extracts some modules. `tables` says what is behind each table's name. `None` where these modules, or what is wrong with them,
/// take a look at all.
pub(crate) fn extract_alone(
    graph: &ModuleGraph,
    files: &BTreeSet<FileId>,
    tables: Vec<(String, FileId, String)>,
) -> Option<Alone> {
    crate::parse::on_deep_stack(|| {
        let own = own_modules();
        let mut extraction = Extraction::new(graph, &own, tables);
        for file in files {
            let module = graph.module(*file)?;
            let filters = middleware::extract(&mut extraction, module);
            let forms = endpoint_forms(graph, module);
            placement::check(graph, module, &forms, &filters, &mut extraction.diagnostics);
            let is_of_class = forms.endpoints.iter().any(|form| !form.classes.is_empty());
            if is_of_class || !forms.bases.is_empty() || !forms.exposed.is_empty() {
                return None;
            }
            backend::extract(&mut extraction, module, forms);
        }
        let is_elsewhere = |(body, index): &(crate::source::Location, usize)| {
            extraction
                .contract
                .endpoints
                .get(*index)
                .is_none_or(|endpoint| endpoint.binding.file != body.file)
        };
        if extraction.bodies.iter().any(is_elsewhere) || !extraction.contract.middleware.is_empty() {
            return None;
        }
        for module in files.iter().filter_map(|file| graph.module(*file)) {
            storage_use::extract(&mut extraction, module);
        }
        let Resolved { types, enums, naming, diagnostics } = extraction.types.finish();
        let wrong =
            [&extraction.diagnostics, &diagnostics, &graph.failures()].iter().any(|found| !found.is_empty());
        let contract = Contract { types, enums, ..extraction.contract };
        (!wrong).then_some(Alone { contract, naming })
    })
}
