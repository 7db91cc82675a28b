//! `kontract.lock.json`: what was promised so far. Committed, so that every machine generates the same migrations.
//!
//! The text is deterministic: fixed order of keys, maps ordered by name, fields by their ids.

use super::schema::FieldSchema;
use crate::contract::signature::endpoint_hash;
use crate::contract::{CheckedContract, Perms, WireIds};
use kontract_wire::route::RouteId;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The lock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lock {
    /// Version of this format.
    pub version: u32,
    /// Tables by name.
    #[serde(default)]
    pub tables: BTreeMap<String, LockedTable>,
    /// Object types that rows contain, by name.
    #[serde(default)]
    pub types: BTreeMap<String, LockedType>,
    /// Endpoints by name.
    #[serde(default)]
    pub endpoints: BTreeMap<String, LockedEndpoint>,
    /// The place of each field on the wire.
    #[serde(default)]
    pub wire: WireIds,
    /// Migrations in their order.
    #[serde(default)]
    pub migrations: Vec<LockedMigration>,
}

/// A table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct LockedTable {
    /// Name of the physical table; never changes.
    pub ptr: String,
    /// `shared`, `owner` or `tenant`.
    pub scope: String,
    /// Name of the key field.
    pub key: String,
    /// The id that the next new field gets; ids of removed fields are not given again.
    pub next_field_id: u32,
    /// Fields by their ids.
    pub fields: Vec<LockedField>,
}

/// An object type inside of rows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct LockedType {
    /// The id that the next new field gets.
    pub next_field_id: u32,
    /// Fields by their ids.
    pub fields: Vec<LockedField>,
}

/// A field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LockedField {
    /// Stays with the field when it is renamed.
    pub id: u32,
    /// Its name.
    pub name: String,
    /// Its type in TypeScript's notation.
    #[serde(rename = "type")]
    pub ty: String,
    /// Permission bits; every bit where absent.
    #[serde(default = "every_bit", skip_serializing_if = "is_every_bit")]
    pub perm: String,
    /// Whether a row may lack it.
    #[serde(default, skip_serializing_if = "is_false")]
    pub optional: bool,
    /// Whether it keeps its first value.
    #[serde(default, skip_serializing_if = "is_false")]
    pub readonly: bool,
    /// Whether it is looked up by.
    #[serde(default, skip_serializing_if = "is_false")]
    pub index: bool,
    /// Whether its values are unique.
    #[serde(default, skip_serializing_if = "is_false")]
    pub unique: bool,
}

/// An endpoint: what its callers depend on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LockedEndpoint {
    /// Route id in hexadecimal.
    pub route: String,
    /// Hash of parameters, result and the types in them.
    pub signature: String,
    /// Permission bits.
    pub perm: String,
    /// Group of its callers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ugroup: Option<String>,
    /// Its own group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub egroup: Option<String>,
}

/// A migration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LockedMigration {
    /// File name without `.sql`.
    pub name: String,
    /// SHA-256 of its text, in hexadecimal.
    pub checksum: String,
}

/// Why a text is not a lock.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LockError {
    /// Left behind by a merge.
    #[error("line {line} is a merge conflict marker")]
    Conflict {
        /// The line, from 1.
        line: usize,
    },
    /// Not JSON, or not of this shape.
    #[error("{reason} in line {line}, column {column}")]
    Malformed {
        /// What is wrong.
        reason: String,
        /// The line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
    },
    /// Fields at places where they cannot be.
    #[error("in `wire`, {fault}")]
    Wire {
        /// What is wrong.
        fault: String,
    },
    /// Of another kontract.
    #[error("version {found} is not supported, only {VERSION}")]
    Version {
        /// The version it says.
        found: u32,
    },
}

impl Default for Lock {
    fn default() -> Self {
        Self {
            version: VERSION,
            tables: BTreeMap::new(),
            types: BTreeMap::new(),
            endpoints: BTreeMap::new(),
            wire: WireIds::default(),
            migrations: Vec::new(),
        }
    }
}

impl Lock {
    /// Reads `kontract.lock.json`.
    ///
    /// # Errors
    /// [`LockError`] where it is not one.
    pub fn parse(text: &str) -> Result<Self, LockError> {
        let is_marker = |line: &str| CONFLICT_MARKERS.iter().any(|marker| line.starts_with(marker));
        if let Some(line) = text.lines().position(is_marker) {
            return Err(LockError::Conflict { line: line + 1 });
        }
        let malformed = |error: serde_json::Error| {
            let (line, column) = (error.line(), error.column());
            let reason = error.to_string();
            let reason = reason.split(" at line ").next().unwrap_or_default().to_owned();
            LockError::Malformed { reason, line, column }
        };
        let version: Version = serde_json::from_str(text).map_err(malformed)?;
        if version.version != VERSION {
            return Err(LockError::Version { found: version.version });
        }
        let lock: Self = serde_json::from_str(text).map_err(malformed)?;
        match lock.wire.fault() {
            None => Ok(lock),
            Some(fault) => Err(LockError::Wire { fault }),
        }
    }

    /// Whether it has the place of each field that its endpoints exchange.
    pub fn has_places(&self) -> bool {
        self.endpoints.keys().all(|name| self.wire.endpoints.contains_key(name))
    }

    /// The text of `kontract.lock.json`.
    pub fn text(&self) -> String {
        let text = serde_json::to_string_pretty(self).expect("invariant: every key of the lock is a string");
        text + "\n"
    }

    /// The physical name of each table.
    pub fn ptrs(&self) -> BTreeMap<String, String> {
        self.tables.iter().map(|(name, table)| (name.clone(), table.ptr.clone())).collect()
    }
}

impl LockedField {
    pub(super) fn of(id: u32, field: &FieldSchema) -> Self {
        Self {
            id,
            name: field.name.clone(),
            ty: field.ty.clone(),
            perm: field.perm.clone(),
            optional: field.optional,
            readonly: field.readonly,
            index: field.index,
            unique: field.unique,
        }
    }

    pub(super) fn schema(&self) -> FieldSchema {
        FieldSchema {
            name: self.name.clone(),
            ty: self.ty.clone(),
            optional: self.optional,
            readonly: self.readonly,
            perm: self.perm.clone(),
            index: self.index,
            unique: self.unique,
        }
    }
}

/// The endpoints of a contract.
pub(super) fn locked_endpoints(contract: &CheckedContract) -> BTreeMap<String, LockedEndpoint> {
    let contract = contract.contract();
    let locked = |endpoint: &crate::contract::Endpoint| {
        let options = &endpoint.options;
        let locked = LockedEndpoint {
            route: RouteId::of(&endpoint.name).to_string(),
            signature: endpoint_hash(contract, endpoint),
            perm: options.perm.to_string(),
            ugroup: options.ugroup.clone(),
            egroup: options.egroup.clone(),
        };
        (endpoint.name.clone(), locked)
    };
    contract.endpoints.iter().map(locked).collect()
}

/// The part of a lock that every version has.
#[derive(Deserialize)]
struct Version {
    version: u32,
}

fn every_bit() -> String {
    Perms::ALL.to_string()
}

fn is_every_bit(perm: &str) -> bool {
    perm == every_bit()
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
fn is_false(value: &bool) -> bool {
    !*value
}

/// Version of the format.
const VERSION: u32 = 1;

const CONFLICT_MARKERS: &[&str] = &["<<<<<<< ", ">>>>>>> ", "======="];
