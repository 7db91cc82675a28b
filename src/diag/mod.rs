//! What the compiler says about a project: [`Diagnostic`], and [`Outcome`], which carries a result together with them.
//!
//! A phase collects everything it finds; it withholds its value only where the next phase would otherwise report
//! nonsense. Rendering is [`render`]'s alone.

pub mod codes;
pub mod render;

pub use codes::Code;

use crate::source::Location;
use serde::{Deserialize, Serialize};

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Severity {
    /// Nothing is written.
    Error,
    /// The output is made; the user should know.
    Warning,
}

/// A place in the source and what is to be said about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Label {
    /// The place.
    pub location: Location,
    /// A few words, lower case.
    pub text: String,
}

/// One message about the user's project.
///
/// Messages are lower case, have no final dot, and name the user's own symbol.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Diagnostic {
    /// Its code; `kontract explain` tells more about it.
    pub code: Code,
    /// Error or warning.
    pub severity: Severity,
    /// What is wrong, on one line.
    pub message: String,
    /// Where; the first one is the main place.
    pub labels: Vec<Label>,
    /// Why it is wrong.
    pub why: Option<String>,
    /// What to do.
    pub help: Option<String>,
}

impl Diagnostic {
    /// An error without a place yet.
    pub fn error(code: Code, message: impl Into<String>) -> Self {
        Self {
            code,
            severity: Severity::Error,
            message: message.into(),
            labels: Vec::new(),
            why: None,
            help: None,
        }
    }

    /// A warning without a place yet.
    pub fn warning(code: Code, message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(code, message) }
    }

    /// Adds a place.
    #[must_use]
    pub fn at(mut self, location: Location, text: impl Into<String>) -> Self {
        self.labels.push(Label { location, text: text.into() });
        self
    }

    /// Sets the reason.
    #[must_use]
    pub fn why(mut self, why: impl Into<String>) -> Self {
        self.why = Some(why.into());
        self
    }

    /// Sets the fix.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Appends a hint such as ``did you mean `perm`?`` to the fix, when a known name is near the wrong one.
    #[must_use]
    pub fn did_you_mean<'n>(self, wrong: &str, known: impl IntoIterator<Item = &'n str>) -> Self {
        let Some(near) = nearest(wrong, known) else { return self };
        let hint = format!("did you mean `{near}`?");
        let help = self.help.as_ref().map_or_else(|| hint.clone(), |help| format!("{hint} {help}"));
        self.help(help)
    }
}

/// A phase's result and all it has to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome<T> {
    /// The result; absent where the next phase would lie.
    pub value: Option<T>,
    /// In the order in which they were found.
    pub diagnostics: Vec<Diagnostic>,
}

impl<T> Outcome<T> {
    /// A result without remarks.
    pub fn of(value: T) -> Self {
        Self { value: Some(value), diagnostics: Vec::new() }
    }

    /// A result with remarks, possibly errors that do not stop the next phase.
    pub fn with(value: T, diagnostics: Vec<Diagnostic>) -> Self {
        Self { value: Some(value), diagnostics }
    }

    /// No result.
    pub fn failed(diagnostics: Vec<Diagnostic>) -> Self {
        Self { value: None, diagnostics }
    }

    /// Runs the next phase on the result and collects the diagnostics of both.
    pub fn and_then<U>(self, next: impl FnOnce(T) -> Outcome<U>) -> Outcome<U> {
        let mut diagnostics = self.diagnostics;
        let Some(value) = self.value else { return Outcome::failed(diagnostics) };
        let Outcome { value, diagnostics: more } = next(value);
        diagnostics.extend(more);
        Outcome { value, diagnostics }
    }

    /// Withholds the result when an error was found.
    #[must_use]
    pub fn stop_on_errors(mut self) -> Self {
        if self.has_errors() {
            self.value = None;
        }
        self
    }

    /// Whether an error was found.
    pub fn has_errors(&self) -> bool {
        self.diagnostics.iter().any(|diagnostic| diagnostic.severity == Severity::Error)
    }
}

/// Words of another program's as a message has them: lower case at the start, without a final dot.
pub fn as_message(words: &str) -> String {
    let mut chars = words.trim_end_matches('.').chars();
    chars.next().map_or_else(String::new, |first| first.to_lowercase().chain(chars).collect())
}

/// The known name nearest to a wrong one, if it is near enough to be meant.
pub fn nearest<'n>(wrong: &str, known: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    let length = wrong.chars().count();
    let allowed = 1 + length / 4;
    known
        .into_iter()
        // Measuring takes a while, and is asked for every decorator.
        .filter(|name| name.chars().count().abs_diff(length) <= allowed)
        .map(|name| (distance(wrong, name), name))
        .filter(|(distance, _)| *distance <= allowed)
        .min()
        .map(|(_, name)| name)
}

fn distance(a: &str, b: &str) -> usize {
    strsim::damerau_levenshtein(&a.to_lowercase(), &b.to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::{Code, Diagnostic, Outcome, nearest};

    #[test]
    fn a_near_name_is_suggested_and_a_far_one_is_not() {
        assert_eq!(nearest("perms", ["ugroup", "perm", "egroup"]), Some("perm"));
        assert_eq!(nearest("group", ["ugroup", "perm"]), Some("ugroup"));
        assert_eq!(nearest("timeout", ["ugroup", "perm", "egroup", "name"]), None);
    }

    #[test]
    fn phases_after_a_failed_one_do_not_run() {
        let failed: Outcome<u8> = Outcome::failed(vec![Diagnostic::error(Code::KT0004, "x")]);
        let next = failed.and_then(|_| Outcome::of(1_u8));
        assert_eq!((next.value, next.diagnostics.len()), (None, 1));
    }

    #[test]
    fn warnings_do_not_withhold_the_result() {
        let warned = Outcome::with(1_u8, vec![Diagnostic::warning(Code::KT0004, "x")]).stop_on_errors();
        assert_eq!(warned.value, Some(1));
    }
}
