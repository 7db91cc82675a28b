//! Types and endpoints as text, and the hash that says whether two endpoints are called alike.

use super::{
    BigIntWidth, Contract, Endpoint, Literal, NumberWidth, ObjectType, Perms, RecordKey, TemplatePart,
    TupleElement, Ty,
};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use std::fmt::Write as _;

/// How numbers are spelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Numbers {
    /// With their width: `int32`; `number` for 64-bit floating point.
    Widths,
    /// As TypeScript checks them: `number`.
    Plain,
}

/// A type in TypeScript's notation.
pub fn ty_text(ty: &Ty, numbers: Numbers) -> String {
    match ty {
        Ty::String => "string".to_owned(),
        Ty::Boolean => "boolean".to_owned(),
        Ty::Number(width) => number_text(*width, numbers).to_owned(),
        Ty::BigInt(width) => bigint_text(*width, numbers).to_owned(),
        Ty::Date => "Date".to_owned(),
        Ty::Bytes => "Uint8Array".to_owned(),
        Ty::Null => "null".to_owned(),
        Ty::Literals(values) => values.iter().map(literal_text).collect::<Vec<_>>().join(" | "),
        Ty::Template(parts) => template_text(parts),
        Ty::Array(of) => format!("{}[]", member_text(of, numbers)),
        Ty::Tuple(elements) => tuple_text(elements, numbers),
        Ty::Record(key, value) => format!("Record<{}, {}>", key_text(key), ty_text(value, numbers)),
        Ty::Map(key, value) => format!("Map<{}, {}>", ty_text(key, numbers), ty_text(value, numbers)),
        Ty::Set(of) => format!("Set<{}>", ty_text(of, numbers)),
        Ty::Object(name) => name.clone(),
        Ty::Union(members) => {
            members.iter().map(|member| ty_text(member, numbers)).collect::<Vec<_>>().join(" | ")
        }
        Ty::Nullable(of) => format!("{} | null", ty_text(of, numbers)),
        Ty::Optional(of) => format!("{} | undefined", ty_text(of, numbers)),
        Ty::Void => "void".to_owned(),
        Ty::Dynamic(text) => text.clone(),
        Ty::Stream(of) => format!("AsyncIterable<{}>", ty_text(of, numbers)),
        Ty::ByteStream => "ReadableStream<Uint8Array>".to_owned(),
        Ty::Blob => "Blob".to_owned(),
        Ty::File => "File".to_owned(),
        Ty::Spelled(of, _) => ty_text(of, numbers),
    }
}

/// A type in front of `[]`.
fn member_text(ty: &Ty, numbers: Numbers) -> String {
    match ty {
        Ty::Literals(values) if values.len() > 1 => format!("({})", ty_text(ty, numbers)),
        Ty::Union(_) | Ty::Nullable(_) | Ty::Optional(_) | Ty::Dynamic(_) => {
            format!("({})", ty_text(ty, numbers))
        }
        Ty::Spelled(of, _) => member_text(of, numbers),
        _ => ty_text(ty, numbers),
    }
}

pub(crate) fn literal_text(literal: &Literal) -> String {
    match literal {
        Literal::String(text) => quoted(text),
        Literal::Number(text) => text.clone(),
        Literal::BigInt(digits) => format!("{digits}n"),
        Literal::Boolean(value) => value.to_string(),
    }
}

/// `` `user-${number}` ``
fn template_text(parts: &[TemplatePart]) -> String {
    let part = |part: &TemplatePart| match part {
        TemplatePart::Text(text) => text
            .replace('\\', "\\\\")
            .replace('`', "\\`")
            .replace("${", "\\${")
            .replace('\n', "\\n")
            .replace('\r', "\\r"),
        TemplatePart::String => "${string}".to_owned(),
        TemplatePart::Number => "${number}".to_owned(),
        TemplatePart::BigInt => "${bigint}".to_owned(),
    };
    format!("`{}`", parts.iter().map(part).collect::<String>())
}

fn key_text(key: &RecordKey) -> String {
    match key {
        RecordKey::String => "string".to_owned(),
        RecordKey::Number => "number".to_owned(),
        RecordKey::Template(parts) => template_text(parts),
    }
}

/// `[a: A, b?: B, ...rest: C[]]`, with labels only where every element has one, as TypeScript 5.0 and 5.1 want it.
fn tuple_text(elements: &[TupleElement], numbers: Numbers) -> String {
    let labelled = elements.iter().all(|element| element.name.is_some());
    let element = |element: &TupleElement| {
        let ty = ty_text(&element.ty, numbers);
        let member = member_text(&element.ty, numbers);
        match (element.name.as_ref().filter(|_| labelled), element.rest, element.optional) {
            (Some(name), true, _) => format!("...{name}: {member}[]"),
            (None, true, _) => format!("...{member}[]"),
            (Some(name), false, true) => format!("{name}?: {ty}"),
            (None, false, true) => format!("{member}?"),
            (Some(name), false, false) => format!("{name}: {ty}"),
            (None, false, false) => ty,
        }
    };
    format!("[{}]", elements.iter().map(element).collect::<Vec<_>>().join(", "))
}

/// `name: string, after?: string`
pub fn params_text(endpoint: &Endpoint, numbers: Numbers) -> String {
    let param = |param: &super::Param| {
        let mark = if param.optional { "?" } else { "" };
        let rest = if param.rest { "..." } else { "" };
        format!("{rest}{}{mark}: {}", param.name, ty_text(&param.ty, numbers))
    };
    endpoint.params.iter().map(param).collect::<Vec<_>>().join(", ")
}

/// Keys of the object types that a type consists of, in order.
pub fn object_keys<'a>(contract: &Contract, types: impl IntoIterator<Item = &'a Ty>) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut open: Vec<&str> = types.into_iter().flat_map(Ty::objects).collect();
    while let Some(key) = open.pop() {
        if found.insert(key.to_owned())
            && let Some(object) = contract.types.get(key)
        {
            open.extend(object.fields.iter().flat_map(|field| field.ty.objects()));
        }
    }
    found
}

/// Keys of the object types that an endpoint's parameters and result consist of.
pub fn endpoint_object_keys(contract: &Contract, endpoint: &Endpoint) -> BTreeSet<String> {
    let params = endpoint.params.iter().map(|param| &param.ty);
    object_keys(contract, params.chain([&endpoint.returns]))
}

/// Everything about an endpoint that its callers depend on: parameters, result, and the object types in them.
pub fn endpoint_text(contract: &Contract, endpoint: &Endpoint) -> String {
    let params = params_text(endpoint, Numbers::Widths);
    let mut text = format!("({params}) => {}\n", ty_text(&endpoint.returns, Numbers::Widths));
    for key in endpoint_object_keys(contract, endpoint) {
        if let Some(object) = contract.types.get(&key) {
            text.push_str(&object_text(&key, object));
        }
    }
    text
}

/// An object type with everything but its documentation.
pub fn object_text(key: &str, object: &ObjectType) -> String {
    let mut text = format!("interface {key} {{\n");
    for field in &object.fields {
        let flags = [
            (field.primkey, "@primkey "),
            (field.index, "@index "),
            (field.unique, "@unique "),
            (field.readonly, "readonly "),
        ];
        let flags: String = flags.iter().filter(|(set, _)| *set).map(|(_, flag)| *flag).collect();
        let perm = field.perm.unwrap_or(Perms::ALL);
        let mark = if field.optional { "?" } else { "" };
        let ty = ty_text(&field.ty, Numbers::Widths);
        writeln!(text, "  {perm} {flags}{}{mark}: {ty};", quoted(&field.name))
            .expect("invariant: writing to a String does not fail");
    }
    text.push_str("}\n");
    text
}

/// SHA-256 of [`endpoint_text`], in hexadecimal.
pub fn endpoint_hash(contract: &Contract, endpoint: &Endpoint) -> String {
    hex(&Sha256::digest(endpoint_text(contract, endpoint).as_bytes()))
}

/// Bytes in hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A string literal of TypeScript and JSON.
pub fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn bigint_text(width: BigIntWidth, numbers: Numbers) -> &'static str {
    match (width, numbers) {
        (BigIntWidth::Uint64, Numbers::Widths) => "uint64",
        (BigIntWidth::Uint64, Numbers::Plain) | (BigIntWidth::Int64, _) => "bigint",
    }
}

fn number_text(width: NumberWidth, numbers: Numbers) -> &'static str {
    if numbers == Numbers::Plain {
        return "number";
    }
    match width {
        NumberWidth::Int8 => "int8",
        NumberWidth::Int16 => "int16",
        NumberWidth::Int32 => "int32",
        NumberWidth::Uint8 => "uint8",
        NumberWidth::Uint16 => "uint16",
        NumberWidth::Uint32 => "uint32",
        NumberWidth::Float32 => "float32",
        NumberWidth::Float64 => "number",
    }
}
