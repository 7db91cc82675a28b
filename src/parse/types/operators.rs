//! `keyof T` and `T[K]`.

use std::rc::Rc;

use swc_common::Span;

use super::diagnostics;
use super::evaluator::Evaluator;
use super::model::{Env, Members, Source, Type, TypeId};
use crate::contract::Literal;

impl<'g> Evaluator<'g> {
    /// Whether a type is or has an operator on a type parameter that is not bound.
    pub(super) fn is_open(&self, ty: TypeId) -> bool {
        match self.get(ty) {
            Type::Param(_) | Type::Deferred(_) => true,
            Type::Union(members) | Type::Intersection(members) => {
                members.iter().any(|member| matches!(self.get(*member), Type::Param(_) | Type::Deferred(_)))
            }
            Type::Template { types, .. } => types.iter().any(|ty| self.is_open(*ty)),
            Type::Mapping(_, ty) => self.is_open(*ty),
            _ => false,
        }
    }

    /// The members of an object type or of an intersection with one.
    pub(super) fn shape(&mut self, ty: TypeId) -> Option<Rc<Members<'g>>> {
        match self.get(ty).clone() {
            Type::Object(object) => Some(self.members(object)),
            Type::Intersection(parts) => {
                if let Some(known) = self.merged_members.get(&ty) {
                    return Some(Rc::clone(known));
                }
                let merged = Rc::new(self.merged(&parts));
                self.merged_members.insert(ty, Rc::clone(&merged));
                Some(merged)
            }
            _ => None,
        }
    }

    /// The members that a value of a type has, those of the library for primitives and arrays.
    pub(super) fn apparent(&mut self, ty: TypeId) -> Option<Rc<Members<'g>>> {
        let library = match self.get(ty).clone() {
            Type::String | Type::Template { .. } | Type::Mapping(..) => self.library("String", &[]),
            Type::Number(_) => self.library("Number", &[]),
            Type::BigInt(_) => self.library("BigInt", &[]),
            Type::Boolean => self.library("Boolean", &[]),
            Type::Literal { value, .. } | Type::Member { value: Some(value), .. } => {
                let name = match value {
                    Literal::String(_) => "String",
                    Literal::Number(_) => "Number",
                    Literal::BigInt(_) => "BigInt",
                    Literal::Boolean(_) => "Boolean",
                };
                self.library(name, &[])
            }
            Type::Array { element, .. } => self.library("ArrayMembers", &[element]),
            Type::Tuple { elements, .. } => {
                let element = self.element_union(&elements);
                self.library("ArrayMembers", &[element])
            }
            Type::Param(param) => {
                let constraint = self.params[param.place()].constraint?;
                let constraint = self.force(constraint);
                return self.apparent(constraint);
            }
            _ => ty,
        };
        self.shape(library)
    }

    /// `keyof T`; `None` where it depends on a type parameter.
    pub(super) fn keys_of(&mut self, ty: TypeId) -> Option<TypeId> {
        let basic = self.basic;
        match self.get(ty).clone() {
            Type::Any | Type::Never => Some(self.union(&[basic.string, basic.number, basic.symbol])),
            Type::Error | Type::Excess | Type::Opaque(_) => Some(ty),
            Type::Param(_) | Type::Deferred(_) => None,
            Type::Union(_) => {
                let members = self.members_of_union(ty);
                let keys: Option<Vec<TypeId>> =
                    members.into_iter().map(|member| self.keys_of(member)).collect();
                Some(self.intersection(&keys?))
            }
            Type::Intersection(parts) => {
                let keys: Option<Vec<TypeId>> = parts.iter().map(|part| self.keys_of(*part)).collect();
                Some(self.union(&keys?))
            }
            Type::Unknown | Type::Null | Type::Undefined | Type::Void | Type::NonPrimitive | Type::Symbol => {
                Some(basic.never)
            }
            Type::Tuple { elements, .. } => {
                let mut keys = vec![basic.number];
                for place in 0..elements.iter().filter(|element| !element.rest).count() {
                    keys.push(self.text(&place.to_string()));
                }
                let members = self.apparent(ty)?;
                keys.extend(members.props.iter().map(|prop| self.text(&prop.name)).collect::<Vec<_>>());
                Some(self.union(&keys))
            }
            Type::Array { .. } => {
                let members = self.apparent(ty)?;
                let mut keys = vec![basic.number];
                keys.extend(members.props.iter().map(|prop| self.text(&prop.name)).collect::<Vec<_>>());
                Some(self.union(&keys))
            }
            Type::Object(object) if self.mapped_over(object).is_some() => self.mapped_over(object),
            _ => {
                let members = self.apparent(ty)?;
                let mut keys: Vec<TypeId> = Vec::new();
                for prop in &members.props {
                    keys.push(self.key_type(&prop.name, prop.numeric()));
                }
                // The numbers that an enum maps back to names are no keys of it.
                let is_value = matches!(self.get(ty), Type::Object(object)
                    if matches!(self.objects[object.place()].source, Source::Value(_)));
                for index in members.indexes.iter().filter(|_| !is_value) {
                    keys.push(index.key);
                    if index.key == basic.string {
                        keys.push(basic.number);
                    }
                }
                Some(self.union(&keys))
            }
        }
    }

    /// What the key of a mapped type without `as` goes over.
    fn mapped_over(&mut self, object: super::model::ObjectId) -> Option<TypeId> {
        let Source::Mapped { node, env } = self.objects[object.place()].source.clone() else { return None };
        let constraint = node.type_param.constraint.as_deref().filter(|_| node.name_type.is_none())?;
        Some(self.annotation(constraint, &env))
    }

    /// The type of a property's name.
    pub(super) fn key_type(&mut self, name: &str, numeric: bool) -> TypeId {
        if numeric {
            return self.literal(Literal::Number(name.to_owned()));
        }
        self.text(name)
    }

    /// `T[K]`; `None` where there is no such property, or where it depends on a type parameter.
    pub(super) fn access(&mut self, object: TypeId, index: TypeId, declared: bool) -> Option<TypeId> {
        if matches!(self.get(index), Type::Error | Type::Excess | Type::Opaque(_)) {
            return Some(index);
        }
        if matches!(self.get(index), Type::Union(_)) {
            let members = self.members_of_union(index);
            let found: Option<Vec<TypeId>> =
                members.into_iter().map(|member| self.access(object, member, declared)).collect();
            return Some(self.union(&found?));
        }
        match self.get(object).clone() {
            Type::Any | Type::Error | Type::Excess | Type::Opaque(_) => Some(object),
            Type::Never => Some(object),
            Type::Union(_) => {
                let members = self.members_of_union(object);
                let found: Option<Vec<TypeId>> =
                    members.into_iter().map(|member| self.access(member, index, declared)).collect();
                Some(self.union(&found?))
            }
            Type::Param(_) | Type::Deferred(_) if declared => None,
            Type::Array { element, .. } => match self.get(index).clone() {
                Type::Number(_) | Type::Literal { value: Literal::Number(_), .. } => Some(element),
                _ => self.access_property(object, index),
            },
            Type::Tuple { elements, .. } => self.access_tuple(object, &elements, index),
            _ => self.access_property(object, index),
        }
    }

    fn access_tuple(
        &mut self,
        object: TypeId,
        elements: &[super::model::Element],
        index: TypeId,
    ) -> Option<TypeId> {
        let key = match self.get(index).clone() {
            Type::Number(_) => return Some(self.element_union(elements)),
            Type::Literal { value: Literal::Number(text) | Literal::String(text), .. } => text,
            _ => return self.access_property(object, index),
        };
        let fixed = elements.iter().all(|element| !element.rest && !element.optional);
        if key == "length" {
            return Some(if fixed {
                self.literal(Literal::Number(elements.len().to_string()))
            } else {
                self.tuple_length(elements)
            });
        }
        let Ok(place) = key.parse::<usize>() else { return self.access_property(object, index) };
        let rest = elements.iter().position(|element| element.rest);
        let found = match (elements.get(place), rest) {
            (Some(element), None) => element.clone(),
            (Some(element), Some(rest)) if place < rest => element.clone(),
            (_, Some(rest)) => {
                let types: Vec<TypeId> = elements[rest..].iter().map(|element| element.ty).collect();
                return Some(self.union(&types));
            }
            (None, None) => return Some(self.basic.undefined),
        };
        if found.optional {
            return Some(self.union(&[found.ty, self.basic.undefined]));
        }
        Some(found.ty)
    }

    fn tuple_length(&mut self, elements: &[super::model::Element]) -> TypeId {
        if elements.iter().any(|element| element.rest) {
            return self.basic.number;
        }
        let least = elements.iter().filter(|element| !element.optional).count();
        let lengths: Vec<TypeId> = (least..=elements.len())
            .map(|length| self.literal(Literal::Number(length.to_string())))
            .collect();
        self.union(&lengths)
    }

    /// What an element of a tuple may be.
    pub(super) fn element_union(&mut self, elements: &[super::model::Element]) -> TypeId {
        let mut types: Vec<TypeId> = elements.iter().map(|element| element.ty).collect();
        if elements.iter().any(|element| element.optional) {
            types.push(self.basic.undefined);
        }
        self.union(&types)
    }

    fn access_property(&mut self, object: TypeId, index: TypeId) -> Option<TypeId> {
        let members = self.apparent(object)?;
        if let Type::Literal { value: Literal::String(name) | Literal::Number(name), .. }
        | Type::Member { value: Some(Literal::String(name) | Literal::Number(name)), .. } =
            self.get(index).clone()
            && let Some(prop) = members.prop(&name)
        {
            let (ty, optional) = (prop.ty, prop.optional);
            let ty = self.force(ty);
            return Some(if optional { self.union(&[ty, self.basic.undefined]) } else { ty });
        }
        self.index_signature(&members, index)
    }

    pub(super) fn index_signature(&mut self, members: &Members<'g>, index: TypeId) -> Option<TypeId> {
        let numeric = match self.get(index) {
            Type::Number(_) | Type::Literal { value: Literal::Number(_), .. } => true,
            Type::Literal { value: Literal::String(text), .. } => text.parse::<f64>().is_ok(),
            _ => false,
        };
        let applies = |types: &mut Self, key: TypeId| {
            types.is_assignable(index, key)
                || (numeric && (key == types.basic.string || matches!(types.get(key), Type::Number(_))))
        };
        // The number signature is the narrower one.
        let mut indexes = members.indexes.clone();
        indexes.sort_by_key(|index| !matches!(self.get(index.key), Type::Number(_)));
        for signature in indexes {
            if applies(self, signature.key) {
                return Some(self.force(signature.ty));
            }
        }
        None
    }

    pub(super) fn bad_access(&mut self, object: TypeId, index: TypeId, span: Span, env: &Env<'g>) -> TypeId {
        if matches!(self.get(object), Type::Unknown) {
            return self.basic.unknown;
        }
        let what = format!("`{}[{}]`, which is no property,", self.text_of(object), self.text_of(index));
        self.report_at(env, span, |at| diagnostics::cannot_send(&what, at))
    }
}
