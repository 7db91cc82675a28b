//! What storage's SQL functions do, in memory. Each statement happens at once; whatever lies between statements is the
//! scheduler's. The real functions are checked by the same checker in `tests/it/storage/history`.

use std::collections::BTreeMap;

use kontract_mvcc::statement::{Columns, DbError, Statement, StatementResult};
use serde_json::{Value, json};

/// A guard that the database can be without: the checker has to notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Guard {
    /// Keys that were read are unchanged.
    Keys,
    /// Queries find what they found.
    Containment,
    /// Whole tables and pages of them are unchanged.
    Pages,
    /// Reads come from the snapshot.
    Snapshot,
    /// An idempotency key is applied once.
    Ledger,
    /// A session commits once, and not after it was ended.
    Log,
    /// The outcome of a commit is told as it was.
    Outcome,
}

/// The database. A point in time is the number of commits before it.
#[derive(Debug, Default)]
pub(crate) struct Database {
    tables: BTreeMap<String, Vec<Version>>,
    /// Session id to snapshot; empty after a crash.
    sessions: BTreeMap<String, u64>,
    /// How often it crashed: what a read without a session said is worth nothing afterwards.
    crashes: u64,
    /// Session id to whether it committed.
    log: BTreeMap<String, bool>,
    /// Idempotency key to answer, both hexadecimal.
    ledger: BTreeMap<String, String>,
    commits: u64,
    places: i64,
    lacks: Option<Guard>,
}

/// The arguments of a commit.
struct Commit {
    sid: String,
    /// One for each table.
    parts: Vec<Value>,
    /// Idempotency key and answer.
    ledger: Option<(String, String)>,
    /// Without a session: what the read before said, if there was one.
    alone: Option<Option<String>>,
}

#[derive(Debug, Clone)]
struct Version {
    id: String,
    data: Value,
    place: i64,
    born: u64,
    died: Option<u64>,
}

impl Version {
    fn is_visible(&self, snapshot: u64) -> bool {
        self.born <= snapshot && self.died.is_none_or(|died| died > snapshot)
    }

    /// Came or went since.
    fn is_changed(&self, snapshot: u64) -> bool {
        let lives = self.died.is_none() && self.born > snapshot;
        lives || self.born <= snapshot && self.died.is_some_and(|died| died > snapshot)
    }
}

impl Database {
    /// An empty database, with all guards but one.
    pub(crate) fn without(guard: Option<Guard>) -> Self {
        Self { lacks: guard, ..Self::default() }
    }

    /// What a crash leaves: everything but the open sessions.
    pub(crate) fn crash(&mut self) {
        self.sessions.clear();
        self.crashes += 1;
    }

    /// Every version of a table in the order of the commits that made them: key, row, and whether it lives.
    pub(crate) fn versions(&self, table: &str) -> Vec<(&str, &Value, bool)> {
        let mut versions: Vec<_> = self.tables.get(table).into_iter().flatten().collect();
        versions.sort_by_key(|version| version.born);
        versions
            .into_iter()
            .map(|version| (version.id.as_str(), &version.data, version.died.is_none()))
            .collect()
    }

    /// The living rows of a table in the order of the list.
    pub(crate) fn rows(&self, table: &str) -> Vec<&Value> {
        let mut rows: Vec<_> =
            self.tables.get(table).into_iter().flatten().filter(|v| v.died.is_none()).collect();
        rows.sort_by_key(|version| version.place);
        rows.into_iter().map(|version| &version.data).collect()
    }

    /// Runs a statement of the core's.
    pub(crate) fn run(&mut self, statement: &Statement) -> StatementResult {
        let text = |at: usize| statement.params.get(at).cloned().flatten();
        let functions = || statement.sql.split("kt.").skip(1).filter_map(|rest| rest.split('(').next());
        let function = functions().next().unwrap_or("");
        match function {
            "start" => return self.start(text(3).ok_or_else(|| error("KT400", None))?, text(4), text(6)),
            "commit" => {
                let commit = Commit {
                    sid: text(0).ok_or_else(|| error("KT400", None))?,
                    parts: json_of(text(1)).as_array().cloned().unwrap_or_default(),
                    ledger: text(2).zip(text(3)),
                    alone: text(4).map(|_| text(5)),
                };
                return self.commit(commit);
            }
            "abort" => {
                let sid = text(0).ok_or_else(|| error("KT400", None))?;
                return Ok(vec![vec![Some(self.abort(&sid).to_owned())]]);
            }
            "here" => {
                let key = statement.params.last().cloned().flatten();
                let read = functions().nth(1).ok_or_else(|| error("42883", None))?;
                let mut rows = vec![vec![Some(self.here(key))]];
                rows.extend(self.read(read, self.commits, &text)?);
                return Ok(rows);
            }
            _ => {}
        }
        if function.starts_with("store_tbl_") {
            let [Some(sid), Some(table), Some(kind), Some(key)] = [text(0), text(3), text(4), text(5)] else {
                return Err(error("KT400", None));
            };
            let mut part = json!({ "t": table, kind: [[key, json_of(text(6))]] });
            if text(7).as_deref() == Some("true") {
                part["r"] = json!([key]);
            }
            let (ledger, alone) = (text(8).zip(text(9)), Some(text(2)));
            return self.commit(Commit { sid, parts: vec![part], ledger, alone });
        }
        if let Some(table) = function.strip_prefix("look_tbl_") {
            let here = self.here(text(2));
            let row = |at: usize| if at == 1 { text(0) } else { None };
            let found = self.read(&format!("get_tbl_{table}"), self.commits, &row)?;
            let row = found.into_iter().flatten().flatten().next().unwrap_or_default();
            return Ok(vec![vec![Some(format!("{here}\n{row}"))]]);
        }
        let sid = text(0).ok_or_else(|| error("KT400", None))?;
        let snapshot = *self.sessions.get(&sid).ok_or_else(|| error("KT401", None))?;
        self.read(function, snapshot, &text)
    }

    /// What a read without a session says beside its rows.
    fn here(&self, key: Option<String>) -> String {
        let answer = key.and_then(|key| self.ledger.get(&key)).filter(|_| self.lacks != Some(Guard::Ledger));
        format!("{}/{}/{}", self.commits, self.crashes, answer.map_or("", String::as_str))
    }

    /// The snapshot that such a read named, unless the server crashed since.
    fn named(&self, from: &str) -> Result<u64, DbError> {
        match from.split_once('/').map(|(snapshot, crashes)| (snapshot.parse(), crashes)) {
            Some((Ok(snapshot), crashes)) if crashes == self.crashes.to_string() => Ok(snapshot),
            _ => Err(error("KT409", None)),
        }
    }

    /// Rows of a read function at a snapshot.
    fn read(&self, function: &str, snapshot: u64, text: &dyn Fn(usize) -> Option<String>) -> StatementResult {
        let (read, table) = function.split_once("_tbl_").ok_or_else(|| error("42883", None))?;
        let limit = |at: usize| text(at).and_then(|limit| limit.parse().ok()).unwrap_or(usize::MAX);
        let rows = self.visible(table, snapshot);
        Ok(match read {
            "get" => vec![vec![
                text(1).and_then(|key| rows.iter().find(|row| row.id == key)).map(|row| row.data.to_string()),
            ]],
            "mget" => {
                let keys = json_of(text(1));
                let is_wanted = |row: &&Version| {
                    keys.as_array().is_some_and(|keys| keys.iter().any(|key| *key == json!(row.id)))
                };
                columns(rows.iter().copied().filter(is_wanted), -1)
            }
            "list" => {
                let after = text(1).map(|key| rows.iter().find(|row| row.id == key).map(|row| row.place));
                match after {
                    Some(None) => Vec::new(),
                    after => {
                        let from = after.flatten().unwrap_or(-1);
                        columns(rows.iter().copied().filter(|row| row.place > from).take(limit(2)), from)
                    }
                }
            }
            "last" => columns(rows.iter().rev().copied().take(limit(1)), -1),
            "query" => {
                let pattern = json_of(text(1));
                columns(rows.iter().copied().filter(|row| contains(&row.data, &pattern)).take(limit(6)), -1)
            }
            _ => return Err(error("42883", None)),
        })
    }

    fn visible(&self, table: &str, snapshot: u64) -> Vec<&Version> {
        let lives_only = self.lacks == Some(Guard::Snapshot);
        let is_visible = |version: &&Version| {
            if lives_only { version.died.is_none() } else { version.is_visible(snapshot) }
        };
        let mut rows: Vec<_> = self.tables.get(table).into_iter().flatten().filter(is_visible).collect();
        rows.sort_by_key(|version| version.place);
        rows
    }

    fn start(&mut self, sid: String, key: Option<String>, from: Option<String>) -> StatementResult {
        if let Some(answer) =
            key.and_then(|key| self.ledger.get(&key)).filter(|_| self.lacks != Some(Guard::Ledger))
        {
            return Ok(vec![vec![None, Some(answer.clone())]]);
        }
        if self.sessions.contains_key(&sid) {
            return Err(error("KT401", None));
        }
        let snapshot = from.map_or(Ok(self.commits), |from| self.named(&from))?;
        self.sessions.insert(sid, snapshot);
        Ok(vec![vec![Some(snapshot.to_string()), None]])
    }

    fn abort(&mut self, sid: &str) -> &'static str {
        let ended = self.sessions.remove(sid).is_some();
        match self.log.get(sid) {
            Some(true) if self.lacks != Some(Guard::Outcome) => "committed",
            Some(_) => "gone",
            None => {
                if self.lacks != Some(Guard::Log) {
                    self.log.insert(sid.to_owned(), false);
                }
                if ended { "aborted" } else { "gone" }
            }
        }
    }

    fn commit(&mut self, commit: Commit) -> StatementResult {
        let Commit { sid, parts, ledger, alone } = commit;
        let snapshot = match alone {
            Some(Some(from)) => self.named(&from)?,
            Some(None) => self.commits,
            None => *self.sessions.get(&sid).ok_or_else(|| error("KT401", None))?,
        };
        let ledger = ledger.filter(|_| self.lacks != Some(Guard::Ledger));
        if let Some(first) = ledger.as_ref().and_then(|(key, _)| self.ledger.get(key)) {
            return Err(error("KT208", Some(first.clone())));
        }
        if parts.iter().any(|part| self.conflicts(part, snapshot)) {
            return Err(error("KT409", None));
        }
        if self.log.contains_key(&sid) {
            return Err(error("KT401", None));
        }
        self.commits += 1;
        parts.iter().for_each(|part| self.apply(part));
        if self.lacks != Some(Guard::Log) {
            self.log.insert(sid.clone(), true);
        }
        self.sessions.remove(&sid);
        self.ledger.extend(ledger);
        Ok(vec![vec![Some(self.commits.to_string())]])
    }

    /// Whether something that was read is no longer as it was.
    fn conflicts(&self, part: &Value, snapshot: u64) -> bool {
        let table = part["t"].as_str().unwrap_or_default();
        let changed: Vec<_> = self
            .tables
            .get(table)
            .into_iter()
            .flatten()
            .filter(|version| version.is_changed(snapshot))
            .collect();
        let keys = list(&part["r"]).any(|key| changed.iter().any(|version| json!(version.id) == *key));
        let broken = |predicate: &Value| {
            changed.iter().any(|version| match predicate["k"].as_str() {
                Some("c") => {
                    self.lacks != Some(Guard::Containment) && contains(&version.data, &predicate["v"])
                }
                _ if self.lacks == Some(Guard::Pages) => false,
                Some("l") => {
                    predicate["from"].as_i64().is_none_or(|from| version.place >= from)
                        && predicate["to"].as_i64().is_none_or(|to| version.place <= to)
                }
                _ => true,
            })
        };
        keys && self.lacks != Some(Guard::Keys) || list(&part["q"]).any(broken)
    }

    fn apply(&mut self, part: &Value) {
        let table = part["t"].as_str().unwrap_or_default().to_owned();
        for key in list(&part["del"]) {
            self.end(&table, key.as_str().unwrap_or_default());
        }
        for operation in ["put", "upd", "push"] {
            for change in list(&part[operation]) {
                let id = change[0].as_str().unwrap_or_default().to_owned();
                let before = self.end(&table, &id);
                let place = match &before {
                    Some(before) if operation != "push" => before.place,
                    _ => {
                        self.places += 1;
                        self.places
                    }
                };
                let mut data = change[1].clone();
                if let (Some(before), "upd") = (before, operation) {
                    data = before.data;
                    for (field, value) in change[1].as_object().into_iter().flatten() {
                        data[field] = value.clone();
                    }
                }
                let version = Version { id, data, place, born: self.commits, died: None };
                self.tables.entry(table.clone()).or_default().push(version);
            }
        }
    }

    /// Ends the living version of a key.
    fn end(&mut self, table: &str, id: &str) -> Option<Version> {
        let versions = self.tables.get_mut(table)?;
        let version = versions.iter_mut().find(|version| version.id == id && version.died.is_none())?;
        version.died = Some(self.commits);
        Some(version.clone())
    }
}

fn columns<'v>(rows: impl Iterator<Item = &'v Version>, after: i64) -> Vec<Columns> {
    rows.map(|row| {
        vec![
            Some(row.id.clone()),
            Some(row.data.to_string()),
            Some(row.place.to_string()),
            Some(after.to_string()),
        ]
    })
    .collect()
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

/// Containment of flat rows; the real one is `runtime/mvcc/src/contains.rs`, with vectors of PostgreSQL's.
fn contains(row: &Value, pattern: &Value) -> bool {
    pattern
        .as_object()
        .is_some_and(|fields| fields.iter().all(|(field, value)| row.get(field) == Some(value)))
}

fn json_of(text: Option<String>) -> Value {
    text.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default()
}

fn error(sqlstate: &str, detail: Option<String>) -> DbError {
    DbError { sqlstate: sqlstate.to_owned(), message: "refused".to_owned(), detail }
}
