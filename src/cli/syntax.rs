//! Syntax errors where the project's own TypeScript shows them.
//!
//! Two parsers seldom stumble over the same token. The compiler's is asked first, as it has to read everything; only when
//! it finds a syntax error, and the project has TypeScript, that reads those files as well: a fraction of a second.

use super::report::Reporter;
use super::tsc::Tsc;
use crate::artifact::Artifacts;
use crate::diag::Diagnostic;
use crate::parse::blanked;
use crate::source::Sources;
use crate::typecheck::{Message, Syntax, TSCONFIG};
use std::path::Path;

/// Reports what was found, if anything, with syntax errors in TypeScript's place and words. Without TypeScript, or where it
/// cannot be run, they are reported as they are: they are true in any case.
pub(super) fn report(project: &Path, sources: &Sources, diagnostics: &[Diagnostic], reporter: Reporter) {
    if diagnostics.is_empty() {
        return;
    }
    let syntax = Syntax::of(sources, diagnostics, blanked);
    let answer =
        syntax.zip(Tsc::of(project)).and_then(|(syntax, tsc)| match messages(&tsc, &syntax.files()) {
            Ok(messages) => Some(syntax.answered(&messages, diagnostics)),
            Err(error) => {
                reporter.say(format!("TypeScript was not asked about syntax errors: {error}"));
                None
            }
        });
    reporter.diagnostics(sources, answer.as_deref().unwrap_or(diagnostics));
}

fn messages(tsc: &Tsc, files: &Artifacts) -> std::io::Result<Vec<Message>> {
    let folder = tempfile::Builder::new().prefix("kontract-").tempdir()?;
    for (path, bytes) in files {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap_or(folder.path()))?;
        std::fs::write(path, bytes)?;
    }
    let output = tsc.command(&folder.path().join(TSCONFIG), folder.path()).output()?;
    let (messages, _strange) = Message::parse(&String::from_utf8_lossy(&output.stdout));
    Ok(messages)
}
