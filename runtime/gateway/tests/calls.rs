//! A client and the gateway, frame by frame: what runs, what is answered, what is refused.
#![expect(clippy::panic, reason = "a test fails by panicking")]

use kontract_auth::{Authority, Identity, IdentityKey, SessionBinding, UnixSeconds as AuthSeconds};
use kontract_gateway::{Channel, ChannelError, Gateway, GatewayConfig, Received, RoutePolicy, Welcome};
use kontract_raystream::limits::IDLE_TIMEOUT_SECS;
use kontract_raystream::{
    BuildId, ClientConfig, FrameType, Initiator, Opened, PeerFault, Refused, RouteHash, ServerConfig,
    Session, StaticKey, Stek, Suite, TicketKeys, UnixSeconds, encode_early,
};
use kontract_wire::perm::Perms;
use kontract_wire::route::RouteId;

const NOW: UnixSeconds = UnixSeconds(1_800_000_000);
const IDENTITY: [u8; 32] = [3; 32];

struct Peers {
    config: ClientConfig,
    gateway: Gateway,
    channel: Channel,
    client: Session,
    sequence: u32,
}

impl Peers {
    fn connect() -> Self {
        Self::connect_early(&[]).expect("accepted").0
    }

    /// A full handshake with calls in its early data.
    fn connect_early(calls: &[EarlyCall]) -> Result<(Self, Vec<Received>), Refused> {
        let early = encode_early(calls.iter().cloned()).expect("short");
        let key = StaticKey::from_seed([1; 32]);
        let client = ClientConfig {
            suite: Suite::Hybrid,
            build_id: BuildId([4; 16]),
            route_hash: RouteHash([5; 32]),
            server: key.public().clone(),
        };
        let gateway = Gateway::new(GatewayConfig {
            raystream: ServerConfig {
                suite: Suite::Hybrid,
                build_id: BuildId([4; 16]),
                route_hash: RouteHash([5; 32]),
                current: key,
                backup: None,
                idle_timeout_secs: IDLE_TIMEOUT_SECS,
            },
            identity_key: IdentityKey::new(IDENTITY),
            routes: [
                policy("open", Perms::ALL, None),
                policy("store", Perms::ALL, None),
                policy("read", Perms::R, None),
                policy("close", Perms::ALL, Some("admin")),
                policy("members", Perms::R, Some("admin")),
            ]
            .into_iter()
            .collect(),
        });
        let (initiator, init) =
            Initiator::start(&client, &early, &mut entropy(10)).expect("a handshake starts");
        let tickets = TicketKeys { current: Stek::new([6; 32]), previous: None };
        let welcome = gateway.accept(&init, &tickets, NOW, &mut entropy(20))?;
        let session = initiator.finish(&welcome.response).expect("authentic").session;
        Ok((
            Self { config: client, gateway, channel: welcome.channel, client: session, sequence: 0 },
            welcome.early,
        ))
    }

    fn send(&mut self, ty: FrameType, payload: &[u8], now: UnixSeconds) -> Result<Received, ChannelError> {
        self.sequence += 1;
        let frame = self.client.seal(ty, self.sequence, payload).expect("sealed");
        self.channel.receive(&self.gateway, &frame, now, &mut entropy(30))
    }

    fn call(&mut self, name: &str, token: &str, key: [u8; 16], arguments: &[u8]) -> Received {
        let payload = envelope(name, token, key, arguments);
        self.send(FrameType::RpcCall, &payload, NOW).expect("an authentic frame")
    }

    fn answer(&mut self, received: Received) -> Opened {
        match received {
            Received::Reply(frame) => self.client.open(&frame).expect("authentic"),
            Received::Call(call) => panic!("{} would run", call.policy().name),
            Received::Cancel(_) | Received::Chunk(..) | Received::Nothing | Received::Close => {
                panic!("not an answer")
            }
        }
    }

    fn error(&mut self, received: Received) -> (u16, String) {
        let opened = self.answer(received);
        assert_eq!(opened.ty, FrameType::RpcError);
        let (status, rest) = opened.payload.split_first_chunk::<2>().expect("a status");
        let code = &rest[1..=usize::from(rest[0])];
        (u16::from_le_bytes(*status), String::from_utf8(code.to_vec()).expect("ASCII"))
    }

    fn anonymous(&mut self) -> String {
        let received = self.call("kontract.auth.anonymous", "", [0; 16], b"{}");
        let opened = self.answer(received);
        let tokens: serde_json::Value = serde_json::from_slice(&opened.payload).expect("JSON");
        assert!(tokens["owner"].as_str().expect("an owner").starts_with("anon_"));
        tokens["accessToken"].as_str().expect("a token").to_owned()
    }
}

#[test]
fn an_anonymous_caller_reaches_an_open_endpoint() {
    let mut peers = Peers::connect();
    let token = peers.anonymous();
    let Received::Call(call) = peers.call("open", &token, [9; 16], b"args") else { panic!("not admitted") };
    assert_eq!(call.policy().name, "open");
    assert_eq!(call.arguments(), b"args");
    assert_eq!(call.credential().owner, call.identity().owner);
    let frame = peers.channel.respond(call.sequence(), b"result", NOW).expect("sealed");
    let opened = peers.client.open(&frame).expect("authentic");
    assert_eq!(
        (opened.ty, opened.sequence, &opened.payload[..]),
        (FrameType::RpcResponse, 2, &b"result"[..])
    );
}

#[test]
fn an_anonymous_caller_is_refused_by_a_restricted_endpoint() {
    let mut peers = Peers::connect();
    let token = peers.anonymous();
    let received = peers.call("close", &token, [9; 16], b"");
    assert_eq!(peers.error(received), (403, "PERMISSION_DENIED".into()));
}

#[test]
fn a_member_of_the_group_is_admitted() {
    let mut peers = Peers::connect();
    let admin = Identity { owner: "user_1".into(), groups: vec!["admin".into()], mask: 7 };
    let token = peers.issue(&admin);
    assert!(matches!(peers.call("close", &token, [9; 16], b""), Received::Call(_)));
}

#[test]
fn the_sessions_mask_limits_every_endpoint() {
    let mut peers = Peers::connect();
    let reader = Identity { owner: "user_1".into(), groups: Vec::new(), mask: 4 };
    let token = peers.issue(&reader);
    assert!(matches!(peers.call("read", &token, [0; 16], b""), Received::Call(_)));
    let received = peers.call("open", &token, [9; 16], b"");
    assert_eq!(peers.error(received), (403, "PERMISSION_DENIED".into()));
}

#[test]
fn a_call_needs_a_token_of_its_session() {
    let mut peers = Peers::connect();
    let received = peers.call("read", "", [0; 16], b"");
    assert_eq!(peers.error(received), (401, "TOKEN_REFUSED".into()));
    let foreign = Peers::connect_with_other_session();
    let received = peers.call("read", &foreign, [0; 16], b"");
    assert_eq!(peers.error(received), (401, "TOKEN_REFUSED".into()));
}

#[test]
fn a_mutation_needs_an_idempotency_key() {
    let mut peers = Peers::connect();
    let token = peers.anonymous();
    let received = peers.call("open", &token, [0; 16], b"");
    assert_eq!(peers.error(received), (400, "INVALID_REQUEST".into()));
}

#[test]
fn an_idempotency_key_belongs_to_one_endpoint_and_its_arguments() {
    let mut peers = Peers::connect();
    let token = peers.anonymous();
    let mut ledger_key =
        |name: &str, key: [u8; 16], arguments: &[u8]| match peers.call(name, &token, key, arguments) {
            Received::Call(call) => call.idempotency_key(),
            Received::Reply(_)
            | Received::Cancel(_)
            | Received::Chunk(..)
            | Received::Nothing
            | Received::Close => panic!("{name} was not admitted"),
        };
    let first = ledger_key("open", [9; 16], b"args");
    assert!(first.is_some());
    assert_eq!(ledger_key("open", [9; 16], b"args"), first);
    assert_ne!(ledger_key("store", [9; 16], b"args"), first);
    assert_ne!(ledger_key("open", [9; 16], b"other"), first);
    assert_ne!(ledger_key("open", [8; 16], b"args"), first);
    assert_eq!(ledger_key("read", [0; 16], b"args"), None);
}

#[test]
fn unknown_routes_and_short_envelopes_are_errors_of_that_call_only() {
    let mut peers = Peers::connect();
    let token = peers.anonymous();
    for name in ["nothing", "__proto__", "constructor"] {
        let received = peers.call(name, &token, [9; 16], b"");
        assert_eq!(peers.error(received), (404, "NOT_FOUND".into()), "{name}");
    }
    let received = peers.send(FrameType::RpcCall, b"short", NOW).expect("an authentic frame");
    assert_eq!(peers.error(received), (400, "INVALID_REQUEST".into()));
    assert!(matches!(peers.call("read", &token, [0; 16], b""), Received::Call(_)));
}

#[test]
fn a_page_is_for_whom_its_refresh_token_names_and_its_calls_are_checked_as_all_are() {
    let peers = Peers::connect();
    let authority = Authority::new(&IdentityKey::new(IDENTITY));
    let session = SessionBinding::of(peers.client.id().as_bytes());
    let admin = Identity { owner: "user_1".into(), groups: vec!["admin".into()], mask: 7 };
    let reader = Identity { owner: "user_2".into(), groups: Vec::new(), mask: 4 };
    let visitor = |token: Option<&str>, now| peers.gateway.visitor(token, now, &mut entropy(40));
    let call = |visitor: &Identity, name: &str, arguments: &[u8]| {
        let route = RouteId::of(name);
        let called = peers.gateway.call_of_page(visitor, route, arguments, NOW, &mut entropy(50));
        called.map_err(|error| (error.status, error.code))
    };

    let issued = authority.issue(&admin, &session, AuthSeconds(NOW.0));
    let known = visitor(Some(&issued.refresh_token), NOW);
    assert_eq!(known, admin);
    let admitted = call(&known, "close", b"args").expect("a member");
    assert_eq!((admitted.arguments(), admitted.credential().owner.as_str()), (&b"args"[..], "user_1"));
    assert!(admitted.idempotency_key().is_some(), "a mutation is in the ledger");
    assert_eq!(call(&known, "read", b"").expect("open").idempotency_key(), None);

    // An access token names nobody outside of its session.
    for token in [None, Some(""), Some("forged"), Some(issued.access_token.as_str())] {
        let anonymous = visitor(token, NOW);
        assert!(anonymous.owner.starts_with("anon_"), "{token:?}");
        assert!(call(&anonymous, "open", b"").is_ok());
        let refused = call(&anonymous, "close", b"").err().expect("not a member");
        assert_eq!(refused, (403, "PERMISSION_DENIED".to_owned()));
    }
    let expired = UnixSeconds(NOW.0 + 400 * 24 * 3600);
    assert!(visitor(Some(&issued.refresh_token), expired).owner.starts_with("anon_"));

    let refused = call(&reader, "open", b"").err().expect("beyond the mask");
    assert_eq!(refused, (403, "PERMISSION_DENIED".to_owned()));
    assert_eq!(call(&known, "nothing", b"").err().expect("unknown"), (404, "NOT_FOUND".to_owned()));
    let long = vec![0; (4 << 20) + 1];
    assert_eq!(call(&known, "open", &long).err().expect("too long").0, 413);
}

#[test]
fn a_session_without_traffic_ends() {
    let mut peers = Peers::connect();
    let late = UnixSeconds(NOW.0 + IDLE_TIMEOUT_SECS);
    assert!(matches!(peers.send(FrameType::Heartbeat, b"", late), Err(ChannelError::Refused(_))));
    assert!(matches!(peers.send(FrameType::Heartbeat, b"", NOW), Err(ChannelError::Refused(_))));
}

#[test]
fn a_frame_out_of_place_ends_the_session() {
    for ty in [FrameType::RpcResponse, FrameType::Event, FrameType::RpcError] {
        let mut peers = Peers::connect();
        assert!(matches!(peers.send(ty, b"", NOW), Err(ChannelError::Refused(_))), "{ty:?}");
        assert!(matches!(peers.send(FrameType::Heartbeat, b"", NOW), Err(ChannelError::Refused(_))));
    }
}

impl Peers {
    fn issue(&mut self, identity: &Identity) -> String {
        let session = SessionBinding::of(self.client.id().as_bytes());
        let authority = Authority::new(&IdentityKey::new(IDENTITY));
        authority.issue(identity, &session, AuthSeconds(NOW.0)).access_token
    }

    /// An access token that is good on another session.
    fn connect_with_other_session() -> String {
        let identity = Identity { owner: "user_1".into(), groups: Vec::new(), mask: 7 };
        let authority = Authority::new(&IdentityKey::new(IDENTITY));
        authority.issue(&identity, &SessionBinding::of(&[0; 16]), AuthSeconds(NOW.0)).access_token
    }
}

/// A call in early data: its sequence number and its payload.
type EarlyCall = (u32, Vec<u8>);

fn introduction() -> EarlyCall {
    (1, envelope("kontract.auth.anonymous", "", [0; 16], b"{}"))
}

#[test]
fn early_calls_run_as_the_identity_that_the_first_one_made() {
    let calls = [
        introduction(),
        (2, envelope("read", "", [0; 16], b"args")),
        (3, envelope("members", "", [0; 16], b"")),
    ];
    let (mut peers, early) = Peers::connect_early(&calls).expect("accepted");
    let Ok([introduced, Received::Call(call), refused]) = <[Received; 3]>::try_from(early) else {
        panic!("the second is to run");
    };
    let opened = peers.answer(introduced);
    let tokens: serde_json::Value = serde_json::from_slice(&opened.payload).expect("JSON");
    assert_eq!(
        (call.sequence(), &call.identity().owner[..]),
        (2, tokens["owner"].as_str().expect("an owner"))
    );
    assert_eq!(call.arguments(), b"args");
    assert_eq!(peers.error(refused), (403, "PERMISSION_DENIED".into()), "nobody is in a group yet");
    // The identity stays: its token is good on the session that the handshake began.
    let token = tokens["accessToken"].as_str().expect("a token").to_owned();
    let Received::Call(later) = peers.call("open", &token, [9; 16], b"") else { panic!("not admitted") };
    assert_eq!(later.identity().owner, call.identity().owner);
}

#[test]
fn early_data_that_could_have_an_effect_is_refused() {
    let read = |sequence| (sequence, envelope("read", "", [0; 16], b""));
    let token = Peers::connect().anonymous();
    let cases: [(&str, Vec<EarlyCall>); 9] = [
        ("a mutation", vec![introduction(), (2, envelope("open", "", [0; 16], b""))]),
        ("a mutation with its key", vec![introduction(), (2, envelope("open", "", [9; 16], b""))]),
        ("a read with a key", vec![introduction(), (2, envelope("read", "", [9; 16], b""))]),
        ("a token", vec![introduction(), (2, envelope("read", &token, [0; 16], b""))]),
        ("a refresh token", vec![(1, envelope("kontract.auth.refresh", "", [0; 16], b"{}"))]),
        ("a second identity", vec![introduction(), introduction()]),
        ("no identity", vec![read(1)]),
        ("an unknown endpoint", vec![introduction(), (2, envelope("nothing", "", [0; 16], b""))]),
        ("what is no call", vec![introduction(), (2, b"short".to_vec())]),
    ];
    for (name, calls) in cases {
        let refused = Peers::connect_early(&calls).err().unwrap_or_else(|| panic!("{name} was taken"));
        assert_eq!(refused.fault(), PeerFault::Early, "{name}");
    }
    let many = |count| std::iter::once(introduction()).chain((2..=count).map(read)).collect::<Vec<_>>();
    assert!(Peers::connect_early(&many(8)).is_ok());
    assert_eq!(Peers::connect_early(&many(9)).err().map(Refused::fault), Some(PeerFault::TooManyFrames));
}

#[test]
fn a_replayed_handshake_is_answered_under_other_keys_and_as_somebody_else() {
    let calls = [introduction(), (2, envelope("read", "", [0; 16], b""))];
    let early = encode_early(calls.clone()).expect("short");
    let (mut peers, _) = Peers::connect_early(&calls).expect("accepted");
    let tickets = TicketKeys { current: Stek::new([6; 32]), previous: None };
    let (_, init) = Initiator::start(&peers.config, &early, &mut entropy(10)).expect("a handshake starts");
    let [mut first, mut second] = [1, 2].map(|seed| {
        peers.gateway.accept(&init, &tickets, NOW, &mut entropy(seed)).expect("a replay cannot be told")
    });
    assert_ne!(first.response, second.response);
    let owner = |welcome: &Welcome| match &welcome.early[1] {
        Received::Call(call) => call.identity().owner.clone(),
        _ => panic!("not a call"),
    };
    assert_ne!(owner(&first), owner(&second));
    let answers =
        [&mut first, &mut second].map(|welcome| welcome.channel.respond(2, b"same", NOW).expect("sealed"));
    assert_ne!(answers[0], answers[1]);
    assert!(peers.client.open(&answers[0]).is_err(), "only the handshake's own client reads an answer");
}

fn policy(name: &str, perm: Perms, ugroup: Option<&str>) -> RoutePolicy {
    RoutePolicy { name: name.into(), perm, ugroup: ugroup.map(str::to_owned), max_bytes: 4 << 20 }
}

fn envelope(name: &str, token: &str, key: [u8; 16], arguments: &[u8]) -> Vec<u8> {
    let token_len = u16::try_from(token.len()).expect("a short token").to_le_bytes();
    [&RouteId::of(name).as_u32().to_le_bytes()[..], &token_len, token.as_bytes(), &key, arguments].concat()
}

/// Different bytes for each start, good enough where nobody attacks.
fn entropy(start: u8) -> impl FnMut(&mut [u8]) {
    let mut next = start;
    move |bytes: &mut [u8]| {
        for byte in bytes {
            *byte = next;
            next = next.wrapping_mul(5).wrapping_add(17);
        }
    }
}

/// The frames of a call, as its client splits it.
fn parts(peers: &mut Peers, name: &str, token: &str, arguments: &[u8]) -> Vec<Vec<u8>> {
    peers.sequence += 1;
    let payload = envelope(name, token, [9; 16], arguments);
    let sealed = peers.client.seal_message(FrameType::RpcCall, peers.sequence, &payload).expect("sealed");
    kontract_raystream::frames(&sealed).map(|frame| frame.expect("a frame").to_vec()).collect()
}

fn take(peers: &mut Peers, frame: &[u8]) -> Result<Received, ChannelError> {
    peers.channel.receive(&peers.gateway, frame, NOW, &mut entropy(30))
}

#[test]
fn a_call_in_several_frames_runs_when_it_is_whole() {
    let mut peers = Peers::connect();
    let token = peers.anonymous();
    let arguments = vec![7; 3 << 20];
    let frames = parts(&mut peers, "open", &token, &arguments);
    assert!(frames.len() > 3);
    let (last, first) = frames.split_last().expect("frames");
    for frame in first {
        assert!(matches!(take(&mut peers, frame), Ok(Received::Nothing)));
        assert!(peers.channel.is_waiting());
    }
    let Ok(Received::Call(call)) = take(&mut peers, last) else { panic!("not admitted") };
    assert_eq!(call.arguments(), arguments);
    assert!(!peers.channel.is_waiting());
}

#[test]
fn a_call_that_may_not_run_is_answered_by_its_first_frame_and_not_kept() {
    let mut peers = Peers::connect();
    let token = peers.anonymous();
    let frames = parts(&mut peers, "close", &token, &vec![7; 2 << 20]);
    let (first, rest) = frames.split_first().expect("frames");
    let received = take(&mut peers, first).expect("authentic");
    assert_eq!(peers.error(received), (403, "PERMISSION_DENIED".into()));
    for frame in rest {
        assert!(matches!(take(&mut peers, frame), Ok(Received::Nothing)));
    }
    assert!(!peers.channel.is_waiting());
}

#[test]
fn a_call_longer_than_its_endpoint_takes_is_answered_once() {
    let mut peers = Peers::connect();
    let token = peers.anonymous();
    let frames = parts(&mut peers, "open", &token, &vec![7; 5 << 20]);
    let errors: Vec<_> = frames
        .iter()
        .filter_map(|frame| match take(&mut peers, frame).expect("authentic") {
            Received::Nothing => None,
            received => Some(peers.error(received)),
        })
        .collect();
    assert_eq!(errors, [(413, "TOO_LARGE".to_owned())]);
    assert!(!peers.channel.is_waiting());
}

#[test]
fn a_frame_that_has_no_place_in_its_message_closes_the_session() {
    for whole_frame_first in [true, false] {
        let mut peers = Peers::connect();
        let token = peers.anonymous();
        let frames = parts(&mut peers, "open", &token, &vec![7; 2 << 20]);
        if whole_frame_first {
            assert!(matches!(take(&mut peers, &frames[0]), Ok(Received::Nothing)));
            let payload = envelope("open", &token, [9; 16], b"");
            let whole = peers.client.seal(FrameType::RpcCall, peers.sequence, &payload).expect("sealed");
            assert!(matches!(take(&mut peers, &whole), Err(ChannelError::Refused(_))));
        } else {
            assert!(matches!(
                take(&mut peers, frames.last().expect("frames")),
                Err(ChannelError::Refused(_))
            ));
        }
        assert!(peers.channel.respond(1, b"", NOW).is_err(), "the session is over");
    }
}

#[test]
fn half_calls_are_limited_in_number() {
    let mut peers = Peers::connect();
    let token = peers.anonymous();
    for kept in 0..=kontract_gateway::limits::PARTIAL_CALLS_MAX {
        let first = parts(&mut peers, "open", &token, &vec![7; 2 << 20]).swap_remove(0);
        // The frames behind are never sent: what follows has higher numbers.
        assert_eq!(take(&mut peers, &first).is_ok(), kept < kontract_gateway::limits::PARTIAL_CALLS_MAX);
    }
}

#[test]
fn a_stream_that_flows_keeps_its_session_and_a_dead_session_has_no_streams() {
    let mut peers = Peers::connect();
    let data = || kontract_gateway::ChunkContent::Data(b"item".to_vec());
    let later = |idle_timeouts: u64| UnixSeconds(NOW.0 + idle_timeouts * (IDLE_TIMEOUT_SECS - 1));
    for steps in 1..=3 {
        let frame = peers.channel.chunk(1, 0, data(), later(steps)).expect("sealed");
        let opened = peers.client.open(&frame).expect("authentic");
        assert_eq!((opened.ty, &opened.payload[..]), (FrameType::RpcChunk, &b"\0\0\0item"[..]));
    }
    assert!(peers.channel.chunk(1, 0, data(), later(5)).is_err());
}

#[test]
fn an_answer_that_is_awaited_shows_life() {
    let mut peers = Peers::connect();
    let frame = peers.channel.heartbeat(NOW).expect("sealed");
    let opened = peers.client.open(&frame).expect("authentic");
    assert_eq!((opened.ty, opened.sequence, &opened.payload[..]), (FrameType::Heartbeat, 0, &b""[..]));
}

#[test]
fn chunks_reach_the_shell_and_what_is_none_closes_the_session() {
    let mut peers = Peers::connect();
    let Ok(Received::Chunk(1, chunk)) = peers.send(FrameType::RpcChunk, &[2, 0, 0, 1, 0, 0, 0], NOW) else {
        panic!("not a chunk")
    };
    assert_eq!(chunk.content, kontract_gateway::ChunkContent::Credit(1));
    assert!(peers.send(FrameType::RpcChunk, &[9, 0, 0], NOW).is_err());
    assert!(peers.send(FrameType::Heartbeat, b"", NOW).is_err(), "the session is over");
}

#[test]
fn whoever_waits_for_an_answer_uses_the_session() {
    let mut peers = Peers::connect();
    let token = peers.anonymous();
    let Received::Call(call) = peers.call("open", &token, [9; 16], b"") else { panic!("not admitted") };
    let later = |steps: u64| UnixSeconds(NOW.0 + steps * (IDLE_TIMEOUT_SECS + 1));
    for steps in 1..=3 {
        let received = peers.send(FrameType::Heartbeat, b"", later(steps)).expect("in use");
        assert_eq!(peers.answer(received).ty, FrameType::Heartbeat);
    }
    let frame = peers.channel.respond(call.sequence(), b"result", later(3)).expect("sealed");
    assert_eq!(peers.client.open(&frame).expect("authentic").payload, b"result");
    assert!(peers.send(FrameType::Heartbeat, b"", later(4)).is_err(), "nobody waits any more");
}

#[test]
fn what_is_said_after_a_silence_has_a_new_key() {
    let mut peers = Peers::connect();
    let txid = |frame: &[u8]| u64::from_le_bytes(frame[16..24].try_into().expect("eight bytes"));
    let mut said = Vec::new();
    for seconds in [1, 60, 120, 180, 181] {
        let frame = peers.channel.heartbeat(UnixSeconds(NOW.0 + seconds)).expect("sealed");
        peers.client.open(&frame).expect("the client follows");
        said.push(txid(&frame) >> 20);
    }
    assert_eq!(said, [0, 0, 1, 2, 2]);
}

#[test]
fn the_number_of_a_running_call_is_its_own() {
    let mut peers = Peers::connect();
    let token = peers.anonymous();
    let payload = envelope("open", &token, [9; 16], b"");
    let send = |peers: &mut Peers| {
        let frame = peers.client.seal(FrameType::RpcCall, 7, &payload).expect("sealed");
        peers.channel.receive(&peers.gateway, &frame, NOW, &mut entropy(30))
    };
    assert!(matches!(send(&mut peers), Ok(Received::Call(_))));
    peers.channel.respond(7, b"", NOW).expect("sealed");
    assert!(matches!(send(&mut peers), Ok(Received::Call(_))), "it is over");
    let frame = peers.client.seal(FrameType::RpcCancel, 7, b"").expect("sealed");
    peers.channel.receive(&peers.gateway, &frame, NOW, &mut entropy(30)).expect("authentic");
    assert!(matches!(send(&mut peers), Ok(Received::Call(_))), "it was given up");
    assert!(matches!(send(&mut peers), Err(ChannelError::Refused(_))));
}

#[test]
fn running_calls_are_limited_in_number() {
    let mut peers = Peers::connect();
    let token = peers.anonymous();
    for _ in 0..kontract_gateway::limits::RUNNING_CALLS_MAX {
        assert!(matches!(peers.call("open", &token, [9; 16], b""), Received::Call(_)));
    }
    let received = peers.call("open", &token, [9; 16], b"");
    assert_eq!(peers.error(received), (429, "TOO_MANY_CALLS".into()));
    peers.channel.respond(2, b"", NOW).expect("sealed");
    // The client takes the frames in their order.
    assert!(matches!(peers.call("open", &token, [9; 16], b""), Received::Call(_)));
}
