//! A project's configuration and its sources: `kontract.json`, the `paths` of `tsconfig.json`, and the files they name.

mod imports;
mod tsconfig;

use jsonc_parser::ast::{Object, ObjectProp, Value};
use jsonc_parser::common::Ranged;
use rayon::iter::{IntoParallelRefIterator, ParallelIterator};

use crate::diag::{Code, Diagnostic, Outcome, as_message};
use crate::source::{FileId, Location, SourceFile, Sources, Text, lexical_path, normalize_path};
use crate::system::{System, SystemError};
use tsconfig::{TSCONFIG, TsConfig};

/// What `kontract.json` says, with defaults filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Project {
    /// The app's name.
    pub name: String,
    /// Folder of the sources, relative to the project.
    pub source: String,
    /// How the frontend is built; absent when there is none.
    pub frontend: Option<Frontend>,
    /// Whether API pages are written.
    pub cookbook: bool,
    /// Whether server code is optimised.
    pub optimize: bool,
    /// The raystream suite that clients offer.
    pub suite: u8,
    /// Whether the Worker loads every endpoint's module when it starts.
    pub eager: bool,
    /// The module that draws pages in the Worker, relative to the project.
    pub ssr: Option<String>,
    /// Whose limits the Worker has to keep.
    pub plan: Plan,
    /// `compilerOptions.paths` of `tsconfig.json`, patterns to project-relative targets.
    pub paths: Vec<PathAlias>,
    /// Whose types are in force, by `types`, `typeRoots`, `rootDirs` and `customConditions` of `tsconfig.json`.
    pub types: TypesInForce,
    /// What classes mean by the tsconfig.
    pub classes: Classes,
}

/// Whose types are in force without an import, and where those of others are found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TypesInForce {
    /// Their names; `None` for all in the folders.
    pub names: Option<Vec<String>>,
    /// The folders that they are in, relative to the project; `None` for `node_modules/@types` here and above.
    pub roots: Option<Vec<String>>,
    /// `customConditions`: what packages' `exports` are read by, besides what always is.
    pub conditions: Vec<String>,
    /// `rootDirs`, relative to the project: folders whose files lie beside each other for relative imports of types.
    pub root_dirs: Vec<String>,
}

/// What a tsconfig says of classes, where it is not what ECMAScript says.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Classes {
    /// `experimentalDecorators`: decorators of classes, members and parameters as TypeScript had them before ECMAScript.
    pub legacy_decorators: bool,
    /// `emitDecoratorMetadata`: these are to be told the types of what they stand before.
    pub metadata: bool,
    /// `useDefineForClassFields: false`, which is also what a `target` before ES2022 means: fields are assigned in the
    /// constructor.
    pub assigned_fields: bool,
}

/// The frontend's own build.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frontend {
    /// The command that builds it.
    pub build: String,
    /// Where that command leaves the files to serve, relative to the project.
    pub dist: String,
    /// Whether `kontract/vite` takes part in it, which puts stubs in the place of modules with endpoints.
    pub plugin: bool,
}

/// Where the Worker will run, as far as its size and start-up are limited there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Plan {
    /// Cloudflare Workers Free.
    Free,
    /// Cloudflare Workers Paid.
    Paid,
    /// A workerd of one's own, which has no limits.
    None,
}

/// One entry of `paths`: `@/*` → `src/*`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathAlias {
    /// Before the `*`, or the whole pattern.
    pub prefix: String,
    /// Behind the `*`; `None` when the pattern has none.
    pub suffix: Option<String>,
    /// Targets relative to the project, `*` standing for what the pattern's stands for. They may lead above the project.
    pub targets: Vec<String>,
}

impl PathAlias {
    /// Takes a pattern as a tsconfig has it.
    pub fn new(pattern: &str, targets: Vec<String>) -> Self {
        match pattern.split_once('*') {
            Some((prefix, suffix)) => {
                Self { prefix: prefix.to_owned(), suffix: Some(suffix.to_owned()), targets }
            }
            None => Self { prefix: pattern.to_owned(), suffix: None, targets },
        }
    }

    /// The paths that a specifier means; `None` when the pattern is not its.
    pub fn paths(&self, specifier: &str) -> Option<Vec<String>> {
        let rest = specifier.strip_prefix(&self.prefix)?;
        let star = match &self.suffix {
            Some(suffix) => rest.strip_suffix(suffix.as_str())?,
            None if rest.is_empty() => "",
            None => return None,
        };
        Some(self.targets.iter().map(|target| lexical_path(&target.replacen('*', star, 1))).collect())
    }
}

/// A project with the texts of its files.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The configuration; absent when `kontract.json` has errors.
    pub project: Option<Project>,
    /// The configuration files and every TypeScript or JavaScript file below the source folder.
    pub sources: Sources,
    /// What was found while reading.
    pub diagnostics: Vec<Diagnostic>,
}

/// Reads the configuration and the sources of the project that `system` shows.
pub fn load(system: &dyn System) -> Loaded {
    load_known(system, &|_| None)
}

/// [`load`], without reading sources whose text `known` has.
pub fn load_known(system: &dyn System, known: &(dyn Fn(&str) -> Option<Text> + Sync)) -> Loaded {
    let mut reader = Reader { system, known, files: Vec::new(), unread: Vec::new() };
    reader.read(CONFIG);
    reader.read_if_present(TSCONFIG);
    let configuration = Sources::new(reader.files.clone());
    // The folder to read is needed before the final ids are known, so that the configuration is parsed twice.
    let source =
        parse_config(&configuration).value.map_or_else(|| "src".to_owned(), |project| project.source);
    reader.read_folder(&source);

    let packages = system.packages();
    let own = reader.files.iter().find(|file| file.path == TSCONFIG);
    let tsconfig = own.map(|file| TsConfig::read(&file.text, &*packages));
    let configurations = tsconfig.iter().flat_map(|tsconfig| tsconfig.files.iter().cloned());
    let files: Vec<SourceFile> = configurations.chain(reader.files).collect();
    let sources = Sources::with_packages(files, packages);
    let mut diagnostics = reader.unread;
    // A configuration that could not be read has been reported by the reader.
    let config =
        if sources.id(CONFIG).is_some() { parse_config(&sources) } else { Outcome::failed(Vec::new()) };
    diagnostics.extend(config.diagnostics);
    let mut project = config.value;
    if let Some(tsconfig) = tsconfig {
        diagnostics.extend(tsconfig.diagnostics(&sources));
        if let Some(project) = &mut project {
            project.paths = tsconfig.aliases;
            project.types = tsconfig.types;
            project.classes = tsconfig.classes;
        }
    }
    if let Some(project) = &mut project {
        project.paths.extend(imports::aliases(system));
    }
    let pages = project.as_ref().and_then(|project| project.ssr.as_deref());
    diagnostics.extend(pages.filter(|path| !is_source(path) || sources.id(path).is_none()).map(no_pages));
    Loaded { project, sources, diagnostics }
}

/// Parses `kontract.json` out of `sources`.
fn parse_config(sources: &Sources) -> Outcome<Project> {
    let Some(file) = sources.id(CONFIG) else {
        return Outcome::failed(vec![no_config("there is no kontract.json")]);
    };
    let text = without_bom(&sources.file(file).text);
    let parsed = match jsonc_parser::parse_to_ast(&text, &Default::default(), &json_options()) {
        Ok(parsed) => parsed,
        Err(error) => {
            let at = location(file, error.range().start, error.range().end);
            let message = format!("kontract.json is not JSON: {}", as_message(&error.kind().to_string()));
            return Outcome::failed(vec![no_config(&message).at(at, "here")]);
        }
    };
    let Some(Value::Object(object)) = parsed.value else {
        return Outcome::failed(vec![no_config("kontract.json is not an object")]);
    };
    let mut config = Config { file, diagnostics: Vec::new() };
    let project = config.project(&object);
    Outcome::with(project, config.diagnostics).stop_on_errors()
}

/// Reads files and turns what cannot be read into diagnostics.
struct Reader<'s> {
    system: &'s dyn System,
    known: &'s (dyn Fn(&str) -> Option<Text> + Sync),
    files: Vec<SourceFile>,
    unread: Vec<Diagnostic>,
}

impl Reader<'_> {
    fn read_if_present(&mut self, path: &str) {
        if self.system.read(path) != Err(SystemError::NotFound) {
            self.read(path);
        }
    }

    fn read(&mut self, path: &str) {
        self.add(source_file(self.system, path));
    }

    fn add(&mut self, read: Result<SourceFile, Diagnostic>) {
        match read {
            Ok(file) => self.files.push(file),
            Err(unread) => self.unread.push(unread),
        }
    }

    fn read_folder(&mut self, folder: &str) {
        match self.system.list(folder, SKIPPED_FOLDERS) {
            Ok(mut paths) => {
                paths.retain(|path| is_source(path));
                let (system, known) = (self.system, self.known);
                let read = |path: &String| match known(path) {
                    Some(text) => Ok(SourceFile { path: path.clone(), text }),
                    None => source_file(system, path),
                };
                let files: Vec<_> = paths.par_iter().map(read).collect();
                files.into_iter().for_each(|file| self.add(file));
            }
            Err(error) => self.unread.push(unreadable(folder, &error)),
        }
    }
}

/// Reads a file of the project.
fn source_file(system: &dyn System, path: &str) -> Result<SourceFile, Diagnostic> {
    match system.read(path) {
        Ok(bytes) => match String::from_utf8(bytes) {
            Ok(text) => Ok(SourceFile { path: path.to_owned(), text: text.into() }),
            Err(error) => {
                let at = error.utf8_error().valid_up_to();
                Err(Diagnostic::error(Code::KT0001, format!("`{path}` is not UTF-8"))
                    .why(format!("the byte at offset {at} starts no character"))
                    .help("save the file as UTF-8"))
            }
        },
        Err(error @ SystemError::TooLarge(_)) => {
            Err(Diagnostic::error(Code::KT0002, format!("`{path}` is too large"))
                .why(error.to_string())
                .help("load data of that size at run time"))
        }
        Err(error @ SystemError::NotFound) if path == CONFIG => {
            Err(no_config("there is no kontract.json").why(error.to_string()))
        }
        Err(error) => Err(unreadable(path, &error)),
    }
}

/// Whether a path is of a file that the compiler parses; the app's own tests are not.
pub fn is_source(path: &str) -> bool {
    SOURCE_EXTENSIONS.iter().any(|extension| {
        path.strip_suffix(extension).is_some_and(|stem| !stem.ends_with(".test") && !stem.ends_with(".spec"))
    })
}

/// Reads the keys of `kontract.json`.
struct Config {
    file: FileId,
    diagnostics: Vec<Diagnostic>,
}

impl Config {
    fn project(&mut self, object: &Object<'_>) -> Project {
        self.refuse_unknown(
            object,
            &[
                "$schema", "name", "source", "frontend", "cookbook", "optimize", "suite", "eager", "plan",
                "ssr",
            ],
        );
        let suite = match object.get("suite") {
            Some(prop) => self.suite(prop),
            None => SUITE_DEFAULT,
        };
        if object.get("name").is_none() {
            let at = location(self.file, object.start(), object.start() + 1);
            self.diagnostics.push(bad_value("name", "is missing", "a non-empty string").at(at, "in here"));
        }
        Project {
            name: self.text(object, "name").unwrap_or_default(),
            source: self.path(object, "source").unwrap_or_else(|| "src".to_owned()),
            frontend: object.get("frontend").and_then(|prop| self.frontend(prop)),
            cookbook: object.get("cookbook").is_none_or(|prop| self.boolean(prop)),
            optimize: object.get("optimize").is_none_or(|prop| self.boolean(prop)),
            suite,
            eager: object.get("eager").is_some_and(|prop| self.boolean(prop)),
            ssr: self.path(object, "ssr"),
            plan: object.get("plan").map_or(Plan::Paid, |prop| self.plan(prop)),
            paths: Vec::new(),
            types: TypesInForce::default(),
            classes: Classes::default(),
        }
    }

    fn frontend(&mut self, prop: &ObjectProp<'_>) -> Option<Frontend> {
        let Value::Object(object) = &prop.value else {
            self.wrong(prop, "an object with `build` and `dist`");
            return None;
        };
        self.refuse_unknown(object, &["build", "dist", "plugin"]);
        let build = self.text(object, "build").unwrap_or_default();
        let dist = self.path(object, "dist").unwrap_or_else(|| "dist/app".to_owned());
        let plugin = object.get("plugin").is_some_and(|prop| self.boolean(prop));
        Some(Frontend { build, dist, plugin })
    }

    fn refuse_unknown(&mut self, object: &Object<'_>, known: &[&str]) {
        for prop in &object.properties {
            let name = prop.name.as_str();
            if !known.contains(&name) {
                let at = location(self.file, prop.name.start(), prop.name.end());
                self.diagnostics.push(
                    Diagnostic::error(Code::KT0602, format!("kontract.json has no key `{name}`"))
                        .at(at, "unknown key")
                        .why("keys that nothing reads are mistakes that would stay unnoticed")
                        .help(format!("the keys are {}", quoted_list(known)))
                        .did_you_mean(name, known.iter().copied()),
                );
            }
        }
    }

    fn text(&mut self, object: &Object<'_>, key: &str) -> Option<String> {
        let prop = object.get(key)?;
        match &prop.value {
            Value::StringLit(text) if !text.value.is_empty() => Some(text.value.to_string()),
            _ => {
                self.wrong(prop, "a non-empty string");
                None
            }
        }
    }

    /// A path below the project's folder.
    fn path(&mut self, object: &Object<'_>, key: &str) -> Option<String> {
        let text = self.text(object, key)?;
        let inside = normalize_path(&text);
        match inside.filter(|path| !path.is_empty() && !text.starts_with('/') && !text.contains(['\\', ':']))
        {
            Some(path) => Some(path),
            None => {
                let prop = object.get(key)?;
                self.wrong(prop, "the path of a folder below the project");
                None
            }
        }
    }

    fn boolean(&mut self, prop: &ObjectProp<'_>) -> bool {
        match &prop.value {
            Value::BooleanLit(literal) => literal.value,
            _ => {
                self.wrong(prop, "true or false");
                true
            }
        }
    }

    fn suite(&mut self, prop: &ObjectProp<'_>) -> u8 {
        match &prop.value {
            Value::NumberLit(number) if number.value == "1" => 1,
            Value::NumberLit(number) if number.value == "2" => 2,
            _ => {
                self.wrong(prop, "1 or 2");
                SUITE_DEFAULT
            }
        }
    }

    fn plan(&mut self, prop: &ObjectProp<'_>) -> Plan {
        match &prop.value {
            Value::StringLit(text) if text.value == "free" => Plan::Free,
            Value::StringLit(text) if text.value == "paid" => Plan::Paid,
            Value::StringLit(text) if text.value == "none" => Plan::None,
            _ => {
                self.wrong(prop, "\"free\", \"paid\" or \"none\"");
                Plan::Paid
            }
        }
    }

    fn wrong(&mut self, prop: &ObjectProp<'_>, wanted: &str) {
        let at = location(self.file, prop.value.start(), prop.value.end());
        let diagnostic = bad_value(prop.name.as_str(), "has a bad value", wanted);
        self.diagnostics.push(diagnostic.at(at, format!("not {wanted}")));
    }
}

fn bad_value(key: &str, fault: &str, wanted: &str) -> Diagnostic {
    Diagnostic::error(Code::KT0603, format!("`{key}` in kontract.json {fault}"))
        .why(format!("`{key}` is {wanted}"))
        .help("correct the value in kontract.json")
}

fn no_pages(path: &str) -> Diagnostic {
    bad_value(
        "ssr",
        &format!("names `{path}`, which is no source"),
        "a TypeScript or JavaScript file below the sources",
    )
}

fn no_config(message: &str) -> Diagnostic {
    Diagnostic::error(Code::KT0601, message).help("write a kontract.json such as { \"name\": \"my-app\" }")
}

fn unreadable(path: &str, error: &SystemError) -> Diagnostic {
    Diagnostic::error(Code::KT0003, format!("`{path}` cannot be read"))
        .why(error.to_string())
        .help("check that it exists inside of the project and that you may read it")
}

fn json_options() -> jsonc_parser::ParseOptions {
    jsonc_parser::ParseOptions {
        allow_comments: true,
        allow_loose_object_property_names: false,
        allow_trailing_commas: true,
        ..Default::default()
    }
}

/// The text with a byte order mark replaced by spaces, so that offsets stay those of the file.
fn without_bom(text: &str) -> String {
    text.strip_prefix('\u{feff}').map_or_else(|| text.to_owned(), |rest| format!("   {rest}"))
}

fn location(file: FileId, start: usize, end: usize) -> Location {
    let clamp = |offset: usize| u32::try_from(offset).unwrap_or(u32::MAX);
    Location { file, start: clamp(start), end: clamp(end) }
}

fn quoted_list(names: &[&str]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    quoted.join(", ")
}

pub(crate) const CONFIG: &str = "kontract.json";
const SUITE_DEFAULT: u8 = 2;
/// Folders below the sources that hold none.
pub const SKIPPED_FOLDERS: &[&str] = &["node_modules", ".kontract", ".git", "dist"];
const SOURCE_EXTENSIONS: &[&str] = &[".ts", ".tsx", ".mts", ".js", ".jsx", ".mjs"];

#[cfg(test)]
mod tests {
    use super::{PathAlias, load};
    use crate::diag::Code;
    use crate::system::{FILE_BYTES_MAX, MemorySystem};

    #[test]
    fn a_file_above_the_limit_is_refused_and_one_at_it_is_read() {
        let codes = |len: u64| {
            let text = vec![b' '; usize::try_from(len).expect("it fits")];
            let system =
                MemorySystem::new([("kontract.json", b"{ \"name\": \"x\" }".to_vec()), ("src/a.ts", text)]);
            load(&system).diagnostics.iter().map(|diagnostic| diagnostic.code).collect::<Vec<_>>()
        };
        assert_eq!(codes(FILE_BYTES_MAX), []);
        assert_eq!(codes(FILE_BYTES_MAX + 1), [Code::KT0002]);
    }

    #[test]
    fn a_tsconfig_takes_over_what_it_extends_and_refers_to() {
        let paths = |files: &[(&str, &str)]| {
            let own = [("kontract.json", "{ \"name\": \"x\" }"), ("src/a.ts", "")];
            let loaded = load(&MemorySystem::new(own.into_iter().chain(files.iter().copied())));
            assert!(loaded.diagnostics.is_empty(), "{:?}", loaded.diagnostics);
            let aliases = loaded.project.expect("it is valid").paths;
            let star = |alias: &PathAlias| alias.suffix.as_ref().map_or("", |_| "*");
            let text = |alias: &PathAlias| {
                format!(
                    "{}{}{} {}",
                    alias.prefix,
                    star(alias),
                    alias.suffix.as_deref().unwrap_or(""),
                    alias.targets[0]
                )
            };
            aliases.iter().map(text).collect::<Vec<_>>()
        };
        let base = r#"{ "compilerOptions": { "paths": { "@/*": ["./*"] } }, }"#;
        let package = ("node_modules/@acme/base/tsconfig.json", base);
        assert_eq!(paths(&[("tsconfig.json", base)]), ["@/* *"]);
        assert_eq!(
            paths(&[("tsconfig.json", r#"{ "extends": "./config/base" }"#), ("config/base.json", base)]),
            ["@/* config/*"]
        );
        assert_eq!(
            paths(&[("tsconfig.json", r#"{ "extends": ["@acme/base"] }"#), package]),
            ["@/* node_modules/@acme/base/*"]
        );
        let over = r#"{ "extends": "@acme/base", "compilerOptions": { "baseUrl": "src", "paths": { "types": ["t.ts"] } } }"#;
        assert_eq!(paths(&[("tsconfig.json", over), package]), ["types src/t.ts", "* src/*"]);
        let list = r#"{ "files": [], "references": [{ "path": "./tsconfig.app.json" }, { "path": "lib" }] }"#;
        let referred = [("tsconfig.json", list), ("tsconfig.app.json", base), ("lib/tsconfig.json", base)];
        assert_eq!(paths(&referred), ["@/* *", "@/* lib/*"]);
        let relative = r#"{ "compilerOptions": { "paths": { "a/*/b": ["${configDir}/src/*.ts"] } } }"#;
        assert_eq!(paths(&[("tsconfig.json", relative)]), ["a/*/b src/*.ts"]);
    }
}
