//! Prints a module with swc's code generator.

use swc_common::comments::Comments;
use swc_common::{SourceMap, sync::Lrc};
use swc_ecma_ast::{EsVersion, Module};
use swc_ecma_codegen::text_writer::JsWriter;
use swc_ecma_codegen::{Config, Emitter, Node};

/// The text of a module. `comments` are those collected when it was parsed; generated modules have none.
pub fn print(module: &Module, source_map: &Lrc<SourceMap>, comments: Option<&dyn Comments>) -> String {
    let mut text = Vec::new();
    let mut emitter = Emitter {
        cfg: Config::default().with_target(EsVersion::latest()),
        cm: source_map.clone(),
        comments,
        wr: JsWriter::new(source_map.clone(), "\n", &mut text, None),
    };
    module.emit_with(&mut emitter).expect("invariant: writing to a Vec does not fail");
    String::from_utf8(text).expect("invariant: the printer writes UTF-8")
}
