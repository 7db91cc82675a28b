//! From staged server modules to a Worker: the app with its npm dependencies in few files.
//!
//! ```text
//! .kontract/server/**  →  dist/server/worker.js, routes/*.js, kontract.wasm, workerd.capnp, wrangler.json
//! ```

pub mod client;
pub mod config;
pub mod esbuild;
pub mod findings;
pub mod gateway;
pub mod maps;
pub mod metafile;
pub mod node;
pub mod size;
pub mod tools;
pub mod trial;
