//! Declarations: what an editor and `tsc` see of the generated client, and of `ctx` and `env` in server code.
//!
//! ```text
//! export async function sign(name: string): Promise<Entry>
//!   →  export declare const sign: {
//!        (name: string): Promise<Entry>;
//!        with(options: CallOptions): (name: string) => Promise<Entry>;
//!      };
//! ```
//!
//! Flat, so that an editor shows what the user wrote, and with maps, so that it goes there.

mod enums;
mod flat;
mod lazy;
mod map;
mod types;
mod writer;

use super::paths::{client_path, stub_path};
use super::routes::is_read_only_field;
use super::{ClientRest, StubInput};
use crate::artifact::specifier;
use crate::contract::signature::{endpoint_object_keys, object_keys, quoted};
use crate::contract::{Contract, Endpoint, Field, ObjectType, Table, Ty};
use crate::emit::build::{is_binding_name, is_identifier_name};
use crate::source::Sources;
use std::collections::{BTreeMap, BTreeSet};
use types::{params, result, text};
use writer::{Declarations, property};

/// Every declaration of the client and its map, by their paths in it.
pub(super) fn client_texts(
    contract: &Contract,
    sources: &Sources,
    input: &StubInput<'_>,
) -> BTreeMap<String, String> {
    let mut files = vec![("kontract.d.ts".to_owned(), CONNECTION.to_owned())];
    files.extend(index(contract, sources, input).finish(sources, "index.d.ts", CLIENT_DEPTH));
    files.extend(lazy::lazy(contract).finish(sources, "lazy.d.ts", CLIENT_DEPTH));
    let enums = enums::of_clients(contract);
    files.extend(enums.into_iter().flat_map(|out| out.finish(sources, "kontract-enums.d.ts", CLIENT_DEPTH)));
    let mut modules: BTreeMap<String, (Vec<&Endpoint>, Option<&ClientRest>)> = BTreeMap::new();
    let stem = |path: String| path.strip_suffix(".js").map(str::to_owned).unwrap_or(path);
    for endpoint in &contract.endpoints {
        let path = client_path(sources, input, endpoint.binding.file);
        modules.entry(stem(path)).or_default().0.push(endpoint);
    }
    for (path, rest) in input.client_modules {
        modules.entry(stem(stub_path(path))).or_default().1 = Some(rest);
    }
    for (path, (endpoints, rest)) in modules {
        let depth = CLIENT_DEPTH + path.matches('/').count();
        let mut out = if endpoints.is_empty() { Declarations::new() } else { stub(contract, &endpoints) };
        if let Some(rest) = rest {
            out.flat(&rest.declarations);
            out.verbatim(&rest.passed);
        }
        files.extend(out.finish(sources, &format!("{path}.d.ts"), depth));
    }
    files.into_iter().collect()
}

/// `types.d.ts` and its map: the globals of server code. Row types are declared in a namespace of their own, so that they
/// cannot clash with the user's.
pub(super) fn ambient_texts(contract: &Contract, sources: &Sources) -> Vec<(String, String)> {
    let mut out = Declarations::new();
    out.verbatim(AMBIENT_HEAD);
    let enums = contract.enums_of_tables();
    if !enums.is_empty() {
        out.open(&format!("declare namespace {} {{", enums::NAMESPACE));
        out.enums(contract, &enums, "");
        out.close("}");
    }
    out.open("declare namespace kontract.rows {");
    let entities = contract.tables.iter().map(|table| Ty::Object(table.entity.clone())).collect::<Vec<_>>();
    for key in object_keys(contract, &entities) {
        if let Some(object) = contract.types.get(&key) {
            out.interface("", &key, object);
        }
    }
    for table in &contract.tables {
        out.patch(contract, table);
    }
    out.close("}");
    out.blank();
    out.open("declare namespace kontract {");
    out.line("/** The tables of this project. */");
    out.open("interface Storage {");
    for table in &contract.tables {
        out.storage_table(contract, table);
    }
    out.close("}");
    out.close("}");
    out.finish(sources, "types.d.ts", 1)
}

fn index(contract: &Contract, sources: &Sources, input: &StubInput<'_>) -> Declarations {
    let mut out = Declarations::new();
    out.line("export { kontract } from './kontract.js';");
    for (path, names) in exports_by_module(contract, sources, input) {
        out.line(&format!("export {{ {} }} from {};", names.join(", "), quoted(&path)));
    }
    for (place, endpoint) in contract.endpoints.iter().enumerate().filter(|(_, endpoint)| is_member(endpoint))
    {
        let (ty, name) = (type_of(&module_path(sources, input, endpoint), endpoint), &endpoint.name);
        out.doc(&endpoint.doc);
        out.declare("declare const ", (&format!("e{place}"), endpoint.location), &format!(": {ty};"));
        out.line(&format!("export {{ e{place} as {name} }};"));
    }
    for (path, keys) in types_by_module(contract, sources, input) {
        out.line(&format!("export type {{ {} }} from {};", keys.join(", "), quoted(&path)));
    }
    out.blank();
    out.line("/** Every endpoint by its name. */");
    out.open("export declare const api: {");
    for endpoint in &contract.endpoints {
        let ty = type_of(&module_path(sources, input, endpoint), endpoint);
        out.doc(&endpoint.doc);
        out.declare("readonly ", (&property(&endpoint.name), endpoint.location), &format!(": {ty};"));
    }
    out.close("};");
    out
}

/// The stub module of some endpoints.
fn stub(contract: &Contract, endpoints: &[&Endpoint]) -> Declarations {
    let keys: BTreeSet<String> = endpoints.iter().flat_map(|e| endpoint_object_keys(contract, e)).collect();
    let options = options_name(&keys);
    let mut out = Declarations::new();
    let alias = if options == OPTIONS { String::new() } else { format!(" as {options}") };
    out.line(&format!("import type {{ {OPTIONS}{alias} }} from 'kontract/client';"));
    for key in &keys {
        if let Some(object) = contract.types.get(key) {
            out.blank();
            out.interface("export ", key, object);
        }
    }
    let mut holders: BTreeMap<&str, Members<'_>> = BTreeMap::new();
    for endpoint in endpoints {
        let export = endpoint.binding.export.as_str();
        let path: Vec<&str> = endpoint.binding.members.iter().map(String::as_str).collect();
        if !path.is_empty() || has_members(endpoints, export) {
            holders.entry(export).or_default().put(&path, endpoint);
            continue;
        }
        out.blank();
        out.doc(&endpoint.doc);
        let declared = Exported::of(export);
        out.declare(declared.before, (&declared.local, endpoint.location), ": {");
        out.callable(endpoint, &options, "};");
        declared.export(&mut out);
    }
    for (export, members) in holders {
        out.blank();
        let declared = Exported::of(export);
        out.open(&format!("{}{}: {{", declared.before, declared.local));
        out.members(&members, &options);
        out.close("};");
        declared.export(&mut out);
    }
    out
}

/// What the options of calls are called beside types of these keys.
fn options_name(keys: &BTreeSet<String>) -> String {
    let mut options = OPTIONS.to_owned();
    while keys.contains(&options) {
        options.push('_');
    }
    options
}

/// Whether a class, namespace or object of that name has endpoints.
fn has_members(endpoints: &[&Endpoint], export: &str) -> bool {
    endpoints.iter().any(|endpoint| endpoint.binding.export == export && !endpoint.binding.members.is_empty())
}

/// The endpoints of a class, namespace or object, and what is nested in it.
#[derive(Default)]
struct Members<'a> {
    own: Option<&'a Endpoint>,
    nested: Vec<(&'a str, Members<'a>)>,
}

impl<'a> Members<'a> {
    fn put(&mut self, path: &[&'a str], endpoint: &'a Endpoint) {
        let Some((name, rest)) = path.split_first() else {
            self.own = Some(endpoint);
            return;
        };
        let place = match self.nested.iter().position(|(member, _)| member == name) {
            Some(place) => place,
            None => {
                self.nested.push((name, Self::default()));
                self.nested.len() - 1
            }
        };
        self.nested[place].1.put(rest, endpoint);
    }
}

/// How a constant is declared that a module exports under some name.
struct Exported<'e> {
    before: &'static str,
    local: String,
    /// How it is exported, unless the declaration says it.
    behind: Option<&'e str>,
}

impl<'e> Exported<'e> {
    fn of(export: &'e str) -> Self {
        if is_binding_name(export) {
            return Self { before: "export declare const ", local: export.to_owned(), behind: None };
        }
        // A name may be any text: `export { one as 'two words' }`.
        let word = |c: char| if is_word(c) { c.to_string() } else { format!("${:x}", u32::from(c)) };
        let local = format!("{}_", export.chars().map(word).collect::<String>());
        let local = if is_binding_name(&local) { local } else { format!("_{local}") };
        Self { before: "declare const ", local, behind: Some(export) }
    }

    fn export(&self, out: &mut Declarations) {
        if let Some(name) = self.behind {
            let name = if is_identifier_name(name) { name.to_owned() } else { quoted(name) };
            out.line(&format!("export {{ {} as {name} }};", self.local));
        }
    }
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The type of a stub, from where it is declared.
fn type_of(path: &str, endpoint: &Endpoint) -> String {
    let binding = &endpoint.binding;
    let members: String = binding.members.iter().map(|name| format!("[{}]", quoted(name))).collect();
    match members.as_str() {
        "" => format!("typeof import({}).{}", quoted(path), binding.export),
        members => format!("(typeof import({}).{}){members}", quoted(path), binding.export),
    }
}

fn is_member(endpoint: &Endpoint) -> bool {
    !endpoint.binding.members.is_empty()
}

fn module_path(sources: &Sources, input: &StubInput<'_>, endpoint: &Endpoint) -> String {
    specifier("index.js", &client_path(sources, input, endpoint.binding.file))
}

/// For each module, `export as name` of its endpoints.
fn exports_by_module(
    contract: &Contract,
    sources: &Sources,
    input: &StubInput<'_>,
) -> BTreeMap<String, Vec<String>> {
    let mut modules: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for endpoint in contract.endpoints.iter().filter(|e| is_identifier_name(&e.name) && !is_member(e)) {
        let (export, name) = (&endpoint.binding.export, &endpoint.name);
        let clause = if export == name { name.clone() } else { format!("{export} as {name}") };
        modules.entry(module_path(sources, input, endpoint)).or_default().push(clause);
    }
    modules
}

/// For each module, the object types that it is the first to declare.
fn types_by_module(
    contract: &Contract,
    sources: &Sources,
    input: &StubInput<'_>,
) -> BTreeMap<String, Vec<String>> {
    let mut modules: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut seen: BTreeSet<String> =
        contract.endpoints.iter().map(|endpoint| endpoint.name.clone()).collect();
    for endpoint in &contract.endpoints {
        let path = module_path(sources, input, endpoint);
        for key in endpoint_object_keys(contract, endpoint) {
            if seen.insert(key.clone()) {
                modules.entry(path.clone()).or_default().push(key);
            }
        }
    }
    modules
}

impl Declarations {
    fn interface(&mut self, prefix: &str, key: &str, object: &ObjectType) {
        self.doc(&object.doc);
        self.declare(&format!("{prefix}interface "), (key, object.location), " {");
        self.indent();
        for field in &object.fields {
            self.field(field, field.optional);
        }
        self.close("}");
    }

    fn field(&mut self, field: &Field, optional: bool) {
        self.doc(&field.doc);
        let readonly = if field.readonly { "readonly " } else { "" };
        let mark = if optional { "?" } else { "" };
        let ty = text(&field.ty);
        self.declare(readonly, (&property(&field.name), field.location), &format!("{mark}: {ty};"));
    }

    /// What a class, namespace or object holds: its own signatures where it is an endpoint as well, then its members.
    fn members(&mut self, members: &Members<'_>, options: &str) {
        if let Some(endpoint) = members.own {
            self.signatures(endpoint, options);
        }
        for (name, member) in &members.nested {
            let name = property(name);
            match member.own {
                Some(endpoint) => {
                    self.doc(&endpoint.doc);
                    self.declare("readonly ", (&name, endpoint.location), ": {");
                    self.indent();
                }
                None => self.open(&format!("readonly {name}: {{")),
            }
            self.members(member, options);
            self.close("};");
        }
    }

    /// The signatures of an endpoint, up to the end of its type.
    fn callable(&mut self, endpoint: &Endpoint, options: &str, end: &str) {
        self.indent();
        self.signatures(endpoint, options);
        self.close(end);
    }

    fn signatures(&mut self, endpoint: &Endpoint, options: &str) {
        let (params, result) = (params(endpoint), result(endpoint));
        self.doc(&endpoint.doc);
        self.line(&format!("({params}): {result};"));
        self.line("/** The same endpoint with options for its calls. */");
        self.line(&format!("with(options: {options}): ({params}) => {result};"));
    }

    /// What may be changed in a row of a table.
    fn patch(&mut self, contract: &Contract, table: &Table) {
        let Some(entity) = contract.types.get(&table.entity) else { return };
        self.line(&format!("/** What may change in a row of `{}`. */", table.name));
        self.open(&format!("interface {} {{", patch_name(contract, table)));
        let fixed =
            |field: &&Field| field.name == table.key || is_read_only_field(field.perm, field.readonly);
        for field in entity.fields.iter().filter(|field| !fixed(field)) {
            self.field(field, true);
        }
        self.close("}");
    }

    fn storage_table(&mut self, contract: &Contract, table: &Table) {
        let Some(entity) = contract.types.get(&table.entity) else { return };
        let key = entity.fields.iter().find(|field| field.name == table.key);
        let key = key.map_or_else(|| "never".to_owned(), |field| text(&field.ty));
        self.doc(&entity.doc);
        let types = format!("rows.{}, {key}, rows.{}", table.entity, patch_name(contract, table));
        self.declare("readonly ", (&property(&table.name), table.location), &format!(": Table<{types}>;"));
    }
}

/// A name that no row type has.
fn patch_name(contract: &Contract, table: &Table) -> String {
    let mut name = format!("{}Patch", table.entity);
    while contract.types.contains_key(&name) {
        name.push('_');
    }
    name
}

/// `kontract.d.ts`
const CONNECTION: &str = "// generated by kontract; do not edit
import type { Kontract } from 'kontract/client';

/** The connection of this build's client to its gateway. */
export declare const kontract: Kontract;
";

/// The package's type of a call's options.
const OPTIONS: &str = "CallOptions";
/// Folders between the project and a file of its client.
const CLIENT_DEPTH: usize = 2;

/// What every project's server code sees.
const AMBIENT_HEAD: &str = include_str!("../ambient.d.ts");
