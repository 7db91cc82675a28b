//! Runs other programs; an absent one is reported with the way to get it.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use crate::error::Error;

/// A program that the commands need.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Program {
    /// Its name on the PATH.
    pub(crate) name: &'static str,
    /// How to get it.
    pub(crate) fix: &'static str,
}

/// Runs a program in a folder, with this process's input and output.
///
/// # Errors
/// When it cannot be started or does not end with 0.
pub(crate) fn run(program: Program, arguments: &[&str], dir: &Path) -> Result<(), Error> {
    let mut command = Command::new(program.name);
    command.args(arguments).current_dir(dir);
    finish(program, command)
}

/// As [`run`], for a command that needs more than arguments.
pub(crate) fn finish(program: Program, mut command: Command) -> Result<(), Error> {
    let status = command.status().map_err(|cause| missing(program, cause))?;
    if status.success() { Ok(()) } else { Err(Error::Failed { command: shown(&command), status }) }
}

/// What a program prints, without the space around it. Its error output is passed on.
///
/// # Errors
/// When it cannot be started or does not end with 0.
pub(crate) fn output(program: Program, arguments: &[&str], dir: &Path) -> Result<String, Error> {
    let mut command = Command::new(program.name);
    command.args(arguments).current_dir(dir).stderr(Stdio::inherit());
    let output = command.output().map_err(|cause| missing(program, cause))?;
    if !output.status.success() {
        return Err(Error::Failed { command: shown(&command), status: output.status });
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// Whether a program can be started and ends with 0; prints nothing.
pub(crate) fn succeeds(name: &str, arguments: &[&str]) -> bool {
    Command::new(name)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// Does a piece of work between a headline and the time it took.
pub(crate) fn step<T>(title: &str, work: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
    eprintln!("── {title}");
    let start = Instant::now();
    let done = work()?;
    eprintln!("── {title}: {:.1} s", start.elapsed().as_secs_f64());
    Ok(done)
}

/// The command line as a person would type it, without the environment.
fn shown(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}

fn missing(program: Program, cause: std::io::Error) -> Error {
    Error::Missing { program: program.name.to_owned(), cause, fix: program.fix }
}

/// Cargo of the toolchain that `rust-toolchain.toml` names.
pub(crate) const CARGO: Program = Program { name: "cargo", fix: RUSTUP_FIX };
/// The compiler of the same toolchain.
pub(crate) const RUSTC: Program = Program { name: "rustc", fix: RUSTUP_FIX };
/// The toolchain's installer.
pub(crate) const RUSTUP: Program = Program { name: "rustup", fix: RUSTUP_FIX };
/// Version control.
pub(crate) const GIT: Program =
    Program { name: "git", fix: "install git, for example `apt-get install git`" };
/// Node.js.
pub(crate) const NODE: Program = Program { name: "node", fix: NODE_FIX };
/// Its package manager.
pub(crate) const NPM: Program = Program { name: "npm", fix: NODE_FIX };

const RUSTUP_FIX: &str = "install Rust with rustup, https://rustup.rs";
/// How to get Node.js.
pub(crate) const NODE_FIX: &str = "install Node.js 20.19 or newer with npm, https://nodejs.org";
