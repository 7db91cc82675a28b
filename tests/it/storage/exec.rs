//! `exec`: what one statement sees and writes, and what it cannot reach.

use std::sync::Arc;

use kontract_mvcc::error::TransactionError;
use kontract_wire::perm::Perms;
use serde_json::{Value, json};

use crate::support::postgres::{Database, credential, on_each_server};
use crate::support::transactions::{Caller, provision, tables};

/// Rows `a` (n 1) and `b` (n 2) in `marks`, and one in `entries`.
fn seed(database: &Database) -> Caller {
    provision(database);
    let mut caller = Caller::new(database, "alice");
    caller
        .call(|open| {
            open.set("marks", &json!({"id": "a", "n": 1}))?;
            open.set("marks", &json!({"id": "b", "n": 2}))?;
            open.set("entries", &json!({"id": "a", "made": "secret"}))
        })
        .expect("stores");
    caller
}

fn reader(database: &Database) -> Caller {
    Caller::with(database, credential("alice"), Perms::R, tables())
}

fn message(outcome: Result<Value, TransactionError>) -> String {
    match outcome {
        Err(TransactionError::BadStatement(message)) => message,
        other => panic!("expected a refused statement, got {other:?}"),
    }
}

const SUM: &str = "SELECT count(*) AS count, coalesce(sum((data ->> 'n')::int), 0) AS sum FROM marks";

on_each_server! {
    fn a_statement_computes_over_the_table(database: &Database) {
        seed(database);
        let mut reader = reader(database);
        let mut open = reader.open();
        assert_eq!(open.exec("marks", SUM, &[]), Ok(json!([{"count": 2, "sum": 3}])));
        let some = "SELECT id, data FROM marks WHERE (data ->> 'n')::int >= $1::int AND id <> ALL (string_to_array($2, ',')) ORDER BY id DESC";
        assert_eq!(open.exec("marks", some, &[Some("1"), Some("a,c")]), Ok(json!([{"id": "b", "data": {"id": "b", "n": 2}}])));
        assert_eq!(open.exec("marks", "SELECT $1 IS NULL AS absent", &[None]), Ok(json!([{"absent": true}])));
        for computes in [
            "WITH w AS (SELECT data -> 'n' AS n FROM marks) SELECT jsonb_agg(n ORDER BY n) AS all FROM w",
            "SELECT id, row_number() OVER (ORDER BY id), lag(id) OVER (ORDER BY id) FROM marks",
            "SELECT date_trunc('day', to_timestamp(0)), to_char(now(), 'YYYY'), now() - interval '1 day', current_date",
            "SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY (data ->> 'n')::float8) FROM marks",
            "SELECT k.key, count(*) FROM marks, jsonb_each(data) k GROUP BY ROLLUP (k.key) HAVING count(*) > 0",
            "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < 5) SELECT array_agg(n) FROM r",
            "SELECT string_agg(upper(id) || '!', ', ' ORDER BY id), format('%s', 1), concat_ws('-', 'a', 2) FROM marks",
            "SELECT x.n + 1 FROM marks, jsonb_to_record(data) AS x(n int)",
            "SELECT jsonb_path_query(data, '$.n ? (@ > 1)'), (id, 1) > ('a', 0), id ~ '^[a-z]$' FROM marks",
            "SELECT lower(id), log(10), log(2, 8), ln(2), to_number('1', '9'), make_timestamptz(2026, 1, 2, 3, 4, 5) FROM marks",
            "VALUES (1), (2)",
            "TABLE marks",
            "SELECT 1;",
            "SELECT 1 -- a comment at the end",
        ] {
            assert!(open.exec("marks", computes, &[]).is_ok(), "{computes}: {:?}", open.exec("marks", computes, &[]));
        }
        assert_eq!(message(open.exec("marks", "SELEC", &[])), "syntax error at or near \"SELEC\"");
        assert_eq!(message(open.exec("marks", "SELECT 1 / 0", &[])), "division by zero");
        let large = "SELECT repeat('x', 1000000) FROM generate_series(1, $1::int)";
        assert!(open.exec("marks", large, &[Some("15")]).is_ok());
        assert_eq!(open.exec("marks", large, &[Some("16")]), Err(TransactionError::ResultTooLarge));
    }

    fn no_statement_leaves_its_table(database: &Database) {
        let mut alice = seed(database);
        database
            .connect("postgres")
            .batch_execute("CREATE FUNCTION public.evil() RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 1'; GRANT USAGE ON SCHEMA public TO PUBLIC")
            .expect("something that is open to everybody");
        // So that the view of the other table is there.
        alice.open().exec("entries", "SELECT 1 FROM entries", &[]).expect("its own table");
        let hostile = include_str!("../../../fixtures/storage/hostile.sql");
        let mut tried = 0;
        for statement in hostile.lines().filter(|line| !line.starts_with("--")).chain(["", " ", "-- nothing"]) {
            for perms in [Perms::ALL, Perms::R] {
                let mut caller = Caller::with(database, credential("alice"), perms, tables());
                let outcome = caller.open().exec("marks", statement, &[]);
                let refused = matches!(outcome, Err(TransactionError::BadStatement(_) | TransactionError::PermissionDenied { .. }));
                assert!(refused, "{statement}: {outcome:?}");
            }
            tried += 1;
        }
        assert!(tried >= 80, "{tried}");
        let mut open = alice.open();
        assert_eq!(open.list("entries", None, None), Ok(json!([{"id": "a", "made": "secret"}])));
        assert_eq!(open.exec("marks", SUM, &[]), Ok(json!([{"count": 2, "sum": 3}])));
    }

    /// What the statement names does not matter when the views themselves refuse: each answers for the table of the call only.
    fn the_view_of_another_table_answers_nobody(database: &Database) {
        let mut alice = seed(database);
        for table in ["marks", "entries"] {
            alice.open().exec(table, &format!("SELECT 1 FROM {table}"), &[]).expect("makes the view");
        }
        let mut guard = database.connect("postgres");
        guard
            .batch_execute(
                "SET kontract.ptr = 'tbl_marks'; SET kontract.sid = '00000000-0000-0000-0000-000000000000'; SET kontract.changes = ''; SET ROLE kt_exec",
            )
            .expect("a superuser may");
        let mut refused = |sql: &str| guard.batch_execute(sql).expect_err(sql).code().expect("SQLSTATE").code().to_owned();
        assert_eq!(refused("SELECT * FROM kt_view_entries.entries"), "KT403");
        assert_eq!(refused("SELECT * FROM kt_view_marks.marks"), "KT401", "and without a live session for nobody");
        assert_eq!(refused("INSERT INTO kt_view_marks.marks VALUES ('x', '{}')"), "KT403", "a call that may not write");
        for sql in ["SELECT * FROM kt.storage", "SELECT * FROM kt.trxs", "SELECT * FROM kt_data.tbl_marks", "SELECT kt_priv.exec_own()", "CREATE TEMP TABLE x (i int)"] {
            assert_eq!(refused(sql), "42501", "{sql}");
        }
    }

    fn a_statement_sees_the_snapshot_and_own_writes(database: &Database) {
        let mut alice = seed(database);
        let mut bob = Caller::new(database, "bob");
        let mut open = alice.open();
        assert_eq!(open.exec("marks", SUM, &[]), Ok(json!([{"count": 2, "sum": 3}])));
        bob.call(|open| {
            open.set("marks", &json!({"id": "a", "n": 100}))?;
            open.set("marks", &json!({"id": "z", "n": 100}))?;
            open.delete("marks", "b")
        })
        .expect("commits");
        assert_eq!(open.exec("marks", SUM, &[]), Ok(json!([{"count": 2, "sum": 3}])), "as it was at the snapshot");
        open.set("marks", &json!({"id": "c", "n": 10})).expect("buffered");
        open.delete("marks", "a").expect("buffered");
        open.update("marks", "b", &json!({"n": 5})).expect("buffered");
        assert_eq!(open.exec("marks", SUM, &[]), Ok(json!([{"count": 2, "sum": 15}])), "with own writes");
        assert_eq!(open.commit(b""), Err(TransactionError::Conflict), "and all of the table was read");
        // A value that only another version has makes no statement fail.
        bob.call(|open| open.set("marks", &json!({"id": "a", "n": "no number"}))).expect("commits");
        let mut open = alice.open();
        open.get("marks", "z").expect("begins");
        bob.call(|open| open.set("marks", &json!({"id": "a", "n": 7}))).expect("commits");
        assert!(message(open.exec("marks", SUM, &[])).contains("invalid input syntax"));
        assert_eq!(alice.open().exec("marks", SUM, &[]), Ok(json!([{"count": 2, "sum": 107}])));
    }

    fn what_a_statement_writes_is_part_of_the_transaction(database: &Database) {
        let mut alice = seed(database);
        let raise = "UPDATE marks SET data = jsonb_set(data, '{n}', to_jsonb((data ->> 'n')::int + $1::int))";
        let mut open = alice.open();
        assert_eq!(open.exec("marks", raise, &[Some("10")]), Ok(json!([])));
        assert_eq!(open.get("marks", "a"), Ok(json!({"id": "a", "n": 11})));
        assert_eq!(open.exec("marks", SUM, &[]), Ok(json!([{"count": 2, "sum": 23}])));
        drop(open);
        assert_eq!(alice.open().exec("marks", SUM, &[]), Ok(json!([{"count": 2, "sum": 3}])), "nothing was committed");
        alice
            .call(|open| {
                open.exec("marks", raise, &[Some("10")])?;
                open.exec("marks", "DELETE FROM marks WHERE id = $1", &[Some("b")])?;
                let added = open.exec("marks", "INSERT INTO marks VALUES ($1, $2::jsonb) RETURNING id", &[Some("c"), Some(r#"{"id":"c","n":5}"#)])?;
                assert_eq!(added, json!([{"id": "c"}]));
                open.exec("marks", "WITH gone AS (DELETE FROM marks WHERE id = 'none' RETURNING id) SELECT count(*) FROM gone", &[])
            })
            .expect("commits");
        assert_eq!(alice.open().list("marks", None, None), Ok(json!([{"id": "a", "n": 11}, {"id": "c", "n": 5}])));
        // Two at once: one runs again.
        let mut other = Caller::new(database, "bob");
        let (mut first, mut second) = (alice.open(), other.open());
        first.exec("marks", raise, &[Some("1")]).expect("computes");
        second.exec("marks", raise, &[Some("1")]).expect("computes");
        first.commit(b"").expect("commits");
        assert_eq!(second.commit(b""), Err(TransactionError::Conflict));
    }

    fn bits_bound_what_a_statement_writes(database: &Database) {
        seed(database);
        let denied = |needed| Err(TransactionError::PermissionDenied { table: "marks".into(), needed });
        let with = |perms| Caller::with(database, credential("alice"), perms, tables());
        let (update, delete) = ("UPDATE marks SET data = data RETURNING id", "DELETE FROM marks");
        assert_eq!(with(Perms::R).open().exec("marks", update, &[]), denied(Perms::W));
        assert_eq!(with(Perms::W).open().exec("marks", "SELECT 1", &[]), denied(Perms::R));
        let read_write = Perms::R.union(Perms::W);
        assert!(with(read_write).open().exec("marks", update, &[]).is_ok());
        let mut caller = with(read_write);
        let mut open = caller.open();
        assert_eq!(open.exec("marks", delete, &[]), denied(Perms::X));
        assert_eq!(open.commit(b""), Ok(None), "all or nothing");
        // The owner's rights are the database's business.
        database.connect("kt_deploy").batch_execute("SELECT kt.provision('marks', 'tbl_marks', 'reader', 4), kt.provision('marks', 'tbl_marks', 'writer', 3)").expect("provisions");
        let mut reader = Caller::new(database, "reader");
        let mut open = reader.open();
        open.exec("marks", update, &[]).expect("computes");
        assert_eq!(open.commit(b""), Err(TransactionError::CommitDenied));
        assert_eq!(Caller::new(database, "writer").open().exec("marks", "SELECT 1", &[]), denied(Perms::R));
        // Read-only fields stay.
        let set = "UPDATE entries SET data = data || '{\"made\": 1}'";
        let mut alice = with(Perms::ALL);
        let readonly = TransactionError::ReadonlyField { table: "tbl_entries".into(), field: "made".into() };
        assert_eq!(alice.call(|open| open.exec("entries", set, &[])), Err(readonly));
        // An earlier state is read, not written.
        let mut now = alice.open();
        now.get("marks", "a").expect("begins");
        let snapshot = now.snapshot().expect("a snapshot");
        alice.call(|open| open.delete("marks", "a")).expect("deletes");
        let mut past = alice.open_at(&snapshot);
        assert_eq!(past.exec("marks", SUM, &[]), Ok(json!([{"count": 2, "sum": 3}])));
        assert_eq!(past.exec("marks", update, &[]), denied(Perms::W));
    }

    /// A gateway that lies about the bits of its endpoint gets a list of changes, and commits it with the owner's rights.
    fn the_gateway_cannot_use_exec_for_more(database: &Database) {
        seed(database).open().exec("entries", "SELECT 1", &[]).expect("makes the view");
        let mut gateway = database.connect("kt_gateway");
        for (sql, sqlstate) in [
            ("SELECT kt.exec(gen_random_uuid(), 'marks', 'SELECT 1', '{}', '{}', true)", "KT401"),
            ("SELECT kt.exec(NULL, NULL, NULL, NULL, NULL, NULL)", "KT401"),
            ("SELECT kt_guard.read('kt_view_entries', 'SELECT * FROM entries', '{}')", "42501"),
            ("SELECT * FROM kt_view_entries.entries", "42501"),
            ("SET ROLE kt_exec", "42501"),
            ("SELECT kt_priv.exec_snap('tbl_marks')", "42501"),
        ] {
            let error = gateway.batch_execute(sql).expect_err(sql);
            let code = error.code().expect("SQLSTATE").code().to_owned();
            assert_eq!(code, sqlstate, "{sql}");
        }
    }

    /// In a database that is shared, others may make schemas, and could have made the one that a view is to lie in.
    fn a_view_that_somebody_else_made_is_not_asked(database: &Database) {
        let mut alice = seed(database);
        let mut admin = database.connect("postgres");
        let bait = "CREATE SCHEMA kt_view_marks; CREATE VIEW kt_view_marks.marks AS SELECT 'a' AS id, '{\"n\": 3}'::jsonb AS data;
                    GRANT USAGE ON SCHEMA kt_view_marks TO PUBLIC; GRANT SELECT ON kt_view_marks.marks TO PUBLIC";
        admin.batch_execute(bait).expect("not storage's own");
        let outcome = alice.open().exec("marks", SUM, &[]);
        assert!(matches!(&outcome, Err(TransactionError::Unexpected(error)) if error.message.contains("kt_view_marks")), "{outcome:?}");
        kontract::migrate::run::install(&mut admin).expect("takes it away");
        assert_eq!(alice.open().exec("marks", SUM, &[]), Ok(json!([{"count": 2, "sum": 3}])));
    }

    /// The views stand on the tables; what rewrites those takes them away, and they come back.
    fn views_are_in_nobodys_way(database: &Database) {
        let mut alice = seed(database);
        assert_eq!(alice.open().exec("marks", SUM, &[]), Ok(json!([{"count": 2, "sum": 3}])));
        database.connect("kt_deploy").batch_execute("SELECT kt.rebase()").expect("rebases");
        assert_eq!(alice.open().exec("marks", SUM, &[]), Ok(json!([{"count": 2, "sum": 3}])));
        kontract::migrate::run::install(&mut database.connect("postgres")).expect("installs again");
        assert_eq!(alice.open().exec("marks", SUM, &[]), Ok(json!([{"count": 2, "sum": 3}])));
    }

    fn statements_and_parameters_are_bounded(database: &Database) {
        seed(database);
        let mut caller = reader(database);
        let many: Vec<Option<&str>> = vec![None; 17];
        let mut open = caller.open();
        assert!(matches!(open.exec("marks", "SELECT 1", &many), Err(TransactionError::LimitExceeded(_))));
        assert!(matches!(open.exec("marks", &" ".repeat(65_537), &[]), Err(TransactionError::LimitExceeded(_))));
        assert!(matches!(open.exec("marks", "SELECT $1", &[Some("\0")]), Err(TransactionError::BadValue(_))));
        assert!(open.exec("marks", "SELECT $16", &many[1..]).is_ok());
        let mut none = Caller::with(database, credential("alice"), Perms::ALL, Arc::clone(&tables()));
        assert!(matches!(none.open().exec("nowhere", "SELECT 1", &[]), Err(TransactionError::NoTable(_))));
    }
}
