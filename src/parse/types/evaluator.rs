//! The evaluator: its arenas, and the bounds of its work.

use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

use super::model::{
    Alias, AliasId, Declaration, DeferredId, Element, Env, Members, ModuleId, ModuleRef, Object, ObjectId,
    OpaqueId, OpaqueValue, ParamId, Prop, PropKind, Source, Symbol, SymbolId, ThunkId, Type, TypeId,
};
use super::values::Locals;
use crate::contract::{BigIntWidth, Literal, NumberWidth};
use crate::diag::Diagnostic;
use crate::parse::graph::ModuleGraph;
use crate::parse::limits::{TYPE_DEPTH_MAX, TYPE_STEPS_MAX};
use crate::parse::module::ParsedModule;
use crate::source::{FileId, Location};
use swc_ecma_ast::TsType;

/// Evaluates annotations and expressions to types.
pub(crate) struct Evaluator<'g> {
    pub(super) graph: &'g ModuleGraph,
    /// The compiler's own declarations come first.
    pub(super) modules: Vec<ModuleRef<'g>>,
    pub(super) module_ids: HashMap<FileId, ModuleId>,
    pub(super) types: Vec<Type>,
    type_ids: HashMap<Type, TypeId>,
    pub(super) objects: Vec<Object<'g>>,
    /// Object types by what they are made of, so that they are made once.
    pub(super) object_ids: HashMap<ObjectKey, ObjectId>,
    thunks: Vec<Thunk<'g>>,
    symbols: Vec<Symbol>,
    symbol_ids: HashMap<Symbol, SymbolId>,
    pub(super) declarations: HashMap<SymbolId, Rc<Vec<Declaration<'g>>>>,
    /// Names by which type parameters are shown.
    pub(super) params: Vec<Parameterized>,
    pub(super) deferred: Vec<(&'g TsType, Env<'g>)>,
    deferred_ids: HashMap<(usize, Bindings), DeferredId>,
    pub(super) aliases: Vec<AliasState>,
    alias_ids: HashMap<Alias, AliasId>,
    /// Aliases being evaluated within each other.
    pub(super) running: Vec<AliasId>,
    pub(super) opaques: Vec<OpaqueValue>,
    pub(super) merged_members: HashMap<TypeId, Rc<Members<'g>>>,
    /// The aliases that name intersections.
    pub(super) intersection_names: HashMap<TypeId, AliasId>,
    /// The parameters that each pattern's `infer`s are.
    pub(super) infer_params: HashMap<usize, Vec<ParamId>>,
    /// Members and their values; `None` while they are computed.
    pub(super) enums: HashMap<SymbolId, Option<super::enums::Constants>>,
    pub(super) substituted: HashMap<(TypeId, super::replaced::ParamMap), TypeId>,
    /// Pairs assumed to be assignable while it is being checked, and what was found.
    pub(super) relations: HashMap<(TypeId, TypeId), bool>,
    pub(super) assumed: Vec<(TypeId, TypeId)>,
    pub(super) relation_depth: usize,
    pub(super) locals: Locals<'g>,
    pub(super) augmentations: Option<super::augmentations::Augmentations<'g>>,
    /// The declaration behind each `env.storage.<table>`.
    pub(super) table_names: Vec<(String, FileId, String)>,
    steps: usize,
    depth: usize,
    /// Of all annotations together, and the most of any.
    steps_before: usize,
    depth_max: usize,
    /// Whether types or constants led to each other in a circle, or constants further than is followed: what is found may then
    /// depend on where it is entered.
    pub(super) has_circles: bool,
    /// Names that are being looked for within each other.
    pub(super) sought: Vec<(ModuleId, String)>,
    /// The names that nobody declares, where they are kept as what a library may declare.
    pub(super) globals: Option<BTreeMap<OpaqueId, String>>,
    pub(super) diagnostics: Vec<Diagnostic>,
    pub(super) basic: Basic,
}

/// What a type parameter is called, and what it extends.
pub(super) struct Parameterized {
    pub(super) name: Rc<str>,
    pub(super) constraint: Option<ThunkId>,
}

/// What makes two object types one: the node, and what is bound where it stands.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum ObjectKey {
    Node(usize, Bindings, Option<AliasId>),
    Declared(SymbolId, Rc<[TypeId]>),
    Value(SymbolId),
    Module(ModuleId),
}

pub(super) type Bindings = Rc<Vec<(Rc<str>, TypeId)>>;

/// An alias: its definition once evaluated.
pub(super) struct AliasState {
    pub(super) alias: Alias,
    pub(super) state: AliasValue,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AliasValue {
    Unknown,
    Running,
    Known(TypeId),
}

type Evaluation<'g> = Box<dyn FnOnce(&mut Evaluator<'g>) -> TypeId + 'g>;

enum Thunk<'g> {
    Pending(Evaluation<'g>),
    Running,
    Known(TypeId),
}

/// Types that are needed everywhere.
#[derive(Debug, Clone, Copy)]
pub(super) struct Basic {
    pub(super) any: TypeId,
    pub(super) unknown: TypeId,
    pub(super) never: TypeId,
    pub(super) void: TypeId,
    pub(super) undefined: TypeId,
    pub(super) null: TypeId,
    pub(super) string: TypeId,
    pub(super) number: TypeId,
    pub(super) boolean: TypeId,
    pub(super) bigint: TypeId,
    pub(super) symbol: TypeId,
    pub(super) object: TypeId,
    pub(super) error: TypeId,
    pub(super) excess: TypeId,
}

impl<'g> Evaluator<'g> {
    pub(super) fn new(graph: &'g ModuleGraph, own: &'g [ParsedModule]) -> Self {
        let none = TypeId(0);
        let basic = Basic {
            any: none,
            unknown: none,
            never: none,
            void: none,
            undefined: none,
            null: none,
            string: none,
            number: none,
            boolean: none,
            bigint: none,
            symbol: none,
            object: none,
            error: none,
            excess: none,
        };
        let modules = own.iter().enumerate();
        let modules = modules.map(|(place, module)| ModuleRef { id: ModuleId::at(place), module, own: true });
        let mut evaluator = Self {
            graph,
            modules: modules.collect(),
            module_ids: HashMap::new(),
            types: Vec::new(),
            type_ids: HashMap::new(),
            objects: Vec::new(),
            object_ids: HashMap::new(),
            thunks: Vec::new(),
            symbols: Vec::new(),
            symbol_ids: HashMap::new(),
            declarations: HashMap::new(),
            params: Vec::new(),
            deferred: Vec::new(),
            deferred_ids: HashMap::new(),
            aliases: Vec::new(),
            alias_ids: HashMap::new(),
            running: Vec::new(),
            opaques: Vec::new(),
            merged_members: HashMap::new(),
            intersection_names: HashMap::new(),
            infer_params: HashMap::new(),
            enums: HashMap::new(),
            substituted: HashMap::new(),
            relations: HashMap::new(),
            assumed: Vec::new(),
            relation_depth: 0,
            locals: Locals::default(),
            augmentations: None,
            table_names: Vec::new(),
            steps: 0,
            depth: 0,
            steps_before: 0,
            depth_max: 0,
            has_circles: false,
            sought: Vec::new(),
            globals: None,
            diagnostics: Vec::new(),
            basic,
        };
        evaluator.basic = Basic {
            any: evaluator.intern(Type::Any),
            unknown: evaluator.intern(Type::Unknown),
            never: evaluator.intern(Type::Never),
            void: evaluator.intern(Type::Void),
            undefined: evaluator.intern(Type::Undefined),
            null: evaluator.intern(Type::Null),
            string: evaluator.intern(Type::String),
            number: evaluator.intern(Type::Number(NumberWidth::Float64)),
            boolean: evaluator.intern(Type::Boolean),
            bigint: evaluator.intern(Type::BigInt(BigIntWidth::Int64)),
            symbol: evaluator.intern(Type::Symbol),
            object: evaluator.intern(Type::NonPrimitive),
            error: evaluator.intern(Type::Error),
            excess: evaluator.intern(Type::Excess),
        };
        evaluator
    }

    pub(super) fn intern(&mut self, ty: Type) -> TypeId {
        if let Some(known) = self.type_ids.get(&ty) {
            return *known;
        }
        let id = TypeId::at(self.types.len());
        self.types.push(ty.clone());
        self.type_ids.insert(ty, id);
        id
    }

    /// A type, with an alias that has been evaluated since taken for what it is.
    pub(super) fn get(&self, ty: TypeId) -> &Type {
        let mut found = &self.types[ty.place()];
        let mut hops = 0;
        while let Type::Recur(alias) = found {
            match self.aliases[alias.place()].state {
                AliasValue::Known(known) if hops < 100 => found = &self.types[known.place()],
                _ => return found,
            }
            hops += 1;
        }
        found
    }

    /// The id of what [`Self::get`] finds.
    pub(super) fn forced(&self, ty: TypeId) -> TypeId {
        let mut found = ty;
        for _ in 0..100 {
            match &self.types[found.place()] {
                Type::Recur(alias) => match self.aliases[alias.place()].state {
                    AliasValue::Known(known) => found = known,
                    AliasValue::Unknown | AliasValue::Running => return found,
                },
                _ => return found,
            }
        }
        found
    }

    /// The id of a type that has been made.
    pub(super) fn known_type(&self, ty: &Type) -> Option<TypeId> {
        self.type_ids.get(ty).copied()
    }

    pub(super) fn literal(&mut self, value: Literal) -> TypeId {
        self.intern(Type::Literal { value, fresh: false })
    }

    pub(super) fn text(&mut self, text: &str) -> TypeId {
        self.literal(Literal::String(text.to_owned()))
    }

    pub(super) fn array(&mut self, element: TypeId) -> TypeId {
        self.intern(Type::Array { element, readonly: false })
    }

    pub(super) fn tuple(&mut self, elements: Vec<Element>, readonly: bool) -> TypeId {
        self.intern(Type::Tuple { elements: elements.into(), readonly })
    }

    pub(super) fn symbol(&mut self, module: ModuleId, path: &str) -> SymbolId {
        let symbol = Symbol { module, path: Rc::from(path) };
        if let Some(known) = self.symbol_ids.get(&symbol) {
            return *known;
        }
        let id = SymbolId::at(self.symbols.len());
        self.symbols.push(symbol.clone());
        self.symbol_ids.insert(symbol, id);
        id
    }

    pub(super) fn symbol_of(&self, symbol: SymbolId) -> &Symbol {
        &self.symbols[symbol.place()]
    }

    pub(super) fn module_ref(&self, module: ModuleId) -> ModuleRef<'g> {
        self.modules[module.place()]
    }

    /// The module of a file.
    pub(super) fn module_of(&mut self, file: FileId) -> Option<ModuleRef<'g>> {
        if let Some(known) = self.module_ids.get(&file) {
            return Some(self.modules[known.place()]);
        }
        let module = self.graph.module(file)?;
        let id = ModuleId::at(self.modules.len());
        self.modules.push(ModuleRef { id, module, own: false });
        self.module_ids.insert(file, id);
        self.modules.last().copied()
    }

    /// An object type, made once for each key.
    pub(super) fn object(
        &mut self,
        key: Option<ObjectKey>,
        source: Source<'g>,
        alias: Option<AliasId>,
    ) -> TypeId {
        if let Some(known) = key.as_ref().and_then(|key| self.object_ids.get(key)) {
            let known = *known;
            return self.intern(Type::Object(known));
        }
        let id = ObjectId::at(self.objects.len());
        self.objects.push(Object { source, alias, members: None, resolving: false });
        if let Some(key) = key {
            self.object_ids.insert(key, id);
        }
        self.intern(Type::Object(id))
    }

    /// An object type of members that are known.
    pub(super) fn given(&mut self, members: Members<'g>, alias: Option<AliasId>) -> TypeId {
        self.given_at(members, alias, None, false)
    }

    pub(super) fn given_at(
        &mut self,
        members: Members<'g>,
        alias: Option<AliasId>,
        at: Option<Location>,
        fresh: bool,
    ) -> TypeId {
        let id = ObjectId::at(self.objects.len());
        let members = Some(Rc::new(members));
        self.objects.push(Object { source: Source::Given { at, fresh }, alias, members, resolving: false });
        self.intern(Type::Object(id))
    }

    /// A plain property.
    pub(super) fn field(&mut self, name: &str, ty: TypeId, optional: bool) -> Prop<'g> {
        Prop {
            name: Rc::from(name),
            ty: self.known(ty),
            optional,
            readonly: false,
            kind: PropKind::Field,
            declared: None,
            retyped: false,
        }
    }

    pub(super) fn alias(&mut self, alias: Alias) -> AliasId {
        if let Some(known) = self.alias_ids.get(&alias) {
            return *known;
        }
        let id = AliasId::at(self.aliases.len());
        self.aliases.push(AliasState { alias: alias.clone(), state: AliasValue::Unknown });
        self.alias_ids.insert(alias, id);
        id
    }

    pub(super) fn param(&mut self, name: &str) -> ParamId {
        self.params.push(Parameterized { name: Rc::from(name), constraint: None });
        ParamId::at(self.params.len() - 1)
    }

    pub(super) fn defer(&mut self, node: &'g TsType, env: &Env<'g>) -> TypeId {
        let key = (std::ptr::from_ref(node) as usize, Rc::clone(&env.bindings));
        if let Some(known) = self.deferred_ids.get(&key) {
            let known = *known;
            return self.intern(Type::Deferred(known));
        }
        let id = DeferredId::at(self.deferred.len());
        self.deferred.push((node, env.clone()));
        self.deferred_ids.insert(key, id);
        self.intern(Type::Deferred(id))
    }

    /// A value that cannot be inferred.
    pub(super) fn opaque(&mut self, what: impl Into<String>, at: Option<Location>) -> TypeId {
        let value = OpaqueValue { what: what.into(), at };
        let place = self.opaques.iter().position(|known| *known == value).unwrap_or_else(|| {
            self.opaques.push(value);
            self.opaques.len() - 1
        });
        self.intern(Type::Opaque(OpaqueId::at(place)))
    }

    /// A type that is evaluated when it is asked for.
    pub(super) fn later(&mut self, evaluation: impl FnOnce(&mut Evaluator<'g>) -> TypeId + 'g) -> ThunkId {
        self.thunks.push(Thunk::Pending(Box::new(evaluation)));
        ThunkId::at(self.thunks.len() - 1)
    }

    pub(super) fn known(&mut self, ty: TypeId) -> ThunkId {
        self.thunks.push(Thunk::Known(ty));
        ThunkId::at(self.thunks.len() - 1)
    }

    /// The type behind a thunk; `None` within its own evaluation.
    pub(super) fn try_force(&mut self, thunk: ThunkId) -> Option<TypeId> {
        match std::mem::replace(&mut self.thunks[thunk.place()], Thunk::Running) {
            Thunk::Known(ty) => {
                self.thunks[thunk.place()] = Thunk::Known(ty);
                Some(ty)
            }
            Thunk::Running => {
                self.has_circles = true;
                None
            }
            Thunk::Pending(evaluation) => {
                let ty = evaluation(self);
                self.thunks[thunk.place()] = Thunk::Known(ty);
                Some(ty)
            }
        }
    }

    pub(super) fn force(&mut self, thunk: ThunkId) -> TypeId {
        self.try_force(thunk).unwrap_or(self.basic.any)
    }

    /// Begins the work on one annotation with a fresh budget.
    pub(super) fn begin(&mut self) {
        self.steps_before = self.steps_before.saturating_add(self.steps);
        (self.steps, self.depth) = (0, 0);
    }

    /// The steps of all work so far, and how deep it went.
    pub(super) fn spent_at_most(&self) -> (usize, usize) {
        (self.steps_before.saturating_add(self.steps), self.depth_max)
    }

    /// Runs a step within the bounds; [`Type::Excess`] beyond them.
    pub(super) fn bounded(&mut self, step: impl FnOnce(&mut Self) -> TypeId) -> TypeId {
        if self.spent() {
            return self.basic.excess;
        }
        self.steps += 1;
        self.depth += 1;
        self.depth_max = self.depth_max.max(self.depth);
        let ty = step(self);
        self.depth -= 1;
        ty
    }

    /// Counts work that makes no types.
    pub(super) fn spend(&mut self, steps: usize) {
        self.steps = self.steps.saturating_add(steps);
    }

    pub(super) fn spent(&self) -> bool {
        self.steps >= TYPE_STEPS_MAX || self.depth >= TYPE_DEPTH_MAX
    }

    pub(super) fn report(&mut self, diagnostic: Diagnostic) -> TypeId {
        self.diagnostics.push(diagnostic);
        self.basic.error
    }
}
