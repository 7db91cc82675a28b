//! One seed: a server, clients and a network, until every call is answered or something is wrong.

use crate::client::Client;
use crate::network::{Event, Network, Way};
use crate::observer::{Observer, Violation};
use crate::rng::Rng;
use crate::server::Host;
use kontract_raystream::{BuildId, ClientConfig, RouteHash, Server, ServerConfig, StaticKey, Suite, limits};
use std::sync::LazyLock;

/// The static key that clients pin.
const SEED: [u8; 32] = [0x11; 32];
/// The other one of the server.
const OTHER_SEED: [u8; 32] = [0x12; 32];
const BUILD: [u8; 16] = [0xb1; 16];
const ROUTES: [u8; 32] = [0x42; 32];
/// Seconds of the server's clock at the start.
const EPOCH: u64 = 1_800_000_000;
/// Milliseconds after which the network is a good one.
const FAULTS_MS: u64 = 20_000;
/// Milliseconds after which a call without an answer is lost.
const END_MS: u64 = 90_000;

/// What both ends are made with; growing the keys takes longer than a simulation.
struct Build {
    server: Server,
    client: ClientConfig,
}

/// Each suite, with a server whose current key clients pin and with one that has it as its backup.
static BUILDS: LazyLock<[Build; 4]> = LazyLock::new(|| {
    [(Suite::Base, false), (Suite::Hybrid, false), (Suite::Base, true), (Suite::Hybrid, true)].map(build)
});

fn build((suite, is_backup): (Suite, bool)) -> Build {
    let (build_id, route_hash, pinned) = (BuildId(BUILD), RouteHash(ROUTES), StaticKey::from_seed(SEED));
    let client = ClientConfig { suite, build_id, route_hash, server: pinned.public().clone() };
    let other = StaticKey::from_seed(OTHER_SEED);
    let (current, backup) = if is_backup { (other, pinned) } else { (pinned, other) };
    let idle_timeout_secs = limits::IDLE_TIMEOUT_SECS;
    let config =
        ServerConfig { suite, build_id, route_hash, current, backup: Some(backup), idle_timeout_secs };
    Build { server: Server::new(config), client }
}

/// How much happened, so that a test can see that something did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Handshakes that the server accepted.
    pub handshakes: u64,
    /// Frames that the server opened.
    pub frames: u64,
    /// What the server refused.
    pub refusals: u64,
    /// Calls that were answered.
    pub answers: u64,
}

/// Runs a seed.
///
/// # Errors
/// What must not happen and did, in words.
pub fn simulate(seed: u64) -> Result<Counts, Violation> {
    let mut rng = Rng::new(seed);
    let build = &BUILDS[usize::from(rng.percent(30)) + 2 * usize::from(rng.percent(30))];
    let mut observer = Observer::new(build.client.suite.as_u16(), BUILD, ROUTES, SEED);
    let mut host = Host::new(&build.server, &mut observer, &mut rng, EPOCH);
    let mut network = Network::new(FAULTS_MS);
    let mut clients: Vec<Client<'_>> =
        (0..=rng.index(3)).map(|place| Client::new(place, &build.client, &mut rng, &mut host)).collect();
    schedule(&mut network, &mut rng, clients.len());
    while let Some(event) = network.next() {
        if network.now > END_MS {
            return Err("a call was lost: the network is good again and it has no answer".to_owned());
        }
        happen(event, &mut network, &mut observer, &mut rng, &mut host, &mut clients)?;
    }
    verdict(&host, &clients)
}

fn schedule(network: &mut Network, rng: &mut Rng, clients: usize) {
    for place in 0..clients {
        network.after(rng.below(1_000), Event::Tick(place));
    }
    for event in [Event::Evict, Event::Rotate, Event::Pause] {
        for _ in 0..rng.below(4) {
            network.after(rng.below(FAULTS_MS), event.clone());
        }
    }
}

fn happen(
    event: Event,
    network: &mut Network,
    observer: &mut Observer,
    rng: &mut Rng,
    host: &mut Host<'_>,
    clients: &mut [Client<'_>],
) -> Result<(), Violation> {
    match event {
        Event::Arrives { link, way: Way::Up, bytes } => {
            host.receive((network, observer, rng), link, bytes.as_deref())
        }
        Event::Arrives { link, way: Way::Down, bytes } => {
            match clients.iter_mut().find(|client| client.has(link)) {
                Some(client) => client.receive(link, bytes.as_deref(), host, network.now),
                None => Ok(()),
            }
        }
        Event::Tick(place) => clients[place].tick((network, observer, rng, host)),
        Event::Evict => {
            host.evict(rng);
            Ok(())
        }
        Event::Rotate => {
            host.rotate(observer, rng);
            Ok(())
        }
        Event::Pause => {
            host.epoch += rng.below(400);
            Ok(())
        }
    }
}

/// Each call has one answer, each change one effect.
fn verdict(host: &Host<'_>, clients: &[Client<'_>]) -> Result<Counts, Violation> {
    let [handshakes, frames, refusals] = host.counts;
    let mut counts = Counts { handshakes, frames, refusals, answers: 0 };
    for client in clients {
        if !client.is_done() {
            return Err("a call was lost silently".to_owned());
        }
        if client.answers.iter().any(|count| *count > 1) {
            return Err("a call was answered twice".to_owned());
        }
        counts.answers += u64::try_from(client.answers.len()).unwrap_or_default();
        if client.keys().any(|key| host.effects.get(&key) != Some(&1)) {
            return Err("a change did not take effect once".to_owned());
        }
    }
    Ok(counts)
}
