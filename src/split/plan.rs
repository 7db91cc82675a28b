//! The plan: a side for every top-level statement, without syntax, so that it can be printed and compared.

use std::collections::BTreeMap;
use std::fmt;

use super::parts::{PartKind, Parts};
use super::reach::{Reach, has_endpoints};
use crate::parse::ModuleGraph;

/// Where a statement goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Side {
    /// Only the client's half has it.
    Client,
    /// Both halves have it.
    Both,
    /// Only the server's half has it.
    Server,
    /// The server's half has it; a stub takes its place in the client's.
    Stub,
}

/// The side of every value statement of the modules that are split, by path relative to the project.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SplitPlan {
    /// For each module its statements in source order: what they declare, and their side.
    pub modules: BTreeMap<String, Vec<(String, Side)>>,
}

impl SplitPlan {
    pub(super) fn of(graph: &ModuleGraph, parts: &Parts<'_>, reach: &Reach) -> Self {
        let mut modules = BTreeMap::new();
        for module in graph.modules() {
            let mut statements = Vec::new();
            for (index, part) in parts.module(module.file).iter().enumerate() {
                let id = (module.file, index);
                let on_server = reach.server_modules.contains(&module.file);
                let side = match (part.kind, reach.client.contains(&id), on_server) {
                    (PartKind::Import | PartKind::ReExport | PartKind::Type, _, _) => continue,
                    (PartKind::Endpoint, _, _) => Side::Stub,
                    (_, true, true) if !has_endpoints(parts, module.file) => Side::Both,
                    (_, true, _) => Side::Client,
                    (_, false, true) => Side::Server,
                    // Frontend modules are the frontend's own build's business.
                    (_, false, false) => continue,
                };
                statements.push((name(part.kind, &part.declares), side));
            }
            if !statements.is_empty() {
                modules.insert(module.path.clone(), statements);
            }
        }
        Self { modules }
    }
}

impl fmt::Display for SplitPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (path, statements) in &self.modules {
            writeln!(f, "{path}")?;
            for (name, side) in statements {
                writeln!(f, "  {:<7} {name}", format!("{side:?}"))?;
            }
        }
        Ok(())
    }
}

fn name(kind: PartKind, declares: &[String]) -> String {
    match (kind, declares) {
        (PartKind::Middleware, _) => "(middleware)".to_owned(),
        (_, []) => "(statement)".to_owned(),
        (_, names) => names.join(", "),
    }
}
