//! Where TypeScript's own parser reports what swc's parser found.
//!
//! Both stop at the first token that no program can have there, but for some errors one of them points at what came
//! before. Knows the text around an error only.

use swc_ecma_parser::error::SyntaxError;

use super::scanner::{is_identifier_part, skip_trivia};

/// Whether TypeScript's parser reads on without an error: its checker has the word.
pub(super) fn is_left_to_the_checker(kind: &SyntaxError) -> bool {
    matches!(
        kind,
        SyntaxError::ConstDeclarationsRequireInitialization
            | SyntaxError::ReturnNotAllowed
            | SyntaxError::NonTopLevelImportExport
            | SyntaxError::InvalidAssignTarget
            | SyntaxError::NotSimpleAssign
            | SyntaxError::InvalidIdentInStrict(_)
            | SyntaxError::EvalAndArgumentsInStrict
            | SyntaxError::WithInStrict
            | SyntaxError::InvalidSuper
            | SyntaxError::DuplicateLabel(_)
            | SyntaxError::TS1106
            | SyntaxError::TS2410
            | SyntaxError::TS2406
            | SyntaxError::TS2703
    )
}

/// The offset at which TypeScript shows an error that swc shows from `start` on.
pub(super) fn place(kind: &SyntaxError, text: &str, start: usize) -> usize {
    let bytes = text.as_bytes();
    match kind {
        SyntaxError::Eof | SyntaxError::UnterminatedTpl => text.len(),
        SyntaxError::TS1109 if skip_trivia(bytes, start) >= text.len() => missing_operand(text),
        SyntaxError::NumericSeparatorIsAllowedOnlyBetweenTwoDigits => misplaced_separator(bytes, start),
        _ if is_at_end(kind) || skip_trivia(bytes, start) >= text.len() => text.len(),
        SyntaxError::UnterminatedStrLit => {
            memchr::memchr2(b'\n', b'\r', &bytes[start..]).map_or(text.len(), |line_end| start + line_end)
        }
        SyntaxError::EmptyParenExpr => skip_trivia(bytes, start + 1),
        SyntaxError::ExpectedSemiForExprStmt { .. } => identifier_before(bytes, start)
            .filter(|(word, at)| !DECLARING.contains(word) && begins_statement(bytes, *at))
            .map_or(start, |(_, at)| at),
        SyntaxError::Unexpected { expected, .. } if expected.starts_with("* for generator") => {
            identifier_before(bytes, start)
                .filter(|(_, at)| begins_statement(bytes, *at))
                .map_or(start, |(_, at)| at)
        }
        SyntaxError::Expected(..) => identifier_before(bytes, start)
            .filter(|(word, _)| matches!(*word, b"import" | b"export"))
            .map_or(start, |(_, at)| at),
        _ => start,
    }
}

/// The `export` before a declaration that swc gave up on: without it, it tells what is wrong inside.
pub(super) fn export_before(kind: &SyntaxError, text: &str, start: usize) -> Option<usize> {
    let SyntaxError::Expected(..) = kind else { return None };
    let bytes = text.as_bytes();
    let (word, at) = identifier_before(bytes, start)?;
    if word == b"type" {
        return identifier_before(bytes, at).filter(|(word, _)| *word == b"export").map(|(_, at)| at);
    }
    let declares = bytes[start..].split(|byte| !is_identifier_part(*byte)).next()?;
    (word == b"export" && EXPORTED.contains(&declares)).then_some(at)
}

/// Where an operand is missing at the end of the text: behind the last token, but for arguments at the end itself.
fn missing_operand(text: &str) -> usize {
    let last = text.trim_end();
    let called = last.strip_suffix('(').is_some_and(|callee| {
        callee.ends_with(|c: char| c.is_alphanumeric() || matches!(c, '_' | '$' | ')' | ']'))
    });
    if called { text.len() } else { last.len() }
}

/// The second of two `_` in a number, or the one at its end.
fn misplaced_separator(text: &[u8], start: usize) -> usize {
    let number = text[start..].iter().take_while(|byte| is_identifier_part(**byte)).count();
    let digits = &text[start..start + number];
    match memchr::memmem::find(digits, b"__") {
        Some(doubled) => start + doubled + 1,
        None => start + digits.iter().rposition(|byte| *byte == b'_').unwrap_or(0),
    }
}

fn is_at_end(kind: &SyntaxError) -> bool {
    match kind {
        SyntaxError::Expected(_, got) | SyntaxError::Unexpected { got, .. } => got == "<eof>",
        _ => false,
    }
}

/// The word directly before a token, and its offset.
fn identifier_before(text: &[u8], at: usize) -> Option<(&[u8], usize)> {
    let end = text[..at].iter().rposition(|byte| !byte.is_ascii_whitespace())? + 1;
    let start =
        text[..end].iter().rposition(|byte| !is_identifier_part(*byte)).map_or(0, |before| before + 1);
    let word = &text[start..end];
    word.first().filter(|byte| !byte.is_ascii_digit()).map(|_| (word, start))
}

/// Whether nothing of the same statement stands before a word.
fn begins_statement(text: &[u8], at: usize) -> bool {
    let before = text[..at].iter().rposition(|byte| !byte.is_ascii_whitespace());
    before.is_none_or(|last| {
        matches!(text[last], b';' | b'{' | b'}' | b'/' | b':') || text[last..at].contains(&b'\n')
    })
}

/// Words behind which TypeScript looks at the next token: those of declarations, and those that are no names.
const DECLARING: &[&[u8]] = &[
    b"declare",
    b"interface",
    b"is",
    b"module",
    b"namespace",
    b"type",
    b"this",
    b"super",
    b"null",
    b"true",
    b"false",
];

/// Words that an exported declaration begins with, where swc tries and gives up.
const EXPORTED: &[&[u8]] =
    &[b"interface", b"abstract", b"namespace", b"module", b"declare", b"type", b"enum", b"global", b"async"];

#[cfg(test)]
mod tests {
    use swc_ecma_parser::error::SyntaxError;

    use super::place;

    #[test]
    fn errors_at_the_end_are_shown_there() {
        let kind = SyntaxError::Expected("}".to_owned(), "<eof>".to_owned());
        assert_eq!(place(&kind, "f() {\n", 4), 6);
        assert_eq!(place(&SyntaxError::UnterminatedStrLit, "x = 'a\ny", 4), 6);
    }
}
