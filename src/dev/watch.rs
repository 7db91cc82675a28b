//! What the dev server waits for: changed files, signals, the end of workerd.

use crate::cli::error::CliError;
use notify::{Event, RecursiveMode, Watcher as _};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use std::path::Path;
use std::sync::mpsc;
use std::time::Duration;

/// Something happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wake {
    /// A source or configuration file changed; further changes of the same moment are folded into it.
    Changed,
    /// Asked to stop.
    Stop,
    /// Nothing happened for a while; a moment to see whether workerd still runs.
    Tick,
}

/// Waits for signals and, if asked to, for changes.
pub struct Watch {
    wakes: mpsc::Receiver<Wake>,
    /// Watching ends when it is dropped.
    _watcher: Option<notify::RecommendedWatcher>,
}

impl Watch {
    /// Starts waiting. `files` says whether changes below `project` count.
    ///
    /// # Errors
    /// When the operating system cannot watch or deliver signals.
    pub fn start(project: &Path, files: bool) -> Result<Self, CliError> {
        let (sender, wakes) = mpsc::channel();
        let mut signals = Signals::new([SIGTERM, SIGINT, SIGHUP])
            .map_err(|error| CliError::environment(format!("signals: {error}"), "run again"))?;
        let on_signal = sender.clone();
        std::thread::spawn(move || {
            for _signal in &mut signals {
                // The receiver is gone when the command is ending anyway.
                let _ = on_signal.send(Wake::Stop);
            }
        });
        let watcher = if files { Some(watch_files(project, sender)?) } else { None };
        Ok(Self { wakes, _watcher: watcher })
    }

    /// The next thing that happens.
    pub fn next(&self) -> Wake {
        match self.wakes.recv_timeout(TICK) {
            Ok(Wake::Changed) => self.settle(),
            Ok(wake) => wake,
            Err(mpsc::RecvTimeoutError::Timeout) => Wake::Tick,
            Err(mpsc::RecvTimeoutError::Disconnected) => Wake::Stop,
        }
    }

    /// Editors write a file in several steps: waits until nothing has changed for [`QUIET`].
    fn settle(&self) -> Wake {
        loop {
            match self.wakes.recv_timeout(QUIET) {
                Ok(Wake::Changed) => {}
                Ok(wake) => return wake,
                Err(_) => return Wake::Changed,
            }
        }
    }
}

fn watch_files(project: &Path, sender: mpsc::Sender<Wake>) -> Result<notify::RecommendedWatcher, CliError> {
    let root = project.to_owned();
    let on_event = move |event: notify::Result<Event>| {
        if event
            .is_ok_and(|event| !event.kind.is_access() && event.paths.iter().any(|path| counts(&root, path)))
        {
            let _ = sender.send(Wake::Changed);
        }
    };
    let unwatchable = |error: notify::Error| {
        CliError::environment(
            format!("{} cannot be watched: {error}", project.display()),
            "raise fs.inotify.max_user_watches, or use --once",
        )
    };
    let mut watcher = notify::recommended_watcher(on_event).map_err(unwatchable)?;
    // Folders are watched one by one: node_modules and what a build writes would cost a watch for each folder.
    watcher.watch(project, RecursiveMode::NonRecursive).map_err(unwatchable)?;
    for entry in std::fs::read_dir(project).into_iter().flatten().flatten() {
        let ours = entry.file_name().to_str().is_some_and(|name| !IGNORED.contains(&name));
        if ours && entry.path().is_dir() {
            watcher.watch(&entry.path(), RecursiveMode::Recursive).map_err(unwatchable)?;
        }
    }
    Ok(watcher)
}

/// Whether a change of `path` can change the build: not for what the build writes.
fn counts(root: &Path, path: &Path) -> bool {
    let Ok(relative) = path.strip_prefix(root) else { return false };
    let mut parts = relative.components();
    let Some(first) = parts.next().and_then(|part| part.as_os_str().to_str()) else { return false };
    match first {
        "src" | "public" | "index.html" | "kontract.json" | "package.json" => true,
        _ => parts.next().is_some() && !IGNORED.contains(&first) && first != "docs" && first != "migrations",
    }
}

const IGNORED: &[&str] = &["node_modules", ".kontract", "dist", ".git"];
const TICK: Duration = Duration::from_millis(500);
const QUIET: Duration = Duration::from_millis(40);

#[cfg(test)]
mod tests {
    use super::counts;
    use std::path::Path;

    #[test]
    fn sources_count_and_outputs_do_not() {
        let root = Path::new("/app");
        for path in ["/app/src/api/a.ts", "/app/kontract.json", "/app/index.html", "/app/lib/b.ts"] {
            assert!(counts(root, Path::new(path)), "{path}");
        }
        for path in [
            "/app/dist/client/index.js",
            "/app/.kontract/types.d.ts",
            "/app/docs/api/a.md",
            "/app",
            "/b/src/c.ts",
        ] {
            assert!(!counts(root, Path::new(path)), "{path}");
        }
    }
}
