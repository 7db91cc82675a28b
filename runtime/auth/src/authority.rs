//! The authority: holder of the identity key, the only maker of tokens and credentials.

use crate::credential::Credential;
use crate::limits::{ACCESS_TTL_S, CREDENTIAL_TTL_S, REFRESH_TTL_S};
use crate::token::{self, Claims, TokenError, TokenKind};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

/// Seconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct UnixSeconds(pub u64);

impl UnixSeconds {
    pub(crate) fn plus(self, seconds: u64) -> Self {
        Self(self.0.saturating_add(seconds))
    }
}

/// The project's identity secret, 32 random bytes. Token and credential keys are derived from it, so that the
/// database, which has to know the credential key, cannot make tokens.
#[derive(Clone)]
pub struct IdentityKey([u8; 32]);

impl IdentityKey {
    /// From the secret bytes.
    pub fn new(secret: [u8; 32]) -> Self {
        Self(secret)
    }

    /// The key that the database checks credentials with.
    pub fn credential_key(&self) -> [u8; 32] {
        hmac_sha256(&self.0, b"kontract credential key")
    }

    /// The password of the gateway's database role, 64 hexadecimal digits.
    pub fn database_password(&self) -> String {
        let secret = hmac_sha256(&self.0, b"kontract database password");
        secret.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    fn token_key(&self) -> [u8; 32] {
        hmac_sha256(&self.0, b"kontract token key")
    }
}

/// What ties an access token to one raystream session: a hash of the session's id, which nobody can speak for
/// without the session's keys, nor resume without its ticket's secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionBinding(String);

impl SessionBinding {
    /// The binding of a session id.
    pub fn of(session_id: &[u8; 16]) -> Self {
        let digest =
            Sha256::new().chain_update(b"kontract session binding\0").chain_update(session_id).finalize();
        Self(URL_SAFE_NO_PAD.encode(digest))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// A caller, as a verified token names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// Owner of the rows the caller writes: `anon_` and 32 hexadecimal digits for an anonymous one.
    pub owner: String,
    /// Groups of the caller.
    pub groups: Vec<String>,
    /// Permission bits of the session, 0 to 7.
    pub mask: u8,
}

impl Identity {
    /// An anonymous caller from 16 random bytes: no group, every permission bit.
    pub fn anonymous(random: [u8; 16]) -> Self {
        let digits: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
        Self { owner: format!("anon_{digits}"), groups: Vec::new(), mask: 7 }
    }
}

/// A pair of tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issued {
    /// Sent with each call; works on one session only.
    pub access_token: String,
    /// Exchanged for a new pair.
    pub refresh_token: String,
    /// When the access token ends.
    pub expires_at: UnixSeconds,
}

/// Issues and verifies.
pub struct Authority {
    token_key: MacKey,
    credential_key: MacKey,
}

impl Authority {
    /// The authority of a project.
    pub fn new(key: &IdentityKey) -> Self {
        Self { token_key: MacKey::new(&key.token_key()), credential_key: MacKey::new(&key.credential_key()) }
    }

    /// A new pair of tokens for a caller on a session.
    pub fn issue(&self, identity: &Identity, session: &SessionBinding, now: UnixSeconds) -> Issued {
        let expires_at = now.plus(ACCESS_TTL_S);
        let access = Claims::new(identity, now, expires_at, Some(session));
        let refresh = Claims::new(identity, now, now.plus(REFRESH_TTL_S), None);
        Issued {
            access_token: token::sign(&self.token_key, TokenKind::Access, &access),
            refresh_token: token::sign(&self.token_key, TokenKind::Refresh, &refresh),
            expires_at,
        }
    }

    /// The caller behind an access token presented on `session`.
    ///
    /// # Errors
    /// [`TokenError`] for a token that is altered, foreign, expired or bound to another session.
    pub fn verify_access(
        &self,
        token: &str,
        session: &SessionBinding,
        now: UnixSeconds,
    ) -> Result<Identity, TokenError> {
        let claims = token::verify(&self.token_key, TokenKind::Access, token, now)?;
        if claims.binding() != Some(session.as_str()) {
            return Err(TokenError::OtherSession);
        }
        Ok(claims.into_identity())
    }

    /// The caller behind a refresh token.
    ///
    /// # Errors
    /// [`TokenError`] as for an access token.
    pub fn verify_refresh(&self, token: &str, now: UnixSeconds) -> Result<Identity, TokenError> {
        Ok(token::verify(&self.token_key, TokenKind::Refresh, token, now)?.into_identity())
    }

    /// The credential with which a transaction of `owner` begins.
    pub fn credential(&self, owner: &str, now: UnixSeconds) -> Credential {
        Credential::mint(&self.credential_key, owner, now.plus(CREDENTIAL_TTL_S))
    }
}

/// HMAC-SHA256 (RFC 2104).
fn hmac_sha256(key: &[u8; 32], message: &[u8]) -> [u8; 32] {
    MacKey::new(key).mac(message)
}

/// A key of HMAC-SHA256 as the states that begin with it (RFC 2104, section 4), which every message would compute again.
pub(crate) struct MacKey(Hmac<Sha256>);

impl MacKey {
    pub(crate) fn new(key: &[u8; 32]) -> Self {
        Self(Hmac::new_from_slice(key).expect("invariant: HMAC takes keys of every length"))
    }

    /// The authentication code of a message.
    pub(crate) fn mac(&self, message: &[u8]) -> [u8; 32] {
        self.over(message).finalize().into_bytes().into()
    }

    /// Whether that is `mac`, in constant time.
    pub(crate) fn verifies(&self, message: &[u8], mac: &[u8]) -> bool {
        self.over(message).verify_slice(mac).is_ok()
    }

    fn over(&self, message: &[u8]) -> Hmac<Sha256> {
        self.0.clone().chain_update(message)
    }
}
