//! Everything that a split looks for inside of functions, for who has to know whether an edit of one can matter.
//!
//! A pass of the split that looks into functions for anything else has to be added here.

use std::collections::BTreeSet;

use serde::Serialize;

use super::jsx::Elements;
use super::leak::Found;
use super::parts::References;
use crate::parse::bodies::Body;
use crate::parse::module::ParsedModule;

/// What a body mentions.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Mentions {
    refers: BTreeSet<String>,
    unresolved: BTreeSet<String>,
    dynamic_imports: Vec<String>,
    globs: Vec<String>,
    has_elements: bool,
}

impl Mentions {
    pub(crate) fn of(module: &ParsedModule, body: &Body<'_>) -> Self {
        let mut references = References::of(module);
        body.visit_with(&mut references);
        let mut elements = Elements::default();
        body.visit_with(&mut elements);
        Self {
            refers: references.refers,
            unresolved: references.unresolved,
            dynamic_imports: references.dynamic_imports.into_iter().map(|(text, _)| text).collect(),
            globs: references.globs.into_iter().map(|(text, _)| text).collect(),
            has_elements: elements.first.is_some(),
        }
    }
}

/// Every text, number and name of a body: what a search of the client's half looks for.
pub(crate) fn words(body: &Body<'_>) -> BTreeSet<String> {
    let mut found = Found::default();
    body.visit_with(&mut found);
    found.texts.into_iter().chain(found.numbers).chain(found.names).map(|(text, _)| text).collect()
}
