//! Random edits of what modules promise: what is kept after each is what a check of everything keeps.

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::BTreeMap;

use serde_json::Value;

use super::Promises;
use crate::cache::Kept;
use crate::diag::render::{RenderOptions, to_text};
use crate::project::load;
use crate::recheck::{Contents, Run, Store, Wanted, digest, recheck};
use crate::system::MemorySystem;

#[test]
fn what_is_promised_again_is_what_everything_promises() {
    let (mut silent, mut alone) = (0, 0);
    for seed in 1..=SEEDS {
        let mut random = Random(seed * 0x9e37_79b9);
        let (store, mut files) = (Memory::default(), faultless());
        let mut last = BTreeMap::new();
        for step in 0..STEPS {
            let among = if random.below(3) == 0 { FILES.len() } else { PROMISING };
            let (path, parts) = FILES[random.below(among)];
            match random.below(12) {
                0..=2 => files = faultless(),
                3 => drop(files.remove(path)),
                _ => {
                    let mut choose = |bound| if random.below(3) == 0 { random.below(bound) } else { 0 };
                    files.insert(path, text(parts, &mut choose));
                }
            }
            let system = MemorySystem::new(files.iter().map(|(path, text)| (*path, text.clone())));
            alone += usize::from(is_promised(&system, &store));
            let warm = recheck(&system, &store, Wanted::Diagnostics);
            let loaded = load(&system);
            let cold = crate::check(&system, &loaded);
            let render =
                |diagnostics: &[_], sources: &_| to_text(diagnostics, sources, RenderOptions::default());
            let what = format!("seed {seed}, step {step}: {:?}", changes(&last, &files));
            assert_eq!(
                render(&warm.diagnostics, &warm.sources),
                render(&cold.diagnostics, &loaded.sources),
                "{what}"
            );
            let fresh = Memory::default();
            recheck(&system, &fresh, Wanted::Diagnostics);
            silent += usize::from(cold.diagnostics.is_empty());
            assert_eq!(kept(&store), kept(&fresh), "{what}");
            last.clone_from(&files);
        }
    }
    assert!(silent > 300, "{silent} projects without a word");
    assert!(alone > 60, "{alone} edits of which only what leads to the edited modules was extracted");
}

#[test]
fn edits_are_told_by_what_they_change() {
    let (db, call) = ("void make; void db;", "void make; return helped();");
    let edits = [
        ("src/a.ts", "row: Row)", "row: Row, more: Other)", true),
        ("src/a.ts", "Promise<string>", "Promise<Row[]>", true),
        ("src/a.ts", "row: Row)", "row: Mix)", false),
        ("src/a.ts", "row: Row)", "row: Row['inner'], again: Row['inner'])", false),
        ("src/b.ts", "void make;", "console.log(make);", true),
        ("src/b.ts", "void make;", "await env.storage.rows.get('a');", false),
        ("src/b.ts", "void make;", db, true),
        ("src/model.ts", "id: string; ", "id: number; ", true),
        ("src/model.ts", "interface Row { id: string; ", "interface Row { id: One; ", true),
        ("src/model.ts", "interface Row { id: string; ", "interface Row { id: Two; ", false),
        ("src/store.ts", "id: string; ", "id: string; more: string; ", false),
        ("src/global.ts", "g: string", "g: number", false),
        // What endpoints use, the page takes along.
        (
            "src/page.tsx",
            "import { loadA } from '@/client/a';",
            "import { size } from './size';\nimport { loadA } from '@/client/a';\nexport const shown = size;",
            false,
        ),
        ("src/b.ts", "void make;", "console.log(make);", false),
        ("src/b.ts", "void make; return null as never;", call, false),
    ];
    let (store, mut files) = (Memory::default(), faultless());
    let check = |files: &BTreeMap<&str, String>| {
        let system = MemorySystem::new(files.iter().map(|(path, text)| (*path, text.clone())));
        let is_promised = is_promised(&system, &store);
        let warm = recheck(&system, &store, Wanted::Diagnostics);
        let cold = crate::check(&system, &load(&system));
        assert_eq!(warm.diagnostics, cold.diagnostics, "{files:?}");
        (is_promised, cold.diagnostics.len())
    };
    assert_eq!(check(&files), (false, 0));
    for (path, from, to, is_promised) in edits {
        let before = files.clone();
        let text = files.get_mut(path).expect("it is there");
        assert!(text.contains(from), "{from} in {path}");
        *text = text.replace(from, to);
        assert_eq!(check(&files).0, is_promised, "{to} in {path}");
        if path == "src/page.tsx" {
            continue;
        }
        files = before;
        check(&files);
    }
}

/// Whether the next check is one that extracts some modules only.
fn is_promised(system: &MemorySystem, store: &Memory) -> bool {
    let (key, bytes) = (store.key(), store.read().unwrap_or_default());
    let kept = Kept::decode(&bytes, &key);
    let run = Run::new(system, kept.as_ref(), store.now_ns(), Wanted::Diagnostics);
    let loaded = load(system);
    let Some(project) = &loaded.project else { return false };
    let Some(modules) = run.modules(&loaded.sources, project) else { return false };
    let contents: Contents = modules.iter().map(|module| (module.file, module.content)).collect();
    let digest = digest(&loaded, &modules, &|_| None);
    let taken = run.taken_over(&loaded, project, &modules, (&contents, digest));
    matches!(taken.map(|taken| taken.promises), Some(Cow::Owned(_)))
}

/// The promises that are kept, without places and without what may be there in excess.
fn kept(store: &Memory) -> Option<Value> {
    let bytes = store.read()?;
    let promises = Promises::decode(Kept::decode(&bytes, &store.key())?.promises)?;
    let mut contract = serde_json::to_value(&promises.contract).expect("it can be written");
    without_places(&mut contract);
    let used = promises.contract.enums_of_clients().into_iter().chain(promises.contract.enums_of_tables());
    let used: Vec<String> = used.collect();
    if let Some(enums) = contract["enums"].as_object_mut() {
        enums.retain(|name, _| used.contains(name));
    }
    let Promises { naming, tables, views, common, .. } = promises;
    let naming = (naming.objects, naming.of, naming.by_order);
    Some(serde_json::json!([contract, format!("{naming:?} {tables:?} {views:?} {common:?}")]))
}

fn without_places(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.remove("location");
            fields.values_mut().for_each(without_places);
        }
        Value::Array(values) => values.iter_mut().for_each(without_places),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// A text of parts, of which each is one of several.
fn text(parts: &[&[&str]], choose: &mut dyn FnMut(usize) -> usize) -> String {
    parts.iter().map(|choices| choices[choose(choices.len())]).collect()
}

/// A project of which there is nothing to say.
fn faultless() -> BTreeMap<&'static str, String> {
    let files = FILES.iter().map(|(path, parts)| (*path, text(parts, &mut |_| 0)));
    files.chain([("kontract.json", "{ \"name\": \"promised\" }".to_owned())]).collect()
}

fn changes<'f>(old: &BTreeMap<&str, String>, new: &'f BTreeMap<&'f str, String>) -> Vec<(&'f str, &'f str)> {
    let is_new = |(path, text): &(&&str, &String)| old.get(**path) != Some(*text);
    new.iter().filter(is_new).map(|(path, text)| (*path, text.as_str())).collect()
}

#[derive(Default)]
struct Memory(RefCell<Option<Vec<u8>>>);

impl Store for Memory {
    fn read(&self) -> Option<Vec<u8>> {
        self.0.borrow().clone()
    }

    fn write(&self, bytes: &[u8]) {
        self.0.replace(Some(bytes.to_vec()));
    }

    fn key(&self) -> String {
        "key".to_owned()
    }

    fn now_ns(&self) -> i64 {
        0
    }
}

/// Numbers that look random (xorshift).
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).expect("31 bits") % bound
    }
}

const SEEDS: u64 = 10;
const STEPS: usize = 80;
/// The first of the files have endpoints, or what they speak of.
const PROMISING: usize = 5;

/// A file, and of what it is put together: one of each.
type File = (&'static str, &'static [&'static [&'static str]]);

/// With the first of each nothing is wrong.
const FILES: &[File] = &[
    (
        "src/a.ts",
        &[
            &[
                "import { backend, perms } from 'kontract';\nimport type { Row, Box, Other } from './model';\nimport * as all from './model';\nimport { size } from './size';\ntype Mix = Row & { mixed: 1 };\n",
            ],
            &[
                "",
                "interface Own { a: Row }\n",
                "interface Row2 { b: string }\n",
                "interface Item { own: 1 }\n",
            ],
            &["export const loadA = backend({ ", "/** Documented. */\nexport const loadA = backend({ "],
            &["perm: perms.R__", "perm: perms.RW_", "egroup: size", "ugroup: 'all'", "perm: perms.QQ"],
            &[" }, async ("],
            &[
                "row: Row",
                "row: Row, more: Other",
                "row: Row, n = 7",
                "row: Box<Row>",
                "row: Box<Other>",
                "row: { id: string; inner: { deep: Row } }",
                "row: Row['inner']",
                "row: Row['inner'], again: Row['inner']",
                "row: all.Row | null",
                "row: symbol",
                "row: Item",
                "row: all.Color",
                "row: import('./deep').Deep",
                "row: Mix",
                "row: Pick<Row, 'id'>",
                "row: Global",
            ],
            &[")"],
            &[
                ": Promise<string>",
                ": Promise<Row[]>",
                ": Promise<void>",
                ": Promise<Box<Row>>",
                ": Promise<Own>",
                ": Promise<{ own: Own }>",
                "",
            ],
            &[
                " => { void row; return null as never; });\n",
                " => { void size; return null as never; });\n",
                " => { await env.storage.rows.get('a'); return null as never; });\n",
            ],
        ],
    ),
    (
        "src/b.ts",
        &[
            &[
                "import { backend } from 'kontract';\nimport type { Row, Box, Other, Color } from './barrel';\nimport { make, db } from './size';\n",
            ],
            &["", "interface Item { two: 2 }\n", "interface Row3 { b: Row }\n"],
            &["export const loadB = backend({}, async ("],
            &[
                "row: Row",
                "other: Other",
                "row: Box<Other>",
                "row: Row['inner']",
                "color: Color",
                "row: { id: string }",
                "row: Item",
                "n: ReturnType<typeof make>",
            ],
            &["): Promise<"],
            &["string", "Row", "Other[]", "Box<Row>", "{ made: Row }"],
            &[
                "> => { void make; return null as never; });\n",
                "> => { console.log(make); return null as never; });\n",
                "> => { void make; void db; return null as never; });\n",
                "> => { void make; return helped(); });\n",
            ],
            &["function helped() { void db; return null as never; }\n"],
            &[
                "",
                "export class Books { @backend({}) async list(): Promise<void> {} }\n",
                "export const more = backend({}, make);\n",
            ],
        ],
    ),
    (
        "src/c.ts",
        &[
            &["import { backend } from 'kontract';\nimport { loadA } from './a';\n"],
            &["export const loadC = backend({ "],
            &["", "egroup: 'c'", "name: 'loadA'"],
            &[" }, async (): "],
            &[
                "Promise<string> => { void loadA; return ''; });\n",
                "Promise<Awaited<ReturnType<typeof loadA>>> => null as never);\n",
                "Promise<void> => { await env.storage.rows.delete('a'); });\n",
            ],
        ],
    ),
    (
        "src/model.ts",
        &[
            &[
                "import type { Deep } from './deep';\nexport enum Color { Red = 'red', Blue = 'blue' }\nenum One { A = 1 }\nenum Two { A = Three.A }\nenum Three { A = Two.A }\n",
            ],
            &["export interface Row { id: string; "],
            &[
                "",
                "n: number; ",
                "/** How many. */ n?: number; ",
                "deep: Deep; ",
                "color: Color; ",
                "box: Box<Row>; ",
                "n: symbol; ",
            ],
            &["inner: { a: string }; ", "inner: { a: number }; ", "inner: Other; "],
            &["}\nexport interface Box<T> { of: "],
            &["T", "T[]", "string"],
            &["; }\nexport interface Other { "],
            &["x: string", "y: string", "row: Row", "x: string; y: Row['inner']"],
            &[" }\n"],
        ],
    ),
    (
        "src/deep.ts",
        &[
            &["export interface Deep { d: ", "export type Deep = { d: "],
            &["string", "number", "Date"],
            &[" }\n"],
        ],
    ),
    (
        "src/size.ts",
        &[
            &["export const size = 'small';\n", "export const size = 'large';\n", "export const size = 4;\n"],
            &[
                "export const make = async (n: string): Promise<{ made: string }> => ({ made: n });\n",
                "export const make = async (n: number): Promise<{ made: number }> => ({ made: String(n) });\n",
            ],
            &[
                "const connect = (to: string) => [to];\nexport const db = connect('a');\n",
                "export const db = [''];\n",
            ],
        ],
    ),
    (
        "src/barrel.ts",
        &[&["export * from './model';\n", "export type { Row, Box, Other, Color } from './model';\n"]],
    ),
    (
        "src/store.ts",
        &[
            &["/** @table rows */\nexport interface Stored { @primkey id: string; "],
            &["", "more: string; ", "deep: import('./deep').Deep; "],
            &["}\n"],
        ],
    ),
    (
        "src/middleware.ts",
        &[
            &[
                "import { defineMiddleware, mwfilter } from 'kontract';\nexport default defineMiddleware([mwfilter({ egroup: '",
            ],
            &["c", "small", "large"],
            &["' }, async (ctx, next) => { await next(); })]);\n"],
        ],
    ),
    (
        "src/global.ts",
        &[
            &["declare global { interface Global { g: "],
            &["string", "number", "Date"],
            &[" } }\nexport {};\n"],
        ],
    ),
    (
        "src/page.tsx",
        &[
            &["import { loadA } from '@/client/a';\n"],
            &[
                "export const Page = () => <p onClick={() => loadA} />;\n",
                "import type { Row } from './model';\nexport const Page = (row: Row) => <p>{row.id}</p>;\n",
                "import { size } from './size';\nexport const Page = () => <p>{size}</p>;\n",
            ],
        ],
    ),
];
