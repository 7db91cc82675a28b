//! Where generated modules lie. All paths are relative to `.kontract/client` or `.kontract/server`.

use super::StubInput;
use crate::source::{FileId, Sources};

/// A source file's path below the source folder, without its extension: `src/api/entries.ts` → `api/entries`.
pub(super) fn module_stem(sources: &Sources, input: &StubInput<'_>, file: FileId) -> String {
    let path = sources.file(file).path.as_str();
    let root = format!("{}/", input.source_root.trim_end_matches('/'));
    let below = path.strip_prefix(&root).unwrap_or(path);
    let stem = EXTENSIONS.iter().find_map(|extension| below.strip_suffix(extension));
    stem.unwrap_or(below).to_owned()
}

/// [`module_stem`], out of the way of the client's own modules: `src/index.ts` → `index_`.
pub(super) fn client_stem(sources: &Sources, input: &StubInput<'_>, file: FileId) -> String {
    let stem = module_stem(sources, input, file);
    if CLIENT_MODULES.contains(&stem.trim_end_matches('_')) { stem + "_" } else { stem }
}

/// Modules at the top of the client that are no stubs.
const CLIENT_MODULES: &[&str] = &["codecs", "index", "kontract"];

const EXTENSIONS: &[&str] = &[".tsx", ".ts", ".mts", ".cts", ".jsx", ".js", ".mjs", ".cjs"];
