//! Tokens and database credentials, sans-IO
#![forbid(unsafe_code)]
