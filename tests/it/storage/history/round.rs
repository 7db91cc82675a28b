//! One history from an empty database to its final state.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::time::Duration;

use kontract::migrate::run;
use kontract_history::{Anomaly, History, Op, Outcome, Txn, check};
use kontract_mvcc::sql;
use kontract_wire::perm::Perms;
use postgres::Client;
use serde_json::Value;

use super::gateway::{self, Config, now_ns};
use super::mutants::Mutant;
use super::nemesis::Victim;
use super::workload;
use crate::support::pooler::Pooler;
use crate::support::postgres::{Database, IDENTITY_KEY, Server, credential};
use crate::support::transactions::Caller;

const CLIENTS: usize = 16;

/// Faults of a round, spread evenly over its attempts.
const FAULTS: usize = 10;

/// A history to be made.
pub(super) struct Round {
    server: Server,
    transactions: usize,
    seed: u64,
    faults: bool,
    pooled: bool,
    cuts: u64,
    mutant: Option<&'static Mutant>,
}

/// A history that was made, and what is wrong with it.
pub(super) struct Report {
    pub(super) anomalies: Vec<Anomaly>,
    seed: u64,
    outcomes: [usize; 3],
    faults: BTreeMap<&'static str, usize>,
}

impl Round {
    pub(super) fn new(server: Server, transactions: usize, seed: u64) -> Self {
        Self { server, transactions, seed, faults: false, pooled: false, cuts: 10, mutant: None }
    }

    /// Backends, the server and the gateway are killed.
    pub(super) fn with_faults(self) -> Self {
        Self { faults: true, cuts: 30, ..self }
    }

    /// The gateway reaches the database through pgbouncer in transaction mode. No connection is cut then: Debian's pgbouncer
    /// (1.18) gives a server connection to the next client while answers to one that left are still on their way.
    pub(super) fn through_pooler(self) -> Self {
        Self { pooled: true, cuts: 0, ..self }
    }

    /// Storage is installed without one of its guards.
    pub(super) fn with_mutant(self, mutant: &'static Mutant) -> Self {
        Self { mutant: Some(mutant), cuts: 150, ..self }
    }

    pub(super) fn run(self) -> Report {
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("the folder exists");
        let config = Config {
            url_file: folder.path().join("url"),
            journal: folder.path().join("journal"),
            stop_file: folder.path().join("stop"),
            clients: CLIENTS,
            transactions: self.transactions,
            seed: self.seed * 100,
            cuts: self.cuts,
            forgets: self.mutant.map(Mutant::forgets).unwrap_or_default(),
            is_mutant: self.mutant.is_some(),
        };
        if self.faults {
            let mut victim = Victim::start(self.server, folder.path());
            self.install(&mut victim.connect("postgres"));
            seed(|user| victim.connect(user));
            let faults = victim.torment(&config, FAULTS, self.seed);
            self.report(&config.journal, faults, &mut victim.connect("postgres"))
        } else {
            let database = Database::bare(self.server);
            self.install(&mut database.connect("postgres"));
            seed(|user| database.connect(user));
            let (port, name) = database.address();
            let pooler = self.pooled.then(|| Pooler::start(folder.path(), port));
            let url = pooler
                .as_ref()
                .map_or_else(|| database.url("kt_gateway"), |pooler| pooler.url("kt_gateway", name));
            std::fs::write(&config.url_file, url).expect("written");
            std::thread::scope(|scope| {
                let gateway = scope.spawn(|| gateway::serve(&config));
                while !gateway.is_finished() {
                    collect(&mut database.connect("kt_deploy"));
                    std::thread::park_timeout(Duration::from_millis(50));
                }
            });
            self.report(&config.journal, BTreeMap::new(), &mut database.connect("postgres"))
        }
    }

    fn install(&self, admin: &mut Client) {
        run::install(admin).expect("storage installs");
        if let Some(mutant) = self.mutant {
            admin.batch_execute(&mutant.apply(&sql::install())).expect("the mutant installs");
        }
        run::set_identity_key(admin, &IDENTITY_KEY).expect("a key of 32 bytes");
    }

    fn report(&self, journal: &Path, faults: BTreeMap<&'static str, usize>, admin: &mut Client) -> Report {
        let mut txns: BTreeMap<String, Txn> = BTreeMap::new();
        for txn in journal_of(journal) {
            txns.insert(txn.name.clone(), txn);
        }
        let count = |outcome| txns.values().filter(|txn| txn.outcome == outcome).count();
        let outcomes = [Outcome::Committed, Outcome::Aborted, Outcome::Unknown].map(count);
        let mut history = History { txns: txns.into_values().collect(), registers: registers(admin) };
        history.txns.push(workload::seed().1);
        history.txns.push(last_look(admin, &history));
        Report { anomalies: check(&history), seed: self.seed, outcomes, faults }
    }
}

impl Report {
    pub(super) fn attempts(&self) -> usize {
        self.outcomes.iter().sum()
    }

    pub(super) fn expect_clean(&self) {
        let committed = self.outcomes[0];
        assert!(committed > self.attempts() / 4, "{self}: too little was done to show anything");
        let anomalies: Vec<_> = self.anomalies.iter().take(10).map(ToString::to_string).collect();
        assert!(anomalies.is_empty(), "seed {}: {}", self.seed, anomalies.join("\n"));
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [committed, aborted, unknown] = self.outcomes;
        write!(f, "{committed} committed, {aborted} aborted, {unknown} unknown, {:?}", self.faults)
    }
}

/// Every whole line; a killed gateway may leave half of one.
pub(super) fn journal_of(journal: &Path) -> Vec<Txn> {
    let text = std::fs::read_to_string(journal).expect("the gateway writes it");
    text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

/// Old versions go while transactions run; those of the registers stay, because they tell their order.
pub(super) fn collect(deploy: &mut Client) {
    let sql = "SELECT kt.gc_horizon('0'); SELECT kt.gc_table('tbl_la'), kt.gc_table('tbl_l0'), kt.gc_table('tbl_l1'), kt.gc_table('tbl_ph'), kt.gc_table('tbl_queue')";
    // A server that is being killed collects nothing.
    let _ = deploy.batch_execute(sql);
}

/// Provisions the tables and stores the first rows.
fn seed(connect: impl Fn(&str) -> Client) {
    let mut deploy = connect("kt_deploy");
    for (name, table) in workload::tables().iter() {
        deploy.execute("SELECT kt.provision($1, $2)", &[name, &table.ptr.to_string()]).expect("provisions");
    }
    let mut caller =
        Caller::over(connect("kt_gateway"), credential("history"), Perms::ALL, workload::tables());
    caller
        .call(|open| workload::seed().0.iter().try_for_each(|row| open.set("regs", row).map(drop)))
        .expect("stores");
}

/// Values of each register in the order of their versions.
fn registers(admin: &mut Client) -> BTreeMap<String, Vec<u64>> {
    let mut registers: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    for row in rows(admin, "SELECT id, data::text FROM kt_data.tbl_regs ORDER BY id, _version") {
        registers.entry(row.0).or_default().push(row.1["tag"].as_u64().expect("a tag"));
    }
    registers
}

/// Everything as it is at the end, read by nobody's code but PostgreSQL's.
fn last_look(admin: &mut Client, history: &History) -> Txn {
    let mut ops = Vec::new();
    for row in rows(admin, "SELECT id, data::text FROM kt_data.tbl_la WHERE _deleted_txid IS NULL") {
        ops.push(Op::List(row.0, workload::numbers(row.1["l"].as_array())));
    }
    for list in ["l0", "l1"] {
        let sql = format!(
            "SELECT id, data::text FROM kt_data.tbl_{list} WHERE _deleted_txid IS NULL ORDER BY _order"
        );
        let values = rows(admin, &sql).iter().filter_map(|row| row.1["v"].as_u64()).collect();
        ops.push(Op::List(list.to_owned(), values));
    }
    let mut groups: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    for op in history.txns.iter().flat_map(|txn| &txn.ops) {
        if let Op::Enter(group, _) = op {
            groups.entry(group.clone()).or_default();
        }
    }
    for row in rows(admin, "SELECT id, data::text FROM kt_data.tbl_ph WHERE _deleted_txid IS NULL") {
        groups.entry(format!("g{}", row.1["g"])).or_default().push(row.0.parse().expect("a number"));
    }
    for row in rows(admin, "SELECT id, data::text FROM kt_data.tbl_queue WHERE _deleted_txid IS NULL") {
        groups.entry("queue".to_owned()).or_default().push(row.0.parse().expect("a number"));
    }
    ops.extend(groups.into_iter().map(|(group, members)| Op::Scan(group, members)));
    let begin_ns = now_ns();
    Txn { name: "the end".into(), begin_ns, end_ns: begin_ns + 1, outcome: Outcome::Committed, ops }
}

fn rows(admin: &mut Client, sql: &str) -> Vec<(String, Value)> {
    let rows = admin.query(sql, &[]).expect("the superuser reads");
    rows.iter().map(|row| (row.get(0), serde_json::from_str(row.get(1)).expect("JSON"))).collect()
}
