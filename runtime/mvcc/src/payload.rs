//! The argument of `kt.commit`, or of `kt.store_<ptr>`, from what a transaction read and wrote.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::error::TransactionError;
use crate::limits::{KEYS_PER_TRANSACTION_MAX, PAYLOAD_LEN_MAX};
use crate::state::{Predicate, TableState, Write};
use crate::table::{Ptr, Tables};

/// A commit that writes one row and has read at most that one, which existed.
pub(crate) struct OneRow<'a> {
    pub(crate) ptr: &'a Ptr,
    pub(crate) table: &'a str,
    /// The list of the payload that it would stand in.
    pub(crate) kind: &'static str,
    pub(crate) key: &'a str,
    /// JSON text.
    pub(crate) row: String,
    pub(crate) is_read: bool,
}

/// The commit as one of one row; `None` where it is another, or the table has read-only fields, which `kt.commit` compares.
pub(crate) fn one_row<'a>(
    tables: &'a Tables,
    states: &'a BTreeMap<String, TableState>,
) -> Option<OneRow<'a>> {
    let mut used = states.iter().filter(|(_, state)| state.is_used());
    let (Some((table, state)), None) = (used.next(), used.next()) else { return None };
    let mut writes = state.writes().iter();
    let (Some((key, write)), None) = (writes.next(), writes.next()) else { return None };
    let (kind, row) = match write {
        Write::Patch { patch, .. } => ("upd", patch),
        Write::Store { row, push: true, deletes_first: false, .. } => ("push", row),
        Write::Store { row, push: false, deletes_first: false, .. } => ("put", row),
        Write::Store { .. } | Write::Delete => return None,
    };
    let is_read = match state.keys_read().iter().collect::<Vec<_>>()[..] {
        [] => false,
        [read] if read == key && state.existed(key) => true,
        _ => return None,
    };
    let found =
        tables.get(table).filter(|found| found.readonly.is_empty() && state.predicates().is_empty())?;
    let row = row.to_text();
    (row.len() <= PAYLOAD_LEN_MAX).then_some(OneRow { ptr: &found.ptr, table, kind, key, row, is_read })
}

/// The payload as JSON text; `None` when nothing was written. Tables come in order of ptr, writes of one kind in the order in
/// which they were made.
pub(crate) fn payload(
    tables: &Tables,
    states: &BTreeMap<String, TableState>,
) -> Result<Option<String>, TransactionError> {
    if states.values().all(|state| state.writes().is_empty()) {
        return Ok(None);
    }
    let keys: usize = states.values().map(|state| state.keys_read().len() + state.writes().len()).sum();
    if keys > KEYS_PER_TRANSACTION_MAX {
        return Err(TransactionError::LimitExceeded("keys read and written"));
    }
    let mut parts: Vec<_> = states
        .iter()
        .filter_map(|(name, state)| Some((&tables.get(name)?.ptr, part(name, state)?)))
        .collect();
    parts.sort_by_key(|(ptr, _)| *ptr);
    let text = Value::Array(parts.into_iter().map(|(_, part)| part).collect()).to_string();
    if text.len() > PAYLOAD_LEN_MAX {
        return Err(TransactionError::LimitExceeded("length of a commit"));
    }
    Ok(Some(text))
}

/// One table's part; `None` when it was not used.
fn part(name: &str, state: &TableState) -> Option<Value> {
    let mut deletes = Vec::new();
    let mut stores = Vec::new();
    let mut patches = Vec::new();
    for (key, write) in state.writes() {
        match write {
            Write::Delete => deletes.push(json!(key)),
            Write::Patch { patch, .. } => patches.push(json!([key, patch.0])),
            Write::Store { row, push, deletes_first, turn } => {
                if *deletes_first {
                    deletes.push(json!(key));
                }
                stores.push((*turn, *push, json!([key, row.0])));
            }
        }
    }
    stores.sort_by_key(|(turn, _, _)| *turn);
    let (pushes, puts): (Vec<_>, Vec<_>) = stores.into_iter().partition(|(_, push, _)| *push);
    let rows =
        |stores: Vec<(u64, bool, Value)>| stores.into_iter().map(|(_, _, row)| row).collect::<Vec<_>>();
    let reads = state.keys_read().iter().map(|key| json!(key)).collect();
    let predicates = state.predicates().iter().map(predicate).collect();

    let mut part = Map::new();
    let lists = [
        ("r", reads),
        ("q", predicates),
        ("del", deletes),
        ("put", rows(puts)),
        ("upd", patches),
        ("push", rows(pushes)),
    ];
    for (kind, list) in lists {
        if !list.is_empty() {
            part.insert(kind.to_owned(), Value::Array(list));
        }
    }
    if part.is_empty() {
        return None;
    }
    part.insert("t".to_owned(), json!(name));
    Some(Value::Object(part))
}

fn predicate(predicate: &Predicate) -> Value {
    match predicate {
        Predicate::All => json!({ "k": "a" }),
        Predicate::Filter(filter) => match filter.rest() {
            None => json!({ "k": "c", "v": filter.pattern() }),
            Some(rest) => json!({ "k": "c", "v": filter.pattern(), "w": rest }),
        },
        Predicate::Range { from, to } => json!({ "k": "l", "from": from, "to": to }),
    }
}
