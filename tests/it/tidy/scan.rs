//! Reads the files of the repository as text: which names Rust code uses, and what manifests depend on. It knows no rule.
//!
//! Not a parser: comments are taken off by line, and a test module at the end of a file is cut away.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// A text file of the repository.
pub(super) struct TreeFile {
    /// Relative to the root, with `/`.
    pub(super) path: String,
    /// What it holds.
    pub(super) text: String,
}

impl TreeFile {
    /// The last part of the name, without the dot.
    pub(super) fn extension(&self) -> &str {
        self.path.rsplit_once('.').map_or("", |(_, extension)| extension)
    }
}

/// Every text file, in order, without generated folders and fixtures.
pub(super) fn tree() -> Vec<TreeFile> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder of the repository is readable") {
            let entry = entry.expect("a folder of the repository is readable");
            let kind = entry.file_type().expect("an entry has a type");
            let name = entry.file_name();
            if SKIPPED.iter().any(|skipped| name == *skipped) {
                continue;
            }
            if kind.is_dir() {
                folders.push(entry.path());
            } else if kind.is_file()
                && let Ok(text) = fs::read_to_string(entry.path())
            {
                let path = entry.path();
                let path = path.strip_prefix(root).expect("it was found below the root");
                files.push(TreeFile { path: path.to_string_lossy().replace('\\', "/"), text });
            }
        }
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    files
}

/// A file that has to be there.
pub(super) fn read(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).expect(path)
}

/// `src/contract/ty.rs` → `contract/ty`, `src/contract/mod.rs` → `contract`.
pub(super) fn module_of(path: &str) -> String {
    let path = path.trim_start_matches("src/").trim_end_matches(".rs");
    path.trim_end_matches("/mod").to_owned()
}

/// How many `super::` lead from a module to the crate's root.
pub(super) fn depth(module: &str, path: &str) -> usize {
    if path == "src/lib.rs" { 0 } else { module.split('/').count() }
}

/// Rust code with comments, and possibly tests, taken off.
pub(super) struct Rust(String);

impl Rust {
    /// The product's part of a file.
    pub(super) fn product(text: &str) -> Self {
        let text = text.replace("\r\n", "\n");
        let product = text.split("\n#[cfg(test)]\nmod tests {\n").next().unwrap_or_default();
        let lines = product.lines().map(|line| if line.trim_start().starts_with("//") { "" } else { line });
        Self(lines.collect::<Vec<_>>().join("\n"))
    }

    /// First names behind `crate::`, and behind as many `super::` as lead to the root.
    pub(super) fn root_names(&self, depth: usize) -> BTreeSet<String> {
        let to_root = "super::".repeat(depth);
        let roots = if depth == 0 { vec!["crate::"] } else { vec!["crate::", to_root.as_str()] };
        roots.iter().flat_map(|root| self.after(root)).flat_map(first_names).collect()
    }

    /// Whether a crate is named in a path; `swc` means every crate whose name begins so.
    pub(super) fn uses_crate(&self, name: &str) -> bool {
        let ends_well = |rest: &str| {
            if name == "swc" {
                rest.starts_with('_')
            } else {
                rest.starts_with("::") || rest.starts_with(';')
            }
        };
        self.after(name).iter().any(|rest| ends_well(rest))
    }

    /// Whether a path, a macro or some words occur, as such and not as the end of a longer name.
    pub(super) fn mentions(&self, name: &str) -> bool {
        !self.after(name).is_empty() || self.mentions_in_group(name)
    }

    /// `use std::{fs, io}` mentions `std::fs`.
    fn mentions_in_group(&self, name: &str) -> bool {
        let Some((parent, last)) = name.split_once("::") else { return false };
        let groups = self.after(&format!("{parent}::{{"));
        groups.iter().any(|group| first_names(&format!("{{{group}")).iter().any(|found| found == last))
    }

    /// The text behind each occurrence that does not continue a name or a path.
    fn after(&self, wanted: &str) -> Vec<&str> {
        let begins = |at: usize| {
            let before = self.0[..at].chars().next_back();
            !before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == '$' || c == ':')
                || wanted.starts_with('.')
        };
        let found = self.0.match_indices(wanted).filter(|(at, _)| begins(*at));
        found.map(|(at, _)| &self.0[at + wanted.len()..]).collect()
    }
}

/// The first name of a path, or of each path of a group: `a::b` → a; `{a::{b, c}, d}` → a, d.
fn first_names(text: &str) -> Vec<String> {
    let name = |text: &str| -> String {
        text.trim_start().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
    };
    let Some(group) = text.strip_prefix('{') else { return vec![name(text)] };
    let mut names = vec![name(group)];
    let mut nesting = 0_usize;
    for (at, letter) in group.char_indices() {
        match letter {
            '{' => nesting += 1,
            '}' if nesting == 0 => break,
            '}' => nesting -= 1,
            ',' if nesting == 0 => names.push(name(&group[at + 1..])),
            _ => {}
        }
    }
    names.retain(|name| !name.is_empty());
    names
}

/// Our crates, without `kontract-`, in `[dependencies]` of a manifest.
pub(super) fn own_dependencies(manifest: &str) -> Vec<String> {
    let section = manifest.lines().skip_while(|line| line.trim() != "[dependencies]").skip(1);
    let lines = section.take_while(|line| !line.starts_with('['));
    let names = lines.filter_map(|line| line.strip_prefix("kontract-"));
    names.map(|line| line.chars().take_while(|c| c.is_alphanumeric() || *c == '-').collect()).collect()
}

/// Line and text of each absolute path into a folder that only one machine has.
pub(super) fn machine_paths(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (number, line) in text.lines().enumerate() {
        for folder in MACHINE_FOLDERS {
            let wanted = format!("/{folder}/");
            let begins = |at: usize| {
                let before = line[..at].chars().next_back();
                !before.is_some_and(|c| c.is_alphanumeric() || "_-.*@/})".contains(c))
            };
            let hits = line.match_indices(&wanted).filter(|(at, _)| begins(*at));
            found.extend(hits.map(|(at, _)| (number + 1, line[at..].chars().take(40).collect())));
        }
    }
    found
}

/// Written by tools, or made to be strange. `.git` is a file in a linked worktree.
const SKIPPED: [&str; 9] =
    [".dev.vars", ".git", ".kontract", "dist", "dist-test", "fixtures", "node_modules", "target", "testdata"];

const MACHINE_FOLDERS: [&str; 4] = ["home", "root", "Users", "work"];

mod tests {
    use super::{Rust, depth, first_names, machine_paths, module_of, own_dependencies};

    fn root_names(text: &str, depth: usize) -> Vec<String> {
        Rust::product(text).root_names(depth).into_iter().collect()
    }

    #[test]
    fn names_behind_crate_are_found() {
        assert_eq!(
            root_names("use crate::{diag::{Code, self}, source};\nlet x = crate::emit::print();", 1),
            ["diag", "emit", "source"]
        );
        assert!(root_names("// use crate::cli;\n/// crate::cli\nmy_crate::cli::run();", 1).is_empty());
    }

    #[test]
    fn enough_supers_lead_to_the_root() {
        assert_eq!(root_names("use super::super::cli::run;", 2), ["cli"]);
        assert!(root_names("use super::endpoint::Endpoint;", 2).is_empty());
    }

    #[test]
    fn tests_of_a_file_are_free() {
        let text = "fn f() {}\n\n#[cfg(test)]\nmod tests {\n    use std::fs;\n}\n";
        assert!(!Rust::product(text).mentions("std::fs"));
        let elsewhere = "#[cfg(test)]\nmod tests;\n\nuse std::fs;\n";
        assert!(Rust::product(elsewhere).mentions("std::fs"));
    }

    #[test]
    fn groups_and_longer_names_are_told_apart() {
        assert!(Rust::product("use std::{fmt, fs};").mentions("std::fs"));
        assert!(!Rust::product("use std::{fmt, io::{self, fs}};").mentions("std::fs"));
        assert!(!Rust::product("eprintln!()").mentions("println!"));
        assert!(Rust::product("x.await").mentions(".await"));
    }

    #[test]
    fn crates_are_told_from_words() {
        assert!(Rust::product("use swc_common::Span;").uses_crate("swc"));
        assert!(Rust::product("use miette::Report;").uses_crate("miette"));
        assert!(!Rust::product("let notify = 1; self.notify();").uses_crate("clap"));
    }

    #[test]
    fn modules_know_their_place() {
        assert_eq!(module_of("src/contract/mod.rs"), "contract");
        assert_eq!(module_of("src/parse/extract/backend.rs"), "parse/extract/backend");
        assert_eq!(depth("contract/ty", "src/contract/ty.rs"), 2);
        assert_eq!(first_names("{\n    a::{b, c},\n    d,\n}"), ["a", "d"]);
    }

    #[test]
    fn only_dependencies_of_the_product_count() {
        let manifest = "[dependencies]\nkontract-wire.workspace = true\nserde = \"1\"\n\n[dev-dependencies]\nkontract-auth = {}\n";
        assert_eq!(own_dependencies(manifest), ["wire"]);
    }

    #[test]
    fn machine_paths_are_told_from_relative_ones() {
        let home = ["/ho", "me/ann/x"].concat();
        assert_eq!(machine_paths(&format!("a\nsee \"{home}\"")), [(2, format!("{home}\""))]);
        assert!(machine_paths("src/work/x and ./home/x").is_empty());
    }
}
