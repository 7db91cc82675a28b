//! The end of the numbers: nothing wraps.

use super::{Direction, epoch};
use crate::crypto::Prk;
use crate::error::PeerFault;
use crate::frame::{Flags, FrameType, Header, SealedFrame};
use crate::limits::FRAMES_PER_KEY;

/// A direction at a transaction id that no session lives to see.
fn at(next_txid: u64) -> Direction {
    let mut direction = Direction::derive(&Prk::extract(b"salt", &[b"secret"]), "c2s", &[7; 32]);
    direction.next_txid = next_txid;
    direction
}

const fn header() -> Header {
    Header { ty: FrameType::Heartbeat, flags: Flags::NONE, sequence: u32::MAX, length: 0 }
}

#[test]
fn the_last_transaction_ids_are_sealed_and_then_none() {
    let (mut here, mut there) = (at(u64::MAX - 2), at(u64::MAX - 2));
    for _ in 0..2 {
        let frame = here.seal(header(), b"").expect("one of the last two");
        assert_eq!(there.open(&SealedFrame::parse(&frame).expect("well formed")), Ok(Vec::new()));
    }
    assert!(here.seal(header(), b"").is_none(), "2^64 - 1 has no successor, so it is never used");
    assert!(here.seal(header(), b"").is_none(), "and it stays so");
    assert!(here.rekey().is_none(), "there is no later epoch");
}

#[test]
fn the_last_transaction_id_is_not_opened() {
    let mut here = at(u64::MAX - 1);
    let mut frame = here.seal(header(), b"").expect("the last one");
    frame[16..24].copy_from_slice(&u64::MAX.to_le_bytes());
    let opened = at(u64::MAX - 1).open(&SealedFrame::parse(&frame).expect("well formed"));
    assert_eq!(opened, Err(PeerFault::Txid));
}

#[test]
fn the_last_frame_of_an_epoch_and_the_first_of_the_next_have_other_keys() {
    let (mut here, mut there) = (at(FRAMES_PER_KEY - 1), at(FRAMES_PER_KEY - 1));
    let before = here.key.expose().to_owned();
    for phase in [false, true] {
        let frame = here.seal(header(), b"payload").expect("early");
        assert_eq!(frame[2] & 1 == 1, phase);
        assert_eq!(there.open(&SealedFrame::parse(&frame).expect("well formed")), Ok(b"payload".to_vec()));
    }
    assert_ne!(here.key.expose(), &before);
    assert_eq!((epoch(here.next_txid), here.key.expose()), (1, there.key.expose()));
}

#[test]
fn a_sequence_number_may_be_any() {
    let mut here = at(0);
    let frame = here.seal(header(), b"").expect("early");
    assert_eq!(SealedFrame::parse(&frame).expect("well formed").header.sequence, u32::MAX);
}
