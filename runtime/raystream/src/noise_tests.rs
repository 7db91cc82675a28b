//! Noise against the published vectors and against snow as an oracle.

use super::{Setup, Split, accept, initiate};
use crate::crypto::{Secret, seal, x25519_public};
use crate::suite::Suite;

const SUITES: [Suite; 2] = [Suite::Base, Suite::Hybrid];
const PSK: [u8; 32] = [0x33; 32];
const PROLOGUE: &[u8] = b"prologue";
const RESPONDER: [u8; 32] = [0x44; 32];
const EPHEMERAL_I: [u8; 32] = [0x55; 32];
const EPHEMERAL_R: [u8; 32] = [0x66; 32];

fn psk(suite: Suite) -> Option<Secret<32>> {
    match suite {
        Suite::Base => None,
        Suite::Hybrid => Some(Secret::new(PSK)),
    }
}

fn oracle(suite: Suite) -> snow::Builder<'static> {
    let builder = snow::Builder::new(suite.noise_name().parse().expect("snow knows the pattern"));
    let builder = builder.prologue(PROLOGUE).expect("set once");
    match suite {
        Suite::Base => builder,
        Suite::Hybrid => builder.psk(0, &PSK).expect("set once"),
    }
}

fn assert_same_end(split: &Split, oracle: &mut snow::HandshakeState) {
    assert!(oracle.is_handshake_finished());
    let (k1, k2) = oracle.dangerously_get_raw_split();
    assert_eq!((split.k1.expose(), split.k2.expose()), (&k1, &k2));
    assert_eq!(split.hash, oracle.get_handshake_hash());
}

#[test]
fn our_initiator_and_snows_responder_agree() {
    for suite in SUITES {
        let psk = psk(suite);
        let setup = Setup { suite, prologue: PROLOGUE, psk: psk.as_ref() };
        let public = x25519_public(&Secret::new(RESPONDER));
        let mut responder = oracle(suite)
            .local_private_key(&RESPONDER)
            .expect("set once")
            .build_responder()
            .expect("complete");
        let (waiting, message) =
            initiate(&setup, &public, Secret::new(EPHEMERAL_I), b"early").expect("usable key");

        let mut buffer = [0; 256];
        let len = responder.read_message(&message, &mut buffer).expect("snow accepts message 1");
        assert_eq!(&buffer[..len], b"early");
        let len = responder.write_message(b"reply", &mut buffer).expect("snow writes message 2");
        let (payload, split) =
            waiting.finish(&buffer[..len]).unwrap_or_else(|fault| unreachable!("{fault:?}"));
        assert_eq!(payload, b"reply");
        assert_same_end(&split, &mut responder);
    }
}

#[test]
fn snows_initiator_and_our_responder_agree() {
    for suite in SUITES {
        let psk = psk(suite);
        let setup = Setup { suite, prologue: PROLOGUE, psk: psk.as_ref() };
        let public = x25519_public(&Secret::new(RESPONDER));
        let mut initiator =
            oracle(suite).remote_public_key(&public).expect("set once").build_initiator().expect("complete");
        let mut buffer = [0; 256];
        let len = initiator.write_message(b"early", &mut buffer).expect("snow writes message 1");
        let (responding, early) =
            accept(&setup, (&Secret::new(RESPONDER), &public), &buffer[..len]).expect("authentic");
        assert_eq!(early, b"early");
        let (message, split) = responding.respond(&Secret::new(EPHEMERAL_R), b"reply").expect("usable key");
        let len = initiator.read_message(&message, &mut buffer).expect("snow accepts message 2");
        assert_eq!(&buffer[..len], b"reply");
        assert_same_end(&split, &mut initiator);
    }
}

fn unhex(text: &serde_json::Value) -> Vec<u8> {
    let text = text.as_str().expect("hexadecimal text");
    let byte = |at| u8::from_str_radix(&text[at..at + 2], 16).expect("two digits");
    (0..text.len()).step_by(2).map(byte).collect()
}

fn secret(text: &serde_json::Value) -> Secret<32> {
    Secret::new(unhex(text).try_into().expect("32 bytes"))
}

#[test]
fn the_published_vectors_come_out() {
    let text = include_str!("../../../fixtures/vectors/raystream/noise.json");
    let file: serde_json::Value = serde_json::from_str(text).expect("JSON");
    let vectors = file["vectors"].as_array().expect("a list");
    assert_eq!(vectors.len(), 3);
    for vector in vectors {
        let suite = SUITES.into_iter().find(|suite| vector["protocol"] == suite.noise_name());
        let suite = suite.expect("one of ours");
        let prologue = unhex(&vector["prologue"]);
        let psk = vector["psk"].is_string().then(|| secret(&vector["psk"]));
        let setup = Setup { suite, prologue: &prologue, psk: psk.as_ref() };
        let public = unhex(&vector["responderStaticPublic"]).try_into().expect("32 bytes");
        let payload = |index: usize| unhex(&vector["messages"][index]["payload"]);
        let ciphertext = |index: usize| unhex(&vector["messages"][index]["ciphertext"]);

        let (waiting, first) = initiate(&setup, &public, secret(&vector["initiatorEphemeral"]), &payload(0))
            .expect("usable key");
        assert_eq!(first, ciphertext(0));
        let (responding, early) =
            accept(&setup, (&secret(&vector["responderStatic"]), &public), &first).expect("authentic");
        assert_eq!(early, payload(0));
        let (second, responder_split) =
            responding.respond(&secret(&vector["responderEphemeral"]), &payload(1)).expect("usable key");
        assert_eq!(second, ciphertext(1));
        let (reply, split) = waiting.finish(&second).unwrap_or_else(|fault| unreachable!("{fault:?}"));
        assert_eq!(reply, payload(1));

        if !vector["handshakeHash"].is_null() {
            assert_eq!(split.hash[..], unhex(&vector["handshakeHash"]));
        }
        assert_eq!(responder_split.hash, split.hash);
        assert_eq!(seal(&split.k1, [0; 12], b"", &payload(2)), ciphertext(2));
        assert_eq!(seal(&split.k2, [0; 12], b"", &payload(3)), ciphertext(3));
    }
}
