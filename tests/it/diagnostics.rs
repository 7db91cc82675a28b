//! Every diagnostic code has a fixture that fails exactly so, and a near miss that passes.

use std::collections::BTreeSet;

use crate::fixture::{self, diagnose};
use kontract::diag::Code;
use kontract::diag::render::to_json;
use kontract::system::MemorySystem;

#[test]
fn every_fixture_fails_exactly_as_expected() {
    for (name, case) in fixture::cases("diagnostics") {
        let code = name.split('-').next().and_then(Code::parse);
        assert!(code.is_some(), "{name} is not called after a code");
        let Some(code) = code else { continue };
        let compiled = diagnose(&fixture::project(&case));
        let codes: BTreeSet<Code> = compiled.diagnostics.iter().map(|diagnostic| diagnostic.code).collect();
        assert_eq!(codes, BTreeSet::from([code]), "{name}:\n{}", compiled.text());
        fixture::expect(&case, "expected.txt", &compiled.text());

        for diagnostic in &compiled.diagnostics {
            let json = to_json(diagnostic, &compiled.sources);
            assert_eq!(json["code"], code.as_str());
            assert!(!diagnostic.message.ends_with('.'), "{name}: {}", diagnostic.message);
            assert!(diagnostic.help.is_some(), "{name} says no fix");
        }
        let near_miss = diagnose(&fixture::project(&case.join("near-miss")));
        assert!(near_miss.diagnostics.is_empty(), "the near miss of {name}:\n{}", near_miss.text());
    }
}

#[test]
fn every_code_has_a_fixture() {
    let covered: BTreeSet<Code> = fixture::cases("diagnostics")
        .iter()
        .filter_map(|(name, _)| Code::parse(&name[..6.min(name.len())]))
        .collect();
    let missing: Vec<&Code> = Code::ALL
        .iter()
        .filter(|code| !covered.contains(code) && !ELSEWHERE.contains(&code.as_str()))
        .collect();
    assert!(missing.is_empty(), "no fixture for {missing:?}");
}

#[test]
fn a_type_beyond_the_limits_of_a_layout_is_an_error_there() {
    let diagnose_with = |fields: usize| {
        let fields: String = (0..fields).map(|index| format!("  f{index}: number;\n")).collect();
        let text = format!(
            "import {{ backend }} from 'kontract';\ninterface Wide {{\n{fields}}}\n\
             export const f = backend({{}}, async (wide: Wide): Promise<void> => {{ void wide; }});\n"
        );
        let config = ("kontract.json", "{ \"name\": \"fixture\" }".to_owned());
        diagnose(&MemorySystem::new([config, ("src/api.ts", text)]))
    };
    let wide = diagnose_with(4097);
    let codes: Vec<Code> = wide.diagnostics.iter().map(|diagnostic| diagnostic.code).collect();
    assert_eq!(codes, [Code::KT0308], "{}", wide.text());
    assert!(wide.text().contains("src/api.ts"));
    let near_miss = diagnose_with(4096);
    assert!(near_miss.diagnostics.is_empty(), "{}", near_miss.text());
}

#[test]
fn a_syntax_error_hides_nothing_of_other_files_and_brings_nothing_up() {
    let (broken, mended) = ("export const LIMIT = ;\n", "export const LIMIT = 'admin';\n");
    let files = |limits: &str| {
        [
            ("kontract.json", "{ \"name\": \"fixture\" }".to_owned()),
            ("src/limits.ts", limits.to_owned() + "export interface Row { id: string }\nexport class Base {}\n"),
            (
                "src/rows.ts",
                "import { backend } from 'kontract';\nimport { LIMIT, Base, type Row } from './limits';\n\
                 export const rows = backend({ ugroup: LIMIT }, async (row: Row) => env.storage.rows.get(row.id));\n\
                 export class Rows extends Base {\n  @backend({}) async all(): Promise<Row[]> { return []; }\n}\n\
                 export const wrong = backend({ ugruop: 'a' }, async () => 1);\n"
                    .to_owned(),
            ),
            (
                "src/further.ts",
                "import { backend } from 'kontract';\nimport { rows } from './rows';\n\
                 export const first = backend({}, async () => (await rows({ id: 'a' })) ?? null);\n"
                    .to_owned(),
            ),
            (
                "src/alone.ts",
                "import { backend } from 'kontract';\n\
                 export const alone = backend({}, async (url: Missing, other) => 1);\n"
                    .to_owned(),
            ),
            ("src/page.tsx", "import { alone } from './alone';\nexport const page = () => alone;\n".to_owned()),
        ]
    };
    let found = |limits: &str| {
        let compiled = diagnose(&MemorySystem::new(files(limits)));
        let codes = compiled.diagnostics.iter().map(|found| {
            let path =
                found.labels.first().map(|label| compiled.sources.file(label.location.file).path.clone());
            format!("{} {}", path.unwrap_or_default(), found.code)
        });
        let codes: BTreeSet<String> = codes.collect();
        codes
    };
    let others = ["src/alone.ts KT0301", "src/alone.ts KT0304", "src/rows.ts KT0102"].map(str::to_owned);
    assert_eq!(found(mended), BTreeSet::from(others.clone()));
    let syntax = ["src/limits.ts KT0004".to_owned()];
    assert_eq!(found(broken), others.into_iter().chain(syntax).collect());
}

/// Codes that small files cannot cause, and where they are tested instead.
const ELSEWHERE: &[&str] = &[
    // Needs a file of 8 MB; `src/project.rs` makes one.
    "KT0002", // Needs a compiler that leaks; `split/leak.rs` gives the search doctored text.
    "KT0403",
    // Needs TypeScript, its absence, and files that a build wrote; `check.rs` has them.
    "KT0701", "KT0702", "KT0703", // Need esbuild and workerd; `apps/packages.rs` has them.
    "KT0801", "KT0802", "KT0803", "KT0804", "KT0805",
];
