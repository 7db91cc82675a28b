//! Conditional types: `T extends U ? X : Y`, one by one over unions, with `infer`.

use swc_ecma_ast::{
    TsConditionalType, TsFnOrConstructorType, TsFnParam, TsLit, TsType, TsTypeAnn, TsTypeElement,
    TsUnionOrIntersectionType,
};

use super::evaluator::Evaluator;
use super::model::{AliasId, Env, ParamId, Type, TypeId, parameter_parts};
use crate::parse::limits::TYPE_TAILS_MAX;

/// One `infer X extends C` of a conditional type.
#[derive(Clone)]
struct Inferred<'g> {
    name: String,
    id: ParamId,
    constraint: Option<&'g TsType>,
}

impl<'g> Evaluator<'g> {
    pub(super) fn conditional(
        &mut self,
        whole: &'g TsType,
        node: &'g TsConditionalType,
        env: &Env<'g>,
        host: Option<AliasId>,
    ) -> TypeId {
        let (mut whole, mut node, mut env) = (whole, node, env.clone());
        // A chain of conditions in the false branch needs no stack.
        for _ in 0..TYPE_TAILS_MAX {
            let check = self.annotation(&node.check_type, &env);
            if matches!(self.get(check), Type::Error | Type::Excess) {
                return check;
            }
            if let Some(name) = naked_param(&node.check_type).filter(|name| env.bound(name).is_some()) {
                let members = self.distributed(check);
                if members.len() != 1 {
                    let results: Vec<TypeId> = members
                        .into_iter()
                        .map(|member| {
                            let env = env.bind(&name, member);
                            self.bounded(|types| types.conditional(whole, node, &env, None))
                        })
                        .collect();
                    return self.union(&results);
                }
                if self.members_of_union(check).len() == 1 && members[0] != check {
                    env = env.bind(&name, members[0]);
                }
            }
            let (branch, inner) = match self.branch(whole, node, check, &env) {
                Ok(found) => found,
                Err(done) => return done,
            };
            match unparenthesized(branch) {
                next @ TsType::TsConditionalType(conditional) => {
                    self.spend(1);
                    if self.spent() {
                        return self.basic.excess;
                    }
                    (whole, node, env) = (next, conditional, inner);
                }
                other => return self.hosted(other, &inner, host),
            }
        }
        self.basic.excess
    }

    /// The branch that holds with what `infer` found, or the finished type.
    fn branch(
        &mut self,
        whole: &'g TsType,
        node: &'g TsConditionalType,
        check: TypeId,
        env: &Env<'g>,
    ) -> Result<(&'g TsType, Env<'g>), TypeId> {
        let inferred = self.inferences(&node.extends_type);
        if self.is_undecided(check) {
            return Err(self.defer(whole, env));
        }
        let mut open = env.clone();
        for infer in &inferred {
            let ty = self.intern(Type::Param(infer.id));
            open = open.bind(&infer.name, ty);
        }
        let pattern = self.annotation(&node.extends_type, &open);
        if matches!(self.get(pattern), Type::Excess) {
            return Err(pattern);
        }
        let mut inner = env.clone();
        let mut target = pattern;
        if !inferred.is_empty() {
            let ids: Vec<ParamId> = inferred.iter().map(|infer| infer.id).collect();
            let found = self.matched(check, pattern, &ids);
            for infer in &inferred {
                let constraint = infer.constraint.map(|constraint| self.annotation(constraint, &open));
                let found = found.iter().find(|(id, _)| *id == infer.id).map(|(_, ty)| *ty);
                let ty = match (found, constraint) {
                    (Some(ty), Some(constraint)) => match self.constrained(ty, constraint) {
                        Some(ty) => ty,
                        // Whether the constraint itself fits is asked below.
                        None => constraint,
                    },
                    (Some(ty), None) => ty,
                    (None, constraint) => constraint.unwrap_or(self.basic.unknown),
                };
                inner = inner.bind(&infer.name, ty);
            }
            target = self.annotation(&node.extends_type, &inner);
        }
        if *self.get(check) == Type::Any && !matches!(self.get(target), Type::Any | Type::Unknown) {
            let yes = self.annotation(&node.true_type, &inner);
            let no = self.annotation(&node.false_type, env);
            return Err(self.union(&[yes, no]));
        }
        if self.is_open(target) && !self.is_assignable(check, target) {
            return Err(self.defer(whole, env));
        }
        Ok(if self.is_assignable(check, target) {
            (&node.true_type, inner)
        } else {
            (&node.false_type, env.clone())
        })
    }

    /// What was inferred, as the constraint wants it: `'1'` is the number 1 where a number is wanted.
    fn constrained(&mut self, ty: TypeId, constraint: TypeId) -> Option<TypeId> {
        if self.is_assignable(ty, constraint) {
            return Some(ty);
        }
        match self.get(ty).clone() {
            Type::Literal { value: crate::contract::Literal::String(text), .. } => {
                self.text_as(&text, constraint)
            }
            Type::Template { texts, types }
                if types.len() == 1 && texts.iter().all(|text| text.is_empty()) =>
            {
                self.is_assignable(types[0], constraint).then(|| types[0])
            }
            _ => None,
        }
    }

    /// Whether a type still depends on a type parameter, so that no branch can be chosen.
    fn is_undecided(&mut self, ty: TypeId) -> bool {
        match self.get(ty).clone() {
            Type::Param(_) | Type::Deferred(_) => true,
            Type::Tuple { elements, .. } => elements
                .iter()
                .any(|element| matches!(self.get(element.ty), Type::Param(_) | Type::Deferred(_))),
            Type::Array { element, .. } => matches!(self.get(element), Type::Param(_) | Type::Deferred(_)),
            _ => self.is_open(ty),
        }
    }

    fn inferences(&mut self, pattern: &'g TsType) -> Vec<Inferred<'g>> {
        let key = std::ptr::from_ref(pattern) as usize;
        if let Some(known) = self.infer_params.get(&key).cloned() {
            return collect_inferences(pattern)
                .into_iter()
                .zip(known)
                .map(|((name, constraint), id)| Inferred { name, id, constraint })
                .collect();
        }
        let found = collect_inferences(pattern);
        let inferred: Vec<Inferred<'g>> = found
            .into_iter()
            .map(|(name, constraint)| Inferred { id: self.param(&name), name, constraint })
            .collect();
        let ids = inferred.iter().map(|infer| infer.id).collect();
        self.infer_params.insert(key, ids);
        inferred
    }
}

/// The names that `infer` gives in a pattern, each once, with a constraint.
fn collect_inferences(pattern: &TsType) -> Vec<(String, Option<&TsType>)> {
    let mut found: Vec<(String, Option<&TsType>)> = Vec::new();
    let mut open = vec![pattern];
    while let Some(node) = open.pop() {
        if let TsType::TsInferType(infer) = node {
            let name = infer.type_param.name.sym.to_string();
            let constraint = infer.type_param.constraint.as_deref();
            match found.iter_mut().find(|(known, _)| *known == name) {
                Some(known) => known.1 = known.1.or(constraint),
                None => found.push((name, constraint)),
            }
        }
        open.extend(parts(node));
    }
    found
}

/// The annotations directly within one. An `infer` behind a nested `extends` belongs to that condition.
fn parts(node: &TsType) -> Vec<&TsType> {
    match node {
        TsType::TsTypeRef(reference) => boxed(reference.type_params.iter().flat_map(|args| &args.params)),
        TsType::TsImportType(import) => boxed(import.type_args.iter().flat_map(|args| &args.params)),
        TsType::TsArrayType(array) => vec![&array.elem_type],
        TsType::TsTupleType(tuple) => tuple.elem_types.iter().map(|element| &*element.ty).collect(),
        TsType::TsOptionalType(optional) => vec![&optional.type_ann],
        TsType::TsRestType(rest) => vec![&rest.type_ann],
        TsType::TsUnionOrIntersectionType(TsUnionOrIntersectionType::TsUnionType(union)) => {
            boxed(union.types.iter())
        }
        TsType::TsUnionOrIntersectionType(TsUnionOrIntersectionType::TsIntersectionType(parts)) => {
            boxed(parts.types.iter())
        }
        TsType::TsConditionalType(node) => vec![&node.check_type, &node.true_type, &node.false_type],
        TsType::TsParenthesizedType(inner) => vec![&inner.type_ann],
        TsType::TsTypeOperator(operator) => vec![&operator.type_ann],
        TsType::TsIndexedAccessType(access) => vec![&access.obj_type, &access.index_type],
        TsType::TsMappedType(mapped) => mapped.type_ann.iter().map(|ty| &**ty).collect(),
        TsType::TsLitType(literal) => match &literal.lit {
            TsLit::Tpl(template) => boxed(template.types.iter()),
            TsLit::Str(_) | TsLit::Number(_) | TsLit::Bool(_) | TsLit::BigInt(_) => Vec::new(),
        },
        TsType::TsTypeLit(literal) => literal.members.iter().flat_map(element_parts).collect(),
        TsType::TsFnOrConstructorType(TsFnOrConstructorType::TsFnType(function)) => {
            signature_parts(&function.params, Some(&function.type_ann))
        }
        TsType::TsFnOrConstructorType(TsFnOrConstructorType::TsConstructorType(function)) => {
            signature_parts(&function.params, Some(&function.type_ann))
        }
        TsType::TsTypePredicate(predicate) => predicate.type_ann.iter().map(|ann| &*ann.type_ann).collect(),
        TsType::TsInferType(_)
        | TsType::TsKeywordType(_)
        | TsType::TsThisType(_)
        | TsType::TsTypeQuery(_) => Vec::new(),
    }
}

fn boxed<'g>(types: impl Iterator<Item = &'g Box<TsType>>) -> Vec<&'g TsType> {
    types.map(|ty| &**ty).collect()
}

fn element_parts(element: &TsTypeElement) -> Vec<&TsType> {
    match element {
        TsTypeElement::TsPropertySignature(property) => {
            property.type_ann.iter().map(|ann| &*ann.type_ann).collect()
        }
        TsTypeElement::TsMethodSignature(method) => {
            signature_parts(&method.params, method.type_ann.as_deref())
        }
        TsTypeElement::TsCallSignatureDecl(call) => signature_parts(&call.params, call.type_ann.as_deref()),
        TsTypeElement::TsConstructSignatureDecl(call) => {
            signature_parts(&call.params, call.type_ann.as_deref())
        }
        TsTypeElement::TsIndexSignature(index) => signature_parts(&index.params, index.type_ann.as_deref()),
        TsTypeElement::TsGetterSignature(getter) => {
            getter.type_ann.iter().map(|ann| &*ann.type_ann).collect()
        }
        TsTypeElement::TsSetterSignature(_) => Vec::new(),
    }
}

fn signature_parts<'g>(params: &'g [TsFnParam], returns: Option<&'g TsTypeAnn>) -> Vec<&'g TsType> {
    let params = params.iter().filter_map(|param| parameter_parts(param).annotation);
    params.chain(returns.map(|returns| &*returns.type_ann)).collect()
}

fn naked_param(node: &TsType) -> Option<String> {
    let reference = unparenthesized(node).as_ts_type_ref().filter(|node| node.type_params.is_none())?;
    Some(reference.type_name.as_ident()?.sym.to_string())
}

pub(super) fn unparenthesized(node: &TsType) -> &TsType {
    let mut node = node;
    while let TsType::TsParenthesizedType(inner) = node {
        node = &inner.type_ann;
    }
    node
}
