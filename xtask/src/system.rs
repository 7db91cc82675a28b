//! System packages that the tests need: PostgreSQL, pgbouncer, Chromium, the FlatBuffers compiler, pip and g++, from Debian or
//! Ubuntu.

use std::path::PathBuf;
use std::process::Command;

use crate::error::Error;
use crate::process::{self, Program};
use crate::tree::Tree;

/// Installs the packages that are absent.
///
/// # Errors
/// When some are absent and there is no apt or no right to use it; the message holds the command to run.
pub(crate) fn install_packages(tree: &Tree) -> Result<(), Error> {
    let absent = absent_packages(&search_path());
    if absent.is_empty() {
        return Ok(());
    }
    let refuse = |cause| Error::Packages {
        packages: absent.join(" "),
        cause,
        fix: format!(
            "sudo apt-get update && sudo apt-get install --no-install-recommends {}",
            absent.join(" ")
        ),
    };
    if !process::succeeds(APT.name, &["--version"]) {
        return Err(refuse("this system has no apt-get: install their equivalents"));
    }
    let prefix =
        privilege().ok_or_else(|| refuse("installing them needs root or sudo without a password"))?;
    process::step(&format!("install {}", absent.join(" ")), || {
        apt(tree, prefix, &["update"])?;
        apt(tree, prefix, &[&["install", "-y", "--no-install-recommends"], absent.as_slice()].concat())
    })
}

/// Packages none of whose programs is in one of the folders.
fn absent_packages(folders: &[PathBuf]) -> Vec<&'static str> {
    let present = |program: &str| folders.iter().any(|folder| folder.join(program).is_file());
    PACKAGES.iter().filter(|(_, program)| !present(program)).map(|(package, _)| *package).collect()
}

fn search_path() -> Vec<PathBuf> {
    std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()).collect()
}

/// The words in front of a command that needs root; `None` when there is no way.
fn privilege() -> Option<&'static [&'static str]> {
    let id = Command::new("id").arg("-u").output().ok()?;
    if id.stdout.trim_ascii() == b"0" {
        Some(&[])
    } else if process::succeeds("sudo", &["-n", "true"]) {
        Some(&["sudo", "-n"])
    } else {
        None
    }
}

fn apt(tree: &Tree, prefix: &[&str], arguments: &[&str]) -> Result<(), Error> {
    // Through `env`, because sudo drops the environment.
    let words = [prefix, &["env", "DEBIAN_FRONTEND=noninteractive", APT.name, "-q"], arguments].concat();
    let mut command = Command::new(words[0]);
    command.args(&words[1..]).current_dir(&tree.root);
    process::finish(APT, command)
}

const APT: Program = Program { name: "apt-get", fix: "install the packages by hand" };
/// Debian package and the program by which it is recognised. The tests want the version of Debian 12, so that a
/// `postgres` of another origin does not count.
const PACKAGES: [(&str, &str); 6] = [
    ("postgresql-15", "/usr/lib/postgresql/15/bin/initdb"),
    ("pgbouncer", "/usr/sbin/pgbouncer"),
    ("chromium", "chromium"),
    ("flatbuffers-compiler", "flatc"),
    ("python3-pip", "pip3"),
    ("g++", "g++"),
];

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::absent_packages;

    /// PostgreSQL and pgbouncer are found without the PATH.
    const PACKAGES_ON_PATH: usize = 4;

    #[test]
    fn without_folders_everything_is_absent() {
        assert!(absent_packages(&[]).len() >= PACKAGES_ON_PATH);
    }

    #[test]
    fn a_folder_without_the_programs_does_not_count() {
        let sources = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/src"));
        assert!(absent_packages(&[sources]).len() >= PACKAGES_ON_PATH);
    }
}
