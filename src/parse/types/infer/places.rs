//! Where a value is looked at twice, so that what is known of the one look holds for the other.
//!
//! ```text
//! if (Array.isArray(row.tags)) return row.tags     row.tags is one place: the variable `row`, and `tags` of it
//! ```

use swc_ecma_ast::{Expr, Id, Lit, MemberExpr, MemberProp, OptChainBase};

use crate::parse::literal::unwrapped;
use crate::parse::types::evaluator::Evaluator;
use crate::parse::types::model::{Env, ModuleId, Type, TypeId};

/// A variable, or a property of one, however deep.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(in crate::parse::types) struct Place {
    module: ModuleId,
    root: Id,
    path: Vec<String>,
}

impl Place {
    pub(super) fn variable(module: ModuleId, root: Id) -> Self {
        Self { module, root, path: Vec::new() }
    }

    /// Whether this is the place or a property of what is there.
    fn is_within(&self, other: &Self) -> bool {
        self.module == other.module && self.root == other.root && self.path.starts_with(&other.path)
    }
}

impl<'g> Evaluator<'g> {
    /// The place of an expression, if it is one.
    pub(super) fn place(&self, expr: &Expr, env: &Env<'g>) -> Option<Place> {
        match unwrapped(expr) {
            Expr::Ident(ident) => Some(Place::variable(env.module.id, ident.to_id())),
            Expr::Member(member) => self.place_of_member(member, env),
            Expr::OptChain(chain) => match &*chain.base {
                OptChainBase::Member(member) => self.place_of_member(member, env),
                OptChainBase::Call(_) => None,
            },
            _ => None,
        }
    }

    pub(super) fn place_of_member(&self, member: &MemberExpr, env: &Env<'g>) -> Option<Place> {
        let name = key_of(member)?;
        let mut place = self.place(&member.obj, env)?;
        place.path.push(name);
        Some(place)
    }

    /// What is known of the value at a place, beyond its type.
    pub(super) fn known_of(&self, expr: &Expr, env: &Env<'g>) -> Option<TypeId> {
        if self.locals.narrowed.is_empty() {
            return None;
        }
        let place = self.place(expr, env)?;
        self.locals.narrowed.get(&place).copied()
    }

    /// Notes something about the value at a place.
    pub(super) fn narrow(
        &mut self,
        expr: &'g Expr,
        env: &Env<'g>,
        change: impl FnOnce(&mut Self, TypeId) -> TypeId,
    ) {
        let Some(place) = self.place(expr, env) else { return };
        let now = self.expression(unwrapped(expr), env, None);
        self.narrow_at(place, now, change);
    }

    pub(super) fn narrow_at(
        &mut self,
        place: Place,
        now: TypeId,
        change: impl FnOnce(&mut Self, TypeId) -> TypeId,
    ) {
        if matches!(self.get(now), Type::Opaque(_) | Type::Any | Type::Error | Type::Excess) {
            return;
        }
        let narrowed = change(self, now);
        if narrowed != now {
            // What is known of the parts came from the whole as it was.
            self.forget(&place);
        }
        self.locals.narrowed.insert(place, narrowed);
    }

    /// A value was put there: nothing that was known holds any more.
    pub(super) fn forget(&mut self, place: &Place) {
        self.locals.narrowed.retain(|known, _| !known.is_within(place));
    }

    /// What is known of variables of functions holds in the functions within; what is known of properties and of others'
    /// variables may have changed until these run.
    pub(super) fn enter_function(&mut self) -> std::collections::HashMap<Place, TypeId> {
        let before = self.locals.narrowed.clone();
        let types = &self.locals.types;
        self.locals.narrowed.retain(|place, _| {
            place.path.is_empty() && types.contains_key(&(place.module, place.root.clone()))
        });
        before
    }
}

fn key_of(member: &MemberExpr) -> Option<String> {
    match &member.prop {
        MemberProp::Ident(name) => Some(name.sym.to_string()),
        MemberProp::Computed(computed) => match unwrapped(&computed.expr) {
            Expr::Lit(Lit::Str(text)) => Some(text.value.to_string_lossy().into_owned()),
            Expr::Lit(Lit::Num(number)) => Some(number.value.to_string()),
            _ => None,
        },
        MemberProp::PrivateName(_) => None,
    }
}
