//! Tickets: a session's resumption secret, sealed by the server for itself, so that it keeps no state between requests.
//!
//! ```text
//! ticket = nonce 24 ‖ XChaCha20-Poly1305(STEK, resumption 32 ‖ session id 16 ‖ expiry u64 ‖ build id 16)
//! associated data = "rs1 ticket" ‖ suite u16 ‖ route hash 32
//! ```

use crate::crypto::{Secret, TAG_LEN, xopen, xseal};
use crate::entropy::{Entropy, random};
use crate::error::PeerFault;
use crate::frame::{Flags, FrameType, Header};
use crate::ids::{BuildId, RouteHash, SessionId, UnixSeconds};
use crate::schedule::Direction;
use crate::suite::Suite;

const NONCE_LEN: usize = 24;
const CONTENT_LEN: usize = 32 + 16 + 8 + 16;

/// Length of a ticket, in bytes.
pub(crate) const TICKET_LEN: usize = NONCE_LEN + CONTENT_LEN + TAG_LEN;

/// A session ticket encryption key of one epoch.
#[derive(Debug, Clone)]
pub struct Stek(Secret<32>);

impl Stek {
    /// From 32 random bytes.
    pub const fn new(key: [u8; 32]) -> Self {
        Self(Secret::new(key))
    }
}

/// The ticket keys in use: new tickets are made with `current`; those of the `previous` epoch still open.
#[derive(Debug, Clone)]
pub struct TicketKeys {
    /// Seals and opens.
    pub current: Stek,
    /// Only opens.
    pub previous: Option<Stek>,
}

/// What has to be equal on the day a ticket is made and the day it is used.
#[derive(Clone, Copy)]
pub(crate) struct Binding {
    pub(crate) suite: Suite,
    pub(crate) build_id: BuildId,
    pub(crate) route_hash: RouteHash,
}

/// The content of a ticket.
pub(crate) struct Ticket {
    pub(crate) resumption: Secret<32>,
    pub(crate) session_id: SessionId,
    pub(crate) expires_at: UnixSeconds,
}

impl Binding {
    fn associated_data(&self) -> Vec<u8> {
        [&b"rs1 ticket"[..], &self.suite.as_u16().to_le_bytes(), &self.route_hash.0].concat()
    }
}

impl Ticket {
    fn seal(&self, keys: &TicketKeys, binding: &Binding, entropy: &mut dyn Entropy) -> Vec<u8> {
        let nonce = random::<NONCE_LEN>(entropy);
        let mut content = Vec::with_capacity(CONTENT_LEN);
        content.extend_from_slice(self.resumption.expose());
        content.extend_from_slice(self.session_id.as_bytes());
        content.extend_from_slice(&self.expires_at.0.to_le_bytes());
        content.extend_from_slice(&binding.build_id.0);
        let content = zeroize::Zeroizing::new(content);
        let ciphertext = xseal(&keys.current.0, nonce, &binding.associated_data(), &content);
        [&nonce[..], &ciphertext].concat()
    }

    /// Opens a ticket and checks its time and build.
    pub(crate) fn open(
        bytes: &[u8],
        keys: &TicketKeys,
        binding: &Binding,
        now: UnixSeconds,
    ) -> Result<Self, PeerFault> {
        let (nonce, ciphertext) = bytes.split_first_chunk::<NONCE_LEN>().ok_or(PeerFault::Ticket)?;
        let ad = binding.associated_data();
        let content = std::iter::once(&keys.current)
            .chain(&keys.previous)
            .find_map(|stek| xopen(&stek.0, *nonce, &ad, ciphertext))
            .ok_or(PeerFault::Ticket)?;
        let content = zeroize::Zeroizing::new(content);
        let (resumption, rest) = content.split_first_chunk().ok_or(PeerFault::Ticket)?;
        let (session_id, rest) = rest.split_first_chunk().ok_or(PeerFault::Ticket)?;
        let (expires_at, build_id) = rest.split_first_chunk().ok_or(PeerFault::Ticket)?;
        let expires_at = UnixSeconds(u64::from_le_bytes(*expires_at));
        if build_id != binding.build_id.0 {
            return Err(PeerFault::Build);
        }
        if expires_at <= now {
            return Err(PeerFault::TicketExpired);
        }
        Ok(Self {
            resumption: Secret::new(*resumption),
            session_id: SessionId::from_bytes(*session_id),
            expires_at,
        })
    }

    /// A sealed frame `expiry u64 ‖ ticket`, as the next frame of the server's direction. Not padded: its length is fixed.
    pub(crate) fn frame(
        &self,
        s2c: &mut Direction,
        keys: &TicketKeys,
        binding: &Binding,
        entropy: &mut dyn Entropy,
    ) -> Vec<u8> {
        let ticket = self.seal(keys, binding, entropy);
        let payload = [&self.expires_at.0.to_le_bytes()[..], &ticket].concat();
        let header = Header { ty: FrameType::HandshakeResponse, flags: Flags::FIN, sequence: 0, length: 0 };
        s2c.seal(header, &payload).expect("invariant: a ticket is the first frame of its direction")
    }
}
