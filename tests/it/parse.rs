//! Extraction: the contract of each fixture, in a form that people can read.

use std::fmt::Write;

use crate::fixture::{self, compile};
use kontract::contract::{Contract, Doc, Field};

#[test]
fn contracts_are_extracted_as_expected() {
    for kind in ["parse", "split"] {
        for (name, case) in fixture::cases(kind) {
            let compiled = compile(&fixture::project(&case));
            let diagnostics = compiled.text();
            let Some((_, contract, _)) = compiled.value else { panic!("{name} has errors:\n{diagnostics}") };
            let text = describe(contract.contract(), &compiled.sources);
            fixture::expect(&case, "expected-contract.txt", &(diagnostics + &text));
        }
    }
}

fn describe(contract: &Contract, sources: &kontract::source::Sources) -> String {
    let mut text = String::new();
    for endpoint in &contract.endpoints {
        let path = &sources.file(endpoint.binding.file).path;
        let options = &endpoint.options;
        line(&mut text, &format!("endpoint {} = {path} {}", endpoint.name, endpoint.binding.export));
        line(
            &mut text,
            &format!("  perm {} ugroup {:?} egroup {:?}", options.perm, options.ugroup, options.egroup),
        );
        for param in &endpoint.params {
            let optional = if param.optional { "?" } else { "" };
            line(&mut text, &format!("  param {}{optional}: {:?}", param.name, param.ty));
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
