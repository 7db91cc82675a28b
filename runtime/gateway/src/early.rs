//! Early data: calls inside of a full handshake, before anybody has a token.
//!
//! ```text
//! kontract.auth.anonymous  ──▶ a new identity, which is the caller of what follows; answered by the gateway
//! read-only endpoint*      ──▶ calls to run, without a token and without an idempotency key
//! ```
//!
//! Whoever recorded the handshake can send it again, so that nothing in here may have an effect: an identity is not stored
//! anywhere, and an endpoint is called only if the compiler proved that it changes nothing.

use crate::Gateway;
use crate::admit::AdmittedCall;
use crate::builtin::Builtin;
use crate::channel::decode;
use crate::limits::EARLY_CALLS_MAX;
use kontract_auth::{Identity, SessionBinding, UnixSeconds};
use kontract_raystream::{Entropy, Opened, PeerFault};
use kontract_wire::call::Call;
use kontract_wire::error::WireError;

/// The calls of a handshake's early data, admitted or not.
pub(crate) struct EarlyCalls {
    /// Sequence number and result of the call that made the identity.
    pub(crate) introduction: (u32, Vec<u8>),
    /// The others: what is to run, or why it is not.
    pub(crate) calls: Vec<(u32, Result<AdmittedCall, WireError>)>,
}

impl Gateway {
    /// Admits early data; nothing if there is none.
    ///
    /// # Errors
    /// [`PeerFault`] for anything in it that could have an effect, or that only a session can carry: the handshake is refused.
    pub(crate) fn admit_early(
        &self,
        early: &[Opened],
        session: &SessionBinding,
        now: UnixSeconds,
        entropy: &mut dyn Entropy,
    ) -> Result<Option<EarlyCalls>, PeerFault> {
        let Some((first, rest)) = early.split_first() else { return Ok(None) };
        if rest.len() >= EARLY_CALLS_MAX {
            return Err(PeerFault::TooManyFrames);
        }
        if Builtin::find(early_call(first)?.route) != Some(Builtin::Anonymous) {
            return Err(PeerFault::Early);
        }
        let (identity, result) = self.introduce(session, now, entropy);
        let calls = rest
            .iter()
            .map(|opened| Ok((opened.sequence, self.admit_read(opened, &identity, now)?)))
            .collect::<Result<_, PeerFault>>()?;
        Ok(Some(EarlyCalls { introduction: (first.sequence, result), calls }))
    }

    fn admit_read(
        &self,
        opened: &Opened,
        identity: &Identity,
        now: UnixSeconds,
    ) -> Result<Result<AdmittedCall, WireError>, PeerFault> {
        let call = early_call(opened)?;
        match self.routes.find(call.route) {
            Some(policy) if policy.is_read_only() => {
                Ok(self.admit_as(opened.sequence, &call, policy, identity.clone(), now))
            }
            Some(_) | None => Err(PeerFault::Early),
        }
    }
}

/// Early data has no forward secrecy: no token belongs in it. Neither does a key, as nothing in it has an effect.
fn early_call(opened: &Opened) -> Result<Call<'_>, PeerFault> {
    match decode(&opened.payload) {
        Ok(call) if call.token.is_empty() && call.idempotency_key.is_none() => Ok(call),
        Ok(_) | Err(_) => Err(PeerFault::Early),
    }
}
