//! Unions and intersections, reduced as TypeScript reduces what is declared.
//!
//! ```text
//! 'a' | string     → string            true | false → boolean
//! A & (B | C)      → A & B | A & C     string & number → never
//! ```

use std::collections::HashSet;
use std::rc::Rc;

use super::evaluator::Evaluator;
use super::model::{AliasId, Members, Prop, Source, Type, TypeId};
use crate::contract::Literal;
use crate::parse::limits::UNION_MEMBERS_MAX;

impl<'g> Evaluator<'g> {
    /// The members of a union, or the one type; `boolean` is one member.
    pub(super) fn members_of_union(&self, ty: TypeId) -> Vec<TypeId> {
        let ty = self.forced(ty);
        match self.get(ty) {
            Type::Union(members) => {
                let recursive =
                    members.iter().any(|member| matches!(self.types[member.place()], Type::Recur(_)));
                if !recursive {
                    return members.to_vec();
                }
                let mut flat = Vec::new();
                for member in members.iter() {
                    for inner in self.members_of_union(*member) {
                        if !flat.contains(&inner) {
                            flat.push(inner);
                        }
                    }
                }
                flat
            }
            Type::Never => Vec::new(),
            _ => vec![ty],
        }
    }

    /// As [`Self::members_of_union`], with `boolean` as `true` and `false`.
    pub(super) fn distributed(&mut self, ty: TypeId) -> Vec<TypeId> {
        let mut found = Vec::new();
        for member in self.members_of_union(ty) {
            if *self.get(member) == Type::Boolean {
                found.push(self.literal(Literal::Boolean(false)));
                found.push(self.literal(Literal::Boolean(true)));
            } else {
                found.push(member);
            }
        }
        found
    }

    /// The union of some types.
    pub(super) fn union(&mut self, types: &[TypeId]) -> TypeId {
        if let [only] = types {
            return *only;
        }
        let mut flat: Vec<TypeId> = Vec::new();
        let mut seen: HashSet<TypeId> = HashSet::new();
        for ty in types {
            match self.get(*ty).clone() {
                Type::Union(members) => {
                    for member in members.iter() {
                        if seen.insert(*member) {
                            flat.push(*member);
                        }
                    }
                }
                Type::Never => {}
                _ => {
                    if seen.insert(*ty) {
                        flat.push(*ty);
                    }
                }
            }
        }
        if flat.len() > UNION_MEMBERS_MAX {
            return self.basic.excess;
        }
        self.spend(flat.len() / 8);
        self.reduced(flat, &seen)
    }

    fn reduced(&mut self, flat: Vec<TypeId>, seen: &HashSet<TypeId>) -> TypeId {
        let basic = self.basic;
        for absorbing in [basic.error, basic.excess, basic.any, basic.unknown] {
            if seen.contains(&absorbing) {
                return absorbing;
            }
        }
        if let Some(opaque) = flat.iter().find(|ty| matches!(self.get(**ty), Type::Opaque(_))) {
            return *opaque;
        }
        let has = |wanted: &dyn Fn(&Type) -> bool| flat.iter().any(|ty| wanted(self.get(*ty)));
        let strings = has(&|ty| *ty == Type::String);
        let numbers = has(&|ty| matches!(ty, Type::Number(_)));
        let bigints = has(&|ty| matches!(ty, Type::BigInt(_)));
        let booleans = seen.contains(&basic.boolean) || [true, false].iter().all(|wanted| {
            has(&|ty| matches!(ty, Type::Literal { value: Literal::Boolean(value), .. } if value == wanted))
        });
        let templates: Vec<TypeId> = flat
            .iter()
            .copied()
            .filter(|ty| matches!(self.get(*ty), Type::Template { .. } | Type::Mapping(..)))
            .collect();
        let plain_number = seen.contains(&basic.number);
        let fresh: Vec<TypeId> =
            flat.iter().copied().filter(|ty| self.is_fresh_of_other(*ty, seen)).collect();
        let mut boolean_done = false;
        let mut kept = Vec::with_capacity(flat.len());
        for ty in flat {
            let absorbed = match self.get(ty).clone() {
                Type::Literal { value: Literal::String(text), .. } => {
                    strings || templates.iter().any(|template| self.text_matches(&text, *template))
                }
                Type::Template { .. } | Type::Mapping(..) => strings,
                Type::Literal { value: Literal::Number(_), .. } => numbers,
                Type::Literal { value: Literal::BigInt(_), .. } => bigints,
                Type::Member { value: Some(Literal::String(_)), .. } => strings,
                Type::Member { .. } => numbers,
                Type::Number(_) => plain_number && ty != basic.number,
                Type::Literal { value: Literal::Boolean(_), .. } | Type::Boolean if booleans => {
                    if !boolean_done {
                        boolean_done = true;
                        kept.push(basic.boolean);
                    }
                    true
                }
                _ => false,
            };
            if !absorbed && !fresh.contains(&ty) {
                kept.push(ty);
            }
        }
        match kept.as_slice() {
            [] => basic.never,
            [only] => *only,
            _ => self.intern(Type::Union(kept.into())),
        }
    }

    /// A fresh literal beside the same one that is not.
    fn is_fresh_of_other(&self, ty: TypeId, seen: &HashSet<TypeId>) -> bool {
        match self.get(ty) {
            Type::Literal { value, fresh: true } => self
                .known_type(&Type::Literal { value: value.clone(), fresh: false })
                .is_some_and(|known| seen.contains(&known)),
            Type::Member { of, place, value, fresh: true } => self
                .known_type(&Type::Member { of: *of, place: *place, value: value.clone(), fresh: false })
                .is_some_and(|known| seen.contains(&known)),
            _ => false,
        }
    }

    /// An intersection that is the whole definition of an alias.
    pub(super) fn named_intersection(&mut self, parts: &[TypeId], host: Option<AliasId>) -> TypeId {
        let ty = self.intersection(parts);
        if let (Type::Intersection(_), Some(host)) = (self.get(ty), host) {
            self.intersection_names.entry(ty).or_insert(host);
        }
        ty
    }

    /// The intersection of some types.
    pub(super) fn intersection(&mut self, types: &[TypeId]) -> TypeId {
        let mut alternatives: Vec<Vec<TypeId>> = vec![Vec::new()];
        for ty in types {
            let ty = self.forced(*ty);
            let members = match self.get(ty).clone() {
                Type::Union(_) => self.members_of_union(ty),
                Type::Intersection(parts) => {
                    alternatives.iter_mut().for_each(|parts_so_far| parts_so_far.extend(parts.iter()));
                    continue;
                }
                _ => vec![ty],
            };
            if alternatives.len().saturating_mul(members.len()) > UNION_MEMBERS_MAX {
                return self.basic.excess;
            }
            self.spend(alternatives.len() * members.len());
            let extended = alternatives.iter().flat_map(|parts| {
                members.iter().map(|member| {
                    let mut parts = parts.clone();
                    parts.push(*member);
                    parts
                })
            });
            alternatives = extended.collect();
        }
        let reduced: Vec<TypeId> =
            alternatives.into_iter().map(|parts| self.reduced_intersection(parts)).collect();
        self.union(&reduced)
    }

    fn reduced_intersection(&mut self, parts: Vec<TypeId>) -> TypeId {
        let basic = self.basic;
        let mut kept: Vec<TypeId> = Vec::new();
        for part in parts {
            match self.get(part) {
                Type::Never => return basic.never,
                Type::Error | Type::Excess => return part,
                Type::Unknown => {}
                _ if kept.contains(&part) => {}
                _ => kept.push(part),
            }
        }
        if kept.contains(&basic.any) {
            return basic.any;
        }
        let primitives: Vec<TypeId> = kept.iter().copied().filter(|ty| self.is_primitive(*ty)).collect();
        let is_pattern =
            |types: &Self, ty: TypeId| matches!(types.get(ty), Type::Template { .. } | Type::Mapping(..));
        if primitives.len() > 1 && primitives.iter().all(|ty| is_pattern(self, *ty)) {
            // What fits both patterns is not one pattern.
            return self.intern(Type::Intersection(kept.into()));
        }
        let mut narrowest: Option<TypeId> = None;
        for primitive in &primitives {
            narrowest = Some(match narrowest {
                None => *primitive,
                Some(known) if self.is_assignable(*primitive, known) => *primitive,
                Some(known) if self.is_assignable(known, *primitive) => known,
                Some(_) => return basic.never,
            });
        }
        if let Some(narrowest) = narrowest {
            let nothing = matches!(self.get(narrowest), Type::Null | Type::Undefined | Type::Void);
            let others: Vec<TypeId> = kept.iter().copied().filter(|ty| !self.is_primitive(*ty)).collect();
            if !others.is_empty() && (nothing || others.contains(&basic.object)) {
                return basic.never;
            }
            // `string & {}` is `string` for everything that is sent, and the others are brands.
            let others = others.into_iter().filter(|ty| !self.is_empty_object(*ty));
            kept = std::iter::once(narrowest).chain(others.collect::<Vec<_>>()).collect();
        } else if kept.len() > 1 {
            kept.retain(|ty| *ty != basic.object);
            // `T & {}` is an object type as it is.
            let full: Vec<TypeId> = kept.iter().copied().filter(|ty| !self.is_empty_object(*ty)).collect();
            if !full.is_empty() {
                kept = full;
            }
        }
        match kept.as_slice() {
            [] => basic.unknown,
            [only] => *only,
            _ if self.discriminants_conflict(&kept) => basic.never,
            _ => self.intern(Type::Intersection(kept.into())),
        }
    }

    fn is_empty_object(&mut self, ty: TypeId) -> bool {
        let Type::Object(object) = *self.get(ty) else { return false };
        let known = &self.objects[object.place()];
        if known.resolving || !matches!(known.source, Source::Literal { .. } | Source::Given { .. }) {
            return false;
        }
        let members = self.members(object);
        members.props.is_empty()
            && members.indexes.is_empty()
            && members.calls.is_empty()
            && members.constructs.is_empty()
    }

    /// Whether two parts say of one property that it is different literals.
    fn discriminants_conflict(&mut self, parts: &[TypeId]) -> bool {
        let mut known: Vec<(Rc<str>, TypeId)> = Vec::new();
        for part in parts {
            let Type::Object(object) = *self.get(*part) else { continue };
            if self.objects[object.place()].resolving {
                continue;
            }
            for prop in &self.members(object).props {
                if prop.optional {
                    continue;
                }
                let Some(ty) = self.try_force(prop.ty) else { continue };
                if !self.is_unit_union(ty) {
                    continue;
                }
                match known.iter().find(|(name, _)| *name == prop.name) {
                    Some((_, other)) => {
                        let other = *other;
                        let both = self.intersection(&[other, ty]);
                        if *self.get(both) == Type::Never {
                            return true;
                        }
                    }
                    None => known.push((Rc::clone(&prop.name), ty)),
                }
            }
        }
        false
    }

    fn is_unit_union(&self, ty: TypeId) -> bool {
        let members = self.members_of_union(ty);
        !members.is_empty()
            && members.iter().all(|member| {
                matches!(
                    self.get(*member),
                    Type::Literal { .. }
                        | Type::Member { value: Some(_), .. }
                        | Type::Null
                        | Type::Undefined
                        | Type::Boolean
                )
            })
    }

    pub(super) fn is_primitive(&self, ty: TypeId) -> bool {
        matches!(
            self.get(ty),
            Type::String
                | Type::Number(_)
                | Type::Boolean
                | Type::BigInt(_)
                | Type::Symbol
                | Type::Null
                | Type::Undefined
                | Type::Void
                | Type::Literal { .. }
                | Type::Member { .. }
                | Type::Template { .. }
                | Type::Mapping(..)
        )
    }

    /// The members of an intersection of object types: properties of one name are of both types.
    pub(super) fn merged(&mut self, parts: &[TypeId]) -> Members<'g> {
        let mut merged = Members::default();
        for part in parts {
            let Some(members) = self.shape(*part) else { continue };
            for prop in &members.props {
                let prop = match merged.props.iter().find(|known| known.name == prop.name).cloned() {
                    Some(known) => self.both(&known, prop),
                    None => prop.clone(),
                };
                merged.put(prop);
            }
            for index in &members.indexes {
                match merged.indexes.iter_mut().find(|known| known.key == index.key) {
                    Some(known) => {
                        let (a, b) = (known.ty, index.ty);
                        known.ty = self.later(move |types| {
                            let parts = [types.force(a), types.force(b)];
                            types.intersection(&parts)
                        });
                    }
                    None => merged.indexes.push(*index),
                }
            }
            merged.calls.extend(members.calls.iter().cloned());
            merged.constructs.extend(members.constructs.iter().cloned());
        }
        merged
    }

    fn both(&mut self, a: &Prop<'g>, b: &Prop<'g>) -> Prop<'g> {
        let (first, second) = (a.ty, b.ty);
        let ty = self.later(move |types| {
            let parts = [types.force(first), types.force(second)];
            if parts[0] == parts[1] { parts[0] } else { types.intersection(&parts) }
        });
        Prop {
            ty,
            optional: a.optional && b.optional,
            readonly: a.readonly && b.readonly,
            retyped: true,
            declared: a.declared.or(b.declared),
            ..a.clone()
        }
    }
}
