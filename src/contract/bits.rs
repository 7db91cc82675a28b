//! How permissions are kept: as their bits.

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serializer};

use super::Perms;

pub(super) fn serialize<S: Serializer>(perms: &Perms, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u8(perms.bits())
}

pub(super) fn deserialize<'d, D: Deserializer<'d>>(deserializer: D) -> Result<Perms, D::Error> {
    Perms::from_bits(u8::deserialize(deserializer)?).ok_or_else(|| D::Error::custom("no permissions"))
}

/// Where there may be none.
pub(super) mod optional {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use crate::contract::Perms;

    pub(in crate::contract) fn serialize<S: Serializer>(
        perms: &Option<Perms>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        perms.map(Perms::bits).serialize(serializer)
    }

    pub(in crate::contract) fn deserialize<'d, D: Deserializer<'d>>(
        deserializer: D,
    ) -> Result<Option<Perms>, D::Error> {
        let bits: Option<u8> = Option::deserialize(deserializer)?;
        let perms = |bits| Perms::from_bits(bits).ok_or_else(|| serde::de::Error::custom("no permissions"));
        bits.map(perms).transpose()
    }
}
