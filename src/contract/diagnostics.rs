//! Diagnostics of the check.
