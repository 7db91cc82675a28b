//! Why a command ends early, and the exit code that says so.

use std::process::ExitCode;

/// The end of a command that did not do its work.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    /// The project has errors; they were reported as diagnostics.
    #[error("the project has errors")]
    Project,
    /// The command was used wrongly.
    #[error("{0}")]
    Usage(String),
    /// Something outside of the project: a missing tool, the database, the file system.
    #[error("{0}")]
    Environment(String),
}

impl CliError {
    /// An error of the environment, with the remedy behind the cause.
    pub fn environment(cause: impl std::fmt::Display, fix: impl std::fmt::Display) -> Self {
        Self::Environment(format!("{cause}; {fix}"))
    }

    /// 1 for the user's project, 2 for wrong usage, 3 for the environment.
    pub fn exit_code(&self) -> ExitCode {
        ExitCode::from(match self {
            Self::Project => 1,
            Self::Usage(_) => 2,
            Self::Environment(_) => 3,
        })
    }
}
