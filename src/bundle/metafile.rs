//! What went into a bundle and who asked for it: esbuild's metafile.

use super::node;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// The modules of a bundle, by their paths relative to the project.
#[derive(Debug, Deserialize)]
pub struct Metafile {
    inputs: BTreeMap<String, Input>,
    outputs: BTreeMap<String, Output>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Output {
    entry_point: Option<String>,
    #[serde(default)]
    imports: Vec<Reference>,
}

/// One output's import of another.
#[derive(Debug, Deserialize)]
struct Reference {
    path: String,
    kind: String,
}

#[derive(Debug, Deserialize)]
struct Input {
    imports: Vec<Import>,
}

/// One import of a module.
#[derive(Debug, Deserialize)]
pub struct Import {
    /// The module that it leads to, or the name itself when the platform has it.
    pub path: String,
    /// The name as it was written.
    pub original: Option<String>,
    /// The platform is to have it, or the importer goes on without.
    #[serde(default)]
    pub external: bool,
    /// `require-call` and the like.
    #[serde(default)]
    pub kind: String,
}

impl Metafile {
    /// Takes what esbuild wrote.
    ///
    /// # Errors
    /// When it is not a metafile.
    pub fn parse(text: &[u8]) -> serde_json::Result<Self> {
        serde_json::from_slice(text)
    }

    /// Every module that went in, those that are the platform's left out.
    pub fn inputs(&self) -> impl Iterator<Item = &str> {
        self.inputs.keys().map(String::as_str)
    }

    /// Outputs that are loaded when they are needed, by their names below the output folder.
    pub fn later(&self, entry: &str) -> Vec<String> {
        let outputs = self
            .outputs
            .iter()
            .filter(|(_, made)| made.entry_point.as_deref().is_some_and(|input| input != entry));
        // `.kontract/.tmpAbCdEf/routes/a.js`
        outputs.filter_map(|(output, _)| Some(output.splitn(3, '/').nth(2)?.to_owned())).collect()
    }

    /// The output that was made for an input.
    pub fn output_of(&self, is_wanted: impl Fn(&str) -> bool) -> Option<&str> {
        let mut outputs = self.outputs.iter();
        outputs
            .find(|(_, made)| made.entry_point.as_deref().is_some_and(&is_wanted))
            .map(|(output, _)| output.as_str())
    }

    /// An output and all that it imports at once, and not only when it is needed.
    pub fn at_once<'a>(&'a self, output: &'a str) -> BTreeSet<&'a str> {
        let mut found = BTreeSet::from([output]);
        let mut waiting = vec![output];
        while let Some(imports) =
            waiting.pop().and_then(|path| self.outputs.get(path)).map(|made| &made.imports)
        {
            let statements = imports.iter().filter(|import| import.kind == "import-statement");
            waiting.extend(statements.map(|import| import.path.as_str()).filter(|path| found.insert(path)));
        }
        found
    }

    /// Names that the platform is to have, each with the modules that import it. esbuild lets another name be missing only
    /// where the code catches that: an optional package, as `supports-color` is to `debug`.
    pub fn of_the_platform(&self) -> BTreeMap<&str, Vec<&str>> {
        let is_optional = |import: &Import| {
            matches!(import.kind.as_str(), "require-call" | "dynamic-import") && !node::is_named(&import.path)
        };
        let mut asked: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for (module, input) in &self.inputs {
            for import in input.imports.iter().filter(|import| import.external && !is_optional(import)) {
                let importers = asked.entry(&import.path).or_default();
                if !importers.contains(&module.as_str()) {
                    importers.push(module);
                }
            }
        }
        asked
    }

    /// The shortest chain of imports from `entry` to `module`, both included: each module with the name by which it
    /// imports the next one, which the last has not.
    pub fn chain<'a>(&'a self, entry: &'a str, module: &'a str) -> Vec<(&'a str, Option<&'a str>)> {
        let mut seen = BTreeSet::from([entry]);
        let mut waiting = VecDeque::from([vec![(entry, None)]]);
        while let Some(chain) = waiting.pop_front() {
            let Some((last, _)) = chain.last().copied() else { break };
            if last == module {
                return chain;
            }
            let imports = self.inputs.get(last).map_or(&[][..], |input| &input.imports);
            for import in imports.iter().filter(|import| !import.external) {
                if seen.insert(&import.path) {
                    let mut longer = chain.clone();
                    if let Some((_, name)) = longer.last_mut() {
                        *name = Some(import.original.as_deref().unwrap_or(&import.path));
                    }
                    longer.push((&import.path, None));
                    waiting.push_back(longer);
                }
            }
        }
        Vec::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const META: &str = r#"{ "inputs": {
        "a.js": { "imports": [{ "path": "b.js", "original": "./b" }, { "path": "c.js", "original": "./c" }] },
        "b.js": { "imports": [{ "path": "c.js", "original": "./c" }] },
        "c.js": { "imports": [{ "path": "d.js", "original": "d" }, { "path": "a.js", "original": "./a" }] },
        "d.js": { "imports": [{ "path": "node:fs", "original": "fs", "external": true }] } }, "outputs": {} }"#;

    #[test]
    fn chains_are_the_shortest_and_circles_end() {
        let meta = Metafile::parse(META.as_bytes()).expect("a metafile");
        let chain = meta.chain("a.js", "d.js");
        assert_eq!(chain, [("a.js", Some("./c")), ("c.js", Some("d")), ("d.js", None)]);
        assert_eq!(meta.chain("b.js", "nowhere.js"), []);
    }

    #[test]
    fn what_the_platform_is_asked_for_is_told_with_who_asks() {
        let meta = Metafile::parse(META.as_bytes()).expect("a metafile");
        assert_eq!(meta.of_the_platform(), BTreeMap::from([("node:fs", vec!["d.js"])]));
    }
}
