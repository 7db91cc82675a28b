//! Blanks decorators at equal length.
//!
//! Newlines inside a decorator and up to its target become spaces too: otherwise `return @mwfilter()⏎ctx => …` would
//! turn into `return;`. Comments stay.

use super::FoundDecorator;

/// The text with the decorators blanked; every other byte keeps its offset.
pub(crate) fn blank(text: &str, decorators: &[FoundDecorator]) -> String {
    let mut bytes = text.as_bytes().to_vec();
    let mut last_target = None;
    for decorator in decorators {
        // Of several decorators before one target, the first one follows the value.
        let first = last_target.replace(decorator.target) != Some(decorator.target);
        bytes[decorator.at..decorator.end].fill(b' ');
        let continues = matches!(bytes.get(decorator.target), Some(b'[' | b'(' | b'*' | b'`'));
        if first && decorator.after_value && continues {
            // `x = 1⏎@perm(…) ['key'] = 2` must not become `x = 1['key'] = 2`.
            bytes[decorator.at] = b';';
        }
        join_lines(&mut bytes, decorator.end, decorator.target);
    }
    // Only whole characters are replaced, by ASCII.
    String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned())
}

/// Replaces the newlines between comments.
fn join_lines(bytes: &mut [u8], start: usize, end: usize) {
    let end = end.min(bytes.len());
    let mut at = start;
    while at < end {
        match (bytes[at], bytes.get(at + 1)) {
            (b'\n' | b'\r', _) => {
                bytes[at] = b' ';
                at += 1;
            }
            (b'/', Some(b'/')) => at += bytes[at..].iter().take_while(|byte| **byte != b'\n').count() + 1,
            (b'/', Some(b'*')) => {
                at =
                    memchr::memmem::find(&bytes[at + 2..], b"*/").map_or(bytes.len(), |close| at + close + 4);
            }
            _ => at += 1,
        }
    }
}
