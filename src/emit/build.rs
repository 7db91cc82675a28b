//! Typed constructors for the syntax nodes of generated modules.
