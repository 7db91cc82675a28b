//! The envelope of a call: what an RPC_CALL frame carries.
//!
//! ```text
//! route u32 | token length u16 | token | idempotency key 16 | arguments (FlatBuffers)      integers little-endian
//! ```
//!
//! The idempotency key is random for a mutation and all zero for an endpoint that only reads.

use crate::limits::TOKEN_LEN_MAX;
use crate::route::RouteId;

/// Identifies one attempt-independent execution of a mutation; a retry carries the same one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IdempotencyKey(pub [u8; 16]);

/// A decoded envelope, borrowing from the frame's payload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call<'a> {
    /// The endpoint.
    pub route: RouteId,
    /// Access token; empty for a call without one.
    pub token: &'a str,
    /// `None` where the caller sent zeros.
    pub idempotency_key: Option<IdempotencyKey>,
    /// The arguments as a FlatBuffer.
    pub arguments: &'a [u8],
}

/// Why a payload is not a call. All are the peer's fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// Fewer bytes than the fixed fields need.
    #[error("call envelope is truncated")]
    Truncated,
    /// A token longer than [`TOKEN_LEN_MAX`].
    #[error("access token is longer than {TOKEN_LEN_MAX} bytes")]
    TokenTooLong,
    /// A token that is not UTF-8.
    #[error("access token is not text")]
    TokenNotText,
}

impl<'a> Call<'a> {
    /// Reads an envelope.
    ///
    /// # Errors
    /// [`CallError`] when the payload is not one.
    pub fn decode(payload: &'a [u8]) -> Result<Self, CallError> {
        let (route, rest) = payload.split_first_chunk::<4>().ok_or(CallError::Truncated)?;
        let (token_len, rest) = rest.split_first_chunk::<2>().ok_or(CallError::Truncated)?;
        let token_len = usize::from(u16::from_le_bytes(*token_len));
        if token_len > TOKEN_LEN_MAX {
            return Err(CallError::TokenTooLong);
        }
        let (token, rest) = rest.split_at_checked(token_len).ok_or(CallError::Truncated)?;
        let token = std::str::from_utf8(token).map_err(|_| CallError::TokenNotText)?;
        let (key, arguments) = rest.split_first_chunk::<16>().ok_or(CallError::Truncated)?;
        let idempotency_key = (*key != [0; 16]).then_some(IdempotencyKey(*key));
        Ok(Self { route: RouteId::from_u32(u32::from_le_bytes(*route)), token, idempotency_key, arguments })
    }
}

#[cfg(test)]
mod tests {
    use super::{Call, CallError, IdempotencyKey};
    use crate::route::RouteId;

    fn envelope(token: &[u8], key: [u8; 16], arguments: &[u8]) -> Vec<u8> {
        let mut payload = 0x0403_0201_u32.to_le_bytes().to_vec();
        payload.extend_from_slice(&u16::try_from(token.len()).expect("short").to_le_bytes());
        payload.extend_from_slice(token);
        payload.extend_from_slice(&key);
        payload.extend_from_slice(arguments);
        payload
    }

    #[test]
    fn fields_come_in_the_documented_order() {
        let payload = envelope(b"tok", [7; 16], b"args");
        let call = Call::decode(&payload).expect("well formed");
        assert_eq!(call.route, RouteId::from_u32(0x0403_0201));
        assert_eq!(call.token, "tok");
        assert_eq!(call.idempotency_key, Some(IdempotencyKey([7; 16])));
        assert_eq!(call.arguments, b"args");
    }

    #[test]
    fn a_zero_key_is_none() {
        let payload = envelope(b"", [0; 16], b"");
        assert_eq!(Call::decode(&payload).expect("well formed").idempotency_key, None);
    }

    #[test]
    fn every_truncation_of_the_fixed_part_is_refused() {
        let payload = envelope(b"token", [1; 16], b"");
        for len in 0..payload.len() {
            assert_eq!(Call::decode(&payload[..len]), Err(CallError::Truncated), "{len}");
        }
    }

    #[test]
    fn a_long_or_binary_token_is_refused() {
        assert_eq!(Call::decode(&envelope(&[b'a'; 4097], [0; 16], b"")), Err(CallError::TokenTooLong));
        assert_eq!(Call::decode(&envelope(&[0xff], [0; 16], b"")), Err(CallError::TokenNotText));
    }
}
