//! From what the server's half of a module is printed besides its text, so that it can be printed again after an edit inside of its
//! functions, without a look at any other module.
//!
//! ```text
//! Recipe: which statements the server has, where their imports lead      module, Recipe  →  Half: text, map, links
//! ```
//!
//! A recipe holds as long as the module's gist is the same (`gist.rs`).

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use swc_ecma_ast::{CallExpr, Expr, ModuleDecl, ModuleItem};
use swc_ecma_visit::{VisitMut, VisitMutWith, noop_visit_mut_type};

use super::classes::Classes;
use super::finish::text_of;
use super::imports::{SERVER, named_import, redirect};
use super::links::{Links, link};
use super::parts::separated;
use super::reach::{INJECTED, SERVER_RUNTIME};
use crate::emit::sourcemap::SourceMap;
use crate::parse::extract::is_call_of;
use crate::parse::module::ParsedModule;
use crate::parse::{again, on_deep_stack};
use crate::source::{FileId, Sources};

/// What the server's half of a module is printed from, besides the module.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Recipe {
    /// Where it goes, relative to the source folder.
    pub(super) path: String,
    pub(super) classes: Classes,
    pub(super) platform: Option<&'static [&'static str]>,
    /// What it has of each part, in source order.
    pub(super) parts: Vec<Option<Kept>>,
    /// Where specifiers lead.
    pub(super) led: BTreeMap<String, String>,
    /// Names that it does not declare.
    pub(super) unresolved: BTreeSet<String>,
    /// What its imported names mean of the package `kontract`, for [`again`].
    pub(super) own: Vec<u8>,
}

/// What is kept of a part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kept {
    Whole,
    /// Of the names that it exports, these.
    Exports(Vec<bool>),
}

/// The server's half of a module.
pub struct Half {
    /// JavaScript.
    pub text: String,
    /// Where it comes from.
    pub map: SourceMap,
    /// What it imports and exports, where that is asked for.
    pub links: Links,
}

impl Recipe {
    /// Where the half is printed, relative to the source folder.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Prints the half of a module whose text is another one inside of its functions. `None` if it is not so.
    pub fn print(&self, sources: &Sources, file: FileId) -> Option<Half> {
        let module = again(sources, file, &self.own)?;
        on_deep_stack(|| {
            module.in_globals(|| {
                let parts: Vec<Cow<'_, ModuleItem>> = module.items().iter().flat_map(separated).collect();
                if parts.len() != self.parts.len() {
                    return None;
                }
                let kept = parts.iter().zip(&self.parts);
                let kept = kept.filter_map(|(node, kept)| Some((&**node, kept.clone()?)));
                let mut is_known = true;
                let lead = &mut |text: &str| {
                    let to = self.led.get(text).cloned();
                    is_known &= to.is_some();
                    to
                };
                let source = &sources.file(file).text;
                let half = half((&module, source), kept, self, lead, |_| {}, false);
                is_known.then_some(half)
            })
        })
    }
}

/// Prints a half from the parts that it has; `source` is the module's text as its user has it. `lead` says where a specifier leads.
pub(super) fn half<'n>(
    (module, source): (&ParsedModule, &str),
    parts: impl Iterator<Item = (&'n ModuleItem, Kept)>,
    recipe: &Recipe,
    lead: &mut dyn FnMut(&str) -> Option<String>,
    inline: impl FnOnce(&mut Vec<ModuleItem>),
    optimize: bool,
) -> Half {
    let mut body: Vec<ModuleItem> = parts.filter_map(|(node, kept)| item(node, &kept)).collect();
    body.visit_mut_with(&mut Unwrap { module });
    redirect(&mut body, lead);
    let unresolved: BTreeSet<&str> = recipe.unresolved.iter().map(String::as_str).collect();
    let mut links = Links::default();
    let printed = text_of((module, recipe.classes), body, inline, optimize, |body| {
        let injected = unresolved.iter().copied().filter(|name| INJECTED.contains(name));
        let injected: Vec<&str> = injected.collect();
        if !injected.is_empty() {
            body.insert(0, named_import(injected.into_iter(), SERVER_RUNTIME));
        }
        if let Some(platform) = recipe.platform {
            links = link(&printed_path(&recipe.path), body, &unresolved, platform);
        }
    });
    let map = SourceMap::of(module.path.clone(), source, &printed.places);
    Half { text: printed.text, map, links }
}

fn item(node: &ModuleItem, kept: &Kept) -> Option<ModuleItem> {
    let (ModuleItem::ModuleDecl(ModuleDecl::ExportNamed(export)), Kept::Exports(kept)) = (node, kept) else {
        return Some(node.clone());
    };
    let mut export = export.clone();
    let mut kept = kept.iter();
    export.specifiers.retain(|_| kept.next().copied().unwrap_or(true));
    let empty = export.specifiers.is_empty() && export.src.is_none();
    (!empty).then_some(ModuleItem::ModuleDecl(ModuleDecl::ExportNamed(export)))
}

/// Takes `backend(…)`, `mwfilter(…)` and `defineMiddleware(…)` off.
struct Unwrap<'m> {
    module: &'m ParsedModule,
}

impl VisitMut for Unwrap<'_> {
    noop_visit_mut_type!();

    fn visit_mut_expr(&mut self, expr: &mut Expr) {
        while let Some(inner) = expr.as_mut_call().and_then(|call| self.inner(call)) {
            *expr = inner;
        }
        expr.visit_mut_children_with(self);
    }
}

impl Unwrap<'_> {
    /// The last argument of a call that only speaks to the compiler.
    fn inner(&self, call: &mut CallExpr) -> Option<Expr> {
        let ours = WRAPPERS.iter().any(|name| is_call_of(self.module, call, name));
        if ours { call.args.pop().map(|argument| *argument.expr) } else { None }
    }
}

/// Where a server module is printed below the project, by its path among the sources.
pub(super) fn printed_path(path: &str) -> String {
    format!("{SERVER}/{path}")
}

/// Functions of `kontract` whose calls vanish.
const WRAPPERS: &[&str] = &["backend", "mwfilter", "defineMiddleware"];
