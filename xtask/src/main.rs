//! `cargo xtask`: prepares the machine, builds what the product consists of and runs every test.
//!
//! ```text
//! setup   machine → wasm32 target, npm packages, what the tests need
//! build   sources → npm/kontract, target/gateway (WebAssembly and its JavaScript), the `kontract` program
//! dev     build, then `kontract dev`
//! fuzz    broken programs through the compiler, broken messages through the decoders
//! test    build, then formatting, lints and every test
//! bench   the program as it ships, and the codecs it generates, side by side with others
//! ci      test, and the tree must be as committed
//! storage-check  many concurrent transactions with faults → whether they had a serial order
//! ```
//!
//! What users of kontract need belongs to `kontract` itself and not here.

mod bench;
mod build;
mod dev;
mod error;
mod fuzz;
mod gateway;
mod npm;
mod process;
mod python;
mod system;
mod test;
mod tree;

use std::process::ExitCode;

use crate::build::Profile;
use crate::error::Error;
use crate::tree::Tree;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            error.exit_code()
        }
    }
}

fn run(arguments: &[String]) -> Result<(), Error> {
    let Some((command, rest)) = arguments.split_first() else {
        return Err(Error::Usage("a command is missing".to_owned()));
    };
    match (command.as_str(), rest) {
        ("help" | "--help" | "-h", _) => {
            println!("{USAGE}");
            Ok(())
        }
        ("setup", []) => setup(&Tree::find()?),
        ("build", []) => build::build(&Tree::find()?, Profile::Dev).map(drop),
        ("build", [flag]) if flag == "--release" => build::build(&Tree::find()?, Profile::Release).map(drop),
        ("dev", [project, passed @ ..]) => dev::dev(project, passed),
        ("dev", []) => Err(Error::Usage("dev needs a project folder, such as examples/guestbook".to_owned())),
        ("bench", [what]) if what == "check" => bench::check(&Tree::find()?),
        ("bench", [what]) if what == "wire" => bench::wire(&Tree::find()?),
        ("bench", _) => Err(Error::Usage("bench needs what to measure: check or wire".to_owned())),
        ("fuzz", [what, flag, seconds]) if flag == "--seconds" => fuzz(what, seconds, "1"),
        ("fuzz", [what, flag, seconds, seed_flag, seed]) if flag == "--seconds" && seed_flag == "--seed" => {
            fuzz(what, seconds, seed)
        }
        ("fuzz", _) => Err(Error::Usage(FUZZ_USAGE.to_owned())),
        ("test", []) => test::test(&Tree::find()?),
        ("ci", []) => test::ci(&Tree::find()?),
        ("storage-check", []) => test::storage_check(&Tree::find()?, "100000"),
        ("storage-check", [flag, count]) if flag == "--transactions" && count.parse::<u32>().is_ok() => {
            test::storage_check(&Tree::find()?, count)
        }
        ("setup" | "build" | "test" | "ci" | "storage-check", [first, ..]) => {
            Err(Error::Usage(format!("`{command}` does not take `{first}`")))
        }
        (unknown, _) => Err(Error::Usage(format!("there is no command `{unknown}`"))),
    }
}

fn fuzz(what: &str, seconds: &str, seed: &str) -> Result<(), Error> {
    match what {
        "compiler" => fuzz::compiler(&Tree::find()?, seconds, seed),
        "wire" => fuzz::wire(&Tree::find()?, seconds, seed),
        _ => Err(Error::Usage(FUZZ_USAGE.to_owned())),
    }
}

fn setup(tree: &Tree) -> Result<(), Error> {
    gateway::require_target(tree)?;
    npm::install(tree)?;
    system::install_packages(tree)?;
    python::install(tree)
}

const FUZZ_USAGE: &str = "fuzz needs `compiler --seconds N [--seed N]` or `wire --seconds N [--seed N]`";

/// What `cargo xtask help` prints; usage errors repeat it.
const USAGE: &str = "\
cargo xtask <command>

  setup                 install the wasm32 target, npm packages and what the tests need
  build [--release]     build npm/kontract, the gateway and the kontract program
  dev DIR [ARGUMENTS]   build, then run `kontract dev --project DIR ARGUMENTS`
  bench check           measure `kontract check` beside parsers and esbuild
  bench wire            measure the wire's codecs beside other libraries, in Node and in workerd
  fuzz compiler --seconds N [--seed N]
                        broken programs through the compiler's check, for so long
  fuzz wire --seconds N [--seed N]
                        broken messages through the decoders, for so long
  test                  build, check formatting and lints, run every test
  ci                    test, then fail when files differ from what is committed
  storage-check [--transactions N]
                        the long check of storage's guarantees (100000), on every PostgreSQL of the tests, with faults";
