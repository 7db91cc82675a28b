//! Tickets: altered ones, and any content under the server's own key.

use super::Input;
use super::world::{BINDING, BUILD, NOW, RESUMPTION, SERVER, content, entropy, header, tickets};
use crate::forge::{CONTENT_LEN, Resume};
use kontract_raystream::{FrameType, UnixSeconds, frames, limits};

pub(super) fn run(data: &[u8]) {
    let mut input = Input::new(data);
    let oddity = input.u8();
    let now = if oddity & 1 == 0 { NOW.plus(u64::from(input.u16())) } else { UnixSeconds(input.u64()) };
    let mut content = content();
    if oddity & 2 != 0 {
        content[32..38].copy_from_slice(&input.array::<6>());
    }
    if oddity & 4 != 0 {
        content[48..56].copy_from_slice(&input.u64().to_le_bytes());
    }
    if oddity & 8 != 0 {
        input.edit(&mut content[56..]);
    }
    if oddity & 16 != 0 {
        content.resize(usize::from(input.u8()), 0);
    }
    let good = BINDING.seal(input.array(), &content);
    let mut ticket = good.clone();
    if oddity & 32 != 0 {
        input.edit(&mut ticket);
    }
    check(&ticket, &content, ticket == good, now);
}

fn check(ticket: &[u8], content: &[u8], is_authentic: bool, now: UnixSeconds) {
    let resume = Resume::start(ticket, &RESUMPTION, &[0x33; 32]);
    let accepted = SERVER.accept(&resume.init, &tickets(), now, &mut entropy(1));
    let expires_at = expiry_of(content).filter(|expires_at| is_authentic && *expires_at > now.0);
    let Some(expires_at) = expires_at else {
        assert!(accepted.is_err(), "a ticket that is not good was taken");
        return;
    };
    let mut accepted = accepted.unwrap_or_else(|refused| unreachable!("{:?}", refused.fault()));
    assert!(accepted.resumed);
    let renewed = renewed(content, expires_at, now.0);
    assert_eq!(accepted.session.expires_at().0, renewed.unwrap_or(expires_at));
    let response: Vec<&[u8]> = frames(&accepted.response).map(|frame| frame.unwrap_or_default()).collect();
    assert_eq!(response.len(), 1 + usize::from(renewed.is_some()));

    let call = resume.c2s.seal(header(0x10, 0, 7, 4), 0, 0, b"call");
    assert_eq!(accepted.session.open(&call).map(|opened| opened.payload), Ok(b"call".to_vec()));
    let answer = accepted.session.seal(FrameType::RpcResponse, 7, b"answer");
    let answer = answer.unwrap_or_else(|error| unreachable!("{error}"));
    let server_random = response[0][16..].try_into().unwrap_or_else(|_| unreachable!("32 bytes"));
    let opened = resume.s2c(&server_random).open(&answer);
    assert!(opened.is_some_and(|opened| opened.plaintext.starts_with(b"answer\x80")));
}

fn expiry_of(content: &[u8]) -> Option<u64> {
    let is_own = content.len() == CONTENT_LEN && content[56..] == BUILD;
    is_own.then(|| u64::from_le_bytes(content[48..56].try_into().unwrap_or_default()))
}

/// When a renewed session ends: five minutes from now, and 24 hours after its creation at the latest.
fn renewed(content: &[u8], expires_at: u64, now: u64) -> Option<u64> {
    let millis = content[32..38].iter().fold(0, |millis, byte| millis << 8 | u64::from(*byte));
    let end = now.saturating_add(limits::IDLE_TIMEOUT_SECS).min(millis / 1000 + 24 * 60 * 60);
    let is_due = expires_at <= now.saturating_add(limits::IDLE_TIMEOUT_SECS / 2);
    (is_due && end > expires_at).then_some(end)
}
