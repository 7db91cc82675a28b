//! Identifiers and times: newtypes, so that one is never taken for another.

use crate::entropy::{Entropy, random};
use std::fmt;

/// Seconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct UnixSeconds(pub u64);

impl UnixSeconds {
    /// This time and `secs` seconds.
    #[must_use]
    pub const fn plus(self, secs: u64) -> Self {
        Self(self.0.saturating_add(secs))
    }
}

/// Which build of an application client and server belong to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BuildId(pub [u8; 16]);

/// SHA-256 over the application's endpoint signatures; both ends of a handshake have to agree on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RouteHash(pub [u8; 32]);

/// Names a static key: the first eight bytes of SHA-256 over its public halves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyId(pub [u8; 8]);

/// Names a session: a UUID of version 7 (RFC 9562, section 5.7). It survives resumption.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct SessionId([u8; 16]);

impl SessionId {
    /// A fresh id: the time of creation and 74 random bits.
    pub(crate) fn generate(now: UnixSeconds, entropy: &mut dyn Entropy) -> Self {
        let mut id = random::<16>(entropy);
        let millis = now.0.saturating_mul(1000).to_be_bytes();
        id[..6].copy_from_slice(&millis[2..]);
        id[6] = 0x70 | (id[6] & 0x0f);
        id[8] = 0x80 | (id[8] & 0x3f);
        Self(id)
    }

    /// From the bytes that [`as_bytes`](Self::as_bytes) gave.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The sixteen bytes, in the order of the UUID's text.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// When the session was created, from the UUID's timestamp.
    pub fn created_at(&self) -> UnixSeconds {
        let mut millis = [0; 8];
        millis[2..].copy_from_slice(&self.0[..6]);
        UnixSeconds(u64::from_be_bytes(millis) / 1000)
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, byte) in self.0.iter().enumerate() {
            if matches!(index, 4 | 6 | 8 | 10) {
                f.write_str("-")?;
            }
            write!(f, "{byte:02x}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SessionId({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::{SessionId, UnixSeconds};

    #[test]
    fn a_session_id_is_a_uuid_of_version_7_that_tells_its_creation() {
        let now = UnixSeconds(1_700_000_000);
        let id = SessionId::generate(now, &mut |bytes: &mut [u8]| bytes.fill(0xff));
        assert_eq!(id.to_string(), "018bcfe5-6800-7fff-bfff-ffffffffffff");
        assert_eq!(id.created_at(), now);
    }
}
