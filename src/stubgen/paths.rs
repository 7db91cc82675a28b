//! Where generated modules lie, and how they refer to an endpoint. All paths are relative to `.kontract/client` or
//! `.kontract/server`.

use super::StubInput;
use crate::source::{FileId, Sources};

/// A source file's path below the source folder, without its extension: `src/api/entries.ts` → `api/entries`.
pub(super) fn module_stem(sources: &Sources, input: &StubInput<'_>, file: FileId) -> String {
    let path = sources.file(file).path.as_str();
    let below = path.strip_prefix(input.source_root).unwrap_or(path).trim_start_matches('/');
    below.rsplit_once('.').map_or(below, |(stem, _)| stem).to_owned()
}

/// The stub module of a source file.
pub(super) fn client_path(sources: &Sources, input: &StubInput<'_>, file: FileId) -> String {
    stub_path(&format!("{}.js", module_stem(sources, input, file)))
}

/// A module's path in the client, out of the way of the client's own modules: `index.js` → `index_.js`. Who imports the
/// module under its first name gets the client's index, which exports the stubs too.
pub(super) fn stub_path(path: &str) -> String {
    let stem = path.strip_suffix(".js").unwrap_or(path);
    let mark = if CLIENT_MODULES.contains(&stem.trim_end_matches('_')) { "_" } else { "" };
    format!("{stem}{mark}.js")
}

/// Modules at the top of the client that are no stubs.
const CLIENT_MODULES: &[&str] = &["codecs", "index", "kontract", "kontract-enums", "lazy", "lazy-codecs"];
