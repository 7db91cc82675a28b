//! The server's side of both handshakes. One call per HANDSHAKE_INIT; nothing is kept between calls.

use crate::crypto::Secret;
use crate::early;
use crate::entropy::{Entropy, random};
use crate::error::{PeerFault, Refused};
use crate::frame::{FrameType, clear};
use crate::ids::{BuildId, KeyId, RouteHash, SessionId, UnixSeconds};
use crate::init::{FullInit, Init, ResumeInit, prologue};
use crate::keys::StaticKey;
use crate::noise::{self, NoiseFault, Setup};
use crate::schedule::{Established, Resuming};
use crate::session::{Opened, Session, expiry};
use crate::suite::Suite;
use crate::ticket::{Binding, Ticket, TicketKeys};

/// What a server is configured with.
#[derive(Debug)]
pub struct ServerConfig {
    /// The only suite that is accepted.
    pub suite: Suite,
    /// The only build that is accepted.
    pub build_id: BuildId,
    /// The endpoints' signatures; equal on both ends or the handshake fails.
    pub route_hash: RouteHash,
    /// The static key that new clients use first.
    pub current: StaticKey,
    /// A key that clients pin as well, for a rotation without an outage.
    pub backup: Option<StaticKey>,
    /// Seconds without traffic after which a session ends; usually [`IDLE_TIMEOUT_SECS`](crate::limits::IDLE_TIMEOUT_SECS).
    pub idle_timeout_secs: u64,
}

/// A server: accepts handshakes.
#[derive(Debug)]
pub struct Server {
    config: ServerConfig,
}

/// An accepted handshake.
#[derive(Debug)]
pub struct Accepted {
    /// The session, ready to open the client's next frames.
    pub session: Session,
    /// What to answer first: HANDSHAKE_RESPONSE and, if there is a new ticket, a frame with it. Over WebSocket each is a message
    /// of its own (see [`frames`](crate::frames)).
    pub response: Vec<u8>,
    /// Calls that came inside the handshake. They can be replayed: only read-only endpoints may run.
    pub early: Vec<Opened>,
    /// Whether a ticket was used.
    pub resumed: bool,
}

impl Server {
    /// A server.
    pub const fn new(config: ServerConfig) -> Self {
        Self { config }
    }

    /// Accepts a HANDSHAKE_INIT frame of either mode.
    ///
    /// # Errors
    /// [`Refused`] for everything that is not an authentic handshake for this build.
    pub fn accept(
        &self,
        init: &[u8],
        stek: &TicketKeys,
        now: UnixSeconds,
        entropy: &mut dyn Entropy,
    ) -> Result<Accepted, Refused> {
        let accepted = match Init::parse(init)? {
            Init::Full(full) => self.accept_full(&full, stek, now, entropy),
            Init::Resume(resume) => self.accept_resume(&resume, init, stek, now, entropy),
        };
        Ok(accepted?)
    }

    fn accept_full(
        &self,
        init: &FullInit<'_>,
        stek: &TicketKeys,
        now: UnixSeconds,
        entropy: &mut dyn Entropy,
    ) -> Result<Accepted, PeerFault> {
        let key = self.check_full(init)?;
        let psk = match self.config.suite {
            Suite::Base => None,
            Suite::Hybrid => Some(key.kem.psk(init.kem_ct).ok_or(PeerFault::Length)?),
        };
        let ServerConfig { suite, build_id, route_hash, idle_timeout_secs, .. } = self.config;
        let prologue = prologue(suite, build_id, route_hash, key.key_id(), init.kem_ct);
        let setup = Setup { suite, prologue: &prologue, psk: psk.as_ref() };
        let local_static = (&key.x25519, key.public().x25519());
        let (responding, early) = noise::accept(&setup, local_static, init.message).map_err(peer_fault)?;
        let early = early::decode(early)?;

        let session_id = SessionId::generate(now, entropy);
        let expires_at = expiry(session_id, now, idle_timeout_secs);
        let payload = [&session_id.as_bytes()[..], &expires_at.0.to_le_bytes()].concat();
        let ephemeral = Secret::new(random(entropy));
        let (message, split) = responding.respond(&ephemeral, &payload).map_err(peer_fault)?;

        let Established { c2s, mut s2c, resumption } = Established::derive(&split);
        let mut response = clear(FrameType::HandshakeResponse, &message);
        let ticket = Ticket { resumption, session_id, expires_at };
        response.extend_from_slice(&ticket.frame(&mut s2c, stek, &self.binding(), entropy));
        let session = Session::server(session_id, expires_at, c2s, s2c);
        Ok(Accepted { session, response, early, resumed: false })
    }

    /// Everything about a full handshake that needs no cryptography; the static key it names.
    fn check_full(&self, init: &FullInit<'_>) -> Result<&StaticKey, PeerFault> {
        if init.suite != self.config.suite.as_u16() {
            return Err(PeerFault::Suite);
        }
        if init.build_id != self.config.build_id {
            return Err(PeerFault::Build);
        }
        if init.kem_ct.len() != self.config.suite.kem_ct_len() {
            return Err(PeerFault::Length);
        }
        self.static_key(init.key_id).ok_or(PeerFault::Key)
    }

    fn static_key(&self, id: KeyId) -> Option<&StaticKey> {
        std::iter::once(&self.config.current).chain(&self.config.backup).find(|key| key.key_id() == id)
    }

    fn accept_resume(
        &self,
        init: &ResumeInit<'_>,
        frame: &[u8],
        stek: &TicketKeys,
        now: UnixSeconds,
        entropy: &mut dyn Entropy,
    ) -> Result<Accepted, PeerFault> {
        let binding = self.binding();
        let Ticket { resumption, session_id, mut expires_at } =
            Ticket::open(init.ticket, stek, &binding, now)?;
        let (resuming, c2s) = Resuming::derive(&resumption, &init.client_random, frame);
        let server_random = random::<32>(entropy);
        let mut resumed = resuming.finish(&server_random);
        let mut response = clear(FrameType::HandshakeResponse, &server_random);
        if let Some(renewed_expiry) = self.renewal(session_id, expires_at, now) {
            expires_at = renewed_expiry;
            let ticket = Ticket { resumption: resumed.resumption(), session_id, expires_at };
            response.extend_from_slice(&ticket.frame(&mut resumed.s2c, stek, &binding, entropy));
        }
        let session = Session::server(session_id, expires_at, c2s, resumed.s2c);
        Ok(Accepted { session, response, early: Vec::new(), resumed: true })
    }

    /// The new end of a session whose ticket is past half of its time, if that is later than the old one.
    fn renewal(&self, id: SessionId, expires_at: UnixSeconds, now: UnixSeconds) -> Option<UnixSeconds> {
        let renewed = expiry(id, now, self.config.idle_timeout_secs);
        let is_due = expires_at <= now.plus(self.config.idle_timeout_secs / 2);
        (is_due && renewed > expires_at).then_some(renewed)
    }

    const fn binding(&self) -> Binding {
        let ServerConfig { suite, build_id, route_hash, .. } = self.config;
        Binding { suite, build_id, route_hash }
    }
}

/// How a fault of the Noise layer is logged.
pub(crate) const fn peer_fault(fault: NoiseFault) -> PeerFault {
    match fault {
        NoiseFault::Truncated => PeerFault::Truncated,
        NoiseFault::Point => PeerFault::Point,
        NoiseFault::Authentication => PeerFault::Handshake,
    }
}
