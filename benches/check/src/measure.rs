//! One run of a whole process: how long it took, by the clock and of processors, and how much memory it had at most.

use std::io::{Error, Result};
use std::process::{Command, Stdio};
use std::time::Instant;

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::{TimeVal, TimeValLike as _};

/// One run.
#[derive(Clone, Copy)]
pub struct Run {
    pub milliseconds: f64,
    /// Of all threads, in the program and in the kernel.
    pub processor_milliseconds: f64,
    pub kilobytes: i64,
}

/// Runs the command and prints the numbers. Memory is counted over all children of this process, so that each run needs
/// a process like this one.
pub fn report(command: &[&str]) -> Result<()> {
    let (program, arguments) = command.split_first().ok_or_else(|| Error::other("no command"))?;
    let start = Instant::now();
    let status =
        Command::new(program).args(arguments).stdout(Stdio::null()).stderr(Stdio::null()).status()?;
    let milliseconds = start.elapsed().as_secs_f64() * 1000.0;
    if !status.success() {
        return Err(Error::other(format!("{program}: {status}")));
    }
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    let spent = |time: TimeVal| time.num_microseconds() as f64 / 1000.0;
    let processor_milliseconds = spent(usage.user_time()) + spent(usage.system_time());
    println!("{milliseconds} {processor_milliseconds} {}", usage.max_rss());
    Ok(())
}

/// [`report`] in a process of its own.
pub fn run(command: &[String]) -> Result<Run> {
    let output = Command::new(std::env::current_exe()?).arg("measure").args(command).output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    let numbers: Vec<&str> = text.split_whitespace().collect();
    let [milliseconds, processor_milliseconds, kilobytes] = numbers.as_slice() else {
        let words = String::from_utf8_lossy(&output.stderr).into_owned();
        return Err(Error::other(format!("{}: {words}", command.join(" "))));
    };
    Ok(Run {
        milliseconds: milliseconds.parse().map_err(Error::other)?,
        processor_milliseconds: processor_milliseconds.parse().map_err(Error::other)?,
        kilobytes: kilobytes.parse().map_err(Error::other)?,
    })
}
