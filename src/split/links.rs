//! What printed server modules import and export, for who serves them one by one, without a bundler.
//!
//! What they take of packages, and of files that are no server modules, is bundled apart, and comes through a module of its own
//! for each specifier, which exports what all of them take:
//!
//! ```text
//! import jwt, { sign } from 'jsonwebtoken'   →   import jwt, { sign } from '../../../packages/jsonwebtoken-9c1f2a07.js'
//! import * as all from 'jsonwebtoken'        →   import { $all as all } from '…'
//! import('jsonwebtoken')                     →   import('…').then((m) => m.$all)
//! ```
//!
//! A namespace comes as the object that the bundler makes of it, because nobody knows what a CommonJS module exports.

use std::collections::{BTreeMap, BTreeSet};

use swc_ecma_ast::{
    AutoAccessor, CallExpr, Callee, Decorator, ExportAll, ExportNamedSpecifier, ExportSpecifier, Expr,
    ImportDecl, ImportNamedSpecifier, ImportSpecifier, Lit, MemberExpr, ModuleDecl, ModuleExportName,
    ModuleItem, NamedExport, ObjectLit, Str, UsingDecl,
};
use swc_ecma_visit::{VisitMut, VisitMutWith, noop_visit_mut_type};
use xxhash_rust::xxh3::xxh3_64;

use crate::artifact::specifier;
use crate::emit::build::{arrow, call, export_name, ident, member};
use crate::parse::module::declared_names;
use crate::source::normalize_path;

/// The imports and exports of one printed module.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Links {
    /// What it takes of other server modules, by their paths.
    inside: BTreeMap<String, Taken>,
    /// What it takes of anything else, by specifiers as [`bundled`] has them.
    pub outside: BTreeMap<String, Taken>,
    /// What it asks the platform for.
    pub platform: BTreeSet<String>,
    /// The names of its exports, and the server modules whose names it passes on.
    exports: BTreeSet<String>,
    stars: BTreeSet<String>,
    /// What stands between it and the platform.
    pub needs: Needs,
}

/// What a module takes of another one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Taken {
    names: BTreeSet<String>,
    /// Its namespace.
    all: bool,
}

/// Whether the platform takes a printed module as it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Needs {
    /// It does.
    #[default]
    Nothing,
    /// It has syntax or names that the bundler writes out, in this module alone.
    Lowering,
    /// It means something only where all modules are bundled.
    Bundler,
}

/// Leads what a module takes from outside to the modules made for it, and says what it imports and exports. `printed` is its path
/// below the project, `unresolved` are the names that it does not declare, and `platform` has the modules that the platform
/// has without a prefix.
pub(super) fn link(
    printed: &str,
    body: &mut Vec<ModuleItem>,
    unresolved: &BTreeSet<&str>,
    platform: &[&str],
) -> Links {
    let mut linker = Linker { printed, platform, links: Links::default() };
    if LOWERED.iter().any(|name| unresolved.contains(name)) {
        linker.need(Needs::Lowering);
    }
    if COMMON_JS.iter().any(|name| unresolved.contains(name)) {
        linker.need(Needs::Bundler);
    }
    body.visit_mut_with(&mut linker);
    linker.links
}

/// Whether every name that a module takes of another one is there, so that all can be run without a bundler, whose words the
/// user would miss otherwise.
pub fn can_be_linked(modules: &BTreeMap<String, Links>) -> bool {
    let is_there = |(path, taken): (&String, &Taken)| {
        let names = |name: &String| exports(modules, path, name, &mut BTreeSet::new());
        modules.contains_key(path) && taken.names.iter().all(names)
    };
    modules.values().all(|links| {
        let passed_on = links.stars.iter().all(|path| modules.contains_key(path));
        links.needs < Needs::Bundler && passed_on && links.inside.iter().all(is_there)
    })
}

fn exports<'m>(
    modules: &'m BTreeMap<String, Links>,
    path: &'m str,
    name: &str,
    seen: &mut BTreeSet<&'m str>,
) -> bool {
    let Some(links) = modules.get(path).filter(|_| seen.insert(path)) else { return false };
    links.exports.contains(name)
        || (name != DEFAULT && links.stars.iter().any(|star| exports(modules, star, name, seen)))
}

/// The entries of what is bundled apart, by their paths, and the specifier of each: what all of these modules take, and whole modules.
pub fn entries<'s>(
    modules: &BTreeMap<String, Links>,
    whole: impl IntoIterator<Item = &'s str>,
) -> BTreeMap<String, (String, String)> {
    let mut all: BTreeMap<&str, (Taken, bool)> = BTreeMap::new();
    for (outside, taken) in modules.values().flat_map(|links| &links.outside) {
        let (sum, _) = all.entry(outside).or_default();
        sum.names.extend(taken.names.iter().cloned());
        sum.all |= taken.all;
    }
    for outside in whole {
        all.entry(outside).or_default().1 = true;
    }
    let text = |(outside, (taken, whole)): (&str, (Taken, bool))| {
        let from = match outside.strip_prefix("./") {
            Some(path) => specifier(&format!("{ENTRIES}/{}", file_name(outside)), path),
            None => outside.to_owned(),
        };
        let from = quoted(&from);
        let mut text = String::new();
        if taken == Taken::default() && !whole {
            text += &format!("import {from};\n");
        }
        if !taken.names.is_empty() {
            let names: Vec<String> = taken.names.iter().map(|name| spelled(name)).collect();
            text += &format!("export {{ {} }} from {from};\n", names.join(", "));
        }
        if taken.all {
            text += &format!("export * as {ALL} from {from};\n");
        }
        if whole {
            text += &format!("export * from {from};\n");
        }
        (format!("{ENTRIES}/{}", file_name(outside)), (outside.to_owned(), text))
    };
    all.into_iter().map(text).collect()
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn spelled(name: &str) -> String {
    match export_name(name) {
        ModuleExportName::Ident(ident) => ident.sym.to_string(),
        ModuleExportName::Str(_) => quoted(name),
    }
}

/// Where the bundle of a specifier lies: that of a package, or `./` and the path of a file below the project.
pub fn bundled(outside: &str) -> String {
    format!("{BUNDLED}/{}", file_name(outside))
}

/// A readable name that no other specifier has.
fn file_name(outside: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || c == '.' { c } else { '-' };
    let readable: String = outside.trim_start_matches(['.', '/', '@']).chars().map(plain).collect();
    format!("{readable}-{:016x}.js", xxh3_64(outside.as_bytes()))
}

struct Linker<'l> {
    printed: &'l str,
    platform: &'l [&'l str],
    links: Links,
}

/// Where a specifier of a printed module leads.
enum Leads {
    Platform,
    Inside(String),
    Outside(String),
}

impl Linker<'_> {
    fn need(&mut self, needs: Needs) {
        self.links.needs = self.links.needs.max(needs);
    }

    fn leads(&self, text: &str) -> Leads {
        if PREFIXES.iter().any(|prefix| text.starts_with(prefix)) || self.platform.contains(&text) {
            return Leads::Platform;
        }
        if !text.starts_with('.') {
            return Leads::Outside(text.to_owned());
        }
        let folder = self.printed.rsplit_once('/').map_or("", |(folder, _)| folder);
        match normalize_path(&format!("{folder}/{text}")) {
            Some(path) if path.starts_with(SERVER) => Leads::Inside(path),
            Some(path) => Leads::Outside(format!("./{path}")),
            None => Leads::Outside(text.to_owned()),
        }
    }

    /// Notes an import, and leads it to where it is; what is taken, and whether that is outside.
    fn led(&mut self, source: &mut Str) -> Option<(&mut Taken, bool)> {
        let text = source.value.to_string_lossy().into_owned();
        match self.leads(&text) {
            Leads::Platform => {
                self.links.platform.insert(text);
                None
            }
            Leads::Inside(path) => Some((self.links.inside.entry(path).or_default(), false)),
            Leads::Outside(outside) => {
                *source = Str::from(specifier(self.printed, &bundled(&outside)));
                Some((self.links.outside.entry(outside).or_default(), true))
            }
        }
    }

    /// JSON is what esbuild makes of it by its name as well.
    fn attributes(&mut self, with: &mut Option<Box<ObjectLit>>, outside: bool) {
        let Some(attributes) = with else { return };
        let is_json = attributes.props.iter().all(|prop| {
            let pair = prop.as_prop().and_then(|prop| prop.as_key_value());
            let value = pair.and_then(|pair| pair.value.as_lit());
            matches!(value, Some(Lit::Str(text)) if text.value.to_string_lossy() == "json")
        });
        if is_json && outside {
            *with = None;
        } else {
            self.need(Needs::Bundler);
        }
    }
}

impl VisitMut for Linker<'_> {
    noop_visit_mut_type!();

    fn visit_mut_import_decl(&mut self, import: &mut ImportDecl) {
        let Some((taken, outside)) = self.led(&mut import.src) else { return };
        for specifier in &mut import.specifiers {
            match specifier {
                ImportSpecifier::Default(_) => {
                    taken.names.insert(DEFAULT.to_owned());
                }
                ImportSpecifier::Named(named) => {
                    let name = named
                        .imported
                        .as_ref()
                        .map_or_else(|| named.local.sym.to_string(), |name| name.atom().to_string());
                    taken.names.insert(name);
                }
                ImportSpecifier::Namespace(all) if outside => {
                    taken.all = true;
                    *specifier = ImportSpecifier::Named(ImportNamedSpecifier {
                        span: all.span,
                        local: all.local.clone(),
                        imported: Some(export_name(ALL)),
                        is_type_only: false,
                    });
                }
                ImportSpecifier::Namespace(_) => {}
            }
        }
        self.attributes(&mut import.with, outside);
    }

    fn visit_mut_named_export(&mut self, export: &mut NamedExport) {
        for specifier in &export.specifiers {
            let exported = match specifier {
                ExportSpecifier::Namespace(all) => all.name.atom().to_string(),
                ExportSpecifier::Default(default) => default.exported.sym.to_string(),
                ExportSpecifier::Named(named) => {
                    named.exported.as_ref().unwrap_or(&named.orig).atom().to_string()
                }
            };
            self.links.exports.insert(exported);
        }
        let Some(source) = &mut export.src else { return };
        let Some((taken, outside)) = self.led(source) else { return };
        for specifier in &mut export.specifiers {
            match specifier {
                ExportSpecifier::Default(_) => {
                    taken.names.insert(DEFAULT.to_owned());
                }
                ExportSpecifier::Named(named) => {
                    taken.names.insert(named.orig.atom().to_string());
                }
                ExportSpecifier::Namespace(all) if outside => {
                    taken.all = true;
                    *specifier = ExportSpecifier::Named(ExportNamedSpecifier {
                        span: all.span,
                        orig: export_name(ALL),
                        exported: Some(all.name.clone()),
                        is_type_only: false,
                    });
                }
                ExportSpecifier::Namespace(_) => {}
            }
        }
        self.attributes(&mut export.with, outside);
    }

    fn visit_mut_export_all(&mut self, export: &mut ExportAll) {
        let text = export.src.value.to_string_lossy().into_owned();
        match self.leads(&text) {
            Leads::Inside(path) => {
                self.links.stars.insert(path);
            }
            // Which names these are is not known before they are bundled.
            Leads::Platform | Leads::Outside(_) => self.need(Needs::Bundler),
        }
        self.attributes(&mut export.with, false);
    }

    fn visit_mut_module_decl(&mut self, decl: &mut ModuleDecl) {
        match decl {
            ModuleDecl::ExportDecl(export) => self.links.exports.extend(declared_names(&export.decl)),
            ModuleDecl::ExportDefaultDecl(_) | ModuleDecl::ExportDefaultExpr(_) => {
                self.links.exports.insert(DEFAULT.to_owned());
            }
            ModuleDecl::TsImportEquals(_) | ModuleDecl::TsExportAssignment(_) => self.need(Needs::Bundler),
            ModuleDecl::Import(_)
            | ModuleDecl::ExportNamed(_)
            | ModuleDecl::ExportAll(_)
            | ModuleDecl::TsNamespaceExport(_) => {}
        }
        decl.visit_mut_children_with(self);
    }

    fn visit_mut_expr(&mut self, expr: &mut Expr) {
        expr.visit_mut_children_with(self);
        let Expr::Call(CallExpr { callee: Callee::Import(_), args, .. }) = expr else { return };
        let [source] = args.as_mut_slice() else { return self.need(Needs::Bundler) };
        let Expr::Lit(Lit::Str(source)) = &mut *source.expr else { return self.need(Needs::Bundler) };
        if let Some((taken, true)) = self.led(source) {
            taken.all = true;
            let imported = std::mem::replace(expr, ident(ALL));
            *expr = call(member(imported, "then"), vec![arrow(&["m"], member(ident("m"), ALL))]);
        }
    }

    /// `process.env.NODE_ENV`
    fn visit_mut_member_expr(&mut self, member: &mut MemberExpr) {
        if member.prop.as_ident().is_some_and(|name| name.sym == *"NODE_ENV") {
            self.need(Needs::Lowering);
        }
        member.visit_mut_children_with(self);
    }

    fn visit_mut_decorator(&mut self, decorator: &mut Decorator) {
        self.need(Needs::Lowering);
        decorator.visit_mut_children_with(self);
    }

    fn visit_mut_using_decl(&mut self, using: &mut UsingDecl) {
        self.need(Needs::Lowering);
        using.visit_mut_children_with(self);
    }

    fn visit_mut_auto_accessor(&mut self, accessor: &mut AutoAccessor) {
        self.need(Needs::Lowering);
        accessor.visit_mut_children_with(self);
    }
}

/// Where server modules lie.
const SERVER: &str = ".kontract/server/";
/// Where the entries of what is bundled apart lie, and their bundles.
pub const ENTRIES: &str = ".kontract/outside";
/// The bundles of [`ENTRIES`].
pub const BUNDLED: &str = ".kontract/packages";
/// The export that is a module's namespace.
const ALL: &str = "$all";
const DEFAULT: &str = "default";
/// What only the platform can have.
const PREFIXES: [&str; 2] = ["node:", "cloudflare:"];
/// Names that the bundler puts values in the place of.
const LOWERED: [&str; 2] = ["__dirname", "__filename"];
/// Names of CommonJS, which the bundler makes modules of.
const COMMON_JS: [&str; 3] = ["require", "module", "exports"];
