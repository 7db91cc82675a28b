//! Which changes stored rows survive unseen, and what to do about the others.

use super::diff::{Change, FieldChange};

/// Whether a change may be made without looking at the rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Safety {
    /// Every stored row is a row of the new schema, and none is lost.
    Safe,
    /// Some rows might not be, or might be lost.
    Dangerous {
        /// Why.
        why: &'static str,
        /// What to do.
        help: &'static str,
    },
}

/// Judges a change.
pub fn assess(change: &Change) -> Safety {
    match change {
        Change::TableAdded { .. } => Safety::Safe,
        Change::TableRemoved { .. } => dangerous(
            "its rows would stay behind where no endpoint can reach them",
            "put the interface back, or write a migration that moves or removes the rows",
        ),
        Change::KeyChanged { .. } => dangerous(
            "rows are stored under the old key, and another field may not be unique",
            "write a migration that stores every row under the new key",
        ),
        Change::ScopeChanged { .. } => dangerous(
            "rows would become visible to other callers, or disappear for those who have them",
            "keep the scope; give the new one another table with `/** @table name */`, and move the rows in an endpoint",
        ),
        Change::Field { change, .. } => assess_field(change),
    }
}

fn assess_field(change: &FieldChange) -> Safety {
    match change {
        FieldChange::AddedOptional
        | FieldChange::BecameOptional
        | FieldChange::ReadOnly(_)
        | FieldChange::Perm { .. }
        | FieldChange::Index(_)
        | FieldChange::Unique(false) => Safety::Safe,
        FieldChange::Type { from, to } if widens(from, to) => Safety::Safe,
        FieldChange::AddedRequired => dangerous(
            "rows that were stored before do not have it",
            "make it optional with `?`, or write a migration that fills it in",
        ),
        FieldChange::BecameRequired => dangerous(
            "rows that were stored before may lack it",
            "keep it optional, or write a migration that fills it in",
        ),
        FieldChange::Removed { perhaps_renamed: None } => dangerous(
            "its values would be lost at the next update of each row",
            "put it back, or write a migration that moves or removes the values",
        ),
        FieldChange::Removed { perhaps_renamed: Some(_) } => dangerous(
            "a rename looks like a removed and a new field, and the values stay under the old name",
            "put the old name back, or write a migration that moves the values to the new one",
        ),
        FieldChange::Type { .. } => dangerous(
            "rows that were stored before have values of the old type",
            "keep the type, or write a migration that converts the values",
        ),
        FieldChange::Unique(true) => dangerous(
            "rows that were stored before may have equal values, and the database would refuse the migration",
            "write a migration that makes the values unique; it runs before the one that is generated",
        ),
    }
}

fn dangerous(why: &'static str, help: &'static str) -> Safety {
    Safety::Dangerous { why, help }
}

/// Whether every value of one type is a value of the other: members of a union were added, or the range of integers grew.
fn widens(from: &str, to: &str) -> bool {
    let to = members(to);
    members(from).iter().all(|from| {
        let same = |to: &&str| to == from;
        let wider = |to: &&str| match (integer_range(from), integer_range(to)) {
            (Some((from_min, from_max)), Some((to_min, to_max))) => to_min <= from_min && from_max <= to_max,
            (Some(_), None) => *to == "number",
            (None, _) => *from == "float32" && *to == "number",
        };
        to.iter().any(|to| same(to) || wider(to))
    })
}

/// Members of a union at its top level: `"a | b" | null` has two.
fn members(ty: &str) -> Vec<&str> {
    let mut members = Vec::new();
    let (mut start, mut in_text, mut escaped) = (0, false, false);
    for (at, c) in ty.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if in_text => escaped = true,
            '"' => in_text = !in_text,
            '|' if !in_text => {
                members.push(ty[start..at].trim());
                start = at + 1;
            }
            _ => {}
        }
    }
    members.push(ty[start..].trim());
    // A union inside of brackets is not one of its parts.
    if ty.starts_with('(') { vec![ty] } else { members }
}

fn integer_range(ty: &str) -> Option<(i64, i64)> {
    match ty {
        "int8" => Some((i8::MIN.into(), i8::MAX.into())),
        "int16" => Some((i16::MIN.into(), i16::MAX.into())),
        "int32" => Some((i32::MIN.into(), i32::MAX.into())),
        "uint8" => Some((0, u8::MAX.into())),
        "uint16" => Some((0, u16::MAX.into())),
        "uint32" => Some((0, u32::MAX.into())),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::widens;

    #[test]
    fn a_type_widens_by_members_and_ranges() {
        for (from, to) in [
            ("string", "string | null"),
            (r#""a" | "b""#, r#""b" | "c" | "a""#),
            ("int8", "int16"),
            ("uint8", "int16"),
            ("int32", "number"),
            ("float32", "number"),
            ("int8 | null", "int32 | null"),
        ] {
            assert!(widens(from, to), "{from} → {to}");
            assert!(!widens(to, from), "{to} → {from}");
        }
    }

    #[test]
    fn other_types_do_not() {
        for (from, to) in [
            ("string", "number"),
            ("int8", "uint16"),
            ("number", "float32"),
            (r#""a | b""#, r#""a | c | b""#),
            (r#"("a" | "b")[]"#, r#"("a" | "b" | "c")[] | null"#),
            ("Date", "string | null"),
        ] {
            assert!(!widens(from, to), "{from} → {to}");
        }
    }
}
