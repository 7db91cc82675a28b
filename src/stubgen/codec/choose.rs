//! Which member of a union a value is.
//!
//! ```text
//! string | Circle | Square   →   function pickShape(value, depth) {
//!                                  const o = plain(value), k = o ? value.kind : undefined;
//!                                  if (typeof value === "string") return 1;
//!                                  if (k === "circle") return 2;
//!                                  if (k === "square") return 3;
//!                                  return 0;
//!                                }
//! ```
//!
//! A member that is alone in its category (strings, numbers, arrays, objects …) is known by that, objects with a literal
//! that tells them apart by it; what is wrong inside is then found when it is written, with its path. Only where neither
//! helps is a value compared with the whole type, some levels deep, and the first member in source order wins.

use super::names;
use super::names::count;
use super::write::is_inherited;
use crate::contract::{Literal, NumberWidth};
use crate::emit::build::{
    and, arrow, binary, boolean, call, conditional, constant, element, function, ident, if_else, member, not,
    null, number, number_of, ret, string, type_of, undefined,
};
use crate::stubgen::schema::{
    Collection, Element, EntryOf, EnumId, FieldDef, Kind, Presence, Scalar, TableDef, TableId, TableKind,
    TupleShape, UnionDef, UnionId, WireSchema,
};
use std::collections::{BTreeMap, BTreeSet};
use swc_ecma_ast::{BinaryOp, Expr, ModuleItem, Stmt};

/// How many objects deep a value is compared with a type. Each level may be tried once for each member, so that this bounds
/// what a hostile value costs.
pub(super) const DEPTH: u32 = 4;

/// The functions that pick members, and those that they ask.
pub(super) fn items(schema: &WireSchema, unions: &BTreeSet<UnionId>) -> Vec<ModuleItem> {
    let mut chooser = Chooser { schema, asked: BTreeSet::new() };
    let mut items: Vec<ModuleItem> = unions.iter().map(|id| chooser.pick_item(*id)).collect();
    let mut done = BTreeSet::new();
    while let Some(id) = chooser.asked.difference(&done).next().copied() {
        done.insert(id);
        items.push(chooser.is_item(id));
    }
    items
}

/// What a union wants, for errors.
pub(super) fn what(schema: &WireSchema, id: UnionId) -> String {
    let text = &schema.union(id).text;
    match text.char_indices().nth(TEXT_CHARS_MAX) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.clone(),
    }
}

struct Chooser<'a> {
    schema: &'a WireSchema,
    /// Tables whose types values are compared with.
    asked: BTreeSet<TableId>,
}

/// What `typeof` and the prototype tell of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Category {
    Null,
    Boolean,
    Number,
    BigInt,
    String,
    Date,
    Bytes,
    Array,
    Set,
    Map,
    Object,
}

impl Chooser<'_> {
    fn pick_item(&mut self, id: UnionId) -> ModuleItem {
        let schema = self.schema;
        let def = schema.union(id);
        let shares = self.shares(def);
        let literal = self.discriminant(def);
        let has_float = def.members.iter().any(|member| is_float(member.kind));
        let mut body = Vec::new();
        if let Some((name, _)) = &literal {
            body.push(constant("o", call(ident("plain"), vec![ident("value")])));
            body.push(constant("k", conditional(ident("o"), member(ident("value"), name), undefined())));
        }
        for (index, union_member) in def.members.iter().enumerate() {
            let kind = union_member.kind;
            let categories = self.categories(kind);
            let known = literal.as_ref().and_then(|(_, values)| values.get(&index));
            let test = match (known, &categories) {
                (Some(values), _) => any(values.iter().map(|value| self.one_of(*value))),
                (None, Some(own)) if own.iter().all(|category| shares[category] == 1) => {
                    any(own.iter().map(|category| category_test(*category, ident("value"))))
                }
                (None, _) => self.test(kind, ident("value")),
            };
            let test =
                if has_float && self.is_integer(kind) { and(not(is_minus_zero()), test) } else { test };
            body.push(if_else(test, vec![ret(number(count(index + 1)))], Vec::new()));
        }
        body.push(ret(number(0)));
        function(&names::pick(schema, id), &["value", "depth"], body)
    }

    /// Whether values are numbers of which none is -0.
    fn is_integer(&self, kind: Kind) -> bool {
        !is_float(kind) && self.categories(kind) == Some(BTreeSet::from([Category::Number]))
    }

    /// How many members there are in each category; a member of no particular one counts in all.
    fn shares(&self, def: &UnionDef) -> BTreeMap<Category, usize> {
        let mut shares: BTreeMap<Category, usize> =
            CATEGORIES.iter().map(|category| (*category, 0)).collect();
        for union_member in &def.members {
            let own = self.categories(union_member.kind);
            for (category, members) in &mut shares {
                *members += usize::from(own.as_ref().is_none_or(|own| own.contains(category)));
            }
        }
        shares
    }

    /// The property that tells every object of a union apart, and by the member's place the enum of its values there.
    fn discriminant(&self, def: &UnionDef) -> Option<(String, BTreeMap<usize, Vec<EnumId>>)> {
        let in_category =
            |kind: Kind| self.categories(kind).is_none_or(|own| own.contains(&Category::Object));
        let members: Vec<(usize, Kind)> = def
            .members
            .iter()
            .map(|member| member.kind)
            .enumerate()
            .filter(|(_, kind)| in_category(*kind))
            .collect();
        let table = |kind: &Kind| match kind {
            Kind::Table(id) if self.schema.table(*id).kind == TableKind::Object => {
                Some(self.schema.table(*id))
            }
            _ => None,
        };
        let tables: Vec<(usize, &TableDef)> =
            members.iter().map(|(index, kind)| Some((*index, table(kind)?))).collect::<Option<_>>()?;
        if tables.len() < 2 {
            return None;
        }
        let (_, first) = tables.first()?;
        let candidates = first.fields.iter().filter(|field| !is_inherited(&field.name));
        candidates.map(|field| &field.name).find_map(|name| {
            let enums: Vec<(usize, EnumId)> = tables
                .iter()
                .map(|(index, table)| Some((*index, enum_field(table, name)?)))
                .collect::<Option<_>>()?;
            let mut seen = BTreeSet::new();
            let mut values = enums.iter().flat_map(|(_, id)| &self.schema.enumeration(*id).values);
            let disjoint = values.all(|value| seen.insert(format!("{value:?}")));
            disjoint.then(|| (name.clone(), enums.into_iter().map(|(index, id)| (index, vec![id])).collect()))
        })
    }

    /// Whether `k` is a value of an enum.
    fn one_of(&self, id: EnumId) -> Expr {
        let def = self.schema.enumeration(id);
        if def.values.len() > VALUES_COMPARED_MAX {
            return includes(&names::values(self.schema, id), ident("k"));
        }
        any(def.values.iter().map(|value| {
            let value = match value {
                None => null(),
                Some(Literal::String(text)) => string(text),
                Some(Literal::Number(text)) => number_of(text),
                Some(Literal::Boolean(value)) => boolean(*value),
                Some(Literal::BigInt(_)) => return includes(&names::values(self.schema, id), ident("k")),
            };
            binary(BinaryOp::EqEqEq, ident("k"), value)
        }))
    }

    /// Categories that values may be in; `None` where that is every one.
    fn categories(&self, kind: Kind) -> Option<BTreeSet<Category>> {
        let one = |category: Category| Some(BTreeSet::from([category]));
        match kind {
            Kind::Scalar(Scalar::Bool) => one(Category::Boolean),
            Kind::Scalar(Scalar::Number(_)) => one(Category::Number),
            Kind::Scalar(Scalar::BigInt | Scalar::BigUint) => one(Category::BigInt),
            Kind::Scalar(Scalar::Date) => one(Category::Date),
            Kind::Scalar(Scalar::Enum(id)) => Some(
                self.schema
                    .enumeration(id)
                    .values
                    .iter()
                    .map(|value| literal_category(value.as_ref()))
                    .collect(),
            ),
            Kind::String | Kind::Template(_) => one(Category::String),
            Kind::Bytes => one(Category::Bytes),
            Kind::Table(id) => match self.schema.table(id).kind {
                TableKind::Object => one(Category::Object),
                TableKind::Tuple(_) => one(Category::Array),
                TableKind::Entry(_)
                | TableKind::Item
                | TableKind::Request
                | TableKind::Response
                | TableKind::ResponseOf(_) => None,
            },
            Kind::Vector(Collection::Array, _) => one(Category::Array),
            Kind::Vector(Collection::Set, _) => one(Category::Set),
            Kind::Vector(Collection::Map, _) => one(Category::Map),
            Kind::Vector(Collection::Record, _) => one(Category::Object),
            Kind::Union(_) | Kind::Dynamic => None,
        }
    }

    /// `function isPoint(value, depth)`
    fn is_item(&mut self, id: TableId) -> ModuleItem {
        let table = self.schema.table(id);
        let mut body = Vec::new();
        match table.kind {
            TableKind::Tuple(of) => self.tuple_stmts(table, of, &mut body),
            TableKind::Object
            | TableKind::Entry(_)
            | TableKind::Item
            | TableKind::Request
            | TableKind::Response
            | TableKind::ResponseOf(_) => self.object_stmts(table, &mut body),
        }
        function(&names::is(table), &["value", "depth"], body)
    }

    fn object_stmts(&mut self, table: &TableDef, body: &mut Vec<Stmt>) {
        let fields = member(ident(&names::shape(table)), "fields");
        let only = call(ident("only"), vec![ident("value"), fields]);
        body.push(unless(all([call(ident("plain"), vec![ident("value")]), only])));
        body.push(at_the_bottom());
        for field in &table.fields {
            let value = if is_inherited(&field.name) {
                call(ident("own"), vec![ident("value"), string(&field.name)])
            } else {
                member(ident("value"), &field.name)
            };
            let test = self.field_test(field, value);
            body.push(unless(test));
        }
        body.push(ret(boolean(true)));
    }

    fn tuple_stmts(&mut self, table: &TableDef, of: TupleShape, body: &mut Vec<Stmt>) {
        let length = || member(ident("value"), "length");
        let behind = of.rest.map_or(0, |rest| table.fields.len() - rest - 1);
        let min = binary(BinaryOp::GtEq, length(), number(count(of.required + behind)));
        let max = binary(BinaryOp::LtEq, length(), number(count(table.fields.len())));
        let is_array = category_test(Category::Array, ident("value"));
        body.push(unless(if of.rest.is_some() { all([is_array, min]) } else { all([is_array, min, max]) }));
        body.push(at_the_bottom());
        for (index, field) in table.fields.iter().enumerate() {
            let from_end = |n: usize| binary(BinaryOp::Sub, length(), number(count(n)));
            let test = match of.rest {
                Some(rest) if index == rest => {
                    let args = vec![number(count(rest)), from_end(behind)];
                    self.test(field.kind, call(member(ident("value"), "slice"), args))
                }
                Some(rest) if index > rest => {
                    self.field_test(field, element(ident("value"), from_end(table.fields.len() - index)))
                }
                _ => self.field_test(field, element(ident("value"), number(count(index)))),
            };
            body.push(unless(test));
        }
        body.push(ret(boolean(true)));
    }

    /// Whether an expression, which is evaluated more than once, has the type of a field.
    fn field_test(&mut self, field: &FieldDef, value: Expr) -> Expr {
        let test = self.test(field.kind, value.clone());
        let is = |other: Expr| binary(BinaryOp::EqEqEq, value.clone(), other);
        match field.presence {
            Presence::Required => test,
            Presence::Optional => any([is(undefined()), test]),
            Presence::Nullable => any([is(null()), test]),
            Presence::OptionalNullable => any([is(undefined()), is(null()), test]),
        }
    }

    fn test(&mut self, kind: Kind, value: Expr) -> Expr {
        match kind {
            Kind::Scalar(scalar) => self.scalar_test(scalar, value),
            Kind::String => category_test(Category::String, value),
            Kind::Template(id) => {
                let matches = call(ident(&names::pattern(self.schema, id)), vec![value.clone()]);
                all([category_test(Category::String, value), matches])
            }
            Kind::Bytes => category_test(Category::Bytes, value),
            Kind::Dynamic => boolean(true),
            Kind::Table(id) => self.table_test(id, value),
            Kind::Union(id) => {
                let picked = call(ident(&names::pick(self.schema, id)), vec![value, depth_below()]);
                binary(BinaryOp::NotEqEq, picked, number(0))
            }
            Kind::Vector(collection, of) => self.vector_test(collection, of, value),
        }
    }

    fn table_test(&mut self, id: TableId, value: Expr) -> Expr {
        let table = self.schema.table(id);
        match (table.kind, table.fields.first()) {
            (TableKind::Item, Some(field)) => self.field_test(field, value),
            _ => {
                self.asked.insert(id);
                call(ident(&names::is(table)), vec![value, depth_below()])
            }
        }
    }

    fn scalar_test(&self, scalar: Scalar, value: Expr) -> Expr {
        let whole =
            |min: &str, max: &str| call(ident("whole"), vec![value.clone(), number_of(min), number_of(max)]);
        let fits = |method: &str| {
            let cut = call(member(ident("BigInt"), method), vec![number(64), value.clone()]);
            let same = binary(BinaryOp::EqEqEq, cut, value.clone());
            all([category_test(Category::BigInt, value.clone()), same])
        };
        match scalar {
            Scalar::Bool => category_test(Category::Boolean, value),
            Scalar::BigInt => fits("asIntN"),
            Scalar::BigUint => fits("asUintN"),
            Scalar::Date => category_test(Category::Date, value),
            Scalar::Enum(id) => includes(&names::values(self.schema, id), value),
            Scalar::Number(width) => match width {
                NumberWidth::Int8 => whole("-128", "127"),
                NumberWidth::Int16 => whole("-32768", "32767"),
                NumberWidth::Int32 => whole("-2147483648", "2147483647"),
                NumberWidth::Uint8 => whole("0", "255"),
                NumberWidth::Uint16 => whole("0", "65535"),
                NumberWidth::Uint32 => whole("0", "4294967295"),
                NumberWidth::Float32 | NumberWidth::Float64 => category_test(Category::Number, value),
            },
        }
    }

    fn vector_test(&mut self, collection: Collection, of: Element, value: Expr) -> Expr {
        let each = match (collection, of) {
            (Collection::Map, Element::Table(id)) => {
                let fields = &self.schema.table(id).fields;
                let tests = fields.iter().enumerate();
                all(tests
                    .map(|(index, field)| self.field_test(field, element(ident("e"), number(count(index)))))
                    .collect::<Vec<_>>())
            }
            (Collection::Record, Element::Table(id)) => self.entry_test(self.schema.table(id)),
            (_, Element::Scalar(scalar)) => self.scalar_test(scalar, ident("e")),
            (_, Element::String) => self.test(Kind::String, ident("e")),
            (_, Element::Template(id)) => self.test(Kind::Template(id), ident("e")),
            (_, Element::Table(id)) => self.table_test(id, ident("e")),
        };
        let (category, list) = match collection {
            Collection::Array => (Category::Array, value.clone()),
            Collection::Set => (Category::Set, call(member(ident("Array"), "from"), vec![value.clone()])),
            Collection::Map => (Category::Map, call(member(ident("Array"), "from"), vec![value.clone()])),
            Collection::Record => {
                (Category::Object, call(member(ident("Object"), "entries"), vec![value.clone()]))
            }
        };
        all([category_test(category, value), call(member(list, "every"), vec![arrow(&["e"], each)])])
    }

    /// Whether the pair `e` is an entry of a record.
    fn entry_test(&mut self, table: &TableDef) -> Expr {
        let part = |index: u32| element(ident("e"), number(index));
        let numbers = table.kind == TableKind::Entry(EntryOf::NumberRecord);
        let tests = table.fields.iter().zip(0..).map(|(field, index)| {
            if index == 0 && numbers {
                call(ident("numeric"), vec![part(0)])
            } else {
                self.field_test(field, part(index))
            }
        });
        all(tests.collect::<Vec<_>>())
    }
}

fn is_float(kind: Kind) -> bool {
    matches!(kind, Kind::Scalar(Scalar::Number(NumberWidth::Float32 | NumberWidth::Float64)))
}

/// `Object.is(value, -0)`: a zero that only a float can be, which every comparison takes for 0.
fn is_minus_zero() -> Expr {
    call(member(ident("Object"), "is"), vec![ident("value"), number_of("-0")])
}

/// The enum of a property that is always there.
fn enum_field(table: &TableDef, name: &str) -> Option<EnumId> {
    let field = table.fields.iter().find(|field| field.name == name)?;
    match (field.kind, field.presence) {
        (Kind::Scalar(Scalar::Enum(id)), Presence::Required) => Some(id),
        _ => None,
    }
}

fn literal_category(value: Option<&Literal>) -> Category {
    match value {
        None => Category::Null,
        Some(Literal::String(_)) => Category::String,
        Some(Literal::Number(_)) => Category::Number,
        Some(Literal::BigInt(_)) => Category::BigInt,
        Some(Literal::Boolean(_)) => Category::Boolean,
    }
}

fn category_test(category: Category, value: Expr) -> Expr {
    let kind = |name: &str| binary(BinaryOp::EqEqEq, type_of(value.clone()), string(name));
    let instance = |name: &str| binary(BinaryOp::InstanceOf, value.clone(), ident(name));
    match category {
        Category::Null => binary(BinaryOp::EqEqEq, value, null()),
        Category::Boolean => kind("boolean"),
        Category::Number => kind("number"),
        Category::BigInt => kind("bigint"),
        Category::String => kind("string"),
        Category::Date => instance("Date"),
        Category::Bytes => instance("Uint8Array"),
        Category::Array => call(member(ident("Array"), "isArray"), vec![value]),
        Category::Set => instance("Set"),
        Category::Map => instance("Map"),
        Category::Object => call(ident("plain"), vec![value]),
    }
}

fn includes(values: &str, value: Expr) -> Expr {
    call(member(ident(values), "includes"), vec![value])
}

fn any(tests: impl IntoIterator<Item = Expr>) -> Expr {
    let joined = tests.into_iter().reduce(|left, right| binary(BinaryOp::LogicalOr, left, right));
    joined.unwrap_or_else(|| boolean(false))
}

fn all(tests: impl IntoIterator<Item = Expr>) -> Expr {
    let joined = tests.into_iter().reduce(and);
    joined.unwrap_or_else(|| boolean(true))
}

/// `if (!test) return false;`
fn unless(test: Expr) -> Stmt {
    if_else(not(test), vec![ret(boolean(false))], Vec::new())
}

/// `if (depth <= 0) return true;`
fn at_the_bottom() -> Stmt {
    let bottom = binary(BinaryOp::LtEq, ident("depth"), number(0));
    if_else(bottom, vec![ret(boolean(true))], Vec::new())
}

fn depth_below() -> Expr {
    binary(BinaryOp::Sub, ident("depth"), number(1))
}

const CATEGORIES: [Category; 11] = [
    Category::Null,
    Category::Boolean,
    Category::Number,
    Category::BigInt,
    Category::String,
    Category::Date,
    Category::Bytes,
    Category::Array,
    Category::Set,
    Category::Map,
    Category::Object,
];

/// Longer lists of literals are looked through instead of compared one by one.
const VALUES_COMPARED_MAX: usize = 8;

/// Longer types are cut in errors.
const TEXT_CHARS_MAX: usize = 120;
