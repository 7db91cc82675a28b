//! One transaction: the state machine between an endpoint's storage operations and the database.
//!
//! An operation that can be answered from what is known is [`Step::Ready`]; otherwise [`Step::Send`] names statements to run.
//! The first statement of a transaction is `begin`; it travels together with the first read. A read that is alone goes without
//! ([`Transaction::alone`]), and so does a commit after no read or after such a one: a session is for what takes longer. Statements of
//! one transaction must reach **one** connection in the order in which they were handed out, because a second read may be
//! under way before `begin` was answered.

mod exec;
mod pages;
mod reads;

use std::collections::BTreeMap;
use std::sync::Arc;

use kontract_wire::call::IdempotencyKey;
use kontract_wire::perm::Perms;

use self::reads::{End, Pending, Read, array, text_of};
use crate::credential::{Credential, Sid};
use crate::error::{TransactionError, contested};
use crate::filter::Find;
use crate::limits::{ANSWER_LEN_MAX, ROWS_PER_READ_MAX, VERSIONS_PER_READ_MAX};
use crate::payload::{one_row, payload};
use crate::row::{Row, checked_key};
use crate::sql;
use crate::state::{Predicate, TableState, Visible};
use crate::statement::{Columns, RequestId, Statement, StatementResult};
use crate::table::{Table, Tables};

/// What an operation came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// The answer as JSON text; `null` for a row that is absent.
    Ready(String),
    /// The answer needs the database: run these in order, then call [`Transaction::answer`].
    Send {
        /// Goes with the results.
        id: RequestId,
        /// One or more statements; each runs by itself, not inside a transaction of the connection.
        statements: Vec<Statement>,
    },
}

/// What a commit came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CommitOutcome {
    /// The writes are durable.
    Committed,
    /// An earlier call with this idempotency key has been applied and nothing was written; its answer.
    AlreadyApplied(Vec<u8>),
}

/// What became of a commit whose result was lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resolution {
    /// It happened.
    Committed,
    /// It did not happen and never will; the call may run again.
    NotCommitted,
}

/// One transaction, for one endpoint call.
#[derive(Debug)]
pub struct Transaction {
    sid: Sid,
    credential: Credential,
    perms: Perms,
    tables: Arc<Tables>,
    idempotency_key: Option<IdempotencyKey>,
    session: Session,
    /// The earlier snapshot that it was asked to read.
    at: Option<String>,
    /// The snapshot that it reads.
    snapshot: Option<String>,
    states: BTreeMap<String, TableState>,
    pending: BTreeMap<RequestId, Pending>,
    requests: u64,
    contested: Option<String>,
}

#[derive(Debug, Clone, PartialEq)]
enum Session {
    NotBegun,
    /// A read without a session is under way.
    Looking,
    /// A read without a session said where the transaction goes on.
    Looked {
        from: String,
    },
    /// `begin` was handed out; statements after it on the same connection find the session.
    Begun,
    /// Every later operation fails in the same way.
    Failed(TransactionError),
    /// The commit was handed out.
    Committing,
    Ended,
}

impl Transaction {
    /// A transaction that has not spoken to the database yet.
    ///
    /// `sid` must be fresh random bytes for each transaction, also for a second attempt at the same call. `perms` are the
    /// endpoint's bits. With `idempotency_key` the answer given to [`commit`](Self::commit) is remembered in the same
    /// database transaction as the writes.
    pub fn new(
        sid: Sid,
        credential: Credential,
        perms: Perms,
        tables: Arc<Tables>,
        idempotency_key: Option<IdempotencyKey>,
    ) -> Self {
        Self {
            sid,
            credential,
            perms,
            tables,
            idempotency_key,
            session: Session::NotBegun,
            at: None,
            snapshot: None,
            states: BTreeMap::new(),
            pending: BTreeMap::new(),
            requests: 0,
            contested: None,
        }
    }

    /// A transaction that reads the state of an earlier [`snapshot`](Self::snapshot) and writes nothing.
    pub fn at(sid: Sid, credential: Credential, perms: Perms, tables: Arc<Tables>, snapshot: String) -> Self {
        let perms = if perms.contains(Perms::R) { Perms::R } else { Perms::NONE };
        Self { at: Some(snapshot), ..Self::new(sid, credential, perms, tables, None) }
    }

    /// One row, or `null`.
    ///
    /// # Errors
    /// [`TransactionError`], before anything is sent.
    pub fn get(&mut self, table: &str, key: &str) -> Result<Step, TransactionError> {
        self.enter(table, Perms::R)?;
        checked_key(key)?;
        let state = self.state(table);
        match state.visible(key) {
            Visible::Unknown => {
                state.record_key(key)?;
                self.send(table, Vec::new(), Read::Get { key: key.to_owned() })
            }
            visible => {
                // A row seen in a list is read now; one that was written here is nobody else's.
                if state.is_seen(key) {
                    state.record_key(key)?;
                }
                Ok(Step::Ready(text_of(visible)))
            }
        }
    }

    /// Several rows: a JSON array in the order of `keys`, `null` where there is none.
    ///
    /// # Errors
    /// [`TransactionError`], before anything is sent.
    pub fn mget(&mut self, table: &str, keys: &[String]) -> Result<Step, TransactionError> {
        self.enter(table, Perms::R)?;
        if keys.len() > ROWS_PER_READ_MAX {
            return Err(TransactionError::LimitExceeded("rows of one read"));
        }
        keys.iter().try_for_each(|key| checked_key(key))?;
        let state = self.state(table);
        let mut unknown = Vec::new();
        for key in keys {
            let is_unknown = state.visible(key) == Visible::Unknown;
            if is_unknown || state.is_seen(key) {
                state.record_key(key)?;
            }
            if is_unknown && !unknown.contains(key) {
                unknown.push(key.clone());
            }
        }
        if unknown.is_empty() {
            return Ok(Step::Ready(array(keys.iter().map(|key| text_of(state.visible(key))))));
        }
        self.send(table, unknown, Read::Mget { keys: keys.to_vec() })
    }

    /// Rows in the order in which they were added, as a JSON array. `after` is the key of the row that the page follows;
    /// without `limit` there are at most [`ROWS_PER_READ_MAX`].
    ///
    /// # Errors
    /// [`TransactionError`], before anything is sent.
    pub fn list(
        &mut self,
        table: &str,
        after: Option<&str>,
        limit: Option<usize>,
    ) -> Result<Step, TransactionError> {
        self.enter(table, Perms::R)?;
        after.map_or(Ok(()), checked_key)?;
        let limit = checked_limit(limit)?;
        let state = self.state(table);
        let mut probes = Vec::new();
        if let Some(after) = after {
            state.record_key(after)?;
            probes = state.unseen_writes();
            for key in &probes {
                state.record_key(key)?;
            }
            if !state.is_seen(after) && !probes.iter().any(|key| key == after) {
                probes.push(after.to_owned());
            }
        }
        let fetched = limit + state.own_writes();
        self.send(table, probes, Read::List { after: after.map(str::to_owned), limit, fetched })
    }

    /// The rows that a query finds, as a JSON array; `find` is JSON (see `filter.rs`). Rows that match only because this
    /// transaction wrote them come last among equals.
    ///
    /// # Errors
    /// [`TransactionError`], before anything is sent.
    pub fn query(&mut self, table: &str, find: &str) -> Result<Step, TransactionError> {
        self.enter(table, Perms::R)?;
        let find = Find::parse(find)?;
        if find.filter.is_all() && find.order.is_none() {
            return self.list(table, find.after.as_deref(), Some(find.limit));
        }
        let state = self.state(table);
        if find.after.is_some() && state.own_writes() > 0 {
            return Err(TransactionError::BadValue(
                "a page of a query cannot follow a write to its table in the same call: read the pages first",
            ));
        }
        state.record_predicate(Predicate::Filter(find.filter.clone()))?;
        self.send(table, Vec::new(), Read::Query { find })
    }

    /// How many rows a query finds; its order and page do not matter. `{}` counts all.
    ///
    /// # Errors
    /// [`TransactionError`], before anything is sent.
    pub fn count(&mut self, table: &str, find: &str) -> Result<Step, TransactionError> {
        self.enter(table, Perms::R)?;
        let Find { filter, .. } = Find::parse(find)?;
        let state = self.state(table);
        let predicate = if filter.is_all() { Predicate::All } else { Predicate::Filter(filter.clone()) };
        state.record_predicate(predicate)?;
        let probes = self.probed_writes(table)?;
        self.send(table, probes, Read::Count { filter })
    }

    /// Removes the last row of the list and answers with it; `null` when there is none. Takes the endpoint's X, and the
    /// owner's R in the database.
    ///
    /// # Errors
    /// [`TransactionError`], before anything is sent.
    pub fn pop(&mut self, table: &str) -> Result<Step, TransactionError> {
        self.take(table, End::Last)
    }

    /// Removes the first row of the list and answers with it; otherwise like [`pop`](Self::pop).
    ///
    /// # Errors
    /// [`TransactionError`], before anything is sent.
    pub fn shift(&mut self, table: &str) -> Result<Step, TransactionError> {
        self.take(table, End::First)
    }

    fn take(&mut self, table: &str, end: End) -> Result<Step, TransactionError> {
        self.enter(table, Perms::X)?;
        let probes = self.probed_writes(table)?;
        let fetched = self.state(table).own_writes() + 1;
        self.send(table, probes, Read::Take { end, fetched })
    }

    /// What is kept of a row's versions, the latest first, as a JSON array of
    /// `{version, row, at, until, ended}` with times in ms since the epoch. Own writes are not among them.
    ///
    /// # Errors
    /// [`TransactionError`], before anything is sent.
    pub fn history(
        &mut self,
        table: &str,
        key: &str,
        limit: Option<usize>,
    ) -> Result<Step, TransactionError> {
        self.enter(table, Perms::R)?;
        checked_key(key)?;
        let limit = limit.unwrap_or(VERSIONS_PER_READ_MAX);
        if limit > VERSIONS_PER_READ_MAX {
            return Err(TransactionError::LimitExceeded("versions of one read"));
        }
        self.state(table).record_key(key)?;
        self.send(table, Vec::new(), Read::History { key: key.to_owned(), limit })
    }

    /// The snapshot that this transaction reads and the history that its ids are of, once it has begun; for [`at`](Self::at).
    pub fn snapshot(&self) -> Option<&str> {
        self.snapshot.as_deref()
    }

    /// Own writes whose rows at the snapshot are not known yet: they have to be looked up, and count as read.
    fn probed_writes(&mut self, table: &str) -> Result<Vec<String>, TransactionError> {
        let state = self.state(table);
        let probes = state.unseen_writes();
        for key in &probes {
            state.record_key(key)?;
        }
        Ok(probes)
    }

    /// Stores a whole row under its key, whether there is one or not, and answers with it. Read-only fields of a row that
    /// exists are compared here when the row is known, and by the database in any case.
    ///
    /// # Errors
    /// [`TransactionError`]; nothing is written then.
    pub fn set(&mut self, table: &str, row: &str) -> Result<Step, TransactionError> {
        self.store(table, row, false)
    }

    /// Like [`set`](Self::set), and moves the row to the end of the list.
    ///
    /// # Errors
    /// [`TransactionError`]; nothing is written then.
    pub fn push(&mut self, table: &str, row: &str) -> Result<Step, TransactionError> {
        self.store(table, row, true)
    }

    /// Lays the fields of `patch` over the row and answers with the result. Reads the row when it is not known yet; that
    /// takes the endpoint's W only, and the owner's R in the database.
    ///
    /// # Errors
    /// [`TransactionError`]; nothing is written then. [`TransactionError::NotFound`] also from [`answer`](Self::answer).
    pub fn update(&mut self, table: &str, key: &str, patch: &str) -> Result<Step, TransactionError> {
        let key_field = self.enter(table, Perms::W)?.key;
        checked_key(key)?;
        let patch = Row::parse(patch)?;
        if patch.0.contains_key(&key_field) && patch.key(&key_field)? != key {
            return Err(TransactionError::BadValue("a patch changes the key of a row"));
        }
        let state = self.state(table);
        if state.visible(key) == Visible::Unknown {
            state.record_key(key)?;
            return self.send(table, Vec::new(), Read::Update { key: key.to_owned(), patch });
        }
        if state.is_seen(key) {
            state.record_key(key)?;
        }
        self.patch(table, key, &patch).map(Step::Ready)
    }

    /// Deletes a row; answers `null` whether there was one or not.
    ///
    /// # Errors
    /// [`TransactionError`]; nothing is written then.
    pub fn delete(&mut self, table: &str, key: &str) -> Result<Step, TransactionError> {
        self.enter(table, Perms::X)?;
        checked_key(key)?;
        self.state(table).delete(key.to_owned())?;
        Ok(Step::Ready("null".to_owned()))
    }

    /// Takes the results of a [`Step::Send`], one for each statement.
    ///
    /// # Errors
    /// What the database refused. After a failed `begin` every operation fails in the same way; after
    /// [`TransactionError::AlreadyApplied`] the handler should end.
    pub fn answer(&mut self, id: RequestId, results: Vec<StatementResult>) -> Result<Step, TransactionError> {
        let pending = self.pending.remove(&id).ok_or(TransactionError::Misuse("no such request"))?;
        let mut results = results.into_iter();
        if pending.is_alone {
            let rows = self.looked(&pending, results.next())?;
            return self.finish(pending, rows).map(Step::Ready);
        }
        if pending.begins {
            self.begun(results.next())?;
        }
        if let Session::Failed(error) = &self.session {
            return Err(error.clone());
        }
        let result = results.next().ok_or(TransactionError::Misuse("a result is missing"))?;
        let is_exec = matches!(pending.read, Read::Exec { .. });
        let refused = if is_exec { TransactionError::of_exec } else { TransactionError::of_read };
        let rows = result.map_err(|error| refused(error, &pending.table))?;
        if !pending.probes.is_empty() && !matches!(pending.read, Read::Mget { .. }) {
            let result = results.next().ok_or(TransactionError::Misuse("a result is missing"))?;
            let rows = result.map_err(|error| TransactionError::of_read(error, &pending.table))?;
            self.see_probes(&pending.table, pending.probes.clone(), rows)?;
        }
        self.finish(pending, rows).map(Step::Ready)
    }

    /// The statements that make the writes durable, `None` when there is nothing to write. `answer` is what the caller will
    /// be told, remembered under the idempotency key.
    ///
    /// # Errors
    /// [`TransactionError::Misuse`] when an operation is still under way, limits, and the error with which `begin` failed
    /// (also [`TransactionError::AlreadyApplied`]) where the handler went on after it.
    pub fn commit(&mut self, answer: &[u8]) -> Result<Option<Vec<Statement>>, TransactionError> {
        self.check_open()?;
        if !self.pending.is_empty() {
            return Err(TransactionError::Misuse(
                "commit while a storage operation is under way; an endpoint awaits all that it asks of `env.storage`",
            ));
        }
        if answer.len() > ANSWER_LEN_MAX && self.idempotency_key.is_some() {
            return Err(TransactionError::LimitExceeded("length of an answer"));
        }
        let ledger = self.idempotency_key.as_ref().map(|key| (&key.0, answer));
        let alone = match &self.session {
            Session::NotBegun => Some((&self.credential, None)),
            Session::Looked { from } => Some((&self.credential, Some(from.as_str()))),
            _ => None,
        };
        let statement = match (alone, one_row(&self.tables, &self.states)) {
            (Some((credential, from)), Some(one)) => sql::store(self.sid, one, ledger, credential, from),
            (alone, _) => match payload(&self.tables, &self.states)? {
                Some(payload) => sql::commit(self.sid, payload, ledger, alone),
                None => {
                    self.session = Session::Ended;
                    return Ok(None);
                }
            },
        };
        self.session = Session::Committing;
        Ok(Some(vec![statement]))
    }

    /// Takes the results of the commit's statements.
    ///
    /// # Errors
    /// [`TransactionError::Conflict`]: run the whole call again. [`TransactionError::Unavailable`]: the outcome is unknown
    /// until [`resolve`](Self::resolve).
    pub fn committed(&mut self, results: Vec<StatementResult>) -> Result<CommitOutcome, TransactionError> {
        if self.session != Session::Committing {
            return Err(TransactionError::Misuse("no commit is under way"));
        }
        self.session = Session::Ended;
        let mut results = results.into_iter();
        let result = results.next().ok_or(TransactionError::Misuse("a result is missing"))?;
        self.contested = result.as_ref().err().and_then(contested);
        match result.map_err(TransactionError::of_commit) {
            Ok(_) => Ok(CommitOutcome::Committed),
            Err(TransactionError::AlreadyApplied(answer)) => Ok(CommitOutcome::AlreadyApplied(answer)),
            Err(error) => Err(error),
        }
    }

    /// What the commit conflicted over: `ptr/key`, or the ptr where it was not about one row.
    pub fn contested(&self) -> Option<&str> {
        self.contested.as_deref()
    }

    /// The statement that ends the session, and with it says what became of a commit whose result was lost. It may go over
    /// another connection.
    pub fn resolve(&self) -> Statement {
        sql::abort(self.sid)
    }

    /// Takes the result of [`resolve`](Self::resolve).
    ///
    /// # Errors
    /// [`TransactionError::Unavailable`] when it is still unknown: ask again.
    pub fn resolved(&self, result: StatementResult) -> Result<Resolution, TransactionError> {
        let rows = result.map_err(TransactionError::of_commit)?;
        match cell(&rows, 0, 0) {
            Some("committed") => Ok(Resolution::Committed),
            Some("aborted" | "gone") => Ok(Resolution::NotCommitted),
            _ => Err(TransactionError::Misuse("not the result of this statement")),
        }
    }

    /// Checks that the transaction is open, that the table exists and that the endpoint has the bits.
    fn enter(&mut self, table: &str, needed: Perms) -> Result<Table, TransactionError> {
        self.check_open()?;
        let found = self.tables.get(table).ok_or_else(|| TransactionError::NoTable(table.to_owned()))?;
        if !self.perms.contains(needed) {
            return Err(TransactionError::PermissionDenied { table: table.to_owned(), needed });
        }
        Ok(found.clone())
    }

    fn check_open(&self) -> Result<(), TransactionError> {
        match &self.session {
            Session::NotBegun | Session::Looking | Session::Looked { .. } | Session::Begun => Ok(()),
            Session::Failed(error) => Err(error.clone()),
            Session::Committing | Session::Ended => {
                Err(TransactionError::Misuse("the transaction has ended"))
            }
        }
    }

    fn state(&mut self, table: &str) -> &mut TableState {
        self.states.entry(table.to_owned()).or_default()
    }

    fn begin(&self) -> Statement {
        let key = self.idempotency_key.as_ref().map(|key| &key.0);
        let from = match &self.session {
            Session::Looked { from } => Some(from.as_str()),
            _ => None,
        };
        sql::begin(&self.credential, self.sid, key, self.at.as_deref(), from)
    }

    /// Takes the result of `begin`; its failure is the transaction's.
    fn begun(&mut self, result: Option<StatementResult>) -> Result<(), TransactionError> {
        let error = match result {
            None => TransactionError::Misuse("a result is missing"),
            Some(Err(error)) => TransactionError::of_begin(error),
            Some(Ok(rows)) => match cell(&rows, 0, 1).map(sql::unhex) {
                None => {
                    self.snapshot = cell(&rows, 0, 0).map(str::to_owned);
                    return Ok(());
                }
                Some(Some(answer)) => TransactionError::AlreadyApplied(answer),
                Some(None) => TransactionError::Misuse("not the result of this statement"),
            },
        };
        self.session = Session::Failed(error.clone());
        Err(error)
    }

    fn store(&mut self, table: &str, row: &str, push: bool) -> Result<Step, TransactionError> {
        let Table { key, readonly, .. } = self.enter(table, Perms::W)?;
        let row = Row::parse(row)?;
        let key = row.key(&key)?;
        let state = self.state(table);
        if let Some(field) = state.changed_readonly(&key, &row, false, &readonly)? {
            return Err(TransactionError::ReadonlyField { table: table.to_owned(), field: field.clone() });
        }
        let text = row.to_text();
        state.store(key, row, push)?;
        Ok(Step::Ready(text))
    }

    fn patch(&mut self, table: &str, key: &str, patch: &Row) -> Result<String, TransactionError> {
        let Table { readonly, .. } = self.enter(table, Perms::W)?;
        let state = self.state(table);
        if let Some(field) = state.changed_readonly(key, patch, true, &readonly)? {
            return Err(TransactionError::ReadonlyField { table: table.to_owned(), field: field.clone() });
        }
        match state.patch(key, patch)? {
            Some(row) => Ok(row.to_text()),
            None => Err(TransactionError::NotFound { table: table.to_owned(), key: key.to_owned() }),
        }
    }
}

fn checked_limit(limit: Option<usize>) -> Result<usize, TransactionError> {
    match limit {
        Some(limit) if limit > ROWS_PER_READ_MAX => Err(TransactionError::LimitExceeded("rows of one read")),
        limit => Ok(limit.unwrap_or(ROWS_PER_READ_MAX)),
    }
}

fn cell(rows: &[Columns], row: usize, column: usize) -> Option<&str> {
    rows.get(row)?.get(column)?.as_deref()
}

#[cfg(test)]
mod tests;
