//! Middlewares and their filters.
//!
//! ```text
//! export default defineMiddleware([
//!   mwfilter({ egroup: 'api' }, async (ctx, next) => { … }),      plain spelling
//!   @mwfilter(prefix="admin") async (ctx, next) => { … },         decorator spelling
//!   async (ctx, next) => { … },                                   wraps every endpoint
//! ])  → three Middleware, by their place in the array
//! ```

use swc_common::Spanned;
use swc_ecma_ast::{ArrayLit, CallExpr, Expr, ExprOrSpread, ModuleDecl, ModuleItem};
use swc_ecma_visit::{Visit, VisitWith};

use super::backend::{as_call, is_call_of};
use super::{Extraction, diagnostics};
use crate::contract::{Middleware, MiddlewareFilter};
use crate::parse::literal::{Constant, option_entries, unwrapped};
use crate::parse::module::ParsedModule;

/// The call and the item of `export default defineMiddleware(…)`.
pub(crate) fn middleware_call(module: &ParsedModule) -> Option<(usize, &CallExpr)> {
    module.items().iter().enumerate().find_map(|(index, item)| {
        let ModuleItem::ModuleDecl(ModuleDecl::ExportDefaultExpr(export)) = item else { return None };
        let call = as_call(&export.expr).filter(|call| is_call_of(module, call, "defineMiddleware"))?;
        Some((index, call))
    })
}

/// The array of `defineMiddleware([…])`.
pub(crate) fn middleware_elements(call: &CallExpr) -> Option<&ArrayLit> {
    match call.args.as_slice() {
        [ExprOrSpread { spread: None, expr }] => unwrapped(expr).as_array(),
        _ => None,
    }
}

pub(super) fn extract(extraction: &mut Extraction<'_>, module: &ParsedModule) {
    let exported = middleware_call(module).map(|(_, call)| call);
    for call in StrayCalls::of(module, exported) {
        extraction.diagnostics.push(diagnostics::middleware_not_exported(module.location(call)));
    }
    let Some(call) = exported else { return };
    let Some(array) = middleware_elements(call) else {
        extraction.diagnostics.push(diagnostics::not_a_middleware(module.location(call.span)));
        return;
    };
    for (index, element) in array.elems.iter().enumerate() {
        let location = module.location(element.as_ref().map_or(array.span, Spanned::span));
        match element {
            Some(ExprOrSpread { spread: None, expr }) if is_middleware(module, expr) => {
                let filter = filter(extraction, module, expr);
                extraction.contract.middleware.push(Middleware {
                    file: module.file,
                    index,
                    filter,
                    location,
                });
            }
            Some(_) | None => extraction.diagnostics.push(diagnostics::not_a_middleware(location)),
        }
    }
}

fn is_middleware(module: &ParsedModule, expr: &Expr) -> bool {
    match unwrapped(expr) {
        Expr::Call(call) => {
            is_call_of(module, call, "mwfilter") && call.args.len() == 2 && is_function(&call.args[1].expr)
        }
        other => is_function(other),
    }
}

fn is_function(expr: &Expr) -> bool {
    matches!(unwrapped(expr), Expr::Arrow(_) | Expr::Fn(_) | Expr::Ident(_) | Expr::Member(_))
}

fn filter(extraction: &mut Extraction<'_>, module: &ParsedModule, expr: &Expr) -> MiddlewareFilter {
    let decorator = module.decorator(expr.span(), "mwfilter");
    let arguments = match unwrapped(expr) {
        Expr::Call(call) => &call.args[..1],
        _ => decorator.and_then(|decorator| decorator.arguments.as_deref()).unwrap_or(&[]),
    };
    let mut filter = MiddlewareFilter::default();
    let entries = match option_entries(extraction.graph, module, arguments) {
        Ok(entries) => entries,
        Err(found) => {
            extraction.diagnostics.push(diagnostics::not_constant("mwfilter", &found));
            return filter;
        }
    };
    for entry in entries {
        let slot = match entry.key.as_str() {
            "egroup" => &mut filter.egroup,
            "ugroup" => &mut filter.ugroup,
            "prefix" => &mut filter.prefix,
            key => {
                extraction.diagnostics.push(diagnostics::unknown_filter_key(key, entry.key_location));
                continue;
            }
        };
        match entry.value {
            Ok(Constant::Text(text)) if !text.is_empty() => *slot = Some(text),
            Ok(_) => {
                extraction.diagnostics.push(diagnostics::bad_filter_value(&entry.key, entry.value_location));
            }
            Err(found) => extraction.diagnostics.push(diagnostics::not_constant("mwfilter", &found)),
        }
    }
    filter
}

/// Calls of `defineMiddleware` other than the default export's.
struct StrayCalls<'m> {
    module: &'m ParsedModule,
    exported: Option<swc_common::Span>,
    found: Vec<swc_common::Span>,
}

impl<'m> StrayCalls<'m> {
    fn of(module: &'m ParsedModule, exported: Option<&CallExpr>) -> Vec<swc_common::Span> {
        let mut calls = Self { module, exported: exported.map(|call| call.span), found: Vec::new() };
        module.module.visit_with(&mut calls);
        calls.found
    }
}

impl Visit for StrayCalls<'_> {
    fn visit_call_expr(&mut self, call: &CallExpr) {
        if Some(call.span) != self.exported && is_call_of(self.module, call, "defineMiddleware") {
            self.found.push(call.span);
        }
        call.visit_children_with(self);
    }
}
