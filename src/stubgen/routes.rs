//! The server half's tables of contents: routes by id, one lazily loaded module each, and the storage tables.
//!
//! ```text
//! sign, whose chain is `chain1` of middleware.js   →   run: (ctx, args) => mw1(ctx, () => m.sign(...args))
//! ```

use super::client::is_read_only;
use super::codec::{Side, codec_names};
use super::paths::module_stem;
use super::rows::row_forms;
use super::schema::WireSchema;
use super::{ChainRef, StubError, StubInput};
use crate::artifact::specifier;
use crate::contract::{Contract, Endpoint, MAX_BYTES_DEFAULT, Perms, Scope, Table, UploadKind};
use crate::emit::build::{
    array, arrow, boolean, call, call_spread, call_with_rest, constant, element, export_const, export_names,
    ident, import_call, import_named, import_namespace, is_binding_name, member, module_text, new, null,
    number, object, object_by_number, string,
};
use crate::source::{FileId, Sources};
use kontract_wire::route::RouteId;
use std::collections::{BTreeMap, BTreeSet};
use swc_ecma_ast::{Expr, ModuleItem};

/// `routes/<module>.js` for each source module with endpoints.
pub(super) fn module_texts(
    contract: &Contract,
    sources: &Sources,
    schema: &WireSchema,
    input: &StubInput<'_>,
) -> BTreeMap<String, String> {
    let files: BTreeSet<FileId> = contract.endpoints.iter().map(|endpoint| endpoint.binding.file).collect();
    let text = |file: FileId| {
        let path = route_path(sources, input, file);
        let items = module_items(contract, sources, schema, input, file, &path);
        (path, module_text(items))
    };
    files.into_iter().map(text).collect()
}

/// `routes.js`
pub(super) fn routes_text(contract: &Contract, sources: &Sources, input: &StubInput<'_>) -> String {
    let files: BTreeSet<FileId> = contract.endpoints.iter().map(|endpoint| endpoint.binding.file).collect();
    let names: BTreeMap<FileId, String> =
        files.into_iter().zip(0_u32..).map(|(file, place)| (file, format!("r{place}"))).collect();
    let mut routes: Vec<(u32, Expr)> = contract
        .endpoints
        .iter()
        .map(|endpoint| (RouteId::of(&endpoint.name).as_u32(), route(sources, input, endpoint, &names)))
        .collect();
    routes.sort_by_key(|(id, _)| *id);
    let mut items = Vec::new();
    if input.eager {
        items.extend(
            names.iter().map(|(file, name)| {
                import_namespace(name, &format!("./{}", route_path(sources, input, *file)))
            }),
        );
    }
    items.push(export_const("routes", object_by_number(routes)));
    module_text(items)
}

/// `pages.js`: how the Worker loads what draws pages. Generated code lies two folders below the project.
pub(super) fn pages_text(pages: Option<&str>) -> String {
    let load = pages.map(|path| arrow(&[], import_call(&format!("../../{path}"))));
    module_text(vec![export_const("pages", load.unwrap_or_else(|| ident("undefined")))])
}

/// `tables.js`
pub(super) fn tables_text(contract: &Contract, input: &StubInput<'_>) -> Result<String, StubError> {
    let table = |table: &'_ Table| {
        let no_ptr = || StubError::NoPtr { name: table.name.clone(), location: table.location };
        let ptr = input.ptrs.get(&table.name).ok_or_else(no_ptr)?;
        Ok((table.name.clone(), table_entry(contract, table, ptr)))
    };
    let tables: Vec<(String, Expr)> = contract.tables.iter().map(table).collect::<Result<_, StubError>>()?;
    let value = object(tables.iter().map(|(name, value)| (name.as_str(), value.clone())));
    Ok(module_text(vec![export_const("tables", value)]))
}

fn route_path(sources: &Sources, input: &StubInput<'_>, file: FileId) -> String {
    format!("routes/{}.js", module_stem(sources, input, file))
}

fn source_path(sources: &Sources, input: &StubInput<'_>, file: FileId) -> String {
    format!("src/{}.js", module_stem(sources, input, file))
}

/// A route: its policy, and how its module is loaded. `names` are what eagerly loaded modules are bound to.
fn route(
    sources: &Sources,
    input: &StubInput<'_>,
    endpoint: &Endpoint,
    names: &BTreeMap<FileId, String>,
) -> Expr {
    let file = endpoint.binding.file;
    let loaded = match names.get(&file).filter(|_| input.eager) {
        Some(name) => member(ident(name), &endpoint.name),
        None => {
            let module = import_call(&format!("./{}", route_path(sources, input, file)));
            call(member(module, "then"), vec![arrow(&["m"], member(ident("m"), &endpoint.name))])
        }
    };
    let options = &endpoint.options;
    let mut entry = vec![
        ("name", string(&endpoint.name)),
        ("perm", number(options.perm.bits().into())),
        ("ugroup", options.ugroup.as_deref().map_or_else(null, string)),
        ("readOnly", boolean(is_read_only(endpoint))),
    ];
    if endpoint.is_streamed() {
        entry.push(("stream", boolean(true)));
    }
    let uploads = endpoint.uploads();
    if !uploads.is_empty() {
        let pair =
            |(index, kind): &(usize, UploadKind)| array(vec![index_number(*index), string(kind.as_str())]);
        entry.push(("uploads", array(uploads.iter().map(pair).collect())));
    }
    if let Some(bytes) = options.max_bytes.filter(|bytes| *bytes != MAX_BYTES_DEFAULT) {
        entry.push(("maxBytes", number(bytes)));
    }
    entry.push(("load", arrow(&[], loaded)));
    object(entry)
}

fn module_items(
    contract: &Contract,
    sources: &Sources,
    schema: &WireSchema,
    input: &StubInput<'_>,
    file: FileId,
    path: &str,
) -> Vec<ModuleItem> {
    let endpoints: Vec<(usize, &Endpoint)> =
        contract.endpoints.iter().enumerate().filter(|(_, e)| e.binding.file == file).collect();
    let used: BTreeSet<&ChainRef> =
        endpoints.iter().filter_map(|(index, _)| input.chains.get(index)).collect();
    let chains: BTreeMap<&ChainRef, String> =
        used.into_iter().zip(1..).map(|(chain, n): (&ChainRef, u32)| (chain, format!("mw{n}"))).collect();

    let mut items = vec![import_namespace("m", &specifier(path, &source_path(sources, input, file)))];
    let mut by_module: BTreeMap<&str, Vec<(&str, &str)>> = BTreeMap::new();
    for (chain, binding) in &chains {
        by_module.entry(&chain.module).or_default().push((&chain.export, binding));
    }
    for (module, names) in by_module {
        items.push(import_named(names, &specifier(path, &format!("src/{module}"))));
    }
    let names: Vec<_> =
        endpoints.iter().map(|(index, _)| codec_names(schema, *index, Side::Server)).collect();
    let imported = names.iter().flat_map(|names| [names.decode.as_str(), names.encode.as_str()]);
    items.push(import_named(imported.map(|name| (name, name)), &specifier(path, "codecs.js")));
    let locals = (0..endpoints.len()).map(|place| format!("e{place}"));
    let codecs = names.iter().flat_map(|names| [names.decode.clone(), names.encode.clone()]);
    let taken: BTreeSet<String> =
        locals.chain(codecs).chain(chains.values().cloned()).chain(["m".to_owned()]).collect();
    for (place, (index, endpoint)) in endpoints.iter().enumerate() {
        let handler = handler(endpoint);
        let run = match input.chains.get(index).and_then(|chain| chains.get(chain)) {
            Some(chain) => call(ident(chain), vec![ident("ctx"), arrow(&[], handler)]),
            None => handler,
        };
        let value = object([
            ("decode", ident(&names[place].decode)),
            ("encode", ident(&names[place].encode)),
            ("run", arrow(&["ctx", "args"], run)),
        ]);
        items.extend(export_endpoint(place, &endpoint.name, value, &taken));
    }
    items
}

/// `m.sign(...args)`, `m.Api.sign(...args)`, and for a method of an instance `new m.Book().sign(...args)`: whatever a
/// call leaves in `this` is gone with it.
fn handler(endpoint: &Endpoint) -> Expr {
    let binding = &endpoint.binding;
    let mut callee = member(ident("m"), &binding.export);
    for (depth, name) in binding.members.iter().enumerate() {
        if binding.instance && depth + 1 == binding.members.len() {
            callee = new(callee, Vec::new());
        }
        callee = member(callee, name);
    }
    match endpoint.params.last() {
        // The decoder gives further arguments as one array.
        Some(last) if last.rest => {
            let before =
                (0..endpoint.params.len() - 1).map(|index| element(ident("args"), index_number(index)));
            let further = element(ident("args"), index_number(endpoint.params.len() - 1));
            call_with_rest(callee, before.collect(), further)
        }
        Some(_) | None => call_spread(callee, ident("args")),
    }
}

/// An endpoint's object under its name; through a local one where that name is taken or no identifier.
fn export_endpoint(place: usize, name: &str, value: Expr, taken: &BTreeSet<String>) -> Vec<ModuleItem> {
    let local = format!("e{place}");
    if is_binding_name(name) && !taken.contains(name) {
        return vec![export_const(name, value)];
    }
    vec![constant(&local, value).into(), export_names([(local.as_str(), name)])]
}

fn table_entry(contract: &Contract, table: &Table, ptr: &str) -> Expr {
    let fields = contract.types.get(&table.entity).map_or(&[][..], |entity| &entity.fields);
    let names = |pick: &dyn Fn(&crate::contract::Field) -> bool| {
        array(fields.iter().filter(|field| pick(field)).map(|field| string(&field.name)).collect())
    };
    let perms = fields.iter().filter_map(|field| Some((field.name.as_str(), field.perm?)));
    object([
        ("ptr", string(ptr)),
        ("key", string(&table.key)),
        ("scope", string(scope_text(table.scope))),
        ("readonly", names(&|field| is_read_only_field(field.perm, field.readonly))),
        ("unique", names(&|field| field.unique)),
        ("perms", object(perms.map(|(name, perm)| (name, number(perm.bits().into()))))),
        ("row", row_forms(contract, &table.entity)),
    ])
}

/// Whether a field keeps the value it was inserted with.
pub(super) fn is_read_only_field(perm: Option<Perms>, readonly: bool) -> bool {
    readonly || perm.is_some_and(|perm| !perm.contains(Perms::W))
}

/// `shared`, `owner` or `tenant`.
pub(super) fn scope_text(scope: Scope) -> &'static str {
    match scope {
        Scope::Shared => "shared",
        Scope::Owner => "owner",
        Scope::Tenant => "tenant",
    }
}

fn index_number(index: usize) -> Expr {
    number(u32::try_from(index).unwrap_or(u32::MAX))
}
