//! Every spelling of an endpoint in every context: one contract for all of them, no secret in the client, and a call
//! that arrives.

use crate::fixture::{compile, diagnose};
use crate::support::node::Sandbox;
use kontract::CompileInput;
use kontract::contract::{Endpoint, NumberWidth, Perms, Ty};
use kontract::diag::Code;
use kontract::project;
use kontract::system::MemorySystem;

/// `f(a: string, b?: number): Promise<string>` in one spelling.
struct Spelling {
    label: String,
    text: String,
    /// How the endpoint is reached.
    path: &'static str,
}

#[test]
fn every_spelling_gives_the_same_contract() {
    for extension in ["ts", "tsx", "mts"] {
        for Spelling { label, text, path } in spellings("") {
            let label = format!("{label} in .{extension}");
            let compiled = compile(&one_file(&format!("src/api.{extension}"), &text));
            assert!(compiled.diagnostics.is_empty(), "{label}:\n{text}\n{}", compiled.text());
            let (_, contract, halves) = compiled.value.unwrap_or_else(|| panic!("{label} has no value"));
            let [endpoint] = contract.contract().endpoints.as_slice() else {
                panic!("{label}: {} endpoints in\n{text}", contract.contract().endpoints.len());
            };
            assert_same(endpoint, path, &label);
            assert!(
                halves.server["api.js"].contains("sk-live"),
                "{label}: no body\n{}",
                halves.server["api.js"]
            );
            let leaks = halves.client.values().any(|module| module.statements.contains("sk-live"));
            assert!(!leaks, "{label} leaks");
        }
    }
}

#[test]
fn every_spelling_is_called() {
    let spellings = |number: usize| spellings(&format!(", name: 'f{number}'")).swap_remove(number);
    let count = self::spellings("").len();
    let mut files = vec![
        ("kontract.json".to_owned(), "{ \"name\": \"forms\" }".to_owned()),
        ("src/middleware.ts".to_owned(), MIDDLEWARE.to_owned()),
        ("src/steps.ts".to_owned(), STEPS.to_owned()),
        ("src/life.ts".to_owned(), LIFE.to_owned()),
    ];
    for number in 0..count {
        let extension = ["ts", "tsx", "mts"][number % 3];
        // Node.js has no decorators.
        let mut text = spellings(number).text;
        for decorator in ["@tag<string>() ", "@(tag(1)) ", "@tag(2) ", "@tag(3) ", "@tag "] {
            text = text.replace(decorator, "");
        }
        files.push((format!("src/c{number}.{extension}"), text));
    }
    let system = MemorySystem::new(files);
    let loaded = project::load(&system);
    let outcome = kontract::compile(&system, &loaded, &CompileInput::default());
    let artifacts = outcome.value.unwrap_or_else(|| panic!("{}", diagnose(&system).text()));
    let sandbox = Sandbox::new();
    for (path, bytes) in &artifacts {
        if let Some(path) = path.strip_prefix(".kontract/")
            && path.ends_with(".js")
        {
            sandbox.write(path, bytes);
        }
    }
    let package = br#"{ "type": "module", "exports": { ".": "./index.js", "./wire": "./wire/index.js", "./client": "./client.js", "./server": "./server.js" } }"#;
    sandbox.write("node_modules/kontract/package.json", package);
    sandbox.write("node_modules/kontract/index.js", b"export const perms = {};\n");
    sandbox.write(
        "node_modules/kontract/server.js",
        b"export { once } from './chain.js'; export const ctx = {}; export const env = { vars: {} };\n",
    );
    sandbox.write_module("node_modules/kontract/chain.js", "npm/kontract/src/server/chain.ts");
    let client = b"export const createClient = () => ({ endpoint: (stub) => Object.assign((...args) => stub.encode(args), { stub }) });\n";
    sandbox.write("node_modules/kontract/client.js", client);
    let labels: Vec<String> = self::spellings("").into_iter().map(|spelling| spelling.label).collect();
    sandbox.write("labels.json", serde_json::to_string(&labels).expect("texts").as_bytes());
    sandbox.run("stubgen/forms.mjs");
}

#[test]
fn constants_that_double_with_every_line_are_refused() {
    let doubling = |operator: &str| {
        let lines: String = (0..60)
            .map(|line| format!("const c{line} = c{} {operator} c{};\n", line + 1, line + 1))
            .collect();
        let text = format!(
            "{lines}const c60 = 'text';\nexport const f = backend({{ ugroup: c0 }}, async (): Promise<void> => {{}});\n"
        );
        let found = compile(&one_file("src/api.ts", &text)).diagnostics;
        found.into_iter().map(|diagnostic| diagnostic.code).collect::<Vec<Code>>()
    };
    assert_eq!(doubling("+"), [Code::KT0104]);
    // These need the right side only when the left one is empty.
    assert!(doubling("||").is_empty());
}

fn assert_same(endpoint: &Endpoint, path: &str, label: &str) {
    let instance = if endpoint.binding.instance { "new " } else { "" };
    assert_eq!(format!("{instance}{}", endpoint.binding.path()), path, "{label}");
    assert_eq!(endpoint.name, "f", "{label}");
    let options = &endpoint.options;
    let policy = (options.ugroup.as_deref(), options.egroup.as_deref(), options.perm);
    assert_eq!(policy, (Some("admin"), Some("api"), Perms::from_bits(6).expect("RW_")), "{label}");
    let params: Vec<(&str, &Ty, bool, bool)> =
        endpoint.params.iter().map(|param| (&*param.name, &param.ty, param.optional, param.rest)).collect();
    let number = Ty::Number(NumberWidth::Float64);
    assert_eq!(params, [("a", &Ty::String, false, false), ("b", &number, true, false)], "{label}");
    assert_eq!(endpoint.returns, Ty::String, "{label}");
}

fn one_file(path: &str, text: &str) -> MemorySystem {
    MemorySystem::new([
        ("kontract.json".to_owned(), "{ \"name\": \"forms\" }".to_owned()),
        (path.to_owned(), text.to_owned()),
    ])
}

/// Every spelling; `more` goes into the options.
fn spellings(more: &str) -> Vec<Spelling> {
    let named_more = more.replace(':', "=");
    let objects = format!("{{ ugroup: 'admin', perm: perms.RW_, egroup: 'api'{more} }}");
    let decorators = [
        ("decorator", format!("@backend({objects}) ")),
        (
            "named decorator",
            format!("@backend(ugroup=\"admin\", perm=perms.RW_, egroup=\"api\"{named_more})\n"),
        ),
        (
            "decorator among comments",
            format!(
                "/** Does. */ // a\n@backend /* b */ (\n  // c {{\n  {objects}, /* ) */\n) // @backend()\n/* d */ "
            ),
        ),
    ];
    let mut all = Vec::new();
    for (spelling, decorator) in decorators {
        for (context, path, template) in DECORATED {
            let text = filled(template).replace("@D ", &decorator);
            all.push(Spelling { label: format!("{spelling}, {context}"), text, path });
        }
    }
    for (context, path, template) in WRAPPED {
        let options = if path == "default" && more.is_empty() {
            objects.replace(" }", ", name: 'f' }")
        } else {
            objects.clone()
        };
        let text = filled(template).replace("$O", &options);
        all.push(Spelling { label: format!("wrapper, {context}"), text, path });
    }
    all
}

fn filled(template: &str) -> String {
    const SIGNATURE: &str = "(a: string, b?: number): Promise<string>";
    const BODY: &str = "{ return `${a}:${b ?? 'none'}:${'sk-live'}`; }";
    template.replace("$S", SIGNATURE).replace("$B", BODY)
}

/// Context, how it is reached, and the source: `@D ` the decorator, `$S` the signature, `$B` the body.
const DECORATED: [(&str, &str, &str); 33] = [
    ("exported function", "f", "@D export async function f$S $B"),
    ("behind export", "f", "export @D async function f$S $B"),
    ("named export", "f", "@D async function f$S $B\nexport { f };"),
    ("renamed export", "g", "export { f as g };\n@D async function f$S $B"),
    ("default export", "default", "@D export default async function f$S $B"),
    ("default export by name", "default", "@D async function f$S $B\nexport default f;"),
    (
        "not async",
        "f",
        "@D export function f$S { return Promise.resolve(`${a}:${b ?? 'none'}:${'sk-live'}`); }",
    ),
    (
        "only overload",
        "f",
        "@D export function f$S;\nexport async function f(a: unknown, b?: unknown): Promise<string> $B",
    ),
    (
        "first overload",
        "f",
        "@D export function f(a: 'x'): Promise<'x'>;\nexport function f(a: string, b?: number): Promise<string>;\nexport async function f$S $B",
    ),
    (
        "implementation of overloads",
        "f",
        "export function f$S;\n@D export async function f(a: any, b?: any): Promise<string> $B",
    ),
    (
        "default overload",
        "default",
        "@D export default function f$S;\nexport default async function f(a: any, b?: any): Promise<string> $B",
    ),
    (
        "type parameter",
        "f",
        "@D export async function f<T extends string, N extends number = 1>(a: T, b?: N): Promise<T | string> $B",
    ),
    (
        "this parameter",
        "f",
        "@D export async function f(this: void, a: string, b?: number): Promise<string> $B",
    ),
    ("constant arrow", "f", "@D export const f = async $S => $B;"),
    ("constant function", "f", "@D export const f = async function$S $B;"),
    ("before the arrow", "f", "export const f = @D async $S => $B;"),
    ("namespace", "Api.f", "export namespace Api { const x = 1; @D export async function f$S $B }"),
    (
        "nested namespaces",
        "Api.V1.f",
        "export namespace Api { export namespace V1 { @D export async function f$S $B } }",
    ),
    ("dotted namespace", "Api.V1.f", "namespace Api.V1 { @D export async function f$S $B }\nexport { Api };"),
    ("static method", "S.f", "export class S { @D static async f$S $B }"),
    ("method", "new S.f", "export class S { @D async f$S $B }"),
    ("method of a default class", "new default.f", "export default class { @D async f$S $B }"),
    ("method of a class expression", "new S.f", "export const S = class { @D async f$S $B };"),
    ("computed name", "new S.f", "const NAME = 'f';\nexport class S { @D async [NAME]$S $B }"),
    (
        "overloaded method",
        "new S.f",
        "export class S { @D f$S; async f(a: any, b?: any): Promise<string> $B }",
    ),
    ("function in a field", "new S.f", "export class S { @D f = async $S => $B; }"),
    (
        "inherited",
        "new S.f",
        "abstract class B<T> { @D async f(a: T, b?: number): Promise<T> { return `${a}:${b ?? 'none'}:${'sk-live'}` as T; } }\nexport class S extends B<string> {}",
    ),
    (
        "overridden",
        "new S.f",
        "export abstract class B { @D abstract f$S; }\nexport class S extends B { override async f$S $B }",
    ),
    (
        "overridden, behind decorators of others",
        "new S.f",
        "const tag = (..._: unknown[]): void => undefined;\nexport @tag abstract class B { abstract n: string; @D abstract f$S; }\nexport @tag class S extends B { n = 'a'; override async f$S $B }",
    ),
    (
        "inherited, behind decorators of others",
        "new S.f",
        "const tag = (..._: unknown[]) => (..._: unknown[]): void => undefined;\nexport @tag<string>() @(tag(1)) abstract class B { @D async f$S $B }\nexport default @tag(2) abstract class C extends B {}\n@tag(3) export class S extends C {}",
    ),
    (
        "in a namespace, behind decorators of others",
        "new N.S.f",
        "const tag = (..._: unknown[]): void => undefined;\nexport namespace N { export @tag abstract class B { @D abstract f$S; }\n export @tag class S extends B { async f$S $B } }",
    ),
    ("class in a namespace", "new N.S.f", "export namespace N { export class S { @D async f$S $B } }"),
    ("method of an object", "api.v1.f", "export const api = { v1: { @D async f$S $B } } as const;"),
];

/// The same with `$O` for the options.
const WRAPPED: [(&str, &str, &str); 17] = [
    (
        "arrow",
        "f",
        "import { backend, perms } from 'kontract';\nexport const f = backend($O, async $S => $B);",
    ),
    ("function", "f", "export const f = backend($O, async function f$S $B);"),
    ("behind types", "f", "export const f = (backend($O, (async $S => $B)) satisfies unknown) as any;"),
    ("one of several", "f", "export const x = 1, f = backend($O, async $S => $B), y = 2;"),
    ("named export", "f", "const f = backend($O, async $S => $B);\nexport { f };"),
    ("renamed export", "default", "const f = backend($O, async $S => $B);\nexport { f as default };"),
    ("default export", "default", "export default backend($O, async $S => $B);"),
    ("handler by name", "f", "async function handler$S $B\nexport const f = backend($O, handler);"),
    ("handler in a constant", "f", "const handler = async $S => $B;\nexport const f = backend($O, handler);"),
    (
        "type of the variable",
        "f",
        "export const f: (a: string, b?: number) => Promise<string> = backend($O, async (a, b) => $B);",
    ),
    (
        "another name",
        "f",
        "import { backend as b, perms } from 'kontract';\nexport const f = b($O, async $S => $B);",
    ),
    (
        "namespace of the package",
        "f",
        "import * as k from 'kontract';\nexport const f = k.backend($O, async $S => $B);",
    ),
    ("namespace", "Api.f", "export namespace Api { export const f = backend($O, async $S => $B); }"),
    ("static field", "S.f", "export class S { static f = backend($O, async $S => $B); }"),
    ("field", "new S.f", "export class S { readonly f = backend($O, async $S => $B); }"),
    ("object", "api.f", "export const api = { f: backend($O, async $S => $B) };"),
    ("default object", "default.f", "export default { 'f': backend($O, async $S => $B) };"),
];

/// Middlewares in all their spellings; each leaves its name in the call's context.
const MIDDLEWARE: &str = "
import { defineMiddleware, mwfilter } from 'kontract';
import common, { first, steps } from './steps';

const API = { group: 'api' } as const;
const all = defineMiddleware([
  first,
  steps.second,
  @mwfilter({ egroup: API.group }) async (ctx: any, next: any) => { ctx.log.push('api'); return next(); },
  mwfilter({ prefix: `f${1 + 1}` }, async function (ctx: any, next: any) { ctx.log.push('f2'); return await next(); }),
  mwfilter({ egroup: 'none' }, async () => { throw new Error('not for these'); }),
  ...common,
]);
export default all;
";

const STEPS: &str = "
const step = (name: string) => async (ctx: any, next: any) => { ctx.log.push(name); return next(); };
export async function first(ctx: any, next: () => Promise<unknown>) { ctx.log.push('first'); return next(); }
export const steps = { second: mwfilter({ ugroup: 'admin' }, async (ctx: any, next: any) => { ctx.log.push('second'); return next(); }) };
const last = mwfilter({ ugroup: 'nobody' }, step('last'));
export default [step('third'), last];
";

/// What instances keep, and what they do not.
const LIFE: &str = "
let made = 0;
class Base {
  count = 0;
  constructor(readonly step = 1, ..._rest: string[]) { made += 1; }
  @backend({ name: 'count' }) async count_(): Promise<number> { this.count += this.step; return this.count; }
  @backend() static async made(): Promise<number> { return this.total(); }
  static total() { return made; }
}
export class Counter extends Base {
  @backend() async join(separator: string, ...words: string[]): Promise<string> { return this.wrap(words.join(separator)); }
  private wrap(text: string) { return `<${text}>`; }
}
export namespace Life {
  const hidden = 'sk-live';
  export const kept = { size: 0 };
  @backend export async function size(...more: number[]): Promise<number> { kept.size += more.length; return kept.size; }
}
";
