//! The compiler's own declarations: utility types, and as much of the library as types and results speak of.

use super::model::Case;
use crate::contract::NumberWidth;
use crate::parse::module::ParsedModule;
use crate::parse::session;
use crate::source::{SourceFile, Sources};

/// Names of the library that are no declarations.
#[derive(Debug, Clone, Copy)]
pub(super) enum Intrinsic {
    Array { readonly: bool },
    Case(Case),
    Same,
}

pub(super) fn intrinsic(name: &str) -> Option<Intrinsic> {
    Some(match name {
        "Array" => Intrinsic::Array { readonly: false },
        "ReadonlyArray" => Intrinsic::Array { readonly: true },
        "Uppercase" => Intrinsic::Case(Case::Upper),
        "Lowercase" => Intrinsic::Case(Case::Lower),
        "Capitalize" => Intrinsic::Case(Case::Capital),
        "Uncapitalize" => Intrinsic::Case(Case::Uncapital),
        "NoInfer" => Intrinsic::Same,
        _ => return None,
    })
}

/// The compiler's own modules, parsed.
pub(crate) fn own_modules() -> Vec<ParsedModule> {
    let texts = [("library.ts", LIBRARY), ("ambient.ts", AMBIENT)];
    let parse = |(path, text): (&str, &str)| {
        let source = SourceFile { path: path.to_owned(), text: text.to_owned().into() };
        let sources = Sources::new([source]);
        let (file, source) = sources.iter().next()?;
        session::parse_file(file, source).ok()
    };
    let modules: Vec<ParsedModule> = texts.into_iter().filter_map(parse).collect();
    assert!(modules.len() == texts.len(), "invariant: our own declarations parse");
    modules
}

/// The width that a decorator or an alias of `kontract` names.
pub(super) fn width(name: &str) -> Option<NumberWidth> {
    Some(match name {
        "int8" => NumberWidth::Int8,
        "int16" => NumberWidth::Int16,
        "int32" => NumberWidth::Int32,
        "uint8" => NumberWidth::Uint8,
        "uint16" => NumberWidth::Uint16,
        "uint32" => NumberWidth::Uint32,
        "float32" => NumberWidth::Float32,
        "float64" => NumberWidth::Float64,
        _ => return None,
    })
}

/// Whether a module is the one of the package `kontract` that declares the widths.
pub(super) fn is_width_module(path: &str) -> bool {
    let mut parts = path.rsplit('/');
    let file = parts.next().unwrap_or(path);
    matches!(file, "widths.d.ts" | "widths.ts") && parts.any(|folder| folder == "kontract")
}

const LIBRARY: &str = include_str!("library.ts");
/// What server code sees of `ctx` and `env`.
const AMBIENT: &str = include_str!("../../stubgen/ambient.d.ts");
