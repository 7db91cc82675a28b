//! Endpoints of classes: methods, static and of instances, own and inherited.
//!
//! ```text
//! abstract class Repo<T> { @backend({ … }) async list(): Promise<T[]> { … } }
//! export class Books extends Repo<Book> { override async list() { … } }
//!   → list, exposed by Books, with the options of Repo and the body of Books
//! ```
//!
//! A class that is exported and not abstract exposes its own endpoints and those of the classes it extends, up to one
//! that exposes them itself. The nearest `@backend` has the say, the nearest body runs. Every call of a method of an
//! instance makes an instance of its own, so that requests share nothing through `this`.

use std::collections::BTreeSet;

use swc_common::{Span, Spanned};
use swc_ecma_ast::{
    Accessibility, Class, ClassMember, Constructor, Expr, Function, Key, MethodKind, ParamOrTsParamProp, Pat,
    PropName, TsParamPropParam,
};

use super::form::{Callable, ClassKey, ClassSite, EndpointForm, FormFunction, FormOptions, arguments_of};
use super::forms::{Forms, backend_decorators, class_sites, function_of, member_of, visible, wrapped};
use super::{diagnostics, is_call_of};
use crate::parse::graph::{Binding, ModuleGraph};
use crate::parse::limits::HOPS_MAX;
use crate::parse::literal::{Constant, evaluate_at, prop_name, unwrapped};
use crate::parse::module::DecoratorUse;

/// A member of a class that is an endpoint, implements one, or hides one.
struct Member<'g> {
    name: String,
    is_static: bool,
    key_span: Span,
    /// What `backend` is given, where the member says so itself.
    options: Option<FormOptions<'g>>,
    /// `None` without a body, and for members that cannot be called.
    function: Option<FormFunction<'g>>,
}

/// Adds what a class gives to the forms of its module.
pub(super) fn collect<'g>(graph: &'g ModuleGraph, site: ClassSite<'g>, forms: &mut Forms<'g>) {
    let mut own = Reading { graph, site: &site, forms: Some(forms) };
    let members = own.members();
    if !site.exposes() {
        if members.iter().any(|member| member.options.is_some()) {
            if site.declared {
                let at = site.place.module.location(site.name_span);
                forms.diagnostics.push(diagnostics::not_a_function(at, "a class without bodies"));
            } else {
                forms.bases.push(site);
            }
        }
        return;
    }
    let marked = members.iter().any(|member| member.options.is_some());
    if !marked && site.class.super_class.is_none() {
        return;
    }
    let mut chain = vec![(site.clone(), members)];
    for base in bases(graph, &site) {
        let members = Reading { graph, site: &base, forms: None }.members();
        chain.push((base, members));
    }
    expose(&chain, forms);
}

/// The classes that a class extends, the nearest first, as far as they are the project's.
pub(super) fn bases<'g>(graph: &'g ModuleGraph, site: &ClassSite<'g>) -> Vec<ClassSite<'g>> {
    let mut found: Vec<ClassSite<'g>> = Vec::new();
    let mut seen: BTreeSet<ClassKey> = BTreeSet::from([site.key()]);
    let mut next = base(graph, site);
    while let Some(class) = next.take().filter(|class| found.len() < HOPS_MAX && seen.insert(class.key())) {
        next = base(graph, &class);
        found.push(class);
    }
    found
}

/// The forms of a class, given the members of it and of the classes it extends.
fn expose<'g>(chain: &[(ClassSite<'g>, Vec<Member<'g>>)], forms: &mut Forms<'g>) {
    let Some((site, _)) = chain.first() else { return };
    let Some(binding) = &site.binding else { return };
    // What a class further up exposes by itself is not exposed again.
    let reach =
        chain.iter().skip(1).position(|(base, _)| base.exposes()).map_or(chain.len(), |place| place + 1);
    let mut seen: BTreeSet<(bool, &str)> = BTreeSet::new();
    let mut on_instance = None;
    for (depth, (declaring, members)) in chain.iter().enumerate().take(reach) {
        for member in members.iter().filter(|member| member.options.is_some()) {
            let key = (member.is_static, member.name.as_str());
            let Some(options) = member.options.clone().filter(|_| seen.insert(key)) else { continue };
            if depth > 0 {
                forms.exposed.push(declaring.key());
            }
            let same = |other: &&Member<'g>| (other.is_static, other.name.as_str()) == key;
            let nearest = chain.iter().enumerate().find_map(|(depth, (_, members))| {
                let member = members.iter().find(same)?;
                member.function.as_ref().map(|function| (depth, member, function))
            });
            let name_span = if depth == 0 { member.key_span } else { site.name_span };
            let Some((implementing, implementation, function)) = nearest else {
                let at = site.place.module.location(site.name_span);
                let there = declaring.place.module.location(member.key_span);
                forms.diagnostics.push(diagnostics::not_implemented(&member.name, &site.name(), at, there));
                continue;
            };
            let name_span = if implementing == 0 { implementation.key_span } else { name_span };
            let mut binding = member_of(binding, &member.name);
            binding.instance = !member.is_static;
            if !member.is_static {
                on_instance.get_or_insert(name_span);
            }
            let function = function.clone();
            forms.endpoints.push(EndpointForm {
                name: member.name.clone(),
                binding: Some(binding),
                name_span,
                options,
                function,
                classes: chain[..=implementing]
                    .iter()
                    .map(|(site, _)| (site.place.clone(), site.class))
                    .collect(),
            });
        }
    }
    if let Some(method) = on_instance {
        constructible(chain, method, forms);
    }
}

/// Whether `new Class()` is possible: the nearest constructor takes no argument that must be given.
fn constructible<'g>(chain: &[(ClassSite<'g>, Vec<Member<'g>>)], method: Span, forms: &mut Forms<'g>) {
    let constructor = chain.iter().find_map(|(site, _)| Some((site, constructor(site.class)?)));
    let Some((declaring, constructor)) = constructor else { return };
    let Some((site, _)) = chain.first() else { return };
    let hidden = matches!(constructor.accessibility, Some(Accessibility::Private | Accessibility::Protected));
    let required = constructor.params.iter().find(|param| is_required(param));
    if hidden || required.is_some() {
        let (what, span) = match required {
            Some(param) => ("this argument would have to be given", param.span()),
            None => ("not for everybody", constructor.key.span()),
        };
        let there = (what, declaring.place.module.location(span));
        let at = site.place.module.location(method);
        forms.diagnostics.push(diagnostics::not_constructible(&site.name(), at, there));
    }
}

/// The constructor with a body.
fn constructor(class: &Class) -> Option<&Constructor> {
    class.body.iter().find_map(|member| match member {
        ClassMember::Constructor(constructor) if constructor.body.is_some() => Some(constructor),
        _ => None,
    })
}

fn is_required(param: &ParamOrTsParamProp) -> bool {
    let required = |pat: &Pat| match pat {
        Pat::Ident(ident) => !ident.optional,
        Pat::Array(array) => !array.optional,
        Pat::Object(object) => !object.optional,
        Pat::Rest(_) | Pat::Assign(_) => false,
        Pat::Invalid(_) | Pat::Expr(_) => true,
    };
    match param {
        ParamOrTsParamProp::Param(param) => required(&param.pat),
        ParamOrTsParamProp::TsParamProp(prop) => match &prop.param {
            TsParamPropParam::Ident(ident) => !ident.optional,
            TsParamPropParam::Assign(_) => false,
        },
    }
}

/// The class that a class extends, if it is the project's.
fn base<'g>(graph: &'g ModuleGraph, site: &ClassSite<'g>) -> Option<ClassSite<'g>> {
    let mut names = Vec::new();
    let mut expr = unwrapped(site.class.super_class.as_deref()?);
    while let Expr::Member(member) = expr {
        names.insert(0, crate::parse::module::property(&member.prop)?.0);
        expr = unwrapped(&member.obj);
    }
    names.insert(0, expr.as_ident()?.sym.to_string());
    let module = site.place.module;
    // Names of the namespaces around it come first.
    let around = &site.local[..site.local.len() - 1];
    for depth in (0..=around.len()).rev() {
        let path: Vec<&str> = around[..depth].iter().chain(&names).map(String::as_str).collect();
        if let Some(found) = class_at(graph, module.file, &path) {
            return Some(found);
        }
    }
    let (first, rest) = names.split_first()?;
    let mut binding = graph.lookup(module.file, first);
    for (depth, name) in rest.iter().enumerate() {
        match binding {
            Binding::Namespace { file } => binding = graph.exported(file, name),
            // The rest are namespaces of that module.
            Binding::Declared { file, name: first } => {
                let path: Vec<&str> =
                    std::iter::once(first.as_str()).chain(rest[depth..].iter().map(String::as_str)).collect();
                return class_at(graph, file, &path);
            }
            Binding::Item { .. } | Binding::External { .. } | Binding::Missing => return None,
        }
    }
    match binding {
        Binding::Declared { file, name } => class_at(graph, file, &[&name]),
        Binding::Item { file, .. } => class_at(graph, file, &["default"]),
        Binding::Namespace { .. } | Binding::External { .. } | Binding::Missing => None,
    }
}

fn class_at<'g>(graph: &'g ModuleGraph, file: crate::source::FileId, path: &[&str]) -> Option<ClassSite<'g>> {
    let module = graph.module(file)?;
    class_sites(graph, module).into_iter().find(|site| site.local == path)
}

/// Reads the members of a class; with `forms`, says what is wrong with them.
struct Reading<'r, 'g> {
    graph: &'g ModuleGraph,
    site: &'r ClassSite<'g>,
    forms: Option<&'r mut Forms<'g>>,
}

impl<'g> Reading<'_, 'g> {
    fn members(&mut self) -> Vec<Member<'g>> {
        let class = self.site.class;
        let mut members: Vec<Member<'g>> = Vec::new();
        for member in &class.body {
            match member {
                ClassMember::Method(method) => {
                    let decorators = self.decorators(method.span, method.key.span());
                    let refusal = match (method.kind, method.accessibility) {
                        (MethodKind::Getter, _) => Some("a getter"),
                        (MethodKind::Setter, _) => Some("a setter"),
                        (_, Some(Accessibility::Private)) => Some("a private method"),
                        (_, Some(Accessibility::Protected)) => Some("a protected method"),
                        (MethodKind::Method, Some(Accessibility::Public) | None) => None,
                    };
                    if self.refused(refusal, &decorators) {
                        continue;
                    }
                    let Some(name) = self.name(&method.key, &decorators) else { continue };
                    if let Some(known) = members
                        .iter_mut()
                        .find(|known| known.name == name && known.is_static == method.is_static)
                    {
                        // A further overload, or the implementation behind them.
                        self.overload(known, &decorators, &method.function, method.key.span());
                        continue;
                    }
                    let options = self.options(&decorators, None);
                    let function =
                        method.function.body.is_some().then(|| self.method(&method.function, method.span));
                    let function = function.filter(|_| refusal.is_none());
                    let key_span = method.key.span();
                    members.push(Member { name, is_static: method.is_static, key_span, options, function });
                }
                ClassMember::ClassProp(prop) => {
                    let value = prop.value.as_deref().map(unwrapped);
                    let mut decorators = self.decorators(prop.span, prop.key.span());
                    let before_value = value.map(Spanned::span);
                    decorators.extend(backend_decorators(self.site.place.module, before_value.as_slice()));
                    let wrapper = value
                        .and_then(Expr::as_call)
                        .filter(|call| is_call_of(self.site.place.module, call, "backend"));
                    let said = !decorators.is_empty() || wrapper.is_some();
                    let refusal = match prop.accessibility {
                        Some(Accessibility::Private) => Some("a private field"),
                        Some(Accessibility::Protected) => Some("a protected field"),
                        Some(Accessibility::Public) | None => None,
                    };
                    if wrapper.is_none() && self.refused(refusal, &decorators) {
                        continue;
                    }
                    let Some(name) = self.name(&prop.key, &decorators) else { continue };
                    let wrapped = wrapper
                        .filter(|_| refusal.is_none())
                        .and_then(|call| Some((call, wrapped(self.graph, &self.site.place, call)?)));
                    if let (Some((call, _)), Some(forms)) = (&wrapped, &mut self.forms) {
                        forms.calls.push(call.span);
                    }
                    let (options, function) = match wrapped {
                        Some((_, (options, function))) => (Some(options), Some(function)),
                        None => (None, value.and_then(|value| self.arrow(value))),
                    };
                    let function = function.map(|mut function| {
                        function.documented.insert(0, prop.span);
                        function
                    });
                    if said && function.is_none() {
                        self.refused(Some("a field that is no function"), &decorators);
                        continue;
                    }
                    let options = self.options(&decorators, options);
                    let key_span = prop.key.span();
                    members.push(Member { name, is_static: prop.is_static, key_span, options, function });
                }
                ClassMember::PrivateMethod(method) => {
                    let decorators = self.decorators(method.span, method.key.span);
                    self.refused(Some("a private method"), &decorators);
                }
                ClassMember::PrivateProp(prop) => {
                    let decorators = self.decorators(prop.span, prop.key.span);
                    self.refused(Some("a private field"), &decorators);
                }
                ClassMember::Constructor(constructor) => {
                    let decorators = self.decorators(constructor.span, constructor.key.span());
                    self.refused(Some("a constructor"), &decorators);
                }
                ClassMember::AutoAccessor(accessor) => {
                    let key = match &accessor.key {
                        Key::Public(key) => key.span(),
                        Key::Private(key) => key.span,
                    };
                    let decorators = self.decorators(accessor.span, key);
                    self.refused(Some("an accessor"), &decorators);
                }
                ClassMember::TsIndexSignature(_) | ClassMember::StaticBlock(_) | ClassMember::Empty(_) => {}
            }
        }
        members
    }

    /// Those before a member's name, whatever other decorators stand around them.
    fn decorators(&self, member: Span, key: Span) -> Vec<&'g DecoratorUse> {
        let module = self.site.place.module;
        module.decorators_until(member, key).filter(|decorator| decorator.name == "backend").collect()
    }

    /// Whether decorators stand before what cannot be an endpoint; members without are nobody's business.
    fn refused(&mut self, refusal: Option<&str>, decorators: &[&'g DecoratorUse]) -> bool {
        let (Some(what), Some(first)) = (refusal, decorators.first()) else { return false };
        if let Some(forms) = &mut self.forms {
            forms.decorators.extend(decorators.iter().map(|decorator| decorator.location));
            forms.diagnostics.push(diagnostics::not_a_method(what, first.location));
        }
        true
    }

    /// The member's name, evaluated where an endpoint depends on it.
    fn name(&mut self, key: &'g PropName, decorators: &[&'g DecoratorUse]) -> Option<String> {
        if let Some(name) = prop_name(key) {
            return Some(name);
        }
        let PropName::Computed(computed) = key else { return None };
        match evaluate_at(self.graph, &self.site.place, &computed.expr) {
            Ok(Constant::Text(name)) => Some(name),
            _ => {
                self.refused(Some("a method whose name is not constant"), decorators);
                None
            }
        }
    }

    /// What the only decorator says, or the call of `backend`; a second one would have no effect.
    fn options(
        &mut self,
        decorators: &[&'g DecoratorUse],
        wrapper: Option<FormOptions<'g>>,
    ) -> Option<FormOptions<'g>> {
        let mut decorators = decorators.iter();
        if let Some(forms) = &mut self.forms {
            forms.decorators.extend(decorators.clone().map(|decorator| decorator.location));
        }
        let said = wrapper.is_some();
        let place = self.site.place.clone();
        let options = wrapper.or_else(|| {
            decorators.next().map(|decorator| FormOptions { place, arguments: arguments_of(decorator) })
        });
        for decorator in decorators {
            if let Some(forms) = &mut self.forms {
                let first = if said { self.site.name_span } else { self.site.class.span };
                let first = self.site.place.module.location(first);
                forms.diagnostics.push(diagnostics::marked_twice(first, decorator.location));
            }
        }
        options
    }

    fn overload(
        &mut self,
        known: &mut Member<'g>,
        decorators: &[&'g DecoratorUse],
        function: &'g Function,
        key_span: Span,
    ) {
        if let (Some(forms), Some(more), true) =
            (&mut self.forms, decorators.first(), known.options.is_some())
        {
            let first = self.site.place.module.location(known.key_span);
            forms.decorators.push(more.location);
            forms.diagnostics.push(diagnostics::marked_twice(first, more.location));
        } else if let Some(options) = self.options(decorators, None) {
            known.options = Some(options);
        }
        if function.body.is_some() {
            known.key_span = key_span;
            let documented = known.function.take().map(|function| function.documented).unwrap_or_default();
            let mut method = self.method(function, function.span);
            method.documented.extend(documented);
            known.function = Some(method);
        }
    }

    /// A method with a body, and its overloads.
    fn method(&self, function: &'g Function, span: Span) -> FormFunction<'g> {
        let key = self.site.class.body.iter().find_map(|member| match member {
            ClassMember::Method(method) if std::ptr::eq(&*method.function, function) => Some(method),
            _ => None,
        });
        let parts = self.site.class.body.iter().filter_map(|member| match (member, key) {
            (ClassMember::Method(method), Some(key)) => {
                let same = method.is_static == key.is_static && prop_name(&method.key) == prop_name(&key.key);
                (same && method.function.body.is_none() && prop_name(&method.key).is_some()).then_some(method)
            }
            _ => None,
        });
        let parts: Vec<_> = parts.collect();
        let overloads: Vec<&'g Function> = parts.iter().map(|method| &*method.function).collect();
        FormFunction {
            context: None,
            place: self.site.place.clone(),
            body: Callable::Function(function),
            signature: visible(&overloads, function),
            documented: parts.iter().map(|method| method.span).chain([span]).collect(),
        }
    }

    /// The function that a field holds.
    fn arrow(&self, value: &'g Expr) -> Option<FormFunction<'g>> {
        match value {
            Expr::Arrow(_) | Expr::Fn(_) => function_of(self.graph, &self.site.place, value, HOPS_MAX),
            _ => None,
        }
    }
}
