//! Under which user PostgreSQL's programs run: they refuse root.

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use super::ClusterError;

/// Who runs the programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Account {
    /// This user, who is not root.
    Own,
    /// Root, who looks like another user inside a user namespace: the files stay root's outside of it.
    Namespace,
    /// `nobody`, who is given the data folder.
    Nobody,
}

impl Account {
    /// What is possible here.
    pub(super) fn choose() -> Self {
        if !is_root() {
            Self::Own
        } else if succeeds(Command::new("unshare").args(NAMESPACE).arg("true")) {
            Self::Namespace
        } else {
            Self::Nobody
        }
    }

    /// Gives the data folder to whoever runs the programs.
    pub(super) fn own(self, data_dir: &Path) -> Result<(), ClusterError> {
        match self {
            Self::Own | Self::Namespace => Ok(()),
            Self::Nobody => {
                let mut chown = Command::new("chown");
                chown.args(["-R", "nobody"]).arg(data_dir);
                run(chown, "chown")
            }
        }
    }

    /// A program under this account.
    pub(super) fn command(self, program: &Path) -> Command {
        let mut command = match self {
            Self::Own => return Command::new(program),
            Self::Namespace => {
                let mut command = Command::new("unshare");
                command.args(NAMESPACE);
                command
            }
            Self::Nobody => {
                let mut command = Command::new("setpriv");
                command.args(NOBODY);
                command
            }
        };
        command.arg(program);
        command
    }

    /// A program under this account that gets SIGINT, PostgreSQL's fast shutdown, when the thread that started it is gone.
    /// Where `setpriv` is missing it runs on; the next start then stops it.
    pub(super) fn command_bound_to_parent(self, program: &Path) -> Command {
        if self == Self::Own {
            return bound_to_parent(program);
        }
        if !can_bind() {
            return self.command(program);
        }
        // The setting does not survive a change of user, so it is made after that.
        let mut command = self.command(Path::new("setpriv"));
        command.args(BOUND).arg(program);
        command
    }
}

/// A program of this user's that gets SIGINT when the thread that started it is gone. Where `setpriv` is missing it runs
/// on.
pub(in crate::dev) fn bound_to_parent(program: &Path) -> Command {
    if !can_bind() {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command.args(BOUND).arg(program);
    command
}

fn can_bind() -> bool {
    static ANSWER: OnceLock<bool> = OnceLock::new();
    *ANSWER.get_or_init(|| succeeds(Command::new("setpriv").args(BOUND).arg("true")))
}

/// Runs a program to its end; its last words when it failed.
pub(super) fn run(mut command: Command, program: &str) -> Result<(), ClusterError> {
    let failed = |detail: String| ClusterError::Program { program: program.to_owned(), detail };
    let output = command.stdin(Stdio::null()).output().map_err(|error| failed(error.to_string()))?;
    if output.status.success() {
        return Ok(());
    }
    let words = String::from_utf8_lossy(&output.stderr);
    let from = words.char_indices().rev().nth(WORDS_SHOWN).map_or(0, |(index, _)| index);
    Err(failed(words[from..].trim().to_owned()))
}

fn is_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}

fn succeeds(command: &mut Command) -> bool {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

const NAMESPACE: [&str; 4] = ["--user", "--map-user=1000", "--map-group=1000", "--"];
const NOBODY: [&str; 4] = ["--reuid=nobody", "--regid=nogroup", "--clear-groups", "--"];
const BOUND: [&str; 3] = ["--pdeathsig", "INT", "--"];

/// Characters of a program's error output that go into a message.
const WORDS_SHOWN: usize = 2000;
