//! From syntax trees to text: typed constructors for generated code, the printer, and source maps.

pub mod build;
pub mod print;
pub mod sourcemap;
