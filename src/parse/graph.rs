//! All modules of a project and the imports between them.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use elsa::sync::FrozenMap;
use rayon::iter::{IntoParallelRefIterator, IntoParallelRefMutIterator, ParallelIterator};

use super::global_types;
use super::involved::involved;
use super::limits::{HOPS_MAX, NAMESPACES_MAX, STACK_BYTES, STACK_SPARE_BYTES};
use super::literal::Changed;
use super::module::{Imported, OWN_EXPORTS, OWN_PACKAGE, OWN_SUBPATHS, OwnName, ParsedModule};
use super::packages;
use super::resolve::{Resolution, alias_paths, resolve};
use super::session::{self, Read};
use super::summary::{Exported, ModuleSummary, SpecifierKind, SpecifierUse};
use super::unread::Unread;
use crate::diag::{Diagnostic, Outcome};
use crate::project::{Classes, PathAlias, Project, TypesInForce};
use crate::source::{FileId, Sources, normalize_path};

/// Every module, by file. Its summary is always there, its tree is made when it is asked for.
pub struct ModuleGraph {
    modules: BTreeMap<FileId, Entry>,
    /// Files of packages that types led to; `None` for those that cannot be parsed.
    packages: FrozenMap<FileId, Box<Option<Entry>>>,
    /// The file that a specifier means in the files of a folder, by `folder:specifier`.
    found: FrozenMap<String, Box<Option<FileId>>>,
    /// See [`Self::modules`].
    involved: Vec<FileId>,
    /// Those by where their JavaScript goes.
    outputs: HashMap<String, FileId>,
    /// The modules that name the package `kontract`, and those that pass something of these on.
    passing: BTreeSet<FileId>,
    sources: Sources,
    aliases: Vec<PathAlias>,
    source_folder: String,
    types: TypesInForce,
    classes: Classes,
    global_types: OnceLock<Vec<FileId>>,
    changed: OnceLock<Changed>,
    /// The modules that could not be read.
    unread: Option<Unread>,
}

struct Entry {
    summary: ModuleSummary,
    /// Imported names that lead to the package `kontract`.
    own: BTreeMap<String, OwnName>,
    /// Most have none, and it is large.
    tree: OnceLock<Result<Box<ParsedModule>, Vec<Diagnostic>>>,
    /// Whether anybody has asked for its summary since the graph was made.
    asked: AtomicBool,
}

impl Entry {
    fn of(read: Read) -> Self {
        let tree = read.module.map_or_else(OnceLock::new, |module| OnceLock::from(Ok(module)));
        Self { summary: read.summary, own: BTreeMap::new(), tree, asked: AtomicBool::new(false) }
    }
}

/// What a top-level name of a module stands for, after imports and re-exports are followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Binding {
    /// A declaration: the module, and the name it has there.
    Declared { file: FileId, name: String },
    /// An export without a name of its own: the module, and the item's place in it.
    Item { file: FileId, index: usize },
    /// All exports of a module.
    Namespace { file: FileId },
    /// An export of a package, and the file that names the package.
    External { from: FileId, package: String, name: Imported },
    /// Nothing.
    Missing,
}

impl ModuleGraph {
    pub(super) fn new(
        sources: &Sources,
        project: &Project,
        modules: impl IntoIterator<Item = (FileId, Read)>,
        unread: BTreeSet<FileId>,
    ) -> Self {
        let modules = modules.into_iter().map(|(file, read)| (file, Entry::of(read)));
        let mut graph = Self {
            modules: modules.collect(),
            packages: FrozenMap::new(),
            found: FrozenMap::new(),
            involved: Vec::new(),
            outputs: HashMap::new(),
            passing: BTreeSet::new(),
            sources: sources.clone(),
            aliases: project.paths.clone(),
            source_folder: project.source.clone(),
            types: project.types.clone(),
            classes: project.classes,
            global_types: OnceLock::new(),
            changed: OnceLock::new(),
            unread: None,
        };
        graph.link();
        graph.unread = Unread::of(&graph, unread);
        graph.involved = involved(&graph);
        // Of two files with one output the first counts.
        let outputs = graph.involved.iter().rev().map(|file| (graph.output_of(*file), *file));
        graph.outputs = outputs.collect();
        graph.modules.values_mut().for_each(|entry| entry.asked = AtomicBool::new(false));
        graph
    }

    /// Finds the files behind all specifiers.
    fn link(&mut self) {
        let (sources, aliases) = (&self.sources, &self.aliases);
        self.modules.par_iter_mut().for_each(|(file, entry)| {
            let path = &sources.file(*file).path;
            let specifiers = entry.summary.specifiers.iter_mut();
            for specifier in specifiers.filter(|specifier| specifier.kind != SpecifierKind::Glob) {
                if let Resolution::File(file) = resolve(sources, aliases, path, &specifier.text) {
                    specifier.target = Some(file);
                }
            }
        });
        self.passing = self.found_passing();
        let files: Vec<FileId> = self.modules.keys().copied().collect();
        let own: Vec<_> = files.par_iter().map(|file| (*file, self.own_names(*file))).collect();
        for (file, own) in own {
            let Some(entry) = self.modules.get_mut(&file) else { continue };
            entry.own = own;
            if let Some(Ok(module)) = entry.tree.get_mut() {
                module.linked(&entry.summary, &entry.own);
            }
        }
    }

    fn found_passing(&self) -> BTreeSet<FileId> {
        let mut passed_on_by: HashMap<FileId, Vec<FileId>> = HashMap::new();
        let mut queue = Vec::new();
        for (file, summary) in self.summaries() {
            if summary.names_own_package() {
                queue.push(file);
            }
            summary.passed_on().for_each(|from| passed_on_by.entry(from).or_default().push(file));
        }
        let mut found = BTreeSet::new();
        while let Some(file) = queue.pop() {
            if found.insert(file) {
                queue.extend(passed_on_by.get(&file).into_iter().flatten());
            }
        }
        found
    }

    /// The imported names of a module that lead to the package `kontract`.
    fn own_names(&self, file: FileId) -> BTreeMap<String, OwnName> {
        let Some(summary) = self.summary(file) else { return BTreeMap::new() };
        let may_lead = |from: &SpecifierUse| {
            from.text == OWN_PACKAGE || from.target.is_some_and(|file| self.passing.contains(&file))
        };
        let imports = summary.imports.iter().filter(|import| !import.type_only);
        let imports = imports.filter(|import| may_lead(&summary.specifiers[import.from]));
        let names = imports.filter_map(|import| {
            Some((import.local.clone(), self.own(self.lookup(file, &import.local), NAMESPACES_MAX)?))
        });
        names.collect()
    }

    fn own(&self, binding: Binding, depth: usize) -> Option<OwnName> {
        match binding {
            Binding::External { package, name, .. } if package == OWN_PACKAGE => Some(match name {
                Imported::Name(name) if name != "default" => OwnName::Export(name),
                Imported::Name(_) | Imported::Namespace => OwnName::Package,
            }),
            Binding::Namespace { file } => {
                let depth = depth.checked_sub(1)?;
                let exports = self.exported_names(file).into_iter();
                let exports = exports
                    .filter_map(|name| Some((name.clone(), self.own(self.exported(file, &name), depth)?)));
                let exports: BTreeMap<String, OwnName> = exports.collect();
                (!exports.is_empty()).then_some(OwnName::Module(exports))
            }
            Binding::External { .. } | Binding::Declared { .. } | Binding::Item { .. } | Binding::Missing => {
                None
            }
        }
    }

    /// Every name that a module exports, and those of the package `kontract` behind `export *`.
    pub(crate) fn exported_names(&self, file: FileId) -> BTreeSet<String> {
        let mut names = BTreeSet::new();
        let mut seen = BTreeSet::new();
        let mut files = vec![file];
        while let Some(file) = files.pop() {
            let Some(module) = self.summary(file).filter(|_| seen.insert(file)) else { continue };
            names.extend(module.exports.keys().cloned());
            files.extend(module.stars.iter().filter_map(|from| self.target(file, &module.specifiers[*from])));
            if passes_package_on(module) {
                names.extend(OWN_EXPORTS.iter().map(|name| (*name).to_owned()));
            }
        }
        names
    }

    /// Where a module's JavaScript goes, relative to the output folder: `src/api/entries.ts` → `api/entries.js`.
    pub(crate) fn output_path(&self, module: &ParsedModule) -> String {
        self.output_of(module.file)
    }

    /// [`Self::output_path`] of a module whose tree is not needed.
    pub(crate) fn output_of(&self, file: FileId) -> String {
        let path = &self.sources.file(file).path;
        let below = path.strip_prefix(&self.source_folder).unwrap_or(path).trim_start_matches('/');
        let stem = below.rsplit_once('.').map_or(below, |(stem, _)| stem);
        format!("{stem}.js")
    }

    /// The output path of the module that [`Self::client_source`] looks for.
    pub(crate) fn client_output(specifier: &str) -> Option<String> {
        let path = specifier.strip_prefix(CLIENT_ALIAS)?;
        Some(path.strip_suffix(".js").unwrap_or(path).to_owned() + ".js")
    }

    /// The module whose client half a specifier such as `@/client/api/entries` names.
    pub(crate) fn client_source(&self, specifier: &str) -> Option<FileId> {
        self.outputs.get(&Self::client_output(specifier)?).copied()
    }

    /// What classes mean.
    pub(crate) fn classes(&self) -> Classes {
        self.classes
    }

    /// Whether every module could be read. Of a project of which that is not so, nothing is made.
    pub fn is_whole(&self) -> bool {
        self.unread.is_none()
    }

    /// What a phase said and made, without what may only follow from modules that could not be read.
    pub fn certain<T>(&self, outcome: Outcome<T>) -> Outcome<T> {
        match &self.unread {
            None => outcome,
            Some(unread) => unread.certain(outcome),
        }
    }

    /// The texts the modules were parsed from.
    pub fn sources(&self) -> &Sources {
        &self.sources
    }

    /// The modules that can have to do with the server, in the order of their paths: those with forms of kontract, what
    /// these run, and what runs these. Most files of a frontend are not among them; [`Self::summaries`] has all.
    pub fn modules(&self) -> impl Iterator<Item = &ParsedModule> {
        self.involved.iter().filter_map(|file| self.module(*file))
    }

    /// Every module of the project, in the order of their paths.
    pub(crate) fn summaries(&self) -> impl Iterator<Item = (FileId, &ModuleSummary)> {
        self.modules.iter().map(|(file, entry)| (*file, &entry.summary))
    }

    /// What a file is to the others; `None` for files that are not parsed.
    pub(crate) fn summary(&self, file: FileId) -> Option<&ModuleSummary> {
        let entry = self.entry(file)?;
        entry.asked.store(true, Ordering::Relaxed);
        Some(&entry.summary)
    }

    /// The modules that nobody has asked anything, but for what [`Self::summaries`] tells of all.
    pub(super) fn unasked(&self) -> impl Iterator<Item = (FileId, &ModuleSummary)> {
        let unasked = |entry: &Entry| entry.tree.get().is_none() && !entry.asked.load(Ordering::Relaxed);
        self.modules
            .iter()
            .filter(move |(_, entry)| unasked(entry))
            .map(|(file, entry)| (*file, &entry.summary))
    }

    /// The modules that somebody has asked anything.
    pub(crate) fn asked(&self) -> impl Iterator<Item = FileId> {
        let asked = |entry: &Entry| entry.tree.get().is_some() || entry.asked.load(Ordering::Relaxed);
        self.modules.iter().filter(move |(_, entry)| asked(entry)).map(|(file, _)| *file)
    }

    /// The modules that name the package `kontract`, and those that pass something of these on.
    pub(super) fn passing(&self) -> &BTreeSet<FileId> {
        &self.passing
    }

    /// What can have to do with the server.
    pub(super) fn involved(&self) -> &[FileId] {
        &self.involved
    }

    fn entry(&self, file: FileId) -> Option<&Entry> {
        if !self.sources.is_of_package(file) {
            return self.modules.get(&file);
        }
        let known = self.packages.get(&file);
        known.unwrap_or_else(|| self.packages.insert(file, Box::new(self.entry_of_package(file)))).as_ref()
    }

    fn entry_of_package(&self, file: FileId) -> Option<Entry> {
        let summarize = || session::summarize(file, self.sources.file(file), false);
        let read = stacker::maybe_grow(STACK_SPARE_BYTES, STACK_BYTES, summarize).ok()?;
        Some(Entry::of(Read::from(read.summary)))
    }

    /// The imported names of a module that lead to the package `kontract`.
    pub(super) fn own_imports(&self, file: FileId) -> impl Iterator<Item = &OwnName> {
        self.modules.get(&file).into_iter().flat_map(|entry| entry.own.values())
    }

    /// What the imported names of a module mean of the package `kontract`, for [`parse::again`](super::again).
    pub(crate) fn encoded_own(&self, file: FileId) -> Vec<u8> {
        let own = self.modules.get(&file).map(|entry| &entry.own);
        postcard::to_allocvec(&own).expect("invariant: names have no form that postcard cannot write")
    }

    /// The module of a file; `None` for files that are not parsed, and for those in [`Self::failures`].
    pub fn module(&self, file: FileId) -> Option<&ParsedModule> {
        let entry = self.entry(file)?;
        entry.tree.get_or_init(|| self.tree(file, entry).map(Box::new)).as_deref().ok()
    }

    fn tree(&self, file: FileId, entry: &Entry) -> Result<ParsedModule, Vec<Diagnostic>> {
        let parse = || session::parse_file(file, self.sources.file(file));
        let mut module = stacker::maybe_grow(STACK_SPARE_BYTES, STACK_BYTES, parse)?;
        module.linked(&entry.summary, &entry.own);
        Ok(module)
    }

    /// Makes the trees that [`Self::modules`] is going to ask for, and says what is wrong with them. What endpoints import
    /// are the types that they speak, which extraction would ask for one by one.
    pub(super) fn parse_involved(&self) -> Vec<Diagnostic> {
        let endpoints = self.involved.iter().filter_map(|file| self.modules.get(file));
        let endpoints = endpoints.filter(|entry| entry.summary.marks.forms || !entry.own.is_empty());
        let types = endpoints.flat_map(|entry| &entry.summary.specifiers).filter_map(|used| used.target);
        let files: BTreeSet<FileId> = self.involved.iter().copied().chain(types).collect();
        let failed = files.par_iter().filter(|file| self.module(**file).is_none()).count();
        if failed > 0 { self.failures() } else { Vec::new() }
    }

    /// The project's modules whose text somebody has looked at beyond its summary.
    pub fn with_trees(&self) -> impl Iterator<Item = FileId> {
        self.modules.iter().filter(|(_, entry)| entry.tree.get().is_some()).map(|(file, _)| *file)
    }

    /// What is wrong with files that had a summary and turned out to have no tree.
    pub(super) fn failures(&self) -> Vec<Diagnostic> {
        let trees = self.modules.values().filter_map(|entry| entry.tree.get()?.as_ref().err());
        trees.flatten().cloned().collect()
    }

    /// Where a specifier written in a module leads.
    pub(crate) fn resolve(&self, from: &ParsedModule, specifier: &str) -> Resolution {
        match resolve(&self.sources, &self.aliases, &from.path, specifier) {
            Resolution::File(file) if !self.modules.contains_key(&file) => Resolution::External,
            resolution => resolution,
        }
    }

    /// What a top-level name means in a module.
    pub(crate) fn lookup(&self, file: FileId, name: &str) -> Binding {
        self.local(file, name, HOPS_MAX)
    }

    /// What a module exports under a name.
    pub(crate) fn exported(&self, file: FileId, name: &str) -> Binding {
        self.export(file, name, HOPS_MAX)
    }

    /// Where the types of a package's export are declared, if they can be read; any other binding as it is. What has been
    /// declared by a package has no value here.
    pub(crate) fn declaration(&self, binding: Binding) -> Binding {
        let mut found = binding.clone();
        for _ in 0..HOPS_MAX {
            let Binding::External { from, package, name } = &found else { return found };
            let Some(file) = self.types_of(*from, package) else { break };
            found = match name {
                Imported::Name(name) => self.exported(file, name),
                Imported::Namespace => Binding::Namespace { file },
            };
            if found == Binding::Missing {
                break;
            }
        }
        binding
    }

    /// The file with the types that a specifier means in a file, when it is none of the project's own imports.
    pub(crate) fn types_of(&self, from: FileId, specifier: &str) -> Option<FileId> {
        if specifier == OWN_PACKAGE || specifier.starts_with(OWN_SUBPATHS) {
            return None;
        }
        let packages = self.sources.packages()?;
        let importer = &self.sources.file(from).path;
        let folder = importer.rsplit_once('/').map_or("", |(folder, _)| folder);
        let key = format!("{folder}:{specifier}");
        if let Some(known) = self.found.get(&key) {
            return *known;
        }
        let aliases = if self.sources.is_of_package(from) { &[][..] } else { &self.aliases };
        let mut aliased = alias_paths(aliases, specifier).into_iter();
        let path = aliased
            .find_map(|path| packages::file_at(&**packages, &path))
            .or_else(|| packages::types_of(&**packages, importer, specifier, &self.types.conditions))
            .or_else(|| packages::beside(&**packages, importer, specifier, &self.types.root_dirs))
            .or_else(|| packages::data_of(&**packages, importer, aliases, specifier));
        *self.found.insert(key, Box::new(path.and_then(|path| self.sources.add(&path))))
    }

    /// The pattern of paths that a pattern of specifiers means in a file of the project.
    pub(crate) fn patterns(&self, from: FileId, pattern: &str) -> Vec<String> {
        let folder = self.sources.file(from).path.rsplit_once('/').map_or("", |(folder, _)| folder);
        let paths = match pattern.strip_prefix('/') {
            Some(rooted) => vec![rooted.to_owned()],
            None if pattern.starts_with('.') => vec![format!("{folder}/{pattern}")],
            None => alias_paths(&self.aliases, pattern),
        };
        paths.iter().filter_map(|path| normalize_path(path)).collect()
    }

    /// The JSON file that a specifier means in a file of the project.
    pub(crate) fn data(&self, from: FileId, specifier: &str) -> Option<FileId> {
        let (packages, importer) = (self.sources.packages()?, &self.sources.file(from).path);
        self.sources.add(&packages::data_of(&**packages, importer, &self.aliases, specifier)?)
    }

    /// The constants whose objects are changed after they are made.
    pub(crate) fn changed(&self) -> &Changed {
        self.changed.get_or_init(|| Changed::of(self))
    }

    /// The same, if anybody has asked.
    pub(crate) fn changed_if_asked(&self) -> Option<&Changed> {
        self.changed.get()
    }

    /// Takes them from who knows all modules, where this graph has some.
    pub(crate) fn set_changed(&mut self, changed: Changed) {
        self.changed = OnceLock::from(changed);
    }

    /// The files of packages whose declarations are in force without an import.
    pub(crate) fn global_types(&self) -> &[FileId] {
        self.global_types.get_or_init(|| {
            let Some(packages) = self.sources.packages() else { return Vec::new() };
            let files = global_types::files(&**packages, &self.types);
            files.iter().filter_map(|path| self.sources.add(path)).collect()
        })
    }

    /// The file behind a specifier. Those of packages are found when they are asked for.
    fn target(&self, file: FileId, specifier: &SpecifierUse) -> Option<FileId> {
        if self.sources.is_of_package(file) { self.types_of(file, &specifier.text) } else { specifier.target }
    }

    fn local(&self, file: FileId, name: &str, hops: usize) -> Binding {
        let Some(module) = self.summary(file).filter(|_| hops > 0) else { return Binding::Missing };
        if module.declarations.contains_key(name) {
            return Binding::Declared { file, name: name.to_owned() };
        }
        match module.import(name) {
            Some(import) => self.through((file, module), import.from, &import.imported, hops - 1),
            None => Binding::Missing,
        }
    }

    fn export(&self, file: FileId, name: &str, hops: usize) -> Binding {
        let Some(module) = self.summary(file).filter(|_| hops > 0) else { return Binding::Missing };
        match module.exports.get(name) {
            Some(Exported::Local(local)) => self.local(file, local, hops - 1),
            Some(Exported::From(from, imported)) => self.through((file, module), *from, imported, hops - 1),
            Some(Exported::Item(index)) => Binding::Item { file, index: *index },
            // `export *` does not pass a default export on.
            None if name == "default" => Binding::Missing,
            None => {
                let imported = Imported::Name(name.to_owned());
                let leads = |from: &&usize| self.target(file, &module.specifiers[**from]).is_some();
                let found = module
                    .stars
                    .iter()
                    .filter(leads)
                    .map(|from| self.through((file, module), *from, &imported, hops / 2))
                    .find(|binding| *binding != Binding::Missing);
                match found {
                    Some(binding) => binding,
                    None if passes_package_on(module) && OWN_EXPORTS.contains(&name) => {
                        Binding::External { from: file, package: OWN_PACKAGE.to_owned(), name: imported }
                    }
                    None => Binding::Missing,
                }
            }
        }
    }

    fn through(
        &self,
        (file, module): (FileId, &ModuleSummary),
        from: usize,
        imported: &Imported,
        hops: usize,
    ) -> Binding {
        let from = &module.specifiers[from];
        match (self.target(file, from), imported) {
            (Some(file), Imported::Name(name)) => self.export(file, name, hops),
            (Some(file), Imported::Namespace) => Binding::Namespace { file },
            (None, imported) => {
                Binding::External { from: file, package: from.text.clone(), name: imported.clone() }
            }
        }
    }
}

/// Whether a module has `export * from 'kontract'`.
fn passes_package_on(module: &ModuleSummary) -> bool {
    module.stars.iter().any(|from| {
        let from = &module.specifiers[*from];
        from.target.is_none() && from.text == OWN_PACKAGE
    })
}

/// Through which frontends import the client's half.
const CLIENT_ALIAS: &str = "@/client/";
