//! Headers, and bodies cut into frames.

use kontract_raystream::{Header, frames};

const TYPES: [u8; 12] = [0x01, 0x02, 0x10, 0x11, 0x12, 0x13, 0x14, 0x20, 0x21, 0x22, 0x30, 0xff];

/// Length of the first frame; `None` when there is none.
fn first_frame(bytes: &[u8]) -> Option<usize> {
    let header = bytes.get(..16)?;
    let field = |at: usize| u32::from_le_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]]);
    let (ty, flags, length) = (header[1], u16::from_le_bytes([header[2], header[3]]), field(8));
    let is_clear = ty == 1 || (ty == 2 && flags & 8 == 0);
    let is_good = header[0] == 1 && TYPES.contains(&ty) && flags < 32 && field(12) == 0;
    let length_min = if is_clear { 0 } else { 16 };
    if !is_good || !(length_min..=1 << 20).contains(&length) {
        return None;
    }
    Some(16 + if is_clear { 0 } else { 12 } + usize::try_from(length).ok()?)
}

/// The parser against the table of the page; a body's frames are its bytes, all of them or up to one refusal.
pub(super) fn run(data: &[u8]) {
    let parsed = Header::parse(data);
    assert_eq!(parsed.ok().map(Header::frame_len), first_frame(data), "{data:02x?}");
    if let Ok(header) = parsed {
        assert_eq!(header.to_bytes()[..], data[..16]);
    }
    let (mut rest, mut count) = (data, 0);
    for frame in frames(data) {
        let expected = first_frame(rest).filter(|len| *len <= rest.len() && count < 256);
        assert_eq!(frame.ok().map(<[u8]>::len), expected, "frame {count}");
        rest = &rest[expected.unwrap_or(rest.len())..];
        count += 1;
    }
    assert!(rest.is_empty(), "bytes that no frame accounts for");
}
