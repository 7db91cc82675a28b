//! What a reader of the pages would miss.

use crate::source::Location;

/// Something about documentation that is probably an oversight.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Warning {
    /// An endpoint that says nothing about itself.
    Undocumented {
        /// The endpoint.
        endpoint: String,
        /// Its name in the source.
        location: Location,
    },
    /// A description of a parameter that the endpoint does not have.
    UnknownParam {
        /// The endpoint.
        endpoint: String,
        /// The name after `@param`.
        param: String,
        /// The endpoint's name in the source.
        location: Location,
    },
}
