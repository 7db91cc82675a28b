//! Runs the scripts of `tests/js` in Node, and those of `tests/py` in Python.

use super::app::repository;
use serde_json::Value;
use std::path::Path;
use std::process::{Command, Output};

/// Runs a script with arguments; it prints one JSON value, and anything it throws fails the test.
pub(crate) fn run(script: &str, arguments: &[&str]) -> Value {
    let path = repository().join("tests/js").join(script);
    let output = Command::new("node")
        .arg("--experimental-websocket")
        .arg(&path)
        .args(arguments)
        // For those that start `kontract` by themselves.
        .env("KONTRACT_BIN", env!("CARGO_BIN_EXE_kontract"))
        .env("XDG_CACHE_HOME", env!("CARGO_TARGET_TMPDIR"))
        .output()
        .expect("run node");
    printed(script, &output)
}

/// Runs a Python script with arguments, under the same terms as [`run`].
pub(crate) fn python(script: &str, arguments: &[&str]) -> Value {
    let packages = repository().join("target/python");
    assert!(packages.is_dir(), "the Python packages are missing: run `cargo xtask setup`");
    let output = Command::new("python3")
        .arg("-B")
        .arg(repository().join("tests/py").join(script))
        .args(arguments)
        .env("PYTHONPATH", &packages)
        .output()
        .expect("python3 is missing: apt-get install python3-pip");
    printed(script, &output)
}

fn printed(script: &str, output: &Output) -> Value {
    let words = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{script} failed:\n{words}");
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{script} printed no JSON value ({error}):\n{words}"))
}

/// A path as an argument.
pub(crate) fn argument(path: &Path) -> String {
    path.display().to_string()
}
