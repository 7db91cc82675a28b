//! Which parts server code reaches, and which remain for clients.
//!
//! ```text
//! server = closure of endpoints, middlewares and whatever else server modules run, over value references
//! client = what a frontend asks of `@/client/<module>`, where its closure never meets what is the server's alone
//! ```
//!
//! Each depends on the other: what is not client is run by the server, and what that refers to is not client. A module
//! without endpoints that the server imports is run as a whole; unless only the server can run it, clients may have parts of
//! it as well, with what such a module does when it is loaded, but for what it does to values that only endpoints use. The least such `server` is found by repetition, so that in modules with endpoints the two are disjoint, and the
//! server's half lacks nothing it uses.
//!
//! Dead-code elimination would not do: it keeps `const db = new Database('sk-live-…')`, because that has an effect.

use std::collections::{BTreeMap, BTreeSet};

use super::parts::{Part, PartId, PartKind, Parts};
use super::passing::{Asked, Present, present};
use super::queried::queried;
use crate::parse::ModuleGraph;
use crate::parse::graph::Binding;
use crate::parse::module::{Export, Imported, ParsedModule, item_decl};
use crate::parse::resolve::Resolution;
use crate::parse::summary::{Exported, SpecifierKind};
use crate::source::FileId;

/// The result of following references.
pub(super) struct Reach {
    /// Parts that client output contains. In a module with endpoints, the server's half does not.
    pub(super) client: BTreeSet<PartId>,
    /// The modules that it contains.
    pub(super) present: Present,
    /// What endpoints and middlewares use.
    pub(super) used: BTreeSet<PartId>,
    /// Modules that run on the server.
    pub(super) server_modules: BTreeSet<FileId>,
    /// Modules that only the server can run, with the module that the reason stands in.
    pub(super) server_only: BTreeMap<FileId, ServerOnly>,
    /// Whether a frontend asks for anything but endpoints.
    pub(super) is_asked: bool,
}

/// Why a module can only run on the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ServerOnly {
    Endpoints,
    Middleware,
    /// It uses `ctx` or `env`.
    Injected,
    /// It imports a module that can only run on the server.
    Imports(FileId),
}

/// What a name of a module leads to.
pub(super) enum Target {
    Parts(Vec<PartId>),
    /// All exports of a module.
    Module(FileId),
    /// A package, or nothing.
    Outside,
}

impl Reach {
    pub(super) fn of(graph: &ModuleGraph, parts: &Parts<'_>) -> Self {
        let (demanded, asked) = demanded(graph, parts);
        let server_only = server_only(graph, parts);
        let used = server_closure(graph, parts, &BTreeSet::new(), &BTreeSet::new());
        let mut server = used.clone();
        loop {
            let secret = |id: &PartId| server.contains(id) && !is_for_both(parts, &server_only, id.0);
            let refused = |id: PartId| is_refused(graph, parts, &secret, id);
            let walk = Walk { graph, parts, used: &used, refused: &refused };
            let client = client_closure(&demanded, &walk);
            let server_modules = server_modules(graph, parts, &client);
            let grown = server_closure(graph, parts, &server_modules, &client);
            if grown == server {
                let is_asked = demanded.iter().any(|id| is_declaration(parts, *id));
                let present = present(graph, parts, &client, asked);
                return Self { client, present, used, server_modules, server_only, is_asked };
            }
            server = grown;
        }
    }

    /// What a page has of a module for both sides: these exports, and what else runs when it is loaded.
    pub(super) fn loaded(
        &self,
        graph: &ModuleGraph,
        parts: &Parts<'_>,
        file: FileId,
        exports: &BTreeSet<String>,
    ) -> BTreeSet<PartId> {
        let walk = Walk { graph, parts, used: &self.used, refused: &|_| false };
        let asked = exports.iter().filter_map(|name| match bound(graph, parts, graph.exported(file, name)) {
            Target::Parts(ids) => Some(ids),
            Target::Module(_) | Target::Outside => None,
        });
        walk.closure(asked.flatten().collect(), Some(file)).unwrap_or_default()
    }
}

/// Whether a module is one that either side may have: it has no endpoints, and nothing that only the server can run. Frontends
/// import such modules by themselves.
pub(super) fn is_for_both(
    parts: &Parts<'_>,
    server_only: &BTreeMap<FileId, ServerOnly>,
    file: FileId,
) -> bool {
    !has_endpoints(parts, file) && !server_only.contains_key(&file)
}

/// Whether a module has endpoints.
pub(super) fn has_endpoints(parts: &Parts<'_>, file: FileId) -> bool {
    parts.module(file).iter().any(|part| part.kind == PartKind::Endpoint)
}

/// What a top-level name means, as parts.
pub(super) fn target(graph: &ModuleGraph, parts: &Parts<'_>, file: FileId, name: &str) -> Target {
    bound(graph, parts, graph.lookup(file, name))
}

/// What a binding leads to.
pub(super) fn bound(graph: &ModuleGraph, parts: &Parts<'_>, binding: Binding) -> Target {
    match binding {
        Binding::Declared { file, name } => Target::Parts(parts.declaring(file, &name)),
        Binding::Item { file, index } => {
            let span = graph
                .module(file)
                .and_then(|module| module.items().get(index))
                .map(swc_common::Spanned::span);
            let found = parts.module(file).iter().position(|part| Some(part.span) == span);
            Target::Parts(found.map(|index| (file, index)).into_iter().collect())
        }
        Binding::Namespace { file } => Target::Module(file),
        Binding::External { .. } | Binding::Missing => Target::Outside,
    }
}

/// The files that a part imports as values, with the specifiers: through its names, statically, or dynamically.
pub(super) fn imported_files(graph: &ModuleGraph, module: &ParsedModule, part: &Part<'_>) -> Vec<FileId> {
    let mut files = Vec::new();
    for name in &part.refers {
        files.extend(
            module.import(name).filter(|import| !import.type_only).and_then(|import| import.from.target),
        );
    }
    for (specifier, _) in &part.dynamic_imports {
        if let Resolution::File(file) = graph.resolve(module, specifier) {
            files.push(file);
        }
    }
    files.extend(direct_import(graph, module, part));
    files
}

/// The file of `import './x'` and `export … from './x'`.
fn direct_import(graph: &ModuleGraph, module: &ParsedModule, part: &Part<'_>) -> Option<FileId> {
    use swc_ecma_ast::{ModuleDecl, ModuleItem};
    let ModuleItem::ModuleDecl(decl) = &*part.node else { return None };
    let source = match decl {
        ModuleDecl::Import(import) if import.specifiers.is_empty() && !import.type_only => &import.src,
        ModuleDecl::ExportNamed(export) if !export.type_only => export.src.as_ref()?,
        ModuleDecl::ExportAll(export) if !export.type_only => &export.src,
        _ => return None,
    };
    match graph.resolve(module, &source.value.to_string_lossy()) {
        Resolution::File(file) => Some(file),
        Resolution::External | Resolution::Missing => None,
    }
}

/// Everything that endpoints, middlewares and the server modules' own statements refer to, themselves included.
pub(super) fn server_closure(
    graph: &ModuleGraph,
    parts: &Parts<'_>,
    server_modules: &BTreeSet<FileId>,
    client: &BTreeSet<PartId>,
) -> BTreeSet<PartId> {
    let mut reached = BTreeSet::new();
    let mut queue: Vec<PartId> = Vec::new();
    for module in graph.modules() {
        let runs = server_modules.contains(&module.file);
        let splits = has_endpoints(parts, module.file);
        let roots = parts.module(module.file).iter().enumerate().filter(|(index, part)| match part.kind {
            PartKind::Endpoint | PartKind::EndpointBase | PartKind::Middleware => true,
            PartKind::Declaration | PartKind::Effect => {
                runs && !(splits && client.contains(&(module.file, *index)))
            }
            // The server's half re-exports only what it has.
            PartKind::Import | PartKind::ReExport | PartKind::Type => false,
        });
        queue.extend(roots.map(|(index, _)| (module.file, index)));
    }
    while let Some(id) = queue.pop() {
        if reached.insert(id) {
            queue.extend(neighbours(graph, parts, id));
        }
    }
    reached
}

/// The parts that a part refers to.
pub(super) fn neighbours<'p>(graph: &ModuleGraph, parts: &'p Parts<'_>, id: PartId) -> &'p [PartId] {
    let Some(part) = parts.part(id) else { return &[] };
    part.neighbours.get_or_init(|| referred_to(graph, parts, (id.0, part)))
}

fn referred_to(graph: &ModuleGraph, parts: &Parts<'_>, (file, part): (FileId, &Part<'_>)) -> Vec<PartId> {
    let mut found = Vec::new();
    for name in &part.refers {
        match target(graph, parts, file, name) {
            Target::Parts(ids) => found.extend(ids),
            Target::Module(file) => found.extend(exported_parts(graph, parts, file)),
            Target::Outside => {}
        }
    }
    if let Some(module) = graph.module(file) {
        for (specifier, _) in &part.dynamic_imports {
            if let Resolution::File(file) = graph.resolve(module, specifier) {
                found.extend(exported_parts(graph, parts, file));
            }
        }
    }
    found
}

/// Every part behind the exports of a module, re-exports included.
pub(super) fn exported_parts(graph: &ModuleGraph, parts: &Parts<'_>, file: FileId) -> Vec<PartId> {
    let mut found = Vec::new();
    let mut seen = BTreeSet::new();
    let mut files = vec![file];
    while let Some(file) = files.pop() {
        let Some(module) = graph.module(file).filter(|_| seen.insert(file)) else { continue };
        let own = parts.module(file).iter().enumerate().filter(|(_, part)| part.exported);
        found.extend(own.map(|(index, _)| (file, index)));
        files.extend(module.star_exports.iter().filter_map(|from| from.target));
        files.extend(module.exports.values().filter_map(|export| match export {
            Export::From(from, _) => from.target,
            Export::Local(_) | Export::Item(_) => None,
        }));
    }
    found
}

/// The module whose client half a specifier such as `@/client/api/entries` names.
pub(super) fn client_source<'g>(graph: &'g ModuleGraph, specifier: &str) -> Option<&'g ParsedModule> {
    graph.module(graph.client_source(specifier)?)
}

/// The parts that modules take as values from `@/client/<module>`. Nothing else of a module with endpoints leaves the
/// server: an export that nobody asks for may be a secret as well.
/// With what that is by name.
fn demanded(graph: &ModuleGraph, parts: &Parts<'_>) -> (BTreeSet<PartId>, Asked) {
    let (mut found, mut asked) = (BTreeSet::new(), Asked::default());
    for (_, importer) in graph.summaries() {
        let imports = importer.imports.iter().filter(|import| !import.type_only);
        let imports = imports.map(|import| (import.from, &import.imported));
        let exports = importer.exports.values().filter_map(|export| match export {
            Exported::From(from, imported) => {
                importer.specifiers[*from].by_value.then_some((*from, imported))
            }
            Exported::Local(_) | Exported::Item(_) => None,
        });
        for (from, imported) in imports.chain(exports) {
            if let Some(source) = client_source(graph, &importer.specifiers[from].text) {
                found.extend(asked_for(graph, parts, source, imported));
                match imported {
                    Imported::Name(name) => asked.names.insert((source.file, name.clone())),
                    Imported::Namespace => asked.whole.insert(source.file),
                };
            }
        }
        let stars = importer.stars.iter().map(|from| &importer.specifiers[*from]);
        let loads = importer.specifiers.iter().filter(|from| from.kind == SpecifierKind::Load);
        for from in stars.chain(loads) {
            let source = client_source(graph, &from.text);
            found.extend(source.into_iter().flat_map(|source| exported_parts(graph, parts, source.file)));
            asked.whole.extend(source.map(|source| source.file));
        }
    }
    (found, asked)
}

/// What a name of a module's client half means.
fn asked_for(
    graph: &ModuleGraph,
    parts: &Parts<'_>,
    source: &ParsedModule,
    imported: &Imported,
) -> Vec<PartId> {
    match imported {
        Imported::Name(name) => match bound(graph, parts, graph.exported(source.file, name)) {
            Target::Parts(ids) => ids,
            Target::Module(file) => exported_parts(graph, parts, file),
            Target::Outside => Vec::new(),
        },
        Imported::Namespace => exported_parts(graph, parts, source.file),
    }
}

/// What a closure of client code is taken over.
struct Walk<'w> {
    graph: &'w ModuleGraph,
    parts: &'w Parts<'w>,
    /// What endpoints and middlewares use.
    used: &'w BTreeSet<PartId>,
    /// What a closure may not meet.
    refused: &'w dyn Fn(PartId) -> bool,
}

fn client_closure(demanded: &BTreeSet<PartId>, walk: &Walk<'_>) -> BTreeSet<PartId> {
    let declarations = demanded.iter().filter(|id| is_declaration(walk.parts, **id));
    let closures = declarations.filter_map(|id| walk.closure(vec![*id], None));
    closures.flatten().collect()
}

fn is_declaration(parts: &Parts<'_>, id: PartId) -> bool {
    parts.part(id).is_some_and(|part| part.kind == PartKind::Declaration)
}

impl Walk<'_> {
    /// The closure of parts with what else runs where they do, or when a module is loaded, stubs not entered; `None` when it
    /// meets what is refused.
    fn closure(&self, roots: Vec<PartId>, loaded: Option<FileId>) -> Option<BTreeSet<PartId>> {
        let mut reached = BTreeSet::new();
        let mut queue = roots;
        loop {
            while let Some(id) = queue.pop() {
                if is_endpoint(self.parts, id) || reached.contains(&id) {
                    continue;
                }
                if (self.refused)(id) {
                    return None;
                }
                reached.insert(id);
                queue.extend(neighbours(self.graph, self.parts, id));
            }
            // What endpoints use is left to them, unless a reference has led there by now.
            let of_loaded = loaded.into_iter().flat_map(|file| effects(self.parts, file));
            let effects =
                reached.iter().flat_map(|id| effects_with(self.graph, self.parts, *id)).chain(of_loaded);
            queue = effects.filter(|id| !reached.contains(id) && !self.is_servers(*id, &reached)).collect();
            if queue.is_empty() {
                return Some(reached);
            }
        }
    }

    /// Whether an effect makes a value that only endpoints use, or does something to one and to nothing that clients have:
    /// `const db = connect(…)`, `db.timeout = 5`.
    fn is_servers(&self, id: PartId, reached: &BTreeSet<PartId>) -> bool {
        let Some(part) = self.parts.part(id) else { return false };
        match part.kind {
            PartKind::Declaration => self.used.contains(&id),
            PartKind::Effect => {
                let is_value = |id: &PartId| self.parts.part(*id).is_some_and(|part| !is_function(part));
                let values = neighbours(self.graph, self.parts, id).iter().copied().filter(is_value);
                let (of_clients, others): (Vec<PartId>, Vec<PartId>) =
                    values.partition(|id| reached.contains(id));
                of_clients.is_empty() && others.iter().any(|id| self.used.contains(id))
            }
            PartKind::Import
            | PartKind::ReExport
            | PartKind::Endpoint
            | PartKind::EndpointBase
            | PartKind::Middleware
            | PartKind::Type => false,
        }
    }
}

/// Whether no client may have a part, which by itself or by its types tells what is `secret`, or needs the server.
fn is_refused(graph: &ModuleGraph, parts: &Parts<'_>, secret: &dyn Fn(&PartId) -> bool, id: PartId) -> bool {
    let (Some(module), Some(part)) = (graph.module(id.0), parts.part(id)) else { return true };
    let injected = uses_injected(part) || imports_server_runtime(module, part);
    let tells = |id: &PartId| secret(id) && !is_endpoint(parts, *id);
    secret(&id) || injected || !part.dynamic_imports.is_empty() || queried(graph, parts, id).iter().any(tells)
}

pub(super) fn is_function(part: &Part<'_>) -> bool {
    matches!(item_decl(&part.node), Some(swc_ecma_ast::Decl::Fn(_)))
}

/// Whether a part is an endpoint, in whose place clients have a stub.
pub(super) fn is_endpoint(parts: &Parts<'_>, id: PartId) -> bool {
    parts.part(id).is_some_and(|part| part.kind == PartKind::Endpoint)
}

/// What else runs where a part of the client does: the effects of its module, of those that its names come through, and of
/// what it imports for nothing else. In a module with endpoints these are the server's.
fn effects_with(graph: &ModuleGraph, parts: &Parts<'_>, id: PartId) -> Vec<PartId> {
    let (Some(module), Some(part)) = (graph.module(id.0), parts.part(id)) else { return Vec::new() };
    let imports = part.refers.iter().filter_map(|name| module.import(name));
    let through = imports.filter(|import| !import.type_only).filter_map(|import| import.from.target);
    let files = [id.0].into_iter().chain(through).chain(direct_import(graph, module, part));
    let without_endpoints = files.filter(|file| !has_endpoints(parts, *file));
    without_endpoints.flat_map(|file| effects(parts, file)).collect()
}

fn effects(parts: &Parts<'_>, file: FileId) -> impl Iterator<Item = PartId> {
    let own = parts.module(file).iter().enumerate();
    own.filter(|(_, part)| part.has_effect()).map(move |(index, _)| (file, index))
}

fn server_modules(graph: &ModuleGraph, parts: &Parts<'_>, client: &BTreeSet<PartId>) -> BTreeSet<FileId> {
    let mut reached = BTreeSet::new();
    let starts = |part: &Part<'_>| {
        matches!(part.kind, PartKind::Endpoint | PartKind::EndpointBase | PartKind::Middleware)
    };
    let roots = graph.modules().filter(|module| parts.module(module.file).iter().any(starts));
    let mut queue: Vec<FileId> = roots.map(|module| module.file).collect();
    while let Some(file) = queue.pop() {
        let Some(module) = graph.module(file).filter(|_| reached.insert(file)) else { continue };
        let splits = has_endpoints(parts, file);
        for (index, part) in parts.module(file).iter().enumerate() {
            if !(splits && client.contains(&(file, index))) {
                queue.extend(imported_files(graph, module, part));
            }
        }
    }
    reached
}

fn server_only(graph: &ModuleGraph, parts: &Parts<'_>) -> BTreeMap<FileId, ServerOnly> {
    let mut found: BTreeMap<FileId, ServerOnly> = BTreeMap::new();
    for module in graph.modules() {
        let own = parts.module(module.file);
        let bases = own.iter().any(|part| part.kind == PartKind::EndpointBase);
        let reason = if bases || has_endpoints(parts, module.file) {
            Some(ServerOnly::Endpoints)
        } else if own.iter().any(|part| part.kind == PartKind::Middleware) {
            Some(ServerOnly::Middleware)
        } else if own.iter().any(|part| uses_injected(part) || imports_server_runtime(module, part)) {
            Some(ServerOnly::Injected)
        } else {
            None
        };
        if let Some(reason) = reason {
            found.insert(module.file, reason);
        }
    }
    loop {
        let mut more = Vec::new();
        for module in graph.modules().filter(|module| !found.contains_key(&module.file)) {
            let imported =
                parts.module(module.file).iter().flat_map(|part| imported_files(graph, module, part));
            let server = imported.into_iter().find(|file| found.contains_key(file));
            more.extend(server.map(|server| (module.file, ServerOnly::Imports(server))));
        }
        if more.is_empty() {
            return found;
        }
        found.extend(more);
    }
}

/// Whether a part uses `ctx` or `env`.
pub(super) fn uses_injected(part: &Part<'_>) -> bool {
    INJECTED.iter().any(|name| part.unresolved.contains(*name))
}

pub(super) fn imports_server_runtime(module: &ParsedModule, part: &Part<'_>) -> bool {
    part.refers.iter().any(|name| {
        module.import(name).is_some_and(|import| import.from.text == SERVER_RUNTIME && !import.type_only)
    })
}

/// Names that server modules use without importing them.
pub(super) const INJECTED: &[&str] = crate::parse::survey::INJECTED;
/// Where they come from.
pub(super) const SERVER_RUNTIME: &str = crate::parse::module::SERVER_RUNTIME;
