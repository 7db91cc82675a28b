//! How a Worker gets to its database: behind a transaction pooler, by a Hyperdrive binding, in TLS.

use super::build::DEV_VARS;
use super::serve::check_visit;
use crate::support::app::App;
use crate::support::door::Door;
use crate::support::encrypted::Encrypted;
use crate::support::pooler::Pooler;
use crate::support::postgres::{Database, Server};
use crate::support::script;
use kontract::dev::trace::Traces;
use kontract::dev::workerd::{Workerd, WorkerdOptions};
use postgres::Client;
use serde_json::json;
use std::net::{Ipv4Addr, TcpListener};
use tempfile::TempDir;

/// Likes of one entry at the same time.
const LIKES: &str = "24";

/// A visit as over a plain connection, and calls that are in each other's way.
fn check_calls(app: &App, url: &str) {
    let project = script::argument(app.path());
    for transport in ["post", "websocket"] {
        check_visit(&script::run("guestbook.mjs", &[&project, url, transport]));
    }
    let likes = script::run("conflict.mjs", &[&project, url, LIKES]);
    assert_eq!(likes, json!({ "stored": 24, "distinct": 24 }));
}

/// The gateway's four connections come out of the pooler as two.
fn check_pooled(database: &Database) {
    let sql = "SELECT count(*), count(*) FILTER (WHERE application_name = 'kontract gateway') FROM pg_stat_activity WHERE usename = 'kt_gateway'";
    let row = database.connect("postgres").query_one(sql, &[]).expect("a superuser reads");
    let (all, named): (i64, i64) = (row.get(0), row.get(1));
    assert!((1..=2).contains(&all) && named > 0, "{all} connections, {named} of the gateway");
}

/// An app as it is deployed to a workerd of one's own.
pub(super) struct Deployed {
    pub(super) app: App,
    folder: TempDir,
}

impl Deployed {
    /// Builds the example, and migrates the database of an administrator's URL.
    fn on(database_url: &str) -> Self {
        let app = App::copy_of("guestbook");
        app.write(".dev.vars", DEV_VARS);
        app.build();
        let migrated = app.kontract(&["migrate", "up", "--database-url", database_url]);
        assert!(migrated.status.success(), "{}", String::from_utf8_lossy(&migrated.stderr));
        Self::built(app)
    }

    /// That of an app that was built.
    pub(super) fn built(app: App) -> Self {
        Self { app, folder: tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("the folder exists") }
    }

    /// Changes workerd's configuration in one place.
    fn configure(&self, before: &str, after: &str) {
        let config = self.app.read("dist/server/workerd.capnp");
        assert_eq!(config.matches(before).count(), 1, "{config}");
        self.app.write("dist/server/workerd.capnp", &config.replace(before, after));
    }

    /// Starts it; its URL.
    pub(super) fn start(&self, database_url: Option<&str>) -> (Workerd, String) {
        let secret = |name: &'static str| {
            let vars = DEV_VARS.lines().find_map(|line| line.trim().strip_prefix(name)?.strip_prefix('='));
            (name, vars.expect("one of the keys").to_owned())
        };
        let keys = ["KONTRACT_KEY", "KONTRACT_BACKUP_KEY", "KONTRACT_IDENTITY_KEY"].map(secret);
        let database_url = database_url.map(|url| ("DATABASE_URL", url.to_owned()));
        let folder_of = |name: &str| {
            let path = self.folder.path().join(name);
            std::fs::create_dir_all(&path).expect("ours");
            path
        };
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let workerd = Workerd::start(WorkerdOptions {
            project: self.app.path(),
            server: self.app.path().join("dist/server"),
            traces: Box::new(|| Traces::of("dist/server", Box::new(|_| None))),
            objects: folder_of("objects"),
            assets: folder_of("assets"),
            listener: &listener,
            modules: None,
            inspect: None,
            environment: keys.into_iter().chain(database_url).collect(),
            on_request: Box::new(|_| ()),
        });
        let workerd = workerd.expect("it starts");
        let url = format!("http://{}", listener.local_addr().expect("it is bound"));
        (workerd, url)
    }
}

#[test]
fn an_app_is_served_through_a_transaction_pooler() {
    let database = Database::bare(Server::Debian15);
    let (port, name) = database.address();
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("the folder exists");
    let pooler = Pooler::start(folder.path(), port);
    // Migrations are an administrator's, who connects directly; the gateway connects when it is first called.
    let door = Door::open();
    door.lead_to(port);
    let app = App::copy_of("guestbook");
    app.write(".dev.vars", DEV_VARS);
    let served = app.serve(Some(&format!("postgres://postgres@127.0.0.1:{}/{name}", door.port())));
    door.lead_to(pooler.port("kt_gateway", name));
    check_calls(&app, &served.url);
    check_pooled(&database);
}

/// The binding as workerd has it, with the pooler in the place of Cloudflare's.
#[test]
fn an_app_is_served_through_a_hyperdrive_binding() {
    let database = Database::bare(Server::Debian15);
    let (port, name) = database.address();
    let deployed = Deployed::on(&database.url("postgres"));
    let pooler = Pooler::start(deployed.folder.path(), port);
    let address = format!("127.0.0.1:{}", pooler.port("kt_gateway", name));
    let service = format!("(name = \"pool\", external = (address = \"{address}\", tcp = ()))");
    deployed.configure("services = [", &format!("services = [\n    {service},"));
    let bound =
        format!("designator = \"pool\", database = \"{name}\", user = \"kt_gateway\", password = \"any\"");
    let binding = format!("(name = \"HYPERDRIVE\", hyperdrive = ({bound}, scheme = \"postgres\"))");
    deployed.configure("  bindings = [", &format!("  bindings = [\n    {binding},"));

    let (workerd, url) = deployed.start(None);
    check_calls(&deployed.app, &url);
    check_pooled(&database);
    drop(workerd);
    // Where both are bound, it is the one that is used.
    let (_workerd, url) = deployed.start(Some("postgres://kt_gateway@127.0.0.1:1/nowhere"));
    check_calls(&deployed.app, &url);
}

#[test]
fn an_app_is_served_in_tls_by_a_server_that_is_trusted() {
    let server = Encrypted::start();
    let deployed =
        Deployed::on(&server.url("postgres", "localhost", "?sslmode=verify-full&sslrootcert=@ours.crt"));
    let refused = |host: &str, query: &str| {
        let (_workerd, url) = deployed.start(Some(&server.url("kt_gateway", host, query)));
        let project = script::argument(deployed.app.path());
        let outcome = script::run("unavailable.mjs", &[&project, &url]);
        assert_eq!(
            (&outcome["status"], &outcome["code"]),
            (&json!(503), &json!("UNAVAILABLE")),
            "{host}{query}"
        );
    };
    // No authority of the platform has issued it.
    refused("localhost", "?sslmode=verify-full");
    refused("localhost", "?sslmode=require");

    std::fs::copy(server.path("ours.crt"), deployed.app.path().join("dist/server/ours.crt")).expect("ours");
    deployed.configure("trustBrowserCas = true", "trustedCertificates = [embed \"ours.crt\"]");
    refused("127.0.0.1", "?sslmode=verify-full");
    refused("localhost", "?sslmode=verify-full&sslrootcert=@ours.crt");
    let connections = |client: &mut Client| -> Vec<bool> {
        let sql = "SELECT s.ssl FROM pg_stat_ssl s JOIN pg_stat_activity a USING (pid) WHERE a.usename = 'kt_gateway'";
        client.query(sql, &[]).expect("a superuser reads").iter().map(|row| row.get(0)).collect()
    };
    let mut admin = server.admin();
    for mode in ["verify-full", "require"] {
        let (_workerd, url) =
            deployed.start(Some(&server.url("kt_gateway", "localhost", &format!("?sslmode={mode}"))));
        check_calls(&deployed.app, &url);
        let encrypted = connections(&mut admin);
        assert!(!encrypted.is_empty() && encrypted.iter().all(|ssl| *ssl), "{mode}: {encrypted:?}");
    }
    // A server without TLS.
    let plain = Database::bare(Server::Debian15);
    let (_workerd, url) = deployed.start(Some(&format!("{}?sslmode=require", plain.url("kt_gateway"))));
    let outcome = script::run("unavailable.mjs", &[&script::argument(deployed.app.path()), &url]);
    assert_eq!(outcome["status"], 503, "{outcome}");
}

/// Its workerd trusts the authorities of browsers only, and calls fail rather than go in the clear.
#[test]
fn a_development_server_leaves_no_encryption_out() {
    let server = Encrypted::start();
    let app = App::copy_of("guestbook");
    app.write(".dev.vars", DEV_VARS);
    let project = script::argument(app.path());
    let verified = "?sslmode=verify-full&sslrootcert=@ours.crt";
    let served = app.serve(Some(&server.url("postgres", "localhost", verified)));
    let outcome = script::run("unavailable.mjs", &[&project, &served.url]);
    assert_eq!(outcome["status"], 503, "{outcome}");
    drop(served);
    // Where nothing is demanded, the Worker asks for nothing.
    let served = app.serve(Some(&server.url("postgres", "localhost", "")));
    check_visit(&script::run("guestbook.mjs", &[&project, &served.url, "post"]));
}
