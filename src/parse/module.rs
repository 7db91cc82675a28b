//! A parsed file: its tree, and tables of what it imports, exports and declares.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use swc_common::comments::{Comment, SingleThreadedComments};
use swc_common::sync::Lrc;
use swc_common::{BytePos, FileName, GLOBALS, Globals, Mark, SourceMap, Span, SyntaxContext};
use swc_ecma_ast::{
    Decl, DefaultDecl, ExportSpecifier, Expr, ExprOrSpread, Ident, ImportDecl, ImportSpecifier, Lit,
    MemberExpr, MemberProp, Module, ModuleDecl, ModuleItem, NamedExport, Pat, Stmt,
};
use swc_ecma_utils::find_pat_ids;

use super::literal::unwrapped;
use super::summary::ModuleSummary;
use crate::source::{FileId, Location, Text};

/// One source file after parsing and scope resolution.
pub struct ParsedModule {
    /// The file.
    pub file: FileId,
    /// Its path relative to the project.
    pub path: String,
    pub(crate) module: Module,
    pub(crate) comments: LeadingComments,
    text: Text,
    globals: Globals,
    pub(crate) decorators: Decorators,
    pub(crate) scopes: Scopes,
    unresolved_context: SyntaxContext,
    top_level_context: SyntaxContext,
    pub(crate) imports: Vec<Import>,
    pub(crate) exports: BTreeMap<String, Export>,
    /// `export * from`, in order.
    pub(crate) star_exports: Vec<Specifier>,
    /// Top-level items by the names they declare.
    declarations: BTreeMap<String, Vec<usize>>,
    /// Imported names that lead to the package `kontract`, known once the graph is linked.
    pub(super) own: BTreeMap<String, OwnName>,
    may: OnceLock<May>,
}

/// What a text may speak of. Each may be true without need, none false wrongly.
#[derive(Debug, Clone, Copy)]
pub(crate) struct May {
    /// To the compiler, by names and decorators.
    pub(crate) speak: bool,
    /// The package `kontract`, where its name is not escaped.
    pub(crate) load: bool,
    /// Of `env.storage`.
    pub(crate) store: bool,
    /// Decorators of anybody.
    pub(crate) be_decorated: bool,
}

/// What a name or member expression means, where it leads to the package `kontract`.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) enum OwnName {
    /// An export of the package.
    Export(String),
    /// All exports of the package.
    Package,
    /// A module of the project with those exports that lead to the package.
    Module(BTreeMap<String, OwnName>),
}

/// The comments of a file by the position of the node that they stand above, or before on its line.
#[derive(Debug, Default)]
pub(crate) struct LeadingComments {
    above: BTreeMap<BytePos, Vec<Comment>>,
    /// Comments at the ends of lines, which belong to nothing.
    stray: Vec<Comment>,
}

/// swc's marks of one module.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scopes {
    pub(crate) unresolved: Mark,
    pub(crate) top_level: Mark,
}

/// The decorators of a file, by the offset of the node that follows them.
pub(crate) type Decorators = BTreeMap<u32, Vec<DecoratorUse>>;

/// A decorator of the vocabulary, taken out of the text before it was parsed.
#[derive(Debug, Clone)]
pub(crate) struct DecoratorUse {
    pub(crate) name: String,
    /// `None` without an argument list.
    pub(crate) arguments: Option<Vec<ExprOrSpread>>,
    pub(crate) location: Location,
}

/// One imported binding.
#[derive(Debug, Clone)]
pub(crate) struct Import {
    /// Its name in this module.
    pub(crate) local: Ident,
    pub(crate) imported: Imported,
    pub(crate) from: Specifier,
    /// `import type`
    pub(crate) type_only: bool,
}

/// What an import or re-export takes from the other module.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) enum Imported {
    /// An export of that name; `default` for the default export.
    Name(String),
    /// All of them, as an object.
    Namespace,
}

/// The text behind `from`, and the file it leads to once the graph is linked.
#[derive(Debug, Clone)]
pub(crate) struct Specifier {
    pub(crate) text: String,
    /// Byte offset of the string.
    pub(crate) start: u32,
    pub(crate) target: Option<FileId>,
}

/// What is behind an exported name.
#[derive(Debug, Clone)]
pub(crate) enum Export {
    /// A binding of this module, by its local name.
    Local(String),
    /// A binding of another module.
    From(Specifier, Imported),
    /// An expression or anonymous declaration: the item's place in the module.
    Item(usize),
}

/// What the top level of a module imports, exports and declares.
#[derive(Default)]
pub(super) struct Tables {
    pub(super) imports: Vec<Import>,
    /// Of two of one name the last counts.
    pub(super) exports: Vec<(String, Export)>,
    pub(super) star_exports: Vec<Specifier>,
    pub(super) declarations: Vec<(String, usize)>,
}

/// What the session hands over.
pub(super) struct Parts {
    pub(super) file: FileId,
    pub(super) path: String,
    pub(super) module: Module,
    pub(super) comments: LeadingComments,
    pub(super) text: Text,
    /// Those that the tree's scopes were made in.
    pub(super) globals: Globals,
    pub(super) decorators: Decorators,
    pub(super) scopes: Scopes,
}

impl LeadingComments {
    /// `text` is that of the file, and starts at `base`. In it, decorators of the vocabulary stand between a comment and
    /// its node.
    pub(super) fn of(
        comments: &SingleThreadedComments,
        text: &str,
        base: BytePos,
        decorators: &Decorators,
    ) -> Self {
        let (leading, trailing) = comments.borrow_all();
        let mut found = Self {
            above: leading.iter().map(|(at, comments)| (*at, comments.clone())).collect(),
            stray: Vec::new(),
        };
        // swc counts a comment to the token before it on the line: `{ id: string; /** The key. */ key: string }`
        let places = decorators.values().flatten().map(|decorator| decorator.location);
        let ends: BTreeMap<u32, u32> = places.map(|place| (place.start, place.end)).collect();
        for comment in trailing.values().flatten() {
            match next_on_line(text.as_bytes(), (comment.span.hi.0 - base.0) as usize, &ends) {
                Some(at) => {
                    let node = BytePos(base.0 + u32::try_from(at).unwrap_or(u32::MAX));
                    let above = found.above.entry(node).or_default();
                    let place = above.partition_point(|known| known.span.lo < comment.span.lo);
                    above.insert(place, comment.clone());
                }
                None => found.stray.push(comment.clone()),
            }
        }
        found.stray.sort_by_key(|comment| comment.span.lo);
        found
    }

    /// The comments directly above the node at a position.
    pub(crate) fn above(&self, at: BytePos) -> &[Comment] {
        self.above.get(&at).map_or(&[], Vec::as_slice)
    }

    /// The comments at the ends of lines.
    pub(crate) fn stray(&self) -> &[Comment] {
        &self.stray
    }
}

/// The next token on the same line, behind comments and decorators.
fn next_on_line(text: &[u8], mut at: usize, decorators: &BTreeMap<u32, u32>) -> Option<usize> {
    loop {
        let decorator = u32::try_from(at).ok().and_then(|at| decorators.get(&at));
        match (decorator, text.get(at..)?) {
            (Some(end), _) => at = *end as usize,
            (None, [b'\n' | b'\r', ..] | [b'/', b'/', ..] | []) => return None,
            (None, [b' ' | b'\t', ..]) => at += 1,
            (None, [b'/', b'*', rest @ ..]) => at += 4 + memchr::memmem::find(rest, b"*/")?,
            (None, _) => return Some(at),
        }
    }
}

impl ParsedModule {
    pub(super) fn new(parts: Parts) -> Self {
        let context = |mark| GLOBALS.set(&parts.globals, || SyntaxContext::empty().apply_mark(mark));
        let (unresolved_context, top_level_context) =
            (context(parts.scopes.unresolved), context(parts.scopes.top_level));
        let Tables { imports, exports, star_exports, declarations: declared } = Tables::of(&parts.module);
        let mut declarations = BTreeMap::<String, Vec<usize>>::new();
        declared.into_iter().for_each(|(name, index)| declarations.entry(name).or_default().push(index));
        Self {
            file: parts.file,
            path: parts.path,
            module: parts.module,
            comments: parts.comments,
            text: parts.text,
            globals: parts.globals,
            decorators: parts.decorators,
            scopes: parts.scopes,
            unresolved_context,
            top_level_context,
            imports,
            exports: exports.into_iter().collect(),
            star_exports,
            declarations,
            own: BTreeMap::new(),
            may: OnceLock::new(),
        }
    }

    /// Runs one of swc's passes over the tree. Each module has state of its own, so that the names which a pass invents
    /// do not depend on the other modules.
    pub(crate) fn in_globals<T>(&self, pass: impl FnOnce() -> T) -> T {
        GLOBALS.set(&self.globals, pass)
    }

    /// The file as swc's printer wants it.
    pub(crate) fn source_map(&self) -> Lrc<SourceMap> {
        let source_map: Lrc<SourceMap> = Lrc::default();
        source_map.new_source_file(FileName::Custom(self.path.clone()).into(), (*self.text).to_owned());
        source_map
    }

    /// Gives every specifier its file, and imported names their meaning.
    pub(super) fn linked(&mut self, summary: &ModuleSummary, own: &BTreeMap<String, OwnName>) {
        self.own.clone_from(own);
        let re_exports = self.exports.values_mut().filter_map(|export| match export {
            Export::From(from, _) => Some(from),
            Export::Local(_) | Export::Item(_) => None,
        });
        let imports = self.imports.iter_mut().map(|import| &mut import.from);
        for from in imports.chain(&mut self.star_exports).chain(re_exports) {
            from.target = summary.target(&from.text);
        }
    }

    /// What the module's text may speak of. To ask costs less than to walk through the tree.
    pub(crate) fn may(&self) -> May {
        *self.may.get_or_init(|| {
            let has = |word: &str| memchr::memmem::find(self.text.as_bytes(), word.as_bytes()).is_some();
            // Names can be escaped.
            let escaped = has("\\u");
            let names_own = !self.own.is_empty() || OWN_FUNCTIONS.iter().any(|name| has(name));
            May {
                speak: escaped || !self.decorators.is_empty() || names_own,
                load: escaped || has(OWN_PACKAGE),
                store: escaped || has("storage"),
                be_decorated: has("@"),
            }
        })
    }

    /// Top-level items in source order.
    pub(crate) fn items(&self) -> &[ModuleItem] {
        &self.module.body
    }

    /// A range of the tree as a range of the file.
    pub(crate) fn location(&self, span: Span) -> Location {
        Location {
            file: self.file,
            start: self.offset(span.lo.0),
            end: self.offset(span.hi.0.max(span.lo.0)),
        }
    }

    /// The decorators directly before a node.
    pub(crate) fn decorators_at(&self, span: Span) -> &[DecoratorUse] {
        self.decorators.get(&self.offset(span.lo.0)).map_or(&[], Vec::as_slice)
    }

    /// The decorators between the start of a node and a place in it, as far as others stand before them.
    pub(crate) fn decorators_until(&self, node: Span, end: Span) -> impl Iterator<Item = &DecoratorUse> {
        let range = self.offset(node.lo.0)..=self.offset(end.lo.0.max(node.lo.0));
        self.decorators.range(range).flat_map(|(_, decorators)| decorators)
    }

    /// The first decorator of that name directly before a node.
    pub(crate) fn decorator(&self, span: Span, name: &str) -> Option<&DecoratorUse> {
        self.decorators_at(span).iter().find(|decorator| decorator.name == name)
    }

    /// Whether an identifier refers to no binding of the module.
    pub(crate) fn is_unresolved(&self, ident: &Ident) -> bool {
        ident.ctxt == self.unresolved_context
    }

    /// Whether an identifier has no value from the module: no binding, or one that only `declare`s it.
    pub(crate) fn is_unbound(&self, ident: &Ident) -> bool {
        self.is_unresolved(ident) || (self.is_top_level(ident) && self.only_declares(&ident.sym))
    }

    fn only_declares(&self, name: &str) -> bool {
        let mut items = self.declaring_items(name).peekable();
        let binds = |index: usize| item_decl(&self.module.body[index]).is_none_or(is_value);
        items.peek().is_some() && self.import(name).is_none() && !items.any(binds)
    }

    /// Whether an identifier refers to a top-level binding of the module.
    pub(crate) fn is_top_level(&self, ident: &Ident) -> bool {
        ident.ctxt == self.top_level_context
    }

    /// The import that binds a top-level name.
    pub(crate) fn import(&self, local: &str) -> Option<&Import> {
        self.imports.iter().find(|import| import.local.sym == *local)
    }

    /// The items that declare a top-level name: one, or a type and a value, or overloads.
    pub(crate) fn declaring_items(&self, name: &str) -> impl Iterator<Item = usize> {
        self.declarations.get(name).into_iter().flatten().copied()
    }

    /// The declarations of a top-level name.
    pub(crate) fn declarations(&self, name: &str) -> impl Iterator<Item = &Decl> {
        self.declaring_items(name).filter_map(|index| item_decl(&self.module.body[index]))
    }

    /// Every top-level name, imported ones included.
    pub(crate) fn top_level_names(&self) -> Vec<&str> {
        let imported = self.imports.iter().map(|import| &*import.local.sym);
        self.declarations.keys().map(String::as_str).chain(imported).collect()
    }

    /// What an expression means of the package `kontract`: through imports, re-exports and members, or ambient.
    pub(crate) fn own_name(&self, expr: &Expr) -> Option<OwnName> {
        match unwrapped(expr) {
            Expr::Ident(ident) => self.own_ident(ident),
            Expr::Member(member) => self.own_member(member),
            _ => None,
        }
    }

    /// [`Self::own_name`] of a member.
    pub(crate) fn own_member(&self, member: &MemberExpr) -> Option<OwnName> {
        let object = self.own_name(&member.obj)?;
        let (name, _) = property(&member.prop)?;
        match object {
            // Bundlers and CommonJS wrap a package like this.
            OwnName::Package if name == "default" => Some(OwnName::Package),
            OwnName::Package => Some(OwnName::Export(name)),
            OwnName::Module(mut exports) => exports.remove(&name),
            OwnName::Export(_) => None,
        }
    }

    /// [`Self::own_name`] of a name.
    pub(crate) fn own_ident(&self, ident: &Ident) -> Option<OwnName> {
        // Arguments of decorators are parsed apart, without scopes.
        let scopeless = ident.ctxt == SyntaxContext::empty();
        let binds = |import: &&Import| {
            import.local.sym == ident.sym && (scopeless || import.local.to_id() == ident.to_id())
        };
        match self.imports.iter().find(binds) {
            Some(import) => self.own.get(&*import.local.sym).cloned(),
            None => {
                let ambient = OWN_EXPORTS.contains(&&*ident.sym) && (scopeless || self.is_unresolved(ident));
                ambient.then(|| OwnName::Export(ident.sym.to_string()))
            }
        }
    }

    /// Under which names the module exports a local binding.
    pub(crate) fn exported_as(&self, local: &str) -> Option<&str> {
        let names =
            self.exports.iter().filter(|(_, export)| matches!(export, Export::Local(name) if name == local));
        // The binding's own name reads best; otherwise the first in order.
        let mut names: Vec<&str> = names.map(|(name, _)| name.as_str()).collect();
        names.sort_by_key(|name| *name != local);
        names.first().copied()
    }

    /// Every name under which the module exports a local binding, in order.
    pub(crate) fn export_names(&self, local: &str) -> Vec<&str> {
        let names =
            self.exports.iter().filter(|(_, export)| matches!(export, Export::Local(name) if name == local));
        names.map(|(name, _)| name.as_str()).collect()
    }

    fn offset(&self, position: u32) -> u32 {
        // One file per source map, so that the file starts at position 1.
        position.saturating_sub(1)
    }
}

impl Tables {
    /// Before or after swc's resolver; afterwards the imports' names carry their scope.
    pub(super) fn of(module: &Module) -> Self {
        let mut tables = Self::default();
        for (index, item) in module.body.iter().enumerate() {
            tables.register(index, item);
        }
        tables
    }

    fn register(&mut self, index: usize, item: &ModuleItem) {
        match item {
            ModuleItem::Stmt(Stmt::Decl(decl)) => self.declare(index, decl),
            ModuleItem::Stmt(_) => {}
            ModuleItem::ModuleDecl(decl) => self.register_module_decl(index, decl),
        }
    }

    fn register_module_decl(&mut self, index: usize, decl: &ModuleDecl) {
        match decl {
            ModuleDecl::Import(import) => self.register_import(import),
            ModuleDecl::ExportDecl(export) => {
                for name in declared_names(&export.decl) {
                    self.declarations.push((name.clone(), index));
                    self.exports.push((name.clone(), Export::Local(name)));
                }
            }
            ModuleDecl::ExportNamed(export) => self.register_named_export(export),
            ModuleDecl::ExportDefaultDecl(export) => {
                let ident = match &export.decl {
                    DefaultDecl::Class(class) => class.ident.as_ref(),
                    DefaultDecl::Fn(function) => function.ident.as_ref(),
                    DefaultDecl::TsInterfaceDecl(interface) => Some(&interface.id),
                };
                let behind = match ident {
                    Some(ident) => {
                        self.declarations.push((ident.sym.to_string(), index));
                        Export::Local(ident.sym.to_string())
                    }
                    None => Export::Item(index),
                };
                self.exports.push(("default".to_owned(), behind));
            }
            ModuleDecl::ExportDefaultExpr(export) => {
                let behind = export
                    .expr
                    .as_ident()
                    .map_or(Export::Item(index), |ident| Export::Local(ident.sym.to_string()));
                self.exports.push(("default".to_owned(), behind));
            }
            ModuleDecl::ExportAll(export) => {
                let from = Self::specifier(&export.src);
                self.star_exports.push(from);
            }
            ModuleDecl::TsImportEquals(_)
            | ModuleDecl::TsExportAssignment(_)
            | ModuleDecl::TsNamespaceExport(_) => {}
        }
    }

    fn register_import(&mut self, import: &ImportDecl) {
        let from = Self::specifier(&import.src);
        for specifier in &import.specifiers {
            let imported = match specifier {
                ImportSpecifier::Named(named) => Imported::Name(
                    named
                        .imported
                        .as_ref()
                        .map_or_else(|| named.local.sym.to_string(), |name| name.atom().to_string()),
                ),
                ImportSpecifier::Default(_) => Imported::Name("default".to_owned()),
                ImportSpecifier::Namespace(_) => Imported::Namespace,
            };
            self.imports.push(Import {
                local: specifier.local().clone(),
                imported,
                from: from.clone(),
                type_only: import.type_only || specifier.is_type_only(),
            });
        }
    }

    fn register_named_export(&mut self, export: &NamedExport) {
        let from = export.src.as_ref().map(|src| Self::specifier(src));
        for specifier in &export.specifiers {
            let (exported, behind) = match (specifier, &from) {
                (ExportSpecifier::Named(named), from) => {
                    let original = named.orig.atom().to_string();
                    let exported = named
                        .exported
                        .as_ref()
                        .map_or_else(|| original.clone(), |name| name.atom().to_string());
                    let behind = match from {
                        Some(from) => Export::From(from.clone(), Imported::Name(original)),
                        None => Export::Local(original),
                    };
                    (exported, behind)
                }
                (ExportSpecifier::Namespace(namespace), Some(from)) => {
                    (namespace.name.atom().to_string(), Export::From(from.clone(), Imported::Namespace))
                }
                (ExportSpecifier::Namespace(_), None) | (ExportSpecifier::Default(_), _) => continue,
            };
            self.exports.push((exported, behind));
        }
    }

    fn specifier(src: &swc_ecma_ast::Str) -> Specifier {
        let start = src.span.lo.0.saturating_sub(1);
        Specifier { text: src.value.to_string_lossy().into_owned(), start, target: None }
    }

    fn declare(&mut self, index: usize, decl: &Decl) {
        self.declarations.extend(declared_names(decl).into_iter().map(|name| (name, index)));
    }
}

/// The declaration that an item is or exports.
pub(crate) fn item_decl(item: &ModuleItem) -> Option<&Decl> {
    match item {
        ModuleItem::Stmt(Stmt::Decl(decl)) => Some(decl),
        ModuleItem::ModuleDecl(ModuleDecl::ExportDecl(export)) => Some(&export.decl),
        ModuleItem::ModuleDecl(_) | ModuleItem::Stmt(_) => None,
    }
}

/// The names that a declaration binds, types included.
pub(crate) fn declared_names(decl: &Decl) -> Vec<String> {
    match decl {
        Decl::Class(class) => vec![class.ident.sym.to_string()],
        Decl::Fn(function) => vec![function.ident.sym.to_string()],
        Decl::Var(vars) => {
            let names = vars.decls.iter().flat_map(|declared| match &declared.name {
                Pat::Ident(name) => vec![name.sym.to_string()],
                pattern => find_pat_ids::<_, Ident>(pattern).iter().map(|id| id.sym.to_string()).collect(),
            });
            names.collect()
        }
        Decl::TsInterface(interface) => vec![interface.id.sym.to_string()],
        Decl::TsTypeAlias(alias) => vec![alias.id.sym.to_string()],
        Decl::TsEnum(declared) => vec![declared.id.sym.to_string()],
        Decl::TsModule(module) => {
            module.id.as_ident().map(|ident| ident.sym.to_string()).into_iter().collect()
        }
        Decl::Using(_) => Vec::new(),
    }
}

/// The name of a member, where it is written out.
pub(crate) fn property(prop: &MemberProp) -> Option<(String, Span)> {
    match prop {
        MemberProp::Ident(name) => Some((name.sym.to_string(), name.span)),
        MemberProp::Computed(computed) => match unwrapped(&computed.expr) {
            Expr::Lit(Lit::Str(text)) => Some((text.value.to_string_lossy().into_owned(), computed.span)),
            _ => None,
        },
        MemberProp::PrivateName(_) => None,
    }
}

/// Whether a declaration binds a value, and not only says that there is one.
pub(crate) fn is_value(decl: &Decl) -> bool {
    match decl {
        Decl::Class(class) => !class.declare,
        Decl::Fn(function) => !function.declare,
        Decl::Var(vars) => !vars.declare,
        Decl::TsEnum(declared) => !declared.declare,
        Decl::TsModule(module) => !module.declare,
        Decl::TsInterface(_) | Decl::TsTypeAlias(_) => false,
        Decl::Using(_) => true,
    }
}

/// The package whose functions the compiler takes away.
pub(crate) const OWN_PACKAGE: &str = "kontract";
/// What it has below it; the compiler knows it by itself.
pub(super) const OWN_SUBPATHS: &str = "kontract/";
/// Where `ctx` and `env` come from.
pub(crate) const SERVER_RUNTIME: &str = "kontract/server";
/// Those of its functions whose calls the compiler takes away.
pub(crate) const OWN_FUNCTIONS: &[&str] = &["backend", "mwfilter", "defineMiddleware"];
/// Those of its exports that speak to the compiler.
pub(crate) const OWN_EXPORTS: &[&str] = &["backend", "mwfilter", "defineMiddleware", "perms"];
