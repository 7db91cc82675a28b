//! Applies things to a database: storage itself, the project's migrations, the identity key and the gateway's password.
//!
//! Owns the connection-level rules: one transaction for each migration, under an advisory lock that belongs to the
//! transaction (so that it also holds behind a pooler), with the list of applied ones read after the lock. A second applier
//! waits and then finds nothing to do; a crash midway leaves the state before. Does not know where migrations come from.

use super::MigrationFile;
use super::connect::described;
use crate::contract::signature::hex;
use kontract_mvcc::sql;
use postgres::error::SqlState;
use postgres::{Client, Transaction};
use sha2::{Digest, Sha256};

/// Where a migration stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MigrationState {
    /// In the database, with the same text.
    Applied,
    /// Not in the database yet.
    Pending,
    /// In the database, with another text than the project has.
    Changed,
    /// In the database, and not in the project.
    Unknown,
}

/// A migration and its state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MigrationStatus {
    /// Name of the migration.
    pub name: String,
    /// Where it stands.
    pub state: MigrationState,
}

/// One privilege of a role on an object of storage.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Grant {
    /// The role.
    pub role: String,
    /// `schema.table`, `schema.table(column)` or `schema.function(arguments)`.
    pub object: String,
    /// Such as `SELECT` or `EXECUTE`.
    pub privilege: String,
}

/// Why the database was not changed. [`connect`](super::connect::connect) makes the connection.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// A statement of ours failed.
    #[error("the database refused {what}: {}", described(.source))]
    Sql {
        /// What was being done.
        what: &'static str,
        /// The driver's error.
        source: postgres::Error,
    },
    /// A statement of a migration failed; the database is as before.
    #[error("migration {name} failed: {}", described(.source))]
    Migration {
        /// Name of the migration.
        name: String,
        /// The driver's error.
        source: postgres::Error,
    },
    /// The text of an applied migration was edited.
    #[error("migration {name} was changed after it was applied")]
    Changed {
        /// Name of the migration.
        name: String,
    },
    /// Storage is not there, or of another version, and whoever asks may not install it.
    #[error("{found}, and kt_deploy does not install it")]
    NotInstalled {
        /// What there is.
        found: &'static str,
    },
    /// A migration comes before one that is applied already.
    #[error("migration {name} comes before {applied}, which is applied already")]
    OutOfOrder {
        /// Name of the pending migration.
        name: String,
        /// Name of the later one in the database.
        applied: String,
    },
    /// A migration ended the transaction it ran in; what it did before that point stays.
    #[error(
        "migration {name} contains COMMIT or ROLLBACK; kontract runs each migration in a transaction of its own"
    )]
    EndsTransaction {
        /// Name of the migration.
        name: String,
    },
}

/// Installs storage, or renews its functions where it is installed. Needs a superuser, or the database's owner with CREATEROLE.
///
/// # Errors
/// [`RunError::Sql`]; the database is as before.
pub fn install(client: &mut Client) -> Result<(), RunError> {
    let failed = |source| RunError::Sql { what: "the installation of storage", source };
    let (script, mut transaction) = (sql::install(), locked(client).map_err(failed)?);
    transaction.batch_execute(&script).map_err(failed)?;
    transaction.batch_execute("SET LOCAL ROLE kt_owner").map_err(failed)?;
    transaction.execute("UPDATE kt_priv.meta SET script = $1", &[&digest(&script)]).map_err(failed)?;
    transaction.commit().map_err(failed)
}

/// Whether the connection is `kt_deploy`'s, who applies migrations and neither installs storage nor changes its keys.
///
/// # Errors
/// [`RunError::Sql`].
pub fn is_deploy_role(client: &mut Client) -> Result<bool, RunError> {
    let failed = |source| RunError::Sql { what: "the question who asks", source };
    client.query_one("SELECT current_user = 'kt_deploy'", &[]).and_then(|row| row.try_get(0)).map_err(failed)
}

/// Refuses a database whose storage is not what [`install`] would install.
///
/// # Errors
/// [`RunError::NotInstalled`], [`RunError::Sql`].
pub fn require_installed(client: &mut Client) -> Result<(), RunError> {
    let failed = |source| RunError::Sql { what: "the question what is installed", source };
    let is_there = "SELECT to_regprocedure('kt.script()') IS NOT NULL";
    let is_there: bool = client.query_one(is_there, &[]).and_then(|row| row.try_get(0)).map_err(failed)?;
    if !is_there {
        return Err(RunError::NotInstalled { found: "storage is not installed in the database" });
    }
    let script: Option<String> =
        client.query_one("SELECT kt.script()", &[]).and_then(|row| row.try_get(0)).map_err(failed)?;
    if script == Some(digest(&sql::install())) {
        return Ok(());
    }
    Err(RunError::NotInstalled { found: "storage in the database is of another version" })
}

/// Applies the pending migrations in order and returns their names.
///
/// # Errors
/// [`RunError`]; the migrations before the one that failed stay applied.
pub fn apply(client: &mut Client, migrations: &[MigrationFile]) -> Result<Vec<String>, RunError> {
    let mut names = Vec::new();
    for migration in migrations {
        if apply_one(client, migrations, migration)? {
            names.push(migration.name.clone());
        }
    }
    Ok(names)
}

/// Whether the tables came out of a dump of another cluster, so that the transaction ids in them mean other transactions than
/// this cluster's. Until [`rebase`], the database serves nobody. To be asked after [`install`].
///
/// # Errors
/// [`RunError::Sql`].
pub fn is_restored(client: &mut Client) -> Result<bool, RunError> {
    let failed = |source| RunError::Sql { what: "the question where its rows come from", source };
    client.query_one("SELECT kt_priv.restored()", &[]).and_then(|row| row.try_get(0)).map_err(failed)
}

/// Makes the live rows of a restored database visible to everybody, and forgets earlier versions and open transactions.
/// Takes time in proportion to the rows. Does nothing where nothing was restored; whether it did.
///
/// # Errors
/// [`RunError::Sql`]; the database is as before.
pub fn rebase(client: &mut Client) -> Result<bool, RunError> {
    let failed = |source| RunError::Sql { what: "the rebase of restored rows", source };
    let mut transaction = locked(client).map_err(failed)?;
    let sql = "SELECT CASE WHEN kt_priv.restored() THEN kt.rebase() IS NOT NULL ELSE false END";
    let is_done = transaction.query_one(sql, &[]).and_then(|row| row.try_get(0)).map_err(failed)?;
    transaction.commit().map_err(failed)?;
    Ok(is_done)
}

/// Where each migration stands: the project's in order, then those that only the database knows.
///
/// # Errors
/// [`RunError::Sql`].
pub fn status(client: &mut Client, migrations: &[MigrationFile]) -> Result<Vec<MigrationStatus>, RunError> {
    let failed = |source| RunError::Sql { what: "reading the list of migrations", source };
    let mut transaction = client.transaction().map_err(failed)?;
    let applied = applied(&mut transaction).map_err(failed)?;
    Ok(compare(&applied, migrations))
}

/// Whether credentials are checked against another key: the database is another project's or deployment's. `false` where storage is not
/// installed, or by a role that may not look.
///
/// # Errors
/// [`RunError::Sql`].
pub fn has_other_identity_key(client: &mut Client, key: &[u8]) -> Result<bool, RunError> {
    let failed = |source| RunError::Sql { what: "the identity key", source };
    let known = "SELECT CASE WHEN to_regnamespace('kt_priv') IS NULL OR NOT has_schema_privilege('kt_priv', 'USAGE') THEN false \
                 ELSE to_regprocedure('kt_priv.pad(bytea, int)') IS NOT NULL END";
    let known: bool = client.query_one(known, &[]).map_err(failed)?.get(0);
    if !known {
        return Ok(false);
    }
    let other = "SELECT EXISTS (SELECT FROM kt_priv.meta WHERE inner_key <> kt_priv.pad($1, 54))";
    client.query_one(other, &[&key]).map(|row| row.get(0)).map_err(failed)
}

/// Sets the key that credentials are checked against; at least 32 bytes. Credentials made with another key end.
///
/// # Errors
/// [`RunError::Sql`].
pub fn set_identity_key(client: &mut Client, key: &[u8]) -> Result<(), RunError> {
    let failed = |source| RunError::Sql { what: "the identity key", source };
    client.execute("SELECT kt.set_identity_key($1)", &[&key]).map(drop).map_err(failed)
}

/// Sets the password of the role `kt_gateway`, for the whole cluster.
///
/// # Errors
/// [`RunError::Sql`].
pub fn set_gateway_password(client: &mut Client, password: &str) -> Result<(), RunError> {
    let failed = |source| RunError::Sql { what: "the gateway's password", source };
    let statement: String = client
        .query_one("SELECT format('ALTER ROLE kt_gateway PASSWORD %L', $1::text)", &[&password])
        .and_then(|row| row.try_get(0))
        .map_err(failed)?;
    let mut attempts = 0;
    loop {
        attempts += 1;
        match client.batch_execute(&statement) {
            // "tuple concurrently updated": another database of the cluster set it at the same moment, and has finished.
            Err(error) if error.code() == Some(&SqlState::INTERNAL_ERROR) && attempts < ROLE_ATTEMPTS_MAX => {
            }
            outcome => return outcome.map_err(failed),
        }
    }
}

/// What the roles of storage may do, on tables, columns and functions.
///
/// # Errors
/// [`RunError::Sql`].
pub fn grants(client: &mut Client) -> Result<Vec<Grant>, RunError> {
    let failed = |source| RunError::Sql { what: "reading privileges", source };
    let rows = client.query(GRANTS, &[]).map_err(failed)?;
    rows.iter()
        .map(|row| Ok(Grant { role: row.try_get(0)?, object: row.try_get(1)?, privilege: row.try_get(2)? }))
        .collect::<Result<_, _>>()
        .map_err(failed)
}

/// Collects all garbage that there is: ended sessions, versions that no snapshot needs, old log rows. Returns how many versions
/// and log rows went. Calls go on meanwhile: it works in steps, and waits for nobody.
///
/// # Errors
/// [`RunError::Sql`].
pub fn collect_garbage(client: &mut Client) -> Result<u64, RunError> {
    let failed = |source| RunError::Sql { what: "garbage collection", source };
    let mut attempts = 0;
    loop {
        attempts += 1;
        match client.execute("SELECT kt.gc_horizon('0')", &[]) {
            // Somebody begins a transaction at every moment.
            Err(error)
                if error.code() == Some(&SqlState::LOCK_NOT_AVAILABLE) && attempts < HORIZON_ATTEMPTS_MAX => {
            }
            outcome => {
                outcome.map_err(failed)?;
                break;
            }
        }
    }
    let mut collected = 0;
    loop {
        let step = client
            .query_one("SELECT removed, more FROM kt.collect($1, '0')", &[&GARBAGE_BATCH])
            .and_then(|row| Ok((row.try_get::<_, i64>(0)?, row.try_get::<_, bool>(1)?)));
        let (removed, more) = step.map_err(failed)?;
        collected += removed.unsigned_abs();
        if !more {
            return Ok(collected);
        }
    }
}

/// Puts an owner into a tenant; without one, it is a tenant of its own.
///
/// # Errors
/// [`RunError::Sql`], also for what cannot be an owner or a tenant.
pub fn set_tenant(client: &mut Client, owner: &str, tenant: Option<&str>) -> Result<(), RunError> {
    let failed = |source| RunError::Sql { what: "the tenant of an owner", source };
    client.execute("SELECT kt.set_tenant($1, $2)", &[&owner, &tenant]).map(drop).map_err(failed)
}

/// Says how far back earlier versions are kept for `history` and `at`; `keep` is an interval of PostgreSQL's, such as `7 days`.
///
/// # Errors
/// [`RunError::Sql`], also for what is no interval or longer than ten years.
pub fn keep_history(client: &mut Client, keep: &str) -> Result<(), RunError> {
    let failed = |source| RunError::Sql { what: "the time that history is kept", source };
    client.execute("SELECT kt.keep_history($1::text::interval)", &[&keep]).map(drop).map_err(failed)
}

/// Applies one migration unless it is applied; whether it was.
fn apply_one(
    client: &mut Client,
    migrations: &[MigrationFile],
    migration: &MigrationFile,
) -> Result<bool, RunError> {
    let listing = |source| RunError::Sql { what: "the list of migrations", source };
    let failed = |source| RunError::Migration { name: migration.name.clone(), source };
    let mut transaction = locked(client).map_err(listing)?;
    let applied = applied(&mut transaction).map_err(listing)?;
    if !is_pending(&applied, migrations, migration)? {
        return Ok(false);
    }
    let before = transaction_id(&mut transaction).map_err(listing)?;
    transaction.batch_execute(&migration.sql).map_err(failed)?;
    if transaction_id(&mut transaction).map_err(listing)? != before {
        return Err(RunError::EndsTransaction { name: migration.name.clone() });
    }
    transaction
        .execute(
            "INSERT INTO kt_priv.migrations (name, checksum) VALUES ($1, $2)",
            &[&migration.name, &migration.checksum()],
        )
        .map_err(listing)?;
    transaction.commit().map_err(failed)?;
    Ok(true)
}

fn is_pending(
    applied: &[(String, String)],
    migrations: &[MigrationFile],
    migration: &MigrationFile,
) -> Result<bool, RunError> {
    let name = migration.name.clone();
    if let Some((_, checksum)) = applied.iter().find(|(applied, _)| *applied == name) {
        return if *checksum == migration.checksum() { Ok(false) } else { Err(RunError::Changed { name }) };
    }
    let later = migrations.iter().skip_while(|other| other.name != name);
    match later.map(|other| &other.name).find(|later| applied.iter().any(|(applied, _)| applied == *later)) {
        Some(applied) => Err(RunError::OutOfOrder { name, applied: applied.clone() }),
        None => Ok(true),
    }
}

fn compare(applied: &[(String, String)], migrations: &[MigrationFile]) -> Vec<MigrationStatus> {
    let state = |migration: &MigrationFile| match applied.iter().find(|(name, _)| *name == migration.name) {
        None => MigrationState::Pending,
        Some((_, checksum)) if *checksum == migration.checksum() => MigrationState::Applied,
        Some(_) => MigrationState::Changed,
    };
    let known = migrations
        .iter()
        .map(|migration| MigrationStatus { name: migration.name.clone(), state: state(migration) });
    let unknown = applied
        .iter()
        .filter(|(name, _)| migrations.iter().all(|migration| migration.name != *name))
        .map(|(name, _)| MigrationStatus { name: name.clone(), state: MigrationState::Unknown });
    known.chain(unknown).collect()
}

/// A transaction that holds the migrator's lock.
fn locked(client: &mut Client) -> Result<Transaction<'_>, postgres::Error> {
    let mut transaction =
        client.build_transaction().isolation_level(postgres::IsolationLevel::ReadCommitted).start()?;
    transaction.batch_execute("SELECT pg_advisory_xact_lock(19284, 1)")?;
    Ok(transaction)
}

/// Names and checksums in order of name; none where storage is not installed.
fn applied(transaction: &mut Transaction<'_>) -> Result<Vec<(String, String)>, postgres::Error> {
    let installed: bool =
        transaction.query_one("SELECT to_regclass('kt_priv.migrations') IS NOT NULL", &[])?.try_get(0)?;
    if !installed {
        return Ok(Vec::new());
    }
    let rows = transaction.query("SELECT name, checksum FROM kt_priv.migrations ORDER BY name", &[])?;
    rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
}

fn digest(script: &str) -> String {
    hex(&Sha256::digest(script))
}

fn transaction_id(transaction: &mut Transaction<'_>) -> Result<String, postgres::Error> {
    transaction.query_one("SELECT pg_current_xact_id()::text", &[])?.try_get(0)
}

/// Attempts at changing a role that all databases of the cluster share.
const ROLE_ATTEMPTS_MAX: u32 = 32;

/// Attempts at moving the horizon of garbage collection.
const HORIZON_ATTEMPTS_MAX: u32 = 16;

/// Dead versions collected by one statement.
const GARBAGE_BATCH: i32 = 5000;

const GRANTS: &str = "
    WITH role AS (SELECT oid, rolname::text AS name FROM pg_roles WHERE rolname IN ('kt_gateway', 'kt_deploy', 'kt_exec'))
    SELECT r.name, n.nspname || '.' || c.relname, a.privilege_type
      FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace, aclexplode(c.relacl) a JOIN role r ON r.oid = a.grantee
     WHERE (n.nspname IN ('kt', 'kt_priv', 'kt_data', 'kt_guard') OR n.nspname ^@ 'kt_view_')
    UNION ALL
    SELECT r.name, n.nspname || '.' || c.relname || '(' || t.attname || ')', a.privilege_type
      FROM pg_attribute t JOIN pg_class c ON c.oid = t.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace,
           aclexplode(t.attacl) a JOIN role r ON r.oid = a.grantee
     WHERE (n.nspname IN ('kt', 'kt_priv', 'kt_data', 'kt_guard') OR n.nspname ^@ 'kt_view_')
    UNION ALL
    SELECT r.name, p.oid::regprocedure::text, a.privilege_type
      FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace, aclexplode(p.proacl) a JOIN role r ON r.oid = a.grantee
     WHERE (n.nspname IN ('kt', 'kt_priv', 'kt_data', 'kt_guard') OR n.nspname ^@ 'kt_view_')
     ORDER BY 1, 2, 3";
