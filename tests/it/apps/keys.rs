//! Keys: `kontract keys rotate` (clients of the build before go on working, those of two builds before do not), and where none are made.

use super::build::DEV_VARS;
use crate::support::app::{App, kontract};
use crate::support::script;
use serde_json::Value;
use std::collections::BTreeSet;
use std::process::Stdio;

/// Serves the app as it is and has a kept client and the current one call it.
fn calls(app: &App, kept: &str) -> Value {
    let served = app.serve(None);
    let folder = |name: &str| script::argument(&app.path().join(name));
    script::run("rotated.mjs", &[&served.url, &folder(kept), &folder("dist/client")])
}

fn rotate(app: &App) {
    let output = app.kontract(&["keys", "rotate"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn clients_survive_one_rotation() {
    let app = App::copy_of("guestbook");
    app.write(".dev.vars", &format!("# kept\n{DEV_VARS}OTHER=1\n"));
    app.build();
    app.copy_folder("dist/client", "kept");

    rotate(&app);
    let vars = app.read(".dev.vars");
    assert!(vars.starts_with("# kept\nKONTRACT_KEY=AgIC"), "the backup is the current key: {vars}");
    assert!(vars.ends_with("OTHER=1\n") && !vars.contains("KONTRACT_BACKUP_KEY=AgIC"), "{vars}");
    assert_eq!(calls(&app, "kept"), serde_json::json!({ "kept": "answered", "current": "answered" }));

    rotate(&app);
    assert_eq!(calls(&app, "kept"), serde_json::json!({ "kept": "RefusedError", "current": "answered" }));
}

#[test]
fn keys_of_the_environment_are_printed_instead() {
    let app = App::copy_of("guestbook");
    let command = |backup: Option<&str>| {
        let mut command = kontract();
        command.args(["keys", "rotate", "--json", "--project"]).arg(app.path()).stdin(Stdio::null());
        for pair in DEV_VARS.lines() {
            let (name, value) = pair.trim().split_once('=').expect("a variable");
            command.env(name, value);
        }
        match backup {
            Some(value) => command.env("KONTRACT_BACKUP_KEY", value),
            None => command.env_remove("KONTRACT_BACKUP_KEY"),
        };
        command.output().expect("run kontract")
    };
    let rotated = command(Some("AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI"));
    let answer: Value = serde_json::from_slice(&rotated.stdout).expect("JSON");
    assert_eq!(answer["secrets"]["KONTRACT_KEY"], "AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI");
    assert_eq!(answer["secrets"]["KONTRACT_BACKUP_KEY"].as_str().map(str::len), Some(43));

    app.write(".dev.vars", "KONTRACT_BACKUP_KEY=AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI\n");
    let torn = command(None);
    assert_eq!(torn.status.code(), Some(3));
    assert!(String::from_utf8_lossy(&torn.stderr).contains("put both in one place"));
}

/// No keys, and no database, for what is none of kontract's.
#[test]
fn a_folder_that_is_no_project_is_left_as_it_is() {
    let app = App::copy_of("guestbook");
    std::fs::remove_file(app.path().join("kontract.json")).expect("the example has one");
    let files = || -> BTreeSet<_> {
        let files = std::fs::read_dir(app.path()).expect("a folder");
        files.map(|file| file.expect("a file").file_name()).collect()
    };
    let before = files();
    for arguments in [&["build"][..], &["dev", "--once", "--port", "0"]] {
        let output = app.kontract(arguments);
        assert_eq!(output.status.code(), Some(1));
        let words = String::from_utf8_lossy(&output.stderr);
        assert!(words.contains("KT0601") && words.contains("kontract.json"), "{words}");
        assert_eq!(files(), before, "{arguments:?}");
    }
}
