//! A table: rows of one interface, reached as `env.storage.<name>`.

use crate::source::Location;

/// One table.
#[derive(Debug, Clone, PartialEq)]
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
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// One set of rows for everybody.
    Shared,
    /// Each owner sees rows of its own.
    Owner,
    /// Each tenant has a table of its own.
    Tenant,
}
