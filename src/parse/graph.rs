//! All modules of a project and the imports between them.

use std::collections::{BTreeMap, BTreeSet};

use swc_common::{GLOBALS, Globals};

use super::limits::{HOPS_MAX, NAMESPACES_MAX};
use super::module::{Export, Imported, OWN_EXPORTS, OWN_PACKAGE, OwnName, ParsedModule, Specifier};
use super::resolve::{Resolution, resolve};
use crate::project::{PathAlias, Project};
use crate::source::{FileId, Sources};

/// Every parsed module, by file.
pub struct ModuleGraph {
    pub(crate) globals: SwcGlobals,
    modules: BTreeMap<FileId, ParsedModule>,
    sources: Sources,
    aliases: Vec<PathAlias>,
    source_folder: String,
}

/// swc's per-compilation state, which its passes look up in a thread-local.
pub(crate) struct SwcGlobals(Globals);

/// What a top-level name of a module stands for, after imports and re-exports are followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Binding {
    /// A declaration: the module, and the name it has there.
    Declared { file: FileId, name: String },
    /// An export without a name of its own: the module, and the item's place in it.
    Item { file: FileId, index: usize },
    /// All exports of a module.
    Namespace { file: FileId },
    /// An export of a package.
    External { package: String, name: Imported },
    /// Nothing.
    Missing,
}

impl SwcGlobals {
    /// Runs one of swc's passes.
    pub(crate) fn run<T>(&self, pass: impl FnOnce() -> T) -> T {
        GLOBALS.set(&self.0, pass)
    }
}

impl ModuleGraph {
    pub(super) fn new(sources: &Sources, project: &Project) -> Self {
        Self {
            globals: SwcGlobals(Globals::new()),
            modules: BTreeMap::new(),
            sources: sources.clone(),
            aliases: project.paths.clone(),
            source_folder: project.source.clone(),
        }
    }

    pub(super) fn insert(&mut self, module: ParsedModule) {
        self.modules.insert(module.file, module);
    }

    /// Finds the files behind all specifiers.
    pub(super) fn link(&mut self) {
        let (sources, aliases) = (&self.sources, &self.aliases);
        for module in self.modules.values_mut() {
            let path = module.path.clone();
            let link = |from: &mut Specifier| {
                if let Resolution::File(file) = resolve(sources, aliases, &path, &from.text) {
                    from.target = Some(file);
                }
            };
            module.imports.iter_mut().map(|import| &mut import.from).for_each(link);
            module.star_exports.iter_mut().for_each(link);
            let re_exports = module.exports.values_mut().filter_map(|export| match export {
                Export::From(from, _) => Some(from),
                Export::Local(_) | Export::Item(_) => None,
            });
            re_exports.for_each(link);
        }
        let own: Vec<_> = self.modules().map(|module| (module.file, self.own_names(module))).collect();
        for (file, own) in own {
            self.modules.entry(file).and_modify(|module| module.own = own);
        }
    }

    /// The imported names of a module that lead to the package `kontract`.
    fn own_names(&self, module: &ParsedModule) -> BTreeMap<String, OwnName> {
        let names = module.imports.iter().filter(|import| !import.type_only).filter_map(|import| {
            let local = import.local.sym.to_string();
            Some((local.clone(), self.own(self.lookup(module.file, &local), NAMESPACES_MAX)?))
        });
        names.collect()
    }

    fn own(&self, binding: Binding, depth: usize) -> Option<OwnName> {
        match binding {
            Binding::External { package, name } if package == OWN_PACKAGE => Some(match name {
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
    fn exported_names(&self, file: FileId) -> BTreeSet<String> {
        let mut names = BTreeSet::new();
        let mut seen = BTreeSet::new();
        let mut files = vec![file];
        while let Some(file) = files.pop() {
            let Some(module) = self.module(file).filter(|_| seen.insert(file)) else { continue };
            names.extend(module.exports.keys().cloned());
            files.extend(module.star_exports.iter().filter_map(|from| from.target));
            if passes_package_on(module) {
                names.extend(OWN_EXPORTS.iter().map(|name| (*name).to_owned()));
            }
        }
        names
    }

    /// Where a module's JavaScript goes, relative to the output folder: `src/api/entries.ts` → `api/entries.js`.
    pub(crate) fn output_path(&self, module: &ParsedModule) -> String {
        let below =
            module.path.strip_prefix(&self.source_folder).unwrap_or(&module.path).trim_start_matches('/');
        let stem = below.rsplit_once('.').map_or(below, |(stem, _)| stem);
        format!("{stem}.js")
    }

    /// The texts the modules were parsed from.
    pub fn sources(&self) -> &Sources {
        &self.sources
    }

    /// All modules in the order of their paths.
    pub fn modules(&self) -> impl Iterator<Item = &ParsedModule> {
        self.modules.values()
    }

    /// The module of a file; `None` for files that are not parsed.
    pub fn module(&self, file: FileId) -> Option<&ParsedModule> {
        self.modules.get(&file)
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

    fn local(&self, file: FileId, name: &str, hops: usize) -> Binding {
        let Some(module) = self.module(file).filter(|_| hops > 0) else { return Binding::Missing };
        if module.declaring_items(name).next().is_some() {
            return Binding::Declared { file, name: name.to_owned() };
        }
        match module.import(name) {
            Some(import) => self.through(&import.from, &import.imported, hops - 1),
            None => Binding::Missing,
        }
    }

    fn export(&self, file: FileId, name: &str, hops: usize) -> Binding {
        let Some(module) = self.module(file).filter(|_| hops > 0) else { return Binding::Missing };
        match module.exports.get(name) {
            Some(Export::Local(local)) => self.local(file, local, hops - 1),
            Some(Export::From(from, imported)) => self.through(from, imported, hops - 1),
            Some(Export::Item(index)) => Binding::Item { file, index: *index },
            // `export *` does not pass a default export on.
            None if name == "default" => Binding::Missing,
            None => {
                let imported = Imported::Name(name.to_owned());
                let stars = module.star_exports.iter().filter(|from| from.target.is_some());
                let found = stars
                    .map(|from| self.through(from, &imported, hops / 2))
                    .find(|binding| *binding != Binding::Missing);
                match found {
                    Some(binding) => binding,
                    None if passes_package_on(module) && OWN_EXPORTS.contains(&name) => {
                        Binding::External { package: OWN_PACKAGE.to_owned(), name: imported }
                    }
                    None => Binding::Missing,
                }
            }
        }
    }

    fn through(&self, from: &Specifier, imported: &Imported, hops: usize) -> Binding {
        match (from.target, imported) {
            (Some(file), Imported::Name(name)) => self.export(file, name, hops),
            (Some(file), Imported::Namespace) => Binding::Namespace { file },
            (None, imported) => Binding::External { package: from.text.clone(), name: imported.clone() },
        }
    }
}

/// Whether a module has `export * from 'kontract'`.
fn passes_package_on(module: &ParsedModule) -> bool {
    module.star_exports.iter().any(|from| from.target.is_none() && from.text == OWN_PACKAGE)
}
