//! Where modules lead whose trees were looked at: to all that they, and these in turn, name by a specifier.
//!
//! ```text
//! import { Row } from './model'    let row: import('./row').Row    →   the module: [model, row]
//! ```

use std::collections::{BTreeMap, BTreeSet};

use swc_ecma_ast::TsImportType;
use swc_ecma_visit::{Visit, VisitWith};

use super::graph::ModuleGraph;
use super::module::ParsedModule;
use super::resolve::Resolution;
use crate::source::FileId;

/// The modules of the project that each leads to.
pub(crate) fn leads(graph: &ModuleGraph) -> BTreeMap<FileId, Vec<FileId>> {
    let (mut found, mut queue) = (BTreeMap::new(), graph.with_trees().collect::<Vec<FileId>>());
    let summaries: BTreeMap<_, _> = graph.summaries().collect();
    let with_trees: BTreeSet<FileId> = queue.iter().copied().collect();
    while let Some(file) = queue.pop() {
        let Some(summary) = summaries.get(&file).filter(|_| !found.contains_key(&file)) else { continue };
        let mut targets: Vec<FileId> = summary.specifiers.iter().filter_map(|used| used.target).collect();
        if with_trees.contains(&file) {
            targets.extend(graph.module(file).into_iter().flat_map(|module| by_types(graph, module)));
        }
        targets.sort_unstable();
        targets.dedup();
        queue.extend(&targets);
        found.insert(file, targets);
    }
    found
}

/// Whether a module names others by `import('…')` as a type.
pub(crate) fn has_import_types(module: &ParsedModule, text: &str) -> bool {
    !import_types(module, text).is_empty()
}

fn by_types(graph: &ModuleGraph, module: &ParsedModule) -> Vec<FileId> {
    let text = &graph.sources().file(module.file).text;
    let specifiers = import_types(module, text).into_iter();
    let target = |specifier: String| match graph.resolve(module, &specifier) {
        Resolution::File(file) => Some(file),
        Resolution::External | Resolution::Missing => None,
    };
    specifiers.filter_map(target).collect()
}

fn import_types(module: &ParsedModule, text: &str) -> Vec<String> {
    let mut found = ImportTypes::default();
    let calls = |at: usize| {
        let behind = text.get(at + IMPORT.len()..).unwrap_or_default().trim_start();
        behind.starts_with(['(', '/'])
    };
    if memchr::memmem::find_iter(text.as_bytes(), IMPORT).any(calls) {
        module.module.visit_with(&mut found);
    }
    found.0
}

#[derive(Default)]
struct ImportTypes(Vec<String>);

impl Visit for ImportTypes {
    fn visit_ts_import_type(&mut self, import: &TsImportType) {
        self.0.push(import.arg.value.to_string_lossy().into_owned());
        import.visit_children_with(self);
    }
}

const IMPORT: &str = "import";
