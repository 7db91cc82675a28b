//! A server, a client and what goes between them, all from fixed seeds.

use kontract_raystream::{
    Accepted, BuildId, ClientConfig, Connected, Initiator, PublicKey, RouteHash, Server, ServerConfig,
    StaticKey, Stek, Suite, TicketKeys, UnixSeconds, limits,
};
use std::sync::LazyLock;

/// The time of every first handshake.
pub(crate) const NOW: UnixSeconds = UnixSeconds(1_800_000_000);
/// The server's current static key.
pub(crate) const SEED: [u8; 32] = [0x11; 32];
/// The server's backup static key.
pub(crate) const BACKUP_SEED: [u8; 32] = [0x12; 32];
/// The build.
pub(crate) const BUILD: BuildId = BuildId([0xb1; 16]);
/// The endpoints' signatures.
pub(crate) const ROUTES: RouteHash = RouteHash([0x42; 32]);
/// Both suites.
pub(crate) const SUITES: [Suite; 2] = [Suite::Base, Suite::Hybrid];

/// Bytes `seed, seed + 1, …`, wrapping: repeatable, and easy to write down in a vector.
pub(crate) fn counting(seed: u8) -> impl FnMut(&mut [u8]) {
    let mut next = seed;
    move |bytes: &mut [u8]| {
        for byte in bytes {
            *byte = next;
            next = next.wrapping_add(1);
        }
    }
}

/// The ticket keys of this hour and the hour before.
pub(crate) fn ticket_keys() -> TicketKeys {
    TicketKeys { current: Stek::new([0x77; 32]), previous: Some(Stek::new([0x78; 32])) }
}

/// The server of this build; made once, since growing its keys takes most of a handshake's time.
pub(crate) fn server(suite: Suite) -> &'static Server {
    static SERVERS: LazyLock<[Server; 2]> =
        LazyLock::new(|| SUITES.map(|suite| Server::new(server_config(suite))));
    match suite {
        Suite::Base => &SERVERS[0],
        Suite::Hybrid => &SERVERS[1],
    }
}

/// What [`server`] is configured with.
pub(crate) fn server_config(suite: Suite) -> ServerConfig {
    ServerConfig {
        suite,
        build_id: BUILD,
        route_hash: ROUTES,
        current: StaticKey::from_seed(SEED),
        backup: Some(StaticKey::from_seed(BACKUP_SEED)),
        idle_timeout_secs: limits::IDLE_TIMEOUT_SECS,
    }
}

/// A client of this build.
pub(crate) fn client(suite: Suite) -> ClientConfig {
    static PINNED: LazyLock<PublicKey> = LazyLock::new(|| StaticKey::from_seed(SEED).public().clone());
    ClientConfig { suite, build_id: BUILD, route_hash: ROUTES, server: PINNED.clone() }
}

/// A finished full handshake.
pub(crate) fn connect(suite: Suite) -> (Connected, Accepted) {
    let (initiator, init) = Initiator::start(&client(suite), b"", &mut counting(1)).expect("usable key");
    let accepted = server(suite).accept(&init, &ticket_keys(), NOW, &mut counting(101)).expect("authentic");
    (initiator.finish(&accepted.response).expect("authentic"), accepted)
}
