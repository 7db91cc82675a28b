//! Syntax errors stand where TypeScript's own parser sees them.

use super::packages::{CorpusFile, files};
use super::{typescript, workers};
use crate::fixture;
use crate::support::random::Random;
use kontract::parse::inspect::inspect;

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

const PROGRAMS_MIN: usize = 200;
const PROGRAMS_PERCENT_MIN: usize = 87;
const SOURCES_MIN: usize = 200;
const SOURCES_PERCENT_MIN: usize = 94;
const BYTES_MAX: usize = 20_000;
const STEP: usize = 15;
const SEED: u64 = 7;
