//! Modules that the answer of a check does not depend on, as most pages of a frontend: who imports what among these may change.
//!
//! ```text
//! a graph that all phases have asked           →  Apart
//! a module's summary, before and after an edit →  whether the phases would see the same, and keep apart from it
//! ```
//!
//! A phase sees of a module its tree, or its summary, of which [`ModuleGraph::summary`] takes note, or it looks at all
//! summaries ([`ModuleGraph::summaries`]). What it looks for there has to be in [`seen_in_all`] or [`is_plain`].

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::graph::ModuleGraph;
use super::module::Imported;
use super::summary::{Exported, Marks, ModuleSummary, SpecifierKind};
use crate::source::FileId;

/// The modules that are apart, and those that they have to stay away from.
#[derive(Serialize, Deserialize)]
pub(crate) struct Apart {
    files: BTreeSet<FileId>,
    /// What the server runs, and what runs that: who uses a value of these is looked at.
    involved: BTreeSet<FileId>,
    /// Through these, names may come from the package `kontract`.
    passing: BTreeSet<FileId>,
}

impl Apart {
    /// `pages` is the module that draws pages in the Worker.
    pub(crate) fn of(graph: &ModuleGraph, pages: Option<FileId>) -> Self {
        let involved: BTreeSet<FileId> = graph.involved().iter().copied().chain(pages).collect();
        let passing = graph.passing().clone();
        let is_apart = |file: &FileId| !involved.contains(file) && !passing.contains(file);
        let unasked = graph.unasked().filter(|(file, summary)| is_apart(file) && is_plain(summary));
        Self { files: unasked.map(|(file, _)| file).collect(), involved, passing }
    }

    /// As it is kept.
    pub(crate) fn encode(&self) -> Vec<u8> {
        postcard::to_allocvec(self).expect("invariant: sets of numbers can be written")
    }

    /// `None` for anything but what [`Self::encode`] made.
    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        postcard::from_bytes(bytes).ok()
    }

    /// Whether a module is apart.
    pub(crate) fn has(&self, file: FileId) -> bool {
        self.files.contains(&file)
    }

    /// Whether it has to do with the server.
    pub(crate) fn is_involved(&self, file: FileId) -> bool {
        self.involved.contains(&file)
    }

    /// Whether every phase sees the same although a module has another summary. `target` says where a specifier leads.
    pub(crate) fn stays(
        &self,
        file: FileId,
        (old, new): (&ModuleSummary, &ModuleSummary),
        target: impl Fn(&str) -> Option<FileId>,
    ) -> bool {
        let targets = |summary: &ModuleSummary| -> Vec<(usize, FileId)> {
            let specifiers = summary.specifiers.iter().enumerate();
            specifiers.filter_map(|(place, specifier)| Some((place, target(&specifier.text)?))).collect()
        };
        let keeps_away = |summary: &ModuleSummary| {
            let is_away = |(place, target)| !self.involved.contains(&target) || is_of_types(summary, place);
            targets(summary).into_iter().all(is_away)
        };
        self.files.contains(&file)
            && is_plain(new)
            && seen_in_all(old) == seen_in_all(new)
            && keeps_away(old)
            && keeps_away(new)
            && targets(new).iter().all(|(_, target)| !self.passing.contains(target))
    }
}

/// Whether nothing in a module speaks to a phase by itself.
fn is_plain(summary: &ModuleSummary) -> bool {
    let has_patterns = summary.specifiers.iter().any(|specifier| specifier.kind == SpecifierKind::Glob);
    summary.marks == Marks::default()
        && summary.parents.is_empty()
        && !summary.names_own_package()
        && !has_patterns
}

/// Whether a specifier is there for types, and says so.
fn is_of_types(summary: &ModuleSummary, place: usize) -> bool {
    let mut imports = summary.imports.iter().filter(|import| import.from == place);
    !summary.specifiers[place].by_value && imports.all(|import| import.type_only)
}

/// What phases look for in every module: types that may be tables, and what is taken from `@/client/…`.
fn seen_in_all(summary: &ModuleSummary) -> (Vec<&str>, Vec<Asked<'_>>) {
    let from_client = summary.specifiers.iter().enumerate();
    let from_client = from_client.filter(|(_, used)| ModuleGraph::client_output(&used.text).is_some());
    let asked = from_client.map(|(place, used)| {
        let imports = summary.imports.iter().filter(|import| import.from == place);
        let exports = summary.exports.values().filter_map(|export| match export {
            Exported::From(from, imported) => (*from == place).then_some(imported),
            Exported::Local(_) | Exported::Item(_) => None,
        });
        Asked {
            text: &used.text,
            kind: used.kind,
            by_value: used.by_value,
            imports: imports.map(|import| (&import.imported, import.type_only)).collect(),
            exports: exports.collect(),
            star: summary.stars.contains(&place),
        }
    });
    (summary.types().collect(), asked.collect())
}

/// What a specifier takes from the client's half of a module.
#[derive(PartialEq, Eq)]
struct Asked<'s> {
    text: &'s str,
    kind: SpecifierKind,
    by_value: bool,
    imports: Vec<(&'s Imported, bool)>,
    exports: Vec<&'s Imported>,
    star: bool,
}
