//! The split: plan, server half and client half of each fixture.

use std::fmt::Write;

use crate::fixture::{self, compile};
use kontract::split;

#[test]
fn modules_are_split_as_expected() {
    for (name, case) in fixture::cases("split") {
        let compiled = compile(&fixture::project(&case));
        let mut text = compiled.text();
        assert!(compiled.value.is_some(), "{name} has errors:\n{text}");
        let Some((graph, _, halves)) = compiled.value else { continue };
        write!(text, "=== plan\n{}", split::plan(&graph)).expect("a string");
        for (path, code) in &halves.server {
            write!(text, "\n=== server/{path}\n{code}").expect("a string");
        }
        for (path, module) in &halves.client {
            let endpoints = &module.endpoints;
            write!(text, "\n=== client/{path} endpoints {endpoints:?}\n{}", module.statements)
                .expect("a string");
        }
        fixture::expect(&case, "expected.txt", &text);
        for module in halves.client.values() {
            assert!(!module.statements.contains("sk-live"), "{name} leaks:\n{}", module.statements);
        }
    }
}
