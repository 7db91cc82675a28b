//! Sources as stock TypeScript reads them: the decorators of the vocabulary blanked at equal length, and what only they
//! used kept in use.
//!
//! ```text
//! in:   import { perms } from 'kontract'; interface Entry { @perm(perms.R__) at: Date }
//! out:  import { perms } from 'kontract'; interface Entry {                  at: Date }
//!       // @ts-ignore
//!       void (0 as unknown as [typeof perms, perms]);
//! ```
//!
//! Without the last line `noUnusedLocals` would report the import. It lies behind the user's text, so that positions are
//! those of the file. A name may be a type or a value, and one of its two uses is wrong; TypeScript is told to be silent.

use std::collections::{BTreeMap, BTreeSet};

use swc_ecma_ast::Ident;
use swc_ecma_visit::{Visit, VisitWith};

use super::on_deep_stack;
use super::scanner::{self, FoundDecorator};
use super::session::Session;
use crate::project::is_source;
use crate::source::{SourceFile, Sources};

/// The blanked text of every file that has decorators of the vocabulary, by its path.
///
/// A file that does not parse is blanked as far as the scanner understands it.
pub fn blanked(sources: &Sources) -> BTreeMap<String, String> {
    on_deep_stack(|| {
        let mentioning = sources
            .iter()
            .filter(|(_, file)| is_source(&file.path) && scanner::mentions_vocabulary(&file.text));
        mentioning
            .filter_map(|(id, file)| Some((file.path.clone(), blanked_file(&Session::new(id, file), file)?)))
            .collect()
    })
}

/// `None` when there is nothing to blank, or the scanner cannot tell.
fn blanked_file(session: &Session<'_>, file: &SourceFile) -> Option<String> {
    let decorators = session.decorators().ok()?;
    if decorators.is_empty() {
        return None;
    }
    let text = scanner::blank(session.text(), &decorators);
    Some(text + &keeping(&names(session, &decorators), &file.path))
}

/// The names that decorators use: their own, and those of their arguments.
fn names(session: &Session<'_>, decorators: &[FoundDecorator]) -> BTreeSet<String> {
    let mut names = Names::default();
    for decorator in decorators {
        let name = &session.text()[decorator.name_start..decorator.name_end];
        names.0.insert(name.split('.').next().unwrap_or(name).trim().to_owned());
        for argument in session.arguments(decorator).flatten().into_iter().flatten() {
            argument.visit_with(&mut names);
        }
    }
    names.0
}

#[derive(Default)]
struct Names(BTreeSet<String>);

impl Visit for Names {
    fn visit_ident(&mut self, node: &Ident) {
        self.0.insert(node.sym.to_string());
    }
}

/// A statement that uses names. Declaration files have no statements, and nothing in them is ever unused.
fn keeping(names: &BTreeSet<String>, path: &str) -> String {
    let is_declaration = [".d.ts", ".d.mts", ".d.cts"].iter().any(|ending| path.ends_with(ending));
    let is_typed = [".ts", ".tsx", ".mts", ".cts"].iter().any(|ending| path.ends_with(ending));
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    if is_declaration {
        String::new()
    } else if is_typed {
        let uses: Vec<String> = names.iter().map(|name| format!("typeof {name}, {name}")).collect();
        format!("{SILENT}void (0 as unknown as [{}]);\n", uses.join(", "))
    } else {
        format!("{SILENT}void [{}];\n", names.join(", "))
    }
}

/// Ends the user's last line, which may be a comment.
const SILENT: &str = "\n// @ts-ignore\n";

#[cfg(test)]
mod tests {
    use super::{SILENT, blanked};
    use crate::source::{SourceFile, Sources};

    fn blank(path: &str, text: &str) -> Option<String> {
        let file = SourceFile { path: path.to_owned(), text: text.to_owned().into() };
        blanked(&Sources::new([file])).remove(path)
    }

    #[test]
    fn what_only_decorators_used_stays_in_use() {
        let text = "import { perms, backend as b } from 'kontract';\n@backend(ugroup=GROUP, perm=perms.RW_)\nexport async function f(@int32 n: number) {}";
        let out = blank("src/a.ts", text).expect("it has decorators");
        assert!(out.starts_with(&text[..48]));
        let uses = ["GROUP", "backend", "int32", "perm", "perms", "ugroup"]
            .map(|name| format!("typeof {name}, {name}"));
        assert_eq!(out[text.len()..], format!("{SILENT}void (0 as unknown as [{}]);\n", uses.join(", ")));
        assert!(!out[..text.len()].contains('@'));
    }

    #[test]
    fn a_file_without_decorators_is_left_alone() {
        assert_eq!(blank("src/a.ts", "/** @perm R__ */ const a = '@perm';"), None);
    }
}
