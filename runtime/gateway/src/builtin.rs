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
        [Self::Anonymous, Self::Refresh].into_iter().find(|builtin| RouteId::of(builtin.name()) == route)
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Anonymous => "kontract.auth.anonymous",
            Self::Refresh => "kontract.auth.refresh",
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
        let identity = match builtin {
            Builtin::Anonymous => new_anonymous(entropy),
            Builtin::Refresh => {
                let arguments: RefreshArguments = serde_json::from_slice(arguments).map_err(|_| {
                    WireError::new(ErrorCode::InvalidRequest, "the arguments are not { refreshToken }")
                })?;
                self.authority.verify_refresh(&arguments.refresh_token, now).map_err(|_| refresh_refused())?
            }
        };
        Ok(pair(&identity, &self.authority.issue(&identity, session, now)))
    }
}

fn refresh_refused() -> WireError {
    WireError::new(ErrorCode::TokenRefused, "the refresh token is expired, or not of this deployment")
}

/// Somebody whom nobody knows yet.
pub(crate) fn new_anonymous(entropy: &mut dyn Entropy) -> Identity {
    let mut random = [0; 16];
    entropy.fill(&mut random);
    Identity::anonymous(random)
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
