//! Template literal types: their making, what fits them, and what `infer` finds in them.
//!
//! ```text
//! `${'a' | 'b'}-${number}`   →   `a-${number}` | `b-${number}`
//! 'x-1' against `${infer A}-${infer B}`   →   A = 'x', B = '1'
//! ```

use std::rc::Rc;

use super::evaluator::Evaluator;
use super::model::{Case, Type, TypeId};
use crate::contract::{BigIntWidth, Literal};
use crate::parse::limits::UNION_MEMBERS_MAX;

impl<'g> Evaluator<'g> {
    /// The type of a template: a literal or a union of them where all is known.
    pub(super) fn template(&mut self, texts: &[Rc<str>], types: &[TypeId]) -> TypeId {
        let mut alternatives: Vec<(Vec<Rc<str>>, Vec<TypeId>)> =
            vec![(vec![Rc::clone(&texts[0])], Vec::new())];
        for (ty, text) in types.iter().zip(&texts[1..]) {
            let members = self.distributed(*ty);
            if members.is_empty() {
                return self.basic.never;
            }
            if alternatives.len().saturating_mul(members.len()) > UNION_MEMBERS_MAX {
                return self.basic.excess;
            }
            self.spend(alternatives.len() * members.len() / 4);
            let mut extended = Vec::with_capacity(alternatives.len() * members.len());
            for member in members {
                for (texts, types) in &alternatives {
                    let (mut texts, mut types) = (texts.clone(), types.clone());
                    self.append(member, text, &mut texts, &mut types);
                    extended.push((texts, types));
                }
            }
            // TypeScript's order: the first hole varies slowest.
            alternatives = extended;
        }
        let types: Vec<TypeId> = alternatives
            .into_iter()
            .map(|(texts, types)| match (texts.as_slice(), types.as_slice()) {
                ([text], []) => self.text(text),
                ([before, after], [only])
                    if before.is_empty()
                        && after.is_empty()
                        && matches!(self.get(*only), Type::String | Type::Mapping(..)) =>
                {
                    *only
                }
                _ => self.intern(Type::Template { texts: texts.into(), types: types.into() }),
            })
            .collect();
        self.union(&types)
    }

    fn append(&mut self, member: TypeId, text: &str, texts: &mut Vec<Rc<str>>, types: &mut Vec<TypeId>) {
        let last = texts.pop().unwrap_or_else(|| Rc::from(""));
        match self.get(member).clone() {
            Type::Literal { value, .. } | Type::Member { value: Some(value), .. } => {
                texts.push(Rc::from(format!("{last}{}{text}", literal_text(&value))));
            }
            Type::Null => texts.push(Rc::from(format!("{last}null{text}"))),
            Type::Undefined => texts.push(Rc::from(format!("{last}undefined{text}"))),
            Type::Template { texts: inner, types: inner_types } => {
                texts.push(Rc::from(format!("{last}{}", inner[0])));
                for (ty, inner_text) in inner_types.iter().zip(&inner[1..]) {
                    types.push(*ty);
                    texts.push(Rc::clone(inner_text));
                }
                let end = texts.pop().unwrap_or_else(|| Rc::from(""));
                texts.push(Rc::from(format!("{end}{text}")));
            }
            _ => {
                texts.push(last);
                types.push(member);
                texts.push(Rc::from(text));
            }
        }
    }

    /// Whether a string is one of those that a template or mapping stands for.
    pub(super) fn text_matches(&self, text: &str, target: TypeId) -> bool {
        match self.get(target) {
            Type::String | Type::Any => true,
            Type::Number(_) => reads_as_number(text),
            Type::BigInt(_) => reads_as_integer(text),
            Type::Boolean => matches!(text, "true" | "false"),
            Type::Literal { value, .. } => literal_text(value) == text,
            Type::Member { value: Some(value), .. } => literal_text(value) == text,
            Type::Mapping(case, inner) => case.apply(text) == text && self.text_matches(text, *inner),
            Type::Union(members) => members.iter().any(|member| self.text_matches(text, *member)),
            Type::Template { texts, types } => {
                let (texts, types) = (Rc::clone(texts), Rc::clone(types));
                split(text, &texts).is_some_and(|parts| {
                    parts.iter().zip(types.iter()).all(|(part, ty)| self.text_matches(part, *ty))
                })
            }
            _ => false,
        }
    }

    pub(super) fn template_relation(&mut self, source: TypeId, target: TypeId) -> bool {
        match (self.get(source).clone(), self.get(target).clone()) {
            (
                Type::Literal { value: Literal::String(text), .. }
                | Type::Member { value: Some(Literal::String(text)), .. },
                _,
            ) => self.text_matches(&text, target),
            (Type::Template { .. }, Type::Template { texts, types }) => self
                .template_matches(source, &texts, &types)
                .is_some_and(|found| found.into_iter().all(|(from, to)| self.is_hole(from, to))),
            (Type::Mapping(a, from), Type::Mapping(b, to)) => a == b && self.is_assignable(from, to),
            _ => false,
        }
    }

    /// Whether what stands at a hole of a template fits it.
    fn is_hole(&mut self, from: TypeId, to: TypeId) -> bool {
        if let Type::Literal { value: Literal::String(text), .. } = self.get(from).clone() {
            return self.text_matches(&text, to);
        }
        if let Type::Template { types, texts } = self.get(from).clone()
            && types.len() == 1
            && texts.iter().all(|text| text.is_empty())
        {
            return self.is_assignable(types[0], to);
        }
        self.is_assignable(from, to)
    }

    /// What stands at each hole of a template, for a literal or another template.
    pub(super) fn template_matches(
        &mut self,
        source: TypeId,
        texts: &[Rc<str>],
        types: &[TypeId],
    ) -> Option<Vec<(TypeId, TypeId)>> {
        match self.get(source).clone() {
            Type::Literal { value: Literal::String(text), .. }
            | Type::Member { value: Some(Literal::String(text)), .. } => {
                let parts = split(&text, texts)?;
                Some(parts.into_iter().map(|part| self.text(part)).zip(types.iter().copied()).collect())
            }
            Type::Template { texts: from, types: from_types } => {
                self.match_template(&from, &from_types, texts, types)
            }
            _ => None,
        }
    }

    /// A template against a template, as TypeScript matches them: from left to right, each hole as short as it can be.
    fn match_template(
        &mut self,
        from: &[Rc<str>],
        from_types: &[TypeId],
        texts: &[Rc<str>],
        types: &[TypeId],
    ) -> Option<Vec<(TypeId, TypeId)>> {
        let last = from.len() - 1;
        let (first_text, last_text) = (&texts[0], &texts[texts.len() - 1]);
        if !from[0].starts_with(&**first_text) || !from[last].ends_with(&**last_text) {
            return None;
        }
        if last == 0 {
            return None;
        }
        let mut found = Vec::new();
        let (mut segment, mut at) = (0, first_text.len());
        let end_at = from[last].len() - last_text.len();
        for (place, text) in texts[1..texts.len() - 1].iter().enumerate() {
            let (mut s, mut p) = (segment, at);
            if text.is_empty() {
                // One character, or the next hole.
                if p < from[s].len() {
                    p += from[s][p..].chars().next().map_or(1, char::len_utf8);
                } else if s < last {
                    (s, p) = (s + 1, 0);
                } else {
                    return None;
                }
            } else {
                loop {
                    if let Some(offset) = from[s].get(p..).and_then(|rest| rest.find(&**text)) {
                        p += offset;
                        break;
                    }
                    s += 1;
                    p = 0;
                    if s > last {
                        return None;
                    }
                }
            }
            let piece = self.piece(from, from_types, (segment, at), (s, p));
            found.push((piece, types[place]));
            (segment, at) = (s, p + text.len());
        }
        if segment > last || (segment == last && at > end_at) {
            return None;
        }
        let piece = self.piece(from, from_types, (segment, at), (last, end_at));
        found.push((piece, *types.last()?));
        Some(found)
    }

    fn piece(
        &mut self,
        texts: &[Rc<str>],
        types: &[TypeId],
        (from, at): (usize, usize),
        (to, end): (usize, usize),
    ) -> TypeId {
        if from == to {
            let text = texts[from][at..end].to_owned();
            return self.text(&text);
        }
        let mut inner: Vec<Rc<str>> = vec![Rc::from(&texts[from][at..])];
        inner.extend(texts[from + 1..to].iter().cloned());
        inner.push(Rc::from(&texts[to][..end]));
        self.template(&inner, &types[from..to])
    }

    /// A string as the primitive that a constraint wants.
    pub(super) fn text_as(&mut self, text: &str, constraint: TypeId) -> Option<TypeId> {
        for member in self.members_of_union(constraint) {
            let found = match self.get(member).clone() {
                Type::Number(_) if is_number_text(text) => {
                    Some(self.literal(Literal::Number(text.to_owned())))
                }
                Type::BigInt(BigIntWidth::Int64 | BigIntWidth::Uint64) if is_integer_text(text) => {
                    Some(self.literal(Literal::BigInt(text.to_owned())))
                }
                Type::Boolean if matches!(text, "true" | "false") => {
                    Some(self.literal(Literal::Boolean(text == "true")))
                }
                Type::Null if text == "null" => Some(self.basic.null),
                Type::Undefined if text == "undefined" => Some(self.basic.undefined),
                _ => None,
            };
            if found.is_some() {
                return found;
            }
        }
        None
    }
}

impl Case {
    /// Its name in TypeScript.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Upper => "Uppercase",
            Self::Lower => "Lowercase",
            Self::Capital => "Capitalize",
            Self::Uncapital => "Uncapitalize",
        }
    }
}

/// What stands between the texts: each piece as short as it can be, the last one the rest.
fn split<'t>(text: &'t str, texts: &[Rc<str>]) -> Option<Vec<&'t str>> {
    let (first, rest) = texts.split_first()?;
    let mut left = text.strip_prefix(&**first)?;
    let Some((last, middle)) = rest.split_last() else { return left.is_empty().then(Vec::new) };
    let mut parts = Vec::new();
    for between in middle {
        let at = if between.is_empty() { left.chars().next()?.len_utf8() } else { left.find(&**between)? };
        parts.push(&left[..at]);
        left = &left[at + between.len()..];
    }
    parts.push(left.strip_suffix(&**last)?);
    Some(parts)
}

/// A literal as a template shows it.
pub(super) fn literal_text(value: &Literal) -> String {
    match value {
        Literal::String(text) | Literal::Number(text) | Literal::BigInt(text) => text.clone(),
        Literal::Boolean(value) => value.to_string(),
    }
}

/// Whether a text is what a number prints as.
fn is_number_text(text: &str) -> bool {
    text.parse::<f64>().is_ok_and(|number| number.is_finite() && js_number(number) == text)
}

/// Whether JavaScript's `Number(text)` is finite.
fn reads_as_number(text: &str) -> bool {
    let inner = text.trim();
    let decimal = |text: &str| {
        let text = text.strip_prefix(['+', '-']).unwrap_or(text);
        let known = |c: char| c.is_ascii_digit() || matches!(c, '.' | 'e' | 'E' | '+' | '-');
        text.chars().all(known) && text.parse::<f64>().is_ok_and(f64::is_finite)
    };
    !text.is_empty() && (inner.is_empty() || in_other_base(inner) || decimal(inner))
}

fn reads_as_integer(text: &str) -> bool {
    is_integer_text(text) || in_other_base(text.strip_prefix('-').unwrap_or(text))
}

/// `0xff`, `0o17`, `0b11`
fn in_other_base(text: &str) -> bool {
    let Some(rest) = text.strip_prefix('0') else { return false };
    let mut chars = rest.chars();
    let base = match chars.next() {
        Some('x' | 'X') => 16,
        Some('o' | 'O') => 8,
        Some('b' | 'B') => 2,
        _ => return false,
    };
    let digits = chars.as_str();
    !digits.is_empty() && digits.chars().all(|digit| digit.is_digit(base))
}

fn is_integer_text(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    !digits.is_empty()
        && digits.chars().all(|c| c.is_ascii_digit())
        && (digits == "0" || !digits.starts_with('0'))
}

/// A number as JavaScript prints it.
pub(super) fn js_number(number: f64) -> String {
    if number == 0.0 {
        return "0".to_owned();
    }
    if !number.is_finite() {
        return if number.is_nan() {
            "NaN"
        } else if number > 0.0 {
            "Infinity"
        } else {
            "-Infinity"
        }
        .to_owned();
    }
    let size = number.abs();
    if (1e-6..1e21).contains(&size) {
        return number.to_string();
    }
    let text = format!("{number:e}");
    match text.split_once('e') {
        Some((digits, exponent)) if !exponent.starts_with('-') => format!("{digits}e+{exponent}"),
        _ => text,
    }
}
