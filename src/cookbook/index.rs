//! The first page: every endpoint, by the file that holds it.

use super::book::{Page, front_matter, perm_text};
use super::markdown::{code, table};
use std::collections::BTreeMap;

/// The text of `index.md`.
pub(super) fn index_text(pages: &[Page]) -> String {
    let mut text = front_matter("API", "Every endpoint of this project.");
    text.push_str("# API\n");
    let mut by_source: BTreeMap<&str, Vec<&Page>> = BTreeMap::new();
    for page in pages {
        by_source.entry(&page.source).or_default().push(page);
    }
    for (source, pages) in by_source {
        text.push_str(&format!("\n## {}\n\n", code(source)));
        let row = |page: &&Page| {
            let callers =
                page.ugroup.as_ref().map_or_else(|| "every session".to_owned(), |group| code(group));
            let link = format!("[{}](./{}.md)", code(&page.endpoint), page.file);
            vec![link, page.summary.clone(), perm_text(page.perm), callers]
        };
        let rows: Vec<Vec<String>> = pages.iter().map(row).collect();
        text.push_str(&table(&["Endpoint", "Description", "Permission", "Callers"], &rows));
    }
    text
}
