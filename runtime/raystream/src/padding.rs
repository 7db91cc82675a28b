//! Padding: lengths of plaintexts say little about lengths of payloads.
//!
//! ```text
//! payload  →  payload ‖ 0x80 ‖ 0x00 …      to the Padmé length of payload + 1
//! ```
//!
//! The marker is ISO/IEC 7816-4's: the payload ends before the last byte that is not zero, and that byte is 0x80. Padmé
//! (Nikitin et al., "Reducing Metadata Leakage from Encrypted Files and Communication with PURBs", 2019) keeps the
//! overhead below 12 % and leaks O(log log length) bits.

use crate::limits::PLAINTEXT_LEN_MAX;

const MARKER: u8 = 0x80;

/// The payload with its marker and zeros.
pub(crate) fn pad(payload: &[u8]) -> Vec<u8> {
    let padded_len = padme(payload.len() + 1).min(PLAINTEXT_LEN_MAX);
    let mut plaintext = Vec::with_capacity(padded_len);
    plaintext.extend_from_slice(payload);
    plaintext.push(MARKER);
    plaintext.resize(padded_len, 0);
    plaintext
}

/// Cuts the padding off; `None` when there is no marker.
pub(crate) fn unpad(mut plaintext: Vec<u8>) -> Option<Vec<u8>> {
    let marker = plaintext.iter().rposition(|byte| *byte != 0)?;
    if plaintext[marker] != MARKER {
        return None;
    }
    plaintext.truncate(marker);
    Some(plaintext)
}

/// The least length that Padmé allows for `len` bytes.
fn padme(len: usize) -> usize {
    if len < 2 {
        return len;
    }
    let exponent = len.ilog2();
    let mantissa_bits = exponent.checked_ilog2().unwrap_or(0) + 1;
    let mask = (1_usize << exponent.saturating_sub(mantissa_bits)) - 1;
    (len + mask) & !mask
}

#[cfg(test)]
mod tests {
    use super::{pad, padme, unpad};
    use crate::limits::{PAYLOAD_LEN_MAX, PLAINTEXT_LEN_MAX};

    #[test]
    fn padme_gives_the_published_lengths() {
        let lengths =
            [(0, 0), (1, 1), (2, 2), (9, 10), (100, 104), (1000, 1024), (10_000, 10_240), (1 << 20, 1 << 20)];
        for (len, expected) in lengths {
            assert_eq!(padme(len), expected, "{len}");
        }
    }

    #[test]
    fn padding_costs_at_most_12_percent_and_a_byte() {
        for len in 0..20_000 {
            let padded = pad(&vec![7; len]).len();
            assert!(padded > len && (padded - 1) * 100 <= (len + 1) * 112, "{len} → {padded}");
        }
    }

    #[test]
    fn every_payload_comes_back() {
        for payload in [&b""[..], b"a", b"\x80", b"\x80\0\0", b"\0\0\0", b"ends in marker\x80"] {
            assert_eq!(unpad(pad(payload)).as_deref(), Some(payload));
        }
        assert_eq!(pad(&vec![0; PAYLOAD_LEN_MAX]).len(), PLAINTEXT_LEN_MAX);
    }

    #[test]
    fn a_plaintext_without_marker_is_refused() {
        for plaintext in [&b""[..], b"\0\0", b"a", b"\x80a\0"] {
            assert_eq!(unpad(plaintext.to_vec()), None);
        }
    }
}
