//! Syntax errors stand where TypeScript's own parser sees them.

use super::packages::{CorpusFile, files};
use super::{typescript, workers};
use crate::fixture;
use crate::support::app::{repository, run};
use crate::support::random::Random;
use kontract::parse::inspect::inspect;
use serde_json::Value;
use std::collections::BTreeMap;
use std::os::unix::fs::symlink;

#[derive(serde::Deserialize)]
struct Program {
    path: String,
    text: String,
}

#[test]
fn broken_programs_are_refused_where_typescript_refuses_them() {
    let text = std::fs::read_to_string(fixture::folder("syntax-errors").join("programs.json"))
        .expect("the programs");
    let programs: Vec<Program> = serde_json::from_str(&text).expect("a list of programs");
    let programs = programs.into_iter().map(|program| CorpusFile::new(&program.path, program.text)).collect();
    agree(programs, PROGRAMS_MIN, PROGRAMS_PERCENT_MIN);
}

#[test]
fn broken_sources_are_refused_where_typescript_refuses_them() {
    let real = files().iter().filter(|file| file.text().len() < BYTES_MAX).step_by(STEP);
    let mut random = Random::new(SEED);
    let broken = real.map(|file| CorpusFile::new(file.path(), broken(file.text(), &mut random))).collect();
    agree(broken, SOURCES_MIN, SOURCES_PERCENT_MIN);
}

#[test]
fn what_typescript_refuses_is_not_let_through() {
    let small: Vec<&CorpusFile> = files().iter().filter(|file| file.text().len() < SMALL_BYTES_MAX).collect();
    let mut random = Random::new(SEED);
    let programs: Vec<CorpusFile> = (0..MUTATED)
        .map(|_| {
            let file = random.pick(&small);
            CorpusFile::new(file.path(), mutated(file.text(), &mut random))
        })
        .collect();
    let found = workers::map(&programs, |_, program| inspect(&program.sources, program.id).err());
    let expected = typescript::first_errors(programs.iter().map(|program| (program.path(), program.text())));
    let refused = expected.iter().flatten().count();
    let mut let_through = Vec::new();
    for ((program, found), expected) in programs.iter().zip(found).zip(expected) {
        let (None, Some(expected)) = (found, expected.filter(|error| error.code != OF_A_DIRECTIVE)) else {
            continue;
        };
        let at = program.text().floor_char_boundary(expected.start.saturating_sub(40));
        let shown: String = program.text()[at..].chars().take(90).collect();
        let_through.push(format!("{}: {shown:?}: {expected:?}", program.path()));
    }
    assert!(refused >= REFUSED_MIN, "only {refused} programs are broken");
    assert!(let_through.is_empty(), "of {refused} are let through:\n{}", let_through.join("\n"));
}

/// Where the project has TypeScript, its place is TypeScript's own, whatever the program.
#[test]
fn the_check_shows_them_where_the_projects_typescript_does() {
    let small: Vec<&CorpusFile> = files().iter().filter(|file| file.text().len() < SMALL_BYTES_MAX).collect();
    let mut random = Random::new(SEED);
    let programs = (0..CHECKED).map(|index| {
        let file = random.pick(&small);
        let ending = if file.path().ends_with(".tsx") { "tsx" } else { "ts" };
        let path = format!("src/p{index}.{ending}");
        // Its offsets are those behind decorators that TypeScript does not see.
        let text = format!("@backend\nexport async function f() {{}}\n{}", mutated(file.text(), &mut random));
        (path, text)
    });
    let programs: Vec<(String, String)> = programs.collect();
    let read = programs.iter().map(|(path, text)| (path.as_str(), text.replacen("@backend", "        ", 1)));
    let read: Vec<(&str, String)> = read.collect();
    let expected = typescript::first_errors(read.iter().map(|(path, text)| (*path, text.as_str())));
    for version in ["typescript", "typescript5"] {
        let folder = tempfile::tempdir().expect("a folder outside of the repository");
        let write = |path: &str, text: &str| std::fs::write(folder.path().join(path), text).expect("a file");
        for path in ["src", "node_modules"] {
            std::fs::create_dir(folder.path().join(path)).expect("a folder");
        }
        write("kontract.json", "{ \"name\": \"app\" }");
        programs.iter().for_each(|(path, text)| write(path, text));
        let package = repository().join("node_modules").join(version);
        symlink(package, folder.path().join("node_modules/typescript")).expect("a link to a TypeScript");
        let output = run(folder.path(), &["check", "--no-types", "--json"]);
        let found = first_places(&String::from_utf8_lossy(&output.stdout));
        let mut compared = 0;
        for ((path, text), expected) in programs.iter().zip(&expected) {
            // What one of both takes for right stays with the other.
            let (Some(found), Some(expected)) = (found.get(path), expected) else { continue };
            compared += 1;
            assert_eq!(*found, expected.start, "{version}, {path}: {text}\n{expected:?}");
        }
        assert!(compared >= CHECKED_MIN, "only {compared} programs are broken");
    }
}

/// The offset of the first syntax error of each file in what `kontract check --json` prints.
fn first_places(events: &str) -> BTreeMap<String, usize> {
    let events = events.lines().map(|line| serde_json::from_str::<Value>(line).expect("a JSON line"));
    let mut found = BTreeMap::new();
    for diagnostic in events.flat_map(|event| event["diagnostics"].as_array().cloned().unwrap_or_default()) {
        let label = &diagnostic["labels"][0];
        let place = (label["file"].as_str(), label["start"].as_u64());
        if let ("KT0004", (Some(file), Some(start))) = (diagnostic["code"].as_str().unwrap_or(""), place) {
            let start = usize::try_from(start).expect("a small file");
            let first = found.entry(file.to_owned()).or_insert(start);
            *first = start.min(*first);
        }
    }
    found
}

/// A program with a token or two added, taken away, replaced or exchanged with the next one.
fn mutated(text: &str, random: &mut Random) -> String {
    let mut text = text.to_owned();
    for _ in 0..1 + random.below(2) {
        let tokens = tokens(&text);
        let Some(place) = tokens.len().checked_sub(1).filter(|last| *last > 0).map(|last| random.below(last))
        else {
            break;
        };
        let (start, end) = tokens[place];
        let (next_start, next_end) = tokens[place + 1];
        let (before, token, between) = (&text[..start], &text[start..end], &text[end..next_start]);
        let (next, after) = (&text[next_start..next_end], &text[next_end..]);
        let other = random.pick(TOKENS);
        text = match random.below(6) {
            0 => format!("{before}{between}{next}{after}"),
            1 => format!("{before}{token} {token}{between}{next}{after}"),
            2 => format!("{before}{next}{between}{token}{after}"),
            3 => format!("{before}{token} {other} {between}{next}{after}"),
            _ => format!("{before}{other}{between}{next}{after}"),
        };
    }
    text
}

/// Where words, numbers and single signs start and end.
fn tokens(text: &str) -> Vec<(usize, usize)> {
    let is_word = |c: char| c.is_alphanumeric() || c == '_' || c == '$';
    let mut found: Vec<(usize, usize)> = Vec::new();
    let mut in_word = false;
    for (at, c) in text.char_indices() {
        let end = at + c.len_utf8();
        match found.last_mut() {
            Some(last) if in_word && is_word(c) => last.1 = end,
            _ if c.is_whitespace() => {}
            _ => found.push((at, end)),
        }
        in_word = is_word(c);
    }
    found
}

/// Of the programs in which both see an error, so many percent must have it in the same place.
fn agree(programs: Vec<CorpusFile>, count_min: usize, percent_min: usize) {
    let found = workers::map(&programs, |_, program| inspect(&program.sources, program.id).err());
    let expected = typescript::first_errors(programs.iter().map(|program| (program.path(), program.text())));
    let (mut count, mut same, mut differing) = (0, 0, String::new());
    for ((program, found), expected) in programs.iter().zip(found).zip(expected) {
        let Some(expected) = expected else { continue };
        count += 1;
        let first = found.as_ref().and_then(|found| {
            found.iter().min_by_key(|error| error.labels.first().map(|label| label.location.start))
        });
        let start = first.and_then(|error| error.labels.first()).map(|label| label.location.start as usize);
        if start == Some(expected.start) {
            same += 1;
        } else {
            let at = program
                .text()
                .floor_char_boundary(expected.start.min(start.unwrap_or(usize::MAX)).saturating_sub(30));
            let shown: String = program.text()[at..].chars().take(90).collect();
            let message = first.map(|error| error.message.as_str());
            differing += &format!("{shown:?}+{at}: {start:?} {message:?}, TypeScript {expected:?}\n");
        }
    }
    eprintln!("{same} of {count} agree with TypeScript");
    assert!(count >= count_min, "only {count} programs");
    assert!(same * 100 >= count * percent_min, "{same} of {count}\n{differing}");
}

/// A source with one token too many or too few.
fn broken(text: &str, random: &mut Random) -> String {
    let starts: Vec<usize> =
        text.char_indices().filter(|(_, c)| "(){}[];,:=<>.".contains(*c)).map(|(at, _)| at).collect();
    if starts.is_empty() {
        return format!("{text}\n)");
    }
    let at = random.pick(&starts);
    let (before, after) = text.split_at(at);
    match random.below(3) {
        0 => format!("{before}{}", &after[1..]),
        1 => {
            format!("{before}{}{after}", random.pick(&[")", "}", "]", ";", ",", "=", "else ", ":", "(", "{"]))
        }
        _ => format!("{before} wrong {after}"),
    }
}

/// What is put into programs.
const TOKENS: &[&str] = &[
    "a",
    "0",
    "''",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    "<",
    ">",
    "=",
    "=>",
    ";",
    ",",
    ".",
    "...",
    ":",
    "?",
    "?.",
    "!",
    "@",
    "#",
    "#a",
    "`",
    "+",
    "++",
    "-",
    "*",
    "**",
    "/",
    "&",
    "|",
    "??",
    "&&=",
    "~",
    "abstract",
    "accessor",
    "any",
    "as",
    "asserts",
    "async",
    "await",
    "break",
    "case",
    "catch",
    "class",
    "const",
    "continue",
    "debugger",
    "declare",
    "default",
    "delete",
    "do",
    "else",
    "enum",
    "export",
    "extends",
    "false",
    "finally",
    "for",
    "from",
    "function",
    "get",
    "global",
    "if",
    "implements",
    "import",
    "in",
    "infer",
    "instanceof",
    "interface",
    "is",
    "keyof",
    "let",
    "module",
    "namespace",
    "new",
    "null",
    "of",
    "out",
    "override",
    "package",
    "private",
    "protected",
    "public",
    "readonly",
    "require",
    "return",
    "satisfies",
    "set",
    "static",
    "super",
    "switch",
    "symbol",
    "this",
    "throw",
    "true",
    "try",
    "type",
    "typeof",
    "undefined",
    "unique",
    "using",
    "var",
    "void",
    "while",
    "with",
    "yield",
    "1n",
    "0x",
    "1_",
    "/*",
    "//",
    "\\",
    "\n",
];
const PROGRAMS_MIN: usize = 200;
const PROGRAMS_PERCENT_MIN: usize = 89;
const SOURCES_MIN: usize = 200;
const SOURCES_PERCENT_MIN: usize = 94;
/// `/// <reference …>`, which the compiler takes for a comment.
const OF_A_DIRECTIVE: u32 = 1084;
const SMALL_BYTES_MAX: usize = 2_000;
const CHECKED: usize = 500;
const CHECKED_MIN: usize = 300;
const MUTATED: usize = 3_000;
const REFUSED_MIN: usize = 1_500;
const BYTES_MAX: usize = 20_000;
const STEP: usize = 15;
const SEED: u64 = 7;
