//! Mapped types.
//!
//! ```text
//! { [K in keyof T]?: T[K] }   keeps what T's properties are: their marks, `readonly`, `?`, and arrays as arrays
//! ```

use std::rc::Rc;

use swc_ecma_ast::{TruePlusMinus, TsMappedType, TsType, TsTypeOperatorOp};

use super::evaluator::{Evaluator, ObjectKey};
use super::model::{AliasId, Element, Env, Index, Members, Prop, PropKind, Source, Type, TypeId};
use crate::contract::Literal;

impl<'g> Evaluator<'g> {
    pub(super) fn mapped(
        &mut self,
        whole: &'g TsType,
        node: &'g TsMappedType,
        env: &Env<'g>,
        host: Option<AliasId>,
    ) -> TypeId {
        if let Some(source) = self.homomorphic_source(node, env) {
            // Over what a type parameter stands for; `keyof string[]` is a list of keys as any other.
            let keeps = homomorphic_name(node).is_some_and(|name| env.bound(&name).is_some());
            match self.get(source).clone() {
                Type::Param(_) | Type::Deferred(_) => return self.defer(whole, env),
                Type::Error | Type::Excess => return source,
                // Over a union it is a union of mapped types, where it is over a type parameter.
                Type::Union(_) => {
                    if let Some(name) = homomorphic_name(node).filter(|name| env.bound(name).is_some()) {
                        let members = self.members_of_union(source);
                        let mapped: Vec<TypeId> = members
                            .into_iter()
                            .map(|member| self.mapped(whole, node, &env.bind(&name, member), None))
                            .collect();
                        return self.union(&mapped);
                    }
                }
                Type::Array { element, readonly } if keeps && node.name_type.is_none() => {
                    let number = self.basic.number;
                    let element = self.mapped_value(node, env, number, Some(element));
                    let element = self.mapped_element(node, element, true);
                    let readonly = modified(node.readonly, readonly);
                    return self.intern(Type::Array { element, readonly });
                }
                Type::Tuple { elements, readonly } if keeps && node.name_type.is_none() => {
                    return self.mapped_tuple(node, env, &elements, readonly);
                }
                _ if keeps && self.is_primitive(source) && node.name_type.is_none() => return source,
                _ => {}
            }
        } else if let Some(constraint) = node.type_param.constraint.as_deref() {
            let keys = self.annotation(constraint, env);
            if self.is_open(keys) {
                return self.defer(whole, env);
            }
            if matches!(self.get(keys), Type::Error | Type::Excess) {
                return keys;
            }
        }
        let key = ObjectKey::Node(std::ptr::from_ref(node) as usize, Rc::clone(&env.bindings), host);
        self.object(Some(key), Source::Mapped { node, env: env.clone() }, host)
    }

    /// The `T` of `keyof T`, also behind a type parameter `K extends keyof T`.
    fn homomorphic_source(&mut self, node: &'g TsMappedType, env: &Env<'g>) -> Option<TypeId> {
        match node.type_param.constraint.as_deref()? {
            TsType::TsTypeOperator(operator) if operator.op == TsTypeOperatorOp::KeyOf => {
                Some(self.annotation(&operator.type_ann, env))
            }
            _ => None,
        }
    }

    /// An element of any number: with `?` it may be `undefined`, with `-?` it is not.
    fn mapped_element(&mut self, node: &TsMappedType, ty: TypeId, rest: bool) -> TypeId {
        match node.optional {
            Some(TruePlusMinus::True | TruePlusMinus::Plus) => {
                let undefined = self.basic.undefined;
                self.union(&[ty, undefined])
            }
            Some(TruePlusMinus::Minus) if rest => self.without_undefined(ty),
            Some(TruePlusMinus::Minus) | None => ty,
        }
    }

    fn mapped_tuple(
        &mut self,
        node: &'g TsMappedType,
        env: &Env<'g>,
        elements: &[Element],
        readonly: bool,
    ) -> TypeId {
        let mut mapped = Vec::new();
        for (place, element) in elements.iter().enumerate() {
            let key = self.text(&place.to_string());
            let ty = self.mapped_value(node, env, key, Some(element.ty));
            let optional = modified(node.optional, element.optional) && !element.rest;
            let ty = if element.rest {
                self.mapped_element(node, ty, true)
            } else if element.optional && !optional {
                self.without_undefined(ty)
            } else {
                ty
            };
            mapped.push(Element { ty, optional, ..element.clone() });
        }
        let readonly = modified(node.readonly, readonly);
        self.tuple(mapped, readonly)
    }

    fn mapped_value(
        &mut self,
        node: &'g TsMappedType,
        env: &Env<'g>,
        key: TypeId,
        same: Option<TypeId>,
    ) -> TypeId {
        let Some(template) = node.type_ann.as_deref() else { return self.basic.any };
        // `T[K]` itself: reading it through the tuple would add `undefined`.
        if let Some(same) = same.filter(|_| is_own_value(node)) {
            return same;
        }
        let env = self.key_env(node, env, key);
        self.annotation(template, &env)
    }

    /// Where the key of a mapped type is bound, with what it is a key of.
    fn key_env(&mut self, node: &'g TsMappedType, env: &Env<'g>, key: TypeId) -> Env<'g> {
        let name = &node.type_param.name.sym;
        let inner = env.bind(name, key);
        match self.homomorphic_source(node, env) {
            Some(source) => inner.bind(&source_binding(name), source),
            None => inner,
        }
    }

    pub(super) fn mapped_members(&mut self, node: &'g TsMappedType, env: &Env<'g>) -> Members<'g> {
        let mut members = Members::default();
        let source = self.homomorphic_source(node, env).or_else(|| self.source_of_keys(node, env));
        let keys = match (node.type_param.constraint.as_deref(), source) {
            (Some(TsType::TsTypeOperator(operator)), Some(source))
                if operator.op == TsTypeOperatorOp::KeyOf =>
            {
                return self.homomorphic_members(node, env, source);
            }
            (Some(constraint), _) => self.annotation(constraint, env),
            (None, _) => self.basic.never,
        };
        let from = source.and_then(|source| self.apparent(source));
        let keys = self.members_of_union(keys);
        self.mapped_keys(node, env, &keys, from.as_deref(), &mut members);
        members
    }

    /// Of `keyof T` every property and index signature of T, also where the one takes in the other.
    fn homomorphic_members(&mut self, node: &'g TsMappedType, env: &Env<'g>, source: TypeId) -> Members<'g> {
        let mut members = Members::default();
        let object = matches!(self.get(source), Type::Object(_) | Type::Intersection(_));
        let keys = match self.apparent(source).filter(|_| object) {
            Some(from) => {
                let mut keys: Vec<TypeId> =
                    from.props.iter().map(|prop| self.key_type(&prop.name, prop.numeric())).collect();
                keys.extend(from.indexes.iter().map(|index| index.key));
                self.mapped_keys(node, env, &keys, Some(&from), &mut members);
                return members;
            }
            None => self.keys_of(source).unwrap_or(self.basic.never),
        };
        let from = self.apparent(source);
        let keys = self.members_of_union(keys);
        self.mapped_keys(node, env, &keys, from.as_deref(), &mut members);
        members
    }

    fn mapped_keys(
        &mut self,
        node: &'g TsMappedType,
        env: &Env<'g>,
        keys: &[TypeId],
        from: Option<&Members<'g>>,
        members: &mut Members<'g>,
    ) {
        for key in keys.iter().copied() {
            self.spend(1);
            if self.spent() {
                break;
            }
            let original = match self.get(key).clone() {
                Type::Literal { value: Literal::String(name) | Literal::Number(name), .. } => {
                    from.and_then(|from| from.prop(&name).cloned())
                }
                _ => None,
            };
            let from_index = from.and_then(|from| {
                let found = from.indexes.iter().find(|index| index.key == key);
                found.map(|index| index.readonly)
            });
            let renamed = match node.name_type.as_deref() {
                Some(name) => {
                    let env = self.key_env(node, env, key);
                    self.annotation(name, &env)
                }
                None => key,
            };
            for name in self.members_of_union(renamed) {
                self.mapped_member(node, env, (key, name), original.as_ref(), from_index, members);
            }
        }
    }

    /// `Pick`'s `[P in K]` with `K extends keyof T` keeps what T's properties are.
    fn source_of_keys(&self, node: &'g TsMappedType, env: &Env<'g>) -> Option<TypeId> {
        let TsType::TsTypeRef(reference) = node.type_param.constraint.as_deref()? else { return None };
        let name = reference.type_name.as_ident()?;
        env.bound(&source_binding(&name.sym))
    }

    fn mapped_member(
        &mut self,
        node: &'g TsMappedType,
        env: &Env<'g>,
        (key, name): (TypeId, TypeId),
        original: Option<&Prop<'g>>,
        index_readonly: Option<bool>,
        members: &mut Members<'g>,
    ) {
        let optional = modified(node.optional, original.is_some_and(|prop| prop.optional));
        let readonly =
            modified(node.readonly, original.map_or(index_readonly.unwrap_or(false), |prop| prop.readonly));
        let strips = original.is_some_and(|prop| prop.optional) && !optional;
        let env = env.clone();
        let same = original.map(|prop| prop.ty).filter(|_| is_own_value(node));
        let ty = self.later(move |types| {
            let same = same.map(|same| types.force(same));
            let value = types.mapped_value(node, &env, key, same);
            if strips { types.without_undefined(value) } else { value }
        });
        match self.get(name).clone() {
            Type::Literal { value: Literal::String(text) | Literal::Number(text), .. }
            | Type::Member { value: Some(Literal::String(text) | Literal::Number(text)), .. } => {
                members.put(Prop {
                    name: Rc::from(text.as_str()),
                    ty,
                    optional,
                    readonly,
                    kind: original.map_or(PropKind::Field, |prop| prop.kind),
                    declared: original.and_then(|prop| prop.declared),
                    retyped: same.is_none() || original.is_some_and(|prop| prop.retyped),
                });
            }
            Type::String | Type::Number(_) | Type::Template { .. } | Type::Mapping(..)
                if !members.indexes.iter().any(|known| known.key == name) =>
            {
                members.indexes.push(Index { key: name, ty, readonly });
            }
            // A mapped type over `any` is one over strings.
            Type::Any => members.indexes.push(Index { key: self.basic.string, ty, readonly }),
            _ => {}
        }
    }

    pub(super) fn without_undefined(&mut self, ty: TypeId) -> TypeId {
        let members = self.members_of_union(ty);
        let undefined = self.basic.undefined;
        let kept: Vec<TypeId> = members.into_iter().filter(|member| *member != undefined).collect();
        self.union(&kept)
    }
}

/// Whether the value is `T[K]` of the mapped type's own key.
fn is_own_value(node: &TsMappedType) -> bool {
    let Some(TsType::TsIndexedAccessType(access)) = node.type_ann.as_deref() else { return false };
    let key = access.index_type.as_ts_type_ref().and_then(|key| key.type_name.as_ident());
    let source = access.obj_type.as_ts_type_ref().and_then(|source| source.type_name.as_ident());
    let same_source = match node.type_param.constraint.as_deref() {
        Some(TsType::TsTypeOperator(operator)) => operator
            .type_ann
            .as_ts_type_ref()
            .and_then(|of| of.type_name.as_ident())
            .zip(source)
            .is_some_and(|(of, source)| of.sym == source.sym),
        Some(TsType::TsTypeRef(_)) => source.is_some(),
        _ => false,
    };
    same_source && key.is_some_and(|key| key.sym == node.type_param.name.sym)
}

/// The type parameter `T` of `keyof T`.
fn homomorphic_name(node: &TsMappedType) -> Option<String> {
    let TsType::TsTypeOperator(operator) = node.type_param.constraint.as_deref()? else { return None };
    Some(operator.type_ann.as_ts_type_ref()?.type_name.as_ident()?.sym.to_string())
}

fn modified(modifier: Option<TruePlusMinus>, before: bool) -> bool {
    match modifier {
        Some(TruePlusMinus::True | TruePlusMinus::Plus) => true,
        Some(TruePlusMinus::Minus) => false,
        None => before,
    }
}

/// Under which name the `T` of a type parameter `K extends keyof T` is bound beside `K`.
pub(super) fn source_binding(name: &str) -> String {
    format!("{name} extends keyof")
}
