//! The wire schema: which FlatBuffers table carries which type, and where in it each field lies.
//!
//! ```text
//! CheckedContract → WireSchema → app.fbs (fbs.rs), codecs (codec/)
//! ```
//!
//! Knows nothing of JavaScript. Slots follow the order of the source; offsets are fixed for each type, the widest
//! fields first, so that writing a table needs no arithmetic at run time.

use super::StubError;
use super::names::{Names, upper_camel};
use crate::contract::signature::{Numbers, ty_text};
use crate::contract::{BigIntWidth, Contract, Endpoint, Literal, NumberWidth, ObjectType, Ty};
use crate::source::Location;
use std::collections::BTreeMap;

/// Every table and enum of a project, and the two tables of each endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WireSchema {
    /// Enums, in the order of first use.
    pub enums: Vec<EnumDef>,
    /// Tables: requests and responses, object types, then wrappers of array elements.
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

/// The tables of an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EndpointTables {
    /// One field for each parameter.
    pub request: TableId,
    /// One field `value`, or none for `void`.
    pub response: TableId,
}

/// An enum of strings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnumDef {
    /// Name in the schema.
    pub name: String,
    /// The strings, in source order; the place is the number on the wire.
    pub values: Vec<String>,
    /// Their names in the schema.
    pub idents: Vec<String>,
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
    /// Slots: one for each field, and one behind it for its null flag where it has one.
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
    /// An element of an array that cannot be an element of a vector; it has the one field `value`.
    Item,
    /// The arguments of an endpoint.
    Request,
    /// The result of an endpoint.
    Response,
}

/// A field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldDef {
    /// Name of the property or parameter.
    pub name: String,
    /// Its slot.
    pub slot: usize,
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
    /// Where the field lies in the table, in bytes.
    pub offset: u16,
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
    /// `[ubyte]`
    Bytes,
    /// Another table.
    Table(TableId),
    /// A vector.
    Vector(Element),
}

/// An element of a vector.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Element {
    /// Stored in the vector.
    Scalar(Scalar),
    /// UTF-8 text.
    String,
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
    /// Milliseconds since the epoch, 64 bits signed.
    Date,
    /// The place of the value in its enum: 8 bits, or 16 where there are more than 256 values.
    Enum(EnumId),
}

impl WireSchema {
    /// The schema of a contract.
    ///
    /// # Errors
    /// [`StubError`] for a type that cannot be laid out.
    pub fn of(contract: &Contract) -> Result<Self, StubError> {
        Builder::default().schema(contract)
    }

    /// A table.
    pub fn table(&self, id: TableId) -> &TableDef {
        &self.tables[id.0]
    }

    /// An enum.
    pub fn enumeration(&self, id: EnumId) -> &EnumDef {
        &self.enums[id.0]
    }

    /// Bytes that a scalar takes.
    pub fn scalar_size(&self, scalar: Scalar) -> u16 {
        scalar_size(&self.enums, scalar)
    }

    /// Bytes that a field takes in its table.
    pub fn kind_size(&self, kind: Kind) -> u16 {
        kind_size(&self.enums, kind)
    }

    /// Bytes that an element takes in its vector.
    pub fn element_size(&self, element: Element) -> u16 {
        match element {
            Element::Scalar(scalar) => self.scalar_size(scalar),
            Element::String | Element::Table(_) => REFERENCE_SIZE,
        }
    }
}

impl EnumDef {
    /// Whether the values need 16 bits.
    pub fn is_wide(&self) -> bool {
        self.values.len() > 256
    }
}

#[derive(Debug, Default)]
struct Builder {
    names: Names,
    enums: Vec<EnumDef>,
    tables: Vec<TableDef>,
    objects: BTreeMap<String, TableId>,
    /// Wrappers by the type they carry, so that equal types share one.
    items: Vec<(Ty, TableId)>,
}

/// A field before it has a place: its name and type, and where it is declared.
struct Member<'a> {
    name: &'a str,
    ty: &'a Ty,
    optional: bool,
    location: Location,
}

impl Builder {
    fn schema(mut self, contract: &Contract) -> Result<WireSchema, StubError> {
        let endpoints: Vec<EndpointTables> =
            contract.endpoints.iter().map(|e| self.declare_endpoint(e)).collect();
        for key in contract.types.keys() {
            let table = self.declare(key, TableKind::Object);
            self.objects.insert(key.clone(), table);
        }
        for (key, object) in &contract.types {
            self.define_object(self.objects[key], object)?;
        }
        for (endpoint, tables) in contract.endpoints.iter().zip(&endpoints) {
            self.define_endpoint(endpoint, *tables)?;
        }
        Ok(WireSchema { enums: self.enums, tables: self.tables, endpoints })
    }

    fn declare(&mut self, wanted: &str, kind: TableKind) -> TableId {
        let name = self.names.unique(wanted);
        self.tables.push(TableDef {
            name,
            kind,
            fields: Vec::new(),
            slots: Vec::new(),
            size: 4,
            wide: false,
        });
        TableId(self.tables.len() - 1)
    }

    fn declare_endpoint(&mut self, endpoint: &Endpoint) -> EndpointTables {
        let name = upper_camel(&endpoint.name);
        EndpointTables {
            request: self.declare(&format!("{name}Request"), TableKind::Request),
            response: self.declare(&format!("{name}Response"), TableKind::Response),
        }
    }

    fn define_object(&mut self, id: TableId, object: &ObjectType) -> Result<(), StubError> {
        let members = object.fields.iter().map(|field| Member {
            name: &field.name,
            ty: &field.ty,
            optional: field.optional,
            location: field.location,
        });
        self.define(id, members, object.location)
    }

    fn define_endpoint(&mut self, endpoint: &Endpoint, tables: EndpointTables) -> Result<(), StubError> {
        let params = endpoint.params.iter().map(|param| Member {
            name: &param.name,
            ty: &param.ty,
            optional: param.optional,
            location: param.location,
        });
        self.define(tables.request, params, endpoint.location)?;
        let (_, inner) = peel(&endpoint.returns, false);
        let result = (*inner != Ty::Void).then_some(Member {
            name: "value",
            ty: &endpoint.returns,
            optional: false,
            location: endpoint.location,
        });
        self.define(tables.response, result.into_iter(), endpoint.location)
    }

    fn define<'a>(
        &mut self,
        id: TableId,
        members: impl Iterator<Item = Member<'a>>,
        location: Location,
    ) -> Result<(), StubError> {
        let mut fields = Vec::new();
        let mut slots = Slots::default();
        for member in members {
            let place = format!("{}_{}", self.tables[id.0].name, member.name);
            let (presence, inner) = peel(member.ty, member.optional);
            let kind = self.kind(inner, &place, member.location)?;
            if member.name == "__proto__" {
                return Err(StubError::ProtoField { location: member.location });
            }
            let slot = slots.add(member.name, kind_size(&self.enums, kind));
            let null_slot = (presence == Presence::OptionalNullable)
                .then(|| slots.add(&format!("{}_null", member.name), kind_size(&self.enums, NULL_FLAG)));
            fields.push(FieldDef { name: member.name.to_owned(), slot, null_slot, presence, kind });
        }
        let table = &mut self.tables[id.0];
        if slots.sizes.len() > SLOTS_MAX {
            return Err(StubError::TooManyFields {
                table: table.name.clone(),
                slots_max: SLOTS_MAX,
                location,
            });
        }
        table.fields = fields;
        (table.slots, table.size, table.wide) = slots.place();
        Ok(())
    }

    fn kind(&mut self, ty: &Ty, place: &str, location: Location) -> Result<Kind, StubError> {
        Ok(match ty {
            Ty::String => Kind::String,
            Ty::Boolean => Kind::Scalar(Scalar::Bool),
            Ty::Number(width) => Kind::Scalar(Scalar::Number(*width)),
            Ty::BigInt(BigIntWidth::Int64) => Kind::Scalar(Scalar::BigInt),
            Ty::Date => Kind::Scalar(Scalar::Date),
            Ty::Bytes => Kind::Bytes,
            Ty::Literals(values) => {
                let texts: Option<Vec<String>> = values.iter().map(string_literal).collect();
                let texts = texts.ok_or_else(|| unsupported(ty, location))?;
                Kind::Scalar(Scalar::Enum(self.enumeration(&texts, place, location)?))
            }
            Ty::Array(element) => Kind::Vector(self.element(element, place, location)?),
            Ty::Object(key) => Kind::Table(self.object(key, location)?),
            Ty::Void => return Err(StubError::VoidInside { location }),
            Ty::Nullable(_) | Ty::Optional(_) => Kind::Table(self.item(ty, place, location)?),
            Ty::BigInt(BigIntWidth::Uint64)
            | Ty::Null
            | Ty::Template(_)
            | Ty::Tuple(_)
            | Ty::Record(..)
            | Ty::Map(..)
            | Ty::Set(_)
            | Ty::Union(_)
            | Ty::Dynamic(_)
            | Ty::Stream(_)
            | Ty::ByteStream
            | Ty::Blob
            | Ty::File => return Err(unsupported(ty, location)),
        })
    }

    fn element(&mut self, ty: &Ty, place: &str, location: Location) -> Result<Element, StubError> {
        Ok(match ty {
            Ty::Bytes | Ty::Array(_) | Ty::Nullable(_) | Ty::Optional(_) => {
                Element::Table(self.item(ty, place, location)?)
            }
            _ => match self.kind(ty, place, location)? {
                Kind::Scalar(scalar) => Element::Scalar(scalar),
                Kind::String => Element::String,
                Kind::Table(table) => Element::Table(table),
                Kind::Bytes | Kind::Vector(_) => Element::Table(self.item(ty, place, location)?),
            },
        })
    }

    fn object(&self, key: &str, location: Location) -> Result<TableId, StubError> {
        let unknown = || StubError::UnknownType { name: key.to_owned(), location };
        self.objects.get(key).copied().ok_or_else(unknown)
    }

    fn item(&mut self, ty: &Ty, place: &str, location: Location) -> Result<TableId, StubError> {
        if let Some((_, table)) = self.items.iter().find(|(known, _)| known == ty) {
            return Ok(*table);
        }
        let table = self.declare(&format!("{}Item", upper_camel(place)), TableKind::Item);
        self.items.push((ty.clone(), table));
        let member = Member { name: "value", ty, optional: false, location };
        self.define(table, std::iter::once(member), location)?;
        Ok(table)
    }

    fn enumeration(
        &mut self,
        values: &[String],
        place: &str,
        location: Location,
    ) -> Result<EnumId, StubError> {
        if let Some(known) = self.enums.iter().position(|known| known.values == values) {
            return Ok(EnumId(known));
        }
        if values.is_empty() || values.len() > ENUM_VALUES_MAX {
            return Err(StubError::EnumSize { values: values.len(), values_max: ENUM_VALUES_MAX, location });
        }
        let name = self.names.unique(&upper_camel(place));
        let mut names = Names::default();
        let idents = values.iter().map(|value| names.unique(value)).collect();
        self.enums.push(EnumDef { name, values: values.to_vec(), idents });
        Ok(EnumId(self.enums.len() - 1))
    }
}

fn unsupported(ty: &Ty, location: Location) -> StubError {
    StubError::Unsupported { ty: ty_text(ty, Numbers::Widths), location }
}

fn string_literal(literal: &Literal) -> Option<String> {
    match literal {
        Literal::String(text) => Some(text.clone()),
        Literal::Number(_) | Literal::BigInt(_) | Literal::Boolean(_) => None,
    }
}

/// Slots of a table while they are collected.
#[derive(Default)]
struct Slots {
    wanted: Vec<String>,
    sizes: Vec<u16>,
}

impl Slots {
    fn add(&mut self, name: &str, size: u16) -> usize {
        self.wanted.push(name.to_owned());
        self.sizes.push(size);
        self.sizes.len() - 1
    }

    /// Names and offsets, the table's size, and whether it has fields of eight bytes.
    fn place(self) -> (Vec<SlotDef>, u16, bool) {
        let mut offsets = vec![0; self.sizes.len()];
        let mut end = 4;
        for width in [8, 4, 2, 1] {
            for (offset, size) in offsets.iter_mut().zip(&self.sizes) {
                if *size == width {
                    *offset = end;
                    end += width;
                }
            }
        }
        let mut names = Names::default();
        let mut slots: Vec<SlotDef> = Vec::with_capacity(offsets.len());
        for (wanted, offset) in self.wanted.iter().zip(offsets) {
            let clashes = ACCESSOR_SUFFIXES.iter().any(|suffix| wanted.ends_with(suffix));
            let name = names.unique(&if clashes { format!("{wanted}_") } else { wanted.clone() });
            slots.push(SlotDef { name, offset });
        }
        (slots, end.next_multiple_of(4), self.sizes.contains(&8))
    }
}

/// Takes `| null` and `| undefined` off a type.
fn peel(ty: &Ty, optional: bool) -> (Presence, &Ty) {
    let (mut optional, mut nullable, mut inner) = (optional, false, ty);
    loop {
        match inner {
            Ty::Optional(of) => (optional, inner) = (true, of),
            Ty::Nullable(of) => (nullable, inner) = (true, of),
            _ => break,
        }
    }
    let presence = match (optional, nullable) {
        (false, false) => Presence::Required,
        (true, false) => Presence::Optional,
        (false, true) => Presence::Nullable,
        (true, true) => Presence::OptionalNullable,
    };
    (presence, inner)
}

fn scalar_size(enums: &[EnumDef], scalar: Scalar) -> u16 {
    match scalar {
        Scalar::Bool => 1,
        Scalar::BigInt | Scalar::Date => 8,
        Scalar::Enum(id) if enums[id.0].is_wide() => 2,
        Scalar::Enum(_) => 1,
        Scalar::Number(width) => match width {
            NumberWidth::Int8 | NumberWidth::Uint8 => 1,
            NumberWidth::Int16 | NumberWidth::Uint16 => 2,
            NumberWidth::Int32 | NumberWidth::Uint32 | NumberWidth::Float32 => 4,
            NumberWidth::Float64 => 8,
        },
    }
}

fn kind_size(enums: &[EnumDef], kind: Kind) -> u16 {
    match kind {
        Kind::Scalar(scalar) => scalar_size(enums, scalar),
        Kind::String | Kind::Bytes | Kind::Table(_) | Kind::Vector(_) => REFERENCE_SIZE,
    }
}

/// Bytes of a reference to what lies elsewhere.
const REFERENCE_SIZE: u16 = 4;

/// The companion of a field that is both optional and nullable.
const NULL_FLAG: Kind = Kind::Scalar(Scalar::Bool);

/// A vtable and a table have 16-bit lengths; this many slots of eight bytes fit.
const SLOTS_MAX: usize = 4096;

/// Places in an enum have at most 16 bits.
const ENUM_VALUES_MAX: usize = 65_536;

/// Endings of accessors that flatc generates for other fields; it refuses a field named like one.
const ACCESSOR_SUFFIXES: &[&str] = &["_type", "Type", "_length", "Length", "_byte_vector", "ByteVector"];
