//! The files whose declarations are in force without an import: those of the packages below `@types`, or of the packages that
//! `types` of the tsconfig names.
//!
//! ```text
//! node_modules/@types/node/index.d.ts     and what it refers to: /// <reference path="globals.d.ts" />
//! types: ["vite/client"]                  node_modules/vite/client.d.ts, and nothing of @types
//! ```
//!
//! Follows the rules that TypeScript 5 documents for `types` and `typeRoots`. Later versions take nothing without `types`, so
//! that what is found here too much is nothing that such a project may use.

use std::collections::{BTreeSet, VecDeque};

use super::packages::{file_at, folders_above, in_package, types_of};
use crate::project::TypesInForce;
use crate::source::{Reader, lexical_path};

/// The files in the order in which they are found.
pub(super) fn files(packages: &dyn Reader, wanted: &TypesInForce) -> Vec<String> {
    let usual = folders_above("").into_iter().map(|folder| lexical_path(&format!("{folder}/{USUAL_ROOT}")));
    let folders = wanted.roots.clone().unwrap_or_else(|| usual.collect());
    let roots = Roots { packages, folders, conditions: &wanted.conditions };
    let mut queue: VecDeque<String> = match &wanted.names {
        None => roots.all().into(),
        Some(names) => names.iter().flat_map(|name| roots.named(name)).collect(),
    };
    let mut seen: BTreeSet<String> = BTreeSet::new();
    let mut files = Vec::new();
    while let Some(file) = queue.pop_front() {
        if files.len() >= FILES_MAX {
            break;
        }
        if seen.insert(file.clone()) {
            let text = packages.read(&file).unwrap_or_default();
            queue.extend(references(&text).filter_map(|reference| roots.referred(&reference, &file)));
            files.push(file);
        }
    }
    files
}

/// The folders that packages of nothing but types are in.
struct Roots<'p> {
    packages: &'p dyn Reader,
    folders: Vec<String>,
    conditions: &'p [String],
}

impl Roots<'_> {
    /// The main files of all packages; of two with one name, that of the first folder.
    fn all(&self) -> Vec<String> {
        let mut names: BTreeSet<String> = BTreeSet::new();
        let mut files = Vec::new();
        for root in &self.folders {
            for name in self.packages.folders(root) {
                if !name.starts_with('.') && names.insert(name.clone()) {
                    files.extend(self.below(root, &name));
                }
            }
        }
        files
    }

    /// What a name in `types` means.
    fn named(&self, name: &str) -> Vec<String> {
        if name == "*" { self.all() } else { self.package(name, "tsconfig.json").into_iter().collect() }
    }

    fn package(&self, name: &str, importer: &str) -> Option<String> {
        let found = self.folders.iter().find_map(|root| self.below(root, name));
        found.or_else(|| types_of(self.packages, importer, name, self.conditions))
    }

    fn below(&self, root: &str, name: &str) -> Option<String> {
        let folder = format!("{root}/{name}");
        in_package(self.packages, &folder, "", self.conditions).or_else(|| file_at(self.packages, &folder))
    }

    fn referred(&self, reference: &Reference<'_>, from: &str) -> Option<String> {
        let folder = from.rsplit_once('/').map_or("", |(folder, _)| folder);
        match reference {
            Reference::Path(path) => self.packages.real(&lexical_path(&format!("{folder}/{path}"))),
            Reference::Types(name) => self.package(name, from),
        }
    }
}

/// What a file refers to by `/// <reference … />`.
enum Reference<'t> {
    Path(&'t str),
    Types(&'t str),
}

/// References stand above all code, among comments.
fn references(text: &str) -> impl Iterator<Item = Reference<'_>> {
    let mut rest = text.trim_start_matches('\u{feff}');
    std::iter::from_fn(move || {
        loop {
            rest = rest.trim_start();
            if let Some(comment) = rest.strip_prefix("/*") {
                rest = comment.split_once("*/")?.1;
                continue;
            }
            let line = rest.strip_prefix("//")?.lines().next()?;
            rest = &rest[2 + line.len()..];
            let attribute = |name: &str| {
                let (_, value) =
                    line.strip_prefix('/')?.trim_start().strip_prefix("<reference")?.split_once(name)?;
                let value = value.trim_start().strip_prefix('=')?.trim_start();
                let quote = value.chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
                value[1..].split_once(quote).map(|(value, _)| value)
            };
            let found =
                attribute(" path").map(Reference::Path).or_else(|| attribute(" types").map(Reference::Types));
            if found.is_some() {
                return found;
            }
        }
    })
}

/// Where packages of nothing but types are.
const USUAL_ROOT: &str = "node_modules/@types";
/// How many files are in force; `@types/node` has about a hundred.
const FILES_MAX: usize = 1024;

#[cfg(test)]
mod tests {
    use super::files;
    use crate::project::TypesInForce;
    use crate::system::MemorySystem;

    #[test]
    fn packages_of_types_are_found_as_the_configuration_says() {
        let system = MemorySystem::new([
            ("node_modules/@types/a/package.json", "{ \"types\": \"i.d.ts\" }"),
            (
                "node_modules/@types/a/i.d.ts",
                "/* a\n license */\n// x\n/// <reference path=\"./more.d.ts\" />\n/// <reference types='c' />\nlet x;\n/// <reference path=\"late.d.ts\" />",
            ),
            ("node_modules/@types/a/more.d.ts", "/// <reference path=\"i.d.ts\"/>"),
            ("node_modules/@types/a/late.d.ts", ""),
            ("node_modules/@types/b/index.d.ts", ""),
            ("node_modules/@types/.cache/index.d.ts", ""),
            ("node_modules/c/package.json", "{ \"types\": \"c.d.ts\" }"),
            ("node_modules/c/c.d.ts", ""),
            ("node_modules/c/client.d.ts", ""),
            ("own/d/index.d.ts", ""),
        ]);
        let found = |roots: Option<&[&str]>, names: Option<&[&str]>| {
            let list = |list: &[&str]| list.iter().map(|name| (*name).to_owned()).collect();
            let wanted =
                TypesInForce { roots: roots.map(list), names: names.map(list), ..TypesInForce::default() };
            files(&system, &wanted).join(" ").replace("node_modules/", "")
        };
        let a = "@types/a/i.d.ts @types/a/more.d.ts c/c.d.ts";
        assert_eq!(found(None, None), "@types/a/i.d.ts @types/b/index.d.ts @types/a/more.d.ts c/c.d.ts");
        assert_eq!(found(None, Some(&[])), "");
        assert_eq!(found(None, Some(&["a"])), a);
        assert_eq!(found(None, Some(&["c/client", "absent"])), "c/client.d.ts");
        assert_eq!(found(Some(&["own"]), None), "own/d/index.d.ts");
        assert_eq!(
            found(Some(&["own"]), Some(&["a", "*"])),
            "@types/a/i.d.ts own/d/index.d.ts @types/a/more.d.ts c/c.d.ts"
        );
    }
}
