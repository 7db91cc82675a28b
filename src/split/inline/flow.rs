//! How a middleware uses `next`: where it is called, whether an earlier call may or must have happened by then, and
//! whether it leaves as a value.
//!
//! ```text
//! await next(); await next();            the second call is certainly one too many
//! if (a) return next(); return next();   each path calls once
//! while (again) await next();            may be one too many: only a run tells
//! save(next)                             anybody may call it
//! ```

use swc_common::Span;
use swc_ecma_ast::{
    ArrowExpr, AssignExpr, AssignOp, BinExpr, BinaryOp, BreakStmt, CallExpr, Callee, Class, CondExpr,
    ContinueStmt, DoWhileStmt, Expr, ForInStmt, ForOfStmt, ForStmt, Function, Id, Ident, IfStmt, LabeledStmt,
    OptChainExpr, ReturnStmt, Stmt, SwitchStmt, ThrowStmt, TryStmt, WhileStmt,
};
use swc_ecma_visit::{Visit, VisitWith, noop_visit_type};

/// What a middleware does with its `next`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct NextUse {
    /// Its calls, in source order.
    pub(super) calls: usize,
    /// Whether a second call cannot be ruled out.
    pub(super) guarded: bool,
    /// Calls that certainly are not the first.
    pub(super) again: Vec<Span>,
}

/// Follows `next` through the statements of a middleware's body.
pub(super) fn uses(next: &Id, body: &[Stmt]) -> NextUse {
    let start = Some(Called { may: false, must: false });
    let mut flow = Flow { next, state: start, jumped: None, found: NextUse::default() };
    for stmt in body {
        stmt.visit_with(&mut flow);
    }
    flow.found
}

/// The call `next()`, if an expression is one.
pub(super) fn is_next_call(expr: &Expr, next: &Id) -> bool {
    match expr {
        Expr::Paren(inner) => is_next_call(&inner.expr, next),
        Expr::Call(call) => calls_next(call, next),
        _ => false,
    }
}

fn calls_next(call: &CallExpr, next: &Id) -> bool {
    let Callee::Expr(callee) = &call.callee else { return false };
    call.args.is_empty() && callee.as_ident().is_some_and(|ident| ident.to_id() == *next)
}

/// Whether `next` has been called when control is at some place.
#[derive(Debug, Clone, Copy)]
struct Called {
    may: bool,
    must: bool,
}

/// `None` where control never is.
type State = Option<Called>;

fn join(one: State, other: State) -> State {
    match (one, other) {
        (Some(a), Some(b)) => Some(Called { may: a.may || b.may, must: a.must && b.must }),
        (one, other) => one.or(other),
    }
}

struct Flow<'n> {
    next: &'n Id,
    state: State,
    /// Joined over every `break` and `continue` so far: less exact than by label, and never wrong.
    jumped: State,
    found: NextUse,
}

impl Flow<'_> {
    fn call(&mut self, span: Span) {
        self.found.calls += 1;
        if let Some(state) = self.state {
            self.found.guarded |= state.may;
            if state.must {
                self.found.again.push(span);
            }
            self.state = Some(Called { may: true, must: true });
        }
    }

    /// From here on anybody may have called it.
    fn escapes(&mut self) {
        self.found.guarded = true;
        if let Some(state) = &mut self.state {
            state.may = true;
        }
    }

    fn mentions<N: VisitWith<Mentions>>(&self, node: &N) -> bool {
        Mentions::of(self.next, node)
    }

    /// A function of the middleware's own runs whenever it likes.
    fn closure<N: VisitWith<Mentions>>(&mut self, node: &N) {
        if self.mentions(node) {
            self.escapes();
        }
    }

    /// A loop's inside, which may have run before.
    fn repeated<N: VisitWith<Mentions>>(&mut self, node: &N, inside: impl FnOnce(&mut Self)) {
        let mentioned = self.mentions(node);
        self.state = self.state.map(|state| Called { may: state.may || mentioned, ..state });
        inside(self);
        self.state = join(self.state, self.jumped);
    }

    /// Something that may be left out.
    fn perhaps(&mut self, inside: impl FnOnce(&mut Self)) {
        let before = self.state;
        inside(self);
        self.state = join(before, self.state);
    }
}

impl Visit for Flow<'_> {
    noop_visit_type!();

    fn visit_ident(&mut self, ident: &Ident) {
        if ident.to_id() == *self.next {
            self.escapes();
        }
    }

    fn visit_call_expr(&mut self, call: &CallExpr) {
        if calls_next(call, self.next) {
            self.call(call.span);
        } else {
            call.visit_children_with(self);
        }
    }

    fn visit_opt_chain_expr(&mut self, chain: &OptChainExpr) {
        self.perhaps(|flow| chain.visit_children_with(flow));
    }

    fn visit_cond_expr(&mut self, cond: &CondExpr) {
        cond.test.visit_with(self);
        let before = self.state;
        cond.cons.visit_with(self);
        let then = std::mem::replace(&mut self.state, before);
        cond.alt.visit_with(self);
        self.state = join(then, self.state);
    }

    fn visit_bin_expr(&mut self, bin: &BinExpr) {
        bin.left.visit_with(self);
        let short =
            matches!(bin.op, BinaryOp::LogicalAnd | BinaryOp::LogicalOr | BinaryOp::NullishCoalescing);
        if short {
            self.perhaps(|flow| bin.right.visit_with(flow));
        } else {
            bin.right.visit_with(self);
        }
    }

    fn visit_assign_expr(&mut self, assign: &AssignExpr) {
        assign.left.visit_with(self);
        let logical = [AssignOp::AndAssign, AssignOp::OrAssign, AssignOp::NullishAssign];
        if logical.contains(&assign.op) {
            self.perhaps(|flow| assign.right.visit_with(flow));
        } else {
            assign.right.visit_with(self);
        }
    }

    fn visit_function(&mut self, function: &Function) {
        self.closure(function);
    }

    fn visit_arrow_expr(&mut self, arrow: &ArrowExpr) {
        self.closure(arrow);
    }

    fn visit_class(&mut self, class: &Class) {
        self.closure(class);
    }

    fn visit_if_stmt(&mut self, branch: &IfStmt) {
        branch.test.visit_with(self);
        let before = self.state;
        branch.cons.visit_with(self);
        let then = std::mem::replace(&mut self.state, before);
        branch.alt.visit_with(self);
        self.state = join(then, self.state);
    }

    fn visit_while_stmt(&mut self, stmt: &WhileStmt) {
        self.repeated(stmt, |flow| {
            stmt.test.visit_with(flow);
            flow.perhaps(|flow| stmt.body.visit_with(flow));
        });
    }

    fn visit_do_while_stmt(&mut self, stmt: &DoWhileStmt) {
        self.repeated(stmt, |flow| stmt.visit_children_with(flow));
    }

    fn visit_for_stmt(&mut self, stmt: &ForStmt) {
        stmt.init.visit_with(self);
        self.repeated(stmt, |flow| {
            stmt.test.visit_with(flow);
            flow.perhaps(|flow| {
                stmt.body.visit_with(flow);
                stmt.update.visit_with(flow);
            });
        });
    }

    fn visit_for_in_stmt(&mut self, stmt: &ForInStmt) {
        stmt.right.visit_with(self);
        self.repeated(stmt, |flow| {
            flow.perhaps(|flow| {
                stmt.left.visit_with(flow);
                stmt.body.visit_with(flow);
            });
        });
    }

    fn visit_for_of_stmt(&mut self, stmt: &ForOfStmt) {
        stmt.right.visit_with(self);
        self.repeated(stmt, |flow| {
            flow.perhaps(|flow| {
                stmt.left.visit_with(flow);
                stmt.body.visit_with(flow);
            });
        });
    }

    fn visit_switch_stmt(&mut self, switch: &SwitchStmt) {
        switch.discriminant.visit_with(self);
        let before = self.state;
        for case in &switch.cases {
            // Entered by its test, or from the case above.
            self.state = join(self.state, before);
            case.visit_children_with(self);
        }
        self.state = join(join(self.state, before), self.jumped);
    }

    fn visit_try_stmt(&mut self, stmt: &TryStmt) {
        let before = self.state;
        // Anything in the block may throw, before or after a call.
        let thrown = before.map(|state| Called { may: state.may || self.mentions(&stmt.block), ..state });
        stmt.block.visit_with(self);
        let mut done = self.state;
        if let Some(handler) = &stmt.handler {
            self.state = thrown;
            handler.visit_with(self);
            done = join(done, self.state);
        }
        if let Some(finalizer) = &stmt.finalizer {
            let caught = stmt.handler.as_ref().is_some_and(|handler| self.mentions(handler));
            self.state = thrown.map(|state| Called { may: state.may || caught, ..state });
            finalizer.visit_with(self);
            let last = self.state;
            done = done.and_then(|state| {
                last.map(|last| Called { may: state.may || last.may, must: state.must || last.must })
            });
        }
        self.state = done;
    }

    fn visit_labeled_stmt(&mut self, stmt: &LabeledStmt) {
        stmt.body.visit_with(self);
        self.state = join(self.state, self.jumped);
    }

    fn visit_break_stmt(&mut self, _: &BreakStmt) {
        self.jumped = join(self.jumped, self.state.take());
    }

    fn visit_continue_stmt(&mut self, _: &ContinueStmt) {
        self.jumped = join(self.jumped, self.state.take());
    }

    fn visit_return_stmt(&mut self, stmt: &ReturnStmt) {
        stmt.arg.visit_with(self);
        self.state = None;
    }

    fn visit_throw_stmt(&mut self, stmt: &ThrowStmt) {
        stmt.arg.visit_with(self);
        self.state = None;
    }
}

/// Whether a binding is mentioned at all.
pub(super) struct Mentions {
    wanted: Id,
    found: bool,
}

impl Mentions {
    pub(super) fn of<N: VisitWith<Self>>(wanted: &Id, node: &N) -> bool {
        let mut mentions = Self { wanted: wanted.clone(), found: false };
        node.visit_with(&mut mentions);
        mentions.found
    }
}

impl Visit for Mentions {
    noop_visit_type!();

    fn visit_ident(&mut self, ident: &Ident) {
        self.found |= ident.to_id() == self.wanted;
    }
}
