//! What extraction has to say about single forms.

use crate::diag::{Code, Diagnostic};
use crate::parse::literal::NotConstant;
use crate::source::Location;

pub(super) fn unknown_option(key: &str, at: Location) -> Diagnostic {
    Diagnostic::error(Code::KT0102, format!("`backend` has no option `{key}`"))
        .at(at, "unknown option")
        .why("an option that nothing reads would leave the endpoint more open than it looks")
        .help("the options are `ugroup`, `perm`, `egroup` and `name`")
        .did_you_mean(key, ENDPOINT_OPTIONS.iter().copied())
}

pub(super) fn bad_option(key: &str, wanted: &str, at: Location) -> Diagnostic {
    Diagnostic::error(Code::KT0103, format!("`{key}` of `backend` has a bad value"))
        .at(at, format!("not {wanted}"))
        .why(format!("`{key}` is {wanted}"))
        .help(if key == "perm" {
            "write `perm: perms.R__`, for example"
        } else {
            "write a string such as `'admin'`"
        })
}

pub(super) fn not_constant(form: &str, found: &NotConstant) -> Diagnostic {
    Diagnostic::error(Code::KT0104, format!("an option of `{form}` is not constant"))
        .at(found.location, &found.what)
        .why("the policy is fixed when the project is compiled, so that it can be listed and checked")
        .help("use literals, `perms.*` with `|` and `&`, or a `const` or enum made of these")
}

pub(super) fn not_exported(name: &str, at: Location) -> Diagnostic {
    Diagnostic::error(Code::KT0105, format!("the endpoint `{name}` is not exported"))
        .at(at, "not exported")
        .why("the server's routes import it from this module")
        .help(format!("write `export` before `{name}`"))
}

pub(super) fn not_asynchronous(name: &str, at: Location) -> Diagnostic {
    Diagnostic::error(Code::KT0106, format!("the endpoint `{name}` is not asynchronous"))
        .at(at, "neither `async` nor of a `Promise` type")
        .why("a client gets the result as a promise, and the function has one type on both sides")
        .help(format!("write `async` before `{name}`, and `Promise<…>` as its result"))
}

pub(super) fn not_a_function(at: Location, what: &str) -> Diagnostic {
    Diagnostic::error(Code::KT0108, format!("`backend` does not apply to {what}"))
        .at(at, "not an endpoint")
        .why("an endpoint is an exported function or a static method of an exported class")
        .help("write `@backend({ … }) export async function f(…)`, or `export const f = backend({ … }, async (…) => { … })`")
}

pub(super) fn rest_parameter(endpoint: &str, at: Location) -> Diagnostic {
    Diagnostic::error(Code::KT0109, format!("`{endpoint}` has a rest parameter"))
        .at(at, "cannot be sent")
        .why("every parameter has a fixed place on the wire")
        .help("take an array as one parameter instead")
}

pub(super) fn missing_parameter_type(endpoint: &str, parameter: &str, at: Location) -> Diagnostic {
    Diagnostic::error(Code::KT0301, format!("the parameter `{parameter}` of `{endpoint}` has no type"))
        .at(at, "no type")
        .why("arguments are encoded and checked by their types")
        .help(format!("write an annotation, such as `{parameter}: string`"))
}

pub(super) fn missing_result_type(endpoint: &str, at: Location) -> Diagnostic {
    Diagnostic::error(Code::KT0302, format!("the endpoint `{endpoint}` has no result type"))
        .at(at, "no result type")
        .why("the result is encoded by its type")
        .help("write an annotation behind the parameters, such as `: Promise<void>`")
}

pub(super) fn unknown_filter_key(key: &str, at: Location) -> Diagnostic {
    Diagnostic::error(Code::KT0201, format!("`mwfilter` has no key `{key}`"))
        .at(at, "unknown key")
        .why("a key that nothing reads would select every endpoint")
        .help("the keys are `egroup`, `ugroup` and `prefix`")
        .did_you_mean(key, FILTER_KEYS.iter().copied())
}

pub(super) fn bad_filter_value(key: &str, at: Location) -> Diagnostic {
    Diagnostic::error(Code::KT0202, format!("`{key}` of `mwfilter` has a bad value"))
        .at(at, "not a non-empty string")
        .why("filters compare names")
        .help("write a string such as `'api-v1'`")
}

pub(super) fn not_a_middleware(at: Location) -> Diagnostic {
    Diagnostic::error(Code::KT0203, "an element of `defineMiddleware` is not a middleware")
        .at(at, "not a middleware")
        .why("the chain of each endpoint is composed when the project is compiled")
        .help("write `defineMiddleware([mwfilter({ … }, async (ctx, next) => { … }), …])` with the array in place")
}

pub(super) fn middleware_not_exported(at: Location) -> Diagnostic {
    Diagnostic::error(Code::KT0205, "this `defineMiddleware` is not the default export")
        .at(at, "never runs")
        .why("the compiler finds the middlewares in the default export only")
        .help("write `export default defineMiddleware([…])`")
}

pub(super) fn filter_not_exported(at: Location) -> Diagnostic {
    Diagnostic::error(Code::KT0205, "this `mwfilter` is not in the default export's `defineMiddleware`")
        .at(at, "never runs")
        .why("the compiler finds the middlewares in the default export only")
        .help("write `export default defineMiddleware([mwfilter({ … }, async (ctx, next) => { … }), …])`")
}

pub(super) fn own_value(function: &str, at: Location) -> Diagnostic {
    let (code, help) = match function {
        "backend" => (Code::KT0108, "write `export const f = backend({ … }, async (…) => { … })`"),
        _ => (
            Code::KT0205,
            "write `export default defineMiddleware([mwfilter({ … }, async (ctx, next) => { … }), …])`",
        ),
    };
    Diagnostic::error(code, format!("`{function}` is used other than by calling it"))
        .at(at, "cannot be followed")
        .why("the compiler finds endpoints and middlewares by these calls; what it misses would run on the client")
        .help(help)
}

pub(super) fn own_package(at: Location) -> Diagnostic {
    Diagnostic::error(Code::KT0108, "`backend` may hide behind the package as a whole")
        .at(at, "cannot be followed")
        .why("the compiler finds endpoints by the calls of `backend`; what it misses would run on the client")
        .help("import what you need by name: `import { backend } from 'kontract'`")
}

pub(super) const ENDPOINT_OPTIONS: &[&str] = &["ugroup", "perm", "egroup", "name"];
pub(super) const FILTER_KEYS: &[&str] = &["egroup", "ugroup", "prefix"];

pub(super) fn unknown_scope(scope: &str, at: Location, table: Location) -> Diagnostic {
    Diagnostic::error(Code::KT0215, format!("there is no scope `{scope}`"))
        .at(at, "here")
        .at(table, "for this table")
        .why("the scope says whose rows a caller sees")
        .help("write `/** @scope shared */`, or leave it out")
}
