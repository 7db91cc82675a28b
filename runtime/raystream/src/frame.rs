//! Frames: the 16-byte header, its types and flags, and where a frame's parts are.
//!
//! ```text
//! version 1 = 0x01 | type 1 | flags 2 | sequence 4 | length 4 | reserved 4 = 0      integers little-endian
//! sealed frame: header ‖ nonce 12 ‖ ciphertext ‖ tag 16     length = ciphertext + tag
//! clear frame:  header ‖ body                               length = body; handshakes only
//! ```

use crate::crypto::TAG_LEN;
use crate::error::PeerFault;
use crate::limits::{FRAME_LENGTH_MAX, PLAINTEXT_LEN_MAX};

/// Length of a header, in bytes.
pub(crate) const HEADER_LEN: usize = 16;

/// Length of the nonce on the wire, in bytes.
pub(crate) const NONCE_LEN: usize = 12;

const VERSION: u8 = 1;

/// What a frame is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FrameType {
    /// Opens a session, in the clear.
    HandshakeInit,
    /// Answers it, in the clear; sealed and with [`Flags::FIN`], it carries a ticket.
    HandshakeResponse,
    /// A call.
    RpcCall,
    /// The result of a call.
    RpcResponse,
    /// The error of a call.
    RpcError,
    /// Asks to end a call.
    RpcCancel,
    /// A part of a streamed result.
    RpcChunk,
    /// Asks for events.
    Subscribe,
    /// An event.
    Event,
    /// Ends a subscription.
    Unsubscribe,
    /// A sign of life.
    Heartbeat,
    /// Ends the session.
    Close,
}

impl FrameType {
    const fn from_u8(byte: u8) -> Option<Self> {
        Some(match byte {
            0x01 => Self::HandshakeInit,
            0x02 => Self::HandshakeResponse,
            0x10 => Self::RpcCall,
            0x11 => Self::RpcResponse,
            0x12 => Self::RpcError,
            0x13 => Self::RpcCancel,
            0x14 => Self::RpcChunk,
            0x20 => Self::Subscribe,
            0x21 => Self::Event,
            0x22 => Self::Unsubscribe,
            0x30 => Self::Heartbeat,
            0xff => Self::Close,
            _ => return None,
        })
    }

    /// The byte on the wire.
    pub const fn as_u8(self) -> u8 {
        match self {
            Self::HandshakeInit => 0x01,
            Self::HandshakeResponse => 0x02,
            Self::RpcCall => 0x10,
            Self::RpcResponse => 0x11,
            Self::RpcError => 0x12,
            Self::RpcCancel => 0x13,
            Self::RpcChunk => 0x14,
            Self::Subscribe => 0x20,
            Self::Event => 0x21,
            Self::Unsubscribe => 0x22,
            Self::Heartbeat => 0x30,
            Self::Close => 0xff,
        }
    }
}

/// A set of header flags.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Flags(u16);

impl Flags {
    /// No flag.
    pub const NONE: Self = Self(0);
    /// The lowest bit of the key's epoch.
    pub const KEY_PHASE: Self = Self(1);
    /// The plaintext is padded.
    pub const PADDED: Self = Self(2);
    /// More frames of this message follow.
    pub const MORE: Self = Self(4);
    /// The last frame of a message in several.
    pub const FIN: Self = Self(8);
    /// Part of a HANDSHAKE_INIT's early data.
    pub const EARLY: Self = Self(16);

    const ALL: u16 = 31;

    /// Whether every flag of `other` is set.
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// These flags with `other` set or cleared.
    #[must_use]
    pub const fn with(self, other: Self, set: bool) -> Self {
        if set { Self(self.0 | other.0) } else { Self(self.0 & !other.0) }
    }

    /// The number on the wire.
    pub const fn bits(self) -> u16 {
        self.0
    }

    const fn from_bits(bits: u16) -> Option<Self> {
        if bits & !Self::ALL == 0 { Some(Self(bits)) } else { None }
    }
}

/// A frame's header; authenticated as the associated data of sealed frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// What the frame is.
    pub ty: FrameType,
    /// Its flags.
    pub flags: Flags,
    /// Which call or subscription it belongs to; chosen by the client.
    pub sequence: u32,
    /// Bytes after the header and the nonce.
    pub length: u32,
}

impl Header {
    /// Reads the header of a frame from the beginning of `bytes`.
    ///
    /// # Errors
    /// [`PeerFault`] when there is none within the limits.
    pub fn parse(bytes: &[u8]) -> Result<Self, PeerFault> {
        let header = Self::parse_early(bytes)?;
        let length_min = if header.is_sealed() { TAG_LEN } else { 0 };
        let is_within = (length_min..=FRAME_LENGTH_MAX).contains(&header.body_len());
        if is_within { Ok(header) } else { Err(PeerFault::Length) }
    }

    /// Reads a header that early data uses, behind which there is no tag. The caller checks the length.
    pub(crate) fn parse_early(bytes: &[u8]) -> Result<Self, PeerFault> {
        let bytes: &[u8; HEADER_LEN] = bytes.first_chunk().ok_or(PeerFault::Truncated)?;
        let [version, ty, f0, f1, s0, s1, s2, s3, l0, l1, l2, l3, reserved @ ..] = *bytes;
        if version != VERSION {
            return Err(PeerFault::Version);
        }
        if reserved != [0; 4] {
            return Err(PeerFault::Reserved);
        }
        Ok(Self {
            ty: FrameType::from_u8(ty).ok_or(PeerFault::UnknownType)?,
            flags: Flags::from_bits(u16::from_le_bytes([f0, f1])).ok_or(PeerFault::Flags)?,
            sequence: u32::from_le_bytes([s0, s1, s2, s3]),
            length: u32::from_le_bytes([l0, l1, l2, l3]),
        })
    }

    /// The sixteen bytes on the wire.
    pub fn to_bytes(self) -> [u8; HEADER_LEN] {
        let mut bytes = [0; HEADER_LEN];
        bytes[0] = VERSION;
        bytes[1] = self.ty.as_u8();
        bytes[2..4].copy_from_slice(&self.flags.bits().to_le_bytes());
        bytes[4..8].copy_from_slice(&self.sequence.to_le_bytes());
        bytes[8..12].copy_from_slice(&self.length.to_le_bytes());
        bytes
    }

    /// Length of the whole frame, in bytes.
    pub fn frame_len(self) -> usize {
        HEADER_LEN + if self.is_sealed() { NONCE_LEN } else { 0 } + self.body_len()
    }

    /// Handshakes are clear, all else is sealed; a ticket is the end of a handshake and sealed.
    const fn is_sealed(self) -> bool {
        match self.ty {
            FrameType::HandshakeInit => false,
            FrameType::HandshakeResponse => self.flags.contains(Flags::FIN),
            FrameType::RpcCall
            | FrameType::RpcResponse
            | FrameType::RpcError
            | FrameType::RpcCancel
            | FrameType::RpcChunk
            | FrameType::Subscribe
            | FrameType::Event
            | FrameType::Unsubscribe
            | FrameType::Heartbeat
            | FrameType::Close => true,
        }
    }

    const fn body_len(self) -> usize {
        self.length as usize
    }
}

/// The parts of a sealed frame, borrowed.
pub(crate) struct SealedFrame<'a> {
    pub(crate) header: Header,
    pub(crate) associated_data: &'a [u8],
    pub(crate) nonce: [u8; NONCE_LEN],
    pub(crate) ciphertext: &'a [u8],
}

impl<'a> SealedFrame<'a> {
    /// `frame` is one frame and nothing else.
    pub(crate) fn parse(frame: &'a [u8]) -> Result<Self, PeerFault> {
        let header = exact_header(frame)?;
        if !header.is_sealed() {
            return Err(PeerFault::UnexpectedType);
        }
        let (associated_data, rest) = frame.split_at_checked(HEADER_LEN).ok_or(PeerFault::Truncated)?;
        let (nonce, ciphertext) = rest.split_first_chunk().ok_or(PeerFault::Truncated)?;
        Ok(Self { header, associated_data, nonce: *nonce, ciphertext })
    }

    /// The length field for a plaintext.
    pub(crate) fn length_of(plaintext_len: usize) -> u32 {
        debug_assert!(plaintext_len <= PLAINTEXT_LEN_MAX, "checked by Session::seal");
        u32::try_from(plaintext_len + TAG_LEN).expect("invariant: plaintexts are below 1 MiB")
    }
}

/// A clear frame: `body` behind its header.
pub(crate) fn clear(ty: FrameType, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len()).expect("invariant: handshake bodies are far below 4 GiB");
    let header = Header { ty, flags: Flags::NONE, sequence: 0, length };
    [&header.to_bytes()[..], body].concat()
}

/// The body of a clear frame of type `ty`; every other header field is fixed, so nothing in it can be altered.
pub(crate) fn clear_body(frame: &[u8], ty: FrameType) -> Result<&[u8], PeerFault> {
    let header = exact_header(frame)?;
    if header.ty != ty || header.is_sealed() {
        return Err(PeerFault::UnexpectedType);
    }
    if header.flags != Flags::NONE || header.sequence != 0 {
        return Err(PeerFault::Flags);
    }
    frame.get(HEADER_LEN..).ok_or(PeerFault::Truncated)
}

fn exact_header(frame: &[u8]) -> Result<Header, PeerFault> {
    let header = Header::parse(frame)?;
    match frame.len().cmp(&header.frame_len()) {
        std::cmp::Ordering::Less => Err(PeerFault::Truncated),
        std::cmp::Ordering::Equal => Ok(header),
        std::cmp::Ordering::Greater => Err(PeerFault::TrailingBytes),
    }
}
