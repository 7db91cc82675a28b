//! What a check of the split sees of a module that only the server can run, or that has no values, as hashes: where it is the same, and
//! so are imports and exports, an edit of it is of no account to the split of any module.
//!
//! ```text
//! parts of a module → what each is and declares, which modules they use, whether they need the server   View::shape
//!                     and which names each mentions, which counts where endpoints use what pages have   View::whole
//! ```
//!
//! A check of the split that looks into such modules for anything else has to be added to [`View::of`]; what would be printed of
//! them is of no account.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::Hash;

use rayon::iter::{IntoParallelIterator, ParallelIterator};
use serde::{Deserialize, Serialize};
use swc_common::Span;
use xxhash_rust::xxh3::Xxh3;

use super::parts::{Part, PartKind, Parts, module_parts};
use super::reach::{Reach, ServerOnly, imported_files, imports_server_runtime, is_function, uses_injected};
use super::unresolved::is_of_client;
use super::{SplitOptions, pure};
use crate::parse::module::ParsedModule;
use crate::parse::{ModuleGraph, in_parallel};
use crate::source::FileId;

/// What was seen.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Views {
    /// Of modules of which nothing else counts.
    pub of: BTreeMap<FileId, View>,
    /// Modules of which pages would take along what endpoints begin to use.
    pub along: BTreeSet<FileId>,
}

/// What was seen of a module.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct View {
    /// Without the names that parts mention.
    pub shape: u128,
    /// With them.
    pub whole: u128,
}

/// Those of all modules that have one. Where a frontend asks for more than endpoints, or decorators are told types, more is looked at.
pub(super) fn views(graph: &ModuleGraph, parts: &Parts<'_>, reach: &Reach, options: SplitOptions) -> Views {
    if reach.is_asked || graph.classes().metadata {
        return Views::default();
    }
    let has_values = |part: &Part<'_>| match part.kind {
        PartKind::Import | PartKind::ReExport | PartKind::Type => false,
        PartKind::Endpoint
        | PartKind::EndpointBase
        | PartKind::Middleware
        | PartKind::Declaration
        | PartKind::Effect => true,
    };
    let is_servers = |file: &FileId| match reach.server_only.get(file) {
        Some(ServerOnly::Endpoints | ServerOnly::Middleware | ServerOnly::Injected) => true,
        // Others may be the frontend's, which are told what they import.
        Some(ServerOnly::Imports(_)) => reach.server_modules.contains(file),
        None => false,
    };
    let has_view = |module: &&ParsedModule| {
        let has_jsx = !WITHOUT_JSX.iter().any(|end| module.path.ends_with(end));
        let is_client = module.imports.iter().any(|import| is_of_client(&import.from.text));
        let is_known = is_servers(&module.file) || !parts.module(module.file).iter().any(has_values);
        is_known && !has_jsx && !is_client
    };
    let modules: Vec<&ParsedModule> = graph.modules().filter(has_view).collect();
    let view = |module: &ParsedModule| (module.file, View::of(graph, module, parts.module(module.file)));
    let of = in_parallel(|| modules.into_par_iter().map(view).collect());
    let along = if options.stubs { BTreeSet::new() } else { pure::may_be_taken_along(graph, parts, reach) };
    Views { of, along }
}

impl View {
    /// That of a module as it is in a graph of some modules.
    pub(crate) fn again(graph: &ModuleGraph, module: &ParsedModule) -> Self {
        Self::of(graph, module, &module_parts(graph, module))
    }

    fn of(graph: &ModuleGraph, module: &ParsedModule, parts: &[Part<'_>]) -> Self {
        let (mut shape, mut mentions) = (Xxh3::new(), Xxh3::new());
        let texts = |found: &[(String, Span)]| found.iter().map(|(text, _)| text.clone()).collect::<Vec<_>>();
        for part in parts {
            let Part { kind, declares, exported, dynamic_imports, globs, refers, unresolved, .. } = part;
            (kind, declares, exported, texts(dynamic_imports), texts(globs)).hash(&mut shape);
            (part.has_effect(), is_function(part)).hash(&mut shape);
            (refers, unresolved).hash(&mut mentions);
        }
        let used: BTreeSet<FileId> =
            parts.iter().flat_map(|part| imported_files(graph, module, part)).collect();
        let needs_server = |part: &Part<'_>| uses_injected(part) || imports_server_runtime(module, part);
        (parts.len(), used, parts.iter().any(needs_server)).hash(&mut shape);
        let shape = shape.digest128();
        shape.hash(&mut mentions);
        Self { shape, whole: mentions.digest128() }
    }
}

/// Endings of files that cannot have elements.
const WITHOUT_JSX: &[&str] = &[".ts", ".mts", ".cts"];
