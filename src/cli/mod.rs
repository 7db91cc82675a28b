//! The commands: everything that touches files, processes and terminals on behalf of the compiler.

pub mod args;
mod build;
pub mod cache_folder;
mod check;
mod dev;
pub mod error;
mod explain;
mod frozen;
mod keys;
mod last;
mod leak_check;
mod migrate;
pub mod os_system;
mod report;
mod secrets;
mod shadow;
mod stamps;
mod syntax;
mod tsc;
mod unbundled;
mod worker;
mod write;

use args::{Cli, Command};
use clap::Parser as _;
use error::CliError;
use report::Reporter;
use std::process::ExitCode;

/// Runs the command of this process's arguments.
pub fn run() -> ExitCode {
    keep_parser_panics_quiet();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are answers, not errors.
            let code = if error.use_stderr() { ExitCode::from(2) } else { ExitCode::SUCCESS };
            let _closed: std::io::Result<()> = error.print();
            return code;
        }
    };
    let reporter = Reporter::new(cli.json);
    match dispatch(&cli.command, reporter) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            if !matches!(error, CliError::Project) {
                reporter.say(format!("error: {error}"));
                reporter.event("error", serde_json::json!({ "message": error.to_string() }));
            }
            error.exit_code()
        }
    }
}

/// A panic of the parser's becomes a diagnostic, which what a panic prints would only hide.
fn keep_parser_panics_quiet() {
    let print = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        let of_parser = panic.location().is_some_and(|place| place.file().contains("swc_ecma_parser"));
        if !of_parser {
            print(panic);
        }
    }));
}

fn dispatch(command: &Command, reporter: Reporter) -> Result<(), CliError> {
    match command {
        Command::Build(args) => build::run(args, reporter),
        Command::Check(args) => check::run(args, reporter),
        Command::Dev(args) => dev::run(args, reporter),
        Command::Keys(command) => keys::run(command, reporter),
        Command::LeakCheck(args) => leak_check::run(args, reporter),
        Command::Migrate(command) => migrate::run(command, reporter),
        Command::Explain { code } => explain::run(code, reporter),
    }
}
