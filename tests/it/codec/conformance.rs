//! Conformance with flatc, byte for byte: generated types and values, batched so that one message carries many of them.
//!
//! ```text
//! types → WireSchema → app.fbs, codecs.js        value → (JavaScript, the JSON that flatc should make of it)
//! JavaScript → our bytes → flatc → JSON          compared with what was expected
//! that JSON → flatc → its bytes → our value      compared with the first value
//! ```

use super::sandbox_of;
use crate::support::contract::{
    Draft, array, enumeration, field, literals, map, nullable, object, optional, record, set, text, union,
};
use kontract::contract::{BigIntWidth, Literal, NumberWidth, RecordKey, TemplatePart, TupleElement, Ty};
use kontract::stubgen::WireSchema;
use kontract::stubgen::schema::{Collection, Element, FieldDef, Kind, Presence, Scalar, TableId, TableKind};
use serde_json::{Map, Value, json};
use std::fmt::Write as _;

#[test]
fn flatc_agrees_on_generated_types_and_values() {
    let pairs: usize = (0..CONTRACTS).map(check_contract).sum();
    assert!(pairs >= 2000, "{pairs} pairs");
}

/// One contract, whose endpoint takes a value of each of its types; gives their number.
fn check_contract(seed: u64) -> usize {
    let mut random = Random(seed);
    let draft = contract(&mut random);
    let schema = WireSchema::of(&draft.contract).expect("every generated type can be laid out");
    let request = schema.endpoints[0].request;
    let (args, expected) = Values { schema: &schema, random }.arguments(request);

    let sandbox = sandbox_of(&draft);
    sandbox.write("args.mjs", format!("export const args = {args};\n").as_bytes());
    sandbox.run("codec/conformance-write.mjs");
    sandbox.flatc(&["--schema", "--binary", "app.fbs"]);
    let root = ["--root-type", "kontract.BatchRequest", "app.fbs"];
    let read = [&["--json", "--strict-json", "--raw-binary"], &root[..], &["--", "batch.bin"]].concat();
    sandbox.flatc(&read);
    let made = std::fs::read(sandbox.path().join("batch.json")).expect("flatc wrote it");
    let made: Value = serde_json::from_slice(&made).expect("flatc writes JSON");
    assert_same(seed, "", &made, &expected);
    sandbox.flatc(&[&["--binary"], &root[..], &["batch.json"]].concat());
    sandbox.run("codec/conformance-read.mjs");
    schema.table(request).fields.len()
}

fn contract(random: &mut Random) -> Draft {
    let mut draft = Draft::new(&["src/batch.ts"]);
    for place in 0..4 {
        let kind = field("kind", enumeration(&[&format!("d{place}")]));
        let own = field("own?", ty(random, 2, place));
        draft.object(&format!("D{place}"), vec![kind, own]);
    }
    for place in 0..6 {
        let count = random.below(7);
        let mut fields: Vec<_> = (0..count)
            .map(|n| {
                let mark = if random.below(3) == 0 { "?" } else { "" };
                field(&format!("f{n}{mark}"), maybe(random, 2, place))
            })
            .collect();
        fields.push(field("self?", object(&format!("O{place}"))));
        draft.object(&format!("O{place}"), fields);
    }
    let types: Vec<(String, Ty)> = (0..TYPES)
        .map(|n| {
            let mark = if random.below(5) == 0 { "?" } else { "" };
            (format!("v{n}{mark}"), maybe(random, 3, 4))
        })
        .collect();
    let params: Vec<(&str, Ty)> = types.iter().map(|(name, ty)| (name.as_str(), ty.clone())).collect();
    draft.endpoint("src/batch.ts", "batch", &params, Ty::Void);
    draft
}

/// A type, sometimes with `null`.
fn maybe(random: &mut Random, depth: u32, objects: u64) -> Ty {
    let inner = ty(random, depth, objects);
    if random.below(6) == 0 { nullable(inner) } else { inner }
}

/// A type at most so deep, over the first few object types.
fn ty(random: &mut Random, depth: u32, objects: u64) -> Ty {
    if depth == 0 || random.below(4) == 0 {
        return leaf(random);
    }
    compound(random, depth, objects)
}

fn compound(random: &mut Random, depth: u32, objects: u64) -> Ty {
    match random.below(10) {
        0 | 1 => {
            let of = maybe(random, depth - 1, objects);
            array(if random.below(8) == 0 { optional(of) } else { of })
        }
        2 => set(ty(random, depth - 1, objects)),
        3 => map(leaf(random), maybe(random, depth - 1, objects)),
        4 => {
            let key = match random.below(3) {
                0 => RecordKey::String,
                1 => RecordKey::Number,
                _ => RecordKey::Template(vec![TemplatePart::Text("k-".to_owned()), TemplatePart::Number]),
            };
            record(key, maybe(random, depth - 1, objects))
        }
        5 | 6 => tuple(random, depth, objects),
        7 => choice(random, depth, objects),
        _ if objects > 0 => object(&format!("O{}", random.below(objects))),
        _ => leaf(random),
    }
}

fn tuple(random: &mut Random, depth: u32, objects: u64) -> Ty {
    let required = random.below(3);
    let further = random.below(3);
    let mut element = |optional: bool, rest: bool| TupleElement {
        name: None,
        ty: maybe(random, depth - 1, objects),
        optional,
        rest,
    };
    let mut elements: Vec<TupleElement> = (0..required).map(|_| element(false, false)).collect();
    match further {
        0 => elements.push(element(true, false)),
        1 => elements.push(element(false, true)),
        _ => {}
    }
    Ty::Tuple(elements)
}

/// A union whose members are told apart by their category or their literal, so that it is certain which one a value is.
fn choice(random: &mut Random, depth: u32, objects: u64) -> Ty {
    let mut members = vec![
        Ty::String,
        Ty::Number(NumberWidth::Float64),
        Ty::Date,
        Ty::Bytes,
        literals(&[Literal::Boolean(true)]),
        Ty::BigInt(BigIntWidth::Uint64),
        array(maybe(random, depth - 1, objects)),
        set(leaf(random)),
        map(leaf(random), leaf(random)),
        object("D0"),
        object("D1"),
        object("D2"),
        object("D3"),
    ];
    while members.len() > 2 && random.below(4) != 0 {
        let place = usize::try_from(random.below(members.len() as u64)).expect("below a length");
        members.remove(place);
    }
    union(&members)
}

fn leaf(random: &mut Random) -> Ty {
    let widths = [
        NumberWidth::Int8,
        NumberWidth::Int16,
        NumberWidth::Int32,
        NumberWidth::Uint8,
        NumberWidth::Uint16,
        NumberWidth::Uint32,
        NumberWidth::Float32,
        NumberWidth::Float64,
    ];
    let number = |n: &str| Literal::Number(n.to_owned());
    match random.below(14) {
        0 | 1 => Ty::String,
        2 => Ty::Boolean,
        3..=6 => Ty::Number(*random.one_of(&widths)),
        7 => Ty::BigInt(*random.one_of(&[BigIntWidth::Int64, BigIntWidth::Uint64])),
        8 => Ty::Date,
        9 => Ty::Bytes,
        10 => enumeration(&["good", "bad", "so-so"]),
        11 => literals(&[text("a"), number("1"), number("-2"), Literal::Boolean(false)]),
        12 => Ty::Template(vec![
            TemplatePart::Text("id-".to_owned()),
            TemplatePart::Number,
            TemplatePart::Text("/".to_owned()),
            TemplatePart::String,
        ]),
        _ => Ty::Dynamic("unknown".to_owned()),
    }
}

/// A value as JavaScript, and as flatc should print it.
type Made = (String, Value);

struct Values<'a> {
    schema: &'a WireSchema,
    random: Random,
}

impl Values<'_> {
    fn arguments(&mut self, request: TableId) -> Made {
        let (fields, json) = self.fields(request, 4);
        let args: Vec<String> =
            fields.into_iter().map(|field| field.unwrap_or_else(|| "undefined".to_owned())).collect();
        (format!("[{}]", args.join(",\n")), json)
    }

    /// The fields of a table as JavaScript, absent ones as `None`, and the whole table as JSON.
    fn fields(&mut self, table: TableId, depth: u32) -> (Vec<Option<String>>, Value) {
        let schema = self.schema;
        let def = schema.table(table);
        let (mut texts, mut json) = (Vec::new(), Map::new());
        for field in &def.fields {
            let name = &def.slots[field.slot].name;
            let kind = self.present(field, depth);
            let null = kind.is_none()
                && (field.presence == Presence::Nullable
                    || (field.presence == Presence::OptionalNullable && self.random.below(2) == 0));
            if let Some(slot) = field.null_slot {
                json.insert(def.slots[slot].name.clone(), Value::Bool(null));
            }
            let Some(kind) = kind else {
                texts.push(null.then(|| "null".to_owned()));
                continue;
            };
            if let Kind::Union(id) = kind {
                let members = &schema.union(id).members;
                let member = *self.random.one_of(members);
                let (text, value) = self.member(member.table, member.kind, depth);
                json.insert(format!("{name}_type"), json!(schema.table(member.table).name));
                json.insert(name.clone(), value);
                texts.push(Some(text));
                continue;
            }
            let (text, value) = self.value(kind, depth);
            json.insert(name.clone(), value);
            texts.push(Some(text));
        }
        (texts, Value::Object(json))
    }

    fn present(&mut self, field: &FieldDef, depth: u32) -> Option<Kind> {
        let optional = field.presence != Presence::Required;
        let absent = optional && (depth == 0 || self.random.below(3) == 0);
        (!absent).then_some(field.kind)
    }

    fn member(&mut self, table: TableId, kind: Kind, depth: u32) -> Made {
        if kind == Kind::Table(table) {
            return self.table(table, depth);
        }
        let (text, value) = self.value(kind, depth);
        (text, json!({ "value": value }))
    }

    fn value(&mut self, kind: Kind, depth: u32) -> Made {
        match kind {
            Kind::Scalar(scalar) => self.scalar(scalar),
            Kind::String => self.string(),
            Kind::Template(id) => self.template(&self.schema.template(id).parts),
            Kind::Bytes => self.bytes(),
            Kind::Dynamic => self.dynamic(depth),
            Kind::Table(id) => self.table(id, depth),
            Kind::Vector(collection, of) => self.vector(collection, of, depth),
            Kind::Union(_) => unreachable!("the table puts its number beside it"),
        }
    }

    fn table(&mut self, id: TableId, depth: u32) -> Made {
        let def = self.schema.table(id);
        let (texts, json) = self.fields(id, depth.saturating_sub(1));
        let text = match def.kind {
            TableKind::Object => {
                let named = def.fields.iter().zip(texts);
                let properties = named.filter_map(|(field, text)| Some(format!("{}: {}", field.name, text?)));
                format!("{{ {} }}", properties.collect::<Vec<_>>().join(", "))
            }
            TableKind::Tuple(of) => {
                let mut elements: Vec<String> = Vec::new();
                for (place, text) in texts.into_iter().enumerate() {
                    let text = text.unwrap_or_else(|| "undefined".to_owned());
                    elements.push(if Some(place) == of.rest { format!("...{text}") } else { text });
                }
                while elements.len() > of.required && elements.last().is_some_and(|text| text == "undefined")
                {
                    elements.pop();
                }
                format!("[{}]", elements.join(", "))
            }
            TableKind::Entry(_) => {
                let parts = texts.into_iter().map(|text| text.unwrap_or_else(|| "undefined".to_owned()));
                format!("[{}]", parts.collect::<Vec<_>>().join(", "))
            }
            TableKind::Item => texts.into_iter().next().flatten().unwrap_or_else(|| "undefined".to_owned()),
            TableKind::Request | TableKind::Response | TableKind::ResponseOf(_) => {
                unreachable!("messages are at the top")
            }
        };
        (text, json)
    }

    fn vector(&mut self, collection: Collection, of: Element, depth: u32) -> Made {
        let wanted = if depth == 0 { 0 } else { self.random.below(4) };
        let mut made: Vec<Made> = Vec::new();
        for _ in 0..wanted {
            let item = match of {
                Element::Scalar(scalar) => self.scalar(scalar),
                Element::String => self.string(),
                Element::Template(id) => self.template(&self.schema.template(id).parts),
                Element::Table(id) => self.table(id, depth - 1),
            };
            let key = |(text, json): &Made| match collection {
                Collection::Array => Value::Null,
                Collection::Set => json!(text),
                Collection::Map | Collection::Record => json["key"].clone(),
            };
            if collection == Collection::Array || made.iter().all(|other| key(other) != key(&item)) {
                made.push(item);
            }
        }
        if collection == Collection::Record {
            // JavaScript puts keys that are places of an array first, in their order.
            let place = |key: f64| if key.fract() == 0.0 { key.to_bits() } else { u64::MAX };
            made.sort_by_key(|(_, json)| json["key"].as_f64().map(place));
        }
        let (texts, json): (Vec<String>, Vec<Value>) = made.into_iter().unzip();
        let list = format!("[{}]", texts.join(", "));
        let text = match collection {
            Collection::Array => list,
            Collection::Set => format!("new Set({list})"),
            Collection::Map => format!("new Map({list})"),
            Collection::Record => format!("Object.fromEntries({list})"),
        };
        (text, Value::Array(json))
    }

    fn scalar(&mut self, scalar: Scalar) -> Made {
        let number = |value: i64| (value.to_string(), json!(value));
        match scalar {
            Scalar::Bool => {
                let value = self.random.below(2) == 0;
                (value.to_string(), json!(value))
            }
            Scalar::BigInt => {
                let value = *self.random.one_of(&[0, -1, i64::MIN, i64::MAX, 5]);
                (format!("{value}n"), json!(value))
            }
            Scalar::BigUint => {
                let value = *self.random.one_of(&[0, 1, u64::MAX, 1 << 63]);
                (format!("{value}n"), json!(value))
            }
            Scalar::Date => {
                let value = *self.random.one_of(&[0_i64, -1, 8_640_000_000_000_000, 1_763_000_000_123]);
                (format!("new Date({value})"), json!(value))
            }
            Scalar::Enum(id) => {
                let def = self.schema.enumeration(id);
                let places: Vec<usize> = (0..def.values.len()).collect();
                let place = *self.random.one_of(&places);
                let text = match &def.values[place] {
                    None => "null".to_owned(),
                    Some(Literal::String(text)) => json!(text).to_string(),
                    Some(Literal::Number(text)) => text.clone(),
                    Some(Literal::BigInt(digits)) => format!("{digits}n"),
                    Some(Literal::Boolean(value)) => value.to_string(),
                };
                (text, json!(def.idents[place]))
            }
            Scalar::Number(width) => match width {
                NumberWidth::Int8 => number(*self.random.one_of(&[0, -128, 127])),
                NumberWidth::Int16 => number(*self.random.one_of(&[0, -32768, 32767])),
                NumberWidth::Int32 => number(*self.random.one_of(&[0, -2_147_483_648, 2_147_483_647])),
                NumberWidth::Uint8 => number(*self.random.one_of(&[0, 255])),
                NumberWidth::Uint16 => number(*self.random.one_of(&[0, 65_535])),
                NumberWidth::Uint32 => number(*self.random.one_of(&[0, 4_294_967_295])),
                // Few digits, as flatc prints no more than twelve.
                NumberWidth::Float32 | NumberWidth::Float64 => {
                    let value = *self.random.one_of(&[0.0, 0.5, 3.0, 1024.25, 7.0, 12.0]);
                    (value.to_string(), json!(value))
                }
            },
        }
    }

    fn string(&mut self) -> Made {
        let words = ["", "a", "bc", "žluťoučký 🐎", "quote \" and \\", "line\nend", "x-y_z"];
        let text = json!(self.random.one_of(&words));
        (text.to_string(), text)
    }

    fn template(&mut self, parts: &[TemplatePart]) -> Made {
        let mut text = String::new();
        for part in parts {
            match part {
                TemplatePart::Text(piece) => text.push_str(piece),
                TemplatePart::String => {
                    let word: &&str = self.random.one_of(&["", "abc", "x/y"]);
                    text.push_str(word);
                }
                TemplatePart::Number => {
                    write!(text, "{}", self.random.below(1000)).expect("a String takes everything");
                }
                TemplatePart::BigInt => text.push('7'),
            }
        }
        (json!(text).to_string(), json!(text))
    }

    fn bytes(&mut self) -> Made {
        let count = self.random.below(5);
        let bytes: Vec<u64> = (0..count).map(|_| self.random.below(256)).collect();
        (format!("Uint8Array.from({})", json!(bytes)), json!(bytes))
    }

    /// What JSON has a form for, so that flatc knows it too.
    fn dynamic(&mut self, depth: u32) -> Made {
        let value = match self.json(depth.min(3)) {
            // To flatc a field that is null in JSON is one that is absent.
            Value::Null => json!([null]),
            value => value,
        };
        (value.to_string(), value)
    }

    fn json(&mut self, depth: u32) -> Value {
        match self.random.below(if depth == 0 { 5 } else { 7 }) {
            0 => Value::Null,
            1 => json!(self.random.below(2) == 0),
            2 => json!(*self.random.one_of(&[0, 1, -1, 127, 128, 300, -40_000, 5_000_000_000_i64])),
            3 => json!(*self.random.one_of(&[0.5, -1.25, 1024.5])),
            4 => self.string().1,
            5 => {
                let count = self.random.below(4);
                Value::Array((0..count).map(|_| self.json(depth - 1)).collect())
            }
            _ => {
                let count = self.random.below(4);
                let names = ["a", "b", "cc", "é"];
                let entry = |_| ((*self.random.one_of(&names)).to_owned(), self.json(depth - 1));
                Value::Object((0..count).map(entry).collect())
            }
        }
    }
}

fn assert_same(seed: u64, path: &str, made: &Value, expected: &Value) {
    let differs = || panic!("seed {seed}, {path}: flatc reads {made}, expected {expected}");
    match (made, expected) {
        (Value::Object(a), Value::Object(b)) => {
            for key in a.keys().chain(b.keys()) {
                let part = |of: &Map<String, Value>| of.get(key).cloned().unwrap_or(json!("absent"));
                assert_same(seed, &format!("{path}.{key}"), &part(a), &part(b));
            }
        }
        (Value::Array(a), Value::Array(b)) => {
            if a.len() != b.len() {
                differs();
            }
            for (place, (a, b)) in a.iter().zip(b).enumerate() {
                assert_same(seed, &format!("{path}[{place}]"), a, b);
            }
        }
        (Value::Number(a), Value::Number(b)) if a.is_f64() || b.is_f64() => {
            if a.as_f64() != b.as_f64() {
                differs();
            }
        }
        (a, b) => {
            if a != b {
                differs();
            }
        }
    }
}

/// SplitMix64.
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (word ^ (word >> 31)) % end
    }

    fn one_of<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        let place = self.below(items.len() as u64);
        &items[usize::try_from(place).expect("below a length")]
    }
}

const CONTRACTS: u64 = 40;
const TYPES: usize = 52;
