//! Puts what follows in place of `await next()`.
//!
//! ```text
//! outer  const result = await next();              inner  if (!ok) return null;
//!        return wrap(result);                             return await handler();
//!
//! made   let value;
//!        rest1: { if (!ok) { value = null; break rest1; }
//!                 value = await handler(); break rest1; }
//!        const result = value;
//!        return wrap(result);
//! ```
//!
//! The inner body is that of an async function: what it returns is awaited after all its `finally` blocks have run, and
//! what it throws is thrown here.

use swc_common::{DUMMY_SP, SyntaxContext};
use swc_ecma_ast::{
    AssignExpr, AssignOp, AssignTarget, AwaitExpr, BlockStmt, BreakStmt, Class, Decl, Expr, ExprStmt,
    Function, Id, Ident, LabeledStmt, Lit, ObjectLit, Pat, Prop, PropName, PropOrSpread, ReturnStmt,
    SimpleAssignTarget, Stmt, TryStmt, UnaryOp, VarDecl, VarDeclKind, VarDeclarator,
};
use swc_ecma_visit::{Visit, VisitMut, VisitMutWith, VisitWith, noop_visit_mut_type, noop_visit_type};

use super::flow::is_next_call;
use super::middleware::{Labels, own_context};

/// Whether a statement awaits `next()` as a whole, so that it can be replaced.
pub(super) fn has_site(body: &[Stmt], next: &Id) -> bool {
    splice(&mut body.to_vec(), next, &[], &mut Labels::default())
}

/// Replaces the statement that awaits `next()` by `inner`. `false`, and nothing done, where the call stands deeper in an
/// expression, or where what it answers with is awaited by others.
pub(super) fn splice(body: &mut Vec<Stmt>, next: &Id, inner: &[Stmt], labels: &mut Labels) -> bool {
    let mut splice = Splice { next, inner, labels };
    splice.list(body, false)
}

struct Splice<'s> {
    next: &'s Id,
    inner: &'s [Stmt],
    labels: &'s mut Labels,
}

/// How a statement uses the result.
enum Site {
    Discard,
    Return,
    /// The declaration, and which of its declarators.
    Declare(VarDecl, usize),
    Assign(AssignExpr),
}

impl Splice<'_> {
    fn list(&mut self, stmts: &mut Vec<Stmt>, in_try: bool) -> bool {
        for place in 0..stmts.len() {
            if let Some(site) = self.site(&stmts[place], in_try) {
                let made = self.replacement(site, in_try);
                stmts.splice(place..=place, made);
                return true;
            }
            if self.inside(&mut stmts[place], in_try) {
                return true;
            }
        }
        false
    }

    fn inside(&mut self, stmt: &mut Stmt, in_try: bool) -> bool {
        match stmt {
            Stmt::Block(block) => self.list(&mut block.stmts, in_try),
            Stmt::If(branch) => {
                self.single(&mut branch.cons, in_try)
                    || branch.alt.as_mut().is_some_and(|alt| self.single(alt, in_try))
            }
            Stmt::Labeled(labeled) => self.single(&mut labeled.body, in_try),
            Stmt::Switch(switch) => switch.cases.iter_mut().any(|case| self.list(&mut case.cons, in_try)),
            Stmt::Try(attempt) => self.attempt(attempt, in_try),
            _ => false,
        }
    }

    fn attempt(&mut self, attempt: &mut TryStmt, in_try: bool) -> bool {
        let finally = attempt.finalizer.is_some();
        self.list(&mut attempt.block.stmts, true)
            || attempt
                .handler
                .as_mut()
                .is_some_and(|handler| self.list(&mut handler.body.stmts, in_try || finally))
            || attempt.finalizer.as_mut().is_some_and(|last| self.list(&mut last.stmts, in_try))
    }

    /// A statement that has no list around it.
    fn single(&mut self, stmt: &mut Box<Stmt>, in_try: bool) -> bool {
        if self.site(stmt, in_try).is_none() {
            return self.inside(stmt, in_try);
        }
        let mut list = vec![(**stmt).clone()];
        let done = self.list(&mut list, in_try);
        **stmt = block(list);
        done
    }

    fn site(&self, stmt: &Stmt, in_try: bool) -> Option<Site> {
        match stmt {
            Stmt::Expr(stmt) => match bare(&stmt.expr) {
                Expr::Assign(assign) => {
                    let whole = assign.op == AssignOp::Assign
                        && matches!(assign.left, AssignTarget::Simple(SimpleAssignTarget::Ident(_)))
                        && self.awaits_next(&assign.right);
                    whole.then(|| Site::Assign(assign.clone()))
                }
                value => self.awaits_next(value).then_some(Site::Discard),
            },
            Stmt::Return(ReturnStmt { arg: Some(value), .. }) => {
                // Without `await` a `catch` around it does not see what it throws.
                let passed_on = !in_try && is_next_call(value, self.next);
                (passed_on || self.awaits_next(value)).then_some(Site::Return)
            }
            Stmt::Decl(Decl::Var(vars)) => {
                let at = |declarator: &VarDeclarator| {
                    declarator.init.as_deref().is_some_and(|init| self.awaits_next(init))
                };
                let place = vars.decls.iter().position(at)?;
                Some(Site::Declare((**vars).clone(), place))
            }
            _ => None,
        }
    }

    fn awaits_next(&self, value: &Expr) -> bool {
        matches!(bare(value), Expr::Await(awaited) if is_next_call(&awaited.arg, self.next))
    }

    fn replacement(&mut self, site: Site, in_try: bool) -> Vec<Stmt> {
        let returns = Returns::of(self.inner);
        match site {
            Site::Return if !in_try || !returns.promise_in_try => self.returned(&returns, in_try),
            Site::Return => self.with_value(&returns, |value| vec![return_stmt(value)]),
            Site::Discard => self.with_value(&returns, |value| match bare(&value) {
                Expr::Await(_) => vec![statement(value)],
                _ => Vec::new(),
            }),
            Site::Assign(assign) => self.with_value(&returns, |value| {
                vec![statement(Expr::Assign(AssignExpr { right: Box::new(value), ..assign }))]
            }),
            Site::Declare(mut vars, place) => {
                let kind = vars.kind;
                let rest = vars.decls.split_off(place);
                let before = (!vars.decls.is_empty()).then(|| variable(kind, vars.decls));
                let after = self.with_value(&returns, |value| {
                    let mut decls = rest;
                    decls[0].init = Some(Box::new(value));
                    vec![variable(kind, decls)]
                });
                before.into_iter().chain(after).collect()
            }
        }
    }

    /// The inner function's returns become those of the outer one.
    fn returned(&self, returns: &Returns, in_try: bool) -> Vec<Stmt> {
        let mut stmts = self.inner.to_vec();
        if in_try {
            stmts.visit_mut_with(&mut AwaitReturns);
        }
        if !returns.ends {
            stmts.push(Stmt::Return(ReturnStmt { span: DUMMY_SP, arg: None }));
        }
        stmts
    }

    /// The inner statements, then `then` with what they return.
    fn with_value(&mut self, returns: &Returns, then: impl FnOnce(Expr) -> Vec<Stmt>) -> Vec<Stmt> {
        let mut stmts = self.inner.to_vec();
        let last = match stmts.last() {
            Some(Stmt::Return(last)) if returns.count == 1 => Some(last.arg.clone()),
            _ => None,
        };
        if let Some(value) = last {
            stmts.pop();
            let value = value.map_or_else(undefined, |value| settled(*value));
            let side_effect = !matches!(bare(&value), Expr::Await(_)) && !is_inert(&value);
            let kept = side_effect.then(|| value.clone());
            let more = then(value);
            // A value that nobody asked for may still do something.
            stmts.extend(kept.filter(|_| more.is_empty()).map(statement));
            stmts.extend(more);
            return stmts;
        }
        if returns.count == 0 {
            stmts.extend(then(undefined()));
            return stmts;
        }
        let label = self.labels.give("rest");
        let value = Ident::new("value".into(), DUMMY_SP, own_context());
        stmts.visit_mut_with(&mut Leave { label: &label, value: &value });
        if returns.overridden && !returns.ends {
            stmts.push(assign(value.clone(), undefined()));
        }
        let declared = declarator(Pat::Ident(value.clone().into()), None);
        let body = Box::new(block(stmts));
        let result = Expr::Ident(value);
        let result = if returns.promise { awaited(result) } else { result };
        let mut made = vec![variable(VarDeclKind::Let, vec![declared])];
        made.push(Stmt::Labeled(LabeledStmt { span: DUMMY_SP, label, body }));
        made.extend(then(result));
        made
    }
}

/// The returns of a function's own, not those of functions in it.
#[derive(Default)]
struct Returns {
    count: usize,
    /// Whether one may return a promise, which the function adopts.
    promise: bool,
    /// Whether one does so where a `finally` or `catch` is still to come.
    promise_in_try: bool,
    /// Whether a `finally` around one may go elsewhere, so that the function answers with nothing after all.
    overridden: bool,
    /// Whether the last statement leaves.
    ends: bool,
    tries: usize,
    finallys: usize,
}

impl Returns {
    fn of(body: &[Stmt]) -> Self {
        let ends = matches!(body.last(), Some(Stmt::Return(_) | Stmt::Throw(_)));
        let mut returns = Self { ends, ..Self::default() };
        for stmt in body {
            stmt.visit_with(&mut returns);
        }
        returns
    }
}

impl Visit for Returns {
    noop_visit_type!();

    fn visit_expr(&mut self, _: &Expr) {}

    fn visit_function(&mut self, _: &Function) {}

    fn visit_class(&mut self, _: &Class) {}

    fn visit_try_stmt(&mut self, attempt: &TryStmt) {
        self.tries += 1;
        self.finallys += usize::from(attempt.finalizer.is_some());
        attempt.visit_children_with(self);
        self.finallys -= usize::from(attempt.finalizer.is_some());
        self.tries -= 1;
    }

    fn visit_return_stmt(&mut self, stmt: &ReturnStmt) {
        let promise = stmt.arg.as_deref().is_some_and(|value| !is_settled(value));
        self.count += 1;
        self.promise |= promise;
        self.overridden |= self.finallys > 0;
        self.promise_in_try |= promise && self.tries > 0;
    }
}

/// `return x` → `{ value = x; break label; }`
struct Leave<'l> {
    label: &'l Ident,
    value: &'l Ident,
}

impl VisitMut for Leave<'_> {
    noop_visit_mut_type!();

    fn visit_mut_expr(&mut self, _: &mut Expr) {}

    fn visit_mut_function(&mut self, _: &mut Function) {}

    fn visit_mut_class(&mut self, _: &mut Class) {}

    fn visit_mut_stmt(&mut self, stmt: &mut Stmt) {
        let Stmt::Return(ReturnStmt { arg, .. }) = stmt else {
            stmt.visit_mut_children_with(self);
            return;
        };
        let leave = Stmt::Break(BreakStmt { span: DUMMY_SP, label: Some(self.label.clone()) });
        let kept = arg.take().map(|value| assign(self.value.clone(), *value));
        *stmt = block(kept.into_iter().chain([leave]).collect());
    }
}

/// `return promise` → `return await promise`
struct AwaitReturns;

impl VisitMut for AwaitReturns {
    noop_visit_mut_type!();

    fn visit_mut_expr(&mut self, _: &mut Expr) {}

    fn visit_mut_function(&mut self, _: &mut Function) {}

    fn visit_mut_class(&mut self, _: &mut Class) {}

    fn visit_mut_return_stmt(&mut self, stmt: &mut ReturnStmt) {
        if let Some(value) = stmt.arg.take() {
            stmt.arg = Some(Box::new(settled(*value)));
        }
    }
}

/// `next()` → `call`, everywhere.
pub(super) fn replace_calls(body: &mut [Stmt], next: &Id, call: &Expr) {
    let mut calls = Calls { next, call };
    for stmt in body {
        stmt.visit_mut_with(&mut calls);
    }
}

struct Calls<'c> {
    next: &'c Id,
    call: &'c Expr,
}

impl VisitMut for Calls<'_> {
    noop_visit_mut_type!();

    fn visit_mut_expr(&mut self, expr: &mut Expr) {
        if expr.is_call() && is_next_call(expr, self.next) {
            *expr = self.call.clone();
        } else {
            expr.visit_mut_children_with(self);
        }
    }
}

fn bare(expr: &Expr) -> &Expr {
    match expr {
        Expr::Paren(inner) => bare(&inner.expr),
        other => other,
    }
}

/// Whether a value is no promise, whatever its parts are.
fn is_settled(expr: &Expr) -> bool {
    match bare(expr) {
        Expr::Await(_) | Expr::Tpl(_) | Expr::Update(_) | Expr::Array(_) => true,
        Expr::Unary(unary) => unary.op != UnaryOp::Delete || is_settled(&unary.arg),
        Expr::Object(object) => !may_have_then(object),
        other => is_inert(other),
    }
}

/// An object with a function `then` is a promise to `await`.
fn may_have_then(object: &ObjectLit) -> bool {
    let named = |key: &PropName| matches!(key, PropName::Ident(name) if &*name.sym != "then" && &*name.sym != "__proto__");
    !object.props.iter().all(|prop| match prop {
        PropOrSpread::Prop(prop) => match &**prop {
            Prop::Shorthand(name) => &*name.sym != "then",
            Prop::KeyValue(pair) => named(&pair.key),
            Prop::Method(method) => named(&method.key),
            Prop::Getter(getter) => named(&getter.key),
            Prop::Setter(setter) => named(&setter.key),
            Prop::Assign(_) => false,
        },
        PropOrSpread::Spread(_) => false,
    })
}

/// Whether evaluating does nothing and gives no promise.
fn is_inert(expr: &Expr) -> bool {
    match bare(expr) {
        Expr::Lit(Lit::Str(_) | Lit::Num(_) | Lit::Bool(_) | Lit::Null(_) | Lit::BigInt(_)) => true,
        Expr::Unary(unary) => unary.op == UnaryOp::Void && is_inert(&unary.arg),
        Expr::Ident(ident) => &*ident.sym == "undefined",
        _ => false,
    }
}

fn settled(value: Expr) -> Expr {
    if is_settled(&value) { value } else { awaited(value) }
}

fn awaited(value: Expr) -> Expr {
    Expr::Await(AwaitExpr { span: swc_common::Spanned::span(&value), arg: Box::new(value) })
}

fn undefined() -> Expr {
    let zero = Expr::Lit(Lit::Num(0.into()));
    Expr::Unary(swc_ecma_ast::UnaryExpr { span: DUMMY_SP, op: UnaryOp::Void, arg: Box::new(zero) })
}

fn block(stmts: Vec<Stmt>) -> Stmt {
    Stmt::Block(BlockStmt { span: DUMMY_SP, ctxt: SyntaxContext::empty(), stmts })
}

fn assign(name: Ident, value: Expr) -> Stmt {
    statement(Expr::Assign(AssignExpr {
        span: DUMMY_SP,
        op: AssignOp::Assign,
        left: AssignTarget::Simple(SimpleAssignTarget::Ident(name.into())),
        right: Box::new(value),
    }))
}

fn statement(expr: Expr) -> Stmt {
    Stmt::Expr(ExprStmt { span: swc_common::Spanned::span(&expr), expr: Box::new(expr) })
}

pub(super) fn return_stmt(value: Expr) -> Stmt {
    Stmt::Return(ReturnStmt { span: swc_common::Spanned::span(&value), arg: Some(Box::new(value)) })
}

pub(super) fn declarator(name: Pat, init: Option<Expr>) -> VarDeclarator {
    VarDeclarator { span: DUMMY_SP, name, init: init.map(Box::new), definite: false }
}

pub(super) fn variable(kind: VarDeclKind, decls: Vec<VarDeclarator>) -> Stmt {
    let context = SyntaxContext::empty();
    Stmt::Decl(Decl::Var(Box::new(VarDecl { span: DUMMY_SP, ctxt: context, kind, declare: false, decls })))
}
