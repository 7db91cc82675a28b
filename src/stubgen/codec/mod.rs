//! Codecs: for each endpoint and object type, JavaScript that checks and writes values, or checks and reads messages.
//!
//! ```text
//! endpoint sign(name: string): Entry      client/codecs.js   encodeSignRequest(args), decodeSignResponse(bytes)
//!                                         server/codecs.js   decodeSignRequest(bytes), encodeSignResponse(result)
//! ```
//!
//! Straight-line code over `kontract/wire`: offsets, slots and names are constants, so that a just-in-time compiler sees
//! one shape at each place. A side gets the functions it needs and no others.

mod read;
mod write;

use super::schema::{Element, EnumId, Kind, Scalar, TableId, TableKind, WireSchema};
use crate::contract::{Endpoint, NumberWidth};
use crate::emit::build::{array, export_const, import_named, member, module_text, string};
use std::collections::BTreeSet;
use swc_ecma_ast::{Expr, ModuleItem};

/// Which end of the wire a module of codecs is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Writes requests, reads responses.
    Client,
    /// Reads requests, writes responses.
    Server,
}

/// Names of an endpoint's functions in `codecs.js`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodecNames {
    /// Writes what this side sends.
    pub encode: String,
    /// Reads what this side receives.
    pub decode: String,
}

/// The functions of the endpoint at a place in the contract.
pub fn codec_names(schema: &WireSchema, endpoint: usize, side: Side) -> CodecNames {
    let (sent, received) = tables(schema, endpoint, side);
    CodecNames {
        encode: format!("encode{}", schema.table(sent).name),
        decode: format!("decode{}", schema.table(received).name),
    }
}

/// The text of `codecs.js`.
pub fn codecs_text(schema: &WireSchema, endpoints: &[Endpoint], side: Side) -> String {
    let pairs = (0..endpoints.len()).map(|endpoint| tables(schema, endpoint, side));
    let (sent, received): (Vec<TableId>, Vec<TableId>) = pairs.unzip();
    let written = reachable(schema, &sent);
    let read = reachable(schema, &received);
    let mut body = vec![import_named(runtime_names(schema, &written, &read), "kontract/wire")];
    body.extend(enums(schema, written.union(&read)).into_iter().map(|id| enum_item(schema, id)));
    for id in &written {
        body.push(write::shape_item(schema, *id));
        body.push(write::function_item(schema, *id));
    }
    body.extend(read.iter().map(|id| read::function_item(schema, *id)));
    module_text(body)
}

/// What the functions for these tables import.
fn runtime_names(
    schema: &WireSchema,
    written: &BTreeSet<TableId>,
    read: &BTreeSet<TableId>,
) -> impl Iterator<Item = (&'static str, &'static str)> {
    let sends_requests = written.iter().any(|id| schema.table(*id).kind == TableKind::Request);
    let needs_own = written.iter().any(|id| write::has_inherited_name(schema.table(*id)));
    let names = [
        ("Reader", !read.is_empty()),
        ("arity", sends_requests),
        ("own", needs_own),
        ("shape", !written.is_empty()),
        ("writer", !written.is_empty()),
    ];
    names.into_iter().filter(|(_, used)| *used).map(|(name, _)| (name, name))
}

/// The tables an endpoint's side sends and receives.
fn tables(schema: &WireSchema, endpoint: usize, side: Side) -> (TableId, TableId) {
    let tables = schema.endpoints[endpoint];
    match side {
        Side::Client => (tables.request, tables.response),
        Side::Server => (tables.response, tables.request),
    }
}

/// The tables themselves and every table their fields lead to.
fn reachable(schema: &WireSchema, roots: &[TableId]) -> BTreeSet<TableId> {
    let mut found = BTreeSet::new();
    let mut open = roots.to_vec();
    while let Some(id) = open.pop() {
        if !found.insert(id) {
            continue;
        }
        open.extend(schema.table(id).fields.iter().filter_map(|field| match field.kind {
            Kind::Table(id) | Kind::Vector(Element::Table(id)) => Some(id),
            Kind::Scalar(_) | Kind::String | Kind::Bytes | Kind::Vector(_) => None,
        }));
    }
    found
}

fn enums<'a>(schema: &WireSchema, tables: impl Iterator<Item = &'a TableId>) -> BTreeSet<EnumId> {
    let fields = tables.flat_map(|id| &schema.table(*id).fields);
    fields
        .filter_map(|field| match field.kind {
            Kind::Scalar(Scalar::Enum(id)) | Kind::Vector(Element::Scalar(Scalar::Enum(id))) => Some(id),
            Kind::Scalar(_) | Kind::String | Kind::Bytes | Kind::Table(_) | Kind::Vector(_) => None,
        })
        .collect()
}

fn enum_item(schema: &WireSchema, id: EnumId) -> ModuleItem {
    let values = schema.enumeration(id).values.iter().map(|value| string(value)).collect();
    export_const(&enum_binding(schema, id), array(values))
}

/// The array of an enum's values.
fn enum_binding(schema: &WireSchema, id: EnumId) -> String {
    format!("values{}", schema.enumeration(id).name)
}

/// The method of `Writer` and `Reader` for a scalar.
fn scalar_method(schema: &WireSchema, scalar: Scalar) -> &'static str {
    match scalar {
        Scalar::Bool => "bool",
        Scalar::BigInt => "i64",
        Scalar::Date => "date",
        Scalar::Enum(id) if schema.enumeration(id).is_wide() => "enum16",
        Scalar::Enum(_) => "enum8",
        Scalar::Number(width) => match width {
            NumberWidth::Int8 => "i8",
            NumberWidth::Int16 => "i16",
            NumberWidth::Int32 => "i32",
            NumberWidth::Uint8 => "u8",
            NumberWidth::Uint16 => "u16",
            NumberWidth::Uint32 => "u32",
            NumberWidth::Float32 => "f32",
            NumberWidth::Float64 => "f64",
        },
    }
}

/// What a path shows for a field: the value of a wrapper has no name of its own, and a result is called so.
fn shown_name(kind: TableKind, field: &str) -> &str {
    match kind {
        TableKind::Object | TableKind::Request => field,
        TableKind::Item => "",
        TableKind::Response => "result",
    }
}

/// `object.method`
fn method(object: &str, method: &str) -> Expr {
    member(crate::emit::build::ident(object), method)
}
