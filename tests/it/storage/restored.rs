//! Databases whose rows come from elsewhere: a dump of another cluster, with other transaction ids.

use std::path::Path;
use std::process::Command;

use kontract::dev::database::{Cluster, ClusterOptions};
use kontract::migrate::run;
use kontract_mvcc::error::TransactionError;
use kontract_mvcc::statement::Statement;
use kontract_wire::perm::Perms;
use postgres::{Client, NoTls};
use serde_json::{Value, json};

use crate::support::postgres::{Database, Server, credential, on_each_server};
use crate::support::transactions::{Caller, provision, tables};

const RESTORED: &str = "restored";

/// Dumps from PostgreSQL 15 into a new cluster of 15 and of 18, with the roles of the dump missing there.
#[test]
fn a_dump_serves_in_another_cluster_once_it_is_rebased() {
    for target in [Server::Debian15, Server::Embedded18] {
        for options in [&[][..], &["--no-owner", "--no-acl"], &["--inserts"]] {
            moves(target, options);
        }
    }
}

/// As with a backup that is looked at beside the database it is of. The ids mean the same, but not what was committed since.
#[test]
fn a_dump_beside_its_database_knows_no_snapshot_of_that() {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("the folder exists");
    let source = Database::fresh(Server::Debian15);
    provision(&source);
    fill(&mut Caller::new(&source, "ada"));
    let dump = folder.path().join("dump.sql");
    dump_to(&dump, &source.url("postgres"), &[]);
    let (then, stale) = read_alone(&source);

    let target = Database::bare(Server::Debian15);
    restore(&dump, &target.url("postgres"));
    let mut admin = target.connect("postgres");
    for _ in 0..2 {
        run::install(&mut admin).expect("storage installs over what was restored");
    }
    assert!(!run::rebase(&mut admin).expect("nothing to do"));
    let mut caller = Caller::new(&target, "ada");
    assert_old_snapshots_are_refused(&mut caller, &then, &stale, "its own cluster");
    // Those of the database itself stay.
    let then = {
        let mut open = caller.open();
        open.look("marks", "a").expect("reads");
        open.snapshot().expect("it has read")
    };
    run::install(&mut admin).expect("renews");
    assert!(caller.open_at(&then).get("marks", "a").is_ok());
}

fn moves(target: Server, options: &[&str]) {
    let what = format!("{target:?} {options:?}");
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("the folder exists");
    let source = Database::fresh(Server::Debian15);
    provision(&source);
    fill(&mut Caller::new(&source, "ada"));
    // A call is under way while the dump is made; its session is in the dump.
    let mut caller = Caller::new(&source, "ada");
    let mut late = caller.open();
    late.update("marks", "b", &json!({"n": 7})).expect("reads");
    let late = late.commit_statements();
    let (then, stale) = read_alone(&source);
    let dump = folder.path().join("dump.sql");
    dump_to(&dump, &source.url("postgres"), options);
    let before = everything(&mut Caller::new(&source, "ada"));

    let options = ClusterOptions { durable: false };
    let cluster = Cluster::start(&target.bin_dir(), &folder.path().join("data"), options).expect("it starts");
    cluster.create_database(RESTORED).expect("it runs");
    restore(&dump, &cluster.url("postgres", RESTORED));
    let connect =
        |user: &str| Client::connect(&cluster.url(user, RESTORED), NoTls).expect("the cluster runs");
    let mut admin = connect("postgres");
    run::install(&mut admin).expect("storage installs over what was restored");

    // Nobody is served, and no garbage goes, before the rebase.
    assert!(run::is_restored(&mut admin).expect("installed"), "{what}");
    let mut caller = Caller::over(connect("kt_gateway"), credential("ada"), Perms::ALL, tables());
    let refusal = caller.open().get("marks", "a").expect_err("not before the rebase");
    assert!(matches!(refusal, TransactionError::NotReady(_)), "{what}: {refusal:?}");
    let refusal = caller.open().look("marks", "a").expect_err("nor without a session");
    assert!(matches!(refusal, TransactionError::NotReady(_)), "{what}: {refusal:?}");
    for statement in &late {
        let refusal = caller.open().run(statement).expect_err("the session is not of this cluster");
        assert_eq!(refusal.sqlstate, "KT401", "{what}");
    }
    let refusal = run::collect_garbage(&mut admin).expect_err("not before the rebase").to_string();
    assert!(refusal.contains("KT503"), "{what}: {refusal}");

    assert!(run::rebase(&mut admin).expect("rebases"), "{what}");
    assert!(!run::rebase(&mut admin).expect("nothing to do"), "{what}");
    assert!(!run::is_restored(&mut admin).expect("installed"), "{what}");
    assert_eq!(everything(&mut caller), before, "{what}");
    caller.call(|open| open.push("marks", &json!({"id": "z", "n": 9}))).expect("writes");
    caller.call(|open| open.update("marks", "a", &json!({"n": 4}))).expect("updates");
    let marks = everything(&mut caller)["marks"].clone();
    assert_eq!(marks, json!([{"id": "b", "n": 2}, {"id": "a", "n": 4}, {"id": "z", "n": 9}]), "{what}");
    assert_old_snapshots_are_refused(&mut caller, &then, &stale, &what);
    assert_eq!(strange(&mut admin), Vec::<String>::new(), "{what}");
}

/// A snapshot without a session, and a commit that goes on from it.
fn read_alone(database: &Database) -> (String, Vec<Statement>) {
    let mut caller = Caller::new(database, "ada");
    let mut open = caller.open();
    open.look("marks", "a").expect("reads");
    let then = open.snapshot().expect("it has read");
    open.update("marks", "a", &json!({"n": 8})).expect("known");
    (then, open.commit_statements())
}

/// To be asked after the row that was read has changed.
fn assert_old_snapshots_are_refused(caller: &mut Caller, then: &str, stale: &[Statement], what: &str) {
    for statement in stale {
        let refusal = caller.open().run(statement).expect_err("the snapshot is of another history");
        assert_eq!(refusal.sqlstate, "KT409", "{what}");
    }
    assert_eq!(caller.open_at(then).get("marks", "a"), Err(TransactionError::NotKept), "{what}");
    let mut open = caller.open();
    let row = open.look("marks", "a").expect("reads");
    let (looked, started) = (open.snapshot().expect("it has read"), {
        let mut open = caller.open();
        open.get("marks", "a").expect("reads");
        open.snapshot().expect("it has begun")
    });
    for then in [looked, started] {
        assert_eq!(
            caller.open_at(&then).get("marks", "a"),
            Ok(row.clone()),
            "{what}: those of this one are not"
        );
    }
}

/// Rows, some of them changed, one deleted, and one moved to the end.
fn fill(caller: &mut Caller) {
    for (id, n) in [("a", 1), ("b", 2), ("c", 3)] {
        caller.call(|open| open.push("marks", &json!({"id": id, "n": n}))).expect("stores");
    }
    caller.call(|open| open.delete("marks", "c")).expect("deletes");
    caller.call(|open| open.push("marks", &json!({"id": "a", "n": 3}))).expect("moves");
    caller.call(|open| open.set("entries", &json!({"id": "e", "made": "x"}))).expect("stores");
}

fn everything(caller: &mut Caller) -> Value {
    let mut open = caller.open();
    let [marks, entries] = ["marks", "entries"].map(|table| open.list(table, None, None).expect("lists"));
    json!({"marks": marks, "entries": entries})
}

fn dump_to(file: &Path, url: &str, options: &[&str]) {
    let mut pg_dump = Command::new(Server::Debian15.bin_dir().join("pg_dump"));
    pg_dump.args(options).arg("--file").arg(file).arg(url);
    assert!(pg_dump.status().expect("PostgreSQL 15 is installed").success());
}

/// With psql, which goes on after errors, such as those about roles that are missing.
fn restore(file: &Path, url: &str) {
    let mut psql = Command::new("psql");
    psql.args(["-X", "-q", "-o", "/dev/null", "-f"]).arg(file).arg(url);
    let output = psql.output().expect("psql is missing: apt-get install postgresql-client");
    assert!(output.status.success());
    for line in String::from_utf8_lossy(&output.stderr).lines().filter(|line| line.contains("ERROR")) {
        assert!(line.contains("role \"kt_"), "{line}");
    }
}

/// Objects of storage that belong to nobody of ours, and functions that everybody may call.
fn strange(admin: &mut Client) -> Vec<String> {
    let sql = "
        SELECT p.oid::regprocedure::text FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
         WHERE n.nspname ~ '^kt' AND (pg_get_userbyid(p.proowner) !~ '^kt_' OR has_function_privilege('public', p.oid, 'EXECUTE'))
        UNION ALL
        SELECT c.oid::regclass::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
         WHERE n.nspname ~ '^kt' AND pg_get_userbyid(c.relowner) !~ '^kt_'";
    admin.query(sql, &[]).expect("the catalogue").iter().map(|row| row.get(0)).collect()
}

on_each_server! {
    /// As after `pg_resetwal`, or a dump that is restored into an older copy of its own cluster: the cluster is the same one.
    fn ids_that_went_back_are_noticed(database: &Database) {
        provision(database);
        let mut caller = Caller::new(database, "ada");
        fill(&mut caller);
        let before = everything(&mut caller);
        let mut admin = database.connect("postgres");
        assert!(!run::rebase(&mut admin).expect("nothing to do"));
        for sql in [
            "INSERT INTO kt_priv.log (txid, sid, owner, changes) VALUES ('4000000000', '\\x01', 'o', '{}')",
            "UPDATE kt_priv.meta SET horizon = '4000000000'",
        ] {
            let (then, stale) = read_alone(database);
            admin.batch_execute(sql).expect("the superuser writes");
            // A connection asks once.
            let refusal = Caller::new(database, "ada").open().get("marks", "a");
            let refusal = refusal.expect_err("the ids are of another history");
            assert!(matches!(refusal, TransactionError::NotReady(_)), "{refusal:?}");
            assert!(run::rebase(&mut admin).expect("rebases"));
            assert_eq!(everything(&mut caller), before);
            caller.call(|open| open.update("marks", "a", &json!({"n": 3}))).expect("writes what is there");
            assert_old_snapshots_are_refused(&mut caller, &then, &stale, sql);
        }
    }
}
