//! Declarations: what an editor and `tsc` see of the generated client, and of `ctx` and `env` in server code.
//!
//! ```text
//! export async function sign(name: string): Promise<Entry>   →   export declare const sign: Rpc<[name: string], Entry>;
//! ```

use super::StubInput;
use super::paths::client_path;
use super::routes::is_read_only_field;
use crate::artifact::specifier;
use crate::contract::signature::{Numbers, endpoint_object_keys, object_keys, quoted, ty_text};
use crate::contract::{Contract, Doc, Endpoint, ObjectType, Param, Table, Ty};
use crate::emit::build::{GENERATED, is_binding_name, is_identifier_name};
use crate::source::Sources;
use std::collections::{BTreeMap, BTreeSet};

/// `kontract.d.ts`
pub(super) fn connection_text() -> String {
    let mut out = Declarations::new(0);
    out.line("import type { createClient } from 'kontract/client';");
    out.blank();
    out.line("/** The connection of this build's client to its gateway. */");
    out.line("export declare const kontract: ReturnType<typeof createClient>;");
    out.text
}

/// `<module>.d.ts` of each stub module.
pub(super) fn stub_texts(
    contract: &Contract,
    sources: &Sources,
    input: &StubInput<'_>,
) -> BTreeMap<String, String> {
    let mut modules: BTreeMap<String, Vec<&Endpoint>> = BTreeMap::new();
    for endpoint in &contract.endpoints {
        let path = client_path(sources, input, endpoint.binding.file);
        let path = format!("{}.d.ts", path.strip_suffix(".js").unwrap_or(&path));
        modules.entry(path).or_default().push(endpoint);
    }
    modules.into_iter().map(|(path, endpoints)| (path, stub_text(contract, &endpoints))).collect()
}

/// `index.d.ts`
pub(super) fn index_text(contract: &Contract, sources: &Sources, input: &StubInput<'_>) -> String {
    let mut out = Declarations::new(0);
    out.line("export { kontract } from './kontract.js';");
    for (path, names) in exports_by_module(contract, sources, input) {
        out.line(&format!("export {{ {} }} from {};", names.join(", "), quoted(&path)));
    }
    for (place, endpoint) in contract.endpoints.iter().enumerate().filter(|(_, endpoint)| is_member(endpoint))
    {
        let (ty, name) = (type_of(&module_path(sources, input, endpoint), endpoint), &endpoint.name);
        out.doc(&endpoint.doc);
        out.line(&format!("declare const e{place}: {ty};"));
        out.line(&format!("export {{ e{place} as {name} }};"));
    }
    for (path, keys) in types_by_module(contract, sources, input) {
        out.line(&format!("export type {{ {} }} from {};", keys.join(", "), quoted(&path)));
    }
    out.blank();
    out.line("/** Every endpoint by its name. */");
    out.open("export declare const api: {");
    for endpoint in &contract.endpoints {
        let path = module_path(sources, input, endpoint);
        out.doc(&endpoint.doc);
        out.line(&format!("readonly {}: {};", property(&endpoint.name), type_of(&path, endpoint)));
    }
    out.close("};");
    out.text
}

/// `types.d.ts`: the globals of server code. Row types are declared in a namespace of their own, so that they cannot
/// clash with the user's.
pub(super) fn ambient_text(contract: &Contract) -> String {
    let mut out = Declarations::new(0);
    out.text.push_str(AMBIENT_HEAD);
    out.open("declare namespace kontract.rows {");
    let entities = contract.tables.iter().map(|table| Ty::Object(table.entity.clone())).collect::<Vec<_>>();
    for key in object_keys(contract, &entities) {
        if let Some(object) = contract.types.get(&key) {
            out.interface("", &key, object);
        }
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
    out.text
}

fn stub_text(contract: &Contract, endpoints: &[&Endpoint]) -> String {
    let mut out = Declarations::new(0);
    out.line("import type { Rpc } from 'kontract/client';");
    let keys: BTreeSet<String> = endpoints.iter().flat_map(|e| endpoint_object_keys(contract, e)).collect();
    for key in keys {
        if let Some(object) = contract.types.get(&key) {
            out.blank();
            out.interface("export ", &key, object);
        }
    }
    let mut holders: BTreeMap<&str, Members<'_>> = BTreeMap::new();
    for endpoint in endpoints {
        if endpoint.binding.members.is_empty() {
            out.blank();
            out.doc(&endpoint.doc);
        }
        let path: Vec<&str> = endpoint.binding.members.iter().map(String::as_str).collect();
        holders.entry(&endpoint.binding.export).or_default().put(&path, endpoint);
        if endpoint.binding.members.is_empty() && !has_members(endpoints, &endpoint.binding.export) {
            out.export(&endpoint.binding.export, &rpc_text(endpoint));
            holders.remove(endpoint.binding.export.as_str());
        }
    }
    for (export, members) in holders {
        out.blank();
        out.holder(export, &members);
    }
    out.text
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

/// `Rpc<[name: string], Entry>`
fn rpc_text(endpoint: &Endpoint) -> String {
    format!("Rpc<[{}], {}>", tuple(&endpoint.params), ty_text(&endpoint.returns, Numbers::Plain))
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

/// A file of declarations being written.
struct Declarations {
    text: String,
    depth: usize,
}

impl Declarations {
    fn new(depth: usize) -> Self {
        Self { text: GENERATED.to_owned(), depth }
    }

    fn line(&mut self, line: &str) {
        self.text.push_str(&"  ".repeat(self.depth));
        self.text.push_str(line);
        self.text.push('\n');
    }

    fn blank(&mut self) {
        self.text.push('\n');
    }

    fn open(&mut self, line: &str) {
        self.line(line);
        self.depth += 1;
    }

    fn close(&mut self, line: &str) {
        self.depth -= 1;
        self.line(line);
    }

    /// A documentation block, unless there is nothing to say.
    fn doc(&mut self, doc: &Doc) {
        let mut lines: Vec<String> = doc.text.trim().lines().map(str::to_owned).collect();
        let mut tag = |name: &str, text: &str| {
            let mut parts = text.lines();
            lines.push(format!("@{name} {}", parts.next().unwrap_or("")).trim_end().to_owned());
            lines.extend(parts.map(str::to_owned));
        };
        for (name, text) in &doc.params {
            tag("param", &format!("{name} {text}"));
        }
        if let Some(text) = &doc.returns {
            tag("returns", text);
        }
        for text in &doc.throws {
            tag("throws", text);
        }
        for text in &doc.examples {
            tag("example", &format!("\n{text}"));
        }
        // The block must not end before it ends.
        let lines: Vec<String> = lines.iter().map(|line| line.replace("*/", "*\u{200b}/")).collect();
        match lines.as_slice() {
            [] => {}
            [only] => self.line(&format!("/** {only} */")),
            _ => {
                self.line("/**");
                for line in &lines {
                    self.line(format!(" * {line}").trim_end());
                }
                self.line(" */");
            }
        }
    }

    fn interface(&mut self, prefix: &str, key: &str, object: &ObjectType) {
        self.doc(&object.doc);
        self.open(&format!("{prefix}interface {key} {{"));
        for field in &object.fields {
            self.doc(&field.doc);
            let readonly = if field.readonly { "readonly " } else { "" };
            let mark = if field.optional { "?" } else { "" };
            let ty = ty_text(&field.ty, Numbers::Plain);
            self.line(&format!("{readonly}{}{mark}: {ty};", property(&field.name)));
        }
        self.close("}");
    }

    /// A constant of that type under an exported name.
    fn export(&mut self, export: &str, ty: &str) {
        match export {
            "default" => {
                self.line(&format!("declare const endpoint: {ty};"));
                self.line("export default endpoint;");
            }
            export if is_binding_name(export) => self.line(&format!("export declare const {export}: {ty};")),
            export => {
                self.line(&format!("declare const {export}_: {ty};"));
                self.line(&format!("export {{ {export}_ as {export} }};"));
            }
        }
    }

    /// What is left of a class, namespace or object: its endpoints.
    fn holder(&mut self, export: &str, members: &Members<'_>) {
        self.open(&format!("interface {export}Endpoints {{"));
        self.members(members);
        self.close("}");
        let own = members.own.map(|endpoint| rpc_text(endpoint) + " & ").unwrap_or_default();
        self.export(export, &format!("{own}{export}Endpoints"));
    }

    fn members(&mut self, members: &Members<'_>) {
        for (name, member) in &members.nested {
            let name = property(name);
            let own = member.own.map(rpc_text);
            if let Some(endpoint) = member.own {
                self.doc(&endpoint.doc);
            }
            match (own, member.nested.is_empty()) {
                (Some(own), true) => self.line(&format!("readonly {name}: {own};")),
                (own, _) => {
                    let own = own.map(|own| own + " & ").unwrap_or_default();
                    self.open(&format!("readonly {name}: {own}{{"));
                    self.members(member);
                    self.close("};");
                }
            }
        }
    }

    fn storage_table(&mut self, contract: &Contract, table: &Table) {
        let entity = contract.types.get(&table.entity);
        let fields = entity.map_or(&[][..], |entity| &entity.fields);
        if let Some(entity) = entity {
            self.doc(&entity.doc);
        }
        let fixed = fields
            .iter()
            .filter(|field| field.name == table.key || is_read_only_field(field.perm, field.readonly));
        let fixed: Vec<String> = fixed.map(|field| quoted(&field.name)).collect();
        let fixed = if fixed.is_empty() { "never".to_owned() } else { fixed.join(" | ") };
        let name = property(&table.name);
        let (entity, key) = (&table.entity, quoted(&table.key));
        self.line(&format!("readonly {name}: Table<rows.{entity}, {key}, {fixed}>;"));
    }
}

/// Elements of the tuple type of a parameter list.
fn tuple(params: &[Param]) -> String {
    let last_required = params.iter().rposition(|param| !param.optional && !param.rest);
    let element = |(index, param): (usize, &Param)| {
        let ty = ty_text(&param.ty, Numbers::Plain);
        // An optional element cannot stand before a required one.
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

fn property(name: &str) -> String {
    if is_identifier_name(name) { name.to_owned() } else { quoted(name) }
}

/// What every project's server code sees.
const AMBIENT_HEAD: &str = include_str!("ambient.d.ts");
