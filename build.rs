//! Tells package kontract where the gateway is that `cargo xtask build` made: the program carries it, so that users
//! need no Rust.
//!
//! With the files in place the cfg `gateway_built` is set and `KONTRACT_GATEWAY_DIR` names their folder, for
//! `include_bytes!`. Without them the compiler still builds and can be tested; what needs the gateway says so when it
//! runs.

use std::path::Path;

fn main() {
    println!("cargo::rustc-check-cfg=cfg(gateway_built)");
    let gateway = Path::new(env!("CARGO_MANIFEST_DIR")).join("target").join("gateway");
    // Cargo runs this script at every build as long as a watched path does not exist.
    if let Err(cause) = std::fs::create_dir_all(&gateway) {
        println!("cargo::error=cannot create {}: {cause}", gateway.display());
        return;
    }
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed={}", gateway.display());
    println!("cargo::rustc-env=KONTRACT_GATEWAY_DIR={}", gateway.display());
    if GATEWAY_FILES.iter().all(|name| gateway.join(name).is_file()) {
        println!("cargo::rustc-cfg=gateway_built");
    }
}

/// What the program includes.
const GATEWAY_FILES: [&str; 2] = ["kontract_worker.js", "kontract_worker_bg.wasm"];
