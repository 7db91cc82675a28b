//! Whose rows a caller sees: tables of everybody, of owners and of tenants, tried as a gateway that was taken over would, with
//! the database's own functions and nothing else.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use kontract_mvcc::error::TransactionError;
use kontract_mvcc::table::{Ptr, Table, Tables};
use kontract_wire::perm::Perms;
use postgres::Client;
use serde_json::{Value, json};

use crate::support::postgres::{Database, Server, credential, on_each_server};
use crate::support::transactions::{Caller, random_16};

/// Tables by scope.
const TABLES: [&str; 3] = ["shared", "owner", "tenant"];
/// A field that anybody sets, one that is read-only, and one inside of another.
const FIELDS: [&str; 3] = ["text", "made", "deep"];
/// Fields that nobody reads, one that is set once among them.
const HIDDEN: [&str; 2] = ["pin", "seed"];

/// Who asks: nobody in particular, the one whose rows they are, somebody of another tenant, of the same one, and one who was.
const CALLERS: [(&str, Option<&str>); 5] = [
    ("anon_1", None),
    ("alice", Some("acme")),
    ("bob", Some("umbrella")),
    ("carol", Some("acme")),
    ("dave", None),
];

fn provision(database: &Database) {
    let mut deploy = database.connect("kt_deploy");
    for table in TABLES {
        let sql = format!(
            "SELECT kt.provision('{table}', 'tbl_{table}', p_readonly => '{{made,seed}}', p_hidden => '{{pin,seed}}', p_scope => '{table}')"
        );
        deploy.batch_execute(&sql).expect("provisions");
    }
    for (owner, tenant) in CALLERS {
        if let Some(tenant) = tenant {
            deploy.execute("SELECT kt.set_tenant($1, $2)", &[&owner, &tenant]).expect("a tenant");
        }
    }
    // Dave was in the tenant when the rows were written, and so was a tenant that is called like Alice.
    deploy
        .batch_execute("SELECT kt.set_tenant('dave', 'acme'), kt.set_tenant('eve', 'alice')")
        .expect("a tenant");
}

fn row(table: &str, owner: &str, key: &str) -> Value {
    let secret = |field: &str| format!("secret-{table}-{owner}-{field}");
    json!({"id": key, "text": secret("text"), "made": secret("made"), "in": {"deep": [secret("deep")]}, "pin": secret("pin"), "seed": secret("seed")})
}

/// The gateway's role with a session of somebody's.
struct Session {
    client: Client,
    sid: String,
    /// The same without a session.
    who: String,
}

impl Session {
    fn begin(database: &Database, owner: &str) -> Self {
        let mut client = database.connect("kt_gateway");
        let valid = credential(owner);
        let mac: Vec<u8> = valid.mac.to_vec();
        let sid: String = random_16().iter().map(|byte| format!("{byte:02x}")).collect();
        let begin = "SELECT kt.start($1, $2, $3, $4::text::uuid)::text";
        client
            .query_one(begin, &[&valid.owner, &valid.expires_at_s, &mac, &sid])
            .expect("a valid credential");
        let mac: String = mac.iter().map(|byte| format!("{byte:02x}")).collect();
        let who = format!("{mac}{owner}.{}", valid.expires_at_s);
        Self { client, sid, who }
    }

    /// What a call answers, as text; the SQLSTATE of a refusal.
    fn ask(&mut self, call: &str) -> Result<String, String> {
        let sql = format!(
            "SELECT coalesce(string_agg(a::text, ' '), '') FROM ({}) a",
            call.replace("$S", &format!("'{}'", self.sid)).replace("$W", &format!("'{}'", self.who))
        );
        match self.client.query_one(&sql, &[]) {
            Ok(row) => Ok(row.get(0)),
            Err(error) => Err(error.code().unwrap_or_else(|| panic!("{sql}: {error}")).code().to_owned()),
        }
    }
}

fn commit(database: &Database, owner: &str, payload: &Value) -> Result<String, String> {
    Session::begin(database, owner).ask(&format!("SELECT kt.commit($S, '{payload}')"))
}

/// Every way to read a table, and to look for values of a field without reading them.
fn reads(table: &str) -> Vec<String> {
    let mut reads = vec![
        format!("SELECT kt.get_tbl_{table}($S, 'k')"),
        format!("SELECT kt.mget_tbl_{table}($S, array['k', 'alice', 'none'])"),
        format!("SELECT kt.list_tbl_{table}($S, NULL, 100)"),
        format!("SELECT kt.last_tbl_{table}($S, 100)"),
        format!("SELECT kt.query_tbl_{table}($S, '{{}}', NULL, NULL, false, NULL, 100)"),
        format!("SELECT kt.query_tbl_{table}($S, '{{}}', NULL, 'text', true, NULL, 100)"),
        format!("SELECT kt.history_tbl_{table}($S, 'k', 100)"),
        format!("SELECT kt.history_tbl_{table}($S, 'alice', 100)"),
        format!("SELECT kt.exec($S, '{table}', 'SELECT * FROM {table}', '{{}}', '{{}}', true)"),
        format!("SELECT kt.exec($S, '{table}', 'DELETE FROM {table} RETURNING data', '{{}}', '{{}}', true)"),
    ];
    for pattern in [
        json!({"text": format!("secret-{table}-alice-text")}),
        json!({"in": {"deep": [format!("secret-{table}-alice-deep")]}}),
    ] {
        reads.push(format!("SELECT kt.query_tbl_{table}($S, '{pattern}', NULL, NULL, false, NULL, 100)"));
    }
    // In the order of each field.
    for field in FIELDS.iter().chain(&HIDDEN) {
        reads.push(format!("SELECT kt.query_tbl_{table}($S, '{{}}', NULL, '{field}', false, NULL, 100)"));
    }
    // Each without a session as well.
    let alone: Vec<String> = reads
        .iter()
        .filter(|read| !read.contains("exec("))
        .map(|read| format!("{}, $W)", read.trim_end_matches(')').replace("$S", "NULL")))
        .collect();
    reads.extend(alone);
    reads.push(format!("SELECT kt.look_tbl_{table}('k', $W)"));
    reads.push(format!("SELECT kt.look_tbl_{table}('alice', $W)"));
    reads
}

/// Whose rows a caller may see.
fn visible(table: &str, caller: &str) -> BTreeSet<&'static str> {
    let writers = ["alice", "bob"];
    let sees = |writer: &&str| match table {
        "shared" => true,
        "owner" => *writer == caller,
        _ => *writer == caller || (*writer == "alice" && caller == "carol"),
    };
    writers.into_iter().filter(sees).collect()
}

on_each_server! {
    fn nobody_reads_what_is_not_theirs(database: &Database) {
        provision(database);
        // In a shared table Bob's row would replace Alice's: each has one of their own beside it.
        for writer in ["alice", "bob"] {
            for table in TABLES {
                let key = if table == "shared" { writer } else { "k" };
                let rows: BTreeMap<_, _> = [key, writer].map(|key| (key, row(table, writer, key))).into();
                commit(database, writer, &json!([{"t": table, "put": Vec::from_iter(rows)}])).expect("stores");
            }
        }
        let mut deploy = database.connect("kt_deploy");
        deploy.batch_execute("SELECT kt.set_tenant('dave', NULL)").expect("revoked");
        let mut tried = 0;
        for (caller, table, bits) in CALLERS.iter().flat_map(|(caller, _)| TABLES.into_iter().flat_map(move |table| (0..8).map(move |bits| (*caller, table, bits)))) {
            deploy.execute("SELECT kt.provision($1, $2, $3, $4)", &[&table, &format!("tbl_{table}"), &caller, &bits]).expect("rights");
            let mut session = Session::begin(database, caller);
            for read in reads(table) {
                tried += 1;
                let outcome = session.ask(&read);
                if bits & 4 == 0 {
                    assert_eq!(outcome, Err("KT403".into()), "{caller} {bits} {read}");
                    continue;
                }
                let answer = outcome.unwrap_or_else(|state| panic!("{caller} {bits} {read}: {state}"));
                let seen: BTreeSet<&str> = ["alice", "bob"].into_iter().filter(|owner| FIELDS.iter().any(|field| answer.contains(&format!("-{owner}-{field}")))).collect();
                let may = visible(table, caller);
                assert!(seen.is_subset(&may), "{caller} {bits} {read}: {answer}");
                for field in HIDDEN {
                    assert!(!answer.contains(&format!("-{field}")), "{caller} {bits} {read}: {answer}");
                }
                let is_whole = read.contains("list_") || read.contains("last_") || read.contains("exec(");
                assert!(!is_whole || seen == may, "{caller} {bits} {read}: {answer}");
                for field in FIELDS.iter().filter(|_| is_whole) {
                    assert!(may.iter().all(|owner| answer.contains(&format!("secret-{table}-{owner}-{field}"))), "{field}: {answer}");
                }
            }
            let counted = session.ask(&format!("SELECT kt.count_tbl_{table}($S, NULL, NULL)"));
            let rows = visible(table, caller).len() * if table == "shared" { 1 } else { 2 };
            let expected = if bits & 4 == 0 { Err("KT403".into()) } else { Ok(format!("({rows})")) };
            assert_eq!(counted, expected, "{caller} {table} {bits}");
        }
        assert!(tried >= 1000, "{tried}");
    }

    /// Whoever asks, and knows the value: nothing that is answered depends on it.
    fn a_field_that_nobody_reads_is_not_found_by_guessing(database: &Database) {
        provision(database);
        for (table, field) in TABLES.into_iter().flat_map(|table| HIDDEN.map(|field| (table, field))) {
            commit(database, "alice", &json!([{"t": table, "del": ["k"]}])).expect("deletes");
            commit(database, "alice", &json!([{"t": table, "put": [["k", row(table, "alice", "k")]]}])).expect("stores");
            let mut session = Session::begin(database, "alice");
            let right = format!("secret-{table}-alice-{field}");
            let mut answers = Vec::new();
            for guess in [right.as_str(), "wrong"] {
                let pattern = json!({field: guess});
                let comparison = json!({"path": format!("$.{field} == $v"), "bounds": {"v": guess}});
                let anywhere = json!({"path": "exists($.** ? (@ == $v))", "bounds": {"v": guess}});
                let [none, some] = [json!({"none": [pattern]}), json!({"some": [[pattern]]})];
                let mut asked = vec![
                    format!("SELECT kt.query_tbl_{table}($S, '{pattern}', NULL, NULL, false, NULL, 100)"),
                    format!("SELECT kt.count_tbl_{table}($S, '{pattern}', NULL)"),
                    format!("SELECT kt.exec($S, '{table}', 'SELECT count(*) FROM {table} WHERE data ->> $1 = $2', array['{field}', '{guess}'], '{{}}', true)"),
                    format!("SELECT kt.exec($S, '{table}', 'SELECT count(*) FROM {table} t WHERE t::text LIKE $1', array['%{guess}%'], '{{}}', true)"),
                    format!("SELECT kt.exec($S, '{table}', 'UPDATE {table} SET data = data RETURNING data', '{{}}', '{{}}', true)"),
                ];
                for rest in [comparison, anywhere, none, some] {
                    asked.push(format!("SELECT kt.query_tbl_{table}($S, '{{}}', '{rest}', NULL, false, NULL, 100)"));
                    asked.push(format!("SELECT kt.query_tbl_{table}($S, '{{}}', '{rest}', '{field}', true, 'k', 100)"));
                    asked.push(format!("SELECT kt.count_tbl_{table}($S, '{{}}', '{rest}')"));
                }
                answers.push(asked.iter().map(|ask| session.ask(ask).unwrap_or_else(|state| state)).collect::<Vec<_>>());
            }
            let [right_ones, wrong_ones] = answers.try_into().expect("two guesses");
            assert_eq!(right_ones, wrong_ones, "{table} {field}");
            assert_eq!(&right_ones[..2], ["KT403", "KT403"], "{table} {field}");

            // A predicate that a change would meet, and a value that is set once: neither tells whether the guess is right.
            let outcomes = [right.as_str(), "wrong"].map(|guess| {
                let mut stale = Session::begin(database, "alice");
                stale.ask(&format!("SELECT kt.get_tbl_{table}($S, 'k')")).expect("reads");
                commit(database, "alice", &json!([{"t": table, "upd": [["k", {"text": guess.len()}]]}])).expect("changes");
                let predicate = json!([{"t": table, "q": [{"k": "c", "v": {field: guess}}], "put": [["other", {"id": "other"}]]}]);
                let once = json!([{"t": table, "put": [["k", {"id": "k", "made": format!("secret-{table}-alice-made"), "seed": guess}]]}]);
                [stale.ask(&format!("SELECT kt.commit($S, '{predicate}')")).err(), commit(database, "alice", &once).err()]
            });
            assert_eq!(outcomes, [[None, Some("KT403".to_owned())], [None, Some("KT403".to_owned())]], "{table} {field}");
        }
        // It is kept where a row is stored without it, also by a statement of `exec`, and replaced where it is given.
        let mut admin = database.connect("postgres");
        let pin = |admin: &mut Client| -> Option<String> {
            admin.query_one("SELECT data ->> 'pin' FROM kt_data.tbl_shared WHERE id = 'k' AND _deleted_txid IS NULL", &[]).expect("reads").get(0)
        };
        let kept = Some("secret-shared-alice-pin".to_owned());
        for kind in ["put", "push"] {
            let without = json!({"id": "k", "made": "secret-shared-alice-made"});
            commit(database, "alice", &json!([{"t": "shared", kind: [["k", without]]}])).expect("stores");
            assert_eq!(pin(&mut admin), kept, "{kind}");
            let beside = json!([{"t": "shared", kind: [["new", {"id": "new"}], ["k", without]], "del": ["new"]}]);
            commit(database, "alice", &beside).expect("stores");
            assert_eq!(pin(&mut admin), kept, "{kind} beside another row");
        }
        commit(database, "alice", &json!([{"t": "shared", "upd": [["k", {"pin": "new"}]]}])).expect("replaces");
        assert_eq!(pin(&mut admin).as_deref(), Some("new"));
        commit(database, "alice", &json!([{"t": "shared", "upd": [["k", {"pin": null}]]}])).expect("takes it away");
        assert_eq!(pin(&mut admin), None);

        // What is not hidden any more is read again, through every function and view; and the other way round.
        let mut session = Session::begin(database, "alice");
        session.ask("SELECT kt.exec($S, 'owner', 'SELECT data FROM owner', '{}', '{}', false)").expect("makes the view");
        for (hidden, count) in [("{}", 2), ("{pin,seed}", 0), ("{pin}", 1)] {
            let mut deploy = database.connect("kt_deploy");
            for table in TABLES {
                deploy.batch_execute(&format!("SELECT kt.provision('{table}', 'tbl_{table}', p_hidden => '{hidden}')")).expect("provisions");
            }
            let mut session = Session::begin(database, "alice");
            for table in ["owner", "tenant"] {
                for read in [format!("SELECT kt.get_tbl_{table}($S, 'k')"), format!("SELECT kt.exec($S, '{table}', 'SELECT data FROM {table}', '{{}}', '{{}}', false)")] {
                    let answer = session.ask(&read).expect("reads");
                    let seen = HIDDEN.iter().filter(|field| answer.contains(&format!("-{field}"))).count();
                    assert_eq!(seen, count, "{hidden} {read}: {answer}");
                }
            }
        }
        for sql in ["p_hidden => '{a@b}'", "p_hidden => '{$f$}'", r"p_hidden => '{a\\b}'", "p_hidden => '{a}', p_unique => '{a}'"] {
            let error = database.connect("kt_deploy").batch_execute(&format!("SELECT kt.provision('shared', 'tbl_shared', {sql})")).expect_err(sql);
            assert_eq!(error.code().expect("SQLSTATE").code(), "KT400", "{sql}");
        }
        let name = r#"p_hidden => '{"it''s","a b"}'"#;
        database.connect("kt_deploy").batch_execute(&format!("SELECT kt.provision('shared', 'tbl_shared', {name})")).expect("names as they are");
    }

    fn nobody_writes_what_is_not_theirs(database: &Database) {
        provision(database);
        let theirs = ["owner", "tenant"];
        for table in theirs {
            commit(database, "alice", &json!([{"t": table, "put": [["k", row(table, "alice", "k")]]}])).expect("stores");
        }
        let mut deploy = database.connect("kt_deploy");
        deploy.batch_execute("SELECT kt.set_tenant('dave', NULL)").expect("revoked");
        for (caller, bits) in CALLERS.iter().flat_map(|(caller, _)| (0..8).map(move |bits| (*caller, bits))) {
            for table in theirs {
                deploy.execute("SELECT kt.provision($1, $2, $3, $4)", &[&table, &format!("tbl_{table}"), &caller, &bits]).expect("rights");
                let is_theirs = caller == "alice" || (table == "tenant" && caller == "carol");
                for (kind, bit, field) in [("put", 2, "text"), ("upd", 2, "in"), ("push", 2, "text"), ("put", 2, "made"), ("del", 1, "")] {
                    if is_theirs && bits & bit != 0 {
                        continue; // they may
                    }
                    let rows = if kind == "del" { json!(["k"]) } else { json!([["k", {"id": "k", field: "overwritten"}]]) };
                    let outcome = commit(database, caller, &json!([{"t": table, kind: rows}]));
                    match bits & bit {
                        0 => assert_eq!(outcome, Err("KT403".into()), "{caller} {table} {bits} {kind}"),
                        // A row of their own, whose read-only field is set once.
                        _ => assert!(outcome.is_ok() || outcome == Err("KT403".into()), "{caller} {table} {kind}: {outcome:?}"),
                    }
                }
            }
        }
        deploy.batch_execute("SELECT kt.withdraw('owner', 'alice'), kt.withdraw('tenant', 'alice')").expect("everybody again");
        for table in theirs {
            let stored = Session::begin(database, "alice").ask(&format!("SELECT kt.get_tbl_{table}($S, 'k')")).expect("reads");
            assert_eq!(stored.matches("secret").count(), 3, "{table}: {stored}");
        }
    }

    fn sessions_owners_and_ptrs_cannot_be_forged(database: &Database) {
        provision(database);
        commit(database, "alice", &json!([{"t": "tenant", "put": [["k", row("tenant", "alice", "k")]]}])).expect("stores");
        commit(database, "bob", &json!([{"t": "tenant", "put": [["k", row("tenant", "bob", "k")]]}])).expect("stores");
        let mut admin = database.connect("postgres");
        let ptrs: Vec<String> = admin.query("SELECT ptr FROM kt_priv.tables WHERE template = 'tbl_tenant'", &[]).expect("reads").iter().map(|row| row.get(0)).collect();
        assert_eq!(ptrs.len(), 2, "one for each tenant that has written");
        let mut bob = Session::begin(database, "bob");
        for ptr in &ptrs {
            for sql in [format!("SELECT kt.get_{ptr}($S, 'k')"), format!("SELECT kt.list_{ptr}($S, NULL, 9)"), format!("SELECT kt.look_{ptr}('k', $W)"), format!("SELECT kt.get_{ptr}(NULL, 'k', $W)"), format!("SELECT * FROM kt_data.{ptr}")] {
                assert_eq!(bob.ask(&sql), Err("42501".into()), "{sql}");
            }
            for name in [ptr.as_str(), "tbl_tenant"] {
                assert_eq!(bob.ask(&format!("SELECT kt.exec($S, '{name}', 'SELECT 1', '{{}}', '{{}}', true)")), Err("KT404".into()));
                assert_eq!(commit(database, "bob", &json!([{"t": name, "del": ["k"]}])), Err("KT404".into()));
            }
        }
        for sql in ["SELECT kt.set_tenant('bob', 'acme')", "SELECT * FROM kt_priv.tenants", "INSERT INTO kt_priv.tenants VALUES ('bob', 'acme')", "UPDATE kt.trxs SET places = '{}'"] {
            let error = bob.client.batch_execute(sql).expect_err(sql);
            assert_eq!(error.code().expect("SQLSTATE").code(), "42501", "{sql}");
        }
        // A tenant and an owner of one name are two.
        let mut eve = Session::begin(database, "eve");
        assert_eq!(eve.ask("SELECT kt.get_tbl_tenant($S, 'k')"), Ok("()".into()));
        let mut deploy = database.connect("kt_deploy");
        for sql in ["SELECT kt.set_tenant('*', 'acme')", "SELECT kt.set_tenant('', 'acme')", "SELECT kt.set_tenant('bob', '')",
                    "SELECT kt.provision('x', 'tbl_x', p_scope => 'mine')", "SELECT kt.provision('owner', 'tbl_owner', p_scope => 'shared')",
                    "SELECT kt.provision('tenant', 'tbl_tenant', p_scope => 'owner')", "SELECT kt.provision('x', 'tbl_x__0123456789abcdef0123')",
                    "SELECT kt.provision('x', 'tbl_' || repeat('x', 27), p_scope => 'tenant')"] {
            let error = deploy.batch_execute(sql).expect_err(sql);
            assert_eq!(error.code().expect("SQLSTATE").code(), "KT400", "{sql}");
        }
    }

    fn a_revoked_member_is_out_at_once(database: &Database) {
        provision(database);
        commit(database, "alice", &json!([{"t": "tenant", "put": [["k", row("tenant", "alice", "k")]]}])).expect("stores");
        let mut dave = Session::begin(database, "dave");
        assert!(dave.ask("SELECT kt.get_tbl_tenant($S, 'k')").is_ok_and(|row| row.contains("secret")), "a member reads");
        let mut carol = Session::begin(database, "carol");
        database.connect("kt_deploy").batch_execute("SELECT kt.set_tenant('dave', NULL)").expect("revoked");
        assert_eq!(dave.ask("SELECT kt.get_tbl_tenant($S, 'k')"), Err("KT401".into()));
        assert_eq!(dave.ask("SELECT kt.get_tbl_tenant(NULL, 'k', $W)"), Ok("()".into()), "a tenant of its own");
        assert_eq!(dave.ask("SELECT kt.commit($S, '[{\"t\":\"tenant\",\"put\":[[\"k\",{}]]}]')"), Err("KT401".into()));
        assert!(carol.ask("SELECT kt.get_tbl_tenant($S, 'k')").is_ok_and(|row| row.contains("secret")), "the others stay");
        assert_eq!(Session::begin(database, "dave").ask("SELECT kt.get_tbl_tenant($S, 'k')"), Ok("()".into()));
    }

    fn visitors_tables_have_a_limit(database: &Database) {
        provision(database);
        let mut deploy = database.connect("kt_deploy");
        deploy.batch_execute("SELECT kt.limit_visitors(2)").expect("a number");
        let first = json!([{"t": "tenant", "put": [["k", {"id": "k"}]]}]);
        commit(database, "anon_1", &first).expect("one");
        // Two at once where there is room for one.
        let (mut one, mut two) = (Session::begin(database, "anon_2"), Session::begin(database, "anon_3"));
        let write = format!("SELECT kt.commit($S, '{first}')");
        let outcomes = std::thread::scope(|scope| {
            let one = scope.spawn(|| one.ask(&write));
            [two.ask(&write), one.join().expect("no panic")]
        });
        let refused: Vec<_> = outcomes.iter().filter_map(|outcome| outcome.as_ref().err()).collect();
        assert_eq!(refused, ["KT403"], "{outcomes:?}");
        let mut late = Session::begin(database, "anon_4");
        assert_eq!(late.ask("SELECT kt.exec($S, 'tenant', 'SELECT * FROM tenant', '{}', '{}', false)"), Err("KT403".into()));
        assert_eq!(late.ask("SELECT kt.list_tbl_tenant($S, NULL, 9)"), Ok(String::new()), "what is not there is empty");
        // Who has one, and who was put into a tenant, goes on.
        for owner in ["anon_1", "alice", "bob"] {
            commit(database, owner, &first).expect(owner);
        }
        deploy.batch_execute("SELECT kt.limit_visitors(3)").expect("a number");
        commit(database, "anon_4", &first).expect("room for one more");
        for wrong in ["-1", "NULL", "1000001"] {
            let error = deploy.batch_execute(&format!("SELECT kt.limit_visitors({wrong})")).expect_err(wrong);
            assert_eq!(error.code().expect("SQLSTATE").code(), "KT400", "{wrong}");
        }
    }

    fn transactions_of_scoped_tables_are_serializable(database: &Database) {
        provision(database);
        let tables = scoped();
        let caller = |owner: &str| Caller::with(database, credential(owner), Perms::ALL, Arc::clone(&tables));
        let (mut alice, mut carol, mut bob) = (caller("alice"), caller("carol"), caller("bob"));
        // Two first writes of a tenant at once: the table is made once, and the second call conflicts with what it read.
        let (mut hers, mut theirs) = (alice.open(), carol.open());
        for open in [&mut hers, &mut theirs] {
            assert_eq!(open.list("tenant", None, None), Ok(json!([])));
            open.push("tenant", &json!({"id": "first"})).expect("buffered");
        }
        hers.commit(b"").expect("commits");
        assert_eq!(theirs.commit(b""), Err(TransactionError::Conflict));
        for table in ["owner", "tenant"] {
            let key = format!("{table}-1");
            alice.call(|open| open.set(table, &json!({"id": key, "n": 1}))).expect("stores");
            let mut open = alice.open();
            open.count(table, &json!({})).expect("reads");
            open.update(table, &key, &json!({"n": 2})).expect("buffered");
            // Others' rows are no part of what was read.
            bob.call(|open| open.set(table, &json!({"id": key, "n": 9}))).expect("stores");
            assert!(open.commit(b"").is_ok(), "{table}");
            assert_eq!(alice.open().get(table, &key), Ok(json!({"id": key, "n": 2})));
            assert_eq!(bob.open().list(table, None, None), Ok(json!([{"id": key, "n": 9}])));
            let mut open = alice.open();
            open.list(table, None, None).expect("reads");
            open.set(table, &json!({"id": "late"})).expect("buffered");
            alice_again(database, &tables, table);
            assert_eq!(open.commit(b""), Err(TransactionError::Conflict), "{table}");
            assert_eq!(caller("alice").open().exec(table, &format!("SELECT count(*) FROM {table} WHERE id = 'again'"), &[]), Ok(json!([{"count": 1}])));
        }
        // Both in one call, whatever the order of the tenants' own names.
        alice
            .call(|open| {
                for table in TABLES {
                    open.push(table, &json!({"id": "all"}))?;
                }
                Ok(())
            })
            .expect("commits");
        assert_eq!(alice.open().pop("owner"), Ok(json!({"id": "all"})));
    }
}

fn alice_again(database: &Database, tables: &Arc<Tables>, table: &str) {
    let mut again = Caller::with(database, credential("alice"), Perms::ALL, Arc::clone(tables));
    again.call(|open| open.push(table, &json!({"id": "again"}))).expect("stores");
}

fn scoped() -> Arc<Tables> {
    let table = |name: &str| {
        let ptr = Ptr::parse(&format!("tbl_{name}")).expect("a ptr");
        (name.to_owned(), Table { ptr, key: "id".into(), readonly: BTreeSet::from(["made".to_owned()]) })
    };
    Arc::new(TABLES.iter().map(|name| table(name)).collect())
}

/// The tables of tenants are renewed and collected like all others.
#[test]
fn tenants_tables_are_tended() {
    let database = Database::fresh(Server::Debian15);
    provision(&database);
    for turn in 0..3 {
        let row = json!([["k", {"id": "k", "n": turn}]]);
        commit(&database, "alice", &json!([{"t": "owner", "put": row}, {"t": "tenant", "put": row}]))
            .expect("stores");
    }
    let mut admin = database.connect("postgres");
    kontract::migrate::run::install(&mut admin).expect("installs again");
    assert_eq!(kontract::migrate::run::collect_garbage(&mut admin).expect("collects"), 4);
    let mut alice = Session::begin(&database, "alice");
    for table in ["owner", "tenant"] {
        assert_eq!(
            alice.ask(&format!("SELECT kt.get_tbl_{table}($S, 'k')")).map(|row| row.contains("\"\"n\"\": 2")),
            Ok(true)
        );
    }
}
