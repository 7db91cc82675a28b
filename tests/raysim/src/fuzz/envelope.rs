//! Envelopes of calls: what `runtime/wire` reads before it knows who calls.

use kontract_wire::call::{Call, CallError};

/// Longest token.
const TOKEN_MAX: usize = 4096;

/// The reader against `docs/wire.md`: which refusal, or fields that are the bytes again and lie in them.
pub(super) fn run(data: &[u8]) {
    let token_len = data.get(4..6).map(|bytes| usize::from(bytes[0]) | usize::from(bytes[1]) << 8);
    let expected = match token_len {
        None => Err(CallError::Truncated),
        Some(len) if len > TOKEN_MAX => Err(CallError::TokenTooLong),
        Some(len) => match data.get(6..6 + len) {
            None => Err(CallError::Truncated),
            Some(token) if std::str::from_utf8(token).is_err() => Err(CallError::TokenNotText),
            Some(_) if data.len() < 22 + len => Err(CallError::Truncated),
            Some(_) => Ok(len),
        },
    };
    let call = Call::decode(data);
    assert_eq!(call.as_ref().map(|call| call.token.len()).map_err(|error| *error), expected, "{data:02x?}");
    let Ok(call) = call else { return };
    let key = call.idempotency_key.map_or([0; 16], |key| key.0);
    let len = u16::try_from(call.token.len()).map(u16::to_le_bytes).unwrap_or_default();
    let route = call.route.as_u32().to_le_bytes();
    let again = [&route[..], &len, call.token.as_bytes(), &key, call.arguments].concat();
    assert_eq!(again, data);
    // Nothing is copied, so that a length from outside makes no allocation.
    assert_eq!(call.arguments.as_ptr_range().end, data.as_ptr_range().end);
}
