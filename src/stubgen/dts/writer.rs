//! A file of declarations being written, with the places of the names that the user declared.

use super::CLIENT_DEPTH;
use super::enums::{ENUMS, FILE, NAMESPACE};
use super::map::{Mapping, map_text};
use crate::artifact::specifier;
use crate::contract::Doc;
use crate::contract::signature::quoted;
use crate::emit::build::{GENERATED, is_identifier_name};
use crate::source::{Location, Sources};

/// Lines of declarations.
pub(super) struct Declarations {
    text: String,
    /// How many lines the text has up to a byte of it.
    counted: (u32, usize),
    depth: usize,
    mappings: Vec<Mapping>,
}

impl Declarations {
    /// With what every generated file opens with.
    pub(super) fn new() -> Self {
        Self { text: GENERATED.to_owned(), counted: (0, 0), depth: 0, mappings: Vec::new() }
    }

    /// Whole lines as they are.
    pub(super) fn verbatim(&mut self, lines: &str) {
        self.text.push_str(lines);
    }

    pub(super) fn line(&mut self, line: &str) {
        self.text.push_str(&"  ".repeat(self.depth));
        self.text.push_str(line);
        self.text.push('\n');
    }

    /// A line with a name that the user declared at `source`, as it is spelled: `before`, the name, `behind`.
    pub(super) fn declare(&mut self, before: &str, (name, source): (&str, Location), behind: &str) {
        let line = self.lines();
        let column = self.depth * 2 + before.encode_utf16().count();
        let column = u32::try_from(column).unwrap_or(u32::MAX);
        self.mappings.push(Mapping { line, column, source });
        self.line(&format!("{before}{name}{behind}"));
    }

    /// How many lines there are so far.
    fn lines(&mut self) -> u32 {
        let (lines, end) = self.counted;
        let more = memchr::memchr_iter(b'\n', &self.text.as_bytes()[end..]).count();
        self.counted = (lines.saturating_add(u32::try_from(more).unwrap_or(u32::MAX)), self.text.len());
        self.counted.0
    }

    pub(super) fn blank(&mut self) {
        self.text.push('\n');
    }

    pub(super) fn open(&mut self, line: &str) {
        self.line(line);
        self.indent();
    }

    pub(super) fn indent(&mut self) {
        self.depth += 1;
    }

    pub(super) fn close(&mut self, line: &str) {
        self.depth -= 1;
        self.line(line);
    }

    /// A documentation block, unless there is nothing to say.
    pub(super) fn doc(&mut self, doc: &Doc) {
        let lines = doc_lines(doc);
        match lines.as_slice() {
            [] => {}
            [only] => self.line(&format!("/** {only} */")),
            _ => {
                self.line("/**");
                for line in &lines {
                    self.line(format!(" * {line}").trim_end());
                }
                self.line(" */");
            }
        }
    }

    /// The text of the file `path`, which lies `depth` folders below the project, and its map if there is anything in
    /// it.
    pub(super) fn finish(mut self, sources: &Sources, path: &str, depth: usize) -> Vec<(String, String)> {
        if self.text.contains(ENUMS) {
            // No name that has a place stands behind one on its line.
            let from_here = match depth >= CLIENT_DEPTH {
                true => format!("import({})", quoted(&specifier(&format!("{path}.js"), FILE))),
                false => NAMESPACE.to_owned(),
            };
            self.text = self.text.replace(ENUMS, &from_here);
        }
        if self.mappings.is_empty() {
            return vec![(path.to_owned(), self.text)];
        }
        let map = map_text(sources, path, depth, &self.mappings);
        let name = path.rsplit('/').next().unwrap_or(path);
        let text = format!("{}//# sourceMappingURL={name}.map\n", self.text);
        vec![(path.to_owned(), text), (format!("{path}.map"), map)]
    }
}

fn doc_lines(doc: &Doc) -> Vec<String> {
    let mut lines: Vec<String> = doc.text.trim().lines().map(str::to_owned).collect();
    let mut tag = |name: &str, text: &str| {
        let mut parts = text.lines();
        lines.push(format!("@{name} {}", parts.next().unwrap_or("")).trim_end().to_owned());
        lines.extend(parts.map(str::to_owned));
    };
    for (name, text) in &doc.params {
        tag("param", &format!("{name} {text}"));
    }
    if let Some(text) = &doc.returns {
        tag("returns", text);
    }
    for text in &doc.throws {
        tag("throws", text);
    }
    for text in &doc.examples {
        tag("example", &format!("\n{text}"));
    }
    // The block must not end before it ends.
    lines.iter().map(|line| line.replace("*/", "*\u{200b}/")).collect()
}

/// A name as a property is declared by it.
pub(super) fn property(name: &str) -> String {
    if is_identifier_name(name) { name.to_owned() } else { quoted(name) }
}
