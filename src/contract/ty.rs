//! The types that can cross the wire, in normal form.
//!
//! Aliases, utility types and generics are resolved before a [`Ty`] exists; object types are named and live in
//! [`super::Contract::types`], so that recursion needs no pointer.

use super::{Doc, Perms};
use crate::source::Location;

/// A wire type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ty {
    /// `string`
    String,
    /// `boolean`
    Boolean,
    /// `number`, or one of the width aliases.
    Number(NumberWidth),
    /// `bigint`, 64 bits signed.
    BigInt,
    /// `Date`, to the millisecond.
    Date,
    /// `Uint8Array`
    Bytes,
    /// A union of string literals or a string enum, its values in source order, at least one.
    Enum(Vec<String>),
    /// `T[]`, `Array<T>`, `readonly T[]`
    Array(Box<Ty>),
    /// An object type, by its key in [`super::Contract::types`].
    Object(String),
    /// `T | null`
    Nullable(Box<Ty>),
    /// `T | undefined` as a result; fields and parameters say it with `optional`.
    Optional(Box<Ty>),
    /// `void`, `undefined`: only as a result.
    Void,
}

impl Ty {
    /// The object type that a type is made of, whatever wraps it.
    pub fn object(&self) -> Option<&str> {
        match self {
            Self::Object(name) => Some(name),
            Self::Array(inner) | Self::Nullable(inner) | Self::Optional(inner) => inner.object(),
            Self::String
            | Self::Boolean
            | Self::Number(_)
            | Self::BigInt
            | Self::Date
            | Self::Bytes
            | Self::Enum(_)
            | Self::Void => None,
        }
    }
}

/// How a number travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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
#[derive(Debug, Clone, PartialEq)]
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
#[derive(Debug, Clone, PartialEq)]
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
    pub perm: Option<Perms>,
    /// Documentation above the field.
    pub doc: Doc,
    /// The field's name in the source.
    pub location: Location,
}
