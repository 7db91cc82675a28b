//! Pages that the Worker draws with React: endpoints called without a connection, for the visitor, with every check.

use super::build::{DEV_VARS, text_below};
use crate::support::app::App;
use crate::support::script;
use serde_json::json;

fn app() -> App {
    let app = App::of_fixture("apps/ssr");
    app.write(".dev.vars", DEV_VARS);
    app
}

#[test]
fn pages_are_drawn_in_the_worker_and_taken_over_by_the_browser() {
    let app = app();
    let served = app.serve(None);
    let seen = script::run("ssr.mjs", &[&script::argument(app.path()), &served.url]);
    assert_eq!(seen["anonymous"], json!([true, true, true]), "a page without a visitor is for somebody new");
    assert_eq!(seen["known"], json!([true, true]));
    assert_eq!(seen["forged"], true);
    assert_eq!(seen["strangers"], 0, "pages that are drawn at once keep to their own visitors");
    assert_eq!(seen["added"], "first");
    assert_eq!(seen["html"], json!([true, true, false]), "drawn from what was added, into the template");
    assert_eq!(seen["numbers"], json!([[1, 2, 3], [1, 2]]));
    assert_eq!(
        seen["motto"],
        json!(["write it down, for 1 €", "4 €"]),
        "JSON, and what a helper does when loaded"
    );
    let errors = &seen["errors"];
    assert_eq!(
        (&errors["group"]["name"], &errors["group"]["status"]),
        (&json!("PermissionError"), &json!(403))
    );
    assert_eq!(errors["failed"]["name"], "NotFoundError");
    assert_eq!((&errors["broken"]["status"], &errors["broken"]["code"]), (&json!(500), &json!("INTERNAL")));
    assert!(!errors.to_string().contains("hunter2"), "{errors}");
    let other = |call: &str| errors[call]["other"].as_str().unwrap_or_default().to_owned();
    assert!(other("timeout").contains("TimeoutError"), "{errors}");
    assert!(other("arguments").contains("a number"), "what has not its type goes nowhere: {errors}");
    assert_eq!(seen["after"], false, "what a failed call wrote is gone");
    assert_eq!(seen["script"], json!([200, "text/javascript; charset=utf-8"]));
    assert_eq!(seen["missing"], json!([404, "no page /nowhere.png", "public, max-age=60"]));
    assert_eq!(seen["thrown"], json!([410, "this page is gone\n"]));
    assert_eq!(seen["text"], 500);
    assert_eq!(seen["private"], "private, no-cache");
    assert_eq!(seen["post"], 404);
    assert_eq!(
        seen["browser"],
        json!({ "same": true, "drawnFor": true, "items": ["added while drawing 26"], "problems": [] })
    );
}

#[test]
fn what_draws_pages_is_server_code_and_its_build_is_tried_out() {
    let app = app();
    app.build();
    let secret = "ssr-planted-signature-8f21";
    assert!(text_below(&app.path().join("dist/server")).contains(secret));
    for folder in ["dist/app", "dist/client"] {
        assert!(!text_below(&app.path().join(folder)).contains(secret), "{folder}");
    }
    let modules = app.read(".kontract/modules.json");
    assert!(modules.contains("src/entry-server.tsx"), "page bundlers must not follow it: {modules}");
    assert!(app.read("dist/server/wrangler.json").contains("\"html_handling\": \"none\""));

    let page = app.read("src/entry-server.tsx");
    app.write("src/entry-server.tsx", &format!("document.title = 'at the top';\n{page}"));
    let output = app.kontract(&["build", "--no-frontend"]);
    let words = String::from_utf8_lossy(&output.stderr);
    assert!(words.contains("KT0803") && words.contains("src/entry-server.tsx:1"), "{words}");
}
