//! kontract
fn main() {}
