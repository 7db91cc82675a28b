//! The `kontract` command.

mod allocator;

use std::process::ExitCode;

/// Trees are many small allocations, made and dropped by several threads.
#[global_allocator]
static ALLOCATOR: allocator::Allocator = allocator::Allocator;

fn main() -> ExitCode {
    kontract::cli::run()
}
