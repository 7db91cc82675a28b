//! Evaluates constants: what decorator options may consist of.
//!
//! Literals, `perms.*`, `|` and `&`, object literals, and `const`s and enum members, also imported ones.

use swc_common::{Span, Spanned};
use swc_ecma_ast::{
    AssignTarget, BinaryOp, Decl, Expr, ExprOrSpread, Ident, Lit, MemberProp, ObjectLit, Prop, PropName,
    PropOrSpread, SimpleAssignTarget, TsEnumDecl, TsEnumMemberId, UnaryOp, VarDeclKind,
};

use super::graph::{Binding, ModuleGraph};
use super::limits::HOPS_MAX;
use super::module::{OwnName, ParsedModule};
use crate::contract::Perms;
use crate::source::Location;

/// A value known at compile time.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Constant {
    Text(String),
    Number(f64),
    Boolean(bool),
    Null,
    Perms(Perms),
    Object(Vec<(String, Constant)>),
}

/// An expression that is not constant, and what about it is not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NotConstant {
    pub(crate) location: Location,
    pub(crate) what: String,
}

/// One `key: value` of an option list, in either spelling.
#[derive(Debug, Clone)]
pub(crate) struct OptionEntry {
    pub(crate) key: String,
    pub(crate) key_location: Location,
    pub(crate) value: Result<Constant, NotConstant>,
    pub(crate) value_location: Location,
}

/// The entries of an argument list: `({ key: value })` or `(key=value, …)`.
pub(crate) fn option_entries(
    graph: &ModuleGraph,
    module: &ParsedModule,
    arguments: &[ExprOrSpread],
) -> Result<Vec<OptionEntry>, NotConstant> {
    let mut entries = Vec::new();
    for argument in arguments {
        match unwrapped(&argument.expr) {
            Expr::Assign(assign) => {
                let AssignTarget::Simple(SimpleAssignTarget::Ident(key)) = &assign.left else {
                    return Err(not_constant(module, assign.span, "not a name"));
                };
                entries.push(entry(graph, module, key.sym.to_string(), key.span, &assign.right));
            }
            Expr::Object(object) => object_entries(graph, module, object, &mut entries)?,
            other => {
                let Constant::Object(fields) = evaluate(graph, module, other)? else {
                    return Err(not_constant(module, other.span(), "not an object of options"));
                };
                let at = module.location(other.span());
                entries.extend(fields.into_iter().map(|(key, value)| OptionEntry {
                    key,
                    key_location: at,
                    value: Ok(value),
                    value_location: at,
                }));
            }
        }
    }
    Ok(entries)
}

/// The value of an expression in a module.
pub(crate) fn evaluate(
    graph: &ModuleGraph,
    module: &ParsedModule,
    expr: &Expr,
) -> Result<Constant, NotConstant> {
    Evaluation { graph, module, hops: HOPS_MAX }.expr(expr)
}

/// Parentheses, `as` and `satisfies` taken off.
pub(crate) fn unwrapped(expr: &Expr) -> &Expr {
    let mut expr = expr;
    loop {
        expr = match expr {
            Expr::Paren(inner) => &inner.expr,
            Expr::TsAs(inner) => &inner.expr,
            Expr::TsConstAssertion(inner) => &inner.expr,
            Expr::TsSatisfies(inner) => &inner.expr,
            Expr::TsNonNull(inner) => &inner.expr,
            Expr::TsTypeAssertion(inner) => &inner.expr,
            other => return other,
        };
    }
}

/// The name of a property, where it is written out.
pub(crate) fn prop_name(name: &PropName) -> Option<String> {
    match name {
        PropName::Ident(ident) => Some(ident.sym.to_string()),
        PropName::Str(text) => Some(text.value.to_string_lossy().into_owned()),
        PropName::Num(number) => Some(number.value.to_string()),
        PropName::Computed(_) | PropName::BigInt(_) => None,
    }
}

fn object_entries(
    graph: &ModuleGraph,
    module: &ParsedModule,
    object: &ObjectLit,
    entries: &mut Vec<OptionEntry>,
) -> Result<(), NotConstant> {
    for prop in &object.props {
        match prop {
            PropOrSpread::Spread(spread) => {
                let spread = ExprOrSpread { spread: None, expr: spread.expr.clone() };
                entries.extend(option_entries(graph, module, &[spread])?);
            }
            PropOrSpread::Prop(prop) => match &**prop {
                Prop::KeyValue(pair) => {
                    let Some(key) = prop_name(&pair.key) else {
                        return Err(not_constant(module, pair.key.span(), "a computed key"));
                    };
                    entries.push(entry(graph, module, key, pair.key.span(), &pair.value));
                }
                Prop::Shorthand(ident) => {
                    let value = Expr::Ident(ident.clone());
                    entries.push(entry(graph, module, ident.sym.to_string(), ident.span, &value));
                }
                other => return Err(not_constant(module, other.span(), "a method")),
            },
        }
    }
    Ok(())
}

fn entry(
    graph: &ModuleGraph,
    module: &ParsedModule,
    key: String,
    key_span: Span,
    value: &Expr,
) -> OptionEntry {
    OptionEntry {
        key,
        key_location: module.location(key_span),
        value: evaluate(graph, module, value),
        value_location: module.location(value.span()),
    }
}

fn not_constant(module: &ParsedModule, span: Span, what: impl Into<String>) -> NotConstant {
    NotConstant { location: module.location(span), what: what.into() }
}

struct Evaluation<'g> {
    graph: &'g ModuleGraph,
    module: &'g ParsedModule,
    hops: usize,
}

impl Evaluation<'_> {
    fn expr(&self, expr: &Expr) -> Result<Constant, NotConstant> {
        match unwrapped(expr) {
            Expr::Lit(Lit::Str(text)) => Ok(Constant::Text(text.value.to_string_lossy().into_owned())),
            Expr::Lit(Lit::Num(number)) => Ok(Constant::Number(number.value)),
            Expr::Lit(Lit::Bool(boolean)) => Ok(Constant::Boolean(boolean.value)),
            Expr::Lit(Lit::Null(_)) => Ok(Constant::Null),
            Expr::Tpl(template) if template.exprs.is_empty() => {
                let text = template.quasis.iter().filter_map(|quasi| quasi.cooked.as_ref());
                Ok(Constant::Text(text.map(|cooked| cooked.to_string_lossy().into_owned()).collect()))
            }
            Expr::Unary(unary) if unary.op == UnaryOp::Minus => match self.expr(&unary.arg)? {
                Constant::Number(number) => Ok(Constant::Number(-number)),
                _ => Err(self.fail(unary.span, "a minus before something that is not a number")),
            },
            Expr::Bin(binary) => self.binary(expr, binary.op, &binary.left, &binary.right),
            Expr::Object(object) => self.object(object),
            Expr::Ident(ident) => self.ident(ident),
            Expr::Member(member) => {
                let key = match &member.prop {
                    MemberProp::Ident(name) => name.sym.to_string(),
                    MemberProp::Computed(computed) => match self.expr(&computed.expr)? {
                        Constant::Text(key) => key,
                        _ => return Err(self.fail(computed.span, "a computed key")),
                    },
                    MemberProp::PrivateName(_) => return Err(self.fail(member.span, "a private name")),
                };
                self.member(&member.obj, &key, member.span)
            }
            other => Err(self.fail(other.span(), describe(other))),
        }
    }

    fn binary(&self, whole: &Expr, op: BinaryOp, left: &Expr, right: &Expr) -> Result<Constant, NotConstant> {
        let combined = match (op, self.expr(left)?, self.expr(right)?) {
            (BinaryOp::BitOr, Constant::Perms(a), Constant::Perms(b)) => Some(Constant::Perms(a.union(b))),
            (BinaryOp::BitAnd, Constant::Perms(a), Constant::Perms(b)) => {
                Some(Constant::Perms(a.intersection(b)))
            }
            (BinaryOp::Add, Constant::Text(a), Constant::Text(b)) => Some(Constant::Text(a + &b)),
            _ => None,
        };
        combined.ok_or_else(|| self.fail(whole.span(), "an operation other than `|` and `&` of perms"))
    }

    fn object(&self, object: &ObjectLit) -> Result<Constant, NotConstant> {
        let mut entries = Vec::new();
        object_entries(self.graph, self.module, object, &mut entries)?;
        let fields = entries.into_iter().map(|entry| entry.value.map(|value| (entry.key, value)));
        fields.collect::<Result<_, _>>().map(Constant::Object)
    }

    fn ident(&self, ident: &Ident) -> Result<Constant, NotConstant> {
        match self.graph.lookup(self.module.file, &ident.sym) {
            Binding::Declared { file, name } => self.declared(file, &name, ident),
            Binding::Item { .. } => Err(self.fail(ident.span, "a default export")),
            Binding::Namespace { .. } => Err(self.fail(ident.span, "a module")),
            Binding::External { package, .. } => {
                Err(self.fail(ident.span, format!("imported from `{package}`")))
            }
            Binding::Missing => Err(self.fail(ident.span, "not a constant of this project")),
        }
    }

    fn member(&self, object: &Expr, key: &str, span: Span) -> Result<Constant, NotConstant> {
        if self.module.own_name(object) == Some(OwnName::Export("perms".to_owned())) {
            return Perms::from_spelling(key)
                .map(Constant::Perms)
                .ok_or_else(|| self.fail(span, format!("no permission is called `{key}`")));
        }
        if let Expr::Ident(ident) = unwrapped(object) {
            match self.graph.lookup(self.module.file, &ident.sym) {
                Binding::Declared { file, name } => {
                    if let Some(value) = self.enum_member(file, &name, key) {
                        return value;
                    }
                }
                Binding::Namespace { file } => {
                    return match self.graph.exported(file, key) {
                        Binding::Declared { file, name } => self.declared(file, &name, ident),
                        _ => Err(self.fail(span, "not a constant of this project")),
                    };
                }
                Binding::Item { .. } | Binding::External { .. } | Binding::Missing => {}
            }
        }
        match self.expr(object)? {
            Constant::Object(fields) => {
                let field = fields.into_iter().rev().find(|(name, _)| name == key);
                field
                    .map(|(_, value)| value)
                    .ok_or_else(|| self.fail(span, format!("there is no `{key}` in it")))
            }
            _ => Err(self.fail(span, "not an object")),
        }
    }

    fn declared(
        &self,
        file: crate::source::FileId,
        name: &str,
        used: &Ident,
    ) -> Result<Constant, NotConstant> {
        let Some((module, hops)) = self.graph.module(file).zip(self.hops.checked_sub(1)) else {
            return Err(self.fail(used.span, "defined by itself"));
        };
        let inner = Evaluation { graph: self.graph, module, hops };
        for decl in module.declarations(name) {
            let Decl::Var(vars) = decl else { continue };
            if vars.kind != VarDeclKind::Const {
                return Err(self.fail(used.span, format!("`{name}` is not a `const`")));
            }
            let var =
                vars.decls.iter().find(|var| var.name.as_ident().is_some_and(|ident| ident.sym == *name));
            if let Some(init) = var.and_then(|var| var.init.as_deref()) {
                return inner.expr(init);
            }
        }
        Err(self.fail(used.span, format!("`{name}` is not a `const` with a value")))
    }

    /// `None` when the name is not an enum.
    fn enum_member(
        &self,
        file: crate::source::FileId,
        name: &str,
        key: &str,
    ) -> Option<Result<Constant, NotConstant>> {
        let module = self.graph.module(file)?;
        let declared = module.declarations(name).find_map(Decl::as_ts_enum)?;
        let values = enum_values(declared);
        let value = values.into_iter().find(|(member, _)| member == key).map(|(_, value)| value);
        let missing = || self.fail(declared.span, format!("`{name}` has no constant member `{key}`"));
        Some(value.flatten().ok_or_else(missing))
    }

    fn fail(&self, span: Span, what: impl Into<String>) -> NotConstant {
        not_constant(self.module, span, what)
    }
}

/// The members of an enum with their values; `None` for one that is computed.
pub(crate) fn enum_values(declared: &TsEnumDecl) -> Vec<(String, Option<Constant>)> {
    let mut next = Some(0.0);
    let mut values = Vec::new();
    for member in &declared.members {
        let name = match &member.id {
            TsEnumMemberId::Ident(ident) => ident.sym.to_string(),
            TsEnumMemberId::Str(text) => text.value.to_string_lossy().into_owned(),
        };
        let value = match member.init.as_deref().map(unwrapped) {
            None => next.map(Constant::Number),
            Some(Expr::Lit(Lit::Str(text))) => {
                Some(Constant::Text(text.value.to_string_lossy().into_owned()))
            }
            Some(Expr::Lit(Lit::Num(number))) => Some(Constant::Number(number.value)),
            Some(_) => None,
        };
        next = match value {
            Some(Constant::Number(number)) => Some(number + 1.0),
            _ => None,
        };
        values.push((name, value));
    }
    values
}

fn describe(expr: &Expr) -> &'static str {
    match expr {
        Expr::Call(_) | Expr::New(_) | Expr::TaggedTpl(_) => "a call",
        Expr::Arrow(_) | Expr::Fn(_) | Expr::Class(_) => "a function or class",
        Expr::Await(_) | Expr::Yield(_) => "known at run time only",
        Expr::Tpl(_) => "a template with expressions in it",
        Expr::Array(_) => "an array",
        _ => "not a literal, `perms.*` or `const`",
    }
}
