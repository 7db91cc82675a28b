//! Seeds in order, and guards that are missed. `KONTRACT_SIMULATION_SEEDS=FROM..TO` runs others.

use crate::{Guard, simulate};

/// Histories of each test run; more with the variable above.
const SEEDS: std::ops::Range<u64> = 0..400;

/// Histories in which a guard has to be missed at least once.
const MUTANT_SEEDS: u64 = 150;

#[test]
fn histories_are_serializable() {
    let seeds = std::env::var("KONTRACT_SIMULATION_SEEDS").map_or(SEEDS, |text| {
        let (from, to) = text.split_once("..").expect("FROM..TO");
        from.parse().expect("a number")..to.parse().expect("a number")
    });
    let mut committed = 0;
    for seed in seeds.clone() {
        let report = simulate(seed, None, &[]);
        let anomalies: Vec<_> = report.anomalies.iter().map(ToString::to_string).collect();
        assert!(anomalies.is_empty(), "seed {seed}: {}", anomalies.join("\n"));
        committed += report.committed;
    }
    let histories = usize::try_from(seeds.end - seeds.start).expect("few");
    assert!(committed > histories * 48, "{committed} commits: too little was done to show anything");
}

#[test]
fn a_seed_brings_its_history_back() {
    let [first, second] = [1, 1].map(|seed| simulate(seed, Some(Guard::Keys), &[]));
    let words = |report: &crate::Report| report.anomalies.iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!((first.committed, words(&first)), (second.committed, words(&second)));
}

#[test]
fn every_guard_is_missed() {
    let guards = [
        Guard::Keys,
        Guard::Containment,
        Guard::Pages,
        Guard::Snapshot,
        Guard::Ledger,
        Guard::Log,
        Guard::Outcome,
    ];
    for guard in guards {
        let noticed = (0..MUTANT_SEEDS).find(|seed| !simulate(*seed, Some(guard), &[]).anomalies.is_empty());
        assert!(noticed.is_some(), "nobody misses {guard:?}");
    }
    for part in [&["r"], &["q"], &["del"]] {
        let noticed = (0..MUTANT_SEEDS).find(|seed| !simulate(*seed, None, part).anomalies.is_empty());
        assert!(noticed.is_some(), "nobody misses {part:?}");
    }
}
