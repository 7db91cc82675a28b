//! Codecs: for each endpoint and object type, JavaScript that checks and writes values, or checks and reads messages.
//!
//! ```text
//! endpoint sign(name: string): Entry      client/codecs.js   encodeSignRequest(args), decodeSignResponse(bytes)
//!                                         server/codecs.js   decodeSignRequest(bytes), encodeSignResponse(result)
//! ```
//!
//! Straight-line code over `kontract/wire`: offsets, slots and names are constants, so that a just-in-time compiler sees
//! one shape at each place. A side gets the functions it needs and no others.

mod choose;
mod lazy;
mod names;
mod read;
mod write;

pub use lazy::{can_be_view, lazy_codecs_text, lazy_name};

use super::schema::{Element, EnumId, Kind, Scalar, TableId, TableKind, TemplateId, UnionId, WireSchema};
use crate::contract::{Endpoint, Literal, TemplatePart};
use crate::emit::build::{
    array, boolean, call, constant, export_const, ident, import_named, module_text, null, number_of, string,
};
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
    let written = Reached::from(schema, &sent);
    let read = Reached::from(schema, &received);
    let mut body = Vec::new();
    body.extend(written.enums.union(&read.enums).map(|id| enum_item(schema, *id)));
    body.extend(written.templates.union(&read.templates).map(|id| template_item(schema, *id)));
    for id in &written.tables {
        body.extend(write::shape_item(schema, *id));
        body.push(write::function_item(schema, *id));
    }
    body.extend(written.unions.iter().map(|id| write::union_item(schema, *id)));
    body.extend(choose::items(schema, &written.unions));
    body.extend(read.tables.iter().map(|id| read::function_item(schema, *id)));
    body.extend(read.unions.iter().map(|id| read::union_item(schema, *id)));
    import_runtime(&mut body);
    module_text(body)
}

/// Puts the import of what statements use of `kontract/wire` before them.
fn import_runtime(body: &mut Vec<ModuleItem>) {
    let imported = names::runtime_names(body);
    if !imported.is_empty() {
        body.insert(0, import_named(imported.into_iter().map(|name| (name, name)), "kontract/wire"));
    }
}

/// The tables an endpoint's side sends and receives.
fn tables(schema: &WireSchema, endpoint: usize, side: Side) -> (TableId, TableId) {
    let tables = schema.endpoints[endpoint];
    match side {
        Side::Client => (tables.request, tables.response),
        Side::Server => (tables.response, tables.request),
    }
}

/// Everything that messages of some tables consist of.
#[derive(Default)]
struct Reached {
    tables: BTreeSet<TableId>,
    enums: BTreeSet<EnumId>,
    templates: BTreeSet<TemplateId>,
    unions: BTreeSet<UnionId>,
}

impl Reached {
    fn from(schema: &WireSchema, roots: &[TableId]) -> Self {
        let mut reached = Self::default();
        let mut open = roots.to_vec();
        while let Some(id) = open.pop() {
            if !reached.tables.insert(id) {
                continue;
            }
            if let TableKind::ResponseOf(object) = schema.table(id).kind {
                open.push(object);
                continue;
            }
            for field in &schema.table(id).fields {
                reached.add(field.kind);
                open.extend(schema.tables_of(field.kind));
            }
        }
        reached
    }

    fn add(&mut self, kind: Kind) {
        match kind {
            Kind::Scalar(Scalar::Enum(id)) | Kind::Vector(_, Element::Scalar(Scalar::Enum(id))) => {
                self.enums.insert(id);
            }
            Kind::Template(id) | Kind::Vector(_, Element::Template(id)) => {
                self.templates.insert(id);
            }
            Kind::Union(id) => {
                self.unions.insert(id);
            }
            Kind::Scalar(_)
            | Kind::String
            | Kind::Bytes
            | Kind::Dynamic
            | Kind::Table(_)
            | Kind::Vector(_, Element::Scalar(_) | Element::String | Element::Table(_)) => {}
        }
    }
}

fn enum_item(schema: &WireSchema, id: EnumId) -> ModuleItem {
    export_const(&names::values(schema, id), enum_values(schema, id))
}

fn enum_values(schema: &WireSchema, id: EnumId) -> Expr {
    array(schema.enumeration(id).values.iter().map(|value| literal(value.as_ref())).collect())
}

/// A value of an enum.
fn literal(value: Option<&Literal>) -> Expr {
    match value {
        None => null(),
        Some(Literal::String(text)) => string(text),
        Some(Literal::Number(text)) => number_of(text),
        Some(Literal::BigInt(digits)) => call(ident("BigInt"), vec![string(digits)]),
        Some(Literal::Boolean(value)) => boolean(*value),
    }
}

/// `const patternUserId = pattern(["user-", ""], "n")`
fn template_item(schema: &WireSchema, id: TemplateId) -> ModuleItem {
    let mut texts = vec![String::new()];
    let mut kinds = String::new();
    let mut placeholder = |kind: char, texts: &mut Vec<String>| {
        kinds.push(kind);
        texts.push(String::new());
    };
    for part in &schema.template(id).parts {
        match part {
            TemplatePart::Text(text) => {
                if let Some(last) = texts.last_mut() {
                    last.push_str(text);
                }
            }
            TemplatePart::String => placeholder('s', &mut texts),
            TemplatePart::Number => placeholder('n', &mut texts),
            TemplatePart::BigInt => placeholder('b', &mut texts),
        }
    }
    let texts = array(texts.iter().map(|text| string(text)).collect());
    let value = call(ident("pattern"), vec![texts, string(&kinds)]);
    constant(&names::pattern(schema, id), value).into()
}
