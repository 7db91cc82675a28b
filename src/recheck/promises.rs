//! What a check keeps of extraction, so that the next one can extract a few modules again and know all others.
//!
//! ```text
//! a check without a word                         →  Promises: the contract, who named which types, what leads where, what the split saw
//! Promises, modules with other promises          →  these and what leads to them are extracted, and put in the place of what they promised:
//!                                                    the contract of a check of everything, or nothing
//! ```
//!
//! Nothing where anything else could depend on the edit: the split, tables, middlewares, what is declared for all, names of types that
//! would go to somebody else, and wherever there is something to say. Places are not kept up to date: nothing points at them.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{Module, Run};
use crate::cache::{Gist, KeptOutcome};
use crate::contract::{Contract, Endpoint};
use crate::parse::apart::Apart;
use crate::parse::extract::{Alone, extract_alone, keep_used_types};
use crate::parse::leads::{has_import_types, leads};
use crate::parse::literal::Changed;
use crate::parse::types::naming::{By, Naming};
use crate::parse::{self, ModuleGraph, ModuleSummary, ParsedModule, Read};
use crate::project::{Loaded, Project};
use crate::source::FileId;
use crate::split::{View, Views};
use crate::{Checked, Extraction, Halves};

/// What is kept.
#[derive(Serialize, Deserialize)]
pub(super) struct Promises {
    contract: Contract,
    naming: Naming,
    /// The declaration behind each table's name.
    tables: Vec<(String, FileId, String)>,
    /// The constants that somebody changes, if anybody has asked.
    changed: Option<Changed>,
    /// What the split saw of modules of which nothing else counts.
    views: Views,
    /// Where the modules lead that have trees, and those that they lead to.
    leads: BTreeMap<FileId, Vec<FileId>>,
    /// The modules that all others may depend on.
    common: BTreeSet<FileId>,
}

/// What becomes of an outcome when some modules promise something else.
pub(super) struct Promised {
    pub(super) promises: Promises,
    /// The gists of the modules that were edited.
    pub(super) gists: BTreeMap<FileId, Gist>,
}

impl Promises {
    /// What a check made of a graph, if it had nothing to say; `None` where names depend on what was looked at first.
    pub(super) fn of(graph: &ModuleGraph, checked: &Checked) -> Option<Self> {
        let Checked(Halves { contract, extraction, modules, .. }) = checked;
        let Extraction { naming, tables } = extraction;
        if naming.by_order || modules.views.of.is_empty() {
            return None;
        }
        let contract = contract.spelled().clone();
        let augmenting =
            graph.summaries().filter(|(_, summary)| summary.marks.augments || summary.marks.tables);
        let augmenting = augmenting.map(|(file, _)| file);
        let middlewares = contract.middleware.iter().map(|middleware| middleware.file);
        let of_tables = tables.iter().map(|(_, file, _)| *file);
        Some(Self {
            common: augmenting.chain(middlewares).chain(of_tables).collect(),
            contract,
            naming: naming.clone(),
            tables: tables.clone(),
            changed: graph.changed_if_asked().cloned(),
            views: modules.views.clone(),
            leads: leads(graph),
        })
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        postcard::to_allocvec(self).expect("invariant: a contract has no form that postcard cannot write")
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        postcard::from_bytes(bytes).ok()
    }

    /// These modules and all that lead to them; `None` where these are many, or all others may depend on one of them.
    fn affected(&self, edited: &BTreeSet<FileId>) -> Option<BTreeSet<FileId>> {
        let mut from: BTreeMap<FileId, Vec<FileId>> = BTreeMap::new();
        for (file, targets) in &self.leads {
            targets.iter().for_each(|target| from.entry(*target).or_default().push(*file));
        }
        let affected = closure(edited.iter().copied(), &from);
        let is_common = affected.iter().any(|file| self.common.contains(file));
        (affected.len() <= AFFECTED_MAX && !is_common).then_some(affected)
    }

    /// What the split sees of a module, if the split of no module can depend on what is other about it.
    fn same_view(&self, graph: &ModuleGraph, module: &ParsedModule) -> Option<View> {
        let (old, new) = (self.views.of.get(&module.file)?, View::again(graph, module));
        let takes_along = || {
            let reached = closure([module.file].into_iter(), &self.leads);
            reached.iter().any(|file| self.views.along.contains(file))
        };
        (old.whole == new.whole || (old.shape == new.shape && !takes_along())).then_some(new)
    }

    /// Puts what some modules promise in the place of what they promised.
    fn with(mut self, of: &BTreeSet<FileId>, found: Alone) -> Option<Self> {
        let Alone { contract: new, naming } = found;
        if naming.by_order || !fits(&self.contract, &new, of) {
            return None;
        }
        let others = self.naming.of.iter().filter(|(file, _)| file.is_none_or(|file| !of.contains(&file)));
        let others: BTreeSet<String> =
            self.naming.reached(others.flat_map(|(_, names)| names)).into_iter().map(str::to_owned).collect();
        if !self.names_fit(&naming, &new, (of, &others)) {
            return None;
        }
        let mut endpoints = new.endpoints.into_iter();
        for endpoint in
            self.contract.endpoints.iter_mut().filter(|endpoint| of.contains(&endpoint.binding.file))
        {
            *endpoint = endpoints.next()?;
        }
        self.put_uses(of, new.storage_uses)?;
        self.contract.types.retain(|name, _| others.contains(name));
        self.contract.types.extend(new.types);
        self.contract.enums.extend(new.enums);
        keep_used_types(&mut self.contract);
        self.naming.objects.retain(|name, _| others.contains(name));
        self.naming.objects.extend(naming.objects);
        self.naming.enums.extend(naming.enums);
        self.naming.of.retain(|file, _| file.is_none_or(|file| !of.contains(&file)));
        self.naming.of.extend(naming.of);
        Some(self)
    }

    /// Whether types have the names that they would have if all modules were looked at, and those of `others` keep theirs.
    fn names_fit(
        &self,
        naming: &Naming,
        new: &Contract,
        (of, others): (&BTreeSet<FileId>, &BTreeSet<String>),
    ) -> bool {
        let (old, is_kept) = (&self.naming.objects, |name: &str| others.contains(name));
        let has_same_declaration = |name: &str| {
            let declared = |naming: &Naming| match naming.objects.get(name).map(|named| &named.by) {
                Some(By::Declaration(at)) => Some(at.clone()),
                Some(By::Instance | By::Place(_)) | None => None,
            };
            is_kept(name) && declared(naming).is_some() && declared(naming) == declared(&self.naming)
        };
        let has_same_owner = |name: &str| {
            let mut owners = naming.objects.iter().filter(|(_, named)| named.fields.contains(name));
            let is_same = |owner: &str| old.get(owner).is_some_and(|named| named.fields.contains(name));
            owners.all(|(owner, _)| has_same_declaration(owner) && is_same(owner))
                && !naming.of.values().any(|names| names.contains(name))
        };
        let mut places = others.iter().filter_map(|name| match old.get(name).map(|named| &named.by) {
            Some(By::Place(file)) => Some(*file),
            Some(By::Declaration(_) | By::Instance) | None => None,
        });
        let places: BTreeSet<Option<FileId>> = places.by_ref().collect();
        let object_fits = |(name, named): (&String, &crate::parse::types::naming::Named)| {
            if is_kept(name) {
                let is_same =
                    self.contract.types.get(name).is_some_and(|object| new.types.get(name) == Some(object));
                return is_same
                    && match named.by {
                        By::Declaration(_) => has_same_declaration(name),
                        By::Place(_) => {
                            old.get(name).is_some_and(|old| old.by == named.by) && has_same_owner(name)
                        }
                        // What is bound may differ where the names do not.
                        By::Instance => false,
                    };
            }
            match named.by {
                // What is written elsewhere may have a name already.
                By::Place(file) => file.is_some_and(|file| of.contains(&file)) || !places.contains(&file),
                By::Declaration(_) | By::Instance => true,
            }
        };
        let enum_fits = |(name, at): (&String, &String)| match self.naming.enums.get(name) {
            Some(known) => known == at && self.contract.enums.get(name) == new.enums.get(name),
            None => true,
        };
        naming.objects.iter().all(object_fits) && naming.enums.iter().all(enum_fits)
    }

    /// Puts the uses of storage of some modules in their places. `None` if other tables are used than before.
    fn put_uses(&mut self, of: &BTreeSet<FileId>, found: Vec<crate::contract::StorageUse>) -> Option<()> {
        let places = self.contract.endpoints.iter().enumerate();
        let places: Vec<usize> = places
            .filter(|(_, endpoint)| of.contains(&endpoint.binding.file))
            .map(|(place, _)| place)
            .collect();
        let tables = |contract: &Contract| -> BTreeSet<String> {
            contract.storage_uses.iter().map(|used| used.table.clone()).collect()
        };
        let before = tables(&self.contract);
        self.contract.storage_uses.retain(|used| !of.contains(&used.location.file));
        for mut used in found {
            used.endpoint = match used.endpoint {
                Some(endpoint) => Some(*places.get(endpoint)?),
                None => None,
            };
            self.contract.storage_uses.push(used);
        }
        self.contract.storage_uses.sort_by_key(|used| used.location.file);
        (tables(&self.contract) == before).then_some(())
    }
}

/// Whether modules have the same endpoints as before, each an export with its body in the module; what middlewares select by is the same.
fn fits(old: &Contract, new: &Contract, of: &BTreeSet<FileId>) -> bool {
    let is_of = |endpoint: &&Endpoint| of.contains(&endpoint.binding.file);
    let before: Vec<&Endpoint> = old.endpoints.iter().filter(is_of).collect();
    let is_same = |(before, after): (&&Endpoint, &Endpoint)| {
        let is_selected = before.name == after.name && before.options == after.options;
        before.binding == after.binding
            && before.binding.members.is_empty()
            && (old.middleware.is_empty() || is_selected)
    };
    let is_elsewhere = |used: &crate::contract::StorageUse| {
        let endpoint = used.endpoint.and_then(|place| old.endpoints.get(place));
        endpoint.is_some_and(|endpoint| {
            of.contains(&endpoint.binding.file) && endpoint.binding.file != used.location.file
        })
    };
    before.len() == new.endpoints.len()
        && before.iter().zip(&new.endpoints).all(is_same)
        && !old.storage_uses.iter().any(is_elsewhere)
}

impl Run<'_> {
    /// What becomes of an outcome when `edited` modules, and no others, have texts that count. `None` where everything has to be
    /// looked at.
    pub(super) fn promised(
        &self,
        loaded: &Loaded,
        project: &Project,
        modules: &[Module<'_>],
        (outcome, edited): (&KeptOutcome, &BTreeSet<FileId>),
    ) -> Option<Promised> {
        let sources = &loaded.sources;
        if !outcome.diagnostics.is_empty() || !loaded.diagnostics.is_empty() || outcome.searched {
            return None;
        }
        let (mut promises, apart) = (Promises::decode(self.kept?.promises)?, Apart::decode(&outcome.apart)?);
        let affected = promises.affected(edited)?;
        let looked_at: BTreeMap<FileId, Option<Gist>> =
            outcome.texts.iter().map(|text| (text.file, text.gist)).collect();
        let again: BTreeSet<FileId> =
            affected.iter().copied().filter(|file| looked_at.contains_key(file)).collect();
        for path in &outcome.packages {
            sources.add(path);
        }
        let graph = self.graph_of(loaded, project, modules, (&promises, &again))?;
        let involved: BTreeSet<FileId> =
            again.iter().copied().filter(|file| apart.is_involved(*file)).collect();
        let alone = extract_alone(&graph, &involved, promises.tables.clone())?;
        let mut gists = BTreeMap::new();
        for file in &again {
            let module = graph.module(*file)?;
            if apart.is_involved(*file) {
                let view = promises.same_view(&graph, module)?;
                promises.views.of.insert(*file, view);
            }
            if edited.contains(file) {
                let text = &sources.file(*file).text;
                let (before, gist) = ((*looked_at.get(file)?)?, Gist::of(module, text, outcome.searched));
                if before.changed != gist.changed || has_import_types(module, text) {
                    return None;
                }
                gists.insert(*file, gist);
            }
        }
        let has_asked_more = graph.asked().any(|file| apart.has(file))
            || graph.with_trees().any(|file| !looked_at.contains_key(&file))
            || sources.of_packages().count() != outcome.packages.len()
            || (promises.changed.is_none() && graph.changed_if_asked().is_some());
        if has_asked_more {
            return None;
        }
        let promises = promises.with(&again, alone)?;
        crate::is_in_order(&self.traced, &promises.contract, sources).then_some(Promised { promises, gists })
    }

    /// Some modules, what all may depend on, and what these lead to.
    fn graph_of(
        &self,
        loaded: &Loaded,
        project: &Project,
        modules: &[Module<'_>],
        (promises, files): (&Promises, &BTreeSet<FileId>),
    ) -> Option<ModuleGraph> {
        let roots = files.iter().chain(&promises.common).copied();
        let summary = |file: FileId| {
            let place = modules.binary_search_by_key(&file, |module| module.file).ok()?;
            let summary = ModuleSummary::decode(modules[place].summary.as_ref().ok()?)?;
            Some((file, Read::from(summary)))
        };
        let read: Option<Vec<_>> = closure(roots, &promises.leads).into_iter().map(summary).collect();
        let mut graph = parse::link_some(&loaded.sources, project, read?);
        if let Some(changed) = &promises.changed {
            graph.set_changed(changed.clone());
        }
        Some(graph)
    }
}

fn closure(roots: impl Iterator<Item = FileId>, leads: &BTreeMap<FileId, Vec<FileId>>) -> BTreeSet<FileId> {
    let (mut found, mut queue) = (BTreeSet::new(), roots.collect::<Vec<FileId>>());
    while let Some(file) = queue.pop() {
        if found.insert(file) {
            queue.extend(leads.get(&file).into_iter().flatten());
        }
    }
    found
}

/// Of more modules that lead to an edited one, everything is looked at.
const AFFECTED_MAX: usize = 64;

#[cfg(test)]
mod tests;
