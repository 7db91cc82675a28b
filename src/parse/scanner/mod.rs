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
mod modest;

pub(crate) use blank::blank;
pub(crate) use lexical::{Refused, namespaced_member};
pub(super) use lexical::{is_identifier_part, skip_trivia};
pub(crate) use modest::is_modest;

use std::collections::BTreeMap;

use lexical::{At, Lexical, Scanned, is_identifier_start};

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
    /// The first token behind this decorator, which may be another decorator.
    pub(crate) next: usize,
    /// The first token behind this decorator and all that follow it.
    pub(crate) target: usize,
    /// The first decorator before the same target that is not of the vocabulary; the parser lets the node start there.
    pub(crate) foreign: Option<usize>,
    /// Whether a value ends before this decorator, the first one of its target, so that a `[`, `(`, `*` or backtick
    /// behind the blanks would continue it.
    pub(crate) after_value: bool,
    /// Whether a line break before the target would end the statement, as behind `return`.
    pub(crate) one_line: bool,
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
pub(crate) fn decorators(text: &str, tsx: bool) -> Result<Vec<FoundDecorator>, Refused> {
    decorators_of(text, tsx, is_vocabulary)
}

/// Every decorator with a name, whose ever it is.
///
/// # Errors
/// As [`decorators`].
pub(crate) fn all_decorators(text: &str, tsx: bool) -> Result<Vec<FoundDecorator>, Refused> {
    decorators_of(text, tsx, |name| !name.is_empty())
}

/// Where the nodes begin that decorators stand before, whose ever these are, and the first of these decorators.
///
/// # Errors
/// As [`decorators`].
pub(crate) fn targets(text: &str, tsx: bool) -> Result<BTreeMap<usize, usize>, Refused> {
    let all = decorators_of(text, tsx, |_| true)?;
    Ok(all.into_iter().rev().map(|decorator| (decorator.target, decorator.at)).collect())
}

/// Whether a decorator may stand before a parameter: in front of the `@` there is a bracket, a comma, or another one.
pub(crate) fn decorates_parameter(text: &str) -> bool {
    let bytes = text.as_bytes();
    memchr::memchr_iter(b'@', bytes).any(|at| {
        let before = bytes[..at].iter().rfind(|byte| !byte.is_ascii_whitespace());
        matches!(before, Some(b'(' | b','))
    })
}

fn decorators_of(text: &str, tsx: bool, wanted: fn(&[u8]) -> bool) -> Result<Vec<FoundDecorator>, Refused> {
    let scanned = Lexical::scan(text, tsx)?;
    let mut found = Vec::new();
    // The innermost last: in the arguments of a foreign decorator there may be others.
    let mut chains = vec![Chain::default()];
    for found_at in scanned.ats.iter().copied() {
        let at = found_at.at;
        while chains.len() > 1 && chains[chains.len() - 2].end <= at {
            found.extend(chains.pop().unwrap_or_default().finish());
        }
        let Some(mut chain) = chains.pop() else { break };
        if at < chain.end {
            chains.push(chain);
            if at < chains[chains.len() - 1].own_end {
                continue;
            }
            chain = Chain::default();
        }
        if let Some(extent) = Extent::at(text, at, &scanned) {
            if at != chain.target {
                found.extend(chain.finish());
            }
            chain.add(text, found_at, &extent, wanted);
        }
        chains.push(chain);
    }
    found.extend(chains.into_iter().flat_map(|mut chain| chain.finish()));
    found.sort_by_key(|decorator| decorator.at);
    Ok(found)
}

/// Decorators one behind the other, before one target.
#[derive(Default)]
struct Chain {
    own: Vec<FoundDecorator>,
    foreign: Option<usize>,
    /// Behind the last one.
    end: usize,
    /// Behind the last one of the vocabulary.
    own_end: usize,
    /// The token behind it.
    target: usize,
    one_line: bool,
}

impl Chain {
    fn add(&mut self, text: &str, found: At, extent: &Extent, wanted: fn(&[u8]) -> bool) {
        self.end = extent.end;
        self.target = skip_trivia(text.as_bytes(), extent.end);
        let first = self.own.is_empty() && self.foreign.is_none();
        self.one_line = if first { found.after_restricted } else { self.one_line };
        if wanted(&text.as_bytes()[extent.name_start..extent.name_end]) {
            self.own_end = extent.end;
            self.own.push(FoundDecorator {
                at: found.at,
                name_start: extent.name_start,
                name_end: extent.name_end,
                end: extent.end,
                has_arguments: extent.has_arguments,
                next: self.target,
                target: self.target,
                foreign: None,
                after_value: first && found.after_value,
                one_line: self.one_line,
            });
        } else if self.foreign.is_none() {
            self.foreign = Some(found.at);
        }
    }

    /// Those of the vocabulary; the chain begins anew.
    fn finish(&mut self) -> Vec<FoundDecorator> {
        let foreign = self.foreign.take();
        let mut own = std::mem::take(&mut self.own);
        for decorator in &mut own {
            decorator.target = self.target;
            decorator.foreign = foreign;
        }
        own
    }
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
    fn at(text: &str, at: usize, scanned: &Scanned) -> Option<Self> {
        let bytes = text.as_bytes();
        let name_start = skip_trivia(bytes, at + 1);
        let name_end = dotted_name_end(bytes, name_start);
        let open = skip_trivia(bytes, name_end);
        let close = scanned.behind_closing(open);
        if name_start == name_end {
            // `@(expression) target` is a legal foreign decorator.
            return close.map(|end| Self { name_start, name_end: end, has_arguments: false, end });
        }
        Some(Self { name_start, name_end, has_arguments: close.is_some(), end: close.unwrap_or(name_end) })
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

fn is_vocabulary(word: &[u8]) -> bool {
    VOCABULARY.iter().any(|known| known.as_bytes() == word)
}

/// The decorators that kontract gives a meaning to.
pub(crate) const VOCABULARY: &[&str] = &[
    "backend", "mwfilter", "primkey", "perm", "index", "unique", "int8", "int16", "int32", "int64", "uint8",
    "uint16", "uint32", "uint64", "float32", "float64",
];
