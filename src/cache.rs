//! What a check leaves for the next one: the summary of every file, and what the whole check said.
//!
//! ```text
//! header: format, key of the compiler, checksum      body: Kept { files, outcome }
//! ```
//!
//! Nothing in here is believed without being compared: a file's summary holds for its content alone, and the outcome for
//! every input that it was made from, which [`Trace`] lists. A text that is not exactly what was written, by this very
//! compiler, is no cache.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize, Serializer};
use xxhash_rust::xxh3::{xxh3_64, xxh3_128};

use crate::artifact::Artifacts;
use crate::diag::Diagnostic;
use crate::source::{FileId, Reader};
use crate::system::{Stamp, System, SystemError};

/// A hash of content.
pub(crate) type Hash = u128;

/// The hash of some bytes.
pub(crate) fn hash(bytes: &[u8]) -> Hash {
    xxh3_128(bytes)
}

/// What is kept.
#[derive(Debug, Deserialize)]
pub(crate) struct Kept<'b> {
    /// When the check began, in nanoseconds since 1970.
    pub(crate) began_ns: i64,
    #[serde(borrow)]
    pub(crate) files: Vec<KeptFile<'b>>,
    pub(crate) outcome: Option<KeptOutcome>,
    /// What the contract of the outcome is made of, in the form of [`recheck`](crate::recheck); nothing where that is not kept.
    pub(crate) promises: &'b [u8],
}

/// A module.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct KeptFile<'b> {
    pub(crate) path: &'b str,
    /// Before its content was read.
    pub(crate) stamp: Option<Stamp>,
    pub(crate) content: Hash,
    /// A summary: what other files see, and where it is written.
    #[serde(serialize_with = "at_once")]
    pub(crate) links: &'b [u8],
    #[serde(serialize_with = "at_once")]
    pub(crate) places: &'b [u8],
}

#[derive(Serialize)]
struct Bytes<'b>(#[serde(serialize_with = "at_once")] &'b [u8]);

/// Writes bytes as one piece, and not each by itself; in the cache they look the same.
fn at_once<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_bytes(bytes)
}

/// What a check said, and everything it was made from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct KeptOutcome {
    /// Of the configuration, and of the path and summary of every file, without places.
    pub(crate) digest: Hash,
    /// The modules that diagnostics point into.
    pub(crate) pointed: Vec<(FileId, Hash)>,
    /// The modules whose texts were looked at.
    pub(crate) texts: Vec<KeptText>,
    /// Whether the client's half was searched for words of the server's.
    pub(crate) searched: bool,
    /// The modules that it does not depend on, in the parser's form.
    pub(crate) apart: Vec<u8>,
    pub(crate) trace: Trace,
    /// The files of packages in the order of their ids.
    pub(crate) packages: Vec<String>,
    pub(crate) diagnostics: Vec<Diagnostic>,
    /// What TypeScript knows of the generated code, where somebody asked for it and there are no errors.
    pub(crate) declarations: Option<Artifacts>,
}

/// A module whose text was looked at beyond its summary.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct KeptText {
    pub(crate) file: FileId,
    pub(crate) path: String,
    pub(crate) content: Hash,
    /// What of it counts; `None` where all of it does.
    pub(crate) gist: Option<Gist>,
    /// What its imported names mean of the package `kontract`, in the parser's form.
    pub(crate) own: Vec<u8>,
}

/// What of a module can matter to an answer, but for places.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Gist {
    /// Of the text outside of bodies, and of what bodies mention.
    pub(crate) shape: Hash,
    /// Of all words in bodies, which only the search for words of the server's looks at.
    pub(crate) words: Hash,
    /// Of the constants that it changes.
    pub(crate) changed: Hash,
}

impl<'b> Kept<'b> {
    /// `None` for anything but what [`Self::encode`] makes with the same key.
    pub(crate) fn decode(bytes: &'b [u8], key: &str) -> Option<Self> {
        let (checksum, body) = bytes.strip_prefix(head(key).as_slice())?.split_first_chunk::<8>()?;
        if u64::from_le_bytes(*checksum) != xxh3_64(body) {
            return None;
        }
        postcard::from_bytes(body).ok()
    }

    /// The bytes to keep: began, files as [`Self::encode_files`] made them, outcome with its promises.
    pub(crate) fn encode(
        key: &str,
        began_ns: i64,
        files: &[u8],
        outcome: Option<(&KeptOutcome, &[u8])>,
    ) -> Option<Vec<u8>> {
        let mut bytes = head(key);
        let checksum = bytes.len();
        let body = checksum + size_of::<u64>();
        let (outcome, promises) = outcome.unzip();
        let (outcome, promises) =
            (postcard::to_allocvec(&outcome).ok()?, Bytes(promises.unwrap_or_default()));
        bytes.reserve_exact(body + files.len() + outcome.len() + promises.0.len() + NUMBERS_BYTES);
        bytes.resize(body, 0);
        let mut bytes = postcard::to_extend(&began_ns, bytes).ok()?;
        bytes.extend_from_slice(files);
        bytes.extend_from_slice(&outcome);
        let mut bytes = postcard::to_extend(&promises, bytes).ok()?;
        let sum = xxh3_64(&bytes[body..]);
        bytes[checksum..body].copy_from_slice(&sum.to_le_bytes());
        Some(bytes)
    }

    /// All modules, as they lie in what is kept.
    pub(crate) fn encode_files(files: &[KeptFile<'_>]) -> Option<Vec<u8>> {
        let summaries = files.iter().map(|file| file.path.len() + file.links.len() + file.places.len());
        let room = summaries.sum::<usize>() + files.len() * FILE_BYTES;
        postcard::to_extend(files, Vec::with_capacity(room)).ok()
    }
}

fn head(key: &str) -> Vec<u8> {
    [FORMAT, env!("CARGO_PKG_VERSION"), "\n", key, "\n"].concat().into_bytes()
}

/// Answers of the file system, other than the texts of modules, each with a hash.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Trace(BTreeMap<Question, Hash>);

/// What was asked.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
enum Question {
    Read(String),
    List(String, Vec<String>),
    PackageText(String),
    PackagePath(String),
    PackageFolders(String),
}

impl Trace {
    /// Adds the answers of another one, which hold as well.
    pub(crate) fn extend(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// The files of which something was asked, absent ones included.
    pub(crate) fn files(&self) -> impl Iterator<Item = &str> {
        self.0.keys().filter_map(|question| match question {
            Question::Read(path) | Question::PackageText(path) | Question::PackagePath(path) => Some(&**path),
            Question::List(..) | Question::PackageFolders(_) => None,
        })
    }

    /// Whether the file system still answers the same.
    pub(crate) fn holds(&self, system: &dyn System) -> bool {
        let packages = system.packages();
        self.0.iter().all(|(question, answer)| {
            let now = match question {
                Question::Read(path) => of_read(&system.read(path)),
                Question::List(folder, skip) => {
                    let skip: Vec<&str> = skip.iter().map(String::as_str).collect();
                    of_list(&system.list(folder, &skip))
                }
                Question::PackageText(path) => of_text(packages.read(path).as_deref()),
                Question::PackagePath(path) => of_text(packages.real(path).as_deref()),
                Question::PackageFolders(path) => of_names(&packages.folders(path)),
            };
            now == *answer
        })
    }
}

/// A system that notes what it is asked and what it answers.
pub(crate) struct Traced<'s> {
    system: &'s dyn System,
    notes: Notes,
}

#[derive(Clone, Default)]
struct Notes(Arc<Mutex<Trace>>);

impl<'s> Traced<'s> {
    pub(crate) fn new(system: &'s dyn System) -> Self {
        Self { system, notes: Notes::default() }
    }

    /// Everything noted so far.
    pub(crate) fn trace(&self) -> Trace {
        self.notes.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Notes {
    fn note(&self, question: Question, answer: Hash) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).0.insert(question, answer);
    }
}

impl System for Traced<'_> {
    fn read(&self, path: &str) -> Result<Vec<u8>, SystemError> {
        let answer = self.system.read(path);
        self.notes.note(Question::Read(path.to_owned()), of_read(&answer));
        answer
    }

    fn list(&self, folder: &str, skip: &[&str]) -> Result<Vec<String>, SystemError> {
        let answer = self.system.list(folder, skip);
        let skip = skip.iter().map(|name| (*name).to_owned()).collect();
        self.notes.note(Question::List(folder.to_owned(), skip), of_list(&answer));
        answer
    }

    fn stamp(&self, path: &str) -> Option<Stamp> {
        self.system.stamp(path)
    }

    fn packages(&self) -> Arc<dyn Reader> {
        Arc::new(TracedPackages { packages: self.system.packages(), notes: self.notes.clone() })
    }
}

struct TracedPackages {
    packages: Arc<dyn Reader>,
    notes: Notes,
}

impl Reader for TracedPackages {
    fn read(&self, path: &str) -> Option<String> {
        let answer = self.packages.read(path);
        self.notes.note(Question::PackageText(path.to_owned()), of_text(answer.as_deref()));
        answer
    }

    fn real(&self, path: &str) -> Option<String> {
        let answer = self.packages.real(path);
        self.notes.note(Question::PackagePath(path.to_owned()), of_text(answer.as_deref()));
        answer
    }

    fn folders(&self, path: &str) -> Vec<String> {
        let answer = self.packages.folders(path);
        self.notes.note(Question::PackageFolders(path.to_owned()), of_names(&answer));
        answer
    }
}

fn of_read(answer: &Result<Vec<u8>, SystemError>) -> Hash {
    match answer {
        Ok(bytes) => hash(bytes),
        Err(error) => hash(format!("error: {error}").as_bytes()) ^ 1,
    }
}

fn of_list(answer: &Result<Vec<String>, SystemError>) -> Hash {
    match answer {
        Ok(paths) => of_names(paths),
        Err(error) => hash(format!("error: {error}").as_bytes()) ^ 1,
    }
}

fn of_names(names: &[String]) -> Hash {
    hash(names.join("\0").as_bytes())
}

fn of_text(answer: Option<&str>) -> Hash {
    answer.map_or(0, |text| hash(text.as_bytes()))
}

/// About what a file takes besides its path and summary: a stamp, a hash, and lengths.
const FILE_BYTES: usize = 96;
/// The most that a time and a length take.
const NUMBERS_BYTES: usize = 20;
/// Changes with the form of what is kept.
const FORMAT: &str = "kontract cache 6 ";
