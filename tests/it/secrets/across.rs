//! Secrets that cross modules, or that only a compiler's own steps could bring to light. `SECRET` as in the other shapes.

use super::shapes::{Shape, api, asked, gone, vault};

pub(super) const ACROSS: &[Shape] = &[
    api(
        "const enum",
        "const enum Keys { Live = 'SECRET' }\nexport const a = endpointOf({}, async (): Promise<number> => Keys.Live.length);",
    ),
    Shape {
        name: "const enum of a shared module",
        api: "import { Keys } from './vault';\nexport const label = (n: number): string => `label ${n}`;\nexport const a = endpointOf({}, async (): Promise<number> => Keys.Live.length);",
        vault: "export const enum Keys { Live = 'SECRET' }\nexport const month = 'May';",
        page: "import { label } from '@/client/api';\nimport { month } from './vault';\nconsole.log(label(1), month);",
        vanishes: false,
    },
    vault(
        "barrel of barrels",
        "export * as all from './vault';\nexport { key as other } from './vault';",
        "export const key = 'SECRET';",
    ),
    Shape {
        name: "a name through a barrel, asked for",
        api: "export { label, key } from './vault';\nimport { key as one } from './vault';\nexport const a = endpointOf({}, async (): Promise<string> => one);",
        vault: "export const key = 'SECRET';\nexport const label = 'label';",
        page: "import { label } from '@/client/api';\nconsole.log(label);",
        vanishes: false,
    },
    Shape {
        name: "a connection of a shared module",
        api: "import { label as of, db } from './vault';\nexport const label = (n: number): string => of(n);\nexport const a = endpointOf({}, async (): Promise<string> => db.name);",
        vault: "const connect = (name: string) => ({ name });\nexport const db = connect('SECRET');\nexport const label = (n: number): string => `label ${n}`;",
        page: "import { label } from '@/client/api';\nconsole.log(label(1));",
        vanishes: false,
    },
    Shape {
        name: "a connection of a shared module, opened at the top",
        api: "import { label as of, db } from './vault';\nexport const label = (n: number): string => of(n);\nexport const a = endpointOf({}, async (): Promise<string> => db.name);",
        vault: "export const db = { name: '' };\ndb.name = 'SECRET';\nexport const label = (n: number): string => `label ${n}`;",
        page: "import { label } from '@/client/api';\nconsole.log(label(1));",
        vanishes: false,
    },
    Shape {
        name: "a class of a shared module with a static field",
        api: "import { label as of, Vault } from './vault';\nexport const label = (n: number): string => of(n);\nexport const a = endpointOf({}, async (): Promise<string> => Vault.key);",
        vault: "export class Vault { static key = 'SECRET'; }\nexport const label = (n: number): string => `label ${n}`;",
        page: "import { label } from '@/client/api';\nconsole.log(label(1));",
        vanishes: false,
    },
    Shape {
        name: "an enum of a shared module",
        api: "import { label as of, Vault } from './vault';\nexport const label = (n: number): string => of(n);\nexport const a = endpointOf({}, async (): Promise<number> => Vault.Key.length);",
        vault: "export enum Vault { Key = 'SECRET' }\nexport const label = (n: number): string => `label ${n}`;",
        page: "import { label } from '@/client/api';\nconsole.log(label(1));",
        vanishes: false,
    },
    asked(
        "legal comment in what is asked for",
        "/*! SECRET */\nexport const label = (n: number): string => { /*! @license SECRET */ return `label ${n}`; };\nexport const a = endpointOf({}, async (): Promise<string> => 'SECRET');",
        "import { label } from '@/client/api';\nconsole.log(label(1));",
    ),
    asked(
        "pure annotation",
        "export const label = /* @__PURE__ SECRET */ String('label');\nexport const a = endpointOf({}, async (): Promise<string> => 'SECRET');",
        "import { label } from '@/client/api';\nconsole.log(label);",
    ),
    asked(
        "directive",
        "'SECRET directive';\nexport const label = 'label';\nexport const a = endpointOf({}, async (): Promise<string> => 'x');",
        "import { label } from '@/client/api';\nconsole.log(label);",
    ),
    gone(
        "source map comment",
        "export const a = endpointOf({}, async (): Promise<string> => 'x');\n//# sourceMappingURL=SECRET.js.map",
    ),
    asked(
        "split text in what is asked for",
        "const key = 'SECRET';\nexport const label = `${'SECR' + 'ET'}`;\nexport const a = endpointOf({}, async (): Promise<string> => key);",
        "import { label } from '@/client/api';\nconsole.log(label);",
    ),
    api(
        "default of an endpoint's pattern",
        "export const a = endpointOf({}, async ({ key = 'SECRET' }: { key?: string }): Promise<string> => key);",
    ),
    api(
        "default of an endpoint's parameter without a type",
        "export const a = endpointOf({}, async (key = 'SECRET'): Promise<string> => key);",
    ),
    api(
        "default by constant without a type",
        "const fallback = 'SECRET';\nexport const a = endpointOf({}, async (key = fallback): Promise<string> => key);",
    ),
    api(
        "result without annotation",
        "const key = 'SECRET';\nexport const a = endpointOf({}, async () => key);",
    ),
    api(
        "object result without annotation",
        "const row = { key: 'SECRET' };\nexport const a = endpointOf({}, async () => row);",
    ),
    api(
        "length without annotation",
        "const key = 'SECRET' as const;\nexport const a = endpointOf({}, async () => key.length);",
    ),
    api(
        "condition without annotation",
        "const key = 'SECRET' as const;\nexport const a = endpointOf({}, async (x: string) => x === key ? 1 : 2);",
    ),
    api(
        "regex with flags",
        "const key = /SECRET-[a-z]+/gu;\nexport const a = endpointOf({}, async (x: string): Promise<boolean> => key.test(x));",
    ),
    api(
        "options by spread",
        "const options = { egroup: 'SECRET' } as const;\nexport const a = endpointOf({ ...options }, async (): Promise<void> => {});",
    ),
    api("egroup", "export const a = endpointOf({ egroup: 'SECRET' }, async (): Promise<void> => {});"),
    api(
        "doc of a private helper in a class",
        "export class Api { /** SECRET */ private help(): number { return 1; } @endpointOf({}) async a(): Promise<number> { return this.help(); } }",
    ),
    gone(
        "doc of a type that nobody sends",
        "/** SECRET */\ninterface Row { id: string }\nconst rows = new Map<string, Row>();\nexport const a = endpointOf({}, async (): Promise<number> => rows.size);",
    ),
    gone(
        "plain comment above an endpoint",
        "/* SECRET */\nexport const a = endpointOf({}, async (): Promise<void> => {}); // SECRET",
    ),
    gone(
        "two slashes above a doc",
        "// SECRET\n/** Reads. */\nexport const a = endpointOf({}, async (): Promise<void> => {});",
    ),
    gone(
        "comment in a parameter list",
        "export const a = endpointOf({}, async (x: string /* SECRET */): Promise<string> => x);",
    ),
    gone(
        "comment in a sent type",
        "interface Row { /* SECRET */ id: string; // SECRET\n}\nexport const a = endpointOf({}, async (): Promise<Row> => ({ id: '' }));",
    ),
    api(
        "import attribute",
        "import words from './SECRET.json' with { type: 'json' };\nexport const a = endpointOf({}, async (): Promise<string> => String(words));",
    ),
    api(
        "text of JSON",
        "const row = JSON.parse('{\"key\":\"SECRET\"}') as { key: string };\nexport const a = endpointOf({}, async (): Promise<string> => row.key);",
    ),
    api(
        "octets",
        "const key = new TextEncoder().encode('SECRET');\nexport const a = endpointOf({}, async (): Promise<number> => key.length);",
    ),
    api(
        "accessor field",
        "class Vault { accessor key = 'SECRET'; }\nexport const a = endpointOf({}, async (): Promise<string> => new Vault().key);",
    ),
    api(
        "using",
        "using key = { name: 'SECRET', [Symbol.dispose]() {} };\nexport const a = endpointOf({}, async (): Promise<string> => key.name);",
    ),
    api(
        "export equals of a class expression",
        "const Vault = class SECRET {};\nexport const a = endpointOf({}, async (): Promise<string> => Vault.name);",
    ),
    api(
        "array pattern with default",
        "const [key = 'SECRET'] = [] as string[];\nexport const a = endpointOf({}, async (): Promise<string> => key);",
    ),
    api(
        "comma in an export",
        "export const one = 1, key = 'SECRET', two = 2;\nexport const a = endpointOf({}, async (): Promise<string> => key);",
    ),
    api(
        "endpoint with a name",
        "export const a = endpointOf({ name: 'b' }, async function SECRET(): Promise<void> {});",
    ),
    api(
        "immediately called",
        "const key = (() => 'SECRET')();\nexport const a = endpointOf({}, async (): Promise<string> => key);",
    ),
    api(
        "nested endpoints",
        "export const api = { inner: { key: 'SECRET', a: endpointOf({}, async (): Promise<void> => {}) } };",
    ),
    api(
        "static method beside an endpoint",
        "export class Api { static SECRET = 1; static { console.log(Api.SECRET); } @endpointOf({}) static async a(): Promise<number> { return Api.SECRET; } }",
    ),
    api(
        "argument of a method's decorator",
        "const log = (text: string) => <T>(value: T, _: unknown): T => { console.log(text); return value; };\nexport class Api { @log('SECRET') @endpointOf({}) async a(): Promise<void> {} }",
    ),
    Shape {
        name: "type of the vault in a frontend",
        api: "import { key } from './vault';\nexport const a = endpointOf({}, async (): Promise<number> => key.length);",
        vault: "export const key = 'SECRET' as const;\nexport type Key = typeof key;",
        page: "import type { Key } from './vault';\nexport const none: Key | undefined = undefined;",
        vanishes: false,
    },
    asked(
        "declared by a shorthand",
        "const key = 'SECRET';\nexport const label = { text: 'label' };\nexport const all = { key, label };\nexport const a = endpointOf({}, async (): Promise<string> => all.key);",
        "import { label } from '@/client/api';\nconsole.log(label);",
    ),
    asked(
        "static block in what is asked for",
        "export class Label { static text = 'label'; static { Label.text = 'other'; } }\nclass Vault { static { console.log('SECRET'); } }\nexport const a = endpointOf({}, async (): Promise<string> => String(new Vault()));",
        "import { Label } from '@/client/api';\nconsole.log(Label.text);",
    ),
    asked(
        "late assignment to what is asked for",
        "export let label = 'label';\nexport const a = endpointOf({}, async (): Promise<void> => { label = 'SECRET'; });",
        "import { label } from '@/client/api';\nconsole.log(label);",
    ),
    asked(
        "function with a property",
        "export function label(): string { return 'label'; }\nlabel.key = 'SECRET';\nexport const a = endpointOf({}, async (): Promise<string> => label.key);",
        "import { label } from '@/client/api';\nconsole.log(label());",
    ),
    asked(
        "merged namespace of what is asked for",
        "export function label(): string { return 'label'; }\nexport namespace label { export const key = 'SECRET'; }\nexport const a = endpointOf({}, async (): Promise<string> => label.key);",
        "import { label } from '@/client/api';\nconsole.log(label());",
    ),
    asked(
        "type parameter of what is asked for",
        "const key = { SECRET: 1 } as const;\nexport const label = <K extends keyof typeof key>(one: K): string => `label ${one.length}`;\nexport const a = endpointOf({}, async (): Promise<number> => key.SECRET);",
        "import { label } from '@/client/api';\nconsole.log(label);",
    ),
    asked(
        "inferred literal of what is asked for",
        "const key = 'SECRET' as const;\nexport const label = (x: typeof key | 'other' = 'other') => x;\nexport const a = endpointOf({}, async (): Promise<string> => key);",
        "import { label } from '@/client/api';\nconsole.log(label());",
    ),
];
