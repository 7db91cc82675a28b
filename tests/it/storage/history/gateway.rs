//! A gateway without its JavaScript: many clients in one thread, a few connections, pipelined statements, retries.
//!
//! What each attempt saw and did is appended to a file before the commit is sent and again when its outcome is known, so
//! that a killed gateway leaves behind what was under way.

use std::cell::{Cell, RefCell};
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures_util::future::join_all;
use kontract_history::{Op, Outcome, Txn};
use kontract_mvcc::credential::Sid;
use kontract_mvcc::error::TransactionError;
use kontract_mvcc::retry::backoff_ms;
use kontract_mvcc::statement::{DbError, Statement, StatementResult};
use kontract_mvcc::table::Tables;
use kontract_mvcc::transaction::{CommitOutcome, Resolution, Step, Transaction};
use kontract_wire::call::IdempotencyKey;
use kontract_wire::perm::Perms;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::task::JoinHandle;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, NoTls};

use super::workload::{self, Random};
use crate::support::postgres::credential;
use crate::support::transactions::random_16;

/// What a gateway is told; as JSON in the environment of its process.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Config {
    /// Holds the database's URL; read again for each connection, because a restarted server has another port.
    pub(super) url_file: PathBuf,
    /// Where attempts are written down.
    pub(super) journal: PathBuf,
    /// Ends the run when it exists.
    pub(super) stop_file: PathBuf,
    pub(super) clients: usize,
    pub(super) transactions: usize,
    pub(super) seed: u64,
    /// How often in a thousand a commit's connection is cut.
    pub(super) cuts: u64,
    /// Parts of a commit that are left out, as a core would that forgot them.
    pub(super) forgets: Vec<String>,
    /// A guard is missing.
    pub(super) is_mutant: bool,
}

const UNIQUE_VIOLATION: &str = "23505";

const CONFIG: &str = "KONTRACT_HISTORY_GATEWAY";
const CONNECTIONS: usize = 4;
/// The pauses between attempts stay short: everybody meets everybody here, and nothing is learnt from waiting.
const PAUSES_GROW_FOR: u32 = 5;
const ATTEMPTS_MAX: u32 = 40;
/// What stands between the reads and the commit of a call, in µs at most.
const THINK_US_MAX: u64 = 3000;

impl Config {
    pub(super) fn from_environment() -> Option<Self> {
        std::env::var(CONFIG).ok().map(|text| serde_json::from_str(&text).expect("made by `command`"))
    }

    /// The process that serves it.
    pub(super) fn command(&self) -> std::process::Command {
        let mut command = std::process::Command::new(std::env::current_exe().expect("this test's program"));
        command.args(["--exact", "storage::history::gateway_process", "--ignored", "--nocapture"]);
        command.env(CONFIG, serde_json::to_string(self).expect("plain values"));
        command.stdout(std::process::Stdio::null());
        command
    }
}

/// Runs clients until they have made their transactions or are told to stop.
pub(super) fn serve(config: &Config) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let local = tokio::task::LocalSet::new();
    let gateway = Rc::new(Gateway {
        config: config.clone(),
        connections: (0..CONNECTIONS).map(|_| RefCell::new(None)).collect(),
        journal: RefCell::new(
            OpenOptions::new().create(true).append(true).open(&config.journal).expect("a journal"),
        ),
        attempts: Cell::new(0),
        values: Cell::new(config.seed * 1_000_000_000),
    });
    local.block_on(&runtime, async {
        let clients = (0..config.clients).map(|number| {
            let gateway = Rc::clone(&gateway);
            tokio::task::spawn_local(async move { gateway.client(number).await })
        });
        for client in join_all(clients).await {
            client.expect("no client panics");
        }
    });
}

pub(super) struct Gateway {
    config: Config,
    connections: Vec<RefCell<Option<Rc<Connection>>>>,
    journal: RefCell<File>,
    attempts: Cell<usize>,
    values: Cell<u64>,
}

struct Connection {
    client: Client,
    pump: JoinHandle<()>,
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.pump.abort();
    }
}

/// One attempt at a call.
pub(super) struct Attempt<'g> {
    gateway: &'g Gateway,
    connection: usize,
    transaction: Transaction,
    /// A first read goes without a session.
    may_go_alone: bool,
    /// The commit's statements, once they were sent.
    sent: Vec<Statement>,
    pub(super) ops: Vec<Op>,
}

/// Why an attempt ended.
#[derive(Debug)]
pub(super) enum Ended {
    Core(TransactionError),
    /// The connection was lost, or the database says that it went away.
    Lost,
}

impl Ended {
    /// From the core, where the loss of the database is an error like others.
    fn of(error: TransactionError) -> Self {
        match error {
            // A crash empties the list of sessions.
            TransactionError::Unavailable(_) | TransactionError::SessionEnded => Self::Lost,
            error => Self::Core(error),
        }
    }
}

impl Gateway {
    /// A value that nobody else writes.
    pub(super) fn value(&self) -> u64 {
        self.values.set(self.values.get() + 1);
        self.values.get()
    }

    fn goes_on(&self) -> bool {
        self.attempts.get() < self.config.transactions && !self.config.stop_file.exists()
    }

    async fn client(&self, number: usize) {
        let mut random = Random::new(self.config.seed * 1000 + number as u64);
        let mut call = 0;
        while self.goes_on() {
            call += 1;
            self.call(&format!("g{}.c{number}.{call}", self.config.seed), number % CONNECTIONS, &mut random)
                .await;
        }
    }

    /// One call with its attempts, as `call.ts` makes them.
    async fn call(&self, name: &str, connection: usize, random: &mut Random) {
        let key = random.one_in(2).then(|| IdempotencyKey(random_16()));
        let plan = workload::Plan::choose(random);
        // An attempt whose outcome the ledger will tell.
        let mut open: Option<Txn> = None;
        for attempt in 1.. {
            self.attempts.set(self.attempts.get() + 1);
            let mut txn = Txn {
                name: format!("{name}.{attempt}"),
                begin_ns: now_ns(),
                end_ns: u64::MAX,
                outcome: Outcome::Unknown,
                ops: Vec::new(),
            };
            // Half of the attempts that could, so that both ways meet.
            let mut running = self.open(connection, key, attempt == 1 && random.one_in(2));
            let body = plan.run(&mut running, random).await;
            txn.ops = std::mem::take(&mut running.ops);
            let ended = match body {
                Ok(()) => {
                    tokio::time::sleep(Duration::from_micros(random.below(THINK_US_MAX))).await;
                    running.commit(&txn, random).await
                }
                Err(ended) => Err(ended),
            };
            let known = match ended {
                Ok(CommitOutcome::Committed) => Known::Committed,
                Ok(CommitOutcome::AlreadyApplied(answer)) => Known::Before(answer),
                Err(Ended::Core(TransactionError::AlreadyApplied(answer))) => Known::Before(answer),
                Err(Ended::Core(error)) if error.is_retryable() => Known::Conflict,
                Err(Ended::Lost) if running.sent.is_empty() => Known::Again,
                Err(Ended::Lost) => {
                    running.outcome(key.is_some() && open.is_none(), open.is_none(), random).await
                }
                // Without locks, the last to notice is the unique index. With them, it never has to.
                Err(Ended::Core(TransactionError::Unexpected(error)))
                    if error.sqlstate == UNIQUE_VIOLATION && self.config.is_mutant =>
                {
                    Known::Conflict
                }
                Err(Ended::Core(error)) => {
                    txn.ops.push(Op::Broken(format!("{plan:?} fails: {error:?}")));
                    return self.settle(Some(txn), Outcome::Aborted);
                }
            };
            txn.end_ns = now_ns();
            match known {
                Known::Committed => {
                    // An attempt that wrote nothing did not ask the ledger; the one before may still be under way.
                    match open.take() {
                        Some(first) if running.sent.is_empty() => {
                            self.settle(Some(Txn { end_ns: u64::MAX, ..first }), Outcome::Unknown);
                        }
                        first => self.settle(first, Outcome::Aborted),
                    }
                    return self.settle(Some(txn), Outcome::Committed);
                }
                Known::Before(answer) => {
                    match open.take().filter(|first| first.name.as_bytes() == answer) {
                        // It may have been under way until this moment.
                        Some(first) => {
                            self.settle(Some(Txn { end_ns: now_ns(), ..first }), Outcome::Committed);
                        }
                        None => {
                            txn.ops.push(Op::Broken(
                                "the ledger has an answer that no open attempt gave".to_owned(),
                            ));
                        }
                    }
                    return self.settle(Some(txn), Outcome::Aborted);
                }
                Known::LeftOpen => {
                    txn.end_ns = u64::MAX;
                    return self.settle(Some(txn), Outcome::Unknown);
                }
                Known::AskLedger => open = Some(txn),
                Known::Conflict | Known::Again => self.settle(Some(txn), Outcome::Aborted),
            }
            let Some(pause_ms) = backoff_ms(attempt.min(PAUSES_GROW_FOR), random.u32()) else { return };
            if attempt > ATTEMPTS_MAX {
                return;
            }
            tokio::time::sleep(Duration::from_millis(pause_ms)).await;
        }
    }

    fn open(&self, connection: usize, key: Option<IdempotencyKey>, may_go_alone: bool) -> Attempt<'_> {
        let tables: Arc<Tables> = workload::tables();
        let transaction = Transaction::new(Sid(random_16()), credential("history"), Perms::ALL, tables, key);
        Attempt { gateway: self, connection, transaction, may_go_alone, sent: Vec::new(), ops: Vec::new() }
    }

    /// Writes down what became of an attempt.
    fn settle(&self, txn: Option<Txn>, outcome: Outcome) {
        if let Some(txn) = txn {
            self.write_down(&Txn { outcome, ..txn });
        }
    }

    fn write_down(&self, txn: &Txn) {
        let mut line = serde_json::to_vec(txn).expect("plain values");
        line.push(b'\n');
        self.journal.borrow_mut().write_all(&line).expect("a journal");
    }

    async fn connection(&self, number: usize) -> Rc<Connection> {
        loop {
            if let Some(connection) = &*self.connections[number].borrow()
                && !connection.client.is_closed()
            {
                return Rc::clone(connection);
            }
            if let Ok(connection) = connect(&self.config.url_file).await {
                *self.connections[number].borrow_mut() = Some(Rc::new(connection));
            } else {
                // The server is restarting; there is nothing to wait for but time.
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
    }

    /// Runs a batch in one round trip.
    async fn run(&self, number: usize, statements: &[Statement]) -> Result<Vec<StatementResult>, Ended> {
        let connection = self.connection(number).await;
        let answers = join_all(statements.iter().map(|statement| run_one(&connection.client, statement)));
        match tokio::time::timeout(Duration::from_secs(35), answers).await {
            Ok(answers) => answers.into_iter().collect::<Option<Vec<_>>>().ok_or(Ended::Lost),
            Err(_) => Err(Ended::Lost),
        }
    }

    /// Sends a batch and cuts the connection at any point.
    async fn run_cut(
        &self,
        number: usize,
        statements: &[Statement],
        random: &mut Random,
    ) -> Result<Vec<StatementResult>, Ended> {
        let connection = self.connection(number).await;
        let cut = async {
            tokio::time::sleep(Duration::from_micros(random.below(4000))).await;
            connection.pump.abort();
            *self.connections[number].borrow_mut() = None;
            std::future::pending::<()>().await;
        };
        tokio::select! {
            answers = self.run(number, statements) => answers,
            () = cut => Err(Ended::Lost),
        }
    }
}

/// What is known of an attempt that has ended.
enum Known {
    Committed,
    /// Another attempt was committed, with this answer.
    Before(Vec<u8>),
    Conflict,
    /// It never happened; the call runs again.
    Again,
    /// The next attempt will find out.
    AskLedger,
    /// Nobody asks.
    LeftOpen,
}

impl Attempt<'_> {
    pub(super) fn value(&self) -> u64 {
        self.gateway.value()
    }

    /// Starts operations together and sends what they need together.
    pub(super) async fn all<const N: usize>(
        &mut self,
        start: impl FnOnce(&mut Transaction) -> [Result<Step, TransactionError>; N],
    ) -> Result<[Value; N], Ended> {
        let mut answers = [const { Value::Null }; N];
        let mut sent = Vec::new();
        for (place, step) in start(&mut self.transaction).into_iter().enumerate() {
            match step.map_err(Ended::of)? {
                Step::Ready(text) => answers[place] = json(&text),
                Step::Send { id, statements } => sent.push((place, id, statements)),
            }
        }
        if let ([(_, id, statements)], true) = (sent.as_mut_slice(), self.may_go_alone)
            && let Some(statement) = self.transaction.alone(*id)
        {
            *statements = vec![statement];
        }
        let batch: Vec<Statement> = sent.iter().flat_map(|(_, _, statements)| statements.clone()).collect();
        let mut results = self.gateway.run(self.connection, &batch).await?.into_iter();
        for (place, id, statements) in sent {
            let own = results.by_ref().take(statements.len()).collect();
            match self.transaction.answer(id, own).map_err(Ended::of)? {
                Step::Ready(text) => answers[place] = json(&text),
                Step::Send { .. } => unreachable!("no operation takes two round trips"),
            }
        }
        Ok(answers)
    }

    pub(super) async fn one(
        &mut self,
        start: impl FnOnce(&mut Transaction) -> Result<Step, TransactionError>,
    ) -> Result<Value, Ended> {
        if self.gateway.value().is_multiple_of(3) {
            tokio::time::sleep(Duration::from_micros(1500)).await;
        }
        let [value] = self.all(|transaction| [start(transaction)]).await?;
        Ok(value)
    }

    async fn commit(&mut self, txn: &Txn, random: &mut Random) -> Result<CommitOutcome, Ended> {
        let Some(mut statements) = self.transaction.commit(txn.name.as_bytes()).map_err(Ended::of)? else {
            return Ok(CommitOutcome::Committed);
        };
        self.gateway.write_down(txn);
        forget(&mut statements, &self.gateway.config.forgets);
        self.sent = statements;
        let results = if random.below(1000) < self.gateway.config.cuts {
            self.gateway.run_cut(self.connection, &self.sent, random).await?
        } else {
            self.gateway.run(self.connection, &self.sent).await?
        };
        match self.transaction.committed(results) {
            // The session is gone with the server's memory: nothing was done, and nothing will be.
            Err(TransactionError::SessionEnded) => Err(Ended::Core(TransactionError::Conflict)),
            outcome => outcome.map_err(Ended::of),
        }
    }

    /// Learns what became of a commit whose answer was lost, in one of the ways that there are.
    async fn outcome(&mut self, may_ask_ledger: bool, may_forget: bool, random: &mut Random) -> Known {
        if may_forget && random.one_in(10) {
            return Known::LeftOpen;
        }
        if may_ask_ledger && random.one_in(2) {
            return Known::AskLedger;
        }
        loop {
            let statement = self.transaction.resolve();
            let Ok(mut results) = self.gateway.run(self.connection, &[statement]).await else { continue };
            match self.transaction.resolved(results.remove(0)) {
                Ok(resolution) => {
                    // The statements arrive once more, as from a connection that was thought lost; they must do nothing.
                    if random.one_in(2) {
                        let _late = self.gateway.run(self.connection, &self.sent).await;
                    }
                    return match resolution {
                        Resolution::Committed => Known::Committed,
                        Resolution::NotCommitted => Known::Again,
                    };
                }
                Err(TransactionError::Unavailable(_)) => {}
                Err(error) => unreachable!("{error:?}"),
            }
        }
    }
}

/// Takes parts out of each table's share of a commit.
fn forget(statements: &mut [Statement], parts: &[String]) {
    let Some(commit) = statements.last_mut().filter(|_| !parts.is_empty()) else { return };
    if commit.sql.contains("kt.store_") {
        if parts.iter().any(|part| part == "r") {
            commit.params[7] = Some("false".to_owned());
        }
        return;
    }
    let mut payload = json(commit.params[1].as_deref().expect("a payload"));
    for table in payload.as_array_mut().expect("an array") {
        let fields = table.as_object_mut().expect("an object");
        fields.retain(|name, _| !parts.contains(name));
    }
    payload
        .as_array_mut()
        .expect("an array")
        .retain(|table| table.as_object().is_some_and(|fields| fields.len() > 1));
    commit.params[1] = Some(payload.to_string());
}

async fn connect(url_file: &Path) -> Result<Connection, tokio_postgres::Error> {
    let url = std::fs::read_to_string(url_file).expect("the round writes it");
    let (client, connection) = tokio_postgres::connect(&url, NoTls).await?;
    let pump = tokio::task::spawn_local(async move {
        // The client reports the same end to whoever has a query under way.
        let _ended: Result<(), tokio_postgres::Error> = connection.await;
    });
    Ok(Connection { client, pump })
}

/// `None` when the connection is lost.
async fn run_one(client: &Client, statement: &Statement) -> Option<StatementResult> {
    let params: Vec<(&(dyn ToSql + Sync), Type)> =
        statement.params.iter().map(|text| (text as &(dyn ToSql + Sync), Type::TEXT)).collect();
    match client.query_typed(&statement.sql, &params).await {
        Ok(rows) => {
            Some(Ok(rows.iter().map(|row| (0..row.len()).map(|column| row.get(column)).collect()).collect()))
        }
        Err(error) => error.as_db_error().map(|refusal| {
            Err(DbError {
                sqlstate: refusal.code().code().to_owned(),
                message: refusal.message().to_owned(),
                detail: refusal.detail().map(str::to_owned),
            })
        }),
    }
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).expect("JSON")
}

/// One clock for all processes of a round.
pub(super) fn now_ns() -> u64 {
    let elapsed = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
    u64::try_from(elapsed.as_nanos()).expect("before the year 2554")
}
