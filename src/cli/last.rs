//! The last build of `kontract dev`, and what an edit leaves of it.

use super::build::Built;
use super::error::CliError;
use super::os_system::OsSystem;
use super::stamps::{Stamps, read_by_esbuild};
use super::write;
use crate::artifact::Artifacts;
use crate::project::Project;
use crate::recheck::Basis;
use crate::source::{FileId, Sources};
use crate::split::links::Links;
use crate::{Unbundled, staged};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// A build that is still the one of the sources while nothing that it was made from has changed, nor what it made.
pub(super) struct Last {
    pub(super) project: Project,
    basis: Basis,
    stamps: Stamps,
    unbundled: Unbundled,
    /// Whether only modules of the Worker were made anew since.
    pub(super) is_patched: bool,
}

impl Last {
    /// `None` for a build of other texts than those of the basis.
    pub(super) fn of(basis: Option<Basis>, built: &mut Built, system: &OsSystem) -> Option<Self> {
        let basis = basis.filter(|basis| basis.is_of(&built.contents))?;
        let made: BTreeSet<&str> = built.outputs.iter().map(String::as_str).collect();
        let mut paths = read_by_esbuild(built.inputs.iter().map(String::as_str));
        paths.extend(built.outputs.iter().cloned());
        let stamps = Stamps::of(paths, &made, system);
        // What is in a bundle is not printed by itself.
        let unbundled = std::mem::take(&mut built.unbundled);
        let unbundled = if built.modules.is_some() { unbundled } else { Unbundled::default() };
        Some(Self { project: built.project.clone(), basis, stamps, unbundled, is_patched: false })
    }

    /// The modules whose server's halves are all that a build of this basis would make otherwise; none for the same build. `None` where
    /// more may be other.
    pub(super) fn edits(&self, basis: Option<&Basis>, system: &OsSystem) -> Option<Vec<FileId>> {
        let edited = basis?.edits_since(&self.basis)?;
        self.stamps.hold(system).then_some(edited)
    }

    /// What the modules of the Worker import and export.
    pub(super) fn links(&self) -> &BTreeMap<String, Links> {
        &self.unbundled.links
    }

    /// The server's halves of edited modules, printed again; `None` where one depends on more than its own text.
    pub(super) fn printed(&self, edited: &[FileId], sources: &Sources) -> Option<Artifacts> {
        let halves: Option<Vec<_>> = edited.iter().map(|file| self.half(*file, sources)).collect();
        Some(halves?.into_iter().flatten().collect())
    }

    /// Writes them, as what a build of this basis made.
    pub(super) fn patch(
        &mut self,
        files: &Artifacts,
        basis: Basis,
        system: &OsSystem,
        folder: &Path,
    ) -> Result<(), CliError> {
        write::write_all(folder, files, |_| true)?;
        self.stamps.renew(files.keys(), system);
        self.basis = basis;
        self.is_patched = true;
        Ok(())
    }

    fn half(&self, file: FileId, sources: &Sources) -> Option<[(String, Vec<u8>); 2]> {
        let recipe = self.unbundled.recipes.get(&sources.file(file).path)?;
        let half = recipe.print(sources, file)?;
        let made = staged(recipe.path(), half.text, half.map);
        let links = self.unbundled.links.get(&made[0].0)?;
        (half.links == *links).then_some(made)
    }
}
