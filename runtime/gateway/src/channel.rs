//! One raystream session as the gateway sees it: frames in, calls out, answers back.

use crate::Gateway;
use crate::admit::AdmittedCall;
use crate::builtin::Builtin;
use crate::chunk::{Chunk, ChunkContent};
use crate::early::EarlyCalls;
use crate::limits::{REKEY_IDLE_SECS, RUNNING_CALLS_MAX};
use crate::message::{Joined, Messages};
use kontract_auth::{SessionBinding, UnixSeconds as AuthSeconds};
use kontract_raystream::limits::IDLE_TIMEOUT_SECS;
use kontract_raystream::{
    Entropy, Flags, FrameType, Opened, PeerFault, Refused, SealError, Session, UnixSeconds,
};
use kontract_wire::call::Call;
use kontract_wire::error::{ErrorCode, WireError};
use std::collections::BTreeSet;

/// A session with a peer.
pub struct Channel {
    session: Session,
    binding: SessionBinding,
    messages: Messages,
    /// The sequence numbers of calls that run.
    running: BTreeSet<u32>,
    /// When something was sealed last.
    sealed_at: UnixSeconds,
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
    /// A piece of an argument that is a stream, or leave to send more of a result that is one.
    Chunk(u32, Chunk),
    /// Part of a call, whose rest is to come.
    Nothing,
    /// The gateway answered by itself: a sealed frame to send.
    Reply(Vec<u8>),
    /// The peer ends the session.
    Close,
}

impl Channel {
    pub(crate) fn new(session: Session, now: UnixSeconds) -> Self {
        let binding = SessionBinding::of(session.id().as_bytes());
        Self { session, binding, messages: Messages::default(), running: BTreeSet::new(), sealed_at: now }
    }

    /// Takes the calls of the handshake's early data; what they lead to, in their order.
    pub(crate) fn begin_early(
        &mut self,
        gateway: &Gateway,
        early: &[Opened],
        now: UnixSeconds,
        entropy: &mut dyn Entropy,
    ) -> Result<Vec<Received>, Refused> {
        let admitted = gateway.admit_early(early, &self.binding, AuthSeconds(now.0), entropy)?;
        let Some(EarlyCalls { introduction: (sequence, identity), calls }) = admitted else {
            return Ok(Vec::new());
        };
        let introduction = self.respond(sequence, &identity, now).map(Received::Reply);
        let calls = calls.into_iter().map(|(sequence, admitted)| match admitted {
            Ok(call) => {
                self.running.insert(sequence);
                Ok(Received::Call(Box::new(call)))
            }
            Err(error) => self.fail(sequence, &error, now).map(Received::Reply),
        });
        std::iter::once(introduction)
            .chain(calls)
            .collect::<Result<_, _>>()
            .map_err(|_| PeerFault::Closed.into())
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
        self.expire(now);
        let opened = self.session.open(frame)?;
        let received = self.take(gateway, opened, now, entropy);
        if let Err(ChannelError::Refused(_)) = received {
            self.session.close();
        }
        received
    }

    /// Whether parts of a call are missing: the transport waits for them for a while only.
    pub fn is_waiting(&self) -> bool {
        self.messages.is_waiting()
    }

    /// Whoever waits for an answer uses the session.
    fn expire(&mut self, now: UnixSeconds) {
        if !self.running.is_empty() {
            self.session.touch(now, IDLE_TIMEOUT_SECS);
        }
        if self.session.expires_at() <= now {
            self.session.close();
        }
    }

    fn take(
        &mut self,
        gateway: &Gateway,
        opened: Opened,
        now: UnixSeconds,
        entropy: &mut dyn Entropy,
    ) -> Result<Received, ChannelError> {
        let Opened { ty, flags, sequence, payload } = opened;
        // Only calls come in parts; half of anything else must not pass for a whole.
        let is_part = flags.contains(Flags::MORE) || flags.contains(Flags::FIN);
        if is_part && ty != FrameType::RpcCall {
            return Err(Refused::from(PeerFault::Flags).into());
        }
        match ty {
            // An answer, a chunk and a cancel name a call by its number: while it runs, the number is its own.
            FrameType::RpcCall if self.running.contains(&sequence) => {
                Err(Refused::from(PeerFault::Sequence).into())
            }
            FrameType::RpcCall => {
                self.session.touch(now, IDLE_TIMEOUT_SECS);
                match self.messages.take(sequence, flags, payload).map_err(Refused::from)? {
                    Joined::Whole(payload) => Ok(self.call(gateway, sequence, &payload, now, entropy)?),
                    Joined::First(payload) => Ok(self.begin(gateway, sequence, payload, now)?),
                    Joined::Nothing => Ok(Received::Nothing),
                    Joined::TooLong => Ok(Received::Reply(self.fail(sequence, &too_long(), now)?)),
                }
            }
            FrameType::RpcCancel => {
                self.messages.cancel(sequence);
                self.running.remove(&sequence);
                Ok(Received::Cancel(sequence))
            }
            FrameType::RpcChunk => {
                self.session.touch(now, IDLE_TIMEOUT_SECS);
                let chunk = Chunk::decode(&payload).ok_or(Refused::from(PeerFault::Length))?;
                Ok(Received::Chunk(sequence, chunk))
            }
            // A heartbeat shows that the connection lives; it does not extend the session.
            FrameType::Heartbeat => {
                self.renew_key(now)?;
                Ok(Received::Reply(self.session.seal(FrameType::Heartbeat, sequence, &[])?))
            }
            FrameType::Close => Ok(Received::Close),
            FrameType::HandshakeInit
            | FrameType::HandshakeResponse
            | FrameType::RpcResponse
            | FrameType::RpcError
            | FrameType::Subscribe
            | FrameType::Event
            | FrameType::Unsubscribe => Err(Refused::from(PeerFault::UnexpectedType).into()),
        }
    }

    /// The frame or frames that carry an endpoint's result.
    ///
    /// # Errors
    /// [`SealError`] when the session has run out of numbers.
    pub fn respond(&mut self, sequence: u32, result: &[u8], now: UnixSeconds) -> Result<Vec<u8>, SealError> {
        self.running.remove(&sequence);
        self.renew_key(now)?;
        self.session.seal_message(FrameType::RpcResponse, sequence, result)
    }

    /// The frame or frames that carry a chunk. As long as a stream flows its session is in use.
    ///
    /// # Errors
    /// [`SealError`] as for a result.
    pub fn chunk(
        &mut self,
        sequence: u32,
        stream: u16,
        content: ChunkContent,
        now: UnixSeconds,
    ) -> Result<Vec<u8>, SealError> {
        self.expire(now);
        self.session.touch(now, IDLE_TIMEOUT_SECS);
        self.renew_key(now)?;
        let chunk = Chunk { stream, content };
        self.session.seal_message(FrameType::RpcChunk, sequence, &chunk.encode())
    }

    /// The frame that carries an endpoint's error.
    ///
    /// # Errors
    /// [`SealError`] as for a result.
    pub fn fail(&mut self, sequence: u32, error: &WireError, now: UnixSeconds) -> Result<Vec<u8>, SealError> {
        self.running.remove(&sequence);
        self.renew_key(now)?;
        self.session.seal(FrameType::RpcError, sequence, &error.encode())
    }

    /// A frame that says nothing but that the connection lives.
    ///
    /// # Errors
    /// [`SealError`] as for a result.
    pub fn heartbeat(&mut self, now: UnixSeconds) -> Result<Vec<u8>, SealError> {
        self.renew_key(now)?;
        self.session.seal(FrameType::Heartbeat, 0, &[])
    }

    /// A new key for what follows a silence: whoever takes it from memory then reads nothing of what was said before.
    fn renew_key(&mut self, now: UnixSeconds) -> Result<(), SealError> {
        let last = std::mem::replace(&mut self.sealed_at, now);
        if last.plus(REKEY_IDLE_SECS) <= now { self.session.rekey() } else { Ok(()) }
    }

    /// Keeps the first part of a call if the call may run at all: nobody else fills the memory.
    fn begin(
        &mut self,
        gateway: &Gateway,
        sequence: u32,
        payload: Vec<u8>,
        now: UnixSeconds,
    ) -> Result<Received, SealError> {
        let admitted = decode(&payload)
            .and_then(|call| gateway.admit(sequence, &call, &self.binding, AuthSeconds(now.0)));
        match admitted {
            Ok(call) => {
                self.messages.keep(sequence, payload, call.policy().call_len_max());
                Ok(Received::Nothing)
            }
            Err(error) => {
                self.messages.refuse(sequence);
                self.fail(sequence, &error, now).map(Received::Reply)
            }
        }
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
            Ok(Admission::Run(_)) if self.running.len() >= RUNNING_CALLS_MAX => {
                self.fail(sequence, &too_many(), now).map(Received::Reply)
            }
            Ok(Admission::Run(call)) => {
                self.running.insert(sequence);
                Ok(Received::Call(call))
            }
            Ok(Admission::Answered(result)) => self.respond(sequence, &result, now).map(Received::Reply),
            Err(error) => self.fail(sequence, &error, now).map(Received::Reply),
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
        let call = decode(payload)?;
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

pub(crate) fn decode(payload: &[u8]) -> Result<Call<'_>, WireError> {
    Call::decode(payload).map_err(|error| WireError::new(ErrorCode::InvalidRequest, error.to_string()))
}

fn too_many() -> WireError {
    WireError {
        status: 429,
        code: "TOO_MANY_CALLS".to_owned(),
        message: "the session has as many calls running as it may".to_owned(),
    }
}

pub(crate) fn too_long() -> WireError {
    WireError {
        status: 413,
        code: "TOO_LARGE".to_owned(),
        message: "the call is longer than its endpoint takes".to_owned(),
    }
}
