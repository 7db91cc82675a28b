//! Runs the scripts of `tests/js` in Node.

use super::app::repository;
use serde_json::Value;
use std::path::Path;
use std::process::Command;

/// Runs a script with arguments; it prints one JSON value, and anything it throws fails the test.
pub(crate) fn run(script: &str, arguments: &[&str]) -> Value {
    let path = repository().join("tests/js").join(script);
    let output = Command::new("node")
        .arg("--experimental-websocket")
        .arg(&path)
        .args(arguments)
        .output()
        .expect("run node");
    let words = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{script} failed:\n{words}");
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{script} printed no JSON value ({error}):\n{words}"))
}

/// A path as an argument.
pub(crate) fn argument(path: &Path) -> String {
    path.display().to_string()
}
