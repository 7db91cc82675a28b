//! Everything that is generated from one contract, compared with files, and the routes run.

use crate::support::contract::{Draft, INT32, array, enumeration, field, nullable, object};
use crate::support::expect::{check_folder, root};
use crate::support::node::Sandbox;
use kontract::artifact::Artifacts;
use kontract::contract::{Doc, Endpoint, MiddlewareFilter, Perms, Ty, WireIds};
use kontract::stubgen::{
    ChainRef, ClientRest, Identity, PinnedKey, Pins, StubError, StubInput, WireSchema, generate,
};
use std::collections::BTreeMap;

#[test]
fn a_small_project_generates_these_files() {
    let made = generated(&draft()).expect("the draft is sound");
    let (twice, once): (Artifacts, Artifacts) =
        made.into_iter().partition(|(path, _)| path.starts_with("dist/client/"));
    for (path, bytes) in &twice {
        let copy = path.replacen("dist/", ".kontract/", 1);
        assert!(once.get(&copy) == Some(bytes), "{path} and {copy} are the same");
    }
    // A folder whose name starts with a dot would be overlooked in the fixtures.
    let shown = once.into_iter().map(|(path, bytes)| (path.replacen(".kontract", "kontract", 1), bytes));
    check_folder("stubgen/guestbook", &shown.collect());
}

#[test]
fn two_generations_give_the_same_bytes() {
    assert_eq!(generated(&draft()), generated(&draft()));
}

/// The generated server half and stubs against handlers and a connection that the script makes up.
#[test]
fn generated_modules_run() {
    let sandbox = Sandbox::new();
    for (path, bytes) in generated(&draft()).expect("the draft is sound") {
        if let Some(path) = path.strip_prefix(".kontract/")
            && path.ends_with(".js")
        {
            sandbox.write(path, &bytes);
        }
    }
    let handlers = [
        (
            "server/src/api/entries.js",
            "export const sign = async (author, message) => ({ id: '1', author, message, createdAt: new Date(5), mood: 'calm' });\nexport const find = async () => null;\n",
        ),
        ("server/src/api/admin.js", "export const purge = async () => { throw new Error('purged'); };\n"),
        (
            "server/src/middleware.js",
            "const step = (name, next) => async (ctx, handler) => { ctx.log.push(name); const result = await next(ctx, handler); ctx.log.push(`/${name}`); return result; };\nconst last = (ctx, handler) => handler();\nexport const chain1 = step('all', last), chain2 = step('all', step('guestbook', last));\n",
        ),
    ];
    for (path, text) in handlers {
        sandbox.write(path, text.as_bytes());
    }
    let package =
        br#"{ "type": "module", "exports": { "./wire": "./wire/index.js", "./client": "./client.js" } }"#;
    sandbox.write("node_modules/kontract/package.json", package);
    let client = b"export const createClient = (pins) => ({ pins, endpoint: (stub) => Object.assign((...args) => stub.encode(args), { stub }) });\n";
    sandbox.write("node_modules/kontract/client.js", client);
    sandbox.run("stubgen/run.mjs");
}

/// Rows of every kind of type, through the forms of the generated `tables.js`.
#[test]
fn rows_of_every_kind_come_back_as_they_were() {
    let mut draft = crate::codec::kinds::draft();
    for (table, entity) in [("maybes", "Maybe"), ("boths", "Both"), ("trees", "Tree"), ("points", "Point")] {
        draft.table(table, entity, "id");
    }
    let sandbox = Sandbox::new();
    let tables = generated(&draft).expect("every type can be stored").remove(".kontract/server/tables.js");
    sandbox.write("tables.js", &tables.expect("it is always made"));
    sandbox.module("server/rows.ts", "rows.js");
    sandbox.module("server/tagged.ts", "tagged.js");
    let values = std::fs::read(root().join("fixtures/codec/kinds.mjs")).expect("the values");
    sandbox.write("kinds.mjs", &values);
    sandbox.run("stubgen/rows.mjs");
}

#[test]
fn awkward_but_legal_names_generate_modules_that_load() {
    let mut draft = Draft::new(&["src/index.ts", "src/codecs.ts", "src/m.ts"]);
    for (path, name) in [
        ("src/index.ts", "while"),
        ("src/codecs.ts", "m"),
        ("src/codecs.ts", "e0"),
        ("src/codecs.ts", "toJSON"),
        ("src/m.ts", "decodeMRequest"),
        ("src/m.ts", "$"),
    ] {
        draft.endpoint(path, name, &[("value?", Ty::String)], Ty::String);
    }
    let named = draft.endpoint("src/m.ts", "allEntries", &[], Ty::Void);
    named.binding.export = "list".to_owned();
    for (name, export) in [("put", "Store"), ("take", "Store"), ("drop", "default")] {
        let endpoint = draft.endpoint("src/m.ts", name, &[("value?", Ty::String)], Ty::String);
        endpoint.binding.export = export.to_owned();
        endpoint.binding.members = vec![name.to_owned()];
    }
    let sandbox = Sandbox::new();
    let made = generated(&draft).expect("the names are legal");
    for (path, bytes) in made.iter().filter(|(path, _)| path.ends_with(".js")) {
        sandbox.write(path.trim_start_matches(".kontract/"), bytes);
    }
    for stem in ["index", "codecs", "m"] {
        sandbox.write(&format!("server/src/{stem}.js"), b"export const list = 1;\n");
    }
    let package =
        br#"{ "type": "module", "exports": { "./wire": "./wire/index.js", "./client": "./client.js" } }"#;
    sandbox.write("node_modules/kontract/package.json", package);
    let client = b"export const createClient = () => ({ endpoint: (stub) => stub });\n";
    sandbox.write("node_modules/kontract/client.js", client);
    sandbox.run("stubgen/awkward.mjs");
}

#[test]
fn identity_changes_with_what_both_ends_agree_on_and_with_nothing_else() {
    let before = identity(&draft());
    let mut documented = draft();
    documented.contract.endpoints[0].doc.text = "Other words.".to_owned();
    documented.contract.endpoints.reverse();
    assert_eq!(identity(&documented), before);

    let changes: [fn(&mut Draft); 5] = [
        |draft| draft.contract.endpoints[0].name.push('2'),
        |draft| draft.contract.endpoints[0].params[1].optional = true,
        |draft| draft.contract.endpoints[0].options.perm = Perms::R,
        |draft| draft.contract.endpoints[0].options.ugroup = Some("staff".to_owned()),
        |draft| draft.contract.types.get_mut("Entry").expect("it is there").fields[1].optional = true,
    ];
    for (number, change) in changes.into_iter().enumerate() {
        let mut draft = draft();
        change(&mut draft);
        let after = identity(&draft);
        assert!(
            after.build_id != before.build_id && after.route_hash != before.route_hash,
            "change {number}"
        );
    }
}

/// Of a contract that was never locked.
fn identity(draft: &Draft) -> Identity {
    let (_, ids) =
        WireSchema::with_ids(&draft.contract, &WireIds::default()).expect("every type can be laid out");
    Identity::of(&draft.contract, &ids)
}

#[test]
fn identity_changes_with_the_places_of_fields() {
    let (draft, mut ids) = (draft(), WireIds::default());
    let before = identity(&draft);
    let (_, locked) = WireSchema::with_ids(&draft.contract, &ids).expect("every type can be laid out");
    let mut entry = locked.types["Entry"].clone();
    entry[0].id += 7;
    ids.types.insert("Entry".to_owned(), entry);
    let (_, moved) = WireSchema::with_ids(&draft.contract, &ids).expect("every type can be laid out");
    let after = Identity::of(&draft.contract, &moved);
    assert!(after.build_id != before.build_id && after.route_hash == before.route_hash);
}

fn generated(draft: &Draft) -> Result<Artifacts, StubError> {
    let schema = WireSchema::of(&draft.contract).map_err(|mut errors| errors.remove(0))?;
    let identity = Identity { build_id: [0xb1; 16], route_hash: [0x42; 32] };
    let keys = vec![PinnedKey { x25519: [7; 32], mlkem768: vec![9; 4] }];
    let ptr = |name: &String| (name.clone(), format!("tbl_{name}"));
    let ptrs: BTreeMap<String, String> = draft.contract.tables.iter().map(|table| ptr(&table.name)).collect();
    let rest = draft.sources.id("src/api/entries.ts").map(|_| ("api/entries.js".to_owned(), client_rest()));
    let input = StubInput {
        project_name: "guestbook",
        source_root: "src",
        pins: &Pins { suite: 2, identity, keys },
        ptrs: &ptrs,
        client_modules: &rest.into_iter().collect(),
        chains: &chains(draft),
        eager: false,
        pages: None,
    };
    generate(&draft.checked(), &schema, &draft.sources, &input)
}

/// Chains as the split names them: one for each set of middlewares.
fn chains(draft: &Draft) -> BTreeMap<usize, ChainRef> {
    let chain = |(index, endpoint): (usize, &Endpoint)| {
        let selected =
            draft.contract.middleware.iter().filter(|middleware| middleware.filter.selects(endpoint));
        let export = match selected.count() {
            0 => return None,
            count => format!("chain{count}"),
        };
        Some((index, ChainRef { module: "middleware.js".to_owned(), export }))
    };
    draft.contract.endpoints.iter().enumerate().filter_map(chain).collect()
}

fn client_rest() -> ClientRest {
    ClientRest { statements: CLIENT_REST.to_owned(), ..ClientRest::default() }
}

/// What the split leaves of a module; it uses a name that the stubs would like to have.
const CLIENT_REST: &str =
    "const kontract = 'a local name';\nexport const shout = (text) => `${text}! ${kontract}`;\n";

fn draft() -> Draft {
    let mut draft = Draft::new(&["src/api/entries.ts", "src/api/admin.ts", "src/middleware.ts"]);
    let entry = draft.object(
        "Entry",
        vec![
            field("id", Ty::String).primkey().doc("Given by the server."),
            field("author", Ty::String),
            field("message", Ty::String),
            field("createdAt", Ty::Date).perm("R__"),
            field("mood", enumeration(&["calm", "so-so"])),
            field("edits?", array(object("Edit"))),
        ],
    );
    entry.doc.text = "A line in the book.\n\nIts end: */ is harmless.".to_owned();
    draft
        .object("Edit", vec![field("at", Ty::Date), field("by", nullable(Ty::String)), field("size", INT32)]);

    let sign = draft.endpoint(
        "src/api/entries.ts",
        "sign",
        &[("author", Ty::String), ("message", Ty::String)],
        object("Entry"),
    );
    sign.options.egroup = Some("guestbook".to_owned());
    sign.options.perm = Perms::from_bits(6).expect("RW_");
    sign.doc = Doc {
        text: "Signs the book.".to_owned(),
        params: vec![("author".to_owned(), "Who signs.".to_owned())],
        returns: Some("The entry.".to_owned()),
        ..Doc::default()
    };
    let find = draft.endpoint(
        "src/api/entries.ts",
        "findEntry",
        &[("after?", nullable(Ty::Date)), ("id", Ty::String)],
        nullable(object("Entry")),
    );
    find.binding.export = "find".to_owned();
    find.options.perm = Perms::R;
    let purge = draft.endpoint("src/api/admin.ts", "purge", &[], Ty::Void);
    purge.options.ugroup = Some("admin".to_owned());

    draft.middleware("src/middleware.ts", MiddlewareFilter::default());
    let egroup = Some("guestbook".to_owned());
    draft.middleware("src/middleware.ts", MiddlewareFilter { egroup, ..MiddlewareFilter::default() });
    let ugroup = Some("admin".to_owned());
    draft.middleware("src/middleware.ts", MiddlewareFilter { ugroup, ..MiddlewareFilter::default() });
    draft.table("entries", "Entry", "id");
    draft
}
