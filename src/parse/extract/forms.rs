//! Finds the endpoints of a module in all spellings and contexts.
//!
//! ```text
//! @backend({ … }) export async function sign(…) { … }                    a function, with its overloads
//! export const sign = backend({ … }, async (…) => { … })                 a variable; also `@backend({ … }) export const …`
//! export const book = { sign: backend({ … }, async (…) => { … }) }       a member of an object
//! export namespace Book { @backend({ … }) export async function sign … } a member of a namespace
//! export class Book { @backend({ … }) async sign(…) { … } }              a method: `class.rs`
//! ```

use swc_common::{Span, Spanned};
use swc_ecma_ast::{
    CallExpr, Class, ClassDecl, Decl, DefaultDecl, Expr, Function, ModuleDecl, ModuleItem, ObjectLit, Prop,
    PropOrSpread, TsFnOrConstructorType, TsModuleName, TsNamespaceBody, TsType, VarDecl, VarDeclKind,
    VarDeclarator,
};

use super::form::{Callable, ClassKey, ClassSite, EndpointForm, FormFunction, FormOptions, arguments_of};
use super::{class, diagnostics, is_call_of};
use crate::contract::ModuleBinding;
use crate::diag::Diagnostic;
use crate::parse::graph::{Binding, ModuleGraph};
use crate::parse::limits::HOPS_MAX;
use crate::parse::literal::{Place, prop_name, unwrapped};
use crate::parse::module::{DecoratorUse, ParsedModule, item_decl};
use crate::parse::types::Context;
use crate::source::Location;

/// What a module has of endpoints.
pub(crate) struct Forms<'g> {
    /// Those that it exposes, in source order.
    pub(crate) endpoints: Vec<EndpointForm<'g>>,
    /// Classes with endpoints that only classes which extend them expose.
    pub(crate) bases: Vec<ClassSite<'g>>,
    /// Classes whose endpoints a class of this module exposes.
    pub(crate) exposed: Vec<ClassKey>,
    /// Decorators that are accounted for.
    pub(super) decorators: Vec<Location>,
    /// Calls of `backend` that are accounted for.
    pub(super) calls: Vec<Span>,
    pub(super) diagnostics: Vec<Diagnostic>,
}

/// Everything that a module has of endpoints.
pub(crate) fn endpoint_forms<'g>(graph: &'g ModuleGraph, module: &'g ParsedModule) -> Forms<'g> {
    let Walk { mut forms, classes, .. } = Walk::of(graph, module);
    for site in classes {
        class::collect(graph, site, &mut forms);
    }
    forms.endpoints.sort_by_key(|form| form.name_span.lo);
    forms
}

/// The classes of a module, those in namespaces included.
pub(super) fn class_sites<'g>(graph: &'g ModuleGraph, module: &'g ParsedModule) -> Vec<ClassSite<'g>> {
    Walk::of(graph, module).classes
}

/// The options and the function of `backend({ … }, function)`; `None` for other calls.
pub(super) fn wrapped<'g>(
    graph: &'g ModuleGraph,
    place: &Place<'g>,
    call: &'g CallExpr,
) -> Option<(FormOptions<'g>, FormFunction<'g>)> {
    if !is_call_of(place.module, call, "backend") {
        return None;
    }
    let (handler, arguments) = call.args.split_last()?;
    if call.args.iter().any(|argument| argument.spread.is_some()) {
        return None;
    }
    let options = FormOptions { place: place.clone(), arguments };
    let mut function = function_of(graph, place, &handler.expr, HOPS_MAX)?;
    let arguments = call.type_args.as_deref().map_or(&[][..], |arguments| &arguments.params);
    function.context = match arguments {
        [params, result] => Some(Context::Arguments(params, result)),
        _ => function.context,
    };
    Some((options, function))
}

/// The function that an expression is, or that a name in it stands for.
pub(super) fn function_of<'g>(
    graph: &'g ModuleGraph,
    place: &Place<'g>,
    expr: &'g Expr,
    hops: usize,
) -> Option<FormFunction<'g>> {
    let of = |callable| FormFunction {
        place: place.clone(),
        body: callable,
        signature: callable,
        context: None,
        documented: Vec::new(),
    };
    match unwrapped(expr) {
        Expr::Arrow(arrow) => Some(FormFunction { context: stated(expr), ..of(Callable::Arrow(arrow)) }),
        Expr::Fn(function) => {
            Some(FormFunction { context: stated(expr), ..of(Callable::Function(&function.function)) })
        }
        Expr::Ident(ident) => {
            let local = place.blocks.iter().rposition(|block| declares(block, &ident.sym));
            match local {
                Some(depth) => {
                    let mut home = Place::of(place.module);
                    home.blocks.extend_from_slice(&place.blocks[..=depth]);
                    declared_function(graph, &home, place.blocks[depth], &ident.sym, hops)
                }
                None => bound_function(graph, graph.lookup(place.module.file, &ident.sym), hops),
            }
        }
        Expr::Member(member) => {
            let object = unwrapped(&member.obj).as_ident()?;
            let (name, _) = crate::parse::module::property(&member.prop)?;
            match graph.lookup(place.module.file, &object.sym) {
                Binding::Namespace { file } => bound_function(graph, graph.exported(file, &name), hops),
                Binding::Declared { .. }
                | Binding::Item { .. }
                | Binding::External { .. }
                | Binding::Missing => None,
            }
        }
        _ => None,
    }
}

fn bound_function<'g>(graph: &'g ModuleGraph, binding: Binding, hops: usize) -> Option<FormFunction<'g>> {
    match binding {
        Binding::Declared { file, name } => {
            let module = graph.module(file)?;
            declared_function(graph, &Place::of(module), module.items(), &name, hops)
        }
        Binding::Item { file, index } => {
            let module = graph.module(file)?;
            match module.items().get(index)? {
                ModuleItem::ModuleDecl(ModuleDecl::ExportDefaultDecl(export)) => match &export.decl {
                    DefaultDecl::Fn(function) => {
                        let callable = Callable::Function(&function.function);
                        let place = Place::of(module);
                        Some(FormFunction {
                            place,
                            body: callable,
                            signature: callable,
                            context: None,
                            documented: vec![export.span],
                        })
                    }
                    DefaultDecl::Class(_) | DefaultDecl::TsInterfaceDecl(_) => None,
                },
                ModuleItem::ModuleDecl(ModuleDecl::ExportDefaultExpr(export)) => {
                    function_of(graph, &Place::of(module), &export.expr, hops.checked_sub(1)?)
                }
                _ => None,
            }
        }
        Binding::Namespace { .. } | Binding::External { .. } | Binding::Missing => None,
    }
}

/// The function that items declare under a name, as a declaration or as a constant.
fn declared_function<'g>(
    graph: &'g ModuleGraph,
    home: &Place<'g>,
    items: &'g [ModuleItem],
    name: &str,
    hops: usize,
) -> Option<FormFunction<'g>> {
    if let Some(group) = Overloads::all(items).into_iter().find(|group| group.name == name) {
        return group.function(home);
    }
    let vars = items.iter().filter_map(|item| Some((item.span(), item_decl(item)?.as_var()?)));
    let mut vars = vars
        .filter(|(_, vars)| vars.kind == VarDeclKind::Const)
        .flat_map(|(item, vars)| vars.decls.iter().map(move |var| (item, var)));
    let (item, var) = vars.find(|(_, var)| var.name.as_ident().is_some_and(|ident| ident.sym == *name))?;
    let mut function = function_of(graph, home, var.init.as_deref()?, hops.checked_sub(1)?)?;
    state(&mut function, var);
    function.documented.extend([var.span, item]);
    Some(function)
}

fn declares(items: &[ModuleItem], name: &str) -> bool {
    let names = items.iter().filter_map(item_decl).flat_map(crate::parse::module::declared_names);
    names.into_iter().any(|declared| declared == name)
}

/// Takes the type of a variable that has one: what callers see of the function.
fn state<'g>(function: &mut FormFunction<'g>, var: &'g VarDeclarator) {
    let annotation = var.name.as_ident().and_then(|ident| ident.type_ann.as_deref());
    match annotation.map(|annotation| &*annotation.type_ann) {
        Some(TsType::TsFnOrConstructorType(TsFnOrConstructorType::TsFnType(ty))) => {
            function.signature = Callable::Type(ty);
        }
        Some(other) => function.context = Some(Context::Type(other)),
        None => {}
    }
}

/// `f satisfies T`, `f as T`
fn stated(expr: &Expr) -> Option<Context<'_>> {
    match expr {
        Expr::Paren(inner) => stated(&inner.expr),
        Expr::TsSatisfies(inner) => Some(Context::Type(&inner.type_ann)),
        Expr::TsAs(inner) => Some(Context::Type(&inner.type_ann)),
        _ => None,
    }
}

/// The declarations of one function: overloads, and the one with a body.
struct Overloads<'g> {
    name: String,
    parts: Vec<Overload<'g>>,
}

struct Overload<'g> {
    item: Span,
    name_span: Span,
    function: &'g Function,
    /// Whether the declaration itself exports it.
    exported: bool,
    default: bool,
    declared: bool,
}

impl<'g> Overloads<'g> {
    fn all(items: &'g [ModuleItem]) -> Vec<Self> {
        let mut groups: Vec<Self> = Vec::new();
        for item in items {
            let (name, part) = match item {
                ModuleItem::ModuleDecl(ModuleDecl::ExportDefaultDecl(export)) => {
                    let DefaultDecl::Fn(function) = &export.decl else { continue };
                    let ident = function.ident.as_ref();
                    let part = Overload {
                        item: export.span,
                        name_span: ident.map_or(function.function.span, |ident| ident.span),
                        function: &function.function,
                        exported: true,
                        default: true,
                        declared: false,
                    };
                    (ident.map_or_else(|| DEFAULT.to_owned(), |ident| ident.sym.to_string()), part)
                }
                other => {
                    let Some(Decl::Fn(function)) = item_decl(other) else { continue };
                    let part = Overload {
                        item: other.span(),
                        name_span: function.ident.span,
                        function: &function.function,
                        exported: matches!(other, ModuleItem::ModuleDecl(_)),
                        default: false,
                        declared: function.declare,
                    };
                    (function.ident.sym.to_string(), part)
                }
            };
            match groups.iter_mut().find(|group| group.name == name) {
                Some(group) => group.parts.push(part),
                None => groups.push(Self { name, parts: vec![part] }),
            }
        }
        groups
    }

    fn implementation(&self) -> Option<&Overload<'g>> {
        self.parts.iter().find(|part| part.function.body.is_some() && !part.declared)
    }

    fn function(&self, place: &Place<'g>) -> Option<FormFunction<'g>> {
        let body = self.implementation()?;
        let overloads: Vec<&'g Function> =
            self.parts.iter().filter(|part| part.function.body.is_none()).map(|part| part.function).collect();
        Some(FormFunction {
            place: place.clone(),
            body: Callable::Function(body.function),
            signature: visible(&overloads, body.function),
            context: None,
            documented: self.parts.iter().map(|part| part.item).collect(),
        })
    }
}

/// What callers see: TypeScript hides an implementation behind its overloads. There is one layout for each endpoint, so
/// that of several overloads none can be the contract, and the implementation, which takes what any of them takes, is.
pub(super) fn visible<'g>(overloads: &[&'g Function], body: &'g Function) -> Callable<'g> {
    match overloads {
        [only] => Callable::Function(only),
        _ => Callable::Function(body),
    }
}

/// The decorators of that name before any of some nodes, each once.
pub(super) fn backend_decorators<'g>(module: &'g ParsedModule, spans: &[Span]) -> Vec<&'g DecoratorUse> {
    let mut found: Vec<&DecoratorUse> = Vec::new();
    for decorator in spans.iter().flat_map(|span| module.decorators_at(*span)) {
        if decorator.name == "backend" && found.iter().all(|known| known.location != decorator.location) {
            found.push(decorator);
        }
    }
    found
}

/// Goes through the statements of a module and of its namespaces.
struct Walk<'g> {
    graph: &'g ModuleGraph,
    module: &'g ParsedModule,
    forms: Forms<'g>,
    classes: Vec<ClassSite<'g>>,
}

/// The body of a module or namespace.
struct Body<'g> {
    place: Place<'g>,
    /// Names of the namespaces around it.
    local: Vec<String>,
    /// How the namespace is reached; `None` at the top level and in namespaces that are not exported.
    binding: Option<ModuleBinding>,
}

/// A form that was understood, but for what it says.
struct Found<'g> {
    name: String,
    name_span: Span,
    binding: Option<ModuleBinding>,
    options: FormOptions<'g>,
    function: FormFunction<'g>,
}

impl<'g> Walk<'g> {
    fn of(graph: &'g ModuleGraph, module: &'g ParsedModule) -> Self {
        let forms = Forms {
            endpoints: Vec::new(),
            bases: Vec::new(),
            exposed: Vec::new(),
            decorators: Vec::new(),
            calls: Vec::new(),
            diagnostics: Vec::new(),
        };
        let mut walk = Self { graph, module, forms, classes: Vec::new() };
        let body = Body { place: Place::of(module), local: Vec::new(), binding: None };
        walk.items(&body, module.items());
        walk
    }

    fn items(&mut self, body: &Body<'g>, items: &'g [ModuleItem]) {
        // A function is an endpoint by its decorator alone.
        if !self.module.decorators.is_empty() {
            Overloads::all(items).iter().for_each(|group| self.function(body, group));
        }
        for item in items {
            match item {
                ModuleItem::ModuleDecl(ModuleDecl::ExportDefaultDecl(export)) => {
                    if let DefaultDecl::Class(class) = &export.decl {
                        let ident = class.ident.as_ref();
                        let name = ident.map_or_else(|| DEFAULT.to_owned(), |ident| ident.sym.to_string());
                        let binding = Some(ModuleBinding::of_export(self.module.file, DEFAULT));
                        let name_span = ident.map_or(class.class.span, |ident| ident.span);
                        self.class(body, &name, name_span, binding, &class.class, false);
                    }
                }
                ModuleItem::ModuleDecl(ModuleDecl::ExportDefaultExpr(export)) => {
                    let binding = Some(ModuleBinding::of_export(self.module.file, DEFAULT));
                    let at =
                        Named { name: DEFAULT, span: export.expr.span(), binding, marks: vec![export.span] };
                    self.expression(body, at, &export.expr, None);
                }
                other => {
                    let exported = matches!(other, ModuleItem::ModuleDecl(_));
                    if let Some(decl) = item_decl(other) {
                        self.declaration(body, other.span(), exported, decl);
                    }
                }
            }
        }
    }

    fn declaration(&mut self, body: &Body<'g>, item: Span, exported: bool, decl: &'g Decl) {
        match decl {
            Decl::Var(vars) => self.variables(body, item, exported, vars),
            Decl::Class(ClassDecl { ident, class, declare }) => {
                let binding = self.binding(body, &ident.sym, exported);
                self.class(body, &ident.sym, ident.span, binding, class, *declare);
            }
            Decl::TsModule(module) if !module.declare && !module.global => {
                let (TsModuleName::Ident(ident), Some(inner)) = (&module.id, &module.body) else { return };
                let binding = self.binding(body, &ident.sym, exported);
                self.namespace(body, &ident.sym, binding, inner);
            }
            _ => {}
        }
    }

    fn namespace(
        &mut self,
        outer: &Body<'g>,
        name: &str,
        binding: Option<ModuleBinding>,
        inner: &'g TsNamespaceBody,
    ) {
        let mut body = Body { place: outer.place.clone(), local: outer.local.clone(), binding };
        body.local.push(name.to_owned());
        match inner {
            TsNamespaceBody::TsModuleBlock(block) => {
                body.place.blocks.push(&block.body);
                self.items(&body, &block.body);
            }
            // `namespace A.B { … }`
            TsNamespaceBody::TsNamespaceDecl(decl) => {
                let binding = self.binding(&body, &decl.id.sym, true);
                self.namespace(&body, &decl.id.sym, binding, &decl.body);
            }
        }
    }

    fn function(&mut self, body: &Body<'g>, group: &Overloads<'g>) {
        let spans: Vec<Span> = group.parts.iter().flat_map(|part| [part.item, part.function.span]).collect();
        let decorators = backend_decorators(self.module, &spans);
        let Some(options) = self.one_of(body, &decorators) else { return };
        let (Some(part), Some(function)) = (group.implementation(), group.function(&body.place)) else {
            let at = decorators[0].location;
            self.forms.diagnostics.push(diagnostics::not_a_function(at, "a declaration without a body"));
            return;
        };
        let binding = if part.default {
            Some(ModuleBinding::of_export(self.module.file, DEFAULT))
        } else {
            self.binding(body, &group.name, part.exported)
        };
        let (name, name_span) = (group.name.clone(), part.name_span);
        self.push(Found { name, name_span, binding, options, function });
    }

    fn variables(&mut self, body: &Body<'g>, item: Span, exported: bool, vars: &'g VarDecl) {
        let single = vars.decls.len() == 1;
        for var in &vars.decls {
            let (Some(ident), Some(init)) = (var.name.as_ident(), var.init.as_deref()) else { continue };
            let binding = self.binding(body, &ident.sym, exported);
            // A decorator before the statement is about its only variable.
            let marks = if single { vec![item, vars.span] } else { Vec::new() };
            let at = Named { name: &ident.sym, span: ident.span, binding, marks };
            let before = self.forms.endpoints.len();
            self.expression(body, at, init, Some(var));
            if vars.kind != VarDeclKind::Const && self.forms.endpoints.len() > before {
                self.forms.endpoints.truncate(before);
                let at = self.module.location(ident.span);
                self.forms.diagnostics.push(diagnostics::not_constant_binding(&ident.sym, at));
            }
        }
    }

    /// A value that has a name: a function, a call of `backend`, an object with such members, or a class.
    fn expression(&mut self, body: &Body<'g>, at: Named<'_>, expr: &'g Expr, var: Option<&'g VarDeclarator>) {
        let value = unwrapped(expr);
        let documented = |mut function: FormFunction<'g>, marks: &[Span]| {
            let spans = marks.first().copied().or(var.map(|var| var.span)).unwrap_or(at.span);
            function.documented.insert(0, spans);
            if let Some(var) = var {
                state(&mut function, var);
            }
            function
        };
        let mut marks = at.marks.clone();
        marks.extend([expr.span(), value.span()]);
        let decorators = backend_decorators(self.module, &marks);
        match value {
            Expr::Call(call) if is_call_of(self.module, call, "backend") => {
                if let Some((options, function)) = wrapped(self.graph, &body.place, call) {
                    self.forms.calls.push(call.span);
                    for decorator in &decorators {
                        self.forms.decorators.push(decorator.location);
                        let first = self.module.location(call.span);
                        self.forms.diagnostics.push(diagnostics::marked_twice(first, decorator.location));
                    }
                    let function = documented(function, &at.marks);
                    let (name, name_span, binding) = (at.name.to_owned(), at.span, at.binding);
                    self.push(Found { name, name_span, binding, options, function });
                }
            }
            Expr::Arrow(_) | Expr::Fn(_) => {
                let Some(options) = self.one_of(body, &decorators) else { return };
                let Some(function) = function_of(self.graph, &body.place, value, HOPS_MAX) else { return };
                let function = documented(function, &at.marks);
                let (name, name_span, binding) = (at.name.to_owned(), at.span, at.binding);
                self.push(Found { name, name_span, binding, options, function });
            }
            Expr::Object(object) => self.object(body, at.binding.as_ref(), object),
            Expr::Class(class) => self.class(body, at.name, at.span, at.binding, &class.class, false),
            _ => {}
        }
    }

    fn object(&mut self, body: &Body<'g>, binding: Option<&ModuleBinding>, object: &'g ObjectLit) {
        for prop in &object.props {
            let PropOrSpread::Prop(prop) = prop else { continue };
            let member = |name: &str| binding.map(|binding| member_of(binding, name));
            match &**prop {
                Prop::KeyValue(pair) => {
                    let Some(name) = prop_name(&pair.key) else { continue };
                    let marks = vec![prop.span(), pair.key.span()];
                    let at = Named { name: &name, span: pair.key.span(), binding: member(&name), marks };
                    self.expression(body, at, &pair.value, None);
                }
                Prop::Method(method) => {
                    let Some(name) = prop_name(&method.key) else { continue };
                    let spans = [prop.span(), method.key.span(), method.function.span];
                    let decorators = backend_decorators(self.module, &spans);
                    let Some(options) = self.one_of(body, &decorators) else { continue };
                    let callable = Callable::Function(&method.function);
                    let function = FormFunction {
                        place: body.place.clone(),
                        body: callable,
                        signature: callable,
                        context: None,
                        documented: spans.to_vec(),
                    };
                    let (name_span, binding) = (method.key.span(), member(&name));
                    self.push(Found { name, name_span, binding, options, function });
                }
                Prop::Shorthand(_) | Prop::Assign(_) | Prop::Getter(_) | Prop::Setter(_) => {}
            }
        }
    }

    fn class(
        &mut self,
        body: &Body<'g>,
        name: &str,
        name_span: Span,
        binding: Option<ModuleBinding>,
        class: &'g Class,
        declared: bool,
    ) {
        let mut local = body.local.clone();
        local.push(name.to_owned());
        self.classes.push(ClassSite {
            place: body.place.clone(),
            class,
            local,
            name_span,
            binding,
            declared,
        });
    }

    /// The options of the only decorator; `None` without one. A second one would have no effect.
    fn one_of(&mut self, body: &Body<'g>, decorators: &[&'g DecoratorUse]) -> Option<FormOptions<'g>> {
        let (first, more) = decorators.split_first()?;
        self.forms.decorators.extend(decorators.iter().map(|decorator| decorator.location));
        let twice =
            more.iter().map(|decorator| diagnostics::marked_twice(first.location, decorator.location));
        self.forms.diagnostics.extend(twice);
        Some(FormOptions { place: body.place.clone(), arguments: arguments_of(first) })
    }

    /// How a name of a body is reached from outside.
    fn binding(&self, body: &Body<'g>, name: &str, exported: bool) -> Option<ModuleBinding> {
        if body.local.is_empty() {
            return self
                .module
                .exported_as(name)
                .map(|export| ModuleBinding::of_export(self.module.file, export));
        }
        body.binding.as_ref().filter(|_| exported).map(|binding| member_of(binding, name))
    }

    fn push(&mut self, found: Found<'g>) {
        let Found { name, name_span, binding, options, function } = found;
        self.forms.endpoints.push(EndpointForm {
            name,
            binding,
            name_span,
            options,
            function,
            classes: Vec::new(),
        });
    }
}

/// A value's name, how it is reached, and where a decorator of it may stand.
struct Named<'n> {
    name: &'n str,
    span: Span,
    binding: Option<ModuleBinding>,
    marks: Vec<Span>,
}

pub(super) fn member_of(binding: &ModuleBinding, name: &str) -> ModuleBinding {
    let mut member = binding.clone();
    member.members.push(name.to_owned());
    member
}

/// The name of what has none.
const DEFAULT: &str = "default";
