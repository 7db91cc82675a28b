//! Servers that give nobody a superuser, as managed ones are: storage is installed by a role that owns the database and may
//! make roles.

use kontract::dev::database::{Cluster, ClusterOptions};
use kontract::migrate::{MigrationFile, run};
use kontract_wire::perm::Perms;
use postgres::{Client, NoTls};
use serde_json::json;

use crate::support::postgres::{IDENTITY_KEY, Server, credential};
use crate::support::transactions::{Caller, tables};

#[test]
fn whoever_owns_the_database_installs_storage() {
    for server in [Server::Embedded18, Server::Debian15] {
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("the folder exists");
        let options = ClusterOptions { durable: false };
        let cluster =
            Cluster::start(&server.bin_dir(), &folder.path().join("data"), options).expect("it starts");
        let sql = "CREATE ROLE admin LOGIN CREATEROLE CREATEDB; CREATE ROLE guest LOGIN";
        connect(&cluster, "postgres", "postgres").batch_execute(sql).expect("a superuser may");
        for name in ["app", "other"] {
            let sql = format!("CREATE DATABASE {name} OWNER admin");
            connect(&cluster, "admin", "postgres").batch_execute(&sql).expect("CREATEDB");
        }

        let mut guest = connect(&cluster, "guest", "app");
        let refusal = run::install(&mut guest).expect_err("neither owner nor CREATEROLE").to_string();
        assert!(refusal.contains("permission denied to create role"), "{server:?}: {refusal}");

        // The second database of the cluster finds the roles of the first.
        for name in ["app", "other"] {
            serves(&cluster, server, name);
        }
        let mut root = connect(&cluster, "postgres", "app");
        root.batch_execute("GRANT kt_deploy TO guest").expect("a superuser may");
        let mut admin = connect(&cluster, "admin", "app");
        let refusal = run::install(&mut admin).expect_err("a member that nobody knows of").to_string();
        assert!(refusal.contains("guest is a member of kt_deploy"), "{server:?}: {refusal}");
    }
}

fn serves(cluster: &Cluster, server: Server, name: &str) {
    let mut admin = connect(cluster, "admin", name);
    for _ in 0..2 {
        run::install(&mut admin).unwrap_or_else(|error| panic!("{server:?} {name}: {error}"));
    }
    run::set_identity_key(&mut admin, &IDENTITY_KEY).expect("a key of 32 bytes");
    run::set_gateway_password(&mut admin, "secret").expect("its own role");
    assert!(!run::rebase(&mut admin).expect("installed"), "{server:?}");
    let migration = MigrationFile {
        name: "0001_initial".to_owned(),
        sql: "SELECT kt.provision('marks', 'tbl_marks'); SELECT kt.provision('notes', 'tbl_notes', p_scope => 'tenant');"
            .to_owned(),
    };
    assert_eq!(run::apply(&mut admin, &[migration]).expect("applies"), ["0001_initial"], "{server:?}");
    run::set_tenant(&mut admin, "ada", Some("acme")).expect("a tenant");
    run::keep_history(&mut admin, "0").expect("a time");

    let mut caller =
        Caller::over(connect(cluster, "kt_gateway", name), credential("ada"), Perms::ALL, tables());
    for n in 0..3 {
        caller.call(|open| open.set("marks", &json!({"id": "a", "n": n}))).expect("stores");
    }
    assert_eq!(
        caller.open().exec("marks", "SELECT data FROM marks", &[]),
        Ok(json!([{"data": {"id": "a", "n": 2}}])),
        "{server:?}"
    );
    run::install(&mut admin).expect("renews what exec has made");
    assert_eq!(run::collect_garbage(&mut admin).expect("collects"), 2, "{server:?}");
    let mut gateway = connect(cluster, "kt_gateway", name);
    for sql in [
        "SELECT * FROM kt_data.tbl_marks",
        "SET ROLE admin",
        "SET ROLE kt_owner",
        "SELECT * FROM kt_priv.meta",
    ] {
        let error = gateway.batch_execute(sql).expect_err(sql);
        assert_eq!(error.code().expect("SQLSTATE").code(), "42501", "{server:?}: {sql}");
    }
}

fn connect(cluster: &Cluster, user: &str, database: &str) -> Client {
    Client::connect(&cluster.url(user, database), NoTls).expect("the cluster runs")
}
