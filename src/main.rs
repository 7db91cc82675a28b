//! The `kontract` command.

use std::process::ExitCode;

/// Trees are many small allocations, made and dropped by several threads.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    kontract::cli::run()
}
