//! What `cargo xtask bench check` runs: the inputs, the peers, and the clock.
//!
//! ```text
//! bench-check generate DIR FILES     writes the generated project
//! bench-check swc|oxc DIR            parses every source below DIR and drops the trees
//! bench-check measure COMMAND …      milliseconds, those of processors, and peak kilobytes of a whole process
//! bench-check real DIR CORPUS FILES  writes the project of real sources
//! bench-check run KONTRACT ESBUILD CORPUS [NAME …]   the tables, or those of these names
//! ```

#[path = "../../../src/allocator.rs"]
mod allocator;
mod generate;
mod measure;
mod peers;
mod real;
mod table;

use std::path::Path;
use std::process::ExitCode;

/// That of kontract, so that parsing and not allocating is compared.
#[global_allocator]
static ALLOCATOR: allocator::Allocator = allocator::Allocator;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        ["generate", folder, files] => {
            number(files).and_then(|files| generate::project(Path::new(folder), files))
        }
        ["real", folder, corpus, files] => {
            number(files).and_then(|files| real::project(Path::new(folder), Path::new(corpus), files))
        }
        ["swc", folder] => peers::swc(Path::new(folder)),
        ["oxc", folder] => peers::oxc(Path::new(folder)),
        ["measure", command @ ..] => measure::report(command),
        ["run", kontract, esbuild, corpus, names @ ..] => {
            table::run([kontract, esbuild, corpus].map(Path::new), names)
        }
        _ => Err(std::io::Error::other("usage: see the head of benches/check/src/main.rs")),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn number(text: &str) -> std::io::Result<usize> {
    text.parse().map_err(|error| std::io::Error::other(format!("{text}: {error}")))
}
