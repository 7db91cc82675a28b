//! npm packages on the server: what runs, and what is refused with the reason.

use super::build::DEV_VARS;
use super::frontends::CLIENT_GZIP_LEN_MAX;
use crate::support::app::App;
use crate::support::script;
use serde_json::{Value, json};

#[test]
fn packages_of_every_style_run_in_the_worker() {
    let app = with_packages();
    let (value, words) = build(&app);
    let worker = event(&value, "worker").unwrap_or_else(|| panic!("no size in {value:?}: {words}"));
    assert!(
        worker["gzipBytes"].as_u64().is_some_and(|bytes| (100_000..3_000_000).contains(&bytes)),
        "{worker}"
    );
    assert!(worker["startUpMs"].is_u64(), "{worker}");
    assert!(words.contains("gzip, starts in"), "{words}");

    let client = event(&value, "client").unwrap_or_else(|| panic!("no client in {value:?}: {words}"));
    let gzip = client["gzipBytes"].as_u64().expect("a length");
    assert!((5_000..CLIENT_GZIP_LEN_MAX).contains(&gzip), "{client}");
    let later: Vec<&str> =
        client["later"].as_array().expect("parts").iter().filter_map(|part| part["for"].as_str()).collect();
    assert!(later.iter().any(|name| name.starts_with("ML-KEM-768")), "{later:?}");
    assert!(words.contains("gzip before the first call"), "{words}");

    let served = app.serve(None);
    let report = script::run("packages.mjs", &[&script::argument(app.path()), &served.url]);
    assert_eq!(report["conditions"], "workerd");
    assert_eq!(report["browser"], "browser");
    assert_eq!(
        report["node"],
        json!(["hello", "/bundle/y", "development", "function", "function", "aGVsbG8="])
    );
    assert_eq!(report["punycode"], "package");
    assert_eq!(report["sum"], 42);
    assert_eq!(report["idLength"], 21);
    assert_eq!(report["colour"], "\u{1b}[31mhello\u{1b}[39m");
    assert_eq!(report["html"], "<b>hello</b>");
    assert_eq!(report["decorated"], 42);
    assert_eq!(report["hash"], "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824");
}

#[test]
fn what_cannot_run_in_a_worker_is_refused_with_the_reason() {
    let cases = [
        (
            "a native addon",
            "module.exports = require('./build/addon.node');",
            "KT0803",
            "the package `bad` cannot run in a Worker: it has a native addon",
        ),
        (
            "a module that workerd lacks",
            "module.exports = require('node:sea');",
            "KT0803",
            "there is no module `node:sea`",
        ),
        (
            "a package of its own that is missing",
            "module.exports = require('left-out');",
            "KT0805",
            "the package `bad` imports `left-out`, which is not there",
        ),
        (
            "code from strings while it is loaded",
            "module.exports = new Function('return 1')();",
            "KT0803",
            "the package `bad` cannot run in a Worker",
        ),
        ("a syntax error", "module.exports = {;", "KT0805", "cannot be bundled"),
    ];
    for (what, text, code, words) in cases {
        let app = with_bad(text);
        app.write("node_modules/bad/build/addon.node", "machine code");
        let output = app.kontract(&["build", "--json"]);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{what}: {stderr}");
        assert!(stderr.contains(code) && stderr.contains(words), "{what}: {stderr}");
        assert!(!app.path().join("dist").exists(), "{what}: something was written");
        let found: Value = serde_json::from_slice(&output.stdout).expect("one JSON line");
        assert!(found["diagnostics"][0]["help"].is_string(), "{what}: says no fix");
    }
}

#[test]
fn what_may_not_run_is_a_warning() {
    let app = with_bad("const { spawn } = require('child_process');\nmodule.exports = () => spawn('ls');");
    let (value, words) = build(&app);
    let found = &event(&value, "diagnostics").expect("a warning")["diagnostics"][0];
    assert_eq!((&found["code"], &found["severity"]), (&json!("KT0804"), &json!("warning")), "{words}");
    assert!(words.contains("a Worker cannot start processes"), "{words}");
    assert!(words.contains("'bad'"), "the import is shown: {words}");

    let app = with_bad("if (!process.env.API_KEY) throw new Error('no API_KEY');\nmodule.exports = 1;");
    let (value, words) = build(&app);
    let found = &event(&value, "diagnostics").expect("a warning")["diagnostics"][0];
    assert_eq!(found["code"], "KT0804", "{words}");
    assert!(words.contains("no API_KEY") && words.contains("node_modules/bad/index.js:1"), "{words}");
}

#[test]
fn a_package_may_do_without_an_optional_one() {
    let app = with_bad(
        "let extra = 'without';\ntry { extra = require('left-out'); } catch {}\n\
         let more = import('left-out-too').catch(() => 'without');\nmodule.exports = { extra, more };",
    );
    let (value, words) = build(&app);
    assert!(event(&value, "diagnostics").is_none(), "{words}");

    // Nobody catches this.
    let app = with_bad("module.exports = () => require('left-out');");
    let output = app.kontract(&["build"]);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(
        stderr.contains("KT0805") && stderr.contains("imports `left-out`, which is not there"),
        "{stderr}"
    );
}

#[test]
fn a_worker_beyond_the_limits_is_refused() {
    let app = with_bad("module.exports = 1;");
    let noise: String = (0..600_000_u64)
        .map(|index| {
            format!("{:016x}", index.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(23) ^ (index << 7))
        })
        .collect();
    app.write("node_modules/bad/index.js", &format!("module.exports = '{noise}'.length;"));
    app.write("kontract.json", "{ \"name\": \"packages\", \"cookbook\": false, \"plan\": \"free\" }");
    let output = app.kontract(&["build"]);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(stderr.contains("KT0801") && stderr.contains("free plan"), "{stderr}");
    app.write("kontract.json", "{ \"name\": \"packages\", \"cookbook\": false, \"plan\": \"none\" }");
    build(&app);
}

#[test]
fn a_worker_that_starts_slowly_is_refused() {
    let app = with_bad("module.exports = 1;");
    // Each step waits for the division before it, which takes nanoseconds on any processor.
    app.write(
        "node_modules/bad/index.js",
        "let sum = 0;\nfor (let index = 0; index < 8e8; index += 1) sum = (sum * 31 + index) % 1000003;\nmodule.exports = sum;\n",
    );
    // Nobody pays for a module that is loaded on its first call.
    build(&app);
    app.write("kontract.json", "{ \"name\": \"packages\", \"cookbook\": false, \"eager\": true }");
    let output = app.kontract(&["build"]);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(stderr.contains("KT0802") && stderr.contains("1000 ms"), "{stderr}");
}

fn with_packages() -> App {
    let app = App::of_fixture("apps/packages");
    app.write(".dev.vars", DEV_VARS);
    app.copy_folder("packages", "node_modules");
    app
}

/// One endpoint, and a package `bad` with this text, which it imports.
fn with_bad(text: &str) -> App {
    let app = with_packages();
    app.write("node_modules/bad/package.json", "{ \"name\": \"bad\", \"version\": \"1.0.0\" }");
    app.write("node_modules/bad/index.js", text);
    app.write(
        "src/api.ts",
        "import { backend } from 'kontract';\nimport bad from 'bad';\n\
         export const f = backend({}, async (): Promise<string> => String(bad));\n",
    );
    app
}

fn build(app: &App) -> (Vec<Value>, String) {
    let output = app.kontract(&["build", "--json"]);
    let words = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{words}");
    let lines = String::from_utf8_lossy(&output.stdout).into_owned();
    (lines.lines().map(|line| serde_json::from_str(line).expect("JSON lines")).collect(), words)
}

fn event<'e>(events: &'e [Value], name: &str) -> Option<&'e Value> {
    events.iter().find(|event| event["event"] == name)
}
