//! The Worker of `kontract dev`, unbundled: workerd gets the server's modules one by one as they are staged, so that an edit costs what
//! its module costs. What they take from outside, such as packages, is bundled apart, and again when that changes.
//!
//! ```text
//! links of the staged modules  →  .kontract/outside/*.js, an entry for each specifier  →  esbuild  →  .kontract/packages/**
//! ```
//!
//! What means something only in one bundle, and whatever esbuild refuses, is left to [`worker::bundle`](super::worker::bundle),
//! whose words a user gets.

use super::build::{Files, Mode, STAGE, is_below};
use super::error::CliError;
use super::os_system::OsSystem;
use super::stamps::{Stamps, read_by_esbuild};
use super::worker::{Build, Bundle};
use crate::bundle::esbuild::{self, Bundled};
use crate::bundle::findings::{self, Stage};
use crate::bundle::metafile::Metafile;
use crate::cache::{Hash, hash};
use crate::dev::modules::Modules;
use crate::split::links::{self, BUNDLED, ENTRIES, Links, Needs};
use crate::stubgen;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

/// What one build leaves for the next.
#[derive(Default)]
pub(super) struct Kept {
    packages: Option<Packages>,
    /// Modules that esbuild wrote out, with the hash of what it read.
    lowered: BTreeMap<String, (Hash, Files)>,
}

/// What is bundled apart.
struct Packages {
    entries: Entries,
    /// Files of other owners that it was made from.
    stamps: Stamps,
    /// Hashes of what the compiler made and esbuild read, and of the project's configuration.
    made: BTreeMap<String, Hash>,
    configuration: Hash,
    files: Files,
    meta: Metafile,
}

/// Texts of entries by their paths, with the specifier that each is for.
type Entries = BTreeMap<String, (String, String)>;

/// `.kontract/packages`, and what workerd is given in the place of staged modules; `None` where the Worker has to be bundled.
pub(super) fn make(
    build: &Build<'_>,
    system: &OsSystem,
    modules: &BTreeMap<String, Links>,
    kept: &mut Kept,
) -> Result<Option<Bundle>, CliError> {
    if !links::can_be_linked(modules) {
        return Ok(None);
    }
    let entries = entries(build, modules);
    let configuration = configuration(build);
    let holds = |packages: &Packages| {
        packages.entries == entries && packages.configuration == configuration && packages.hold(system)
    };
    if !kept.packages.as_ref().is_some_and(holds) {
        kept.packages = None;
        kept.packages = bundled(build, system, entries, configuration)?;
    }
    let Some(packages) = &kept.packages else { return Ok(None) };
    let importers = importers(modules);
    let stage = Stage { sources: build.sources, source_root: &build.project.source, importers: &importers };
    let mut asked: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (module, links) in modules {
        links.platform.iter().for_each(|name| asked.entry(name).or_default().push(module));
    }
    let entries: Vec<String> = packages.entries.keys().cloned().collect();
    build.report(findings::of_the_platform(&packages.meta, &entries, &asked, &stage))?;
    let files = packages.files.clone();
    let inputs = packages.meta.inputs().map(str::to_owned).collect();
    let Some(lowered) = lowered(build.folder, system, modules, kept)? else { return Ok(None) };
    Ok(Some(Bundle { files, inputs, served: Some(lowered) }))
}

/// The Worker in bundles all the same. Its staged modules import what is outside through entries.
pub(super) fn bundle(
    build: &Build<'_>,
    gateway: &Files,
    modules: &BTreeMap<String, Links>,
) -> Result<Bundle, CliError> {
    let text = |(path, (_, text)): (String, (String, String))| {
        (path.replacen(ENTRIES, BUNDLED, 1), text.into_bytes())
    };
    let entries: Files = entries(build, modules).into_iter().map(text).collect();
    super::write::write_all(build.folder, &entries, |_| true)?;
    let mut bundle = super::worker::bundle(build, gateway, &importers(modules))?;
    bundle.files.extend(entries);
    Ok(bundle)
}

/// What workerd is given: staged modules and bundles among a build's files, or what is served in their place.
pub(super) fn served(build: &Build<'_>, files: Files, served: Files) -> Modules {
    let modules = files.into_iter().filter(|(path, _)| is_below(path, &[STAGE, BUNDLED]));
    let modules = modules.chain(passed_on(build)).chain(served);
    modules.map(|(path, bytes)| (path, Arc::new(bytes))).collect()
}

/// What the server takes from outside, as entries for esbuild.
fn entries(build: &Build<'_>, modules: &BTreeMap<String, Links>) -> Entries {
    let pages = pages(build);
    links::entries(modules, OURS.into_iter().chain(pages.as_deref()))
}

/// For every entry and its bundle, a module that imports it.
fn importers(modules: &BTreeMap<String, Links>) -> BTreeMap<String, String> {
    let imports = modules.iter().flat_map(|(module, links)| links.outside.keys().map(move |to| (module, to)));
    let paths = imports.flat_map(|(module, outside)| {
        let bundle = links::bundled(outside);
        let entry = bundle.replacen(BUNDLED, ENTRIES, 1);
        [(bundle, module.clone()), (entry, module.clone())]
    });
    paths.collect()
}

/// What generated modules import by names that mean packages and pages, as modules of these names.
fn passed_on(build: &Build<'_>) -> Files {
    let pages = pages(build);
    let ours = OURS.into_iter().map(|name| (format!("{STAGE}/{name}"), name));
    let all = ours.chain(pages.as_deref().map(|path| (path.trim_start_matches("./").to_owned(), path)));
    let text = |(name, outside): (String, &str)| {
        let from = crate::artifact::specifier(&name, &links::bundled(outside));
        (name, format!("export * from {};\n", serde_json::Value::from(from)).into_bytes())
    };
    all.map(text).collect()
}

fn pages(build: &Build<'_>) -> Option<String> {
    build.project.ssr.as_ref().map(|path| format!("./{path}"))
}

fn bundled(
    build: &Build<'_>,
    system: &OsSystem,
    entries: Entries,
    configuration: Hash,
) -> Result<Option<Packages>, CliError> {
    let texts = entries.iter().map(|(path, (_, text))| (path.clone(), text.clone().into_bytes()));
    super::write::write_all(build.folder, &texts.collect(), |_| true)?;
    let paths: Vec<String> = entries.keys().cloned().collect();
    let stubs = build.project.ssr.as_ref().map(|_| stubgen::DIRECT);
    let environment = build.mode.environment();
    let input = esbuild::Input { project: build.folder, entries: &paths, out: BUNDLED, environment, stubs };
    let Bundled::Modules { files, meta, folder: _ } = esbuild::bundle(input)? else { return Ok(None) };
    let files = files.into_iter().map(|(name, bytes)| (format!("{BUNDLED}/{name}"), bytes)).collect();
    let (made, read): (Vec<&str>, Vec<&str>) = meta.inputs().partition(|path| path.starts_with(MADE));
    let made = made.into_iter().map(|path| Some((path.to_owned(), hash_of(system, path)?)));
    let Some(made) = made.collect() else { return Ok(None) };
    let stamps = Stamps::of(read_by_esbuild(read.into_iter()), &BTreeSet::new(), system);
    Ok(Some(Packages { entries, stamps, made, configuration, files, meta }))
}

impl Packages {
    fn hold(&self, system: &OsSystem) -> bool {
        let is_same = |(path, old): (&String, &Hash)| hash_of(system, path) == Some(*old);
        self.stamps.hold(system) && self.made.iter().all(is_same)
    }
}

/// Staged modules as workerd takes them, where they are not so by themselves; `None` when esbuild cannot write one out.
pub(super) fn lowered(
    folder: &Path,
    system: &OsSystem,
    modules: &BTreeMap<String, Links>,
    kept: &mut Kept,
) -> Result<Option<Files>, CliError> {
    let kept = &mut kept.lowered;
    let wanted = modules.iter().filter(|(_, links)| links.needs == Needs::Lowering);
    let wanted: BTreeMap<&String, Hash> =
        wanted.filter_map(|(path, _)| Some((path, hash_of(system, path)?))).collect();
    kept.retain(|path, (content, _)| wanted.get(path) == Some(content));
    let new: Vec<String> =
        wanted.keys().filter(|path| !kept.contains_key(**path)).map(|path| (*path).clone()).collect();
    if !new.is_empty() {
        let made = esbuild::lower(folder, STAGE, &new, Mode::Development.environment())?;
        let Ok(mut made) = made else { return Ok(None) };
        for path in new {
            let files = [path.clone(), format!("{path}.map")].into_iter();
            let files: Files = files.filter_map(|path| made.remove_entry(&path)).collect();
            if let Some(content) = wanted.get(&path) {
                kept.insert(path, (*content, files));
            }
        }
    }
    Ok(Some(kept.values().flat_map(|(_, files)| files.clone()).collect()))
}

fn hash_of(system: &OsSystem, path: &str) -> Option<Hash> {
    use crate::system::System as _;
    system.read(path).ok().map(|bytes| hash(&bytes))
}

/// Of what configures bundlers, too.
fn configuration(build: &Build<'_>) -> Hash {
    let files = build.sources.iter().filter(|(_, source)| source.path.ends_with(".json"));
    hash(files.map(|(_, source)| &*source.text).collect::<String>().as_bytes())
}

/// What generated modules import.
const OURS: [&str; 2] = ["kontract/server", "kontract/wire"];
/// Below it, the compiler alone writes.
const MADE: &str = ".kontract/";
