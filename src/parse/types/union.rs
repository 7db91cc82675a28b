//! Unions: `null` and `undefined` become markers, string literals one enum; unlike members cannot be sent.

use swc_common::Spanned;
use swc_ecma_ast::{TsKeywordTypeKind, TsLit, TsType, TsUnionType};

use super::{Scope, TypeResolver, string_literals, string_of};
use crate::contract::Ty;

impl TypeResolver<'_> {
    pub(super) fn union(&mut self, union: &TsUnionType, scope: &Scope<'_>, place: &str) -> Option<Ty> {
        let mut members = Members::default();
        for member in &union.types {
            if is_null(member) {
                members.nullable = true;
                continue;
            }
            if let Some(value) = boolean_literal(member) {
                members.booleans[usize::from(value)] = true;
                continue;
            }
            let resolved = self.ty(member, scope, place)?;
            members.add(resolved);
        }
        match members.finish() {
            Ok(ty) => Some(ty),
            Err(what) => self.cannot_send(union.span(), scope, what),
        }
    }
}

fn is_null(ty: &TsType) -> bool {
    ty.as_ts_keyword_type().is_some_and(|keyword| keyword.kind == TsKeywordTypeKind::TsNullKeyword)
}

fn boolean_literal(ty: &TsType) -> Option<bool> {
    match &ty.as_ts_lit_type()?.lit {
        TsLit::Bool(literal) => Some(literal.value),
        TsLit::Str(_) | TsLit::Number(_) | TsLit::BigInt(_) | TsLit::Tpl(_) => None,
    }
}

#[derive(Default)]
struct Members {
    nullable: bool,
    optional: bool,
    /// Whether `false` and `true` are members.
    booleans: [bool; 2],
    values: Vec<String>,
    others: Vec<Ty>,
}

impl Members {
    fn add(&mut self, ty: Ty) {
        match ty {
            Ty::Void => self.optional = true,
            Ty::Optional(inner) => {
                self.optional = true;
                self.add(*inner);
            }
            Ty::Nullable(inner) => {
                self.nullable = true;
                self.add(*inner);
            }
            Ty::Literals(values) => {
                for value in values.into_iter().filter_map(string_of) {
                    if !self.values.contains(&value) {
                        self.values.push(value);
                    }
                }
            }
            other if self.others.contains(&other) => {}
            other => self.others.push(other),
        }
    }

    fn finish(mut self) -> Result<Ty, &'static str> {
        // `'a' | string` is `string`.
        if self.values.is_empty() || self.others.contains(&Ty::String) {
            self.values.clear();
        } else {
            self.others.push(string_literals(self.values));
        }
        // `true | false` is `boolean`; one of them alone would let the other through.
        if self.booleans != [false; 2] && !self.others.contains(&Ty::Boolean) {
            if self.booleans != [true; 2] {
                return Err("a boolean literal type");
            }
            self.others.push(Ty::Boolean);
        }
        let mut ty = match (self.others.len(), self.optional, self.nullable) {
            (1, _, _) => self.others.remove(0),
            (0, true, false) => return Ok(Ty::Void),
            (0, _, _) => return Err("`null` alone"),
            _ => return Err("a union of different types"),
        };
        if self.nullable {
            ty = Ty::Nullable(Box::new(ty));
        }
        Ok(if self.optional { Ty::Optional(Box::new(ty)) } else { ty })
    }
}
