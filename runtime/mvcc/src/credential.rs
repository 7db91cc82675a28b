//! Who a transaction is for, and the secret that names it.

use std::fmt;

/// Proof of an owner's identity. The identity part issues it; the database checks it; nothing between can make one.
#[derive(Clone, PartialEq, Eq)]
pub struct Credential {
    /// The owner, such as `anon_5f…`.
    pub owner: String,
    /// When it ends, in seconds since the epoch.
    pub expires_at_s: i64,
    /// HMAC-SHA256 under the identity key of `owner`, a dot and `expires_at_s` in decimal.
    pub mac: [u8; 32],
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credential")
            .field("owner", &self.owner)
            .field("expires_at_s", &self.expires_at_s)
            .finish_non_exhaustive()
    }
}

/// A session id: 16 random bytes, used for one transaction only, known to nobody else. The database keeps a hash.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Sid(pub [u8; 16]);

impl fmt::Debug for Sid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sid(…)")
    }
}

/// The spelling of a UUID, RFC 9562, section 4.
impl fmt::Display for Sid {
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

#[cfg(test)]
mod tests {
    use super::{Credential, Sid};

    #[test]
    fn a_session_id_is_spelt_as_a_uuid() {
        let sid = Sid([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 255]);
        assert_eq!(sid.to_string(), "00010203-0405-0607-0809-0a0b0c0d0eff");
    }

    #[test]
    fn secrets_stay_out_of_debug_output() {
        let credential = Credential { owner: "a".into(), expires_at_s: 1, mac: [0xee; 32] };
        assert!(!format!("{credential:?}").contains("238"));
        assert!(!format!("{:?}", Sid([0xee; 16])).contains("238"));
    }
}
