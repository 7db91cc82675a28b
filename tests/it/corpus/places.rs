//! Where kontract's decorators may stand in a program.

use std::collections::BTreeMap;

use swc_common::{Span, Spanned};
use swc_ecma_ast::{
    ArrowExpr, ClassDecl, ClassMethod, ClassProp, Decl, Decorator, DefaultDecl, FnDecl, FnExpr, Module,
    ModuleDecl, Param, Prop, TsEnumMember, TsFnParam, TsParamProp, TsTypeElement,
};
use swc_ecma_visit::{Visit, VisitWith};

/// Offsets, and the offset of the node that a decorator there belongs to: the same, but behind decorators of others.
pub(super) fn places(module: &Module, text: &str) -> BTreeMap<usize, usize> {
    let mut places = Places { text, found: BTreeMap::new() };
    module.visit_with(&mut places);
    places.found
}

struct Places<'t> {
    text: &'t str,
    found: BTreeMap<usize, usize>,
}

impl Places<'_> {
    fn add(&mut self, span: Span) {
        let at = span.lo.0 as usize - 1;
        self.found.insert(at, at);
    }

    /// The place behind a member's own decorators.
    fn add_behind(&mut self, member: Span, decorators: &[Decorator]) {
        let Some(last) = decorators.last() else { return };
        let end = last.span.hi.0 as usize - 1;
        let rest = &self.text[end..];
        let blank = rest.len() - rest.trim_start_matches([' ', '\n', '\r', '\t']).len();
        if !rest[blank..].starts_with('/') && blank > 0 {
            self.found.insert(end + blank, member.lo.0 as usize - 1);
        }
    }
}

impl Visit for Places<'_> {
    fn visit_module_decl(&mut self, node: &ModuleDecl) {
        match node {
            ModuleDecl::ExportDecl(export) => match &export.decl {
                // Decorators before `export` belong to the class behind it, which begins elsewhere.
                Decl::Class(class) if !class.class.decorators.is_empty() => {}
                Decl::Fn(_) | Decl::Class(_) | Decl::TsInterface(_) | Decl::TsTypeAlias(_) | Decl::Var(_) => {
                    self.add(export.span);
                }
                Decl::Using(_) | Decl::TsEnum(_) | Decl::TsModule(_) => {}
            },
            ModuleDecl::ExportDefaultDecl(export) => match &export.decl {
                DefaultDecl::Class(class) if !class.class.decorators.is_empty() => {}
                DefaultDecl::Class(_) | DefaultDecl::Fn(_) | DefaultDecl::TsInterfaceDecl(_) => {
                    self.add(export.span);
                }
            },
            ModuleDecl::Import(_)
            | ModuleDecl::ExportNamed(_)
            | ModuleDecl::ExportDefaultExpr(_)
            | ModuleDecl::ExportAll(_)
            | ModuleDecl::TsImportEquals(_)
            | ModuleDecl::TsExportAssignment(_)
            | ModuleDecl::TsNamespaceExport(_) => {}
        }
        node.visit_children_with(self);
    }

    fn visit_class_method(&mut self, node: &ClassMethod) {
        self.add(node.span);
        self.add_behind(node.span, &node.function.decorators);
        node.visit_children_with(self);
    }

    fn visit_class_prop(&mut self, node: &ClassProp) {
        self.add(node.span);
        self.add_behind(node.span, &node.decorators);
        node.visit_children_with(self);
    }

    fn visit_arrow_expr(&mut self, node: &ArrowExpr) {
        self.add(node.span);
        for param in &node.params {
            self.add(param.span());
        }
        node.visit_children_with(self);
    }

    fn visit_fn_decl(&mut self, node: &FnDecl) {
        self.add(node.function.span);
        node.visit_children_with(self);
    }

    fn visit_class_decl(&mut self, node: &ClassDecl) {
        if node.class.decorators.is_empty() {
            self.add(node.class.span);
        }
        node.visit_children_with(self);
    }

    fn visit_param(&mut self, node: &Param) {
        self.add(node.span);
        node.visit_children_with(self);
    }

    fn visit_ts_param_prop(&mut self, node: &TsParamProp) {
        self.add(node.span);
        node.visit_children_with(self);
    }

    fn visit_ts_enum_member(&mut self, node: &TsEnumMember) {
        self.add(node.span);
        node.visit_children_with(self);
    }

    fn visit_prop(&mut self, node: &Prop) {
        self.add(node.span());
        node.visit_children_with(self);
    }

    fn visit_fn_expr(&mut self, node: &FnExpr) {
        self.add(node.function.span);
        node.visit_children_with(self);
    }

    fn visit_ts_type_element(&mut self, node: &TsTypeElement) {
        self.add(node.span());
        node.visit_children_with(self);
    }

    fn visit_ts_fn_param(&mut self, node: &TsFnParam) {
        self.add(node.span());
        node.visit_children_with(self);
    }
}
