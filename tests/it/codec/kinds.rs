//! A contract with an endpoint for each kind of type beside plain fields and arrays, which gives back what it is given.

use crate::support::contract::{
    Draft, FLOAT64, INT32, array, enumeration, field, literals, map, nullable, number, object, optional,
    record, rest, set, text, tuple, union,
};
use kontract::contract::{BigIntWidth, Literal, NumberWidth, RecordKey, TemplatePart, TupleElement, Ty};

/// The contract; `fixtures/codec/kinds.mjs` has values for each endpoint.
pub(crate) fn draft() -> Draft {
    let mut draft = Draft::new(&["src/echo.ts"]);
    objects(&mut draft);
    for (name, ty) in literal_types().into_iter().chain(collections()).chain(unions()).chain(dynamics()) {
        draft.endpoint("src/echo.ts", &format!("echo{name}"), &[("value", ty.clone())], ty);
    }
    draft
}

fn objects(draft: &mut Draft) {
    draft.object("Point", vec![field("x", FLOAT64), field("y?", INT32)]);
    draft.object(
        "Circle",
        vec![field("kind", enumeration(&["circle"])), field("r", FLOAT64), field("at?", object("Point"))],
    );
    draft.object("Square", vec![field("kind", enumeration(&["square", "rect"])), field("side", FLOAT64)]);
    draft.object("Group", vec![field("kind", enumeration(&["group"])), field("of", array(shape()))]);
    draft.object("Named", vec![field("name", Ty::String), field("born?", Ty::Date)]);
    draft.object("Sized", vec![field("name", Ty::String), field("size", FLOAT64)]);
    draft.object("Odd", vec![field("constructor", Ty::String), field("toString?", FLOAT64)]);
    draft.object(
        "Tree",
        vec![field("value", union(&[FLOAT64, array(object("Tree"))])), field("meta?", tree_meta())],
    );
    draft.object("Low", vec![field("next?", low_or_high()), field("tail", Ty::String)]);
    draft.object("High", vec![field("next?", low_or_high()), field("tail", FLOAT64)]);
    let kinds = |mark: &str, wrap: &dyn Fn(Ty) -> Ty| {
        let all = literal_types().into_iter().chain(collections()).chain(unions()).chain(dynamics());
        all.map(|(name, ty)| field(&format!("{}{name}{mark}", name.to_lowercase()), wrap(ty))).collect()
    };
    draft.object("Maybe", kinds("?", &|ty| ty));
    draft.object("Both", kinds("?", &nullable));
    draft.endpoint("src/echo.ts", "echoMaybe", &[("value", object("Maybe"))], object("Maybe"));
    draft.endpoint("src/echo.ts", "echoBoth", &[("value", object("Both"))], object("Both"));
    draft.endpoint("src/echo.ts", "echoTree", &[("value", object("Tree"))], object("Tree"));
    draft.endpoint(
        "src/echo.ts",
        "echoGap",
        &[("value?", nullable(union(&[Ty::String, FLOAT64])))],
        optional(nullable(union(&[Ty::String, FLOAT64]))),
    );
}

fn literal_types() -> Vec<(&'static str, Ty)> {
    let mixed = [
        text("a"),
        Literal::Number("1".to_owned()),
        Literal::Number("-2.5".to_owned()),
        Literal::Number("1e+21".to_owned()),
        Literal::Boolean(true),
        Literal::BigInt("10".to_owned()),
        text("1"),
    ];
    let numbers = (0..3).map(|n| Literal::Number(n.to_string()));
    let user = || vec![TemplatePart::Text("user-".to_owned()), TemplatePart::Number];
    let pair = [TemplatePart::String, TemplatePart::Text("/".to_owned()), TemplatePart::BigInt];
    vec![
        ("Mixed", literals(&mixed)),
        ("Level", Ty::Literals(numbers.collect())),
        ("Null", Ty::Null),
        ("Nulls", array(Ty::Null)),
        ("Big", Ty::BigInt(BigIntWidth::Uint64)),
        ("Bigs", array(Ty::BigInt(BigIntWidth::Uint64))),
        ("User", Ty::Template(user())),
        ("Users", array(Ty::Template(user()))),
        ("Path", Ty::Template(pair.to_vec())),
        ("ByUser", record(RecordKey::Template(user()), FLOAT64)),
    ]
}

fn collections() -> Vec<(&'static str, Ty)> {
    let plain = |ty: Ty| TupleElement { name: None, ty, optional: false, rest: false };
    let maybe = |ty: Ty| TupleElement { name: None, ty, optional: true, rest: false };
    let named = |name: &str, ty: Ty| TupleElement { name: Some(name.to_owned()), ..plain(ty) };
    vec![
        ("Pair", tuple([named("left", Ty::String), named("right", FLOAT64)])),
        ("Holes", tuple([plain(nullable(Ty::String)), plain(optional(FLOAT64)), plain(Ty::Date)])),
        ("Some", tuple([plain(Ty::String), maybe(FLOAT64), maybe(Ty::Boolean)])),
        ("Rest", tuple([plain(Ty::String), rest(FLOAT64)])),
        ("Middle", tuple([plain(Ty::Boolean), rest(array(Ty::String)), plain(Ty::Date), plain(INT32)])),
        ("Tail", tuple([maybe(FLOAT64), rest(Ty::String)])),
        ("Nothing", tuple([])),
        ("Pairs", array(tuple([plain(object("Point")), plain(set(Ty::String))]))),
        ("Scores", record(RecordKey::String, FLOAT64)),
        ("Deep", record(RecordKey::String, record(RecordKey::Number, optional(array(Ty::Date))))),
        ("Points", record(RecordKey::Number, object("Point"))),
        ("Dates", map(Ty::Date, nullable(Ty::Bytes))),
        ("Index", map(nullable(FLOAT64), optional(set(object("Point"))))),
        ("Moods", map(enumeration(&["good", "bad"]), Ty::Boolean)),
        ("Tags", set(Ty::String)),
        ("Numbers", set(FLOAT64)),
        ("Rows", set(array(INT32))),
        ("Mixes", set(union(&[Ty::String, FLOAT64]))),
        ("Grid", array(map(Ty::String, Ty::String))),
    ]
}

fn unions() -> Vec<(&'static str, Ty)> {
    let labelled = vec![TemplatePart::Text("#".to_owned()), TemplatePart::String];
    let pair = tuple([rest(FLOAT64)]);
    vec![
        ("Id", union(&[Ty::String, FLOAT64])),
        (
            "Many",
            union(&[
                Ty::Date,
                Ty::Bytes,
                Ty::Boolean,
                Ty::BigInt(BigIntWidth::Int64),
                enumeration(&["x", "y"]),
            ]),
        ),
        ("Shape", shape()),
        ("Shapes", array(nullable(shape()))),
        ("Thing", union(&[object("Named"), object("Sized")])),
        (
            "Flags",
            union(&[
                literals(&[text("on"), Literal::Boolean(false), Literal::Number("0".to_owned())]),
                object("Odd"),
            ]),
        ),
        ("Ints", union(&[number(NumberWidth::Int8), number(NumberWidth::Uint32), FLOAT64])),
        ("Bigger", union(&[Ty::BigInt(BigIntWidth::Int64), Ty::BigInt(BigIntWidth::Uint64)])),
        ("Label", union(&[Ty::Template(labelled), enumeration(&["none"]), Ty::String])),
        ("Lists", union(&[array(Ty::String), pair, array(union(&[Ty::String, FLOAT64]))])),
        (
            "Holders",
            union(&[set(Ty::String), set(FLOAT64), map(Ty::String, FLOAT64), map(FLOAT64, Ty::Date)]),
        ),
        (
            "Dicts",
            union(&[
                record(RecordKey::Number, Ty::String),
                record(RecordKey::String, FLOAT64),
                object("Named"),
            ]),
        ),
        ("Step", low_or_high()),
    ]
}

fn dynamics() -> Vec<(&'static str, Ty)> {
    let any = || Ty::Dynamic("unknown".to_owned());
    vec![("Any", any()), ("Anys", array(any())), ("ByName", record(RecordKey::String, any()))]
}

fn shape() -> Ty {
    union(&[object("Circle"), object("Square"), object("Group"), Ty::String])
}

fn low_or_high() -> Ty {
    union(&[object("Low"), object("High")])
}

fn tree_meta() -> Ty {
    map(Ty::String, union(&[Ty::String, object("Tree")]))
}
