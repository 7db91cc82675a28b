//! What `kontract dev` serves after an edit that only the edited modules depend on: these printed by themselves.

use std::fs;
use std::path::Path;

use kontract::artifact::Artifacts;
use kontract::bundle::node;
use kontract::cli::cache_folder::CacheFolder;
use kontract::cli::os_system::OsSystem;
use kontract::project::load;
use kontract::recheck::{Basis, Wanted, recheck};
use kontract::source::Sources;
use kontract::{CompileInput, Unbundled};

/// Has the functions of each module do something more, once by itself and once with lines that move what follows; how many modules could be
/// printed by themselves. Leaves everything as it was.
pub(super) fn check_edits_of_functions(folder: &Path, what: &str) -> usize {
    let system = OsSystem::new(folder).expect("a project");
    let check = || recheck(&system, &CacheFolder::of(&system), Wanted::Diagnostics);
    let mut printed = 0;
    for path in ["src/api.ts", "src/helper.ts"].map(|path| folder.join(path)) {
        let Ok(text) = fs::read_to_string(&path) else { continue };
        for more in ["{ void 'more'; ", "{\n\n  void 0;\n"] {
            let basis = check().basis.expect("it has no errors");
            let served = Served::of(&system, basis);
            fs::write(&path, with_more(&text, more)).expect("ours");
            let checked = check();
            let basis = checked.basis.expect("it has no errors");
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
    printed
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
