//! What the tests share.

pub(crate) mod app;
pub(crate) mod contract;
pub(crate) mod counting;
pub(crate) mod door;
pub(crate) mod encrypted;
pub(crate) mod expect;
pub(crate) mod node;
pub(crate) mod pooler;
pub(crate) mod postgres;
pub(crate) mod random;
pub(crate) mod script;
pub(crate) mod transactions;
