//! Operators: arithmetic, comparisons, `??`, `&&`, `||`, `!` and conditions, with what they say of variables.

use swc_ecma_ast::{BinExpr, BinaryOp, CondExpr, Expr, Ident, Lit, UnaryExpr, UnaryOp};

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
            Expr::Ident(ident) => {
                self.narrow(ident, env, |types, ty| if holds { types.truthy(ty) } else { types.falsy(ty) });
            }
            Expr::Assign(assign) => {
                if let Some(ident) = assign.left.as_simple().and_then(|left| left.as_ident()) {
                    self.narrow(
                        &ident.id,
                        env,
                        |types, ty| if holds { types.truthy(ty) } else { types.falsy(ty) },
                    );
                }
            }
            Expr::Bin(binary) => self.assume_equal(binary, holds, env),
            Expr::OptChain(_) if holds => self.assume_present(test, env),
            _ => {}
        }
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
    fn assume_present(&mut self, expr: &'g Expr, env: &Env<'g>) {
        let mut inner = unwrapped(expr);
        loop {
            inner = match inner {
                Expr::OptChain(chain) => match &*chain.base {
                    swc_ecma_ast::OptChainBase::Member(member) => unwrapped(&member.obj),
                    swc_ecma_ast::OptChainBase::Call(call) => unwrapped(&call.callee),
                },
                Expr::Member(member) => unwrapped(&member.obj),
                Expr::Ident(ident) => {
                    self.narrow(ident, env, |types, ty| types.without_nothing(ty));
                    return;
                }
                _ => return,
            };
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
            if let Expr::Ident(ident) = tested {
                self.narrow(ident, env, |types, ty| {
                    types.filtered(ty, |types, member| {
                        matches!(types.get(member), Type::Null | Type::Undefined | Type::Void) == equal
                    })
                });
            }
            return;
        }
        self.assume_is(tested, value_type, equal, env);
    }

    /// Notes that an expression is, or is not, of a type of single values.
    pub(super) fn assume_is(&mut self, tested: &'g Expr, value: TypeId, equal: bool, env: &Env<'g>) {
        match unwrapped(tested) {
            Expr::Ident(ident) => self.narrow(ident, env, |types, ty| {
                types.filtered(ty, |types, member| {
                    if equal {
                        types.is_assignable(value, member) || types.is_assignable(member, value)
                    } else {
                        !(types.is_unit(member) && types.is_assignable(member, value))
                    }
                })
            }),
            Expr::Unary(unary) if unary.op == UnaryOp::TypeOf => {
                if let Expr::Ident(ident) = unwrapped(&unary.arg) {
                    let names: Vec<String> = self
                        .members_of_union(value)
                        .into_iter()
                        .map(|name| self.literal_string(name))
                        .collect();
                    self.narrow(ident, env, |types, ty| {
                        types.filtered(ty, |types, member| {
                            names.iter().any(|name| types.type_name(member) == name) == equal
                        })
                    });
                }
            }
            // `shape.kind === 'circle'`
            Expr::Member(member) => {
                if let (Expr::Ident(ident), Some(name)) = (unwrapped(&member.obj), member.prop.as_ident()) {
                    let key = self.text(&name.sym);
                    self.narrow(ident, env, |types, ty| {
                        if types.members_of_union(ty).len() < 2 {
                            return ty;
                        }
                        types.filtered(ty, |types, member| {
                            let Some(found) = types.access(member, key, false) else { return true };
                            if equal {
                                types.distributed(found).into_iter().any(|found| {
                                    types.is_assignable(value, found) || types.is_assignable(found, value)
                                })
                            } else {
                                !(types.is_unit(found) && types.is_assignable(found, value))
                            }
                        })
                    });
                }
            }
            _ => {}
        }
    }

    fn literal_string(&self, ty: TypeId) -> String {
        match self.get(ty) {
            Type::Literal { value: Literal::String(text), .. } => text.clone(),
            _ => String::new(),
        }
    }

    fn assume_instance(&mut self, binary: &'g BinExpr, holds: bool, env: &Env<'g>) {
        let Expr::Ident(ident) = unwrapped(&binary.left) else { return };
        let class = self.expression(&binary.right, env, None);
        let Some(signature) = self.shape(class).and_then(|members| members.constructs.first().cloned())
        else {
            return;
        };
        let instance = self.force(signature.returns);
        self.narrow(ident, env, |types, ty| {
            types.filtered(ty, |types, member| types.is_assignable(member, instance) == holds)
        });
    }

    fn assume_in(&mut self, binary: &'g BinExpr, holds: bool, env: &Env<'g>) {
        let (Expr::Lit(Lit::Str(name)), Expr::Ident(ident)) =
            (unwrapped(&binary.left), unwrapped(&binary.right))
        else {
            return;
        };
        let name = name.value.to_string_lossy().into_owned();
        self.narrow(ident, env, |types, ty| {
            types.filtered(ty, |types, member| {
                let Some(shape) = types.shape(member) else { return true };
                match shape.prop(&name) {
                    Some(prop) if prop.optional => true,
                    Some(_) => holds,
                    None => !holds,
                }
            })
        });
    }

    fn narrow(&mut self, ident: &'g Ident, env: &Env<'g>, change: impl FnOnce(&mut Self, TypeId) -> TypeId) {
        let key = (env.module.id, ident.to_id());
        if !self.locals.types.contains_key(&key) {
            return;
        }
        let now = self.expression_of_ident(ident, env);
        if matches!(self.get(now), Type::Opaque(_) | Type::Any | Type::Error | Type::Excess) {
            return;
        }
        let narrowed = change(self, now);
        self.locals.narrowed.insert(key, narrowed);
    }

    fn expression_of_ident(&mut self, ident: &'g Ident, env: &Env<'g>) -> TypeId {
        self.identifier(ident, env)
    }

    fn filtered(&mut self, ty: TypeId, keep: impl Fn(&mut Self, TypeId) -> bool) -> TypeId {
        let members = self.distributed(ty);
        let mut kept = Vec::new();
        for member in members {
            if keep(self, member) {
                kept.push(member);
            }
        }
        self.union(&kept)
    }

    fn is_unit(&self, ty: TypeId) -> bool {
        matches!(
            self.get(ty),
            Type::Literal { .. } | Type::Member { value: Some(_), .. } | Type::Null | Type::Undefined
        )
    }

    fn type_name(&mut self, ty: TypeId) -> &'static str {
        match self.get(ty).clone() {
            Type::String | Type::Template { .. } | Type::Mapping(..) => "string",
            Type::Number(_) | Type::Member { value: None, .. } => "number",
            Type::BigInt(_) => "bigint",
            Type::Boolean => "boolean",
            Type::Symbol => "symbol",
            Type::Undefined | Type::Void => "undefined",
            Type::Literal { value, .. } | Type::Member { value: Some(value), .. } => match value {
                Literal::String(_) => "string",
                Literal::Number(_) => "number",
                Literal::BigInt(_) => "bigint",
                Literal::Boolean(_) => "boolean",
            },
            _ => {
                let callable = self.shape(ty).is_some_and(|members| !members.calls.is_empty());
                if callable { "function" } else { "object" }
            }
        }
    }

    fn truthy(&mut self, ty: TypeId) -> TypeId {
        self.filtered(ty, |types, member| match types.get(member) {
            Type::Null | Type::Undefined | Type::Void => false,
            Type::Literal { value, .. } | Type::Member { value: Some(value), .. } => !is_falsy(value),
            _ => true,
        })
    }

    /// What a value may be where it counts as false.
    fn falsy(&mut self, ty: TypeId) -> TypeId {
        let members = self.distributed(ty);
        let mut kept = Vec::new();
        for member in members {
            match self.get(member).clone() {
                Type::Null | Type::Undefined | Type::Void | Type::Any | Type::Opaque(_) | Type::Unknown => {
                    kept.push(member);
                }
                Type::String => kept.push(self.text("")),
                Type::Number(_) => kept.push(self.literal(Literal::Number("0".to_owned()))),
                Type::BigInt(_) => kept.push(self.literal(Literal::BigInt("0".to_owned()))),
                Type::Literal { value, .. } | Type::Member { value: Some(value), .. } if is_falsy(&value) => {
                    kept.push(member);
                }
                _ => {}
            }
        }
        self.union(&kept)
    }
}

fn is_falsy(value: &Literal) -> bool {
    match value {
        Literal::String(text) => text.is_empty(),
        Literal::Number(text) => text == "0" || text == "NaN",
        Literal::BigInt(digits) => digits == "0",
        Literal::Boolean(value) => !value,
    }
}

fn is_value(expr: &Expr) -> bool {
    match expr {
        Expr::Lit(_) => true,
        Expr::Ident(ident) => ident.sym == *"undefined",
        _ => false,
    }
}
