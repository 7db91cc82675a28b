//! kontract: a source-to-source compiler for full-stack TypeScript.
//!
//! ```text
//! project::load   files            → Sources, Project
//! parse::parse    Sources          → ModuleGraph
//! parse::extract  ModuleGraph      → Contract
//! contract::check Contract         → CheckedContract
//! split::split    graph + contract → LeakFree<SplitModules>
//! stubgen         contract + split → stubs, codecs, routes, schema, manifest
//! ```
//!
//! [`compile`] is this pipeline; everything in it is a pure function. The file system, processes and the terminal belong
//! to [`cli`], [`dev`] and [`bundle`].

pub mod artifact;
pub mod bundle;
pub mod cli;
pub mod contract;
pub mod cookbook;
pub mod dev;
pub mod diag;
pub mod emit;
pub mod migrate;
pub mod parse;
pub mod project;
pub mod source;
pub mod split;
pub mod stubgen;
pub mod system;

use artifact::Artifacts;
use contract::CheckedContract;
use diag::{Code, Diagnostic, Outcome};
use project::{Loaded, Project};
use source::Sources;
use split::{LeakFree, SplitModules};
use std::collections::BTreeMap;
use stubgen::{Identity, PinnedKey, Pins, StubError, StubInput};

/// A project that has no errors, in both halves.
pub struct Checked {
    project: Project,
    contract: CheckedContract,
    modules: LeakFree<SplitModules>,
}

/// Finds everything that is wrong with a project.
pub fn check(loaded: &Loaded) -> Outcome<Checked> {
    let read = match &loaded.project {
        Some(project) => Outcome::with(project.clone(), loaded.diagnostics.clone()).stop_on_errors(),
        None => Outcome::failed(loaded.diagnostics.clone()),
    };
    let sources = &loaded.sources;
    read.and_then(|project| {
        parse::parse(sources, &project).and_then(|graph| {
            let contract = parse::extract(&graph).and_then(|contract| contract::check(contract, sources));
            contract.and_then(|contract| {
                split::split(&graph, &contract).and_then(|modules| Outcome::of(Checked { project, contract, modules }))
            })
        })
    })
}

/// Compiles a project. `keys` are the gateway's static keys that its clients pin, the current one first.
pub fn compile(loaded: &Loaded, keys: &[PinnedKey]) -> Outcome<Artifacts> {
    check(loaded).and_then(|checked| match generate(&loaded.sources, checked, keys) {
        Ok(artifacts) => Outcome::of(artifacts),
        Err(error) => Outcome::failed(vec![stub_diagnostic(&error)]),
    })
}

fn generate(sources: &Sources, checked: Checked, keys: &[PinnedKey]) -> Result<Artifacts, StubError> {
    let Checked { project, contract, modules } = checked;
    let modules = modules.into_inner();
    let pins = Pins {
        suite: u16::from(project.suite),
        identity: Identity::of(contract.contract()),
        keys: keys.to_vec(),
    };
    let ptrs: BTreeMap<String, String> =
        contract.contract().tables.iter().map(|table| (table.name.clone(), format!("tbl_{}", table.name))).collect();
    let client_modules: BTreeMap<String, String> = modules
        .client
        .into_iter()
        .filter(|(_, module)| !module.statements.is_empty())
        .map(|(path, module)| (path, module.statements))
        .collect();
    let input = StubInput {
        project_name: &project.name,
        source_root: &project.source,
        pins: &pins,
        ptrs: &ptrs,
        client_modules: &client_modules,
    };
    let mut artifacts = stubgen::generate(&contract, sources, &input)?;
    for (path, text) in modules.server {
        artifacts.insert(format!(".kontract/server/src/{path}"), text.into_bytes());
    }
    artifacts.insert(".kontract/server/identity.json".to_owned(), stubgen::identity::to_json(&pins).into_bytes());
    Ok(artifacts)
}

/// What the back ends cannot lay out is an error of the types that the contract names.
fn stub_diagnostic(error: &StubError) -> Diagnostic {
    Diagnostic::error(Code::KT0303, error.to_string())
        .at(error.location(), "here")
        .why("both sides of a call need a layout for what it carries")
        .help("change the declaration as the message says")
}
