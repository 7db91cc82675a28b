//! The client half: stub modules, their index, and the pinned connection. That no endpoint is called like another export
//! of the index is the contract's check's business.
//!
//! ```text
//! export async function sign(…) {…}   →   export const sign = kontract.endpoint({ name: "sign", route: 0x…, … })
//! ```

use super::codec::{Side, codec_names};
use super::paths::{client_path, exported, stub_path};
use super::schema::WireSchema;
use super::{Pins, StubInput};
use crate::artifact::specifier;
use crate::contract::{Contract, Endpoint, Perms};
use crate::emit::build::{
    GENERATED, array, boolean, call, constant, export_const, export_default, export_names, hex, ident,
    import_named, is_binding_name, is_identifier_name, member, module_text, number, object, string,
};
use crate::source::Sources;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use kontract_wire::route::RouteId;
use std::collections::{BTreeMap, BTreeSet};
use swc_ecma_ast::{Expr, ModuleItem};

/// `kontract.js`: the one connection, with everything pinned that nothing negotiates.
pub(super) fn connection_text(pins: &Pins) -> String {
    let text = |bytes: &[u8]| string(&URL_SAFE_NO_PAD.encode(bytes));
    let key =
        |key: &super::PinnedKey| object([("x25519", text(&key.x25519)), ("mlkem", text(&key.mlkem768))]);
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
    let mut modules: BTreeMap<String, (Vec<usize>, &str)> = BTreeMap::new();
    for (index, endpoint) in contract.endpoints.iter().enumerate() {
        modules.entry(client_path(sources, input, endpoint.binding.file)).or_default().0.push(index);
    }
    for (path, statements) in input.client_modules {
        modules.entry(stub_path(path)).or_default().1 = statements;
    }
    let text = |(path, (endpoints, statements)): (String, (Vec<usize>, &str))| {
        let items = stub_items(contract, schema, &endpoints, &path, statements);
        let head = if items.is_empty() { GENERATED.to_owned() } else { module_text(items) };
        (path, head + statements)
    };
    modules.into_iter().map(text).collect()
}

/// `index.js`: every endpoint, all of them as `api`, and the connection.
pub(super) fn index_text(contract: &Contract, sources: &Sources, input: &StubInput<'_>) -> String {
    let mut items = vec![import_named([("kontract", "kontract")], "./kontract.js")];
    let mut stubs = Vec::new();
    for (index, endpoint) in contract.endpoints.iter().enumerate() {
        let source = specifier("index.js", &client_path(sources, input, endpoint.binding.file));
        let (export, method) = exported(&endpoint.binding);
        let (local, class) = (format!("e{index}"), format!("c{index}"));
        match method {
            Some(method) => {
                items.push(import_named([(export, class.as_str())], &source));
                stubs.push(constant(&local, member(ident(&class), method)).into());
            }
            None => items.push(import_named([(export, local.as_str())], &source)),
        }
    }
    items.extend(stubs);
    let locals: Vec<String> = (0..contract.endpoints.len()).map(|index| format!("e{index}")).collect();
    let named = || contract.endpoints.iter().map(|e| e.name.as_str()).zip(locals.iter().map(String::as_str));
    let identifiers = named().filter(|(name, _)| is_identifier_name(name));
    let exports = identifiers.map(|(name, local)| (local, name)).chain([("kontract", "kontract")]);
    items.push(export_names(exports));
    items.push(export_const("api", object(named().map(|(name, local)| (name, ident(local))))));
    module_text(items)
}

fn stub_items(
    contract: &Contract,
    schema: &WireSchema,
    endpoints: &[usize],
    path: &str,
    statements: &str,
) -> Vec<ModuleItem> {
    if endpoints.is_empty() {
        return Vec::new();
    }
    let exports: BTreeSet<&str> =
        endpoints.iter().map(|index| exported(&contract.endpoints[*index].binding).0).collect();
    let fresh = |name: &str| {
        let mut name = name.to_owned();
        while statements.contains(&name) || exports.contains(name.as_str()) {
            name.push('$');
        }
        name
    };
    let connection = fresh("kontract");
    let mut imports = Vec::new();
    let mut stubs: BTreeMap<&str, Stub<'_>> = BTreeMap::new();
    for index in endpoints {
        let endpoint = &contract.endpoints[*index];
        let names = codec_names(schema, *index, Side::Client);
        let (encode, decode) = (fresh(&names.encode), fresh(&names.decode));
        let value = stub_value(endpoint, &connection, &encode, &decode);
        imports.extend([(names.encode, encode), (names.decode, decode)]);
        match exported(&endpoint.binding) {
            (export, None) => stubs.insert(export, Stub::Function(value)),
            (class, Some(method)) => match stubs.entry(class).or_insert_with(|| Stub::Class(Vec::new())) {
                Stub::Class(methods) => {
                    methods.push((method, value));
                    None
                }
                Stub::Function(_) => None,
            },
        };
    }
    let mut items = vec![
        import_named([("kontract", connection.as_str())], &specifier(path, "kontract.js")),
        import_named(imports.iter().map(|(a, b)| (a.as_str(), b.as_str())), &specifier(path, "codecs.js")),
    ];
    for (place, (export, stub)) in stubs.into_iter().enumerate() {
        let value = match stub {
            Stub::Function(value) => value,
            Stub::Class(methods) => object(methods),
        };
        items.extend(export_stub(export, value, &fresh(&format!("{LOCAL}{place}"))));
    }
    items
}

/// What takes the place of an export.
enum Stub<'a> {
    /// A function that is an endpoint.
    Function(Expr),
    /// A class with static methods that are.
    Class(Vec<(&'a str, Expr)>),
}

/// A declaration under the name by which the module exports it; through a local name where none can be declared.
fn export_stub(export: &str, value: Expr, local: &str) -> Vec<ModuleItem> {
    match export {
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

/// Binding of a stub that is exported under a name which cannot be declared.
const LOCAL: &str = "endpoint";
