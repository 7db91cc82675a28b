//! API pages: what documentation comments, types and policies say, as markdown for VitePress.
//!
//! ```text
//! CheckedContract → Book → docs/api/index.md and one page for each endpoint
//! ```
//!
//! Markdown in comments is kept. What VitePress would take for HTML or for a Vue expression is not.

pub mod book;
mod diagnostics;
mod index;
mod markdown;

pub use book::{Book, BookOptions};
pub use diagnostics::Warning;
