//! Keeps the `name`s of functions and classes that have theirs from a variable, where somebody may ask for them.
//!
//! ```text
//! const job = async () => { … };   queue.add(job);        →   not: queue.add(async () => { … })
//! const double = (n) => n * 2;     return double(x);      →   return x * 2
//! ```
//!
//! The minifier puts what is used once where it is used. It leaves alone what a module exports, so that such variables are
//! exported while it works.

use std::collections::BTreeSet;

use swc_common::DUMMY_SP;
use swc_ecma_ast::{
    CallExpr, Callee, ExportNamedSpecifier, ExportSpecifier, Expr, Id, Ident, ModuleDecl, ModuleExportName,
    ModuleItem, NamedExport, Program, Str, VarDeclarator,
};
use swc_ecma_visit::{Visit, VisitWith, noop_visit_type};

/// Adds the export, if there is anything to keep.
pub(super) fn hold(program: &mut Program) {
    let mut found = Found::default();
    program.visit_with(&mut found);
    let kept: Vec<ExportSpecifier> = found.named.intersection(&found.values).map(specifier).collect();
    if let (Program::Module(module), false) = (program, kept.is_empty()) {
        module.body.push(ModuleItem::ModuleDecl(ModuleDecl::ExportNamed(NamedExport {
            span: DUMMY_SP,
            specifiers: kept,
            src: None,
            type_only: false,
            with: None,
        })));
    }
}

/// Takes the export away, which the minifier may have joined with others.
pub(super) fn release(program: &mut Program) {
    let Program::Module(module) = program else { return };
    module.body.retain_mut(|item| {
        let ModuleItem::ModuleDecl(ModuleDecl::ExportNamed(export)) = item else { return true };
        let all = export.specifiers.len();
        export.specifiers.retain(|specifier| !is_held(specifier));
        export.specifiers.len() == all || !export.specifiers.is_empty()
    });
}

fn specifier((name, context): &Id) -> ExportSpecifier {
    ExportSpecifier::Named(ExportNamedSpecifier {
        span: DUMMY_SP,
        orig: ModuleExportName::Ident(Ident::new(name.clone(), DUMMY_SP, *context)),
        exported: Some(ModuleExportName::Str(Str::from(format!("{HELD}{name}{}", context.as_u32())))),
        is_type_only: false,
    })
}

fn is_held(specifier: &ExportSpecifier) -> bool {
    let exported = specifier.as_named().and_then(|named| named.exported.as_ref());
    exported.is_some_and(|name| name.atom().starts_with(HELD))
}

/// Variables that give a function its name, and those that are used for more than to be called.
#[derive(Default)]
struct Found {
    named: BTreeSet<Id>,
    values: BTreeSet<Id>,
}

impl Visit for Found {
    noop_visit_type!();

    fn visit_var_declarator(&mut self, declared: &VarDeclarator) {
        let name = declared.name.as_ident().filter(|_| declared.init.as_deref().is_some_and(takes_a_name));
        self.named.extend(name.map(|name| name.id.to_id()));
        declared.init.visit_with(self);
        if declared.name.as_ident().is_none() {
            declared.name.visit_with(self);
        }
    }

    fn visit_call_expr(&mut self, call: &CallExpr) {
        match &call.callee {
            Callee::Expr(callee) if callee.is_ident() => {}
            callee => callee.visit_with(self),
        }
        call.args.visit_with(self);
    }

    fn visit_ident(&mut self, ident: &Ident) {
        self.values.insert(ident.to_id());
    }
}

/// Whether a value is a function or class without a name of its own (ECMA-262, section 8.4).
fn takes_a_name(value: &Expr) -> bool {
    match value {
        Expr::Arrow(_) => true,
        Expr::Fn(function) => function.ident.is_none(),
        Expr::Class(class) => class.ident.is_none(),
        _ => false,
    }
}

/// No export of a module is called so.
const HELD: &str = "kontract:";
