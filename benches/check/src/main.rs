//! What `cargo xtask bench check` runs: the inputs, the peers, and the clock.
//!
//! ```text
//! bench-check generate DIR FILES     writes the generated project
//! bench-check swc|oxc DIR            parses every source below DIR and drops the trees
//! bench-check measure COMMAND …      milliseconds and peak kilobytes of a whole process
//! bench-check run KONTRACT ESBUILD   the table
//! ```

mod generate;
mod measure;
mod peers;
mod table;

use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        ["generate", folder, files] => match files.parse() {
            Ok(files) => generate::project(Path::new(folder), files),
            Err(error) => Err(std::io::Error::other(format!("{files}: {error}"))),
        },
        ["swc", folder] => peers::swc(Path::new(folder)),
        ["oxc", folder] => peers::oxc(Path::new(folder)),
        ["measure", command @ ..] => measure::report(command),
        ["run", kontract, esbuild] => table::run(Path::new(kontract), Path::new(esbuild)),
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
