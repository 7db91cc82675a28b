//! Abstract classes with decorators behind `export`, which TypeScript reads and swc does not.
//!
//! ```text
//! export @a abstract class X {}      the file
//! export @a          class X {}      for swc; its tree says `abstract` again, at the same place
//! ```

use std::borrow::Cow;
use std::collections::BTreeMap;

use swc_common::{BytePos, Span, Spanned};
use swc_ecma_ast::{Class, ClassDecl, ClassMember, DefaultDecl, ExportDefaultDecl, Module};
use swc_ecma_parser::error::{Error, SyntaxError};
use swc_ecma_visit::{VisitMut, VisitMutWith};

use super::scanner::{self, is_identifier_part, skip_trivia};

/// The words that are blanked: the offset of each by that of the `class` behind it.
#[derive(Clone, Default)]
pub(super) struct Abstracts(BTreeMap<usize, usize>);

impl Abstracts {
    /// Those behind decorators that the scanner understands.
    pub(super) fn of(text: &str, tsx: bool) -> Self {
        let targets = scanner::targets(text, tsx).unwrap_or_default();
        let exported = targets.into_iter().filter(|(_, first)| text[..*first].trim_end().ends_with("export"));
        Self(exported.filter_map(|(at, _)| Some((class_behind(text, at)?, at))).collect())
    }

    /// Adds the one at which swc gave up; `false` when it was something else.
    pub(super) fn add(&mut self, text: &str, at: usize) -> bool {
        class_behind(text, at).is_some_and(|class| self.0.insert(class, at).is_none())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The text for swc, as long as the file's.
    pub(super) fn blank<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let mut blanked = Cow::Borrowed(text);
        for at in self.0.values() {
            blanked.to_mut().replace_range(*at..at + ABSTRACT.len(), "        ");
        }
        blanked
    }

    /// Makes the classes of a tree abstract again, and takes away what swc said about their members. The text starts at `base`.
    pub(super) fn restore(&self, module: &mut Module, errors: &mut Vec<Error>, base: BytePos) {
        if self.is_empty() {
            return;
        }
        let mut restored = Restored { waiting: self.0.clone(), members: Vec::new(), base };
        module.visit_mut_with(&mut restored);
        let is_legal = |error: &Error| {
            matches!(error.kind(), SyntaxError::TS1244) && restored.members.contains(&error.span())
        };
        errors.retain(|error| !is_legal(error));
        // An expression cannot be abstract.
        let illegal = restored.waiting.into_values().map(|at| {
            let at = base + BytePos(u32::try_from(at).unwrap_or(u32::MAX));
            let span = Span::new(at, at + BytePos(ABSTRACT.len() as u32));
            Error::new(span, SyntaxError::Expected("class".to_owned(), ABSTRACT.to_owned()))
        });
        errors.extend(illegal);
    }
}

/// The `class` behind an `abstract` in the same line.
fn class_behind(text: &str, at: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    let is_word = |at: usize, word: &str| {
        bytes.get(at..).is_some_and(|rest| rest.starts_with(word.as_bytes()))
            && !bytes.get(at + word.len()).is_some_and(|byte| is_identifier_part(*byte))
    };
    let class = is_word(at, ABSTRACT).then(|| skip_trivia(bytes, at + ABSTRACT.len()))?;
    (is_word(class, "class") && !text[at..class].contains(LINE_ENDS)).then_some(class)
}

struct Restored {
    /// Classes that have not been met.
    waiting: BTreeMap<usize, usize>,
    /// The abstract members of those that have been.
    members: Vec<Span>,
    base: BytePos,
}

impl VisitMut for Restored {
    fn visit_mut_class_decl(&mut self, declared: &mut ClassDecl) {
        self.restore(&mut declared.class);
        declared.visit_mut_children_with(self);
    }

    fn visit_mut_export_default_decl(&mut self, export: &mut ExportDefaultDecl) {
        if let DefaultDecl::Class(declared) = &mut export.decl {
            self.restore(&mut declared.class);
        }
        export.visit_mut_children_with(self);
    }
}

impl Restored {
    fn restore(&mut self, class: &mut Class) {
        let Some(at) = self.waiting.remove(&((class.span.lo.0 - self.base.0) as usize)) else { return };
        class.is_abstract = true;
        class.span.lo = BytePos(self.base.0 + u32::try_from(at).unwrap_or(u32::MAX));
        self.members.extend(class.body.iter().filter_map(|member| match member {
            ClassMember::ClassProp(property) if property.is_abstract => Some(property.span),
            ClassMember::Method(method) if method.is_abstract => Some(method.span),
            _ => None,
        }));
    }
}

const ABSTRACT: &str = "abstract";
const LINE_ENDS: [char; 4] = ['\n', '\r', '\u{2028}', '\u{2029}'];

#[cfg(test)]
mod tests {
    use super::Abstracts;

    #[test]
    fn words_in_front_of_exported_classes_are_blanked() {
        let blanked = |text: &str| Abstracts::of(text, false).blank(text).into_owned();
        assert_eq!(
            blanked("export @a @b.c(1) abstract /* d */ class X {}"),
            "export @a @b.c(1)          /* d */ class X {}"
        );
        assert_eq!(blanked("export @(a) abstract class X {}"), "export @(a)          class X {}");
        for other in [
            "@a abstract class X {}",
            "export @a abstract\nclass X {}",
            "export @a abstract classes",
            "'export @a abstract class X {}'",
            "export default @a abstract class X {}",
        ] {
            assert_eq!(blanked(other), other);
        }
    }
}
