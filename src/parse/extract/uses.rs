//! Everything that extraction looks for inside of functions, for who has to know whether an edit of one can matter.
//!
//! A pass of the extraction that looks into functions for anything else has to be added here.

use serde::Serialize;

use super::{own_names, storage_use};
use crate::parse::bodies::Body;
use crate::parse::module::ParsedModule;

/// What a body uses of storage: tables with what is done to them, as far as it can be seen, and the bits which that needs.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Uses(Vec<(String, Option<(String, u8)>)>);

impl Uses {
    /// `None` when it speaks to the compiler, whose answer is about more than what is mentioned.
    pub(crate) fn of(module: &ParsedModule, body: &Body<'_>) -> Option<Self> {
        if own_names::are_in(module, body) {
            return None;
        }
        let uses = storage_use::in_body(module, body).into_iter().map(|(table, operation)| {
            (table, operation.map(|operation| (operation.name, operation.needs.bits())))
        });
        Some(Self(uses.collect()))
    }
}
