//! Where things are in this repository.

use std::path::{Path, PathBuf};

use crate::error::Error;
use crate::process::{self, CARGO};

/// The folders that commands work with, all absolute.
#[derive(Debug)]
pub(crate) struct Tree {
    /// The repository.
    pub(crate) root: PathBuf,
    /// Cargo's target folder, wherever it is configured to be.
    pub(crate) target: PathBuf,
}

impl Tree {
    /// Asks Cargo.
    ///
    /// # Errors
    /// When Cargo cannot read the workspace.
    pub(crate) fn find() -> Result<Self, Error> {
        let xtask = Path::new(env!("CARGO_MANIFEST_DIR"));
        let root = xtask.parent().unwrap_or(xtask).to_owned();
        let text = process::output(CARGO, &["metadata", "--format-version", "1", "--no-deps"], &root)?;
        let target = target_directory(&text)
            .map_err(|cause| Error::Answer { command: "cargo metadata", cause: cause.to_string() })?;
        Ok(Self { root, target })
    }

    /// Where `build.rs` of package kontract looks for the gateway; not below [`Self::target`], so that it holds for
    /// every target folder.
    pub(crate) fn gateway(&self) -> PathBuf {
        self.root.join("target").join("gateway")
    }
}

fn target_directory(metadata: &str) -> Result<PathBuf, serde_json::Error> {
    let metadata: serde_json::Value = serde_json::from_str(metadata)?;
    serde_json::from_value(metadata["target_directory"].clone())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::target_directory;

    #[test]
    fn the_target_folder_is_read_from_the_metadata() {
        let found =
            target_directory(r#"{"version":1,"target_directory":"/t/elsewhere"}"#).expect("it is there");
        assert_eq!(found, Path::new("/t/elsewhere"));
    }

    #[test]
    fn metadata_without_it_is_refused() {
        assert!(target_directory(r#"{"version":1}"#).is_err());
        assert!(target_directory("error").is_err());
    }
}
