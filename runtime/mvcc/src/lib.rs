//! Serializable transactions over PostgreSQL: statements, read and write sets, and the SQL they call, sans-IO
#![forbid(unsafe_code)]
