//! What is left of a variable's type where something is known of its value.
//!
//! ```text
//! if (typeof value === 'string') …     value: unknown       →  string
//! if (error instanceof Error) …        error: unknown       →  Error
//! if (shape.kind === 'circle') …       shape: Circle | Box  →  Circle
//! let id: string | number = 'a'        id                   →  string
//! ```
//!
//! Follows the rules of TypeScript's checker. Where these are not followed to the end, a type stays wider, never narrower.

use swc_ecma_ast::{BinExpr, Expr, Lit, MemberExpr, OptChainBase, UnaryOp};

use crate::contract::Literal;
use crate::parse::literal::unwrapped;
use crate::parse::types::evaluator::Evaluator;
use crate::parse::types::model::{Env, Members, Type, TypeId};

impl<'g> Evaluator<'g> {
    /// Notes that an expression is, or is not, of a type of single values.
    pub(super) fn assume_is(&mut self, tested: &'g Expr, value: TypeId, equal: bool, env: &Env<'g>) {
        match unwrapped(tested) {
            Expr::Ident(_) => self.narrow(tested, env, |types, ty| types.of_value(ty, value, equal)),
            Expr::Unary(unary) if unary.op == UnaryOp::TypeOf => {
                let names: Vec<String> =
                    self.members_of_union(value).into_iter().map(|name| self.literal_string(name)).collect();
                // What is behind `?.` may be absent, whose name is `undefined`.
                if equal && !names.iter().any(|name| name == "undefined") {
                    self.assume_present(&unary.arg, env);
                }
                self.narrow(&unary.arg, env, |types, ty| types.of_type_names(ty, &names, equal));
            }
            // `shape.kind === 'circle'`
            Expr::Member(member) => {
                self.assume_kind(member, value, equal, env);
                self.narrow(tested, env, |types, ty| types.of_value(ty, value, equal));
            }
            Expr::OptChain(chain) => {
                let absent = self.basic.undefined;
                if equal
                    && !self.distributed(value).into_iter().any(|value| self.is_assignable(absent, value))
                {
                    self.assume_present(tested, env);
                    if let OptChainBase::Member(member) = &*chain.base {
                        self.assume_kind(member, value, true, env);
                    }
                } else if !equal && value == absent {
                    self.assume_present(tested, env);
                }
                self.narrow(tested, env, |types, ty| types.of_value(ty, value, equal));
            }
            _ => {}
        }
    }

    /// Of the types that an object may be, those are left whose property may be, or need not be, that value.
    fn assume_kind(&mut self, member: &'g MemberExpr, value: TypeId, equal: bool, env: &Env<'g>) {
        let Some(name) = member.prop.as_ident() else { return };
        let key = self.text(&name.sym);
        self.narrow(&member.obj, env, |types, ty| {
            if types.members_of_union(ty).len() < 2 {
                return ty;
            }
            types.filtered(ty, |types, member| {
                let Some(found) = types.access(member, key, false) else { return true };
                if equal {
                    types
                        .distributed(found)
                        .into_iter()
                        .any(|found| types.is_assignable(value, found) || types.is_assignable(found, value))
                } else {
                    !(types.is_unit(found) && types.is_assignable(found, value))
                }
            })
        });
    }

    /// What of a type is left where a value is, or is not, one of a type of single values.
    fn of_value(&mut self, ty: TypeId, value: TypeId, equal: bool) -> TypeId {
        self.filtered(ty, |types, member| {
            if equal {
                types.is_assignable(value, member) || types.is_assignable(member, value)
            } else {
                !(types.is_unit(member) && types.is_assignable(member, value))
            }
        })
    }

    fn literal_string(&self, ty: TypeId) -> String {
        match self.get(ty) {
            Type::Literal { value: Literal::String(text), .. } => text.clone(),
            _ => String::new(),
        }
    }

    pub(super) fn assume_instance(&mut self, binary: &'g BinExpr, holds: bool, env: &Env<'g>) {
        if self.place(&binary.left, env).is_none() {
            return;
        }
        if holds {
            self.assume_present(&binary.left, env);
        }
        let class = self.expression(&binary.right, env, None);
        let Some(signature) = self.shape(class).and_then(|members| members.constructs.first().cloned())
        else {
            return;
        };
        let instance = self.force(signature.returns);
        self.narrow(&binary.left, env, |types, ty| types.of_class(ty, instance, holds));
    }

    /// What of a type is left where `typeof` is, or is not, one of some names.
    fn of_type_names(&mut self, ty: TypeId, names: &[String], equal: bool) -> TypeId {
        let mut kept = Vec::new();
        for member in self.distributed(ty) {
            if !self.has_several_names(member) {
                if names.iter().any(|name| self.type_name(member) == name) == equal {
                    kept.push(member);
                }
                continue;
            }
            if !equal {
                kept.push(member);
                continue;
            }
            for name in names {
                let named = self.of_type_name(name);
                kept.push(if self.is_anything(member) { named } else { self.intersection(&[member, named]) });
            }
        }
        self.union(&kept)
    }

    /// What of a type is left where a value is, or is not, an instance of a class.
    fn of_class(&mut self, ty: TypeId, instance: TypeId, holds: bool) -> TypeId {
        let members = self.distributed(ty);
        if !holds {
            let others: Vec<TypeId> =
                members.into_iter().filter(|member| !self.is_assignable(*member, instance)).collect();
            return self.union(&others);
        }
        let (mut related, mut objects) = (Vec::new(), Vec::new());
        for member in members {
            if self.is_anything(member) || *self.get(member) == Type::NonPrimitive {
                related.push(instance);
            } else if self.has_several_names(member) || self.type_name(member) == "object" {
                if self.is_assignable(member, instance) {
                    related.push(member);
                } else if self.is_assignable(instance, member) {
                    related.push(instance);
                } else {
                    objects.push(member);
                }
            }
        }
        if related.is_empty() {
            // Any object may be one of another class that extends both.
            related = objects.iter().map(|member| self.intersection(&[*member, instance])).collect();
        }
        self.union(&related)
    }

    /// What of a declared type is left once a value has been assigned to it.
    pub(super) fn narrowed_by(&mut self, declared: TypeId, value: TypeId) -> TypeId {
        let value = self.regular(value);
        let values = self.distributed(value);
        if values.iter().any(|value| self.is_unknown_value(*value)) {
            return declared;
        }
        let mut kept = Vec::new();
        for member in self.members_of_union(declared) {
            if values.iter().any(|value| self.is_assignable(*value, member)) {
                kept.push(member);
            }
        }
        let reduced = self.union(&kept);
        if !kept.is_empty() && self.is_assignable(value, reduced) { reduced } else { declared }
    }

    fn is_unknown_value(&self, ty: TypeId) -> bool {
        matches!(self.get(ty), Type::Any | Type::Opaque(_) | Type::Error | Type::Excess)
    }

    /// Whether a type has values of several names.
    fn has_several_names(&mut self, ty: TypeId) -> bool {
        self.is_anything(ty)
            || matches!(self.get(ty), Type::Param(_) | Type::Deferred(_) | Type::NonPrimitive)
    }

    /// `unknown`, `{}`, and what could not be inferred.
    fn is_anything(&mut self, ty: TypeId) -> bool {
        match self.get(ty) {
            Type::Unknown => true,
            Type::Object(_) => self.shape(ty).is_some_and(|members| members.is_empty()),
            _ => self.is_unknown_value(ty),
        }
    }

    /// All values for which `typeof` is a name.
    fn of_type_name(&mut self, name: &str) -> TypeId {
        match name {
            "string" => self.basic.string,
            "number" => self.basic.number,
            "bigint" => self.basic.bigint,
            "boolean" => self.basic.boolean,
            "symbol" => self.basic.symbol,
            "undefined" => self.basic.undefined,
            "object" => {
                let (object, null) = (self.basic.object, self.basic.null);
                self.union(&[object, null])
            }
            _ => self.opaque("a function of unknown type", None),
        }
    }

    pub(super) fn assume_in(&mut self, binary: &'g BinExpr, holds: bool, env: &Env<'g>) {
        let Expr::Lit(Lit::Str(name)) = unwrapped(&binary.left) else { return };
        let name = name.value.to_string_lossy().into_owned();
        self.narrow(&binary.right, env, |types, ty| {
            let members = types.members_of_union(ty);
            let has = |types: &mut Self, member: &TypeId| {
                types.shape(*member).is_none_or(|shape| shape.prop(&name).is_some())
                    && !matches!(types.get(*member), Type::NonPrimitive)
            };
            if holds && !members.iter().any(|member| has(types, member)) {
                // Nobody says what it is, only that it is there.
                let unknown = types.basic.unknown;
                let prop = types.field(&name, unknown, false);
                let record = types.given(Members { props: vec![prop], ..Members::default() }, None);
                return types.intersection(&[ty, record]);
            }
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

    pub(super) fn filtered(&mut self, ty: TypeId, keep: impl Fn(&mut Self, TypeId) -> bool) -> TypeId {
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
            Type::Intersection(parts) => {
                let names: Vec<&str> = parts.iter().map(|part| self.type_name(*part)).collect();
                names.into_iter().find(|name| *name != "object").unwrap_or("object")
            }
            _ => {
                let callable = self.shape(ty).is_some_and(|members| !members.calls.is_empty());
                if callable { "function" } else { "object" }
            }
        }
    }

    pub(super) fn truthy(&mut self, ty: TypeId) -> TypeId {
        self.filtered(ty, |types, member| match types.get(member) {
            Type::Null | Type::Undefined | Type::Void => false,
            Type::Literal { value, .. } | Type::Member { value: Some(value), .. } => !is_falsy(value),
            _ => true,
        })
    }

    /// What a value may be where it counts as false.
    pub(super) fn falsy(&mut self, ty: TypeId) -> TypeId {
        let members = self.distributed(ty);
        let mut kept = Vec::new();
        for member in members {
            match self.get(member).clone() {
                Type::Null
                | Type::Undefined
                | Type::Void
                | Type::Any
                | Type::Opaque(_)
                | Type::Unknown
                | Type::Param(_)
                | Type::Deferred(_)
                | Type::Template { .. }
                | Type::Mapping(..)
                | Type::Intersection(_)
                | Type::Member { value: None, .. } => kept.push(member),
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
