//! The gateway's WebAssembly and its JavaScript glue, built before this program and carried inside it, so that users
//! need no Rust.

use std::collections::BTreeMap;

/// The entry module of every Worker; the names it imports are staged beside it.
pub const ENTRY: &str = include_str!("worker.js");

/// The staged files of the gateway: its glue, and the module that the entry imports as `./kontract.wasm`.
///
/// # Errors
/// When this program was built without them, which `cargo build` alone does in a fresh clone.
#[cfg(gateway_built)]
pub fn files() -> Result<BTreeMap<&'static str, &'static [u8]>, NotBuilt> {
    Ok(BTreeMap::from([
        (GLUE, &include_bytes!(concat!(env!("KONTRACT_GATEWAY_DIR"), "/kontract_worker.js"))[..]),
        (WASM, &include_bytes!(concat!(env!("KONTRACT_GATEWAY_DIR"), "/kontract_worker_bg.wasm"))[..]),
    ]))
}

/// The staged files of the gateway.
///
/// # Errors
/// Always: this program was built without them.
#[cfg(not(gateway_built))]
pub fn files() -> Result<BTreeMap<&'static str, &'static [u8]>, NotBuilt> {
    Err(NotBuilt)
}

/// This program carries no gateway.
#[derive(Debug, thiserror::Error)]
#[error("this kontract was built without the gateway's WebAssembly; build it with `cargo xtask build`")]
pub struct NotBuilt;

/// Name of the glue beside the entry.
pub const GLUE: &str = "gateway.js";

/// Name of the WebAssembly module beside the entry.
pub const WASM: &str = "kontract.wasm";
