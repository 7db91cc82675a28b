//! `imports` of the project's `package.json`: what specifiers with a `#` mean.
//!
//! ```text
//! { "imports": { "#lib/*": { "types": "./src/lib/*.ts", "default": "./dist/lib/*.js" } } }
//!   → PathAlias `#lib/*` → `src/lib/*.ts`, `dist/lib/*.js`
//! ```
//!
//! A `package.json` that cannot be read gives none: who uses it otherwise says what is wrong with it.

use serde_json::Value;

use super::PathAlias;
use crate::system::System;

/// The aliases, in the order of the file.
pub(super) fn aliases(system: &dyn System) -> Vec<PathAlias> {
    let text = system.read(PACKAGE).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    let manifest: Option<Value> = text.and_then(|text| serde_json::from_str(&text).ok());
    let imports = manifest.as_ref().and_then(|manifest| manifest.get("imports")?.as_object());
    let imports = imports.into_iter().flatten().filter(|(pattern, _)| pattern.starts_with('#'));
    imports
        .filter_map(|(pattern, target)| {
            let mut targets = Vec::new();
            collect(target, 0, &mut targets);
            (!targets.is_empty()).then(|| PathAlias::new(pattern, targets))
        })
        .collect()
}

/// Every file of the project that a target may be, as conditions have them in order: one that names what a build makes is
/// followed by none of the sources.
fn collect(target: &Value, depth: usize, targets: &mut Vec<String>) {
    match target {
        Value::String(path) => targets.extend(path.strip_prefix("./").map(str::to_owned)),
        Value::Array(list) if depth < CONDITIONS_MAX => {
            list.iter().for_each(|target| collect(target, depth + 1, targets));
        }
        Value::Object(conditions) if depth < CONDITIONS_MAX => {
            let in_force = conditions.iter().filter(|(name, _)| CONDITIONS.contains(&name.as_str()));
            in_force.for_each(|(_, target)| collect(target, depth + 1, targets));
        }
        Value::Array(_) | Value::Object(_) | Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

const PACKAGE: &str = "package.json";
/// What TypeScript and the bundler of the Worker look for.
const CONDITIONS: &[&str] = &["types", "workerd", "worker", "browser", "import", "default"];
/// How deep conditions may be nested.
const CONDITIONS_MAX: usize = 16;

#[cfg(test)]
mod tests {
    use super::aliases;
    use crate::system::MemorySystem;

    #[test]
    fn what_a_specifier_may_mean_is_found_in_order() {
        let manifest = r##"{ "imports": {
            "#lib": "./src/lib.ts",
            "#in/*": { "node": "./n.js", "types": "./src/in/*.ts", "default": "./dist/in/*.js" },
            "#pkg": "other", "#none": null, "odd": "./src/odd.ts" } }"##;
        let system = MemorySystem::new([("package.json", manifest)]);
        let found = aliases(&system);
        let to = |specifier: &str| found.iter().find_map(|alias| alias.paths(specifier)).unwrap_or_default();
        assert_eq!(to("#lib"), ["src/lib.ts"]);
        assert_eq!(to("#in/a"), ["src/in/a.ts", "dist/in/a.js"]);
        assert!(to("#pkg").is_empty() && to("#none").is_empty() && to("odd").is_empty());
        assert!(aliases(&MemorySystem::new([("package.json", "{")])).is_empty());
    }
}
