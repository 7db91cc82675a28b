//! The tables that a build knows: name → ptr, key field, read-only fields.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// The name of a physical table, `tbl_[a-z0-9_]{1,48}`; safe to put into SQL.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ptr(String);

impl Ptr {
    /// Checks the spelling; `None` when it is not a ptr.
    pub fn parse(text: &str) -> Option<Self> {
        let name = text.strip_prefix("tbl_")?;
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
        ((1..=48).contains(&name.len()) && name.bytes().all(plain)).then(|| Self(text.to_owned()))
    }
}

impl fmt::Display for Ptr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// Where its rows are.
    pub ptr: Ptr,
    /// The field that is the key of a row.
    pub key: String,
    /// Fields that are set when a row is created and never changed afterwards.
    pub readonly: BTreeSet<String>,
}

/// Every table by name.
pub type Tables = BTreeMap<String, Table>;

#[cfg(test)]
mod tests {
    use super::Ptr;

    #[test]
    fn only_plain_names_are_ptrs() {
        for text in ["tbl_a", "tbl_users_2", &format!("tbl_{}", "x".repeat(48))] {
            assert_eq!(Ptr::parse(text).map(|ptr| ptr.to_string()).as_deref(), Some(text));
        }
        for text in [
            "",
            "tbl_",
            "a",
            "tbl_A",
            "tbl_a b",
            "tbl_a;",
            "tbl_é",
            "xtbl_a",
            &format!("tbl_{}", "x".repeat(49)),
        ] {
            assert_eq!(Ptr::parse(text), None, "{text}");
        }
    }
}
