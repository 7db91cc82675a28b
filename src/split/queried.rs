//! Values whose types the types of a part are made of: `typeof key`, also behind aliases and interfaces.
//!
//! ```text
//! type Key = typeof key;   export const label = (): Key | undefined => …      label → key
//! ```
//!
//! What the client has is described to it, and such a type says what is in the value.

use std::collections::BTreeSet;

use swc_ecma_ast::{Ident, ModuleItem, TsEntityName, TsTypeQuery, TsTypeQueryExpr, TsTypeRef};
use swc_ecma_visit::{Visit, VisitWith};

use super::parts::{PartId, PartKind, Parts};
use super::reach::{Target, exported_parts, target};
use crate::parse::ModuleGraph;
use crate::parse::graph::Binding;
use crate::parse::module::{declared_names, item_decl};
use crate::parse::resolve::Resolution;
use crate::source::FileId;

/// The parts that declare such values. Names are not resolved within functions, so that it may be too many.
pub(super) fn queried(graph: &ModuleGraph, parts: &Parts<'_>, id: PartId) -> BTreeSet<PartId> {
    let (mut found, mut seen, mut queue) = (BTreeSet::new(), BTreeSet::new(), vec![id]);
    while let Some((file, index)) = queue.pop() {
        let Some(part) = parts.part((file, index)).filter(|_| seen.insert((file, index))) else { continue };
        let mut types = Types::default();
        part.node.visit_with(&mut types);
        for name in &types.queries {
            match target(graph, parts, file, name) {
                Target::Parts(ids) => found.extend(ids),
                Target::Module(of) => found.extend(exported_parts(graph, parts, of)),
                Target::Outside => {}
            }
        }
        let modules = types.modules.iter().filter_map(|specifier| {
            match graph.resolve(graph.module(file)?, specifier) {
                Resolution::File(of) => Some(of),
                Resolution::External | Resolution::Missing => None,
            }
        });
        found.extend(modules.flat_map(|of| exported_parts(graph, parts, of)));
        for name in &types.names {
            if let Binding::Declared { file, name } = graph.lookup(file, name) {
                queue.extend(types_named(parts, file, &name));
            }
        }
    }
    found
}

/// The interfaces and aliases of that name.
fn types_named<'p>(parts: &'p Parts<'_>, file: FileId, name: &str) -> impl Iterator<Item = PartId> + use<'p> {
    let name = name.to_owned();
    let declares =
        move |node: &ModuleItem| item_decl(node).is_some_and(|decl| declared_names(decl).contains(&name));
    let own = parts.module(file).iter().enumerate();
    own.filter(move |(_, part)| part.kind == PartKind::Type && declares(&part.node))
        .map(move |(index, _)| (file, index))
}

/// Names in the types of a node.
#[derive(Default)]
struct Types {
    /// Of values: `typeof name`.
    queries: BTreeSet<String>,
    /// Of modules: `typeof import('./vault')`.
    modules: BTreeSet<String>,
    /// Of types.
    names: BTreeSet<String>,
}

impl Visit for Types {
    fn visit_ts_type_query(&mut self, query: &TsTypeQuery) {
        match &query.expr_name {
            TsTypeQueryExpr::TsEntityName(name) => {
                self.queries.insert(first(name).sym.to_string());
            }
            TsTypeQueryExpr::Import(import) => {
                self.modules.insert(import.arg.value.to_string_lossy().into_owned());
            }
        }
        query.visit_children_with(self);
    }

    fn visit_ts_type_ref(&mut self, named: &TsTypeRef) {
        self.names.insert(first(&named.type_name).sym.to_string());
        named.visit_children_with(self);
    }

    fn visit_ts_expr_with_type_args(&mut self, parent: &swc_ecma_ast::TsExprWithTypeArgs) {
        if let Some(name) = parent.expr.as_ident() {
            self.names.insert(name.sym.to_string());
        }
        parent.visit_children_with(self);
    }
}

fn first(name: &TsEntityName) -> &Ident {
    let mut name = name;
    loop {
        match name {
            TsEntityName::Ident(ident) => return ident,
            TsEntityName::TsQualifiedName(qualified) => name = &qualified.left,
        }
    }
}
