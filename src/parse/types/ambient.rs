//! Exports of packages: those of their declaration files, `export =` included, and of `declare module 'name' { … }`, which
//! a file of the project, of the package itself or of a package in force without an import may hold.
//!
//! ```text
//! declare module 'table' { export interface Row { … } }
//!   import { Row } from 'table'   →   the symbol `ambient:0.Row` of the module in which the block stands
//! ```

use std::collections::BTreeSet;
use std::rc::Rc;

use swc_ecma_ast::{Expr, ImportSpecifier, ModuleDecl, ModuleItem, TsModuleName, TsNamespaceBody};

use super::augmentations::Block;
use super::evaluator::Evaluator;
use super::model::{Env, ModuleRef, Target};
use super::namespaces::exported;
use super::symbols::DEFAULT;
use crate::parse::module::{Imported, item_decl};
use crate::source::FileId;

/// Blocks of modules that are no files.
#[derive(Default)]
pub(super) struct AmbientModules<'g>(Vec<Ambient<'g>>);

/// All blocks of one specifier, which may hold one `*`.
struct Ambient<'g> {
    specifier: String,
    blocks: Vec<Block<'g>>,
}

impl<'g> AmbientModules<'g> {
    pub(super) fn add(&mut self, specifier: &str, module: ModuleRef<'g>, items: &'g [ModuleItem]) {
        match self.0.iter_mut().find(|known| known.specifier == specifier) {
            Some(known) => known.blocks.push((module, items)),
            None => {
                let specifier = specifier.to_owned();
                self.0.push(Ambient { specifier, blocks: vec![(module, items)] });
            }
        }
    }

    /// The place of the module that a specifier means: its own, or that of the pattern with the longest prefix.
    fn place(&self, specifier: &str) -> Option<usize> {
        let exact = self.0.iter().position(|known| known.specifier == specifier);
        let matching = self.0.iter().enumerate().filter_map(|(place, known)| {
            let (prefix, suffix) = known.specifier.split_once('*')?;
            specifier.strip_prefix(prefix)?.strip_suffix(suffix)?;
            Some((prefix.len(), place))
        });
        exact.or_else(|| matching.max_by_key(|(prefix, _)| *prefix).map(|(_, place)| place))
    }
}

/// Whether a symbol's path is that of a module that is no file, or of something in it.
pub(super) fn is_ambient(path: &str) -> bool {
    path.starts_with(AMBIENT)
}

/// Whether a symbol's path is that of a module that is no file.
pub(super) fn is_module(path: &str) -> bool {
    is_ambient(path) && !path.contains('.')
}

impl<'g> Evaluator<'g> {
    /// An export of what is no file of the project, or all of it.
    pub(super) fn of_package(&mut self, from: FileId, package: String, wanted: &Imported) -> Target {
        let found = match self.module_of(from) {
            Some(importer) => self.sought_once(importer.id, &format!("{package}:{wanted:?}"), |types| {
                types.declared_by_package(from, &package, wanted)
            }),
            None => Target::Missing,
        };
        if found != Target::Missing {
            return found;
        }
        let name = match wanted {
            Imported::Name(name) => name.clone(),
            Imported::Namespace => "*".to_owned(),
        };
        Target::External { package, name }
    }

    fn declared_by_package(&mut self, from: FileId, package: &str, wanted: &Imported) -> Target {
        let module = self.graph.types_of(from, package).and_then(|file| self.module_of(file));
        if let Some(module) = module {
            self.read_blocks(module, package);
        }
        let known = self.ambient_place(package);
        if known.is_none() && module.is_none() {
            // `node:fs` is declared by what is in force without an import.
            self.load_global_types();
        }
        match (self.ambient_place(package), module) {
            (Some(place), _) => self.of_blocks(&format!("{AMBIENT}{place}"), wanted),
            (None, Some(module)) => match wanted {
                Imported::Name(name) => self.export(module.id, name),
                Imported::Namespace => self.assigned_or(module),
            },
            (None, None) => Target::Missing,
        }
    }

    fn of_blocks(&mut self, space: &str, wanted: &Imported) -> Target {
        match wanted {
            Imported::Name(name) => self.ambient_export(space, name),
            Imported::Namespace => match self.ambient_assigned(space) {
                Target::Missing => self.ambient_symbol(space),
                assigned => assigned,
            },
        }
    }

    fn ambient_place(&mut self, specifier: &str) -> Option<usize> {
        self.load_augmentations();
        self.augmentations.as_ref().and_then(|found| found.ambient.place(specifier))
    }

    /// Finds the blocks in a package's own file, once.
    fn read_blocks(&mut self, module: ModuleRef<'g>, package: &str) {
        if self.ambient_place(package).is_some() {
            return;
        }
        for item in module.module.items() {
            let Some(block) = item_decl(item).and_then(|decl| decl.as_ts_module()) else { continue };
            if let (TsModuleName::Str(specifier), Some(TsNamespaceBody::TsModuleBlock(body)), Some(found)) =
                (&block.id, &block.body, &mut self.augmentations)
            {
                found.ambient.add(&specifier.value.to_string_lossy(), module, &body.body);
            }
        }
        // What the project adds to the package adds to the block.
        let added = self.augmentations.as_ref().and_then(|found| found.added_to(module.module.file));
        if self.ambient_place(package).is_some()
            && let Some(found) = &mut self.augmentations
        {
            added.into_iter().flatten().for_each(|(from, items)| found.ambient.add(package, from, items));
        }
    }

    /// The blocks of the module in which a path lies.
    pub(super) fn ambient_blocks(&self, path: &str) -> Vec<Block<'g>> {
        let place = path.strip_prefix(AMBIENT).and_then(|rest| rest.split('.').next()?.parse::<usize>().ok());
        let found = self.augmentations.as_ref();
        place.and_then(|place| Some(found?.ambient.0.get(place)?.blocks.clone())).unwrap_or_default()
    }

    fn ambient_symbol(&mut self, path: &str) -> Target {
        match self.ambient_blocks(path).first() {
            Some((module, _)) => Target::Symbol(self.symbol(module.id, path)),
            None => Target::Missing,
        }
    }

    /// What such a module exports under a name. Whatever it declares is exported.
    pub(super) fn ambient_export(&mut self, space: &str, name: &str) -> Target {
        let Some((module, _)) = self.ambient_blocks(space).first().copied() else { return Target::Missing };
        self.sought_once(module.id, &format!("{space}.{name}"), |types| types.exported_by_blocks(space, name))
    }

    fn exported_by_blocks(&mut self, space: &str, name: &str) -> Target {
        if name != DEFAULT
            && let Target::Symbol(symbol) = self.ambient_symbol(&format!("{space}.{name}"))
            && !self.declarations(symbol).is_empty()
        {
            return Target::Symbol(symbol);
        }
        for (module, items) in self.ambient_blocks(space) {
            let env = Env { space: space.into(), ..Env::top(module) };
            for item in items {
                let ModuleItem::ModuleDecl(decl) = item else { continue };
                let found = match decl {
                    ModuleDecl::ExportNamed(export) => self.ambient_re_export(export, name, &env),
                    ModuleDecl::ExportAll(export) if name != DEFAULT => {
                        let from = self.imported(&export.src.value.to_string_lossy(), &env);
                        self.member_if_declared(&from, name)
                    }
                    ModuleDecl::TsImportEquals(import) if import.id.sym == *name => {
                        self.import_equals_of(&import.module_ref, &env)
                    }
                    ModuleDecl::ExportDefaultExpr(export) if name == DEFAULT => match &*export.expr {
                        Expr::Ident(ident) => self.name(&ident.sym, &env),
                        _ => Target::Missing,
                    },
                    _ => Target::Missing,
                };
                if found != Target::Missing {
                    return found;
                }
            }
        }
        match self.ambient_assigned(space) {
            Target::Missing => Target::Missing,
            assigned if name == DEFAULT => assigned,
            assigned => self.member_if_declared(&assigned, name),
        }
    }

    fn ambient_re_export(
        &mut self,
        export: &'g swc_ecma_ast::NamedExport,
        name: &str,
        env: &Env<'g>,
    ) -> Target {
        for specifier in &export.specifiers {
            let swc_ecma_ast::ExportSpecifier::Named(named) = specifier else { continue };
            let exported = named.exported.as_ref().unwrap_or(&named.orig);
            if *exported.atom() != *name {
                continue;
            }
            let orig = named.orig.atom().to_string();
            return match &export.src {
                Some(from) => {
                    let from = self.imported(&from.value.to_string_lossy(), env);
                    self.member(&from, &orig)
                }
                None => self.name(&orig, env),
            };
        }
        Target::Missing
    }

    /// The names that such a module exports, but for `default`.
    pub(super) fn ambient_names(&mut self, space: &str) -> BTreeSet<String> {
        let mut names = BTreeSet::new();
        self.add_ambient_names(space, &mut names, &mut BTreeSet::new());
        names
    }

    fn add_ambient_names(
        &mut self,
        space: &str,
        names: &mut BTreeSet<String>,
        entered: &mut BTreeSet<String>,
    ) {
        if !entered.insert(space.to_owned()) {
            return;
        }
        for (module, items) in self.ambient_blocks(space) {
            let env = Env { space: space.into(), ..Env::top(module) };
            for item in items {
                names.extend(exported(item, true));
                let ModuleItem::ModuleDecl(ModuleDecl::ExportAll(export)) = item else { continue };
                match self.imported(&export.src.value.to_string_lossy(), &env) {
                    Target::Module(module) => names.extend(self.exported_values(module)),
                    Target::Symbol(symbol) => {
                        let path = Rc::clone(&self.symbol_of(symbol).path);
                        self.add_ambient_names(&path, names, entered);
                    }
                    Target::External { .. } | Target::Missing => {}
                }
            }
        }
    }

    /// What `export =` in such a module assigns.
    fn ambient_assigned(&mut self, space: &str) -> Target {
        for (module, items) in self.ambient_blocks(space) {
            let env = Env { space: space.into(), ..Env::top(module) };
            for item in items {
                if let ModuleItem::ModuleDecl(ModuleDecl::TsExportAssignment(assignment)) = item
                    && let Expr::Ident(ident) = &*assignment.expr
                {
                    return self.name(&ident.sym, &env);
                }
            }
        }
        Target::Missing
    }

    /// What a name means that such a module imports.
    pub(super) fn ambient_import(&mut self, space: &str, name: &str) -> Target {
        for (module, items) in self.ambient_blocks(space) {
            let env = Env::top(module);
            for item in items {
                if let ModuleItem::ModuleDecl(ModuleDecl::TsImportEquals(import)) = item
                    && import.id.sym == *name
                {
                    return self.sought_once(module.id, &format!("{space}.{name}="), |types| {
                        types.import_equals_of(&import.module_ref, &Env { space: space.into(), ..env })
                    });
                }
                let ModuleItem::ModuleDecl(ModuleDecl::Import(import)) = item else { continue };
                let Some(specifier) = import.specifiers.iter().find(|found| found.local().sym == *name)
                else {
                    continue;
                };
                let from = self.imported(&import.src.value.to_string_lossy(), &env);
                return match specifier {
                    ImportSpecifier::Named(named) => {
                        let imported = named
                            .imported
                            .as_ref()
                            .map_or_else(|| name.to_owned(), |name| name.atom().to_string());
                        self.member(&from, &imported)
                    }
                    ImportSpecifier::Default(_) => match from {
                        Target::Module(module) => self.export(module, DEFAULT),
                        from => from,
                    },
                    ImportSpecifier::Namespace(_) => from,
                };
            }
        }
        Target::Missing
    }

    fn member_if_declared(&mut self, target: &Target, name: &str) -> Target {
        match self.member(target, name) {
            Target::Symbol(symbol) if self.declarations(symbol).is_empty() => Target::Missing,
            Target::External { .. } => Target::Missing,
            found => found,
        }
    }
}

const AMBIENT: &str = "ambient:";
