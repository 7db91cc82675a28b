//! Names in `codecs.js`: of its own functions and constants, of methods, and of what it imports.
//!
//! A name of its own is a word and the unique name of a table, enum, template or union. No import is such a word with
//! more behind it, so that the two never meet.

use crate::contract::NumberWidth;
use crate::emit::build::{binary, ident, member, number, string};
use crate::stubgen::schema::{
    EntryOf, EnumId, FieldDef, Scalar, TableDef, TableKind, TemplateId, TupleShape, UnionId, WireSchema,
};
use std::collections::BTreeSet;
use swc_ecma_ast::{BinaryOp, Expr, Ident, ModuleItem};
use swc_ecma_visit::{Visit, VisitWith};

/// The array of an enum's values.
pub(super) fn values(schema: &WireSchema, id: EnumId) -> String {
    format!("values{}", schema.enumeration(id).name)
}

/// The test of a template literal type.
pub(super) fn pattern(schema: &WireSchema, id: TemplateId) -> String {
    format!("pattern{}", schema.template(id).name)
}

pub(super) fn shape(table: &TableDef) -> String {
    format!("shape{}", table.name)
}

pub(super) fn write(table: &TableDef) -> String {
    format!("write{}", table.name)
}

pub(super) fn read(table: &TableDef) -> String {
    format!("read{}", table.name)
}

/// The function that reads a property of a view. Its number is in front, so that no other name is the same.
pub(super) fn get(table: &TableDef, index: usize) -> String {
    format!("get{index}{}", table.name)
}

/// The views of a type.
pub(super) fn view(table: &TableDef) -> String {
    format!("view{}", table.name)
}

/// The function that reads a response lazily.
pub(super) fn lazy(table: &TableDef) -> String {
    format!("lazy{}", table.name)
}

/// The function that writes the member of a union.
pub(super) fn write_union(schema: &WireSchema, id: UnionId) -> String {
    format!("write{}", schema.union(id).name)
}

/// The function that reads the member of a union.
pub(super) fn read_union(schema: &WireSchema, id: UnionId) -> String {
    format!("read{}", schema.union(id).name)
}

/// The function that says which member of a union a value is.
pub(super) fn pick(schema: &WireSchema, id: UnionId) -> String {
    format!("pick{}", schema.union(id).name)
}

/// The function that says whether a value is of a table's type.
pub(super) fn is(table: &TableDef) -> String {
    format!("is{}", table.name)
}

/// The functions that write and read a scalar.
pub(super) fn scalar_functions(schema: &WireSchema, scalar: Scalar) -> (&'static str, &'static str) {
    match scalar {
        Scalar::Bool => ("putBool", "getBool"),
        Scalar::BigInt => ("putI64", "getI64"),
        Scalar::BigUint => ("putU64", "getU64"),
        Scalar::Date => ("putDate", "getDate"),
        Scalar::Enum(id) if schema.enumeration(id).is_wide() => ("putEnum16", "getEnum16"),
        Scalar::Enum(_) => ("putEnum8", "getEnum8"),
        Scalar::Number(width) => match width {
            NumberWidth::Int8 => ("putI8", "getI8"),
            NumberWidth::Int16 => ("putI16", "getI16"),
            NumberWidth::Int32 => ("putI32", "getI32"),
            NumberWidth::Uint8 => ("putU8", "getU8"),
            NumberWidth::Uint16 => ("putU16", "getU16"),
            NumberWidth::Uint32 => ("putU32", "getU32"),
            NumberWidth::Float32 => ("putF32", "getF32"),
            NumberWidth::Float64 => ("putF64", "getF64"),
        },
    }
}

/// What a path shows for a field. The value of a wrapper and of a record's entry has no name of its own, a result is called
/// so, and elements of a tuple have numbers; those behind its rest come `after` it.
pub(super) fn path_part(table: &TableDef, index: usize, field: &FieldDef, after: &dyn Fn() -> Expr) -> Expr {
    match table.kind {
        TableKind::Object | TableKind::Request | TableKind::Entry(EntryOf::Map) => string(&field.name),
        TableKind::Item | TableKind::Entry(EntryOf::Record | EntryOf::NumberRecord) => string(""),
        TableKind::Response | TableKind::ResponseOf(_) => string("result"),
        TableKind::Tuple(TupleShape { rest: Some(rest), .. }) if index == rest => string(""),
        TableKind::Tuple(TupleShape { rest: Some(rest), .. }) if index > rest => after(),
        TableKind::Tuple(_) => number(count(index)),
    }
}

/// What a path shows for an element of a vector: its place; in the rest of a tuple counted from the tuple's first one.
pub(super) fn element_part(table: &TableDef, index: usize) -> Expr {
    match table.kind {
        TableKind::Tuple(TupleShape { rest: Some(rest), .. }) if index == rest && rest > 0 => {
            binary(BinaryOp::Add, ident("i"), number(count(rest)))
        }
        TableKind::Object
        | TableKind::Tuple(_)
        | TableKind::Entry(_)
        | TableKind::Item
        | TableKind::Request
        | TableKind::Response
        | TableKind::ResponseOf(_) => ident("i"),
    }
}

/// `object.method`
pub(super) fn method(object: &str, method: &str) -> Expr {
    member(ident(object), method)
}

/// A count or place as it is written into code.
pub(super) fn count(value: usize) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}

/// What statements import of `kontract/wire`.
pub(super) fn runtime_names(body: &[ModuleItem]) -> Vec<&'static str> {
    let mut mentioned = Mentioned(BTreeSet::new());
    for item in body {
        item.visit_with(&mut mentioned);
    }
    RUNTIME.iter().copied().filter(|name| mentioned.0.contains(*name)).collect()
}

/// Identifiers that are bindings or refer to one; names of properties are none.
struct Mentioned(BTreeSet<String>);

impl Visit for Mentioned {
    fn visit_ident(&mut self, ident: &Ident) {
        self.0.insert(ident.sym.to_string());
    }
}

/// Exports of `kontract/wire` that codecs are made of, in alphabetic order.
const RUNTIME: &[&str] = &[
    "LazyReader",
    "Reader",
    "elementsOf",
    "entriesOf",
    "getAbsence",
    "getBlob",
    "getBool",
    "getDate",
    "getDynamic",
    "getElement",
    "getEntry",
    "getEnum16",
    "getEnum8",
    "getF32",
    "getF64",
    "getI16",
    "getI32",
    "getI64",
    "getI8",
    "getPair",
    "getTag",
    "getText",
    "getU16",
    "getU32",
    "getU64",
    "getU8",
    "needTag",
    "numberEntriesOf",
    "numeric",
    "only",
    "own",
    "pairsOf",
    "pattern",
    "plain",
    "putBlob",
    "putBool",
    "putDate",
    "putDynamic",
    "putEnum16",
    "putEnum8",
    "putF32",
    "putF64",
    "putI16",
    "putI32",
    "putI64",
    "putI8",
    "putObject",
    "putTag",
    "putText",
    "putU16",
    "putU32",
    "putU64",
    "putU8",
    "putVector",
    "shape",
    "trimmed",
    "tuple",
    "view",
    "whole",
    "writer",
];
