//! A running workerd.

use crate::bundle::config::{ASSETS_DISK, OBJECTS_DISK};
use crate::bundle::tools;
use crate::cli::error::CliError;
use crate::dev::database::bound_to_parent;
use crate::dev::trace::Traces;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

/// What a Worker is started with.
pub struct WorkerdOptions<'a> {
    /// The project; workerd comes from its npm packages.
    pub project: &'a Path,
    /// Folder with `workerd.capnp`.
    pub server: PathBuf,
    /// Makes what says stack traces in the user's files.
    pub traces: Box<dyn Fn() -> Traces>,
    /// Folder for the Durable Objects' storage.
    pub objects: PathBuf,
    /// The frontend's files; an empty folder where there is none.
    pub assets: PathBuf,
    /// Port on the loopback interface; 0 picks a free one.
    pub port: u16,
    /// Port for debuggers, if they may attach; 0 picks a free one.
    pub inspect: Option<u16>,
    /// Secrets and the database's address.
    pub environment: Vec<(&'static str, String)>,
    /// Gets what the Worker tells about each call, from a thread of its own.
    pub on_request: Box<dyn Fn(serde_json::Value) + Send>,
}

/// A workerd process, ended when dropped.
pub struct Workerd {
    child: Child,
    ports: Ports,
}

/// Where it listens.
#[derive(Debug, Clone, Copy, Default)]
struct Ports {
    http: Option<u16>,
    inspector: Option<u16>,
}

impl Workerd {
    /// Starts workerd and waits until it listens.
    ///
    /// # Errors
    /// When workerd is missing, ends at once, or does not listen in time.
    pub fn start(options: WorkerdOptions<'_>) -> Result<Self, CliError> {
        let binary = tools::workerd(options.project)?;
        let mut child = bound_to_parent(&binary)
            .current_dir(&options.server)
            .arg("serve")
            // Modules that workerd asks for are an experimental feature, with which it changes nothing else.
            .arg("--experimental")
            .arg("workerd.capnp")
            .arg("--control-fd=1")
            .arg(format!("--socket-addr=http=127.0.0.1:{}", options.port))
            .args(options.inspect.map(|port| format!("--inspector-addr=127.0.0.1:{port}")))
            .arg(format!("--directory-path={OBJECTS_DISK}={}", options.objects.display()))
            .arg(format!("--directory-path={ASSETS_DISK}={}", options.assets.display()))
            .env_clear()
            .envs(options.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| {
                CliError::environment(format!("workerd: {error}"), "run `npm install` in the project")
            })?;
        let listening = forward(child.stdout.take(), (options.traces)(), options.on_request);
        retell(child.stderr.take(), (options.traces)());
        match ports(&listening, options.inspect.is_some()) {
            Some(ports) => Ok(Self { child, ports }),
            None => {
                let status = end(&mut child);
                Err(CliError::environment(
                    format!("workerd did not start listening on port {} ({status})", options.port),
                    "its own words are above; if the port is taken, choose another one with --port",
                ))
            }
        }
    }

    /// The port that it listens on.
    pub fn port(&self) -> u16 {
        self.ports.http.unwrap_or_default()
    }

    /// The port for debuggers, if they may attach.
    pub fn inspector_port(&self) -> Option<u16> {
        self.ports.inspector
    }

    /// Whether it has ended by itself.
    pub fn has_ended(&mut self) -> bool {
        !matches!(self.child.try_wait(), Ok(None))
    }
}

impl Drop for Workerd {
    fn drop(&mut self) {
        end(&mut self.child);
    }
}

/// Copies workerd's standard output to standard error, except for its control messages and what it tells of calls; the port arrives on the
/// channel, which closes with the process.
fn forward(
    stdout: Option<std::process::ChildStdout>,
    mut traces: Traces,
    on_request: Box<dyn Fn(serde_json::Value) + Send>,
) -> mpsc::Receiver<Ports> {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        let Some(stdout) = stdout else { return };
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            let told = line.strip_prefix(REQUEST).and_then(|facts| serde_json::from_str(facts).ok());
            if let Some(facts) = told {
                on_request(facts);
                continue;
            }
            match listening(&line) {
                // The receiver is gone once all ports have arrived.
                Some(ports) => drop(sender.send(ports)),
                None => eprintln!("{}", traces.mapped(&line)),
            }
        }
    });
    receiver
}

/// Copies workerd's standard error, with places in the user's files.
fn retell(stderr: Option<std::process::ChildStderr>, mut traces: Traces) {
    std::thread::spawn(move || {
        let Some(stderr) = stderr else { return };
        // What a Worker logs may be any bytes.
        for line in BufReader::new(stderr).split(b'\n').map_while(Result::ok) {
            eprintln!("{}", traces.mapped(&String::from_utf8_lossy(&line)));
        }
    });
}

/// Every port that is waited for; `None` when it ends or the time is up before.
fn ports(listening: &mpsc::Receiver<Ports>, inspected: bool) -> Option<Ports> {
    let deadline = Instant::now() + START_MAX;
    let mut known = Ports::default();
    while known.http.is_none() || (inspected && known.inspector.is_none()) {
        let more = listening.recv_timeout(deadline.saturating_duration_since(Instant::now())).ok()?;
        known = Ports { http: more.http.or(known.http), inspector: more.inspector.or(known.inspector) };
    }
    Some(known)
}

/// The port in workerd's `{"event":"listen","socket":"http","port":…}` and `{"event":"listen-inspector","port":…}`.
fn listening(line: &str) -> Option<Ports> {
    if !line.starts_with("{\"event\":\"listen") {
        return None;
    }
    let message: serde_json::Value = serde_json::from_str(line).ok()?;
    let port = u16::try_from(message.get("port")?.as_u64()?).ok();
    match message.get("event")?.as_str()? {
        "listen" => Some(Ports { http: port, inspector: None }),
        "listen-inspector" => Some(Ports { http: None, inspector: port }),
        _ => None,
    }
}

/// SIGTERM lets requests finish; a request that hangs would keep workerd for ever, so SIGKILL follows.
fn end(child: &mut Child) -> String {
    let _gone: std::io::Result<std::process::ExitStatus> =
        Command::new("kill").arg("-TERM").arg(child.id().to_string()).stderr(Stdio::null()).status();
    let deadline = Instant::now() + STOP_MAX;
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return status.to_string(),
            Ok(None) if Instant::now() < deadline => std::thread::sleep(Duration::from_millis(5)),
            Ok(None) | Err(_) => break,
        }
    }
    let _gone: std::io::Result<()> = child.kill();
    child.wait().map_or_else(|error| error.to_string(), |status| status.to_string())
}

/// How the Worker starts a line about a call; `npm/kontract/src/server/trace.ts` writes it.
const REQUEST: &str = "kontract-request ";

const START_MAX: Duration = Duration::from_secs(20);
const STOP_MAX: Duration = Duration::from_secs(2);
