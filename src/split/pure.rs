//! Values of shared modules that only endpoints use, for a frontend's bundler to leave out.
//!
//! ```text
//! export const db = new Pool('…');            an endpoint uses `db`
//! export const label = (n: number) => …       a page imports `label` from here, and gets nothing else
//! ```
//!
//! A bundler keeps what may have an effect. Calls that make such values are told to it as pure, so that they stay where pages
//! refer to the value, and nowhere else. Whether any does is the bundler's to know: it sees files that the compiler does not.

use swc_common::{Span, Spanned};
use swc_ecma_ast::{ArrowExpr, CallExpr, Callee, Decl, Function, ModuleDecl, ModuleItem, NewExpr};
use swc_ecma_visit::{Visit, VisitWith, noop_visit_type};

use super::parts::{Part, PartKind, Parts};
use super::reach::{Reach, is_for_both};
use crate::parse::ModuleGraph;
use crate::parse::module::{ParsedModule, item_decl};

/// Places in a module, in UTF-16 units.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PureCalls {
    /// Of the whole text that the places belong to.
    pub(super) length: usize,
    /// Where the calls begin.
    pub(super) starts: Vec<usize>,
}

/// The calls of each module that has any, by path.
pub(super) fn pure_calls(
    graph: &ModuleGraph,
    parts: &Parts<'_>,
    reach: &Reach,
) -> impl Iterator<Item = (String, PureCalls)> {
    let shared = |module: &&ParsedModule| {
        reach.server_modules.contains(&module.file) && is_for_both(parts, &reach.server_only, module.file)
    };
    graph.modules().filter(shared).filter_map(|module| {
        let own = parts.module(module.file).iter().enumerate();
        let used = own.filter(|(index, part)| {
            let id = (module.file, *index);
            part.kind == PartKind::Declaration && part.has_effect() && reach.used.contains(&id)
        });
        let mut starts: Vec<u32> =
            used.flat_map(|(_, part)| calls(part)).map(|span| module.location(span).start).collect();
        starts.sort_unstable();
        starts.dedup();
        let text = &graph.sources().file(module.file).text;
        let units = |end: u32| Some(text.get(..usize::try_from(end).ok()?)?.encode_utf16().count());
        let starts: Vec<usize> = starts.into_iter().filter_map(units).collect();
        let length = text.encode_utf16().count();
        (!starts.is_empty()).then(|| (module.path.clone(), PureCalls { length, starts }))
    })
}

/// The calls that are made while a variable or a default export gets its value.
fn calls(part: &Part<'_>) -> Vec<Span> {
    let mut calls = Calls(Vec::new());
    match (&*part.node, item_decl(&part.node)) {
        (_, Some(Decl::Var(vars))) => vars.decls.iter().for_each(|var| var.init.visit_with(&mut calls)),
        (ModuleItem::ModuleDecl(ModuleDecl::ExportDefaultExpr(export)), _) => {
            export.expr.visit_with(&mut calls);
        }
        _ => {}
    }
    calls.0
}

struct Calls(Vec<Span>);

impl Visit for Calls {
    noop_visit_type!();

    fn visit_call_expr(&mut self, call: &CallExpr) {
        if matches!(call.callee, Callee::Expr(_)) {
            self.0.push(call.span());
        }
        call.visit_children_with(self);
    }

    fn visit_new_expr(&mut self, made: &NewExpr) {
        self.0.push(made.span);
        made.visit_children_with(self);
    }

    /// What a function does, it does when it is called.
    fn visit_function(&mut self, _: &Function) {}

    fn visit_arrow_expr(&mut self, _: &ArrowExpr) {}
}
