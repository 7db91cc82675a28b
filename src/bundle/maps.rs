//! Source maps of the bundle: esbuild composes those of its inputs; here their paths are brought to where the bundle ends.

use crate::emit::sourcemap::SourceMap;
use crate::source::normalize_path;

/// Moves a map from one path to another, both relative to the project. What is no map stays as it is.
pub(super) fn relocate(bytes: &mut Vec<u8>, from: &str, to: &str) {
    let Some(mut map) = std::str::from_utf8(bytes).ok().and_then(SourceMap::parse) else { return };
    let folder = from.rsplit_once('/').map_or("", |(folder, _)| folder);
    let up = "../".repeat(to.matches('/').count());
    for source in &mut map.sources {
        // Sources outside of the project, such as packages of a workspace, have no path that is the same everywhere.
        let path = normalize_path(&format!("{folder}/{source}"));
        *source = match path {
            Some(path) => format!("{up}{path}"),
            None => format!("{OUTSIDE}{}", source.trim_start_matches("../")),
        };
    }
    *bytes = map.to_json().into_bytes();
}

/// Moves a map after a line was put in front of its file.
pub(super) fn add_line_in_front(bytes: &mut Vec<u8>) {
    let Some(mut map) = std::str::from_utf8(bytes).ok().and_then(SourceMap::parse) else { return };
    map.move_down();
    *bytes = map.to_json().into_bytes();
}

/// In front of sources outside of the project.
pub const OUTSIDE: &str = "outside/";
