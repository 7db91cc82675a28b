//! Whole apps, built and served by the real `kontract` on the real workerd and PostgreSQL, called from Node and Chromium.

pub(crate) mod build;
mod dev;
mod keys;
mod owners;
mod peer;
mod plain;
mod serve;
mod streams;
mod traces;
