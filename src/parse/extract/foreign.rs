//! Decorators that are not kontract's. Legal ones are left alone, in their order; what TypeScript refuses, or what is
//! a name of kontract's but for a letter, must not pass in silence.

use std::collections::BTreeSet;

use swc_common::Spanned;
use swc_ecma_ast::{Callee, Class, ClassMember, Constructor, Decorator, Expr, Ident, ParamOrTsParamProp};
use swc_ecma_visit::{Visit, VisitWith, noop_visit_type};

use super::diagnostics;
use crate::diag::{Diagnostic, nearest};
use crate::parse::literal::unwrapped;
use crate::parse::module::{OWN_FUNCTIONS, OwnName, ParsedModule};
use crate::parse::scanner::VOCABULARY;

/// Reports decorators that stand where TypeScript has none, and misspelt ones of kontract's.
pub(super) fn check(module: &ParsedModule, found: &mut Vec<Diagnostic>) {
    if !module.may().be_decorated {
        return;
    }
    let mut decorators = Decorators { module, legal: BTreeSet::new(), found };
    module.module.visit_with(&mut decorators);
}

struct Decorators<'m> {
    module: &'m ParsedModule,
    /// Positions of those in classes.
    legal: BTreeSet<u32>,
    found: &'m mut Vec<Diagnostic>,
}

impl Decorators<'_> {
    fn allow(&mut self, decorators: &[Decorator]) {
        self.legal.extend(decorators.iter().map(|decorator| decorator.span.lo.0));
    }
}

impl Visit for Decorators<'_> {
    noop_visit_type!();

    fn visit_class(&mut self, class: &Class) {
        self.allow(&class.decorators);
        for member in &class.body {
            match member {
                ClassMember::Method(method) => self.allow(&method.function.decorators),
                ClassMember::PrivateMethod(method) => self.allow(&method.function.decorators),
                ClassMember::ClassProp(prop) => self.allow(&prop.decorators),
                ClassMember::PrivateProp(prop) => self.allow(&prop.decorators),
                ClassMember::AutoAccessor(accessor) => self.allow(&accessor.decorators),
                ClassMember::Constructor(_)
                | ClassMember::TsIndexSignature(_)
                | ClassMember::StaticBlock(_)
                | ClassMember::Empty(_) => {}
            }
            // Parameters of methods may have them under `experimentalDecorators`.
            if let ClassMember::Method(method) = member {
                method.function.params.iter().for_each(|param| self.allow(&param.decorators));
            }
        }
        class.visit_children_with(self);
    }

    fn visit_constructor(&mut self, constructor: &Constructor) {
        for param in &constructor.params {
            match param {
                ParamOrTsParamProp::Param(param) => self.allow(&param.decorators),
                ParamOrTsParamProp::TsParamProp(prop) => self.allow(&prop.decorators),
            }
        }
        constructor.visit_children_with(self);
    }

    fn visit_decorator(&mut self, decorator: &Decorator) {
        let at = self.module.location(decorator.span);
        let name = name_of(&decorator.expr);
        if let Some(own) = own_function(self.module, &decorator.expr) {
            self.found.push(diagnostics::decorator_by_way(&own, at));
        } else if !self.legal.contains(&decorator.span.lo.0) {
            let shown = name.map_or_else(|| "…".to_owned(), |name| name.sym.to_string());
            self.found.push(diagnostics::illegal_decorator(&shown, at));
        } else if let Some(name) = name.filter(|name| self.module.is_unresolved(name))
            && let Some(near) = nearest(&name.sym, VOCABULARY.iter().copied())
        {
            self.found.push(diagnostics::misspelt_decorator(
                &name.sym,
                near,
                self.module.location(name.span()),
            ));
        }
        decorator.visit_children_with(self);
    }
}

/// The function of kontract's that a decorator is, by whatever name.
pub(super) fn own_function(module: &ParsedModule, expr: &Expr) -> Option<String> {
    let callee = match unwrapped(expr) {
        Expr::Call(call) => call.callee.as_expr()?,
        other => other,
    };
    match module.own_name(callee)? {
        OwnName::Export(name) => Some(name).filter(|name| OWN_FUNCTIONS.contains(&name.as_str())),
        OwnName::Package | OwnName::Module(_) => None,
    }
}

/// The name in `@name` and `@name(…)`.
fn name_of(expr: &Expr) -> Option<&Ident> {
    match unwrapped(expr) {
        Expr::Ident(ident) => Some(ident),
        Expr::Call(call) => match &call.callee {
            Callee::Expr(callee) => unwrapped(callee).as_ident(),
            Callee::Super(_) | Callee::Import(_) => None,
        },
        _ => None,
    }
}
