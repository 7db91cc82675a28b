//! Networks that let less through than a WebSocket, and a WebSocket whose other end was taken out of memory.

use super::build::DEV_VARS;
use crate::support::app::App;
use crate::support::script;
use serde_json::json;

#[test]
fn the_client_falls_from_sockets_to_events_to_posts_by_itself() {
    let app = App::of_fixture("apps/streams");
    app.write(".dev.vars", DEV_VARS);
    let served = app.serve(None);
    let outcome = script::run("fallback.mjs", &[&script::argument(app.path()), &served.url]);
    let whole = json!({
        "inOrder": true, "long": [1_500_000, 1_500_000], "echoed": "é", "stored": 2, "kept": 2, "left": true,
    });
    for (name, outcome) in outcome["outcomes"].as_object().expect("outcomes") {
        assert_eq!(*outcome, whole, "{name}");
    }
    assert_eq!(outcome["posts"], json!([false, true, true, true, true]), "{outcome}");
    let gets: Vec<u64> = serde_json::from_value(outcome["gets"].clone()).expect("numbers");
    assert_eq!(gets[0], 0, "a socket carries streams");
    assert_eq!(gets[1], 4, "every stream that only reads comes as events");
    assert_eq!(gets[2..4], [1, 1], "what does not come through is not asked for again");
    assert!(outcome["cuts"].as_u64().is_some_and(|cuts| (1..=6).contains(&cuts)), "{outcome}");
}

#[test]
fn a_socket_that_slept_starts_a_new_epoch() {
    let app = App::copy_of("guestbook");
    app.write(".dev.vars", DEV_VARS);
    let served = app.serve(None);
    let outcome = script::run("wakeup.mjs", &[&script::argument(app.path()), &served.url]);
    let expected = json!({
        "sockets": 2,
        "firstClosed": 1008,
        "secondIsOpen": true,
        "freshHandshake": true,
        "framesTwice": 0,
        "messages": ["after", "before"],
    });
    assert_eq!(outcome, expected);
}
