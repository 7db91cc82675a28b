//! Source maps of the bundle: esbuild composes those of its inputs; here their paths are brought to where the bundle ends.
//!
//! Only paths are read. What a map says of places is most of a bundle's bytes, and passed on as it is.

use crate::source::normalize_path;
use serde_json::{Deserializer, Value};

/// Moves a map from one path to another, both relative to the project. What is no map of esbuild's stays as it is.
pub(super) fn relocate(bytes: &mut Vec<u8>, from: &str, to: &str) {
    let Some(text) = std::str::from_utf8(bytes).ok() else { return };
    let Some(start) = text.find(SOURCES).map(|at| at + SOURCES.len()) else { return };
    let mut rest = Deserializer::from_str(&text[start..]).into_iter::<Vec<String>>();
    let Some(Ok(mut sources)) = rest.next() else { return };
    let end = start + rest.byte_offset();
    let folder = from.rsplit_once('/').map_or("", |(folder, _)| folder);
    let up = "../".repeat(to.matches('/').count());
    for source in &mut sources {
        // Sources outside of the project, such as packages of a workspace, have no path that is the same everywhere.
        let path = normalize_path(&format!("{folder}/{source}"));
        *source = match path {
            Some(path) => format!("{up}{path}"),
            None => format!("{OUTSIDE}{}", source.trim_start_matches("../")),
        };
    }
    *bytes = [&text[..start], " ", &Value::from(sources).to_string(), &text[end..]].concat().into_bytes();
}

/// Moves a map after a line was put in front of its file.
pub(super) fn add_line_in_front(bytes: &mut Vec<u8>) {
    let Some(text) = std::str::from_utf8(bytes).ok() else { return };
    let Some(start) = text.find(MAPPINGS).map(|at| at + MAPPINGS.len()) else { return };
    // Lines are parted by semicolons.
    *bytes = [&text[..start], ";", &text[start..]].concat().into_bytes();
}

/// Keys as esbuild writes them. Within texts of a map their quotes would be escaped.
const SOURCES: &str = "\"sources\":";
const MAPPINGS: &str = "\"mappings\": \"";
/// In front of sources outside of the project.
pub const OUTSIDE: &str = "outside/";

#[cfg(test)]
mod tests {
    use super::{add_line_in_front, relocate};
    use crate::emit::sourcemap::SourceMap;

    #[test]
    fn paths_move_and_places_stay() {
        let text = r#"{ "version": 3, "sources": ["../../src/a.ts", "../../../elsewhere/b.ts"], "sourcesContent": ["x\n", null], "mappings": "AAAA;ACCA", "names": [] }"#;
        let mut bytes = text.as_bytes().to_vec();
        relocate(&mut bytes, ".kontract/tmp/a.js.map", "dist/server/routes/a.js.map");
        let map = SourceMap::parse(std::str::from_utf8(&bytes).expect("UTF-8")).expect("a map");
        assert_eq!(map.sources, ["../../../src/a.ts", "outside/elsewhere/b.ts"]);
        assert_eq!(map.contents, [Some("x\n".to_owned()), None]);
        let original = map.original(1, 0).expect("a place");
        assert_eq!((original.source, original.line), ("outside/elsewhere/b.ts", 1));

        add_line_in_front(&mut bytes);
        let moved = SourceMap::parse(std::str::from_utf8(&bytes).expect("UTF-8")).expect("a map");
        assert_eq!(moved.original(2, 0), map.original(1, 0));
        assert_eq!(moved.original(0, 0), None);

        let mut other = b"no map".to_vec();
        relocate(&mut other, "a", "b");
        assert_eq!(other, b"no map");
    }
}
