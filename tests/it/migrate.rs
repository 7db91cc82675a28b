//! From a contract and a lock to a migration and the next lock, and what is refused on the way.

use crate::support::contract::{Draft, FieldDraft, INT32, array, enumeration, field, nullable, object};
use crate::support::expect::check_folder;
use kontract::contract::{Scope, Ty};
use kontract::migrate::{Change, FieldChange, Lock, LockError, MigrationFile, MigrationPlan, Refusal, plan};
use std::collections::BTreeMap;

#[test]
fn the_first_plan_makes_every_table() {
    let plan = planned(&draft(), &Lock::default(), &[]);
    let migration = plan.migration.expect("there are tables to make");
    assert_eq!(migration.path(), "migrations/0001_initial.sql");
    let made = BTreeMap::from([
        ("0001_initial.sql".to_owned(), migration.sql.into_bytes()),
        ("kontract.lock.json".to_owned(), plan.lock.text().into_bytes()),
    ]);
    check_folder("migrate/initial", &made);
}

#[test]
fn the_scope_of_a_table_is_part_of_its_migration_and_stays() {
    let long = "a".repeat(40);
    for (scope, spelling, ptr_len) in [(Scope::Owner, "owner", 44), (Scope::Tenant, "tenant", 30)] {
        let mut scoped = edited(|_| {});
        scoped.table(&long, "Entry", "id");
        scoped.scoped(scope);
        let (lock, files) = locked(&scoped);
        let expected = format!("p_readonly => '{{createdAt}}', p_scope => '{spelling}');");
        assert!(files[0].sql.contains(&expected), "{}", files[0].sql);
        assert_eq!(files[0].sql.matches("p_scope").count(), 1, "tables of everybody are as they were");
        assert_eq!((lock.tables[&long].scope.as_str(), lock.tables[&long].ptr.len()), (spelling, ptr_len));
        // Not with a migration either: the database keeps the scope of a table.
        scoped.scoped(Scope::Shared);
        let written = MigrationFile { name: "0002_scope".to_owned(), sql: "SELECT 1;".to_owned() };
        let all: Vec<MigrationFile> = files.into_iter().chain([written]).collect();
        let refused = messages(&scoped, &lock, &all);
        assert_eq!(refused, [format!("the scope of table `{long}` changed from {spelling} to shared")]);
    }
}

#[test]
fn a_plan_without_changes_does_nothing() {
    let (lock, files) = locked(&draft());
    assert_eq!(Lock::parse(&lock.text()).as_ref(), Ok(&lock));
    let again = planned(&draft(), &lock, &files);
    assert_eq!(again, MigrationPlan { changes: Vec::new(), migration: None, lock });
}

#[test]
fn safe_changes_are_planned() {
    let cases: Vec<(Edit, &str)> = vec![
        (|entry| entry.push(field("note?", Ty::String)), ""),
        (|entry| entry[1] = field("author", nullable(Ty::String)), ""),
        (|entry| entry[1] = field("author?", Ty::String), ""),
        (|entry| entry[1] = field("author", Ty::String).perm("R__"), "{author,createdAt}"),
        (|entry| entry[2] = field("createdAt", Ty::Date), "{}"),
        (|entry| entry.push(field("once?", Ty::String).perm("R__")), "{createdAt,once}"),
        (|entry| entry[3] = field("mood", enumeration(&["calm", "wild", "so-so"])), ""),
        (|entry| entry.reverse(), ""),
    ];
    for (number, (edit, readonly)) in cases.into_iter().enumerate() {
        let (lock, files) = locked(&draft());
        let plan = planned(&edited(edit), &lock, &files);
        let migration =
            plan.migration.as_ref().map(|migration| (migration.name.as_str(), migration.sql.as_str()));
        assert_eq!(readonly.is_empty(), migration.is_none(), "case {number}: {migration:?}");
        if let Some((name, sql)) = migration {
            assert_eq!(name, "0002_entries", "case {number}");
            assert!(sql.contains(&format!("p_readonly => '{readonly}'")), "case {number}: {sql}");
        }
        // What was planned is planned once.
        let all: Vec<MigrationFile> = files.into_iter().chain(plan.migration).collect();
        assert_eq!(planned(&edited(edit), &plan.lock, &all).changes, Vec::new(), "case {number}");
    }
}

#[test]
fn dangerous_changes_are_refused_with_what_to_do() {
    let cases: Vec<(Edit, &str)> = vec![
        (|entry| entry.push(field("note", Ty::String)), "`entries.note` is new and required"),
        (|entry| drop(entry.remove(3)), "`entries.mood` was removed"),
        (
            |entry| entry[1] = field("writer?", Ty::String),
            "`entries.author` was removed, or renamed to `writer`",
        ),
        (
            |entry| entry[1] = field("author", INT32),
            "`entries.author` changed its type from `string` to `int32`",
        ),
        (|entry| entry[4] = field("edits", array(object("Edit"))), "`entries.edits` became required"),
        (
            |entry| entry[3] = field("mood", enumeration(&["calm"])),
            r#"`entries.mood` changed its type from `"calm" | "so-so"` to `"calm"`"#,
        ),
    ];
    for (edit, message) in cases {
        let (lock, files) = locked(&draft());
        let refusals = plan(&edited(edit).checked(), &lock, &files).expect_err(message);
        let messages: Vec<String> = refusals.iter().map(Refusal::message).collect();
        assert_eq!(messages, [message]);
        assert!(refusals[0].location().is_some() && !refusals[0].help().is_empty());

        // Behind a migration that a person wrote, the same change is planned.
        let name = "0002_by_hand".to_owned();
        let empty = MigrationFile { name: name.clone(), sql: "-- to be filled in\n".to_owned() };
        let with = |file: MigrationFile| files.iter().cloned().chain([file]).collect::<Vec<_>>();
        plan(&edited(edit).checked(), &lock, &with(empty)).expect_err("it does nothing yet");
        let full = MigrationFile { name: name.clone(), sql: "-- so\nSELECT 1;\n".to_owned() };
        let plan = planned(&edited(edit), &lock, &with(full));
        assert_eq!(plan.lock.migrations[1].name, name);
    }
}

#[test]
fn unique_fields_are_part_of_the_migration() {
    let with_key: Edit = |entry| entry[0] = field("id", Ty::String).primkey().unique();
    assert!(
        !planned(&edited(with_key), &Lock::default(), &[]).migration.expect("new").sql.contains("p_unique")
    );
    let unique: Edit = |entry| entry[1] = field("author", Ty::String).unique();
    let first = planned(&edited(unique), &Lock::default(), &[]).migration.expect("a new table");
    assert!(first.sql.ends_with("p_readonly => '{createdAt}', p_unique => '{author}');\n"), "{}", first.sql);

    // Rows may have equal values; what makes them unique runs before the field is.
    let (lock, files) = locked(&draft());
    assert_eq!(messages(&edited(unique), &lock, &files), ["`entries.author` became unique"]);
    let by_hand = MigrationFile { name: "0002_by_hand".to_owned(), sql: "SELECT 1;".to_owned() };
    let files: Vec<MigrationFile> = files.into_iter().chain([by_hand]).collect();
    let plan = planned(&edited(unique), &lock, &files);
    let migration = plan.migration.expect("the database has to know");
    assert_eq!(migration.name, "0003_entries");
    assert!(migration.sql.ends_with("p_unique => '{author}');\n"), "{}", migration.sql);

    let files: Vec<MigrationFile> = files.into_iter().chain([migration]).collect();
    let back = planned(&draft(), &plan.lock, &files).migration.expect("the database has to know");
    assert!(back.sql.ends_with("p_unique => '{}');\n"), "{}", back.sql);
    // A new field that no row has yet.
    let (lock, files) = locked(&draft());
    let new: Edit = |entry| entry.push(field("email?", Ty::String).unique());
    assert!(
        planned(&edited(new), &lock, &files).migration.expect("known").sql.contains("p_unique => '{email}'")
    );
}

#[test]
fn hidden_fields_are_part_of_the_migration() {
    let hidden: Edit = |entry| entry.push(field("pin?", Ty::String).perm("_W_"));
    let (lock, files) = locked(&draft());
    let plan = planned(&edited(hidden), &lock, &files);
    let migration = plan.migration.expect("the database has to know");
    assert!(
        migration.sql.ends_with("p_readonly => '{createdAt}', p_hidden => '{pin}');\n"),
        "{}",
        migration.sql
    );
    let files: Vec<MigrationFile> = files.into_iter().chain([migration]).collect();
    let shown: Edit = |entry| entry.push(field("pin?", Ty::String));
    let back = planned(&edited(shown), &plan.lock, &files).migration.expect("the database has to know");
    assert!(back.sql.ends_with("p_hidden => '{}');\n"), "{}", back.sql);
}

#[test]
fn tables_that_go_or_change_their_key_are_refused() {
    let (lock, files) = locked(&draft());
    let mut gone = draft();
    gone.contract.tables.clear();
    assert_eq!(messages(&gone, &lock, &files), ["table `entries` was removed"]);
    let mut moved = draft();
    moved.contract.tables[0].key = "author".to_owned();
    assert_eq!(messages(&moved, &lock, &files), ["the key of table `entries` changed from `id` to `author`"]);
}

#[test]
fn types_inside_of_rows_are_watched_too() {
    let (lock, files) = locked(&draft());
    let mut wider = draft();
    wider.object("Edit", vec![field("at", Ty::Date), field("by?", Ty::String)]);
    let changes = planned(&wider, &lock, &files).changes;
    assert!(
        matches!(changes.as_slice(), [Change::Field { change: FieldChange::AddedOptional, .. }]),
        "{changes:?}"
    );
    let mut other = draft();
    other.object("Edit", vec![field("at", Ty::String)]);
    assert_eq!(messages(&other, &lock, &files), ["`Edit.at` changed its type from `Date` to `string`"]);
}

#[test]
fn ids_stay_with_fields_and_are_not_given_twice() {
    let (lock, mut files) = locked(&draft());
    files.push(MigrationFile { name: "0002_drop".to_owned(), sql: "SELECT 1;".to_owned() });
    let without = planned(&edited(|entry| drop(entry.remove(1))), &lock, &files).lock;
    let again = planned(&edited(|entry| entry[1] = field("author?", Ty::String)), &without, &files).lock;
    let ids = |lock: &Lock| -> BTreeMap<String, u32> {
        lock.tables["entries"].fields.iter().map(|field| (field.name.clone(), field.id)).collect()
    };
    assert_eq!((ids(&lock)["author"], ids(&again)["author"]), (2, 6));
    assert_eq!(ids(&lock)["mood"], ids(&again)["mood"]);
}

#[test]
fn locked_migrations_stay_as_they_are() {
    let (lock, files) = locked(&draft());
    let edited = vec![MigrationFile { sql: format!("{} ", files[0].sql), ..files[0].clone() }];
    assert_eq!(
        messages(&draft(), &lock, &edited),
        ["migration `0001_initial` was edited after it was locked"]
    );
    assert_eq!(
        messages(&draft(), &lock, &[]),
        ["migration `0001_initial` is locked, and its file is missing"]
    );
    let file = |name: &str| MigrationFile { name: name.to_owned(), sql: "SELECT 1;".to_owned() };
    let clash: Vec<MigrationFile> = files.iter().cloned().chain([file("0001_other")]).collect();
    assert_eq!(
        messages(&draft(), &lock, &clash),
        ["migration `0001_other` cannot come behind `0001_initial`"]
    );
    let twins: Vec<MigrationFile> = files.iter().cloned().chain([file("0002_a"), file("0002_b")]).collect();
    assert_eq!(messages(&draft(), &lock, &twins), ["migration `0002_b` cannot come behind `0002_a`"]);
}

#[test]
fn what_is_no_lock_is_refused() {
    let version = |text: &str| Lock::parse(text).expect_err("not a lock");
    assert_eq!(version("{ \"version\": 2, \"later\": [] }"), LockError::Version { found: 2 });
    assert_eq!(version("{\n<<<<<<< ours\n"), LockError::Conflict { line: 2 });
    for text in ["", "{}", "[]", "{ \"version\": 1, \"tabels\": {} }", "{ \"version\": -1 }"] {
        assert!(matches!(version(text), LockError::Malformed { .. }), "{text}");
    }
}

#[test]
fn a_name_that_no_database_can_hold_is_refused() {
    let draft = edited(|entry| entry.push(field("a\0b", Ty::String).perm("R__")));
    let refusals = plan(&draft.checked(), &Lock::default(), &[]).expect_err("it has a NUL");
    assert!(matches!(refusals.as_slice(), [Refusal::NulInName { .. }]), "{refusals:?}");
}

type Edit = fn(&mut Vec<FieldDraft>);

fn draft() -> Draft {
    edited(|_| {})
}

/// A table of entries whose fields were edited.
fn edited(edit: Edit) -> Draft {
    let mut draft = Draft::new(&["src/types.ts"]);
    let mut fields = vec![
        field("id", Ty::String).primkey(),
        field("author", Ty::String),
        field("createdAt", Ty::Date).perm("R__"),
        field("mood", enumeration(&["calm", "so-so"])),
        field("edits?", array(object("Edit"))),
    ];
    edit(&mut fields);
    draft.object("Entry", fields);
    draft.object("Edit", vec![field("at", Ty::Date)]);
    draft.table("entries", "Entry", "id");
    draft.endpoint("src/types.ts", "find", &[("id", Ty::String)], object("Entry"));
    draft
}

fn planned(draft: &Draft, lock: &Lock, files: &[MigrationFile]) -> MigrationPlan {
    plan(&draft.checked(), lock, files).expect("nothing is refused")
}

/// The lock after the first plan, and the file it wrote.
fn locked(draft: &Draft) -> (Lock, Vec<MigrationFile>) {
    let plan = planned(draft, &Lock::default(), &[]);
    (plan.lock, plan.migration.into_iter().collect())
}

fn messages(draft: &Draft, lock: &Lock, files: &[MigrationFile]) -> Vec<String> {
    let refusals = plan(&draft.checked(), lock, files).expect_err("it is refused");
    refusals.iter().map(Refusal::message).collect()
}
