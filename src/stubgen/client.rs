//! The client half: stub modules, their index, and the pinned connection.
//!
//! ```text
//! export async function sign(…) {…}   →   export const sign = kontract.endpoint({ name: "sign", route: 0x…, … })
//! ```

use super::codec::{Side, codec_names};
use super::paths::client_stem;
use super::schema::WireSchema;
use super::{Pins, StubError, StubInput};
use crate::artifact::specifier;
use crate::contract::{CheckedContract, Contract, Endpoint, Perms};
use crate::emit::build::{
    GENERATED, array, boolean, call, constant, export_const, export_default, export_names, hex, ident,
    import_named, is_binding_name, is_identifier_name, member, module_text, number, object, string,
};
use crate::source::{FileId, Sources};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use kontract_wire::route::RouteId;
use std::collections::{BTreeMap, BTreeSet};
use swc_ecma_ast::{Expr, ModuleItem};

/// Refuses endpoint names that mean something else in the client.
pub(super) fn check_names(contract: &CheckedContract) -> Result<(), StubError> {
    let reserved = |endpoint: &&Endpoint| RESERVED_NAMES.contains(&endpoint.name.as_str());
    match contract.contract().endpoints.iter().find(reserved) {
        Some(e) => Err(StubError::ReservedName { name: e.name.clone(), location: e.location }),
        None => Ok(()),
    }
}

/// `kontract.js`: the one connection, with everything pinned that nothing negotiates.
pub(super) fn connection_text(pins: &Pins) -> String {
    let text = |bytes: &[u8]| string(&URL_SAFE_NO_PAD.encode(bytes));
    let key =
        |key: &super::PinnedKey| object([("x25519", text(&key.x25519)), ("mlkem768", text(&key.mlkem768))]);
    let options = object([
        ("suite", number(pins.suite.into())),
        ("buildId", text(&pins.identity.build_id)),
        ("routeHash", text(&pins.identity.route_hash)),
        ("keys", array(pins.keys.iter().map(key).collect())),
    ]);
    module_text(vec![
        import_named([("createClient", "createClient")], "kontract/client"),
        export_const("kontract", call(ident("createClient"), vec![options])),
    ])
}

/// Every stub module: those with endpoints, and those of which something else is left for the client.
pub(super) fn stub_texts(
    contract: &Contract,
    sources: &Sources,
    schema: &WireSchema,
    input: &StubInput<'_>,
) -> BTreeMap<String, String> {
    let with_endpoints = contract.endpoints.iter().map(|endpoint| endpoint.binding.file);
    let files: BTreeSet<FileId> = with_endpoints.chain(input.client_modules.keys().copied()).collect();
    let text = |file: FileId| {
        let path = format!("{}.js", client_stem(sources, input, file));
        let rest = input.client_modules.get(&file).map_or("", String::as_str);
        let items = stub_items(contract, schema, file, &path, rest);
        let head = if items.is_empty() { GENERATED.to_owned() } else { module_text(items) };
        (path, head + rest)
    };
    files.into_iter().map(text).collect()
}

/// `index.js`: every endpoint, all of them as `api`, and the connection.
pub(super) fn index_text(contract: &Contract, sources: &Sources, input: &StubInput<'_>) -> String {
    let mut items = vec![import_named([("kontract", "kontract")], "./kontract.js")];
    let locals: Vec<String> = (0..contract.endpoints.len()).map(|index| format!("e{index}")).collect();
    for (endpoint, local) in contract.endpoints.iter().zip(&locals) {
        let source = format!("./{}.js", client_stem(sources, input, endpoint.binding.file));
        items.push(import_named([(endpoint.binding.export.as_str(), local.as_str())], &source));
    }
    let named = || contract.endpoints.iter().zip(&locals);
    let exported = named().filter(|(endpoint, _)| is_identifier_name(&endpoint.name));
    items.push(export_names(
        exported
            .map(|(endpoint, local)| (local.as_str(), endpoint.name.as_str()))
            .chain([("kontract", "kontract")]),
    ));
    items.push(export_const(
        "api",
        object(named().map(|(endpoint, local)| (endpoint.name.as_str(), ident(local)))),
    ));
    module_text(items)
}

fn stub_items(
    contract: &Contract,
    schema: &WireSchema,
    file: FileId,
    path: &str,
    rest: &str,
) -> Vec<ModuleItem> {
    let endpoints: Vec<_> =
        contract.endpoints.iter().enumerate().filter(|(_, e)| e.binding.file == file).collect();
    if endpoints.is_empty() {
        return Vec::new();
    }
    let taken = |name: &str| rest.contains(name) || endpoints.iter().any(|(_, e)| e.binding.export == name);
    let fresh = |name: &str| {
        let mut name = name.to_owned();
        while taken(&name) {
            name.push('$');
        }
        name
    };
    let connection = fresh("kontract");
    let mut imports = Vec::new();
    let mut stubs = Vec::new();
    for (index, endpoint) in &endpoints {
        let names = codec_names(schema, *index, Side::Client);
        let (encode, decode) = (fresh(&names.encode), fresh(&names.decode));
        stubs.extend(stub(endpoint, &connection, &encode, &decode, &fresh(LOCAL)));
        imports.extend([(names.encode, encode), (names.decode, decode)]);
    }
    let mut items = vec![
        import_named([("kontract", connection.as_str())], &specifier(path, "kontract.js")),
        import_named(imports.iter().map(|(a, b)| (a.as_str(), b.as_str())), &specifier(path, "codecs.js")),
    ];
    items.extend(stubs);
    items
}

/// The declaration of one stub, under the name by which the module exports the endpoint.
fn stub(endpoint: &Endpoint, connection: &str, encode: &str, decode: &str, local: &str) -> Vec<ModuleItem> {
    let value = stub_value(endpoint, connection, encode, decode);
    match endpoint.binding.export.as_str() {
        "default" => vec![export_default(value)],
        export if is_binding_name(export) => vec![export_const(export, value)],
        export => vec![constant(local, value).into(), export_names([(local, export)])],
    }
}

fn stub_value(endpoint: &Endpoint, connection: &str, encode: &str, decode: &str) -> Expr {
    let options = object([
        ("name", string(&endpoint.name)),
        ("route", hex(RouteId::of(&endpoint.name).as_u32())),
        ("readOnly", boolean(is_read_only(endpoint))),
        ("encode", ident(encode)),
        ("decode", ident(decode)),
    ]);
    call(member(ident(connection), "endpoint"), vec![options])
}

/// Whether an endpoint can change nothing, so that it may be repeated and sent as early data.
pub(super) fn is_read_only(endpoint: &Endpoint) -> bool {
    endpoint.options.perm.intersection(Perms::W.union(Perms::X)) == Perms::NONE
}

/// `api` and `kontract` are exports of the index; a module or object with `then` is taken for a promise; `__proto__` is
/// no property like others.
const RESERVED_NAMES: &[&str] = &["__proto__", "api", "default", "kontract", "then"];

/// Binding of a stub that is exported under a name which cannot be declared.
const LOCAL: &str = "endpoint";
