//! The `kontract` command.

use std::process::ExitCode;

/// Trees are many small allocations of several threads at once.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    kontract::cli::run()
}
