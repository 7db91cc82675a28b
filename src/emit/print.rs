//! Prints a module with swc's code generator.
//!
//! The generator leaves out two things of TypeScript: the `!` of `let x!: T` and the type parameters of class
//! expressions. Both are put into the name that stands before them, in a copy of the tree, so that they are printed.

use super::sourcemap::Printed;
use swc_common::comments::Comments;
use swc_common::{BytePos, DUMMY_SP, LineCol, SourceMap, sync::Lrc};
use swc_ecma_ast::{ClassExpr, EsVersion, Ident, Module, Pat, VarDeclarator};
use swc_ecma_codegen::text_writer::JsWriter;
use swc_ecma_codegen::{Config, Emitter, Node};
use swc_ecma_visit::{Visit, VisitMut, VisitMutWith, VisitWith};

/// The text of a module. `comments` are those collected when it was parsed; generated modules have none.
pub fn print(module: &Module, source_map: &Lrc<SourceMap>, comments: Option<&dyn Comments>) -> String {
    let mut omitted = Omitted::default();
    module.visit_with(&mut omitted);
    if !omitted.found {
        return text_of(module, source_map, comments, None);
    }
    let mut module = module.clone();
    module.visit_mut_with(&mut SpellOut { source_map });
    text_of(&module, source_map, comments, None)
}

/// The text of a module that was parsed from one file, and where its parts come from.
pub fn print_mapped(module: &Module, source_map: &Lrc<SourceMap>) -> (String, Vec<Printed>) {
    let mut places = Vec::new();
    let text = text_of(module, source_map, None, Some(&mut places));
    // A file starts at position 1; 0 is what the compiler made.
    let printed = places.into_iter().filter_map(|(position, place): (BytePos, LineCol)| {
        let offset = position.0.checked_sub(1)?;
        (!position.is_reserved_for_comments()).then_some(Printed {
            offset,
            line: place.line,
            column: place.col,
        })
    });
    (text, printed.collect())
}

fn text_of(
    node: &impl Node,
    source_map: &Lrc<SourceMap>,
    comments: Option<&dyn Comments>,
    places: Option<&mut Vec<(BytePos, LineCol)>>,
) -> String {
    let mut text = Vec::new();
    let mut emitter = Emitter {
        cfg: Config::default().with_target(EsVersion::latest()),
        cm: source_map.clone(),
        comments,
        wr: JsWriter::new(source_map.clone(), "\n", &mut text, places),
    };
    node.emit_with(&mut emitter).expect("invariant: writing to a Vec does not fail");
    String::from_utf8(text).expect("invariant: the printer writes UTF-8")
}

/// Whether a tree has what the generator leaves out.
#[derive(Default)]
struct Omitted {
    found: bool,
}

impl Visit for Omitted {
    fn visit_var_declarator(&mut self, node: &VarDeclarator) {
        self.found |= node.definite;
        node.visit_children_with(self);
    }

    fn visit_class_expr(&mut self, node: &ClassExpr) {
        self.found |= node.class.type_params.is_some();
        node.visit_children_with(self);
    }
}

struct SpellOut<'m> {
    source_map: &'m Lrc<SourceMap>,
}

impl VisitMut for SpellOut<'_> {
    fn visit_mut_var_declarator(&mut self, node: &mut VarDeclarator) {
        node.visit_mut_children_with(self);
        if let (true, Pat::Ident(name)) = (node.definite, &mut node.name) {
            name.id.sym = format!("{}!", name.id.sym).into();
        }
    }

    fn visit_mut_class_expr(&mut self, node: &mut ClassExpr) {
        node.visit_mut_children_with(self);
        if let Some(params) = node.class.type_params.take() {
            let params = text_of(&*params, self.source_map, None, None);
            let name = node.ident.get_or_insert_with(|| Ident::new_no_ctxt("".into(), DUMMY_SP));
            name.sym = format!("{}{params}", name.sym).into();
        }
    }
}

#[cfg(test)]
mod tests {
    use swc_common::{FileName, SourceMap, sync::Lrc};
    use swc_ecma_ast::EsVersion;
    use swc_ecma_parser::{Syntax, TsSyntax, parse_file_as_module};

    use super::print;

    #[test]
    fn nothing_of_the_types_is_left_out() {
        for text in [
            "let x!: string;\n",
            "const C = class<T extends string, const U = Map<T, T>> extends B<T> {\n};\n",
            "const C = class D<in out T> {\n    x!: T;\n};\n",
        ] {
            let source_map: Lrc<SourceMap> = Lrc::default();
            let file = source_map.new_source_file(FileName::Anon.into(), text.to_owned());
            let syntax = Syntax::Typescript(TsSyntax::default());
            let module = parse_file_as_module(&file, syntax, EsVersion::latest(), None, &mut Vec::new())
                .expect("it parses");
            let printed = print(&module, &source_map, None).replace("class <", "class<");
            assert_eq!(printed, text);
        }
    }
}
