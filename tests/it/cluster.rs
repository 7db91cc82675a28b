//! The local cluster that `kontract dev` owns: it keeps its data, and its server does not outlive its owner.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use kontract::dev::database::{Cluster, ClusterError, ClusterOptions};
use postgres::{Client, NoTls};

use crate::support::postgres::embedded;

const DURABLE: ClusterOptions = ClusterOptions { durable: true };
const FAST: ClusterOptions = ClusterOptions { durable: false };

/// Names the data folder to the process that [`owner_of_a_cluster`] runs in.
const DATA_DIR: &str = "KONTRACT_TEST_CLUSTER";

fn folder() -> tempfile::TempDir {
    tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("the folder exists")
}

fn start(data_dir: &Path, options: ClusterOptions) -> Result<Cluster, ClusterError> {
    Cluster::start(embedded().bin_dir(), data_dir, options)
}

fn connect(url: &str) -> Result<Client, postgres::Error> {
    Client::connect(url, NoTls)
}

#[test]
fn data_survives_a_restart() {
    let folder = folder();
    let data_dir = folder.path().join("data.v1");
    let cluster = start(&data_dir, DURABLE).expect("starts");
    assert!(cluster.create_database("an \"app\"").expect("creates"));
    assert!(!cluster.create_database("an \"app\"").expect("is there"));
    let url = cluster.url("postgres", "postgres");
    connect(&url)
        .expect("runs")
        .batch_execute("CREATE TABLE t (n int); INSERT INTO t VALUES (7)")
        .expect("writes");
    drop(cluster);
    assert!(connect(&url).is_err(), "the server ends with its owner");

    let cluster = start(&data_dir, DURABLE).expect("starts again");
    let n: i32 = connect(&cluster.url("postgres", "postgres"))
        .and_then(|mut client| client.query_one("SELECT n FROM t", &[]))
        .expect("the table is there")
        .get(0);
    assert_eq!(n, 7);
}

#[test]
fn a_folder_has_one_owner() {
    let folder = folder();
    let data_dir = folder.path().join("data");
    let cluster = start(&data_dir, FAST).expect("starts");
    assert!(matches!(start(&data_dir, FAST), Err(ClusterError::InUse(path)) if path == data_dir));
    connect(&cluster.url("postgres", "postgres")).expect("the first is not disturbed");
}

#[test]
fn a_server_that_does_not_start_says_why() {
    let folder = folder();
    let data_dir = folder.path().join("data");
    drop(start(&data_dir, FAST).expect("starts"));
    std::fs::write(data_dir.join("PG_VERSION"), "9.6\n").expect("writes");
    let error = start(&data_dir, FAST).expect_err("another version's data");
    assert!(error.to_string().contains("9.6"), "{error}");
}

/// The process that the next test kills. By itself it does nothing.
#[test]
fn owner_of_a_cluster() {
    let Some(data_dir) = std::env::var_os(DATA_DIR) else { return };
    let cluster = start(&PathBuf::from(data_dir), FAST).expect("starts");
    println!("url {}", cluster.url("postgres", "postgres"));
    // Until the test closes its end, or ends this process.
    std::io::copy(&mut std::io::stdin(), &mut std::io::sink()).expect("reads");
}

#[test]
fn a_killed_owner_leaves_no_server() {
    let folder = folder();
    let data_dir = folder.path().join("data");
    let mut owner = Command::new(std::env::current_exe().expect("this test"))
        .args(["--exact", "cluster::owner_of_a_cluster", "--nocapture"])
        .env(DATA_DIR, &data_dir)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("runs");
    let mut lines = BufReader::new(owner.stdout.take().expect("piped")).lines().map_while(Result::ok);
    let url =
        lines.find_map(|line| line.split_once("url ").map(|(_, url)| url.to_owned())).expect("it starts");
    connect(&url).expect("runs");
    owner.kill().expect("SIGKILL");
    owner.wait().expect("ends");
    let deadline = Instant::now() + Duration::from_secs(20);
    while connect(&url).is_ok() {
        assert!(Instant::now() < deadline, "the server is still there");
        std::thread::yield_now();
    }
    // And the folder can be used at once, whether or not that server has finished.
    start(&data_dir, FAST).expect("starts");
}
