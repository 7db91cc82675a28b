//! Tables: interfaces marked as such, and those whose plural is used as `env.storage.<name>`.
//!
//! ```text
//! export interface Entry { @primkey id: string; … }   and   env.storage.entries
//!   → Table { name: "entries", entity: "Entry", key: "id", scope: Shared }
//! ```

use swc_common::{Span, Spanned};
use swc_ecma_ast::{Decl, TsTypeElement};

use super::Extraction;
use crate::contract::{Scope, StorageUse, Table};
use crate::parse::comments::DocComment;
use crate::parse::module::{ParsedModule, item_decl};
use crate::source::Location;

pub(super) fn extract(extraction: &mut Extraction<'_>) {
    let uses = extraction.contract.storage_uses.clone();
    for module in extraction.graph.modules() {
        for item in module.items() {
            let Some(entity) = item_decl(item).and_then(Entity::of) else { continue };
            let doc = DocComment::above(module, item.span());
            if let Some(table) = table(extraction, module, &entity, &doc, &uses) {
                extraction.contract.tables.push(table);
            }
        }
    }
}

/// An interface or an alias of an object type.
struct Entity<'m> {
    name: &'m str,
    name_span: Span,
    members: &'m [TsTypeElement],
    generic: bool,
}

impl<'m> Entity<'m> {
    fn of(decl: &'m Decl) -> Option<Self> {
        match decl {
            Decl::TsInterface(interface) => Some(Self {
                name: &interface.id.sym,
                name_span: interface.id.span,
                members: &interface.body.body,
                generic: interface.type_params.is_some(),
            }),
            Decl::TsTypeAlias(alias) => Some(Self {
                name: &alias.id.sym,
                name_span: alias.id.span,
                members: &alias.type_ann.as_ts_type_lit()?.members,
                generic: alias.type_params.is_some(),
            }),
            _ => None,
        }
    }
}

fn table(
    extraction: &mut Extraction<'_>,
    module: &ParsedModule,
    entity: &Entity<'_>,
    doc: &DocComment,
    uses: &[StorageUse],
) -> Option<Table> {
    let named = doc.mark("table").map(|mark| mark.value.clone()).filter(|name| !name.is_empty());
    let name = named.unwrap_or_else(|| table_name(entity.name));
    let marked = doc.mark("table").is_some()
        || doc.mark("scope").is_some()
        || entity.members.iter().any(|member| has_mark(module, member));
    let used = uses.iter().any(|used| used.table == name);
    if entity.generic || !(marked || used) {
        return None;
    }
    let location = module.location(entity.name_span);
    let object = extraction.types.entity(module, entity.name)?;
    let fields = extraction.types.fields(&object);
    let key = fields.iter().find(|field| field.primkey).or(fields.first()).map(|field| field.name.clone());
    let scope = scope(extraction, doc, location)?;
    Some(Table { name, entity: object, scope, key: key.unwrap_or_default(), location })
}

fn has_mark(module: &ParsedModule, member: &TsTypeElement) -> bool {
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
