//! The few primitives the protocol uses, over audited crates, with secrets that are wiped when dropped.

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{ChaCha20Poly1305, XChaCha20Poly1305};
use hkdf::{Hkdf, HkdfExtract};
use sha2::{Digest, Sha256};
use x25519_dalek::{PublicKey, StaticSecret};
use zeroize::{Zeroize, ZeroizeOnDrop};

/// Length of an AEAD tag, in bytes.
pub(crate) const TAG_LEN: usize = 16;

/// Length of an X25519 public key, in bytes.
pub(crate) const POINT_LEN: usize = 32;

/// Secret bytes: wiped when dropped, never printed.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub(crate) struct Secret<const N: usize>([u8; N]);

impl<const N: usize> Secret<N> {
    pub(crate) const fn new(bytes: [u8; N]) -> Self {
        Self(bytes)
    }

    pub(crate) const fn expose(&self) -> &[u8; N] {
        &self.0
    }
}

impl<const N: usize> std::fmt::Debug for Secret<N> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret")
    }
}

/// SHA-256 over the concatenation of `parts`.
pub(crate) fn sha256(parts: &[&[u8]]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part);
    }
    hash.finalize().into()
}

/// A pseudorandom key of HKDF-SHA256 (RFC 5869). Its two hash states wipe themselves, because `sha2` is built with `zeroize`.
pub(crate) struct Prk(Hkdf<Sha256>);

const _: fn() = || {
    const fn is_wiped<T: ZeroizeOnDrop>() {}
    is_wiped::<Sha256>();
};

impl Prk {
    /// Extract: `salt` and the concatenation of `ikm`.
    pub(crate) fn extract(salt: &[u8], ikm: &[&[u8]]) -> Self {
        let mut extract = HkdfExtract::<Sha256>::new(Some(salt));
        for part in ikm {
            extract.input_ikm(part);
        }
        let (mut prk, hkdf) = extract.finalize();
        prk.as_mut_slice().zeroize();
        Self(hkdf)
    }

    /// A key that is already uniformly random.
    pub(crate) fn from_key(key: &Secret<32>) -> Self {
        Self(Hkdf::from_prk(key.expose()).expect("invariant: 32 bytes are SHA-256's output length"))
    }

    /// Expand: the concatenation of `info`.
    pub(crate) fn expand<const N: usize>(&self, info: &[&[u8]]) -> Secret<N> {
        let mut out = Secret([0; N]);
        self.0.expand_multi_info(info, &mut out.0).expect("invariant: N is far below 255 × 32 bytes");
        out
    }
}

/// ChaCha20-Poly1305 (RFC 8439): `ciphertext ‖ tag`.
pub(crate) fn seal(key: &Secret<32>, nonce: [u8; 12], ad: &[u8], plaintext: &[u8]) -> Vec<u8> {
    ChaCha20Poly1305::new(key.expose().into())
        .encrypt(&nonce.into(), Payload { msg: plaintext, aad: ad })
        .expect("invariant: frames are far below the cipher's limit")
}

/// Opens what [`seal`] made; `None` when it does not authenticate.
pub(crate) fn open(key: &Secret<32>, nonce: [u8; 12], ad: &[u8], ciphertext: &[u8]) -> Option<Vec<u8>> {
    ChaCha20Poly1305::new(key.expose().into())
        .decrypt(&nonce.into(), Payload { msg: ciphertext, aad: ad })
        .ok()
}

/// XChaCha20-Poly1305, whose 24-byte nonce may be random under one key for ever.
pub(crate) fn xseal(key: &Secret<32>, nonce: [u8; 24], ad: &[u8], plaintext: &[u8]) -> Vec<u8> {
    XChaCha20Poly1305::new(key.expose().into())
        .encrypt(&nonce.into(), Payload { msg: plaintext, aad: ad })
        .expect("invariant: tickets are far below the cipher's limit")
}

/// Opens what [`xseal`] made; `None` when it does not authenticate.
pub(crate) fn xopen(key: &Secret<32>, nonce: [u8; 24], ad: &[u8], ciphertext: &[u8]) -> Option<Vec<u8>> {
    XChaCha20Poly1305::new(key.expose().into())
        .decrypt(&nonce.into(), Payload { msg: ciphertext, aad: ad })
        .ok()
}

/// The public key of an X25519 secret (RFC 7748).
pub(crate) fn x25519_public(secret: &Secret<32>) -> [u8; POINT_LEN] {
    PublicKey::from(&StaticSecret::from(*secret.expose())).to_bytes()
}

/// Whether a point is spelt as RFC 7748 writes it, below 2^255 − 19. X25519 would take other spellings of the same points.
pub(crate) fn is_canonical(point: &[u8; POINT_LEN]) -> bool {
    let [lowest, middle @ .., highest] = point;
    *highest < 0x7f || (*highest == 0x7f && (*lowest < 0xed || middle.iter().any(|byte| *byte != 0xff)))
}

/// X25519; `None` when the result is all zero, which only a point of low order gives (RFC 7748, section 6.1).
pub(crate) fn x25519(secret: &Secret<32>, public: &[u8; POINT_LEN]) -> Option<Secret<32>> {
    let shared = StaticSecret::from(*secret.expose()).diffie_hellman(&PublicKey::from(*public));
    shared.was_contributory().then(|| Secret::new(shared.to_bytes()))
}

#[cfg(test)]
#[path = "crypto_tests.rs"]
mod tests;
