//! What changed between two schemas.

use super::schema::{FieldSchema, Schema, TableSchema};
use std::collections::BTreeSet;

/// A difference, in the words of the newer schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// A new table.
    TableAdded {
        /// Its name.
        table: String,
    },
    /// A table that no interface describes any more.
    TableRemoved {
        /// Its name.
        table: String,
    },
    /// Rows are found by another field.
    KeyChanged {
        /// The table.
        table: String,
        /// The key so far.
        from: String,
        /// The key from here on.
        to: String,
    },
    /// Rows belong to others.
    ScopeChanged {
        /// The table.
        table: String,
        /// The scope so far.
        from: String,
        /// The scope from here on.
        to: String,
    },
    /// Something about a field of a table, or of an object type inside of rows.
    Field {
        /// Where the field is.
        owner: FieldOwner,
        /// Its name.
        field: String,
        /// What about it.
        change: FieldChange,
    },
}

/// What has a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FieldOwner {
    /// A table, by its name.
    Table(String),
    /// An object type inside of rows, by its name.
    Type(String),
}

/// What changed about a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FieldChange {
    /// New, and a row may lack it.
    AddedOptional,
    /// New, and every row has to have it.
    AddedRequired,
    /// Gone; perhaps under another name, if exactly one new field has its type.
    Removed {
        /// That field.
        perhaps_renamed: Option<String>,
    },
    /// Another type.
    Type {
        /// The type so far.
        from: String,
        /// The type from here on.
        to: String,
    },
    /// Rows may lack it from here on.
    BecameOptional,
    /// Rows may no longer lack it.
    BecameRequired,
    /// Whether it keeps its first value.
    ReadOnly(bool),
    /// Other permission bits.
    Perm {
        /// The bits so far.
        from: String,
        /// The bits from here on.
        to: String,
    },
    /// Whether it is looked up by.
    Index(bool),
    /// Whether its values are unique.
    Unique(bool),
}

/// The changes that lead from one schema to another; tables first, then object types, each by name.
pub fn diff(before: &Schema, after: &Schema) -> Vec<Change> {
    let mut changes = Vec::new();
    let tables: BTreeSet<&String> = before.tables.keys().chain(after.tables.keys()).collect();
    for name in tables {
        match (before.tables.get(name), after.tables.get(name)) {
            (None, _) => changes.push(Change::TableAdded { table: name.clone() }),
            (_, None) => changes.push(Change::TableRemoved { table: name.clone() }),
            (Some(before), Some(after)) => table_changes(name, before, after, &mut changes),
        }
    }
    // A type that appears or disappears does so with the fields that have it.
    for (name, after) in &after.types {
        if let Some(before) = before.types.get(name) {
            field_changes(&FieldOwner::Type(name.clone()), before, after, &mut changes);
        }
    }
    changes
}

fn table_changes(name: &str, before: &TableSchema, after: &TableSchema, changes: &mut Vec<Change>) {
    let table = || name.to_owned();
    if before.key != after.key {
        changes.push(Change::KeyChanged { table: table(), from: before.key.clone(), to: after.key.clone() });
    }
    if before.scope != after.scope {
        let (from, to) = (before.scope.clone(), after.scope.clone());
        changes.push(Change::ScopeChanged { table: table(), from, to });
    }
    field_changes(&FieldOwner::Table(table()), &before.fields, &after.fields, changes);
}

fn field_changes(
    owner: &FieldOwner,
    before: &[FieldSchema],
    after: &[FieldSchema],
    changes: &mut Vec<Change>,
) {
    let find = |fields: &[FieldSchema], name: &str| fields.iter().find(|field| field.name == name).cloned();
    let mut push = |field: &str, change| {
        changes.push(Change::Field { owner: owner.clone(), field: field.to_owned(), change });
    };
    for old in before.iter().filter(|old| find(after, &old.name).is_none()) {
        let is_new = |field: &&FieldSchema| find(before, &field.name).is_none() && field.ty == old.ty;
        let candidates: Vec<&FieldSchema> = after.iter().filter(is_new).collect();
        let perhaps_renamed = match candidates.as_slice() {
            [only] => Some(only.name.clone()),
            _ => None,
        };
        push(&old.name, FieldChange::Removed { perhaps_renamed });
    }
    for new in after {
        match find(before, &new.name) {
            None if new.optional => push(&new.name, FieldChange::AddedOptional),
            None => push(&new.name, FieldChange::AddedRequired),
            Some(old) => {
                for change in same_field_changes(&old, new) {
                    push(&new.name, change);
                }
            }
        }
    }
}

fn same_field_changes(old: &FieldSchema, new: &FieldSchema) -> Vec<FieldChange> {
    let mut changes = Vec::new();
    if old.ty != new.ty {
        changes.push(FieldChange::Type { from: old.ty.clone(), to: new.ty.clone() });
    }
    match (old.optional, new.optional) {
        (false, true) => changes.push(FieldChange::BecameOptional),
        (true, false) => changes.push(FieldChange::BecameRequired),
        (false, false) | (true, true) => {}
    }
    if old.readonly != new.readonly {
        changes.push(FieldChange::ReadOnly(new.readonly));
    }
    if old.perm != new.perm {
        changes.push(FieldChange::Perm { from: old.perm.clone(), to: new.perm.clone() });
    }
    if old.index != new.index {
        changes.push(FieldChange::Index(new.index));
    }
    if old.unique != new.unique {
        changes.push(FieldChange::Unique(new.unique));
    }
    changes
}
