//! `kontract dev` while its project is being worked on.

use super::build::DEV_VARS;
use crate::support::app::App;
use crate::support::script;
use serde_json::json;

#[test]
fn changes_are_served_and_mistakes_are_waited_out() {
    let app = App::copy_of("guestbook");
    app.write(".dev.vars", DEV_VARS);
    let mut served = app.watch();
    let url = served.url.clone();
    let missing = || {
        let visit = script::run("guestbook.mjs", &[&script::argument(app.path()), &url, "post"]);
        visit["missing"]["message"].as_str().unwrap_or_default().to_owned()
    };
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

    app.write("src/api/entries.ts", &entries);
    served.wait_for("rebuilt");
    assert_eq!(missing(), "this entry is not in the book");
    assert_eq!(served.stop(), (Some(0), json!({ "event": "stopped" })));
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
