//! Transactions for JavaScript: operations in, statements and values out, all as JSON text.

use crate::platform::WebCrypto;
use crate::statements;
use kontract_gateway::AdmittedCall;
use kontract_mvcc::credential::{Credential, Sid};
use kontract_mvcc::error::TransactionError;
use kontract_mvcc::statement::RequestId;
use kontract_mvcc::table::Tables;
use kontract_mvcc::transaction::{self, CommitOutcome, Resolution};
use kontract_mvcc::{retry, sql};
use kontract_raystream::Entropy as _;
use kontract_wire::call::IdempotencyKey;
use kontract_wire::error::ErrorCode;
use std::sync::Arc;
use wasm_bindgen::prelude::{JsError, JsValue, wasm_bindgen};

/// The transaction of one attempt at a call.
#[wasm_bindgen]
pub struct Transaction {
    transaction: transaction::Transaction,
    already_applied: Option<Vec<u8>>,
}

/// A storage operation's value, or the statements that lead to it.
#[wasm_bindgen]
pub struct Step(transaction::Step);

#[wasm_bindgen]
impl Step {
    /// The value as JSON, when it is known.
    #[wasm_bindgen(getter)]
    pub fn ready(&self) -> Option<String> {
        match &self.0 {
            transaction::Step::Ready(json) => Some(json.clone()),
            transaction::Step::Send { .. } => None,
        }
    }

    /// Goes with the results to [`Transaction::answer`].
    #[wasm_bindgen(getter)]
    pub fn request(&self) -> f64 {
        match &self.0 {
            transaction::Step::Ready(_) => 0.0,
            #[expect(clippy::cast_precision_loss, reason = "a transaction has few requests")]
            transaction::Step::Send { id, .. } => id.0 as f64,
        }
    }

    /// The statements to run, as JSON.
    #[wasm_bindgen(getter)]
    pub fn statements(&self) -> String {
        match &self.0 {
            transaction::Step::Ready(_) => String::new(),
            transaction::Step::Send { statements, .. } => statements::to_json(statements),
        }
    }
}

impl Transaction {
    pub(crate) fn begin(call: &AdmittedCall, tables: Arc<Tables>, key: Option<IdempotencyKey>) -> Self {
        let (sid, credential) = identity(call);
        let transaction = transaction::Transaction::new(sid, credential, call.policy().perm, tables, key);
        Self { transaction, already_applied: None }
    }

    pub(crate) fn at(call: &AdmittedCall, tables: Arc<Tables>, snapshot: String) -> Self {
        let (sid, credential) = identity(call);
        let transaction = transaction::Transaction::at(sid, credential, call.policy().perm, tables, snapshot);
        Self { transaction, already_applied: None }
    }

    /// Keeps the first answer of a mutation that was done before; every other error becomes `CODE: message`.
    fn step(&mut self, step: Result<transaction::Step, TransactionError>) -> Result<Step, JsError> {
        step.map(Step).map_err(|error| self.thrown(error))
    }

    fn thrown(&mut self, error: TransactionError) -> JsError {
        let thrown = describe(&error);
        if let TransactionError::AlreadyApplied(answer) = error {
            self.already_applied = Some(answer);
        }
        thrown
    }
}

/// A fresh session id, and who the call is for.
fn identity(call: &AdmittedCall) -> (Sid, Credential) {
    let mut sid = [0; 16];
    WebCrypto.fill(&mut sid);
    let credential = Credential {
        owner: call.credential().owner.clone(),
        expires_at_s: i64::try_from(call.credential().expires_at.0).unwrap_or(i64::MAX),
        mac: call.credential().mac,
    };
    (Sid(sid), credential)
}

#[wasm_bindgen]
impl Transaction {
    /// One row, or `null`.
    ///
    /// # Errors
    /// `CODE: message`, here and below.
    pub fn get(&mut self, table: &str, key: &str) -> Result<Step, JsError> {
        let step = self.transaction.get(table, key);
        self.step(step)
    }

    /// Rows by their keys.
    pub fn mget(&mut self, table: &str, keys: Vec<String>) -> Result<Step, JsError> {
        let step = self.transaction.mget(table, &keys);
        self.step(step)
    }

    /// Rows in the order in which they were appended, from behind the key `after`.
    pub fn list(&mut self, table: &str, after: Option<String>, limit: Option<u32>) -> Result<Step, JsError> {
        let step = self.transaction.list(table, after.as_deref(), limit.map(|limit| limit as usize));
        self.step(step)
    }

    /// The next rows of an iteration and where it goes on: `{"rows": […], "next": cursor or null}`.
    pub fn page(&mut self, table: &str, cursor: Option<String>, limit: u32) -> Result<Step, JsError> {
        let step = self.transaction.page(table, cursor.as_deref(), limit as usize);
        self.step(step)
    }

    /// Rows that a query finds; `find` is JSON.
    pub fn query(&mut self, table: &str, find: &str) -> Result<Step, JsError> {
        let step = self.transaction.query(table, find);
        self.step(step)
    }

    /// How many rows a query finds.
    pub fn count(&mut self, table: &str, find: &str) -> Result<Step, JsError> {
        let step = self.transaction.count(table, find);
        self.step(step)
    }

    /// Removes the last row.
    pub fn pop(&mut self, table: &str) -> Result<Step, JsError> {
        let step = self.transaction.pop(table);
        self.step(step)
    }

    /// Removes the first row.
    pub fn shift(&mut self, table: &str) -> Result<Step, JsError> {
        let step = self.transaction.shift(table);
        self.step(step)
    }

    /// Runs one statement on the table; `params` is a JSON array of texts and nulls.
    pub fn exec(&mut self, table: &str, statement: &str, params: &str) -> Result<Step, JsError> {
        let params = serde_json::from_str(params).map_err(|error| JsError::new(&error.to_string()))?;
        let step = self.transaction.exec(table, statement, params);
        self.step(step)
    }

    /// Versions of a row, the latest first.
    pub fn history(&mut self, table: &str, key: &str, limit: Option<u32>) -> Result<Step, JsError> {
        let step = self.transaction.history(table, key, limit.map(|limit| limit as usize));
        self.step(step)
    }

    /// The snapshot that is read, after the first read.
    #[wasm_bindgen(getter)]
    pub fn snapshot(&self) -> Option<String> {
        self.transaction.snapshot().map(str::to_owned)
    }

    /// Puts a row.
    pub fn set(&mut self, table: &str, row: &str) -> Result<Step, JsError> {
        let step = self.transaction.set(table, row);
        self.step(step)
    }

    /// Appends a row.
    pub fn push(&mut self, table: &str, row: &str) -> Result<Step, JsError> {
        let step = self.transaction.push(table, row);
        self.step(step)
    }

    /// Merges a patch into a row that exists.
    pub fn update(&mut self, table: &str, key: &str, patch: &str) -> Result<Step, JsError> {
        let step = self.transaction.update(table, key, patch);
        self.step(step)
    }

    /// Removes a row.
    pub fn delete(&mut self, table: &str, key: &str) -> Result<Step, JsError> {
        let step = self.transaction.delete(table, key);
        self.step(step)
    }

    /// The one statement, as JSON, that may be sent in place of a step's when nothing else is sent before its answer;
    /// `undefined` when there is none. See `kontract_mvcc::transaction::Transaction::alone`.
    pub fn alone(&mut self, request: f64) -> Option<String> {
        let statement = self.transaction.alone(request_id(request))?;
        Some(statements::to_json(&[statement]))
    }

    /// Takes the results of a step's statements.
    pub fn answer(&mut self, request: f64, results: &str) -> Result<Step, JsError> {
        let results = statements::results(results)?;
        let step = self.transaction.answer(request_id(request), results);
        self.step(step)
    }

    /// The statements that commit, as JSON; `undefined` when nothing was written.
    pub fn commit(&mut self, answer: &[u8]) -> Result<Option<String>, JsError> {
        let commit = self.transaction.commit(answer);
        let statements = commit.map_err(|error| self.thrown(error))?;
        Ok(statements.map(|statements| statements::to_json(&statements)))
    }

    /// Takes the results of the commit. An answer means that the mutation was done before, with that answer.
    pub fn committed(&mut self, results: &str) -> Result<Option<Vec<u8>>, JsError> {
        match self.transaction.committed(statements::results(results)?) {
            Ok(CommitOutcome::Committed) => Ok(None),
            Ok(CommitOutcome::AlreadyApplied(answer)) => Ok(Some(answer)),
            Err(error) => Err(self.thrown(error)),
        }
    }

    /// What the commit conflicted over, as far as that is known.
    #[wasm_bindgen(getter)]
    pub fn contested(&self) -> Option<String> {
        self.transaction.contested().map(str::to_owned)
    }

    /// The statement that tells what became of a commit whose results were lost, as JSON.
    pub fn resolve(&self) -> String {
        statements::to_json(&[self.transaction.resolve()])
    }

    /// Whether that commit happened.
    pub fn resolved(&mut self, results: &str) -> Result<bool, JsError> {
        let result = statements::results(results)?.pop().ok_or_else(|| JsError::new("no result"))?;
        match self.transaction.resolved(result) {
            Ok(Resolution::Committed) => Ok(true),
            Ok(Resolution::NotCommitted) => Ok(false),
            Err(error) => Err(self.thrown(error)),
        }
    }

    /// The first answer of a mutation that an operation found to be done before.
    #[wasm_bindgen(getter, js_name = alreadyApplied)]
    pub fn already_applied(&self) -> Option<Vec<u8>> {
        self.already_applied.clone()
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "made by Step::request")]
fn request_id(request: f64) -> RequestId {
    RequestId(request as u64)
}

/// The statement that does one step of garbage collection, as JSON.
#[wasm_bindgen(js_name = collectStatements)]
pub fn collect_statements() -> String {
    statements::to_json(&[sql::collect()])
}

/// Milliseconds to wait before the next attempt; `undefined` when there is none. `attempt` counts from 1.
#[wasm_bindgen(js_name = backoffMs)]
pub fn backoff_ms(attempt: u32, random: u32) -> JsValue {
    match retry::backoff_ms(attempt, random) {
        #[expect(clippy::cast_precision_loss, reason = "a pause is short")]
        Some(pause) => JsValue::from_f64(pause as f64),
        None => JsValue::UNDEFINED,
    }
}

/// `CODE: message` for what the caller may see; an internal error keeps its words for the log.
fn describe(error: &TransactionError) -> JsError {
    let code = match error {
        TransactionError::AlreadyApplied(_) => "ALREADY_APPLIED",
        TransactionError::ResultTooLarge => "RESULT_TOO_LARGE",
        other => other.code().as_str(),
    };
    // The database's own words are for the log: they are thrown apart from the codes that travel.
    let message = match error.code() {
        ErrorCode::Unavailable => "the database is not available; try again".to_owned(),
        _ => error.to_string(),
    };
    JsError::new(&format!("{code}: {message}"))
}
