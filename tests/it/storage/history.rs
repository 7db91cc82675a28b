//! Storage under load and faults, checked from the outside: many clients drive the transaction core as the Worker does,
//! write down what they saw, and `kontract-history` decides whether that has a serial order.
//!
//! `gateway` is the process that is killed, `workload` what its clients do, `round` starts and ends everything and reads the
//! final state, `mutants` takes the guards out of the SQL one by one: each has to be noticed.

mod gateway;
mod mutants;
mod nemesis;
mod round;
mod workload;

use self::round::Round;
use crate::support::postgres::Server;

/// Transactions of the long run; `cargo xtask storage-check` sets it.
const TRANSACTIONS: &str = "KONTRACT_STORAGE_TRANSACTIONS";

/// Transactions that one history holds: the database starts empty, so that lists stay short enough to be read whole.
const ROUND: usize = 2500;

#[test]
fn embedded_18_is_serializable() {
    Round::new(Server::Embedded18, ROUND, 1).run().expect_clean();
}

#[test]
fn debian_15_is_serializable() {
    Round::new(Server::Debian15, ROUND, 2).run().expect_clean();
}

#[test]
fn embedded_18_is_serializable_while_things_are_killed() {
    Round::new(Server::Embedded18, ROUND, 3).with_faults().run().expect_clean();
}

#[test]
fn debian_15_is_serializable_while_things_are_killed() {
    Round::new(Server::Debian15, ROUND, 4).with_faults().run().expect_clean();
}

#[test]
fn debian_15_behind_a_transaction_pooler_is_serializable() {
    Round::new(Server::Debian15, ROUND, 5).through_pooler().run().expect_clean();
}

/// `cargo xtask storage-check --transactions N`: half on each server, every other round with faults.
#[test]
#[ignore = "takes minutes; see cargo xtask storage-check"]
fn long() {
    let wanted: usize = std::env::var(TRANSACTIONS).map_or(100_000, |count| count.parse().expect("a number"));
    let (mut done, mut number) = (0, 10);
    while done < wanted {
        for server in [Server::Embedded18, Server::Debian15] {
            for faults in [false, true] {
                let round = Round::new(server, ROUND, number);
                let report = if faults { round.with_faults() } else { round }.run();
                done += report.attempts();
                number += 1;
                eprintln!("{done} of {wanted}: {server:?}, seed {}, {report}", number - 1);
                report.expect_clean();
            }
        }
    }
}

/// Not a test: the process that [`nemesis`] kills. See [`gateway::Config`].
#[test]
#[ignore = "started by the tests above"]
fn gateway_process() {
    if let Some(config) = gateway::Config::from_environment() {
        gateway::serve(&config);
    }
}
