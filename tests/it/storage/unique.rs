//! Unique fields: a value belongs to one live row, whatever is written at once and in which order.

use std::sync::Arc;
use std::thread;

use kontract::migrate::run;
use kontract_mvcc::error::TransactionError;
use kontract_mvcc::sql;
use kontract_mvcc::table::Tables;
use kontract_mvcc::transaction::CommitOutcome;
use kontract_wire::call::IdempotencyKey;
use kontract_wire::error::ErrorCode;
use kontract_wire::perm::Perms;
use serde_json::{Value, json};

use crate::support::postgres::{Database, IDENTITY_KEY, Server, credential, on_each_server};
use crate::support::random::Random;
use crate::support::transactions::{Caller, Open, random_16, tables_named};

fn tables() -> Arc<Tables> {
    tables_named(&["users", "mine", "parts"].map(str::to_owned))
}

/// `users` of everybody, `mine` of each owner, `parts` of each tenant, each with the unique field `email`.
fn provision(database: &Database) {
    let unique = "p_unique => '{email}'";
    let sql = format!(
        "SELECT kt.provision('users', 'tbl_users', {unique}), kt.provision('mine', 'tbl_mine', p_scope => 'owner', {unique}), \
         kt.provision('parts', 'tbl_parts', p_scope => 'tenant', {unique})"
    );
    database.connect("kt_deploy").batch_execute(&sql).expect("provisions");
}

fn caller(database: &Database, owner: &str) -> Caller {
    Caller::with(database, credential(owner), Perms::ALL, tables())
}

/// A row with a text as its `email`, or with whatever else it is to have.
fn user(id: &str, email: impl Into<Value>) -> Value {
    json!({"id": id, "email": email.into()})
}

fn taken(table: &str) -> TransactionError {
    TransactionError::NotUnique { table: format!("tbl_{table}"), field: "email".into() }
}

type Body = fn(&mut Open<'_>) -> Result<Value, TransactionError>;

on_each_server! {
    fn a_value_belongs_to_one_row(database: &Database) {
        provision(database);
        let mut caller = caller(database, "o");
        caller.call(|open| { open.set("users", &user("a", "x"))?; open.set("users", &user("b", "y")) }).expect("two values");
        let refused: [Body; 9] = [
            |open| open.set("users", &user("c", "x")),
            |open| open.push("users", &user("c", "x")),
            |open| open.set("users", &user("b", "x")),
            |open| open.update("users", "b", &json!({"email": "x"})),
            |open| { open.set("users", &user("c", "z"))?; open.push("users", &user("d", "z")) },
            |open| { open.delete("users", "b")?; open.set("users", &user("c", "x")) },
            |open| open.exec("users", "UPDATE users SET data = data || '{\"email\": \"x\"}' WHERE id = 'b'", &[]),
            // As parts of one commit: rows of another kind of write, and of another table.
            |open| { open.get("users", "a")?; open.set("users", &user("c", "y")) },
            |open| { open.set("mine", &user("m", "x"))?; open.set("users", &user("c", "x")) },
        ];
        for (number, body) in refused.into_iter().enumerate() {
            let error = caller.call(body).expect_err("the value is taken");
            assert_eq!(error, taken("users"), "case {number}");
            assert!(!error.is_retryable());
            assert_eq!((error.code(), error.code().status()), (ErrorCode::NotUnique, 409));
            assert_eq!(error.to_string(), "another row has this email");
        }
        let allowed: [Body; 9] = [
            |open| open.set("users", &user("a", "x")),
            |open| open.update("users", "a", &json!({"email": "x", "n": 1})),
            |open| open.update("users", "a", &json!({"n": 2})),
            |open| { open.set("users", &user("a", "y"))?; open.set("users", &user("b", "x")) },
            |open| { open.update("users", "a", &json!({"email": "x"}))?; open.update("users", "b", &json!({"email": "y"})) },
            |open| { open.delete("users", "b")?; open.set("users", &user("c", "y")) },
            |open| { open.delete("users", "c")?; open.set("users", &user("c", "y")) },
            |open| open.update("users", "c", &json!({"email": "new"})),
            |open| open.set("users", &user("b", "y")),
        ];
        for (number, body) in allowed.into_iter().enumerate() {
            caller.call(body).unwrap_or_else(|error| panic!("case {number}: {error}"));
        }
        let rows = caller.call(|open| open.query("users", &json!({"email": "y"}))).expect("reads");
        assert_eq!(rows, json!([user("b", "y")]));
    }

    fn values_are_equal_as_json_is_and_nothing_is_no_value(database: &Database) {
        provision(database);
        let mut caller = caller(database, "o");
        for row in [json!({"id": "a"}), json!({"id": "b"}), user("c", Value::Null), user("d", Value::Null)] {
            caller.call(|open| open.set("users", &row)).expect("no value");
        }
        let long = "long ".repeat(100_000);
        for (number, value) in [json!(1), json!("1"), json!(true), json!("true"), json!(""), json!(0), json!(long)].iter().enumerate() {
            caller.call(|open| open.set("users", &user(&format!("v{number}"), value.clone()))).expect("another value");
            let same = if value == &json!(1) { json!(1.0) } else { value.clone() };
            let refused = caller.call(|open| open.set("users", &user("other", same.clone())));
            assert_eq!(refused, Err(taken("users")), "{number}");
        }
    }

    fn owners_and_tenants_have_values_of_their_own(database: &Database) {
        provision(database);
        database.connect("kt_deploy").batch_execute("SELECT kt.set_tenant('ann', 'acme'), kt.set_tenant('bob', 'acme')").expect("tenants");
        for owner in ["ann", "bob", "eve"] {
            let mut caller = caller(database, owner);
            caller.call(|open| open.set("mine", &user("a", "x"))).expect("its own");
            assert_eq!(caller.call(|open| open.set("mine", &user("b", "x"))), Err(taken("mine")));
            let stored = caller.call(|open| open.set("parts", &user(owner, "x")));
            assert_eq!(stored.is_ok(), owner != "bob", "{owner}: {stored:?}");
        }
    }

    /// Without a session as with one, and with what it read: a conflict comes first, because what was read explains the refusal.
    fn a_conflict_is_told_before_a_value_that_is_taken(database: &Database) {
        provision(database);
        for alone in [true, false] {
            caller(database, "o").call(|open| { open.delete("users", "a")?; open.delete("mine", "b") }).expect("deletes");
            let mut one = caller(database, "o");
            let mut open = one.open();
            // tbl_mine comes before tbl_users, and is validated before it.
            if alone { open.goes_alone(); }
            assert_eq!(open.query("users", &json!({"email": "x"})), Ok(json!([])));
            open.set("mine", &user("b", "x")).expect("buffered");
            caller(database, "o").call(|open| { open.set("users", &user("a", "x"))?; open.set("mine", &user("c", "x")) }).expect("is first");
            assert_eq!(open.commit(b""), Err(TransactionError::Conflict), "alone: {alone}");
            caller(database, "o").call(|open| open.delete("mine", "c")).expect("deletes");
        }
    }

    fn a_repetition_gets_its_first_answer(database: &Database) {
        provision(database);
        let key = || Some(IdempotencyKey(*b"0123456789abcdef"));
        let mut caller = caller(database, "o");
        let mut open = caller.open_with(key());
        open.set("users", &user("a", "x")).expect("buffered");
        assert_eq!(open.commit(b"first"), Ok(Some(CommitOutcome::Committed)));
        let mut open = caller.open_with(key());
        open.push("users", &user("b", "x")).expect("buffered");
        assert_eq!(open.commit(b"second"), Ok(Some(CommitOutcome::AlreadyApplied(b"first".to_vec()))));
        // A refusal leaves nothing: the same key may come with another value.
        let other = || Some(IdempotencyKey(random_16()));
        let mut open = caller.open_with(other());
        open.set("users", &user("b", "x")).expect("buffered");
        assert_eq!(open.commit(b""), Err(taken("users")));
    }

    fn rows_that_are_there_have_to_be_unique_already(database: &Database) {
        let mut deploy = database.connect("kt_deploy");
        deploy.batch_execute(
            "SELECT kt.provision('users', 'tbl_users'), kt.provision('mine', 'tbl_mine', p_scope => 'owner'), \
             kt.provision('parts', 'tbl_parts', p_scope => 'tenant')").expect("provisions");
        for owner in ["ann", "bob"] {
            for table in ["users", "mine", "parts"] {
                let id = if table == "users" { owner } else { "a" };
                caller(database, owner).call(|open| open.set(table, &user(id, "x"))).expect("stores");
            }
        }
        let unique = |table: &str, scope: &str| {
            format!("SELECT kt.provision('{table}', 'tbl_{table}', p_scope => '{scope}', p_unique => '{{email}}')")
        };
        let refused = |user: &str, sql: &str| {
            let error = database.connect(user).batch_execute(sql).expect_err("rows have equal values");
            let error = error.as_db_error().expect("the server said no");
            assert_eq!(error.code().code(), "KT422");
            error.message().to_owned()
        };
        let users = unique("users", "shared");
        assert_eq!(
            refused("postgres", &users),
            "the field email of tbl_users cannot be unique: 1 of its values are those of several rows, such as those with the keys ann, bob"
        );
        // Whoever reads no rows learns no keys.
        assert!(refused("kt_deploy", &users).ends_with("several rows"));
        deploy.batch_execute(&format!("{}; {}", unique("mine", "owner"), unique("parts", "tenant"))).expect("each has one");
        caller(database, "ann").call(|open| open.set("users", &user("bob", "y"))).expect("not unique yet");
        deploy.batch_execute(&users).expect("they are");
        for table in ["users", "mine", "parts"] {
            let refused = caller(database, "ann").call(|open| open.set(table, &user("other", "x")));
            assert!(matches!(refused, Err(TransactionError::NotUnique { .. })), "{table}: {refused:?}");
        }
        deploy.batch_execute("SELECT kt.provision('users', 'tbl_users', p_readonly => '{}')").expect("keeps them");
        assert_eq!(caller(database, "ann").call(|open| open.set("users", &user("other", "x"))), Err(taken("users")));
        deploy.batch_execute("SELECT kt.provision('users', 'tbl_users', p_unique => '{}')").expect("takes them back");
        caller(database, "ann").call(|open| open.set("users", &user("other", "x"))).expect("not unique any more");
        let mut client = database.connect("kt_deploy");
        let error = client.batch_execute(&format!("BEGIN ISOLATION LEVEL REPEATABLE READ; {users}")).expect_err("an old snapshot");
        assert_eq!(error.code().expect("of the server").code(), "KT500");
    }

    /// Who began before the field was unique does not look at it.
    fn calls_under_way_end_when_a_field_becomes_unique(database: &Database) {
        let mut deploy = database.connect("kt_deploy");
        deploy.batch_execute(
            "SELECT kt.provision('users', 'tbl_users'), kt.provision('users', 'tbl_users', 'someone', 7)").expect("provisions");
        caller(database, "o").call(|open| open.set("users", &user("a", "x"))).expect("stores");
        let (mut one, mut two) = (caller(database, "o"), caller(database, "o"));
        let (mut session, mut alone) = (one.open(), two.open());
        session.get("users", "none").expect("reads");
        alone.look("users", "none").expect("reads");
        // By way of the rights of somebody else, whose change ends no session but his.
        let mut migration = database.connect("kt_deploy");
        migration.batch_execute("BEGIN; SELECT kt.provision('users', 'tbl_users', 'someone', 7, p_unique => '{email}')").expect("provisions");
        session.set("users", &user("b", "x")).expect("buffered");
        alone.set("users", &user("c", "x")).expect("buffered");
        thread::scope(|scope| {
            let session = scope.spawn(|| session.commit(b""));
            let alone = scope.spawn(|| alone.commit(b""));
            let deadline = std::time::Instant::now() + std::time::Duration::from_secs(60);
            let mut admin = database.connect("postgres");
            let sql = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
            while admin.query_one(sql, &[]).expect("reads").get::<_, i64>(0) < 2 {
                assert!(std::time::Instant::now() < deadline, "the commits do not wait for the migration");
                thread::yield_now();
            }
            migration.batch_execute("COMMIT").expect("commits");
            assert_eq!(session.join().expect("no panic"), Err(TransactionError::SessionEnded));
            assert_eq!(alone.join().expect("no panic"), Err(TransactionError::Conflict));
        });
        let rows: i64 = database.connect("postgres").query_one("SELECT count(*) FROM kt_data.tbl_users", &[]).expect("reads").get(0);
        assert_eq!(rows, 1);
    }

    fn many_that_want_the_same_values_get_one_each(database: &Database) {
        provision(database);
        let outcome = contend(database, 150, 1);
        assert!(outcome.refused > 150, "they hardly met: {outcome:?}");
        assert!(!outcome.doubled, "{outcome:?}");
    }
}

/// What came of many calls.
#[derive(Debug, Default)]
struct Outcome {
    /// How often a value was taken.
    refused: usize,
    /// Whether two rows had one value, at the end or in what one of them read.
    doubled: bool,
}

/// Writes of 8 callers who want the same few values.
fn contend(database: &Database, calls: usize, seed: u64) -> Outcome {
    let callers = 0..8;
    let outcomes: Vec<Outcome> = thread::scope(|scope| {
        let callers: Vec<_> = callers
            .map(|client| scope.spawn(move || want(database, calls, &mut Random::new(seed * 100 + client))))
            .collect();
        callers.into_iter().map(|caller| caller.join().expect("no panic")).collect()
    });
    let sql = "SELECT EXISTS (SELECT FROM kt_data.tbl_users t WHERE t._deleted_txid IS NULL GROUP BY t.data -> 'email' HAVING count(*) > 1)";
    let doubled: bool = database.connect("postgres").query_one(sql, &[]).expect("reads").get(0);
    Outcome {
        refused: outcomes.iter().map(|outcome| outcome.refused).sum(),
        doubled: doubled || outcomes.iter().any(|outcome| outcome.doubled),
    }
}

/// One of them.
fn want(database: &Database, calls: usize, random: &mut Random) -> Outcome {
    let mut caller = caller(database, "o");
    let mut outcome = Outcome::default();
    for _ in 0..calls {
        let [one, two] = [random.below(12), random.below(12)].map(|id| format!("r{id}"));
        let [first, second] = [random.below(8), random.below(8)].map(|value| format!("v{value}"));
        let how = random.below(7);
        let done = caller.call(|open| match how {
            0 => open.set("users", &user(&one, &*first)),
            1 => open.push("users", &user(&one, &*first)),
            2 => open.delete("users", &one),
            3 => {
                open.get("users", &one)?;
                open.set("users", &user(&one, &*first))
            }
            4 => {
                open.delete("users", &one)?;
                open.set("users", &user(&two, &*first))
            }
            5 => {
                open.set("users", &user(&one, &*first))?;
                open.set("users", &user(&two, &*second))
            }
            _ => open.query("users", &json!({"email": first})),
        });
        match done {
            Ok(found) => outcome.doubled |= found.as_array().is_some_and(|rows| rows.len() > 1),
            Err(TransactionError::NotUnique { .. }) => outcome.refused += 1,
            Err(error) => panic!("{error}"),
        }
    }
    outcome
}

/// The same without the locks of values, and without the look at who has them.
#[test]
fn either_guard_is_missed() {
    let guards = [
        ("v_exclusive := v_exclusive || v_values;", "NULL;"),
        ("IF n > 1 THEN RETURN jsonb_build_object('t', '@P@', 'key', k, 'field', f); END IF;", "NULL;"),
    ];
    // Between the look at the values and the end of the commit is little time: hold it open.
    let end = "  RETURN pg_current_xact_id()::text;";
    let held = format!("  PERFORM pg_sleep(random() * 0.01);\n{end}");
    for (guard, nothing) in guards {
        let script = sql::install();
        assert!(script.contains(guard) && script.contains(end), "{guard}");
        let database = Database::bare(Server::Embedded18);
        let mut admin = database.connect("postgres");
        run::install(&mut admin).expect("storage installs");
        admin
            .batch_execute(&script.replace(guard, nothing).replace(end, &held))
            .expect("the mutant installs");
        run::set_identity_key(&mut admin, &IDENTITY_KEY).expect("a key of 32 bytes");
        provision(&database);
        assert!((1..10).any(|seed| contend(&database, 40, seed).doubled), "nobody noticed: {guard}");
    }
}
