//! More handshakes than anybody needs: the gateway answers each, and keeps nothing of them.

use super::peer::serve;
use crate::support::app::repository;
use crate::support::script;
use serde_json::{Value, json};

/// The connections that send at the same time; afterwards as many sockets lie open.
const CONNECTIONS: &str = "32";

/// What a gateway may hold beside twice what workerd lets lie after as many requests to a Worker that does nothing: more code in more
/// isolates, and more objects that wait for their collection.
const BESIDE_BARE_KIB: u64 = 128 * 1024;

/// What it may grow by in the second half. It would be more if a kilobyte for each of 100,000 handshakes were kept.
const SECOND_HALF_KIB: u64 = 64 * 1024;

/// `cargo xtask raystream-check` sends 100,000.
#[test]
fn a_flood_of_handshakes_leaves_the_gateway_as_it_was() {
    let count = std::env::var("KONTRACT_FLOOD_HANDSHAKES").unwrap_or_else(|_| "1000".to_owned());
    let (app, served) = serve(2);
    let pins = script::argument(&app.path().join("pins.json"));
    let workerd = script::argument(&repository().join("node_modules/.bin/workerd"));
    let arguments = [&pins, &count, CONNECTIONS, &served.id().to_string(), &workerd];
    let outcome = script::python("flood.py", &arguments);
    println!("{outcome}");
    let (bare, gateway) = (&outcome["bare"], &outcome["gateway"]);
    let answered = [bare, gateway].map(|flood| flood["outcomes"].as_object().expect("outcomes"));
    for outcomes in answered {
        assert!(outcomes.keys().all(|outcome| outcome.starts_with("200, ")), "{outcome}");
        let sent: u64 = outcomes.values().filter_map(Value::as_u64).sum();
        assert_eq!(sent.to_string(), count);
    }
    let kib = |flood: &Value, name: &str| flood[name].as_u64().filter(|kib| *kib > 0).expect("a size");
    let grown_bare = kib(bare, "mostKiB") - kib(bare, "beforeKiB");
    let limit = kib(gateway, "beforeKiB") + 2 * grown_bare + BESIDE_BARE_KIB;
    assert!(kib(gateway, "mostKiB") < limit, "{outcome}");
    assert!(kib(&outcome, "withSocketsKiB") < limit, "{outcome}");
    assert!(kib(gateway, "mostKiB") < kib(gateway, "mostOfFirstHalfKiB") + SECOND_HALF_KIB, "{outcome}");
    assert_eq!(outcome["afterwards"], json!("Grace"), "the gateway serves on");
}
