//! What `benches/storage` measures, on a server of its own that writes to the disk as in production.

use std::process::Command;

use kontract::dev::database::{Cluster, ClusterOptions};
use kontract::migrate::run;
use postgres::{Client, NoTls};

use crate::support::app::repository;
use crate::support::postgres::Server;

/// `cargo xtask bench storage`.
#[test]
#[ignore = "takes minutes; see cargo xtask bench storage"]
fn beside_others() {
    for rows in ["1000", "1000000"] {
        script("bench.mjs", rows);
    }
}

/// `cargo xtask bench bloat`.
#[test]
#[ignore = "takes minutes; see cargo xtask bench bloat"]
fn bloat() {
    script("bloat.mjs", "1000000");
}

fn script(name: &str, number: &str) {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("the folder exists");
    let options = ClusterOptions { durable: true };
    let cluster = Cluster::start(&Server::Embedded18.bin_dir(), &folder.path().join("data"), options)
        .expect("the cluster starts");
    cluster.create_database("bench").expect("it runs");
    let url = cluster.url("postgres", "bench");
    run::install(&mut Client::connect(&url, NoTls).expect("it runs")).expect("storage installs");
    let script = repository().join("benches/storage").join(name);
    let status = Command::new("node").arg(script).args([url.as_str(), number]).status().expect("run node");
    assert!(status.success());
}
