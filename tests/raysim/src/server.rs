//! The server: `kontract_raystream::Server` as the Worker uses it, an application behind it, and what must never happen to them.

use crate::forge::sha256;
use crate::network::{Link, Network, Way};
use crate::observer::{Keys, Observer, Violation};
use crate::rng::Rng;
use kontract_raystream::{
    Entropy, FrameType, Opened, Server, Session, Stek, TicketKeys, UnixSeconds, frames, limits,
};
use std::collections::{BTreeMap, BTreeSet};

/// What the application answers a call with.
pub(crate) fn answer_to(call: &[u8]) -> Vec<u8> {
    [&sha256(&[b"answer", call])[..], call].concat()
}

/// Randomness that is written down as it is taken.
pub(crate) struct Draws<'a> {
    /// Where it comes from.
    pub(crate) rng: &'a mut Rng,
    /// What was taken.
    pub(crate) taken: Vec<Vec<u8>>,
}

impl Entropy for Draws<'_> {
    fn fill(&mut self, bytes: &mut [u8]) {
        self.rng.fill(bytes);
        self.taken.push(bytes.to_vec());
    }
}

/// One session in the server's memory.
struct Instance {
    session: Session,
    keys: Keys,
    nonces: BTreeSet<[u8; 12]>,
    is_refused: bool,
}

/// An accepted handshake.
struct Welcome {
    instance: Instance,
    response: Vec<u8>,
    early: Vec<Opened>,
}

/// The server with its memory, its database and its clock.
pub(crate) struct Host<'a> {
    server: &'a Server,
    tickets: TicketKeys,
    sockets: BTreeMap<u64, Instance>,
    ledger: BTreeMap<[u8; 16], Vec<u8>>,
    /// How often a mutation took effect, by its key.
    pub(crate) effects: BTreeMap<[u8; 16], u32>,
    /// Seconds of its clock at the start.
    pub(crate) epoch: u64,
    /// Every call that some client made.
    pub(crate) calls: BTreeSet<Vec<u8>>,
    /// Handshakes accepted, frames opened, refusals.
    pub(crate) counts: [u64; 3],
    /// The keys of every handshake, by the response that the client gets.
    pub(crate) accepted: BTreeMap<Vec<u8>, Keys>,
}

impl<'a> Host<'a> {
    /// With a first ticket key.
    pub(crate) fn new(server: &'a Server, observer: &mut Observer, rng: &mut Rng, epoch: u64) -> Self {
        let tickets = TicketKeys { current: new_stek(observer, rng), previous: None };
        Self {
            server,
            tickets,
            sockets: BTreeMap::new(),
            ledger: BTreeMap::new(),
            effects: BTreeMap::new(),
            epoch,
            calls: BTreeSet::new(),
            counts: [0; 3],
            accepted: BTreeMap::new(),
        }
    }

    /// The hour is over.
    pub(crate) fn rotate(&mut self, observer: &mut Observer, rng: &mut Rng) {
        let current = new_stek(observer, rng);
        self.tickets.previous = Some(std::mem::replace(&mut self.tickets.current, current));
    }

    /// The memory of some socket is gone.
    pub(crate) fn evict(&mut self, rng: &mut Rng) {
        let sockets: Vec<u64> = self.sockets.keys().copied().collect();
        if !sockets.is_empty() {
            self.sockets.remove(&sockets[rng.index(sockets.len())]);
        }
    }

    /// Its clock, so many milliseconds after the start.
    pub(crate) const fn clock(&self, millis: u64) -> UnixSeconds {
        UnixSeconds(self.epoch + millis / 1000)
    }

    /// A packet arrives.
    pub(crate) fn receive(
        &mut self,
        world: (&mut Network, &mut Observer, &mut Rng),
        link: Link,
        bytes: Option<&[u8]>,
    ) -> Result<(), Violation> {
        let (network, observer, rng) = world;
        let now = self.clock(network.now);
        match (link, bytes) {
            (Link::Post(_), Some(body)) => {
                let answer = self.post(observer, rng, body, now)?;
                network.send(rng, link, Way::Down, answer);
            }
            (Link::Socket(socket), Some(message)) => {
                match self.message(observer, rng, socket, message, now)? {
                    Some(messages) => {
                        for message in messages {
                            network.send(rng, link, Way::Down, Some(message));
                        }
                    }
                    None => network.send(rng, link, Way::Down, None),
                }
            }
            (Link::Socket(socket), None) => drop(self.sockets.remove(&socket)),
            (Link::Post(_), None) => {}
        }
        Ok(())
    }

    /// As the Worker does it: all frames are taken before the first call runs, and one refusal refuses the body.
    fn post(
        &mut self,
        observer: &mut Observer,
        rng: &mut Rng,
        body: &[u8],
        now: UnixSeconds,
    ) -> Result<Option<Vec<u8>>, Violation> {
        let mut received = frames(body);
        let Some(Ok(init)) = received.next() else { return Ok(self.refuse()) };
        let Some(welcome) = self.accept(observer, rng, init, now)? else { return Ok(self.refuse()) };
        let Welcome { mut instance, mut response, early: mut opened } = welcome;
        for frame in received {
            let frame = frame.ok().map(|frame| self.open(&mut instance, frame, now)).transpose()?.flatten();
            match frame {
                Some(frame) => opened.push(frame),
                None => return Ok(self.refuse()),
            }
        }
        for frame in opened {
            response.extend(self.answer(observer, &mut instance, &frame)?);
        }
        Ok(Some(response))
    }

    fn message(
        &mut self,
        observer: &mut Observer,
        rng: &mut Rng,
        socket: u64,
        message: &[u8],
        now: UnixSeconds,
    ) -> Result<Option<Vec<Vec<u8>>>, Violation> {
        let Some(mut instance) = self.sockets.remove(&socket) else {
            let Some(welcome) = self.accept(observer, rng, message, now)? else { return Ok(self.refuse()) };
            let Welcome { mut instance, mut response, early } = welcome;
            for call in early {
                response.extend(self.answer(observer, &mut instance, &call)?);
            }
            self.sockets.insert(socket, instance);
            return Ok(Some(frames(&response).filter_map(|frame| Some(frame.ok()?.to_vec())).collect()));
        };
        let answer = match self.open(&mut instance, message, now)? {
            Some(opened) => Some(vec![self.answer(observer, &mut instance, &opened)?]),
            None => self.refuse(),
        };
        // A refused session stays, so that what still arrives on it can be seen to be refused as well.
        self.sockets.insert(socket, instance);
        Ok(answer)
    }

    fn accept(
        &mut self,
        observer: &mut Observer,
        rng: &mut Rng,
        init: &[u8],
        now: UnixSeconds,
    ) -> Result<Option<Welcome>, Violation> {
        let mut draws = Draws { rng, taken: Vec::new() };
        let Ok(accepted) = self.server.accept(init, &self.tickets, now, &mut draws) else { return Ok(None) };
        if accepted.resumed && observer.resume(init).is_none_or(|(_, expires_at)| expires_at <= now.0) {
            return Err("a ticket was taken after its time".to_owned());
        }
        let keys = observer.accepted(init, &accepted.response, &draws.taken)?;
        if accepted.early.iter().any(|call| !self.calls.contains(&call.payload)) {
            return Err("an early call was delivered that nobody made".to_owned());
        }
        // As the gateway does it: what could have an effect refuses the handshake.
        if accepted.early.iter().any(|call| call.payload.first_chunk() != Some(&[0; 16])) {
            return Ok(None);
        }
        self.counts[0] += 1;
        self.accepted.insert(accepted.response.clone(), keys.clone());
        let (session, nonces) = (accepted.session, BTreeSet::new());
        let instance = Instance { session, keys, nonces, is_refused: false };
        Ok(Some(Welcome { instance, response: accepted.response, early: accepted.early }))
    }

    fn open(
        &mut self,
        instance: &mut Instance,
        frame: &[u8],
        now: UnixSeconds,
    ) -> Result<Option<Opened>, Violation> {
        if instance.session.expires_at() <= now {
            instance.session.close();
            instance.is_refused = true;
        }
        let Ok(opened) = instance.session.open(frame) else {
            instance.is_refused = true;
            return Ok(None);
        };
        if instance.is_refused {
            return Err("a session went on after a refusal".to_owned());
        }
        let nonce = *frame[16..].first_chunk().ok_or("a frame without a nonce was opened")?;
        if !instance.nonces.insert(nonce) {
            return Err("a frame was delivered to the server twice".to_owned());
        }
        if opened.ty == FrameType::RpcCall && !self.calls.contains(&opened.payload) {
            return Err("a call was delivered that nobody made".to_owned());
        }
        self.counts[1] += 1;
        instance.session.touch(now, limits::IDLE_TIMEOUT_SECS);
        Ok(Some(opened))
    }

    /// Runs a call. The ledger has a mutation take effect once, and repeats its answer.
    fn answer(
        &mut self,
        observer: &mut Observer,
        instance: &mut Instance,
        opened: &Opened,
    ) -> Result<Vec<u8>, Violation> {
        let (ty, payload) = if opened.ty == FrameType::RpcCall {
            (FrameType::RpcResponse, self.run(&opened.payload))
        } else {
            (FrameType::Heartbeat, Vec::new())
        };
        let frame =
            instance.session.seal(ty, opened.sequence, &payload).map_err(|error| error.to_string())?;
        observer.sealed(&instance.keys.s2c, &frame)?;
        Ok(frame)
    }

    fn run(&mut self, call: &[u8]) -> Vec<u8> {
        let key = *call.first_chunk::<16>().expect("invariant: every call begins with its key");
        if key == [0; 16] {
            return answer_to(call);
        }
        let effects = &mut self.effects;
        self.ledger
            .entry(key)
            .or_insert_with(|| {
                *effects.entry(key).or_default() += 1;
                answer_to(call)
            })
            .clone()
    }

    const fn refuse<T>(&mut self) -> Option<T> {
        self.counts[2] += 1;
        None
    }
}

fn new_stek(observer: &mut Observer, rng: &mut Rng) -> Stek {
    let mut stek = [0; 32];
    rng.fill(&mut stek);
    observer.add_stek(stek);
    Stek::new(stek)
}
