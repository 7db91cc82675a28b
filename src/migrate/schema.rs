//! What the tables of a contract look like, without anything that stored rows do not depend on.

use super::lock::{Lock, LockedField};
use crate::contract::signature::{Numbers, object_keys, ty_text};
use crate::contract::{CheckedContract, Contract, Field, Perms, Scope, Ty};
use std::collections::BTreeMap;

/// Tables, and the object types inside their rows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Schema {
    /// Tables by name.
    pub tables: BTreeMap<String, TableSchema>,
    /// Fields of the object types that rows contain, by the types' names.
    pub types: BTreeMap<String, Vec<FieldSchema>>,
}

/// A table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableSchema {
    /// `shared`, `owner` or `tenant`.
    pub scope: String,
    /// Name of the key field.
    pub key: String,
    /// Fields, in source order.
    pub fields: Vec<FieldSchema>,
}

/// A field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldSchema {
    /// Its name.
    pub name: String,
    /// Its type in TypeScript's notation, with number widths.
    pub ty: String,
    /// Whether a row may lack it.
    pub optional: bool,
    /// Whether it keeps the value it was inserted with.
    pub readonly: bool,
    /// Permission bits.
    pub perm: String,
    /// Whether it is looked up by.
    pub index: bool,
    /// Whether no two rows have the same value.
    pub unique: bool,
}

impl Schema {
    /// The schema of a contract.
    pub fn of(contract: &CheckedContract) -> Self {
        let contract = contract.contract();
        let mut schema = Self::default();
        for table in &contract.tables {
            let fields = fields(contract, &table.entity);
            let scope = scope_text(table.scope).to_owned();
            let table_schema = TableSchema { scope, key: table.key.clone(), fields };
            schema.tables.insert(table.name.clone(), table_schema);
        }
        let rows = contract.tables.iter().filter_map(|table| contract.types.get(&table.entity));
        let types: Vec<&Ty> = rows.flat_map(|row| row.fields.iter().map(|field| &field.ty)).collect();
        for key in object_keys(contract, types) {
            let fields = fields(contract, &key);
            schema.types.insert(key, fields);
        }
        schema
    }

    /// The schema that a lock records.
    pub fn locked(lock: &Lock) -> Self {
        let fields = |fields: &[LockedField]| fields.iter().map(LockedField::schema).collect();
        let tables = lock.tables.iter().map(|(name, table)| {
            let (scope, key) = (table.scope.clone(), table.key.clone());
            (name.clone(), TableSchema { scope, key, fields: fields(&table.fields) })
        });
        let types = lock.types.iter().map(|(name, ty)| (name.clone(), fields(&ty.fields)));
        Self { tables: tables.collect(), types: types.collect() }
    }
}

impl TableSchema {
    /// Names of the fields that keep the value they were inserted with, which the database enforces.
    pub fn readonly_fields(&self) -> Vec<&str> {
        self.fields.iter().filter(|field| field.readonly).map(|field| field.name.as_str()).collect()
    }

    /// Names of the fields of which no two rows have the same value, beside the key.
    pub fn unique_fields(&self) -> Vec<&str> {
        let is_named = |field: &&FieldSchema| field.unique && field.name != self.key;
        self.fields.iter().filter(is_named).map(|field| field.name.as_str()).collect()
    }

    /// Names of the fields that nobody reads.
    pub fn hidden_fields(&self) -> Vec<&str> {
        let is_hidden = |field: &&FieldSchema| !field.perm.contains('R');
        self.fields.iter().filter(is_hidden).map(|field| field.name.as_str()).collect()
    }
}

fn fields(contract: &Contract, key: &str) -> Vec<FieldSchema> {
    let object = contract.types.get(key);
    object.map_or(&[][..], |object| &object.fields).iter().map(field_schema).collect()
}

fn field_schema(field: &Field) -> FieldSchema {
    let perm = field.perm.unwrap_or(Perms::ALL);
    FieldSchema {
        name: field.name.clone(),
        ty: ty_text(&field.ty, Numbers::Widths),
        optional: field.optional,
        readonly: field.readonly || !perm.contains(Perms::W),
        perm: perm.to_string(),
        index: field.index,
        unique: field.unique,
    }
}

fn scope_text(scope: Scope) -> &'static str {
    match scope {
        Scope::Shared => "shared",
        Scope::Owner => "owner",
        Scope::Tenant => "tenant",
    }
}
