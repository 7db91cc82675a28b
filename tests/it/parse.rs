//! Extraction: the contract of each fixture, in a form that people can read.

use std::fmt::Write;

use crate::fixture::{self, compile};
use kontract::contract::{Contract, Doc, Field};
use kontract::diag::Code;
use kontract::system::{MemorySystem, System};

#[test]
fn contracts_are_extracted_as_expected() {
    for kind in ["parse", "split"] {
        for (name, case) in fixture::cases(kind) {
            let compiled = compile(&fixture::project(&case));
            let diagnostics = compiled.text();
            assert!(compiled.value.is_some(), "{name} has errors:\n{diagnostics}");
            let Some((_, contract, _)) = compiled.value else { continue };
            let text = describe(contract.contract(), &compiled.sources);
            fixture::expect(&case, "expected-contract.txt", &(diagnostics + &text));
        }
    }
}

#[test]
fn what_is_only_declared_may_have_a_reserved_name() {
    let errors = |text: &str| {
        let files = [("kontract.json", "{ \"name\": \"fixture\" }"), ("src/a.ts", text)];
        compile(&MemorySystem::new(files)).text()
    };
    assert_eq!(errors("export declare function open(package: string): void;\n"), "");
    assert_eq!(
        errors("declare namespace Java { const package: string; }\nexport type X = typeof Java;\n"),
        ""
    );
    assert!(errors("export function open(package: string) {}\n").contains("KT0004"));
}

#[test]
fn truncated_sources_end_in_diagnostics() {
    for (_, case) in fixture::cases("parse").into_iter().chain(fixture::cases("split")) {
        let system = fixture::project(&case);
        for path in system.list("src", &[]).expect("there are sources") {
            let text = system.read(&path).expect("it is listed");
            for len in (0..text.len()).step_by(TRUNCATION_STEP) {
                // What matters is that it comes back at all.
                let text = String::from_utf8_lossy(&text[..len]).into_owned();
                let alone = MemorySystem::new([
                    ("kontract.json".to_owned(), "{ \"name\": \"fixture\" }".to_owned()),
                    (path.clone(), text),
                ]);
                compile(&alone);
            }
        }
    }
}

#[test]
fn nesting_of_any_kind_is_bounded() {
    const DEEP: usize = 100_000;
    let nested = |open: &str, inner: &str, close: &str| open.repeat(DEEP) + inner + &close.repeat(DEEP);
    let sources = [
        ("parentheses", "x = ".to_owned() + &nested("(", "1", ")")),
        ("arrays", "x = ".to_owned() + &nested("[", "", "]")),
        ("blocks", nested("{", "", "}")),
        ("templates", "x = ".to_owned() + &nested("`${", "1", "}`")),
        ("elements", "x = ".to_owned() + &nested("<a>", "", "</a>")),
        ("open elements", "x = ".to_owned() + &"<a>".repeat(DEEP)),
        ("prefixes", "x = ".to_owned() + &"!".repeat(DEEP) + "1"),
        ("sums", "x = ".to_owned() + &"1+".repeat(DEEP) + "1"),
        ("members", "x = a".to_owned() + &".a".repeat(DEEP)),
        ("arrows", "x = ".to_owned() + &"a=>".repeat(DEEP) + "1"),
        ("conditions", "x = ".to_owned() + &"a?b:".repeat(DEEP) + "1"),
        ("types", "type X = ".to_owned() + &nested("A<", "A", ">")),
        ("array types", "type X = A".to_owned() + &"[]".repeat(DEEP)),
        ("operators", "type X = ".to_owned() + &"keyof ".repeat(DEEP) + "A"),
        ("names", "type X = A".to_owned() + &".A".repeat(DEEP)),
        // swc needs quadratic time for these.
        ("branches", "if (a) b; ".to_owned() + &"else if (a) b; ".repeat(DEEP / 20)),
        ("decorators", "@perm(".repeat(DEEP)),
    ];
    for (name, text) in sources {
        let files = [("kontract.json", "{ \"name\": \"fixture\" }".to_owned()), ("src/a.tsx", text)];
        let codes: Vec<Code> =
            compile(&MemorySystem::new(files)).diagnostics.iter().map(|found| found.code).collect();
        let refused = codes.iter().all(|code| matches!(code, Code::KT0004 | Code::KT0006));
        assert!(refused && !codes.is_empty(), "{name}: {codes:?}");
    }
}

/// Every byte would take minutes; this step shares no factor with the width of an indentation.
const TRUNCATION_STEP: usize = 7;

fn describe(contract: &Contract, sources: &kontract::source::Sources) -> String {
    let mut text = String::new();
    for endpoint in &contract.endpoints {
        let path = &sources.file(endpoint.binding.file).path;
        let options = &endpoint.options;
        let instance = if endpoint.binding.instance { "new " } else { "" };
        line(
            &mut text,
            &format!("endpoint {} = {path} {instance}{}", endpoint.name, endpoint.binding.path()),
        );
        line(
            &mut text,
            &format!("  perm {} ugroup {:?} egroup {:?}", options.perm, options.ugroup, options.egroup),
        );
        for param in &endpoint.params {
            let optional = if param.optional { "?" } else { "" };
            let rest = if param.rest { "..." } else { "" };
            line(&mut text, &format!("  param {rest}{}{optional}: {:?}", param.name, param.ty));
        }
        line(&mut text, &format!("  returns {:?}", endpoint.returns));
        doc(&mut text, &endpoint.doc);
    }
    for middleware in &contract.middleware {
        line(&mut text, &format!("middleware {} {:?}", middleware.index, middleware.filter));
    }
    for table in &contract.tables {
        line(
            &mut text,
            &format!("table {} of {} by {} {:?}", table.name, table.entity, table.key, table.scope),
        );
    }
    for object in contract.types.values() {
        line(&mut text, &format!("type {}", object.name));
        doc(&mut text, &object.doc);
        for field in &object.fields {
            line(&mut text, &format!("  {}", field_text(field)));
            doc(&mut text, &field.doc);
        }
    }
    for used in &contract.storage_uses {
        let operation =
            used.operation.as_ref().map(|operation| format!("{} {}", operation.name, operation.needs));
        line(&mut text, &format!("uses {} {operation:?} in {:?}", used.table, used.endpoint));
    }
    text
}

fn field_text(field: &Field) -> String {
    let marks = [
        (field.readonly, "readonly"),
        (field.primkey, "primkey"),
        (field.index, "index"),
        (field.unique, "unique"),
    ];
    let marks: String = marks.iter().filter(|(set, _)| *set).map(|(_, name)| format!(" {name}")).collect();
    let perm = field.perm.map_or_else(String::new, |perm| format!(" perm {perm}"));
    let optional = if field.optional { "?" } else { "" };
    format!("{}{optional}: {:?}{marks}{perm}", field.name, field.ty)
}

fn doc(text: &mut String, doc: &Doc) {
    if *doc != Doc::default() {
        line(text, &format!("  doc {doc:?}"));
    }
}

fn line(text: &mut String, line: &str) {
    writeln!(text, "{line}").expect("a string");
}
