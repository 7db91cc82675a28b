//! `kontract check`: every problem of a project, and every type error that its own TypeScript finds.
//!
//! TypeScript needs the declarations that the compiler makes. They seldom change between two checks, so that it starts
//! on those of the last one while the compiler works, and again only if they turn out to be others.

use super::args::CheckArgs;
use super::cache_folder::CacheFolder;
use super::error::CliError;
use super::frozen;
use super::os_system::OsSystem;
use super::report::Reporter;
use super::shadow::Tree;
use super::syntax;
use super::tsc::{Answer, Run, Tsc};
use crate::artifact::Artifacts;
use crate::diag::Severity;
use crate::parse::blanked;
use crate::project::{Loaded, Project, load};
use crate::recheck::{Rechecked, Wanted, recheck};
use crate::source::Sources;
use crate::typecheck::{self, Checked, Message, Shadow, TSCONFIG, TsConfig, is_declaration};
use serde_json::json;
use std::path::Path;

/// Reports every problem; writes nothing outside of `.kontract`, not even secrets.
pub(super) fn run(args: &CheckArgs, reporter: Reporter) -> Result<(), CliError> {
    let folder = &args.project.project;
    let system = OsSystem::new(folder)?;
    if args.no_types && !args.frozen {
        alone(&system, Wanted::Diagnostics, reporter)?;
        reporter.say("no errors");
        reporter.event("checked", json!({ "types": false }));
        return Ok(());
    }
    let loaded = load(&system);
    let types = if args.no_types { Types::Unwanted } else { Types::start(folder, &system, &loaded)? };
    let made = match args.frozen {
        true => frozen::compile(folder, &system, &loaded, reporter),
        false => alone(&system, Wanted::Declarations, reporter),
    };
    let were_checked = match (made, types) {
        (Ok(made), Types::Running(running)) => {
            running.finish(&made, reporter)?;
            true
        }
        (Ok(_), Types::Missing) => {
            reporter.diagnostics(&Sources::default(), &[typecheck::not_installed()]);
            false
        }
        (Ok(_), Types::Unwanted) => false,
        (Err(error), Types::Running(_)) => {
            reporter.say("types were not checked; they are once these errors are mended");
            return Err(error);
        }
        (Err(error), Types::Missing | Types::Unwanted) => return Err(error),
    };
    reporter.say("no errors");
    reporter.event("checked", json!({ "types": were_checked }));
    Ok(())
}

/// What the compiler finds by itself, which takes over from the last check what still holds; the declarations it makes,
/// if they are wanted.
fn alone(system: &OsSystem, wanted: Wanted, reporter: Reporter) -> Result<Artifacts, CliError> {
    let checked = recheck(system, &CacheFolder::of(system), wanted);
    syntax::report(system.root(), &checked.sources, &checked.diagnostics, reporter);
    if has_errors(&checked) {
        return Err(CliError::Project);
    }
    Ok(checked.declarations.unwrap_or_default())
}

/// Reports a project that has errors, sooner than a build would.
pub(super) fn refuse_errors(folder: &Path, checked: &Rechecked, reporter: Reporter) -> Result<(), CliError> {
    if !has_errors(checked) {
        return Ok(());
    }
    syntax::report(folder, &checked.sources, &checked.diagnostics, reporter);
    Err(CliError::Project)
}

fn has_errors(checked: &Rechecked) -> bool {
    checked.diagnostics.iter().any(|diagnostic| diagnostic.severity == Severity::Error)
}

/// The check of types.
enum Types {
    /// Asked not to, or there is no usable configuration.
    Unwanted,
    /// The project has no TypeScript.
    Missing,
    /// Under way, on the declarations of the last check.
    Running(Box<Running>),
}

struct Running {
    tsc: Tsc,
    tree: Tree,
    shadow: Shadow,
    run: Run,
    /// The declarations that it runs on.
    declared: Artifacts,
}

impl Types {
    fn start(folder: &Path, system: &OsSystem, loaded: &Loaded) -> Result<Self, CliError> {
        let Some(project) = &loaded.project else { return Ok(Self::Unwanted) };
        let Some(tsc) = Tsc::of(folder) else { return Ok(Self::Missing) };
        let tree = Tree::open(folder)?;
        let configs = TsConfig::discover(&starts(&tree, system, project), &|path| tree.read(path));
        let texts = blanked(&loaded.sources);
        let mut shadow = Shadow::new(tree.project(), &project.source, &texts, &configs);
        let declared = tree.declared();
        shadow.declare(&declared);
        tree.lay(&shadow)?;
        let run = Run::start(&tsc, &tree, &shadow);
        Ok(Self::Running(Box::new(Running { tsc, tree, shadow, run, declared })))
    }
}

impl Running {
    /// Reports what TypeScript says of the project with these declarations among its generated files.
    fn finish(mut self, made: &Artifacts, reporter: Reporter) -> Result<(), CliError> {
        let fresh: Artifacts = made
            .iter()
            .filter(|(path, _)| is_declaration(path))
            .map(|(path, bytes)| (path.clone(), bytes.clone()))
            .collect();
        if fresh != self.declared {
            self.run.stop();
            self.shadow.declare(&fresh);
            self.tree.lay(&self.shadow)?;
            self.run = Run::start(&self.tsc, &self.tree, &self.shadow);
        }
        let mut messages = Vec::new();
        for answer in self.run.finish()? {
            messages.extend(understood(answer, reporter)?);
        }
        let checked =
            Checked::of(&messages, &self.shadow, &|path| self.tree.read(path), self.tree.spellings());
        if checked.diagnostics.is_empty() {
            return Ok(());
        }
        reporter.diagnostics(&checked.sources, &checked.diagnostics);
        Err(CliError::Project)
    }
}

/// The messages of one program's check.
fn understood(answer: Answer, reporter: Reporter) -> Result<Vec<Message>, CliError> {
    let (messages, strange) = Message::parse(&answer.stdout);
    let words = strange.unwrap_or_else(|| answer.stderr.trim().to_owned());
    if answer.status.code().is_none() || (!answer.status.success() && messages.is_empty()) {
        return Err(CliError::environment(
            format!("TypeScript ended without an answer ({}): {words}", answer.status),
            "run `npx tsc --version` to see whether it works",
        ));
    }
    if !words.is_empty() {
        reporter.say(words);
    }
    Ok(messages)
}

/// The configurations by which an editor finds the project's files: its own, and those in folders of its sources.
fn starts(tree: &Tree, system: &OsSystem, project: &Project) -> Vec<String> {
    let below = system.configurations(&project.source);
    let paths = [TSCONFIG.to_owned()].into_iter().chain(below);
    paths.map(|path| tree.path(&path)).collect()
}
