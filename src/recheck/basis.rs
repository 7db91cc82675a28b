//! What a project without errors is made from, to say what an edit leaves of it.
//!
//! ```text
//! two bases                     →  the modules whose halves alone are other        edits_since
//! a basis, some modules' texts  →  the basis of a check that would take over       with
//! ```

use std::collections::BTreeSet;

use super::{Contents, Module, has_errors};
use crate::cache::{Gist, Hash, KeptOutcome, hash};
use crate::parse;
use crate::source::{FileId, SourceFile, Sources};

/// What a project without errors is made from. Of two that are equal, the same is compiled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Basis {
    /// Of everything but the texts of modules.
    rest: Hash,
    /// The modules whose texts were looked at, in the order of their paths.
    texts: Vec<BasisText>,
    /// Whether words of functions count.
    searched: bool,
    /// What was asked for besides, of what is not installed.
    asked: BTreeSet<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct BasisText {
    file: FileId,
    path: String,
    content: Hash,
    /// What of it others depend on; `None` where that may be all.
    gist: Option<Hash>,
    /// What its gist is taken with; `None` where a check looks at more than that.
    again: Option<Again>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Again {
    /// Of its summary, without places.
    links: Hash,
    /// What its imported names mean of the package `kontract`, in the parser's form.
    own: Vec<u8>,
}

impl Basis {
    pub(super) fn of(outcome: &KeptOutcome, sources: &Sources, modules: &[Module<'_>]) -> Option<Self> {
        if has_errors(&outcome.diagnostics) {
            return None;
        }
        let module = |file: FileId| modules.binary_search_by_key(&file, |module| module.file).ok();
        // Bundlers read configurations as well.
        let configurations = sources.iter().filter(|(file, _)| module(*file).is_none());
        let configurations: Vec<&str> = configurations.map(|(_, source)| &*source.text).collect();
        let rest = (outcome.digest, &outcome.trace, &outcome.packages, configurations);
        let is_ours = |path: &&str| !path.starts_with("../") && !path.starts_with("node_modules/");
        let asked = outcome.trace.files().filter(is_ours).map(str::to_owned).collect::<BTreeSet<_>>();
        let texts = outcome.texts.iter().map(|text| {
            let path = sources.file(text.file).path.clone();
            let is_pointed_at = outcome.pointed.iter().any(|(file, _)| *file == text.file);
            let is_apart = !is_pointed_at && !asked.contains(&path);
            let summary = module(text.file).and_then(|place| modules[place].summary.as_ref().ok());
            let again = summary.filter(|_| is_apart);
            let again = again.map(|summary| Again { links: hash(&summary.links), own: text.own.clone() });
            let gist = text.gist.as_ref().map(|gist| counted(gist, outcome.searched));
            BasisText { file: text.file, path, content: text.content, gist, again }
        });
        let (rest, texts) = (hash(&postcard::to_allocvec(&rest).ok()?), texts.collect());
        Some(Self { rest, texts, searched: outcome.searched, asked })
    }

    /// Whether these were the texts of a project's modules when it was compiled.
    pub fn is_of(&self, contents: &Contents) -> bool {
        self.texts.iter().all(|text| contents.get(&text.file) == Some(&text.content))
    }

    /// Whether something was asked of a file that is no source.
    pub fn asked_for(&self, path: &str) -> bool {
        self.asked.contains(path)
    }

    /// The modules that have other texts than they had in another basis, if nothing but the server's halves of these depends on
    /// what is other.
    pub fn edits_since(&self, old: &Self) -> Option<Vec<FileId>> {
        if self.rest != old.rest || self.texts.len() != old.texts.len() {
            return None;
        }
        let mut edited = Vec::new();
        for (new, old) in self.texts.iter().zip(&old.texts) {
            if new.file != old.file {
                return None;
            }
            if new.content != old.content {
                new.gist.filter(|gist| old.gist == Some(*gist))?;
                edited.push(new.file);
            }
        }
        Some(edited)
    }

    /// What a check would find in the place of this one if no other modules than these had changed, and those of them that have
    /// other texts: it would take over what the last one said, because nothing but their own halves depends on what is other. `None`
    /// where that is not so.
    pub fn with(&self, changed: &Sources) -> Option<(Self, Vec<FileId>)> {
        let (mut basis, mut edited) = (self.clone(), Vec::new());
        for (file, source) in changed.iter() {
            let text = basis.texts.iter_mut().find(|text| text.path == source.path)?;
            let content = hash(source.text.as_bytes());
            if content == text.content {
                continue;
            }
            let again = text.again.as_ref()?;
            let gist = again.gist(changed, (file, source), self.searched);
            gist.filter(|gist| text.gist == Some(*gist))?;
            text.content = content;
            edited.push(file);
        }
        Some((basis, edited))
    }
}

impl Again {
    /// The gist of a text with the same summary.
    fn gist(&self, sources: &Sources, (file, source): (FileId, &SourceFile), searched: bool) -> Option<Hash> {
        let mut read = parse::on_deep_stack(|| parse::summarize(file, source, false)).ok()?;
        if hash(&read.summary.encode().links) != self.links {
            return None;
        }
        let module = parse::again(sources, file, &self.own)?;
        Some(counted(&Gist::of(&module, &source.text, searched), searched))
    }
}

/// What counts of a gist.
fn counted(gist: &Gist, searched: bool) -> Hash {
    match searched {
        true => hash(&[gist.shape.to_le_bytes(), gist.words.to_le_bytes()].concat()),
        false => gist.shape,
    }
}
