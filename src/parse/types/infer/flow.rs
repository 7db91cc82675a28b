//! Statements: what a function returns, in the order in which it runs, with what conditions say of its variables.

use std::collections::HashMap;

use swc_common::Spanned;
use swc_ecma_ast::{Decl, Expr, ForHead, ObjectPatProp, Pat, SimpleAssignTarget, Stmt, VarDecl, VarDeclKind};

use super::{Body, Place};
use crate::contract::Literal;
use crate::parse::literal::unwrapped;
use crate::parse::types::evaluator::Evaluator;
use crate::parse::types::model::{Env, Members, ThunkId, Type, TypeId};

type Narrowed = HashMap<Place, TypeId>;

/// What a function returns so far.
#[derive(Default)]
struct Returns {
    types: Vec<TypeId>,
    /// `return;`
    empty: bool,
}

impl<'g> Evaluator<'g> {
    /// The type of what a function returns.
    pub(in crate::parse::types) fn result(
        &mut self,
        body: &Body<'g>,
        pats: &[&'g Pat],
        params: &[(ThunkId, bool)],
        env: &Env<'g>,
        wanted: Option<TypeId>,
    ) -> TypeId {
        for (pat, (ty, optional)) in pats.iter().zip(params) {
            self.bind_parameter(pat, *ty, *optional, env);
        }
        let wanted = wanted.map(|wanted| if body.is_async { self.awaited(wanted) } else { wanted });
        self.locals.yields.push(Vec::new());
        let mut returns = Returns::default();
        let before = self.enter_function();
        let ends = match (body.statements, body.expr) {
            (Some(statements), _) => self.statements(statements, env, wanted, &mut returns),
            (None, Some(expr)) => {
                let ty = self.expression(expr, env, wanted);
                returns.types.push(ty);
                true
            }
            (None, None) => {
                self.locals.yields.pop();
                self.locals.narrowed = before;
                return self.opaque("a function without a body", env.location(body.span));
            }
        };
        self.locals.narrowed = before;
        let yields = self.locals.yields.pop().unwrap_or_default();
        let ty = self.joined(returns, ends, body, wanted);
        if body.is_generator {
            let yielded = self.subtype_union(&yields);
            let yielded = self.widened(yielded);
            let name = if body.is_async { "AsyncGenerator" } else { "Generator" };
            let (void, unknown) = (self.basic.void, self.basic.unknown);
            let ty = if *self.get(ty) == Type::Undefined { void } else { ty };
            return self.library(name, &[yielded, ty, unknown]);
        }
        if body.is_async { self.library("Promise", &[ty]) } else { ty }
    }

    fn joined(&mut self, returns: Returns, ends: bool, body: &Body<'g>, wanted: Option<TypeId>) -> TypeId {
        if returns.types.is_empty() {
            return if ends && !returns.empty && body.may_be_never {
                self.basic.never
            } else {
                self.basic.void
            };
        }
        let mut types: Vec<TypeId> = returns.types;
        if body.is_async {
            types = types.into_iter().map(|ty| self.awaited(ty)).collect();
        }
        if !ends || returns.empty {
            types.push(self.basic.undefined);
        }
        let ty = self.subtype_union(&types);
        let members = self.members_of_union(ty);
        let single =
            members.len() == 1 && matches!(self.get(members[0]), Type::Literal { .. } | Type::Member { .. });
        let keeps = wanted.is_some_and(|wanted| self.wants_literals(wanted, ty));
        let ty = if single && !keeps { self.widened(ty) } else { self.settled(ty) };
        self.regular(ty)
    }

    pub(in crate::parse::types) fn bind_parameter(
        &mut self,
        pat: &'g Pat,
        ty: ThunkId,
        optional: bool,
        env: &Env<'g>,
    ) {
        match pat {
            // A default takes the place of undefined.
            Pat::Assign(assign) => self.bind(&assign.left, ty, env),
            _ if optional => {
                let whole = self.later(move |types| {
                    let parts = [types.force(ty), types.basic.undefined];
                    types.union(&parts)
                });
                self.bind(pat, whole, env);
            }
            _ => self.bind(pat, ty, env),
        }
    }

    /// Gives the names of a pattern their types.
    fn bind(&mut self, pat: &'g Pat, ty: ThunkId, env: &Env<'g>) {
        match pat {
            Pat::Ident(ident) => {
                self.forget(&Place::variable(env.module.id, ident.id.to_id()));
                self.locals.types.insert((env.module.id, ident.id.to_id()), ty);
            }
            Pat::Rest(rest) => self.bind(&rest.arg, ty, env),
            Pat::Assign(assign) => {
                let (inner, default) = (env.clone(), &*assign.right);
                let whole = self.later(move |types| {
                    let given = types.force(ty);
                    let given = types.without_undefined(given);
                    let default = types.expression(default, &inner, Some(given));
                    let default = types.widened(default);
                    types.subtype_union(&[given, default])
                });
                self.bind(&assign.left, whole, env);
            }
            Pat::Array(array) => {
                for (place, element) in array.elems.iter().enumerate() {
                    let Some(element) = element else { continue };
                    let (rest, at) = (matches!(element, Pat::Rest(_)), env.location(element.span()));
                    let part = self.later(move |types| {
                        let whole = types.force(ty);
                        if rest {
                            let element = types.iterated(whole).unwrap_or(types.basic.any);
                            return types.array(element);
                        }
                        let key = types.literal(Literal::Number(place.to_string()));
                        match types.access(whole, key, false) {
                            Some(found) => found,
                            None => types.opaque("an element that is taken apart", at),
                        }
                    });
                    self.bind(element, part, env);
                }
            }
            Pat::Object(object) => {
                let mut taken: Vec<String> = Vec::new();
                for prop in &object.props {
                    match prop {
                        ObjectPatProp::KeyValue(pair) => {
                            let Some(name) = self.prop_name(&pair.key, env) else { continue };
                            taken.push(name.clone());
                            let part = self.part(ty, name, env.location(pair.key.span()), false);
                            self.bind(&pair.value, part, env);
                        }
                        ObjectPatProp::Assign(assign) => {
                            let name = assign.key.id.sym.to_string();
                            taken.push(name.clone());
                            let defaulted = assign.value.is_some();
                            let mut part = self.part(ty, name, env.location(assign.key.id.span), defaulted);
                            if let Some(default) = assign.value.as_deref() {
                                let (inner, given) = (env.clone(), part);
                                part = self.later(move |types| {
                                    let given = types.force(given);
                                    let given = types.without_undefined(given);
                                    let default = types.expression(default, &inner, Some(given));
                                    let default = types.widened(default);
                                    types.subtype_union(&[given, default])
                                });
                            }
                            let key = (env.module.id, assign.key.id.to_id());
                            self.locals.types.insert(key, part);
                        }
                        ObjectPatProp::Rest(rest) => {
                            let taken = taken.clone();
                            let left = self.later(move |types| types.left_over(ty, &taken));
                            self.bind(&rest.arg, left, env);
                        }
                    }
                }
            }
            Pat::Invalid(_) | Pat::Expr(_) => {}
        }
    }

    /// The property that a pattern takes out; one with a default may lack.
    fn part(
        &mut self,
        ty: ThunkId,
        name: String,
        at: Option<crate::source::Location>,
        defaulted: bool,
    ) -> ThunkId {
        self.later(move |types| {
            let whole = types.force(ty);
            let key = types.text(&name);
            match types.access(whole, key, false) {
                Some(found) => found,
                None if defaulted => types.basic.undefined,
                None => types.opaque(format!("`{name}`"), at),
            }
        })
    }

    /// `const { a, ...left } = value`
    fn left_over(&mut self, ty: ThunkId, taken: &[String]) -> TypeId {
        let ty = self.force(ty);
        let Some(members) = self.shape(ty) else { return ty };
        let props = members.props.iter().filter(|prop| !taken.iter().any(|name| **name == *prop.name));
        let left = Members {
            props: props.cloned().collect(),
            indexes: members.indexes.clone(),
            ..Members::default()
        };
        self.given(left, None)
    }

    /// Whether no statement behind these runs.
    fn statements(
        &mut self,
        statements: &'g [Stmt],
        env: &Env<'g>,
        wanted: Option<TypeId>,
        returns: &mut Returns,
    ) -> bool {
        for statement in statements {
            if let Stmt::Decl(Decl::Fn(function)) = statement {
                let signature = self.function_signature(&function.function, env);
                let ty = self.callable(signature);
                let ty = self.known(ty);
                self.locals.types.insert((env.module.id, function.ident.to_id()), ty);
            }
        }
        statements.iter().any(|statement| self.statement(statement, env, wanted, returns))
    }

    fn statement(
        &mut self,
        statement: &'g Stmt,
        env: &Env<'g>,
        wanted: Option<TypeId>,
        returns: &mut Returns,
    ) -> bool {
        match statement {
            Stmt::Block(block) => self.statements(&block.stmts, env, wanted, returns),
            Stmt::Return(node) => {
                match &node.arg {
                    Some(arg) => {
                        let ty = self.expression(arg, env, wanted);
                        returns.types.push(ty);
                    }
                    None => returns.empty = true,
                }
                true
            }
            Stmt::Throw(_) | Stmt::Break(_) | Stmt::Continue(_) => true,
            Stmt::If(node) => {
                let before = self.locals.narrowed.clone();
                self.assume(&node.test, true, env);
                let first = self.statement(&node.cons, env, wanted, returns);
                let after_first = std::mem::replace(&mut self.locals.narrowed, before);
                self.assume(&node.test, false, env);
                let second = match node.alt.as_deref() {
                    Some(alt) => self.statement(alt, env, wanted, returns),
                    None => false,
                };
                match (first, second) {
                    (true, _) => {}
                    (false, true) => self.locals.narrowed = after_first,
                    (false, false) => {
                        let after_second = std::mem::take(&mut self.locals.narrowed);
                        self.join_narrowed(&after_first, &after_second);
                    }
                }
                first && second
            }
            Stmt::Switch(node) => {
                let before = self.locals.narrowed.clone();
                let mut ends = node.cases.iter().any(|case| case.test.is_none());
                for (place, case) in node.cases.iter().enumerate() {
                    self.locals.narrowed = before.clone();
                    self.assume_case(node, place, env);
                    let ended = self.statements(&case.cons, env, wanted, returns);
                    let breaks = has_break(&case.cons);
                    if breaks || (!ended && place + 1 == node.cases.len()) {
                        ends = false;
                    }
                }
                self.locals.narrowed = before.clone();
                if node.cases.iter().all(|case| case.test.is_some()) {
                    ends =
                        self.is_exhaustive(node, env) && !node.cases.iter().any(|case| has_break(&case.cons));
                }
                self.locals.narrowed = before;
                ends
            }
            Stmt::Try(node) => {
                let before = self.locals.narrowed.clone();
                let body = self.statements(&node.block.stmts, env, wanted, returns);
                let after = std::mem::replace(&mut self.locals.narrowed, before);
                // It may have thrown before or behind an assignment.
                self.locals.narrowed.retain(|place, ty| after.get(place) == Some(ty));
                let handled = match &node.handler {
                    Some(handler) => {
                        if let Some(param) = &handler.param {
                            let unknown = self.known(self.basic.unknown);
                            self.bind(param, unknown, env);
                        }
                        self.statements(&handler.body.stmts, env, wanted, returns)
                    }
                    None => body,
                };
                if handled && !body {
                    self.locals.narrowed = after;
                }
                let last = node
                    .finalizer
                    .as_ref()
                    .is_some_and(|last| self.statements(&last.stmts, env, wanted, returns));
                last || (body && handled)
            }
            Stmt::While(node) => {
                self.looped(&node.body, Some(&node.test), env, wanted, returns);
                let breaks = has_break(std::slice::from_ref(&*node.body));
                if !breaks {
                    self.assume(&node.test, false, env);
                }
                is_true(&node.test) && !breaks
            }
            Stmt::DoWhile(node) => {
                self.looped(&node.body, None, env, wanted, returns);
                false
            }
            Stmt::For(node) => {
                if let Some(swc_ecma_ast::VarDeclOrExpr::VarDecl(vars)) = &node.init {
                    self.declare(vars, env);
                }
                self.looped(&node.body, node.test.as_deref(), env, wanted, returns);
                node.test.is_none() && !has_break(std::slice::from_ref(&*node.body))
            }
            Stmt::ForIn(node) => {
                let key = self.known(self.basic.string);
                self.head(&node.left, key, env);
                self.looped(&node.body, None, env, wanted, returns);
                false
            }
            Stmt::ForOf(node) => {
                let over = self.expression(&node.right, env, None);
                let element = match self.iterated(over) {
                    Some(element) => element,
                    None => self.opaque("what is iterated over", env.location(node.right.span())),
                };
                let element = self.known(element);
                self.head(&node.left, element, env);
                self.looped(&node.body, None, env, wanted, returns);
                false
            }
            Stmt::Labeled(node) => self.statement(&node.body, env, wanted, returns),
            Stmt::Decl(Decl::Var(vars)) => {
                self.declare(vars, env);
                false
            }
            Stmt::Expr(node) => self.effect(&node.expr, env),
            Stmt::Decl(_) | Stmt::Empty(_) | Stmt::Debugger(_) | Stmt::With(_) => false,
        }
    }

    /// An expression for its effect: assignments, `yield`, and calls that never return.
    fn effect(&mut self, expr: &'g Expr, env: &Env<'g>) -> bool {
        match unwrapped(expr) {
            Expr::Assign(assign) => {
                let ty = self.expression(&assign.right, env, None);
                match assign.left.as_simple() {
                    Some(SimpleAssignTarget::Ident(ident)) => {
                        let place = Place::variable(env.module.id, ident.id.to_id());
                        self.forget(&place);
                        let declared = self.locals.types.get(&(env.module.id, ident.id.to_id())).copied();
                        if let Some(declared) = declared {
                            let declared = self.force(declared);
                            self.put(place, declared, ty);
                        }
                    }
                    Some(SimpleAssignTarget::Member(member)) => {
                        if let Some(place) = self.place_of_member(member, env) {
                            self.forget(&place);
                            let declared = self.member_type(member, env);
                            self.put(place, declared, ty);
                        }
                    }
                    _ => {}
                }
                false
            }
            Expr::Call(call) => {
                self.assume_asserted(call, env);
                false
            }
            Expr::Yield(_) | Expr::Await(_) => {
                self.expression(expr, env, None);
                false
            }
            _ => false,
        }
    }

    fn put(&mut self, place: Place, declared: TypeId, value: TypeId) {
        if self.members_of_union(declared).len() > 1 {
            let narrowed = self.narrowed_by(declared, value);
            self.locals.narrowed.insert(place, narrowed);
        }
    }

    /// The body of a loop, which runs while the test holds.
    fn looped(
        &mut self,
        body: &'g Stmt,
        test: Option<&'g Expr>,
        env: &Env<'g>,
        wanted: Option<TypeId>,
        returns: &mut Returns,
    ) {
        // What the body changes holds neither in it, when it runs again, nor behind it.
        for _ in 0..LOOP_PASSES_MAX {
            let before = self.locals.narrowed.clone();
            if let Some(test) = test {
                self.assume(test, true, env);
            }
            let begins = self.locals.narrowed.clone();
            let mut found = Returns::default();
            self.statement(body, env, wanted, &mut found);
            let after = std::mem::replace(&mut self.locals.narrowed, before.clone());
            let lasts = |place: &Place| after.get(place) == begins.get(place);
            self.locals.narrowed.retain(|place, _| lasts(place));
            if self.locals.narrowed.len() == before.len() {
                returns.types.append(&mut found.types);
                returns.empty |= found.empty;
                return;
            }
        }
        let mut found = Returns::default();
        self.statement(body, env, wanted, &mut found);
        returns.types.append(&mut found.types);
        returns.empty |= found.empty;
    }

    fn head(&mut self, head: &'g ForHead, ty: ThunkId, env: &Env<'g>) {
        match head {
            ForHead::VarDecl(vars) => {
                if let Some(var) = vars.decls.first() {
                    self.bind(&var.name, ty, env);
                }
            }
            ForHead::Pat(_) | ForHead::UsingDecl(_) => {}
        }
    }

    fn declare(&mut self, vars: &'g VarDecl, env: &Env<'g>) {
        for var in &vars.decls {
            let annotation = var.name.as_ident().and_then(|ident| ident.type_ann.as_deref());
            let ty = match (annotation, var.init.as_deref()) {
                (Some(annotation), init) => {
                    let declared = self.annotation(&annotation.type_ann, env);
                    let thunk = self.known(declared);
                    self.bind(&var.name, thunk, env);
                    if let Some(init) = init
                        && self.members_of_union(declared).len() > 1
                        && let Some(ident) = var.name.as_ident()
                    {
                        let ty = self.expression(init, env, Some(declared));
                        let narrowed = self.narrowed_by(declared, ty);
                        let place = Place::variable(env.module.id, ident.id.to_id());
                        self.locals.narrowed.insert(place, narrowed);
                    }
                    continue;
                }
                (None, Some(init)) => {
                    let ty = self.expression(init, env, None);
                    let empty = Type::Array { element: self.basic.never, readonly: false };
                    if *self.get(ty) == empty {
                        self.opaque("an array that is filled later; give it a type", env.location(var.span))
                    } else if vars.kind == VarDeclKind::Const {
                        self.settled(ty)
                    } else {
                        self.widened(ty)
                    }
                }
                (None, None) => self.opaque("a variable without a type", env.location(var.span)),
            };
            let thunk = self.known(ty);
            self.bind(&var.name, thunk, env);
        }
    }

    /// Whether no value is left that no case takes, and the last case does not run through.
    fn is_exhaustive(&mut self, node: &'g swc_ecma_ast::SwitchStmt, env: &Env<'g>) -> bool {
        for case in node.cases.iter().filter_map(|case| case.test.as_deref()) {
            self.assume_switch(&node.discriminant, &[case], false, env);
        }
        let left = self.expression(&node.discriminant, env, None);
        let ends = node.cases.last().is_some_and(|case| {
            matches!(case.cons.last(), Some(Stmt::Return(_) | Stmt::Throw(_) | Stmt::Block(_)))
        });
        *self.get(left) == Type::Never && ends
    }

    fn assume_case(&mut self, node: &'g swc_ecma_ast::SwitchStmt, place: usize, env: &Env<'g>) {
        // Cases without statements fall into the next one.
        let mut first = place;
        while first > 0 && node.cases[first - 1].cons.is_empty() {
            first -= 1;
        }
        let tests: Vec<&'g Expr> =
            node.cases[first..=place].iter().filter_map(|case| case.test.as_deref()).collect();
        let is_default = node.cases[first..=place].iter().any(|case| case.test.is_none());
        if is_default {
            for case in node.cases.iter().filter_map(|case| case.test.as_deref()) {
                self.assume_switch(&node.discriminant, &[case], false, env);
            }
            return;
        }
        self.assume_switch(&node.discriminant, &tests, true, env);
    }

    fn assume_switch(&mut self, on: &'g Expr, values: &[&'g Expr], holds: bool, env: &Env<'g>) {
        let values: Vec<TypeId> = values
            .iter()
            .map(|value| {
                let ty = self.expression(value, env, None);
                self.regular(ty)
            })
            .collect();
        let value = self.union(&values);
        self.assume_is(on, value, holds, env);
    }

    pub(super) fn join_narrowed(&mut self, one: &Narrowed, other: &Narrowed) {
        let mut joined = Narrowed::new();
        for (key, ty) in one {
            if let Some(second) = other.get(key) {
                let ty = self.union(&[*ty, *second]);
                joined.insert(key.clone(), ty);
            }
        }
        self.locals.narrowed = joined;
    }
}

/// How often the body of a loop is looked at until nothing more is forgotten.
const LOOP_PASSES_MAX: usize = 3;

/// Whether a `break` leaves these statements.
fn has_break(statements: &[Stmt]) -> bool {
    statements.iter().any(|statement| match statement {
        Stmt::Break(_) => true,
        Stmt::Block(block) => has_break(&block.stmts),
        Stmt::If(node) => {
            has_break(std::slice::from_ref(&*node.cons))
                || node.alt.as_deref().is_some_and(|alt| has_break(std::slice::from_ref(alt)))
        }
        Stmt::Try(node) => has_break(&node.block.stmts),
        _ => false,
    })
}

fn is_true(expr: &Expr) -> bool {
    matches!(unwrapped(expr), Expr::Lit(swc_ecma_ast::Lit::Bool(value)) if value.value)
}
