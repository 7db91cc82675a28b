//! What `tsc --pretty false` prints, and where that is in the user's files.
//!
//! ```text
//! src/api/entries.ts(12,5): error TS2322: Type 'string' is not assignable to type 'number'.
//!   The expected type comes from property 'likes' …
//! ```

use std::collections::{BTreeMap, BTreeSet};

use super::Shadow;
use super::shadow::unmarked;
use crate::diag::{Code, Diagnostic};
use crate::source::{Location, SourceFile, Sources, normalize_path};

/// One message of TypeScript.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Message {
    /// The file as printed, with line and column from 1 in UTF-16 units; none for what is about the program.
    pub place: Option<(String, u32, u32)>,
    /// `TS2322`
    pub code: String,
    /// The first line of its text.
    pub text: String,
    /// The lines below it.
    pub details: Vec<String>,
}

impl Message {
    /// The messages of an output, and whether there is a line that belongs to none.
    pub fn parse(output: &str) -> (Vec<Self>, Option<String>) {
        let mut messages: Vec<Self> = Vec::new();
        let mut strange = None;
        for line in output.lines().filter(|line| !line.trim().is_empty()) {
            match (Self::first_line(line), messages.last_mut()) {
                (Some(message), _) => messages.push(message),
                (None, Some(last)) if line.starts_with(' ') => last.details.push(line.trim().to_owned()),
                (None, _) => {
                    strange.get_or_insert_with(|| line.to_owned());
                }
            }
        }
        (messages, strange)
    }

    fn first_line(line: &str) -> Option<Self> {
        let (place, rest) = match line.strip_prefix(ERROR) {
            Some(rest) => (None, rest),
            None => {
                let at = line.find(PLACED_ERROR)?;
                let (path, numbers) = line[..at].rsplit_once('(')?;
                let (row, column) = numbers.split_once(',')?;
                let place = (path.to_owned(), row.parse().ok()?, column.parse().ok()?);
                (Some(place), &line[at + PLACED_ERROR.len()..])
            }
        };
        let (number, text) = rest.split_once(": ")?;
        number.bytes().all(|byte| byte.is_ascii_digit()).then(|| Self {
            place,
            code: format!("TS{number}"),
            text: text.to_owned(),
            details: Vec::new(),
        })
    }
}

/// Reads the text of a file outside of the compiler's sources, by its path in the tree.
pub type SourceText<'r> = dyn Fn(&str) -> Option<String> + 'r;

/// The messages as diagnostics of the user's files.
#[derive(Debug)]
pub struct Checked {
    /// The files that the diagnostics point into.
    pub sources: Sources,
    /// In the order of files and positions, none twice.
    pub diagnostics: Vec<Diagnostic>,
}

impl Checked {
    /// `tree` and `mirrored` are the folders of the tree and of what it mirrors, as messages may spell them.
    pub fn of(
        messages: &[Message],
        shadow: &Shadow,
        read: &SourceText<'_>,
        (tree, mirrored): (&str, &str),
    ) -> Self {
        let mut texts: BTreeMap<String, String> = BTreeMap::new();
        let mut placed: BTreeSet<(String, u32, String, Message)> = BTreeSet::new();
        for message in messages {
            let mut message = message.clone();
            let place = message.place.take();
            message.text = unmarked(&message.text.replace(tree, mirrored));
            message.details =
                message.details.iter().map(|line| unmarked(&line.replace(tree, mirrored))).collect();
            match place.and_then(|place| Place::of(&place, shadow, read)) {
                None => {
                    placed.insert((String::new(), 0, message.code.clone(), message));
                }
                // Behind the user's text stands only what keeps names in use.
                Some(place) if place.offset as usize > place.text.len() => {}
                Some(place) => {
                    placed.insert((place.path.clone(), place.offset, message.code.clone(), message));
                    texts.insert(place.path, place.text);
                }
            }
        }
        let sources =
            Sources::new(texts.into_iter().map(|(path, text)| SourceFile { path, text: text.into() }));
        let diagnostics = placed
            .iter()
            .map(|(path, offset, _, message)| {
                let diagnostic = diagnostic(message);
                match sources.id(path) {
                    Some(file) => {
                        let end = word_end(&sources.file(file).text, *offset);
                        diagnostic.at(Location { file, start: *offset, end }, "here")
                    }
                    None => diagnostic,
                }
            })
            .collect();
        Self { sources, diagnostics }
    }
}

/// A place in a file of the user's.
struct Place {
    path: String,
    text: String,
    offset: u32,
}

impl Place {
    /// `None` when the file cannot be read, as it is with a configuration of the tree.
    fn of((path, line, column): &(String, u32, u32), shadow: &Shadow, read: &SourceText<'_>) -> Option<Self> {
        let in_tree = normalize_path(&shadow.path(path)).filter(|_| !path.starts_with('/'));
        let (shown, text, seen) = match in_tree {
            Some(in_tree) => {
                let text = read(&in_tree)?;
                let seen = shadow.blanked(&in_tree).map(str::to_owned);
                (relative(shadow.project(), &in_tree), text, seen)
            }
            None => (path.clone(), read(path)?, None),
        };
        let offset = offset(seen.as_deref().unwrap_or(&text), *line, *column);
        Some(Self { path: shown, text, offset })
    }
}

/// A path of the tree as seen from the project: `../shared/a.ts` for one beside it.
fn relative(project: &str, path: &str) -> String {
    let parts: Vec<&str> = project.split('/').filter(|part| !part.is_empty()).collect();
    let path: Vec<&str> = path.split('/').collect();
    let same = parts.iter().zip(&path).take_while(|(a, b)| a == b).count();
    format!("{}{}", "../".repeat(parts.len() - same), path[same..].join("/"))
}

/// The byte offset of a line and a column as TypeScript counts them: it does not see a byte order mark, and its lines
/// also end at a lone carriage return and at the two separators of Unicode.
pub(super) fn offset(text: &str, line: u32, column: u32) -> u32 {
    let start = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
    let mut at = start;
    let mut chars = text[start..].chars().peekable();
    let mut rest = line.saturating_sub(1);
    while rest > 0 {
        let Some(char) = chars.next() else { break };
        at += char.len_utf8();
        let ends = match char {
            '\r' => chars.peek() != Some(&'\n'),
            '\n' | '\u{2028}' | '\u{2029}' => true,
            _ => false,
        };
        rest -= u32::from(ends);
    }
    let mut units = u64::from(column.saturating_sub(1));
    for char in chars {
        let width = char.len_utf16() as u64;
        if units < width {
            break;
        }
        units -= width;
        at += char.len_utf8();
    }
    u32::try_from(at).unwrap_or(u32::MAX)
}

/// Where the word at an offset ends; behind one character when there is none.
pub(super) fn word_end(text: &str, start: u32) -> u32 {
    let rest = text.get(start as usize..).unwrap_or("");
    let is_word = |char: char| char.is_alphanumeric() || matches!(char, '_' | '$');
    let word = rest.find(|char| !is_word(char)).unwrap_or(rest.len());
    let one = rest.chars().next().filter(|char| *char != '\n').map_or(0, char::len_utf8);
    start + u32::try_from(word.max(one)).unwrap_or(0)
}

fn diagnostic(message: &Message) -> Diagnostic {
    let text = message.text.trim_end_matches('.');
    let diagnostic = Diagnostic::error(Code::KT0701, format!("{}: {text}", message.code));
    if message.details.is_empty() { diagnostic } else { diagnostic.why(message.details.join("\n")) }
}

const ERROR: &str = "error TS";
const PLACED_ERROR: &str = "): error TS";

#[cfg(test)]
mod tests {
    use super::{Message, offset, relative};

    #[test]
    fn messages_keep_what_stands_below_them() {
        let output = "src/a (1).ts(3,7): error TS2322: Type 'a' is not.\n  Because: error TS1: x.\n    Deeper.\nerror TS18003: No inputs.\n";
        let (messages, strange) = Message::parse(output);
        assert_eq!(strange, None);
        assert_eq!(messages[0].place, Some(("src/a (1).ts".to_owned(), 3, 7)));
        assert_eq!(messages[0].details, ["Because: error TS1: x.", "Deeper."]);
        assert_eq!((messages[1].code.as_str(), &messages[1].place), ("TS18003", &None));
        assert_eq!(Message::parse("Segmentation fault").1.as_deref(), Some("Segmentation fault"));
    }

    #[test]
    fn columns_are_those_of_utf_16() {
        assert_eq!(offset("\u{feff}ab\r\n😀x", 1, 2), 4);
        assert_eq!(offset("\u{feff}ab\r\n😀x", 2, 3), 11);
        assert_eq!(offset("a\rb\u{2028}c", 3, 1), 6);
        assert_eq!(offset("a", 9, 9), 1);
    }

    #[test]
    fn files_beside_the_project_are_named_from_it() {
        assert_eq!(relative("packages/app", "packages/app/src/a.ts"), "src/a.ts");
        assert_eq!(relative("packages/app", "packages/lib/a.ts"), "../lib/a.ts");
        assert_eq!(relative("", "a.ts"), "a.ts");
    }
}
