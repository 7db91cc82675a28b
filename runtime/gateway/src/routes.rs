//! The endpoints of a build and who may call them.

use crate::limits::PARTIAL_LEN_MAX;
use kontract_wire::limits::TOKEN_LEN_MAX;
use kontract_wire::perm::Perms;
use kontract_wire::route::RouteId;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Policy of one endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoutePolicy {
    /// The endpoint's name.
    pub name: String,
    /// What it may do with storage.
    pub perm: Perms,
    /// The group a caller must be in; `None` admits every session.
    pub ugroup: Option<String>,
    /// Most bytes of the arguments, of streams and files among them too.
    pub max_bytes: u32,
}

impl RoutePolicy {
    /// Whether the endpoint can change nothing: the compiler refuses one with other bits than it uses, and no storage operation
    /// gets past these.
    pub fn is_read_only(&self) -> bool {
        self.perm == self.perm.intersection(Perms::R)
    }

    /// Most bytes of a call that comes in parts. Arguments that are streams are not among them.
    pub(crate) fn call_len_max(&self) -> usize {
        PARTIAL_LEN_MAX
            .min(usize::try_from(self.max_bytes).unwrap_or(usize::MAX).saturating_add(ENVELOPE_LEN_MAX))
    }
}

/// What a call has before its arguments, in bytes.
const ENVELOPE_LEN_MAX: usize = 4 + 2 + TOKEN_LEN_MAX + 16;

/// All policies, by route id.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Routes(BTreeMap<RouteId, Arc<RoutePolicy>>);

impl Routes {
    /// The policy of a route.
    pub fn find(&self, route: RouteId) -> Option<&Arc<RoutePolicy>> {
        self.0.get(&route)
    }
}

impl FromIterator<RoutePolicy> for Routes {
    fn from_iter<I: IntoIterator<Item = RoutePolicy>>(policies: I) -> Self {
        Self(policies.into_iter().map(|policy| (RouteId::of(&policy.name), Arc::new(policy))).collect())
    }
}
