//! Which bits a statement of `exec` needs, as far as its text shows. The database has the last word; this one is there so that
//! a statement that cannot work is seen before it runs.

use crate::contract::Perms;

/// R for every statement; W as well where it changes rows, and X where it deletes some.
pub(super) fn bits(statement: &str) -> Perms {
    let words = words(statement);
    // A statement starts the text, or stands in the parentheses of a WITH.
    let starts = words.iter().enumerate().filter(|(at, _)| *at == 0 || words[at - 1] == "(");
    starts.fold(Perms::R, |bits, (_, word)| match word.as_str() {
        "insert" | "update" => bits.union(Perms::W),
        "delete" => bits.union(Perms::W).union(Perms::X),
        _ => bits,
    })
}

/// The words and parentheses of a statement in lower case, without its comments and what is quoted.
fn words(statement: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut rest = statement;
    while let Some(first) = rest.chars().next() {
        let len = if rest.starts_with("--") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            rest.find("*/").map_or(rest.len(), |end| end + 2)
        } else if first == '\'' || first == '"' {
            words.push(first.to_string());
            rest[1..].find(first).map_or(rest.len(), |end| end + 2)
        } else if first.is_alphanumeric() || first == '_' {
            let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
            words.push(rest[..end].to_lowercase());
            end
        } else {
            if !first.is_whitespace() {
                words.push(first.to_string());
            }
            first.len_utf8()
        };
        rest = &rest[len..];
    }
    words
}

#[cfg(test)]
mod tests {
    use super::bits;
    use crate::contract::Perms;

    #[test]
    fn what_changes_rows_needs_more_than_r() {
        let rw = Perms::R.union(Perms::W);
        for (statement, needs) in [
            ("SELECT count(*) FROM entries", Perms::R),
            ("  -- delete\n/* update */ select 'delete', \"update\" from entries", Perms::R),
            ("select delete from entries", Perms::R),
            ("UPDATE entries SET data = data", rw),
            ("insert into entries values ($1, $2::jsonb)", rw),
            ("WITH gone AS (DELETE FROM entries RETURNING id) SELECT * FROM gone", Perms::ALL),
            ("select (select 1), 'it''s (delete'", Perms::R),
            ("", Perms::R),
            ("'open", Perms::R),
        ] {
            assert_eq!(bits(statement), needs, "{statement}");
        }
    }
}
