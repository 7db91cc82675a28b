//! The proof that client output holds nothing of the server's: the text that goes out is searched, not the plan.

use std::collections::BTreeSet;

use swc_common::Span;
use swc_ecma_ast::{ModuleDecl, ModuleItem, Str, TplElement};
use swc_ecma_visit::{Visit, VisitWith, noop_visit_type};

use super::parts::{Part, PartKind, Parts};
use super::reach::Reach;
use super::{SplitModules, diagnostics};
use crate::diag::Diagnostic;
use crate::parse::ModuleGraph;
use crate::source::Location;

/// A value whose client half was searched for server-only text. Made by this module alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeakFree<T>(T);

impl<T> LeakFree<T> {
    /// The value.
    pub fn get(&self) -> &T {
        &self.0
    }

    /// The value, out of its proof.
    pub fn into_inner(self) -> T {
        self.0
    }
}

/// Searches the client modules; on success they are proven.
pub(super) fn prove(
    modules: SplitModules,
    graph: &ModuleGraph,
    parts: &Parts,
    reach: &Reach,
) -> Result<LeakFree<SplitModules>, Vec<Diagnostic>> {
    let evidence = Evidence::gather(graph, parts, reach);
    let client = modules.client.iter().map(|(path, module)| (path.as_str(), module.statements.as_str()));
    // Most modules with endpoints have nothing but stubs, and the search is by every text of the server.
    let client = client.filter(|(_, statements)| !statements.is_empty());
    let leaks = evidence.search(client);
    if leaks.is_empty() { Ok(LeakFree(modules)) } else { Err(leaks) }
}

/// What occurs in server code, and the client code in which some of it may occur as well.
#[derive(Default)]
struct Evidence {
    /// String literals and template parts.
    texts: Vec<(String, Location)>,
    /// Top-level names.
    names: Vec<(String, Location)>,
    /// Packages and modules it imports.
    imports: Vec<(String, Location)>,
    /// The sources of the client's statements.
    allowed: String,
}

impl Evidence {
    fn gather(graph: &ModuleGraph, parts: &Parts, reach: &Reach) -> Self {
        let mut evidence = Self::default();
        let mut client_imports: BTreeSet<String> = BTreeSet::new();
        for module in graph.modules() {
            for (index, part) in parts.module(module.file).iter().enumerate() {
                let location = |span: Span| module.location(span);
                if reach.client.contains(&(module.file, index)) {
                    evidence.allowed.push_str(graph.sources().slice(location(part.span)));
                    evidence.allowed.push('\n');
                    let imports = part.refers.iter().filter_map(|name| module.import(name));
                    client_imports.extend(imports.map(|import| import.from.text.clone()));
                } else if reach.server_modules.contains(&module.file) {
                    evidence.add_server_part(part, location);
                }
            }
        }
        evidence.imports.retain(|(specifier, _)| !client_imports.contains(specifier));
        evidence
    }

    fn add_server_part(&mut self, part: &Part, location: impl Fn(Span) -> Location) {
        if let ModuleItem::ModuleDecl(ModuleDecl::Import(import)) = &part.node {
            let specifier = import.src.value.to_string_lossy().into_owned();
            self.imports.push((specifier, location(import.src.span)));
            return;
        }
        let mut texts = Texts(Vec::new());
        part.node.visit_with(&mut texts);
        let long = texts.0.into_iter().filter(|(text, _)| text.trim().chars().count() >= TEXT_CHARS_MIN);
        self.texts.extend(long.map(|(text, span)| (text, location(span))));
        // The name of an endpoint is its stub's name.
        if part.kind != PartKind::Endpoint {
            self.names.extend(part.declares.iter().map(|name| (name.clone(), location(part.span))));
        }
    }

    fn search<'c>(&self, client: impl Iterator<Item = (&'c str, &'c str)>) -> Vec<Diagnostic> {
        let mut leaks = Vec::new();
        for (path, statements) in client {
            let is_import = |line: &&str| line.starts_with("import ");
            let imports: Vec<&str> = statements.lines().filter(is_import).collect();
            let code: String =
                statements.lines().filter(|line| !is_import(line)).flat_map(|line| [line, "\n"]).collect();
            for (text, at) in &self.texts {
                if !self.allowed.contains(text.as_str()) && contains_text(&code, text) {
                    leaks.push(diagnostics::leaked(path, "a string", *at));
                }
            }
            for (name, at) in &self.names {
                if !contains_word(&self.allowed, name) && contains_word(&code, name) {
                    leaks.push(diagnostics::leaked(path, &format!("the name `{name}`"), *at));
                }
            }
            for (specifier, at) in &self.imports {
                let quoted = [format!("'{specifier}'"), format!("\"{specifier}\"")];
                if imports.iter().any(|line| quoted.iter().any(|quoted| line.contains(quoted))) {
                    leaks.push(diagnostics::leaked(path, &format!("the import of `{specifier}`"), *at));
                }
            }
        }
        leaks
    }
}

/// String literals and template parts of a part.
struct Texts(Vec<(String, Span)>);

impl Visit for Texts {
    noop_visit_type!();

    fn visit_str(&mut self, text: &Str) {
        self.0.push((text.value.to_string_lossy().into_owned(), text.span));
    }

    fn visit_tpl_element(&mut self, element: &TplElement) {
        if let Some(cooked) = &element.cooked {
            self.0.push((cooked.to_string_lossy().into_owned(), element.span));
        }
    }
}

/// Whether the text occurs as it is, or as the printer would escape it.
fn contains_text(code: &str, text: &str) -> bool {
    let escaped = serde_json::Value::from(text).to_string();
    code.contains(text) || code.contains(escaped.trim_matches('"'))
}

/// Whether an identifier occurs by itself.
fn contains_word(code: &str, word: &str) -> bool {
    let part = |c: char| c.is_alphanumeric() || c == '_' || c == '$';
    code.match_indices(word).any(|(start, _)| {
        let before = code[..start].chars().next_back().is_some_and(part);
        let after = code[start + word.len()..].chars().next().is_some_and(part);
        !before && !after
    })
}

/// Shorter strings occur everywhere.
const TEXT_CHARS_MIN: usize = 4;

#[cfg(test)]
mod tests {
    use super::Evidence;
    use crate::source::{SourceFile, Sources};

    #[test]
    fn strings_names_and_imports_of_the_server_are_found() {
        let sources = Sources::new([SourceFile { path: "a.ts".to_owned(), text: String::new().into() }]);
        let file = sources.id("a.ts").expect("given above");
        let at = crate::source::Location { file, start: 0, end: 0 };
        let evidence = Evidence {
            texts: vec![
                ("sk-live-1".to_owned(), at),
                ("shared text".to_owned(), at),
                ("a\"b\nc".to_owned(), at),
            ],
            names: vec![("db".to_owned(), at)],
            imports: vec![("pg".to_owned(), at)],
            allowed: "export const label = 'shared text';".to_owned(),
        };
        let leaks = |code: &str| evidence.search([("a.js", code)].into_iter()).len();
        assert_eq!(leaks("export const label = 'shared text';"), 0);
        assert_eq!(leaks("export const x = 'sk-live-1';"), 1);
        assert_eq!(leaks("export const x = `a\\\"b\\nc`;"), 1);
        assert_eq!(leaks("export const x = db.query();"), 1);
        assert_eq!(leaks("export const x = dbs.$db;"), 0);
        assert_eq!(leaks("import { Pool } from 'pg';"), 1);
    }
}
