//! Reads: the statements that an operation needs, and its answer from their rows and the transaction's own writes.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Session, Step, Transaction, cell};
use crate::error::TransactionError;
use crate::limits::REQUESTS_PENDING_MAX;
use crate::row::Row;
use crate::sql;
use crate::state::{Hit, Predicate, TableState, Visible};
use crate::statement::{Columns, RequestId};

/// A read under way.
#[derive(Debug)]
pub(super) struct Pending {
    pub(super) table: String,
    pub(super) begins: bool,
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
    Query { pattern: Value, limit: usize },
    Count { pattern: Option<Value> },
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
        let ptr = &self.tables.get(table).ok_or_else(|| TransactionError::NoTable(table.to_owned()))?.ptr;
        let sid = self.sid;
        let own_writes = self.states.get(table).map_or(0, TableState::own_writes);
        let lookup =
            (!probes.is_empty()).then(|| sql::mget(sid, ptr, Value::from(probes.clone()).to_string()));
        let main = match &read {
            Read::Get { key } | Read::Update { key, .. } => Some(sql::get(sid, ptr, key)),
            Read::Mget { .. } => None,
            Read::List { after, fetched, .. } => Some(sql::list(sid, ptr, after.as_deref(), *fetched)),
            Read::Query { pattern, limit } => {
                Some(sql::query(sid, ptr, pattern.to_string(), limit + own_writes))
            }
            Read::Count { pattern } => Some(sql::count(sid, ptr, pattern.as_ref().map(Value::to_string))),
        };
        let begins = self.session == Session::NotBegun;
        let statements = begins.then(|| self.begin()).into_iter().chain(main).chain(lookup).collect();
        self.session = Session::Begun;
        self.requests += 1;
        let id = RequestId(self.requests);
        self.pending.insert(id, Pending { table: table.to_owned(), begins, probes, read });
        Ok(Step::Send { id, statements })
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
            Read::Query { pattern, limit } => {
                let state = self.state(&table);
                let hits = seen(state, hits(rows)?);
                Ok(array(state.overlay_query(hits, &pattern, limit).into_iter()))
            }
            Read::Count { pattern } => {
                let count = cell(&rows, 0, 0).and_then(|count| count.parse().ok());
                let count = count.ok_or(TransactionError::Misuse("not the result of this statement"))?;
                Ok(self.state(&table).overlay_count(count, pattern.as_ref())?.to_string())
            }
        }
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
        let place = |row: Option<&Columns>, column: usize| {
            row.and_then(|row| row.get(column)?.as_deref()).and_then(|place| place.parse::<i64>().ok())
        };
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
fn hits(rows: Vec<Columns>) -> Result<Vec<Hit>, TransactionError> {
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
fn seen(state: &mut TableState, hits: Vec<Hit>) -> Vec<Hit> {
    for (key, text) in &hits {
        state.see(key.clone(), Some(text.clone()));
    }
    hits
}
