//! Types of packages, however they are declared, against TypeScript itself: `export =`, blocks of ambient modules,
//! `typesVersions`, conditions, `@types`, augmentations and globals of the project.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use kontract::parse::{self, types::normal_forms};
use kontract::project;
use kontract::system::MemorySystem;

#[test]
fn types_of_packages_are_what_typescript_says() {
    let (theirs, differ) = compared(FILES, USE, None);
    assert!(theirs >= USES_MIN, "only {theirs}");
    assert!(differ.is_empty(), "{}", differ.join("\n"));
}

/// Packages below `@types`, or those that the tsconfig names, declare for everybody.
#[test]
fn types_in_force_are_what_typescript_says() {
    let cases = [
        ("{}", USE_ALL, 15),
        ("{ \"compilerOptions\": { \"types\": [\"tool/client\"] } }", "export type A0 = FromTool;\n", 1),
        ("{ \"compilerOptions\": { \"typeRoots\": [\"./own\"] } }", "export type A0 = Mine['mine'];\n", 1),
        (
            ROOT_DIRS,
            "import type { Made } from './route';\nexport type A0 = Made;\nexport type A1 = Made['other'];\n",
            2,
        ),
    ];
    for (config, uses, count) in cases {
        let (theirs, differ) = compared(IN_FORCE, uses, Some(config));
        assert_eq!(theirs, count, "{config}");
        assert!(differ.is_empty(), "{config}\n{}", differ.join("\n"));
    }
}

/// How many types TypeScript knows, and those for which the compiler says something else.
fn compared(files: &[(&str, &str)], uses: &str, tsconfig: Option<&str>) -> (usize, Vec<String>) {
    let folder = tempfile::tempdir().expect("a folder");
    let own = [("kontract.json", "{ \"name\": \"packages\" }"), ("src/use.ts", uses)];
    let config = tsconfig.map(|text| (TSCONFIG, text));
    let files: BTreeMap<String, String> = files
        .iter()
        .chain(&own)
        .chain(&config)
        .map(|(path, text)| ((*path).to_owned(), (*text).to_owned()))
        .collect();
    for (path, text) in &files {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().expect("below the folder")).expect("a folder");
        std::fs::write(path, text).expect("a file");
    }
    let theirs = typescript(folder.path(), tsconfig.is_some());

    let loaded = project::load(&MemorySystem::new(files));
    let project = loaded.project.expect("a project");
    let graph = parse::parse(&loaded.sources, &project).value.expect("the files parse");
    let ours = normal_forms(&graph, "src/use.ts");
    let differ: Vec<String> = theirs
        .iter()
        .filter(|(name, form)| ours.get(*name) != Some(form))
        .map(|(name, form)| format!("{name}\n  typescript: {form}\n  kontract:   {:?}", ours.get(name)))
        .collect();
    (theirs.len(), differ)
}

fn typescript(folder: &Path, configured: bool) -> BTreeMap<String, String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let sources = ["src/use.ts", "src/globals.d.ts", "src/augment.ts"].map(|path| folder.join(path));
    let config = configured.then(|| format!("--project={}", folder.join(TSCONFIG).display()));
    let output = Command::new("node")
        .arg(root.join("tests/js/types.mjs"))
        .arg(root)
        .args(config)
        .args(sources)
        .current_dir(root)
        .output()
        .expect("Node.js runs");
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "typescript refuses the files:\n{errors}");
    let answer: BTreeMap<String, BTreeMap<String, String>> =
        serde_json::from_slice(&output.stdout).expect("JSON of the script");
    answer.into_iter().find(|(file, _)| file == "use.ts").expect("it was asked for").1
}

const USES_MIN: usize = 30;
const TSCONFIG: &str = "tsconfig.json";

const ROOT_DIRS: &str =
    "{ \"compilerOptions\": { \"rootDirs\": [\"./src\", \"generated\", \"src/deeper\"], \"types\": [] } }";

const USE_ALL: &str = r#"
import type { Built } from 'builtin'; import { Built as Again, stat } from 'node:builtin';
import * as whole from 'node:builtin'; import made, { type Made } from 'node:made'; import * as sub from 'made/promises'; import merged from 'merged';
export type A0 = FromTypes;
export type A1 = GlobNs.Inner;
export type A2 = typeof GlobNs;
export type A4 = InBuiltin;
export type A5 = Umd.Node;
export type A7 = [Mod.Of, InModule];
export type B0 = [Built, Again];
export type B1 = ReturnType<typeof stat>;
export type B2 = whole.Built['c'];
export type B3 = ReturnType<typeof made>;
export type B4 = Made;
export type B5 = typeof sub.later;
const viaSpace = () => sub.later.q, viaStar = () => whole.stat('/').l, viaConst = () => merged.merge(1);
export type B6 = ReturnType<typeof viaSpace>;
export type B7 = ReturnType<typeof viaStar>;
export type B8 = ReturnType<typeof viaConst>;
"#;

const IN_FORCE: &[(&str, &str)] = &[
    ("src/globals.d.ts", "interface FromTypes { added: 2 }\n"),
    ("src/augment.ts", "export {};\n"),
    ("node_modules/@types/glob/package.json", "{ \"types\": \"index.d.ts\" }"),
    (
        "node_modules/@types/glob/index.d.ts",
        "// Types of glob.
/// <reference path=\"more.d.ts\" />
/// <reference types='referred' />
interface FromTypes { a: 1 }
declare namespace GlobNs { interface Inner { b: FromMore } const v: 'v' }
declare module 'builtin' {
  export interface Built { c: 3; r: Referred }
  interface Later { l: FromMore }
  function stat(path: string): Later;
  global { interface InBuiltin { d: 4 } }
}
declare module 'node:builtin' { export * from 'builtin' }
declare module 'made' {
  import { Later } from 'node:builtin';
  import * as promises from 'node:made/promises';
  function made(): Later;
  namespace made { interface Made { p: promises.Promised } }
  export = made;
}
declare module 'node:made' { import made = require('made'); export = made; }
declare module 'merged' {
  namespace merged { interface Merged { merge(of: number): { m: 'erged' } } }
  const merged: merged.Merged;
  export = merged;
}
declare module 'made/promises' { export interface Promised { q: 8 } export const later: Promised; }
declare module 'node:made/promises' { export * from 'made/promises' }
",
    ),
    ("node_modules/@types/glob/more.d.ts", "interface FromMore { m: 'more' }\n"),
    ("node_modules/@types/referred/index.d.ts", "interface Referred { r: 5 }\n"),
    (
        "node_modules/@types/umd/index.d.ts",
        "export = Umd;\nexport as namespace Umd;\ndeclare namespace Umd { interface Node { u: 1 } }\n",
    ),
    (
        "node_modules/@types/mod/index.d.ts",
        "declare global { namespace Mod { interface Of { o: 6 } } interface InModule { i: 7 } }
export {};
",
    ),
    ("node_modules/tool/package.json", "{ \"name\": \"tool\" }"),
    ("node_modules/tool/client.d.ts", "interface FromTool { t: 1 }\n"),
    ("own/mine/index.d.ts", "interface Mine { mine: 1 }\n"),
    (
        "generated/route.d.ts",
        "import type { Other } from './sub/other';\nexport interface Made { g: 1; other: Other }\n",
    ),
    (
        "generated/sub/other.ts",
        "import type { Beside } from '../beside';\nexport interface Other { o: Beside }\n",
    ),
    ("src/deeper/beside.ts", "export interface Beside { b: 1 }\n"),
];

const USE: &str = r#"
import called from 'called'; import made from 'made'; import value from 'value';
import required = require('called');
import type { Result } from 'called'; import type { Row, Deep } from 'ambient';
import type { U } from 'untyped'; import type { T } from 'versions'; import type { S } from 'versions/s';
import type { C } from 'conditions'; import type { C as Nested } from 'conditions/nested'; import type { F } from 'conditions/f/a';
import type { Two, ns, D, EE, Alias } from 'passing'; import type { V } from 'virtual:thing'; import type { Own } from 'nothing-installed';
import logo from './logo.svg';
import { stars } from 'stars';
import type Def from 'by-default'; import type { Loop } from 'circle';
export type A0 = called.Result;
export type A1 = Result;
export type A2 = required.Inner;
export type A3 = made.Opts;
export type A4 = made;
export type A5 = typeof value.v;
export type A6 = ReturnType<typeof value.get>;
export type A7 = ReturnType<typeof called>;
export type B0 = Row;
export type B2 = U;
export type B3 = T;
export type B4 = S;
export type B5 = C;
export type B6 = Nested;
export type B7 = F;
export type B8 = Two;
export type B9 = ns.E;
export type C0 = D;
export type C1 = EE;
export type C2 = Alias;
export type C3 = V;
export type C4 = Own;
export type C5 = ProjectGlobal;
export type C6 = Spaces.N;
export type C7 = InGlobal;
export type C8 = import('called').Result;
export type C9 = InstanceType<typeof made>['n'];
export type D0 = typeof logo;
export type D1 = Def;
export type D2 = import('ambient').Row[];
export type D3 = Deep;
export type D4 = Loop;
export type D5 = Patterned;
export type D6 = typeof Tools;
export type D7 = typeof Tools.inner;
const shape = stars.object({ a: stars.text() });
export type D8 = typeof shape;
export type D9 = typeof stars;
"#;

const FILES: &[(&str, &str)] = &[
    (
        "src/globals.d.ts",
        "interface ProjectGlobal { pg: string; w?: Win }
declare namespace Spaces { type N = { n: 1 } }
type Win = { win: boolean };
declare namespace Tools { const limit: 5; const name: string; namespace inner { let z: 'z' } }
declare module '*.svg' { const path: string; export default path; }
declare module 'nothing-installed' { import { Row } from 'ambient'; interface Own { own: Local; row: Row } interface Local { l: 1 } }
declare module 'virtual:*' { export interface V { v: 1 } }
type Patterned = import('virtual:other').V;
",
    ),
    (
        "src/augment.ts",
        "import 'passed';
declare module 'passed' { interface Two { more: string } }
declare module 'ambient' { interface Row { added: 1 } }
declare global { interface InGlobal { ig: 1 } }
export {};
",
    ),
    ("node_modules/called/package.json", "{ \"name\": \"called\", \"types\": \"i.d.ts\" }"),
    (
        "node_modules/called/i.d.ts",
        "declare function called(a: string): called.Result;
declare namespace called {
  interface Result { a: number; b?: Inner }
  type Inner = { z: string };
  function sub(x: number): Result[];
  const K: 5;
}
export = called;
",
    ),
    ("node_modules/stars/package.json", "{ \"name\": \"stars\", \"types\": \"i.d.ts\" }"),
    ("node_modules/stars/i.d.ts", "import * as stars from './all.js'; export * from './all.js'; export { stars };\n"),
    ("node_modules/stars/all.d.ts", "export * from './made.js'; export declare const own: 1;\n"),
    (
        "node_modules/stars/made.d.ts",
        "export declare function object<T>(of: T): { of: T };\nexport declare function text(): string;\nexport default text;\n",
    ),
    ("node_modules/made/package.json", "{ \"types\": \"i.d.ts\" }"),
    (
        "node_modules/made/i.d.ts",
        "declare class Thing { id: string; n: number }
declare namespace Thing { interface Opts { deep: boolean } }
export = Thing;
",
    ),
    ("node_modules/value/package.json", "{ \"types\": \"i.d.ts\" }"),
    (
        "node_modules/value/i.d.ts",
        "interface Api { get(): { x: number }; readonly v: 'lit' }
declare const api: Api;
export = api;
",
    ),
    ("node_modules/ambient/package.json", "{ \"types\": \"i.d.ts\" }"),
    (
        "node_modules/ambient/i.d.ts",
        "declare module 'ambient' {
  export interface Row { q: string }
  namespace inner { interface Deep { d: Row } }
  export import Deep = inner.Deep;
}
",
    ),
    ("node_modules/untyped/package.json", "{ \"main\": \"x.js\" }"),
    ("node_modules/untyped/x.js", "module.exports = {};\n"),
    ("node_modules/@types/untyped/package.json", "{ \"types\": \"index.d.ts\" }"),
    ("node_modules/@types/untyped/index.d.ts", "export interface U { u: Date }\nexport as namespace Untyped;\n"),
    (
        "node_modules/versions/package.json",
        "{ \"version\": \"1.0.0\", \"types\": \"t.d.ts\", \"typesVersions\": { \">=5.0\": { \"*\": [\"five/*\"] }, \"*\": { \"*\": [\"old/*\"] } } }",
    ),
    ("node_modules/versions/five/t.d.ts", "export interface T { five: true }\n"),
    ("node_modules/versions/five/s.d.ts", "export interface S { below: true }\n"),
    ("node_modules/versions/old/t.d.ts", "export interface T { old: true }\n"),
    (
        "node_modules/conditions/package.json",
        "{ \"exports\": { \".\": { \"require\": { \"types\": \"./r.d.cts\" }, \"import\": { \"types\": \"./m.d.mts\" } },
  \"./nested\": { \"types\": { \"require\": \"./r.d.cts\", \"import\": \"./m.d.mts\" } }, \"./f/*\": { \"types\": \"./f/*.d.ts\" } } }",
    ),
    ("node_modules/conditions/r.d.cts", "export interface C { cts: 1 }\n"),
    ("node_modules/conditions/m.d.mts", "export interface C { mts: 1 }\n"),
    ("node_modules/conditions/f/a.d.ts", "export interface F { f: 1 }\n"),
    ("node_modules/passing/package.json", "{ \"types\": \"i.d.ts\" }"),
    (
        "node_modules/passing/i.d.ts",
        "export * from 'passed';
export * as ns from './n';
export { default as D, type E as EE } from './n';
import N = require('./n');
export import Alias = N.E;
",
    ),
    ("node_modules/passing/n.d.ts", "export default interface D { d: 1 }\nexport interface E { e: 1 }\n"),
    ("node_modules/passed/package.json", "{ \"types\": \"./i\" }"),
    ("node_modules/passed/i.d.ts", "export interface Two { two: 2 }\n"),
    ("node_modules/by-default/package.json", "{ \"types\": \"i.d.ts\" }"),
    ("node_modules/by-default/i.d.ts", "interface Def { def: 1 }\nexport default Def;\n"),
    ("node_modules/circle/package.json", "{ \"types\": \"i.d.ts\" }"),
    ("node_modules/circle/i.d.ts", "export * from 'circle/other';\nexport { Found as Loop } from 'circle/other';\n"),
    ("node_modules/circle/other.d.ts", "export * from 'circle';\nexport interface Found { found: 1 }\n"),
];
