//! Whether a text is too small to be refused, in everything that the scanner bounds. Most are, and to count takes a tenth of
//! the time of a scan.
//!
//! Counts bytes, whatever they are part of, and so never too few. How many words and labels may follow each other is not
//! looked at: what they cost grows with the square of their number and with their length, which matters beyond the words that are
//! let through here and in texts beyond [`MODEST_BYTES`].

use super::super::limits::{ANGLES_MAX, MODEST_BYTES, NESTING_MAX, OPERATORS_MAX};
use super::lexical::{is_identifier_part, namespaced_member};

/// Whether the scanner would let a text through, and the parser can have it at once.
pub(crate) fn is_modest(text: &str) -> bool {
    if text.len() > MODEST_BYTES {
        return false;
    }
    let mut counts = 0;
    let mut in_word = 0;
    for byte in text.bytes() {
        let weight = WEIGHTS[byte as usize];
        // A word counts where it starts.
        counts += weight & !in_word;
        in_word = weight & WORD;
    }
    let lane = |place: u32| usize::try_from(counts >> (16 * place) & 0xffff).unwrap_or(usize::MAX);
    let (brackets, angles, operators, words) = (lane(0), lane(1), lane(2), lane(3));
    // Of `else if`, both are words.
    brackets + angles < NESTING_MAX
        && angles < ANGLES_MAX
        && operators + words < OPERATORS_MAX
        && words < NESTING_MAX * 2
        && namespaced_member(text).is_none()
}

/// What each byte adds, in four lanes of 16 bits.
const WEIGHTS: [u64; 256] = {
    let mut weights = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        weights[byte] = match byte as u8 {
            b'(' | b'[' | b'{' => BRACKET,
            b'<' => ANGLE,
            byte if is_identifier_part(byte) => WORD,
            b' ' | b'\t' | b'\r' | b'\n' | b',' | b';' | b'.' | b')' | b']' | b'}' | b'\'' | b'"' | b'`' => 0,
            _ => OPERATOR,
        };
        byte += 1;
    }
    weights
};

const BRACKET: u64 = 1;
const ANGLE: u64 = 1 << 16;
const OPERATOR: u64 = 1 << 32;
const WORD: u64 = 1 << 48;

#[cfg(test)]
mod tests {
    use super::super::lexical::Lexical;
    use super::{MODEST_BYTES, is_modest};

    #[test]
    fn what_comes_near_a_bound_is_scanned() {
        for (unit, most) in
            [("(", 1_999), ("[{", 999), ("x<", 255), ("a+", 2_499), ("!", 4_999), ("else if(", 1_999)]
        {
            let text = unit.repeat(most);
            assert!(is_modest(&text), "{unit} {most}");
            let more = unit.repeat(most + 1);
            assert!(!is_modest(&more), "{unit} {}", most + 1);
            for tsx in [false, true] {
                assert!(Lexical::scan(&text, tsx).is_ok(), "{unit} {most}");
            }
        }
        assert!(is_modest("x = <a:b />;") && !is_modest("x = <a:b.c />;"));
        assert!(is_modest(&" ".repeat(MODEST_BYTES)) && !is_modest(&" ".repeat(MODEST_BYTES + 1)));
    }
}
