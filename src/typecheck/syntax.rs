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
use crate::diag::{Code, Diagnostic, as_message};
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
        files.insert(TSCONFIG.to_owned(), config.to_string().into_bytes());
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
    Diagnostic::error(Code::KT0004, format!("syntax error: {} ({})", as_message(&message.text), message.code))
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

/// The name of a configuration.
pub const TSCONFIG: &str = "tsconfig.json";

#[cfg(test)]
mod tests {
    use super::Syntax;
    use crate::diag::{Code, Diagnostic};
    use crate::source::{Location, SourceFile, Sources};
    use crate::typecheck::Message;

    #[test]
    fn what_typescript_does_not_see_stays() {
        let file =
            |path: &str, text: &str| SourceFile { path: path.to_owned(), text: text.to_owned().into() };
        let sources = Sources::new([
            file("src/a.ts", "@perm(?) const a = ;\nlet b = ;\n"),
            file("src/b.ts", "const c;\n"),
            file("src/c.ts", "let d = ;\n"),
        ]);
        let error = |code, path, start, message: &str| {
            let file = sources.id(path).expect("it is there");
            Diagnostic::error(code, message).at(Location { file, start, end: start + 1 }, "here")
        };
        let found = [
            error(Code::KT0004, "src/a.ts", 6, "in a decorator"),
            error(Code::KT0007, "src/a.ts", 0, "no syntax error"),
            error(Code::KT0004, "src/a.ts", 17, "elsewhere"),
            error(Code::KT0004, "src/b.ts", 6, "the checker's"),
            error(Code::KT0004, "src/c.ts", 4, "elsewhere"),
        ];
        let blank = |sources: &Sources| {
            let text = &sources.file(sources.id("src/a.ts").expect("it is asked about")).text;
            [("src/a.ts".to_owned(), text.replace("@perm(?)", "        "))].into()
        };
        let syntax = Syntax::of(&sources, &found, blank).expect("there are syntax errors");
        let asked: Vec<String> = syntax.files().into_keys().collect();
        assert_eq!(asked, ["0/a.ts", "1/b.ts", "2/c.ts", "tsconfig.json"]);
        let output = "0/a.ts(1,20): error TS1109: Expression expected.\n0/a.ts(2,9): error TS1109: Expression expected.\n2/c.ts(1,9): error TS1109: Expression expected.\n";
        let answered = syntax.answered(&Message::parse(output).0, &found);
        let shown: Vec<(String, u32)> = answered
            .into_iter()
            .map(|diagnostic| (diagnostic.message, diagnostic.labels[0].location.start))
            .collect();
        let expected = |message: &str, start| (message.to_owned(), start);
        let theirs = "syntax error: expression expected (TS1109)";
        assert_eq!(
            shown,
            [
                expected("in a decorator", 6),
                expected("no syntax error", 0),
                expected(theirs, 19),
                expected(theirs, 29),
                expected("the checker's", 6),
                expected(theirs, 8),
            ]
        );
        assert!(Syntax::of(&sources, &found[1..2], |_| [].into()).is_none(), "nothing to ask");
    }
}
