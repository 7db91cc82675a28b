//! Turns sources into broken ones.

use crate::support::random::Random;

/// The longest input.
pub(super) const BYTES_MAX: usize = 64 * 1024;

/// A source, changed a few times.
pub(super) fn mutate(sources: &[(String, String)], random: &mut Random) -> (String, String) {
    let (path, text) = &sources[random.below(sources.len())];
    let name = path.rsplit('/').next().unwrap_or("a.ts");
    // What is TypeScript in one syntax is broken in the other.
    let name = if random.one_in(20) {
        random.pick(&["a.tsx", "a.ts", "a.mts", "a.d.ts", "a.js", "a.jsx"])
    } else {
        name
    };
    let mut text = text.clone().into_bytes();
    for _ in 0..1 + random.below(4) {
        change(&mut text, sources, random);
        text.truncate(BYTES_MAX);
    }
    (format!("src/{name}"), String::from_utf8_lossy(&text).into_owned())
}

fn change(text: &mut Vec<u8>, sources: &[(String, String)], random: &mut Random) {
    let at = place(text, random);
    match random.below(12) {
        0 => text.truncate(at),
        1 => {
            let end = (at + random.below(8)).min(text.len());
            text.drain(at..end);
        }
        2 => {
            let byte = u8::try_from(random.below(128)).expect("below 128");
            text.splice(at..at, [byte]);
        }
        3 | 4 => {
            let token = random.pick(TOKENS).bytes();
            text.splice(at..at, token);
        }
        5 => {
            let (start, end) = line(text, at);
            text.drain(start..end);
        }
        6 => {
            let (start, end) = line(text, at);
            let copy = text[start..end].to_vec();
            let to = place(text, random);
            text.splice(to..to, copy);
        }
        7 => {
            let (_, other) = &sources[random.below(sources.len())];
            let from = place(other.as_bytes(), random);
            text.truncate(at);
            text.extend_from_slice(&other.as_bytes()[from..]);
        }
        8 => soup(text, at, random),
        9 => {
            let token = random.pick(TOKENS).as_bytes().repeat(1 + random.below(3_000));
            text.splice(at..at, token);
        }
        10 => {
            let end = (at + random.below(400)).min(text.len());
            let part = text[at..end].to_vec();
            for _ in 0..random.below(20) {
                text.splice(at..at, part.iter().copied());
            }
        }
        _ => {
            let (start, end) = word(text, at);
            text.splice(start..end, random.pick(TOKENS).bytes());
        }
    }
}

/// Decorators of all kinds, one behind the other.
fn soup(text: &mut Vec<u8>, at: usize, random: &mut Random) {
    let mut decorators = String::new();
    for _ in 0..1 + random.below(6) {
        decorators.push_str(random.pick(DECORATORS));
    }
    text.splice(at..at, decorators.into_bytes());
}

fn place(text: &[u8], random: &mut Random) -> usize {
    random.below(text.len() + 1)
}

fn line(text: &[u8], at: usize) -> (usize, usize) {
    let start = text[..at].iter().rposition(|byte| *byte == b'\n').map_or(0, |newline| newline + 1);
    let end =
        text[at..].iter().position(|byte| *byte == b'\n').map_or(text.len(), |newline| at + newline + 1);
    (start, end)
}

fn word(text: &[u8], at: usize) -> (usize, usize) {
    let is_word = |byte: &u8| byte.is_ascii_alphanumeric();
    let start = at - text[..at].iter().rev().take_while(|byte| is_word(byte)).count();
    let end = at + text[at..].iter().take_while(|byte| is_word(byte)).count();
    (start, end)
}

const DECORATORS: &[&str] = &[
    "@backend ",
    "@backend()",
    "@backend({",
    "@backend({ perm: perms.RWX })\n",
    "@perm(",
    "@perm(perms.R__) ",
    "@int32 ",
    "@int8()",
    "@mwfilter(egroup='a')\n",
    "@primkey\n",
    "@index @unique ",
    "@foreign() ",
    "@(x) ",
    "@",
    "@unique(`${",
    "/** @primkey */",
];

const TOKENS: &[&str] = &[
    "(",
    ")",
    "{",
    "}",
    "[",
    "]",
    "<",
    ">",
    "</",
    "/>",
    "`",
    "${",
    "'",
    "\"",
    "//",
    "/*",
    "*/",
    "/",
    "\\",
    "\n",
    "\u{2028}",
    ";",
    ",",
    ".",
    "...",
    ":",
    "?",
    "?.",
    "??",
    "=>",
    "=",
    "==",
    "+",
    "++",
    "-",
    "!",
    "~",
    "*",
    "**",
    "%",
    "&",
    "|",
    "^",
    "#",
    "@",
    "0x",
    "1e",
    "1n",
    "1_",
    "\\u{110000}",
    "\\ud800",
    "\0",
    "\u{feff}",
    "\u{202e}",
    "é",
    "🦀",
    "if(",
    "else ",
    "for(",
    "while(",
    "do ",
    "switch(",
    "case ",
    "default:",
    "function ",
    "function*",
    "async ",
    "await ",
    "yield ",
    "return ",
    "throw ",
    "try{",
    "catch(",
    "finally{",
    "class ",
    "extends ",
    "implements ",
    "interface ",
    "type ",
    "enum ",
    "namespace ",
    "module ",
    "declare ",
    "abstract ",
    "static ",
    "readonly ",
    "public ",
    "get ",
    "set ",
    "new ",
    "delete ",
    "typeof ",
    "keyof ",
    "infer ",
    "is ",
    "asserts ",
    "as ",
    "satisfies ",
    "import ",
    "import(",
    "import.meta",
    "export ",
    "export default ",
    "export * from ",
    "from ",
    "let ",
    "const ",
    "var ",
    "using ",
    "accessor ",
    "this",
    "super(",
    "null",
    "in ",
    "of ",
    "instanceof ",
    "unique symbol",
    "out ",
    "never",
    "any",
    "defineMiddleware([",
    "backend({",
    "perms.R__",
    "env.storage.",
    "await next()",
    "Table<",
    "Promise<",
    "Record<",
    "Partial<",
    "<A>",
    "<a>",
    "</a>",
    "<A,>",
    "\u{a0}",
    "#!",
    "'use strict'",
];
