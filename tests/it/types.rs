//! The type evaluator against TypeScript itself: the same aliases and functions, in the same normal form.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::fixture::{self, compile};
use kontract::contract::signature::{Numbers, object_text, params_text, ty_text};
use kontract::contract::{Endpoint, Literal, Ty};
use kontract::diag::{Code, Severity};
use kontract::parse::{self, types::normal_forms};
use kontract::project;
use kontract::system::MemorySystem;

type Forms = BTreeMap<String, BTreeMap<String, String>>;

#[test]
fn declared_types_are_what_typescript_says() {
    let (ours, theirs) = both("table");
    let total: usize = theirs.values().map(BTreeMap::len).sum();
    assert!(total >= TYPES_MIN, "only {total} types");
    let mismatches = mismatches(&ours, &theirs, |_, _, _| false);
    assert!(mismatches.is_empty(), "{} of {total} differ\n{}", mismatches.len(), mismatches.join("\n"));
}

#[test]
fn inferred_results_are_what_typescript_says() {
    let (ours, theirs) = both("results");
    let total: usize = theirs.values().map(BTreeMap::len).sum();
    assert!(total >= RESULTS_MIN, "only {total} functions");
    let mismatches =
        mismatches(&ours, &theirs, |name, ours, _| DYNAMIC.contains(&name) && ours.contains("dynamic"));
    assert!(mismatches.is_empty(), "{} of {total} differ\n{}", mismatches.len(), mismatches.join("\n"));
    for name in DYNAMIC {
        let form = ours.values().find_map(|forms| forms.get(*name));
        assert!(
            form.is_some_and(|form| form.contains("dynamic")),
            "{name} is inferred; take it off the list"
        );
    }
}

/// Functions of which our result may be dynamic, each for a reason that stands above it in its file.
const DYNAMIC: &[&str] = &[];
const TYPES_MIN: usize = 300;
const RESULTS_MIN: usize = 40;

fn mismatches(ours: &Forms, theirs: &Forms, excused: impl Fn(&str, &str, &str) -> bool) -> Vec<String> {
    let mut found = Vec::new();
    for (file, forms) in theirs {
        for (name, theirs) in forms {
            let ours = ours.get(file).and_then(|forms| forms.get(name)).map_or("nothing", String::as_str);
            if ours != theirs && !excused(name, ours, theirs) {
                found.push(format!("{file} {name}\n  typescript: {theirs}\n  kontract:   {ours}"));
            }
        }
    }
    found
}

/// The normal forms of a folder of fixtures: ours, and TypeScript's.
fn both(folder: &str) -> (Forms, Forms) {
    let folder = fixture::folder("types").join(folder);
    let files = files(&folder);
    let mut texts = vec![("kontract.json".to_owned(), "{ \"name\": \"fixture\" }".to_owned())];
    for file in files.iter().filter(|file| !file.to_string_lossy().ends_with(".d.ts")) {
        texts.push((format!("src/{}", name_of(file)), fs::read_to_string(file).expect("a readable fixture")));
    }
    let system = MemorySystem::new(texts);
    let loaded = project::load(&system);
    let project = loaded.project.expect("a project");
    let graph = parse::parse(&loaded.sources, &project);
    let graph = graph.value.expect("the fixtures parse");
    let modules = files.iter().map(|file| name_of(file)).filter(|name| !name.ends_with(".d.ts"));
    let ours = modules.map(|name| (name.clone(), normal_forms(&graph, &format!("src/{name}")))).collect();
    (ours, typescript(&files))
}

fn typescript(files: &[PathBuf]) -> Forms {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut all: Vec<PathBuf> = files.to_vec();
    all.push(root.join("src/stubgen/ambient.d.ts"));
    let output = Command::new("node")
        .arg(root.join("tests/js/types.mjs"))
        .arg(root)
        .args(all)
        .current_dir(root)
        .output()
        .expect("Node.js runs");
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "typescript refuses the fixtures:\n{errors}");
    serde_json::from_slice(&output.stdout).expect("JSON of the script")
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("the fixtures exist");
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.expect("a readable entry").path()).collect();
    files.sort();
    files
}

fn name_of(file: &Path) -> String {
    file.file_name().expect("a name").to_string_lossy().into_owned()
}

/// What one file with an endpoint says, and the endpoint's result.
fn endpoint(text: &str) -> (Vec<(Code, Severity)>, Option<Ty>, String) {
    let system = MemorySystem::new([
        ("kontract.json".to_owned(), "{ \"name\": \"fixture\" }".to_owned()),
        ("src/api.ts".to_owned(), format!("import {{ backend }} from 'kontract';\n{text}")),
    ]);
    let compiled = compile(&system);
    let found = compiled.diagnostics.iter().map(|found| (found.code, found.severity)).collect();
    let said = compiled.text();
    let returns = compiled.value.map(|(_, contract, _)| contract.contract().endpoints[0].returns.clone());
    (found, returns, said)
}

fn returning(ty: &str, declarations: &str) -> (Vec<(Code, Severity)>, Option<Ty>, String) {
    endpoint(&format!(
        "{declarations}\nexport const f = backend({{}}, async (): Promise<{ty}> => {{ throw new Error(); }});"
    ))
}

#[test]
fn what_has_no_schema_is_dynamic_with_a_warning() {
    for (ty, text) in [("any", "any"), ("unknown", "unknown"), ("object", "object")] {
        let (found, returns, said) = returning(ty, "");
        assert_eq!(found, [(Code::KT0320, Severity::Warning)], "{said}");
        assert_eq!(returns, Some(Ty::Dynamic(text.to_owned())));
    }
    let (found, returns, said) = returning("{ id: string; [key: string]: string }", "");
    assert_eq!(found, [(Code::KT0320, Severity::Warning)], "{said}");
    assert_eq!(returns, Some(Ty::Dynamic("Record<string, unknown>".to_owned())));
    assert!(said.contains("`id`"), "{said}");
    let (found, _, said) = returning("{ id: string }", "");
    assert!(found.is_empty(), "{said}");
}

#[test]
fn what_cannot_be_inferred_is_named() {
    let (found, returns, said) = endpoint(
        "import { load } from 'somewhere';\nexport const f = backend({}, async () => { const row = load(); return row; });",
    );
    assert_eq!(found, [(Code::KT0321, Severity::Warning)], "{said}");
    assert_eq!(returns, Some(Ty::Dynamic("unknown".to_owned())));
    assert!(said.contains("`load`"), "{said}");
    let (found, returns, said) = endpoint("export const f = backend({}, async () => 'a' + 1);");
    assert!(found.is_empty(), "{said}");
    assert_eq!(returns, Some(Ty::String));
}

#[test]
fn types_beyond_the_bounds_end_quickly() {
    let cases = [
        ("a cross product", "type D = 0|1|2|3|4|5|6|7|8|9;", "`${D}${D}${D}${D}${D}${D}${D}`"),
        ("an endless condition", "type L<T> = T extends string ? L<`${T}a`> : never;", "L<'a'>"),
        (
            "an exponential condition",
            "type X<T extends unknown[]> = T['length'] extends 60 ? T : [X<[...T, 0]>, X<[...T, 1]>][number];",
            "X<[]>",
        ),
        (
            "a wide product of objects",
            "type A = {a:1}|{b:1}|{c:1}|{d:1}|{e:1}|{f:1}|{g:1}|{h:1}|{i:1}|{j:1};",
            "A & A & A & A & A & A & A",
        ),
    ];
    for (what, declarations, ty) in cases {
        let start = std::time::Instant::now();
        let (found, returns, said) = returning(ty, declarations);
        assert!(start.elapsed().as_secs() < SECONDS_MAX, "{what} took {:?}", start.elapsed());
        let bounded =
            found.iter().all(|(code, _)| matches!(code, Code::KT0322 | Code::KT0306 | Code::KT0303));
        assert!(bounded && !found.is_empty(), "{what}: {returns:?}\n{said}");
    }
}

#[test]
fn long_unions_are_literals() {
    let values: Vec<String> = (0..10_000).map(|index| format!("'value-{index}'")).collect();
    let start = std::time::Instant::now();
    let (found, returns, said) = returning("Long", &format!("type Long = {};", values.join(" | ")));
    assert!(found.is_empty(), "{said}");
    let Some(Ty::Literals(values)) = returns else { panic!("not literals") };
    assert_eq!(values.len(), 10_000);
    assert_eq!(values[9_999], Literal::String("value-9999".to_owned()));
    assert!(start.elapsed().as_secs() < SECONDS_MAX, "{:?}", start.elapsed());
}

#[test]
fn circles_are_errors() {
    let cases = [
        ("type A = A;", "A"),
        ("type A = B; type B = C; type C = A;", "A"),
        ("type A = string | A;", "A"),
        ("type A<T> = A<T>;", "A<string>"),
        ("interface A extends B { a: string } interface B extends A { b: string }", "A"),
        ("class A extends B { a = 1 } class B extends A { b = 1 }", "A"),
    ];
    for (declarations, ty) in cases {
        let (found, _, said) = returning(ty, declarations);
        assert!(found.contains(&(Code::KT0306, Severity::Error)), "{declarations}: {found:?}\n{said}");
    }
    let (found, _, said) =
        returning("Json", "type Json = string | number | null | Json[] | { [key: string]: Json };");
    assert!(!found.contains(&(Code::KT0306, Severity::Error)), "{said}");
}

const SECONDS_MAX: u64 = 20;

#[test]
fn names_that_stand_for_themselves_have_no_type() {
    for (text, ty) in [
        ("import A = A.B;", "A"),
        ("import A = B.X; import B = A.X;", "A.Y"),
        (
            "declare module 'x' { export * from 'x'; export { A as B } from 'x'; export { B as A } from 'x'; }",
            "import('x').A",
        ),
        ("declare module 'y' { import B = A.C; import A = B.C; export = A; }", "import('y').B"),
    ] {
        let (found, _, said) =
            endpoint(&format!("{text}\nexport const f = backend({{}}, async (a: {ty}) => 1);"));
        assert!(found.iter().any(|(code, _)| *code == Code::KT0304), "{text}: {said}");
    }
}

/// The results of the endpoints of `src/api.ts` as text, in a project with other files; nothing may be wrong with it.
fn results(api: &str, others: &[(&str, &str)]) -> Vec<String> {
    let text = format!("import {{ backend }} from 'kontract';\n{api}");
    let files = [("kontract.json", "{ \"name\": \"fixture\" }"), ("src/api.ts", &text)];
    let compiled = compile(&MemorySystem::new(files.into_iter().chain(others.iter().copied())));
    assert!(compiled.diagnostics.is_empty(), "{}", compiled.text());
    let (_, contract, _) = compiled.value.expect("no errors");
    let contract = contract.contract();
    let result = |endpoint: &Endpoint| match &endpoint.returns {
        Ty::Object(key) => object_text(key, &contract.types[key]),
        other => ty_text(other, Numbers::Widths),
    };
    contract.endpoints.iter().map(result).collect()
}

#[test]
fn names_lead_to_what_is_no_typescript() {
    let found = results(
        "import data, { list } from './data.json';\nimport lib from '#lib';\nimport type { T } from '#internal/t';\n\
         export const a = backend({}, async (): Promise<typeof data> => data);\n\
         export const b = backend({}, async () => (data.on ? data.list : list));\n\
         export const c = backend({}, async (t: T) => lib(t.n));\n\
         export const d = backend({}, async () => globalThis.Math.max(1, 2));\n\
         export const e = backend({}, async (at: globalThis.Date): Promise<globalThis.Record<string, Date>> => ({ at }));\n",
        &[
            ("src/data.json", "{ \"n\": 1.5, \"on\": true, \"list\": [\"a\", 1] }"),
            ("src/own/lib.ts", "export default (n: number) => `${n}`;\n"),
            ("src/internal/t.ts", "export interface T { n: number }\n"),
            (
                "package.json",
                r##"{ "imports": { "#lib": "./src/own/lib.js", "#internal/*": { "default": "./src/internal/*.ts" } } }"##,
            ),
        ],
    );
    let text = &found[0];
    assert!(text.contains("\"n\": number") && text.contains("\"list\": (string | number)[]"), "{text}");
    assert_eq!(found[1..], ["(string | number)[]", "string", "number", "Record<string, Date>"]);
}

#[test]
fn a_function_that_gives_a_promise_is_asynchronous() {
    let found = results(
        "const later = () => Promise.resolve('x');\ntype Later<T> = Promise<T>;\n\
         export const a = backend({}, () => Promise.resolve(1));\n\
         export const b = backend({}, () => later());\n\
         export const c = backend({}, (): Later<boolean> => Promise.resolve(true));\n\
         export const d = backend({}, function (on: boolean) { return on ? later() : Promise.resolve(null); });\n",
        &[],
    );
    assert_eq!(found, ["number", "string", "boolean", "string | null"]);
    let (found, _, said) =
        endpoint("export const f = backend({}, (on: boolean) => on ? Promise.resolve(1) : 2);");
    assert_eq!(found, [(Code::KT0106, Severity::Error)], "{said}");
}

#[test]
fn fields_of_classes_have_widths() {
    let found = results(
        "class Point { @int32 x = 0; @uint8 readonly y: number = 1; constructor(@int16 readonly z: number) {} }\n\
         export const a = backend({}, async (): Promise<Point> => new Point(1));\n",
        &[],
    );
    for field in ["\"x\": int32", "\"y\": uint8", "\"z\": int16"] {
        assert!(found[0].contains(field), "{}", found[0]);
    }
}

#[test]
fn unique_symbols_are_brands() {
    let found = results(
        "declare const tag: unique symbol;\ninterface Own { readonly [tag]: 'own'; id: string }\n\
         type Tagged<T, N extends string> = T & { readonly [tag]: { [K in N]: void } };\n\
         export const a = backend({}, async (own: Own): Promise<Tagged<string, 'x'>> => own.id as never);\n\
         export const b = backend({}, async (own: Tagged<Own, 'y'>) => own.id);\n",
        &[],
    );
    assert_eq!(found, ["string", "string"]);
}

#[test]
fn a_function_has_the_type_that_stands_around_it() {
    let text = "import { backend } from 'kontract';\n\
        type Handler = (id: string, n?: number) => Promise<{ id: string }>;\n\
        const f: Handler = async (id) => ({ id });\n\
        export const a = backend({}, f);\n\
        export const b: Handler = backend({}, async (id, n) => ({ id }));\n\
        export const c = backend<[id: string, at?: Date, ...more: number[]], boolean>({}, async (id) => true);\n\
        export const d = backend({}, (async (id) => ({ id })) satisfies Handler);\n\
        export const e: Loose = backend({}, async (id: string) => id);\ntype Loose = any;\n";
    let files = [("kontract.json", "{ \"name\": \"fixture\" }"), ("src/api.ts", text)];
    let compiled = compile(&MemorySystem::new(files));
    assert!(compiled.diagnostics.is_empty(), "{}", compiled.text());
    let (_, contract, _) = compiled.value.expect("no errors");
    let endpoints = contract.contract().endpoints.iter();
    let params: Vec<String> = endpoints.map(|endpoint| params_text(endpoint, Numbers::Widths)).collect();
    let handler = "id: string, n?: number";
    assert_eq!(params, [handler, handler, "id: string, at?: Date, ...more: number[]", handler, "id: string"]);
}

#[test]
fn callbacks_within_callbacks_are_looked_at_once() {
    let depth = 12;
    let open: String = (0..depth).map(|level| format!("rows.filter((r{level}) => ")).collect();
    let body = format!("{open}r0.id === r1.id{}", ").length > 0".repeat(depth - 1) + ")");
    let start = std::time::Instant::now();
    let (found, _, said) = endpoint(&format!(
        "declare const rows: {{ id: string }}[];\nexport const f = backend({{}}, async () => {body});"
    ));
    assert!(found.is_empty(), "{said}");
    assert!(start.elapsed().as_secs() < SECONDS_MAX, "{:?}", start.elapsed());
}
