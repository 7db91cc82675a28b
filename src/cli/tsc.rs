//! Runs the project's TypeScript.

use super::error::CliError;
use super::shadow::Tree;
use crate::bundle::tools;
use crate::typecheck::Shadow;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

/// The TypeScript that a project has installed, of whatever version.
pub(super) struct Tsc {
    script: PathBuf,
}

impl Tsc {
    /// The nearest one from the project's folder upwards.
    pub(super) fn of(project: &Path) -> Option<Self> {
        Some(Self { script: tools::find(project, "typescript/bin/tsc").ok()? })
    }

    /// `tsc` for one program, run in a folder. A group of its own, because TypeScript 7 is a process below that of Node.js.
    pub(super) fn command(&self, config: &Path, folder: &Path) -> Command {
        let mut command = Command::new("node");
        command
            .arg(&self.script)
            .arg("--project")
            .arg(config)
            .args(["--pretty", "false", "--locale", "en"])
            .current_dir(folder)
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }
}

/// What TypeScript said of one program.
pub(super) struct Answer {
    pub(super) status: ExitStatus,
    pub(super) stdout: String,
    pub(super) stderr: String,
}

/// Checks of all programs of a tree, one after the other, in the background. Ends with its owner.
pub(super) struct Run {
    state: Arc<Mutex<State>>,
    thread: Option<JoinHandle<Result<Vec<Answer>, CliError>>>,
}

#[derive(Default)]
struct State {
    /// The process group that is running.
    group: Option<u32>,
    stopped: bool,
}

impl Run {
    /// Starts with the first program.
    pub(super) fn start(tsc: &Tsc, tree: &Tree, shadow: &Shadow) -> Self {
        let state = Arc::new(Mutex::new(State::default()));
        let folder = tree.root().join(tree.project());
        let configs = shadow.configs().iter().map(|config| tree.root().join(config));
        let commands: Vec<Command> = configs.map(|config| tsc.command(&config, &folder)).collect();
        let shared = Arc::clone(&state);
        let thread = std::thread::spawn(move || run_all(commands, &shared));
        Self { state, thread: Some(thread) }
    }

    /// Waits for the answers, in the order of the programs.
    pub(super) fn finish(&mut self) -> Result<Vec<Answer>, CliError> {
        match self.thread.take().map(JoinHandle::join) {
            Some(Ok(answers)) => answers,
            Some(Err(_)) | None => {
                Err(CliError::environment("the check of types ended early", "report this"))
            }
        }
    }

    /// Ends what is running and waits until it has, because a program's state is written to its end.
    pub(super) fn stop(&mut self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.stopped = true;
        if let Some(group) = state.group {
            let _gone = Command::new("kill")
                .args(["-KILL", "--", &format!("-{group}")])
                .stderr(Stdio::null())
                .status();
        }
        drop(state);
        let _answers = self.thread.take().map(JoinHandle::join);
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        self.stop();
    }
}

fn run_all(commands: Vec<Command>, state: &Mutex<State>) -> Result<Vec<Answer>, CliError> {
    let failed = |error: std::io::Error| CliError::environment(format!("node: {error}"), "install Node.js");
    let mut answers = Vec::new();
    for mut command in commands {
        let mut shared = state.lock().unwrap_or_else(PoisonError::into_inner);
        if shared.stopped {
            break;
        }
        let child = command.spawn().map_err(failed)?;
        shared.group = Some(child.id());
        drop(shared);
        let output = child.wait_with_output().map_err(failed)?;
        state.lock().unwrap_or_else(PoisonError::into_inner).group = None;
        answers.push(Answer {
            status: output.status,
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        });
    }
    Ok(answers)
}
