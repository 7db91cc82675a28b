//! Arbitrary and mutated input: always an answer or a refusal, never a panic, and nothing altered gets through.

use crate::world::{NOW, SUITES, client, connect, counting, server, ticket_keys};
use kontract_raystream::{FrameType, Initiator, Resumer, frames};

const SEED: u64 = 0x9e37_79b9_7f4a_7c15;

/// SplitMix64 (Steele, Lea and Flood, 2014): repeatable, and good enough to choose mutations by.
struct Rng(u64);

impl Rng {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(bound.max(1)).expect("fits")).expect("fits")
    }

    fn bytes(&mut self, len: usize) -> Vec<u8> {
        (0..len).map(|_| self.next().to_le_bytes()[0]).collect()
    }

    /// One to three changes: a bit, a byte, a cut, an insertion, a repeated part.
    fn mutate(&mut self, original: &[u8]) -> Vec<u8> {
        let mut bytes = original.to_vec();
        for _ in 0..=self.below(3) {
            let at = self.below(bytes.len());
            match self.below(5) {
                0 if !bytes.is_empty() => bytes[at] ^= 1 << self.below(8),
                1 if !bytes.is_empty() => bytes[at] = self.next().to_le_bytes()[0],
                2 => bytes.truncate(at),
                3 => bytes.splice(at..at, self.next().to_le_bytes()).for_each(drop),
                _ => bytes.extend_from_within(at..),
            }
        }
        bytes
    }
}

#[test]
fn mutated_sealed_frames_are_refused() {
    let mut rng = Rng(SEED);
    for round in 0..600 {
        let (mut here, mut there) = connect(SUITES[0]);
        let payload = rng.bytes(round % 70);
        let frame = here.session.seal(FrameType::RpcCall, 1, &payload).expect("open");
        let mutated = rng.mutate(&frame);
        let is_same = mutated == frame;
        assert_eq!(there.session.open(&mutated).is_ok(), is_same, "seed {SEED:#x}, round {round}");
    }
}

#[test]
fn mutated_handshakes_are_refused() {
    for suite in SUITES {
        let mut rng = Rng(SEED);
        let server = server(suite);
        let (_, full) = Initiator::start(&client(suite), b"", &mut counting(1)).expect("usable key");
        for round in 0..300 {
            let mutated = rng.mutate(&full);
            let is_same = mutated == full;
            let accepted = server.accept(&mutated, &ticket_keys(), NOW, &mut counting(2));
            assert_eq!(accepted.is_ok(), is_same, "{suite:?}, seed {SEED:#x}, round {round}");
        }
    }
}

#[test]
fn a_mutated_resume_never_gets_a_call_through() {
    let mut rng = Rng(SEED);
    let (here, _) = connect(SUITES[0]);
    let (mut resumer, init) = Resumer::start(&here.resumption, &mut counting(9));
    let call = resumer.seal(FrameType::RpcCall, 1, b"call").expect("open");
    let body = [&init[..], &call].concat();
    for round in 0..2_000 {
        let mutated = rng.mutate(&body);
        let mut received = frames(&mutated);
        let Some(Ok(init)) = received.next() else { continue };
        let Ok(mut accepted) = server(SUITES[0]).accept(init, &ticket_keys(), NOW, &mut counting(2)) else {
            continue;
        };
        let opened = received.map_while(|frame| accepted.session.open(frame.ok()?).ok()).count();
        let is_prefix_kept = mutated.starts_with(&body);
        assert_eq!(opened == 1, is_prefix_kept, "seed {SEED:#x}, round {round}");
    }
}

#[test]
fn arbitrary_bytes_behind_a_good_header_are_refused() {
    let mut rng = Rng(SEED);
    for round in 0..1_000 {
        let mut frame = rng.bytes(16 + round % 200);
        frame[0] = 1;
        frame[1] = [0x01, 0x02, 0x10, 0x11, 0xff][round % 5];
        frame[2] = [0, 2, 8, 10][round % 4];
        frame[3] = 0;
        let overhead = if round % 5 == 0 { 16 } else { 28 };
        let length = u32::try_from(frame.len().saturating_sub(overhead)).expect("short");
        frame[8..12].copy_from_slice(&length.to_le_bytes());
        frame[12..16].fill(0);
        let (_, mut there) = connect(SUITES[0]);
        assert!(there.session.open(&frame).is_err(), "seed {SEED:#x}, round {round}");
        assert!(server(SUITES[0]).accept(&frame, &ticket_keys(), NOW, &mut counting(2)).is_err());
        assert!(frames(&frame).count() <= 8);
    }
}

#[test]
fn nothing_secret_is_printed() {
    let (here, there) = connect(SUITES[1]);
    let printed = format!("{here:?} {there:?} {:?} {:?}", ticket_keys(), server(SUITES[1]));
    for secret in ["0x77", "119, 119", "7777"] {
        assert!(!printed.contains(secret), "{printed}");
    }
}
