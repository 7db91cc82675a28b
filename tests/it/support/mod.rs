//! Helpers shared by the tests.

pub(crate) mod postgres;
pub(crate) mod transactions;
