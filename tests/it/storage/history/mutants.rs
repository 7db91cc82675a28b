//! Storage without one of its guards: the checker has to notice each, or it would not notice a mistake either.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use kontract_history::Kind;

use super::round::Round;
use crate::support::postgres::Server;

/// A guard that is taken away.
pub(super) struct Mutant {
    name: &'static str,
    /// Replacements in the installation script.
    sql: &'static [(&'static str, &'static str)],
    /// Parts that the core leaves out of a commit.
    forgets: &'static [&'static str],
}

const MUTANTS: &[Mutant] = &[
    of_sql(
        "keys read are not validated",
        &[("IF FOUND THEN RETURN jsonb_build_object('t', '@P@', 'key', k); END IF;", "")],
    ),
    of_sql(
        "predicates are not validated",
        &[("IF FOUND THEN RETURN jsonb_build_object('t', '@P@', 'predicate', q); END IF;", "")],
    ),
    of_sql(
        "containment is not validated",
        &[("WHEN 'c' THEN changed.data", "WHEN 'c' THEN false AND changed.data")],
    ),
    of_sql("comparisons are not validated", &[("OR kt_priv.matches(changed.data, p.q -> 'w')", "")]),
    of_sql("whole tables are not validated", &[("ELSE true END", "ELSE false END")]),
    of_sql("pages are not validated", &[("WHEN 'l' THEN", "WHEN 'l' THEN false AND")]),
    of_sql(
        "keys are not locked",
        &[
            ("pg_advisory_xact_lock(v_exclusive[1])::text", "NULL"),
            ("pg_advisory_xact_lock(u.lock)::text", "NULL"),
            ("pg_advisory_xact_lock_shared(u.lock)::text", "NULL"),
            ("pg_advisory_xact_lock(hashtextextended(p_key, hashtext('@P@')))", "NULL"),
        ],
    ),
    of_sql(
        "predicates do not lock",
        &[(
            "pg_advisory_xact_lock(19285, v_salt)::text",
            "pg_advisory_xact_lock_shared(19285, v_salt)::text",
        )],
    ),
    of_sql(
        "a row is read as it is",
        &[("IF x IS NULL OR NOT pg_visible_in_snapshot(x, s) THEN", "IF false THEN")],
    ),
    of_sql("replaced versions are not read", &[("NOT pg_visible_in_snapshot(t._deleted_txid, s)", "false")]),
    of_sql("new versions are read", &[("pg_visible_in_snapshot(t._txid, s)", "true")]),
    of_sql("the ledger forgets", &[("IF p_idem IS NOT NULL THEN", "IF false THEN")]),
    of_sql(
        "the outcome of a commit is denied",
        &[("CASE WHEN v_owner <> '' THEN 'committed' ELSE 'gone' END", "'gone'")],
    ),
    of_sql(
        "a commit does not name its session",
        &[
            (
                "VALUES (v_hash, v_owner, v_changes)",
                "VALUES (uuid_send(gen_random_uuid()), v_owner, v_changes)",
            ),
            ("SELECT v_hash, v_owner, v_changes", "SELECT uuid_send(gen_random_uuid()), v_owner, v_changes"),
        ],
    ),
    of_sql(
        "an end is not written down",
        &[(
            "INSERT INTO kt_priv.log (sid, owner, changes) VALUES (v_hash, '', '{}') ON CONFLICT (sid) DO NOTHING;\n  IF FOUND THEN",
            "IF NOT EXISTS (SELECT 1 FROM kt_priv.log l WHERE l.sid = v_hash) THEN",
        )],
    ),
    of_sql(
        "garbage is collected too early",
        &[(
            "least((SELECT a.create_txid FROM kt.trxs a ORDER BY a.create_txid LIMIT 1), pg_snapshot_xmin(pg_current_snapshot()))",
            "pg_snapshot_xmax(pg_current_snapshot())",
        )],
    ),
    of_sql(
        "one key read counts as unchanged",
        &[(
            "IF FOUND THEN RETURN NULL; END IF;\n  END IF;\n  -- LIMIT",
            "RETURN NULL;\n  END IF;\n  -- LIMIT",
        )],
    ),
    of_sql(
        "the row of a short commit is not validated",
        &[(
            "t._deleted_txid IS NULL AND (NOT p_read OR pg_visible_in_snapshot(t._txid, s))",
            "t._deleted_txid IS NULL",
        )],
    ),
    of_sql(
        "a short commit does not name itself",
        &[("SELECT sha256(uuid_send(p_sid)), left", "SELECT uuid_send(gen_random_uuid()), left")],
    ),
    of_core("the core forgets keys", &["r"]),
    of_core("the core forgets predicates", &["q"]),
    of_core("the core forgets deletions", &["del"]),
];

/// Guards whose absence shows in a window so narrow that a busy machine may miss it for many rounds.
const NARROW: &[Mutant] = &[
    of_sql(
        "the end of a list is not locked",
        &[
            ("v_exclusive := v_exclusive || hashtextextended(E'\\x01tail', v_salt);", "NULL;"),
            ("pg_advisory_xact_lock(hashtextextended(E'\\x01tail', hashtext('@P@')))", "NULL"),
            (
                "least(hashtextextended(p_key, hashtext('@P@')), hashtextextended(E'\\x01tail', hashtext('@P@')))",
                "hashtextextended(p_key, hashtext('@P@'))",
            ),
            // The window is narrow: hold it open.
            (
                "  -- 4. The session is used up",
                "  PERFORM pg_sleep(random() * 0.2);\n  -- 4. The session is used up",
            ),
            ("  RETURN x::text;", "  PERFORM pg_sleep(random() * 0.2);\n  RETURN x::text;"),
        ],
    ),
    of_sql(
        "a short commit does not wait for predicates",
        &[
            ("pg_advisory_xact_lock_shared(19285, hashtext('@P@'))", "NULL"),
            ("  RETURN x::text;", "  PERFORM pg_sleep(random() * 0.02);\n  RETURN x::text;"),
        ],
    ),
];

const fn of_sql(name: &'static str, sql: &'static [(&'static str, &'static str)]) -> Mutant {
    Mutant { name, sql, forgets: &[] }
}

const fn of_core(name: &'static str, forgets: &'static [&'static str]) -> Mutant {
    Mutant { name, sql: &[], forgets }
}

impl Mutant {
    pub(super) fn apply(&self, script: &str) -> String {
        self.sql.iter().fold(script.to_owned(), |script, (from, to)| {
            assert!(script.contains(from), "{}: {from} is not in the script", self.name);
            script.replace(from, to)
        })
    }

    /// The round in which it was noticed, and the first class of anomalies.
    fn noticed(&'static self) -> Option<(u64, Kind)> {
        (1..=ROUNDS_MAX).find_map(|round| {
            let report = Round::new(Server::Embedded18, TRANSACTIONS, 1000 + round).with_mutant(self).run();
            report.anomalies.first().map(|anomaly| (round, anomaly.kind))
        })
    }

    pub(super) fn forgets(&self) -> Vec<String> {
        self.forgets.iter().map(|&part| part.to_owned()).collect()
    }
}

#[test]
fn every_guard_is_missed() {
    all_are_noticed(MUTANTS);
}

#[test]
#[ignore = "a matter of luck on a busy machine; see cargo xtask storage-check"]
fn narrow_guards_are_missed() {
    all_are_noticed(NARROW);
}

fn all_are_noticed(mutants: &'static [Mutant]) {
    let next = AtomicUsize::new(0);
    let unnoticed = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some(mutant) = mutants.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let noticed = mutant.noticed();
                    eprintln!("{}: {noticed:?}", mutant.name);
                    if noticed.is_none() {
                        unnoticed.lock().expect("no panic").push(mutant.name);
                    }
                }
            });
        }
    });
    let unnoticed = unnoticed.into_inner().expect("no panic");
    assert!(unnoticed.is_empty(), "nobody noticed: {unnoticed:?}");
}

const TRANSACTIONS: usize = 600;
/// Luck may save a mutant a few times, on a busy machine above all.
const ROUNDS_MAX: u64 = 12;
/// Mutants wait more than they compute.
const AT_ONCE: usize = 4;
