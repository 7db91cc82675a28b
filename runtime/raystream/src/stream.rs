//! Splits a body, frames one after the other, into its frames.

use crate::error::{PeerFault, Refused};
use crate::frame::Header;
use crate::limits::FRAMES_PER_BODY_MAX;

/// The frames of a body. After a refusal there are no more items.
pub fn frames(body: &[u8]) -> impl Iterator<Item = Result<&[u8], Refused>> {
    Frames { rest: body, count: 0 }
}

struct Frames<'a> {
    rest: &'a [u8],
    count: usize,
}

impl<'a> Iterator for Frames<'a> {
    type Item = Result<&'a [u8], Refused>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let frame = self.take();
        if frame.is_err() {
            self.rest = &[];
        }
        Some(frame)
    }
}

impl<'a> Frames<'a> {
    fn take(&mut self) -> Result<&'a [u8], Refused> {
        if self.count == FRAMES_PER_BODY_MAX {
            return Err(PeerFault::TooManyFrames.into());
        }
        let frame_len = Header::parse(self.rest)?.frame_len();
        let (frame, rest) = self.rest.split_at_checked(frame_len).ok_or(PeerFault::Truncated)?;
        self.rest = rest;
        self.count += 1;
        Ok(frame)
    }
}

#[cfg(test)]
mod tests {
    use super::frames;
    use crate::error::PeerFault;
    use crate::frame::{FrameType, clear};
    use crate::limits::FRAMES_PER_BODY_MAX;

    #[test]
    fn a_body_is_split_where_its_frames_end() {
        let (first, second) =
            (clear(FrameType::HandshakeInit, b"abc"), clear(FrameType::HandshakeResponse, b""));
        let body = [&first[..], &second].concat();
        let split: Vec<_> = frames(&body).map(|frame| frame.expect("well formed")).collect();
        assert_eq!(split, [&first[..], &second]);
    }

    #[test]
    fn a_truncated_body_ends_in_one_refusal() {
        let frame = clear(FrameType::HandshakeInit, b"abc");
        for len in 1..frame.len() {
            let split: Vec<_> = frames(&frame[..len]).collect();
            assert_eq!(split, [Err(PeerFault::Truncated.into())], "{len}");
        }
    }

    #[test]
    fn the_number_of_frames_is_limited() {
        let body = clear(FrameType::HandshakeInit, b"").repeat(FRAMES_PER_BODY_MAX + 1);
        assert_eq!(frames(&body).filter(Result::is_ok).count(), FRAMES_PER_BODY_MAX);
        assert_eq!(frames(&body).last(), Some(Err(PeerFault::TooManyFrames.into())));
    }
}
