//! One file as the parser sees it, for whoever checks the parser: tests and benchmarks.
//!
//! Knows nothing of scopes, imports or what a decorator means.

use std::collections::BTreeMap;

use swc_common::comments::SingleThreadedComments;
use swc_common::sync::Lrc;
use swc_common::{FileName, GLOBALS, Globals, SourceMap};
use swc_ecma_ast::{ExprOrSpread, Module};

use super::module::DecoratorUse;
use super::{on_deep_stack, session};
use crate::diag::Diagnostic;
use crate::source::{FileId, Location, Sources};

/// The tree of one file, with the decorators that were taken out of its text.
pub struct Inspected {
    /// Where the tree's positions lie.
    pub source_map: Lrc<SourceMap>,
    /// The tree, its scopes not resolved.
    pub module: Module,
    /// The comments.
    pub comments: SingleThreadedComments,
    /// The text that the parser read: decorators blanked, as long as the file's.
    pub text: String,
    /// The decorators, in the order of the nodes they belong to.
    pub decorators: Vec<InspectedDecorator>,
}

/// A decorator of the vocabulary.
#[derive(Debug, Clone)]
pub struct InspectedDecorator {
    /// Its name, without the `@`.
    pub name: String,
    /// `None` without an argument list.
    pub arguments: Option<Vec<ExprOrSpread>>,
    /// The whole decorator.
    pub location: Location,
    /// Offset of the node that it belongs to.
    pub node: u32,
}

/// Reads one file.
///
/// # Errors
/// What is wrong with its syntax.
pub fn inspect(sources: &Sources, file: FileId) -> Result<Inspected, Vec<Diagnostic>> {
    on_deep_stack(|| GLOBALS.set(&Globals::new(), || session::inspect_file(file, sources.file(file))))
}

impl Inspected {
    pub(super) fn new(
        path: &str,
        read: String,
        module: Module,
        comments: SingleThreadedComments,
        text: String,
        decorators: BTreeMap<u32, Vec<DecoratorUse>>,
    ) -> Self {
        let source_map: Lrc<SourceMap> = Lrc::default();
        source_map.new_source_file(FileName::Custom(path.to_owned()).into(), read);
        let decorators = decorators.into_iter().flat_map(|(node, uses)| {
            uses.into_iter().map(move |DecoratorUse { name, arguments, location }| InspectedDecorator {
                name,
                arguments,
                location,
                node,
            })
        });
        Self { source_map, module, comments, text, decorators: decorators.collect() }
    }
}
