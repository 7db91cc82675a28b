//! A check that takes over from the last one says what a check from the start says, whatever happens in between.

mod random;
mod served;

use std::cell::Cell;
use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex};

use kontract::CompileInput;
use kontract::cli::cache_folder::CacheFolder;
use kontract::cli::os_system::OsSystem;
use kontract::diag::render::{RenderOptions, to_text};
use kontract::project::load;
use kontract::recheck::{self, Store, Wanted, recheck};
use kontract::source::Reader;
use kontract::system::{Stamp, System, SystemError};
use random::Random;

#[test]
fn random_edits_never_change_the_answer() {
    let (mut same, mut printed, mut told, mut together) = (0, 0, 0, 0);
    for seed in 1..=SEEDS {
        let folder = tempfile::tempdir().expect("a folder");
        let mut project = Edited { root: folder.path(), random: Random(seed * 0x9e37_79b9) };
        put(folder.path(), "kontract.json", "{ \"name\": \"edited\" }");
        for file in FILES.iter().chain(APART) {
            project.rewrite(file);
        }
        put(folder.path(), NOTED, "export const noted = 0;\n");
        let mut last = None;
        for step in 0..STEPS {
            let edit = if step == 0 { project.mend() } else { project.edit() };
            let system = OsSystem::new(folder.path()).expect("a project");
            let store = Counted { cache: CacheFolder::of(&system), writes: Cell::new(0) };
            let input = CompileInput::default();
            let (checked, compiled) = match step % 2 {
                0 => (recheck(&system, &store, Wanted::Diagnostics), None),
                _ => recheck::recheck_and_compile(&system, &store, &|_| {}, &input),
            };
            let warm = to_text(&checked.diagnostics, &checked.sources, RenderOptions::default());
            let loaded = load(&system);
            let cold = kontract::check(&system, &loaded);
            let declared = cold.value.map(|checked| kontract::declarations(&loaded.sources, checked));
            let cold = to_text(&cold.diagnostics, &loaded.sources, RenderOptions::default());
            assert_eq!(warm, cold, "seed {seed}, step {step}: {edit}");

            let from_the_start = kontract::compile(&system, &load(&system), &input);
            let what = format!("seed {seed}, step {step}: {edit}");
            let check = |made| served::check_compiled(made, &from_the_start, &loaded.sources, &what);
            together += compiled.map(check).iter().count();
            let contents = check(recheck::compile(&system, &store, &|_| {}, &input));
            let texts = served::texts(&loaded.sources, NOTED);
            let said = last.take().and_then(|(basis, old)| served::told(&basis, &old, &texts));
            assert!(said.is_none() || checked.basis == said, "seed {seed}, step {step}: {edit}");
            last = checked.basis.clone().map(|basis| (basis, texts));
            if let Some(basis) = checked.basis {
                assert!(basis.is_of(&contents), "seed {seed}, step {step}: {edit}");
                let counts = served::check_edits_of_functions(folder.path(), &what);
                (printed, told) = (printed + counts.0, told + counts.1);
                put(folder.path(), NOTED, &format!("export const noted = {step};\n"));
                let store = Counted { cache: CacheFolder::of(&system), writes: Cell::new(0) };
                let noted = recheck(&system, &store, Wanted::Diagnostics);
                assert!(noted.basis == Some(basis), "seed {seed}, step {step}: {edit}");
                let made = kontract::compile(&system, &load(&system), &input);
                assert!(made.value == from_the_start.value, "seed {seed}, step {step}: {edit}");
                same += 1;
            }

            let cacheable = store.writes.get() > 0;
            let again = recheck(&system, &store, Wanted::Diagnostics);
            assert_eq!(to_text(&again.diagnostics, &again.sources, RenderOptions::default()), cold);
            let writes = store.writes.get();
            assert!(!cacheable || cold.contains("KT0004") || writes == 1, "seed {seed}, step {step}: {edit}");
            for _ in 0..2 {
                let warm = recheck(&system, &store, Wanted::Declarations);
                assert!(warm.declarations == declared, "seed {seed}, step {step}: {edit}");
            }
        }
    }
    assert!(same > 20, "{same} projects without errors");
    assert!(printed > 10, "{printed} modules printed by themselves");
    assert!(together > 10, "{together} projects compiled while they were checked");
    assert!(told > 10, "{told} edits of which only the edited modules had to be looked at");
}

#[test]
fn every_input_counts() {
    let folder = tempfile::tempdir().expect("a folder");
    let answer = || {
        let system = OsSystem::new(folder.path()).expect("a project");
        let store = Counted { cache: CacheFolder::of(&system), writes: Cell::new(0) };
        let checked = recheck(&system, &store, Wanted::Diagnostics);
        to_text(&checked.diagnostics, &checked.sources, RenderOptions::default())
    };
    let good: &[(&str, &str)] = &[
        ("kontract.json", "{ \"name\": \"inputs\" }"),
        ("tsconfig.json", "{ \"extends\": \"./base\" }"),
        ("base.json", "{ \"compilerOptions\": { \"paths\": { \"#/*\": [\"./src/*\"] } } }"),
        ("node_modules/money/package.json", "{ \"types\": \"a.d.ts\" }"),
        ("node_modules/money/a.d.ts", "export interface Money { cents: number }\n"),
        ("src/name.ts", "export const name = 'load';\n"),
        ("src/policy.ts", POLICY),
        (
            "src/api.ts",
            "import { backend } from 'kontract';\nimport type { Money } from 'money';\nimport { name } from '#/name';\nimport { policy } from './policy';\nexport const load = backend({ name, egroup: policy.egroup }, async (money: Money): Promise<void> => { void money; });\n",
        ),
    ];
    let bad = [
        ("kontract.json", "{ \"name\": 1 }"),
        ("tsconfig.json", "{}"),
        ("base.json", "{}"),
        ("node_modules/money/package.json", "{ \"types\": \"b.d.ts\" }"),
        ("node_modules/money/a.d.ts", "export interface Money { cents: symbol }\n"),
        ("src/name.ts", "export const name = 123456;\n"),
        ("src/policy.ts", POLICY_CHANGED),
        ("src/page.ts", "import { load } from './api';\nload();\n"),
        ("kontract.lock.json", "not json"),
    ];
    for (path, text) in good {
        put(folder.path(), path, text);
    }
    assert_eq!(answer(), "");
    for (path, text) in bad {
        put(folder.path(), path, text);
        assert_ne!(answer(), "", "{path}");
        match good.iter().find(|(good, _)| *good == path) {
            Some((_, text)) => put(folder.path(), path, text),
            None => fs::remove_file(folder.path().join(path)).expect("it was written"),
        }
        assert_eq!(answer(), "", "{path}");
    }
}

const POLICY: &str = "export const policy = { egroup: 'a' };\nexport function look(): string {\n  return policy.egroup + 'b';\n}\n";
const POLICY_CHANGED: &str = "export const policy = { egroup: 'a' };\nexport function look(): string {\n  return policy.egroup = 'b';\n}\n";

#[test]
fn what_a_page_imports_and_declares_is_of_no_account_to_the_server() {
    let folder = tempfile::tempdir().expect("a folder");
    put(folder.path(), "kontract.json", "{ \"name\": \"apart\" }");
    put(folder.path(), "src/api.ts", API[0]);
    put(folder.path(), "src/lib.ts", "export const lib = 1;\n");
    let endpoints_are_read = || {
        let system =
            Watched { system: OsSystem::new(folder.path()).expect("a project"), read: Arc::default() };
        let store = Counted { cache: CacheFolder::of(&system.system), writes: Cell::new(0) };
        assert!(recheck(&system, &store, Wanted::Diagnostics).diagnostics.is_empty());
        let read = system.read.lock().expect("no thread panicked");
        read.iter().any(|path| path == "src/api.ts")
    };
    put(
        folder.path(),
        "src/page.ts",
        "import { load } from '@/client/api';\nimport type { Row } from './api';\n",
    );
    endpoints_are_read();
    let edits = [
        (
            "import { load } from '@/client/api';\nimport { lib } from './lib';\nexport const page = lib;\n",
            false,
        ),
        ("import { load } from '@/client/api';\nexport const page = 1;\nfunction more() {}\n", false),
        ("export const page = 1;\n", true),
    ];
    for (text, reads) in edits {
        put(folder.path(), "src/page.ts", text);
        assert_eq!(endpoints_are_read(), reads, "{text}");
        assert!(!endpoints_are_read(), "{text}");
    }
}

#[test]
fn a_page_is_told_what_it_takes_along_whenever_it_does() {
    let folder = tempfile::tempdir().expect("a folder");
    put(folder.path(), "kontract.json", "{ \"name\": \"along\" }");
    put(
        folder.path(),
        "src/shared.ts",
        "const connect = (to: string) => [to];\nexport const db = connect('a');\nexport const rate = 1;\n",
    );
    put(
        folder.path(),
        "src/api.ts",
        "import { backend } from 'kontract';\nimport { db } from './shared';\nexport const load = backend({}, async () => db.length);\n",
    );
    let warnings = || {
        let system = OsSystem::new(folder.path()).expect("a project");
        let found = recheck(&system, &CacheFolder::of(&system), Wanted::Diagnostics).diagnostics;
        found.iter().map(|diagnostic| diagnostic.code.as_str()).collect::<Vec<_>>()
    };
    for _ in 0..2 {
        put(folder.path(), "src/page.ts", "export const page = 1;\n");
        assert!(warnings().is_empty());
        put(folder.path(), "src/page.ts", "import { rate } from './shared';\nexport const page = rate;\n");
        assert_eq!(warnings(), ["KT0408"]);
    }
}

#[test]
fn two_checks_at_once_leave_a_whole_cache() {
    let folder = tempfile::tempdir().expect("a folder");
    put(folder.path(), "kontract.json", "{ \"name\": \"shared\" }");
    put(folder.path(), "src/api.ts", API[0]);
    let check = || {
        for number in 0..20 {
            put(folder.path(), "src/other.ts", &format!("export const n = {number};\n"));
            let system = OsSystem::new(folder.path()).expect("a project");
            assert!(recheck(&system, &CacheFolder::of(&system), Wanted::Diagnostics).diagnostics.is_empty());
        }
    };
    std::thread::scope(|scope| {
        scope.spawn(check);
        scope.spawn(check);
    });
    let left = fs::read_dir(folder.path().join(".kontract/cache")).expect("it is there").count();
    assert_eq!(left, 1, "temporary files stay behind");
}

/// A project that changes at random.
struct Edited<'p> {
    root: &'p Path,
    random: Random,
}

impl Edited<'_> {
    /// Does one thing and says what.
    fn edit(&mut self) -> String {
        let file = FILES[self.random.below(FILES.len())];
        match self.random.below(28) {
            12..=17 => self.compose(),
            18..=19 => self.mend(),
            20..=27 => {
                let apart = APART[self.random.below(APART.len())];
                self.rewrite(&apart)
            }
            0 => String::new(),
            1 => {
                let _absent: std::io::Result<()> = fs::remove_file(self.root.join(file.0));
                format!("delete {}", file.0)
            }
            2 => {
                let to = format!("src/renamed{}.ts", self.random.below(3));
                let _absent: std::io::Result<()> = fs::rename(self.root.join(file.0), self.root.join(&to));
                format!("rename {} to {to}", file.0)
            }
            3 => self.damage(),
            4 => {
                let text = format!("export const made = {};\n", self.random.below(9));
                let path = format!("src/lib/made{}.ts", self.random.below(4));
                put(self.root, &path, &text);
                format!("make {path}")
            }
            _ => self.rewrite(&file),
        }
    }

    /// Writes a module whose functions do something else: mostly what is of no account to anybody.
    fn compose(&mut self) -> String {
        let mut part = |parts: &[&'static str]| parts[self.random.below(parts.len())];
        let result = part(&["", ": Promise<string>", ": Promise<string>", ": Promise<string>"]);
        let (body, label, rest) = (part(BODIES), part(LABELS), part(REST));
        let (path, text) = match part(&["api", "api", "api", "helper", "middleware"]) {
            "api" => (
                "src/api.ts",
                format!(
                    "import {{ backend }} from 'kontract';\nimport * as k from 'kontract';\nimport {{ help }} from \
                     './helper';\nexport const secret = 'sk-live';\n{label}{rest}export const load = backend({{}}, async \
                     (id: string){result} => {{ {body} }});\n"
                ),
            ),
            "helper" => (
                "src/helper.ts",
                format!(
                    "export const secret = 'sk-test';\n{rest}export async function help(id: string | number){result} {{ \
                     {body} }}\n"
                ),
            ),
            _ => (
                "src/middleware.ts",
                format!(
                    "import {{ defineMiddleware }} from 'kontract';\n{rest}async function one(ctx: unknown, next: () => \
                     Promise<unknown>): Promise<unknown> {{ await next(); {body} }}\nexport default \
                     defineMiddleware([one]);\n"
                ),
            ),
        };
        put(self.root, path, &text);
        format!("compose {path}: {text}")
    }

    /// Makes a project without errors of it.
    fn mend(&mut self) -> String {
        fs::remove_dir_all(self.root.join("src")).expect("a folder");
        let _absent: std::io::Result<()> = fs::remove_file(self.root.join("kontract.lock.json"));
        MENDED.iter().for_each(|(path, text)| put(self.root, path, text));
        "mend".to_owned()
    }

    fn rewrite(&mut self, (path, texts): &(&str, &[&str])) -> String {
        let text = texts[self.random.below(texts.len())];
        put(self.root, path, text);
        format!("write {path}: {text}")
    }

    /// Truncates the cache or changes a byte of it.
    fn damage(&mut self) -> String {
        let path = self.root.join(".kontract/cache/check.bin");
        let Ok(mut bytes) = fs::read(&path) else { return String::new() };
        let at = self.random.below(bytes.len());
        if self.random.below(2) == 0 {
            bytes.truncate(at);
        } else {
            bytes[at] ^= 1 << self.random.below(8);
        }
        fs::write(path, bytes).expect("a writable file");
        format!("damage at {at}")
    }
}

/// Notes which texts are read when somebody looks at them.
struct Watched {
    system: OsSystem,
    read: Arc<Mutex<Vec<String>>>,
}

impl System for Watched {
    fn read(&self, path: &str) -> Result<Vec<u8>, SystemError> {
        System::read(&self.system, path)
    }

    fn list(&self, folder: &str, skip: &[&str]) -> Result<Vec<String>, SystemError> {
        self.system.list(folder, skip)
    }

    fn stamp(&self, path: &str) -> Option<Stamp> {
        self.system.stamp(path)
    }

    fn packages(&self) -> Arc<dyn Reader> {
        Arc::new(WatchedReader { reader: self.system.packages(), read: Arc::clone(&self.read) })
    }
}

struct WatchedReader {
    reader: Arc<dyn Reader>,
    read: Arc<Mutex<Vec<String>>>,
}

impl Reader for WatchedReader {
    fn read(&self, path: &str) -> Option<String> {
        self.read.lock().expect("no thread panicked").push(path.to_owned());
        self.reader.read(path)
    }

    fn real(&self, path: &str) -> Option<String> {
        self.reader.real(path)
    }

    fn folders(&self, path: &str) -> Vec<String> {
        self.reader.folders(path)
    }
}

/// A cache whose files count as settled at once, so that stamps are relied on, and which counts what is written.
struct Counted {
    cache: CacheFolder,
    writes: Cell<usize>,
}

impl Store for Counted {
    fn read(&self) -> Option<Vec<u8>> {
        self.cache.read()
    }

    fn write(&self, bytes: &[u8]) {
        self.writes.set(self.writes.get() + 1);
        self.cache.write(bytes);
    }

    fn key(&self) -> String {
        self.cache.key()
    }

    fn now_ns(&self) -> i64 {
        self.cache.now_ns() + 3_600_000_000_000
    }
}

fn put(root: &Path, path: &str, text: &str) {
    let path = root.join(path);
    fs::create_dir_all(path.parent().expect("it is below the root")).expect("a folder");
    fs::write(path, text).expect("a writable file");
}

/// A module that nothing imports.
const NOTED: &str = "src/lib/noted.ts";
const SEEDS: u64 = 6;
const STEPS: usize = 60;

/// Each file with what may stand in it.
const FILES: &[(&str, &[&str])] = &[
    ("src/api.ts", API),
    (
        "src/model.ts",
        &[
            "export interface Row { id: string; n: number }\n",
            "export interface Row { id: string; n: symbol }\n",
            "import type { Money } from 'money';\nexport interface Row { id: string; price: Money }\n",
            "export * from './lib/made1';\nexport type { Money as Row } from 'money';\n",
            "export interface Row { @primkey id: string }\n",
        ],
    ),
    (
        "src/helper.ts",
        &[
            "export const help = (n: number) => n + 1;\n",
            "export const help = (n: number) => ctx.user + n;\n",
            "import { made } from './lib/made0';\nexport const help = (n: number) => made + n;\n",
            "export const help = (n: number) => { // not closed\n",
        ],
    ),
    (
        "src/page.tsx",
        &[
            "import { load } from '@/client/api';\nexport const Page = () => <p onClick={() => load('x')} />;\n",
            "import { help } from './helper';\nexport const Page = () => <p>{help(1)}</p>;\n",
            "import { secret } from '@/client/api';\nexport const Page = () => <p>{secret}</p>;\n",
            "import type { Row } from './model';\nexport const Page = (row: Row) => <p>{row.id}</p>;\n",
            "import { load } from './api';\nexport const Page = () => <p>{load}</p>;\n",
            "import { label } from '@/client/api';\nexport const Page = () => <p>{label(1)}</p>;\n",
            "\n\n  import { load } from '@/client/api';\nexport const Page = () => <p onClick={() => load('y')} />;\n",
            "// Moved.\nimport { secret } from '@/client/api';\nexport const Page = () => <p>{secret}</p>;\n",
        ],
    ),
    (
        "src/deep/again.ts",
        &[
            "export { help } from '../helper';\nexport const k = 'one';\n",
            "export { backend as wrapped } from 'kontract';\n",
            "import { wrapped } from './again';\nexport const x = wrapped;\n",
        ],
    ),
    (
        "tsconfig.json",
        &[
            "{ \"compilerOptions\": { \"paths\": { \"@/*\": [\"./src/*\"] } } }",
            "{ \"extends\": \"./base\" }",
            "{ \"compilerOptions\": { \"baseUrl\": \"src\" } }",
            "{ broken",
        ],
    ),
    (
        "base.json",
        &["{}", "{ \"extends\": \"./tsconfig.json\" }", "{ \"compilerOptions\": { \"baseUrl\": \".\" } }"],
    ),
    (
        "node_modules/money/package.json",
        &[
            "{ \"types\": \"a.d.ts\" }",
            "{ \"exports\": { \".\": { \"types\": \"./b.d.ts\" } } }",
            "{ \"exports\": null }",
        ],
    ),
    (
        "node_modules/money/a.d.ts",
        &["export interface Money { cents: number }\n", "export interface Money { cents: () => void }\n"],
    ),
    ("node_modules/money/b.d.ts", &["export { Money } from './a';\n", "export type Money = string;\n"]),
    (
        "kontract.json",
        &["{ \"name\": \"edited\" }", "{ \"name\": \"edited\", \"cookbook\": false }", "{ \"nam\": 1 }"],
    ),
    ("kontract.lock.json", &["{}", "not json"]),
];

/// A project without errors.
const MENDED: &[(&str, &str)] = &[
    ("kontract.json", "{ \"name\": \"edited\" }"),
    ("tsconfig.json", "{ \"compilerOptions\": { \"paths\": { \"@/*\": [\"./src/*\"] } } }"),
    ("base.json", "{}"),
    ("node_modules/money/package.json", "{ \"types\": \"a.d.ts\" }"),
    ("node_modules/money/a.d.ts", "export interface Money { cents: number }\n"),
    (
        "src/api.ts",
        "import { backend } from 'kontract';\nimport type { Row } from './model';\nexport const load = backend({}, async (row: Row): \
         Promise<string> => row.id);\n",
    ),
    (
        "src/model.ts",
        "import type { Money } from 'money';\nexport interface Row { id: string; price: Money }\n",
    ),
    (
        "src/helper.ts",
        "export const secret = 'sk-test';\nexport async function help(id: string | number): Promise<string> { return String(id); \
         }\n",
    ),
    (
        "src/page.tsx",
        "import { load } from '@/client/api';\nexport const Page = () => <p onClick={() => load('x')} />;\n",
    ),
    ("src/deep/again.ts", "export { help } from '../helper';\nexport const k = 'one';\n"),
    (NOTED, "export const noted = 0;\n"),
];

/// Modules that mostly nobody asks anything, until they or others say something else.
const APART: &[(&str, &[&str])] = &[
    (
        "src/ui/part.ts",
        &[
            "export const part = 1;\n",
            "export const part = 1;\nexport const more = 2;\n",
            "import { made } from '../lib/made0';\nexport const part = made;\n",
            "import { help } from '../helper';\nexport const part = help;\n",
            "import { load } from '../api';\nexport const part = load;\n",
            "import { load } from '../api';\nexport type Part = typeof load;\nexport const part = 3;\n",
            "import type { Row } from '../model';\nexport const part = 1;\nexport type Rows = Row;\n",
            "import type { Row } from '../model';\nexport const part = 1;\nexport interface Part extends Row { n: 1 }\n",
            "export * from '../deep/again';\nexport const part = 1;\n",
            "export const part = 1;\nexport interface Row { id: string }\n",
            "export const part = 1;\ndeclare global { interface Row { id: () => void } }\n",
            "import { label } from '@/client/api';\nexport const part = label;\n",
            "import { view } from './view';\nexport const part = view;\n",
            "export const part = process.env.part;\n",
            "export const part = env.vars;\n",
        ],
    ),
    (
        "src/ui/view.tsx",
        &[
            "import { part } from './part';\nexport const view = part;\n",
            "import { part } from './part';\nimport { made } from '../lib/made1';\nexport const view = [part, made];\n",
            "import type { Rows } from './part';\nexport const view = (rows: Rows) => <p>{rows.id}</p>;\n",
            "export { part as view } from './part';\nexport * from './part';\n",
            "import * as part from './part';\nexport { part };\nexport const view = part;\n",
            "export const view = 1;\n",
            "export const view = ;\n",
        ],
    ),
];

/// What functions may do. Some of it counts.
const BODIES: &[&str] = &[
    "return id;",
    "void 1; return id;",
    "void 2;\n\n return id;",
    "return secret + id;",
    "const secret = 'sk-live'; return secret + id;",
    "const other = 'sk-other'; return other + id;",
    "return String(await help(1)) + id;",
    "const help = (n: number) => n; return String(help(1)) + id;",
    "await env.storage.rows.get(id); return id;",
    "await env.storage.rows.delete(id); return id;",
    "await env.storage.roows.get(id); return id;",
    "const more = await import('./deep/again'); return String(more.k) + id;",
    "const more = await import('./page'); return String(more) + id;",
    "backend({}, async (): Promise<void> => {}); return id;",
    "k.perms.R; return id;",
    "k.backend; return id;",
    "use(k); return id;",
    "return ctx.user + id;",
    "const ctx = { user: '' }; return ctx.user + id;",
    "function inner(@int32 n: number): void { void n; } inner(1); return id;",
    "/** @table rows */ interface Row { id: string } return id;",
    "return await next();",
    "return (1 as unknown as Row);",
    "class Inner { @backend({}) async sign(): Promise<void> {} } return id;",
];
/// What clients may ask for.
const LABELS: &[&str] = &[
    "",
    "",
    "",
    "export const label = (n: number): string => { return 'n' + n; };\n",
    "export const label = (n: number): string => { return 'sk-live' + n; };\n",
    "export const label = (n: number): string => { return String(help(n)); };\n",
    "export const label = (n: number) => { return 'n' + n; };\n",
];
const REST: &[&str] = &[
    "",
    "",
    "const guess = () => { return 1; };\n",
    "const guess = () => { return env.storage.rows; };\n",
    "class Row { id = 1; constructor() { this.id = 2; } get name(): string { return 'row'; } }\n",
    "/** @table rows */\nexport interface Row { @primkey id: string }\n",
];

const API: &[&str] = &[
    "import { backend } from 'kontract';\nexport const load = backend({}, async (id: string): Promise<string> => id);\n",
    "import { backend } from 'kontract';\nimport type { Row } from './model';\nimport { help } from './helper';\nexport const secret = 'sk-live';\nexport const load = backend({}, async (row: Row): Promise<number> => help(secret.length));\n",
    "import { wrapped } from './deep/again';\nexport const load = wrapped({}, async (id: string): Promise<string> => id);\n",
    "import { backend } from 'kontract';\nimport { k } from './deep/again';\nexport const load = backend({ egroup: k }, async (id: string): Promise<string> => id);\n",
    "@backend({}) export async function load(id: string): Promise<void> { await env.storage.rows.get(id); }\n",
    "import { wrapped } from './ui/view';\nexport const load = wrapped({}, async (id: string): Promise<string> => id);\n",
];
