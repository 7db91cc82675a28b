//! Handshakes of both modes, both ends: raw bytes, altered messages, and early data of any shape.

use super::Input;
use super::world::{CLIENT, NOW, SERVER, entropy, resume, tickets};
use kontract_raystream::{Initiator, Resumer, limits};

pub(super) fn run(data: &[u8]) {
    let mut input = Input::new(data);
    match input.u8() % 7 {
        0 => drop(SERVER.accept(input.rest(), &tickets(), NOW, &mut entropy(1))),
        1 => early_data(input.rest()),
        6 => early_data(&[input.rest(), &[0x80]].concat()),
        2 => altered_init(&mut input),
        3 => altered_response(&mut input),
        4 => altered_resume(&mut input),
        _ => raw_response(input.rest()),
    }
}

fn start(early: &[u8]) -> (Initiator, Vec<u8>) {
    Initiator::start(&CLIENT, early, &mut entropy(3)).expect("invariant: the pinned key is good")
}

/// Early data of the fuzzer's choice, in a handshake that is good.
fn early_data(early: &[u8]) {
    let early = &early[..early.len().min(limits::EARLY_LEN_MAX)];
    let (initiator, init) = start(early);
    let accepted = SERVER.accept(&init, &tickets(), NOW, &mut entropy(1));
    let calls = accepted
        .as_ref()
        .ok()
        .map(|accepted| accepted.early.iter().map(|call| call.payload.clone()).collect());
    assert_eq!(calls, early_calls(early));
    if let Ok(accepted) = accepted {
        assert!(initiator.finish(&accepted.response).is_ok());
    }
}

/// Nothing, or `(header ‖ payload)* ‖ 0x80 ‖ 0x00 …`, as the page has it.
fn early_calls(early: &[u8]) -> Option<Vec<Vec<u8>>> {
    let mut calls = Vec::new();
    if early.is_empty() {
        return Some(calls);
    }
    let zeros = early.iter().rev().take_while(|byte| **byte == 0).count();
    let mut early = early[..early.len() - zeros].strip_suffix(&[0x80])?;
    while !early.is_empty() {
        let (header, rest) = early.split_at_checked(16)?;
        let length = usize::try_from(u32::from_le_bytes(header[8..12].try_into().ok()?)).ok()?;
        let is_good = header[..4] == [1, 0x10, 16, 0] && header[12..] == [0; 4];
        let (payload, rest) = rest.split_at_checked(length).filter(|_| is_good)?;
        calls.push(payload.to_vec());
        early = rest;
    }
    Some(calls)
}

fn altered_init(input: &mut Input<'_>) {
    let (_, good) = start(b"");
    let mut init = good.clone();
    input.edit(&mut init);
    let accepted = SERVER.accept(&init, &tickets(), NOW, &mut entropy(1));
    assert_eq!(accepted.is_ok(), init == good);
}

fn altered_response(input: &mut Input<'_>) {
    let (initiator, init) = start(b"");
    let accepted = SERVER.accept(&init, &tickets(), NOW, &mut entropy(1)).expect("invariant: it is good");
    let mut response = accepted.response.clone();
    input.edit(&mut response);
    assert_eq!(initiator.finish(&response).is_ok(), response == accepted.response);
}

/// Everything but the client's random bytes, which nothing authenticates before the first frame.
fn altered_resume(input: &mut Input<'_>) {
    let good = resume().init;
    let mut init = good.clone();
    input.edit(&mut init);
    let accepted = SERVER.accept(&init, &tickets(), NOW, &mut entropy(1));
    assert_eq!(accepted.is_ok(), init[..init.len() - 32] == good[..good.len() - 32]);
}

fn raw_response(response: &[u8]) {
    let (initiator, init) = start(b"");
    let accepted = SERVER.accept(&init, &tickets(), NOW, &mut entropy(1)).expect("invariant: it is good");
    let (again, _) = start(b"");
    let connected = again.finish(&accepted.response).expect("invariant: it is good");
    assert!(initiator.finish(response).is_err(), "nobody guesses a response");
    let (resumer, _) = Resumer::start(&connected.resumption, &mut entropy(7));
    if let Ok((session, renewed)) = resumer.finish(response) {
        // A resume's response is 32 bytes that nothing authenticates yet; a ticket behind it is sealed.
        assert!(renewed.is_none() && response.len() == 16 + 32, "{session:?}");
    }
}
