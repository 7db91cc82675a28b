//! Object and array literals, and what becomes of them when they are stored.

use std::rc::Rc;

use swc_common::Spanned;
use swc_ecma_ast::{ArrayLit, Expr, ObjectLit, Prop as PropNode, PropOrSpread};

use crate::contract::Literal;
use crate::parse::literal::unwrapped;
use crate::parse::types::evaluator::Evaluator;
use crate::parse::types::model::{
    Element, Env, Index, Members, Prop, PropKind, PropSite, Source, Type, TypeId,
};

impl<'g> Evaluator<'g> {
    /// `… as const`
    pub(super) fn constant_expression(&mut self, expr: &'g Expr, env: &Env<'g>) -> TypeId {
        match unwrapped(expr) {
            Expr::Array(array) => self.array_literal(array, env, None, true),
            Expr::Object(object) => self.object_literal(object, env, None, true),
            Expr::Tpl(template) if !template.exprs.is_empty() => {
                let texts: Vec<Rc<str>> = template
                    .quasis
                    .iter()
                    .map(|quasi| {
                        let cooked = quasi.cooked.as_ref().map(|text| text.to_string_lossy().into_owned());
                        Rc::from(cooked.unwrap_or_default())
                    })
                    .collect();
                let types: Vec<TypeId> = template
                    .exprs
                    .iter()
                    .map(|expr| {
                        let ty = self.expression(expr, env, None);
                        self.regular(ty)
                    })
                    .collect();
                self.template(&texts, &types)
            }
            other => {
                let ty = self.expression(other, env, None);
                self.regular(ty)
            }
        }
    }

    /// A value of a property or element: literals become their base types unless they are wanted.
    fn stored(&mut self, expr: &'g Expr, env: &Env<'g>, wanted: Option<TypeId>, constant: bool) -> TypeId {
        if constant {
            return self.constant_expression(expr, env);
        }
        let ty = self.expression(expr, env, wanted);
        match wanted {
            Some(wanted) if self.wants_literals(wanted, ty) => self.regular(ty),
            _ => self.widened_literal(ty),
        }
    }

    /// Whether the place of an expression has literal types of its kind.
    pub(super) fn wants_literals(&mut self, wanted: TypeId, ty: TypeId) -> bool {
        let kinds: Vec<Type> = self.members_of_union(ty).into_iter().map(|ty| self.get(ty).clone()).collect();
        self.distributed(wanted).into_iter().any(|member| match self.get(member).clone() {
            Type::Literal { value, .. } => kinds.iter().any(|kind| {
                matches!(kind, Type::Literal { value: of, .. } if std::mem::discriminant(of) == std::mem::discriminant(&value))
            }),
            Type::Template { .. } | Type::Mapping(..) => {
                kinds.iter().any(|kind| matches!(kind, Type::Literal { value: Literal::String(_), .. }))
            }
            Type::Member { .. } => kinds.iter().any(|kind| matches!(kind, Type::Member { .. })),
            Type::Param(param) => {
                let constraint = self.params[param.place()].constraint.map(|constraint| self.force(constraint));
                constraint.is_some_and(|constraint| {
                    self.members_of_union(constraint).into_iter().any(|member| self.is_primitive(member))
                })
            }
            _ => false,
        })
    }

    /// Fresh literals as their base types, leaving objects as they are.
    fn widened_literal(&mut self, ty: TypeId) -> TypeId {
        let members = self.members_of_union(ty);
        let fresh = members.iter().any(|member| {
            matches!(self.get(*member), Type::Literal { fresh: true, .. } | Type::Member { fresh: true, .. })
        });
        if fresh { self.widened(ty) } else { ty }
    }

    /// What is wanted of the elements of an array: of a type parameter what it extends.
    fn wanted_elements(&mut self, wanted: TypeId) -> TypeId {
        let wanted = self.without_nothing(wanted);
        match *self.get(wanted) {
            Type::Param(param) => match self.params[param.place()].constraint {
                Some(constraint) => self.force(constraint),
                None => wanted,
            },
            _ => wanted,
        }
    }

    pub(super) fn array_literal(
        &mut self,
        array: &'g ArrayLit,
        env: &Env<'g>,
        wanted: Option<TypeId>,
        constant: bool,
    ) -> TypeId {
        let wanted = wanted.map(|wanted| self.wanted_elements(wanted));
        let wanted_tuple = wanted.and_then(|wanted| {
            self.members_of_union(wanted)
                .into_iter()
                .find(|member| matches!(self.get(*member), Type::Tuple { .. }))
        });
        let mut elements: Vec<Element> = Vec::new();
        for (place, element) in array.elems.iter().enumerate() {
            let Some(element) = element else {
                elements.push(Element {
                    label: None,
                    ty: self.basic.undefined,
                    optional: false,
                    rest: false,
                });
                continue;
            };
            if element.spread.is_some() {
                let ty = self.expression(&element.expr, env, None);
                match self.get(ty).clone() {
                    Type::Tuple { elements: inner, .. } if constant || wanted_tuple.is_some() => {
                        elements.extend(inner.iter().cloned());
                    }
                    _ => {
                        let ty = match self.iterated(ty) {
                            Some(ty) => ty,
                            None => {
                                self.opaque("what is spread into an array", env.location(element.expr.span()))
                            }
                        };
                        elements.push(Element { label: None, ty, optional: false, rest: true });
                    }
                }
                continue;
            }
            let index = self.literal(Literal::Number(place.to_string()));
            let place_type = match wanted_tuple {
                Some(tuple) => {
                    let empty =
                        matches!(self.get(tuple), Type::Tuple { elements, .. } if elements.is_empty());
                    if empty { None } else { self.access(tuple, index, false) }
                }
                None => wanted.and_then(|wanted| self.iterated(wanted)),
            };
            let ty = self.stored(&element.expr, env, place_type, constant);
            elements.push(Element { label: None, ty, optional: false, rest: false });
        }
        if constant {
            return self.tuple(elements, true);
        }
        if wanted_tuple.is_some() {
            return self.tuple(elements, false);
        }
        let types: Vec<TypeId> = elements.iter().map(|element| element.ty).collect();
        let element = self.subtype_union(&types);
        let element = self.settled(element);
        self.array(element)
    }

    pub(super) fn object_literal(
        &mut self,
        object: &'g ObjectLit,
        env: &Env<'g>,
        wanted: Option<TypeId>,
        constant: bool,
    ) -> TypeId {
        let mut alternatives: Vec<Members<'g>> = vec![Members::default()];
        for prop in &object.props {
            match prop {
                PropOrSpread::Spread(spread) => {
                    let ty = self.expression(&spread.expr, env, wanted);
                    if matches!(self.get(ty), Type::Opaque(_) | Type::Error | Type::Excess | Type::Any) {
                        return ty;
                    }
                    let mut extended = Vec::new();
                    let members = self.members_of_union(ty);
                    let absent = members.iter().any(|member| {
                        matches!(
                            self.get(*member),
                            Type::Null
                                | Type::Undefined
                                | Type::Literal { value: Literal::Boolean(false), .. }
                        )
                    });
                    let mut shapes: Vec<Rc<Members<'g>>> =
                        members.into_iter().filter_map(|member| self.shape(member)).collect();
                    let is_empty =
                        |shape: &Rc<Members<'g>>| shape.props.is_empty() && shape.indexes.is_empty();
                    let full = shapes.iter().filter(|shape| !is_empty(shape)).count();
                    // `...(on ? { a } : {})` is `{ a? }`.
                    let absent = absent || (full == 1 && shapes.len() > 1);
                    if full == 1 {
                        shapes.retain(|shape| !is_empty(shape));
                    }
                    for shape in shapes {
                        for members in &alternatives {
                            extended.push(self.spread_into(members.clone(), &shape, absent));
                        }
                    }
                    if !extended.is_empty() {
                        alternatives = extended;
                    }
                }
                PropOrSpread::Prop(prop) => {
                    for members in &mut alternatives {
                        self.literal_prop(prop, env, wanted, constant, members);
                    }
                }
            }
        }
        let types: Vec<TypeId> = alternatives
            .into_iter()
            .map(|members| self.members_given(members, true, env, object.span))
            .collect();
        self.union(&types)
    }

    /// `{ ...a }`: later properties win; one that may be absent leaves the earlier one.
    fn spread_into(&mut self, mut members: Members<'g>, from: &Members<'g>, absent: bool) -> Members<'g> {
        for prop in &from.props {
            if prop.kind == PropKind::Inherited {
                continue;
            }
            let earlier = members.prop(&prop.name).cloned();
            let may_lack = prop.optional || absent;
            let spread = match earlier {
                Some(earlier) if may_lack => {
                    let (first, second) = (earlier.ty, prop.ty);
                    let ty = self.later(move |types| {
                        let second = types.force(second);
                        let parts = [types.force(first), types.without_undefined(second)];
                        types.union(&parts)
                    });
                    Prop { ty, optional: earlier.optional, readonly: false, retyped: true, ..prop.clone() }
                }
                _ => Prop { optional: may_lack, readonly: false, ..prop.clone() },
            };
            members.put(spread);
        }
        for index in &from.indexes {
            if !members.indexes.iter().any(|known| known.key == index.key) {
                members.indexes.push(*index);
            }
        }
        members
    }

    fn literal_prop(
        &mut self,
        prop: &'g PropNode,
        env: &Env<'g>,
        wanted: Option<TypeId>,
        constant: bool,
        members: &mut Members<'g>,
    ) {
        let (name, at, ty) = match prop {
            PropNode::Shorthand(ident) => {
                let name = ident.sym.to_string();
                let place = self.wanted_prop(wanted, &name);
                let ty = self.shorthand(ident, env);
                let ty = match place {
                    _ if constant => self.regular(ty),
                    Some(place) if self.wants_literals(place, ty) => self.regular(ty),
                    _ => self.widened(ty),
                };
                (Some(name), ident.span, ty)
            }
            PropNode::KeyValue(pair) => {
                let name = self.prop_name(&pair.key, env);
                let place = name.as_ref().and_then(|name| self.wanted_prop(wanted, name));
                let ty = self.stored(&pair.value, env, place, constant);
                if name.is_none() {
                    // `{ [key]: value }` with a key that is not known.
                    let ty = self.known(ty);
                    let key = self.basic.string;
                    members.indexes.push(Index { key, ty, readonly: constant });
                }
                (name, pair.key.span(), ty)
            }
            PropNode::Method(method) => {
                let name = self.prop_name(&method.key, env);
                let signature = self.function_signature(&method.function, env).as_method();
                (name, method.key.span(), self.callable(signature))
            }
            PropNode::Getter(getter) => {
                let name = self.prop_name(&getter.key, env);
                let signature = self.function_signature(&getter.function, env);
                (name, getter.key.span(), self.force(signature.returns))
            }
            PropNode::Setter(_) | PropNode::Assign(_) => return,
        };
        let Some(name) = name else { return };
        let ty = self.known(ty);
        members.put(Prop {
            name: Rc::from(name),
            ty,
            optional: false,
            readonly: constant,
            kind: if matches!(prop, PropNode::Method(_)) { PropKind::Method } else { PropKind::Field },
            declared: Some(PropSite { module: env.module, node: at, name: at }),
            retyped: true,
        });
    }

    fn shorthand(&mut self, ident: &'g swc_ecma_ast::Ident, env: &Env<'g>) -> TypeId {
        self.identifier(ident, env)
    }

    fn wanted_prop(&mut self, wanted: Option<TypeId>, name: &str) -> Option<TypeId> {
        let wanted = wanted?;
        let key = self.text(name);
        let mut found = Vec::new();
        for member in self.members_of_union(wanted) {
            if self.shape(member).is_some()
                && let Some(ty) = self.access(member, key, false)
            {
                found.push(ty);
            }
        }
        if found.is_empty() { None } else { Some(self.union(&found)) }
    }

    /// The union of the types of expressions: without those that are part of others.
    pub(in crate::parse::types) fn subtype_union(&mut self, types: &[TypeId]) -> TypeId {
        let mut kept: Vec<TypeId> = Vec::new();
        let flat: Vec<TypeId> = types.iter().flat_map(|ty| self.members_of_union(*ty)).collect();
        for ty in flat {
            if kept.contains(&ty) {
                continue;
            }
            if kept.iter().any(|known| self.is_part(ty, *known)) {
                continue;
            }
            kept.retain(|known| !self.is_part(*known, ty));
            kept.push(ty);
        }
        self.union(&kept)
    }

    /// Whether one object type is a narrower form of another, or the same.
    fn is_part(&mut self, ty: TypeId, of: TypeId) -> bool {
        let (Type::Object(_), Type::Object(_)) = (self.get(ty), self.get(of)) else {
            let arrays =
                matches!(self.get(ty), Type::Array { .. }) && matches!(self.get(of), Type::Array { .. });
            return arrays && self.is_assignable(ty, of);
        };
        let (Some(a), Some(b)) = (self.shape(ty), self.shape(of)) else { return false };
        let same = a.props.len() == b.props.len()
            && a.props
                .iter()
                .all(|prop| b.prop(&prop.name).is_some_and(|other| other.optional == prop.optional));
        if self.is_fresh_object(ty) && self.is_fresh_object(of) {
            return same && self.is_assignable(ty, of) && self.is_assignable(of, ty);
        }
        self.is_assignable(ty, of) && (same || !self.is_assignable(of, ty))
    }

    fn is_fresh_object(&self, ty: TypeId) -> bool {
        match self.get(ty) {
            Type::Object(object) => {
                matches!(self.objects[object.place()].source, Source::Given { fresh: true, .. })
            }
            _ => false,
        }
    }

    /// What object literals become when they are stored: those of one union get each other's properties.
    pub(in crate::parse::types) fn settled(&mut self, ty: TypeId) -> TypeId {
        let members = self.members_of_union(ty);
        let fresh: Vec<TypeId> =
            members.iter().copied().filter(|member| self.is_fresh_object(*member)).collect();
        if fresh.len() < 2 {
            return ty;
        }
        let mut names: Vec<Rc<str>> = Vec::new();
        for object in &fresh {
            let Some(shape) = self.shape(*object) else { continue };
            for prop in &shape.props {
                if !names.contains(&prop.name) {
                    names.push(Rc::clone(&prop.name));
                }
            }
        }
        let mut settled = Vec::new();
        for member in members {
            if !fresh.contains(&member) {
                settled.push(member);
                continue;
            }
            let Some(shape) = self.shape(member) else { continue };
            let mut whole = Members::clone(&shape);
            for name in &names {
                if whole.prop(name).is_none() {
                    let undefined = self.basic.undefined;
                    let prop = self.field(name, undefined, true);
                    whole.put(prop);
                }
            }
            settled.push(self.given(whole, None));
        }
        self.union(&settled)
    }
}
