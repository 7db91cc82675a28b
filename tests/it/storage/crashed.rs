//! A server that was killed: what it knew in memory is gone, and ids of transactions that it had given out may come again.

use std::path::Path;

use kontract::dev::database::{Cluster, ClusterOptions};
use kontract::migrate::run;
use kontract_mvcc::error::TransactionError;
use kontract_wire::perm::Perms;
use postgres::{Client, NoTls};
use serde_json::{Value, json};

use crate::support::postgres::{IDENTITY_KEY, Server, credential, kill};
use crate::support::transactions::{Caller, tables};

const DATABASE: &str = "crashed";

#[test]
fn an_earlier_state_is_read_as_far_as_its_ids_are_known() {
    for server in [Server::Embedded18, Server::Debian15] {
        survives(server);
    }
}

fn survives(server: Server) {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("the folder exists");
    let data_dir = folder.path().join("data");
    let cluster = start(server, &data_dir);
    cluster.create_database(DATABASE).expect("it runs");
    let mut admin = connect(&cluster, "postgres");
    run::install(&mut admin).expect("storage installs");
    run::set_identity_key(&mut admin, &IDENTITY_KEY).expect("a key of 32 bytes");
    let sql = "SELECT kt.keep_history('1 day'), kt.provision('marks', 'tbl_marks')";
    connect(&cluster, "kt_deploy").batch_execute(sql).expect("provisions");

    let mut caller = caller_of(&cluster);
    store(&mut caller, 1);
    let known = snapshot(&mut caller);
    store(&mut caller, 1);
    // Ids that nobody will remember: what has them is rolled back.
    for _ in 0..5 {
        admin.batch_execute("BEGIN; SELECT pg_current_xact_id(); ROLLBACK").expect("an id");
    }
    let unknown = snapshot(&mut caller);
    assert_eq!(then(&mut caller, &unknown), Ok(json!({"id": "a", "n": 1})));
    let process = std::fs::read_to_string(data_dir.join("postmaster.pid")).expect("it runs");
    assert!(kill(process.lines().next().expect("the first line is the process")));
    drop(cluster);

    let cluster = start(server, &data_dir);
    // Whoever comes first begins the new history: a call, a commit without a session, or the collection of garbage.
    let mut caller = caller_of(&cluster);
    store(&mut caller, 2);
    assert_eq!(then(&mut caller, &known), Ok(json!({"id": "a", "n": 1})), "{server:?}");
    assert!(matches!(then(&mut caller, &unknown), Err(TransactionError::NotKept)), "{server:?}");
    let later = snapshot(&mut caller);
    store(&mut caller, 3);
    assert_eq!(then(&mut caller, &later), Ok(json!({"id": "a", "n": 2})), "{server:?}");
    // Once more: each of the two histories that have ended keeps its own end.
    for sql in ["DELETE FROM kt_priv.life", "SELECT kt.collect()"] {
        connect(&cluster, "postgres").batch_execute(sql).expect("as a crash does");
    }
    assert_eq!(then(&mut caller, &known), Ok(json!({"id": "a", "n": 1})), "{server:?}");
    assert_eq!(then(&mut caller, &later), Ok(json!({"id": "a", "n": 2})), "{server:?}");
    assert!(matches!(then(&mut caller, &unknown), Err(TransactionError::NotKept)), "{server:?}");
}

fn start(server: Server, data_dir: &Path) -> Cluster {
    Cluster::start(&server.bin_dir(), data_dir, ClusterOptions { durable: false }).expect("it starts")
}

fn connect(cluster: &Cluster, user: &str) -> Client {
    Client::connect(&cluster.url(user, DATABASE), NoTls).expect("the cluster runs")
}

fn caller_of(cluster: &Cluster) -> Caller {
    Caller::over(connect(cluster, "kt_gateway"), credential("ada"), Perms::ALL, tables())
}

fn store(caller: &mut Caller, n: u32) {
    caller.call(|open| open.set("marks", &json!({"id": "a", "n": n}))).expect("stores");
}

fn snapshot(caller: &mut Caller) -> String {
    let mut open = caller.open();
    open.look("marks", "a").expect("reads");
    open.snapshot().expect("it has read")
}

fn then(caller: &mut Caller, snapshot: &str) -> Result<Value, TransactionError> {
    caller.open_at(snapshot).get("marks", "a")
}
