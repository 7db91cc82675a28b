//! What holds of a project although some of its modules could not be read.
//!
//! ```text
//! modules with syntax errors, imports  →  the modules that depend on them  →  of what a phase says, that which is certain
//! ```
//!
//! Judges by the code of a diagnostic and by where it points, and knows nothing of how it was found. Too little may be left
//! of what is wrong, never anything that goes away once the syntax errors are mended.

use std::collections::{BTreeMap, BTreeSet};

use super::graph::ModuleGraph;
use super::summary::SpecifierUse;
use crate::diag::{Code, Diagnostic, Outcome};
use crate::source::{FileId, Sources};

/// The modules that could not be read, and who asks something of them.
pub(super) struct Unread {
    /// `None` where that may be every module.
    dependents: Option<BTreeSet<FileId>>,
}

impl Unread {
    /// `None` where every module could be read.
    pub(super) fn of(graph: &ModuleGraph, unread: BTreeSet<FileId>) -> Option<Self> {
        if unread.is_empty() {
            return None;
        }
        let reaches_all = unread.iter().any(|file| may_declare_globals(graph.sources(), *file));
        Some(Self { dependents: (!reaches_all).then(|| dependents(graph, unread)) })
    }

    pub(super) fn certain<T>(&self, outcome: Outcome<T>) -> Outcome<T> {
        let Outcome { value, mut diagnostics } = outcome;
        diagnostics.retain(|diagnostic| self.is_certain(diagnostic));
        Outcome { value, diagnostics }
    }

    fn is_certain(&self, diagnostic: &Diagnostic) -> bool {
        if OF_ALL_MODULES.contains(&diagnostic.code) {
            return false;
        }
        let mut files = diagnostic.labels.iter().map(|label| label.location.file);
        let stands_alone = |file| self.dependents.as_ref().is_some_and(|files| !files.contains(&file));
        OF_ONE_PLACE.contains(&diagnostic.code) || files.all(stands_alone)
    }
}

/// The modules that lead to those, by imports of any kind, and these themselves.
fn dependents(graph: &ModuleGraph, unread: BTreeSet<FileId>) -> BTreeSet<FileId> {
    let outputs: BTreeMap<String, FileId> = graph
        .summaries()
        .map(|(file, _)| file)
        .chain(unread.iter().copied())
        .map(|file| (graph.output_of(file), file))
        .collect();
    let target = |used: &SpecifierUse| {
        used.target.or_else(|| outputs.get(&ModuleGraph::client_output(&used.text)?).copied())
    };
    let mut importers: BTreeMap<FileId, Vec<FileId>> = BTreeMap::new();
    for (file, summary) in graph.summaries() {
        for to in summary.specifiers.iter().filter_map(target) {
            importers.entry(to).or_default().push(file);
        }
    }
    let mut found = BTreeSet::new();
    let mut queue: Vec<FileId> = unread.into_iter().collect();
    while let Some(file) = queue.pop() {
        if found.insert(file) {
            queue.extend(importers.get(&file).into_iter().flatten());
        }
    }
    found
}

/// Whether others may use what a file declares without importing it.
fn may_declare_globals(sources: &Sources, file: FileId) -> bool {
    let text = &sources.file(file).text;
    let has = |word: &str| memchr::memmem::find(text.as_bytes(), word.as_bytes()).is_some();
    has("declare global") || has("declare module") || !(has("import") || has("export"))
}

/// What another module can be the answer to: one that exposes a class, has the table, or is in the group.
const OF_ALL_MODULES: &[Code] =
    &[Code::KT0105, Code::KT0207, Code::KT0214, Code::KT0402, Code::KT0405, Code::KT0406];

/// What is wrong whatever the names in the module stand for.
const OF_ONE_PLACE: &[Code] = &[
    Code::KT0101,
    Code::KT0102,
    Code::KT0103,
    Code::KT0107,
    Code::KT0109,
    Code::KT0113,
    Code::KT0114,
    Code::KT0115,
    Code::KT0117,
    Code::KT0201,
    Code::KT0202,
    Code::KT0204,
    Code::KT0206,
    Code::KT0215,
    Code::KT0217,
    Code::KT0218,
    Code::KT0301,
    Code::KT0401,
];
