//! Generated codecs, run: what one side writes the other reads, flatc agrees, and nothing else is accepted.

mod conformance;
pub(crate) mod kinds;

use crate::support::contract::{
    Draft, FLOAT64, INT32, array, enumeration, field, nullable, object, optional, union,
};
use crate::support::expect::{check_folder, root};
use crate::support::node::Sandbox;
use kontract::contract::{BigIntWidth, FieldRename, Literal, NumberWidth, Ty, WireIds};
use kontract::stubgen::codec::{Side, codecs_text, lazy_codecs_text};
use kontract::stubgen::fbs::fbs_text;
use kontract::stubgen::{StubError, WireSchema};
use std::collections::BTreeMap;

#[test]
fn what_one_side_writes_the_other_reads() {
    sandbox().run("codec/roundtrip.mjs");
}

#[test]
fn values_of_every_kind_arrive_as_they_were() {
    kinds_sandbox().run("codec/kinds-roundtrip.mjs");
}

#[test]
fn values_that_are_of_no_kind_are_refused_with_their_path() {
    kinds_sandbox().run("codec/kinds-refused.mjs");
}

#[test]
fn values_of_other_types_are_refused_with_their_path() {
    sandbox().run("codec/refused.mjs");
}

#[test]
fn bytes_that_are_no_message_are_refused() {
    sandbox().run("codec/bytes.mjs");
}

#[test]
fn results_that_are_read_where_they_are_looked_at_are_the_same() {
    let sandbox = sandbox();
    let samples = std::fs::read(root().join("fixtures/codec/samples.mjs")).expect("the values");
    sandbox.write("samples.mjs", &samples);
    let schema = WireSchema::of(&draft().contract).expect("every type of the draft can be laid out");
    sandbox.write("lazy.js", lazy_codecs_text(&schema).as_bytes());
    sandbox.run("codec/lazy.mjs");
}

#[test]
fn mutated_messages_are_read_or_refused_and_nothing_else() {
    let sandbox = sandbox();
    let samples = std::fs::read(root().join("fixtures/codec/samples.mjs")).expect("the values");
    sandbox.write("samples.mjs", &samples);
    mutate(&sandbox, "plain");
}

#[test]
fn mutated_messages_of_every_kind_are_read_or_refused_and_nothing_else() {
    let sandbox = kinds_sandbox();
    sandbox.write("samples.mjs", b"export { values as samples } from './kinds.mjs';\n");
    mutate(&sandbox, "kinds");
}

/// Starts from the mutants of the last run; `UPDATE_EXPECT=1` keeps those of this one.
fn mutate(sandbox: &Sandbox, corpus: &str) {
    let path = root().join(format!("fixtures/codec/corpus/{corpus}.json"));
    sandbox.write("corpus.json", &std::fs::read(&path).expect("the corpus"));
    let found = sandbox.run("codec/mutations.mjs");
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        std::fs::write(&path, found).expect("a writable corpus");
    }
}

#[test]
fn bytes_of_no_kind_are_refused() {
    kinds_sandbox().run("codec/kinds-bytes.mjs");
}

/// Every message that the script wrote, as flatc reads it.
#[test]
fn flatc_reads_what_codecs_write() {
    let sandbox = sandbox();
    let names = sandbox.run("codec/messages.mjs");
    let mut read = BTreeMap::new();
    for name in names.lines() {
        let table = name.split('.').next().expect("split gives at least one part");
        let root = format!("kontract.{table}");
        let file = format!("{name}.bin");
        sandbox.flatc(&[
            "--json",
            "--strict-json",
            "--raw-binary",
            "--root-type",
            &root,
            "app.fbs",
            "--",
            &file,
        ]);
        let json = std::fs::read(sandbox.path().join(format!("{name}.json"))).expect("flatc wrote it");
        read.insert(format!("{name}.json"), json);
    }
    check_folder("codec/flatc", &read);
}

/// Names that would mean something else in the schema or in generated code.
#[test]
fn types_may_be_called_as_what_schema_and_codecs_are_made_of() {
    let mut draft = Draft::new(&["src/a.ts"]);
    let names = ["r", "NONE", "StringItem", "Null", "Template", "Dynamic", "union", "x_type"];
    for name in names {
        draft.object(
            name,
            vec![
                field("kind", enumeration(&[name])),
                field("x", union(&[Ty::String, FLOAT64])),
                field("x_type?", Ty::Null),
            ],
        );
    }
    let members: Vec<Ty> = names.into_iter().map(object).chain([Ty::String]).collect();
    draft.endpoint("src/a.ts", "echo", &[("value", union(&members))], union(&members));
    let sandbox = sandbox_of(&draft);
    sandbox.flatc(&["--schema", "--binary", "app.fbs"]);
    sandbox.run("codec/names.mjs");
}

/// The places that a lock has are those of the schema, flatc accepts it, and messages from before are read.
#[test]
fn fields_keep_their_places_while_the_source_changes() {
    let kind = || union(&[Ty::String, FLOAT64]);
    let mut old = Draft::new(&["src/a.ts"]);
    old.object(
        "Entry",
        vec![
            field("id", Ty::String),
            field("gone?", Ty::String),
            field("kind", kind()),
            field("note?", nullable(Ty::String)),
            field("heading?", Ty::String),
            field("mood", enumeration(&["good", "bad"])),
        ],
    );
    old.endpoint("src/a.ts", "echo", &[("value", object("Entry")), ("loud", Ty::Boolean)], object("Entry"));
    let (before, mut ids) =
        WireSchema::with_ids(&old.contract, &WireIds::default()).expect("every type can be laid out");
    let rename = FieldRename::parse("Entry.heading=title").expect("well formed");
    assert_eq!(ids.rename(&rename), Ok(()));

    let mut new = Draft::new(&["src/a.ts"]);
    new.object(
        "Entry",
        vec![
            field("extra?", union(&[Ty::String, Ty::Boolean])),
            field("mood", enumeration(&["good", "bad"])),
            field("title?", Ty::String),
            field("note?", nullable(Ty::String)),
            field("kind", kind()),
            field("id", Ty::String),
        ],
    );
    new.endpoint("src/a.ts", "echo", &[("loud", Ty::Boolean), ("value", object("Entry"))], object("Entry"));
    let (after, next) = WireSchema::with_ids(&new.contract, &ids).expect("every type can be laid out");
    let places = |ids: &WireIds| -> BTreeMap<String, (u32, bool)> {
        let fields = ids.types["Entry"].iter();
        fields.map(|field| (field.name.clone(), (field.id, field.removed))).collect()
    };
    let (old_places, new_places) = (places(&ids), places(&next));
    for (name, (id, _)) in old_places {
        assert_eq!(new_places[&name], (id, name == "gone"), "{name} stays where it was");
    }
    assert_eq!(new_places["extra"], (9, false), "behind all others, and its number before it");

    let sandbox = Sandbox::new();
    for (name, draft, schema, side) in [
        ("old-client.js", &old, &before, Side::Client),
        ("client.js", &new, &after, Side::Client),
        ("server.js", &new, &after, Side::Server),
    ] {
        sandbox.write(name, codecs_text(schema, &draft.contract.endpoints, side).as_bytes());
    }
    let text = fbs_text(&after);
    assert!(text.contains("deprecated, id: 1)"), "{text}");
    sandbox.write("app.fbs", text.as_bytes());
    sandbox.flatc(&["--schema", "--binary", "app.fbs"]);
    // flatc itself compares the two; a field that is gone leaves its place and not its type.
    let deployed = fbs_text(&before).replace("  gone: string (id: 1);", "  gone: ubyte (deprecated, id: 1);");
    assert_ne!(deployed, fbs_text(&before));
    sandbox.write("old.fbs", deployed.as_bytes());
    sandbox.flatc(&["--conform", "old.fbs", "--cpp", "app.fbs"]);
    sandbox.run("codec/evolution.mjs");
}

#[test]
fn streams_and_files_inside_of_other_types_are_refused_by_name() {
    for (ty, text) in [(Ty::Blob, "Blob"), (Ty::File, "File"), (Ty::ByteStream, "ReadableStream<Uint8Array>")]
    {
        let mut draft = Draft::new(&["src/a.ts"]);
        draft.endpoint("src/a.ts", "put", &[("value", array(ty))], Ty::Void);
        let refused = WireSchema::of(&draft.contract).expect_err("it has no layout");
        assert_eq!(refused[0].to_string(), format!("`{text}` has no layout on the wire"));
    }
}

#[test]
fn a_stream_is_laid_out_by_its_items_and_a_file_by_what_stands_for_it() {
    let mut draft = Draft::new(&["src/a.ts"]);
    let params = [("file", Ty::File), ("more", nullable(Ty::ByteStream)), ("note", Ty::String)];
    draft.endpoint("src/a.ts", "lines", &params, Ty::Stream(Box::new(nullable(Ty::String))));
    let sandbox = sandbox_of(&draft);
    sandbox.flatc(&["--schema", "--binary", "app.fbs"]);
    let text = fbs_text(&WireSchema::of(&draft.contract).expect("laid out"));
    let table = |name: &str| {
        let (_, rest) = text.split_once(&format!("table {name} {{")).expect("a table of that name");
        rest.split_once('}')
            .map(|(body, _)| body.split_whitespace().collect::<Vec<_>>().join(" "))
            .expect("its end")
    };
    assert_eq!(
        table("LinesRequest"),
        "file: Upload (required, id: 0); more: Upload (id: 1); note: string (required, id: 2);"
    );
    assert_eq!(table("LinesResponse"), "value: string (id: 0);");
    assert_eq!(
        table("Upload"),
        "stream: ushort = null (id: 0); // required size: double = null (id: 1); type: string (id: 2); name: string (id: 3); \
         lastModified: double = null (id: 4);"
    );
}

#[test]
fn a_field_that_would_set_the_prototype_is_refused() {
    let mut draft = Draft::new(&["src/a.ts"]);
    draft.object("Bad", vec![field("__proto__", Ty::String)]);
    let refused = WireSchema::of(&draft.contract);
    let errors = refused.expect_err("it has no layout");
    assert!(matches!(errors.as_slice(), [StubError::ProtoField { .. }]), "{errors:?}");
}

fn sandbox() -> Sandbox {
    sandbox_of(&draft())
}

/// With a table of values for each endpoint.
fn kinds_sandbox() -> Sandbox {
    let sandbox = sandbox_of(&kinds::draft());
    let values = std::fs::read(root().join("fixtures/codec/kinds.mjs")).expect("the values");
    sandbox.write("kinds.mjs", &values);
    sandbox
}

fn sandbox_of(draft: &Draft) -> Sandbox {
    let sandbox = Sandbox::new();
    let schema = WireSchema::of(&draft.contract).expect("every type of the draft can be laid out");
    for (name, side) in [("client", Side::Client), ("server", Side::Server)] {
        let text = codecs_text(&schema, &draft.contract.endpoints, side);
        sandbox.write(&format!("{name}.js"), text.as_bytes());
    }
    sandbox.write("app.fbs", fbs_text(&schema).as_bytes());
    sandbox
}

/// Endpoints that give back what they are given, one for each type.
fn draft() -> Draft {
    let mut draft = Draft::new(&["src/echo.ts"]);
    let mood = || enumeration(&["good", "bad", "", "so-so", "1st", "enum"]);
    let all = |wrap: &dyn Fn(Ty) -> Ty, mark: &str| {
        let kinds = [
            ("text", Ty::String),
            ("flag", Ty::Boolean),
            ("i8", Ty::Number(NumberWidth::Int8)),
            ("i16", Ty::Number(NumberWidth::Int16)),
            ("i32", INT32),
            ("u8", Ty::Number(NumberWidth::Uint8)),
            ("u16", Ty::Number(NumberWidth::Uint16)),
            ("u32", Ty::Number(NumberWidth::Uint32)),
            ("f32", Ty::Number(NumberWidth::Float32)),
            ("f64", FLOAT64),
            ("big", Ty::BigInt(BigIntWidth::Int64)),
            ("when", Ty::Date),
            ("blob", Ty::Bytes),
            ("mood", mood()),
            ("point", object("Point")),
            ("list", array(Ty::String)),
            ("points", array(object("Point"))),
        ];
        kinds.into_iter().map(|(name, ty)| field(&format!("{name}{mark}"), wrap(ty))).collect::<Vec<_>>()
    };
    draft.object("Point", vec![field("x", FLOAT64), field("y", INT32)]);
    draft.object("All", all(&|ty| ty, ""));
    draft.object("Maybe", all(&|ty| ty, "?"));
    draft.object("Nullable", all(&nullable, ""));
    draft.object("Both", all(&nullable, "?"));
    draft.object(
        "Node",
        vec![
            field("value", FLOAT64),
            field("next?", object("Node")),
            field("children?", array(object("Node"))),
        ],
    );
    draft.object(
        "double",
        vec![
            field("constructor", Ty::String),
            field("toString?", Ty::String),
            field("then?", INT32),
            field("default", Ty::Boolean),
            field("a-b", INT32),
            field("a_b", INT32),
            field("é", Ty::String),
            field("items", array(Ty::String)),
            field("items_length", INT32),
            field("itemsLength", INT32),
            field("string", Ty::String),
            field("x?", nullable(INT32)),
            field("x_null", Ty::String),
            field("table", Ty::Boolean),
        ],
    );
    draft.object("Empty", Vec::new());
    draft.object("EchoAllRequest", vec![field("taken", Ty::Boolean)]);
    let wide: Vec<Literal> = (0..300).map(|n| Literal::String(format!("v{n}"))).collect();
    let echoes = [
        ("echoText", Ty::String),
        ("echoFlag", Ty::Boolean),
        ("echoNumber", FLOAT64),
        ("echoAll", object("All")),
        ("echoMaybe", object("Maybe")),
        ("echoNullable", object("Nullable")),
        ("echoBoth", object("Both")),
        ("echoNode", object("Node")),
        ("echoOdd", object("double")),
        ("echoEmpty", object("Empty")),
        ("echoTaken", object("EchoAllRequest")),
        ("echoWide", Ty::Literals(wide.clone())),
        ("echoWides", array(Ty::Literals(wide))),
        ("echoTexts", array(Ty::String)),
        ("echoFlags", array(Ty::Boolean)),
        ("echoBytes", array(Ty::Number(NumberWidth::Int8))),
        ("echoShorts", array(Ty::Number(NumberWidth::Uint16))),
        ("echoNumbers", array(FLOAT64)),
        ("echoFloats", array(Ty::Number(NumberWidth::Float32))),
        ("echoBigs", array(Ty::BigInt(BigIntWidth::Int64))),
        ("echoDates", array(Ty::Date)),
        ("echoBlobs", array(Ty::Bytes)),
        ("echoMoods", array(mood())),
        ("echoNodes", array(object("Node"))),
        ("echoMatrix", array(array(FLOAT64))),
        ("echoCube", array(array(array(INT32)))),
        ("echoHoles", array(nullable(Ty::String))),
        ("echoGaps", array(optional(nullable(INT32)))),
        ("echoRagged", array(nullable(array(optional(Ty::Date))))),
        ("echoOptional", optional(Ty::String)),
        ("echoNullableText", nullable(Ty::String)),
        ("echoEither", optional(nullable(object("Point")))),
    ];
    for (name, ty) in echoes {
        draft.endpoint("src/echo.ts", name, &[("value", ty.clone())], ty);
    }
    draft.endpoint(
        "src/echo.ts",
        "many",
        &[("a", Ty::String), ("b?", INT32), ("c?", nullable(Ty::Date))],
        Ty::Void,
    );
    draft.endpoint("src/echo.ts", "none", &[], Ty::Void);
    draft
}
