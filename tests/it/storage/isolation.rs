//! What concurrent transactions see of each other, and what they leave behind.

use std::time::{Duration, Instant};

use kontract::migrate::run::collect_garbage;
use kontract_mvcc::error::TransactionError;
use kontract_mvcc::transaction::{CommitOutcome, Resolution};
use kontract_wire::call::IdempotencyKey;
use serde_json::{Value, json};

use crate::support::postgres::{Database, on_each_server};
use crate::support::transactions::{Caller, Open, provision, random_16};

/// Stores rows in `marks`.
fn store(database: &Database, rows: &[Value]) {
    let mut caller = Caller::new(database, "seed");
    caller.call(|open| rows.iter().try_for_each(|row| open.push("marks", row).map(drop))).expect("stores");
}

fn conflict<T>(outcome: Result<T, TransactionError>) -> bool {
    matches!(outcome, Err(TransactionError::Conflict))
}

on_each_server! {
    fn a_transaction_reads_its_own_writes(database: &Database) {
        provision(database);
        store(database, &[json!({"id": "a", "n": 1}), json!({"id": "b", "n": 1}), json!({"id": "c", "n": 2})]);
        let mut caller = Caller::new(database, "o");
        let mut open = caller.open();
        let inside = |open: &mut Open<'_>| {
            assert_eq!(open.get("marks", "a"), Ok(json!({"id": "a", "n": 3})));
            assert_eq!(open.get("marks", "b"), Ok(Value::Null));
            assert_eq!(open.mget("marks", &["d", "b", "c"]), Ok(json!([{"id": "d", "n": 1}, null, {"id": "c", "n": 2}])));
            let all = json!([{"id": "a", "n": 3}, {"id": "c", "n": 2}, {"id": "d", "n": 1}]);
            assert_eq!(open.list("marks", None, None), Ok(all));
            assert_eq!(open.list("marks", Some("a"), Some(1)), Ok(json!([{"id": "c", "n": 2}])));
            assert_eq!(open.query("marks", &json!({"n": 1})), Ok(json!([{"id": "d", "n": 1}])));
            assert_eq!(open.count("marks", &json!({"n": 1})), Ok(json!(1)));
            assert_eq!(open.count("marks", &json!({})), Ok(json!(3)));
        };
        assert_eq!(open.update("marks", "a", &json!({"n": 3})), Ok(json!({"id": "a", "n": 3})));
        open.delete("marks", "b").expect("buffered");
        open.set("marks", &json!({"id": "d", "n": 1})).expect("buffered");
        inside(&mut open);
        assert_eq!(open.commit(b""), Ok(Some(CommitOutcome::Committed)));
        // And so does the next transaction.
        inside(&mut caller.open());
    }

    fn writes_of_a_call_that_ends_without_commit_are_nowhere(database: &Database) {
        provision(database);
        let mut caller = Caller::new(database, "o");
        let mut open = caller.open();
        assert_eq!(open.get("marks", "a"), Ok(Value::Null));
        open.set("marks", &json!({"id": "a"})).expect("buffered");
        assert_eq!(Caller::new(database, "o").open().get("marks", "a"), Ok(Value::Null));
        assert_eq!(caller.open().get("marks", "a"), Ok(Value::Null));
    }

    fn reads_stay_at_the_snapshot(database: &Database) {
        provision(database);
        let rows = [json!({"id": "a", "n": 1}), json!({"id": "b", "n": 1}), json!({"id": "c", "n": 1})];
        store(database, &rows);
        let mut reader = Caller::new(database, "reader");
        let mut open = reader.open();
        assert_eq!(open.get("marks", "a"), Ok(rows[0].clone()));

        for round in 2..5 {
            let mut writer = Caller::new(database, "writer");
            writer
                .call(|open| {
                    open.set("marks", &json!({"id": "a", "n": round}))?;
                    open.set("marks", &json!({"id": "b", "n": round}))?;
                    open.delete("marks", "c")?;
                    open.push("marks", &json!({"id": format!("new{round}"), "n": 1}))
                })
                .expect("writes");
        }

        // Keys that were not read before, and every other way to read.
        assert_eq!(open.get("marks", "b"), Ok(rows[1].clone()));
        assert_eq!(open.get("marks", "new2"), Ok(Value::Null));
        assert_eq!(open.mget("marks", &["c", "new3"]), Ok(json!([rows[2], null])));
        assert_eq!(open.list("marks", None, None), Ok(json!(rows)));
        assert_eq!(open.list("marks", Some("a"), Some(1)), Ok(json!([rows[1]])));
        assert_eq!(open.query("marks", &json!({"n": 1})), Ok(json!(rows)));
        assert_eq!(open.count("marks", &json!({"n": 1})), Ok(json!(3)));
        assert_eq!(open.count("marks", &json!({})), Ok(json!(3)));
        assert_eq!(open.commit(b""), Ok(None), "a call that only read has nothing to commit");
        // The next transaction sees the writer's work.
        assert_eq!(reader.open().list("marks", None, None), Ok(json!([
            {"id": "a", "n": 4}, {"id": "b", "n": 4}, {"id": "new2", "n": 1}, {"id": "new3", "n": 1}, {"id": "new4", "n": 1}
        ])));
    }

    fn no_update_is_lost(database: &Database) {
        provision(database);
        store(database, &[json!({"id": "counter", "n": 0})]);
        const CLIENTS: i64 = 8;
        const INCREMENTS: i64 = 25;
        let conflicts: i64 = std::thread::scope(|scope| {
            let clients: Vec<_> = (0..CLIENTS)
                .map(|client| {
                    scope.spawn(move || {
                        let mut caller = Caller::new(database, &format!("client{client}"));
                        let mut attempts = 0;
                        for _ in 0..INCREMENTS {
                            caller
                                .call(|open| {
                                    attempts += 1;
                                    let n = open.get("marks", "counter")?["n"].as_i64().expect("a number");
                                    open.update("marks", "counter", &json!({"n": n + 1}))
                                })
                                .expect("succeeds within the policy's attempts");
                        }
                        attempts - INCREMENTS
                    })
                })
                .collect();
            clients.into_iter().map(|client| client.join().expect("no panic")).sum()
        });
        let n = Caller::new(database, "o").open().get("marks", "counter").expect("reads")["n"].clone();
        assert_eq!(n, json!(CLIENTS * INCREMENTS));
        assert!(conflicts > 0, "the clients never met, so nothing was shown");
    }

    fn one_of_two_updates_of_one_row_is_refused(database: &Database) {
        provision(database);
        store(database, &[json!({"id": "a", "n": 0})]);
        let (mut one, mut two) = (Caller::new(database, "one"), Caller::new(database, "two"));
        let (mut first, mut second) = (one.open(), two.open());
        first.update("marks", "a", &json!({"n": 1})).expect("reads");
        second.update("marks", "a", &json!({"n": 2})).expect("reads");
        first.commit(b"").expect("the first commits");
        assert!(conflict(second.commit(b"")));
    }

    fn write_skew_is_refused(database: &Database) {
        provision(database);
        store(database, &[json!({"id": "x", "on": true}), json!({"id": "y", "on": true})]);
        let (mut one, mut two) = (Caller::new(database, "one"), Caller::new(database, "two"));
        let (mut first, mut second) = (one.open(), two.open());
        for open in [&mut first, &mut second] {
            open.mget("marks", &["x", "y"]).expect("both are on");
        }
        first.set("marks", &json!({"id": "x", "on": false})).expect("buffered");
        second.set("marks", &json!({"id": "y", "on": false})).expect("buffered");
        first.commit(b"").expect("the first commits");
        assert!(conflict(second.commit(b"")));
    }

    fn a_read_row_that_was_deleted_is_a_conflict(database: &Database) {
        provision(database);
        type Writing = fn(&mut Open<'_>) -> Result<Value, TransactionError>;
        let writings: [Writing; 2] = [
            |open| open.delete("marks", "a"),
            |open| {
                open.delete("marks", "a")?;
                open.set("marks", &json!({"id": "a"}))
            },
        ];
        for writing in writings {
            store(database, &[json!({"id": "a"})]);
            let (mut one, mut two) = (Caller::new(database, "one"), Caller::new(database, "two"));
            let mut reader = one.open();
            reader.get("marks", "a").expect("reads");
            two.call(writing).expect("writes");
            reader.set("marks", &json!({"id": "seen"})).expect("buffered");
            assert!(conflict(reader.commit(b"")));
        }
    }

    /// Two that read a key as absent cannot both create it.
    fn a_read_of_an_absent_row_is_a_read(database: &Database) {
        provision(database);
        let (mut one, mut two) = (Caller::new(database, "one"), Caller::new(database, "two"));
        let (mut first, mut second) = (one.open(), two.open());
        for open in [&mut first, &mut second] {
            assert_eq!(open.get("marks", "name"), Ok(Value::Null));
        }
        first.set("marks", &json!({"id": "name", "by": 1})).expect("buffered");
        second.set("marks", &json!({"id": "name", "by": 2})).expect("buffered");
        first.commit(b"").expect("the first commits");
        assert!(conflict(second.commit(b"")));
    }

    fn phantoms_are_refused(database: &Database) {
        provision(database);
        type Reading = fn(&mut Open<'_>) -> Result<Value, TransactionError>;
        let readings: [Reading; 5] = [
            |open| open.query("marks", &json!({"room": 1})),
            |open| open.count("marks", &json!({"room": 1})),
            |open| open.count("marks", &json!({})),
            |open| open.list("marks", None, None),
            |open| open.list("marks", Some("a"), Some(5)),
        ];
        type Writing = fn(&mut Open<'_>) -> Result<Value, TransactionError>;
        let writings: [(&str, Writing); 4] = [
            ("a row comes", |open| open.push("marks", &json!({"id": "new", "room": 1}))),
            ("a row goes", |open| open.delete("marks", "b")),
            ("a row leaves the pattern", |open| open.set("marks", &json!({"id": "b", "room": 2}))),
            ("a row enters the pattern", |open| open.set("marks", &json!({"id": "c", "room": 1}))),
        ];
        for (number, reading) in readings.iter().enumerate() {
            for (what, writing) in writings {
                let rows = [json!({"id": "a", "room": 1}), json!({"id": "b", "room": 1}), json!({"id": "c", "room": 2})];
                store(database, &rows);
                Caller::new(database, "o").call(|open| open.delete("marks", "new")).expect("clean");
                let (mut one, mut two) = (Caller::new(database, "one"), Caller::new(database, "two"));
                let mut reader = one.open();
                reading(&mut reader).expect("reads");
                two.call(writing).expect("writes");
                reader.set("entries", &json!({"id": "booking"})).expect("buffered");
                assert!(conflict(reader.commit(b"")), "reading {number}, {what}");
            }
        }
    }

    /// What was read does not cover everything: calls that do not meet do not disturb each other.
    fn rows_outside_of_what_was_read_do_not_conflict(database: &Database) {
        provision(database);
        store(database, &["before", "a", "b", "c"].map(|id| json!({"id": id, "room": if id == "a" { 1 } else { 2 }})));
        let (mut one, mut two) = (Caller::new(database, "one"), Caller::new(database, "two"));
        let mut reader = one.open();
        reader.query("marks", &json!({"room": 1})).expect("reads");
        reader.list("marks", Some("a"), Some(1)).expect("reads");
        reader.get("marks", "absent").expect("reads");
        two.call(|open| {
            open.set("marks", &json!({"id": "before", "room": 3}))?;
            open.set("marks", &json!({"id": "c", "room": 3}))?;
            open.push("marks", &json!({"id": "d", "room": 2}))
        })
        .expect("writes");
        reader.set("entries", &json!({"id": "booking"})).expect("buffered");
        assert_eq!(reader.commit(b""), Ok(Some(CommitOutcome::Committed)));
    }

    fn pages_follow_each_other_in_order(database: &Database) {
        provision(database);
        let rows: Vec<_> = (0..7).map(|n| json!({"id": format!("k{}", 9 - n), "n": n})).collect();
        store(database, &rows);
        let mut caller = Caller::new(database, "o");
        let mut open = caller.open();
        let mut pages = Vec::new();
        let mut after: Option<String> = None;
        loop {
            let page = open.list("marks", after.as_deref(), Some(3)).expect("reads");
            let page = page.as_array().expect("an array").clone();
            let Some(last) = page.last() else { break };
            after = last["id"].as_str().map(str::to_owned);
            pages.push(page);
        }
        assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), [3, 3, 1]);
        assert_eq!(pages.concat(), rows);
        assert!(matches!(open.list("marks", Some("nowhere"), None), Err(TransactionError::BadValue(_))));
    }

    fn a_pushed_row_moves_to_the_end_and_a_stored_one_stays(database: &Database) {
        provision(database);
        store(database, &["a", "b", "c"].map(|id| json!({"id": id})));
        let mut caller = Caller::new(database, "o");
        let ids = |rows: Value| -> Vec<Value> { rows.as_array().expect("an array").iter().map(|row| row["id"].clone()).collect() };
        let mut open = caller.open();
        open.push("marks", &json!({"id": "a"})).expect("buffered");
        open.set("marks", &json!({"id": "b", "n": 1})).expect("buffered");
        // Before the commit as after it.
        assert_eq!(ids(open.list("marks", None, None).expect("reads")), ["b", "c", "a"]);
        open.commit(b"").expect("commits");
        assert_eq!(ids(caller.open().list("marks", None, None).expect("reads")), ["b", "c", "a"]);
    }

    fn text_survives_as_key_and_as_value(database: &Database) {
        provision(database);
        let mut caller = Caller::new(database, "o");
        for key in ["'; DROP TABLE kt.storage; --", "\"", "\\", "$1", "{}", "é\u{1F600}\u{FEFF}", " ", "", "%_"] {
            let row = json!({"id": key, "text": key, key: [key]});
            caller.call(|open| open.set("marks", &row)).expect("stores");
            let mut open = caller.open();
            assert_eq!(open.get("marks", key), Ok(row.clone()));
            assert_eq!(open.query("marks", &json!({"text": key})), Ok(json!([row])));
        }
    }

    fn the_same_idempotency_key_has_one_effect(database: &Database) {
        provision(database);
        store(database, &[json!({"id": "a", "n": 0})]);
        let key = Some(IdempotencyKey(random_16()));
        let increment = |open: &mut Open<'_>| {
            let n = open.get("marks", "a")?["n"].as_i64().expect("a number");
            open.update("marks", "a", &json!({"n": n + 1}))
        };
        let mut caller = Caller::new(database, "o");
        let mut first = caller.open_with(key);
        increment(&mut first).expect("reads");
        assert_eq!(first.commit(b"first answer"), Ok(Some(CommitOutcome::Committed)));

        // A repetition that reads learns it from begin, one that only writes from the commit.
        let known = Err(TransactionError::AlreadyApplied(b"first answer".to_vec()));
        assert_eq!(increment(&mut caller.open_with(key)), known);
        let mut blind = caller.open_with(key);
        blind.set("marks", &json!({"id": "a", "n": 100})).expect("buffered");
        assert_eq!(blind.commit(b"second"), Ok(Some(CommitOutcome::AlreadyApplied(b"first answer".to_vec()))));
        assert_eq!(caller.open().get("marks", "a"), Ok(json!({"id": "a", "n": 1})));

        // Somebody else's key of the same bytes is another key.
        let mut other = Caller::new(database, "other");
        let mut open = other.open_with(key);
        increment(&mut open).expect("reads");
        assert_eq!(open.commit(b"theirs"), Ok(Some(CommitOutcome::Committed)));
    }

    /// Both attempts have begun before either commits, and neither reads what the other writes.
    fn two_attempts_under_way_have_one_effect(database: &Database) {
        provision(database);
        let key = Some(IdempotencyKey(random_16()));
        let (mut one, mut two) = (Caller::new(database, "o"), Caller::new(database, "o"));
        let (mut first, mut second) = (one.open_with(key), two.open_with(key));
        for (open, id) in [(&mut first, "a"), (&mut second, "b")] {
            open.get("marks", "elsewhere").expect("begins");
            open.set("marks", &json!({"id": id})).expect("buffered");
        }
        assert_eq!(first.commit(b"first"), Ok(Some(CommitOutcome::Committed)));
        assert_eq!(second.commit(b"second"), Ok(Some(CommitOutcome::AlreadyApplied(b"first".to_vec()))));
        assert_eq!(one.open().list("marks", None, None), Ok(json!([{"id": "a"}])));
    }

    fn a_commit_that_conflicts_leaves_no_trace_in_the_ledger(database: &Database) {
        provision(database);
        let key = Some(IdempotencyKey(random_16()));
        let mut caller = Caller::new(database, "o");
        let mut open = caller.open_with(key);
        open.get("marks", "a").expect("reads");
        Caller::new(database, "p").call(|open| open.set("marks", &json!({"id": "a"}))).expect("writes");
        open.set("marks", &json!({"id": "b"})).expect("buffered");
        assert!(conflict(open.commit(b"never told")));
        let mut again = caller.open_with(key);
        again.get("marks", "a").expect("not applied yet");
        again.set("marks", &json!({"id": "b"})).expect("buffered");
        assert_eq!(again.commit(b"told"), Ok(Some(CommitOutcome::Committed)));
    }

    fn a_lost_commit_is_resolved(database: &Database) {
        provision(database);
        let mut caller = Caller::new(database, "o");

        let mut happened = caller.open();
        happened.set("marks", &json!({"id": "a"})).expect("buffered");
        let statements = happened.commit_statements();
        for statement in &statements {
            happened.run(statement).expect("the answer is thrown away");
        }
        assert_eq!(happened.resolve(), Ok(Resolution::Committed));
        assert_eq!(happened.resolve(), Ok(Resolution::Committed));
        // It arrives once more.
        assert_eq!(happened.run(&statements[0]).expect_err("it was committed").sqlstate, "KT401");

        // Only begin arrived; the commit comes late.
        let mut late = caller.open();
        late.get("marks", "b").expect("begins");
        late.set("marks", &json!({"id": "b"})).expect("buffered");
        let statements = late.commit_statements();
        assert_eq!(late.resolve(), Ok(Resolution::NotCommitted));
        let refused = late.run(&statements[0]).expect_err("the session has ended");
        assert_eq!(refused.sqlstate, "KT401");

        // Nothing arrived; it comes late, after it was said that it never would.
        let mut lost = caller.open();
        lost.set("marks", &json!({"id": "c"})).expect("buffered");
        let statements = lost.commit_statements();
        assert_eq!(lost.resolve(), Ok(Resolution::NotCommitted));
        assert_eq!(lost.run(&statements[0]).expect_err("it was ended").sqlstate, "KT401");
        assert_eq!(caller.open().list("marks", None, None), Ok(json!([{"id": "a"}])));
    }

    fn a_commit_happens_once(database: &Database) {
        provision(database);
        let mut caller = Caller::new(database, "o");
        let mut open = caller.open();
        open.get("marks", "a").expect("begins");
        open.push("marks", &json!({"id": "a"})).expect("buffered");
        let statements = open.commit_statements();
        open.run(&statements[0]).expect("commits");
        assert_eq!(open.run(&statements[0]).expect_err("used up").sqlstate, "KT401");
    }

    fn garbage_is_what_no_open_snapshot_needs(database: &Database) {
        provision(database);
        store(database, &[json!({"id": "a", "n": 0})]);
        let mut admin = database.connect("postgres");
        let mut versions = || -> i64 { admin.query_one("SELECT count(*) FROM kt_data.tbl_marks", &[]).expect("reads").get(0) };
        let mut reader = Caller::new(database, "reader");
        let mut open = reader.open();
        open.get("entries", "a").expect("begins");
        for n in 1..4 {
            Caller::new(database, "w").call(|open| open.set("marks", &json!({"id": "a", "n": n}))).expect("writes");
        }
        let mut deploy = database.connect("kt_deploy");
        collect_garbage(&mut deploy).expect("collects");
        assert_eq!(versions(), 4);
        assert_eq!(open.get("marks", "a"), Ok(json!({"id": "a", "n": 0})));
        assert_eq!(open.resolve(), Ok(Resolution::NotCommitted), "ends the session");
        // Transaction ids belong to the cluster: one that is under way in another database keeps the horizon back, too.
        let deadline = Instant::now() + Duration::from_secs(60);
        while versions() > 1 {
            assert!(Instant::now() < deadline, "dead versions stay");
            collect_garbage(&mut deploy).expect("collects");
        }
        assert_eq!(Caller::new(database, "o").open().get("marks", "a"), Ok(json!({"id": "a", "n": 3})));
    }

    /// The core decides by itself which of its own rows a pattern finds; it must decide as the database does.
    fn containment_is_postgresqls(database: &Database) {
        let cases: Vec<(String, String, bool)> =
            serde_json::from_str(include_str!("../../../runtime/mvcc/testdata/contains.json")).expect("the list of cases");
        let mut admin = database.connect("postgres");
        for (data, pattern, expected) in cases {
            let contains: bool =
                admin.query_one("SELECT $1::text::jsonb @> $2::text::jsonb", &[&data, &pattern]).expect("JSON").get(0);
            assert_eq!(contains, expected, "{data} @> {pattern}");
        }
    }
}
