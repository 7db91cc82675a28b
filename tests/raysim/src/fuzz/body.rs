//! The body of a POST, through the gateway: envelopes of any shape inside of frames that authenticate.

use super::Input;
use super::world::{CLIENT, NOW, entropy, header, resume, server_config, session_id, tickets};
use kontract_auth::{Authority, Identity, IdentityKey, SessionBinding, UnixSeconds};
use kontract_gateway::{Gateway, GatewayConfig, Received, RoutePolicy, Welcome};
use kontract_raystream::{Initiator, encode_early, frames};
use kontract_wire::perm::Perms;
use kontract_wire::route::RouteId;
use std::sync::LazyLock;

const IDENTITY: [u8; 32] = [3; 32];
const NAMES: [&str; 5] = ["read", "write", "members", "kontract.auth.anonymous", "kontract.auth.refresh"];

static GATEWAY: LazyLock<Gateway> = LazyLock::new(|| {
    let route =
        |name: &str, perm, ugroup| RoutePolicy { name: name.to_owned(), perm, ugroup, max_bytes: 1 << 16 };
    Gateway::new(GatewayConfig {
        raystream: server_config(),
        identity_key: IdentityKey::new(IDENTITY),
        routes: [
            route(NAMES[0], Perms::R, None),
            route(NAMES[1], Perms::ALL, None),
            route(NAMES[2], Perms::R, Some("members".to_owned())),
        ]
        .into_iter()
        .collect(),
    })
});

static TOKEN: LazyLock<String> = LazyLock::new(|| {
    let identity = Identity { owner: "user_1".to_owned(), groups: Vec::new(), mask: 7 };
    let authority = Authority::new(&IdentityKey::new(IDENTITY));
    authority.issue(&identity, &SessionBinding::of(&session_id()), UnixSeconds(NOW.0)).access_token
});

pub(super) fn run(data: &[u8]) {
    let mut input = Input::new(data);
    match input.u8() & 3 {
        0 | 2 => {}
        1 => {
            post(input.rest());
            return;
        }
        _ => return early(&mut input),
    }
    let resume = resume();
    let mut body = resume.init.clone();
    for txid in 0..8 {
        if input.is_empty() {
            break;
        }
        let (ty, flags) = match input.u8() {
            0..=199 => (0x10, 0),
            200..=239 => (0x30, 0),
            other => (other, u16::from(input.u8())),
        };
        let payload = envelope(&mut input);
        body.extend(resume.c2s.seal(header(ty, flags, txid, payload.len()), u64::from(txid), 0, &payload));
    }
    if input.u8() & 1 == 1 {
        input.edit(&mut body);
    }
    post(&body);
}

/// Calls of any shape inside of a handshake. What is taken has no effect, whoever sends it how often.
fn early(input: &mut Input<'_>) {
    let (mut calls, mut sequence, mut is_good) = (Vec::new(), 0, true);
    while !input.is_empty() && sequence < 10 {
        let choice = input.u8();
        if choice >= 0xe0 {
            break;
        }
        let chosen = NAMES[usize::from(choice >> 1) % NAMES.len()];
        let name = if sequence == 0 && choice < 0xc0 { NAMES[3] } else { chosen };
        let payload = if choice & 1 == 0 { unsigned(name) } else { envelope(input) };
        // The first makes the identity of the others, which only read.
        let has_place = if sequence == 0 { name == NAMES[3] } else { [NAMES[0], NAMES[2]].contains(&name) };
        is_good &= payload.len() < 2_000 && (choice & 1 == 1 || has_place);
        calls.push((sequence, payload));
        sequence += 1;
    }
    // The fuzzer's inputs have four kilobytes in all.
    let early = encode_early(calls).expect("invariant: short");
    let (_, init) =
        Initiator::start(&CLIENT, &early, &mut entropy(3)).expect("invariant: the pinned key is good");
    let Ok(welcome) = GATEWAY.accept(&init, &tickets(), NOW, &mut entropy(1)) else { return };
    assert!(is_good && welcome.early.len() == sequence as usize && sequence <= 8, "{sequence} calls");
    for (place, received) in welcome.early.iter().enumerate() {
        let Received::Call(call) = received else { continue };
        assert!(place > 0 && call.policy().perm == Perms::R && call.policy().ugroup.is_none());
        assert!(call.identity().owner.starts_with("anon_") && call.idempotency_key().is_none());
    }
}

/// A call with neither token nor key nor arguments.
fn unsigned(name: &str) -> Vec<u8> {
    [&RouteId::of(name).as_u32().to_le_bytes()[..], &[0; 2 + 16]].concat()
}

/// `route u32 ‖ token_len u16 ‖ token ‖ idempotency key 16 ‖ arguments`, with any part of it otherwise.
fn envelope(input: &mut Input<'_>) -> Vec<u8> {
    let oddity = input.u8();
    let name = NAMES[usize::from(input.u8()) % NAMES.len()];
    let route = if oddity & 1 == 0 { RouteId::of(name).as_u32() } else { input.u32() };
    let mut token = TOKEN.clone().into_bytes();
    if oddity & 2 != 0 {
        input.edit(&mut token);
    }
    let mut token_len = u16::try_from(token.len()).expect("invariant: tokens are short");
    if oddity & 4 != 0 {
        token_len = input.u16();
    }
    let (key, len) = (input.array::<16>(), usize::from(input.u8()));
    [&route.to_le_bytes()[..], &token_len.to_le_bytes(), &token, &key, input.take(len)].concat()
}

/// What the Worker does with a body. Every answer has to be sealed; the count of calls that would run is returned.
fn post(body: &[u8]) -> Option<usize> {
    let mut received = frames(body);
    let init = received.next()?.ok()?;
    let Welcome { mut channel, response, early } =
        GATEWAY.accept(init, &tickets(), NOW, &mut entropy(1)).ok()?;
    assert!(!response.is_empty() && early.is_empty());
    let mut calls = Vec::new();
    for frame in received {
        match channel.receive(&GATEWAY, frame.ok()?, NOW, &mut entropy(2)).ok()? {
            Received::Call(call) => calls.push(call),
            Received::Reply(reply) => assert!(reply.len() >= 16 + 12 + 16),
            Received::Cancel(_) | Received::Chunk(..) | Received::Nothing | Received::Close => {}
        }
    }
    for call in &calls {
        assert_eq!(call.identity().owner, "user_1", "nobody else has a token here");
        assert!(call.policy().ugroup.is_none(), "user_1 is in no group");
        assert!(call.policy().perm == Perms::R || call.idempotency_key().is_some());
        let answer = channel.respond(call.sequence(), call.arguments(), NOW);
        assert!(answer.is_ok_and(|answer| answer.len() > call.arguments().len()));
    }
    Some(calls.len())
}
