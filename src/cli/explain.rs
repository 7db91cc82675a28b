//! `kontract explain`.

use super::error::CliError;
use super::report::Reporter;
use crate::diag::codes;
use serde_json::json;

/// Prints what a code means.
pub fn run(code: &str, reporter: Reporter) -> Result<(), CliError> {
    let wanted = code.to_uppercase();
    let row = codes::find(&wanted).ok_or_else(|| {
        CliError::Usage(format!("there is no diagnostic {code}; codes look like KT0101 and stand in each message"))
    })?;
    reporter.answer(
        &format!("{wanted}: {}\n\n{}", row.title, row.explanation),
        &json!({ "code": wanted, "title": row.title, "explanation": row.explanation }),
    );
    Ok(())
}
