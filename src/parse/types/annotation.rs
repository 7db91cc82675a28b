//! From annotations to types.
//!
//! ```text
//! Pick<Entry, 'id'>[]   →   Array { element: Object of { id: string } }
//! ```

use std::rc::Rc;

use swc_common::Span;
use swc_ecma_ast::{
    Pat, TsFnOrConstructorType, TsImportType, TsKeywordTypeKind, TsLit, TsTupleElement, TsTupleType, TsType,
    TsTypeOperatorOp, TsTypeParamInstantiation, TsTypeQueryExpr, TsUnionOrIntersectionType,
};

use super::diagnostics;
use super::evaluator::{Evaluator, ObjectKey};
use super::library::{intrinsic, is_width_module, width};
use super::model::{AliasId, Case, Element, Env, FunctionNode, Source, Target, Type, TypeId};
use super::symbols::entity_path;
use super::template::js_number;
use crate::contract::{BigIntWidth, Literal};

impl<'g> Evaluator<'g> {
    /// The type that an annotation names.
    pub(super) fn annotation(&mut self, node: &'g TsType, env: &Env<'g>) -> TypeId {
        self.hosted(node, env, None)
    }

    /// An annotation that is the whole definition of an alias, whose name an object type in it takes.
    pub(super) fn hosted(&mut self, node: &'g TsType, env: &Env<'g>, host: Option<AliasId>) -> TypeId {
        self.bounded(|types| types.node(node, env, host))
    }

    /// One arm for each kind of type; long, but flat.
    fn node(&mut self, node: &'g TsType, env: &Env<'g>, host: Option<AliasId>) -> TypeId {
        let key = |node: usize| ObjectKey::Node(node, Rc::clone(&env.bindings), host);
        match node {
            TsType::TsKeywordType(keyword) => self.keyword(keyword.kind),
            TsType::TsThisType(_) => env.bound("this").unwrap_or(self.basic.any),
            TsType::TsFnOrConstructorType(function) => {
                let (address, node) = match function {
                    TsFnOrConstructorType::TsFnType(node) => {
                        (std::ptr::from_ref(node) as usize, FunctionNode::Type(node))
                    }
                    TsFnOrConstructorType::TsConstructorType(node) => {
                        (std::ptr::from_ref(node) as usize, FunctionNode::Constructor(node))
                    }
                };
                self.object(Some(key(address)), Source::Function(node, env.clone()), host)
            }
            TsType::TsTypeRef(reference) => {
                let path = entity_path(&reference.type_name);
                self.reference(&path, reference.type_params.as_deref(), reference.span, env, host)
            }
            TsType::TsTypeQuery(query) => match &query.expr_name {
                TsTypeQueryExpr::TsEntityName(name) => {
                    let ty = match self.type_of_local(name, env) {
                        Some(local) => local,
                        None => self.type_of_path(&entity_path(name), query.span, env),
                    };
                    self.instantiated(ty, query.type_args.as_deref(), env)
                }
                TsTypeQueryExpr::Import(import) => self.type_of_import(import, env),
            },
            TsType::TsTypeLit(literal) => {
                let address = std::ptr::from_ref(literal) as usize;
                let source = Source::Literal { node: &literal.members, span: literal.span, env: env.clone() };
                self.object(Some(key(address)), source, host)
            }
            TsType::TsArrayType(array) => {
                let element = self.annotation(&array.elem_type, env);
                self.array(element)
            }
            TsType::TsTupleType(tuple) => self.tuple_type(tuple, env),
            TsType::TsOptionalType(optional) => {
                let inner = self.annotation(&optional.type_ann, env);
                self.union(&[inner, self.basic.undefined])
            }
            TsType::TsRestType(rest) => self.annotation(&rest.type_ann, env),
            TsType::TsUnionOrIntersectionType(TsUnionOrIntersectionType::TsUnionType(union)) => {
                let members: Vec<TypeId> =
                    union.types.iter().map(|member| self.annotation(member, env)).collect();
                self.union(&members)
            }
            TsType::TsUnionOrIntersectionType(TsUnionOrIntersectionType::TsIntersectionType(parts)) => {
                let parts: Vec<TypeId> = parts.types.iter().map(|part| self.annotation(part, env)).collect();
                self.named_intersection(&parts, host)
            }
            TsType::TsConditionalType(conditional) => self.conditional(node, conditional, env, host),
            TsType::TsInferType(infer) => env.bound(&infer.type_param.name.sym).unwrap_or(self.basic.unknown),
            TsType::TsParenthesizedType(inner) => self.hosted(&inner.type_ann, env, host),
            TsType::TsTypeOperator(operator) => {
                let inner = self.annotation(&operator.type_ann, env);
                match operator.op {
                    TsTypeOperatorOp::KeyOf => match self.keys_of(inner) {
                        Some(keys) => keys,
                        None => self.defer(node, env),
                    },
                    TsTypeOperatorOp::Unique => inner,
                    TsTypeOperatorOp::ReadOnly => self.read_only(inner),
                }
            }
            TsType::TsIndexedAccessType(access) => {
                let object = self.annotation(&access.obj_type, env);
                let index = self.annotation(&access.index_type, env);
                match self.access(object, index, true) {
                    Some(ty) => ty,
                    None if self.is_open(object) || self.is_open(index) => self.defer(node, env),
                    None => self.bad_access(object, index, access.span, env),
                }
            }
            TsType::TsMappedType(mapped) => self.mapped(node, mapped, env, host),
            TsType::TsLitType(literal) => self.literal_type(&literal.lit, env),
            TsType::TsTypePredicate(predicate) if predicate.asserts => self.basic.void,
            TsType::TsTypePredicate(_) => self.basic.boolean,
            TsType::TsImportType(import) => self.import_type(import, env, host),
        }
    }

    fn keyword(&mut self, kind: TsKeywordTypeKind) -> TypeId {
        match kind {
            TsKeywordTypeKind::TsStringKeyword => self.basic.string,
            TsKeywordTypeKind::TsNumberKeyword => self.basic.number,
            TsKeywordTypeKind::TsBooleanKeyword => self.basic.boolean,
            TsKeywordTypeKind::TsBigIntKeyword => self.basic.bigint,
            TsKeywordTypeKind::TsVoidKeyword => self.basic.void,
            TsKeywordTypeKind::TsUndefinedKeyword => self.basic.undefined,
            TsKeywordTypeKind::TsAnyKeyword | TsKeywordTypeKind::TsIntrinsicKeyword => self.basic.any,
            TsKeywordTypeKind::TsUnknownKeyword => self.basic.unknown,
            TsKeywordTypeKind::TsObjectKeyword => self.basic.object,
            TsKeywordTypeKind::TsSymbolKeyword => self.basic.symbol,
            TsKeywordTypeKind::TsNullKeyword => self.basic.null,
            TsKeywordTypeKind::TsNeverKeyword => self.basic.never,
        }
    }

    fn literal_type(&mut self, literal: &'g TsLit, env: &Env<'g>) -> TypeId {
        match literal {
            TsLit::Str(text) => self.text(&text.value.to_string_lossy()),
            TsLit::Number(number) => self.literal(Literal::Number(js_number(number.value))),
            TsLit::Bool(value) => self.literal(Literal::Boolean(value.value)),
            TsLit::BigInt(digits) => self.literal(Literal::BigInt(digits.value.to_string())),
            TsLit::Tpl(template) => {
                let texts: Vec<Rc<str>> = template
                    .quasis
                    .iter()
                    .map(|quasi| {
                        let cooked = quasi.cooked.as_ref().map(|text| text.to_string_lossy().into_owned());
                        Rc::from(cooked.unwrap_or_else(|| quasi.raw.to_string()))
                    })
                    .collect();
                let types: Vec<TypeId> = template.types.iter().map(|ty| self.annotation(ty, env)).collect();
                self.template(&texts, &types)
            }
        }
    }

    fn tuple_type(&mut self, tuple: &'g TsTupleType, env: &Env<'g>) -> TypeId {
        let mut elements = Vec::new();
        for element in &tuple.elem_types {
            self.tuple_element(element, env, &mut elements);
        }
        self.tuple(elements, false)
    }

    fn tuple_element(&mut self, node: &'g TsTupleElement, env: &Env<'g>, into: &mut Vec<Element>) {
        let (label, labelled_rest, labelled_optional) = match &node.label {
            Some(Pat::Ident(ident)) => (Some(Rc::from(ident.sym.as_str())), false, ident.optional),
            Some(Pat::Rest(rest)) => {
                (rest.arg.as_ident().map(|ident| Rc::from(ident.sym.as_str())), true, false)
            }
            _ => (None, false, false),
        };
        match &*node.ty {
            TsType::TsRestType(rest) => {
                let ty = self.annotation(&rest.type_ann, env);
                self.spread_element(ty, label, into);
            }
            TsType::TsOptionalType(optional) => {
                let ty = self.annotation(&optional.type_ann, env);
                into.push(Element { label, ty, optional: true, rest: false });
            }
            other => {
                let ty = self.annotation(other, env);
                if labelled_rest {
                    self.spread_element(ty, label, into);
                } else {
                    into.push(Element { label, ty, optional: labelled_optional, rest: false });
                }
            }
        }
    }

    /// `...T` in a tuple: the elements of a tuple, or any number of those of an array.
    pub(super) fn spread_element(&mut self, ty: TypeId, label: Option<Rc<str>>, into: &mut Vec<Element>) {
        match self.get(ty).clone() {
            Type::Tuple { elements, .. } => into.extend(elements.iter().cloned()),
            Type::Array { element, .. } => {
                into.push(Element { label, ty: element, optional: false, rest: true });
            }
            _ => into.push(Element { label, ty, optional: false, rest: true }),
        }
    }

    fn read_only(&mut self, ty: TypeId) -> TypeId {
        match self.get(ty).clone() {
            Type::Array { element, .. } => self.intern(Type::Array { element, readonly: true }),
            Type::Tuple { elements, .. } => self.intern(Type::Tuple { elements, readonly: true }),
            _ => ty,
        }
    }

    pub(super) fn arguments(
        &mut self,
        arguments: Option<&'g TsTypeParamInstantiation>,
        env: &Env<'g>,
    ) -> Vec<TypeId> {
        let nodes = arguments.into_iter().flat_map(|arguments| &arguments.params);
        nodes.map(|node| self.annotation(node, env)).collect()
    }

    /// A named type with its arguments.
    pub(super) fn reference(
        &mut self,
        path: &[String],
        arguments: Option<&'g TsTypeParamInstantiation>,
        span: Span,
        env: &Env<'g>,
        host: Option<AliasId>,
    ) -> TypeId {
        if let [name] = path
            && let Some(bound) = env.bound(name)
        {
            return bound;
        }
        let target = self.target(path, env);
        let args = self.arguments(arguments, env);
        let name = path.last().map_or("", String::as_str);
        self.target_type(&target, &args, name, span, env, host)
    }

    fn target_type(
        &mut self,
        target: &Target,
        args: &[TypeId],
        name: &str,
        span: Span,
        env: &Env<'g>,
        host: Option<AliasId>,
    ) -> TypeId {
        match target {
            Target::Symbol(symbol) => {
                let (own, path, width_module) = {
                    let symbol = self.symbol_of(*symbol);
                    let module = self.module_ref(symbol.module);
                    (module.own, Rc::clone(&symbol.path), is_width_module(&module.module.path))
                };
                if width_module && let Some(width) = self.width_type(&path) {
                    return width;
                }
                if own && let Some(known) = intrinsic(&path) {
                    return self.intrinsic_type(known, args);
                }
                self.instantiate(*symbol, args, span, env, host)
            }
            Target::External { package, name } => {
                if package == "kontract"
                    && let Some(width) = self.width_type(name)
                {
                    return width;
                }
                let (package, name) = (package.clone(), name.clone());
                self.report_at(env, span, |at| diagnostics::type_of_package(&name, &package, at))
            }
            Target::Module(_) => self.unknown_type(name, span, env),
            Target::Missing => match self.width_type(name) {
                Some(width) => width,
                None if args.is_empty() && self.globals.is_some() => self.foreign_global(name),
                None => self.unknown_type(name, span, env),
            },
        }
    }

    /// A name that no module binds, for who asks for no more than the name.
    fn foreign_global(&mut self, name: &str) -> TypeId {
        let ty = self.opaque(format!("the global type `{name}`"), None);
        if let Type::Opaque(id) = *self.get(ty)
            && let Some(globals) = &mut self.globals
        {
            globals.insert(id, name.to_owned());
        }
        ty
    }

    pub(super) fn unknown_type(&mut self, name: &str, span: Span, env: &Env<'g>) -> TypeId {
        self.report_at(env, span, |at| diagnostics::unknown_type(name, at))
    }

    pub(super) fn report_at(
        &mut self,
        env: &Env<'g>,
        span: Span,
        diagnostic: impl FnOnce(crate::source::Location) -> crate::diag::Diagnostic,
    ) -> TypeId {
        match env.location(span) {
            Some(at) => self.report(diagnostic(at)),
            None => self.basic.error,
        }
    }

    fn width_type(&mut self, name: &str) -> Option<TypeId> {
        match name {
            "int64" => Some(self.intern(Type::BigInt(BigIntWidth::Int64))),
            "uint64" => Some(self.intern(Type::BigInt(BigIntWidth::Uint64))),
            name => width(name).map(|width| self.intern(Type::Number(width))),
        }
    }

    fn intrinsic_type(&mut self, intrinsic: super::library::Intrinsic, args: &[TypeId]) -> TypeId {
        use super::library::Intrinsic;
        let first = args.first().copied().unwrap_or(self.basic.any);
        match intrinsic {
            Intrinsic::Array { readonly } => self.intern(Type::Array { element: first, readonly }),
            Intrinsic::Case(case) => self.mapping(case, first),
            Intrinsic::Same => first,
        }
    }

    pub(super) fn mapping(&mut self, case: Case, ty: TypeId) -> TypeId {
        let members = self.members_of_union(ty);
        if members.len() > 1 {
            let mapped: Vec<TypeId> = members.into_iter().map(|member| self.mapping(case, member)).collect();
            return self.union(&mapped);
        }
        match self.get(ty).clone() {
            Type::Literal { value: Literal::String(text), .. } => self.text(&case.apply(&text)),
            Type::Mapping(known, _) if known == case => ty,
            Type::String | Type::Mapping(..) | Type::Param(_) | Type::Deferred(_) => {
                self.intern(Type::Mapping(case, ty))
            }
            Type::Template { texts, types } => self.template_mapping(case, &texts, &types),
            _ => ty,
        }
    }

    fn template_mapping(&mut self, case: Case, texts: &[Rc<str>], types: &[TypeId]) -> TypeId {
        let whole = matches!(case, Case::Upper | Case::Lower);
        let texts: Vec<Rc<str>> = texts
            .iter()
            .enumerate()
            .map(|(place, text)| if whole || place == 0 { case.apply(text).into() } else { Rc::clone(text) })
            .collect();
        let first_empty = texts.first().is_none_or(|text| text.is_empty());
        let types: Vec<TypeId> =
            types
                .iter()
                .enumerate()
                .map(|(place, ty)| {
                    if whole || (place == 0 && first_empty) {
                        self.placeholder_mapping(case, *ty)
                    } else {
                        *ty
                    }
                })
                .collect();
        self.template(&texts, &types)
    }

    /// What stands at a hole of a template: a number there is text as well.
    fn placeholder_mapping(&mut self, case: Case, ty: TypeId) -> TypeId {
        if !matches!(self.get(ty), Type::Number(_) | Type::BigInt(_)) {
            return self.mapping(case, ty);
        }
        let nothing: Rc<str> = Rc::from("");
        let text =
            self.intern(Type::Template { texts: [Rc::clone(&nothing), nothing].into(), types: [ty].into() });
        self.intern(Type::Mapping(case, text))
    }

    fn import_type(&mut self, import: &'g TsImportType, env: &Env<'g>, host: Option<AliasId>) -> TypeId {
        let mut target = self.imported(&import.arg.value.to_string_lossy(), env);
        let path = import.qualifier.as_ref().map(entity_path).unwrap_or_default();
        for name in &path {
            target = self.member(&target, name);
        }
        let args = self.arguments(import.type_args.as_deref(), env);
        let text = import.arg.value.to_string_lossy().into_owned();
        let name = path.last().unwrap_or(&text);
        self.target_type(&target, &args, name, import.span, env, host)
    }

    fn type_of_import(&mut self, import: &'g TsImportType, env: &Env<'g>) -> TypeId {
        let mut target = self.imported(&import.arg.value.to_string_lossy(), env);
        for name in import.qualifier.as_ref().map(entity_path).unwrap_or_default() {
            target = self.member(&target, &name);
        }
        self.value_of(&target)
            .unwrap_or_else(|| self.opaque("an import that is not read", env.location(import.span)))
    }
}

impl Case {
    pub(super) fn apply(self, text: &str) -> String {
        let first = |change: fn(char) -> String| {
            let mut chars = text.chars();
            chars.next().map_or_else(String::new, |first| change(first) + chars.as_str())
        };
        match self {
            Self::Upper => text.to_uppercase(),
            Self::Lower => text.to_lowercase(),
            Self::Capital => first(|c| c.to_uppercase().collect()),
            Self::Uncapital => first(|c| c.to_lowercase().collect()),
        }
    }
}
