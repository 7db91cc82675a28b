//! What TypeScript's own parser says.

use std::fs;
use std::io::Write as _;

use crate::support::script::{argument, run};

/// A syntax error of TypeScript's, in bytes of UTF-8.
#[derive(Debug, Clone, serde::Deserialize)]
pub(crate) struct SyntaxError {
    pub(crate) start: usize,
    #[expect(dead_code, reason = "shown when a test fails")]
    pub(crate) end: usize,
    pub(crate) code: u32,
    #[expect(dead_code, reason = "shown when a test fails")]
    pub(crate) message: String,
}

/// The first syntax error of each `(path, text)`.
pub(crate) fn first_errors<'t>(
    texts: impl IntoIterator<Item = (&'t str, &'t str)>,
) -> Vec<Option<SyntaxError>> {
    let texts: Vec<serde_json::Value> =
        texts.into_iter().map(|(path, text)| serde_json::json!({ "path": path, "text": text })).collect();
    let mut file = tempfile::NamedTempFile::new().expect("a temporary file");
    serde_json::to_writer(&mut file, &texts).expect("it can be written");
    file.flush().expect("it can be written");
    let answers = run("parse-diagnostics.mjs", &[&argument(file.path())]);
    drop(fs::metadata(file.path()));
    serde_json::from_value(answers).expect("one answer for each text")
}
