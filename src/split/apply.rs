//! Carries the plan out: prints the server's half and the client's half of every module.
//!
//! ```text
//! export const sign = backend({ … }, async (name: string) => env.storage…)
//!   server: import { env } from 'kontract/server'; export const sign = async (name) => env.storage…
//!   client: nothing; the stub takes its place
//! ```

use std::collections::{BTreeMap, BTreeSet};

use swc_common::{DUMMY_SP, SyntaxContext};
use swc_ecma_ast::{
    CallExpr, Callee, ExportSpecifier, Expr, Ident, ImportDecl, ImportDefaultSpecifier, ImportNamedSpecifier,
    ImportPhase, ImportSpecifier, ImportStarAsSpecifier, Lit, ModuleDecl, ModuleExportName, ModuleItem, Str,
};
use swc_ecma_visit::{VisitMut, VisitMutWith, noop_visit_mut_type};

use super::finish::{Printed, text_of};
use super::inline::Chains;
use super::optimize::KnownPerms;
use super::parts::{Part, Parts};
use super::reach::{INJECTED, Reach, SERVER_RUNTIME, Target, bound};
use super::{ClientModule, SplitModules, SplitOptions, Wanted, diagnostics};
use crate::artifact::specifier;
use crate::contract::Contract;
use crate::diag::Diagnostic;
use crate::emit::sourcemap::SourceMap;
use crate::parse::ModuleGraph;
use crate::parse::extract::is_call_of;
use crate::parse::graph::Binding;
use crate::parse::module::{Imported, ParsedModule};
use crate::parse::resolve::Resolution;
use crate::parse::types::flat::{FlatModule, flat_modules};
use crate::source::FileId;

pub(super) fn apply(
    graph: &ModuleGraph,
    contract: &Contract,
    parts: &Parts<'_>,
    reach: &Reach,
    (options, wanted): (SplitOptions, Wanted),
) -> (SplitModules, Vec<Diagnostic>) {
    let chains = Chains::of(graph, contract);
    let split = Split { graph, contract, parts, reach, chains: &chains, options };
    let mut modules =
        SplitModules { chains: chains.of_endpoints(graph, contract), ..SplitModules::default() };
    let mut found = Vec::new();
    let mut exporting = Vec::new();
    for module in graph.modules() {
        let path = graph.output_path(module);
        let on_server = reach.server_modules.contains(&module.file);
        // What is wrong with the chains is seen where they are written.
        if on_server && wanted == Wanted::Client && chains.are_in(module.file) {
            module.in_globals(|| split.server(module, &mut found));
        }
        if on_server && wanted == Wanted::Both {
            let printed = module.in_globals(|| split.server(module, &mut found));
            let source = &graph.sources().file(module.file).text;
            let map = SourceMap::of(module.path.clone(), source, &printed.places);
            modules.maps.insert(path.clone(), map);
            modules.server.insert(path.clone(), printed.text);
        }
        if let Some(client) = module.in_globals(|| split.client(module, contract)) {
            let exports = split.client_names(module);
            if !exports.is_empty() {
                exporting.push((path.clone(), (module.file, exports)));
            }
            modules.client.insert(path, client);
        }
    }
    found.extend(declare(graph, contract, exporting, &mut modules));
    (modules, found)
}

/// Says what the exports of the client's statements are, as types.
fn declare(
    graph: &ModuleGraph,
    contract: &Contract,
    exporting: Vec<(String, (FileId, BTreeSet<String>))>,
    modules: &mut SplitModules,
) -> Vec<Diagnostic> {
    let (paths, requests): (Vec<String>, Vec<_>) = exporting.into_iter().unzip();
    let reserved: BTreeSet<String> = contract.types.keys().cloned().collect();
    let (declared, found) = flat_modules(graph, &requests, &reserved);
    for (path, declarations) in paths.iter().zip(declared) {
        if let Some(client) = modules.client.get_mut(path) {
            client.declarations = declarations;
        }
    }
    found
}

/// Relative imports of server code that lead nowhere.
pub(super) fn unresolved_imports(graph: &ModuleGraph, parts: &Parts<'_>, reach: &Reach) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for module in graph.modules().filter(|module| reach.server_modules.contains(&module.file)) {
        for part in parts.module(module.file) {
            let source = match &*part.node {
                ModuleItem::ModuleDecl(ModuleDecl::Import(import)) if !import.type_only => &import.src,
                ModuleItem::ModuleDecl(ModuleDecl::ExportAll(export)) => &export.src,
                ModuleItem::ModuleDecl(ModuleDecl::ExportNamed(export)) => match &export.src {
                    Some(source) => source,
                    None => continue,
                },
                _ => continue,
            };
            let specifier = source.value.to_string_lossy();
            if graph.resolve(module, &specifier) == Resolution::Missing {
                found.push(diagnostics::missing_module(&specifier, module.location(source.span)));
            }
        }
    }
    found
}

struct Split<'g> {
    graph: &'g ModuleGraph,
    parts: &'g Parts<'g>,
    reach: &'g Reach,
    chains: &'g Chains,
    contract: &'g Contract,
    options: SplitOptions,
}

impl Split<'_> {
    fn server(&self, module: &ParsedModule, found: &mut Vec<Diagnostic>) -> Printed {
        let parts = self.parts.module(module.file).iter().enumerate();
        let kept: Vec<&Part<'_>> = parts
            .filter(|(index, _)| !self.reach.client.contains(&(module.file, *index)))
            .map(|(_, part)| part)
            .collect();
        let mut body: Vec<ModuleItem> =
            kept.iter().filter_map(|part| self.server_item(module, part)).collect();
        body.visit_mut_with(&mut Unwrap { module });
        body.visit_mut_with(&mut Redirect { split: self, module });
        let injected: BTreeSet<&str> = kept
            .iter()
            .flat_map(|part| &part.unresolved)
            .map(String::as_str)
            .filter(|name| INJECTED.contains(name))
            .collect();
        let optimize = self.options.optimize;
        let inline = |body: &mut Vec<ModuleItem>| {
            if optimize {
                KnownPerms::of(self.graph, self.parts, self.contract, module).fold(module, body);
            }
            let again = self.chains.write(module.file, body, optimize);
            found.extend(again.into_iter().map(|span| diagnostics::next_again(module.location(span))));
        };
        text_of(module, body, inline, optimize, |body| {
            if !injected.is_empty() {
                body.insert(0, named_import(injected.iter().copied(), SERVER_RUNTIME));
            }
        })
    }

    /// The item without exports of types, which have no value, and of what only the client has.
    fn server_item(&self, module: &ParsedModule, part: &Part<'_>) -> Option<ModuleItem> {
        let ModuleItem::ModuleDecl(ModuleDecl::ExportNamed(export)) = &*part.node else {
            return Some((*part.node).clone());
        };
        let mut export = export.clone();
        export.specifiers.retain(|specifier| {
            let ExportSpecifier::Named(named) = specifier else { return true };
            let name = match &named.orig {
                ModuleExportName::Ident(ident) => ident.sym.to_string(),
                ModuleExportName::Str(text) => text.value.to_string_lossy().into_owned(),
            };
            let binding =
                match export.src.as_ref().map(|src| self.graph.resolve(module, &src.value.to_string_lossy()))
                {
                    None => self.graph.lookup(module.file, &name),
                    Some(Resolution::File(file)) => self.graph.exported(file, &name),
                    Some(Resolution::External | Resolution::Missing) => return true,
                };
            match bound(self.graph, self.parts, binding) {
                // Types have no parts.
                Target::Parts(ids) => ids.iter().any(|id| !self.reach.client.contains(id)),
                Target::Module(_) | Target::Outside => true,
            }
        });
        let empty = export.specifiers.is_empty() && export.src.is_none();
        (!empty).then_some(ModuleItem::ModuleDecl(ModuleDecl::ExportNamed(export)))
    }

    /// `None` for modules of which nothing goes to the client.
    fn client(&self, module: &ParsedModule, contract: &Contract) -> Option<ClientModule> {
        let endpoints: Vec<usize> = contract
            .endpoints
            .iter()
            .enumerate()
            .filter(|(_, endpoint)| endpoint.binding.file == module.file)
            .map(|(index, _)| index)
            .collect();
        let parts = self.parts.module(module.file).iter().enumerate();
        let kept: Vec<&Part<'_>> = parts
            .filter(|(index, _)| self.reach.client.contains(&(module.file, *index)))
            .map(|(_, part)| part)
            .collect();
        if kept.is_empty() {
            let stubs = ClientModule { endpoints, ..ClientModule::default() };
            return (!stubs.endpoints.is_empty()).then_some(stubs);
        }
        let mut body = self.client_imports(module, &kept);
        body.extend(kept.iter().map(|part| (*part.node).clone()));
        body.extend(self.client_exports(module, &kept));
        let statements = text_of(module, body, |_| {}, false, |_| {}).text;
        Some(ClientModule { endpoints, statements, declarations: FlatModule::default() })
    }

    /// The names under which the client's statements of a module are exported.
    fn client_names(&self, module: &ParsedModule) -> BTreeSet<String> {
        let parts = self.parts.module(module.file).iter().enumerate();
        let kept = parts.filter(|(index, _)| self.reach.client.contains(&(module.file, *index)));
        let names = kept.flat_map(|(_, part)| {
            let default = matches!(
                *part.node,
                ModuleItem::ModuleDecl(ModuleDecl::ExportDefaultDecl(_) | ModuleDecl::ExportDefaultExpr(_))
            );
            let declared = part.declares.iter().flat_map(|local| module.export_names(local));
            declared.map(str::to_owned).chain(default.then(|| "default".to_owned())).collect::<Vec<_>>()
        });
        names.collect()
    }

    /// `export { local as name }` for what parts do not export by themselves.
    fn client_exports(&self, module: &ParsedModule, kept: &[&Part<'_>]) -> Option<ModuleItem> {
        let mut specifiers = Vec::new();
        for part in kept {
            for local in &part.declares {
                let names = module.export_names(local).into_iter();
                for exported in names.filter(|name| !exports_itself(&*part.node, local, name)) {
                    let orig = ModuleExportName::Ident(self.top_level_ident(module, local));
                    let renamed = (exported != local).then(|| ModuleExportName::Ident(plain_ident(exported)));
                    specifiers.push(ExportSpecifier::Named(swc_ecma_ast::ExportNamedSpecifier {
                        span: DUMMY_SP,
                        orig,
                        exported: renamed,
                        is_type_only: false,
                    }));
                }
            }
        }
        let export =
            swc_ecma_ast::NamedExport { span: DUMMY_SP, specifiers, src: None, type_only: false, with: None };
        (!export.specifiers.is_empty()).then_some(ModuleItem::ModuleDecl(ModuleDecl::ExportNamed(export)))
    }

    /// Imports of exactly what the kept parts use, from where it is declared.
    fn client_imports(&self, module: &ParsedModule, kept: &[&Part<'_>]) -> Vec<ModuleItem> {
        let used: BTreeSet<&str> = kept.iter().flat_map(|part| &part.refers).map(String::as_str).collect();
        let mut by_source: BTreeMap<String, Vec<ImportSpecifier>> = BTreeMap::new();
        for import in module.imports.iter().filter(|import| used.contains(&*import.local.sym)) {
            let binding = self.graph.lookup(module.file, &import.local.sym);
            let (source, imported) = match binding {
                Binding::Declared { file, name } => {
                    let exported = self.graph.module(file).and_then(|module| module.exported_as(&name));
                    let Some(exported) = exported else { continue };
                    (self.output_specifier(module, file), Imported::Name(exported.to_owned()))
                }
                Binding::Item { file, .. } => {
                    (self.output_specifier(module, file), Imported::Name("default".to_owned()))
                }
                Binding::Namespace { file } => (self.output_specifier(module, file), Imported::Namespace),
                Binding::External { package, name, .. } => (package, name),
                Binding::Missing => continue,
            };
            by_source.entry(source).or_default().push(import_specifier(import.local.clone(), &imported));
        }
        by_source.into_iter().flat_map(|(source, specifiers)| import_items(specifiers, &source)).collect()
    }

    fn output_specifier(&self, from: &ParsedModule, to: FileId) -> String {
        let target = self.graph.module(to).map(|module| self.graph.output_path(module)).unwrap_or_default();
        specifier(&self.graph.output_path(from), &target)
    }

    fn top_level_ident(&self, module: &ParsedModule, name: &str) -> Ident {
        let context = SyntaxContext::empty().apply_mark(module.scopes.top_level);
        Ident::new(name.into(), DUMMY_SP, context)
    }
}

/// Whether a statement itself exports its name so: `export const name`, `export default function name`.
fn exports_itself(node: &ModuleItem, local: &str, exported: &str) -> bool {
    match node {
        ModuleItem::ModuleDecl(ModuleDecl::ExportDecl(_)) => local == exported,
        ModuleItem::ModuleDecl(ModuleDecl::ExportDefaultDecl(_)) => exported == "default",
        ModuleItem::ModuleDecl(_) | ModuleItem::Stmt(_) => false,
    }
}

/// Takes `backend(…)`, `mwfilter(…)` and `defineMiddleware(…)` off.
struct Unwrap<'m> {
    module: &'m ParsedModule,
}

impl VisitMut for Unwrap<'_> {
    noop_visit_mut_type!();

    fn visit_mut_expr(&mut self, expr: &mut Expr) {
        while let Some(inner) = expr.as_mut_call().and_then(|call| self.inner(call)) {
            *expr = inner;
        }
        expr.visit_mut_children_with(self);
    }
}

impl Unwrap<'_> {
    /// The last argument of a call that only speaks to the compiler.
    fn inner(&self, call: &mut CallExpr) -> Option<Expr> {
        let ours = WRAPPERS.iter().any(|name| is_call_of(self.module, call, name));
        if ours { call.args.pop().map(|argument| *argument.expr) } else { None }
    }
}

/// Lets imports lead to the printed files.
struct Redirect<'s> {
    split: &'s Split<'s>,
    module: &'s ParsedModule,
}

impl Redirect<'_> {
    fn redirect(&self, source: &mut Str) {
        if let Resolution::File(file) = self.split.graph.resolve(self.module, &source.value.to_string_lossy())
        {
            *source = Str::from(self.split.output_specifier(self.module, file));
        }
    }
}

impl VisitMut for Redirect<'_> {
    noop_visit_mut_type!();

    fn visit_mut_import_decl(&mut self, import: &mut ImportDecl) {
        self.redirect(&mut import.src);
    }

    fn visit_mut_export_all(&mut self, export: &mut swc_ecma_ast::ExportAll) {
        self.redirect(&mut export.src);
    }

    fn visit_mut_named_export(&mut self, export: &mut swc_ecma_ast::NamedExport) {
        if let Some(source) = &mut export.src {
            self.redirect(source);
        }
    }

    fn visit_mut_call_expr(&mut self, call: &mut CallExpr) {
        if matches!(call.callee, Callee::Import(_))
            && let Some(Expr::Lit(Lit::Str(source))) =
                call.args.first_mut().map(|argument| &mut *argument.expr)
        {
            self.redirect(source);
        }
        call.visit_mut_children_with(self);
    }
}

/// `import { name as local } from 'kontract/server'`
pub(super) fn import_of(local: Ident, name: &str) -> ModuleItem {
    import_item(vec![import_specifier(local, &Imported::Name(name.to_owned()))], SERVER_RUNTIME)
}

fn named_import<'n>(names: impl Iterator<Item = &'n str>, source: &str) -> ModuleItem {
    let specifiers = names.map(|name| import_specifier(plain_ident(name), &Imported::Name(name.to_owned())));
    import_item(specifiers.collect(), source)
}

/// Named exports stand in one import, a namespace and a default export each in one of their own.
fn import_items(specifiers: Vec<ImportSpecifier>, source: &str) -> Vec<ModuleItem> {
    let (names, others): (Vec<_>, Vec<_>) = specifiers.into_iter().partition(ImportSpecifier::is_named);
    let groups = others.into_iter().map(|other| vec![other]).chain([names]);
    groups.filter(|group| !group.is_empty()).map(|group| import_item(group, source)).collect()
}

fn import_item(specifiers: Vec<ImportSpecifier>, source: &str) -> ModuleItem {
    ModuleItem::ModuleDecl(ModuleDecl::Import(ImportDecl {
        span: DUMMY_SP,
        specifiers,
        src: Box::new(Str::from(source)),
        type_only: false,
        with: None,
        phase: ImportPhase::Evaluation,
    }))
}

fn import_specifier(local: Ident, imported: &Imported) -> ImportSpecifier {
    match imported {
        Imported::Namespace => ImportSpecifier::Namespace(ImportStarAsSpecifier { span: DUMMY_SP, local }),
        Imported::Name(name) if name == "default" => {
            ImportSpecifier::Default(ImportDefaultSpecifier { span: DUMMY_SP, local })
        }
        Imported::Name(name) => {
            let imported = (*name != *local.sym).then(|| ModuleExportName::Ident(plain_ident(name)));
            ImportSpecifier::Named(ImportNamedSpecifier {
                span: DUMMY_SP,
                local,
                imported,
                is_type_only: false,
            })
        }
    }
}

fn plain_ident(name: &str) -> Ident {
    Ident::new_no_ctxt(name.into(), DUMMY_SP)
}

/// Functions of `kontract` whose calls vanish.
const WRAPPERS: &[&str] = &["backend", "mwfilter", "defineMiddleware"];
