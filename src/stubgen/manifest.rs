//! `manifest.json`: what a build consists of, for tools.

use super::identity::Identity;
use super::paths::client_path;
use super::routes::scope_text;
use super::{StubError, StubInput};
use crate::contract::signature::{Numbers, endpoint_hash, hex, ty_text};
use crate::contract::{Contract, Endpoint, Field, Table};
use crate::source::Sources;
use kontract_wire::route::RouteId;
use serde_json::{Value, json};

/// The text of `manifest.json`.
pub(super) fn manifest_text(
    contract: &Contract,
    sources: &Sources,
    input: &StubInput<'_>,
) -> Result<String, StubError> {
    let identity: Identity = input.pins.identity;
    let endpoints: Vec<Value> = contract
        .endpoints
        .iter()
        .map(|endpoint| endpoint_value(contract, sources, input, endpoint))
        .collect();
    let tables: Vec<Value> =
        contract.tables.iter().map(|table| table_value(contract, input, table)).collect::<Result<_, _>>()?;
    let manifest = json!({
        "name": input.project_name,
        "suite": input.pins.suite,
        "buildId": hex(&identity.build_id),
        "routeHash": hex(&identity.route_hash),
        "endpoints": endpoints,
        "tables": tables,
    });
    Ok(format!("{manifest:#}\n"))
}

fn endpoint_value(
    contract: &Contract,
    sources: &Sources,
    input: &StubInput<'_>,
    endpoint: &Endpoint,
) -> Value {
    let param = |param: &crate::contract::Param| {
        let mut value = json!({
            "name": param.name,
            "type": ty_text(&param.ty, Numbers::Widths),
            "required": !param.optional && !param.rest,
        });
        if param.rest {
            value["rest"] = true.into();
        }
        value
    };
    json!({
        "name": endpoint.name,
        "route": RouteId::of(&endpoint.name).to_string(),
        "source": sources.file(endpoint.binding.file).path,
        "module": client_path(sources, input, endpoint.binding.file),
        "export": endpoint.binding.path(),
        "params": endpoint.params.iter().map(param).collect::<Vec<_>>(),
        "returns": ty_text(&endpoint.returns, Numbers::Widths),
        "ugroup": endpoint.options.ugroup,
        "perm": endpoint.options.perm.to_string(),
        "egroup": endpoint.options.egroup,
        "signature": endpoint_hash(contract, endpoint),
    })
}

fn table_value(contract: &Contract, input: &StubInput<'_>, table: &Table) -> Result<Value, StubError> {
    let no_ptr = || StubError::NoPtr { name: table.name.clone(), location: table.location };
    let ptr = input.ptrs.get(&table.name).ok_or_else(no_ptr)?;
    let fields = contract.types.get(&table.entity).map_or(&[][..], |entity| &entity.fields);
    let field = |field: &Field| {
        json!({
            "name": field.name,
            "type": ty_text(&field.ty, Numbers::Widths),
            "required": !field.optional,
            "perm": field.perm.map(|perm| perm.to_string()),
        })
    };
    Ok(json!({
        "name": table.name,
        "entity": table.entity,
        "ptr": ptr,
        "scope": scope_text(table.scope),
        "key": table.key,
        "fields": fields.iter().map(field).collect::<Vec<_>>(),
    }))
}
