//! `typeof`: the types of declared values, and the names of functions' own variables.

use std::collections::HashMap;
use std::rc::Rc;

use swc_common::Span;
use swc_ecma_ast::{
    ArrowExpr, Class, Expr, Function, Id, Pat, TsEntityName, TsType, TsTypeParamInstantiation, VarDecl,
    VarDeclKind, VarDeclarator,
};

use super::ambient;
use super::evaluator::{Evaluator, ObjectKey};
use super::infer::{Body, Place};
use super::model::{
    Declared, Env, Members, ModuleId, ParamId, Parameter, PatternParts, Prop, PropKind, Signature, Source,
    SymbolId, Target, ThunkId, Type, TypeId,
};
use crate::contract::Literal;

/// Variables within functions, which the scopes of the syntax tree tell apart.
#[derive(Default)]
pub(super) struct Locals<'g> {
    pub(super) types: HashMap<(ModuleId, Id), ThunkId>,
    /// What is known of variables at the place that is being evaluated.
    pub(super) narrowed: HashMap<Place, TypeId>,
    /// Module-level variables whose types are inferred.
    pub(super) variables: HashMap<usize, ThunkId>,
    /// What the enclosing generator yields.
    pub(super) yields: Vec<Vec<TypeId>>,
    pub(super) marker: std::marker::PhantomData<&'g ()>,
}

impl<'g> Evaluator<'g> {
    /// `typeof a.b`
    pub(super) fn type_of_path(&mut self, path: &[String], span: Span, env: &Env<'g>) -> TypeId {
        // The longest prefix that is a declared name; the rest are properties.
        let Some(first) = path.first() else { return self.basic.error };
        let (mut target, rest) = match self.of_global_this(path, env) {
            Some(target) => (target, &path[2..]),
            None => (self.name(first, env), &path[1..]),
        };
        let mut ty = None;
        for name in rest {
            match (ty, &target) {
                (None, Target::Module(_)) => target = self.member(&target, name),
                (None, Target::Symbol(symbol)) if self.is_only_namespace(*symbol) => {
                    target = self.member(&target, name);
                }
                (found, _) => {
                    let object = match found {
                        Some(found) => found,
                        None => match self.value_of(&target) {
                            Some(value) => value,
                            None => return self.unknown_type(first, span, env),
                        },
                    };
                    let key = self.text(name);
                    match self.access(object, key, false) {
                        Some(found) => ty = Some(found),
                        None => return self.unknown_type(name, span, env),
                    }
                }
            }
        }
        if let Some(found) = ty {
            return self.regular(found);
        }
        match self.value_of(&target) {
            Some(value) => self.regular(value),
            None => self.unknown_type(path.last().unwrap_or(first), span, env),
        }
    }

    /// `typeof x.y` of a function's own variable.
    pub(super) fn type_of_local(&mut self, name: &'g TsEntityName, env: &Env<'g>) -> Option<TypeId> {
        match name {
            TsEntityName::Ident(ident) => {
                self.locals.types.contains_key(&(env.module.id, ident.to_id())).then_some(())?;
                let ty = self.identifier(ident, env);
                Some(self.regular(ty))
            }
            TsEntityName::TsQualifiedName(qualified) => {
                let object = self.type_of_local(&qualified.left, env)?;
                let key = self.text(&qualified.right.sym);
                self.access(object, key, false)
            }
        }
    }

    /// `f<string>`: of the signatures with so many type parameters, what they are for these arguments.
    pub(super) fn instantiated(
        &mut self,
        ty: TypeId,
        arguments: Option<&'g TsTypeParamInstantiation>,
        env: &Env<'g>,
    ) -> TypeId {
        let (Some(arguments), Type::Object(_)) = (arguments, self.get(ty)) else { return ty };
        let args = self.arguments(Some(arguments), env);
        let Some(members) = self.shape(ty) else { return ty };
        let bound = |types: &mut Self, signatures: &[Rc<Signature>]| -> Vec<Rc<Signature>> {
            let fits = |signature: &&Rc<Signature>| {
                let required = signature.type_params.iter().filter(|param| param.default.is_none()).count();
                (required..=signature.type_params.len()).contains(&args.len()) && !args.is_empty()
            };
            let made = signatures.iter().filter(fits).map(|signature| {
                let ids = signature.type_params.iter().map(|param| param.id);
                let mut map: Vec<(ParamId, TypeId)> = ids.zip(args.iter().copied()).collect();
                for param in signature.type_params.iter().skip(args.len()) {
                    let default = param.default.map_or(types.basic.unknown, |default| types.force(default));
                    map.push((param.id, default));
                }
                Rc::new(types.replaced_signature(signature, &map.into()))
            });
            made.collect()
        };
        let (calls, constructs) = (bound(self, &members.calls), bound(self, &members.constructs));
        self.given(Members { calls, constructs, ..Members::clone(&members) }, None)
    }

    fn is_only_namespace(&mut self, symbol: SymbolId) -> bool {
        if ambient::is_module(&self.symbol_of(symbol).path) {
            return true;
        }
        let declarations = self.declarations(symbol);
        !declarations.is_empty()
            && declarations.iter().all(|declaration| {
                matches!(declaration.node, Declared::Namespace(_) | Declared::Interface(_))
            })
    }

    /// The type of what a name means as a value.
    pub(super) fn value_of(&mut self, target: &Target) -> Option<TypeId> {
        match target {
            Target::Symbol(symbol) => self.symbol_value(*symbol),
            Target::Module(module) => {
                Some(self.object(Some(ObjectKey::Module(*module)), Source::Module(*module), None))
            }
            Target::External { .. } | Target::Missing => None,
        }
    }

    fn symbol_value(&mut self, symbol: SymbolId) -> Option<TypeId> {
        if ambient::is_module(&self.symbol_of(symbol).path) {
            return Some(self.object(Some(ObjectKey::Value(symbol)), Source::Value(symbol), None));
        }
        let declarations = self.declarations(symbol);
        // A namespace of the same name has no values then.
        for declaration in declarations.iter() {
            if let Declared::Variable(vars, var) = declaration.node {
                return Some(self.variable(vars, var, &declaration.env));
            }
        }
        for declaration in declarations.iter() {
            match declaration.node {
                Declared::Function(_) | Declared::Class(_) | Declared::Enum(_) | Declared::Namespace(_) => {
                    return Some(self.object(Some(ObjectKey::Value(symbol)), Source::Value(symbol), None));
                }
                Declared::Value(expr) => return Some(self.expression(expr, &declaration.env, None)),
                Declared::Interface(_) | Declared::Alias(_) | Declared::Variable(..) => {}
            }
        }
        if let Some(member) = self.enum_member_type(symbol) {
            return Some(member);
        }
        // A member of a value: `export = api` and `import { f } from './api'`.
        let (module, path) = {
            let symbol = self.symbol_of(symbol);
            (symbol.module, Rc::clone(&symbol.path))
        };
        let (of, name) = path.rsplit_once('.')?;
        let of = self.symbol(module, of);
        let object = self.symbol_value(of)?;
        let key = self.text(name);
        self.access(object, key, false)
    }

    /// The type of a module-level variable.
    pub(super) fn variable(&mut self, vars: &'g VarDecl, var: &'g VarDeclarator, env: &Env<'g>) -> TypeId {
        if let Some(annotation) = var.name.as_ident().and_then(|ident| ident.type_ann.as_deref()) {
            return self.annotation(&annotation.type_ann, env);
        }
        let key = std::ptr::from_ref(var) as usize;
        let thunk = match self.locals.variables.get(&key) {
            Some(known) => *known,
            None => {
                let constant = vars.kind == VarDeclKind::Const;
                let (init, env) = (var.init.as_deref(), env.clone());
                let thunk = self.later(move |types| match init {
                    Some(init) => {
                        let ty = types.expression(init, &env, None);
                        if constant { types.settled(ty) } else { types.widened(ty) }
                    }
                    None => types.opaque("a variable without a type", env.location(var.span)),
                });
                self.locals.variables.insert(key, thunk);
                thunk
            }
        };
        match self.try_force(thunk) {
            Some(ty) => ty,
            None => self.opaque("a value that is made of itself", env.location(var.span)),
        }
    }

    /// The members of a class, function, enum or namespace as a value.
    pub(super) fn value_members(&mut self, symbol: SymbolId) -> Members<'g> {
        let mut members = Members::default();
        let path = Rc::clone(&self.symbol_of(symbol).path);
        if ambient::is_module(&path) {
            for name in self.ambient_names(&path) {
                let target = self.ambient_export(&path, &name);
                self.exported_member(&name, target, &mut members);
            }
            return members;
        }
        let declarations = self.declarations(symbol);
        let overloaded = declarations.iter().any(
            |declaration| matches!(declaration.node, Declared::Function(function) if function.body.is_none()),
        );
        for declaration in declarations.iter() {
            match declaration.node {
                Declared::Function(function) => {
                    if function.body.is_none() || !overloaded {
                        let signature = self.function_signature(function, &declaration.env);
                        members.calls.push(signature);
                    }
                }
                Declared::Class(class) => {
                    self.class_members(class, &declaration.env, true, &mut members);
                    let constructor = self.constructor(class, symbol, &declaration.env);
                    members.constructs.extend(constructor);
                }
                Declared::Enum(_) => {
                    for (name, _) in self.enum_members(symbol) {
                        let Some(ty) = self.enum_member(symbol, &name, false) else { continue };
                        let prop = self.field(&name, ty, false);
                        members.put(Prop { readonly: true, ..prop });
                    }
                    let numeric = |value: &Option<Literal>| !matches!(value, Some(Literal::String(_)));
                    if self.enum_members(symbol).iter().any(|(_, value)| numeric(value)) {
                        let (key, ty) = (self.basic.number, self.known(self.basic.string));
                        members.indexes.push(super::model::Index { key, ty, readonly: true });
                    }
                }
                Declared::Namespace(_) => self.namespace_values(symbol, &mut members),
                Declared::Interface(_) | Declared::Alias(_) | Declared::Variable(..) | Declared::Value(_) => {
                }
            }
        }
        members
    }

    fn namespace_values(&mut self, symbol: SymbolId, members: &mut Members<'g>) {
        for name in self.namespace_names(symbol) {
            let of = self.symbol_of(symbol).clone();
            let member = self.symbol(of.module, &format!("{}.{name}", of.path));
            self.exported_member(&name, Target::Symbol(member), members);
        }
    }

    pub(super) fn exported_member(&mut self, name: &str, target: Target, members: &mut Members<'g>) {
        let is_value = match &target {
            Target::Symbol(symbol) => self.is_value_symbol(*symbol),
            Target::Module(_) => true,
            Target::External { .. } | Target::Missing => false,
        };
        if !is_value {
            return;
        }
        let ty = self.later(move |types| types.value_of(&target).unwrap_or(types.basic.any));
        members.put(Prop {
            name: Rc::from(name),
            ty,
            optional: false,
            readonly: false,
            kind: PropKind::Field,
            declared: None,
            retyped: true,
        });
    }

    /// Whether a name has a value. A namespace of nothing but types has none.
    fn is_value_symbol(&mut self, symbol: SymbolId) -> bool {
        let declarations = self.declarations(symbol);
        declarations.iter().any(|declaration| match declaration.node {
            Declared::Interface(_) | Declared::Alias(_) => false,
            Declared::Namespace(_) => {
                let of = self.symbol_of(symbol).clone();
                self.namespace_names(symbol).iter().any(|name| {
                    let member = self.symbol(of.module, &format!("{}.{name}", of.path));
                    self.is_value_symbol(member)
                })
            }
            Declared::Class(_)
            | Declared::Enum(_)
            | Declared::Function(_)
            | Declared::Variable(..)
            | Declared::Value(_) => true,
        })
    }

    fn constructor(&mut self, class: &'g Class, symbol: SymbolId, env: &Env<'g>) -> Vec<Rc<Signature>> {
        let (type_params, inner) = self.open_params(class.type_params.as_deref(), env);
        let args: Rc<[TypeId]> = type_params.iter().map(|param| self.intern(Type::Param(param.id))).collect();
        let instance = self.declared(symbol, args);
        let constructors: Vec<_> = class
            .body
            .iter()
            .filter_map(|member| match member {
                swc_ecma_ast::ClassMember::Constructor(constructor) => Some(constructor),
                _ => None,
            })
            .collect();
        if constructors.is_empty() {
            if let Some(parent) = class.super_class.as_deref() {
                let base = self.expression(parent, env, None);
                let inherited = self.shape(base).map_or_else(Vec::new, |members| members.constructs.clone());
                let returns = self.known(instance);
                if !inherited.is_empty() {
                    let own = inherited.iter().map(|signature| {
                        Rc::new(Signature {
                            returns,
                            type_params: type_params.clone(),
                            ..Signature::clone(signature)
                        })
                    });
                    return own.collect();
                }
            }
            let returns = self.known(instance);
            return vec![Rc::new(Signature {
                type_params,
                params: Vec::new(),
                returns,
                guard: None,
                is_method: false,
            })];
        }
        let overloaded = constructors.len() > 1;
        let mut signatures = Vec::new();
        for constructor in constructors {
            if overloaded && constructor.body.is_some() {
                continue;
            }
            let pats: Vec<&'g Pat> = constructor
                .params
                .iter()
                .filter_map(|param| match param {
                    swc_ecma_ast::ParamOrTsParamProp::Param(param) => Some(&param.pat),
                    swc_ecma_ast::ParamOrTsParamProp::TsParamProp(_) => None,
                })
                .collect();
            let mut params: Vec<Parameter> = Vec::new();
            let mut pats = pats.into_iter();
            for param in &constructor.params {
                match param {
                    swc_ecma_ast::ParamOrTsParamProp::Param(_) => {
                        if let Some(pat) = pats.next() {
                            params.push(self.parameter(pat, &inner, None));
                        }
                    }
                    swc_ecma_ast::ParamOrTsParamProp::TsParamProp(property) => {
                        params.push(self.property_parameter(property, &inner));
                    }
                }
            }
            let returns = self.known(instance);
            signatures.push(Rc::new(Signature {
                type_params: type_params.clone(),
                params,
                returns,
                guard: None,
                is_method: false,
            }));
        }
        signatures
    }

    fn property_parameter(&mut self, property: &'g swc_ecma_ast::TsParamProp, env: &Env<'g>) -> Parameter {
        let (ident, default) = match &property.param {
            swc_ecma_ast::TsParamPropParam::Ident(ident) => (Some(ident), None),
            swc_ecma_ast::TsParamPropParam::Assign(assign) => (assign.left.as_ident(), Some(&*assign.right)),
        };
        let annotation = ident.and_then(|ident| ident.type_ann.as_deref()).map(|ann| &*ann.type_ann);
        let name = ident.map_or_else(|| "_".to_owned(), |ident| ident.id.sym.to_string());
        let optional = default.is_some() || ident.is_some_and(|ident| ident.optional);
        let parts = PatternParts { name, annotation, optional, rest: false };
        self.parameter_of(parts, default, env, None)
    }

    /// The signature of a function with a body, whose result may have to be inferred.
    pub(super) fn function_signature(&mut self, function: &'g Function, env: &Env<'g>) -> Rc<Signature> {
        let pats: Vec<&'g Pat> = function.params.iter().map(|param| &param.pat).collect();
        let returns = function.return_type.as_deref().map(|ann| &*ann.type_ann);
        let (type_params, inner) = self.open_params(function.type_params.as_deref(), env);
        let params: Vec<Parameter> = pats.iter().map(|pat| self.parameter(pat, &inner, None)).collect();
        let guard = self.guard(returns, &params, &inner);
        let returns = self.result_later(returns, Body::of_function(function), pats, &params, &inner, None);
        Rc::new(Signature { type_params, params, returns, guard, is_method: false })
    }

    /// The signature of an arrow, with the types that are expected of its parameters.
    pub(super) fn arrow_signature(
        &mut self,
        arrow: &'g ArrowExpr,
        env: &Env<'g>,
        expected: Option<&Signature>,
    ) -> Rc<Signature> {
        let pats: Vec<&'g Pat> = arrow.params.iter().collect();
        let returns = arrow.return_type.as_deref().map(|ann| &*ann.type_ann);
        let body = Body::of_arrow(arrow);
        self.callback_signature(arrow.type_params.as_deref(), pats, returns, body, env, expected)
    }

    pub(super) fn callback_signature(
        &mut self,
        type_params: Option<&'g swc_ecma_ast::TsTypeParamDecl>,
        pats: Vec<&'g Pat>,
        returns: Option<&'g TsType>,
        body: Body<'g>,
        env: &Env<'g>,
        expected: Option<&Signature>,
    ) -> Rc<Signature> {
        let (type_params, inner) = self.open_params(type_params, env);
        let mut params = Vec::new();
        for (place, pat) in pats.iter().enumerate() {
            let wanted = expected.and_then(|expected| self.param_at(expected, place));
            params.push(self.parameter(pat, &inner, wanted));
        }
        let result = expected.map(|expected| self.force(expected.returns));
        let mut guard = self.guard(returns, &params, &inner);
        let annotated = returns.is_some();
        let returns = self.result_later(returns, body, pats.clone(), &params, &inner, result);
        // The body is evaluated in place: what is known of variables holds here.
        if expected.is_some() {
            self.force(returns);
            if !annotated && expected.is_some_and(|expected| expected.guard.is_some()) {
                guard = self.found_guard(&pats, &body, &inner);
            }
        }
        Rc::new(Signature { type_params, params, returns, guard, is_method: false })
    }

    fn result_later(
        &mut self,
        annotation: Option<&'g TsType>,
        body: Body<'g>,
        pats: Vec<&'g Pat>,
        params: &[Parameter],
        env: &Env<'g>,
        expected: Option<TypeId>,
    ) -> ThunkId {
        let types: Vec<(ThunkId, bool)> = params.iter().map(|param| (param.ty, param.optional)).collect();
        if let Some(annotation) = annotation {
            // It may speak of them: `value is NonNullable<typeof value>`.
            for (pat, (ty, optional)) in pats.iter().zip(&types) {
                self.bind_parameter(pat, *ty, *optional, env);
            }
            return self.annotated(annotation, env);
        }
        let env = env.clone();
        self.later(move |evaluator| evaluator.result(&body, &pats, &types, &env, expected))
    }

    pub(super) fn parameter(&mut self, pat: &'g Pat, env: &Env<'g>, wanted: Option<TypeId>) -> Parameter {
        let (target, default) = match pat {
            Pat::Assign(assign) => (&*assign.left, Some(&*assign.right)),
            other => (other, None),
        };
        let (name, annotation, optional, rest) = match target {
            Pat::Ident(ident) => (ident.id.sym.to_string(), ident.type_ann.as_deref(), ident.optional, false),
            Pat::Object(object) => ("__0".to_owned(), object.type_ann.as_deref(), object.optional, false),
            Pat::Array(array) => ("__0".to_owned(), array.type_ann.as_deref(), array.optional, false),
            Pat::Rest(rest) => {
                let name = rest.arg.as_ident().map_or_else(|| "rest".to_owned(), |id| id.id.sym.to_string());
                (name, rest.type_ann.as_deref(), false, true)
            }
            Pat::Assign(_) | Pat::Invalid(_) | Pat::Expr(_) => ("_".to_owned(), None, false, false),
        };
        let annotation = annotation.map(|ann| &*ann.type_ann);
        let optional = optional || default.is_some();
        self.parameter_of(PatternParts { name, annotation, optional, rest }, default, env, wanted)
    }

    fn parameter_of(
        &mut self,
        parts: PatternParts<'g>,
        default: Option<&'g Expr>,
        env: &Env<'g>,
        wanted: Option<TypeId>,
    ) -> Parameter {
        let ty = match (parts.annotation, wanted, default) {
            (Some(annotation), _, _) => self.annotated(annotation, env),
            (None, Some(wanted), _) => self.known(wanted),
            (None, None, Some(default)) => {
                let env = env.clone();
                self.later(move |types| {
                    let ty = types.expression(default, &env, None);
                    types.widened(ty)
                })
            }
            (None, None, None) => self.known(self.basic.any),
        };
        Parameter { name: Rc::from(parts.name), ty, optional: parts.optional, rest: parts.rest }
    }

    /// The type without the mark of having just been made by an expression.
    pub(super) fn regular(&mut self, ty: TypeId) -> TypeId {
        match self.get(ty).clone() {
            Type::Literal { value, fresh: true } => self.intern(Type::Literal { value, fresh: false }),
            Type::Member { of, place, value, fresh: true } => {
                self.intern(Type::Member { of, place, value, fresh: false })
            }
            Type::Union(members) => {
                let members: Vec<TypeId> = members.iter().map(|member| self.regular(*member)).collect();
                self.union(&members)
            }
            _ => ty,
        }
    }

    /// The type of a variable that is made with a value: fresh literals become their base types.
    pub(super) fn widened(&mut self, ty: TypeId) -> TypeId {
        let ty = self.settled(ty);
        match self.get(ty).clone() {
            Type::Literal { value, fresh: true } => match value {
                Literal::String(_) => self.basic.string,
                Literal::Number(_) => self.basic.number,
                Literal::BigInt(_) => self.basic.bigint,
                Literal::Boolean(_) => self.basic.boolean,
            },
            Type::Member { of, fresh: true, .. } => self.enumeration(of),
            Type::Union(members) => {
                let members: Vec<TypeId> = members.iter().map(|member| self.widened(*member)).collect();
                self.union(&members)
            }
            _ => ty,
        }
    }
}
