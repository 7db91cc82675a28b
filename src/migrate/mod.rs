//! From entities to SQL, and from SQL to the database.

pub mod run;
