//! What a developer sees of the sources while the Worker runs: stack traces in the log, breakpoints.

use super::build::DEV_VARS;
use crate::support::app::App;
use crate::support::script;
use serde_json::json;

#[test]
fn the_log_names_the_users_file_line_and_column() {
    let app = App::of_fixture("apps/traces");
    app.write(".dev.vars", DEV_VARS);
    let (served, log) = app.inspect();
    let outcome = script::run("traces.mjs", &[&script::argument(app.path()), &served.url]);
    assert_eq!(outcome["left"], 90);
    assert_eq!(
        (&outcome["errors"][0]["code"], &outcome["errors"][1]["code"]),
        (&json!("INTERNAL"), &json!("INTERNAL"))
    );
    // A helper of another module, called by an endpoint, within a middleware.
    log.wait_for("RangeError: no 1000 on for rent");
    // The third is the route's own.
    for frame in ["(src/ledger.ts:10:11)", "(src/api.ts:8:17)", ".js:", "(src/middleware.ts:5:20)"] {
        let line = log.wait_for("    at ");
        assert!(line.contains(frame), "{frame} is not in: {line}");
    }
    // What is thrown by inlined code is where its middleware is.
    log.wait_for("Error: one is too little for pay");
    let line = log.wait_for("    at ");
    assert!(line.contains("(src/middleware.ts:7:13)"), "{line}");
}

#[test]
fn a_breakpoint_on_a_source_line_hits() {
    let app = App::of_fixture("apps/traces");
    app.write(".dev.vars", DEV_VARS);
    let (served, _log) = app.inspect();
    let project = script::argument(app.path());
    let hit =
        script::run("breakpoint.mjs", &[&project, &served.url, &served.inspector_url, "src/ledger.ts", "12"]);
    assert_eq!(
        (&hit["functionName"], &hit["line"], &hit["value"]),
        (&json!("withdraw"), &json!(true), &json!(90)),
        "{hit}"
    );
    assert_eq!(hit["amount"], 10, "{hit}");
    let maps = hit["sourceMapURLs"].as_array().expect("a list");
    assert!(maps.iter().any(|url| url.as_str().is_some_and(|url| url.ends_with(".js.map"))), "{hit}");
}
