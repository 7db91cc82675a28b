//! Every decorator must stand before something it applies to; one that is silently ignored is a hole in a policy.

use std::collections::BTreeMap;

use swc_common::{Span, Spanned};
use swc_ecma_ast::{
    ArrowExpr, Class, ClassMember, Decl, DefaultDecl, FnDecl, FnExpr, ModuleDecl, ModuleItem, Param,
    TsFnParam, TsParamProp, TsTypeElement,
};
use swc_ecma_visit::{Visit, VisitWith};

use super::forms::Forms;
use super::{diagnostics, foreign, own_names};
use crate::diag::Diagnostic;
use crate::parse::diagnostics::misplaced_decorator;
use crate::parse::graph::ModuleGraph;
use crate::parse::module::{ParsedModule, item_decl};
use crate::source::Location;

/// Reports decorators and functions of kontract's that stand elsewhere, and decorators that are nobody's.
pub(super) fn check(
    graph: &ModuleGraph,
    module: &ParsedModule,
    forms: &Forms<'_>,
    filters: &[Location],
    found: &mut Vec<Diagnostic>,
) {
    let mut places = Places { at: BTreeMap::new() };
    if !module.decorators.is_empty() {
        places.collect(module);
    }
    for (offset, decorators) in &module.decorators {
        let kinds = places.at.get(offset).map_or(&[][..], Vec::as_slice);
        for decorator in decorators {
            let name = decorator.name.as_str();
            let fits = match name {
                "backend" => forms.decorators.contains(&decorator.location),
                "mwfilter" => filters.contains(&decorator.location),
                _ => kinds.iter().any(|kind| kind.accepts(name)),
            };
            match kinds.first() {
                _ if fits => {}
                Some(kind) if name == "backend" => {
                    found.push(diagnostics::not_a_function(decorator.location, kind.describe()));
                }
                Some(_) | None => found.push(misplaced_decorator(name, decorator.location)),
            }
        }
    }
    foreign::check(module, found);
    own_names::check(graph, module, forms, filters, found);
}

/// What a node is, for a decorator before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Function,
    Method,
    Value,
    Class,
    OtherDeclaration,
    Field,
    /// Of instances of a class.
    Property,
    Parameter,
}

impl Place {
    fn accepts(self, decorator: &str) -> bool {
        match decorator {
            "primkey" | "perm" | "index" | "unique" => self == Self::Field,
            _ => matches!(self, Self::Field | Self::Property | Self::Parameter),
        }
    }

    fn describe(self) -> &'static str {
        match self {
            Self::Function => "a function inside of another",
            Self::Method => "a method of a class that no module exports",
            Self::Value => "this value",
            Self::Class => "a class",
            Self::OtherDeclaration => "this declaration",
            Self::Field | Self::Property => "a field",
            Self::Parameter => "a parameter",
        }
    }
}

/// The offsets at which nodes start that a decorator may stand before.
struct Places {
    at: BTreeMap<u32, Vec<Place>>,
}

impl Places {
    fn collect(&mut self, module: &ParsedModule) {
        for item in module.items() {
            self.item(item);
        }
        module.module.visit_with(self);
    }

    fn item(&mut self, item: &ModuleItem) {
        if let ModuleItem::ModuleDecl(ModuleDecl::ExportDefaultDecl(export)) = item {
            let place = match &export.decl {
                DefaultDecl::Fn(_) => Place::Function,
                DefaultDecl::Class(_) => Place::Class,
                DefaultDecl::TsInterfaceDecl(_) => Place::OtherDeclaration,
            };
            self.add(export.span, place);
            self.add(export.decl.span(), place);
            return;
        }
        let place = match item_decl(item) {
            Some(Decl::Fn(function)) => {
                self.add(function.function.span, Place::Function);
                Place::Function
            }
            Some(Decl::Class(_)) => Place::Class,
            Some(_) | None => Place::OtherDeclaration,
        };
        self.add(item.span(), place);
    }

    fn add(&mut self, span: Span, place: Place) {
        self.at.entry(span.lo.0.saturating_sub(1)).or_default().push(place);
    }
}

impl Visit for Places {
    fn visit_class(&mut self, class: &Class) {
        for member in &class.body {
            match member {
                ClassMember::Method(method) => self.add(method.span, Place::Method),
                ClassMember::ClassProp(property) if !property.is_static => {
                    self.add(property.span, Place::Property);
                }
                _ => {}
            }
        }
        class.visit_children_with(self);
    }

    fn visit_ts_type_element(&mut self, element: &TsTypeElement) {
        self.add(element.span(), Place::Field);
        element.visit_children_with(self);
    }

    fn visit_param(&mut self, param: &Param) {
        self.add(param.span, Place::Parameter);
        param.visit_children_with(self);
    }

    fn visit_ts_param_prop(&mut self, param: &TsParamProp) {
        self.add(param.span, Place::Parameter);
        param.visit_children_with(self);
    }

    fn visit_ts_fn_param(&mut self, param: &TsFnParam) {
        self.add(param.span(), Place::Parameter);
        param.visit_children_with(self);
    }

    fn visit_fn_decl(&mut self, function: &FnDecl) {
        self.add(function.function.span, Place::Function);
        function.visit_children_with(self);
    }

    fn visit_fn_expr(&mut self, function: &FnExpr) {
        self.add(function.span(), Place::Value);
        function.visit_children_with(self);
    }

    fn visit_arrow_expr(&mut self, arrow: &ArrowExpr) {
        self.add(arrow.span, Place::Value);
        for param in &arrow.params {
            self.add(param.span(), Place::Parameter);
        }
        arrow.visit_children_with(self);
    }
}
