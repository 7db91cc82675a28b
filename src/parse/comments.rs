//! Documentation comments: `///` lines and `/** */` blocks above a node, and the marks in them.

use swc_common::Span;
use swc_common::comments::{Comment, CommentKind};

use super::module::ParsedModule;
use crate::contract::Doc;
use crate::diag::nearest;
use crate::source::Location;

/// What stands above a declaration.
#[derive(Debug, Clone, Default)]
pub(crate) struct DocComment {
    /// The prose, taken apart.
    pub(crate) doc: Doc,
    /// Tags that are no documentation, such as `@primkey`.
    pub(crate) marks: Vec<Mark>,
    /// Tags that are neither marks nor known, and called nearly like a mark.
    pub(crate) misspelt: Vec<Misspelt>,
}

/// A tag that means nothing, and the mark that it is called like.
#[derive(Debug, Clone)]
pub(crate) struct Misspelt {
    pub(crate) name: String,
    pub(crate) near: &'static str,
    pub(crate) location: Location,
}

/// `@name value` in a documentation comment.
#[derive(Debug, Clone)]
pub(crate) struct Mark {
    pub(crate) name: String,
    pub(crate) value: String,
    pub(crate) location: Location,
}

impl DocComment {
    /// The comments directly above a node.
    pub(crate) fn above(module: &ParsedModule, node: Span) -> Self {
        let comments = module.comments.above(node.lo);
        let mut above = Self::default();
        let mut parser = TagParser::default();
        for comment in comments.iter().filter(|comment| is_doc(comment)) {
            for line in doc_lines(comment) {
                parser.line(&line);
            }
            parser.places.push((parser.marks.len(), comment.span));
            let misspelt = parser.misspelt.drain(..).map(|(name, near)| Misspelt {
                name,
                near,
                location: module.location(comment.span),
            });
            above.misspelt.extend(misspelt);
        }
        parser.finish();
        let mut places = parser.places.iter();
        let mut place = places.next();
        for (index, (name, value)) in parser.marks.into_iter().enumerate() {
            while place.is_some_and(|(end, _)| *end <= index) {
                place = places.next();
            }
            let span = place.map_or(node, |(_, span)| *span);
            above.marks.push(Mark { name, value, location: module.location(span) });
        }
        above.doc = parser.doc;
        above
    }

    /// Marks in comments at the ends of lines, where they mean nothing.
    pub(crate) fn stray(module: &ParsedModule) -> Vec<Mark> {
        let comments = module.comments.stray().iter().filter(|comment| is_doc(comment));
        let marks = comments.flat_map(|comment| {
            let mut parser = TagParser::default();
            doc_lines(comment).iter().for_each(|line| parser.line(line));
            let location = module.location(comment.span);
            parser.marks.into_iter().map(move |(name, value)| Mark { name, value, location })
        });
        marks.collect()
    }

    /// The mark of that name.
    pub(crate) fn mark(&self, name: &str) -> Option<&Mark> {
        self.marks.iter().find(|mark| mark.name == name)
    }
}

fn is_doc(comment: &Comment) -> bool {
    match comment.kind {
        CommentKind::Line => comment.text.starts_with('/'),
        CommentKind::Block => comment.text.starts_with('*'),
    }
}

/// A comment's lines without the decoration at their start.
fn doc_lines(comment: &Comment) -> Vec<String> {
    match comment.kind {
        CommentKind::Line => {
            let line = comment.text.trim_start_matches('/');
            vec![line.strip_prefix(' ').unwrap_or(line).trim_end().to_owned()]
        }
        CommentKind::Block => comment.text[1..].lines().map(|line| block_line(line).to_owned()).collect(),
    }
}

fn block_line(line: &str) -> &str {
    let trimmed = line.trim_start();
    let text = match trimmed.strip_prefix('*') {
        Some(rest) => rest.strip_prefix(' ').unwrap_or(rest),
        None => trimmed,
    };
    text.trim_end()
}

/// Sorts lines into the sections that tags begin.
#[derive(Default)]
struct TagParser {
    doc: Doc,
    marks: Vec<(String, String)>,
    misspelt: Vec<(String, &'static str)>,
    /// For each comment, the number of marks up to its end.
    places: Vec<(usize, Span)>,
    section: Option<(String, Vec<String>)>,
    text: Vec<String>,
    in_fence: bool,
}

impl TagParser {
    fn line(&mut self, line: &str) {
        if line.trim_start().starts_with("```") {
            self.in_fence = !self.in_fence;
        }
        if self.in_fence {
            self.part(line, None);
            return;
        }
        let mut rest = line;
        while let Some(at) = mark_within(rest) {
            let (before, mark) = rest.split_at(at);
            self.part(before, tag_of(before));
            rest = mark;
        }
        self.part(rest, tag_of(rest));
    }

    /// A line, or what of it stands between marks.
    fn part(&mut self, line: &str, tag: Option<(&str, &str)>) {
        match tag {
            Some((name, rest)) if MARKS.contains(&name) => {
                self.close_section();
                self.marks.push((name.to_owned(), rest.trim().to_owned()));
            }
            Some((name, rest)) => {
                let near = nearest(name, MARKS.iter().copied()).filter(|_| !NO_MARKS.contains(&name));
                self.misspelt.extend(near.map(|near| (name.to_owned(), near)));
                self.close_section();
                self.section = Some((name.to_owned(), vec![rest.to_owned()]));
            }
            None => match &mut self.section {
                Some((_, lines)) => lines.push(line.to_owned()),
                None => self.text.push(line.to_owned()),
            },
        }
    }

    fn finish(&mut self) {
        self.close_section();
        self.doc.text = trimmed_lines(&std::mem::take(&mut self.text));
    }

    fn close_section(&mut self) {
        let Some((name, lines)) = self.section.take() else { return };
        let text = trimmed_lines(&lines);
        match name.as_str() {
            "param" => {
                let (param, rest) = text.split_once(char::is_whitespace).unwrap_or((&text, ""));
                let rest = rest.trim_start().trim_start_matches('-').trim_start();
                self.doc.params.push((param.to_owned(), rest.to_owned()));
            }
            "returns" | "return" => self.doc.returns = Some(text),
            "throws" | "exception" => self.doc.throws.push(text),
            "example" => self.doc.examples.push(text),
            // Tags without a section of their own stay in the prose.
            _ => self.text.push(format!("@{name} {text}").trim_end().to_owned()),
        }
    }
}

/// `@name rest`
fn tag_of(line: &str) -> Option<(&str, &str)> {
    let tag = line.trim_start().strip_prefix('@')?;
    let end = tag.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(tag.len());
    if end == 0 { None } else { Some((&tag[..end], tag[end..].strip_prefix(' ').unwrap_or(&tag[end..]))) }
}

/// Where a mark begins that does not begin the line, other than in code: `The key. @primkey`, but not `` `@primkey` ``.
fn mark_within(line: &str) -> Option<usize> {
    let start = line.len() - line.trim_start().len();
    let found = line.match_indices('@').map(|(at, _)| at).filter(|at| *at > start);
    found.into_iter().find(|at| {
        let (before, rest) = line.split_at(*at);
        let is_mark = tag_of(rest).is_some_and(|(name, _)| MARKS.contains(&name));
        is_mark && before.ends_with([' ', '\t']) && before.matches('`').count() % 2 == 0
    })
}

fn trimmed_lines(lines: &[String]) -> String {
    lines.join("\n").trim().to_owned()
}

/// Tags that mean something to the compiler.
const MARKS: &[&str] = &["primkey", "perm", "index", "unique", "table", "scope"];
/// Tags of others that are called nearly like one.
const NO_MARKS: &[&str] = &["param", "parm", "label", "inner", "title", "stable", "sample"];
