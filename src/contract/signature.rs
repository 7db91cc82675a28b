//! Types and endpoints as text, and the hash that says whether two endpoints are called alike.

use super::{Contract, Endpoint, NumberWidth, ObjectType, Perms, Ty};
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
        Ty::BigInt => "bigint".to_owned(),
        Ty::Date => "Date".to_owned(),
        Ty::Bytes => "Uint8Array".to_owned(),
        Ty::Enum(values) => values.iter().map(|value| quoted(value)).collect::<Vec<_>>().join(" | "),
        Ty::Array(of) => match **of {
            Ty::Enum(_) | Ty::Nullable(_) | Ty::Optional(_) => format!("({})[]", ty_text(of, numbers)),
            _ => format!("{}[]", ty_text(of, numbers)),
        },
        Ty::Object(name) => name.clone(),
        Ty::Nullable(of) => format!("{} | null", ty_text(of, numbers)),
        Ty::Optional(of) => format!("{} | undefined", ty_text(of, numbers)),
        Ty::Void => "void".to_owned(),
    }
}

/// `name: string, after?: string`
pub fn params_text(endpoint: &Endpoint, numbers: Numbers) -> String {
    let param = |param: &super::Param| {
        let mark = if param.optional { "?" } else { "" };
        format!("{}{mark}: {}", param.name, ty_text(&param.ty, numbers))
    };
    endpoint.params.iter().map(param).collect::<Vec<_>>().join(", ")
}

/// Keys of the object types that a type consists of, in order.
pub fn object_keys<'a>(contract: &Contract, types: impl IntoIterator<Item = &'a Ty>) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut open: Vec<&str> = types.into_iter().filter_map(Ty::object).collect();
    while let Some(key) = open.pop() {
        if found.insert(key.to_owned())
            && let Some(object) = contract.types.get(key)
        {
            open.extend(object.fields.iter().filter_map(|field| field.ty.object()));
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
