//! Syntax errors that swc reads over: what has to stand between two nodes, and does not.
//!
//! ```text
//! enum A { x y }   →   at `y`, ',' expected
//! ```

use swc_common::{BytePos, Spanned};
use swc_ecma_ast::{ForStmt, NamedExport, TsEnumDecl, TsEnumMemberId};

use super::scanner::{is_identifier_part, skip_trivia};

/// The end of a node, and what may follow.
pub(super) struct Seam {
    behind: BytePos,
    follows: Follows,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Follows {
    /// In front of the name of an enum: a word that is not reserved.
    Name,
    /// A member of an enum: `,` or `}`.
    Member,
    /// A part of `for (…; …; …)` before its `;`.
    Part,
    /// The names of `export { … }`, or its `{`: `}` with `from` or the end of the statement.
    Clause { from: bool },
}

impl Seam {
    pub(super) fn of_enum(node: &TsEnumDecl) -> impl Iterator<Item = Self> {
        let name = Self { behind: node.id.span.lo, follows: Follows::Name };
        let members = node.members.iter().map(|member| {
            let name = match &member.id {
                TsEnumMemberId::Ident(ident) => ident.span.hi,
                TsEnumMemberId::Str(text) => text.span.hi,
            };
            let behind = member.init.as_ref().map_or(name, |init| init.span_hi());
            Self { behind, follows: Follows::Member }
        });
        std::iter::once(name).chain(members)
    }

    pub(super) fn of_for(node: &ForStmt) -> impl Iterator<Item = Self> {
        let init = node.init.as_ref().map(Spanned::span_hi);
        let parts = init.into_iter().chain(node.test.as_ref().map(Spanned::span_hi));
        parts.map(|behind| Self { behind, follows: Follows::Part })
    }

    pub(super) fn of_export(node: &NamedExport) -> Option<Self> {
        let last = node.specifiers.last()?;
        if last.is_namespace() || last.is_default() {
            return None;
        }
        Some(Self { behind: last.span_hi(), follows: Follows::Clause { from: node.src.is_some() } })
    }

    /// What is expected, and where something else stands. The text starts at `base`.
    pub(super) fn gap(&self, text: &str, base: BytePos) -> Option<(&'static str, usize)> {
        let bytes = text.as_bytes();
        let behind = (self.behind.0.checked_sub(base.0)? as usize).min(text.len());
        let at = skip_trivia(bytes, behind);
        match self.follows {
            Follows::Name => {
                let word = bytes[behind..].iter().take_while(|byte| is_identifier_part(**byte)).count();
                RESERVED.contains(&&text[behind..behind + word]).then_some(("identifier", behind))
            }
            Follows::Member => (!matches!(bytes.get(at), None | Some(b',' | b'}'))).then_some(("`,`", at)),
            Follows::Part if bytes.get(behind.wrapping_sub(1)) == Some(&b';') => None,
            Follows::Part => (bytes.get(at) != Some(&b';')).then_some(("`;`", at)),
            Follows::Clause { from } => {
                let comma = skip_trivia(bytes, behind);
                let comma = if bytes.get(comma) == Some(&b',') { comma + 1 } else { comma };
                let brace = skip_trivia(bytes, comma);
                if bytes.get(brace) != Some(&b'}') {
                    return None;
                }
                let at = skip_trivia(bytes, brace + 1);
                let rest = &bytes[at.min(bytes.len())..];
                if from {
                    let word = rest.iter().take_while(|byte| is_identifier_part(**byte)).count();
                    return (&rest[..word] != b"from").then_some(("`from`", at));
                }
                let ends = matches!(rest.first(), None | Some(b';' | b'}'));
                let breaks = memchr::memchr2(b'\n', b'\r', &bytes[brace..at]).is_some();
                (!ends && !breaks).then_some(("`;`", at))
            }
        }
    }
}

/// Words that are the name of nothing.
const RESERVED: &[&str] = &[
    "break",
    "case",
    "catch",
    "class",
    "const",
    "continue",
    "debugger",
    "default",
    "delete",
    "do",
    "else",
    "enum",
    "export",
    "extends",
    "false",
    "finally",
    "for",
    "function",
    "if",
    "import",
    "in",
    "instanceof",
    "new",
    "null",
    "return",
    "super",
    "switch",
    "this",
    "throw",
    "true",
    "try",
    "typeof",
    "var",
    "void",
    "while",
    "with",
];

#[cfg(test)]
mod tests {
    use super::{Follows, Seam};
    use swc_common::BytePos;

    #[test]
    fn what_does_not_follow_is_found() {
        let gap =
            |follows, text: &str, behind| Seam { behind: BytePos(behind), follows }.gap(text, BytePos(0));
        assert_eq!(gap(Follows::Member, "enum A { x y }", 10), Some(("`,`", 11)));
        assert_eq!(gap(Follows::Member, "enum A { x /* , */ }", 10), None);
        assert_eq!(gap(Follows::Clause { from: false }, "export { A } fr", 10), Some(("`;`", 13)));
        assert_eq!(gap(Follows::Clause { from: false }, "export { A }\nfr", 10), None);
        assert_eq!(gap(Follows::Clause { from: true }, "export { A } 'x'", 10), Some(("`from`", 13)));
    }
}
