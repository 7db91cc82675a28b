//! What `kontract build` writes, and what it refuses to.

use crate::support::app::App;
use crate::support::script;
use std::collections::BTreeMap;
use std::path::Path;

/// Strings of the example's server code: bodies, helpers, imports and a list that must stay secret.
const SERVER_TEXT: &[&str] = &[
    "cheap-followers.example",
    "casino-bonus.example",
    "wire me the deposit",
    "looks like an advertisement",
    "this entry is not in the book",
    "only its author can change an entry",
    "this visitor can no longer write",
    "firstSeenAt",
    "cleanText",
    "SPAM_MARKERS",
    "kontract/server",
];

#[test]
fn nothing_of_the_server_reaches_the_client() {
    let app = buildable();
    app.write(
        "src/server/vault.ts",
        "export const vaultKey = 'sk-live-51MzQ2tPlanted';\nexport function open(): string { return vaultKey; }\n",
    );
    let entries = app.read("src/api/entries.ts");
    let planted = entries
        .replace(
            "import { cleanText }",
            "import { open as openVault } from '../server/vault';\nimport { cleanText }",
        )
        .replace(
            "const visitor = await",
            "console.debug(openVault(), 'sk-live-in-a-body');\n  const visitor = await",
        );
    assert_ne!(entries, planted, "the example has changed: plant the secret elsewhere");
    app.write("src/api/entries.ts", &planted);
    app.build();

    let server = text_below(&app.path().join("dist/server"));
    for secret in ["sk-live-51MzQ2tPlanted", "sk-live-in-a-body", "cheap-followers.example"] {
        assert!(
            server.contains(secret),
            "{secret} is not in the server's half: the test looks for the wrong text"
        );
    }
    for folder in ["dist/client", ".kontract/client", "dist/app"] {
        let client = text_below(&app.path().join(folder));
        assert!(!client.is_empty(), "{folder} has no files");
        for secret in ["sk-live-51MzQ2tPlanted", "sk-live-in-a-body", "vaultKey", "openVault", "server/vault"]
        {
            assert!(!client.contains(secret), "{folder} holds {secret}");
        }
        for text in SERVER_TEXT {
            assert!(!client.contains(text), "{folder} holds {text}");
        }
    }
}

/// Every kind of export, and imports of whole modules that pass on what is others'.
#[test]
fn the_clients_half_does_what_its_source_does() {
    let app = App::of_fixture("apps/halves");
    app.write(".dev.vars", DEV_VARS);
    app.build();
    let outcome = script::run("halves.mjs", &[&script::argument(app.path())]);
    let written = outcome["written"]["report"].as_array().expect("a report");
    assert!(written.len() > 40, "{outcome}");
    assert_eq!(outcome["client"]["report"], outcome["written"]["report"]);
    assert_eq!(outcome["client"]["warnings"], serde_json::json!([]));
    let declared = app.read("dist/client/api.d.ts");
    for text in ["export { a$20name_ as \"a name\" };", "export declare const cry: (s: string) => string;"] {
        assert!(declared.contains(text), "no `{text}` in:\n{declared}");
    }
}

/// Names that modules pass on: of packages, by name and as a whole, of content, and endpoints of other modules.
#[test]
fn the_clients_half_passes_on_what_its_source_does() {
    let app = App::of_fixture("apps/passing");
    app.write(".dev.vars", DEV_VARS);
    app.build();
    let outcome = script::run("halves.mjs", &[&script::argument(app.path())]);
    assert_eq!(outcome["written"]["report"].as_array().map(Vec::len), Some(12), "{outcome}");
    assert_eq!(outcome["client"]["report"], outcome["written"]["report"]);
    assert_eq!(outcome["client"]["warnings"], serde_json::json!([]));
    let declared = app.read("dist/client/api.d.ts");
    for text in [
        "export { NotFoundError as Gone } from \"kontract\";",
        "export { elsewhere } from \"./elsewhere.js\";",
        "export * from \"clsx\";",
    ] {
        assert!(declared.contains(text), "no `{text}` in:\n{declared}");
    }
    assert_eq!(declared.matches(" makeId ").count(), 1, "{declared}");
    let checked = app.kontract(&["check"]);
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stderr));
}

/// The example has no type that its page does without, and keys of the length that keys have.
#[test]
fn the_examples_client_is_within_the_budget() {
    let app = buildable();
    let output = app.kontract(&["build", "--json", "--no-frontend"]);
    let lines = String::from_utf8_lossy(&output.stdout).into_owned();
    let events = lines.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    let client = events.into_iter().find(|event| event["event"] == "client").expect("a size");
    let length = |name: &str| client[name].as_u64().expect("a length");
    assert!(length("gzipBytes") <= 12_000, "{client}");
    assert!((2_400..3_400).contains(&length("keysGzipBytes")), "{client}");
}

#[test]
fn building_twice_gives_the_same_bytes() {
    let (first, second) = (buildable(), buildable());
    for app in [&first, &second] {
        app.build();
    }
    let (one, two) = (files_below(first.path()), files_below(second.path()));
    assert_eq!(one.keys().collect::<Vec<_>>(), two.keys().collect::<Vec<_>>());
    let differing: Vec<&String> = one.keys().filter(|path| one[*path] != two[*path]).collect();
    assert!(differing.is_empty(), "{differing:?} differ");
    first.build();
    assert_eq!(files_below(first.path()), one, "a second build of the same folder differs");
}

#[test]
fn the_examples_lock_and_migration_are_as_committed() {
    let app = buildable();
    let before = (app.read("kontract.lock.json"), app.read("migrations/0001_initial.sql"));
    app.build();
    assert_eq!((app.read("kontract.lock.json"), app.read("migrations/0001_initial.sql")), before);
    let migrations = std::fs::read_dir(app.path().join("migrations")).expect("migrations");
    assert_eq!(migrations.count(), 1);
}

/// A field of the source gets another name: its place is kept when that is said, and who is cut off is named when it is not.
#[test]
fn a_build_is_compared_with_what_is_deployed() {
    let app = buildable();
    app.build();
    app.write("deployed.lock.json", &app.read("kontract.lock.json"));
    app.write("src/types.ts", &app.read("src/types.ts").replace("message?: string", "text?: string"));
    let entries = app.read("src/api/entries.ts").replace("change.message", "change.text");
    app.write("src/api/entries.ts", &entries);
    let deployed = app.path().join("deployed.lock.json").display().to_string();
    let build = |more: &[&str]| {
        let output = app.kontract(&[&["build", "--no-frontend", "--against", &deployed], more].concat());
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };

    let (code, words) = build(&[]);
    assert!(code == Some(1) && words.contains("KT0504"), "{words}");
    assert!(words.contains("`EntryChange.message` of endpoint `updateEntry` was removed"), "{words}");
    assert!(words.contains("this breaks old clients against the new server"), "{words}");
    assert_eq!(app.read("kontract.lock.json"), app.read("deployed.lock.json"), "nothing was locked");

    let (code, words) = build(&["--rename", "EntryChange.message=text"]);
    assert_eq!(code, Some(0), "{words}");
    let place = |lock: &str, name: &str| -> Option<u64> {
        let lock: serde_json::Value = serde_json::from_str(lock).expect("JSON");
        let fields = lock["wire"]["types"]["EntryChange"].as_array().expect("a list").clone();
        fields.iter().find(|field| field["name"] == name).and_then(|field| field["id"].as_u64())
    };
    let (before, after) = (app.read("deployed.lock.json"), app.read("kontract.lock.json"));
    assert!(place(&before, "message").is_some());
    assert_eq!(place(&after, "text"), place(&before, "message"));
    let frozen = || app.kontract(&["check", "--frozen", "--no-types"]);
    assert!(frozen().status.success(), "{}", String::from_utf8_lossy(&frozen().stderr));

    app.write("kontract.lock.json", &before);
    let words = String::from_utf8_lossy(&frozen().stderr).into_owned();
    assert!(words.contains("KT0703") && words.contains("`kontract.lock.json`"), "{words}");
    let twice = after.replacen("\"name\": \"author\"", "\"name\": \"message\"", 99);
    app.write("kontract.lock.json", &twice);
    let (code, words) = build(&[]);
    assert!(
        code == Some(1) && words.contains("KT0503") && words.contains("`message` is there twice"),
        "{words}"
    );
}

#[test]
fn the_page_has_no_type_errors() {
    let app = buildable();
    app.build();
    let output = std::process::Command::new("node")
        .arg(crate::support::app::repository().join("node_modules/typescript/bin/tsc"))
        .args(["--project", "src/app", "--noEmit"])
        .current_dir(app.path())
        .output()
        .expect("run tsc");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}

#[test]
fn wrong_programs_get_a_diagnostic_and_write_nothing() {
    let wrong = [
        (
            "KT0102",
            "src/api/extra.ts",
            "import { backend } from 'kontract';\nexport const f = backend({ ugruop: 'admin' }, async (): Promise<void> => {});\n",
            "did you mean `ugroup`",
        ),
        (
            "KT0101",
            "src/api/extra.ts",
            "import { backend } from 'kontract';\nexport const getEntry = backend({}, async (): Promise<void> => {});\n",
            "getEntry",
        ),
        ("KT0211", "src/extra.ts", "/** @table empties */\nexport interface Empty {}\n", "Empty"),
    ];
    for (code, path, text, words) in wrong {
        let app = buildable();
        app.write(path, text);
        let before = files_below(app.path());
        let output = app.kontract(&["build", "--json"]);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{code}: {stderr}");
        assert!(stderr.contains(code) && stderr.contains(words) && stderr.contains(path), "{code}: {stderr}");
        let event: serde_json::Value = serde_json::from_slice(&output.stdout).expect("one JSON line");
        assert_eq!(event["diagnostics"][0]["code"], code);
        assert!(event["diagnostics"][0]["help"].is_string(), "{code} says no fix");
        assert_eq!(files_below(app.path()), before, "{code}: something was written");
    }
}

#[test]
fn a_link_out_of_the_project_is_not_followed() {
    let app = buildable();
    let outside = tempfile::tempdir().expect("a folder outside");
    std::os::unix::fs::symlink(outside.path(), app.path().join("dist")).expect("a link");
    let output = app.kontract(&["build"]);
    assert_eq!(output.status.code(), Some(3), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(String::from_utf8_lossy(&output.stderr).contains("leads out of the project"));
    assert_eq!(std::fs::read_dir(outside.path()).expect("readable").count(), 0);
}

#[test]
fn a_build_without_the_deployments_keys_is_refused() {
    let app = App::copy_of("guestbook");
    let before = files_below(app.path());
    let output = app.kontract(&["build"]);
    assert_eq!(output.status.code(), Some(3));
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(stderr.contains("KONTRACT_KEY") && stderr.contains("kontract dev"), "{stderr}");
    assert_eq!(files_below(app.path()), before);
}

#[test]
fn files_that_no_build_made_stay() {
    let app = buildable();
    app.write("docs/api/handwritten.md", "mine\n");
    app.write("dist/client/notes.txt", "mine\n");
    app.build();
    assert!(app.path().join("docs/api/createEntry.md").exists());
    let moderation = app.read("src/api/moderation.ts");
    app.write("src/api/moderation.ts", &moderation.replace("deleteEntry", "removeEntry"));
    let page = app.read("src/app/useGuestbook.ts");
    app.write("src/app/useGuestbook.ts", &page.replace("deleteEntry", "removeEntry"));
    app.build();
    assert!(app.path().join("docs/api/removeEntry.md").exists());
    assert!(!app.path().join("docs/api/deleteEntry.md").exists(), "what is no longer made goes");
    assert_eq!(app.read("docs/api/handwritten.md"), "mine\n");
    assert_eq!(app.read("dist/client/notes.txt"), "mine\n");
}

#[test]
fn a_package_that_is_not_there_is_the_projects_error_and_changes_nothing_served() {
    let app = buildable();
    app.build();
    let before = files_below(&app.path().join("dist"));
    let text = app.read("src/server/text.ts");
    app.write("src/server/text.ts", &format!("import 'no-such-package';\n{text}"));
    app.write(
        "src/more.ts",
        "/** @table extras */\nexport interface Extra {\n  /** @primkey */\n  id: string;\n}\n",
    );
    let output = app.kontract(&["build"]);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(stderr.contains("no-such-package"), "{stderr}");
    assert_eq!(files_below(&app.path().join("dist")), before);
    assert!(
        !app.read("kontract.lock.json").contains("extras"),
        "the lock names a table of a build that failed"
    );
}

/// A copy of the example with keys, so that it builds without asking for them.
fn buildable() -> App {
    let app = App::copy_of("guestbook");
    app.write(".dev.vars", DEV_VARS);
    app
}

/// Keys of a test's own, so that two builds pin the same ones.
pub(crate) const DEV_VARS: &str = "KONTRACT_KEY=AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE\n\
    KONTRACT_BACKUP_KEY=AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI\n\
    KONTRACT_IDENTITY_KEY=AwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwM\n";

/// Every file below a folder, by path.
pub(crate) fn files_below(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    collect(folder, "", &mut files);
    files
}

fn collect(folder: &Path, prefix: &str, files: &mut BTreeMap<String, Vec<u8>>) {
    for entry in std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
        let path = entry.expect("a readable folder").path();
        let name = format!("{prefix}{}", path.file_name().expect("a name").to_string_lossy());
        if path.is_dir() {
            collect(&path, &format!("{name}/"), files);
        } else {
            files.insert(name, std::fs::read(&path).expect("a readable file"));
        }
    }
}

pub(crate) fn text_below(folder: &Path) -> String {
    files_below(folder).values().map(|bytes| String::from_utf8_lossy(bytes).into_owned()).collect()
}
