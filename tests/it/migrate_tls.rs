//! The migrator's connection: each `sslmode` against servers with and without TLS, with certificates made here.

use std::fs;
use std::time::{Duration, Instant};

use kontract::migrate::connect::{ConnectError, connect};

use crate::support::app::App;
use crate::support::encrypted::Encrypted;
use crate::support::postgres::{Database, Server};

/// What becomes of a connection, in a word.
fn outcome(url: &str) -> &'static str {
    match connect(url) {
        Ok(mut client) => {
            let sql = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()";
            if client.query_one(sql, &[]).expect("everybody reads that").get(0) { "TLS" } else { "plain" }
        }
        Err(ConnectError::Url(_)) => "bad URL",
        Err(ConnectError::Authorities { .. }) => "no authorities",
        Err(ConnectError::Untrusted(_)) => "untrusted",
        Err(ConnectError::Host(_)) => "another host",
        Err(ConnectError::NoTls) => "no TLS there",
        Err(ConnectError::Tls(error)) => panic!("{url}: {error}"),
        Err(ConnectError::Server(_)) => "refused",
    }
}

#[test]
fn each_mode_verifies_what_it_says() {
    let server = Encrypted::start();
    fs::write(server.path("empty.crt"), "").expect("ours");
    let outcome_of = |user: &str, host: &str, query: &str| outcome(&server.url(user, host, query));
    for (host, query, expected) in [
        ("localhost", "", "TLS"),
        ("localhost", "?sslmode=disable", "plain"),
        ("localhost", "?sslmode=prefer", "TLS"),
        ("localhost", "?sslmode=require&connect_timeout=5", "TLS"),
        ("localhost", "?connect_timeout=5&sslmode=verify-full&sslrootcert=@ours.crt", "TLS"),
        ("127.0.0.1", "?sslmode=verify-full&sslrootcert=@ours.crt", "another host"),
        ("127.0.0.1", "?sslmode=verify-ca&sslrootcert=@ours.crt", "TLS"),
        ("127.0.0.1", "?sslmode=require&sslrootcert=@ours.crt", "TLS"),
        ("localhost", "?sslmode=verify-full&sslrootcert=@other.crt", "untrusted"),
        ("localhost", "?sslmode=verify-ca&sslrootcert=@other.crt", "untrusted"),
        ("localhost", "?sslmode=require&sslrootcert=@other.crt", "untrusted"),
        ("localhost", "?sslmode=require&%73slrootcert=@other%2Ecrt", "untrusted"),
        ("localhost", "?sslmode=verify-full", "untrusted"),
        ("localhost", "?sslmode=verify-full&sslrootcert=system", "untrusted"),
        ("localhost", "?sslrootcert=system", "untrusted"),
        ("localhost", "?sslmode=verify-ca&sslrootcert=system", "bad URL"),
        ("localhost", "?sslmode=require&sslrootcert=system", "bad URL"),
        ("localhost", "?sslmode=verify-ca", "bad URL"),
        ("localhost", "?sslmode=prefer&sslrootcert=@ours.crt", "bad URL"),
        ("localhost", "?sslrootcert=@ours.crt", "bad URL"),
        ("localhost", "?sslmode=verify_full&sslrootcert=@ours.crt", "bad URL"),
        ("localhost", "?sslmode=", "bad URL"),
        ("localhost", "?sslmode=verify-full&sslrootcert=@nowhere.crt", "no authorities"),
        ("localhost", "?sslmode=verify-full&sslrootcert=@empty.crt", "no authorities"),
        ("localhost", "?sslmode=verify-full&sslrootcert=@ours.key", "no authorities"),
    ] {
        assert_eq!(outcome_of("postgres", host, query), expected, "{host}{query}");
    }
    assert_eq!(outcome_of("encrypted", "localhost", "?sslmode=prefer"), "TLS");
    assert_eq!(outcome_of("encrypted", "localhost", "?sslmode=disable"), "refused");
    // What is no URL has the driver's modes only.
    let pairs = |rest: &str| outcome(&format!("host=localhost port={} user=postgres {rest}", server.port()));
    assert_eq!(pairs("sslmode=require"), "TLS");
    assert_eq!(pairs("sslmode=verify-full"), "bad URL");
    // The password proves the server's certificate where nobody else does.
    assert_eq!(outcome_of("bound:secret", "localhost", "?sslmode=require&channel_binding=require"), "TLS");
    assert_eq!(
        outcome_of("bound:secret", "localhost", "?sslmode=disable&channel_binding=require"),
        "refused"
    );

    let verified = server.url("postgres", "localhost", "?sslmode=verify-full&sslrootcert=@ours.crt");
    server.expire();
    let deadline = Instant::now() + Duration::from_secs(10);
    while outcome(&verified) == "TLS" {
        assert!(Instant::now() < deadline, "an expired certificate is trusted");
        std::thread::park_timeout(Duration::from_millis(10));
    }
    assert_eq!(outcome(&verified), "untrusted");
}

#[test]
fn a_server_without_tls_is_used_only_where_the_url_allows_it() {
    let database = Database::bare(Server::Debian15);
    let url = database.url("postgres");
    for mode in ["require", "verify-full"] {
        assert_eq!(outcome(&format!("{url}?sslmode={mode}")), "no TLS there", "{mode}");
    }
    for mode in ["disable", "prefer"] {
        assert_eq!(outcome(&format!("{url}?sslmode={mode}")), "plain", "{mode}");
    }
    assert_eq!(outcome(&url), "plain");
}

/// Every command that connects, and what people read where it does not.
#[test]
fn the_commands_connect_as_the_url_says() {
    let server = Encrypted::start();
    let app = App::copy_of("guestbook");
    app.write(".dev.vars", crate::apps::build::DEV_VARS);
    let verified = server.url("postgres", "localhost", "?sslmode=verify-full&sslrootcert=@ours.crt");
    let run = |command: &[&str], url: &str| {
        app.kontract(&[&["migrate"], command, &["--database-url", url]].concat())
    };
    let commands: [&[&str]; 6] = [
        &["up"],
        &["status"],
        &["grants"],
        &["tenant", "ada", "acme"],
        &["gc"],
        &["gc", "--keep-history", "1 day"],
    ];
    for command in commands {
        let output = run(command, &verified);
        assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    }
    for (host, query, words) in [
        (
            "127.0.0.1",
            "?sslmode=verify-full&sslrootcert=@ours.crt",
            ["not valid for name", "connect by a name that it has"],
        ),
        ("localhost", "?sslmode=verify-full&sslrootcert=@other.crt", ["not trusted", "sslrootcert=FILE"]),
        (
            "localhost",
            "?sslmode=verify-full&sslrootcert=@nowhere.crt",
            ["nowhere.crt", "certificates in PEM"],
        ),
        ("localhost", "?sslmode=allow", ["not `allow`", "sslmode=verify-full"]),
    ] {
        let url = server.url("postgres", host, query);
        for command in commands {
            let output = run(command, &url);
            let said = String::from_utf8_lossy(&output.stderr);
            assert_eq!(output.status.code(), Some(3), "{command:?}: {said}");
            assert!(words.iter().all(|words| said.contains(words)), "{command:?}: {said}");
        }
    }
    let plain = Database::bare(Server::Debian15).url("postgres");
    let output = run(&["status"], &format!("{plain}?sslmode=require"));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("does not speak TLS") && said.contains("ssl = on"), "{said}");
}

/// A certificate that PostgreSQL's manual has people make first: its own authority.
#[test]
fn a_certificate_that_is_its_own_authority_is_explained() {
    let server = Encrypted::start();
    server.vouch_for_itself();
    let url = server.url("postgres", "localhost", "?sslmode=verify-full&sslrootcert=@own.crt");
    let deadline = Instant::now() + Duration::from_secs(10);
    let error = loop {
        match connect(&url) {
            Err(error @ ConnectError::Tls(_)) => break error,
            other => assert!(Instant::now() < deadline, "{:?}", other.map(drop)),
        }
        std::thread::park_timeout(Duration::from_millis(10));
    };
    assert!(error.fix().contains("not an authority's own"), "{error}");
    assert_eq!(outcome(&server.url("postgres", "localhost", "?sslmode=require")), "TLS");
}
