//! Middleware, inlined: generated middlewares do the same inlined as composed.

mod generate;
mod shapes;

use crate::fixture::{compile, compile_with};
use crate::support::node::Sandbox;
use generate::{ENDPOINTS, Program};
use kontract::diag::Code;
use kontract::split::SplitOptions;
use kontract::system::MemorySystem;
use serde_json::{Value, json};
use shapes::{AFTER, BEFORE, MIDDLE};

/// Every program is one seed, which a failure names.
const PROGRAMS: u64 = 500;

#[test]
fn inlined_middlewares_do_what_composed_ones_do() {
    let sandbox = sandbox();
    let mut programs = Vec::new();
    let mut refused = 0;
    for seed in 0..PROGRAMS {
        match write_program(&sandbox, &Program::of(seed), &format!("p{seed}")) {
            Some(program) => programs.push(program),
            None => refused += 1,
        }
    }
    assert!(programs.len() > 300 && refused > 3, "{} compiled, {refused} refused", programs.len());
    let counted = compare(&sandbox, programs);
    for (what, at_least) in [("runs", 10_000), ("calls", 5_000), ("caught", 100)] {
        assert!(counted[what].as_u64().is_some_and(|count| count > at_least), "{what} in {counted}");
    }
}

#[test]
fn middlewares_by_hand_do_what_composed_ones_do() {
    let sandbox = sandbox();
    let mut programs = Vec::new();
    for (place, middle) in MIDDLE.iter().enumerate() {
        for (number, before) in BEFORE.iter().enumerate() {
            let middleware = format!(
                "import {{ defineMiddleware, mwfilter }} from 'kontract';\nexport default defineMiddleware([\n{before}\n{middle},\n{AFTER}]);\n"
            );
            let program = Program { middleware, other: String::new() };
            let written = write_program(&sandbox, &program, &format!("m{place}b{number}"));
            programs.push(written.unwrap_or_else(|| panic!("{middle} is refused")));
        }
    }
    let counted = compare(&sandbox, programs);
    assert!(counted["runs"].as_u64().is_some_and(|count| count > 10_000), "{counted}");
}

/// A folder in which chains run.
fn sandbox() -> Sandbox {
    let sandbox = Sandbox::new();
    let package = br#"{ "type": "module", "exports": { ".": "./index.js", "./server": "./server.js" } }"#;
    sandbox.write("node_modules/kontract/package.json", package);
    let index = b"export const defineMiddleware = (list) => list;\nexport const mwfilter = (filter, middleware) => ({ filter, middleware });\n";
    sandbox.write("node_modules/kontract/index.js", index);
    sandbox.write_module("node_modules/kontract/server.js", "npm/kontract/src/server/chain.ts");
    sandbox
}

/// Runs programs composed, inlined and optimised.
fn compare(sandbox: &Sandbox, programs: Vec<Value>) -> Value {
    sandbox.write("programs.json", Value::from(programs).to_string().as_bytes());
    serde_json::from_str(&sandbox.run("middleware/compare.mjs")).expect("JSON")
}

/// Compiles a program and writes both of its forms; `None` when it certainly calls `next` twice.
fn write_program(sandbox: &Sandbox, program: &Program, name: &str) -> Option<Value> {
    let api: String = ENDPOINTS
        .iter()
        .map(|(name, egroup)| {
            let options = egroup.map_or_else(String::new, |egroup| format!("egroup: '{egroup}'"));
            format!(
                "export const {name} = backend({{ {options} }}, async (): Promise<string> => '{name}');\n"
            )
        })
        .collect();
    let system = MemorySystem::new([
        ("kontract.json", "{ \"name\": \"generated\" }".to_owned()),
        ("src/api.ts", format!("import {{ backend }} from 'kontract';\n{api}")),
        ("src/middleware.ts", program.middleware.clone()),
        ("src/other.ts", program.other.clone()),
    ]);
    let compiled = compile(&system);
    let text = compiled.text();
    let Some((_, contract, halves)) = compiled.value else {
        let codes: Vec<Code> = compiled.diagnostics.iter().map(|diagnostic| diagnostic.code).collect();
        assert!(codes.iter().all(|code| *code == Code::KT0206), "{name}:\n{text}\n{}", program.middleware);
        return None;
    };
    let modules = &halves;
    let optimized = compile_with(&system, SplitOptions { optimize: true, ..SplitOptions::default() })
        .value
        .expect("it compiled before")
        .2;
    for (folder, modules) in [("inlined", modules), ("optimized", &optimized)] {
        for (path, text) in &modules.server {
            sandbox.write(&format!("{name}/{folder}/{path}"), text.as_bytes());
        }
    }
    sandbox.write(
        &format!("{name}/source.js"),
        program.middleware.replace("'./other'", "'./plain.js'").as_bytes(),
    );
    sandbox.write(&format!("{name}/plain.js"), program.other.as_bytes());
    let endpoints: Vec<Value> = contract
        .contract()
        .endpoints
        .iter()
        .enumerate()
        .map(|(index, endpoint)| {
            let chain = modules.chains.get(&index).map(|chain| chain.export.clone());
            json!({ "name": endpoint.name, "egroup": endpoint.options.egroup, "chain": chain })
        })
        .collect();
    Some(json!({ "name": name, "endpoints": endpoints }))
}

/// What is held with `using` is let go when its own function ends, which may be long before the one around it does.
#[test]
fn a_middleware_that_holds_something_stays_a_function() {
    let text = |held: &str| {
        let system = MemorySystem::new([
            ("kontract.json", "{ \"name\": \"held\" }".to_owned()),
            ("src/api.ts", "import { backend } from 'kontract';\nexport const a = backend({}, async (): Promise<void> => {});".to_owned()),
            (
                "src/middleware.ts",
                format!("import {{ defineMiddleware }} from 'kontract';\nconst lock = {{ [Symbol.dispose]() {{}} }};\nexport default defineMiddleware([async (ctx, next) => {{ {held} lock; return await next(); }}]);\n"),
            ),
        ]);
        compile(&system).value.expect("it compiles").2.server["middleware.js"].clone()
    };
    assert!(!text("void").contains("once("));
    assert!(text("using held =").contains("once("));
    assert!(text("await using held =").contains("once("));
}
