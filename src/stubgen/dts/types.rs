//! Types as declarations spell them.
//!
//! ```text
//! (author: string, message?: string): Promise<Entry>
//! ```

use super::enums::ENUMS;
use crate::contract::signature::{Numbers, ty_text};
use crate::contract::{Endpoint, Param, Spelling, TupleElement, Ty};

/// `author: string, message?: string`
pub(super) fn params(endpoint: &Endpoint) -> String {
    let params = &endpoint.params;
    let last_required = params.iter().rposition(|param| !param.optional && !param.rest);
    let element = |(index, param): (usize, &Param)| {
        let ty = ty_text(&nameable(&param.ty, Of::Argument), Numbers::Plain);
        // An optional parameter cannot stand before a required one.
        let before_required = last_required.is_some_and(|last| index < last);
        match (param.optional, before_required) {
            _ if param.rest => format!("...{}: {ty}", param.name),
            (false, _) => format!("{}: {ty}", param.name),
            (true, false) => format!("{}?: {ty}", param.name),
            (true, true) => format!("{}: {ty} | undefined", param.name),
        }
    };
    params.iter().enumerate().map(element).collect::<Vec<_>>().join(", ")
}

/// What a call gives: a stream is there at once, everything else is awaited.
pub(super) fn result(endpoint: &Endpoint) -> String {
    let ty = text(&endpoint.returns);
    match &endpoint.returns {
        Ty::Stream(_) => ty,
        _ => format!("Promise<{ty}>"),
    }
}

/// A type, with `unknown` for what has no name here.
pub(super) fn text(ty: &Ty) -> String {
    ty_text(&nameable(ty, Of::Value), Numbers::Plain)
}

/// What a type is spelled for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Of {
    /// An argument: callers may give the values of an enum which they cannot import.
    Argument,
    /// Anything else.
    Value,
}

fn nameable(ty: &Ty, of: Of) -> Ty {
    let boxed = |ty: &Ty| Box::new(nameable(ty, of));
    match ty {
        Ty::Dynamic(text) if !has_only_known_names(text) => Ty::Dynamic("unknown".to_owned()),
        Ty::Array(of) => Ty::Array(boxed(of)),
        Ty::Set(of) => Ty::Set(boxed(of)),
        Ty::Record(key, value) => Ty::Record(key.clone(), boxed(value)),
        Ty::Map(key, value) => Ty::Map(boxed(key), boxed(value)),
        Ty::Nullable(of) => Ty::Nullable(boxed(of)),
        Ty::Optional(of) => Ty::Optional(boxed(of)),
        Ty::Stream(of) => Ty::Stream(boxed(of)),
        Ty::Union(members) => Ty::Union(members.iter().map(|member| nameable(member, of)).collect()),
        Ty::Tuple(elements) => Ty::Tuple(
            elements
                .iter()
                .map(|element| TupleElement { ty: nameable(&element.ty, of), ..element.clone() })
                .collect(),
        ),
        Ty::Spelled(inner, spelling) => {
            let plain = ty_text(&nameable(inner, of), Numbers::Plain);
            Ty::Dynamic(match spelling {
                Spelling::Readonly if matches!(inner.bare(), Ty::Map(..) | Ty::Set(_)) => {
                    format!("Readonly{plain}")
                }
                Spelling::Readonly => format!("readonly {plain}"),
                Spelling::Brand(brand) => format!("{plain} & {brand}"),
                Spelling::Enum(path, members) => {
                    let mut texts: Vec<String> =
                        members.iter().map(|member| format!("{ENUMS}.{path}.{member}")).collect();
                    if members.is_empty() {
                        texts.push(format!("{ENUMS}.{path}"));
                    }
                    texts.extend((of == Of::Argument).then_some(plain));
                    texts.join(" | ")
                }
            })
        }
        Ty::String
        | Ty::Boolean
        | Ty::Number(_)
        | Ty::BigInt(_)
        | Ty::Date
        | Ty::Bytes
        | Ty::Null
        | Ty::Literals(_)
        | Ty::Template(_)
        | Ty::Object(_)
        | Ty::Void
        | Ty::Dynamic(_)
        | Ty::ByteStream
        | Ty::Blob
        | Ty::File => ty.clone(),
    }
}

/// Whether a type's own text means the same in another file: it names nothing but what every file knows. A word in front
/// of a colon declares a property or a parameter.
fn has_only_known_names(text: &str) -> bool {
    if text.is_empty() || text.contains(['\'', '"', '`', '/', '=', '\n', '@', '#']) {
        return false;
    }
    let is_word = |char: char| char.is_alphanumeric() || matches!(char, '_' | '$');
    let mut rest = text;
    while let Some(start) = rest.find(is_word) {
        let after_dot = rest[..start].trim_end().ends_with('.');
        let word = &rest[start..];
        let end = word.find(|char| !is_word(char)).unwrap_or(word.len());
        let (word, behind) = word.split_at(end);
        let next = behind.trim_start();
        let declares = next.starts_with(':') || next.starts_with("?:");
        let is_number = word.starts_with(|char: char| char.is_ascii_digit());
        if after_dot || !(declares || is_number || KNOWN.contains(&word)) {
            return false;
        }
        rest = behind;
    }
    true
}

/// Words that mean the same everywhere.
const KNOWN: &[&str] = &[
    "any",
    "bigint",
    "boolean",
    "false",
    "never",
    "null",
    "number",
    "object",
    "readonly",
    "string",
    "symbol",
    "true",
    "undefined",
    "unknown",
    "void",
    "Array",
    "Date",
    "Map",
    "Partial",
    "Promise",
    "Readonly",
    "ReadonlyArray",
    "Record",
    "RegExp",
    "Required",
    "Set",
    "Uint8Array",
];

#[cfg(test)]
mod tests {
    use super::{has_only_known_names, text};
    use crate::contract::{NumberWidth, Ty};

    #[test]
    fn a_text_is_kept_where_it_means_the_same() {
        for kept in ["any", "{ a: string; b?: number[] }", "Record<string, unknown>"] {
            assert!(has_only_known_names(kept), "{kept}");
        }
        for own in [
            "Entry",
            "(x: number) => Entry",
            "T",
            "{ a: Entry }",
            "Node.Kind",
            "typeof x",
            "import('x').Y",
            "",
        ] {
            assert!(!has_only_known_names(own), "{own}");
        }
    }

    #[test]
    fn what_has_no_name_is_unknown_wherever_it_stands() {
        let own = || Box::new(Ty::Dynamic("Own".to_owned()));
        let number = Box::new(Ty::Number(NumberWidth::Int8));
        assert_eq!(text(&Ty::Array(own())), "(unknown)[]");
        assert_eq!(text(&Ty::Map(number, Box::new(Ty::Nullable(own())))), "Map<number, unknown | null>");
    }
}
