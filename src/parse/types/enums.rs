//! Enums: their members and the constants that these are computed from.

use std::rc::Rc;

use swc_ecma_ast::{BinaryOp, Expr, Lit, MemberProp, TsEnumMemberId, UnaryOp, VarDeclKind};

use super::evaluator::Evaluator;
use super::model::{Declared, Env, SymbolId, Target, Type, TypeId};
use super::template::js_number;
use crate::contract::Literal;
use crate::parse::limits::HOPS_MAX;
use crate::parse::literal::unwrapped;

/// The members that are known while the next one is computed.
#[derive(Clone, Copy)]
struct Known<'k> {
    of: Option<SymbolId>,
    members: &'k [(String, Option<Constant>)],
}

/// A constant of an enum.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Constant {
    Number(f64),
    Text(String),
}

/// The members of an enum, and the values of those that have one.
pub(super) type Constants = Vec<(String, Option<Constant>)>;

impl<'g> Evaluator<'g> {
    /// The members of an enum, of all its declarations, with their values.
    pub(super) fn enum_members(&mut self, symbol: SymbolId) -> Vec<(String, Option<Literal>)> {
        let members = self.enum_constants(symbol, HOPS_MAX);
        let literal = |constant: Constant| match constant {
            Constant::Number(number) => Literal::Number(js_number(number)),
            Constant::Text(text) => Literal::String(text),
        };
        members.into_iter().map(|(name, value)| (name, value.map(literal))).collect()
    }

    fn enum_constants(&mut self, symbol: SymbolId, hops: usize) -> Constants {
        if let Some(known) = self.enums.get(&symbol) {
            // Enums that are computed from each other have no constants.
            self.has_circles |= known.is_none();
            return known.clone().unwrap_or_default();
        }
        self.enums.insert(symbol, None);
        let members = self.computed_constants(symbol, hops);
        self.enums.insert(symbol, Some(members.clone()));
        members
    }

    fn computed_constants(&mut self, symbol: SymbolId, hops: usize) -> Constants {
        let mut members = Constants::new();
        for declaration in self.declarations(symbol).iter() {
            let Declared::Enum(declared) = declaration.node else { continue };
            let mut next = Some(0.0);
            for member in &declared.members {
                let name = match &member.id {
                    TsEnumMemberId::Ident(ident) => ident.sym.to_string(),
                    TsEnumMemberId::Str(text) => text.value.to_string_lossy().into_owned(),
                };
                let value = match &member.init {
                    None => next.map(Constant::Number),
                    Some(init) => self.constant(
                        init,
                        &declaration.env,
                        Known { of: Some(symbol), members: &members },
                        hops,
                    ),
                };
                next = match value {
                    Some(Constant::Number(number)) => Some(number + 1.0),
                    _ => None,
                };
                members.push((name, value));
            }
        }
        members
    }

    fn constant(&mut self, expr: &'g Expr, env: &Env<'g>, known: Known<'_>, hops: usize) -> Option<Constant> {
        let Some(hops) = hops.checked_sub(1) else {
            self.has_circles = true;
            return None;
        };
        match unwrapped(expr) {
            Expr::Lit(Lit::Num(number)) => Some(Constant::Number(number.value)),
            Expr::Lit(Lit::Str(text)) => Some(Constant::Text(text.value.to_string_lossy().into_owned())),
            Expr::Unary(unary) => {
                let Constant::Number(value) = self.constant(&unary.arg, env, known, hops)? else {
                    return None;
                };
                match unary.op {
                    UnaryOp::Minus => Some(Constant::Number(-value)),
                    UnaryOp::Plus => Some(Constant::Number(value)),
                    UnaryOp::Tilde => Some(Constant::Number(f64::from(!to_int32(value)))),
                    _ => None,
                }
            }
            Expr::Bin(binary) => {
                let left = self.constant(&binary.left, env, known, hops)?;
                let right = self.constant(&binary.right, env, known, hops)?;
                combine(binary.op, left, right)
            }
            Expr::Tpl(template) => {
                let mut text = String::new();
                for (place, quasi) in template.quasis.iter().enumerate() {
                    text.push_str(&quasi.cooked.as_ref()?.to_string_lossy());
                    if let Some(expr) = template.exprs.get(place) {
                        text.push_str(&match self.constant(expr, env, known, hops)? {
                            Constant::Text(part) => part,
                            Constant::Number(number) => js_number(number),
                        });
                    }
                }
                Some(Constant::Text(text))
            }
            Expr::Ident(ident) => match &*ident.sym {
                "Infinity" => Some(Constant::Number(f64::INFINITY)),
                "NaN" => Some(Constant::Number(f64::NAN)),
                name => match known.members.iter().find(|(member, _)| member == name) {
                    Some((_, value)) => value.clone(),
                    None => {
                        let target = self.name(name, env);
                        self.constant_of(&target, hops)
                    }
                },
            },
            Expr::Member(member) => {
                let key = match &member.prop {
                    MemberProp::Ident(name) => name.sym.to_string(),
                    MemberProp::Computed(computed) => match unwrapped(&computed.expr) {
                        Expr::Lit(Lit::Str(text)) => text.value.to_string_lossy().into_owned(),
                        _ => return None,
                    },
                    MemberProp::PrivateName(_) => return None,
                };
                let path = expr_path(&member.obj)?;
                let Target::Symbol(symbol) = self.target(&path, env) else { return None };
                if known.of == Some(symbol) {
                    return known.members.iter().find(|(member, _)| *member == key)?.1.clone();
                }
                let others = self.enum_constants(symbol, hops);
                others.into_iter().find(|(member, _)| *member == key)?.1
            }
            _ => None,
        }
    }

    fn constant_of(&mut self, target: &Target, hops: usize) -> Option<Constant> {
        let Target::Symbol(symbol) = target else { return None };
        let declarations = self.declarations(*symbol);
        let declaration = declarations.first()?;
        match declaration.node {
            Declared::Variable(vars, var) if vars.kind == VarDeclKind::Const => {
                self.constant(var.init.as_deref()?, &declaration.env, Known { of: None, members: &[] }, hops)
            }
            _ => None,
        }
    }

    /// An enum as a type: the union of its members.
    pub(super) fn enumeration(&mut self, symbol: SymbolId) -> TypeId {
        let members = self.enum_members(symbol);
        let types: Vec<TypeId> = members
            .into_iter()
            .zip(0..)
            .map(|((_, value), place)| self.intern(Type::Member { of: symbol, place, value, fresh: false }))
            .collect();
        self.union(&types)
    }

    /// `E.A` as a type.
    pub(super) fn enum_member_type(&mut self, symbol: SymbolId) -> Option<TypeId> {
        let (module, path) = {
            let symbol = self.symbol_of(symbol);
            (symbol.module, Rc::clone(&symbol.path))
        };
        let (of, name) = path.rsplit_once('.')?;
        let of = self.symbol(module, of);
        self.enum_member(of, name, false)
    }

    pub(super) fn enum_member(&mut self, of: SymbolId, name: &str, fresh: bool) -> Option<TypeId> {
        let members = self.enum_members(of);
        let (place, (_, value)) = members.into_iter().enumerate().find(|(_, (known, _))| known == name)?;
        let place = u32::try_from(place).ok()?;
        Some(self.intern(Type::Member { of, place, value, fresh }))
    }

    pub(super) fn is_enum(&mut self, symbol: SymbolId) -> bool {
        self.declarations(symbol).iter().any(|declaration| matches!(declaration.node, Declared::Enum(_)))
    }
}

/// `a.b.c` as its names.
pub(super) fn expr_path(expr: &Expr) -> Option<Vec<String>> {
    match unwrapped(expr) {
        Expr::Ident(ident) => Some(vec![ident.sym.to_string()]),
        Expr::Member(member) => {
            let mut path = expr_path(&member.obj)?;
            path.push(member.prop.as_ident()?.sym.to_string());
            Some(path)
        }
        _ => None,
    }
}

fn combine(op: BinaryOp, left: Constant, right: Constant) -> Option<Constant> {
    let (a, b) = match (left, right) {
        (Constant::Number(a), Constant::Number(b)) => (a, b),
        (left, right) if op == BinaryOp::Add => {
            let text = |constant| match constant {
                Constant::Text(text) => text,
                Constant::Number(number) => js_number(number),
            };
            return Some(Constant::Text(text(left) + &text(right)));
        }
        _ => return None,
    };
    let (x, y) = (to_int32(a), to_int32(b));
    let shift = (y & 31).unsigned_abs();
    Some(Constant::Number(match op {
        BinaryOp::Add => a + b,
        BinaryOp::Sub => a - b,
        BinaryOp::Mul => a * b,
        BinaryOp::Div => a / b,
        BinaryOp::Mod => a % b,
        BinaryOp::Exp => a.powf(b),
        BinaryOp::BitOr => f64::from(x | y),
        BinaryOp::BitAnd => f64::from(x & y),
        BinaryOp::BitXor => f64::from(x ^ y),
        BinaryOp::LShift => f64::from(x.wrapping_shl(shift)),
        BinaryOp::RShift => f64::from(x.wrapping_shr(shift)),
        BinaryOp::ZeroFillRShift => f64::from(x.cast_unsigned().wrapping_shr(shift)),
        _ => return None,
    }))
}

/// ECMAScript's ToInt32.
fn to_int32(value: f64) -> i32 {
    if !value.is_finite() {
        return 0;
    }
    let wrapped = value.trunc().rem_euclid(4_294_967_296.0);
    // The remainder lies below 2^32, so that the conversion is exact.
    (wrapped as u32).cast_signed()
}
