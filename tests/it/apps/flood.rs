//! More handshakes than anybody needs: the gateway answers each, and keeps nothing of them.

use super::peer::serve;
use crate::support::script;
use serde_json::json;

/// The connections that send at the same time; afterwards as many sockets lie open.
const CONNECTIONS: &str = "32";

/// `cargo xtask raystream-check` sends 100,000.
#[test]
fn a_flood_of_handshakes_leaves_the_gateway_as_it_was() {
    let count = std::env::var("KONTRACT_FLOOD_HANDSHAKES").unwrap_or_else(|_| "1000".to_owned());
    let (app, served) = serve(2);
    let pins = script::argument(&app.path().join("pins.json"));
    let outcome = script::python("flood.py", &[&pins, &count, CONNECTIONS, &served.id().to_string()]);
    let outcomes = outcome["outcomes"].as_object().expect("outcomes");
    assert!(outcomes.keys().all(|outcome| outcome.starts_with("200, ")), "{outcome}");
    let sent: u64 = outcomes.values().filter_map(serde_json::Value::as_u64).sum();
    assert_eq!(sent.to_string(), count);
    println!("{outcome}");
    let kib = |name: &str| outcome[name].as_u64().filter(|kib| *kib > 0).expect("a size");
    // What V8 lets lie between two collections, whatever the count.
    assert!(kib("mostKiB") < kib("beforeKiB") + 256 * 1024, "{outcome}");
    assert!(kib("withSocketsKiB") < kib("beforeKiB") + 256 * 1024, "{outcome}");
    assert_eq!(outcome["afterwards"], json!("Grace"), "the gateway serves on");
}
