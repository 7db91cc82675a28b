//! Parameters of endpoints, and the type parameters in force in them.

use swc_common::Span;
use swc_ecma_ast::{Class, Expr, Pat, TsFnParam, TsTypeAnn, TsTypeParamDecl, TsTypeParamInstantiation};

use super::form::{EndpointForm, Param as Written};
use super::{Extraction, diagnostics, upper_camel};
use crate::contract::{Param, Ty};
use crate::parse::literal::Place;
use crate::parse::types::{BoundType, Scope, width_of};
use crate::source::Location;

/// The scope of an endpoint's annotations: those of the classes above it resolved, each type parameter as its argument,
/// its constraint or its default. `None` after a diagnostic.
pub(super) fn scope<'g>(extraction: &mut Extraction<'g>, form: &EndpointForm<'g>) -> Option<Scope<'g>> {
    let mut scope = Scope::of(form.function.place.module);
    if let Some((place, class)) = form.classes.first() {
        scope = Scope::of(place.module);
        bind(extraction, form, class.type_params.as_deref(), &mut scope, place)?;
        for pair in form.classes.windows(2) {
            let [(_, below), (place, above)] = pair else { continue };
            let arguments = arguments(extraction, below, &scope)?;
            scope = inherited(extraction, form, place, above, arguments)?;
        }
    }
    bind(extraction, form, form.function.signature.type_params(), &mut scope, &form.function.place)?;
    Some(scope)
}

/// The type arguments in `extends Base<A, B>`.
fn arguments<'g>(
    extraction: &mut Extraction<'g>,
    class: &'g Class,
    scope: &Scope<'g>,
) -> Option<Vec<BoundType>> {
    let given: Option<&'g TsTypeParamInstantiation> = class.super_type_params.as_deref();
    let mut given = given.into_iter().flat_map(|given| &given.params);
    given.try_fold(Vec::new(), |mut bound, ty| {
        bound.push(extraction.types.bound_type(ty, scope)?);
        Some(bound)
    })
}

fn inherited<'g>(
    extraction: &mut Extraction<'g>,
    form: &EndpointForm<'g>,
    place: &Place<'g>,
    class: &'g Class,
    arguments: Vec<BoundType>,
) -> Option<Scope<'g>> {
    let mut scope = Scope::of(place.module);
    let params = class.type_params.iter().flat_map(|params| &params.params);
    let given = arguments.len();
    for (param, argument) in params.clone().zip(arguments) {
        scope.bind(&param.name.sym, argument);
    }
    for param in params.skip(given) {
        bind_one(extraction, form, param, &mut scope, place)?;
    }
    Some(scope)
}

/// Every type parameter as its constraint: callers may pass any type below it, and all that is known of a value is that.
fn bind<'g>(
    extraction: &mut Extraction<'g>,
    form: &EndpointForm<'g>,
    params: Option<&'g TsTypeParamDecl>,
    scope: &mut Scope<'g>,
    place: &Place<'g>,
) -> Option<()> {
    for param in params.into_iter().flat_map(|params| &params.params) {
        bind_one(extraction, form, param, scope, place)?;
    }
    Some(())
}

fn bind_one<'g>(
    extraction: &mut Extraction<'g>,
    form: &EndpointForm<'g>,
    param: &'g swc_ecma_ast::TsTypeParam,
    scope: &mut Scope<'g>,
    place: &Place<'g>,
) -> Option<()> {
    let name = &param.name.sym;
    let Some(ty) = param.constraint.as_deref().or(param.default.as_deref()) else {
        let at = place.module.location(param.span);
        extraction.diagnostics.push(diagnostics::unconstrained(&form.name, name, at));
        return None;
    };
    let bound = extraction.types.bound_type(ty, scope)?;
    scope.bind(name, bound);
    Some(())
}

/// `None` when a parameter has no usable type.
pub(super) fn params<'g>(
    extraction: &mut Extraction<'g>,
    form: &EndpointForm<'g>,
    scope: &Scope<'g>,
) -> Option<Vec<Param>> {
    if let Some(context) = form.function.context {
        let at = form.function.place.module.location(form.function.signature.span());
        let expected = extraction.types.expected_params(context, scope, &upper_camel(&form.name), at);
        if let Some(params) = expected {
            return params;
        }
    }
    let written = form.function.signature.params().into_iter().enumerate();
    let params: Vec<Option<Param>> = written
        .map(|(index, (written, span))| param(extraction, form, scope, index, written, span))
        .collect();
    params.into_iter().collect()
}

/// The parts of a parameter that matter.
struct Parameter<'g> {
    name: String,
    annotation: Option<&'g TsTypeAnn>,
    default: Option<&'g Expr>,
    optional: bool,
    rest: bool,
    span: Span,
}

impl<'g> Parameter<'g> {
    fn of(written: Written<'g>, index: usize) -> Option<Self> {
        match written {
            Written::Pattern(pat) => Self::of_pattern(pat, index),
            Written::OfType(TsFnParam::Ident(ident)) => {
                Some(Self::new(ident.sym.to_string(), ident.type_ann.as_deref(), ident.optional, ident.span))
            }
            Written::OfType(TsFnParam::Array(array)) => {
                Some(Self::new(unnamed(index), array.type_ann.as_deref(), array.optional, array.span))
            }
            Written::OfType(TsFnParam::Object(object)) => {
                Some(Self::new(unnamed(index), object.type_ann.as_deref(), object.optional, object.span))
            }
            Written::OfType(TsFnParam::Rest(rest)) => {
                let inner = Self::of_pattern(&rest.arg, index)?;
                let annotation = rest.type_ann.as_deref().or(inner.annotation);
                Some(Self { annotation, rest: true, ..inner })
            }
        }
    }

    fn of_pattern(pat: &'g Pat, index: usize) -> Option<Self> {
        match pat {
            Pat::Ident(ident) => {
                Some(Self::new(ident.sym.to_string(), ident.type_ann.as_deref(), ident.optional, ident.span))
            }
            Pat::Object(object) => {
                Some(Self::new(unnamed(index), object.type_ann.as_deref(), object.optional, object.span))
            }
            Pat::Array(array) => {
                Some(Self::new(unnamed(index), array.type_ann.as_deref(), array.optional, array.span))
            }
            Pat::Assign(assign) => {
                Some(Self { default: Some(&assign.right), ..Self::of_pattern(&assign.left, index)? })
            }
            Pat::Rest(rest) => {
                let inner = Self::of_pattern(&rest.arg, index)?;
                let annotation = rest.type_ann.as_deref().or(inner.annotation);
                Some(Self { annotation, rest: true, span: rest.span, ..inner })
            }
            Pat::Invalid(_) | Pat::Expr(_) => None,
        }
    }

    fn new(name: String, annotation: Option<&'g TsTypeAnn>, optional: bool, span: Span) -> Self {
        Self { name, annotation, default: None, optional, rest: false, span }
    }
}

/// The name of a parameter that is a pattern.
fn unnamed(index: usize) -> String {
    format!("arg{index}")
}

fn param<'g>(
    extraction: &mut Extraction<'g>,
    form: &EndpointForm<'g>,
    scope: &Scope<'g>,
    index: usize,
    written: Written<'g>,
    span: Span,
) -> Option<Param> {
    let parameter = Parameter::of(written, index)?;
    let module = form.function.place.module;
    let location = module.location(parameter.span);
    let ty = param_type(extraction, form, scope, &parameter, location)?;
    let (ty, admits_undefined) = match ty {
        Ty::Optional(inner) => (*inner, true),
        other => (other, false),
    };
    if parameter.rest && !matches!(ty.bare(), Ty::Array(_)) {
        extraction.diagnostics.push(diagnostics::rest_parameter(&form.name, location));
        return None;
    }
    let mut ty = ty;
    // The width of an `@int32`-like decorator before the parameter.
    for decorator in module.decorators_at(span) {
        ty = width_of(&mut extraction.types, &decorator.name, ty, &parameter.name, decorator.location);
    }
    let optional = parameter.optional || parameter.default.is_some() || admits_undefined;
    Some(Param {
        name: parameter.name,
        ty,
        optional: optional && !parameter.rest,
        rest: parameter.rest,
        location,
    })
}

/// The type of a parameter. Resolved here alone.
fn param_type<'g>(
    extraction: &mut Extraction<'g>,
    form: &EndpointForm<'g>,
    scope: &Scope<'g>,
    parameter: &Parameter<'g>,
    location: Location,
) -> Option<Ty> {
    let place = upper_camel(&form.name) + &upper_camel(&parameter.name);
    if let Some(annotation) = parameter.annotation {
        return extraction.types.resolve(&annotation.type_ann, scope, &place);
    }
    match parameter.default {
        Some(default) => extraction.types.resolve_default(default, scope, &place),
        None => {
            let missing = diagnostics::missing_parameter_type(&form.name, &parameter.name, location);
            extraction.diagnostics.push(missing);
            None
        }
    }
}
