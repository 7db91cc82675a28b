//! Keys, frames and tickets as `docs/raystream.md` has them, written without the code that is tested.
//!
//! Whoever holds the server's secrets can derive every key from what is on the wire: that is what an observer needs, and a
//! peer that seals faults which authenticate.

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{ChaCha20Poly1305, XChaCha20Poly1305};
use hkdf::Hkdf;
use sha2::{Digest, Sha256};

/// Length of a header, in bytes.
pub const HEADER_LEN: usize = 16;
/// Length of a nonce on the wire, in bytes.
pub const NONCE_LEN: usize = 12;
/// Length of a ticket, in bytes.
pub const TICKET_LEN: usize = 112;
/// Length of a ticket's content, in bytes.
pub const CONTENT_LEN: usize = 72;
/// Frames under one key.
pub const FRAMES_PER_KEY: u64 = 1 << 20;
/// The last epoch whose key is worth its time.
const EPOCHS_MAX: u64 = 4096;

/// SHA-256 over the concatenation of parts.
pub fn sha256(parts: &[&[u8]]) -> [u8; 32] {
    Sha256::digest(parts.concat()).into()
}

/// HKDF-Extract.
pub fn extract(salt: &[u8], secret: &[u8]) -> [u8; 32] {
    Hkdf::<Sha256>::extract(Some(salt), secret).0.into()
}

/// HKDF-Expand.
pub fn expand<const N: usize>(prk: &[u8; 32], info: &[&[u8]]) -> [u8; N] {
    let mut out = [0; N];
    let hkdf = Hkdf::<Sha256>::from_prk(prk).expect("invariant: a prk has the hash's length");
    hkdf.expand(&info.concat(), &mut out).expect("invariant: short outputs only");
    out
}

/// The fields of a header, valid or not.
#[derive(Debug, Clone, Copy)]
pub struct Header {
    /// Protocol version.
    pub version: u8,
    /// Frame type.
    pub ty: u8,
    /// Flags.
    pub flags: u16,
    /// Sequence number.
    pub sequence: u32,
    /// Length field.
    pub length: u32,
    /// Reserved bytes.
    pub reserved: u32,
}

impl Header {
    /// A good header of a frame in the clear.
    pub const fn clear(ty: u8, length: u32) -> Self {
        Self { version: 1, ty, flags: 0, sequence: 0, length, reserved: 0 }
    }

    /// The sixteen bytes on the wire.
    pub fn to_bytes(self) -> [u8; HEADER_LEN] {
        let mut bytes = [0; HEADER_LEN];
        bytes[0] = self.version;
        bytes[1] = self.ty;
        bytes[2..4].copy_from_slice(&self.flags.to_le_bytes());
        bytes[4..8].copy_from_slice(&self.sequence.to_le_bytes());
        bytes[8..12].copy_from_slice(&self.length.to_le_bytes());
        bytes[12..].copy_from_slice(&self.reserved.to_le_bytes());
        bytes
    }
}

/// A clear frame.
pub fn clear(ty: u8, body: &[u8]) -> Vec<u8> {
    [&Header::clear(ty, length_of(body)).to_bytes()[..], body].concat()
}

/// One direction's keys, for every epoch.
#[derive(Debug, Clone)]
pub struct Direction {
    first: [u8; 32],
    /// The secret half of each nonce.
    pub iv: [u8; 12],
}

impl Direction {
    /// `name` is `c2s` or `s2c`.
    pub fn derive(prk: &[u8; 32], name: &str, transcript: &[u8; 32]) -> Self {
        let name = name.as_bytes();
        Self {
            first: expand(prk, &[b"rs1 ", name, b" key", transcript]),
            iv: expand(prk, &[b"rs1 ", name, b" iv", transcript]),
        }
    }

    /// The key of an epoch. Those beyond [`EPOCHS_MAX`], which no peer can reach here, have that epoch's.
    pub fn key(&self, epoch: u64) -> [u8; 32] {
        (1..=epoch.min(EPOCHS_MAX))
            .fold(self.first, |key, epoch| expand(&key, &[b"rs1 rekey", &epoch.to_le_bytes()]))
    }

    /// What the cipher takes as its nonce.
    pub fn nonce(&self, wire: [u8; NONCE_LEN]) -> [u8; NONCE_LEN] {
        std::array::from_fn(|index| wire[index] ^ self.iv[index])
    }

    /// Seals a plaintext, padded or not, under any header and nonce. The header's length is what it says, right or wrong.
    pub fn seal(&self, header: Header, txid: u64, chunk: u32, plaintext: &[u8]) -> Vec<u8> {
        let header = header.to_bytes();
        let mut wire = [0; NONCE_LEN];
        wire[..8].copy_from_slice(&txid.to_le_bytes());
        wire[8..].copy_from_slice(&chunk.to_le_bytes());
        let cipher = ChaCha20Poly1305::new((&self.key(txid / FRAMES_PER_KEY)).into());
        let sealed = cipher
            .encrypt(&self.nonce(wire).into(), Payload { msg: plaintext, aad: &header })
            .expect("invariant: plaintexts are short");
        [&header[..], &wire, &sealed].concat()
    }

    /// The plaintext of a whole sealed frame, and the key it was sealed with; `None` when it is not of this direction.
    pub fn open(&self, frame: &[u8]) -> Option<Unsealed> {
        let (header, rest) = frame.split_at_checked(HEADER_LEN)?;
        let (wire, ciphertext) = rest.split_first_chunk::<NONCE_LEN>()?;
        let (txid, _) = wire.split_first_chunk::<8>()?;
        let key = self.key(u64::from_le_bytes(*txid) / FRAMES_PER_KEY);
        let nonce = self.nonce(*wire);
        let plaintext = ChaCha20Poly1305::new((&key).into())
            .decrypt(&nonce.into(), Payload { msg: ciphertext, aad: header })
            .ok()?;
        Some(Unsealed { key, nonce, plaintext })
    }
}

/// An opened frame, seen by somebody who knows everything.
#[derive(Debug)]
pub struct Unsealed {
    /// The cipher's key.
    pub key: [u8; 32],
    /// The cipher's nonce.
    pub nonce: [u8; 12],
    /// With its padding.
    pub plaintext: Vec<u8>,
}

/// What a ticket is bound to besides its content.
#[derive(Debug, Clone, Copy)]
pub struct TicketBinding {
    /// The ticket key.
    pub stek: [u8; 32],
    /// The suite.
    pub suite: u16,
    /// The endpoints' signatures.
    pub route_hash: [u8; 32],
}

impl TicketBinding {
    /// What is authenticated beside the content.
    pub fn associated_data(&self) -> Vec<u8> {
        [&b"rs1 ticket"[..], &self.suite.to_le_bytes(), &self.route_hash].concat()
    }

    /// Seals any content: `resumption 32 ‖ session id 16 ‖ expiry u64 ‖ build id 16` in a good one.
    pub fn seal(&self, nonce: [u8; 24], content: &[u8]) -> Vec<u8> {
        let sealed = XChaCha20Poly1305::new((&self.stek).into())
            .encrypt(&nonce.into(), Payload { msg: content, aad: &self.associated_data() })
            .expect("invariant: tickets are short");
        [&nonce[..], &sealed].concat()
    }

    /// The content of a ticket.
    pub fn open(&self, ticket: &[u8]) -> Option<Vec<u8>> {
        let (nonce, sealed) = ticket.split_first_chunk::<24>()?;
        XChaCha20Poly1305::new((&self.stek).into())
            .decrypt(&(*nonce).into(), Payload { msg: sealed, aad: &self.associated_data() })
            .ok()
    }
}

/// A resume, from either end.
#[derive(Debug)]
pub struct Resume {
    /// The HANDSHAKE_INIT frame.
    pub init: Vec<u8>,
    /// The client's direction.
    pub c2s: Direction,
    prk: [u8; 32],
    transcript: [u8; 32],
}

impl Resume {
    /// Of a ticket and its secret.
    pub fn start(ticket: &[u8], resumption: &[u8; 32], client_random: &[u8; 32]) -> Self {
        let ticket_len = u16::try_from(ticket.len()).expect("invariant: tickets are short");
        let init = clear(1, &[&[3][..], &ticket_len.to_le_bytes(), ticket, client_random].concat());
        Self::of(init, resumption, client_random)
    }

    /// Of a frame seen on the wire.
    pub fn of(init: Vec<u8>, resumption: &[u8; 32], client_random: &[u8; 32]) -> Self {
        let prk = extract(client_random, resumption);
        let transcript = sha256(&[&init]);
        Self { c2s: Direction::derive(&prk, "c2s", &transcript), init, prk, transcript }
    }

    /// The server's direction, which its random bytes decide.
    pub fn s2c(&self, server_random: &[u8; 32]) -> Direction {
        Direction::derive(&self.prk, "s2c", &sha256(&[&self.transcript, server_random]))
    }
}

fn length_of(body: &[u8]) -> u32 {
    u32::try_from(body.len()).expect("invariant: frames are short")
}
