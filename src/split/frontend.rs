//! The frontend may not import server code as values; it is compiled by the app's own bundler, from the sources.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use swc_ecma_ast::{ImportSpecifier, ModuleDecl, ModuleItem, Str};

use super::parts::{Part, PartKind, Parts};
use super::pure::{PureCalls, making, pure_calls, taken_along};
use super::reach::{Reach, ServerOnly, Target, bound, client_source, has_endpoints};
use super::{diagnostics, globs};
use crate::diag::Diagnostic;
use crate::parse::ModuleGraph;
use crate::parse::graph::Binding;
use crate::parse::module::{Imported, ParsedModule};
use crate::parse::resolve::Resolution;
use crate::parse::summary::{ImportedName, SpecifierKind};
use crate::source::{FileId, Location};

/// Where the frontend ends: what its bundler must not follow. Paths are relative to the project.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Frontier {
    /// Modules with endpoints, and the names of their stubs below `.kontract/client`.
    stubs: BTreeMap<String, String>,
    /// Other modules that only the server can run.
    server: BTreeSet<String>,
    /// Calls in modules of both sides that only matter to who uses what they give.
    pure: BTreeMap<String, PureCalls>,
    /// Modules of both sides that make what endpoints use, of which pages are to have no more than they use.
    making: BTreeSet<String>,
}

impl Frontier {
    /// For the plugins of bundlers.
    pub fn to_json(&self) -> String {
        let pure: BTreeMap<&String, Value> = self
            .pure
            .iter()
            .map(|(path, PureCalls { length, starts })| (path, json!({ "length": length, "starts": starts })))
            .collect();
        let json = json!({ "stubs": self.stubs, "server": self.server, "pure": pure, "making": self.making });
        format!("{json:#}\n")
    }
}

/// `pages` is what draws pages in the Worker.
pub(super) fn frontier(
    graph: &ModuleGraph,
    parts: &Parts<'_>,
    reach: &Reach,
    pages: Option<FileId>,
) -> Frontier {
    let mut frontier = Frontier {
        pure: pure_calls(graph, parts, reach).collect(),
        making: making(graph, parts, reach),
        ..Frontier::default()
    };
    frontier.server.extend(pages.map(|file| graph.sources().file(file).path.clone()));
    for file in reach.server_only.keys().filter(|file| !is_frontend(reach, **file)) {
        let path = graph.sources().file(*file).path.clone();
        if has_endpoints(parts, *file) {
            frontier.stubs.insert(path, graph.output_of(*file));
        } else {
            frontier.server.insert(path);
        }
    }
    frontier
}

/// `stubs` says whether the frontend's bundler puts stubs in the place of modules with endpoints.
pub(super) fn check(graph: &ModuleGraph, parts: &Parts<'_>, reach: &Reach, stubs: bool) -> Vec<Diagnostic> {
    let has_stub = |file: FileId| stubs && has_endpoints(parts, file);
    let mut found = Vec::new();
    for module in graph.modules().filter(|module| is_frontend(reach, module.file)) {
        let values = value_names(parts.module(module.file));
        let statements = parts.module(module.file).iter().filter_map(|part| value_specifier(part, &values));
        let statements = statements.filter_map(|source| {
            let Resolution::File(file) = graph.resolve(module, &source.value.to_string_lossy()) else {
                return None;
            };
            Some((file, module.location(source.span)))
        });
        for (file, at) in statements.chain(loaded(graph, module.file)).filter(|(file, _)| !has_stub(*file)) {
            check_import(graph, reach, &module.path, file, at, &mut found);
        }
    }
    let servers = globs::candidates(parts, reach, stubs);
    for (file, summary) in graph.summaries().filter(|(file, _)| is_frontend(reach, *file)) {
        let path = &graph.sources().file(file).path;
        for (target, at) in globs::globbed(graph, file, &summary.specifiers, &servers) {
            check_import(graph, reach, path, target, at, &mut found);
        }
        for import in &summary.imports {
            let specifier = &summary.specifiers[import.from];
            let stub = specifier.target.filter(|target| has_stub(*target));
            let source = stub.and_then(|target| graph.module(target));
            if let Some(source) = source.or_else(|| client_source(graph, &specifier.text)) {
                found.extend(client_import(graph, parts, reach, source, file, import));
            }
        }
    }
    if !stubs {
        found.extend(taken_along(graph, parts, reach, &|file| is_frontend(reach, file)));
    }
    found
}

/// Whether a module belongs to the frontend: no server code runs it, and nothing in it needs the server by itself.
pub(super) fn is_frontend(reach: &Reach, file: FileId) -> bool {
    let needs_server =
        reach.server_only.get(&file).is_some_and(|reason| !matches!(reason, ServerOnly::Imports(_)));
    !reach.server_modules.contains(&file) && !needs_server
}

fn check_import(
    graph: &ModuleGraph,
    reach: &Reach,
    importer: &str,
    file: FileId,
    at: Location,
    found: &mut Vec<Diagnostic>,
) {
    // A frontend module on the way reports its own import.
    if is_frontend(reach, file) {
        return;
    }
    let mut chain = vec![importer.to_owned()];
    let mut next = Some(file);
    let mut last = None;
    while let Some(file) = next {
        let (Some(on_the_way), Some(reason)) = (graph.module(file), reach.server_only.get(&file)) else {
            break;
        };
        chain.push(on_the_way.path.clone());
        last = Some(*reason);
        next = match reason {
            ServerOnly::Imports(file) => Some(*file),
            ServerOnly::Endpoints | ServerOnly::Middleware | ServerOnly::Injected => None,
        };
    }
    if let Some(reason) = last {
        found.push(diagnostics::server_code_in_frontend(&chain, reason, at));
    }
}

/// `import { x } from '@/client/api/entries'`, or straight from `source`, where `x` stays on the server.
fn client_import(
    graph: &ModuleGraph,
    parts: &Parts<'_>,
    reach: &Reach,
    source: &ParsedModule,
    file: FileId,
    import: &ImportedName,
) -> Option<Diagnostic> {
    let Imported::Name(name) = &import.imported else { return None };
    if import.type_only || name == "default" || !has_endpoints(parts, source.file) {
        return None;
    }
    let meant = match graph.exported(source.file, name) {
        Binding::Missing => graph.lookup(source.file, name),
        exported => exported,
    };
    let Target::Parts(ids) = bound(graph, parts, meant) else { return None };
    let stays = ids.iter().any(|id| {
        let endpoint = parts.part(*id).is_some_and(|part| part.kind == PartKind::Endpoint);
        !endpoint && !reach.client.contains(id)
    });
    let first = ids.first().and_then(|id| Some((graph.module(id.0)?, parts.part(*id)?)));
    let declared = first.map(|(module, part)| module.location(part.span));
    let at = Location { file, start: import.start, end: import.end };
    stays.then(|| diagnostics::server_name_from_client(name, at, declared))
}

/// Every name that any part of a module uses as a value.
fn value_names<'p>(parts: &'p [Part<'_>]) -> BTreeSet<&'p str> {
    parts.iter().flat_map(|part| &part.refers).map(String::as_str).collect()
}

/// What a module loads inside of its code, by `import(…)`, `require(…)` or as `new URL(…, import.meta.url)`.
fn loaded(graph: &ModuleGraph, file: FileId) -> impl Iterator<Item = (FileId, Location)> {
    let specifiers = graph.summary(file).into_iter().flat_map(|summary| &summary.specifiers);
    specifiers.filter(|specifier| specifier.kind == SpecifierKind::Load).filter_map(move |specifier| {
        Some((specifier.target?, Location { file, start: specifier.start, end: specifier.end }))
    })
}

/// What a statement takes values from.
fn value_specifier<'p>(part: &'p Part<'_>, values: &BTreeSet<&str>) -> Option<&'p Str> {
    let ModuleItem::ModuleDecl(decl) = &*part.node else { return None };
    match decl {
        ModuleDecl::Import(import) if !import.type_only => {
            let used = |specifier: &ImportSpecifier| {
                !specifier.is_type_only() && values.contains(&*specifier.local().sym)
            };
            let by_value = import.specifiers.is_empty() || import.specifiers.iter().any(used);
            by_value.then_some(&*import.src)
        }
        ModuleDecl::ExportNamed(export) if !export.type_only => export.src.as_deref(),
        ModuleDecl::ExportAll(export) if !export.type_only => Some(&*export.src),
        _ => None,
    }
}
