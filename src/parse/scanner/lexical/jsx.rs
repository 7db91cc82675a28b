//! JSX in the scanner: elements with their attributes and children, as far as it takes to know where code goes on.

use std::collections::HashMap;

use super::super::super::limits::{ANGLES_MAX, NESTING_MAX};
use super::{Bracket, Lexical, Refused, find, is_identifier_part, is_identifier_start, skip_trivia};

impl Lexical<'_> {
    /// Whether `<` in the place of an operand begins JSX rather than type parameters.
    pub(super) fn starts_element(&mut self) -> bool {
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
                let tags = self.closing_tags.get_or_insert_with(|| closing_tags(self.text));
                tags.get(&self.text[name..name_end]).is_some_and(|last| *last > next)
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
    pub(super) fn element(&mut self) -> Result<(), Refused> {
        if self.stack.len() + self.elements >= NESTING_MAX {
            return Err(Refused::TooDeep(self.at));
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
    fn opening_tag(&mut self) -> Result<bool, Refused> {
        self.at = skip_trivia(self.text, self.at + 1);
        let mut namespaced = false;
        while let Some(byte) = self.peek(0).filter(|byte| is_tag_part(*byte)) {
            if byte == b'.' && namespaced {
                return Err(Refused::TagName(self.at));
            }
            namespaced |= byte == b':';
            self.at += 1;
            if byte == b':' || matches!(self.text.get(skip_trivia(self.text, self.at)), Some(b'.' | b':')) {
                self.skip();
            }
        }
        self.skip();
        if self.peek(0) == Some(b'<') {
            self.type_arguments()?;
        }
        let mut angles = 0;
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
                Some(byte) => {
                    angles += usize::from(byte == b'<');
                    self.bound(angles, ANGLES_MAX)?;
                    self.at += 1;
                }
            }
        }
    }

    fn children(&mut self) -> Result<(), Refused> {
        while let Some(found) = memchr::memchr2(b'<', b'{', &self.text[self.at..]) {
            self.at += found;
            if self.text[self.at] == b'{' {
                self.jsx_expression()?;
                continue;
            }
            let next = skip_trivia(self.text, self.at + 1);
            if self.text.get(next) == Some(&b'/') {
                let close = find(self.text, next, b'>');
                self.bound(memchr::memchr_iter(b'<', &self.text[next..close]).count(), ANGLES_MAX)?;
                self.at = (close + 1).min(self.text.len());
                return Ok(());
            }
            self.element()?;
        }
        self.at = self.text.len();
        Ok(())
    }

    fn jsx_expression(&mut self) -> Result<(), Refused> {
        let floor = self.stack.len();
        self.open(Bracket::Jsx, b'{')?;
        self.run(Some(floor))
    }

    /// `<A, B<C>>` behind a tag's name.
    fn type_arguments(&mut self) -> Result<(), Refused> {
        let mut depth = 0_usize;
        while let Some(byte) = self.peek(0) {
            match byte {
                b'<' => {
                    depth += 1;
                    self.bound(depth, ANGLES_MAX)?;
                }
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
}

/// The dot of the first `<a:b.` or `</a:b.` in a text, be it code or not.
pub(crate) fn namespaced_member(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let word_end = |from: usize| {
        let start = skip_trivia(bytes, from);
        start + bytes[start..].iter().take_while(|byte| is_identifier_part(**byte) || **byte == b'-').count()
    };
    memchr::memchr_iter(b'<', bytes).find_map(|at| {
        let slash = skip_trivia(bytes, at + 1);
        let name = if bytes.get(slash) == Some(&b'/') { slash + 1 } else { slash };
        let colon = skip_trivia(bytes, word_end(name));
        bytes.get(colon).filter(|byte| **byte == b':')?;
        let dot = skip_trivia(bytes, word_end(colon + 1));
        bytes.get(dot).filter(|byte| **byte == b'.').map(|_| dot)
    })
}

/// The last `</name` of each name.
fn closing_tags(text: &[u8]) -> HashMap<&[u8], usize> {
    let tags = memchr::memmem::find_iter(text, b"</").map(|at| {
        let name = &text[at + 2..];
        let len = name.iter().take_while(|byte| is_tag_part(**byte)).count();
        (&name[..len], at)
    });
    tags.collect()
}

fn is_tag_part(byte: u8) -> bool {
    is_identifier_part(byte) || matches!(byte, b'.' | b'-' | b':')
}
