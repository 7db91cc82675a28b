//! Values of shared modules that only endpoints use, for a frontend's bundler to leave out.
//!
//! ```text
//! export const db = new Pool('…');            an endpoint uses `db`
//! export const label = (n: number) => …       a page imports `label` from here, and gets nothing else
//! ```
//!
//! A bundler keeps what may have an effect. Calls that make such values are told to it as pure, so that they stay where pages
//! refer to the value, and nowhere else. Whether any does is the bundler's to know: it sees files that the compiler does not.
//! It keeps `await` all the same, and what changes such a value. Afterwards it tells which exports a page has, so that
//! the rest, where it was taken along, is found.

use std::collections::{BTreeMap, BTreeSet};

use rustc_hash::{FxHashMap, FxHashSet};
use swc_common::{Span, Spanned};
use swc_ecma_ast::{ArrowExpr, CallExpr, Callee, Decl, Function, ModuleDecl, ModuleItem, NewExpr};
use swc_ecma_visit::{Visit, VisitWith, noop_visit_type};

use super::diagnostics;
use super::frontend::is_frontend;
use super::parts::{Part, PartId, PartKind, Parts, own_span};
use super::reach::{Reach, has_endpoints, is_for_both};
use crate::diag::Diagnostic;
use crate::parse::ModuleGraph;
use crate::parse::module::{Imported, ParsedModule, item_decl};
use crate::parse::summary::{ModuleSummary, SpecifierKind};
use crate::source::{FileId, Location};

/// Places in a module, in UTF-16 units.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PureCalls {
    /// Of the whole text that the places belong to.
    pub(super) length: usize,
    /// Where the calls begin.
    pub(super) starts: Vec<usize>,
}

/// The calls of each module that has any, by path.
pub(super) fn pure_calls(
    graph: &ModuleGraph,
    parts: &Parts<'_>,
    reach: &Reach,
) -> impl Iterator<Item = (String, PureCalls)> {
    shared(graph, parts, reach).filter_map(|module| {
        let made = made_for_endpoints(parts, reach, module.file);
        let mut starts: Vec<u32> =
            made.flat_map(|(_, part)| calls(part)).map(|span| module.location(span).start).collect();
        starts.sort_unstable();
        starts.dedup();
        let text = &graph.sources().file(module.file).text;
        let units = |end: u32| Some(text.get(..usize::try_from(end).ok()?)?.encode_utf16().count());
        let starts: Vec<usize> = starts.into_iter().filter_map(units).collect();
        let length = text.encode_utf16().count();
        (!starts.is_empty()).then(|| (module.path.clone(), PureCalls { length, starts }))
    })
}

/// The modules for both sides that make something which endpoints use.
pub(super) fn making(graph: &ModuleGraph, parts: &Parts<'_>, reach: &Reach) -> BTreeSet<String> {
    let making = shared(graph, parts, reach)
        .filter(|module| made_for_endpoints(parts, reach, module.file).next().is_some());
    making.map(|module| module.path.clone()).collect()
}

/// What pages take along of such modules without having a use for it, where their bundler is not told which calls are pure.
pub(super) fn taken_along(
    graph: &ModuleGraph,
    parts: &Parts<'_>,
    reach: &Reach,
    frontend: &dyn Fn(FileId) -> bool,
) -> Vec<Diagnostic> {
    let made = shared(graph, parts, reach).filter_map(|module| {
        let made: Vec<_> = made_for_endpoints(parts, reach, module.file).collect();
        (!made.is_empty()).then_some((module, made))
    });
    let made: Vec<_> = made.collect();
    // Who asks for what is to be found in all modules; most projects make nothing in those for both sides.
    if made.is_empty() {
        return Vec::new();
    }
    let asked = asked_by_pages(graph, parts, frontend);
    let mut found = Vec::new();
    for (module, made) in made {
        let Some((at, exports)) = asked.get(&module.file) else { continue };
        let loaded = reach.loaded(graph, parts, module.file, exports);
        for (_, part) in made.into_iter().filter(|(id, _)| !loaded.contains(id)) {
            let name = part.declares.first().map_or("default", String::as_str);
            let declared = module.location(own_span(&part.node));
            found.push(diagnostics::taken_along(name, &module.path, *at, declared));
        }
    }
    found
}

/// The modules of which pages would take something along if endpoints used it.
pub(super) fn may_be_taken_along(graph: &ModuleGraph, parts: &Parts<'_>, reach: &Reach) -> BTreeSet<FileId> {
    let is_made = |part: &Part<'_>| part.kind == PartKind::Declaration && part.has_effect();
    let making = shared(graph, parts, reach).filter(|module| parts.module(module.file).iter().any(is_made));
    let making: BTreeSet<FileId> = making.map(|module| module.file).collect();
    if making.is_empty() {
        return making;
    }
    let loaded = loaded_by_pages(graph, parts, reach);
    making.intersection(&loaded).copied().collect()
}

/// The modules that [`asked_by_pages`] has.
fn loaded_by_pages(graph: &ModuleGraph, parts: &Parts<'_>, reach: &Reach) -> BTreeSet<FileId> {
    let summaries: FxHashMap<FileId, &ModuleSummary> = graph.summaries().collect();
    let mut queue: Vec<FileId> = summaries.keys().copied().filter(|file| is_frontend(reach, *file)).collect();
    let mut seen: FxHashSet<FileId> = queue.iter().copied().collect();
    let mut loaded = BTreeSet::new();
    while let Some(file) = queue.pop() {
        let specifiers = summaries.get(&file).into_iter().flat_map(|summary| &summary.specifiers);
        for target in specifiers.filter(|used| used.by_value).filter_map(|used| used.target) {
            if !has_endpoints(parts, target) {
                loaded.insert(target);
                if seen.insert(target) {
                    queue.push(target);
                }
            }
        }
    }
    loaded
}

/// The modules that pages load, where one of them asks for each, and for which of its exports they ask.
fn asked_by_pages(
    graph: &ModuleGraph,
    parts: &Parts<'_>,
    frontend: &dyn Fn(FileId) -> bool,
) -> BTreeMap<FileId, (Location, BTreeSet<String>)> {
    let mut asked: BTreeMap<FileId, (Location, BTreeSet<String>)> = BTreeMap::new();
    let summaries: BTreeMap<FileId, &ModuleSummary> = graph.summaries().collect();
    let mut queue: Vec<FileId> = summaries.keys().copied().filter(|file| frontend(*file)).collect();
    let mut seen: BTreeSet<FileId> = queue.iter().copied().collect();
    while let Some(file) = queue.pop() {
        let Some(summary) = summaries.get(&file) else { continue };
        for (place, specifier) in summary.specifiers.iter().enumerate().filter(|(_, used)| used.by_value) {
            let Some(target) = specifier.target.filter(|target| !has_endpoints(parts, *target)) else {
                continue;
            };
            let at = Location { file, start: specifier.start, end: specifier.end };
            let (first, exports) = asked.entry(target).or_insert_with(|| (at, BTreeSet::new()));
            *first = (*first).min(at);
            let all = || summaries.get(&target).into_iter().flat_map(|target| target.exports.keys().cloned());
            match specifier.kind {
                SpecifierKind::Import => {
                    for import in summary.imports.iter().filter(|import| import.from == place) {
                        match &import.imported {
                            Imported::Name(name) => drop(exports.insert(name.clone())),
                            Imported::Namespace => exports.extend(all()),
                        }
                    }
                }
                SpecifierKind::ReExport | SpecifierKind::Load | SpecifierKind::Glob => exports.extend(all()),
            }
            if seen.insert(target) {
                queue.push(target);
            }
        }
    }
    asked
}

/// The text of such a module without what a page that has these exports of it has no use for.
pub(super) fn text_in_page(
    graph: &ModuleGraph,
    parts: &Parts<'_>,
    reach: &Reach,
    file: FileId,
    exports: &BTreeSet<String>,
) -> String {
    let text = &graph.sources().file(file).text;
    let Some(module) = graph.module(file) else { return text.to_string() };
    let loaded = reach.loaded(graph, parts, file, exports);
    let made: BTreeSet<PartId> = made_for_endpoints(parts, reach, file).map(|(id, _)| id).collect();
    let stays = |(id, part): &(PartId, &Part<'_>)| match part.kind {
        // Constants are put where they are used, and their exports are gone.
        PartKind::Declaration => made.contains(id) || (!part.exported && reach.used.contains(id)),
        PartKind::Effect => true,
        PartKind::Import
        | PartKind::ReExport
        | PartKind::Endpoint
        | PartKind::EndpointBase
        | PartKind::Middleware
        | PartKind::Type => false,
    };
    let own = parts.module(file).iter().enumerate().map(|(index, part)| ((file, index), part));
    let (mut kept, mut last) = (String::new(), 0);
    for (_, part) in own.filter(|(id, _)| !loaded.contains(id)).filter(stays) {
        let at = module.location(own_span(&part.node));
        kept.push_str(text.get(last..at.start as usize).unwrap_or_default());
        last = at.end as usize;
    }
    kept.push_str(text.get(last..).unwrap_or_default());
    kept
}

fn shared<'g>(
    graph: &'g ModuleGraph,
    parts: &Parts<'_>,
    reach: &Reach,
) -> impl Iterator<Item = &'g ParsedModule> {
    graph.modules().filter(|module| {
        reach.server_modules.contains(&module.file) && is_for_both(parts, &reach.server_only, module.file)
    })
}

/// The declarations of a module that endpoints use, and that do something when it is loaded.
fn made_for_endpoints<'p>(
    parts: &'p Parts<'_>,
    reach: &Reach,
    file: FileId,
) -> impl Iterator<Item = (PartId, &'p Part<'p>)> {
    let own = parts.module(file).iter().enumerate().map(move |(index, part)| ((file, index), part));
    own.filter(|(id, part)| {
        part.kind == PartKind::Declaration && part.has_effect() && reach.used.contains(id)
    })
}

/// The calls that are made while a variable or a default export gets its value.
fn calls(part: &Part<'_>) -> Vec<Span> {
    let mut calls = Calls(Vec::new());
    match (&*part.node, item_decl(&part.node)) {
        (_, Some(Decl::Var(vars))) => vars.decls.iter().for_each(|var| var.init.visit_with(&mut calls)),
        (ModuleItem::ModuleDecl(ModuleDecl::ExportDefaultExpr(export)), _) => {
            export.expr.visit_with(&mut calls);
        }
        _ => {}
    }
    calls.0
}

struct Calls(Vec<Span>);

impl Visit for Calls {
    noop_visit_type!();

    fn visit_call_expr(&mut self, call: &CallExpr) {
        if matches!(call.callee, Callee::Expr(_)) {
            self.0.push(call.span());
        }
        call.visit_children_with(self);
    }

    fn visit_new_expr(&mut self, made: &NewExpr) {
        self.0.push(made.span);
        made.visit_children_with(self);
    }

    /// What a function does, it does when it is called.
    fn visit_function(&mut self, _: &Function) {}

    fn visit_arrow_expr(&mut self, _: &ArrowExpr) {}
}
