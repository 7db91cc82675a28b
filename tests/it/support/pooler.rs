//! pgbouncer in transaction mode: every statement may run on another connection than the one before.

use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use postgres::{Client, NoTls};

/// A running pooler; ends when dropped.
pub(crate) struct Pooler {
    child: Child,
    port: u16,
}

const PROGRAM: &str = "/usr/sbin/pgbouncer";
const READY_WITHIN: Duration = Duration::from_secs(20);

impl Pooler {
    /// Starts one in front of the server on `port`, with two connections to each database, and files in `folder`.
    pub(crate) fn start(folder: &Path, port: u16) -> Self {
        assert!(Path::new(PROGRAM).exists(), "pgbouncer is not here: apt-get install pgbouncer");
        // It refuses root and runs as nobody then, who has to find its files.
        let readable = |path: &Path, mode| {
            std::fs::set_permissions(path, PermissionsExt::from_mode(mode)).expect("ours");
        };
        readable(folder, 0o755);
        let own_port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .and_then(|free| free.local_addr())
            .expect("a port")
            .port();
        let users = folder.join("users.txt");
        let config = folder.join("pgbouncer.ini");
        std::fs::write(&users, "\"kt_gateway\" \"\"\n").expect("written");
        let text = format!(
            "[databases]\n* = host=127.0.0.1 port={port}\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {own_port}\n\
             unix_socket_dir =\nauth_type = trust\nauth_file = {}\npool_mode = transaction\ndefault_pool_size = 2\n",
            users.display()
        );
        std::fs::write(&config, text).expect("written");
        readable(&users, 0o644);
        readable(&config, 0o644);
        let is_root =
            Command::new("id").arg("-u").output().expect("id is everywhere").stdout.trim_ascii() == b"0";
        let mut command = Command::new(PROGRAM);
        if is_root {
            command.args(["-u", "nobody"]);
        }
        let child = command.arg("-q").arg(&config).stderr(Stdio::null()).spawn().expect("pgbouncer starts");
        Self { child, port: own_port }
    }

    /// For drivers that take a URL, once it serves.
    pub(crate) fn url(&self, user: &str, database: &str) -> String {
        let url = format!("postgres://{user}@127.0.0.1:{}/{database}", self.port);
        let deadline = Instant::now() + READY_WITHIN;
        while let Err(error) = Client::connect(&url, NoTls) {
            assert!(Instant::now() < deadline, "the pooler does not serve: {error}");
            std::thread::park_timeout(Duration::from_millis(10));
        }
        url
    }

    /// Where it listens, once it serves a database.
    pub(crate) fn port(&self, user: &str, database: &str) -> u16 {
        self.url(user, database);
        self.port
    }
}

impl Drop for Pooler {
    fn drop(&mut self) {
        // It ends by itself with this process's group otherwise.
        let _killed = self.child.kill().and_then(|()| self.child.wait());
    }
}
