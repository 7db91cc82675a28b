//! Streamed results, long messages and cancelled calls on workerd, over both transports.

use super::build::DEV_VARS;
use crate::support::app::App;
use crate::support::script;
use serde_json::{Value, json};
use std::fs;
use std::path::PathBuf;

#[test]
fn streams_flow_over_both_transports() {
    let app = App::of_fixture("apps/streams");
    app.write(".dev.vars", DEV_VARS);
    let served = app.serve(None);
    for transport in ["post", "websocket"] {
        check(
            transport,
            &script::run("streams.mjs", &[&script::argument(app.path()), &served.url, transport]),
        );
    }
}

fn check(transport: &str, outcome: &Value) {
    assert_eq!((&outcome["items"], &outcome["inOrder"]), (&json!(1000), &json!(true)), "{transport}");
    assert_eq!(outcome["taken"], 50);
    // Of 4,000: on a socket the window of 256 KiB, on a POST also what the connection holds.
    let ahead_max = if transport == "websocket" { 5 } else { 200 };
    assert!(
        outcome["ahead"].as_u64().is_some_and(|ahead| ahead <= ahead_max),
        "{transport}: {}",
        outcome["ahead"]
    );
    assert_eq!(outcome["left"], true, "{transport}: leaving the loop ends the generator");
    assert_eq!(
        (&outcome["aborted"], &outcome["abortedLeft"]),
        (&json!("AbortError"), &json!(true)),
        "{transport}"
    );
    assert_eq!(outcome["received"], json!(["one"]), "{transport}");
    let failure =
        json!({ "name": "NotFoundError", "status": 404, "code": "NOT_FOUND", "message": "there is no two" });
    assert_eq!(outcome["failure"], failure, "{transport}");
    assert_eq!(outcome["stored"], 3, "{transport}");
    assert_eq!(outcome["kept"], 3, "{transport}: what failed or was left is not stored");
    assert_eq!(outcome["echoed"], true, "{transport}");
    assert_eq!(outcome["tooLong"]["status"], 413, "{transport}: {}", outcome["tooLong"]);
    assert_eq!(outcome["shortTooLong"]["status"], 413, "{transport}: {}", outcome["shortTooLong"]);
    assert_eq!(outcome["huge"], json!([3_000_000, 3_000_000]), "{transport}");
    assert_eq!(outcome["gaveUp"], "AbortError", "{transport}");
    assert_eq!(outcome["cancelled"], true, "{transport}: the endpoint is told that its caller left");
    assert_eq!(outcome["unfinishedLeft"], true, "{transport}: and so is one that has nothing to send");
    let broken = if transport == "websocket" { json!(true) } else { Value::Null };
    assert_eq!(
        outcome.get("brokenTold").unwrap_or(&Value::Null),
        &broken,
        "what is no frame ends the calls as well"
    );
    assert_eq!(outcome["late"], false, "{transport}: a cancelled call commits nothing");
}

#[test]
fn files_and_streams_arrive_as_arguments_over_both_transports() {
    let app = App::of_fixture("apps/streams");
    app.write(".dev.vars", DEV_VARS);
    let served = app.serve(None);
    for transport in ["post", "websocket"] {
        let project = script::argument(app.path());
        let outcome = script::run("uploads.mjs", &[&project, &served.url, transport, "20"]);
        let measured = &outcome["measured"];
        assert_eq!(
            (&measured["name"], &measured["type"], &measured["modified"], &measured["note"]),
            (&json!("numbers.bin"), &json!("application/x-numbers"), &json!(1000), &json!("with a note")),
            "{transport}"
        );
        assert_eq!(
            (&measured["size"], &measured["bytes"]),
            (&json!(20_000_000), &json!(20_000_000)),
            "{transport}"
        );
        assert_eq!(outcome["both"], "first second", "{transport}");
        assert_eq!(outcome["streamed"], 2_000_000, "{transport}");
        assert_eq!(outcome["names"], json!(["né.txt", null]), "{transport}");
        assert_eq!(outcome["wrong"]["code"], "INVALID_REQUEST", "{transport}: {}", outcome["wrong"]);
        assert_eq!(outcome["tooLarge"]["status"], 413, "{transport}: {}", outcome["tooLarge"]);
        assert_eq!(outcome["tooLong"]["status"], 413, "{transport}: {}", outcome["tooLong"]);
        assert_eq!(outcome["isCancelled"], true, "{transport}: nobody reads an endless stream on");
        assert_eq!(outcome["unreadable"], json!(["Error", "the disk is gone"]), "{transport}");
    }
}

/// The peak of a long upload's memory lies where a short one's did: a stream passes through.
#[test]
fn a_long_upload_takes_no_more_memory_than_a_short_one() {
    let app = App::of_fixture("apps/streams");
    app.write(".dev.vars", DEV_VARS);
    let served = app.serve(None);
    let worker = Worker::below(served.id());
    for transport in ["post", "websocket"] {
        let upload = |megabytes: u64| {
            let arguments = [&script::argument(app.path()), &served.url, transport, &megabytes.to_string()];
            worker.forget_peak();
            let outcome = script::run("upload.mjs", &arguments);
            assert_eq!(outcome["bytes"], megabytes * 1_000_000, "{transport}");
            worker.peak_kib()
        };
        let short = upload(SHORT_MB);
        let long = upload(LONG_MB);
        assert!(
            long < short + GROWTH_KIB_MAX,
            "{transport}: {short} KiB for {SHORT_MB} MB, {long} KiB for {LONG_MB} MB"
        );
    }
}

/// Enough for buffers, pools and heap to have their size, in MB.
const SHORT_MB: u64 = 60;

/// What would not go unseen if it were kept, in MB.
const LONG_MB: u64 = 300;

/// Room for what garbage collection makes of it, in KiB.
const GROWTH_KIB_MAX: u64 = 100 * 1024;

/// The process of workerd, as proc(5) shows it.
struct Worker(PathBuf);

impl Worker {
    /// The one that a process started.
    fn below(parent: u32) -> Self {
        let is_child = |folder: &PathBuf| {
            let stat = fs::read_to_string(folder.join("stat")).unwrap_or_default();
            // The name in parentheses may hold anything; the state and the parent's number follow it.
            let Some((name, rest)) = stat.rsplit_once(')') else { return false };
            name.ends_with("(workerd") && rest.split_whitespace().nth(1) == Some(&parent.to_string())
        };
        let processes = fs::read_dir("/proc").expect("processes").filter_map(Result::ok);
        let folder = processes.map(|entry| entry.path()).find(is_child);
        Self(folder.expect("kontract dev started workerd"))
    }

    fn forget_peak(&self) {
        fs::write(self.0.join("clear_refs"), "5").expect("a process of our own");
    }

    /// The most memory that was resident since then.
    fn peak_kib(&self) -> u64 {
        let status = fs::read_to_string(self.0.join("status")).expect("it runs");
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("a peak");
        line.trim().trim_end_matches(" kB").parse().expect("a number")
    }
}
