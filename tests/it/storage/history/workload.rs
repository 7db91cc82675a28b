//! What clients do: small transactions over few rows, so that they meet.
//!
//! | plan | data | what goes wrong without the guarantee |
//! |---|---|---|
//! | `RowLists` | lists inside rows, read and stored whole | lost updates, read skew |
//! | `Tables` | tables as lists, `push` and `list` | phantoms at the end, wrong order |
//! | `Transfer`, `Audit` | accounts whose sum is constant | read skew |
//! | `Skew` | pairs of which one is on | write skew |
//! | `Count` | counters | lost updates |
//! | `Blind` | registers that are stored unread | writes that cross |
//! | `Queue` | rows that are pushed, popped and shifted | a row taken twice, or one that should have come first |
//! | `Group` | at most three members in a group | phantoms |

use std::collections::BTreeSet;
use std::sync::Arc;

use kontract_history::{Op, Txn};
use kontract_mvcc::table::{Ptr, Table, Tables};
use serde_json::{Value, json};

use super::gateway::{Attempt, Ended};

const ROW_LISTS: u64 = 5;
const ACCOUNTS: u64 = 6;
const BALANCE: i64 = 100;
const PAIRS: u64 = 4;
const COUNTERS: u64 = 2;
const BLIND: u64 = 4;
const GROUPS: u64 = 3;
const MEMBERS_MAX: usize = 3;
const PAGE: usize = 20;

/// The tables; each of the two lists is a table of its own.
pub(super) fn tables() -> Arc<Tables> {
    let names = ["la", "l0", "l1", "regs", "ph", "queue"];
    let table = |name: &str| Table {
        ptr: Ptr::parse(&format!("tbl_{name}")).expect("a ptr"),
        key: "id".into(),
        readonly: BTreeSet::new(),
    };
    Arc::new(names.iter().map(|name| ((*name).to_owned(), table(name))).collect())
}

/// Rows that are there at the beginning, and the transaction that put them there.
pub(super) fn seed() -> (Vec<Value>, Txn) {
    let accounts = (0..ACCOUNTS).map(|n| (format!("a{n}"), json!({"bank": 1, "n": BALANCE})));
    let pairs = (0..PAIRS).flat_map(|n| ["x", "y"].map(|side| (format!("s{n}{side}"), json!({"n": 1}))));
    let counters = (0..COUNTERS).map(|n| (format!("c{n}"), json!({"n": 0})));
    let mut ops = Vec::new();
    let mut rows = Vec::new();
    for (tag, (id, mut row)) in (1..).zip(accounts.chain(pairs).chain(counters)) {
        row["id"] = json!(id);
        row["tag"] = json!(tag);
        rows.push(row);
        ops.push(Op::Write(id, tag));
    }
    let outcome = kontract_history::Outcome::Committed;
    (rows, Txn { name: "seed".into(), begin_ns: 0, end_ns: 1, outcome, ops })
}

/// What one call does; the same at each attempt.
#[derive(Debug, Clone)]
pub(super) enum Plan {
    RowLists(Vec<(bool, String)>),
    Tables(Vec<(bool, String)>),
    Transfer(String, String, i64),
    Audit,
    Skew(u64, &'static str),
    Count(String),
    Blind(String, String),
    Group(u64, u64),
    Queue(QueueStep),
}

/// What is done to the queue.
#[derive(Debug, Clone, Copy)]
pub(super) enum QueueStep {
    Push,
    Pop,
    Shift,
}

impl Plan {
    pub(super) fn choose(random: &mut Random) -> Self {
        let some = |random: &mut Random, prefix: &str, count: u64| {
            (0..=random.below(3))
                .map(|_| (random.one_in(2), format!("{prefix}{}", random.below(count))))
                .collect()
        };
        match random.below(22) {
            0..5 => Self::RowLists(some(random, "k", ROW_LISTS)),
            5..9 => Self::Tables(some(random, "l", 2)),
            9..11 => {
                let from = random.below(ACCOUNTS);
                let to = (from + 1 + random.below(ACCOUNTS - 1)) % ACCOUNTS;
                Self::Transfer(format!("a{from}"), format!("a{to}"), 1 + i64::from(random.u32() % 5))
            }
            11 => Self::Audit,
            12..14 => Self::Skew(random.below(PAIRS), if random.one_in(2) { "x" } else { "y" }),
            14 => Self::Count(format!("c{}", random.below(COUNTERS))),
            15..17 => {
                let first = random.below(BLIND);
                Self::Blind(format!("b{first}"), format!("b{}", (first + 1) % BLIND))
            }
            17 | 18 => Self::Queue(
                [QueueStep::Push, QueueStep::Push, QueueStep::Pop, QueueStep::Shift]
                    [usize::try_from(random.below(4)).expect("few")],
            ),
            _ => Self::Group(random.below(GROUPS), random.below(GROUPS)),
        }
    }

    pub(super) async fn run(&self, attempt: &mut Attempt<'_>, random: &mut Random) -> Result<(), Ended> {
        match self {
            Self::RowLists(steps) => row_lists(attempt, steps).await,
            Self::Tables(steps) => table_lists(attempt, steps, random).await,
            Self::Transfer(from, to, amount) => transfer(attempt, from, to, *amount).await,
            Self::Audit => audit(attempt).await,
            Self::Skew(pair, side) => skew(attempt, *pair, side).await,
            Self::Count(counter) => count(attempt, counter).await,
            Self::Blind(first, second) => {
                for register in [first, second] {
                    set(attempt, register, json!({})).await?;
                }
                Ok(())
            }
            Self::Queue(step) => queue(attempt, *step).await,
            Self::Group(group, other) => groups(attempt, *group, *other, random).await,
        }
    }
}

async fn row_lists(attempt: &mut Attempt<'_>, steps: &[(bool, String)]) -> Result<(), Ended> {
    for (appends, key) in steps {
        let row = attempt.one(|transaction| transaction.get("la", key)).await?;
        let mut values = numbers(row["l"].as_array());
        attempt.ops.push(Op::List(key.clone(), values.clone()));
        if *appends {
            let value = attempt.value();
            values.push(value);
            let row = json!({"id": key, "l": values}).to_string();
            attempt.one(|transaction| transaction.set("la", &row)).await?;
            attempt.ops.push(Op::Append(key.clone(), value));
        }
    }
    Ok(())
}

async fn table_lists(
    attempt: &mut Attempt<'_>,
    steps: &[(bool, String)],
    random: &mut Random,
) -> Result<(), Ended> {
    for (appends, table) in steps {
        if *appends {
            let value = attempt.value();
            let row = json!({"id": value.to_string(), "v": value}).to_string();
            attempt.one(|transaction| transaction.push(table, &row)).await?;
            attempt.ops.push(Op::Append(table.clone(), value));
        } else {
            let values =
                if random.one_in(2) { pages(attempt, table).await? } else { whole(attempt, table).await? };
            attempt.ops.push(Op::List(table.clone(), values));
        }
    }
    Ok(())
}

async fn whole(attempt: &mut Attempt<'_>, table: &str) -> Result<Vec<u64>, Ended> {
    let rows = attempt.one(|transaction| transaction.list(table, None, None)).await?;
    Ok(rows.as_array().into_iter().flatten().filter_map(|row| row["v"].as_u64()).collect())
}

async fn pages(attempt: &mut Attempt<'_>, table: &str) -> Result<Vec<u64>, Ended> {
    let mut values: Vec<u64> = Vec::new();
    loop {
        let after = values.last().map(ToString::to_string);
        let page = attempt.one(|transaction| transaction.list(table, after.as_deref(), Some(PAGE))).await?;
        let page: Vec<u64> =
            page.as_array().into_iter().flatten().filter_map(|row| row["v"].as_u64()).collect();
        let is_last = page.len() < PAGE;
        values.extend(page);
        if is_last {
            return Ok(values);
        }
    }
}

async fn transfer(attempt: &mut Attempt<'_>, from: &str, to: &str, amount: i64) -> Result<(), Ended> {
    let rows =
        attempt.all(|transaction| [transaction.get("regs", from), transaction.get("regs", to)]).await?;
    for (register, row, change) in [(from, &rows[0], -amount), (to, &rows[1], amount)] {
        read(attempt, register, row);
        update(attempt, register, json!({"n": row["n"].as_i64().unwrap_or(0) + change})).await?;
    }
    Ok(())
}

async fn audit(attempt: &mut Attempt<'_>) -> Result<(), Ended> {
    let find = json!({"match": {"bank": 1}}).to_string();
    let rows = attempt.one(|transaction| transaction.query("regs", &find)).await?;
    let rows = rows.as_array().cloned().unwrap_or_default();
    let sum: i64 = rows.iter().filter_map(|row| row["n"].as_i64()).sum();
    for row in &rows {
        read(attempt, row["id"].as_str().unwrap_or_default(), row);
    }
    if sum != BALANCE * i64::try_from(ACCOUNTS).expect("few") || rows.len() as u64 != ACCOUNTS {
        attempt.ops.push(Op::Broken(format!("{} accounts hold {sum}", rows.len())));
    }
    Ok(())
}

/// Switches one side off while the other is on, else the one that is off on again.
async fn skew(attempt: &mut Attempt<'_>, pair: u64, side: &str) -> Result<(), Ended> {
    let keys = ["x", "y"].map(|side| format!("s{pair}{side}"));
    let list: Vec<String> = keys.to_vec();
    let rows = attempt.one(|transaction| transaction.mget("regs", &list)).await?;
    for (key, row) in keys.iter().zip(rows.as_array().into_iter().flatten()) {
        read(attempt, key, row);
    }
    let on = [0, 1].map(|place| rows[place]["n"] == 1);
    let (register, value) = match on {
        [false, false] => {
            attempt.ops.push(Op::Broken(format!("both of pair {pair} are off")));
            return Ok(());
        }
        [true, true] => (format!("s{pair}{side}"), 0),
        [false, true] => (keys[0].clone(), 1),
        [true, false] => (keys[1].clone(), 1),
    };
    set(attempt, &register, json!({"n": value})).await
}

async fn count(attempt: &mut Attempt<'_>, counter: &str) -> Result<(), Ended> {
    let row = attempt.one(|transaction| transaction.get("regs", counter)).await?;
    read(attempt, counter, &row);
    update(attempt, counter, json!({"n": row["n"].as_i64().unwrap_or(0) + 1})).await
}

/// The queue is a group, and what is taken has to be at the end of it.
async fn queue(attempt: &mut Attempt<'_>, step: QueueStep) -> Result<(), Ended> {
    if let QueueStep::Push = step {
        let member = attempt.value();
        let row = json!({"id": member.to_string(), "v": member}).to_string();
        attempt.one(|transaction| transaction.push("queue", &row)).await?;
        attempt.ops.push(Op::Enter("queue".to_owned(), member));
        return Ok(());
    }
    let members = whole(attempt, "queue").await?;
    attempt.ops.push(Op::Scan("queue".to_owned(), members.clone()));
    let (taken, expected) = match step {
        QueueStep::Shift => (attempt.one(|transaction| transaction.shift("queue")).await?, members.first()),
        QueueStep::Pop | QueueStep::Push => {
            (attempt.one(|transaction| transaction.pop("queue")).await?, members.last())
        }
    };
    let taken = taken["v"].as_u64();
    if taken.as_ref() != expected {
        attempt.ops.push(Op::Broken(format!("{taken:?} was taken, not {expected:?}")));
    }
    if let Some(member) = taken {
        attempt.ops.push(Op::Leave("queue".to_owned(), member));
    }
    Ok(())
}

/// Adds a member to a group that has room; from a full one takes a member out, into another that has room.
async fn groups(attempt: &mut Attempt<'_>, group: u64, other: u64, random: &mut Random) -> Result<(), Ended> {
    let members = scan(attempt, group).await?;
    if members.len() < MEMBERS_MAX {
        let member = attempt.value();
        let row = json!({"id": member.to_string(), "g": group}).to_string();
        attempt.one(|transaction| transaction.set("ph", &row)).await?;
        attempt.ops.push(Op::Enter(format!("g{group}"), member));
        return Ok(());
    }
    let chosen = usize::try_from(random.below(members.len() as u64)).expect("few");
    let member = members[chosen];
    let moves = other > group && scan(attempt, other).await?.len() < MEMBERS_MAX;
    attempt.ops.push(Op::Leave(format!("g{group}"), member));
    if moves {
        let patch = json!({"g": other}).to_string();
        attempt.one(|transaction| transaction.update("ph", &member.to_string(), &patch)).await?;
        attempt.ops.push(Op::Enter(format!("g{other}"), member));
    } else {
        attempt.one(|transaction| transaction.delete("ph", &member.to_string())).await?;
    }
    Ok(())
}

async fn scan(attempt: &mut Attempt<'_>, group: u64) -> Result<Vec<u64>, Ended> {
    // The same rows, by containment or by comparison.
    let find = if attempt.value().is_multiple_of(2) {
        json!({"match": {"g": group}}).to_string()
    } else {
        json!({"where": {"g": {"gte": group, "lt": group + 1}}, "order": "id", "descending": true})
            .to_string()
    };
    let rows = attempt.one(|transaction| transaction.query("ph", &find)).await?;
    let rows = rows.as_array().into_iter().flatten();
    let members: Vec<u64> = rows.filter_map(|row| row["id"].as_str()?.parse().ok()).collect();
    attempt.ops.push(Op::Scan(format!("g{group}"), members.clone()));
    if members.len() > MEMBERS_MAX {
        attempt.ops.push(Op::Broken(format!("group {group} has {} members", members.len())));
    }
    Ok(members)
}

fn read(attempt: &mut Attempt<'_>, register: &str, row: &Value) {
    attempt.ops.push(Op::Read(register.to_owned(), row["tag"].as_u64()));
}

async fn set(attempt: &mut Attempt<'_>, register: &str, mut row: Value) -> Result<(), Ended> {
    let tag = attempt.value();
    row["id"] = json!(register);
    row["tag"] = json!(tag);
    attempt.one(|transaction| transaction.set("regs", &row.to_string())).await?;
    attempt.ops.push(Op::Write(register.to_owned(), tag));
    Ok(())
}

async fn update(attempt: &mut Attempt<'_>, register: &str, mut patch: Value) -> Result<(), Ended> {
    let tag = attempt.value();
    patch["tag"] = json!(tag);
    attempt.one(|transaction| transaction.update("regs", register, &patch.to_string())).await?;
    attempt.ops.push(Op::Write(register.to_owned(), tag));
    Ok(())
}

pub(super) fn numbers(values: Option<&Vec<Value>>) -> Vec<u64> {
    values.into_iter().flatten().filter_map(Value::as_u64).collect()
}

/// Numbers that a seed decides (SplitMix64).
pub(super) struct Random(u64);

impl Random {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(super) fn u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub(super) fn u32(&mut self) -> u32 {
        u32::try_from(self.u64() >> 32).expect("32 bits")
    }

    pub(super) fn below(&mut self, bound: u64) -> u64 {
        self.u64() % bound
    }

    pub(super) fn one_in(&mut self, count: u64) -> bool {
        self.below(count) == 0
    }
}
