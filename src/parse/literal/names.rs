//! Where names lead: the modules they are imported through, the declarations and patterns that bind them.

use swc_ecma_ast::{ArrayPat, Decl, ModuleDecl, ModuleItem, ObjectPat, ObjectPatProp, Pat};

use super::prop_name;
use crate::parse::graph::{Binding, ModuleGraph};
use crate::parse::limits::HOPS_MAX;
use crate::parse::module::{Export, Imported, ParsedModule, declared_names, item_decl};
use crate::source::FileId;

/// The modules that a name is imported through, the using one first; bounded like every walk along imports.
pub(super) fn import_chain(graph: &ModuleGraph, module: &ParsedModule, name: &str) -> Vec<String> {
    let mut files = vec![module.path.clone()];
    let Some(import) = module.import(name) else { return files };
    let mut next = import.from.target.zip(match &import.imported {
        Imported::Name(name) => Some(name.clone()),
        Imported::Namespace => None,
    });
    if next.is_none() {
        files
            .extend(import.from.target.and_then(|file| graph.module(file)).map(|module| module.path.clone()));
    }
    while let Some((file, name)) = next.take().filter(|_| files.len() < HOPS_MAX) {
        let Some(module) = graph.module(file) else { break };
        files.push(module.path.clone());
        let local = match module.exports.get(&name) {
            Some(Export::Local(local)) => local,
            Some(Export::From(from, Imported::Name(name))) => {
                next = from.target.zip(Some(name.clone()));
                continue;
            }
            Some(Export::From(..) | Export::Item(_)) => break,
            None => {
                let leads = |file: &FileId| graph.exported(*file, &name) != Binding::Missing;
                let stars = module.star_exports.iter().filter_map(|from| from.target);
                next = stars.into_iter().find(leads).zip(Some(name.clone()));
                continue;
            }
        };
        if let Some(import) = module.import(local)
            && let Imported::Name(name) = &import.imported
        {
            next = import.from.target.zip(Some(name.clone()));
        }
    }
    files
}

/// The declarations of a name among some items.
pub(super) fn declarations<'g>(items: &'g [ModuleItem], name: &str) -> Vec<&'g Decl> {
    let decls = items.iter().filter_map(item_decl);
    decls.filter(|decl| declared_names(decl).iter().any(|declared| declared == name)).collect()
}

/// Those that the items export by the declaration itself.
pub(super) fn exported_declarations<'g>(items: &'g [ModuleItem], name: &str) -> Vec<&'g Decl> {
    let decls = items.iter().filter(|item| matches!(item, ModuleItem::ModuleDecl(ModuleDecl::ExportDecl(_))));
    let decls = decls.filter_map(item_decl);
    decls.filter(|decl| declared_names(decl).iter().any(|declared| declared == name)).collect()
}

/// The keys by which a pattern takes a name out of its value: none for a plain name; `None` when it does not bind it.
pub(super) fn pattern_path(pattern: &Pat, name: &str) -> Option<Vec<String>> {
    match pattern {
        Pat::Ident(ident) => (*ident.sym == *name).then(Vec::new),
        Pat::Object(ObjectPat { props, .. }) => props.iter().find_map(|prop| match prop {
            ObjectPatProp::KeyValue(pair) => {
                let mut path = pattern_path(&pair.value, name)?;
                path.insert(0, prop_name(&pair.key)?);
                Some(path)
            }
            ObjectPatProp::Assign(assign) if assign.value.is_none() && *assign.key.sym == *name => {
                Some(vec![name.to_owned()])
            }
            ObjectPatProp::Assign(_) | ObjectPatProp::Rest(_) => None,
        }),
        Pat::Array(ArrayPat { elems, .. }) => elems.iter().enumerate().find_map(|(index, element)| {
            let mut path = pattern_path(element.as_ref()?, name)?;
            path.insert(0, index.to_string());
            Some(path)
        }),
        Pat::Rest(_) | Pat::Assign(_) | Pat::Invalid(_) | Pat::Expr(_) => None,
    }
}
