//! What parsing has to say about syntax. Extraction's diagnostics are in `extract/diagnostics.rs`.

use super::limits::NESTING_MAX;
use crate::diag::{Code, Diagnostic, as_message};
use crate::source::Location;

pub(super) fn syntax_error(message: &str, at: Location) -> Diagnostic {
    let message = as_message(&message.replace(". Expected", ", expected"));
    Diagnostic::error(Code::KT0004, format!("syntax error: {message}"))
        .at(at, "here")
        .help("correct the syntax; the file is read as TypeScript 5 with the decorator forms of kontract")
}

pub(super) fn tag_name(at: Location) -> Diagnostic {
    Diagnostic::error(Code::KT0004, "syntax error: a name with `:` has no members")
        .at(at, "here")
        .help("write `<a:b>` or `<a.b>`")
}

pub(super) fn parser_failed(path: &str) -> Diagnostic {
    Diagnostic::error(Code::KT0004, format!("the parser gave up on `{path}`"))
        .why("the file has a form that the parser cannot read")
        .help("reduce the file to the form that causes it, and report that form")
}

pub(super) fn too_deep(at: Location) -> Diagnostic {
    Diagnostic::error(Code::KT0006, "the code is nested too deep")
        .at(at, format!("in more than {NESTING_MAX} levels of nesting"))
        .why("each bracket is a level, and so is each operator, member and call of a chain; the compiler bounds its work on every file")
        .help("load generated data at run time instead of writing it as one expression")
}

pub(super) fn misplaced_decorator(name: &str, at: Location) -> Diagnostic {
    Diagnostic::error(Code::KT0007, format!("`@{name}` means nothing here"))
        .at(at, "not attached to anything it applies to")
        .why(place_of(name))
        .help("move the decorator directly above what it is about, or remove it")
}

pub(super) fn decorator_arguments(name: &str, at: Location) -> Diagnostic {
    Diagnostic::error(Code::KT0004, format!("syntax error in the arguments of `@{name}`"))
        .at(at, "here")
        .help(format!("write `@{name}({{ key: value }})` or `@{name}(key=value)`"))
}

fn place_of(name: &str) -> &'static str {
    match name {
        "backend" => "`@backend` belongs above an exported function or a method of an exported class",
        "mwfilter" => "`@mwfilter` belongs before a function in `defineMiddleware([…])`",
        "primkey" | "perm" | "index" | "unique" => "it belongs before a field of an interface",
        _ => "number widths belong before a field of an interface or a parameter",
    }
}
