//! Kills backends, the server and the gateway while transactions run.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Child;
use std::time::{Duration, Instant};

use kontract::dev::database::{Cluster, ClusterOptions};
use postgres::{Client, NoTls};

use super::gateway::Config;
use super::round::{collect, journal_of};
use super::workload::Random;
use crate::support::postgres::{Server, kill};

const DATABASE: &str = "history";
/// How long a round may make no progress.
const PATIENCE: Duration = Duration::from_secs(120);

/// A cluster of its own, which may be killed.
pub(super) struct Victim {
    cluster: Option<Cluster>,
    server: Server,
    data_dir: PathBuf,
}

/// What is done to it.
#[derive(Debug, Clone, Copy)]
enum Fault {
    EndBackend,
    KillBackend,
    KillServer,
    KillGateway,
}

impl Victim {
    pub(super) fn start(server: Server, folder: &Path) -> Self {
        let data_dir = folder.join("data");
        let mut victim = Self { cluster: None, server, data_dir };
        victim.restart();
        victim.cluster().create_database(DATABASE).expect("the cluster runs");
        victim
    }

    pub(super) fn connect(&self, user: &str) -> Client {
        let deadline = Instant::now() + PATIENCE;
        loop {
            match Client::connect(&self.cluster().url(user, DATABASE), NoTls) {
                Ok(client) => return client,
                // After a backend was killed, the server recovers for a moment.
                Err(error) => assert!(Instant::now() < deadline, "the server stays away: {error}"),
            }
            std::thread::park_timeout(Duration::from_millis(10));
        }
    }

    /// Runs gateways until they have made the transactions, with as many faults in between. Says how often each was done.
    pub(super) fn torment(
        &mut self,
        config: &Config,
        faults: usize,
        seed: u64,
    ) -> BTreeMap<&'static str, usize> {
        let mut random = Random::new(seed);
        let mut done: BTreeMap<&'static str, usize> = BTreeMap::new();
        let mut life = Life { config: config.clone(), child: None, lives: 0 };
        self.tell(config);
        for number in 1..=faults {
            life.reach(config.transactions * number / (faults + 1), self);
            // Every kind comes, in an order that the seed decides.
            let fault = [Fault::KillGateway, Fault::KillServer, Fault::KillBackend, Fault::EndBackend]
                [(number + usize::try_from(random.below(2)).expect("0 or 1")) % 4];
            let name = match fault {
                Fault::EndBackend => self.end_backend().then_some("backend ended"),
                Fault::KillBackend => self.kill_backend().then_some("backend killed"),
                Fault::KillServer => {
                    self.kill_server();
                    self.tell(config);
                    Some("server killed")
                }
                Fault::KillGateway => life.kill().then_some("gateway killed"),
            };
            *done.entry(name.unwrap_or("nobody there")).or_default() += 1;
        }
        life.reach(config.transactions, self);
        life.end();
        done
    }

    fn cluster(&self) -> &Cluster {
        self.cluster.as_ref().expect("invariant: it runs outside of `restart`")
    }

    fn tell(&self, config: &Config) {
        let unfinished = config.url_file.with_extension("new");
        std::fs::write(&unfinished, self.cluster().url("kt_gateway", DATABASE)).expect("written");
        std::fs::rename(unfinished, &config.url_file).expect("renamed");
    }

    fn restart(&mut self) {
        self.cluster = None;
        let started =
            Cluster::start(&self.server.bin_dir(), &self.data_dir, ClusterOptions { durable: false });
        self.cluster = Some(started.expect("the cluster starts"));
    }

    fn kill_server(&mut self) {
        let file = std::fs::read_to_string(self.data_dir.join("postmaster.pid")).expect("it runs");
        assert!(kill(file.lines().next().expect("the first line is the process")), "it runs");
        self.restart();
    }

    /// A backend of the gateway's, preferably one that works.
    fn backend(&self) -> Option<String> {
        let sql = "SELECT pid::text FROM pg_stat_activity WHERE usename = 'kt_gateway' ORDER BY state = 'active' DESC, random() LIMIT 1";
        self.connect("postgres").query_opt(sql, &[]).ok()?.map(|row| row.get(0))
    }

    fn end_backend(&self) -> bool {
        let Some(pid) = self.backend() else { return false };
        self.connect("postgres").batch_execute(&format!("SELECT pg_terminate_backend({pid})")).is_ok()
    }

    fn kill_backend(&self) -> bool {
        self.backend().is_some_and(|pid| kill(&pid))
    }
}

/// The gateways that follow one another.
struct Life {
    config: Config,
    child: Option<Child>,
    lives: u64,
}

impl Life {
    /// Waits until so many attempts are written down, and collects garbage meanwhile.
    fn reach(&mut self, attempts: usize, victim: &Victim) {
        let mut last = (0, Instant::now());
        loop {
            let made = self.made();
            if made >= attempts {
                return;
            }
            if made > last.0 {
                last = (made, Instant::now());
            }
            assert!(last.1.elapsed() < PATIENCE, "no progress after {made} attempts");
            if self.child.as_mut().is_none_or(|child| child.try_wait().expect("our child").is_some()) {
                self.lives += 1;
                let seed = self.config.seed + self.lives;
                let transactions = self.config.transactions - made;
                let config = Config { seed, transactions, ..self.config.clone() };
                self.child = Some(config.command().spawn().expect("this program starts"));
            }
            collect(&mut victim.connect("kt_deploy"));
            std::thread::park_timeout(Duration::from_millis(20));
        }
    }

    fn made(&self) -> usize {
        if !self.config.journal.exists() {
            return 0;
        }
        journal_of(&self.config.journal).into_iter().map(|txn| txn.name).collect::<BTreeSet<_>>().len()
    }

    fn kill(&mut self) -> bool {
        let Some(mut child) = self.child.take() else { return false };
        child.kill().expect("SIGKILL");
        child.wait().expect("our child");
        true
    }

    /// Lets the last one finish what is under way.
    fn end(&mut self) {
        std::fs::write(&self.config.stop_file, "").expect("written");
        if let Some(mut child) = self.child.take() {
            assert!(child.wait().expect("our child").success(), "a client of the gateway failed");
        }
    }
}

impl Drop for Life {
    fn drop(&mut self) {
        self.kill();
    }
}
