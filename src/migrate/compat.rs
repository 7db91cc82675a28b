//! Which clients and servers stop to understand each other when the contract of one lock becomes that of another.
//!
//! ```text
//! WireIds (deployed) + WireIds (sources) → Break: endpoint, field, who
//! ```
//!
//! Fields are found by their ids, so that a rename is none. A new optional field breaks nobody: who does not know it does not
//! send it. Names of types are compared as they are written, and what they consist of field by field.

use crate::contract::wire_ids::{WireEndpoint, WireField, WireIds};
use std::collections::{BTreeMap, BTreeSet};

/// What [`Break::what`] says of what is gone.
pub const REMOVED: &str = "was removed";

/// A change after which a call fails.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Break {
    /// The endpoint.
    pub endpoint: String,
    /// The field, parameter or result: `Entry.mood`, `text`; none where the endpoint itself is gone.
    pub field: Option<String>,
    /// What happened to it: `was removed`.
    pub what: String,
    /// Whose calls fail.
    pub who: Who,
}

/// Which pair of builds fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    /// A client of the old build against a server of the new one.
    OldClient,
    /// A client of the new build against a server of the old one.
    NewClient,
    /// Either.
    Both,
}

impl Who {
    /// For people.
    pub fn text(self) -> &'static str {
        match self {
            Self::OldClient => "old clients against the new server",
            Self::NewClient => "new clients against the old server",
            Self::Both => "old clients against the new server, and new clients against the old one",
        }
    }
}

/// Everything that breaks, by endpoint, then by field.
pub fn breaks(before: &WireIds, after: &WireIds) -> Vec<Break> {
    let mut found = Vec::new();
    for (name, old) in &before.endpoints {
        let mut add = |(field, what, who): Fault| {
            found.push(Break { endpoint: name.clone(), field, what, who });
        };
        let Some(new) = after.endpoints.get(name) else {
            add((None, REMOVED.to_owned(), Who::OldClient));
            continue;
        };
        endpoint_faults((before, old), (after, new)).into_iter().for_each(&mut add);
    }
    found
}

/// A field, what happened to it, and who fails.
type Fault = (Option<String>, String, Who);

fn endpoint_faults(
    (before, old): (&WireIds, &WireEndpoint),
    (after, new): (&WireIds, &WireEndpoint),
) -> Vec<Fault> {
    let mut faults = field_faults("", &old.params, &new.params, Way::Request);
    faults.extend(type_faults((before, &old.takes), (after, &new.takes), Way::Request));
    if let Some(who) = type_break(&old.returns, &new.returns, Way::Result) {
        let same_root = is_object(before, &old.returns) == is_object(after, &new.returns);
        let who = if same_root { who } else { Who::Both };
        faults.push((Some("the result".to_owned()), changed(&old.returns, &new.returns), who));
    }
    for fault in type_faults((before, &old.gives), (after, &new.gives), Way::Result) {
        match faults.iter_mut().find(|known| (&known.0, &known.1) == (&fault.0, &fault.1)) {
            Some(known) if known.2 != fault.2 => known.2 = Who::Both,
            Some(_) => {}
            None => faults.push(fault),
        }
    }
    faults
}

/// Whether a result, or an item of a streamed one, is an object and no message around it.
fn is_object(ids: &WireIds, returns: &str) -> bool {
    let item = returns.strip_prefix("AsyncIterable<").and_then(|rest| rest.strip_suffix('>'));
    ids.types.contains_key(item.unwrap_or(returns))
}

fn type_faults(
    (before, old): (&WireIds, &BTreeSet<String>),
    (after, new): (&WireIds, &BTreeSet<String>),
    way: Way,
) -> Vec<Fault> {
    // A type that only one of them has came or went with a field, which is said there.
    let both =
        old.intersection(new).filter_map(|key| Some((key, before.types.get(key)?, after.types.get(key)?)));
    both.flat_map(|(key, old, new)| field_faults(&format!("{key}."), old, new, way)).collect()
}

/// Which way a value goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// From client to server.
    Request,
    /// From server to client.
    Result,
}

impl Way {
    /// Who fails when what an old writer writes cannot be read by a new reader.
    fn old_writer(self) -> Who {
        match self {
            Self::Request => Who::OldClient,
            Self::Result => Who::NewClient,
        }
    }

    /// Who fails when what a new writer writes cannot be read by an old reader.
    fn new_writer(self) -> Who {
        match self {
            Self::Request => Who::NewClient,
            Self::Result => Who::OldClient,
        }
    }
}

fn field_faults(owner: &str, old: &[WireField], new: &[WireField], way: Way) -> Vec<Fault> {
    let live = |fields: &'_ [WireField]| -> BTreeMap<u32, WireField> {
        fields.iter().filter(|field| !field.removed).map(|field| (field.id, field.clone())).collect()
    };
    let (old, new) = (live(old), live(new));
    let mut faults = Vec::new();
    let mut add = |field: &WireField, what: String, who: Who| {
        faults.push((Some(format!("{owner}{}", field.name)), what, who));
    };
    for (id, old) in &old {
        // Another name at its id is a rename, unless its own name is elsewhere: then the two came from different locks.
        let stayed =
            new.get(id).filter(|at| at.name == old.name || new.values().all(|new| new.name != old.name));
        let Some(new) = stayed else {
            match new.values().find(|new| new.name == old.name) {
                Some(new) if new.ty == old.ty => {
                    add(old, format!("moved from id {id} to {}", new.id), Who::Both);
                }
                Some(new) => add(old, changed(&old.ty, &new.ty), Who::Both),
                None => {
                    if let Some(who) = removed(old, way) {
                        add(old, REMOVED.to_owned(), who);
                    }
                }
            }
            continue;
        };
        if let Some(who) = type_break(&old.ty, &new.ty, way) {
            add(new, changed(&old.ty, &new.ty), who);
        } else if old.null != new.null && old.null.is_some() {
            add(new, "moved its flag for null".to_owned(), Who::Both);
        }
        match (old.optional, new.optional) {
            (true, false) => add(new, "became required".to_owned(), way.old_writer()),
            (false, true) => add(new, "became optional".to_owned(), way.new_writer()),
            (false, false) | (true, true) => {}
        }
    }
    for (id, new) in &new {
        let known = old.contains_key(id) || old.values().any(|old| old.name == new.name);
        if !known && !new.optional {
            add(new, "is new and required".to_owned(), way.old_writer());
        }
    }
    faults
}

/// What an argument says would be lost; a result that lacks something fails where that is needed.
fn removed(field: &WireField, way: Way) -> Option<Who> {
    match (way, field.optional) {
        (Way::Request, true) | (Way::Result, false) => Some(Who::OldClient),
        (Way::Request, false) => Some(Who::Both),
        (Way::Result, true) => None,
    }
}

fn changed(old: &str, new: &str) -> String {
    format!("changed its type from `{old}` to `{new}`")
}

/// Who fails when a type becomes another.
fn type_break(old: &str, new: &str, way: Way) -> Option<Who> {
    if old == new {
        return None;
    }
    let (old, old_absent) = alternatives(old);
    let (new, new_absent) = alternatives(new);
    let values = if old == new {
        Some((false, false))
    } else {
        let alike = old.iter().chain(&new).all(|text| is_literal(text))
            || (old.len() > 1 && new.len() > 1 && !old.iter().chain(&new).any(|text| is_literal(text)));
        match alike {
            true if new.starts_with(&old) => Some((false, true)),
            true if old.starts_with(&new) => Some((true, false)),
            _ => None,
        }
    };
    // A message without the value is read as the absent one, so that more of them need a new reader.
    let Some((old_writer, new_writer)) = values else { return Some(Who::Both) };
    let old_writer = old_writer || old_absent.difference(&new_absent).next().is_some();
    let new_writer = new_writer || new_absent.difference(&old_absent).next().is_some();
    match (old_writer, new_writer) {
        (true, true) => Some(Who::Both),
        (true, false) => Some(way.old_writer()),
        (false, true) => Some(way.new_writer()),
        (false, false) => None,
    }
}

/// The members of a union at its top level, in their order, and which of `null` and `undefined` are among them.
fn alternatives(ty: &str) -> (Vec<&str>, BTreeSet<&str>) {
    let mut members = Vec::new();
    let (mut start, mut open, mut quote, mut escaped) = (0, 0_usize, None, false);
    for (at, c) in ty.char_indices() {
        match (quote, c) {
            _ if escaped => escaped = false,
            (Some(_), '\\') => escaped = true,
            (Some(end), _) if c == end => quote = None,
            (Some(_), _) => {}
            (None, '"' | '`') => quote = Some(c),
            (None, '(' | '[' | '<' | '{') => open += 1,
            (None, ')' | ']' | '>' | '}') => open = open.saturating_sub(1),
            (None, '|') if open == 0 => {
                members.push(ty[start..at].trim());
                start = at + 1;
            }
            (None, _) => {}
        }
    }
    members.push(ty[start..].trim());
    let absent = |text: &&str| matches!(*text, "null" | "undefined");
    let absences = members.iter().copied().filter(absent).collect();
    members.retain(|text| !absent(text));
    (members, absences)
}

fn is_literal(text: &str) -> bool {
    text.starts_with(|c: char| c == '"' || c == '-' || c.is_ascii_digit()) || matches!(text, "true" | "false")
}

#[cfg(test)]
mod tests {
    use super::{Way, Who, breaks, type_break};
    use crate::contract::wire_ids::{Wanted, WireEndpoint, WireIds, assign};

    #[test]
    fn types_grow_at_their_ends_and_nowhere_else() {
        for (old, new, request) in [
            ("string", "string", None),
            ("string", "number", Some(Who::Both)),
            ("int8", "int32", Some(Who::Both)),
            (r#""a" | "b""#, r#""a" | "b" | "c""#, Some(Who::NewClient)),
            (r#""a" | "b""#, r#""a""#, Some(Who::OldClient)),
            (r#""a" | "b""#, r#""b" | "a""#, Some(Who::Both)),
            (r#""a" | null"#, r#""a" | "b" | null"#, Some(Who::NewClient)),
            ("string", "string | null", Some(Who::NewClient)),
            ("string | null", "string", Some(Who::OldClient)),
            ("string", "string | number", Some(Who::Both)),
            ("string | number", "string | number | Date", Some(Who::NewClient)),
            ("Record<string, A | B>", "Record<string, A | B | C>", Some(Who::Both)),
            (r#""a|b""#, r#""a""#, Some(Who::Both)),
        ] {
            assert_eq!(type_break(old, new, Way::Request), request, "{old} → {new}");
            let result = request.map(|who| match who {
                Who::OldClient => Who::NewClient,
                Who::NewClient => Who::OldClient,
                Who::Both => Who::Both,
            });
            assert_eq!(type_break(old, new, Way::Result), result, "{old} → {new}");
        }
    }

    /// Endpoint `sign(entry: Entry): Entry` with these fields.
    fn ids(before: &WireIds, fields: &[&str]) -> WireIds {
        let wanted = |fields: &[&str]| {
            let field = |field: &&str| Wanted {
                name: field.trim_end_matches('?').to_owned(),
                ty: "string".to_owned(),
                optional: field.ends_with('?'),
                tagged: false,
                flagged: false,
            };
            fields.iter().map(field).collect()
        };
        let mut ids = WireIds::default();
        let known = before.types.get("Entry").map_or(&[][..], Vec::as_slice);
        ids.types.insert("Entry".to_owned(), assign(known, wanted(fields)));
        let keys = ["Entry".to_owned()];
        let endpoint = WireEndpoint {
            params: assign(&[], wanted(&["entry"])),
            returns: "Entry".to_owned(),
            takes: keys.clone().into(),
            gives: keys.into(),
        };
        ids.endpoints.insert("sign".to_owned(), endpoint);
        ids
    }

    fn said(before: &WireIds, after: &WireIds) -> Vec<(String, Who)> {
        let text = |found: super::Break| {
            let field = found.field.unwrap_or_default();
            (format!("{} {field} {}", found.endpoint, found.what), found.who)
        };
        breaks(before, after).into_iter().map(text).collect()
    }

    #[test]
    fn who_fails_is_said_for_each_change() {
        let before = ids(&WireIds::default(), &["a", "b?"]);
        let after = |fields: &[&str]| said(&before, &ids(&before, fields));
        let entry = |text: &str, who: Who| vec![(format!("sign Entry.{text}"), who)];
        assert_eq!(after(&["b?", "c?", "a"]), [], "reordered, and one more that may be absent");
        assert_eq!(after(&["a", "b?", "c"]), entry("c is new and required", Who::Both));
        assert_eq!(after(&["a"]), entry("b was removed", Who::OldClient));
        assert_eq!(after(&["b?"]), entry("a was removed", Who::Both));
        assert_eq!(after(&["a", "b"]), entry("b became required", Who::Both));
        assert_eq!(after(&["a?", "b?"]), entry("a became optional", Who::Both));
        let elsewhere = ids(&WireIds::default(), &["b?", "a"]);
        let moved = [entry("a moved from id 0 to 1", Who::Both), entry("b moved from id 1 to 0", Who::Both)];
        assert_eq!(said(&before, &elsewhere), moved.concat(), "ids that were not kept");
        let [one, two] = [["a", "b"], ["b", "a"]].map(|fields| ids(&WireIds::default(), &fields));
        assert_eq!(said(&one, &two), moved.concat(), "alike but for their ids");
        let gone = vec![("sign  was removed".to_owned(), Who::OldClient)];
        assert_eq!(said(&before, &WireIds::default()), gone);
    }

    #[test]
    fn a_result_that_is_no_longer_always_an_object_has_another_message() {
        let before = ids(&WireIds::default(), &["a"]);
        let returning = |returns: &str| {
            let mut after = before.clone();
            returns.clone_into(&mut after.endpoints.get_mut("sign").expect("it is there").returns);
            after
        };
        let who = |before: &WireIds, after: &WireIds| said(before, after).pop().map(|(_, who)| who);
        assert_eq!(who(&before, &returning("Entry | null")), Some(Who::Both));
        assert_eq!(who(&returning("Entry | null"), &before), Some(Who::Both));
        assert_eq!(who(&returning("string"), &returning("string | null")), Some(Who::OldClient));
        let [stream, maybe] = ["AsyncIterable<Entry>", "AsyncIterable<Entry | null>"].map(returning);
        assert_eq!(who(&stream, &maybe), Some(Who::Both));
    }

    #[test]
    fn a_result_fails_the_other_way_round() {
        let mut before = ids(&WireIds::default(), &["a", "b?"]);
        let mut after = ids(&before, &["b"]);
        for ids in [&mut before, &mut after] {
            let endpoint = ids.endpoints.get_mut("sign").expect("it is there");
            endpoint.takes.clear();
        }
        let entry = |text: &str, who: Who| (format!("sign Entry.{text}"), who);
        let expected = [entry("a was removed", Who::OldClient), entry("b became required", Who::NewClient)];
        assert_eq!(said(&before, &after), expected);
    }
}
