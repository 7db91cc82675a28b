//! Declared types with their arguments: aliases, interfaces, classes and enums.

use std::rc::Rc;

use swc_common::Span;
use swc_ecma_ast::{TsType, TsTypeAliasDecl, TsTypeOperatorOp, TsTypeParam, TsTypeParamDecl};

use super::diagnostics;
use super::evaluator::{AliasValue, Evaluator, ObjectKey};
use super::mapped::source_binding;
use super::model::{Alias, AliasId, Declaration, Declared, Env, Source, SymbolId, Type, TypeId};

impl<'g> Evaluator<'g> {
    /// The type of a declared name with its arguments.
    pub(super) fn instantiate(
        &mut self,
        symbol: SymbolId,
        args: &[TypeId],
        span: Span,
        used: &Env<'g>,
        host: Option<AliasId>,
    ) -> TypeId {
        let declarations = self.declarations(symbol);
        for declaration in declarations.iter() {
            match declaration.node {
                Declared::Alias(alias) => {
                    let params = alias.type_params.as_deref();
                    let Some(env) = self.bind_arguments(params, args, declaration, span, used) else {
                        return self.basic.error;
                    };
                    let args = bound_arguments(params, &env);
                    return self.alias_type(symbol, alias, args, &env, declaration.name, host);
                }
                Declared::Interface(_) | Declared::Class(_) => {
                    let params = type_params(declaration);
                    let Some(env) = self.bind_arguments(params, args, declaration, span, used) else {
                        return self.basic.error;
                    };
                    let args = bound_arguments(params, &env);
                    return self.declared(symbol, args);
                }
                Declared::Enum(_) => return self.enumeration(symbol),
                Declared::Function(_)
                | Declared::Variable(..)
                | Declared::Namespace(_)
                | Declared::Value(_) => {}
            }
        }
        // `export default Name`, `export = Name`, `export import A = N.B`
        if let Some(Declared::Value(swc_ecma_ast::Expr::Ident(ident))) =
            declarations.first().map(|declaration| declaration.node)
        {
            let env = declarations[0].env.clone();
            if let super::model::Target::Symbol(target) = self.name(&ident.sym, &env)
                && target != symbol
            {
                return self.instantiate(target, args, span, used, host);
            }
        }
        if let Some(member) = self.enum_member_type(symbol) {
            return member;
        }
        let name = self.symbol_of(symbol).name().to_owned();
        self.unknown_type(&name, span, used)
    }

    pub(super) fn declared(&mut self, symbol: SymbolId, args: Rc<[TypeId]>) -> TypeId {
        let key = ObjectKey::Declared(symbol, Rc::clone(&args));
        self.object(Some(key), Source::Declared { symbol, args }, None)
    }

    /// A type of the library with these arguments.
    pub(super) fn library(&mut self, name: &str, args: &[TypeId]) -> TypeId {
        match self.own(name) {
            super::model::Target::Symbol(symbol) => self.declared(symbol, args.into()),
            _ => self.basic.any,
        }
    }

    /// As [`Self::library_name`], arrays and tuples included.
    pub(super) fn library_view(&mut self, ty: TypeId) -> Option<(Rc<str>, Rc<[TypeId]>)> {
        let element = match self.get(ty).clone() {
            Type::Array { element, .. } => element,
            Type::Tuple { elements, .. } => self.element_union(&elements),
            _ => return self.library_name(ty),
        };
        Some((Rc::from("Array"), Rc::from([element])))
    }

    /// The library's name and the arguments of a type that is declared there.
    pub(super) fn library_name(&self, ty: TypeId) -> Option<(Rc<str>, Rc<[TypeId]>)> {
        let Type::Object(object) = self.get(ty) else { return None };
        let Source::Declared { symbol, args } = &self.objects[object.place()].source else { return None };
        let symbol = self.symbol_of(*symbol);
        self.module_ref(symbol.module).own.then(|| (Rc::clone(&symbol.path), Rc::clone(args)))
    }

    fn bind_arguments(
        &mut self,
        params: Option<&'g TsTypeParamDecl>,
        args: &[TypeId],
        declaration: &Declaration<'g>,
        span: Span,
        used: &Env<'g>,
    ) -> Option<Env<'g>> {
        let mut env = declaration.env.clone();
        for (place, param) in params.into_iter().flat_map(|params| &params.params).enumerate() {
            let bound = match (args.get(place), &param.default) {
                (Some(arg), _) => *arg,
                (None, Some(default)) => self.annotation(default, &env),
                (None, None) => {
                    let name = param.name.sym.to_string();
                    self.report_at(used, span, |at| {
                        diagnostics::cannot_send(&format!("a generic type without its argument `{name}`"), at)
                    });
                    return None;
                }
            };
            env = env.bind(&param.name.sym, bound);
            env = bind_source(param, env);
        }
        Some(env)
    }

    fn alias_type(
        &mut self,
        symbol: SymbolId,
        declared: &'g TsTypeAliasDecl,
        args: Rc<[TypeId]>,
        env: &Env<'g>,
        name: Span,
        host: Option<AliasId>,
    ) -> TypeId {
        let host = host.filter(|_| !args.is_empty());
        // Within its own definition it is the one that is being evaluated, whatever that one is called.
        let running = self.running.iter().copied().find(|running| {
            let known = &self.aliases[running.place()].alias;
            known.symbol == symbol && known.args == args
        });
        if let Some(running) = running {
            self.has_circles |= self.running.last() != Some(&running);
            return self.intern(Type::Recur(running));
        }
        let alias = self.alias(Alias { symbol, args, host });
        match self.aliases[alias.place()].state {
            AliasValue::Known(known) => return known,
            AliasValue::Running | AliasValue::Unknown => {}
        }
        self.aliases[alias.place()].state = AliasValue::Running;
        self.running.push(alias);
        let naming = host.unwrap_or(alias);
        let mut ty = self.hosted(&declared.type_ann, env, Some(naming));
        if self.is_circle(ty, alias) {
            let text = declared.id.sym.to_string();
            ty = self.report_at(env, name, |at| diagnostics::circular(&text, at));
        }
        self.running.pop();
        self.aliases[alias.place()].state = AliasValue::Known(ty);
        ty
    }

    /// Whether a definition is nothing but itself, or a union with itself.
    fn is_circle(&self, ty: TypeId, alias: AliasId) -> bool {
        let is_self = |ty: TypeId| self.types[ty.place()] == Type::Recur(alias);
        match &self.types[ty.place()] {
            Type::Union(members) | Type::Intersection(members) => {
                members.iter().any(|member| is_self(*member))
            }
            _ => is_self(ty),
        }
    }
}

/// For `K extends keyof T` remembers `T`, whose properties a mapped type over `K` keeps.
/// Whether whatever is of one name of the library is of another one, with the same arguments. What makes it so, such as the
/// signatures of `then`, is more than is declared here.
pub(super) fn is_library_subtype(name: &str, of: &str) -> bool {
    name == of || matches!((name, of), ("Promise", "PromiseLike") | ("Array", "ArrayLike"))
}

pub(super) fn bind_source<'g>(param: &TsTypeParam, env: Env<'g>) -> Env<'g> {
    let of = match param.constraint.as_deref() {
        Some(TsType::TsTypeOperator(operator)) if operator.op == TsTypeOperatorOp::KeyOf => {
            operator.type_ann.as_ts_type_ref().and_then(|of| of.type_name.as_ident())
        }
        _ => None,
    };
    match of.and_then(|of| env.bound(&of.sym)) {
        Some(of) => env.bind(&source_binding(&param.name.sym), of),
        None => env,
    }
}

fn bound_arguments(params: Option<&TsTypeParamDecl>, env: &Env<'_>) -> Rc<[TypeId]> {
    let names = params.into_iter().flat_map(|params| &params.params).map(|param| &param.name.sym);
    names.filter_map(|name| env.bound(name)).collect()
}

/// The type parameters of an interface or class.
pub(super) fn type_params<'g>(declaration: &Declaration<'g>) -> Option<&'g TsTypeParamDecl> {
    match declaration.node {
        Declared::Interface(interface) => interface.type_params.as_deref(),
        Declared::Class(class) => class.type_params.as_deref(),
        Declared::Alias(alias) => alias.type_params.as_deref(),
        Declared::Function(function) => function.type_params.as_deref(),
        Declared::Enum(_) | Declared::Variable(..) | Declared::Namespace(_) | Declared::Value(_) => None,
    }
}
