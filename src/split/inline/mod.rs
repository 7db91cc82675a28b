//! Middleware, inlined: for each distinct chain of middlewares one function, in which `await next()` is what follows.
//!
//! ```text
//! export default [                                   export async function chain1(ctx, handler) {
//!   async (ctx, next) => {                               const start = Date.now();
//!     const start = Date.now();                          try {
//!     try { return await next(); }                           if (!ctx.owner) throw new UnauthorizedError();
//!     finally { log(Date.now() - start); }                   return await handler();
//!   },                                                   } finally { log(Date.now() - start); }
//!   async (ctx, next) => {                           }
//!     if (!ctx.owner) throw new UnauthorizedError();
//!     return await next();
//!   },
//! ]
//! ```
//!
//! A chain stands in the module of its middlewares, whose names it uses. What cannot be taken apart, such as a middleware
//! of another module, is called with the rest of the chain as a function. Knows nothing of routes: an endpoint's
//! [`Chain`] says which function to call.

mod flow;
mod middleware;
mod splice;

use std::collections::{BTreeMap, BTreeSet};

use swc_common::{DUMMY_SP, Span, SyntaxContext};
use swc_ecma_ast::{
    ArrowExpr, ArrowFunctionBody, CallExpr, Callee, ComputedPropName, Decl, ExportDecl, Expr, ExprOrSpread,
    FnDecl, FnExpr, Function, FunctionBody, Id, Ident, Lit, MemberExpr, MemberProp, ModuleDecl,
    ModuleExportName, ModuleItem, Param, Pat, Stmt, VarDeclKind,
};
use swc_ecma_visit::{Visit, VisitWith};

use super::optimize::fold_perm;
use crate::contract::{Contract, Endpoint, Perms};
use crate::parse::ModuleGraph;
use crate::parse::module::Imported;
use crate::source::FileId;
pub(super) use middleware::rename;
use middleware::{Labels, Middleware, own_context};

/// The function that runs an endpoint within its middlewares: `(ctx, handler) => Promise`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Chain {
    /// Its module, relative to the source folder: `middleware.js`.
    pub module: String,
    /// Its name there.
    pub export: String,
}

/// The chains of a project, all in the module of its middlewares.
#[derive(Default)]
pub(super) struct Chains {
    file: Option<FileId>,
    /// By the places of the middlewares in their array.
    wanted: BTreeMap<Vec<usize>, Wanted>,
    /// Whether another module imports the array itself.
    array_wanted: bool,
}

/// A chain that some endpoints have.
struct Wanted {
    name: String,
    /// The permissions of its endpoints, where all have the same ones.
    perm: Option<Perms>,
}

impl Chains {
    pub(super) fn of(graph: &ModuleGraph, contract: &Contract) -> Self {
        let Some(module) = contract.middleware.first().and_then(|first| graph.module(first.file)) else {
            return Self::default();
        };
        let mut taken = Symbols::default();
        module.module.visit_with(&mut taken);
        let mut perms: BTreeMap<Vec<usize>, BTreeSet<Perms>> = BTreeMap::new();
        for endpoint in &contract.endpoints {
            perms.entry(places(contract, endpoint)).or_default().insert(endpoint.options.perm);
        }
        perms.remove(&Vec::new());
        let free = (1..).map(|n: u32| format!("chain{n}")).filter(|name| !taken.0.contains(name));
        let wanted = perms.into_iter().zip(free).map(|((chain, perms), name)| {
            let perm = perms.first().copied().filter(|_| perms.len() == 1);
            (chain, Wanted { name, perm })
        });
        let wanted = wanted.collect();
        let imports = graph.modules().flat_map(|module| &module.imports);
        let array_wanted = imports.into_iter().any(|import| {
            let default = Imported::Name("default".to_owned());
            let takes = import.imported == default || import.imported == Imported::Namespace;
            takes && import.from.target == Some(module.file)
        });
        Self { file: Some(module.file), wanted, array_wanted }
    }

    /// Whether a module is the one that the chains are written into.
    pub(super) fn are_in(&self, file: FileId) -> bool {
        self.file == Some(file)
    }

    /// The chain of each endpoint that has one, by the endpoint's place in the contract.
    pub(super) fn of_endpoints(&self, graph: &ModuleGraph, contract: &Contract) -> BTreeMap<usize, Chain> {
        let Some(module) = self.file.and_then(|file| graph.module(file)) else { return BTreeMap::new() };
        let path = graph.output_path(module);
        let chains = contract.endpoints.iter().enumerate().filter_map(|(index, endpoint)| {
            let export = self.wanted.get(&places(contract, endpoint))?.name.clone();
            Some((index, Chain { module: path.clone(), export }))
        });
        chains.collect()
    }

    /// Puts the chains in the place of the default export, where `body` is that of the middlewares' module, without types.
    /// With `fold`, `ctx.perm` is a number where it is known. Calls of `next` that certainly are not the first come back.
    pub(super) fn write(&self, file: FileId, body: &mut Vec<ModuleItem>, fold: bool) -> Vec<Span> {
        if !self.are_in(file) {
            return Vec::new();
        }
        let Some((mut place, value)) = default_export(body) else { return Vec::new() };
        let elements: Vec<Element> = match plain_array(&value) {
            Some(array) => array.iter().map(|element| Element::of(element, body)).collect(),
            None => {
                let (name, constant) = named(value);
                if let Some(constant) = constant {
                    replace_default(&mut body[place], &name);
                    body.insert(place, constant);
                    place += 1;
                }
                self.indexed(&name)
            }
        };
        let again = elements.iter().flat_map(|element| element.again.iter().copied()).collect();
        let mut writer = Writer { elements, fold, functions: BTreeMap::new(), queue: Vec::new(), once: None };
        let made = writer.write(&self.wanted);
        // A list of exports has other names as well.
        let kept = self.array_wanted || body[place].as_module_decl().is_some_and(ModuleDecl::is_export_named);
        let (end, taken) = if kept { (place + 1, 0) } else { (place, 1) };
        body.splice(end..end + taken, made);
        if let Some(once) = writer.once {
            body.insert(0, super::imports::import_of(once, "once"));
        }
        again
    }
}

impl Chains {
    /// The elements of an array that is only known when the module runs: behind a name, or with others spread in it.
    fn indexed(&self, array: &Ident) -> Vec<Element> {
        let count = self.wanted.keys().flatten().max().map_or(0, |last| last + 1);
        let element = |place| {
            let value = index(u32::try_from(place).unwrap_or(u32::MAX), array.clone());
            Element { value, inlined: None, again: Vec::new(), constant: None }
        };
        (0..count).map(element).collect()
    }
}

/// The item that exports the default, and what it is.
fn default_export(body: &[ModuleItem]) -> Option<(usize, Expr)> {
    body.iter().enumerate().find_map(|(place, item)| match item {
        ModuleItem::ModuleDecl(ModuleDecl::ExportDefaultExpr(export)) => {
            Some((place, unparenthesized(&export.expr).clone()))
        }
        ModuleItem::ModuleDecl(ModuleDecl::ExportNamed(export)) if export.src.is_none() => {
            let named = export.specifiers.iter().filter_map(|specifier| specifier.as_named());
            let mut default = named.filter(|named| {
                named.exported.as_ref().is_some_and(|name| name.atom().as_ref() == "default")
            });
            let ModuleExportName::Ident(local) = &default.next()?.orig else { return None };
            Some((place, Expr::Ident(local.clone())))
        }
        _ => None,
    })
}

/// The elements of an array that is written out, without anything spread in it.
fn plain_array(value: &Expr) -> Option<Vec<Expr>> {
    let elements = value.as_array()?.elems.iter();
    elements
        .map(|element| {
            let element = element.as_ref().filter(|element| element.spread.is_none())?;
            Some((*element.expr).clone())
        })
        .collect()
}

/// A name for a value, and the constant that gives it one where it has none.
fn named(value: Expr) -> (Ident, Option<ModuleItem>) {
    if let Expr::Ident(name) = value {
        return (name, None);
    }
    let name = Ident::new("middlewares".into(), DUMMY_SP, own_context());
    let declared = splice::declarator(Pat::Ident(name.clone().into()), Some(value));
    (name, Some(ModuleItem::Stmt(splice::variable(VarDeclKind::Const, vec![declared]))))
}

fn replace_default(item: &mut ModuleItem, name: &Ident) {
    if let ModuleItem::ModuleDecl(ModuleDecl::ExportDefaultExpr(export)) = item {
        *export.expr = Expr::Ident(name.clone());
    }
}

/// `array[place]`
fn index(place: u32, array: Ident) -> Expr {
    Expr::Member(MemberExpr {
        span: DUMMY_SP,
        obj: Box::new(Expr::Ident(array)),
        prop: MemberProp::Computed(ComputedPropName {
            span: DUMMY_SP,
            expr: Box::new(Expr::Lit(Lit::Num(f64::from(place).into()))),
        }),
    })
}

/// The middlewares of an endpoint, by their places.
fn places(contract: &Contract, endpoint: &Endpoint) -> Vec<usize> {
    let selected = contract.middleware.iter().filter(|middleware| middleware.filter.selects(endpoint));
    selected.map(|middleware| middleware.index).collect()
}

/// One element of the array.
struct Element {
    value: Expr,
    /// `None` for what is called as it is.
    inlined: Option<Middleware>,
    again: Vec<Span>,
    /// The constant that holds it, once a chain calls it.
    constant: Option<Ident>,
}

impl Element {
    fn of(value: &Expr, body: &[ModuleItem]) -> Self {
        let value = unparenthesized(value).clone();
        let function = match &value {
            Expr::Ident(ident) => declared_function(&ident.to_id(), body),
            other => Some(other.clone()),
        };
        let again = function.as_ref().map(middleware::calls_again).unwrap_or_default();
        let inlined = function.as_ref().and_then(Middleware::of);
        Self { value, inlined, again, constant: None }
    }
}

/// A function of the module that a name always means.
fn declared_function(name: &Id, body: &[ModuleItem]) -> Option<Expr> {
    let decl = |item: &ModuleItem| match item {
        ModuleItem::Stmt(Stmt::Decl(decl)) => Some(decl.clone()),
        ModuleItem::ModuleDecl(ModuleDecl::ExportDecl(export)) => Some(export.decl.clone()),
        _ => None,
    };
    body.iter().filter_map(decl).find_map(|decl| match decl {
        // A function's name can be assigned; then it is called as a value.
        Decl::Fn(function) if function.ident.to_id() == *name && !middleware::is_assigned(name, body) => {
            Some(Expr::Fn(FnExpr { ident: None, function: function.function }))
        }
        Decl::Var(vars) if vars.kind == VarDeclKind::Const => vars.decls.into_iter().find_map(|declarator| {
            let named = declarator.name.as_ident().is_some_and(|binding| binding.id.to_id() == *name);
            declarator.init.filter(|_| named).map(|init| unparenthesized(&init).clone())
        }),
        _ => None,
    })
}

/// Names of a chain's function.
struct Frame {
    ctx: Ident,
    handler: Ident,
    labels: Labels,
    /// Middlewares that it has taken in.
    inlined: usize,
}

impl Frame {
    fn new() -> Self {
        let context = own_context();
        let named = |name: &str| Ident::new(name.into(), DUMMY_SP, context);
        Self { ctx: named("ctx"), handler: named("handler"), labels: Labels::default(), inlined: 0 }
    }
}

struct Writer {
    elements: Vec<Element>,
    fold: bool,
    /// Functions by the middlewares that they run.
    functions: BTreeMap<Vec<usize>, Ident>,
    /// Those that are still to be written.
    queue: Vec<Vec<usize>>,
    /// The guard's name, once one is needed.
    once: Option<Ident>,
}

impl Writer {
    fn write(&mut self, exported: &BTreeMap<Vec<usize>, Wanted>) -> Vec<ModuleItem> {
        for (chain, wanted) in exported {
            let ident = Ident::new_no_ctxt(wanted.name.as_str().into(), DUMMY_SP);
            self.functions.insert(chain.clone(), ident);
            self.queue.push(chain.clone());
        }
        self.queue.reverse();
        let mut functions = Vec::new();
        while let Some(chain) = self.queue.pop() {
            let wanted = exported.get(&chain);
            let decl = self.function(&chain, wanted.and_then(|wanted| wanted.perm));
            functions.push(if wanted.is_some() {
                ModuleItem::ModuleDecl(ModuleDecl::ExportDecl(ExportDecl { span: DUMMY_SP, decl }))
            } else {
                ModuleItem::Stmt(Stmt::Decl(decl))
            });
        }
        let constants = self.elements.iter().filter_map(|element| {
            let name = Pat::Ident(element.constant.clone()?.into());
            let declared = splice::declarator(name, Some(element.value.clone()));
            Some(ModuleItem::Stmt(splice::variable(VarDeclKind::Const, vec![declared])))
        });
        constants.chain(functions).collect()
    }

    fn function(&mut self, chain: &[usize], perm: Option<Perms>) -> Decl {
        let mut frame = Frame::new();
        let mut stmts = self.body(chain, &mut frame);
        if let Some(perm) = perm.filter(|_| self.fold) {
            fold_perm(&mut stmts, frame.ctx.to_id(), perm);
        }
        let ident = self.name(chain);
        let param = |ident: &Ident| Param {
            span: DUMMY_SP,
            decorators: Vec::new(),
            pat: Pat::Ident(ident.clone().into()),
        };
        let function = Function {
            this_param: None,
            params: vec![param(&frame.ctx), param(&frame.handler)],
            decorators: Vec::new(),
            span: DUMMY_SP,
            ctxt: SyntaxContext::empty(),
            body: Some(FunctionBody { span: DUMMY_SP, stmts }),
            is_generator: false,
            is_async: true,
            type_params: None,
            return_type: None,
        };
        Decl::Fn(FnDecl { ident, declare: false, function: Box::new(function) })
    }

    /// The name of the function for a chain, which is written if it is not yet.
    fn name(&mut self, chain: &[usize]) -> Ident {
        if let Some(ident) = self.functions.get(chain) {
            return ident.clone();
        }
        let ident = Ident::new("rest".into(), DUMMY_SP, own_context());
        self.functions.insert(chain.to_vec(), ident.clone());
        self.queue.push(chain.to_vec());
        ident
    }

    /// The statements that run a chain that is not empty.
    fn body(&mut self, chain: &[usize], frame: &mut Frame) -> Vec<Stmt> {
        let Some((first, rest)) = chain.split_first() else {
            return vec![splice::return_stmt(call(frame.handler.clone(), Vec::new()))];
        };
        match self.elements.get(*first).and_then(|element| element.inlined.clone()) {
            Some(middleware) => self.inlined(&middleware, rest, frame),
            None => self.called(*first, rest, frame),
        }
    }

    fn inlined(&mut self, middleware: &Middleware, rest: &[usize], frame: &mut Frame) -> Vec<Stmt> {
        frame.inlined += 1;
        let Middleware { ctx, next, mut body, uses, plain_ctx } = middleware.fresh(&mut frame.labels);
        let mut made = Vec::new();
        match ctx {
            Some(Pat::Ident(own)) if plain_ctx => middleware::rename(&mut body, &own.id.to_id(), &frame.ctx),
            Some(pat) => {
                let declared = splice::declarator(pat, Some(Expr::Ident(frame.ctx.clone())));
                made.push(splice::variable(VarDeclKind::Let, vec![declared]));
            }
            None => {}
        }
        if let Some(next) = next {
            if uses.guarded {
                let once = self.guarded(rest, frame);
                let declared = splice::declarator(Pat::Ident(next.into()), Some(once));
                made.push(splice::variable(VarDeclKind::Const, vec![declared]));
            } else {
                self.follow(&mut body, &next.to_id(), uses.calls, rest, frame);
            }
        }
        made.extend(body);
        made
    }

    /// Puts the rest of the chain where `next` is called, which happens at most once.
    fn follow(&mut self, body: &mut Vec<Stmt>, next: &Id, calls: usize, rest: &[usize], frame: &mut Frame) {
        if calls == 1 && !rest.is_empty() && frame.inlined < INLINED_MAX && splice::has_site(body, next) {
            let inner = self.body(rest, frame);
            splice::splice(body, next, &inner, &mut frame.labels);
            return;
        }
        let call = self.rest_call(rest, frame);
        splice::replace_calls(body, next, &call);
    }

    /// `return middleware1(ctx, once(…))`
    fn called(&mut self, place: usize, rest: &[usize], frame: &Frame) -> Vec<Stmt> {
        let next = self.guarded(rest, frame);
        let Some(element) = self.elements.get_mut(place) else { return Vec::new() };
        let constant = element
            .constant
            .get_or_insert_with(|| Ident::new("middleware".into(), DUMMY_SP, own_context()))
            .clone();
        vec![splice::return_stmt(call(constant, vec![Expr::Ident(frame.ctx.clone()), next]))]
    }

    /// `once(handler)` or `once(() => chain2(ctx, handler))`
    fn guarded(&mut self, rest: &[usize], frame: &Frame) -> Expr {
        let follows = if rest.is_empty() {
            Expr::Ident(frame.handler.clone())
        } else {
            Expr::Arrow(ArrowExpr {
                span: DUMMY_SP,
                ctxt: SyntaxContext::empty(),
                params: Vec::new(),
                body: Box::new(ArrowFunctionBody::Expr(Box::new(self.rest_call(rest, frame)))),
                is_async: false,
                is_generator: false,
                type_params: None,
                return_type: None,
            })
        };
        let once = self.once.get_or_insert_with(|| Ident::new("once".into(), DUMMY_SP, own_context()));
        call(once.clone(), vec![follows])
    }

    /// `handler()` or `chain2(ctx, handler)`
    fn rest_call(&mut self, rest: &[usize], frame: &Frame) -> Expr {
        if rest.is_empty() {
            return call(frame.handler.clone(), Vec::new());
        }
        let arguments = [&frame.ctx, &frame.handler].map(|ident| Expr::Ident(ident.clone()));
        call(self.name(rest), arguments.into())
    }
}

fn call(callee: Ident, arguments: Vec<Expr>) -> Expr {
    let argument = |value| ExprOrSpread { spread: None, expr: Box::new(value) };
    Expr::Call(CallExpr {
        span: DUMMY_SP,
        ctxt: SyntaxContext::empty(),
        callee: Callee::Expr(Box::new(Expr::Ident(callee))),
        args: arguments.into_iter().map(argument).collect(),
        type_args: None,
    })
}

fn unparenthesized(expr: &Expr) -> &Expr {
    match expr {
        Expr::Paren(inner) => unparenthesized(&inner.expr),
        other => other,
    }
}

/// Every name in a module.
#[derive(Default)]
struct Symbols(BTreeSet<String>);

impl Visit for Symbols {
    fn visit_ident(&mut self, ident: &Ident) {
        self.0.insert(ident.sym.to_string());
    }
}

/// Bodies in one function; deeper nesting would help nobody.
const INLINED_MAX: usize = 32;
