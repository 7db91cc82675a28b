//! Names under which a decorator of the vocabulary is not kontract's: what a module declares or imports from elsewhere.

use std::collections::BTreeSet;

use swc_ecma_ast::{Decl, Module, ModuleDecl, ModuleItem, Stmt};

/// Value names that the module declares, or imports from another package than `kontract`.
pub(super) fn foreign_names(module: &Module) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for item in &module.body {
        match item {
            ModuleItem::ModuleDecl(ModuleDecl::Import(import)) if import.src.value != *"kontract" => {
                names.extend(import.specifiers.iter().map(|specifier| specifier.local().sym.to_string()));
            }
            ModuleItem::ModuleDecl(ModuleDecl::ExportDecl(export)) => {
                declared_values(&export.decl, &mut names);
            }
            ModuleItem::Stmt(Stmt::Decl(decl)) => declared_values(decl, &mut names),
            ModuleItem::ModuleDecl(_) | ModuleItem::Stmt(_) => {}
        }
    }
    names
}

fn declared_values(decl: &Decl, names: &mut BTreeSet<String>) {
    match decl {
        Decl::Fn(function) => {
            names.insert(function.ident.sym.to_string());
        }
        Decl::Var(vars) => {
            let idents = vars.decls.iter().filter_map(|var| var.name.as_ident());
            names.extend(idents.map(|ident| ident.sym.to_string()));
        }
        _ => {}
    }
}
