//! Carries the plan out: prints the server's half and the client's half of every module.
//!
//! ```text
//! export const sign = backend({ … }, async (name: string) => env.storage…)
//!   server: import { env } from 'kontract/server'; export const sign = async (name) => env.storage…
//!   client: nothing; the stub takes its place
//! ```

use std::collections::{BTreeMap, BTreeSet};

use rayon::iter::{IntoParallelRefIterator, ParallelIterator};
use swc_common::{DUMMY_SP, SyntaxContext};
use swc_ecma_ast::{ExportSpecifier, Ident, ModuleDecl, ModuleExportName, ModuleItem};

use super::finish::text_of;
use super::imports::{Imports, SERVER};
use super::inline::Chains;
use super::optimize::{Calls, KnownPerms};
use super::parts::{Part, PartId, PartKind, Parts};
use super::passing::{Origin, Passed, What, export_item, passed_on};
use super::reach::{Reach, Target, bound, has_endpoints};
use super::recipe::{Half, Kept, Recipe, half, printed_path};
use super::{ClientModule, SplitModules, SplitOptions, Wanted, diagnostics};
use crate::contract::Contract;
use crate::diag::Diagnostic;
use crate::emit::build::export_name;
use crate::parse::module::ParsedModule;
use crate::parse::resolve::Resolution;
use crate::parse::types::flat::{FlatModule, flat_modules};
use crate::parse::{ModuleGraph, in_parallel};
use crate::source::{FileId, Location};

pub(super) fn apply(
    graph: &ModuleGraph,
    contract: &Contract,
    parts: &Parts<'_>,
    reach: &Reach,
    (options, wanted): (SplitOptions, Wanted),
) -> (SplitModules, Vec<Diagnostic>) {
    let chains = Chains::of(graph, contract);
    let calls = match wanted {
        Wanted::Both if options.optimize => Calls::of(graph, parts),
        Wanted::Both | Wanted::Client => Calls::default(),
    };
    let split = Split { graph, contract, parts, reach, chains: &chains, calls: &calls, options };
    let mut modules =
        SplitModules { chains: chains.of_endpoints(graph, contract), ..SplitModules::default() };
    let mut found = Vec::new();
    let mut exporting = Vec::new();
    let all: Vec<&ParsedModule> = graph.modules().collect();
    let made = |module: &&ParsedModule| module.in_globals(|| split.module(module, wanted));
    let made: Vec<Made> = in_parallel(|| all.par_iter().map(made).collect());
    for (module, Made { server, client, wrong }) in all.into_iter().zip(made) {
        let path = graph.output_path(module);
        found.extend(wrong);
        if let Some((half, recipe)) = server {
            if options.unbundled.is_some() {
                let recipe = Recipe { own: graph.encoded_own(module.file), ..recipe };
                // Chains of middlewares are made from more than their module.
                if !chains.are_in(module.file) {
                    modules.recipes.insert(module.path.clone(), recipe);
                }
                modules.links.insert(printed_path(&path), half.links);
            }
            modules.maps.insert(path.clone(), half.map);
            modules.server.insert(path.clone(), half.text);
        }
        if let Some(client) = client {
            let (exports, _) = split.client_names(module);
            if !exports.is_empty() {
                exporting.push((path.clone(), (module.file, exports)));
            }
            modules.client.insert(path, client);
        }
    }
    found.extend(declare(graph, contract, exporting, &mut modules));
    (modules, found)
}

/// What becomes of one module.
struct Made {
    server: Option<(Half, Recipe)>,
    client: Option<ClientModule>,
    wrong: Vec<Diagnostic>,
}

/// Says what the exports of the client's statements are, as types.
fn declare(
    graph: &ModuleGraph,
    contract: &Contract,
    exporting: Vec<(String, (FileId, BTreeSet<String>))>,
    modules: &mut SplitModules,
) -> Vec<Diagnostic> {
    let (paths, requests): (Vec<String>, Vec<_>) = exporting.into_iter().unzip();
    let reserved: BTreeSet<String> = contract.types.keys().cloned().collect();
    let (declared, found) = flat_modules(graph, &requests, &reserved);
    for (path, declarations) in paths.iter().zip(declared) {
        if let Some(client) = modules.client.get_mut(path) {
            client.declarations = declarations;
        }
    }
    found
}

/// Modules that would be printed to the path of another one.
pub(super) fn collisions(graph: &ModuleGraph, reach: &Reach) -> Vec<Diagnostic> {
    let in_client = &reach.present.files;
    let is_printed = |file: FileId| reach.server_modules.contains(&file) || in_client.contains(&file);
    let mut printed: BTreeMap<String, &ParsedModule> = BTreeMap::new();
    let mut found = Vec::new();
    for module in graph.modules().filter(|module| is_printed(module.file)) {
        if let Some(first) = printed.insert(graph.output_path(module), module) {
            let at = Location { file: module.file, start: 0, end: 0 };
            found.push(diagnostics::one_path(&first.path, &module.path, at));
        }
    }
    found
}

struct Split<'g> {
    graph: &'g ModuleGraph,
    parts: &'g Parts<'g>,
    reach: &'g Reach,
    chains: &'g Chains,
    calls: &'g Calls,
    contract: &'g Contract,
    options: SplitOptions,
}

impl Split<'_> {
    fn imports(&self) -> Imports<'_> {
        Imports { graph: self.graph, parts: self.parts, client: &self.reach.present.files }
    }

    fn module(&self, module: &ParsedModule, wanted: Wanted) -> Made {
        let mut wrong = Vec::new();
        let on_server = self.reach.server_modules.contains(&module.file);
        // What is wrong with the chains is seen where they are written.
        let is_printed = on_server && (wanted == Wanted::Both || self.chains.are_in(module.file));
        let printed = is_printed.then(|| self.server(module, &mut wrong));
        let server = printed.filter(|_| wanted == Wanted::Both);
        Made { server, client: self.client(module, self.contract), wrong }
    }

    /// The server's half of a module, and from what it is printed.
    fn server(&self, module: &ParsedModule, found: &mut Vec<Diagnostic>) -> (Half, Recipe) {
        let parts = self.parts.module(module.file);
        let mut recipe = Recipe {
            path: self.graph.output_path(module),
            classes: self.graph.classes(),
            platform: self.options.unbundled,
            ..Recipe::default()
        };
        let mut nodes = Vec::new();
        for (index, part) in parts.iter().enumerate() {
            let kept = self.is_on_server((module.file, index)).then(|| self.kept(module, part));
            if let Some(kept) = &kept {
                nodes.push((&part.node, kept.clone()));
                recipe.unresolved.extend(part.unresolved.iter().cloned());
            }
            recipe.parts.push(kept);
        }
        let optimize = self.options.optimize;
        let inline = |body: &mut Vec<ModuleItem>| {
            if optimize {
                KnownPerms::of(self.graph, self.parts, self.contract, (module, self.calls))
                    .fold(module, body);
            }
            let again = self.chains.write(module.file, body, optimize);
            found.extend(again.into_iter().map(|span| diagnostics::next_again(module.location(span))));
        };
        let mut led = BTreeMap::new();
        let lead = &mut |text: &str| {
            let to = self.imports().led(SERVER, module, text);
            led.insert(text.to_owned(), to.clone());
            Some(to)
        };
        let nodes = nodes.into_iter().map(|(node, kept)| (&**node, kept));
        let source = &self.graph.sources().file(module.file).text;
        let half = half((module, source), nodes, &recipe, lead, inline, optimize);
        recipe.led = led;
        (half, recipe)
    }

    /// Whether the server's half of a module has a part.
    fn is_on_server(&self, id: PartId) -> bool {
        !(has_endpoints(self.parts, id.0) && self.reach.client.contains(&id))
    }

    /// Leaves out of a part exports of types, which have no value, and of what only the client has.
    fn kept(&self, module: &ParsedModule, part: &Part<'_>) -> Kept {
        let ModuleItem::ModuleDecl(ModuleDecl::ExportNamed(export)) = &*part.node else { return Kept::Whole };
        let keeps = |specifier: &ExportSpecifier| {
            let ExportSpecifier::Named(named) = specifier else { return true };
            let name = named.orig.atom();
            let binding =
                match export.src.as_ref().map(|src| self.graph.resolve(module, &src.value.to_string_lossy()))
                {
                    None => self.graph.lookup(module.file, &name),
                    Some(Resolution::File(file)) => self.graph.exported(file, &name),
                    Some(Resolution::External | Resolution::Missing) => return true,
                };
            match bound(self.graph, self.parts, binding) {
                // Types have no parts.
                Target::Parts(ids) => ids.iter().any(|id| self.is_on_server(*id)),
                Target::Module(_) | Target::Outside => true,
            }
        };
        Kept::Exports(export.specifiers.iter().map(keeps).collect())
    }

    /// `None` for modules of which nothing goes to the client.
    fn client(&self, module: &ParsedModule, contract: &Contract) -> Option<ClientModule> {
        let endpoints: Vec<usize> = contract
            .endpoints
            .iter()
            .enumerate()
            .filter(|(_, endpoint)| endpoint.binding.file == module.file)
            .map(|(index, _)| index)
            .collect();
        let parts = self.parts.module(module.file).iter().enumerate();
        let kept: Vec<&Part<'_>> = parts
            .filter(|(index, _)| self.reach.client.contains(&(module.file, *index)))
            .map(|(_, part)| part)
            .collect();
        let passed = self.passed_on(module.file);
        if kept.is_empty() && passed.is_empty() {
            let stubs = ClientModule { endpoints, ..ClientModule::default() };
            return (!stubs.endpoints.is_empty()).then_some(stubs);
        }
        let mut body = self.imports().of_client(module, &kept);
        let statements = kept.iter().filter(|part| part.kind != PartKind::Import);
        body.extend(statements.map(|part| (*part.node).clone()));
        body.extend(self.client_exports(module, &kept));
        body.extend(self.export_items(module, &passed));
        let text = |body| text_of((module, self.graph.classes()), body, |_| {}, false, |_| {}).text;
        let (_, named) = self.client_names(module);
        let declarations = FlatModule::default();
        let passed = if named.is_empty() { String::new() } else { text(self.export_items(module, &named)) };
        Some(ClientModule { endpoints, statements: text(body), declarations, passed })
    }

    /// What a module passes on, as its statements.
    fn export_items(&self, module: &ParsedModule, passed: &[Passed]) -> Vec<ModuleItem> {
        let imports = self.imports();
        let source = |passed: &Passed| match &passed.from {
            Origin::Module(file) => imports.output_specifier(module, *file),
            Origin::Outside(file, named) => imports.outside(module, (*file, named)),
        };
        passed.iter().map(|passed| export_item(passed, source(passed))).collect()
    }

    fn passed_on(&self, file: FileId) -> Vec<Passed> {
        passed_on(self.graph, self.parts, &self.reach.client, &self.reach.present, file)
    }

    /// The names under which the client's half of a module exports what is its own or of others, and what declarations
    /// pass on as the module does.
    fn client_names(&self, module: &ParsedModule) -> (BTreeSet<String>, Vec<Passed>) {
        let (mut found, mut named, mut taken) = (BTreeSet::new(), Vec::new(), BTreeSet::new());
        let (mut seen, mut queue) = (BTreeSet::new(), vec![module.file]);
        while let Some(file) = queue.pop() {
            let Some(of) = self.graph.module(file).filter(|_| seen.insert(file)) else { continue };
            // `export *` leaves the default out.
            let is_there = |name: &str| file == module.file || name != "default";
            found.extend(self.own_names(of).into_iter().filter(|name| is_there(name)));
            for passed in self.passed_on(file) {
                match (&passed.what, &passed.from) {
                    // What a module says itself comes before what it has by `export *`.
                    (What::Name(name, _), _) if !is_there(name) || !taken.insert(name.clone()) => {}
                    (What::Name(name, _), _) if passed.flat => {
                        found.insert(name.clone());
                    }
                    (What::All, Origin::Module(from)) if passed.flat => queue.push(*from),
                    (What::Name(..) | What::All, _) => named.push(passed),
                }
            }
        }
        (found, named)
    }

    fn own_names(&self, module: &ParsedModule) -> BTreeSet<String> {
        let parts = self.parts.module(module.file).iter().enumerate();
        let kept = parts.filter(|(index, _)| self.reach.client.contains(&(module.file, *index)));
        let names = kept.flat_map(|(_, part)| {
            let default = matches!(
                *part.node,
                ModuleItem::ModuleDecl(ModuleDecl::ExportDefaultDecl(_) | ModuleDecl::ExportDefaultExpr(_))
            );
            let declared = part.declares.iter().flat_map(|local| module.export_names(local));
            declared.map(str::to_owned).chain(default.then(|| "default".to_owned())).collect::<Vec<_>>()
        });
        names.collect()
    }

    /// `export { local as name }` for what parts do not export by themselves.
    fn client_exports(&self, module: &ParsedModule, kept: &[&Part<'_>]) -> Option<ModuleItem> {
        let mut specifiers = Vec::new();
        // `export default name` is a statement of its own.
        let has_default = kept
            .iter()
            .any(|part| matches!(*part.node, ModuleItem::ModuleDecl(ModuleDecl::ExportDefaultExpr(_))));
        for part in kept {
            for local in &part.declares {
                let names = module.export_names(local).into_iter();
                let names = names.filter(|name| !(has_default && *name == "default"));
                for exported in names.filter(|name| !exports_itself(&part.node, local, name)) {
                    let orig = ModuleExportName::Ident(self.top_level_ident(module, local));
                    let renamed = (exported != local).then(|| export_name(exported));
                    specifiers.push(ExportSpecifier::Named(swc_ecma_ast::ExportNamedSpecifier {
                        span: DUMMY_SP,
                        orig,
                        exported: renamed,
                        is_type_only: false,
                    }));
                }
            }
        }
        let export =
            swc_ecma_ast::NamedExport { span: DUMMY_SP, specifiers, src: None, type_only: false, with: None };
        (!export.specifiers.is_empty()).then_some(ModuleItem::ModuleDecl(ModuleDecl::ExportNamed(export)))
    }

    fn top_level_ident(&self, module: &ParsedModule, name: &str) -> Ident {
        let context = SyntaxContext::empty().apply_mark(module.scopes.top_level);
        Ident::new(name.into(), DUMMY_SP, context)
    }
}

/// Whether a statement itself exports its name so: `export const name`, `export default function name`.
fn exports_itself(node: &ModuleItem, local: &str, exported: &str) -> bool {
    match node {
        ModuleItem::ModuleDecl(ModuleDecl::ExportDecl(_)) => local == exported,
        ModuleItem::ModuleDecl(ModuleDecl::ExportDefaultDecl(_)) => exported == "default",
        ModuleItem::ModuleDecl(_) | ModuleItem::Stmt(_) => false,
    }
}
