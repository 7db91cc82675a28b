//! The short way of a commit of one row, `kt.store_<ptr>`: it does what `kt.commit` does, and refuses what that refuses.

use postgres::Client;
use postgres::error::SqlState;
use serde_json::{Value, json};

use super::alone::who;
use crate::support::postgres::{Database, now_s, on_each_server};
use crate::support::transactions::random_16;

/// One row in one of the two ways.
#[derive(Debug, Clone)]
struct Commit<'a> {
    table: &'a str,
    who: String,
    from: Option<String>,
    kind: &'a str,
    key: &'a str,
    row: Value,
    is_read: bool,
    sid: [u8; 16],
    idempotency: Option<[u8; 16]>,
}

impl<'a> Commit<'a> {
    fn blind(table: &'a str, owner: &str, kind: &'a str, key: &'a str, row: Value) -> Self {
        let (who, sid) = (who(owner, now_s() + 60), random_16());
        Self { table, who, from: None, kind, key, row, is_read: false, sid, idempotency: None }
    }

    /// The same after a read of the row.
    fn after_read(self, gateway: &mut Client) -> Self {
        let sql = format!("SELECT kt.look_tbl_{}('{}', '{}')", self.table, self.key, self.who);
        let looked: String = gateway.query_one(&sql, &[]).expect("reads").get(0);
        let from = looked.split_once("/\n").map(|(from, _)| from.to_owned());
        Self { from, is_read: true, ..self }
    }

    fn sid(&self) -> String {
        let hex: String = self.sid.iter().map(|byte| format!("{byte:02x}")).collect();
        format!("'{hex}'")
    }

    fn ledger(&self) -> String {
        self.idempotency.map_or("NULL, NULL".to_owned(), |key| {
            let hex: String = key.iter().map(|byte| format!("{byte:02x}")).collect();
            format!("'\\x{hex}', '\\x5a'")
        })
    }

    fn from(&self) -> String {
        self.from.as_ref().map_or("NULL".to_owned(), |from| format!("'{}'", from.replace('\'', "''")))
    }

    fn short(&self) -> String {
        let Self { table, who, kind, key, row, is_read, .. } = self;
        let (sid, from, ledger) = (self.sid(), self.from(), self.ledger());
        format!(
            "SELECT kt.store_tbl_{table}({sid}, '{who}', {from}, '{table}', '{kind}', '{key}', '{row}', {is_read}, {ledger})"
        )
    }

    fn long(&self) -> String {
        let Self { table, who, kind, key, row, is_read, .. } = self;
        let mut part = json!({ "t": table, *kind: [[key, row]] });
        if *is_read {
            part["r"] = json!([key]);
        }
        let (sid, from, ledger) = (self.sid(), self.from(), self.ledger());
        format!("SELECT kt.commit({sid}, '[{part}]', {ledger}, '{who}', {from})")
    }
}

/// `Ok`, or the SQLSTATE and detail of the refusal.
fn run(gateway: &mut Client, sql: &str) -> Result<(), (String, Option<String>)> {
    gateway.query_one(sql, &[]).map(drop).map_err(|error| {
        let error = error.as_db_error().unwrap_or_else(|| panic!("{sql}: {error}"));
        (error.code().code().to_owned(), error.detail().map(str::to_owned))
    })
}

fn provision(database: &Database, table: &str, with: &str) {
    let sql = format!("SELECT kt.provision('{table}', 'tbl_{table}'{with})");
    database.connect("kt_deploy").batch_execute(&sql).expect("provisions");
}

/// All versions of a table and its parts, without the ids of transactions and with ranks for places.
fn versions(database: &Database, table: &str) -> Vec<String> {
    let mut admin = database.connect("postgres");
    let parts =
        format!("SELECT ptr FROM kt_priv.tables WHERE coalesce(template, ptr) = 'tbl_{table}' ORDER BY ptr");
    let parts: Vec<String> = admin.query(&parts, &[]).expect("reads").iter().map(|row| row.get(0)).collect();
    let mut all = Vec::new();
    for ptr in parts {
        let sql = format!(
            "SELECT concat_ws(' ', id, data, _version, _owner, _deleted_txid IS NULL, dense_rank() OVER (ORDER BY _order))
               FROM kt_data.{ptr} ORDER BY _txid, id"
        );
        all.extend(admin.query(&sql, &[]).expect("reads").iter().map(|row| row.get::<_, String>(0)));
        all.push(ptr.replace(table, ""));
    }
    all
}

/// The locks that a call waits for, of those that others may hold.
fn waits_for(database: &Database, commit: &Commit<'_>, sql: &str) -> Vec<&'static str> {
    let locks = [
        ("table", "pg_advisory_xact_lock(19285, hashtext('tbl_a'))"),
        ("table, shared", "pg_advisory_xact_lock_shared(19285, hashtext('tbl_a'))"),
        ("key", "pg_advisory_xact_lock_shared(hashtextextended('k', hashtext('tbl_a')))"),
        ("tail", "pg_advisory_xact_lock_shared(hashtextextended(E'\\x01tail', hashtext('tbl_a')))"),
        ("rights", "pg_advisory_xact_lock(19284, 4)"),
        ("rights, shared", "pg_advisory_xact_lock_shared(19284, 4)"),
    ];
    let mut gateway = database.connect("kt_gateway");
    // It knows its cluster from now on.
    let look = format!("SET lock_timeout = '50ms'; SELECT kt.look_tbl_a('k', '{}')", commit.who);
    gateway.batch_execute(&look).expect("reads");
    let is_kept_by = |(_, lock): &(&str, &str)| {
        let mut holder = database.connect("postgres");
        let mut holder = holder.transaction().expect("begins");
        holder.batch_execute(&format!("SELECT {lock}")).expect("locks");
        let mut call = gateway.transaction().expect("begins");
        let outcome = call.query_one(sql, &[]).map(drop);
        match outcome.as_ref().map_err(postgres::Error::code) {
            Ok(()) => false,
            Err(Some(code)) if *code == SqlState::LOCK_NOT_AVAILABLE => true,
            Err(_) => panic!("{sql}: {outcome:?}"),
        }
    };
    locks.into_iter().filter(is_kept_by).map(|(name, _)| name).collect()
}

on_each_server! {
    fn it_stores_what_a_commit_stores(database: &Database) {
        for (scope, more) in [("shared", ""), ("owner", ""), ("tenant", ""), ("shared", ", p_hidden => '{pin}'"), ("owner", ", p_hidden => '{pin}'")] {
            let hides = more.len();
            let [a, b] = ["a", "b"].map(|name| format!("{name}{scope}{hides}"));
            for table in [&a, &b] {
                provision(database, table, &format!(", p_scope => '{scope}'{more}"));
            }
            let mut gateway = database.connect("kt_gateway");
            let steps = ["put", "upd", "push"].into_iter().flat_map(|kind| ["k", "l"].into_iter().map(move |key| (kind, key)));
            for (turn, (kind, key)) in steps.clone().chain(steps.rev()).enumerate() {
                for owner in ["alice", "bob"] {
                    let mut row = json!({"id": key, "n": turn, kind: owner});
                    if turn % 2 == 0 {
                        row["pin"] = json!(turn);
                    }
                    for is_read in [false, true] {
                        for table in [&a, &b] {
                            let mut commit = Commit::blind(table, owner, kind, key, row.clone());
                            if is_read {
                                commit = commit.after_read(&mut gateway);
                            }
                            let sql = if *table == a { commit.short() } else { commit.long() };
                            assert_eq!(run(&mut gateway, &sql), Ok(()), "{commit:?}");
                        }
                    }
                }
            }
            let stored = versions(database, &a);
            assert!(stored.len() > 40, "{stored:?}");
            assert_eq!(stored, versions(database, &b), "{scope} {more}");
        }
        let logged = |name: &str| {
            let sql = format!(r#"SELECT changes::text, owner FROM kt_priv.log WHERE changes::text LIKE '{{"tbl\_{name}%' ORDER BY txid"#);
            let rows = database.connect("postgres").query(&sql, &[]).expect("reads");
            let line = |row: &postgres::Row| (row.get::<_, String>(0).replacen(&format!("tbl_{name}"), "", 1), row.get::<_, String>(1));
            rows.iter().map(line).collect::<Vec<_>>()
        };
        assert!(logged("a").len() > 200);
        assert!(logged("a") == logged("b"), "the log says the same of both");
    }

    fn it_refuses_what_a_commit_refuses(database: &Database) {
        provision(database, "a", "");
        provision(database, "fixed", ", p_readonly => '{made}'");
        provision(database, "once", ", p_unique => '{code}'");
        let mut gateway = database.connect("kt_gateway");
        let mut deploy = database.connect("kt_deploy");
        let blind = |table, kind, row| Commit::blind(table, "o", kind, "k", row);
        for table in ["a", "fixed"] {
            run(&mut gateway, &blind(table, "put", json!({"made": 1})).long()).expect("stores");
        }
        run(&mut gateway, &Commit::blind("once", "o", "put", "other", json!({"code": 1})).long()).expect("stores");
        let read = blind("a", "upd", json!({"n": 1})).after_read(&mut gateway);
        let with_from = |from: Option<&str>| Commit { from: from.map(str::to_owned), ..read.clone() };
        let first = Commit { idempotency: Some([7; 16]), ..blind("a", "put", json!({})) };
        run(&mut gateway, &first.long()).expect("stores");
        let behind = Commit { sid: random_16(), ..read.clone() };
        let mut refused = vec![
            (first.clone(), "KT208"),
            (Commit { idempotency: None, ..first.clone() }, "KT401"),
            (Commit { idempotency: first.idempotency, ..blind("a", "put", json!({})) }, "KT208"),
            (behind.clone(), "KT409"),
            (Commit { row: json!([1]), ..behind.clone() }, "KT409"),
            (blind("a", "put", json!([1])), "KT400"),
            (blind("a", "upd", json!("text")), "KT400"),
            (blind("a", "push", Value::Null), "KT400"),
            (with_from(None), "KT400"),
            (with_from(Some("")), "KT400"),
            (with_from(Some("x/y")), "KT400"),
            (with_from(Some("1:1:")), "KT400"),
            (with_from(Some("1:1:/'")), "KT400"),
            (with_from(Some("1:1:/ab")), "KT409"),
            (blind("fixed", "put", json!({"made": 2})), "KT403"),
            (blind("once", "put", json!({"code": 1})), "KT422"),
        ];
        for (who, code) in [(who("*", now_s() + 60), "KT401"), (who("o", now_s() - 1), "KT401"), (String::new(), "KT401"), ("0".repeat(80), "KT401")] {
            refused.push((Commit { who, ..blind("a", "put", json!({})) }, code));
        }
        // A connection that is new, and one that knows its cluster.
        for gateway in [&mut database.connect("kt_gateway"), &mut gateway] {
            for (commit, code) in &refused {
                let long = run(gateway, &commit.long()).expect_err("refused");
                assert_eq!((run(gateway, &commit.short()), long.0.as_str()), (Err(long.clone()), *code), "{commit:?}");
            }
        }
        for (bits, commit, code) in [
            (4, blind("a", "put", json!({})), "KT403"),
            (5, blind("a", "push", json!({})), "KT403"),
            (2, blind("a", "upd", json!({})), ""),
            (2, blind("a", "upd", json!({})).after_read(&mut gateway), "KT403"),
        ] {
            // Everybody's, which stand beside the key; and one owner's own.
            for owner in ["*", "o"] {
                let rights = format!("SELECT kt.provision('a', 'tbl_a', '{owner}', {bits})");
                deploy.batch_execute(&rights).expect("rights");
                let outcome = run(&mut gateway, &Commit { sid: random_16(), ..commit.clone() }.short());
                assert_eq!(outcome.err().map(|(code, _)| code).unwrap_or_default(), code, "{owner} {bits} {commit:?}");
                deploy.batch_execute("SELECT kt.provision('a', 'tbl_a'), kt.withdraw('a', 'o')").expect("rights");
            }
        }
        let mut serializable = gateway.build_transaction().isolation_level(postgres::IsolationLevel::Serializable).start().expect("begins");
        let error = serializable.batch_execute(&blind("a", "put", json!({})).short()).expect_err("another isolation");
        assert_eq!(error.code().map(SqlState::code), Some("KT500"));
    }

    fn it_waits_for_whom_a_commit_waits(database: &Database) {
        provision(database, "a", "");
        let mut gateway = database.connect("kt_gateway");
        for (kind, expected) in [
            ("put", vec!["table", "key", "rights"]),
            ("upd", vec!["table", "key", "rights"]),
            ("push", vec!["table", "key", "tail", "rights"]),
        ] {
            let commit = Commit::blind("a", "o", kind, "k", json!({"id": "k"}));
            for sql in [commit.short(), commit.long()] {
                assert_eq!(waits_for(database, &commit, &sql), expected, "{sql}");
            }
            run(&mut gateway, &Commit { sid: random_16(), ..commit.clone() }.short()).expect("stores");
            let commit = commit.after_read(&mut gateway);
            assert_eq!(waits_for(database, &commit, &commit.short()), expected, "{kind}, read");
        }
    }

    /// A connection keeps its plans, which were made when the table was empty.
    fn it_looks_the_row_up_by_key_however_the_table_grows(database: &Database) {
        provision(database, "a", "");
        let mut admin = database.connect("postgres");
        let settings = "SET plan_cache_mode = force_generic_plan; ALTER TABLE kt_data.tbl_a SET (autovacuum_enabled = false)";
        admin.batch_execute(settings).expect("as the gateway");
        let commit = Commit::blind("a", "o", "put", "k1", json!({}));
        // What rolls back forgets the cluster, too: without it the commit would go on in kt.commit.
        admin.batch_execute(&format!("SELECT kt.look_tbl_a('k1', '{}')", commit.who)).expect("reads");
        for rows in [0, 20_000] {
            let fill = format!("INSERT INTO kt_data.tbl_a (id, data, _owner, _order) SELECT 'k' || i, '{{}}', 'o', i FROM generate_series(1, {rows}) i");
            admin.batch_execute(&fill).expect("rows");
            let mut transaction = admin.transaction().expect("begins");
            transaction.batch_execute(&Commit { sid: random_16(), ..commit.clone() }.short()).expect("stores");
            let read = "SELECT idx_tup_fetch + seq_tup_read FROM pg_stat_xact_user_tables WHERE relname = 'tbl_a'";
            let read: i64 = transaction.query_one(read, &[]).expect("statistics").get(0);
            assert!(read < 5, "{read} of {rows} rows were read for one key");
            transaction.rollback().expect("rolls back");
        }
    }
}
