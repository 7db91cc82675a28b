//! What checking types says besides TypeScript's own messages.

use crate::diag::{Code, Diagnostic};

/// TypeScript is not among the project's packages.
pub fn not_installed() -> Diagnostic {
    Diagnostic::warning(Code::KT0702, "types were not checked: TypeScript is not installed")
        .why("`kontract check` runs the project's own TypeScript, so that it says what the editor says")
        .help("run `npm install --save-dev typescript`, or pass `--no-types`")
}

/// Files that a build would write differently.
pub fn stale(paths: &[String]) -> Diagnostic {
    let list: Vec<String> = paths.iter().map(|path| format!("`{path}`")).collect();
    Diagnostic::error(Code::KT0703, format!("not up to date: {}", list.join(", ")))
        .why("with `--frozen`, generated and locked files have to be those of the sources")
        .help("run `kontract build` and commit what it changes")
}
