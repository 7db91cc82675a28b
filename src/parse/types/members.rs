//! The members of object types: of interfaces and classes with what they extend, of literals, and of values.

use std::rc::Rc;

use swc_common::{Span, Spanned};
use swc_ecma_ast::{
    Class, Expr, PropName, TsExprWithTypeArgs, TsIndexSignature, TsMethodSignature, TsType, TsTypeElement,
    TsTypeParamDecl,
};

use super::declared::{bind_source, type_params};
use super::diagnostics;
use super::enums::expr_path;
use super::evaluator::Evaluator;
use super::model::{
    Declared, Env, FunctionNode, Guard, Index, Members, ObjectId, Parameter, PatternParts, Prop, PropKind,
    PropSite, Signature, Source, SymbolId, Target, ThunkId, Type, TypeId, TypeParam, parameter_parts,
};
use super::template::js_number;
use crate::contract::Literal;
use crate::parse::literal::unwrapped;

impl<'g> Evaluator<'g> {
    pub(super) fn members(&mut self, object: ObjectId) -> Rc<Members<'g>> {
        let known = &mut self.objects[object.place()];
        if let Some(members) = &known.members {
            return Rc::clone(members);
        }
        if known.resolving {
            return Rc::default();
        }
        known.resolving = true;
        let source = known.source.clone();
        let members = match source {
            Source::Declared { symbol, args } => self.declared_members(object, symbol, &args),
            Source::Value(symbol) => self.value_members(symbol),
            Source::Module(module) => {
                let mut members = Members::default();
                for name in self.exported_values(module) {
                    let target = self.export(module, &name);
                    self.exported_member(&name, target, &mut members);
                }
                members
            }
            Source::Literal { node, env, .. } => {
                let mut members = Members::default();
                self.elements(node, &env, &mut members);
                members
            }
            Source::Function(node, env) => self.function_members(node, &env),
            Source::Mapped { node, env } => self.mapped_members(node, &env),
            Source::Given { .. } => Members::default(),
            Source::Replaced(of, map) => self.replaced_members(of, &map),
        };
        let members = Rc::new(members);
        let known = &mut self.objects[object.place()];
        known.members = Some(Rc::clone(&members));
        known.resolving = false;
        members
    }

    fn declared_members(&mut self, object: ObjectId, symbol: SymbolId, args: &[TypeId]) -> Members<'g> {
        let mut members = Members::default();
        let this = self.intern(Type::Object(object));
        let declarations = self.declarations(symbol);
        let mut interfaces = Members::default();
        for declaration in declarations.iter() {
            let mut env = declaration.env.clone();
            let params = type_params(declaration);
            for (param, arg) in params.into_iter().flat_map(|params| &params.params).zip(args) {
                env = bind_source(param, env.bind(&param.name.sym, *arg));
            }
            let env = env.bind("this", this);
            match declaration.node {
                Declared::Interface(interface) => {
                    for parent in &interface.extends {
                        self.inherit_interface(parent, &env, object, declaration.name, &mut members);
                    }
                    self.elements(&interface.body.body, &env, &mut interfaces);
                }
                Declared::Class(class) => {
                    if let Some(parent) = &class.super_class {
                        let base = self.super_instance(class, parent, &env);
                        self.inherit(base, object, declaration.name, &env, &mut members);
                    }
                    self.class_members(class, &env, false, &mut interfaces);
                }
                _ => {}
            }
        }
        for prop in interfaces.props {
            members.put(prop);
        }
        for index in interfaces.indexes {
            members.indexes.retain(|known| known.key != index.key);
            members.indexes.push(index);
        }
        members.calls.extend(interfaces.calls);
        members.constructs.extend(interfaces.constructs);
        members
    }

    fn inherit_interface(
        &mut self,
        parent: &'g TsExprWithTypeArgs,
        env: &Env<'g>,
        object: ObjectId,
        name: Span,
        members: &mut Members<'g>,
    ) {
        let Some(path) = expr_path(&parent.expr) else {
            self.report_at(env, parent.span, |at| diagnostics::cannot_send("a type that is not a name", at));
            return;
        };
        let base = self.reference(&path, parent.type_args.as_deref(), parent.span, env, None);
        self.inherit(base, object, name, env, members);
    }

    fn inherit(
        &mut self,
        base: TypeId,
        object: ObjectId,
        name: Span,
        env: &Env<'g>,
        members: &mut Members<'g>,
    ) {
        if let Type::Object(base) = self.get(base)
            && (*base == object || self.objects[base.place()].resolving)
        {
            let text = match &self.objects[object.place()].source {
                Source::Declared { symbol, .. } => self.symbol_of(*symbol).name().to_owned(),
                _ => String::new(),
            };
            self.report_at(env, name, |at| diagnostics::circular(&text, at));
            return;
        }
        let Some(inherited) = self.apparent(base) else { return };
        for prop in &inherited.props {
            members.put(prop.clone());
        }
        members.indexes.extend(inherited.indexes.iter().copied());
        members.calls.extend(inherited.calls.iter().cloned());
        members.constructs.extend(inherited.constructs.iter().cloned());
    }

    /// What `class C extends Base<T>` inherits.
    fn super_instance(&mut self, class: &'g Class, parent: &'g Expr, env: &Env<'g>) -> TypeId {
        if let Some(path) = expr_path(parent)
            && let target @ Target::Symbol(symbol) = self.target(&path, env)
        {
            let is_class = self
                .declarations(symbol)
                .iter()
                .any(|declaration| matches!(declaration.node, Declared::Class(_) | Declared::Interface(_)));
            if is_class {
                return self.reference(&path, class.super_type_params.as_deref(), parent.span(), env, None);
            }
            if let Some(value) = self.value_of(&target) {
                return self.constructed(value);
            }
        }
        let value = self.expression(parent, env, None);
        self.constructed(value)
    }

    fn constructed(&mut self, value: TypeId) -> TypeId {
        let signature = self.shape(value).and_then(|members| members.constructs.first().cloned());
        signature.map_or(self.basic.any, |signature| self.force(signature.returns))
    }

    /// The members of a type literal or interface.
    pub(super) fn elements(
        &mut self,
        elements: &'g [TsTypeElement],
        env: &Env<'g>,
        members: &mut Members<'g>,
    ) {
        let mut methods: Vec<(String, Vec<&'g TsMethodSignature>)> = Vec::new();
        for element in elements {
            if let TsTypeElement::TsMethodSignature(method) = element
                && let Some(name) = self.element_name(&method.key, method.computed, env)
            {
                match methods.iter_mut().find(|(known, _)| *known == name) {
                    Some((_, overloads)) => overloads.push(method),
                    None => methods.push((name, vec![method])),
                }
            }
        }
        for element in elements {
            self.element(element, env, &methods, members);
        }
    }

    fn element(
        &mut self,
        element: &'g TsTypeElement,
        env: &Env<'g>,
        methods: &[(String, Vec<&'g TsMethodSignature>)],
        members: &mut Members<'g>,
    ) {
        match element {
            TsTypeElement::TsPropertySignature(property) => {
                let Some(name) = self.element_name(&property.key, property.computed, env) else {
                    return self.unusable_name(&property.key, env);
                };
                let site = PropSite { module: env.module, node: property.span, name: property.key.span() };
                let ty = match property.type_ann.as_deref() {
                    Some(annotation) => self.annotated(&annotation.type_ann, env),
                    None => {
                        let text = name.clone();
                        let error =
                            self.report_at(env, site.name, |at| diagnostics::missing_field_type(&text, at));
                        self.known(error)
                    }
                };
                members.put(Prop {
                    name: name.into(),
                    ty,
                    optional: property.optional,
                    readonly: property.readonly,
                    kind: PropKind::Field,
                    declared: Some(site),
                    retyped: false,
                });
            }
            TsTypeElement::TsGetterSignature(getter) => {
                let Some(name) = self.element_name(&getter.key, getter.computed, env) else { return };
                let site = PropSite { module: env.module, node: getter.span, name: getter.key.span() };
                let ty = match getter.type_ann.as_deref() {
                    Some(annotation) => self.annotated(&annotation.type_ann, env),
                    None => self.known(self.basic.any),
                };
                let readonly = members.prop(&name).is_none();
                members.put(Prop {
                    name: name.into(),
                    ty,
                    optional: false,
                    readonly,
                    kind: PropKind::Field,
                    declared: Some(site),
                    retyped: false,
                });
            }
            TsTypeElement::TsSetterSignature(setter) => {
                let Some(name) = self.element_name(&setter.key, setter.computed, env) else { return };
                match members.props.iter_mut().find(|prop| *prop.name == *name) {
                    Some(known) => known.readonly = false,
                    None => {
                        let ty = parameter_parts(&setter.param).annotation;
                        let ty = match ty {
                            Some(ty) => self.annotated(ty, env),
                            None => self.known(self.basic.any),
                        };
                        let site =
                            PropSite { module: env.module, node: setter.span, name: setter.key.span() };
                        members.put(Prop {
                            name: name.into(),
                            ty,
                            optional: false,
                            readonly: false,
                            kind: PropKind::Field,
                            declared: Some(site),
                            retyped: false,
                        });
                    }
                }
            }
            TsTypeElement::TsMethodSignature(method) => {
                let Some(name) = self.element_name(&method.key, method.computed, env) else { return };
                let overloads = methods.iter().find(|(known, _)| *known == name);
                let overloads = overloads.map_or_else(Vec::new, |(_, overloads)| overloads.clone());
                if overloads.first().is_some_and(|first| !std::ptr::eq(*first, method)) {
                    return;
                }
                let site = PropSite { module: env.module, node: method.span, name: method.key.span() };
                let inner = env.clone();
                let ty = self.later(move |types| {
                    let calls = overloads.iter().map(|method| {
                        let params = method.params.iter().map(parameter_parts).collect();
                        let returns = method.type_ann.as_deref().map(|ann| &*ann.type_ann);
                        types.signature(method.type_params.as_deref(), params, returns, &inner).as_method()
                    });
                    let calls = calls.collect();
                    types.given(Members { calls, ..Members::default() }, None)
                });
                members.put(Prop {
                    name: name.into(),
                    ty,
                    optional: method.optional,
                    readonly: false,
                    kind: PropKind::Method,
                    declared: Some(site),
                    retyped: false,
                });
            }
            TsTypeElement::TsIndexSignature(index) => self.index(index, env, members),
            TsTypeElement::TsCallSignatureDecl(call) => {
                let params = call.params.iter().map(parameter_parts).collect();
                let returns = call.type_ann.as_deref().map(|ann| &*ann.type_ann);
                let signature = self.signature(call.type_params.as_deref(), params, returns, env);
                members.calls.push(signature);
            }
            TsTypeElement::TsConstructSignatureDecl(construct) => {
                let params = construct.params.iter().map(parameter_parts).collect();
                let returns = construct.type_ann.as_deref().map(|ann| &*ann.type_ann);
                let signature = self.signature(construct.type_params.as_deref(), params, returns, env);
                members.constructs.push(signature);
            }
        }
    }

    fn unusable_name(&mut self, key: &'g Expr, env: &Env<'g>) {
        // `[Symbol.iterator]` is never sent, and is no fault; neither is the `unique symbol` of a brand.
        let of_library = expr_path(key).is_some_and(|path| path[0] == "Symbol");
        let is_symbol = |types: &mut Self| {
            let ty = types.expression(key, env, None);
            *types.get(ty) == Type::Symbol
        };
        if !of_library && !is_symbol(self) {
            self.report_at(env, key.span(), |at| diagnostics::bad_field("a field with this name", at));
        }
    }

    pub(super) fn annotated(&mut self, node: &'g TsType, env: &Env<'g>) -> ThunkId {
        let env = env.clone();
        self.later(move |types| types.annotation(node, &env))
    }

    pub(super) fn index(&mut self, index: &'g TsIndexSignature, env: &Env<'g>, members: &mut Members<'g>) {
        if index.is_static {
            return;
        }
        let key = index.params.first().map(parameter_parts).and_then(|parts| parts.annotation);
        let key = key.map_or(self.basic.string, |key| self.annotation(key, env));
        let ty = match index.type_ann.as_deref() {
            Some(annotation) => self.annotated(&annotation.type_ann, env),
            None => self.known(self.basic.any),
        };
        for key in self.members_of_union(key) {
            members.indexes.retain(|known| known.key != key);
            members.indexes.push(Index { key, ty, readonly: index.readonly });
        }
    }

    fn function_members(&mut self, node: FunctionNode<'g>, env: &Env<'g>) -> Members<'g> {
        match node {
            FunctionNode::Type(node) => {
                let params = node.params.iter().map(parameter_parts).collect();
                let returns = Some(&*node.type_ann.type_ann);
                let signature = self.signature(node.type_params.as_deref(), params, returns, env);
                Members { calls: vec![signature], ..Members::default() }
            }
            FunctionNode::Constructor(node) => {
                let params = node.params.iter().map(parameter_parts).collect();
                let returns = Some(&*node.type_ann.type_ann);
                let signature = self.signature(node.type_params.as_deref(), params, returns, env);
                Members { constructs: vec![signature], ..Members::default() }
            }
        }
    }

    pub(super) fn signature(
        &mut self,
        type_params: Option<&'g TsTypeParamDecl>,
        params: Vec<PatternParts<'g>>,
        returns: Option<&'g TsType>,
        env: &Env<'g>,
    ) -> Rc<Signature> {
        let (type_params, env) = self.open_params(type_params, env);
        let params = params.into_iter().filter(|param| param.name != "this").map(|param| Parameter {
            name: Rc::from(param.name),
            ty: match param.annotation {
                Some(annotation) => self.annotated(annotation, &env),
                None => self.known(self.basic.any),
            },
            optional: param.optional,
            rest: param.rest,
        });
        let params: Vec<Parameter> = params.collect();
        let guard = self.guard(returns, &params, &env);
        let returns = match returns {
            Some(returns) => self.annotated(returns, &env),
            None => self.known(self.basic.any),
        };
        Rc::new(Signature { type_params, params, returns, guard, is_method: false })
    }

    /// What the annotation of a result says of a parameter.
    pub(super) fn guard(
        &mut self,
        returns: Option<&'g TsType>,
        params: &[Parameter],
        env: &Env<'g>,
    ) -> Option<Guard> {
        let TsType::TsTypePredicate(predicate) = returns? else { return None };
        let name = predicate.param_name.as_ident()?;
        let place = params.iter().position(|param| *param.name == *name.sym)?;
        let ty = predicate.type_ann.as_deref().map(|ty| self.annotated(&ty.type_ann, env));
        Some(Guard { place, ty, asserts: predicate.asserts })
    }

    /// Type parameters that calls will bind.
    pub(super) fn open_params(
        &mut self,
        nodes: Option<&'g TsTypeParamDecl>,
        env: &Env<'g>,
    ) -> (Vec<TypeParam>, Env<'g>) {
        let mut env = env.clone();
        let nodes: Vec<_> = nodes.into_iter().flat_map(|nodes| &nodes.params).collect();
        let mut opened = Vec::new();
        for node in &nodes {
            let id = self.param(&node.name.sym);
            let ty = self.intern(Type::Param(id));
            env = env.bind(&node.name.sym, ty);
            opened.push(id);
        }
        for node in &nodes {
            env = bind_source(node, env);
        }
        let mut params = Vec::new();
        for (id, node) in opened.into_iter().zip(nodes) {
            let constraint = node.constraint.as_deref().map(|constraint| self.annotated(constraint, &env));
            let default = node.default.as_deref().map(|default| self.annotated(default, &env));
            self.params[id.place()].constraint = constraint;
            params.push(TypeParam { id, constraint, default });
        }
        (params, env)
    }

    /// The name of a member that an expression in an interface gives.
    fn element_name(&mut self, key: &'g Expr, computed: bool, env: &Env<'g>) -> Option<String> {
        let name = match key {
            Expr::Ident(ident) if !computed => Some(ident.sym.to_string()),
            Expr::Lit(swc_ecma_ast::Lit::Str(text)) => Some(text.value.to_string_lossy().into_owned()),
            Expr::Lit(swc_ecma_ast::Lit::Num(number)) => Some(js_number(number.value)),
            other => self.computed_name(other, env),
        };
        name.filter(|name| name != "__proto__")
    }

    pub(super) fn prop_name(&mut self, name: &'g PropName, env: &Env<'g>) -> Option<String> {
        match name {
            PropName::Ident(ident) => Some(ident.sym.to_string()),
            PropName::Str(text) => Some(text.value.to_string_lossy().into_owned()),
            PropName::Num(number) => Some(js_number(number.value)),
            PropName::Computed(computed) => self.computed_name(&computed.expr, env),
            PropName::BigInt(_) => None,
        }
    }

    /// `[KEY]`, where the key is a literal or a constant.
    fn computed_name(&mut self, key: &'g Expr, env: &Env<'g>) -> Option<String> {
        let key = unwrapped(key);
        if expr_path(key).is_some_and(|path| path[0] == "Symbol") {
            return None;
        }
        let ty = self.expression(key, env, None);
        match self.get(ty).clone() {
            Type::Literal { value: Literal::String(text) | Literal::Number(text), .. }
            | Type::Member { value: Some(Literal::String(text) | Literal::Number(text)), .. } => Some(text),
            _ => None,
        }
    }
}
