//! Functions that say something of their arguments: `value is string`, `asserts value`, and callbacks that TypeScript takes
//! for such.
//!
//! ```text
//! values.filter((value) => value !== null)   →   (value: string | null) => value is string
//! ```

use std::rc::Rc;

use swc_ecma_ast::{ArrowFunctionBody, BinaryOp, CallExpr, Callee, Expr, OptChainBase, Pat, UnaryOp};

use super::Body;
use crate::parse::literal::unwrapped;
use crate::parse::types::evaluator::Evaluator;
use crate::parse::types::model::{Env, Guard, ParamId, Signature, Type, TypeId};

impl<'g> Evaluator<'g> {
    /// Notes what a call says of its argument where the result is true, or false.
    pub(super) fn assume_call(&mut self, call: &'g CallExpr, holds: bool, env: &Env<'g>) {
        if let Some((guard, argument)) = self.guard_of(call, env)
            && !guard.asserts
            && let Some(wanted) = guard.ty
        {
            self.narrow(argument, env, |types, ty| types.of_guard(ty, wanted, holds));
        }
    }

    /// Notes what holds behind a call that would have thrown otherwise.
    pub(super) fn assume_asserted(&mut self, call: &'g CallExpr, env: &Env<'g>) {
        let Some((guard, argument)) = self.guard_of(call, env).filter(|(guard, _)| guard.asserts) else {
            return;
        };
        match guard.ty {
            Some(wanted) => self.narrow(argument, env, |types, ty| types.of_guard(ty, wanted, true)),
            None => self.assume(argument, true, env),
        }
    }

    fn guard_of(&mut self, call: &'g CallExpr, env: &Env<'g>) -> Option<(Asserted, &'g Expr)> {
        let Callee::Expr(callee) = &call.callee else { return None };
        let function = self.expression(callee, env, None);
        if !matches!(self.get(function), Type::Object(_) | Type::Intersection(_)) {
            return None;
        }
        let signature = self.shape(function)?.calls.iter().find(|call| call.guard.is_some()).cloned()?;
        let guard = signature.guard?;
        let argument = call.args.get(guard.place).filter(|argument| argument.spread.is_none())?;
        let mut ty = guard.ty.map(|ty| self.force(ty));
        if !signature.type_params.is_empty() {
            let map = self.guard_arguments(&signature, call, env);
            ty = ty.map(|ty| self.replaced(ty, &map));
        }
        Some((Asserted { ty, asserts: guard.asserts }, &argument.expr))
    }

    fn guard_arguments(
        &mut self,
        signature: &Rc<Signature>,
        call: &'g CallExpr,
        env: &Env<'g>,
    ) -> Rc<[(ParamId, TypeId)]> {
        let ids: Vec<ParamId> = signature.type_params.iter().map(|param| param.id).collect();
        if let Some(type_args) = call.type_args.as_deref() {
            let types = self.arguments(Some(type_args), env);
            return ids.into_iter().zip(types).collect();
        }
        let mut pairs = Vec::new();
        for (place, arg) in call.args.iter().enumerate() {
            if let Some(param) = self.param_at(signature, place) {
                let ty = self.expression(&arg.expr, env, None);
                pairs.push((ty, param));
            }
        }
        self.matched_all(&pairs, &ids, true).into()
    }

    /// What of a type is left where a value is, or is not, of another.
    fn of_guard(&mut self, ty: TypeId, wanted: TypeId, holds: bool) -> TypeId {
        let members = self.distributed(ty);
        if !holds {
            let others: Vec<TypeId> =
                members.into_iter().filter(|member| !self.is_assignable(*member, wanted)).collect();
            return self.union(&others);
        }
        let mut kept = Vec::new();
        for member in members {
            if matches!(self.get(member), Type::Unknown) {
                return wanted;
            }
            if self.is_assignable(member, wanted) {
                kept.push(member);
                continue;
            }
            for candidate in self.distributed(wanted) {
                if self.is_assignable(candidate, member) {
                    kept.push(candidate);
                }
            }
        }
        if kept.is_empty() { self.intersection(&[ty, wanted]) } else { self.union(&kept) }
    }

    /// What a callback without annotation says of its first parameter: TypeScript finds it where the one expression that it
    /// returns is true for exactly the values of a narrower type.
    pub(in crate::parse::types) fn found_guard(
        &mut self,
        pats: &[&'g Pat],
        body: &Body<'g>,
        env: &Env<'g>,
    ) -> Option<Guard> {
        let test = body.expr.filter(|_| !body.is_async && !body.is_generator)?;
        let ident = pats.first()?.as_ident().filter(|_| says_something(test))?;
        let place = super::places::Place::variable(env.module.id, ident.id.to_id());
        let known = self.locals.types.get(&(env.module.id, ident.id.to_id())).copied()?;
        let whole = self.force(known);
        let before = self.enter_function();
        self.assume(test, true, env);
        let narrowed = self.locals.narrowed.get(&place).copied();
        let mut found = None;
        if let Some(ty) = narrowed.filter(|ty| *ty != whole && *self.get(*ty) != Type::Never) {
            self.locals.narrowed.insert(place.clone(), ty);
            self.assume(test, false, env);
            let left = self.locals.narrowed.get(&place).copied();
            found = left.filter(|left| *self.get(*left) == Type::Never).map(|_| ty);
        }
        self.locals.narrowed = before;
        let ty = self.known(found?);
        Some(Guard { place: 0, ty: Some(ty), asserts: false })
    }
}

/// A guard with its type.
struct Asserted {
    ty: Option<TypeId>,
    asserts: bool,
}

/// Whether a function says nothing of its argument, whatever the names in it mean. Callbacks are looked at for each overload,
/// those within them as often again, so that this is asked first.
pub(super) fn is_no_guard(function: &Expr) -> bool {
    match unwrapped(function) {
        Expr::Arrow(arrow) if arrow.return_type.is_none() => match &*arrow.body {
            ArrowFunctionBody::Expr(test) => !says_something(test),
            ArrowFunctionBody::FunctionBody(_) => true,
        },
        Expr::Fn(function) => function.function.return_type.is_none(),
        _ => false,
    }
}

/// Whether an expression is a test of something that has a place, and not a value that may count as true.
fn says_something(test: &Expr) -> bool {
    match unwrapped(test) {
        Expr::Bin(binary) if matches!(binary.op, BinaryOp::LogicalAnd | BinaryOp::LogicalOr) => {
            says_something(&binary.left) || says_something(&binary.right)
        }
        Expr::Bin(binary) => is_tested(&binary.left) || is_tested(&binary.right),
        Expr::Unary(unary) if unary.op == UnaryOp::Bang => match unwrapped(&unary.arg) {
            Expr::Ident(_) => true,
            other => says_something(other),
        },
        Expr::Call(call) => call.args.iter().any(|argument| is_tested(&argument.expr)),
        _ => false,
    }
}

/// `x`, `x.a?.b`, `typeof x`
fn is_tested(operand: &Expr) -> bool {
    match unwrapped(operand) {
        Expr::Ident(ident) => ident.sym != *"undefined",
        Expr::Member(member) => is_tested(&member.obj),
        Expr::OptChain(chain) => match &*chain.base {
            OptChainBase::Member(member) => is_tested(&member.obj),
            OptChainBase::Call(_) => false,
        },
        Expr::Unary(unary) => unary.op == UnaryOp::TypeOf && is_tested(&unary.arg),
        _ => false,
    }
}
