//! Whoever knows every secret and sees every frame at the moment it is sealed: which key and nonce was it sealed with?
//!
//! The keys come out of the page's key schedule and not out of the code that is tested, so that a frame sealed with any other
//! key is found as well.

use crate::forge::{Direction, Resume, TICKET_LEN, TicketBinding, expand, extract, sha256};
use chacha20poly1305::ChaCha20Poly1305;
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use ml_kem::ml_kem_768::DecapsulationKey;
use std::collections::HashMap;
use x25519_dalek::{PublicKey, StaticSecret};

/// Offset of the body in a frame in the clear.
const BODY_AT: usize = 16;
const INIT_TICKET_AT: usize = BODY_AT + 3;

/// A fault of the protocol, in words.
pub(crate) type Violation = String;

/// Both directions of a session.
#[derive(Debug, Clone)]
pub(crate) struct Keys {
    /// From the client.
    pub(crate) c2s: Direction,
    /// From the server.
    pub(crate) s2c: Direction,
}

/// What is pinned, and the secrets behind it.
pub(crate) struct Observer {
    suite: u16,
    build_id: [u8; 16],
    route_hash: [u8; 32],
    x25519: StaticSecret,
    ml_kem: DecapsulationKey,
    key_id: [u8; 8],
    steks: Vec<[u8; 32]>,
    sealed: HashMap<([u8; 32], [u8; 12]), [u8; 32]>,
    ticket_nonces: HashMap<([u8; 32], [u8; 24]), [u8; 32]>,
}

impl Observer {
    /// Of a server's seed.
    pub(crate) fn new(suite: u16, build_id: [u8; 16], route_hash: [u8; 32], seed: [u8; 32]) -> Self {
        let prk = extract(b"rs1 static", &seed);
        let x25519 = StaticSecret::from(expand::<32>(&prk, &[b"rs1 static x25519"]));
        let ml_kem = DecapsulationKey::from_seed(expand::<64>(&prk, &[b"rs1 static ml-kem-768"]).into());
        let public = PublicKey::from(&x25519).to_bytes();
        let kem_public: [u8; 1184] = ml_kem::kem::KeyExport::to_bytes(ml_kem.encapsulation_key()).into();
        let mut key_id = [0; 8];
        key_id.copy_from_slice(&sha256(&[&public, &kem_public])[..8]);
        Self {
            suite,
            build_id,
            route_hash,
            x25519,
            ml_kem,
            key_id,
            steks: Vec::new(),
            sealed: HashMap::new(),
            ticket_nonces: HashMap::new(),
        }
    }

    /// A ticket key that the server has from now on.
    pub(crate) fn add_stek(&mut self, stek: [u8; 32]) {
        self.steks.push(stek);
    }

    /// The resume that a HANDSHAKE_INIT frame begins, and the expiry that its ticket says.
    pub(crate) fn resume(&self, init: &[u8]) -> Option<(Resume, u64)> {
        let ticket = init.get(INIT_TICKET_AT..INIT_TICKET_AT + TICKET_LEN)?;
        let client_random = init.get(INIT_TICKET_AT + TICKET_LEN..)?.try_into().ok()?;
        let content = self.steks.iter().find_map(|stek| self.binding(*stek).open(ticket))?;
        let resumption = content.first_chunk::<32>()?;
        let expires_at = u64::from_le_bytes(content[48..56].try_into().ok()?);
        Some((Resume::of(init.to_vec(), resumption, &client_random), expires_at))
    }

    /// The keys of an accepted handshake. `draws` is what the server took of its randomness for it.
    pub(crate) fn accepted(
        &mut self,
        init: &[u8],
        response: &[u8],
        draws: &[Vec<u8>],
    ) -> Result<Keys, Violation> {
        let clear_len = BODY_AT + usize::from(u16::from_le_bytes([response[8], response[9]]));
        let (clear, ticket) = response.split_at(clear_len);
        let keys = match init.get(BODY_AT) {
            Some(3) => {
                let (resume, _) = self.resume(init).ok_or("a ticket was taken that no key opens")?;
                let server_random =
                    clear[BODY_AT..].try_into().map_err(|_| "a response of another length")?;
                Keys { s2c: resume.s2c(&server_random), c2s: resume.c2s }
            }
            _ => self.full(init, clear, draws)?,
        };
        if !ticket.is_empty() {
            let plaintext = self.sealed(&keys.s2c, ticket)?;
            self.ticket(&plaintext[8..])?;
        }
        Ok(keys)
    }

    /// A frame at the moment it is sealed: its plaintext. A key and a nonce seal one frame only.
    pub(crate) fn sealed(&mut self, direction: &Direction, frame: &[u8]) -> Result<Vec<u8>, Violation> {
        let unsealed = direction.open(frame).ok_or("a frame was sealed otherwise than the page says")?;
        let hash = sha256(&[frame]);
        match self.sealed.insert((unsealed.key, unsealed.nonce), hash) {
            Some(other) if other != hash => Err("two frames were sealed with one key and nonce".to_owned()),
            Some(_) | None => Ok(unsealed.plaintext),
        }
    }

    fn ticket(&mut self, ticket: &[u8]) -> Result<(), Violation> {
        let stek = self.steks.iter().rev().find(|stek| self.binding(**stek).open(ticket).is_some());
        let stek = *stek.ok_or("a ticket was sealed with no ticket key")?;
        let nonce = *ticket.first_chunk::<24>().ok_or("a short ticket")?;
        match self.ticket_nonces.insert((stek, nonce), sha256(&[ticket])) {
            Some(_) => Err("two tickets were sealed with one key and nonce".to_owned()),
            None => Ok(()),
        }
    }

    const fn binding(&self, stek: [u8; 32]) -> TicketBinding {
        TicketBinding { stek, suite: self.suite, route_hash: self.route_hash }
    }

    /// Noise NK or NKpsk0 as the responder, whose ephemeral secret is among the draws.
    fn full(&self, init: &[u8], clear: &[u8], draws: &[Vec<u8>]) -> Result<Keys, Violation> {
        let ephemeral = draws.iter().find_map(|draw| <[u8; 32]>::try_from(&draw[..]).ok());
        let ephemeral = StaticSecret::from(ephemeral.ok_or("the server took no secret")?);
        let kem_len = usize::from(u16::from_le_bytes([init[BODY_AT + 27], init[BODY_AT + 28]]));
        let (kem_ct, message) = init[BODY_AT + 29..].split_at(kem_len);
        let suite = self.suite.to_le_bytes();
        let prologue = [
            &b"raystream/1\0"[..],
            &suite,
            &self.build_id,
            &self.route_hash,
            &self.key_id,
            &sha256(&[kem_ct]),
        ]
        .concat();
        let mut noise = Noise::new(kem_len > 0, &prologue, &PublicKey::from(&self.x25519).to_bytes());
        if kem_len > 0 {
            let shared = ml_kem::kem::Decapsulate::decapsulate_slice(&self.ml_kem, kem_ct)
                .map_err(|_| "a ciphertext of another length")?;
            let shared: [u8; 32] = shared.into();
            noise.mix_psk(&expand(&extract(&sha256(&[kem_ct]), &shared), &[b"rs1 pq-psk"]));
        }
        let (remote, first) = message.split_first_chunk::<32>().ok_or("a short message")?;
        noise.mix_ephemeral(remote);
        noise.mix_key(self.x25519.diffie_hellman(&PublicKey::from(*remote)).as_bytes());
        noise.open(first)?;
        let (own, second) = clear[BODY_AT..].split_first_chunk::<32>().ok_or("a short response")?;
        noise.mix_ephemeral(own);
        noise.mix_key(ephemeral.diffie_hellman(&PublicKey::from(*remote)).as_bytes());
        noise.open(second)?;
        let keys: [u8; 64] = expand(&extract(&noise.chaining_key, &[]), &[]);
        let prk = extract(&noise.hash, &keys);
        Ok(Keys {
            c2s: Direction::derive(&prk, "c2s", &noise.hash),
            s2c: Direction::derive(&prk, "s2c", &noise.hash),
        })
    }
}

/// The SymmetricState of the Noise specification.
struct Noise {
    chaining_key: [u8; 32],
    hash: [u8; 32],
    key: [u8; 32],
    has_psk: bool,
}

impl Noise {
    fn new(has_psk: bool, prologue: &[u8], remote_static: &[u8; 32]) -> Self {
        let name: &[u8] = match has_psk {
            true => b"Noise_NKpsk0_25519_ChaChaPoly_SHA256",
            false => b"Noise_NK_25519_ChaChaPoly_SHA256",
        };
        let hash = <[u8; 32]>::try_from(name).unwrap_or_else(|_| sha256(&[name]));
        let mut noise = Self { chaining_key: hash, hash, key: [0; 32], has_psk };
        noise.mix_hash(prologue);
        noise.mix_hash(remote_static);
        noise
    }

    fn mix_hash(&mut self, data: &[u8]) {
        self.hash = sha256(&[&self.hash, data]);
    }

    fn mix_key(&mut self, secret: &[u8; 32]) {
        let keys: [u8; 64] = expand(&extract(&self.chaining_key, secret), &[]);
        self.chaining_key.copy_from_slice(&keys[..32]);
        self.key.copy_from_slice(&keys[32..]);
    }

    fn mix_psk(&mut self, psk: &[u8; 32]) {
        let keys: [u8; 96] = expand(&extract(&self.chaining_key, psk), &[]);
        self.chaining_key.copy_from_slice(&keys[..32]);
        self.mix_hash(&keys[32..64]);
        self.key.copy_from_slice(&keys[64..]);
    }

    fn mix_ephemeral(&mut self, public: &[u8; 32]) {
        self.mix_hash(public);
        if self.has_psk {
            self.mix_key(public);
        }
    }

    fn open(&mut self, ciphertext: &[u8]) -> Result<(), Violation> {
        ChaCha20Poly1305::new((&self.key).into())
            .decrypt(&[0; 12].into(), Payload { msg: ciphertext, aad: &self.hash })
            .map_err(|_| "a handshake was sealed otherwise than the page says")?;
        self.mix_hash(ciphertext);
        Ok(())
    }
}
