//! The reading half of codecs.
//!
//! ```text
//! function readEntry(r, at, name) {
//!   const t = r.table(at, name, 2), v = r.vtable;
//!   const p0 = r.need(t, v, 0, 4, "id"), v0 = r.string(p0, "id");
//!   const p1 = r.slot(t, v, 1, 4, "note"), v1 = p1 === 0 ? undefined : r.string(p1, "note");
//!   r.leave();
//!   const value = { id: v0 };
//!   if (v1 !== undefined) value.note = v1;
//!   return value;
//! }
//! ```
//!
//! A property that is absent on the wire is absent in the object.

use super::{enum_binding, method, scalar_method, shown_name};
use crate::emit::build::{
    array, assign_ident, assign_member, binary, boolean, call, conditional, constant, element,
    export_function, for_count, function, ident, if_else, let_empty, member, new, null, number, object, ret,
    statement, string, undefined,
};
use crate::stubgen::schema::{
    Element, FieldDef, Kind, Presence, Scalar, TableDef, TableId, TableKind, WireSchema,
};
use swc_ecma_ast::{BinaryOp, Expr, ModuleItem, Stmt};

/// The function that reads a table: exported for requests and responses, which are whole messages.
pub(super) fn function_item(schema: &WireSchema, id: TableId) -> ModuleItem {
    let table = schema.table(id);
    match table.kind {
        TableKind::Object | TableKind::Item => {
            function(&read_binding(table), &["r", "at", "name"], nested_body(schema, table))
        }
        TableKind::Request | TableKind::Response => {
            export_function(&format!("decode{}", table.name), &["bytes"], message_body(schema, table))
        }
    }
}

fn nested_body(schema: &WireSchema, table: &TableDef) -> Vec<Stmt> {
    let mut body = table_stmts(schema, table, ident("at"), ident("name"));
    body.push(reader_call("leave"));
    body.extend(value_stmts(table));
    body
}

fn message_body(schema: &WireSchema, table: &TableDef) -> Vec<Stmt> {
    let mut body = vec![constant("r", new(ident("Reader"), vec![ident("bytes")]))];
    body.extend(table_stmts(schema, table, number(0), string("")));
    body.extend([reader_call("leave"), reader_call("finish")]);
    body.extend(value_stmts(table));
    body
}

fn table_stmts(schema: &WireSchema, table: &TableDef, at: Expr, name: Expr) -> Vec<Stmt> {
    let slots = number(u32::try_from(table.slots.len()).unwrap_or(u32::MAX));
    let mut body = vec![constant("t", call(method("r", "table"), vec![at, name, slots]))];
    if !table.fields.is_empty() {
        body.push(constant("v", member(ident("r"), "vtable")));
    }
    for (index, field) in table.fields.iter().enumerate() {
        body.extend(field_stmts(schema, table, index, field));
    }
    body
}

/// The result of a function, from the values `v0`, `v1`, …
fn value_stmts(table: &TableDef) -> Vec<Stmt> {
    let values = || (0..table.fields.len()).map(value);
    match table.kind {
        TableKind::Object => object_stmts(table),
        TableKind::Request => vec![ret(array(values().collect()))],
        TableKind::Item | TableKind::Response => vec![ret(values().next().unwrap_or_else(undefined))],
    }
}

fn object_stmts(table: &TableDef) -> Vec<Stmt> {
    let may_lack = |field: &FieldDef| match field.presence {
        Presence::Required | Presence::Nullable => false,
        Presence::Optional | Presence::OptionalNullable => true,
    };
    let fields = || table.fields.iter().enumerate();
    let always = fields().filter(|(_, field)| !may_lack(field));
    let literal = object(always.map(|(index, field)| (field.name.as_str(), value(index))));
    let mut body = vec![constant("value", literal)];
    for (index, field) in fields().filter(|(_, field)| may_lack(field)) {
        let present = binary(BinaryOp::NotEqEq, value(index), undefined());
        let assign = assign_member("value", &field.name, value(index));
        body.push(if_else(present, vec![statement(assign)], Vec::new()));
    }
    body.push(ret(ident("value")));
    body
}

fn field_stmts(schema: &WireSchema, table: &TableDef, index: usize, field: &FieldDef) -> Vec<Stmt> {
    let name = shown_name(table.kind, &field.name);
    let pos = format!("p{index}");
    let place = |method_name: &str, slot: usize, size: u32| {
        let slot = number(u32::try_from(slot).unwrap_or(u32::MAX));
        call(method("r", method_name), vec![ident("t"), ident("v"), slot, number(size), string(name)])
    };
    let has_default = matches!(field.kind, Kind::Scalar(_));
    let needed = field.presence == Presence::Required && !has_default;
    let find = if needed { "need" } else { "slot" };
    let mut body = vec![constant(&pos, place(find, field.slot, schema.kind_size(field.kind).into()))];
    if let Some(null_slot) = field.null_slot {
        let slot = number(u32::try_from(null_slot).unwrap_or(u32::MAX));
        let args = vec![ident("t"), ident("v"), slot, ident(&pos), string(name)];
        body.push(constant(&format!("a{index}"), call(method("r", "absence"), args)));
    }
    let absent = match (field.presence, field.kind) {
        (Presence::Required, Kind::Scalar(scalar)) => Some(scalar_default(schema, scalar)),
        (Presence::Required, _) => None,
        (Presence::Optional, _) => Some(undefined()),
        (Presence::Nullable, _) => Some(null()),
        (Presence::OptionalNullable, _) => Some(ident(&format!("a{index}"))),
    };
    let read = match field.kind {
        Kind::Vector(of) => {
            body.extend(vector_stmts(schema, of, index, absent, name));
            return body;
        }
        Kind::Scalar(scalar) => scalar_read(schema, scalar, ident(&pos), string(name)),
        Kind::String => call(method("r", "string"), vec![ident(&pos), string(name)]),
        Kind::Bytes => call(method("r", "blob"), vec![ident(&pos), string(name)]),
        Kind::Table(id) => table_read(schema, id, ident(&pos), string(name)),
    };
    let read = match absent {
        Some(absent) => conditional(is_absent(&pos), absent, read),
        None => read,
    };
    body.push(constant(&format!("v{index}"), read));
    body
}

/// Statements that fill `v<index>` with a vector's elements.
fn vector_stmts(
    schema: &WireSchema,
    of: Element,
    index: usize,
    absent: Option<Expr>,
    name: &str,
) -> Vec<Stmt> {
    let (list, start, pos) = (format!("v{index}"), format!("s{index}"), format!("p{index}"));
    let size = u32::from(schema.element_size(of));
    let begin = call(method("r", "vector"), vec![ident(&pos), number(size), string(name)]);
    let place = binary(BinaryOp::Add, ident(&start), binary(BinaryOp::Mul, ident("i"), number(size)));
    let read = match of {
        Element::Scalar(scalar) => scalar_read(schema, scalar, place, ident("i")),
        Element::String => call(method("r", "string"), vec![place, ident("i")]),
        Element::Table(id) => table_read(schema, id, place, ident("i")),
    };
    let push = statement(call(member(ident(&list), "push"), vec![read]));
    let fill = vec![
        constant(&start, begin),
        for_count("i", "n", member(ident("r"), "count"), vec![push]),
        reader_call("close"),
    ];
    let Some(absent) = absent else {
        return std::iter::once(constant(&list, array(Vec::new()))).chain(fill).collect();
    };
    let empty = statement(assign_ident(&list, array(Vec::new())));
    let missing = vec![statement(assign_ident(&list, absent))];
    let present = std::iter::once(empty).chain(fill).collect();
    vec![let_empty(&list), if_else(is_absent(&pos), missing, present)]
}

fn scalar_read(schema: &WireSchema, scalar: Scalar, pos: Expr, name: Expr) -> Expr {
    let args = match scalar {
        Scalar::Number(_) | Scalar::BigInt => vec![pos],
        Scalar::Bool | Scalar::Date => vec![pos, name],
        Scalar::Enum(id) => vec![pos, ident(&enum_binding(schema, id)), name],
    };
    call(method("r", scalar_method(schema, scalar)), args)
}

/// The value of a required scalar that the message leaves out, as FlatBuffers defines it.
fn scalar_default(schema: &WireSchema, scalar: Scalar) -> Expr {
    match scalar {
        Scalar::Bool => boolean(false),
        Scalar::Number(_) => number(0),
        Scalar::BigInt => call(ident("BigInt"), vec![number(0)]),
        Scalar::Date => new(ident("Date"), vec![number(0)]),
        Scalar::Enum(id) => element(ident(&enum_binding(schema, id)), number(0)),
    }
}

fn table_read(schema: &WireSchema, id: TableId, at: Expr, name: Expr) -> Expr {
    call(ident(&read_binding(schema.table(id))), vec![ident("r"), at, name])
}

fn is_absent(pos: &str) -> Expr {
    binary(BinaryOp::EqEqEq, ident(pos), number(0))
}

fn reader_call(name: &str) -> Stmt {
    statement(call(method("r", name), Vec::new()))
}

fn value(index: usize) -> Expr {
    ident(&format!("v{index}"))
}

fn read_binding(table: &TableDef) -> String {
    format!("read{}", table.name)
}
