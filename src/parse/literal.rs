//! Constants: what decorator options and filters may consist of.
//!
//! ```text
//! @backend({ ...defaults, ugroup: GROUPS.admin, perm: perms.R__ | perms._W_ })
//!   → [("egroup", Text("api")), ("ugroup", Text("admin")), ("perm", Perms(RW_))]
//! ```
//!
//! What names and operators are worth is said in `literal/evaluate.rs` and `literal/operators.rs`.

mod changed;
mod evaluate;
mod names;
mod operators;

use std::collections::BTreeMap;

use swc_common::{Span, Spanned};
use swc_ecma_ast::{
    AssignTarget, Expr, ExprOrSpread, Lit, ModuleItem, ObjectLit, Prop, PropName, PropOrSpread,
    SimpleAssignTarget, TsEnumDecl, TsEnumMemberId,
};

use super::graph::ModuleGraph;
use super::module::ParsedModule;
use crate::contract::Perms;
use crate::source::Location;
pub(crate) use changed::{Changed, changes};
use evaluate::Evaluation;

/// A value known at compile time.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Constant {
    Text(String),
    Number(f64),
    Boolean(bool),
    Null,
    /// `undefined`: as if it were not written.
    Undefined,
    Perms(Perms),
    Array(Vec<Constant>),
    Object(Vec<(String, Constant)>),
}

/// An expression that is not constant, and what about it is not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NotConstant {
    pub(crate) location: Location,
    pub(crate) what: String,
    /// A name that was probably meant.
    pub(crate) near: Option<String>,
    /// The constants on the way to it, outermost first.
    pub(crate) through: Vec<Through>,
}

/// A constant that leads to another one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Through {
    /// Its name where it is used.
    pub(crate) name: String,
    /// The files that the name is imported through, the using one first.
    pub(crate) files: Vec<String>,
    pub(crate) location: Location,
}

/// Where an expression stands: a module, and the bodies of the namespaces around it, innermost last.
#[derive(Clone)]
pub(crate) struct Place<'g> {
    pub(crate) module: &'g ParsedModule,
    pub(crate) blocks: Vec<&'g [ModuleItem]>,
    /// Within an enum, the members before this one.
    members: BTreeMap<String, Constant>,
}

impl<'g> Place<'g> {
    /// The top level of a module.
    pub(crate) fn of(module: &'g ParsedModule) -> Self {
        Self { module, blocks: Vec::new(), members: BTreeMap::new() }
    }
}

/// One `key: value` of an option list, in either spelling.
#[derive(Debug, Clone)]
pub(crate) struct OptionEntry {
    pub(crate) key: String,
    pub(crate) key_location: Location,
    pub(crate) value: Result<Constant, NotConstant>,
    pub(crate) value_location: Location,
}

/// The entries of an argument list: `({ key: value })` or `(key=value, …)`. Those that spreads bring stand at the spread.
pub(crate) fn option_entries<'g>(
    graph: &'g ModuleGraph,
    place: &Place<'g>,
    arguments: &'g [ExprOrSpread],
) -> Result<Vec<OptionEntry>, NotConstant> {
    let evaluation = Evaluation::new(graph);
    let mut entries: Vec<OptionEntry> = Vec::new();
    for argument in arguments {
        match unwrapped(&argument.expr) {
            Expr::Assign(assign) => {
                let AssignTarget::Simple(SimpleAssignTarget::Ident(key)) = &assign.left else {
                    return Err(NotConstant::new(place.module, assign.span, "not a name"));
                };
                let again = entries.iter().any(|entry| entry.key == *key.sym);
                entries.push(OptionEntry {
                    key: key.sym.to_string(),
                    key_location: place.module.location(key.span),
                    value: if again {
                        Err(NotConstant::new(place.module, assign.span, "said twice"))
                    } else {
                        evaluation.value(place, &assign.right)
                    },
                    value_location: place.module.location(assign.right.span()),
                });
            }
            Expr::Object(object) => written_entries(&evaluation, place, object, &mut entries)?,
            other => spread_entries(&evaluation, place, other, &mut entries)?,
        }
    }
    Ok(entries)
}

/// The value of an expression at the top level of a module.
pub(crate) fn evaluate<'g>(
    graph: &'g ModuleGraph,
    module: &'g ParsedModule,
    expr: &'g Expr,
) -> Result<Constant, NotConstant> {
    evaluate_at(graph, &Place::of(module), expr)
}

/// The value of an expression.
pub(crate) fn evaluate_at<'g>(
    graph: &'g ModuleGraph,
    place: &Place<'g>,
    expr: &'g Expr,
) -> Result<Constant, NotConstant> {
    Evaluation::new(graph).value(place, expr)
}

/// The expression behind names and members, and where it stands; the given one where nothing is known of them.
pub(crate) fn definition<'g>(
    graph: &'g ModuleGraph,
    place: &Place<'g>,
    expr: &'g Expr,
) -> (Place<'g>, &'g Expr) {
    Evaluation::new(graph).definition(place, expr)
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
        PropName::Computed(computed) => match unwrapped(&computed.expr) {
            Expr::Lit(Lit::Str(text)) => Some(text.value.to_string_lossy().into_owned()),
            _ => None,
        },
        PropName::BigInt(_) => None,
    }
}

/// The members of an enum; `evaluate` is given an initialiser and the members before it.
fn enum_members<'e>(
    declared: &'e TsEnumDecl,
    mut evaluate: impl FnMut(&'e Expr, &BTreeMap<String, Constant>) -> Option<Constant>,
) -> Vec<(String, Option<Constant>)> {
    let mut next = Some(0.0);
    let mut known = BTreeMap::new();
    let mut values = Vec::new();
    for member in &declared.members {
        let name = match &member.id {
            TsEnumMemberId::Ident(ident) => ident.sym.to_string(),
            TsEnumMemberId::Str(text) => text.value.to_string_lossy().into_owned(),
        };
        let value = match member.init.as_deref() {
            None => next.map(Constant::Number),
            Some(init) => evaluate(init, &known),
        };
        next = match value {
            Some(Constant::Number(number)) => Some(number + 1.0),
            _ => None,
        };
        known.extend(value.clone().map(|value| (name.clone(), value)));
        values.push((name, value));
    }
    values
}

fn written_entries<'g>(
    evaluation: &Evaluation<'g>,
    place: &Place<'g>,
    object: &'g ObjectLit,
    entries: &mut Vec<OptionEntry>,
) -> Result<(), NotConstant> {
    for prop in &object.props {
        let prop = match prop {
            PropOrSpread::Spread(spread) => {
                spread_entries(evaluation, place, &spread.expr, entries)?;
                continue;
            }
            PropOrSpread::Prop(prop) => &**prop,
        };
        let (key, key_span, value, value_span) = match prop {
            Prop::KeyValue(pair) => {
                let key = evaluation.key(place, &pair.key)?;
                (key, pair.key.span(), evaluation.value(place, &pair.value), pair.value.span())
            }
            Prop::Shorthand(ident) => {
                (ident.sym.to_string(), ident.span, evaluation.named(place, ident), ident.span)
            }
            other => return Err(NotConstant::new(place.module, other.span(), "a method")),
        };
        entries.push(OptionEntry {
            key,
            key_location: place.module.location(key_span),
            value,
            value_location: place.module.location(value_span),
        });
    }
    Ok(())
}

/// The fields of an object that is not written in place.
fn spread_entries<'g>(
    evaluation: &Evaluation<'g>,
    place: &Place<'g>,
    expr: &'g Expr,
    entries: &mut Vec<OptionEntry>,
) -> Result<(), NotConstant> {
    let at = place.module.location(expr.span());
    let fields = match evaluation.value(place, expr)? {
        Constant::Object(fields) => fields,
        // `...(strict ? { ugroup: 'admin' } : undefined)`
        Constant::Undefined | Constant::Null | Constant::Boolean(false) => Vec::new(),
        Constant::Text(_)
        | Constant::Number(_)
        | Constant::Boolean(true)
        | Constant::Perms(_)
        | Constant::Array(_) => {
            return Err(NotConstant::new(place.module, expr.span(), "not an object of options"));
        }
    };
    entries.extend(fields.into_iter().map(|(key, value)| OptionEntry {
        key,
        key_location: at,
        value: Ok(value),
        value_location: at,
    }));
    Ok(())
}

impl NotConstant {
    fn new(module: &ParsedModule, span: Span, what: impl Into<String>) -> Self {
        Self { location: module.location(span), what: what.into(), near: None, through: Vec::new() }
    }

    fn near(mut self, near: Option<&str>) -> Self {
        self.near = near.map(str::to_owned);
        self
    }
}
