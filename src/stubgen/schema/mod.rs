//! The wire schema: which FlatBuffers table carries which type, and where in it each field lies.
//!
//! ```text
//! CheckedContract → build.rs → WireSchema → app.fbs (fbs.rs), codecs (codec/)
//! ```
//!
//! Knows nothing of JavaScript. Offsets are fixed for each type, the widest fields first, so that writing a table needs no
//! arithmetic at run time.

mod build;
mod slots;

use super::StubError;
use crate::contract::{Contract, Literal, NumberWidth, TemplatePart, WireIds};

/// Every enum, union and table of a project, and the two tables of each endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WireSchema {
    /// Enums, in the order of first use.
    pub enums: Vec<EnumDef>,
    /// Template literal types, in the order of first use.
    pub templates: Vec<TemplateDef>,
    /// Unions, in the order of first use.
    pub unions: Vec<UnionDef>,
    /// Tables: requests and responses, object types, then what was made for values that are no tables of their own.
    pub tables: Vec<TableDef>,
    /// For each endpoint of the contract its tables.
    pub endpoints: Vec<EndpointTables>,
}

/// A place in [`WireSchema::tables`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct TableId(usize);

/// A place in [`WireSchema::enums`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct EnumId(usize);

/// A place in [`WireSchema::templates`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct TemplateId(usize);

/// A place in [`WireSchema::unions`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct UnionId(usize);

/// The tables of an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EndpointTables {
    /// One field for each parameter.
    pub request: TableId,
    /// The fields of the result where it is an object, else one field `value`, or none for `void`. Of a streamed result,
    /// what carries an item.
    pub response: TableId,
}

/// An enum: a union of literals, or `null` alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnumDef {
    /// Name in the schema.
    pub name: String,
    /// The values, in source order; the place is the number on the wire. `None` is `null`.
    pub values: Vec<Option<Literal>>,
    /// Their names in the schema.
    pub idents: Vec<String>,
}

/// A template literal type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateDef {
    /// Name in generated code.
    pub name: String,
    /// Its pieces.
    pub parts: Vec<TemplatePart>,
}

/// A union of members that are told apart by a number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnionDef {
    /// Name in the schema.
    pub name: String,
    /// The type in TypeScript's notation, for people.
    pub text: String,
    /// The members, in source order; the number on the wire is the place from 1, as 0 means none.
    pub members: Vec<UnionMember>,
}

/// A member of a union.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnionMember {
    /// The table that carries it.
    pub table: TableId,
    /// The value; where it is no table itself, that of the field `value` of a table that wraps it.
    pub kind: Kind,
}

/// A table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableDef {
    /// Name in the schema.
    pub name: String,
    /// What it carries.
    pub kind: TableKind,
    /// Fields, in source order.
    pub fields: Vec<FieldDef>,
    /// Slots: one for each field, one before it for the number of its member where it is a union, and one more for its
    /// null flag where it has one. Those of fields that are gone stay empty.
    pub slots: Vec<SlotDef>,
    /// Bytes of the table itself.
    pub size: u16,
    /// Whether it has fields of eight bytes.
    pub wide: bool,
}

/// What a table carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TableKind {
    /// An object with a property for each field.
    Object,
    /// A tuple with an element for each field.
    Tuple(TupleShape),
    /// An entry of a record or map, with the fields `key` and `value`.
    Entry(EntryOf),
    /// A value that must be a table where it is; it has the one field `value`.
    Item,
    /// The arguments of an endpoint.
    Request,
    /// The result of an endpoint.
    Response,
    /// The result of an endpoint that is always an object, laid out as that object's own table.
    ResponseOf(TableId),
}

/// How many elements a tuple has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TupleShape {
    /// Elements at the front that are always there.
    pub required: usize,
    /// The field that stands for any number of elements.
    pub rest: Option<usize>,
}

/// What an entry belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntryOf {
    /// `Record<string, …>`, also with keys of a template literal type.
    Record,
    /// `Record<number, …>`; the key travels as a number.
    NumberRecord,
    /// `Map`
    Map,
}

/// A field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldDef {
    /// Name of the property or parameter.
    pub name: String,
    /// Its slot.
    pub slot: usize,
    /// The slot of the number of a union's member.
    pub tag_slot: Option<usize>,
    /// The slot of the flag that tells null from absent.
    pub null_slot: Option<usize>,
    /// What may stand in place of a value.
    pub presence: Presence,
    /// The value.
    pub kind: Kind,
}

/// A slot of a vtable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlotDef {
    /// Name in the schema.
    pub name: String,
    /// Where the field lies in the table, in bytes; 0 for one that is gone.
    pub offset: u16,
}

impl SlotDef {
    /// Whether its field is gone.
    pub fn is_removed(&self) -> bool {
        self.offset == 0
    }
}

/// What may stand in place of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// Nothing.
    Required,
    /// `undefined`
    Optional,
    /// `null`
    Nullable,
    /// `undefined` and `null`
    OptionalNullable,
}

/// The value of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Stored in the table.
    Scalar(Scalar),
    /// UTF-8 text.
    String,
    /// UTF-8 text of one form.
    Template(TemplateId),
    /// `[ubyte]`
    Bytes,
    /// `[ubyte]` that hold a FlexBuffer.
    Dynamic,
    /// Another table.
    Table(TableId),
    /// A vector.
    Vector(Collection, Element),
    /// One of several tables.
    Union(UnionId),
}

/// What a vector is in JavaScript.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Collection {
    /// An array.
    Array,
    /// A `Set`.
    Set,
    /// A `Map`; its elements are entries.
    Map,
    /// An object whose keys are not listed; its elements are entries.
    Record,
}

/// An element of a vector.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Element {
    /// Stored in the vector.
    Scalar(Scalar),
    /// UTF-8 text.
    String,
    /// UTF-8 text of one form.
    Template(TemplateId),
    /// A table.
    Table(TableId),
}

/// A value of fixed size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scalar {
    /// One byte, 0 or 1.
    Bool,
    /// A number of the given width.
    Number(NumberWidth),
    /// 64 bits signed.
    BigInt,
    /// 64 bits unsigned.
    BigUint,
    /// Milliseconds since the epoch, 64 bits signed.
    Date,
    /// The place of the value in its enum: 8 bits, or 16 where there are more than 256 values.
    Enum(EnumId),
}

impl WireSchema {
    /// The schema of a contract that was never locked.
    ///
    /// # Errors
    /// A [`StubError`] for each type and endpoint that cannot be laid out.
    pub fn of(contract: &Contract) -> Result<Self, Vec<StubError>> {
        Self::with_ids(contract, &WireIds::default()).map(|(schema, _)| schema)
    }

    /// The schema of a contract whose fields keep their places, and the places to lock.
    ///
    /// # Errors
    /// A [`StubError`] for each type and endpoint that cannot be laid out.
    pub fn with_ids(contract: &Contract, locked: &WireIds) -> Result<(Self, WireIds), Vec<StubError>> {
        build::schema(contract, locked)
    }

    /// A table.
    pub fn table(&self, id: TableId) -> &TableDef {
        &self.tables[id.0]
    }

    /// An enum.
    pub fn enumeration(&self, id: EnumId) -> &EnumDef {
        &self.enums[id.0]
    }

    /// A template literal type.
    pub fn template(&self, id: TemplateId) -> &TemplateDef {
        &self.templates[id.0]
    }

    /// A union.
    pub fn union(&self, id: UnionId) -> &UnionDef {
        &self.unions[id.0]
    }

    /// Bytes that a scalar takes.
    pub fn scalar_size(&self, scalar: Scalar) -> u16 {
        slots::scalar_size(&self.enums, scalar)
    }

    /// Bytes that a field takes in its table.
    pub fn kind_size(&self, kind: Kind) -> u16 {
        slots::kind_size(&self.enums, kind)
    }

    /// Bytes that an element takes in its vector.
    pub fn element_size(&self, element: Element) -> u16 {
        match element {
            Element::Scalar(scalar) => self.scalar_size(scalar),
            Element::String | Element::Template(_) | Element::Table(_) => slots::REFERENCE_SIZE,
        }
    }

    /// The tables that a value consists of directly.
    pub fn tables_of(&self, kind: Kind) -> Vec<TableId> {
        match kind {
            Kind::Table(id) | Kind::Vector(_, Element::Table(id)) => vec![id],
            Kind::Union(id) => self.union(id).members.iter().map(|member| member.table).collect(),
            Kind::Scalar(_)
            | Kind::String
            | Kind::Template(_)
            | Kind::Bytes
            | Kind::Dynamic
            | Kind::Vector(_, Element::Scalar(_) | Element::String | Element::Template(_)) => Vec::new(),
        }
    }
}

impl EnumDef {
    /// Whether the values need 16 bits.
    pub fn is_wide(&self) -> bool {
        self.values.len() > 256
    }
}
