//! Python packages of the independent raystream peer in `tests/py`.

use std::fs;

use crate::error::Error;
use crate::process::{self, Program};
use crate::tree::Tree;

/// Installs the pinned packages below `target/python`, unless what is there comes from the same list.
///
/// # Errors
/// When Python or pip is absent, or the index cannot be reached.
pub(crate) fn install(tree: &Tree) -> Result<(), Error> {
    let list = tree.root.join("tests/py/requirements.txt");
    // Beside the target folder's profiles; tests look for it there whatever the target folder is.
    let folder = tree.root.join("target/python");
    let stamp = folder.join(INSTALLED_LIST);
    let wanted =
        fs::read(&list).map_err(|cause| Error::File { action: "read", path: list.clone(), cause })?;
    if fs::read(&stamp).is_ok_and(|bytes| bytes == wanted) {
        return Ok(());
    }
    process::step("pip install", || {
        let (list, folder) = (list.display().to_string(), folder.display().to_string());
        let options =
            ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--upgrade"];
        process::run(
            PYTHON,
            &[&options[..], &["--target", &folder, "--requirement", &list]].concat(),
            &tree.root,
        )
    })?;
    fs::write(&stamp, wanted).map_err(|cause| Error::File { action: "write", path: stamp, cause })
}

const PYTHON: Program =
    Program { name: "python3", fix: "install Python 3.11 or newer with pip, `apt-get install python3-pip`" };
/// A copy of the list, written last, so that an interrupted installation is repeated.
const INSTALLED_LIST: &str = ".kontract-installed.txt";
