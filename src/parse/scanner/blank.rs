//! Blanks decorators at equal length.
//!
//! Newlines inside a decorator and up to its target become spaces too: otherwise `return @mwfilter()⏎ctx => …` would
//! turn into `return;`. Comments stay, but behind words that end their statement with the line.

use super::FoundDecorator;

/// The text with the decorators blanked; every other byte keeps its offset.
pub(crate) fn blank(text: &str, decorators: &[FoundDecorator]) -> String {
    let mut bytes = text.as_bytes().to_vec();
    for decorator in decorators {
        bytes[decorator.at..decorator.end].fill(b' ');
        let continues = matches!(bytes.get(decorator.target), Some(b'[' | b'(' | b'*' | b'`'));
        if decorator.after_value && continues {
            // `x = 1⏎@perm(…) ['key'] = 2` must not become `x = 1['key'] = 2`.
            bytes[decorator.at] = b';';
        }
        let gap = &mut bytes[decorator.end..decorator.next];
        if decorator.one_line {
            // A line comment ends in a line break, and other comments may contain some.
            gap.fill(b' ');
        } else {
            join_lines(gap);
        }
    }
    // Only whole characters are replaced, by ASCII.
    String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned())
}

/// Replaces the newlines between comments.
fn join_lines(gap: &mut [u8]) {
    let mut at = 0;
    while at < gap.len() {
        match (gap[at], gap.get(at + 1)) {
            (b'\n' | b'\r', _) => {
                gap[at] = b' ';
                at += 1;
            }
            (b'/', Some(b'/')) => at += gap[at..].iter().take_while(|byte| **byte != b'\n').count() + 1,
            (b'/', Some(b'*')) => {
                at = memchr::memmem::find(&gap[at + 2..], b"*/").map_or(gap.len(), |close| at + close + 4);
            }
            _ => at += 1,
        }
    }
}
