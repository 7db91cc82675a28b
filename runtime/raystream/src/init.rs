//! HANDSHAKE_INIT: its two modes and their fields, and the prologue that binds both ends to the same build.
//!
//! ```text
//! mode 1: 01 | suite u16 | build id 16 | key id 8 | kem_len u16 | kem_ct | noise message 1
//! mode 3: 03 | ticket_len u16 | ticket | client_random 32
//! ```

use crate::crypto::sha256;
use crate::error::PeerFault;
use crate::frame::{FrameType, clear, clear_body};
use crate::ids::{BuildId, KeyId, RouteHash};
use crate::limits::EARLY_LEN_MAX;
use crate::noise::MESSAGE_OVERHEAD;
use crate::suite::Suite;
use crate::ticket::TICKET_LEN;

const MODE_FULL: u8 = 1;
const MODE_RESUME: u8 = 3;

/// A parsed HANDSHAKE_INIT, borrowing from the frame.
pub(crate) enum Init<'a> {
    Full(FullInit<'a>),
    Resume(ResumeInit<'a>),
}

/// Mode 1.
pub(crate) struct FullInit<'a> {
    pub(crate) suite: u16,
    pub(crate) build_id: BuildId,
    pub(crate) key_id: KeyId,
    pub(crate) kem_ct: &'a [u8],
    pub(crate) message: &'a [u8],
}

/// Mode 3.
pub(crate) struct ResumeInit<'a> {
    pub(crate) ticket: &'a [u8],
    pub(crate) client_random: [u8; 32],
}

impl<'a> Init<'a> {
    pub(crate) fn parse(frame: &'a [u8]) -> Result<Self, PeerFault> {
        let body = clear_body(frame, FrameType::HandshakeInit)?;
        let (mode, rest) = body.split_first().ok_or(PeerFault::Truncated)?;
        match *mode {
            MODE_FULL => FullInit::parse(rest).map(Self::Full),
            MODE_RESUME => ResumeInit::parse(rest).map(Self::Resume),
            _ => Err(PeerFault::Mode),
        }
    }
}

impl<'a> FullInit<'a> {
    fn parse(body: &'a [u8]) -> Result<Self, PeerFault> {
        let (suite, rest) = body.split_first_chunk().ok_or(PeerFault::Truncated)?;
        let (build_id, rest) = rest.split_first_chunk().ok_or(PeerFault::Truncated)?;
        let (key_id, rest) = rest.split_first_chunk().ok_or(PeerFault::Truncated)?;
        let (kem_len, rest) = rest.split_first_chunk().ok_or(PeerFault::Truncated)?;
        let kem_len = usize::from(u16::from_le_bytes(*kem_len));
        let (kem_ct, message) = rest.split_at_checked(kem_len).ok_or(PeerFault::Truncated)?;
        if message.len() < MESSAGE_OVERHEAD {
            return Err(PeerFault::Truncated);
        }
        if message.len() > MESSAGE_OVERHEAD + EARLY_LEN_MAX {
            return Err(PeerFault::Length);
        }
        Ok(Self {
            suite: u16::from_le_bytes(*suite),
            build_id: BuildId(*build_id),
            key_id: KeyId(*key_id),
            kem_ct,
            message,
        })
    }

    pub(crate) fn to_frame(&self) -> Vec<u8> {
        let kem_len = u16::try_from(self.kem_ct.len()).expect("invariant: a KEM ciphertext is 1,088 bytes");
        let body = [
            &[MODE_FULL][..],
            &self.suite.to_le_bytes(),
            &self.build_id.0,
            &self.key_id.0,
            &kem_len.to_le_bytes(),
            self.kem_ct,
            self.message,
        ]
        .concat();
        clear(FrameType::HandshakeInit, &body)
    }
}

impl<'a> ResumeInit<'a> {
    fn parse(body: &'a [u8]) -> Result<Self, PeerFault> {
        let (ticket_len, rest) = body.split_first_chunk().ok_or(PeerFault::Truncated)?;
        if usize::from(u16::from_le_bytes(*ticket_len)) != TICKET_LEN {
            return Err(PeerFault::Ticket);
        }
        let (ticket, rest) = rest.split_at_checked(TICKET_LEN).ok_or(PeerFault::Truncated)?;
        let client_random = rest.try_into().map_err(|_| PeerFault::Length)?;
        Ok(Self { ticket, client_random })
    }

    pub(crate) fn to_frame(&self) -> Vec<u8> {
        let ticket_len = u16::try_from(self.ticket.len()).expect("invariant: a ticket is 112 bytes");
        let body = [&[MODE_RESUME][..], &ticket_len.to_le_bytes(), self.ticket, &self.client_random].concat();
        clear(FrameType::HandshakeInit, &body)
    }
}

/// What both ends hash before the first Noise message.
pub(crate) fn prologue(
    suite: Suite,
    build_id: BuildId,
    route_hash: RouteHash,
    key_id: KeyId,
    kem_ct: &[u8],
) -> Vec<u8> {
    [
        &b"raystream/1\0"[..],
        &suite.as_u16().to_le_bytes(),
        &build_id.0,
        &route_hash.0,
        &key_id.0,
        &sha256(&[kem_ct]),
    ]
    .concat()
}
