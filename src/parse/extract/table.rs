//! Tables: interfaces marked as such, and those whose plural is used as `env.storage.<name>`.
//!
//! ```text
//! export interface Entry { @primkey id: string; … }   and   env.storage.entries
//!   → Table { name: "entries", entity: "Entry", key: "id", scope: Shared }
//! ```

use std::collections::BTreeSet;

use swc_common::{Span, Spanned};
use swc_ecma_ast::{Decl, TsExprWithTypeArgs, TsTypeElement};

use super::{Extraction, storage_use};
use crate::contract::{Scope, Table};
use crate::parse::comments::DocComment;
use crate::parse::graph::{Binding, ModuleGraph};
use crate::parse::module::{ParsedModule, item_decl};
use crate::parse::summary::ModuleSummary;
use crate::parse::types::diagnostics::{misspelt_mark, stray_mark};
use crate::source::{FileId, Location};

pub(super) fn extract(extraction: &mut Extraction<'_>) {
    let graph = extraction.graph;
    let used: BTreeSet<String> =
        extraction.contract.storage_uses.iter().map(|used| used.table.clone()).collect();
    let files = graph.summaries().filter(|module| may_declare_tables(graph, *module, &used));
    for module in files.filter_map(|(file, _)| graph.module(file)) {
        let stray = DocComment::stray(module);
        extraction.diagnostics.extend(stray.iter().map(|mark| stray_mark(&mark.name, mark.location)));
    }
    extraction.types.look_at(None);
    let candidates = Candidate::all(graph, &used);
    let marked: BTreeSet<String> = candidates
        .iter()
        .filter(|candidate| candidate.marked)
        .map(|candidate| candidate.table.clone())
        .collect();
    for candidate in &candidates {
        // An unmarked interface that only happens to have the name of a table describes something else.
        let by_name = used.contains(&candidate.table) && !marked.contains(&candidate.table);
        if (candidate.marked || by_name)
            && let Some(table) = table(extraction, candidate)
        {
            extraction.contract.tables.push(table);
        }
    }
}

/// The declaration behind each table's name: its file and its name there.
pub(crate) fn table_declarations(graph: &ModuleGraph) -> Vec<(String, FileId, String)> {
    let used: BTreeSet<String> = graph.modules().flat_map(storage_use::tables_used).collect();
    let mut candidates = Candidate::all(graph, &used);
    candidates.sort_by_key(|candidate| !candidate.marked);
    let of = |candidate: &Candidate<'_>| {
        (candidate.table.clone(), candidate.module.file, candidate.entity.name.to_owned())
    };
    candidates.iter().map(of).collect()
}

/// A declaration that may describe the rows of a table.
struct Candidate<'m> {
    module: &'m ParsedModule,
    entity: Entity<'m>,
    doc: DocComment,
    /// The table it would describe.
    table: String,
    /// Whether it says so itself: by `@table`, `@scope` or `@primkey`.
    marked: bool,
}

impl<'m> Candidate<'m> {
    fn all(graph: &'m ModuleGraph, used: &BTreeSet<String>) -> Vec<Self> {
        let mut keyed: BTreeSet<(FileId, &str)> = BTreeSet::new();
        let mut bases: BTreeSet<(FileId, String)> = BTreeSet::new();
        let mut found = Vec::new();
        let files = graph.summaries().filter(|module| may_declare_tables(graph, *module, used));
        for module in files.filter_map(|(file, _)| graph.module(file)) {
            for item in module.items() {
                let Some(entity) = item_decl(item).and_then(Entity::of).filter(|entity| !entity.generic)
                else {
                    continue;
                };
                if entity.members.iter().any(|member| has_key_mark(module, member)) {
                    keyed.insert((module.file, entity.name));
                }
                bases.extend(entity.parents(graph, module));
                let doc = DocComment::above(module, item.span());
                let named = doc.mark("table").map(|mark| mark.value.clone()).filter(|name| !name.is_empty());
                let table = named.unwrap_or_else(|| table_name(entity.name));
                let marked = doc.mark("table").is_some() || doc.mark("scope").is_some();
                found.push(Self { module, entity, doc, table, marked });
            }
        }
        for candidate in &mut found {
            let name = candidate.entity.name;
            let own = keyed.contains(&(candidate.module.file, name));
            let inherited = candidate.entity.parents(graph, candidate.module);
            let inherited = inherited.iter().any(|(file, name)| keyed.contains(&(*file, name.as_str())));
            // An interface that others extend is their common part, and a table only when it says so.
            let base = bases.contains(&(candidate.module.file, name.to_owned()));
            candidate.marked |= (own || inherited) && !base;
        }
        found
    }
}

/// Whether a file has to be read for tables: it marks some, extends what another file marks, or declares a type that is
/// called like a table in use.
fn may_declare_tables(
    graph: &ModuleGraph,
    (file, summary): (FileId, &ModuleSummary),
    used: &BTreeSet<String>,
) -> bool {
    let marks = |binding| {
        matches!(binding, Binding::Declared { file, .. }
            if graph.summary(file).is_some_and(|summary| summary.marks.tables))
    };
    let types = summary.types();
    summary.marks.tables
        || summary.parents.iter().any(|parent| marks(graph.lookup(file, parent)))
        || (!used.is_empty() && types.map(table_name).any(|table| used.contains(&table)))
}

/// An interface or an alias of an object type.
struct Entity<'m> {
    name: &'m str,
    name_span: Span,
    members: &'m [TsTypeElement],
    extends: &'m [TsExprWithTypeArgs],
    generic: bool,
}

impl<'m> Entity<'m> {
    fn of(decl: &'m Decl) -> Option<Self> {
        match decl {
            Decl::TsInterface(interface) => Some(Self {
                name: &interface.id.sym,
                name_span: interface.id.span,
                members: &interface.body.body,
                extends: &interface.extends,
                generic: interface.type_params.is_some(),
            }),
            Decl::TsTypeAlias(alias) => Some(Self {
                name: &alias.id.sym,
                name_span: alias.id.span,
                members: &alias.type_ann.as_ts_type_lit()?.members,
                extends: &[],
                generic: alias.type_params.is_some(),
            }),
            _ => None,
        }
    }

    /// The declarations it extends.
    fn parents(&self, graph: &ModuleGraph, module: &ParsedModule) -> Vec<(FileId, String)> {
        let names = self.extends.iter().filter_map(|parent| parent.expr.as_ident());
        let bindings = names.map(|name| graph.lookup(module.file, &name.sym));
        bindings
            .filter_map(|binding| match binding {
                Binding::Declared { file, name } => Some((file, name)),
                Binding::Item { .. }
                | Binding::Namespace { .. }
                | Binding::External { .. }
                | Binding::Missing => None,
            })
            .collect()
    }
}

fn table<'g>(extraction: &mut Extraction<'g>, candidate: &Candidate<'g>) -> Option<Table> {
    let location = candidate.module.location(candidate.entity.name_span);
    for wrong in &candidate.doc.misspelt {
        let found = misspelt_mark(&wrong.name, wrong.near, wrong.location);
        extraction.diagnostics.push(found);
    }
    let entity = extraction.types.entity(candidate.module, candidate.entity.name)?;
    let fields = extraction.types.fields(&entity);
    let key = fields.iter().find(|field| field.primkey).or(fields.first()).map(|field| field.name.clone());
    let scope = scope(extraction, &candidate.doc, location)?;
    Some(Table { name: candidate.table.clone(), entity, scope, key: key.unwrap_or_default(), location })
}

fn has_key_mark(module: &ParsedModule, member: &TsTypeElement) -> bool {
    module.decorator(member.span(), "primkey").is_some()
        || DocComment::above(module, member.span()).mark("primkey").is_some()
}

fn scope(extraction: &mut Extraction<'_>, doc: &DocComment, location: Location) -> Option<Scope> {
    let Some(mark) = doc.mark("scope") else { return Some(Scope::Shared) };
    match mark.value.as_str() {
        "shared" => Some(Scope::Shared),
        "owner" => Some(Scope::Owner),
        "tenant" => Some(Scope::Tenant),
        _ => {
            extraction.diagnostics.push(super::diagnostics::unknown_scope(
                &mark.value,
                mark.location,
                location,
            ));
            None
        }
    }
}

/// `Entry` → `entries`, `UserProfile` → `user_profiles`.
pub(crate) fn table_name(entity: &str) -> String {
    let mut snake = String::new();
    let mut after_lower = false;
    for c in entity.chars() {
        if c.is_uppercase() && after_lower {
            snake.push('_');
        }
        after_lower = c.is_lowercase() || c.is_ascii_digit();
        snake.extend(c.to_lowercase());
    }
    plural(&snake)
}

/// The English plural, by its regular rules.
fn plural(word: &str) -> String {
    let before_last = word.chars().rev().nth(1);
    let vowel = before_last.is_some_and(|c| "aeiou".contains(c));
    match word.strip_suffix('y') {
        Some(stem) if !vowel => format!("{stem}ies"),
        _ if ["s", "x", "z", "ch", "sh"].iter().any(|end| word.ends_with(end)) => format!("{word}es"),
        _ => format!("{word}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::table_name;

    #[test]
    fn tables_are_called_by_the_plural() {
        let cases = [
            ("Entry", "entries"),
            ("User", "users"),
            ("Day", "days"),
            ("Box", "boxes"),
            ("Address", "addresses"),
            ("UserProfile", "user_profiles"),
            ("APIKey", "apikeys"),
        ];
        for (entity, table) in cases {
            assert_eq!(table_name(entity), table, "{entity}");
        }
    }
}
