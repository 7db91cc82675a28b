//! JSX in what the split prints: the output is JavaScript, and which library the elements are of is the bundler's to say.

use swc_common::Span;
use swc_ecma_ast::{JSXElement, JSXFragment};
use swc_ecma_visit::{Visit, VisitWith, noop_visit_type};

use super::diagnostics;
use super::parts::Parts;
use super::reach::{Reach, has_endpoints};
use crate::diag::Diagnostic;
use crate::parse::{ModuleGraph, has_jsx};

/// Reports the first element of each module that either half has.
pub(super) fn check(graph: &ModuleGraph, parts: &Parts<'_>, reach: &Reach) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for module in graph.modules().filter(|module| has_jsx(&module.path)) {
        let on_server = reach.server_modules.contains(&module.file);
        let mut elements = Elements::default();
        for (index, part) in parts.module(module.file).iter().enumerate() {
            if on_server || reach.client.contains(&(module.file, index)) {
                part.node.visit_with(&mut elements);
            }
        }
        if let Some(span) = elements.first {
            let splits = has_endpoints(parts, module.file);
            found.push(diagnostics::jsx(&module.path, splits, module.location(span)));
        }
    }
    found
}

/// Looks for the first element.
#[derive(Default)]
pub(super) struct Elements {
    pub(super) first: Option<Span>,
}

impl Visit for Elements {
    noop_visit_type!();

    fn visit_jsx_element(&mut self, element: &JSXElement) {
        self.first.get_or_insert(element.span);
    }

    fn visit_jsx_fragment(&mut self, fragment: &JSXFragment) {
        self.first.get_or_insert(fragment.span);
    }
}
