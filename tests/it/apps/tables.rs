//! The whole of `env.storage` from endpoints on workerd: each operation, whose rows callers see, what a call costs.

use serde_json::{Value, json};

use super::build::DEV_VARS;
use crate::support::app::{App, Served};
use crate::support::counting::Counting;
use crate::support::postgres::{Database, Server};
use crate::support::script;

fn app() -> App {
    let app = App::of_fixture("apps/tables");
    app.write(".dev.vars", DEV_VARS);
    app
}

fn call(app: &App, served: &Served, arguments: &[&str]) -> Value {
    let project = script::argument(app.path());
    script::run("tables.mjs", &[&[project.as_str(), served.url.as_str()], arguments].concat())
}

#[test]
fn every_operation_works_from_an_endpoint() {
    let app = app();
    let served = app.serve(None);
    let seen = call(&app, &served, &["everything"]);
    let item = |id: &str, n: i32, tag: &str| json!({"id": id, "n": n, "tag": tag});
    assert_eq!(
        seen["wrote"],
        json!({
            "updated": item("i1", 10, "odd"), "popped": {"id": "last", "n": 9}, "shifted": item("i1", 10, "odd"),
            "own": item("i3", 3, "odd"), "count": 3, "counted": [{"count": 3, "sum": 12}],
        })
    );
    let (three, four, five) = (item("i3", 3, "odd"), item("i4", 4, "even"), item("i5", 5, "odd"));
    assert_eq!(
        seen["read"],
        json!({
            "iterated": ["i3", "i4", "i5"], "one": three, "some": [four, null], "odd": [three, five],
            "ranged": [four, five], "ordered": [five, four], "page": [three], "count": 2, "list": [four], "versions": 1,
            "rows": [{"id": "i4"}, {"id": "i5"}],
        })
    );
    assert_eq!(seen["rewritten"], item("i3", 103, "odd"));
    assert_eq!(seen["past"], json!({"then": three, "now": item("i3", 103, "odd")}));
    assert_eq!((&seen["inner"]["status"], &seen["inner"]["code"]), (&json!(500), &json!("INTERNAL")));
    assert_eq!(
        seen["ids"],
        json!(["i3", "i4", "i5", "inner"]),
        "the inner transaction stays, the outer one does not"
    );
    let codes: Vec<&Value> =
        seen["hostile"].as_array().expect("a list").iter().map(|error| &error["code"]).collect();
    assert_eq!(codes, ["INTERNAL", "PERMISSION_DENIED", "INTERNAL", "INTERNAL"], "{}", seen["hostile"]);
}

#[test]
fn an_iteration_comes_to_each_row_once_whatever_its_body_writes() {
    let app = app();
    let served = app.serve(None);
    let walk = |left: i32| json!({"seen": 450, "distinct": 450, "left": left});
    assert_eq!(
        call(&app, &served, &["walks"]),
        json!({"push": walk(450), "set": walk(450), "delete": walk(0)})
    );
}

/// workerd passes no value of more than 32 MiB from one object to another.
#[test]
fn a_read_of_too_much_is_refused_and_an_iteration_takes_smaller_pages() {
    let app = app();
    let served = app.serve(None);
    let seen = call(&app, &served, &["large"]);
    assert_eq!(seen["walked"], json!({"seen": 40, "distinct": 40, "left": 40}));
    for refused in seen["refused"].as_array().expect("a list") {
        assert_eq!((&refused["status"], &refused["code"]), (&json!(400), &json!("INVALID_REQUEST")));
        assert!(refused["message"].as_str().expect("text").contains("15 MiB"), "{refused}");
    }
    assert_eq!((&seen["listed"], &seen["together"]), (&json!(10), &json!([10, 10, 10])));
}

#[test]
fn owners_and_tenants_see_their_own() {
    let database = Database::bare(Server::Debian15);
    let app = app();
    let served = app.serve(Some(&database.url("postgres")));
    // Each run of the script is a caller of its own.
    let texts = |arguments: &[&str]| -> (String, Vec<String>) {
        let seen = call(&app, &served, arguments);
        let mut lines: Vec<String> = serde_json::from_value(seen["seen"].clone()).expect("texts");
        (lines.remove(0), lines)
    };
    let (_, ann) = texts(&["note", "ann"]);
    assert_eq!(ann, ["diary ann", "memo ann", "1 rows"]);
    let (bob, lines) = texts(&["note", "bob"]);
    assert_eq!(lines, ["diary bob", "memo bob", "1 rows"]);
    assert_eq!(texts(&["notes"]).1, ["0 rows"]);
    let mut admin = database.connect("postgres");
    let tables: i64 = admin
        .query_one("SELECT count(*) FROM kt_priv.tables WHERE template = 'tbl_memos'", &[])
        .expect("reads")
        .get(0);
    assert_eq!(tables, 3, "one for each tenant, made when it was first used");
    let owners: i64 = admin
        .query_one(
            "SELECT count(DISTINCT _owner) FROM kt_data.tbl_diaries WHERE id = 'today' AND _owner <> $1",
            &[&bob],
        )
        .expect("reads")
        .get(0);
    assert_eq!(owners, 1, "one table, one row for each owner");
}

#[test]
fn a_unique_value_is_refused_with_an_error_that_names_the_field() {
    let app = app();
    let served = app.serve(None);
    let seen = call(&app, &served, &["unique"]);
    let error = json!({"name": "ConflictError", "status": 409, "code": "NOT_UNIQUE", "message": "another row has this email"});
    assert_eq!((&seen["refused"], &seen["errors"]), (&json!(6), &json!([error])), "{seen}");
    assert_eq!(
        (&seen["swapped"], &seen["message"]),
        (&json!(["bob@x", "ann@x"]), &json!("another row has this since"))
    );
    assert_eq!(seen["tries"], json!(["email", ""]));
}

#[test]
fn a_field_without_r_is_read_by_nobody() {
    let app = app();
    let served = app.serve(None);
    let seen = call(&app, &served, &["pins"]);
    let row = json!({"id": "z"});
    assert_eq!(seen[0], json!([row, row, [row]]));
    let read = seen[1].as_str().expect("text");
    assert!(read.contains("\"z\"") && !read.contains("secret"), "{read}");
    assert_eq!((&seen[2]["status"], &seen[2]["code"]), (&json!(403), &json!("PERMISSION_DENIED")), "{seen}");
}

/// The caller is nobody in particular, a member, one of another tenant, one who was a member and one who changed sides.
#[test]
fn tenants_are_what_the_administrator_says() {
    let database = Database::bare(Server::Debian15);
    let app = app();
    let served = app.serve(Some(&database.url("postgres")));
    let project = script::argument(app.path());
    let seen = script::run("tenants.mjs", &[&project, &served.url, &database.url("postgres")]);
    let acme = ["memo ann", "memo carol", "memo dave", "3 rows"];
    let with = |diary: &str, rest: &[&str]| json!([&[diary][..], rest].concat());
    let expected = |dave: Value, bob: Value| {
        json!({
            "ann": with("diary ann", &acme), "carol": with("diary carol", &acme), "dave": dave, "bob": bob, "nobody": ["0 rows"],
        })
    };
    let bob = with("diary bob", &["memo bob", "1 rows"]);
    assert_eq!(seen["members"], expected(with("diary dave", &acme), bob.clone()));
    assert_eq!(seen["revoked"], expected(with("diary dave", &["0 rows"]), bob.clone()));
    assert_eq!(seen["moved"], expected(with("diary dave again", &["memo bob", "1 rows"]), bob));
}

#[test]
fn a_call_takes_no_more_round_trips_than_it_has_to() {
    let database = Database::bare(Server::Debian15);
    let (port, name) = database.address();
    let counting = Counting::start(port);
    let app = app();
    let mut served = app.serve(Some(&format!("postgres://postgres@127.0.0.1:{}/{name}", counting.port())));
    // Every connection of the gateway logs in.
    call(&app, &served, &["blindWrite", "12"]);
    for _ in 0..12 {
        served.wait_for("request");
    }
    for (endpoint, expected) in
        [("oneRead", 1), ("readsTogether", 1), ("blindWrite", 1), ("readModifyWrite", 2)]
    {
        let before = counting.turns();
        call(&app, &served, &[endpoint, "10"]);
        assert_eq!(counting.turns() - before, 10 * expected, "{endpoint}, at the connection");
        for _ in 0..10 {
            let event = served.wait_for("request");
            let facts = (&event["name"], &event["status"], &event["attempts"], &event["roundTrips"]);
            assert_eq!(facts, (&json!(endpoint), &json!(200), &json!(1), &json!(expected)), "{event}");
        }
    }
}

#[test]
fn retries_are_reported() {
    let app = app();
    let mut served = app.serve(None);
    let seen = call(&app, &served, &["atOnce", "3"]);
    assert_eq!(seen["last"], 13, "no increment is lost");
    let (mut conflicts, mut attempts) = (0, 0);
    for _ in 0..13 {
        let event = served.wait_for("request");
        let number = |field: &str| event[field].as_u64().expect("a number");
        assert_eq!(number("attempts"), number("conflicts") + 1, "{event}");
        assert!(number("attempts") <= 24, "{event}");
        assert_eq!(number("conflicts") == 0, event["pausedMs"] == 0 && number("attempts") == 1, "{event}");
        conflicts += number("conflicts");
        attempts += number("attempts");
    }
    assert!(conflicts > 0 && attempts == 13 + conflicts, "callers of one row are in each other's way");
}
