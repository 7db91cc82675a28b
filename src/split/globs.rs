//! `import.meta.glob(…)`, which is Vite's alone: what Vite does not build cannot have it, and without `kontract/vite` it may
//! not lead to server code.
//!
//! ```text
//! src/app/all.ts   import.meta.glob('../api/*.ts')   →   KT0401, where nobody puts stubs in the place of endpoints
//! src/api/all.ts   import.meta.glob('./*.ts')        →   KT0407
//! ```

use std::collections::BTreeSet;

use super::diagnostics;
use super::parts::Parts;
use super::reach::{Reach, has_endpoints};
use crate::diag::Diagnostic;
use crate::parse::ModuleGraph;
use crate::parse::summary::{SpecifierKind, SpecifierUse};
use crate::source::{FileId, Location};

/// Reports patterns in what the split prints for either side.
pub(super) fn check(graph: &ModuleGraph, parts: &Parts<'_>, reach: &Reach) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for module in graph.modules() {
        let runs = reach.server_modules.contains(&module.file);
        for (index, part) in parts.module(module.file).iter().enumerate() {
            let is_printed = runs || reach.client.contains(&(module.file, index));
            if let Some((_, span)) = part.globs.first().filter(|_| is_printed) {
                found.push(diagnostics::glob(&module.path, module.location(*span)));
            }
        }
    }
    found
}

/// The files of a set that the patterns of a file mean, each with the pattern that does.
pub(super) fn globbed(
    graph: &ModuleGraph,
    file: FileId,
    specifiers: &[SpecifierUse],
    candidates: &BTreeSet<FileId>,
) -> Vec<(FileId, Location)> {
    let globs = specifiers.iter().filter(|specifier| specifier.kind == SpecifierKind::Glob);
    let patterns = |text: &str| -> Vec<Pattern> {
        alternatives(text)
            .iter()
            .flat_map(|text| graph.patterns(file, text))
            .map(|path| Pattern::of(&path))
            .collect()
    };
    let mut found = Vec::new();
    for glob in globs {
        let mut lines = glob.text.lines();
        let taken = lines.next().map(patterns).unwrap_or_default();
        let without: Vec<Pattern> = lines.flat_map(patterns).collect();
        let means = |candidate: &&FileId| {
            let path = &graph.sources().file(**candidate).path;
            let is_meant = |pattern: &Pattern| pattern.means(path);
            **candidate != file && taken.iter().any(is_meant) && !without.iter().any(is_meant)
        };
        let at = Location { file, start: glob.start, end: glob.end };
        found.extend(candidates.iter().filter(means).map(|candidate| (*candidate, at)));
    }
    found
}

/// What server code is to a pattern.
pub(super) fn candidates(parts: &Parts<'_>, reach: &Reach, has_stubs: bool) -> BTreeSet<FileId> {
    let files = reach.server_only.keys().copied();
    files.filter(|file| !(has_stubs && has_endpoints(parts, *file))).collect()
}

/// `{a,b}.ts` → `a.ts`, `b.ts`. Braces within braces stay as they are.
fn alternatives(pattern: &str) -> Vec<String> {
    let mut found = vec![String::new()];
    let mut rest = pattern;
    while let Some((before, choices, after)) = braces(rest) {
        let mut all = Vec::new();
        for start in &found {
            all.extend(choices.split(',').map(|choice| format!("{start}{before}{choice}")));
        }
        if all.len() > ALTERNATIVES_MAX {
            break;
        }
        (found, rest) = (all, after);
    }
    found.iter().map(|start| format!("{start}{rest}")).collect()
}

fn braces(pattern: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = pattern.split_once('{')?;
    let (choices, after) = rest.split_once('}')?;
    Some((before, choices, after))
}

/// A pattern as a machine: the states behind each of its pieces.
struct Pattern(Vec<Piece>);

#[derive(Clone, Copy)]
enum Piece {
    Letter(char),
    /// `?`, `[a-z]`: one letter, whichever.
    One,
    /// `*`
    Name,
    /// `**/`
    Folders,
    /// `**` at the end
    Path,
}

impl Pattern {
    fn of(text: &str) -> Self {
        let (mut pieces, mut rest) = (Vec::new(), text);
        while let Some(first) = rest.chars().next() {
            let (piece, length) = match first {
                '*' if rest.starts_with("**/") => (Piece::Folders, 3),
                '*' if rest.starts_with("**") => (Piece::Path, 2),
                '*' => (Piece::Name, 1),
                '?' => (Piece::One, 1),
                '[' => (Piece::One, rest.find(']').map_or(1, |end| end + 1)),
                letter => (Piece::Letter(letter), letter.len_utf8()),
            };
            pieces.push(piece);
            rest = &rest[length..];
        }
        Self(pieces)
    }

    fn means(&self, path: &str) -> bool {
        let mut states = BTreeSet::from([0]);
        // Behind `**/`, where a folder's name has begun.
        let mut within: BTreeSet<usize> = BTreeSet::new();
        self.close(&mut states);
        for letter in path.chars() {
            let (mut next, mut next_within) = (BTreeSet::new(), BTreeSet::new());
            for state in &states {
                match self.0.get(*state) {
                    Some(Piece::Letter(wanted)) if *wanted == letter => drop(next.insert(state + 1)),
                    Some(Piece::One) if letter != '/' => drop(next.insert(state + 1)),
                    Some(Piece::Name) if letter != '/' => drop(next.insert(*state)),
                    Some(Piece::Path) => drop(next.insert(*state)),
                    Some(Piece::Folders) => drop(next_within.insert(*state)),
                    Some(Piece::Letter(_) | Piece::One | Piece::Name) | None => {}
                }
            }
            next_within.extend(&within);
            if letter == '/' {
                next.extend(&next_within);
            }
            self.close(&mut next);
            (states, within) = (next, next_within);
        }
        states.contains(&self.0.len())
    }

    /// Adds the states behind pieces that may be empty.
    fn close(&self, states: &mut BTreeSet<usize>) {
        for state in 0..self.0.len() {
            let may_be_empty = matches!(self.0[state], Piece::Name | Piece::Folders | Piece::Path);
            if may_be_empty && states.contains(&state) {
                states.insert(state + 1);
            }
        }
    }
}

/// What is beyond it means nothing.
const ALTERNATIVES_MAX: usize = 64;

#[cfg(test)]
mod tests {
    use super::{Pattern, alternatives};

    #[test]
    fn patterns_mean_what_they_mean_to_vite() {
        let means = |pattern: &str, path: &str| {
            alternatives(pattern).iter().any(|pattern| Pattern::of(pattern).means(path))
        };
        for (pattern, path) in [
            ("src/api/*.ts", "src/api/a.ts"),
            ("src/**/*.ts", "src/a.ts"),
            ("src/**/*.ts", "src/api/v1/a.ts"),
            ("src/**", "src/api/v1/a.ts"),
            ("src/{api,app}/*.{ts,tsx}", "src/app/b.tsx"),
            ("src/[ab].ts", "src/a.ts"),
            ("src/a?.ts", "src/ab.ts"),
            ("src/a.ts", "src/a.ts"),
        ] {
            assert!(means(pattern, path), "{pattern} {path}");
        }
        for (pattern, path) in [
            ("src/*.ts", "src/api/a.ts"),
            ("src/**/a.ts", "src/ba.ts"),
            ("src/api/*.ts", "src/api/a.tsx"),
            ("src/a?.ts", "src/a.ts"),
            ("src/{api}/a.ts", "src/app/a.ts"),
        ] {
            assert!(!means(pattern, path), "{pattern} {path}");
        }
    }
}
