//! Types with type parameters replaced by what a call binds them to.

use std::rc::Rc;

use super::evaluator::Evaluator;
use super::model::{
    Element, Env, Guard, Index, Members, ObjectId, ParamId, Parameter, Prop, Signature, Source, ThunkId,
    Type, TypeId,
};

pub(super) type ParamMap = Rc<[(ParamId, TypeId)]>;

impl<'g> Evaluator<'g> {
    pub(super) fn replaced(&mut self, ty: TypeId, map: &ParamMap) -> TypeId {
        if map.is_empty() {
            return ty;
        }
        let key = (ty, Rc::clone(map));
        if let Some(known) = self.substituted.get(&key) {
            return *known;
        }
        let found = self.bounded(|types| types.replacement(ty, map));
        self.substituted.insert(key, found);
        found
    }

    fn replacement(&mut self, ty: TypeId, map: &ParamMap) -> TypeId {
        match self.get(ty).clone() {
            Type::Param(id) => map.iter().find(|(known, _)| *known == id).map_or(ty, |(_, ty)| *ty),
            Type::Array { element, readonly } => {
                let element = self.replaced(element, map);
                self.intern(Type::Array { element, readonly })
            }
            Type::Tuple { elements, readonly } => {
                let mut replaced = Vec::new();
                for element in elements.iter() {
                    let ty = self.replaced(element.ty, map);
                    let spread = element.rest
                        && matches!(self.get(element.ty), Type::Param(_))
                        && matches!(self.get(ty), Type::Tuple { .. } | Type::Array { .. });
                    if spread {
                        self.spread_element(ty, element.label.clone(), &mut replaced);
                    } else {
                        replaced.push(Element { ty, ..element.clone() });
                    }
                }
                self.tuple(replaced, readonly)
            }
            Type::Union(members) => {
                let members: Vec<TypeId> = members.iter().map(|member| self.replaced(*member, map)).collect();
                self.union(&members)
            }
            Type::Intersection(parts) => {
                let parts: Vec<TypeId> = parts.iter().map(|part| self.replaced(*part, map)).collect();
                self.intersection(&parts)
            }
            Type::Template { texts, types } => {
                let types: Vec<TypeId> = types.iter().map(|ty| self.replaced(*ty, map)).collect();
                self.template(&texts, &types)
            }
            Type::Mapping(case, inner) => {
                let inner = self.replaced(inner, map);
                self.mapping(case, inner)
            }
            Type::Deferred(id) => {
                let (node, env) = self.deferred[id.place()].clone();
                let env = self.replaced_env(&env, map);
                self.annotation(node, &env)
            }
            Type::Object(object) => self.replaced_object(ty, object, map),
            _ => ty,
        }
    }

    fn replaced_env(&mut self, env: &Env<'g>, map: &ParamMap) -> Env<'g> {
        let bindings = env.bindings.iter().map(|(name, ty)| (Rc::clone(name), self.replaced(*ty, map)));
        let bindings = bindings.collect();
        Env { bindings: Rc::new(bindings), ..env.clone() }
    }

    fn replaced_object(&mut self, ty: TypeId, object: ObjectId, map: &ParamMap) -> TypeId {
        let (source, alias) = {
            let object = &self.objects[object.place()];
            (object.source.clone(), object.alias)
        };
        // What is being replaced may lead back here.
        self.substituted.insert((ty, Rc::clone(map)), ty);
        match source {
            Source::Declared { symbol, args } => {
                let replaced: Rc<[TypeId]> = args.iter().map(|arg| self.replaced(*arg, map)).collect();
                if replaced == args { ty } else { self.declared(symbol, replaced) }
            }
            Source::Value(_) | Source::Module(_) => ty,
            Source::Literal { ref env, .. }
            | Source::Function(_, ref env)
            | Source::Mapped { ref env, .. } => {
                let inner = self.replaced_env(env, map);
                if inner.bindings == env.bindings {
                    return ty;
                }
                let source = match source {
                    Source::Literal { node, span, .. } => Source::Literal { node, span, env: inner },
                    Source::Function(node, _) => Source::Function(node, inner),
                    Source::Mapped { node, .. } => Source::Mapped { node, env: inner },
                    other => other,
                };
                self.object(None, source, alias)
            }
            Source::Given { .. } | Source::Replaced(..) => {
                self.object(None, Source::Replaced(object, Rc::clone(map)), alias)
            }
        }
    }

    pub(super) fn replaced_members(&mut self, of: ObjectId, map: &ParamMap) -> Members<'g> {
        let members = self.members(of);
        let props =
            members.props.iter().map(|prop| Prop { ty: self.replaced_later(prop.ty, map), ..prop.clone() });
        let props = props.collect();
        let indexes =
            members.indexes.iter().map(|index| Index { ty: self.replaced_later(index.ty, map), ..*index });
        let indexes = indexes.collect();
        let calls = members.calls.iter().map(|call| Rc::new(self.replaced_signature(call, map))).collect();
        let constructs =
            members.constructs.iter().map(|call| Rc::new(self.replaced_signature(call, map))).collect();
        Members { props, indexes, calls, constructs }
    }

    fn replaced_later(&mut self, thunk: ThunkId, map: &ParamMap) -> ThunkId {
        let map = Rc::clone(map);
        self.later(move |types| {
            let ty = types.force(thunk);
            types.replaced(ty, &map)
        })
    }

    pub(super) fn replaced_signature(&mut self, signature: &Signature, map: &ParamMap) -> Signature {
        let params = signature.params.iter().map(|param| {
            let ty = self.replaced_later(param.ty, map);
            Parameter { ty, ..param.clone() }
        });
        let params = params.collect();
        let returns = self.replaced_later(signature.returns, map);
        let left = signature.type_params.iter();
        let left = left.filter(|param| !map.iter().any(|(id, _)| *id == param.id)).cloned().collect();
        let guard = signature
            .guard
            .map(|guard| Guard { ty: guard.ty.map(|ty| self.replaced_later(ty, map)), ..guard });
        Signature { type_params: left, params, returns, guard, is_method: signature.is_method }
    }
}
