//! Calls: overloads, the type arguments that the arguments imply, tables, and the forms of kontract.

use std::rc::Rc;

use swc_common::{Span, Spanned};
use swc_ecma_ast::{CallExpr, Callee, Expr, ExprOrSpread, MemberExpr, NewExpr, TsTypeParamInstantiation};

use super::Body;
use super::guards::is_no_guard;
use crate::parse::extract::is_call_of;
use crate::parse::literal::unwrapped;
use crate::parse::module::property;
use crate::parse::types::evaluator::Evaluator;
use crate::parse::types::model::{Env, Members, ParamId, Signature, Target, Type, TypeId};

impl<'g> Evaluator<'g> {
    pub(super) fn call_expression(
        &mut self,
        call: &'g CallExpr,
        env: &Env<'g>,
        wanted: Option<TypeId>,
    ) -> TypeId {
        let Callee::Expr(callee) = &call.callee else {
            return self.opaque("`import()` or `super()`", env.location(call.span));
        };
        // `backend({ … }, function)` is the function.
        if is_call_of(env.module.module, call, "backend")
            && let Some(function) = call.args.last()
        {
            return self.expression(&function.expr, env, None);
        }
        let function = self.expression(callee, env, None);
        self.called(function, &call.args, call.type_args.as_deref(), call.span, env, wanted)
    }

    pub(super) fn called(
        &mut self,
        function: TypeId,
        args: &'g [ExprOrSpread],
        type_args: Option<&'g TsTypeParamInstantiation>,
        span: Span,
        env: &Env<'g>,
        wanted: Option<TypeId>,
    ) -> TypeId {
        match self.get(function).clone() {
            Type::Any | Type::Opaque(_) | Type::Error | Type::Excess => return function,
            Type::Union(_) => {
                let members = self.members_of_union(function);
                let found: Vec<TypeId> = members
                    .into_iter()
                    .map(|member| self.called(member, args, type_args, span, env, wanted))
                    .collect();
                return self.union(&found);
            }
            _ => {}
        }
        let signatures = self.apparent(function).map_or_else(Vec::new, |members| members.calls.clone());
        self.overloaded(&signatures, args, type_args, span, env, wanted)
    }

    pub(super) fn new_expression(
        &mut self,
        new: &'g NewExpr,
        env: &Env<'g>,
        wanted: Option<TypeId>,
    ) -> TypeId {
        let class = self.expression(&new.callee, env, None);
        if matches!(self.get(class), Type::Any | Type::Opaque(_) | Type::Error | Type::Excess) {
            return class;
        }
        let signatures = self.shape(class).map_or_else(Vec::new, |members| members.constructs.clone());
        let args = new.args.as_deref().unwrap_or(&[]);
        self.overloaded(&signatures, args, new.type_args.as_deref(), new.span, env, wanted)
    }

    fn overloaded(
        &mut self,
        signatures: &[Rc<Signature>],
        args: &'g [ExprOrSpread],
        type_args: Option<&'g TsTypeParamInstantiation>,
        span: Span,
        env: &Env<'g>,
        wanted: Option<TypeId>,
    ) -> TypeId {
        let fits = |signature: &Rc<Signature>| {
            let required = signature.params.iter().filter(|param| !param.optional && !param.rest).count();
            let open = signature.params.iter().any(|param| param.rest);
            let spread = args.iter().any(|arg| arg.spread.is_some());
            let count = args.len();
            let generic = type_args.is_none_or(|types| types.params.len() <= signature.type_params.len());
            generic && (spread || (count >= required && (open || count <= signature.params.len())))
        };
        let fitting: Vec<Rc<Signature>> =
            signatures.iter().filter(|signature| fits(signature)).cloned().collect();
        for (place, signature) in fitting.iter().enumerate() {
            let last = place + 1 == fitting.len();
            if let Some(ty) = self.call_of(signature, args, type_args, env, wanted, last) {
                return ty;
            }
        }
        self.opaque("a call that fits no signature", env.location(span))
    }

    /// The result of a signature for these arguments; `None` where one does not fit.
    fn call_of(
        &mut self,
        signature: &Rc<Signature>,
        args: &'g [ExprOrSpread],
        type_args: Option<&'g TsTypeParamInstantiation>,
        env: &Env<'g>,
        wanted: Option<TypeId>,
        last: bool,
    ) -> Option<TypeId> {
        let ids: Vec<ParamId> = signature.type_params.iter().map(|param| param.id).collect();
        let mut pairs: Vec<(TypeId, TypeId)> = Vec::new();
        let mut bound: Vec<(ParamId, TypeId)> = Vec::new();
        if let Some(type_args) = type_args {
            let types = self.arguments(Some(type_args), env);
            bound = ids.iter().copied().zip(types).collect();
        }
        // Arguments that are functions wait for what the others say of the type parameters.
        let later = |arg: &ExprOrSpread| matches!(unwrapped(&arg.expr), Expr::Arrow(_) | Expr::Fn(_));
        for round in [false, true] {
            for (place, arg) in args.iter().enumerate().filter(|(_, arg)| later(arg) == round) {
                let Some(param) = self.param_at(signature, place) else { continue };
                let known: Rc<[(ParamId, TypeId)]> = if type_args.is_some() {
                    bound.clone().into()
                } else {
                    self.matched_all(&pairs, &ids, true).into()
                };
                let expected = self.replaced(param, &known);
                if !last && is_no_guard(&arg.expr) && self.wants_guard(expected) {
                    return None;
                }
                let ty = self.expression(&arg.expr, env, Some(expected));
                if arg.spread.is_some() {
                    let element = self.iterated(ty).unwrap_or(self.basic.any);
                    pairs.push((element, param));
                } else {
                    pairs.push((ty, param));
                }
            }
        }
        if type_args.is_none() {
            bound = self.matched_all(&pairs, &ids, true);
            if let Some(wanted) = wanted {
                let returns = self.force(signature.returns);
                let from_place = self.matched(wanted, returns, &ids);
                for (id, ty) in from_place {
                    if !bound.iter().any(|(known, _)| *known == id) && !self.is_open(ty) {
                        bound.push((id, ty));
                    }
                }
            }
        }
        for param in &signature.type_params {
            if !bound.iter().any(|(known, _)| *known == param.id) {
                let default = param.default.or(param.constraint);
                let ty = default.map_or(self.basic.unknown, |default| self.force(default));
                let ty = if param.default.is_none() && self.is_open(ty) { self.basic.unknown } else { ty };
                bound.push((param.id, ty));
            }
        }
        let map: Rc<[(ParamId, TypeId)]> = bound.into();
        let assignable = pairs.iter().all(|(ty, param)| {
            let param = self.replaced(*param, &map);
            self.is_assignable(*ty, param)
        });
        if !assignable && !last {
            return None;
        }
        let returns = match self.try_force(signature.returns) {
            Some(returns) => returns,
            None => self.opaque("the result of a function that calls itself", None),
        };
        Some(self.replaced(returns, &map))
    }

    fn wants_guard(&mut self, ty: TypeId) -> bool {
        let guards = |call: &Rc<Signature>| call.guard.is_some_and(|guard| !guard.asserts);
        matches!(self.get(ty), Type::Object(_))
            && self.shape(ty).is_some_and(|shape| !shape.calls.is_empty() && shape.calls.iter().all(guards))
    }

    /// An arrow or function expression, with what is expected of it.
    pub(super) fn function_expression(
        &mut self,
        expr: &'g Expr,
        env: &Env<'g>,
        wanted: Option<TypeId>,
    ) -> TypeId {
        let expected = wanted.and_then(|wanted| {
            let members = self.members_of_union(wanted);
            members.into_iter().find_map(|member| self.shape(member)?.calls.first().cloned())
        });
        let signature = match expr {
            Expr::Arrow(arrow) => self.arrow_signature(arrow, env, expected.as_deref()),
            Expr::Fn(function) => {
                let pats = function.function.params.iter().map(|param| &param.pat).collect();
                let returns = function.function.return_type.as_deref().map(|ann| &*ann.type_ann);
                let body = Body::of_function(&function.function);
                let params = function.function.type_params.as_deref();
                self.callback_signature(params, pats, returns, body, env, expected.as_deref())
            }
            other => return self.opaque("a function", env.location(other.span())),
        };
        self.callable(signature)
    }

    /// `env.storage.<table>`
    pub(super) fn storage_table(&mut self, member: &'g MemberExpr, env: &Env<'g>) -> Option<TypeId> {
        let storage = unwrapped(&member.obj).as_member()?;
        let of = unwrapped(&storage.obj).as_ident()?;
        let module = env.module.module;
        let is_env = of.sym == *"env"
            && (module.is_unbound(of)
                || module.import(&of.sym).is_some_and(|import| import.from.text.starts_with("kontract")));
        if !is_env || storage.prop.as_ident().is_none_or(|name| name.sym != *"storage") {
            return None;
        }
        let (name, span) = property(&member.prop)?;
        let Some(row) = self.table_rows(&name) else {
            return Some(
                self.opaque(format!("the table `{name}`, which has no interface"), env.location(span)),
            );
        };
        let Target::Symbol(namespace) = self.own("kontract") else { return None };
        let Target::Symbol(table) = self.member(&Target::Symbol(namespace), "Table") else { return None };
        // Keys and patches are only taken, never given.
        Some(self.declared(table, [row, self.basic.never, self.basic.never].into()))
    }

    /// The rows of a table, by the interface that describes them.
    fn table_rows(&mut self, name: &str) -> Option<TypeId> {
        let (_, file, path) = self.table_names.iter().find(|(table, ..)| table == name)?.clone();
        let module = self.module_of(file)?;
        let symbol = self.symbol(module.id, &path);
        let env = Env::top(module);
        Some(self.instantiate(symbol, &[], module.module.module.span, &env, None))
    }

    /// What iterating over a table gives.
    pub(super) fn table_row(&mut self, ty: TypeId) -> Option<TypeId> {
        let (name, args) = self.library_name(ty)?;
        (&*name == "kontract.Table").then(|| args[0])
    }

    pub(super) fn members_given(
        &mut self,
        members: Members<'g>,
        fresh: bool,
        env: &Env<'g>,
        span: Span,
    ) -> TypeId {
        self.given_at(members, None, env.location(span), fresh)
    }
}
