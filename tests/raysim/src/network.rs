//! The network: packets on their way, and what happens to them there.

use crate::rng::Rng;
use std::collections::BTreeMap;

/// What a packet travels on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Link {
    /// A request and its answer.
    Post(u64),
    /// Messages of a socket, in their order unless the network breaks it.
    Socket(u64),
}

/// Which way a packet goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Way {
    /// To the server.
    Up,
    /// To the client that opened the link.
    Down,
}

/// Something that happens at a time.
#[derive(Debug, Clone)]
pub(crate) enum Event {
    /// A packet arrives; without bytes it is the end of the link, a refusal.
    Arrives {
        /// On this link.
        link: Link,
        /// In this direction.
        way: Way,
        /// These bytes.
        bytes: Option<Vec<u8>>,
    },
    /// A client looks at its clock.
    Tick(usize),
    /// The server forgets what it has in memory of some socket.
    Evict,
    /// The server changes its ticket key.
    Rotate,
    /// A long time passes without anything.
    Pause,
}

/// Events to come, and the faults of the seed.
pub(crate) struct Network {
    /// Milliseconds since the start.
    pub(crate) now: u64,
    /// After this time nothing is lost or changed any more.
    pub(crate) faults_end: u64,
    events: BTreeMap<(u64, u64), Event>,
    count: u64,
    last: BTreeMap<(Link, Way), u64>,
    recorded: Vec<(Link, Way, Vec<u8>)>,
}

impl Network {
    /// An empty one.
    pub(crate) fn new(faults_end: u64) -> Self {
        let (events, last) = (BTreeMap::new(), BTreeMap::new());
        Self { now: 0, faults_end, events, count: 0, last, recorded: Vec::new() }
    }

    /// Has an event happen after so many milliseconds.
    pub(crate) fn after(&mut self, delay: u64, event: Event) {
        self.at(self.now + delay, event);
    }

    /// The next event; time moves to it.
    pub(crate) fn next(&mut self) -> Option<Event> {
        let ((at, _), event) = self.events.pop_first()?;
        self.now = at;
        Some(event)
    }

    /// Sends a packet: it arrives, or does not, once or more often, whole or changed.
    pub(crate) fn send(&mut self, rng: &mut Rng, link: Link, way: Way, bytes: Option<Vec<u8>>) {
        if self.now >= self.faults_end {
            return self.in_order(10, link, way, bytes);
        }
        if let Some(bytes) = &bytes {
            self.recorded.push((link, way, bytes.clone()));
        }
        if rng.percent(3) {
            self.replay(rng);
        }
        if rng.percent(8) {
            return;
        }
        let copies = 1 + u64::from(rng.percent(8));
        for _ in 0..copies {
            let mut bytes = bytes.clone();
            if let Some(bytes) = bytes.as_mut().filter(|bytes| !bytes.is_empty() && rng.percent(5)) {
                corrupt(rng, bytes);
            }
            let delay = rng.below(300);
            match link {
                Link::Socket(_) if !rng.percent(4) => self.in_order(delay, link, way, bytes),
                Link::Socket(_) | Link::Post(_) => self.after(delay, Event::Arrives { link, way, bytes }),
            }
        }
    }

    /// Something that was sent before arrives again, on the same link or on another.
    fn replay(&mut self, rng: &mut Rng) {
        if self.recorded.is_empty() {
            return;
        }
        let (mut link, way, bytes) = self.recorded[rng.index(self.recorded.len())].clone();
        if rng.percent(30) {
            (link, _, _) = self.recorded[rng.index(self.recorded.len())].clone();
        }
        self.after(rng.below(2_000), Event::Arrives { link, way, bytes: Some(bytes) });
    }

    fn in_order(&mut self, delay: u64, link: Link, way: Way, bytes: Option<Vec<u8>>) {
        let at = (self.now + delay).max(self.last.get(&(link, way)).map_or(0, |last| last + 1));
        self.last.insert((link, way), at);
        self.at(at, Event::Arrives { link, way, bytes });
    }

    fn at(&mut self, at: u64, event: Event) {
        self.events.insert((at, self.count), event);
        self.count += 1;
    }
}

fn corrupt(rng: &mut Rng, bytes: &mut Vec<u8>) {
    let at = rng.index(bytes.len());
    match rng.below(3) {
        0 => bytes.truncate(at),
        1 => bytes.push(rng.number().to_le_bytes()[0]),
        _ => bytes[at] ^= 1 << rng.below(8),
    }
}
