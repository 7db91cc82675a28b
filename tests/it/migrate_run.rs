//! The migrator on real PostgreSQL.

use kontract::migrate::MigrationFile;
use kontract::migrate::run::{self, MigrationState, RunError};

use crate::support::app::App;
use crate::support::postgres::{Database, Server, on_each_server};

fn migration(name: &str, sql: &str) -> MigrationFile {
    MigrationFile { name: name.into(), sql: sql.into() }
}

fn states(database: &Database, migrations: &[MigrationFile]) -> Vec<(String, MigrationState)> {
    let status = run::status(&mut database.connect("postgres"), migrations).expect("storage is installed");
    status.into_iter().map(|status| (status.name, status.state)).collect()
}

on_each_server! {
    fn migrations_are_applied_once_and_in_order(database: &Database) {
        let mut admin = database.connect("postgres");
        let migrations = [
            migration("0001_initial", "SELECT kt.provision('entries', 'tbl_entries', '*', 7, ARRAY['createdAt']);"),
            migration("0002_more", "SELECT kt.provision('users', 'tbl_users');"),
        ];
        assert_eq!(
            states(database, &migrations),
            [("0001_initial".into(), MigrationState::Pending), ("0002_more".into(), MigrationState::Pending)]
        );
        assert_eq!(run::apply(&mut admin, &migrations[..1]).expect("applies"), ["0001_initial"]);
        assert_eq!(run::apply(&mut admin, &migrations).expect("applies"), ["0002_more"]);
        assert_eq!(run::apply(&mut admin, &migrations).expect("nothing to do"), Vec::<String>::new());
        assert_eq!(
            states(database, &migrations),
            [("0001_initial".into(), MigrationState::Applied), ("0002_more".into(), MigrationState::Applied)]
        );
    }

    fn a_failing_migration_leaves_nothing(database: &Database) {
        let mut admin = database.connect("postgres");
        let migrations = [migration("0001_half", "SELECT kt.provision('a', 'tbl_a'); SELECT 1 / 0;")];
        let error = run::apply(&mut admin, &migrations).expect_err("division by zero");
        assert!(matches!(&error, RunError::Migration { name, .. } if name == "0001_half"), "{error}");
        assert!(error.to_string().contains("division by zero"), "{error}");
        let tables: i64 = admin.query_one("SELECT count(*) FROM kt.storage", &[]).expect("reads").get(0);
        assert_eq!(tables, 0);
        assert_eq!(states(database, &migrations), [("0001_half".into(), MigrationState::Pending)]);
    }

    fn a_migration_may_not_end_its_transaction(database: &Database) {
        let mut admin = database.connect("postgres");
        let migrations = [migration("0001_commit", "SELECT kt.provision('a', 'tbl_a'); COMMIT; SELECT 1;")];
        let error = run::apply(&mut admin, &migrations).expect_err("it commits");
        assert!(matches!(error, RunError::EndsTransaction { .. }), "{error}");
    }

    fn edited_and_misplaced_migrations_are_refused(database: &Database) {
        let mut admin = database.connect("postgres");
        let second = migration("0002_b", "SELECT 2");
        run::apply(&mut admin, std::slice::from_ref(&second)).expect("applies");
        let edited = [migration("0002_b", "SELECT 3")];
        assert!(matches!(run::apply(&mut admin, &edited), Err(RunError::Changed { .. })));
        assert_eq!(states(database, &edited), [("0002_b".into(), MigrationState::Changed)]);
        let misplaced = [migration("0001_a", "SELECT 1"), second];
        assert!(matches!(run::apply(&mut admin, &misplaced), Err(RunError::OutOfOrder { .. })));
        assert_eq!(states(database, &[]), [("0002_b".into(), MigrationState::Unknown)]);
    }

    fn two_appliers_apply_each_migration_once(database: &Database) {
        let migrations: Vec<_> = (1..=10)
            .map(|number| migration(&format!("{number:04}_m"), &format!("SELECT kt.provision('t{number}', 'tbl_t{number}')")))
            .collect();
        let counts: Vec<usize> = std::thread::scope(|scope| {
            let appliers: Vec<_> = (0..4)
                .map(|_| scope.spawn(|| run::apply(&mut database.connect("postgres"), &migrations).expect("applies").len()))
                .collect();
            appliers.into_iter().map(|applier| applier.join().expect("no panic")).collect()
        });
        assert_eq!(counts.iter().sum::<usize>(), 10);
    }

    fn installing_again_keeps_the_data(database: &Database) {
        let mut admin = database.connect("postgres");
        run::apply(&mut admin, &[migration("0001_a", "SELECT kt.provision('a', 'tbl_a')")]).expect("applies");
        admin.batch_execute("INSERT INTO kt_data.tbl_a (id, data, _owner, _order) VALUES ('k', '{}', 'o', 1)").expect("inserts");
        run::install(&mut admin).expect("installs again");
        let rows: i64 = admin.query_one("SELECT count(*) FROM kt_data.tbl_a", &[]).expect("reads").get(0);
        assert_eq!(rows, 1);
    }

    /// A migrator that is not a superuser can do its work.
    fn the_deploy_role_can_migrate(database: &Database) {
        let mut deploy = database.connect("kt_deploy");
        let migrations = [migration("0001_a", "SELECT kt.provision('a', 'tbl_a')")];
        assert_eq!(run::apply(&mut deploy, &migrations).expect("applies"), ["0001_a"]);
        run::set_identity_key(&mut deploy, &[1; 32]).expect("may set the key");
        run::collect_garbage(&mut deploy).expect("may collect");
    }

    fn the_deploy_role_goes_on_from_what_was_installed_only(database: &Database) {
        let (mut admin, mut deploy) = (database.connect("postgres"), database.connect("kt_deploy"));
        assert!(run::is_deploy_role(&mut deploy).expect("answers") && !run::is_deploy_role(&mut admin).expect("answers"));
        run::require_installed(&mut deploy).expect("it was just installed");
        admin.batch_execute("UPDATE kt_priv.meta SET script = 'of another version'").expect("a superuser may");
        let error = run::require_installed(&mut deploy).expect_err("another version");
        assert!(matches!(error, RunError::NotInstalled { .. }), "{error}");
        admin.batch_execute("UPDATE kt_priv.meta SET script = NULL").expect("a superuser may");
        run::require_installed(&mut deploy).expect_err("of a version that put nothing down");
        run::install(&mut admin).expect("installs");
        run::require_installed(&mut deploy).expect("it was installed again");
    }

    fn the_gateway_gets_a_password(database: &Database) {
        let mut admin = database.connect("postgres");
        run::set_gateway_password(&mut admin, "it's \\ \"quoted\"").expect("sets");
        let has: bool = admin
            .query_one("SELECT rolpassword LIKE 'SCRAM-SHA-256$%' FROM pg_authid WHERE rolname = 'kt_gateway'", &[])
            .expect("reads")
            .get(0);
        assert!(has);
    }

    fn grants_name_the_two_tables_and_the_functions_only(database: &Database) {
        let mut admin = database.connect("postgres");
        run::apply(&mut admin, &[migration("0001_a", "SELECT kt.provision('a', 'tbl_a')")]).expect("applies");
        let grants = run::grants(&mut admin).expect("reads");
        let gateway: Vec<String> = grants
            .iter()
            .filter(|grant| grant.role == "kt_gateway")
            .map(|grant| format!("{} {}", grant.privilege, grant.object))
            .collect();
        assert_eq!(
            gateway,
            [
                "EXECUTE kt.abort(uuid)",
                "EXECUTE kt.collect(integer,interval)",
                "EXECUTE kt.commit(uuid,jsonb,bytea,bytea,text,text)",
                "EXECUTE kt.count_tbl_a(uuid,jsonb,jsonb,text)",
                "EXECUTE kt.exec(uuid,text,text,text[],jsonb,boolean)",
                "EXECUTE kt.get_tbl_a(uuid,text,text)",
                "EXECUTE kt.here(text,bytea)",
                "EXECUTE kt.history_tbl_a(uuid,text,integer,text)",
                "EXECUTE kt.last_tbl_a(uuid,integer,text)",
                "EXECUTE kt.list_tbl_a(uuid,text,integer,text,bigint)",
                "EXECUTE kt.look_tbl_a(text,text,bytea)",
                "EXECUTE kt.mget_tbl_a(uuid,text[],text)",
                "EXECUTE kt.query_tbl_a(uuid,jsonb,jsonb,text,boolean,text,integer,text)",
                "EXECUTE kt.start(text,bigint,bytea,uuid,bytea,integer,text,text)",
                "SELECT kt.storage",
                "EXECUTE kt.store_tbl_a(uuid,text,text,text,text,text,jsonb,boolean,bytea,bytea)",
                "SELECT kt.trxs(create_txid)",
                "SELECT kt.trxs(expires_at)",
                "SELECT kt.trxs(owner)",
                "SELECT kt.trxs(snap)",
            ]
        );
    }
}

/// What a pipeline needs for a deployment: neither an administrator's URL nor the secrets.
#[test]
fn the_deploy_role_migrates_from_the_command_line() {
    let app = App::copy_of("guestbook");
    let (database, empty) = (Database::bare(Server::Debian15), Database::bare(Server::Debian15));
    let up = |url: &str| {
        let output = app.kontract(&["migrate", "up", "--json", "--database-url", url]);
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (output.status.code(), text(&output.stdout), text(&output.stderr))
    };
    app.write(".dev.vars", crate::apps::build::DEV_VARS);
    assert_eq!(up(&database.url("postgres")).0, Some(0));
    // Not the password of kt_gateway, which is of the whole cluster, where other tests set it.
    let key = "SELECT encode(inner_key, 'hex') FROM kt_priv.meta";
    let mut admin = database.connect("postgres");
    let mut key = || -> String { admin.query_one(key, &[]).expect("a superuser reads").get(0) };
    let before = key();

    std::fs::remove_file(app.path().join(".dev.vars")).expect("written above");
    app.write("migrations/9998_more.sql", "SELECT kt.provision('more', 'tbl_more');");
    let (code, events, words) = up(&database.url("kt_deploy"));
    assert!(code == Some(0) && events.contains("9998_more"), "{events}{words}");
    assert_eq!(key(), before);
    let own = "CREATE TABLE reports (day date); SELECT * FROM kt_deploy.reports;";
    app.write("migrations/99990_own.sql", own);
    let (code, events, words) = up(&database.url("kt_deploy"));
    assert!(code == Some(0) && events.contains("99990_own"), "{events}{words}");
    app.write("migrations/99991_reads.sql", "SELECT * FROM kt_data.tbl_more;");
    let (code, _, words) = up(&database.url("kt_deploy"));
    assert!(code == Some(1) && words.contains("permission denied"), "{words}");
    let (code, _, words) = up(&empty.url("kt_deploy"));
    assert!(
        code == Some(3) && words.contains("storage is not installed") && words.contains("administrator"),
        "{words}"
    );
}

/// A teammate's keys, or another project's, would lock out whatever is deployed.
#[test]
fn a_database_does_not_change_hands_unasked() {
    let app = App::copy_of("guestbook");
    let database = Database::bare(Server::Embedded18);
    let url = database.url("postgres");
    let up = |more: &[&str]| {
        let output = app.kontract(&[&["migrate", "up", "--database-url", &url], more].concat());
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    // The key, and when the functions were installed.
    let state = "SELECT concat(encode(m.inner_key, 'hex'), p.xmin) FROM kt_priv.meta m, pg_proc p WHERE p.oid = 'kt.set_identity_key'::regproc";
    let mut admin = database.connect("postgres");
    let mut state = || -> String { admin.query_one(state, &[]).expect("a superuser reads").get(0) };
    app.write(".dev.vars", crate::apps::build::DEV_VARS);
    assert_eq!(up(&[]).0, Some(0));
    assert_eq!(up(&[]).0, Some(0), "the same key again");
    let before = state();

    let other = crate::apps::build::DEV_VARS.replace("IDENTITY_KEY=AwMD", "IDENTITY_KEY=BAQE");
    app.write(".dev.vars", &other);
    let (code, words) = up(&[]);
    assert!(code == Some(3) && words.contains("another KONTRACT_IDENTITY_KEY"), "{words}");
    assert!(words.contains("--new-identity"), "{words}");
    let served = app.kontract(&["dev", "--once", "--no-frontend", "--port", "0", "--database-url", &url]);
    assert_eq!(served.status.code(), Some(3), "{}", String::from_utf8_lossy(&served.stderr));
    assert_eq!(state(), before);

    assert_eq!(up(&["--new-identity"]).0, Some(0));
    assert_ne!(state(), before);
}

/// Roles belong to the cluster: installations in several of its databases meet there.
#[test]
fn installations_in_many_databases_at_once() {
    for server in [Server::Embedded18, Server::Debian15] {
        let databases: Vec<_> = (0..6).map(|_| Database::bare(server)).collect();
        std::thread::scope(|scope| {
            for database in &databases {
                scope.spawn(|| {
                    let mut admin = database.connect("postgres");
                    run::install(&mut admin).expect("installs");
                    run::set_gateway_password(&mut admin, "secret").expect("sets");
                });
            }
        });
    }
}

#[test]
fn another_applications_database_keeps_what_public_may() {
    for server in [Server::Embedded18, Server::Debian15] {
        let [own, shared] = [Database::bare(server), Database::bare(server)];
        shared.connect("postgres").batch_execute("CREATE TABLE public.orders (id int)").expect("a table");
        for (database, public_connects) in [(own, false), (shared, true)] {
            let mut admin = database.connect("postgres");
            run::install(&mut admin).expect("storage installs");
            let row = admin.query_one(PUBLIC_CONNECTS, &[]).expect("the catalogue");
            assert_eq!(row.get::<_, bool>(0), public_connects, "{server:?}");
        }
    }
}

const PUBLIC_CONNECTS: &str = "
    SELECT EXISTS (SELECT 1 FROM pg_database d, aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) a
                    WHERE d.datname = current_database() AND a.grantee = 0 AND a.privilege_type = 'CONNECT')";
