//! What one transaction knows of one table: rows seen at the snapshot, what was read, what will be written, and the view that
//! results from laying the second over the first.
//!
//! Order of a list that includes own writes: a changed row keeps its place; rows that are new, pushed, or deleted and stored
//! again come after all others, in the order in which they were written. So they will stand after the commit.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::error::TransactionError;
use crate::filter::{Filter, Find};
use crate::limits::{KEYS_PER_TRANSACTION_MAX, PREDICATES_PER_TRANSACTION_MAX};
use crate::row::Row;

/// What was read beyond single keys.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Predicate {
    /// Every row.
    All,
    /// Rows that a filter finds.
    Filter(Filter),
    /// Rows by place, both ends included; open where `None`.
    Range { from: Option<i64>, to: Option<i64> },
}

/// What will become of one key.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Write {
    Delete,
    /// The whole row; `push` moves it to the end, `deletes_first` makes it a new row.
    Store {
        row: Row,
        push: bool,
        deletes_first: bool,
        turn: u64,
    },
    /// Fields laid over the row that was read; `merged` is the result.
    Patch {
        patch: Row,
        merged: Row,
    },
}

/// A row as this transaction sees it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Visible {
    /// Neither read nor written yet.
    Unknown,
    Absent,
    /// JSON text.
    Present(String),
}

/// One row of a list or query: key and JSON text.
pub(crate) type Hit = (String, String);

#[derive(Debug, Default)]
pub(crate) struct TableState {
    /// Rows at the snapshot, as far as they were read; `None` for a key that has none.
    seen: BTreeMap<String, Option<String>>,
    keys_read: BTreeSet<String>,
    predicates: Vec<Predicate>,
    writes: BTreeMap<String, Write>,
    turns: u64,
}

impl TableState {
    pub(crate) fn keys_read(&self) -> &BTreeSet<String> {
        &self.keys_read
    }

    pub(crate) fn predicates(&self) -> &[Predicate] {
        &self.predicates
    }

    pub(crate) fn writes(&self) -> &BTreeMap<String, Write> {
        &self.writes
    }

    /// Whether a commit says anything of the table.
    pub(crate) fn is_used(&self) -> bool {
        !(self.keys_read.is_empty() && self.predicates.is_empty() && self.writes.is_empty())
    }

    /// The view of one key.
    pub(crate) fn visible(&self, key: &str) -> Visible {
        match (self.writes.get(key), self.seen.get(key)) {
            (Some(Write::Delete), _) | (None, Some(None)) => Visible::Absent,
            (Some(Write::Store { row, .. } | Write::Patch { merged: row, .. }), _) => {
                Visible::Present(row.to_text())
            }
            (None, Some(Some(text))) => Visible::Present(text.clone()),
            (None, None) => Visible::Unknown,
        }
    }

    /// Whether the snapshot's version of a key is known.
    pub(crate) fn is_seen(&self, key: &str) -> bool {
        self.seen.contains_key(key)
    }

    /// Whether the snapshot is known to have a row with this key.
    pub(crate) fn existed(&self, key: &str) -> bool {
        matches!(self.seen.get(key), Some(Some(_)))
    }

    /// Remembers a row of the snapshot.
    pub(crate) fn see(&mut self, key: String, row: Option<String>) {
        self.seen.insert(key, row);
    }

    pub(crate) fn record_key(&mut self, key: &str) -> Result<(), TransactionError> {
        if !self.keys_read.contains(key) {
            if self.keys_read.len() >= KEYS_PER_TRANSACTION_MAX {
                return Err(TransactionError::LimitExceeded("keys read"));
            }
            self.keys_read.insert(key.to_owned());
        }
        Ok(())
    }

    pub(crate) fn record_predicate(&mut self, predicate: Predicate) -> Result<(), TransactionError> {
        if !self.predicates.contains(&predicate) {
            if self.predicates.len() >= PREDICATES_PER_TRANSACTION_MAX {
                return Err(TransactionError::LimitExceeded("lists, queries and counts"));
            }
            self.predicates.push(predicate);
        }
        Ok(())
    }

    /// Records the range behind a place up to another, or to the end. A range that ends at the place grows.
    pub(crate) fn record_range(
        &mut self,
        behind: Option<i64>,
        to: Option<i64>,
    ) -> Result<(), TransactionError> {
        let before = |predicate: &&mut Predicate| {
            behind.is_some() && matches!(predicate, Predicate::Range { to, .. } if *to == behind)
        };
        let grown = self.predicates.iter_mut().find(before);
        let from = match &grown {
            Some(Predicate::Range { from, .. }) => *from,
            _ => behind.map(|place| place.saturating_add(1)),
        };
        let range = match (from, to) {
            (None, None) => Predicate::All,
            (from, to) => Predicate::Range { from, to },
        };
        match grown {
            Some(grown) => *grown = range,
            None => self.record_predicate(range)?,
        }
        Ok(())
    }

    /// Stores a whole row, at its place or (`push`) at the end.
    pub(crate) fn store(&mut self, key: String, row: Row, push: bool) -> Result<(), TransactionError> {
        self.check_room(&key)?;
        let (was_push, deletes_first) = match self.writes.get(&key) {
            Some(Write::Delete) => (false, true),
            Some(Write::Store { push, deletes_first, .. }) => (*push, *deletes_first),
            Some(Write::Patch { .. }) | None => (false, false),
        };
        self.turns += 1;
        let turn = match self.writes.get(&key) {
            Some(Write::Store { turn, .. }) if !push => *turn,
            _ => self.turns,
        };
        self.writes.insert(key, Write::Store { row, push: push || was_push, deletes_first, turn });
        Ok(())
    }

    /// Lays a patch over the visible row and gives the result; `None` when there is no row.
    pub(crate) fn patch(&mut self, key: &str, patch: &Row) -> Result<Option<Row>, TransactionError> {
        self.check_room(key)?;
        let write = match self.writes.get(key) {
            Some(Write::Delete) => return Ok(None),
            Some(Write::Store { row, push, deletes_first, turn }) => Write::Store {
                row: row.merged(patch),
                push: *push,
                deletes_first: *deletes_first,
                turn: *turn,
            },
            Some(Write::Patch { patch: earlier, merged }) => {
                Write::Patch { patch: earlier.merged(patch), merged: merged.merged(patch) }
            }
            None => match self.seen.get(key) {
                Some(Some(text)) => {
                    Write::Patch { patch: patch.clone(), merged: Row::parse(text)?.merged(patch) }
                }
                Some(None) | None => return Ok(None),
            },
        };
        let (Write::Store { row: merged, .. } | Write::Patch { merged, .. }) = &write else {
            return Ok(None);
        };
        let merged = merged.clone();
        self.writes.insert(key.to_owned(), write);
        Ok(Some(merged))
    }

    pub(crate) fn delete(&mut self, key: String) -> Result<(), TransactionError> {
        self.check_room(&key)?;
        self.writes.insert(key, Write::Delete);
        Ok(())
    }

    /// The first read-only field in which `row` differs from the row that is visible now. Rows that were neither read nor
    /// written are the database's to compare.
    pub(crate) fn changed_readonly<'a>(
        &self,
        key: &str,
        row: &Row,
        is_patch: bool,
        readonly: &'a BTreeSet<String>,
    ) -> Result<Option<&'a String>, TransactionError> {
        let Visible::Present(text) = self.visible(key) else { return Ok(None) };
        if readonly.is_empty() {
            return Ok(None);
        }
        let current = Row::parse(&text)?;
        Ok(readonly.iter().find(|field| {
            let wanted = row.0.get(field.as_str());
            wanted != current.0.get(field.as_str()) && !(is_patch && wanted.is_none())
        }))
    }

    /// What was written so far, for a statement that the database runs: key → row, `null` where it is deleted.
    pub(crate) fn own_rows(&self) -> Value {
        let row = |write: &Write| written(write).map_or(Value::Null, |row| Value::Object(row.0.clone()));
        Value::Object(self.writes.iter().map(|(key, write)| (key.clone(), row(write))).collect())
    }

    /// Keys written without a look at the snapshot: whether they are new is not known.
    pub(crate) fn unseen_writes(&self) -> Vec<String> {
        self.writes.keys().filter(|key| !self.is_seen(key)).cloned().collect()
    }

    /// A page of the list: `hits` are the snapshot's rows in order, `at_end` says that no row follows them.
    pub(crate) fn overlay_list(&self, hits: Vec<Hit>, at_end: bool, limit: usize) -> Vec<String> {
        let mut rows: Vec<String> =
            hits.into_iter().filter_map(|(key, text)| self.in_place(&key, text)).collect();
        if at_end {
            rows.extend(self.tail().into_iter().map(|(_, row)| row.to_text()));
        }
        rows.truncate(limit);
        rows
    }

    /// The rest of the list after a row that is itself among the last ones, written here; `None` when it is not.
    pub(crate) fn tail_after(&self, key: &str, limit: usize) -> Option<Vec<String>> {
        let tail = self.tail();
        let position = tail.iter().position(|(tail_key, _)| *tail_key == key)?;
        Some(tail[position + 1..].iter().take(limit).map(|(_, row)| row.to_text()).collect())
    }

    /// Rows that a query finds: the snapshot's, as changed here, and those that match only since they were written; among
    /// equals of an order those come last.
    pub(crate) fn overlay_query(&self, hits: Vec<Hit>, find: &Find) -> Result<Vec<String>, TransactionError> {
        let mut placed = BTreeSet::new();
        let mut rows = Vec::new();
        for (key, text) in hits {
            if let Some(text) = self.in_place(&key, text) {
                if self.writes.get(&key).is_none_or(|write| matches(write, &find.filter)) {
                    rows.push(text);
                }
                placed.insert(key);
            }
        }
        let mut own: Vec<_> = self
            .writes
            .iter()
            .filter(|(key, write)| !placed.contains(*key) && matches(write, &find.filter))
            .collect();
        own.sort_by_key(|(_, write)| turn(write));
        rows.extend(own.into_iter().filter_map(|(_, write)| written(write)).map(Row::to_text));
        if let Some(order) = find.order.as_ref().filter(|_| !self.writes.is_empty()) {
            let mut parsed = rows.iter().map(|text| Row::parse(text)).collect::<Result<Vec<_>, _>>()?;
            parsed.sort_by(|a, b| order.compare(a, b));
            rows = parsed.iter().map(Row::to_text).collect();
        }
        rows.truncate(find.limit);
        Ok(rows)
    }

    /// How many rows a filter finds, given how many it found at the snapshot.
    pub(crate) fn overlay_count(&self, at_snapshot: u64, filter: &Filter) -> Result<u64, TransactionError> {
        let mut count = at_snapshot;
        for (key, write) in &self.writes {
            let Some(seen) = self.seen.get(key) else { continue };
            let before =
                seen.as_deref().is_some_and(|text| Row::parse(text).is_ok_and(|row| filter.matches(&row)));
            count = count.saturating_add(u64::from(matches(write, filter))).saturating_sub(u64::from(before));
        }
        Ok(count)
    }

    /// The last row, where it is one written here.
    pub(crate) fn last_own(&self) -> Option<(String, String)> {
        self.tail().pop().map(|(key, row)| (key.to_owned(), row.to_text()))
    }

    /// The first of the snapshot's rows that is still in its place.
    pub(crate) fn first_in_place(&self, hits: &[Hit]) -> Option<(usize, Hit)> {
        let find = |(place, (key, text)): (usize, &Hit)| {
            Some((place, (key.clone(), self.in_place(key, text.clone())?)))
        };
        hits.iter().enumerate().find_map(find)
    }

    /// The first of the rows written here that stand behind all others.
    pub(crate) fn first_own(&self) -> Option<(String, String)> {
        self.tail().into_iter().next().map(|(key, row)| (key.to_owned(), row.to_text()))
    }

    /// Keys of the rows written here that stand behind all others, in order, and whether that holds for the key whatever the
    /// snapshot has under it.
    pub(crate) fn tail_keys(&self) -> impl Iterator<Item = (&str, bool)> {
        let moves = |key: &str| {
            let write = self.writes.get(key);
            matches!(write, Some(Write::Store { push, deletes_first, .. }) if *push || *deletes_first)
        };
        self.tail().into_iter().map(move |(key, _)| (key, moves(key)))
    }

    /// How many rows of the snapshot own writes may take away from a page.
    pub(crate) fn own_writes(&self) -> usize {
        self.writes.len()
    }

    /// The text of a snapshot's row after own writes; `None` when it is gone or has moved to the end.
    fn in_place(&self, key: &str, text: String) -> Option<String> {
        match self.writes.get(key) {
            None => Some(text),
            Some(Write::Patch { merged, .. }) => Some(merged.to_text()),
            Some(Write::Store { row, push: false, deletes_first: false, .. }) => Some(row.to_text()),
            Some(Write::Store { .. } | Write::Delete) => None,
        }
    }

    /// Own rows that come after all others, in order. A blind write of a key that is not known to exist counts as new.
    fn tail(&self) -> Vec<(&str, &Row)> {
        let mut tail: Vec<_> = self
            .writes
            .iter()
            .filter_map(|(key, write)| match write {
                Write::Store { row, push, deletes_first, turn } => {
                    let is_new = !self.existed(key);
                    (*push || *deletes_first || is_new).then_some((*turn, key.as_str(), row))
                }
                Write::Delete | Write::Patch { .. } => None,
            })
            .collect();
        tail.sort_by_key(|(turn, _, _)| *turn);
        tail.into_iter().map(|(_, key, row)| (key, row)).collect()
    }

    fn check_room(&self, key: &str) -> Result<(), TransactionError> {
        if self.writes.len() >= KEYS_PER_TRANSACTION_MAX && !self.writes.contains_key(key) {
            return Err(TransactionError::LimitExceeded("keys written"));
        }
        Ok(())
    }
}

fn written(write: &Write) -> Option<&Row> {
    match write {
        Write::Delete => None,
        Write::Store { row, .. } | Write::Patch { merged: row, .. } => Some(row),
    }
}

fn turn(write: &Write) -> u64 {
    match write {
        Write::Store { turn, .. } => *turn,
        Write::Delete | Write::Patch { .. } => 0,
    }
}

fn matches(write: &Write, filter: &Filter) -> bool {
    written(write).is_some_and(|row| filter.matches(row))
}
