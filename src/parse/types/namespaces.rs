//! What namespaces export.
//!
//! ```text
//! namespace Space { export const a = 1; const b = 2 }      a
//! declare namespace Space { const a: 1; type T = string }  all that it declares, as in any `.d.ts`
//! declare namespace Space { const a: 1; export {} }        what it says it exports
//! ```

use swc_ecma_ast::{Decl, ExportSpecifier, ModuleDecl, ModuleExportName, ModuleItem, Stmt, TsNamespaceBody};

use super::evaluator::Evaluator;
use super::model::{Declared, SymbolId};
use crate::parse::module::{ParsedModule, declared_names};

/// The body of a namespace where it is declared.
#[derive(Clone, Copy)]
pub(super) struct Namespace<'g> {
    pub(super) body: Option<&'g TsNamespaceBody>,
    /// Whether it only says what there is: by `declare`, or in a declaration file.
    pub(super) ambient: bool,
}

impl<'g> Evaluator<'g> {
    /// The names that a namespace exports, wherever parts of it are declared.
    pub(super) fn namespace_names(&mut self, symbol: SymbolId) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        for declaration in self.declarations(symbol).iter() {
            if let Declared::Namespace(namespace) = declaration.node {
                let mut new = namespace.names();
                new.retain(|name| !names.contains(name));
                names.extend(new);
            }
        }
        names
    }
}

impl Namespace<'_> {
    fn names(self) -> Vec<String> {
        let items = match self.body {
            Some(TsNamespaceBody::TsModuleBlock(block)) => &block.body,
            // `namespace A.B { … }`
            Some(TsNamespaceBody::TsNamespaceDecl(inner)) => return vec![inner.id.sym.to_string()],
            None => return Vec::new(),
        };
        let implied = self.ambient && !items.iter().any(is_export_list);
        items.iter().flat_map(|item| exported(item, implied)).collect()
    }
}

/// `export { … }`, `export * from` and `export =` say all that there is to be had.
fn is_export_list(item: &ModuleItem) -> bool {
    matches!(
        item,
        ModuleItem::ModuleDecl(
            ModuleDecl::ExportNamed(_) | ModuleDecl::ExportAll(_) | ModuleDecl::TsExportAssignment(_)
        )
    )
}

/// The names that one item exports; those that it only declares as well, if that is `implied`.
pub(super) fn exported(item: &ModuleItem, implied: bool) -> Vec<String> {
    match item {
        ModuleItem::ModuleDecl(ModuleDecl::ExportDecl(export)) => declared_names(&export.decl),
        ModuleItem::ModuleDecl(ModuleDecl::ExportNamed(export)) => {
            let named = export.specifiers.iter().filter_map(|specifier| match specifier {
                ExportSpecifier::Named(named) => Some(named.exported.as_ref().unwrap_or(&named.orig)),
                ExportSpecifier::Namespace(space) => Some(&space.name),
                ExportSpecifier::Default(_) => None,
            });
            let idents = named.filter_map(|name| match name {
                ModuleExportName::Ident(ident) => Some(ident.sym.to_string()),
                ModuleExportName::Str(_) => None,
            });
            idents.collect()
        }
        ModuleItem::Stmt(Stmt::Decl(decl)) if implied => declared_names(decl),
        ModuleItem::ModuleDecl(_) | ModuleItem::Stmt(_) => Vec::new(),
    }
}

/// The names that a declaration file exports without saying so.
pub(super) fn implied_exports(module: &ParsedModule) -> Vec<String> {
    let items = module.items();
    if !is_declaration_file(module) || items.iter().any(is_export_list) {
        return Vec::new();
    }
    items.iter().flat_map(|item| exported(item, true)).collect()
}

fn is_declaration_file(module: &ParsedModule) -> bool {
    [".d.ts", ".d.mts", ".d.cts"].iter().any(|end| module.path.ends_with(end))
}

/// Whether whatever a declaration of a module contains is ambient.
pub(super) fn makes_ambient(module: &ParsedModule, decl: &Decl) -> bool {
    is_declaration_file(module)
        || decl.as_ts_module().is_some_and(|block| block.declare || block.global || block.id.is_str())
}
