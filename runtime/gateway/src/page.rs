//! Calls that the Worker makes itself while it draws a page for a visitor: no frame and no session, every other check.
//!
//! ```text
//! refresh token or nothing → Identity            (once for each page)
//! Identity, route, arguments → AdmittedCall
//! ```

use crate::Gateway;
use crate::admit::{AdmittedCall, unknown_route};
use crate::builtin::new_anonymous;
use kontract_auth::{Identity, UnixSeconds as AuthSeconds};
use kontract_raystream::{Entropy, UnixSeconds};
use kontract_wire::call::{Call, IdempotencyKey};
use kontract_wire::error::WireError;
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
        arguments: &[u8],
        now: UnixSeconds,
        entropy: &mut dyn Entropy,
    ) -> Result<AdmittedCall, WireError> {
        let policy = self.routes.find(route).ok_or_else(unknown_route)?;
        let mut key = [0; 16];
        entropy.fill(&mut key);
        let call = Call {
            route,
            token: "",
            idempotency_key: (!policy.is_read_only()).then_some(IdempotencyKey(key)),
            arguments,
        };
        self.admit_as(0, &call, policy, visitor.clone(), AuthSeconds(now.0))
    }
}
