//! What the split has to say.

use super::reach::ServerOnly;
use crate::diag::{Code, Diagnostic};
use crate::source::Location;

pub(super) fn server_code_in_frontend(chain: &[String], reason: ServerOnly, at: Location) -> Diagnostic {
    let importer = chain.first().map_or("", String::as_str);
    let module = chain.last().map_or("", String::as_str);
    let because = match reason {
        ServerOnly::Endpoints => "has endpoints",
        ServerOnly::Middleware => "has middleware",
        ServerOnly::Injected | ServerOnly::Imports(_) => "uses `ctx`, `env` or `kontract/server`",
    };
    let help = match reason {
        ServerOnly::Endpoints => {
            "import the endpoints from '@/client'; types may come from here with `import type`"
        }
        ServerOnly::Middleware | ServerOnly::Injected | ServerOnly::Imports(_) => {
            "move what both sides need to a module of its own; types may come from here with `import type`"
        }
    };
    Diagnostic::error(Code::KT0401, format!("`{importer}` imports server code"))
        .at(at, "leads to the server")
        .why(format!("`{module}` {because}, and is reached by {}", chain.join(" → ")))
        .help(help)
}

pub(super) fn server_name_from_client(name: &str, at: Location, declared: Option<Location>) -> Diagnostic {
    let diagnostic =
        Diagnostic::error(Code::KT0402, format!("`{name}` is server code, and not in '@/client'"))
            .at(at, "not available to the client")
            .why("an endpoint uses it, or it uses server code; publishing it could publish a secret")
            .help(format!(
                "move `{name}` to a module without endpoints, and import it from there on both sides"
            ));
    match declared {
        Some(declared) => diagnostic.at(declared, "declared here"),
        None => diagnostic,
    }
}

pub(super) fn metadata(module: &str, at: Location) -> Diagnostic {
    Diagnostic::error(Code::KT0409, format!("a decorator in `{module}` may ask for types that it is not told"))
        .at(at, "runs on the server")
        .why("`emitDecoratorMetadata` has TypeScript hand the types of members to decorators, which kontract does not")
        .help("set `\"emitDecoratorMetadata\": false`, and tell the decorator the type in its arguments")
}

pub(super) fn leaked(module: &str, what: &str, at: Option<Location>) -> Diagnostic {
    let diagnostic =
        Diagnostic::error(Code::KT0403, format!("{what} of the server is in the client module `{module}`"));
    let diagnostic = match at {
        Some(at) => diagnostic.at(at, "server code"),
        None => diagnostic,
    };
    diagnostic.why("client output was searched for text that occurs in server code only").help(
        if module.ends_with(".d.ts") {
            "the type of something that the client has says it: give that a type of its own"
        } else {
            "nothing was written; this is an error of the compiler, please report it with these lines"
        },
    )
}

pub(super) fn glob(module: &str, at: Location) -> Diagnostic {
    Diagnostic::error(Code::KT0407, format!("`{module}` uses `import.meta.glob`, and Vite does not build it"))
        .at(at, "only Vite knows such patterns")
        .why(
            "the server and the client's half of its modules are plain modules, in which the call would fail",
        )
        .help("write the imports out, or move the call to a module that only pages import")
}

pub(super) fn taken_along(name: &str, module: &str, at: Location, declared: Location) -> Diagnostic {
    Diagnostic::warning(
        Code::KT0408,
        format!("`{name}` of `{module}` goes into pages, and only endpoints use it"),
    )
    .at(at, "loads the module")
    .at(declared, "does something when it is loaded, so that bundlers keep it")
    .why("a page's bundler follows this import, and what is in the module is public then")
    .help(format!("move `{name}` to a module that no page imports, or build pages with `kontract/vite`"))
}

pub(super) fn jsx(module: &str, has_endpoints: bool, at: Location) -> Diagnostic {
    let (message, help) = if has_endpoints {
        (
            format!("`{module}` has endpoints and JSX"),
            "move the component to a file of its own, without endpoints",
        )
    } else {
        (
            format!("`{module}` has JSX, and is used by a module with endpoints"),
            "move what the module with endpoints uses to a file without JSX",
        )
    };
    Diagnostic::error(Code::KT0404, message)
        .at(at, "is not JavaScript")
        .why(
            "both halves are written as JavaScript; only the frontend's own build knows what elements become",
        )
        .help(help)
}

pub(super) fn one_path(first: &str, second: &str, at: Location) -> Diagnostic {
    Diagnostic::error(Code::KT0406, format!("`{first}` and `{second}` would become one file"))
        .at(at, "the second of them")
        .why("what is printed of a module has its path with the extension `.js`")
        .help("give one of them another name")
}

pub(super) fn no_render(module: &str, at: Location) -> Diagnostic {
    Diagnostic::error(Code::KT0405, format!("`{module}` exports no `render`"))
        .at(at, "draws the pages")
        .why("`ssr` in kontract.json names the module whose `render` answers requests for pages")
        .help("export it: `export function render(request: Request, page: PageContext): Response | Promise<Response>`")
}

pub(super) fn pages_in_frontend(importer: &str, module: &str, at: Location) -> Diagnostic {
    Diagnostic::error(Code::KT0401, format!("`{importer}` imports server code"))
        .at(at, "leads to the server")
        .why(format!("`{module}` draws pages in the Worker, as `ssr` in kontract.json says"))
        .help("move what the browser needs as well to a module of its own")
}

pub(super) fn endpoint_of_page(module: &str, at: Location) -> Diagnostic {
    Diagnostic::error(Code::KT0405, format!("page code imports `{module}`, which has endpoints"))
        .at(at, "is the endpoint itself here")
        .why("pages that the Worker draws are bundled as they are, without stubs in the place of endpoints")
        .help("import the endpoint from '@/client', which browsers and the Worker both have")
}

pub(super) fn next_again(at: Location) -> Diagnostic {
    Diagnostic::error(Code::KT0206, "`next` is called a second time")
        .at(at, "it has been called by now")
        .why("what follows a middleware, the endpoint at last, runs once for each call")
        .help("keep the result of the first call: `const result = await next()`")
}

pub(super) fn client_on_server(specifier: &str, declared: Option<&str>, at: Location) -> Diagnostic {
    let help = match declared {
        Some(path) => format!("import it from `{path}` itself: endpoints call each other as functions"),
        None => {
            "import the endpoint from the module that declares it: endpoints call each other as functions"
                .to_owned()
        }
    };
    Diagnostic::error(Code::KT0005, format!("server code imports `{specifier}`"))
        .at(at, "is not there on the server")
        .why("stubs are for pages: they call the server from outside")
        .help(help)
}

pub(super) fn missing_module(specifier: &str, at: Location) -> Diagnostic {
    Diagnostic::error(Code::KT0005, format!("`{specifier}` leads nowhere"))
        .at(at, "no such file")
        .why("the server's half needs this module")
        .help("correct the path; `.ts` may be left out or written as `.js`")
}
