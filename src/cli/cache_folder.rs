//! `.kontract/cache`: what one check leaves for the next. It may be removed at any time.
//!
//! A file is written whole under another name and then renamed, so that whoever reads at the same moment sees the old or the
//! new one; of two checks that end together the later one's stays. What a crash leaves behind is found out by its checksum.

use std::fs;
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use super::os_system::OsSystem;
use crate::recheck::Store;

/// The cache of a project.
#[derive(Debug)]
pub struct CacheFolder {
    project: PathBuf,
    folder: PathBuf,
}

impl CacheFolder {
    /// The one of the project that is looked at.
    pub fn of(system: &OsSystem) -> Self {
        let project = system.root().to_owned();
        Self { folder: project.join(".kontract/cache"), project }
    }

    fn replace(&self, bytes: &[u8]) -> io::Result<()> {
        fs::create_dir_all(&self.folder)?;
        if !self.folder.canonicalize()?.starts_with(&self.project) {
            return Err(io::Error::other("a link leads out of the project"));
        }
        let mut file = tempfile::NamedTempFile::new_in(&self.folder)?;
        file.write_all(bytes)?;
        file.persist(self.folder.join(CHECK)).map(drop).map_err(|error| error.error)
    }
}

impl Store for CacheFolder {
    fn read(&self) -> Option<Vec<u8>> {
        fs::read(self.folder.join(CHECK)).ok()
    }

    fn write(&self, bytes: &[u8]) {
        // A read-only checkout is checked all the same, each time from the start.
        let _cold_next_time: io::Result<()> = self.replace(bytes);
    }

    /// The program's own file, because a version can be built more than once.
    fn key(&self) -> String {
        let program = std::env::current_exe().and_then(fs::metadata);
        let made = program.and_then(|meta| Ok((meta.len(), since_1970(meta.modified()?))));
        made.map_or_else(|_| "unknown".to_owned(), |(len, at)| format!("{len} {at}"))
    }

    fn now_ns(&self) -> i64 {
        since_1970(SystemTime::now())
    }
}

fn since_1970(time: SystemTime) -> i64 {
    let nanoseconds = time.duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
    i64::try_from(nanoseconds).unwrap_or(i64::MAX)
}

const CHECK: &str = "check.bin";
