//! Middlewares and their filters.
//!
//! ```text
//! export default defineMiddleware([
//!   mwfilter({ egroup: 'api' }, async (ctx, next) => { … }),      plain spelling
//!   @mwfilter(prefix="admin") async (ctx, next) => { … },         decorator spelling
//!   async (ctx, next) => { … },                                   wraps every endpoint
//!   guard, rateLimit(10), ...common,                              defined elsewhere, filters included
//! ])  → Middlewares, by their place in the array as it is at run time
//! ```

use swc_common::{Span, Spanned};
use swc_ecma_ast::{CallExpr, Decl, Expr, ExprOrSpread, ModuleDecl, ModuleItem, VarDeclKind};
use swc_ecma_visit::{Visit, VisitWith};

use super::form::arguments_of;
use super::forms::function_of;
use super::{Extraction, diagnostics, is_call_of};
use crate::contract::{Middleware, MiddlewareFilter};
use crate::parse::graph::ModuleGraph;
use crate::parse::limits::{HOPS_MAX, MIDDLEWARES_MAX};
use crate::parse::literal::{Constant, Place, definition, option_entries, unwrapped};
use crate::parse::module::{Export, OwnName, ParsedModule, item_decl};
use crate::source::Location;

/// The call of `export default defineMiddleware(…)` and the item it stands in, which may be that of a constant.
pub(crate) fn middleware_call(module: &ParsedModule) -> Option<(usize, &CallExpr)> {
    let ours = |expr| as_call(expr).filter(|call| is_call_of(module, call, DEFINE));
    match module.exports.get("default")? {
        Export::Item(index) => {
            let ModuleItem::ModuleDecl(ModuleDecl::ExportDefaultExpr(export)) = module.items().get(*index)?
            else {
                return None;
            };
            Some((*index, ours(&export.expr)?))
        }
        Export::Local(name) => module.declaring_items(name).find_map(|index| {
            let Decl::Var(vars) = item_decl(&module.items()[index])? else { return None };
            let mut vars = vars.decls.iter().filter(|_| vars.kind == VarDeclKind::Const);
            let var = vars.find(|var| var.name.as_ident().is_some_and(|ident| ident.sym == **name))?;
            Some((index, ours(var.init.as_deref()?)?))
        }),
        Export::From(..) => None,
    }
}

/// One middleware: the expression that gives it in the array, and what filters it.
struct Element<'g> {
    place: Place<'g>,
    expr: &'g Expr,
    filters: Vec<Filter<'g>>,
}

struct Filter<'g> {
    place: Place<'g>,
    arguments: &'g [ExprOrSpread],
    /// The call or decorator.
    location: Location,
}

/// Adds the middlewares of a module; gives the calls and decorators of `mwfilter` that were followed.
pub(super) fn extract<'g>(extraction: &mut Extraction<'g>, module: &'g ParsedModule) -> Vec<Location> {
    let exported = middleware_call(module).map(|(_, call)| call);
    for call in StrayCalls::of(extraction.graph, module, exported) {
        extraction.diagnostics.push(diagnostics::middleware_not_exported(module.location(call)));
    }
    let Some(call) = exported else { return Vec::new() };
    let mut elements = Elements { graph: extraction.graph, found: Vec::new(), wrong: Vec::new() };
    match call.args.as_slice() {
        [ExprOrSpread { spread: None, expr }] => elements.array(&Place::of(module), expr, HOPS_MAX),
        _ => elements.wrong.push(module.location(call.span)),
    }
    extraction.diagnostics.extend(elements.wrong.iter().map(|at| diagnostics::not_a_middleware(*at)));
    let mut followed = Vec::new();
    for (index, element) in elements.found.into_iter().enumerate() {
        let filter = filter(extraction, &element.filters);
        followed.extend(element.filters.iter().map(|filter| filter.location));
        let location = element.place.module.location(element.expr.span());
        extraction.contract.middleware.push(Middleware { file: module.file, index, filter, location });
    }
    followed
}

/// The elements of the array, with those that spreads bring.
struct Elements<'g> {
    graph: &'g ModuleGraph,
    found: Vec<Element<'g>>,
    wrong: Vec<Location>,
}

impl<'g> Elements<'g> {
    fn array(&mut self, place: &Place<'g>, expr: &'g Expr, hops: usize) {
        let at = place.module.location(expr.span());
        if self.found.len() >= MIDDLEWARES_MAX || hops == 0 {
            self.wrong.push(at);
            return;
        }
        let (place, expr) = definition(self.graph, place, expr);
        let Expr::Array(array) = unwrapped(expr) else {
            self.wrong.push(at);
            return;
        };
        for element in &array.elems {
            match element {
                None => self.wrong.push(place.module.location(array.span)),
                Some(ExprOrSpread { spread: Some(_), expr }) => self.array(&place, expr, hops - 1),
                Some(ExprOrSpread { spread: None, expr }) => self.element(&place, expr),
            }
        }
    }

    fn element(&mut self, place: &Place<'g>, expr: &'g Expr) {
        let mut filters = decorated(place, &[expr.span(), unwrapped(expr).span()]);
        let middleware = match unwrapped(expr) {
            Expr::Ident(_) | Expr::Member(_) => {
                if let Some(function) = function_of(self.graph, place, expr, HOPS_MAX) {
                    let mut spans = function.documented.clone();
                    spans.push(function.body.span());
                    filters.extend(decorated(&function.place, &spans));
                }
                // What packages export and what functions return is a function as far as can be seen.
                let (home, defined) = definition(self.graph, place, expr);
                match unwrapped(defined) {
                    Expr::Call(call) if is_call_of(home.module, call, "mwfilter") => {
                        self.filtered(&home, call, &mut filters)
                    }
                    Expr::Lit(_) | Expr::Object(_) | Expr::Array(_) | Expr::Tpl(_) => false,
                    _ => true,
                }
            }
            Expr::Call(call) if is_call_of(place.module, call, "mwfilter") => {
                self.filtered(place, call, &mut filters)
            }
            Expr::Call(call) => !OWN.iter().any(|name| is_call_of(place.module, call, name)),
            other => is_function(other),
        };
        if middleware {
            self.found.push(Element { place: place.clone(), expr, filters });
        } else {
            self.wrong.push(place.module.location(expr.span()));
        }
    }

    /// `mwfilter({ … }, function)`
    fn filtered(&self, place: &Place<'g>, call: &'g CallExpr, filters: &mut Vec<Filter<'g>>) -> bool {
        let [_, function] = call.args.as_slice() else { return false };
        let location = place.module.location(call.span);
        filters.push(Filter { place: place.clone(), arguments: &call.args[..1], location });
        match unwrapped(&function.expr) {
            Expr::Call(inner) => !OWN.iter().any(|name| is_call_of(place.module, inner, name)),
            other => is_function(other) || matches!(other, Expr::Ident(_) | Expr::Member(_)),
        }
    }
}

/// The decorators `@mwfilter` before any of some nodes.
fn decorated<'g>(place: &Place<'g>, spans: &[Span]) -> Vec<Filter<'g>> {
    let module = place.module;
    let mut found: Vec<Filter<'g>> = Vec::new();
    for decorator in spans.iter().flat_map(|span| module.decorators_at(*span)) {
        let known = found.iter().any(|filter| filter.location == decorator.location);
        if decorator.name == "mwfilter" && !known {
            let (place, location) = (place.clone(), decorator.location);
            found.push(Filter { place, arguments: arguments_of(decorator), location });
        }
    }
    found
}

fn is_function(expr: &Expr) -> bool {
    matches!(unwrapped(expr), Expr::Arrow(_) | Expr::Fn(_))
}

/// What the only filter says; a second one would hide the first.
fn filter<'g>(extraction: &mut Extraction<'g>, filters: &[Filter<'g>]) -> MiddlewareFilter {
    let mut filter = MiddlewareFilter::default();
    let Some((given, more)) = filters.split_first() else { return filter };
    let twice = more.iter().map(|more| diagnostics::filtered_twice(given.location, more.location));
    extraction.diagnostics.extend(twice);
    let entries = match option_entries(extraction.graph, &given.place, given.arguments) {
        Ok(entries) => entries,
        Err(found) => {
            extraction.diagnostics.push(diagnostics::not_constant("mwfilter", &found, Some(given.location)));
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
            Ok(Constant::Undefined) => {}
            Ok(_) => {
                extraction.diagnostics.push(diagnostics::bad_filter_value(&entry.key, entry.value_location));
            }
            Err(found) => {
                let used = Some(entry.value_location);
                extraction.diagnostics.push(diagnostics::not_constant("mwfilter", &found, used));
            }
        }
    }
    filter
}

fn as_call(expr: &Expr) -> Option<&CallExpr> {
    unwrapped(expr).as_call()
}

/// Calls of `defineMiddleware` other than the default export's.
struct StrayCalls<'m> {
    module: &'m ParsedModule,
    exported: Option<swc_common::Span>,
    found: Vec<swc_common::Span>,
}

impl<'m> StrayCalls<'m> {
    fn of(
        graph: &ModuleGraph,
        module: &'m ParsedModule,
        exported: Option<&CallExpr>,
    ) -> Vec<swc_common::Span> {
        let mut calls = Self { module, exported: exported.map(|call| call.span), found: Vec::new() };
        if module.may().speak && may_define(graph, module) {
            module.module.visit_with(&mut calls);
        }
        calls.found
    }
}

/// Whether `defineMiddleware` may be called in a module, under whatever name.
fn may_define(graph: &ModuleGraph, module: &ParsedModule) -> bool {
    let text = graph.sources().file(module.file).text.as_bytes();
    let has = |word: &str| memchr::memmem::find(text, word.as_bytes()).is_some();
    let leads = |name: &OwnName| match name {
        OwnName::Export(name) => name == DEFINE,
        OwnName::Package | OwnName::Module(_) => true,
    };
    // Names can be escaped.
    module.own.values().any(leads) || has(DEFINE) || has("\\u")
}

impl Visit for StrayCalls<'_> {
    fn visit_call_expr(&mut self, call: &CallExpr) {
        if Some(call.span) != self.exported && is_call_of(self.module, call, DEFINE) {
            self.found.push(call.span);
        }
        call.visit_children_with(self);
    }
}

const DEFINE: &str = "defineMiddleware";
/// Functions of kontract whose results are no middlewares.
const OWN: &[&str] = &["backend", "mwfilter", "defineMiddleware"];
