//! Exported values as flat declarations: what a frontend sees of the statements that stay beside stubs.
//!
//! ```text
//! export const label = (of: Entry, mode: Parameters<typeof pick>[0] = 'short') => `${of.author}: …`
//!   →  label: (of: Entry, mode?: "short" | "long") => string
//!      interface Entry { author: string; … }
//! ```
//!
//! A file of declarations goes out alone, so that it names nothing but TypeScript's own library, the globals that the
//! user's code names, and types that it declares itself. Whatever cannot be said so is `unknown`, and reported.

mod text;

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

use swc_common::Spanned as _;

use super::evaluator::Evaluator;
use super::model::{Declaration, Declared, Env, ParamId, SymbolId, Target, TypeId};
use super::names::doc_above;
use super::{diagnostics, own_modules};
use crate::contract::Doc;
use crate::diag::Diagnostic;
use crate::parse::graph::ModuleGraph;
use crate::parse::on_deep_stack;
use crate::source::{FileId, Location};

/// What a module's file of declarations says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FlatModule {
    /// The exports that have values.
    pub values: Vec<FlatValue>,
    /// The types that they speak of.
    pub types: Vec<FlatType>,
    /// Names of types, properties and parameters in both.
    names: BTreeSet<String>,
}

impl FlatModule {
    /// Names of types, properties and parameters, whatever they are the names of.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(String::as_str)
    }
}

/// An export and its type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FlatValue {
    /// The name by which it is exported.
    pub export: String,
    /// Where it is declared.
    pub location: Location,
    /// Its documentation.
    pub doc: Doc,
    /// Its type.
    pub ty: String,
}

/// A type of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FlatType {
    /// Its name there.
    pub name: String,
    /// Where it is declared; nowhere for what has no name of its own.
    pub location: Option<Location>,
    /// Its documentation.
    pub doc: Doc,
    /// What it is.
    pub shape: FlatShape,
}

/// What a type is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FlatShape {
    /// An interface with these members.
    Interface(Vec<FlatMember>),
    /// Another name of this type.
    Alias(String),
}

/// A member of an interface.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FlatMember {
    /// Its documentation.
    pub doc: Doc,
    /// Whether it may only be read.
    pub readonly: bool,
    /// The name as it is spelled; empty for signatures.
    pub name: String,
    /// Where it is declared.
    pub location: Option<Location>,
    /// Behind the name: `?: string`.
    pub behind: String,
}

/// The declarations of some exports of each module, by the modules' order, and which of them cannot be said. `reserved` are
/// names that the files have already.
pub(crate) fn flat_modules(
    graph: &ModuleGraph,
    requests: &[(FileId, BTreeSet<String>)],
    reserved: &BTreeSet<String>,
) -> (Vec<FlatModule>, Vec<Diagnostic>) {
    if requests.is_empty() {
        return (Vec::new(), Vec::new());
    }
    on_deep_stack(|| {
        let own = own_modules();
        let mut types = Evaluator::new(graph, &own);
        types.globals = Some(BTreeMap::new());
        let mut reserved = reserved.clone();
        reserved.extend(own.iter().flat_map(|module| module.top_level_names()).map(str::to_owned));
        let mut found = Vec::new();
        let modules = requests.iter().map(|(file, exports)| {
            let (module, wrong) = Flat::of(&mut types, &reserved).module(*file, exports);
            found.extend(wrong);
            module
        });
        (modules.collect(), found)
    })
}

/// Object types in the notation of declarations, each with all of its members: what makes a brand. `None` where this cannot be
/// said without another declaration, or says nothing.
pub(super) fn brand_text(types: &mut Evaluator<'_>, parts: &[TypeId]) -> Option<String> {
    let mut flat = Flat::of(types, &BTreeSet::new());
    let texts: Vec<String> = parts.iter().map(|part| flat.brand(*part)).collect();
    let said = flat.unsayable.is_none() && flat.names.is_empty();
    (said && texts.iter().all(|text| text != "{}")).then(|| texts.join(" & "))
}

/// A file being made.
struct Flat<'e, 'g> {
    types: &'e mut Evaluator<'g>,
    /// Names that no further type may have.
    taken: BTreeSet<String>,
    /// Types with a name, and those of them that are to be declared.
    names: HashMap<TypeId, String>,
    waiting: VecDeque<(TypeId, SymbolId)>,
    /// Types being written within each other.
    open: Vec<TypeId>,
    /// Type parameters of the signatures being written.
    params: Vec<ParamId>,
    /// Names of types, properties and parameters so far.
    words: BTreeSet<String>,
    /// Why the type being written cannot be said.
    unsayable: Option<String>,
}

impl<'e, 'g> Flat<'e, 'g> {
    fn of(types: &'e mut Evaluator<'g>, reserved: &BTreeSet<String>) -> Self {
        Self {
            types,
            taken: reserved.clone(),
            names: HashMap::new(),
            waiting: VecDeque::new(),
            open: Vec::new(),
            params: Vec::new(),
            words: BTreeSet::new(),
            unsayable: None,
        }
    }

    fn module(mut self, file: FileId, exports: &BTreeSet<String>) -> (FlatModule, Vec<Diagnostic>) {
        let (mut made, mut found) = (FlatModule::default(), Vec::new());
        let Some(at) = self.types.module_of(file) else { return (made, found) };
        self.taken.extend(at.module.exports.keys().cloned());
        let env = Env::top(at);
        for export in exports {
            self.types.begin();
            self.export(export, &env, &mut made);
            found.extend(self.complaint(export, &made));
        }
        while let Some((ty, symbol)) = self.waiting.pop_front() {
            self.types.begin();
            let name = self.names.get(&ty).cloned().unwrap_or_default();
            let declared = self.interface(name, ty, symbol);
            made.types.push(declared);
            let last = made.values.last().map(|value| value.export.clone()).unwrap_or_default();
            found.extend(self.complaint(&last, &made));
        }
        made.names = self.words;
        (made, found)
    }

    /// What could not be said of an export. What the evaluator has found is no fault of a value that is not sent.
    fn complaint(&mut self, export: &str, made: &FlatModule) -> Option<Diagnostic> {
        let said = self.types.diagnostics.drain(..).next();
        let why = self.unsayable.take()?;
        let value = made.values.iter().find(|value| value.export == export)?;
        let why = said.map_or(why, |said| said.message);
        Some(diagnostics::unknown_export(export, &why, value.location))
    }

    fn export(&mut self, export: &str, env: &Env<'g>, made: &mut FlatModule) {
        let target = self.types.export(env.module.id, export);
        let Target::Symbol(symbol) = target else { return };
        let declarations = self.types.declarations(symbol);
        let Some(first) = declarations.first() else { return };
        let location = first.env.module.module.location(value_span(first));
        let doc = declarations.iter().map(doc_above).find(|doc| *doc != Doc::default()).unwrap_or_default();
        self.name_type(export, symbol, first, made);
        let Some(ty) = self.types.value_of(&target) else { return };
        let ty = self.types.regular(ty);
        let ty = self.text(ty);
        made.values.push(FlatValue { export: export.to_owned(), location, doc, ty });
    }

    /// The type of the same name, which a class or an enum declares.
    fn name_type(
        &mut self,
        export: &str,
        symbol: SymbolId,
        declared: &Declaration<'g>,
        made: &mut FlatModule,
    ) {
        match declared.node {
            Declared::Class(class) if class.type_params.is_none() && export != DEFAULT => {
                let instance = self.types.declared(symbol, [].into());
                self.names.insert(instance, export.to_owned());
                self.waiting.push_back((instance, symbol));
            }
            Declared::Enum(_) if export != DEFAULT => {
                let ty = self.types.enumeration(symbol);
                let location = declared.env.location(declared.name);
                let shape = FlatShape::Alias(self.text(ty));
                let (name, doc) = (export.to_owned(), Doc::default());
                made.types.push(FlatType { name, location, doc, shape });
            }
            Declared::Class(_)
            | Declared::Enum(_)
            | Declared::Interface(_)
            | Declared::Alias(_)
            | Declared::Function(_)
            | Declared::Variable(..)
            | Declared::Namespace(_)
            | Declared::Value(_) => {}
        }
    }

    fn interface(&mut self, name: String, ty: TypeId, symbol: SymbolId) -> FlatType {
        let declarations = self.types.declarations(symbol);
        let declared = declarations.first();
        let location = declared.and_then(|declared| declared.env.location(declared.name));
        let doc = declared.map(doc_above).unwrap_or_default();
        self.open.push(ty);
        let members = self.types.shape(ty).map_or_else(Vec::new, |members| self.members(&members));
        self.open.pop();
        FlatType { name, location, doc, shape: FlatShape::Interface(members) }
    }

    /// The name of a type that is declared, in this file as well.
    fn name_of(&mut self, ty: TypeId, symbol: SymbolId) -> Option<String> {
        if let Some(name) = self.names.get(&ty) {
            return Some(name.clone());
        }
        if self.names.len() >= TYPES_MAX {
            return None;
        }
        let wished = match self.types.symbol_of(symbol).name() {
            DEFAULT => "Default".to_owned(),
            name => name.to_owned(),
        };
        let numbered = (2..).map(|number| format!("{wished}{number}"));
        let name = std::iter::once(wished.clone()).chain(numbered).find(|name| !self.taken.contains(name))?;
        self.taken.insert(name.clone());
        self.words.insert(name.clone());
        self.names.insert(ty, name.clone());
        self.waiting.push_back((ty, symbol));
        Some(name)
    }
}

/// Where a declaration has its name, or all of it.
fn value_span(declared: &Declaration<'_>) -> swc_common::Span {
    match declared.node {
        Declared::Value(value) => value.span(),
        Declared::Interface(_)
        | Declared::Alias(_)
        | Declared::Class(_)
        | Declared::Enum(_)
        | Declared::Function(_)
        | Declared::Variable(..)
        | Declared::Namespace(_) => declared.name,
    }
}

const DEFAULT: &str = "default";
/// How many types one file declares; a package may have thousands.
const TYPES_MAX: usize = 256;
