//! Broken programs through the whole check: it must come back, soon, with its findings or without, and never panic.
//!
//! `cargo xtask fuzz compiler --seconds 600` runs this for longer; `KONTRACT_FUZZ_SECONDS` and `KONTRACT_FUZZ_SEED` are
//! what it sets.

#[cfg(unix)]
mod files;
mod mutate;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};
use std::{fs, thread};

use crate::corpus::{self, workers};
use crate::fixture;
use crate::support::random::Random;
use kontract::system::{MemorySystem, System};
use mutate::mutate;

#[test]
fn no_mutation_of_sources_breaks_the_check() {
    let seconds = variable("KONTRACT_FUZZ_SECONDS").unwrap_or(SECONDS);
    let seed = variable("KONTRACT_FUZZ_SEED").unwrap_or(SEED);
    let sources = sources();
    let end = Instant::now() + Duration::from_secs(seconds);
    let (tried, slots) = (AtomicU64::new(0), slots());
    let over = AtomicBool::new(false);
    let failures = thread::scope(|scope| {
        scope.spawn(|| watch(&slots, &over));
        let failures = workers::map(&slots, |worker, slot| {
            let worker = u64::try_from(worker).expect("few workers");
            let mut random = Random::new(seed ^ (worker << 32));
            let mut failures = Vec::new();
            while Instant::now() < end && failures.len() < FAILURES_MAX {
                let (path, text) = mutate(&sources, &mut random);
                tried.fetch_add(1, Ordering::Relaxed);
                failures.extend(attempt(slot, &path, &text));
            }
            failures
        });
        over.store(true, Ordering::Relaxed);
        failures
    });
    let failures: Vec<String> = failures.into_iter().flatten().collect();
    let tried = tried.into_inner();
    eprintln!("{tried} inputs of seed {seed}, {} failures", failures.len());
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert!(tried >= TRIED_MIN, "only {tried} inputs");
}

#[test]
fn what_was_once_found_stays_fixed() {
    let folder = fixture::folder("fuzz");
    let slots = slots();
    let mut count = 0;
    let mut failures = Vec::new();
    for entry in fs::read_dir(folder).expect("the folder exists") {
        let path = entry.expect("a readable entry").path();
        let text = String::from_utf8_lossy(&fs::read(&path).expect("a readable file")).into_owned();
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        failures.extend(attempt(&slots[0], &format!("src/{name}"), &text));
        count += 1;
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert!(count > 0, "there are no inputs");
}

#[test]
fn repetition_takes_bounded_time() {
    let units = [
        "(",
        "[",
        "{",
        "<",
        "`${",
        "<a>",
        "<a ",
        "<A>",
        "<A>(",
        "<A>[",
        "A<",
        "A<B,",
        "A<(",
        "f(",
        "f<A>(",
        "async(",
        "a=>",
        "(a)=>",
        "(a=",
        "({a=",
        "[a=",
        "a?",
        "a?(b):",
        "a?(b)=>c:",
        "(a?",
        "a?b:",
        "!",
        "-",
        "typeof ",
        "await ",
        "new ",
        "new(",
        "a.b",
        ".a",
        "?.a",
        "a??",
        "a||",
        "a+",
        "a**",
        "a,",
        "a=",
        "a as ",
        "...",
        "[...",
        "if(a)",
        "if(a)b;else ",
        "for(;;)",
        "while(a)",
        "do ",
        "a:",
        "{a:",
        "({a:",
        "({get a(){",
        "switch(a){case ",
        "try{",
        "function f(){",
        "function f(a=",
        "class A{",
        "class extends ",
        "class A{@a(",
        "@a",
        "@a(",
        "@perm",
        "@perm ",
        "@perm(",
        "@perm()",
        "@perm([",
        "@(",
        "namespace A{",
        "interface A{a:",
        "enum A{a=",
        "import(",
        "import('a');",
        "type A=",
        "type A=(",
        "type A=[",
        "type A=A<",
        "type A=(a:",
        "type A=a extends ",
        "A extends B?C:",
        "keyof ",
        "infer ",
        "(a:(",
        "x:{",
        "as(",
        "<T extends ",
        "<T=",
        "/",
        "/[",
        "//",
        "/*",
        "'",
        "\"",
        "`",
        "\\",
        "\n",
        "0",
        "1e",
        "a b ",
        "#a",
        "é",
        "\u{202e}",
        "export ",
        "export *;",
        "<a.b",
        "<a:b",
        "<a b={",
        "<a>{",
        "</a>",
        "<a b='",
        "<></>",
        "&&",
        "=>",
        "=",
        ";",
        ")",
        "}",
        "]",
        ">",
    ];
    let inputs: Vec<(String, String)> = units
        .iter()
        .flat_map(|unit| {
            let text = |prefix: &str| format!("{prefix}{}", unit.repeat(REPEATED_BYTES / unit.len()));
            ["", "x = ", "type X = ", "@perm() x = "]
                .map(|prefix| (format!("{unit:?} behind {prefix:?}"), text(prefix)))
        })
        .collect();
    let slow = workers::map(&inputs, |_, (name, text)| {
        let start = Instant::now();
        let slot = Mutex::new(None);
        let problems: Vec<String> =
            ["src/a.ts", "src/a.tsx"].iter().filter_map(|path| attempt(&slot, path, text)).collect();
        let elapsed = start.elapsed();
        (elapsed > SLOW || !problems.is_empty()).then(|| format!("{name}: {elapsed:?} {problems:?}"))
    });
    let slow: Vec<String> = slow.into_iter().flatten().collect();
    assert!(slow.is_empty(), "{}", slow.join("\n"));
}

/// What one worker is at, since when.
type Slot = Mutex<Option<(Instant, String, String)>>;

fn slots() -> Vec<Slot> {
    let count = thread::available_parallelism().map_or(2, usize::from);
    (0..count).map(|_| Mutex::new(None)).collect()
}

/// Checks a project of that one file. Says what went wrong; the input is kept in the target folder.
fn attempt(slot: &Slot, path: &str, text: &str) -> Option<String> {
    *slot.lock().expect("no worker dies") = Some((Instant::now(), path.to_owned(), text.to_owned()));
    let system = MemorySystem::new([
        ("kontract.json".to_owned(), "{ \"name\": \"fuzz\" }".to_owned()),
        (path.to_owned(), text.to_owned()),
    ]);
    let found = catch_unwind(AssertUnwindSafe(|| fixture::diagnose(&system).text()));
    let taken = slot.lock().expect("no worker dies").take();
    let elapsed = taken.map_or(Duration::ZERO, |(start, ..)| start.elapsed());
    let problem = match found {
        Err(_) => "it panicked".to_owned(),
        Ok(said) if said.contains("the parser gave up") => "the parser panicked".to_owned(),
        Ok(_) if elapsed > SLOW => format!("it took {elapsed:?}"),
        Ok(_) => return None,
    };
    Some(format!("{problem}: {}", kept(path, text)))
}

/// Ends the process when an input takes so long that it may never come back.
fn watch(slots: &[Slot], over: &AtomicBool) {
    while !over.load(Ordering::Relaxed) {
        for slot in slots {
            if let Some((start, path, text)) = &*slot.lock().expect("no worker dies")
                && start.elapsed() > HUNG
            {
                eprintln!("it does not come back: {}", kept(path, text));
                std::process::exit(1);
            }
        }
        thread::park_timeout(Duration::from_millis(200));
    }
}

fn kept(path: &str, text: &str) -> String {
    let name = path.replace('/', "+");
    let file = std::env::temp_dir().join(format!("kontract-fuzz-{:x}-{name}", text.len()));
    fs::write(&file, text).expect("it can be written");
    file.display().to_string()
}

/// Every source of the fixtures and the examples, and a part of the corpus.
fn sources() -> Vec<(String, String)> {
    let mut sources = Vec::new();
    for kind in ["parse", "split", "diagnostics"] {
        for (_, case) in fixture::cases(kind) {
            let system = fixture::project(&case);
            for path in system.list("src", &[]).unwrap_or_default() {
                let bytes = system.read(&path).expect("it is listed");
                sources.push((path, String::from_utf8_lossy(&bytes).into_owned()));
            }
        }
    }
    let real = corpus::files().iter().filter(|file| file.text().len() < REAL_BYTES_MAX).step_by(REAL_STEP);
    sources.extend(real.map(|file| (file.path().to_owned(), file.text().to_owned())));
    sources
}

fn variable(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|value| value.parse().expect("a number"))
}

const SECONDS: u64 = 5;
const SEED: u64 = 1;
const TRIED_MIN: u64 = 200;
const REPEATED_BYTES: usize = 12_000;
const FAILURES_MAX: usize = 10;
/// In a build without optimisation, on a busy machine, for inputs of at most [`mutate::BYTES_MAX`].
const SLOW: Duration = Duration::from_secs(5);
const HUNG: Duration = Duration::from_secs(60);
const REAL_BYTES_MAX: usize = 16 * 1024;
const REAL_STEP: usize = 9;
