//! The server half's tables of contents: routes by id, one lazily loaded module each, and the storage tables.
//!
//! ```text
//! sign, whose chain is `chain1` of middleware.js   →   run: (ctx, args) => mw1(ctx, () => m.sign(...args))
//! ```

use super::client::is_read_only;
use super::codec::{Side, codec_names};
use super::paths::{exported, module_stem};
use super::schema::WireSchema;
use super::{ChainRef, StubError, StubInput};
use crate::artifact::specifier;
use crate::contract::{BigIntWidth, Contract, Endpoint, Perms, Scope, Table, Ty};
use crate::emit::build::{
    array, arrow, boolean, call, call_spread, constant, export_const, export_names, ident, import_call,
    import_named, import_namespace, is_binding_name, member, module_text, null, number, object,
    object_by_number, string,
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
    let mut routes: Vec<(u32, Expr)> = contract
        .endpoints
        .iter()
        .map(|endpoint| (RouteId::of(&endpoint.name).as_u32(), route(sources, input, endpoint)))
        .collect();
    routes.sort_by_key(|(id, _)| *id);
    module_text(vec![export_const("routes", object_by_number(routes))])
}

/// `tables.js`
pub(super) fn tables_text(contract: &Contract, input: &StubInput<'_>) -> Result<String, StubError> {
    let table = |table: &'_ Table| {
        let no_ptr = || StubError::NoPtr { name: table.name.clone(), location: table.location };
        let ptr = input.ptrs.get(&table.name).ok_or_else(no_ptr)?;
        Ok((table.name.clone(), table_entry(contract, table, ptr)?))
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

fn route(sources: &Sources, input: &StubInput<'_>, endpoint: &Endpoint) -> Expr {
    let module = import_call(&format!("./{}", route_path(sources, input, endpoint.binding.file)));
    let pick = arrow(&["m"], member(ident("m"), &endpoint.name));
    let options = &endpoint.options;
    object([
        ("name", string(&endpoint.name)),
        ("perm", number(options.perm.bits().into())),
        ("ugroup", options.ugroup.as_deref().map_or_else(null, string)),
        ("readOnly", boolean(is_read_only(endpoint))),
        ("load", arrow(&[], call(member(module, "then"), vec![pick]))),
    ])
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
        let (export, method) = exported(&endpoint.binding);
        let export = member(ident("m"), export);
        let callee = match method {
            Some(method) => member(export, method),
            None => export,
        };
        let handler = call_spread(callee, ident("args"));
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

/// An endpoint's object under its name; through a local one where that name is taken or no identifier.
fn export_endpoint(place: usize, name: &str, value: Expr, taken: &BTreeSet<String>) -> Vec<ModuleItem> {
    let local = format!("e{place}");
    if is_binding_name(name) && !taken.contains(name) {
        return vec![export_const(name, value)];
    }
    vec![constant(&local, value).into(), export_names([(local.as_str(), name)])]
}

fn table_entry(contract: &Contract, table: &Table, ptr: &str) -> Result<Expr, StubError> {
    let fields = contract.types.get(&table.entity).map_or(&[][..], |entity| &entity.fields);
    let names = |pick: &dyn Fn(&crate::contract::Field) -> bool| {
        array(fields.iter().filter(|field| pick(field)).map(|field| string(&field.name)).collect())
    };
    let perms = fields.iter().filter_map(|field| Some((field.name.as_str(), field.perm?)));
    let paths = |wanted: &Ty| -> Result<Expr, StubError> {
        Ok(array(typed_paths(contract, table, wanted)?.iter().map(|path| string(path)).collect()))
    };
    Ok(object([
        ("ptr", string(ptr)),
        ("key", string(&table.key)),
        ("scope", string(scope_text(table.scope))),
        ("readonly", names(&|field| is_read_only_field(field.perm, field.readonly))),
        ("unique", names(&|field| field.unique)),
        ("perms", object(perms.map(|(name, perm)| (name, number(perm.bits().into()))))),
        ("dates", paths(&Ty::Date)?),
        ("bigints", paths(&Ty::BigInt(BigIntWidth::Int64))?),
        ("bytes", paths(&Ty::Bytes)?),
    ]))
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

/// Paths of the values of one type in a row, which JSON has no form for: `createdAt`, `edits[].at`. A type that contains
/// itself is followed once.
fn typed_paths(contract: &Contract, table: &Table, wanted: &Ty) -> Result<Vec<String>, StubError> {
    let mut paths = Vec::new();
    let mut open = vec![(String::new(), vec![table.entity.as_str()])];
    let mut visited = 0;
    while let Some((prefix, above)) = open.pop() {
        visited += 1;
        if visited > NESTED_TYPES_MAX {
            return Err(StubError::RowTooNested { name: table.name.clone(), location: table.location });
        }
        let object = above.last().and_then(|key| contract.types.get(*key));
        for field in object.map_or(&[][..], |object| &object.fields) {
            let (path, inner) = inner_path(format!("{prefix}{}", field.name), &field.ty);
            if inner == wanted {
                paths.push(path);
            } else if let Ty::Object(next) = inner
                && !above.contains(&next.as_str())
            {
                open.push((format!("{path}."), above.iter().copied().chain([next.as_str()]).collect()));
            }
        }
    }
    paths.sort();
    Ok(paths)
}

fn inner_path(path: String, ty: &Ty) -> (String, &Ty) {
    match ty {
        Ty::Array(of) => inner_path(format!("{path}[]"), of),
        Ty::Nullable(of) | Ty::Optional(of) => inner_path(path, of),
        _ => (path, ty),
    }
}

/// Places at which object types may be nested in one row.
const NESTED_TYPES_MAX: usize = 10_000;
