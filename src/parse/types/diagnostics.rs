//! What the type resolver has to say.

use crate::diag::{Code, Diagnostic};
use crate::source::Location;

pub(super) fn cannot_send(what: &str, at: Location) -> Diagnostic {
    Diagnostic::error(Code::KT0303, format!("{what} cannot be sent"))
        .at(at, "has no form on the wire")
        .why("arguments, results and rows are encoded by their types, which must be known")
        .help(
            "write a type made of data: primitives, literals, Date, Uint8Array, arrays, tuples, Record, Map, Set, \
             interfaces and unions of them",
        )
}

pub(super) fn unknown_type(name: &str, at: Location) -> Diagnostic {
    Diagnostic::error(Code::KT0304, format!("the type `{name}` cannot be found"))
        .at(at, "neither declared nor imported here")
        .why("the compiler follows imports between the files of the project")
        .help(format!("declare `{name}`, or import it from a file of the project"))
}

pub(super) fn type_of_package(name: &str, package: &str, at: Location) -> Diagnostic {
    Diagnostic::error(Code::KT0304, format!("the type `{name}` comes from the package `{package}`"))
        .at(at, "not declared there, as far as the compiler can see")
        .why("it reads the declarations that packages bring along, and those of packages below `@types`")
        .help("install what declares it, or declare an interface with the fields that are sent")
}

pub(super) fn width_of_other(width: &str, name: &str, at: Location) -> Diagnostic {
    Diagnostic::error(Code::KT0305, format!("`@{width}` of `{name}`, which is not a number"))
        .at(at, "here")
        .why("a width says how a `number` travels")
        .help(format!("remove `@{width}`, or write `{name}: number`"))
}

pub(super) fn wide_integer(width: &str, at: Location) -> Diagnostic {
    Diagnostic::error(Code::KT0305, format!("`{width}` does not fit into a `number`"))
        .at(at, "here")
        .why("a `number` holds integers up to 2^53")
        .help("write `bigint`, which travels in 64 bits")
}

pub(super) fn unknown_export(name: &str, why: &str, at: Location) -> Diagnostic {
    Diagnostic::warning(Code::KT0321, format!("what `{name}` is for the client cannot be said: {why}"))
        .at(at, "part of its type is `unknown` in '@/client'")
        .why("the client's declarations stand alone, so that they name only what they declare themselves")
        .help(format!("annotate `{name}` with types of the project"))
}

pub(super) fn circular(name: &str, at: Location) -> Diagnostic {
    Diagnostic::error(Code::KT0306, format!("the type `{name}` is defined by itself"))
        .at(at, "comes back to itself")
        .why("it has no shape that could be sent")
        .help("give it fields of its own; an interface may refer to itself in its fields")
}

pub(super) fn void_value(at: Location) -> Diagnostic {
    Diagnostic::error(Code::KT0303, "`void` and `undefined` are only results")
        .at(at, "always without a value")
        .why("there is nothing that could be sent in its place")
        .help("leave it out, or make it optional with `?`")
}

pub(super) fn bad_field(what: &str, at: Location) -> Diagnostic {
    Diagnostic::error(Code::KT0307, format!("{what} cannot be sent"))
        .at(at, "not a plain field")
        .why("a schema has fields with fixed names")
        .help("write `name: type`; leave functions out, for example with `Omit`")
}

pub(super) fn missing_field_type(field: &str, at: Location) -> Diagnostic {
    Diagnostic::error(Code::KT0307, format!("the field `{field}` has no type"))
        .at(at, "no type")
        .why("values are encoded by their types")
        .help(format!("write `{field}: string`, for example"))
}

pub(super) fn bad_field_mark(mark: &str, field: &str, at: Location) -> Diagnostic {
    let (why, help) = match mark {
        "perm" => ("`@perm` takes one of `perms.*`", "write `@perm(perms.R__)`, or `/** @perm R__ */`"),
        _ => ("it takes no value", "remove the value"),
    };
    Diagnostic::error(Code::KT0217, format!("`@{mark}` of `{field}` has a bad value"))
        .at(at, "here")
        .why(why)
        .help(help)
}

pub(crate) fn stray_mark(name: &str, at: Location) -> Diagnostic {
    Diagnostic::error(Code::KT0007, format!("`@{name}` means nothing here"))
        .at(at, "at the end of a line, above nothing")
        .why("a comment belongs to what stands below it, or behind it on the same line")
        .help("move the comment above what it is about")
}

pub(crate) fn misspelt_mark(name: &str, near: &str, at: Location) -> Diagnostic {
    Diagnostic::error(Code::KT0217, format!("there is no mark `@{name}`"))
        .at(at, "in this comment")
        .why(format!("`@{near}` is one of kontract's; a mark that is misspelt must not vanish"))
        .help(format!("did you mean `@{near}`?"))
}

pub(super) fn no_schema(what: &str, why: &str, at: Location) -> Diagnostic {
    Diagnostic::warning(Code::KT0320, format!("`{what}` has no schema"))
        .at(at, "travels with a description of its own")
        .why(format!("{why}, so that neither side can check it"))
        .help("write a type that says what is sent")
}

pub(super) fn not_inferred(what: &str, at: Location) -> Diagnostic {
    Diagnostic::warning(Code::KT0321, format!("the type of {what} cannot be inferred"))
        .at(at, "not known to the compiler")
        .why("the result of the endpoint depends on it, and travels with a description of its own")
        .help("annotate the endpoint's result, such as `: Promise<Entry>`, or the variable")
}

pub(super) fn too_complex(at: Location) -> Diagnostic {
    Diagnostic::warning(Code::KT0322, "a type is too complex")
        .at(at, "travels with a description of its own")
        .why("evaluating it comes to the limits of depth, steps or members of a union")
        .help("write the type that it comes to")
}
