//! What the graph knows of every file: its imports, exports and names, without its tree.
//!
//! ```text
//! Module, Survey → ModuleSummary { specifiers, imports, exports, declarations, marks }
//! ```
//!
//! A summary is small, holds no syntax nodes, and is made from the text of its file alone, so that it can be kept for the
//! next run. Where a specifier leads depends on other files; the graph fills that in.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use swc_common::Span;
use swc_ecma_ast::{Decl, Expr, Module, ModuleDecl, ModuleItem, TsModuleDecl};

use super::module::{
    Decorators, Export, Imported, OWN_PACKAGE, OWN_SUBPATHS, SERVER_RUNTIME, Specifier, Tables, item_decl,
};
use super::survey::Survey;
use crate::source::FileId;

/// One file as the other files see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModuleSummary {
    /// Every specifier in the file, in order of position.
    pub(crate) specifiers: Vec<SpecifierUse>,
    pub(crate) imports: Vec<ImportedName>,
    pub(crate) exports: BTreeMap<String, Exported>,
    /// `export * from`, in order; places in `specifiers`.
    pub(crate) stars: Vec<usize>,
    /// Every name that the top level declares, and as what.
    pub(crate) declarations: BTreeMap<String, Declared>,
    /// What interfaces of the file extend: names of the top level.
    pub(crate) parents: Vec<String>,
    pub(crate) marks: Marks,
}

/// A summary as bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Encoded<B> {
    pub(crate) links: B,
    pub(crate) places: B,
}

/// A specifier where it is written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SpecifierUse {
    pub(crate) text: String,
    /// Byte offsets of the string.
    pub(crate) start: u32,
    pub(crate) end: u32,
    pub(crate) kind: SpecifierKind,
    /// Whether the statement takes a value, or has an effect. Never false where one does; names are not resolved.
    pub(crate) by_value: bool,
    /// The file it leads to; known once the graph is linked, and not kept.
    #[serde(skip)]
    pub(crate) target: Option<FileId>,
}

/// The form that a specifier is part of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum SpecifierKind {
    /// `import … from`
    Import,
    /// `export … from`
    ReExport,
    /// `import(…)`, `require(…)` or `import x = require(…)`
    Load,
    /// A pattern of `import.meta.glob(…)`, which leads nowhere by itself.
    Glob,
}

/// One imported binding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ImportedName {
    pub(crate) local: String,
    pub(crate) imported: Imported,
    /// The place in [`ModuleSummary::specifiers`].
    pub(crate) from: usize,
    /// `import type`
    pub(crate) type_only: bool,
    /// Byte offsets of the binding.
    pub(crate) start: u32,
    pub(crate) end: u32,
}

/// What is behind an exported name; [`Export`] without syntax.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Exported {
    Local(String),
    From(usize, Imported),
    Item(usize),
}

/// What a name is declared as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Declared {
    /// An interface or an alias, and nothing else.
    Type,
    /// Anything with a value.
    Value,
}

impl Declared {
    /// That of a name with two declarations.
    fn beside(self, other: Self) -> Self {
        match (self, other) {
            (Self::Type, Self::Type) => Self::Type,
            (Self::Value, _) | (_, Self::Value) => Self::Value,
        }
    }
}

/// What a file's text mentions. Each may be true without need, none false wrongly.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Marks {
    /// Decorators of the vocabulary.
    pub(crate) decorators: bool,
    /// `@backend` or `@mwfilter`.
    pub(crate) forms: bool,
    /// A function of kontract by its own name, bound by nothing else.
    pub(crate) own: bool,
    /// `ctx` or `env`, bound by nothing.
    pub(crate) injected: bool,
    /// `@primkey`, `@table` or `@scope`, in comments as well.
    pub(crate) tables: bool,
    /// Declarations for other modules: `declare global`, `declare module '…'`, or a file that is no module.
    pub(crate) augments: bool,
}

/// What a summary is made from.
pub(super) struct SummaryParts<'t> {
    pub(super) text: &'t str,
    pub(super) module: &'t Module,
    pub(super) tables: Tables,
    pub(super) survey: &'t Survey,
    pub(super) decorators: &'t Decorators,
}

impl ModuleSummary {
    pub(super) fn of(parts: SummaryParts<'_>) -> Self {
        let mut specifiers = specifiers(&parts);
        specifiers.sort_by_key(|specifier| specifier.start);
        let place = |from: &Specifier| {
            let found = specifiers.iter().position(|specifier| specifier.start == from.start);
            found.expect("invariant: every specifier of the tables is a statement's")
        };
        let (parents, marks) = (parents(parts.module), marks(&parts));
        let Tables { imports, exports, star_exports, declarations } = parts.tables;
        let imports = imports.into_iter().map(|import| ImportedName {
            local: import.local.sym.to_string(),
            imported: import.imported,
            from: place(&import.from),
            type_only: import.type_only,
            start: offset(import.local.span.lo.0),
            end: offset(import.local.span.hi.0),
        });
        let exports = exports.into_iter().map(|(name, export)| {
            let exported = match export {
                Export::Local(local) => Exported::Local(local),
                Export::From(from, imported) => Exported::From(place(&from), imported),
                Export::Item(index) => Exported::Item(index),
            };
            (name, exported)
        });
        let mut declared = BTreeMap::new();
        for (name, item) in declarations {
            let here = declared_as(parts.module, item);
            declared
                .entry(name)
                .and_modify(|known: &mut Declared| *known = known.beside(here))
                .or_insert(here);
        }
        Self {
            imports: imports.collect(),
            exports: exports.collect(),
            stars: star_exports.iter().map(place).collect(),
            declarations: declared,
            parents,
            marks,
            specifiers,
        }
    }

    /// As it is kept: what other files see, and apart from that where it is written, which most edits move.
    pub(crate) fn encode(&mut self) -> Encoded<Vec<u8>> {
        let places: Vec<(u32, u32)> =
            self.places().map(|(start, end)| (std::mem::take(start), std::mem::take(end))).collect();
        let links = encoded(self);
        self.put(&places);
        Encoded { links, places: encoded(&places) }
    }

    /// `None` for anything but what [`Self::encode`] made.
    pub(crate) fn decode(encoded: &Encoded<impl AsRef<[u8]>>) -> Option<Self> {
        let mut summary: Self = postcard::from_bytes(encoded.links.as_ref()).ok()?;
        let places: Vec<(u32, u32)> = postcard::from_bytes(encoded.places.as_ref()).ok()?;
        summary.put(&places);
        Some(summary)
    }

    fn put(&mut self, places: &[(u32, u32)]) {
        for ((start, end), place) in self.places().zip(places) {
            (*start, *end) = *place;
        }
    }

    fn places(&mut self) -> impl Iterator<Item = (&mut u32, &mut u32)> {
        let specifiers = self.specifiers.iter_mut().map(|used| (&mut used.start, &mut used.end));
        specifiers.chain(self.imports.iter_mut().map(|import| (&mut import.start, &mut import.end)))
    }

    /// The names that are only declared as types.
    pub(crate) fn types(&self) -> impl Iterator<Item = &str> {
        let types = self.declarations.iter().filter(|(_, declared)| **declared == Declared::Type);
        types.map(|(name, _)| name.as_str())
    }

    /// The import that binds a top-level name.
    pub(crate) fn import(&self, local: &str) -> Option<&ImportedName> {
        self.imports.iter().find(|import| import.local == local)
    }

    /// Where a specifier of the file leads.
    pub(crate) fn target(&self, text: &str) -> Option<FileId> {
        self.specifiers.iter().find(|specifier| specifier.text == text).and_then(|found| found.target)
    }

    /// The specifiers of modules whose trees somebody will ask for, as far as this one alone can tell: what server code runs,
    /// and what endpoints speak of.
    pub(crate) fn wanted(&self, is_wanted: bool) -> impl Iterator<Item = &str> {
        let Marks { forms, own, injected, .. } = self.marks;
        let runs = is_wanted || forms || own || injected;
        let wanted = self.specifiers.iter().filter(move |used| forms || own || (runs && used.by_value));
        wanted.map(|used| used.text.as_str())
    }

    /// The files that the module takes values from, or runs.
    pub(crate) fn value_targets(&self) -> impl Iterator<Item = FileId> {
        let by_value = self.specifiers.iter().filter(|specifier| specifier.by_value);
        by_value.filter_map(|specifier| specifier.target)
    }

    /// The files that exports of this one lead to.
    pub(crate) fn passed_on(&self) -> impl Iterator<Item = FileId> {
        let exports = self.exports.values().filter_map(|export| match export {
            Exported::Local(name) => self.import(name).map(|import| import.from),
            Exported::From(from, _) => Some(*from),
            Exported::Item(_) => None,
        });
        let places = exports.chain(self.stars.iter().copied());
        places.filter_map(|place| self.specifiers[place].target)
    }

    /// Whether the package `kontract` is named, or something below it.
    pub(crate) fn names_own_package(&self) -> bool {
        self.specifiers.iter().any(|used| used.text == OWN_PACKAGE || used.text.starts_with(OWN_SUBPATHS))
    }

    /// Whether the file takes something from the server half of the package `kontract`, or the whole package other than by
    /// an import declaration.
    pub(crate) fn loads_own_package(&self) -> bool {
        self.specifiers.iter().any(|specifier| match specifier.kind {
            SpecifierKind::Load => specifier.text == OWN_PACKAGE,
            SpecifierKind::Glob => false,
            SpecifierKind::Import | SpecifierKind::ReExport => {
                specifier.by_value && specifier.text == SERVER_RUNTIME
            }
        })
    }
}

fn specifiers(parts: &SummaryParts<'_>) -> Vec<SpecifierUse> {
    let made = |text: String, span: Span, kind: SpecifierKind, by_value: bool| SpecifierUse {
        text,
        start: offset(span.lo.0),
        end: offset(span.hi.0),
        kind,
        by_value,
        target: None,
    };
    let statements = parts.module.body.iter().filter_map(|item| {
        let ModuleItem::ModuleDecl(decl) = item else { return None };
        let (source, kind, by_value) = match decl {
            ModuleDecl::Import(import) => {
                let used = import.specifiers.iter().any(|specifier| {
                    !specifier.is_type_only() && parts.survey.used.contains(&specifier.local().sym)
                });
                let by_value = !import.type_only && (import.specifiers.is_empty() || used);
                (&import.src, SpecifierKind::Import, by_value)
            }
            ModuleDecl::ExportNamed(export) => {
                (export.src.as_ref()?, SpecifierKind::ReExport, !export.type_only)
            }
            ModuleDecl::ExportAll(export) => (&export.src, SpecifierKind::ReExport, !export.type_only),
            _ => return None,
        };
        Some(made(source.value.to_string_lossy().into_owned(), source.span, kind, by_value))
    });
    let found = |(text, span): &(String, Span), kind: SpecifierKind| made(text.clone(), *span, kind, true);
    let loads = parts.survey.loads.iter().map(|load| found(load, SpecifierKind::Load));
    let globs = parts.survey.globs.iter().map(|glob| found(glob, SpecifierKind::Glob));
    statements.chain(loads).chain(globs).collect()
}

/// As what an item of a module declares a name.
fn declared_as(module: &Module, item: usize) -> Declared {
    match module.body.get(item).and_then(item_decl) {
        Some(Decl::TsInterface(_) | Decl::TsTypeAlias(_)) => Declared::Type,
        Some(_) | None => Declared::Value,
    }
}

fn parents(module: &Module) -> Vec<String> {
    let interfaces = module.body.iter().filter_map(item_decl).filter_map(Decl::as_ts_interface);
    let parents = interfaces.flat_map(|interface| &interface.extends);
    let mut names: Vec<String> = parents
        .filter_map(|parent| match &*parent.expr {
            Expr::Ident(ident) => Some(ident.sym.to_string()),
            _ => None,
        })
        .collect();
    names.sort();
    names.dedup();
    names
}

fn marks(parts: &SummaryParts<'_>) -> Marks {
    let mut names = parts.decorators.values().flatten().map(|decorator| decorator.name.as_str());
    let has = |word: &str| memchr::memmem::find(parts.text.as_bytes(), word.as_bytes()).is_some();
    Marks {
        decorators: !parts.decorators.is_empty(),
        forms: names.any(|name| matches!(name, "backend" | "mwfilter")),
        own: parts.survey.mentions_own || parts.survey.mentions.own,
        injected: parts.survey.mentions.injected,
        tables: TABLE_MARKS.iter().any(|mark| has(mark)),
        augments: augments(&parts.module.body),
    }
}

fn augments(items: &[ModuleItem]) -> bool {
    let is_block = |block: &TsModuleDecl| block.global || block.id.is_str();
    items.iter().filter_map(item_decl).any(|decl| decl.as_ts_module().is_some_and(|block| is_block(block)))
        || is_script(items)
}

/// A file that is no module: what it declares is global.
pub(super) fn is_script(items: &[ModuleItem]) -> bool {
    !items.iter().any(|item| matches!(item, ModuleItem::ModuleDecl(_)))
}

fn encoded(value: &impl Serialize) -> Vec<u8> {
    // Nearly all have room in this, so that it does not grow again and again.
    let room = Vec::with_capacity(SUMMARY_BYTES);
    postcard::to_extend(value, room).expect("invariant: a summary has no form that postcard cannot write")
}

/// A position as an offset; each file starts at position 1.
fn offset(position: u32) -> u32 {
    position.saturating_sub(1)
}

const SUMMARY_BYTES: usize = 256;
/// What makes a declaration a table by itself.
const TABLE_MARKS: &[&str] = &["primkey", "@table", "@scope"];
