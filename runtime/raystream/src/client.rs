//! The client's side of both handshakes, for Rust callers and as the reference for the TypeScript client.

use crate::crypto::Secret;
use crate::entropy::{Entropy, random};
use crate::error::{PeerFault, Refused, SealError};
use crate::frame::{FrameType, clear_body};
use crate::ids::{BuildId, RouteHash, SessionId, UnixSeconds};
use crate::init::{FullInit, ResumeInit, prologue};
use crate::keys::PublicKey;
use crate::limits::EARLY_LEN_MAX;
use crate::noise::{self, AwaitingResponse, Setup};
use crate::schedule::{Established, Resuming};
use crate::server::peer_fault;
use crate::session::{Opened, Outgoing, Session};
use crate::stream::frames;
use crate::suite::Suite;
use crate::ticket::TICKET_LEN;

/// What a client pins.
#[derive(Debug, Clone)]
pub struct ClientConfig {
    /// The build's suite.
    pub suite: Suite,
    /// The build.
    pub build_id: BuildId,
    /// The endpoints' signatures.
    pub route_hash: RouteHash,
    /// The server's static key.
    pub server: PublicKey,
}

/// A full handshake after its HANDSHAKE_INIT.
pub struct Initiator {
    noise: AwaitingResponse,
}

/// An established session with what is needed to resume it.
#[derive(Debug)]
pub struct Connected {
    /// The session.
    pub session: Session,
    /// For later.
    pub resumption: Resumption,
}

/// A ticket and its secret.
#[derive(Debug, Clone)]
pub struct Resumption {
    ticket: Vec<u8>,
    secret: Secret<32>,
    session_id: SessionId,
    expires_at: UnixSeconds,
}

/// A resume after its HANDSHAKE_INIT: calls can be sealed at once, answers opened after [`finish`](Self::finish).
pub struct Resumer {
    resuming: Resuming,
    session_id: SessionId,
    expires_at: UnixSeconds,
    outgoing: Outgoing,
}

/// Why a handshake cannot begin: a mistake of the caller or of the build.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum StartError {
    /// More early data than [`EARLY_LEN_MAX`].
    #[error("early data is longer than {EARLY_LEN_MAX} bytes")]
    EarlyTooLong,
    /// The pinned X25519 key is a point of low order.
    #[error("the pinned server key is not usable")]
    PinnedKey,
}

impl Initiator {
    /// Begins a full handshake: the state and the HANDSHAKE_INIT frame. `early` is made by [`encode_early`](crate::encode_early).
    ///
    /// # Errors
    /// [`StartError`] for too much early data or a pinned key that cannot be used.
    pub fn start(
        config: &ClientConfig,
        early: &[u8],
        entropy: &mut dyn Entropy,
    ) -> Result<(Self, Vec<u8>), StartError> {
        if early.len() > EARLY_LEN_MAX {
            return Err(StartError::EarlyTooLong);
        }
        let (kem_ct, psk) = match config.suite {
            Suite::Base => (Vec::new(), None),
            Suite::Hybrid => {
                let (ciphertext, psk) = config.server.kem.encapsulate(&Secret::new(random(entropy)));
                (ciphertext, Some(psk))
            }
        };
        let key_id = config.server.key_id();
        let prologue = prologue(config.suite, config.build_id, config.route_hash, key_id, &kem_ct);
        let setup = Setup { suite: config.suite, prologue: &prologue, psk: psk.as_ref() };
        let ephemeral = Secret::new(random(entropy));
        let (noise, message) = noise::initiate(&setup, &config.server.x25519, ephemeral, early)
            .map_err(|_| StartError::PinnedKey)?;
        let suite = config.suite.as_u16();
        let init = FullInit { suite, build_id: config.build_id, key_id, kem_ct: &kem_ct, message: &message };
        Ok((Self { noise }, init.to_frame()))
    }
    /// Reads the answer: HANDSHAKE_RESPONSE and the frame with the ticket.
    ///
    /// # Errors
    /// [`Refused`] for anything else.
    pub fn finish(self, response: &[u8]) -> Result<Connected, Refused> {
        let mut frames = frames(response);
        let (Some(clear), Some(ticket), None) = (frames.next(), frames.next(), frames.next()) else {
            return Err(PeerFault::Truncated.into());
        };
        let message = clear_body(clear?, FrameType::HandshakeResponse)?;
        let (payload, split) = self.noise.finish(message).map_err(peer_fault)?;
        let (session_id, expires_at) = payload.split_first_chunk().ok_or(PeerFault::Truncated)?;
        let session_id = SessionId::from_bytes(*session_id);
        let expires_at =
            UnixSeconds(u64::from_le_bytes(expires_at.try_into().map_err(|_| PeerFault::Length)?));
        let Established { c2s, s2c, resumption } = Established::derive(&split);
        let mut session = Session::client(session_id, expires_at, Outgoing::new(c2s), s2c);
        let ticket = session.open(ticket?)?;
        let resumption = Resumption::from_ticket(&ticket, resumption, session_id)?;
        Ok(Connected { session, resumption })
    }
}

impl Resumption {
    /// When the ticket ends.
    pub const fn expires_at(&self) -> UnixSeconds {
        self.expires_at
    }

    fn from_ticket(opened: &Opened, secret: Secret<32>, session_id: SessionId) -> Result<Self, PeerFault> {
        if opened.ty != FrameType::HandshakeResponse {
            return Err(PeerFault::UnexpectedType);
        }
        let (expires_at, ticket) = opened.payload.split_first_chunk().ok_or(PeerFault::Truncated)?;
        if ticket.len() != TICKET_LEN {
            return Err(PeerFault::Length);
        }
        let expires_at = UnixSeconds(u64::from_le_bytes(*expires_at));
        Ok(Self { ticket: ticket.to_vec(), secret, session_id, expires_at })
    }
}

impl Resumer {
    /// Begins a resume: the state and the HANDSHAKE_INIT frame.
    pub fn start(resumption: &Resumption, entropy: &mut dyn Entropy) -> (Self, Vec<u8>) {
        let client_random = random(entropy);
        let init = ResumeInit { ticket: &resumption.ticket, client_random }.to_frame();
        let (resuming, c2s) = Resuming::derive(&resumption.secret, &client_random, &init);
        let Resumption { session_id, expires_at, .. } = *resumption;
        (Self { resuming, outgoing: Outgoing::new(c2s), session_id, expires_at }, init)
    }

    /// Seals a frame to send behind the HANDSHAKE_INIT, before the answer is there.
    ///
    /// # Errors
    /// [`SealError`] as of [`Session::seal`].
    pub fn seal(&mut self, ty: FrameType, sequence: u32, payload: &[u8]) -> Result<Vec<u8>, SealError> {
        self.outgoing.seal(ty, sequence, payload)
    }

    /// Reads the answer: HANDSHAKE_RESPONSE and, if there is a new ticket, the frame with it.
    ///
    /// # Errors
    /// [`Refused`] for anything else.
    pub fn finish(self, response: &[u8]) -> Result<(Session, Option<Resumption>), Refused> {
        let mut frames = frames(response);
        let clear = frames.next().ok_or(PeerFault::Truncated)??;
        let server_random = clear_body(clear, FrameType::HandshakeResponse)?;
        let server_random = server_random.try_into().map_err(|_| PeerFault::Length)?;
        let Self { resuming, outgoing, session_id, expires_at } = self;
        let resumed = resuming.finish(server_random);
        let secret = resumed.resumption();
        let mut session = Session::client(session_id, expires_at, outgoing, resumed.s2c);
        let Some(ticket) = frames.next() else {
            return Ok((session, None));
        };
        let renewed = Resumption::from_ticket(&session.open(ticket?)?, secret, session_id)?;
        if frames.next().is_some() {
            return Err(PeerFault::TrailingBytes.into());
        }
        Ok((session, Some(renewed)))
    }
}
