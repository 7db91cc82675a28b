//! Early data: calls inside of a HANDSHAKE_INIT of mode 1.
//!
//! ```text
//! early data = (header 16 ‖ payload)*     type RPC_CALL, flags exactly EARLY, length = payload
//! ```
//!
//! It has no forward secrecy and can be replayed, so whoever runs it must run nothing that has an effect.

use crate::error::{PeerFault, SealError};
use crate::frame::{Flags, FrameType, HEADER_LEN, Header};
use crate::limits::EARLY_LEN_MAX;
use crate::session::Opened;

/// Appends one call to early data.
///
/// # Errors
/// [`SealError::PayloadTooLong`] beyond [`EARLY_LEN_MAX`]; send it after the handshake then.
pub fn encode(early: &mut Vec<u8>, sequence: u32, payload: &[u8]) -> Result<(), SealError> {
    if early.len() + HEADER_LEN + payload.len() > EARLY_LEN_MAX {
        return Err(SealError::PayloadTooLong);
    }
    let length = u32::try_from(payload.len()).map_err(|_| SealError::PayloadTooLong)?;
    let header = Header { ty: FrameType::RpcCall, flags: Flags::EARLY, sequence, length };
    early.extend_from_slice(&header.to_bytes());
    early.extend_from_slice(payload);
    Ok(())
}

/// The calls of early data.
pub(crate) fn decode(mut early: &[u8]) -> Result<Vec<Opened>, PeerFault> {
    let mut calls = Vec::new();
    while !early.is_empty() {
        let header = Header::parse_early(early)?;
        if header.ty != FrameType::RpcCall {
            return Err(PeerFault::UnexpectedType);
        }
        if header.flags != Flags::EARLY {
            return Err(PeerFault::Flags);
        }
        let body = &early[HEADER_LEN..];
        let (payload, rest) = body.split_at_checked(header.length as usize).ok_or(PeerFault::Truncated)?;
        calls.push(Opened {
            ty: header.ty,
            flags: header.flags,
            sequence: header.sequence,
            payload: payload.to_vec(),
        });
        early = rest;
    }
    Ok(calls)
}

#[cfg(test)]
mod tests {
    use super::{decode, encode};
    use crate::error::{PeerFault, SealError};
    use crate::limits::EARLY_LEN_MAX;

    fn two_calls() -> Vec<u8> {
        let mut early = Vec::new();
        encode(&mut early, 1, b"").expect("short");
        encode(&mut early, 2, b"second").expect("short");
        early
    }

    #[test]
    fn calls_come_back_in_order() {
        let calls = decode(&two_calls()).expect("well formed");
        let calls: Vec<_> = calls.iter().map(|call| (call.sequence, &call.payload[..])).collect();
        assert_eq!(calls, [(1, &b""[..]), (2, b"second")]);
        assert_eq!(decode(b""), Ok(vec![]));
    }

    #[test]
    fn other_types_and_flags_and_truncations_are_refused() {
        let early = two_calls();
        for len in (1..early.len()).filter(|len| *len != 16) {
            assert_eq!(decode(&early[..len]), Err(PeerFault::Truncated), "{len}");
        }
        for (offset, byte, fault) in
            [(1, 0x11, PeerFault::UnexpectedType), (2, 0, PeerFault::Flags), (2, 18, PeerFault::Flags)]
        {
            let mut altered = early.clone();
            altered[offset] = byte;
            assert_eq!(decode(&altered), Err(fault));
        }
    }

    #[test]
    fn early_data_is_limited() {
        assert_eq!(encode(&mut Vec::new(), 0, &vec![0; EARLY_LEN_MAX]), Err(SealError::PayloadTooLong));
    }
}
