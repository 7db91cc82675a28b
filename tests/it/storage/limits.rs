//! What one call may take of what all calls share.

use kontract_mvcc::transaction::CommitOutcome;
use kontract_wire::perm::Perms;
use serde_json::{Value, json};

use crate::support::postgres::{credential, on_each_server};
use crate::support::transactions::{Caller, run, tables_named};

/// Tables of a commit, and keys in each: below the number at which a table is locked as a whole.
const TABLES: usize = 8;
const KEYS: usize = 60;

on_each_server! {
    /// PostgreSQL has room for about 6,400 locks, of all connections together.
    fn a_commit_over_many_tables_takes_few_locks(database: &Database) {
        let names: Vec<String> = (0..TABLES).map(|n| format!("t{n}")).collect();
        for name in &names {
            let sql = format!("SELECT kt.provision('{name}', 'tbl_{name}')");
            database.connect("kt_deploy").batch_execute(&sql).expect("provisions");
        }
        let mut caller = Caller::with(database, credential("o"), Perms::ALL, tables_named(&names));
        let mut open = caller.open();
        for name in &names {
            for key in 0..KEYS {
                open.set(name, &json!({"id": format!("k{key}")})).expect("buffered");
            }
        }
        let commit = open.commit_statements();
        let mut gateway = database.connect("kt_gateway");
        gateway.batch_execute("BEGIN").expect("begins");
        for statement in &commit {
            run(&mut gateway, statement).expect("commits");
        }
        let sql = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()";
        let locks: i64 = gateway.query_one(sql, &[]).expect("reads").get(0);
        gateway.batch_execute("COMMIT").expect("commits");
        assert!(locks <= 300, "{locks}");
        let mut open = caller.open();
        let rows = names.iter().map(|name| open.count(name, &json!({})).expect("counts"));
        assert!(rows.into_iter().all(|rows: Value| rows == json!(KEYS)));
        assert_eq!(open.set("t0", &json!({"id": "k"})).and_then(|_| open.commit(b"")), Ok(Some(CommitOutcome::Committed)));
    }
}
