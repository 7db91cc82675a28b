//! How large a client is, as a browser downloads it: every endpoint, bundled and minified as a page's bundler does it, then
//! thrown away. What a page makes of it besides is its bundler's business.
//!
//! ```text
//! dist/client/index.js  →  bytes before the first call; bytes that a browser loads for an algorithm that it lacks
//! ```

use super::metafile::Metafile;
use super::size::gzip_len;
use super::tools;
use crate::artifact::Artifacts;
use crate::cli::error::CliError;
use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

/// A client's files after gzip, in bytes, each compressed by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientSize {
    /// What a page loads before its first call: runtime, encryption, codecs and stubs, without the pinned keys.
    pub gzip: u64,
    /// The pinned keys, which are random bytes.
    pub keys: u64,
    /// Parts of the runtime that are loaded on demand.
    pub later: Vec<Part>,
}

/// A part of the runtime that lies in a file of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// What it is for.
    pub name: &'static str,
    /// With all that it needs and the page has not loaded.
    pub gzip: u64,
}

impl ClientSize {
    /// Measures the client among a project's files; `keys` are the texts of what it pins. In esbuild's words why it
    /// cannot, when its own options do not fit the project: its bundler may have others.
    ///
    /// # Errors
    /// When esbuild is missing, or the file system refuses.
    pub fn of(project: &Path, files: &Artifacts, keys: &[String]) -> Result<Result<Self, String>, CliError> {
        let refused =
            |error: std::io::Error| CliError::environment(error, "check the permissions of .kontract");
        // As deep below the project as the client is, whose imports may lead to files of the project.
        let folder = tempfile::tempdir_in(project.join(".kontract")).map_err(refused)?;
        stage(files, folder.path()).map_err(refused)?;
        let entry = format!(".kontract/{}/{ENTRY}", folder.path().file_name().unwrap_or_default().display());
        let out = folder.path().join(".out");
        let meta = out.join(METAFILE);
        let output = Command::new(tools::esbuild(project)?)
            .current_dir(project)
            .arg(&entry)
            .arg(format!("--outdir={}", out.display()))
            .arg(format!("--metafile={}", meta.display()))
            .args(OPTIONS)
            .output()
            .map_err(|error| {
                CliError::environment(format!("esbuild: {error}"), "run `npm install` in the project")
            })?;
        if !output.status.success() {
            return Ok(Err(String::from_utf8_lossy(&output.stderr).trim_end().to_owned()));
        }
        let meta = Metafile::parse(&std::fs::read(meta).map_err(refused)?).map_err(|error| {
            CliError::environment(
                format!("esbuild's metafile: {error}"),
                "install the esbuild that kontract asks for",
            )
        })?;
        let read = |path: &str| std::fs::read(project.join(path));
        measured(&meta, &entry, read, keys).map(Ok).map_err(refused)
    }
}

/// Writes the client's modules into a folder.
fn stage(files: &Artifacts, folder: &Path) -> std::io::Result<()> {
    for (path, bytes) in files {
        let Some(name) = path.strip_prefix(CLIENT).filter(|name| name.ends_with(".js")) else { continue };
        let target = folder.join(name);
        target.parent().map_or(Ok(()), std::fs::create_dir_all)?;
        std::fs::write(target, bytes)?;
    }
    Ok(())
}

fn measured(
    meta: &Metafile,
    entry: &str,
    read: impl Fn(&str) -> std::io::Result<Vec<u8>>,
    keys: &[String],
) -> std::io::Result<ClientSize> {
    let page = meta.output_of(|input| input == entry).map(|output| meta.at_once(output)).unwrap_or_default();
    let (mut whole, mut gzip) = (0, 0);
    for path in &page {
        let bytes = read(path)?;
        whole += gzip_len(&bytes);
        gzip += gzip_len(&without(bytes, keys));
    }
    let mut later = Vec::new();
    for (prefix, name) in PARTS {
        let of_part = |input: &str| input.rsplit('/').next().is_some_and(|file| file.starts_with(prefix));
        let Some(output) = meta.output_of(of_part) else { continue };
        let files: BTreeSet<&str> = meta.at_once(output).difference(&page).copied().collect();
        let mut part = Part { name, gzip: 0 };
        for path in files {
            part.gzip += gzip_len(&read(path)?);
        }
        later.push(part);
    }
    Ok(ClientSize { gzip, keys: whole.saturating_sub(gzip), later })
}

fn without(mut bytes: Vec<u8>, texts: &[String]) -> Vec<u8> {
    for text in texts.iter().filter(|text| !text.is_empty()) {
        while let Some(at) = memchr::memmem::find(&bytes, text.as_bytes()) {
            bytes.drain(at..at + text.len());
        }
    }
    bytes
}

impl std::fmt::Display for ClientSize {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{} gzip before the first call, and {} of pinned keys",
            tenths(self.gzip),
            tenths(self.keys)
        )?;
        for (place, Part { name, gzip }) in self.later.iter().enumerate() {
            write!(f, "{} {} for {name}", if place == 0 { "; when needed" } else { "," }, tenths(*gzip))?;
        }
        Ok(())
    }
}

fn tenths(bytes: u64) -> String {
    let hundreds = bytes.div_ceil(100);
    format!("{}.{} kB", hundreds / 10, hundreds % 10)
}

const CLIENT: &str = "dist/client/";
const ENTRY: &str = "index.js";
const METAFILE: &str = "metafile";
/// The beginnings of the names of files of `kontract/client`, and what a browser loads them for.
const PARTS: [(&str, &str); 5] = [
    ("socket-", "a WebSocket"),
    ("chacha-", "ChaCha20-Poly1305 where the browser lacks it"),
    ("ml-kem-", "ML-KEM-768 where it lacks it"),
    ("x25519-", "X25519 where it lacks it"),
    ("hash-", "SHA-256 where the page came without TLS"),
];
const OPTIONS: &[&str] = &[
    "--bundle",
    "--splitting",
    "--minify",
    "--format=esm",
    "--target=es2022",
    "--legal-comments=none",
    "--log-level=warning",
];

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "dist/client/index.js";
    /// A page's file that shares one with what is loaded later.
    const META: &str = r#"{ "inputs": {}, "outputs": {
        "o/index.js": { "entryPoint": "dist/client/index.js", "imports": [
            { "path": "o/shared.js", "kind": "import-statement" }, { "path": "o/ml-kem-A.js", "kind": "dynamic-import" }] },
        "o/shared.js": { "imports": [] }, "o/sponge.js": { "imports": [] },
        "o/ml-kem-A.js": { "entryPoint": "node_modules/kontract/dist/chunks/ml-kem-B.js", "imports": [
            { "path": "o/shared.js", "kind": "import-statement" }, { "path": "o/sponge.js", "kind": "import-statement" }] } } }"#;

    #[test]
    fn what_comes_at_once_and_what_comes_later_are_counted_apart() {
        let meta = Metafile::parse(META.as_bytes()).expect("a metafile");
        let read = |path: &str| Ok(path.as_bytes().to_vec());
        let length = |path: &str| gzip_len(path.as_bytes());
        let size = measured(&meta, PAGE, read, &[]).expect("all files can be read");
        let later = Part { name: PARTS[2].1, gzip: length("o/ml-kem-A.js") + length("o/sponge.js") };
        let expected =
            ClientSize { gzip: length("o/index.js") + length("o/shared.js"), keys: 0, later: vec![later] };
        assert_eq!(size, expected);
    }

    #[test]
    fn keys_are_counted_apart() {
        let meta = Metafile::parse(META.as_bytes()).expect("a metafile");
        let key = "k8Zq1xW0vU7tYbN3mC5j".to_owned();
        let bytes = format!("a=\"{key}\"").into_bytes();
        let size = measured(&meta, PAGE, |_| Ok(bytes.clone()), std::slice::from_ref(&key)).expect("read");
        assert_eq!(size.gzip, 2 * gzip_len(b"a=\"\""));
        assert_eq!(size.gzip + size.keys, 2 * gzip_len(&bytes));
        assert_eq!(
            ClientSize { gzip: 11_940, keys: 2_301, later: vec![] }.to_string(),
            "12.0 kB gzip before the first call, and 2.4 kB of pinned keys"
        );
    }
}
