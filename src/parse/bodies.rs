//! The bodies of functions whose results are written down.
//!
//! ```text
//! export async function load(id: string): Promise<Row> { … }     `…` is a body
//! export const size = (row: Row): number => …                    so is this
//! const guess = () => { … }    class Row { constructor() { … } } these say what type something has: none
//! ```
//!
//! Types are read off signatures, and a call is no constant: what such a body does is nobody's business, only what it
//! mentions. Bodies inside of other functions are part of these.

use swc_common::{BytePos, Span, Spanned};
use swc_ecma_ast::{
    ArrowExpr, ArrowFunctionBody, Constructor, Expr, Function, FunctionBody, GetterProp, SetterProp,
    StaticBlock,
};
use swc_ecma_visit::{Visit, VisitWith};

use super::module::ParsedModule;
use crate::source::Location;

/// A body.
pub(crate) struct Body<'b> {
    /// What lies between the braces, or the expression.
    pub(crate) at: Location,
    code: Code<'b>,
}

enum Code<'b> {
    Statements(&'b FunctionBody),
    Value(&'b Expr),
}

impl Body<'_> {
    /// Walks through it.
    pub(crate) fn visit_with(&self, visitor: &mut impl Visit) {
        match self.code {
            Code::Statements(body) => body.visit_with(visitor),
            Code::Value(value) => value.visit_with(visitor),
        }
    }
}

/// Goes through the bodies of a module, none of which lies in another.
pub(crate) fn each_body(module: &ParsedModule, found: &mut dyn FnMut(&Body<'_>)) {
    module.module.visit_with(&mut Bodies { module, found });
}

struct Bodies<'m, 'f> {
    module: &'m ParsedModule,
    found: &'f mut dyn FnMut(&Body<'_>),
}

impl Bodies<'_, '_> {
    fn statements(&mut self, body: &FunctionBody) {
        let inside = Span::new(body.span.lo + BytePos(1), body.span.hi - BytePos(1));
        (self.found)(&Body { at: self.module.location(inside), code: Code::Statements(body) });
    }
}

impl Visit for Bodies<'_, '_> {
    fn visit_function(&mut self, function: &Function) {
        if let (Some(_), Some(body)) = (&function.return_type, &function.body) {
            self.statements(body);
        }
    }

    fn visit_arrow_expr(&mut self, arrow: &ArrowExpr) {
        if arrow.return_type.is_none() {
            return;
        }
        match &*arrow.body {
            ArrowFunctionBody::FunctionBody(body) => self.statements(body),
            ArrowFunctionBody::Expr(value) => {
                (self.found)(&Body { at: self.module.location(value.span()), code: Code::Value(value) });
            }
        }
    }

    fn visit_constructor(&mut self, _: &Constructor) {}

    fn visit_getter_prop(&mut self, _: &GetterProp) {}

    fn visit_setter_prop(&mut self, _: &SetterProp) {}

    fn visit_static_block(&mut self, _: &StaticBlock) {}
}
