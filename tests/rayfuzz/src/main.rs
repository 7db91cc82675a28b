//! LLVM's fuzzer on one of raystream's targets, which `KONTRACT_FUZZ_TARGET` names: `cargo xtask fuzz raystream`.
//!
//! The targets are in `tests/raysim/src/fuzz`, beside the models that say what has to come out.
#![no_main]

use kontract_raysim::fuzz::TARGETS;
use std::sync::LazyLock;

static TARGET: LazyLock<fn(&[u8])> = LazyLock::new(|| {
    let name = std::env::var("KONTRACT_FUZZ_TARGET").unwrap_or_default();
    match TARGETS.iter().find(|(target, _)| *target == name) {
        Some((_, run)) => *run,
        None => {
            eprintln!("KONTRACT_FUZZ_TARGET is none of {:?}", TARGETS.map(|(target, _)| target));
            std::process::exit(2);
        }
    }
});

libfuzzer_sys::fuzz_target!(|data: &[u8]| TARGET(data));
