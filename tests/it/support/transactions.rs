//! Drives the real transaction core over a real connection, as the gateway does.

use std::collections::BTreeSet;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use kontract_mvcc::credential::{Credential, Sid};
use kontract_mvcc::error::TransactionError;
use kontract_mvcc::retry::backoff_ms;
use kontract_mvcc::statement::{DbError, Statement, StatementResult};
use kontract_mvcc::table::{Ptr, Table, Tables};
use kontract_mvcc::transaction::{CommitOutcome, Resolution, Step, Transaction};
use kontract_wire::call::IdempotencyKey;
use kontract_wire::perm::Perms;
use postgres::Client;
use postgres::types::ToSql;
use serde_json::{Value, json};

use super::postgres::{Database, credential};

/// A connection of the gateway's that works for one owner.
pub(crate) struct Caller {
    client: Client,
    credential: Credential,
    perms: Perms,
    tables: Arc<Tables>,
}

/// An open transaction of a caller.
pub(crate) struct Open<'a> {
    client: &'a mut Client,
    transaction: Transaction,
    goes_alone: bool,
}

/// The tables `entries` (read-only field `made`) and `marks`, as a build would list them.
pub(crate) fn tables() -> Arc<Tables> {
    Arc::new(Tables::from([
        ("entries".into(), table("tbl_entries", &["made"])),
        ("marks".into(), table("tbl_marks", &[])),
    ]))
}

/// Tables whose ptrs are `tbl_` and their names.
pub(crate) fn tables_named(names: &[String]) -> Arc<Tables> {
    Arc::new(names.iter().map(|name| (name.clone(), table(&format!("tbl_{name}"), &[]))).collect())
}

fn table(ptr: &str, readonly: &[&str]) -> Table {
    Table {
        ptr: Ptr::parse(ptr).expect("a ptr"),
        key: "id".into(),
        readonly: readonly.iter().map(|&field| field.to_owned()).collect::<BTreeSet<_>>(),
    }
}

/// Provisions [`tables`] for everyone.
pub(crate) fn provision(database: &Database) {
    let sql = "SELECT kt.provision('entries', 'tbl_entries', '*', 7, array['made']), kt.provision('marks', 'tbl_marks')";
    database.connect("kt_deploy").batch_execute(sql).expect("kt_deploy provisions");
}

/// Sixteen random bytes.
pub(crate) fn random_16() -> [u8; 16] {
    let mut bytes = [0; 16];
    for half in bytes.chunks_mut(8) {
        half.copy_from_slice(&RandomState::new().build_hasher().finish().to_ne_bytes());
    }
    bytes
}

/// Runs one statement as a driver does that knows nothing but text.
pub(crate) fn run(client: &mut Client, statement: &Statement) -> StatementResult {
    let params: Vec<&(dyn ToSql + Sync)> =
        statement.params.iter().map(|param| param as &(dyn ToSql + Sync)).collect();
    let rows = client.query(&statement.sql, &params).map_err(|error| match error.as_db_error() {
        Some(error) => DbError {
            sqlstate: error.code().code().to_owned(),
            message: error.message().to_owned(),
            detail: error.detail().map(str::to_owned),
        },
        None => DbError { sqlstate: "08006".into(), message: error.to_string(), detail: None },
    })?;
    Ok(rows.iter().map(|row| (0..row.len()).map(|column| row.get(column)).collect()).collect())
}

impl Caller {
    /// A caller whose endpoint has every bit.
    pub(crate) fn new(database: &Database, owner: &str) -> Self {
        Self::with(database, credential(owner), Perms::ALL, tables())
    }

    /// A caller of choice.
    pub(crate) fn with(
        database: &Database,
        credential: Credential,
        perms: Perms,
        tables: Arc<Tables>,
    ) -> Self {
        Self::over(database.connect("kt_gateway"), credential, perms, tables)
    }

    /// A caller over a connection of choice.
    pub(crate) fn over(client: Client, credential: Credential, perms: Perms, tables: Arc<Tables>) -> Self {
        Self { client, credential, perms, tables }
    }

    /// Opens a transaction.
    pub(crate) fn open(&mut self) -> Open<'_> {
        self.open_with(None)
    }

    /// Opens a transaction for a mutation with an idempotency key.
    pub(crate) fn open_with(&mut self, key: Option<IdempotencyKey>) -> Open<'_> {
        let sid = Sid(random_16());
        let transaction =
            Transaction::new(sid, self.credential.clone(), self.perms, Arc::clone(&self.tables), key);
        Open { client: &mut self.client, transaction, goes_alone: false }
    }

    /// Opens a transaction that reads an earlier state.
    pub(crate) fn open_at(&mut self, snapshot: &str) -> Open<'_> {
        let sid = Sid(random_16());
        let tables = Arc::clone(&self.tables);
        let transaction =
            Transaction::at(sid, self.credential.clone(), self.perms, tables, snapshot.to_owned());
        Open { client: &mut self.client, transaction, goes_alone: false }
    }

    /// Runs a call until it does not conflict, as the policy says.
    pub(crate) fn call<T>(
        &mut self,
        mut body: impl FnMut(&mut Open<'_>) -> Result<T, TransactionError>,
    ) -> Result<T, TransactionError> {
        let mut attempt = 0;
        loop {
            attempt += 1;
            let mut open = self.open();
            let outcome = body(&mut open).and_then(|value| open.commit(b"").map(|_| value));
            let random = RandomState::new().build_hasher().finish() as u32;
            match outcome {
                Err(error) if error.is_retryable() => match backoff_ms(attempt, random) {
                    // The pause belongs to the policy under test; nothing is waited for.
                    Some(pause_ms) => thread::park_timeout(Duration::from_millis(pause_ms)),
                    None => return Err(error),
                },
                outcome => return outcome,
            }
        }
    }
}

impl Open<'_> {
    fn drive(&mut self, step: Result<Step, TransactionError>) -> Result<Value, TransactionError> {
        let mut step = step?;
        loop {
            match step {
                Step::Ready(text) => return Ok(serde_json::from_str(&text).expect("answers are JSON")),
                Step::Send { id, mut statements } => {
                    if self.goes_alone {
                        statements = vec![self.transaction.alone(id).expect("a first read")];
                        self.goes_alone = false;
                    }
                    let results = statements.iter().map(|statement| run(self.client, statement)).collect();
                    step = self.transaction.answer(id, results)?;
                }
            }
        }
    }

    /// Lets the next read go without a session, as the gateway does with a first one.
    pub(crate) fn goes_alone(&mut self) {
        self.goes_alone = true;
    }

    /// [`get`](Self::get) without a session.
    pub(crate) fn look(&mut self, table: &str, key: &str) -> Result<Value, TransactionError> {
        self.goes_alone();
        self.get(table, key)
    }

    /// What the commit conflicted over.
    pub(crate) fn contested(&self) -> Option<String> {
        self.transaction.contested().map(str::to_owned)
    }

    pub(crate) fn get(&mut self, table: &str, key: &str) -> Result<Value, TransactionError> {
        let step = self.transaction.get(table, key);
        self.drive(step)
    }

    pub(crate) fn mget(&mut self, table: &str, keys: &[&str]) -> Result<Value, TransactionError> {
        let keys: Vec<_> = keys.iter().map(|&key| key.to_owned()).collect();
        let step = self.transaction.mget(table, &keys);
        self.drive(step)
    }

    pub(crate) fn list(
        &mut self,
        table: &str,
        after: Option<&str>,
        limit: Option<usize>,
    ) -> Result<Value, TransactionError> {
        let step = self.transaction.list(table, after, limit);
        self.drive(step)
    }

    /// One page of an iteration.
    pub(crate) fn page(
        &mut self,
        table: &str,
        cursor: Option<&str>,
        limit: usize,
    ) -> Result<Value, TransactionError> {
        let step = self.transaction.page(table, cursor, limit);
        self.drive(step)
    }

    /// Rows that contain a pattern.
    pub(crate) fn query(&mut self, table: &str, pattern: &Value) -> Result<Value, TransactionError> {
        self.find(table, &json!({ "match": pattern }))
    }

    pub(crate) fn find(&mut self, table: &str, find: &Value) -> Result<Value, TransactionError> {
        let step = self.transaction.query(table, &find.to_string());
        self.drive(step)
    }

    /// How many rows contain a pattern.
    pub(crate) fn count(&mut self, table: &str, pattern: &Value) -> Result<Value, TransactionError> {
        self.count_found(table, &json!({ "match": pattern }))
    }

    pub(crate) fn count_found(&mut self, table: &str, find: &Value) -> Result<Value, TransactionError> {
        let step = self.transaction.count(table, &find.to_string());
        self.drive(step)
    }

    pub(crate) fn pop(&mut self, table: &str) -> Result<Value, TransactionError> {
        let step = self.transaction.pop(table);
        self.drive(step)
    }

    pub(crate) fn shift(&mut self, table: &str) -> Result<Value, TransactionError> {
        let step = self.transaction.shift(table);
        self.drive(step)
    }

    pub(crate) fn history(&mut self, table: &str, key: &str) -> Result<Value, TransactionError> {
        let step = self.transaction.history(table, key, None);
        self.drive(step)
    }

    /// One statement on the table.
    pub(crate) fn exec(
        &mut self,
        table: &str,
        statement: &str,
        params: &[Option<&str>],
    ) -> Result<Value, TransactionError> {
        let params = params.iter().map(|param| param.map(str::to_owned)).collect();
        let step = self.transaction.exec(table, statement, params);
        self.drive(step)
    }

    pub(crate) fn snapshot(&self) -> Option<String> {
        self.transaction.snapshot().map(str::to_owned)
    }

    pub(crate) fn set(&mut self, table: &str, row: &Value) -> Result<Value, TransactionError> {
        let step = self.transaction.set(table, &row.to_string());
        self.drive(step)
    }

    pub(crate) fn push(&mut self, table: &str, row: &Value) -> Result<Value, TransactionError> {
        let step = self.transaction.push(table, &row.to_string());
        self.drive(step)
    }

    pub(crate) fn update(
        &mut self,
        table: &str,
        key: &str,
        patch: &Value,
    ) -> Result<Value, TransactionError> {
        let step = self.transaction.update(table, key, &patch.to_string());
        self.drive(step)
    }

    pub(crate) fn delete(&mut self, table: &str, key: &str) -> Result<Value, TransactionError> {
        let step = self.transaction.delete(table, key);
        self.drive(step)
    }

    /// Commits; `None` when there was nothing to write.
    pub(crate) fn commit(&mut self, answer: &[u8]) -> Result<Option<CommitOutcome>, TransactionError> {
        let Some(statements) = self.transaction.commit(answer)? else { return Ok(None) };
        let results = statements.iter().map(|statement| run(self.client, statement)).collect();
        self.transaction.committed(results).map(Some)
    }

    /// The commit's statements, for a test that runs them in its own way.
    pub(crate) fn commit_statements(&mut self) -> Vec<Statement> {
        self.transaction.commit(b"").expect("nothing wrong").expect("there are writes")
    }

    /// What the database says of the outcome.
    pub(crate) fn resolve(&mut self) -> Result<Resolution, TransactionError> {
        let result = run(self.client, &self.transaction.resolve());
        self.transaction.resolved(result)
    }

    /// Runs a statement on the transaction's connection.
    pub(crate) fn run(&mut self, statement: &Statement) -> StatementResult {
        run(self.client, statement)
    }
}
