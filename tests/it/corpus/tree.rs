//! Trees in a form in which two spellings of one program are equal.

use swc_common::{EqIgnoreSpan, SourceMap, Span, Spanned, sync::Lrc};
use swc_ecma_ast::{BigInt, EsVersion, Expr, JSXText, Module, ModuleItem, Number, Stmt, Str, TsType};
use swc_ecma_parser::{Syntax, TsSyntax, parse_file_as_module};
use swc_ecma_visit::{VisitMut, VisitMutWith};

/// Parses text without anything of kontract's.
pub(crate) fn parse(path: &str, text: &str) -> Result<Module, String> {
    let source_map: Lrc<SourceMap> = Lrc::default();
    let file = source_map.new_source_file(swc_common::FileName::Anon.into(), text.to_owned());
    let tsx = !(path.ends_with(".ts") || path.ends_with(".mts"));
    let syntax = Syntax::Typescript(TsSyntax {
        tsx,
        decorators: true,
        dts: path.ends_with(".d.ts"),
        ..Default::default()
    });
    parse_file_as_module(&file, syntax, EsVersion::latest(), None, &mut Vec::new())
        .map_err(|error| format!("{} at {}", error.kind().msg(), error.span().lo.0))
}

/// Whether both are the same program.
pub(crate) fn same(mut a: Module, mut b: Module) -> bool {
    a.visit_mut_with(&mut Normalize);
    b.visit_mut_with(&mut Normalize);
    a.eq_ignore_span(&b)
}

/// The first top-level statements that differ, for a message.
pub(crate) fn difference(mut a: Module, mut b: Module) -> String {
    a.visit_mut_with(&mut Normalize);
    b.visit_mut_with(&mut Normalize);
    let pairs = a.body.iter().zip(&b.body);
    let differing = pairs.filter(|(a, b)| !a.eq_ignore_span(b)).map(|(a, b)| {
        let (a, b) = (plain(a), plain(b));
        let at = a.bytes().zip(b.bytes()).take_while(|(a, b)| a == b).count().saturating_sub(200);
        format!("{}\n  or {}", cut(&a, at), cut(&b, at))
    });
    differing.take(1).next().unwrap_or_else(|| format!("{} and {} statements", a.body.len(), b.body.len()))
}

fn plain(item: &ModuleItem) -> String {
    struct NoSpans;
    impl VisitMut for NoSpans {
        fn visit_mut_span(&mut self, span: &mut Span) {
            *span = swc_common::DUMMY_SP;
        }
    }
    let mut item = item.clone();
    item.visit_mut_with(&mut NoSpans);
    format!("{item:?}").replace(", span: 0..0", "").replace("span: 0..0, ", "").replace(", ctxt: #0", "")
}

fn cut(text: &str, at: usize) -> String {
    text.chars().skip(at).take(500).collect()
}

/// Takes off what is spelling only: quotes and escapes, superfluous parentheses and semicolons.
struct Normalize;

impl VisitMut for Normalize {
    fn visit_mut_expr(&mut self, node: &mut Expr) {
        while let Expr::Paren(inner) = node {
            *node = (*inner.expr).clone();
        }
        node.visit_mut_children_with(self);
    }

    fn visit_mut_ts_type(&mut self, node: &mut TsType) {
        while let TsType::TsParenthesizedType(inner) = node {
            *node = (*inner.type_ann).clone();
        }
        node.visit_mut_children_with(self);
    }

    fn visit_mut_module_items(&mut self, items: &mut Vec<ModuleItem>) {
        items.retain(|item| !matches!(item, ModuleItem::Stmt(Stmt::Empty(_))));
        items.visit_mut_children_with(self);
    }

    fn visit_mut_stmts(&mut self, stmts: &mut Vec<Stmt>) {
        stmts.retain(|stmt| !matches!(stmt, Stmt::Empty(_)));
        stmts.visit_mut_children_with(self);
    }

    fn visit_mut_str(&mut self, node: &mut Str) {
        node.raw = None;
    }

    fn visit_mut_number(&mut self, node: &mut Number) {
        node.raw = None;
    }

    fn visit_mut_big_int(&mut self, node: &mut BigInt) {
        node.raw = None;
    }

    fn visit_mut_jsx_text(&mut self, node: &mut JSXText) {
        node.raw = "".into();
    }
}
