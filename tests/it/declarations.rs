//! Declarations of a contract with every type and every way of exporting, read by TypeScript 5 and 7.

use crate::support::app::repository;
use crate::support::contract::{Draft, array, enumeration, field, nullable, object, optional};
use kontract::contract::{BigIntWidth, Literal, NumberWidth, RecordKey, TemplatePart, TupleElement, Ty};
use kontract::stubgen::{Identity, Pins, StubInput, declarations};
use std::collections::BTreeMap;
use std::os::unix::fs::symlink;
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
    write("tsconfig.json", CONFIG.as_bytes());
    symlink(repository().join("node_modules"), folder.path().join("node_modules")).expect("a link");
    for typescript in ["typescript", "typescript5"] {
        let output = Command::new("node")
            .arg(repository().join("node_modules").join(typescript).join("bin/tsc"))
            .current_dir(folder.path())
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
