//! What type parameters have to be for a type to fit a pattern: `infer`, and the type arguments of calls.
//!
//! ```text
//! string[]  against  (infer E)[]   →   E = string
//! ```

use std::rc::Rc;

use super::declared::is_library_subtype;
use super::evaluator::Evaluator;
use super::model::{Element, ParamId, Signature, Type, TypeId};
use crate::parse::limits::RELATION_DEPTH_MAX;

/// What was found for one parameter.
struct Candidates {
    id: ParamId,
    /// From where values come out.
    out: Vec<TypeId>,
    /// From where values go in: parameters of functions.
    into: Vec<TypeId>,
}

struct Match {
    candidates: Vec<Candidates>,
    seen: Vec<(TypeId, TypeId)>,
    contravariant: bool,
    depth: usize,
}

impl<'g> Evaluator<'g> {
    /// The types of the parameters for which the source fits the pattern, as far as they are found.
    pub(super) fn matched(
        &mut self,
        source: TypeId,
        pattern: TypeId,
        ids: &[ParamId],
    ) -> Vec<(ParamId, TypeId)> {
        self.matched_all(&[(source, pattern)], ids, false)
    }

    /// As [`Self::matched`], from several pairs. For arguments of calls, literals become their base types unless the
    /// parameter's constraint wants them.
    pub(super) fn matched_all(
        &mut self,
        pairs: &[(TypeId, TypeId)],
        ids: &[ParamId],
        arguments: bool,
    ) -> Vec<(ParamId, TypeId)> {
        let candidates = ids.iter().map(|id| Candidates { id: *id, out: Vec::new(), into: Vec::new() });
        let mut state =
            Match { candidates: candidates.collect(), seen: Vec::new(), contravariant: false, depth: 0 };
        for (source, pattern) in pairs {
            self.match_types(*source, *pattern, &mut state);
        }
        let mut found = Vec::new();
        for candidates in state.candidates {
            let ty = if !candidates.out.is_empty() {
                if arguments {
                    self.best_argument(candidates.id, &candidates.out)
                } else {
                    self.union(&candidates.out)
                }
            } else if !candidates.into.is_empty() {
                self.intersection(&candidates.into)
            } else {
                continue;
            };
            found.push((candidates.id, ty));
        }
        found
    }

    fn best_argument(&mut self, id: ParamId, candidates: &[TypeId]) -> TypeId {
        let constraint = self.params[id.place()].constraint.map(|constraint| self.force(constraint));
        let keeps = constraint.is_some_and(|constraint| {
            self.members_of_union(constraint)
                .into_iter()
                .any(|member| self.is_primitive(member) || self.is_open(member))
        });
        let types: Vec<TypeId> =
            candidates.iter().map(|ty| if keeps { self.regular(*ty) } else { self.widened(*ty) }).collect();
        self.subtype_union(&types)
    }

    fn match_types(&mut self, source: TypeId, pattern: TypeId, state: &mut Match) {
        let (source, pattern) = (self.forced(source), self.forced(pattern));
        self.spend(1);
        if source == pattern || state.depth > RELATION_DEPTH_MAX || self.spent() {
            return;
        }
        if let Type::Param(id) = *self.get(pattern)
            && let Some(known) = state.candidates.iter_mut().find(|known| known.id == id)
        {
            let list = if state.contravariant { &mut known.into } else { &mut known.out };
            if !list.contains(&source) {
                list.push(source);
            }
            return;
        }
        if state.seen.contains(&(source, pattern)) {
            return;
        }
        state.seen.push((source, pattern));
        state.depth += 1;
        self.match_structure(source, pattern, state);
        state.depth -= 1;
    }

    fn match_structure(&mut self, source: TypeId, pattern: TypeId, state: &mut Match) {
        match (self.get(source).clone(), self.get(pattern).clone()) {
            (Type::Any | Type::Error | Type::Opaque(_), to) => self.match_any(source, &to, state),
            (_, Type::Union(members)) => self.match_union(source, &members, state),
            (Type::Union(_), _) => {
                for member in self.members_of_union(source) {
                    self.match_types(member, pattern, state);
                }
            }
            (_, Type::Intersection(parts)) => {
                parts.iter().for_each(|part| self.match_types(source, *part, state));
            }
            (Type::Array { element, .. }, Type::Array { element: to, .. }) => {
                self.match_types(element, to, state);
            }
            (Type::Tuple { elements, .. }, Type::Array { element: to, .. }) => {
                let from = self.element_union(&elements);
                self.match_types(from, to, state);
            }
            (Type::Tuple { elements, .. }, Type::Tuple { elements: to, .. }) => {
                self.match_tuples(&elements, &to, state);
            }
            (Type::Array { element, .. }, Type::Tuple { elements: to, .. }) => {
                for to in to.iter() {
                    let whole = to.rest && matches!(self.get(to.ty), Type::Param(_));
                    self.match_types(if whole { source } else { element }, to.ty, state);
                }
            }
            (_, Type::Template { texts, types }) => {
                if let Some(found) = self.template_matches(source, &texts, &types) {
                    for (from, to) in found {
                        self.match_types(from, to, state);
                    }
                }
            }
            (_, Type::Mapping(_, to)) => self.match_types(source, to, state),
            (_, Type::Object(_)) => self.match_objects(source, pattern, state),
            _ => {}
        }
    }

    fn match_any(&mut self, source: TypeId, pattern: &Type, state: &mut Match) {
        let inner: Vec<TypeId> = match pattern {
            Type::Array { element, .. } => vec![*element],
            Type::Union(members) | Type::Intersection(members) => members.to_vec(),
            Type::Tuple { elements, .. } => elements.iter().map(|element| element.ty).collect(),
            _ => Vec::new(),
        };
        inner.into_iter().for_each(|to| self.match_types(source, to, state));
    }

    fn match_union(&mut self, source: TypeId, members: &[TypeId], state: &mut Match) {
        let sources = self.members_of_union(source);
        let is_param = |types: &Self, ty: &TypeId| matches!(types.get(*ty), Type::Param(id) if state.candidates.iter().any(|known| known.id == *id));
        let naked: Vec<TypeId> = members.iter().copied().filter(|ty| is_param(self, ty)).collect();
        let others: Vec<TypeId> = members.iter().copied().filter(|ty| !is_param(self, ty)).collect();
        let mut left = Vec::new();
        for from in sources {
            if others.contains(&from) {
                continue;
            }
            let before: usize = state.candidates.iter().map(|known| known.out.len() + known.into.len()).sum();
            for to in &others {
                self.match_types(from, *to, state);
            }
            let after: usize = state.candidates.iter().map(|known| known.out.len() + known.into.len()).sum();
            if before == after {
                left.push(from);
            }
        }
        if !left.is_empty() {
            let rest = self.union(&left);
            naked.into_iter().for_each(|to| self.match_types(rest, to, state));
        }
    }

    /// `[a, ...b, c]` against `[X, ...R, Y]`.
    fn match_tuples(&mut self, from: &[Element], to: &[Element], state: &mut Match) {
        let Some(rest) = to.iter().position(|element| element.rest) else {
            for (from, to) in from.iter().zip(to) {
                self.match_types(from.ty, to.ty, state);
            }
            return;
        };
        let trailing = to.len() - rest - 1;
        if from.len() < rest + trailing {
            return;
        }
        for (from, to) in from.iter().take(rest).zip(to) {
            self.match_types(from.ty, to.ty, state);
        }
        let middle = &from[rest..from.len() - trailing];
        let inner = to[rest].ty;
        if matches!(self.get(inner), Type::Param(_)) {
            let middle = match middle {
                [only] if only.rest && !matches!(self.get(only.ty), Type::Param(_)) => self.array(only.ty),
                _ => self.tuple(middle.to_vec(), false),
            };
            self.match_types(middle, inner, state);
        } else {
            for from in middle {
                self.match_types(from.ty, inner, state);
            }
        }
        for (from, to) in from[from.len() - trailing..].iter().zip(&to[rest + 1..]) {
            self.match_types(from.ty, to.ty, state);
        }
    }

    fn match_objects(&mut self, source: TypeId, pattern: TypeId, state: &mut Match) {
        if let (Some((a, from)), Some((b, to))) = (self.library_view(source), self.library_name(pattern))
            && is_library_subtype(&a, &b)
        {
            for (from, to) in from.iter().zip(to.iter()) {
                self.match_types(*from, *to, state);
            }
            return;
        }
        if let (Some((a, from)), Some((b, to))) = (self.declared_args(source), self.declared_args(pattern))
            && a == b
        {
            for (from, to) in from.iter().zip(to.iter()) {
                self.match_types(*from, *to, state);
            }
            return;
        }
        let Some(wanted) = self.shape(pattern) else { return };
        let Some(given) = self.apparent(source) else { return };
        for prop in &wanted.props {
            let Some(known) = given.prop(&prop.name) else { continue };
            if let (Some(from), Some(to)) = (self.try_force(known.ty), self.try_force(prop.ty)) {
                let from = if known.optional && !prop.optional {
                    self.union(&[from, self.basic.undefined])
                } else {
                    from
                };
                self.match_types(from, to, state);
            }
        }
        for index in &wanted.indexes {
            let to = self.force(index.ty);
            let from = match self.index_signature(&given, index.key) {
                Some(from) => from,
                None => {
                    let types: Vec<TypeId> = given.props.iter().map(|prop| self.force(prop.ty)).collect();
                    self.union(&types)
                }
            };
            self.match_types(from, to, state);
        }
        self.match_signatures(&given.calls, &wanted.calls, state);
        self.match_signatures(&given.constructs, &wanted.constructs, state);
    }

    fn declared_args(&self, ty: TypeId) -> Option<(super::model::SymbolId, Rc<[TypeId]>)> {
        let Type::Object(object) = self.get(ty) else { return None };
        match &self.objects[object.place()].source {
            super::model::Source::Declared { symbol, args } if !args.is_empty() => {
                Some((*symbol, Rc::clone(args)))
            }
            _ => None,
        }
    }

    /// Of overloads the last one is matched.
    fn match_signatures(&mut self, given: &[Rc<Signature>], wanted: &[Rc<Signature>], state: &mut Match) {
        let (Some(from), Some(to)) = (given.last().cloned(), wanted.last().cloned()) else { return };
        let from = self.in_context(&from, &to);
        state.contravariant = !state.contravariant;
        for (place, param) in to.params.iter().enumerate() {
            let target = self.force(param.ty);
            if param.rest && matches!(self.get(target), Type::Param(_)) {
                let rest = self.rest_tuple(&from, place);
                // Parameters as a whole are what comes out of `Parameters`.
                let variance = std::mem::replace(&mut state.contravariant, false);
                self.match_types(rest, target, state);
                state.contravariant = variance;
            } else if param.rest {
                let rest = self.rest_tuple(&from, place);
                self.match_types(rest, target, state);
            } else if let Some(source) = self.param_at(&from, place) {
                self.match_types(source, target, state);
            }
        }
        state.contravariant = !state.contravariant;
        if let (Some(source), Some(target)) =
            (from.guard.and_then(|guard| guard.ty), to.guard.and_then(|guard| guard.ty))
        {
            let (source, target) = (self.force(source), self.force(target));
            self.match_types(source, target, state);
        }
        let (source, target) = (self.force(from.returns), self.force(to.returns));
        self.match_types(source, target, state);
    }

    /// The parameters of a function from a place on, as a tuple.
    pub(super) fn rest_tuple(&mut self, signature: &Signature, from: usize) -> TypeId {
        if let [only] = &signature.params[from.min(signature.params.len())..]
            && only.rest
        {
            return self.force(only.ty);
        }
        let mut elements = Vec::new();
        for param in signature.params.iter().skip(from) {
            let ty = self.force(param.ty);
            if param.rest {
                self.spread_element(ty, Some(Rc::clone(&param.name)), &mut elements);
            } else {
                let label = Some(Rc::clone(&param.name));
                let ty = if param.optional { self.without_undefined(ty) } else { ty };
                elements.push(Element { label, ty, optional: param.optional, rest: false });
            }
        }
        self.tuple(elements, false)
    }

    /// A signature with its type parameters replaced by what the parameters of another make of them, or by what they extend.
    pub(super) fn in_context(&mut self, given: &Rc<Signature>, wanted: &Signature) -> Rc<Signature> {
        if given.type_params.is_empty() {
            return Rc::clone(given);
        }
        let ids: Vec<ParamId> = given.type_params.iter().map(|param| param.id).collect();
        let mut pairs = Vec::new();
        for place in 0..given.params.len() {
            if let (Some(from), Some(to)) = (self.param_at(wanted, place), self.param_at(given, place)) {
                pairs.push((from, to));
            }
        }
        let mut found = self.matched_all(&pairs, &ids, false);
        found.retain(|(_, ty)| !self.is_open(*ty) && *self.get(*ty) != Type::Any);
        if found.is_empty() {
            return self.erased(given);
        }
        let known = Rc::new(self.replaced_signature(given, &found.into()));
        self.erased(&known)
    }

    /// A signature with its type parameters replaced by what they extend.
    pub(super) fn erased(&mut self, signature: &Rc<Signature>) -> Rc<Signature> {
        if signature.type_params.is_empty() {
            return Rc::clone(signature);
        }
        let map: Vec<(ParamId, TypeId)> = signature
            .type_params
            .iter()
            .map(|param| {
                let constraint = param.constraint.map(|constraint| self.force(constraint));
                (param.id, constraint.unwrap_or(self.basic.unknown))
            })
            .collect();
        Rc::new(self.replaced_signature(signature, &map.into()))
    }
}
