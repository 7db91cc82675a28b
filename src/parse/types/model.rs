//! The types of TypeScript as values: what annotations and expressions are evaluated to.
//!
//! Types are interned: equal ids are equal types. Objects are ids as well, so that they may refer to themselves; their
//! members are found when they are asked for.

use std::rc::Rc;

use swc_common::Span;
use swc_ecma_ast::{Class, Function, TsEnumDecl, TsFnParam, TsInterfaceDecl, TsMappedType, TsType};
use swc_ecma_ast::{Expr, TsTypeAliasDecl, TsTypeElement, VarDecl, VarDeclarator};

use super::namespaces::Namespace;
use crate::contract::{BigIntWidth, Literal, NumberWidth};
use crate::parse::module::ParsedModule;
use crate::source::Location;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident)*) => {
        $($(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub(crate) struct $name(pub(super) u32);

        impl $name {
            pub(super) fn at(place: usize) -> Self {
                Self(u32::try_from(place).unwrap_or(u32::MAX))
            }

            pub(super) fn place(self) -> usize {
                self.0 as usize
            }
        })*
    };
}

ids! {
    /// A type.
    TypeId
    /// An object type.
    ObjectId
    /// A type that is evaluated when it is asked for.
    ThunkId
    /// A declared name of a module.
    SymbolId
    /// A type parameter, or an `infer`.
    ParamId
    /// An operator on a type parameter that is not bound.
    DeferredId
    /// An alias with its arguments.
    AliasId
    /// What could not be inferred.
    OpaqueId
    /// A module, the compiler's own included.
    ModuleId
}

/// A type.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Type {
    Any,
    Unknown,
    Never,
    Void,
    Undefined,
    Null,
    String,
    Number(NumberWidth),
    Boolean,
    BigInt(BigIntWidth),
    Symbol,
    /// `object`
    NonPrimitive,
    /// `fresh` where an expression has just made it, so that a variable may have a wider type.
    Literal {
        value: Literal,
        fresh: bool,
    },
    /// A member of an enum, by its place. Without a value it is computed.
    Member {
        of: SymbolId,
        place: u32,
        value: Option<Literal>,
        fresh: bool,
    },
    /// `` `a-${T}` ``: `texts` has one more than `types`.
    Template {
        texts: Rc<[Rc<str>]>,
        types: Rc<[TypeId]>,
    },
    /// `Uppercase<string>`
    Mapping(Case, TypeId),
    Union(Rc<[TypeId]>),
    Intersection(Rc<[TypeId]>),
    Array {
        element: TypeId,
        readonly: bool,
    },
    Tuple {
        elements: Rc<[Element]>,
        readonly: bool,
    },
    Object(ObjectId),
    Param(ParamId),
    /// An alias within its own definition.
    Recur(AliasId),
    Deferred(DeferredId),
    /// The value of an expression that could not be inferred.
    Opaque(OpaqueId),
    /// Evaluation came to a limit.
    Excess,
    /// Wrong, and reported.
    Error,
}

/// How a string is changed by `Uppercase` and its like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Case {
    Upper,
    Lower,
    Capital,
    Uncapital,
}

/// An element of a tuple.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Element {
    pub(crate) label: Option<Rc<str>>,
    /// Of `...T[]` the `T`; of `...T` with a type parameter, the parameter.
    pub(crate) ty: TypeId,
    pub(crate) optional: bool,
    pub(crate) rest: bool,
}

/// Where an annotation stands: its module, the namespace in it, and what type parameters are bound to.
#[derive(Clone)]
pub(crate) struct Env<'g> {
    pub(crate) module: ModuleRef<'g>,
    /// `A.B` within `namespace A { namespace B { … } }`, empty at the top.
    pub(super) space: Rc<str>,
    pub(super) bindings: Rc<Vec<(Rc<str>, TypeId)>>,
}

/// A module and its place.
#[derive(Clone, Copy)]
pub(crate) struct ModuleRef<'g> {
    pub(super) id: ModuleId,
    pub(super) module: &'g ParsedModule,
    /// Of the compiler's own declarations, whose positions mean nothing to the user.
    pub(super) own: bool,
}

impl<'g> Env<'g> {
    pub(super) fn top(module: ModuleRef<'g>) -> Self {
        Self { module, space: Rc::from(""), bindings: Rc::default() }
    }

    pub(super) fn bind(&self, name: &str, ty: TypeId) -> Self {
        let mut bindings = Vec::clone(&self.bindings);
        match bindings.iter_mut().find(|(known, _)| &**known == name) {
            Some(known) => known.1 = ty,
            None => bindings.push((Rc::from(name), ty)),
        }
        Self { bindings: Rc::new(bindings), ..self.clone() }
    }

    pub(super) fn bound(&self, name: &str) -> Option<TypeId> {
        self.bindings.iter().find(|(known, _)| &**known == name).map(|(_, ty)| *ty)
    }

    pub(super) fn location(&self, span: Span) -> Option<Location> {
        (!self.module.own).then(|| self.module.module.location(span))
    }
}

/// An object type: how its members are found, and the alias that names it.
pub(super) struct Object<'g> {
    pub(super) source: Source<'g>,
    pub(super) alias: Option<AliasId>,
    pub(super) members: Option<Rc<Members<'g>>>,
    pub(super) resolving: bool,
}

/// What an object type is made of.
#[derive(Clone)]
pub(super) enum Source<'g> {
    /// An interface, or the instances of a class.
    Declared { symbol: SymbolId, args: Rc<[TypeId]> },
    /// `typeof C`: a class, function, enum or namespace as a value.
    Value(SymbolId),
    /// `import * as n`
    Module(ModuleId),
    /// `{ a: string }`
    Literal { node: &'g [TsTypeElement], span: Span, env: Env<'g> },
    /// `(a: string) => void`
    Function(FunctionNode<'g>, Env<'g>),
    /// `{ [K in keyof T]: … }`
    Mapped { node: &'g TsMappedType, env: Env<'g> },
    /// Members that are known already.
    Given { at: Option<Location>, fresh: bool },
    /// An object type with type parameters replaced.
    Replaced(ObjectId, Rc<[(ParamId, TypeId)]>),
}

/// A function's annotation.
#[derive(Clone, Copy)]
pub(super) enum FunctionNode<'g> {
    Type(&'g swc_ecma_ast::TsFnType),
    Constructor(&'g swc_ecma_ast::TsConstructorType),
}

/// The members of an object type.
#[derive(Clone, Default)]
pub(crate) struct Members<'g> {
    pub(crate) props: Vec<Prop<'g>>,
    pub(crate) indexes: Vec<Index>,
    pub(crate) calls: Vec<Rc<Signature>>,
    pub(crate) constructs: Vec<Rc<Signature>>,
}

impl<'g> Members<'g> {
    pub(crate) fn prop(&self, name: &str) -> Option<&Prop<'g>> {
        self.props.iter().find(|prop| &*prop.name == name)
    }

    /// Whether these are the members of `{}`.
    pub(super) fn is_empty(&self) -> bool {
        let Self { props, indexes, calls, constructs } = self;
        props.is_empty() && indexes.is_empty() && calls.is_empty() && constructs.is_empty()
    }

    /// Adds a property in the place of one of its name.
    pub(super) fn put(&mut self, prop: Prop<'g>) {
        match self.props.iter_mut().find(|known| known.name == prop.name) {
            Some(known) => *known = prop,
            None => self.props.push(prop),
        }
    }
}

/// A property.
#[derive(Clone)]
pub(crate) struct Prop<'g> {
    pub(crate) name: Rc<str>,
    pub(crate) ty: ThunkId,
    pub(crate) optional: bool,
    pub(crate) readonly: bool,
    pub(crate) kind: PropKind,
    /// Where it is declared, with its documentation and marks.
    pub(crate) declared: Option<PropSite<'g>>,
    /// Whether the declaration's own type is replaced, so that a width there means nothing.
    pub(crate) retyped: bool,
}

impl Prop<'_> {
    /// Whether the name is a number, as it is written in objects such as `{ 200: 'fine' }`.
    pub(super) fn numeric(&self) -> bool {
        self.name.parse::<u32>().is_ok_and(|number| number.to_string() == *self.name)
    }
}

/// What a property is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PropKind {
    Field,
    /// A method that every object of the type has of its own.
    Method,
    /// A method or accessor of a class, which objects inherit.
    Inherited,
}

/// Where a property is declared.
#[derive(Clone, Copy)]
pub(crate) struct PropSite<'g> {
    pub(crate) module: ModuleRef<'g>,
    pub(crate) node: Span,
    pub(crate) name: Span,
}

/// An index signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Index {
    pub(crate) key: TypeId,
    pub(crate) ty: ThunkId,
    pub(crate) readonly: bool,
}

/// A signature of a function.
#[derive(Debug, Clone)]
pub(crate) struct Signature {
    pub(crate) type_params: Vec<TypeParam>,
    pub(crate) params: Vec<Parameter>,
    pub(crate) returns: ThunkId,
    /// What a call says of an argument.
    pub(crate) guard: Option<Guard>,
    /// Whether it is declared as a method, of which parameters are compared both ways.
    pub(crate) is_method: bool,
}

impl Signature {
    pub(super) fn as_method(self: Rc<Self>) -> Rc<Self> {
        Rc::new(Self { is_method: true, ..Self::clone(&self) })
    }
}

/// `value is string`, `asserts value is string` or `asserts value`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Guard {
    /// The place of the parameter.
    pub(crate) place: usize,
    /// `None` where it only has to count as true.
    pub(crate) ty: Option<ThunkId>,
    /// Whether the call throws where it does not hold.
    pub(crate) asserts: bool,
}

/// A type parameter of a signature.
#[derive(Debug, Clone)]
pub(crate) struct TypeParam {
    pub(crate) id: ParamId,
    pub(crate) constraint: Option<ThunkId>,
    pub(crate) default: Option<ThunkId>,
}

/// A parameter of a signature.
#[derive(Debug, Clone)]
pub(crate) struct Parameter {
    pub(crate) name: Rc<str>,
    /// Of a rest parameter the whole array or tuple.
    pub(crate) ty: ThunkId,
    pub(crate) optional: bool,
    pub(crate) rest: bool,
}

/// An alias with its arguments: the name of an object type.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Alias {
    pub(crate) symbol: SymbolId,
    pub(crate) args: Rc<[TypeId]>,
    /// The alias whose definition is nothing but this one.
    pub(crate) host: Option<AliasId>,
}

/// What an expression that could not be inferred is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct OpaqueValue {
    pub(crate) what: String,
    pub(crate) at: Option<Location>,
}

/// A declared name: its module and its path in it, `A.B` for `B` in the namespace `A`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Symbol {
    pub(crate) module: ModuleId,
    pub(crate) path: Rc<str>,
}

impl Symbol {
    /// The last part of the path.
    pub(crate) fn name(&self) -> &str {
        self.path.rsplit('.').next().unwrap_or(&self.path)
    }
}

/// One declaration of a name.
#[derive(Clone)]
pub(super) struct Declaration<'g> {
    /// Where it stands.
    pub(super) env: Env<'g>,
    /// The whole item, above which its documentation is.
    pub(super) item: Span,
    pub(super) name: Span,
    pub(super) node: Declared<'g>,
}

/// What is declared.
#[derive(Clone, Copy)]
pub(super) enum Declared<'g> {
    Interface(&'g TsInterfaceDecl),
    Alias(&'g TsTypeAliasDecl),
    Class(&'g Class),
    Enum(&'g TsEnumDecl),
    Function(&'g Function),
    Variable(&'g VarDecl, &'g VarDeclarator),
    Namespace(Namespace<'g>),
    Value(&'g Expr),
}

/// What a name leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Target {
    Symbol(SymbolId),
    Module(ModuleId),
    /// An export of a package that is not read.
    External {
        package: String,
        name: String,
    },
    Missing,
}

/// The name and annotation of a function type's parameter.
pub(super) struct PatternParts<'g> {
    pub(super) name: String,
    pub(super) annotation: Option<&'g TsType>,
    pub(super) optional: bool,
    pub(super) rest: bool,
}

pub(super) fn parameter_parts(param: &TsFnParam) -> PatternParts<'_> {
    let (name, annotation, optional, rest) = match param {
        TsFnParam::Ident(ident) => (ident.sym.to_string(), &ident.type_ann, ident.optional, false),
        TsFnParam::Array(array) => ("__0".to_owned(), &array.type_ann, array.optional, false),
        TsFnParam::Object(object) => ("__0".to_owned(), &object.type_ann, object.optional, false),
        TsFnParam::Rest(rest) => {
            let name = rest.arg.as_ident().map_or_else(|| "rest".to_owned(), |ident| ident.sym.to_string());
            (name, &rest.type_ann, false, true)
        }
    };
    PatternParts { name, annotation: annotation.as_deref().map(|ann| &*ann.type_ann), optional, rest }
}
