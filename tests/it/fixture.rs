//! Fixtures: folders of input files with what is expected of them. `UPDATE_EXPECT=1` rewrites the expectations.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use kontract::CompileInput;
use kontract::contract::{CheckedContract, FieldRename};
use kontract::diag::render::{RenderOptions, to_text};
use kontract::diag::{Diagnostic, Outcome};
use kontract::migrate::Lock;
use kontract::parse::{self, ModuleGraph};
use kontract::project::{self, Loaded};
use kontract::source::Sources;
use kontract::split::{SplitModules, SplitOptions, split};
use kontract::system::{MemorySystem, System as _};

/// The folder of a kind of fixtures.
pub(crate) fn folder(kind: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(kind)
}

/// The cases of a kind of fixtures, by name.
pub(crate) fn cases(kind: &str) -> Vec<(String, PathBuf)> {
    let entries = fs::read_dir(folder(kind)).expect("the fixtures exist");
    let mut cases: Vec<(String, PathBuf)> = entries
        .map(|entry| entry.expect("a readable folder").path())
        .filter(|path| path.is_dir())
        .map(|path| (path.file_name().expect("a name").to_string_lossy().into_owned(), path))
        .collect();
    cases.sort();
    cases
}

/// Every file of a case but its expectations and its near miss. A case without a `kontract.json` gets a plain one.
pub(crate) fn project(case: &Path) -> MemorySystem {
    let mut files = BTreeMap::new();
    read_folder(case, case, &mut files);
    if !case.join("no-config").exists() {
        files.entry("kontract.json".to_owned()).or_insert_with(|| b"{ \"name\": \"fixture\" }".to_vec());
    }
    MemorySystem::new(files)
}

/// Compares with the file of that name in the case, or rewrites it.
pub(crate) fn expect(case: &Path, name: &str, actual: &str) {
    let path = case.join(name);
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        fs::write(&path, actual).expect("a writable fixture");
        return;
    }
    let expected = fs::read_to_string(&path).unwrap_or_default();
    assert!(expected == actual, "{} differs; the result is\n{actual}", path.display());
}

/// Every phase of the front, and everything it says.
pub(crate) fn compile(system: &MemorySystem) -> Compiled {
    compile_with(system, SplitOptions::default())
}

/// The same, with halves written as told.
pub(crate) fn compile_with(system: &MemorySystem, options: SplitOptions) -> Compiled {
    let Loaded { project, sources, mut diagnostics } = project::load(system);
    let Some(project) = project else { return Compiled { sources, diagnostics, value: None } };
    let front = parse::parse(&sources, &project).and_then(|graph| {
        kontract::contract(&graph).and_then(|contract| {
            let halves = split(&graph, &contract, options);
            halves.and_then(|halves| Outcome::of((graph, contract, halves)))
        })
    });
    diagnostics.extend(front.diagnostics);
    Compiled { sources, diagnostics, value: front.value }
}

/// Everything that a whole compilation says. `against.lock.json` is the lock to compare with, and `renames.txt` has a rename
/// in each line.
pub(crate) fn diagnose(system: &MemorySystem) -> Compiled {
    let loaded = project::load(system);
    let text = |path: &str| system.read(path).ok().map(|bytes| String::from_utf8(bytes).expect("text"));
    let against = text("against.lock.json").map(|text| Lock::parse(&text).expect("a lock"));
    let renames = text("renames.txt").unwrap_or_default();
    let renames: Vec<FieldRename> =
        renames.lines().map(|line| FieldRename::parse(line).expect("a rename")).collect();
    let input = CompileInput { against: against.as_ref(), renames: &renames, ..CompileInput::default() };
    let outcome = kontract::compile(system, &loaded, &input);
    Compiled { sources: loaded.sources, diagnostics: outcome.diagnostics, value: None }
}

/// What the phases made of a project.
pub(crate) struct Compiled {
    pub(crate) sources: Sources,
    pub(crate) diagnostics: Vec<Diagnostic>,
    pub(crate) value: Option<(ModuleGraph, CheckedContract, SplitModules)>,
}

impl Compiled {
    /// The diagnostics as a user sees them.
    pub(crate) fn text(&self) -> String {
        to_text(&self.diagnostics, &self.sources, RenderOptions::default())
    }
}

fn read_folder(root: &Path, folder: &Path, files: &mut BTreeMap<String, Vec<u8>>) {
    for entry in fs::read_dir(folder).expect("a readable folder") {
        let path = entry.expect("a readable entry").path();
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        if path.is_dir() {
            if name != "near-miss" {
                read_folder(root, &path, files);
            }
        } else if name != "no-config" && !name.starts_with("expected") {
            let relative =
                path.strip_prefix(root).expect("below the root").to_string_lossy().replace('\\', "/");
            files.insert(relative, fs::read(&path).expect("a readable file"));
        }
    }
}
