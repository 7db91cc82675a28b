//! A copy of an example app, built or served by the real `kontract`.

use serde_json::Value;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use std::sync::mpsc;
use std::time::Duration;

/// A project folder of a test's own, inside the repository so that npm packages resolve.
pub(crate) struct App {
    folder: tempfile::TempDir,
}

impl App {
    /// A copy of `examples/<name>` as git has it: without anything a build or npm made.
    pub(crate) fn copy_of(name: &str) -> Self {
        Self::copied(&repository().join("examples").join(name))
    }

    /// A copy of a folder below `fixtures`.
    pub(crate) fn of_fixture(path: &str) -> Self {
        Self::copied(&repository().join("fixtures").join(path))
    }

    fn copied(from: &Path) -> Self {
        let name = from.file_name().expect("a named folder").to_string_lossy();
        let folder = scratch(&name);
        copy(from, folder.path());
        Self { folder }
    }

    /// The project's folder.
    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Writes a file of the project.
    pub(crate) fn write(&self, path: &str, text: &str) {
        let target = self.path().join(path);
        std::fs::create_dir_all(target.parent().expect("below the project")).expect("create a folder");
        std::fs::write(target, text).expect("write a source file");
    }

    /// Reads a file of the project.
    pub(crate) fn read(&self, path: &str) -> String {
        let path = self.path().join(path);
        std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    /// Copies a folder of the project, generated files included.
    pub(crate) fn copy_folder(&self, from: &str, to: &str) {
        let status = Command::new("cp").arg("-r").args([from, to]).current_dir(self.path()).status();
        assert!(status.expect("run cp").success(), "copy {from}");
    }

    /// Runs `kontract` on the project to its end.
    pub(crate) fn kontract(&self, arguments: &[&str]) -> Output {
        run(self.path(), arguments)
    }

    /// Runs `kontract` on a project in a folder below this one.
    pub(crate) fn kontract_below(&self, folder: &str, arguments: &[&str]) -> Output {
        run(&self.path().join(folder), arguments)
    }

    /// Builds, and fails the test with the compiler's words if that fails.
    pub(crate) fn build(&self) {
        let output = self.kontract(&["build"]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    /// Serves with `kontract dev` on a free port, on the embedded database or on the given one.
    pub(crate) fn serve(&self, database_url: Option<&str>) -> Served {
        match database_url {
            Some(url) => Served::start(self, &["--once", "--database-url", url]),
            None => Served::start(self, &["--once"]),
        }
    }

    /// Serves on the embedded database, with the pages that are there.
    pub(crate) fn serve_as_built(&self) -> Served {
        Served::start(self, &["--once", "--no-frontend"])
    }

    /// Serves as [`serve`](Self::serve) does, for a debugger to attach; with what the server says.
    pub(crate) fn inspect(&self) -> (Served, Log) {
        Served::heard(self, &["--once", "--inspect", "0"])
    }

    /// Serves as [`serve`](Self::serve) does, and watches for changes.
    pub(crate) fn watch(&self) -> Served {
        Served::start(self, &[])
    }
}

/// What a server says on standard error.
pub(crate) struct Log(mpsc::Receiver<String>);

impl Log {
    /// The first line that holds a text; fails the test when none comes in time.
    pub(crate) fn wait_for(&self, text: &str) -> String {
        loop {
            match self.0.recv_timeout(EVENT_MAX) {
                Ok(line) if line.contains(text) => return line,
                Ok(_) => {}
                Err(error) => panic!("no line with `{text}` ({error})"),
            }
        }
    }
}

/// A running `kontract dev`; stopped with SIGTERM when dropped.
pub(crate) struct Served {
    child: Child,
    events: mpsc::Receiver<Value>,
    /// Where the app is.
    pub(crate) url: String,
    /// An administrator's URL of its database.
    pub(crate) database_url: String,
    /// Where a debugger attaches; empty when none may.
    pub(crate) inspector_url: String,
}

impl Served {
    fn start(app: &App, arguments: &[&str]) -> Self {
        Self::ready(dev(app, arguments).spawn().expect("run kontract dev"))
    }

    fn heard(app: &App, arguments: &[&str]) -> (Self, Log) {
        let mut child = dev(app, arguments).stderr(Stdio::piped()).spawn().expect("run kontract dev");
        let stderr = child.stderr.take().expect("piped");
        let (sender, lines) = mpsc::channel();
        std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                eprintln!("{line}");
                // A test that has heard enough listens no more.
                let _ = sender.send(line);
            }
        });
        (Self::ready(child), Log(lines))
    }

    fn ready(mut child: Child) -> Self {
        let events = read_events(child.stdout.take().expect("piped"));
        let (url, database_url, inspector_url) = (String::new(), String::new(), String::new());
        let mut served = Self { child, events, url, database_url, inspector_url };
        let ready = served.wait_for("ready");
        let text = |field: &str| ready[field].as_str().map(str::to_owned);
        served.url = text("url").expect("a URL in the ready event");
        served.database_url = text("databaseUrl").expect("a URL in the ready event");
        served.inspector_url = text("inspectorUrl").unwrap_or_default();
        served
    }

    /// Its process.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// The next event of a name; fails the test when it does not come in time or the process ends before.
    pub(crate) fn wait_for(&mut self, name: &str) -> Value {
        loop {
            match self.events.recv_timeout(EVENT_MAX) {
                Ok(event) if event["event"] == name => return event,
                Ok(_) => {}
                Err(error) => panic!("no `{name}` event ({error}); the words of kontract dev are above"),
            }
        }
    }

    /// Asks it to stop and waits; the exit code and the last event.
    pub(crate) fn stop(mut self) -> (Option<i32>, Value) {
        self.terminate();
        let last = self.events.iter().last().expect("a last event");
        let status = self.child.wait().expect("wait for kontract dev");
        (status.code(), last)
    }

    fn terminate(&self) {
        let status = Command::new("kill").arg(self.child.id().to_string()).status().expect("run kill");
        assert!(status.success(), "kontract dev had already ended");
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            self.terminate();
            self.child.wait().expect("wait for kontract dev");
        }
    }
}

/// `kontract dev` on a free port.
fn dev(app: &App, arguments: &[&str]) -> Command {
    let mut command = kontract();
    command
        .args(["dev", "--json", "--port", "0", "--project"])
        .arg(app.path())
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped());
    command
}

/// Events as they are printed, one JSON value a line; the channel closes with the process.
fn read_events(stdout: ChildStdout) -> mpsc::Receiver<Value> {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            let event = serde_json::from_str(&line).unwrap_or_else(|_| panic!("not a JSON line: {line}"));
            // A test that has seen enough listens no more.
            let _ = sender.send(event);
        }
    });
    receiver
}

/// More than a first start with a download takes on a slow machine.
const EVENT_MAX: Duration = Duration::from_secs(180);

/// The repository's root.
pub(crate) fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The program under test. What it fetches goes where the other tests' does, and is fetched once.
pub(crate) fn kontract() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kontract"));
    command.env("XDG_CACHE_HOME", env!("CARGO_TARGET_TMPDIR"));
    command
}

/// Runs `kontract` on a project to its end.
pub(crate) fn run(project: &Path, arguments: &[&str]) -> Output {
    kontract()
        .args(arguments)
        .args(["--project", &project.display().to_string()])
        .stdin(Stdio::null())
        .output()
        .expect("run kontract")
}

fn scratch(name: &str) -> tempfile::TempDir {
    let parent: PathBuf = repository().join("target/it");
    std::fs::create_dir_all(&parent).expect("create target/it");
    tempfile::Builder::new().prefix(&format!("{name}-")).tempdir_in(parent).expect("create a project folder")
}

fn copy(from: &Path, to: &Path) {
    const MADE: &[&str] = &["node_modules", "dist", ".kontract", ".dev.vars", "docs"];
    for entry in std::fs::read_dir(from).unwrap_or_else(|error| panic!("{}: {error}", from.display())) {
        let entry = entry.expect("read an example's folder");
        let name = entry.file_name();
        if MADE.iter().any(|made| name == *made) {
            continue;
        }
        let target = to.join(&name);
        if entry.path().is_dir() {
            std::fs::create_dir(&target).expect("create a folder");
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).expect("copy a file");
        }
    }
}
