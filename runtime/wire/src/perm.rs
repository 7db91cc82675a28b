//! Permission bits: read, write, delete.

use std::fmt;

/// A set of the bits R (4), W (2) and X (1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Perms(u8);

impl Perms {
    /// No bit.
    pub const NONE: Self = Self(0);
    /// Read rows.
    pub const R: Self = Self(4);
    /// Insert and update rows.
    pub const W: Self = Self(2);
    /// Delete rows.
    pub const X: Self = Self(1);
    /// Every bit.
    pub const ALL: Self = Self(7);

    /// From a number; `None` for bits outside RWX.
    pub const fn from_bits(bits: u8) -> Option<Self> {
        if bits <= 7 { Some(Self(bits)) } else { None }
    }

    /// From a spelling such as `RWX`, `R__`, `WR_`: each of the letters at most once, `_` for an absent bit.
    pub fn from_spelling(spelling: &str) -> Option<Self> {
        if spelling.len() != 3 {
            return None;
        }
        spelling.bytes().try_fold(Self::NONE, |set, letter| {
            let bit = match letter {
                b'R' => Self::R,
                b'W' => Self::W,
                b'X' => Self::X,
                b'_' => return Some(set),
                _ => return None,
            };
            if set.contains(bit) { None } else { Some(set.union(bit)) }
        })
    }

    /// The number, 0 to 7.
    pub const fn bits(self) -> u8 {
        self.0
    }

    /// Both sets together.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// What is in both sets.
    #[must_use]
    pub const fn intersection(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Whether every bit of `other` is here.
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

impl fmt::Display for Perms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let letter = |bit: Self, letter: char| if self.contains(bit) { letter } else { '_' };
        write!(f, "{}{}{}", letter(Self::R, 'R'), letter(Self::W, 'W'), letter(Self::X, 'X'))
    }
}

#[cfg(test)]
mod tests {
    use super::Perms;

    #[test]
    fn spellings_name_the_same_bits_in_any_order() {
        assert_eq!(Perms::from_spelling("RW_"), Perms::from_bits(6));
        assert_eq!(Perms::from_spelling("WR_"), Perms::from_bits(6));
        assert_eq!(Perms::from_spelling("__X"), Some(Perms::X));
        assert_eq!(Perms::from_spelling("___"), Some(Perms::NONE));
    }

    #[test]
    fn other_spellings_are_refused() {
        for spelling in ["", "RW", "RWXX", "RR_", "rwx", "R-X", "R é"] {
            assert_eq!(Perms::from_spelling(spelling), None, "{spelling}");
        }
        assert_eq!(Perms::from_bits(8), None);
    }

    #[test]
    fn display_is_the_canonical_spelling() {
        for bits in 0..8 {
            let perms = Perms::from_bits(bits).expect("0 to 7");
            assert_eq!(Perms::from_spelling(&perms.to_string()), Some(perms));
        }
    }
}
