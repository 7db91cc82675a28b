//! What has to work: both handshakes, frames in both directions, renewal, new keys.

use crate::world::{BACKUP_SEED, NOW, SUITES, client, connect, counting, server, ticket_keys};
use kontract_raystream::{
    Flags, FrameType, Initiator, PeerFault, Resumer, SealError, StaticKey, Stek, Suite, TicketKeys,
    UnixSeconds, encode_early, frames, limits,
};

#[test]
fn frames_go_both_ways_after_a_full_handshake() {
    for suite in SUITES {
        let (mut here, mut there) = connect(suite);
        assert!(!there.resumed && there.early.is_empty());
        assert_eq!(here.session.id(), there.session.id());
        assert_eq!(here.session.expires_at(), NOW.plus(limits::IDLE_TIMEOUT_SECS));
        for sequence in 0..5 {
            let call = here.session.seal(FrameType::RpcCall, sequence, b"call").expect("open");
            let opened = there.session.open(&call).expect("authentic");
            assert_eq!(
                (opened.ty, opened.sequence, &opened.payload[..]),
                (FrameType::RpcCall, sequence, &b"call"[..])
            );
            let answer = there.session.seal(FrameType::RpcResponse, sequence, b"answer").expect("open");
            assert_eq!(here.session.open(&answer).expect("authentic").payload, b"answer");
        }
    }
}

#[test]
fn sizes_are_within_the_targets() {
    let (_, init) = Initiator::start(&client(Suite::Hybrid), b"", &mut counting(1)).expect("usable key");
    let (here, there) = connect(Suite::Hybrid);
    assert!(init.len() <= 1200 && there.response.len() <= 260, "{} {}", init.len(), there.response.len());
    let (mut resumer, init) = Resumer::start(&here.resumption, &mut counting(9));
    let call = resumer.seal(FrameType::RpcCall, 1, b"").expect("open");
    let answer =
        server(Suite::Hybrid).accept(&init, &ticket_keys(), NOW, &mut counting(99)).expect("authentic");
    let mut session = answer.session;
    session.open(&call).expect("authentic");
    let down = answer.response.len() + session.seal(FrameType::RpcResponse, 1, b"").expect("open").len();
    assert!(init.len() + call.len() <= 210 && down <= 100, "{} {down}", init.len() + call.len());
}

#[test]
fn early_calls_arrive_with_the_handshake() {
    for suite in SUITES {
        let early = encode_early([(3, b"read only")]).expect("short");
        let (_, init) = Initiator::start(&client(suite), &early, &mut counting(1)).expect("usable key");
        let accepted = server(suite).accept(&init, &ticket_keys(), NOW, &mut counting(2)).expect("authentic");
        let [call] = &accepted.early[..] else { unreachable!("one call") };
        assert_eq!((call.sequence, &call.payload[..]), (3, &b"read only"[..]));
        assert!(call.flags.contains(Flags::EARLY));
    }
}

#[test]
fn the_backup_key_is_accepted() {
    let mut config = client(Suite::Hybrid);
    config.server = StaticKey::from_seed(BACKUP_SEED).public().clone();
    let (initiator, init) = Initiator::start(&config, b"", &mut counting(1)).expect("usable key");
    let accepted =
        server(Suite::Hybrid).accept(&init, &ticket_keys(), NOW, &mut counting(2)).expect("authentic");
    initiator.finish(&accepted.response).expect("authentic");
}

#[test]
fn a_resume_keeps_the_session_and_its_calls_need_no_round_trip() {
    for suite in SUITES {
        let (here, there) = connect(suite);
        let (mut resumer, init) = Resumer::start(&here.resumption, &mut counting(9));
        let call = resumer.seal(FrameType::RpcCall, 1, b"call").expect("open");
        let body = [&init[..], &call].concat();

        let received: Vec<_> = frames(&body).map(|frame| frame.expect("well formed")).collect();
        let mut accepted =
            server(suite).accept(received[0], &ticket_keys(), NOW, &mut counting(99)).expect("authentic");
        assert!(accepted.resumed);
        assert_eq!(accepted.session.id(), there.session.id());
        assert_eq!(accepted.session.open(received[1]).expect("authentic").payload, b"call");

        let answer = accepted.session.seal(FrameType::RpcResponse, 1, b"answer").expect("open");
        let (mut session, renewed) = resumer.finish(&accepted.response).expect("authentic");
        assert!(renewed.is_none(), "a fresh ticket is not renewed");
        assert_eq!(session.open(&answer).expect("authentic").payload, b"answer");
    }
}

#[test]
fn a_replayed_resume_is_answered_under_other_keys() {
    let (here, _) = connect(Suite::Hybrid);
    let (resumer, init) = Resumer::start(&here.resumption, &mut counting(9));
    let accept = |seed| {
        server(Suite::Hybrid).accept(&init, &ticket_keys(), NOW, &mut counting(seed)).expect("authentic")
    };
    let (mut first, mut second) = (accept(1), accept(2));
    assert_ne!(first.response, second.response);
    let seal = |accepted: &mut kontract_raystream::Accepted| {
        accepted.session.seal(FrameType::RpcResponse, 1, b"same").expect("open")
    };
    assert_ne!(seal(&mut first), seal(&mut second));
    let (mut session, _) = resumer.finish(&first.response).expect("authentic");
    assert!(session.open(&seal(&mut second)).is_err(), "an answer belongs to one request");
}

#[test]
fn a_ticket_past_half_its_time_is_renewed_with_a_new_secret() {
    let (here, there) = connect(Suite::Hybrid);
    let later = NOW.plus(limits::IDLE_TIMEOUT_SECS / 2);
    let (resumer, init) = Resumer::start(&here.resumption, &mut counting(9));
    let accepted =
        server(Suite::Hybrid).accept(&init, &ticket_keys(), later, &mut counting(1)).expect("authentic");
    let (_, renewed) = resumer.finish(&accepted.response).expect("authentic");
    let renewed = renewed.expect("past half of its time");
    assert_eq!(renewed.expires_at(), later.plus(limits::IDLE_TIMEOUT_SECS));

    let (resumer, init) = Resumer::start(&renewed, &mut counting(9));
    let past_first_expiry = here.resumption.expires_at().plus(1);
    let accepted = server(Suite::Hybrid)
        .accept(&init, &ticket_keys(), past_first_expiry, &mut counting(1))
        .expect("authentic");
    assert_eq!(accepted.session.id(), there.session.id());
    resumer.finish(&accepted.response).expect("authentic");
}

#[test]
fn a_session_ends_after_its_longest_life_however_busy() {
    let (here, _) = connect(Suite::Hybrid);
    let (mut resumption, mut now) = (here.resumption, NOW);
    while now < NOW.plus(limits::SESSION_LIFETIME_MAX_SECS) {
        let (resumer, init) = Resumer::start(&resumption, &mut counting(9));
        let accepted =
            server(Suite::Hybrid).accept(&init, &ticket_keys(), now, &mut counting(1)).expect("alive");
        if let (_, Some(renewed)) = resumer.finish(&accepted.response).expect("authentic") {
            resumption = renewed;
        }
        now = now.plus(limits::IDLE_TIMEOUT_SECS / 2);
    }
    let (_, init) = Resumer::start(&resumption, &mut counting(9));
    let refused =
        server(Suite::Hybrid).accept(&init, &ticket_keys(), now, &mut counting(1)).expect_err("too old");
    assert_eq!(refused.fault(), PeerFault::TicketExpired);
}

#[test]
fn tickets_outlive_one_change_of_the_ticket_key() {
    let (here, _) = connect(Suite::Hybrid);
    let (_, init) = Resumer::start(&here.resumption, &mut counting(9));
    let old = ticket_keys().current;
    let next = TicketKeys { current: Stek::new([1; 32]), previous: Some(old) };
    let after = TicketKeys { current: Stek::new([2; 32]), previous: Some(next.current.clone()) };
    assert!(server(Suite::Hybrid).accept(&init, &next, NOW, &mut counting(1)).is_ok());
    let refused =
        server(Suite::Hybrid).accept(&init, &after, NOW, &mut counting(1)).expect_err("key destroyed");
    assert_eq!(refused.fault(), PeerFault::Ticket);
}

#[test]
fn ten_thousand_new_keys_leave_a_session_in_order() {
    let (mut here, mut there) = connect(Suite::Base);
    for sequence in 0..10_000 {
        here.session.rekey().expect("open");
        let frame = here.session.seal(FrameType::Heartbeat, sequence, b"").expect("open");
        assert_eq!(there.session.open(&frame).expect("authentic").sequence, sequence);
    }
}

#[test]
fn a_key_that_is_skipped_closes_the_session() {
    let (mut here, mut there) = connect(Suite::Base);
    // Twice without a frame between is once.
    for _ in 0..2 {
        here.session.rekey().expect("open");
        here.session.rekey().expect("open");
        here.session.seal(FrameType::Heartbeat, 0, b"").expect("open");
    }
    let frame = here.session.seal(FrameType::Heartbeat, 0, b"").expect("open");
    assert_eq!(there.session.open(&frame).expect_err("skipped").fault(), PeerFault::Txid);
}

#[test]
fn the_longest_payload_fits_and_one_byte_more_does_not() {
    let (mut here, mut there) = connect(Suite::Base);
    let payload = vec![7; limits::PAYLOAD_LEN_MAX];
    let frame = here.session.seal(FrameType::RpcCall, 0, &payload).expect("fits");
    assert_eq!(there.session.open(&frame).expect("authentic").payload, payload);
    let too_long = vec![7; limits::PAYLOAD_LEN_MAX + 1];
    assert_eq!(here.session.seal(FrameType::RpcCall, 0, &too_long), Err(SealError::PayloadTooLong));
    assert_eq!(here.session.seal(FrameType::HandshakeInit, 0, b""), Err(SealError::HandshakeType));
}

#[test]
fn traffic_extends_a_session_but_not_for_ever() {
    let (mut here, _) = connect(Suite::Base);
    here.session.touch(NOW.plus(100), 300);
    assert_eq!(here.session.expires_at(), NOW.plus(400));
    here.session.touch(NOW.plus(50), 300);
    assert_eq!(here.session.expires_at(), NOW.plus(400), "time does not go back");
    here.session.touch(UnixSeconds(u64::MAX), 300);
    assert_eq!(here.session.expires_at(), NOW.plus(limits::SESSION_LIFETIME_MAX_SECS));
}
