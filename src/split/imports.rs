//! Where the imports of both halves lead. Printed files lie elsewhere than the sources do, and what is no source, such as JSON, stays
//! where it is.
//!
//! ```text
//! src/api/a.ts   import { b } from '@/b'            →   server/src/api/a.js   import { b } from '../b.js'
//!                import words from './words.json'   →                         import words from '../../../../src/api/words.json'
//! ```

use std::collections::{BTreeMap, BTreeSet};

use swc_common::DUMMY_SP;
use swc_ecma_ast::{
    CallExpr, Callee, ExportAll, Expr, Ident, ImportDecl, ImportDefaultSpecifier, ImportNamedSpecifier,
    ImportPhase, ImportSpecifier, ImportStarAsSpecifier, Lit, ModuleDecl, ModuleItem, NamedExport, Str,
};
use swc_ecma_visit::{VisitMut, VisitMutWith, noop_visit_mut_type};

use super::parts::{Part, Parts};
use super::reach::SERVER_RUNTIME;
use crate::artifact::specifier;
use crate::emit::build::export_name;
use crate::parse::ModuleGraph;
use crate::parse::graph::Binding;
use crate::parse::module::{Imported, ParsedModule};
use crate::parse::resolve::Resolution;
use crate::parse::survey::constant_text;
use crate::source::{FileId, normalize_path};

/// The imports of a project's modules.
#[derive(Clone, Copy)]
pub(super) struct Imports<'g> {
    pub(super) graph: &'g ModuleGraph,
    pub(super) parts: &'g Parts<'g>,
    /// The modules that the client has.
    pub(super) client: &'g BTreeSet<FileId>,
}

/// Where an import stands: in the order of the source, whether it takes names, and what it names.
type Place = (u32, bool, String);

impl Imports<'_> {
    /// Imports of exactly what the kept parts of a client module use, from where it is declared, and those among the kept
    /// parts that only have an effect, in the order of the source.
    pub(super) fn of_client(self, module: &ParsedModule, kept: &[&Part<'_>]) -> Vec<ModuleItem> {
        let used: BTreeSet<&str> = kept.iter().flat_map(|part| &part.refers).map(String::as_str).collect();
        let mut found: BTreeMap<Place, Vec<ImportSpecifier>> = BTreeMap::new();
        for part in self.parts.module(module.file) {
            if let Some(source) = self.run_for_effect(module, part, kept) {
                found.entry((part.span.lo.0, false, source)).or_default();
            }
        }
        for import in module.imports.iter().filter(|import| used.contains(&*import.local.sym)) {
            // Strings count from 0, parts from 1.
            let place = |names: bool, source: String| (import.from.start + 1, names, source);
            let through = import.from.target.filter(|file| self.is_in_client(*file));
            let (source, imported) = match self.graph.lookup(module.file, &import.local.sym) {
                Binding::Declared { file, name } => {
                    let exported = self.graph.module(file).and_then(|module| module.exported_as(&name));
                    let Some(exported) = exported else { continue };
                    (self.output_specifier(module, file), Imported::Name(exported.to_owned()))
                }
                Binding::Item { file, .. } => {
                    (self.output_specifier(module, file), Imported::Name("default".to_owned()))
                }
                Binding::Namespace { file } => (self.output_specifier(module, file), Imported::Namespace),
                Binding::External { from, package, name } => (self.outside(module, (from, &package)), name),
                // A package may have it that the other module passes on as a whole.
                Binding::Missing => match through {
                    Some(file) => (self.output_specifier(module, file), import.imported.clone()),
                    None => continue,
                },
            };
            // A module that the name only comes through is run first.
            let through = through.map(|file| self.output_specifier(module, file));
            if let Some(through) = through.filter(|through| *through != source) {
                found.entry(place(false, through)).or_default();
            }
            found
                .entry(place(true, source))
                .or_default()
                .push(import_specifier(import.local.clone(), &imported));
        }
        found.into_iter().flat_map(|((_, _, source), specifiers)| import_items(specifiers, &source)).collect()
    }

    /// What a statement of a client module imports without taking names: for its effect, or because it passes on what the client
    /// has of another module.
    fn run_for_effect(self, module: &ParsedModule, part: &Part<'_>, kept: &[&Part<'_>]) -> Option<String> {
        let ModuleItem::ModuleDecl(decl) = &*part.node else { return None };
        let passed_on = match decl {
            ModuleDecl::Import(import) => {
                let is_kept = kept.iter().any(|kept| kept.span == part.span);
                let source = import.src.value.to_string_lossy();
                return (part.has_effect() && is_kept).then(|| self.led(CLIENT, module, &source));
            }
            ModuleDecl::ExportNamed(export) if !export.type_only => export.src.as_deref()?,
            ModuleDecl::ExportAll(export) if !export.type_only => &*export.src,
            _ => return None,
        };
        match self.graph.resolve(module, &passed_on.value.to_string_lossy()) {
            Resolution::File(file) if self.is_in_client(file) => Some(self.output_specifier(module, file)),
            Resolution::File(_) | Resolution::External | Resolution::Missing => None,
        }
    }

    /// Whether the client has anything of a module.
    fn is_in_client(self, file: FileId) -> bool {
        self.client.contains(&file)
    }

    /// What a specifier of the source is in a file that is printed below `half`.
    pub(super) fn led(self, half: &str, module: &ParsedModule, text: &str) -> String {
        match self.graph.resolve(module, text) {
            Resolution::File(file) => self.output_specifier(module, file),
            Resolution::External => {
                self.content(half, module, (&module.path, text)).unwrap_or_else(|| text.to_owned())
            }
            Resolution::Missing => text.to_owned(),
        }
    }

    /// In the client's half of a module, what is no source as another file names it.
    pub(super) fn outside(self, printed: &ParsedModule, (file, named): (FileId, &str)) -> String {
        let path = &self.graph.sources().file(file).path;
        self.content(CLIENT, printed, (path, named)).unwrap_or_else(|| named.to_owned())
    }

    /// Where the content beside a file lies that it names by a relative path, from a printed module.
    fn content(self, half: &str, printed: &ParsedModule, (file, named): (&str, &str)) -> Option<String> {
        let (path, query) = named.split_at(named.find('?').unwrap_or(named.len()));
        let folder = file.rsplit_once('/').map_or("", |(folder, _)| folder);
        let content = normalize_path(&format!("{folder}/{path}")).filter(|_| named.starts_with('.'))?;
        Some(specifier(&format!("{half}/{}", self.graph.output_path(printed)), &content) + query)
    }

    pub(super) fn output_specifier(self, from: &ParsedModule, to: FileId) -> String {
        let target = self.graph.module(to).map(|module| self.graph.output_path(module)).unwrap_or_default();
        specifier(&self.graph.output_path(from), &target)
    }
}

/// Lets the imports of a server module lead to the printed files: `lead` says where a specifier does.
pub(super) fn redirect(body: &mut Vec<ModuleItem>, lead: &mut dyn FnMut(&str) -> Option<String>) {
    body.visit_mut_with(&mut Redirect { lead });
}

struct Redirect<'s> {
    lead: &'s mut dyn FnMut(&str) -> Option<String>,
}

impl Redirect<'_> {
    fn redirect(&mut self, source: &mut Str) {
        let text = source.value.to_string_lossy();
        if let Some(led) = (self.lead)(&text).filter(|led| *led != text) {
            *source = Str::from(led);
        }
    }
}

impl VisitMut for Redirect<'_> {
    noop_visit_mut_type!();

    fn visit_mut_import_decl(&mut self, import: &mut ImportDecl) {
        self.redirect(&mut import.src);
    }

    fn visit_mut_export_all(&mut self, export: &mut ExportAll) {
        self.redirect(&mut export.src);
    }

    fn visit_mut_named_export(&mut self, export: &mut NamedExport) {
        if let Some(source) = &mut export.src {
            self.redirect(source);
        }
    }

    fn visit_mut_call_expr(&mut self, call: &mut CallExpr) {
        if matches!(call.callee, Callee::Import(_))
            && let Some(argument) = call.args.first_mut()
            && let Some((text, _)) = constant_text(&argument.expr)
        {
            let mut source = Str::from(text);
            self.redirect(&mut source);
            *argument.expr = Expr::Lit(Lit::Str(source));
        }
        call.visit_mut_children_with(self);
    }
}

/// `import { name as local } from 'kontract/server'`
pub(super) fn import_of(local: Ident, name: &str) -> ModuleItem {
    import_item(vec![import_specifier(local, &Imported::Name(name.to_owned()))], SERVER_RUNTIME)
}

pub(super) fn named_import<'n>(names: impl Iterator<Item = &'n str>, source: &str) -> ModuleItem {
    let specifiers = names.map(|name| import_specifier(plain_ident(name), &Imported::Name(name.to_owned())));
    import_item(specifiers.collect(), source)
}

/// Named exports stand in one import, a namespace and a default export each in one of their own; without any, the module is
/// imported for what it does.
fn import_items(specifiers: Vec<ImportSpecifier>, source: &str) -> Vec<ModuleItem> {
    let (names, others): (Vec<_>, Vec<_>) = specifiers.into_iter().partition(ImportSpecifier::is_named);
    if names.is_empty() && others.is_empty() {
        return vec![import_item(Vec::new(), source)];
    }
    let groups = others.into_iter().map(|other| vec![other]).chain([names]);
    groups.filter(|group| !group.is_empty()).map(|group| import_item(group, source)).collect()
}

fn import_item(specifiers: Vec<ImportSpecifier>, source: &str) -> ModuleItem {
    ModuleItem::ModuleDecl(ModuleDecl::Import(ImportDecl {
        span: DUMMY_SP,
        specifiers,
        src: Box::new(Str::from(source)),
        type_only: false,
        with: None,
        phase: ImportPhase::Evaluation,
    }))
}

fn import_specifier(local: Ident, imported: &Imported) -> ImportSpecifier {
    match imported {
        Imported::Namespace => ImportSpecifier::Namespace(ImportStarAsSpecifier { span: DUMMY_SP, local }),
        Imported::Name(name) if name == "default" => {
            ImportSpecifier::Default(ImportDefaultSpecifier { span: DUMMY_SP, local })
        }
        Imported::Name(name) => {
            let imported = (*name != *local.sym).then(|| export_name(name));
            ImportSpecifier::Named(ImportNamedSpecifier {
                span: DUMMY_SP,
                local,
                imported,
                is_type_only: false,
            })
        }
    }
}

fn plain_ident(name: &str) -> Ident {
    Ident::new_no_ctxt(name.into(), DUMMY_SP)
}

/// Where the halves are printed, as deep below the project as all folders of clients are.
pub(super) const SERVER: &str = ".kontract/server/src";
const CLIENT: &str = ".kontract/client";
