//! What a bundle cannot do in a Worker, as diagnostics about the user's own imports.
//!
//! ```text
//! esbuild's words, its metafile   →   KT0803 `sharp` cannot run in a Worker … at the import in src/api/photos.ts
//! ```

use super::maps::OUTSIDE;
use super::metafile::Metafile;
use super::node;
use super::trial::{Failure, START_UP_MAX};
use crate::diag::{Code, Diagnostic};
use crate::emit::sourcemap::SourceMap;
use crate::source::{Location, Sources, normalize_path};
use std::collections::BTreeMap;
use std::time::Duration;

/// Where the server's modules lie while they are bundled, and how they came to their names.
pub struct Stage<'a> {
    /// The project's sources.
    pub sources: &'a Sources,
    /// Folder of the sources, relative to the project.
    pub source_root: &'a str,
    /// For entries that the compiler made, a staged module that imports each.
    pub importers: &'a BTreeMap<String, String>,
}

/// What the platform is asked for and does not have, or only seems to have. `unbundled` are names that modules import which are
/// in no bundle, with these modules.
pub fn of_the_platform<'a>(
    meta: &'a Metafile,
    entries: &'a [String],
    unbundled: &BTreeMap<&'a str, Vec<&'a str>>,
    stage: &Stage<'_>,
) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    let mut asked = meta.of_the_platform();
    for (name, importers) in unbundled {
        asked.entry(name).or_default().extend(importers);
    }
    for (name, importers) in asked {
        // The last is what esbuild calls its own helpers, for decorators and the like.
        let own = name.starts_with("cloudflare:") || name.starts_with("./") || name == "<runtime>";
        if own || (node::is_there(name) && node::hollow(name).is_none()) {
            continue;
        }
        // A package is named once, however many of its files ask.
        let mut named = Vec::new();
        for importer in importers {
            let who = subject(importer, stage);
            if named.contains(&who) {
                continue;
            }
            let chain =
                entries.iter().map(|entry| meta.chain(entry, importer)).filter(|chain| !chain.is_empty());
            let chain = chain.min_by_key(Vec::len).unwrap_or_else(|| vec![(importer, None)]);
            let diagnostic = match node::hollow(name) {
                Some(what) => hollow(&who, name, what),
                None => absent(&who, name),
            };
            found.push(with_chain(diagnostic, &chain, name, stage));
            named.push(who);
        }
    }
    found
}

fn absent(who: &str, name: &str) -> Diagnostic {
    Diagnostic::error(Code::KT0803, format!("{who} cannot run in a Worker: there is no module `{name}`"))
        .help("use a package that does without it, or one that has an entry for `workerd` or `browser`")
}

fn hollow(who: &str, name: &str, what: &str) -> Diagnostic {
    Diagnostic::warning(Code::KT0804, format!("{who} may not work in a Worker: it imports `{name}`"))
        .why(format!("the module can be imported, but its functions throw: {what}"))
        .help("make sure that no endpoint gets to such a call, or use a package made for Workers")
}

/// esbuild's errors. None of its words is lost: what is not understood is passed on as it is.
pub fn refused(words: &str, stage: &Stage<'_>) -> Vec<Diagnostic> {
    let errors: Vec<Diagnostic> =
        words.split(ERROR).skip(1).map(|block| refusal(block.trim_end(), stage)).collect();
    if errors.is_empty() {
        return vec![unbundled("the server code cannot be bundled for a Worker").why(words.trim())];
    }
    errors
}

fn refusal(block: &str, stage: &Stage<'_>) -> Diagnostic {
    let (message, rest) = block.split_once('\n').unwrap_or((block, ""));
    let importer = rest.lines().find_map(place).unwrap_or_default();
    let notes = notes(rest);
    if let Some(addon) = between(message, "No loader is configured for \".node\" files: ", "") {
        let who = subject(addon, stage);
        return at(
            Diagnostic::error(Code::KT0803, format!("{who} cannot run in a Worker: it has a native addon"))
                .why(format!(
                    "`{addon}` is machine code for Node.js; a Worker runs JavaScript and WebAssembly"
                ))
                .help(
                    "use a package of JavaScript or WebAssembly in its place, or call a service that runs it",
                ),
            importer,
            None,
            stage,
        );
    }
    if let Some(name) = between(message, "Could not resolve \"", "\"") {
        let message = match subject_of_package(importer) {
            Some(package) => format!("the package `{package}` imports `{name}`, which is not there"),
            None => format!("`{name}` is not there"),
        };
        let help = if name.starts_with('.') {
            "check the path; what the server imports must lie in the project or in a package".to_owned()
        } else {
            format!("run `npm install {}` in the project, or correct the name", package_of(name))
        };
        let mut diagnostic = unbundled(&message).help(help);
        if !notes.is_empty() {
            diagnostic = diagnostic.why(notes);
        }
        return at(diagnostic, importer, Some(name), stage);
    }
    let words = if notes.is_empty() { importer.to_owned() } else { format!("{importer}: {notes}") };
    at(unbundled(&format!("the server code cannot be bundled: {message}")).why(words), importer, None, stage)
}

/// A start that takes too long.
pub fn slow(start_up: Duration) -> Diagnostic {
    let (took, max) = (start_up.as_millis(), START_UP_MAX.as_millis());
    Diagnostic::error(Code::KT0802, format!("the Worker takes {took} ms to start"))
        .why(format!("Cloudflare allows {max} ms for what a script does when it is loaded"))
        .help("do such work in the first call, or say in kontract.json with `plan` that you run workerd yourself")
}

/// The script threw while workerd loaded it.
pub fn not_started(words: &str, modules: &BTreeMap<String, Vec<u8>>, stage: &Stage<'_>) -> Diagnostic {
    let message = words.lines().next().unwrap_or("workerd said nothing");
    let message = message.split_once("Uncaught ").map_or(message, |(_, error)| error);
    thrown(Diagnostic::error(Code::KT0803, "the Worker does not start"), message, words, modules, stage)
}

/// A module threw while it was loaded on request. Only what no Worker can do is an error: a missing secret or a database
/// that is away may be why as well.
pub fn not_loaded(failure: &Failure, modules: &BTreeMap<String, Vec<u8>>, stage: &Stage<'_>) -> Diagnostic {
    let place = first_place(&failure.stack, modules);
    let who = place.as_ref().map_or_else(|| format!("`{}`", failure.module), |(path, _)| whose(path));
    let diagnostic = if IMPOSSIBLE.iter().any(|words| failure.message.contains(words)) {
        Diagnostic::error(Code::KT0803, format!("{who} cannot run in a Worker"))
    } else {
        Diagnostic::warning(Code::KT0804, format!("{who} throws when it is loaded"))
    };
    thrown(diagnostic, &failure.message, &failure.stack, modules, stage)
}

fn thrown(
    diagnostic: Diagnostic,
    message: &str,
    stack: &str,
    modules: &BTreeMap<String, Vec<u8>>,
    stage: &Stage<'_>,
) -> Diagnostic {
    let diagnostic = match first_place(stack, modules) {
        Some((path, line)) => {
            let located = match stage.sources.id(&path) {
                Some(file) => {
                    let at = line_of(&stage.sources.file(file).text, line);
                    diagnostic.at(Location { file, start: at.0, end: at.1 }, "thrown here")
                }
                None => diagnostic,
            };
            located.why(format!("loading it throws `{message}`, at {path}:{}", line + 1))
        }
        None => diagnostic.why(format!("loading it throws `{message}`")),
    };
    diagnostic.help("do such work inside of an endpoint, or use a package made for Workers")
}

/// The first frame of a stack that a map knows: the source's path relative to the project, and its line from 0.
fn first_place(stack: &str, modules: &BTreeMap<String, Vec<u8>>) -> Option<(String, u32)> {
    stack.lines().filter_map(|frame| frame.trim().strip_prefix("at ")).find_map(|frame| {
        let place = frame.rsplit_once('(').map_or(frame, |(_, place)| place.trim_end_matches(')'));
        let (rest, column) = place.rsplit_once(':')?;
        let (name, line) = rest.rsplit_once(':')?;
        let name = name.strip_prefix("file:///").unwrap_or(name);
        let map = SourceMap::parse(std::str::from_utf8(modules.get(&format!("{name}.map"))?).ok()?)?;
        let (line, column) =
            (line.parse::<u32>().ok()?.checked_sub(1)?, column.parse::<u32>().ok()?.checked_sub(1)?);
        let original = map.original(line, column)?;
        let folder = name.rsplit_once('/').map_or("", |(folder, _)| folder);
        let source = original.source.strip_prefix(OUTSIDE).map(str::to_owned);
        let path = source.or_else(|| normalize_path(&format!("dist/server/{folder}/{}", original.source)))?;
        Some((path, original.line))
    })
}

fn whose(path: &str) -> String {
    subject_of_package(path).map_or_else(|| format!("`{path}`"), |package| format!("the package `{package}`"))
}

/// Start and end of a line, as bytes.
fn line_of(text: &str, line: u32) -> (u32, u32) {
    let mut start = 0;
    for (index, content) in (0..).zip(text.split_inclusive('\n')) {
        let end = start + content.len();
        if index == line {
            let shown = content.trim_end().len();
            return (u32::try_from(start).unwrap_or(0), u32::try_from(start + shown).unwrap_or(0));
        }
        start = end;
    }
    (0, 0)
}

fn unbundled(message: &str) -> Diagnostic {
    Diagnostic::error(Code::KT0805, message).help("the words are esbuild's, which bundles the server")
}

/// The file in esbuild's `    path:line:column:`.
fn place(line: &str) -> Option<&str> {
    let rest = line.strip_prefix("    ")?.strip_suffix(':')?;
    let (rest, column) = rest.rsplit_once(':')?;
    let (path, line) = rest.rsplit_once(':')?;
    (column.parse::<u32>().is_ok() && line.parse::<u32>().is_ok()).then_some(path)
}

/// What esbuild adds to an error, without frames, places and hints about its own options.
fn notes(rest: &str) -> String {
    let lines = rest.lines().filter_map(|line| line.strip_prefix("  ")).filter(|line| {
        !line.starts_with(' ') && !line.contains("mark the path") && !line.contains("--external")
    });
    let text = lines.collect::<Vec<_>>().join(" ");
    text.trim().trim_end_matches(['.', ':']).to_owned()
}

fn between<'t>(text: &'t str, before: &str, behind: &str) -> Option<&'t str> {
    let rest = text.strip_prefix(before)?;
    if behind.is_empty() { Some(rest) } else { rest.split_once(behind).map(|(inner, _)| inner) }
}

/// A diagnostic at the import in the user's sources that leads to the trouble, with the way from there.
fn with_chain(
    diagnostic: Diagnostic,
    chain: &[(&str, Option<&str>)],
    name: &str,
    stage: &Stage<'_>,
) -> Diagnostic {
    // The last of the user's own modules is where something can be changed.
    let own = chain.iter().rposition(|(module, _)| stage.source_path(module).is_some());
    let Some((own, (module, specifier))) = own.and_then(|index| Some((index, chain.get(index)?))) else {
        return diagnostic;
    };
    let through: Vec<String> = chain
        .iter()
        .skip(own + 1)
        .filter_map(|(module, _)| subject_of_package(module))
        .fold(Vec::new(), |mut packages, package| {
            if packages.last() != Some(&package) {
                packages.push(package);
            }
            packages
        });
    let located = at(diagnostic, module, Some(specifier.unwrap_or(name)), stage);
    if through.len() < 2 {
        return located;
    }
    let way = format!("it is reached through {}", through.join(" → "));
    match located.why.clone() {
        Some(why) => located.why(format!("{why}; {way}")),
        None => located.why(way),
    }
}

/// Labels the place where a module names another, as far as it is one of the user's.
fn at(diagnostic: Diagnostic, module: &str, specifier: Option<&str>, stage: &Stage<'_>) -> Diagnostic {
    let Some(file) = stage.source_path(module).and_then(|path| stage.sources.id(&path)) else {
        return diagnostic;
    };
    let text: &str = &stage.sources.file(file).text;
    let found = specifier.and_then(|name| {
        ["'", "\"", "`"].iter().find_map(|quote| {
            let quoted = format!("{quote}{name}{quote}");
            text.find(&quoted).map(|start| (start, start + quoted.len()))
        })
    });
    let (start, end) = found.unwrap_or((0, 0));
    match (u32::try_from(start), u32::try_from(end)) {
        (Ok(start), Ok(end)) => diagnostic.at(Location { file, start, end }, "imported here"),
        (Err(_), _) | (_, Err(_)) => diagnostic,
    }
}

impl Stage<'_> {
    /// The source that a staged module was made from: `.kontract/server/src/api/a.js` → `src/api/a.ts`.
    fn source_path(&self, module: &str) -> Option<String> {
        let module = self.importers.get(module).map_or(module, String::as_str);
        let stem = module.strip_prefix(STAGED_SOURCES)?.strip_suffix(".js")?;
        let stem = if self.source_root.is_empty() {
            stem.to_owned()
        } else {
            format!("{}/{stem}", self.source_root)
        };
        EXTENSIONS
            .iter()
            .map(|extension| format!("{stem}.{extension}"))
            .find(|path| self.sources.id(path).is_some())
    }
}

/// Who a module belongs to, for the beginning of a sentence.
fn subject(module: &str, stage: &Stage<'_>) -> String {
    match (subject_of_package(module), stage.source_path(module)) {
        (Some(package), _) => format!("the package `{package}`"),
        (None, Some(path)) => format!("`{path}`"),
        (None, None) => format!("`{module}`"),
    }
}

/// The package that a file belongs to.
fn subject_of_package(path: &str) -> Option<String> {
    let (_, below) = path.rsplit_once("node_modules/")?;
    Some(package_of(below).to_owned())
}

/// `@scope/name/file` → `@scope/name`.
fn package_of(name: &str) -> &str {
    let parts = if name.starts_with('@') { 2 } else { 1 };
    name.match_indices('/').nth(parts - 1).map_or(name, |(at, _)| name.get(..at).unwrap_or(name))
}

/// What V8 and workerd say of things that no Worker can do.
const IMPOSSIBLE: &[&str] = &[
    "Code generation from strings disallowed",
    "method is not implemented",
    "No such module",
    "is not defined",
    "WebAssembly.Module(): Wasm code generation disallowed",
];
/// How esbuild begins an error.
const ERROR: &str = "✘ [ERROR] ";
/// Where the split modules are staged.
const STAGED_SOURCES: &str = ".kontract/server/src/";
/// What a staged module may have been.
const EXTENSIONS: &[&str] = &["ts", "tsx", "mts", "cts", "js", "jsx", "mjs", "cjs"];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::SourceFile;

    fn sources() -> Sources {
        let text = "import sharp from 'sharp';\nexport const a = sharp;\n";
        Sources::new([SourceFile { path: "src/api/a.ts".to_owned(), text: text.to_owned().into() }])
    }

    #[test]
    fn a_name_that_is_not_there_is_told_at_its_import() {
        let sources = sources();
        let importers = BTreeMap::new();
        let stage = Stage { sources: &sources, source_root: "src", importers: &importers };
        let words = "✘ [ERROR] Could not resolve \"sharp\"\n\n    .kontract/server/src/api/a.js:1:18:\n      1 │ import \
                     sharp from \"sharp\";\n        ╵                   ~~~~~~~\n\n  You can mark the path \"sharp\" as \
                     external to exclude it.\n\n1 error\n";
        let [error] = refused(words, &stage).try_into().expect("one error");
        assert_eq!(error.code, Code::KT0805);
        assert_eq!(error.message, "`sharp` is not there");
        assert_eq!(sources.slice(error.labels[0].location), "'sharp'");
        assert!(error.help.expect("a fix").contains("npm install sharp"));
    }

    #[test]
    fn addons_are_told_by_their_package() {
        let sources = sources();
        let importers = BTreeMap::new();
        let stage = Stage { sources: &sources, source_root: "src", importers: &importers };
        let words = "✘ [ERROR] No loader is configured for \".node\" files: node_modules/@a/b/build/b.node\n\n    \
                     node_modules/@a/b/index.js:1:17:\n";
        let [error] = refused(words, &stage).try_into().expect("one error");
        assert_eq!(error.code, Code::KT0803);
        assert!(error.message.starts_with("the package `@a/b` cannot run"), "{}", error.message);
    }

    #[test]
    fn words_that_are_not_understood_are_passed_on() {
        let sources = sources();
        let importers = BTreeMap::new();
        let stage = Stage { sources: &sources, source_root: "src", importers: &importers };
        let [error] = refused("panic: something", &stage).try_into().expect("one error");
        assert_eq!(error.why.as_deref(), Some("panic: something"));
    }
}
