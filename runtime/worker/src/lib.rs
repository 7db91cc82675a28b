//! The gateway in workerd: conversions between JavaScript and the pure cores
#![forbid(unsafe_code)]
