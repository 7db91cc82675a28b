//! What is generated from a contract alone: the client's stubs, the server's routes, the codecs between them, and the
//! schema of what they exchange.
//!
//! ```text
//! CheckedContract → WireSchema → codecs.js, app.fbs
//! CheckedContract → stubs, routes, declarations, manifest
//! ```
//!
//! Knows no file system and no parsing. What is left of a module for the client comes in as text from the split.

mod client;
pub mod codec;
mod diagnostics;
mod dts;
pub mod fbs;
pub mod identity;
mod manifest;
mod names;
mod paths;
mod routes;
mod rows;
pub mod schema;

pub use diagnostics::StubError;
pub use identity::Identity;
pub use schema::WireSchema;

use crate::artifact::Artifacts;
use crate::contract::CheckedContract;
use crate::parse::in_parallel;
use crate::parse::types::flat::FlatModule;
use crate::source::Sources;
use codec::{Side, codecs_text, lazy_codecs_text};
use std::collections::BTreeMap;

/// What stubs depend on besides the contract.
#[derive(Debug, Clone, Copy)]
pub struct StubInput<'a> {
    /// The project's name.
    pub project_name: &'a str,
    /// The source folder relative to the project: `src`.
    pub source_root: &'a str,
    /// What the client pins.
    pub pins: &'a Pins,
    /// The physical name of each table, by its name; from the lock.
    pub ptrs: &'a BTreeMap<String, String>,
    /// For each module of which anything besides endpoints is left for the client, that. Paths are relative to the source
    /// folder: `api/entries.js`.
    pub client_modules: &'a BTreeMap<String, ClientRest>,
    /// What runs each endpoint that has middlewares, by its index in the contract.
    pub chains: &'a BTreeMap<usize, ChainRef>,
    /// Whether the Worker loads every module when it starts, in place of each on its first call.
    pub eager: bool,
    /// The module that draws pages in the Worker, relative to the project.
    pub pages: Option<&'a str>,
}

/// What is left of a module for the client.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ClientRest {
    /// The statements as JavaScript.
    pub statements: String,
    /// What they export, as types.
    pub declarations: FlatModule,
    /// What the declarations pass on besides, as statements.
    pub passed: String,
}

/// A function that runs an endpoint within its middlewares: `(ctx, handler) => Promise`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ChainRef {
    /// Its module, relative to the source folder: `middleware.js`.
    pub module: String,
    /// Its name there.
    pub export: String,
}

/// What a client pins instead of negotiating it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pins {
    /// Number of the raystream suite.
    pub suite: u16,
    /// The build.
    pub identity: Identity,
    /// The gateway's static keys, the current one first.
    pub keys: Vec<PinnedKey>,
}

/// Public keys of a gateway.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PinnedKey {
    /// X25519.
    pub x25519: [u8; 32],
    /// Encapsulation key of ML-KEM-768; empty in suites without it.
    pub mlkem768: Vec<u8>,
}

/// Every file that is generated from a contract and the layout of its messages, by its path relative to the project folder.
///
/// # Errors
/// The first [`StubError`] of the contract.
pub fn generate(
    contract: &CheckedContract,
    schema: &WireSchema,
    sources: &Sources,
    input: &StubInput<'_>,
) -> Result<Artifacts, StubError> {
    let (contract, spelled) = (contract.contract(), contract.spelled());
    let mut artifacts = Artifacts::new();
    let mut put = |path: String, text: String| artifacts.insert(path, text.into_bytes());

    let stubs = || {
        let mut client = BTreeMap::from([
            (CONNECTION.to_owned(), client::connection_text(input.pins)),
            ("index.js".to_owned(), client::index_text(contract, sources, input)),
            ("lazy.js".to_owned(), client::lazy_text(contract, schema)),
            ("lazy-codecs.js".to_owned(), lazy_codecs_text(schema)),
        ]);
        client.extend(client::stub_texts(contract, sources, schema, input));
        client
    };
    let server = || -> Result<BTreeMap<String, String>, StubError> {
        let mut server = routes::module_texts(contract, sources, schema, input);
        server.insert("routes.js".to_owned(), routes::routes_text(contract, sources, input));
        server.insert("pages.js".to_owned(), routes::pages_text(input.pages));
        server.insert("tables.js".to_owned(), routes::tables_text(contract, input)?);
        Ok(server)
    };
    let codecs = |side| codecs_text(schema, &contract.endpoints, side);
    let ((codecs_of_client, codecs_of_server), ((stubs, declarations), server)) = in_parallel(|| {
        rayon::join(
            || rayon::join(|| codecs(Side::Client), || codecs(Side::Server)),
            || rayon::join(|| rayon::join(stubs, || dts::client_texts(spelled, sources, input)), server),
        )
    });

    let codecs = ("codecs.js".to_owned(), codecs_of_client);
    let client: BTreeMap<String, String> = [codecs].into_iter().chain(stubs).chain(declarations).collect();
    for (path, text) in client {
        if input.pages.is_some() && path.ends_with(".js") {
            let text = if path == CONNECTION { client::direct_text() } else { text.clone() };
            put(format!("{DIRECT}/{path}"), text);
        }
        put(format!("dist/client/{path}"), text.clone());
        put(format!(".kontract/client/{path}"), text);
    }
    for (path, text) in server?.into_iter().chain([("codecs.js".to_owned(), codecs_of_server)]) {
        put(format!(".kontract/server/{path}"), text);
    }

    for (path, text) in dts::ambient_texts(spelled, sources) {
        put(format!(".kontract/{path}"), text);
    }
    put("dist/schema/app.fbs".to_owned(), fbs::fbs_text(schema));
    put("dist/manifest.json".to_owned(), manifest::manifest_text(contract, sources, input)?);
    Ok(artifacts)
}

/// Every word that generated client files hold by themselves: those of the generator. What a project's server code has
/// in common with it is no sign of a leak.
pub const VOCABULARY: &[&str] = &[
    include_str!("client.rs"),
    include_str!("dts/enums.rs"),
    include_str!("dts/lazy.rs"),
    include_str!("dts/map.rs"),
    include_str!("dts/mod.rs"),
    include_str!("dts/types.rs"),
    include_str!("dts/writer.rs"),
    include_str!("ambient.d.ts"),
    include_str!("names.rs"),
    include_str!("paths.rs"),
    include_str!("identity.rs"),
    include_str!("mod.rs"),
    include_str!("codec/choose.rs"),
    include_str!("codec/mod.rs"),
    include_str!("codec/lazy.rs"),
    include_str!("codec/names.rs"),
    include_str!("codec/read.rs"),
    include_str!("codec/write.rs"),
    include_str!("schema/build.rs"),
    include_str!("../contract/signature.rs"),
    include_str!("../contract/ty.rs"),
    include_str!("../parse/types/flat/text.rs"),
    include_str!("../parse/types/library.ts"),
    include_str!("../emit/build.rs"),
];

/// The declarations among what [`generate`] makes; they depend on no key and no layout.
pub fn declarations(contract: &CheckedContract, sources: &Sources, input: &StubInput<'_>) -> Artifacts {
    let contract = contract.spelled();
    let client = dts::client_texts(contract, sources, input);
    let client = client.into_iter().map(|(path, text)| (format!("client/{path}"), text));
    let files = client.chain(dts::ambient_texts(contract, sources));
    files.map(|(path, text)| (format!(".kontract/{path}"), text.into_bytes())).collect()
}

/// Stubs for page code that runs in the Worker.
pub const DIRECT: &str = ".kontract/direct";
/// The module of clients that connects them.
const CONNECTION: &str = "kontract.js";
