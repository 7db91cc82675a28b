//! A scanner that tells code from strings, templates, comments, regular expressions and JSX, without a grammar.
//!
//! It only has to be right about where an `@` is code; what it gets wrong is found when the parsed tree is compared
//! with the decorators (`session`). Takes time linear in the text, whatever the text is.

mod jsx;

use std::collections::HashMap;

pub(crate) use jsx::namespaced_member;

use super::super::limits::{ANGLES_MAX, NESTING_MAX, OPERATORS_MAX, REGEX_BYTES_MAX};

/// An `@` in code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct At {
    /// Its offset.
    pub(super) at: usize,
    /// Whether the token before it ends a value.
    pub(super) after_value: bool,
    /// Whether the token before it allows no line break behind it, as `return` does not.
    pub(super) after_restricted: bool,
}

/// What a scan found.
#[derive(Debug, Default)]
pub(super) struct Scanned {
    /// Every `@` in code.
    pub(super) ats: Vec<At>,
    /// Every `(` that is closed, and the offset behind its `)`; in order.
    parentheses: Vec<(usize, usize)>,
}

impl Scanned {
    /// Behind the `)` that closes the `(` at `open`.
    pub(super) fn behind_closing(&self, open: usize) -> Option<usize> {
        let found = self.parentheses.binary_search_by_key(&open, |(open, _)| *open).ok()?;
        Some(self.parentheses[found].1)
    }
}

/// What is not given to the parser.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refused {
    /// Brackets or JSX elements are nested deeper than [`NESTING_MAX`], or the parser would take too long; the offset
    /// of the first token beyond.
    TooDeep(usize),
    /// A member of a namespaced JSX name, as in `<a:b.c>`, at which the parser panics; the offset of the dot.
    TagName(usize),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Bracket {
    /// `{` of a block or of an object literal.
    Brace { object: bool },
    /// `${` in a template.
    Template,
    /// `{` in JSX.
    Jsx,
    /// `(` and its offset; `condition` behind `if`, `while`, `for`, `with`.
    Paren { condition: bool, at: usize },
    /// `[`
    Square,
}

/// What the parser recurses into or reads again and again where much of it stands in one bracket.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Runs {
    /// `<` that no `>` has closed: each may begin type arguments.
    angles: usize,
    /// `<A>` one behind the other, as in `<A><B>value`.
    assertions: usize,
    /// Operators of one expression: what follows may nest in them, as in `a => b => c`.
    operators: usize,
    /// Words that directly follow each other, as in `keyof keyof A`.
    words: usize,
    /// `label:` one behind the other.
    labels: usize,
    /// `else if` since the `if` that they belong to.
    branches: usize,
}

/// What the previous token is, as far as it decides whether `/` divides and `<` compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Previous {
    Value,
    Operator,
    ConditionEnd,
    BlockEnd,
}

/// The state of one scan.
pub(super) struct Lexical<'s> {
    text: &'s [u8],
    at: usize,
    tsx: bool,
    stack: Vec<(Bracket, Runs)>,
    /// Of the innermost bracket.
    runs: Runs,
    previous: Previous,
    previous_byte: u8,
    after_condition_keyword: bool,
    after_restricted: bool,
    after_dot: bool,
    elements: usize,
    scanned: Scanned,
    /// For each name, the last `</name`; made when first asked for.
    closing_tags: Option<HashMap<&'s [u8], usize>>,
}

impl<'s> Lexical<'s> {
    /// Everything that is asked about a text.
    pub(super) fn scan(text: &'s str, tsx: bool) -> Result<Scanned, Refused> {
        let mut scan = Self::new(text, tsx);
        if scan.text.starts_with(b"#!") {
            scan.at = find(scan.text, 0, b'\n');
        }
        scan.run(None)?;
        scan.scanned.parentheses.sort_unstable();
        Ok(scan.scanned)
    }

    fn new(text: &'s str, tsx: bool) -> Self {
        Self {
            text: text.as_bytes(),
            at: 0,
            tsx,
            stack: Vec::with_capacity(32),
            runs: Runs::default(),
            previous: Previous::Operator,
            previous_byte: b';',
            after_condition_keyword: false,
            after_restricted: false,
            after_dot: false,
            elements: 0,
            scanned: Scanned::default(),
            closing_tags: None,
        }
    }

    /// Scans to the end, or until a closing bracket brings the stack down to `floor`.
    fn run(&mut self, floor: Option<usize>) -> Result<(), Refused> {
        while let Some(&byte) = self.text.get(self.at) {
            match BEGINS[byte as usize] {
                Begins::Space => {
                    self.at += self.text[self.at..].iter().take_while(|byte| is_space(**byte)).count();
                }
                Begins::Word => self.word()?,
                Begins::Other if self.at_comment() => self.at = skip_trivia(self.text, self.at),
                Begins::Other => {
                    self.token(byte)?;
                    if matches!(byte, b')' | b']' | b'}')
                        && floor.is_some_and(|floor| self.stack.len() <= floor)
                    {
                        return Ok(());
                    }
                }
            }
        }
        Ok(())
    }

    /// One token that is not a word. One arm for each way to begin; long, but flat.
    fn token(&mut self, byte: u8) -> Result<(), Refused> {
        let after_condition_keyword = std::mem::take(&mut self.after_condition_keyword);
        let after_restricted = std::mem::take(&mut self.after_restricted);
        self.after_dot = false;
        if byte != b':' {
            self.runs.labels = 0;
        }
        self.runs.words = 0;
        match byte {
            b'"' | b'\'' => {
                self.string(byte);
                self.set(Previous::Value, byte);
            }
            b'`' => {
                self.at += 1;
                self.template()?;
            }
            b'/' => self.slash()?,
            b'{' => {
                let opens_value = self.previous == Previous::Operator
                    && !matches!(self.previous_byte, b';' | b'{' | b'}' | b'>' | b'E')
                    && !after_condition_keyword;
                self.open(Bracket::Brace { object: opens_value }, byte)?;
            }
            b'(' => self.open(Bracket::Paren { condition: after_condition_keyword, at: self.at }, byte)?,
            b'[' => self.open(Bracket::Square, byte)?,
            b'}' | b')' | b']' => self.close(byte)?,
            b'@' => {
                let after_value = self.previous == Previous::Value;
                self.scanned.ats.push(At { at: self.at, after_value, after_restricted });
                self.advance(Previous::Operator, byte);
            }
            b'<' if self.tsx && self.previous != Previous::Value && self.starts_element() => {
                self.element()?;
                self.set(Previous::Value, b'>');
            }
            b'<' => {
                let asserts_again = self.previous != Previous::Value && self.previous_byte == b'>';
                self.runs.assertions = if asserts_again { self.runs.assertions + 1 } else { 0 };
                self.runs.angles += 1;
                self.bound(self.runs.angles.max(self.runs.assertions), ANGLES_MAX)?;
                self.advance(Previous::Operator, byte);
            }
            b'>' if self.previous_byte != b'=' => {
                self.runs.angles = self.runs.angles.saturating_sub(1);
                self.advance(Previous::Operator, byte);
            }
            b':' if self.previous_byte == b'a' => {
                self.runs.labels += 1;
                self.bound(self.runs.labels, ANGLES_MAX)?;
                self.advance(Previous::Operator, byte);
            }
            b',' => {
                self.runs.operators = 0;
                self.advance(Previous::Operator, byte);
            }
            b';' => {
                self.runs.angles = 0;
                self.runs.operators = 0;
                self.advance(Previous::Operator, byte);
            }
            // No type has these.
            b'&' | b'|' if self.peek(1) == Some(byte) => {
                self.runs.angles = 0;
                self.at += 1;
                self.advance(Previous::Operator, byte);
            }
            // A postfix `!` keeps its operand a value.
            b'!' if self.previous == Previous::Value && self.peek(1) != Some(b'=') => self.at += 1,
            b'+' | b'-' if self.peek(1) == Some(byte) => {
                self.operator()?;
                self.at += 2;
                self.previous_byte = byte;
            }
            b'.' if self.peek(1).is_some_and(|next| next.is_ascii_digit()) => self.at += 1,
            b'.' => {
                self.advance(Previous::Operator, byte);
                self.after_dot = true;
            }
            b'0'..=b'9' => self.number(),
            // Unions and intersections of types are lists.
            b'|' | b'&' => self.advance(Previous::Operator, byte),
            _ => {
                self.operator()?;
                self.advance(Previous::Operator, byte);
            }
        }
        Ok(())
    }

    fn operator(&mut self) -> Result<(), Refused> {
        self.runs.operators += 1;
        self.bound(self.runs.operators, OPERATORS_MAX)
    }

    fn word(&mut self) -> Result<(), Refused> {
        let start = self.at;
        self.at += self.text[start..].iter().take_while(|byte| is_identifier_part(**byte)).count();
        let word = &self.text[start..self.at];
        if self.previous == Previous::Value && !self.after_dot {
            // Another statement, or words that belong to one type.
            self.runs.operators = 0;
            self.runs.words += 1;
            self.bound(self.runs.words, ANGLES_MAX)?;
        } else {
            self.runs.words = 0;
        }
        let kind = if std::mem::take(&mut self.after_dot) { Word::Name } else { Word::of(word) };
        self.after_restricted = matches!(kind, Word::Restricted | Word::Async);
        let after_condition_keyword = std::mem::take(&mut self.after_condition_keyword);
        let (previous, byte) = match kind {
            Word::Name | Word::Async => (Previous::Value, b'a'),
            // `for await (` stays a condition.
            Word::Await if after_condition_keyword => {
                self.after_condition_keyword = true;
                (Previous::Operator, b'a')
            }
            Word::If => {
                let after_else = self.previous == Previous::Operator && self.previous_byte == b'E';
                self.runs.branches = if after_else { self.runs.branches + 1 } else { 0 };
                self.bound(self.runs.branches, NESTING_MAX)?;
                self.after_condition_keyword = true;
                (Previous::Operator, b'a')
            }
            Word::Condition => {
                self.after_condition_keyword = true;
                (Previous::Operator, b'a')
            }
            Word::Case => {
                self.runs.labels = 0;
                self.operator()?;
                (Previous::Operator, b'a')
            }
            Word::Await | Word::Operator | Word::Restricted => {
                self.operator()?;
                (Previous::Operator, b'a')
            }
            // A block follows `else` and `do`, as it follows a semicolon.
            Word::Else => {
                self.operator()?;
                (Previous::Operator, b'E')
            }
            Word::Do => {
                self.operator()?;
                (Previous::Operator, b';')
            }
        };
        self.set(previous, byte);
        Ok(())
    }

    fn bound(&self, count: usize, max: usize) -> Result<(), Refused> {
        if count < max { Ok(()) } else { Err(Refused::TooDeep(self.at)) }
    }

    fn number(&mut self) {
        while let Some(&byte) = self.text.get(self.at) {
            let exponent_sign = matches!(byte, b'+' | b'-') && matches!(self.text[self.at - 1], b'e' | b'E');
            if !(is_identifier_part(byte) || byte == b'.' || exponent_sign) {
                break;
            }
            self.at += 1;
        }
        self.set(Previous::Value, b'0');
    }

    fn slash(&mut self) -> Result<(), Refused> {
        let regex_end = if self.previous == Previous::Value { None } else { regex_end(self.text, self.at) };
        match regex_end {
            Some(end) => {
                // What the parser takes for code after all must not be more than it can read.
                let angles = memchr::memchr_iter(b'<', &self.text[self.at..end]).count();
                self.bound(angles, ANGLES_MAX)?;
                self.at = end;
                self.set(Previous::Value, b'/');
            }
            None => self.advance(Previous::Operator, b'/'),
        }
        Ok(())
    }

    fn string(&mut self, quote: u8) {
        self.at += 1;
        while let Some(&byte) = self.text.get(self.at) {
            match byte {
                b'\\' => self.at += 2,
                b'\n' => break,
                _ => self.at += 1,
            }
            if byte == quote {
                break;
            }
        }
        self.at = self.at.min(self.text.len());
    }

    /// The text of a template, up to its end or the next `${`.
    fn template(&mut self) -> Result<(), Refused> {
        while let Some(found) = memchr::memchr3(b'`', b'\\', b'$', &self.text[self.at..]) {
            self.at += found;
            match self.text[self.at] {
                b'`' => {
                    self.advance(Previous::Value, b'`');
                    return Ok(());
                }
                b'\\' => self.at = (self.at + 2).min(self.text.len()),
                _ if self.peek(1) == Some(b'{') => {
                    self.at += 1;
                    return self.open(Bracket::Template, b'{');
                }
                _ => self.at += 1,
            }
        }
        self.at = self.text.len();
        Ok(())
    }

    fn open(&mut self, bracket: Bracket, byte: u8) -> Result<(), Refused> {
        if self.stack.len() + self.elements >= NESTING_MAX {
            return Err(Refused::TooDeep(self.at));
        }
        self.stack.push((bracket, std::mem::take(&mut self.runs)));
        self.advance(Previous::Operator, byte);
        Ok(())
    }

    fn close(&mut self, byte: u8) -> Result<(), Refused> {
        self.at += 1;
        let opened = self.stack.pop();
        self.runs = opened.map_or_else(Runs::default, |(_, runs)| runs);
        let previous = match opened.map(|(bracket, _)| bracket) {
            Some(Bracket::Template) if byte == b'}' => return self.template(),
            Some(Bracket::Jsx | Bracket::Square | Bracket::Template) => Previous::Value,
            Some(Bracket::Paren { condition, at }) => {
                if byte == b')' {
                    self.scanned.parentheses.push((at, self.at));
                }
                if condition { Previous::ConditionEnd } else { Previous::Value }
            }
            Some(Bracket::Brace { object: true }) => Previous::Value,
            Some(Bracket::Brace { object: false }) | None => Previous::BlockEnd,
        };
        self.set(previous, byte);
        Ok(())
    }

    fn at_comment(&self) -> bool {
        self.peek(0) == Some(b'/') && matches!(self.peek(1), Some(b'/' | b'*'))
    }

    fn skip(&mut self) {
        self.at = skip_trivia(self.text, self.at);
    }

    fn peek(&self, ahead: usize) -> Option<u8> {
        self.text.get(self.at + ahead).copied()
    }

    fn advance(&mut self, previous: Previous, byte: u8) {
        self.at += 1;
        self.set(previous, byte);
    }

    fn set(&mut self, previous: Previous, byte: u8) {
        self.previous = previous;
        self.previous_byte = byte;
    }
}

/// Behind white space, byte order marks and comments.
pub(in super::super) fn skip_trivia(text: &[u8], mut at: usize) -> usize {
    while at < text.len() {
        let rest = &text[at..];
        at += match rest {
            [byte, ..] if is_space(*byte) => 1,
            [0xEF, 0xBB, 0xBF, ..] => 3,
            [0xC2, 0xA0, ..] => 2,
            [b'/', b'/', ..] => memchr::memchr2(b'\n', b'\r', rest).unwrap_or(rest.len()),
            [b'/', b'*', body @ ..] => {
                memchr::memmem::find(body, b"*/").map_or(rest.len(), |close| close + 4)
            }
            _ => return at,
        };
    }
    at.min(text.len())
}

/// Behind the flags of the regular expression whose `/` is at `start`; `None` when no `/` closes it on its line.
fn regex_end(text: &[u8], start: usize) -> Option<usize> {
    let mut at = start + 1;
    let mut in_class = false;
    // Without a bound, every `/` of a long line would be looked for to the end of it.
    let text_end = text.len().min(start + REGEX_BYTES_MAX);
    loop {
        match text[..text_end].get(at)? {
            b'\n' => return None,
            b'\\' => at += 1,
            b'[' => in_class = true,
            b']' => in_class = false,
            b'/' if !in_class => break,
            _ => {}
        }
        at += 1;
    }
    at += 1;
    Some(at + text[at..].iter().take_while(|byte| is_identifier_part(**byte)).count())
}

/// The offset of the next such byte, or the end.
fn find(text: &[u8], from: usize, byte: u8) -> usize {
    let from = from.min(text.len());
    memchr::memchr(byte, &text[from..]).map_or(text.len(), |found| from + found)
}

const fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n' | 0x0b | 0x0c)
}

/// Every non-ASCII byte counts as part of an identifier; an escape such as `\u0061` may start one.
pub(super) const fn is_identifier_start(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || matches!(byte, b'_' | b'$' | b'\\') || !byte.is_ascii()
}

pub(in super::super) const fn is_identifier_part(byte: u8) -> bool {
    IDENTIFIER_PARTS[byte as usize]
}

/// For each byte.
const IDENTIFIER_PARTS: [bool; 256] = {
    let mut parts = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        parts[byte] = is_identifier_start(byte as u8) || (byte as u8).is_ascii_digit();
        byte += 1;
    }
    parts
};

/// What a word means for what follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Word {
    /// Nothing.
    Name,
    If,
    /// A condition in parentheses follows.
    Condition,
    /// An operand follows, on the same line.
    Restricted,
    /// A function may follow, on the same line.
    Async,
    Await,
    Case,
    Else,
    Do,
    /// An operand follows.
    Operator,
}

impl Word {
    fn of(word: &[u8]) -> Self {
        // Most words are names: their lengths rule most others out.
        match word.len() {
            2 => match word {
                b"if" => Self::If,
                b"do" => Self::Do,
                b"in" | b"of" | b"as" => Self::Operator,
                _ => Self::Name,
            },
            3 => match word {
                b"for" => Self::Condition,
                b"new" => Self::Operator,
                _ => Self::Name,
            },
            4 => match word {
                b"with" => Self::Condition,
                b"case" => Self::Case,
                b"else" => Self::Else,
                b"void" => Self::Operator,
                _ => Self::Name,
            },
            5 => match word {
                b"while" => Self::Condition,
                b"throw" | b"yield" => Self::Restricted,
                b"async" => Self::Async,
                b"await" => Self::Await,
                _ => Self::Name,
            },
            6 => match word {
                b"return" => Self::Restricted,
                b"typeof" | b"delete" => Self::Operator,
                _ => Self::Name,
            },
            _ => match word {
                b"extends" | b"default" | b"satisfies" | b"instanceof" => Self::Operator,
                _ => Self::Name,
            },
        }
    }
}

/// What a byte begins, where no string, comment or JSX goes on.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Begins {
    Space,
    Word,
    Other,
}

/// For each byte. Every byte of every text is looked up in these tables.
const BEGINS: [Begins; 256] = {
    let mut begins = [Begins::Other; 256];
    let mut byte = 0;
    while byte < 256 {
        if is_space(byte as u8) {
            begins[byte] = Begins::Space;
        } else if is_identifier_start(byte as u8) {
            begins[byte] = Begins::Word;
        }
        byte += 1;
    }
    begins
};
