//! Top-level statements as the parts that a split moves, with what each declares and refers to.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use rayon::iter::{IntoParallelRefIterator, ParallelIterator};
use swc_common::Span;
use swc_ecma_ast::{
    AssignTarget, BindingIdent, CallExpr, Callee, Class, ClassDecl, ClassMember, Decl, ExportDecl,
    ExportSpecifier, Expr, FnDecl, Ident, ImportDecl, ModuleDecl, ModuleExportName, ModuleItem, NamedExport,
    Prop, PropOrSpread, SimpleAssignTarget, Stmt, TsEntityName, TsImportEqualsDecl, TsModuleRef, VarDecl,
};
use swc_ecma_visit::{Visit, VisitWith, noop_visit_type};

use crate::parse::extract::{endpoint_forms, middleware_call};
use crate::parse::module::{ParsedModule, declared_names, is_value, item_decl};
use crate::parse::survey::{constant_text, globbed};
use crate::parse::{ModuleGraph, in_parallel};
use crate::source::FileId;

/// A part of a module: the module and the part's place in it.
pub(super) type PartId = (FileId, usize);

/// The parts of all modules.
pub(super) struct Parts<'g> {
    modules: BTreeMap<FileId, Vec<Part<'g>>>,
}

/// One top-level statement; a declaration of several variables makes several parts.
pub(super) struct Part<'g> {
    pub(super) node: Cow<'g, ModuleItem>,
    /// The whole item in the source.
    pub(super) span: Span,
    pub(super) kind: PartKind,
    /// Value names it declares.
    pub(super) declares: Vec<String>,
    /// Whether its names are exported by the statement itself or elsewhere in the module.
    pub(super) exported: bool,
    /// Top-level names of the module it refers to, as values.
    pub(super) refers: BTreeSet<String>,
    /// Names it refers to that the module does not bind.
    pub(super) unresolved: BTreeSet<String>,
    /// String arguments of `import(…)`.
    pub(super) dynamic_imports: Vec<(String, Span)>,
    /// Patterns of `import.meta.glob(…)`.
    pub(super) globs: Vec<(String, Span)>,
    /// The parts that it refers to, once somebody has asked `reach::neighbours`, which is asked again and again.
    pub(super) neighbours: OnceLock<Vec<PartId>>,
}

impl Part<'_> {
    /// Whether a module without it would be another one, though nothing refers to it.
    pub(super) fn has_effect(&self) -> bool {
        match (self.kind, &*self.node) {
            (PartKind::Effect, _) => true,
            (PartKind::Import, ModuleItem::ModuleDecl(ModuleDecl::Import(import))) => {
                import.specifiers.is_empty() && !import.type_only
            }
            (PartKind::Declaration, node) => !is_inert(node),
            (
                PartKind::Import
                | PartKind::ReExport
                | PartKind::Endpoint
                | PartKind::EndpointBase
                | PartKind::Middleware
                | PartKind::Type,
                _,
            ) => false,
        }
    }
}

/// Whether a declaration does nothing until it is used.
fn is_inert(node: &ModuleItem) -> bool {
    let class_is_inert = |class: &Class| {
        let method =
            |member: &ClassMember| matches!(member, ClassMember::Method(_) | ClassMember::Constructor(_));
        class.decorators.is_empty() && class.super_class.is_none() && class.body.iter().all(method)
    };
    if let ModuleItem::ModuleDecl(ModuleDecl::ExportDefaultExpr(export)) = node {
        return is_inert_value(&export.expr);
    }
    match item_decl(node) {
        Some(Decl::Var(vars)) => {
            vars.decls.iter().all(|var| var.name.is_ident() && var.init.as_deref().is_none_or(is_inert_value))
        }
        Some(Decl::Class(class)) => class_is_inert(&class.class),
        Some(Decl::TsModule(_) | Decl::Using(_)) => false,
        Some(Decl::Fn(_) | Decl::TsEnum(_) | Decl::TsInterface(_) | Decl::TsTypeAlias(_)) | None => true,
    }
}

fn is_inert_value(value: &Expr) -> bool {
    match value {
        Expr::Lit(_) | Expr::Arrow(_) | Expr::Fn(_) | Expr::Ident(_) => true,
        Expr::Tpl(template) => template.exprs.iter().all(|part| part.is_lit()),
        Expr::Unary(unary) => unary.arg.is_lit(),
        Expr::Paren(inner) => is_inert_value(&inner.expr),
        Expr::TsAs(inner) => is_inert_value(&inner.expr),
        Expr::TsSatisfies(inner) => is_inert_value(&inner.expr),
        Expr::TsConstAssertion(inner) => is_inert_value(&inner.expr),
        Expr::Array(array) => array
            .elems
            .iter()
            .flatten()
            .all(|element| element.spread.is_none() && is_inert_value(&element.expr)),
        Expr::Object(object) => object.props.iter().all(|prop| match prop {
            PropOrSpread::Prop(prop) => match &**prop {
                Prop::KeyValue(pair) => !pair.key.is_computed() && is_inert_value(&pair.value),
                Prop::Method(method) => !method.key.is_computed(),
                Prop::Shorthand(_) => true,
                Prop::Getter(_) | Prop::Setter(_) | Prop::Assign(_) => false,
            },
            PropOrSpread::Spread(_) => false,
        }),
        // An empty collection; what fills it is an effect of its own.
        Expr::New(made) => {
            let collection = made.callee.as_ident().is_some_and(|name| COLLECTIONS.contains(&&*name.sym));
            collection && made.args.iter().flatten().next().is_none()
        }
        _ => false,
    }
}

/// What a part is to the split.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum PartKind {
    Import,
    /// `export … from`, `export { … }`
    ReExport,
    /// An endpoint, or a class, namespace or object with endpoints.
    Endpoint,
    /// A class whose endpoints those that extend it expose.
    EndpointBase,
    /// `export default defineMiddleware(…)`
    Middleware,
    Declaration,
    /// An interface or alias; vanishes.
    Type,
    /// Anything that only has an effect.
    Effect,
}

impl<'g> Parts<'g> {
    pub(super) fn of(graph: &'g ModuleGraph) -> Self {
        let modules: Vec<&'g ParsedModule> = graph.modules().collect();
        let parts = |module: &&'g ParsedModule| (module.file, module_parts(graph, module));
        Self { modules: in_parallel(|| modules.par_iter().map(parts).collect()) }
    }

    /// The parts of a module, in source order.
    pub(super) fn module(&self, file: FileId) -> &[Part<'g>] {
        self.modules.get(&file).map_or(&[], Vec::as_slice)
    }

    pub(super) fn part(&self, (file, index): PartId) -> Option<&Part<'g>> {
        self.module(file).get(index)
    }

    /// The parts that declare a value of that name.
    pub(super) fn declaring(&self, file: FileId, name: &str) -> Vec<PartId> {
        let parts = self.module(file).iter().enumerate();
        parts
            .filter(|(_, part)| part.declares.iter().any(|declared| declared == name))
            .map(|(index, _)| (file, index))
            .collect()
    }
}

pub(super) fn module_parts<'g>(graph: &'g ModuleGraph, module: &'g ParsedModule) -> Vec<Part<'g>> {
    let forms = endpoint_forms(graph, module);
    let endpoints = forms.endpoints.iter().map(|form| (form.name_span, PartKind::Endpoint));
    let bases = forms.bases.iter().map(|base| (base.name_span, PartKind::EndpointBase));
    let names: Vec<(Span, PartKind)> = endpoints.chain(bases).collect();
    let middleware = middleware_call(module).map(|(index, _)| index);
    let mut parts = Vec::new();
    for (index, item) in module.items().iter().enumerate() {
        let span = swc_common::Spanned::span(item);
        for node in separated(item) {
            let kind = kind(&node, &names, middleware == Some(index));
            parts.push(part(module, node, span, kind));
        }
    }
    parts
}

fn part<'g>(module: &'g ParsedModule, node: Cow<'g, ModuleItem>, span: Span, kind: PartKind) -> Part<'g> {
    let declares = match item_decl(&node) {
        Some(decl) if is_value(decl) => declared_names(decl),
        Some(_) | None => default_name(&node).into_iter().collect(),
    };
    let directly = matches!(
        *node,
        ModuleItem::ModuleDecl(
            ModuleDecl::ExportDecl(_) | ModuleDecl::ExportDefaultDecl(_) | ModuleDecl::ExportDefaultExpr(_)
        )
    );
    let exported = directly || declares.iter().any(|name| module.exported_as(name).is_some());
    let mut references = References::of(module);
    node.visit_with(&mut references);
    let References { refers, unresolved, dynamic_imports, globs, .. } = references;
    let neighbours = OnceLock::new();
    Part { node, span, kind, declares, exported, refers, unresolved, dynamic_imports, globs, neighbours }
}

/// A declaration of several variables as several declarations.
pub(super) fn separated(item: &ModuleItem) -> Vec<Cow<'_, ModuleItem>> {
    let single = |vars: &VarDecl, wrap: &dyn Fn(Decl) -> ModuleItem| {
        let one = |declarator: &swc_ecma_ast::VarDeclarator| {
            let decls = vec![declarator.clone()];
            let (span, ctxt, kind, declare) = (vars.span, vars.ctxt, vars.kind, vars.declare);
            Cow::Owned(wrap(Decl::Var(Box::new(VarDecl { span, ctxt, kind, declare, decls }))))
        };
        vars.decls.iter().map(one).collect()
    };
    match item {
        ModuleItem::Stmt(Stmt::Decl(Decl::Var(vars))) if vars.decls.len() > 1 => {
            single(vars, &|decl| ModuleItem::Stmt(Stmt::Decl(decl)))
        }
        ModuleItem::ModuleDecl(ModuleDecl::ExportDecl(ExportDecl { span, decl: Decl::Var(vars) }))
            if vars.decls.len() > 1 =>
        {
            single(vars, &|decl| {
                ModuleItem::ModuleDecl(ModuleDecl::ExportDecl(ExportDecl { span: *span, decl }))
            })
        }
        other => vec![Cow::Borrowed(other)],
    }
}

fn kind(node: &ModuleItem, names: &[(Span, PartKind)], middleware: bool) -> PartKind {
    if middleware {
        return PartKind::Middleware;
    }
    let own = own_span(node);
    let mut inside = names.iter().filter(|(name, _)| own.contains(*name)).map(|(_, kind)| *kind);
    match (inside.next(), node) {
        (Some(first), _) => inside.find(|kind| *kind == PartKind::Endpoint).unwrap_or(first),
        (None, node) => statement_kind(node),
    }
}

/// The source of a part: of a declaration of several variables the one that it has.
pub(super) fn own_span(node: &ModuleItem) -> Span {
    match item_decl(node) {
        Some(Decl::Var(vars)) => vars.decls.first().map_or(vars.span, |var| var.span),
        Some(_) | None => swc_common::Spanned::span(node),
    }
}

fn statement_kind(node: &ModuleItem) -> PartKind {
    match node {
        ModuleItem::ModuleDecl(ModuleDecl::Import(_)) => PartKind::Import,
        ModuleItem::ModuleDecl(ModuleDecl::ExportNamed(_) | ModuleDecl::ExportAll(_)) => PartKind::ReExport,
        ModuleItem::ModuleDecl(ModuleDecl::ExportDefaultDecl(_) | ModuleDecl::ExportDefaultExpr(_)) => {
            PartKind::Declaration
        }
        ModuleItem::ModuleDecl(_) => PartKind::Effect,
        ModuleItem::Stmt(_) => PartKind::Effect,
    }
    .or_declared(node)
}

impl PartKind {
    fn or_declared(self, node: &ModuleItem) -> Self {
        match (self, item_decl(node)) {
            (Self::Effect, Some(decl)) if is_value(decl) => Self::Declaration,
            (Self::Effect, Some(_)) => Self::Type,
            (kind, _) => kind,
        }
    }
}

fn default_name(node: &ModuleItem) -> Option<String> {
    let ModuleItem::ModuleDecl(ModuleDecl::ExportDefaultDecl(export)) = node else { return None };
    match &export.decl {
        swc_ecma_ast::DefaultDecl::Class(class) => class.ident.as_ref(),
        swc_ecma_ast::DefaultDecl::Fn(function) => function.ident.as_ref(),
        swc_ecma_ast::DefaultDecl::TsInterfaceDecl(_) => None,
    }
    .map(|ident| ident.sym.to_string())
}

/// Collects references to values; types and declarations are none.
pub(super) struct References<'m> {
    module: &'m ParsedModule,
    pub(super) refers: BTreeSet<String>,
    pub(super) unresolved: BTreeSet<String>,
    pub(super) dynamic_imports: Vec<(String, Span)>,
    pub(super) globs: Vec<(String, Span)>,
}

impl<'m> References<'m> {
    pub(super) fn of(module: &'m ParsedModule) -> Self {
        let (refers, unresolved) = (BTreeSet::new(), BTreeSet::new());
        Self { module, refers, unresolved, dynamic_imports: Vec::new(), globs: Vec::new() }
    }
}

impl Visit for References<'_> {
    noop_visit_type!();

    fn visit_ident(&mut self, ident: &Ident) {
        if self.module.is_unbound(ident) {
            self.unresolved.insert(ident.sym.to_string());
        } else if self.module.is_top_level(ident) {
            self.refers.insert(ident.sym.to_string());
        }
    }

    /// Patterns assign as well as declare: `[token] = …`, `for (token of …)`. A declaration's reference to itself is harmless.
    fn visit_binding_ident(&mut self, binding: &BindingIdent) {
        if self.module.is_top_level(&binding.id) {
            self.refers.insert(binding.id.sym.to_string());
        }
    }

    /// `import short = Space.inner`
    fn visit_ts_import_equals_decl(&mut self, alias: &TsImportEqualsDecl) {
        let TsModuleRef::TsEntityName(name) = &alias.module_ref else { return };
        let mut name = name;
        while let TsEntityName::TsQualifiedName(qualified) = name {
            name = &qualified.left;
        }
        if let TsEntityName::Ident(ident) = name {
            self.visit_ident(ident);
        }
    }

    fn visit_assign_target(&mut self, target: &AssignTarget) {
        match target {
            AssignTarget::Simple(SimpleAssignTarget::Ident(ident)) => self.visit_ident(&ident.id),
            other => other.visit_children_with(self),
        }
    }

    fn visit_fn_decl(&mut self, function: &FnDecl) {
        function.function.visit_with(self);
    }

    fn visit_class_decl(&mut self, class: &ClassDecl) {
        class.class.visit_with(self);
    }

    fn visit_ts_enum_decl(&mut self, declared: &swc_ecma_ast::TsEnumDecl) {
        for member in &declared.members {
            member.init.visit_with(self);
        }
    }

    fn visit_import_decl(&mut self, _: &ImportDecl) {}

    fn visit_named_export(&mut self, export: &NamedExport) {
        if export.src.is_some() || export.type_only {
            return;
        }
        for specifier in &export.specifiers {
            if let ExportSpecifier::Named(named) = specifier
                && let (ModuleExportName::Ident(ident), false) = (&named.orig, named.is_type_only)
            {
                self.visit_ident(ident);
            }
        }
    }

    fn visit_call_expr(&mut self, call: &CallExpr) {
        if let (Callee::Import(_), Some(argument)) = (&call.callee, call.args.first()) {
            self.dynamic_imports.extend(constant_text(&argument.expr));
        }
        self.globs.extend(globbed(call));
        call.visit_children_with(self);
    }
}

/// Making these has no effect.
const COLLECTIONS: &[&str] = &["Map", "Set", "WeakMap", "WeakSet"];
