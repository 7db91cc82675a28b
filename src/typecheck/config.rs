//! Which programs a project consists of: its `tsconfig.json`, those that it references, and those below its sources.
//!
//! Only what decides about that is read here. Everything else of a configuration stays with TypeScript, because the
//! checked configuration extends the user's.

use std::collections::BTreeSet;

use jsonc_parser::ast::{Object, Value};
use serde_json::json;

use crate::source::normalize_path;

/// One program to check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TsConfig {
    /// Path in the tree.
    pub path: String,
    /// Whether there is such a file.
    is_present: bool,
    /// Whether it or what it extends says `composite`, which implies `declaration`.
    is_composite: bool,
    /// Whether it refers to other programs, whose sources then belong to this one.
    has_references: bool,
}

impl TsConfig {
    /// The programs that `starts` lead to, in order; `read` gives a file's text by its path in the tree. Without any
    /// file, one program with the defaults of kontract.
    pub fn discover(starts: &[String], read: &dyn Fn(&str) -> Option<String>) -> Vec<Self> {
        let mut found = Discovery { read, seen: BTreeSet::new(), configs: Vec::new(), solutions: 0 };
        for start in starts {
            found.enter(start);
        }
        let Discovery { mut configs, solutions, .. } = found;
        if let (true, 0, Some(path)) = (configs.is_empty(), solutions, starts.first()) {
            configs.push(Self {
                path: path.clone(),
                is_present: false,
                is_composite: false,
                has_references: false,
            });
        }
        configs
    }

    /// Where the configuration that is checked lies: beside the user's.
    pub(super) fn checked_path(&self) -> String {
        match self.path.rsplit_once('/') {
            Some((folder, name)) => format!("{folder}/{MARK}{name}"),
            None => format!("{MARK}{}", self.path),
        }
    }

    /// The configuration that is checked. `build_info` is where TypeScript keeps what it knows for the next time.
    pub(super) fn checked_text(&self, source: &str, build_info: &str) -> String {
        let mut options = json!({
            "noEmit": true,
            "emitDeclarationOnly": false,
            "composite": false,
            "incremental": true,
            "tsBuildInfoFile": build_info,
        });
        if self.is_composite {
            options["declaration"] = json!(true);
        }
        if self.has_references {
            // Their sources lie outside of the folder that the user gave for this program alone.
            options["rootDir"] = json!(super::shadow::up_to_root(&self.path));
        }
        let name = self.path.rsplit('/').next().unwrap_or(&self.path);
        let text = if self.is_present {
            // `references` are not inherited: what is referred to is read as sources, and needs no build.
            json!({ "extends": format!("./{name}"), "compilerOptions": options })
        } else {
            for (option, value) in [
                ("target", json!("es2024")),
                ("module", json!("esnext")),
                ("moduleResolution", json!("bundler")),
                ("lib", json!(["es2024", "dom", "dom.iterable"])),
                ("jsx", json!("react-jsx")),
                ("strict", json!(true)),
                ("skipLibCheck", json!(true)),
            ] {
                options[option] = value;
            }
            json!({ "compilerOptions": options, "include": [source, ".kontract/types.d.ts"] })
        };
        format!("{text:#}\n")
    }
}

struct Discovery<'r> {
    read: &'r dyn Fn(&str) -> Option<String>,
    seen: BTreeSet<String>,
    configs: Vec<TsConfig>,
    /// Configurations that only refer to others.
    solutions: usize,
}

impl Discovery<'_> {
    fn enter(&mut self, path: &str) {
        let mut open = vec![path.to_owned()];
        while let Some(path) = open.pop() {
            if self.seen.len() >= CONFIGS_MAX || !self.seen.insert(path.clone()) {
                continue;
            }
            let Some(text) = (self.read)(&path) else { continue };
            let references = with_object(&text, |object| references(object, &path)).unwrap_or_default();
            let is_solution = with_object(&text, is_solution).unwrap_or(false);
            if is_solution {
                self.solutions += 1;
            } else {
                self.configs.push(TsConfig {
                    is_present: true,
                    is_composite: self.is_composite(&path, &text),
                    has_references: !references.is_empty(),
                    path,
                });
            }
            open.extend(references.into_iter().rev());
        }
    }

    /// Follows `extends` through relative paths; what a package says about `composite` would be found nowhere else.
    fn is_composite(&self, path: &str, text: &str) -> bool {
        let (mut path, mut text) = (path.to_owned(), text.to_owned());
        for _ in 0..EXTENDS_MAX {
            let said = with_object(&text, |object| {
                let options = object.get_object("compilerOptions");
                let said = options.and_then(|options| options.get_boolean("composite"));
                (said.map(|said| said.value), object.get_string("extends").map(|base| base.value.to_string()))
            });
            let Some((said, base)) = said else { return false };
            let base = match (said, base) {
                (Some(said), _) => return said,
                (None, Some(base)) if base.starts_with('.') => base,
                (None, _) => return false,
            };
            let Some(next) = beside(&path, &base) else { return false };
            let found = [next.clone(), format!("{next}.json")];
            let Some(read) = found.iter().find_map(|path| Some((path.clone(), (self.read)(path)?))) else {
                return false;
            };
            (path, text) = read;
        }
        false
    }
}

/// Reads a configuration; `None` when it is not an object, which TypeScript will say.
fn with_object<T>(text: &str, read: impl FnOnce(&Object<'_>) -> T) -> Option<T> {
    let text = text.trim_start_matches('\u{feff}');
    let parsed = jsonc_parser::parse_to_ast(text, &Default::default(), &Default::default()).ok()?;
    match parsed.value? {
        Value::Object(object) => Some(read(&object)),
        _ => None,
    }
}

/// Whether a configuration has no files of its own.
fn is_solution(object: &Object<'_>) -> bool {
    let no_files = object.get_array("files").is_some_and(|files| files.elements.is_empty());
    no_files && object.get("include").is_none()
}

/// The configurations that one refers to.
fn references(object: &Object<'_>, path: &str) -> Vec<String> {
    let list = object.get_array("references");
    let entries = list.map_or(&[][..], |list| &list.elements);
    let paths =
        entries.iter().filter_map(|entry| Some(entry.as_object()?.get_string("path")?.value.to_string()));
    paths
        .filter_map(|reference| {
            let target = beside(path, &reference)?;
            let is_file = target.ends_with(".json");
            Some(if is_file {
                target
            } else {
                format!("{target}/tsconfig.json").trim_start_matches('/').to_owned()
            })
        })
        .collect()
}

/// A path as a file at `path` means it; `None` when it leads out of the tree.
fn beside(path: &str, other: &str) -> Option<String> {
    let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
    normalize_path(&format!("{folder}/{other}"))
}

/// In front of the name of a configuration that is checked.
pub(super) const MARK: &str = ".kontract-check.";
/// More programs than that are not found.
const CONFIGS_MAX: usize = 256;
/// Longer chains of `extends` are not followed.
const EXTENDS_MAX: usize = 32;

#[cfg(test)]
mod tests {
    use super::TsConfig;

    fn discover(files: &[(&str, &str)]) -> Vec<TsConfig> {
        let read =
            |path: &str| files.iter().find(|(known, _)| *known == path).map(|(_, text)| (*text).to_owned());
        TsConfig::discover(&["app/tsconfig.json".to_owned()], &read)
    }

    #[test]
    fn a_solution_stands_for_what_it_references() {
        let found = discover(&[
            (
                "app/tsconfig.json",
                "{ \"files\": [], \"references\": [{ \"path\": \"./tsconfig.web.json\" }, { \"path\": \"../lib\" }] }",
            ),
            ("app/tsconfig.web.json", "{ \"extends\": \"../base\" /* no suffix */ }"),
            ("base.json", "{ \"compilerOptions\": { \"composite\": true, } }"),
            ("lib/tsconfig.json", "{ \"references\": [{ \"path\": \"../app\" }] }"),
        ]);
        let paths: Vec<_> = found
            .iter()
            .map(|config| (config.path.as_str(), config.is_composite, config.has_references))
            .collect();
        assert_eq!(paths, [("app/tsconfig.web.json", true, false), ("lib/tsconfig.json", false, true)]);
    }

    #[test]
    fn a_project_without_configuration_gets_one_and_a_broken_one_is_left_to_typescript() {
        assert!(discover(&[])[0].checked_text("src", "x").contains("\"include\""));
        assert!(
            discover(&[("app/tsconfig.json", "{ oh")])[0]
                .checked_text("src", "x")
                .contains("./tsconfig.json")
        );
    }
}
