//! Storage's real transaction core on a database in memory. A seed decides in which order the statements of concurrent calls
//! arrive, which answers are lost, what arrives late and when the database crashes.
//!
//! ```text
//! seed → clients, interleaved → what they saw and did → kontract_history::check
//! ```
//!
//! The database is a model of what the SQL functions promise, each statement at once. It finds mistakes of the core, of the
//! rules about retries and of the protocol around a lost commit, thousands of histories a minute, each of which its seed
//! brings back. What happens inside of the SQL functions is not its business: `tests/it/storage/history` runs them on
//! PostgreSQL, with the same checker.
#![forbid(unsafe_code)]

mod client;
mod database;
mod world;

use std::collections::BTreeMap;
use std::rc::Rc;

use kontract_history::{Anomaly, History, Op, Outcome, Txn, check};
use kontract_mvcc::credential::{Credential, Sid};
use kontract_mvcc::transaction::Transaction;
use kontract_wire::perm::Perms;
use serde_json::Value;

pub use database::Guard;
use world::World;

const CLIENTS: usize = 8;
const CALLS_PER_CLIENT: usize = 12;

/// One simulated history: what is wrong with it, and how many calls were committed.
pub struct Report {
    /// Empty when the history was strictly serializable.
    pub anomalies: Vec<Anomaly>,
    /// Attempts that took effect.
    pub committed: usize,
}

/// Runs the history of a seed, on a database without one of its guards, or with a core that leaves out parts of its commits.
pub fn simulate(seed: u64, lacks: Option<Guard>, forgets: &'static [&'static str]) -> Report {
    let world = World::new(seed, lacks, forgets);
    let mut history = History::default();
    history.txns.push(seed_rows(&world));
    let clients = (0..CLIENTS)
        .map(|name| Box::pin(client::client(Rc::clone(&world), name, CALLS_PER_CLIENT)) as world::Client)
        .collect();
    world.run(clients, true);
    history.txns.append(&mut world.history.borrow_mut());
    let committed = history.txns.iter().filter(|txn| txn.outcome == Outcome::Committed).count();
    history.registers = registers(&world);
    history.txns.push(last_look(&world, &history));
    Report { anomalies: check(&history), committed }
}

fn seed_rows(world: &World) -> Txn {
    let credential = Credential { owner: "o".into(), expires_at_s: i64::MAX, mac: [0; 32] };
    let mut transaction = Transaction::new(Sid([0; 16]), credential, Perms::ALL, client::tables(), None);
    let mut ops = Vec::new();
    for row in client::first_rows() {
        transaction.set("regs", &row.to_string()).expect("a row");
        ops.push(Op::Write(text(&row["id"]), row["tag"].as_u64().expect("a tag")));
    }
    for statement in transaction.commit(b"").expect("nothing is wrong").into_iter().flatten() {
        world.database.borrow_mut().run(&statement).expect("the database is empty");
    }
    let begin_ns = world.now();
    Txn { name: "seed".into(), begin_ns, end_ns: world.now(), outcome: Outcome::Committed, ops }
}

/// Values of each register in the order of their versions.
fn registers(world: &World) -> BTreeMap<String, Vec<u64>> {
    let mut registers: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    for (id, row, _) in world.database.borrow().versions("regs") {
        registers.entry(id.to_owned()).or_default().push(row["tag"].as_u64().expect("a tag"));
    }
    registers
}

fn last_look(world: &World, history: &History) -> Txn {
    let database = world.database.borrow();
    let numbers = |rows: &[&Value], field: &str| -> Vec<u64> {
        rows.iter().filter_map(|row| row[field].as_u64()).collect()
    };
    let mut ops = vec![Op::List("l0".to_owned(), numbers(&database.rows("l0"), "v"))];
    for row in database.rows("la") {
        let values = row["l"].as_array().into_iter().flatten().filter_map(Value::as_u64).collect();
        ops.push(Op::List(text(&row["id"]), values));
    }
    let mut groups: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    for op in history.txns.iter().flat_map(|txn| &txn.ops) {
        if let Op::Enter(group, _) = op {
            groups.entry(group.clone()).or_default();
        }
    }
    for row in database.rows("ph") {
        groups.entry(format!("g{}", row["g"])).or_default().push(text(&row["id"]).parse().expect("a number"));
    }
    groups.entry("queue".to_owned()).or_default().extend(numbers(&database.rows("queue"), "v"));
    ops.extend(groups.into_iter().map(|(group, members)| Op::Scan(group, members)));
    let begin_ns = world.now();
    Txn { name: "the end".into(), begin_ns, end_ns: world.now(), outcome: Outcome::Committed, ops }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests;
