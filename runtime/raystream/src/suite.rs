//! Suites: which Noise pattern and which key encapsulation a build uses. Fixed by the build, never negotiated.

/// A suite of cryptographic functions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Suite {
    /// `0x0001`: Noise NK with X25519, ChaCha20-Poly1305 and SHA-256.
    Base,
    /// `0x0002`: the same with an ML-KEM-768 shared secret as pre-shared key (`NKpsk0`); the default.
    Hybrid,
}

impl Suite {
    /// From the number of the build's configuration.
    pub const fn from_u16(id: u16) -> Option<Self> {
        match id {
            1 => Some(Self::Base),
            2 => Some(Self::Hybrid),
            _ => None,
        }
    }

    /// The number on the wire.
    pub const fn as_u16(self) -> u16 {
        match self {
            Self::Base => 1,
            Self::Hybrid => 2,
        }
    }

    /// The Noise protocol name, whose hash starts the handshake.
    pub(crate) const fn noise_name(self) -> &'static str {
        match self {
            Self::Base => "Noise_NK_25519_ChaChaPoly_SHA256",
            Self::Hybrid => "Noise_NKpsk0_25519_ChaChaPoly_SHA256",
        }
    }

    /// Length of the KEM ciphertext in a HANDSHAKE_INIT, in bytes.
    pub(crate) const fn kem_ct_len(self) -> usize {
        match self {
            Self::Base => 0,
            Self::Hybrid => crate::kem::CIPHERTEXT_LEN,
        }
    }
}
