//! From the forms of endpoints to endpoints.
//!
//! ```text
//! @backend({ perm: perms.RW_ }) export async function sign(name: string): Promise<Entry> { … }
//!   → Endpoint { name: "sign", binding: `sign` of this module, options, params, returns, … }
//! ```

use swc_ecma_ast::{TsEntityName, TsType};

use super::form::{Callable, ClassSite, EndpointForm};
use super::forms::Forms;
use super::options::endpoint_options;
use super::{Extraction, diagnostics, signature, upper_camel};
use crate::contract::{Endpoint, Ty};
use crate::parse::comments::DocComment;
use crate::parse::module::ParsedModule;
use crate::parse::types::{ASYNCHRONOUS, Inferred, Scope};

pub(super) fn extract<'g>(extraction: &mut Extraction<'g>, module: &'g ParsedModule, forms: Forms<'g>) {
    extraction.types.look_at(Some(module.file));
    for form in &forms.endpoints {
        let body = form.function.place.module.location(form.function.body.span());
        if let Some(endpoint) = endpoint(extraction, module, form) {
            extraction.bodies.push((body, extraction.contract.endpoints.len()));
            extraction.contract.endpoints.push(endpoint);
        }
    }
    extraction.diagnostics.extend(forms.diagnostics);
    extraction.exposed_classes.extend(forms.exposed);
    extraction.base_classes.extend(forms.bases);
}

/// Reports classes whose endpoints no class exposes.
pub(super) fn unexposed(extraction: &mut Extraction<'_>) {
    let unexposed = |site: &&ClassSite<'_>| !extraction.exposed_classes.contains(&site.key());
    let found = extraction.base_classes.iter().filter(unexposed).map(|site| {
        let at = site.place.module.location(site.name_span);
        match site.class.is_abstract {
            true => diagnostics::abstract_only(&site.name(), at),
            false => diagnostics::class_not_exported(&site.name(), at),
        }
    });
    let found: Vec<_> = found.collect();
    extraction.diagnostics.extend(found);
}

fn endpoint<'g>(
    extraction: &mut Extraction<'g>,
    module: &'g ParsedModule,
    form: &EndpointForm<'g>,
) -> Option<Endpoint> {
    let location = module.location(form.name_span);
    let (name, options) = endpoint_options(extraction, &form.name, &form.options);
    if form.binding.is_none() {
        let nested = !form.function.place.blocks.is_empty();
        extraction.diagnostics.push(diagnostics::not_exported(&form.name, nested, location));
    }
    let scope = signature::scope(extraction, form);
    if !is_asynchronous(extraction, form, scope.as_ref()) {
        extraction.diagnostics.push(diagnostics::not_asynchronous(&form.name, location));
    }
    let params = scope.as_ref().and_then(|scope| signature::params(extraction, form, scope));
    let returns = scope.as_ref().and_then(|scope| returns(extraction, form, scope));
    let documented = form.function.documented.iter();
    let mut docs = documented.map(|span| DocComment::above(form.function.place.module, *span).doc);
    Some(Endpoint {
        name,
        binding: form.binding.clone()?,
        options,
        params: params?,
        returns: returns?,
        doc: docs.find(|doc| *doc != Default::default()).unwrap_or_default(),
        location,
    })
}

fn is_asynchronous<'g>(
    extraction: &mut Extraction<'g>,
    form: &EndpointForm<'g>,
    scope: Option<&Scope<'g>>,
) -> bool {
    let (body, signature) = (form.function.body, form.function.signature);
    let annotations = [body.result(), signature.result()];
    let mut written = annotations.iter().flatten();
    if body.is_async() || written.any(|ty| is_asynchronous_type(&ty.type_ann)) {
        return true;
    }
    // What is wrong with the scope has been said.
    let Some(scope) = scope else { return true };
    if let Some(annotation) = annotations.into_iter().flatten().next_back() {
        return extraction.types.means_promise(&annotation.type_ann, scope);
    }
    match body {
        Callable::Function(function) if function.body.is_some() => {
            extraction.types.gives_promise(Inferred::Function(function), scope)
        }
        Callable::Arrow(arrow) => extraction.types.gives_promise(Inferred::Arrow(arrow), scope),
        Callable::Function(_) | Callable::Type(_) => false,
    }
}

fn is_asynchronous_type(ty: &TsType) -> bool {
    let name = ty.as_ts_type_ref().map(|reference| &reference.type_name);
    matches!(name, Some(TsEntityName::Ident(name)) if ASYNCHRONOUS.contains(&&*name.sym))
}

/// The type of what is sent back. Resolved here alone.
fn returns<'g>(extraction: &mut Extraction<'g>, form: &EndpointForm<'g>, scope: &Scope<'g>) -> Option<Ty> {
    let module = form.function.place.module;
    let place = upper_camel(&form.name) + "Result";
    if let Some(annotation) = form.function.signature.result() {
        return extraction.types.resolve_result(&annotation.type_ann, scope, &place);
    }
    if let Some(context) = form.function.context {
        let at = module.location(form.function.signature.span());
        if let Some(result) = extraction.types.expected_result(context, scope, &place, at) {
            return result;
        }
    }
    let at = module.location(form.function.body.span());
    let at = if form.classes.len() > 1 { at } else { name_location(module, form).unwrap_or(at) };
    match form.function.body {
        Callable::Function(function) if function.body.is_some() => {
            extraction.types.infer_function(function, scope, &place, at)
        }
        Callable::Arrow(arrow) => extraction.types.infer_arrow(arrow, scope, &place, at),
        // A function without a body has been reported as no endpoint, and a type has a result.
        Callable::Function(_) | Callable::Type(_) => None,
    }
}

/// The endpoint's name, where it stands in the module of the function.
fn name_location(module: &ParsedModule, form: &EndpointForm<'_>) -> Option<crate::source::Location> {
    let own = form.binding.as_ref().is_none_or(|binding| binding.file == module.file);
    own.then(|| module.location(form.name_span))
}
