//! Histories written by hand: each class of anomaly is named, and what is in order passes.

use std::collections::BTreeMap;

use crate::{History, Kind, Op, Outcome, Txn, check};

/// Transactions that overlap all others: only dependencies order them.
fn concurrent(name: &str, ops: Vec<Op>) -> Txn {
    Txn { name: name.into(), begin_ns: 0, end_ns: 100, outcome: Outcome::Committed, ops }
}

fn at(begin_ns: u64, end_ns: u64, txn: Txn) -> Txn {
    Txn { begin_ns, end_ns, ..txn }
}

fn ended(outcome: Outcome, txn: Txn) -> Txn {
    Txn { outcome, ..txn }
}

fn kinds(txns: Vec<Txn>) -> Vec<Kind> {
    kinds_with(txns, &[])
}

fn kinds_with(txns: Vec<Txn>, registers: &[(&str, &[u64])]) -> Vec<Kind> {
    let registers: BTreeMap<_, _> =
        registers.iter().map(|(name, values)| ((*name).to_owned(), values.to_vec())).collect();
    check(&History { txns, registers }).into_iter().map(|anomaly| anomaly.kind).collect()
}

fn append(list: &str, value: u64) -> Op {
    Op::Append(list.into(), value)
}

fn list(list: &str, values: &[u64]) -> Op {
    Op::List(list.into(), values.to_vec())
}

fn write(register: &str, value: u64) -> Op {
    Op::Write(register.into(), value)
}

fn read(register: &str, value: Option<u64>) -> Op {
    Op::Read(register.into(), value)
}

fn enter(group: &str, member: u64) -> Op {
    Op::Enter(group.into(), member)
}

fn leave(group: &str, member: u64) -> Op {
    Op::Leave(group.into(), member)
}

fn scan(group: &str, members: &[u64]) -> Op {
    Op::Scan(group.into(), members.to_vec())
}

#[test]
fn a_serial_history_is_in_order() {
    let txns = vec![
        at(0, 1, concurrent("a", vec![append("l", 1), write("r", 1), enter("g", 1)])),
        at(
            2,
            3,
            concurrent(
                "b",
                vec![list("l", &[1]), append("l", 2), list("l", &[1, 2]), read("r", Some(1)), write("r", 2)],
            ),
        ),
        at(4, 5, concurrent("c", vec![scan("g", &[1]), leave("g", 1), enter("g", 2), scan("g", &[2])])),
        at(
            6,
            7,
            concurrent("d", vec![list("l", &[1, 2]), read("r", Some(2)), scan("g", &[2]), read("s", None)]),
        ),
    ];
    assert_eq!(kinds_with(txns, &[("r", &[1, 2])]), []);
}

#[test]
fn concurrent_transactions_may_come_in_either_order() {
    let early = concurrent("reader", vec![list("l", &[])]);
    let late = concurrent("reader", vec![list("l", &[1])]);
    for reader in [early, late] {
        assert_eq!(
            kinds(vec![
                concurrent("writer", vec![append("l", 1)]),
                reader,
                concurrent("end", vec![list("l", &[1])])
            ]),
            []
        );
    }
}

#[test]
fn writes_in_a_circle_are_g0() {
    let txns = vec![
        concurrent("a", vec![append("x", 1), append("y", 1)]),
        concurrent("b", vec![append("x", 2), append("y", 2)]),
        concurrent("end", vec![list("x", &[1, 2]), list("y", &[2, 1])]),
    ];
    assert_eq!(kinds(txns), [Kind::G0]);
    let txns = vec![
        concurrent("a", vec![write("x", 1), write("y", 1)]),
        concurrent("b", vec![write("x", 2), write("y", 2)]),
    ];
    assert_eq!(kinds_with(txns, &[("x", &[1, 2]), ("y", &[2, 1])]), [Kind::G0]);
}

#[test]
fn a_value_of_an_aborted_transaction_is_g1a() {
    let aborted = |ops| ended(Outcome::Aborted, concurrent("aborted", ops));
    let reader = |op| concurrent("reader", vec![op]);
    assert!(kinds(vec![aborted(vec![append("l", 1)]), reader(list("l", &[1]))]).contains(&Kind::G1a));
    assert!(kinds(vec![aborted(vec![write("r", 1)]), reader(read("r", Some(1)))]).contains(&Kind::G1a));
    assert!(kinds(vec![aborted(vec![enter("g", 1)]), reader(scan("g", &[1]))]).contains(&Kind::G1a));
    // What nobody saw of it is fine.
    assert_eq!(
        kinds(vec![aborted(vec![append("l", 1), write("r", 1), enter("g", 1)]), reader(scan("g", &[]))]),
        []
    );
}

#[test]
fn a_part_of_a_transaction_is_g1b() {
    let writer = concurrent("writer", vec![append("l", 1), append("l", 2)]);
    let reader = concurrent("reader", vec![list("l", &[1])]);
    let end = concurrent("end", vec![list("l", &[1, 2])]);
    assert!(kinds(vec![writer, reader, end]).contains(&Kind::G1b));
    let writer = concurrent("writer", vec![write("r", 1), write("r", 2)]);
    let reader = concurrent("reader", vec![read("r", Some(1))]);
    assert!(kinds_with(vec![writer, reader], &[("r", &[2])]).contains(&Kind::G1b));
}

#[test]
fn two_that_read_each_other_are_g1c() {
    let txns = vec![
        concurrent("a", vec![append("x", 1), list("y", &[1])]),
        concurrent("b", vec![append("y", 1), list("x", &[1])]),
    ];
    assert_eq!(kinds(txns), [Kind::G1c]);
}

#[test]
fn a_lost_update_is_g_single() {
    let txns = vec![
        concurrent("first", vec![write("r", 1)]),
        concurrent("a", vec![read("r", Some(1)), write("r", 2)]),
        concurrent("b", vec![read("r", Some(1)), write("r", 3)]),
    ];
    assert_eq!(kinds_with(txns, &[("r", &[1, 2, 3])]), [Kind::GSingle]);
}

#[test]
fn read_skew_is_g_single() {
    let txns = vec![
        concurrent("writer", vec![append("x", 1), append("y", 1)]),
        concurrent("reader", vec![list("x", &[]), list("y", &[1])]),
        concurrent("end", vec![list("x", &[1])]),
    ];
    assert_eq!(kinds(txns), [Kind::GSingle]);
}

#[test]
fn write_skew_is_g2() {
    let txns = vec![
        concurrent("a", vec![read("x", None), write("y", 1)]),
        concurrent("b", vec![read("y", None), write("x", 1)]),
    ];
    assert_eq!(kinds_with(txns, &[("x", &[1]), ("y", &[1])]), [Kind::G2]);
}

#[test]
fn phantoms_are_g2() {
    let txns = vec![
        concurrent("a", vec![scan("g", &[]), enter("g", 1)]),
        concurrent("b", vec![scan("g", &[]), enter("g", 2)]),
        concurrent("end", vec![scan("g", &[1, 2])]),
    ];
    assert_eq!(kinds(txns), [Kind::G2]);
    // One that leaves is a phantom, too.
    let txns = vec![
        at(0, 1, concurrent("start", vec![enter("g", 1), enter("h", 1)])),
        at(2, 9, concurrent("a", vec![scan("g", &[1]), leave("h", 1)])),
        at(2, 9, concurrent("b", vec![scan("h", &[1]), leave("g", 1)])),
        at(10, 11, concurrent("end", vec![scan("g", &[]), scan("h", &[])])),
    ];
    assert_eq!(kinds(txns), [Kind::G2]);
}

#[test]
fn a_read_of_the_past_is_a_matter_of_time() {
    let txns = vec![
        at(0, 1, concurrent("writer", vec![append("l", 1)])),
        at(2, 3, concurrent("reader", vec![list("l", &[])])),
        at(4, 5, concurrent("end", vec![list("l", &[1])])),
    ];
    assert_eq!(kinds(txns), [Kind::Realtime]);
}

#[test]
fn lost_doubled_and_invented_writes_are_named() {
    assert!(
        kinds(vec![concurrent("a", vec![append("l", 1)]), concurrent("end", vec![list("l", &[])])])
            .contains(&Kind::Lost)
    );
    assert!(kinds_with(vec![concurrent("a", vec![write("r", 1)])], &[]).contains(&Kind::Lost));
    let twice = vec![concurrent("a", vec![append("l", 1)]), concurrent("end", vec![list("l", &[1, 1])])];
    assert!(kinds(twice).contains(&Kind::Doubled));
    let taken = vec![
        concurrent("start", vec![enter("g", 1)]),
        concurrent("a", vec![leave("g", 1)]),
        concurrent("b", vec![leave("g", 1)]),
    ];
    assert!(kinds(taken).contains(&Kind::Doubled));
    assert!(kinds(vec![concurrent("a", vec![list("l", &[7])])]).contains(&Kind::Unwritten));
    assert!(kinds(vec![concurrent("a", vec![scan("g", &[7])])]).contains(&Kind::Unwritten));
}

#[test]
fn reads_of_one_list_agree() {
    let txns = vec![
        concurrent("w", vec![append("l", 1)]),
        concurrent("v", vec![append("l", 2)]),
        concurrent("a", vec![list("l", &[1, 2])]),
        concurrent("b", vec![list("l", &[2])]),
    ];
    assert!(kinds(txns).contains(&Kind::Order));
}

#[test]
fn own_writes_are_seen() {
    assert!(kinds(vec![concurrent("a", vec![append("l", 1), list("l", &[])])]).contains(&Kind::Internal));
    let own = vec![concurrent("a", vec![write("r", 1), read("r", None)])];
    assert!(kinds_with(own, &[("r", &[1])]).contains(&Kind::Internal));
    assert!(kinds(vec![concurrent("a", vec![enter("g", 1), scan("g", &[])])]).contains(&Kind::Internal));
}

#[test]
fn an_unknown_outcome_is_what_was_seen_of_it() {
    let unknown = || {
        ended(Outcome::Unknown, at(0, u64::MAX, concurrent("unknown", vec![append("x", 1), append("y", 1)])))
    };
    let reader = |x: &[u64], y: &[u64]| at(10, 11, concurrent("reader", vec![list("x", x), list("y", y)]));
    assert_eq!(kinds(vec![unknown(), reader(&[], &[])]), []);
    assert_eq!(kinds(vec![unknown(), reader(&[1], &[1])]), []);
    let end = at(12, 13, concurrent("end", vec![list("x", &[1]), list("y", &[1])]));
    assert_eq!(kinds(vec![unknown(), reader(&[1], &[]), end]), [Kind::GSingle]);
}

#[test]
fn a_broken_rule_is_told() {
    assert_eq!(kinds(vec![concurrent("a", vec![Op::Broken("the sum is 3".into())])]), [Kind::Claim]);
}

#[test]
fn a_member_that_several_tried_to_move_was_moved_by_the_one_that_committed() {
    let start = concurrent("start", vec![enter("g", 1)]);
    let moved = |name: &str| concurrent(name, vec![leave("g", 1), enter("h", 1)]);
    let end = concurrent("end", vec![scan("g", &[]), scan("h", &[1])]);
    let aborted = ended(Outcome::Aborted, moved("aborted"));
    assert_eq!(kinds(vec![start.clone(), moved("moved"), aborted.clone(), end.clone()]), []);
    assert_eq!(
        kinds(vec![start.clone(), ended(Outcome::Unknown, moved("unknown")), moved("moved"), end.clone()]),
        []
    );
    assert!(kinds(vec![start, aborted, end]).contains(&Kind::G1a));
}

#[test]
fn a_member_that_left_with_one_of_several_unknown_outcomes_may_be_gone_at_any_time() {
    let enter = at(0, 10, concurrent("enter", vec![enter("g", 1)]));
    let leave = |name: &str| ended(Outcome::Unknown, at(20, u64::MAX, concurrent(name, vec![leave("g", 1)])));
    let seen = at(12, 14, concurrent("seen", vec![scan("g", &[1]), append("l", 1)]));
    let gone = at(30, 40, concurrent("gone", vec![list("l", &[1]), scan("g", &[])]));
    let end = at(50, 60, concurrent("end", vec![scan("g", &[])]));
    let both = vec![enter.clone(), seen.clone(), leave("a"), leave("b"), gone.clone(), end.clone()];
    assert_eq!(kinds(both), []);
    // Nobody tried: it cannot be gone.
    assert!(!kinds(vec![enter, seen, gone, end]).is_empty());
}

#[test]
fn an_aborted_transaction_is_promised_a_state_that_was_there() {
    let writer = concurrent("writer", vec![append("x", 1), append("y", 1)]);
    let end = concurrent("end", vec![list("x", &[1])]);
    let reader = |x: &[u64]| {
        ended(Outcome::Aborted, concurrent("reader", vec![list("x", x), list("y", &[1]), append("x", 2)]))
    };
    assert_eq!(kinds(vec![writer.clone(), reader(&[1]), end.clone()]), []);
    assert_eq!(kinds(vec![writer, reader(&[]), end]), [Kind::GSingle]);
}
