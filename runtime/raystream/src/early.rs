//! Early data: calls inside of a HANDSHAKE_INIT of mode 1.
//!
//! ```text
//! early data = nothing, or padded (header 16 ‖ payload)*     type RPC_CALL, flags exactly EARLY, length = payload
//! ```
//!
//! Padded as one, so that the length of a handshake says little about the calls in it.
//!
//! It has no forward secrecy and can be replayed, so whoever runs it must run nothing that has an effect.

use crate::error::{PeerFault, SealError};
use crate::frame::{Flags, FrameType, HEADER_LEN, Header};
use crate::limits::EARLY_LEN_MAX;
use crate::padding::{pad, unpad};
use crate::session::Opened;

/// Early data of calls, each with its sequence number; empty where there are none.
///
/// # Errors
/// [`SealError::PayloadTooLong`] beyond [`EARLY_LEN_MAX`]; send them after the handshake then.
pub fn encode<P: AsRef<[u8]>>(calls: impl IntoIterator<Item = (u32, P)>) -> Result<Vec<u8>, SealError> {
    let mut early = Vec::new();
    for (sequence, payload) in calls {
        let payload = payload.as_ref();
        let length = u32::try_from(payload.len()).map_err(|_| SealError::PayloadTooLong)?;
        let header = Header { ty: FrameType::RpcCall, flags: Flags::EARLY, sequence, length };
        early.extend_from_slice(&header.to_bytes());
        early.extend_from_slice(payload);
    }
    if early.is_empty() {
        return Ok(early);
    }
    let padded = pad(&early);
    if padded.len() > EARLY_LEN_MAX { Err(SealError::PayloadTooLong) } else { Ok(padded) }
}

/// The calls of early data.
pub(crate) fn decode(early: Vec<u8>) -> Result<Vec<Opened>, PeerFault> {
    let mut calls = Vec::new();
    if early.is_empty() {
        return Ok(calls);
    }
    let early = unpad(early).ok_or(PeerFault::Padding)?;
    let mut early = &early[..];
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
    use crate::frame::HEADER_LEN;
    use crate::limits::EARLY_LEN_MAX;
    use crate::padding::{pad, unpad};

    fn two_calls() -> Vec<u8> {
        encode([(1, &b""[..]), (2, b"second")]).expect("short")
    }

    #[test]
    fn calls_come_back_in_order() {
        let calls = decode(two_calls()).expect("well formed");
        let calls: Vec<_> = calls.iter().map(|call| (call.sequence, &call.payload[..])).collect();
        assert_eq!(calls, [(1, &b""[..]), (2, b"second")]);
        assert_eq!(encode::<&[u8]>([]), Ok(vec![]));
        assert_eq!(decode(vec![]), Ok(vec![]));
    }

    #[test]
    fn other_types_and_flags_and_truncations_are_refused() {
        let early = two_calls();
        let calls = unpad(early.clone()).expect("padded");
        for len in (1..calls.len()).filter(|len| *len != 16) {
            assert_eq!(decode(pad(&calls[..len])), Err(PeerFault::Truncated), "{len}");
        }
        assert_eq!(decode(calls), Err(PeerFault::Padding));
        for (offset, byte, fault) in
            [(1, 0x11, PeerFault::UnexpectedType), (2, 0, PeerFault::Flags), (2, 18, PeerFault::Flags)]
        {
            let mut altered = early.clone();
            altered[offset] = byte;
            assert_eq!(decode(altered), Err(fault));
        }
    }

    #[test]
    fn lengths_of_calls_close_to_each_other_look_the_same() {
        let [one, other] = [100, 101].map(|len| encode([(1, vec![7; len])]).expect("short").len());
        assert_eq!((one, other), (120, 120));
    }

    #[test]
    fn early_data_is_limited() {
        let longest = EARLY_LEN_MAX - HEADER_LEN - 1;
        assert_eq!(encode([(0, vec![0; longest])]).map(|early| early.len()), Ok(EARLY_LEN_MAX));
        assert_eq!(encode([(0, vec![0; longest + 1])]), Err(SealError::PayloadTooLong));
    }
}
