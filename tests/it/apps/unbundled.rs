//! The Worker of `kontract dev`, whose modules are not bundled: the same program as that of a build, and edits that cost one module.

use super::build::DEV_VARS;
use super::connections::Deployed;
use crate::support::app::App;
use crate::support::script;
use serde_json::{Value, json};
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};

/// What `program` of an app returns.
fn run(app: &App, url: &str) -> Value {
    script::run("call.mjs", &[&script::argument(app.path()), url, "program", "[\"x\"]"])
}

/// The fixture for packages, with modules that link to each other and to packages in every way.
fn app() -> App {
    let app = App::of_fixture("apps/packages");
    app.write(".dev.vars", DEV_VARS);
    app.copy_folder("packages", "node_modules");
    for (path, text) in PACKAGES.iter().chain(MODULES) {
        app.write(path, text);
    }
    app
}

#[test]
fn a_build_and_a_development_server_run_the_same_program() {
    let app = app();
    let served = app.serve(None);
    let in_dev = run(&app, &served.url);
    drop(served);
    assert!(app.path().join(".kontract/server/workerd.capnp").exists(), "nothing was bundled");
    assert!(!app.path().join("dist/server").exists());
    app.build();
    let deployed = Deployed::built(app);
    let (workerd, url) = deployed.start(None);
    let built = run(&deployed.app, &url);
    drop(workerd);
    let expected = json!([
        "even",
        "odd",
        "named",
        "object",
        "late",
        "counted 2",
        "a,b,default",
        "json",
        "dynamic",
        "awaited",
        "disposed x",
        "function",
        "renamed",
        "star",
        "all of it",
        "3"
    ]);
    assert_eq!((&in_dev, &built), (&expected, &expected));
}

#[test]
fn an_edit_inside_of_a_function_serves_its_module_alone_anew() {
    let app = app();
    let mut served = app.watch();
    let url = served.url.clone();
    let program = app.read("src/program.ts");
    let changed = json!([".kontract/server/src/program.js", ".kontract/server/src/program.js.map"]);
    let edited = program.replace("'all of it'", "'all of this'");
    // Each edit moves lines, so that a whole build would change more. What was written right before one may have been written once more
    // without a trace.
    let mut lines = 0;
    loop {
        lines += 1;
        let more = format!("log.push('{lines} more');{}return log", "\n".repeat(lines));
        app.write("src/program.ts", &edited.replace("return log", &more));
        let rebuilt = served.wait_for("rebuilt");
        if rebuilt["changed"] == changed {
            break;
        }
        assert!(lines < 100, "{rebuilt}");
    }
    let ran = run(&app, &url);
    assert_eq!((&ran[10], &ran[14]), (&json!(format!("disposed x,{lines} more")), &json!("all of this")));
    let rest = served.wait_for("completed")["changed"].clone();
    let moved = |path: &str| path.ends_with(".d.ts.map") || path == "dist/client/leak-report.json";
    let rest: Vec<&str> = rest.as_array().expect("paths").iter().filter_map(Value::as_str).collect();
    assert!(!rest.is_empty() && rest.iter().all(|path| moved(path)), "{rest:?}");

    app.write("src/program.ts", &program.replace("'all of it'", "missing"));
    let event = served.wait_for("rebuilt");
    assert_eq!(event["changed"][0], changed[0], "names are TypeScript's business");
    app.write("src/program.ts", &program);
    assert_eq!(served.wait_for("rebuilt")["changed"][0], changed[0]);
    assert_eq!(run(&app, &url)[14], "all of it");

    let cycle = app.read("src/even.ts");
    app.write(
        "src/even.ts",
        &cycle.replace("import { odd }", "import { odd, missing }").replace("odd(n", "missing(n"),
    );
    let event = served.wait_for("diagnostics");
    assert_eq!(event["diagnostics"][0]["code"], "KT0805", "esbuild's words: {event}");
    app.write("src/even.ts", &cycle);
    served.wait_for("rebuilt");
    assert_eq!(run(&app, &url)[14], "all of it");
}

#[test]
fn what_nobody_tells_of_is_served_once_the_build_is_completed() {
    let app = app();
    let mut served = app.watch();
    let url = served.url.clone();
    // Packages are not watched.
    let package = app.read("node_modules/old/index.js");
    app.write("node_modules/old/index.js", &package.replace("'named'", "'named anew'"));
    let program = app.read("src/program.ts");
    app.write("src/program.ts", &program.replace("'all of it'", "'all of this'"));
    served.wait_for("rebuilt");
    assert_eq!(run(&app, &url)[14], "all of this");
    if run(&app, &url)[2] != "named anew" {
        served.wait_for("completed");
    }
    let ran = run(&app, &url);
    assert_eq!((&ran[2], &ran[14]), (&json!("named anew"), &json!("all of this")));
}

#[test]
fn while_edits_follow_each_other_somebody_always_answers_and_the_last_one_stays() {
    let app = app();
    let mut served = app.watch();
    let (url, is_over) = (served.url.clone(), AtomicBool::new(false));
    let module = app.read("src/odd.ts");
    let edited = |more: usize| module.replace("'odd'", &format!("'odd, {more}'"));
    std::thread::scope(|scope| {
        let asking = scope.spawn(|| {
            let (mut answers, mut closed) = (0, 0);
            while !is_over.load(Ordering::Relaxed) {
                match ask(&url) {
                    Ok(answer) if answer.is_empty() => closed += 1,
                    Ok(answer) => {
                        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
                        answers += 1;
                    }
                    Err(error) => {
                        assert!(
                            matches!(error.kind(), ErrorKind::ConnectionReset | ErrorKind::BrokenPipe),
                            "{error}"
                        );
                        closed += 1;
                    }
                }
            }
            (answers, closed)
        });
        for burst in 0..4 {
            // Within the time for which an edit has to be the last one, and right behind it.
            for step in 0..5 {
                app.write("src/odd.ts", &edited(burst * 5 + step));
                let _answered_or_closed = ask(&url);
            }
            let last = json!(format!("odd, {}", burst * 5 + 4));
            while run(&app, &url)[1] != last {
                served.wait_for("rebuilt");
            }
        }
        is_over.store(true, Ordering::Relaxed);
        let (answers, closed) = asking.join().expect("nobody was refused");
        // A Worker that ends closes connections on which it has read nothing.
        assert!(answers > 20 && closed <= 20, "{answers} {closed}");
    });
}

/// The answer to a request on a connection of its own, to which somebody always listens.
fn ask(url: &str) -> std::io::Result<String> {
    let address = url.strip_prefix("http://").expect("a URL");
    let mut stream = TcpStream::connect(address).expect("somebody listens");
    write!(stream, "GET /health HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}

#[test]
fn what_means_something_only_in_a_bundle_is_bundled() {
    let app = app();
    let program = app.read("src/program.ts");
    let common = "declare const require: (name: string) => { named: string };\n";
    app.write(
        "src/program.ts",
        &format!("{common}{}", program.replace("'all of it'", "require('old').named")),
    );
    let served = app.serve(None);
    assert!(app.path().join("dist/server/worker.js").exists());
    assert_eq!(run(&app, &served.url)[14], "named");
}

const PACKAGES: &[(&str, &str)] = &[
    ("node_modules/old/package.json", "{ \"name\": \"old\", \"version\": \"1.0.0\" }"),
    (
        "node_modules/old/index.js",
        "exports.named = 'named'; exports.default = 'default'; exports.__esModule = true; let n = 0; exports.count = () => ++n;",
    ),
    ("node_modules/late/package.json", "{ \"name\": \"late\", \"version\": \"1.0.0\" }"),
    (
        "node_modules/late/index.js",
        "module.exports = function late() { return 'late'; }; module.exports.a = 1;",
    ),
    (
        "node_modules/modern/package.json",
        "{ \"name\": \"modern\", \"version\": \"1.0.0\", \"type\": \"module\", \"exports\": \"./m.js\" }",
    ),
    ("node_modules/modern/m.js", "export const a = 'renamed'; export const b = 2; export default 'default';"),
];

const MODULES: &[(&str, &str)] = &[
    (
        "src/even.ts",
        "import { odd } from './odd';\nexport const even = (n: number): string => (n === 0 ? 'even' : odd(n - 1));\n",
    ),
    (
        "src/odd.ts",
        "import { even } from './even';\nexport function odd(n: number): string { return n === 0 ? 'odd' : even(n - 1); }\n",
    ),
    ("src/words.json", "{ \"word\": \"json\", \"star\": \"star\" }"),
    ("src/awaited.ts", "export const awaited: string = await Promise.resolve('awaited');\n"),
    (
        "src/stars.ts",
        "export * from './awaited';\nexport * as words from './words.json';\nexport { a as renamed } from 'modern';\n",
    ),
    ("src/counter.ts", "import { count } from 'old';\nexport const first: number = count();\n"),
    (
        "src/program.ts",
        "import { backend } from 'kontract';\n\
         import { even } from './even';\n\
         import standard, { named, count } from 'old';\n\
         import * as old from 'old';\n\
         import late from 'late';\n\
         import * as modern from 'modern';\n\
         import words from './words.json' with { type: 'json' };\n\
         import { awaited, renamed, words as all } from './stars';\n\
         import { first } from './counter';\n\
         function disposed(text: string): string {\n\
           const log: string[] = [];\n\
           { using held = { [Symbol.dispose]() { log.push('disposed ' + text); } }; void held; }\n\
           return log.join();\n\
         }\n\
         export const program = backend({ name: 'program' }, async (text: string): Promise<string[]> => {\n\
           const lazy = await import('modern');\n\
           return [\n\
             even(4), even(3), named, typeof standard, late(), 'counted ' + (first + old.count() - 1),\n\
             Object.keys(modern).sort().join(), words.word, lazy.b === 2 ? 'dynamic' : '', awaited, disposed(text),\n\
             typeof count, renamed, all.star, 'all of it', String(count()),\n\
           ];\n\
         });\n",
    ),
];
