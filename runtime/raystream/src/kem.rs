//! ML-KEM-768 (FIPS 203) and the pre-shared key made of its shared secret.

use crate::crypto::{Prk, Secret, sha256};
use ml_kem::kem::{Decapsulate, KeyExport};
use ml_kem::ml_kem_768::{DecapsulationKey, EncapsulationKey};

/// Length of an encapsulation (public) key, in bytes.
pub(crate) const PUBLIC_LEN: usize = 1184;

/// Length of a ciphertext, in bytes.
pub(crate) const CIPHERTEXT_LEN: usize = 1088;

/// The server's half.
pub(crate) struct KemSecret(DecapsulationKey);

/// The client's half.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct KemPublic(EncapsulationKey);

impl KemSecret {
    pub(crate) fn from_seed(seed: &Secret<64>) -> Self {
        Self(DecapsulationKey::from_seed((*seed.expose()).into()))
    }

    pub(crate) fn public(&self) -> KemPublic {
        KemPublic(self.0.encapsulation_key().clone())
    }

    /// The pre-shared key of a ciphertext; `None` when its length is wrong. An altered ciphertext gives a key that nobody
    /// else has (implicit rejection), so that the handshake fails afterwards.
    pub(crate) fn psk(&self, ciphertext: &[u8]) -> Option<Secret<32>> {
        let shared = Secret::new(self.0.decapsulate_slice(ciphertext).ok()?.into());
        Some(psk(ciphertext, &shared))
    }
}

impl KemPublic {
    /// `None` when the bytes are not a valid key (FIPS 203, section 7.2).
    pub(crate) fn from_bytes(bytes: &[u8; PUBLIC_LEN]) -> Option<Self> {
        EncapsulationKey::new(bytes.into()).ok().map(Self)
    }

    pub(crate) fn to_bytes(&self) -> [u8; PUBLIC_LEN] {
        self.0.to_bytes().into()
    }

    /// A ciphertext and its pre-shared key. `message` is 32 fresh random bytes.
    pub(crate) fn encapsulate(&self, message: &Secret<32>) -> (Vec<u8>, Secret<32>) {
        let (ciphertext, shared) = self.0.encapsulate_deterministic(message.expose().into());
        let psk = psk(&ciphertext, &Secret::new(shared.into()));
        (ciphertext.to_vec(), psk)
    }
}

fn psk(ciphertext: &[u8], shared: &Secret<32>) -> Secret<32> {
    Prk::extract(&sha256(&[ciphertext]), &[shared.expose()]).expand(&[b"rs1 pq-psk"])
}

#[cfg(test)]
#[path = "kem_tests.rs"]
mod tests;
