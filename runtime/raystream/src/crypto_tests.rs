//! Primitives against Project Wycheproof and the examples of RFC 7748, RFC 8439 and RFC 5869.

use super::{Prk, Secret, is_canonical, open, seal, x25519, x25519_public, xopen, xseal};
use wycheproof::TestResult;

fn bytes<const N: usize>(hex: &str) -> [u8; N] {
    unhex(hex).try_into().expect("the right length")
}

fn unhex(hex: &str) -> Vec<u8> {
    let digits: String = hex.split_whitespace().collect();
    let byte = |at| u8::from_str_radix(&digits[at..at + 2], 16).expect("two digits");
    (0..digits.len()).step_by(2).map(byte).collect()
}

#[test]
fn wycheproof_x25519() {
    let set = wycheproof::xdh::TestSet::load(wycheproof::xdh::TestName::X25519).expect("the set");
    let mut checked = 0;
    for case in set.test_groups.iter().flat_map(|group| &group.tests) {
        let Ok(public) = <[u8; 32]>::try_from(&case.public_key[..]) else {
            assert_ne!(case.result, TestResult::Valid, "{}", case.tc_id);
            continue;
        };
        let secret = Secret::new(case.private_key[..].try_into().expect("32 bytes"));
        let shared = x25519(&secret, &public).map(|shared| shared.expose().to_vec());
        // Wycheproof calls a result of zeros acceptable; here it is refused.
        let zero = case.shared_secret.iter().all(|byte| *byte == 0);
        let wanted = (!zero && case.result != TestResult::Invalid).then(|| case.shared_secret.to_vec());
        assert_eq!(shared, wanted, "{}", case.tc_id);
        checked += 1;
    }
    assert_eq!(checked, 518);
}

type Seal<const N: usize> = fn(&Secret<32>, [u8; N], &[u8], &[u8]) -> Vec<u8>;
type Open<const N: usize> = fn(&Secret<32>, [u8; N], &[u8], &[u8]) -> Option<Vec<u8>>;

fn wycheproof_aead<const N: usize>(name: wycheproof::aead::TestName, seal: Seal<N>, open: Open<N>) -> usize {
    let set = wycheproof::aead::TestSet::load(name).expect("the set");
    let mut checked = 0;
    for case in set.test_groups.iter().flat_map(|group| &group.tests) {
        let Ok(nonce) = <[u8; N]>::try_from(&case.nonce[..]) else {
            assert_eq!(case.result, TestResult::Invalid, "{}", case.tc_id);
            continue;
        };
        let key = Secret::new(case.key[..].try_into().expect("32 bytes"));
        let sealed = [&case.ct[..], &case.tag].concat();
        let valid = case.result == TestResult::Valid;
        let opened = open(&key, nonce, &case.aad, &sealed);
        assert_eq!(opened, valid.then(|| case.pt.to_vec()), "{}", case.tc_id);
        if valid {
            assert_eq!(seal(&key, nonce, &case.aad, &case.pt), sealed, "{}", case.tc_id);
        }
        checked += 1;
    }
    checked
}

#[test]
fn wycheproof_chacha20_poly1305() {
    assert_eq!(wycheproof_aead(wycheproof::aead::TestName::ChaCha20Poly1305, seal, open), 316);
}

#[test]
fn wycheproof_xchacha20_poly1305() {
    assert_eq!(wycheproof_aead(wycheproof::aead::TestName::XChaCha20Poly1305, xseal, xopen), 306);
}

#[test]
fn points_have_one_spelling() {
    let edge = |low: u8, high: u8| {
        let mut point = [0xff; 32];
        (point[0], point[31]) = (low, high);
        point
    };
    for canonical in [[0; 32], edge(0xec, 0x7f), edge(0xff, 0x7e), bytes("09".repeat(32).as_str())] {
        assert!(is_canonical(&canonical), "{canonical:02x?}");
    }
    let mut top_bit = [0; 32];
    top_bit[31] = 0x80;
    for other in [edge(0xed, 0x7f), edge(0xee, 0x7f), edge(0xff, 0x7f), edge(0xec, 0xff), top_bit] {
        assert!(!is_canonical(&other), "{other:02x?}");
    }
}

#[test]
fn wycheproof_hkdf_sha256() {
    let set = wycheproof::hkdf::TestSet::load(wycheproof::hkdf::TestName::HkdfSha256).expect("the set");
    let mut checked = 0;
    for case in set.test_groups.iter().flat_map(|group| &group.tests) {
        // The longest output there is; shorter ones are its beginnings (RFC 5869, section 2.3).
        let okm = hkdf::<8160>(&case.salt, &case.ikm, &case.info);
        match case.result {
            TestResult::Valid => assert_eq!(okm[..case.size], case.okm[..], "{}", case.tc_id),
            _ => assert!(case.size > okm.len(), "{}", case.tc_id),
        }
        checked += 1;
    }
    assert_eq!(checked, 86);
}

fn hkdf<const N: usize>(salt: &[u8], ikm: &[u8], info: &[u8]) -> Vec<u8> {
    Prk::extract(salt, &[ikm]).expand::<N>(&[info]).expose().to_vec()
}

/// RFC 7748, section 5.2: the scalar multiplication repeated on its own results.
#[test]
fn rfc_7748_iterations() {
    let mut k: [u8; 32] = bytes("0900000000000000000000000000000000000000000000000000000000000000");
    let mut u = k;
    for round in 1..=1000 {
        let next = *x25519(&Secret::new(k), &u).expect("no zeros").expose();
        (u, k) = (k, next);
        if round == 1 {
            assert_eq!(k, bytes("422c8e7a6227d7bca1350b3e2bb7279f7897b87bb6854b783c60e80311ae3079"));
        }
    }
    assert_eq!(k, bytes("684cf59ba83309552800ef566f2f4d3c1c3887c49360e3875f2eb94d99532c51"));
}

/// RFC 7748, section 6.1: Bob's side.
#[test]
fn rfc_7748_exchange() {
    let bob = Secret::new(bytes("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb"));
    let alices = bytes("8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a");
    assert_eq!(
        x25519_public(&bob),
        bytes("de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f")
    );
    let shared = x25519(&bob, &alices).expect("no zeros");
    assert_eq!(*shared.expose(), bytes("4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742"));
}

/// RFC 8439, section 2.8.2.
#[test]
fn rfc_8439_aead() {
    let key = Secret::new(std::array::from_fn(|place| 0x80 + u8::try_from(place).expect("below 32")));
    let nonce = bytes("070000004041424344454647");
    let ad = unhex("50515253c0c1c2c3c4c5c6c7");
    let plaintext = b"Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen would be it.";
    let sealed = seal(&key, nonce, &ad, plaintext);
    assert_eq!(sealed[..16], bytes::<16>("d31a8d34648e60db7b86afbc53ef7ec2"));
    assert_eq!(sealed[plaintext.len()..], bytes::<16>("1ae10b594f09e26a7e902ecbd0600691"));
    assert_eq!(open(&key, nonce, &ad, &sealed).as_deref(), Some(&plaintext[..]));
}

/// RFC 5869, appendix A.1 to A.3.
#[test]
fn rfc_5869_examples() {
    let counted = |from: u8, to: u8| (from..=to).collect::<Vec<u8>>();
    let ikm = [0x0b; 22];
    assert_eq!(
        hkdf::<42>(&counted(0, 0x0c), &ikm, &counted(0xf0, 0xf9)),
        unhex("3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865")
    );
    assert_eq!(
        hkdf::<82>(&counted(0x60, 0xaf), &counted(0, 0x4f), &counted(0xb0, 0xff)),
        unhex(
            "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c65e590e09
             da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87"
        )
    );
    assert_eq!(
        hkdf::<42>(b"", &ikm, b""),
        unhex("8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8")
    );
}
