//! From syntax trees to text: typed constructors for generated code, and the printer.

pub mod build;
pub mod print;
