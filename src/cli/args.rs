//! The command line's grammar.

use crate::contract::FieldRename;
use clap::{Args, Parser, Subcommand};
use std::path::PathBuf;

/// Full-stack TypeScript: functions marked @backend run on the server, the client calls them as if they were local.
#[derive(Debug, Parser)]
#[command(name = "kontract", version, propagate_version = true)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// Print one JSON object, or one a line, to standard output.
    #[arg(long, global = true)]
    pub json: bool,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Compile the project: client stubs, server bundle, schema, API pages.
    Build(BuildArgs),
    /// Report every problem of the project and every type error; writes nothing outside of `.kontract`.
    Check(CheckArgs),
    /// Build, run on workerd with a database, and rebuild on changes.
    Dev(DevArgs),
    /// Install and update the database.
    #[command(subcommand)]
    Migrate(MigrateCommand),
    /// Change the gateway's keys.
    #[command(subcommand)]
    Keys(KeysCommand),
    /// Search what a frontend's bundler emitted for server code. Reads `{ "given": [texts], "files": { name: text } }`.
    #[command(hide = true)]
    LeakCheck(ProjectArgs),
    /// Explain a diagnostic's code.
    Explain {
        /// A code such as KT0101.
        code: String,
    },
}

/// The project that a command works on.
#[derive(Debug, Clone, Args)]
pub struct ProjectArgs {
    /// Folder with the project's kontract.json.
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub project: PathBuf,
}

/// Arguments of `build`.
#[derive(Debug, Args)]
pub struct BuildArgs {
    /// The project.
    #[command(flatten)]
    pub project: ProjectArgs,
    /// Fail when clients or servers built with another kontract.lock.json would stop to work with this build.
    #[arg(long, value_name = "LOCK")]
    pub against: Option<PathBuf>,
    /// A field that has another name since the last build: `Entry.text=body`, for a parameter `sign().text=body`.
    #[arg(long, value_name = "OLD=NEW", value_parser = rename)]
    pub rename: Vec<FieldRename>,
    /// Do not run the frontend's own build.
    #[arg(long)]
    pub no_frontend: bool,
}

/// Arguments of `check`.
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// The project.
    #[command(flatten)]
    pub project: ProjectArgs,
    /// Fail when generated or locked files are not those of the sources.
    #[arg(long)]
    pub frozen: bool,
    /// Do not run the project's TypeScript.
    #[arg(long)]
    pub no_types: bool,
}

/// Arguments of `dev`.
#[derive(Debug, Args)]
pub struct DevArgs {
    /// The project.
    #[command(flatten)]
    pub project: ProjectArgs,
    /// Port on the loopback interface; 0 picks a free one.
    #[arg(long, default_value_t = 8787)]
    pub port: u16,
    /// Administrator's URL of a PostgreSQL database to use instead of the embedded one.
    #[arg(long, value_name = "URL")]
    pub database_url: Option<String>,
    /// Do not watch for changes.
    #[arg(long)]
    pub once: bool,
    /// Do not run the frontend's own build: its bundler serves the pages by itself.
    #[arg(long)]
    pub no_frontend: bool,
    /// Let a debugger attach to the Worker on this port of the loopback interface; 0 picks a free one.
    #[arg(long, value_name = "PORT")]
    pub inspect: Option<u16>,
}

/// Subcommands of `keys`.
#[derive(Debug, Subcommand)]
pub enum KeysCommand {
    /// Make the backup key the current one, and a new key the backup. Deployed clients pin both and go on working.
    Rotate(ProjectArgs),
}

/// Subcommands of `migrate`.
#[derive(Debug, Subcommand)]
pub enum MigrateCommand {
    /// Apply what is missing.
    Up(UpArgs),
    /// Tell which migrations are applied, pending or changed since.
    Status(DatabaseArgs),
    /// Print the privileges of kontract's roles as the database has them.
    Grants(DatabaseArgs),
    /// Remove versions of rows that no live session can see.
    Gc(GcArgs),
    /// Put an owner into a tenant, or take it out.
    Tenant(TenantArgs),
}

/// A project, a database, and whether that may change hands.
#[derive(Debug, Args)]
pub struct UpArgs {
    /// The project and the database.
    #[command(flatten)]
    pub database: DatabaseArgs,
    /// Give the database this project's identity key in place of another one: whatever is deployed with that is locked
    /// out, and its tokens end.
    #[arg(long)]
    pub new_identity: bool,
}

/// A database, and who belongs to which tenant from now on.
#[derive(Debug, Args)]
pub struct TenantArgs {
    /// The database.
    #[command(flatten)]
    pub database: DatabaseArgs,
    /// The owner, as `ctx.owner` has it.
    pub owner: String,
    /// The tenant, any name; without it, the owner is a tenant of its own again.
    pub tenant: Option<String>,
}

/// A database, and how far back its history goes.
#[derive(Debug, Args)]
pub struct GcArgs {
    /// The database.
    #[command(flatten)]
    pub database: DatabaseArgs,
    /// From now on keep earlier versions for so long, such as '7 days'; as before where this is not given.
    #[arg(long, value_name = "TIME")]
    pub keep_history: Option<String>,
}

/// A project and the database that it is about.
#[derive(Debug, Args)]
pub struct DatabaseArgs {
    /// The project.
    #[command(flatten)]
    pub project: ProjectArgs,
    /// Administrator's URL of the database.
    #[arg(long, value_name = "URL", env = "KONTRACT_ADMIN_URL")]
    pub database_url: String,
}

fn rename(text: &str) -> Result<FieldRename, String> {
    let usage = || "expected `Type.old=new`, or `endpoint().old=new` for a parameter".to_owned();
    FieldRename::parse(text).ok_or_else(usage)
}
