//! `kontract dev` while its project is being worked on.

use super::build::DEV_VARS;
use crate::support::app::App;
use crate::support::script;
use serde_json::json;

/// What a visitor of the guestbook is told about an entry that is not there.
fn words_for_a_missing_entry(app: &App, url: &str) -> String {
    let visit = script::run("guestbook.mjs", &[&script::argument(app.path()), url, "post"]);
    visit["missing"]["message"].as_str().unwrap_or_default().to_owned()
}

#[test]
fn changes_are_served_and_mistakes_are_waited_out() {
    let app = App::copy_of("guestbook");
    app.write(".dev.vars", DEV_VARS);
    let mut served = app.watch();
    let url = served.url.clone();
    let missing = || words_for_a_missing_entry(&app, &url);
    assert_eq!(missing(), "this entry is not in the book");

    let entries = app.read("src/api/entries.ts");
    app.write("src/api/entries.ts", &entries.replace("is not in the book", "was never written"));
    served.wait_for("rebuilt");
    assert_eq!(missing(), "this entry was never written");

    app.write(
        "src/api/entries.ts",
        &entries.replace("export async function getEntry(id: string)", "export async function getEntry(id)"),
    );
    let event = served.wait_for("diagnostics");
    assert_eq!(event["diagnostics"][0]["code"], "KT0301");
    assert_eq!(missing(), "this entry was never written", "what was built before goes on running");

    app.write("src/api/entries.ts", &format!("import 'no-such-package';\n{entries}"));
    let event = served.wait_for("diagnostics");
    assert_eq!(event["diagnostics"][0]["code"], "KT0805", "{event}");
    assert!(
        event["diagnostics"][0]["message"].as_str().is_some_and(|words| words.contains("no-such-package")),
        "{event}"
    );

    let lock = app.read("kontract.lock.json");
    let half_typed =
        entries.replace("listEntries(after?: string)", "listEntries(after?: string, mo?: string)");
    app.write("src/api/entries.ts", &half_typed);
    served.wait_for("rebuilt");
    assert!(app.read("dist/schema/app.fbs").contains("  mo: string (id: 1);"), "both ends have the field");
    let places = |lock: &str| -> serde_json::Value {
        serde_json::from_str::<serde_json::Value>(lock).expect("JSON")["wire"].clone()
    };
    assert!(lock.contains("createEntry"));
    assert_eq!(
        places(&app.read("kontract.lock.json")),
        places(&lock),
        "a build locks its place, and nothing else"
    );

    app.write("src/api/entries.ts", &entries);
    served.wait_for("rebuilt");
    assert_eq!(missing(), "this entry is not in the book");
    assert_eq!(served.stop(), (Some(0), json!({ "event": "stopped" })));
}

/// An edit of a page leaves the server as it is, unless something else of what it was built from, or made to, has changed.
#[test]
fn what_was_built_before_is_kept_only_while_it_is_what_a_build_would_make() {
    let app = App::copy_of("guestbook");
    app.write(".dev.vars", DEV_VARS);
    let entries = app.read("src/api/entries.ts").replace("'this entry is not in the book'", "words.missing");
    app.write("src/api/entries.ts", &format!("import words from './words.json';\n{entries}"));
    let words = |text: &str| app.write("src/api/words.json", &format!("{{ \"missing\": \"{text}\" }}"));
    words("first words");
    let mut served = app.watch();
    let url = served.url.clone();
    let missing = || words_for_a_missing_entry(&app, &url);
    assert_eq!(missing(), "first words");
    let page = app.read("src/app/App.tsx");
    let turn = |number: u32| app.write("src/app/App.tsx", &format!("{page}// {number}\n"));
    for number in 0..2 {
        turn(number);
        assert_eq!(served.wait_for("rebuilt")["changed"], json!([]), "a page is no part of the server");
    }
    words("other words");
    served.wait_for("rebuilt");
    assert_eq!(missing(), "other words", "esbuild reads what the compiler does not");
    let schema = app.read("dist/schema/app.fbs");
    app.write("dist/schema/app.fbs", "");
    turn(2);
    assert_eq!(served.wait_for("rebuilt")["changed"], json!(["dist/schema/app.fbs"]));
    assert_eq!(app.read("dist/schema/app.fbs"), schema);
}

#[test]
fn a_fresh_clone_gets_keys_of_its_own() {
    let app = App::copy_of("guestbook");
    let served = app.serve(None);
    let vars = app.read(".dev.vars");
    for name in ["KONTRACT_KEY=", "KONTRACT_BACKUP_KEY=", "KONTRACT_IDENTITY_KEY="] {
        assert_eq!(vars.matches(name).count(), 1, "{vars}");
    }
    drop(served);
    drop(app.serve(None));
    assert_eq!(app.read(".dev.vars"), vars, "a second start keeps them");
}
