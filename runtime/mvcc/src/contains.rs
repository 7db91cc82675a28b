//! Containment of JSON as PostgreSQL's `jsonb @>` has it (manual, section 8.14.3), for rows that are not in the database yet.

use serde_json::{Number, Value};

/// Whether `data @> pattern`.
pub(crate) fn contains(data: &Value, pattern: &Value) -> bool {
    match (data, pattern) {
        // At the top an array may contain a bare scalar; inside another value it may not.
        (Value::Array(items), scalar) if !scalar.is_array() && !scalar.is_object() => {
            items.iter().any(|item| same_scalar(item, scalar))
        }
        _ => contains_inside(data, pattern),
    }
}

fn contains_inside(data: &Value, pattern: &Value) -> bool {
    match (data, pattern) {
        (Value::Object(data), Value::Object(pattern)) => pattern
            .iter()
            .all(|(name, wanted)| data.get(name).is_some_and(|value| contains_inside(value, wanted))),
        (Value::Array(data), Value::Array(pattern)) => {
            pattern.iter().all(|wanted| data.iter().any(|item| contains_inside(item, wanted)))
        }
        (data, pattern) => same_scalar(data, pattern),
    }
}

fn same_scalar(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => same_number(a, b),
        (Value::Array(_) | Value::Object(_), _) | (_, Value::Array(_) | Value::Object(_)) => false,
        (a, b) => a == b,
    }
}

/// `1` and `1.0` are the same number in jsonb.
fn same_number(a: &Number, b: &Number) -> bool {
    a == b || (a.is_f64() || b.is_f64()) && a.as_f64() == b.as_f64()
}

#[cfg(test)]
mod tests {
    use super::contains;

    fn check(data: &str, pattern: &str) -> bool {
        contains(&serde_json::from_str(data).expect("JSON"), &serde_json::from_str(pattern).expect("JSON"))
    }

    /// The answers were taken from PostgreSQL; `tests/it/storage.rs` asks it again for these very pairs.
    #[test]
    fn agrees_with_postgresql() {
        let cases: Vec<(String, String, bool)> =
            serde_json::from_str(include_str!("../testdata/contains.json")).expect("the list of cases");
        for (data, pattern, expected) in cases {
            assert_eq!(check(&data, &pattern), expected, "{data} @> {pattern}");
        }
    }
}
