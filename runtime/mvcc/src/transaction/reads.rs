//! Reads: the statements that an operation needs, and its answer from their rows and the transaction's own writes.

use std::collections::BTreeMap;

use serde_json::Value;

use super::pages::Cursor;
use super::{Session, Step, Transaction, cell};
use crate::error::TransactionError;
use crate::filter::{Filter, Find};
use crate::limits::REQUESTS_PENDING_MAX;
use crate::row::Row;
use crate::sql::{self, Reader};
use crate::state::{Hit, Predicate, TableState, Visible};
use crate::statement::{Columns, RequestId, Statement, StatementResult};

/// A read under way.
#[derive(Debug)]
pub(super) struct Pending {
    pub(super) table: String,
    pub(super) begins: bool,
    /// It went without a session.
    pub(super) is_alone: bool,
    /// Keys whose rows the last statement looks up, for the sake of own writes.
    pub(super) probes: Vec<String>,
    pub(super) read: Read,
}

#[derive(Debug)]
pub(super) enum Read {
    Get { key: String },
    Mget { keys: Vec<String> },
    Update { key: String, patch: Row },
    List { after: Option<String>, limit: usize, fetched: usize },
    Page { cursor: Cursor, limit: usize },
    Query { find: Find },
    Count { filter: Filter },
    Take { end: End, fetched: usize },
    History { key: String, limit: usize },
    Exec { statement: String, params: Vec<Option<String>> },
}

/// An end of the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    First,
    Last,
}

impl Transaction {
    /// Hands out a read: `begin` before it if it is the first, a look at `probes` after it.
    pub(super) fn send(
        &mut self,
        table: &str,
        probes: Vec<String>,
        read: Read,
    ) -> Result<Step, TransactionError> {
        if self.pending.len() >= REQUESTS_PENDING_MAX {
            return Err(TransactionError::LimitExceeded("storage operations at the same time"));
        }
        if self.session == Session::Looking {
            return Err(TransactionError::Misuse("a storage operation while a read is alone under way"));
        }
        let ptr = &self.tables.get(table).ok_or_else(|| TransactionError::NoTable(table.to_owned()))?.ptr;
        let sid = self.sid;
        let reader = Reader::Session(sid);
        let own_writes = self.states.get(table).map_or(0, TableState::own_writes);
        let lookup =
            (!probes.is_empty()).then(|| sql::mget(reader, ptr, Value::from(probes.clone()).to_string()));
        let main = match &read {
            Read::Get { key } | Read::Update { key, .. } => Some(sql::get(sid, ptr, key)),
            Read::Mget { .. } => None,
            Read::List { after, fetched, .. } => Some(sql::list(reader, ptr, after.as_deref(), *fetched)),
            Read::Page { cursor, limit } => Some(sql::list_behind(reader, ptr, cursor.place, *limit)),
            Read::Query { find } => Some(sql::query(reader, ptr, find, find.limit + own_writes)),
            Read::Count { filter } => Some(sql::count(reader, ptr, filter)),
            Read::Take { end: End::First, fetched } => Some(sql::list(reader, ptr, None, *fetched)),
            Read::Take { end: End::Last, fetched } => Some(sql::last(reader, ptr, *fetched)),
            Read::History { key, limit } => Some(sql::history(sid, ptr, key, *limit)),
            Read::Exec { statement, params } => Some(self.exec_statement(table, statement, params)?),
        };
        let begins = self.session != Session::Begun;
        let statements = begins.then(|| self.begin()).into_iter().chain(main).chain(lookup).collect();
        self.session = Session::Begun;
        self.requests += 1;
        let id = RequestId(self.requests);
        self.pending.insert(id, Pending { table: table.to_owned(), begins, is_alone: false, probes, read });
        Ok(Step::Send { id, statements })
    }

    /// The one statement of `id` without a session, if it can do so: it must be all that was asked for so far. It may be sent
    /// in place of the statements of its [`Step::Send`]; then no other operation may be started before its answer.
    ///
    /// Nobody knows of its snapshot: what is read or committed after it goes on from there only as long as the garbage
    /// collector and the server let it, and conflicts otherwise. A call that met a conflict had better not use it again.
    pub fn alone(&mut self, id: RequestId) -> Option<Statement> {
        let pending = self.pending.get(&id).filter(|_| self.requests == 1 && self.at.is_none())?;
        let ptr = &self.tables.get(&pending.table)?.ptr;
        let credential = &self.credential;
        let key = self.idempotency_key.as_ref().map(|key| &key.0);
        let reader = Reader::Alone(credential);
        let with = |read: Statement, columns| Some(sql::look_with(read, columns, credential, key));
        let statement = match &pending.read {
            Read::Mget { .. } => {
                with(sql::mget(reader, ptr, Value::from(pending.probes.clone()).to_string()), 2)
            }
            _ if !pending.probes.is_empty() => None,
            Read::Get { key: row } | Read::Update { key: row, .. } => {
                Some(sql::look(credential, ptr, row, key))
            }
            Read::List { after, fetched, .. } => with(sql::list(reader, ptr, after.as_deref(), *fetched), 4),
            Read::Page { cursor, limit } if cursor.place.is_none() => {
                with(sql::list(reader, ptr, None, *limit), 4)
            }
            Read::Query { find } => {
                let own_writes = self.states.get(&pending.table).map_or(0, TableState::own_writes);
                with(sql::query(reader, ptr, find, find.limit + own_writes), 2)
            }
            Read::Count { filter } => with(sql::count(reader, ptr, filter), 1),
            Read::Take { end: End::First, fetched } => with(sql::list(reader, ptr, None, *fetched), 4),
            Read::Take { end: End::Last, fetched } => with(sql::last(reader, ptr, *fetched), 3),
            Read::Page { .. } | Read::History { .. } | Read::Exec { .. } => None,
        }?;
        self.pending.get_mut(&id)?.is_alone = true;
        self.session = Session::Looking;
        Some(statement)
    }

    /// Takes apart what a read without a session came to: its rows, and where the transaction goes on.
    pub(super) fn looked(
        &mut self,
        pending: &Pending,
        result: Option<StatementResult>,
    ) -> Result<Vec<Columns>, TransactionError> {
        self.session = Session::NotBegun;
        let misread = TransactionError::Misuse("not the result of this statement");
        let result = result.ok_or(TransactionError::Misuse("a result is missing"))?;
        let mut rows = result.map_err(|error| TransactionError::of_read(error, &pending.table))?;
        let first = cell(&rows, 0, 0).ok_or_else(|| misread.clone())?.to_owned();
        let here = match first.split_once('\n') {
            Some((here, row)) => {
                rows = vec![vec![(!row.is_empty()).then(|| row.to_owned())]];
                here
            }
            None => {
                rows.remove(0);
                &first
            }
        };
        let Some([snapshot, history, answer]) = parts(here) else { return Err(misread) };
        if !answer.is_empty() {
            let error = sql::unhex(answer).map_or(misread, TransactionError::AlreadyApplied);
            self.session = Session::Failed(error.clone());
            return Err(error);
        }
        let from = format!("{snapshot}/{history}");
        self.snapshot = Some(from.clone());
        self.session = Session::Looked { from };
        Ok(rows)
    }

    pub(super) fn see_probes(
        &mut self,
        table: &str,
        probes: Vec<String>,
        rows: Vec<Columns>,
    ) -> Result<(), TransactionError> {
        let found: BTreeMap<String, String> = hits(rows)?.into_iter().collect();
        let state = self.state(table);
        for key in probes {
            let row = found.get(&key).cloned();
            state.see(key, row);
        }
        Ok(())
    }

    /// Turns the rows of a read into its answer.
    pub(super) fn finish(
        &mut self,
        pending: Pending,
        rows: Vec<Columns>,
    ) -> Result<String, TransactionError> {
        let Pending { table, probes, read, .. } = pending;
        match read {
            Read::Get { key } => {
                let state = self.state(&table);
                state.see(key.clone(), cell(&rows, 0, 0).map(str::to_owned));
                Ok(text_of(state.visible(&key)))
            }
            Read::Update { key, patch } => {
                self.state(&table).see(key.clone(), cell(&rows, 0, 0).map(str::to_owned));
                self.patch(&table, &key, &patch)
            }
            Read::Mget { keys } => {
                self.see_probes(&table, probes, rows)?;
                let state = self.state(&table);
                Ok(array(keys.iter().map(|key| text_of(state.visible(key)))))
            }
            Read::List { after, limit, fetched } => {
                self.finish_list(&table, after.as_deref(), limit, fetched, rows)
            }
            Read::Page { cursor, limit } => self.finish_page(&table, cursor, limit, rows),
            Read::Query { find } => {
                let state = self.state(&table);
                let hits = seen(state, hits(rows)?);
                Ok(array(state.overlay_query(hits, &find)?.into_iter()))
            }
            Read::Take { end, .. } => self.finish_take(&table, end, rows),
            Read::History { .. } => cell(&rows, 0, 0)
                .map(str::to_owned)
                .ok_or(TransactionError::Misuse("not the result of this statement")),
            Read::Exec { .. } => {
                let changes =
                    cell(&rows, 0, 1).ok_or(TransactionError::Misuse("not the result of this statement"))?;
                self.take_changes(&table, changes)?;
                cell(&rows, 0, 0)
                    .map(str::to_owned)
                    .ok_or(TransactionError::Misuse("not the result of this statement"))
            }
            Read::Count { filter } => {
                let count = cell(&rows, 0, 0).and_then(|count| count.parse().ok());
                let count = count.ok_or(TransactionError::Misuse("not the result of this statement"))?;
                Ok(self.state(&table).overlay_count(count, &filter)?.to_string())
            }
        }
    }

    /// Takes the row at an end. What was read is everything from that end up to the row that is taken.
    fn finish_take(&mut self, table: &str, end: End, rows: Vec<Columns>) -> Result<String, TransactionError> {
        let places: Vec<Option<i64>> = rows.iter().map(|row| place(Some(row), 2)).collect();
        let state = self.state(table);
        let hits = seen(state, hits(rows)?);
        let stored = state.first_in_place(&hits);
        let taken = match end {
            End::First => stored.clone().map(|(_, hit)| hit).or_else(|| state.first_own()),
            End::Last => state.last_own().or_else(|| stored.clone().map(|(_, hit)| hit)),
        };
        let is_stored = taken.is_some() && taken.as_ref() == stored.as_ref().map(|(_, hit)| hit);
        let edge = stored.filter(|_| is_stored).and_then(|(at, _)| places.get(at).copied().flatten());
        let predicate = match (end, edge) {
            (End::First, Some(to)) => Some(Predicate::Range { from: None, to: Some(to) }),
            (End::Last, Some(from)) => Some(Predicate::Range { from: Some(from), to: None }),
            // The first of the own rows is the first only as long as no other is stored.
            (End::First, None) => Some(Predicate::All),
            // An own row is the last whatever is stored before it.
            (End::Last, None) => taken.is_none().then_some(Predicate::All),
        };
        predicate.map_or(Ok(()), |predicate| state.record_predicate(predicate))?;
        let Some((key, text)) = taken else { return Ok("null".to_owned()) };
        state.record_key(&key)?;
        state.delete(key)?;
        Ok(text)
    }

    fn finish_list(
        &mut self,
        table: &str,
        after: Option<&str>,
        limit: usize,
        fetched: usize,
        rows: Vec<Columns>,
    ) -> Result<String, TransactionError> {
        let state = self.state(table);
        let at_end = rows.len() < fetched;
        let from = after.and_then(|_| place(rows.first(), 3)).map(|place| place.saturating_add(1));
        let to = if at_end { None } else { place(rows.last(), 2) };
        let is_whole = from.is_none() && to.is_none();
        state.record_predicate(if is_whole { Predicate::All } else { Predicate::Range { from, to } })?;
        if let Some(after) = after {
            if let Some(tail) = state.tail_after(after, limit) {
                return Ok(array(tail.into_iter()));
            }
            if !state.existed(after) {
                return Err(TransactionError::BadValue(
                    "there is no row with the key that the page starts after",
                ));
            }
        }
        let hits = seen(state, hits(rows)?);
        Ok(array(state.overlay_list(hits, at_end, limit).into_iter()))
    }
}

/// What `kt.here` says: a snapshot, the history that its ids are of, an answer.
fn parts(here: &str) -> Option<[&str; 3]> {
    let mut parts = here.split('/');
    let found = [parts.next()?, parts.next()?, parts.next()?];
    parts.next().is_none().then_some(found)
}

/// The number in a column of a row.
pub(super) fn place(row: Option<&Columns>, column: usize) -> Option<i64> {
    row.and_then(|row| row.get(column)?.as_deref()).and_then(|place| place.parse().ok())
}

pub(super) fn text_of(visible: Visible) -> String {
    match visible {
        Visible::Present(text) => text,
        Visible::Absent | Visible::Unknown => "null".to_owned(),
    }
}

pub(super) fn array(rows: impl Iterator<Item = String>) -> String {
    format!("[{}]", rows.collect::<Vec<_>>().join(","))
}

/// Key and text of each row.
pub(super) fn hits(rows: Vec<Columns>) -> Result<Vec<Hit>, TransactionError> {
    rows.into_iter()
        .map(|columns| {
            match <[Option<String>; 2]>::try_from(columns.into_iter().take(2).collect::<Vec<_>>()) {
                Ok([Some(key), Some(text)]) => Ok((key, text)),
                _ => Err(TransactionError::Misuse("not the result of this statement")),
            }
        })
        .collect()
}

/// Remembers the rows of a list or query, which its predicate protects.
pub(super) fn seen(state: &mut TableState, hits: Vec<Hit>) -> Vec<Hit> {
    for (key, text) in &hits {
        state.see(key.clone(), Some(text.clone()));
    }
    hits
}
