//! A server whose every secret is known, and a session on it that anybody can seal for.

use crate::forge::{Header, Resume, TicketBinding};
use kontract_raystream::{
    Accepted, BuildId, ClientConfig, RouteHash, Server, ServerConfig, StaticKey, Stek, Suite, TicketKeys,
    UnixSeconds, limits,
};
use std::sync::LazyLock;

pub(crate) const NOW: UnixSeconds = UnixSeconds(1_800_000_000);
pub(crate) const BUILD: [u8; 16] = [0xb1; 16];
pub(crate) const ROUTES: [u8; 32] = [0x42; 32];
pub(crate) const SEED: [u8; 32] = [0x11; 32];
pub(crate) const STEK: [u8; 32] = [0x77; 32];
pub(crate) const RESUMPTION: [u8; 32] = [0x55; 32];
pub(crate) const BINDING: TicketBinding = TicketBinding { stek: STEK, suite: 1, route_hash: ROUTES };

pub(crate) static SERVER: LazyLock<Server> = LazyLock::new(|| Server::new(server_config()));
pub(crate) static CLIENT: LazyLock<ClientConfig> = LazyLock::new(|| ClientConfig {
    suite: Suite::Base,
    build_id: BuildId(BUILD),
    route_hash: RouteHash(ROUTES),
    server: StaticKey::from_seed(SEED).public().clone(),
});

pub(crate) fn server_config() -> ServerConfig {
    ServerConfig {
        suite: Suite::Base,
        build_id: BuildId(BUILD),
        route_hash: RouteHash(ROUTES),
        current: StaticKey::from_seed(SEED),
        backup: None,
        idle_timeout_secs: limits::IDLE_TIMEOUT_SECS,
    }
}

pub(crate) fn tickets() -> TicketKeys {
    TicketKeys { current: Stek::new(STEK), previous: None }
}

/// Repeatable bytes in the place of randomness.
pub(crate) fn entropy(seed: u8) -> impl FnMut(&mut [u8]) {
    let mut next = seed;
    move |bytes: &mut [u8]| {
        for byte in bytes {
            *byte = next;
            next = next.wrapping_mul(5).wrapping_add(17);
        }
    }
}

/// The id of a session that was created now: a UUID of version 7.
pub(crate) fn session_id() -> [u8; 16] {
    let mut id = [0x70; 16];
    id[..6].copy_from_slice(&(NOW.0 * 1000).to_be_bytes()[2..]);
    id[8] = 0x80;
    id
}

/// The content of a good ticket.
pub(crate) fn content() -> Vec<u8> {
    let expires_at = NOW.plus(limits::IDLE_TIMEOUT_SECS).0.to_le_bytes();
    [&RESUMPTION[..], &session_id(), &expires_at, &BUILD].concat()
}

/// A good resume.
pub(crate) fn resume() -> Resume {
    Resume::start(&BINDING.seal([9; 24], &content()), &RESUMPTION, &[0x33; 32])
}

/// The good resume and the server's end of it.
pub(crate) fn connect() -> (Resume, Accepted) {
    let resume = resume();
    let accepted = SERVER
        .accept(&resume.init, &tickets(), NOW, &mut entropy(1))
        .unwrap_or_else(|refused| unreachable!("a good resume was refused: {:?}", refused.fault()));
    (resume, accepted)
}

/// A good header.
pub(crate) fn header(ty: u8, flags: u16, sequence: u32, plaintext_len: usize) -> Header {
    let length = u32::try_from(plaintext_len + 16).expect("invariant: inputs are short");
    Header { version: 1, ty, flags, sequence, length, reserved: 0 }
}
