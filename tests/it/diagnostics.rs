//! Every diagnostic code has a fixture that fails exactly so, and a near miss that passes.

use std::collections::BTreeSet;

use crate::fixture::{self, compile};
use kontract::diag::Code;
use kontract::diag::render::to_json;

#[test]
fn every_fixture_fails_exactly_as_expected() {
    for (name, case) in fixture::cases("diagnostics") {
        let code = name.split('-').next().and_then(Code::parse);
        assert!(code.is_some(), "{name} is not called after a code");
        let Some(code) = code else { continue };
        let compiled = compile(&fixture::project(&case));
        let codes: BTreeSet<Code> = compiled.diagnostics.iter().map(|diagnostic| diagnostic.code).collect();
        assert_eq!(codes, BTreeSet::from([code]), "{name}:\n{}", compiled.text());
        fixture::expect(&case, "expected.txt", &compiled.text());

        for diagnostic in &compiled.diagnostics {
            let json = to_json(diagnostic, &compiled.sources);
            assert_eq!(json["code"], code.as_str());
            assert!(!diagnostic.message.ends_with('.'), "{name}: {}", diagnostic.message);
            assert!(diagnostic.help.is_some(), "{name} says no fix");
        }
        let near_miss = compile(&fixture::project(&case.join("near-miss")));
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

/// Codes that files cannot cause, and where they are tested instead.
const ELSEWHERE: &[&str] = &[
    // Needs a file of 8 MB; `src/project.rs` makes one.
    "KT0002", // Needs a compiler that leaks; `split/leak.rs` gives the search doctored text.
    "KT0403",
];
