//! Operators: arithmetic, comparisons, `??`, `&&`, `||`, `!` and conditions, with what they say of variables.

use swc_ecma_ast::{BinExpr, BinaryOp, CondExpr, Expr, OptChainBase, UnaryExpr, UnaryOp};

use super::Place;
use crate::contract::Literal;
use crate::parse::literal::unwrapped;
use crate::parse::types::evaluator::Evaluator;
use crate::parse::types::model::{Env, Type, TypeId};

impl<'g> Evaluator<'g> {
    pub(super) fn unary(&mut self, unary: &'g UnaryExpr, env: &Env<'g>) -> TypeId {
        match unary.op {
            UnaryOp::Bang | UnaryOp::Delete => self.basic.boolean,
            UnaryOp::Void => self.basic.undefined,
            UnaryOp::TypeOf => {
                let names =
                    ["string", "number", "bigint", "boolean", "symbol", "undefined", "object", "function"];
                let names = names.map(|name| self.text(name));
                self.union(&names)
            }
            UnaryOp::Minus | UnaryOp::Plus | UnaryOp::Tilde => {
                let ty = self.expression(&unary.arg, env, None);
                match self.get(ty).clone() {
                    Type::Literal { value: Literal::Number(text), fresh } if unary.op == UnaryOp::Minus => {
                        let text = if text == "0" { text } else { format!("-{text}") };
                        self.intern(Type::Literal { value: Literal::Number(text), fresh })
                    }
                    Type::Literal { value: Literal::BigInt(digits), fresh } if unary.op == UnaryOp::Minus => {
                        self.intern(Type::Literal { value: Literal::BigInt(format!("-{digits}")), fresh })
                    }
                    Type::BigInt(_) | Type::Literal { value: Literal::BigInt(_), .. } => self.basic.bigint,
                    _ => self.basic.number,
                }
            }
        }
    }

    pub(super) fn binary(&mut self, binary: &'g BinExpr, env: &Env<'g>, wanted: Option<TypeId>) -> TypeId {
        match binary.op {
            BinaryOp::EqEq
            | BinaryOp::NotEq
            | BinaryOp::EqEqEq
            | BinaryOp::NotEqEq
            | BinaryOp::Lt
            | BinaryOp::LtEq
            | BinaryOp::Gt
            | BinaryOp::GtEq
            | BinaryOp::In
            | BinaryOp::InstanceOf => self.basic.boolean,
            BinaryOp::LogicalAnd => {
                let left = self.expression(&binary.left, env, wanted);
                let right = self
                    .assuming(&binary.left, true, env, |types| types.expression(&binary.right, env, wanted));
                let falsy = self.falsy(left);
                self.subtype_union(&[falsy, right])
            }
            BinaryOp::LogicalOr => {
                let left = self.expression(&binary.left, env, wanted);
                let right = self
                    .assuming(&binary.left, false, env, |types| types.expression(&binary.right, env, wanted));
                let truthy = self.truthy(left);
                self.subtype_union(&[truthy, right])
            }
            BinaryOp::NullishCoalescing => {
                let left = self.expression(&binary.left, env, wanted);
                let right = self.expression(&binary.right, env, wanted);
                let present = self.without_nothing(left);
                if present == left {
                    return left;
                }
                self.subtype_union(&[present, right])
            }
            BinaryOp::Add => {
                let left = self.expression(&binary.left, env, None);
                let right = self.expression(&binary.right, env, None);
                self.sum(left, right)
            }
            BinaryOp::Sub
            | BinaryOp::Mul
            | BinaryOp::Div
            | BinaryOp::Mod
            | BinaryOp::Exp
            | BinaryOp::BitAnd
            | BinaryOp::BitOr
            | BinaryOp::BitXor
            | BinaryOp::LShift
            | BinaryOp::RShift
            | BinaryOp::ZeroFillRShift => {
                let left = self.expression(&binary.left, env, None);
                match self.get(left) {
                    Type::BigInt(_) | Type::Literal { value: Literal::BigInt(_), .. } => self.basic.bigint,
                    _ => self.basic.number,
                }
            }
        }
    }

    fn sum(&mut self, left: TypeId, right: TypeId) -> TypeId {
        for ty in [left, right] {
            if self.members_of_union(ty).iter().all(|member| {
                matches!(
                    self.get(*member),
                    Type::String
                        | Type::Template { .. }
                        | Type::Mapping(..)
                        | Type::Literal { value: Literal::String(_), .. }
                        | Type::Member { value: Some(Literal::String(_)), .. }
                )
            }) {
                return self.basic.string;
            }
        }
        for ty in [left, right] {
            if matches!(self.get(ty), Type::Any | Type::Opaque(_) | Type::Error | Type::Excess) {
                return ty;
            }
        }
        match self.get(left) {
            Type::BigInt(_) | Type::Literal { value: Literal::BigInt(_), .. } => self.basic.bigint,
            _ => self.basic.number,
        }
    }

    pub(super) fn condition(&mut self, node: &'g CondExpr, env: &Env<'g>, wanted: Option<TypeId>) -> TypeId {
        let yes = self.assuming(&node.test, true, env, |types| types.expression(&node.cons, env, wanted));
        let no = self.assuming(&node.test, false, env, |types| types.expression(&node.alt, env, wanted));
        self.subtype_union(&[yes, no])
    }

    /// Evaluates with what a condition says of variables.
    pub(super) fn assuming<T>(
        &mut self,
        test: &'g Expr,
        holds: bool,
        env: &Env<'g>,
        then: impl FnOnce(&mut Self) -> T,
    ) -> T {
        let before = self.locals.narrowed.clone();
        self.assume(test, holds, env);
        let found = then(self);
        self.locals.narrowed = before;
        found
    }

    /// Notes what a condition says of variables.
    pub(super) fn assume(&mut self, test: &'g Expr, holds: bool, env: &Env<'g>) {
        match unwrapped(test) {
            Expr::Unary(unary) if unary.op == UnaryOp::Bang => self.assume(&unary.arg, !holds, env),
            Expr::Bin(binary) if binary.op == BinaryOp::LogicalAnd => {
                if holds {
                    self.assume(&binary.left, true, env);
                    self.assume(&binary.right, true, env);
                } else {
                    self.assume_either(&binary.left, &binary.right, false, env);
                }
            }
            Expr::Bin(binary) if binary.op == BinaryOp::LogicalOr => {
                if holds {
                    self.assume_either(&binary.left, &binary.right, true, env);
                } else {
                    self.assume(&binary.left, false, env);
                    self.assume(&binary.right, false, env);
                }
            }
            Expr::Ident(_) | Expr::Member(_) => self.assume_truth(test, holds, env),
            Expr::Assign(assign) => {
                if let Some(ident) = assign.left.as_simple().and_then(|left| left.as_ident()) {
                    let place = Place::variable(env.module.id, ident.id.to_id());
                    let now = self.identifier(&ident.id, env);
                    self.narrow_at(place, now, |types, ty| types.counted(ty, holds));
                }
            }
            Expr::Bin(binary) => self.assume_equal(binary, holds, env),
            Expr::OptChain(_) => {
                if holds {
                    self.assume_present(test, env);
                }
                self.assume_truth(test, holds, env);
            }
            Expr::Call(call) => self.assume_call(call, holds, env),
            _ => {}
        }
    }

    fn assume_truth(&mut self, test: &'g Expr, holds: bool, env: &Env<'g>) {
        self.narrow(test, env, |types, ty| types.counted(ty, holds));
    }

    fn counted(&mut self, ty: TypeId, holds: bool) -> TypeId {
        if holds {
            return self.truthy(ty);
        }
        // A text that counts as false is empty, but TypeScript keeps its type.
        self.filtered(ty, |types, member| {
            let falsy = types.falsy(member);
            *types.get(falsy) != Type::Never
        })
    }

    /// One of two conditions has this outcome; each is noted apart, and what both allow is joined.
    fn assume_either(&mut self, first: &'g Expr, second: &'g Expr, outcome: bool, env: &Env<'g>) {
        let before = self.locals.narrowed.clone();
        self.assume(first, outcome, env);
        let one = std::mem::replace(&mut self.locals.narrowed, before.clone());
        self.assume(first, !outcome, env);
        self.assume(second, outcome, env);
        let other = std::mem::replace(&mut self.locals.narrowed, before);
        self.join_narrowed(&one, &other);
    }

    /// `a?.b` that is true: `a` is there.
    pub(super) fn assume_present(&mut self, expr: &'g Expr, env: &Env<'g>) {
        let mut inner = unwrapped(expr);
        while let Expr::OptChain(chain) = inner {
            inner = match &*chain.base {
                OptChainBase::Member(member) => unwrapped(&member.obj),
                OptChainBase::Call(call) => match unwrapped(&call.callee) {
                    Expr::OptChain(callee) => match &*callee.base {
                        OptChainBase::Member(member) => unwrapped(&member.obj),
                        OptChainBase::Call(_) => return,
                    },
                    callee => callee,
                },
            };
            self.narrow(inner, env, |types, ty| types.without_nothing(ty));
        }
    }

    fn assume_equal(&mut self, binary: &'g BinExpr, holds: bool, env: &Env<'g>) {
        let (equal, loose) = match binary.op {
            BinaryOp::EqEqEq => (holds, false),
            BinaryOp::NotEqEq => (!holds, false),
            BinaryOp::EqEq => (holds, true),
            BinaryOp::NotEq => (!holds, true),
            BinaryOp::InstanceOf => {
                self.assume_instance(binary, holds, env);
                return;
            }
            BinaryOp::In => {
                self.assume_in(binary, holds, env);
                return;
            }
            _ => return,
        };
        let (left, right) = (unwrapped(&binary.left), unwrapped(&binary.right));
        let (tested, value) = if is_value(left) { (right, left) } else { (left, right) };
        let value_type = self.expression(value, env, None);
        let value_type = self.regular(value_type);
        let nothing = matches!(self.get(value_type), Type::Null | Type::Undefined);
        if loose && nothing {
            if !equal {
                self.assume_present(tested, env);
            }
            self.narrow(tested, env, |types, ty| {
                types.filtered(ty, |types, member| {
                    matches!(types.get(member), Type::Null | Type::Undefined | Type::Void) == equal
                })
            });
            return;
        }
        self.assume_is(tested, value_type, equal, env);
    }
}

fn is_value(expr: &Expr) -> bool {
    match expr {
        Expr::Lit(_) => true,
        Expr::Ident(ident) => ident.sym == *"undefined",
        _ => false,
    }
}
