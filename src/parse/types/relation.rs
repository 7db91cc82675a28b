//! Whether a value of one type may stand where another is wanted, as far as conditional types, overloads and reductions
//! ask. Bounded: within itself a question is taken to be answered with yes, and beyond the budget with no.

use std::rc::Rc;

use super::declared::is_library_subtype;
use super::evaluator::Evaluator;
use super::model::{Element, Members, ParamId, Prop, PropKind, Signature, Type, TypeId};
use crate::contract::{Literal, NumberWidth};
use crate::parse::limits::RELATION_DEPTH_MAX;

impl<'g> Evaluator<'g> {
    pub(super) fn is_assignable(&mut self, source: TypeId, target: TypeId) -> bool {
        let (source, target) = (self.forced(source), self.forced(target));
        if source == target {
            return true;
        }
        if let Some(quick) = self.simple_relation(source, target) {
            return quick;
        }
        if let Some(known) = self.relations.get(&(source, target)) {
            return *known;
        }
        self.spend(1);
        if self.spent() || self.relation_depth >= RELATION_DEPTH_MAX {
            return false;
        }
        self.relations.insert((source, target), true);
        self.relation_depth += 1;
        let found = self.structural_relation(source, target);
        self.relation_depth -= 1;
        self.relations.insert((source, target), found);
        if found {
            self.assumed.push((source, target));
        }
        if self.relation_depth == 0 {
            // What was found while the outermost question was taken to be answered with yes holds only if it is.
            let assumed = std::mem::take(&mut self.assumed);
            if !found {
                for pair in &assumed {
                    self.relations.remove(pair);
                }
            }
        }
        found
    }

    fn simple_relation(&self, source: TypeId, target: TypeId) -> Option<bool> {
        let (from, to) = (self.get(source), self.get(target));
        Some(match (from, to) {
            (_, Type::Any | Type::Unknown | Type::Error | Type::Opaque(_)) => true,
            (Type::Never, _) => true,
            (Type::Any, Type::Never) => false,
            (Type::Any | Type::Error | Type::Opaque(_), _) => true,
            (Type::Excess, _) | (_, Type::Excess) => false,
            (_, Type::Never) => false,
            (Type::Undefined, Type::Void) => true,
            (Type::Literal { value: a, .. }, Type::Literal { value: b, .. }) => a == b,
            (Type::Member { value: Some(a), .. }, Type::Literal { value: b, .. }) => a == b,
            (Type::Member { of: a, place: i, .. }, Type::Member { of: b, place: j, .. }) => a == b && i == j,
            (Type::Literal { value: Literal::Number(a), .. }, Type::Member { value, .. }) => match value {
                Some(Literal::Number(b)) => a == b,
                None => true,
                Some(_) => false,
            },
            (Type::Literal { value, .. } | Type::Member { value: Some(value), .. }, to) if is_base(to) => {
                literal_of(value, to)
            }
            (Type::Member { value: None, .. }, to) if is_base(to) => matches!(to, Type::Number(_)),
            (Type::Template { .. } | Type::Mapping(..), to) if is_base(to) => *to == Type::String,
            (Type::Number(from), Type::Number(to)) => {
                from == to || *to == NumberWidth::Float64 || *from == NumberWidth::Float64
            }
            (Type::BigInt(_), Type::BigInt(_)) => true,
            (from, to) if is_base(from) && is_base(to) => from == to,
            (from, to)
                if is_base(from)
                    && matches!(
                        to,
                        Type::Literal { .. }
                            | Type::Array { .. }
                            | Type::Tuple { .. }
                            | Type::Template { .. }
                            | Type::Mapping(..)
                    ) =>
            {
                false
            }
            (Type::Number(_), Type::Member { value: None, .. }) => true,
            (from, Type::Member { .. }) if is_base(from) => false,
            _ => return None,
        })
    }

    fn structural_relation(&mut self, source: TypeId, target: TypeId) -> bool {
        match (self.get(source).clone(), self.get(target).clone()) {
            (Type::Union(_), _) => {
                let members = self.members_of_union(source);
                members.into_iter().all(|member| self.is_assignable(member, target))
            }
            (Type::Boolean, Type::Union(_)) => {
                let members = self.members_of_union(target);
                members.contains(&source)
                    || self.distributed(source).into_iter().all(|value| members.contains(&value))
            }
            (_, Type::Union(_)) => {
                let members = self.members_of_union(target);
                members.into_iter().any(|member| self.is_assignable(source, member))
            }
            (_, Type::Intersection(parts)) => parts.iter().all(|part| self.is_assignable(source, *part)),
            (Type::Intersection(parts), to) => {
                if parts.iter().any(|part| self.is_assignable(*part, target)) {
                    return true;
                }
                matches!(to, Type::Object(_)) && self.object_relation(source, target)
            }
            (_, Type::Template { .. } | Type::Mapping(..)) => self.template_relation(source, target),
            (Type::Array { element: a, readonly: ra }, Type::Array { element: b, readonly: rb }) => {
                (!ra || rb) && self.is_assignable(a, b)
            }
            (Type::Tuple { elements, readonly }, Type::Array { element, readonly: to_readonly }) => {
                let from = self.element_union(&elements);
                (!readonly || to_readonly) && self.is_assignable(from, element)
            }
            (Type::Tuple { elements: a, readonly: ra }, Type::Tuple { elements: b, readonly: rb }) => {
                (!ra || rb) && self.tuple_relation(&a, &b)
            }
            (Type::Array { element, readonly }, Type::Tuple { elements, readonly: to_readonly }) => {
                (!readonly || to_readonly)
                    && elements.iter().all(|to| to.rest)
                    && elements.iter().all(|to| self.is_assignable(element, to.ty))
            }
            (from, Type::NonPrimitive) => {
                matches!(from, Type::Object(_) | Type::Array { .. } | Type::Tuple { .. } | Type::NonPrimitive)
            }
            (Type::Param(param), _) => match self.params[param.place()].constraint {
                Some(constraint) => {
                    let constraint = self.force(constraint);
                    constraint != source && self.is_assignable(constraint, target)
                }
                None => false,
            },
            (Type::Deferred(from), Type::Deferred(to)) => self.deferred_relation(from, to),
            (Type::Null | Type::Undefined | Type::Void | Type::Unknown, Type::Object(_)) => false,
            (_, Type::Object(_)) => self.object_relation(source, target),
            _ => false,
        }
    }

    fn tuple_relation(&mut self, from: &[Element], to: &[Element]) -> bool {
        let required = to.iter().filter(|element| !element.optional && !element.rest).count();
        let given = from.iter().filter(|element| !element.optional && !element.rest).count();
        let open = to.iter().any(|element| element.rest);
        if given < required || (!open && (from.len() > to.len() || from.iter().any(|element| element.rest))) {
            return false;
        }
        let rest_at = to.iter().position(|element| element.rest);
        let trailing = rest_at.map_or(0, |at| to.len() - at - 1);
        from.iter().enumerate().all(|(place, element)| {
            let target = match rest_at {
                Some(at) if place >= at => {
                    let behind = from.len() - place;
                    if behind <= trailing { to.get(to.len() - behind) } else { to.get(at) }
                }
                _ => to.get(place),
            };
            target.is_some_and(|target| {
                let mut wanted = target.ty;
                if target.optional {
                    wanted = self.union(&[wanted, self.basic.undefined]);
                }
                self.is_assignable(element.ty, wanted)
            })
        })
    }

    fn object_relation(&mut self, source: TypeId, target: TypeId) -> bool {
        if let (Some((a, from)), Some((b, to))) = (self.library_view(source), self.library_name(target))
            && is_library_subtype(&a, &b)
        {
            return from.iter().zip(to.iter()).all(|(a, b)| self.is_assignable(*a, *b));
        }
        let Some(wanted) = self.shape(target) else { return false };
        if let Some((name, _)) = self.library_name(target)
            && &*name == "Function"
        {
            let members = self.shape(source);
            return members
                .is_some_and(|members| !members.calls.is_empty() || !members.constructs.is_empty());
        }
        let Some(given) = self.apparent(source) else { return false };
        // A type whose properties are all optional takes nothing that has none of them.
        let weak = !wanted.props.is_empty()
            && wanted.props.iter().all(|prop| prop.optional)
            && wanted.indexes.is_empty()
            && wanted.calls.is_empty()
            && wanted.constructs.is_empty();
        if weak
            && !given.props.is_empty()
            && !wanted.props.iter().any(|prop| given.prop(&prop.name).is_some())
        {
            return false;
        }
        for prop in &wanted.props {
            if !self.prop_relation(given.prop(&prop.name), prop) {
                return false;
            }
        }
        self.index_relation(source, &given, &wanted)
            && self.signatures_relation(&given.calls, &wanted.calls, false)
            && self.signatures_relation(&given.constructs, &wanted.constructs, true)
    }

    fn prop_relation(&mut self, given: Option<&Prop<'g>>, wanted: &Prop<'g>) -> bool {
        let Some(given) = given else { return wanted.optional };
        if given.optional && !wanted.optional && given.kind != PropKind::Method {
            return false;
        }
        let (Some(from), Some(to)) = (self.try_force(given.ty), self.try_force(wanted.ty)) else {
            return true;
        };
        let to = if wanted.optional { self.union(&[to, self.basic.undefined]) } else { to };
        self.is_assignable(from, to)
    }

    fn index_relation(&mut self, source: TypeId, given: &Members<'g>, wanted: &Members<'g>) -> bool {
        for index in &wanted.indexes {
            let to = self.force(index.ty);
            if let Some(known) = self.index_signature(given, index.key) {
                if !self.is_assignable(known, to) {
                    return false;
                }
                continue;
            }
            if !self.has_implied_index(source) {
                return false;
            }
            for prop in &given.props {
                let name = self.key_type(&prop.name, prop.numeric());
                let named =
                    self.is_assignable(name, index.key) || (index.key == self.basic.string && prop.numeric());
                if !named {
                    continue;
                }
                let from = self.force(prop.ty);
                if !self.is_assignable(from, to) {
                    return false;
                }
            }
        }
        true
    }

    /// Type literals and object literals fit an index signature by their properties; interfaces and classes do not.
    fn has_implied_index(&self, ty: TypeId) -> bool {
        match self.get(ty) {
            Type::Object(object) => {
                !matches!(self.objects[object.place()].source, super::model::Source::Declared { .. })
            }
            Type::Intersection(parts) => parts.iter().all(|part| self.has_implied_index(*part)),
            _ => false,
        }
    }

    fn signatures_relation(
        &mut self,
        given: &[Rc<Signature>],
        wanted: &[Rc<Signature>],
        constructs: bool,
    ) -> bool {
        wanted.iter().all(|wanted| {
            let bivariant = constructs || wanted.is_method;
            given.iter().any(|given| self.signature_relation(given, wanted, bivariant))
        })
    }

    fn signature_relation(&mut self, given: &Rc<Signature>, wanted: &Signature, bivariant: bool) -> bool {
        let given = &*match given.type_params.len() == wanted.type_params.len() {
            true => self.with_params_of(given, wanted),
            false => self.in_context(given, wanted),
        };
        if wanted.guard.is_some_and(|guard| !guard.asserts) && given.guard.is_none() {
            return false;
        }
        let required = given.params.iter().filter(|param| !param.optional && !param.rest).count();
        let open = wanted.params.iter().any(|param| param.rest);
        if !open && required > wanted.params.len() {
            return false;
        }
        for place in 0..given.params.len().max(wanted.params.len()) {
            let (Some(from), Some(to)) = (self.param_at(given, place), self.param_at(wanted, place)) else {
                break;
            };
            if !(self.is_assignable(to, from) || bivariant && self.is_assignable(from, to)) {
                return false;
            }
        }
        let (from, to) = (self.force(given.returns), self.force(wanted.returns));
        *self.get(to) == Type::Void || self.is_assignable(from, to)
    }

    /// A signature in the type parameters of another, if it has as many.
    pub(super) fn with_params_of(&mut self, given: &Rc<Signature>, wanted: &Signature) -> Rc<Signature> {
        if given.type_params.is_empty() || given.type_params.len() != wanted.type_params.len() {
            return Rc::clone(given);
        }
        let pairs = given.type_params.iter().zip(&wanted.type_params);
        let map: Vec<(ParamId, TypeId)> =
            pairs.map(|(from, to)| (from.id, self.intern(Type::Param(to.id)))).collect();
        Rc::new(self.replaced_signature(given, &map.into()))
    }

    /// The type of the argument at a place.
    pub(super) fn param_at(&mut self, signature: &Signature, place: usize) -> Option<TypeId> {
        match signature.params.get(place) {
            Some(param) if !param.rest => {
                let (ty, optional) = (self.force(param.ty), param.optional);
                Some(if optional { self.union(&[ty, self.basic.undefined]) } else { ty })
            }
            _ => {
                let rest = signature.params.last().filter(|param| param.rest)?;
                let offset = place.checked_sub(signature.params.len() - 1)?;
                let ty = self.force(rest.ty);
                let index = self.literal(Literal::Number(offset.to_string()));
                match self.get(ty).clone() {
                    Type::Array { element, .. } => Some(element),
                    Type::Tuple { elements, .. }
                        if offset < elements.len() || elements.iter().any(|e| e.rest) =>
                    {
                        self.access(ty, index, false)
                    }
                    Type::Tuple { .. } => None,
                    Type::Any => Some(ty),
                    Type::Param(_) => Some(ty),
                    _ => None,
                }
            }
        }
    }
}

fn is_base(ty: &Type) -> bool {
    matches!(
        ty,
        Type::String
            | Type::Number(_)
            | Type::Boolean
            | Type::BigInt(_)
            | Type::Symbol
            | Type::Null
            | Type::Undefined
            | Type::Void
    )
}

fn literal_of(value: &Literal, base: &Type) -> bool {
    match value {
        Literal::String(_) => *base == Type::String,
        Literal::Number(_) => matches!(base, Type::Number(_)),
        Literal::BigInt(_) => matches!(base, Type::BigInt(_)),
        Literal::Boolean(_) => *base == Type::Boolean,
    }
}
