//! `tsconfig.json`, as far as it says where imports and names lead: `paths`, `baseUrl`, `types`, `typeRoots`,
//! `rootDirs`, `customConditions`, `extends` and `references`; and what classes mean: `experimentalDecorators`,
//! `emitDecoratorMetadata`, `useDefineForClassFields` and `target`.
//!
//! ```text
//! tsconfig.json { extends: './base.json', references: ['./tsconfig.app.json'] }
//!   → the aliases in force, every file they were read from, and what is wrong with these
//! ```
//!
//! A project without a `tsconfig.json` has TypeScript's defaults, which are no aliases. A configuration that another one
//! names may lie in a package or above the project.

use std::collections::BTreeMap;

use jsonc_parser::ast::{Array, Object, ObjectProp, StringLit, Value};
use jsonc_parser::common::Ranged;

use super::{Classes, PathAlias, TypesInForce, json_options, without_bom};
use crate::diag::{Code, Diagnostic, as_message};
use crate::source::{Location, Reader, SourceFile, Sources, lexical_path};

/// What was read.
pub(super) struct TsConfig {
    pub(super) aliases: Vec<PathAlias>,
    pub(super) types: TypesInForce,
    pub(super) classes: Classes,
    /// The configurations besides `tsconfig.json` itself.
    pub(super) files: Vec<SourceFile>,
    faults: Vec<Fault>,
}

/// Something wrong, before files have ids.
struct Fault {
    path: String,
    start: usize,
    end: usize,
    kind: FaultKind,
}

enum FaultKind {
    NotJson(String),
    NotAnObject,
    WrongType(&'static str),
    NotFound(String),
    Circular(String),
}

impl TsConfig {
    /// Reads the project's configuration, whose text is given, and all that it leads to.
    pub(super) fn read(text: &str, packages: &dyn Reader) -> Self {
        let mut loader = Loader { packages, texts: BTreeMap::new(), faults: Vec::new() };
        loader.texts.insert(TSCONFIG.to_owned(), text.to_owned());
        let root = loader.load(TSCONFIG, &mut Vec::new());
        let mut aliases = root.aliases();
        let mut types = root.types;
        let mut classes = root.classes;
        // The configuration of an editor's project often is a list of others.
        for (reference, place) in &root.references {
            let folder = lexical_path(reference);
            let names =
                if folder.ends_with(".json") { folder.clone() } else { format!("{folder}/{TSCONFIG}") };
            let names = lexical_path(&names);
            if names == TSCONFIG {
                continue;
            }
            if loader.text(&names).is_some() {
                let options = loader.load(&names, &mut Vec::new());
                aliases.extend(options.aliases());
                types = with(types, options.types);
                classes = options.classes.overridden_by(classes);
            } else {
                let kind = FaultKind::NotFound(reference.clone());
                loader.faults.push(Fault { path: TSCONFIG.to_owned(), start: place.0, end: place.1, kind });
            }
        }
        let Loader { mut texts, faults, .. } = loader;
        texts.remove(TSCONFIG);
        let files = texts.into_iter().map(|(path, text)| SourceFile { path, text: text.into() });
        Self { aliases, types, classes: classes.meaning(), files: files.collect(), faults }
    }

    /// What is wrong, in the files as they are known now.
    pub(super) fn diagnostics(&self, sources: &Sources) -> Vec<Diagnostic> {
        self.faults.iter().map(|fault| fault.diagnostic(sources)).collect()
    }
}

impl Fault {
    fn diagnostic(&self, sources: &Sources) -> Diagnostic {
        let path = &self.path;
        let (code, message, why, help) = match &self.kind {
            FaultKind::NotJson(words) => (
                Code::KT0604,
                format!("{path} is not JSON: {words}"),
                "it says where imports lead",
                "correct the file; comments and trailing commas are allowed",
            ),
            FaultKind::NotAnObject => (
                Code::KT0604,
                format!("{path} is not an object"),
                "it says where imports lead",
                "write `{ \"compilerOptions\": { … } }`",
            ),
            FaultKind::WrongType(wanted) => (
                Code::KT0604,
                format!("{path} has a value of the wrong type"),
                "where imports lead depends on it",
                *wanted,
            ),
            FaultKind::NotFound(name) => (
                Code::KT0605,
                format!("{path} names `{name}`, which is not there"),
                "where imports lead depends on what that file says",
                "correct the path, or install the package",
            ),
            FaultKind::Circular(name) => (
                Code::KT0606,
                format!("{path} extends `{name}`, which extends it in turn"),
                "none of the two can be read before the other",
                "take one of the `extends` away",
            ),
        };
        let diagnostic = Diagnostic::error(code, message).why(why).help(help);
        let offset = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        match sources.id(path) {
            Some(file) => {
                diagnostic.at(Location { file, start: offset(self.start), end: offset(self.end) }, "here")
            }
            None => diagnostic,
        }
    }
}

/// What a configuration and those it extends say.
#[derive(Default, Clone)]
struct Options {
    /// Folders and paths are relative to the project.
    base_url: Option<String>,
    /// The folder of the configuration that says so, and each pattern with its targets.
    paths: Option<(String, Vec<Pattern>)>,
    types: TypesInForce,
    classes: ClassOptions,
    /// With the place of each.
    references: Vec<(String, (usize, usize))>,
}

impl Options {
    fn aliases(&self) -> Vec<PathAlias> {
        let mut aliases = Vec::new();
        if let Some((folder, paths)) = &self.paths {
            let base = self.base_url.as_ref().unwrap_or(folder);
            for (pattern, targets) in paths {
                let targets = targets.iter().map(|target| below(base, target));
                aliases.push(PathAlias::new(pattern, targets.collect()));
            }
        }
        if let Some(base) = &self.base_url {
            aliases.push(PathAlias::new("*", vec![below(base, "*")]));
        }
        aliases
    }

    /// What an extended configuration says counts where this one says nothing yet.
    fn overridden_by(self, later: Self) -> Self {
        Self {
            base_url: later.base_url.or(self.base_url),
            paths: later.paths.or(self.paths),
            types: TypesInForce {
                names: later.types.names.or(self.types.names),
                roots: later.types.roots.or(self.types.roots),
                root_dirs: match later.types.root_dirs.is_empty() {
                    true => self.types.root_dirs,
                    false => later.types.root_dirs,
                },
                conditions: match later.types.conditions.is_empty() {
                    true => self.types.conditions,
                    false => later.types.conditions,
                },
            },
            classes: self.classes.overridden_by(later.classes),
            references: later.references,
        }
    }
}

/// What says how classes are meant.
#[derive(Default, Clone, Copy)]
struct ClassOptions {
    experimental_decorators: Option<bool>,
    metadata: Option<bool>,
    define_fields: Option<bool>,
    /// Whether `target` has fields of its own: ES2022 and later.
    has_fields: Option<bool>,
}

impl ClassOptions {
    fn of(compiler: &Object<'_>) -> Self {
        let target = compiler.get_string("target").map(|target| target.value.to_ascii_lowercase());
        let has_fields = |target: String| {
            let year = target.strip_prefix("es").and_then(|year| year.parse::<u32>().ok());
            target == "esnext" || year.is_some_and(|year| year >= 2022)
        };
        let flag = |name: &str| compiler.get_boolean(name).map(|value| value.value);
        Self {
            experimental_decorators: flag("experimentalDecorators"),
            metadata: flag("emitDecoratorMetadata"),
            define_fields: flag("useDefineForClassFields"),
            has_fields: target.map(has_fields),
        }
    }

    fn overridden_by(self, later: Self) -> Self {
        Self {
            experimental_decorators: later.experimental_decorators.or(self.experimental_decorators),
            metadata: later.metadata.or(self.metadata),
            define_fields: later.define_fields.or(self.define_fields),
            has_fields: later.has_fields.or(self.has_fields),
        }
    }

    fn meaning(self) -> Classes {
        let legacy_decorators = self.experimental_decorators.unwrap_or(false);
        Classes {
            legacy_decorators,
            metadata: legacy_decorators && self.metadata.unwrap_or(false),
            assigned_fields: !self.define_fields.or(self.has_fields).unwrap_or(true),
        }
    }
}

/// A pattern of `paths` and its targets, as they are written.
type Pattern = (String, Vec<String>);

struct Loader<'p> {
    packages: &'p dyn Reader,
    texts: BTreeMap<String, String>,
    faults: Vec<Fault>,
}

impl Loader<'_> {
    fn text(&mut self, path: &str) -> Option<String> {
        if let Some(text) = self.texts.get(path) {
            return Some(text.clone());
        }
        let text = self.packages.read(path)?;
        self.texts.insert(path.to_owned(), text.clone());
        Some(text)
    }

    /// `chain` are the configurations that led here.
    fn load(&mut self, path: &str, chain: &mut Vec<String>) -> Options {
        let text = without_bom(&self.text(path).unwrap_or_default());
        let parsed = match jsonc_parser::parse_to_ast(&text, &Default::default(), &json_options()) {
            Ok(parsed) => parsed,
            Err(error) => {
                let words = as_message(&error.kind().to_string());
                self.fault(path, error.range(), FaultKind::NotJson(words));
                return Options::default();
            }
        };
        let root = match &parsed.value {
            // An empty file means the defaults.
            None => return Options::default(),
            Some(Value::Object(root)) => root,
            Some(other) => {
                self.fault(path, other.range(), FaultKind::NotAnObject);
                return Options::default();
            }
        };
        chain.push(path.to_owned());
        let mut options = Options::default();
        for parent in self.parents(path, root) {
            options = options.overridden_by(self.extended(path, parent, chain));
        }
        chain.pop();
        let own = self.own(path, root);
        options.overridden_by(own)
    }

    fn extended(&mut self, path: &str, parent: &StringLit<'_>, chain: &mut Vec<String>) -> Options {
        let name = parent.value.to_string();
        match self.located(path, &name) {
            None => self.fault(path, parent.range(), FaultKind::NotFound(name)),
            Some(found) if chain.contains(&found) || chain.len() >= CHAIN_MAX => {
                self.fault(path, parent.range(), FaultKind::Circular(name));
            }
            Some(found) => return self.load(&found, chain),
        }
        Options::default()
    }

    fn parents<'a>(&mut self, path: &str, root: &'a Object<'a>) -> Vec<&'a StringLit<'a>> {
        let Some(extends) = root.get("extends") else { return Vec::new() };
        match &extends.value {
            Value::StringLit(parent) => vec![parent],
            Value::Array(parents) => self.strings(path, parents, "`extends` is a path or a list of paths"),
            other => {
                let kind = FaultKind::WrongType("`extends` is a path or a list of paths");
                self.fault(path, other.range(), kind);
                Vec::new()
            }
        }
    }

    fn strings<'a>(
        &mut self,
        path: &str,
        array: &'a Array<'a>,
        wanted: &'static str,
    ) -> Vec<&'a StringLit<'a>> {
        let mut strings = Vec::new();
        for element in &array.elements {
            match element {
                Value::StringLit(text) => strings.push(text),
                other => self.fault(path, other.range(), FaultKind::WrongType(wanted)),
            }
        }
        strings
    }

    /// What a configuration says itself.
    fn own(&mut self, path: &str, root: &Object<'_>) -> Options {
        let folder = folder_of(path);
        let mut options = Options::default();
        if let Some(compiler) = root.get_object("compilerOptions") {
            options.base_url = compiler.get("baseUrl").and_then(|prop| match &prop.value {
                Value::StringLit(base) => Some(below(folder, &base.value)),
                other => {
                    self.fault(
                        path,
                        other.range(),
                        FaultKind::WrongType("`baseUrl` is the path of a folder"),
                    );
                    None
                }
            });
            options.paths = compiler.get("paths").and_then(|prop| match &prop.value {
                Value::Object(paths) => {
                    let paths = paths.properties.iter().map(|prop| self.path(path, prop)).collect();
                    Some((folder.to_owned(), paths))
                }
                other => {
                    let kind = FaultKind::WrongType("`paths` is an object of lists of paths");
                    self.fault(path, other.range(), kind);
                    None
                }
            });
            options.classes = ClassOptions::of(compiler);
            options.types.names = self.list(path, compiler, "types");
            options.types.conditions = self.list(path, compiler, "customConditions").unwrap_or_default();
            let mut folders = |key| {
                let folders = self.list(path, compiler, key)?;
                Some(folders.iter().map(|listed| below(folder, listed)).collect::<Vec<String>>())
            };
            options.types.roots = folders("typeRoots");
            options.types.root_dirs = folders("rootDirs").unwrap_or_default();
        }
        let references = root.get_array("references").map_or(&[][..], |array| &array.elements);
        let references = references.iter().filter_map(|reference| {
            let named = reference.as_object()?.get_string("path")?;
            let range = named.range();
            Some((below(folder, &named.value), (range.start, range.end)))
        });
        options.references = references.collect();
        options
    }

    /// A list of strings, where there is one.
    fn list(&mut self, path: &str, options: &Object<'_>, key: &'static str) -> Option<Vec<String>> {
        let wanted = match key {
            "types" => "`types` is a list of packages",
            "customConditions" => "`customConditions` is a list of names",
            "rootDirs" => "`rootDirs` is a list of folders",
            _ => "`typeRoots` is a list of folders",
        };
        match &options.get(key)?.value {
            Value::Array(list) => {
                Some(self.strings(path, list, wanted).iter().map(|text| text.value.to_string()).collect())
            }
            other => {
                self.fault(path, other.range(), FaultKind::WrongType(wanted));
                None
            }
        }
    }

    fn path(&mut self, path: &str, prop: &ObjectProp<'_>) -> Pattern {
        let targets = match &prop.value {
            Value::Array(targets) => self.strings(path, targets, "each of `paths` is a list of paths"),
            other => {
                self.fault(path, other.range(), FaultKind::WrongType("each of `paths` is a list of paths"));
                Vec::new()
            }
        };
        (prop.name.as_str().to_owned(), targets.iter().map(|target| target.value.to_string()).collect())
    }

    /// The file that `extends` names: relative to the configuration, or in a package.
    fn located(&mut self, path: &str, name: &str) -> Option<String> {
        let folder = folder_of(path);
        let relative = name.starts_with("./") || name.starts_with("../") || name == "." || name == "..";
        let bases: Vec<String> = if relative {
            vec![below(folder, name)]
        } else {
            let above = (0..=ABOVE_MAX).map(|up| below(folder, &"../".repeat(up)));
            above.map(|folder| below(&folder, &format!("node_modules/{name}"))).collect()
        };
        let names = bases.iter().flat_map(|base| {
            [base.clone(), format!("{base}.json"), lexical_path(&format!("{base}/{TSCONFIG}"))]
        });
        let names: Vec<String> = names.collect();
        names.into_iter().find(|name| name.ends_with(".json") && self.text(name).is_some())
    }

    fn fault(&mut self, path: &str, range: jsonc_parser::common::Range, kind: FaultKind) {
        self.faults.push(Fault { path: path.to_owned(), start: range.start, end: range.end, kind });
    }
}

/// What is in force in one configuration or the other: names and folders of both, where both say something.
fn with(one: TypesInForce, other: TypesInForce) -> TypesInForce {
    let both = |one: Option<Vec<String>>, other: Option<Vec<String>>| match (one, other) {
        (Some(one), Some(other)) => Some([one, other].concat()),
        (one, other) => one.or(other),
    };
    TypesInForce {
        names: both(one.names, other.names),
        roots: both(one.roots, other.roots),
        conditions: [one.conditions, other.conditions].concat(),
        root_dirs: if one.root_dirs.is_empty() { other.root_dirs } else { one.root_dirs },
    }
}

/// A path of a configuration, relative to the project. `${configDir}` is the folder of the project's own configuration.
fn below(folder: &str, path: &str) -> String {
    match path.strip_prefix("${configDir}") {
        Some(rest) => lexical_path(rest),
        None => lexical_path(&format!("{folder}/{path}")),
    }
}

fn folder_of(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// The configuration's name.
pub(super) const TSCONFIG: &str = "tsconfig.json";
/// How many configurations may extend each other in a row.
const CHAIN_MAX: usize = 32;
/// How many folders above a configuration are searched for packages.
const ABOVE_MAX: usize = 16;
