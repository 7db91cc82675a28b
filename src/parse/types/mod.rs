//! From TypeScript's type annotations to wire types.
//!
//! ```text
//! Promise<Entry | undefined>          → Optional(Object("Entry")), and Entry's fields in the registry
//! Pick<Entry, 'id' | 'name'>[]        → Array(Object("PickEntryIdName"))
//! { entry: Entry; next?: string }     → Object("SignResult"), named after its place
//! ```
//!
//! Follows names through imports and re-exports. Object types are registered before their fields are resolved, so that
//! they may refer to themselves.

mod diagnostics;
mod object;
mod reference;
mod union;

use std::collections::{BTreeMap, BTreeSet};

use swc_common::{Span, Spanned};
use swc_ecma_ast::{
    Expr, Lit, TsIndexedAccessType, TsKeywordTypeKind, TsLit, TsType, TsTypeOperatorOp,
    TsUnionOrIntersectionType,
};

use super::graph::ModuleGraph;
use super::module::ParsedModule;
use crate::contract::{BigIntWidth, Field, Literal, NumberWidth, ObjectType, Ty};
use crate::diag::Diagnostic;
use crate::source::{FileId, Location};

/// Resolves annotations and keeps the registry of object types.
pub(crate) struct TypeResolver<'g> {
    graph: &'g ModuleGraph,
    /// By name; `None` while the fields are being resolved.
    registry: BTreeMap<String, Option<ObjectType>>,
    /// The registered name of a declaration with its type arguments.
    names: BTreeMap<DeclarationKey, String>,
    /// Aliases being unfolded, to find circles.
    unfolding: BTreeSet<DeclarationKey>,
    /// Declarations being resolved within each other.
    depth: usize,
    diagnostics: Vec<Diagnostic>,
}

/// A declaration and its type arguments.
type DeclarationKey = (FileId, String, String);

/// Where an annotation stands: its module and the type parameters in force.
#[derive(Clone)]
pub(crate) struct Scope<'m> {
    module: &'m ParsedModule,
    parameters: BTreeMap<String, Ty>,
}

impl<'m> Scope<'m> {
    /// The top level of a module.
    pub(crate) fn of(module: &'m ParsedModule) -> Self {
        Self { module, parameters: BTreeMap::new() }
    }

    /// Lets a type parameter stand for a type.
    pub(crate) fn bind(&mut self, name: &str, ty: Ty) {
        self.parameters.insert(name.to_owned(), ty);
    }

    fn location(&self, span: Span) -> Location {
        self.module.location(span)
    }
}

impl<'g> TypeResolver<'g> {
    pub(crate) fn new(graph: &'g ModuleGraph) -> Self {
        Self {
            graph,
            registry: BTreeMap::new(),
            names: BTreeMap::new(),
            unfolding: BTreeSet::new(),
            depth: 0,
            diagnostics: Vec::new(),
        }
    }

    /// The registry and everything that was found wrong.
    pub(crate) fn finish(self) -> (BTreeMap<String, ObjectType>, Vec<Diagnostic>) {
        let types =
            self.registry.into_iter().filter_map(|(name, object)| object.map(|object| (name, object)));
        let mut diagnostics: Vec<Diagnostic> = Vec::new();
        for diagnostic in self.diagnostics {
            // One wrong type is met once for each endpoint that mentions it.
            if !diagnostics.contains(&diagnostic) {
                diagnostics.push(diagnostic);
            }
        }
        (types.collect(), diagnostics)
    }

    /// The type of a parameter or field. `place` names inline object types. `None` after a diagnostic.
    pub(crate) fn resolve(&mut self, ty: &TsType, scope: &Scope<'_>, place: &str) -> Option<Ty> {
        let resolved = self.ty(ty, scope, place)?;
        if has_void(&resolved) {
            self.diagnostics.push(diagnostics::void_value(scope.location(ty.span())));
            return None;
        }
        Some(resolved)
    }

    /// The type of a result, with `Promise` taken off.
    pub(crate) fn resolve_result(&mut self, ty: &TsType, scope: &Scope<'_>, place: &str) -> Option<Ty> {
        self.ty(ty, scope, place)
    }

    /// The registered name of a top-level object type of a module.
    pub(crate) fn entity(&mut self, module: &ParsedModule, name: &str) -> Option<String> {
        match self.declared(module.file, name, &[], Location { file: module.file, start: 0, end: 0 })? {
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
        self.diagnostics.push(diagnostic);
    }

    /// One arm for each kind of type; long, but flat.
    fn ty(&mut self, ty: &TsType, scope: &Scope<'_>, place: &str) -> Option<Ty> {
        match ty {
            TsType::TsKeywordType(keyword) => self.keyword(keyword.kind, scope.location(keyword.span)),
            TsType::TsTypeRef(reference) => self.reference(reference, scope, place),
            TsType::TsTypeLit(literal) => self.inline_object(literal, scope, place),
            TsType::TsArrayType(array) => {
                let element = self.element(&array.elem_type, scope, place)?;
                Some(Ty::Array(Box::new(element)))
            }
            TsType::TsOptionalType(optional) => self.ty(&optional.type_ann, scope, place),
            TsType::TsParenthesizedType(inner) => self.ty(&inner.type_ann, scope, place),
            TsType::TsTypeOperator(operator) if operator.op == TsTypeOperatorOp::ReadOnly => {
                self.ty(&operator.type_ann, scope, place)
            }
            TsType::TsUnionOrIntersectionType(TsUnionOrIntersectionType::TsUnionType(union)) => {
                self.union(union, scope, place)
            }
            TsType::TsUnionOrIntersectionType(TsUnionOrIntersectionType::TsIntersectionType(parts)) => {
                self.intersection(parts, scope, place)
            }
            TsType::TsLitType(literal) => match &literal.lit {
                TsLit::Str(text) => Some(string_literals(vec![text.value.to_string_lossy().into_owned()])),
                // Sending these as their base types would let every number or string through.
                TsLit::Number(_) => self.cannot_send(literal.span, scope, "a number literal type"),
                TsLit::Bool(_) => self.cannot_send(literal.span, scope, "a boolean literal type"),
                TsLit::BigInt(_) => self.cannot_send(literal.span, scope, "a bigint literal type"),
                TsLit::Tpl(_) => self.cannot_send(literal.span, scope, "a template literal type"),
            },
            TsType::TsIndexedAccessType(access) => self.indexed(access, scope, place),
            other => self.cannot_send(other.span(), scope, kind_of(other)),
        }
    }

    /// The type of an array's elements, which may be null but not absent.
    fn element(&mut self, ty: &TsType, scope: &Scope<'_>, place: &str) -> Option<Ty> {
        match self.resolve(ty, scope, &format!("{place}Item"))? {
            Ty::Optional(_) => self.cannot_send(ty.span(), scope, "`undefined` in an array"),
            element => Some(element),
        }
    }

    fn keyword(&mut self, kind: TsKeywordTypeKind, at: Location) -> Option<Ty> {
        let name = match kind {
            TsKeywordTypeKind::TsStringKeyword => return Some(Ty::String),
            TsKeywordTypeKind::TsNumberKeyword => return Some(Ty::Number(NumberWidth::Float64)),
            TsKeywordTypeKind::TsBooleanKeyword => return Some(Ty::Boolean),
            TsKeywordTypeKind::TsBigIntKeyword => return Some(Ty::BigInt(BigIntWidth::Int64)),
            TsKeywordTypeKind::TsVoidKeyword | TsKeywordTypeKind::TsUndefinedKeyword => {
                return Some(Ty::Void);
            }
            TsKeywordTypeKind::TsAnyKeyword => "`any`",
            TsKeywordTypeKind::TsUnknownKeyword => "`unknown`",
            TsKeywordTypeKind::TsObjectKeyword => "`object`",
            TsKeywordTypeKind::TsSymbolKeyword => "`symbol`",
            TsKeywordTypeKind::TsNullKeyword => "`null` alone",
            TsKeywordTypeKind::TsNeverKeyword => "`never`",
            TsKeywordTypeKind::TsIntrinsicKeyword => "`intrinsic`",
        };
        self.diagnostics.push(diagnostics::cannot_send(name, at));
        None
    }

    /// `Entry['id']`
    fn indexed(&mut self, access: &TsIndexedAccessType, scope: &Scope<'_>, place: &str) -> Option<Ty> {
        let object = self.ty(&access.obj_type, scope, place)?;
        let key = match &*access.index_type {
            TsType::TsLitType(literal) => {
                literal.lit.as_str().map(|text| text.value.to_string_lossy().into_owned())
            }
            _ => None,
        };
        let found = match (&object, key) {
            (Ty::Object(name), Some(key)) => self.fields(name).into_iter().find(|field| field.name == key),
            _ => None,
        };
        match (found, object) {
            (Some(field), _) if field.optional => Some(Ty::Optional(Box::new(field.ty))),
            (Some(field), _) => Some(field.ty),
            (None, Ty::Array(element)) => Some(*element),
            (None, _) => {
                self.cannot_send(access.span, scope, "an indexed type that is not a field of an object type")
            }
        }
    }

    fn cannot_send<T>(&mut self, span: Span, scope: &Scope<'_>, what: &str) -> Option<T> {
        self.diagnostics.push(diagnostics::cannot_send(what, scope.location(span)));
        None
    }

    /// A free name in the registry: the wished one, or with a number behind it.
    fn free_name(&self, wished: &str) -> String {
        let numbered = (2..).map(|number| format!("{wished}{number}"));
        let mut names = std::iter::once(wished.to_owned()).chain(numbered);
        names.find(|name| !self.registry.contains_key(name)).unwrap_or_else(|| wished.to_owned())
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
    let Some(width) = width(decorator) else {
        if decorator == "int64" && ty == Ty::BigInt(BigIntWidth::Int64) {
            return ty;
        }
        if matches!(decorator, "int64" | "uint64") {
            types.report(diagnostics::wide_integer(decorator, at));
        }
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

/// The width that a decorator or an alias of `kontract` names.
fn width(name: &str) -> Option<NumberWidth> {
    Some(match name {
        "int8" => NumberWidth::Int8,
        "int16" => NumberWidth::Int16,
        "int32" => NumberWidth::Int32,
        "uint8" => NumberWidth::Uint8,
        "uint16" => NumberWidth::Uint16,
        "uint32" => NumberWidth::Uint32,
        "float32" => NumberWidth::Float32,
        "float64" => NumberWidth::Float64,
        _ => return None,
    })
}

fn string_literals(values: Vec<String>) -> Ty {
    Ty::Literals(values.into_iter().map(Literal::String).collect())
}

fn string_of(literal: Literal) -> Option<String> {
    match literal {
        Literal::String(text) => Some(text),
        Literal::Number(_) | Literal::BigInt(_) | Literal::Boolean(_) => None,
    }
}

fn has_void(ty: &Ty) -> bool {
    matches!(ty, Ty::Void)
}

/// The name of a property key that is written out.
fn key_name(key: &Expr, computed: bool) -> Option<String> {
    match key {
        Expr::Ident(ident) if !computed => Some(ident.sym.to_string()),
        Expr::Lit(Lit::Str(text)) => Some(text.value.to_string_lossy().into_owned()),
        Expr::Lit(Lit::Num(number)) => Some(number.value.to_string()),
        _ => None,
    }
}

fn kind_of(ty: &TsType) -> &'static str {
    match ty {
        TsType::TsFnOrConstructorType(_) => "a function",
        TsType::TsTupleType(_) => "a tuple",
        TsType::TsConditionalType(_) => "a conditional type",
        TsType::TsMappedType(_) => "a mapped type",
        TsType::TsTypeQuery(_) => "a `typeof` type",
        TsType::TsImportType(_) => "an `import()` type",
        TsType::TsTypeOperator(_) => "a `keyof` type",
        TsType::TsThisType(_) => "`this`",
        _ => "this type",
    }
}
