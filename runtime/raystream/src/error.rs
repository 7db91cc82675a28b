//! Errors, split by whose fault they are: the peer's ([`PeerFault`] behind [`Refused`]) or the caller's ([`SealError`]).

/// What a peer did wrong. For the local log only: outside, every one of them looks the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PeerFault {
    /// Fewer bytes than the fields need.
    #[error("truncated")]
    Truncated,
    /// Bytes after the end of a frame.
    #[error("bytes after the end of the frame")]
    TrailingBytes,
    /// Another protocol version.
    #[error("unknown version")]
    Version,
    /// A frame type that does not exist.
    #[error("unknown frame type")]
    UnknownType,
    /// A frame type that is not allowed at this point.
    #[error("frame type not allowed here")]
    UnexpectedType,
    /// A flag that does not exist, or is not allowed at this point.
    #[error("flag not allowed here")]
    Flags,
    /// Reserved header bytes that are not zero.
    #[error("reserved header bytes are not zero")]
    Reserved,
    /// A length field outside of its limits.
    #[error("length out of bounds")]
    Length,
    /// More frames in a body than allowed.
    #[error("too many frames in one body")]
    TooManyFrames,
    /// An unknown handshake mode.
    #[error("unknown handshake mode")]
    Mode,
    /// Another suite than the build's.
    #[error("wrong suite")]
    Suite,
    /// Another build of the application.
    #[error("wrong build")]
    Build,
    /// A static key that this server does not have.
    #[error("unknown static key")]
    Key,
    /// A point of low order, whose Diffie-Hellman result is all zero bytes, or one that is not spelt canonically.
    #[error("point of low order, or not canonical")]
    Point,
    /// The Noise handshake failed: keys, prologue or bytes differ.
    #[error("handshake does not authenticate")]
    Handshake,
    /// A call in early data that may not be there.
    #[error("not for early data")]
    Early,
    /// A ticket that none of the ticket keys opens.
    #[error("unknown ticket")]
    Ticket,
    /// A ticket after its time.
    #[error("expired ticket")]
    TicketExpired,
    /// A transaction id that was used before, or that skips keys.
    #[error("transaction id out of order")]
    Txid,
    /// A frame that does not authenticate.
    #[error("frame does not authenticate")]
    Authentication,
    /// The sequence number of a call that still runs.
    #[error("sequence number in use")]
    Sequence,
    /// A padded frame without the padding's marker.
    #[error("malformed padding")]
    Padding,
    /// The session was closed by an earlier fault.
    #[error("session is closed")]
    Closed,
}

/// A refusal. All look the same outside: an empty HTTP 400, or WebSocket close code 1008.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("refused")]
pub struct Refused {
    fault: PeerFault,
}

impl Refused {
    /// Why, for the local log; not to be told to the peer.
    pub const fn fault(self) -> PeerFault {
        self.fault
    }
}

impl From<PeerFault> for Refused {
    fn from(fault: PeerFault) -> Self {
        Self { fault }
    }
}

/// Why a frame cannot be sealed: a mistake of the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// A payload longer than [`PAYLOAD_LEN_MAX`](crate::limits::PAYLOAD_LEN_MAX).
    #[error("payload is longer than {} bytes", crate::limits::PAYLOAD_LEN_MAX)]
    PayloadTooLong,
    /// A handshake type, which only the handshake itself may use.
    #[error("handshake frames are made by the handshake only")]
    HandshakeType,
    /// The session was closed by a fault of the peer.
    #[error("session is closed")]
    Closed,
    /// Every transaction id is used up.
    #[error("no transaction id is left in this session")]
    Exhausted,
}
