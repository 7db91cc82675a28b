//! ML-KEM-768 against Project Wycheproof. Its decapsulation keys in expanded form are left out: ours are seeds.

use super::{CIPHERTEXT_LEN, KemPublic, KemSecret, PUBLIC_LEN, psk};
use crate::crypto::Secret;
use wycheproof::TestResult;
use wycheproof::mlkem::{Test, TestName, TestSet};

fn cases(name: TestName) -> Vec<Test> {
    let set = TestSet::load(name).expect("the set");
    set.test_groups.into_iter().flat_map(|group| group.tests).collect()
}

fn field(field: &Option<wycheproof::ByteString>) -> &[u8] {
    field.as_ref().map_or(&[], |bytes| &bytes[..])
}

#[test]
fn seeds_and_ciphertexts() {
    let cases = cases(TestName::MlKem768);
    assert!(cases.len() >= 200, "{}", cases.len());
    for case in &cases {
        let seed = <[u8; 64]>::try_from(field(&case.seed)).ok().map(Secret::new);
        let secret = seed.map(|seed| KemSecret::from_seed(&seed));
        let (ciphertext, shared) = (field(&case.ct), field(&case.shared_secret));
        let found = secret.as_ref().and_then(|secret| secret.psk(ciphertext));
        if case.result == TestResult::Valid {
            let shared = Secret::new(shared.try_into().expect("32 bytes"));
            let found = found.expect("a key");
            assert_eq!(found.expose(), psk(ciphertext, &shared).expose(), "{}", case.tc_id);
            assert_eq!(
                secret.expect("a seed").public().to_bytes(),
                field(&case.encaps_key),
                "{}",
                case.tc_id
            );
        } else {
            assert!(found.is_none(), "{}", case.tc_id);
        }
    }
}

#[test]
fn encapsulation() {
    let cases = cases(TestName::MlKem768Encaps);
    assert!(cases.len() >= 250, "{}", cases.len());
    for case in &cases {
        let key = <[u8; PUBLIC_LEN]>::try_from(field(&case.encaps_key)).ok();
        let key = key.and_then(|key| KemPublic::from_bytes(&key));
        let Some(key) = key else {
            assert_eq!(case.result, TestResult::Invalid, "{}", case.tc_id);
            continue;
        };
        assert_eq!(case.result, TestResult::Valid, "{}", case.tc_id);
        let (ciphertext, found) =
            key.encapsulate(&Secret::new(field(&case.msg).try_into().expect("32 bytes")));
        assert_eq!((ciphertext.len(), &ciphertext[..]), (CIPHERTEXT_LEN, field(&case.ct)), "{}", case.tc_id);
        let shared = Secret::new(field(&case.shared_secret).try_into().expect("32 bytes"));
        assert_eq!(found.expose(), psk(&ciphertext, &shared).expose(), "{}", case.tc_id);
    }
}

#[test]
fn keys_of_seeds() {
    let cases = cases(TestName::MlKem768KeyGenSeed);
    assert!(cases.len() >= 100, "{}", cases.len());
    for case in &cases {
        let seed = Secret::new(field(&case.seed).try_into().expect("64 bytes"));
        assert_eq!(
            KemSecret::from_seed(&seed).public().to_bytes(),
            field(&case.encaps_key),
            "{}",
            case.tc_id
        );
    }
}
