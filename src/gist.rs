//! What of a module can matter to an answer beyond its summary, as hashes: where they are the same, an edit is of no account.
//!
//! ```text
//! text without bodies, what each body mentions, and which constants are changed → Gist::shape
//! every word of the bodies                               → Gist::words
//! ```
//!
//! Places are not part of it: they matter only where something is pointed at.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::cache::{Gist, hash};
use crate::parse::bodies::each_body;
use crate::parse::extract::Uses;
use crate::parse::literal::changes;
use crate::parse::module::ParsedModule;
use crate::split::{Mentions, words};

impl Gist {
    /// That of a module, whose text is given. Only a search of the client's half wants words.
    pub(crate) fn of(module: &ParsedModule, text: &str, searched: bool) -> Self {
        let mut bodies: Vec<(usize, usize, Seen, BTreeSet<String>)> = Vec::new();
        each_body(module, &mut |body| {
            let (start, end) = (body.at.start as usize, body.at.end as usize);
            let inside = text.get(start..end);
            // Marks, decorators and their misspellings count wherever they stand.
            if inside.is_some_and(|inside| !inside.contains('@'))
                && let Some(uses) = Uses::of(module, body)
            {
                let seen = Seen { uses, mentions: Mentions::of(module, body) };
                let words = if searched { words(body) } else { BTreeSet::new() };
                bodies.push((start, end, seen, words));
            }
        });
        bodies.sort_by_key(|(start, ..)| *start);
        let (mut outside, mut last) = (Vec::new(), 0);
        for (start, end, ..) in &bodies {
            outside.push(&text[last..*start]);
            last = *end;
        }
        outside.push(&text[last..]);
        let seen: Vec<&Seen> = bodies.iter().map(|(_, _, seen, _)| seen).collect();
        // Wherever a constant is changed, it is none.
        let changed = changes(module);
        let words: Vec<&BTreeSet<String>> = bodies.iter().map(|(_, _, _, words)| words).collect();
        let (shape, words) = (hash_of(&(outside, seen, &changed)), hash_of(&words));
        Self { shape, words, changed: hash_of(&changed) }
    }
}

/// What phases see in a body.
#[derive(Serialize)]
struct Seen {
    uses: Uses,
    mentions: Mentions,
}

fn hash_of(value: &impl Serialize) -> crate::cache::Hash {
    hash(&postcard::to_allocvec(value).expect("invariant: texts and numbers can be written"))
}
