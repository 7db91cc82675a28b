//! The vectors that both ends read: `fixtures/vectors/raystream/*.json`, all byte strings in hexadecimal.
//!
//! `UPDATE_EXPECT=1` writes them; without it they are compared. The TypeScript tests take the client's side of the same files.

use crate::world::{BUILD, NOW, ROUTES, SEED, client, connect, counting, server, ticket_keys};
use kontract_raystream::{
    Connected, FrameType, Initiator, Resumer, Session, StaticKey, Suite, UnixSeconds, encode_early, limits,
};
use serde_json::{Value, json};
use std::path::PathBuf;

const CLIENT_ENTROPY_SEED: u8 = 1;
const RESUME_ENTROPY_SEED: u8 = 0x81;
const SERVER_ENTROPY_SEED: u8 = 0x40;

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn entropy_bytes(seed: u8, len: usize) -> String {
    let mut bytes = vec![0; len];
    counting(seed)(&mut bytes);
    hex(&bytes)
}

fn check(name: &str, actual: &Value) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/vectors/raystream").join(name);
    let actual = format!("{}\n", serde_json::to_string_pretty(actual).expect("plain data"));
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        std::fs::create_dir_all(path.parent().expect("has a folder")).expect("writable");
        std::fs::write(&path, actual).expect("writable");
    } else {
        let expected = std::fs::read_to_string(&path).expect("run with UPDATE_EXPECT=1 first");
        assert_eq!(expected, actual, "{name} is stale: UPDATE_EXPECT=1 rewrites it");
    }
}

/// Frames in both directions, with a new key in between; checked against the other end as they are made.
fn exchange(here: &mut Session, there: &mut Session) -> Vec<Value> {
    let mut frames = Vec::new();
    let payloads = [0, 1, 7, 8, 40, 300].map(|len| vec![u8::try_from(len & 0xff).expect("masked"); len]);
    for (sequence, payload) in (1..).zip(&payloads) {
        let rekey = payload.len() == 40;
        if rekey {
            here.rekey().expect("open");
            there.rekey().expect("open");
        }
        let call = here.seal(FrameType::RpcCall, sequence, payload).expect("open");
        assert_eq!(&there.open(&call).expect("authentic").payload, payload);
        let answer = there.seal(FrameType::RpcResponse, sequence, payload).expect("open");
        assert_eq!(&here.open(&answer).expect("authentic").payload, payload);
        frames.push(json!({
            "sequence": sequence, "rekey": rekey, "payload": hex(payload), "call": hex(&call), "answer": hex(&answer),
        }));
    }
    frames
}

/// A resume at `now`, with one call behind the HANDSHAKE_INIT.
fn resume(suite: Suite, connected: &Connected, now: UnixSeconds) -> Value {
    let (mut resumer, init) = Resumer::start(&connected.resumption, &mut counting(RESUME_ENTROPY_SEED));
    let call = resumer.seal(FrameType::RpcCall, 1, b"resumed call").expect("open");
    let mut accepted = server(suite)
        .accept(&init, &ticket_keys(), now, &mut counting(SERVER_ENTROPY_SEED))
        .expect("authentic");
    accepted.session.open(&call).expect("authentic");
    let answer = accepted.session.seal(FrameType::RpcResponse, 1, b"resumed answer").expect("open");
    let (mut session, renewed) = resumer.finish(&accepted.response).expect("authentic");
    session.open(&answer).expect("authentic");
    json!({
        "clientEntropy": entropy_bytes(RESUME_ENTROPY_SEED, 32),
        "init": hex(&init),
        "callPayload": hex(b"resumed call"),
        "call": hex(&call),
        "response": hex(&accepted.response),
        "answerPayload": hex(b"resumed answer"),
        "answer": hex(&answer),
        "renewedExpiresAt": renewed.map(|renewed| renewed.expires_at().0),
    })
}

/// A full handshake with two calls inside, which are answered behind the ticket.
fn early(suite: Suite) -> Value {
    let data = encode_early([(1, &b"first"[..]), (2, b"second call")]).expect("short");
    let (initiator, init) =
        Initiator::start(&client(suite), &data, &mut counting(CLIENT_ENTROPY_SEED)).expect("usable key");
    let mut accepted = server(suite)
        .accept(&init, &ticket_keys(), NOW, &mut counting(SERVER_ENTROPY_SEED))
        .expect("authentic");
    let mut connected = initiator.finish(&accepted.response).expect("authentic");
    let calls = std::mem::take(&mut accepted.early);
    let answers: Vec<String> = calls
        .iter()
        .map(|call| {
            let answer =
                accepted.session.seal(FrameType::RpcResponse, call.sequence, &call.payload).expect("open");
            assert_eq!(connected.session.open(&answer).expect("authentic").payload, call.payload);
            hex(&answer)
        })
        .collect();
    json!({
        "calls": calls
            .iter()
            .map(|call| json!({ "sequence": call.sequence, "payload": hex(&call.payload) }))
            .collect::<Vec<_>>(),
        "earlyData": hex(&data),
        "init": hex(&init),
        "response": hex(&accepted.response),
        "answers": answers,
    })
}

fn entropy_len(suite: Suite) -> usize {
    match suite {
        Suite::Base => 32,
        Suite::Hybrid => 64,
    }
}

fn handshake(suite: Suite) -> Value {
    let (initiator, init) =
        Initiator::start(&client(suite), b"", &mut counting(CLIENT_ENTROPY_SEED)).expect("usable key");
    let mut accepted = server(suite)
        .accept(&init, &ticket_keys(), NOW, &mut counting(SERVER_ENTROPY_SEED))
        .expect("authentic");
    let mut connected = initiator.finish(&accepted.response).expect("authentic");
    let key = StaticKey::from_seed(SEED);
    json!({
        "suite": suite.as_u16(),
        "buildId": hex(&BUILD.0),
        "routeHash": hex(&ROUTES.0),
        "seed": hex(&SEED),
        "x25519": hex(key.public().x25519()),
        "mlKem": hex(&key.public().ml_kem()),
        "keyId": hex(&key.key_id().0),
        "now": NOW.0,
        "clientEntropy": entropy_bytes(CLIENT_ENTROPY_SEED, entropy_len(suite)),
        "init": hex(&init),
        "response": hex(&accepted.response),
        "early": early(suite),
        "sessionId": hex(connected.session.id().as_bytes()),
        "expiresAt": connected.session.expires_at().0,
        "resume": resume(suite, &connected, NOW),
        "renewal": resume(suite, &connected, NOW.plus(limits::IDLE_TIMEOUT_SECS / 2)),
        "frames": exchange(&mut connected.session, &mut accepted.session),
    })
}

#[test]
fn handshakes_resumes_and_frames() {
    check("suite1.json", &handshake(Suite::Base));
    check("suite2.json", &handshake(Suite::Hybrid));
}

/// Frames that the client of `suite1.json` must not take, each in a session of its own, and why.
#[test]
fn refused_frames() {
    let connect = || {
        let client = client(Suite::Base);
        let (initiator, init) =
            Initiator::start(&client, b"", &mut counting(CLIENT_ENTROPY_SEED)).expect("usable key");
        let accepted = server(Suite::Base)
            .accept(&init, &ticket_keys(), NOW, &mut counting(SERVER_ENTROPY_SEED))
            .expect("authentic");
        (initiator.finish(&accepted.response).expect("authentic").session, accepted.session)
    };
    let cases: Vec<Value> = bad_frames(connect)
        .into_iter()
        .map(|(name, frame)| {
            let refused = connect().0.open(&frame).expect_err(name);
            json!({ "name": name, "frame": hex(&frame), "fault": refused.fault().to_string() })
        })
        .collect();
    check("refused.json", &Value::Array(cases));
}

fn bad_frames(connect: impl Fn() -> (Session, Session)) -> Vec<(&'static str, Vec<u8>)> {
    let seal = |session: &mut Session| session.seal(FrameType::RpcResponse, 1, b"answer").expect("open");
    let (mut here, mut there) = connect();
    let good = seal(&mut there);
    let altered = |at: usize, bytes: &[u8]| {
        let mut frame = good.clone();
        frame[at..at + bytes.len()].copy_from_slice(bytes);
        frame
    };
    seal(&mut here);
    let reflected = seal(&mut here);
    let (_, mut skipping) = connect();
    skipping.rekey().expect("open");
    seal(&mut skipping);
    skipping.rekey().expect("open");
    let length = u8::try_from(good.len() - 28).expect("short");
    vec![
        ("nothing", Vec::new()),
        ("a header alone", good[..16].to_vec()),
        ("one byte less", good[..good.len() - 1].to_vec()),
        ("one byte more", [&good[..], &[0]].concat()),
        ("version 0", altered(0, &[0])),
        ("version 2", altered(0, &[2])),
        ("an unknown type", altered(1, &[0x15])),
        ("another type", altered(1, &[0x12])),
        ("a handshake", altered(1, &[0x01])),
        ("an unknown flag", altered(2, &[34])),
        ("early", altered(2, &[18])),
        ("the other key phase", altered(2, &[3])),
        ("another sequence number", altered(4, &[2])),
        ("length 0", altered(8, &[0])),
        ("length 15", altered(8, &[15])),
        ("length one less", altered(8, &[length - 1])),
        ("length one more", altered(8, &[length + 1])),
        ("length 2^32 - 1", altered(8, &[0xff; 4])),
        ("reserved", altered(15, &[1])),
        ("a transaction id that was used for the ticket", altered(16, &[0])),
        ("a transaction id that it was not sealed with", altered(16, &[7])),
        ("transaction id 2^64 - 1", altered(16, &[0xff; 8])),
        ("a chunk counter", altered(24, &[1])),
        ("the ciphertext altered", altered(28, &[good[28] ^ 1])),
        ("the tag altered", altered(good.len() - 1, &[good[good.len() - 1] ^ 0x80])),
        ("its own frame reflected", reflected),
        ("two epochs ahead", seal(&mut skipping)),
    ]
}

#[test]
fn padded_lengths() {
    let (mut here, _) = connect(Suite::Base);
    let boundaries =
        (0..20).flat_map(|exponent| [(1_usize << exponent) - 1, 1 << exponent, (1 << exponent) + 1]);
    let lengths = boundaries.chain([100, 1000, 10_000, 100_000, 1_000_000, limits::PAYLOAD_LEN_MAX]);
    let cases: Vec<_> = lengths
        .map(|len| {
            let frame = here.session.seal(FrameType::RpcCall, 0, &vec![0; len]).expect("open");
            json!({ "payloadLen": len, "plaintextLen": frame.len() - 44 })
        })
        .collect();
    check("padding.json", &Value::Array(cases));
}
