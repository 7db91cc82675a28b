//! A running workerd.

use crate::bundle::config::{ASSETS_DISK, OBJECTS_DISK};
use crate::bundle::tools;
use crate::cli::error::CliError;
use crate::dev::database::bound_to_parent;
use crate::dev::modules::{ModuleServer, Modules};
use crate::dev::trace::Traces;
use rustix::process::{Pid, Signal, kill_process};
use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::sync::{Arc, mpsc};
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
    /// Where it answers. The next one can listen there too while this one ends, so that no caller is refused.
    pub listener: &'a TcpListener,
    /// The modules that it asks for, if it does; it runs none before [`Workerd::serve`].
    pub modules: Option<ModuleServer>,
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
    listening: mpsc::Receiver<Ports>,
    modules: Option<ModuleServer>,
    inspected: bool,
    ports: Ports,
    is_serving: bool,
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
    /// Those of [`Self::launch`] and [`Self::serve`].
    pub fn start(options: WorkerdOptions<'_>) -> Result<Self, CliError> {
        let mut workerd = Self::launch(options)?;
        workerd.serve()?;
        Ok(workerd)
    }

    /// Starts the process. One that asks for its modules runs nothing of them, nor does it answer anybody, before [`Self::serve`].
    ///
    /// # Errors
    /// When workerd is missing.
    pub fn launch(options: WorkerdOptions<'_>) -> Result<Self, CliError> {
        let binary = tools::workerd(options.project)?;
        let cannot = |error: std::io::Error| {
            CliError::environment(format!("workerd: {error}"), "run `npm install` in the project")
        };
        let listener = OwnedFd::from(options.listener.try_clone().map_err(cannot)?);
        let mut child = bound_to_parent(&binary)
            .current_dir(&options.server)
            .arg("serve")
            // Modules that workerd asks for are an experimental feature, with which it changes nothing else.
            .arg("--experimental")
            .arg("workerd.capnp")
            .arg("--control-fd=1")
            .arg("--socket-fd=http=0")
            .args(options.inspect.map(|port| format!("--inspector-addr=127.0.0.1:{port}")))
            .arg(format!("--directory-path={OBJECTS_DISK}={}", options.objects.display()))
            .arg(format!("--directory-path={ASSETS_DISK}={}", options.assets.display()))
            .env_clear()
            .envs(options.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::from(listener))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(cannot)?;
        let listening = forward(child.stdout.take(), (options.traces)(), options.on_request);
        retell(child.stderr.take(), (options.traces)());
        let (modules, inspected) = (options.modules, options.inspect.is_some());
        Ok(Self { child, listening, modules, inspected, ports: Ports::default(), is_serving: false })
    }

    /// Lets it run its modules, and waits until it answers. Nobody else may do so by then: objects have one owner.
    ///
    /// # Errors
    /// When it ends, or does not listen in time.
    pub fn serve(&mut self) -> Result<(), CliError> {
        self.modules.iter().for_each(ModuleServer::open);
        self.is_serving = true;
        match ports(&self.listening, self.inspected) {
            Some(ports) => {
                self.ports = ports;
                Ok(())
            }
            None => {
                let status = end(&mut self.child);
                Err(CliError::environment(
                    format!("workerd did not start listening ({status})"),
                    "its own words are above; if the port for debuggers is taken, choose another one with --inspect",
                ))
            }
        }
    }

    /// The modules that it asks for.
    pub fn modules(&self) -> Option<&Arc<Modules>> {
        self.modules.as_ref().map(ModuleServer::modules)
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
        // One that waits for its modules has nothing to finish, and hears no SIGTERM.
        if !self.is_serving {
            let _gone: std::io::Result<()> = self.child.kill();
        }
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
    if !matches!(child.try_wait(), Ok(Some(_))) {
        let _gone: rustix::io::Result<()> = kill_process(Pid::from_child(child), Signal::TERM);
    }
    let deadline = Instant::now() + STOP_MAX;
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return status.to_string(),
            Ok(None) if Instant::now() < deadline => std::thread::sleep(Duration::from_millis(1)),
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
