//! Finds kontract's decorators in a source text and blanks them, so that a stock TypeScript parser reads the rest.
//!
//! ```text
//! in:   interface Entry { @primkey id: string }      text
//! out:  interface Entry {          id: string }      text of equal length, for the parser
//!       @primkey, target at `id`                     decorators, to be attached to the node that starts there
//! ```
//!
//! The parser alone is not enough: on interface members and arrow functions it fails, and on arrow parameters it drops
//! decorators silently. Knows lexical structure only: strings, templates, comments, regular expressions and JSX.

mod blank;
mod lexical;

pub(crate) use blank::blank;
pub(crate) use lexical::TooDeep;

use lexical::{At, Lexical, is_identifier_part, is_identifier_start, skip_trivia};

/// A decorator of the vocabulary in the text. All numbers are byte offsets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FoundDecorator {
    /// The `@`.
    pub(crate) at: usize,
    /// The name's first byte.
    pub(crate) name_start: usize,
    /// Behind the name's last byte.
    pub(crate) name_end: usize,
    /// Behind the last byte, arguments included.
    pub(crate) end: usize,
    /// Whether there is an argument list.
    pub(crate) has_arguments: bool,
    /// The first token behind this decorator and all that follow it.
    pub(crate) target: usize,
    /// The first decorator behind this one that is not of the vocabulary; the parser lets the node start there.
    pub(crate) foreign: Option<usize>,
    /// Whether a value ends before the `@`, so that a `[`, `(`, `*` or backtick behind the blanks would continue it.
    pub(crate) after_value: bool,
}

/// Whether the text contains `@` and a word of the vocabulary at all. Clean files cost no more than this.
pub(crate) fn mentions_vocabulary(text: &str) -> bool {
    let bytes = text.as_bytes();
    memchr::memchr_iter(b'@', bytes).any(|at| {
        let rest = &bytes[at + 1..];
        let end = rest.iter().position(|byte| !is_identifier_part(*byte)).unwrap_or(rest.len());
        is_vocabulary(&rest[..end])
    })
}

/// Every decorator of the vocabulary in code, in order of position.
///
/// # Errors
/// When brackets or JSX elements are nested too deep.
pub(crate) fn decorators(text: &str, tsx: bool) -> Result<Vec<FoundDecorator>, TooDeep> {
    let mut found: Vec<FoundDecorator> = Vec::new();
    for At { at, after_value } in Lexical::ats(text, tsx)? {
        let inside_last = found.last().is_some_and(|last| at < last.end);
        if inside_last {
            continue;
        }
        let Some(extent) = Extent::at(text, at, tsx)? else { continue };
        if !extent.is_vocabulary(text) {
            continue;
        }
        let (target, foreign) = target_behind(text, extent.end, tsx)?;
        found.push(FoundDecorator {
            at,
            name_start: extent.name_start,
            name_end: extent.name_end,
            end: extent.end,
            has_arguments: extent.has_arguments,
            target,
            foreign,
            after_value,
        });
    }
    Ok(found)
}

/// `@name.name(arguments)`, without what it decorates.
struct Extent {
    name_start: usize,
    name_end: usize,
    has_arguments: bool,
    end: usize,
}

impl Extent {
    /// `None` when no name follows the `@`.
    fn at(text: &str, at: usize, tsx: bool) -> Result<Option<Self>, TooDeep> {
        let bytes = text.as_bytes();
        let name_start = skip_trivia(bytes, at + 1);
        let name_end = dotted_name_end(bytes, name_start);
        let open = skip_trivia(bytes, name_end);
        let close = if bytes.get(open) == Some(&b'(') { Lexical::closing(text, open, tsx)? } else { None };
        if name_start == name_end {
            // `@(expression) target` is a legal foreign decorator.
            return Ok(close.map(|end| Self { name_start, name_end: end, has_arguments: false, end }));
        }
        Ok(Some(Self {
            name_start,
            name_end,
            has_arguments: close.is_some(),
            end: close.unwrap_or(name_end),
        }))
    }

    fn is_vocabulary(&self, text: &str) -> bool {
        is_vocabulary(&text.as_bytes()[self.name_start..self.name_end])
    }
}

fn dotted_name_end(bytes: &[u8], start: usize) -> usize {
    let mut end = start;
    loop {
        let word_end = end + bytes[end..].iter().take_while(|byte| is_identifier_part(**byte)).count();
        if word_end == end {
            return end;
        }
        let dot = skip_trivia(bytes, word_end);
        let next = skip_trivia(bytes, dot + 1);
        let continues =
            bytes.get(dot) == Some(&b'.') && bytes.get(next).is_some_and(|byte| is_identifier_start(*byte));
        if !continues {
            return word_end;
        }
        end = next;
    }
}

/// The decorated token, and the first foreign decorator on the way to it.
fn target_behind(text: &str, end: usize, tsx: bool) -> Result<(usize, Option<usize>), TooDeep> {
    let bytes = text.as_bytes();
    let mut target = skip_trivia(bytes, end);
    let mut foreign = None;
    while bytes.get(target) == Some(&b'@') {
        let Some(extent) = Extent::at(text, target, tsx)? else { break };
        if foreign.is_none() && !extent.is_vocabulary(text) {
            foreign = Some(target);
        }
        target = skip_trivia(bytes, extent.end);
    }
    Ok((target, foreign))
}

fn is_vocabulary(word: &[u8]) -> bool {
    VOCABULARY.iter().any(|known| known.as_bytes() == word)
}

/// The decorators that kontract gives a meaning to.
pub(crate) const VOCABULARY: &[&str] = &[
    "backend", "mwfilter", "primkey", "perm", "index", "unique", "int8", "int16", "int32", "int64", "uint8",
    "uint16", "uint32", "uint64", "float32", "float64",
];
