//! What `kontract dev` runs beside the compiler.

pub mod database;
