//! The client half: stub modules, their index, and the pinned connection. That no endpoint is called like another export
//! of the index is the contract's check's business.
//!
//! ```text
//! export async function sign(…) {…}   →   export const sign = kontract.endpoint({ name: "sign", route: 0x…, … })
//! ```

use super::codec::{Side, codec_names, lazy_name};
use super::paths::{client_path, stub_path};
use super::schema::WireSchema;
use super::{Pins, StubInput};
use crate::artifact::specifier;
use crate::contract::{Contract, Endpoint, Perms, UploadKind};
use crate::emit::build::{
    GENERATED, array, arrow, boolean, call, call_pure, constant, element, export_const, export_default,
    export_names, hex, ident, import_named, is_binding_name, is_identifier_name, member, module_text, number,
    object, string,
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
        export_const("kontract", call_pure(ident("createClient"), vec![options])),
    ])
}

/// `kontract.js` for page code in the Worker, where endpoints are called without a connection.
pub(super) fn direct_text() -> String {
    let names = [("kontract", "kontract")];
    module_text(vec![import_named(names, "kontract/server"), export_names(names)])
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
    for (path, rest) in input.client_modules {
        modules.entry(stub_path(path)).or_default().1 = &rest.statements;
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
        let (local, holder) = (format!("e{index}"), format!("c{index}"));
        let binding = &endpoint.binding;
        if binding.members.is_empty() {
            items.push(import_named([(binding.export.as_str(), local.as_str())], &source));
        } else {
            items.push(import_named([(binding.export.as_str(), holder.as_str())], &source));
            let stub = binding.members.iter().fold(ident(&holder), |object, name| member(object, name));
            stubs.push(constant(&local, stub).into());
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

/// `lazy.js`: the endpoints with results that can be read where they are looked at. A module of its own, so that a page that
/// imports nothing of it carries nothing of it.
pub(super) fn lazy_text(contract: &Contract, schema: &WireSchema) -> String {
    let named = contract.endpoints.iter().enumerate().filter(|(_, e)| is_identifier_name(&e.name));
    let lazy: Vec<(usize, &Endpoint, String)> = named
        .filter(|(_, endpoint)| !endpoint.is_streamed())
        .filter_map(|(index, endpoint)| Some((index, endpoint, lazy_name(schema, index)?)))
        .collect();
    if lazy.is_empty() {
        return module_text(vec![export_names([])]);
    }
    let (mut encoders, mut decoders, mut stubs, mut exports) = (vec![], vec![], vec![], vec![]);
    for (index, endpoint, decode) in lazy {
        let encode = codec_names(schema, index, Side::Client).encode;
        let value = stub_value(endpoint, ("kontract", "streamed", "uploading"), &encode, &decode);
        let local = format!("e{index}");
        stubs.push(constant(&local, value).into());
        exports.push((local, endpoint.name.as_str()));
        encoders.push(encode);
        decoders.push(decode);
    }
    let import = |names: &[String], source: &str| {
        import_named(names.iter().map(|name| (name.as_str(), name.as_str())), source)
    };
    let mut items = vec![
        import_named([("kontract", "kontract")], "./kontract.js"),
        import(&encoders, "./codecs.js"),
        import(&decoders, "./lazy-codecs.js"),
    ];
    if contract.endpoints.iter().any(|endpoint| !endpoint.uploads().is_empty()) {
        items.push(import_named([("uploading", "uploading")], "kontract/client"));
    }
    items.extend(stubs);
    items.push(export_names(exports.iter().map(|(local, name)| (local.as_str(), *name))));
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
        endpoints.iter().map(|index| contract.endpoints[*index].binding.export.as_str()).collect();
    let fresh = |name: &str| {
        let mut name = name.to_owned();
        while statements.contains(&name) || exports.contains(name.as_str()) {
            name.push('$');
        }
        name
    };
    let connection = fresh("kontract");
    let streamed = fresh("streamed");
    let uploading = fresh("uploading");
    let mut imports = Vec::new();
    let mut stubs: BTreeMap<&str, Stub<'_>> = BTreeMap::new();
    for index in endpoints {
        let endpoint = &contract.endpoints[*index];
        let names = codec_names(schema, *index, Side::Client);
        let (encode, decode) = (fresh(&names.encode), fresh(&names.decode));
        let value = stub_value(endpoint, (&connection, &streamed, &uploading), &encode, &decode);
        imports.extend([(names.encode, encode), (names.decode, decode)]);
        let binding = &endpoint.binding;
        let path: Vec<&str> = binding.members.iter().map(String::as_str).collect();
        stubs.entry(&binding.export).or_default().put(&path, value);
    }
    let mut items = vec![
        import_named([("kontract", connection.as_str())], &specifier(path, "kontract.js")),
        import_named(imports.iter().map(|(a, b)| (a.as_str(), b.as_str())), &specifier(path, "codecs.js")),
    ];
    if endpoints.iter().any(|index| contract.endpoints[*index].is_streamed()) {
        items.push(import_named([("streamed", streamed.as_str())], "kontract/client"));
    }
    if endpoints.iter().any(|index| !contract.endpoints[*index].uploads().is_empty()) {
        items.push(import_named([("uploading", uploading.as_str())], "kontract/client"));
    }
    for (place, (export, stub)) in stubs.into_iter().enumerate() {
        items.extend(export_stub(export, stub.value(), &fresh(&format!("{LOCAL}{place}"))));
    }
    items
}

/// What takes the place of an export: a stub, or an object with the stubs of a class, namespace or object.
#[derive(Default)]
struct Stub<'a> {
    own: Option<Expr>,
    members: Vec<(&'a str, Stub<'a>)>,
}

impl<'a> Stub<'a> {
    fn put(&mut self, path: &[&'a str], value: Expr) {
        let Some((name, rest)) = path.split_first() else {
            self.own = Some(value);
            return;
        };
        let place = match self.members.iter().position(|(member, _)| member == name) {
            Some(place) => place,
            None => {
                self.members.push((name, Self::default()));
                self.members.len() - 1
            }
        };
        self.members[place].1.put(rest, value);
    }

    fn value(self) -> Expr {
        let members: Vec<(&str, Expr)> =
            self.members.into_iter().map(|(name, member)| (name, member.value())).collect();
        match self.own {
            Some(own) if members.is_empty() => own,
            // A function and a namespace of one name.
            Some(own) => call(member(ident("Object"), "assign"), vec![own, object(members)]),
            None => object(members),
        }
    }
}

/// A declaration under the name by which the module exports it; through a local name where none can be declared.
fn export_stub(export: &str, value: Expr, local: &str) -> Vec<ModuleItem> {
    match export {
        "default" => vec![export_default(value)],
        export if is_binding_name(export) => vec![export_const(export, value)],
        export => vec![constant(local, value).into(), export_names([(local, export)])],
    }
}

fn stub_value(
    endpoint: &Endpoint,
    (connection, streamed, uploading): (&str, &str, &str),
    encode: &str,
    decode: &str,
) -> Expr {
    let mut options = vec![
        ("name", string(&endpoint.name)),
        ("route", hex(RouteId::of(&endpoint.name).as_u32())),
        ("readOnly", boolean(is_read_only(endpoint))),
        ("encode", encoder(endpoint, encode)),
        ("decode", ident(decode)),
    ];
    if endpoint.is_streamed() {
        options.push(("stream", ident(streamed)));
    }
    let uploads = endpoint.uploads();
    if !uploads.is_empty() {
        let index = |(index, _): &(usize, UploadKind)| number(u32::try_from(*index).unwrap_or(u32::MAX));
        options.push(("upload", call(ident(uploading), vec![array(uploads.iter().map(index).collect())])));
    }
    call_pure(member(ident(connection), "endpoint"), vec![object(options)])
}

/// The encoder; of further arguments it is given one array.
fn encoder(endpoint: &Endpoint, encode: &str) -> Expr {
    let at = |index: usize| element(ident("args"), number(u32::try_from(index).unwrap_or(u32::MAX)));
    match endpoint.params.split_last() {
        Some((last, before)) if last.rest => {
            let further = call(
                member(ident("args"), "slice"),
                vec![number(u32::try_from(before.len()).unwrap_or(u32::MAX))],
            );
            let given = (0..before.len()).map(at).chain([further]).collect();
            arrow(&["args"], call(ident(encode), vec![array(given)]))
        }
        Some(_) | None => ident(encode),
    }
}

/// Whether an endpoint can change nothing, so that it may be repeated and sent as early data.
pub(super) fn is_read_only(endpoint: &Endpoint) -> bool {
    endpoint.options.perm.intersection(Perms::W.union(Perms::X)) == Perms::NONE
}

/// Binding of a stub that is exported under a name which cannot be declared.
const LOCAL: &str = "endpoint";
