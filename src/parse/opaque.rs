//! Where a tree has text in which an `@` is no decorator.

use std::collections::BTreeSet;

use swc_common::comments::SingleThreadedComments;
use swc_common::{BytePos, Span};
use swc_ecma_ast::{Decorator, JSXText, Module, Regex, Str, TplElement};
use swc_ecma_visit::{Visit, VisitWith};

/// Where the tree has strings, templates, regular expressions, JSX text and comments, and decorators of its own.
pub(super) struct Opaque {
    base: BytePos,
    ranges: Vec<(usize, usize)>,
    pub(super) decorators: BTreeSet<usize>,
}

impl Opaque {
    pub(super) fn of(module: &Module, comments: &SingleThreadedComments, base: BytePos) -> Self {
        let mut opaque = Self { base, ranges: Vec::new(), decorators: BTreeSet::new() };
        module.visit_with(&mut opaque);
        let (leading, trailing) = comments.borrow_all();
        for comment in leading.values().chain(trailing.values()).flatten() {
            opaque.add(comment.span);
        }
        if let Some(shebang) = &module.shebang {
            opaque.ranges.push((0, shebang.len() + 2));
        }
        opaque.ranges.sort_unstable();
        opaque
    }

    fn add(&mut self, span: Span) {
        self.ranges.push(((span.lo.0 - self.base.0) as usize, (span.hi.0 - self.base.0) as usize));
    }

    pub(super) fn covers(&self, at: usize) -> bool {
        // None of them lies in another.
        let before = self.ranges.partition_point(|(start, _)| *start <= at);
        before.checked_sub(1).is_some_and(|last| at < self.ranges[last].1)
    }
}

impl Visit for Opaque {
    fn visit_str(&mut self, node: &Str) {
        self.add(node.span);
    }

    fn visit_regex(&mut self, node: &Regex) {
        self.add(node.span);
    }

    fn visit_tpl_element(&mut self, node: &TplElement) {
        self.add(node.span);
    }

    fn visit_jsx_text(&mut self, node: &JSXText) {
        self.add(node.span);
    }

    fn visit_decorator(&mut self, node: &Decorator) {
        self.decorators.insert((node.span.lo.0 - self.base.0) as usize);
        node.visit_children_with(self);
    }
}
