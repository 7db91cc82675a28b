//! The one table of diagnostic codes.
//!
//! KT00xx sources and syntax, KT01xx endpoints, KT02xx middleware and tables, KT03xx types, KT04xx the split,
//! KT05xx migrations, KT06xx project, configuration and environment, KT07xx the project's TypeScript and its generated files,
//! KT08xx the Worker. A code is never reused.

use std::fmt;

macro_rules! codes {
    ($($code:ident $title:literal $explanation:literal)*) => {
        /// The code of a diagnostic.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        pub enum Code {
            $(#[doc = $title] $code,)*
        }

        impl Code {
            /// Every code, in order.
            pub const ALL: &'static [Self] = &[$(Self::$code,)*];

            /// `KT0101`
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$code => stringify!($code),)* }
            }

            /// A few words.
            pub const fn title(self) -> &'static str {
                match self { $(Self::$code => $title,)* }
            }

            /// Markdown for `kontract explain`.
            pub const fn explanation(self) -> &'static str {
                match self { $(Self::$code => $explanation,)* }
            }
        }
    };
}

codes! {
    KT0001 "a file that is not UTF-8"
        "Source files are UTF-8. Save the file in that encoding; UTF-16 and Latin-1 are not read."
    KT0002 "a file that is too large"
        "A source file may have up to 8 MB. Generated data belongs into a file that is loaded at run time."
    KT0003 "a file or folder that cannot be read"
        "The file system refused, or a link leads in a circle or out of the project. Links out of the project are not followed, so that a build reads nothing else."
    KT0004 "a syntax error"
        "The file is not TypeScript as TypeScript 5 defines it, with the decorator forms of kontract. If TypeScript is installed, place and words are its own."
    KT0005 "an import that leads nowhere"
        "The path of a relative import names no file of the project. Extensions may be left out or be `.js`, as TypeScript allows. `@/client` is there for pages only: server code imports endpoints from where they are declared."
    KT0006 "nesting that is too deep"
        "Brackets, expressions, types and JSX may be nested 2,000 deep; each operator, member or call of a chain is a level. Deeper sources are generated; load their data at run time instead."
    KT0007 "a decorator in a place where it means nothing"
        "`@backend` belongs above an exported function or a method of an exported class, `@mwfilter` above a function in `defineMiddleware([…])`, `@primkey`, `@perm`, `@index`, `@unique` on members of an interface, and the width decorators on members and parameters. Decorators of other frameworks belong before classes and their members, and have to be imported or declared; one that is near a name of kontract's is taken for a mistake."
    KT0101 "two endpoints of one name"
        "Clients call an endpoint by its name, so that a name is unique in a project. Rename one of the functions, or give one of them a `name:` in its options."
    KT0102 "an unknown option of `backend`"
        "`backend` knows `ugroup`, `perm`, `egroup` and `name`. A misspelt option would silently leave an endpoint open, therefore it is an error."
    KT0103 "a bad value of an option"
        "`ugroup`, `egroup` and `name` are non-empty strings; `perm` is one of `perms.*` or a combination of them with `|` and `&`."
    KT0104 "an option that is not constant"
        "The policy of an endpoint and the filter of a middleware are fixed when the project is compiled, so that they can be listed and checked. Literals, templates, `perms.*`, operators, conditions, and `const`s, enums, objects, namespaces and `static readonly` fields made of these, also imported ones, can be evaluated; calls, `let` and parameters cannot."
    KT0105 "an endpoint that is not exported"
        "The server's routes import an endpoint from its module, therefore it must be exported, with the namespaces or the class around it. The endpoints of an abstract class are those of the exported classes that extend it."
    KT0106 "an endpoint that is not asynchronous"
        "A client gets the result over the network, as a promise. The function has to be `async`, or return a `Promise`, so that its type is the same on both sides."
    KT0107 "an operation outside of the endpoint's permission"
        "`perm` bounds what an endpoint may do with storage: R reads (`get`, `list`, `query`, iteration), W writes (`set`, `update`, `push`), X deletes (`delete`, `pop`, `shift`). The server and the database refuse the rest; where it can be seen, the compiler does."
    KT0108 "`backend` on something that is not a function"
        "An endpoint is a function declaration, a method of an exported class, or `export const f = backend({ … }, async () => …)`, at the top level of a module, in a namespace or as a member of an object. `backend` may be imported under another name, as `k.backend` of a namespace, or through a module that exports it on; it cannot be stored in a variable, passed on or loaded with `import()`."
    KT0109 "a parameter that cannot be sent"
        "Every parameter of an endpoint has its place on the wire. A rest parameter travels as one array, so that its type is an array."
    KT0113 "two endpoints of one route id"
        "The wire names an endpoint by 32 bits of a hash of its name. Two names of the project have the same ones; rename either."
    KT0114 "an endpoint name that cannot be used"
        "Names are identifiers of up to 64 characters. Names that every JavaScript object has (`constructor`, `toString`, `__proto__`, `then`) and those of the generated client (`api`, `kontract`, `default`) are not available."
    KT0115 "a member that cannot be an endpoint"
        "Clients call public methods by their names. Private and protected members, accessors, constructors and names that are known at run time only cannot be called, and neither can a method that nothing implements."
    KT0116 "a class that cannot be made without arguments"
        "Each call of an endpoint that is a method of an instance makes an instance of its own, so that requests share nothing through `this`. Therefore the constructor must be public and need no argument."
    KT0117 "a policy or filter that is given twice"
        "Of two `@backend` on one function, or two `@mwfilter` on one middleware, one would have no effect. Of overloads, either the first or the one with the body is marked."
    KT0118 "a type parameter without a constraint"
        "What is sent has a layout that is known when the project is compiled. A type parameter travels as its constraint, or its default; without either, callers could choose any type."
    KT0201 "an unknown key of a middleware filter"
        "`mwfilter` knows `egroup`, `ugroup` and `prefix`. A misspelt key would silently select every endpoint."
    KT0202 "a bad value of a middleware filter"
        "The keys of a middleware filter are non-empty strings."
    KT0203 "an element of `defineMiddleware` that is not a middleware"
        "`defineMiddleware` takes an array of `mwfilter({ … }, async (ctx, next) => { … })`, of functions, of functions marked `@mwfilter({ … })`, of names of these, of calls that give them, and of spreads of such arrays. The compiler composes the chain of each endpoint from them, so that it has to see the array."
    KT0204 "two middleware files"
        "The order of middlewares is the order of one array, so that there is one `export default defineMiddleware([…])` in a project."
    KT0205 "middleware that is not the default export"
        "The compiler finds the middlewares in `export default defineMiddleware([…])`; elsewhere they would never run."
    KT0206 "`next` called twice"
        "What follows a middleware, the endpoint at last, runs once for each call. Where a second call of `next` can be seen it is refused when the project is compiled; elsewhere it throws."
    KT0207 "a filter for a group that no endpoint has"
        "The filter names a group that no endpoint is in, and one that is nearly the same exists. A middleware whose filter is misspelt guards nothing."
    KT0211 "a table without fields"
        "The interface of a table describes its rows. Without a field there is neither a key nor anything to store."
    KT0212 "a primary key that is neither a string nor a number"
        "Keys are compared and ordered by the database, therefore they are required strings or numbers."
    KT0213 "two interfaces for one table"
        "The rows of a table have one shape. Rename an interface, or give one of them another table with `/** @table name */`."
    KT0214 "a table that does not exist"
        "`env.storage.<name>` is the table of the interface whose plural is that name, or of the one marked `/** @table name */`."
    KT0215 "a scope that does not exist"
        "`/** @scope shared */` is one set of rows for everybody, `owner` shows each user rows of their own, and `tenant` gives each tenant a table of its own."
    KT0216 "two primary keys"
        "A row has one key. Mark one field, or make a key of both values yourself."
    KT0217 "a bad field mark"
        "`@perm` takes one of `perms.*`, in comments its letters: `@perm R__`. `@primkey`, `@index` and `@unique` take nothing. A tag of a comment that is nearly called like a mark is taken for a mistake."
    KT0218 "a table name that cannot be used"
        "Names of tables are lower case letters, digits and `_`, start with a letter and have up to 48 characters, because they are names in the database as well."
    KT0219 "a field mark that is not enforced"
        "A mark that nothing enforces would promise what the database does not keep. `@primkey`, `@index`, `@unique` of a field with one plain value (text, number, boolean, date, bytes) and the bits R and W of `@perm` are enforced: a field without W keeps its first value, one without R is never read, which is why it is optional and neither the key nor unique."
    KT0301 "a parameter without a type"
        "Arguments are encoded and checked by their types, so that every parameter of an endpoint has one."
    KT0303 "a type that cannot be sent"
        "Functions, symbols and objects that live in one place, such as `URL` or `Request`, have no form on the wire. Instances of classes are sent as their public fields; methods and accessors stay behind."
    KT0304 "a type that cannot be found"
        "The compiler follows imports between the files of the project. The name is neither declared nor imported in this file, or the module it comes from does not export it."
    KT0305 "a number width on something that is not a number"
        "`@int32` and its like say how a `number` travels; they mean nothing for other types."
    KT0306 "a type that is defined by itself"
        "An alias that only refers to itself has no shape. Interfaces may be recursive through their fields."
    KT0307 "a field that cannot be sent"
        "Fields have identifiers or strings as names. Methods of interfaces have no place in a schema; `__proto__` is refused because it would change the object."
    KT0308 "a type without a layout"
        "Both sides of a call need one layout for what it carries: at most 4,096 fields to a type and 65,536 values to an enum."
    KT0320 "a type without a schema"
        "`any`, `unknown`, `object` and types with both fixed and arbitrary fields travel with a description of their own. Nothing checks what is in them, and the client sees `unknown`. Write the type of what is sent."
    KT0321 "a result that cannot be inferred"
        "The result of an endpoint without annotation is what its `return`s say. The compiler follows literals, variables, `env.storage`, calls of the project's functions and common methods; the expression shown is beyond that. Annotate the endpoint's result. What a frontend imports from `@/client` beside endpoints is declared in the same way: annotate what cannot be inferred."
    KT0322 "a type that is too complex"
        "Types are evaluated within bounds of depth, steps and members of a union, so that no type makes a build hang. What is beyond them travels with a description of its own."
    KT0401 "server code imported by the frontend"
        "The frontend runs on the user's machine. Importing the module would take endpoint bodies, secrets and server packages along. `@/client` has the stubs; types may be imported with `import type`."
    KT0402 "server code asked of the client"
        "`@/client/…` gives the endpoints of a module, and those of its exports that use nothing of it that server code uses. The rest stays on the server, because sharing it could publish a secret. Move what both sides need to a module of its own."
    KT0403 "server text in client output"
        "The generated client, or what `kontract/vite` made of a page, was searched for strings, names and imports that occur in server code only, and something was found. In the generated client this is an error of the compiler; please report it. In a page something other than a module put it there: a plugin of the bundler, `define`, a copied file."
    KT0404 "JSX in a module with endpoints"
        "Modules with endpoints, and what they use, are written as JavaScript for both sides. What JSX becomes is up to the frontend's build, which does not see them. Move components to files of their own."
    KT0405 "pages that the Worker cannot draw"
        "`ssr` in kontract.json names a module below the sources that exports `render(request, page)`. It and what it imports become part of the Worker as they are, and call endpoints through `@/client`."
    KT0406 "modules that would become one file"
        "Both halves are JavaScript: of `a.ts` and `a.mts` either would be `a.js`, and one would take the other's place. That they differ in more than the extension is needed for modules with endpoints, and for what these use."
    KT0407 "`import.meta.glob` in what Vite does not build"
        "`import.meta.glob` is a form of Vite's, which puts imports in its place. Endpoints, what they use, what `@/client/…` gives of their modules, and pages that the Worker draws are bundled without Vite, where nothing of that name exists. In a page without `kontract/vite` a pattern may not lead to server code, as an import may not (KT0401)."
    KT0408 "what only endpoints use, in pages"
        "Modules without endpoints are for both sides. A page's own bundler loads them from the sources, and keeps what may have an effect: `export const db = connect('…')` goes along though the page imports something else. `kontract/vite` tells the bundler to leave such calls out, and searches what it made; without it, move the value to a module that no page imports."
    KT0409 "a decorator that wants types"
        "With `emitDecoratorMetadata`, TypeScript tells decorators the types of what they stand before, through `Reflect.metadata`. kontract does not, and a decorator that relies on it would quietly do something else on the server. Turn the option off; decorators that need a type take it as an argument, such as `@Type(() => Address)`."
    KT0501 "a change that stored rows may not survive"
        "Rows are stored as they were written. A field that disappears, changes its type or becomes required would be misread or lost, so the step between is a migration that a person writes. Put a file with the next number and its statements below `migrations/`."
    KT0502 "migrations that do not fit the lock"
        "`kontract.lock.json` names every migration with the hash of its text, in the order in which databases apply them. What is locked stays as it is; what is new comes behind it."
    KT0503 "no usable kontract.lock.json"
        "The lock holds what databases have been given so far. It is written by `kontract build` and kept in version control; after a conflicting merge, take one side whole and build again."
    KT0504 "a change that deployed clients or servers do not survive"
        "`kontract build --against OLD.lock` compares what travels with what the other lock says. A new field that may be absent breaks nobody, and neither does another order; what is removed, required or of another type does. Add a field or an endpoint beside the old one, and remove that once nobody uses it."
    KT0505 "a rename that cannot be made"
        "`kontract build --rename Entry.text=body`, for a parameter `--rename sign().text=body`, tells that a field of the lock has another name in the source, so that it keeps its place on the wire. The lock has the old name and not the new one, and the source has the new one."
    KT0601 "no usable kontract.json"
        "A project has a `kontract.json` in its folder: JSON with comments, at least `{ \"name\": \"my-app\" }`."
    KT0602 "an unknown key of kontract.json"
        "Keys that nothing reads are mistakes that would stay unnoticed."
    KT0603 "a bad value in kontract.json"
        "The schema of kontract.json says what each key takes."
    KT0604 "a tsconfig that cannot be used"
        "`paths`, `baseUrl`, `extends` and `references` of `tsconfig.json` say where imports lead. The file is JSON with comments; a project without one has no path aliases."
    KT0605 "a tsconfig that is not there"
        "`extends` names a file relative to the configuration, with or without `.json`, or one of an installed package; `references` name folders with a `tsconfig.json`, or configurations."
    KT0606 "tsconfigs that extend each other"
        "A configuration takes over what those it extends say, and so cannot be one of these itself."
    KT0701 "a type error"
        "`kontract check` runs the project's own TypeScript over the sources, with the decorators of kontract taken out, and passes on what it says. The number behind `TS` is TypeScript's own; the same message appears in an editor."
    KT0702 "TypeScript is not installed"
        "`kontract check` runs the TypeScript of the project, because versions differ in what they find. Without one, only the rules of kontract are checked."
    KT0703 "files that are not up to date"
        "`kontract check --frozen` compares generated and locked files with what a build would write: the lock and the migrations always, other generated files where they exist. Build, and commit what changed."
    KT0801 "a Worker that is too large"
        "Cloudflare takes scripts of at most 10 MB after gzip, 3 MB on the free plan, and 64 MB before. `plan` in kontract.json says which of these hold: `free`, `paid` or, for a workerd of your own, `none`. Packages make up most of a Worker's size; the message names the largest modules."
    KT0802 "a Worker that takes too long to start"
        "Cloudflare allows one second for what a script does when it is loaded. The time was measured in workerd on this machine, above that of an empty Worker. Modules with endpoints are loaded on their first call; what is slow is therefore imported by middleware or set up at the top of a shared module."
    KT0803 "something that cannot run in a Worker"
        "Workers run JavaScript and WebAssembly with the modules of Node.js that workerd has. Native addons, modules that are missing there, and code made from strings do not work. The message names the package and the import in your sources that leads to it."
    KT0804 "something that may not run in a Worker"
        "The module can be imported, but what it does fails or is known to throw in workerd. Where no call gets there, nothing happens; otherwise the call ends with an error."
    KT0805 "server code that cannot be bundled"
        "Server code and its packages are bundled by esbuild with the conditions `workerd`, `worker` and `browser`. What it imports must be in the project or installed."
}

impl Code {
    /// From `KT0101`, in either case.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| code.as_str().eq_ignore_ascii_case(text))
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::Code;

    #[test]
    fn codes_are_ordered_and_explained() {
        assert!(Code::ALL.is_sorted());
        for code in Code::ALL {
            assert!(code.explanation().ends_with(['.', '!']), "{code}");
            assert!(!code.title().ends_with('.'), "{code}");
            assert_eq!(Code::parse(&code.as_str().to_lowercase()), Some(*code));
        }
    }
}
