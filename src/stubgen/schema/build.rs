//! From types to tables.

use super::slots::{NULL_FLAG_SIZE, Slots, kind_size};
use super::{
    Collection, Element, EndpointTables, EntryOf, EnumDef, EnumId, FieldDef, Kind, Presence, Scalar,
    TableDef, TableId, TableKind, TemplateDef, TemplateId, TupleShape, UnionDef, UnionId, UnionMember,
    WireSchema,
};
use crate::contract::signature::{Numbers, object_keys, ty_text};
use crate::contract::wire_ids::{SLOTS_MAX, Wanted, WireEndpoint, WireField, assign};
use crate::contract::{
    BigIntWidth, Contract, Doc, Endpoint, Field, Literal, NumberWidth, ObjectType, RecordKey, TemplatePart,
    TupleElement, Ty, UploadKind, WireIds,
};
use crate::source::Location;
use crate::stubgen::StubError;
use crate::stubgen::names::{Names, upper_camel};
use std::collections::BTreeMap;

/// The schema of a contract, and the ids of its fields: the locked ones, and new ones.
pub(super) fn schema(contract: &Contract, locked: &WireIds) -> Result<(WireSchema, WireIds), Vec<StubError>> {
    Builder::default().schema(contract, locked)
}

#[derive(Debug, Default)]
struct Builder {
    names: Names,
    enums: Vec<EnumDef>,
    templates: Vec<TemplateDef>,
    unions: Vec<UnionDef>,
    union_types: Vec<(Ty, UnionId)>,
    tables: Vec<TableDef>,
    objects: BTreeMap<String, TableId>,
    /// Wrappers and tuples by the type they carry, so that equal types share one.
    items: Vec<(Ty, TableId)>,
    /// Entries by the type of their record or map.
    entries: Vec<(Ty, TableId)>,
}

/// A field before it has a place: its name and type, and where it is declared.
struct Member<'a> {
    name: &'a str,
    ty: &'a Ty,
    optional: bool,
    location: Location,
}

impl Builder {
    fn schema(
        mut self,
        contract: &Contract,
        locked: &WireIds,
    ) -> Result<(WireSchema, WireIds), Vec<StubError>> {
        let mut errors = Vec::new();
        // The codec of a table called so would be `writer`, which is what codecs are made of.
        self.names.unique("r");
        // What every union of flatc has as its member 0.
        self.names.unique("NONE");
        let endpoints: Vec<EndpointTables> =
            contract.endpoints.iter().map(|e| self.declare_endpoint(e)).collect();
        if let Some(first) = contract.endpoints.iter().find(|endpoint| !endpoint.uploads().is_empty()) {
            let table = self.declare("Upload", TableKind::Object);
            self.objects.insert(UPLOAD.to_owned(), table);
            // The protocol says where its fields are, not a lock.
            let defined = self.define_object(table, &upload_type(first.location), &[]);
            errors.extend(defined.err());
        }
        for key in contract.types.keys() {
            let table = self.declare(key, TableKind::Object);
            self.objects.insert(key.clone(), table);
        }
        let mut ids = WireIds::default();
        for (key, object) in &contract.types {
            let known = locked.types.get(key).map_or(&[][..], Vec::as_slice);
            match self.define_object(self.objects[key], object, known) {
                Ok(fields) => {
                    ids.types.insert(key.clone(), fields);
                }
                Err(error) => errors.push(error),
            }
        }
        for (endpoint, tables) in contract.endpoints.iter().zip(&endpoints) {
            let known = locked.endpoints.get(&endpoint.name).map_or(&[][..], |known| &known.params);
            match self.define_endpoint(endpoint, *tables, known) {
                Ok(params) => {
                    ids.endpoints.insert(endpoint.name.clone(), wire_endpoint(contract, endpoint, params));
                }
                Err(error) => errors.push(error),
            }
        }
        if !errors.is_empty() {
            return Err(errors);
        }
        let Self { enums, templates, unions, tables, .. } = self;
        Ok((WireSchema { enums, templates, unions, tables, endpoints }, ids))
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

    fn define_object(
        &mut self,
        id: TableId,
        object: &ObjectType,
        known: &[WireField],
    ) -> Result<Vec<WireField>, StubError> {
        let members = object.fields.iter().map(|field| Member {
            name: &field.name,
            ty: &field.ty,
            optional: field.optional,
            location: field.location,
        });
        self.define(id, members, known, object.location)
    }

    /// The ids of the endpoint's parameters.
    fn define_endpoint(
        &mut self,
        endpoint: &Endpoint,
        tables: EndpointTables,
        known: &[WireField],
    ) -> Result<Vec<WireField>, StubError> {
        let types: Vec<Ty> = endpoint.params.iter().map(|param| param_type(&param.ty)).collect();
        let params = endpoint.params.iter().zip(&types).map(|(param, ty)| Member {
            name: &param.name,
            ty,
            optional: param.optional,
            location: param.location,
        });
        let ids = self.define(tables.request, params, known, endpoint.location)?;
        // Of a stream each item is a message.
        let returns = match &endpoint.returns {
            Ty::Stream(item) => item.as_ref(),
            whole => whole,
        };
        let (presence, inner) = peel(returns, false);
        if let (Presence::Required, Ty::Object(key)) = (presence, inner) {
            let object = self.object(key, endpoint.location)?;
            self.define_alike(tables.response, object);
            return Ok(ids);
        }
        let result = (*inner != Ty::Void).then_some(Member {
            name: "value",
            ty: returns,
            optional: false,
            location: endpoint.location,
        });
        self.define(tables.response, result.into_iter(), &[], endpoint.location)?;
        Ok(ids)
    }

    /// Lays a table out; `known` are the ids that its fields have, and the result those that they have from here on.
    fn define<'a>(
        &mut self,
        id: TableId,
        members: impl Iterator<Item = Member<'a>>,
        known: &[WireField],
        location: Location,
    ) -> Result<Vec<WireField>, StubError> {
        let mut laid_out = Vec::new();
        let mut wanted = Vec::new();
        for member in members {
            let place = format!("{}_{}", self.tables[id.0].name, member.name);
            let (presence, inner) = peel(member.ty, member.optional);
            let kind = self.kind(inner, &place, member.location)?;
            if member.name == "__proto__" {
                return Err(StubError::ProtoField { location: member.location });
            }
            wanted.push(Wanted {
                name: member.name.to_owned(),
                ty: ty_text(member.ty, Numbers::Widths),
                optional: member.optional,
                tagged: matches!(kind, Kind::Union(_)),
                flagged: presence == Presence::OptionalNullable,
            });
            laid_out.push((presence, kind));
        }
        let mut ids = assign(known, wanted);
        let table = &mut self.tables[id.0];
        let mut slots = Slots::default();
        let field = |(field, (presence, kind)): (&WireField, &(Presence, Kind))| FieldDef {
            name: field.name.clone(),
            tag_slot: field.tag.map(|tag| slots.add_tag(tag)),
            slot: slots.add(field.id, &field.name, kind_size(&self.enums, *kind)),
            null_slot: field
                .null
                .filter(|_| *presence == Presence::OptionalNullable)
                .map(|null| slots.add(null, &format!("{}_null", field.name), NULL_FLAG_SIZE)),
            presence: *presence,
            kind: *kind,
        };
        table.fields = ids.iter().zip(&laid_out).map(field).collect();
        if slots.len() > SLOTS_MAX {
            let (table, slots_max) = (table.name.clone(), SLOTS_MAX);
            return Err(StubError::TooManyFields { table, slots_max, location });
        }
        (table.slots, table.size, table.wide) = slots.place();
        ids.sort_by_key(|field| field.id);
        Ok(ids)
    }

    /// Lays a response out as the object that it is: a table around it would cost 16 bytes and say nothing.
    fn define_alike(&mut self, response: TableId, object: TableId) {
        let name = std::mem::take(&mut self.tables[response.0].name);
        self.tables[response.0] =
            TableDef { name, kind: TableKind::ResponseOf(object), ..self.tables[object.0].clone() };
    }

    fn kind(&mut self, ty: &Ty, place: &str, location: Location) -> Result<Kind, StubError> {
        Ok(match ty {
            Ty::String => Kind::String,
            Ty::Boolean => Kind::Scalar(Scalar::Bool),
            Ty::Number(width) => Kind::Scalar(Scalar::Number(*width)),
            Ty::BigInt(BigIntWidth::Int64) => Kind::Scalar(Scalar::BigInt),
            Ty::BigInt(BigIntWidth::Uint64) => Kind::Scalar(Scalar::BigUint),
            Ty::Date => Kind::Scalar(Scalar::Date),
            Ty::Bytes => Kind::Bytes,
            Ty::Null => Kind::Scalar(Scalar::Enum(self.enumeration(vec![None], "Null", location)?)),
            Ty::Literals(values) => {
                let values = values.iter().cloned().map(Some).collect();
                Kind::Scalar(Scalar::Enum(self.enumeration(values, place, location)?))
            }
            Ty::Template(parts) => Kind::Template(self.template(parts, place)),
            Ty::Array(of) => Kind::Vector(Collection::Array, self.element(of, place, location)?),
            Ty::Set(of) => Kind::Vector(Collection::Set, self.element(of, place, location)?),
            Ty::Map(key, value) => {
                let entry = self.entry(ty, (EntryOf::Map, key, value), place, location)?;
                Kind::Vector(Collection::Map, Element::Table(entry))
            }
            Ty::Record(key, value) => {
                let (of, key) = record_key(key);
                let entry = self.entry(ty, (of, &key, value), place, location)?;
                Kind::Vector(Collection::Record, Element::Table(entry))
            }
            Ty::Tuple(elements) => Kind::Table(self.tuple(ty, elements, place, location)?),
            Ty::Union(members) => Kind::Union(self.union(ty, members, place, location)?),
            Ty::Dynamic(_) => Kind::Dynamic,
            Ty::Object(key) => Kind::Table(self.object(key, location)?),
            Ty::Spelled(of, _) => self.kind(of, place, location)?,
            Ty::Void => return Err(StubError::VoidInside { location }),
            Ty::Nullable(_) | Ty::Optional(_) => Kind::Table(self.item(ty, place, location)?),
            Ty::Stream(_) | Ty::ByteStream | Ty::Blob | Ty::File => {
                return Err(StubError::Unsupported { ty: ty_text(ty, Numbers::Widths), location });
            }
        })
    }

    fn element(&mut self, ty: &Ty, place: &str, location: Location) -> Result<Element, StubError> {
        if !is_element(ty) {
            return Ok(Element::Table(self.item(ty, place, location)?));
        }
        Ok(match self.kind(ty, place, location)? {
            Kind::Scalar(scalar) => Element::Scalar(scalar),
            Kind::String => Element::String,
            Kind::Template(template) => Element::Template(template),
            Kind::Table(table) => Element::Table(table),
            Kind::Bytes | Kind::Dynamic | Kind::Vector(..) | Kind::Union(_) => {
                Element::Table(self.item(ty, place, location)?)
            }
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
        let name = item_name(ty).map_or_else(|| format!("{}Item", upper_camel(place)), str::to_owned);
        let table = self.declare(&name, TableKind::Item);
        self.items.push((ty.clone(), table));
        let member = Member { name: "value", ty, optional: false, location };
        self.define(table, std::iter::once(member), &[], location)?;
        Ok(table)
    }

    fn tuple(
        &mut self,
        ty: &Ty,
        elements: &[TupleElement],
        place: &str,
        location: Location,
    ) -> Result<TableId, StubError> {
        if let Some((_, table)) = self.items.iter().find(|(known, _)| known == ty) {
            return Ok(*table);
        }
        let rest = elements.iter().position(|element| element.rest);
        let required = elements.iter().take_while(|element| !element.optional && !element.rest).count();
        let shape = TupleShape { required, rest };
        let table = self.declare(&format!("{}Tuple", upper_camel(place)), TableKind::Tuple(shape));
        self.items.push((ty.clone(), table));
        let lists: Vec<Option<Ty>> = elements
            .iter()
            .map(|element| element.rest.then(|| Ty::Array(Box::new(element.ty.clone()))))
            .collect();
        let names: Vec<String> = (0..elements.len()).map(|place| format!("_{place}")).collect();
        let members = elements.iter().zip(&lists).zip(&names).map(|((element, list), name)| Member {
            name: element.name.as_deref().filter(|name| *name != "__proto__").unwrap_or(name),
            ty: list.as_ref().unwrap_or(&element.ty),
            optional: element.optional && !element.rest,
            location,
        });
        self.define(table, members, &[], location)?;
        Ok(table)
    }

    /// The table of an entry of a record or map.
    fn entry(
        &mut self,
        ty: &Ty,
        (of, key, value): (EntryOf, &Ty, &Ty),
        place: &str,
        location: Location,
    ) -> Result<TableId, StubError> {
        if let Some((_, table)) = self.entries.iter().find(|(known, _)| known == ty) {
            return Ok(*table);
        }
        let table = self.declare(&format!("{}Entry", upper_camel(place)), TableKind::Entry(of));
        self.entries.push((ty.clone(), table));
        let key = Member { name: "key", ty: key, optional: false, location };
        let value = Member { name: "value", ty: value, optional: false, location };
        self.define(table, [key, value].into_iter(), &[], location)?;
        Ok(table)
    }

    fn union(
        &mut self,
        ty: &Ty,
        members: &[Ty],
        place: &str,
        location: Location,
    ) -> Result<UnionId, StubError> {
        if let Some((_, union)) = self.union_types.iter().find(|(known, _)| known == ty) {
            return Ok(*union);
        }
        if members.len() > UNION_MEMBERS_MAX {
            return Err(StubError::UnionSize { members_max: UNION_MEMBERS_MAX, location });
        }
        let name = self.names.unique(&upper_camel(place));
        let id = UnionId(self.unions.len());
        self.unions.push(UnionDef { name, text: ty_text(ty, Numbers::Widths), members: Vec::new() });
        self.union_types.push((ty.clone(), id));
        for (index, ty) in members.iter().enumerate() {
            let place = format!("{place}_{}", index + 1);
            let kind = self.kind(ty, &place, location)?;
            let table = if let Kind::Table(table) = kind { table } else { self.item(ty, &place, location)? };
            self.unions[id.0].members.push(UnionMember { table, kind });
        }
        Ok(id)
    }

    fn template(&mut self, parts: &[TemplatePart], place: &str) -> TemplateId {
        if let Some(known) = self.templates.iter().position(|known| known.parts == parts) {
            return TemplateId(known);
        }
        let name = self.names.unique(&upper_camel(place));
        self.templates.push(TemplateDef { name, parts: parts.to_vec() });
        TemplateId(self.templates.len() - 1)
    }

    fn enumeration(
        &mut self,
        values: Vec<Option<Literal>>,
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
        let idents = values.iter().map(|value| names.unique(&value_name(value.as_ref()))).collect();
        self.enums.push(EnumDef { name, values, idents });
        Ok(EnumId(self.enums.len() - 1))
    }
}

/// What the lock keeps of an endpoint.
fn wire_endpoint(contract: &Contract, endpoint: &Endpoint, params: Vec<WireField>) -> WireEndpoint {
    WireEndpoint {
        params,
        returns: ty_text(&endpoint.returns, Numbers::Widths),
        takes: object_keys(contract, endpoint.params.iter().map(|param| &param.ty)),
        gives: object_keys(contract, [&endpoint.returns]),
    }
}

/// What stands in the arguments for a parameter that is sent beside them.
fn param_type(ty: &Ty) -> Ty {
    match ty {
        Ty::Nullable(of) => Ty::Nullable(Box::new(param_type(of))),
        Ty::Optional(of) => Ty::Optional(Box::new(param_type(of))),
        ty if UploadKind::of(ty).is_some() => Ty::Object(UPLOAD.to_owned()),
        ty => ty.clone(),
    }
}

/// `{ stream: uint16; size?: number; type?: string; name?: string; lastModified?: number }`
fn upload_type(location: Location) -> ObjectType {
    let field = |name: &str, ty: Ty, optional: bool| Field {
        name: name.to_owned(),
        ty,
        optional,
        readonly: true,
        primkey: false,
        index: false,
        unique: false,
        perm: None,
        doc: Doc::default(),
        location,
    };
    let number = || Ty::Number(NumberWidth::Float64);
    ObjectType {
        name: "Upload".to_owned(),
        fields: vec![
            field("stream", Ty::Number(NumberWidth::Uint16), false),
            field("size", number(), true),
            field("type", Ty::String, true),
            field("name", Ty::String, true),
            field("lastModified", number(), true),
        ],
        doc: Doc::default(),
        location,
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

/// How the keys of a record travel.
fn record_key(key: &RecordKey) -> (EntryOf, Ty) {
    match key {
        RecordKey::String => (EntryOf::Record, Ty::String),
        RecordKey::Number => (EntryOf::NumberRecord, Ty::Number(NumberWidth::Float64)),
        RecordKey::Template(parts) => (EntryOf::Record, Ty::Template(parts.clone())),
    }
}

/// Whether a vector can hold values of a type without a table around each. Asked before the value is laid out, so that
/// what is made for it is named after the table.
fn is_element(ty: &Ty) -> bool {
    match ty {
        Ty::String
        | Ty::Boolean
        | Ty::Number(_)
        | Ty::BigInt(_)
        | Ty::Date
        | Ty::Null
        | Ty::Literals(_)
        | Ty::Template(_)
        | Ty::Tuple(_)
        | Ty::Object(_)
        | Ty::Void
        | Ty::Stream(_)
        | Ty::ByteStream
        | Ty::Blob
        | Ty::File => true,
        Ty::Bytes
        | Ty::Array(_)
        | Ty::Set(_)
        | Ty::Map(..)
        | Ty::Record(..)
        | Ty::Union(_)
        | Ty::Dynamic(_)
        | Ty::Nullable(_)
        | Ty::Optional(_) => false,
        Ty::Spelled(of, _) => is_element(of),
    }
}

/// The name of the table that wraps a value of a type without parts.
fn item_name(ty: &Ty) -> Option<&'static str> {
    Some(match ty {
        Ty::String => "StringItem",
        Ty::Boolean => "BooleanItem",
        Ty::BigInt(BigIntWidth::Int64) => "BigIntItem",
        Ty::BigInt(BigIntWidth::Uint64) => "Uint64Item",
        Ty::Date => "DateItem",
        Ty::Null => "NullItem",
        Ty::Number(width) => match width {
            NumberWidth::Int8 => "Int8Item",
            NumberWidth::Int16 => "Int16Item",
            NumberWidth::Int32 => "Int32Item",
            NumberWidth::Uint8 => "Uint8Item",
            NumberWidth::Uint16 => "Uint16Item",
            NumberWidth::Uint32 => "Uint32Item",
            NumberWidth::Float32 => "Float32Item",
            NumberWidth::Float64 => "NumberItem",
        },
        Ty::Spelled(of, _) => return item_name(of),
        Ty::Bytes
        | Ty::Literals(_)
        | Ty::Template(_)
        | Ty::Array(_)
        | Ty::Tuple(_)
        | Ty::Record(..)
        | Ty::Map(..)
        | Ty::Set(_)
        | Ty::Object(_)
        | Ty::Union(_)
        | Ty::Nullable(_)
        | Ty::Optional(_)
        | Ty::Void
        | Ty::Dynamic(_)
        | Ty::Stream(_)
        | Ty::ByteStream
        | Ty::Blob
        | Ty::File => return None,
    })
}

fn value_name(value: Option<&Literal>) -> String {
    match value {
        None => "null".to_owned(),
        Some(Literal::String(text) | Literal::Number(text) | Literal::BigInt(text)) => text.clone(),
        Some(Literal::Boolean(value)) => value.to_string(),
    }
}

/// The key of the type that stands for what is sent beside the arguments; no name in a source has a space.
const UPLOAD: &str = "an upload";

/// Places in an enum have at most 16 bits.
const ENUM_VALUES_MAX: usize = 65_536;

/// The number of a union's member has 8 bits, and 0 means none.
const UNION_MEMBERS_MAX: usize = 255;
