//! Imports of server code that lead nowhere: relative ones without a file, and those of the client.
//!
//! ```text
//! import { twice } from '@/client/api/calls';   in a module that the server runs   →   KT0005
//! ```

use swc_ecma_ast::{ModuleDecl, ModuleItem, Str};

use super::diagnostics;
use super::parts::Parts;
use super::reach::{Reach, client_source, has_endpoints};
use crate::diag::Diagnostic;
use crate::parse::ModuleGraph;
use crate::parse::module::ParsedModule;
use crate::parse::resolve::Resolution;

/// Where the Worker draws pages (`draws`), it has stubs as well.
pub(super) fn imports(graph: &ModuleGraph, parts: &Parts<'_>, reach: &Reach, draws: bool) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for module in graph.modules().filter(|module| reach.server_modules.contains(&module.file)) {
        let splits = has_endpoints(parts, module.file);
        let own = parts.module(module.file).iter().enumerate();
        let run: Vec<_> = own
            .filter(|(index, _)| !(splits && reach.client.contains(&(module.file, *index))))
            .map(|(_, part)| part)
            .collect();
        for part in &run {
            let Some((source, locals)) = source_of(&part.node) else { continue };
            let (specifier, at) = (source.value.to_string_lossy(), module.location(source.span));
            if graph.resolve(module, &specifier) == Resolution::Missing {
                found.push(diagnostics::missing_module(&specifier, at));
            }
            let is_used = |local: &String| run.iter().any(|part| part.refers.contains(local));
            if !draws && is_of_client(&specifier) && (locals.is_empty() || locals.iter().any(is_used)) {
                let declared = client_source(graph, &specifier).map(|module: &ParsedModule| &*module.path);
                found.push(diagnostics::client_on_server(&specifier, declared, at));
            }
        }
    }
    found
}

/// Where a statement takes values from, and the names that it gives them; a re-export gives none.
fn source_of(node: &ModuleItem) -> Option<(&Str, Vec<String>)> {
    let ModuleItem::ModuleDecl(decl) = node else { return None };
    match decl {
        ModuleDecl::Import(import) if !import.type_only => {
            let locals = import.specifiers.iter().map(|specifier| specifier.local().sym.to_string());
            Some((&*import.src, locals.collect()))
        }
        ModuleDecl::ExportAll(export) if !export.type_only => Some((&*export.src, Vec::new())),
        ModuleDecl::ExportNamed(export) if !export.type_only => {
            export.src.as_deref().map(|source| (source, Vec::new()))
        }
        _ => None,
    }
}

/// Whether a specifier means the client's half.
pub(super) fn is_of_client(specifier: &str) -> bool {
    specifier.strip_prefix("@/client").is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}
