//! Makes server code smaller and faster without changing what it does: constants folded, dead code dropped, small
//! functions inlined, three times over. Names stay readable, and so do `name`s of functions and classes.
//!
//! ```text
//! if (ctx.perm & perms.X__) await purge();      in an endpoint with `perm: perms.R__`: nothing
//! ```
//!
//! No secret depends on it: what clients get is decided by reachability.

use std::collections::{BTreeMap, BTreeSet};

use swc_common::{DUMMY_SP, Mark, Span};
use swc_ecma_ast::{
    ArrowExpr, CallExpr, EsVersion, Expr, Function, Id, Lit, MemberExpr, MemberProp, ModuleItem, Number,
    Param, Pass, Pat, Program, UsingDecl, VarDecl, VarDeclKind,
};
use swc_ecma_minifier::option::{CompressOptions, ExtraOptions, MinifyOptions, TopLevelOptions};
use swc_ecma_transforms_base::fixer::paren_remover;
use swc_ecma_visit::{Visit, VisitMut, VisitMutWith, VisitWith, noop_visit_mut_type, noop_visit_type};

use super::named;
use super::parts::{PartId, PartKind, Parts};
use super::reach::neighbours;
use crate::contract::{Contract, Perms};
use crate::parse::ModuleGraph;
use crate::parse::extract::endpoint_forms;
use crate::parse::module::{OwnName, ParsedModule, property};

/// Optimises a module whose names are those of the scope analysis.
pub(super) fn optimize(mut program: Program, module: &ParsedModule) -> Program {
    // The minifier takes away the braces at whose end something is disposed of.
    let mut using = Using::default();
    program.visit_with(&mut using);
    if using.found {
        return program;
    }
    // Constants in parentheses do not fold.
    paren_remover(None).process(&mut program);
    let mut declared = Lexical::default();
    program.visit_with(&mut declared);
    program.visit_mut_with(&mut Apart(declared.0));
    named::hold(&mut program);
    let options = MinifyOptions {
        rename: false,
        compress: Some(compress()),
        mangle: None,
        wrap: false,
        enclose: false,
    };
    let extra = ExtraOptions {
        unresolved_mark: module.scopes.unresolved,
        top_level_mark: module.scopes.top_level,
        mangle_name_cache: None,
    };
    let mut program = swc_ecma_minifier::optimize(program, module.source_map(), None, None, &options, &extra);
    named::release(&mut program);
    program
}

/// Whether there is a `using` declaration.
#[derive(Default)]
struct Using {
    found: bool,
}

impl Visit for Using {
    noop_visit_type!();

    fn visit_using_decl(&mut self, _: &UsingDecl) {
        self.found = true;
    }
}

/// What `let` and `const` declare.
#[derive(Default)]
struct Lexical(BTreeSet<Id>);

impl Visit for Lexical {
    noop_visit_type!();

    fn visit_var_decl(&mut self, vars: &VarDecl) {
        if vars.kind != VarDeclKind::Var {
            self.0.extend(vars.decls.iter().filter_map(|var| Some(var.name.as_ident()?.id.to_id())));
        }
        vars.visit_children_with(self);
    }
}

/// Enums and namespaces become functions whose parameter is the same binding as the name that they fill. The minifier, which
/// takes such a function apart, would declare that twice; only `var` may be.
///
/// ```text
/// let E = function(E) { E[E["A"] = 0] = "A"; return E; }({})      →  function(E1) …
/// ```
struct Apart(BTreeSet<Id>);

impl VisitMut for Apart {
    noop_visit_mut_type!();

    fn visit_mut_call_expr(&mut self, call: &mut CallExpr) {
        call.visit_mut_children_with(self);
        let Some(function) = call.callee.as_mut_expr().and_then(|callee| callee.as_mut_fn_expr()) else {
            return;
        };
        let Function { params, body, .. } = &mut *function.function;
        let ([Param { pat: Pat::Ident(param), .. }], Some(body)) = (params.as_mut_slice(), body) else {
            return;
        };
        let from = param.id.to_id();
        if !self.0.contains(&from) {
            return;
        }
        param.id.ctxt = param.id.ctxt.apply_mark(Mark::new());
        super::inline::rename(&mut body.stmts, &from, &param.id);
    }
}

fn compress() -> CompressOptions {
    CompressOptions {
        ecma: EsVersion::latest(),
        module: true,
        passes: 3,
        top_level: Some(TopLevelOptions { functions: true }),
        keep_classnames: true,
        keep_fnames: true,
        keep_infinity: true,
        // The platform's globals may be patched by a package.
        pristine_globals: false,
        drop_debugger: false,
        // What only makes text shorter makes stack traces and breakpoints worse.
        arrows: false,
        bools: false,
        conditionals: false,
        const_to_let: false,
        if_return: false,
        join_vars: false,
        negate_iife: false,
        sequences: 0,
        ..CompressOptions::default()
    }
}

/// The permission bits of endpoints that nothing else on the server calls, by the place of their functions.
pub(super) struct KnownPerms(BTreeMap<Span, Perms>);

/// What any part of the project refers to, itself left out.
#[derive(Default)]
pub(super) struct Calls(BTreeSet<PartId>);

impl Calls {
    pub(super) fn of(graph: &ModuleGraph, parts: &Parts<'_>) -> Self {
        let ids = graph.modules().flat_map(|module| {
            let count = parts.module(module.file).len();
            (0..count).map(|index| (module.file, index))
        });
        Self(
            ids.flat_map(|id| neighbours(graph, parts, id).iter().copied().filter(move |other| *other != id))
                .collect(),
        )
    }
}

impl KnownPerms {
    pub(super) fn of(
        graph: &ModuleGraph,
        parts: &Parts<'_>,
        contract: &Contract,
        (module, calls): (&ParsedModule, &Calls),
    ) -> Self {
        let own: Vec<Span> = parts
            .module(module.file)
            .iter()
            .enumerate()
            .filter(|(index, part)| {
                // Called by another endpoint, a function runs with that one's permissions.
                part.kind == PartKind::Endpoint && !calls.0.contains(&(module.file, *index))
            })
            .map(|(_, part)| part.span)
            .collect();
        let known = endpoint_forms(graph, module).endpoints.into_iter().filter_map(|form| {
            // What stands in a class, a namespace or another module may be called from there as well.
            let is_member = form.binding.as_ref().is_none_or(|binding| !binding.members.is_empty());
            let is_here = form.function.place.module.file == module.file && !is_member;
            let alone = is_here && own.iter().any(|span| span.contains(form.name_span));
            let at = module.location(form.name_span);
            let endpoint = contract.endpoints.iter().find(|endpoint| endpoint.location == at)?;
            alone.then(|| (form.function.body.span(), endpoint.options.perm))
        });
        Self(known.collect())
    }

    /// Puts the bits in the place of `ctx.perm`, and of `perms.RW_` and its like.
    pub(super) fn fold(&self, module: &ParsedModule, body: &mut Vec<ModuleItem>) {
        body.visit_mut_with(&mut Fold { known: &self.0, module, perm: None });
    }
}

struct Fold<'f> {
    known: &'f BTreeMap<Span, Perms>,
    module: &'f ParsedModule,
    /// Of the endpoint whose own statements are being walked. A function in it may outlive the call.
    perm: Option<Perms>,
}

impl Fold<'_> {
    fn within<N: VisitMutWith<Self>>(&mut self, span: Span, function: &mut N) {
        let outer = std::mem::replace(&mut self.perm, self.known.get(&span).copied());
        function.visit_mut_children_with(self);
        self.perm = outer;
    }
}

impl VisitMut for Fold<'_> {
    noop_visit_mut_type!();

    fn visit_mut_function(&mut self, function: &mut Function) {
        self.within(function.span, function);
    }

    fn visit_mut_arrow_expr(&mut self, arrow: &mut ArrowExpr) {
        self.within(arrow.span, arrow);
    }

    fn visit_mut_expr(&mut self, expr: &mut Expr) {
        let injected = |member: &MemberExpr| {
            let object = member.obj.as_ident();
            object.is_some_and(|object| &*object.sym == "ctx" && self.module.is_unbound(object))
        };
        let known = match &*expr {
            Expr::Member(member) if is_perm(member) && injected(member) => self.perm,
            Expr::Member(member) => spelled(self.module, member),
            _ => None,
        };
        match known {
            Some(perm) => *expr = bits(perm),
            None => expr.visit_mut_children_with(self),
        }
    }
}

/// Puts the bits in the place of `ctx.perm`, where `ctx` is one name.
pub(super) fn fold_perm<N: VisitMutWith<FoldName>>(node: &mut N, ctx: Id, perm: Perms) {
    node.visit_mut_with(&mut FoldName { ctx, perm });
}

pub(super) struct FoldName {
    ctx: Id,
    perm: Perms,
}

impl VisitMut for FoldName {
    noop_visit_mut_type!();

    fn visit_mut_expr(&mut self, expr: &mut Expr) {
        match &*expr {
            Expr::Member(member)
                if is_perm(member)
                    && member.obj.as_ident().is_some_and(|object| object.to_id() == self.ctx) =>
            {
                *expr = bits(self.perm);
            }
            _ => expr.visit_mut_children_with(self),
        }
    }
}

/// `perms.RW_`
fn spelled(module: &ParsedModule, member: &MemberExpr) -> Option<Perms> {
    let (name, _) = property(&member.prop)?;
    let ours = module.own_name(&member.obj)? == OwnName::Export("perms".to_owned());
    Perms::from_spelling(&name).filter(|_| ours)
}

fn is_perm(member: &MemberExpr) -> bool {
    matches!(&member.prop, MemberProp::Ident(name) if &*name.sym == "perm")
}

fn bits(perm: Perms) -> Expr {
    Expr::Lit(Lit::Num(Number { span: DUMMY_SP, value: f64::from(perm.bits()), raw: None }))
}
