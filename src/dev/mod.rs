//! What `kontract dev` runs beside the compiler.

pub mod database;
pub mod watch;
pub mod workerd;
