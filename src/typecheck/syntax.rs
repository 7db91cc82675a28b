//! Where TypeScript itself sees the syntax errors of files that do not parse.
//!
//! ```text
//! files with KT0004  →  0/entries.ts, 1/page.tsx, tsconfig.json  →  what tsc prints  →  KT0004 where TypeScript shows them
//! ```
//!
//! Of a program with syntax errors TypeScript says nothing else, so that neither libraries nor imports are read for it.
//! What it does not see, because only kontract's decorators have it or only the checker looks for it, stays as it was.

use std::collections::{BTreeMap, BTreeSet};

use super::Message;
use super::message::{offset, word_end};
use crate::artifact::Artifacts;
use crate::diag::{Code, Diagnostic};
use crate::source::{FileId, Location, SourceFile, Sources};

/// Files whose syntax TypeScript is asked about.
pub struct Syntax<'s> {
    sources: &'s Sources,
    /// And what it is to read of them, in the order of their names: the first is `0/…`.
    asked: Vec<(FileId, String)>,
}

impl<'s> Syntax<'s> {
    /// The files that have syntax errors; `None` when there are none. `blank` gives the texts without kontract's decorators, by
    /// the paths of their files, where they differ.
    pub fn of(
        sources: &'s Sources,
        diagnostics: &[Diagnostic],
        blank: impl FnOnce(&Sources) -> BTreeMap<String, String>,
    ) -> Option<Self> {
        let broken: BTreeSet<FileId> = diagnostics.iter().filter_map(place).map(|at| at.file).collect();
        if broken.is_empty() {
            return None;
        }
        let mut blanked = blank(&Sources::new(broken.iter().map(|id| sources.file(*id).clone())));
        let text = |file: &SourceFile| blanked.remove(&file.path).unwrap_or_else(|| file.text.to_string());
        let texts: Vec<String> = broken.iter().map(|id| sources.file(*id)).map(text).collect();
        Some(Self { sources, asked: broken.into_iter().zip(texts).collect() })
    }

    /// What is to be laid into an empty folder, to have `tsconfig.json` checked there.
    pub fn files(&self) -> Artifacts {
        let names: Vec<String> = (0..self.asked.len()).map(|index| self.name(index)).collect();
        let config = serde_json::json!({ "compilerOptions": options(), "files": names });
        let texts = self.asked.iter().map(|(_, text)| text.clone().into_bytes());
        let mut files: Artifacts = names.iter().cloned().zip(texts).collect();
        files.insert(CONFIG.to_owned(), config.to_string().into_bytes());
        files
    }

    /// The diagnostics with TypeScript's syntax errors in the place of those that it sees in another way.
    pub fn answered(&self, messages: &[Message], diagnostics: &[Diagnostic]) -> Vec<Diagnostic> {
        let mut seen: BTreeMap<FileId, Vec<Diagnostic>> = BTreeMap::new();
        for message in messages {
            let Some((name, line, column)) = &message.place else { continue };
            let Some(index) = (0..self.asked.len()).find(|index| self.name(*index) == *name) else {
                continue;
            };
            let (file, text) = &self.asked[index];
            let start = offset(text, *line, *column);
            // Behind the user's text stands only what keeps names in use.
            let own = &self.sources.file(*file).text;
            let start = start.min(u32::try_from(own.len()).unwrap_or(u32::MAX));
            let at = Location { file: *file, start, end: word_end(own, start) };
            seen.entry(*file).or_default().push(diagnostic(message, at));
        }
        let mut answered = Vec::new();
        for diagnostic in diagnostics {
            let at = place(diagnostic).filter(|at| self.is_asked(*at));
            match at.and_then(|at| seen.get_mut(&at.file)) {
                Some(seen) => answered.append(seen),
                None => answered.push(diagnostic.clone()),
            }
        }
        answered
    }

    /// Whether TypeScript read what the user wrote at a place.
    fn is_asked(&self, at: Location) -> bool {
        let own = self.sources.file(at.file).text.as_bytes();
        let start = at.start as usize;
        let text = self.asked.iter().find(|(file, _)| *file == at.file).map(|(_, text)| text.as_bytes());
        text.is_some_and(|text| own.get(start).is_none_or(|byte| text.get(start) == Some(byte)))
    }

    fn name(&self, index: usize) -> String {
        let path = &self.sources.file(self.asked[index].0).path;
        format!("{index}/{}", path.rsplit('/').next().unwrap_or(path))
    }
}

/// Where a syntax error is.
fn place(diagnostic: &Diagnostic) -> Option<Location> {
    let label = diagnostic.labels.first().filter(|_| diagnostic.code == Code::KT0004)?;
    Some(label.location)
}

fn diagnostic(message: &Message, at: Location) -> Diagnostic {
    let text = message.text.trim_end_matches('.');
    let mut chars = text.chars();
    let lower: String =
        chars.next().map(|first| first.to_lowercase().chain(chars).collect()).unwrap_or_default();
    Diagnostic::error(Code::KT0004, format!("syntax error: {lower} ({})", message.code))
        .at(at, "here")
        .help("correct the syntax; place and words are those of the project's TypeScript")
}

/// Nothing but the files themselves is read.
fn options() -> serde_json::Value {
    serde_json::json!({
        "allowJs": true,
        "jsx": "preserve",
        "module": "preserve",
        "noEmit": true,
        "noLib": true,
        "noResolve": true,
        "target": "esnext",
        "types": [],
    })
}

/// The configuration's name.
pub const CONFIG: &str = "tsconfig.json";
