//! Prints a module with swc's code generator.

use super::sourcemap::Printed;
use swc_common::comments::Comments;
use swc_common::{BytePos, LineCol, SourceMap, sync::Lrc};
use swc_ecma_ast::{EsVersion, Module};
use swc_ecma_codegen::text_writer::JsWriter;
use swc_ecma_codegen::{Config, Emitter, Node};

/// The text of a module. `comments` are those collected when it was parsed; generated modules have none.
pub fn print(module: &Module, source_map: &Lrc<SourceMap>, comments: Option<&dyn Comments>) -> String {
    text_of(module, source_map, comments, None)
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
    module: &Module,
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
    module.emit_with(&mut emitter).expect("invariant: writing to a Vec does not fail");
    String::from_utf8(text).expect("invariant: the printer writes UTF-8")
}
