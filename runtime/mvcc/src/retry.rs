//! How often a call that met a conflict runs again, and after which pause.

use crate::limits::ATTEMPTS_MAX;

/// The pause before the next attempt, in milliseconds; `None` when there is none.
///
/// `attempt` counts the attempts made, from 1. The pause is uniform between 0 and a bound that doubles from 4 ms to 2,048 ms
/// ("full jitter"): calls that met once do not meet again in step. `random` is any uniformly random number.
pub fn backoff_ms(attempt: u32, random: u32) -> Option<u64> {
    if attempt >= ATTEMPTS_MAX {
        return None;
    }
    let bound_ms = BACKOFF_BASE_MS << attempt.saturating_sub(1).min(BACKOFF_DOUBLINGS_MAX);
    Some((bound_ms * u64::from(random)) >> u32::BITS)
}

const BACKOFF_BASE_MS: u64 = 4;
const BACKOFF_DOUBLINGS_MAX: u32 = 9;

#[cfg(test)]
mod tests {
    use super::backoff_ms;
    use crate::limits::ATTEMPTS_MAX;

    #[test]
    fn pauses_double_up_to_a_bound_and_end() {
        let longest: Vec<_> = (1..=ATTEMPTS_MAX).map(|attempt| backoff_ms(attempt, u32::MAX)).collect();
        assert_eq!(longest[..11], [3, 7, 15, 31, 63, 127, 255, 511, 1023, 2047, 2047].map(Some));
        assert_eq!(longest.last(), Some(&None));
        assert_eq!(backoff_ms(u32::MAX, 0), None);
    }

    #[test]
    fn pauses_are_spread_over_the_whole_range() {
        assert_eq!(backoff_ms(5, 0), Some(0));
        assert_eq!(backoff_ms(5, u32::MAX / 2 + 1), Some(32));
    }
}
