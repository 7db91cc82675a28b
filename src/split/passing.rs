//! What modules of the client pass on of others, for who imports a module as a whole, and for `@/client/<module>`.
//!
//! ```text
//! util.ts    export { shout } from './deep';      api.ts    import * as util from './util';
//! client/util.js   export { shout } from './deep.js';
//! ```
//!
//! Names that are imported one by one lead to where they are declared, so that most modules pass nothing on.

use std::collections::BTreeSet;

use swc_common::DUMMY_SP;
use swc_ecma_ast::{
    ExportAll, ExportNamedSpecifier, ExportNamespaceSpecifier, ExportSpecifier, ModuleDecl, ModuleItem,
    NamedExport, Str,
};

use super::parts::{PartId, Parts};
use super::reach::{Target, bound};
use crate::emit::build::export_name;
use crate::parse::ModuleGraph;
use crate::parse::graph::Binding;
use crate::parse::module::{Export, Imported, ParsedModule};
use crate::source::FileId;

/// What a module passes on.
pub(super) enum Passed {
    /// A name: how it is exported, where it comes from, and what it is there.
    Name(String, FileId, Imported),
    /// All that another one exports.
    All(FileId),
}

impl Passed {
    /// What it is called, there and here.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        let (here, there) = match self {
            Self::Name(here, _, Imported::Name(there)) => (Some(here), Some(there)),
            Self::Name(here, _, Imported::Namespace) => (Some(here), None),
            Self::All(_) => (None, None),
        };
        here.into_iter().chain(there).map(String::as_str)
    }
}

/// The modules that the client has. `whole` are imported as a whole.
pub(super) fn present(
    graph: &ModuleGraph,
    parts: &Parts<'_>,
    client: &BTreeSet<PartId>,
    whole: BTreeSet<FileId>,
) -> Present {
    let mut found =
        Present { passing: BTreeSet::new(), files: client.iter().map(|(file, _)| *file).collect() };
    let mut queue: Vec<FileId> = whole.into_iter().collect();
    for id in client {
        let names = parts.part(*id).into_iter().flat_map(|part| &part.refers);
        queue.extend(names.filter_map(|name| namespace(graph.lookup(id.0, name))));
    }
    while let Some(file) = queue.pop() {
        let Some(module) = graph.module(file).filter(|_| found.passing.insert(file)) else { continue };
        queue.extend(module.star_exports.iter().filter_map(|from| from.target));
        queue.extend(module.exports.keys().filter_map(|name| namespace(graph.exported(file, name))));
    }
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
pub(super) struct Present {
    /// Those that pass on what they can.
    passing: BTreeSet<FileId>,
    /// Those that have anything.
    pub(super) files: BTreeSet<FileId>,
}

fn namespace(binding: Binding) -> Option<FileId> {
    match binding {
        Binding::Namespace { file } => Some(file),
        Binding::Declared { .. } | Binding::Item { .. } | Binding::External { .. } | Binding::Missing => None,
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
    let in_client = |binding: Binding| match bound(graph, parts, binding) {
        Target::Parts(ids) => !ids.is_empty() && ids.iter().all(|id| client.contains(id)),
        Target::Module(_) | Target::Outside => false,
    };
    let named = module.exports.iter().filter(|(_, export)| is_of_another(module, export));
    let named = named.filter_map(|(exported, _)| {
        let binding = graph.exported(file, exported);
        let (source, name) = match &binding {
            Binding::Declared { file, name } => {
                let name = graph.module(*file)?.exported_as(name)?.to_owned();
                (*file, Imported::Name(name))
            }
            Binding::Item { file, .. } => (*file, Imported::Name("default".to_owned())),
            Binding::Namespace { file } => {
                let whole = present.files.contains(file);
                return whole.then(|| Passed::Name(exported.clone(), *file, Imported::Namespace));
            }
            Binding::External { .. } | Binding::Missing => return None,
        };
        in_client(binding.clone()).then(|| Passed::Name(exported.clone(), source, name))
    });
    let all = module.star_exports.iter().filter_map(|from| from.target);
    let all = all.filter(|file| present.files.contains(file)).map(Passed::All);
    named.chain(all).collect()
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
pub(super) fn export_item(passed: &Passed, specifier: &dyn Fn(FileId) -> String) -> ModuleItem {
    let text = |source: &FileId| Box::new(Str::from(specifier(*source)));
    match passed {
        Passed::All(source) => ModuleItem::ModuleDecl(ModuleDecl::ExportAll(ExportAll {
            span: DUMMY_SP,
            src: text(source),
            type_only: false,
            with: None,
        })),
        Passed::Name(exported, source, imported) => {
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
                src: Some(text(source)),
                type_only: false,
                with: None,
            }))
        }
    }
}
