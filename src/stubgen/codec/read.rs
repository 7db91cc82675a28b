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

use super::names;
use super::names::{count, method, path_part};
use crate::emit::build::{
    array, array_spread, assign_ident, assign_member, binary, call, conditional, constant, export_function,
    for_count, function, ident, if_else, let_empty, member, new, null, number, object, ret, statement,
    string, undefined,
};
use crate::stubgen::schema::{
    Collection, Element, EntryOf, FieldDef, Kind, Presence, Scalar, TableDef, TableId, TableKind, TupleShape,
    UnionId, WireSchema,
};
use swc_ecma_ast::{BinaryOp, Expr, ModuleItem, Stmt};

/// The function that reads a table: exported for requests and responses, which are whole messages.
pub(super) fn function_item(schema: &WireSchema, id: TableId) -> ModuleItem {
    let table = schema.table(id);
    match table.kind {
        TableKind::Object | TableKind::Tuple(_) | TableKind::Item => {
            function(&names::read(table), &["r", "at", "name"], nested_body(schema, table))
        }
        TableKind::Entry(of) => {
            function(&names::read(table), &["r", "at", "name", "into"], entry_body(schema, table, of))
        }
        TableKind::Request | TableKind::Response => {
            export_function(&format!("decode{}", table.name), &["bytes"], message_body(schema, table))
        }
        TableKind::ResponseOf(object) => {
            export_function(&format!("decode{}", table.name), &["bytes"], object_body(schema, object))
        }
    }
}

fn nested_body(schema: &WireSchema, table: &TableDef) -> Vec<Stmt> {
    let mut body = table_stmts(schema, table, ident("at"), ident("name"));
    body.push(reader_call("leave"));
    body.extend(value_stmts(table));
    body
}

/// Reads an entry and adds it to its map or record. Errors in a record's values are shown under the key.
fn entry_body(schema: &WireSchema, table: &TableDef, of: EntryOf) -> Vec<Stmt> {
    let mut body = begin_stmts(table, ident("at"), ident("name"));
    let is_record = match of {
        EntryOf::Record | EntryOf::NumberRecord => true,
        EntryOf::Map => false,
    };
    for (index, field) in table.fields.iter().enumerate() {
        body.extend(field_stmts(schema, table, index, field));
        if is_record && index == 0 {
            body.push(statement(call(method("r", "rename"), vec![value(0)])));
        }
    }
    let add = if is_record { "getEntry" } else { "getPair" };
    body.push(statement(call(ident(add), vec![ident("r"), ident("into"), value(0), value(1)])));
    body.push(reader_call("leave"));
    body
}

fn message_body(schema: &WireSchema, table: &TableDef) -> Vec<Stmt> {
    let mut body = vec![constant("r", new(ident("Reader"), vec![ident("bytes")]))];
    body.extend(table_stmts(schema, table, number(0), string("")));
    body.extend([reader_call("leave"), reader_call("finish")]);
    body.extend(value_stmts(table));
    body
}

/// A message whose root is the table of an object.
fn object_body(schema: &WireSchema, object: TableId) -> Vec<Stmt> {
    vec![
        constant("r", new(ident("Reader"), vec![ident("bytes")])),
        constant("value", table_read(schema, object, number(0), string("result"))),
        reader_call("finish"),
        ret(ident("value")),
    ]
}

/// The function that reads the member of a union by its number.
pub(super) fn union_item(schema: &WireSchema, id: UnionId) -> ModuleItem {
    let members = schema.union(id).members.iter().enumerate().rev();
    let read = |table: TableId| vec![ret(table_read(schema, table, ident("at"), ident("name")))];
    let body = members.fold(Vec::new(), |otherwise, (index, member)| {
        if otherwise.is_empty() {
            return read(member.table);
        }
        let is_it = binary(BinaryOp::EqEqEq, ident("tag"), number(count(index + 1)));
        let rest = otherwise.into_iter();
        std::iter::once(if_else(is_it, read(member.table), Vec::new())).chain(rest).collect()
    });
    function(&names::read_union(schema, id), &["r", "at", "tag", "name"], body)
}

fn table_stmts(schema: &WireSchema, table: &TableDef, at: Expr, name: Expr) -> Vec<Stmt> {
    let mut body = begin_stmts(table, at, name);
    for (index, field) in table.fields.iter().enumerate() {
        body.extend(field_stmts(schema, table, index, field));
    }
    body
}

pub(super) fn begin_stmts(table: &TableDef, at: Expr, name: Expr) -> Vec<Stmt> {
    let slots = number(count(table.slots.len()));
    let mut body = vec![constant("t", call(method("r", "table"), vec![at, name, slots]))];
    if !table.slots.is_empty() {
        body.push(constant("v", member(ident("r"), "vtable")));
    }
    for slot in (0..table.slots.len()).filter(|slot| table.slots[*slot].is_removed()) {
        body.push(statement(call(method("r", "removed"), vec![ident("v"), number(count(slot))])));
    }
    body
}

/// The result of a function, from the values `v0`, `v1`, …
fn value_stmts(table: &TableDef) -> Vec<Stmt> {
    let values = || (0..table.fields.len()).map(value);
    match table.kind {
        TableKind::Object | TableKind::ResponseOf(_) => object_stmts(table),
        TableKind::Tuple(of) => vec![ret(tuple_value(table.fields.len(), of))],
        TableKind::Request | TableKind::Entry(_) => vec![ret(array(values().collect()))],
        TableKind::Item | TableKind::Response => vec![ret(values().next().unwrap_or_else(undefined))],
    }
}

/// `[v0, ...v1]`, without what is absent at its end.
fn tuple_value(fields: usize, of: TupleShape) -> Expr {
    let values = |range: std::ops::Range<usize>| array(range.map(value).collect());
    let trimmed = |end: usize| {
        let list = values(0..end);
        if of.required == end { list } else { call(ident("trimmed"), vec![list, number(count(of.required))]) }
    };
    let Some(rest) = of.rest else { return trimmed(fields) };
    let all = array_spread((0..fields).map(|index| (index == rest, value(index))));
    if of.required == rest {
        return all;
    }
    let is_empty = binary(BinaryOp::EqEqEq, member(value(rest), "length"), number(0));
    conditional(is_empty, trimmed(rest), all)
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

/// Statements that read a field into its binding.
pub(super) fn field_stmts(
    schema: &WireSchema,
    table: &TableDef,
    index: usize,
    field: &FieldDef,
) -> Vec<Stmt> {
    let (mut body, absent) = place_stmts(schema, table, index, field);
    let name = shown(table, index, field);
    if let Kind::Vector(collection, of) = field.kind {
        let element_name = names::element_part(table, index);
        body.extend(vector_stmts(schema, (collection, of), index, absent, &name, &element_name));
        return body;
    }
    let read = field_read(schema, index, field.kind, name);
    let read = match absent {
        Some(absent) => conditional(is_absent(&place(index)), absent, read),
        None => read,
    };
    body.push(constant(&binding(index), read));
    body
}

/// Statements that find a field, and what it is if it is not there.
pub(super) fn place_stmts(
    schema: &WireSchema,
    table: &TableDef,
    index: usize,
    field: &FieldDef,
) -> (Vec<Stmt>, Option<Expr>) {
    let name = shown(table, index, field);
    let pos = place(index);
    let found = |method_name: &str, slot: usize, size: u32| {
        let args = vec![ident("t"), ident("v"), number(count(slot)), number(size), name.clone()];
        call(method("r", method_name), args)
    };
    // A union's tag says by itself that it is missing.
    let needed = field.presence == Presence::Required && !matches!(field.kind, Kind::Union(_));
    let find = if needed { "need" } else { "slot" };
    let mut body = vec![constant(&pos, found(find, field.slot, schema.kind_size(field.kind).into()))];
    if let (Some(tag_slot), Kind::Union(id)) = (field.tag_slot, field.kind) {
        let members = number(count(schema.union(id).members.len()));
        let args = vec![ident("r"), found("slot", tag_slot, 1), ident(&pos), members, name.clone()];
        let find = if field.presence == Presence::Required { "needTag" } else { "getTag" };
        body.push(constant(&format!("u{index}"), call(ident(find), args)));
    }
    if let Some(null_slot) = field.null_slot {
        let flag = number(count(null_slot));
        let args = vec![ident("r"), ident("t"), ident("v"), flag, ident(&pos), name.clone()];
        body.push(constant(&format!("a{index}"), call(ident("getAbsence"), args)));
    }
    let absent = match field.presence {
        Presence::Required => None,
        Presence::Optional => Some(undefined()),
        Presence::Nullable => Some(null()),
        Presence::OptionalNullable => Some(ident(&format!("a{index}"))),
    };
    (body, absent)
}

/// The value of a field that is there and is no vector.
fn field_read(schema: &WireSchema, index: usize, kind: Kind, name: Expr) -> Expr {
    let pos = ident(&place(index));
    match kind {
        Kind::Scalar(scalar) => scalar_read(schema, scalar, pos, name),
        Kind::String => call(method("r", "string"), vec![pos, name]),
        Kind::Template(id) => {
            call(ident("getText"), vec![ident("r"), pos, ident(&names::pattern(schema, id)), name])
        }
        Kind::Bytes => call(ident("getBlob"), vec![ident("r"), pos, name]),
        Kind::Dynamic => call(ident("getDynamic"), vec![ident("r"), pos, name]),
        Kind::Table(id) => table_read(schema, id, pos, name),
        Kind::Union(id) => {
            let args = vec![ident("r"), pos, ident(&format!("u{index}")), name];
            call(ident(&names::read_union(schema, id)), args)
        }
        Kind::Vector(..) => value(index),
    }
}

/// What a path shows for a field.
pub(super) fn shown(table: &TableDef, index: usize, field: &FieldDef) -> Expr {
    path_part(table, index, field, &|| {
        let rest = match table.kind {
            TableKind::Tuple(TupleShape { rest: Some(rest), .. }) => rest,
            _ => index,
        };
        let before = number(count(index.saturating_sub(1)));
        binary(BinaryOp::Add, member(value(rest), "length"), before)
    })
}

/// Statements that fill `v<index>` with a vector's elements.
fn vector_stmts(
    schema: &WireSchema,
    (collection, of): (Collection, Element),
    index: usize,
    absent: Option<Expr>,
    name: &Expr,
    element_name: &Expr,
) -> Vec<Stmt> {
    let (list, start, pos) = (binding(index), format!("s{index}"), place(index));
    let size = u32::from(schema.element_size(of));
    let begin = call(method("r", "vector"), vec![ident(&pos), number(size), name.clone()]);
    let item = binary(BinaryOp::Add, ident(&start), binary(BinaryOp::Mul, ident("i"), number(size)));
    let add = element_read(schema, (collection, of), item, element_name, &list);
    let fill = vec![
        constant(&start, begin),
        for_count("i", "n", member(ident("r"), "count"), vec![statement(add)]),
        reader_call("close"),
    ];
    let Some(absent) = absent else {
        return std::iter::once(constant(&list, empty(collection))).chain(fill).collect();
    };
    let fresh = statement(assign_ident(&list, empty(collection)));
    let missing = vec![statement(assign_ident(&list, absent))];
    let present = std::iter::once(fresh).chain(fill).collect();
    vec![let_empty(&list), if_else(is_absent(&pos), missing, present)]
}

/// Reads an element and adds it to its collection.
fn element_read(
    schema: &WireSchema,
    (collection, of): (Collection, Element),
    at: Expr,
    name: &Expr,
    list: &str,
) -> Expr {
    let read = match of {
        Element::Scalar(scalar) => scalar_read(schema, scalar, at, name.clone()),
        Element::String => call(method("r", "string"), vec![at, name.clone()]),
        Element::Template(id) => {
            let pattern = ident(&names::pattern(schema, id));
            call(ident("getText"), vec![ident("r"), at, pattern, name.clone()])
        }
        Element::Table(id) => {
            let mut args = vec![ident("r"), at, name.clone()];
            if matches!(collection, Collection::Map | Collection::Record) {
                args.push(ident(list));
            }
            call(ident(&names::read(schema.table(id))), args)
        }
    };
    match collection {
        Collection::Array => call(member(ident(list), "push"), vec![read]),
        Collection::Set => call(ident("getElement"), vec![ident("r"), ident(list), read, name.clone()]),
        Collection::Map | Collection::Record => read,
    }
}

fn empty(collection: Collection) -> Expr {
    match collection {
        Collection::Array => array(Vec::new()),
        Collection::Set => new(ident("Set"), Vec::new()),
        Collection::Map => new(ident("Map"), Vec::new()),
        Collection::Record => object([]),
    }
}

fn scalar_read(schema: &WireSchema, scalar: Scalar, pos: Expr, name: Expr) -> Expr {
    let args = match scalar {
        Scalar::Number(_) | Scalar::BigInt | Scalar::BigUint => vec![ident("r"), pos],
        Scalar::Bool | Scalar::Date => vec![ident("r"), pos, name],
        Scalar::Enum(id) => vec![ident("r"), pos, ident(&names::values(schema, id)), name],
    };
    call(ident(names::scalar_functions(schema, scalar).1), args)
}

/// The value of a required scalar that the message leaves out, as FlatBuffers defines it.
fn table_read(schema: &WireSchema, id: TableId, at: Expr, name: Expr) -> Expr {
    call(ident(&names::read(schema.table(id))), vec![ident("r"), at, name])
}

pub(super) fn is_absent(pos: &str) -> Expr {
    binary(BinaryOp::EqEqEq, ident(pos), number(0))
}

fn reader_call(name: &str) -> Stmt {
    statement(call(method("r", name), Vec::new()))
}

fn value(index: usize) -> Expr {
    ident(&binding(index))
}

/// Where a field is.
pub(super) fn place(index: usize) -> String {
    format!("p{index}")
}

/// A field's value.
pub(super) fn binding(index: usize) -> String {
    format!("v{index}")
}
