//! An endpoint: a function that runs on the server and is called through a stub.

use serde::{Deserialize, Serialize};

use super::{Doc, Perms, Ty};
use crate::source::{FileId, Location};

/// One endpoint.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Endpoint {
    /// The project-wide name: `name:` of the options, otherwise the binding's.
    pub name: String,
    /// Where the function lives.
    pub binding: ModuleBinding,
    /// The decorator's options after folding.
    pub options: EndpointOptions,
    /// Parameters in order.
    pub params: Vec<Param>,
    /// The type that is sent back, with `Promise` taken off.
    pub returns: Ty,
    /// Documentation above the declaration.
    pub doc: Doc,
    /// The function's name in the source.
    pub location: Location,
}

/// How a function is reached from outside of its module.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ModuleBinding {
    /// The module.
    pub file: FileId,
    /// The name under which the module exports it, or what it is a member of; `default` for a default export.
    pub export: String,
    /// Members to follow from there, through namespaces, objects and classes; none for an export itself.
    pub members: Vec<String>,
    /// Whether the last member is one of an instance: each call makes one of its own, so that nothing is shared.
    pub instance: bool,
}

impl Endpoint {
    /// Whether the result is sent item by item.
    pub fn is_streamed(&self) -> bool {
        matches!(self.returns, Ty::Stream(_))
    }

    /// The parameters that are sent as streams of bytes beside the call, and what the endpoint is given for each.
    pub fn uploads(&self) -> Vec<(usize, UploadKind)> {
        let kind = |(index, param): (usize, &Param)| Some((index, UploadKind::of(&param.ty)?));
        self.params.iter().enumerate().filter_map(kind).collect()
    }
}

/// What a parameter is that is sent as a stream of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UploadKind {
    /// `ReadableStream<Uint8Array>`
    Stream,
    /// `Blob`
    Blob,
    /// `File`
    File,
}

impl UploadKind {
    /// The kind of a parameter's type, if it is sent so.
    pub fn of(ty: &Ty) -> Option<Self> {
        match ty {
            Ty::ByteStream => Some(Self::Stream),
            Ty::Blob => Some(Self::Blob),
            Ty::File => Some(Self::File),
            Ty::Nullable(of) | Ty::Optional(of) | Ty::Spelled(of, _) => Self::of(of),
            Ty::String
            | Ty::Boolean
            | Ty::Number(_)
            | Ty::BigInt(_)
            | Ty::Date
            | Ty::Bytes
            | Ty::Null
            | Ty::Literals(_)
            | Ty::Template(_)
            | Ty::Array(_)
            | Ty::Tuple(_)
            | Ty::Record(..)
            | Ty::Map(..)
            | Ty::Set(_)
            | Ty::Object(_)
            | Ty::Union(_)
            | Ty::Void
            | Ty::Dynamic(_)
            | Ty::Stream(_) => None,
        }
    }

    /// Its name in the server's table of routes.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Stream => "stream",
            Self::Blob => "blob",
            Self::File => "file",
        }
    }
}

impl ModuleBinding {
    /// An export itself.
    pub fn of_export(file: FileId, export: impl Into<String>) -> Self {
        Self { file, export: export.into(), members: Vec::new(), instance: false }
    }

    /// `Api.Book.sign`
    pub fn path(&self) -> String {
        let names = std::iter::once(self.export.as_str()).chain(self.members.iter().map(String::as_str));
        names.collect::<Vec<_>>().join(".")
    }
}

/// Policy of an endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndpointOptions {
    /// The group a caller must be in; `None` admits every session, also an anonymous one.
    pub ugroup: Option<String>,
    /// What the endpoint may do with storage.
    #[serde(with = "super::bits")]
    pub perm: Perms,
    /// The endpoint group that middleware filters select by.
    pub egroup: Option<String>,
    /// Most bytes of a call's arguments; `None` means [`MAX_BYTES_DEFAULT`].
    pub max_bytes: Option<u32>,
}

/// Most bytes of a call's arguments where the endpoint does not say.
pub const MAX_BYTES_DEFAULT: u32 = 10 << 20;

/// The most that an endpoint may say.
pub const MAX_BYTES_MAX: u32 = 1 << 30;

/// A parameter of an endpoint.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Param {
    /// Its name; `arg0` … for patterns.
    pub name: String,
    /// Its type.
    pub ty: Ty,
    /// Whether it may be left out (`?` or a default value).
    pub optional: bool,
    /// Whether it takes all further arguments; its type is that of the array of them.
    pub rest: bool,
    /// Where it is declared.
    pub location: Location,
}
