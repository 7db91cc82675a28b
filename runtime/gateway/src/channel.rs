//! One raystream session as the gateway sees it: frames in, calls out, answers back.

use crate::Gateway;
use crate::admit::AdmittedCall;
use crate::builtin::Builtin;
use kontract_auth::{SessionBinding, UnixSeconds as AuthSeconds};
use kontract_raystream::limits::IDLE_TIMEOUT_SECS;
use kontract_raystream::{Entropy, Flags, FrameType, PeerFault, Refused, SealError, Session, UnixSeconds};
use kontract_wire::call::Call;
use kontract_wire::error::{ErrorCode, WireError};

/// A session with a peer.
pub struct Channel {
    session: Session,
    binding: SessionBinding,
}

/// Why a channel is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ChannelError {
    /// The peer's fault.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// An answer could not be sealed.
    #[error(transparent)]
    Seal(#[from] SealError),
}

/// What a frame leads to.
pub enum Received {
    /// An endpoint is to be run; its outcome goes to [`Channel::respond`] or [`Channel::fail`].
    Call(Box<AdmittedCall>),
    /// The call with this sequence number is not wanted any more.
    Cancel(u32),
    /// The gateway answered by itself: a sealed frame to send.
    Reply(Vec<u8>),
    /// The peer ends the session.
    Close,
}

impl Channel {
    pub(crate) fn new(session: Session) -> Self {
        let binding = SessionBinding::of(session.id().as_bytes());
        Self { session, binding }
    }

    /// Takes a frame.
    ///
    /// # Errors
    /// [`ChannelError`] for a frame that does not authenticate, comes too late or has no place here; the session is
    /// over then.
    pub fn receive(
        &mut self,
        gateway: &Gateway,
        frame: &[u8],
        now: UnixSeconds,
        entropy: &mut dyn Entropy,
    ) -> Result<Received, ChannelError> {
        if self.session.expires_at() <= now {
            self.session.close();
        }
        let opened = self.session.open(frame)?;
        // Messages in several frames have no meaning yet; half of one must not run as a whole.
        if opened.flags.contains(Flags::MORE) || opened.flags.contains(Flags::FIN) {
            self.session.close();
            return Err(Refused::from(PeerFault::Flags).into());
        }
        match opened.ty {
            FrameType::RpcCall => {
                self.session.touch(now, IDLE_TIMEOUT_SECS);
                Ok(self.call(gateway, opened.sequence, &opened.payload, now, entropy)?)
            }
            FrameType::RpcCancel => Ok(Received::Cancel(opened.sequence)),
            // A heartbeat shows that the connection lives; it does not extend the session.
            FrameType::Heartbeat => {
                Ok(Received::Reply(self.session.seal(FrameType::Heartbeat, opened.sequence, &[])?))
            }
            FrameType::Close => Ok(Received::Close),
            FrameType::HandshakeInit
            | FrameType::HandshakeResponse
            | FrameType::RpcResponse
            | FrameType::RpcError
            | FrameType::RpcChunk
            | FrameType::Subscribe
            | FrameType::Event
            | FrameType::Unsubscribe => {
                self.session.close();
                Err(Refused::from(PeerFault::UnexpectedType).into())
            }
        }
    }

    /// The frame that carries an endpoint's result.
    ///
    /// # Errors
    /// [`SealError`] when the result is too long for a frame or the session has run out of numbers.
    pub fn respond(&mut self, sequence: u32, result: &[u8]) -> Result<Vec<u8>, SealError> {
        self.session.seal(FrameType::RpcResponse, sequence, result)
    }

    /// The frame that carries an endpoint's error.
    ///
    /// # Errors
    /// [`SealError`] as for a result.
    pub fn fail(&mut self, sequence: u32, error: &WireError) -> Result<Vec<u8>, SealError> {
        self.session.seal(FrameType::RpcError, sequence, &error.encode())
    }

    fn call(
        &mut self,
        gateway: &Gateway,
        sequence: u32,
        payload: &[u8],
        now: UnixSeconds,
        entropy: &mut dyn Entropy,
    ) -> Result<Received, SealError> {
        match self.admit(gateway, sequence, payload, now, entropy) {
            Ok(Admission::Run(call)) => Ok(Received::Call(call)),
            Ok(Admission::Answered(result)) => self.respond(sequence, &result).map(Received::Reply),
            Err(error) => self.fail(sequence, &error).map(Received::Reply),
        }
    }

    fn admit(
        &self,
        gateway: &Gateway,
        sequence: u32,
        payload: &[u8],
        now: UnixSeconds,
        entropy: &mut dyn Entropy,
    ) -> Result<Admission, WireError> {
        let now = AuthSeconds(now.0);
        let call = Call::decode(payload)
            .map_err(|error| WireError::new(ErrorCode::InvalidRequest, error.to_string()))?;
        if let Some(builtin) = Builtin::find(call.route) {
            return gateway
                .answer_builtin(builtin, call.arguments, &self.binding, now, entropy)
                .map(Admission::Answered);
        }
        gateway.admit(sequence, &call, &self.binding, now).map(|call| Admission::Run(Box::new(call)))
    }
}

enum Admission {
    Run(Box<AdmittedCall>),
    Answered(Vec<u8>),
}
