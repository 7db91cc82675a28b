//! Endpoints that the gateway answers itself. Arguments and results are JSON, because they exist before any schema.

use crate::Gateway;
use kontract_auth::{Identity, Issued, SessionBinding, UnixSeconds};
use kontract_raystream::Entropy;
use kontract_wire::error::{ErrorCode, WireError};
use kontract_wire::route::RouteId;
use serde::{Deserialize, Serialize};

/// A built-in endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Builtin {
    /// `kontract.auth.anonymous`: a new anonymous identity.
    Anonymous,
    /// `kontract.auth.refresh`: a new pair of tokens for this session.
    Refresh,
}

impl Builtin {
    pub(crate) fn find(route: RouteId) -> Option<Self> {
        [Self::Anonymous, Self::Refresh].into_iter().find(|builtin| builtin.route() == route)
    }

    /// The hash of its name (`RouteId::of`), which every call is compared with.
    const fn route(self) -> RouteId {
        match self {
            Self::Anonymous => RouteId::from_u32(0x4310_7330),
            Self::Refresh => RouteId::from_u32(0x6e1f_59bf),
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct RefreshArguments {
    refresh_token: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct TokenPair<'a> {
    access_token: &'a str,
    refresh_token: &'a str,
    owner: &'a str,
    expires_at: u64,
}

impl Gateway {
    /// Answers a built-in call.
    pub(crate) fn answer_builtin(
        &self,
        builtin: Builtin,
        arguments: &[u8],
        session: &SessionBinding,
        now: UnixSeconds,
        entropy: &mut dyn Entropy,
    ) -> Result<Vec<u8>, WireError> {
        match builtin {
            Builtin::Anonymous => Ok(self.introduce(session, now, entropy).1),
            Builtin::Refresh => {
                let arguments: RefreshArguments = serde_json::from_slice(arguments).map_err(|_| {
                    WireError::new(ErrorCode::InvalidRequest, "the arguments are not { refreshToken }")
                })?;
                let identity = self
                    .authority
                    .verify_refresh(&arguments.refresh_token, now)
                    .map_err(|_| refresh_refused())?;
                Ok(pair(&identity, &self.authority.issue(&identity, session, now)))
            }
        }
    }

    /// A new anonymous identity, and what its caller is told of it.
    pub(crate) fn introduce(
        &self,
        session: &SessionBinding,
        now: UnixSeconds,
        entropy: &mut dyn Entropy,
    ) -> (Identity, Vec<u8>) {
        let identity = new_anonymous(entropy);
        let result = pair(&identity, &self.authority.issue(&identity, session, now));
        (identity, result)
    }
}

/// Somebody whom nobody knows yet.
pub(crate) fn new_anonymous(entropy: &mut dyn Entropy) -> Identity {
    let mut random = [0; 16];
    entropy.fill(&mut random);
    Identity::anonymous(random)
}

fn refresh_refused() -> WireError {
    WireError::new(ErrorCode::TokenRefused, "the refresh token is expired, or not of this deployment")
}

fn pair(identity: &Identity, issued: &Issued) -> Vec<u8> {
    serde_json::to_vec(&TokenPair {
        access_token: &issued.access_token,
        refresh_token: &issued.refresh_token,
        owner: &identity.owner,
        expires_at: issued.expires_at.0,
    })
    .expect("invariant: a pair of tokens is strings and a number")
}

#[cfg(test)]
mod tests {
    use super::Builtin;
    use kontract_wire::route::RouteId;

    #[test]
    fn routes_are_the_hashes_of_their_names() {
        assert_eq!(Builtin::Anonymous.route(), RouteId::of("kontract.auth.anonymous"));
        assert_eq!(Builtin::Refresh.route(), RouteId::of("kontract.auth.refresh"));
    }
}
