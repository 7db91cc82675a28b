//! What modules of the client pass on of others, for who imports a module as a whole, and for `@/client/<module>`.
//!
//! ```text
//! util.ts    export { shout } from './deep';      api.ts    import * as util from './util';
//! client/util.js   export { shout } from './deep.js';
//! ```
//!
//! Names that are imported one by one lead to where they are declared, so that most modules pass nothing on. Whether a package
//! has a name that a module passes on by `export * from 'package'` is not known: such a name is asked of every one on the way.

use std::collections::BTreeSet;

use swc_common::DUMMY_SP;
use swc_ecma_ast::{
    Decl, ExportAll, ExportNamedSpecifier, ExportNamespaceSpecifier, ExportSpecifier, ModuleDecl, ModuleItem,
    NamedExport, Str,
};

use super::parts::{PartId, Parts};
use super::reach::{SERVER_RUNTIME, Target, bound, has_endpoints, is_endpoint};
use crate::emit::build::export_name;
use crate::parse::ModuleGraph;
use crate::parse::graph::Binding;
use crate::parse::module::{Export, Imported, ParsedModule};
use crate::source::FileId;

/// What a module passes on.
pub(super) struct Passed {
    pub(super) what: What,
    pub(super) from: Origin,
    /// Whether declarations say it in full; they name the rest as the module does.
    pub(super) flat: bool,
}

/// How much of it.
pub(super) enum What {
    /// A name: how it is exported, and what it is there.
    Name(String, Imported),
    /// All that is exported there.
    All,
}

/// Where it comes from.
pub(super) enum Origin {
    Module(FileId),
    /// A package, or content that is no source, and the file that names it so.
    Outside(FileId, String),
}

impl Passed {
    /// What it is called, there and here.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        let (here, there) = match &self.what {
            What::Name(here, Imported::Name(there)) => (Some(here), Some(there)),
            What::Name(here, Imported::Namespace) => (Some(here), None),
            What::All => (None, None),
        };
        here.into_iter().chain(there).map(String::as_str)
    }
}

/// What frontends ask of `@/client/<module>`.
#[derive(Default)]
pub(super) struct Asked {
    /// Modules, and names of theirs.
    pub(super) names: BTreeSet<(FileId, String)>,
    /// Modules that are taken as a whole.
    pub(super) whole: BTreeSet<FileId>,
}

/// The modules that the client has.
pub(super) fn present(
    graph: &ModuleGraph,
    parts: &Parts<'_>,
    client: &BTreeSet<PartId>,
    asked: Asked,
) -> Present {
    let mut search = Search { graph, found: Present::default(), whole: asked.whole.into_iter().collect() };
    for (file, name) in asked.names {
        search.ask(file, &name);
    }
    for id in client {
        for name in parts.part(*id).into_iter().flat_map(|part| &part.refers) {
            match graph.lookup(id.0, name) {
                Binding::Namespace { file } => search.whole.push(file),
                Binding::Missing => search.ask_import(id.0, name),
                Binding::Declared { .. } | Binding::Item { .. } | Binding::External { .. } => {}
            }
        }
    }
    let mut found = search.finish();
    found.files = client.iter().map(|(file, _)| *file).collect();
    // Of two that pass each other on, either is there when the other one is.
    loop {
        let more = found.passing.iter().filter(|file| !found.files.contains(*file));
        let more = more.filter(|file| !passed_on(graph, parts, client, &found, **file).is_empty());
        let more: Vec<FileId> = more.copied().collect();
        if more.is_empty() {
            return found;
        }
        found.files.extend(more);
    }
}

/// The modules of the client.
#[derive(Default)]
pub(super) struct Present {
    /// Those that pass anything on.
    passing: BTreeSet<FileId>,
    /// Those that pass on all that they can.
    whole: BTreeSet<FileId>,
    /// What is asked of others.
    names: BTreeSet<(FileId, String)>,
    /// Those of which a name is asked that a package may have which they pass on.
    open: BTreeSet<FileId>,
    /// Those that have anything.
    pub(super) files: BTreeSet<FileId>,
}

/// Follows what is asked of modules to those that they pass on.
struct Search<'g> {
    graph: &'g ModuleGraph,
    found: Present,
    /// Modules that are taken as a whole and were not looked at.
    whole: Vec<FileId>,
}

impl Search<'_> {
    fn ask(&mut self, file: FileId, name: &str) {
        if !self.found.names.insert((file, name.to_owned())) {
            return;
        }
        self.found.passing.insert(file);
        match self.graph.exported(file, name) {
            Binding::Namespace { file } => self.whole.push(file),
            Binding::Missing => self.ask_behind(file, name),
            Binding::Declared { .. } | Binding::Item { .. } | Binding::External { .. } => {}
        }
    }

    /// Asks where a name leads that only packages may have which a module passes on as a whole.
    fn ask_behind(&mut self, file: FileId, name: &str) {
        let Some(module) = self.graph.module(file) else { return };
        match module.exports.get(name) {
            Some(Export::From(from, Imported::Name(name))) => {
                from.target.into_iter().for_each(|file| self.ask(file, name));
            }
            Some(Export::Local(local)) => self.ask_import(file, local),
            Some(Export::From(_, Imported::Namespace) | Export::Item(_)) => {}
            None => {
                for from in &module.star_exports {
                    match from.target {
                        Some(file) => self.ask(file, name),
                        None => {
                            self.found.open.insert(file);
                        }
                    }
                }
            }
        }
    }

    /// Asks for what a module imports under a local name.
    fn ask_import(&mut self, file: FileId, local: &str) {
        let import = self.graph.module(file).and_then(|module| module.import(local));
        if let Some(import) = import.filter(|import| !import.type_only)
            && let (Some(file), Imported::Name(name)) = (import.from.target, &import.imported)
        {
            self.ask(file, name);
        }
    }

    fn finish(mut self) -> Present {
        while let Some(file) = self.whole.pop() {
            let Some(module) = self.graph.module(file).filter(|_| self.found.whole.insert(file)) else {
                continue;
            };
            self.found.passing.insert(file);
            self.whole.extend(module.star_exports.iter().filter_map(|from| from.target));
            for name in module.exports.keys() {
                match self.graph.exported(file, name) {
                    Binding::Namespace { file } => self.whole.push(file),
                    Binding::Missing => self.ask_behind(file, name),
                    Binding::Declared { .. } | Binding::Item { .. } | Binding::External { .. } => {}
                }
            }
        }
        self.found
    }
}

/// What a module passes on of what the client has.
pub(super) fn passed_on(
    graph: &ModuleGraph,
    parts: &Parts<'_>,
    client: &BTreeSet<PartId>,
    present: &Present,
    file: FileId,
) -> Vec<Passed> {
    let Some(module) = graph.module(file).filter(|_| present.passing.contains(&file)) else {
        return Vec::new();
    };
    let all = present.whole.contains(&file);
    let asked = present.names.range((file, String::new())..).take_while(|(of, _)| *of == file);
    let asked: BTreeSet<&str> = asked.map(|(_, name)| name.as_str()).collect();
    let others = module.exports.iter().filter(|(_, export)| is_of_another(module, export));
    let by_star = asked.iter().copied().filter(|name| !module.exports.contains_key(*name));
    let names: BTreeSet<&str> = others.map(|(name, _)| name.as_str()).chain(by_star).collect();
    let types = types_only(module);
    let kept = |binding: &Binding| match bound(graph, parts, binding.clone()) {
        Target::Parts(ids) if !ids.is_empty() && ids.iter().all(|id| client.contains(id)) => Kept::Parts,
        Target::Parts(ids) if ids.iter().any(|id| is_endpoint(parts, *id)) => Kept::Stub,
        Target::Module(file) if present.files.contains(&file) => Kept::Parts,
        Target::Parts(_) | Target::Module(_) | Target::Outside => Kept::Nothing,
    };
    let named = names.into_iter().filter_map(|exported| {
        let binding = graph.exported(file, exported);
        let is_asked = all || asked.contains(exported);
        let flat = match kept(&binding) {
            Kept::Parts => true,
            Kept::Stub | Kept::Nothing if !is_asked => return None,
            Kept::Stub => false,
            Kept::Nothing => match binding {
                // The project has no part of it that could be the server's.
                Binding::External { .. } | Binding::Missing
                    if !types.contains(exported) && !is_type(graph, &binding) =>
                {
                    false
                }
                Binding::Declared { .. }
                | Binding::Item { .. }
                | Binding::Namespace { .. }
                | Binding::External { .. }
                | Binding::Missing => return None,
            },
        };
        let (from, imported) = origin(graph, module, exported, binding)?;
        Some(Passed { what: What::Name(exported.to_owned(), imported), from, flat })
    });
    let stars = module.star_exports.iter().filter_map(|from| match from.target {
        Some(file) if present.files.contains(&file) => Some((Origin::Module(file), true)),
        Some(file) if all && has_endpoints(parts, file) => Some((Origin::Module(file), false)),
        None if types.contains(&from.text) => None,
        None if all || present.open.contains(&file) => {
            Some((Origin::Outside(file, from.text.clone()), false))
        }
        Some(_) | None => None,
    });
    let stars = stars.map(|(from, flat)| Passed { what: What::All, from, flat });
    named.chain(stars).collect()
}

/// What a module passes on as types alone: the names, and the specifiers of what it passes on as a whole.
fn types_only(module: &ParsedModule) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for item in module.items() {
        match item {
            ModuleItem::ModuleDecl(ModuleDecl::ExportAll(export)) if export.type_only => {
                found.insert(export.src.value.to_string_lossy().into_owned());
            }
            ModuleItem::ModuleDecl(ModuleDecl::ExportNamed(export)) => {
                for specifier in &export.specifiers {
                    if let ExportSpecifier::Named(named) = specifier
                        && (export.type_only || named.is_type_only)
                    {
                        let name = named.exported.as_ref().unwrap_or(&named.orig);
                        found.insert(name.atom().to_string());
                    }
                }
            }
            ModuleItem::ModuleDecl(_) | ModuleItem::Stmt(_) => {}
        }
    }
    found
}

/// Whether a name has no value: it is declared as a type, by the project or by the package that it comes from.
fn is_type(graph: &ModuleGraph, binding: &Binding) -> bool {
    match graph.declaration(binding.clone()) {
        Binding::Declared { file, name } => graph.module(file).is_some_and(|module| {
            let is_type = |decl: &Decl| matches!(decl, Decl::TsInterface(_) | Decl::TsTypeAlias(_));
            module.declarations(&name).all(is_type)
        }),
        Binding::Item { .. } | Binding::Namespace { .. } | Binding::External { .. } | Binding::Missing => {
            false
        }
    }
}

/// What clients have of a binding.
enum Kept {
    Parts,
    Stub,
    /// None of the project's, or nothing that the client has.
    Nothing,
}

/// Where an exported name comes from, and what it is there.
fn origin(
    graph: &ModuleGraph,
    module: &ParsedModule,
    exported: &str,
    binding: Binding,
) -> Option<(Origin, Imported)> {
    match binding {
        Binding::Declared { file, name } => {
            let name = graph.module(file)?.exported_as(&name)?.to_owned();
            Some((Origin::Module(file), Imported::Name(name)))
        }
        Binding::Item { file, .. } => Some((Origin::Module(file), Imported::Name("default".to_owned()))),
        Binding::Namespace { file } => Some((Origin::Module(file), Imported::Namespace)),
        Binding::External { package, .. } if package == SERVER_RUNTIME => None,
        Binding::External { from, package, name } => Some((Origin::Outside(from, package), name)),
        // Where the export leads, one step on.
        Binding::Missing => {
            let (from, imported) = match module.exports.get(exported)? {
                Export::From(from, imported) => (from, imported),
                Export::Local(local) => {
                    let import = module.import(local)?;
                    (&import.from, &import.imported)
                }
                Export::Item(_) => return None,
            };
            Some((Origin::Module(from.target?), imported.clone()))
        }
    }
}

/// Whether an export is an import as well.
fn is_of_another(module: &ParsedModule, export: &Export) -> bool {
    match export {
        Export::From(..) => true,
        Export::Local(local) => module.import(local).is_some_and(|import| !import.type_only),
        Export::Item(_) => false,
    }
}

/// `export { name } from 'source'`
pub(super) fn export_item(passed: &Passed, source: String) -> ModuleItem {
    let source = Box::new(Str::from(source));
    match &passed.what {
        What::All => ModuleItem::ModuleDecl(ModuleDecl::ExportAll(ExportAll {
            span: DUMMY_SP,
            src: source,
            type_only: false,
            with: None,
        })),
        What::Name(exported, imported) => {
            let name = export_name(exported);
            let specifier = match imported {
                Imported::Namespace => {
                    ExportSpecifier::Namespace(ExportNamespaceSpecifier { span: DUMMY_SP, name })
                }
                Imported::Name(orig) => ExportSpecifier::Named(ExportNamedSpecifier {
                    span: DUMMY_SP,
                    orig: export_name(orig),
                    exported: (orig != exported).then_some(name),
                    is_type_only: false,
                }),
            };
            ModuleItem::ModuleDecl(ModuleDecl::ExportNamed(NamedExport {
                span: DUMMY_SP,
                specifiers: vec![specifier],
                src: Some(source),
                type_only: false,
                with: None,
            }))
        }
    }
}
