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

const fn api(name: &'static str, api: &'static str) -> Shape {
    Shape { name, api, vault: "", page: "", vanishes: false }
}

const fn vault(name: &'static str, api: &'static str, vault: &'static str) -> Shape {
    Shape { name, api, vault, page: "", vanishes: false }
}

const fn asked(name: &'static str, api: &'static str, page: &'static str) -> Shape {
    Shape { name, api, vault: "", page, vanishes: false }
}

const fn gone(name: &'static str, api: &'static str) -> Shape {
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
    Shape {
        name: "JSX attribute",
        api: "import { page } from './vault';\nexport const a = endpointOf({}, async (): Promise<string> => page);",
        vault: "export const page = 'SECRET';",
        page: "",
        vanishes: false,
    },
];
