//! Visible uses of `env.storage.<table>`, and what they do.
//!
//! ```text
//! await env.storage.entries.delete(id)            → entries, delete, needs X
//! await env.storage.entries.exec("DELETE …")      → entries, exec, needs R, W and X
//! for await (const e of env.storage.entries) { }  → entries, iteration, needs R
//! ```
//!
//! What hides behind variables and helpers is left to the runtime, which refuses it there.

use swc_common::Span;
use swc_ecma_ast::{ArrayLit, CallExpr, Callee, Expr, ForOfStmt, Lit, MemberExpr, Tpl};
use swc_ecma_visit::{Visit, VisitWith};

use super::{Extraction, sql};
use crate::contract::{Perms, StorageOperation, StorageUse};
use crate::parse::bodies::Body;
use crate::parse::literal::unwrapped;
use crate::parse::module::{ParsedModule, property};

pub(super) fn extract(extraction: &mut Extraction<'_>, module: &ParsedModule) {
    let uses = Uses::in_module(module);
    for (table, span) in &uses.found {
        let location = module.location(*span);
        let body = extraction.bodies.iter().find(|(body, _)| {
            body.file == location.file && body.start <= location.start && location.end <= body.end
        });
        let operation =
            uses.operations.iter().find(|(at, _)| at == span).map(|(_, operation)| operation.clone());
        extraction.contract.storage_uses.push(StorageUse {
            table: table.clone(),
            operation,
            endpoint: body.map(|(_, endpoint)| *endpoint),
            location,
        });
    }
}

/// The tables that a body visibly uses, and what it does with them.
pub(super) fn in_body(module: &ParsedModule, body: &Body<'_>) -> Vec<(String, Option<StorageOperation>)> {
    if !module.may().store {
        return Vec::new();
    }
    let mut uses = Uses::of(module);
    body.visit_with(&mut uses);
    let operation = |span: Span| uses.operations.iter().find(|(at, _)| *at == span);
    let found = uses
        .found
        .iter()
        .map(|(table, span)| (table.clone(), operation(*span).map(|(_, operation)| operation.clone())));
    found.collect()
}

/// The tables that a module visibly uses.
pub(super) fn tables_used(module: &ParsedModule) -> impl Iterator<Item = String> {
    Uses::in_module(module).found.into_iter().map(|(table, _)| table)
}

struct Uses<'m> {
    module: &'m ParsedModule,
    /// Tables by the place of their name.
    found: Vec<(String, Span)>,
    operations: Vec<(Span, StorageOperation)>,
}

impl<'m> Uses<'m> {
    fn of(module: &'m ParsedModule) -> Self {
        Self { module, found: Vec::new(), operations: Vec::new() }
    }

    fn in_module(module: &'m ParsedModule) -> Self {
        let mut uses = Self::of(module);
        if module.may().store {
            module.module.visit_with(&mut uses);
        }
        uses
    }

    /// The table's name in `env.storage.<table>`.
    fn table(&self, expr: &Expr) -> Option<(String, Span)> {
        let member = unwrapped(expr).as_member()?;
        self.table_of(member)
    }

    fn table_of(&self, member: &MemberExpr) -> Option<(String, Span)> {
        let storage = unwrapped(&member.obj).as_member()?;
        let env = unwrapped(&storage.obj).as_ident()?;
        let is_env = env.sym == *"env" && (self.module.is_unbound(env) || self.is_imported_env(&env.sym));
        let named_storage = storage.prop.as_ident().is_some_and(|name| name.sym == *"storage");
        // `env.storage.transaction(…)` is no table.
        let table = property(&member.prop).filter(|(name, _)| name != "transaction");
        if is_env && named_storage { table } else { None }
    }

    fn is_imported_env(&self, name: &str) -> bool {
        self.module.import(name).is_some_and(|import| import.from.text.starts_with("kontract"))
    }

    fn iterated(&mut self, expr: &Expr) {
        if let Some((_, span)) = self.table(expr) {
            self.operations.push((span, StorageOperation { name: "for … of".to_owned(), needs: Perms::R }));
        }
    }
}

impl Visit for Uses<'_> {
    fn visit_member_expr(&mut self, member: &MemberExpr) {
        if let Some(table) = self.table_of(member) {
            self.found.push(table);
        }
        member.visit_children_with(self);
    }

    fn visit_call_expr(&mut self, call: &CallExpr) {
        if let Callee::Expr(callee) = &call.callee
            && let Some(method) = unwrapped(callee).as_member()
            && let Some((_, span)) = self.table(&method.obj)
            && let Some((name, _)) = property(&method.prop)
            && let Some(needs) = bits_of(&name, call)
        {
            self.operations.push((span, StorageOperation { name, needs }));
        }
        call.visit_children_with(self);
    }

    fn visit_for_of_stmt(&mut self, statement: &ForOfStmt) {
        self.iterated(&statement.right);
        statement.visit_children_with(self);
    }

    fn visit_array_lit(&mut self, array: &ArrayLit) {
        for element in array.elems.iter().flatten().filter(|element| element.spread.is_some()) {
            self.iterated(&element.expr);
        }
        array.visit_children_with(self);
    }
}

/// The bits that a call of a table's method needs; `None` for methods the compiler does not know.
fn bits_of(method: &str, call: &CallExpr) -> Option<Perms> {
    match method {
        "get" | "mget" | "list" | "query" | "count" | "history" | "snapshot" | "at" => Some(Perms::R),
        "set" | "update" | "push" => Some(Perms::W),
        "delete" | "pop" | "shift" => Some(Perms::X),
        "exec" => {
            Some(call.args.first().and_then(|statement| text_of(&statement.expr)).map_or(Perms::R, sql::bits))
        }
        _ => None,
    }
}

/// A text that stands there as it is.
fn text_of(expr: &Expr) -> Option<&str> {
    match unwrapped(expr) {
        Expr::Lit(Lit::Str(text)) => text.value.as_str(),
        Expr::Tpl(Tpl { exprs, quasis, .. }) if exprs.is_empty() => {
            quasis.first().and_then(|text| text.cooked.as_ref()).and_then(|text| text.as_str())
        }
        _ => None,
    }
}
