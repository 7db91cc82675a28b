//! Calls that the Worker makes itself while it draws a page for a visitor: no frame and no session, every other check.
//!
//! ```text
//! refresh token or nothing → Identity            (once for each page)
//! Identity, route, arguments → AdmittedCall
//! ```

use crate::Gateway;
use crate::admit::{AdmittedCall, Request};
use crate::builtin::new_anonymous;
use kontract_auth::{Identity, UnixSeconds as AuthSeconds};
use kontract_raystream::{Entropy, UnixSeconds};
use kontract_wire::call::IdempotencyKey;
use kontract_wire::error::WireError;
use kontract_wire::perm::Perms;
use kontract_wire::route::RouteId;

impl Gateway {
    /// Who a page is for: whom the refresh token names, or somebody new and anonymous where there is none that holds.
    pub fn visitor(
        &self,
        refresh_token: Option<&str>,
        now: UnixSeconds,
        entropy: &mut dyn Entropy,
    ) -> Identity {
        refresh_token
            .and_then(|token| self.authority.verify_refresh(token, AuthSeconds(now.0)).ok())
            .unwrap_or_else(|| new_anonymous(entropy))
    }

    /// A call on behalf of a visitor. Nobody can repeat it from outside, so that a mutation gets a key of its own.
    ///
    /// # Errors
    /// What a caller on a session would be told.
    pub fn call_of_page(
        &self,
        visitor: &Identity,
        route: RouteId,
        arguments: Vec<u8>,
        now: UnixSeconds,
        entropy: &mut dyn Entropy,
    ) -> Result<AdmittedCall, WireError> {
        let policy = self.policy(route)?;
        let mut key = [0; 16];
        entropy.fill(&mut key);
        let mutates = policy.perm != policy.perm.intersection(Perms::R);
        let request = Request {
            sequence: 0,
            route,
            idempotency_key: mutates.then_some(IdempotencyKey(key)),
            arguments,
        };
        self.permit(policy, visitor.clone(), request, AuthSeconds(now.0))
    }
}
