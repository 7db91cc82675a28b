//! Source maps, version 3 (ECMA-426): written for what the printer made, read to say where a line of a stack came from.
//!
//! ```text
//! (offset in the source, line and column in the output) …  →  { "version": 3, "sources": …, "mappings": "AAAA,…" }
//! ```

use serde_json::{Value, json};

/// Where places of one file of output were in its sources. Lines and columns count from 0; columns are UTF-16 units.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SourceMap {
    /// Paths of the sources, relative to the map's own folder.
    pub sources: Vec<String>,
    /// Texts of the sources, where they are known.
    pub contents: Vec<Option<String>>,
    /// In the order of places in the output.
    segments: Vec<Segment>,
}

/// From here on the output comes from there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Segment {
    line: u32,
    column: u32,
    source: u32,
    source_line: u32,
    source_column: u32,
}

/// A place in a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Original<'m> {
    /// The source's path as the map has it.
    pub source: &'m str,
    /// From 0.
    pub line: u32,
    /// From 0, in UTF-16 units.
    pub column: u32,
}

/// An output's place and the byte of the source that it comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Printed {
    /// Byte offset in the source.
    pub offset: u32,
    /// Line of the output, from 0.
    pub line: u32,
    /// Column of the output, from 0.
    pub column: u32,
}

impl SourceMap {
    /// The map of a file that was printed from one source.
    pub fn of(source: String, text: &str, printed: &[Printed]) -> Self {
        let lines = Lines::of(text);
        let mut segments: Vec<Segment> = printed
            .iter()
            .map(|place| {
                let (source_line, source_column) = lines.place(text, place.offset);
                Segment { line: place.line, column: place.column, source: 0, source_line, source_column }
            })
            .collect();
        segments.sort_by_key(|segment| (segment.line, segment.column));
        segments.dedup_by_key(|segment| (segment.line, segment.column));
        Self { sources: vec![source], contents: vec![Some(text.to_owned())], segments }
    }

    /// The text of the map.
    pub fn to_json(&self) -> String {
        let map = json!({
            "version": 3,
            "sources": self.sources,
            "sourcesContent": self.contents,
            "names": [],
            "mappings": self.mappings(),
        });
        format!("{map}\n")
    }

    /// Reads a map; `None` for what is none.
    pub fn parse(text: &str) -> Option<Self> {
        let map: Value = serde_json::from_str(text).ok()?;
        let texts = |key: &str| map.get(key).and_then(Value::as_array).cloned().unwrap_or_default();
        let sources =
            texts("sources").iter().map(|path| path.as_str().unwrap_or_default().to_owned()).collect();
        let contents = texts("sourcesContent").iter().map(|text| text.as_str().map(str::to_owned)).collect();
        let segments = parse_mappings(map.get("mappings")?.as_str()?)?;
        Some(Self { sources, contents, segments })
    }

    /// Where a place of the output comes from.
    pub fn original(&self, line: u32, column: u32) -> Option<Original<'_>> {
        let after = self.segments.partition_point(|segment| (segment.line, segment.column) <= (line, column));
        let segment = self.segments.get(after.checked_sub(1)?).filter(|segment| segment.line == line)?;
        let source = self.sources.get(usize::try_from(segment.source).ok()?)?;
        Some(Original { source, line: segment.source_line, column: segment.source_column })
    }

    fn mappings(&self) -> String {
        let mut text = String::new();
        let mut last = Segment { line: 0, column: 0, source: 0, source_line: 0, source_column: 0 };
        let mut first = true;
        for segment in &self.segments {
            while last.line < segment.line {
                text.push(';');
                last.line += 1;
                last.column = 0;
                first = true;
            }
            if !std::mem::replace(&mut first, false) {
                text.push(',');
            }
            write_vlq(&mut text, i64::from(segment.column) - i64::from(last.column));
            write_vlq(&mut text, i64::from(segment.source) - i64::from(last.source));
            write_vlq(&mut text, i64::from(segment.source_line) - i64::from(last.source_line));
            write_vlq(&mut text, i64::from(segment.source_column) - i64::from(last.source_column));
            last = *segment;
        }
        text
    }
}

/// Starts of the lines of a text.
struct Lines(Vec<u32>);

impl Lines {
    fn of(text: &str) -> Self {
        let after = memchr::memchr_iter(b'\n', text.as_bytes()).filter_map(|at| u32::try_from(at + 1).ok());
        Self(std::iter::once(0).chain(after).collect())
    }

    fn place(&self, text: &str, offset: u32) -> (u32, u32) {
        let line = self.0.partition_point(|start| *start <= offset).saturating_sub(1);
        let start = self.0.get(line).copied().unwrap_or(0);
        let before = text.get(start as usize..offset as usize).unwrap_or_default();
        // Editors do not count a byte order mark.
        let units: usize = before.trim_start_matches('\u{feff}').chars().map(char::len_utf16).sum();
        (u32::try_from(line).unwrap_or(u32::MAX), u32::try_from(units).unwrap_or(u32::MAX))
    }
}

fn parse_mappings(text: &str) -> Option<Vec<Segment>> {
    let mut segments = Vec::new();
    let (mut source, mut source_line, mut source_column) = (0_i64, 0_i64, 0_i64);
    for (line, segments_text) in (0_u32..).zip(text.split(';')) {
        let mut column = 0_i64;
        for segment in segments_text.split(',').filter(|segment| !segment.is_empty()) {
            let fields = read_vlq(segment)?;
            column += fields.first()?;
            if let [_, to_source, to_line, to_column, ..] = fields.as_slice() {
                (source, source_line, source_column) =
                    (source + to_source, source_line + to_line, source_column + to_column);
                let number = |value: i64| u32::try_from(value).ok();
                segments.push(Segment {
                    line,
                    column: number(column)?,
                    source: number(source)?,
                    source_line: number(source_line)?,
                    source_column: number(source_column)?,
                });
            }
        }
    }
    Some(segments)
}

/// Base64 VLQ (ECMA-426, 6.1): five bits a digit, the sign in the lowest, a sixth bit where more follow.
fn write_vlq(text: &mut String, value: i64) {
    let mut rest = value.unsigned_abs() << 1 | u64::from(value < 0);
    loop {
        let digit = usize::try_from(rest & 31).unwrap_or(0);
        rest >>= 5;
        let more = if rest > 0 { 32 } else { 0 };
        text.push(char::from(DIGITS[digit + more]));
        if rest == 0 {
            return;
        }
    }
}

fn read_vlq(text: &str) -> Option<Vec<i64>> {
    let mut fields = Vec::new();
    let (mut value, mut shift) = (0_i64, 0_u32);
    for byte in text.bytes() {
        let digit = i64::try_from(DIGITS.iter().position(|known| *known == byte)?).ok()?;
        value |= (digit & 31).checked_shl(shift).filter(|_| shift < VLQ_BITS_MAX)?;
        shift += 5;
        if digit & 32 == 0 {
            fields.push(if value & 1 == 1 { -(value >> 1) } else { value >> 1 });
            (value, shift) = (0, 0);
        }
    }
    (shift == 0).then_some(fields)
}

const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
/// Lines and columns fit in 32 bits.
const VLQ_BITS_MAX: u32 = 40;

#[cfg(test)]
mod tests {
    use super::{Original, Printed, SourceMap};

    #[test]
    fn what_is_written_is_read_again() {
        let text = "a\nżółw 😀x\n";
        let offset = |wanted: &str| u32::try_from(text.find(wanted).expect("it is there")).expect("short");
        let printed = [
            Printed { offset: offset("x"), line: 2, column: 7 },
            Printed { offset: 0, line: 0, column: 0 },
            Printed { offset: offset("w"), line: 2, column: 4 },
        ];
        let map = SourceMap::of("../a.ts".to_owned(), text, &printed);
        let read = SourceMap::parse(&map.to_json()).expect("a map");
        assert_eq!(read, map);
        let at = |line, column| Some(Original { source: "../a.ts", line, column });
        assert_eq!(read.original(2, 30), at(1, 7));
        assert_eq!(read.original(2, 5), at(1, 3));
        assert_eq!(read.original(2, 3), None);
        assert_eq!(read.original(1, 0), None);
    }

    #[test]
    fn what_is_no_map_is_refused() {
        for text in [
            "",
            "{}",
            "{\"mappings\": \"!\"}",
            "{\"mappings\": \"AAAg\"}",
            "{\"mappings\": \"ggggggggggggA\"}",
        ] {
            assert_eq!(SourceMap::parse(text), None, "{text}");
        }
    }
}
