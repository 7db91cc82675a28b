//! From TypeScript's type annotations, and from functions without them, to wire types.
//!
//! ```text
//! annotation ─▶ Evaluator (annotation.rs, declared.rs, mapped.rs, conditional.rs, …) ─▶ TypeId ─▶ lower.rs ─▶ Ty
//! function   ─▶ infer/                                                               ─┘
//!
//! Promise<Entry | undefined>          → Optional(Object("Entry")), and Entry's fields in the registry
//! Pick<Entry, 'id' | 'name'>[]        → Array(Object("PickEntryIdName"))
//! { entry: Entry; next?: string }     → Object("SignResult"), named after its place
//! ```
//!
//! The evaluator computes types as TypeScript does, lazily and within bounds; it knows nothing of the wire. Lowering
//! knows the wire and nothing of syntax.

mod ambient;
mod annotation;
mod augmentations;
mod classes;
mod conditional;
mod contextual;
mod declared;
pub(crate) mod diagnostics;
mod enums;
mod evaluator;
pub mod flat;
mod identical;
mod infer;
mod library;
mod lower;
mod mapped;
mod matching;
mod members;
mod model;
mod names;
mod namespaces;
pub(crate) mod naming;
mod operators;
mod relation;
mod replaced;
mod spelling;
mod symbols;
mod template;
mod text;
mod union;
mod values;

use std::collections::{BTreeMap, HashMap};

use swc_common::Spanned;
use swc_ecma_ast::{ArrowExpr, Expr, Function, TsType};

use super::graph::ModuleGraph;
use super::module::ParsedModule;
use crate::contract::{BigIntWidth, EnumType, Field, ObjectType, Ty};
use crate::diag::Diagnostic;
use crate::source::{FileId, Location};
pub(crate) use contextual::Context;
use evaluator::Evaluator;
pub(crate) use library::own_modules;
use model::{Env, Type, TypeId};
use naming::{Names, Naming};

/// Resolves annotations and keeps the registry of object types.
pub(crate) struct TypeResolver<'g> {
    graph: &'g ModuleGraph,
    types: Evaluator<'g>,
    /// By name; `None` while the fields are being resolved.
    registry: BTreeMap<String, Option<ObjectType>>,
    /// The registered names of object types.
    names: HashMap<TypeId, String>,
    /// Enums by a key of their own, and where types refer to each; `None` for those that are not spelled.
    enums: BTreeMap<String, EnumType>,
    enum_paths: HashMap<model::SymbolId, Option<String>>,
    /// Types being lowered within each other.
    depth: usize,
    /// Unions, arrays and tuples among them.
    open: Vec<TypeId>,
    named: Names,
    diagnostics: Vec<Diagnostic>,
}

/// All types that were asked for.
pub(crate) struct Resolved {
    pub(crate) types: BTreeMap<String, ObjectType>,
    pub(crate) enums: BTreeMap<String, EnumType>,
    pub(crate) naming: Naming,
    pub(crate) diagnostics: Vec<Diagnostic>,
}

/// Where an annotation stands, and what type parameters are in force there.
#[derive(Clone)]
pub(crate) struct Scope<'m> {
    module: &'m ParsedModule,
    bound: Vec<(String, TypeId)>,
}

/// A function whose result is inferred.
#[derive(Clone, Copy)]
pub(crate) enum Inferred<'g> {
    Function(&'g Function),
    Arrow(&'g ArrowExpr),
}

/// Types whose values come later; `async function*` and `ReadableStream` are sent in pieces.
pub(crate) const ASYNCHRONOUS: &[&str] = &[
    "Promise",
    "PromiseLike",
    "AsyncGenerator",
    "AsyncIterable",
    "AsyncIterableIterator",
    "AsyncIterator",
    "ReadableStream",
];

/// What a type parameter stands for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BoundType(TypeId);

impl<'m> Scope<'m> {
    /// The top level of a module.
    pub(crate) fn of(module: &'m ParsedModule) -> Self {
        Self { module, bound: Vec::new() }
    }

    /// Lets a type parameter stand for a type.
    pub(crate) fn bind(&mut self, name: &str, ty: BoundType) {
        self.bound.push((name.to_owned(), ty.0));
    }
}

impl<'g> TypeResolver<'g> {
    /// `own` are [`own_modules`]; `tables` the declaration behind each table's name.
    pub(crate) fn new(
        graph: &'g ModuleGraph,
        own: &'g [ParsedModule],
        tables: Vec<(String, FileId, String)>,
    ) -> Self {
        let mut types = Evaluator::new(graph, own);
        types.table_names = tables;
        Self {
            graph,
            types,
            registry: BTreeMap::new(),
            names: HashMap::new(),
            enums: BTreeMap::new(),
            enum_paths: HashMap::new(),
            depth: 0,
            open: Vec::new(),
            named: Names::default(),
            diagnostics: Vec::new(),
        }
    }

    /// The registry, its enums, who asked for these, and everything that was found wrong.
    pub(crate) fn finish(mut self) -> Resolved {
        self.take_diagnostics();
        let naming = self.naming();
        let types =
            self.registry.into_iter().filter_map(|(name, object)| object.map(|object| (name, object)));
        let mut diagnostics: Vec<Diagnostic> = Vec::new();
        for diagnostic in self.diagnostics {
            // One wrong type is met once for each endpoint that mentions it.
            if !diagnostics.contains(&diagnostic) {
                diagnostics.push(diagnostic);
            }
        }
        Resolved { types: types.collect(), enums: self.enums, naming, diagnostics }
    }

    /// The type of a parameter or field. `place` names inline object types. `None` after a diagnostic.
    pub(crate) fn resolve(&mut self, ty: &'g TsType, scope: &Scope<'g>, place: &str) -> Option<Ty> {
        let at = scope.module.location(ty.span());
        let env = self.env(scope)?;
        self.types.begin();
        let ty = self.types.annotation(ty, &env);
        self.value(ty, place, at)
    }

    /// What a type parameter stands for where `ty` is its argument or its constraint.
    pub(crate) fn bound_type(&mut self, ty: &'g TsType, scope: &Scope<'g>) -> Option<BoundType> {
        let env = self.env(scope)?;
        self.types.begin();
        let ty = self.types.annotation(ty, &env);
        self.take_diagnostics();
        Some(BoundType(ty))
    }

    /// The type of a parameter that its default value gives.
    pub(crate) fn resolve_default(&mut self, value: &'g Expr, scope: &Scope<'g>, place: &str) -> Option<Ty> {
        let at = scope.module.location(value.span());
        let env = self.env(scope)?;
        self.types.begin();
        let ty = self.types.expression(value, &env, None);
        let ty = self.types.widened(ty);
        self.value(ty, place, at)
    }

    fn value(&mut self, ty: TypeId, place: &str, at: Location) -> Option<Ty> {
        let lowered = self.lower(ty, place, at);
        self.take_diagnostics();
        let lowered = lowered?;
        if lowered == Ty::Void {
            self.diagnostics.push(diagnostics::void_value(at));
            return None;
        }
        Some(lowered)
    }

    /// The type of a result, with `Promise` taken off.
    pub(crate) fn resolve_result(&mut self, ty: &'g TsType, scope: &Scope<'g>, place: &str) -> Option<Ty> {
        let at = scope.module.location(ty.span());
        let env = self.env(scope)?;
        self.types.begin();
        let ty = self.types.annotation(ty, &env);
        self.result(ty, place, at)
    }

    /// The result of a function without annotation.
    pub(crate) fn infer_function(
        &mut self,
        function: &'g Function,
        scope: &Scope<'g>,
        place: &str,
        at: Location,
    ) -> Option<Ty> {
        let env = self.env(scope)?;
        self.types.begin();
        let signature = self.types.function_signature(function, &env);
        let ty = self.types.force(signature.returns);
        self.result(ty, place, at)
    }

    /// The result of an arrow without annotation.
    pub(crate) fn infer_arrow(
        &mut self,
        arrow: &'g ArrowExpr,
        scope: &Scope<'g>,
        place: &str,
        at: Location,
    ) -> Option<Ty> {
        let env = self.env(scope)?;
        self.types.begin();
        let signature = self.types.arrow_signature(arrow, &env, None);
        let ty = self.types.force(signature.returns);
        self.result(ty, place, at)
    }

    /// Whether everything that a function without annotation gives comes later.
    pub(crate) fn gives_promise(&mut self, function: Inferred<'g>, scope: &Scope<'g>) -> bool {
        let Some(env) = self.env(scope) else { return false };
        self.types.begin();
        let signature = match function {
            Inferred::Function(function) => self.types.function_signature(function, &env),
            Inferred::Arrow(arrow) => self.types.arrow_signature(arrow, &env, None),
        };
        let ty = self.types.force(signature.returns);
        self.is_promise(ty)
    }

    /// Whether an annotation means a type whose values come later.
    pub(crate) fn means_promise(&mut self, ty: &'g TsType, scope: &Scope<'g>) -> bool {
        let Some(env) = self.env(scope) else { return false };
        self.types.begin();
        let found = self.types.diagnostics.len();
        let ty = self.types.annotation(ty, &env);
        // What is wrong with it is said where it is resolved.
        self.types.diagnostics.truncate(found);
        self.is_promise(ty)
    }

    fn is_promise(&mut self, ty: TypeId) -> bool {
        let members = self.types.members_of_union(ty);
        let later = |types: &Evaluator<'g>, ty: TypeId| {
            types.library_name(ty).is_some_and(|(name, _)| ASYNCHRONOUS.contains(&&*name))
        };
        !members.is_empty() && members.into_iter().all(|member| later(&self.types, member))
    }

    fn result(&mut self, ty: TypeId, place: &str, at: Location) -> Option<Ty> {
        let ty = self.types.awaited(ty);
        let lowered =
            if *self.types.get(ty) == Type::Never { Some(Ty::Void) } else { self.lower(ty, place, at) };
        self.take_diagnostics();
        lowered
    }

    /// The registered name of a top-level object type of a module.
    pub(crate) fn entity(&mut self, module: &'g ParsedModule, name: &str) -> Option<String> {
        let env = self.env(&Scope::of(module))?;
        let at = Location { file: module.file, start: 0, end: 0 };
        self.types.begin();
        let symbol = self.types.symbol(env.module.id, name);
        let ty = self.types.instantiate(symbol, &[], swc_common::DUMMY_SP, &env, None);
        let lowered = self.lower(ty, name, at);
        self.take_diagnostics();
        match lowered? {
            Ty::Object(name) => Some(name),
            _ => None,
        }
    }

    /// The fields of a registered object type, none while they are being resolved.
    pub(crate) fn fields(&self, object: &str) -> Vec<Field> {
        self.registry
            .get(object)
            .and_then(Option::as_ref)
            .map_or_else(Vec::new, |object| object.fields.clone())
    }

    pub(crate) fn report(&mut self, diagnostic: Diagnostic) {
        // What the evaluator found comes first: it is the cause.
        self.take_diagnostics();
        self.diagnostics.push(diagnostic);
    }

    fn take_diagnostics(&mut self) {
        self.diagnostics.append(&mut self.types.diagnostics);
    }

    fn env(&mut self, scope: &Scope<'g>) -> Option<Env<'g>> {
        let module = self.types.module_of(scope.module.file)?;
        let bound = scope.bound.iter();
        Some(bound.fold(Env::top(module), |env, (name, ty)| env.bind(name, *ty)))
    }

    /// Takes a free name, so that the fields may refer to the type: the wished one, or with a number behind it.
    fn reserve(&mut self, wished: &str) -> String {
        let numbered = (2..).map(|number| format!("{wished}{number}"));
        let mut names = std::iter::once(wished.to_owned()).chain(numbered);
        let name = names.find(|name| !self.registry.contains_key(name)).unwrap_or_else(|| wished.to_owned());
        self.named.naming.by_order |= name != wished;
        self.registry.insert(name.clone(), None);
        name
    }
}

/// The normal forms of a module's aliases and of its functions' results, by name: for tests against TypeScript.
pub fn normal_forms(graph: &ModuleGraph, path: &str) -> BTreeMap<String, String> {
    super::on_deep_stack(|| {
        let own = own_modules();
        let tables = super::extract::table_declarations(graph);
        let mut resolver = TypeResolver::new(graph, &own, tables);
        let mut forms = BTreeMap::new();
        let Some(module) = graph.sources().id(path).and_then(|file| graph.module(file)) else { return forms };
        let Some(env) = resolver.env(&Scope::of(module)) else { return forms };
        let mut names: Vec<String> = module.exports.keys().cloned().collect();
        for target in module.star_exports.iter().filter_map(|from| graph.module(from.target?)) {
            names.extend(target.exports.keys().cloned());
        }
        for name in names {
            resolver.types.begin();
            if let Some(form) = resolver.types.export_form(&name, &env) {
                forms.insert(name, form);
            }
        }
        forms
    })
}

impl<'g> Evaluator<'g> {
    /// The normal form of an exported alias, or of an exported function's result.
    fn export_form(&mut self, name: &str, env: &Env<'g>) -> Option<String> {
        let target = self.export(env.module.id, name);
        let model::Target::Symbol(symbol) = target else { return None };
        let declarations = self.declarations(symbol);
        let function = declarations.iter().find_map(|declaration| match declaration.node {
            model::Declared::Function(function) => Some((function, declaration.env.clone())),
            _ => None,
        });
        let ty = match function {
            Some((function, env)) => {
                let signature = self.function_signature(function, &env);
                self.force(signature.returns)
            }
            None => match declarations.first()?.node {
                model::Declared::Alias(alias) if alias.type_params.is_none() => {
                    self.instantiate(symbol, &[], alias.span, env, None)
                }
                _ => return None,
            },
        };
        Some(self.normal_form(ty))
    }
}

/// The type with the width that a decorator such as `@int32` gives it.
pub(crate) fn width_of(
    types: &mut TypeResolver<'_>,
    decorator: &str,
    ty: Ty,
    name: &str,
    at: Location,
) -> Ty {
    if let Ty::Spelled(inner, spelling) = ty {
        return Ty::Spelled(Box::new(width_of(types, decorator, *inner, name, at)), spelling);
    }
    let Some(width) = library::width(decorator) else {
        let bigint = match decorator {
            "int64" => BigIntWidth::Int64,
            "uint64" => BigIntWidth::Uint64,
            _ => return ty,
        };
        if let Ty::BigInt(_) = ty {
            return Ty::BigInt(bigint);
        }
        types.report(diagnostics::wide_integer(decorator, at));
        return ty;
    };
    match ty {
        Ty::Number(_) => Ty::Number(width),
        Ty::Nullable(inner) if matches!(*inner, Ty::Number(_)) => Ty::Nullable(Box::new(Ty::Number(width))),
        Ty::Array(inner) if matches!(*inner, Ty::Number(_)) => Ty::Array(Box::new(Ty::Number(width))),
        other => {
            types.report(diagnostics::width_of_other(decorator, name, at));
            other
        }
    }
}
