//! Numbers as evidence: which tell something, and how they are written.
//!
//! ```text
//! 483920    →  483920, 483_920, 0x76250          60_000, 65_535, 86_400, 1e9   →  nothing: these stand in any program
//! ```

use std::ops::Range;

/// A number as JavaScript prints it, if no other program has it but by chance.
pub(super) fn telling(value: f64) -> Option<String> {
    let value = value.abs();
    if !value.is_finite() || value > VALUE_MAX || is_near_a_power_of_two(value) {
        return None;
    }
    let text = value.to_string();
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    let significant = digits.trim_start_matches('0').trim_end_matches('0').len();
    (significant >= SIGNIFICANT_MIN && digits.len() >= DIGITS_MIN).then_some(text)
}

/// What printers and minifiers make of a number that [`telling`] gave.
pub(super) fn spellings(number: &str) -> Vec<String> {
    let mut spelt = vec![number.to_owned()];
    if let Some(fraction) = number.strip_prefix('0') {
        spelt.push(fraction.to_owned());
    }
    if let Ok(whole) = number.parse::<u64>() {
        spelt.extend([format!("0x{whole:x}"), format!("0x{whole:X}"), grouped(number)]);
        let trimmed = number.trim_end_matches('0');
        if trimmed.len() < number.len() {
            spelt.push(format!("{trimmed}e{}", number.len() - trimmed.len()));
        }
    }
    spelt
}

/// `483_920`
fn grouped(digits: &str) -> String {
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push('_');
        }
        text.push(digit);
    }
    text
}

/// Whether a place in a text is a whole number: not the end of a longer one, the fraction of another, or a colour.
pub(super) fn stands_alone(text: &str, place: Range<usize>) -> bool {
    let word = |c: char| c.is_alphanumeric() || c == '_' || c == '$';
    let mut before = text[..place.start].chars().rev();
    let mut after = text[place.end..].chars();
    let (last, one_before) = (before.next(), before.next());
    let (first, one_after) = (after.next(), after.next());
    let digit = |c: Option<char>| c.is_some_and(|c| c.is_ascii_digit());
    // `0` in front of a fraction without one is the same number.
    let starts_at_point = text[place.clone()].starts_with('.');
    let joined_before = match last {
        Some('.') => digit(one_before) || one_before.is_none(),
        Some('0') if starts_at_point => one_before.is_some_and(|c| word(c) || c == '.'),
        Some(c) => word(c) || c == '#',
        None => false,
    };
    let joined_after = match first {
        Some('.') => digit(one_after),
        Some(c) => word(c) && c != 'n',
        None => false,
    };
    !joined_before && !joined_after
}

/// Masks and limits.
fn is_near_a_power_of_two(value: f64) -> bool {
    [value - 1.0, value, value + 1.0].iter().any(|near| *near >= 1.0 && near.log2().fract() == 0.0)
}

/// Beyond it, not every whole number is one.
const VALUE_MAX: f64 = 9_007_199_254_740_991.0;
/// Of shorter numbers many are the same.
const DIGITS_MIN: usize = 5;
/// Without zeros at either end: 86,400,000 has three.
const SIGNIFICANT_MIN: usize = 4;

#[cfg(test)]
mod tests {
    use super::telling;

    #[test]
    fn what_anybody_may_write_tells_nothing() {
        for common in
            [0.0, 1234.0, 10_000.0, 60_000.0, 65_535.0, 65_536.0, 86_400_000.0, 2_147_483_648.0, 0.5, 1e21]
        {
            assert_eq!(telling(common), None, "{common}");
        }
        for (telling_one, text) in [(483_920.0, "483920"), (-12_345.0, "12345"), (0.047_293_1, "0.0472931")] {
            assert_eq!(telling(telling_one).as_deref(), Some(text));
        }
    }
}
