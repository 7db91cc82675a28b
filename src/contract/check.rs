//! Turns a [`Contract`] into a [`CheckedContract`], or says in what its parts contradict each other.

use std::collections::BTreeMap;

use kontract_wire::route::RouteId;

use super::diagnostics;
use super::{Contract, Endpoint, Field, Literal, NumberWidth, Table, Ty};
use crate::diag::{Diagnostic, Outcome, nearest};
use crate::source::{FileId, Sources};

/// A contract without errors. Only [`check`] makes one.
#[derive(Debug, Clone, PartialEq)]
pub struct CheckedContract {
    contract: Contract,
    spelled: Contract,
}

impl CheckedContract {
    /// The contract, with every type as it travels.
    pub fn contract(&self) -> &Contract {
        &self.contract
    }

    /// The contract with what TypeScript is told besides: enums, brands, and which arrays may only be read.
    pub fn spelled(&self) -> &Contract {
        &self.spelled
    }
}

/// Checks names, tables and permissions against each other. `sources` are those the contract was extracted from.
pub fn check(spelled: Contract, sources: &Sources) -> Outcome<CheckedContract> {
    let contract = spelled.plain();
    let mut found = Vec::new();
    endpoint_names(&contract.endpoints, sources, &mut found);
    middleware_files(&contract, &mut found);
    middleware_groups(&contract, &mut found);
    tables(&contract, &mut found);
    storage_uses(&contract, &mut found);
    Outcome::with(CheckedContract { contract, spelled }, found).stop_on_errors()
}

fn endpoint_names(endpoints: &[Endpoint], sources: &Sources, found: &mut Vec<Diagnostic>) {
    let mut by_name: BTreeMap<&str, &Endpoint> = BTreeMap::new();
    let mut by_route: BTreeMap<RouteId, &Endpoint> = BTreeMap::new();
    let mut by_path: BTreeMap<(FileId, String), &Endpoint> = BTreeMap::new();
    for endpoint in endpoints {
        // A static method and one of instances, of one name but for `name:`, would have one place in the client.
        let path = (endpoint.binding.file, endpoint.binding.path());
        match by_path.get(&path) {
            Some(first) if first.name != endpoint.name => {
                found.push(diagnostics::duplicate_path(first, endpoint));
            }
            Some(_) => {}
            None => {
                by_path.insert(path, endpoint);
            }
        }
        if !is_endpoint_name(&endpoint.name) {
            found.push(diagnostics::unusable_endpoint_name(endpoint));
        }
        if let Some(first) = by_name.get(endpoint.name.as_str()) {
            found.push(diagnostics::duplicate_endpoint(first, endpoint, sources));
            continue;
        }
        by_name.insert(&endpoint.name, endpoint);
        let route = RouteId::of(&endpoint.name);
        match by_route.get(&route) {
            Some(first) => found.push(diagnostics::duplicate_route(first, endpoint, route)),
            None => {
                by_route.insert(route, endpoint);
            }
        }
    }
}

fn is_endpoint_name(name: &str) -> bool {
    let mut chars = name.chars();
    let starts =
        chars.next().is_some_and(|first| first.is_ascii_alphabetic() || first == '_' || first == '$');
    let continues = chars.all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '$');
    starts && continues && name.len() <= ENDPOINT_NAME_MAX && !RESERVED_ENDPOINTS.contains(&name)
}

fn middleware_files(contract: &Contract, found: &mut Vec<Diagnostic>) {
    let Some(first) = contract.middleware.first() else { return };
    if let Some(second) = contract.middleware.iter().find(|middleware| middleware.file != first.file) {
        found.push(diagnostics::second_middleware_file(first, second));
    }
}

/// A filter for a group that no endpoint has, but for a letter, guards nothing.
fn middleware_groups(contract: &Contract, found: &mut Vec<Diagnostic>) {
    for middleware in &contract.middleware {
        let options = || contract.endpoints.iter().map(|endpoint| &endpoint.options);
        let egroups: Vec<&str> = options().filter_map(|options| options.egroup.as_deref()).collect();
        let ugroups: Vec<&str> = options().filter_map(|options| options.ugroup.as_deref()).collect();
        let filter = &middleware.filter;
        for (key, wanted, known) in [("egroup", &filter.egroup, egroups), ("ugroup", &filter.ugroup, ugroups)]
        {
            let Some(wanted) = wanted.as_deref().filter(|wanted| !known.contains(wanted)) else { continue };
            if let Some(near) = nearest(wanted, known) {
                found.push(diagnostics::unknown_group(key, wanted, near, middleware.location));
            }
        }
    }
}

fn tables(contract: &Contract, found: &mut Vec<Diagnostic>) {
    let mut by_name: BTreeMap<&str, &Table> = BTreeMap::new();
    for table in &contract.tables {
        if let Some(first) = by_name.insert(&table.name, table) {
            found.push(diagnostics::table_of_two(first, table));
        }
        if !is_table_name(&table.name) {
            found.push(diagnostics::unusable_table_name(table));
        }
        table_fields(contract, table, found);
    }
}

fn table_fields(contract: &Contract, table: &Table, found: &mut Vec<Diagnostic>) {
    let fields = contract.types.get(&table.entity).map_or(&[][..], |object| &object.fields);
    if fields.is_empty() {
        found.push(diagnostics::table_without_fields(table));
        return;
    }
    let marked: Vec<&Field> = fields.iter().filter(|field| field.primkey).collect();
    if let [first, second, ..] = marked.as_slice() {
        found.push(diagnostics::two_keys(table, first, second));
    }
    let compounds = fields.iter().filter(|field| field.unique && !is_plain(&field.ty));
    found.extend(compounds.map(diagnostics::unenforced_unique));
    let hidden = fields.iter().filter(|field| field.is_hidden());
    found.extend(hidden.filter_map(|field| {
        let why = if field.name == table.key {
            "whoever finds a row has its key"
        } else if field.unique {
            "whether a value is taken tells that there is a row with it"
        } else if !field.optional {
            "rows are read without the field, and their type says that each has it"
        } else {
            return None;
        };
        Some(diagnostics::unenforced_perm(field, why))
    }));
    if let Some(key) = fields.iter().find(|field| field.name == table.key)
        && !is_key(key)
    {
        found.push(diagnostics::key_type(table, key));
    }
}

/// Whether values of a type are stored as one JSON text, number or boolean each, or as null: these can be compared as they are.
fn is_plain(ty: &Ty) -> bool {
    match ty.bare() {
        Ty::Nullable(of) | Ty::Optional(of) => is_plain(of),
        Ty::Literals(values) => !values.iter().any(|value| matches!(value, Literal::BigInt(_))),
        ty => {
            let plain =
                matches!(ty, Ty::String | Ty::Template(_) | Ty::Number(_) | Ty::Boolean | Ty::BigInt(_));
            plain || matches!(ty, Ty::Date | Ty::Bytes | Ty::Null | Ty::Void)
        }
    }
}

fn is_key(field: &Field) -> bool {
    let keyable = match field.ty.bare() {
        Ty::String | Ty::Template(_) => true,
        Ty::Literals(values) => values.iter().all(|value| matches!(value, Literal::String(_))),
        Ty::Number(width) => *width != NumberWidth::Float32,
        _ => false,
    };
    keyable && !field.optional
}

fn is_table_name(name: &str) -> bool {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.len() <= TABLE_NAME_MAX
        && name.chars().all(allowed)
}

fn storage_uses(contract: &Contract, found: &mut Vec<Diagnostic>) {
    for used in &contract.storage_uses {
        if !contract.tables.iter().any(|table| table.name == used.table) {
            found.push(diagnostics::unknown_table(used, &contract.tables));
        }
        let endpoint = used.endpoint.and_then(|index| contract.endpoints.get(index));
        if let (Some(operation), Some(endpoint)) = (&used.operation, endpoint)
            && !endpoint.options.perm.contains(operation.needs)
        {
            found.push(diagnostics::permission_lacking(used, operation, endpoint));
        }
    }
}

const ENDPOINT_NAME_MAX: usize = 64;
/// The part behind `tbl_` in the database.
const TABLE_NAME_MAX: usize = 48;
/// Names of every object, and names that the generated client exports itself.
const RESERVED_ENDPOINTS: &[&str] = &[
    "__proto__",
    "constructor",
    "prototype",
    "toString",
    "valueOf",
    "hasOwnProperty",
    "then",
    "api",
    "kontract",
    "default",
    "arguments",
    "eval",
    "await",
    "delete",
    "import",
    "new",
    "return",
    "typeof",
    "void",
    "class",
    "function",
];
