//! Which build a client and a server belong to. Both go into the handshake, so that a client of another build is told so
//! before its first call.

use super::Pins;
use crate::contract::signature::{endpoint_text, object_text};
use crate::contract::{Contract, WireIds};
use kontract_wire::route::RouteId;
use serde_json::json;
use sha2::{Digest, Sha256};
use std::fmt::Write as _;

/// The identity of a build: equal for equal contracts, on every machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Identity {
    /// First 16 bytes of SHA-256 over everything in the contract that client and server must agree on.
    pub build_id: [u8; 16],
    /// SHA-256 over names, route ids, signatures and policies of the endpoints.
    pub route_hash: [u8; 32],
}

impl Identity {
    /// The identity of a contract whose fields have these places.
    pub fn of(contract: &Contract, ids: &WireIds) -> Self {
        let routes = routes_text(contract);
        let route_hash = digest(b"kontract routes\0", &routes);
        let places = serde_json::to_string(ids).expect("invariant: every key of the ids is a string");
        let agreed = format!("{LAYOUT}{routes}{}{places}", types_text(contract));
        let build = digest(b"kontract build\0", &agreed);
        let mut build_id = [0; 16];
        build_id.copy_from_slice(&build[..16]);
        Self { build_id, route_hash }
    }
}

/// How this compiler makes tables of a contract. Counts up when that changes, because a client that was built before then is
/// of another build.
const LAYOUT: &str = "layout 2\n";

/// What the server half is told of its build, as JSON.
pub fn to_json(pins: &Pins) -> String {
    let Identity { build_id, route_hash } = pins.identity;
    let json = json!({ "suite": pins.suite, "buildId": build_id, "routeHash": route_hash });
    format!("{json}\n")
}

/// One paragraph for each endpoint, ordered by name.
fn routes_text(contract: &Contract) -> String {
    let mut endpoints: Vec<_> = contract.endpoints.iter().collect();
    endpoints.sort_by(|a, b| a.name.cmp(&b.name));
    let mut text = String::new();
    for endpoint in endpoints {
        let options = &endpoint.options;
        let (route, perm) = (RouteId::of(&endpoint.name), options.perm);
        let (name, ugroup, egroup) = (&endpoint.name, &options.ugroup, &options.egroup);
        writeln!(text, "{route} {name:?} {perm} ugroup={ugroup:?} egroup={egroup:?}")
            .expect("invariant: writing to a String does not fail");
        text.push_str(&endpoint_text(contract, endpoint));
    }
    text
}

fn types_text(contract: &Contract) -> String {
    let mut text = String::new();
    for (key, object) in &contract.types {
        text.push_str(&object_text(key, object));
    }
    for table in &contract.tables {
        writeln!(text, "{:?} {} {:?} {:?}", table.name, table.entity, table.scope, table.key)
            .expect("invariant: writing to a String does not fail");
    }
    text
}

fn digest(domain: &[u8], text: &str) -> [u8; 32] {
    Sha256::new().chain_update(domain).chain_update(text.as_bytes()).finalize().into()
}
