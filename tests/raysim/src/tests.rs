//! Seeds, and what the fuzzer found worth keeping.

use crate::forge::{TICKET_LEN, TicketBinding};
use crate::fuzz::TARGETS;
use crate::{Counts, Rng, simulate};
use serde_json::{Value, json};
use std::path::Path;

/// Which seeds: `KONTRACT_RAYSIM_SEEDS` many, from `KONTRACT_RAYSIM_FIRST` on.
fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

#[test]
fn seeds() {
    let (first, count) = (number("KONTRACT_RAYSIM_FIRST", 1), number("KONTRACT_RAYSIM_SEEDS", 200));
    let mut total = Counts::default();
    for seed in first..first + count {
        let counts = simulate(seed).unwrap_or_else(|violation| {
            unreachable!("{violation}; again with KONTRACT_RAYSIM_FIRST={seed} KONTRACT_RAYSIM_SEEDS=1")
        });
        total.handshakes += counts.handshakes;
        total.frames += counts.frames;
        total.refusals += counts.refusals;
        total.answers += counts.answers;
    }
    println!("{count} seeds: {total:?}");
    assert!(total.answers >= count && total.frames > total.answers && total.refusals > 0, "{total:?}");
}

#[test]
fn a_seed_says_all() {
    for seed in 1..20 {
        assert_eq!(simulate(seed), simulate(seed));
    }
}

/// `fixtures/vectors/raystream/tickets.json`: the tickets of the two suites, opened. `UPDATE_EXPECT=1` writes it.
#[test]
fn tickets_are_what_the_page_says() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/vectors/raystream");
    let opened: Vec<Value> = ["suite1.json", "suite2.json"]
        .iter()
        .map(|name| {
            let text = std::fs::read_to_string(folder.join(name)).expect("a readable file");
            opened_ticket(&serde_json::from_str(&text).expect("JSON"))
        })
        .collect();
    let actual = format!("{}\n", serde_json::to_string_pretty(&opened).expect("plain data"));
    let path = folder.join("tickets.json");
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        std::fs::write(&path, actual).expect("writable");
        return;
    }
    assert_eq!(std::fs::read_to_string(&path).expect("run with UPDATE_EXPECT=1 first"), actual);
}

fn opened_ticket(vector: &Value) -> Value {
    // The ticket key of runtime/raystream's tests.
    let stek = [0x77; 32];
    let suite = u16::try_from(vector["suite"].as_u64().expect("a number")).expect("1 or 2");
    let route_hash = unhex(&vector["routeHash"]).try_into().expect("32 bytes");
    let init = unhex(&vector["resume"]["init"]);
    let ticket = &init[19..19 + TICKET_LEN];
    let binding = TicketBinding { stek, suite, route_hash };
    let content = binding.open(ticket).expect("sealed as the page says");
    assert_eq!(binding.seal(*ticket.first_chunk().expect("a nonce"), &content), ticket);
    assert_eq!(content[32..48], unhex(&vector["sessionId"]));
    assert_eq!(content[48..56], vector["expiresAt"].as_u64().expect("a number").to_le_bytes());
    assert_eq!(content[56..], unhex(&vector["buildId"]));
    json!({
        "suite": suite,
        "stek": hex(&stek),
        "associatedData": hex(&binding.associated_data()),
        "ticket": hex(ticket),
        "resumption": hex(&content[..32]),
        "sessionId": vector["sessionId"],
        "expiresAt": vector["expiresAt"],
        "buildId": vector["buildId"],
    })
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &Value) -> Vec<u8> {
    let text = text.as_str().expect("hexadecimal text");
    let byte = |at| u8::from_str_radix(&text[at..at + 2], 16).expect("two digits");
    (0..text.len()).step_by(2).map(byte).collect()
}

/// The page names a test for each refusal; each has to exist.
#[test]
fn the_tests_that_the_page_names_are_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let read = |path: &str| std::fs::read_to_string(root.join(path)).expect("a readable file");
    let sources = [
        "runtime/raystream/tests/it/refusals.rs",
        "runtime/raystream/tests/it/sessions.rs",
        "runtime/raystream/src/schedule_tests.rs",
        "runtime/raystream/src/crypto_tests.rs",
        "runtime/gateway/tests/calls.rs",
        "tests/it/apps/flood.rs",
        "tests/py/faults.py",
    ];
    let sources = sources.map(read).concat();
    let page = read("docs/raystream.md");
    let (_, section) = page.split_once("## What is refused").expect("the section");
    let (table, _) = section.split_once("## Tests").expect("its end");
    let names: Vec<&str> = table.split('`').skip(1).step_by(2).filter(|name| is_name(name)).collect();
    assert!(names.len() > 30, "{names:?}");
    for name in names {
        let is_there = ["fn ", "def "].iter().any(|word| sources.contains(&format!("{word}{name}(")));
        assert!(is_there, "{name}");
    }
}

fn is_name(text: &str) -> bool {
    text.contains(|c: char| c != '_') && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
}

/// Every committed input, and random bytes, through every target.
#[test]
fn the_fuzzers_corpora_agree_with_the_models() {
    let corpora = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/fuzz-raystream");
    for (name, run) in TARGETS {
        let mut count = 0;
        for entry in std::fs::read_dir(corpora.join(name)).expect("a corpus for each target") {
            run(&std::fs::read(entry.expect("a file").path()).expect("a readable file"));
            count += 1;
        }
        assert!(count > 5, "{name}");
        let mut rng = Rng::new(number("KONTRACT_RAYSIM_FIRST", 1));
        for _ in 0..300 {
            let mut bytes = vec![0; rng.index(200)];
            rng.fill(&mut bytes);
            run(&bytes);
        }
    }
}
