//! The project as its own TypeScript can check it, and what TypeScript's words mean for the user's files.
//!
//! ```text
//! tsconfig.json                      → TsConfig, one for each program to check
//! blanked sources, declarations      → Shadow: files of a tree that mirrors the project
//! what tsc prints                    → Message → Diagnostic at the user's own position
//! files that do not parse            → Syntax: what TypeScript says of them alone
//! ```
//!
//! Pure: the command line lays the tree out and runs `tsc`. In the tree are the files that differ from the project's: the
//! blanked sources, fresh declarations of `ctx`, `env` and `@/client`, and a configuration that extends the user's. All
//! else is a link to the user's file. TypeScript resolves relative imports, `paths`, `include` and `extends` without
//! following links, so that they stay inside of the tree, and packages with following them, so that these are the
//! project's.

mod config;
mod diagnostics;
mod message;
mod shadow;
mod syntax;

pub use config::TsConfig;
pub use diagnostics::{not_installed, stale};
pub use message::{Checked, Message, SourceText};
pub use shadow::{Shadow, is_declaration};
pub use syntax::{Syntax, TSCONFIG};
