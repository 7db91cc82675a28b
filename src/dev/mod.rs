//! What `kontract dev` runs beside the compiler.

pub mod database;
pub mod modules;
pub mod trace;
pub mod watch;
pub mod workerd;
