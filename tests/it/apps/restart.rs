//! What goes on around the calls of an app: the database goes away and comes back, was restored from a dump, gets rid of garbage.

use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use kontract::dev::database::{Cluster, ClusterOptions};
use postgres::{Client, NoTls};
use serde_json::json;

use super::build::DEV_VARS;
use crate::support::app::App;
use crate::support::door::Door;
use crate::support::postgres::{Database, Server};
use crate::support::script;

const CALLS: u32 = 400;
const NAME: &str = "app";

#[test]
fn no_call_fails_while_the_database_restarts() {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("the folder exists");
    let mut restartable = Restartable::start(folder.path().join("data"));
    let app = App::copy_of("guestbook");
    app.write(".dev.vars", DEV_VARS);
    let served =
        app.serve(Some(&format!("postgres://postgres@127.0.0.1:{}/{NAME}", restartable.door.port())));
    let outcome = std::thread::scope(|scope| {
        let project = script::argument(app.path());
        let url = served.url.as_str();
        let calls = scope.spawn(move || script::run("restart.mjs", &[&project, url, &CALLS.to_string()]));
        restartable.wait_for_versions(CALLS / 4);
        restartable.stop_and_start();
        restartable.wait_for_versions(CALLS / 2);
        restartable.kill_and_start();
        calls.join().expect("no panic")
    });
    assert_eq!(outcome, json!({ "failed": [], "stored": CALLS }));
}

#[test]
fn a_restored_database_is_not_served_before_it_is_migrated() {
    let app = App::copy_of("guestbook");
    app.write(".dev.vars", DEV_VARS);
    let database = Database::bare(Server::Embedded18);
    let url = database.url("postgres");
    let migrate = || app.kontract(&["migrate", "up", "--json", "--database-url", &url]);
    assert!(migrate().status.success());
    let sql = "UPDATE kt_priv.meta SET system_id = system_id + 1";
    database.connect("postgres").batch_execute(sql).expect("the superuser writes");

    let refused = app.kontract(&["dev", "--once", "--port", "0", "--database-url", &url]);
    let words = String::from_utf8_lossy(&refused.stderr);
    assert!(!refused.status.success() && words.contains("run `kontract migrate up`"), "{words}");
    let migrated = migrate();
    let events = String::from_utf8_lossy(&migrated.stdout);
    assert!(migrated.status.success() && events.contains(r#""event":"rebased""#), "{events}");
    assert!(!String::from_utf8_lossy(&migrate().stdout).contains("rebased"), "once");
    drop(app.serve(Some(&url)));
}

/// The gateway collects every ten seconds, while it is called.
#[test]
fn garbage_goes_by_itself() {
    let app = App::copy_of("guestbook");
    app.write(".dev.vars", DEV_VARS);
    let database = Database::bare(Server::Embedded18);
    let served = app.serve(Some(&database.url("postgres")));
    let call =
        |count: &str| script::run("conflict.mjs", &[&script::argument(app.path()), &served.url, count]);
    let mut admin = database.connect("postgres");
    let mut garbage = || -> i64 {
        let sql = "SELECT count(*) FROM kt_data.tbl_entries WHERE _deleted_txid IS NOT NULL AND (data->>'likes')::int > 8";
        admin.query_one(sql, &[]).expect("the superuser reads").get(0)
    };
    call("12");
    assert!(garbage() > 0);
    // Transactions that were given up stay open for a minute, and nothing that they may see goes.
    let deadline = Instant::now() + Duration::from_secs(180);
    while garbage() > 0 {
        assert!(Instant::now() < deadline, "nothing was collected");
        call("1");
    }
}

/// A server that comes back on another port, behind a door that stays where it is.
struct Restartable {
    cluster: Option<Cluster>,
    data_dir: PathBuf,
    door: Door,
}

impl Restartable {
    fn start(data_dir: PathBuf) -> Self {
        let mut restartable = Self { cluster: None, data_dir, door: Door::open() };
        restartable.stop_and_start();
        restartable.cluster().create_database(NAME).expect("it runs");
        restartable
    }

    fn cluster(&self) -> &Cluster {
        self.cluster.as_ref().expect("invariant: it runs outside of `stop_and_start`")
    }

    fn stop_and_start(&mut self) {
        self.cluster = None;
        let bin_dir = Server::Debian15.bin_dir();
        let cluster = Cluster::start(&bin_dir, &self.data_dir, ClusterOptions { durable: false });
        let cluster = cluster.expect("the cluster starts");
        self.door.lead_to(cluster.port());
        self.cluster = Some(cluster);
    }

    fn kill_and_start(&mut self) {
        let file = std::fs::read_to_string(self.data_dir.join("postmaster.pid")).expect("it runs");
        let pid = file.lines().next().expect("the first line is the process");
        assert!(Command::new("kill").args(["-9", pid]).status().expect("kill is everywhere").success());
        self.stop_and_start();
    }

    /// Waits until the likes of the calls have made so many versions.
    fn wait_for_versions(&self, count: u32) {
        let deadline = Instant::now() + Duration::from_secs(60);
        let url = self.cluster().url("postgres", NAME);
        let mut admin = Client::connect(&url, NoTls).expect("it runs");
        loop {
            let sql = "SELECT coalesce(sum((data->>'likes')::int), 0)::int FROM kt_data.tbl_entries WHERE _deleted_txid IS NULL";
            let likes: i32 = admin.query_one(sql, &[]).expect("the superuser reads").get(0);
            if likes.unsigned_abs() >= count {
                return;
            }
            assert!(Instant::now() < deadline, "{likes} likes after a minute");
            std::thread::park_timeout(Duration::from_millis(5));
        }
    }
}
