//! Rows and keys: JSON text that has been checked to be storable.

use serde_json::{Map, Value};

use crate::error::TransactionError;
use crate::limits::{KEY_LEN_MAX, ROW_LEN_MAX};

/// A row or a patch: a JSON object without U+0000, which jsonb cannot hold.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Row(pub(crate) Map<String, Value>);

impl Row {
    pub(crate) fn parse(text: &str) -> Result<Self, TransactionError> {
        if text.len() > ROW_LEN_MAX {
            return Err(TransactionError::LimitExceeded("length of a row"));
        }
        match serde_json::from_str(text) {
            Ok(Value::Object(fields))
                if fields.iter().all(|(name, value)| storable_text(name) && storable(value)) =>
            {
                Ok(Self(fields))
            }
            Ok(Value::Object(_)) => {
                Err(TransactionError::BadValue("a row holds U+0000, which the database cannot store"))
            }
            // JSON.stringify writes half of a surrogate pair as an escape, and nothing else that these are said of.
            Err(error) if error.to_string().contains("hex escape") => Err(TransactionError::BadValue(
                "a text holds a lone surrogate, half of a character, which the database cannot store",
            )),
            _ => Err(TransactionError::BadValue("a row is not a JSON object")),
        }
    }

    /// The value of the key field: text, or an integer in decimal.
    pub(crate) fn key(&self, field: &str) -> Result<String, TransactionError> {
        let key = match self.0.get(field) {
            Some(Value::String(key)) => key.clone(),
            Some(Value::Number(number)) if number.is_i64() || number.is_u64() => number.to_string(),
            _ => {
                return Err(TransactionError::BadValue(
                    "a row has no key, or one that is neither text nor an integer",
                ));
            }
        };
        checked_key(&key)?;
        Ok(key)
    }

    /// This row with the fields of `patch` in place of its own.
    pub(crate) fn merged(&self, patch: &Self) -> Self {
        let mut fields = self.0.clone();
        fields.extend(patch.0.iter().map(|(name, value)| (name.clone(), value.clone())));
        Self(fields)
    }

    pub(crate) fn to_text(&self) -> String {
        Value::from(self.0.clone()).to_string()
    }
}

/// Refuses a key that cannot be stored or is too long.
pub(crate) fn checked_key(key: &str) -> Result<(), TransactionError> {
    if key.len() > KEY_LEN_MAX {
        return Err(TransactionError::LimitExceeded("length of a key"));
    }
    if storable_text(key) { Ok(()) } else { Err(TransactionError::BadValue("a key holds U+0000")) }
}

fn storable_text(text: &str) -> bool {
    !text.contains('\0')
}

/// Depth is bounded by the parser (128).
fn storable(value: &Value) -> bool {
    match value {
        Value::String(text) => storable_text(text),
        Value::Array(items) => items.iter().all(storable),
        Value::Object(fields) => fields.iter().all(|(name, value)| storable_text(name) && storable(value)),
        Value::Null | Value::Bool(_) | Value::Number(_) => true,
    }
}

#[cfg(test)]
mod tests {
    use super::Row;
    use crate::error::TransactionError;

    #[test]
    fn only_objects_without_nul_are_rows() {
        assert!(Row::parse(r#"{"a":[1,{"b":"c"}]}"#).is_ok());
        for text in [
            "",
            "1",
            "[]",
            "null",
            r#"{"a":"\u0000"}"#,
            r#"{"a":[{"\u0000":1}]}"#,
            r#"{"a":"\ud800"}"#,
            r#"{"a":1} x"#,
        ] {
            assert!(matches!(Row::parse(text), Err(TransactionError::BadValue(_))), "{text}");
        }
        let deep = format!("{{\"a\":{}{}}}", "[".repeat(10_000), "]".repeat(10_000));
        assert!(matches!(Row::parse(&deep), Err(TransactionError::BadValue(_))));
    }

    #[test]
    fn half_a_character_is_called_so() {
        // As JSON.stringify writes them.
        for text in
            [r#"{"tag":"\ud800"}"#, r#"{"tag":"a\udfffb"}"#, r#"{"\ud83d":1}"#, r#"{"a":["\ud800\ud800"]}"#]
        {
            let error = Row::parse(text).expect_err(text);
            assert!(error.to_string().contains("surrogate"), "{text}: {error}");
        }
        let error = Row::parse(r#"{"a":"\ud83d\ude00""#).expect_err("it does not end");
        assert_eq!(error.to_string(), "a row is not a JSON object");
    }

    #[test]
    fn keys_are_text_or_integers() {
        let key = |text: &str| Row::parse(text).expect("a row").key("id");
        assert_eq!(key(r#"{"id":"x"}"#).as_deref(), Ok("x"));
        assert_eq!(key(r#"{"id":-7}"#).as_deref(), Ok("-7"));
        for text in ["{}", r#"{"id":null}"#, r#"{"id":1.5}"#, r#"{"id":["x"]}"#] {
            assert!(matches!(key(text), Err(TransactionError::BadValue(_))), "{text}");
        }
        let long = format!(r#"{{"id":"{}"}}"#, "x".repeat(513));
        assert!(matches!(key(&long), Err(TransactionError::LimitExceeded(_))));
    }

    #[test]
    fn a_patch_replaces_fields_at_the_top() {
        let row = Row::parse(r#"{"a":1,"b":{"c":1,"d":1}}"#).expect("a row");
        let patch = Row::parse(r#"{"b":{"c":2},"e":null}"#).expect("a patch");
        assert_eq!(row.merged(&patch).to_text(), r#"{"a":1,"b":{"c":2},"e":null}"#);
    }
}
