//! The SQL of generated migrations. Values are quoted here and nowhere else.

use super::schema::TableSchema;

/// The statement that makes a table, or brings its read-only, unique and hidden fields up to date. `before` is what the database
/// knows of it.
///
/// ```sql
/// SELECT kt.provision(p_id => 'entries', p_ptr => 'tbl_entries', p_owner => '*', p_permissions => 7, p_readonly => '{createdAt}');
/// ```
pub fn provision(name: &str, ptr: &str, table: &TableSchema, before: Option<&TableSchema>) -> String {
    let readonly = array_text(&table.readonly_fields());
    // Of a kind that the table has none of and had none of, nothing is said.
    let list = |argument: &str, fields: fn(&TableSchema) -> Vec<&str>| match fields(table) {
        now if now.is_empty() && before.is_none_or(|before| fields(before).is_empty()) => String::new(),
        now => format!(", {argument} => {}", literal(&array_text(&now))),
    };
    let unique = list("p_unique", TableSchema::unique_fields);
    let hidden = list("p_hidden", TableSchema::hidden_fields);
    let scope = match table.scope.as_str() {
        SHARED => String::new(),
        scope => format!(", p_scope => {}", literal(scope)),
    };
    format!(
        "SELECT kt.provision(p_id => {}, p_ptr => {}, p_owner => {}, p_permissions => 7, p_readonly => {}{scope}{unique}{hidden});\n",
        literal(name),
        literal(ptr),
        literal(EVERY_OWNER),
        literal(&readonly),
    )
}

/// A string constant, for `standard_conforming_strings = on`, the default since PostgreSQL 9.1.
pub fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// Whether a migration does anything: it has more in it than white space and comments.
pub fn has_statements(sql: &str) -> bool {
    let mut rest = sql;
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_whitespace() || c == ';');
        if rest.starts_with("--") {
            rest = rest.split_once('\n').map_or("", |(_, below)| below);
        } else if rest.starts_with("/*") {
            rest = rest.split_once("*/").map_or("", |(_, behind)| behind);
        } else {
            return !rest.is_empty();
        }
    }
}

/// The text of an array of text (PostgreSQL 15, 8.15.2): `{createdAt,"a b"}`.
fn array_text(elements: &[&str]) -> String {
    let element = |element: &&str| {
        let plain = element.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        if plain && !element.is_empty() && !element.eq_ignore_ascii_case("null") {
            (*element).to_owned()
        } else {
            format!("\"{}\"", element.replace('\\', "\\\\").replace('"', "\\\""))
        }
    };
    format!("{{{}}}", elements.iter().map(element).collect::<Vec<_>>().join(","))
}

/// The owner under whom a table of everybody's is registered.
const EVERY_OWNER: &str = "*";

/// The scope of a table unless another is asked for.
const SHARED: &str = "shared";

#[cfg(test)]
mod tests {
    use super::{array_text, has_statements, literal};

    #[test]
    fn quotes_cannot_be_left() {
        assert_eq!(literal("'; DROP TABLE x; --"), "'''; DROP TABLE x; --'");
        assert_eq!(
            array_text(&["createdAt", "a b", "", "NULL", r#"x"},{\"#]),
            r#"{createdAt,"a b","","NULL","x\"},{\\"}"#
        );
        assert_eq!(array_text(&[]), "{}");
    }

    #[test]
    fn comments_are_no_statements() {
        for empty in ["", " \n;", "-- nothing", "-- a\n-- b\n", "/* SELECT 1; */ ; -- x"] {
            assert!(!has_statements(empty), "{empty:?}");
        }
        for full in ["SELECT 1;", "-- a\nSELECT 1;", "/* a */ SELECT 1"] {
            assert!(has_statements(full), "{full:?}");
        }
    }
}
