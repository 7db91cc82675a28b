//! kontract's wire model, shared by the compiler and the runtime: permission bits, route ids, error codes and the
//! envelope of a call.
//!
//! Owns the byte layout of what travels inside a raystream frame. Knows neither raystream nor JavaScript.
#![forbid(unsafe_code)]

pub mod call;
pub mod error;
pub mod limits;
pub mod perm;
pub mod route;
