//! The endpoints of a build and who may call them.

use kontract_wire::perm::Perms;
use kontract_wire::route::RouteId;
use std::collections::BTreeMap;

/// Policy of one endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoutePolicy {
    /// The endpoint's name.
    pub name: String,
    /// What it may do with storage.
    pub perm: Perms,
    /// The group a caller must be in; `None` admits every session.
    pub ugroup: Option<String>,
}

/// All policies, by route id.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Routes(BTreeMap<RouteId, RoutePolicy>);

impl Routes {
    /// The policy of a route.
    pub fn find(&self, route: RouteId) -> Option<&RoutePolicy> {
        self.0.get(&route)
    }
}

impl FromIterator<RoutePolicy> for Routes {
    fn from_iter<I: IntoIterator<Item = RoutePolicy>>(policies: I) -> Self {
        Self(policies.into_iter().map(|policy| (RouteId::of(&policy.name), policy)).collect())
    }
}
