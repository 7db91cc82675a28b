//! What the dev server waits for: changed files, signals, the end of workerd.

use crate::cli::error::CliError;
use notify::{Event, RecursiveMode, Watcher as _};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, mpsc};
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

/// What changed since somebody asked.
#[derive(Debug, PartialEq, Eq)]
pub enum Changes {
    /// Files, by their paths below the project.
    Of(BTreeSet<String>),
    /// Anything: the operating system could not tell all of it.
    Unknown,
}

impl Default for Changes {
    fn default() -> Self {
        Self::Of(BTreeSet::new())
    }
}

impl Changes {
    /// Adds what changed later.
    pub fn extend(&mut self, later: Self) {
        match (&mut *self, later) {
            (Self::Of(paths), Self::Of(more)) => paths.extend(more),
            (_, Self::Unknown) => *self = Self::Unknown,
            (Self::Unknown, Self::Of(_)) => {}
        }
    }
}

/// Waits for signals and, if asked to, for changes.
pub struct Watch {
    wakes: mpsc::Receiver<Wake>,
    changes: Arc<Mutex<Changes>>,
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
        let changes = Arc::default();
        let watched =
            files.then(|| watch_files(project, outputs, sender, Arc::clone(&changes))).transpose()?;
        Ok(Self { wakes, changes, _watcher: watched })
    }

    /// What changed since this was asked last. Of every change that is in here, [`Wake::Changed`] has come or will come.
    pub fn take(&self) -> Changes {
        std::mem::take(&mut self.changes.lock().unwrap_or_else(PoisonError::into_inner))
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
    changes: Arc<Mutex<Changes>>,
) -> Result<notify::RecommendedWatcher, CliError> {
    let root = project.to_owned();
    let outputs = outputs.map(|folder| project.join(folder));
    let on_event = move |event: notify::Result<Event>| {
        let changed = changes_of(&root, outputs.as_deref(), event);
        if changed != Changes::default() {
            changes.lock().unwrap_or_else(PoisonError::into_inner).extend(changed);
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

/// What of an event counts. After an overflow nobody knows what has changed.
fn changes_of(root: &Path, outputs: Option<&Path>, event: notify::Result<Event>) -> Changes {
    let Ok(event) = event else { return Changes::Unknown };
    if event.need_rescan() {
        return Changes::Unknown;
    }
    if event.kind.is_access() {
        return Changes::default();
    }
    let changed = event.paths.iter().filter(|path| counts(root, outputs, path));
    let changed = changed.map(|path| Some(path.strip_prefix(root).ok()?.to_str()?.to_owned()));
    changed.collect::<Option<BTreeSet<String>>>().map_or(Changes::Unknown, Changes::Of)
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
    use super::{Changes, changes_of, counts};
    use notify::event::{AccessKind, Flag};
    use notify::{Event, EventKind};
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

    #[test]
    fn after_an_overflow_anything_may_have_changed() {
        let root = Path::new("/app");
        let event = |kind| Event::new(kind).add_path(root.join("src/a.ts")).add_path(root.join(".git/b"));
        let of = |event| changes_of(root, None, event);
        let one = Changes::Of(["src/a.ts".to_owned()].into());
        assert_eq!(of(Ok(event(EventKind::Any))), one);
        assert_eq!(of(Ok(event(EventKind::Access(AccessKind::Any)))), Changes::default());
        assert_eq!(of(Ok(Event::new(EventKind::Other).set_flag(Flag::Rescan))), Changes::Unknown);
        assert_eq!(of(Err(notify::Error::generic("the queue is gone"))), Changes::Unknown);
        for mut changes in [Changes::default(), Changes::Unknown] {
            changes.extend(of(Ok(event(EventKind::Any))));
            changes.extend(Changes::Unknown);
            changes.extend(of(Ok(event(EventKind::Any))));
            assert_eq!(changes, Changes::Unknown);
        }
    }
}
