//! Secrets planted in every place that a program has for them: built clean, or refused; never in a client's file.

mod across;
mod shapes;

use across::ACROSS;
use kontract::CompileInput;
use kontract::project;
use kontract::system::MemorySystem;
use shapes::SHAPES;
use std::collections::BTreeMap;

#[test]
fn no_planted_secret_reaches_a_client() {
    let (mut clean, mut refused) = (Vec::new(), Vec::new());
    let mut leaked = Vec::new();
    for (number, shape) in SHAPES.iter().chain(ACROSS).enumerate() {
        let secret = format!("skLive{number}x51Mz");
        let plant = |text: &str| text.replace("SECRET", &secret);
        let files = [
            ("kontract.json", "{ \"name\": \"planted\" }".to_owned()),
            ("src/api.ts", plant(&format!("{}\n{}", shape.api, API))),
            ("src/vault.ts", plant(shape.vault)),
            (
                "src/page.ts",
                plant(&format!(
                    "import {{ read }} from '@/client/api';\n{}\nexport const shown = read;\n",
                    shape.page
                )),
            ),
        ];
        let system = MemorySystem::new(files.into_iter().filter(|(_, text)| !text.is_empty()));
        let loaded = project::load(&system);
        let outcome = kontract::compile(&system, &loaded, &CompileInput::default());
        let Some(artifacts) = outcome.value else {
            assert!(!outcome.diagnostics.is_empty(), "{} is refused without a word", shape.name);
            refused.push(shape.name);
            continue;
        };
        let holds = |bytes: &[u8]| String::from_utf8_lossy(bytes).contains(&secret);
        let in_client =
            |path: &str| path.starts_with("dist/client/") || path.starts_with(".kontract/client/");
        let found = artifacts.iter().filter(|(path, bytes)| in_client(path) && holds(bytes));
        leaked.extend(found.map(|(path, _)| format!("{}: {path}", shape.name)));
        if !shape.vanishes {
            let server =
                artifacts.iter().any(|(path, bytes)| path.starts_with(".kontract/server/") && holds(bytes));
            assert!(server, "{}: the server lacks what was planted", shape.name);
        }
        clean.push(shape.name);
    }
    assert!(leaked.is_empty(), "{leaked:#?}");
    assert!(clean.len() >= 40, "{} built clean: {clean:?}, refused: {refused:?}", clean.len());
    assert!(refused.len() >= 3, "refused: {refused:?}");
}

#[test]
fn the_report_says_what_was_searched_and_is_the_same_each_time() {
    let report = || {
        let system = MemorySystem::new([
            ("kontract.json", "{ \"name\": \"planted\" }".to_owned()),
            ("src/api.ts", format!("const key = 'sk-live-1';\nexport const seen = key;\n{API}")),
        ]);
        let loaded = project::load(&system);
        let artifacts =
            kontract::compile(&system, &loaded, &CompileInput::default()).value.expect("it compiles");
        artifacts["dist/client/leak-report.json"].clone()
    };
    let text = String::from_utf8(report()).expect("UTF-8");
    assert_eq!(text.as_bytes(), report());
    let report: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(report["found"], 0);
    assert!(report["searchedFor"]["texts"].as_u64().is_some_and(|count| count > 0), "{text}");
    for file in
        ["dist/client/index.js", "dist/client/api.js", "dist/client/api.d.ts", ".kontract/client/api.js"]
    {
        assert!(
            report["files"][file].as_u64().is_some_and(|bytes| bytes > 0),
            "{file} was not searched: {text}"
        );
    }
    assert!(!text.contains("sk-live"), "the report itself tells");
}

/// A number cannot be planted as a name can: it is searched for by its digits, however a printer writes them.
#[test]
fn no_planted_number_reaches_a_client() {
    let built = |api: &str, page: &str| {
        let system = MemorySystem::new([
            ("kontract.json", "{ \"name\": \"planted\" }".to_owned()),
            ("src/api.ts", format!("{api}\n{API}")),
            (
                "src/page.ts",
                format!("import {{ read }} from '@/client/api';\n{page}\nexport const shown = read;\n"),
            ),
        ]);
        let loaded = project::load(&system);
        let outcome = kontract::compile(&system, &loaded, &CompileInput::default());
        let text = |path: &str| {
            let artifacts = outcome.value.as_ref()?;
            Some(String::from_utf8_lossy(&artifacts[path]).into_owned())
        };
        (text("dist/client/api.js"), text("dist/client/leak-report.json"))
    };
    let endpoint =
        "export const a = endpointOf({}, async (pin: number): Promise<boolean> => pin === 483920);";
    let (client, report) = built(endpoint, "");
    assert!(client.is_some_and(|text| !text.contains("483920")));
    let report: serde_json::Value = serde_json::from_str(&report.expect("it compiles")).expect("JSON");
    assert_eq!(report["searchedFor"]["numbers"], 1, "{report}");
    // What a page asks for may say the same number, which is no secret then; nothing may say it by a type.
    let label = "export const label = (): number => 483920;";
    let asked = "import { label } from '@/client/api';\nconsole.log(label());";
    assert!(built(&format!("{endpoint}\n{label}"), asked).0.is_some_and(|text| text.contains("483920")));
    let typed = "const pin = 483920;\nexport const label = (x?: typeof pin): number => x ?? 1;\nexport const a = endpointOf({}, async (): Promise<boolean> => pin > 1);";
    assert_eq!(built(typed, asked).0, None);
}

/// What a JSON file says tells as much as what is written in code.
#[test]
fn json_that_only_the_server_imports_is_searched_for() {
    let found = |api: &str, text: &str| {
        let system = MemorySystem::new([
            ("kontract.json", "{ \"name\": \"planted\" }".to_owned()),
            (
                "tsconfig.json",
                "{ \"compilerOptions\": { \"paths\": { \"~/*\": [\"./src/*\"] } } }".to_owned(),
            ),
            ("src/keys.json", "{ \"live\": { \"sk-live-json\": [\"say \\\"hi\\\"\", 483920] } }".to_owned()),
            ("src/api.ts", format!("{api}\n{API}")),
            (
                "src/page.ts",
                "import { read, label } from '@/client/api';\nexport const shown = [read, label];\n"
                    .to_owned(),
            ),
        ]);
        let loaded = project::load(&system);
        let evidence = kontract::evidence(&loaded, &BTreeMap::new());
        let Some(evidence) = evidence.value else { panic!("{:?}", evidence.diagnostics) };
        let files = BTreeMap::from([("page.js".to_owned(), text.as_bytes().to_vec())]);
        let leaks = evidence.prove(files, &[]).err().unwrap_or_default();
        leaks.iter().for_each(|leak| println!("{}", leak.message));
        leaks.len()
    };
    let label = "export const label = (n: number): number => n + 1;";
    let used = "export const a = endpointOf({}, async (): Promise<string> => JSON.stringify(keys));";
    for import in [
        format!("import keys from './keys.json';\n{used}"),
        format!("import * as keys from '~/keys.json' with {{ type: 'json' }};\n{used}"),
        "export const a = endpointOf({}, async (): Promise<string> => (await import(`./keys.json`)).default);"
            .to_owned(),
    ] {
        let api = format!("{import}\n{label}");
        for text in ["'sk-live-json'", "`say \"hi\"`", "\"say \\\"hi\\\"\"", "0x76250"] {
            assert_eq!(found(&api, text), 1, "{text}: {import}");
        }
        assert_eq!(found(&api, "'sk-other' + 48392"), 0);
    }
    // What a client's own statement imports, clients have.
    let both =
        "import keys from './keys.json';\nexport const label = (): number => Object.keys(keys.live).length;";
    assert_eq!(found(&format!("{both}\n"), "'sk-live-json'"), 0);
}

/// What every program has besides its secret.
const API: &str = "
import { backend as endpointOf } from 'kontract';
export const read = endpointOf({}, async (id: string): Promise<string> => id);
";
