//! What a query asks for: which rows, in which order, how many. Decides for rows that are not in the database yet exactly as
//! `kt_priv.matches` and `kt_priv.place` decide for those that are.
//!
//! ```text
//! {"match":{"room":1},"where":{"n":{"gte":2,"lt":9},"tag":{"in":["a","b"]},"by":{"ne":"x"}},
//!  "order":"n","descending":true,"after":"key","limit":10}
//! ```
//!
//! `match` is containment and never looks into its values for operators: text of a caller's that ends up there stays text.
//! Comparisons are those of jsonpath (numbers with numbers, text with text by code point); what cannot be compared is not
//! found.

use std::cmp::Ordering;

use serde::Deserialize;
use serde_json::{Map, Number, Value, json};

use crate::contains::contains;
use crate::error::TransactionError;
use crate::limits::{CONDITIONS_MAX, ROWS_PER_READ_MAX};
use crate::row::{Row, checked_key};

/// Which rows.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Filter {
    pattern: Map<String, Value>,
    /// Of each list, one value has to be contained.
    some: Vec<Vec<Value>>,
    /// None of these may be contained.
    none: Vec<Value>,
    ranges: Vec<Range>,
}

#[derive(Debug, Clone, PartialEq)]
struct Range {
    field: String,
    comparison: Comparison,
    bound: Value,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Comparison {
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// A whole query.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Find {
    pub(crate) filter: Filter,
    pub(crate) order: Option<Order>,
    pub(crate) after: Option<String>,
    pub(crate) limit: usize,
}

/// By a field: numbers, then text, then rows that have neither; equal ones in the order in which they were added.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Order {
    pub(crate) field: String,
    pub(crate) descending: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FindJson {
    #[serde(default, rename = "match")]
    pattern: Map<String, Value>,
    #[serde(default, rename = "where")]
    conditions: Map<String, Value>,
    order: Option<String>,
    #[serde(default)]
    descending: bool,
    after: Option<String>,
    limit: Option<usize>,
}

impl Find {
    /// Reads the JSON that the top of this file shows.
    pub(crate) fn parse(text: &str) -> Result<Self, TransactionError> {
        // The same limits as for a row: no U+0000, not too long.
        Row::parse(text)?;
        let find: FindJson = serde_json::from_str(text)
            .map_err(|_| TransactionError::BadValue("a query has an unknown or malformed option"))?;
        if find.limit.is_some_and(|limit| limit > ROWS_PER_READ_MAX) {
            return Err(TransactionError::LimitExceeded("rows of one read"));
        }
        find.after.as_deref().map_or(Ok(()), checked_key)?;
        let mut filter = Filter { pattern: find.pattern, ..Filter::default() };
        for (field, conditions) in find.conditions {
            let Value::Object(conditions) = conditions else {
                return Err(TransactionError::BadValue("a condition is an object such as { gte: 1 }"));
            };
            conditions.into_iter().try_for_each(|(name, bound)| filter.condition(&field, &name, bound))?;
        }
        if filter.ranges.len() + filter.none.len() + filter.some.iter().map(Vec::len).sum::<usize>()
            > CONDITIONS_MAX
        {
            return Err(TransactionError::LimitExceeded("conditions of one query"));
        }
        let order = find.order.map(|field| Order { field, descending: find.descending });
        Ok(Self { filter, order, after: find.after, limit: find.limit.unwrap_or(ROWS_PER_READ_MAX) })
    }
}

impl Filter {
    fn condition(&mut self, field: &str, name: &str, bound: Value) -> Result<(), TransactionError> {
        let comparison = match name {
            "lt" => Comparison::Less,
            "lte" => Comparison::LessOrEqual,
            "gt" => Comparison::Greater,
            "gte" => Comparison::GreaterOrEqual,
            "ne" => {
                self.none.push(scalar(field, bound)?);
                return Ok(());
            }
            "in" => {
                let Value::Array(values) = bound else {
                    return Err(TransactionError::BadValue("`in` takes a list"));
                };
                self.some
                    .push(values.into_iter().map(|value| scalar(field, value)).collect::<Result<_, _>>()?);
                return Ok(());
            }
            _ => return Err(TransactionError::BadValue("a condition is one of lt, lte, gt, gte, ne, in")),
        };
        if !bound.is_number() && !bound.is_string() {
            return Err(TransactionError::BadValue("only numbers, text and dates can be compared"));
        }
        self.ranges.push(Range { field: field.to_owned(), comparison, bound });
        Ok(())
    }

    /// Whether it is nothing but containment of a pattern; `None` when it is more.
    pub(crate) fn is_all(&self) -> bool {
        *self == Self::default()
    }

    /// The part that an index answers.
    pub(crate) fn pattern(&self) -> Value {
        Value::Object(self.pattern.clone())
    }

    /// The rest, for `kt_priv.matches`; `None` when there is none.
    pub(crate) fn rest(&self) -> Option<Value> {
        if self.some.is_empty() && self.none.is_empty() && self.ranges.is_empty() {
            return None;
        }
        let mut rest = Map::new();
        if !self.some.is_empty() {
            rest.insert("some".into(), json!(self.some));
        }
        if !self.none.is_empty() {
            rest.insert("none".into(), json!(self.none));
        }
        if !self.ranges.is_empty() {
            let paths: Vec<String> =
                self.ranges.iter().enumerate().map(|(at, range)| range.path(at)).collect();
            let bounds: Map<_, _> = self
                .ranges
                .iter()
                .enumerate()
                .map(|(at, range)| (format!("b{at}"), range.bound.clone()))
                .collect();
            rest.insert("path".into(), json!(format!("strict {}", paths.join(" && "))));
            rest.insert("bounds".into(), Value::Object(bounds));
        }
        Some(Value::Object(rest))
    }

    pub(crate) fn matches(&self, row: &Row) -> bool {
        let data = Value::Object(row.0.clone());
        contains(&data, &self.pattern())
            && self.some.iter().all(|values| values.iter().any(|value| contains(&data, value)))
            && !self.none.iter().any(|value| contains(&data, value))
            && self.ranges.iter().all(|range| range.holds(row.0.get(&range.field)))
    }
}

/// `{field: value}`, for containment.
fn scalar(field: &str, value: Value) -> Result<Value, TransactionError> {
    if value.is_array() || value.is_object() {
        return Err(TransactionError::BadValue(
            "`ne` and `in` compare with text, numbers, booleans and null",
        ));
    }
    Ok(Value::Object(Map::from_iter([(field.to_owned(), value)])))
}

impl Range {
    /// The bound is a variable, and the field is quoted as JSON is: neither can become a part of the path.
    fn path(&self, at: usize) -> String {
        let operator = match self.comparison {
            Comparison::Less => "<",
            Comparison::LessOrEqual => "<=",
            Comparison::Greater => ">",
            Comparison::GreaterOrEqual => ">=",
        };
        format!("$.{} {operator} $b{at}", Value::from(self.field.as_str()))
    }

    fn holds(&self, value: Option<&Value>) -> bool {
        let Some(ordering) = value.and_then(|value| compare(value, &self.bound)) else { return false };
        match self.comparison {
            Comparison::Less => ordering.is_lt(),
            Comparison::LessOrEqual => ordering.is_le(),
            Comparison::Greater => ordering.is_gt(),
            Comparison::GreaterOrEqual => ordering.is_ge(),
        }
    }
}

impl Order {
    /// How two rows stand, apart from the order in which they were added.
    pub(crate) fn compare(&self, a: &Row, b: &Row) -> Ordering {
        let (a, b) = (a.0.get(&self.field), b.0.get(&self.field));
        let class = |value: Option<&Value>| match value {
            Some(Value::Number(_)) => 0,
            Some(Value::String(_)) => 1,
            Some(Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_)) | None => 2,
        };
        let ordering = class(a).cmp(&class(b)).then_with(|| match (a, b) {
            (Some(a), Some(b)) => compare(a, b).unwrap_or(Ordering::Equal),
            _ => Ordering::Equal,
        });
        if self.descending { ordering.reverse() } else { ordering }
    }
}

/// Numbers by value, text by code point (which is the order of its bytes in UTF-8).
fn compare(a: &Value, b: &Value) -> Option<Ordering> {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => compare_numbers(a, b),
        (Value::String(a), Value::String(b)) => Some(a.as_bytes().cmp(b.as_bytes())),
        _ => None,
    }
}

/// Exact, also between integers that a float cannot hold and floats.
fn compare_numbers(a: &Number, b: &Number) -> Option<Ordering> {
    match (whole(a), whole(b)) {
        (Some(a), Some(b)) => Some(a.cmp(&b)),
        _ => a.as_f64()?.partial_cmp(&b.as_f64()?),
    }
}

fn whole(number: &Number) -> Option<i128> {
    if let Some(integer) = number.as_i128() {
        return Some(integer);
    }
    let float = number.as_f64()?;
    #[expect(clippy::cast_possible_truncation, reason = "whole and below 2^100")]
    (float.fract() == 0.0 && float.abs() < 1e30).then_some(float as i128)
}

#[cfg(test)]
mod tests {
    use super::Find;
    use crate::error::TransactionError;
    use crate::row::Row;

    fn finds(find: &str, row: &str) -> bool {
        Find::parse(find).expect("a query").filter.matches(&Row::parse(row).expect("a row"))
    }

    /// `tests/it/storage/queries.rs` asks PostgreSQL for these very pairs.
    #[test]
    fn agrees_with_postgresql() {
        let cases: Vec<(String, String, bool)> =
            serde_json::from_str(include_str!("../testdata/filters.json")).expect("the list of cases");
        for (find, row, expected) in cases {
            assert_eq!(finds(&find, &row), expected, "{find} {row}");
        }
    }

    #[test]
    fn what_is_no_query_is_refused() {
        for find in [
            "[]",
            r#"{"match":1}"#,
            r#"{"where":{"n":1}}"#,
            r#"{"where":{"n":{"$gt":1}}}"#,
            r#"{"where":{"n":{"gt":true}}}"#,
            r#"{"where":{"n":{"gt":null}}}"#,
            r#"{"where":{"n":{"in":1}}}"#,
            r#"{"where":{"n":{"ne":[1]}}}"#,
            r#"{"limit":-1}"#,
            r#"{"limit":1.5}"#,
            r#"{"other":1}"#,
            r#"{"match":{"a":"\u0000"}}"#,
        ] {
            assert!(matches!(Find::parse(find), Err(TransactionError::BadValue(_))), "{find}");
        }
        assert!(matches!(Find::parse(r#"{"limit":1001}"#), Err(TransactionError::LimitExceeded(_))));
        let many = format!(r#"{{"where":{{"n":{{"in":[{}0]}}}}}}"#, "1,".repeat(1000));
        assert!(matches!(Find::parse(&many), Err(TransactionError::LimitExceeded(_))));
    }

    #[test]
    fn names_of_fields_stay_names() {
        let find = Find::parse(r#"{"where":{"a\" || true || \"":{"gt":1}}}"#).expect("a query");
        let rest = find.filter.rest().expect("a range");
        assert_eq!(rest["path"], r#"strict $."a\" || true || \"" > $b0"#);
    }
}
