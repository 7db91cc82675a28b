//! Where the fields of a table lie.

use super::{EnumDef, Kind, Scalar, SlotDef};
use crate::contract::NumberWidth;
use crate::stubgen::names::Names;
use std::collections::BTreeMap;

/// Slots of a table while they are collected, by their ids.
#[derive(Default)]
pub(super) struct Slots {
    wanted: BTreeMap<u32, (Wanted, u16)>,
}

/// The name that a slot should have in the schema.
enum Wanted {
    Field(String),
    /// flatc itself names the number of a union's member after the field behind it.
    Tag,
}

impl Slots {
    /// Adds a field of so many bytes.
    pub(super) fn add(&mut self, id: u32, name: &str, size: u16) -> usize {
        self.put(id, Wanted::Field(name.to_owned()), size)
    }

    /// Adds the number of the member of a union.
    pub(super) fn add_tag(&mut self, id: u32) -> usize {
        self.put(id, Wanted::Tag, 1)
    }

    /// How many slots there are up to the last one in use.
    pub(super) fn len(&self) -> usize {
        self.wanted.last_key_value().map_or(0, |(id, _)| slot(*id) + 1)
    }

    fn put(&mut self, id: u32, wanted: Wanted, size: u16) -> usize {
        self.wanted.insert(id, (wanted, size));
        slot(id)
    }

    /// Names and offsets, the table's size, and whether it has fields of eight bytes. Slots that nothing has any more are
    /// at no offset.
    pub(super) fn place(self) -> (Vec<SlotDef>, u16, bool) {
        let mut slots: Vec<SlotDef> =
            (0..self.len()).map(|_| SlotDef { name: String::new(), offset: 0 }).collect();
        let mut end = 4;
        for width in [8, 4, 2, 1] {
            for (id, _) in self.wanted.iter().filter(|(_, (_, size))| *size == width) {
                slots[slot(*id)].offset = end;
                end += width;
            }
        }
        let mut names = Names::default();
        for (id, (wanted, _)) in &self.wanted {
            if let Wanted::Field(wanted) = wanted {
                let clashes = ACCESSOR_SUFFIXES.iter().any(|suffix| wanted.ends_with(suffix));
                let name = if clashes { format!("{wanted}_") } else { wanted.clone() };
                slots[slot(*id)].name = names.unique(&name);
            }
        }
        for (id, slot) in slots.iter_mut().enumerate().filter(|(_, slot)| slot.is_removed()) {
            slot.name = names.unique(&format!("removed_{id}"));
        }
        // The vtable is behind the table, at an even place.
        (slots, end.next_multiple_of(2), self.wanted.values().any(|(_, size)| *size == 8))
    }
}

/// Where an id is in the list of slots.
fn slot(id: u32) -> usize {
    usize::try_from(id).expect("invariant: a usize has at least 32 bits here")
}

/// Bytes that a scalar takes.
pub(super) fn scalar_size(enums: &[EnumDef], scalar: Scalar) -> u16 {
    match scalar {
        Scalar::Bool => 1,
        Scalar::BigInt | Scalar::BigUint | Scalar::Date => 8,
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

/// Bytes that a field takes in its table.
pub(super) fn kind_size(enums: &[EnumDef], kind: Kind) -> u16 {
    match kind {
        Kind::Scalar(scalar) => scalar_size(enums, scalar),
        Kind::String
        | Kind::Template(_)
        | Kind::Bytes
        | Kind::Dynamic
        | Kind::Table(_)
        | Kind::Vector(..)
        | Kind::Union(_) => REFERENCE_SIZE,
    }
}

/// Bytes of a reference to what lies elsewhere.
pub(super) const REFERENCE_SIZE: u16 = 4;

/// Bytes of the companion of a field that is both optional and nullable: a boolean.
pub(super) const NULL_FLAG_SIZE: u16 = 1;

/// Endings of accessors that flatc generates for other fields; it refuses a field named like one.
const ACCESSOR_SUFFIXES: &[&str] = &["_type", "Type", "_length", "Length", "_byte_vector", "ByteVector"];
