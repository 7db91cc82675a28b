//! Why no plan can be made, with what to do about it.

use super::diff::{Change, FieldChange, FieldOwner};
use crate::source::Location;

/// Something that a person has to decide or repair first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// A change that stored rows may not survive.
    Dangerous {
        /// The change.
        change: Change,
        /// Why.
        why: &'static str,
        /// What to do.
        help: &'static str,
        /// The table's interface, while there is one.
        location: Option<Location>,
    },
    /// A migration whose text is not the one that was locked.
    Edited {
        /// Its name.
        migration: String,
    },
    /// A locked migration without a file.
    Missing {
        /// Its name.
        migration: String,
    },
    /// A generated migration that the lock does not know: another lock was there when it was generated.
    Unlocked {
        /// Its name.
        migration: String,
    },
    /// Two migrations of one number, or a new one before a locked one.
    OutOfOrder {
        /// The migration that comes first.
        before: String,
        /// The migration that cannot come behind it.
        migration: String,
    },
    /// A field name that no database can hold.
    NulInName {
        /// The table.
        table: String,
        /// The table's interface.
        location: Option<Location>,
    },
}

impl Refusal {
    /// One line: what is wrong.
    pub fn message(&self) -> String {
        match self {
            Self::Dangerous { change, .. } => change_text(change),
            Self::Edited { migration } => format!("migration `{migration}` was edited after it was locked"),
            Self::Missing { migration } => {
                format!("migration `{migration}` is locked, and its file is missing")
            }
            Self::Unlocked { migration } => {
                format!("migration `{migration}` was generated, and kontract.lock.json does not know it")
            }
            Self::OutOfOrder { before, migration } => {
                format!("migration `{migration}` cannot come behind `{before}`")
            }
            Self::NulInName { table, .. } => {
                format!("a field of table `{table}` has a NUL character in its name")
            }
        }
    }

    /// Why it is wrong.
    pub fn why(&self) -> &'static str {
        match self {
            Self::Dangerous { why, .. } => why,
            Self::Edited { .. } => "databases that have it already would differ from new ones",
            Self::Missing { .. } => "new databases would differ from those that have it already",
            Self::Unlocked { .. } => {
                "the lock that came with it says what databases have and where each field is on the wire; without it, nothing guards stored rows and deployed clients"
            }
            Self::OutOfOrder { .. } => "databases would apply migrations in different orders",
            Self::NulInName { .. } => "PostgreSQL's text cannot hold it",
        }
    }

    /// What to do.
    pub fn help(&self) -> &'static str {
        match self {
            Self::Dangerous { help, .. } => help,
            Self::Edited { .. } => "put the locked text back, and write a new migration for the difference",
            Self::Missing { .. } => "put the file back from version control",
            Self::Unlocked { .. } => {
                "put that kontract.lock.json back from version control; or, where the migration is on no other branch and in no database, delete it, and the next build generates it anew"
            }
            Self::OutOfOrder { .. } => "give it the next free number",
            Self::NulInName { .. } => "rename the field",
        }
    }

    /// Where in the source, if anywhere.
    pub fn location(&self) -> Option<Location> {
        match self {
            Self::Dangerous { location, .. } | Self::NulInName { location, .. } => *location,
            Self::Edited { .. } | Self::Missing { .. } | Self::Unlocked { .. } | Self::OutOfOrder { .. } => {
                None
            }
        }
    }
}

/// A change on one line.
pub fn change_text(change: &Change) -> String {
    match change {
        Change::TableAdded { table } => format!("table `{table}` is new"),
        Change::TableRemoved { table } => format!("table `{table}` was removed"),
        Change::KeyChanged { table, from, to } => {
            format!("the key of table `{table}` changed from `{from}` to `{to}`")
        }
        Change::ScopeChanged { table, from, to } => {
            format!("the scope of table `{table}` changed from {from} to {to}")
        }
        Change::Field { owner, field, change } => {
            let owner = match owner {
                FieldOwner::Table(name) | FieldOwner::Type(name) => name,
            };
            format!("`{owner}.{field}` {}", field_change_text(change))
        }
    }
}

fn field_change_text(change: &FieldChange) -> String {
    match change {
        FieldChange::AddedOptional => "is new and optional".to_owned(),
        FieldChange::AddedRequired => "is new and required".to_owned(),
        FieldChange::Removed { perhaps_renamed: None } => "was removed".to_owned(),
        FieldChange::Removed { perhaps_renamed: Some(name) } => {
            format!("was removed, or renamed to `{name}`")
        }
        FieldChange::Type { from, to } => format!("changed its type from `{from}` to `{to}`"),
        FieldChange::BecameOptional => "became optional".to_owned(),
        FieldChange::BecameRequired => "became required".to_owned(),
        FieldChange::ReadOnly(true) => "became read-only".to_owned(),
        FieldChange::ReadOnly(false) => "became writable".to_owned(),
        FieldChange::Perm { from, to } => format!("changed its permissions from {from} to {to}"),
        FieldChange::Index(true) => "got an index".to_owned(),
        FieldChange::Index(false) => "lost its index".to_owned(),
        FieldChange::Unique(true) => "became unique".to_owned(),
        FieldChange::Unique(false) => "is no longer unique".to_owned(),
    }
}
