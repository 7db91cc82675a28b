//! `app.fbs`: the wire schema in FlatBuffers' own language, for flatc and for other clients.
//!
//! ```text
//! interface Entry { id: string; mood?: 'good' | 'bad' }   →   enum EntryMood: ubyte { good, bad }
//!                                                             table Entry {
//!                                                               id: string (required, id: 0);
//!                                                               mood: EntryMood = null (id: 1);
//!                                                             }
//! ```
//!
//! Ids are those of the lock; what has none any more is deprecated.

use super::schema::{Element, EnumDef, FieldDef, Kind, Presence, Scalar, TableDef, UnionDef, WireSchema};
use crate::contract::NumberWidth;
use crate::emit::build::GENERATED;
use std::fmt::Write as _;

/// The text of `app.fbs`.
pub fn fbs_text(schema: &WireSchema) -> String {
    let mut text = format!("{GENERATED}\nnamespace kontract;\n");
    for def in &schema.enums {
        text.push_str(&enum_text(def));
    }
    for def in &schema.unions {
        text.push_str(&union_text(schema, def));
    }
    for table in &schema.tables {
        text.push_str(&table_text(schema, table));
    }
    text
}

fn enum_text(def: &EnumDef) -> String {
    let width = if def.is_wide() { "ushort" } else { "ubyte" };
    format!("\nenum {}: {width} {{ {} }}\n", def.name, def.idents.join(", "))
}

fn union_text(schema: &WireSchema, def: &UnionDef) -> String {
    let members: Vec<&str> =
        def.members.iter().map(|member| schema.table(member.table).name.as_str()).collect();
    format!("\nunion {} {{ {} }}\n", def.name, members.join(", "))
}

fn table_text(schema: &WireSchema, table: &TableDef) -> String {
    let mut text = format!("\ntable {} {{\n", table.name);
    let mut line = |slot: usize, ty: &str, attributes: &[&str], comment: &str| {
        let name = &table.slots[slot].name;
        let attributes: String = attributes.iter().map(|attribute| format!("{attribute}, ")).collect();
        writeln!(text, "  {name}: {ty} ({attributes}id: {slot});{comment}")
            .expect("invariant: writing to a String does not fail");
    };
    for field in &table.fields {
        let kind = kind_text(schema, field.kind);
        match (field.kind, field.presence) {
            // Without `null`, writers leave out what equals the default, and nobody can tell it from what was forgotten.
            (Kind::Scalar(_), Presence::Required) => {
                line(field.slot, &format!("{kind} = null"), &[], " // required");
            }
            (Kind::Scalar(_), _) => line(field.slot, &format!("{kind} = null"), &[], ""),
            (_, _) => line(field.slot, &kind, attributes(field), ""),
        }
        if let Some(null_slot) = field.null_slot {
            line(null_slot, "bool", &[], "");
        }
    }
    for slot in (0..table.slots.len()).filter(|slot| table.slots[*slot].is_removed()) {
        line(slot, "ubyte", &["deprecated"], "");
    }
    text.push_str("}\n");
    text
}

fn attributes(field: &FieldDef) -> &'static [&'static str] {
    match (field.kind, field.presence) {
        (Kind::Dynamic, Presence::Required) => &["flexbuffer", "required"],
        (Kind::Dynamic, _) => &["flexbuffer"],
        (_, Presence::Required) => &["required"],
        (_, _) => &[],
    }
}

fn kind_text(schema: &WireSchema, kind: Kind) -> String {
    match kind {
        Kind::Scalar(scalar) => scalar_text(schema, scalar).to_owned(),
        Kind::String | Kind::Template(_) => "string".to_owned(),
        Kind::Bytes | Kind::Dynamic => "[ubyte]".to_owned(),
        Kind::Table(id) => schema.table(id).name.clone(),
        Kind::Vector(_, element) => format!("[{}]", element_text(schema, element)),
        Kind::Union(id) => schema.union(id).name.clone(),
    }
}

fn element_text(schema: &WireSchema, element: Element) -> &str {
    match element {
        Element::Scalar(scalar) => scalar_text(schema, scalar),
        Element::String | Element::Template(_) => "string",
        Element::Table(id) => &schema.table(id).name,
    }
}

fn scalar_text(schema: &WireSchema, scalar: Scalar) -> &str {
    match scalar {
        Scalar::Bool => "bool",
        Scalar::BigInt | Scalar::Date => "long",
        Scalar::BigUint => "ulong",
        Scalar::Enum(id) => &schema.enumeration(id).name,
        Scalar::Number(width) => match width {
            NumberWidth::Int8 => "byte",
            NumberWidth::Int16 => "short",
            NumberWidth::Int32 => "int",
            NumberWidth::Uint8 => "ubyte",
            NumberWidth::Uint16 => "ushort",
            NumberWidth::Uint32 => "uint",
            NumberWidth::Float32 => "float",
            NumberWidth::Float64 => "double",
        },
    }
}
