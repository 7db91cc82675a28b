//! Documentation comments of a declaration, already taken apart.

use serde::{Deserialize, Serialize};

/// What the `///` lines and the `/** */` block above a declaration say.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Doc {
    /// Markdown before the first tag.
    pub text: String,
    /// `@param name text`, in source order.
    pub params: Vec<(String, String)>,
    /// `@returns text`.
    pub returns: Option<String>,
    /// `@throws text`, one each.
    pub throws: Vec<String>,
    /// `@example` blocks, as written.
    pub examples: Vec<String>,
}
