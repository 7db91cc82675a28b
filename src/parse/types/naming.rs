//! What object types and enums are called, for whom, and why: to say whether those of some modules would be called the same if
//! those of others were other ones.
//!
//! ```text
//! api.ts    load(row: Row): Page<Row>     of: { api.ts: Row, PageRow }     objects: { Row: of model.ts, fields …; PageRow: an instance }
//! ```
//!
//! Names go to who asks first, and most types are the only ones that ask for theirs. Where a type would have another name, be
//! another one, or an evaluation come to a limit, had others been looked at before, [`Naming::by_order`] says so.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::TypeResolver;
use super::model::{Source, SymbolId, Type, TypeId};
use crate::parse::limits::{HOPS_MAX, TYPE_DEPTH_MAX, TYPE_STEPS_MAX};
use crate::source::{FileId, Location};

/// All names of a project, or of some of its modules.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Naming {
    /// Object types, also those that only were on the way to others.
    pub(crate) objects: BTreeMap<String, Named>,
    /// Where each enum is declared.
    pub(crate) enums: BTreeMap<String, String>,
    /// The object types that a module's endpoints name themselves, and with `None` those that tables do.
    pub(crate) of: BTreeMap<Option<FileId>, BTreeSet<String>>,
    /// Whether anything depends on what was looked at first.
    pub(crate) by_order: bool,
}

/// An object type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Named {
    pub(crate) by: By,
    /// The object types that its fields name.
    pub(crate) fields: BTreeSet<String>,
}

/// What gives a type its name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum By {
    /// Its declaration.
    Declaration(String),
    /// A declaration, and type arguments.
    Instance,
    /// The endpoint or field that has it; the file that it is written in, if it is.
    Place(Option<FileId>),
}

impl Naming {
    /// The names that these ask for, in the order of the alphabet.
    pub(crate) fn reached<'n>(&'n self, roots: impl Iterator<Item = &'n String>) -> BTreeSet<&'n str> {
        let (mut found, mut queue) = (BTreeSet::new(), roots.map(String::as_str).collect::<Vec<_>>());
        while let Some(name) = queue.pop() {
            if found.insert(name) {
                let named = self.objects.get(name).into_iter();
                queue.extend(named.flat_map(|named| &named.fields).map(String::as_str));
            }
        }
        found
    }
}

/// What is known of the naming while types are lowered.
#[derive(Default)]
pub(super) struct Names {
    pub(super) naming: Naming,
    /// The module whose endpoints are looked at.
    pub(super) module: Option<FileId>,
    /// The object type whose fields are.
    owner: Option<String>,
    /// How deep types are lowered within each other, had none been known before, at most.
    deepest: usize,
    /// The same below each object type.
    heights: BTreeMap<String, usize>,
}

impl Names {
    /// Somebody names a type.
    fn ask(&mut self, name: &str) {
        let asked = match &self.owner {
            Some(owner) => self.naming.objects.get_mut(owner).map(|owner| &mut owner.fields),
            None => Some(self.naming.of.entry(self.module).or_default()),
        };
        if let Some(asked) = asked {
            asked.insert(name.to_owned());
        }
    }

    /// Types are lowered within each other, so deep.
    pub(super) fn at_depth(&mut self, depth: usize) {
        self.deepest = self.deepest.max(depth);
        self.naming.by_order |= self.deepest > HOPS_MAX / 2;
    }

    /// A type that has its name is named once more.
    pub(super) fn known(&mut self, name: &str, depth: usize) {
        self.ask(name);
        let by_place = |named: &Named| matches!(named.by, By::Place(_));
        self.naming.by_order |= self.naming.objects.get(name).is_some_and(by_place);
        self.at_depth(depth + self.heights.get(name).copied().unwrap_or(0));
    }

    /// A type gets its name, and its fields are going to be lowered.
    pub(super) fn enter(&mut self, name: &str, by: By, depth: usize) -> Outer {
        self.ask(name);
        self.naming.objects.insert(name.to_owned(), Named { by, fields: BTreeSet::new() });
        let outer = Outer { owner: self.owner.replace(name.to_owned()), deepest: self.deepest, began: depth };
        self.deepest = depth;
        outer
    }

    /// They are.
    pub(super) fn leave(&mut self, outer: Outer) {
        if let Some(name) = std::mem::replace(&mut self.owner, outer.owner) {
            self.heights.insert(name, self.deepest - outer.began);
        }
        self.deepest = self.deepest.max(outer.deepest);
    }
}

/// What was looked at around a type.
pub(super) struct Outer {
    owner: Option<String>,
    deepest: usize,
    began: usize,
}

impl<'g> TypeResolver<'g> {
    /// From here on, the endpoints of a module are looked at, or with `None` tables.
    pub(crate) fn look_at(&mut self, module: Option<FileId>) {
        self.named.module = module;
    }

    /// What gives an object type its name; `at` is where it stands, if it is written anywhere.
    pub(super) fn named_by(
        &mut self,
        ty: TypeId,
        symbol: Option<(SymbolId, bool)>,
        at: Option<Location>,
    ) -> By {
        // Of intersections that are made of the same, one alias names all.
        self.named.naming.by_order |= matches!(self.types.get(ty), Type::Intersection(_));
        match symbol {
            Some((_, true)) => By::Instance,
            Some((symbol, false)) => By::Declaration(self.declared_at(symbol)),
            None => By::Place(at.map(|at| at.file)),
        }
    }

    /// A name by which a declaration is known in all runs.
    pub(super) fn declared_at(&self, symbol: SymbolId) -> String {
        let symbol = self.types.symbol_of(symbol);
        let module = self.types.module_ref(symbol.module);
        let of = if module.own { "kontract" } else { "" };
        format!("{of}:{}#{}", module.module.path, symbol.path)
    }

    /// Whether a type argument is called the same before it has a name of its own.
    pub(super) fn is_named_alike(&self, ty: TypeId) -> bool {
        let Type::Object(object) = self.types.get(ty) else { return true };
        let object = &self.types.objects[object.place()];
        let symbol = match (&object.source, object.alias) {
            (Source::Declared { symbol, .. }, _) => Some(*symbol),
            (_, Some(alias)) => Some(self.types.aliases[alias.place()].alias.symbol),
            _ => None,
        };
        symbol.is_some_and(|symbol| self.types.symbol_of(symbol).name() != super::symbols::DEFAULT)
    }

    /// The names, once everything has been lowered.
    pub(super) fn naming(&mut self) -> Naming {
        let (steps, depth) = self.types.spent_at_most();
        let mut naming = std::mem::take(&mut self.named.naming);
        let comes_near = steps >= TYPE_STEPS_MAX || depth > TYPE_DEPTH_MAX / 4;
        naming.by_order |= comes_near || self.types.has_circles;
        naming
    }
}
