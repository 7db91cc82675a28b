//! Which middlewares can be taken apart, and their parts.
//!
//! ```text
//! async ({ owner }, next) => { log(owner); return await next(); }
//!   → ctx: `{ owner }`, next: `next`, body: [log(owner); return await next();]
//! ```

use std::collections::{BTreeMap, BTreeSet};

use swc_common::{DUMMY_SP, Mark, Span, SyntaxContext};
use swc_ecma_ast::{
    ArrowExpr, ArrowFunctionBody, AssignExpr, BindingIdent, BreakStmt, CallExpr, Callee, ClassDecl,
    ClassExpr, ContinueStmt, Expr, FnDecl, FnExpr, Function, Id, Ident, IdentName, KeyValueProp, LabeledStmt,
    MetaPropExpr, ModuleItem, Pat, Prop, ReturnStmt, Stmt, Super, ThisExpr, UpdateExpr, UsingDecl,
};
use swc_ecma_visit::{Visit, VisitMut, VisitMutWith, VisitWith, noop_visit_mut_type, noop_visit_type};

use super::flow::{self, NextUse};

/// A middleware whose body may stand in another function.
#[derive(Clone)]
pub(super) struct Middleware {
    /// What the context is bound to.
    pub(super) ctx: Option<Pat>,
    /// What the rest of the chain is bound to.
    pub(super) next: Option<Ident>,
    pub(super) body: Vec<Stmt>,
    pub(super) uses: NextUse,
    /// Whether the context is called by one name that always means it.
    pub(super) plain_ctx: bool,
}

/// Calls of `next` in a function that certainly are not the first, whether it can be taken apart or not.
pub(super) fn calls_again(function: &Expr) -> Vec<Span> {
    parts(function)
        .and_then(|(_, next, body)| Some(flow::uses(&next?.to_id(), &body).again))
        .unwrap_or_default()
}

impl Middleware {
    /// `None` for what only works as a function of its own.
    pub(super) fn of(function: &Expr) -> Option<Self> {
        let mut unfit = Unfit::default();
        match function {
            Expr::Arrow(arrow) => arrow.visit_children_with(&mut unfit),
            Expr::Fn(function) => function.function.visit_children_with(&mut unfit),
            _ => return None,
        }
        let (ctx, next, body) = parts(function)?;
        let own_name = function.as_fn_expr().and_then(|function| function.ident.clone());
        let own_name_used = own_name.is_some_and(|name| flow::Mentions::of(&name.to_id(), &body));
        let mut bindings = Bindings::default();
        body.visit_with(&mut bindings);
        let changed = |ident: &Ident| {
            bindings.declared.contains(&ident.to_id()) || bindings.assigned.contains(&ident.to_id())
        };
        let next_changes = next.as_ref().is_some_and(changed);
        let params: Vec<Ident> = ctx.as_ref().map(swc_ecma_utils::find_pat_ids).unwrap_or_default();
        let declared_again = params.iter().any(|param| bindings.declared.contains(&param.to_id()));
        if unfit.found || own_name_used || next_changes || declared_again || bindings.twice {
            return None;
        }
        let plain_ctx = matches!(&ctx, Some(Pat::Ident(ident)) if !changed(&ident.id));
        let uses = next.as_ref().map(|next| flow::uses(&next.to_id(), &body)).unwrap_or_default();
        Some(Self { ctx, next, body, uses, plain_ctx })
    }

    /// The same with bindings and labels that no other copy has.
    pub(super) fn fresh(&self, labels: &mut Labels) -> Self {
        let mut copy = self.clone();
        let mut bindings = Bindings::default();
        copy.ctx.visit_with(&mut bindings);
        copy.body.visit_with(&mut bindings);
        bindings.declared.extend(copy.next.as_ref().map(Ident::to_id));
        let mut fresh =
            Fresh { bindings: &bindings.declared, mark: Mark::new(), labels, renamed: BTreeMap::new() };
        copy.ctx.visit_mut_with(&mut fresh);
        copy.next.visit_mut_with(&mut fresh);
        copy.body.visit_mut_with(&mut fresh);
        copy
    }
}

/// Labels that stand in one function, where they may be nested: each is given once.
#[derive(Default)]
pub(super) struct Labels(u32);

impl Labels {
    pub(super) fn give(&mut self, base: &str) -> Ident {
        self.0 += 1;
        Ident::new_no_ctxt(format!("{base}{}", self.0).into(), DUMMY_SP)
    }
}

type FunctionParts = (Option<Pat>, Option<Ident>, Vec<Stmt>);

/// Parameters and body, where the parameters are `(ctx, next)` in some form.
fn parts(function: &Expr) -> Option<FunctionParts> {
    let (params, body): (Vec<Pat>, Vec<Stmt>) = match function {
        Expr::Arrow(arrow) if !arrow.is_generator => (arrow.params.clone(), arrow_body(arrow)),
        Expr::Fn(function) => {
            let function: &Function = &function.function;
            let body = function.body.as_ref().filter(|_| !function.is_generator)?;
            (function.params.iter().map(|param| param.pat.clone()).collect(), body.stmts.clone())
        }
        _ => return None,
    };
    let mut params = params.into_iter();
    let (ctx, next, more) = (params.next(), params.next(), params.next());
    // A default value would be for `undefined`, which neither ever is.
    let given = |pat: Pat| match pat {
        Pat::Assign(assign) => *assign.left,
        other => other,
    };
    let next = match next.map(given) {
        Some(Pat::Ident(ident)) => Some(ident.id),
        Some(_) => return None,
        None => None,
    };
    let ctx = ctx.map(given);
    // What a rest parameter gathers may be both.
    let gathers = matches!(ctx, Some(Pat::Rest(_)));
    (more.is_none() && !gathers).then_some((ctx, next, body))
}

fn arrow_body(arrow: &ArrowExpr) -> Vec<Stmt> {
    match &*arrow.body {
        ArrowFunctionBody::FunctionBody(body) => body.stmts.clone(),
        ArrowFunctionBody::Expr(value) => {
            vec![Stmt::Return(ReturnStmt {
                span: swc_common::Spanned::span(value),
                arg: Some(value.clone()),
            })]
        }
    }
}

/// What means something else in another function.
#[derive(Default)]
struct Unfit {
    found: bool,
    /// Within a function that has `this` and `arguments` of its own.
    own_this: bool,
}

impl Visit for Unfit {
    noop_visit_type!();

    fn visit_this_expr(&mut self, _: &ThisExpr) {
        self.found |= !self.own_this;
    }

    fn visit_super(&mut self, _: &Super) {
        self.found |= !self.own_this;
    }

    fn visit_meta_prop_expr(&mut self, _: &MetaPropExpr) {
        self.found |= !self.own_this;
    }

    fn visit_ident(&mut self, ident: &Ident) {
        self.found |= &*ident.sym == "arguments" && !self.own_this;
    }

    /// It ends with its function, which another one outlives.
    fn visit_using_decl(&mut self, _: &UsingDecl) {
        self.found = true;
    }

    /// Code in a text sees the names around it.
    fn visit_call_expr(&mut self, call: &CallExpr) {
        self.found |= matches!(&call.callee, Callee::Expr(callee) if callee.is_ident_ref_to("eval"));
        call.visit_children_with(self);
    }

    fn visit_function(&mut self, function: &Function) {
        let outer = std::mem::replace(&mut self.own_this, true);
        function.visit_children_with(self);
        self.own_this = outer;
    }

    fn visit_class(&mut self, class: &swc_ecma_ast::Class) {
        let outer = std::mem::replace(&mut self.own_this, true);
        class.visit_children_with(self);
        self.own_this = outer;
    }
}

/// The names that a body binds and assigns, those of its own functions included.
#[derive(Default)]
struct Bindings {
    declared: BTreeSet<Id>,
    assigned: BTreeSet<Id>,
    /// Whether a name is declared twice, which a function allows and a block does not.
    twice: bool,
}

impl Bindings {
    fn declare(&mut self, ident: &Ident) {
        self.twice |= !self.declared.insert(ident.to_id());
    }

    fn assign<N: VisitWith<Targets>>(&mut self, target: &N) {
        let mut targets = Targets(BTreeSet::new());
        target.visit_with(&mut targets);
        self.assigned.extend(targets.0);
    }
}

impl Visit for Bindings {
    noop_visit_type!();

    fn visit_binding_ident(&mut self, binding: &BindingIdent) {
        self.declare(&binding.id);
    }

    fn visit_fn_decl(&mut self, function: &FnDecl) {
        self.declare(&function.ident);
        function.function.visit_with(self);
    }

    fn visit_fn_expr(&mut self, function: &FnExpr) {
        function.ident.iter().for_each(|ident| self.declare(ident));
        function.function.visit_with(self);
    }

    fn visit_class_decl(&mut self, class: &ClassDecl) {
        self.declare(&class.ident);
        class.class.visit_with(self);
    }

    fn visit_class_expr(&mut self, class: &ClassExpr) {
        class.ident.iter().for_each(|ident| self.declare(ident));
        class.class.visit_with(self);
    }

    fn visit_assign_expr(&mut self, assign: &AssignExpr) {
        self.assign(&assign.left);
        assign.right.visit_with(self);
    }

    fn visit_update_expr(&mut self, update: &UpdateExpr) {
        self.assign(&update.arg);
    }

    fn visit_for_head(&mut self, head: &swc_ecma_ast::ForHead) {
        if let swc_ecma_ast::ForHead::Pat(pat) = head {
            self.assign(pat);
        } else {
            head.visit_children_with(self);
        }
    }
}

/// Every name in an assignment's target: more than it assigns, never less.
struct Targets(BTreeSet<Id>);

impl Visit for Targets {
    noop_visit_type!();

    fn visit_ident(&mut self, ident: &Ident) {
        self.0.insert(ident.to_id());
    }
}

struct Fresh<'f> {
    bindings: &'f BTreeSet<Id>,
    mark: Mark,
    labels: &'f mut Labels,
    renamed: BTreeMap<String, Ident>,
}

impl VisitMut for Fresh<'_> {
    noop_visit_mut_type!();

    fn visit_mut_ident(&mut self, ident: &mut Ident) {
        if self.bindings.contains(&ident.to_id()) {
            ident.ctxt = ident.ctxt.apply_mark(self.mark);
        }
    }

    fn visit_mut_labeled_stmt(&mut self, stmt: &mut LabeledStmt) {
        let label = self.labels.give(&stmt.label.sym);
        let outer = self.renamed.insert(stmt.label.sym.to_string(), label.clone());
        stmt.body.visit_mut_with(self);
        let name = stmt.label.sym.to_string();
        match outer {
            Some(outer) => self.renamed.insert(name, outer),
            None => self.renamed.remove(&name),
        };
        stmt.label = label;
    }

    fn visit_mut_break_stmt(&mut self, stmt: &mut BreakStmt) {
        self.relabel(&mut stmt.label);
    }

    fn visit_mut_continue_stmt(&mut self, stmt: &mut ContinueStmt) {
        self.relabel(&mut stmt.label);
    }
}

impl Fresh<'_> {
    fn relabel(&self, label: &mut Option<Ident>) {
        if let Some(renamed) = label.as_ref().and_then(|label| self.renamed.get(&*label.sym)) {
            *label = Some(renamed.clone());
        }
    }
}

/// Whether a module assigns one of its names.
pub(super) fn is_assigned(name: &Id, body: &[ModuleItem]) -> bool {
    let mut bindings = Bindings::default();
    body.visit_with(&mut bindings);
    bindings.assigned.contains(name)
}

/// Lets what one name meant be meant by another.
pub(in crate::split) fn rename(body: &mut [Stmt], from: &Id, to: &Ident) {
    for stmt in body {
        stmt.visit_mut_with(&mut Rename { from, to });
    }
}

struct Rename<'r> {
    from: &'r Id,
    to: &'r Ident,
}

impl VisitMut for Rename<'_> {
    noop_visit_mut_type!();

    fn visit_mut_ident(&mut self, ident: &mut Ident) {
        if ident.to_id() == *self.from {
            (ident.sym, ident.ctxt) = (self.to.sym.clone(), self.to.ctxt);
        }
    }

    /// `{ ctx }` keeps its key.
    fn visit_mut_prop(&mut self, prop: &mut Prop) {
        if let Prop::Shorthand(name) = prop
            && name.to_id() == *self.from
        {
            *prop = Prop::KeyValue(KeyValueProp {
                key: IdentName::from(name.clone()).into(),
                value: Box::new(Expr::Ident(Ident { span: name.span, ..self.to.clone() })),
            });
        } else {
            prop.visit_mut_children_with(self);
        }
    }
}

/// A context for names of one generated function.
pub(super) fn own_context() -> SyntaxContext {
    SyntaxContext::empty().apply_mark(Mark::new())
}
