//! The members of classes: public fields and what instances inherit.

use std::rc::Rc;

use swc_common::Spanned;
use swc_ecma_ast::{
    Accessibility, Class, ClassMember, ClassMethod, MethodKind, ParamOrTsParamProp, Pat, TsParamProp,
    TsParamPropParam,
};

use super::evaluator::Evaluator;
use super::model::{Env, Members, Prop, PropKind, PropSite};

impl<'g> Evaluator<'g> {
    /// The members of a class: of its instances, or its statics.
    pub(super) fn class_members(
        &mut self,
        class: &'g Class,
        env: &Env<'g>,
        statics: bool,
        members: &mut Members<'g>,
    ) {
        for member in &class.body {
            match member {
                ClassMember::Constructor(constructor) if !statics => {
                    for param in &constructor.params {
                        if let ParamOrTsParamProp::TsParamProp(property) = param
                            && is_public(property.accessibility)
                        {
                            self.parameter_property(property, env, members);
                        }
                    }
                }
                ClassMember::ClassProp(property)
                    if property.is_static == statics && is_public(property.accessibility) =>
                {
                    let Some(name) = self.prop_name(&property.key, env) else { continue };
                    let site =
                        PropSite { module: env.module, node: property.span, name: property.key.span() };
                    let ty = match (property.type_ann.as_deref(), property.value.as_deref()) {
                        (Some(annotation), _) => self.annotated(&annotation.type_ann, env),
                        (None, Some(value)) => {
                            let (env, constant) = (env.clone(), property.readonly);
                            self.later(move |types| {
                                let ty = types.expression(value, &env, None);
                                if constant { types.regular(ty) } else { types.widened(ty) }
                            })
                        }
                        (None, None) => self.known(self.basic.any),
                    };
                    members.put(Prop {
                        name: name.into(),
                        ty,
                        optional: property.is_optional,
                        readonly: property.readonly,
                        kind: PropKind::Field,
                        declared: Some(site),
                        retyped: false,
                    });
                }
                ClassMember::Method(method)
                    if method.is_static == statics && is_public(method.accessibility) =>
                {
                    let Some(name) = self.prop_name(&method.key, env) else { continue };
                    let site = PropSite { module: env.module, node: method.span, name: method.key.span() };
                    self.class_method(method, &name, site, env, members);
                }
                ClassMember::TsIndexSignature(index) if index.is_static == statics => {
                    self.index(index, env, members);
                }
                _ => {}
            }
        }
    }

    fn class_method(
        &mut self,
        method: &'g ClassMethod,
        name: &str,
        site: PropSite<'g>,
        env: &Env<'g>,
        members: &mut Members<'g>,
    ) {
        let function = &*method.function;
        let inner = env.clone();
        let (ty, readonly) = match method.kind {
            MethodKind::Method => {
                let known = members.prop(name).map(|known| known.ty);
                let overloaded = known.is_some() && function.body.is_some();
                if overloaded {
                    return;
                }
                let ty = self.later(move |types| {
                    let mut calls = known
                        .map(|known| types.force(known))
                        .and_then(|known| types.shape(known))
                        .map_or_else(Vec::new, |members| members.calls.clone());
                    calls.push(types.function_signature(function, &inner).as_method());
                    types.given(Members { calls, ..Members::default() }, None)
                });
                (ty, false)
            }
            MethodKind::Getter => {
                let signature = self.later(move |types| {
                    let signature = types.function_signature(function, &inner);
                    types.force(signature.returns)
                });
                (signature, members.prop(name).is_none())
            }
            MethodKind::Setter => {
                if let Some(known) = members.props.iter_mut().find(|prop| *prop.name == *name) {
                    known.readonly = false;
                    return;
                }
                let ty = self.later(move |types| {
                    let signature = types.function_signature(function, &inner);
                    let first = signature.params.first().map(|param| param.ty);
                    first.map_or(types.basic.any, |first| types.force(first))
                });
                (ty, false)
            }
        };
        members.put(Prop {
            name: Rc::from(name),
            ty,
            optional: method.is_optional,
            readonly,
            kind: PropKind::Inherited,
            declared: Some(site),
            retyped: false,
        });
    }

    fn parameter_property(&mut self, property: &'g TsParamProp, env: &Env<'g>, members: &mut Members<'g>) {
        let (ident, default) = match &property.param {
            TsParamPropParam::Ident(ident) => (ident, None),
            TsParamPropParam::Assign(assign) => match &*assign.left {
                Pat::Ident(ident) => (ident, Some(&*assign.right)),
                _ => return,
            },
        };
        let site = PropSite { module: env.module, node: property.span, name: ident.id.span };
        let ty = match (ident.type_ann.as_deref(), default) {
            (Some(annotation), _) => self.annotated(&annotation.type_ann, env),
            (None, Some(default)) => {
                let env = env.clone();
                self.later(move |types| {
                    let ty = types.expression(default, &env, None);
                    types.widened(ty)
                })
            }
            (None, None) => self.known(self.basic.any),
        };
        members.put(Prop {
            name: Rc::from(ident.id.sym.as_str()),
            ty,
            optional: ident.optional,
            readonly: property.readonly,
            kind: PropKind::Field,
            declared: Some(site),
            retyped: false,
        });
    }
}

fn is_public(accessibility: Option<Accessibility>) -> bool {
    matches!(accessibility, None | Some(Accessibility::Public))
}
