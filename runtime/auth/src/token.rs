//! JSON Web Tokens (RFC 7519) of exactly one shape: HS256, one fixed header for each kind.
//!
//! The header is compared as text, never parsed: there is no algorithm, key id, key URL or critical extension that
//! a peer could choose (RFC 8725, section 3.1).

use crate::authority::{Identity, MacKey, SessionBinding, UnixSeconds};
use crate::limits::TOKEN_LEN_MAX;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

/// Why a token is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// Too long, not three parts, not our header, or claims that are not ours.
    #[error("token is malformed")]
    Malformed,
    /// The signature is not ours.
    #[error("token signature does not match")]
    Signature,
    /// Past its end.
    #[error("token has expired")]
    Expired,
    /// An access token of another session.
    #[error("token belongs to another session")]
    OtherSession,
}

/// What a token is for. The kinds have different headers, so that one is never taken for the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TokenKind {
    Access,
    Refresh,
}

impl TokenKind {
    const fn header(self) -> &'static str {
        match self {
            Self::Access => r#"{"alg":"HS256","typ":"at+jwt"}"#,
            Self::Refresh => r#"{"alg":"HS256","typ":"rt+jwt"}"#,
        }
    }
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Claims {
    iss: String,
    sub: String,
    iat: u64,
    exp: u64,
    groups: Vec<String>,
    mask: u8,
    #[serde(skip_serializing_if = "Option::is_none")]
    cnf: Option<Confirmation>,
}

/// RFC 7800: the key that the presenter must hold, here the raystream session.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Confirmation {
    rs1: String,
}

impl Claims {
    pub(crate) fn new(
        identity: &Identity,
        now: UnixSeconds,
        expires_at: UnixSeconds,
        session: Option<&SessionBinding>,
    ) -> Self {
        Self {
            iss: ISSUER.to_owned(),
            sub: identity.owner.clone(),
            iat: now.0,
            exp: expires_at.0,
            groups: identity.groups.clone(),
            mask: identity.mask,
            cnf: session.map(|session| Confirmation { rs1: session.as_str().to_owned() }),
        }
    }

    pub(crate) fn binding(&self) -> Option<&str> {
        self.cnf.as_ref().map(|confirmation| confirmation.rs1.as_str())
    }

    pub(crate) fn into_identity(self) -> Identity {
        Identity { owner: self.sub, groups: self.groups, mask: self.mask }
    }
}

pub(crate) fn sign(key: &MacKey, kind: TokenKind, claims: &Claims) -> String {
    let claims = serde_json::to_vec(claims).expect("invariant: claims are strings and numbers");
    let mut token = URL_SAFE_NO_PAD.encode(kind.header());
    token.push('.');
    token.push_str(&URL_SAFE_NO_PAD.encode(claims));
    let signature = key.mac(token.as_bytes());
    token.push('.');
    token.push_str(&URL_SAFE_NO_PAD.encode(signature));
    token
}

pub(crate) fn verify(
    key: &MacKey,
    kind: TokenKind,
    token: &str,
    now: UnixSeconds,
) -> Result<Claims, TokenError> {
    if token.len() > TOKEN_LEN_MAX {
        return Err(TokenError::Malformed);
    }
    let (signed, signature) = token.rsplit_once('.').ok_or(TokenError::Malformed)?;
    let (header, claims) = signed.split_once('.').ok_or(TokenError::Malformed)?;
    if header != URL_SAFE_NO_PAD.encode(kind.header()) {
        return Err(TokenError::Malformed);
    }
    let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| TokenError::Malformed)?;
    if !key.verifies(signed.as_bytes(), &signature) {
        return Err(TokenError::Signature);
    }
    let claims = URL_SAFE_NO_PAD.decode(claims).map_err(|_| TokenError::Malformed)?;
    let claims: Claims = serde_json::from_slice(&claims).map_err(|_| TokenError::Malformed)?;
    if claims.iss != ISSUER || claims.mask > 7 {
        return Err(TokenError::Malformed);
    }
    if UnixSeconds(claims.exp) <= now {
        return Err(TokenError::Expired);
    }
    Ok(claims)
}

const ISSUER: &str = "kontract";

#[cfg(test)]
mod tests {
    use super::TokenError;
    use crate::{Authority, Identity, IdentityKey, SessionBinding, UnixSeconds};
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    const NOW: UnixSeconds = UnixSeconds(1_800_000_000);

    fn authority() -> Authority {
        Authority::new(&IdentityKey::new([7; 32]))
    }

    fn caller() -> Identity {
        Identity { owner: "anon_1".into(), groups: vec!["admin".into()], mask: 7 }
    }

    fn binding() -> SessionBinding {
        SessionBinding::of(&[1; 16])
    }

    #[test]
    fn a_pair_names_the_caller_until_it_expires() {
        let issued = authority().issue(&caller(), &binding(), NOW);
        assert_eq!(authority().verify_access(&issued.access_token, &binding(), NOW), Ok(caller()));
        assert_eq!(authority().verify_refresh(&issued.refresh_token, NOW), Ok(caller()));
        assert_eq!(
            authority().verify_access(&issued.access_token, &binding(), issued.expires_at),
            Err(TokenError::Expired)
        );
    }

    #[test]
    fn an_access_token_works_on_its_session_only() {
        let issued = authority().issue(&caller(), &binding(), NOW);
        let other = SessionBinding::of(&[2; 16]);
        assert_eq!(
            authority().verify_access(&issued.access_token, &other, NOW),
            Err(TokenError::OtherSession)
        );
    }

    #[test]
    fn kinds_are_not_interchangeable() {
        let issued = authority().issue(&caller(), &binding(), NOW);
        assert_eq!(authority().verify_refresh(&issued.access_token, NOW), Err(TokenError::Malformed));
        assert_eq!(
            authority().verify_access(&issued.refresh_token, &binding(), NOW),
            Err(TokenError::Malformed)
        );
    }

    #[test]
    fn every_changed_character_is_refused() {
        let token = authority().issue(&caller(), &binding(), NOW).access_token;
        for at in 0..token.len() {
            let mut changed = token.clone().into_bytes();
            changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(changed).expect("ASCII");
            assert!(authority().verify_access(&changed, &binding(), NOW).is_err(), "{at}");
        }
    }

    #[test]
    fn other_headers_and_shapes_are_refused() {
        let token = authority().issue(&caller(), &binding(), NOW).access_token;
        let claims = token.split('.').nth(1).expect("three parts");
        for header in [r#"{"alg":"none"}"#, r#"{"alg":"hs256","typ":"at+jwt"}"#, r#"{"kid":"../../x"}"#] {
            let forged = format!("{}.{claims}.", URL_SAFE_NO_PAD.encode(header));
            assert_eq!(authority().verify_access(&forged, &binding(), NOW), Err(TokenError::Malformed));
        }
        for shape in ["", ".", "..", "a.b.c.d.e", &"x".repeat(5000)] {
            assert_eq!(authority().verify_access(shape, &binding(), NOW), Err(TokenError::Malformed));
        }
    }

    #[test]
    fn another_projects_token_is_refused() {
        let token = Authority::new(&IdentityKey::new([8; 32])).issue(&caller(), &binding(), NOW).access_token;
        assert_eq!(authority().verify_access(&token, &binding(), NOW), Err(TokenError::Signature));
    }
}
