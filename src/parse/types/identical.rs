//! Whether two types are the same, which is more than that each fits the other: what decides between conditional types on an
//! unbound type parameter.
//!
//! ```text
//! <T>() => T extends A ? 1 : 2   fits   <T>() => T extends B ? 1 : 2   where A and B are the same
//! ```

use std::rc::Rc;

use swc_ecma_ast::TsType;

use super::evaluator::Evaluator;
use super::model::{DeferredId, Members, Signature, Type, TypeId};

impl<'g> Evaluator<'g> {
    /// Two conditions on type parameters: the same question, and answers of which the one fits the other.
    pub(super) fn deferred_relation(&mut self, from: DeferredId, to: DeferredId) -> bool {
        let (from, from_env) = self.deferred[from.place()].clone();
        let (to, to_env) = self.deferred[to.place()].clone();
        let (TsType::TsConditionalType(from), TsType::TsConditionalType(to)) = (from, to) else {
            return false;
        };
        let checks = (self.annotation(&from.check_type, &from_env), self.annotation(&to.check_type, &to_env));
        let extends =
            (self.annotation(&from.extends_type, &from_env), self.annotation(&to.extends_type, &to_env));
        if !self.is_identical(checks.0, checks.1) || !self.is_identical(extends.0, extends.1) {
            return false;
        }
        [(&from.true_type, &to.true_type), (&from.false_type, &to.false_type)].into_iter().all(
            |(from, to)| {
                let (from, to) = (self.annotation(from, &from_env), self.annotation(to, &to_env));
                self.is_assignable(from, to)
            },
        )
    }

    fn is_identical(&mut self, a: TypeId, b: TypeId) -> bool {
        self.same(a, b, &mut Vec::new())
    }

    fn same(&mut self, a: TypeId, b: TypeId, open: &mut Vec<(TypeId, TypeId)>) -> bool {
        let (a, b) = (self.regular(a), self.regular(b));
        let (a, b) = (self.forced(a), self.forced(b));
        if a == b || open.contains(&(a, b)) {
            return true;
        }
        self.spend(1);
        if self.spent() || open.len() > DEPTH_MAX {
            return false;
        }
        open.push((a, b));
        let same = self.same_structure(a, b, open);
        open.pop();
        same
    }

    fn same_structure(&mut self, a: TypeId, b: TypeId, open: &mut Vec<(TypeId, TypeId)>) -> bool {
        match (self.get(a).clone(), self.get(b).clone()) {
            (Type::Number(_), Type::Number(_)) | (Type::BigInt(_), Type::BigInt(_)) => true,
            (Type::Union(_), Type::Union(_)) => {
                let (a, b) = (self.members_of_union(a), self.members_of_union(b));
                self.same_set(&a, &b, open)
            }
            (Type::Intersection(a), Type::Intersection(b)) => self.same_set(&a, &b, open),
            (Type::Array { element: a, readonly: ra }, Type::Array { element: b, readonly: rb }) => {
                ra == rb && self.same(a, b, open)
            }
            (Type::Tuple { elements: a, readonly: ra }, Type::Tuple { elements: b, readonly: rb }) => {
                ra == rb
                    && a.len() == b.len()
                    && a.iter().zip(b.iter()).all(|(a, b)| {
                        (a.optional, a.rest) == (b.optional, b.rest) && self.same(a.ty, b.ty, open)
                    })
            }
            (Type::Mapping(a, of_a), Type::Mapping(b, of_b)) => a == b && self.same(of_a, of_b, open),
            (Type::Object(_), Type::Object(_)) => match (self.library_name(a), self.library_name(b)) {
                (Some((a, from)), Some((b, to))) => {
                    a == b
                        && from.len() == to.len()
                        && from.iter().zip(to.iter()).all(|(a, b)| self.same(*a, *b, open))
                }
                (None, None) => match (self.shape(a), self.shape(b)) {
                    (Some(a), Some(b)) => self.same_members(&a, &b, open),
                    _ => false,
                },
                _ => false,
            },
            _ => false,
        }
    }

    fn same_set(&mut self, a: &[TypeId], b: &[TypeId], open: &mut Vec<(TypeId, TypeId)>) -> bool {
        a.len() == b.len() && a.iter().all(|a| b.iter().any(|b| self.same(*a, *b, open)))
    }

    fn same_members(
        &mut self,
        a: &Rc<Members<'g>>,
        b: &Rc<Members<'g>>,
        open: &mut Vec<(TypeId, TypeId)>,
    ) -> bool {
        let counts =
            |of: &Members<'g>| (of.props.len(), of.indexes.len(), of.calls.len(), of.constructs.len());
        if counts(a) != counts(b) {
            return false;
        }
        let props = a.props.iter().all(|prop| {
            let Some(other) = b.prop(&prop.name) else { return false };
            if (prop.optional, prop.readonly) != (other.optional, other.readonly) {
                return false;
            }
            let (a, b) = (self.force(prop.ty), self.force(other.ty));
            self.same(a, b, open)
        });
        let indexes = a.indexes.iter().all(|index| {
            let Some(other) = b.indexes.iter().find(|other| other.key == index.key) else { return false };
            let (a, b) = (self.force(index.ty), self.force(other.ty));
            index.readonly == other.readonly && self.same(a, b, open)
        });
        props
            && indexes
            && a.calls.iter().zip(&b.calls).all(|(a, b)| self.same_signature(a, b, open))
            && a.constructs.iter().zip(&b.constructs).all(|(a, b)| self.same_signature(a, b, open))
    }

    fn same_signature(
        &mut self,
        a: &Rc<Signature>,
        b: &Rc<Signature>,
        open: &mut Vec<(TypeId, TypeId)>,
    ) -> bool {
        if (a.params.len(), a.type_params.len()) != (b.params.len(), b.type_params.len()) {
            return false;
        }
        let a = self.with_params_of(a, b);
        let params = a.params.iter().zip(&b.params).all(|(a, b)| {
            let (from, to) = (self.force(a.ty), self.force(b.ty));
            (a.optional, a.rest) == (b.optional, b.rest) && self.same(from, to, open)
        });
        let (from, to) = (self.force(a.returns), self.force(b.returns));
        params && self.same(from, to, open)
    }
}

const DEPTH_MAX: usize = 32;
