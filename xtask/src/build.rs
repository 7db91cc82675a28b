//! Builds everything that `kontract` consists of, in the order in which one part contains the other.
//!
//! ```text
//! npm/kontract/dist      what generated code imports
//! target/gateway         the server runtime
//! <target>/debug/kontract   the program, with the gateway in it
//! ```

use std::path::PathBuf;

use crate::error::Error;
use crate::process::{self, CARGO};
use crate::tree::Tree;
use crate::{gateway, npm};

/// How the `kontract` program is compiled. The gateway has a profile of its own.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Profile {
    /// Quick to build.
    Dev,
    /// For a release.
    Release,
}

impl Profile {
    /// Its name for `cargo build --profile`.
    const fn name(self) -> &'static str {
        match self {
            Self::Dev => "dev",
            Self::Release => "release",
        }
    }

    /// Its folder below the target folder.
    const fn folder(self) -> &'static str {
        match self {
            Self::Dev => "debug",
            Self::Release => "release",
        }
    }
}

/// Builds everything and returns the path of the program.
///
/// # Errors
/// When a part does not build.
pub(crate) fn build(tree: &Tree, profile: Profile) -> Result<PathBuf, Error> {
    prepare(tree)?;
    process::step("build kontract", || {
        process::run(CARGO, &["build", "--profile", profile.name(), "-p", "kontract"], &tree.root)
    })?;
    Ok(tree.target.join(profile.folder()).join(format!("kontract{}", std::env::consts::EXE_SUFFIX)))
}

/// Builds what has to be there before package kontract is compiled.
///
/// # Errors
/// When a part does not build.
pub(crate) fn prepare(tree: &Tree) -> Result<(), Error> {
    npm::install(tree)?;
    process::step("build npm/kontract", || npm::build(tree))?;
    process::step("build the gateway", || gateway::build(tree))
}
