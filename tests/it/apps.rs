//! Whole apps, built and served by the real `kontract` on the real workerd and PostgreSQL, called from Node and Chromium.

mod build;
mod dev;
mod owners;
mod plain;
mod serve;
mod traces;
