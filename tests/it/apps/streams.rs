//! Streamed results, long messages and cancelled calls on workerd, over both transports.

use super::build::DEV_VARS;
use crate::support::app::App;
use crate::support::script;
use serde_json::{Value, json};

#[test]
fn streams_flow_over_both_transports() {
    let app = App::of_fixture("apps/streams");
    app.write(".dev.vars", DEV_VARS);
    let served = app.serve(None);
    for transport in ["post", "websocket"] {
        check(
            transport,
            &script::run("streams.mjs", &[&script::argument(app.path()), &served.url, transport]),
        );
    }
}

fn check(transport: &str, outcome: &Value) {
    assert_eq!((&outcome["items"], &outcome["inOrder"]), (&json!(1000), &json!(true)), "{transport}");
    assert_eq!(outcome["taken"], 50);
    // Of 4,000: on a socket the window of 256 KiB, on a POST also what the connection holds.
    let ahead_max = if transport == "websocket" { 5 } else { 200 };
    assert!(
        outcome["ahead"].as_u64().is_some_and(|ahead| ahead <= ahead_max),
        "{transport}: {}",
        outcome["ahead"]
    );
    assert_eq!(outcome["left"], true, "{transport}: leaving the loop ends the generator");
    assert_eq!(
        (&outcome["aborted"], &outcome["abortedLeft"]),
        (&json!("AbortError"), &json!(true)),
        "{transport}"
    );
    assert_eq!(outcome["received"], json!(["one"]), "{transport}");
    let failure =
        json!({ "name": "NotFoundError", "status": 404, "code": "NOT_FOUND", "message": "there is no two" });
    assert_eq!(outcome["failure"], failure, "{transport}");
    assert_eq!(outcome["stored"], 3, "{transport}");
    assert_eq!(outcome["kept"], 3, "{transport}: what failed or was left is not stored");
    assert_eq!(outcome["echoed"], true, "{transport}");
    assert_eq!(outcome["tooLong"]["status"], 413, "{transport}: {}", outcome["tooLong"]);
    assert_eq!(outcome["shortTooLong"]["status"], 413, "{transport}: {}", outcome["shortTooLong"]);
    assert_eq!(outcome["huge"], json!([3_000_000, 3_000_000]), "{transport}");
    assert_eq!(outcome["gaveUp"], "AbortError", "{transport}");
    // workerd tells a Worker of a lost POST only while its answer is a stream.
    assert_eq!(outcome["cancelled"], transport == "websocket", "{transport}");
    assert_eq!(outcome["late"], false, "{transport}: a cancelled call commits nothing");
}

#[test]
fn files_and_streams_arrive_as_arguments_over_both_transports() {
    let app = App::of_fixture("apps/streams");
    app.write(".dev.vars", DEV_VARS);
    let served = app.serve(None);
    for transport in ["post", "websocket"] {
        let project = script::argument(app.path());
        let outcome = script::run("uploads.mjs", &[&project, &served.url, transport, "20"]);
        let measured = &outcome["measured"];
        assert_eq!(
            (&measured["name"], &measured["type"], &measured["modified"], &measured["note"]),
            (&json!("numbers.bin"), &json!("application/x-numbers"), &json!(1000), &json!("with a note")),
            "{transport}"
        );
        assert_eq!(
            (&measured["size"], &measured["bytes"]),
            (&json!(20_000_000), &json!(20_000_000)),
            "{transport}"
        );
        assert_eq!(outcome["both"], "first second", "{transport}");
        assert_eq!(outcome["streamed"], 2_000_000, "{transport}");
        assert_eq!(outcome["names"], json!(["né.txt", null]), "{transport}");
        assert_eq!(outcome["wrong"]["code"], "INVALID_REQUEST", "{transport}: {}", outcome["wrong"]);
        assert_eq!(outcome["tooLarge"]["status"], 413, "{transport}: {}", outcome["tooLarge"]);
        assert_eq!(outcome["tooLong"]["status"], 413, "{transport}: {}", outcome["tooLong"]);
        assert_eq!(outcome["isCancelled"], true, "{transport}: nobody reads an endless stream on");
        assert_eq!(outcome["unreadable"], json!(["Error", "the disk is gone"]), "{transport}");
    }
}
