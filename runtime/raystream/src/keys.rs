//! The server's static key, grown from one 32-byte seed, and its public half as clients pin it.

use crate::crypto::{POINT_LEN, Prk, Secret, sha256, x25519_public};
use crate::ids::KeyId;
use crate::kem::{KemPublic, KemSecret, PUBLIC_LEN};
use std::fmt;

/// A server's static key: X25519 and ML-KEM-768.
pub struct StaticKey {
    pub(crate) x25519: Secret<32>,
    pub(crate) kem: KemSecret,
    public: PublicKey,
    id: KeyId,
}

/// The public half of a [`StaticKey`].
#[derive(Clone, PartialEq, Eq)]
pub struct PublicKey {
    pub(crate) x25519: [u8; POINT_LEN],
    pub(crate) kem: KemPublic,
}

/// A pinned key that is not one: the build's or the user's mistake.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an ML-KEM-768 public key")]
pub struct PublicKeyError;

impl StaticKey {
    /// Derives both halves from a seed of 32 random bytes.
    pub fn from_seed(seed: [u8; 32]) -> Self {
        let seed = Secret::new(seed);
        let prk = Prk::extract(b"rs1 static", &[seed.expose()]);
        let x25519 = prk.expand::<32>(&[b"rs1 static x25519"]);
        let kem = KemSecret::from_seed(&prk.expand::<64>(&[b"rs1 static ml-kem-768"]));
        let public = PublicKey { x25519: x25519_public(&x25519), kem: kem.public() };
        let id = public.key_id();
        Self { x25519, kem, public, id }
    }

    /// What clients pin.
    pub const fn public(&self) -> &PublicKey {
        &self.public
    }

    /// The id that handshakes name this key by.
    pub const fn key_id(&self) -> KeyId {
        self.id
    }
}

impl fmt::Debug for StaticKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StaticKey({:02x?})", self.id.0)
    }
}

impl PublicKey {
    /// From the two public halves.
    ///
    /// # Errors
    /// [`PublicKeyError`] when the second is not a valid ML-KEM-768 encapsulation key (FIPS 203, section 7.2).
    pub fn new(x25519: [u8; POINT_LEN], ml_kem: &[u8; PUBLIC_LEN]) -> Result<Self, PublicKeyError> {
        Ok(Self { x25519, kem: KemPublic::from_bytes(ml_kem).ok_or(PublicKeyError)? })
    }

    /// The X25519 public key.
    pub const fn x25519(&self) -> &[u8; POINT_LEN] {
        &self.x25519
    }

    /// The ML-KEM-768 encapsulation key.
    pub fn ml_kem(&self) -> [u8; PUBLIC_LEN] {
        self.kem.to_bytes()
    }

    /// `SHA256(x25519 ‖ ml_kem)[..8]`, the same in every suite.
    pub fn key_id(&self) -> KeyId {
        let digest = sha256(&[&self.x25519, &self.kem.to_bytes()]);
        let mut id = [0; 8];
        id.copy_from_slice(&digest[..8]);
        KeyId(id)
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({:02x?})", self.key_id().0)
    }
}
