//! What has to be refused, and that a refusal closes the session.

use crate::world::{
    BUILD, NOW, ROUTES, SUITES, client, connect, counting, server, server_config, ticket_keys,
};
use kontract_raystream::{
    BuildId, FrameType, Initiator, PeerFault, Refused, Resumer, RouteHash, SealError, Server, StaticKey,
    Stek, Suite, TicketKeys, UnixSeconds, limits,
};

const HEADER_LEN: usize = 16;
const KEM_CT_AT: usize = HEADER_LEN + 1 + 2 + 16 + 8 + 2;

fn init(suite: Suite) -> Vec<u8> {
    Initiator::start(&client(suite), b"", &mut counting(1)).expect("usable key").1
}

fn accept(suite: Suite, init: &[u8]) -> Result<(), Refused> {
    server(suite).accept(init, &ticket_keys(), NOW, &mut counting(2)).map(|_| ())
}

/// Makes the header's length that of the frame.
fn set_length(clear_frame: &mut [u8]) {
    let length = u32::try_from(clear_frame.len() - HEADER_LEN).expect("short");
    clear_frame[8..12].copy_from_slice(&length.to_le_bytes());
}

fn fault(result: Result<(), Refused>) -> PeerFault {
    result.expect_err("refused").fault()
}

#[test]
fn every_flipped_bit_of_a_frame_is_refused_and_closes_the_session() {
    let (mut here, _) = connect(Suite::Base);
    let frame = here.session.seal(FrameType::RpcCall, 7, b"payload").expect("open");
    for bit in 0..frame.len() * 8 {
        let mut altered = frame.clone();
        altered[bit / 8] ^= 1 << (bit % 8);
        let (_, mut there) = connect(Suite::Base);
        assert!(there.session.open(&altered).is_err(), "bit {bit}");
        assert_eq!(there.session.open(&frame).expect_err("closed").fault(), PeerFault::Closed, "bit {bit}");
        assert_eq!(there.session.seal(FrameType::RpcResponse, 7, b""), Err(SealError::Closed));
    }
}

#[test]
fn every_truncation_and_extension_of_a_frame_is_refused() {
    let (mut here, _) = connect(Suite::Base);
    let frame = here.session.seal(FrameType::RpcCall, 7, b"payload").expect("open");
    for len in 0..frame.len() {
        let (_, mut there) = connect(Suite::Base);
        assert!(there.session.open(&frame[..len]).is_err(), "{len}");
    }
    let (_, mut there) = connect(Suite::Base);
    let longer = [&frame[..], &[0]].concat();
    assert_eq!(there.session.open(&longer).expect_err("longer").fault(), PeerFault::TrailingBytes);
}

#[test]
fn reflected_replayed_and_reordered_frames_are_refused() {
    let (mut here, mut there) = connect(Suite::Base);
    here.session.seal(FrameType::RpcCall, 1, b"call").expect("open");
    let call =
        here.session.seal(FrameType::RpcCall, 2, b"a transaction id that is next there").expect("open");
    assert_eq!(here.session.open(&call).expect_err("reflected").fault(), PeerFault::Authentication);

    let (mut here, _) = connect(Suite::Base);
    let first = here.session.seal(FrameType::RpcCall, 1, b"first").expect("open");
    let second = here.session.seal(FrameType::RpcCall, 2, b"second").expect("open");
    there.session.open(&first).expect("authentic");
    assert_eq!(there.session.open(&first).expect_err("replayed").fault(), PeerFault::Txid);

    let (_, mut there) = connect(Suite::Base);
    there.session.open(&second).expect("a gap is fine: a request may have been lost");
    assert_eq!(there.session.open(&first).expect_err("reordered").fault(), PeerFault::Txid);
}

#[test]
fn a_frame_of_another_session_is_refused() {
    let (mut here, _) = connect(Suite::Base);
    let frame = here.session.seal(FrameType::RpcCall, 1, b"call").expect("open");
    let init = init(Suite::Base);
    let mut other =
        server(Suite::Base).accept(&init, &ticket_keys(), NOW, &mut counting(3)).expect("authentic");
    assert_eq!(other.session.open(&frame).expect_err("foreign").fault(), PeerFault::Authentication);
}

#[test]
fn header_fields_out_of_range_are_refused_before_any_cryptography() {
    let (mut here, _) = connect(Suite::Base);
    let frame = here.session.seal(FrameType::RpcCall, 7, b"payload").expect("open");
    let cases: [(usize, &[u8], PeerFault); 14] = [
        (0, &[0], PeerFault::Version),
        (0, &[2], PeerFault::Version),
        (0, &[255], PeerFault::Version),
        (1, &[0], PeerFault::UnknownType),
        (1, &[0x31], PeerFault::UnknownType),
        (1, &[0x01], PeerFault::TrailingBytes),
        (2, &[32], PeerFault::Flags),
        (3, &[0x80], PeerFault::Flags),
        (12, &[1], PeerFault::Reserved),
        (15, &[1], PeerFault::Reserved),
        (8, &[0, 0, 0, 0], PeerFault::Length),
        (8, &[15, 0, 0, 0], PeerFault::Length),
        (8, &[255, 255, 255, 255], PeerFault::Length),
        (8, &[1, 0, 16, 0], PeerFault::Length),
    ];
    for (offset, bytes, expected) in cases {
        let mut altered = frame.clone();
        altered[offset..offset + bytes.len()].copy_from_slice(bytes);
        let (_, mut there) = connect(Suite::Base);
        assert_eq!(
            there.session.open(&altered).expect_err("refused").fault(),
            expected,
            "{offset} {bytes:?}"
        );
    }
}

#[test]
fn nonces_out_of_range_are_refused() {
    let (mut here, _) = connect(Suite::Base);
    let frame = here.session.seal(FrameType::RpcCall, 7, b"payload").expect("open");
    let nonces = [[0xff; 12], [0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0], [0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0]];
    for nonce in nonces {
        let mut altered = frame.clone();
        altered[HEADER_LEN..HEADER_LEN + 12].copy_from_slice(&nonce);
        let (_, mut there) = connect(Suite::Base);
        assert_eq!(there.session.open(&altered).expect_err("refused").fault(), PeerFault::Txid, "{nonce:?}");
    }
}

#[test]
fn a_handshake_in_the_middle_of_a_session_is_refused() {
    for frame in [init(Suite::Base), connect(Suite::Base).1.response] {
        let (_, mut there) = connect(Suite::Base);
        assert!(there.session.open(&frame).is_err());
    }
    let (mut here, _) = connect(Suite::Base);
    let call = here.session.seal(FrameType::RpcCall, 1, b"call").expect("open");
    assert_eq!(fault(accept(Suite::Base, &call)), PeerFault::UnexpectedType, "a call before the handshake");
}

#[test]
fn another_suite_build_route_hash_or_key_is_refused() {
    let cases = [
        (Suite::Base, BUILD, ROUTES, 0x11, PeerFault::Suite),
        (Suite::Hybrid, BuildId([0; 16]), ROUTES, 0x11, PeerFault::Build),
        (Suite::Hybrid, BUILD, RouteHash([0; 32]), 0x11, PeerFault::Handshake),
        (Suite::Hybrid, BUILD, ROUTES, 0x13, PeerFault::Key),
    ];
    for (suite, build_id, route_hash, seed, expected) in cases {
        let mut config = client(suite);
        config.build_id = build_id;
        config.route_hash = route_hash;
        config.server = StaticKey::from_seed([seed; 32]).public().clone();
        let (_, init) = Initiator::start(&config, b"", &mut counting(1)).expect("usable key");
        assert_eq!(fault(accept(Suite::Hybrid, &init)), expected);
    }
}

#[test]
fn a_suite_relabelled_on_the_way_is_refused() {
    let mut init = init(Suite::Base);
    init[HEADER_LEN + 1] = 2;
    assert_eq!(fault(accept(Suite::Hybrid, &init)), PeerFault::Length);
}

#[test]
fn every_truncation_and_every_flipped_byte_of_a_handshake_is_refused() {
    for suite in SUITES {
        let init = init(suite);
        let server = server(suite);
        for len in 0..init.len() {
            assert!(server.accept(&init[..len], &ticket_keys(), NOW, &mut counting(2)).is_err(), "{len}");
        }
        // One bit of each byte of the KEM ciphertext is enough: implicit rejection treats all alike.
        for at in (0..init.len()).filter(|at| *at < KEM_CT_AT + 40 || *at > init.len() - 60) {
            for bit in 0..8 {
                let mut altered = init.clone();
                altered[at] ^= 1 << bit;
                // X25519 ignores the top bit of a point (RFC 7748, section 5), but the transcript does not.
                assert!(
                    server.accept(&altered, &ticket_keys(), NOW, &mut counting(2)).is_err(),
                    "{at} {bit}"
                );
            }
        }
    }
}

#[test]
fn a_response_with_any_flipped_bit_or_cut_short_is_refused() {
    for suite in SUITES {
        let (_, there) = connect(suite);
        let finish = |response: &[u8]| {
            let (initiator, _) = Initiator::start(&client(suite), b"", &mut counting(1)).expect("usable key");
            initiator.finish(response)
        };
        assert!(finish(&there.response).is_ok());
        for at in 0..there.response.len() {
            for bit in 0..8 {
                let mut altered = there.response.clone();
                altered[at] ^= 1 << bit;
                assert!(finish(&altered).is_err(), "{at} {bit}");
            }
            assert!(finish(&there.response[..at]).is_err(), "{at}");
        }
    }
}

#[test]
fn a_man_in_the_middle_without_the_static_key_is_refused() {
    let mut config = server_config(Suite::Hybrid);
    config.current = StaticKey::from_seed([0x66; 32]);
    let impostor = Server::new(config);
    let mut pinned_to_impostor = client(Suite::Hybrid);
    pinned_to_impostor.server = StaticKey::from_seed([0x66; 32]).public().clone();
    let (_, init) = Initiator::start(&pinned_to_impostor, b"", &mut counting(1)).expect("usable key");
    let accepted = impostor.accept(&init, &ticket_keys(), NOW, &mut counting(2)).expect("its own key");
    let (initiator, _) = Initiator::start(&client(Suite::Hybrid), b"", &mut counting(1)).expect("usable key");
    assert_eq!(
        initiator.finish(&accepted.response).map(|_| ()).expect_err("forged").fault(),
        PeerFault::Handshake
    );
}

#[test]
fn points_of_low_order_are_refused() {
    // The points of order 1, 2, 4 and 8, and their non-canonical spellings (RFC 7748, section 6.1; cr.yp.to/ecdh.html).
    let order_8 = [
        [
            0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae, 0x16, 0x56, 0xe3, 0xfa, 0xf1, 0x9f, 0xc4, 0x6a,
            0xda, 0x09, 0x8d, 0xeb, 0x9c, 0x32, 0xb1, 0xfd, 0x86, 0x62, 0x05, 0x16, 0x5f, 0x49, 0xb8, 0x00,
        ],
        [
            0x5f, 0x9c, 0x95, 0xbc, 0xa3, 0x50, 0x8c, 0x24, 0xb1, 0xd0, 0xb1, 0x55, 0x9c, 0x83, 0xef, 0x5b,
            0x04, 0x44, 0x5c, 0xc4, 0x58, 0x1c, 0x8e, 0x86, 0xd8, 0x22, 0x4e, 0xdd, 0xd0, 0x9f, 0x11, 0x57,
        ],
    ];
    let (mut one, mut p_minus_1, mut p, mut p_plus_1) = ([0; 32], [0xff; 32], [0xff; 32], [0xff; 32]);
    one[0] = 1;
    for (point, low) in [(&mut p_minus_1, 0xec), (&mut p, 0xed), (&mut p_plus_1, 0xee)] {
        point[0] = low;
        point[31] = 0x7f;
    }
    let low = [[0; 32], one, order_8[0], order_8[1], p_minus_1, p, p_plus_1];
    for suite in SUITES {
        for point in low.into_iter().chain(low.map(|mut point| {
            point[31] |= 0x80;
            point
        })) {
            let mut init = init(suite);
            let at = init.len() - 48;
            init[at..at + 32].copy_from_slice(&point);
            assert_eq!(fault(accept(suite, &init)), PeerFault::Point, "{point:02x?}");

            let mut config = client(suite);
            let kem = config.server.ml_kem();
            config.server = kontract_raystream::PublicKey::new(point, &kem).expect("any point parses");
            assert!(Initiator::start(&config, b"", &mut counting(1)).is_err(), "{point:02x?}");
        }
    }
}

#[test]
fn a_key_encapsulation_of_another_length_is_refused() {
    let mut longer = init(Suite::Hybrid);
    longer.insert(KEM_CT_AT, 0);
    set_length(&mut longer);
    longer[KEM_CT_AT - 2..KEM_CT_AT].copy_from_slice(&1089_u16.to_le_bytes());
    assert_eq!(fault(accept(Suite::Hybrid, &longer)), PeerFault::Length);
}

#[test]
fn tickets_expired_altered_or_foreign_are_refused() {
    let (here, _) = connect(Suite::Hybrid);
    let (_, init) = Resumer::start(&here.resumption, &mut counting(9));
    let accept = |server: &Server, init: &[u8], keys: &TicketKeys, now: UnixSeconds| {
        server.accept(init, keys, now, &mut counting(2)).map(|_| ())
    };
    let same = server(Suite::Hybrid);
    assert_eq!(
        fault(accept(same, &init, &ticket_keys(), here.resumption.expires_at())),
        PeerFault::TicketExpired
    );
    let foreign = TicketKeys { current: Stek::new([1; 32]), previous: None };
    assert_eq!(fault(accept(same, &init, &foreign, NOW)), PeerFault::Ticket);

    let mut other_build = server_config(Suite::Hybrid);
    other_build.build_id = BuildId([0; 16]);
    assert_eq!(fault(accept(&Server::new(other_build), &init, &ticket_keys(), NOW)), PeerFault::Build);
    let mut other_routes = server_config(Suite::Hybrid);
    other_routes.route_hash = RouteHash([0; 32]);
    assert_eq!(fault(accept(&Server::new(other_routes), &init, &ticket_keys(), NOW)), PeerFault::Ticket);
    assert_eq!(fault(accept(server(Suite::Base), &init, &ticket_keys(), NOW)), PeerFault::Ticket);

    for len in 0..init.len() {
        assert!(accept(same, &init[..len], &ticket_keys(), NOW).is_err(), "{len}");
    }
    for at in 0..init.len() - 32 {
        let mut altered = init.clone();
        altered[at] ^= 1;
        assert!(accept(same, &altered, &ticket_keys(), NOW).is_err(), "{at}");
    }
}

#[test]
fn a_stolen_ticket_without_its_secret_opens_nothing() {
    let (here, _) = connect(Suite::Hybrid);
    let (mut resumer, mut init) = Resumer::start(&here.resumption, &mut counting(9));
    let call = resumer.seal(FrameType::RpcCall, 1, b"call").expect("open");
    *init.last_mut().expect("not empty") ^= 1;
    let mut accepted = server(Suite::Hybrid)
        .accept(&init, &ticket_keys(), NOW, &mut counting(2))
        .expect("not yet authenticated");
    assert_eq!(accepted.session.open(&call).expect_err("other keys").fault(), PeerFault::Authentication);
}

#[test]
fn more_early_data_than_allowed_is_refused_on_both_sides() {
    let early = vec![0; limits::EARLY_LEN_MAX + 1];
    assert!(Initiator::start(&client(Suite::Base), &early, &mut counting(1)).is_err());
    let mut init = init(Suite::Base);
    init.resize(init.len() + limits::EARLY_LEN_MAX + 1, 0);
    set_length(&mut init);
    assert_eq!(fault(accept(Suite::Base, &init)), PeerFault::Length);
}

#[test]
fn every_refusal_reads_the_same() {
    let refused =
        [accept(Suite::Base, b""), accept(Suite::Base, &init(Suite::Hybrid))].map(Result::unwrap_err);
    assert!(refused.iter().all(|refused| refused.to_string() == "refused"));
    assert_ne!(refused[0].fault(), refused[1].fault(), "the local log tells them apart");
}
