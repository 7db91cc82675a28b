//! The writing half of codecs.
//!
//! ```text
//! function writeEntry(w, at, value, name) {
//!   const t = putObject(w, at, value, name, shapeEntry), v0 = value.id, v1 = value.note;
//!   if (v1 === undefined) w.absent(1);
//!   w.seal(t);
//!   w.string(t + 4, v0, "id");
//!   if (v1 !== undefined) w.string(t + 8, v1, "note");
//!   w.leave();
//! }
//! ```
//!
//! What lies in the table comes first, then the seal, then what the table refers to.

use super::choose::{DEPTH, what};
use super::names;
use super::names::{count, method, path_part};
use crate::emit::build::{
    array, binary, boolean, call, conditional, constant, element, export_function, for_count, function,
    ident, if_else, member, null, number, ret, statement, string, undefined,
};
use crate::stubgen::schema::{
    Collection, Element, EntryOf, FieldDef, Kind, Presence, Scalar, TableDef, TableId, TableKind, TupleShape,
    UnionId, WireSchema,
};
use swc_ecma_ast::{BinaryOp, Expr, ModuleItem, Stmt};

/// `const shapeEntry = shape(fields, offsets, size, wide)`; none for what is written as another table.
pub(super) fn shape_item(schema: &WireSchema, id: TableId) -> Option<ModuleItem> {
    let table = schema.table(id);
    let fields = match table.kind {
        TableKind::ResponseOf(_) => return None,
        TableKind::Object => table.fields.iter().map(|field| string(&field.name)).collect(),
        TableKind::Tuple(_)
        | TableKind::Entry(_)
        | TableKind::Item
        | TableKind::Request
        | TableKind::Response => Vec::new(),
    };
    let offsets = table.slots.iter().map(|slot| number(slot.offset.into())).collect();
    let args = vec![array(fields), array(offsets), number(table.size.into()), boolean(table.wide)];
    Some(constant(&names::shape(table), call(ident("shape"), args)).into())
}

/// The function that writes a table: exported for requests and responses, which are whole messages.
pub(super) fn function_item(schema: &WireSchema, id: TableId) -> ModuleItem {
    let table = schema.table(id);
    match table.kind {
        TableKind::Object | TableKind::Tuple(_) | TableKind::Entry(_) | TableKind::Item => {
            let params = ["w", "at", "value", "name"];
            function(&names::write(table), &params, nested_body(schema, table))
        }
        TableKind::Request | TableKind::Response => {
            let param = if table.kind == TableKind::Request { "args" } else { "result" };
            export_function(&format!("encode{}", table.name), &[param], message_body(schema, table))
        }
        TableKind::ResponseOf(object) => {
            export_function(&format!("encode{}", table.name), &["result"], object_body(schema, object))
        }
    }
}

/// The function that writes the member of a union by its number.
pub(super) fn union_item(schema: &WireSchema, id: UnionId) -> ModuleItem {
    let members = schema.union(id).members.iter().enumerate().rev();
    let body = members.fold(Vec::new(), |otherwise, (index, member)| {
        let is_it = binary(BinaryOp::EqEqEq, ident("tag"), number(count(index + 1)));
        let write = table_stmt(schema, member.table, ident("at"), ident("value"), ident("name"));
        vec![if_else(is_it, vec![write], otherwise)]
    });
    function(&names::write_union(schema, id), &["w", "at", "tag", "value", "name"], body)
}

fn nested_body(schema: &WireSchema, table: &TableDef) -> Vec<Stmt> {
    let shape = ident(&names::shape(table));
    let begin = match table.kind {
        TableKind::Object => {
            let args = vec![ident("w"), ident("at"), ident("value"), ident("name"), shape];
            call(ident("putObject"), args)
        }
        TableKind::Tuple(of) => {
            let behind = of.rest.map_or(0, |rest| table.fields.len() - rest - 1);
            let max = if of.rest.is_some() { u32::MAX } else { count(table.fields.len()) };
            let (min, max) = (number(count(of.required + behind)), number(max));
            call(
                ident("tuple"),
                vec![ident("w"), ident("at"), ident("value"), ident("name"), shape, min, max],
            )
        }
        TableKind::Entry(_)
        | TableKind::Item
        | TableKind::Request
        | TableKind::Response
        | TableKind::ResponseOf(_) => call(method("w", "table"), vec![ident("at"), ident("name"), shape]),
    };
    let mut body = vec![constant("t", begin)];
    body.extend(field_stmts(schema, table));
    body.push(statement(call(method("w", "leave"), Vec::new())));
    body
}

fn message_body(schema: &WireSchema, table: &TableDef) -> Vec<Stmt> {
    let mut body = Vec::new();
    body.push(constant("w", call(ident("writer"), Vec::new())));
    let root = vec![number(0), string(""), ident(&names::shape(table))];
    body.push(constant("t", call(method("w", "table"), root)));
    body.extend(field_stmts(schema, table));
    body.push(statement(call(method("w", "leave"), Vec::new())));
    body.push(ret(call(method("w", "finish"), Vec::new())));
    body
}

/// A message whose root is the table of an object.
fn object_body(schema: &WireSchema, object: TableId) -> Vec<Stmt> {
    vec![
        constant("w", call(ident("writer"), Vec::new())),
        table_stmt(schema, object, number(0), ident("result"), string("result")),
        ret(call(method("w", "finish"), Vec::new())),
    ]
}

fn field_stmts(schema: &WireSchema, table: &TableDef) -> Vec<Stmt> {
    let mut body = Vec::new();
    let fields = || table.fields.iter().enumerate();
    for (index, field) in fields() {
        body.push(constant(&value_binding(index), field_value(table, index, field)));
        if let Kind::Union(id) = field.kind {
            body.push(constant(&tag_binding(index), tag_value(schema, table, index, field, id)));
        }
    }
    for (index, field) in fields() {
        body.extend(inline_stmts(schema, table, index, field));
    }
    body.push(statement(call(method("w", "seal"), vec![ident("t")])));
    for (index, field) in fields() {
        body.extend(reference_stmts(schema, table, index, field));
    }
    body
}

/// Where the value of a field comes from.
fn field_value(table: &TableDef, index: usize, field: &FieldDef) -> Expr {
    match table.kind {
        TableKind::Object if is_inherited(&field.name) => {
            call(ident("own"), vec![ident("value"), string(&field.name)])
        }
        TableKind::Object => member(ident("value"), &field.name),
        TableKind::Tuple(TupleShape { rest: Some(rest), .. }) if index == rest => {
            let behind = table.fields.len() - rest - 1;
            let from = number(count(rest));
            let args = if behind == 0 { vec![from] } else { vec![from, from_end(behind)] };
            call(member(ident("value"), "slice"), args)
        }
        TableKind::Tuple(TupleShape { rest: Some(rest), .. }) if index > rest => {
            element(ident("value"), from_end(table.fields.len() - index))
        }
        TableKind::Tuple(_) | TableKind::Entry(_) => element(ident("value"), number(count(index))),
        TableKind::Item => ident("value"),
        TableKind::Request => element(ident("args"), number(count(index))),
        TableKind::Response | TableKind::ResponseOf(_) => ident("result"),
    }
}

/// A place that many elements before a tuple's end.
fn from_end(elements: usize) -> Expr {
    binary(BinaryOp::Sub, member(ident("value"), "length"), number(count(elements)))
}

/// What a path shows for a field.
fn shown(table: &TableDef, index: usize, field: &FieldDef) -> Expr {
    path_part(table, index, field, &|| from_end(table.fields.len() - index))
}

/// The number of the member that the value of a union is; 0 if there is no value.
fn tag_value(schema: &WireSchema, table: &TableDef, index: usize, field: &FieldDef, id: UnionId) -> Expr {
    let picked = call(ident(&names::pick(schema, id)), vec![value(index), number(DEPTH)]);
    let name = shown(table, index, field);
    let args = vec![ident("w"), picked, value(index), string(&what(schema, id)), name];
    let tag = call(ident("putTag"), args);
    match missing(index, field.presence) {
        Some(missing) => conditional(missing, number(0), tag),
        None => tag,
    }
}

/// Whether what stands in place of a value is there.
fn missing(index: usize, presence: Presence) -> Option<Expr> {
    Some(match presence {
        Presence::Required => return None,
        Presence::Optional => binary(BinaryOp::EqEqEq, value(index), undefined()),
        Presence::Nullable => binary(BinaryOp::EqEqEq, value(index), null()),
        Presence::OptionalNullable => binary(BinaryOp::EqEq, value(index), null()),
    })
}

/// Whether there is a value.
fn present(index: usize, field: &FieldDef) -> Option<Expr> {
    Some(match (field.kind, field.presence) {
        (_, Presence::Required) => return None,
        (Kind::Union(_), _) => binary(BinaryOp::NotEqEq, ident(&tag_binding(index)), number(0)),
        (_, Presence::Optional) => binary(BinaryOp::NotEqEq, value(index), undefined()),
        (_, Presence::Nullable) => binary(BinaryOp::NotEqEq, value(index), null()),
        (_, Presence::OptionalNullable) => binary(BinaryOp::NotEq, value(index), null()),
    })
}

/// What a field puts into its table, or that it is absent.
fn inline_stmts(schema: &WireSchema, table: &TableDef, index: usize, field: &FieldDef) -> Vec<Stmt> {
    let write = match (field.kind, field.tag_slot) {
        (Kind::Scalar(scalar), _) => {
            let name = shown(table, index, field);
            vec![scalar_stmt(schema, scalar, slot_pos(table, field.slot), value(index), name)]
        }
        (_, Some(tag_slot)) => {
            let args = vec![slot_pos(table, tag_slot), ident(&tag_binding(index)), string("")];
            vec![put("putU8", args)]
        }
        (_, None) => Vec::new(),
    };
    let Some(missing) = missing(index, field.presence) else { return write };
    let absent = |slot: usize| writer_call("absent", vec![number(count(slot))]);
    let mut otherwise: Vec<Stmt> = field.tag_slot.map(absent).into_iter().collect();
    otherwise.push(absent(field.slot));
    if let Some(null_slot) = field.null_slot {
        let is_null = binary(BinaryOp::EqEqEq, value(index), null());
        otherwise.push(put("putBool", vec![slot_pos(table, null_slot), is_null, string("")]));
    }
    match present(index, field) {
        Some(present) if !write.is_empty() => vec![if_else(present, write, otherwise)],
        _ => vec![if_else(missing, otherwise, Vec::new())],
    }
}

/// What a field puts behind its table.
fn reference_stmts(schema: &WireSchema, table: &TableDef, index: usize, field: &FieldDef) -> Vec<Stmt> {
    let name = shown(table, index, field);
    let at = slot_pos(table, field.slot);
    let write = match field.kind {
        Kind::Scalar(_) => return Vec::new(),
        Kind::String => vec![writer_call("string", vec![at, value(index), name])],
        Kind::Template(id) => {
            vec![put("putText", vec![at, value(index), ident(&names::pattern(schema, id)), name])]
        }
        Kind::Bytes => vec![put("putBlob", vec![at, value(index), name])],
        Kind::Dynamic => vec![put("putDynamic", vec![at, value(index), name])],
        Kind::Table(id) => vec![table_stmt(schema, id, at, value(index), name)],
        Kind::Vector(collection, of) => {
            let shown = names::element_part(table, index);
            vector_stmts(schema, (collection, of), index, at, name, &shown)
        }
        Kind::Union(id) => {
            let args = vec![ident("w"), at, ident(&tag_binding(index)), value(index), name];
            vec![statement(call(ident(&names::write_union(schema, id)), args))]
        }
    };
    match present(index, field) {
        Some(present) => vec![if_else(present, write, Vec::new())],
        None => write,
    }
}

fn vector_stmts(
    schema: &WireSchema,
    (collection, of): (Collection, Element),
    index: usize,
    at: Expr,
    name: Expr,
    shown: &Expr,
) -> Vec<Stmt> {
    let mut body = Vec::new();
    let mut list = value(index);
    if let Some(convert) = conversion(schema, collection, of) {
        let binding = format!("l{index}");
        body.push(constant(&binding, call(ident(convert), vec![ident("w"), list, name.clone()])));
        list = ident(&binding);
    }
    let size = u32::from(schema.element_size(of));
    let start = format!("s{index}");
    let begin = call(ident("putVector"), vec![ident("w"), at, list.clone(), number(size), name]);
    let place = binary(BinaryOp::Mul, ident("i"), number(size));
    let pos = binary(BinaryOp::Add, ident(&start), place);
    let item = element(list, ident("i"));
    let write = match of {
        Element::Scalar(scalar) => scalar_stmt(schema, scalar, pos, item, shown.clone()),
        Element::String => writer_call("string", vec![pos, item, shown.clone()]),
        Element::Template(id) => {
            put("putText", vec![pos, item, ident(&names::pattern(schema, id)), shown.clone()])
        }
        Element::Table(id) => {
            let shown = match collection {
                Collection::Record => element(item.clone(), number(0)),
                Collection::Array | Collection::Set | Collection::Map => shown.clone(),
            };
            table_stmt(schema, id, pos, item, shown)
        }
    };
    body.extend([
        constant(&start, begin),
        for_count("i", "n", member(ident("w"), "count"), vec![write]),
        writer_call("close", Vec::new()),
    ]);
    body
}

/// What makes an array of a collection.
fn conversion(schema: &WireSchema, collection: Collection, of: Element) -> Option<&'static str> {
    match (collection, of) {
        (Collection::Array, _) => None,
        (Collection::Set, _) => Some("elementsOf"),
        (Collection::Map, _) => Some("pairsOf"),
        (Collection::Record, Element::Table(id))
            if schema.table(id).kind == TableKind::Entry(EntryOf::NumberRecord) =>
        {
            Some("numberEntriesOf")
        }
        (Collection::Record, _) => Some("entriesOf"),
    }
}

fn scalar_stmt(schema: &WireSchema, scalar: Scalar, pos: Expr, value: Expr, name: Expr) -> Stmt {
    let mut args = vec![pos, value];
    if let Scalar::Enum(id) = scalar {
        args.push(ident(&names::values(schema, id)));
    }
    args.push(name);
    put(names::scalar_functions(schema, scalar).0, args)
}

fn table_stmt(schema: &WireSchema, id: TableId, at: Expr, value: Expr, name: Expr) -> Stmt {
    statement(call(ident(&names::write(schema.table(id))), vec![ident("w"), at, value, name]))
}

fn writer_call(name: &str, args: Vec<Expr>) -> Stmt {
    statement(call(method("w", name), args))
}

/// A function of the runtime that writes, with the writer before its other arguments.
fn put(name: &str, mut args: Vec<Expr>) -> Stmt {
    args.insert(0, ident("w"));
    statement(call(ident(name), args))
}

fn slot_pos(table: &TableDef, slot: usize) -> Expr {
    binary(BinaryOp::Add, ident("t"), number(table.slots[slot].offset.into()))
}

fn value(index: usize) -> Expr {
    ident(&value_binding(index))
}

fn value_binding(index: usize) -> String {
    format!("v{index}")
}

fn tag_binding(index: usize) -> String {
    format!("u{index}")
}

/// Whether every object has a property without having been given it.
pub(super) fn is_inherited(name: &str) -> bool {
    INHERITED.contains(&name)
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
