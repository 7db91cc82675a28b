//! An established session: seals and opens frames until the first fault.

use crate::error::{PeerFault, Refused, SealError};
use crate::frame::{Flags, FrameType, Header, SealedFrame};
use crate::ids::{SessionId, UnixSeconds};
use crate::limits::{PART_LEN, PAYLOAD_LEN_MAX, SESSION_LIFETIME_MAX_SECS};
use crate::padding::{pad, unpad};
use crate::schedule::Direction;

/// An opened frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opened {
    /// What it is.
    pub ty: FrameType,
    /// Its flags.
    pub flags: Flags,
    /// Which call or subscription it belongs to.
    pub sequence: u32,
    /// Its content, without padding.
    pub payload: Vec<u8>,
}

/// One end of an established session, over an ordered transport.
pub struct Session {
    id: SessionId,
    expires_at: UnixSeconds,
    role: Role,
    state: State,
}

/// Which end this is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Client,
    Server,
}

/// The sending half of a session, which exists before the receiving half in a resume.
pub(crate) struct Outgoing(Direction);

enum State {
    Live { outgoing: Outgoing, incoming: Direction },
    Closed,
}

impl Session {
    pub(crate) fn client(id: SessionId, expires_at: UnixSeconds, c2s: Outgoing, s2c: Direction) -> Self {
        Self { id, expires_at, role: Role::Client, state: State::Live { outgoing: c2s, incoming: s2c } }
    }

    pub(crate) fn server(id: SessionId, expires_at: UnixSeconds, c2s: Direction, s2c: Direction) -> Self {
        Self {
            id,
            expires_at,
            role: Role::Server,
            state: State::Live { outgoing: Outgoing::new(s2c), incoming: c2s },
        }
    }

    /// The session's id, which outlives resumption.
    pub const fn id(&self) -> SessionId {
        self.id
    }

    /// When the session ends unless [`touch`](Self::touch)ed. The caller compares it with its clock.
    pub const fn expires_at(&self) -> UnixSeconds {
        self.expires_at
    }

    /// Notes traffic at `now`: the session ends `idle_timeout_secs` later, but never after its longest life.
    pub fn touch(&mut self, now: UnixSeconds, idle_timeout_secs: u64) {
        self.expires_at = self.expires_at.max(expiry(self.id, now, idle_timeout_secs));
    }

    /// Opens one frame.
    ///
    /// # Errors
    /// [`Refused`] for anything but an authentic frame in its order. The session is closed then and its keys are gone.
    pub fn open(&mut self, frame: &[u8]) -> Result<Opened, Refused> {
        let opened = self.try_open(frame);
        if opened.is_err() {
            self.state = State::Closed;
        }
        Ok(opened?)
    }

    /// Seals one frame, padded.
    ///
    /// # Errors
    /// [`SealError`] for a payload that is too long, a handshake type, or a session that was closed.
    pub fn seal(&mut self, ty: FrameType, sequence: u32, payload: &[u8]) -> Result<Vec<u8>, SealError> {
        match &mut self.state {
            State::Live { outgoing, .. } => outgoing.seal(ty, sequence, payload),
            State::Closed => Err(SealError::Closed),
        }
    }

    /// Seals a message: one frame, or where it is longer than a frame carries, several of one type and sequence, the first
    /// ones with [`Flags::MORE`] and the last with [`Flags::FIN`].
    ///
    /// # Errors
    /// [`SealError`] as of [`seal`](Self::seal), except that no message is too long.
    pub fn seal_message(
        &mut self,
        ty: FrameType,
        sequence: u32,
        payload: &[u8],
    ) -> Result<Vec<u8>, SealError> {
        let State::Live { outgoing, .. } = &mut self.state else {
            return Err(SealError::Closed);
        };
        if payload.len() <= PAYLOAD_LEN_MAX {
            return outgoing.seal(ty, sequence, payload);
        }
        let mut sealed = Vec::with_capacity(payload.len() + payload.len() / 8);
        let mut parts = payload.chunks(PART_LEN).peekable();
        while let Some(part) = parts.next() {
            let flag = if parts.peek().is_some() { Flags::MORE } else { Flags::FIN };
            sealed.extend(outgoing.seal_part(ty, flag, sequence, part)?);
        }
        Ok(sealed)
    }

    /// Uses a new key for what is sealed from here on; wanted after 60 s without traffic. A new key also follows every
    /// [`FRAMES_PER_KEY`](crate::limits::FRAMES_PER_KEY) frames by itself.
    ///
    /// # Errors
    /// [`SealError`] when the session is closed or used up.
    pub fn rekey(&mut self) -> Result<(), SealError> {
        match &mut self.state {
            State::Live { outgoing, .. } => outgoing.0.rekey().ok_or(SealError::Exhausted),
            State::Closed => Err(SealError::Closed),
        }
    }

    /// Ends the session and wipes its keys.
    pub fn close(&mut self) {
        self.state = State::Closed;
    }

    fn try_open(&mut self, frame: &[u8]) -> Result<Opened, PeerFault> {
        let State::Live { incoming, .. } = &mut self.state else {
            return Err(PeerFault::Closed);
        };
        let frame = SealedFrame::parse(frame)?;
        let Header { ty, flags, sequence, .. } = frame.header;
        if ty == FrameType::HandshakeResponse && self.role == Role::Server {
            return Err(PeerFault::UnexpectedType);
        }
        if flags.contains(Flags::EARLY) {
            return Err(PeerFault::Flags);
        }
        let plaintext = incoming.open(&frame)?;
        let payload = if flags.contains(Flags::PADDED) {
            unpad(plaintext).ok_or(PeerFault::Padding)?
        } else {
            plaintext
        };
        Ok(Opened { ty, flags, sequence, payload })
    }
}

impl Outgoing {
    pub(crate) const fn new(direction: Direction) -> Self {
        Self(direction)
    }

    pub(crate) fn seal(
        &mut self,
        ty: FrameType,
        sequence: u32,
        payload: &[u8],
    ) -> Result<Vec<u8>, SealError> {
        self.seal_part(ty, Flags::NONE, sequence, payload)
    }

    /// Seals a part of a message; `flag` says which.
    fn seal_part(
        &mut self,
        ty: FrameType,
        flag: Flags,
        sequence: u32,
        payload: &[u8],
    ) -> Result<Vec<u8>, SealError> {
        if matches!(ty, FrameType::HandshakeInit | FrameType::HandshakeResponse) {
            return Err(SealError::HandshakeType);
        }
        if payload.len() > PAYLOAD_LEN_MAX {
            return Err(SealError::PayloadTooLong);
        }
        let header = Header { ty, flags: flag.with(Flags::PADDED, true), sequence, length: 0 };
        self.0.seal(header, &pad(payload)).ok_or(SealError::Exhausted)
    }
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Session({}, {:?})", self.id, self.role)
    }
}

/// When a session with traffic at `now` ends.
pub(crate) fn expiry(id: SessionId, now: UnixSeconds, idle_timeout_secs: u64) -> UnixSeconds {
    now.plus(idle_timeout_secs).min(id.created_at().plus(SESSION_LIFETIME_MAX_SECS))
}
