//! Noise NK and NKpsk0 (Noise Protocol Framework, revision 34), both roles, as a fixed pattern.
//!
//! ```text
//! NK:  <- s   …   -> [psk,] e, es   <- e, ee
//! ```
//!
//! Every MixKey resets the cipher's nonce and every message encrypts only its payload, so the nonce is always zero.
//! States are consumed by value: no message can be read or written twice.

use crate::crypto::{
    POINT_LEN, Prk, Secret, TAG_LEN, is_canonical, open, seal, sha256, x25519, x25519_public,
};
use crate::suite::Suite;

/// Bytes that a handshake message adds to its payload.
pub(crate) const MESSAGE_OVERHEAD: usize = POINT_LEN + TAG_LEN;

/// What both ends fix before the first message.
pub(crate) struct Setup<'a> {
    pub(crate) suite: Suite,
    pub(crate) prologue: &'a [u8],
    /// Present exactly in suites with a KEM.
    pub(crate) psk: Option<&'a Secret<32>>,
}

/// Why a handshake message is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoiseFault {
    Truncated,
    /// Of low order, or not spelt canonically.
    Point,
    Authentication,
}

/// The initiator between message 1 and message 2.
pub(crate) struct AwaitingResponse {
    symmetric: Symmetric,
    ephemeral: Secret<32>,
}

/// The responder between message 1 and message 2.
pub(crate) struct Responding {
    symmetric: Symmetric,
    remote_ephemeral: [u8; POINT_LEN],
}

/// The result of a handshake: two keys and the hash of everything said.
pub(crate) struct Split {
    pub(crate) k1: Secret<32>,
    pub(crate) k2: Secret<32>,
    pub(crate) hash: [u8; 32],
}

/// Initiator: writes message 1.
pub(crate) fn initiate(
    setup: &Setup<'_>,
    remote_static: &[u8; POINT_LEN],
    ephemeral: Secret<32>,
    payload: &[u8],
) -> Result<(AwaitingResponse, Vec<u8>), NoiseFault> {
    let mut symmetric = Symmetric::new(setup, remote_static);
    let public = x25519_public(&ephemeral);
    symmetric.mix_ephemeral(setup, &public);
    symmetric.mix_key(&x25519(&ephemeral, remote_static).ok_or(NoiseFault::Point)?);
    let ciphertext = symmetric.encrypt_and_hash(payload);
    Ok((AwaitingResponse { symmetric, ephemeral }, [&public[..], &ciphertext].concat()))
}

/// Responder: reads message 1 and returns its payload.
pub(crate) fn accept(
    setup: &Setup<'_>,
    local_static: (&Secret<32>, &[u8; POINT_LEN]),
    message: &[u8],
) -> Result<(Responding, Vec<u8>), NoiseFault> {
    let (secret, public) = local_static;
    let mut symmetric = Symmetric::new(setup, public);
    let (remote_ephemeral, ciphertext) = split_message(message)?;
    symmetric.mix_ephemeral(setup, &remote_ephemeral);
    symmetric.mix_key(&x25519(secret, &remote_ephemeral).ok_or(NoiseFault::Point)?);
    let payload = symmetric.decrypt_and_hash(ciphertext)?;
    Ok((Responding { symmetric, remote_ephemeral }, payload))
}

impl Responding {
    /// Writes message 2 and ends the handshake.
    pub(crate) fn respond(
        self,
        ephemeral: &Secret<32>,
        payload: &[u8],
    ) -> Result<(Vec<u8>, Split), NoiseFault> {
        let Self { mut symmetric, remote_ephemeral } = self;
        let public = x25519_public(ephemeral);
        symmetric.mix_second_ephemeral(&public);
        symmetric.mix_key(&x25519(ephemeral, &remote_ephemeral).ok_or(NoiseFault::Point)?);
        let ciphertext = symmetric.encrypt_and_hash(payload);
        Ok(([&public[..], &ciphertext].concat(), symmetric.split()))
    }
}

impl AwaitingResponse {
    /// Reads message 2, returns its payload and ends the handshake.
    pub(crate) fn finish(self, message: &[u8]) -> Result<(Vec<u8>, Split), NoiseFault> {
        let Self { mut symmetric, ephemeral } = self;
        let (remote_ephemeral, ciphertext) = split_message(message)?;
        symmetric.mix_second_ephemeral(&remote_ephemeral);
        symmetric.mix_key(&x25519(&ephemeral, &remote_ephemeral).ok_or(NoiseFault::Point)?);
        let payload = symmetric.decrypt_and_hash(ciphertext)?;
        Ok((payload, symmetric.split()))
    }
}

fn split_message(message: &[u8]) -> Result<([u8; POINT_LEN], &[u8]), NoiseFault> {
    let (point, ciphertext) = message.split_first_chunk().ok_or(NoiseFault::Truncated)?;
    if ciphertext.len() < TAG_LEN {
        return Err(NoiseFault::Truncated);
    }
    if !is_canonical(point) {
        return Err(NoiseFault::Point);
    }
    Ok((*point, ciphertext))
}

/// The SymmetricState of the specification, section 5.2.
struct Symmetric {
    chaining_key: Secret<32>,
    hash: [u8; 32],
    key: Secret<32>,
    has_psk: bool,
}

impl Symmetric {
    fn new(setup: &Setup<'_>, responder_static: &[u8; POINT_LEN]) -> Self {
        let name = setup.suite.noise_name().as_bytes();
        let hash = <[u8; 32]>::try_from(name).unwrap_or_else(|_| sha256(&[name]));
        let mut symmetric = Self {
            chaining_key: Secret::new(hash),
            hash,
            key: Secret::new([0; 32]),
            has_psk: setup.psk.is_some(),
        };
        symmetric.mix_hash(setup.prologue);
        symmetric.mix_hash(responder_static);
        symmetric
    }

    /// The tokens `psk` (if the pattern has it) and `e` of message 1.
    fn mix_ephemeral(&mut self, setup: &Setup<'_>, public: &[u8; POINT_LEN]) {
        if let Some(psk) = setup.psk {
            self.mix_key_and_hash(psk);
        }
        self.mix_second_ephemeral(public);
    }

    /// The token `e`; in patterns with a psk it also mixes the key (section 9.2).
    fn mix_second_ephemeral(&mut self, public: &[u8; POINT_LEN]) {
        self.mix_hash(public);
        if self.has_psk {
            self.mix_key(&Secret::new(*public));
        }
    }

    fn mix_hash(&mut self, data: &[u8]) {
        self.hash = sha256(&[&self.hash, data]);
    }

    fn mix_key(&mut self, input: &Secret<32>) {
        let [chaining_key, key] = self.hkdf::<2, 64>(input.expose());
        self.chaining_key = chaining_key;
        self.key = key;
    }

    fn mix_key_and_hash(&mut self, input: &Secret<32>) {
        let [chaining_key, hash_input, key] = self.hkdf::<3, 96>(input.expose());
        self.chaining_key = chaining_key;
        self.mix_hash(hash_input.expose());
        self.key = key;
    }

    fn encrypt_and_hash(&mut self, plaintext: &[u8]) -> Vec<u8> {
        let ciphertext = seal(&self.key, [0; 12], &self.hash, plaintext);
        self.mix_hash(&ciphertext);
        ciphertext
    }

    fn decrypt_and_hash(&mut self, ciphertext: &[u8]) -> Result<Vec<u8>, NoiseFault> {
        let plaintext = open(&self.key, [0; 12], &self.hash, ciphertext).ok_or(NoiseFault::Authentication)?;
        self.mix_hash(ciphertext);
        Ok(plaintext)
    }

    fn split(self) -> Split {
        let [k1, k2] = self.hkdf::<2, 64>(&[]);
        Split { k1, k2, hash: self.hash }
    }

    /// Noise's HKDF, which is RFC 5869's with an empty info. `BYTES` is 32 × `OUTPUTS`.
    fn hkdf<const OUTPUTS: usize, const BYTES: usize>(&self, input: &[u8]) -> [Secret<32>; OUTPUTS] {
        let bytes: Secret<BYTES> = Prk::extract(self.chaining_key.expose(), &[input]).expand(&[]);
        std::array::from_fn(|index| {
            let mut output = [0; 32];
            output.copy_from_slice(&bytes.expose()[index * 32..(index + 1) * 32]);
            Secret::new(output)
        })
    }
}

#[cfg(test)]
#[path = "noise_tests.rs"]
mod tests;
