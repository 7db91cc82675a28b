//! Server code does the same before and after it was optimised, and is what it should be.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::PathBuf;

use crate::fixture::{self, compile, compile_with};
use crate::support::node::Sandbox;
use kontract::split::SplitOptions;
use serde_json::{Value, json};

const OPTIMIZE: SplitOptions = SplitOptions { optimize: true, stubs: false, pages: None, unbundled: None };

#[test]
fn constants_fold_and_dead_code_goes() {
    for (name, case) in fixture::cases("split-optimized") {
        let compiled = compile_with(&fixture::project(&case), OPTIMIZE);
        let mut text = compiled.text();
        assert!(compiled.value.is_some(), "{name} has errors:\n{text}");
        let Some((_, _, halves)) = compiled.value else { continue };
        for (path, code) in &halves.server {
            write!(text, "\n=== server/{path}\n{code}").expect("a string");
        }
        fixture::expect(&case, "expected.txt", &text);
    }
}

/// Every fixture that compiles is run as it was written and as it was optimised.
#[test]
fn optimized_server_code_does_the_same() {
    let sandbox = Sandbox::new();
    let record = std::fs::read(fixture::folder("split-optimized").join("record.mjs")).expect("the recorder");
    sandbox.write("record.mjs", &record);
    let mut packages: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut cases = Vec::new();
    for (name, case) in sources() {
        let system = fixture::project(&case);
        let (Some(written), Some(optimized)) =
            (compile(&system).value, compile_with(&system, OPTIMIZE).value)
        else {
            continue;
        };
        for (folder, modules) in [("written", &written.2), ("optimized", &optimized.2)] {
            for (path, text) in &modules.server {
                sandbox.write(&format!("{name}/{folder}/{path}"), text.as_bytes());
                collect_imports(text, &mut packages);
            }
        }
        let paths: Vec<&String> = written.2.server.keys().collect();
        let endpoints = &written.1.contract().endpoints;
        let perms: BTreeMap<&str, u8> =
            endpoints.iter().map(|one| (one.binding.export.as_str(), one.options.perm.bits())).collect();
        cases.push(json!({ "name": name, "paths": paths, "perms": perms }));
    }
    for (package, names) in &packages {
        write_package(&sandbox, package, names);
    }
    sandbox.write("cases.json", Value::from(cases).to_string().as_bytes());
    let counted: Value = serde_json::from_str(&sandbox.run("split-optimized/execute.mjs")).expect("JSON");
    for (what, at_least) in [("modules", 60), ("calls", 300)] {
        assert!(counted[what].as_u64().is_some_and(|count| count > at_least), "{what} in {counted}");
    }
}

/// Every folder with sources: cases of the split, near misses of diagnostics, apps and the example.
fn sources() -> Vec<(String, PathBuf)> {
    let root = fixture::folder("");
    let mut found: Vec<(String, PathBuf)> = Vec::new();
    for kind in ["split", "split-optimized", "apps"] {
        found.extend(fixture::cases(kind).into_iter().map(|(name, path)| (format!("{kind}-{name}"), path)));
    }
    found.extend(
        fixture::cases("diagnostics")
            .into_iter()
            .map(|(name, path)| (format!("near-{name}"), path.join("near-miss"))),
    );
    found.push(("guestbook".to_owned(), root.join("../examples/guestbook")));
    found
}

/// `import { a, b as c } from 'pkg'`, `import d from 'pkg'` and `import * as e from 'pkg'`, as the printer writes them.
fn collect_imports(text: &str, packages: &mut BTreeMap<String, BTreeSet<String>>) {
    for line in text.lines().filter(|line| line.starts_with("import ") || line.starts_with("export ")) {
        let Some((clause, rest)) = line.split_once(" from ") else {
            if let Some(package) =
                line.strip_prefix("import ").map(|rest| rest.trim_matches([';', '\'', '"']))
            {
                packages.entry(package.to_owned()).or_default();
            }
            continue;
        };
        let package = rest.trim_end_matches(';').trim_matches(['\'', '"']).to_owned();
        let names = packages.entry(package).or_default();
        match clause.split_once('{') {
            Some((_, inner)) => {
                names.extend(inner.trim_end_matches([' ', '}']).split(',').filter_map(|name| {
                    let name = name.trim().split(' ').next().unwrap_or_default();
                    (!name.is_empty()).then(|| name.to_owned())
                }));
            }
            None => names.extend(["default".to_owned()]),
        }
    }
    packages.retain(|package, _| {
        !package.starts_with('.') && !package.starts_with('/') && !package.starts_with("node:")
    });
}

fn write_package(sandbox: &Sandbox, package: &str, names: &BTreeSet<String>) {
    let exports: String = names
        .iter()
        .map(|name| match name.as_str() {
            "default" => "export default outside('default');\n".to_owned(),
            // An error class is thrown and shown by its name.
            name if name.ends_with("Error") => format!("export class {name} extends Error {{}}\n"),
            "once" => "export const once = (follows) => async () => follows();\n".to_owned(),
            name => format!("export const {name} = outside('{name}');\n"),
        })
        .collect();
    let (folder, file) = match package.split_once('/') {
        Some((scope, name)) if !package.starts_with('@') => (scope.to_owned(), format!("{name}.js")),
        _ => (package.to_owned(), "index.js".to_owned()),
    };
    let manifest = br#"{ "type": "module", "exports": { ".": "./index.js", "./*": "./*.js" } }"#;
    sandbox.write(&format!("node_modules/{folder}/package.json"), manifest);
    let import = format!("import {{ outside }} from '{}/record.mjs';\n", sandbox.path().display());
    sandbox.write(&format!("node_modules/{folder}/{file}"), format!("{import}{exports}").as_bytes());
}
