//! What a project promises: its endpoints, middlewares, tables and the types they speak.
//!
//! ```text
//! parse::extract → Contract → check → CheckedContract → every back end
//! ```
//!
//! Plain data: no syntax nodes, no file system. Positions are [`Location`]s, so that every later phase can point at
//! the user's source.

pub mod check;
mod diagnostics;
pub mod doc;
pub mod endpoint;
pub mod middleware;
pub mod signature;
pub mod table;
pub mod ty;
pub mod wire_ids;

pub use check::{CheckedContract, check};
pub use doc::Doc;
pub use endpoint::{
    Endpoint, EndpointOptions, MAX_BYTES_DEFAULT, MAX_BYTES_MAX, ModuleBinding, Param, UploadKind,
};
pub use kontract_wire::perm::Perms;
pub use middleware::{Middleware, MiddlewareFilter};
pub use table::{Scope, StorageOperation, StorageUse, Table};
pub use ty::{
    BigIntWidth, Field, Literal, NumberWidth, ObjectType, RecordKey, TemplatePart, TupleElement, Ty,
};
pub use wire_ids::{FieldRename, RenameFault, WireIds};

use std::collections::BTreeMap;

/// Everything extracted from the sources, not yet checked. In the order of files, then of positions.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Contract {
    /// Functions marked `@backend` or wrapped in `backend(…)`.
    pub endpoints: Vec<Endpoint>,
    /// Elements of `defineMiddleware([…])`, in the order in which they run.
    pub middleware: Vec<Middleware>,
    /// Tables, by the interfaces that describe their rows.
    pub tables: Vec<Table>,
    /// Visible uses of `env.storage`.
    pub storage_uses: Vec<StorageUse>,
    /// Named object types that endpoints and tables refer to, by name.
    pub types: BTreeMap<String, ObjectType>,
}
