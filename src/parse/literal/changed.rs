//! Which constants a program changes after they are made.
//!
//! ```text
//! POLICY.ugroup = 'everyone';   groups.push('admin');   Object.assign(POLICY, more);   delete POLICY.ugroup
//! ```
//!
//! A `const` keeps its object, not what is in it. Other names for it in the same module are followed, what is passed to a function
//! or exported under another name is not.

use std::collections::{BTreeSet, HashMap};

use serde::{Deserialize, Serialize};
use swc_ecma_ast::{
    CallExpr, Callee, Expr, Id, Ident, MemberExpr, MemberProp, Pat, SimpleAssignTarget, UnaryExpr, UnaryOp,
    UpdateExpr, VarDeclarator,
};
use swc_ecma_utils::find_pat_ids;
use swc_ecma_visit::{Visit, VisitWith};

use super::unwrapped;
use crate::parse::graph::{Binding, ModuleGraph};
use crate::parse::module::ParsedModule;
use crate::source::FileId;

/// The names of constants whose objects somebody changes; those of no module's top level are marked as [`inner`].
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Changed(BTreeSet<(FileId, String)>);

impl Changed {
    /// Looks through every module that may run on the server.
    pub(crate) fn of(graph: &ModuleGraph) -> Self {
        let changes = graph.modules().flat_map(|module| {
            changes(module).into_iter().filter_map(|change| change.place(graph, module.file))
        });
        Self(changes.collect())
    }

    /// Whether what a name of a module stands for is changed.
    pub(crate) fn has(&self, file: FileId, name: &str) -> bool {
        self.0.contains(&(file, name.to_owned()))
    }
}

/// What a name is called here that a namespace declares, or a function: their scopes are not told apart.
pub(super) fn inner(name: &str) -> String {
    format!("inner {name}")
}

/// A change to what a name of a module stands for.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(crate) struct Change {
    name: String,
    is_top_level: bool,
    /// The member through which it is changed, if that is written out.
    key: Option<String>,
}

impl Change {
    /// Where what is changed is declared.
    fn place(self, graph: &ModuleGraph, file: FileId) -> Option<(FileId, String)> {
        if !self.is_top_level {
            return Some((file, inner(&self.name)));
        }
        let binding = match (graph.lookup(file, &self.name), self.key) {
            (Binding::Namespace { file }, Some(key)) => graph.exported(file, &key),
            (binding, _) => binding,
        };
        match binding {
            Binding::Declared { file, name } => Some((file, name)),
            Binding::Item { file, .. } => Some((file, DEFAULT.to_owned())),
            Binding::Namespace { .. } | Binding::External { .. } | Binding::Missing => None,
        }
    }
}

/// All changes that a module makes.
pub(crate) fn changes(module: &ParsedModule) -> BTreeSet<Change> {
    let mut aliases = Aliases::default();
    module.module.visit_with(&mut aliases);
    let mut changes = Changes { module, aliases, found: BTreeSet::new() };
    module.module.visit_with(&mut changes);
    changes.found
}

/// Names for what other names stand for: `const policy = rules.POLICY`, `const { nested } = POLICY`.
#[derive(Default)]
struct Aliases(HashMap<Id, (Ident, Option<String>)>);

impl Visit for Aliases {
    fn visit_var_declarator(&mut self, var: &VarDeclarator) {
        if let Some((of, key, _)) = var.init.as_deref().and_then(root) {
            let names: Vec<Id> = find_pat_ids(&var.name);
            self.0.extend(names.into_iter().map(|name| (name, (of.clone(), key.clone()))));
        }
        var.visit_children_with(self);
    }
}

/// The name that an expression of names and members begins with, the first member if that is written out, and whether
/// there is one.
fn root(expr: &Expr) -> Option<(&Ident, Option<String>, bool)> {
    let (mut expr, mut key, mut is_member) = (unwrapped(expr), None, false);
    while let Expr::Member(member) = expr {
        key = member.prop.as_ident().map(|name| name.sym.to_string());
        is_member = true;
        expr = unwrapped(&member.obj);
    }
    Some((expr.as_ident()?, key, is_member))
}

struct Changes<'g> {
    module: &'g ParsedModule,
    aliases: Aliases,
    found: BTreeSet<Change>,
}

impl Changes<'_> {
    /// Notes what is changed through a member of it, or, with `whole`, through itself.
    fn note(&mut self, expr: &Expr, whole: bool) {
        if let Some((name, key, _)) = root(expr).filter(|(_, _, is_member)| *is_member || whole) {
            self.note_named(name, key);
        }
    }

    fn note_member(&mut self, member: &MemberExpr) {
        let own_key = || member.prop.as_ident().map(|name| name.sym.to_string());
        if let Some((name, key, is_member)) = root(&member.obj) {
            self.note_named(name, if is_member { key } else { own_key() });
        }
    }

    fn note_named(&mut self, name: &Ident, key: Option<String>) {
        let mut next = Some((name.clone(), key));
        while let Some((name, key)) = next {
            next = self.aliases.0.get(&name.to_id()).cloned();
            let is_top_level = self.module.is_top_level(&name);
            // A circle of names ends here as well.
            if !self.found.insert(Change { name: name.sym.to_string(), is_top_level, key }) {
                return;
            }
        }
    }
}

impl Visit for Changes<'_> {
    fn visit_simple_assign_target(&mut self, target: &SimpleAssignTarget) {
        match target {
            SimpleAssignTarget::Member(member) => self.note_member(member),
            SimpleAssignTarget::Paren(paren) => self.note(&paren.expr, false),
            SimpleAssignTarget::TsAs(cast) => self.note(&cast.expr, false),
            SimpleAssignTarget::TsNonNull(cast) => self.note(&cast.expr, false),
            SimpleAssignTarget::TsSatisfies(cast) => self.note(&cast.expr, false),
            SimpleAssignTarget::TsTypeAssertion(cast) => self.note(&cast.expr, false),
            _ => {}
        }
        target.visit_children_with(self);
    }

    fn visit_pat(&mut self, pat: &Pat) {
        // `[POLICY.ugroup] = names`
        if let Pat::Expr(expr) = pat {
            self.note(expr, false);
        }
        pat.visit_children_with(self);
    }

    fn visit_update_expr(&mut self, update: &UpdateExpr) {
        self.note(&update.arg, false);
        update.visit_children_with(self);
    }

    fn visit_unary_expr(&mut self, unary: &UnaryExpr) {
        if unary.op == UnaryOp::Delete {
            self.note(&unary.arg, false);
        }
        unary.visit_children_with(self);
    }

    fn visit_call_expr(&mut self, call: &CallExpr) {
        if let Callee::Expr(callee) = &call.callee
            && let Expr::Member(member) = unwrapped(callee)
            && let MemberProp::Ident(method) = &member.prop
        {
            let of = unwrapped(&member.obj).as_ident().map(|ident| &*ident.sym);
            match (of, call.args.first()) {
                (Some("Object" | "Reflect"), Some(first)) if CHANGING.contains(&&*method.sym) => {
                    self.note(&first.expr, true);
                }
                (_, _) if OF_ARRAYS.contains(&&*method.sym) => self.note(&member.obj, true),
                (_, _) => {}
            }
        }
        call.visit_children_with(self);
    }
}

/// Whether an expression is `Object.freeze`.
pub(super) fn is_freeze(callee: &Expr) -> bool {
    let member = unwrapped(callee).as_member();
    member.is_some_and(|member| {
        unwrapped(&member.obj).as_ident().is_some_and(|object| object.sym == *"Object")
            && member.prop.as_ident().is_some_and(|name| name.sym == *"freeze")
    })
}

/// What a default export is called that has no other name.
pub(super) const DEFAULT: &str = "default";
const CHANGING: &[&str] =
    &["assign", "defineProperty", "defineProperties", "set", "deleteProperty", "setPrototypeOf"];
const OF_ARRAYS: &[&str] =
    &["push", "pop", "shift", "unshift", "splice", "sort", "reverse", "fill", "copyWithin"];
