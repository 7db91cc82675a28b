//! Expected outputs as files. `UPDATE_EXPECT=1` rewrites them; a file that nothing expects any more is an error.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// The repository.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Compares a whole folder of `fixtures/` with what was made.
pub(crate) fn check_folder(folder: &str, made: &BTreeMap<String, Vec<u8>>) {
    let folder = root().join("fixtures").join(folder);
    let update = std::env::var_os("UPDATE_EXPECT").is_some();
    let mut known = BTreeMap::new();
    collect(&folder, &folder, &mut known);
    for (name, path) in known.iter().filter(|(name, _)| !made.contains_key(*name)) {
        assert!(update, "{name} in {} is expected by no test", folder.display());
        fs::remove_file(path).expect("the orphan can be removed");
    }
    for (name, bytes) in made {
        let path = folder.join(name);
        let expected = fs::read(&path).unwrap_or_default();
        if expected == *bytes {
            continue;
        }
        if update {
            fs::create_dir_all(path.parent().expect("the folder itself is above"))
                .expect("the folder can be made");
            fs::write(&path, bytes).expect("the fixture can be written");
            continue;
        }
        let (expected, made) = (String::from_utf8_lossy(&expected), String::from_utf8_lossy(bytes));
        let line = expected.lines().zip(made.lines()).take_while(|(a, b)| a == b).count() + 1;
        assert!(expected == made, "{} differs from line {line} on; it should be\n{made}", path.display());
    }
}

fn collect(folder: &Path, base: &Path, known: &mut BTreeMap<String, PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries {
        let path = entry.expect("the folder can be read").path();
        if path.is_dir() {
            collect(&path, base, known);
        } else {
            let name = path.strip_prefix(base).expect("found below it").to_string_lossy().into_owned();
            known.insert(name, path);
        }
    }
}
