//! Decorators of kontract's, put at random into real sources: each must be found again where it was put, and nothing
//! else may move.

use swc_common::{EqIgnoreSpan, Span};
use swc_ecma_ast::{ClassMember, Expr, ExprOrSpread, ModuleItem, Stmt};
use swc_ecma_visit::{Visit, VisitMut, VisitMutWith, VisitWith};

use super::packages::{CorpusFile, files};
use super::places::places;
use super::{tree, workers};
use crate::support::random::Random;
use kontract::parse::inspect::{Inspected, inspect};

#[test]
fn inserted_decorators_are_recovered_exactly() {
    let found = workers::map(files(), |index, file| {
        recover(file, &mut Random::new(SEED ^ u64::try_from(index).expect("few files")))
    });
    let wrong: Vec<&String> = found.iter().filter_map(|found| found.as_ref().err()).collect();
    let inserted: usize = found.iter().filter_map(|found| found.as_ref().ok()).sum();
    assert!(
        wrong.is_empty(),
        "{} of {} files:\n{}",
        wrong.len(),
        found.len(),
        wrong.iter().take(SHOWN_MAX).map(|wrong| wrong.as_str()).collect::<Vec<_>>().join("\n")
    );
    assert!(inserted >= INSERTED_MIN, "only {inserted} decorators were inserted");
}

/// A decorator that was put in.
struct Inserted {
    name: &'static str,
    /// With parentheses; empty without arguments.
    arguments: String,
    /// Offset of the `@` in the changed text.
    at: usize,
    /// Offset of the node in the text before.
    node: usize,
}

/// The number of decorators that were recovered.
fn recover(file: &CorpusFile, random: &mut Random) -> Result<usize, String> {
    let Ok(before) = inspect(&file.sources, file.id) else { return Ok(0) };
    let path = file.path();
    let text = before.text.clone();
    let (changed, inserted, shifts) = insert(&text, &before, random);
    if inserted.is_empty() {
        return Ok(0);
    }
    let changed = CorpusFile::new(path, changed);
    let after = inspect(&changed.sources, changed.id).map_err(|errors| {
        let at = errors
            .first()
            .and_then(|error| error.labels.first())
            .map_or(0, |label| label.location.start as usize);
        format!("{path}: {:?} `{}`", errors.first().map(|error| &error.message), around(changed.text(), at))
    })?;
    same_decorators(&inserted, &after, &shifts)
        .map_err(|(what, at)| format!("{path}: {what} `{}`", around(changed.text(), at)))?;
    let count = inserted.len();
    same_tree(before, after, &shifts)
        .map_err(|(what, at)| format!("{path}: {what} `{}`", around(changed.text(), at)))?;
    Ok(count)
}

/// How far what begins at an offset has moved: `(offset before, shift)` in order.
struct Shifts(Vec<(usize, usize)>);

impl Shifts {
    /// Where a token that began there begins.
    fn start(&self, at: usize) -> usize {
        let passed = self.0.partition_point(|(offset, _)| *offset <= at);
        at + passed.checked_sub(1).map_or(0, |last| self.0[last].1)
    }

    /// Where a token that ended there ends.
    fn end(&self, at: usize) -> usize {
        let passed = self.0.partition_point(|(offset, _)| *offset < at);
        at + passed.checked_sub(1).map_or(0, |last| self.0[last].1)
    }
}

fn insert(text: &str, before: &Inspected, random: &mut Random) -> (String, Vec<Inserted>, Shifts) {
    // A decorator of a name that the module declares is the module's own.
    let names: Vec<&'static str> = VOCABULARY.iter().copied().filter(|name| !text.contains(name)).collect();
    let mut changed = String::with_capacity(text.len() * 2);
    let mut inserted = Vec::new();
    let mut shifts = Shifts(Vec::new());
    let mut copied = 0;
    for (at, node) in places(&before.module, text) {
        if !random.one_in(3) {
            continue;
        }
        changed.push_str(&text[copied..at]);
        copied = at;
        // Without parentheses, those of what follows would be taken for the arguments.
        let call = text[at..].starts_with(['(', '<', '`']);
        for _ in 0..random.pick(&[1, 1, 1, 2, 3]) {
            let name = random.pick(&names);
            let arguments = if call || random.one_in(2) { arguments(random) } else { String::new() };
            let start = changed.len();
            changed.push('@');
            changed.push_str(name);
            if !arguments.is_empty() {
                changed.push_str(random.pick(&["", "", " ", "\n  ", "/* ( */"]));
                changed.push_str(&arguments);
            }
            changed.push_str(random.pick(&[
                " ",
                "\n",
                "\r\n  ",
                " /* @perm( */ ",
                " // it's ` @int8\n",
                "\t",
            ]));
            inserted.push(Inserted { name, arguments, at: start, node });
        }
        shifts.0.push((at, changed.len() - at));
    }
    changed.push_str(&text[copied..]);
    (changed, inserted, shifts)
}

/// An argument list in any of the spellings, with everything in it that can mislead a scanner.
fn arguments(random: &mut Random) -> String {
    let count = random.below(4);
    let blank = random.pick(&["", " ", "\n    ", " /* ) */ ", " // )\n"]);
    match random.below(4) {
        0 => format!("({blank})"),
        1 => {
            let fields = (0..count).map(|index| format!("k{index}:{blank}{}", random.pick(VALUES)));
            format!("({blank}{{ {} }}{blank})", fields.collect::<Vec<_>>().join(", "))
        }
        2 => {
            let named = (0..count).map(|index| format!("k{index}{blank}={blank}{}", random.pick(VALUES)));
            format!("({})", named.collect::<Vec<_>>().join(","))
        }
        _ => {
            let values = (0..count).map(|_| random.pick(VALUES).to_owned());
            format!("({blank}{}{blank})", values.collect::<Vec<_>>().join(&format!(",{blank}")))
        }
    }
}

fn same_decorators(inserted: &[Inserted], after: &Inspected, shifts: &Shifts) -> Result<(), (String, usize)> {
    let mut found: Vec<_> = after.decorators.iter().collect();
    found.sort_by_key(|decorator| decorator.location.start);
    for (wanted, found) in inserted.iter().zip(&found) {
        let node = shifts.start(wanted.node);
        // A node that begins with someone else's decorator begins before what is put behind that.
        let node_first = shifts.end(wanted.node);
        let right = found.name == wanted.name && found.location.start as usize == wanted.at;
        if !right || (found.node as usize != node && found.node as usize != node_first) {
            return Err((format!("@{} for {node} is found as {found:?}", wanted.name), wanted.at));
        }
        if !same_arguments(wanted, found.arguments.as_deref()) {
            return Err((format!("arguments of @{}: {}", wanted.name, wanted.arguments), wanted.at));
        }
    }
    if inserted.len() == found.len() {
        Ok(())
    } else {
        Err((format!("{} inserted, {} found", inserted.len(), found.len()), 0))
    }
}

fn same_arguments(wanted: &Inserted, found: Option<&[ExprOrSpread]>) -> bool {
    if wanted.arguments.is_empty() {
        return found.is_none();
    }
    let module = tree::parse("a.ts", &format!("f{}", wanted.arguments)).expect("arguments parse");
    let Some(ModuleItem::Stmt(Stmt::Expr(statement))) = module.body.first() else { return false };
    let Expr::Call(call) = &*statement.expr else { return false };
    found.is_some_and(|found| {
        found.len() == call.args.len() && found.iter().zip(&call.args).all(|(a, b)| a.eq_ignore_span(b))
    })
}

fn same_tree(before: Inspected, after: Inspected, shifts: &Shifts) -> Result<(), (String, usize)> {
    let (original, text) = (before.text, after.text);
    let (mut before, mut after) = (before.module, after.module);
    before.visit_mut_with(&mut NoEmpty);
    after.visit_mut_with(&mut NoEmpty);
    if !before.eq_ignore_span(&after) {
        return Err((format!("another tree: {}", tree::difference(before, after)), 0));
    }
    let (mut spans, mut moved) = (Spans::default(), Spans::default());
    before.visit_children_with(&mut spans);
    after.visit_children_with(&mut moved);
    for (span, moved) in spans.0.iter().zip(&moved.0).filter(|(span, _)| !span.is_dummy()) {
        let offsets = |span: &Span| (span.lo.0 as usize - 1, span.hi.0 as usize - 1);
        let ((start, end), actual) = (offsets(span), offsets(moved));
        let starts = [shifts.start(start), shifts.end(start)];
        let ends = [shifts.end(end), shifts.start(end)];
        // A member without a semicolon ends with the one that stands for the decorator behind it.
        let semicolon = text[..actual.1].ends_with(';') && !original[..end].ends_with(';');
        if !starts.contains(&actual.0) || !(ends.contains(&actual.1) || semicolon) {
            return Err((format!("{start}..{end} is at {actual:?}, not {starts:?} {ends:?}"), actual.0));
        }
    }
    Ok(())
}

#[derive(Default)]
struct Spans(Vec<Span>);

impl Visit for Spans {
    fn visit_span(&mut self, span: &Span) {
        self.0.push(*span);
    }
}

/// Takes out lone semicolons: one of them may stand for a blanked decorator.
struct NoEmpty;

impl VisitMut for NoEmpty {
    fn visit_mut_module_items(&mut self, items: &mut Vec<ModuleItem>) {
        items.retain(|item| !matches!(item, ModuleItem::Stmt(Stmt::Empty(_))));
        items.visit_mut_children_with(self);
    }

    fn visit_mut_stmts(&mut self, stmts: &mut Vec<Stmt>) {
        stmts.retain(|stmt| !matches!(stmt, Stmt::Empty(_)));
        stmts.visit_mut_children_with(self);
    }

    fn visit_mut_class_members(&mut self, members: &mut Vec<ClassMember>) {
        members.retain(|member| !matches!(member, ClassMember::Empty(_)));
        members.visit_mut_children_with(self);
    }
}

fn around(text: &str, at: usize) -> String {
    let at = text.floor_char_boundary(at);
    let start = text.floor_char_boundary(at.saturating_sub(80));
    let end = text.floor_char_boundary((at + 60).min(text.len()));
    format!("{}⟪{}", text[start..at].escape_debug(), text[at..end].escape_debug())
}

const SEED: u64 = 0x006b_6f6e_7472_6163;
const SHOWN_MAX: usize = 20;
const INSERTED_MIN: usize = 100_000;

const VOCABULARY: &[&str] = &[
    "backend", "mwfilter", "primkey", "perm", "index", "unique", "int8", "int16", "int32", "int64", "uint8",
    "uint16", "uint32", "uint64", "float32", "float64",
];

const VALUES: &[&str] = &[
    "1",
    "-0x1f",
    "'ad)min'",
    "\"a\\\"(b\"",
    "perms.RWX",
    "`a)-${`(${'v)'}`}1`",
    "/[/)@\"]\\)/g",
    "(a, b) => a / b",
    "[1, [2, (3)]]",
    "{ a: { b: ')' } }",
    "async function () { return /\\(/.test('@perm(') }",
    "x as unknown as Y<(a: string) => void>",
    "a ? (b) : c",
    "(1) / 2 / (3)",
    "true",
    "null",
    "`@backend(`",
];
