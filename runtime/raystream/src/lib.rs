//! raystream: the encrypted protocol between the generated client and the gateway, sans-IO
#![forbid(unsafe_code)]
