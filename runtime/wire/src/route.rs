//! Route ids: which endpoint a call is for.

use sha2::{Digest, Sha256};
use std::fmt;

/// The wire name of an endpoint: the first four bytes of SHA-256 over `kontract route ‖ 0 ‖ name`, little-endian.
///
/// Two endpoints of a project with one id are a compile error (KT0113), so a route id is never ambiguous.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RouteId(u32);

impl RouteId {
    /// The id of an endpoint's name.
    pub fn of(name: &str) -> Self {
        let digest = Sha256::new().chain_update(b"kontract route\0").chain_update(name.as_bytes()).finalize();
        Self(u32::from_le_bytes([digest[0], digest[1], digest[2], digest[3]]))
    }

    /// From the number on the wire.
    pub const fn from_u32(id: u32) -> Self {
        Self(id)
    }

    /// The number on the wire.
    pub const fn as_u32(self) -> u32 {
        self.0
    }
}

impl fmt::Display for RouteId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}", self.0)
    }
}
