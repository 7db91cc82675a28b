//! `kontract leak-check`: what bundlers of frontends emitted, searched for the server's text. For `kontract/vite`.
//!
//! ```text
//! given   the text of every module that may be part of a page: what occurs there is no secret
//! shared  the exports that pages have of modules of both sides, of which the rest is to stay away from them
//! files   what goes to browsers
//! ```

use super::args::ProjectArgs;
use super::build;
use super::error::CliError;
use super::os_system::OsSystem;
use super::report::Reporter;
use crate::project::load;
use crate::stubgen::VOCABULARY;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::io::Read as _;

#[derive(Deserialize)]
struct Emitted {
    given: Vec<String>,
    #[serde(default)]
    shared: BTreeMap<String, BTreeSet<String>>,
    files: BTreeMap<String, String>,
}

/// Fails when any file holds what only the server has.
pub(super) fn run(args: &ProjectArgs, reporter: Reporter) -> Result<(), CliError> {
    let Emitted { given, shared, files } = read()?;
    let system = OsSystem::new(&args.project)?;
    let loaded = load(&system);
    let evidence =
        build::compiled(&args.project, &loaded, reporter, |loaded| crate::evidence(loaded, &shared))?;
    let public: Vec<&str> = VOCABULARY.iter().copied().chain(given.iter().map(String::as_str)).collect();
    let files = files.into_iter().map(|(name, text)| (name, text.into_bytes())).collect();
    let Err(leaks) = evidence.prove(files, &public) else { return Ok(()) };
    let leaks: Vec<_> = leaks.into_iter().map(|leak| leak.help(HELP)).collect();
    reporter.diagnostics(&loaded.sources, &leaks);
    Err(CliError::Project)
}

fn read() -> Result<Emitted, CliError> {
    let mut text = String::new();
    std::io::stdin()
        .take(INPUT_LEN_MAX)
        .read_to_string(&mut text)
        .map_err(|error| CliError::Usage(format!("standard input: {error}")))?;
    serde_json::from_str(&text).map_err(|error| CliError::Usage(format!("standard input: {error}")))
}

const HELP: &str = "see what put it there: a plugin of the bundler, `define`, a file that is copied, or a module of both sides whose `await` or effect at the top takes along what only endpoints use, which belongs in a module of its own";
/// More than any page with its source maps.
const INPUT_LEN_MAX: u64 = 1 << 29;
