//! `cargo xtask dev DIR`: builds, then becomes `kontract dev --project DIR`.

use std::path::Path;
use std::process::Command;

use crate::build::{self, Profile};
use crate::error::Error;
use crate::tree::Tree;

/// Builds and runs the development server of a project. The folder is relative to the current one; further arguments
/// are passed on.
///
/// # Errors
/// When the folder holds no project, the build fails, or the program cannot be started or fails.
pub(crate) fn dev(project: &str, passed: &[String]) -> Result<(), Error> {
    let config = Path::new(project).join("kontract.json");
    if !config.is_file() {
        return Err(Error::NotAProject(project.into()));
    }
    let program = build::build(&Tree::find()?, Profile::Dev)?;
    let mut command = Command::new(program);
    command.args(["dev", "--project", project]).args(passed);
    become_program(command)
}

/// Replaces this process, so that signals, input and the exit code need no forwarding.
#[cfg(unix)]
fn become_program(mut command: Command) -> Result<(), Error> {
    use std::os::unix::process::CommandExt;

    let cause = command.exec();
    Err(Error::File { action: "run", path: command.get_program().into(), cause })
}

/// Runs the program and waits for it; a console passes Ctrl-C to both.
#[cfg(not(unix))]
fn become_program(mut command: Command) -> Result<(), Error> {
    let path = command.get_program().into();
    let status = command.status().map_err(|cause| Error::File { action: "run", path, cause })?;
    std::process::exit(status.code().unwrap_or(1))
}
