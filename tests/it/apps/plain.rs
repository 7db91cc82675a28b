//! An app without a page or decorators: only what stock TypeScript accepts, with every kind of stored value.

use super::build::DEV_VARS;
use crate::support::app::{App, repository};
use crate::support::script;
use serde_json::json;
use std::process::Command;

#[test]
fn stock_tsc_accepts_it_and_rows_keep_what_json_cannot_hold() {
    let app = App::of_fixture("apps/plain");
    app.write(".dev.vars", DEV_VARS);
    app.build();
    let tsc = Command::new("node")
        .arg(repository().join("node_modules/typescript/bin/tsc"))
        .args(["--project", "."])
        .current_dir(app.path())
        .output()
        .expect("run tsc");
    assert!(tsc.status.success(), "{}", String::from_utf8_lossy(&tsc.stdout));

    let served = app.serve(None);
    let outcome = script::run("plain.mjs", &[&script::argument(app.path()), &served.url]);
    assert_eq!(outcome["note"]["size"], "9007199254740993n");
    assert_eq!(outcome["note"]["photo"], json!([1, 2, 255]));
    assert_eq!(outcome["note"]["edits"], json!([{ "at": "Date 5", "by": null }]));
    assert_eq!(outcome["note"]["stars"], 4);
    assert_eq!((&outcome["before"], &outcome["after"]), (&json!(1), &json!(0)));
}
