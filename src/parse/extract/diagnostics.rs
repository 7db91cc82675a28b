//! What extraction has to say about single forms.

use crate::diag::{Code, Diagnostic};
use crate::parse::literal::{Constant, NotConstant};
use crate::source::Location;

pub(super) fn unknown_option(key: &str, at: Location) -> Diagnostic {
    Diagnostic::error(Code::KT0102, format!("`backend` has no option `{key}`"))
        .at(at, "unknown option")
        .why("an option that nothing reads would leave the endpoint more open than it looks")
        .help("the options are `ugroup`, `perm`, `egroup`, `name` and `maxBytes`")
        .did_you_mean(key, ENDPOINT_OPTIONS.iter().copied())
}

pub(super) fn bad_option(key: &str, value: &Constant, at: Location) -> Diagnostic {
    let (wanted, help) = match key {
        "perm" => ("one of `perms.*`", "write `perm: perms.R__`, for example"),
        "maxBytes" => {
            ("a number of bytes from 1 to 1,073,741,824", "write `maxBytes: 50_000_000`, for example")
        }
        _ => ("a non-empty string", "write a string such as `'admin'`"),
    };
    let diagnostic = Diagnostic::error(Code::KT0103, format!("`{key}` of `backend` has a bad value"))
        .at(at, format!("not {wanted}"))
        .why(format!("`{key}` is {wanted}"))
        .help(help);
    match value {
        Constant::Text(text) if key == "perm" => diagnostic.did_you_mean(text, PERMS.iter().copied()),
        _ => diagnostic,
    }
}

/// `used` is the value as the options have it, which may lead to the place in question through other constants.
pub(super) fn not_constant(form: &str, found: &NotConstant, used: Option<Location>) -> Diagnostic {
    let mut diagnostic = Diagnostic::error(Code::KT0104, format!("an option of `{form}` is not constant"))
        .at(found.location, &found.what);
    for through in &found.through {
        diagnostic = diagnostic.at(through.location, format!("by way of `{}`", through.name));
    }
    if let Some(used) = used.filter(|_| found.through.is_empty())
        && used.file != found.location.file
    {
        diagnostic = diagnostic.at(used, "used here");
    }
    let fixed = "the policy is fixed when the project is compiled, so that it can be listed and checked";
    let ways = found.through.iter().filter(|through| through.files.len() > 1);
    let ways = ways.map(|through| format!("`{}` comes through {}", through.name, through.files.join(" → ")));
    let ways: Vec<String> = std::iter::once(fixed.to_owned()).chain(ways).collect();
    let help = "use literals, `perms.*`, operators, and `const`s, enums and objects made of these";
    let help = match &found.near {
        Some(near) => format!("did you mean `{near}`? {help}"),
        None => help.to_owned(),
    };
    diagnostic.why(ways.join("; ")).help(help)
}

pub(super) fn not_exported(name: &str, nested: bool, at: Location) -> Diagnostic {
    let around = if nested { " and before every namespace around it" } else { "" };
    Diagnostic::error(Code::KT0105, format!("the endpoint `{name}` is not exported"))
        .at(at, "not exported")
        .why("the server's routes import it from this module")
        .help(format!("write `export` before `{name}`{around}"))
}

pub(super) fn class_not_exported(class: &str, at: Location) -> Diagnostic {
    Diagnostic::error(Code::KT0105, format!("the endpoints of the class `{class}` are not exported"))
        .at(at, "neither exported nor extended by a class that is")
        .why("the server's routes import the class from its module")
        .help(format!("write `export class {class}`"))
}

pub(super) fn abstract_only(class: &str, at: Location) -> Diagnostic {
    Diagnostic::error(Code::KT0105, format!("no class exposes the endpoints of `{class}`"))
        .at(at, "abstract")
        .why("an abstract class has no instance; its endpoints are those of exported classes that extend it")
        .help(format!("write `export class … extends {class}`, or take `abstract` away"))
}

pub(super) fn not_a_method(what: &str, at: Location) -> Diagnostic {
    Diagnostic::error(Code::KT0115, format!("`backend` does not apply to {what}"))
        .at(at, "cannot be called by clients")
        .why("clients call public methods by their names; hidden ones, accessors and constructors are not called")
        .help("mark a public method that does this, such as `@backend({ … }) async read() { … }`")
}

pub(super) fn not_implemented(method: &str, class: &str, at: Location, there: Location) -> Diagnostic {
    Diagnostic::error(Code::KT0115, format!("`{class}` has no body for the endpoint `{method}`"))
        .at(at, "this class exposes it")
        .at(there, "declared without a body")
        .why("a call has to run something")
        .help(format!("write `async {method}(…) {{ … }}` in `{class}`"))
}

pub(super) fn not_constructible(class: &str, at: Location, there: (&str, Location)) -> Diagnostic {
    Diagnostic::error(Code::KT0116, format!("`{class}` cannot be made without arguments"))
        .at(there.1, there.0)
        .at(at, "an endpoint of its instances")
        .why("each call makes an instance of its own, so that requests share nothing through `this`")
        .help("give every argument of the constructor a default, or make the method `static`")
}

pub(super) fn marked_twice(first: Location, second: Location) -> Diagnostic {
    Diagnostic::error(Code::KT0117, "`backend` is applied twice")
        .at(second, "the second one")
        .at(first, "the first one")
        .why("an endpoint has one policy; of two, one would have no effect")
        .help("keep one of them; of overloads, mark the first or the one with the body")
}

pub(super) fn filtered_twice(first: Location, second: Location) -> Diagnostic {
    Diagnostic::error(Code::KT0117, "`mwfilter` is applied twice")
        .at(second, "the second one")
        .at(first, "the first one")
        .why("a middleware has one filter; of two, one would have no effect")
        .help("keep one of them, with the keys of both")
}

pub(super) fn unconstrained(endpoint: &str, parameter: &str, at: Location) -> Diagnostic {
    Diagnostic::error(Code::KT0118, format!("the type parameter `{parameter}` of `{endpoint}` could be anything"))
        .at(at, "neither a constraint nor a default")
        .why("what is sent has a layout that is known when the project is compiled; callers choose this type later")
        .help(format!("write `{parameter} extends …` with a type that can be sent, or a type in its place"))
}

pub(super) fn misspelt_decorator(name: &str, near: &str, at: Location) -> Diagnostic {
    Diagnostic::error(Code::KT0007, format!("there is no decorator `@{name}`"))
        .at(at, "neither imported nor declared")
        .why(format!("`@{near}` is one of kontract's; a policy that is misspelt must not vanish"))
        .help(format!("did you mean `@{near}`? otherwise import `{name}`"))
}

pub(super) fn decorator_by_way(name: &str, at: Location) -> Diagnostic {
    Diagnostic::error(
        Code::KT0108,
        format!("`{name}` is a decorator only where it comes from 'kontract' itself"),
    )
    .at(at, "leads to kontract by way of another name or module")
    .why("decorators are read before it is known where imports lead")
    .help(format!(
        "write `import {{ {name} }} from 'kontract'` and `@{name}`, or call `{name}({{ … }}, async (…) => …)`"
    ))
}

pub(crate) fn illegal_decorator(name: &str, at: Location) -> Diagnostic {
    Diagnostic::error(Code::KT0007, format!("`@{name}` cannot stand here"))
        .at(at, "decorators belong before classes and their members")
        .why("TypeScript allows decorators of other frameworks in classes only")
        .help("call it as a function instead, or remove it")
        .did_you_mean(name, crate::parse::scanner::VOCABULARY.iter().copied())
}

pub(super) fn not_constant_binding(name: &str, at: Location) -> Diagnostic {
    Diagnostic::error(Code::KT0108, format!("the endpoint `{name}` is a variable that can change"))
        .at(at, "not a `const`")
        .why("which function an endpoint runs is fixed when the project is compiled")
        .help(format!("write `export const {name} = …`"))
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
        .why("an endpoint is an exported function, or a method of an exported class")
        .help("write `@backend({ … }) export async function f(…)`, or `export const f = backend({ … }, async (…) => { … })`")
}

pub(super) fn rest_parameter(endpoint: &str, at: Location) -> Diagnostic {
    Diagnostic::error(Code::KT0109, format!("the rest parameter of `{endpoint}` is not an array"))
        .at(at, "cannot be sent")
        .why("further arguments travel as one array of one type")
        .help("write `...names: string[]`, or the parameters one by one")
}

pub(super) fn missing_parameter_type(endpoint: &str, parameter: &str, at: Location) -> Diagnostic {
    Diagnostic::error(Code::KT0301, format!("the parameter `{parameter}` of `{endpoint}` has no type"))
        .at(at, "no type")
        .why("arguments are encoded and checked by their types")
        .help(format!("write an annotation, such as `{parameter}: string`"))
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

pub(super) const ENDPOINT_OPTIONS: &[&str] = &["ugroup", "perm", "egroup", "name", "maxBytes"];
pub(super) const FILTER_KEYS: &[&str] = &["egroup", "ugroup", "prefix"];
const PERMS: &[&str] = &["R__", "_W_", "__X", "RW_", "R_X", "_WX", "RWX"];

pub(super) fn unknown_scope(scope: &str, at: Location, table: Location) -> Diagnostic {
    Diagnostic::error(Code::KT0215, format!("there is no scope `{scope}`"))
        .at(at, "here")
        .at(table, "for this table")
        .why("the scope says whose rows a caller sees")
        .help("write `/** @scope shared */`, `owner` or `tenant`, or leave it out")
}
