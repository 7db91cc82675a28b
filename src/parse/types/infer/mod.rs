//! From expressions to types: the results of functions without annotation, and `typeof`.
//!
//! ```text
//! return { id: row.id, tags: [] }   →   { id: string; tags: never[] }
//! ```
//!
//! What is not understood is [`Type::Opaque`], which names the expression.

mod call;
mod flow;
mod guards;
mod literals;
mod narrow;
mod operators;
mod places;

use swc_common::{Span, Spanned};
use swc_ecma_ast::{
    ArrowExpr, ArrowFunctionBody, Expr, Function, Ident, Lit, MemberExpr, MemberProp, OptChainBase, Stmt,
    SuperProp,
};

use super::enums::expr_path;
use super::evaluator::Evaluator;
use super::model::{Env, Members, Target, Type, TypeId};
use super::template::js_number;
use super::text::shortened;
use crate::contract::Literal;
use crate::parse::literal::unwrapped;
pub(super) use places::Place;

/// The body of a function.
#[derive(Clone, Copy)]
pub(super) struct Body<'g> {
    statements: Option<&'g [Stmt]>,
    expr: Option<&'g Expr>,
    is_async: bool,
    is_generator: bool,
    /// Whether one that only throws is of type `never`, as TypeScript has it for expressions, not for declarations.
    may_be_never: bool,
    span: Span,
}

impl<'g> Body<'g> {
    pub(super) fn of_function(function: &'g Function) -> Self {
        Self {
            statements: function.body.as_ref().map(|body| &*body.stmts),
            expr: None,
            is_async: function.is_async,
            is_generator: function.is_generator,
            may_be_never: false,
            span: function.span,
        }
    }

    pub(super) fn of_arrow(arrow: &'g ArrowExpr) -> Self {
        let (statements, expr) = match &*arrow.body {
            ArrowFunctionBody::FunctionBody(body) => (Some(&*body.stmts), None),
            ArrowFunctionBody::Expr(expr) => (None, Some(&**expr)),
        };
        let (is_async, is_generator) = (arrow.is_async, arrow.is_generator);
        Self { statements, expr, is_async, is_generator, may_be_never: true, span: arrow.span }
    }
}

impl<'g> Evaluator<'g> {
    /// The type of an expression. `wanted` is the type of the place where it stands.
    pub(super) fn expression(&mut self, expr: &'g Expr, env: &Env<'g>, wanted: Option<TypeId>) -> TypeId {
        self.bounded(|types| types.expression_node(expr, env, wanted))
    }

    /// One arm for each kind of expression; long, but flat.
    fn expression_node(&mut self, expr: &'g Expr, env: &Env<'g>, wanted: Option<TypeId>) -> TypeId {
        match expr {
            Expr::Lit(literal) => self.literal_expression(literal, env),
            Expr::Tpl(template) => {
                for expr in &template.exprs {
                    self.expression(expr, env, None);
                }
                if template.exprs.is_empty() {
                    let text = template.quasis.first().and_then(|quasi| quasi.cooked.as_ref());
                    let text = text.map(|text| text.to_string_lossy().into_owned()).unwrap_or_default();
                    return self.intern(Type::Literal { value: Literal::String(text), fresh: true });
                }
                self.basic.string
            }
            Expr::Ident(ident) => self.identifier(ident, env),
            Expr::Paren(inner) => self.expression(&inner.expr, env, wanted),
            Expr::TsAs(inner) => self.annotation(&inner.type_ann, env),
            Expr::TsTypeAssertion(inner) => self.annotation(&inner.type_ann, env),
            Expr::TsSatisfies(inner) => {
                let wanted = self.annotation(&inner.type_ann, env);
                self.expression(&inner.expr, env, Some(wanted))
            }
            Expr::TsConstAssertion(inner) => self.constant_expression(&inner.expr, env),
            Expr::TsNonNull(inner) => {
                let ty = self.expression(&inner.expr, env, wanted);
                self.without_nothing(ty)
            }
            Expr::TsInstantiation(inner) => {
                let ty = self.expression(&inner.expr, env, wanted);
                self.instantiated(ty, Some(&inner.type_args), env)
            }
            Expr::Array(array) => self.array_literal(array, env, wanted, false),
            Expr::Object(object) => self.object_literal(object, env, wanted, false),
            Expr::Arrow(_) | Expr::Fn(_) => self.function_expression(expr, env, wanted),
            Expr::Unary(unary) => self.unary(unary, env),
            Expr::Update(_) => self.basic.number,
            Expr::Bin(binary) => self.binary(binary, env, wanted),
            Expr::Cond(condition) => self.condition(condition, env, wanted),
            Expr::Assign(assign) => self.expression(&assign.right, env, wanted),
            Expr::Seq(sequence) => match sequence.exprs.last() {
                Some(last) => self.expression(last, env, wanted),
                None => self.basic.undefined,
            },
            Expr::Await(awaited) => {
                let ty = self.expression(&awaited.arg, env, None);
                self.awaited(ty)
            }
            Expr::Member(member) => self.member_expression(expr, member, env),
            Expr::OptChain(_) => {
                let (ty, absent) = self.optional_chain(expr, env);
                if absent { self.union(&[ty, self.basic.undefined]) } else { ty }
            }
            Expr::Call(call) => self.call_expression(call, env, wanted),
            Expr::New(new) => self.new_expression(new, env, wanted),
            Expr::Yield(yielded) => {
                if let Some(arg) = &yielded.arg {
                    let ty = self.expression(arg, env, None);
                    let ty = if yielded.delegate { self.iterated(ty) } else { Some(ty) };
                    let ty = ty.unwrap_or(self.basic.any);
                    if let Some(yields) = self.locals.yields.last_mut() {
                        yields.push(ty);
                    }
                }
                self.basic.any
            }
            Expr::This(this) => match env.bound("this") {
                Some(this) => this,
                None => self.opaque("`this`", env.location(this.span)),
            },
            Expr::SuperProp(property) => {
                let at = match &property.prop {
                    SuperProp::Ident(name) => name.span,
                    SuperProp::Computed(computed) => computed.span,
                };
                self.opaque("a member of `super`", env.location(at))
            }
            other => self.opaque(kind_of(other), env.location(other.span())),
        }
    }

    fn literal_expression(&mut self, literal: &Lit, env: &Env<'g>) -> TypeId {
        let value = match literal {
            Lit::Str(text) => Literal::String(text.value.to_string_lossy().into_owned()),
            Lit::Num(number) => Literal::Number(js_number(number.value)),
            Lit::BigInt(digits) => Literal::BigInt(digits.value.to_string()),
            Lit::Bool(value) => Literal::Boolean(value.value),
            Lit::Null(_) => return self.basic.null,
            Lit::Regex(_) => return self.library("RegExp", &[]),
            Lit::JSXText(text) => return self.opaque("JSX", env.location(text.span)),
        };
        self.intern(Type::Literal { value, fresh: true })
    }

    pub(super) fn identifier(&mut self, ident: &'g Ident, env: &Env<'g>) -> TypeId {
        let key = (env.module.id, ident.to_id());
        if let Some(narrowed) = self.locals.narrowed.get(&Place::variable(env.module.id, ident.to_id())) {
            return *narrowed;
        }
        if let Some(local) = self.locals.types.get(&key) {
            let local = *local;
            return match self.try_force(local) {
                Some(ty) => ty,
                None => {
                    self.opaque(format!("`{}`, which is made of itself", ident.sym), env.location(ident.span))
                }
            };
        }
        if ident.sym == *"undefined" {
            return self.basic.undefined;
        }
        let target = self.name(&ident.sym, env);
        if let Some(value) = self.value_of(&target) {
            return value;
        }
        // `HttpResp` and what else the package gives to server code.
        if let Target::External { package, name } = &target
            && package == "kontract"
        {
            let own = self.own(name);
            if let Some(value) = self.value_of(&own) {
                return value;
            }
        }
        let what = match target {
            Target::External { package, .. } => format!("`{}` of the package `{package}`", ident.sym),
            _ => format!("`{}`", ident.sym),
        };
        self.opaque(what, env.location(ident.span))
    }

    fn member_expression(&mut self, whole: &'g Expr, member: &'g MemberExpr, env: &Env<'g>) -> TypeId {
        if let Some(table) = self.storage_table(member, env) {
            return table;
        }
        if let Some(path) = expr_path(&member.obj)
            && let Target::Symbol(of) = self.target(&path, env)
            && self.is_enum(of)
            && let Some(name) = member.prop.as_ident()
            && let Some(found) = self.enum_member(of, &name.sym, true)
        {
            return found;
        }
        if let Some(known) = self.known_of(whole, env) {
            return known;
        }
        if let Some(path) = expr_path(whole)
            && let Some(target) =
                self.of_global_this(&path[..path.len().min(2)], env).filter(|_| path.len() == 2)
            && let Some(value) = self.value_of(&target)
        {
            return value;
        }
        let object = self.expression(&member.obj, env, None);
        self.property(object, member, env)
    }

    /// The type of a property, whatever is known of its value.
    pub(super) fn member_type(&mut self, member: &'g MemberExpr, env: &Env<'g>) -> TypeId {
        let object = self.expression(&member.obj, env, None);
        self.property(object, member, env)
    }

    fn property(&mut self, object: TypeId, member: &'g MemberExpr, env: &Env<'g>) -> TypeId {
        if matches!(self.get(object), Type::Opaque(_) | Type::Error | Type::Excess | Type::Any) {
            return object;
        }
        let key = match &member.prop {
            MemberProp::Ident(name) => self.text(&name.sym),
            MemberProp::Computed(computed) => {
                let key = self.expression(&computed.expr, env, None);
                self.regular(key)
            }
            MemberProp::PrivateName(name) => {
                return self.opaque("a private member", env.location(name.span));
            }
        };
        match self.access(object, key, false) {
            Some(ty) => ty,
            None => {
                let what = format!("{} of {}", self.text_of(key), shortened(&self.text_of(object)));
                self.opaque(what, env.location(member.span))
            }
        }
    }

    /// The type of `a?.b`, and whether a missing `a` may have ended it.
    fn optional_chain(&mut self, expr: &'g Expr, env: &Env<'g>) -> (TypeId, bool) {
        let Expr::OptChain(chain) = unwrapped(expr) else { return (self.expression(expr, env, None), false) };
        if let Some(known) = self.known_of(expr, env) {
            return (known, false);
        }
        match &*chain.base {
            OptChainBase::Member(member) => {
                let (object, absent) = self.optional_chain(&member.obj, env);
                let (object, missing) = self.present(object, chain.optional);
                (self.property(object, member, env), absent || missing)
            }
            OptChainBase::Call(call) => {
                let (callee, absent) = self.optional_chain(&call.callee, env);
                let (callee, missing) = self.present(callee, chain.optional);
                let ty = self.called(callee, &call.args, call.type_args.as_deref(), call.span, env, None);
                (ty, absent || missing)
            }
        }
    }

    /// Without null and undefined, and whether there was any.
    fn present(&mut self, ty: TypeId, optional: bool) -> (TypeId, bool) {
        if !optional {
            return (ty, false);
        }
        let present = self.without_nothing(ty);
        (present, present != ty)
    }

    pub(super) fn without_nothing(&mut self, ty: TypeId) -> TypeId {
        let members = self.members_of_union(ty);
        let kept: Vec<TypeId> = members
            .into_iter()
            .filter(|member| !matches!(self.get(*member), Type::Null | Type::Undefined | Type::Void))
            .collect();
        self.union(&kept)
    }

    /// What `await` gives.
    pub(super) fn awaited(&mut self, ty: TypeId) -> TypeId {
        let members = self.members_of_union(ty);
        let mut found = Vec::new();
        for member in members {
            match self.library_name(member) {
                Some((name, args)) if matches!(&*name, "Promise" | "PromiseLike") && !args.is_empty() => {
                    let inner = self.awaited(args[0]);
                    found.push(inner);
                }
                _ => found.push(member),
            }
        }
        self.union(&found)
    }

    /// What iterating gives.
    pub(super) fn iterated(&mut self, ty: TypeId) -> Option<TypeId> {
        let mut found = Vec::new();
        for member in self.members_of_union(ty) {
            let element = match self.get(member).clone() {
                Type::Array { element, .. } => element,
                Type::Tuple { elements, .. } => self.element_union(&elements),
                Type::String | Type::Literal { value: Literal::String(_), .. } => self.basic.string,
                Type::Any | Type::Opaque(_) => member,
                _ => match self.library_name(member) {
                    Some((name, args)) if !args.is_empty() => match &*name {
                        "Set"
                        | "ReadonlySet"
                        | "Iterable"
                        | "IterableIterator"
                        | "Generator"
                        | "AsyncIterable"
                        | "AsyncIterableIterator"
                        | "AsyncGenerator"
                        | "ReadableStream" => args[0],
                        "Map" | "ReadonlyMap" => {
                            let pair = [args[0], args[1]].map(|ty| super::model::Element {
                                label: None,
                                ty,
                                optional: false,
                                rest: false,
                            });
                            self.tuple(pair.to_vec(), false)
                        }
                        _ => return None,
                    },
                    _ => return self.table_row(member),
                },
            };
            found.push(element);
        }
        Some(self.union(&found))
    }

    pub(super) fn callable(&mut self, signature: std::rc::Rc<super::model::Signature>) -> TypeId {
        self.given(Members { calls: vec![signature], ..Members::default() }, None)
    }
}

fn kind_of(expr: &Expr) -> &'static str {
    match expr {
        Expr::Class(_) => "a class",
        Expr::TaggedTpl(_) => "a tagged template",
        Expr::JSXElement(_) | Expr::JSXFragment(_) => "JSX",
        Expr::MetaProp(_) => "`import.meta` or `new.target`",
        _ => "this expression",
    }
}
