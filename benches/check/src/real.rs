//! A project of sources that people wrote: those of the npm packages that the corpus tests fetch, laid out as one project
//! beside generated endpoints, because packages have none.

use std::io::{Error, Result};
use std::path::{Path, PathBuf};

use crate::{generate, peers};

/// Writes a project of that many source files out of the packages below `corpus`, in the order of their names, leaving out
/// files that would bring the average above [`BYTES_PER_FILE`].
pub fn project(folder: &Path, corpus: &Path, files: usize) -> Result<()> {
    let features = files / FILES_PER_FEATURE;
    generate::server(folder, features)?;
    let mut missing = files - features * generate::SERVER_FILES;
    let mut spare: u64 = 0;
    let mut packages: Vec<PathBuf> =
        std::fs::read_dir(corpus)?.map(|entry| Ok(entry?.path())).collect::<Result<_>>()?;
    packages.sort();
    for package in packages {
        for path in peers::sources(&package)? {
            if missing == 0 {
                return Ok(());
            }
            let inside = path.strip_prefix(corpus).map_err(Error::other)?;
            let len = path.metadata()?.len();
            if len <= spare + BYTES_PER_FILE && counts(&path)? {
                spare = spare + BYTES_PER_FILE - len;
                generate::copy(&path, &folder.join("src/packages").join(inside))?;
                missing -= 1;
            }
        }
    }
    Err(Error::other(format!("{missing} files are missing: {} has too few", corpus.display())))
}

/// Whether both read a file, and without an error: a check would end at the first.
fn counts(path: &Path) -> Result<bool> {
    let name = path.to_string_lossy();
    let skipped = [".d.ts", ".d.mts", ".test.ts", ".test.tsx", ".spec.ts", ".spec.tsx"];
    if skipped.iter().any(|ending| name.ends_with(ending)) {
        return Ok(false);
    }
    let bytes = std::fs::read(path)?;
    Ok(String::from_utf8(bytes).is_ok_and(|text| peers::is_parsed_by_swc(path, &text)))
}

/// 30 MB in 5,000 files.
const BYTES_PER_FILE: u64 = 6_000;
/// One feature with endpoints for this many files.
const FILES_PER_FEATURE: usize = 25;
