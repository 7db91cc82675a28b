//! A third implementation of raystream, `tests/py`, against the gateway on workerd: calls, and everything to refuse.

use super::build::DEV_VARS;
use crate::support::app::{App, Served, repository};
use crate::support::script;
use kontract::contract::signature::hex;
use kontract_raystream::StaticKey;
use serde_json::{Value, json};
use std::process::Command;

/// Serves the example with a suite; beside it lies `pins.json`, what a client of it knows.
pub(super) fn serve(suite: u8) -> (App, Served) {
    let app = App::copy_of("guestbook");
    app.write(".dev.vars", &format!("{DEV_VARS}KONTRACT_ORIGINS=https://friend.example\n"));
    app.write(
        "kontract.json",
        &app.read("kontract.json").replace("\"suite\": 2", &format!("\"suite\": {suite}")),
    );
    let served = app.serve(None);
    write_pins(&app, &served, suite);
    (app, served)
}

/// Writes `pins.json`, what a client of an app with the keys of [`DEV_VARS`] knows.
fn write_pins(app: &App, served: &Served, suite: u8) {
    let identity: Value = serde_json::from_str(&app.read(".kontract/server/identity.json")).expect("JSON");
    assert_eq!(identity["suite"], suite);
    let bytes = |field: &str| {
        let numbers: Vec<u8> = serde_json::from_value(identity[field].clone()).expect("an array of bytes");
        hex(&numbers)
    };
    let key = StaticKey::from_seed([1; 32]);
    let pins = json!({
        "url": served.url,
        "suite": suite,
        "buildId": bytes("buildId"),
        "routeHash": bytes("routeHash"),
        "x25519": hex(key.public().x25519()),
        "mlKem": hex(&key.public().ml_kem()),
        "ticketKeys": app.path().join(".kontract/objects/kontract-kontractkeys"),
    });
    app.write("pins.json", &pins.to_string());
}

/// Lets the peer loose on the example.
fn peer_meets(suite: u8) -> Value {
    let (app, _served) = serve(suite);
    script::python("gateway.py", &[&script::argument(&app.path().join("pins.json"))])
}

fn check(outcome: &Value) {
    let refused = json!("400, 0 bytes");
    assert_eq!(outcome["calls"]["author"], "Grace");
    assert_eq!(outcome["calls"]["listed"], json!(["from a third implementation"]));
    assert_eq!(outcome["calls"]["counts"], json!([1, 1, 1]));
    assert_eq!(outcome["calls"]["extensions"], json!([]), "ciphertext is not compressed");
    let replay = json!({ "sameServerRandom": false, "sameSealedAnswer": false, "statuses": [200, 200, 200], "effects": 1 });
    assert_eq!(outcome["replay"], replay);
    let messages = json!(["from a third implementation"]);
    assert_eq!(
        outcome["early"],
        json!({ "owner": "anon_", "listed": messages, "overSocket": messages }),
        "one round trip"
    );
    assert_eq!(outcome["events"], json!({ "status": 200, "ids": ["", "0.0"], "listed": messages }));
    let early = json!({ "frames": [4, 4], "sameEphemeral": false, "sameSealedAnswers": false, "stored": 0 });
    assert_eq!(outcome["earlyReplay"], early);
    assert_eq!(outcome["goodPoints"], json!([200, 200]));
    assert_eq!(outcome["givenUp"], json!({ "answers": 0, "stored": 0 }));
    let (foreign, own) = ("400 400", "200 101");
    let origins = json!({
        "https://evil.example": foreign,
        "null": foreign,
        "http://own.evil.example": foreign,
        "http://own": own,
        "None": own,
    });
    assert_eq!(outcome["origins"], origins);
    let friend = "https://friend.example";
    let (told, unseen) = (
        json!([[204, friend], [204, friend], [200, friend]]),
        json!([[400, null], [400, null], [400, null]]),
    );
    assert_eq!(outcome["crossOrigin"], json!({ friend: told, "https://evil.example": unseen }));
    assert!(outcome["bits"].as_u64().is_some_and(|bits| bits > 3_000), "{}", outcome["bits"]);
    assert_eq!(outcome["everyBit"], json!({ "400, 0 bytes": outcome["bits"] }));
    assert_eq!(
        outcome["everyLength"].as_object().map(|outcomes| outcomes.keys().collect::<Vec<_>>()),
        Some(vec![&"400, 0 bytes".to_owned()])
    );
    for (name, answer) in outcome["post"].as_object().expect("cases") {
        assert_eq!(*answer, refused, "{name}");
    }
    for (name, answer) in outcome["socket"].as_object().expect("cases") {
        assert_eq!(answer, "closed 1008", "{name}");
    }
    assert_eq!(outcome["keyUpdates"], 10_000);
    assert_eq!(outcome["afterwards"], "Grace", "the gateway serves on");
}

#[test]
fn a_third_implementation_calls_and_is_refused_in_suite_1() {
    check(&peer_meets(1));
}

#[test]
fn a_third_implementation_calls_and_is_refused_in_suite_2() {
    check(&peer_meets(2));
}

#[test]
fn a_peer_that_reads_no_answers_is_given_up() {
    let app = App::of_fixture("apps/streams");
    app.write(".dev.vars", DEV_VARS);
    let served = app.serve(None);
    write_pins(&app, &served, 2);
    let outcome = script::python("unread.py", &[&script::argument(&app.path().join("pins.json"))]);
    assert_eq!(outcome["ending"], "closed 1011", "{outcome}");
    assert!(outcome["answers"].as_u64().is_some_and(|answers| answers < 150), "{outcome}");
}

/// Sessions of random length, over both transports, resumed and given new keys at random.
#[test]
fn random_sessions_of_rust_python_and_typescript_agree() {
    let built = Command::new(env!("CARGO"))
        .args([
            "build",
            "--quiet",
            "-p",
            "kontract-raystream",
            "--example",
            "echo",
            "--message-format",
            "json",
        ])
        .current_dir(repository())
        .output()
        .expect("run cargo");
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    let messages = String::from_utf8_lossy(&built.stdout);
    let echo = messages
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .find_map(|message| Some(message["executable"].as_str()?.to_owned()))
        .expect("cargo names the program");
    let folder = tempfile::tempdir().expect("a folder");
    let record = script::argument(&folder.path().join("sessions"));
    let counts = script::python("sessions.py", &["10000", "1", &record, &echo]);
    assert_eq!(counts["sessions"], 10_000);
    assert_eq!(
        script::run("sessions.mjs", &[&record, &echo]),
        json!({ "sessions": 10_000, "frames": counts["frames"] })
    );
    for what in ["resumes", "frames", "new keys", "new keys of the server", "early calls"] {
        assert!(counts[what].as_u64().is_some_and(|count| count > 1_000), "{counts}");
    }
}
