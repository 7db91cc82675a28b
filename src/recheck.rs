//! A check that takes over from the last one whatever still holds.
//!
//! ```text
//! sources, cache → files whose content is another one: parsed
//!                  their summaries and all that the last check looked at are as they were: it says what it said;
//!                  where that is nothing, places do not count
//!                  else: linked, extracted and split as ever, from summaries that are kept or new
//! ```
//!
//! The answer is that of [`check`](crate::check), always. A file is not read where the file system says that it is as it was;
//! should its text turn out to be another one all the same, everything is done again without the cache.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use rayon::iter::{IntoParallelRefIterator, IntoParallelRefMutIterator, ParallelIterator};
use xxhash_rust::xxh3::Xxh3;

use crate::artifact::Artifacts;
use crate::cache::{Hash, Kept, KeptFile, KeptOutcome, Traced, hash};
use crate::diag::{Diagnostic, Outcome, Severity};
use crate::parse::summary::Encoded;
use crate::parse::{self, ModuleSummary, Summarized};
use crate::project::{Loaded, Project, load, load_known};
use crate::source::{FileId, Reader, Sources, Text};
use crate::system::{Stamp, System, SystemError};

/// Where the cache is kept.
pub trait Store {
    /// The bytes that were written last, whole or not.
    fn read(&self) -> Option<Vec<u8>>;

    /// Replaces them; that it may fail costs time and nothing else.
    fn write(&self, bytes: &[u8]);

    /// Changes whenever the compiler does.
    fn key(&self) -> String;

    /// Nanoseconds since 1970, by the clock that stamps files.
    fn now_ns(&self) -> i64;
}

/// What is wrong with a project.
pub struct Rechecked {
    /// What the diagnostics point into.
    pub sources: Sources,
    /// Everything that [`check`](crate::check) says.
    pub diagnostics: Vec<Diagnostic>,
    /// The declarations of generated code, when they were asked for and there are no errors.
    pub declarations: Option<Artifacts>,
}

/// What a check is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// What is wrong.
    Diagnostics,
    /// That, and what TypeScript has to know of the generated code.
    Declarations,
}

/// Finds everything that is wrong with a project.
pub fn recheck(system: &dyn System, store: &dyn Store, wanted: Wanted) -> Rechecked {
    let (key, began_ns) = (store.key(), store.now_ns());
    let bytes = store.read().unwrap_or_default();
    let kept = Kept::decode(&bytes, &key);
    let run = Run::new(system, kept.as_ref(), began_ns, wanted);
    if let Some(done) = run.finish(&key) {
        if let Some(bytes) = done.to_keep {
            store.write(&bytes);
        }
        return done.rechecked;
    }
    let loaded = load(system);
    let Outcome { value, diagnostics } = crate::check(system, &loaded);
    let checked = value.filter(|_| wanted == Wanted::Declarations);
    let declarations = checked.map(|checked| crate::declarations(&loaded.sources, checked));
    Rechecked { sources: loaded.sources, diagnostics, declarations }
}

/// One check with what is kept.
struct Run<'r> {
    system: &'r dyn System,
    traced: Traced<'r>,
    kept: Option<&'r Kept<'r>>,
    by_path: HashMap<&'r str, &'r KeptFile<'r>>,
    began_ns: i64,
    wanted: Wanted,
    stamps: Mutex<Vec<(String, Stamp)>>,
    /// Set when a file turns out not to be what its stamp said.
    deceived: Arc<AtomicBool>,
    texts: Arc<dyn Reader>,
}

struct Done {
    rechecked: Rechecked,
    to_keep: Option<Vec<u8>>,
}

/// A module of this run.
struct Module<'k> {
    file: FileId,
    content: Hash,
    /// Of a file that was parsed, until the graph has it.
    parsed: Option<ModuleSummary>,
    /// Or why there is none.
    summary: Result<Encoded<Cow<'k, [u8]>>, Vec<Diagnostic>>,
}

impl<'r> Run<'r> {
    fn new(system: &'r dyn System, kept: Option<&'r Kept<'r>>, began_ns: i64, wanted: Wanted) -> Self {
        let files = kept.iter().flat_map(|kept| &kept.files);
        Self {
            system,
            traced: Traced::new(system),
            kept,
            by_path: files.map(|file| (file.path, file)).collect(),
            began_ns,
            wanted,
            stamps: Mutex::default(),
            deceived: Arc::default(),
            texts: system.packages(),
        }
    }

    /// `None` when what is kept turned out to be wrong.
    fn finish(&self, key: &str) -> Option<Done> {
        let loaded = load_known(&Loading(self), &|path| self.unchanged(path));
        let done = match &loaded.project {
            Some(project) if !has_errors(&loaded.diagnostics) => self.checked(&loaded, project, key)?,
            Some(_) | None => {
                let Loaded { sources, diagnostics, .. } = loaded;
                Done { rechecked: Rechecked { sources, diagnostics, declarations: None }, to_keep: None }
            }
        };
        (!self.deceived.load(Ordering::Relaxed)).then_some(done)
    }

    fn checked(&self, loaded: &Loaded, project: &Project, key: &str) -> Option<Done> {
        let sources = &loaded.sources;
        let mut modules = self.modules(sources, project);
        let digests = Digests::of(loaded, &modules);
        let contents: HashMap<FileId, Hash> =
            modules.iter().map(|module| (module.file, module.content)).collect();
        let kept = self.kept.and_then(|kept| kept.outcome.as_ref());
        let holds = |outcome: &&KeptOutcome| {
            let same = |(file, content): &(FileId, Hash)| contents.get(file) == Some(content);
            let in_place = outcome.diagnostics.is_empty() || outcome.places == digests.places;
            let enough = self.wanted == Wanted::Diagnostics
                || outcome.declarations.is_some()
                || has_errors(&outcome.diagnostics);
            outcome.digest == digests.links
                && enough
                && in_place
                && outcome.texts.iter().all(same)
                && outcome.trace.holds(self.system)
        };
        let (outcome, is_new) = match kept.filter(holds) {
            Some(outcome) => {
                // The diagnostics may point into packages.
                for path in &outcome.packages {
                    sources.add(path);
                }
                (outcome.clone(), false)
            }
            None => (self.outcome(loaded, project, &mut modules, &digests)?, true),
        };
        let rechecked = Rechecked {
            sources: sources.clone(),
            diagnostics: outcome.diagnostics.clone(),
            declarations: outcome.declarations.clone(),
        };
        let whole = modules.iter().all(|module| module.summary.is_ok());
        let to_keep = (is_new || self.has_read(sources, &modules))
            .then(|| self.encode(sources, &modules, whole.then_some(outcome), key))
            .flatten();
        Some(Done { rechecked, to_keep })
    }

    /// The text of a file that is as the last check saw it.
    fn unchanged(&self, path: &str) -> Option<Text> {
        let stamp = self.system.stamp(path)?;
        self.stamps.lock().unwrap_or_else(PoisonError::into_inner).push((path.to_owned(), stamp));
        let (kept, file) = (self.kept?, self.by_path.get(path)?);
        // What changed while it was looked at, or right before, may have changed once more without a trace.
        let settled = stamp.modified_ns.max(stamp.changed_ns).checked_add(SETTLED_NS)? <= kept.began_ns;
        let reader = Arc::new(Expected {
            texts: Arc::clone(&self.texts),
            content: file.content,
            deceived: Arc::clone(&self.deceived),
        });
        (settled && file.stamp == Some(stamp)).then(|| Text::on_demand(reader, path.to_owned()))
    }

    fn modules(&self, sources: &Sources, project: &Project) -> Vec<Module<'r>> {
        let files: Vec<FileId> = parse::modules(sources, project).collect();
        let known = |file: &FileId| {
            let source = sources.file(*file);
            let kept = self.by_path.get(source.path.as_str());
            let content = match kept.filter(|_| source.text.is_on_demand()) {
                Some(kept) => kept.content,
                None => hash(source.text.as_bytes()),
            };
            let same = kept.filter(|kept| kept.content == content);
            let borrowed = |kept: &&'r KeptFile<'r>| Encoded {
                links: Cow::Borrowed(kept.links),
                places: Cow::Borrowed(kept.places),
            };
            (*file, content, same.map(borrowed))
        };
        let known: Vec<_> = files.par_iter().map(known).collect();
        let changed: Vec<FileId> =
            known.iter().filter(|(_, _, summary)| summary.is_none()).map(|(file, ..)| *file).collect();
        let mut parsed: HashMap<FileId, _> =
            parse::summarize(sources, &changed, encoded).into_iter().collect();
        let module = |(file, content, summary): (FileId, Hash, Option<Encoded<Cow<'r, [u8]>>>)| match (
            summary,
            parsed.remove(&file),
        ) {
            (Some(summary), _) => Module { file, content, parsed: None, summary: Ok(summary) },
            (None, Some(Ok((parsed, summary)))) => {
                Module { file, content, parsed: Some(parsed), summary: Ok(summary) }
            }
            (None, Some(Err(errors))) => Module { file, content, parsed: None, summary: Err(errors) },
            (None, None) => Module { file, content, parsed: None, summary: Err(Vec::new()) },
        };
        known.into_iter().map(module).collect()
    }

    /// Everything behind the summaries. `None` when one cannot be decoded.
    fn outcome(
        &self,
        loaded: &Loaded,
        project: &Project,
        modules: &mut [Module<'_>],
        digests: &Digests,
    ) -> Option<KeptOutcome> {
        let sources = &loaded.sources;
        let summarized = |module: &mut Module<'_>| -> Option<Summarized> {
            let summary = match (module.parsed.take(), &module.summary) {
                (Some(parsed), _) => Ok(parsed),
                (None, Ok(encoded)) => Ok(ModuleSummary::decode(encoded)?),
                (None, Err(errors)) => Err(errors.clone()),
            };
            Some((module.file, summary))
        };
        let summaries: Option<Vec<Summarized>> = modules.par_iter_mut().map(summarized).collect();
        let summaries = summaries?;
        let mut looked_at = Vec::new();
        let project_read = Outcome::with(project.clone(), loaded.diagnostics.clone());
        let outcome = project_read.and_then(|project| {
            parse::link(sources, &project, summaries).and_then(|graph| {
                let checked = crate::check_graph(&self.traced, project, &graph);
                looked_at = graph.with_trees().collect();
                checked
            })
        });
        // Before the trace is taken: their maps look at texts, too.
        let checked = outcome.value.filter(|_| self.wanted == Wanted::Declarations);
        let declarations = checked.map(|checked| crate::declarations(sources, checked));
        let texts = modules.iter().filter(|module| looked_at.binary_search(&module.file).is_ok());
        Some(KeptOutcome {
            digest: digests.links,
            places: digests.places,
            texts: texts.map(|module| (module.file, module.content)).collect(),
            trace: self.traced.trace(),
            packages: sources.of_packages().map(|file| file.path.clone()).collect(),
            diagnostics: outcome.diagnostics,
            declarations,
        })
    }

    /// Whether anything about the files is new to the cache.
    fn has_read(&self, sources: &Sources, modules: &[Module<'_>]) -> bool {
        let read = |module: &Module<'_>| !sources.file(module.file).text.is_on_demand();
        self.kept.is_none_or(|kept| kept.files.len() != modules.len()) || modules.iter().any(read)
    }

    fn encode(
        &self,
        sources: &Sources,
        modules: &[Module<'_>],
        outcome: Option<KeptOutcome>,
        key: &str,
    ) -> Option<Vec<u8>> {
        let stamps = self.stamps.lock().unwrap_or_else(PoisonError::into_inner);
        let stamps: HashMap<&str, Stamp> =
            stamps.iter().map(|(path, stamp)| (path.as_str(), *stamp)).collect();
        let files = modules.iter().filter_map(|module| {
            let path = sources.file(module.file).path.as_str();
            let summary = module.summary.as_ref().ok()?;
            let Encoded { links, places } = summary;
            Some(KeptFile { path, stamp: stamps.get(path).copied(), content: module.content, links, places })
        });
        Kept { began_ns: self.began_ns, files: files.collect(), outcome }.encode(key)
    }
}

/// Reading the project is no answer to note, because files are compared by themselves; what packages say is.
struct Loading<'r>(&'r Run<'r>);

impl System for Loading<'_> {
    fn read(&self, path: &str) -> Result<Vec<u8>, SystemError> {
        self.0.system.read(path)
    }

    fn list(&self, folder: &str, skip: &[&str]) -> Result<Vec<String>, SystemError> {
        self.0.system.list(folder, skip)
    }

    fn packages(&self) -> Arc<dyn Reader> {
        self.0.traced.packages()
    }
}

/// Reads texts that have been compared by their stamps only.
struct Expected {
    texts: Arc<dyn Reader>,
    content: Hash,
    deceived: Arc<AtomicBool>,
}

impl Reader for Expected {
    fn read(&self, path: &str) -> Option<String> {
        let text = self.texts.read(path);
        if text.as_ref().is_none_or(|text| hash(text.as_bytes()) != self.content) {
            self.deceived.store(true, Ordering::Relaxed);
        }
        text
    }

    fn real(&self, path: &str) -> Option<String> {
        self.texts.real(path)
    }
}

/// What an answer depends on, but for the texts and other answers that it was made from.
struct Digests {
    links: Hash,
    places: Hash,
}

impl Digests {
    fn of(loaded: &Loaded, modules: &[Module<'_>]) -> Self {
        let (mut links, mut places) = (Xxh3::new(), Xxh3::new());
        links.update(format!("{:?} {:?}", loaded.project, loaded.diagnostics).as_bytes());
        for (_, source) in loaded.sources.iter() {
            links.update(source.path.as_bytes());
            links.update(&[0]);
        }
        for module in modules {
            match &module.summary {
                Ok(summary) => {
                    links.update(&hash(&summary.links).to_le_bytes());
                    places.update(&hash(&summary.places).to_le_bytes());
                }
                Err(_) => links.update(&module.content.to_le_bytes()),
            }
        }
        Self { links: links.digest128(), places: places.digest128() }
    }
}

fn encoded(mut summary: ModuleSummary) -> (ModuleSummary, Encoded<Cow<'static, [u8]>>) {
    let Encoded { links, places } = summary.encode();
    (summary, Encoded { links: links.into(), places: places.into() })
}

fn has_errors(diagnostics: &[Diagnostic]) -> bool {
    diagnostics.iter().any(|diagnostic| diagnostic.severity == Severity::Error)
}

/// File systems stamp in steps, the coarsest in use being two seconds.
const SETTLED_NS: i64 = 2_000_000_000;
