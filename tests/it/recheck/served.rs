//! What `kontract dev` serves after an edit that only the edited modules depend on: these printed by themselves.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use kontract::artifact::Artifacts;
use kontract::bundle::node;
use kontract::cli::cache_folder::CacheFolder;
use kontract::cli::os_system::OsSystem;
use kontract::diag::Outcome;
use kontract::diag::render::{RenderOptions, to_text};
use kontract::project::load;
use kontract::recheck::{Basis, Compiled, Contents, Wanted, recheck};
use kontract::source::{SourceFile, Sources};
use kontract::{CompileInput, Unbundled, Unproven};

/// Has the functions of each module do something more, once by itself and once with lines that move what follows; how many modules could be
/// printed by themselves, and of how many edits nothing else had to be looked at. Leaves everything as it was.
pub(super) fn check_edits_of_functions(folder: &Path, what: &str) -> (usize, usize) {
    let system = OsSystem::new(folder).expect("a project");
    let check = || recheck(&system, &CacheFolder::of(&system), Wanted::Diagnostics);
    let (mut printed, mut told) = (0, 0);
    for name in ["src/api.ts", "src/helper.ts"] {
        let path = folder.join(name);
        let Ok(text) = fs::read_to_string(&path) else { continue };
        for more in ["{ void 'more'; ", "{\n\n  void 0;\n"] {
            let basis = check().basis.expect("it has no errors");
            let served = Served::of(&system, basis);
            fs::write(&path, with_more(&text, more)).expect("ours");
            let checked = check();
            let basis = checked.basis.expect("it has no errors");
            let edited = SourceFile { path: name.to_owned(), text: with_more(&text, more).into() };
            if let Some((said, _)) = served.basis.with(&Sources::new([edited])) {
                assert!(said == basis, "{what}");
                told += 1;
            }
            if let Some((count, files)) = served.patched(&basis, &checked.sources) {
                let cold = Served::of(&system, basis).files;
                assert!(files.keys().eq(cold.keys()), "{what}");
                for (path, bytes) in &files {
                    assert!(cold.get(path) == Some(bytes) || follows_later(path), "{what}: {path}");
                }
                printed += count;
            }
            fs::write(&path, &text).expect("ours");
        }
    }
    let _as_it_was = check();
    (printed, told)
}

/// Checks that this is what a compilation from the start makes and says; the texts that it was made from.
pub(super) fn check_compiled(
    made: Compiled,
    cold: &Outcome<Artifacts>,
    sources: &Sources,
    what: &str,
) -> Contents {
    let proven = made.outcome.and_then(Unproven::prove);
    assert_eq!(
        to_text(&proven.diagnostics, &made.loaded.sources, RenderOptions::default()),
        to_text(&cold.diagnostics, sources, RenderOptions::default()),
        "{what}"
    );
    assert!(proven.value == cold.value, "{what}");
    made.contents
}

/// The texts of all files but one, by their paths.
pub(super) fn texts(sources: &Sources, but: &str) -> BTreeMap<String, String> {
    let files = sources.iter().filter(|(_, source)| source.path != but);
    files.map(|(_, source)| (source.path.clone(), source.text.to_string())).collect()
}

/// What a check of the new texts is expected to be made from, by a look at those alone that are other; `None` where that does not suffice.
pub(super) fn told(
    basis: &Basis,
    old: &BTreeMap<String, String>,
    new: &BTreeMap<String, String>,
) -> Option<Basis> {
    if !old.keys().eq(new.keys()) {
        return None;
    }
    let changed: Vec<SourceFile> = new
        .iter()
        .filter(|(path, text)| old.get(*path) != Some(text))
        .map(|(path, text)| SourceFile { path: path.clone(), text: text.clone().into() })
        .collect();
    let (basis, edited) = basis.with(&Sources::new(changed.clone()))?;
    assert_eq!(edited.len(), changed.len());
    Some(basis).filter(|_| !changed.is_empty())
}

/// Puts statements at the start of every function that returns a promise of a string.
fn with_more(text: &str, more: &str) -> String {
    let text = text.replace("Promise<string> => {", &format!("Promise<string> => {more}"));
    text.replace("Promise<string> {", &format!("Promise<string> {more}"))
}

/// What a development server has built.
struct Served {
    basis: Basis,
    files: Artifacts,
    unbundled: Unbundled,
}

impl Served {
    fn of(system: &OsSystem, basis: Basis) -> Self {
        let input = CompileInput { unbundled: Some(node::THERE), ..CompileInput::default() };
        let mut loaded = load(system);
        loaded.project.iter_mut().for_each(|project| project.optimize = false);
        let made = kontract::compile_unproven(system, &loaded, &input);
        let mut made = made.value.expect("it has no errors");
        let unbundled = made.take_unbundled();
        Self { basis, files: made.prove().value.expect("nothing leaks"), unbundled }
    }

    /// How many modules were printed again for a new basis, and all files then.
    fn patched(mut self, basis: &Basis, sources: &Sources) -> Option<(usize, Artifacts)> {
        let edited = basis.edits_since(&self.basis)?;
        for file in &edited {
            let recipe = self.unbundled.recipes.get(&sources.file(*file).path)?;
            let half = recipe.print(sources, *file)?;
            let staged = kontract::staged(recipe.path(), half.text, half.map);
            assert_eq!(self.unbundled.links.get(&staged[0].0), Some(&half.links));
            self.files.extend(staged);
        }
        Some((edited.len(), self.files))
    }
}

/// What says where something stands, and what was searched.
fn follows_later(path: &str) -> bool {
    path.ends_with(".d.ts.map") || path == "dist/client/leak-report.json"
}
