//! What the check has to say.

use kontract_wire::route::RouteId;

use super::{Endpoint, Field, Middleware, Perms, StorageOperation, StorageUse, Table};
use crate::diag::{Code, Diagnostic, nearest};
use crate::source::{Location, Sources};

pub(super) fn duplicate_endpoint(first: &Endpoint, second: &Endpoint, sources: &Sources) -> Diagnostic {
    let name = &second.name;
    let there = &sources.file(first.location.file).path;
    // An inherited endpoint is pointed at by the class that exposes it.
    let inherits = |endpoint: &Endpoint| {
        let own = sources.slice(endpoint.location).trim_matches(['[', ']', '\'', '"', '`']);
        endpoint.binding.members.last().is_some_and(|member| member != own)
    };
    let help = if inherits(first) || inherits(second) {
        "override the method in one of the classes, with a `@backend({ name: '…' })` of its own"
    } else {
        "rename one of the functions, or give one of them another name with `name: '…'` in its options"
    };
    Diagnostic::error(Code::KT0101, format!("two endpoints are called `{name}`"))
        .at(second.location, if inherits(second) { "exposed by this class too" } else { "the second one" })
        .at(first.location, if inherits(first) { "exposed by this class" } else { "the first one" })
        .why(format!("clients call an endpoint by its name, and `{there}` has one of that name already"))
        .help(help)
}

pub(super) fn duplicate_path(first: &Endpoint, second: &Endpoint) -> Diagnostic {
    let message =
        format!("`{}` and `{}` are both `{}` to clients", first.name, second.name, second.binding.path());
    Diagnostic::error(Code::KT0101, message)
        .at(second.location, "the second one")
        .at(first.location, "the first one")
        .why(
            "clients import an endpoint by its place in the module as well, where a class has each name once",
        )
        .help("rename one of the methods")
}

pub(super) fn duplicate_route(first: &Endpoint, second: &Endpoint, route: RouteId) -> Diagnostic {
    let message = format!("the endpoints `{}` and `{}` have one route id", first.name, second.name);
    Diagnostic::error(Code::KT0113, message)
        .at(second.location, format!("{route}"))
        .at(first.location, format!("{route}"))
        .why("the wire names an endpoint by 32 bits of a hash of its name")
        .help("rename either, or give one of them another name with `name: '…'` in its options")
}

pub(super) fn unusable_endpoint_name(endpoint: &Endpoint) -> Diagnostic {
    Diagnostic::error(Code::KT0114, format!("an endpoint cannot be called `{}`", endpoint.name))
        .at(endpoint.location, "this one")
        .why("the name is taken, or is not an identifier of up to 64 letters, digits, `_` and `$`")
        .help("rename the function, or give it another name with `name: '…'` in its options")
}

pub(super) fn second_middleware_file(first: &Middleware, second: &Middleware) -> Diagnostic {
    Diagnostic::error(Code::KT0204, "two files define middleware")
        .at(second.location, "also here")
        .at(first.location, "here")
        .why("the order of middlewares is the order of one array")
        .help("move all of them into one `export default defineMiddleware([…])`")
}

pub(super) fn unknown_group(key: &str, wanted: &str, near: &str, at: Location) -> Diagnostic {
    Diagnostic::warning(Code::KT0207, format!("no endpoint has the {key} `{wanted}`"))
        .at(at, "wraps nothing")
        .why("a middleware whose filter is misspelt guards nothing")
        .help(format!("did you mean `{near}`?"))
}

pub(super) fn table_without_fields(table: &Table) -> Diagnostic {
    Diagnostic::error(Code::KT0211, format!("the table `{}` has no fields", table.name))
        .at(table.location, "no fields")
        .why("without a field there is neither a key nor anything to store")
        .help("add a key, such as `@primkey id: string`, or `/** @primkey */ id: string`")
}

pub(super) fn key_type(table: &Table, key: &Field) -> Diagnostic {
    let message = format!("the key `{}` of `{}` is neither a string nor a number", key.name, table.name);
    Diagnostic::error(Code::KT0212, message)
        .at(key.location, "not a required string or number")
        .why("keys are compared and ordered by the database")
        .help("mark another field with `@primkey`, or make this one a required string")
}

pub(super) fn unenforced_unique(field: &Field) -> Diagnostic {
    Diagnostic::error(Code::KT0219, format!("`@unique` of `{}` would not be enforced", field.name))
        .at(field.location, "not one plain value")
        .why("the database compares texts, numbers, booleans, dates and bytes, and no values that consist of others")
        .help("remove the mark, or put what has to be unique into a field of its own")
}

pub(super) fn unenforced_perm(field: &Field, why: &'static str) -> Diagnostic {
    Diagnostic::error(Code::KT0219, format!("`{}` cannot be kept from those who read the row", field.name))
        .at(field.location, "may not be read")
        .why(why)
        .help(format!(
            "make it optional (`{}?: …`), neither the key nor unique; or give it R in `@perm`",
            field.name
        ))
}

pub(super) fn table_of_two(first: &Table, second: &Table) -> Diagnostic {
    Diagnostic::error(Code::KT0213, format!("two interfaces describe the table `{}`", second.name))
        .at(second.location, "the second one")
        .at(first.location, "the first one")
        .why("the rows of a table have one shape")
        .help("rename one of them, or write `/** @table other_name */` above it")
}

pub(super) fn unknown_table(used: &StorageUse, tables: &[Table]) -> Diagnostic {
    let diagnostic = Diagnostic::error(Code::KT0214, format!("there is no table `{}`", used.table))
        .at(used.location, "unknown table")
        .why("no interface has this as its plural or as its `@table` name");
    let known = tables.iter().map(|table| table.name.as_str());
    match nearest(&used.table, known.clone()) {
        Some(near) => diagnostic.help(format!("did you mean `{near}`?")),
        None => {
            let known: Vec<String> = known.map(|name| format!("`{name}`")).collect();
            let help = "declare its rows as an interface, for example `interface Entry { @primkey id: string }` \
                        for `env.storage.entries`";
            diagnostic.help(if known.is_empty() {
                help.to_owned()
            } else {
                format!("{help}; the tables are {}", known.join(", "))
            })
        }
    }
}

pub(super) fn two_keys(table: &Table, first: &Field, second: &Field) -> Diagnostic {
    Diagnostic::error(Code::KT0216, format!("the table `{}` has two primary keys", table.name))
        .at(second.location, "the second one")
        .at(first.location, "the first one")
        .why("a row has one key")
        .help("mark one field, or make one key of both values")
}

pub(super) fn unusable_table_name(table: &Table) -> Diagnostic {
    Diagnostic::error(Code::KT0218, format!("a table cannot be called `{}`", table.name))
        .at(table.location, "the table of this type")
        .why("it is a name in the database: lower case letters, digits and `_`, at most 48 of them")
        .help("write `/** @table other_name */` above the interface")
}

pub(super) fn permission_lacking(
    used: &StorageUse,
    operation: &StorageOperation,
    endpoint: &Endpoint,
) -> Diagnostic {
    let have = endpoint.options.perm;
    let wanted = have.union(operation.needs);
    let (name, method) = (&endpoint.name, &operation.name);
    Diagnostic::error(Code::KT0107, format!("`{name}` may not use `{method}` on `{}`", used.table))
        .at(used.location, format!("`{method}` needs {}", bit_names(operation.needs)))
        .at(endpoint.location, format!("has `perms.{have}`"))
        .why("`perm` bounds what the endpoint does with storage; the server and the database refuse the rest")
        .help(format!("write `perm: perms.{wanted}` in the options of `{name}`, or do without `{method}`"))
}

/// `R and W`.
fn bit_names(bits: Perms) -> String {
    let named = [(Perms::R, "R"), (Perms::W, "W"), (Perms::X, "X")];
    let names: Vec<&str> =
        named.iter().filter(|(bit, _)| bits.contains(*bit)).map(|(_, name)| *name).collect();
    names.join(" and ")
}
