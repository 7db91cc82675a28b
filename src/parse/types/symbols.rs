//! From names to declarations: through namespaces, imports, re-exports, augmentations and the compiler's own library.

use std::rc::Rc;

use swc_common::Spanned;
use swc_ecma_ast::{Decl, DefaultDecl, ModuleDecl, ModuleItem, TsEntityName, TsModuleRef, TsNamespaceBody};

use super::ambient;
use super::evaluator::Evaluator;
use super::model::{Declaration, Declared, Env, ModuleId, ModuleRef, SymbolId, Target};
use super::namespaces::{Namespace, implied_exports, makes_ambient};
use crate::parse::graph::Binding;
use crate::parse::limits::HOPS_MAX;
use crate::parse::module::{Imported, item_decl};
use crate::parse::resolve::Resolution;

impl<'g> Evaluator<'g> {
    /// What a path such as `N.T` means where it stands.
    pub(super) fn target(&mut self, path: &[String], env: &Env<'g>) -> Target {
        let Some((first, rest)) = path.split_first() else { return Target::Missing };
        if let (Some(target), [_, rest @ ..]) = (self.of_global_this(path, env), rest) {
            return rest.iter().fold(target, |target, name| self.member(&target, name));
        }
        let mut target = self.name(first, env);
        for name in rest {
            target = self.member(&target, name);
        }
        target
    }

    /// What `globalThis.X` means.
    pub(super) fn of_global_this(&mut self, path: &[String], env: &Env<'g>) -> Option<Target> {
        let [first, name, ..] = path else { return None };
        let is_bound = || self.graph.lookup(env.module.module.file, first) != Binding::Missing;
        if first != "globalThis" || is_bound() {
            return None;
        }
        Some(self.global(name))
    }

    /// What one name means where it stands.
    pub(super) fn name(&mut self, name: &str, env: &Env<'g>) -> Target {
        let mut space = &*env.space;
        while !space.is_empty() {
            let symbol = self.symbol(env.module.id, &format!("{space}.{name}"));
            if !self.declarations(symbol).is_empty() {
                return Target::Symbol(symbol);
            }
            if ambient::is_module(space) {
                match self.ambient_import(space, name) {
                    Target::Missing => {}
                    found => return found,
                }
            }
            space = space.rsplit_once('.').map_or("", |(outer, _)| outer);
        }
        if env.module.own {
            return self.own(name);
        }
        let found = self.graph.lookup(env.module.module.file, name);
        match self.binding(found) {
            Target::Missing => {}
            found => return found,
        }
        match self.import_equals(name, env) {
            Target::Missing => self.global(name),
            found => found,
        }
    }

    /// A name that no module of the project binds.
    fn global(&mut self, name: &str) -> Target {
        if self.global_place(name).is_none() {
            let own = self.own(name);
            if own != Target::Missing {
                return own;
            }
        }
        // What the project declares may add to what packages declare. Where names are kept as they are, theirs are too.
        if self.globals.is_none() {
            self.load_global_types();
        }
        if let Some(module) = self.global_place(name) {
            let symbol = self.symbol(module.id, &format!("global.{name}"));
            if !self.declarations(symbol).is_empty() {
                return Target::Symbol(symbol);
            }
        }
        let mut named = self.augmentations.iter().flat_map(|found| &found.named);
        match named.find(|(known, _)| known == name).map(|(_, module)| *module) {
            Some(module) => self.assigned_or(module),
            None => self.own(name),
        }
    }

    /// The first module that declares a name for all.
    fn global_place(&mut self, name: &str) -> Option<ModuleRef<'g>> {
        self.load_augmentations();
        let mut global = self.augmentations.iter().flat_map(|found| &found.global);
        global.find(|(_, items)| declares(items, name)).map(|(module, _)| *module)
    }

    /// A name of the compiler's own declarations.
    pub(super) fn own(&mut self, name: &str) -> Target {
        let own: Vec<ModuleRef<'g>> = self.modules.iter().copied().take_while(|module| module.own).collect();
        for module in own {
            let symbol = self.symbol(module.id, name);
            if !self.declarations(symbol).is_empty() {
                return Target::Symbol(symbol);
            }
        }
        Target::Missing
    }

    pub(super) fn binding(&mut self, binding: Binding) -> Target {
        match self.graph.declaration(binding) {
            Binding::Declared { file, name } => match self.module_of(file) {
                Some(module) => Target::Symbol(self.symbol(module.id, &name)),
                None => Target::Missing,
            },
            Binding::Item { file, .. } => match self.module_of(file) {
                Some(module) => Target::Symbol(self.symbol(module.id, DEFAULT)),
                None => Target::Missing,
            },
            Binding::Namespace { file } => match self.module_of(file) {
                Some(module) => self.assigned_or(module),
                None => Target::Missing,
            },
            Binding::External { from, package, name } => self.of_package(from, package, &name),
            Binding::Missing => Target::Missing,
        }
    }

    /// A member of a namespace, module, enum or package.
    pub(super) fn member(&mut self, target: &Target, name: &str) -> Target {
        match target {
            Target::Symbol(symbol) => {
                let symbol = self.symbol_of(*symbol).clone();
                if ambient::is_module(&symbol.path) {
                    return self.ambient_export(&symbol.path, name);
                }
                Target::Symbol(self.symbol(symbol.module, &format!("{}.{name}", symbol.path)))
            }
            Target::Module(module) => self.export(*module, name),
            Target::External { package, name: of } if of == "*" => {
                Target::External { package: package.clone(), name: name.to_owned() }
            }
            Target::External { package, .. } => {
                Target::External { package: package.clone(), name: name.to_owned() }
            }
            Target::Missing => Target::Missing,
        }
    }

    /// What a module exports under a name.
    pub(super) fn export(&mut self, module: ModuleId, name: &str) -> Target {
        let module = self.module_ref(module);
        let found = self.graph.exported(module.module.file, name);
        match self.binding(found) {
            Target::Missing => {}
            found => return found,
        }
        match self.assigned(module) {
            Some(Target::Missing) | None => {}
            Some(target) if name == "default" => return target,
            Some(target) => return self.member(&target, name),
        }
        match self.import_equals(name, &Env::top(module)) {
            Target::Missing => {}
            target => return target,
        }
        // An augmentation, or a name that a declaration file declares without a word of export.
        let symbol = self.symbol(module.id, name);
        if self.declarations(symbol).is_empty() { Target::Missing } else { Target::Symbol(symbol) }
    }

    /// What `export =` of a module assigns.
    fn assigned(&mut self, module: ModuleRef<'g>) -> Option<Target> {
        let assigned = module.module.items().iter().find_map(|item| match item {
            ModuleItem::ModuleDecl(ModuleDecl::TsExportAssignment(assignment)) => Some(&*assignment.expr),
            _ => None,
        })?;
        match assigned {
            swc_ecma_ast::Expr::Ident(ident) => Some(self.name(&ident.sym, &Env::top(module))),
            _ => Some(Target::Symbol(self.symbol(module.id, DEFAULT))),
        }
    }

    pub(super) fn assigned_or(&mut self, module: ModuleRef<'g>) -> Target {
        self.assigned(module).unwrap_or(Target::Module(module.id))
    }

    /// `import x = require('./x')` and `import A = N.B`
    fn import_equals(&mut self, name: &str, env: &Env<'g>) -> Target {
        let module = env.module.module;
        let found = module.items().iter().find_map(|item| match item {
            ModuleItem::ModuleDecl(ModuleDecl::TsImportEquals(import)) if import.id.sym == *name => {
                Some(&import.module_ref)
            }
            _ => None,
        });
        let Some(from) = found else { return Target::Missing };
        self.sought_once(env.module.id, name, |types| types.import_equals_of(from, env))
    }

    /// Looks for a name; nothing within its own search, as in `import A = A.B` and files that pass a name round.
    pub(super) fn sought_once(
        &mut self,
        module: ModuleId,
        name: &str,
        search: impl FnOnce(&mut Self) -> Target,
    ) -> Target {
        let sought = (module, name.to_owned());
        if self.sought.contains(&sought) || self.sought.len() >= HOPS_MAX {
            return Target::Missing;
        }
        self.sought.push(sought);
        let found = search(self);
        self.sought.pop();
        found
    }

    pub(super) fn import_equals_of(&mut self, from: &'g TsModuleRef, env: &Env<'g>) -> Target {
        match from {
            TsModuleRef::TsEntityName(path) => self.target(&entity_path(path), env),
            TsModuleRef::TsExternalModuleRef(from) => {
                let specifier = from.expr.value.to_string_lossy().into_owned();
                self.imported(&specifier, env)
            }
        }
    }

    /// The module behind a specifier.
    pub(super) fn imported(&mut self, specifier: &str, env: &Env<'g>) -> Target {
        match self.graph.resolve(env.module.module, specifier) {
            Resolution::File(file) => match self.module_of(file) {
                Some(module) => self.assigned_or(module),
                None => Target::Missing,
            },
            Resolution::External => {
                self.of_package(env.module.module.file, specifier.to_owned(), &Imported::Namespace)
            }
            // Relative specifiers of a package's own files.
            Resolution::Missing => {
                let file = env.module.module.file;
                match self.of_package(file, specifier.to_owned(), &Imported::Namespace) {
                    Target::External { .. } => Target::Missing,
                    found => found,
                }
            }
        }
    }

    /// Every declaration of a name: those of its module, and what others add to it.
    pub(super) fn declarations(&mut self, symbol: SymbolId) -> Rc<Vec<Declaration<'g>>> {
        if let Some(known) = self.declarations.get(&symbol) {
            return Rc::clone(known);
        }
        let (module, path) = {
            let symbol = self.symbol_of(symbol);
            (self.module_ref(symbol.module), Rc::clone(&symbol.path))
        };
        let mut found = Vec::new();
        match path.strip_prefix("global.") {
            None if ambient::is_ambient(&path) => {
                for (module, items) in self.ambient_blocks(&path) {
                    let (space, path) = path.split_once('.').unwrap_or((&path, ""));
                    collect((module, true), items, path, space, &mut found);
                }
            }
            Some(path) => {
                self.load_augmentations();
                let global = self.augmentations.iter().flat_map(|found| &found.global);
                for (module, items) in global {
                    collect((*module, false), items, path, "", &mut found);
                }
            }
            None => {
                if &*path == DEFAULT {
                    default_item(module, &mut found);
                }
                collect_top(module, &path, &mut found);
                if !module.own {
                    self.load_augmentations();
                    let file = module.module.file;
                    let added = self.augmentations.iter().filter_map(|found| found.added_to(file));
                    for (module, items) in added.flatten() {
                        collect((module, true), items, &path, "", &mut found);
                    }
                }
            }
        }
        let found = Rc::new(found);
        self.declarations.insert(symbol, Rc::clone(&found));
        found
    }

    /// The names that a module or namespace declares as values, for `typeof` of the whole.
    pub(super) fn exported_values(&mut self, module: ModuleId) -> Vec<String> {
        let module = self.module_ref(module).module;
        let exported = self.graph.exported_names(module.file);
        let mut names: Vec<String> = exported.into_iter().filter(|name| name != "default").collect();
        names.extend(implied_exports(module).into_iter().filter(|name| !module.exports.contains_key(name)));
        names
    }
}

fn declares(items: &[ModuleItem], name: &str) -> bool {
    items.iter().filter_map(item_decl).any(|decl| declared_here(decl, name))
}

fn declared_here(decl: &Decl, name: &str) -> bool {
    match decl {
        Decl::Class(class) => class.ident.sym == *name,
        Decl::Fn(function) => function.ident.sym == *name,
        Decl::TsInterface(interface) => interface.id.sym == *name,
        Decl::TsTypeAlias(alias) => alias.id.sym == *name,
        Decl::TsEnum(declared) => declared.id.sym == *name,
        Decl::TsModule(module) => module.id.as_ident().is_some_and(|ident| ident.sym == *name),
        Decl::Var(vars) => {
            vars.decls.iter().any(|var| var.name.as_ident().is_some_and(|ident| ident.sym == *name))
        }
        Decl::Using(_) => false,
    }
}

fn collect_top<'g>(module: ModuleRef<'g>, path: &str, found: &mut Vec<Declaration<'g>>) {
    let first = path.split('.').next().unwrap_or(path);
    // Looking at each item of a long module for each of its names would be quadratic.
    for place in module.module.declaring_items(first) {
        let items = module.module.items();
        if let Some(item) = items.get(place) {
            collect((module, false), std::slice::from_ref(item), path, "", found);
        }
    }
}

/// The declarations at a path, within items of the namespace `space`, which only say what there is if `ambient`.
fn collect<'g>(
    (module, ambient): (ModuleRef<'g>, bool),
    items: &'g [ModuleItem],
    path: &str,
    space: &str,
    found: &mut Vec<Declaration<'g>>,
) {
    let (name, rest) = path.split_once('.').map_or((path, None), |(name, rest)| (name, Some(rest)));
    let inner = if space.is_empty() { name.to_owned() } else { format!("{space}.{name}") };
    for item in items {
        if let ModuleItem::ModuleDecl(ModuleDecl::ExportDefaultDecl(export)) = item {
            if rest.is_none() {
                default_decl(module, item, &export.decl, Some(name), found);
            }
            continue;
        }
        let Some(decl) = item_decl(item).filter(|decl| declared_here(decl, name)) else { continue };
        let ambient = ambient || makes_ambient(module.module, decl);
        match (rest, decl) {
            (None, _) => declaration((module, ambient), item, decl, name, space, found),
            (Some(rest), Decl::TsModule(block)) => {
                let Some(body) = &block.body else { continue };
                inside((module, ambient), body, rest, &inner, found);
            }
            (Some(_), _) => {}
        }
    }
}

fn inside<'g>(
    (module, ambient): (ModuleRef<'g>, bool),
    body: &'g TsNamespaceBody,
    path: &str,
    space: &str,
    found: &mut Vec<Declaration<'g>>,
) {
    match body {
        TsNamespaceBody::TsModuleBlock(block) => {
            collect((module, ambient), &block.body, path, space, found);
        }
        TsNamespaceBody::TsNamespaceDecl(nested) => {
            let (name, rest) = path.split_once('.').map_or((path, None), |(name, rest)| (name, Some(rest)));
            if nested.id.sym != *name {
                return;
            }
            match rest {
                Some(rest) => {
                    inside((module, ambient), &nested.body, rest, &format!("{space}.{name}"), found);
                }
                None => found.push(Declaration {
                    env: Env { space: Rc::from(space), ..Env::top(module) },
                    item: nested.span,
                    name: nested.id.span,
                    node: Declared::Namespace(Namespace { body: Some(&nested.body), ambient }),
                }),
            }
        }
    }
}

fn declaration<'g>(
    (module, ambient): (ModuleRef<'g>, bool),
    item: &'g ModuleItem,
    decl: &'g Decl,
    name: &str,
    space: &str,
    found: &mut Vec<Declaration<'g>>,
) {
    let (span, node) = match decl {
        Decl::TsInterface(interface) => (interface.id.span, Declared::Interface(interface)),
        Decl::TsTypeAlias(alias) => (alias.id.span, Declared::Alias(alias)),
        Decl::Class(class) => (class.ident.span, Declared::Class(&class.class)),
        Decl::TsEnum(declared) => (declared.id.span, Declared::Enum(declared)),
        Decl::Fn(function) => (function.ident.span, Declared::Function(&function.function)),
        Decl::TsModule(block) => {
            let namespace = Namespace { body: block.body.as_ref(), ambient };
            (block.span, Declared::Namespace(namespace))
        }
        Decl::Var(vars) => {
            let names = |var: &&swc_ecma_ast::VarDeclarator| {
                var.name.as_ident().is_some_and(|ident| ident.sym == *name)
            };
            let Some(var) = vars.decls.iter().find(names) else { return };
            (var.name.span(), Declared::Variable(vars, var))
        }
        Decl::Using(_) => return,
    };
    let env = Env { space: Rc::from(space), ..Env::top(module) };
    found.push(Declaration { env, item: item.span(), name: span, node });
}

fn default_item<'g>(module: ModuleRef<'g>, found: &mut Vec<Declaration<'g>>) {
    for item in module.module.items() {
        match item {
            ModuleItem::ModuleDecl(ModuleDecl::ExportDefaultDecl(export)) => {
                default_decl(module, item, &export.decl, None, found);
            }
            ModuleItem::ModuleDecl(ModuleDecl::ExportDefaultExpr(export)) => found.push(Declaration {
                env: Env::top(module),
                item: export.span,
                name: export.span,
                node: Declared::Value(&export.expr),
            }),
            ModuleItem::ModuleDecl(ModuleDecl::TsExportAssignment(export)) => found.push(Declaration {
                env: Env::top(module),
                item: export.span,
                name: export.span,
                node: Declared::Value(&export.expr),
            }),
            ModuleItem::ModuleDecl(_) | ModuleItem::Stmt(_) => {}
        }
    }
}

fn default_decl<'g>(
    module: ModuleRef<'g>,
    item: &'g ModuleItem,
    decl: &'g DefaultDecl,
    wanted: Option<&str>,
    found: &mut Vec<Declaration<'g>>,
) {
    let (ident, node) = match decl {
        DefaultDecl::TsInterfaceDecl(interface) => (Some(&interface.id), Declared::Interface(interface)),
        DefaultDecl::Class(class) => (class.ident.as_ref(), Declared::Class(&class.class)),
        DefaultDecl::Fn(function) => (function.ident.as_ref(), Declared::Function(&function.function)),
    };
    let named = ident.map(|ident| ident.sym.as_str());
    if wanted.is_some() && named != wanted {
        return;
    }
    let name = ident.map_or(item.span(), |ident| ident.span);
    found.push(Declaration { env: Env::top(module), item: item.span(), name, node });
}

/// `N.T` → its parts.
pub(super) fn entity_path(name: &TsEntityName) -> Vec<String> {
    let mut path = Vec::new();
    let mut name = name;
    loop {
        match name {
            TsEntityName::Ident(ident) => {
                path.push(ident.sym.to_string());
                break;
            }
            TsEntityName::TsQualifiedName(qualified) => {
                path.push(qualified.right.sym.to_string());
                name = &qualified.left;
            }
        }
        if path.len() > HOPS_MAX {
            break;
        }
    }
    path.reverse();
    path
}

/// The path of a default export without a name.
pub(super) const DEFAULT: &str = "default";
