//! A client: it makes its calls over one transport or the other and tries again until each is answered.

use crate::forge::Direction;
use crate::network::{Event, Link, Network, Way};
use crate::observer::{Observer, Violation};
use crate::rng::Rng;
use crate::server::{Draws, Host, answer_to};
use kontract_raystream::{
    ClientConfig, FrameType, Initiator, Resumer, Resumption, Session, UnixSeconds, encode_early, frames,
};
use std::collections::{BTreeMap, BTreeSet};

/// Milliseconds between two looks at the clock.
const TICK_MS: u64 = 200;
/// Milliseconds after which what is not answered is given up.
const PATIENCE_MS: u64 = 1_500;

/// A handshake on its way.
enum Handshake {
    Full(Initiator),
    /// With the direction that the client has before there is an answer.
    Resume(Resumer, Direction),
}

/// What the client is doing.
enum State {
    Idle,
    /// A request is out; calls travel behind a resume, or inside of a full handshake.
    Posting {
        handshake: Handshake,
        sent: Outstanding,
    },
    /// A socket's handshake is out. A full one is answered in two messages.
    Opening {
        handshake: Handshake,
        received: Vec<u8>,
        sent: Outstanding,
    },
    /// A socket is open.
    Open {
        session: Session,
        c2s: Direction,
        nonces: BTreeSet<[u8; 12]>,
        outstanding: Outstanding,
    },
}

/// Calls that wait for an answer, by their sequence numbers.
type Outstanding = BTreeMap<u32, usize>;

/// One client.
pub(crate) struct Client<'a> {
    place: usize,
    config: &'a ClientConfig,
    /// How far its clock is off, in seconds; a full handshake tells it.
    skew: i64,
    resumption: Option<Resumption>,
    state: State,
    link: Option<Link>,
    since: u64,
    sequence: u32,
    calls: Vec<Vec<u8>>,
    /// How often each call was answered.
    pub(crate) answers: Vec<u32>,
}

type World<'w, 'h> = (&'w mut Network, &'w mut Observer, &'w mut Rng, &'w mut Host<'h>);

impl<'a> Client<'a> {
    /// With calls to make: some change something and carry a key, some only read.
    pub(crate) fn new(place: usize, config: &'a ClientConfig, rng: &mut Rng, host: &mut Host<'_>) -> Self {
        let skew = [0, 0, -400, 400, 100_000][rng.index(5)];
        let calls: Vec<Vec<u8>> = (0..=rng.below(6)).map(|number| call(rng, place, number)).collect();
        host.calls.extend(calls.iter().cloned());
        Self {
            place,
            config,
            skew,
            resumption: None,
            state: State::Idle,
            link: None,
            since: 0,
            sequence: 0,
            answers: vec![0; calls.len()],
            calls,
        }
    }

    /// Whether every call was answered.
    pub(crate) fn is_done(&self) -> bool {
        self.answers.iter().all(|count| *count > 0)
    }

    /// The keys of the calls that change something.
    pub(crate) fn keys(&self) -> impl Iterator<Item = [u8; 16]> {
        self.calls.iter().filter_map(|call| call.first_chunk().copied()).filter(|key| *key != [0; 16])
    }

    /// Whether this is the client of a link.
    pub(crate) fn has(&self, link: Link) -> bool {
        self.link == Some(link)
    }

    /// Looks at its clock: gives up, begins, sends.
    pub(crate) fn tick(&mut self, world: World<'_, '_>) -> Result<(), Violation> {
        let (network, observer, rng, host) = world;
        if !self.is_done() {
            network.after(TICK_MS, Event::Tick(self.place));
        }
        let is_over = network.now >= self.since + PATIENCE_MS;
        match &self.state {
            State::Idle => return self.begin(network, observer, rng, host),
            State::Posting { .. } | State::Opening { .. } => {
                if is_over {
                    self.end();
                }
            }
            State::Open { outstanding, .. } => {
                if is_over && (!outstanding.is_empty() || rng.percent(30)) {
                    self.end();
                } else {
                    return self.send_on_socket(network, observer, rng);
                }
            }
        }
        Ok(())
    }

    /// A packet arrives on its link.
    pub(crate) fn receive(
        &mut self,
        link: Link,
        bytes: Option<&[u8]>,
        host: &Host<'_>,
        now: u64,
    ) -> Result<(), Violation> {
        let Some(bytes) = bytes else {
            // Refused: the ticket may be why, so that the next handshake is a full one.
            self.resumption = None;
            self.end();
            return Ok(());
        };
        match (std::mem::replace(&mut self.state, State::Idle), link) {
            (State::Posting { handshake, sent }, Link::Post(_)) => {
                self.posted(handshake, sent, bytes, host.clock(now))
            }
            (State::Opening { handshake, received, sent }, Link::Socket(_)) => {
                self.opened(handshake, [&received[..], bytes].concat(), sent, (host, now))
            }
            (State::Open { session, c2s, nonces, outstanding }, Link::Socket(_)) => {
                self.message((session, c2s, nonces, outstanding), bytes, now)
            }
            (state, _) => {
                self.state = state;
                Ok(())
            }
        }
    }

    fn pending(&self) -> Option<usize> {
        self.answers.iter().position(|count| *count == 0)
    }

    fn end(&mut self) {
        self.state = State::Idle;
        self.link = None;
    }

    /// The session's id says what the server's clock showed; what is left of the skew is the time on the way.
    const fn learn(&mut self, created_at: UnixSeconds, now: UnixSeconds) {
        self.skew = created_at.0.cast_signed() - now.0.cast_signed();
    }

    fn usable(&mut self, now: UnixSeconds) -> Option<Resumption> {
        let clock = UnixSeconds(now.0.saturating_add_signed(self.skew));
        self.resumption.take_if(|resumption| resumption.expires_at() <= clock);
        self.resumption.clone()
    }

    fn begin(
        &mut self,
        network: &mut Network,
        observer: &mut Observer,
        rng: &mut Rng,
        host: &Host<'_>,
    ) -> Result<(), Violation> {
        let Some(call) = self.pending() else { return Ok(()) };
        let (number, on_socket) = (rng.number(), rng.percent(40));
        let link = if on_socket { Link::Socket(number) } else { Link::Post(number) };
        let (mut body, mut sent) = (Vec::new(), Outstanding::new());
        let handshake = if let Some(resumption) = self.usable(host.clock(network.now)) {
            let mut draws = Draws { rng: &mut *rng, taken: Vec::new() };
            let (mut resumer, init) = Resumer::start(&resumption, &mut draws);
            body.extend(&init);
            let (resume, _) = observer.resume(&init).ok_or("a ticket that no key opens")?;
            if !on_socket {
                self.sequence += 1;
                sent.insert(self.sequence, call);
                let frame = resumer
                    .seal(FrameType::RpcCall, self.sequence, &self.calls[call])
                    .map_err(|error| error.to_string())?;
                observer.sealed(&resume.c2s, &frame)?;
                body.extend(frame);
            }
            Handshake::Resume(resumer, resume.c2s)
        } else {
            let early = self.early(rng, &mut sent)?;
            let mut draws = Draws { rng: &mut *rng, taken: Vec::new() };
            let (initiator, init) =
                Initiator::start(self.config, &early, &mut draws).map_err(|error| error.to_string())?;
            body.extend(init);
            Handshake::Full(initiator)
        };
        self.state = match on_socket {
            true => State::Opening { handshake, received: Vec::new(), sent },
            false => State::Posting { handshake, sent },
        };
        (self.link, self.since) = (Some(link), network.now);
        network.send(rng, link, Way::Up, Some(body));
        Ok(())
    }

    /// Early data: calls that only read, and now and then one that does not, which must not take effect.
    fn early(&mut self, rng: &mut Rng, sent: &mut Outstanding) -> Result<Vec<u8>, Violation> {
        let mut early = Vec::new();
        let takes_all = rng.percent(5);
        for call in 0..self.calls.len() {
            let is_read = self.calls[call].first_chunk() == Some(&[0; 16]);
            if self.answers[call] > 0 || !(is_read || takes_all) || rng.percent(50) {
                continue;
            }
            self.sequence += 1;
            sent.insert(self.sequence, call);
            early.push((self.sequence, &self.calls[call]));
        }
        encode_early(early).map_err(|error| error.to_string())
    }

    fn posted(
        &mut self,
        handshake: Handshake,
        mut sent: Outstanding,
        answer: &[u8],
        now: UnixSeconds,
    ) -> Result<(), Violation> {
        self.link = None;
        match handshake {
            Handshake::Full(initiator) => {
                let parts: Vec<&[u8]> = frames(answer).map_while(Result::ok).collect();
                let (first, rest) = parts.split_at(2.min(parts.len()));
                let Ok(mut connected) = initiator.finish(&first.concat()) else { return Ok(()) };
                self.learn(connected.session.id().created_at(), now);
                self.resumption = Some(connected.resumption);
                for frame in rest {
                    let Ok(opened) = connected.session.open(frame) else { return Ok(()) };
                    self.resolve(&mut sent, opened.sequence, &opened.payload)?;
                }
            }
            Handshake::Resume(resumer, _) => {
                let parts: Vec<&[u8]> = frames(answer).map_while(Result::ok).collect();
                let tickets = parts.iter().skip(1).take_while(|frame| frame[1] == 2).count();
                let (first, rest) = parts.split_at((1 + tickets).min(parts.len()));
                let Ok((mut session, renewed)) = resumer.finish(&first.concat()) else { return Ok(()) };
                for frame in rest {
                    let Ok(opened) = session.open(frame) else { return Ok(()) };
                    self.resolve(&mut sent, opened.sequence, &opened.payload)?;
                }
                if let Some(renewed) = renewed {
                    self.resumption = Some(renewed);
                }
            }
        }
        Ok(())
    }

    fn opened(
        &mut self,
        handshake: Handshake,
        received: Vec<u8>,
        sent: Outstanding,
        (host, now): (&Host<'_>, u64),
    ) -> Result<(), Violation> {
        let (session, c2s) = match handshake {
            Handshake::Full(initiator) => {
                if frames(&received).filter(Result::is_ok).count() < 2 && received.len() < 1_000 {
                    self.state = State::Opening { handshake: Handshake::Full(initiator), received, sent };
                    return Ok(());
                }
                let Ok(connected) = initiator.finish(&received) else { return self.dropped() };
                self.learn(connected.session.id().created_at(), host.clock(now));
                self.resumption = Some(connected.resumption);
                // Authentic, so that it is what the server answered with.
                let keys = host.accepted.get(&received).ok_or("a response that the server did not give")?;
                (connected.session, keys.c2s.clone())
            }
            Handshake::Resume(resumer, c2s) => {
                let Ok((session, _)) = resumer.finish(&received) else { return self.dropped() };
                (session, c2s)
            }
        };
        let nonces = BTreeSet::new();
        self.state = State::Open { session, c2s, nonces, outstanding: sent };
        self.since = now;
        Ok(())
    }

    fn dropped(&mut self) -> Result<(), Violation> {
        self.end();
        Ok(())
    }

    fn message(
        &mut self,
        (mut session, c2s, mut nonces, mut outstanding): (
            Session,
            Direction,
            BTreeSet<[u8; 12]>,
            Outstanding,
        ),
        message: &[u8],
        now: u64,
    ) -> Result<(), Violation> {
        let Ok(opened) = session.open(message) else {
            if session.open(message).is_ok() {
                return Err("a client's session went on after a refusal".to_owned());
            }
            return self.dropped();
        };
        let nonce = *message[16..].first_chunk().ok_or("a frame without a nonce was opened")?;
        if !nonces.insert(nonce) {
            return Err("a frame was delivered to a client twice".to_owned());
        }
        if opened.ty == FrameType::RpcResponse {
            self.resolve(&mut outstanding, opened.sequence, &opened.payload)?;
        }
        // Heartbeats that are answered say nothing of a call that was lost before them.
        if opened.ty == FrameType::RpcResponse || outstanding.is_empty() {
            self.since = now;
        }
        self.state = State::Open { session, c2s, nonces, outstanding };
        Ok(())
    }

    fn resolve(&mut self, sent: &mut Outstanding, sequence: u32, answer: &[u8]) -> Result<(), Violation> {
        let Some(call) = sent.remove(&sequence) else {
            return Err("an answer to no call, or a second one".to_owned());
        };
        if answer != answer_to(&self.calls[call]) {
            return Err("a call got another call's answer".to_owned());
        }
        self.answers[call] += 1;
        Ok(())
    }

    fn send_on_socket(
        &mut self,
        network: &mut Network,
        observer: &mut Observer,
        rng: &mut Rng,
    ) -> Result<(), Violation> {
        let busy: BTreeSet<usize> = match &self.state {
            State::Open { outstanding, .. } => outstanding.values().copied().collect(),
            State::Idle | State::Posting { .. } | State::Opening { .. } => return Ok(()),
        };
        let next = (0..self.calls.len()).find(|call| self.answers[*call] == 0 && !busy.contains(call));
        let State::Open { session, c2s, outstanding, .. } = &mut self.state else { return Ok(()) };
        if rng.percent(20) {
            session.rekey().map_err(|error| error.to_string())?;
        }
        let (ty, payload) = match next {
            Some(call) if rng.percent(80) => {
                self.sequence += 1;
                if outstanding.is_empty() {
                    self.since = network.now;
                }
                outstanding.insert(self.sequence, call);
                (FrameType::RpcCall, &self.calls[call][..])
            }
            Some(_) | None => (FrameType::Heartbeat, &[][..]),
        };
        let frame = session.seal(ty, self.sequence, payload).map_err(|error| error.to_string())?;
        observer.sealed(c2s, &frame)?;
        let Some(link) = self.link else { return Ok(()) };
        network.send(rng, link, Way::Up, Some(frame));
        Ok(())
    }
}

/// `key 16 ‖ client ‖ number ‖ …`; a key of zeros is a call that only reads.
fn call(rng: &mut Rng, place: usize, number: u64) -> Vec<u8> {
    let mut call = vec![0; 16];
    if rng.percent(60) {
        rng.fill(&mut call);
    }
    call.extend(place.to_le_bytes());
    call.extend(number.to_le_bytes());
    let at = call.len();
    call.resize(at + rng.index(120), 0);
    rng.fill(&mut call[at..]);
    call
}
