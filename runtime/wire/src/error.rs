//! Errors as they travel: a status, a code and a message that may be shown to the caller.

use crate::limits::{ERROR_CODE_LEN_MAX, ERROR_MESSAGE_LEN_MAX};

/// Codes that the runtime itself answers with. Applications add codes of their own through `HttpError`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorCode {
    /// The request could not be decoded, or its arguments do not have the declared types.
    InvalidRequest,
    /// No valid identity where one is needed.
    Unauthorized,
    /// The gateway does not take the call's token: a client with a new one may call again.
    TokenRefused,
    /// The caller lacks the group or the permission bits.
    PermissionDenied,
    /// No such endpoint.
    NotFound,
    /// Still in conflict with other calls after the last retry.
    Conflict,
    /// Another row has the value that a row would get in a unique field.
    NotUnique,
    /// The handler threw something that is not for the caller to see.
    Internal,
    /// The database cannot be reached.
    Unavailable,
}

impl ErrorCode {
    /// The code as the client sees it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InvalidRequest => "INVALID_REQUEST",
            Self::Unauthorized => "UNAUTHORIZED",
            Self::TokenRefused => "TOKEN_REFUSED",
            Self::PermissionDenied => "PERMISSION_DENIED",
            Self::NotFound => "NOT_FOUND",
            Self::Conflict => "CONFLICT",
            Self::NotUnique => "NOT_UNIQUE",
            Self::Internal => "INTERNAL",
            Self::Unavailable => "UNAVAILABLE",
        }
    }

    /// The HTTP status that goes with it (RFC 9110, section 15).
    pub const fn status(self) -> u16 {
        match self {
            Self::InvalidRequest => 400,
            Self::Unauthorized | Self::TokenRefused => 401,
            Self::PermissionDenied => 403,
            Self::NotFound => 404,
            Self::Conflict | Self::NotUnique => 409,
            Self::Internal => 500,
            Self::Unavailable => 503,
        }
    }
}

/// What an RPC_ERROR frame carries: `status u16 | code length u8 | code | message`, integers little-endian, text UTF-8.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WireError {
    /// HTTP status.
    pub status: u16,
    /// Code in upper case, for programs.
    pub code: String,
    /// Message, for people.
    pub message: String,
}

impl WireError {
    /// An error of the runtime's own.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self { status: code.status(), code: code.as_str().to_owned(), message: message.into() }
    }

    /// The payload of an RPC_ERROR frame. Code and message are cut at their limits.
    pub fn encode(&self) -> Vec<u8> {
        let code = cut(&self.code, ERROR_CODE_LEN_MAX);
        let message = cut(&self.message, ERROR_MESSAGE_LEN_MAX);
        let mut payload = Vec::with_capacity(3 + code.len() + message.len());
        payload.extend_from_slice(&self.status.to_le_bytes());
        payload.push(u8::try_from(code.len()).unwrap_or(u8::MAX));
        payload.extend_from_slice(code.as_bytes());
        payload.extend_from_slice(message.as_bytes());
        payload
    }
}

/// The longest prefix of at most `len_max` bytes that ends at a character boundary.
fn cut(text: &str, len_max: usize) -> &str {
    let mut end = text.len().min(len_max);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

#[cfg(test)]
mod tests {
    use super::{ErrorCode, WireError};
    use crate::limits::ERROR_MESSAGE_LEN_MAX;

    #[test]
    fn layout_is_status_code_message() {
        let payload = WireError::new(ErrorCode::PermissionDenied, "no").encode();
        assert_eq!(payload, [&[0x93, 0x01, 17][..], b"PERMISSION_DENIED", b"no"].concat());
    }

    #[test]
    fn long_messages_are_cut_at_a_character() {
        let error = WireError { status: 500, code: "X".into(), message: "é".repeat(ERROR_MESSAGE_LEN_MAX) };
        assert_eq!(error.encode().len(), 3 + 1 + ERROR_MESSAGE_LEN_MAX);
        let error = WireError {
            status: 500,
            code: "X".into(),
            message: format!("a{}", "é".repeat(ERROR_MESSAGE_LEN_MAX)),
        };
        assert_eq!(error.encode().len(), 3 + 1 + ERROR_MESSAGE_LEN_MAX - 1);
    }
}
