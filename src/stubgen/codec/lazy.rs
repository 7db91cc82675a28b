//! Results that are read where they are looked at: a client's second way to read what `read` reads whole.
//!
//! ```text
//! const viewEntry = view(2, [], readEntry, { id: get0Entry }, { tags: get1Entry });
//! function get0Entry(r, t, v) {
//!   const p0 = r.need(t, v, 0, 4, "id"), v0 = r.string(p0, "id");
//!   return v0;
//! }
//! export function lazyListResponse(bytes) {
//!   const r = new LazyReader(bytes), t = r.table(0, "", 1), v = r.vtable, p0 = r.need(t, v, 0, 4, "result");
//!   return r.objects(p0, "result", viewEntry);
//! }
//! ```
//!
//! Objects are views, and so are the elements of arrays of them; everything else is read whole by whoever looks at it.

use super::names;
use super::names::{count, method};
use super::read;
use super::{Reached, enum_values, import_runtime, template_item};
use crate::emit::build::{
    array, call, call_pure, conditional, constant, export_function, function, ident, module_text, new,
    number, object, ret, string,
};
use crate::stubgen::schema::{Collection, Element, FieldDef, Kind, TableDef, TableId, TableKind, WireSchema};
use std::collections::BTreeSet;
use swc_ecma_ast::{Expr, ModuleItem, Stmt};

/// The function that reads a response lazily, if there is anything to be read later.
pub fn lazy_name(schema: &WireSchema, endpoint: usize) -> Option<String> {
    let response = schema.table(schema.endpoints[endpoint].response);
    let is_lazy = match response.kind {
        TableKind::ResponseOf(object) => is_view(schema, object),
        TableKind::Response => response.fields.iter().any(|field| viewed(schema, field.kind).is_some()),
        TableKind::Object
        | TableKind::Tuple(_)
        | TableKind::Entry(_)
        | TableKind::Item
        | TableKind::Request => false,
    };
    is_lazy.then(|| names::lazy(response))
}

/// The text of `lazy-codecs.js`.
pub fn lazy_codecs_text(schema: &WireSchema) -> String {
    let lazy = (0..schema.endpoints.len()).filter(|endpoint| lazy_name(schema, *endpoint).is_some());
    let responses: Vec<TableId> = lazy.map(|endpoint| schema.endpoints[endpoint].response).collect();
    let reached = Reached::from(schema, &responses);
    let whole = |id: &&TableId| !responses.contains(id);
    let mut body = Vec::new();
    body.extend(
        reached.enums.iter().map(|id| constant(&names::values(schema, *id), enum_values(schema, *id)).into()),
    );
    body.extend(reached.templates.iter().map(|id| template_item(schema, *id)));
    body.extend(reached.tables.iter().filter(whole).map(|id| read::function_item(schema, *id)));
    body.extend(reached.unions.iter().map(|id| read::union_item(schema, *id)));
    for id in views(schema, &responses) {
        body.extend(view_items(schema, id));
    }
    body.extend(responses.iter().map(|id| response_item(schema, schema.table(*id))));
    import_runtime(&mut body);
    module_text(body)
}

/// Whether a type's objects are views. A field of these names would take the place of what every view has.
pub fn can_be_view<'a>(mut fields: impl Iterator<Item = &'a str>) -> bool {
    !fields.any(|name| matches!(name, "constructor" | "toJSON"))
}

fn is_view(schema: &WireSchema, id: TableId) -> bool {
    let table = schema.table(id);
    table.kind == TableKind::Object && can_be_view(table.fields.iter().map(|field| field.name.as_str()))
}

/// The type that a value is a view of, or an array of them.
fn viewed(schema: &WireSchema, kind: Kind) -> Option<TableId> {
    match kind {
        Kind::Table(id) | Kind::Vector(Collection::Array, Element::Table(id)) => Some(id),
        Kind::Vector(..)
        | Kind::Scalar(_)
        | Kind::String
        | Kind::Template(_)
        | Kind::Bytes
        | Kind::Dynamic
        | Kind::Union(_) => None,
    }
    .filter(|id| is_view(schema, *id))
}

/// The types of all views that can be reached from some responses.
fn views(schema: &WireSchema, responses: &[TableId]) -> BTreeSet<TableId> {
    let mut found = BTreeSet::new();
    let mut open: Vec<TableId> = Vec::new();
    for response in responses {
        match schema.table(*response).kind {
            TableKind::ResponseOf(object) if is_view(schema, object) => open.push(object),
            _ => open
                .extend(schema.table(*response).fields.iter().filter_map(|field| viewed(schema, field.kind))),
        }
    }
    while let Some(id) = open.pop() {
        if found.insert(id) {
            open.extend(schema.table(id).fields.iter().filter_map(|field| viewed(schema, field.kind)));
        }
    }
    found
}

/// The views of a type, and what reads their properties.
fn view_items(schema: &WireSchema, id: TableId) -> Vec<ModuleItem> {
    let table = schema.table(id);
    let fields = || table.fields.iter().enumerate();
    let mut items: Vec<ModuleItem> = fields()
        .map(|(index, field)| {
            let body = field_body(schema, table, index, field);
            function(&names::get(table, index), &["r", "t", "v"], body)
        })
        .collect();
    let getters = |kept: bool| {
        let own = fields().filter(move |(_, field)| is_kept(field.kind) == kept);
        object(own.map(|(index, field)| (field.name.as_str(), ident(&names::get(table, index)))))
    };
    let removed = (0..table.slots.len()).filter(|slot| table.slots[*slot].is_removed());
    let args = vec![
        number(count(table.slots.len())),
        array(removed.map(|slot| number(count(slot))).collect()),
        ident(&names::read(table)),
        getters(false),
        getters(true),
    ];
    items.push(constant(&names::view(table), call_pure(ident("view"), args)).into());
    items
}

/// Whether a value has an identity.
fn is_kept(kind: Kind) -> bool {
    match kind {
        Kind::Scalar(_) | Kind::String | Kind::Template(_) => false,
        Kind::Bytes | Kind::Dynamic | Kind::Table(_) | Kind::Vector(..) | Kind::Union(_) => true,
    }
}

fn field_body(schema: &WireSchema, table: &TableDef, index: usize, field: &FieldDef) -> Vec<Stmt> {
    let mut body = match viewed(schema, field.kind) {
        None => read::field_stmts(schema, table, index, field),
        Some(of) => {
            let (mut body, absent) = read::place_stmts(schema, table, index, field);
            let name = read::shown(table, index, field);
            let value = view_of(schema, field.kind, of, ident(&read::place(index)), name);
            let value = match absent {
                Some(absent) => conditional(read::is_absent(&read::place(index)), absent, value),
                None => value,
            };
            body.push(constant(&read::binding(index), value));
            body
        }
    };
    body.push(ret(ident(&read::binding(index))));
    body
}

fn view_of(schema: &WireSchema, kind: Kind, of: TableId, at: Expr, name: Expr) -> Expr {
    let make = if matches!(kind, Kind::Vector(..)) { "objects" } else { "object" };
    call(method("r", make), vec![at, name, ident(&names::view(schema.table(of)))])
}

fn response_item(schema: &WireSchema, response: &TableDef) -> ModuleItem {
    let mut body = vec![constant("r", new(ident("LazyReader"), vec![ident("bytes")]))];
    match (response.kind, response.fields.first()) {
        (TableKind::ResponseOf(of), _) => {
            body.push(ret(view_of(schema, Kind::Table(of), of, number(0), string("result"))));
        }
        (_, Some(field)) => {
            body.extend(read::begin_stmts(response, number(0), string("")));
            body.extend(field_body(schema, response, 0, field));
        }
        (_, None) => {}
    }
    export_function(&names::lazy(response), &["bytes"], body)
}
