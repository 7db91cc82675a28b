//! A table: rows of one interface, reached as `env.storage.<name>`.

use serde::{Deserialize, Serialize};

use super::Perms;
use crate::source::Location;

/// One table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Table {
    /// The name in `env.storage.<name>`: `entries`.
    pub name: String,
    /// The interface that describes a row, a key of [`super::Contract::types`].
    pub entity: String,
    /// Whose rows a caller sees.
    pub scope: Scope,
    /// The field marked `@primkey`, otherwise the first one.
    pub key: String,
    /// The interface's name in the source.
    pub location: Location,
}

/// Whose rows a caller of a table sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Scope {
    /// One set of rows for everybody.
    Shared,
    /// Each owner sees rows of its own.
    Owner,
    /// Each tenant has a table of its own.
    Tenant,
}

/// A place where the source visibly uses `env.storage.<table>`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StorageUse {
    /// The table's name as written.
    pub table: String,
    /// What is done with it; `None` when it cannot be seen.
    pub operation: Option<StorageOperation>,
    /// The endpoint whose body holds the place: an index into [`super::Contract::endpoints`].
    pub endpoint: Option<usize>,
    /// The table's name in the source.
    pub location: Location,
}

/// A method of a table, or iteration over it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StorageOperation {
    /// The method's name; `for … of` for iteration.
    pub name: String,
    /// The bit that an endpoint needs for it.
    #[serde(with = "super::bits")]
    pub needs: Perms,
}
