//! Which modules can have to do with the server, judged by summaries.
//!
//! ```text
//! seeds     forms of kontract, middleware, uses of `ctx` and `env`, and what frontends take from `@/client/…`
//! involved  seeds, everything they run (imports of values, forwards), everything that runs them (backwards)
//! ```
//!
//! The split and extraction look at these modules and at no others. It may be too many, never too few: summaries compare
//! names without scopes.

use std::collections::{BTreeMap, BTreeSet};

use super::graph::ModuleGraph;
use super::module::{OWN_FUNCTIONS, OwnName};
use super::summary::ModuleSummary;
use crate::source::FileId;

/// The modules that can have to do with the server, in order.
pub(super) fn involved(graph: &ModuleGraph) -> Vec<FileId> {
    let server: Vec<FileId> = files(graph, |file, summary| is_server_code(graph, file, summary));
    let client = client_modules(graph);
    let run_by = closure(server.iter().chain(&client).copied(), |file| {
        graph.summary(file).into_iter().flat_map(ModuleSummary::value_targets).collect()
    });
    let importers = importers(graph);
    let running = closure(server.into_iter(), |file| importers.get(&file).cloned().unwrap_or_default());
    let decorated = files(graph, |_, summary| summary.marks.decorators);
    let all: BTreeSet<FileId> = run_by.into_iter().chain(running).chain(decorated).collect();
    all.into_iter().filter(|file| graph.summary(*file).is_some()).collect()
}

fn is_server_code(graph: &ModuleGraph, file: FileId, summary: &ModuleSummary) -> bool {
    let speaks_to_compiler = |name: &OwnName| match name {
        OwnName::Export(name) => OWN_FUNCTIONS.contains(&name.as_str()),
        OwnName::Package | OwnName::Module(_) => true,
    };
    let marks = &summary.marks;
    marks.forms
        || marks.own
        || marks.injected
        || summary.loads_own_package()
        || graph.own_imports(file).any(speaks_to_compiler)
}

/// The modules whose client half something imports.
fn client_modules(graph: &ModuleGraph) -> Vec<FileId> {
    let specifiers = graph.summaries().flat_map(|(_, summary)| &summary.specifiers);
    let wanted: BTreeSet<String> =
        specifiers.filter_map(|specifier| ModuleGraph::client_output(&specifier.text)).collect();
    if wanted.is_empty() {
        return Vec::new();
    }
    files(graph, |file, _| wanted.contains(&graph.output_of(file)))
}

fn importers(graph: &ModuleGraph) -> BTreeMap<FileId, Vec<FileId>> {
    let mut importers: BTreeMap<FileId, Vec<FileId>> = BTreeMap::new();
    for (file, summary) in graph.summaries() {
        for target in summary.value_targets() {
            importers.entry(target).or_default().push(file);
        }
    }
    importers
}

fn files(graph: &ModuleGraph, wanted: impl Fn(FileId, &ModuleSummary) -> bool) -> Vec<FileId> {
    graph.summaries().filter(|(file, summary)| wanted(*file, summary)).map(|(file, _)| file).collect()
}

fn closure(roots: impl Iterator<Item = FileId>, next: impl Fn(FileId) -> Vec<FileId>) -> BTreeSet<FileId> {
    let mut reached = BTreeSet::new();
    let mut queue: Vec<FileId> = roots.collect();
    while let Some(file) = queue.pop() {
        if reached.insert(file) {
            queue.extend(next(file));
        }
    }
    reached
}

#[cfg(test)]
mod tests {
    use crate::project;
    use crate::system::MemorySystem;

    #[test]
    fn only_what_the_server_can_run_or_be_run_by_gets_a_tree() {
        let files = [
            ("kontract.json", "{ \"name\": \"x\" }"),
            ("tsconfig.json", "{ \"compilerOptions\": { \"paths\": { \"@/*\": [\"./src/*\"] } } }"),
            (
                "src/api/entries.ts",
                "import { backend } from 'kontract';\nimport { clean } from '../clean';\nimport { Entry } from '../types';\nexport const sign = backend({}, async (e: Entry) => clean(e));\n",
            ),
            ("src/clean.ts", "export const clean = (x: unknown) => x;\n"),
            ("src/types.ts", "export interface Entry { name: string }\n"),
            ("src/asks.ts", "export const who = () => ctx.user;\n"),
            ("src/shared.ts", "export const shared = 1;\n"),
            (
                "src/page.tsx",
                "import { sign } from '@/client/api/entries';\nimport { shared } from '@/client/shared';\nimport type { Entry } from './types';\n",
            ),
            ("src/canvas.ts", "export const draw = (ctx: CanvasRenderingContext2D) => ctx.fill();\n"),
            // Names that something binds, or that only types have.
            (
                "src/system.ts",
                "export namespace System { export const backend = 1; export const own = backend; }\n",
            ),
            ("src/plugin.ts", "export interface Plugin { activate(ctx: unknown): typeof env }\n"),
            ("src/imports.ts", "import { env } from './system';\nexport const mode = env.mode;\n"),
            (
                "src/blur.ts",
                "import { IPerm } from './plugin';\nexport class Blur { @IPerm blur: unknown; }\n",
            ),
            // And names that nothing binds.
            ("src/alias.ts", "import made = backend;\nexport const also = made;\n"),
            ("src/misspelt.ts", "export class Misspelt { @prem read: unknown; }\n"),
            ("src/passing.ts", "export { backend } from 'kontract';\n"),
            ("src/direct.tsx", "import { sign } from './api/entries';\nsign();\n"),
            (
                "src/types_only.tsx",
                "import { sign } from './api/entries';\nexport type Sign = typeof sign;\n",
            ),
        ];
        let loaded = project::load(&MemorySystem::new(files));
        let project = loaded.project.expect("it is valid");
        let graph = crate::parse::parse(&loaded.sources, &project).value.expect("it parses");
        let paths: Vec<&str> = graph.modules().map(|module| module.path.as_str()).collect();
        let expected = [
            "src/alias.ts",
            "src/api/entries.ts",
            "src/asks.ts",
            "src/clean.ts",
            "src/direct.tsx",
            "src/misspelt.ts",
            "src/passing.ts",
            "src/shared.ts",
        ];
        assert_eq!(paths, expected);
    }
}
