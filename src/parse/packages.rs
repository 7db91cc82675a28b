//! Where the types of packages are: from a specifier to a declaration file, or to the TypeScript source of a package that
//! the same workspace has.
//!
//! ```text
//! pg         → node_modules/@types/pg/index.d.ts       of the importing file's folder, or of one above it
//! @acme/api  → ../../packages/api/src/index.ts         through the link in node_modules, by `exports`
//! ```
//!
//! Types only: what a package has as values stays the bundler's business. Follows the rules that TypeScript documents for
//! `moduleResolution: bundler`. Reads through [`Reader`], which knows how far up files may lie.

use std::cmp::Reverse;

use serde_json::{Map, Value};

use super::resolve::alias_paths;
use crate::project::PathAlias;
use crate::source::{Reader, lexical_path};

/// The file with the types that a specifier means in the file at `importer`, which is a package's own or the project's.
/// `conditions` are the project's own, besides those that are always in force.
pub(super) fn types_of(
    packages: &dyn Reader,
    importer: &str,
    specifier: &str,
    conditions: &[String],
) -> Option<String> {
    let folder = importer.rsplit_once('/').map_or("", |(folder, _)| folder);
    if specifier.starts_with("./") || specifier.starts_with("../") || specifier == "." || specifier == ".." {
        return file_at(packages, &lexical_path(&format!("{folder}/{specifier}")));
    }
    let (name, subpath) = package_name(specifier)?;
    folders_above(folder).into_iter().find_map(|folder| {
        let modules = lexical_path(&format!("{folder}/node_modules"));
        let own = in_package(packages, &format!("{modules}/{name}"), subpath, conditions);
        let types = format!("{modules}/@types/{}", types_name(name));
        own.or_else(|| in_package(packages, &types, subpath, conditions))
    })
}

/// The file that a relative specifier means where folders count as one: `root_dirs`, relative to the project.
pub(super) fn beside(
    packages: &dyn Reader,
    importer: &str,
    specifier: &str,
    root_dirs: &[String],
) -> Option<String> {
    if !specifier.starts_with("./") && !specifier.starts_with("../") {
        return None;
    }
    let folder = importer.rsplit_once('/').map_or("", |(folder, _)| folder);
    let path = lexical_path(&format!("{folder}/{specifier}"));
    let inside = root_dirs.iter().filter_map(|root| Some((root, path_inside(&path, root)?)));
    let (own, rest) = inside.max_by_key(|(root, _)| root.len())?;
    let others = root_dirs.iter().filter(|root| *root != own);
    others.into_iter().find_map(|root| file_at(packages, &lexical_path(&format!("{root}/{rest}"))))
}

fn path_inside<'p>(path: &'p str, folder: &str) -> Option<&'p str> {
    if folder.is_empty() { Some(path) } else { path.strip_prefix(folder)?.strip_prefix('/') }
}

/// The JSON file that a specifier means.
pub(super) fn data_of(
    packages: &dyn Reader,
    importer: &str,
    aliases: &[PathAlias],
    specifier: &str,
) -> Option<String> {
    if !specifier.ends_with(DATA) {
        return None;
    }
    if specifier.starts_with("./") || specifier.starts_with("../") {
        let folder = importer.rsplit_once('/').map_or("", |(folder, _)| folder);
        return packages.real(&lexical_path(&format!("{folder}/{specifier}")));
    }
    alias_paths(aliases, specifier).into_iter().find_map(|path| packages.real(&path))
}

/// The file that a path means, as imports write it: without an extension, with that of the JavaScript, or a folder.
pub(super) fn file_at(packages: &dyn Reader, path: &str) -> Option<String> {
    if SOURCES.iter().any(|extension| path.ends_with(extension))
        && let Some(found) = packages.real(path)
    {
        return Some(found);
    }
    let of_javascript = JAVASCRIPT.iter().find_map(|(written, meant)| {
        let stem = path.strip_suffix(written)?;
        meant.iter().find_map(|extension| packages.real(&format!("{stem}{extension}")))
    });
    let implied = || IMPLIED.iter().find_map(|extension| packages.real(&format!("{path}{extension}")));
    let index = || IMPLIED.iter().find_map(|extension| packages.real(&format!("{path}/index{extension}")));
    of_javascript.or_else(implied).or_else(index)
}

/// `@scope/name/sub/path` → `@scope/name` and `sub/path`
fn package_name(specifier: &str) -> Option<(&str, &str)> {
    let scope = if specifier.starts_with('@') { specifier.find('/')? + 1 } else { 0 };
    let end = specifier[scope..].find('/').map_or(specifier.len(), |at| scope + at);
    let (name, rest) = specifier.split_at(end);
    let proper = !name.is_empty() && !name.contains([':', '\\']) && !name.split('/').any(|part| part == "..");
    proper.then(|| (name, rest.trim_start_matches('/')))
}

/// `@scope/name` → `scope__name`
fn types_name(name: &str) -> String {
    name.strip_prefix('@').map_or_else(|| name.to_owned(), |name| name.replace('/', "__"))
}

/// A folder and those above it, beyond the project's as well.
pub(super) fn folders_above(folder: &str) -> Vec<String> {
    (0..=ABOVE_MAX).map(|up| lexical_path(&format!("{folder}/{}", "../".repeat(up)))).collect()
}

/// The file with the types that a path in a package means; the package itself by an empty path.
pub(super) fn in_package(
    packages: &dyn Reader,
    folder: &str,
    subpath: &str,
    conditions: &[String],
) -> Option<String> {
    let real = packages.real(&format!("{folder}/package.json"))?;
    let folder = real.strip_suffix("/package.json").unwrap_or("");
    let manifest: Value = serde_json::from_str(&packages.read(&real)?).ok()?;
    if let Some(exports) = manifest.get("exports") {
        let wanted = if subpath.is_empty() { ".".to_owned() } else { format!("./{subpath}") };
        let paths = exported(exports, &wanted, conditions)?;
        return paths.into_iter().find_map(|path| in_folder(packages, folder, &path));
    }
    let text = |key: &str| manifest.get(key).and_then(Value::as_str);
    let path = if subpath.is_empty() {
        text("types").or(text("typings")).or(text("main")).unwrap_or("index")
    } else {
        subpath
    };
    let versioned = manifest.get("typesVersions").map_or_else(Vec::new, |map| versioned(map, path));
    let paths =
        versioned.iter().map(String::as_str).chain([path, if subpath.is_empty() { "index" } else { path }]);
    paths.into_iter().find_map(|path| in_folder(packages, folder, path))
}

/// A file of a package by its path there, which may not lead out of it.
fn in_folder(packages: &dyn Reader, folder: &str, path: &str) -> Option<String> {
    let path = lexical_path(path);
    if path.starts_with("..") { None } else { file_at(packages, &lexical_path(&format!("{folder}/{path}"))) }
}

/// The targets of a path of `exports`, the preferred one first.
fn exported(exports: &Value, wanted: &str, own: &[String]) -> Option<Vec<String>> {
    let by_path = exports.as_object().filter(|map| map.keys().any(|key| key.starts_with('.')));
    let Some(by_path) = by_path else {
        return (wanted == ".").then(|| targets(exports, "", own, 0));
    };
    if let Some(target) = by_path.get(wanted) {
        return Some(targets(target, "", own, 0));
    }
    let mut patterns: Vec<(&str, &str, &Value)> = by_path
        .iter()
        .filter_map(|(pattern, target)| {
            let (prefix, suffix) = pattern.split_once('*')?;
            let star = wanted.strip_prefix(prefix)?.strip_suffix(suffix)?;
            Some((prefix, star, target))
        })
        .collect();
    patterns.sort_by_key(|(prefix, _, _)| Reverse(prefix.len()));
    patterns.first().map(|(_, star, target)| targets(target, star, own, 0))
}

/// The files behind the conditions in force. `null` closes a path.
fn targets(target: &Value, star: &str, own: &[String], depth: usize) -> Vec<String> {
    match target {
        Value::String(path) => vec![path.replace('*', star)],
        Value::Array(list) if depth < CONDITIONS_MAX => {
            list.iter().flat_map(|target| targets(target, star, own, depth + 1)).collect()
        }
        Value::Object(conditions) if depth < CONDITIONS_MAX => in_force(conditions, own)
            .map(|target| targets(target, star, own, depth + 1))
            .find(|found| !found.is_empty())
            .unwrap_or_default(),
        Value::Array(_) | Value::Object(_) | Value::Null | Value::Bool(_) | Value::Number(_) => Vec::new(),
    }
}

fn in_force<'v>(conditions: &'v Map<String, Value>, own: &[String]) -> impl Iterator<Item = &'v Value> {
    let holds = |name: &str| {
        CONDITIONS.contains(&name)
            || own.iter().any(|own| own == name)
            || name.strip_prefix("types@").is_some_and(admits_our_version)
    };
    conditions.iter().filter(move |(name, _)| holds(name)).map(|(_, target)| target)
}

/// `typesVersions`: where the files for a range of TypeScript's versions are.
fn versioned(ranges: &Value, path: &str) -> Vec<String> {
    let mut ranges = ranges.as_object().into_iter().flatten();
    let Some(patterns) =
        ranges.find(|(range, _)| admits_our_version(range)).and_then(|(_, map)| map.as_object())
    else {
        return Vec::new();
    };
    let path = path.trim_start_matches("./");
    let found = patterns.iter().find_map(|(pattern, targets)| {
        let star = match pattern.split_once('*') {
            Some((prefix, suffix)) => path.strip_prefix(prefix)?.strip_suffix(suffix)?,
            None => Some("").filter(|_| pattern == path)?,
        };
        let targets = targets.as_array()?.iter().filter_map(Value::as_str);
        Some(targets.map(|target| target.replace('*', star)).collect())
    });
    found.unwrap_or_default()
}

/// Whether a range such as `>=4.2 <6` has the version that sources are read as.
fn admits_our_version(range: &str) -> bool {
    range.split("||").any(|part| {
        part.split_whitespace().all(|bound| {
            let digits = bound.trim_start_matches(['<', '>', '=', '^', '~', 'v']);
            let mut numbers = digits.split('.').map(|number| number.parse::<u32>().unwrap_or(0));
            let version = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
            match &bound[..bound.len() - digits.len()] {
                "<" => TYPESCRIPT < version,
                "<=" => TYPESCRIPT <= version,
                ">" => TYPESCRIPT > version,
                ">=" => TYPESCRIPT >= version,
                _ => digits == "*" || TYPESCRIPT.0 == version.0,
            }
        })
    })
}

/// What files of data end with; their one value is their default export.
pub(super) const DATA: &str = ".json";
const CONDITIONS: &[&str] = &["types", "import", "default"];
const SOURCES: &[&str] = &[".ts", ".tsx", ".mts", ".cts"];
const IMPLIED: &[&str] = &[".ts", ".tsx", ".d.ts", ".mts", ".d.mts"];
const JAVASCRIPT: &[(&str, &[&str])] = &[
    (".js", &[".ts", ".tsx", ".d.ts"]),
    (".jsx", &[".tsx", ".d.ts"]),
    (".mjs", &[".mts", ".d.mts"]),
    (".cjs", &[".cts", ".d.cts"]),
];
/// The version whose declarations are chosen.
const TYPESCRIPT: (u32, u32) = (5, 9);
/// How deep conditions of `exports` may be nested.
const CONDITIONS_MAX: usize = 16;
/// How many folders above an importing file are searched.
const ABOVE_MAX: usize = 24;

#[cfg(test)]
mod tests {
    use super::types_of;
    use crate::system::MemorySystem;

    #[test]
    fn specifiers_of_packages_lead_to_their_types() {
        let package = |name: &str, manifest: &str, files: &[&str]| {
            let at = |file: &str| format!("node_modules/{name}/{file}");
            let manifest = (at("package.json"), manifest.to_owned());
            files.iter().map(|file| (at(file), String::new())).chain([manifest]).collect::<Vec<_>>()
        };
        let files = [
            package("plain", r#"{ "main": "lib/a.js" }"#, &["lib/a.d.ts", "lib/b.d.ts"]),
            package("typed", r#"{ "types": "./t.d.ts", "main": "a.js" }"#, &["t.d.ts", "a.d.ts"]),
            package(
                "old",
                r#"{ "typesVersions": { "<4": { "*": ["old/*"] }, ">=4": { "*": ["new/*"] } } }"#,
                &["new/index.d.ts", "old/index.d.ts"],
            ),
            package(
                "mapped",
                r#"{ "exports": { ".": { "node": "./n.js", "import": { "types": "./i.d.mts", "default": "./i.mjs" }, "types": "./w.d.ts" }, "./*": "./lib/*.js", "./lib/x/*": { "types": "./x/*.d.ts" }, "./no": null } }"#,
                &["i.d.mts", "w.d.ts", "lib/b.d.ts", "x/y.d.ts", "secret.d.ts"],
            ),
            package("sugar", r#"{ "exports": "./dist/i.js" }"#, &["dist/i.d.ts"]),
            package(
                "@acme/api",
                r#"{ "exports": { ".": "./src/index.ts" } }"#,
                &["src/index.ts", "src/more.ts"],
            ),
            package(
                "conditioned",
                r#"{ "exports": { "acme:source": "./src/i.ts", "types": "./i.d.ts" } }"#,
                &["src/i.ts", "i.d.ts"],
            ),
            package("js", "{}", &["index.js"]),
            package("@types/js", "{}", &["index.d.ts"]),
            package("@types/a__b", "{}", &["index.d.ts"]),
        ];
        let system = MemorySystem::new(files.concat());
        let types = |specifier: &str| {
            let found = types_of(&system, "src/api/a.ts", specifier, &[]);
            found.map(|path| path.trim_start_matches("node_modules/").to_owned()).unwrap_or_default()
        };
        assert_eq!(types("plain"), "plain/lib/a.d.ts");
        assert_eq!(types("plain/lib/b"), "plain/lib/b.d.ts");
        assert_eq!(types("plain/../typed/t"), "");
        assert_eq!(types("typed"), "typed/t.d.ts");
        assert_eq!(types("old"), "old/new/index.d.ts");
        assert_eq!(types("mapped"), "mapped/i.d.mts");
        assert_eq!(types("mapped/b"), "mapped/lib/b.d.ts");
        assert_eq!(types("mapped/lib/x/y"), "mapped/x/y.d.ts");
        assert_eq!(types("mapped/no"), "");
        assert_eq!(types("mapped/secret"), "");
        assert_eq!(types("sugar"), "sugar/dist/i.d.ts");
        assert_eq!(types("sugar/dist/i"), "");
        assert_eq!(types("@acme/api"), "@acme/api/src/index.ts");
        assert_eq!(types("js"), "@types/js/index.d.ts");
        assert_eq!(types("@a/b"), "@types/a__b/index.d.ts");
        assert_eq!(types("node:fs"), "");
        assert_eq!(types("absent"), "");
        let own = ["acme:source".to_owned()];
        let source = types_of(&system, "src/api/a.ts", "conditioned", &own);
        assert_eq!(source.as_deref(), Some("node_modules/conditioned/src/i.ts"));
        assert_eq!(types("conditioned"), "conditioned/i.d.ts");
        let inside = types_of(&system, "node_modules/@acme/api/src/index.ts", "./more.js", &[]);
        assert_eq!(inside.as_deref(), Some("node_modules/@acme/api/src/more.ts"));
    }
}
