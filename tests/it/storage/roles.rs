//! Who may do what: the gateway's role, credentials, rights of owners, read-only fields. Each is tried against the database
//! itself, as a gateway would that was taken over.

use std::sync::Arc;

use kontract_mvcc::credential::Credential;
use kontract_mvcc::error::TransactionError;
use kontract_mvcc::sql;
use kontract_mvcc::statement::{Statement, StatementResult};
use kontract_mvcc::table::{Ptr, Tables};
use kontract_mvcc::transaction::CommitOutcome;
use kontract_wire::perm::Perms;
use postgres::Client;
use serde_json::{Value, json};

use crate::support::postgres::{Database, credential, credential_until, now_s, on_each_server};
use crate::support::transactions::{Caller, provision, random_16, run, tables};

/// SQLSTATE of a statement that must fail.
fn refused(client: &mut Client, sql: &str) -> String {
    let error = client.batch_execute(sql).expect_err(sql);
    error.code().expect("the server said no").code().to_owned()
}

fn statement(sql: &str, params: &[Option<&str>]) -> Statement {
    Statement { sql: sql.into(), params: params.iter().map(|param| param.map(str::to_owned)).collect() }
}

/// Begins a session by hand and commits a payload that the core would never make.
fn commit_by_hand(database: &Database, owner: &str, payload: &Value) -> Result<(), (String, Option<String>)> {
    commit_by_hand_at(database, owner, None, payload)
}

/// The same in a session that reads an earlier state, if one is named.
fn commit_by_hand_at(
    database: &Database,
    owner: &str,
    at: Option<&str>,
    payload: &Value,
) -> Result<(), (String, Option<String>)> {
    let mut client = database.connect("kt_gateway");
    let sid = uuid();
    begin_by_hand(&mut client, owner, &sid, at).expect("a valid credential");
    let commit = "SELECT kt.commit($1::text::uuid, $2::text::jsonb)";
    run(&mut client, &statement(commit, &[Some(&sid), Some(&payload.to_string())]))
        .map(drop)
        .map_err(|error| (error.sqlstate, error.detail))
}

/// Begins a session under an id of choice.
fn begin_by_hand(client: &mut Client, owner: &str, sid: &str, at: Option<&str>) -> StatementResult {
    let Credential { owner, expires_at_s, mac } = credential(owner);
    let mac: String = mac.iter().map(|byte| format!("{byte:02x}")).collect();
    let begin = "SELECT kt.start($1::text, $2::text::bigint, decode($3::text, 'hex'), $4::text::uuid, p_at => $5::text)::text";
    let params = [Some(owner.as_str()), Some(&expires_at_s.to_string()), Some(&mac), Some(sid), at];
    run(client, &statement(begin, &params))
}

fn uuid() -> String {
    random_16().iter().map(|byte| format!("{byte:02x}")).collect()
}

fn deploy(database: &Database, sql: &str) {
    database.connect("kt_deploy").batch_execute(sql).expect(sql);
}

on_each_server! {
    fn the_gateway_reaches_nothing_but_its_functions(database: &Database) {
        provision(database);
        Caller::new(database, "o").call(|open| open.set("marks", &json!({"id": "a"}))).expect("stores");
        let mut gateway = database.connect("kt_gateway");
        for sql in [
            "SELECT * FROM kt_data.tbl_marks",
            "INSERT INTO kt_data.tbl_marks (id, data, _owner, _order) VALUES ('x', '{}', 'o', 1)",
            "UPDATE kt_data.tbl_marks SET data = '{}'",
            "DELETE FROM kt_data.tbl_marks",
            "TRUNCATE kt_data.tbl_marks",
            "SELECT nextval('kt_data.tbl_marks_seq')",
            "SELECT inner_key, outer_key FROM kt_priv.meta",
            "SELECT * FROM kt_priv.log",
            "SELECT * FROM kt_priv.ledger",
            "SELECT * FROM kt_priv.migrations",
            "SELECT kt_priv.commit_tbl_marks('1:1:', 'o', '[]')",
            "SELECT kt_priv.open(gen_random_uuid(), 'tbl_marks', 4)",
            "INSERT INTO kt.storage VALUES ('marks', 'tbl_marks', 'o', 7)",
            "UPDATE kt.storage SET ptr = 'tbl_entries'",
            "DELETE FROM kt.storage",
            "INSERT INTO kt.trxs VALUES ('\\x00', 'o', '1', '1:1:', '{}', '{}', now() + '1h')",
            "UPDATE kt.trxs SET owner = 'o'",
            "DELETE FROM kt.trxs",
            "SELECT sid FROM kt.trxs",
            "SELECT * FROM kt.trxs",
            "SELECT kt.provision('evil', 'tbl_evil')",
            "SELECT kt.withdraw('marks')",
            "SELECT kt.set_identity_key(repeat('x', 32)::bytea)",
            "SELECT kt.gc_horizon()",
            "SELECT kt_priv.caller('x')",
            "SELECT * FROM kt_priv.life",
            "SELECT * FROM kt_priv.histories",
            "SELECT kt_priv.revive()",
            "SELECT kt.limit_visitors(1000000)",
            "UPDATE kt_priv.meta SET horizon = '0'",
            "SELECT kt.rebase()",
            "CREATE TEMP TABLE trxs (x int)",
            "CREATE TABLE public.x (x int)",
            "CREATE SCHEMA evil",
            "CREATE TABLE kt_deploy.x (x int)",
            "CREATE FUNCTION kt.evil() RETURNS int LANGUAGE sql AS 'SELECT 1'",
            "SET ROLE kt_owner",
            "SET ROLE kt_deploy",
            "SELECT * FROM pg_authid",
            "SELECT pg_read_file('PG_VERSION')",
            "SELECT lo_create(0)",
            "SELECT lo_from_bytea(0, 'x')",
            "SELECT lo_import('/etc/passwd')",
            "COPY kt.storage TO PROGRAM 'true'",
        ] {
            assert_eq!(refused(&mut gateway, sql), "42501", "{sql}");
        }
        // The two tables themselves are readable.
        gateway.batch_execute("SELECT * FROM kt.storage; SELECT owner, create_txid, snap, expires_at FROM kt.trxs").expect("reads");
    }

    fn the_deploy_role_reads_no_data(database: &Database) {
        provision(database);
        let mut deploy = database.connect("kt_deploy");
        for sql in [
            "SELECT * FROM kt_data.tbl_marks",
            "SELECT inner_key, outer_key FROM kt_priv.meta",
            "SELECT kt.start('o', 9999999999, '\\x00', gen_random_uuid())",
            "INSERT INTO kt.storage VALUES ('marks', 'tbl_marks', 'o', 7)",
            "DELETE FROM kt_priv.migrations",
            "SET ROLE kt_owner",
        ] {
            assert_eq!(refused(&mut deploy, sql), "42501", "{sql}");
        }
    }

    /// What it owns is in one schema, to which its names without a schema go; nobody else gets there, and nothing else comes from there.
    fn the_deploy_role_owns_one_schema(database: &Database) {
        provision(database);
        let mut deploy = database.connect("kt_deploy");
        deploy
            .batch_execute(
                "CREATE TABLE notes (text text); INSERT INTO kt_deploy.notes VALUES ('a');
                 CREATE FUNCTION kt_deploy.sha256(bytea) RETURNS bytea LANGUAGE sql AS 'SELECT NULL::bytea';
                 CREATE TABLE kt_deploy.meta (inner_key bytea)",
            )
            .expect("its own");
        for sql in [
            "CREATE SCHEMA more",
            "CREATE TABLE public.notes (text text)",
            "CREATE TABLE kt.notes (text text)",
            "CREATE TABLE kt_data.notes (text text)",
            "CREATE FUNCTION kt_priv.sha256(bytea) RETURNS bytea LANGUAGE sql AS 'SELECT NULL::bytea'",
            "CREATE TABLE keys (id text REFERENCES kt_data.tbl_marks)",
            "CREATE VIEW rows AS SELECT * FROM kt_data.tbl_marks; SELECT * FROM rows",
            "CREATE FUNCTION take() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'; CREATE TRIGGER take BEFORE INSERT ON kt.storage EXECUTE FUNCTION take()",
            "ALTER SCHEMA kt_deploy OWNER TO kt_owner",
        ] {
            assert_eq!(refused(&mut deploy, sql), "42501", "{sql}");
        }
        let mut gateway = database.connect("kt_gateway");
        for sql in ["SELECT * FROM kt_deploy.notes", "SELECT kt_deploy.sha256('')", "CREATE TABLE kt_deploy.x (x int)"] {
            assert_eq!(refused(&mut gateway, sql), "42501", "{sql}");
        }
        Caller::new(database, "o").call(|open| open.set("marks", &json!({"id": "a"}))).expect("stores");
        let mut caller = Caller::new(database, "o");
        let exec = caller.call(|open| open.exec("marks", "SELECT text AS id FROM kt_deploy.notes", &[]));
        assert!(exec.is_err(), "{exec:?}");
    }

    /// From the catalogue: ownership and memberships, and what PostgreSQL itself would allow, however it was given.
    fn each_role_owns_and_may_do_what_the_table_says(database: &Database) {
        provision(database);
        Caller::new(database, "o").call(|open| open.exec("marks", "SELECT id FROM marks", &[]).map(drop)).expect("makes a view");
        let mut admin = database.connect("postgres");
        let mut lines = |sql: &str| -> Vec<String> {
            admin.query(sql, &[]).expect("the catalogue").iter().map(|row| row.get(0)).collect()
        };
        assert_eq!(lines(MEMBERSHIPS), Vec::<String>::new());
        assert_eq!(
            lines(OWNED),
            [
                "kt_deploy pg_namespace kt_deploy", "kt_exec pg_default_acl", "kt_exec pg_namespace kt_guard", "kt_exec pg_proc in kt_guard", "kt_owner pg_class in kt",
                "kt_owner pg_class in kt_data", "kt_owner pg_class in kt_priv", "kt_owner pg_class in kt_view_marks", "kt_owner pg_default_acl",
                "kt_owner pg_namespace kt", "kt_owner pg_namespace kt_data", "kt_owner pg_namespace kt_priv",
                "kt_owner pg_namespace kt_view_marks", "kt_owner pg_proc in kt", "kt_owner pg_proc in kt_priv",
            ],
            "the migrator owns one schema, the gateway nothing"
        );
        let may = |role: &str, lines: Vec<String>| -> Vec<String> {
            lines.iter().filter_map(|line| line.strip_prefix(role)?.strip_prefix(": ").map(str::to_owned)).collect()
        };
        assert_eq!(
            may("kt_deploy", lines(ALLOWED)),
            [
                "CONNECT database", "EXECUTE kt.collect", "EXECUTE kt.gc_horizon", "EXECUTE kt.gc_log", "EXECUTE kt.gc_table",
                "EXECUTE kt.keep_history", "EXECUTE kt.limit_visitors", "EXECUTE kt.provision", "EXECUTE kt.rebase", "EXECUTE kt.script",
                "EXECUTE kt.set_identity_key", "EXECUTE kt.set_tenant", "EXECUTE kt.withdraw", "EXECUTE kt_priv.restored",
                "INSERT kt_priv.migrations", "SELECT kt.storage",
                "SELECT kt_priv.migrations", "USAGE kt", "USAGE kt_priv",
            ]
        );
        assert_eq!(
            may("kt_exec", lines(ALLOWED)),
            [
                "DELETE kt_view_marks.marks", "EXECUTE kt_priv.exec_own", "EXECUTE kt_priv.exec_owner", "EXECUTE kt_priv.exec_snap",
                "INSERT kt_view_marks.marks", "SELECT kt_view_marks.marks", "UPDATE kt_view_marks.marks", "USAGE kt_view_marks",
            ]
        );
        let gateway = may("kt_gateway", lines(ALLOWED));
        let (functions, rest): (Vec<_>, Vec<_>) = gateway.iter().map(String::as_str).partition(|line| line.starts_with("EXECUTE "));
        assert_eq!(
            rest,
            [
                "CONNECT database", "SELECT kt.storage", "SELECT kt.trxs(create_txid)", "SELECT kt.trxs(expires_at)", "SELECT kt.trxs(owner)",
                "SELECT kt.trxs(snap)", "USAGE kt",
            ]
        );
        let of_tables = ["count_", "get_", "history_", "last_", "list_", "look_", "mget_", "query_", "store_"];
        let calls = ["abort", "collect", "commit", "exec", "here", "start"];
        for function in functions {
            let name = function.strip_prefix("EXECUTE kt.").expect(function);
            assert!(calls.contains(&name) || of_tables.iter().any(|of_table| name.starts_with(of_table)), "{function}");
        }
    }

    fn the_gateways_settings_hold_in_this_database(database: &Database) {
        let mut gateway = database.connect("kt_gateway");
        let mut setting = |name: &str| -> String { gateway.query_one(&format!("SHOW {name}"), &[]).expect("a setting").get(0) };
        assert_eq!(setting("plan_cache_mode"), "force_generic_plan");
        assert_eq!(setting("jit"), "off");
        assert_eq!(setting("max_parallel_workers_per_gather"), "0");
        for name in ["statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout"] {
            assert_ne!(setting(name), "0", "{name}");
        }
        let elsewhere: String = database
            .connect("postgres")
            .query_one("SELECT count(*)::text FROM pg_roles WHERE rolname LIKE 'kt\\_%' AND rolconfig IS NOT NULL", &[])
            .expect("reads")
            .get(0);
        assert_eq!(elsewhere, "0", "settings belong to the database, not to the role");
    }

    fn forged_and_expired_credentials_are_refused(database: &Database) {
        provision(database);
        let valid = credential("alice");
        let bad: [(&str, Credential); 6] = [
            ("another owner", Credential { owner: "bob".into(), ..valid.clone() }),
            ("a later end", Credential { expires_at_s: valid.expires_at_s + 1, ..valid.clone() }),
            ("another code", Credential { mac: [0; 32], ..valid.clone() }),
            ("expired", credential_until("alice", now_s() - 1)),
            ("everyone", credential("*")),
            ("nobody", credential("")),
        ];
        for (what, credential) in bad {
            let mut caller = Caller::with(database, credential, Perms::ALL, tables());
            assert_eq!(caller.open().get("marks", "a"), Err(TransactionError::Unauthenticated), "{what}");
            let mut blind = caller.open();
            blind.set("marks", &json!({"id": what})).expect("buffered");
            assert_eq!(blind.commit(b""), Err(TransactionError::Unauthenticated), "{what}");
        }
        let mut caller = Caller::with(database, valid, Perms::ALL, tables());
        assert_eq!(caller.open().list("marks", None, None), Ok(json!([])));

        let mut gateway = database.connect("kt_gateway");
        for nulls in ["NULL, 9999999999, NULL", "'alice', NULL, NULL", "'alice', 9999999999, NULL"] {
            let sql = format!("SELECT kt.start({nulls}, gen_random_uuid())");
            assert_eq!(refused(&mut gateway, &sql), "KT401", "{nulls}");
        }
        // The owner and the end are one text: no other split of it may pass.
        let split = credential_until("alice.1", 5);
        assert_ne!(split.mac, credential_until("alice", 15).mac);
    }

    fn another_key_ends_credentials(database: &Database) {
        provision(database);
        let mut caller = Caller::new(database, "o");
        caller.open().get("marks", "a").expect("the key is right");
        deploy(database, "SELECT kt.set_identity_key(repeat('k', 100)::bytea)");
        assert_eq!(caller.open().get("marks", "a"), Err(TransactionError::Unauthenticated));
        let mut admin = database.connect("kt_deploy");
        assert_eq!(refused(&mut admin, "SELECT kt.set_identity_key('short')"), "KT400");
        database.connect("postgres").batch_execute("UPDATE kt_priv.meta SET inner_key = NULL").expect("a superuser may");
        assert!(matches!(caller.open().get("marks", "a"), Err(TransactionError::NotReady(_))));
    }

    /// HMAC keys longer than a block are hashed first (RFC 2104).
    fn a_long_key_is_hashed(database: &Database) {
        let long = "decode(repeat('ab', 100), 'hex')";
        deploy(database, &format!("SELECT kt.set_identity_key({long})"));
        let row = "SELECT inner_key || outer_key FROM kt_priv.meta";
        let mut admin = database.connect("postgres");
        let one: Vec<u8> = admin.query_one(row, &[]).expect("reads").get(0);
        deploy(database, &format!("SELECT kt.set_identity_key(sha256({long}))"));
        let two: Vec<u8> = admin.query_one(row, &[]).expect("reads").get(0);
        assert_eq!(one, two);
    }

    fn nobody_uses_a_session_without_its_id(database: &Database) {
        provision(database);
        let mut gateway = database.connect("kt_gateway");
        for sql in [
            "SELECT kt.get_tbl_marks(gen_random_uuid(), 'a')",
            "SELECT kt.get_tbl_marks(NULL, 'a')",
            "SELECT * FROM kt.list_tbl_marks(gen_random_uuid(), NULL, 10)",
            "SELECT kt.commit(gen_random_uuid(), '[{\"t\":\"marks\",\"put\":[[\"a\",{}]]}]')",
        ] {
            assert_eq!(refused(&mut gateway, sql), "KT401", "{sql}");
        }
    }

    /// A snapshot for an id that somebody else holds would be read with their rights.
    fn a_session_id_is_used_once(database: &Database) {
        provision(database);
        let (mut gateway, sid) = (database.connect("kt_gateway"), uuid());
        begin_by_hand(&mut gateway, "alice", &sid, None).expect("begins");
        for owner in ["alice", "bob"] {
            let error = begin_by_hand(&mut gateway, owner, &sid, None).expect_err(owner);
            assert_eq!(error.sqlstate, "KT401", "{owner}");
        }
        let owners = statement("SELECT string_agg(owner, ',') FROM kt.trxs", &[]);
        assert_eq!(run(&mut gateway, &owners).expect("reads"), [[Some("alice".to_owned())]]);
    }

    fn an_expired_session_ends(database: &Database) {
        provision(database);
        let mut caller = Caller::new(database, "o");
        let mut open = caller.open();
        open.get("marks", "a").expect("begins");
        database.connect("postgres").batch_execute("UPDATE kt.trxs SET expires_at = now() - interval '1 s'").expect("a superuser may");
        assert_eq!(open.get("marks", "b"), Err(TransactionError::SessionEnded));
        open.set("marks", &json!({"id": "a"})).expect("buffered");
        assert_eq!(open.commit(b""), Err(TransactionError::SessionEnded));
    }

    fn permissions_are_the_owners_own_or_the_default(database: &Database) {
        provision(database);
        Caller::new(database, "seed").call(|open| open.set("marks", &json!({"id": "a"}))).expect("stores");
        deploy(
            database,
            "SELECT kt.provision('marks', 'tbl_marks', 'reader', 4), kt.provision('marks', 'tbl_marks', 'writer', 2), \
             kt.provision('marks', 'tbl_marks', 'remover', 1), kt.provision('marks', 'tbl_marks', 'nobody', 0)",
        );
        let allowed = |owner: &str| {
            let mut caller = Caller::new(database, owner);
            let read = caller.call(|open| open.get("marks", "a").map(drop));
            let write = caller.call(|open| open.set("marks", &json!({"id": owner})).map(drop));
            let delete = caller.call(|open| open.delete("marks", owner).map(drop));
            let denied = TransactionError::PermissionDenied { table: "marks".into(), needed: Perms::R };
            assert!(read.is_ok() || read == Err(denied), "{owner}: {read:?}");
            for outcome in [&write, &delete] {
                assert!(outcome.is_ok() || *outcome == Err(TransactionError::CommitDenied), "{owner}: {outcome:?}");
            }
            (read.is_ok(), write.is_ok(), delete.is_ok())
        };
        assert_eq!(allowed("anyone"), (true, true, true));
        assert_eq!(allowed("reader"), (true, false, false));
        assert_eq!(allowed("writer"), (false, true, false));
        assert_eq!(allowed("remover"), (false, false, true));
        assert_eq!(allowed("nobody"), (false, false, false));
        // Every way to read needs R.
        let denied = Err(TransactionError::PermissionDenied { table: "marks".into(), needed: Perms::R });
        let mut writer = Caller::new(database, "writer");
        assert_eq!(writer.open().mget("marks", &["a"]), denied);
        assert_eq!(writer.open().list("marks", None, None), denied);
        assert_eq!(writer.open().query("marks", &json!({"id": "a"})), denied);
        assert_eq!(writer.open().count("marks", &json!({})), denied);
        // So does a commit, for what it says that it read.
        let read_by_hand = json!([{"t": "marks", "r": ["a"], "put": [["b", {}]]}]);
        assert_eq!(commit_by_hand(database, "writer", &read_by_hand), Err(("KT403".into(), None)));
        // Without its own row the owner is everyone again.
        deploy(database, "SELECT kt.withdraw('marks', 'reader')");
        assert_eq!(allowed("reader"), (true, true, true));
        deploy(database, "SELECT kt.withdraw('marks')");
        let outcome = Caller::new(database, "anyone").open().get("marks", "a");
        assert_eq!(outcome, Err(TransactionError::NoTable("marks".into())));
    }

    fn an_owners_own_row_replaces_the_default_entirely(database: &Database) {
        provision(database);
        deploy(database, "SELECT kt.provision('marks', 'tbl_marks_alice', 'alice', 6)");
        let mut own = (*tables()).clone();
        own.get_mut("marks").expect("a table").ptr = Ptr::parse("tbl_marks_alice").expect("a ptr");
        let own: Arc<Tables> = Arc::new(own);
        let mut alice = Caller::with(database, credential("alice"), Perms::ALL, own);
        alice.call(|open| open.set("marks", &json!({"id": "a", "by": "alice"}))).expect("her table");
        assert_eq!(alice.open().get("marks", "a"), Ok(json!({"id": "a", "by": "alice"})));
        // The default's table is not hers, whatever the gateway asks for; and hers is nobody else's.
        let no_table = Err(TransactionError::NoTable("marks".into()));
        assert_eq!(Caller::new(database, "alice").open().get("marks", "a"), no_table);
        let mut own = (*tables()).clone();
        own.get_mut("marks").expect("a table").ptr = Ptr::parse("tbl_marks_alice").expect("a ptr");
        let mut bob = Caller::with(database, credential("bob"), Perms::ALL, Arc::new(own));
        assert_eq!(bob.open().get("marks", "a"), no_table);
        assert_eq!(Caller::new(database, "bob").open().get("marks", "a"), Ok(Value::Null));
    }

    fn a_change_of_rights_ends_open_sessions(database: &Database) {
        provision(database);
        let (mut alice, mut bob) = (Caller::new(database, "alice"), Caller::new(database, "bob"));
        let (mut hers, mut his) = (alice.open(), bob.open());
        for open in [&mut hers, &mut his] {
            open.get("marks", "a").expect("begins");
            open.set("marks", &json!({"id": "a"})).expect("buffered");
        }
        deploy(database, "SELECT kt.provision('marks', 'tbl_marks', 'alice', 4)");
        assert_eq!(hers.get("marks", "b"), Err(TransactionError::SessionEnded));
        assert_eq!(hers.commit(b""), Err(TransactionError::SessionEnded));
        assert_eq!(his.commit(b""), Ok(Some(CommitOutcome::Committed)), "his rights are as they were");
        let mut next = bob.open();
        next.get("marks", "c").expect("begins");
        deploy(database, "SELECT kt.provision('marks', 'tbl_marks', '*', 0)");
        assert_eq!(next.get("marks", "d"), Err(TransactionError::SessionEnded));
    }

    fn readonly_fields_are_the_databases_own_business(database: &Database) {
        provision(database);
        let mut caller = Caller::new(database, "o");
        let row = json!({"id": "a", "made": 1, "text": "x"});
        caller.call(|open| open.set("entries", &row)).expect("a new row has any value");
        let refused = Err(TransactionError::ReadonlyField { table: "tbl_entries".into(), field: "made".into() });
        // Written without reading, so that the core cannot know.
        for row in [json!({"id": "a", "made": 2}), json!({"id": "a"}), json!({"id": "a", "made": null})] {
            assert_eq!(caller.call(|open| open.set("entries", &row)), refused, "{row}");
            assert_eq!(caller.call(|open| open.push("entries", &row)), refused, "{row}");
        }
        // And by a gateway without a core.
        for kind in ["put", "upd", "push"] {
            let payload = json!([{"t": "entries", kind: [["a", {"made": 2}]]}]);
            let (sqlstate, detail) = commit_by_hand(database, "o", &payload).expect_err(kind);
            let detail: Value = serde_json::from_str(&detail.expect("a detail")).expect("JSON");
            assert_eq!((sqlstate.as_str(), detail), ("KT403", json!({"t": "tbl_entries", "key": "a", "field": "made"})));
        }
        assert_eq!(caller.open().get("entries", "a"), Ok(row));
        // The core says so before anything is sent.
        let mut open = caller.open();
        let early = Err(TransactionError::ReadonlyField { table: "entries".into(), field: "made".into() });
        assert_eq!(open.update("entries", "a", &json!({"made": 2})), early);
        // What leaves the field alone passes.
        caller.call(|open| open.update("entries", "a", &json!({"text": "y"}))).expect("another field");
        caller.call(|open| open.set("entries", &json!({"id": "a", "made": 1}))).expect("the same value");
        commit_by_hand(database, "o", &json!([{"t": "entries", "upd": [["a", {"text": "z"}]]}])).expect("a merge without it");
        // A deleted row is gone, with its fields.
        caller
            .call(|open| {
                open.delete("entries", "a")?;
                open.set("entries", &json!({"id": "a", "made": 3}))
            })
            .expect("a new row");
        // A grant to one more owner leaves the list as it is; a new list replaces it.
        deploy(database, "SELECT kt.provision('entries', 'tbl_entries', 'p')");
        assert_eq!(caller.call(|open| open.set("entries", &json!({"id": "a"}))), refused);
        deploy(database, "SELECT kt.provision('entries', 'tbl_entries', p_readonly => '{}')");
        caller.call(|open| open.set("entries", &json!({"id": "a"}))).expect("no field is fixed");
    }

    /// The core refuses that as well; this is a gateway without one.
    fn the_past_is_not_written(database: &Database) {
        provision(database);
        deploy(database, "SELECT kt.keep_history('1 hour')");
        let mut caller = Caller::new(database, "o");
        let mut open = caller.open();
        open.get("marks", "a").expect("begins");
        let then = open.snapshot().expect("it has begun");
        for part in [json!({"put": [["a", {}]]}), json!({"push": [["a", {}]]}), json!({"upd": [["a", {}]]}), json!({"del": ["a"]})] {
            let mut payload = part.clone();
            payload["t"] = json!("marks");
            let outcome = commit_by_hand_at(database, "o", Some(&then), &json!([payload]));
            assert_eq!(outcome, Err(("KT403".into(), None)), "{part}");
            commit_by_hand(database, "o", &json!([payload])).expect("as things are, it is allowed");
        }
    }

    fn malformed_commits_are_refused(database: &Database) {
        provision(database);
        let name = "marks\"; DROP TABLE kt.storage; --";
        for (payload, sqlstate) in [
            (json!([]), "KT400"),
            (json!({}), "KT400"),
            (json!(null), "KT400"),
            (json!([{"t": "marks", "put": [["a", {}]]}, {"t": "entries", "put": [["a", {}]]}]), "KT400"),
            (json!([{"t": "marks", "put": [["a", {}]]}, {"t": "marks", "put": [["b", {}]]}]), "KT400"),
            (json!([{"t": "marks", "put": [["a", 1]]}]), "KT400"),
            (json!([{"t": "marks", "put": [["a"]]}]), "KT400"),
            (json!([{"t": "nowhere", "put": [["a", {}]]}]), "KT404"),
            (json!([{"t": "tbl_marks", "put": [["a", {}]]}]), "KT404"),
            (json!([{"put": [["a", {}]]}]), "KT404"),
            (json!([{"t": name, "put": [["a", {}]]}]), "KT404"),
        ] {
            let outcome = commit_by_hand(database, "o", &payload);
            assert_eq!(outcome.map_err(|(sqlstate, _)| sqlstate), Err(sqlstate.to_owned()), "{payload}");
        }
        assert_eq!(Caller::new(database, "o").open().list("marks", None, None), Ok(json!([])));
    }

    /// At REPEATABLE READ the check of what was read would look at old rows.
    fn a_transaction_of_the_clients_own_isolation_is_refused(database: &Database) {
        let mut gateway = database.connect("kt_gateway");
        let sql = "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT kt.start('o', 1, '\\x00', gen_random_uuid())";
        assert_eq!(refused(&mut gateway, sql), "KT500");
        gateway.batch_execute("ROLLBACK").expect("ends");
        let sql = "BEGIN ISOLATION LEVEL SERIALIZABLE; SELECT kt.commit(gen_random_uuid(), '[]')";
        assert_eq!(refused(&mut gateway, sql), "KT500");
    }

    fn provisioning_takes_plain_names_only(database: &Database) {
        let mut deploy = database.connect("kt_deploy");
        for sql in [
            "SELECT kt.provision('x', 'tbl_x; DROP TABLE kt.storage')",
            "SELECT kt.provision('x', 'storage')",
            "SELECT kt.provision('x', NULL)",
            "SELECT kt.provision('x', 'tbl_' || repeat('x', 49))",
            "SELECT kt.provision('x', 'tbl_x', '*', 8)",
            "SELECT kt.provision('', 'tbl_x')",
        ] {
            assert_eq!(refused(&mut deploy, sql), "KT400", "{sql}");
        }
        let longest = format!("tbl_{}", "x".repeat(48));
        deploy.batch_execute(&format!("SELECT kt.provision('x', '{longest}')")).expect("48 characters fit");
    }

    /// Roles outlive databases: one that somebody else made, or changed, could undo every boundary.
    fn roles_with_more_rights_than_ours_are_not_trusted(database: &Database) {
        let mut admin = database.connect("postgres");
        let install = sql::install();
        for (change, named) in [
            ("ALTER ROLE kt_owner LOGIN", "kt_owner"),
            ("ALTER ROLE kt_owner SUPERUSER", "kt_owner"),
            ("ALTER ROLE kt_owner CREATEROLE", "kt_owner"),
            ("ALTER ROLE kt_exec LOGIN", "kt_exec"),
            ("ALTER ROLE kt_exec BYPASSRLS", "kt_exec"),
            ("ALTER ROLE kt_gateway CREATEDB", "kt_gateway"),
            ("ALTER ROLE kt_deploy REPLICATION", "kt_deploy"),
            ("CREATE ROLE kt_test_other; GRANT kt_test_other TO kt_owner", "kt_owner"),
            ("CREATE ROLE kt_test_other; GRANT kt_test_other TO kt_deploy", "kt_deploy"),
            ("GRANT kt_exec TO kt_gateway", "kt_gateway"),
            ("CREATE ROLE kt_test_other; GRANT kt_owner TO kt_test_other", "kt_owner"),
            ("CREATE ROLE kt_test_other; GRANT kt_gateway TO kt_test_other", "kt_gateway"),
        ] {
            // Taken back, because the roles are those of every test.
            let mut transaction = admin.transaction().expect("begins");
            transaction.batch_execute(change).expect(change);
            let error = transaction.batch_execute(&install).expect_err(change);
            let error = error.as_db_error().unwrap_or_else(|| panic!("{change}: {error}"));
            assert_eq!(error.code().code(), "KT500", "{change}: {error}");
            assert!(error.message().contains(named), "{change}: {error}");
        }
        // A superuser may do everything anyway.
        let mut transaction = admin.transaction().expect("begins");
        transaction.batch_execute("CREATE ROLE kt_test_admin SUPERUSER; GRANT kt_owner TO kt_test_admin").expect("grants");
        transaction.batch_execute(&install).expect("installs");
    }
}

/// Whoever is a member of a role of storage, or whom one of them is a member of.
const MEMBERSHIPS: &str = "
    SELECT m.member::regrole || ' in ' || m.roleid::regrole FROM pg_auth_members m
     WHERE m.member::regrole::text ~ '^kt_' OR m.roleid::regrole::text ~ '^kt_'";

/// What the roles own in this database, of whatever kind.
const OWNED: &str = "
    SELECT DISTINCT d.refobjid::regrole || ' ' || d.classid::regclass ||
           coalesce(' ' || s.nspname, ' in ' || coalesce(c.relnamespace, p.pronamespace)::regnamespace, '')
      FROM pg_shdepend d
      LEFT JOIN pg_namespace s ON d.classid = 'pg_namespace'::regclass AND s.oid = d.objid
      LEFT JOIN pg_class c ON d.classid = 'pg_class'::regclass AND c.oid = d.objid
      LEFT JOIN pg_proc p ON d.classid = 'pg_proc'::regclass AND p.oid = d.objid
     WHERE d.deptype = 'o' AND d.dbid IN (0, (SELECT oid FROM pg_database WHERE datname = current_database())) AND d.refobjid::regrole::text ~ '^kt_'
     ORDER BY 1";

/// What each role may do with what it does not own, outside of PostgreSQL's own schemas.
const ALLOWED: &str = "
    WITH r AS (SELECT oid, rolname FROM pg_roles WHERE rolname IN ('kt_deploy', 'kt_exec', 'kt_gateway')),
         n AS (SELECT oid, nspname, nspowner FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'),
         c AS (SELECT c.oid, relkind, relowner, nspname || '.' || relname AS name FROM pg_class c JOIN n ON n.oid = relnamespace),
         allowed AS (
      SELECT rolname, p || ' database' AS what FROM r, unnest(array['CONNECT', 'CREATE', 'TEMPORARY']) p
       WHERE has_database_privilege(r.oid, current_database(), p)
      UNION ALL
      SELECT rolname, p || ' ' || nspname FROM r, n, unnest(array['USAGE', 'CREATE']) p
       WHERE nspowner <> r.oid AND has_schema_privilege(r.oid, n.oid, p)
      UNION ALL
      SELECT rolname, p || ' ' || name FROM r, c, unnest(array['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER']) p
       WHERE relkind IN ('r', 'p', 'v', 'm', 'f') AND relowner <> r.oid AND has_table_privilege(r.oid, c.oid, p)
      UNION ALL
      SELECT rolname, p || ' ' || name || '(' || attname || ')'
        FROM r, c JOIN pg_attribute a ON a.attrelid = c.oid AND attnum > 0, unnest(array['SELECT', 'INSERT', 'UPDATE', 'REFERENCES']) p
       WHERE relkind IN ('r', 'p', 'v', 'm', 'f') AND relowner <> r.oid AND has_column_privilege(r.oid, c.oid, attnum, p)
         AND NOT has_table_privilege(r.oid, c.oid, p)
      UNION ALL
      SELECT rolname, p || ' ' || name FROM r, c, unnest(array['USAGE', 'SELECT', 'UPDATE']) p
       WHERE relkind = 'S' AND relowner <> r.oid AND has_sequence_privilege(r.oid, c.oid, p)
      UNION ALL
      SELECT rolname, 'EXECUTE ' || nspname || '.' || proname FROM r, pg_proc f JOIN n ON n.oid = pronamespace
       WHERE proowner <> r.oid AND has_function_privilege(r.oid, f.oid, 'EXECUTE'))
    SELECT rolname || ': ' || what FROM allowed ORDER BY 1";
