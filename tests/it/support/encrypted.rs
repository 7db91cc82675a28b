//! A PostgreSQL that speaks TLS, with certificates made by the openssl command.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use kontract::dev::database::{Cluster, ClusterOptions};
use postgres::{Client, NoTls};
use tempfile::TempDir;

use super::postgres::Server;

/// A server whose certificate is for `localhost`, but not for 127.0.0.1, where that is.
pub(crate) struct Encrypted {
    cluster: Cluster,
    folder: TempDir,
}

impl Encrypted {
    /// Starts one with a certificate of `ours.crt`; there is an authority `other.crt` as well. The role `encrypted` is let in with
    /// TLS only, and `bound` with its password, `secret`.
    pub(crate) fn start() -> Self {
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("the folder exists");
        let data_dir = folder.path().join("data");
        let start = || {
            let options = ClusterOptions { durable: false };
            Cluster::start(&Server::Debian15.bin_dir(), &data_dir, options).expect("the cluster starts")
        };
        // The first start makes the folder; the second gives the server what was added.
        drop(start());
        for name in ["ours", "other"] {
            let files = format!("-keyout {name}.key -out {name}.crt");
            openssl(folder.path(), &format!("req -x509 {NEW_KEY} {files} -subj /CN={name}"));
        }
        issue(folder.path(), "1");
        fs::set_permissions(data_dir.join("server.key"), PermissionsExt::from_mode(0o600)).expect("ours");
        let edit = |name: &str, before: &str, after: &str| {
            let path = data_dir.join(name);
            let text = fs::read_to_string(&path).expect("initdb wrote it");
            fs::write(&path, format!("{before}{text}{after}")).expect("ours");
        };
        edit("pg_hba.conf", "hostnossl all encrypted all reject\nhost all bound all scram-sha-256\n", "");
        edit("postgresql.conf", "", "\nssl = on\n");
        let server = Self { cluster: start(), folder };
        let sql = "CREATE ROLE encrypted LOGIN; CREATE ROLE bound LOGIN PASSWORD 'secret'";
        server.admin().batch_execute(sql).expect("a superuser may");
        server
    }

    /// A URL; `@` in its query is the folder of the authorities.
    pub(crate) fn url(&self, user: &str, host: &str, query: &str) -> String {
        let query = query.replace('@', &format!("{}/", self.folder.path().display()));
        format!("postgres://{user}@{host}:{}/postgres{query}", self.port())
    }

    pub(crate) fn port(&self) -> u16 {
        self.cluster.port()
    }

    /// A superuser's connection in the clear.
    pub(crate) fn admin(&self) -> Client {
        Client::connect(&self.cluster.url("postgres", "postgres"), NoTls).expect("the cluster runs")
    }

    /// A file beside the authorities.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Gives the server a certificate that is not valid any more. It is in use after some time.
    pub(crate) fn expire(&self) {
        issue(self.folder.path(), "-1");
        self.reload();
    }

    /// Gives the server a certificate that is its own authority, `own.crt`. It is in use after some time.
    pub(crate) fn vouch_for_itself(&self) {
        let names = "-subj /CN=localhost -addext subjectAltName=DNS:localhost";
        openssl(self.folder.path(), &format!("req -x509 {NEW_KEY} {KEY_OUT} -out own.crt {names}"));
        fs::copy(self.path("own.crt"), self.path("data/server.crt")).expect("ours");
        self.reload();
    }

    fn reload(&self) {
        self.admin().batch_execute("SELECT pg_reload_conf()").expect("a superuser may");
    }
}

/// Makes the server's certificate.
fn issue(folder: &Path, days: &str) {
    let names = "-subj /CN=server -addext subjectAltName=DNS:localhost";
    openssl(folder, &format!("req {NEW_KEY} {KEY_OUT} -out server.csr {names}"));
    let files = "-in server.csr -copy_extensions copy -out data/server.crt";
    openssl(folder, &format!("x509 -req -CA ours.crt -CAkey ours.key -days {days} {files}"));
}

fn openssl(folder: &Path, arguments: &str) {
    let mut command = Command::new("openssl");
    command.args(arguments.split(' ')).current_dir(folder).stdout(Stdio::null());
    let output = command.output().expect("openssl is missing: apt-get install openssl");
    assert!(output.status.success(), "openssl {arguments}: {}", String::from_utf8_lossy(&output.stderr));
}

const NEW_KEY: &str = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes";
const KEY_OUT: &str = "-keyout data/server.key";
