//! The finished Worker in workerd, before anybody depends on it: how long it takes to start, and whether its modules can
//! be loaded at all.
//!
//! ```text
//! modules of dist/server   →   start-up above that of an empty Worker; what each lazily loaded module throws
//! ```

use super::tools;
use crate::cli::error::CliError;
use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// What came of it.
#[derive(Debug)]
pub enum Trial {
    /// The Worker started.
    Started {
        /// Time to load the script, above that of an empty one.
        start_up: Duration,
        /// Modules that cannot be loaded.
        failures: Vec<Failure>,
    },
    /// The script itself threw, in workerd's words.
    Refused(String),
}

/// A module that throws when it is loaded.
#[derive(Debug, serde::Deserialize)]
pub struct Failure {
    /// The module's name in the bundle.
    pub module: String,
    /// `EvalError: Code generation …`
    pub message: String,
    /// The stack, in the bundle's places.
    pub stack: String,
}

/// Starts the Worker and loads the modules `later`, named as in `modules`. `folder` has those that esbuild wrote, and gets the
/// rest.
///
/// # Errors
/// When workerd is missing or does not answer, or the file system refuses.
pub fn run(
    project: &Path,
    folder: &Path,
    modules: &BTreeMap<String, Vec<u8>>,
    later: &[String],
) -> Result<Trial, CliError> {
    let write = |name: &str, bytes: &[u8]| std::fs::write(folder.join(name), bytes);
    let scripts: Vec<&String> =
        modules.keys().filter(|name| name.ends_with(".js") || name.ends_with(".wasm")).collect();
    let written = scripts
        .iter()
        .filter(|name| !folder.join(name).exists())
        .try_for_each(|name| modules.get(*name).map_or(Ok(()), |bytes| write(name, bytes)))
        .and_then(|()| write("empty.js", EMPTY.as_bytes()))
        .and_then(|()| write("trial.js", trial_module(later).as_bytes()))
        .and_then(|()| write("empty.capnp", capnp("empty.js", &[]).as_bytes()))
        .and_then(|()| write("trial.capnp", capnp("trial.js", &scripts).as_bytes()));
    written.map_err(|error| CliError::environment(error, "check the permissions of .kontract"))?;

    let workerd = tools::workerd(project)?;
    let mut start_up: Option<Duration> = None;
    // A busy machine is slow once, a slow script always.
    for _ in 0..ATTEMPTS_MAX {
        let empty = match Running::start(&workerd, folder, "empty.capnp")? {
            Ok(running) => running.took,
            Err(words) => {
                return Err(CliError::environment(
                    format!("workerd: {words}"),
                    "run `npm install` in the project",
                ));
            }
        };
        let trial = match Running::start(&workerd, folder, "trial.capnp")? {
            Ok(running) => running,
            Err(words) => return Ok(Trial::Refused(words)),
        };
        let took = trial.took.saturating_sub(empty);
        let best = start_up.map_or(took, |before| before.min(took));
        start_up = Some(best);
        if best <= START_UP_MAX {
            return Ok(Trial::Started { start_up: best, failures: trial.failures()? });
        }
    }
    Ok(Trial::Started { start_up: start_up.unwrap_or_default(), failures: Vec::new() })
}

/// A workerd that listens, ended when dropped.
struct Running {
    child: Child,
    port: u16,
    took: Duration,
}

impl Running {
    /// Starts one; its own words when it ends instead.
    fn start(workerd: &Path, folder: &Path, config: &str) -> Result<Result<Self, String>, CliError> {
        let missing = |error: &dyn std::fmt::Display| {
            CliError::environment(format!("workerd: {error}"), "run `npm install` in the project")
        };
        let words = folder.join(STDERR);
        let stderr = std::fs::File::create(&words).map_err(|error| missing(&error))?;
        let began = Instant::now();
        let mut child = Command::new(workerd)
            .current_dir(folder)
            .args(["serve", config, "--control-fd=1"])
            .env_clear()
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(stderr)
            .spawn()
            .map_err(|error| missing(&error))?;
        let mut line = String::new();
        let mut stdout = BufReader::new(child.stdout.take().ok_or_else(|| missing(&"it has no output"))?);
        let read = stdout.read_line(&mut line);
        let took = began.elapsed();
        // What modules log while they are loaded must have somewhere to go.
        std::thread::spawn(move || std::io::copy(&mut stdout, &mut std::io::sink()));
        let port = serde_json::from_str::<serde_json::Value>(&line)
            .ok()
            .and_then(|message| u16::try_from(message.get("port")?.as_u64()?).ok());
        match (read, port) {
            (Ok(_), Some(port)) => Ok(Ok(Self { child, port, took })),
            (Ok(_) | Err(_), _) => {
                let _gone: std::io::Result<()> = child.kill();
                child.wait().map_err(|error| missing(&error))?;
                let words = std::fs::read(&words).map_err(|error| missing(&error))?;
                Ok(Err(String::from_utf8_lossy(&words).trim().to_owned()))
            }
        }
    }

    fn failures(&self) -> Result<Vec<Failure>, CliError> {
        let failed = |error: &dyn std::fmt::Display| {
            CliError::environment(
                format!("the trial run of the Worker gave no answer ({error})"),
                "look for code at the top of a server module that waits for something",
            )
        };
        let body = self.ask().map_err(|error| failed(&error))?;
        let text = body.split_once("\r\n\r\n").map_or("", |(_, body)| body);
        serde_json::from_str(text).map_err(|error| failed(&error))
    }

    fn ask(&self) -> std::io::Result<String> {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port))?;
        stream.set_read_timeout(Some(ANSWER_MAX))?;
        stream.write_all(b"GET / HTTP/1.1\r\nHost: trial\r\nConnection: close\r\n\r\n")?;
        let mut answer = String::new();
        stream.take(ANSWER_LEN_MAX).read_to_string(&mut answer)?;
        Ok(answer)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It holds nothing that would need an orderly end.
        let _gone: std::io::Result<()> = self.child.kill();
        let _status: std::io::Result<std::process::ExitStatus> = self.child.wait();
    }
}

/// Loads the Worker as the platform does, and the rest on request.
fn trial_module(later: &[String]) -> String {
    let later = serde_json::json!(later);
    format!(
        "import \"./worker.js\";\n\
         export default {{\n  async fetch() {{\n    const failures = [];\n    for (const module of {later}) {{\n      try {{\n        \
         await import(\"./\" + module);\n      }} catch (error) {{\n        \
         failures.push({{ module, message: String(error), stack: String(error?.stack) }});\n      }}\n    }}\n    \
         return Response.json(failures);\n  }},\n}};\n"
    )
}

fn capnp(entry: &str, modules: &[&String]) -> String {
    let rest = modules.iter().map(|name| {
        let kind = if name.ends_with(".wasm") { "wasm" } else { "esModule" };
        format!(",\n    (name = \"{name}\", {kind} = embed \"{name}\")")
    });
    format!(
        "using Workerd = import \"/workerd/workerd.capnp\";\n\
         const config :Workerd.Config = (\n  services = [(name = \"main\", worker = .main)],\n  \
         sockets = [(name = \"http\", address = \"127.0.0.1:0\", http = (), service = \"main\")]\n);\n\
         const main :Workerd.Worker = (\n  modules = [\n    (name = \"{entry}\", esModule = embed \"{entry}\"){}\n  ],\n  \
         compatibilityDate = \"{}\"\n);\n",
        rest.collect::<String>(),
        super::config::COMPATIBILITY_DATE,
    )
}

/// A Worker may take so long to load on Cloudflare ("Workers: Limits", Worker startup time).
pub const START_UP_MAX: Duration = Duration::from_secs(1);
/// How often a start that takes too long is measured.
const ATTEMPTS_MAX: u32 = 3;
/// How long the modules of a Worker may take to load, all together.
const ANSWER_MAX: Duration = Duration::from_secs(60);
/// Stacks of thousands of modules.
const ANSWER_LEN_MAX: u64 = 64 * 1024 * 1024;
/// Beside the modules: what workerd says.
const STDERR: &str = "stderr.txt";
/// What the Worker is compared with.
const EMPTY: &str = "export default { fetch() { return Response.json([]); } };\n";
