//! Endpoints in all their spellings.
//!
//! ```text
//! @backend({ perm: perms.RW_ }) export async function sign(name: string): Promise<Entry> { … }
//! export const sign = backend({ perm: perms.RW_ }, async (name: string): Promise<Entry> => { … })
//! export class Book { @backend({ perm: perms.RW_ }) static async sign(name: string): Promise<Entry> { … } }
//!   → Endpoint { name: "sign", options, params, returns, … }
//! ```

use swc_common::{Span, Spanned};
use swc_ecma_ast::{
    ArrowExpr, CallExpr, Callee, ClassMember, Decl, DefaultDecl, Expr, ExprOrSpread, Function, Lit,
    ModuleDecl, ModuleItem, Pat, TsType, TsTypeAnn, VarDeclKind,
};

use super::{Extraction, diagnostics, upper_camel};
use crate::contract::{Endpoint, EndpointOptions, ModuleBinding, NumberWidth, Param, Perms, Ty};
use crate::parse::comments::DocComment;
use crate::parse::literal::{Constant, option_entries, prop_name, unwrapped};
use crate::parse::module::{DecoratorUse, OwnName, ParsedModule, item_decl};
use crate::parse::types::{Scope, width_of};

/// An endpoint as it stands in the tree.
pub(crate) struct EndpointForm<'m> {
    /// The binding's own name.
    pub(crate) name: String,
    /// The name under which it is reached from outside, `Class.method` for methods; `None` when it is not exported.
    pub(crate) export: Option<String>,
    pub(crate) name_span: Span,
    /// Where documentation stands above.
    doc_span: Span,
    arguments: &'m [ExprOrSpread],
    pub(crate) callable: Callable<'m>,
}

impl EndpointForm<'_> {
    /// Whether it is a method, which its class may call as well.
    pub(crate) fn is_method(&self) -> bool {
        self.export.as_ref().is_some_and(|export| export.contains('.'))
    }
}

/// The function of an endpoint.
#[derive(Clone, Copy)]
pub(crate) enum Callable<'m> {
    Function(&'m Function),
    Arrow(&'m ArrowExpr),
}

impl Callable<'_> {
    /// The whole function.
    pub(crate) fn span(&self) -> Span {
        match self {
            Self::Function(function) => function.span,
            Self::Arrow(arrow) => arrow.span,
        }
    }
}

/// Every endpoint of a module, in source order.
pub(crate) fn endpoint_forms(module: &ParsedModule) -> Vec<EndpointForm<'_>> {
    let mut forms = Vec::new();
    for item in module.items() {
        collect_forms(module, item, &mut forms);
    }
    forms
}

pub(super) fn extract(extraction: &mut Extraction<'_>, module: &ParsedModule) {
    for form in endpoint_forms(module) {
        if let Some(endpoint) = endpoint(extraction, module, &form) {
            extraction.contract.endpoints.push(endpoint);
        }
    }
}

fn collect_forms<'m>(module: &'m ParsedModule, node: &'m ModuleItem, forms: &mut Vec<EndpointForm<'m>>) {
    if let ModuleItem::ModuleDecl(ModuleDecl::ExportDefaultDecl(export)) = node {
        if let (DefaultDecl::Fn(function), Some(decorator)) =
            (&export.decl, decorator_of(module, &[export.span, export.decl.span()]))
        {
            let ident = function.ident.as_ref();
            forms.push(EndpointForm {
                name: ident.map_or_else(|| "default".to_owned(), |ident| ident.sym.to_string()),
                export: Some("default".to_owned()),
                name_span: ident.map_or(function.function.span, |ident| ident.span),
                doc_span: export.span,
                arguments: arguments_of(decorator),
                callable: Callable::Function(&function.function),
            });
        }
        return;
    }
    match item_decl(node) {
        Some(Decl::Fn(function)) => {
            let Some(decorator) = decorator_of(module, &[node.span(), function.function.span]) else {
                return;
            };
            let name = function.ident.sym.to_string();
            forms.push(EndpointForm {
                export: module.exported_as(&name).map(str::to_owned),
                name,
                name_span: function.ident.span,
                doc_span: node.span(),
                arguments: arguments_of(decorator),
                callable: Callable::Function(&function.function),
            });
        }
        Some(Decl::Var(vars)) => {
            for var in &vars.decls {
                let (Some(ident), Some(call)) = (var.name.as_ident(), var.init.as_deref().and_then(as_call))
                else {
                    continue;
                };
                if let Some((arguments, callable)) = wrapped_function(module, call) {
                    let name = ident.sym.to_string();
                    let constant = vars.kind == VarDeclKind::Const;
                    let export = module.exported_as(&name).map(str::to_owned).filter(|_| constant);
                    let doc_span = if vars.decls.len() == 1 { node.span() } else { var.span };
                    forms.push(EndpointForm {
                        name,
                        export,
                        name_span: ident.span,
                        doc_span,
                        arguments,
                        callable,
                    });
                }
            }
        }
        Some(Decl::Class(class)) => {
            let class_name = class.ident.sym.to_string();
            let exported = module.exported_as(&class_name);
            for member in &class.class.body {
                let ClassMember::Method(method) = member else { continue };
                let (Some(decorator), Some(name)) =
                    (module.decorator(method.span, "backend"), prop_name(&method.key))
                else {
                    continue;
                };
                if method.is_static {
                    forms.push(EndpointForm {
                        export: exported.map(|exported| format!("{exported}.{name}")),
                        name,
                        name_span: method.key.span(),
                        doc_span: method.span,
                        arguments: arguments_of(decorator),
                        callable: Callable::Function(&method.function),
                    });
                }
            }
        }
        _ => {}
    }
}

/// The options and the function of `backend({ … }, function)`; `None` for other calls.
fn wrapped_function<'m>(
    module: &ParsedModule,
    call: &'m CallExpr,
) -> Option<(&'m [ExprOrSpread], Callable<'m>)> {
    if !is_call_of(module, call, "backend") {
        return None;
    }
    let (function, options) = call.args.split_last()?;
    let callable = match unwrapped(&function.expr) {
        Expr::Arrow(arrow) => Callable::Arrow(arrow),
        Expr::Fn(function) => Callable::Function(&function.function),
        _ => return None,
    };
    Some((options, callable))
}

pub(super) fn as_call(expr: &Expr) -> Option<&CallExpr> {
    unwrapped(expr).as_call()
}

/// Whether a call is of that function of kontract's.
pub(crate) fn is_call_of(module: &ParsedModule, call: &CallExpr, name: &str) -> bool {
    match &call.callee {
        Callee::Expr(callee) => module.own_name(callee) == Some(OwnName::Export(name.to_owned())),
        Callee::Super(_) | Callee::Import(_) => false,
    }
}

fn decorator_of<'m>(module: &'m ParsedModule, spans: &[Span]) -> Option<&'m DecoratorUse> {
    spans.iter().find_map(|span| module.decorator(*span, "backend"))
}

fn arguments_of(decorator: &DecoratorUse) -> &[ExprOrSpread] {
    decorator.arguments.as_deref().unwrap_or(&[])
}

fn endpoint(
    extraction: &mut Extraction<'_>,
    module: &ParsedModule,
    form: &EndpointForm<'_>,
) -> Option<Endpoint> {
    let location = module.location(form.name_span);
    let (name, options) = options(extraction, module, form);
    if form.export.is_none() {
        extraction.diagnostics.push(diagnostics::not_exported(&form.name, location));
    }
    if !is_asynchronous(form.callable) {
        extraction.diagnostics.push(diagnostics::not_asynchronous(&form.name, location));
    }
    let params = params(extraction, module, form);
    let returns = returns(extraction, module, form);
    Some(Endpoint {
        name,
        binding: ModuleBinding { file: module.file, export: form.export.clone()? },
        options,
        params: params?,
        returns: returns?,
        doc: DocComment::above(module, form.doc_span).doc,
        location,
    })
}

fn options(
    extraction: &mut Extraction<'_>,
    module: &ParsedModule,
    form: &EndpointForm<'_>,
) -> (String, EndpointOptions) {
    let mut name = form.name.clone();
    // Without `perm` an endpoint may do nothing with storage but read.
    let mut options = EndpointOptions { ugroup: None, perm: Perms::R, egroup: None };
    let entries = match option_entries(extraction.graph, module, form.arguments) {
        Ok(entries) => entries,
        Err(found) => {
            extraction.diagnostics.push(diagnostics::not_constant("backend", &found));
            return (name, options);
        }
    };
    for entry in entries {
        if !diagnostics::ENDPOINT_OPTIONS.contains(&entry.key.as_str()) {
            extraction.diagnostics.push(diagnostics::unknown_option(&entry.key, entry.key_location));
            continue;
        }
        let value = match entry.value {
            Ok(value) => value,
            Err(found) => {
                extraction.diagnostics.push(diagnostics::not_constant("backend", &found));
                continue;
            }
        };
        match (entry.key.as_str(), value) {
            ("perm", Constant::Perms(perm)) => options.perm = perm,
            ("ugroup", Constant::Text(text)) if !text.is_empty() => options.ugroup = Some(text),
            ("egroup", Constant::Text(text)) if !text.is_empty() => options.egroup = Some(text),
            ("name", Constant::Text(text)) if !text.is_empty() => name = text,
            (key, _) => {
                let wanted = if key == "perm" { "one of `perms.*`" } else { "a non-empty string" };
                extraction.diagnostics.push(diagnostics::bad_option(key, wanted, entry.value_location));
            }
        }
    }
    (name, options)
}

fn is_asynchronous(callable: Callable<'_>) -> bool {
    let (is_async, annotation) = match callable {
        Callable::Function(function) => (function.is_async, &function.return_type),
        Callable::Arrow(arrow) => (arrow.is_async, &arrow.return_type),
    };
    is_async || annotation.as_ref().is_some_and(|annotation| is_promise(&annotation.type_ann))
}

fn is_promise(ty: &TsType) -> bool {
    ty.as_ts_type_ref()
        .and_then(|reference| reference.type_name.as_ident())
        .is_some_and(|name| name.sym == *"Promise")
}

/// `None` when a parameter has no usable type.
fn params(
    extraction: &mut Extraction<'_>,
    module: &ParsedModule,
    form: &EndpointForm<'_>,
) -> Option<Vec<Param>> {
    let patterns: Vec<(&Pat, Span)> = match form.callable {
        Callable::Function(function) => {
            function.params.iter().map(|param| (&param.pat, param.span)).collect()
        }
        Callable::Arrow(arrow) => arrow.params.iter().map(|pat| (pat, pat.span())).collect(),
    };
    let params: Vec<Option<Param>> = patterns
        .into_iter()
        .enumerate()
        .map(|(index, (pat, span))| param(extraction, module, form, index, pat, span))
        .collect();
    params.into_iter().collect()
}

fn param(
    extraction: &mut Extraction<'_>,
    module: &ParsedModule,
    form: &EndpointForm<'_>,
    index: usize,
    pat: &Pat,
    span: Span,
) -> Option<Param> {
    let (target, default) = match pat {
        Pat::Assign(assign) => (&*assign.left, Some(&*assign.right)),
        other => (other, None),
    };
    let (name, annotation, question) = match target {
        Pat::Ident(ident) => (ident.sym.to_string(), ident.type_ann.as_deref(), ident.optional),
        Pat::Object(object) => (format!("arg{index}"), object.type_ann.as_deref(), object.optional),
        Pat::Array(array) => (format!("arg{index}"), array.type_ann.as_deref(), array.optional),
        Pat::Rest(rest) => {
            extraction
                .diagnostics
                .push(diagnostics::rest_parameter(&form.name, module.location(rest.span())));
            return None;
        }
        Pat::Assign(_) | Pat::Invalid(_) | Pat::Expr(_) => return None,
    };
    let location = module.location(target.span());
    let ty = param_type(extraction, module, form, &name, annotation, default, location)?;
    let (ty, admits_undefined) = match ty {
        Ty::Optional(inner) => (*inner, true),
        other => (other, false),
    };
    let ty = with_width(extraction, module, span, ty, &name);
    Some(Param { name, ty, optional: question || default.is_some() || admits_undefined, location })
}

fn param_type(
    extraction: &mut Extraction<'_>,
    module: &ParsedModule,
    form: &EndpointForm<'_>,
    name: &str,
    annotation: Option<&TsTypeAnn>,
    default: Option<&Expr>,
    location: crate::source::Location,
) -> Option<Ty> {
    if let Some(annotation) = annotation {
        let place = upper_camel(&form.name) + &upper_camel(name);
        return extraction.types.resolve(&annotation.type_ann, &Scope::of(module), &place);
    }
    match default.map(unwrapped) {
        Some(Expr::Lit(Lit::Str(_)) | Expr::Tpl(_)) => Some(Ty::String),
        Some(Expr::Lit(Lit::Num(_))) => Some(Ty::Number(NumberWidth::Float64)),
        Some(Expr::Lit(Lit::Bool(_))) => Some(Ty::Boolean),
        _ => {
            extraction.diagnostics.push(diagnostics::missing_parameter_type(&form.name, name, location));
            None
        }
    }
}

/// The type with the width of an `@int32`-like decorator before the parameter.
fn with_width(extraction: &mut Extraction<'_>, module: &ParsedModule, span: Span, ty: Ty, name: &str) -> Ty {
    let mut ty = ty;
    for decorator in module.decorators_at(span) {
        ty = width_of(&mut extraction.types, &decorator.name, ty, name, decorator.location);
    }
    ty
}

fn returns(extraction: &mut Extraction<'_>, module: &ParsedModule, form: &EndpointForm<'_>) -> Option<Ty> {
    let annotation = match form.callable {
        Callable::Function(function) => function.return_type.as_deref(),
        Callable::Arrow(arrow) => arrow.return_type.as_deref(),
    };
    let Some(annotation) = annotation else {
        extraction
            .diagnostics
            .push(diagnostics::missing_result_type(&form.name, module.location(form.name_span)));
        return None;
    };
    let place = upper_camel(&form.name) + "Result";
    extraction.types.resolve_result(&annotation.type_ann, &Scope::of(module), &place)
}
