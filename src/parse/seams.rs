//! Syntax errors that swc reads over: what has to stand between two nodes, and does not.
//!
//! ```text
//! enum A { x y }   →   at `y`, ',' expected
//! ```

use swc_common::{BytePos, Spanned};
use swc_ecma_ast::{
    AssignExpr, AssignTarget, BindingIdent, Class, Decl, ExportDecl, ForStmt, Ident, ImportDecl, ImportPhase,
    ImportSpecifier, Module, NamedExport, Number, OptChainBase, OptChainExpr, PropName, SimpleAssignTarget,
    Str, TsEntityName, TsEnumDecl, TsEnumMemberId, TsExprWithTypeArgs, TsFnOrConstructorType,
    TsInterfaceDecl, TsType,
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
    /// The same, behind an operator such as `keyof`.
    Operand,
    /// The only name of an import, its default: no other behind a `,`.
    Default,
    /// An import or export: the end of the statement.
    Break,
    /// What an interface or class extends or implements: `,` and another one, or `{`.
    Heritage,
    /// The head of a class or interface: without `implements` or `extends`, as nothing follows these.
    Head,
    /// In front of `this`, which only a parameter is called.
    This,
    /// In front of the name of a static member: one `static`.
    Static,
    /// `import source` with a name: what TypeScript takes for `import source = …`.
    Source,
    /// In front of an `export` with decorators behind it, before which no `declare` stands.
    Declare,
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
        is_reserved(&name.sym).then_some(Self { behind: name.span.lo, follows: Follows::Name })
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

    pub(super) fn of_operand(node: &TsType) -> Option<Self> {
        node.is_ts_fn_or_constructor_type()
            .then(|| Self { behind: node.span_lo(), follows: Follows::Operand })
    }

    /// A name that is bound, but for parameters of functions.
    pub(super) fn of_this(name: &BindingIdent) -> Option<Self> {
        (name.sym == *"this").then_some(Self { behind: name.id.span.lo, follows: Follows::This })
    }

    pub(super) fn of_static(name: &PropName) -> Self {
        Self { behind: name.span_lo(), follows: Follows::Static }
    }

    pub(super) fn of_import(node: &ImportDecl) -> Option<Self> {
        let is_source = node.phase == ImportPhase::Source;
        let behind = node.specifiers.first().map(Spanned::span_lo)?;
        is_source.then_some(Self { behind, follows: Follows::Source })
    }

    pub(super) fn of_default(node: &ImportDecl) -> Option<Self> {
        let [ImportSpecifier::Default(only)] = node.specifiers.as_slice() else { return None };
        Some(Self { behind: only.span.hi, follows: Follows::Default })
    }

    /// A whole import or export.
    pub(super) fn of_statement(node: &impl Spanned) -> Self {
        Self { behind: node.span_hi(), follows: Follows::Break }
    }

    pub(super) fn of_heritage(nodes: &[TsExprWithTypeArgs]) -> impl Iterator<Item = Self> {
        nodes.iter().map(|node| Self { behind: node.span.hi, follows: Follows::Heritage })
    }

    pub(super) fn of_interface(node: &TsInterfaceDecl) -> Option<Self> {
        let behind = node.type_params.as_ref().map_or(node.id.span.hi, |parameters| parameters.span.hi);
        node.extends.is_empty().then_some(Self { behind, follows: Follows::Head })
    }

    pub(super) fn of_class(node: &Class, name: &Ident) -> Option<Self> {
        let parameters = node.type_params.as_ref().map(|parameters| parameters.span.hi);
        let extended = node.super_class.as_ref().map(|class| class.span_hi());
        let arguments = node.super_type_params.as_ref().map(|arguments| arguments.span.hi);
        let behind = arguments.or(extended).or(parameters).unwrap_or(name.span.hi);
        node.implements.is_empty().then_some(Self { behind, follows: Follows::Head })
    }

    pub(super) fn of_export_decl(node: &ExportDecl) -> Option<Self> {
        let Decl::Class(class) = &node.decl else { return None };
        let first = class.class.decorators.first()?;
        let behind = node.span.lo;
        (first.span.lo > behind).then_some(Self { behind, follows: Follows::Declare })
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
        let separated = memchr::memchr(b'_', raw.as_bytes()).is_some();
        let misplaced = separated && (raw.ends_with('_') || raw.contains("__"));
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
            Follows::Operand => Some(operand(bytes, behind)),
            Follows::Default => {
                let next = skip_trivia(bytes, at + 1);
                let is_alone = bytes.get(at) == Some(&b',') && bytes.get(next) != Some(&b'{');
                is_alone.then_some(("`{`", next))
            }
            Follows::Break => {
                let ends = matches!(bytes.get(at), None | Some(b';' | b'}'))
                    || bytes[..behind].ends_with(b";")
                    || memchr::memchr2(b'\n', b'\r', &bytes[behind..at]).is_some();
                (!ends).then_some(("`;`", at))
            }
            Follows::Heritage => match bytes.get(at) {
                Some(b',') => {
                    let next = skip_trivia(bytes, at + 1);
                    (bytes.get(next) == Some(&b'{')).then_some(("type", next))
                }
                None | Some(b'{' | b')') => None,
                // Of one that is written twice, swc tells.
                Some(_) => {
                    let again =
                        [&b"extends"[..], b"implements"].iter().any(|word| bytes[at..].starts_with(word));
                    (!again).then_some(("`,`", at))
                }
            },
            Follows::Head => {
                let word =
                    ["extends", "implements"].iter().find(|word| bytes[at..].starts_with(word.as_bytes()));
                word.map(|word| skip_trivia(bytes, at + word.len()))
                    .filter(|next| bytes.get(*next) == Some(&b'{'))
                    .map(|next| ("type", next))
            }
            Follows::This => {
                let declares = bytes[..behind].trim_ascii_end();
                let is_let = declares.ends_with(b"let") && declares.len() < behind;
                Some(("identifier", if is_let { declares.len() - "let".len() } else { behind }))
            }
            Follows::Static => second_static(bytes, behind).map(|at| ("`;`", at)),
            Follows::Source => Some(("`=`", behind)),
            Follows::Declare => {
                let word = skip_trivia(bytes, behind + "export".len());
                bytes[word..].starts_with(b"declare").then_some(("declaration", behind))
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

/// What is expected in the type of a function that begins at `at`, where it cannot begin: TypeScript takes its `(` for one
/// around a type, and its `new` for a name.
fn operand(text: &[u8], at: usize) -> (&'static str, usize) {
    let word = |at: usize| text[at..].iter().take_while(|byte| is_identifier_part(**byte)).count();
    match text.get(at) {
        Some(b'(') => {
            let inside = skip_trivia(text, at + 1);
            let name = word(inside);
            if name == 0 {
                return ("type", inside);
            }
            let behind = skip_trivia(text, inside + name);
            if text.get(behind) == Some(&b')') {
                ("`;`", skip_trivia(text, behind + 1))
            } else {
                ("`)`", behind)
            }
        }
        Some(b'<') => ("type", at),
        _ => ("`;`", skip_trivia(text, at + word(at))),
    }
}

/// Where the second `static` stands among the modifiers that end at `end`, in the line of what follows it.
fn second_static(text: &[u8], end: usize) -> Option<usize> {
    let mut found = None;
    let mut behind = end;
    loop {
        let word_end = text[..behind].trim_ascii_end().len();
        let word = text[..word_end].iter().rev().take_while(|byte| byte.is_ascii_lowercase()).count();
        let start = word_end - word;
        match (&text[start..word_end], found) {
            (b"static", Some(second)) => return Some(second),
            (b"static", None) if !text[word_end..behind].contains(&b'\n') => found = Some(start),
            (b"async" | b"get" | b"set" | b"override" | b"readonly" | b"accessor" | b"declare", _) => {}
            _ => return None,
        }
        behind = start;
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

/// Whether a word is the name of nothing. Most are told apart by their first letter and their length.
fn is_reserved(word: &str) -> bool {
    let first = word.as_bytes().first().map_or(0, |first| first.wrapping_sub(b'a'));
    let letters = RESERVED_LETTERS.get(word.len()).copied().unwrap_or(0);
    first < 26 && letters >> first & 1 == 1 && RESERVED.binary_search(&word).is_ok()
}

/// By length, the first letters of [`RESERVED`]: bit 0 is `a`.
const RESERVED_LETTERS: [u32; 11] = {
    let mut letters = [0; 11];
    let mut place = 0;
    while place < RESERVED.len() {
        let word = RESERVED[place].as_bytes();
        letters[word.len()] |= 1 << (word[0] - b'a');
        place += 1;
    }
    letters
};

/// Words that are the name of nothing, in order.
pub(super) const RESERVED: &[&str] = &[
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
        assert_eq!(gap(Follows::Operand, "keyof () => a", 6), Some(("type", 7)));
        assert_eq!(gap(Follows::Operand, "keyof (a: b) => c", 6), Some(("`)`", 8)));
        assert_eq!(gap(Follows::Operand, "keyof new () => a", 6), Some(("`;`", 10)));
        assert_eq!(gap(Follows::This, "let this", 4), Some(("identifier", 0)));
        assert_eq!(gap(Follows::Static, "static static x", 14), Some(("`;`", 7)));
        assert_eq!(gap(Follows::Static, "static readonly static\nx", 23), None);
        assert_eq!(gap(Follows::Static, "a\nstatic static", 9), None);
        assert_eq!(gap(Follows::Break, "import 'a' b", 10), Some(("`;`", 11)));
        assert_eq!(gap(Follows::Break, "import 'a' /*\n*/ b", 10), None);
        assert_eq!(gap(Follows::Heritage, "interface A extends B C", 21), Some(("`,`", 22)));
        assert_eq!(gap(Follows::Heritage, "interface A extends B, {", 21), Some(("type", 23)));
        assert_eq!(gap(Follows::Head, "class A implements {", 7), Some(("type", 19)));
        assert_eq!(gap(Follows::Digits, "x = 1__0", 4), Some(("digit", 6)));
        assert_eq!(gap(Follows::End, "a // b\n/* c", 1), Some(("`*/`", 11)));
        assert_eq!(gap(Follows::End, "a; /* b */ // /*", 1), None);
        assert_eq!(gap(Follows::Clause { from: true }, "export { A } 'x'", 10), Some(("`from`", 13)));
    }
}
