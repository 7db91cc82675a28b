//! Syntax errors that swc reads over: what has to stand between two nodes, and does not.
//!
//! ```text
//! enum A { x y }   →   at `y`, ',' expected
//! ```

use swc_common::{BytePos, Spanned};
use swc_ecma_ast::{
    AssignExpr, AssignTarget, ForStmt, Ident, Module, NamedExport, Number, OptChainBase, OptChainExpr,
    SimpleAssignTarget, Str, TsEntityName, TsEnumDecl, TsEnumMemberId, TsFnOrConstructorType,
};

use super::scanner::{is_identifier_part, skip_trivia};

/// The end of a node, and what may follow.
pub(super) struct Seam {
    behind: BytePos,
    follows: Follows,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Follows {
    /// In front of a name: a word that is not reserved.
    Name,
    /// The object of `a?.b`: both signs in one.
    Chain,
    /// A name in a type, behind which no `.` is left.
    Type,
    /// In front of the type of a function, which a union or an intersection has in parentheses.
    Function,
    /// A string that ends with its line.
    Quote,
    /// A number with a `_` that is not between two digits; in front of it.
    Digits,
    /// What is assigned to, as `a as b` is not without parentheses.
    Nothing,
    /// A member of an enum: `,` or `}`.
    Member,
    /// A part of `for (…; …; …)` before its `;`.
    Part,
    /// The last statement.
    End,
    /// The names of `export { … }`, or its `{`: `}` with `from` or the end of the statement.
    Clause { from: bool },
}

impl Seam {
    pub(super) fn of_enum(node: &TsEnumDecl) -> impl Iterator<Item = Self> {
        let members = node.members.iter().map(|member| {
            let name = match &member.id {
                TsEnumMemberId::Ident(ident) => ident.span.hi,
                TsEnumMemberId::Str(text) => text.span.hi,
            };
            let behind = member.init.as_ref().map_or(name, |init| init.span_hi());
            Self { behind, follows: Follows::Member }
        });
        Self::of_name(&node.id).into_iter().chain(members)
    }

    /// A name that something declares.
    pub(super) fn of_name(name: &Ident) -> Option<Self> {
        let reserved = RESERVED.binary_search(&&*name.sym).is_ok();
        reserved.then_some(Self { behind: name.span.lo, follows: Follows::Name })
    }

    pub(super) fn of_chain(node: &OptChainExpr) -> Option<Self> {
        let behind = match &*node.base {
            OptChainBase::Member(member) => member.obj.span_hi(),
            OptChainBase::Call(call) => call.callee.span_hi(),
        };
        node.optional.then_some(Self { behind, follows: Follows::Chain })
    }

    pub(super) fn of_assignment(node: &AssignExpr) -> Option<Self> {
        let AssignTarget::Simple(target) = &node.left else { return None };
        let cast = matches!(target, SimpleAssignTarget::TsAs(_) | SimpleAssignTarget::TsSatisfies(_));
        cast.then(|| Self { behind: target.span_hi(), follows: Follows::Nothing })
    }

    pub(super) fn of_type(name: &TsEntityName) -> Self {
        Self { behind: name.span_hi(), follows: Follows::Type }
    }

    pub(super) fn of_function(node: &TsFnOrConstructorType) -> Self {
        Self { behind: node.span_lo(), follows: Follows::Function }
    }

    pub(super) fn of_text(node: &Str) -> Option<Self> {
        let raw = node.raw.as_ref()?.as_bytes();
        let (quote, inside) = raw.split_first()?;
        let closed = inside.split_last().is_some_and(|(last, inside)| {
            let escapes = inside.iter().rev().take_while(|byte| **byte == b'\\').count();
            last == quote && escapes % 2 == 0
        });
        (!closed).then_some(Self { behind: node.span.hi, follows: Follows::Quote })
    }

    pub(super) fn of_number(node: &Number) -> Option<Self> {
        let raw = node.raw.as_ref()?;
        let misplaced = raw.ends_with('_') || raw.contains("__");
        misplaced.then_some(Self { behind: node.span.lo, follows: Follows::Digits })
    }

    /// The end of a text, where a comment may never end.
    pub(super) fn of_end(module: &Module, base: BytePos) -> Self {
        let shebang = module.shebang.as_ref().map_or(0, |shebang| shebang.len() + 2);
        let start = BytePos(base.0 + u32::try_from(shebang).unwrap_or(u32::MAX));
        Self { behind: module.body.last().map_or(start, Spanned::span_hi), follows: Follows::End }
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
            Follows::Chain => {
                let dot = skip_trivia(bytes, at + 1);
                (bytes.get(at) == Some(&b'?') && dot > at + 1).then_some(("expression", dot))
            }
            Follows::Type => {
                let follows = bytes.get(at) == Some(&b'.') && bytes.get(at + 1) != Some(&b'.');
                follows.then(|| ("identifier", skip_trivia(bytes, at + 1)))
            }
            Follows::Function => {
                let before = bytes[..behind].trim_ascii_end().last();
                matches!(before, Some(b'|' | b'&')).then_some(("`(`", behind))
            }
            Follows::Quote => Some(("closing quote", behind)),
            Follows::Digits => {
                let number = bytes[behind..].iter().take_while(|byte| is_identifier_part(**byte)).count();
                let number = &bytes[behind..behind + number];
                let doubled = memchr::memmem::find(number, b"__").map(|at| at + 1);
                let last = || number.iter().rposition(|byte| *byte == b'_');
                doubled.or_else(last).map(|at| ("digit", behind + at))
            }
            Follows::Nothing => Some(("`;`", at)),
            Follows::End => leaves_comment_open(&bytes[behind..]).then_some(("`*/`", text.len())),
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

/// Whether white space and comments end inside of a comment.
fn leaves_comment_open(mut rest: &[u8]) -> bool {
    loop {
        rest = rest.trim_ascii_start();
        rest = match rest {
            [b'/', b'*', comment @ ..] => match memchr::memmem::find(comment, b"*/") {
                Some(end) => &comment[end + 2..],
                None => return true,
            },
            [b'/', b'/', ..] => match memchr::memchr2(b'\n', b'\r', rest) {
                Some(end) => &rest[end..],
                None => return false,
            },
            [b';', rest @ ..] => rest,
            _ => return false,
        };
    }
}

/// Words that are the name of nothing, in order.
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
        assert_eq!(gap(Follows::Chain, "a ? .b", 1), Some(("expression", 4)));
        assert_eq!(gap(Follows::Chain, "a /* ? . */ ?.b", 1), None);
        assert_eq!(gap(Follows::Type, "a.", 1), Some(("identifier", 2)));
        assert_eq!(gap(Follows::Type, "[a, ...b]", 2), None);
        assert_eq!(gap(Follows::Function, "a | () => b", 4), Some(("`(`", 4)));
        assert_eq!(gap(Follows::Function, "(() => b) | c", 1), None);
        assert_eq!(gap(Follows::Digits, "x = 1__0", 4), Some(("digit", 6)));
        assert_eq!(gap(Follows::End, "a // b\n/* c", 1), Some(("`*/`", 11)));
        assert_eq!(gap(Follows::End, "a; /* b */ // /*", 1), None);
        assert_eq!(gap(Follows::Clause { from: true }, "export { A } 'x'", 10), Some(("`from`", 13)));
    }
}
