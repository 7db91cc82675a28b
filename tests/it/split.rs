//! The split: plan, server half and client half of each fixture.

use std::fmt::Write;

use crate::fixture::{self, compile, compile_with};
use crate::support::script::{argument, run};
use kontract::split::{self, SplitOptions};

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

#[test]
fn classes_mean_what_the_tsconfig_says() {
    let case = fixture::folder("split").join("classes");
    let folder = tempfile::tempdir().expect("a folder");
    for optimize in [false, true] {
        let options = SplitOptions { optimize, ..SplitOptions::default() };
        let compiled = compile_with(&fixture::project(&case), options);
        let text = compiled.text();
        let (_, _, halves) = compiled.value.unwrap_or_else(|| panic!("errors:\n{text}"));
        let written = folder.path().join("classes.js");
        std::fs::write(&written, &halves.server["classes.js"]).expect("a file");
        let arguments = [case.join("src/classes.ts"), case.join("tsconfig.json"), written];
        let arguments = arguments.map(|path| argument(&path));
        let ran = run("classes.mjs", &arguments.each_ref().map(String::as_str));
        assert_eq!(ran["ours"], ran["theirs"], "{}", halves.server["classes.js"]);
        assert!(ran["ours"][0][0].as_array().is_some_and(|log| log.len() > 10), "{ran}");
    }
}
