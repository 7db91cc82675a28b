//! What a project promises: its endpoints, middlewares, tables and the types they speak.
//!
//! ```text
//! parse::extract → Contract → check → CheckedContract → every back end
//! ```
//!
//! Plain data: no syntax nodes, no file system. Positions are [`Location`]s, so that every later phase can point at
//! the user's source.

mod bits;
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
    BigIntWidth, EnumType, Field, Literal, NumberWidth, ObjectType, RecordKey, Spelling, TemplatePart,
    TupleElement, Ty,
};
pub use wire_ids::{FieldRename, RenameFault, WireIds};

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

/// Everything extracted from the sources, not yet checked. In the order of files, then of positions.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
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
    /// Enums that types are spelled by, by a key of their own.
    pub enums: BTreeMap<String, EnumType>,
}

impl Contract {
    /// The contract with every type as it travels.
    #[must_use]
    pub fn plain(&self) -> Self {
        let mut plain = self.clone();
        for endpoint in &mut plain.endpoints {
            endpoint.params.iter_mut().for_each(|param| param.ty = param.ty.plain());
            endpoint.returns = endpoint.returns.plain();
        }
        for field in plain.types.values_mut().flat_map(|object| &mut object.fields) {
            field.ty = field.ty.plain();
        }
        plain.enums.clear();
        plain
    }

    /// Keys of the enums that endpoints speak of.
    pub fn enums_of_clients(&self) -> BTreeSet<String> {
        let endpoints = self.endpoints.iter();
        let types: Vec<&Ty> = endpoints
            .flat_map(|endpoint| endpoint.params.iter().map(|param| &param.ty).chain([&endpoint.returns]))
            .collect();
        let objects = signature::object_keys(self, types.iter().copied());
        self.enums_in(types.into_iter().chain(self.field_types(&objects)))
    }

    /// Keys of the enums that tables have in their rows.
    pub fn enums_of_tables(&self) -> BTreeSet<String> {
        let rows: Vec<Ty> = self.tables.iter().map(|table| Ty::Object(table.entity.clone())).collect();
        self.enums_in(self.field_types(&signature::object_keys(self, &rows)))
    }

    fn field_types<'a>(&'a self, objects: &'a BTreeSet<String>) -> impl Iterator<Item = &'a Ty> {
        let objects = objects.iter().filter_map(|key| self.types.get(key));
        objects.flat_map(|object| &object.fields).map(|field| &field.ty)
    }

    fn enums_in<'a>(&self, types: impl Iterator<Item = &'a Ty>) -> BTreeSet<String> {
        let (mut found, mut open) = (BTreeSet::new(), types.collect::<Vec<&Ty>>());
        while let Some(ty) = open.pop() {
            if let Ty::Spelled(_, Spelling::Enum(path, _)) = ty {
                found.extend(path.split('.').next().map(str::to_owned));
            }
            open.extend(ty.parts());
        }
        found
    }
}
