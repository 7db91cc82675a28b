//! What modules and packages declare for others: `declare global`, `declare module './x'`, the top level of scripts, and the
//! packages whose types are in force without an import.

use std::collections::HashMap;

use swc_ecma_ast::{ModuleDecl, ModuleItem, TsModuleDecl, TsModuleName, TsNamespaceBody};

use super::ambient::AmbientModules;
use super::evaluator::Evaluator;
use super::model::ModuleRef;
use crate::parse::module::item_decl;
use crate::parse::resolve::Resolution;
use crate::parse::summary::is_script;
use crate::source::FileId;

/// Everything that is declared for others.
#[derive(Default)]
pub(super) struct Augmentations<'g> {
    pub(super) global: Vec<Block<'g>>,
    /// Modules that may be named without an import: `export as namespace React`.
    pub(super) named: Vec<(String, ModuleRef<'g>)>,
    modules: HashMap<FileId, Vec<Block<'g>>>,
    pub(super) ambient: AmbientModules<'g>,
    has_global_types: bool,
}

/// Declarations, and the module that they stand in.
pub(super) type Block<'g> = (ModuleRef<'g>, &'g [ModuleItem]);

impl<'g> Augmentations<'g> {
    /// What others add to a module that is a file.
    pub(super) fn added_to(&self, file: FileId) -> Option<Vec<Block<'g>>> {
        self.modules.get(&file).cloned()
    }
}

impl<'g> Evaluator<'g> {
    /// What the project's own modules declare.
    pub(super) fn load_augmentations(&mut self) {
        if self.augmentations.is_some() {
            return;
        }
        self.augmentations = Some(Augmentations::default());
        let mut found = Augmentations::default();
        let augmenting = self.graph.summaries().filter(|(_, summary)| summary.marks.augments);
        for (file, _) in augmenting {
            self.augment(file, &mut found);
        }
        self.augmentations = Some(found);
    }

    /// And what packages declare for all. They may be large, so that this waits until somebody asks for a name that nobody
    /// else has.
    pub(super) fn load_global_types(&mut self) {
        self.load_augmentations();
        let Some(mut found) = self.augmentations.take() else { return };
        if !found.has_global_types {
            found.has_global_types = true;
            for file in self.graph.global_types() {
                self.augment(*file, &mut found);
            }
        }
        self.augmentations = Some(found);
    }

    fn augment(&mut self, file: FileId, found: &mut Augmentations<'g>) {
        let Some(module) = self.graph.module(file) else { return };
        let items = module.items();
        let script = is_script(items);
        let exported = items.iter().find_map(|item| match item {
            ModuleItem::ModuleDecl(ModuleDecl::TsNamespaceExport(export)) => Some(export.id.sym.to_string()),
            ModuleItem::ModuleDecl(_) | ModuleItem::Stmt(_) => None,
        });
        let blocks = blocks(items);
        if blocks.is_empty() && !script && exported.is_none() {
            return;
        }
        let Some(reference) = self.module_of(file) else { return };
        found.named.extend(exported.map(|name| (name, reference)));
        if script {
            found.global.push((reference, items));
        }
        for block in blocks {
            self.block(reference, script, block, found);
        }
    }

    fn block(
        &mut self,
        module: ModuleRef<'g>,
        in_script: bool,
        block: &'g TsModuleDecl,
        found: &mut Augmentations<'g>,
    ) {
        let Some(TsNamespaceBody::TsModuleBlock(body)) = &block.body else { return };
        let specifier = match &block.id {
            TsModuleName::Ident(_) if block.global => {
                found.global.push((module, &body.body));
                return;
            }
            TsModuleName::Ident(_) => return,
            TsModuleName::Str(specifier) => specifier.value.to_string_lossy().into_owned(),
        };
        let of_package = self.graph.sources().is_of_package(module.module.file);
        let file = match self.graph.resolve(module.module, &specifier) {
            // A package's script declares what Node.js itself has; packages of that name are others.
            _ if of_package && in_script => None,
            Resolution::File(file) => Some(file),
            Resolution::External => self.graph.types_of(module.module.file, &specifier),
            Resolution::Missing => None,
        };
        match file {
            Some(file) => found.modules.entry(file).or_default().push((module, &body.body)),
            None => found.ambient.add(&specifier, module, &body.body),
        }
        let inner = self::blocks(&body.body).into_iter().filter(|inner| inner.global);
        for inner in inner {
            self.block(module, in_script, inner, found);
        }
    }
}

fn blocks(items: &[ModuleItem]) -> Vec<&TsModuleDecl> {
    let blocks = items.iter().filter_map(|item| item_decl(item)?.as_ts_module());
    blocks.map(|block| &**block).collect()
}
