//! `cargo xtask fuzz compiler|wire --seconds N`: broken programs through the whole check, and broken messages through the
//! decoders, for longer than the tests take.

use std::process::Command;

use crate::error::Error;
use crate::process::{self, CARGO, step};
use crate::tree::Tree;
use crate::{build, npm, raystream};

/// Runs the fuzzer of `tests/it/fuzz.rs`. What it finds it leaves in the folder for temporary files and names there.
///
/// # Errors
/// When it finds something, or when the tests do not build.
pub(crate) fn compiler(tree: &Tree, seconds: &str, seed: &str) -> Result<(), Error> {
    for number in [seconds, seed] {
        number.parse::<u64>().map_err(|_| Error::Usage(format!("`{number}` is not a number")))?;
    }
    npm::install(tree)?;
    build::prepare(tree)?;
    step(&format!("fuzz the compiler for {seconds} s, seed {seed}"), || {
        let mut command = Command::new(CARGO.name);
        command
            .args(["test", "-p", "kontract", "--test", "it", "--", "fuzz::no_mutation", "--nocapture"])
            .env("KONTRACT_FUZZ_SECONDS", seconds)
            .env("KONTRACT_FUZZ_SEED", seed)
            .current_dir(&tree.root);
        process::finish(CARGO, command)
    })
}

/// Runs the fuzzers of `fixtures/codec/mutations.mjs`, side by side over generated decoders of all types, and then, guided by
/// coverage, that of the envelope which `runtime/wire` reads.
///
/// # Errors
/// When one finds something, or when the tests do not build.
pub(crate) fn wire(tree: &Tree, seconds: &str, seed: &str) -> Result<(), Error> {
    for number in [seconds, seed] {
        number.parse::<u64>().map_err(|_| Error::Usage(format!("`{number}` is not a number")))?;
    }
    npm::install(tree)?;
    build::prepare(tree)?;
    step(&format!("fuzz the decoders for {seconds} s, seed {seed}"), || {
        let mut command = Command::new(CARGO.name);
        command
            .args(["test", "-p", "kontract", "--test", "it", "--", "codec::mutated_messages", "--nocapture"])
            .env("KONTRACT_FUZZ_SECONDS", seconds)
            .env("KONTRACT_SEED", seed)
            .current_dir(&tree.root);
        process::finish(CARGO, command)
    })?;
    raystream::fuzz(tree, &[raystream::ENVELOPE], seconds)
}
