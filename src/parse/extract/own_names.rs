//! Every use of `backend`, `mwfilter` and `defineMiddleware` must be a form that the compiler follows; the body of an
//! endpoint that it does not see would go to clients.
//!
//! ```text
//! k.backend({ … }, async () => { … })   an endpoint, where `k` or what it was imported through leads to kontract
//! const b = backend                     refused
//! pass(k)                               refused
//! ```

use swc_common::Span;
use swc_ecma_ast::{
    CallExpr, Callee, Decorator, ExportDefaultExpr, Expr, Ident, ImportDecl, Lit, MemberExpr, MemberProp,
    NamedExport, TsEntityName, TsImportEqualsDecl, TsModuleRef,
};
use swc_ecma_visit::{Visit, VisitWith, noop_visit_type};

use super::diagnostics;
use super::foreign::own_function;
use super::forms::Forms;
use super::middleware::middleware_call;
use crate::diag::Diagnostic;
use crate::parse::bodies::Body;
use crate::parse::graph::ModuleGraph;
use crate::parse::literal::unwrapped;
use crate::parse::module::{OWN_FUNCTIONS, OWN_PACKAGE, OwnName, ParsedModule};
use crate::parse::summary::ModuleSummary;
use crate::source::Location;

/// `filters` are the calls of `mwfilter` that were followed, in all modules.
pub(super) fn check(
    graph: &ModuleGraph,
    module: &ParsedModule,
    forms: &Forms<'_>,
    filters: &[Location],
    found: &mut Vec<Diagnostic>,
) {
    let loads_package = graph.summary(module.file).is_some_and(ModuleSummary::loads_own_package);
    if !module.may().speak && !loads_package {
        return;
    }
    let middleware = middleware_call(module).map(|(_, call)| call.span);
    let mut uses = Uses::of(module);
    module.module.visit_with(&mut uses);
    for (name, span) in uses.calls {
        let at = module.location(span);
        match name.as_str() {
            "backend" if !forms.calls.contains(&span) => {
                let what = "what this call is given, or where it stands";
                found.push(diagnostics::not_a_function(at, what));
            }
            "mwfilter" if !filters.contains(&at) && !middleware.is_some_and(|call| call.contains(span)) => {
                found.push(diagnostics::filter_not_exported(at));
            }
            _ => {}
        }
    }
    let values = uses.values.iter().map(|(name, span)| diagnostics::own_value(name, module.location(*span)));
    found.extend(values);
    found.extend(uses.whole.iter().map(|span| diagnostics::own_package(module.location(*span))));
}

/// Whether a body has any of them.
pub(super) fn are_in(module: &ParsedModule, body: &Body<'_>) -> bool {
    if !module.may().speak && !module.may().load {
        return false;
    }
    let mut uses = Uses::of(module);
    body.visit_with(&mut uses);
    !(uses.calls.is_empty() && uses.values.is_empty() && uses.whole.is_empty())
}

struct Uses<'m> {
    module: &'m ParsedModule,
    calls: Vec<(String, Span)>,
    /// Functions of kontract's that are not called in place.
    values: Vec<(String, Span)>,
    /// The whole package, other than its members.
    whole: Vec<Span>,
}

impl<'m> Uses<'m> {
    fn of(module: &'m ParsedModule) -> Self {
        Self { module, calls: Vec::new(), values: Vec::new(), whole: Vec::new() }
    }

    fn value(&mut self, name: OwnName, span: Span) {
        match name {
            OwnName::Export(name) if OWN_FUNCTIONS.contains(&name.as_str()) => self.values.push((name, span)),
            OwnName::Export(_) => {}
            OwnName::Package | OwnName::Module(_) => self.whole.push(span),
        }
    }

    fn function(&self, callee: &Expr) -> Option<String> {
        match self.module.own_name(callee)? {
            OwnName::Export(name) => Some(name).filter(|name| OWN_FUNCTIONS.contains(&name.as_str())),
            OwnName::Package | OwnName::Module(_) => None,
        }
    }
}

impl Visit for Uses<'_> {
    noop_visit_type!();

    fn visit_import_decl(&mut self, _: &ImportDecl) {}

    // Whoever imports what is exported on is seen there.
    fn visit_named_export(&mut self, _: &NamedExport) {}

    fn visit_export_default_expr(&mut self, export: &ExportDefaultExpr) {
        if !export.expr.is_ident() {
            export.visit_children_with(self);
        }
    }

    fn visit_call_expr(&mut self, call: &CallExpr) {
        let function = call.callee.as_expr().and_then(|callee| self.function(callee));
        if let Some(name) = function {
            self.calls.push((name, call.span));
            call.args.visit_with(self);
            return;
        }
        if is_loading(self.module, call) {
            self.whole.push(call.span);
        }
        call.visit_children_with(self);
    }

    fn visit_decorator(&mut self, decorator: &Decorator) {
        // Those of kontract's are reported with the decorators.
        if own_function(self.module, &decorator.expr).is_none() {
            decorator.visit_children_with(self);
        }
    }

    fn visit_member_expr(&mut self, member: &MemberExpr) {
        if let Some(name) = self.module.own_member(member) {
            self.value(name, member.span);
        } else {
            match self.module.own_name(&member.obj) {
                // Another export of a module of the project.
                Some(OwnName::Module(_)) if !is_computed(member) => {}
                // Its members are not the compiler's business, and an ambient name may be someone else's.
                Some(OwnName::Export(_)) if is_ambient(self.module, &member.obj) => {}
                Some(OwnName::Export(_) | OwnName::Package | OwnName::Module(_)) | None => {
                    member.obj.visit_with(self);
                }
            }
        }
        member.prop.visit_with(self);
    }

    fn visit_ident(&mut self, ident: &Ident) {
        let scoped = self.module.is_unresolved(ident) || self.module.is_top_level(ident);
        if scoped && let Some(name) = self.module.own_ident(ident) {
            self.value(name, ident.span);
        }
    }

    fn visit_ts_import_equals_decl(&mut self, import: &TsImportEqualsDecl) {
        let loads = match &import.module_ref {
            TsModuleRef::TsExternalModuleRef(module) => module.expr.value == *OWN_PACKAGE,
            TsModuleRef::TsEntityName(name) => self.module.own_ident(leftmost(name)).is_some(),
        };
        if loads && !import.is_type_only {
            self.whole.push(import.span);
        }
    }
}

/// Whether a call is `import('kontract')` or `require('kontract')`.
fn is_loading(module: &ParsedModule, call: &CallExpr) -> bool {
    let loads = match &call.callee {
        Callee::Import(_) => true,
        Callee::Expr(callee) => unwrapped(callee)
            .as_ident()
            .is_some_and(|ident| ident.sym == *"require" && module.is_unresolved(ident)),
        Callee::Super(_) => false,
    };
    let package = call.args.first().map(|argument| unwrapped(&argument.expr));
    loads && matches!(package, Some(Expr::Lit(Lit::Str(text))) if text.value == *OWN_PACKAGE)
}

fn is_computed(member: &MemberExpr) -> bool {
    matches!(member.prop, MemberProp::Computed(_))
}

fn is_ambient(module: &ParsedModule, expr: &Expr) -> bool {
    unwrapped(expr).as_ident().is_some_and(|ident| module.is_unresolved(ident))
}

fn leftmost(name: &TsEntityName) -> &Ident {
    let mut name = name;
    loop {
        match name {
            TsEntityName::Ident(ident) => return ident,
            TsEntityName::TsQualifiedName(qualified) => name = &qualified.left,
        }
    }
}
