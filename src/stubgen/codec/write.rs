//! The writing half of codecs.
//!
//! ```text
//! function writeEntry(w, at, value, name) {
//!   const t = w.object(at, value, name, shapeEntry), v0 = value.id, v1 = value.note;
//!   if (v1 === undefined) w.absent(1);
//!   w.seal(t);
//!   w.string(t + 4, v0, "id");
//!   if (v1 !== undefined) w.string(t + 8, v1, "note");
//!   w.leave();
//! }
//! ```
//!
//! What lies in the table comes first, then the seal, then what the table refers to.

use super::{enum_binding, method, scalar_method, shown_name};
use crate::emit::build::{
    array, binary, boolean, call, constant, element, export_function, for_count, function, ident, if_else,
    member, null, number, ret, statement, string, undefined,
};
use crate::stubgen::schema::{
    Element, FieldDef, Kind, Presence, Scalar, TableDef, TableId, TableKind, WireSchema,
};
use swc_ecma_ast::{BinaryOp, Expr, ModuleItem, Stmt};

/// `const shapeEntry = shape(fields, offsets, size, wide)`
pub(super) fn shape_item(schema: &WireSchema, id: TableId) -> ModuleItem {
    let table = schema.table(id);
    let fields = match table.kind {
        TableKind::Object => table.fields.iter().map(|field| string(&field.name)).collect(),
        TableKind::Item | TableKind::Request | TableKind::Response => Vec::new(),
    };
    let offsets = table.slots.iter().map(|slot| number(slot.offset.into())).collect();
    let args = vec![array(fields), array(offsets), number(table.size.into()), boolean(table.wide)];
    constant(&shape_binding(table), call(ident("shape"), args)).into()
}

/// The function that writes a table: exported for requests and responses, which are whole messages.
pub(super) fn function_item(schema: &WireSchema, id: TableId) -> ModuleItem {
    let table = schema.table(id);
    match table.kind {
        TableKind::Object | TableKind::Item => {
            let params = ["w", "at", "value", "name"];
            function(&write_binding(table), &params, nested_body(schema, table))
        }
        TableKind::Request | TableKind::Response => {
            let param = if table.kind == TableKind::Request { "args" } else { "result" };
            export_function(&format!("encode{}", table.name), &[param], message_body(schema, table))
        }
    }
}

/// Whether an object has a property that it also inherits under the same name.
pub(super) fn has_inherited_name(table: &TableDef) -> bool {
    table.kind == TableKind::Object
        && table.fields.iter().any(|field| INHERITED.contains(&field.name.as_str()))
}

fn nested_body(schema: &WireSchema, table: &TableDef) -> Vec<Stmt> {
    let shape = ident(&shape_binding(table));
    let begin = match table.kind {
        TableKind::Object => {
            call(method("w", "object"), vec![ident("at"), ident("value"), ident("name"), shape])
        }
        TableKind::Item | TableKind::Request | TableKind::Response => {
            call(method("w", "table"), vec![ident("at"), ident("name"), shape])
        }
    };
    let mut body = vec![constant("t", begin)];
    body.extend(field_stmts(schema, table));
    body.push(statement(call(method("w", "leave"), Vec::new())));
    body
}

fn message_body(schema: &WireSchema, table: &TableDef) -> Vec<Stmt> {
    let mut body = Vec::new();
    if table.kind == TableKind::Request {
        let max = number(u32::try_from(table.fields.len()).unwrap_or(u32::MAX));
        body.push(statement(call(ident("arity"), vec![ident("args"), max])));
    }
    body.push(constant("w", call(ident("writer"), Vec::new())));
    let root = vec![number(0), string(""), ident(&shape_binding(table))];
    body.push(constant("t", call(method("w", "table"), root)));
    body.extend(field_stmts(schema, table));
    body.push(statement(call(method("w", "leave"), Vec::new())));
    body.push(ret(call(method("w", "finish"), Vec::new())));
    body
}

fn field_stmts(schema: &WireSchema, table: &TableDef) -> Vec<Stmt> {
    let mut body = Vec::new();
    for (index, field) in table.fields.iter().enumerate() {
        body.push(constant(&value_binding(index), field_value(table, index, field)));
    }
    for (index, field) in table.fields.iter().enumerate() {
        body.extend(inline_stmts(schema, table, index, field));
    }
    body.push(statement(call(method("w", "seal"), vec![ident("t")])));
    for (index, field) in table.fields.iter().enumerate() {
        body.extend(reference_stmts(schema, table, index, field));
    }
    body
}

/// Where the value of a field comes from.
fn field_value(table: &TableDef, index: usize, field: &FieldDef) -> Expr {
    match table.kind {
        TableKind::Object if INHERITED.contains(&field.name.as_str()) => {
            call(ident("own"), vec![ident("value"), string(&field.name)])
        }
        TableKind::Object => member(ident("value"), &field.name),
        TableKind::Item => ident("value"),
        TableKind::Request => element(ident("args"), number(u32::try_from(index).unwrap_or(u32::MAX))),
        TableKind::Response => ident("result"),
    }
}

/// What a field puts into its table, or that it is absent.
fn inline_stmts(schema: &WireSchema, table: &TableDef, index: usize, field: &FieldDef) -> Vec<Stmt> {
    let write = match field.kind {
        Kind::Scalar(scalar) => {
            let name = string(shown_name(table.kind, &field.name));
            vec![scalar_stmt(schema, scalar, slot_pos(table, field.slot), value(index), name)]
        }
        Kind::String | Kind::Bytes | Kind::Table(_) | Kind::Vector(_) => Vec::new(),
    };
    let absent = |slot: usize| statement(call(method("w", "absent"), vec![slot_number(slot)]));
    let present = match field.presence {
        Presence::Required => return write,
        Presence::Optional => binary(BinaryOp::NotEqEq, value(index), undefined()),
        Presence::Nullable => binary(BinaryOp::NotEqEq, value(index), null()),
        Presence::OptionalNullable => binary(BinaryOp::NotEq, value(index), null()),
    };
    let mut otherwise = vec![absent(field.slot)];
    if let Some(null_slot) = field.null_slot {
        let is_null = binary(BinaryOp::EqEqEq, value(index), null());
        let flag = call(method("w", "bool"), vec![slot_pos(table, null_slot), is_null, string("")]);
        otherwise.push(statement(flag));
    }
    if write.is_empty() {
        let missing = match field.presence {
            Presence::Required | Presence::Optional => binary(BinaryOp::EqEqEq, value(index), undefined()),
            Presence::Nullable => binary(BinaryOp::EqEqEq, value(index), null()),
            Presence::OptionalNullable => binary(BinaryOp::EqEq, value(index), null()),
        };
        return vec![if_else(missing, otherwise, Vec::new())];
    }
    vec![if_else(present, write, otherwise)]
}

/// What a field puts behind its table.
fn reference_stmts(schema: &WireSchema, table: &TableDef, index: usize, field: &FieldDef) -> Vec<Stmt> {
    let name = string(shown_name(table.kind, &field.name));
    let at = slot_pos(table, field.slot);
    let write = match field.kind {
        Kind::Scalar(_) => return Vec::new(),
        Kind::String => vec![writer_call("string", vec![at, value(index), name])],
        Kind::Bytes => vec![writer_call("blob", vec![at, value(index), name])],
        Kind::Table(id) => vec![table_stmt(schema, id, at, value(index), name)],
        Kind::Vector(element) => vector_stmts(schema, element, index, at, name),
    };
    let present = match field.presence {
        Presence::Required => return write,
        Presence::Optional => binary(BinaryOp::NotEqEq, value(index), undefined()),
        Presence::Nullable => binary(BinaryOp::NotEqEq, value(index), null()),
        Presence::OptionalNullable => binary(BinaryOp::NotEq, value(index), null()),
    };
    vec![if_else(present, write, Vec::new())]
}

fn vector_stmts(schema: &WireSchema, of: Element, index: usize, at: Expr, name: Expr) -> Vec<Stmt> {
    let size = u32::from(schema.element_size(of));
    let start = format!("s{index}");
    let begin = call(method("w", "vector"), vec![at, value(index), number(size), name]);
    let place = binary(BinaryOp::Mul, ident("i"), number(size));
    let pos = binary(BinaryOp::Add, ident(&start), place);
    let item = element(value(index), ident("i"));
    let write = match of {
        Element::Scalar(scalar) => scalar_stmt(schema, scalar, pos, item, ident("i")),
        Element::String => writer_call("string", vec![pos, item, ident("i")]),
        Element::Table(id) => table_stmt(schema, id, pos, item, ident("i")),
    };
    vec![
        constant(&start, begin),
        for_count("i", "n", member(ident("w"), "count"), vec![write]),
        writer_call("close", Vec::new()),
    ]
}

fn scalar_stmt(schema: &WireSchema, scalar: Scalar, pos: Expr, value: Expr, name: Expr) -> Stmt {
    let mut args = vec![pos, value];
    if let Scalar::Enum(id) = scalar {
        args.push(ident(&enum_binding(schema, id)));
    }
    args.push(name);
    writer_call(scalar_method(schema, scalar), args)
}

fn table_stmt(schema: &WireSchema, id: TableId, at: Expr, value: Expr, name: Expr) -> Stmt {
    statement(call(ident(&write_binding(schema.table(id))), vec![ident("w"), at, value, name]))
}

fn writer_call(name: &str, args: Vec<Expr>) -> Stmt {
    statement(call(method("w", name), args))
}

fn slot_pos(table: &TableDef, slot: usize) -> Expr {
    binary(BinaryOp::Add, ident("t"), number(table.slots[slot].offset.into()))
}

fn slot_number(slot: usize) -> Expr {
    number(u32::try_from(slot).unwrap_or(u32::MAX))
}

fn value(index: usize) -> Expr {
    ident(&value_binding(index))
}

fn value_binding(index: usize) -> String {
    format!("v{index}")
}

fn shape_binding(table: &TableDef) -> String {
    format!("shape{}", table.name)
}

fn write_binding(table: &TableDef) -> String {
    format!("write{}", table.name)
}

/// Properties that every object has without having been given them (ECMA-262, 20.1.3 and B.2.2).
const INHERITED: &[&str] = &[
    "__defineGetter__",
    "__defineSetter__",
    "__lookupGetter__",
    "__lookupSetter__",
    "constructor",
    "hasOwnProperty",
    "isPrototypeOf",
    "propertyIsEnumerable",
    "toLocaleString",
    "toString",
    "valueOf",
];
