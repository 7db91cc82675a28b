//! From the statements of one half to its text: types off, chains in, names apart, parentheses where they are needed.

use swc_ecma_ast::{Module, ModuleDecl, ModuleItem, Pass, Program};
use swc_ecma_transforms_base::{fixer::fixer, hygiene::hygiene};
use swc_ecma_transforms_typescript::strip;

use super::classes::{self, Classes};
use super::optimize::optimize;
use crate::emit::print::print_mapped;
use crate::emit::sourcemap;
use crate::parse::module::ParsedModule;

/// A module's text, and where its parts come from in the module's source.
#[derive(Default)]
pub(super) struct Printed {
    pub(super) text: String,
    pub(super) places: Vec<sourcemap::Printed>,
}

/// Prints the statements, optimised if that is wanted. `rewrite` gets them without types and before names are told apart; `complete` adds what the
/// scope analysis of the source must not see.
pub(super) fn text_of(
    (module, meaning): (&ParsedModule, Classes),
    mut body: Vec<ModuleItem>,
    rewrite: impl FnOnce(&mut Vec<ModuleItem>),
    optimized: bool,
    complete: impl FnOnce(&mut Vec<ModuleItem>),
) -> Printed {
    classes::spell_out(&mut body, meaning);
    let mut program = Program::Module(Module { span: module.module.span, body, shebang: None });
    strip(module.scopes.unresolved, module.scopes.top_level).process(&mut program);
    classes::drop_declared(&mut program, meaning);
    if let Program::Module(stripped) = &mut program {
        rewrite(&mut stripped.body);
    }
    if optimized {
        program = optimize(program, module);
    }
    hygiene().process(&mut program);
    fixer(None).process(&mut program);
    if let Program::Module(stripped) = &mut program {
        drop_empty_exports(&mut stripped.body);
        complete(&mut stripped.body);
    }
    match program {
        Program::Module(made) => {
            let (text, places) = print_mapped(&made, &module.source_map());
            Printed { text, places }
        }
        Program::Script(_) => Printed::default(),
    }
}

/// `export {}` only says that a file is a module, which every output is.
fn drop_empty_exports(body: &mut Vec<ModuleItem>) {
    body.retain(|item| match item {
        ModuleItem::ModuleDecl(ModuleDecl::ExportNamed(export)) => {
            !export.specifiers.is_empty() || export.src.is_some()
        }
        _ => true,
    });
}
