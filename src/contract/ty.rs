//! The types that can cross the wire, in normal form.
//!
//! Aliases, utility types and generics are resolved before a [`Ty`] exists; object types are named and live in
//! [`super::Contract::types`], so that recursion needs no pointer.

use serde::{Deserialize, Serialize};

use super::{Doc, Perms};
use crate::source::Location;

/// A wire type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Ty {
    /// `string`
    String,
    /// `boolean`
    Boolean,
    /// `number`, or one of the width aliases.
    Number(NumberWidth),
    /// `bigint`, 64 bits.
    BigInt(BigIntWidth),
    /// `Date`, to the millisecond.
    Date,
    /// `Uint8Array`
    Bytes,
    /// `null` alone.
    Null,
    /// A union of literals or an enum: its values in source order, at least one, none twice.
    Literals(Vec<Literal>),
    /// A template literal type that stands for more strings than can be listed: `` `user-${number}` ``.
    Template(Vec<TemplatePart>),
    /// `T[]`, `Array<T>`, `readonly T[]`
    Array(Box<Ty>),
    /// `[a: A, b?: B, ...C[]]`
    Tuple(Vec<TupleElement>),
    /// `Record<K, V>`, `{ [key: K]: V }` with keys that are not listed.
    Record(RecordKey, Box<Ty>),
    /// `Map<K, V>`
    Map(Box<Ty>, Box<Ty>),
    /// `Set<T>`
    Set(Box<Ty>),
    /// An object type, by its key in [`super::Contract::types`].
    Object(String),
    /// Members of different types, in source order, at least two: none of them a union, nullable, optional or literals
    /// beside other literals.
    Union(Vec<Ty>),
    /// `T | null`
    Nullable(Box<Ty>),
    /// `T | undefined` as a result; fields and parameters say it with `optional`.
    Optional(Box<Ty>),
    /// `void`, `undefined`: only as a result.
    Void,
    /// A type without a schema, as TypeScript's own text; its values describe themselves (FlexBuffers).
    Dynamic(String),
    /// `AsyncIterable<T>`: only as a result.
    Stream(Box<Ty>),
    /// `ReadableStream<Uint8Array>`
    ByteStream,
    /// `Blob`
    Blob,
    /// `File`
    File,
    /// A type that declarations spell otherwise than its values travel. Only in [`super::CheckedContract::spelled`].
    Spelled(Box<Ty>, Spelling),
}

/// What TypeScript is told of a type that nothing on the wire depends on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Spelling {
    /// `readonly T[]`, `readonly [A, B]`, `ReadonlyMap<K, V>`, `ReadonlySet<T>`
    Readonly,
    /// A brand, what stands behind the `&`: `{ readonly __brand: 'id' }`.
    Brand(String),
    /// An enum by its key in [`super::Contract::enums`], or those members of it.
    Enum(String, Vec<String>),
}

/// An enum, as far as TypeScript compares it with others of its name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnumType {
    /// Its name in the source.
    pub name: String,
    /// Its members in source order.
    pub members: Vec<(String, Literal)>,
}

/// A literal type.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Literal {
    /// `'a'`
    String(String),
    /// `1`, as JavaScript prints it, so that equal numbers are equal texts.
    Number(String),
    /// `1n`, its digits.
    BigInt(String),
    /// `true`
    Boolean(bool),
}

/// A piece of a template literal type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum TemplatePart {
    /// Text as it is.
    Text(String),
    /// `${string}`
    String,
    /// `${number}`
    Number,
    /// `${bigint}`
    BigInt,
}

/// An element of a tuple.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TupleElement {
    /// Its label, if it has one.
    pub name: Option<String>,
    /// Its type, without `undefined`.
    pub ty: Ty,
    /// Whether it may be absent.
    pub optional: bool,
    /// Whether it stands for any number of elements: `...T[]`, of which `ty` is the `T`.
    pub rest: bool,
}

/// What the keys of a record are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum RecordKey {
    /// `string`
    String,
    /// `number`
    Number,
    /// A template literal type.
    Template(Vec<TemplatePart>),
}

impl Ty {
    /// The types that a type is directly made of.
    pub fn parts(&self) -> Vec<&Self> {
        match self {
            Self::Array(inner)
            | Self::Set(inner)
            | Self::Record(_, inner)
            | Self::Nullable(inner)
            | Self::Optional(inner)
            | Self::Stream(inner)
            | Self::Spelled(inner, _) => vec![inner],
            Self::Map(key, value) => vec![key, value],
            Self::Tuple(elements) => elements.iter().map(|element| &element.ty).collect(),
            Self::Union(members) => members.iter().collect(),
            Self::String
            | Self::Boolean
            | Self::Number(_)
            | Self::BigInt(_)
            | Self::Date
            | Self::Bytes
            | Self::Null
            | Self::Literals(_)
            | Self::Template(_)
            | Self::Object(_)
            | Self::Void
            | Self::Dynamic(_)
            | Self::ByteStream
            | Self::Blob
            | Self::File => Vec::new(),
        }
    }

    /// The type as it travels, whatever is in it.
    #[must_use]
    pub fn plain(&self) -> Self {
        let boxed = |ty: &Self| Box::new(ty.plain());
        match self {
            Self::Spelled(inner, _) => inner.plain(),
            Self::Array(inner) => Self::Array(boxed(inner)),
            Self::Set(inner) => Self::Set(boxed(inner)),
            Self::Record(key, inner) => Self::Record(key.clone(), boxed(inner)),
            Self::Map(key, value) => Self::Map(boxed(key), boxed(value)),
            Self::Nullable(inner) => Self::Nullable(boxed(inner)),
            Self::Optional(inner) => Self::Optional(boxed(inner)),
            Self::Stream(inner) => Self::Stream(boxed(inner)),
            Self::Union(members) => Self::Union(members.iter().map(Self::plain).collect()),
            Self::Tuple(elements) => {
                let plain =
                    |element: &TupleElement| TupleElement { ty: element.ty.plain(), ..element.clone() };
                Self::Tuple(elements.iter().map(plain).collect())
            }
            Self::String
            | Self::Boolean
            | Self::Number(_)
            | Self::BigInt(_)
            | Self::Date
            | Self::Bytes
            | Self::Null
            | Self::Literals(_)
            | Self::Template(_)
            | Self::Object(_)
            | Self::Void
            | Self::Dynamic(_)
            | Self::ByteStream
            | Self::Blob
            | Self::File => self.clone(),
        }
    }

    /// The type itself as it travels; what is in it may be spelled otherwise.
    pub fn bare(&self) -> &Self {
        match self {
            Self::Spelled(inner, _) => inner.bare(),
            _ => self,
        }
    }

    /// The object types that a type mentions, whatever wraps them, in order.
    pub fn objects(&self) -> Vec<&str> {
        let (mut found, mut open) = (Vec::new(), vec![self]);
        while let Some(ty) = open.pop() {
            if let Self::Object(name) = ty {
                found.push(name.as_str());
            }
            open.extend(ty.parts().into_iter().rev());
        }
        found
    }
}

/// How a bigint travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum BigIntWidth {
    /// `bigint`, `int64`
    Int64,
    /// `uint64`
    Uint64,
}

/// How a number travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum NumberWidth {
    /// `int8`
    Int8,
    /// `int16`
    Int16,
    /// `int32`
    Int32,
    /// `uint8`
    Uint8,
    /// `uint16`
    Uint16,
    /// `uint32`
    Uint32,
    /// `float32`
    Float32,
    /// `number`, `float64`
    Float64,
}

/// An interface, an object type alias or an inline object type.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ObjectType {
    /// Its name; inline types are named after their place: `sign_entry` → `SignEntry`.
    pub name: String,
    /// Fields in source order.
    pub fields: Vec<Field>,
    /// Documentation above the declaration.
    pub doc: Doc,
    /// The declaration's name, or the whole inline type.
    pub location: Location,
}

/// A field of an object type.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Field {
    /// Its name.
    pub name: String,
    /// Its type, without `undefined`.
    pub ty: Ty,
    /// Whether it may be absent.
    pub optional: bool,
    /// `readonly`.
    pub readonly: bool,
    /// `@primkey`
    pub primkey: bool,
    /// `@index`
    pub index: bool,
    /// `@unique`
    pub unique: bool,
    /// `@perm(…)`; `None` means every bit.
    #[serde(with = "super::bits::optional")]
    pub perm: Option<Perms>,
    /// Documentation above the field.
    pub doc: Doc,
    /// The field's name in the source.
    pub location: Location,
}

impl Field {
    /// Whether nobody reads it: it is written, kept, and left out of whatever the database answers.
    pub fn is_hidden(&self) -> bool {
        self.perm.is_some_and(|perm| !perm.contains(Perms::R))
    }
}
