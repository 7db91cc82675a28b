//! Iteration: the rows of a list in pages, each row once, whatever the transaction writes meanwhile.
//!
//! Their order is that of the list when the iteration began: the snapshot's rows by place, then those that the transaction had
//! put behind them. What it writes between two pages changes or removes rows that are still to come; it moves none and adds none,
//! so that an iteration that pushes each of its rows ends.

use kontract_wire::perm::Perms;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::reads::{Read, array, hits, place, seen};
use super::{Step, Transaction};
use crate::error::TransactionError;
use crate::limits::ROWS_PER_READ_MAX;
use crate::state::Visible;
use crate::statement::Columns;

/// Where an iteration goes on. It travels as text through the hands of the caller, who must not look into it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Cursor {
    /// Behind this place of the snapshot.
    pub(super) place: Option<i64>,
    /// Rows that stood behind all places when it began, in order, as far as they have not turned up at one.
    own: Vec<Own>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Own {
    key: String,
    /// Whatever the snapshot has under this key is not at its place any more.
    moved: bool,
}

impl Transaction {
    /// The next rows of an iteration as `{"rows": […], "next": cursor or null}`; `cursor` is the `next` of the page before. A
    /// page may be shorter than `limit`, and only the last one longer.
    ///
    /// # Errors
    /// [`TransactionError`], before anything is sent.
    pub fn page(
        &mut self,
        table: &str,
        cursor: Option<&str>,
        limit: usize,
    ) -> Result<Step, TransactionError> {
        self.enter(table, Perms::R)?;
        if limit == 0 || limit > ROWS_PER_READ_MAX {
            return Err(TransactionError::LimitExceeded("rows of one read"));
        }
        let cursor = match cursor {
            Some(text) => serde_json::from_str(text)
                .map_err(|_| TransactionError::Misuse("not the cursor of an iteration"))?,
            None => {
                let own =
                    self.state(table).tail_keys().map(|(key, moved)| Own { key: key.to_owned(), moved });
                Cursor { place: None, own: own.collect() }
            }
        };
        self.send(table, Vec::new(), Read::Page { cursor, limit })
    }

    pub(super) fn finish_page(
        &mut self,
        table: &str,
        Cursor { place: behind, mut own }: Cursor,
        limit: usize,
        rows: Vec<Columns>,
    ) -> Result<String, TransactionError> {
        let to = if rows.len() < limit { None } else { place(rows.last(), 2) };
        let state = self.state(table);
        state.record_range(behind, to)?;
        let mut page = Vec::new();
        let mut add = |visible: Visible| {
            if let Visible::Present(text) = visible {
                page.push(text);
            }
        };
        for (key, _) in seen(state, hits(rows)?) {
            match own.iter().position(|own| own.key == key) {
                Some(at) if own[at].moved => continue,
                Some(at) => drop(own.remove(at)),
                None => {}
            }
            add(state.visible(&key));
        }
        if to.is_none() {
            own.drain(..).for_each(|own| add(state.visible(&own.key)));
        }
        let next = to.map(|to| json!(Cursor { place: Some(to), own }).to_string());
        Ok(format!(r#"{{"rows":{},"next":{}}}"#, array(page.into_iter()), Value::from(next)))
    }
}
