//! The Worker's half of a build: `dist/server`, bundled, and tried out before it is written.

use super::build::{Files, Mode, STAGE};
use super::error::CliError;
use super::report::Reporter;
use crate::bundle::esbuild::{self, Bundled};
use crate::bundle::findings::{self, Stage};
use crate::bundle::size::WorkerSize;
use crate::bundle::trial::{self, Trial};
use crate::bundle::{config, gateway};
use crate::diag::{Diagnostic, Severity};
use crate::project::{Plan, Project};
use crate::source::Sources;
use crate::stubgen;
use serde_json::json;
use std::collections::BTreeMap;
use std::path::Path;

/// What a Worker is built from.
pub(super) struct Build<'a> {
    pub(super) folder: &'a Path,
    pub(super) project: &'a Project,
    pub(super) sources: &'a Sources,
    pub(super) mode: Mode,
    pub(super) reporter: Reporter,
}

/// What became of a Worker.
pub(super) struct Bundle {
    pub(super) files: Files,
    /// Paths of what went in.
    pub(super) inputs: Vec<String>,
    /// For a Worker whose modules are served one by one: what is served in the place of staged modules.
    pub(super) served: Option<Files>,
}

/// `dist/server`, of the staged modules and the gateway. `importers` has for entries that staged modules import from elsewhere one of
/// these.
pub(super) fn bundle(
    build: &Build<'_>,
    gateway: &Files,
    importers: &BTreeMap<String, String>,
) -> Result<Bundle, CliError> {
    let stage = Stage { sources: build.sources, source_root: &build.project.source, importers };
    let entries = [format!("{STAGE}/worker.js")];
    let stubs = build.project.ssr.as_ref().map(|_| stubgen::DIRECT);
    let environment = build.mode.environment();
    let input = esbuild::Input { project: build.folder, entries: &entries, out: OUT, environment, stubs };
    let (mut modules, meta, lying) = match esbuild::bundle(input)? {
        Bundled::Modules { files, meta, folder } => (files, meta, folder),
        Bundled::Refused(words) => {
            build.reporter.diagnostics(build.sources, &findings::refused(&words, &stage));
            return Err(CliError::Project);
        }
    };
    if let Some(wasm) = gateway.get(&format!("{STAGE}/{}", gateway::WASM)) {
        modules.insert(gateway::WASM.to_owned(), wasm.clone());
    }
    build.report(findings::of_the_platform(&meta, &entries, &BTreeMap::new(), &stage))?;
    if build.mode == Mode::Production {
        build.try_out(lying.path(), &modules, &meta.later(&entries[0]), &stage)?;
    }
    let capnp = config::workerd_capnp(&modules);
    let assets = build.project.frontend.as_ref().map(|frontend| format!("../../{}", frontend.dist));
    modules.insert("workerd.capnp".to_owned(), capnp.into_bytes());
    modules.insert(
        "wrangler.json".to_owned(),
        config::wrangler_json(&build.project.name, assets.as_deref(), build.project.ssr.is_some())
            .into_bytes(),
    );
    let files = modules.into_iter().map(|(name, bytes)| (format!("{OUT}/{name}"), bytes));
    let inputs = meta.inputs().map(str::to_owned).collect();
    Ok(Bundle { files: files.collect(), inputs, served: None })
}

impl Build<'_> {
    /// Size and start-up, within the limits of where the Worker goes, and whether all of it can be loaded.
    fn try_out(
        &self,
        lying: &Path,
        modules: &Files,
        later: &[String],
        stage: &Stage<'_>,
    ) -> Result<(), CliError> {
        let size = WorkerSize::of(modules);
        self.report(size.judged(self.project.plan, modules).into_iter().collect())?;
        let (start_up, failures) = match trial::run(self.folder, lying, modules, later)? {
            Trial::Started { start_up, failures } => (start_up, failures),
            Trial::Refused(words) => return self.report(vec![findings::not_started(&words, modules, stage)]),
        };
        if start_up > trial::START_UP_MAX && self.project.plan != Plan::None {
            self.report(vec![findings::slow(start_up)])?;
        }
        self.report(failures.iter().map(|failure| findings::not_loaded(failure, modules, stage)).collect())?;
        self.reporter.say(format!("server: {size}, starts in {} ms", start_up.as_millis()));
        let start_up_ms = u64::try_from(start_up.as_millis()).unwrap_or(u64::MAX);
        self.reporter
            .event("worker", json!({ "bytes": size.raw, "gzipBytes": size.gzip, "startUpMs": start_up_ms }));
        Ok(())
    }

    pub(super) fn report(&self, found: Vec<Diagnostic>) -> Result<(), CliError> {
        if found.is_empty() {
            return Ok(());
        }
        self.reporter.diagnostics(self.sources, &found);
        let failed = found.iter().any(|diagnostic| diagnostic.severity == Severity::Error);
        if failed { Err(CliError::Project) } else { Ok(()) }
    }
}

/// Where a bundled Worker goes.
pub(super) const OUT: &str = "dist/server";
