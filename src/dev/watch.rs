//! What the dev server waits for: changed files, signals, the end of workerd.

use crate::cli::error::CliError;
use notify::{Event, RecursiveMode, Watcher as _};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use std::path::Path;
use std::sync::mpsc;
use std::time::{Duration, Instant};

/// Something happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wake {
    /// A source or configuration file changed.
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
    /// Starts waiting. `files` says whether changes below `project` count; `outputs` is the folder that the frontend's
    /// build writes, relative to the project.
    ///
    /// # Errors
    /// When the operating system cannot watch or deliver signals.
    pub fn start(project: &Path, files: bool, outputs: Option<&str>) -> Result<Self, CliError> {
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
        let watcher = if files { Some(watch_files(project, outputs, sender)?) } else { None };
        Ok(Self { wakes, _watcher: watcher })
    }

    /// The next thing that happens.
    pub fn next(&self) -> Wake {
        match self.wakes.recv_timeout(TICK) {
            // One change is told in several events.
            Ok(Wake::Changed) => loop {
                match self.wakes.recv_timeout(BURST) {
                    Ok(Wake::Changed) => {}
                    Ok(wake) => return wake,
                    Err(_) => return Wake::Changed,
                }
            },
            Ok(wake) => wake,
            Err(mpsc::RecvTimeoutError::Timeout) => Wake::Tick,
            Err(mpsc::RecvTimeoutError::Disconnected) => Wake::Stop,
        }
    }

    /// Editors write a file in several steps: waits until [`QUIET`] after a change that came at `since`. [`Wake::Changed`] when
    /// there was another one, [`Wake::Tick`] when there was none.
    pub fn settle(&self, since: Instant) -> Wake {
        let rest = QUIET.saturating_sub(since.elapsed());
        let Ok(wake) = self.wakes.recv_timeout(rest) else { return Wake::Tick };
        let others = std::iter::from_fn(|| self.wakes.try_recv().ok());
        others.fold(wake, |wake, other| if other == Wake::Stop { other } else { wake })
    }
}

fn watch_files(
    project: &Path,
    outputs: Option<&str>,
    sender: mpsc::Sender<Wake>,
) -> Result<notify::RecommendedWatcher, CliError> {
    let root = project.to_owned();
    let outputs = outputs.map(|folder| project.join(folder));
    let on_event = move |event: notify::Result<Event>| {
        if event.is_ok_and(|event| {
            !event.kind.is_access() && event.paths.iter().any(|path| counts(&root, outputs.as_deref(), path))
        }) {
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
fn counts(root: &Path, outputs: Option<&Path>, path: &Path) -> bool {
    let Ok(relative) = path.strip_prefix(root) else { return false };
    let mut parts = relative.components();
    let Some(first) = parts.next().and_then(|part| part.as_os_str().to_str()) else { return false };
    if outputs.is_some_and(|outputs| path.starts_with(outputs)) || IGNORED.contains(&first) {
        return false;
    }
    match (first, parts.next()) {
        ("kontract.lock.json" | "docs" | "migrations", _) => false,
        // Folders report the changes inside of them once more; the atomic writer leaves temporary files.
        (name, None) => !name.starts_with(".tmp") && name.contains('.'),
        (_, Some(_)) => true,
    }
}

const IGNORED: &[&str] = &["node_modules", ".kontract", "dist", ".git"];
const TICK: Duration = Duration::from_millis(500);
const BURST: Duration = Duration::from_millis(3);
const QUIET: Duration = Duration::from_millis(20);

#[cfg(test)]
mod tests {
    use super::counts;
    use std::path::Path;

    #[test]
    fn sources_count_and_outputs_do_not() {
        let root = Path::new("/app");
        let outputs = Some(Path::new("/app/build"));
        let changed = |path: &str| counts(root, outputs, Path::new(path));
        for path in ["src/api/a.ts", "kontract.json", "index.html", "lib/b.ts", ".dev.vars", "tsconfig.json"]
        {
            assert!(changed(&format!("/app/{path}")), "{path}");
        }
        for path in
            ["dist/a.js", ".kontract/types.d.ts", "docs/a.md", "build/a.html", "kontract.lock.json", ".tmpA"]
        {
            assert!(!changed(&format!("/app/{path}")), "{path}");
        }
        assert!(!changed("/app") && !changed("/b/src/c.ts"));
    }
}
