//! Places in which a secret can stand. `SECRET` is replaced by one that is a legal name as well.

/// A program with a secret.
pub(super) struct Shape {
    pub(super) name: &'static str,
    /// In front of the module with endpoints.
    pub(super) api: &'static str,
    /// A module of its own.
    pub(super) vault: &'static str,
    /// In the frontend's module.
    pub(super) page: &'static str,
    /// Whether no output has it, such as a comment.
    pub(super) vanishes: bool,
}

pub(super) const fn api(name: &'static str, api: &'static str) -> Shape {
    Shape { name, api, vault: "", page: "", vanishes: false }
}

pub(super) const fn vault(name: &'static str, api: &'static str, vault: &'static str) -> Shape {
    Shape { name, api, vault, page: "", vanishes: false }
}

pub(super) const fn asked(name: &'static str, api: &'static str, page: &'static str) -> Shape {
    Shape { name, api, vault: "", page, vanishes: false }
}

pub(super) const fn gone(name: &'static str, api: &'static str) -> Shape {
    Shape { name, api, vault: "", page: "", vanishes: true }
}

pub(super) const SHAPES: &[Shape] = &[
    api(
        "constant",
        "const key = 'SECRET';\nexport const a = endpointOf({}, async (): Promise<string> => key);",
    ),
    api("exported constant", "export const key = 'SECRET';"),
    api("body", "export const a = endpointOf({}, async (): Promise<void> => { console.log('SECRET'); });"),
    api(
        "template part",
        "export const a = endpointOf({}, async (x: string): Promise<string> => `SECRET ${x}`);",
    ),
    api(
        "tagged template",
        "const sql = (parts: TemplateStringsArray): string => parts.raw.join();\nexport const a = endpointOf({}, async (): Promise<string> => sql`select SECRET`);",
    ),
    api(
        "raw template with escapes",
        "export const a = endpointOf({}, async (): Promise<string> => String.raw`\\SECRET`);",
    ),
    api(
        "regex",
        "export const a = endpointOf({}, async (x: string): Promise<boolean> => /^SECRET$/u.test(x));",
    ),
    api(
        "object key",
        "const map = { SECRET: 1 };\nexport const a = endpointOf({}, async (): Promise<number> => map.SECRET);",
    ),
    api(
        "quoted object key",
        "const map = { 'SECRET-x': 1 };\nexport const a = endpointOf({}, async (): Promise<number> => map['SECRET-x']);",
    ),
    api(
        "computed key",
        "const map = { ['SECRET']: 1 };\nexport const a = endpointOf({}, async (): Promise<number> => Object.keys(map).length);",
    ),
    api(
        "label",
        "export const a = endpointOf({}, async (): Promise<void> => { SECRET: for (;;) break SECRET; });",
    ),
    api(
        "identifier",
        "const SECRET = 1;\nexport const a = endpointOf({}, async (): Promise<number> => SECRET);",
    ),
    api(
        "function name",
        "function SECRET(): number { return 1; }\nexport const a = endpointOf({}, async (): Promise<number> => SECRET());",
    ),
    api(
        "class name",
        "class SECRET {}\nexport const a = endpointOf({}, async (): Promise<string> => SECRET.name);",
    ),
    api(
        "default parameter",
        "export const a = endpointOf({}, async (key: string = 'SECRET'): Promise<string> => key);",
    ),
    api(
        "default parameter of a helper",
        "const help = (key = 'SECRET'): string => key;\nexport const a = endpointOf({}, async (): Promise<string> => help());",
    ),
    api(
        "default in a pattern",
        "const help = ({ key = 'SECRET' } = {}): string => key;\nexport const a = endpointOf({}, async (): Promise<string> => help());",
    ),
    api(
        "class static block",
        "class Vault { static key = ''; static { Vault.key = 'SECRET'; } }\nexport const a = endpointOf({}, async (): Promise<string> => Vault.key);",
    ),
    api(
        "static field",
        "class Vault { static key = 'SECRET'; }\nexport const a = endpointOf({}, async (): Promise<string> => Vault.key);",
    ),
    api(
        "private field",
        "class Vault { #SECRET = 1; get() { return this.#SECRET; } }\nexport const a = endpointOf({}, async (): Promise<number> => new Vault().get());",
    ),
    api(
        "enum initialiser",
        "enum Keys { Live = 'SECRET' }\nexport const a = endpointOf({}, async (): Promise<string> => Keys.Live);",
    ),
    api(
        "enum member name",
        "enum Keys { SECRET = 1 }\nexport const a = endpointOf({}, async (): Promise<number> => Keys.SECRET);",
    ),
    api(
        "closure over module state",
        "let key = '';\nconst unlock = (): void => { key = 'SECRET'; };\nexport const a = endpointOf({}, async (): Promise<string> => { unlock(); return key; });",
    ),
    api("side effect at the top", "globalThis.name = 'SECRET';"),
    api("call at the top", "console.debug('SECRET');"),
    api(
        "destructuring at the top",
        "const { length } = 'SECRET';\nexport const a = endpointOf({}, async (): Promise<number> => length);",
    ),
    api(
        "var in a block",
        "{ var key = 'SECRET'; }\nexport const a = endpointOf({}, async (): Promise<string> => key);",
    ),
    api("loop at the top", "for (const part of ['SECRET']) console.log(part);"),
    api("try at the top", "try { JSON.parse('SECRET'); } catch { console.log('no'); }"),
    api(
        "error message",
        "export const a = endpointOf({}, async (): Promise<void> => { throw new Error('SECRET'); });",
    ),
    api(
        "env.vars",
        "export const a = endpointOf({}, async (): Promise<void> => { console.log(env.vars.SECRET); });",
    ),
    api(
        "env.vars by text",
        "export const a = endpointOf({}, async (): Promise<void> => { console.log(env.vars['SECRET']); });",
    ),
    api(
        "namespace",
        "namespace Vault { export const key = 'SECRET'; }\nexport const a = endpointOf({}, async (): Promise<string> => Vault.key);",
    ),
    api("alias of an export", "const key = 'SECRET';\nexport { key as first, key as second };"),
    api(
        "sequence",
        "const key = (0, 'SECRET');\nexport const a = endpointOf({}, async (): Promise<string> => key);",
    ),
    api(
        "escaped text",
        "const key = '\\u0041SECRET';\nexport const a = endpointOf({}, async (): Promise<string> => key);",
    ),
    api(
        "getter",
        "const vault = { get key() { return 'SECRET'; } };\nexport const a = endpointOf({}, async (): Promise<string> => vault.key);",
    ),
    api(
        "generator",
        "function* keys() { yield 'SECRET'; }\nexport const a = endpointOf({}, async (): Promise<number> => [...keys()].length);",
    ),
    api(
        "assertion",
        "const key = 'SECRET' as const satisfies string;\nexport const a = endpointOf({}, async (): Promise<string> => key);",
    ),
    gone(
        "line comment",
        "// SECRET\nexport const a = endpointOf({}, async (): Promise<void> => { /* SECRET */ });",
    ),
    gone(
        "JSDoc of a helper",
        "/** SECRET */\nconst help = 1;\nexport const a = endpointOf({}, async (): Promise<number> => help);",
    ),
    gone(
        "type name",
        "interface SECRET { x: string }\nconst help = (one: SECRET): string => one.x;\nexport const a = endpointOf({}, async (): Promise<string> => help({ x: '' }));",
    ),
    gone(
        "omitted field",
        "interface User { id: string; SECRET: string }\nexport const a = endpointOf({}, async (): Promise<void> => { const one: Omit<User, 'SECRET'> = { id: '' }; console.log(one); });",
    ),
    gone(
        "type of a generic",
        "type Known<T> = T extends 'SECRET' ? 1 : 2;\nconst help: Known<'x'> = 2;\nexport const a = endpointOf({}, async (): Promise<number> => help);",
    ),
    gone("user group", "export const a = endpointOf({ ugroup: 'SECRET' }, async (): Promise<void> => {});"),
    vault(
        "import",
        "import { key } from './vault';\nexport const a = endpointOf({}, async (): Promise<string> => key);",
        "export const key = 'SECRET';",
    ),
    vault("re-export", "export { key } from './vault';", "export const key = 'SECRET';"),
    vault("star re-export", "export * from './vault';", "export const key = 'SECRET';"),
    vault(
        "renamed import",
        "import { SECRET as key } from './vault';\nexport const a = endpointOf({}, async (): Promise<number> => key);",
        "export const SECRET = 1;",
    ),
    vault(
        "namespace import",
        "import * as keys from './vault';\nexport const a = endpointOf({}, async (): Promise<number> => Object.keys(keys).length);",
        "export const key = 'SECRET';",
    ),
    vault(
        "default import",
        "import key from './vault';\nexport const a = endpointOf({}, async (): Promise<string> => key);",
        "export default 'SECRET';",
    ),
    vault("side-effect import", "import './vault';", "globalThis.name = 'SECRET';"),
    vault(
        "dynamic import",
        "export const a = endpointOf({}, async (): Promise<string> => (await import('./vault')).key);",
        "export const key = 'SECRET';",
    ),
    api(
        "package",
        "import { key } from 'SECRET';\nexport const a = endpointOf({}, async (): Promise<string> => key);",
    ),
    api(
        "dynamic package",
        "export const a = endpointOf({}, async (): Promise<void> => { await import('SECRET'); });",
    ),
    asked(
        "asked for a server constant",
        "export const key = 'SECRET';\nexport const a = endpointOf({}, async (): Promise<string> => key);",
        "import { key } from '@/client/api';\nconsole.log(key);",
    ),
    asked(
        "asked for a helper of the server's",
        "const key = 'SECRET';\nexport const help = (): string => key;\nexport const a = endpointOf({}, async (): Promise<string> => key);",
        "import { help } from '@/client/api';\nconsole.log(help());",
    ),
    asked(
        "asked for a neighbour",
        "const key = 'SECRET';\nexport const label = (n: number): string => `label ${n}`;\nexport const a = endpointOf({}, async (): Promise<string> => key);",
        "import { label } from '@/client/api';\nconsole.log(label(1));",
    ),
    asked(
        "asked for one of two variables",
        "export const label = 'label', key = 'SECRET';\nexport const a = endpointOf({}, async (): Promise<string> => key);",
        "import { label } from '@/client/api';\nconsole.log(label);",
    ),
    asked(
        "asked for everything",
        "const key = 'SECRET';\nexport const label = 'label';\nexport const a = endpointOf({}, async (): Promise<string> => key);",
        "import * as everything from '@/client/api';\nconsole.log(everything.label);",
    ),
    asked(
        "asked for what uses env",
        "export const label = (): string => env.vars.SECRET;",
        "import { label } from '@/client/api';\nconsole.log(label());",
    ),
    Shape {
        name: "helper module of both sides",
        api: "import { month } from './vault';\nexport const label = (n: number): string => `${month} ${n}`;\nconst key = 'SECRET';\nexport const a = endpointOf({}, async (): Promise<string> => key);",
        vault: "export const month = 'May';",
        page: "import { label } from '@/client/api';\nconsole.log(label(1));",
        vanishes: false,
    },
    Shape {
        name: "frontend imports the vault of an endpoint",
        api: "import { key } from './vault';\nexport const a = endpointOf({}, async (): Promise<string> => key + ctx.owner);",
        vault: "export const key = ctx.owner + 'SECRET';",
        page: "import { key } from './vault';\nconsole.log(key);",
        vanishes: false,
    },
    api(
        "object with endpoints",
        "export const api = { key: 'SECRET', a: endpointOf({}, async (): Promise<void> => {}) };",
    ),
    api(
        "namespace with endpoints",
        "export namespace Api { const key = 'SECRET'; export const a = endpointOf({}, async (): Promise<string> => key); }",
    ),
    api(
        "class with endpoints",
        "export class Api { private static key = 'SECRET'; @endpointOf({}) static async a(): Promise<string> { return Api.key; } }",
    ),
    api(
        "private name of a class with endpoints",
        "export class Api { #SECRET = 1; @endpointOf({}) async a(): Promise<number> { return this.#SECRET; } }",
    ),
    api(
        "method beside endpoints",
        "export class Api { SECRET(): number { return 1; } @endpointOf({}) async a(): Promise<number> { return this.SECRET(); } }",
    ),
    api(
        "base of a class with endpoints",
        "class Base { protected key = 'SECRET'; }\nexport class Api extends Base { @endpointOf({}) async a(): Promise<string> { return this.key; } }",
    ),
    api(
        "decorator of a class with endpoints",
        "const named = (name: string) => (value: unknown, _: unknown): void => { console.log(name, value); };\n@named('SECRET')\nexport class Api { @endpointOf({}) async a(): Promise<void> {} }",
    ),
    api(
        "computed method beside endpoints",
        "export class Api { ['SECRET'](): number { return 1; } @endpointOf({}) async a(): Promise<void> {} }",
    ),
    api(
        "merged function and namespace",
        "function open(): string { return open.key; }\nnamespace open { export const key = 'SECRET'; }\nexport const a = endpointOf({}, async (): Promise<string> => open());",
    ),
    api(
        "overload",
        "function open(one: string): string;\nfunction open(one: number): string;\nfunction open(one: unknown): string { return `SECRET${one}`; }\nexport const a = endpointOf({}, async (): Promise<string> => open(1));",
    ),
    api(
        "symbol",
        "const key = Symbol('SECRET');\nexport const a = endpointOf({}, async (): Promise<string> => String(key));",
    ),
    api(
        "assignment at the top",
        "let key: string;\nkey = 'SECRET';\nexport const a = endpointOf({}, async (): Promise<string> => key);",
    ),
    api("default export beside endpoints", "export default { key: 'SECRET' };"),
    api(
        "await at the top",
        "const key = await Promise.resolve('SECRET');\nexport const a = endpointOf({}, async (): Promise<string> => key);",
    ),
    gone(
        "type of a parameter's default",
        "const key = 'SECRET';\ntype Key = typeof key;\nconst help = (one: Key | ''): number => one.length;\nexport const a = endpointOf({}, async (): Promise<number> => help(''));",
    ),
    asked(
        "asked for by a re-export",
        "const key = 'SECRET';\nexport const label = 'label';\nexport const a = endpointOf({}, async (): Promise<string> => key);",
        "export { label } from '@/client/api';",
    ),
    asked(
        "asked for everything by a re-export",
        "const key = 'SECRET';\nexport const label = 'label';\nexport const a = endpointOf({}, async (): Promise<string> => key);",
        "export * from '@/client/api';",
    ),
    asked(
        "comment in what is asked for",
        "export const label = (n: number): string => { /* SECRET */ return `label ${n}`; }; // SECRET\nexport const a = endpointOf({}, async (): Promise<string> => 'SECRET');",
        "import { label } from '@/client/api';\nconsole.log(label(1));",
    ),
    asked(
        "type of what is asked for",
        "const key = 'SECRET' as const;\nexport const label: { at?: typeof key } = {};\nexport const a = endpointOf({}, async (): Promise<string> => key);",
        "import { label } from '@/client/api';\nconsole.log(label);",
    ),
    asked(
        "inferred type of what is asked for",
        "const key = { SECRET: 1 };\nexport const label = (): typeof key | undefined => undefined;\nexport const a = endpointOf({}, async (): Promise<number> => key.SECRET);",
        "import { label } from '@/client/api';\nconsole.log(label());",
    ),
    asked(
        "default from the server in what is asked for",
        "const key = 'SECRET';\nexport const label = (text = key): string => text;\nexport const a = endpointOf({}, async (): Promise<string> => key);",
        "import { label } from '@/client/api';\nconsole.log(label());",
    ),
    asked(
        "base class of what is asked for",
        "class Base { key = 'SECRET'; }\nexport class Label extends Base {}\nexport const a = endpointOf({}, async (): Promise<string> => new Base().key);",
        "import { Label } from '@/client/api';\nconsole.log(new Label());",
    ),
    asked(
        "what is asked for, filled by an endpoint",
        "export const seen: string[] = [];\nexport const a = endpointOf({}, async (): Promise<void> => { seen.push('SECRET'); });",
        "import { seen } from '@/client/api';\nconsole.log(seen);",
    ),
    asked(
        "what is asked for, filled at the top",
        "export const seen: string[] = [];\nseen.push('SECRET');",
        "import { seen } from '@/client/api';\nconsole.log(seen);",
    ),
    Shape {
        name: "effect of a helper of what is asked for",
        api: "import { month } from './vault';\nexport const label = (n: number): string => `${month} ${n}`;\nexport const a = endpointOf({}, async (): Promise<string> => 'SECRET');",
        vault: "export const months = new Map<number, string>();\nmonths.set(5, 'May');\nexport const month = 'May';",
        page: "import { label } from '@/client/api';\nconsole.log(label(1));",
        vanishes: false,
    },
    Shape {
        name: "vault behind the helper of what is asked for",
        api: "import { label as of } from './vault';\nexport const label = (n: number): string => of(n);\nimport { key } from './vault';\nexport const a = endpointOf({}, async (): Promise<string> => key);",
        vault: "export const key = 'SECRET';\nexport const label = (n: number): string => `label ${n}`;",
        page: "import { label } from '@/client/api';\nconsole.log(label(1));",
        vanishes: false,
    },
    Shape {
        name: "JSX attribute",
        api: "import { page } from './vault';\nexport const a = endpointOf({}, async (): Promise<string> => page);",
        vault: "export const page = 'SECRET';",
        page: "",
        vanishes: false,
    },
];
