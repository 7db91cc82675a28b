//! Declaration maps: from a name in a generated declaration to the one that the user wrote, so that an editor goes there.
//!
//! Source map revision 3. Both sides are counted from 0, columns in UTF-16 units.

use crate::source::{Location, Sources};
use serde_json::json;
use std::collections::BTreeMap;

/// Where a name stands in the generated text, and where in the user's.
#[derive(Debug, Clone, Copy)]
pub(super) struct Mapping {
    pub(super) line: u32,
    pub(super) column: u32,
    pub(super) source: Location,
}

/// The map of `file`, whose path is `depth` folders below the project. `mappings` are in the order of the text.
pub(super) fn map_text(sources: &Sources, file: &str, depth: usize, mappings: &[Mapping]) -> String {
    let mut indices: BTreeMap<&str, i64> = BTreeMap::new();
    for mapping in mappings {
        indices.insert(&sources.file(mapping.source.file).path, 0);
    }
    for (index, value) in (0..).zip(indices.values_mut()) {
        *value = index;
    }
    let paths: Vec<String> = indices.keys().map(|path| format!("{}{path}", "../".repeat(depth))).collect();
    let name = file.rsplit('/').next().unwrap_or(file);
    let encoded = encode(sources, &indices, mappings);
    format!("{}\n", json!({ "version": 3, "file": name, "sources": paths, "names": [], "mappings": encoded }))
}

fn encode(sources: &Sources, indices: &BTreeMap<&str, i64>, mappings: &[Mapping]) -> String {
    let mut text = String::new();
    let (mut line, mut before) = (0, [0; 4]);
    for mapping in mappings {
        let starts_line = line < mapping.line || text.is_empty();
        while line < mapping.line {
            text.push(';');
            line += 1;
            before[0] = 0;
        }
        if !starts_line {
            text.push(',');
        }
        let (source_line, source_column) = place(sources, mapping.source);
        let file = sources.file(mapping.source.file).path.as_str();
        let index = indices.get(file).copied().unwrap_or_default();
        let now = [i64::from(mapping.column), index, source_line, source_column];
        for (now, before) in now.iter().zip(&before) {
            push_vlq(&mut text, now - before);
        }
        before = now;
    }
    text
}

/// Line and column of a location's start.
fn place(sources: &Sources, at: Location) -> (i64, i64) {
    let text = &sources.file(at.file).text;
    let before = text.get(..at.start as usize).unwrap_or(text);
    let start = before.rfind('\n').map_or(0, |newline| newline + 1);
    let lines = before.bytes().filter(|byte| *byte == b'\n').count();
    let column = before[start..].trim_start_matches('\u{feff}').encode_utf16().count();
    (i64::try_from(lines).unwrap_or(i64::MAX), i64::try_from(column).unwrap_or(i64::MAX))
}

/// Base 64 VLQ: the sign in the lowest bit, then five bits to a digit, the lowest ones first.
fn push_vlq(text: &mut String, value: i64) {
    let mut rest = (value.unsigned_abs() << 1) | u64::from(value < 0);
    loop {
        let digit = (rest & 31) as usize;
        rest >>= 5;
        text.push(char::from(DIGITS[digit | usize::from(rest > 0) << 5]));
        if rest == 0 {
            break;
        }
    }
}

const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

#[cfg(test)]
mod tests {
    use super::push_vlq;

    #[test]
    fn numbers_are_those_of_the_specification() {
        let vlq = |value| {
            let mut text = String::new();
            push_vlq(&mut text, value);
            text
        };
        assert_eq!([0, 1, -1, 15, 16, -16, 1000].map(vlq), ["A", "C", "D", "e", "gB", "hB", "w+B"]);
    }
}
