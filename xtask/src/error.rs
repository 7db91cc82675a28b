//! What can go wrong in a command, each with what to do about it.

use std::path::PathBuf;
use std::process::ExitCode;

use crate::USAGE;

/// Why a command stopped.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The command line is not one of ours.
    #[error("{0}\n\n{USAGE}")]
    Usage(String),
    /// A program is not installed.
    #[error("`{program}` cannot be run: {cause}\n  fix: {fix}")]
    Missing {
        /// Its name on the PATH.
        program: String,
        /// What the operating system says.
        cause: std::io::Error,
        /// How to get it.
        fix: &'static str,
    },
    /// A program is installed, and too old.
    #[error("{program} {found} is too old, {wanted} is needed\n  fix: {fix}")]
    TooOld {
        /// Its name on the PATH.
        program: &'static str,
        /// The version that is installed.
        found: String,
        /// The least version that works.
        wanted: &'static str,
        /// How to get it.
        fix: &'static str,
    },
    /// A program ended with an error, which it has printed itself.
    #[error("`{command}` failed ({status})")]
    Failed {
        /// The command line.
        command: String,
        /// How it ended.
        status: std::process::ExitStatus,
    },
    /// Broken protocols that no test found.
    #[error("the simulator does not find: {0}")]
    Survivors(String),
    /// System packages are absent and cannot be installed from here.
    #[error("the tests need {packages}, and {cause}\n  fix: {fix}")]
    Packages {
        /// Their names, separated by spaces.
        packages: String,
        /// Why they were not installed.
        cause: &'static str,
        /// The command to run.
        fix: String,
    },
    /// The folder is not a kontract project.
    #[error("{} has no kontract.json\n  fix: name the folder of a project, such as examples/guestbook", .0.display())]
    NotAProject(PathBuf),
    /// The file system refused.
    #[error("cannot {action} {}: {cause}", path.display())]
    File {
        /// What was tried: `read`, `write`.
        action: &'static str,
        /// Where.
        path: PathBuf,
        /// What the operating system says.
        cause: std::io::Error,
    },
    /// wasm-bindgen does not accept the gateway.
    #[error("wasm-bindgen does not accept {}: {cause}\n  fix: wasm-bindgen in runtime/worker/Cargo.toml and wasm-bindgen-cli-support in xtask/Cargo.toml must be one version", path.display())]
    Bindgen {
        /// The WebAssembly module.
        path: PathBuf,
        /// Its complaint.
        cause: String,
    },
    /// A tool answered something unexpected.
    #[error("`{command}` answered something unexpected: {cause}")]
    Answer {
        /// The command line.
        command: &'static str,
        /// What is wrong with it.
        cause: String,
    },
    /// The tests changed or made files that are under version control.
    #[error(
        "these files differ from what is committed:\n{0}\n  fix: look at `git diff`, commit what is generated"
    )]
    Dirty(String),
}

impl Error {
    /// 2 for wrong usage, 3 for the machine, 1 for everything else, as `kontract` itself does.
    pub(crate) fn exit_code(&self) -> ExitCode {
        match self {
            Self::Usage(_) | Self::NotAProject(_) => ExitCode::from(2),
            Self::Missing { .. } | Self::TooOld { .. } | Self::Packages { .. } => ExitCode::from(3),
            Self::Failed { .. }
            | Self::File { .. }
            | Self::Bindgen { .. }
            | Self::Answer { .. }
            | Self::Survivors(_)
            | Self::Dirty(_) => ExitCode::FAILURE,
        }
    }
}
