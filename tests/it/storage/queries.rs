//! Queries, ends of lists and earlier states, on both servers.

use std::time::{Duration, Instant};

use kontract::migrate::run;
use kontract_mvcc::error::TransactionError;
use kontract_mvcc::transaction::CommitOutcome;
use postgres::Client;
use serde_json::{Value, json};

use crate::support::postgres::{Database, on_each_server};
use crate::support::transactions::{Caller, Open, provision};

fn store(database: &Database, rows: &[Value]) {
    let mut caller = Caller::new(database, "seed");
    caller.call(|open| rows.iter().try_for_each(|row| open.push("marks", row).map(drop))).expect("stores");
}

fn ids(rows: Result<Value, TransactionError>) -> Vec<String> {
    let rows = rows.expect("reads");
    rows.as_array()
        .expect("an array")
        .iter()
        .map(|row| row["id"].as_str().expect("a key").to_owned())
        .collect()
}

fn collect(deploy: &mut Client) {
    deploy.batch_execute("SELECT kt.gc_horizon('0'); SELECT kt.gc_table('tbl_marks')").expect("collects");
}

on_each_server! {
    /// The core decides by itself which of its own rows a query finds; it must decide as the database does.
    fn filters_are_the_databases(database: &Database) {
        provision(database);
        let cases: Vec<(String, String, bool)> =
            serde_json::from_str(include_str!("../../../runtime/mvcc/testdata/filters.json")).expect("the list of cases");
        let mut caller = Caller::new(database, "o");
        for (find, row, expected) in cases {
            let mut row: Value = serde_json::from_str(&row).expect("JSON");
            row["id"] = json!("k");
            let find: Value = serde_json::from_str(&find).expect("JSON");
            let wanted = usize::from(expected);
            caller.call(|open| open.set("marks", &row)).expect("stores");
            let mut stored = caller.open();
            assert_eq!(ids(stored.find("marks", &find)).len(), wanted, "stored {row} {find}");
            assert_eq!(stored.count_found("marks", &find), Ok(json!(wanted)), "{row} {find}");
            // And once more as an own write.
            caller.call(|open| open.delete("marks", "k")).expect("deletes");
            let mut own = caller.open();
            own.set("marks", &row).expect("buffered");
            assert_eq!(ids(own.find("marks", &find)).len(), wanted, "own {row} {find}");
            assert_eq!(own.count_found("marks", &find), Ok(json!(wanted)), "{row} {find}");
        }
    }

    fn queries_sort_and_page(database: &Database) {
        provision(database);
        let values = [json!(3), json!("b"), json!(1), json!(null), json!("a"), json!(3.5), json!(true), json!("B"), json!(1)];
        let rows: Vec<_> = values.iter().enumerate().map(|(n, value)| json!({"id": format!("k{n}"), "n": value})).collect();
        store(database, &rows);
        let mut caller = Caller::new(database, "o");
        let ascending = ["k2", "k8", "k0", "k5", "k7", "k4", "k1", "k3", "k6"];
        let descending = ["k3", "k6", "k1", "k4", "k7", "k5", "k0", "k2", "k8"];
        for (order, expected) in [(false, ascending), (true, descending)] {
            let mut open = caller.open();
            let find = json!({"order": "n", "descending": order});
            assert_eq!(ids(open.find("marks", &find)), expected);
            let mut paged: Vec<String> = Vec::new();
            loop {
                let find = json!({"order": "n", "descending": order, "limit": 2, "after": paged.last()});
                let page = ids(open.find("marks", &find));
                if page.is_empty() { break }
                paged.extend(page);
            }
            assert_eq!(paged, expected);
            // Rows that this transaction writes take their place.
            open.set("marks", &json!({"id": "k0", "n": "aa"})).expect("buffered");
            open.set("marks", &json!({"id": "new", "n": 2})).expect("buffered");
            open.delete("marks", "k1").expect("buffered");
            let before = ids(open.find("marks", &find));
            open.commit(b"").expect("commits");
            assert_eq!(ids(caller.open().find("marks", &find)), before);
            caller.call(|open| {
                open.delete("marks", "new")?;
                rows.iter().try_for_each(|row| open.push("marks", row).map(drop))
            }).expect("as before");
        }
        let mut open = caller.open();
        assert!(matches!(open.find("marks", &json!({"order": "n", "after": "nowhere"})), Err(TransactionError::BadValue(_))));
        open.set("marks", &json!({"id": "k0", "n": 1})).expect("buffered");
        assert!(matches!(open.find("marks", &json!({"order": "n", "after": "k1"})), Err(TransactionError::BadValue(_))));
    }

    fn comparisons_are_validated_against_phantoms(database: &Database) {
        provision(database);
        type Writing = fn(&mut Open<'_>) -> Result<Value, TransactionError>;
        let writings: [(&str, bool, Writing); 5] = [
            ("a row comes", true, |open| open.set("marks", &json!({"id": "new", "n": 7}))),
            ("a row goes", true, |open| open.delete("marks", "b")),
            ("a row leaves", true, |open| open.update("marks", "b", &json!({"n": 100}))),
            ("a row enters", true, |open| open.update("marks", "a", &json!({"n": 5}))),
            ("another row changes", false, |open| open.update("marks", "a", &json!({"n": 2}))),
        ];
        for (what, conflicts, writing) in writings {
            store(database, &[json!({"id": "a", "n": 1}), json!({"id": "b", "n": 6})]);
            Caller::new(database, "o").call(|open| open.delete("marks", "new")).expect("clean");
            let (mut one, mut two) = (Caller::new(database, "one"), Caller::new(database, "two"));
            let mut reader = one.open();
            assert_eq!(ids(reader.find("marks", &json!({"where": {"n": {"gte": 5, "lt": 10}}, "limit": 1}))), ["b"]);
            two.call(writing).expect("writes");
            reader.set("entries", &json!({"id": "booking"})).expect("buffered");
            assert_eq!(reader.commit(b"") == Err(TransactionError::Conflict), conflicts, "{what}");
        }
    }

    fn ends_of_the_list_are_taken(database: &Database) {
        provision(database);
        store(database, &["a", "b", "c", "d"].map(|id| json!({"id": id})));
        let mut caller = Caller::new(database, "o");
        let mut open = caller.open();
        assert_eq!(open.shift("marks"), Ok(json!({"id": "a"})));
        assert_eq!(open.pop("marks"), Ok(json!({"id": "d"})));
        open.push("marks", &json!({"id": "e"})).expect("buffered");
        assert_eq!(open.pop("marks"), Ok(json!({"id": "e"})));
        assert_eq!(open.shift("marks"), Ok(json!({"id": "b"})));
        assert_eq!(ids(open.list("marks", None, None)), ["c"]);
        assert_eq!(open.commit(b""), Ok(Some(CommitOutcome::Committed)));
        assert_eq!(ids(caller.open().list("marks", None, None)), ["c"]);
        let mut open = caller.open();
        assert_eq!(open.pop("marks"), Ok(json!({"id": "c"})));
        assert_eq!(open.pop("marks"), Ok(Value::Null));
        assert_eq!(open.shift("marks"), Ok(Value::Null));
    }

    fn one_row_is_taken_once(database: &Database) {
        provision(database);
        type Taking = fn(&mut Open<'_>) -> Result<Value, TransactionError>;
        let takings: [Taking; 2] = [|open| open.pop("marks"), |open| open.shift("marks")];
        for taking in takings {
            store(database, &["a", "b", "c"].map(|id| json!({"id": id})));
            let (mut one, mut two) = (Caller::new(database, "one"), Caller::new(database, "two"));
            let (mut first, mut second) = (one.open(), two.open());
            assert_eq!(taking(&mut first), taking(&mut second));
            first.commit(b"").expect("the first commits");
            assert_eq!(second.commit(b""), Err(TransactionError::Conflict));
        }
        // What comes at the other end is in nobody's way.
        let (mut one, mut two) = (Caller::new(database, "one"), Caller::new(database, "two"));
        let mut first = one.open();
        first.shift("marks").expect("takes");
        two.call(|open| open.push("marks", &json!({"id": "z"}))).expect("appends");
        assert_eq!(first.commit(b""), Ok(Some(CommitOutcome::Committed)));
    }

    fn earlier_states_are_read_as_long_as_they_are_kept(database: &Database) {
        provision(database);
        let mut deploy = database.connect("kt_deploy");
        deploy.batch_execute("SELECT kt.keep_history('1 hour')").expect("keeps");
        store(database, &[json!({"id": "a", "n": 1})]);
        let mut caller = Caller::new(database, "o");
        let mut open = caller.open();
        open.get("marks", "a").expect("begins");
        let then = open.snapshot().expect("it has begun");
        for n in 2..4 {
            caller.call(|open| open.set("marks", &json!({"id": "a", "n": n}))).expect("writes");
        }
        caller.call(|open| open.delete("marks", "a")).expect("deletes");
        collect(&mut deploy);

        let history = caller.open().history("marks", "a").expect("reads");
        let seen: Vec<_> = history.as_array().expect("an array").iter().map(|v| (v["row"]["n"].clone(), v["ended"].clone())).collect();
        assert_eq!(seen, [(json!(3), json!(true)), (json!(2), json!(true)), (json!(1), json!(true))]);
        assert!(history[0]["at"].as_f64() >= history[1]["at"].as_f64() && history[0]["until"].is_number());

        let mut past = caller.open_at(&then);
        assert_eq!(past.get("marks", "a"), Ok(json!({"id": "a", "n": 1})));
        assert_eq!(ids(past.find("marks", &json!({"where": {"n": {"lt": 9}}}))), ["a"]);
        assert!(matches!(past.set("marks", &json!({"id": "a"})), Err(TransactionError::PermissionDenied { .. })));
        let to_come = format!("99999999999:99999999999:/{}", then.split('/').next_back().unwrap_or_default());
        for forged in ["", "1", "99999999999:99999999999:", "1:1:'; DROP TABLE kt.storage", &to_come] {
            assert!(caller.open_at(forged).get("marks", "a").is_err(), "{forged}");
        }

        deploy.batch_execute("SELECT kt.keep_history('0')").expect("keeps no more");
        // Open sessions keep what they read, and transactions of other databases keep the horizon back, too.
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            database.connect("postgres").batch_execute("DELETE FROM kt.trxs").expect("ends them");
            collect(&mut deploy);
            match caller.open_at(&then).get("marks", "a") {
                Err(error) => break assert_eq!(error, TransactionError::NotKept),
                Ok(_) => assert!(Instant::now() < deadline, "the past stays"),
            }
        }
    }

    /// A row that is written once a second for 68 years, and tables of the time when versions had 32 bits.
    fn versions_have_no_end(database: &Database) {
        provision(database);
        let mut admin = database.connect("postgres");
        let narrow = "
            SELECT kt.provision('parts', 'tbl_parts', p_scope => 'tenant');
            ALTER TABLE kt_data.tbl_marks ALTER COLUMN _version TYPE int;
            DROP FUNCTION kt.history_tbl_marks, kt.history_tbl_parts;
            SET ROLE kt_owner;
            CREATE FUNCTION kt.history_tbl_marks(p_sid uuid, p_id text, p_limit int, p_who text DEFAULT NULL)
              RETURNS TABLE (_version int, data jsonb, _at timestamptz, _until timestamptz, _ended bool) LANGUAGE sql AS 'SELECT NULL::int, NULL::jsonb, now(), now(), true';
            CREATE FUNCTION kt.history_tbl_parts(p_sid uuid, p_id text, p_limit int, p_who text DEFAULT NULL)
              RETURNS TABLE (_version int, data jsonb, _at timestamptz, _until timestamptz, _ended bool) LANGUAGE sql AS 'SELECT NULL::int, NULL::jsonb, now(), now(), true';
            RESET ROLE";
        admin.batch_execute(narrow).expect("as it was");
        store(database, &[json!({"id": "a"})]);
        admin.batch_execute("UPDATE kt_data.tbl_marks SET _version = 2147483647").expect("writes");
        run::install(&mut admin).expect("renews");
        store(database, &[json!({"id": "a", "n": 1})]);
        let history = Caller::new(database, "o").open().history("marks", "a").expect("reads");
        assert_eq!(history[0]["version"], json!(2_147_483_648_i64));
        let narrow: i64 = admin
            .query_one("SELECT count(*) FROM pg_proc WHERE pg_get_function_result(oid) LIKE '%_version integer%'", &[])
            .expect("the catalogue")
            .get(0);
        assert_eq!(narrow, 0);
    }

    fn an_iteration_has_the_order_of_its_beginning(database: &Database) {
        provision(database);
        store(database, &["a", "b", "c", "d", "e"].map(|id| json!({"id": id, "n": 0})));
        let mut caller = Caller::new(database, "o");
        let mut open = caller.open();
        // Before it begins: moved, new, stored at its place without having been read.
        for id in ["b", "x"] {
            open.push("marks", &json!({"id": id, "n": 1})).expect("buffered");
        }
        open.set("marks", &json!({"id": "d", "n": 1})).expect("buffered");
        open.set("marks", &json!({"id": "y", "n": 1})).expect("buffered");
        let (mut cursor, mut seen) = (None::<String>, Vec::new());
        loop {
            let page = open.page("marks", cursor.as_deref(), 2).expect("reads");
            for row in page["rows"].as_array().expect("an array") {
                let id = row["id"].as_str().expect("a key").to_owned();
                // What comes next is moved, changed, deleted, or new.
                match id.as_str() {
                    "a" => drop(open.push("marks", &json!({"id": "c", "n": 2})).expect("buffered")),
                    "c" => drop(open.delete("marks", "e").expect("buffered")),
                    "d" => drop(open.update("marks", "b", &json!({"n": 3})).expect("known")),
                    _ => drop(open.set("marks", &json!({"id": format!("z{id}")})).expect("buffered")),
                }
                open.push("marks", &json!({"id": id, "n": 9})).expect("buffered");
                seen.push((id, row["n"].clone()));
            }
            match page["next"].as_str() {
                Some(next) => cursor = Some(next.to_owned()),
                None => break,
            }
        }
        let expected = [("a", 0), ("c", 2), ("d", 1), ("b", 3), ("x", 1), ("y", 1)].map(|(id, n)| (id.to_owned(), json!(n)));
        assert_eq!(seen, expected);
        // What was read is the whole table, and another's row in it a conflict.
        Caller::new(database, "two").call(|open| open.push("marks", &json!({"id": "new"}))).expect("writes");
        assert_eq!(open.commit(b""), Err(TransactionError::Conflict));
    }
}
