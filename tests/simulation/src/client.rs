//! Clients: calls with their attempts, as `npm/kontract/src/server/call.ts` makes them, and what they do to the tables.

use std::rc::Rc;
use std::sync::Arc;

use kontract_history::{Op, Outcome, Txn};
use kontract_mvcc::credential::{Credential, Sid};
use kontract_mvcc::error::TransactionError;
use kontract_mvcc::statement::Statement;
use kontract_mvcc::table::{Ptr, Table, Tables};
use kontract_mvcc::transaction::{CommitOutcome, Resolution, Step, Transaction};
use kontract_wire::call::IdempotencyKey;
use kontract_wire::perm::Perms;
use serde_json::{Value, json};

use crate::world::{World, pause};

const ATTEMPTS_MAX: usize = 30;
const MEMBERS_MAX: usize = 3;
pub(crate) const ACCOUNTS: usize = 4;
const BALANCE: i64 = 10;

/// The tables of a history.
pub(crate) fn tables() -> Arc<Tables> {
    let table = |name: &str| Table {
        ptr: Ptr::parse(&format!("tbl_{name}")).expect("a ptr"),
        key: "id".into(),
        readonly: std::collections::BTreeSet::new(),
    };
    Arc::new(
        ["la", "l0", "regs", "ph", "queue"].iter().map(|name| ((*name).to_owned(), table(name))).collect(),
    )
}

/// Rows that are there at the beginning.
pub(crate) fn first_rows() -> Vec<Value> {
    let accounts =
        (0..ACCOUNTS).map(|n| json!({"id": format!("a{n}"), "bank": 1, "n": BALANCE, "tag": n + 1}));
    let pair = ["x", "y"].into_iter().enumerate().map(|(n, id)| json!({"id": id, "n": 1, "tag": n + 100}));
    accounts.chain(pair).collect()
}

/// Why an attempt ended.
enum Ended {
    Core(TransactionError),
    Lost,
}

impl From<TransactionError> for Ended {
    fn from(error: TransactionError) -> Self {
        match error {
            // A crash empties the list of sessions.
            TransactionError::Unavailable(_) | TransactionError::SessionEnded => Self::Lost,
            error => Self::Core(error),
        }
    }
}

struct Attempt<'w> {
    world: &'w World,
    transaction: Transaction,
    /// A first read may go without a session.
    may_go_alone: bool,
    ops: Vec<Op>,
    sent: bool,
}

/// Makes so many calls.
pub(crate) async fn client(world: Rc<World>, name: usize, calls: usize) {
    for number in 0..calls {
        call(&world, &format!("c{name}.{number}")).await;
    }
}

async fn call(world: &World, name: &str) {
    let key = world.one_in(2).then(|| IdempotencyKey(bytes(world)));
    let plan = world.random();
    // An attempt whose outcome the ledger will tell.
    let mut open: Option<Txn> = None;
    for number in 0..ATTEMPTS_MAX {
        let credential = Credential { owner: "o".into(), expires_at_s: i64::MAX, mac: [0; 32] };
        let transaction = Transaction::new(Sid(bytes(world)), credential, Perms::ALL, tables(), key);
        let may_go_alone = number == 0;
        let mut attempt = Attempt { world, transaction, may_go_alone, ops: Vec::new(), sent: false };
        let (name, begin_ns) = (format!("{name}.{number}"), world.now());
        let ended = match work(&mut attempt, plan).await {
            Ok(()) => attempt.commit(name.as_bytes()).await,
            Err(ended) => Err(ended),
        };
        let ops = std::mem::take(&mut attempt.ops);
        let mut txn = Txn { name, begin_ns, end_ns: world.now(), outcome: Outcome::Aborted, ops };
        match ended {
            Ok(CommitOutcome::Committed) => {
                // An attempt that wrote nothing did not ask the ledger; the one before may still be under way.
                match open.take() {
                    Some(first) if !attempt.sent => {
                        settle(world, Some(Txn { end_ns: u64::MAX, ..first }), Outcome::Unknown);
                    }
                    first => settle(world, first, Outcome::Aborted),
                }
                return settle(world, Some(txn), Outcome::Committed);
            }
            Ok(CommitOutcome::AlreadyApplied(answer))
            | Err(Ended::Core(TransactionError::AlreadyApplied(answer))) => {
                match open.take().filter(|first| first.name.as_bytes() == answer) {
                    Some(first) => {
                        settle(world, Some(Txn { end_ns: txn.end_ns, ..first }), Outcome::Committed);
                    }
                    None => txn
                        .ops
                        .push(Op::Broken("the ledger has an answer that no open attempt gave".to_owned())),
                }
                return settle(world, Some(txn), Outcome::Aborted);
            }
            Err(Ended::Core(TransactionError::Conflict)) => settle(world, Some(txn), Outcome::Aborted),
            Err(Ended::Core(error)) => {
                txn.ops.push(Op::Broken(format!("{error:?}")));
                return settle(world, Some(txn), Outcome::Aborted);
            }
            Err(Ended::Lost) if !attempt.sent => settle(world, Some(txn), Outcome::Aborted),
            Err(Ended::Lost) if open.is_none() && world.one_in(8) => {
                txn.end_ns = u64::MAX;
                return settle(world, Some(txn), Outcome::Unknown);
            }
            Err(Ended::Lost) if key.is_some() && open.is_none() && world.one_in(2) => open = Some(txn),
            Err(Ended::Lost) => {
                let resolution = attempt.outcome().await;
                txn.end_ns = world.now();
                if resolution == Resolution::Committed {
                    settle(world, open.take(), Outcome::Aborted);
                    return settle(world, Some(txn), Outcome::Committed);
                }
                settle(world, Some(txn), Outcome::Aborted);
            }
        }
        for _ in 0..world.below(4 << number.min(5)) {
            pause().await;
        }
    }
    settle(world, open.map(|open| Txn { end_ns: u64::MAX, ..open }), Outcome::Unknown);
}

fn settle(world: &World, txn: Option<Txn>, outcome: Outcome) {
    world.history.borrow_mut().extend(txn.map(|txn| Txn { outcome, ..txn }));
}

fn bytes(world: &World) -> [u8; 16] {
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&world.random().to_be_bytes());
    bytes[8..].copy_from_slice(&world.random().to_be_bytes());
    bytes
}

impl Attempt<'_> {
    async fn one(&mut self, step: Result<Step, TransactionError>) -> Result<Value, Ended> {
        let text = match step? {
            Step::Ready(text) => text,
            Step::Send { id, mut statements } => {
                if self.may_go_alone
                    && let Some(statement) = self.transaction.alone(id)
                {
                    statements = vec![statement];
                }
                let results = self.world.send(&statements).await.ok_or(Ended::Lost)?;
                match self.transaction.answer(id, results)? {
                    Step::Ready(text) => text,
                    Step::Send { .. } => unreachable!("no operation takes two round trips"),
                }
            }
        };
        Ok(serde_json::from_str(&text).expect("answers are JSON"))
    }

    async fn get(&mut self, table: &str, key: &str) -> Result<Value, Ended> {
        let step = self.transaction.get(table, key);
        self.one(step).await
    }

    async fn set(&mut self, table: &str, row: &Value) -> Result<(), Ended> {
        let step = self.transaction.set(table, &row.to_string());
        self.one(step).await.map(drop)
    }

    async fn rows(&mut self, table: &str, pattern: Option<Value>) -> Result<Vec<Value>, Ended> {
        let step = match pattern {
            Some(pattern) => self.transaction.query(table, &json!({"match": pattern}).to_string()),
            None => self.transaction.list(table, None, None),
        };
        Ok(self.one(step).await?.as_array().cloned().unwrap_or_default())
    }

    async fn commit(&mut self, answer: &[u8]) -> Result<CommitOutcome, Ended> {
        let Some(mut statements) = self.transaction.commit(answer)? else {
            return Ok(CommitOutcome::Committed);
        };
        forget(&mut statements, self.world.forgets);
        self.sent = true;
        let results = self.world.send(&statements).await.ok_or(Ended::Lost)?;
        match self.transaction.committed(results) {
            // The session is gone with the server's memory: nothing was done, and nothing will be.
            Err(TransactionError::SessionEnded) => Err(Ended::Core(TransactionError::Conflict)),
            outcome => Ok(outcome?),
        }
    }

    async fn outcome(&mut self) -> Resolution {
        loop {
            let statement = self.transaction.resolve();
            let Some(mut results) = self.world.send(&[statement]).await else { continue };
            return self.transaction.resolved(results.remove(0)).expect("the database knows");
        }
    }
}

/// Takes parts out of each table's share of a commit.
fn forget(statements: &mut [Statement], parts: &[&str]) {
    let Some(commit) = statements.last_mut() else { return };
    if commit.sql.contains("kt.store_") {
        if parts.contains(&"r") {
            commit.params[7] = Some("false".to_owned());
        }
        return;
    }
    let Some(text) = commit.params[1].as_mut() else { return };
    let mut payload: Value = serde_json::from_str(text).expect("a payload");
    for table in payload.as_array_mut().into_iter().flatten() {
        if let Some(fields) = table.as_object_mut() {
            fields.retain(|field, _| !parts.contains(&field.as_str()));
        }
    }
    *text = payload.to_string();
}

/// What a call does; the same kind of thing at each attempt.
async fn work(attempt: &mut Attempt<'_>, plan: u64) -> Result<(), Ended> {
    let pick = usize::try_from(plan >> 40).expect("24 bits");
    match plan % 8 {
        0 | 1 => row_list(attempt, pick).await,
        2 => table_list(attempt, pick).await,
        3 => transfer(attempt, pick % ACCOUNTS, (pick + 1) % ACCOUNTS).await,
        4 => audit(attempt).await,
        5 => skew(attempt, pick % 2).await,
        6 => queue(attempt, pick % 3).await,
        _ => group(attempt, pick % 2).await,
    }
}

async fn row_list(attempt: &mut Attempt<'_>, pick: usize) -> Result<(), Ended> {
    for key in [format!("k{}", pick % 3), format!("k{}", (pick + 1) % 3)] {
        let row = attempt.get("la", &key).await?;
        let mut values: Vec<u64> =
            row["l"].as_array().into_iter().flatten().filter_map(Value::as_u64).collect();
        attempt.ops.push(Op::List(key.clone(), values.clone()));
        if attempt.world.one_in(2) {
            let value = attempt.world.value();
            values.push(value);
            attempt.set("la", &json!({"id": key, "l": values})).await?;
            attempt.ops.push(Op::Append(key, value));
        }
    }
    Ok(())
}

async fn table_list(attempt: &mut Attempt<'_>, pick: usize) -> Result<(), Ended> {
    let values = attempt.rows("l0", None).await?.iter().filter_map(|row| row["v"].as_u64()).collect();
    attempt.ops.push(Op::List("l0".to_owned(), values));
    if pick.is_multiple_of(2) {
        let value = attempt.world.value();
        let step = attempt.transaction.push("l0", &json!({"id": value.to_string(), "v": value}).to_string());
        attempt.one(step).await?;
        attempt.ops.push(Op::Append("l0".to_owned(), value));
    }
    Ok(())
}

async fn transfer(attempt: &mut Attempt<'_>, from: usize, to: usize) -> Result<(), Ended> {
    for (account, change) in [(from, -1), (to, 1)] {
        let register = format!("a{account}");
        let row = attempt.get("regs", &register).await?;
        read(attempt, &register, &row);
        let tag = attempt.world.value();
        let patch = json!({"n": row["n"].as_i64().unwrap_or(0) + change, "tag": tag}).to_string();
        let step = attempt.transaction.update("regs", &register, &patch);
        attempt.one(step).await?;
        attempt.ops.push(Op::Write(register, tag));
    }
    Ok(())
}

async fn audit(attempt: &mut Attempt<'_>) -> Result<(), Ended> {
    let rows = attempt.rows("regs", Some(json!({"bank": 1}))).await?;
    let sum: i64 = rows.iter().filter_map(|row| row["n"].as_i64()).sum();
    for row in &rows {
        read(attempt, row["id"].as_str().unwrap_or_default(), row);
    }
    if sum != BALANCE * i64::try_from(ACCOUNTS).expect("few") {
        attempt.ops.push(Op::Broken(format!("the accounts hold {sum}")));
    }
    Ok(())
}

/// Switches one side off while the other is on, else this one on again.
async fn skew(attempt: &mut Attempt<'_>, side: usize) -> Result<(), Ended> {
    let [own, other] = if side == 0 { ["x", "y"] } else { ["y", "x"] };
    let mut on = Vec::new();
    for register in [own, other] {
        let row = attempt.get("regs", register).await?;
        read(attempt, register, &row);
        on.push(row["n"] == 1);
    }
    if !on[0] && !on[1] {
        attempt.ops.push(Op::Broken("both sides are off".to_owned()));
    }
    let tag = attempt.world.value();
    attempt.set("regs", &json!({"id": own, "n": u8::from(!(on[0] && on[1])), "tag": tag})).await?;
    attempt.ops.push(Op::Write(own.to_owned(), tag));
    Ok(())
}

async fn queue(attempt: &mut Attempt<'_>, kind: usize) -> Result<(), Ended> {
    if kind == 0 {
        let member = attempt.world.value();
        let step =
            attempt.transaction.push("queue", &json!({"id": member.to_string(), "v": member}).to_string());
        attempt.one(step).await?;
        attempt.ops.push(Op::Enter("queue".to_owned(), member));
        return Ok(());
    }
    let members: Vec<u64> =
        attempt.rows("queue", None).await?.iter().filter_map(|row| row["v"].as_u64()).collect();
    attempt.ops.push(Op::Scan("queue".to_owned(), members.clone()));
    let (step, expected) = match kind {
        1 => (attempt.transaction.pop("queue"), members.last()),
        _ => (attempt.transaction.shift("queue"), members.first()),
    };
    let taken = attempt.one(step).await?["v"].as_u64();
    if taken.as_ref() != expected {
        attempt.ops.push(Op::Broken(format!("{taken:?} was taken, not {expected:?}")));
    }
    attempt.ops.extend(taken.map(|member| Op::Leave("queue".to_owned(), member)));
    Ok(())
}

/// At most so many members in a group; a full one loses one.
async fn group(attempt: &mut Attempt<'_>, group: usize) -> Result<(), Ended> {
    let name = format!("g{group}");
    let rows = attempt.rows("ph", Some(json!({"g": group}))).await?;
    let members: Vec<u64> = rows.iter().filter_map(|row| row["id"].as_str()?.parse().ok()).collect();
    attempt.ops.push(Op::Scan(name.clone(), members.clone()));
    if members.len() > MEMBERS_MAX {
        attempt.ops.push(Op::Broken(format!("{name} has {} members", members.len())));
    }
    if members.len() < MEMBERS_MAX {
        let member = attempt.world.value();
        attempt.set("ph", &json!({"id": member.to_string(), "g": group})).await?;
        attempt.ops.push(Op::Enter(name, member));
    } else {
        let member = members[attempt.world.below(members.len())];
        let step = attempt.transaction.delete("ph", &member.to_string());
        attempt.one(step).await?;
        attempt.ops.push(Op::Leave(name, member));
    }
    Ok(())
}

fn read(attempt: &mut Attempt<'_>, register: &str, row: &Value) {
    attempt.ops.push(Op::Read(register.to_owned(), row["tag"].as_u64()));
}
