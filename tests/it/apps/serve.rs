//! The example on workerd: calls from Node and from Chromium, rows in PostgreSQL, refusals.

use super::build::DEV_VARS;
use crate::support::app::{App, Served};
use crate::support::postgres::{Database, Server};
use crate::support::script;
use kontract_auth::{Authority, Identity, IdentityKey, SessionBinding, UnixSeconds};
use serde_json::{Value, json};
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

/// A served copy of the example.
struct Guestbook {
    app: App,
    served: Served,
}

impl Guestbook {
    fn start(database_url: Option<&str>) -> Self {
        let app = App::copy_of("guestbook");
        app.write(".dev.vars", DEV_VARS);
        let served = app.serve(database_url);
        Self { app, served }
    }

    fn run(&self, name: &str, more: &[&str]) -> Value {
        let project = script::argument(self.app.path());
        let arguments: Vec<&str> =
            [&project, self.served.url.as_str()].into_iter().chain(more.iter().copied()).collect();
        script::run(name, &arguments)
    }

    /// What psql prints for a statement, as the given user.
    fn psql(&self, user: &str, sql: &str) -> Result<String, String> {
        let url = self.served.database_url.replace("postgres://postgres@", &format!("postgres://{user}@"));
        let output = Command::new("psql")
            .args(["-X", "-q", "-At", "-c", sql, &url])
            .output()
            .expect("psql is missing: apt-get install postgresql-client");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
        if output.status.success() { Ok(text(&output.stdout)) } else { Err(text(&output.stderr)) }
    }
}

#[test]
fn a_visitor_signs_reads_and_likes_on_the_embedded_database() {
    let guestbook = Guestbook::start(None);
    for transport in ["post", "websocket"] {
        check_visit(&guestbook.run("guestbook.mjs", &[transport]));
    }
    check_rows(&guestbook);
    let (code, last) = guestbook.served.stop();
    assert_eq!((code, last), (Some(0), json!({ "event": "stopped" })));
}

#[test]
fn a_visitor_signs_reads_and_likes_on_a_database_of_the_users() {
    let database = Database::bare(Server::Debian15);
    let guestbook = Guestbook::start(Some(&database.url("postgres")));
    check_visit(&guestbook.run("guestbook.mjs", &["post"]));
    check_rows(&guestbook);
}

pub(super) fn check_visit(visit: &Value) {
    assert_eq!(visit["created"]["author"], "Ada");
    assert_eq!(visit["created"]["message"], "Hello, world", "the server cleans the text");
    assert_eq!(visit["isDate"], true);
    assert_eq!(visit["readsBack"], true);
    assert_eq!(visit["likes"], 1);
    assert!(visit["listed"].as_u64().is_some_and(|count| count >= 1));
    assert_eq!((&visit["viewed"], &visit["viewedWhole"]), (&json!(true), &json!(true)));
    let refusal =
        |name: &str| (visit[name]["status"].as_u64(), visit[name]["code"].as_str().unwrap_or_default());
    assert_eq!(refusal("forbidden"), (Some(403), "PERMISSION_DENIED"));
    assert_eq!(refusal("missing"), (Some(404), "NOT_FOUND"));
    assert_eq!(refusal("refusedText"), (Some(422), "TEXT_EMPTY"));
    assert_eq!(refusal("wrongType").1, "INVALID_REQUEST", "{}", visit["wrongType"]);
    assert_eq!(refusal("excess").1, "INVALID_REQUEST", "{}", visit["excess"]);
}

/// The row as PostgreSQL has it, and what the gateway's own role sees of it: nothing.
fn check_rows(guestbook: &Guestbook) {
    let row = guestbook
        .psql("postgres", "SELECT data->>'author' || ' ' || (data->>'likes') FROM kt_data.tbl_entries WHERE _deleted_txid IS NULL LIMIT 1")
        .expect("the administrator reads");
    assert_eq!(row, "Ada 1");
    for sql in [
        "SELECT * FROM kt_data.tbl_entries",
        "DELETE FROM kt_data.tbl_entries",
        "INSERT INTO kt.storage VALUES ('x', 'tbl_entries', '*', 7)",
        "SELECT inner_key FROM kt_priv.meta",
    ] {
        let refusal = guestbook.psql("kt_gateway", sql).expect_err(sql);
        assert!(refusal.contains("permission denied"), "{sql}: {refusal}");
    }
}

#[test]
fn concurrent_updates_of_one_row_lose_nothing() {
    let guestbook = Guestbook::start(None);
    let outcome = guestbook.run("conflict.mjs", &["12"]);
    assert_eq!(outcome, json!({ "stored": 12, "distinct": 12 }));
}

#[test]
fn lost_database_connections_are_opened_again_without_a_failed_call() {
    let guestbook = Guestbook::start(None);
    check_visit(&guestbook.run("guestbook.mjs", &["post"]));
    let ended = guestbook
        .psql(
            "postgres",
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE usename = 'kt_gateway'",
        )
        .expect("the administrator ends them");
    assert_ne!(ended, "0", "the gateway holds connections between calls");
    check_visit(&guestbook.run("guestbook.mjs", &["post"]));
}

#[test]
fn a_repeated_or_replayed_mutation_has_one_effect() {
    let guestbook = Guestbook::start(None);
    let repeated = guestbook.run("idempotency.mjs", &[]);
    assert_eq!(repeated["stored"], 1);
    assert_eq!(repeated["first"], repeated["second"], "the retry gets the first answer");

    let replayed = guestbook.run("replay.mjs", &[]);
    assert_eq!(replayed["recorded"], 1);
    assert_eq!(replayed["statuses"], json!([200, 200, 200]));
    assert_eq!(replayed["distinctAnswers"], 3, "answers to one request are under different keys");
    assert_eq!(replayed["stored"], 1);
}

#[test]
fn a_flipped_bit_in_any_byte_is_refused() {
    let guestbook = Guestbook::start(None);
    let outcome = guestbook.run("flip.mjs", &[]);
    assert_eq!(outcome["unchanged"], json!([200, 200]), "the recorded bodies are good as they are");
    for body in ["handshake", "call"] {
        let length = outcome[body]["length"].as_u64().expect("a length");
        assert!(length > 100, "{body} has {length} bytes");
        assert_eq!(outcome[body]["outcomes"], json!({ "400, 0 bytes": length }), "{body}");
    }
    assert_eq!(outcome["answers"], json!({ "RefusedError": 40 }), "the client believes no altered answer");
    assert_eq!(outcome["closeCodes"], json!([1008]));
}

#[test]
fn an_admin_may_do_what_visitors_may_not() {
    let guestbook = Guestbook::start(None);
    let admin = Identity { owner: "user_admin".into(), groups: vec!["admin".into()], mask: 7 };
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs();
    let authority = Authority::new(&IdentityKey::new([3; 32]));
    let tokens = authority.issue(&admin, &SessionBinding::of(&[0; 16]), UnixSeconds(now));
    let outcome = guestbook.run("admin.mjs", &[&tokens.refresh_token]);
    assert_eq!(outcome["deleted"], Value::Null);
    assert_eq!(outcome["afterwards"]["status"], 404);
}

#[test]
fn two_visitors_meet_in_chromium() {
    let guestbook = Guestbook::start(None);
    let screenshot = guestbook.app.path().join("guestbook.png");
    let outcome = script::run("browser.mjs", &[&guestbook.served.url, &script::argument(&screenshot)]);
    assert_eq!(outcome["problems"], json!([]));
    assert_eq!(outcome["plaintext"], 0, "no frame shows what was written");
    assert!(outcome["sockets"].as_u64().is_some_and(|count| count >= 2), "{outcome}");
    assert!(outcome["frames"].as_u64().is_some_and(|count| count >= 2), "{outcome}");
    assert!(screenshot.metadata().expect("a screenshot").len() > 1000);
}

#[test]
fn other_host_names_are_turned_away() {
    let guestbook = Guestbook::start(None);
    let address = guestbook.served.url.strip_prefix("http://").expect("an http address");
    let status = |host: &str| {
        let mut stream = TcpStream::connect(address).expect("workerd listens");
        write!(stream, "GET /health HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").expect("sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("answered");
        answer.split(' ').nth(1).unwrap_or_default().to_owned()
    };
    assert_eq!(status("localhost"), "200");
    assert_eq!(status("evil.example"), "421");
}
