//! The sources that real packages ship, fetched from npm once: `packages.json` names each by version and hash.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use crate::support::app::repository;
use kontract::source::{FileId, SourceFile, Sources};

/// One file of a package.
pub(crate) struct CorpusFile {
    /// A set of this file alone; what `Sources::id` gives for its path.
    pub(super) sources: Sources,
    pub(super) id: FileId,
}

impl CorpusFile {
    pub(super) fn new(path: &str, text: String) -> Self {
        let sources = Sources::new([SourceFile { path: path.to_owned(), text: text.into() }]);
        let id = sources.id(path).expect("invariant: it is the only file");
        Self { sources, id }
    }

    pub(crate) fn path(&self) -> &str {
        &self.sources.file(self.id).path
    }

    pub(crate) fn text(&self) -> &str {
        &self.sources.file(self.id).text
    }
}

/// Every file of every package, read once for all tests. Files that are not UTF-8 or too large for the compiler do not
/// count.
pub(crate) fn files() -> &'static [CorpusFile] {
    static FILES: OnceLock<Vec<CorpusFile>> = OnceLock::new();
    FILES.get_or_init(|| {
        let mut files = Vec::new();
        for (name, folder) in fetched() {
            let mut paths = Vec::new();
            walk(&folder, &mut paths);
            paths.sort();
            // Declarations beside the sources that they were made from add nothing.
            let has_sources = paths.iter().any(|path| !is_declaration(path));
            paths.retain(|path| !has_sources || !is_declaration(path));
            for path in paths {
                let bytes = fs::read(&path).expect("a readable file");
                let inside = path.strip_prefix(&folder).expect("below the folder").to_string_lossy();
                if let Ok(text) = String::from_utf8(bytes) {
                    files.push(CorpusFile::new(&format!("{name}/{inside}"), text));
                }
            }
        }
        files
    })
}

/// The packages' folders, by name.
fn fetched() -> Vec<(String, PathBuf)> {
    let target = option_env!("CARGO_TARGET_DIR").map_or_else(|| repository().join("target"), PathBuf::from);
    let output = Command::new("node")
        .arg("tests/js/fetch-corpus.mjs")
        .arg("tests/it/corpus/packages.json")
        .arg(target.join("corpus"))
        .current_dir(repository())
        .output()
        .expect("node is installed (https://nodejs.org, 20 or newer)");
    let words = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "the packages cannot be fetched:\n{words}");
    let packages: Vec<serde_json::Value> = serde_json::from_slice(&output.stdout).expect("a JSON array");
    let text = |value: &serde_json::Value| value.as_str().expect("a string").to_owned();
    packages.iter().map(|item| (text(&item["name"]), repository().join(text(&item["folder"])))).collect()
}

fn walk(folder: &Path, paths: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a readable folder") {
        let path = entry.expect("a readable entry").path();
        if path.is_dir() {
            walk(&path, paths);
        } else if path
            .extension()
            .is_some_and(|extension| extension == "ts" || extension == "tsx" || extension == "mts")
        {
            paths.push(path);
        }
    }
}

fn is_declaration(path: &Path) -> bool {
    let name = path.to_string_lossy();
    name.ends_with(".d.ts") || name.ends_with(".d.mts")
}
