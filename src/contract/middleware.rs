//! A middleware and the filter that says which endpoints it wraps.

use serde::{Deserialize, Serialize};

use super::endpoint::Endpoint;
use crate::source::{FileId, Location};

/// One element of `export default defineMiddleware([…])`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Middleware {
    /// The middleware module.
    pub file: FileId,
    /// Place in the array, from 0; the order in which middlewares run.
    pub index: usize,
    /// Which endpoints it wraps.
    pub filter: MiddlewareFilter,
    /// The element in the source.
    pub location: Location,
}

/// Conditions of `mwfilter`; an absent one always holds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MiddlewareFilter {
    /// Endpoint group.
    pub egroup: Option<String>,
    /// User group of the endpoint.
    pub ugroup: Option<String>,
    /// Start of the endpoint's name.
    pub prefix: Option<String>,
}

impl MiddlewareFilter {
    /// Whether the middleware wraps an endpoint.
    pub fn selects(&self, endpoint: &Endpoint) -> bool {
        let same = |wanted: &Option<String>, have: &Option<String>| wanted.is_none() || wanted == have;
        same(&self.egroup, &endpoint.options.egroup)
            && same(&self.ugroup, &endpoint.options.ugroup)
            && self.prefix.as_ref().is_none_or(|prefix| endpoint.name.starts_with(prefix.as_str()))
    }
}
