//! The state machine against a scripted database: what is sent, and what is made of the answers.

use std::collections::BTreeSet;
use std::sync::Arc;

use kontract_wire::call::IdempotencyKey;
use kontract_wire::perm::Perms;
use serde_json::{Value, json};

use super::{CommitOutcome, Resolution, Step, Transaction};
use crate::credential::{Credential, Sid};
use crate::error::TransactionError;
use crate::limits::{KEYS_PER_TRANSACTION_MAX, ROWS_PER_READ_MAX};
use crate::statement::{DbError, RequestId, Statement, StatementResult};
use crate::table::{Ptr, Table, Tables};

fn table(ptr: &str, readonly: &[&str]) -> Table {
    Table {
        ptr: Ptr::parse(ptr).expect("a ptr"),
        key: "id".into(),
        readonly: readonly.iter().map(|&field| field.to_owned()).collect::<BTreeSet<_>>(),
    }
}

fn transaction_with(perms: Perms, key: Option<IdempotencyKey>) -> Transaction {
    // `b` stands before `a` in the order of ptrs.
    let tables = Tables::from([("a".into(), table("tbl_2", &["made"])), ("b".into(), table("tbl_1", &[]))]);
    let credential = Credential { owner: "o".into(), expires_at_s: 9, mac: [0; 32] };
    Transaction::new(Sid([1; 16]), credential, perms, Arc::new(tables), key)
}

fn transaction() -> Transaction {
    transaction_with(Perms::ALL, None)
}

fn sent(step: Result<Step, TransactionError>) -> (RequestId, Vec<Statement>) {
    match step {
        Ok(Step::Send { id, statements }) => (id, statements),
        other => unreachable!("expected statements, got {other:?}"),
    }
}

fn ready(step: Result<Step, TransactionError>) -> Value {
    match step {
        Ok(Step::Ready(text)) => serde_json::from_str(&text).expect("answers are JSON"),
        other => unreachable!("expected an answer, got {other:?}"),
    }
}

/// Names of the functions that statements call.
fn functions(statements: &[Statement]) -> Vec<&str> {
    let name = |statement: &'_ Statement| statement.sql.find("kt.").map(|at| at + 3);
    statements
        .iter()
        .map(|statement| {
            let name = &statement.sql[name(statement).expect("every statement calls a function")..];
            &name[..name.find('(').expect("with arguments")]
        })
        .collect()
}

fn rows(rows: &[&[&str]]) -> StatementResult {
    Ok(rows.iter().map(|row| row.iter().map(|&column| Some(column.to_owned())).collect()).collect())
}

fn nothing() -> StatementResult {
    Ok(vec![vec![None]])
}

fn began() -> StatementResult {
    Ok(vec![vec![Some("1:1:".into()), None]])
}

fn error(sqlstate: &str, detail: Option<&str>) -> StatementResult {
    Err(DbError { sqlstate: sqlstate.into(), message: "m".into(), detail: detail.map(str::to_owned) })
}

/// Reads `row` of table `a` under its key, as the first operation of a transaction.
fn begin_with(transaction: &mut Transaction, key: &str, row: &str) {
    let (id, _) = sent(transaction.get("a", key));
    ready(transaction.answer(id, vec![began(), rows(&[&[row]])]));
}

fn payload(transaction: &mut Transaction) -> Value {
    let statements = transaction.commit(b"").expect("nothing wrong").expect("there are writes");
    let commit = statements.last().expect("a commit");
    serde_json::from_str(commit.params[1].as_deref().expect("a payload")).expect("payloads are JSON")
}

#[test]
fn the_first_read_takes_begin_along_and_the_next_does_not() {
    let mut transaction = transaction();
    let (first, statements) = sent(transaction.get("a", "k"));
    assert_eq!(functions(&statements), ["start", "get_tbl_2"]);
    let (second, statements) = sent(transaction.get("a", "l"));
    assert_eq!(functions(&statements), ["get_tbl_2"]);
    assert_eq!(
        ready(transaction.answer(first, vec![began(), rows(&[&[r#"{"id":"k"}"#]])])),
        json!({"id": "k"})
    );
    assert_eq!(ready(transaction.answer(second, vec![nothing()])), Value::Null);
    // Both are known now, and the absent one as well.
    assert_eq!(ready(transaction.get("a", "k")), json!({"id": "k"}));
    assert_eq!(ready(transaction.get("a", "l")), Value::Null);
    assert_eq!(transaction.commit(b"answer"), Ok(None));
    assert!(matches!(transaction.get("a", "k"), Err(TransactionError::Misuse(_))));
}

#[test]
fn a_blind_write_is_one_statement() {
    let mut transaction = transaction();
    assert_eq!(ready(transaction.set("a", r#"{"id":"k","n":1}"#)), json!({"id": "k", "n": 1}));
    assert_eq!(ready(transaction.get("a", "k")), json!({"id": "k", "n": 1}));
    let statements = transaction.commit(b"").expect("fine").expect("a write");
    assert_eq!(functions(&statements), ["commit"]);
    let params = &statements[0].params;
    let written: Value = serde_json::from_str(params[1].as_deref().expect("payload")).expect("JSON");
    assert_eq!(written, json!([{"t": "a", "put": [["k", {"id": "k", "n": 1}]]}]));
    assert_eq!(params[4..], [Some(format!("{}o.9", "0".repeat(64))), None]);
    assert_eq!(transaction.committed(vec![rows(&[&["7"]])]), Ok(CommitOutcome::Committed));
}

/// Parameters from the third on.
fn rest(statement: &Statement) -> Vec<Option<&str>> {
    statement.params[2..].iter().map(Option::as_deref).collect()
}

#[test]
fn one_row_is_stored_by_a_function_of_its_table() {
    let mut blind = transaction_with(Perms::ALL, Some(IdempotencyKey([2; 16])));
    ready(blind.push("b", r#"{"id":"k"}"#));
    let statements = blind.commit(b"\x01").expect("fine").expect("a write");
    assert_eq!(functions(&statements), ["store_tbl_1"]);
    let key = "02".repeat(16);
    let of_row = [Some("b"), Some("push"), Some("k"), Some(r#"{"id":"k"}"#), Some("false")];
    assert_eq!(rest(&statements[0]), [&[None], &of_row[..], &[Some(key.as_str()), Some("01")]].concat());

    let mut transaction = transaction();
    let (id, _) = sent(transaction.get("b", "k"));
    transaction.alone(id).expect("it is the only one");
    ready(transaction.answer(id, vec![rows(&[&["5:6:/ab/\n{\"id\":\"k\"}"]])]));
    ready(transaction.update("b", "k", r#"{"n":1}"#));
    let statements = transaction.commit(b"").expect("fine").expect("a write");
    assert_eq!(functions(&statements), ["store_tbl_1"]);
    let of_row = [Some("5:6:/ab"), Some("b"), Some("upd"), Some("k"), Some(r#"{"n":1}"#), Some("true")];
    assert_eq!(rest(&statements[0]), of_row);
    assert_eq!(transaction.committed(vec![rows(&[&["7"]])]), Ok(CommitOutcome::Committed));
}

#[test]
fn what_is_more_than_one_row_is_not() {
    type Calls = fn(&mut Transaction);
    let looked = |transaction: &mut Transaction, row: &str| {
        let (id, _) = sent(transaction.get("b", "k"));
        transaction.alone(id).expect("it is the only one");
        ready(transaction.answer(id, vec![rows(&[&[&format!("5:6:/ab/\n{row}")]])]));
    };
    let calls: [(Option<&str>, Calls, Value); 5] = [
        (
            None,
            |transaction| {
                ready(transaction.set("b", r#"{"id":"k"}"#));
                ready(transaction.set("b", r#"{"id":"l"}"#));
            },
            json!([{"t": "b", "put": [["k", {"id": "k"}], ["l", {"id": "l"}]]}]),
        ),
        (
            None,
            |transaction| {
                ready(transaction.delete("b", "k"));
                ready(transaction.set("b", r#"{"id":"k"}"#));
            },
            json!([{"t": "b", "del": ["k"], "put": [["k", {"id": "k"}]]}]),
        ),
        (
            Some(""),
            |transaction| drop(ready(transaction.set("b", r#"{"id":"k"}"#))),
            json!([{"t": "b", "r": ["k"], "put": [["k", {"id": "k"}]]}]),
        ),
        (
            Some(r#"{"id":"k"}"#),
            |transaction| drop(ready(transaction.set("b", r#"{"id":"l"}"#))),
            json!([{"t": "b", "r": ["k"], "put": [["l", {"id": "l"}]]}]),
        ),
        (
            Some(r#"{"id":"k"}"#),
            |transaction| drop(ready(transaction.set("a", r#"{"id":"k"}"#))),
            json!([{"t": "b", "r": ["k"]}, {"t": "a", "put": [["k", {"id": "k"}]]}]),
        ),
    ];
    for (read, call, expected) in calls {
        let mut transaction = transaction();
        if let Some(row) = read {
            looked(&mut transaction, row);
        }
        call(&mut transaction);
        let statements = transaction.commit(b"").expect("fine").expect("a write");
        assert_eq!(functions(&statements), ["commit"], "{expected}");
        let payload = statements[0].params[1].as_deref().expect("a payload");
        assert_eq!(serde_json::from_str::<Value>(payload).expect("JSON"), expected);
    }
}

/// Starts `get` as the only operation, without a session.
fn look(transaction: &mut Transaction) -> (RequestId, Statement) {
    let (id, _) = sent(transaction.get("a", "k"));
    (id, transaction.alone(id).expect("it is the only one"))
}

#[test]
fn a_read_alone_needs_no_session_and_neither_does_the_commit_after_it() {
    let mut transaction = transaction();
    let (id, statement) = look(&mut transaction);
    assert_eq!(functions(&[statement]), ["look_tbl_2"]);
    assert!(matches!(transaction.get("a", "l"), Err(TransactionError::Misuse(_))), "it is under way");
    let row = ready(transaction.answer(id, vec![rows(&[&["5:6:/ab/\n{\"id\":\"k\"}"]])]));
    assert_eq!((row, transaction.snapshot()), (json!({"id": "k"}), Some("5:6:/ab")));
    ready(transaction.update("a", "k", r#"{"n":1}"#));
    let statements = transaction.commit(b"").expect("fine").expect("a write");
    assert_eq!(functions(&statements), ["commit"]);
    assert_eq!(statements[0].params[5].as_deref(), Some("5:6:/ab"));
}

#[test]
fn a_second_read_opens_a_session_where_the_first_left_off() {
    let mut transaction = transaction();
    let (id, _) = look(&mut transaction);
    assert_eq!(ready(transaction.answer(id, vec![rows(&[&["5:6:/ab/\n"]])])), Value::Null);
    let (id, statements) = sent(transaction.get("a", "l"));
    assert_eq!(functions(&statements), ["start", "get_tbl_2"]);
    assert_eq!(statements[0].params[6].as_deref(), Some("5:6:/ab"));
    let lost = transaction.answer(id, vec![error("KT409", None), error("KT401", None)]);
    assert_eq!(lost, Err(TransactionError::Conflict));
    assert_eq!(transaction.get("a", "m"), Err(TransactionError::Conflict), "the transaction is over");
}

#[test]
fn rows_read_alone_come_after_where_they_were_read() {
    let mut transaction = transaction();
    let (id, _) = sent(transaction.list("a", None, Some(5)));
    let statement = transaction.alone(id).expect("it is the only one");
    assert_eq!(functions(&[statement]), ["here"]);
    let results = vec![
        vec![Some("5:6:/ab/".to_owned()), None, None, None],
        vec![
            Some("k".to_owned()),
            Some(r#"{"id":"k"}"#.to_owned()),
            Some("1".to_owned()),
            Some("-1".to_owned()),
        ],
    ];
    assert_eq!(ready(transaction.answer(id, vec![Ok(results)])), json!([{"id": "k"}]));
}

#[test]
fn a_read_alone_finds_the_first_answer() {
    let mut transaction = transaction_with(Perms::ALL, Some(IdempotencyKey([2; 16])));
    let (id, statement) = look(&mut transaction);
    assert_eq!(statement.params[2].as_deref(), Some("02".repeat(16).as_str()));
    let outcome = transaction.answer(id, vec![rows(&[&["5:6:/ab/01ff\n"]])]);
    assert_eq!(outcome, Err(TransactionError::AlreadyApplied(vec![1, 255])));
    assert_eq!(transaction.commit(b"").err(), Some(TransactionError::AlreadyApplied(vec![1, 255])));
}

#[test]
fn what_cannot_go_alone_does_not() {
    let mut two = transaction();
    let (first, _) = sent(two.get("a", "k"));
    let (second, _) = sent(two.get("a", "l"));
    assert_eq!((two.alone(first), two.alone(second)), (None, None), "they travel together");
    let mut second = transaction();
    begin_with(&mut second, "k", "{}");
    let (id, _) = sent(second.get("a", "l"));
    assert_eq!(second.alone(id), None, "a session is open");
    let mut exec = transaction();
    let (id, _) = sent(exec.exec("a", "SELECT 1", Vec::new()));
    assert_eq!(exec.alone(id), None);
    let mut refused = transaction();
    let (id, _) = look(&mut refused);
    let forged = vec![error("KT401", Some("credential"))];
    assert_eq!(refused.answer(id, forged), Err(TransactionError::Unauthenticated));
    for misread in ["", "5:6:", "5:6:/ab", "5:6:/ab/xyz\n", "5:6:/ab//\n"] {
        let mut transaction = transaction();
        let (id, _) = look(&mut transaction);
        let outcome = transaction.answer(id, vec![rows(&[&[misread]])]);
        assert!(matches!(outcome, Err(TransactionError::Misuse(_))), "{misread}");
    }
}

#[test]
fn the_payload_is_in_order_of_ptr_and_names_every_read() {
    let mut transaction = transaction();
    begin_with(&mut transaction, "absent", "null");
    let (id, _) = sent(transaction.get("a", "x"));
    ready(transaction.answer(id, vec![nothing()]));
    let (id, _) = sent(transaction.query("a", r#"{"match":{"n":1}}"#));
    ready(transaction.answer(id, vec![rows(&[])]));
    ready(transaction.set("b", r#"{"id":"2"}"#));
    ready(transaction.set("b", r#"{"id":"1"}"#));
    ready(transaction.push("b", r#"{"id":"3"}"#));
    ready(transaction.delete("b", "0"));
    assert_eq!(
        payload(&mut transaction),
        json!([
            {"t": "b", "del": ["0"], "put": [["2", {"id": "2"}], ["1", {"id": "1"}]], "push": [["3", {"id": "3"}]]},
            {"t": "a", "r": ["absent", "x"], "q": [{"k": "c", "v": {"n": 1}}]},
        ])
    );
}

#[test]
fn update_reads_merges_and_sends_only_the_patch() {
    let mut transaction = transaction();
    let (id, statements) = sent(transaction.update("a", "k", r#"{"n":2}"#));
    assert_eq!(functions(&statements), ["start", "get_tbl_2"]);
    let merged = ready(
        transaction.answer(id, vec![began(), rows(&[&[r#"{"id":"k","n":1,"big":9007199254740993}"#]])]),
    );
    assert_eq!(merged, json!({"id": "k", "n": 2, "big": 9_007_199_254_740_993_i64}));
    assert_eq!(ready(transaction.update("a", "k", r#"{"m":3}"#))["n"], 2);
    assert_eq!(payload(&mut transaction), json!([{"t": "a", "r": ["k"], "upd": [["k", {"n": 2, "m": 3}]]}]));
}

#[test]
fn update_of_an_absent_row_writes_nothing() {
    let mut transaction = transaction();
    let (id, _) = sent(transaction.update("a", "k", "{}"));
    let outcome = transaction.answer(id, vec![began(), nothing()]);
    assert_eq!(outcome, Err(TransactionError::NotFound { table: "a".into(), key: "k".into() }));
    assert_eq!(transaction.commit(b""), Ok(None));
}

#[test]
fn a_row_stored_after_its_deletion_is_a_new_row() {
    let mut transaction = transaction();
    ready(transaction.delete("a", "k"));
    assert_eq!(ready(transaction.get("a", "k")), Value::Null);
    ready(transaction.set("a", r#"{"id":"k"}"#));
    assert_eq!(payload(&mut transaction), json!([{"t": "a", "del": ["k"], "put": [["k", {"id": "k"}]]}]));
}

#[test]
fn a_patch_may_not_change_the_key() {
    let refused = transaction().update("a", "k", r#"{"id":"l"}"#);
    assert!(matches!(refused, Err(TransactionError::BadValue(_))));
}

#[test]
fn readonly_fields_of_a_known_row_stay() {
    let refused = Err(TransactionError::ReadonlyField { table: "a".into(), field: "made".into() });
    let mut transaction = transaction();
    begin_with(&mut transaction, "k", r#"{"id":"k","made":1}"#);
    assert_eq!(transaction.update("a", "k", r#"{"made":2}"#), refused);
    assert_eq!(transaction.set("a", r#"{"id":"k"}"#), refused);
    assert_eq!(transaction.push("a", r#"{"id":"k","made":2}"#), refused);
    ready(transaction.update("a", "k", r#"{"made":1,"n":1}"#));
    ready(transaction.set("a", r#"{"id":"k","made":1}"#));
    // Another table has no such field.
    ready(transaction.set("b", r#"{"id":"k","made":2}"#));
}

#[test]
fn operations_outside_of_the_endpoints_bits_send_nothing() {
    let denied = |needed| Err(TransactionError::PermissionDenied { table: "a".into(), needed });
    let mut reader = transaction_with(Perms::R, None);
    assert_eq!(reader.set("a", r#"{"id":"k"}"#), denied(Perms::W));
    assert_eq!(reader.push("a", r#"{"id":"k"}"#), denied(Perms::W));
    assert_eq!(reader.update("a", "k", "{}"), denied(Perms::W));
    assert_eq!(reader.delete("a", "k"), denied(Perms::X));
    let mut writer = transaction_with(Perms::W.union(Perms::X), None);
    assert_eq!(writer.get("a", "k"), denied(Perms::R));
    assert_eq!(writer.mget("a", &[]), denied(Perms::R));
    assert_eq!(writer.list("a", None, None), denied(Perms::R));
    assert_eq!(writer.query("a", r#"{"match":{"n":1}}"#), denied(Perms::R));
    assert_eq!(writer.count("a", "{}"), denied(Perms::R));
    assert_eq!(writer.commit(b""), Ok(None));
}

#[test]
fn unknown_tables_and_names_of_objects_are_no_tables() {
    for name in ["c", "__proto__", "tbl_2", ""] {
        assert_eq!(transaction().get(name, "k"), Err(TransactionError::NoTable(name.into())));
    }
}

#[test]
fn a_list_shows_own_writes_in_the_order_they_will_have() {
    let mut transaction = transaction();
    ready(transaction.set("a", r#"{"id":"2","n":"mine"}"#));
    ready(transaction.set("a", r#"{"id":"new"}"#));
    ready(transaction.push("a", r#"{"id":"1","n":"moved"}"#));
    ready(transaction.delete("a", "3"));
    let (id, statements) = sent(transaction.list("a", None, Some(4)));
    assert_eq!(functions(&statements), ["start", "list_tbl_2"]);
    // Enough to fill the page when all own writes take a row away.
    assert_eq!(statements[1].params[2].as_deref(), Some("8"));
    let row = |key: &str| {
        vec![Some(key.to_owned()), Some(format!(r#"{{"id":"{key}"}}"#)), Some(key.to_owned()), None]
    };
    let listed = ready(transaction.answer(id, vec![began(), Ok(["1", "2", "3", "4"].map(row).to_vec())]));
    assert_eq!(
        listed,
        json!([{"id": "2", "n": "mine"}, {"id": "4"}, {"id": "new"}, {"id": "1", "n": "moved"}])
    );
    assert_eq!(payload(&mut transaction)[0]["q"], json!([{"k": "a"}]));
}

#[test]
fn a_page_records_its_range_only() {
    let mut transaction = transaction();
    let (id, statements) = sent(transaction.list("a", Some("k"), Some(1)));
    assert_eq!(functions(&statements), ["start", "list_tbl_2", "mget_tbl_2"]);
    let page = rows(&[&["l", r#"{"id":"l"}"#, "12", "10"]]);
    let listed = ready(transaction.answer(id, vec![began(), page, rows(&[&["k", r#"{"id":"k"}"#]])]));
    assert_eq!(listed, json!([{"id": "l"}]));
    ready(transaction.delete("b", "x"));
    let part = &payload(&mut transaction)[1];
    assert_eq!(part["q"], json!([{"k": "l", "from": 11, "to": 12}]));
    assert_eq!(part["r"], json!(["k"]));
}

#[test]
fn a_page_after_an_absent_row_is_refused() {
    let mut transaction = transaction();
    let (id, _) = sent(transaction.list("a", Some("k"), None));
    let refused = transaction.answer(id, vec![began(), rows(&[]), rows(&[])]);
    assert!(matches!(refused, Err(TransactionError::BadValue(_))));
}

#[test]
fn a_query_shows_own_writes() {
    let mut transaction = transaction();
    begin_with(&mut transaction, "gone", r#"{"id":"gone","n":1}"#);
    ready(transaction.update("a", "gone", r#"{"n":2}"#));
    ready(transaction.set("a", r#"{"id":"came","n":1}"#));
    ready(transaction.set("a", r#"{"id":"other","n":3}"#));
    let (id, _) = sent(transaction.query("a", r#"{"match":{"n":1}}"#));
    let hits = rows(&[&["gone", r#"{"id":"gone","n":1}"#], &["kept", r#"{"id":"kept","n":1}"#]]);
    let found = ready(transaction.answer(id, vec![hits]));
    assert_eq!(found, json!([{"id": "kept", "n": 1}, {"id": "came", "n": 1}]));
}

#[test]
fn a_count_includes_own_writes() {
    let mut transaction = transaction();
    ready(transaction.set("a", r#"{"id":"new","n":1}"#));
    ready(transaction.set("a", r#"{"id":"old","n":1}"#));
    ready(transaction.delete("a", "gone"));
    let (id, statements) = sent(transaction.count("a", r#"{"match":{"n":1}}"#));
    assert_eq!(functions(&statements), ["start", "count_tbl_2", "mget_tbl_2"]);
    let known = rows(&[&["old", r#"{"id":"old","n":1}"#], &["gone", r#"{"id":"gone","n":1}"#]]);
    assert_eq!(ready(transaction.answer(id, vec![began(), rows(&[&["10"]]), known])), json!(10));
    let (id, statements) = sent(transaction.count("a", "{}"));
    assert_eq!(statements[0].params[1], None);
    assert_eq!(ready(transaction.answer(id, vec![rows(&[&["20"]])])), json!(20));
}

#[test]
fn mget_asks_for_what_is_not_known_and_keeps_the_order() {
    let mut transaction = transaction();
    begin_with(&mut transaction, "known", r#"{"id":"known"}"#);
    ready(transaction.set("a", r#"{"id":"mine"}"#));
    let keys = ["mine", "x", "known", "y", "x"].map(str::to_owned);
    let (id, statements) = sent(transaction.mget("a", &keys));
    assert_eq!(statements[0].params[1].as_deref(), Some(r#"["x","y"]"#));
    let found = ready(transaction.answer(id, vec![rows(&[&["x", r#"{"id":"x"}"#]])]));
    assert_eq!(found, json!([{"id": "mine"}, {"id": "x"}, {"id": "known"}, null, {"id": "x"}]));
    assert_eq!(payload(&mut transaction)[0]["r"], json!(["known", "x", "y"]));
}

#[test]
fn a_failed_begin_fails_everything() {
    let mut transaction = transaction();
    let (first, _) = sent(transaction.get("a", "k"));
    let (second, _) = sent(transaction.get("a", "l"));
    let refused = Err(TransactionError::Unauthenticated);
    assert_eq!(transaction.answer(first, vec![error("KT401", None), error("KT401", None)]), refused);
    assert_eq!(transaction.answer(second, vec![error("KT401", None)]), refused);
    assert_eq!(transaction.set("a", r#"{"id":"k"}"#), refused);
    assert_eq!(transaction.commit(b""), Err(TransactionError::Unauthenticated));
}

#[test]
fn a_known_idempotency_key_gives_the_first_answer() {
    let key = Some(IdempotencyKey([9; 16]));
    let first_answer = || Ok(vec![vec![None, Some("c0ffee".into())]]);
    let answer = vec![0xc0, 0xff, 0xee];

    let mut reading = transaction_with(Perms::ALL, key);
    let (id, _) = sent(reading.get("a", "k"));
    let known = reading.answer(id, vec![first_answer(), error("KT401", None)]);
    assert_eq!(known, Err(TransactionError::AlreadyApplied(answer.clone())));

    let mut blind = transaction_with(Perms::ALL, key);
    ready(blind.set("a", r#"{"id":"k"}"#));
    let statements = blind.commit(b"\x01").expect("fine").expect("a write");
    assert_eq!(statements[0].params[2..4], [Some("09".repeat(16)), Some("01".into())]);
    let known = blind.committed(vec![error("KT208", Some("c0ffee"))]);
    assert_eq!(known, Ok(CommitOutcome::AlreadyApplied(answer)));
}

#[test]
fn errors_of_a_commit_are_told_apart() {
    let outcome = |sqlstate: &str, detail: Option<&str>| {
        let mut transaction = transaction();
        ready(transaction.set("a", r#"{"id":"k"}"#));
        transaction.commit(b"").expect("fine");
        transaction.committed(vec![error(sqlstate, detail)]).expect_err("an error")
    };
    for sqlstate in ["KT409", "40001", "40P01", "55P03"] {
        assert!(outcome(sqlstate, None).is_retryable(), "{sqlstate}");
    }
    let refused = r#"{"t":"tbl_2","key":"k","field":"made"}"#;
    let readonly = TransactionError::ReadonlyField { table: "tbl_2".into(), field: "made".into() };
    assert_eq!(outcome("KT403", Some(refused)), readonly);
    assert_eq!(outcome("KT403", None), TransactionError::CommitDenied);
    let taken = TransactionError::NotUnique { table: "tbl_2".into(), field: "made".into() };
    assert!(!taken.is_retryable());
    assert_eq!(outcome("KT422", Some(refused)), taken);
    assert!(matches!(outcome("KT422", None), TransactionError::Unexpected(_)));
    assert_eq!(outcome("KT401", None), TransactionError::SessionEnded);
    assert_eq!(outcome("KT401", Some("credential")), TransactionError::Unauthenticated);
    assert!(matches!(outcome("KT404", None), TransactionError::NoTable(_)));
    assert!(matches!(outcome("KT503", None), TransactionError::NotReady(_)));
    assert!(matches!(outcome("08006", None), TransactionError::Unavailable(_)));
    assert!(matches!(outcome("XX000", None), TransactionError::Unexpected(_)));
    assert!(matches!(outcome("KT208", Some("zz")), TransactionError::Unexpected(_)));
}

#[test]
fn a_conflict_names_what_it_was_about() {
    let about = |sqlstate: &str, detail: Option<&str>| {
        let mut transaction = transaction();
        ready(transaction.set("a", r#"{"id":"k"}"#));
        transaction.commit(b"").expect("fine");
        transaction.committed(vec![error(sqlstate, detail)]).expect_err("an error");
        transaction.contested().map(str::to_owned)
    };
    assert_eq!(about("KT409", Some(r#"{"t":"tbl_2","key":"k"}"#)).as_deref(), Some("tbl_2/k"));
    assert_eq!(about("KT409", Some(r#"{"t":"tbl_2","predicate":{"k":"a"}}"#)).as_deref(), Some("tbl_2"));
    assert_eq!((about("KT409", None), about("40P01", Some(r#"{"t":"tbl_2"}"#))), (None, None));
}

#[test]
fn a_lost_commit_is_resolved() {
    let transaction = transaction();
    assert_eq!(functions(&[transaction.resolve()]), ["abort"]);
    assert_eq!(transaction.resolved(rows(&[&["committed"]])), Ok(Resolution::Committed));
    for word in ["aborted", "gone"] {
        assert_eq!(transaction.resolved(rows(&[&[word]])), Ok(Resolution::NotCommitted));
    }
    assert!(matches!(transaction.resolved(error("08006", None)), Err(TransactionError::Unavailable(_))));
}

#[test]
fn a_commit_waits_for_no_one() {
    let mut transaction = transaction();
    let (id, _) = sent(transaction.update("a", "k", "{}"));
    assert!(matches!(transaction.commit(b""), Err(TransactionError::Misuse(_))));
    ready(transaction.answer(id, vec![began(), rows(&[&[r#"{"id":"k"}"#]])]));
    assert!(matches!(transaction.answer(id, vec![]), Err(TransactionError::Misuse(_))));
    assert!(transaction.commit(b"").expect("fine").is_some());
    assert!(matches!(transaction.commit(b""), Err(TransactionError::Misuse(_))));
}

#[test]
fn limits_hold() {
    let mut transaction = transaction();
    let limited = |outcome| matches!(outcome, Err(TransactionError::LimitExceeded(_)));
    assert!(limited(transaction.list("a", None, Some(ROWS_PER_READ_MAX + 1))));
    assert!(limited(transaction.mget("a", &vec!["k".to_owned(); ROWS_PER_READ_MAX + 1])));
    assert!(limited(transaction.get("a", &"k".repeat(513))));
    for number in 0..KEYS_PER_TRANSACTION_MAX {
        ready(transaction.delete("a", &number.to_string()));
    }
    assert!(limited(transaction.delete("a", "one more")));
    ready(transaction.delete("a", "0"));
    assert!(transaction.commit(b"").expect("within the limit").is_some());
}

#[test]
fn keys_never_become_sql() {
    let hostile = "'; DROP TABLE kt.storage; --";
    let (_, statements) = sent(transaction().get("a", hostile));
    assert!(statements.iter().all(|statement| !statement.sql.contains("DROP")));
    assert_eq!(statements[1].params[1].as_deref(), Some(hostile));
}
