//! What a command says: people read standard error, programs read JSON from standard output.

use crate::diag::Diagnostic;
use crate::diag::render::{self, RenderOptions};
use crate::source::Sources;
use serde_json::{Value, json};
use std::io::{IsTerminal as _, Write as _};

/// Where a command's words go.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reporter {
    json: bool,
    colours: bool,
}

impl Reporter {
    /// `json` sends events to standard output as well. Colours appear on a terminal unless `NO_COLOR` is set.
    pub(super) fn new(json: bool) -> Self {
        let colours = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
        Self { json, colours }
    }

    /// A line for people.
    pub(super) fn say(self, line: impl AsRef<str>) {
        let mut stderr = std::io::stderr().lock();
        // Nothing is left to tell a reader that has gone.
        let _closed: std::io::Result<()> = writeln!(stderr, "{}", line.as_ref());
    }

    /// A line of JSON for programs, `{"event": name, …fields}`.
    pub(super) fn event(self, name: &str, fields: Value) {
        if !self.json {
            return;
        }
        let mut line = json!({ "event": name });
        if let (Value::Object(line), Value::Object(fields)) = (&mut line, fields) {
            line.extend(fields);
        }
        let mut stdout = std::io::stdout().lock();
        let _closed: std::io::Result<()> = writeln!(stdout, "{line}").and_then(|()| stdout.flush());
    }

    /// A text for standard output: what a person asked to see, or a JSON value in its place.
    pub(super) fn answer(self, text: &str, value: &Value) {
        let mut stdout = std::io::stdout().lock();
        let _closed: std::io::Result<()> =
            if self.json { writeln!(stdout, "{value}") } else { writeln!(stdout, "{text}") };
    }

    /// Diagnostics, rendered for people and listed in a `diagnostics` event.
    pub(super) fn diagnostics(self, sources: &Sources, diagnostics: &[Diagnostic]) {
        let options = RenderOptions { color: self.colours, ..RenderOptions::default() };
        self.say(render::to_text(diagnostics, sources, options));
        let list: Vec<Value> = diagnostics
            .iter()
            .map(|diagnostic| {
                let mut value = render::to_json(diagnostic, sources);
                let plain = RenderOptions::default();
                let text = render::to_text(std::slice::from_ref(diagnostic), sources, plain);
                value["rendered"] = text.into();
                value
            })
            .collect();
        self.event("diagnostics", json!({ "diagnostics": list }));
    }
}
