//! What the back ends cannot lay out or name. Every variant says where.

use crate::source::Location;

/// A contract for which no stubs can be generated; always the user's fault.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StubError {
    /// A reference to an object type that the contract does not have.
    #[error("type `{name}` is not known")]
    UnknownType {
        /// The type's name.
        name: String,
        /// What refers to it.
        location: Location,
    },
    /// A type that has no layout.
    #[error("`{ty}` has no layout on the wire")]
    Unsupported {
        /// The type.
        ty: String,
        /// The field, parameter or endpoint.
        location: Location,
    },
    /// `void` where a value is needed.
    #[error("`void` is a type of results only")]
    VoidInside {
        /// The field or parameter.
        location: Location,
    },
    /// A property that would set the prototype of what is decoded.
    #[error("a field cannot be named `__proto__`")]
    ProtoField {
        /// The field.
        location: Location,
    },
    /// An enum without values, or with more than there are numbers for.
    #[error("an enum of {values} values; 1 to {values_max} are possible")]
    EnumSize {
        /// How many it has.
        values: usize,
        /// How many it may have.
        values_max: usize,
        /// The field or parameter.
        location: Location,
    },
    /// A union with more members than there are numbers for.
    #[error("a union of more than {members_max} members")]
    UnionSize {
        /// How many it may have.
        members_max: usize,
        /// The field or parameter.
        location: Location,
    },
    /// A type with more fields than a table has slots.
    #[error("`{table}` has more than {slots_max} fields")]
    TooManyFields {
        /// Name in the schema.
        table: String,
        /// The limit.
        slots_max: usize,
        /// The type or the endpoint.
        location: Location,
    },
    /// A table that has no physical name.
    #[error("table `{name}` has no ptr")]
    NoPtr {
        /// The table's name.
        name: String,
        /// The table's interface.
        location: Location,
    },
}

impl StubError {
    /// Where the fault lies.
    pub fn location(&self) -> Location {
        match self {
            Self::UnknownType { location, .. }
            | Self::Unsupported { location, .. }
            | Self::VoidInside { location }
            | Self::ProtoField { location }
            | Self::EnumSize { location, .. }
            | Self::UnionSize { location, .. }
            | Self::TooManyFields { location, .. }
            | Self::NoPtr { location, .. } => *location,
        }
    }
}
