//! Reads and commits without a session: what they say, what they refuse, and what protects a snapshot that nobody knows of.

use kontract_mvcc::error::TransactionError;
use kontract_mvcc::transaction::CommitOutcome;
use kontract_wire::call::IdempotencyKey;
use kontract_wire::perm::Perms;
use postgres::Client;
use serde_json::{Value, json};

use crate::support::postgres::{Database, credential, credential_until, now_s, on_each_server};
use crate::support::transactions::{Caller, Open, provision, random_16, tables};

fn count(database: &Database, of: &str) -> i64 {
    database.connect("postgres").query_one(&format!("SELECT count(*) FROM {of}"), &[]).expect("reads").get(0)
}

fn store(database: &Database, row: &Value) {
    Caller::new(database, "seed").call(|open| open.set("marks", row)).expect("stores");
}

/// A credential as these functions take it.
pub(super) fn who(owner: &str, expires_at_s: i64) -> String {
    let mac: String =
        credential_until(owner, expires_at_s).mac.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{mac}{owner}.{expires_at_s}")
}

/// The SQLSTATE with which a call is refused.
pub(super) fn refused(gateway: &mut Client, sql: &str) -> String {
    let error = gateway.batch_execute(sql).expect_err(sql);
    error.code().unwrap_or_else(|| panic!("{sql}: {error}")).code().to_owned()
}

on_each_server! {
    fn one_read_and_a_commit_after_it_open_no_session(database: &Database) {
        provision(database);
        store(database, &json!({"id": "a", "n": 1}));
        let mut caller = Caller::new(database, "o");
        let mut open = caller.open();
        assert_eq!(open.look("marks", "a"), Ok(json!({"id": "a", "n": 1})));
        open.update("marks", "a", &json!({"n": 2})).expect("known");
        assert_eq!(open.commit(b""), Ok(Some(CommitOutcome::Committed)));
        let mut blind = caller.open();
        blind.set("marks", &json!({"id": "b"})).expect("buffered");
        assert_eq!(blind.commit(b""), Ok(Some(CommitOutcome::Committed)));
        assert_eq!(count(database, "kt.trxs"), 0);
        let mut open = caller.open();
        assert_eq!(open.look("marks", "none"), Ok(Value::Null));
        // A second read opens one, at the snapshot of the first.
        store(database, &json!({"id": "b", "n": 9}));
        assert_eq!(open.get("marks", "b"), Ok(json!({"id": "b"})));
        assert_eq!(count(database, "kt.trxs"), 1);
    }

    fn every_kind_of_read_can_be_alone(database: &Database) {
        provision(database);
        for id in ["a", "b", "c"] {
            store(database, &json!({"id": id, "n": 1}));
        }
        let rows = json!([{"id": "a", "n": 1}, {"id": "b", "n": 1}, {"id": "c", "n": 1}]);
        let mut caller = Caller::new(database, "o");
        type Reading = fn(&mut Open<'_>) -> Result<Value, TransactionError>;
        let readings: [(Reading, Value); 6] = [
            (|open| open.list("marks", None, None), rows.clone()),
            (|open| open.query("marks", &json!({"n": 1})), rows.clone()),
            (|open| open.query("marks", &json!({"n": 2})), json!([])),
            (|open| open.count("marks", &json!({"n": 1})), json!(3)),
            (|open| open.mget("marks", &["c", "x"]), json!([rows[2], null])),
            (|open| open.pop("marks"), rows[2].clone()),
        ];
        for (reading, expected) in readings {
            let mut open = caller.open();
            open.goes_alone();
            assert_eq!(reading(&mut open), Ok(expected));
        }
        assert_eq!(count(database, "kt.trxs"), 0);
    }

    fn what_was_read_alone_is_validated(database: &Database) {
        provision(database);
        type Writing = fn(&mut Open<'_>) -> Result<Value, TransactionError>;
        let writings: [Writing; 3] = [
            |open| open.set("marks", &json!({"id": "a", "n": 7})),
            |open| open.delete("marks", "a"),
            |open| { open.delete("marks", "a")?; open.set("marks", &json!({"id": "a", "n": 1})) },
        ];
        for writing in writings {
            store(database, &json!({"id": "a", "n": 1}));
            let mut caller = Caller::new(database, "one");
            let mut open = caller.open();
            open.look("marks", "a").expect("reads");
            Caller::new(database, "two").call(writing).expect("writes");
            open.set("marks", &json!({"id": "seen"})).expect("buffered");
            assert_eq!(open.commit(b""), Err(TransactionError::Conflict));
            assert_eq!(open.contested().as_deref(), Some("tbl_marks/a"));
        }
        let mut gateway = database.connect("kt_gateway");
        let payload = json!([{"t": "marks", "r": ["a"], "put": [["b", {}]]}]);
        let sql = format!("SELECT kt.commit(gen_random_uuid(), '{payload}', p_who => '{}'", who("o", now_s() + 60));
        assert_eq!(refused(&mut gateway, &format!("{sql})")), "KT400", "what was read has no snapshot");
        for from in ["", "1:1:", "x/y", "1:1:/'"] {
            let sql = format!("{sql}, p_from => '{}')", from.replace('\'', "''"));
            assert_eq!(refused(&mut gateway, &sql), "KT400", "{from}");
        }
        assert_eq!(refused(&mut gateway, &format!("{sql}, p_from => '1:1:/ab')")), "KT409");
    }

    /// The version that says that the row is gone is gone itself: only the horizon tells.
    fn a_snapshot_that_garbage_collection_has_passed_conflicts(database: &Database) {
        provision(database);
        for reads_again in [false, true] {
            store(database, &json!({"id": "a", "n": 1}));
            let mut caller = Caller::new(database, "one");
            let mut open = caller.open();
            open.look("marks", "a").expect("reads");
            Caller::new(database, "two").call(|open| open.delete("marks", "a")).expect("deletes");
            let mut deploy = database.connect("kt_deploy");
            // Transactions in other databases of the cluster hold the horizon back, too.
            let deadline = std::time::Instant::now() + std::time::Duration::from_secs(60);
            while count(database, "kt_data.tbl_marks WHERE id = 'a'") > 0 {
                assert!(std::time::Instant::now() < deadline, "garbage stays");
                deploy.batch_execute("SELECT kt.gc_horizon('0'); SELECT kt.gc_table('tbl_marks')").expect("collects");
            }
            if reads_again {
                assert_eq!(open.get("marks", "b"), Err(TransactionError::Conflict));
            } else {
                open.set("marks", &json!({"id": "seen"})).expect("buffered");
            }
            assert_eq!(open.commit(b""), Err(TransactionError::Conflict));
        }
    }

    fn a_young_snapshot_is_left_alone(database: &Database) {
        provision(database);
        store(database, &json!({"id": "a", "n": 1}));
        let mut gateway = database.connect("kt_gateway");
        gateway.batch_execute("SELECT kt.collect()").expect("collects");
        let mut caller = Caller::new(database, "one");
        let mut open = caller.open();
        open.look("marks", "a").expect("reads");
        store(database, &json!({"id": "b", "n": 1}));
        for _ in 0..3 {
            gateway.batch_execute("SELECT kt.collect()").expect("collects");
        }
        assert_eq!(open.get("marks", "b"), Ok(Value::Null), "still at its snapshot");
    }

    /// After a crash, ids of transactions are given out again.
    fn a_snapshot_does_not_outlive_the_servers_memory(database: &Database) {
        provision(database);
        let mut caller = Caller::new(database, "one");
        let mut admin = database.connect("postgres");
        for what in ["DELETE FROM kt_priv.life", "UPDATE kt_priv.meta SET incarnation = gen_random_uuid()"] {
            let (mut one, mut two) = (Caller::new(database, "one"), Caller::new(database, "two"));
            let (mut reader, mut writer) = (one.open(), two.open());
            reader.look("marks", "a").expect("reads");
            writer.look("marks", "a").expect("reads");
            writer.set("marks", &json!({"id": "a"})).expect("buffered");
            admin.batch_execute(what).expect("as a crash does");
            assert_eq!(reader.get("marks", "b"), Err(TransactionError::Conflict), "{what}");
            assert_eq!(writer.commit(b""), Err(TransactionError::Conflict), "{what}");
            // A session begins a new history; a read that is alone does not need one.
            assert_eq!(caller.open().look("marks", "a"), Ok(Value::Null));
            caller.open().get("marks", "a").expect("begins");
            let mut open = caller.open();
            open.look("marks", "a").expect("reads");
            assert_eq!(open.get("marks", "b"), Ok(Value::Null));
        }
    }

    fn forged_callers_are_refused(database: &Database) {
        provision(database);
        let valid = who("alice", now_s() + 60);
        let (mac, rest) = valid.split_at(64);
        let mut gateway = database.connect("kt_gateway");
        let forged = [
            format!("{mac}bob{}", rest.trim_start_matches("alice")),
            format!("{mac}{rest}9"),
            format!("{}{rest}", "0".repeat(64)),
            who("alice", now_s() - 1),
            who("*", now_s() + 60),
            who("", now_s() + 60),
            format!("{mac}*"),
            mac.to_owned(),
            String::new(),
        ];
        // The connection knows its cluster in the second round, which is another way through the function.
        for who in forged.iter().chain(&forged) {
            for sql in [
                format!("SELECT kt.look_tbl_marks('a', '{who}')"),
                format!("SELECT kt.get_tbl_marks(NULL, 'a', '{who}')"),
                format!("SELECT kt.list_tbl_marks(NULL, NULL, 9, '{who}')"),
                format!("SELECT kt.store_tbl_marks(gen_random_uuid(), '{who}', NULL, 'marks', 'put', 'a', '{{}}', false)"),
                format!("SELECT kt.here('{who}', '\\x00')"),
                format!("SELECT kt.commit(gen_random_uuid(), '[{{\"t\":\"marks\",\"put\":[[\"a\",{{}}]]}}]', p_who => '{who}')"),
            ] {
                let state = refused(&mut gateway, &sql);
                assert!(state == "KT401" || state.starts_with("22"), "{state} {sql}");
            }
            gateway.batch_execute(&format!("SELECT kt.look_tbl_marks('a', '{valid}')")).expect("a valid one");
        }
        assert_eq!(count(database, "kt_data.tbl_marks"), 0);
    }

    fn rights_are_those_of_the_moment(database: &Database) {
        provision(database);
        let mut alice = Caller::new(database, "alice");
        let mut open = alice.open();
        open.look("marks", "a").expect("may read");
        open.set("marks", &json!({"id": "a"})).expect("buffered");
        let mut deploy = database.connect("kt_deploy");
        deploy.batch_execute("SELECT kt.provision('marks', 'tbl_marks', 'alice', 4)").expect("rights");
        assert_eq!(open.commit(b""), Err(TransactionError::CommitDenied));
        assert_eq!(alice.open().look("marks", "a"), Ok(Value::Null));
        deploy.batch_execute("SELECT kt.provision('marks', 'tbl_marks', 'alice', 2)").expect("rights");
        let denied = TransactionError::PermissionDenied { table: "marks".into(), needed: Perms::R };
        assert_eq!(alice.open().look("marks", "a"), Err(denied));
        deploy.batch_execute("SELECT kt.withdraw('marks', 'alice'), kt.withdraw('marks')").expect("rights");
        assert_eq!(alice.open().look("marks", "a"), Err(TransactionError::NoTable("marks".into())));
    }

    /// A change of rights that was answered is true for every commit that is answered later.
    fn a_change_of_rights_waits_for_commits_that_know_the_old(database: &Database) {
        provision(database);
        let mut held = database.connect("postgres");
        let mut held = held.transaction().expect("begins");
        held.batch_execute("SELECT pg_advisory_xact_lock_shared(19284, 4)").expect("as a commit does");
        let mut deploy = database.connect("kt_deploy");
        deploy.batch_execute("SET lock_timeout = '100ms'").expect("a setting");
        let waits = deploy.batch_execute("SELECT kt.provision('marks', 'tbl_marks', 'alice', 0)").expect_err("waits");
        assert_eq!(waits.code().map(postgres::error::SqlState::code), Some("55P03"));
        held.rollback().expect("ends");
        deploy.batch_execute("SELECT kt.provision('marks', 'tbl_marks', 'alice', 0)").expect("nobody is there");
    }

    /// It holds the table's lock while it waits for commits, and they wait for the table's lock first. Whose rights it takes, looks again.
    fn a_change_of_rights_and_a_commit_do_not_wait_for_each_other(database: &Database) {
        provision(database);
        let committed = || Ok(Some(CommitOutcome::Committed));
        // One row is asked for its rights behind the locks only.
        for (owner, rows, expected) in [
            ("o", 1, committed()),
            ("o", 2, committed()),
            ("alice", 1, Err(TransactionError::CommitDenied)),
            ("alice", 2, Err(TransactionError::Conflict)),
        ] {
            let mut deploy = database.connect("kt_deploy");
            let mut change = deploy.transaction().expect("begins");
            change.batch_execute("SELECT kt.provision('marks', 'tbl_marks', 'alice', 4)").expect("rights");
            std::thread::scope(|scope| {
                let commit = scope.spawn(|| {
                    let mut caller = Caller::new(database, owner);
                    let mut open = caller.open();
                    for id in 0..rows {
                        open.set("marks", &json!({"id": id.to_string()})).expect("buffered");
                    }
                    open.commit(b"")
                });
                let deadline = std::time::Instant::now() + std::time::Duration::from_secs(60);
                while count(database, "pg_stat_activity WHERE wait_event = 'advisory' AND datname = current_database()") == 0 {
                    assert!(std::time::Instant::now() < deadline, "the commit waits for the table");
                }
                change.commit().expect("nobody is killed for it");
                assert_eq!(commit.join().expect("no panic"), expected, "{owner} {rows}");
            });
            database.connect("kt_deploy").batch_execute("SELECT kt.withdraw('marks', 'alice')").expect("everybody's rights");
        }
    }

    fn a_commit_alone_happens_once(database: &Database) {
        provision(database);
        let mut caller = Caller::new(database, "o");
        let mut open = caller.open();
        open.push("marks", &json!({"id": "a"})).expect("buffered");
        let statements = open.commit_statements();
        assert!(open.run(&statements[0]).is_ok());
        let again = open.run(&statements[0]).expect_err("it has happened");
        assert_eq!(again.sqlstate, "KT401");
        let mut ended = caller.open();
        ended.push("marks", &json!({"id": "b"})).expect("buffered");
        let statements = ended.commit_statements();
        ended.resolve().expect("ends it");
        assert_eq!(ended.run(&statements[0]).expect_err("it came too late").sqlstate, "KT401");
        assert_eq!(count(database, "kt_data.tbl_marks"), 1);
    }

    fn a_read_alone_finds_the_first_answer(database: &Database) {
        provision(database);
        let key = IdempotencyKey(random_16());
        let mut caller = Caller::new(database, "o");
        let mut open = caller.open_with(Some(key));
        assert_eq!(open.look("marks", "a"), Ok(Value::Null));
        open.set("marks", &json!({"id": "a"})).expect("buffered");
        assert_eq!(open.commit(b"first"), Ok(Some(CommitOutcome::Committed)));
        let mut repeated = caller.open_with(Some(key));
        assert_eq!(repeated.look("marks", "a"), Err(TransactionError::AlreadyApplied(b"first".to_vec())));
        let mut stranger = Caller::with(database, credential("p"), Perms::ALL, tables());
        assert_eq!(stranger.open_with(Some(key)).look("marks", "a"), Ok(json!({"id": "a"})));
    }

    /// Looking at few keys must not cost a look at every row.
    fn a_commit_reads_what_it_validates_by_key(database: &Database) {
        provision(database);
        let mut admin = database.connect("postgres");
        admin
            .batch_execute("INSERT INTO kt_data.tbl_marks (id, data, _owner, _order) SELECT 'k' || i, '{}', 'o', i FROM generate_series(1, 20000) i")
            .expect("rows");
        // Outside of a transaction, each for itself.
        admin.batch_execute("VACUUM ANALYZE kt_data.tbl_marks").expect("statistics");
        let read = "SELECT idx_tup_fetch + seq_tup_read FROM pg_stat_xact_user_tables WHERE relname = 'tbl_marks'";
        let mut transaction = admin.transaction().expect("begins");
        transaction.batch_execute("SET LOCAL plan_cache_mode = force_generic_plan").expect("as the gateway");
        let check = "SELECT kt_priv.check_tbl_marks(pg_current_snapshot(), 'o', '[\"k1\", \"k2\", \"none\"]', NULL)::text";
        let conflict: Option<String> = transaction.query_one(check, &[]).expect("validates").get(0);
        let rows: i64 = transaction.query_one(read, &[]).expect("statistics").get(0);
        assert_eq!(conflict, None);
        assert!((2..10).contains(&rows), "{rows} rows were read for three keys");
    }
}
