//! One walk over a fresh tree, for everything a file's summary needs beyond its top-level items.
//!
//! ```text
//! Module → Survey { loads: import('./a'), require('b'); used: imports that values mention; mentions: env, backend }
//! ```
//!
//! Runs before swc's resolver, so that names are compared by their text: it may say too much, never too little. The walk
//! also bounds the nesting, because it is the first to recurse.

use swc_atoms::Atom;
use swc_common::{Span, Spanned, SyntaxContext};
use swc_ecma_ast::{
    ArrowExpr, ArrowFunctionBody, AssignExpr, AssignPatProp, CallExpr, Callee, ClassDecl, ClassMethod,
    ClassProp, CondExpr, Decorator, ExportAll, ExportDecl, ExportSpecifier, Expr, FnDecl, ForStmt, Ident,
    ImportDecl, JSXObject, Lit, Module, ModuleDecl, ModuleItem, NamedExport, NewExpr, Number, OptChainExpr,
    Param, Pat, Stmt, Str, TsEntityName, TsEnumDecl, TsExternalModuleRef, TsFnOrConstructorType,
    TsInterfaceDecl, TsModuleDecl, TsNamespaceBody, TsType, TsTypeAliasDecl, TsTypeOperator, TsTypeParam,
    TsTypeQuery, TsTypeRef,
};
use swc_ecma_visit::{Visit, VisitWith};

use super::limits::NESTING_MAX;
use super::literal::unwrapped;
use super::module::{OWN_FUNCTIONS, OWN_PACKAGE, ParsedModule, declared_names, is_value, item_decl};
use super::scanner::VOCABULARY;
use super::seams::Seam;
use super::session::START;
use crate::diag::nearest;

/// What the walk found.
pub(super) struct Survey {
    /// A node nested deeper than [`NESTING_MAX`].
    pub(super) exceeded: Option<Span>,
    /// Constant arguments of `import(…)` and `require(…)`, `import x = require(…)`, and `new URL(…, import.meta.url)`.
    pub(super) loads: Vec<(String, Span)>,
    /// Patterns of `import.meta.glob(…)`, as [`globbed`] gives them.
    pub(super) globs: Vec<(String, Span)>,
    /// Local names of imports that stand outside of types.
    pub(super) used: Vec<Atom>,
    /// Whether a function of kontract's occurs that is imported from there, or a decorator that may be one misspelt.
    pub(super) mentions_own: bool,
    /// Whether there are names that the compiler gives a meaning to where nothing binds them.
    pub(super) mentions: Unbound,
    /// Places where swc may have read over an error.
    pub(super) seams: Vec<Seam>,
    /// Bodies of arrow functions that swc reads on trial, and then says nothing about.
    pub(super) trials: Vec<Span>,
    unused: Vec<Atom>,
    /// The names that matter wherever they occur: of imports, and those that the compiler gives a meaning to.
    looked_for: NameFilter,
    /// Local names of imports from the package `kontract`.
    own: Vec<Atom>,
    /// Names of decorators that are like none of the vocabulary.
    far: Vec<Atom>,
    depth: usize,
    types: usize,
    /// How many `a` of `… ? a : …` the walk is in.
    consequents: usize,
}

impl Survey {
    pub(super) fn of(module: &Module) -> Self {
        let imports = module.body.iter().filter_map(|item| match item {
            ModuleItem::ModuleDecl(ModuleDecl::Import(import)) if !import.type_only => Some(import),
            ModuleItem::ModuleDecl(_) | ModuleItem::Stmt(_) => None,
        });
        let (mut unused, mut own) = (Vec::new(), Vec::new());
        let mut looked_for = NameFilter::default();
        INJECTED.iter().chain(OWN_FUNCTIONS).for_each(|name| looked_for.add(name));
        for import in imports {
            let locals = import.specifiers.iter().map(|name| name.local().sym.clone());
            locals.clone().for_each(|local| looked_for.add(&local));
            unused.extend(locals.clone());
            own.extend(locals.filter(|_| import.src.value == *OWN_PACKAGE));
        }
        let mut survey = Self {
            exceeded: None,
            loads: Vec::new(),
            globs: Vec::new(),
            used: Vec::new(),
            mentions_own: false,
            mentions: Unbound::default(),
            seams: Vec::new(),
            trials: Vec::new(),
            consequents: 0,
            unused,
            looked_for,
            own,
            far: Vec::new(),
            depth: 0,
            types: 0,
        };
        module.visit_with(&mut survey);
        survey.seams.push(Seam::of_end(module, START));
        survey
    }

    fn enter(&mut self, node: &impl Spanned, children: impl FnOnce(&mut Self)) {
        if self.exceeded.is_some() {
            return;
        }
        if self.depth >= NESTING_MAX {
            self.exceeded = Some(node.span());
            return;
        }
        self.depth += 1;
        children(self);
        self.depth -= 1;
    }

    fn in_type(&mut self, children: impl FnOnce(&mut Self)) {
        self.types += 1;
        children(self);
        self.types -= 1;
    }
}

macro_rules! count {
    ($($method:ident: $node:ty),*) => {
        $(fn $method(&mut self, node: &$node) {
            self.enter(node, |survey| node.visit_children_with(survey));
        })*
    };
}

impl Visit for Survey {
    count!(
        visit_expr: Expr, visit_stmt: Stmt, visit_ts_entity_name: TsEntityName,
        visit_ts_namespace_body: TsNamespaceBody, visit_jsx_object: JSXObject,
        visit_jsx_element: swc_ecma_ast::JSXElement, visit_jsx_fragment: swc_ecma_ast::JSXFragment
    );

    fn visit_ts_type(&mut self, node: &TsType) {
        self.in_type(|survey| survey.enter(node, |survey| node.visit_children_with(survey)));
    }

    fn visit_pat(&mut self, node: &Pat) {
        self.seams.extend(node.as_ident().and_then(Seam::of_this));
        self.enter(node, |survey| node.visit_children_with(survey));
    }

    fn visit_param(&mut self, node: &Param) {
        // The type of `this` is declared as a parameter.
        match &node.pat {
            Pat::Ident(name) => name.visit_with(self),
            pat => pat.visit_with(self),
        }
        node.decorators.visit_with(self);
    }

    fn visit_ts_interface_decl(&mut self, node: &TsInterfaceDecl) {
        self.seams.extend(Seam::of_name(&node.id));
        self.seams.extend(Seam::of_heritage(&node.extends));
        self.seams.extend(Seam::of_interface(node));
        self.in_type(|survey| node.visit_children_with(survey));
    }

    fn visit_import_decl(&mut self, import: &ImportDecl) {
        self.seams.extend(Seam::of_import(import));
        self.seams.extend(Seam::of_default(import));
        self.seams.push(Seam::of_statement(import));
        self.seams.extend(import.specifiers.iter().filter_map(|specifier| Seam::of_name(specifier.local())));
    }

    fn visit_ts_type_alias_decl(&mut self, node: &TsTypeAliasDecl) {
        self.seams.extend(Seam::of_name(&node.id));
        node.visit_children_with(self);
    }

    fn visit_ts_type_param(&mut self, node: &TsTypeParam) {
        self.seams.extend(Seam::of_name(&node.name));
        node.visit_children_with(self);
    }

    fn visit_ts_module_decl(&mut self, node: &TsModuleDecl) {
        self.seams.extend(node.id.as_ident().and_then(Seam::of_name));
        node.visit_children_with(self);
    }

    fn visit_class_decl(&mut self, node: &ClassDecl) {
        self.seams.extend(Seam::of_name(&node.ident));
        self.seams.extend(Seam::of_heritage(&node.class.implements));
        self.seams.extend(Seam::of_class(&node.class, &node.ident));
        node.visit_children_with(self);
    }

    fn visit_export_decl(&mut self, node: &ExportDecl) {
        self.seams.extend(Seam::of_export_decl(node));
        node.visit_children_with(self);
    }

    fn visit_class_method(&mut self, node: &ClassMethod) {
        self.seams.extend(node.is_static.then(|| Seam::of_static(&node.key)));
        node.visit_children_with(self);
    }

    fn visit_class_prop(&mut self, node: &ClassProp) {
        self.seams.extend(node.is_static.then(|| Seam::of_static(&node.key)));
        node.visit_children_with(self);
    }

    fn visit_ts_type_operator(&mut self, node: &TsTypeOperator) {
        self.seams.extend(Seam::of_operand(&node.type_ann));
        node.visit_children_with(self);
    }

    fn visit_assign_pat_prop(&mut self, node: &AssignPatProp) {
        self.seams.extend(Seam::of_name(&node.key.id));
        node.visit_children_with(self);
    }

    fn visit_ts_type_ref(&mut self, node: &TsTypeRef) {
        self.seams.push(Seam::of_type(&node.type_name));
        node.visit_children_with(self);
    }

    fn visit_ts_type_query(&mut self, node: &TsTypeQuery) {
        self.seams.extend(node.expr_name.as_ts_entity_name().map(Seam::of_type));
        node.visit_children_with(self);
    }

    fn visit_ts_fn_or_constructor_type(&mut self, node: &TsFnOrConstructorType) {
        self.seams.push(Seam::of_function(node));
        node.visit_children_with(self);
    }

    fn visit_str(&mut self, node: &Str) {
        self.seams.extend(Seam::of_text(node));
    }

    fn visit_number(&mut self, node: &Number) {
        self.seams.extend(Seam::of_number(node));
    }

    fn visit_opt_chain_expr(&mut self, node: &OptChainExpr) {
        self.seams.extend(Seam::of_chain(node));
        node.visit_children_with(self);
    }

    fn visit_arrow_expr(&mut self, node: &ArrowExpr) {
        let is_trial = node.type_params.is_some() || (self.consequents > 0 && node.return_type.is_some());
        if let (true, ArrowFunctionBody::FunctionBody(body)) = (is_trial, &*node.body) {
            self.trials.push(body.span);
        }
        node.visit_children_with(self);
    }

    fn visit_cond_expr(&mut self, node: &CondExpr) {
        node.test.visit_with(self);
        self.consequents += 1;
        node.cons.visit_with(self);
        self.consequents -= 1;
        node.alt.visit_with(self);
    }

    fn visit_assign_expr(&mut self, node: &AssignExpr) {
        self.seams.extend(Seam::of_assignment(node));
        node.visit_children_with(self);
    }

    fn visit_ts_enum_decl(&mut self, node: &TsEnumDecl) {
        self.seams.extend(Seam::of_enum(node));
        node.visit_children_with(self);
    }

    fn visit_for_stmt(&mut self, node: &ForStmt) {
        self.seams.extend(Seam::of_for(node));
        node.visit_children_with(self);
    }

    fn visit_named_export(&mut self, node: &NamedExport) {
        self.seams.extend(Seam::of_export(node));
        self.seams.push(Seam::of_statement(node));
        if node.src.as_ref().is_some_and(|src| src.value == *OWN_PACKAGE) {
            let mut names = node.specifiers.iter().filter_map(ExportSpecifier::as_named);
            self.mentions_own |= names.any(|name| Unbound::of_name(&name.orig.atom()).own);
        }
        node.visit_children_with(self);
    }

    fn visit_export_all(&mut self, node: &ExportAll) {
        self.seams.push(Seam::of_statement(node));
        node.visit_children_with(self);
    }

    fn visit_ident(&mut self, ident: &Ident) {
        if self.types > 0 || !self.looked_for.may_have(&ident.sym) {
            return;
        }
        if let Some(index) = self.unused.iter().position(|local| *local == ident.sym) {
            self.used.push(self.unused.swap_remove(index));
        }
        let mentioned = Unbound::of_name(&ident.sym);
        if mentioned == Unbound::default() {
            return;
        }
        if self.own.contains(&ident.sym) {
            self.mentions_own |= mentioned.own;
        } else if !self.used.contains(&ident.sym) {
            self.mentions.add(mentioned);
        }
    }

    fn visit_decorator(&mut self, decorator: &Decorator) {
        // A policy that is misspelt must not vanish with the file that has it.
        let callee = match unwrapped(&decorator.expr) {
            Expr::Call(call) => call.callee.as_expr().map(|callee| unwrapped(callee)),
            other => Some(other),
        };
        if let Some(name) = callee.and_then(Expr::as_ident)
            && !self.mentions_own
            && ![&self.far, &self.unused, &self.used].iter().any(|names| names.contains(&name.sym))
        {
            self.mentions_own = nearest(&name.sym, VOCABULARY.iter().copied()).is_some();
            self.far.push(name.sym.clone());
        }
        decorator.visit_children_with(self);
    }

    fn visit_fn_decl(&mut self, function: &FnDecl) {
        self.seams.extend(Seam::of_name(&function.ident));
        // TypeScript has no decorators here; which one this is, extraction tells.
        self.mentions_own |= !function.function.decorators.is_empty();
        function.visit_children_with(self);
    }

    fn visit_call_expr(&mut self, call: &CallExpr) {
        let loads = match &call.callee {
            Callee::Import(_) => true,
            Callee::Expr(callee) => unwrapped(callee).as_ident().is_some_and(|ident| ident.sym == *"require"),
            Callee::Super(_) => false,
        };
        if loads && let Some(argument) = call.args.first() {
            self.loads.extend(constant_text(&argument.expr));
        }
        self.globs.extend(globbed(call));
        call.visit_children_with(self);
    }

    fn visit_new_expr(&mut self, new: &NewExpr) {
        // Bundlers copy such a file, or make a worker of it.
        let is_url = unwrapped(&new.callee).as_ident().is_some_and(|ident| ident.sym == *"URL");
        if let (true, Some([file, base])) = (is_url, new.args.as_deref())
            && is_own_url(&base.expr)
        {
            self.loads.extend(constant_text(&file.expr));
        }
        new.visit_children_with(self);
    }

    fn visit_ts_external_module_ref(&mut self, loaded: &TsExternalModuleRef) {
        self.loads.push((loaded.expr.value.to_string_lossy().into_owned(), loaded.expr.span));
    }
}

/// A set of names that may say yes to others as well: a bit for each length and last byte, because most names in a text are none
/// of these.
#[derive(Default)]
struct NameFilter(u64);

impl NameFilter {
    fn add(&mut self, name: &str) {
        self.0 |= Self::bit(name);
    }

    fn may_have(&self, name: &str) -> bool {
        self.0 & Self::bit(name) != 0
    }

    fn bit(name: &str) -> u64 {
        let last = name.as_bytes().last().map_or(0, |byte| usize::from(*byte));
        1 << ((name.len() * 29 + last) % 64)
    }
}

/// Which names occur that the compiler gives a meaning to where nothing binds them.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Unbound {
    /// `ctx` or `env`.
    pub(super) injected: bool,
    /// A function of kontract's.
    pub(super) own: bool,
}

impl Unbound {
    /// Those that the module does not bind, in a tree with scopes. Runs inside of the tree's globals.
    pub(super) fn of(module: &ParsedModule) -> Self {
        let declared = module.items().iter().filter_map(item_decl).filter(|decl| !is_value(decl));
        let mut names = UnboundNames {
            unresolved: SyntaxContext::empty().apply_mark(module.scopes.unresolved),
            top_level: SyntaxContext::empty().apply_mark(module.scopes.top_level),
            ambient: declared.flat_map(declared_names).map(Atom::from).collect(),
            found: Self::default(),
        };
        module.module.visit_with(&mut names);
        names.found
    }

    fn of_name(name: &str) -> Self {
        Self { injected: INJECTED.contains(&name), own: OWN_FUNCTIONS.contains(&name) }
    }

    fn add(&mut self, other: Self) {
        self.injected |= other.injected;
        self.own |= other.own;
    }
}

struct UnboundNames {
    unresolved: SyntaxContext,
    top_level: SyntaxContext,
    /// Names that the top level only declares: `declare const env: Env`.
    ambient: Vec<Atom>,
    found: Unbound,
}

impl Visit for UnboundNames {
    fn visit_ts_type(&mut self, _: &TsType) {}

    fn visit_ts_interface_decl(&mut self, _: &TsInterfaceDecl) {}

    fn visit_ident(&mut self, ident: &Ident) {
        let is_unbound = ident.ctxt == self.unresolved
            || (ident.ctxt == self.top_level && self.ambient.contains(&ident.sym));
        if is_unbound {
            self.found.add(Unbound::of_name(&ident.sym));
        }
    }
}

/// `import.meta.url`
fn is_own_url(expr: &Expr) -> bool {
    let Expr::Member(member) = unwrapped(expr) else { return false };
    matches!(&*member.obj, Expr::MetaProp(_)) && member.prop.is_ident_with("url")
}

/// The patterns of `import.meta.glob('./a/*.ts')` or `import.meta.glob(['./a/*.ts', '!./a/b.ts'])`: each that takes files,
/// and behind it, in lines of their own, those that leave some out.
pub(crate) fn globbed(call: &CallExpr) -> Vec<(String, Span)> {
    let callee = call.callee.as_expr().and_then(|callee| unwrapped(callee).as_member());
    let is_glob = callee.is_some_and(|callee| {
        matches!(unwrapped(&callee.obj), Expr::MetaProp(_)) && callee.prop.is_ident_with("glob")
    });
    let Some(patterns) = call.args.first().filter(|_| is_glob) else { return Vec::new() };
    let patterns: Vec<(String, Span)> = match unwrapped(&patterns.expr) {
        Expr::Array(list) => {
            list.elems.iter().flatten().filter_map(|pattern| constant_text(&pattern.expr)).collect()
        }
        single => constant_text(single).into_iter().collect(),
    };
    let (without, taken): (Vec<_>, Vec<_>) =
        patterns.into_iter().partition(|(text, _)| text.starts_with('!'));
    let without: String = without.iter().map(|(text, _)| format!("\n{}", &text[1..])).collect();
    taken.into_iter().map(|(text, span)| (text + &without, span)).collect()
}

/// A text that is written out, whatever stands around it: `'./a'`, `` `./a` ``, `('./a' as string)`.
pub(crate) fn constant_text(expr: &Expr) -> Option<(String, Span)> {
    match unwrapped(expr) {
        Expr::Lit(Lit::Str(text)) => Some((text.value.to_string_lossy().into_owned(), text.span)),
        Expr::Tpl(template) => match template.quasis.as_slice() {
            [only] => Some((only.cooked.as_ref()?.to_string_lossy().into_owned(), template.span)),
            _ => None,
        },
        _ => None,
    }
}

/// Names that server modules use without importing them.
pub(crate) const INJECTED: &[&str] = &["ctx", "env"];
