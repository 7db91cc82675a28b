//! Statements and their results as JSON text, between the objects that run calls and the ones that hold connections.
//!
//! `[{ "sql", "params": [text or null] }]` → `[{ "rows": [[text or null]] } or { "sqlstate", "message", "detail" }]`

use kontract_mvcc::statement::{Columns, DbError, Statement, StatementResult};
use serde::{Deserialize, Serialize};
use wasm_bindgen::prelude::JsError;

#[derive(Serialize, Deserialize)]
struct StatementJson {
    sql: String,
    params: Vec<Option<String>>,
}

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum ResultJson {
    Rows { rows: Vec<Columns> },
    Failed { sqlstate: String, message: String, detail: Option<String> },
}

/// Upper bound of the bytes that a text takes in a result's JSON.
pub(crate) fn encoded_len(text: &str) -> usize {
    let escape = |byte: u8| match byte {
        b'"' | b'\\' => 1,
        ..=0x1f => 5,
        _ => 0,
    };
    text.len() + text.bytes().map(escape).sum::<usize>()
}

pub(crate) fn to_json(statements: &[Statement]) -> String {
    let statements: Vec<StatementJson> = statements
        .iter()
        .map(|statement| StatementJson { sql: statement.sql.clone(), params: statement.params.clone() })
        .collect();
    serde_json::to_string(&statements).expect("invariant: statements are strings")
}

pub(crate) fn from_json(json: &str) -> Result<Vec<Statement>, JsError> {
    let statements: Vec<StatementJson> = serde_json::from_str(json)?;
    Ok(statements.into_iter().map(|StatementJson { sql, params }| Statement { sql, params }).collect())
}

pub(crate) fn results_to_json(results: Vec<StatementResult>) -> String {
    let results: Vec<ResultJson> = results
        .into_iter()
        .map(|result| match result {
            Ok(rows) => ResultJson::Rows { rows },
            Err(DbError { sqlstate, message, detail }) => ResultJson::Failed { sqlstate, message, detail },
        })
        .collect();
    serde_json::to_string(&results).expect("invariant: results are strings")
}

pub(crate) fn results(json: &str) -> Result<Vec<StatementResult>, JsError> {
    let results: Vec<ResultJson> = serde_json::from_str(json)?;
    Ok(results
        .into_iter()
        .map(|result| match result {
            ResultJson::Rows { rows } => Ok(rows),
            ResultJson::Failed { sqlstate, message, detail } => Err(DbError { sqlstate, message, detail }),
        })
        .collect())
}
