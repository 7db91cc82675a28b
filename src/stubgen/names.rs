//! Names in the FlatBuffers schema and in generated code: sanitised, and unique within their scope.

use std::collections::BTreeSet;

/// Hands out identifiers, each at most once.
#[derive(Debug, Default)]
pub(super) struct Names(BTreeSet<String>);

impl Names {
    /// The identifier closest to `wanted` that is not taken yet.
    pub(super) fn unique(&mut self, wanted: &str) -> String {
        let base = identifier(wanted);
        let candidates = std::iter::once(base.clone()).chain((2..).map(|n: u32| format!("{base}_{n}")));
        let free = candidates.into_iter().find(|name| !self.0.contains(name));
        let name = free.expect("invariant: the candidates do not end");
        self.0.insert(name.clone());
        name
    }
}

/// Letters of ASCII, digits and `_`, not starting with a digit, and no word that means something to flatc.
pub(super) fn identifier(name: &str) -> String {
    let mut text: String =
        name.chars().map(|c| if c.is_ascii_alphanumeric() || c == '_' { c } else { '_' }).collect();
    if text.is_empty() || text.starts_with(|c: char| c.is_ascii_digit()) {
        text.insert(0, '_');
    }
    if FBS_WORDS.contains(&text.as_str()) {
        text.push('_');
    }
    text
}

/// `listUsers`, `list_users`, `list-users` → `ListUsers`.
pub(super) fn upper_camel(name: &str) -> String {
    let mut text = String::with_capacity(name.len());
    let mut upper = true;
    for c in name.chars() {
        if !c.is_alphanumeric() {
            upper = true;
        } else if upper {
            text.extend(c.to_uppercase());
            upper = false;
        } else {
            text.push(c);
        }
    }
    text
}

/// Names of flatc's grammar (<https://flatbuffers.dev/grammar/>), which cannot name a type, field or value everywhere.
const FBS_WORDS: &[&str] = &[
    "attribute",
    "bool",
    "byte",
    "double",
    "enum",
    "false",
    "file_extension",
    "file_identifier",
    "float",
    "float32",
    "float64",
    "include",
    "inf",
    "infinity",
    "int",
    "int16",
    "int32",
    "int64",
    "int8",
    "long",
    "namespace",
    "native_include",
    "nan",
    "null",
    "root_type",
    "rpc_service",
    "short",
    "string",
    "struct",
    "table",
    "true",
    "ubyte",
    "uint",
    "uint16",
    "uint32",
    "uint64",
    "uint8",
    "ulong",
    "union",
    "ushort",
];
