//! The project's secrets: from the environment, otherwise from `.dev.vars`, which is written when it is missing.
//!
//! `.dev.vars` is wrangler's file for development: `NAME=value` lines, never committed.

use super::error::CliError;
use crate::bundle::config::ORIGINS;
use crate::stubgen::PinnedKey;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use kontract_auth::IdentityKey;
use kontract_raystream::StaticKey;
use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::path::Path;

/// The secrets that a build pins the public halves of, and that a Worker needs.
pub(super) struct Secrets {
    key: [u8; 32],
    backup_key: [u8; 32],
    identity_key: [u8; 32],
    /// Pages of other origins that may call, separated by spaces.
    pub(super) origins: Option<String>,
    /// Whether `.dev.vars` was written or completed.
    pub(super) created: bool,
}

impl Secrets {
    /// Takes each secret from the environment or from `.dev.vars`.
    ///
    /// # Errors
    /// As [`load_or_create`](Self::load_or_create), and when one is in neither place.
    pub(super) fn load(project: &Path) -> Result<Self, CliError> {
        let path = project.join(".dev.vars");
        let text = read(&path)?;
        let known = parse_vars(&text);
        let take = |name: &str| match std::env::var(name).ok().as_deref().or(known.get(name).copied()) {
            Some(value) => decode(name, value),
            None => Err(CliError::environment(
                format!("{name} is neither in the environment nor in {}", path.display()),
                "set it to the deployment's secret, or run `kontract dev` once, which makes keys for development",
            )),
        };
        let (key, backup_key, identity_key) = (take(KEY)?, take(BACKUP_KEY)?, take(IDENTITY_KEY)?);
        Ok(Self { key, backup_key, identity_key, origins: origins(&known), created: false })
    }

    /// Takes each secret from the environment or from `.dev.vars`; what is in neither is made and written there.
    ///
    /// # Errors
    /// When a value is not 32 bytes in base64url, or the file cannot be read or written.
    pub(super) fn load_or_create(project: &Path) -> Result<Self, CliError> {
        let path = project.join(".dev.vars");
        let text = read(&path)?;
        let mut made = String::new();
        let known = parse_vars(&text);
        let mut take = |name: &str| -> Result<[u8; 32], CliError> {
            if let Some(value) = std::env::var(name).ok().as_deref().or(known.get(name).copied()) {
                return decode(name, value);
            }
            let fresh = random(&path)?;
            made.push_str(&format!("{name}={}\n", URL_SAFE_NO_PAD.encode(fresh)));
            Ok(fresh)
        };
        let (key, backup_key, identity_key) = (take(KEY)?, take(BACKUP_KEY)?, take(IDENTITY_KEY)?);
        let created = !made.is_empty();
        if created {
            let separator = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
            write_private(&path, &format!("{text}{separator}{made}"))
                .map_err(|error| unusable(&path, &error))?;
        }
        Ok(Self { key, backup_key, identity_key, origins: origins(&known), created })
    }

    /// The two secrets that a rotation changes.
    pub(super) fn rotated_variables(&self) -> [(&'static str, String); 2] {
        let [key, backup, _] = self.variables();
        [key, backup]
    }

    /// The static keys, the current one first.
    pub(super) fn static_keys(&self) -> [StaticKey; 2] {
        [StaticKey::from_seed(self.key), StaticKey::from_seed(self.backup_key)]
    }

    /// What a build pins of the static keys.
    pub(super) fn pinned(&self) -> [PinnedKey; 2] {
        self.static_keys()
            .map(|key| PinnedKey { x25519: *key.public().x25519(), mlkem768: key.public().ml_kem().to_vec() })
    }

    /// The identity key.
    pub(super) fn identity_key(&self) -> IdentityKey {
        IdentityKey::new(self.identity_key)
    }

    /// The Worker's secrets as environment variables.
    pub(super) fn variables(&self) -> [(&'static str, String); 3] {
        [
            (KEY, URL_SAFE_NO_PAD.encode(self.key)),
            (BACKUP_KEY, URL_SAFE_NO_PAD.encode(self.backup_key)),
            (IDENTITY_KEY, URL_SAFE_NO_PAD.encode(self.identity_key)),
        ]
    }
}

/// Secrets after a rotation.
pub(super) struct Rotated {
    /// What they are.
    pub(super) secrets: Secrets,
    /// Whether `.dev.vars` has them; otherwise they come from the environment, where the caller has to put them.
    pub(super) written: bool,
}

/// Makes the backup key the current one, and a new key the backup.
///
/// # Errors
/// When `.dev.vars` cannot be written, or one key is there and the other in the environment.
pub(super) fn rotate(secrets: &Secrets, project: &Path) -> Result<Rotated, CliError> {
    let path = project.join(".dev.vars");
    let rotated = Secrets {
        key: secrets.backup_key,
        backup_key: random(&path)?,
        identity_key: secrets.identity_key,
        origins: secrets.origins.clone(),
        created: false,
    };
    let in_environment = [KEY, BACKUP_KEY].map(|name| std::env::var_os(name).is_some());
    match in_environment {
        [true, true] => Ok(Rotated { secrets: rotated, written: false }),
        [false, false] => {
            let text = replaced(&read(&path)?, &rotated.rotated_variables());
            write_private(&path, &text).map_err(|error| unusable(&path, &error))?;
            Ok(Rotated { secrets: rotated, written: true })
        }
        [true, false] | [false, true] => Err(CliError::environment(
            format!("one of {KEY} and {BACKUP_KEY} is in the environment, the other in {}", path.display()),
            "put both in one place, so that they change together",
        )),
    }
}

/// The text of `.dev.vars` with other values for some names; everything else stays as it is.
fn replaced(text: &str, values: &[(&str, String)]) -> String {
    let line = |line: &str| {
        let name = line.split_once('=').map(|(name, _)| name.trim());
        let value = values.iter().find(|(changed, _)| Some(*changed) == name);
        value.map_or_else(|| line.to_owned(), |(name, value)| format!("{name}={value}"))
    };
    text.lines().map(|text| line(text) + "\n").collect()
}

/// The file's text, empty when there is none.
fn read(path: &Path) -> Result<String, CliError> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(text),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(String::new()),
        Err(error) => Err(unusable(path, &error)),
    }
}

fn parse_vars(text: &str) -> BTreeMap<&str, &str> {
    let pairs = text
        .lines()
        .filter(|line| !line.trim_start().starts_with('#'))
        .filter_map(|line| line.split_once('='));
    pairs.map(|(name, value)| (name.trim(), value.trim().trim_matches('"'))).collect()
}

/// No secret, but it stands where wrangler reads it too.
fn origins(known: &BTreeMap<&str, &str>) -> Option<String> {
    std::env::var(ORIGINS).ok().or_else(|| known.get(ORIGINS).map(|&text| text.to_owned()))
}

fn decode(name: &str, value: &str) -> Result<[u8; 32], CliError> {
    URL_SAFE_NO_PAD.decode(value).ok().and_then(|bytes| bytes.try_into().ok()).ok_or_else(|| {
        CliError::environment(
            format!("{name} is not 32 bytes in base64url"),
            "remove it from .dev.vars and the environment, a new one is made",
        )
    })
}

/// 32 bytes of the operating system's randomness.
fn random(path: &Path) -> Result<[u8; 32], CliError> {
    let mut bytes = [0; 32];
    std::fs::File::open("/dev/urandom")
        .and_then(|mut device| device.read_exact(&mut bytes))
        .map_err(|error| unusable(path, &error))?;
    Ok(bytes)
}

/// Writes a file that only its owner can read.
fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(text.as_bytes())?;
    file.persist(path)?;
    Ok(())
}

fn unusable(path: &Path, error: &std::io::Error) -> CliError {
    CliError::environment(
        format!("the secrets in {} cannot be read or written: {error}", path.display()),
        "check the folder's permissions",
    )
}

const KEY: &str = "KONTRACT_KEY";
const BACKUP_KEY: &str = "KONTRACT_BACKUP_KEY";
const IDENTITY_KEY: &str = "KONTRACT_IDENTITY_KEY";
