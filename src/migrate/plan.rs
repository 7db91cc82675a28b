//! From changes to a migration and the next lock, or to the reasons why not.
//!
//! Changes that stored rows survive are planned as they are. The others are planned only behind a migration that a person
//! wrote: a file that the lock does not know yet and that has statements in it.

use super::diagnostics::Refusal;
use super::diff::{Change, FieldOwner, diff};
use super::lock::{Lock, LockedField, LockedMigration, LockedTable, LockedType, locked_endpoints};
use super::safety::{Safety, assess};
use super::schema::{FieldSchema, Schema, TableSchema};
use super::sql::{has_statements, provision};
use crate::contract::CheckedContract;
use crate::contract::signature::hex;
use crate::source::Location;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};

/// A file below `migrations/`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MigrationFile {
    /// Its name without `.sql`: `0001_initial`.
    pub name: String,
    /// Its text.
    pub sql: String,
}

/// What has to be done so that databases fit the contract.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MigrationPlan {
    /// What changed since the lock.
    pub changes: Vec<Change>,
    /// The migration to write, where the database has to do something.
    pub migration: Option<MigrationFile>,
    /// The lock to write. The places of fields on the wire are those of the lock before.
    pub lock: Lock,
}

impl MigrationFile {
    /// Path relative to the project folder.
    pub fn path(&self) -> String {
        format!("migrations/{}.sql", self.name)
    }

    /// SHA-256 of the text, in hexadecimal.
    pub fn checksum(&self) -> String {
        hex(&Sha256::digest(self.sql.as_bytes()))
    }
}

/// Plans the way from a lock to a contract. `files` are those below `migrations/`, in any order.
///
/// # Errors
/// Every [`Refusal`], in the order of the changes.
pub fn plan(
    contract: &CheckedContract,
    lock: &Lock,
    files: &[MigrationFile],
) -> Result<MigrationPlan, Vec<Refusal>> {
    let schema = Schema::of(contract);
    let changes = diff(&Schema::locked(lock), &schema);
    let written = new_files(lock, files)?;
    let is_written = written.iter().any(|file| has_statements(&file.sql));
    let mut refusals = nul_names(contract, &schema);
    // What a migration of the user's can prepare is theirs to judge. The scope of a table that exists never changes.
    let is_open = |change: &&Change| !is_written || matches!(change, Change::ScopeChanged { .. });
    refusals.extend(dangers(contract, changes.iter().filter(is_open)));
    if !refusals.is_empty() {
        return Err(refusals);
    }

    let tables = next_tables(lock, &schema);
    let types = schema.types.iter().map(|(name, fields)| {
        let known = lock.types.get(name).map_or((&[][..], 1), |ty| (&ty.fields, ty.next_field_id));
        let (fields, next_field_id) = next_fields(known, fields);
        (name.clone(), LockedType { next_field_id, fields })
    });
    let migration = generated(&schema, &tables, lock, &written);
    let locked =
        |file: &MigrationFile| LockedMigration { name: file.name.clone(), checksum: file.checksum() };
    let mut migrations = lock.migrations.clone();
    migrations.extend(written.iter().map(|file| locked(file)));
    migrations.extend(migration.iter().map(locked));
    let lock = Lock {
        version: lock.version,
        types: types.collect(),
        tables,
        endpoints: locked_endpoints(contract),
        wire: lock.wire.clone(),
        migrations,
    };
    Ok(MigrationPlan { changes, migration, lock })
}

/// The files that the lock does not know, by name, after those that it knows were found unchanged.
fn new_files<'a>(lock: &Lock, files: &'a [MigrationFile]) -> Result<Vec<&'a MigrationFile>, Vec<Refusal>> {
    let by_name: BTreeMap<&str, &MigrationFile> =
        files.iter().map(|file| (file.name.as_str(), file)).collect();
    let mut refusals = Vec::new();
    for locked in &lock.migrations {
        let migration = locked.name.clone();
        match by_name.get(locked.name.as_str()) {
            None => refusals.push(Refusal::Missing { migration }),
            Some(file) if file.checksum() != locked.checksum => refusals.push(Refusal::Edited { migration }),
            Some(_) => {}
        }
    }
    let known: BTreeSet<&str> = lock.migrations.iter().map(|locked| locked.name.as_str()).collect();
    let new: Vec<&MigrationFile> =
        by_name.into_values().filter(|file| !known.contains(file.name.as_str())).collect();
    let generated = new.iter().filter(|file| file.sql.starts_with(HEAD));
    refusals.extend(generated.map(|file| Refusal::Unlocked { migration: file.name.clone() }));
    let mut last = lock.migrations.last().map(|locked| locked.name.as_str());
    for file in &new {
        if let Some(before) = last
            && number_of(&file.name) <= number_of(before)
        {
            let (before, migration) = (before.to_owned(), file.name.clone());
            refusals.push(Refusal::OutOfOrder { before, migration });
        }
        last = Some(&file.name);
    }
    if refusals.is_empty() { Ok(new) } else { Err(refusals) }
}

fn dangers<'c>(contract: &CheckedContract, changes: impl Iterator<Item = &'c Change>) -> Vec<Refusal> {
    let refusal = |change: &Change| match assess(change) {
        Safety::Safe => None,
        Safety::Dangerous { why, help } => {
            Some(Refusal::Dangerous { change: change.clone(), why, help, location: place(contract, change) })
        }
    };
    changes.filter_map(refusal).collect()
}

fn nul_names(contract: &CheckedContract, schema: &Schema) -> Vec<Refusal> {
    let has_nul = |fields: &[FieldSchema]| fields.iter().any(|field| field.name.contains('\0'));
    let tables = schema.tables.iter().filter(|(_, table)| has_nul(&table.fields));
    let refusal = |name: &String| {
        let location = table_place(contract, name);
        Refusal::NulInName { table: name.clone(), location }
    };
    tables.map(|(name, _)| refusal(name)).collect()
}

/// Where a change is to be seen in the source: the field, else what has or had it.
fn place(contract: &CheckedContract, change: &Change) -> Option<Location> {
    let types = &contract.contract().types;
    match change {
        Change::TableAdded { table }
        | Change::TableRemoved { table }
        | Change::KeyChanged { table, .. }
        | Change::ScopeChanged { table, .. } => table_place(contract, table),
        Change::Field { owner, field, .. } => {
            let object = match owner {
                FieldOwner::Type(name) => types.get(name),
                FieldOwner::Table(name) => {
                    let table = contract.contract().tables.iter().find(|table| table.name == *name);
                    table.and_then(|table| types.get(&table.entity))
                }
            }?;
            let field = object.fields.iter().find(|candidate| candidate.name == *field);
            Some(field.map_or(object.location, |field| field.location))
        }
    }
}

fn table_place(contract: &CheckedContract, name: &str) -> Option<Location> {
    contract.contract().tables.iter().find(|table| table.name == name).map(|table| table.location)
}

fn next_tables(lock: &Lock, schema: &Schema) -> BTreeMap<String, LockedTable> {
    let mut taken: BTreeSet<String> = lock.tables.values().map(|table| table.ptr.clone()).collect();
    let table = |(name, table): (&String, &TableSchema)| {
        let locked = lock.tables.get(name);
        let ptr = locked.map_or_else(
            || new_ptr(name, ptr_len_max(&table.scope), &mut taken),
            |locked| locked.ptr.clone(),
        );
        let known = locked.map_or((&[][..], 1), |locked| (&locked.fields, locked.next_field_id));
        let (fields, next_field_id) = next_fields(known, &table.fields);
        let (scope, key) = (table.scope.clone(), table.key.clone());
        (name.clone(), LockedTable { ptr, scope, key, next_field_id, fields })
    };
    schema.tables.iter().map(table).collect()
}

/// Fields with their ids: those of known fields, then new ones.
fn next_fields(known: (&[LockedField], u32), fields: &[FieldSchema]) -> (Vec<LockedField>, u32) {
    let (known, mut next_id) = known;
    let mut locked: Vec<LockedField> = Vec::with_capacity(fields.len());
    for field in fields {
        let id = known.iter().find(|known| known.name == field.name).map(|known| known.id);
        let id = id.unwrap_or_else(|| {
            next_id += 1;
            next_id - 1
        });
        locked.push(LockedField::of(id, field));
    }
    locked.sort_by_key(|field| field.id);
    (locked, next_id)
}

/// `blogPosts` → `tbl_blog_posts`, made different from every other.
fn new_ptr(name: &str, len_max: usize, taken: &mut BTreeSet<String>) -> String {
    let base = snake_case(name);
    let cut = |len: usize| base.chars().take(len).collect::<String>();
    let candidates = std::iter::once(cut(len_max))
        .chain((2..).map(|n: u32| format!("{}_{n}", cut(len_max - 1 - n.to_string().len()))));
    let free = candidates.map(|name| format!("tbl_{name}")).find(|ptr| !taken.contains(ptr));
    let ptr = free.expect("invariant: the candidates do not end");
    taken.insert(ptr.clone());
    ptr
}

fn snake_case(name: &str) -> String {
    let mut text = String::with_capacity(name.len());
    let mut after_lower = false;
    for c in name.chars() {
        if c.is_ascii_uppercase() && after_lower {
            text.push('_');
        }
        text.push(if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' });
        after_lower = c.is_ascii_lowercase() || c.is_ascii_digit();
    }
    if text.is_empty() { "_".to_owned() } else { text }
}

/// The migration for new tables, and for those whose read-only, unique or hidden fields are others than the database knows.
fn generated(
    schema: &Schema,
    tables: &BTreeMap<String, LockedTable>,
    lock: &Lock,
    written: &[&MigrationFile],
) -> Option<MigrationFile> {
    let before = Schema::locked(lock);
    let known = |table: &TableSchema| -> [BTreeSet<String>; 3] {
        [table.readonly_fields(), table.unique_fields(), table.hidden_fields()]
            .map(|fields| fields.into_iter().map(str::to_owned).collect())
    };
    let is_stale = |(name, table): &(&String, &TableSchema)| {
        before.tables.get(*name).is_none_or(|before| known(before) != known(table))
    };
    let stale: Vec<(&String, &TableSchema)> = schema.tables.iter().filter(is_stale).collect();
    let (first, _) = stale.first()?;
    let locked = lock.migrations.iter().map(|migration| migration.name.as_str());
    let last = locked.chain(written.iter().map(|file| file.name.as_str())).filter_map(number_of).max();
    let name = match last {
        None => "0001_initial".to_owned(),
        Some(last) => format!("{:04}_{}", last + 1, snake_case(first)),
    };
    let statement = |(name, table): &(&String, &TableSchema)| {
        provision(name, &tables[*name].ptr, table, before.tables.get(*name))
    };
    let statements: String = stale.iter().map(statement).collect();
    Some(MigrationFile { name, sql: format!("{HEAD}{statements}") })
}

/// The number in front of a migration's name.
fn number_of(name: &str) -> Option<u32> {
    let digits = name.find(|c: char| !c.is_ascii_digit()).unwrap_or(name.len());
    name[..digits].parse().ok()
}

/// First line of a generated migration, which is locked when it is written.
const HEAD: &str = "-- generated by kontract\n";

/// `ptr` matches `^tbl_[a-z0-9_]{1,48}$`.
const PTR_NAME_LEN_MAX: usize = 48;

/// That of a tenants' table leaves room for `__` and 20 digits of each tenant's.
const TENANTS_PTR_NAME_LEN_MAX: usize = 26;

fn ptr_len_max(scope: &str) -> usize {
    if scope == "tenant" { TENANTS_PTR_NAME_LEN_MAX } else { PTR_NAME_LEN_MAX }
}

#[cfg(test)]
mod tests {
    use super::{PTR_NAME_LEN_MAX, new_ptr, number_of};
    use std::collections::BTreeSet;

    #[test]
    fn physical_names_are_legal_and_different() {
        let long = "x".repeat(60);
        let longer = format!("{long}y");
        let names = ["blogPosts", "blog_posts", "BlogPosts", "é", "_", "", &long, &longer, "HTTPLogs2"];
        let mut taken = BTreeSet::new();
        let ptrs: Vec<String> =
            names.iter().map(|name| new_ptr(name, PTR_NAME_LEN_MAX, &mut taken)).collect();
        assert_eq!(taken.len(), names.len(), "{ptrs:?}");
        for ptr in &ptrs {
            let name = ptr.strip_prefix("tbl_").expect("every ptr starts so");
            let legal = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
            assert!((1..=PTR_NAME_LEN_MAX).contains(&name.len()) && name.chars().all(legal), "{ptr}");
        }
        assert_eq!((ptrs[0].as_str(), ptrs[8].as_str()), ("tbl_blog_posts", "tbl_httplogs2"));
    }

    #[test]
    fn migrations_are_ordered_by_their_numbers() {
        assert_eq!(number_of("0012_a"), Some(12));
        assert_eq!(number_of("10000_a"), Some(10_000));
        assert_eq!(number_of("a_1"), None);
    }
}
