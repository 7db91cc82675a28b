//! Whole apps, built and served by the real `kontract` on the real workerd and PostgreSQL, called from Node and Chromium.

pub(crate) mod build;
mod connections;
mod dev;
mod fallback;
mod flood;
mod frontends;
mod keys;
mod owners;
mod packages;
mod peer;
mod plain;
mod restart;
mod serve;
mod ssr;
mod streams;
mod tables;
mod traces;
mod unbundled;
