//! Where the fields of a table lie.

use super::{EnumDef, Kind, Scalar, SlotDef};
use crate::contract::NumberWidth;
use crate::stubgen::names::Names;

/// Slots of a table while they are collected.
#[derive(Default)]
pub(super) struct Slots {
    wanted: Vec<Wanted>,
    sizes: Vec<u16>,
}

/// The name that a slot should have in the schema.
enum Wanted {
    Field(String),
    /// flatc itself names the number of a union's member after the field behind it.
    Tag,
}

impl Slots {
    /// Adds a field of so many bytes.
    pub(super) fn add(&mut self, name: &str, size: u16) -> usize {
        self.push(Wanted::Field(name.to_owned()), size)
    }

    /// Adds the number of the member of the union that comes next.
    pub(super) fn add_tag(&mut self) -> usize {
        self.push(Wanted::Tag, 1)
    }

    pub(super) fn len(&self) -> usize {
        self.sizes.len()
    }

    fn push(&mut self, wanted: Wanted, size: u16) -> usize {
        self.wanted.push(wanted);
        self.sizes.push(size);
        self.sizes.len() - 1
    }

    /// Names and offsets, the table's size, and whether it has fields of eight bytes.
    pub(super) fn place(self) -> (Vec<SlotDef>, u16, bool) {
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
            let name = match wanted {
                Wanted::Tag => String::new(),
                Wanted::Field(wanted) => {
                    let clashes = ACCESSOR_SUFFIXES.iter().any(|suffix| wanted.ends_with(suffix));
                    names.unique(&if clashes { format!("{wanted}_") } else { wanted.clone() })
                }
            };
            slots.push(SlotDef { name, offset });
        }
        (slots, end.next_multiple_of(4), self.sizes.contains(&8))
    }
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

/// The companion of a field that is both optional and nullable.
pub(super) const NULL_FLAG: Kind = Kind::Scalar(Scalar::Bool);

/// Endings of accessors that flatc generates for other fields; it refuses a field named like one.
const ACCESSOR_SUFFIXES: &[&str] = &["_type", "Type", "_length", "Length", "_byte_vector", "ByteVector"];
