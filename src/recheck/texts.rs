//! The texts that a check looked at beyond summaries, and what of them counts.

use std::collections::{BTreeSet, HashMap};

use rayon::iter::{IntoParallelRefIterator, ParallelIterator};

use super::Contents;
use crate::Checked;
use crate::cache::{Gist, Hash, KeptOutcome, KeptText};
use crate::parse::{self, ModuleGraph, in_parallel};
use crate::source::{FileId, Sources};

/// The gists of modules that have trees, but for those that the last check knows. Made before it is known whether words count, as they
/// seldom do: then these are of no use.
pub(super) fn gists(
    graph: &ModuleGraph,
    contents: &Contents,
    known: Option<&KeptOutcome>,
) -> HashMap<FileId, Gist> {
    if known.is_some_and(|outcome| outcome.searched) {
        return HashMap::new();
    }
    let known = known.into_iter().flat_map(|outcome| &outcome.texts);
    let known: HashMap<FileId, Hash> = known.map(|text| (text.file, text.content)).collect();
    let is_new = |file: &FileId| known.get(file).is_none_or(|content| contents.get(file) != Some(content));
    let files: Vec<FileId> = graph.with_trees().filter(is_new).collect();
    let gist =
        |file: FileId| Some((file, Gist::of(graph.module(file)?, &graph.sources().file(file).text, false)));
    files.into_iter().filter_map(gist).collect()
}

/// The modules whose texts were looked at. A project with errors gives no whole answer that an edit could leave as it is.
/// What `known` has of a text that is the same need not be found again; it was `searched` as this check was. Nor need those that
/// [`gists`] has `made`.
pub(super) fn looked_at(
    graph: &ModuleGraph,
    checked: Option<&Checked>,
    (searched, contents): (bool, &Contents),
    (known, made): (Option<&KeptOutcome>, &HashMap<FileId, Gist>),
) -> Vec<KeptText> {
    let whole = checked.map(|checked| checked.read_whole(graph));
    let known = known.into_iter().flat_map(|outcome| &outcome.texts);
    let known: HashMap<&str, &KeptText> = known.map(|text| (text.path.as_str(), text)).collect();
    let text = |file: &FileId| {
        let source = graph.sources().file(*file);
        let (content, own) = (*contents.get(file)?, graph.encoded_own(*file));
        // A gist is made from these two, and from what kind of file it is.
        let same = known.get(source.path.as_str()).filter(|text| text.content == content && text.own == own);
        let gist = || {
            let known = same.and_then(|text| text.gist);
            let found = known.or_else(|| made.get(file).filter(|_| !searched).copied());
            found.or_else(|| Some(Gist::of(graph.module(*file)?, &source.text, searched)))
        };
        let gist = if whole.as_ref().is_some_and(|whole| !whole.contains(file)) { gist() } else { None };
        Some(KeptText { file: *file, path: source.path.clone(), content, gist, own })
    };
    let files: Vec<FileId> = graph.with_trees().collect();
    in_parallel(|| files.par_iter().filter_map(text).collect())
}

/// Which of these modules, that have other texts, are other ones where it can matter.
pub(super) fn counting(sources: &Sources, edited: &[&KeptText], searched: bool) -> BTreeSet<FileId> {
    let counts = |text: &&&KeptText| {
        let Some(old) = text.gist else { return true };
        let module = parse::again(sources, text.file, &text.own);
        let gist = module.map(|module| Gist::of(&module, &sources.file(text.file).text, searched));
        gist.is_none_or(|new| old.shape != new.shape || (searched && old.words != new.words))
    };
    if edited.is_empty() {
        return BTreeSet::new();
    }
    in_parallel(|| edited.par_iter().filter(counts).map(|text| text.file).collect())
}
