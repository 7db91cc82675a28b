//! `kontract/vite`: pages of four kinds, developed and built; what they may not reach; other bundlers.

use super::build::{DEV_VARS, text_below};
use crate::support::app::{App, repository};
use crate::support::script;
use serde_json::{Value, json};
use std::process::{Command, Output};

const PAGES: &[&str] = &["vanilla", "react", "svelte", "vue"];
/// Text of the example's endpoints and of what only they use.
const SERVER_TEXT: &[&str] = &["this note is not for the board", "buy-followers-now.example"];

fn example() -> App {
    let app = App::copy_of("vite");
    app.write(".dev.vars", DEV_VARS);
    app
}

/// Vite as a user runs it; what it compiles with is the program under test.
fn vite(app: &App, arguments: &[&str]) -> Output {
    Command::new("node")
        .arg(repository().join("node_modules/vite/bin/vite.js"))
        .args(arguments)
        .current_dir(app.path())
        .env("KONTRACT_BIN", env!("CARGO_BIN_EXE_kontract"))
        .output()
        .expect("run vite")
}

fn words(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[test]
fn pages_follow_the_server_while_it_is_being_worked_on() {
    let app = example();
    let outcome = script::run("vite-dev.mjs", &[&script::argument(app.path())]);
    for page in PAGES {
        let seen = &outcome["pages"][page];
        assert_eq!(
            (&seen["heading"], &seen["added"]),
            (&json!("The board"), &json!(true)),
            "{page}: {outcome}"
        );
        assert_eq!(seen["edited"], "The edited board", "{page}");
        assert_eq!(seen["problems"], json!([]), "{page}");
    }
    let overlay = outcome["overlay"].as_str().unwrap_or_default();
    for words in ["KT0301", "src/api/notes.ts", "help:", "async (text)"] {
        assert!(overlay.contains(words), "no `{words}` in the overlay:\n{overlay}");
    }
    assert_eq!(outcome["mended"], "The board");
    assert_eq!(outcome["served"], json!([]), "these are the server's");
    assert_eq!(outcome["left"], json!([]), "these outlived the development server");
}

#[test]
fn built_pages_work_under_a_strict_policy_and_hold_nothing_of_the_server() {
    let app = example();
    let built = vite(&app, &["build"]);
    assert!(built.status.success(), "{}", words(&built));
    let pages = text_below(&app.path().join("dist/app"));
    let server = text_below(&app.path().join("dist/server"));
    for text in SERVER_TEXT {
        assert!(server.contains(text) && !pages.contains(text), "{text}");
    }
    let served = app.serve_as_built();
    let outcome = script::run("vite-built.mjs", &[&served.url]);
    assert_eq!(outcome["refusal"], "script-src-elem", "the browser keeps to the policy");
    for page in PAGES {
        // Chromium has every algorithm, so that no package is loaded.
        assert_eq!(outcome[page], visited(&[]), "{page}");
    }
    for (missing, packages) in [
        ("ChaCha20-Poly1305,ML-KEM-768,X25519", &["chacha", "ml-kem", "x25519"][..]),
        ("ML-KEM-768", &["ml-kem"][..]),
    ] {
        assert_eq!(outcome[format!("without {missing}")], visited(packages), "without {missing}");
    }
}

/// How a visit goes, and which packages it loads.
fn visited(packages: &[&str]) -> Value {
    json!({ "heading": "The board", "added": true, "problems": [], "packages": packages })
}

/// The client takes either for the other.
#[test]
fn a_browsers_own_cryptography_is_that_of_the_packages() {
    let outcome = script::run("cryptography.mjs", &[]);
    let same = json!({ "hash": "same", "chacha": "same", "x25519": "same", "mlKem": "same" });
    assert_eq!(outcome, json!({ "findings": same, "vectors": true }));
}

/// Each way into server code that the compiler does not follow, and one that it does.
#[test]
fn a_build_that_reaches_server_code_fails() {
    let app = example();
    app.write("src/server/session.ts", "export const owner = () => ctx.owner;\n");
    let notes = app.read("src/api/notes.ts");
    let uses = format!("import {{ owner }} from '../server/session';\nvoid owner;\n{notes}");
    app.write("src/api/notes.ts", &uses);
    let built = app.kontract(&["build", "--no-frontend"]);
    assert!(built.status.success(), "{}", words(&built));
    let page = app.read("src/app/vanilla.ts");
    for (how, code) in [
        ("import", "import '../server/session';"),
        ("glob", "console.log(import.meta.glob('../server/session*.ts'));"),
        ("eager glob", "console.log(import.meta.glob('../server/session*.ts', { eager: true }));"),
        ("raw", "import text from '../api/notes.ts?raw'; console.log(text);"),
        ("raw glob", "console.log(import.meta.glob('../api/*.ts', { query: '?raw' }));"),
        ("asset", "console.log(new URL('../api/notes.ts', import.meta.url));"),
        (
            "asset by pattern",
            "const n = location.hash; console.log(new URL(`../api/${n}.ts`, import.meta.url));",
        ),
        ("require", "console.log(require('../server/session'));"),
    ] {
        app.write("src/app/vanilla.ts", &format!("{code}\n{page}"));
        let output = vite_after_compiling(&app);
        assert!(!output.status.success(), "{how}: built");
        assert!(words(&output).contains("server code"), "{how}: {}", words(&output));
    }
    app.write("src/app/vanilla.ts", "console.log(import.meta.glob('../api/*.ts', { eager: true }));\n");
    let output = vite_after_compiling(&app);
    assert!(output.status.success(), "a pattern gives stubs as a name does: {}", words(&output));
    assert!(!text_below(&app.path().join("dist/app")).contains(SERVER_TEXT[0]));
}

/// A module of both sides is loaded by pages as a whole, and a bundler keeps what may have an effect.
#[test]
fn a_build_leaves_out_what_only_endpoints_use_of_a_shared_module() {
    let app = example();
    app.write(
        "src/shared.ts",
        "// \u{1f511}\nclass Pool { constructor(readonly url: string) { console.log('opened'); } }\n\
         export const db = new Pool('kept-from-pages'), months = new Map([[5, ['in-both'].join('')]]);\n\
         export const own = new Pool('made-by-pages');\n\
         export default [1].map(() => ({ url: 'kept-from-pages' }));\n\
         console.log('effect-of-both');\n\
         export const label = (n: number): string => `label ${n}`;\n",
    );
    let notes = app.read("src/api/notes.ts");
    let uses = "import list, { db, months } from '../shared';\n\
        export const asked = backend({}, async (): Promise<string> => db.url + list[0]?.url + months.get(5));\n";
    app.write("src/api/notes.ts", &notes.replace("import type", &format!("{uses}import type")));
    let page = app.read("src/app/vanilla.ts");
    let import = "import { label, months } from '../shared';\nconsole.log(label(5), months.get(5));\n";
    app.write("src/app/vanilla.ts", &format!("{import}{page}"));
    let output = vite(&app, &["build"]);
    assert!(output.status.success(), "{}", words(&output));
    let pages = text_below(&app.path().join("dist/app"));
    assert!(!pages.contains("kept-from-pages"), "what endpoints use went along");
    for text in ["in-both", "made-by-pages", "effect-of-both"] {
        assert!(pages.contains(text), "{text} is lost");
    }
    assert!(text_below(&app.path().join("dist/server")).contains("kept-from-pages"));
    // Maps have the texts of modules whole.
    for kind in ["true", "'inline'", "'hidden'"] {
        let config = app.read("vite.config.ts");
        app.write("vite.config.ts", &config.replace("build: {", &format!("build: {{ sourcemap: {kind},")));
        let output = vite(&app, &["build"]);
        assert!(output.status.success(), "{}", words(&output));
        let maps = script::run("page-maps.mjs", &[&script::argument(&app.path().join("dist/app"))]);
        let maps = maps.as_str().expect("texts");
        assert!(maps.contains("vanilla.ts") && maps.contains("querySelector"), "{kind}: no map");
        assert!(!maps.contains("kept-from-pages"), "{kind}: a map has what endpoints use");
        app.write("vite.config.ts", &config);
    }
}

/// Nothing makes a bundler leave out an `await`, or a value that a statement changes.
#[test]
fn what_a_page_takes_along_of_a_shared_module_is_found() {
    let app = example();
    let notes = app.read("src/api/notes.ts");
    let uses = "import { db } from '../shared';\nexport const asked = backend({}, async (): Promise<string> => db.url);\n";
    app.write("src/api/notes.ts", &notes.replace("import type", &format!("{uses}import type")));
    let page = app.read("src/app/vanilla.ts");
    let built = |shared: &str, imported: &str| {
        let open = "const open = async (url: string) => ({ url, timeout: 0 });\n";
        app.write("src/shared.ts", &format!("{open}{shared}\nexport const LIMIT = 'limit-of-both';\n"));
        let import =
            format!("import {{ LIMIT{imported} }} from '../shared';\nconsole.log(LIMIT{imported});\n");
        app.write("src/app/vanilla.ts", &format!("{import}{page}"));
        vite(&app, &["build"])
    };
    for shared in [
        "export const db = await open('taken-along-by-await');",
        "const url = 'taken-along-by-await';\nexport const db = await open(url);",
        "class Pool { timeout = 0; constructor(readonly url: string) {} }\n\
         export const db = new Pool('taken-along-by-change');\ndb.timeout = 5;",
    ] {
        let output = built(shared, "");
        assert!(!output.status.success(), "built: {shared}");
        for text in ["KT0403", "src/shared.ts", "a module of its own"] {
            assert!(words(&output).contains(text), "no {text}: {}", words(&output));
        }
    }
    // What the page asks for is no secret.
    let output = built("export const db = await open('taken-along-by-await');", ", db");
    assert!(output.status.success(), "{}", words(&output));
    assert!(text_below(&app.path().join("dist/app")).contains("taken-along-by-await"));
}

/// What a bundler puts into pages by itself, past every module.
#[test]
fn emitted_files_are_searched_for_server_text() {
    let app = example();
    let config = app.read("vite.config.ts");
    let define = "define: { __NOTE__: JSON.stringify('this note is not for the board') },\n  build: {";
    app.write("vite.config.ts", &config.replace("build: {", define));
    let page = app.read("src/app/vanilla.ts");
    app.write("src/app/vanilla.ts", &format!("console.log(__NOTE__);\n{page}"));
    let output = vite(&app, &["build"]);
    assert!(!output.status.success(), "built");
    assert!(words(&output).contains("KT0403") && words(&output).contains("notes.ts"), "{}", words(&output));
}

#[test]
fn a_build_of_a_wrong_program_fails_with_its_diagnostics() {
    let app = example();
    let notes = app.read("src/api/notes.ts");
    app.write("src/api/notes.ts", &notes.replace("async (text: string)", "async (text)"));
    let output = vite(&app, &["build"]);
    assert!(!output.status.success(), "built");
    for text in ["KT0301", "src/api/notes.ts:16", "help:"] {
        assert!(words(&output).contains(text), "no {text}: {}", words(&output));
    }
    assert!(!app.path().join("dist/app").exists());
}

/// Vite alone, for a project that is compiled already, as `kontract build` runs it.
fn vite_after_compiling(app: &App) -> Output {
    Command::new("node")
        .arg(repository().join("node_modules/vite/bin/vite.js"))
        .args(["build", "--logLevel", "error"])
        .current_dir(app.path())
        .env("KONTRACT_BIN", env!("CARGO_BIN_EXE_kontract"))
        .env("KONTRACT_COMPILED", "yes")
        .output()
        .expect("run vite")
}

/// As `npm run build` does, where no variable says which program it is.
#[test]
fn a_build_tells_the_plugin_what_to_ask() {
    let app = example();
    let built = app.kontract(&["build"]);
    assert!(built.status.success(), "{}", words(&built));
    assert!(app.path().join("dist/app/index.html").is_file());
}

#[test]
fn other_bundlers_take_the_emitted_client() {
    let app = example();
    let built = app.kontract(&["build", "--no-frontend"]);
    assert!(built.status.success(), "{}", words(&built));
    let served = app.serve_as_built();
    let outcome = script::run("bundlers.mjs", &[&script::argument(app.path()), &served.url]);
    for bundler in ["esbuild", "webpack"] {
        assert_eq!(outcome[bundler]["title"], "The board", "{outcome}");
        assert_eq!(outcome[bundler]["eval"], false, "{bundler} found code that is made of text");
    }
    assert_eq!(outcome["stubs"], json!(["title"]), "what a page does not call is not in it");
    assert!(outcome["nothing"].as_u64().is_some_and(|gzip| gzip < 1000), "nor is the runtime: {outcome}");
    let gzip = outcome["esbuild"]["gzip"].as_u64().expect("a length");
    assert!(gzip <= CLIENT_GZIP_LEN_MAX, "{gzip} bytes");
}

/// What a page loads before its first call in suite 2 in a browser that has all algorithms: runtime, encryption, codecs, in
/// 12 kB, and 3 kB of pinned keys.
pub(super) const CLIENT_GZIP_LEN_MAX: u64 = 15_000;
