//! `kontract explain`.

use super::error::CliError;
use super::report::Reporter;
use crate::diag::Code;
use serde_json::json;

/// Prints what a code means.
pub(super) fn run(code: &str, reporter: Reporter) -> Result<(), CliError> {
    let code = Code::parse(code).ok_or_else(|| {
        CliError::Usage(format!(
            "there is no diagnostic {code}; codes look like KT0101 and stand in each message"
        ))
    })?;
    reporter.answer(
        &format!("{code}: {}\n\n{}", code.title(), code.explanation()),
        &json!({ "code": code.as_str(), "title": code.title(), "explanation": code.explanation() }),
    );
    Ok(())
}
