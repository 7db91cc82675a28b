//! Stack traces of the Worker, said in the user's files.
//!
//! ```text
//! at sign (worker.js:4012:11)   →   at sign (src/api/entries.ts:31:9)
//! ```

use crate::bundle::maps::OUTSIDE;
use crate::emit::sourcemap::SourceMap;
use crate::source::normalize_path;
use std::borrow::Cow;
use std::collections::BTreeMap;

/// The maps of one Worker, read when a stack first needs them.
pub struct Traces {
    /// Where its modules lie, below the project.
    folder: &'static str,
    read: Read,
    maps: BTreeMap<String, Option<SourceMap>>,
}

/// Reads a map, by the path of its module in the folder.
type Read = Box<dyn Fn(&str) -> Option<String> + Send>;

impl Traces {
    /// The maps of modules that lie in a folder of the project, empty for the project's own.
    pub fn of(folder: &'static str, read: Read) -> Self {
        Self { folder, read, maps: BTreeMap::new() }
    }

    /// The line, with places in the bundle as places in the project.
    pub fn mapped<'l>(&mut self, line: &'l str) -> Cow<'l, str> {
        let mut made = String::new();
        let mut rest = line;
        while let Some(found) = place_in(rest) {
            let Some(original) = self.original(&found) else {
                made.push_str(&rest[..found.end]);
                rest = &rest[found.end..];
                continue;
            };
            made.push_str(&rest[..found.start]);
            made.push_str(&original);
            rest = &rest[found.end..];
        }
        if made.is_empty() { Cow::Borrowed(line) } else { Cow::Owned(made + rest) }
    }

    fn original(&mut self, place: &Place<'_>) -> Option<String> {
        let module = normalize_path(place.module)?;
        let read = &self.read;
        let map = self
            .maps
            .entry(module.clone())
            .or_insert_with(|| SourceMap::parse(&read(&format!("{module}.map"))?));
        let original = map.as_ref()?.original(place.line.checked_sub(1)?, place.column.checked_sub(1)?)?;
        let within = module.rsplit_once('/').map_or("", |(folder, _)| folder);
        let path = match original.source.strip_prefix(OUTSIDE) {
            Some(package) => package.to_owned(),
            None => normalize_path(&format!("{}/{within}/{}", self.folder, original.source))?,
        };
        Some(format!("{path}:{}:{}", original.line + 1, original.column + 1))
    }
}

/// `worker.js:4012:11`, and where it stands in its line.
struct Place<'l> {
    module: &'l str,
    line: u32,
    column: u32,
    start: usize,
    end: usize,
}

/// The first place of a module in a line.
fn place_in(line: &str) -> Option<Place<'_>> {
    line.match_indices(".js:").find_map(|(at, _)| {
        let behind = at + ".js".len();
        let start = line[..at].rfind([' ', '(', '"', '\'']).map_or(0, |before| before + 1);
        let mut numbers = line[behind + 1..].split(|c: char| !c.is_ascii_digit());
        let (row, column) = (numbers.next()?, numbers.next()?);
        let end = behind + 1 + row.len() + 1 + column.len();
        // Between the two numbers stands exactly a colon.
        let colon = line.as_bytes().get(behind + 1 + row.len()) == Some(&b':');
        let module = line[start..behind].trim_start_matches("file:///");
        let (line, column) = (row.parse().ok()?, column.parse().ok()?);
        colon.then_some(Place { module, line, column, start, end })
    })
}

#[cfg(test)]
mod tests {
    use super::Traces;
    use crate::emit::sourcemap::{Printed, SourceMap};

    #[test]
    fn places_become_those_of_the_project() {
        let printed = [Printed { offset: 4, line: 8, column: 2 }];
        let map = SourceMap::of("../../../src/a.ts".to_owned(), "one\ntwo\n", &printed);
        let read = move |name: &str| (name == "routes/a-1.js.map").then(|| map.to_json());
        let mut traces = Traces::of("dist/server", Box::new(read));
        for (line, mapped) in [
            ("    at f (routes/a-1.js:9:5)", "    at f (src/a.ts:2:1)"),
            ("    at async file:///routes/a-1.js:9:3", "    at async src/a.ts:2:1"),
            ("at routes/a-1.js:1:1 and routes/a-1.js:9:3", "at routes/a-1.js:1:1 and src/a.ts:2:1"),
            ("at f (other.js:9:5)", "at f (other.js:9:5)"),
            ("at f (../../../x.js:9:5)", "at f (../../../x.js:9:5)"),
            ("reads a.js: twice", "reads a.js: twice"),
        ] {
            assert_eq!(traces.mapped(line), mapped);
        }
    }
}
