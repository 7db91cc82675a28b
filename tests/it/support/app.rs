//! A copy of an example app, built or served by the real `kontract`.

use serde_json::Value;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

/// A project folder of a test's own, inside the repository so that npm packages resolve.
pub(crate) struct App {
    folder: tempfile::TempDir,
}

impl App {
    /// A copy of `examples/<name>` as git has it: without anything a build or npm made.
    pub(crate) fn copy_of(name: &str) -> Self {
        let folder = scratch(name);
        copy(&repository().join("examples").join(name), folder.path());
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

    /// Runs `kontract` on the project to its end.
    pub(crate) fn kontract(&self, arguments: &[&str]) -> Output {
        kontract()
            .args(arguments)
            .args(["--project", &self.path().display().to_string()])
            .stdin(Stdio::null())
            .output()
            .expect("run kontract")
    }

    /// Builds, and fails the test with the compiler's words if that fails.
    pub(crate) fn build(&self) {
        let output = self.kontract(&["build"]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    /// Serves with `kontract dev` on a free port, on the embedded database or on the given one.
    pub(crate) fn serve(&self, database_url: Option<&str>) -> Served {
        let mut command = kontract();
        command.args(["dev", "--once", "--json", "--port", "0", "--project"]).arg(self.path());
        if let Some(url) = database_url {
            command.args(["--database-url", url]);
        }
        Served::start(command)
    }
}

/// A running `kontract dev`; stopped with SIGTERM when dropped.
pub(crate) struct Served {
    child: Child,
    events: std::io::Lines<BufReader<std::process::ChildStdout>>,
    /// Where the app is.
    pub(crate) url: String,
    /// An administrator's URL of its database.
    pub(crate) database_url: String,
}

impl Served {
    fn start(mut command: Command) -> Self {
        let mut child =
            command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().expect("run kontract dev");
        let mut events = BufReader::new(child.stdout.take().expect("piped")).lines();
        let ready = loop {
            let line = events.next().unwrap_or_else(|| {
                panic!("kontract dev ended before it was ready ({:?}); its words are above", child.wait())
            });
            let event: Value = serde_json::from_str(&line.expect("UTF-8")).expect("a JSON line");
            if event["event"] == "ready" {
                break event;
            }
        };
        let text = |field: &str| ready[field].as_str().expect("a URL in the ready event").to_owned();
        Self { url: text("url"), database_url: text("databaseUrl"), child, events }
    }

    /// Asks it to stop and waits; the exit code and the last event.
    pub(crate) fn stop(mut self) -> (Option<i32>, Value) {
        self.terminate();
        let last = self.events.by_ref().map_while(Result::ok).last().expect("a last event");
        let status = self.child.wait().expect("wait for kontract dev");
        (status.code(), serde_json::from_str(&last).expect("a JSON line"))
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

/// The repository's root.
pub(crate) fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The program under test. What it fetches goes where the other tests' does, and is fetched once.
fn kontract() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kontract"));
    command.env("XDG_CACHE_HOME", env!("CARGO_TARGET_TMPDIR"));
    command
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
