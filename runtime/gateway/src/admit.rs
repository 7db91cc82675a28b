//! Authentication and permission: from an envelope to a call that may run.

use crate::Gateway;
use crate::channel::too_long;
use crate::routes::RoutePolicy;
use kontract_auth::{Credential, Identity, SessionBinding, TokenError, UnixSeconds};
use kontract_wire::call::{Call, IdempotencyKey};
use kontract_wire::error::{ErrorCode, WireError};
use kontract_wire::perm::Perms;
use kontract_wire::route::RouteId;
use sha2::{Digest, Sha256};
use std::sync::Arc;

/// A call that passed every check that needs no database. Only the gateway makes one.
#[derive(Clone)]
pub struct AdmittedCall {
    sequence: u32,
    route: RouteId,
    policy: Arc<RoutePolicy>,
    identity: Identity,
    credential: Credential,
    idempotency_key: Option<IdempotencyKey>,
    arguments: Vec<u8>,
}

impl AdmittedCall {
    /// The sequence number that the answer repeats.
    pub fn sequence(&self) -> u32 {
        self.sequence
    }

    /// The endpoint's route id.
    pub fn route(&self) -> RouteId {
        self.route
    }

    /// The endpoint's policy.
    pub fn policy(&self) -> &RoutePolicy {
        &self.policy
    }

    /// The caller.
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// What the database believes the caller by.
    pub fn credential(&self) -> &Credential {
        &self.credential
    }

    /// What the ledger knows this mutation by: the caller's key, bound to the endpoint and the arguments. Present where
    /// the caller sent a key.
    pub fn idempotency_key(&self) -> Option<IdempotencyKey> {
        self.idempotency_key
    }

    /// The arguments as a FlatBuffer, not yet decoded.
    pub fn arguments(&self) -> &[u8] {
        &self.arguments
    }
}

impl Gateway {
    /// Steps 1 to 3 of the permission rules: the token belongs to this session, the caller is in the endpoint's
    /// group, the session's mask has the endpoint's bits.
    pub(crate) fn admit(
        &self,
        sequence: u32,
        call: &Call<'_>,
        session: &SessionBinding,
        now: UnixSeconds,
    ) -> Result<AdmittedCall, WireError> {
        let policy = self.routes.find(call.route).ok_or_else(unknown_route)?;
        let identity = self.authority.verify_access(call.token, session, now).map_err(unauthorized)?;
        self.admit_as(sequence, call, policy, identity, now)
    }

    /// Steps 2 and 3, for a caller who is known.
    pub(crate) fn admit_as(
        &self,
        sequence: u32,
        call: &Call<'_>,
        policy: &Arc<RoutePolicy>,
        identity: Identity,
        now: UnixSeconds,
    ) -> Result<AdmittedCall, WireError> {
        check_group(policy, &identity)?;
        check_mask(policy, &identity)?;
        check_repeatable(policy, call)?;
        if call.arguments.len() > usize::try_from(policy.max_bytes).unwrap_or(usize::MAX) {
            return Err(too_long());
        }
        let credential = self.authority.credential(&identity.owner, now);
        Ok(AdmittedCall {
            sequence,
            route: call.route,
            policy: Arc::clone(policy),
            identity,
            credential,
            idempotency_key: call.idempotency_key.map(|key| ledger_key(key, call)),
            arguments: call.arguments.to_vec(),
        })
    }
}

fn check_group(policy: &RoutePolicy, identity: &Identity) -> Result<(), WireError> {
    match &policy.ugroup {
        Some(group) if !identity.groups.contains(group) => Err(WireError::new(
            ErrorCode::PermissionDenied,
            format!("{} is for members of the group {group}", policy.name),
        )),
        Some(_) | None => Ok(()),
    }
}

fn check_mask(policy: &RoutePolicy, identity: &Identity) -> Result<(), WireError> {
    let mask = Perms::from_bits(identity.mask).unwrap_or(Perms::NONE);
    if mask.contains(policy.perm) {
        return Ok(());
    }
    Err(WireError::new(
        ErrorCode::PermissionDenied,
        format!("{} needs the permissions {}, this session has {mask}", policy.name, policy.perm),
    ))
}

/// A mutation without a key could be replayed by whoever recorded its frames.
fn check_repeatable(policy: &RoutePolicy, call: &Call<'_>) -> Result<(), WireError> {
    if !policy.is_read_only() && call.idempotency_key.is_none() {
        return Err(WireError::new(
            ErrorCode::InvalidRequest,
            format!("{} can change data, so its calls need an idempotency key", policy.name),
        ));
    }
    Ok(())
}

/// `SHA256("kontract ledger" ‖ 0 ‖ route u32 ‖ key 16 ‖ SHA256(arguments))[..16]`: the answer that the ledger holds belongs
/// to one endpoint and its arguments, so that the same key with others must not lead to it.
fn ledger_key(IdempotencyKey(key): IdempotencyKey, call: &Call<'_>) -> IdempotencyKey {
    let hash: [u8; 32] = Sha256::new()
        .chain_update(b"kontract ledger\0")
        .chain_update(call.route.as_u32().to_le_bytes())
        .chain_update(key)
        .chain_update(Sha256::digest(call.arguments))
        .finalize()
        .into();
    let (first, _) = hash.split_first_chunk::<16>().expect("invariant: a SHA-256 hash has 32 bytes");
    IdempotencyKey(*first)
}

/// What a caller of an endpoint that is not there is told.
pub(crate) fn unknown_route() -> WireError {
    WireError::new(ErrorCode::NotFound, "no such endpoint in this build")
}

/// One answer for every reason: the caller's remedy is the same, and nothing tells a forger what was nearly right.
fn unauthorized(_: TokenError) -> WireError {
    WireError::new(ErrorCode::TokenRefused, "the access token is missing, expired or of another session")
}
