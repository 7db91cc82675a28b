//! The last build of `kontract dev`, and what an edit leaves of it.

use super::build::Built;
use super::error::CliError;
use super::os_system::OsSystem;
use super::stamps::{Stamps, read_by_esbuild};
use super::write;
use crate::artifact::Artifacts;
use crate::project::Project;
use crate::recheck::{Basis, Rechecked};
use crate::source::{FileId, SourceFile, Sources};
use crate::split::links::{Links, Needs};
use crate::system::System as _;
use crate::{Unbundled, staged};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// A build that is still the one of the sources while nothing that it was made from has changed, nor what it made.
pub(super) struct Last {
    pub(super) project: Project,
    basis: Basis,
    stamps: Stamps,
    unbundled: Unbundled,
    /// The paths of the project's files.
    files: BTreeSet<String>,
    /// Whether only modules of the Worker were made anew since.
    pub(super) is_patched: bool,
}

/// Modules of the Worker that are all that a build would make otherwise.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Edit {
    pub(super) basis: Basis,
    /// Their server's halves; none where the build is the same.
    pub(super) files: Artifacts,
}

impl Last {
    /// `None` for a build of other texts than those of the basis.
    pub(super) fn of(checked: Rechecked, built: &mut Built, system: &OsSystem) -> Option<Self> {
        let files = checked.sources.iter().map(|(_, source)| source.path.clone()).collect();
        let basis = checked.basis.filter(|basis| basis.is_of(&built.contents))?;
        let made: BTreeSet<&str> = built.outputs.iter().map(String::as_str).collect();
        let mut paths = read_by_esbuild(built.inputs.iter().map(String::as_str));
        paths.extend(built.outputs.iter().cloned());
        let stamps = Stamps::of(paths, &made, system);
        // What is in a bundle is not printed by itself.
        let unbundled = std::mem::take(&mut built.unbundled);
        let unbundled = if built.modules.is_some() { unbundled } else { Unbundled::default() };
        Some(Self { project: built.project.clone(), basis, stamps, unbundled, files, is_patched: false })
    }

    /// What a build would make otherwise where nothing but these files has changed. They are the only ones that are looked at.
    pub(super) fn edit_of(&self, changed: &BTreeSet<String>, system: &OsSystem) -> Option<Edit> {
        // What editors write beside a file comes and goes.
        let is_there = |path: &&String| self.knows(path) || system.stamp(path).is_some();
        let text = |path: &String| -> Option<SourceFile> {
            let text = system.read(path).ok().filter(|_| !self.stamps.has(path))?;
            Some(SourceFile { path: path.clone(), text: String::from_utf8(text).ok()?.into() })
        };
        let texts: Option<Vec<SourceFile>> = changed.iter().filter(is_there).map(text).collect();
        let sources = Sources::new(texts?);
        let (basis, edited) = self.basis.with(&sources)?;
        Some(Edit { basis, files: self.printed(&edited, &sources)? })
    }

    /// What a build of this project would make otherwise.
    pub(super) fn edit_to(&self, checked: &Rechecked, system: &OsSystem) -> Option<Edit> {
        let basis = checked.basis.as_ref()?;
        let edited = basis.edits_since(&self.basis).filter(|_| self.stamps.hold(system))?;
        Some(Edit { basis: basis.clone(), files: self.printed(&edited, &checked.sources)? })
    }

    /// What the modules of the Worker import and export.
    pub(super) fn links(&self) -> &BTreeMap<String, Links> {
        &self.unbundled.links
    }

    /// Whether workerd takes these modules as they are staged.
    pub(super) fn are_served_as_staged(&self, files: &Artifacts) -> bool {
        let needs = |path| self.unbundled.links.get(path).map(|links| links.needs);
        files.keys().all(|path| needs(path) != Some(Needs::Lowering))
    }

    /// The server's halves of edited modules, printed again; `None` where one depends on more than its own text.
    fn printed(&self, edited: &[FileId], sources: &Sources) -> Option<Artifacts> {
        let halves: Option<Vec<_>> = edited.iter().map(|file| self.half(*file, sources)).collect();
        Some(halves?.into_iter().flatten().collect())
    }

    /// Writes them, as what a build of this basis made.
    pub(super) fn patch(&mut self, edit: &Edit, system: &OsSystem, folder: &Path) -> Result<(), CliError> {
        write::write_all(folder, &edit.files, |_| true)?;
        self.stamps.renew(edit.files.keys(), system);
        self.basis = edit.basis.clone();
        self.is_patched = true;
        Ok(())
    }

    /// Whether a build looks at a file, or at what is in a folder.
    fn knows(&self, path: &str) -> bool {
        let below = format!("{path}/");
        let first = self.files.range(below.clone()..).next();
        self.files.contains(path)
            || first.is_some_and(|first| first.starts_with(&below))
            || self.stamps.has(path)
            || self.basis.asked_for(path)
    }

    fn half(&self, file: FileId, sources: &Sources) -> Option<[(String, Vec<u8>); 2]> {
        let recipe = self.unbundled.recipes.get(&sources.file(file).path)?;
        let half = recipe.print(sources, file)?;
        let made = staged(recipe.path(), half.text, half.map);
        let links = self.unbundled.links.get(&made[0].0)?;
        (half.links == *links).then_some(made)
    }
}
