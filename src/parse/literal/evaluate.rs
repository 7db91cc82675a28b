//! Evaluates constants: follows names through imports, re-exports, namespaces, enums and static fields.
//!
//! ```text
//! CONFIG.groups[Level.High]   →   export const CONFIG = { groups: { 2: `staff-${REGION}` } } as const   →   Text("staff-eu")
//! ```
//!
//! Objects are entered by the key that is asked for, so that a value beside it need not be constant. Work is bounded
//! by steps as well as by depth: `const a = b + b; const b = c + c; …` is short and doubles with every line.

use std::cell::Cell;

use swc_common::{Span, Spanned};
use swc_ecma_ast::{
    BinaryOp, Callee, Class, ClassMember, Decl, DefaultDecl, Expr, Ident, Lit, MemberProp, ModuleDecl,
    ModuleItem, ObjectLit, OptChainBase, Prop, PropName, PropOrSpread, TsEnumDecl, TsNamespaceBody,
    VarDeclKind,
};

use super::changed::{DEFAULT, inner, is_freeze};
use super::names::{declarations, exported_declarations, import_chain, pattern_path};
use super::{Constant, NotConstant, Place, Through, enum_members, operators, prop_name, unwrapped};
use crate::contract::Perms;
use crate::diag::nearest;
use crate::parse::graph::{Binding, ModuleGraph};
use crate::parse::limits::{CONSTANT_BYTES_MAX, EVALUATION_STEPS_MAX, HOPS_MAX};
use crate::parse::module::OwnName;
use crate::source::FileId;

/// One evaluation: everything that an option list asks for together.
pub(super) struct Evaluation<'g> {
    graph: &'g ModuleGraph,
    steps: Cell<usize>,
    hops: Cell<usize>,
}

/// What a name or a member leads to, before it is asked for its value.
enum Found<'g> {
    Value(Constant),
    /// An expression that has not been evaluated.
    Expr(Place<'g>, &'g Expr),
    Enum(Place<'g>, &'g TsEnumDecl),
    Class(Place<'g>, &'g Class),
    /// A namespace of TypeScript: where it stands, and its parts of one name.
    Namespace(Place<'g>, Vec<&'g TsNamespaceBody>),
    Module(FileId),
    Perms,
}

type Result<T> = std::result::Result<T, NotConstant>;

impl<'g> Evaluation<'g> {
    pub(super) fn new(graph: &'g ModuleGraph) -> Self {
        Self { graph, steps: Cell::new(EVALUATION_STEPS_MAX), hops: Cell::new(HOPS_MAX) }
    }

    /// The value of an expression.
    pub(super) fn value(&self, place: &Place<'g>, expr: &'g Expr) -> Result<Constant> {
        self.step(place, expr.span())?;
        match unwrapped(expr) {
            Expr::Lit(Lit::Str(text)) => Ok(Constant::Text(text.value.to_string_lossy().into_owned())),
            Expr::Lit(Lit::Num(number)) => Ok(Constant::Number(number.value)),
            Expr::Lit(Lit::Bool(boolean)) => Ok(Constant::Boolean(boolean.value)),
            Expr::Lit(Lit::Null(_)) => Ok(Constant::Null),
            Expr::Tpl(template) => {
                let mut text = String::new();
                for (index, quasi) in template.quasis.iter().enumerate() {
                    text.push_str(
                        &quasi.cooked.as_ref().map(|cooked| cooked.to_string_lossy()).unwrap_or_default(),
                    );
                    if let Some(part) = template.exprs.get(index) {
                        let value = self.value(place, part)?;
                        text.push_str(
                            &operators::text(&value).ok_or_else(|| fail(place, part.span(), "not a text"))?,
                        );
                    }
                }
                bounded(place, expr.span(), Constant::Text(text))
            }
            Expr::Unary(unary) => {
                let value = self.value(place, &unary.arg)?;
                let found = operators::unary(unary.op, &value);
                found.ok_or_else(|| fail(place, unary.span, format!("`{}` of this", unary.op)))
            }
            Expr::Bin(binary) => self.binary(place, expr.span(), binary.op, &binary.left, &binary.right),
            Expr::Cond(cond) => {
                let test = operators::is_truthy(&self.value(place, &cond.test)?);
                self.value(place, if test { &cond.cons } else { &cond.alt })
            }
            Expr::Array(array) => {
                let mut values = Vec::new();
                for element in &array.elems {
                    match element {
                        None => values.push(Constant::Undefined),
                        Some(element) if element.spread.is_none() => {
                            values.push(self.value(place, &element.expr)?);
                        }
                        Some(element) => match self.value(place, &element.expr)? {
                            Constant::Array(more) => values.extend(more),
                            _ => return Err(fail(place, element.span(), "not an array")),
                        },
                    }
                }
                Ok(Constant::Array(values))
            }
            Expr::Object(object) => self.object(place, object),
            other => match self.found(place, other)? {
                Some(found) => {
                    let value = self.value_of(place, other.span(), found);
                    value.map_err(|error| self.passed(place, other, error))
                }
                None => Err(fail(place, other.span(), describe(other))),
            },
        }
    }

    /// The value of a shorthand property.
    pub(super) fn named(&self, place: &Place<'g>, ident: &'g Ident) -> Result<Constant> {
        let found = self.ident(place, ident)?;
        let value = self.value_of(place, ident.span, found);
        value.map_err(|error| self.passed_name(place, ident, ident.span, error))
    }

    /// The expression behind names and members, and where it stands.
    pub(super) fn definition(&self, place: &Place<'g>, expr: &'g Expr) -> (Place<'g>, &'g Expr) {
        let (mut home, mut defined) = (place.clone(), expr);
        for _ in 0..HOPS_MAX {
            match self.found(&home, defined) {
                Ok(Some(Found::Expr(next, expr))) => (home, defined) = (next, expr),
                Ok(_) | Err(_) => break,
            }
        }
        (home, defined)
    }

    /// The name of a property, which may be computed from constants.
    pub(super) fn key(&self, place: &Place<'g>, key: &'g PropName) -> Result<String> {
        match key {
            PropName::Computed(computed) => {
                let value = self.value(place, &computed.expr)?;
                operators::text(&value).ok_or_else(|| fail(place, computed.span, "a key that is not a text"))
            }
            other => prop_name(other).ok_or_else(|| fail(place, other.span(), "a key of this kind")),
        }
    }

    fn binary(
        &self,
        place: &Place<'g>,
        whole: Span,
        op: BinaryOp,
        left: &'g Expr,
        right: &'g Expr,
    ) -> Result<Constant> {
        let first = self.value(place, left)?;
        let short = match op {
            BinaryOp::LogicalAnd => Some(!operators::is_truthy(&first)),
            BinaryOp::LogicalOr => Some(operators::is_truthy(&first)),
            BinaryOp::NullishCoalescing => Some(!matches!(first, Constant::Null | Constant::Undefined)),
            _ => None,
        };
        match short {
            Some(true) => return Ok(first),
            Some(false) => return self.value(place, right),
            None => {}
        }
        let second = self.value(place, right)?;
        let combined = operators::binary(op, &first, &second);
        let combined = combined.ok_or_else(|| fail(place, whole, format!("`{op}` of these")))?;
        bounded(place, whole, combined)
    }

    fn object(&self, place: &Place<'g>, object: &'g ObjectLit) -> Result<Constant> {
        let mut fields: Vec<(String, Constant)> = Vec::new();
        for prop in &object.props {
            match prop {
                PropOrSpread::Spread(spread) => match self.value(place, &spread.expr)? {
                    Constant::Object(more) => fields.extend(more),
                    Constant::Undefined | Constant::Null | Constant::Boolean(false) => {}
                    _ => return Err(fail(place, spread.expr.span(), "not an object")),
                },
                PropOrSpread::Prop(prop) => match &**prop {
                    Prop::KeyValue(pair) => {
                        fields.push((self.key(place, &pair.key)?, self.value(place, &pair.value)?));
                    }
                    Prop::Shorthand(ident) => fields.push((ident.sym.to_string(), self.named(place, ident)?)),
                    other => return Err(fail(place, other.span(), "a method")),
                },
            }
        }
        Ok(Constant::Object(fields))
    }

    /// What an expression leads to, where it is a name, a member or a frozen value; `None` for others.
    fn found(&self, place: &Place<'g>, expr: &'g Expr) -> Result<Option<Found<'g>>> {
        match unwrapped(expr) {
            Expr::Ident(ident) => self.ident(place, ident).map(Some),
            Expr::Member(member) => {
                if place.module.own_name(expr) == Some(OwnName::Export("perms".to_owned())) {
                    return Ok(Some(Found::Perms));
                }
                let object = self.target(place, &member.obj)?;
                let key = self.member_key(place, &member.prop)?;
                let found = self.take(place, object, &key, member.span);
                found.map(Some).map_err(|error| self.passed(place, expr, error))
            }
            Expr::OptChain(chain) => match &*chain.base {
                OptChainBase::Member(member) => {
                    let object = self.target(place, &member.obj)?;
                    let key = self.member_key(place, &member.prop)?;
                    self.take(place, object, &key, member.span).map(Some)
                }
                OptChainBase::Call(_) => Ok(None),
            },
            Expr::Call(call) => match (&call.callee, call.args.as_slice()) {
                (Callee::Expr(callee), [only]) if only.spread.is_none() && is_freeze(callee) => {
                    self.target(place, &only.expr).map(Some)
                }
                _ => Ok(None),
            },
            _ => Ok(None),
        }
    }

    /// What the object of a member expression is.
    fn target(&self, place: &Place<'g>, expr: &'g Expr) -> Result<Found<'g>> {
        self.step(place, expr.span())?;
        Ok(self.found(place, expr)?.unwrap_or_else(|| Found::Expr(place.clone(), expr)))
    }

    fn member_key(&self, place: &Place<'g>, prop: &'g MemberProp) -> Result<String> {
        match prop {
            MemberProp::Ident(name) => Ok(name.sym.to_string()),
            MemberProp::Computed(computed) => {
                let key = self.value(place, &computed.expr)?;
                operators::text(&key).ok_or_else(|| fail(place, computed.span, "a key that is not a text"))
            }
            MemberProp::PrivateName(name) => Err(fail(place, name.span, "a private name")),
        }
    }

    fn ident(&self, place: &Place<'g>, ident: &'g Ident) -> Result<Found<'g>> {
        let name = &*ident.sym;
        if let Some(value) = place.members.get(name) {
            return Ok(Found::Value(value.clone()));
        }
        for depth in (0..place.blocks.len()).rev() {
            let decls = declarations(place.blocks[depth], name);
            if !decls.is_empty() {
                let home = Place { blocks: place.blocks[..=depth].to_vec(), ..Place::of(place.module) };
                return self.declared(&home, name, &decls, place, ident.span);
            }
        }
        if place.module.declaring_items(name).next().is_none() {
            let own = place.module.own_ident(ident);
            if own == Some(OwnName::Export("perms".to_owned())) {
                return Ok(Found::Perms);
            }
            if name == "undefined" {
                return Ok(Found::Value(Constant::Undefined));
            }
        }
        self.bound(place, self.graph.lookup(place.module.file, name), name, ident.span)
    }

    fn bound(&self, used: &Place<'g>, binding: Binding, name: &str, span: Span) -> Result<Found<'g>> {
        match binding {
            Binding::Declared { file, name } => {
                let Some(module) = self.graph.module(file) else {
                    return Err(fail(used, span, "not a constant of this project"));
                };
                let decls: Vec<&'g Decl> = module.declarations(&name).collect();
                self.declared(&Place::of(module), &name, &decls, used, span)
            }
            Binding::Item { file, index } => {
                let module = self.graph.module(file);
                match module.and_then(|module| Some((module, module.items().get(index)?))) {
                    Some((module, ModuleItem::ModuleDecl(ModuleDecl::ExportDefaultExpr(export)))) => {
                        self.unchanged(&Place::of(module), DEFAULT, used, span)?;
                        Ok(Found::Expr(Place::of(module), &export.expr))
                    }
                    Some((module, ModuleItem::ModuleDecl(ModuleDecl::ExportDefaultDecl(export)))) => {
                        match &export.decl {
                            DefaultDecl::Class(class) => Ok(Found::Class(Place::of(module), &class.class)),
                            DefaultDecl::Fn(_) | DefaultDecl::TsInterfaceDecl(_) => {
                                Err(fail(used, span, "a function"))
                            }
                        }
                    }
                    Some(_) | None => Err(fail(used, span, "not a constant of this project")),
                }
            }
            Binding::Namespace { file } => Ok(Found::Module(file)),
            Binding::External { package, .. } => {
                Err(fail(used, span, format!("imported from `{package}`, which is not evaluated")))
            }
            Binding::Missing => {
                let known = used.module.top_level_names();
                let near = nearest(name, known.iter().copied());
                Err(fail(used, span, "not a constant of this project").near(near))
            }
        }
    }

    /// What the declarations of a name, found at `home`, give to the use of it at `used`.
    fn declared(
        &self,
        home: &Place<'g>,
        name: &str,
        decls: &[&'g Decl],
        used: &Place<'g>,
        span: Span,
    ) -> Result<Found<'g>> {
        let mut namespaces = Vec::new();
        for decl in decls {
            match decl {
                Decl::TsEnum(declared) => return Ok(Found::Enum(home.clone(), declared)),
                Decl::Class(class) => {
                    self.unchanged(home, name, used, span)?;
                    return Ok(Found::Class(home.clone(), &class.class));
                }
                Decl::TsModule(module) => namespaces.extend(module.body.as_ref()),
                Decl::Var(vars) if vars.kind != VarDeclKind::Const => {
                    return Err(fail(used, span, format!("`{name}` is not a `const`")));
                }
                Decl::Var(vars) => {
                    for var in &vars.decls {
                        let (Some(init), Some(path)) = (var.init.as_deref(), pattern_path(&var.name, name))
                        else {
                            continue;
                        };
                        // Texts and numbers stay what they are.
                        if !matches!(unwrapped(init), Expr::Lit(_) | Expr::Tpl(_)) {
                            self.unchanged(home, name, used, span)?;
                        }
                        if path.is_empty() {
                            return Ok(Found::Expr(home.clone(), init));
                        }
                        let mut found = self.target(home, init)?;
                        for key in &path {
                            found = self.take(home, found, key, var.name.span())?;
                        }
                        return Ok(found);
                    }
                }
                Decl::Fn(_) => return Err(fail(used, span, format!("`{name}` is a function"))),
                Decl::TsInterface(_) | Decl::TsTypeAlias(_) | Decl::Using(_) => {}
            }
        }
        self.unchanged(home, name, used, span)?;
        if namespaces.is_empty() {
            return Err(fail(used, span, format!("`{name}` is not a `const` with a value")));
        }
        Ok(Found::Namespace(home.clone(), namespaces))
    }

    /// Refuses an object whose members are others by the time that the program runs.
    fn unchanged(&self, home: &Place<'g>, name: &str, used: &Place<'g>, span: Span) -> Result<()> {
        let changed = self.graph.changed();
        let name_there = if home.blocks.is_empty() { name.to_owned() } else { inner(name) };
        if changed.has(home.module.file, &name_there) {
            return Err(fail(used, span, format!("what is in `{name}` is changed later")));
        }
        Ok(())
    }

    /// A member of what was found.
    fn take(&self, used: &Place<'g>, object: Found<'g>, key: &str, span: Span) -> Result<Found<'g>> {
        match object {
            Found::Perms => match Perms::from_spelling(key) {
                Some(perms) => Ok(Found::Value(Constant::Perms(perms))),
                None => Err(fail(used, span, format!("no permission is called `{key}`"))
                    .near(nearest(key, PERMS.iter().copied()))),
            },
            Found::Module(file) => {
                let binding = self.graph.exported(file, key);
                if let Binding::Missing = binding {
                    let exports = self.graph.module(file).map(|module| module.exports.keys());
                    let known = exports.into_iter().flatten().map(String::as_str);
                    let near = nearest(key, known).map(str::to_owned);
                    return Err(fail(used, span, "not a constant of this project").near(near.as_deref()));
                }
                self.bound(used, binding, key, span)
            }
            Found::Enum(home, declared) => {
                self.enum_member(used, &home, declared, key, span).map(Found::Value)
            }
            Found::Class(home, class) => {
                let member = class.body.iter().find_map(|member| match member {
                    ClassMember::ClassProp(prop) if prop.is_static && prop.readonly => {
                        (prop_name(&prop.key)? == key).then_some(prop.value.as_deref()?)
                    }
                    _ => None,
                });
                let missing =
                    || fail(used, span, format!("no `static readonly` field with a value is called `{key}`"));
                member.map(|value| Found::Expr(home, value)).ok_or_else(missing)
            }
            Found::Namespace(home, bodies) => {
                for body in bodies {
                    let items = match body {
                        TsNamespaceBody::TsModuleBlock(block) => &block.body,
                        TsNamespaceBody::TsNamespaceDecl(inner) if *inner.id.sym == *key => {
                            return Ok(Found::Namespace(home, vec![&inner.body]));
                        }
                        TsNamespaceBody::TsNamespaceDecl(_) => continue,
                    };
                    let exported = exported_declarations(items, key);
                    if !exported.is_empty() {
                        let mut inner = home.clone();
                        inner.blocks.push(items);
                        return self.declared(&inner, key, &exported, used, span);
                    }
                }
                Err(fail(used, span, format!("the namespace exports no `{key}`")))
            }
            Found::Expr(home, expr) => self.take_of_expr(used, &home, expr, key, span),
            Found::Value(value) => operators::field(&value, key)
                .map(Found::Value)
                .ok_or_else(|| missing_field(used, span, key, &value)),
        }
    }

    /// Enters an object literal by one key, without evaluating what stands beside it.
    fn take_of_expr(
        &self,
        used: &Place<'g>,
        home: &Place<'g>,
        expr: &'g Expr,
        key: &str,
        span: Span,
    ) -> Result<Found<'g>> {
        self.enter(used, span, || {
            if let Some(found) = self.found(home, expr)? {
                return self.take(used, found, key, span);
            }
            let Expr::Object(object) = unwrapped(expr) else {
                let value = self.value(home, expr)?;
                return self.take(used, Found::Value(value), key, span);
            };
            for prop in object.props.iter().rev() {
                match prop {
                    PropOrSpread::Spread(spread) => {
                        let spread = self.target(home, &spread.expr)?;
                        if let Ok(found) = self.take(used, spread, key, span) {
                            return Ok(found);
                        }
                    }
                    PropOrSpread::Prop(prop) => match &**prop {
                        Prop::KeyValue(pair) if self.key(home, &pair.key)? == key => {
                            return Ok(Found::Expr(home.clone(), &pair.value));
                        }
                        Prop::Shorthand(ident) if *ident.sym == *key => return self.ident(home, ident),
                        _ => {}
                    },
                }
            }
            let names = object.props.iter().filter_map(|prop| match prop {
                PropOrSpread::Prop(prop) => match &**prop {
                    Prop::KeyValue(pair) => prop_name(&pair.key),
                    Prop::Shorthand(ident) => Some(ident.sym.to_string()),
                    _ => None,
                },
                PropOrSpread::Spread(_) => None,
            });
            let names: Vec<String> = names.collect();
            let near = nearest(key, names.iter().map(String::as_str));
            Err(fail(used, span, format!("there is no `{key}` in it")).near(near))
        })
    }

    fn enum_member(
        &self,
        used: &Place<'g>,
        home: &Place<'g>,
        declared: &'g TsEnumDecl,
        key: &str,
        span: Span,
    ) -> Result<Constant> {
        let mut wrong = None;
        let members = self.enter(used, span, || {
            Ok(enum_members(declared, |init, known| {
                let inside = Place { members: known.clone(), ..home.clone() };
                let result = self.value(&inside, init);
                result.map_err(|error| wrong = Some(error)).ok()
            }))
        })?;
        let name = &declared.id.sym;
        match members.iter().find(|(member, _)| member == key) {
            Some((_, Some(value))) => Ok(value.clone()),
            Some((_, None)) => {
                Err(wrong.unwrap_or_else(|| fail(used, span, format!("`{name}.{key}` is not constant"))))
            }
            None => {
                let near = nearest(key, members.iter().map(|(member, _)| member.as_str()));
                Err(fail(used, span, format!("`{name}` has no member `{key}`")).near(near))
            }
        }
    }

    fn value_of(&self, used: &Place<'g>, span: Span, found: Found<'g>) -> Result<Constant> {
        match found {
            Found::Value(value) => Ok(value),
            Found::Expr(home, expr) => self.enter(used, span, || self.value(&home, expr)),
            Found::Enum(..) => Err(fail(used, span, "a whole enum")),
            Found::Class(..) => Err(fail(used, span, "a class")),
            Found::Namespace(..) | Found::Module(_) => Err(fail(used, span, "a module")),
            Found::Perms => Err(fail(used, span, "all permissions; name one, such as `perms.R__`")),
        }
    }

    /// Follows one name deeper, unless it leads in a circle.
    fn enter<T>(&self, used: &Place<'g>, span: Span, evaluate: impl FnOnce() -> Result<T>) -> Result<T> {
        let hops = self.hops.get();
        let Some(left) = hops.checked_sub(1) else { return Err(fail(used, span, "defined by itself")) };
        self.hops.set(left);
        let result = evaluate();
        self.hops.set(hops);
        result
    }

    fn step(&self, place: &Place<'g>, span: Span) -> Result<()> {
        let Some(left) = self.steps.get().checked_sub(1) else {
            return Err(fail(place, span, "too much to evaluate"));
        };
        self.steps.set(left);
        Ok(())
    }

    /// An error behind an expression, with the way to it.
    fn passed(&self, used: &Place<'g>, expr: &Expr, error: NotConstant) -> NotConstant {
        let mut root = unwrapped(expr);
        while let Expr::Member(member) = root {
            root = unwrapped(&member.obj);
        }
        match root {
            Expr::Ident(ident) => self.passed_name(used, ident, expr.span(), error),
            _ => error,
        }
    }

    fn passed_name(
        &self,
        used: &Place<'g>,
        ident: &Ident,
        whole: Span,
        mut error: NotConstant,
    ) -> NotConstant {
        let (at, location) = (used.module.location(whole), used.module.location(ident.span));
        let wrong = error.location;
        let here = wrong.file == at.file && at.start <= wrong.start && wrong.end <= at.end;
        let known = error.through.first().is_some_and(|through| through.location == location);
        if !here && !known && error.through.len() < THROUGH_MAX {
            let files = import_chain(self.graph, used.module, &ident.sym);
            error.through.insert(0, Through { name: ident.sym.to_string(), files, location });
        }
        error
    }
}

fn missing_field(used: &Place<'_>, span: Span, key: &str, value: &Constant) -> NotConstant {
    let names: &[(String, Constant)] = match value {
        Constant::Object(fields) => fields,
        _ => &[],
    };
    let near = nearest(key, names.iter().map(|(name, _)| name.as_str()));
    fail(used, span, format!("there is no `{key}` in it")).near(near)
}

fn bounded(place: &Place<'_>, span: Span, value: Constant) -> Result<Constant> {
    match &value {
        Constant::Text(text) if text.len() > CONSTANT_BYTES_MAX => Err(fail(place, span, "too long a text")),
        _ => Ok(value),
    }
}

fn fail(place: &Place<'_>, span: Span, what: impl Into<String>) -> NotConstant {
    NotConstant::new(place.module, span, what)
}

fn describe(expr: &Expr) -> &'static str {
    match expr {
        Expr::Call(_) | Expr::New(_) | Expr::TaggedTpl(_) | Expr::OptChain(_) => "a call",
        Expr::Arrow(_) | Expr::Fn(_) | Expr::Class(_) => "a function or class",
        Expr::Await(_) | Expr::Yield(_) => "known at run time only",
        _ => "not a literal, `perms.*` or `const`",
    }
}

/// Constants named on the way to a wrong one.
const THROUGH_MAX: usize = 8;
/// The usual spellings.
const PERMS: &[&str] = &["R__", "_W_", "__X", "RW_", "R_X", "_WX", "RWX"];
