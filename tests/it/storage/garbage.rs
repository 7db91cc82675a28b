//! Garbage collection in steps, as the gateway does it beside the calls.

use std::time::{Duration, Instant};

use kontract::migrate::run;
use kontract_mvcc::error::TransactionError;
use kontract_mvcc::transaction::Resolution;
use kontract_wire::call::IdempotencyKey;
use postgres::Client;
use serde_json::json;

use crate::support::postgres::{Database, on_each_server};
use crate::support::transactions::{Caller, provision, random_16};

/// One step: how many went, and whether there is more.
fn step(gateway: &mut Client, batch: i32) -> (i64, bool) {
    let row = gateway
        .query_one("SELECT removed, more FROM kt.collect($1, '0')", &[&batch])
        .expect("the gateway may");
    (row.get(0), row.get(1))
}

fn dead(database: &Database) -> i64 {
    let sql = "SELECT count(*) FROM kt_data.tbl_marks WHERE _deleted_txid IS NOT NULL";
    database.connect("postgres").query_one(sql, &[]).expect("the superuser reads").get(0)
}

/// Steps until no dead version is left. Transactions in other databases of the cluster hold the horizon back, too.
fn collect_all(gateway: &mut Client, database: &Database) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while dead(database) > 0 {
        assert!(Instant::now() < deadline, "garbage stays");
        let (removed, more) = step(gateway, 10);
        assert!(removed <= 10 && more == (removed == 10), "{removed}, {more}");
    }
}

fn change(caller: &mut Caller, times: i32) {
    for n in 0..times {
        caller.call(|open| open.set("marks", &json!({"id": "a", "n": n}))).expect("stores");
    }
}

/// A snapshot that knows of every commit so far, without a session. Transactions in other databases of the cluster hold it back.
fn state_of_now(caller: &mut Caller, database: &Database, deadline: Instant) -> String {
    let last = "SELECT max(txid::text::bigint) FROM kt_priv.log";
    let last: i64 = database.connect("postgres").query_one(last, &[]).expect("the superuser reads").get(0);
    loop {
        assert!(Instant::now() < deadline, "an earlier transaction does not end");
        let mut open = caller.open();
        open.look("marks", "a").expect("reads");
        let state = open.snapshot().expect("it has looked");
        let xmin = state.split(':').next().expect("a snapshot").parse::<i64>();
        if xmin.expect("a transaction") > last {
            return state;
        }
    }
}

on_each_server! {
    fn a_step_has_a_bound_and_the_next_goes_on(database: &Database) {
        provision(database);
        change(&mut Caller::new(database, "ada"), 26);
        let mut gateway = database.connect("kt_gateway");
        assert_eq!(step(&mut gateway, 10), (0, false), "the horizon is that of the step before");
        assert_eq!(dead(database), 25);
        collect_all(&mut gateway, database);
    }

    fn what_an_open_transaction_sees_stays(database: &Database) {
        provision(database);
        let mut writer = Caller::new(database, "ada");
        change(&mut writer, 3);
        let mut reader = Caller::new(database, "ada");
        let mut open = reader.open();
        open.get("marks", "other").expect("begins");
        change(&mut writer, 3);
        let mut gateway = database.connect("kt_gateway");
        step(&mut gateway, 100);
        step(&mut gateway, 100);
        assert!(dead(database) >= 3, "only what was replaced before its snapshot may go");
        assert_eq!(open.get("marks", "a").expect("reads"), json!({"id": "a", "n": 2}));
        open.resolve().expect("ends it");
        collect_all(&mut gateway, database);
    }

    /// A session that nobody ended holds garbage until it expires.
    fn an_expired_session_holds_nothing(database: &Database) {
        provision(database);
        let mut writer = Caller::new(database, "ada");
        let mut reader = Caller::new(database, "ada");
        let mut open = reader.open();
        open.get("marks", "a").expect("begins");
        change(&mut writer, 3);
        let mut gateway = database.connect("kt_gateway");
        step(&mut gateway, 100);
        step(&mut gateway, 100);
        assert_eq!(dead(database), 2);
        let mut admin = database.connect("postgres");
        let longest = "SELECT max(expires_at) <= now() + interval '15 minutes' FROM kt.trxs";
        assert!(admin.query_one(longest, &[]).expect("reads").get::<_, bool>(0));
        admin.batch_execute("UPDATE kt.trxs SET expires_at = now()").expect("the superuser writes");
        collect_all(&mut gateway, database);
        open.get("marks", "b").expect_err("it has ended");
    }

    /// Whoever holds a begin up holds up no call and no step for longer than a moment.
    fn a_step_waits_for_nobody(database: &Database) {
        provision(database);
        change(&mut Caller::new(database, "ada"), 3);
        let mut gateway = database.connect("kt_gateway");
        let mut stuck = database.connect("postgres");
        let mut stuck = stuck.transaction().expect("begins");
        stuck.batch_execute("SELECT pg_advisory_xact_lock_shared(19284, 0)").expect("as a begin does");
        let start = Instant::now();
        step(&mut gateway, 100);
        step(&mut gateway, 100);
        change(&mut Caller::new(database, "ada"), 1);
        assert!(start.elapsed() < Duration::from_secs(5));
        assert_eq!(dead(database), 3, "the horizon stays where it is");
        stuck.rollback().expect("goes on");
        let mut other = database.connect("postgres");
        let mut other = other.transaction().expect("begins");
        other.batch_execute("SELECT pg_advisory_xact_lock(19284, 2)").expect("as a step does");
        assert_eq!(step(&mut gateway, 100), (0, false), "one runs already");
        other.rollback().expect("goes on");
        collect_all(&mut gateway, database);
    }

    /// Who lost the answer to a commit may ask for an hour at least, whatever the collector is told.
    fn outcomes_and_answers_outlive_the_calls(database: &Database) {
        provision(database);
        let key = IdempotencyKey(random_16());
        let (mut caller, mut again) = (Caller::new(database, "ada"), Caller::new(database, "ada"));
        let mut open = caller.open_with(Some(key));
        open.set("marks", &json!({"id": "a"})).expect("buffered");
        open.commit(b"first").expect("commits");
        let mut admin = database.connect("postgres");
        let mut forget = || -> i64 { admin.query_one("SELECT kt.gc_log('0')", &[]).expect("collects").get(0) };
        assert_eq!(forget(), 0);
        assert_eq!(open.resolve(), Ok(Resolution::Committed));
        assert_eq!(again.open_with(Some(key)).look("marks", "a"), Err(TransactionError::AlreadyApplied(b"first".to_vec())));
        let later = "UPDATE kt_priv.log SET at = at - interval '61 minutes'; UPDATE kt_priv.ledger SET at = at - interval '61 minutes'";
        database.connect("postgres").batch_execute(later).expect("a superuser may");
        assert_eq!(forget(), 2);
    }

    fn history_is_kept_for_as_long_as_was_asked(database: &Database) {
        provision(database);
        let mut admin = database.connect("postgres");
        run::keep_history(&mut admin, "1 hour").expect("an interval");
        for bad in ["soon", "11 years", "-1 day"] {
            run::keep_history(&mut admin, bad).expect_err(bad);
        }
        change(&mut Caller::new(database, "ada"), 4);
        let mut gateway = database.connect("kt_gateway");
        step(&mut gateway, 100);
        step(&mut gateway, 100);
        assert_eq!(dead(database), 3);
        run::keep_history(&mut admin, "0").expect("an interval");
        collect_all(&mut gateway, database);
    }

    /// Shorter than the log is kept without that, and longer: what says when a commit was must not go before the horizon has passed it.
    fn versions_older_than_what_is_kept_go_and_younger_ones_stay(database: &Database) {
        provision(database);
        let mut admin = database.connect("postgres");
        let mut gateway = database.connect("kt_gateway");
        for (keep, old, young) in [("2 hours", "3 hours", "1 hour"), ("7 days", "8 days", "6 days")] {
            run::keep_history(&mut admin, keep).expect("an interval");
            change(&mut Caller::new(database, "ada"), 3);
            let deadline = Instant::now() + Duration::from_secs(60);
            let mut past = Caller::new(database, "ada");
            let then = state_of_now(&mut past, database, deadline);
            let ago = |time: &str| format!("UPDATE kt_priv.log SET at = at - interval '{time}' WHERE at > now() - interval '1 minute'");
            admin.batch_execute(&ago(old)).expect("a superuser may");
            change(&mut Caller::new(database, "ada"), 3);
            admin.batch_execute(&ago(young)).expect("a superuser may");
            // The last of the old commits is the last before that time: what it replaced was there until then.
            while dead(database) > 4 {
                assert!(Instant::now() < deadline, "{keep}: old versions stay");
                step(&mut gateway, 100);
            }
            for _ in 0..3 {
                step(&mut gateway, 100);
            }
            assert_eq!(dead(database), 4, "{keep}");
            let values = |found: serde_json::Value| -> Vec<i64> {
                found.as_array().expect("versions").iter().map(|version| version["row"]["n"].as_i64().expect("a number")).collect()
            };
            let seen = past.call(|open| open.history("marks", "a")).expect("reads");
            assert_eq!(values(seen), [2, 1, 0, 2, 1], "{keep}");
            assert_eq!(past.open_at(&then).get("marks", "a"), Ok(json!({"id": "a", "n": 2})), "{keep}");
            // Time goes on, and so does the horizon.
            admin.batch_execute(&format!("UPDATE kt_priv.log SET at = at - interval '{old}'; DELETE FROM kt.trxs")).expect("a superuser may");
            while dead(database) > 1 {
                assert!(Instant::now() < deadline, "{keep}: old versions stay");
                step(&mut gateway, 100);
            }
            assert_eq!(past.open_at(&then).get("marks", "a"), Err(TransactionError::NotKept), "{keep}");
            run::keep_history(&mut admin, "0").expect("an interval");
            admin.batch_execute("DELETE FROM kt.trxs").expect("a superuser may");
            collect_all(&mut gateway, database);
            past.call(|open| open.delete("marks", "a")).expect("deletes");
            collect_all(&mut gateway, database);
        }
    }
}
