//! Declarations of a contract with every type and every way of exporting, read by TypeScript 5 and 7.

use crate::support::app::repository;
use crate::support::contract::{Draft, array, enumeration, field, nullable, object, optional};
use kontract::CompileInput;
use kontract::contract::{BigIntWidth, Literal, NumberWidth, RecordKey, TemplatePart, TupleElement, Ty};
use kontract::project;
use kontract::stubgen::{Identity, Pins, StubInput, declarations};
use kontract::system::MemorySystem;
use std::collections::BTreeMap;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

#[test]
fn every_type_and_every_export_is_valid_typescript() {
    let draft = draft();
    let identity = Identity { build_id: [0; 16], route_hash: [0; 32] };
    let pins = Pins { suite: 1, identity, keys: Vec::new() };
    let input = StubInput {
        project_name: "types",
        source_root: "src",
        pins: &pins,
        ptrs: &BTreeMap::new(),
        client_modules: &BTreeMap::new(),
        chains: &BTreeMap::new(),
        eager: false,
        pages: None,
    };
    let folder = tempfile::tempdir().expect("a folder");
    let write = |path: &str, bytes: &[u8]| {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().expect("below the folder")).expect("a folder");
        std::fs::write(path, bytes).expect("a file");
    };
    for (path, bytes) in declarations(&draft.checked(), &draft.sources, &input) {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let generated = text.split("declare namespace kontract.rows").last().unwrap_or_default();
        for word in [" extends ", " infer ", "Omit<", "Rpc<"] {
            assert!(path.ends_with(".map") || !generated.contains(word), "{path} has{word}:\n{text}");
        }
        write(&path, &bytes);
    }
    write("use.ts", USE.as_bytes());
    accepted(folder.path());
}

#[test]
fn what_stubs_say_fits_what_the_users_own_types_say() {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |path: &str, text: &[u8]| {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().expect("below the folder")).expect("a folder");
        std::fs::write(path, text).expect("a file");
    };
    let sources = [
        ("kontract.json", "{ \"name\": \"fixture\" }"),
        ("src/types.ts", OWN_TYPES),
        ("src/more.ts", "export enum Color { Black = 'black' }\n"),
        ("src/api.ts", OWN_API),
    ];
    let system = MemorySystem::new(sources);
    let loaded = project::load(&system);
    let checked = kontract::check(&system, &loaded);
    assert!(checked.diagnostics.is_empty(), "{:?}", checked.diagnostics);
    for (path, bytes) in kontract::declarations(&loaded.sources, checked.value.expect("no errors")) {
        write(&path, &bytes);
    }
    for (path, text) in &sources[1..3] {
        write(path, text.as_bytes());
    }
    write("use.ts", OWN_USE.as_bytes());
    accepted(folder.path());
}

#[test]
fn enums_of_tables_stay_on_the_server() {
    let system = MemorySystem::new([
        ("kontract.json", "{ \"name\": \"fixture\" }"),
        (
            "src/api.ts",
            "import { backend } from 'kontract';\n\
             export enum Shown { Here = 'here', There = 'there' }\n\
             enum Hidden { Inside = 'known-to-the-server' }\n\
             /** @table things */ interface Thing { id: string; state: Hidden }\n\
             export const of = backend({}, async (shown: Shown): Promise<Shown[]> => {\n  \
               await env.storage.things.get('1');\n  return [shown];\n});\n",
        ),
        (
            "src/page.tsx",
            "import { of, Shown } from '@/client/api';\nexport const page = () => of(Shown.Here);\n",
        ),
    ]);
    let loaded = project::load(&system);
    let compiled = kontract::compile(&system, &loaded, &CompileInput::default());
    assert!(compiled.diagnostics.is_empty(), "{:?}", compiled.diagnostics);
    let artifacts = compiled.value.expect("no errors");
    let text = |path: &str| String::from_utf8_lossy(&artifacts[path]).into_owned();
    let enums = text("dist/client/kontract-enums.d.ts");
    assert!(enums.contains("export declare enum Shown {") && !enums.contains("Hidden"), "{enums}");
    let ambient = text(".kontract/types.d.ts");
    assert!(
        ambient.contains("enum Hidden {") && ambient.contains("state: kontract.enums.Hidden"),
        "{ambient}"
    );
    let leaked = artifacts.iter().filter(|(path, _)| path.starts_with("dist/client/"));
    for (path, bytes) in leaked {
        assert!(!String::from_utf8_lossy(bytes).contains("known-to-the-server"), "{path}");
    }
}

/// Both versions of TypeScript find nothing wrong with a folder.
fn accepted(folder: &Path) {
    std::fs::write(folder.join("tsconfig.json"), CONFIG).expect("a file");
    symlink(repository().join("node_modules"), folder.join("node_modules")).expect("a link");
    for typescript in ["typescript", "typescript5"] {
        let output = Command::new("node")
            .arg(repository().join("node_modules").join(typescript).join("bin/tsc"))
            .current_dir(folder)
            .output()
            .expect("run tsc");
        assert!(output.status.success(), "{typescript}: {}", String::from_utf8_lossy(&output.stdout));
    }
}

fn draft() -> Draft {
    let mut draft = Draft::new(&["src/api.ts", "src/index.ts"]);
    draft.object(
        "Entry",
        vec![field("id", Ty::String).primkey(), field("a-b?", Ty::Date), field("class", Ty::Bytes)],
    );
    // Names that the generated files use themselves.
    draft.object("CallOptions", vec![field("next?", nullable(object("CallOptions")))]);
    draft.object("EntryPatch", vec![field("n", Ty::Number(NumberWidth::Int8))]);
    draft.object(
        "Holder",
        vec![field("id", Ty::String), field("patch", object("EntryPatch")), field("entry", object("Entry"))],
    );
    draft.table("entries", "Entry", "id");
    draft.table("holders", "Holder", "id");
    for (index, ty) in types().into_iter().enumerate() {
        draft.endpoint(
            "src/api.ts",
            &format!("echo{index}"),
            &[("value", ty.clone()), ("more?", ty.clone())],
            ty,
        );
    }
    draft.endpoint(
        "src/api.ts",
        "dynamic",
        &[("own", Ty::Dynamic("Own<T>".to_owned()))],
        Ty::Dynamic("{ a: any }".to_owned()),
    );
    draft.endpoint("src/api.ts", "pages", &[], Ty::Stream(Box::new(object("Entry"))));
    draft.endpoint("src/api.ts", "nothing", &[], Ty::Void);
    draft.endpoint("src/api.ts", "find", &[], optional(object("CallOptions")));
    draft.object(
        "Group",
        vec![field("all", array(object("Holder"))), field("some?", nullable(array(Ty::String)))],
    );
    draft.object("LazyHolder", vec![field("toJSON", Ty::String)]);
    draft.endpoint("src/api.ts", "groups", &[("of", object("LazyHolder"))], nullable(array(object("Group"))));
    draft.endpoint("src/api.ts", "whole", &[], object("LazyHolder"));
    for (name, path) in [
        ("main", &["default"][..]),
        ("loop", &["while"]),
        ("put", &["Store", "put"]),
        ("drop", &["Store", "delete"]),
    ] {
        let endpoint = draft.endpoint("src/index.ts", name, &[("id", Ty::String)], Ty::Boolean);
        let (export, members) = path.split_first().expect("a name");
        endpoint.binding.export = (*export).to_owned();
        endpoint.binding.members = members.iter().map(|member| (*member).to_owned()).collect();
    }
    draft
}

fn types() -> Vec<Ty> {
    let text = |text: &str| TemplatePart::Text(text.to_owned());
    let element = |name: Option<&str>, ty: Ty, optional: bool, rest: bool| TupleElement {
        name: name.map(str::to_owned),
        ty,
        optional,
        rest,
    };
    let literals = Ty::Literals(vec![
        Literal::String("it's \"so\"\n".to_owned()),
        Literal::Number("-1.5".to_owned()),
        Literal::BigInt("12".to_owned()),
        Literal::Boolean(true),
    ]);
    let union = Ty::Union(vec![Ty::String, object("Entry"), array(Ty::Boolean)]);
    vec![
        literals.clone(),
        Ty::BigInt(BigIntWidth::Uint64),
        Ty::Template(vec![
            text("`${a\\"),
            TemplatePart::Number,
            text("-"),
            TemplatePart::String,
            TemplatePart::BigInt,
        ]),
        array(literals),
        array(union.clone()),
        nullable(union.clone()),
        array(nullable(enumeration(&["a", "b"]))),
        Ty::Tuple(vec![
            element(Some("from"), Ty::Date, false, false),
            element(Some("to"), nullable(Ty::Date), true, false),
            element(Some("rest"), union.clone(), false, true),
        ]),
        Ty::Tuple(vec![element(None, union.clone(), true, false), element(Some("x"), Ty::Null, true, false)]),
        Ty::Record(RecordKey::String, Box::new(union)),
        Ty::Record(RecordKey::Number, Box::new(Ty::Set(Box::new(Ty::Bytes)))),
        Ty::Record(RecordKey::Template(vec![text("user-"), TemplatePart::Number]), Box::new(Ty::String)),
        Ty::Map(Box::new(Ty::String), Box::new(object("Entry"))),
        Ty::Blob,
        Ty::File,
        Ty::ByteStream,
    ]
}

const CONFIG: &str = r#"{ "compilerOptions": { "target": "es2022", "module": "esnext", "moduleResolution": "bundler",
  "lib": ["es2022", "dom"], "strict": true, "noEmit": true, "skipLibCheck": false, "types": [] },
  "include": ["use.ts", ".kontract/types.d.ts", ".kontract/client"] }"#;

const USE: &str = r"
import { api, dynamic, echo1, echo7, echo11, echo12, find, main, nothing, pages, put, type CallOptions, type Entry } from './.kontract/client/index.js';
import * as module from './.kontract/client/index_.js';
import * as lazy from './.kontract/client/lazy.js';

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const same = <A, B>(_proof: Same<A, B>): void => undefined;

same<typeof echo1, { (value: bigint, more?: bigint): Promise<bigint>; with: (typeof echo1)['with'] }>(true);
same<Parameters<typeof echo7>[0], [from: Date, to?: Date | null, ...rest: (string | Entry | boolean[])[]]>(true);
same<Parameters<typeof echo11>[0], Record<`user-${number}`, string>>(true);
same<Awaited<ReturnType<typeof echo12>>, Map<string, Entry>>(true);
same<Parameters<typeof dynamic>, [own: unknown]>(true);
same<Awaited<ReturnType<typeof dynamic>>, { a: any }>(true);
same<ReturnType<typeof pages>, AsyncIterable<Entry>>(true);
same<ReturnType<typeof nothing>, Promise<void>>(true);
same<Awaited<ReturnType<typeof find>>, CallOptions | undefined>(true);
same<Entry['a-b'], Date | undefined>(true);
same<typeof main, typeof module.default>(true);
same<typeof put, typeof module.Store.put>(true);
same<typeof api.drop, typeof module.Store.delete>(true);
same<typeof api.loop, typeof module.while>(true);
same<keyof typeof lazy, 'find' | 'groups'>(true);
same<Awaited<ReturnType<typeof lazy.find>>, lazy.LazyCallOptions | undefined>(true);
same<Parameters<typeof lazy.groups>, [of: lazy.LazyHolder]>(true);
same<Awaited<ReturnType<typeof lazy.groups>>, readonly lazy.LazyGroup[] | null>(true);
same<lazy.LazyGroup, { readonly all: readonly lazy.LazyHolder_[]; readonly some?: string[] | null; toJSON(): lazy.Group }>(true);
same<lazy.LazyHolder_['entry'], lazy.LazyEntry>(true);
void lazy.find.with({ timeoutMs: 1 })();
void put.with({ timeoutMs: 1 })('1');
void env.storage.holders.update('1', { patch: { n: 1 } });
same<kontract.rows.HolderPatch, { patch?: kontract.rows.EntryPatch; entry?: kontract.rows.Entry }>(true);
";

const OWN_TYPES: &str = r"
export enum Color { Red = 'red', Blue = 'blue', 'Dark Red' = 'dark-red' }
export enum Level { Low, High = 5 }
export const enum Flag { On = 'on' }
export const enum Size { Small, Large = 7 }
export type UserId = string & { readonly __brand: 'UserId' };
export type Cents = number & { readonly __unit: { readonly of: 'cents' } };
export interface Car {
  readonly id: UserId;
  color: Color;
  accent: Color.Red | Color.Blue | null;
  level?: Level;
  readonly tags: readonly string[];
  size: readonly [width: number, height: number];
  owners: ReadonlyMap<UserId, readonly Cents[]>;
}
";

const OWN_API: &str = r"
import { backend } from 'kontract';
import { Color, Flag, Size, type Car, type Cents, Level, type UserId } from './types';
import { Color as Dark } from './more';
export const paint = backend({}, async (car: Car, color: Color, flag: Flag): Promise<Car> => ({ ...car, color }));
export const colors = backend({}, async (of: readonly Color[], level = Level.Low): Promise<readonly Color[]> => of);
export const price = backend({}, async (of: UserId, dark?: Dark): Promise<Cents | null> => null);
export const stored = backend({}, async (): Promise<Dark> => Dark.Black);
export const constant = backend({}, async (flag: Flag, size: Size): Promise<Size | null> => (flag === Flag.On ? size : null));
export const flag = backend({}, async (): Promise<Flag> => Flag.On);
export const both = backend({}, async (id: UserId | (string & { readonly __brand: 'PostId' })) => id);
";

const OWN_USE: &str = r"
import { both, colors, constant, flag, paint, price, stored } from './.kontract/client/index.js';
import { Color, Flag, Level, Size, type Car, type Cents, type UserId } from './src/types';
import { Color as Dark } from './src/more';

declare const car: Car;
export async function use(id: UserId): Promise<Cents | null> {
  const painted: Car = await paint(car, Color.Red, 'on');
  await paint(painted, 'blue', 'on');
  // @ts-expect-error it may only be read
  (await paint(car, Color.Red, 'on')).tags.push('a');
  const found: readonly Color[] = await colors([Color.Blue] as const, Level.High);
  if (found[0] === Color.Blue) await colors(found);
  // @ts-expect-error no color
  await paint(car, 'green', 'on');
  // @ts-expect-error no user's id
  await price('1');
  const dark: Dark = await stored();
  // Two constant enums are two types to TypeScript, whatever they are called: stubs speak of the values.
  await constant(Flag.On, Size.Large);
  const size: Size = (await constant('on', 7)) ?? Size.Small;
  const on: 'on' = await flag();
  // @ts-expect-error a text is no member of an enum
  const own: Flag = await flag();
  void [size, on, own];
  await both('1');
  return price(id, dark);
}
";
