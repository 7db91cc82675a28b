//! `kontract migrate`: brings a database to the project's state, and tells where it stands.

use super::args::{DatabaseArgs, MigrateCommand, TenantArgs, UpArgs};
use super::error::CliError;
use super::report::Reporter;
use super::secrets::Secrets;
use crate::migrate::MigrationFile;
use crate::migrate::connect::connect;
use crate::migrate::run::{self, MigrationState, RunError};
use postgres::Client;
use serde_json::json;
use std::path::Path;

/// Runs a subcommand.
pub(super) fn run(command: &MigrateCommand, reporter: Reporter) -> Result<(), CliError> {
    match command {
        MigrateCommand::Up(UpArgs { database, new_identity }) => {
            let other_key = if *new_identity { OtherKey::Replace } else { OtherKey::Refuse };
            let consent = (Restored::Rebase, other_key);
            up(&database.project.project, &database.database_url, None, consent, reporter)
        }
        MigrateCommand::Status(args) => status(args, reporter),
        MigrateCommand::Grants(args) => grants(args, reporter),
        MigrateCommand::Gc(args) => {
            if let Some(keep) = &args.keep_history {
                keep_history(&args.database.database_url, keep)?;
            }
            gc(&args.database.database_url, reporter)
        }
        MigrateCommand::Tenant(args) => tenant(args, reporter),
    }
}

/// What is done with rows that came out of a dump of another cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Restored {
    /// They are made this cluster's own.
    Rebase,
    /// Nothing, and nothing else either.
    Refuse,
}

/// What is done with a database that has the identity key of another project, or of another deployment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum OtherKey {
    /// It gets this project's.
    Replace,
    /// Nothing.
    Refuse,
}

/// Installs storage, gives the database its keys, and applies every pending migration; as `kt_deploy` only the latter. Without
/// `secrets`, the project has them.
pub(super) fn up(
    folder: &Path,
    database_url: &str,
    secrets: Option<&Secrets>,
    (restored, other_key): (Restored, OtherKey),
    reporter: Reporter,
) -> Result<(), CliError> {
    let migrations = read_migrations(folder)?;
    let mut client = open(database_url)?;
    let deploys = run::is_deploy_role(&mut client).map_err(|error| failed(&error))?;
    // Keys made here would lock out whatever is deployed on this database.
    let identity = match secrets {
        _ if deploys => None,
        Some(secrets) => Some(secrets.identity_key()),
        None => Some(Secrets::load(folder)?.identity_key()),
    };
    let keys = identity.map(|identity| (identity.credential_key(), identity.database_password()));
    let own = |client: &mut Client| match &keys {
        Some((key, _)) if other_key == OtherKey::Refuse => refuse_other_key(client, key),
        _ => Ok(()),
    };
    own(&mut client)?;
    let installed = if deploys { run::require_installed(&mut client) } else { run::install(&mut client) };
    installed.map_err(|error| failed(&error))?;
    // Who is made a member of kt_owner by the installation could not look before.
    own(&mut client)?;
    if run::is_restored(&mut client).map_err(|error| failed(&error))? {
        rebase(&mut client, restored, reporter)?;
    }
    if let Some((key, password)) = &keys {
        run::set_identity_key(&mut client, key).map_err(|error| failed(&error))?;
        run::set_gateway_password(&mut client, password).map_err(|error| failed(&error))?;
    }
    let applied = run::apply(&mut client, &migrations).map_err(|error| match error {
        RunError::Migration { .. }
        | RunError::EndsTransaction { .. }
        | RunError::Changed { .. }
        | RunError::OutOfOrder { .. } => {
            reporter.say(format!("error: {}", failed(&error)));
            CliError::Project
        }
        RunError::Sql { .. } | RunError::NotInstalled { .. } => failed(&error),
    })?;
    for name in &applied {
        reporter.say(format!("applied migration {name}"));
    }
    reporter.event("migrated", json!({ "applied": applied }));
    Ok(())
}

fn refuse_other_key(client: &mut Client, key: &[u8]) -> Result<(), CliError> {
    if run::has_other_identity_key(client, key).map_err(|error| failed(&error))? {
        return Err(CliError::environment(
            "the database has another KONTRACT_IDENTITY_KEY than this project, and whatever is deployed with that would be locked out",
            "give this project that key, or a database of its own, or run `kontract migrate up --new-identity`",
        ));
    }
    Ok(())
}

fn rebase(client: &mut Client, restored: Restored, reporter: Reporter) -> Result<(), CliError> {
    if restored == Restored::Refuse {
        return Err(CliError::environment(
            "the database was restored from a dump of another cluster, whose transaction ids mean nothing here",
            "run `kontract migrate up` with its URL, which makes the rows this cluster's own",
        ));
    }
    reporter.say("the database was restored from a dump: rebasing its rows");
    if run::rebase(client).map_err(|error| failed(&error))? {
        reporter.event("rebased", json!({}));
    }
    Ok(())
}

fn keep_history(database_url: &str, keep: &str) -> Result<(), CliError> {
    let mut client = open(database_url)?;
    run::keep_history(&mut client, keep)
        .map_err(|error| CliError::environment(error, "give a time such as '7 days', at most ten years"))
}

/// Decides whose rows of tenants' tables an owner sees. Its open calls run again.
fn tenant(args: &TenantArgs, reporter: Reporter) -> Result<(), CliError> {
    let TenantArgs { database, owner, tenant } = args;
    let mut client = open(&database.database_url)?;
    run::set_tenant(&mut client, owner, tenant.as_deref()).map_err(|error| {
        CliError::environment(error, "name an owner, and a tenant unless it is to be one of its own")
    })?;
    match tenant {
        Some(tenant) => reporter.say(format!("{owner} belongs to {tenant}")),
        None => reporter.say(format!("{owner} is a tenant of its own")),
    }
    reporter.event("tenant", json!({ "owner": owner, "tenant": tenant }));
    Ok(())
}

/// Removes versions of rows that no live session can see.
pub(super) fn gc(database_url: &str, reporter: Reporter) -> Result<(), CliError> {
    let mut client = open(database_url)?;
    let removed = run::collect_garbage(&mut client).map_err(|error| failed(&error))?;
    if removed > 0 {
        reporter.say(format!("removed {removed} row versions that nobody can see"));
    }
    reporter.event("collected", json!({ "removed": removed }));
    Ok(())
}

fn status(args: &DatabaseArgs, reporter: Reporter) -> Result<(), CliError> {
    let migrations = read_migrations(&args.project.project)?;
    let mut client = open(&args.database_url)?;
    let states = run::status(&mut client, &migrations).map_err(|error| failed(&error))?;
    let rows: Vec<(String, &str)> =
        states.into_iter().map(|status| (status.name, word(status.state))).collect();
    let lines: Vec<String> = rows.iter().map(|(name, state)| format!("{state:8} {name}")).collect();
    let list: Vec<_> = rows.iter().map(|(name, state)| json!({ "name": name, "state": state })).collect();
    reporter.answer(&lines.join("\n"), &json!({ "migrations": list }));
    Ok(())
}

fn grants(args: &DatabaseArgs, reporter: Reporter) -> Result<(), CliError> {
    let mut client = open(&args.database_url)?;
    let grants = run::grants(&mut client).map_err(|error| failed(&error))?;
    let lines: Vec<String> = grants
        .iter()
        .map(|grant| format!("{:12} {:10} {}", grant.role, grant.privilege, grant.object))
        .collect();
    let list: Vec<_> = grants
        .iter()
        .map(|grant| json!({ "role": grant.role, "privilege": grant.privilege, "object": grant.object }))
        .collect();
    reporter.answer(&lines.join("\n"), &json!({ "grants": list }));
    Ok(())
}

fn open(database_url: &str) -> Result<Client, CliError> {
    connect(database_url).map_err(|error| CliError::environment(&error, error.fix()))
}

const fn word(state: MigrationState) -> &'static str {
    match state {
        MigrationState::Applied => "applied",
        MigrationState::Pending => "pending",
        MigrationState::Changed => "changed",
        MigrationState::Unknown => "unknown",
    }
}

/// The project's migrations in the order of their names.
fn read_migrations(folder: &Path) -> Result<Vec<MigrationFile>, CliError> {
    let path = folder.join("migrations");
    let unreadable = |error: std::io::Error| {
        CliError::environment(format!("{}: {error}", path.display()), "check its permissions")
    };
    let entries = match std::fs::read_dir(&path) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(unreadable(error)),
    };
    let mut migrations = Vec::new();
    for entry in entries {
        let file = entry.map_err(unreadable)?.path();
        if file.extension().is_some_and(|extension| extension == "sql") {
            let name = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            migrations.push(MigrationFile { name, sql: std::fs::read_to_string(&file).map_err(unreadable)? });
        }
    }
    migrations.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(migrations)
}

fn failed(error: &RunError) -> CliError {
    let fix = match error {
        RunError::Sql { .. } => {
            "the role in the URL must be a superuser, or own the database and have CREATEROLE"
        }
        RunError::Migration { .. } | RunError::EndsTransaction { .. } => {
            "correct its file and run this again"
        }
        RunError::NotInstalled { .. } => "run this once with the URL of an administrator",
        RunError::Changed { .. } => "restore its text and write what is new into a further migration",
        RunError::OutOfOrder { .. } => "give it a name that sorts behind the applied ones",
    };
    CliError::environment(error, fix)
}
