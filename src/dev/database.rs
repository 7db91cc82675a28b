//! A local PostgreSQL cluster that belongs to this process: created when needed, on a free loopback port, ended with it.
//!
//! Owns the server process and the folder of its data. Knows nothing of what is stored; where the programs come from is
//! [`Embedded`]'s business, and under which user they run `launch`'s.

mod embedded;
mod launch;

use std::fs::{self, File, TryLockError};
use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use postgres::{Client, NoTls};

pub use self::embedded::Embedded;
use self::launch::Account;
pub(super) use self::launch::bound_to_parent;

/// How a cluster is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClusterOptions {
    /// Whether commits survive a crash of the machine. Without it everything is faster, and a crash may cost the data.
    pub durable: bool,
}

/// A running cluster. Dropping it stops the server.
#[derive(Debug)]
pub struct Cluster {
    port: u16,
    bin_dir: PathBuf,
    data_dir: PathBuf,
    account: Account,
    /// Held as long as the data folder is in use.
    _lock: File,
}

/// Why there is no running cluster.
#[derive(Debug, thiserror::Error)]
pub enum ClusterError {
    /// The folder's other user is alive.
    #[error("the database in {} is in use by another process", .0.display())]
    InUse(PathBuf),
    /// A program of PostgreSQL could not be run or failed.
    #[error("{program} failed: {detail}")]
    Program {
        /// Name of the program.
        program: String,
        /// What it said last.
        detail: String,
    },
    /// The server started and did not accept connections in time.
    #[error("the database did not accept connections within {} s: {log}", READY_WITHIN.as_secs())]
    NotReady {
        /// The last lines of its log.
        log: String,
    },
    /// The embedded database could not be fetched.
    #[error("cannot fetch the embedded database: {0}")]
    Fetch(String),
    /// A statement of ours failed.
    #[error("the database refused a statement: {0}")]
    Sql(#[from] postgres::Error),
    /// A file could not be read or written.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl Cluster {
    /// Starts the cluster in `data_dir` with the programs in `bin_dir`, creating it first when the folder has none. A server
    /// that was left there by a process that died is stopped.
    ///
    /// # Errors
    /// [`ClusterError`]; nothing keeps running.
    pub fn start(bin_dir: &Path, data_dir: &Path, options: ClusterOptions) -> Result<Self, ClusterError> {
        Self::open(bin_dir, data_dir, options, false)
    }

    /// Like [`start`](Self::start), and throws away what the folder held.
    ///
    /// # Errors
    /// [`ClusterError`]; nothing keeps running.
    pub fn start_empty(
        bin_dir: &Path,
        data_dir: &Path,
        options: ClusterOptions,
    ) -> Result<Self, ClusterError> {
        Self::open(bin_dir, data_dir, options, true)
    }

    fn open(
        bin_dir: &Path,
        data_dir: &Path,
        options: ClusterOptions,
        empty: bool,
    ) -> Result<Self, ClusterError> {
        let parent = data_dir.parent().unwrap_or(Path::new("."));
        fs::create_dir_all(parent).map_err(in_file(parent))?;
        let lock = lock(data_dir)?;
        let account = Account::choose();
        if data_dir.join("postmaster.pid").exists() {
            stop(&account, bin_dir, data_dir);
        }
        if empty && data_dir.exists() {
            fs::remove_dir_all(data_dir).map_err(in_file(data_dir))?;
        }
        if !data_dir.join("PG_VERSION").exists() {
            create(&account, bin_dir, data_dir, options)?;
        }
        account.own(data_dir)?;
        let mut attempts = 0;
        loop {
            attempts += 1;
            let port = free_port().map_err(in_file(data_dir))?;
            let exited = spawn(&account, bin_dir, data_dir, port, options)?;
            match wait_until_ready(&exited, port, data_dir) {
                Ok(()) => {
                    let (bin_dir, data_dir) = (bin_dir.to_owned(), data_dir.to_owned());
                    return Ok(Self { port, bin_dir, data_dir, account, _lock: lock });
                }
                // Between the choice of the port and its use somebody else may have taken it.
                Err(ClusterError::Program { .. }) if attempts < PORT_ATTEMPTS_MAX => {}
                Err(error) => {
                    stop(&account, bin_dir, data_dir);
                    return Err(error);
                }
            }
        }
    }

    /// The port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The URL of a database for a user who needs no password; the superuser is `postgres`.
    pub fn url(&self, user: &str, database: &str) -> String {
        format!("postgres://{user}@127.0.0.1:{}/{database}", self.port)
    }

    /// Creates an empty database unless it exists; whether it was created. `name` may be any text.
    ///
    /// # Errors
    /// [`ClusterError::Sql`].
    pub fn create_database(&self, name: &str) -> Result<bool, ClusterError> {
        let mut client = Client::connect(&self.url("postgres", "postgres"), NoTls)?;
        let row = client.query_one(
            "SELECT EXISTS (SELECT 1 FROM pg_database WHERE datname = $1), format('CREATE DATABASE %I TEMPLATE template0', $1::text)",
            &[&name],
        )?;
        let exists: bool = row.try_get(0)?;
        if !exists {
            client.batch_execute(row.try_get(1)?)?;
        }
        Ok(!exists)
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        stop(&self.account, &self.bin_dir, &self.data_dir);
    }
}

/// Takes the folder for this process, by a lock that ends with it.
fn lock(data_dir: &Path) -> Result<File, ClusterError> {
    let path = beside(data_dir, "lock");
    let file = File::create(&path).map_err(in_file(&path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(ClusterError::InUse(data_dir.to_owned())),
        Err(TryLockError::Error(source)) => Err(ClusterError::Io { path, source }),
    }
}

/// Runs initdb beside the final place, so that an interrupted one leaves nothing that looks like a cluster.
fn create(
    account: &Account,
    bin_dir: &Path,
    data_dir: &Path,
    options: ClusterOptions,
) -> Result<(), ClusterError> {
    let unfinished = beside(data_dir, "new");
    if unfinished.exists() {
        fs::remove_dir_all(&unfinished).map_err(in_file(&unfinished))?;
    }
    fs::create_dir(&unfinished).map_err(in_file(&unfinished))?;
    account.own(&unfinished)?;
    let mut initdb = account.command(&bin_dir.join("initdb"));
    initdb.args(["-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-locale", "-D"]).arg(&unfinished);
    if !options.durable {
        initdb.arg("--no-sync");
    }
    launch::run(initdb, "initdb")?;
    fs::rename(&unfinished, data_dir).map_err(in_file(data_dir))
}

/// Starts the server and a thread that reaps it. The thread is the server's parent as far as the kernel's signal on the
/// parent's death is concerned, so it must live as long as the server does: a caller's thread may end before.
fn spawn(
    account: &Account,
    bin_dir: &Path,
    data_dir: &Path,
    port: u16,
    options: ClusterOptions,
) -> Result<Receiver<io::Result<ExitStatus>>, ClusterError> {
    let log_path = log_path(data_dir);
    let log = File::create(&log_path).map_err(in_file(&log_path))?;
    let mut server = account.command_bound_to_parent(&bin_dir.join("postgres"));
    server.arg("-D").arg(data_dir).args(["-p", &port.to_string()]);
    server.args([
        "-c",
        "listen_addresses=127.0.0.1",
        "-c",
        "unix_socket_directories=",
        "-c",
        "max_connections=200",
    ]);
    if !options.durable {
        // `synchronous_commit` stays on: a killed backend restarts the server, and what was answered must survive that.
        server.args(["-c", "fsync=off", "-c", "full_page_writes=off"]);
    }
    server.stdin(std::process::Stdio::null()).stdout(std::process::Stdio::null()).stderr(log);
    let (sender, exited) = mpsc::channel();
    thread::spawn(move || {
        let outcome = server.spawn().and_then(|mut child| child.wait());
        // Nobody listens once the server is ready.
        let _ = sender.send(outcome);
    });
    Ok(exited)
}

fn wait_until_ready(
    exited: &Receiver<io::Result<ExitStatus>>,
    port: u16,
    data_dir: &Path,
) -> Result<(), ClusterError> {
    let deadline = Instant::now() + READY_WITHIN;
    let mut config = postgres::Config::new();
    config
        .host("127.0.0.1")
        .port(port)
        .user("postgres")
        .dbname("postgres")
        .connect_timeout(Duration::from_secs(1));
    while Instant::now() < deadline {
        match exited.recv_timeout(POLL_EVERY) {
            Err(RecvTimeoutError::Timeout) => {}
            Ok(Err(error)) => {
                return Err(ClusterError::Program { program: "postgres".into(), detail: error.to_string() });
            }
            Ok(Ok(_)) | Err(RecvTimeoutError::Disconnected) => {
                return Err(ClusterError::Program { program: "postgres".into(), detail: log_tail(data_dir) });
            }
        }
        // The process that answers may be another one that took the port: only ours writes this file with this port.
        if serves(data_dir, port) && config.connect(NoTls).is_ok() {
            return Ok(());
        }
    }
    Err(ClusterError::NotReady { log: log_tail(data_dir) })
}

/// Whether the server of this folder has the port; its fourth line, see `miscadmin.h` of PostgreSQL.
fn serves(data_dir: &Path, port: u16) -> bool {
    fs::read_to_string(data_dir.join("postmaster.pid"))
        .is_ok_and(|text| text.lines().nth(3).is_some_and(|line| line.trim() == port.to_string()))
}

/// Stops the server of a folder, if one runs: first so that it ends its sessions and writes everything, then at once.
fn stop(account: &Account, bin_dir: &Path, data_dir: &Path) {
    for mode in ["fast", "immediate"] {
        let mut pg_ctl = account.command(&bin_dir.join("pg_ctl"));
        pg_ctl
            .args(["stop", "-w", "-s", "-t", &STOP_WITHIN.as_secs().to_string(), "-m", mode, "-D"])
            .arg(data_dir);
        // It fails when no server runs, which is what is wanted.
        if launch::run(pg_ctl, "pg_ctl").is_ok() || !data_dir.join("postmaster.pid").exists() {
            return;
        }
    }
}

fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

fn log_path(data_dir: &Path) -> PathBuf {
    beside(data_dir, "log")
}

/// A file of ours next to the folder: initdb wants that empty.
fn beside(data_dir: &Path, suffix: &str) -> PathBuf {
    let mut name = data_dir.file_name().unwrap_or_default().to_owned();
    name.push(".");
    name.push(suffix);
    data_dir.with_file_name(name)
}

fn log_tail(data_dir: &Path) -> String {
    let log = fs::read_to_string(log_path(data_dir)).unwrap_or_default();
    let lines: Vec<_> = log.lines().collect();
    lines[lines.len().saturating_sub(LOG_LINES_SHOWN)..].join("\n")
}

fn in_file(path: &Path) -> impl FnOnce(io::Error) -> ClusterError {
    let path = path.to_owned();
    move |source| ClusterError::Io { path, source }
}

const READY_WITHIN: Duration = Duration::from_secs(60);
const STOP_WITHIN: Duration = Duration::from_secs(10);
const POLL_EVERY: Duration = Duration::from_millis(20);
const PORT_ATTEMPTS_MAX: u32 = 5;
const LOG_LINES_SHOWN: usize = 10;
