//! A check that takes over from the last one whatever still holds.
//!
//! ```text
//! sources, cache → files whose content is another one: parsed
//!                  their summaries are as they were, and so is what the last check looked at besides, or of a module's
//!                  text what can matter, its gist: it says what it said
//!                  else: linked, extracted and split as ever, from summaries that are kept or new
//! ```
//!
//! Where something stands counts only in files that something points into, and for declarations, whose maps say it.
//!
//! The answer is that of [`check`](crate::check), always. A file is not read where the file system says that it is as it was;
//! should its text turn out to be another one all the same, everything is done again without the cache.

mod basis;
mod digest;
mod promises;
mod reading;
mod texts;

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use rayon::iter::{IntoParallelRefIterator, IntoParallelRefMutIterator, ParallelIterator};

use crate::artifact::Artifacts;
use crate::cache::{Hash, Kept, KeptFile, KeptOutcome, KeptText, Traced, hash};
use crate::diag::{Diagnostic, Outcome, Severity};
use crate::parse::apart::Apart;
use crate::parse::summary::Encoded;
use crate::parse::{self, ModuleGraph, ModuleSummary, Read, Summarized, in_parallel, meanwhile};
use crate::project::{Loaded, Project, load, load_known};
use crate::source::{FileId, Reader, SourceFile, Sources, Text};
use crate::split;
use crate::system::{FILE_BYTES_MAX, Stamp, System};
use crate::{Checked, CompileInput, Unproven};
pub use basis::Basis;
use digest::digest;
use promises::{Promised, Promises};
use reading::{Expected, Loading, Reading};
use texts::{counting, gists, looked_at};

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

/// Changes what a project's configuration says.
pub type Adapt<'a> = &'a (dyn Fn(&mut Project) + Sync);

/// What is wrong with a project.
pub struct Rechecked {
    /// What the diagnostics point into.
    pub sources: Sources,
    /// Everything that [`check`](crate::check) says.
    pub diagnostics: Vec<Diagnostic>,
    /// The declarations of generated code, when they were asked for and there are no errors.
    pub declarations: Option<Artifacts>,
    /// What the answer was made from, where it is whole and there are no errors.
    pub basis: Option<Basis>,
}

/// What [`compile`] made, and from which texts.
pub struct Compiled {
    /// The project.
    pub loaded: Loaded,
    /// What it was compiled to.
    pub outcome: Outcome<Unproven>,
    /// Of every module; nothing where that is not known.
    pub contents: Contents,
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
    Rechecked { sources: loaded.sources, diagnostics, declarations, basis: None }
}

/// [`recheck`], and if the answer is not the last one and there are no errors, what [`compile`] makes: a check has looked at nearly all that
/// it looks at.
pub fn recheck_and_compile(
    system: &dyn System,
    store: &dyn Store,
    adapt: Adapt<'_>,
    input: &CompileInput<'_>,
) -> (Rechecked, Option<Compiled>) {
    let (key, began_ns) = (store.key(), store.now_ns());
    let bytes = store.read().unwrap_or_default();
    let kept = Kept::decode(&bytes, &key);
    let mut run = Run::new(system, kept.as_ref(), began_ns, Wanted::Diagnostics);
    run.compiling = Some((adapt, input));
    match run.finish(&key) {
        Some(done) => {
            if let Some(bytes) = done.to_keep {
                store.write(&bytes);
            }
            (done.rechecked, done.compiled)
        }
        None => (recheck(system, store, Wanted::Diagnostics), None),
    }
}

/// Compiles a project, from what the last check left and still holds. `adapt` may change what the configuration says.
pub fn compile(
    system: &dyn System,
    store: &dyn Store,
    adapt: &dyn Fn(&mut Project),
    input: &CompileInput<'_>,
) -> Compiled {
    let (key, began_ns) = (store.key(), store.now_ns());
    let bytes = store.read().unwrap_or_default();
    let kept = Kept::decode(&bytes, &key);
    let run = kept.as_ref().map(|kept| Run::new(system, Some(kept), began_ns, Wanted::Diagnostics));
    if let Some(compiled) = run.and_then(|run| run.compiled(adapt, input)) {
        return compiled;
    }
    let mut loaded = load(system);
    loaded.project.iter_mut().for_each(adapt);
    let outcome = crate::compile_unproven(system, &loaded, input);
    Compiled { loaded, outcome, contents: Contents::new() }
}

/// One check with what is kept.
struct Run<'r> {
    system: &'r dyn System,
    traced: Traced<'r>,
    kept: Option<&'r Kept<'r>>,
    by_path: HashMap<&'r str, &'r KeptFile<'r>>,
    began_ns: i64,
    wanted: Wanted,
    /// How to compile what is checked, where that is wanted, too.
    compiling: Option<(Adapt<'r>, &'r CompileInput<'r>)>,
    seen: Mutex<HashMap<String, Seen>>,
    /// Set when a file turns out not to be what its stamp said.
    deceived: Arc<AtomicBool>,
    texts: Arc<dyn Reader>,
}

struct Done {
    rechecked: Rechecked,
    to_keep: Option<Vec<u8>>,
    compiled: Option<Compiled>,
}

/// What a run found out.
struct Answer<'r> {
    outcome: KeptOutcome,
    /// In the form of [`promises`]; nothing where they are not kept.
    promises: Cow<'r, [u8]>,
    /// What the project is compiled to if that is wanted and there are no errors.
    made: Option<Outcome<Unproven>>,
    /// The modules, encoded, if they are to be kept.
    files: Option<Vec<u8>>,
}

/// A file whose text is read on demand.
struct Seen {
    /// Known without reading it, or from before it was read.
    stamp: OnceLock<Stamp>,
    /// Known without reading it, or once it has been read.
    content: Arc<OnceLock<Hash>>,
}

/// A module of this run.
struct Module<'k> {
    file: FileId,
    content: Hash,
    is_read: bool,
    /// What was read from a file's text, until the graph has it.
    read: Option<Read>,
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
            compiling: None,
            seen: Mutex::default(),
            deceived: Arc::default(),
            texts: system.packages(),
        }
    }

    /// `None` when what is kept turned out to be wrong, or a file cannot be read.
    fn compiled(&self, adapt: &dyn Fn(&mut Project), input: &CompileInput<'_>) -> Option<Compiled> {
        let mut loaded = load_known(self.system, &|path| self.on_demand(path));
        loaded.project.iter_mut().for_each(adapt);
        let Some(project) = loaded.project.clone().filter(|_| !has_errors(&loaded.diagnostics)) else {
            let diagnostics = loaded.diagnostics.clone();
            let outcome = Outcome::failed(diagnostics);
            return Some(Compiled { loaded, outcome, contents: Contents::new() });
        };
        let mut modules = self.modules(&loaded.sources, &project)?;
        let summaries = summaries(&mut modules)?;
        let read = Outcome::with(project, loaded.diagnostics.clone());
        let outcome = read.and_then(|project| {
            parse::link(&loaded.sources, &project, summaries)
                .and_then(|graph| crate::unproven(self.system, project, graph, input))
        });
        let contents = modules.iter().map(|module| (module.file, module.content)).collect();
        let compiled = Compiled { loaded, outcome, contents };
        (!self.deceived.load(Ordering::Relaxed)).then_some(compiled)
    }

    /// `None` when what is kept turned out to be wrong.
    fn finish(&self, key: &str) -> Option<Done> {
        let loaded = load_known(&Loading(self), &|path| self.on_demand(path));
        let done = match &loaded.project {
            Some(project) if !has_errors(&loaded.diagnostics) => self.checked(&loaded, project, key)?,
            Some(_) | None => {
                let Loaded { sources, diagnostics, .. } = loaded;
                Done {
                    rechecked: Rechecked { sources, diagnostics, declarations: None, basis: None },
                    to_keep: None,
                    compiled: None,
                }
            }
        };
        (!self.deceived.load(Ordering::Relaxed)).then_some(done)
    }

    fn checked(&self, loaded: &Loaded, project: &Project, key: &str) -> Option<Done> {
        let sources = &loaded.sources;
        let mut modules = self.modules(sources, project)?;
        let contents: Contents = modules.iter().map(|module| (module.file, module.content)).collect();
        let digest = digest(loaded, &modules, &|_| None);
        let taken = self.taken_over(loaded, project, &modules, (&contents, digest));
        let Answer { outcome, promises, made, files } = match taken {
            Some(taken) => {
                // The diagnostics may point into packages.
                for path in &taken.outcome.packages {
                    sources.add(path);
                }
                let files = self.has_read(&modules).then(|| self.encoded(sources, &modules));
                Answer { files: files.flatten(), ..taken }
            }
            None => self.outcome(loaded, project, &mut modules, (&contents, digest))?,
        };
        let compiled = made.zip(self.compiling).map(|(outcome, (adapt, _))| {
            let mut project = project.clone();
            adapt(&mut project);
            let diagnostics = loaded.diagnostics.clone();
            let loaded = Loaded { project: Some(project), sources: sources.clone(), diagnostics };
            Compiled { loaded, outcome, contents: contents.clone() }
        });
        let rechecked = Rechecked {
            sources: sources.clone(),
            diagnostics: outcome.diagnostics.clone(),
            declarations: outcome.declarations.clone(),
            basis: Basis::of(&outcome, sources, &modules),
        };
        let whole = modules.iter().all(|module| module.summary.is_ok());
        let outcome = whole.then_some((&outcome, &*promises));
        let to_keep = files.and_then(|files| Kept::encode(key, self.began_ns, &files, outcome));
        Some(Done { rechecked, to_keep, compiled })
    }

    /// What the last check said, where it holds for these contents.
    fn taken_over(
        &self,
        loaded: &Loaded,
        project: &Project,
        modules: &[Module<'r>],
        (contents, digest): (&Contents, Hash),
    ) -> Option<Answer<'r>> {
        let (outcome, sources) = (self.kept?.outcome.as_ref()?, &loaded.sources);
        let is_same = |file: &FileId, content: &Hash| contents.get(file) == Some(content);
        let edited: Vec<&KeptText> =
            outcome.texts.iter().filter(|text| !is_same(&text.file, &text.content)).collect();
        let suffices = match self.wanted {
            Wanted::Diagnostics => true,
            Wanted::Declarations if has_errors(&outcome.diagnostics) => true,
            Wanted::Declarations => outcome.declarations.is_some() && edited.is_empty(),
        };
        let holds = (outcome.digest == digest || self.stays(loaded, project, modules, outcome))
            && suffices
            && outcome.pointed.iter().all(|(file, content)| is_same(file, content))
            && outcome.trace.holds(self.system);
        if !holds {
            return None;
        }
        let counting = counting(sources, &edited, outcome.searched);
        let promised = match counting.is_empty() {
            true => None,
            false if self.wanted == Wanted::Declarations || self.compiling.is_some() => return None,
            false => Some(self.promised(loaded, project, modules, (outcome, &counting))?),
        };
        let mut taken = outcome.clone();
        taken.digest = digest;
        if !edited.is_empty() {
            taken.declarations = None;
        }
        for text in &mut taken.texts {
            text.content = *contents.get(&text.file)?;
        }
        let Some(Promised { promises, gists }) = promised else {
            let promises = Cow::Borrowed(self.kept?.promises);
            return Some(Answer { outcome: taken, promises, made: None, files: None });
        };
        for text in &mut taken.texts {
            text.gist = gists.get(&text.file).copied().or(text.gist);
        }
        taken.trace.extend(self.traced.trace());
        Some(Answer { outcome: taken, promises: Cow::Owned(promises.encode()), made: None, files: None })
    }

    /// Whether the summaries differ from those of the last check only where its outcome does not depend on them.
    fn stays(
        &self,
        loaded: &Loaded,
        project: &Project,
        modules: &[Module<'r>],
        outcome: &KeptOutcome,
    ) -> bool {
        let Some(apart) = Apart::decode(&outcome.apart) else { return false };
        let old = |module: &Module<'_>| self.by_path.get(loaded.sources.file(module.file).path.as_str());
        let stays = |module: &Module<'_>| {
            let (Some(old), Ok(new)) = (old(module), &module.summary) else { return false };
            if old.links == &*new.links {
                return true;
            }
            let old = ModuleSummary::decode(&Encoded { links: old.links, places: old.places });
            let (Some(old), Some(new)) = (old, ModuleSummary::decode(new)) else { return false };
            let target = |specifier: &str| parse::target(&loaded.sources, project, module.file, specifier);
            apart.stays(module.file, (&old, &new), target)
        };
        let links = |module: &Module<'_>| old(module).map(|kept| kept.links);
        modules.iter().all(stays) && digest(loaded, modules, &links) == outcome.digest
    }

    /// The text of a file, which is read when somebody looks at it: seldom where the last check saw the file as it is, and
    /// otherwise for its summary, after which most texts are not needed any more.
    fn on_demand(&self, path: &str) -> Option<Text> {
        let (stamp, content) = (OnceLock::new(), Arc::new(OnceLock::new()));
        // Others are to be read anyhow, which gives a stamp as well.
        if let (Some(kept), Some(file)) = (self.kept, self.by_path.get(path)) {
            let found = self.system.stamp(path).filter(|stamp| stamp.len <= FILE_BYTES_MAX)?;
            let stamp = *stamp.get_or_init(|| found);
            // What changed while it was looked at, or right before, may have changed once more without a trace.
            let settled = stamp.modified_ns.max(stamp.changed_ns).checked_add(SETTLED_NS)? <= kept.began_ns;
            if settled && file.stamp == Some(stamp) {
                content.get_or_init(|| file.content);
            }
        }
        let (texts, deceived) = (Arc::clone(&self.texts), Arc::clone(&self.deceived));
        let reader = Arc::new(Expected { texts, content: Arc::clone(&content), deceived });
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.insert(path.to_owned(), Seen { stamp, content });
        Some(Text::on_demand(reader, path.to_owned()))
    }

    /// `None` when a file cannot be read.
    fn modules(&self, sources: &Sources, project: &Project) -> Option<Vec<Module<'r>>> {
        let files: Vec<FileId> = parse::modules(sources, project).collect();
        let seen = &*self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let begun: Vec<AtomicBool> = files.iter().map(|_| AtomicBool::new(false)).collect();
        let (begun, files) = (&begun, &files);
        let found = Mutex::new(Vec::with_capacity(files.len()));
        let reading = Reading { run: self, sources, project, seen, files, begun, found };
        in_parallel(|| {
            rayon::scope(|scope| files.par_iter().for_each(|file| reading.read(*file, false, scope)));
        });
        let mut modules = reading.found.into_inner().unwrap_or_else(PoisonError::into_inner);
        modules.sort_unstable_by_key(|module| module.file);
        (modules.len() == files.len()).then_some(modules)
    }

    fn module(
        &self,
        file: FileId,
        sources: &Sources,
        seen: &HashMap<String, Seen>,
        is_wanted: bool,
    ) -> Option<Module<'r>> {
        let source = sources.file(file);
        let kept = self.by_path.get(source.path.as_str()).copied();
        let borrowed = |kept: &KeptFile<'r>| Encoded {
            links: Cow::Borrowed(kept.links),
            places: Cow::Borrowed(kept.places),
        };
        let seen = seen.get(&source.path);
        if let (Some(content), Some(kept)) = (seen.and_then(|seen| seen.content.get()), kept)
            && *content == kept.content
        {
            let summary = Ok(borrowed(kept));
            return Some(Module { file, content: *content, is_read: false, read: None, summary });
        }
        let text = match seen {
            Some(seen) => {
                let (bytes, stamp) = self.system.read_stamped(&source.path).ok()?;
                if let Some(stamp) = stamp {
                    seen.stamp.get_or_init(|| stamp);
                }
                Text::from(String::from_utf8(bytes).ok()?)
            }
            None => source.text.clone(),
        };
        let content = hash(text.as_bytes());
        if seen.is_some_and(|seen| *seen.content.get_or_init(|| content) != content) {
            return None;
        }
        let made = |read, summary| Module { file, content, is_read: true, read, summary };
        if let Some(kept) = kept.filter(|kept| kept.content == content) {
            return Some(made(None, Ok(borrowed(kept))));
        }
        let text = SourceFile { path: source.path.clone(), text };
        Some(match parse::summarize(file, &text, is_wanted) {
            Ok(mut read) => {
                if read.module.is_some() {
                    // Whoever looks at the tree looks at the text as well.
                    source.text.share(&text.text);
                }
                let Encoded { links, places } = read.summary.encode();
                made(Some(read), Ok(Encoded { links: links.into(), places: places.into() }))
            }
            Err(errors) => made(None, Err(errors)),
        })
    }

    /// Everything behind the summaries. `None` when a summary cannot be decoded.
    fn outcome(
        &self,
        loaded: &Loaded,
        project: &Project,
        modules: &mut [Module<'_>],
        (contents, digest): (&Contents, Hash),
    ) -> Option<Answer<'r>> {
        let sources = &loaded.sources;
        let summaries = summaries(modules)?;
        let modules = &*modules;
        let (mut texts, mut searched, mut apart) = (Vec::new(), false, Vec::new());
        let (mut promises, mut files) = (None, None);
        let pages = project.ssr.as_deref().and_then(|path| sources.id(path));
        let project_read = Outcome::with(project.clone(), loaded.diagnostics.clone());
        let outcome = project_read.and_then(|project| {
            parse::link(sources, &project, summaries).and_then(|graph| {
                let known = self.kept.and_then(|kept| kept.outcome.as_ref());
                // Most of a check is done by one thread.
                let others = || (self.encoded(sources, modules), gists(&graph, contents, known));
                let ((encoded, made), checked) = meanwhile(others, || self.check(project, &graph));
                files = encoded;
                searched = checked.value.as_ref().is_none_or(Checked::has_client_statements);
                let known = known.filter(|outcome| outcome.searched == searched);
                texts = looked_at(&graph, checked.value.as_ref(), (searched, contents), (known, &made));
                apart = Apart::of(&graph, pages).encode();
                let silent = checked.value.as_ref().filter(|_| checked.diagnostics.is_empty() && !searched);
                promises = silent.and_then(|checked| Promises::of(&graph, checked));
                parse::drop_elsewhere(graph);
                checked
            })
        });
        // Before the trace is taken: maps look at texts, too.
        let (mut declarations, mut made) = (None, None);
        match (outcome.value, self.compiling) {
            (Some(checked), Some((_, input))) => {
                let known = Outcome::with(checked, outcome.diagnostics.clone());
                made = Some(known.and_then(|Checked(halves)| crate::generated(sources, halves, input)));
            }
            (Some(checked), None) if self.wanted == Wanted::Declarations => {
                declarations = Some(crate::declarations(sources, checked));
            }
            (_, _) => {}
        }
        let kept = KeptOutcome {
            digest,
            pointed: pointed_at(&outcome.diagnostics, contents),
            texts,
            searched,
            apart,
            trace: self.traced.trace(),
            packages: sources.of_packages().map(|file| file.path.clone()).collect(),
            diagnostics: outcome.diagnostics,
            declarations,
        };
        let promises = promises.map_or_else(Vec::new, |promises| promises.encode());
        let files = files.or_else(|| self.encoded(sources, modules));
        Some(Answer { outcome: kept, promises: Cow::Owned(promises), made, files })
    }

    fn check(&self, project: Project, graph: &ModuleGraph) -> Outcome<Checked> {
        let Some((adapt, input)) = self.compiling else {
            return crate::check_graph(&self.traced, project, graph, &split::check);
        };
        let mut project = project;
        adapt(&mut project);
        crate::check_graph(&self.traced, project, graph, &crate::whole(input))
    }

    /// Whether anything about the files is new to the cache.
    fn has_read(&self, modules: &[Module<'_>]) -> bool {
        self.kept.is_none_or(|kept| kept.files.len() != modules.len())
            || modules.iter().any(|module| module.is_read)
    }

    /// The modules as they are kept.
    fn encoded(&self, sources: &Sources, modules: &[Module<'_>]) -> Option<Vec<u8>> {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let files = modules.iter().filter_map(|module| {
            let path = sources.file(module.file).path.as_str();
            let summary = module.summary.as_ref().ok()?;
            let Encoded { links, places } = summary;
            let stamp = seen.get(path).and_then(|seen| seen.stamp.get().copied());
            Some(KeptFile { path, stamp, content: module.content, links, places })
        });
        Kept::encode_files(&files.collect::<Vec<_>>())
    }
}

/// What the modules are to each other. `None` when a summary cannot be decoded.
fn summaries(modules: &mut [Module<'_>]) -> Option<Vec<Summarized>> {
    let summarized = |module: &mut Module<'_>| -> Option<Summarized> {
        let read = match (module.read.take(), &module.summary) {
            (Some(read), _) => Ok(read),
            (None, Ok(encoded)) => Ok(Read::from(ModuleSummary::decode(encoded)?)),
            (None, Err(errors)) => Err(errors.clone()),
        };
        Some((module.file, read))
    };
    in_parallel(|| modules.par_iter_mut().map(summarized).collect())
}

/// A hash of the content of every module.
pub type Contents = HashMap<FileId, Hash>;

/// The modules that diagnostics point into. Files of packages are noted by who read them.
fn pointed_at(diagnostics: &[Diagnostic], contents: &Contents) -> Vec<(FileId, Hash)> {
    let labels = diagnostics.iter().flat_map(|diagnostic| &diagnostic.labels);
    let files: BTreeSet<FileId> = labels.map(|label| label.location.file).collect();
    files.into_iter().filter_map(|file| Some((file, *contents.get(&file)?))).collect()
}

fn has_errors(diagnostics: &[Diagnostic]) -> bool {
    diagnostics.iter().any(|diagnostic| diagnostic.severity == Severity::Error)
}

/// File systems stamp in steps, the coarsest in use being two seconds.
pub const SETTLED_NS: i64 = 2_000_000_000;
