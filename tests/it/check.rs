//! `kontract check`: types by the project's own TypeScript, versions 5 and 7, and what is not up to date.

use crate::apps::build::DEV_VARS;
use crate::support::app::{App, repository, run};
use crate::support::script;
use serde_json::Value;
use std::collections::BTreeSet;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Output};

/// Packages of the repository, by major version.
const TYPESCRIPTS: &[&str] = &["typescript", "typescript5"];

/// A monorepo with every way of referring to a file, and marks where TypeScript finds something.
#[test]
fn errors_are_those_of_stock_typescript_at_the_users_own_positions() {
    for typescript in TYPESCRIPTS {
        let app = App::of_fixture("check/workspace");
        install(&app, typescript);
        // Twice: the second check finds the tree and TypeScript's own notes.
        for time in ["first", "second"] {
            let (output, found) = diagnostics(&app);
            assert_eq!(output.status.code(), Some(1), "{typescript}");
            assert_eq!(found, marks(&app.path().join("app")), "{typescript}, {time} time");
        }
        let written: Vec<String> =
            below(&app.path().join("app")).into_iter().filter(|path| path.contains("tsbuildinfo")).collect();
        assert!(written.iter().all(|path| path.starts_with(".kontract/.check/")), "{written:?}");
    }
}

/// What the compiler makes of the sources is what TypeScript sees, not what the last build or check left.
#[test]
fn types_follow_the_sources_without_a_build() {
    let app = App::of_fixture("apps/plain");
    let fine = |app: &App| {
        let output = app.kontract(&["check"]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    };
    fine(&app);
    let types = app.read("src/types.ts");
    app.write("src/types.ts", &types.replace("text: string;", "text: string;\n  title?: string;"));
    let api = app.read("src/api.ts");
    app.write("src/api.ts", &api.replace("{ stars: 4 }", "{ title: 'x' }"));
    fine(&app);
    app.write("src/types.ts", &types);
    let output = app.kontract(&["check"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("'title' does not exist"));
    let written = below(app.path()).into_iter().filter(|path| !path.starts_with(".kontract/"));
    assert_eq!(written.collect::<Vec<_>>(), ["kontract.json", "src/api.ts", "src/types.ts", "tsconfig.json"]);
}

#[test]
fn without_typescript_or_configuration_the_rest_is_checked() {
    let folder = tempfile::tempdir().expect("a folder outside of the repository");
    let project = folder.path().join("app");
    std::fs::create_dir_all(project.join("src")).expect("a folder");
    std::fs::write(project.join("kontract.json"), "{ \"name\": \"app\" }").expect("a file");
    std::fs::write(project.join("src/a.ts"), "export const n: number = 'no number';\n").expect("a file");
    let missing = run(&project, &["check"]);
    let words = String::from_utf8_lossy(&missing.stderr);
    assert!(missing.status.success() && words.contains("KT0702"), "{words}");
    assert!(words.contains("npm install --save-dev typescript"), "{words}");
    let written = below(&project).into_iter().filter(|path| !path.starts_with(".kontract/"));
    assert_eq!(written.collect::<Vec<_>>(), ["kontract.json", "src/a.ts"]);
    let unwanted = run(&project, &["check", "--no-types"]);
    assert_eq!(String::from_utf8_lossy(&unwanted.stderr), "no errors\n");

    symlink(repository().join("node_modules"), folder.path().join("node_modules")).expect("a link");
    let found = run(&project, &["check"]);
    let words = String::from_utf8_lossy(&found.stderr);
    assert!(words.contains("TS2322") && words.contains("src/a.ts:1:14"), "{words}");
}

#[test]
fn what_typescript_says_of_a_configuration_names_the_users_file() {
    let app = App::of_fixture("apps/plain");
    for (config, said) in [
        ("{ \"compilerOptions\": { \"target\": \"es1\" } }", "tsconfig.json:1:34"),
        ("{ \"include\": [\"nowhere\"] }", "TS18003"),
    ] {
        app.write("app/tsconfig.json", config);
        app.write("tsconfig.json", "{ \"files\": [], \"references\": [{ \"path\": \"app\" }] }");
        let output = app.kontract(&["check"]);
        let words = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{words}");
        assert!(words.contains(said), "{words}");
        assert!(!words.contains("kontract-check") && !words.contains(".check/"), "{words}");
    }
}

#[test]
fn frozen_fails_on_what_a_build_would_change() {
    let app = App::copy_of("guestbook");
    let frozen = || app.kontract(&["check", "--frozen", "--no-types"]);
    // As checked out: the lock and the migrations are there, what version control ignores is not.
    assert!(frozen().status.success());
    app.write(".dev.vars", DEV_VARS);
    app.build();
    assert!(frozen().status.success(), "{}", String::from_utf8_lossy(&frozen().stderr));

    let client = app.read("dist/client/index.js");
    app.write("dist/client/index.js", "");
    let words = String::from_utf8_lossy(&frozen().stderr).into_owned();
    assert!(words.contains("KT0703") && words.contains("`dist/client/index.js`"), "{words}");
    app.write("dist/client/index.js", &client);

    let types = app.read("src/types.ts");
    app.write(
        "src/types.ts",
        &types.replace("  blocked: boolean;", "  blocked: boolean;\n  motto?: string;"),
    );
    let lock = app.read("kontract.lock.json");
    let output = frozen();
    let words = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{words}");
    assert!(words.contains("`kontract.lock.json`"), "{words}");
    assert_eq!(app.read("kontract.lock.json"), lock);
}

/// Every form in its plain spelling, and what their types refuse: no plugin, no kontract, only stock TypeScript.
#[test]
fn the_plain_spelling_is_stock_typescript_and_an_editor_goes_to_the_source() {
    let app = App::of_fixture("check/plain");
    app.write(".dev.vars", DEV_VARS);
    app.build();
    for typescript in TYPESCRIPTS {
        for (module, resolution, experimental) in
            [("esnext", "bundler", "true"), ("node16", "node16", "false"), ("nodenext", "nodenext", "true")]
        {
            let output = Command::new("node")
                .arg(repository().join("node_modules").join(typescript).join("bin/tsc"))
                .args(["--project", ".", "--module", module, "--moduleResolution", resolution])
                .args(["--experimentalDecorators", experimental])
                .current_dir(app.path())
                .output()
                .expect("run tsc");
            let words = String::from_utf8_lossy(&output.stdout);
            assert!(output.status.success(), "{typescript}, {resolution}: {words}");
        }
    }

    let words = ["await enter", "api.enter", "return (await lap", "module.Race.lap", "const racer: Racer"];
    let mut arguments = vec![app.path().to_str().expect("UTF-8"), "src/page.ts"];
    arguments.extend(words);
    let answers = script::run("definition.mjs", &arguments);
    let answers = answers.as_array().expect("a list");
    let went = |index: usize| (text(&answers[index]["file"]), text(&answers[index]["at"]));
    let expected = [
        ("src/api/racers.ts", "enter = backend("),
        ("src/api/racers.ts", "enter = backend("),
        ("src/api/racers.ts", "lap(id: string"),
        ("src/api/racers.ts", "lap(id: string"),
        ("src/types.ts", "Racer {"),
    ];
    for (index, (file, start)) in expected.into_iter().enumerate() {
        let (went_to, at) = went(index);
        assert!(went_to == file && at.starts_with(start), "{} went to {went_to}: {at}", words[index]);
    }
    assert_eq!(
        answers[0]["shown"],
        "(alias) enter(name: string, age: number, nick?: string): Promise<Racer>\nimport enter"
    );
    assert_eq!(answers[0]["documentation"], "Enters a race.");
}

/// What stays beside stubs has declarations that say what the source says, and an editor goes to the source.
#[test]
fn exports_beside_stubs_are_declared_as_the_source_has_them() {
    let app = App::of_fixture("check/shared");
    app.write(".dev.vars", DEV_VARS);
    app.build();
    for typescript in TYPESCRIPTS {
        let output = Command::new("node")
            .arg(repository().join("node_modules").join(typescript).join("bin/tsc"))
            .args(["--project", "."])
            .current_dir(app.path())
            .output()
            .expect("run tsc");
        let words = String::from_utf8_lossy(&output.stdout);
        let declared = app.read("dist/client/api/entries.d.ts");
        assert!(output.status.success(), "{typescript}: {words}\n{declared}");
    }
    let declared = app.read("dist/client/api/entries.d.ts");
    for word in [" infer ", "Parameters<", "ReturnType<", "unknown", "typeof "] {
        assert!(!declared.contains(word), "{word} in\n{declared}");
    }

    let words = ["return `${label", "same<typeof LIMIT", "parse(1).knots", "shelf.full"];
    let mut arguments = vec![app.path().to_str().expect("UTF-8"), "src/web/page.ts"];
    arguments.extend(words);
    let answers = script::run("definition.mjs", &arguments);
    let answers = answers.as_array().expect("a list");
    let expected = [
        ("src/api/entries.ts", "label(of: Entry"),
        ("src/api/entries.ts", "LIMIT = 20"),
        ("src/types.ts", "knots?: Knot<T>[]"),
        ("src/api/entries.ts", "full(): boolean"),
    ];
    for (index, (file, start)) in expected.into_iter().enumerate() {
        let (went_to, at) = (text(&answers[index]["file"]), text(&answers[index]["at"]));
        assert!(went_to == file && at.starts_with(start), "{} went to {went_to}: {at}", words[index]);
    }
    assert_eq!(answers[0]["documentation"], "How an entry is shown.");
}

fn install(app: &App, typescript: &str) {
    app.write(
        "node_modules/folding/package.json",
        "{ \"name\": \"folding\", \"exports\": { \".\": { \"types\": \"./index.d.ts\" } } }",
    );
    app.write("node_modules/folding/index.d.ts", "export function fold(text: string): string;\n");
    let package = repository().join("node_modules").join(typescript);
    symlink(package, app.path().join("node_modules/typescript")).expect("a link to a TypeScript");
}

/// The output of `kontract check --json`, and of each diagnostic the file, the offset and TypeScript's number.
fn diagnostics(app: &App) -> (Output, BTreeSet<(String, usize, String)>) {
    let output = app.kontract_below("app", &["check", "--json"]);
    let words = String::from_utf8_lossy(&output.stdout);
    let events = words.lines().map(|line| serde_json::from_str::<Value>(line).expect("a JSON line"));
    let lists = events.filter_map(|event| event["diagnostics"].as_array().cloned());
    let found = lists.flatten().map(|diagnostic| {
        assert_eq!(diagnostic["code"], "KT0701", "{diagnostic}");
        let label = &diagnostic["labels"][0];
        let number = diagnostic["message"].as_str().and_then(|message| message.split(':').next());
        let start = usize::try_from(label["start"].as_u64().expect("an offset")).expect("a small file");
        (text(&label["file"]), start, number.expect("a message").to_owned())
    });
    let found = found.collect();
    (output, found)
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// The places behind `/*!TS2322*/` in the sources.
fn marks(project: &Path) -> BTreeSet<(String, usize, String)> {
    let mut found = BTreeSet::new();
    for path in below(&project.join("src")) {
        let text = std::fs::read_to_string(project.join("src").join(&path)).expect("a source file");
        for (at, mark) in text.match_indices("/*!TS") {
            let end = at + text[at..].find("*/").expect("the mark's end");
            found.insert((format!("src/{path}"), end + 2, text[at + mark.len() - 2..end].to_owned()));
        }
    }
    assert!(found.len() > 5, "the fixture has no marks");
    found
}

/// Files below a folder that are no links, by their paths in it.
fn below(folder: &Path) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for entry in std::fs::read_dir(folder).expect("a readable folder") {
        let entry = entry.expect("a readable entry");
        let name = entry.file_name().to_string_lossy().into_owned();
        if entry.file_type().expect("a type").is_dir() {
            found.extend(below(&entry.path()).into_iter().map(|path| format!("{name}/{path}")));
        } else {
            found.insert(name);
        }
    }
    found
}

/// Rights do not hold for root, so that root asks as somebody else.
#[test]
fn a_folder_that_may_not_be_read_is_named() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().expect("a folder");
    let allow = |path: &Path, mode: u32| {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).expect("permissions");
    };
    let project = folder.path().join("app");
    let closed = project.join("src/closed");
    std::fs::create_dir_all(&closed).expect("a folder");
    std::fs::write(project.join("kontract.json"), "{ \"name\": \"app\" }").expect("a file");
    std::fs::write(project.join("src/a.ts"), "export const a = 1;\n").expect("a file");
    let program = folder.path().join("kontract");
    std::fs::copy(env!("CARGO_BIN_EXE_kontract"), &program).expect("a copy that everybody may run");
    allow(folder.path(), 0o755);
    allow(&closed, 0o000);
    let arguments = ["check", "--no-types", "--project"];
    let mut command = if std::fs::read_dir(&closed).is_ok() {
        let mut command = Command::new("setpriv");
        command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).arg(&program);
        command
    } else {
        Command::new(&program)
    };
    let output = command.args(arguments).arg(&project).output().expect("run kontract");
    allow(&closed, 0o755);
    let words = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{words}");
    assert!(words.contains("KT0003") && words.contains("the folder `src/closed`"), "{words}");
}
