//! A scanner that tells code from strings, templates, comments, regular expressions and JSX, without a grammar.
//!
//! It only has to be right about where an `@` is code; what it gets wrong is found when the parsed tree is compared
//! with the decorators (`session`).

use super::super::limits::NESTING_MAX;

/// An `@` in code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct At {
    /// Its offset.
    pub(super) at: usize,
    /// Whether the token before it ends a value.
    pub(super) after_value: bool,
}

/// Brackets or JSX elements are nested deeper than [`NESTING_MAX`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TooDeep {
    /// Offset of the first bracket beyond.
    pub(crate) at: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Bracket {
    /// `{` of a block or of an object literal.
    Brace { object: bool },
    /// `${` in a template.
    Template,
    /// `{` in JSX.
    Jsx,
    /// `(`; `condition` behind `if`, `while`, `for`, `with`.
    Paren { condition: bool },
    /// `[`
    Square,
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
    stack: Vec<Bracket>,
    previous: Previous,
    previous_byte: u8,
    after_condition_keyword: bool,
    after_dot: bool,
    elements: usize,
    ats: Vec<At>,
}

impl<'s> Lexical<'s> {
    /// Every `@` in code.
    pub(super) fn ats(text: &'s str, tsx: bool) -> Result<Vec<At>, TooDeep> {
        let mut scan = Self::new(text, 0, tsx);
        if scan.text.starts_with(b"#!") {
            scan.at = find(scan.text, 0, b'\n');
        }
        scan.run(None)?;
        Ok(scan.ats)
    }

    /// Behind the bracket that closes the `(` at `open`; `None` when there is none.
    pub(super) fn closing(text: &'s str, open: usize, tsx: bool) -> Result<Option<usize>, TooDeep> {
        let mut scan = Self::new(text, open + 1, tsx);
        scan.stack.push(Bracket::Paren { condition: false });
        scan.previous_byte = b'(';
        scan.run(Some(0))?;
        Ok((scan.stack.is_empty() && text.as_bytes()[scan.at - 1] == b')').then_some(scan.at))
    }

    fn new(text: &'s str, at: usize, tsx: bool) -> Self {
        Self {
            text: text.as_bytes(),
            at,
            tsx,
            stack: Vec::with_capacity(32),
            previous: Previous::Operator,
            previous_byte: b';',
            after_condition_keyword: false,
            after_dot: false,
            elements: 0,
            ats: Vec::new(),
        }
    }

    /// Scans to the end, or until a closing bracket brings the stack down to `floor`.
    fn run(&mut self, floor: Option<usize>) -> Result<(), TooDeep> {
        while let Some(&byte) = self.text.get(self.at) {
            if is_space(byte) {
                self.at += 1;
            } else if self.at_comment() {
                self.at = skip_trivia(self.text, self.at);
            } else if is_identifier_start(byte) {
                self.word();
            } else {
                self.token(byte)?;
                if matches!(byte, b')' | b']' | b'}') && floor.is_some_and(|floor| self.stack.len() <= floor)
                {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// One token that is not a word. One arm for each way to begin; long, but flat.
    fn token(&mut self, byte: u8) -> Result<(), TooDeep> {
        let after_condition_keyword = std::mem::take(&mut self.after_condition_keyword);
        self.after_dot = false;
        match byte {
            b'"' | b'\'' => {
                self.string(byte);
                self.set(Previous::Value, byte);
            }
            b'`' => {
                self.at += 1;
                self.template()?;
            }
            b'/' => self.slash(),
            b'{' => {
                let opens_value = self.previous == Previous::Operator
                    && !matches!(self.previous_byte, b';' | b'{' | b'}' | b'>')
                    && !after_condition_keyword;
                self.open(Bracket::Brace { object: opens_value }, byte)?;
            }
            b'(' => self.open(Bracket::Paren { condition: after_condition_keyword }, byte)?,
            b'[' => self.open(Bracket::Square, byte)?,
            b'}' | b')' | b']' => self.close(byte)?,
            b'@' => {
                self.ats.push(At { at: self.at, after_value: self.previous == Previous::Value });
                self.advance(Previous::Operator, byte);
            }
            b'<' if self.tsx && self.previous != Previous::Value && self.starts_element() => {
                self.element()?;
                self.set(Previous::Value, b'>');
            }
            // A postfix `!` keeps its operand a value.
            b'!' if self.previous == Previous::Value && self.peek(1) != Some(b'=') => self.at += 1,
            b'+' | b'-' if self.peek(1) == Some(byte) => {
                self.at += 2;
                self.previous_byte = byte;
            }
            b'.' if self.peek(1).is_some_and(|next| next.is_ascii_digit()) => self.at += 1,
            b'.' => {
                self.advance(Previous::Operator, byte);
                self.after_dot = true;
            }
            b'0'..=b'9' => self.number(),
            _ => self.advance(Previous::Operator, byte),
        }
        Ok(())
    }

    fn word(&mut self) {
        let start = self.at;
        self.at += self.text[start..].iter().take_while(|byte| is_identifier_part(**byte)).count();
        let word = &self.text[start..self.at];
        if std::mem::take(&mut self.after_dot) {
            self.after_condition_keyword = false;
            self.set(Previous::Value, b'a');
            return;
        }
        // `for await (` stays a condition.
        if word == b"await" && self.after_condition_keyword {
            self.set(Previous::Operator, b'a');
            return;
        }
        let condition = matches!(word, b"if" | b"while" | b"for" | b"with");
        let operator = OPERATOR_WORDS.iter().any(|operator| operator.as_bytes() == word);
        let previous = if condition || operator { Previous::Operator } else { Previous::Value };
        // A block follows `else` and `do`, as it follows a semicolon.
        let byte = if matches!(word, b"else" | b"do") { b';' } else { b'a' };
        self.set(previous, byte);
        self.after_condition_keyword = condition;
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

    fn slash(&mut self) {
        let regex_end = if self.previous == Previous::Value { None } else { regex_end(self.text, self.at) };
        match regex_end {
            Some(end) => {
                self.at = end;
                self.set(Previous::Value, b'/');
            }
            None => self.advance(Previous::Operator, b'/'),
        }
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
    fn template(&mut self) -> Result<(), TooDeep> {
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

    fn open(&mut self, bracket: Bracket, byte: u8) -> Result<(), TooDeep> {
        if self.stack.len() + self.elements >= NESTING_MAX {
            return Err(TooDeep { at: self.at });
        }
        self.stack.push(bracket);
        self.advance(Previous::Operator, byte);
        Ok(())
    }

    fn close(&mut self, byte: u8) -> Result<(), TooDeep> {
        self.at += 1;
        let previous = match self.stack.pop() {
            Some(Bracket::Template) if byte == b'}' => return self.template(),
            Some(Bracket::Jsx | Bracket::Square | Bracket::Template) => Previous::Value,
            Some(Bracket::Paren { condition: true }) => Previous::ConditionEnd,
            Some(Bracket::Paren { condition: false }) => Previous::Value,
            Some(Bracket::Brace { object: true }) => Previous::Value,
            Some(Bracket::Brace { object: false }) | None => Previous::BlockEnd,
        };
        self.set(previous, byte);
        Ok(())
    }

    /// Whether `<` in the place of an operand begins JSX rather than type parameters.
    fn starts_element(&self) -> bool {
        let name = skip_trivia(self.text, self.at + 1);
        match self.text.get(name) {
            Some(b'>') => return true,
            Some(&byte) if is_identifier_start(byte) => {}
            _ => return false,
        }
        let name_end = name + self.text[name..].iter().take_while(|byte| is_tag_part(**byte)).count();
        let next = skip_trivia(self.text, name_end);
        let rest = &self.text[next.min(self.text.len())..];
        if &self.text[name..name_end] == b"const"
            && rest.first().is_some_and(|byte| is_identifier_start(*byte))
        {
            return false;
        }
        match rest.first() {
            // `<T>(x: T) => …` has no closing tag.
            Some(b'>') => {
                let closing = [b"</", &self.text[name..name_end]].concat();
                memchr::memmem::find(rest, &closing).is_some()
            }
            Some(b',' | b'=') => false,
            _ if rest.starts_with(b"extends") => {
                let behind = skip_trivia(rest, b"extends".len());
                matches!(rest.get(behind), Some(b'=' | b'>' | b'/'))
            }
            _ => true,
        }
    }

    /// A whole JSX element, from its `<`.
    fn element(&mut self) -> Result<(), TooDeep> {
        if self.stack.len() + self.elements >= NESTING_MAX {
            return Err(TooDeep { at: self.at });
        }
        self.elements += 1;
        let has_children = self.opening_tag()?;
        if has_children {
            self.children()?;
        }
        self.elements -= 1;
        Ok(())
    }

    /// Returns whether children follow.
    fn opening_tag(&mut self) -> Result<bool, TooDeep> {
        self.at = skip_trivia(self.text, self.at + 1);
        self.at += self.text[self.at..].iter().take_while(|byte| is_tag_part(**byte)).count();
        self.skip();
        if self.peek(0) == Some(b'<') {
            self.type_arguments()?;
        }
        loop {
            self.skip();
            match self.peek(0) {
                None => return Ok(false),
                Some(b'>') => {
                    self.at += 1;
                    return Ok(true);
                }
                Some(b'/') => {
                    self.at = skip_trivia(self.text, self.at + 1);
                    if self.peek(0) == Some(b'>') {
                        self.at += 1;
                    }
                    return Ok(false);
                }
                Some(b'{') => self.jsx_expression()?,
                Some(quote @ (b'"' | b'\'')) => {
                    self.at = (find(self.text, self.at + 1, quote) + 1).min(self.text.len());
                }
                Some(b'=') => {
                    self.at = skip_trivia(self.text, self.at + 1);
                    if self.peek(0) == Some(b'<') {
                        self.element()?;
                    }
                }
                Some(_) => self.at += 1,
            }
        }
    }

    fn children(&mut self) -> Result<(), TooDeep> {
        while let Some(found) = memchr::memchr2(b'<', b'{', &self.text[self.at..]) {
            self.at += found;
            if self.text[self.at] == b'{' {
                self.jsx_expression()?;
                continue;
            }
            let next = skip_trivia(self.text, self.at + 1);
            if self.text.get(next) == Some(&b'/') {
                self.at = (find(self.text, next, b'>') + 1).min(self.text.len());
                return Ok(());
            }
            self.element()?;
        }
        self.at = self.text.len();
        Ok(())
    }

    fn jsx_expression(&mut self) -> Result<(), TooDeep> {
        let floor = self.stack.len();
        self.open(Bracket::Jsx, b'{')?;
        self.run(Some(floor))
    }

    /// `<A, B<C>>` behind a tag's name.
    fn type_arguments(&mut self) -> Result<(), TooDeep> {
        let mut depth = 0_usize;
        while let Some(byte) = self.peek(0) {
            match byte {
                b'<' => depth += 1,
                // The arrow of a function type closes nothing.
                b'>' if self.text[self.at - 1] != b'=' => depth -= 1,
                b'"' | b'\'' => {
                    self.string(byte);
                    continue;
                }
                b'`' => {
                    let floor = self.stack.len();
                    self.at += 1;
                    self.template()?;
                    if self.stack.len() > floor {
                        self.run(Some(floor))?;
                    }
                    continue;
                }
                b'/' if self.at_comment() => {
                    self.skip();
                    continue;
                }
                _ => {}
            }
            self.at += 1;
            if depth == 0 {
                return Ok(());
            }
        }
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
pub(super) fn skip_trivia(text: &[u8], mut at: usize) -> usize {
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
    loop {
        match text.get(at)? {
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

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n' | 0x0b | 0x0c)
}

/// Every non-ASCII byte counts as part of an identifier; an escape such as `\u0061` may start one.
pub(super) fn is_identifier_start(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || matches!(byte, b'_' | b'$' | b'\\') || !byte.is_ascii()
}

pub(super) fn is_identifier_part(byte: u8) -> bool {
    is_identifier_start(byte) || byte.is_ascii_digit()
}

fn is_tag_part(byte: u8) -> bool {
    is_identifier_part(byte) || matches!(byte, b'.' | b'-' | b':')
}

/// Words behind which an operand follows.
const OPERATOR_WORDS: &[&str] = &[
    "return",
    "typeof",
    "case",
    "in",
    "of",
    "instanceof",
    "new",
    "delete",
    "void",
    "throw",
    "await",
    "yield",
    "else",
    "do",
    "extends",
    "default",
    "as",
    "satisfies",
];
