//! The module that draws pages in the Worker. It and what it imports are page code, bundled for the server as they are:
//! browsers get none of it from here, and endpoints are called through `@/client`.

use std::collections::BTreeSet;

use super::diagnostics;
use super::parts::Parts;
use super::reach::has_endpoints;
use crate::diag::Diagnostic;
use crate::parse::ModuleGraph;
use crate::parse::summary::{SpecifierKind, SpecifierUse};
use crate::source::{FileId, Location};

/// Whether the module can draw, nothing else imports it, and what it imports gets to endpoints in the one way that leads to
/// them in a Worker.
pub(super) fn check(graph: &ModuleGraph, parts: &Parts<'_>, pages: FileId) -> Vec<Diagnostic> {
    let path = &graph.sources().file(pages).path;
    let Some(summary) = graph.summary(pages) else { return Vec::new() };
    let mut found = Vec::new();
    if !summary.exports.contains_key(RENDER) && summary.stars.is_empty() {
        found.push(diagnostics::no_render(path, Location { file: pages, start: 0, end: 0 }));
    }
    for (file, importer) in graph.summaries() {
        for specifier in values(&importer.specifiers).filter(|specifier| specifier.target == Some(pages)) {
            let importer = &graph.sources().file(file).path;
            found.push(diagnostics::pages_in_frontend(importer, path, location(file, specifier)));
        }
    }
    for file in drawn(graph, parts, pages) {
        for specifier in graph.summary(file).into_iter().flat_map(|summary| values(&summary.specifiers)) {
            if specifier.kind == SpecifierKind::Glob {
                found.push(diagnostics::glob(&graph.sources().file(file).path, location(file, specifier)));
            }
            if let Some(target) = specifier.target.filter(|target| has_endpoints(parts, *target)) {
                let module = &graph.sources().file(target).path;
                found.push(diagnostics::endpoint_of_page(module, location(file, specifier)));
            }
        }
    }
    found
}

/// The module and everything that it runs, but for modules with endpoints.
fn drawn(graph: &ModuleGraph, parts: &Parts<'_>, pages: FileId) -> BTreeSet<FileId> {
    let mut reached = BTreeSet::new();
    let mut queue = vec![pages];
    while let Some(file) = queue.pop() {
        if !has_endpoints(parts, file) && reached.insert(file) {
            let targets = graph.summary(file).into_iter().flat_map(|summary| values(&summary.specifiers));
            queue.extend(targets.filter_map(|specifier| specifier.target));
        }
    }
    reached
}

fn values(specifiers: &[SpecifierUse]) -> impl Iterator<Item = &SpecifierUse> {
    specifiers.iter().filter(|specifier| specifier.by_value)
}

fn location(file: FileId, specifier: &SpecifierUse) -> Location {
    Location { file, start: specifier.start, end: specifier.end }
}

/// What the module exports.
const RENDER: &str = "render";
