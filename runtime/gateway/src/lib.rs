//! Session, authentication, permission and dispatch of a call, sans-IO
#![forbid(unsafe_code)]
