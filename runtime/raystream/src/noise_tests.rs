//! Noise against the published vectors and against snow as an oracle.

use super::{Setup, Split, accept, initiate};
use crate::crypto::{Secret, x25519_public};
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
