//! Many rows in one commit: they are stored as one by one, and looked up by their keys.

use serde_json::{Value, json};

use crate::support::postgres::on_each_server;
use crate::support::transactions::{Caller, provision};

on_each_server! {
    fn rows_of_one_commit_have_places_and_versions_as_one_by_one(database: &Database) {
        provision(database);
        let mut caller = Caller::new(database, "o");
        caller.call(|open| ["a", "b", "c"].iter().try_for_each(|id| open.push("marks", &json!({"id": id, "n": 0})).map(drop))).expect("stores");
        let mut open = caller.open();
        for id in ["x", "b", "y", "a"] {
            open.set("marks", &json!({"id": id})).expect("buffered");
        }
        for id in ["v", "c", "u"] {
            open.push("marks", &json!({"id": id})).expect("buffered");
        }
        open.commit(b"").expect("commits");
        let mut open = caller.open();
        for id in ["c", "a", "v"] {
            open.update("marks", id, &json!({"n": 1})).expect("buffered");
        }
        for id in ["x", "u"] {
            open.delete("marks", id).expect("buffered");
        }
        open.commit(b"").expect("commits");
        let rows = caller.open().list("marks", None, None).expect("reads");
        assert_eq!(
            rows,
            json!([{"id": "a", "n": 1}, {"id": "b"}, {"id": "y"}, {"id": "v", "n": 1}, {"id": "c", "n": 1}])
        );
        let sql = "SELECT string_agg(id || _version, ' ' ORDER BY id) FROM kt_data.tbl_marks WHERE _deleted_txid IS NULL";
        let versions: String = database.connect("postgres").query_one(sql, &[]).expect("reads").get(0);
        assert_eq!(versions, "a3 b2 c3 v2 y1");
    }

    fn what_is_no_row_is_refused_among_others(database: &Database) {
        provision(database);
        let mut admin = database.connect("postgres");
        let mut refused = |list: Value| {
            let sql = format!("SELECT kt_priv.commit_tbl_marks(NULL, 'o', '{}')", json!({"upd": [], "put": list}));
            admin.batch_execute(&sql).err().and_then(|error| Some(error.code()?.code().to_owned()))
        };
        for list in [json!([["a", {}], ["b", 1]]), json!([["a", {}], ["b", [{}]]]), json!([["a", {}], ["b"]]), json!(["a", {}])] {
            assert_eq!(refused(list.clone()).as_deref(), Some("KT400"), "{list}");
        }
        assert_eq!(refused(json!([["a", {}], ["a", {}]])).as_deref(), Some("23505"), "one key twice");
        assert_eq!(refused(json!([["a", {}], ["b", {}]])), None);
    }

    /// A connection keeps its plans, which were made when the table was empty.
    fn a_commit_looks_rows_up_by_key_however_the_table_grows(database: &Database) {
        provision(database);
        let mut admin = database.connect("postgres");
        admin.batch_execute("SET plan_cache_mode = force_generic_plan; ALTER TABLE kt_data.tbl_marks SET (autovacuum_enabled = false)").expect("as the gateway");
        let commit = r#"SELECT kt_priv.commit_tbl_marks(NULL, 'o', '{"put": [["k1", {}], ["k2", {}], ["new", {}]], "del": ["k3", "k4"]}')"#;
        for rows in [0, 20_000] {
            let fill = format!("INSERT INTO kt_data.tbl_marks (id, data, _owner, _order) SELECT 'k' || i, '{{}}', 'o', i FROM generate_series(1, {rows}) i");
            admin.batch_execute(&fill).expect("rows");
            let mut transaction = admin.transaction().expect("begins");
            transaction.batch_execute(commit).expect("commits");
            let read = "SELECT idx_tup_fetch + seq_tup_read FROM pg_stat_xact_user_tables WHERE relname = 'tbl_marks'";
            let read: i64 = transaction.query_one(read, &[]).expect("statistics").get(0);
            assert!(read < 20, "{read} of {rows} rows were read for five keys");
            transaction.rollback().expect("rolls back");
        }
    }
}
