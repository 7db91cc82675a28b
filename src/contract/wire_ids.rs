//! Which place each field has on the wire. The lock keeps it, so that adding, reordering or renaming fields in the source
//! moves none.
//!
//! An id is what FlatBuffers calls so: the slot in the table's vtable. A field that is gone keeps its own for ever, as messages
//! of older builds may have it.

use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// Everything of a contract that travels, with its ids.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WireIds {
    /// Endpoints by name.
    #[serde(default)]
    pub endpoints: BTreeMap<String, WireEndpoint>,
    /// Fields of object types, by the types' keys.
    #[serde(default)]
    pub types: BTreeMap<String, Vec<WireField>>,
}

/// What an endpoint exchanges.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WireEndpoint {
    /// Parameters by their ids.
    pub params: Vec<WireField>,
    /// The result's type in TypeScript's notation.
    pub returns: String,
    /// Keys of the object types that parameters consist of.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub takes: BTreeSet<String>,
    /// Keys of the object types that the result consists of.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub gives: BTreeSet<String>,
}

/// A field or parameter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WireField {
    /// Its slot.
    pub id: u32,
    /// The slot of the number of a union's member; always the one before the field's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tag: Option<u32>,
    /// The slot of the flag that tells null from absent, once it has had one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub null: Option<u32>,
    /// Its name.
    pub name: String,
    /// Its type in TypeScript's notation.
    #[serde(rename = "type")]
    pub ty: String,
    /// Whether it may be absent.
    #[serde(default, skip_serializing_if = "is_false")]
    pub optional: bool,
    /// Whether it is gone, and only its ids are left.
    #[serde(default, skip_serializing_if = "is_false")]
    pub removed: bool,
}

/// A field of the source that is to have a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// Its name.
    pub name: String,
    /// Its type in TypeScript's notation.
    pub ty: String,
    /// Whether it may be absent.
    pub optional: bool,
    /// Whether it is a union, which takes another slot.
    pub tagged: bool,
    /// Whether it may be absent and may be null, which takes another slot.
    pub flagged: bool,
}

/// A field that has another name since the lock: `Entry.text=body`, or for a parameter `sign().text=body`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldRename {
    /// Key of an object type, or name of an endpoint.
    pub owner: String,
    /// Whether the owner is an endpoint.
    pub of_endpoint: bool,
    /// The name so far.
    pub from: String,
    /// The name in the source.
    pub to: String,
}

/// Why a rename cannot be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RenameFault {
    /// No such type or endpoint was locked.
    UnknownOwner,
    /// It has no field of the old name.
    UnknownField,
    /// It has a field of the new name.
    Taken,
    /// The source has no field of the new name.
    NotInSource,
}

impl FieldRename {
    /// Reads `Entry.text=body` or `sign().text=body`.
    pub fn parse(text: &str) -> Option<Self> {
        let (path, to) = text.split_once('=')?;
        let (owner, from) = path.rsplit_once('.')?;
        let name = owner.strip_suffix("()");
        let owner = name.unwrap_or(owner);
        let full = [owner, from, to].iter().all(|part| !part.is_empty());
        full.then(|| Self {
            owner: owner.to_owned(),
            of_endpoint: name.is_some(),
            from: from.to_owned(),
            to: to.to_owned(),
        })
    }
}

impl fmt::Display for FieldRename {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { owner, of_endpoint, from, to } = self;
        write!(f, "{owner}{}.{from}={to}", if *of_endpoint { "()" } else { "" })
    }
}

/// Slots that a table can have: a vtable and a table have 16-bit lengths, and this many slots of eight bytes fit.
pub const SLOTS_MAX: usize = 4096;

impl WireIds {
    /// Why these cannot be the places of anything: what a hand or a merge makes of them.
    pub fn fault(&self) -> Option<String> {
        let params = |(name, endpoint): (&String, &WireEndpoint)| {
            fields_fault(&endpoint.params).map(|fault| format!("of `{name}()`, {fault}"))
        };
        let fields = |(key, fields): (&String, &Vec<WireField>)| {
            fields_fault(fields).map(|fault| format!("of `{key}`, {fault}"))
        };
        self.endpoints.iter().find_map(params).or_else(|| self.types.iter().find_map(fields))
    }

    /// Whether there is a field of the new name.
    pub fn has(&self, rename: &FieldRename) -> bool {
        let fields = if rename.of_endpoint {
            self.endpoints.get(&rename.owner).map(|endpoint| &endpoint.params)
        } else {
            self.types.get(&rename.owner)
        };
        fields.is_some_and(|fields| fields.iter().any(|field| !field.removed && field.name == rename.to))
    }

    /// Calls a field by its new name.
    ///
    /// # Errors
    /// [`RenameFault`] where there is none of the old name, or one of the new.
    pub fn rename(&mut self, rename: &FieldRename) -> Result<(), RenameFault> {
        let fields = if rename.of_endpoint {
            self.endpoints.get_mut(&rename.owner).map(|endpoint| &mut endpoint.params)
        } else {
            self.types.get_mut(&rename.owner)
        };
        let Some(fields) = fields else { return Err(RenameFault::UnknownOwner) };
        let place = |name: &str| fields.iter().position(|field| !field.removed && field.name == name);
        match (place(&rename.from), place(&rename.to)) {
            (None, _) => Err(RenameFault::UnknownField),
            (Some(_), Some(_)) => Err(RenameFault::Taken),
            (Some(field), None) => {
                fields[field].name.clone_from(&rename.to);
                Ok(())
            }
        }
    }
}

/// Gives each field its place: the one that it has already, else new ones behind all that were ever given. First the fields
/// that are wanted, in their order, then those that are gone.
pub fn assign(known: &[WireField], wanted: Vec<Wanted>) -> Vec<WireField> {
    let mut next = known.iter().map(WireField::end).max().unwrap_or(0);
    let mut fresh = || {
        next += 1;
        next - 1
    };
    let mut fields = Vec::with_capacity(wanted.len());
    for Wanted { name, ty, optional, tagged, flagged } in wanted {
        let old =
            known.iter().find(|field| !field.removed && field.name == name && field.tag.is_some() == tagged);
        let (tag, id) = match old {
            Some(old) => (old.tag, old.id),
            None => (tagged.then(&mut fresh), fresh()),
        };
        let null = old.and_then(|old| old.null).or_else(|| flagged.then(&mut fresh));
        fields.push(WireField { id, tag, null, name, ty, optional, removed: false });
    }
    let taken: BTreeSet<u32> = fields.iter().map(|field| field.id).collect();
    let gone = known.iter().filter(|field| !taken.contains(&field.id));
    fields.extend(gone.map(|field| WireField { removed: true, ..field.clone() }));
    fields
}

fn fields_fault(fields: &[WireField]) -> Option<String> {
    let (mut names, mut slots) = (BTreeSet::new(), BTreeMap::new());
    for field in fields {
        let name = field.name.as_str();
        if !field.removed && !names.insert(name) {
            return Some(format!("`{name}` is there twice"));
        }
        if field.tag.is_some_and(|tag| tag.checked_add(1) != Some(field.id)) {
            return Some(format!("the tag of `{name}` is not right before its id"));
        }
        for slot in [field.tag, Some(field.id), field.null].into_iter().flatten() {
            if usize::try_from(slot).map_or(true, |slot| slot >= SLOTS_MAX) {
                return Some(format!("`{name}` has {slot}, and there are ids below {SLOTS_MAX} only"));
            }
            if let Some(other) = slots.insert(slot, name) {
                return Some(format!("`{other}` and `{name}` both have id {slot}"));
            }
        }
    }
    None
}

impl WireField {
    /// The first slot behind its own.
    fn end(&self) -> u32 {
        [Some(self.id), self.null].into_iter().flatten().max().unwrap_or(self.id).saturating_add(1)
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
fn is_false(value: &bool) -> bool {
    !*value
}

#[cfg(test)]
mod tests {
    use super::{FieldRename, RenameFault, Wanted, WireField, WireIds, assign};

    fn wanted(names: &[&str]) -> Vec<Wanted> {
        let field = |name: &&str| Wanted {
            name: name.trim_end_matches(['|', '?']).to_owned(),
            ty: "string".to_owned(),
            optional: name.ends_with('?'),
            tagged: name.contains('|'),
            flagged: name.ends_with('?'),
        };
        names.iter().map(field).collect()
    }

    fn ids(fields: &[WireField]) -> Vec<(&str, u32, bool)> {
        fields.iter().map(|field| (field.name.as_str(), field.id, field.removed)).collect()
    }

    #[test]
    fn new_fields_go_behind_all_others_and_removed_ones_keep_their_place() {
        let first = assign(&[], wanted(&["a", "b|", "c?"]));
        assert_eq!(ids(&first), [("a", 0, false), ("b", 2, false), ("c", 3, false)]);
        assert_eq!((first[1].tag, first[2].null), (Some(1), Some(4)));
        let second = assign(&first, wanted(&["d", "c?", "a"]));
        assert_eq!(ids(&second), [("d", 5, false), ("c", 3, false), ("a", 0, false), ("b", 2, true)]);
        let third = assign(&second, wanted(&["b|"]));
        assert_eq!(ids(&third)[0], ("b", 7, false), "what was gone comes back elsewhere");
    }

    #[test]
    fn a_field_that_becomes_a_union_moves_and_one_that_loses_its_flag_does_not() {
        let first = assign(&[], wanted(&["a", "b?"]));
        let second = assign(&first, wanted(&["a|", "b"]));
        assert_eq!(ids(&second), [("a", 4, false), ("b", 1, false), ("a", 0, true)]);
        assert_eq!(second[1].null, Some(2), "its flag is not given away");
    }

    #[test]
    fn ids_that_cannot_be_are_refused_by_name() {
        type Change = fn(&mut Vec<WireField>);
        let fault = |fields: Vec<WireField>| {
            let mut ids = WireIds::default();
            ids.types.insert("Entry".to_owned(), fields);
            ids.fault()
        };
        let fields = || assign(&assign(&[], wanted(&["a", "b|", "c?"])), wanted(&["b|", "c?"]));
        assert_eq!(fault(fields()), None);
        let changes: [(Change, &str); 5] = [
            (|fields| fields[1].name.push('b'), ""),
            (|fields| fields[1].name = "b".to_owned(), "of `Entry`, `b` is there twice"),
            (|fields| fields[1].id = 0, "of `Entry`, `c` and `a` both have id 0"),
            (|fields| fields[0].tag = Some(9), "of `Entry`, the tag of `b` is not right before its id"),
            (
                |fields| fields[1].null = Some(4096),
                "of `Entry`, `c` has 4096, and there are ids below 4096 only",
            ),
        ];
        for (change, expected) in changes {
            let mut fields = fields();
            change(&mut fields);
            assert_eq!(fault(fields).unwrap_or_default(), expected);
        }
    }

    #[test]
    fn a_rename_keeps_the_id_and_is_refused_where_it_means_nothing() {
        let mut ids = WireIds::default();
        ids.types.insert("Entry".to_owned(), assign(&[], wanted(&["a", "b"])));
        let rename = |text: &str| FieldRename::parse(text).expect("well formed");
        assert_eq!(ids.rename(&rename("Entry.b=c")), Ok(()));
        assert_eq!(assign(&ids.types["Entry"], wanted(&["c", "a"]))[0].id, 1);
        for (wrong, fault) in [
            ("Entry.b=d", RenameFault::UnknownField),
            ("Entry.a=c", RenameFault::Taken),
            ("Other.a=d", RenameFault::UnknownOwner),
            ("Entry().a=d", RenameFault::UnknownOwner),
        ] {
            assert_eq!(ids.rename(&rename(wrong)), Err(fault), "{wrong}");
        }
        for malformed in ["a=b", "Entry.a", "Entry.=b", "Entry.a=", ".a=b", "().a=b"] {
            assert_eq!(FieldRename::parse(malformed), None, "{malformed}");
        }
    }
}
