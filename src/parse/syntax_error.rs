//! Where TypeScript's own parser reports what swc's parser found.
//!
//! Both stop at the first token that no program can have there, but for some errors one of them points at what came
//! before. Knows the text around an error only.

use swc_ecma_parser::error::SyntaxError;

use super::scanner::{is_identifier_part, skip_trivia};
use super::seams::RESERVED;

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
            | SyntaxError::ImportExportInScript
            | SyntaxError::EmptyTypeArgumentList
            | SyntaxError::TS1106
            | SyntaxError::TS2410
            | SyntaxError::TS2406
            | SyntaxError::TS2703
    )
}

/// Whether it is one whatever function the text stands in.
pub(super) fn stands_alone(kind: &SyntaxError) -> bool {
    matches!(
        kind,
        SyntaxError::TS1005
            | SyntaxError::TS1003
            | SyntaxError::TS1109
            | SyntaxError::Expected(..)
            | SyntaxError::Unexpected { .. }
    )
}

/// Whether it is an import or export where only statements are.
pub(super) fn is_nested_export(kind: &SyntaxError) -> bool {
    matches!(kind, SyntaxError::NonTopLevelImportExport | SyntaxError::ImportExportInScript)
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
        _ if let Some(export) = undeclared_export(text, start) => export,
        SyntaxError::ReservedWordInImport if is_listed(bytes, behind_word(bytes, start)) => start,
        SyntaxError::ReservedWordInImport | SyntaxError::ReservedWordInObjShorthandOrPat => {
            behind_word(bytes, start)
        }
        SyntaxError::EmptyParenExpr => skip_trivia(bytes, start + 1),
        SyntaxError::ExpectedSemiForExprStmt { .. } => identifier_before(bytes, start)
            .filter(|(word, at)| !DECLARING.contains(word) && begins_statement(bytes, *at))
            .map_or(start, |(_, at)| at),
        SyntaxError::Unexpected { expected, .. } if expected.starts_with("* for generator") => {
            identifier_before(bytes, start)
                .filter(|(_, at)| begins_statement(bytes, behind_modifiers(bytes, *at)))
                .map_or(start, |(_, at)| at)
        }
        SyntaxError::Unexpected { expected, .. } if *expected == "=" => identifier_before(bytes, start)
            .filter(|(word, _)| RESERVED.iter().any(|reserved| reserved.as_bytes() == *word))
            .map_or(start, |(_, at)| at),
        SyntaxError::Unexpected { expected, .. } if expected.starts_with("an identifier, void") => {
            behind_type(bytes, start)
        }
        SyntaxError::Expected(wanted, _) if wanted == ";" && bytes[start] == b'?' => {
            let next = skip_trivia(bytes, start + 1);
            if matches!(bytes.get(next), Some(b':' | b';' | b',' | b')')) { next } else { start }
        }
        SyntaxError::Expected(wanted, _) if wanted == ";" => lone_member(bytes, start).unwrap_or(start),
        // Where a module follows, a list of names has ended.
        SyntaxError::Expected(wanted, _) if wanted == "," && matches!(bytes[start], b'\'' | b'"') => {
            identifier_before(bytes, start).filter(|(word, _)| *word == b"from").map_or(start, |(_, at)| at)
        }
        SyntaxError::Expected(wanted, _) if wanted == "</" => closing_name(text, start).unwrap_or(start),
        SyntaxError::Expected(..) => identifier_before(bytes, start)
            .filter(|(word, _)| matches!(*word, b"import" | b"export"))
            .filter(|_| !is_word(bytes, start))
            .map_or(start, |(_, at)| at),
        _ => start,
    }
}

/// The `export` before a declaration that swc gave up on: without it, it tells what is wrong inside.
pub(super) fn export_before(kind: &SyntaxError, text: &str, start: usize) -> Option<usize> {
    let SyntaxError::Expected(..) = kind else { return None };
    if undeclared_export(text, start).is_some() {
        return None;
    }
    let bytes = text.as_bytes();
    let (word, at) = identifier_before(bytes, start)?;
    if word == b"type" {
        return identifier_before(bytes, at).filter(|(word, _)| *word == b"export").map(|(_, at)| at);
    }
    let declares = bytes[start..].split(|byte| !is_identifier_part(*byte)).next()?;
    (word == b"export" && EXPORTED.contains(&declares)).then_some(at)
}

/// The text without the imports and exports from an offset on, as long as before: at some bracket that is not closed they
/// are not expected, and TypeScript reads on.
pub(super) fn without_exports(text: &str, start: usize) -> String {
    let (mut read, mut voided) = (text.to_owned(), Vec::new());
    let mut blank = |from: usize, to: usize| read.replace_range(from..to, &" ".repeat(to - from));
    let line_ends = memchr::memchr_iter(b'\n', &text.as_bytes()[start..]).map(|end| start + end + 1);
    let mut behind = start;
    for line in std::iter::once(start).chain(line_ends) {
        let at = skip_trivia(text.as_bytes(), line);
        if at < behind || at >= text.len() {
            continue;
        }
        let word = word_at(text, at);
        let next = skip_trivia(text.as_bytes(), at + word.len());
        match word {
            "import" if !text[next..].starts_with(['(', '.']) => {
                behind = line_end(text, quoted_end(text, next));
            }
            "export" if text[next..].starts_with(['{', '*']) => {
                let list = text[next..].find('}').map_or(next, |end| next + end + 1);
                let from = skip_trivia(text.as_bytes(), list);
                let is_star = text[next..].starts_with('*');
                let other = is_star || word_at(text, from) == "from";
                behind = if other { line_end(text, quoted_end(text, next)) } else { list };
            }
            // What is exported by default may have no name.
            "export" if word_at(text, next) == "default" => {
                blank(at + "void".len(), next + "default".len());
                voided.push(at);
                continue;
            }
            "export" => behind = at + word.len(),
            _ => continue,
        }
        blank(at, behind);
    }
    for at in voided {
        read.replace_range(at..at + "void".len(), "void");
    }
    read
}

/// Behind the next text in quotes, or where it would be.
fn quoted_end(text: &str, from: usize) -> usize {
    let Some(open) = text[from..].find(['\'', '"']).map(|open| from + open) else { return from };
    let quote = text.as_bytes()[open];
    memchr::memchr(quote, &text.as_bytes()[open + 1..]).map_or(open, |close| open + close + 2)
}

fn line_end(text: &str, from: usize) -> usize {
    memchr::memchr(b'\n', &text.as_bytes()[from..]).map_or(text.len(), |end| from + end)
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

/// The `export` that begins a line in which nothing is declared, as in `export interface ;`.
fn undeclared_export(text: &str, start: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    let line = bytes[..start].iter().rposition(|byte| matches!(byte, b'\n' | b'\r')).map_or(0, |end| end + 1);
    let export = skip_trivia(bytes, line);
    let mut at = export;
    let mut before = "";
    loop {
        let word = word_at(text, at);
        let next = skip_trivia(bytes, at + word.len());
        let in_line = !text[at..next].contains(['\n', '\r']);
        let name = word_at(text, next);
        let is_name = !name.is_empty() && !name.as_bytes()[0].is_ascii_digit() && !RESERVED.contains(&name);
        let declares = match word {
            "export" if at == export => true,
            "declare" | "abstract" | "async" if !before.is_empty() && in_line => true,
            "interface" if !before.is_empty() => return (!(in_line && is_name)).then_some(export),
            "type" if before == "declare" => return None,
            // A list of types, or of another module.
            "type" if before == "export" && matches!(bytes.get(next), Some(b'{' | b'*')) => return None,
            "type" if !before.is_empty() => return (!(in_line && is_name)).then_some(export),
            _ => false,
        };
        if !declares {
            return (before == "declare" && !DECLARED.contains(&word)).then_some(export);
        }
        (before, at) = (word, next);
    }
}

/// The name of a member that has no type: `a` in `{ a b: string }`.
fn lone_member(text: &[u8], start: usize) -> Option<usize> {
    let before = text[..start].trim_ascii_end();
    let name = match before.last()? {
        quote @ (b'\'' | b'"') => before[..before.len() - 1].iter().rposition(|byte| byte == quote)?,
        _ => before.len() - before.iter().rev().take_while(|byte| is_identifier_part(**byte)).count(),
    };
    let around = text[..name].trim_ascii_end();
    let begins = around.last().is_none_or(|last| matches!(last, b'{' | b';' | b','))
        || text[around.len()..name].contains(&b'\n');
    let is_reserved = RESERVED.iter().any(|word| word.as_bytes() == &before[name..]);
    (name < before.len() && begins && !is_reserved).then_some(name)
}

/// The name in the closing tag directly before an error.
fn closing_name(text: &str, start: usize) -> Option<usize> {
    let name = text[..start].trim_end().strip_suffix('>')?;
    let at = name.rfind("</")? + "</".len();
    name[at..].chars().all(|c| c.is_alphanumeric() || "._-$: ".contains(c)).then_some(at)
}

/// What stands behind a word or sign that TypeScript takes for a type, in the same line: there it sees the error, if there is one.
fn behind_type(text: &[u8], start: usize) -> usize {
    let next = match text[start] {
        b'*' | b'?' | b'!' => skip_trivia(text, start + 1),
        _ if is_word(text, start) => behind_word(text, start),
        _ => return start,
    };
    let in_line = !text[start..next].contains(&b'\n');
    let follows = text.get(next).is_some_and(|byte| {
        is_identifier_part(*byte) || matches!(byte, b'\'' | b'"' | b'`' | b'(' | b'?' | b':' | b'@' | b'#')
    });
    let operand = match text[start] {
        b'!' => true,
        b'?' => text.get(next).is_some_and(|byte| !b",})>=|".contains(byte)),
        _ => false,
    };
    if operand || (in_line && follows) { next } else { start }
}

fn behind_word(text: &[u8], start: usize) -> usize {
    let word = text[start..].iter().take_while(|byte| is_identifier_part(**byte)).count();
    skip_trivia(text, start + word)
}

/// Where the modifiers before a member's name begin.
fn behind_modifiers(text: &[u8], mut at: usize) -> usize {
    while let Some((_, before)) = identifier_before(text, at).filter(|(word, _)| MODIFIERS.contains(word)) {
        at = before;
    }
    at
}

/// Whether a name in braces ends there.
fn is_listed(text: &[u8], at: usize) -> bool {
    matches!(text.get(at), None | Some(b',' | b'}'))
}

fn is_word(text: &[u8], at: usize) -> bool {
    text.get(at).is_some_and(|byte| is_identifier_part(*byte) && !byte.is_ascii_digit())
}

fn word_at(text: &str, at: usize) -> &str {
    let len = text.as_bytes()[at..].iter().take_while(|byte| is_identifier_part(**byte)).count();
    &text[at..at + len]
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

/// What `declare` may stand before.
const DECLARED: &[&str] = &[
    "abstract",
    "async",
    "await",
    "class",
    "const",
    "enum",
    "export",
    "function",
    "global",
    "import",
    "interface",
    "let",
    "module",
    "namespace",
    "type",
    "using",
    "var",
    "accessor",
    "private",
    "protected",
    "public",
    "readonly",
    "static",
    "declare",
];

/// What may stand before the name of a member.
const MODIFIERS: &[&[u8]] = &[
    b"abstract",
    b"accessor",
    b"async",
    b"declare",
    b"override",
    b"private",
    b"protected",
    b"public",
    b"readonly",
    b"static",
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
