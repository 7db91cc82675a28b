//! The key schedule: from a handshake or a ticket to the keys of the two directions.
//!
//! ```text
//! prk        = Extract(h, k1 ‖ k2)                           after a full handshake
//! prk        = Extract(client_random, resumption)            after a resume
//! key, iv    = Expand(prk, "rs1 c2s key" ‖ th), Expand(prk, "rs1 c2s iv" ‖ th)       likewise s2c
//! resumption = Expand(prk, "rs1 resumption" ‖ th)
//! ```

use crate::crypto::{Prk, Secret, open, seal, sha256};
use crate::error::PeerFault;
use crate::frame::{Flags, Header, NONCE_LEN, SealedFrame};
use crate::limits::FRAMES_PER_KEY;
use crate::noise::Split;

/// One direction of a session: its key and the next transaction id.
///
/// The key's epoch is `txid / FRAMES_PER_KEY`: whoever seals moves to the next key by moving to the next multiple.
pub(crate) struct Direction {
    key: Secret<32>,
    iv: Secret<12>,
    next_txid: u64,
}

/// Both directions of a session that a full handshake established.
pub(crate) struct Established {
    pub(crate) c2s: Direction,
    pub(crate) s2c: Direction,
    pub(crate) resumption: Secret<32>,
}

/// A resume before the server's random bytes are known: only the client's direction exists.
pub(crate) struct Resuming {
    prk: Prk,
    transcript: [u8; 32],
}

/// The rest of a resume.
pub(crate) struct Resumed {
    pub(crate) s2c: Direction,
    prk: Prk,
    transcript: [u8; 32],
}

impl Resumed {
    /// For the next ticket, if the server gives one: a new secret, so that a later ticket key opens no earlier traffic.
    pub(crate) fn resumption(&self) -> Secret<32> {
        self.prk.expand(&[b"rs1 resumption", &self.transcript])
    }
}

impl Established {
    pub(crate) fn derive(split: &Split) -> Self {
        let prk = Prk::extract(&split.hash, &[split.k1.expose(), split.k2.expose()]);
        Self {
            c2s: Direction::derive(&prk, "c2s", &split.hash),
            s2c: Direction::derive(&prk, "s2c", &split.hash),
            resumption: prk.expand(&[b"rs1 resumption", &split.hash]),
        }
    }
}

impl Resuming {
    /// The state and the client's direction. `init` is the whole HANDSHAKE_INIT frame.
    pub(crate) fn derive(
        resumption: &Secret<32>,
        client_random: &[u8; 32],
        init: &[u8],
    ) -> (Self, Direction) {
        let prk = Prk::extract(client_random, &[resumption.expose()]);
        let transcript = sha256(&[init]);
        let c2s = Direction::derive(&prk, "c2s", &transcript);
        (Self { prk, transcript }, c2s)
    }

    /// The server's direction. Fresh server randomness is essential: a replayed request must never make the server
    /// seal two plaintexts under one key and nonce.
    pub(crate) fn finish(self, server_random: &[u8; 32]) -> Resumed {
        let transcript = sha256(&[&self.transcript, server_random]);
        Resumed { s2c: Direction::derive(&self.prk, "s2c", &transcript), prk: self.prk, transcript }
    }
}

impl Direction {
    fn derive(prk: &Prk, name: &str, transcript: &[u8; 32]) -> Self {
        let key = prk.expand(&[b"rs1 ", name.as_bytes(), b" key", transcript]);
        let iv = prk.expand(&[b"rs1 ", name.as_bytes(), b" iv", transcript]);
        Self { key, iv, next_txid: 0 }
    }

    /// Seals one frame; `None` when every transaction id is used up. The header's length and KEY_PHASE are filled in.
    pub(crate) fn seal(&mut self, mut header: Header, plaintext: &[u8]) -> Option<Vec<u8>> {
        let txid = self.next_txid;
        let next_txid = txid.checked_add(1)?;
        header.flags = header.flags.with(Flags::KEY_PHASE, epoch(txid) & 1 == 1);
        header.length = SealedFrame::length_of(plaintext.len());
        let header = header.to_bytes();
        let nonce = wire_nonce(txid);
        let ciphertext = seal(&self.key, self.aead_nonce(nonce), &header, plaintext);
        self.advance_to(next_txid);
        Some([&header[..], &nonce, &ciphertext].concat())
    }

    /// Opens one frame and moves on; its transaction id has to be at least the next one, and of this key or the next.
    pub(crate) fn open(&mut self, frame: &SealedFrame<'_>) -> Result<Vec<u8>, PeerFault> {
        let txid = txid_of(frame.nonce)?;
        if txid < self.next_txid || epoch(txid) - epoch(self.next_txid) > 1 {
            return Err(PeerFault::Txid);
        }
        if frame.header.flags.contains(Flags::KEY_PHASE) != (epoch(txid) & 1 == 1) {
            return Err(PeerFault::Flags);
        }
        let next_txid = txid.checked_add(1).ok_or(PeerFault::Txid)?;
        self.advance_to(txid);
        let plaintext =
            open(&self.key, self.aead_nonce(frame.nonce), frame.associated_data, frame.ciphertext)
                .ok_or(PeerFault::Authentication)?;
        self.advance_to(next_txid);
        Ok(plaintext)
    }

    /// Uses the next key from the next frame on; `None` when there is none. Nothing changes where nothing was sealed under this one:
    /// a receiver follows one key ahead.
    pub(crate) fn rekey(&mut self) -> Option<()> {
        if self.next_txid > 0 && self.next_txid.is_multiple_of(FRAMES_PER_KEY) {
            return Some(());
        }
        let txid = (epoch(self.next_txid) + 1).checked_mul(FRAMES_PER_KEY)?;
        self.advance_to(txid);
        Some(())
    }

    /// Moves to a transaction id of this epoch or the next.
    fn advance_to(&mut self, txid: u64) {
        if epoch(txid) > epoch(self.next_txid) {
            self.key = Prk::from_key(&self.key).expand(&[b"rs1 rekey", &epoch(txid).to_le_bytes()]);
        }
        self.next_txid = txid;
    }

    fn aead_nonce(&self, wire: [u8; NONCE_LEN]) -> [u8; NONCE_LEN] {
        std::array::from_fn(|index| wire[index] ^ self.iv.expose()[index])
    }
}

const fn epoch(txid: u64) -> u64 {
    txid / FRAMES_PER_KEY
}

/// `txid u64 ‖ chunk u32`; the chunk counter is for streams within one transaction and is zero in this version.
fn wire_nonce(txid: u64) -> [u8; NONCE_LEN] {
    let mut nonce = [0; NONCE_LEN];
    nonce[..8].copy_from_slice(&txid.to_le_bytes());
    nonce
}

fn txid_of(nonce: [u8; NONCE_LEN]) -> Result<u64, PeerFault> {
    let [a, b, c, d, e, f, g, h, 0, 0, 0, 0] = nonce else {
        return Err(PeerFault::Txid);
    };
    Ok(u64::from_le_bytes([a, b, c, d, e, f, g, h]))
}

#[cfg(test)]
#[path = "schedule_tests.rs"]
mod tests;
